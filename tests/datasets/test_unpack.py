"""Members of tar files: only those that are expected, and nothing on disk."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from dezero.datasets.unpack import tar_members
from dezero.errors import FileFormatError
from tests.datasets.mutate import mutants

WANTED = {"d/a.bin": 600, "d/b.bin": 5}


def member(name: str, data: bytes = b"", kind: bytes = tarfile.REGTYPE, link: str = "") -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size, info.type, info.linkname = len(data), kind, link
    return info, data


A, B = member("d/a.bin", bytes(range(200)) * 3), member("d/b.bin", b"hello")


def build(path: Path, *members: tuple[tarfile.TarInfo, bytes], mode: str = "w:gz", style: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, mode, format=style) as tar:  # type: ignore[call-overload]
        for info, data in members:
            tar.addfile(info, io.BytesIO(data))
    return path


def read(path: Path, limit: int = 100_000) -> dict[str, bytes]:
    return {name: bytes(data) for name, data in tar_members(path, WANTED, limit)}


@pytest.mark.parametrize("mode", ["w", "w:gz"])
@pytest.mark.parametrize("style", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_expected_members(tmp_path: Path, mode: str, style: int) -> None:
    path = build(tmp_path / "x", member("d", kind=tarfile.DIRTYPE), member("d/readme.html", b"words"), B, A, mode=mode, style=style)
    assert read(path) == {"d/a.bin": A[1], "d/b.bin": B[1]}
    assert os.listdir(tmp_path) == ["x"]


def test_evil_members_are_skipped_and_nothing_is_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    evil = [member("../evil", b"x"), member(str(tmp_path / "evil"), b"x"), member("link", kind=tarfile.SYMTYPE, link="../.."),
            member("link/evil", b"x"), member("hard", kind=tarfile.LNKTYPE, link="/etc/passwd"), member("dev", kind=tarfile.CHRTYPE),
            member("fifo", kind=tarfile.FIFOTYPE), member("D/A.BIN", b"x"), member("n" * 300, b"x")]
    path = build(tmp_path / "x", *evil, A, B)
    assert read(path) == {"d/a.bin": A[1], "d/b.bin": B[1]}
    assert sorted(os.listdir(tmp_path)) == ["in", "x"]
    assert os.listdir(tmp_path / "in") == []


@pytest.mark.parametrize(("members", "words"), [
    ([A], "has no d/b.bin"), ([], "has no d/a.bin"), ([member("d/a.bin", b"x"), B], "with 1 bytes"), ([A, A, B], "twice"),
    ([member("d/a.bin", kind=tarfile.SYMTYPE, link="/etc/passwd"), B], "as a link"),
    ([member("d/a.bin", kind=tarfile.LNKTYPE, link="d/b.bin")], "as a link"),
    ([member("d/a.bin", kind=tarfile.DIRTYPE), B], "has no d/a.bin"), ([member("big", bytes(200_000)), A, B], "more than the 100000"),
])
def test_members_that_do_not_fit(tmp_path: Path, members: list[tuple[tarfile.TarInfo, bytes]], words: str) -> None:
    with pytest.raises(FileFormatError, match=words):
        read(build(tmp_path / "x", *members))
    assert os.listdir(tmp_path) == ["x"]


def test_a_member_that_tells_of_a_terabyte(tmp_path: Path) -> None:
    info = tarfile.TarInfo("d/a.bin")
    info.size = 1 << 40
    (tmp_path / "x").write_bytes(gzip.compress(info.tobuf(tarfile.GNU_FORMAT)))
    with pytest.raises(FileFormatError, match="more than"):
        read(tmp_path / "x")


def test_a_bomb_of_members_ends_at_the_limit(tmp_path: Path) -> None:
    header = tarfile.TarInfo("x").tobuf()
    (tmp_path / "x").write_bytes(gzip.compress(header * 20_000, 1))
    tracemalloc.start()
    with pytest.raises(FileFormatError, match="more than"):
        read(tmp_path / "x", 1_000_000)
    assert tracemalloc.get_traced_memory()[1] < 2_000_000
    tracemalloc.stop()


@pytest.mark.parametrize("data", [b"", b"x", b"<html>" * 200, gzip.compress(b""), gzip.compress(b"x" * 5000), b"\x1f\x8b"])
def test_other_files(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(FileFormatError):
        read(tmp_path / "x")


@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_changed_files_are_read_or_refused(tmp_path: Path, mode: str) -> None:
    original = build(tmp_path / "x", member("d/readme", b"words"), A, B, mode=mode).read_bytes()
    refused = 0
    for data in mutants(original, 200, seed=3):
        (tmp_path / "x").write_bytes(data)
        try:
            read(tmp_path / "x")
        except FileFormatError:
            refused += 1
    assert refused > 30


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_what_is_no_file_is_refused_also_with_the_right_size(tmp_path: Path, kind: bytes) -> None:
    with pytest.raises(FileFormatError, match="d/a.bin as a link or a folder"):
        read(build(tmp_path / "x", member("d/a.bin", A[1], kind), B))
