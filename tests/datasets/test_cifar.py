"""CIFAR from small archives in the format of the binary version."""

from __future__ import annotations

import dataclasses
import hashlib
import io
import pickle
import tarfile
from pathlib import Path

import numpy as np
import pytest

from dezero.datasets import CIFAR10, CIFAR100
from dezero.datasets.cifar import PIXELS, Part
from dezero.errors import DatasetError

N = 6


def build(path: Path, cls: type[CIFAR10], change: str = "") -> dict[str, np.ndarray]:
    """An archive with N records in each part, and the records."""
    rng = np.random.default_rng(1)
    records = {}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for part in (*cls.parts[True], *cls.parts[False]):
            labels = np.stack([rng.integers(0, n, N, np.uint8) for n in cls.classes], 1)
            if change == "label":
                labels[2, -1] = cls.classes[-1]
            records[part.name] = np.concatenate([labels, rng.integers(0, 256, (N, PIXELS), np.uint8)], 1)
            data = records[part.name].tobytes()[:-1 if change == "short" else None]
            info = tarfile.TarInfo(part.name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return records


@pytest.fixture(autouse=True)
def small(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    for cls in (CIFAR10, CIFAR100):
        parts = {train: tuple(Part(part.name, N) for part in parts) for train, parts in cls.parts.items()}
        monkeypatch.setattr(cls, "parts", parts)


def test_cifar10(home: Path) -> None:
    records = build(home / "cache/dezero/cifar10/cifar-10-binary.tar.gz", CIFAR10)
    train, test = CIFAR10(), CIFAR10(train=False)
    assert train.data.shape == (5 * N, 3, 32, 32) and test.data.shape == (N, 3, 32, 32)
    assert train.data.dtype == train.label.dtype == np.uint8
    fourth = records["cifar-10-batches-bin/data_batch_4.bin"]
    np.testing.assert_array_equal(train.label[3 * N:4 * N], fourth[:, 0])
    np.testing.assert_array_equal(train.data[3 * N + 2, 1], fourth[2, 1 + 1024:1 + 2048].reshape(32, 32))
    x, t = train[0]
    assert x.dtype == np.float32 and -1 <= x.min() < -0.9 and 0.9 < x.max() <= 1
    np.testing.assert_allclose(x, (train.data[0] / 255 - 0.5) / 0.5, atol=1e-6)
    np.testing.assert_array_equal(train.gather([0, 1])[0][0], x)
    assert t == train.label[0]


def test_cifar100(home: Path) -> None:
    records = build(home / "cache/dezero/cifar-100-binary.tar.gz", CIFAR100)["cifar-100-binary/test.bin"]
    fine, coarse = CIFAR100(train=False), CIFAR100(train=False, label_type="coarse")
    np.testing.assert_array_equal(coarse.label, records[:, 0])
    np.testing.assert_array_equal(fine.label, records[:, 1])
    np.testing.assert_array_equal(fine.data, coarse.data)
    np.testing.assert_array_equal(fine.data.reshape(N, -1), records[:, 2:])


def test_unknown_label_type(home: Path) -> None:
    for call in (lambda: CIFAR100(label_type="medium"), lambda: CIFAR100.labels("medium")):
        with pytest.raises(ValueError, match="'fine' or 'coarse' is expected"):
            call()


@pytest.mark.parametrize("cls", [CIFAR10, CIFAR100])
@pytest.mark.parametrize(("change", "words"), [("label", "has a label"), ("short", "bytes is expected"), ("hash", "another SHA-256")])
def test_damage_is_found(home: Path, monkeypatch: pytest.MonkeyPatch, cls: type[CIFAR10], change: str, words: str) -> None:
    path = home / "cache/dezero" / cls.source.folders[0] / cls.source.name
    build(path, cls, change)
    if change == "hash":
        wrong = hashlib.sha256(b"").hexdigest()
        parts = {train: tuple(dataclasses.replace(part, sha256=wrong) for part in parts) for train, parts in cls.parts.items()}
        monkeypatch.setattr(cls, "parts", parts)
    with pytest.raises(DatasetError, match=f"{cls.__name__}: {cls.source.name} is not here"), pytest.warns(RuntimeWarning, match=words):
        cls()
    assert [p.name for p in path.parent.iterdir()] == [path.name + ".bad"]


def test_labels() -> None:
    assert list(CIFAR10.labels().values()) == ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"]
    fine, coarse = CIFAR100.labels(), CIFAR100.labels("coarse")
    assert list(fine) == list(range(100)) and list(coarse) == list(range(20))
    assert len(set(fine.values())) == 100 and len(set(coarse.values())) == 20
    assert list(fine.values()) == sorted(fine.values()) and list(coarse.values()) == sorted(coarse.values())
    assert fine[19] == "cattle" and fine[58] == "pickup truck" and coarse[9] == "large man-made outdoor things"


def test_pickles(home: Path) -> None:
    build(home / "cache/dezero/cifar100/cifar-100-binary.tar.gz", CIFAR100)
    dataset = CIFAR100(train=False)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(dataset))[1][0], dataset[1][0])
