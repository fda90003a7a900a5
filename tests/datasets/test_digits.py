"""The bundled digits."""

from __future__ import annotations

import pickle
from importlib import resources

import numpy as np

from dezero.datasets import Digits


def test_numbers() -> None:
    train, test = Digits(), Digits(train=False)
    for part, n in ((train, 1437), (test, 360)):
        assert part.data.shape == (n, 1, 8, 8) and part.label.shape == (n,)
        assert part.data.dtype == part.label.dtype == np.uint8
        assert part.data.min() == 0 and part.data.max() == 16
    counts = np.bincount(train.label) + np.bincount(test.label)
    assert counts.tolist() == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as the source tells
    assert set(np.bincount(test.label).tolist()) <= {35, 36, 37}


def test_no_image_is_in_both_parts() -> None:
    train, test = ({image.tobytes() for image in Digits(part).data} for part in (True, False))
    assert len(train) + len(test) == 1797 and not train & test


def test_the_first_digit() -> None:
    both = np.concatenate([Digits().data, Digits(train=False).data]).reshape(-1, 64)
    first = [0, 0, 5, 13, 9, 1, 0, 0, 0, 0, 13, 15, 10, 15, 5, 0]
    assert (both[:, :16] == first).all(1).sum() == 1


def test_transform() -> None:
    digits = Digits()
    x, t = digits[5]
    assert x.shape == (64,) and x.dtype == np.float32
    np.testing.assert_array_equal(x, digits.data[5].ravel() / np.float32(16))
    xs, ts = digits.gather(np.array([7, 5]))
    np.testing.assert_array_equal(xs[1], x)
    assert ts[1] == t
    assert Digits(transform=None)[0][0].shape == (1, 8, 8)


def test_size_and_attribution() -> None:
    folder = resources.files("dezero.datasets") / "bundled"
    assert len((folder / "digits.npz").read_bytes()) < 100_000
    words = (folder / "README.md").read_text(encoding="utf-8")
    for part in ("Alpaydin", "Kaynak", "10.24432/C50P49", "CC BY 4.0"):
        assert part in words


def test_pickles() -> None:
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(Digits()))[0][0], Digits()[0][0])
