"""The DOT texts that the tests hold drawings against, and a way to write them anew: ``python -m tests.viz.renew``.

Look at the pictures before you keep new texts: ``dot -Tpng tests/viz/golden/NAME.dot -o NAME.png``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Variable
from dezero.viz import get_dot_graph
from tests.viz.graphs import classifier, derivative, goldstein

FOLDER = Path(__file__).parent / "golden"


class Recurrent(Model):
    """An LSTM and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.rnn, self.fc = L.LSTM(3, in_size=2), L.Linear(1, in_size=3)

    def forward(self, x: Any) -> Any:
        return self.fc(self.rnn(x))


class SmallVGG(Model):
    """Two blocks of convolutions as VGG's, and a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.blocks = [L.Sequential(L.Conv2d(n, 3, pad=1, in_channels=m), F.relu, L.Conv2d(n, 3, pad=1, in_channels=n), F.relu)
                       for m, n in ((1, 2), (2, 4))]
        self.fc = L.Linear(3, in_size=16)

    def forward(self, x: Any) -> Any:
        for block in self.blocks:
            x = F.max_pool2d(block(x), 2)
        return self.fc(F.flatten(x))


class Folded(Model):
    """Eight equal layers and another."""

    def __init__(self) -> None:
        super().__init__()
        self.h, self.out = [L.Linear(4, in_size=4) for _ in range(8)], L.Linear(2, in_size=4)

    def forward(self, x: Any) -> Any:
        for layer in self.h:
            x = F.tanh(layer(x))
        return self.out(x)


def lstm() -> Variable:
    """The loss after the second step."""
    model = Recurrent()
    x = Variable(np.ones((5, 2), np.float32), name="x")
    model(x)
    loss = F.mean_squared_error(model(x), np.zeros((5, 1), np.float32))
    loss.name = "loss"
    return loss


def vgg() -> Variable:
    """What the small VGG makes of two pictures."""
    y = SmallVGG()(Variable(np.ones((2, 1, 8, 8), np.float32), name="pictures"))
    y.name = "y"
    return y


def values() -> str:
    """All values and gradients of Goldstein-Price's function."""
    z = goldstein()
    z.backward()
    return get_dot_graph(z, show="value,grad")


GOLDEN: dict[str, Callable[[], str]] = {
    **{f"sin{order}": partial(lambda order: get_dot_graph(derivative(F.sin, order)), order) for order in (1, 2, 3, 4)},
    **{f"tanh{order}": partial(lambda order: get_dot_graph(derivative(F.tanh, order), verbose=False), order) for order in range(1, 7)},
    "goldstein": lambda: get_dot_graph(goldstein(), verbose=False),
    "goldstein-values": values,
    "classifier": lambda: get_dot_graph(classifier()),
    "lstm": lambda: get_dot_graph(lstm()),
    "folded": lambda: get_dot_graph(Folded()(Variable(np.ones((2, 4), np.float32), name="x")), fold=True),
    "vgg": lambda: get_dot_graph(vgg()),
    "vgg-collapsed": lambda: get_dot_graph(vgg(), collapse=True),
}


def main() -> None:
    """Write all texts, and take away those that are no more."""
    FOLDER.mkdir(exist_ok=True)
    for path in FOLDER.glob("*.dot"):
        if path.stem not in GOLDEN:
            path.unlink()
    for name, make in GOLDEN.items():
        (FOLDER / f"{name}.dot").write_text(make(), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
