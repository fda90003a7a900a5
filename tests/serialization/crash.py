"""A process that forks children, which save again and again, kills them at random moments and looks at what they left.

Run as ``python -m tests.serialization.crash KIND FOLDER ROUNDS SEED``; it prints the number of rounds whose file was whole.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import warnings

import numpy as np

from dezero.serialization import load_arrays, load_checkpoint, save_arrays, save_checkpoint


def arrays(value: int) -> dict[str, np.ndarray]:
    """Arrays whose every element is ``value``: a mixture of two saves would show."""
    return {f"l{i}.W": np.full((64, 32), value, np.float32) for i in range(10)}


def save(kind: str, path: str, value: int) -> None:
    if kind == "checkpoint":
        save_checkpoint(path, {"model": arrays(value)}, {"value": value})
    else:
        save_arrays(path, arrays(value), {"value": str(value)})


def value_in(kind: str, path: str) -> int:
    """The value in the file, once it is sure that every element has it."""
    if kind == "checkpoint":
        checkpoint = load_checkpoint(path)
        found, value = checkpoint.parts["model"], checkpoint.state["value"]
    else:
        found, metadata = load_arrays(path)
        value = int(metadata["value"])
    assert found.keys() == arrays(0).keys()
    assert all((x == value).all() for x in found.values()), "old and new are mixed"
    return int(value)


def main(kind: str, folder: str, rounds: int, seed: int) -> int:
    rng = random.Random(seed)
    path = os.path.join(folder, "a.npz" if kind == "npz" else "a.safetensors")
    save(kind, path, 0)
    value = 0
    for _ in range(rounds):
        child = os.fork()
        if child == 0:
            while True:
                value += 1
                save(kind, path, value)
        time.sleep(rng.uniform(0, 0.03))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        found = value_in(kind, path)
        assert found >= value, "an older file came back"
        value = found
    assert value, "the children never saved"
    save(kind, path, value + 1)
    litter = [name for name in os.listdir(folder) if name.endswith(".tmp")]
    assert not litter, f"litter: {litter}"
    return rounds


if __name__ == "__main__":
    warnings.simplefilter("error")
    print(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
