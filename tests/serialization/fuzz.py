"""Files damaged at random: the checks, by number of rounds. ``tests/slow`` runs more of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import safetensors
import safetensors.numpy

from dezero.errors import FileFormatError
from dezero.serialization import load_npz, load_safetensors, save_npz, save_safetensors
from tests.serialization.mutations import COMMON, OF_SAFETENSORS, damage, gentle, survives
from tests.serialization.samples import entry, raw, same

ARRAYS = {"l0.W": np.arange(12, dtype=np.float32).reshape(3, 4), "l0.b": np.ones(3), "n": np.array(7), "mask": np.array([True, False]),
          "e": np.zeros((0, 2), np.float16)}
TEXT = {"note": "é", "state": "{}"}
ODD = {"__metadata__": {"k": "v"}, "é\n": entry("BF16", [2, 0, 5], 0, 0), "c": entry("U8", [], 0, 1), "d": entry("BOOL", [1, 1], 1, 2)}


def strange_safetensors(folder: Path, rounds: int, seed: int) -> None:
    """Mutations of a foreign file, which has no digests: arrays or FileFormatError, and what is read here the reference accepts too."""
    x, y = np.arange(6, dtype=np.float32), np.arange(4, dtype=np.int64)
    contents = [raw({"a": entry("F32", [2, 3], 0, 24), "b": entry("I64", [4], 24, 56)}, x.tobytes() + y.tobytes()),
                raw(ODD, b"\7\1"), safetensors.numpy.save(ARRAYS, {"format": "np"})]
    rng, path, read = np.random.default_rng(seed), folder / "x.safetensors", 0
    for i in range(rounds):
        content = damage(contents[rng.integers(len(contents))], rng, [*OF_SAFETENSORS, *[gentle] * 6])
        if rng.random() < 0.3:
            content = damage(content, rng) if len(content) > 20 else content
        found = survives(load_safetensors, path, content)
        if found is not None:
            read += 1
            assert all(x.dtype.kind in "biufc" for x in found[0].values())
            with safetensors.safe_open(path, "np") as file:
                assert sorted(file.keys()) == sorted(found[0]), f"round {i}"
    assert read > rounds // 20, "hardly any file was read: the mutations are too rough to say much"


def own_safetensors(folder: Path, rounds: int, seed: int) -> None:
    """Mutations of a file with digests: found out, every one."""
    path = folder / "x.safetensors"
    save_safetensors(path, ARRAYS, TEXT)
    content, rng = path.read_bytes(), np.random.default_rng(seed)
    for i in range(rounds):
        found = survives(load_safetensors, path, damage(content, rng, OF_SAFETENSORS))
        assert found is None or (same(found[0], ARRAYS) and found[1] == TEXT), f"round {i}"


def flipped_bits(folder: Path, rounds: int, seed: int) -> None:
    """Single bits of a file with digests: each flip is found out, in the numbers, in the header, in the digests themselves."""
    path = folder / "x.safetensors"
    save_safetensors(path, ARRAYS | {"big": np.random.default_rng(0).random(300)}, {"note": "text"})
    content, rng = path.read_bytes(), np.random.default_rng(seed)
    for place in rng.permutation(len(content) * 8)[:rounds]:
        damaged = bytearray(content)
        damaged[place // 8] ^= 1 << int(place) % 8
        path.write_bytes(damaged)
        try:
            load_safetensors(path)
        except FileFormatError:
            continue
        raise AssertionError(f"bit {place} was flipped and nobody noticed")


def strange_npz(folder: Path, rounds: int, seed: int) -> None:
    """Mutations of npz files: the same arrays, or FileFormatError."""
    path = folder / "x.npz"
    contents = [save_npz(path, ARRAYS, {"k": "v"}, compressed=compressed).read_bytes() for compressed in (False, True)]
    rng = np.random.default_rng(seed)
    for i in range(rounds):
        found = survives(load_npz, path, damage(contents[rng.integers(2)], rng, COMMON))
        if found is not None:  # a date was hit, say
            assert same(found[0], ARRAYS), f"round {i}"


CHECKS: list[Callable[[Path, int, int], None]] = [strange_safetensors, own_safetensors, flipped_bits, strange_npz]
