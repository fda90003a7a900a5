"""``python -m dezero demo`` trains a small network and shows what it learned; ``python -m dezero info`` prints what dezero runs on."""

from __future__ import annotations

import os
import platform
import sys
import time
from itertools import pairwise
from typing import Any

import numpy as np

import dezero
import dezero.functions as F
from dezero import Parameter, Variable, no_grad

Layers = list[tuple[Parameter, Parameter]]  # a weight matrix and a bias each


def two_moons(n: int, rng: np.random.Generator) -> tuple[Any, Any]:
    """``n`` noisy points (n, 2) on two half circles that reach into each other, and for each the number of its half circle (n,)."""
    t = np.arange(n) % 2
    angle = rng.uniform(0, np.pi, n)
    side = 1 - 2 * t  # the second half circle is the first one turned by 180 degrees
    return (np.stack([side * (np.cos(angle) - 0.5), side * (np.sin(angle) - 0.25)], axis=1) + rng.normal(0, 0.12, (n, 2))).astype(np.float32), t


def network(sizes: tuple[int, ...], rng: np.random.Generator) -> Layers:
    """Random weights and zero biases between layers of these sizes."""
    return [(Parameter(rng.normal(0, n ** -0.5, (n, m)).astype(np.float32)), Parameter(np.zeros(m, np.float32)))
            for n, m in pairwise(sizes)]


def predict(layers: Layers, x: Any) -> Variable:
    """The scores (N, 2) of the points ``x`` (N, 2)."""
    for W, b in layers[:-1]:
        x = F.tanh(F.linear(x, W, b))
    return F.linear(x, *layers[-1])


def picture(layers: Layers, width: int = 64, height: int = 18) -> str:
    """The two regions that the network tells apart, as text."""
    across, down = np.meshgrid(np.linspace(-1.9, 1.9, width), np.linspace(1.3, -1.3, height))
    with no_grad():
        scores = predict(layers, np.stack([across.ravel(), down.ravel()], axis=1).astype(np.float32)).data
    signs = np.where(scores[:, 0] > scores[:, 1], "o", ".").reshape(height, width)
    return "\n".join("    " + "".join(row) for row in signs)


def demo() -> None:
    """Train a network on two half circles and print loss, accuracy and the regions that it found."""
    rng = np.random.default_rng(0)
    (x, t), (unseen_x, unseen_t) = two_moons(1000, rng), two_moons(1000, rng)
    layers = network((2, 32, 32, 2), rng)
    print(f"two half circles, {len(x)} points; a network 2-32-32-2; gradients by dezero {dezero.__version__}\n")
    start, lr = time.perf_counter(), 0.3
    for epoch in range(1, 101):
        losses = []
        for rows in rng.permutation(len(x)).reshape(-1, 50):
            loss = F.softmax_cross_entropy(predict(layers, x[rows]), t[rows])
            loss.backward()
            for p in (p for layer in layers for p in layer):
                p.data -= lr * p.grad.data  # type: ignore[union-attr]
                p.cleargrad()
            losses.append(float(loss))
        if epoch in (1, 2, 5, 10, 20, 50, 100):
            with no_grad():
                right = (predict(layers, unseen_x).data.argmax(axis=1) == unseen_t).mean()
            print(f"  epoch {epoch:3}   loss {np.mean(losses):.4f}   accuracy on unseen points {right:6.1%}")
    print(f"\n2000 steps in {time.perf_counter() - start:.2f} s. What the network takes for the upper half circle (o):\n")
    print(picture(layers))
    print("\nThis program is dezero/__main__.py. Go on with `make test`, `make bench` (against NumPy and PyTorch) or the example in README.md.")


def info() -> None:
    """Print the versions and the hardware that dezero runs on."""
    config: Any = np.show_config(mode="dicts")
    blas = config["Build Dependencies"]["blas"]
    print(f"dezero  {dezero.__version__}\nPython  {platform.python_version()} on {platform.platform()}, {os.cpu_count()} processors")
    print(f"NumPy   {np.__version__} with {blas.get('name', 'an unknown BLAS')} {blas.get('version', '')}")
    try:
        import cupy
        devices = [cupy.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(cupy.cuda.runtime.getDeviceCount())]
        print(f"CuPy    {cupy.__version__} with {', '.join(devices)}")
    except ImportError:
        print("CuPy    not installed: pip install 'dezero[cuda12]' or 'dezero[cuda13]' for the GPU")
    except Exception as error:  # CuPy is there, a driver or a device is not
        print(f"CuPy    installed, but finds no device: {error}")


def main() -> None:
    """Run the command named on the command line."""
    if sys.argv[1:] not in (["demo"], ["info"]):
        sys.exit("usage: python -m dezero demo | info")
    demo() if sys.argv[1] == "demo" else info()


if __name__ == "__main__":
    main()
