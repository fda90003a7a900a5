"""Columns on the emulated device: one launch each way, views read as they lie; and the vectors of ones."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.cuda import im2col as columns
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

rng = np.random.default_rng(0)
TOLERANCE = {"float16": 2e-3, "bfloat16": 2e-2, "float32": 0, "float64": 0}   # float32 is added up in the reference's order
# (x, kernel, stride, pad, dilation)
WINDOWS = [((2, 3, 6, 5), (3, 2), (1, 1), (0, 0), (1, 1)), ((2, 3, 7, 8), (3, 2), (2, 3), (1, 2), (1, 1)),
           ((1, 2, 9, 8), (2, 3), (1, 2), (2, 0), (3, 2)), ((2, 2, 5, 5), (2, 2), (1, 1), (3, 3), (1, 1)),
           ((2, 3, 20, 19), (1, 1), (1, 1), (0, 0), (1, 1)), ((1, 2, 9, 9), (2, 2), (4, 4), (0, 0), (1, 1)),
           ((2, 2, 4, 4), (4, 4), (1, 1), (0, 0), (1, 1)), ((1, 1, 1, 1), (1, 1), (1, 1), (0, 0), (1, 1)),
           ((0, 3, 6, 5), (3, 2), (1, 1), (0, 0), (1, 1)), ((1, 1, 3, 3), (3, 3), (1, 1), (5, 5), (2, 2))]
EACH_WINDOW = pytest.mark.parametrize("shape, kernel, stride, pad, dilation", WINDOWS)


def kernels() -> Any:
    return kernels_of(columns.cupy())


def dtype_of(name: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


@pytest.mark.parametrize("name", TOLERANCE)
@EACH_WINDOW
def test_columns_and_back(shape: Any, kernel: Any, stride: Any, pad: Any, dilation: Any, name: str) -> None:
    x = rng.normal(size=shape).astype(dtype_of(name))
    with counting() as launches:
        col = kernels().im2col(to_strict(x), kernel, stride, pad, dilation)
        np.testing.assert_array_equal(col.get(), REFERENCE["im2col"](np, x, kernel, stride, pad, dilation))
        g = rng.normal(size=col.shape).astype(x.dtype)
        y = kernels().col2im(to_strict(g), shape[2:], stride, pad, dilation)
    wide = g.astype(np.float32 if g.dtype.itemsize == 2 else g.dtype)
    expected = REFERENCE["col2im"](np, wide, shape[2:], stride, pad, dilation)
    np.testing.assert_allclose(y.get().astype(wide.dtype), expected, rtol=TOLERANCE[name], atol=20 * TOLERANCE[name])
    assert col.dtype == y.dtype == x.dtype and launches == ({"dezero_im2col": 1, "dezero_col2im": 1} if x.size else {})


@pytest.mark.parametrize("wide", [False, True])
def test_views_are_read_as_they_lie(wide: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if wide:
        monkeypatch.setattr(columns, "narrow", lambda *numbers: 0)
    images = rng.normal(size=(2, 7, 8, 3))   # channels last
    x = to_strict(images).transpose(0, 3, 1, 2)[:, :, ::-1, 1:]
    call = (3, 2), (2, 1), (1, 1), (1, 2)
    theirs = images.transpose(0, 3, 1, 2)[:, :, ::-1, 1:]
    with counting() as launches:
        col = kernels().im2col(x, *call)
        rows = rng.normal(size=(2, *col.shape[4:], 3, 3, 2))
        y = kernels().col2im(to_strict(rows).transpose(0, 3, 4, 5, 1, 2), (7, 7), *call[1:])
    np.testing.assert_array_equal(col.get(), REFERENCE["im2col"](np, theirs, *call))
    np.testing.assert_array_equal(y.get(), REFERENCE["col2im"](np, rows.transpose(0, 3, 4, 5, 1, 2), (7, 7), *call[1:]))
    assert launches == {"dezero_im2col": 1, "dezero_col2im": 1}


@pytest.mark.parametrize("dtype", [np.int64, np.uint8, bool, np.complex128])
def test_other_dtypes_give_what_the_reference_gives(dtype: Any) -> None:
    x = rng.integers(0, 2, (1, 2, 5, 4)).astype(dtype)
    call = (2, 3), (1, 1), (1, 1), (1, 1)
    np.testing.assert_array_equal(kernels().im2col(to_strict(x), *call).get(), REFERENCE["im2col"](np, x, *call))
    if dtype is not bool:
        col = rng.integers(0, 9, (1, 2, 2, 3, 6, 4)).astype(dtype)
        np.testing.assert_array_equal(kernels().col2im(to_strict(col), (5, 4), *call[1:]).get(), REFERENCE["col2im"](np, col, (5, 4), *call[1:]))


def test_the_op_copies_nothing_to_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    x = Variable(to_strict(rng.normal(size=(2, 3, 6, 6))))

    def refuse(self: Any, *args: Any) -> Any: raise AssertionError("an array goes to the host")
    for name in ("get", "item", "tolist", "__float__", "__bool__", "__int__"):
        monkeypatch.setattr(StrictArray, name, refuse)
    y = F.im2col(x, 3, 1, 1)
    y.grad = Variable(y.data)
    y.backward()


def test_ones_are_made_once() -> None:
    first, second = kernels().ones(7, np.dtype(np.float32)), kernels().ones(7, np.float32)
    assert first.dtype == np.float32 and first.get().tolist() == [1.0] * 7
    assert kernels().ones(7, np.dtype(np.float32)) is first and second.dtype == np.float32
    assert kernels().ones(7, np.dtype(np.float64)).dtype == np.float64
