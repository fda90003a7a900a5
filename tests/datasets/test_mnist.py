"""MNIST and Fashion-MNIST: the real files where they are, generated ones elsewhere."""

from __future__ import annotations

import gzip
import hashlib
import os
import pickle
import struct
from pathlib import Path

import numpy as np
import pytest

from dezero.datasets import MNIST, FashionMNIST, mnist
from dezero.errors import DatasetError
from tests.datasets.conftest import Web, whole

ROOT = Path(__file__).resolve().parents[2]
FOUND = [p for p in (Path(os.environ.get("DEZERO_DATA", "")), ROOT.parent / "shared" / "data") if (p / "mnist/train-images-idx3-ubyte.gz").is_file()]
real = pytest.mark.skipif(not FOUND, reason="MNIST's files are not here: set DEZERO_DATA to the folder with mnist/")


def pack(array: np.ndarray) -> bytes:
    return gzip.compress(bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes(), 1)


@pytest.fixture
def small(home: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """The files of a data set of 12 and 5 images, with their hashes in place of the real ones."""
    rng = np.random.default_rng(0)
    monkeypatch.setattr(mnist, "COUNTS", {True: 12, False: 5})
    files: dict[str, bytes] = {}
    for train, names in mnist.FILES.items():
        n = mnist.COUNTS[train]
        files[names[0]] = pack(rng.integers(0, 256, (n, 28, 28), np.uint8))
        files[names[1]] = pack(rng.integers(0, 10, n, np.uint8))
    monkeypatch.setattr(MNIST, "unpacked_sha256", {name: hashlib.sha256(gzip.decompress(data)).hexdigest() for name, data in files.items()})
    monkeypatch.setattr(FashionMNIST, "packed_sha256", {name: hashlib.sha256(data).hexdigest() for name, data in files.items()})
    return files


def put(folder: Path, files: dict[str, bytes], suffix: str = ".gz") -> None:
    folder.mkdir(parents=True)
    for name, data in files.items():
        (folder / (name + suffix)).write_bytes(data if suffix else gzip.decompress(data))


@real
def test_the_real_files(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_DATA", str(FOUND[0]))
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    train, test = MNIST(), MNIST(train=False)
    assert train.data.shape == (60_000, 1, 28, 28) and test.data.shape == (10_000, 1, 28, 28)
    assert train.data.dtype == train.label.dtype == np.uint8
    assert train.label[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4] and test.label[:5].tolist() == [7, 2, 1, 0, 4]
    x, t = train[0]
    assert x.shape == (784,) and x.dtype == np.float32 and t == 5
    assert x.min() == 0 and x.max() == 1
    xs, ts = train.gather(np.array([3, 0]))
    assert xs.dtype == np.float32
    np.testing.assert_array_equal(xs[1], x)
    np.testing.assert_array_equal(ts, [1, 5])


@pytest.mark.parametrize("suffix", [".gz", ""])
@pytest.mark.parametrize("folder", ["mnist", "MNIST/raw", ""])
def test_files_by_hand(home: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch, folder: str, suffix: str) -> None:
    put(home / "data" / folder, small, suffix)
    monkeypatch.setenv("DEZERO_DATA", str(home / "data"))
    assert len(MNIST()) == 12
    assert len(MNIST(train=False, transform=None)[0][0]) == 1


def test_fetched(home: Path, web: Web, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    for name, data in small.items():
        web.url(f"/good/{name}.gz", whole(data))
        url = web.url(f"/bad/{name}.gz", whole(b"<html>moved</html>"))
    base = url.partition("/bad/")[0]
    for cls in (MNIST, FashionMNIST):
        monkeypatch.setattr(cls, "mirrors", (f"{base}/bad/", f"{base}/good/"))
        for _ in range(2):
            assert len(cls()) == 12
    assert len(web.asked) == 8
    assert sorted(os.listdir(home / "cache/dezero")) == ["fashion-mnist", "mnist"]


def test_damage_is_found(home: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    data = bytearray(gzip.decompress(small["train-images-idx3-ubyte"]))
    data[500] ^= 1
    put(home / "cache/dezero/mnist", small | {"train-images-idx3-ubyte": gzip.compress(data)})
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    with pytest.raises(DatasetError, match="MNIST: train-images-idx3-ubyte.gz is not here"), pytest.warns(RuntimeWarning, match="another SHA-256"):
        MNIST()
    assert (home / "cache/dezero/mnist/train-images-idx3-ubyte.gz.bad").exists()
    assert len(MNIST(train=False)) == 5


def test_labels_out_of_range(home: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "cache/dezero/fashion-mnist", small | {"t10k-labels-idx1-ubyte": pack(np.array([0, 1, 10, 3, 4], np.uint8))})
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    with pytest.raises(DatasetError), pytest.warns(RuntimeWarning, match="label 10"):
        FashionMNIST(train=False)


def test_fashion_takes_no_file_of_mnist(home: Path, small: dict[str, bytes], monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "home/.dezero", small)
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    assert len(MNIST()) == 12
    with pytest.raises(DatasetError, match="FashionMNIST: train-images-idx3-ubyte.gz"):
        FashionMNIST()


def test_pickles(home: Path, small: dict[str, bytes]) -> None:
    put(home / "cache/dezero/mnist", small)
    dataset = MNIST()
    copy = pickle.loads(pickle.dumps(dataset))
    np.testing.assert_array_equal(copy[3][0], dataset[3][0])


def test_hashes_and_labels() -> None:
    for cls in (MNIST, FashionMNIST):
        hashes = cls.unpacked_sha256 | cls.packed_sha256
        assert sorted(hashes) == sorted(name for names in mnist.FILES.values() for name in names)
        assert all(len(h) == 64 and set(h) <= set("0123456789abcdef") for h in hashes.values())
        assert all(url.startswith("https://") and url.endswith("/") for url in cls.mirrors) and len(cls.mirrors) >= 3
        assert list(cls.labels()) == list(range(10))
