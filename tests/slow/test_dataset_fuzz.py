"""Ten thousand changed files of each kind: each is read, or refused with a FileFormatError."""

from __future__ import annotations

from pathlib import Path

import pytest

from dezero.datasets.imagenet import parse_labels
from dezero.errors import FileFormatError
from tests.datasets.mutate import mutants, try_idx
from tests.datasets.test_unpack import A, B, build, member, read


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(3))
def test_idx(tmp_path: Path, seed: int) -> None:
    read_, refused = try_idx(tmp_path, 10_000, 100 + 10 * seed)
    assert read_ > 100 and refused > 10_000


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar(tmp_path: Path, mode: str) -> None:
    original = build(tmp_path / "x", member("d/readme", b"words"), A, B, mode=mode).read_bytes()
    for data in mutants(original, 10_000, seed=4):
        (tmp_path / "x").write_bytes(data)
        try:
            read(tmp_path / "x")
        except FileFormatError:
            pass
    assert [p.name for p in tmp_path.iterdir()] == ["x"]


@pytest.mark.slow
@pytest.mark.parametrize("text", ["{0: 'tench', 1: \"devil's\",\n 2: 'a\\'b'}", '{"0": ["n01440764", "tench"], "1": ["n1", "b_c"]}'])
def test_names_of_classes(text: str) -> None:
    for data in mutants(text.encode(), 10_000, seed=5):
        try:
            parse_labels(data.decode("utf-8", "replace"))
        except FileFormatError:
            pass
