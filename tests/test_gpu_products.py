"""Products, attention and convolution on the GPU, in all dtypes and on views: cuBLAS and cuDNN give what NumPy does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import dezero.cuda
import dezero.functions as F
from dezero import Variable
from dezero.backend import as_cupy, as_numpy, kernels_of
from dezero.backend.arrays import cupy_module
from dezero.backend.cuda import cudnn, gemm
from dezero.backend.kernels import REFERENCE
from tests.backend.test_kernels import convolutions, gy_shape

pytestmark = pytest.mark.gpu

TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 1e-5, "float64": 1e-12}
VIEWS: dict[str, tuple[Any, Any]] = {
    "plain": ((33, 70), (70, 41)),
    "batches": ((6, 33, 70), (6, 70, 41)),
    "by one": ((6, 33, 70), (70, 41)),
    "one by many": ((33, 70), (6, 70, 41)),
    "vectors": ((70,), (6, 70, 41)),
    "odd sizes": ((5, 7, 3), (5, 3, 1)),
}
CHANGES: dict[str, Any] = {
    "as they are": lambda a: a,
    "every other matrix or row": lambda a: a[::2],
    "heads": lambda a: a.reshape(3, 2, *a.shape[1:]).swapaxes(0, 1).copy().swapaxes(0, 1) if len(a) == 6 else a,
    "columns of wider ones": lambda a: cupy_module().concatenate([a, a], -1)[..., a.shape[-1] // 2:a.shape[-1] // 2 + a.shape[-1]],
    "transposed": lambda a: a.swapaxes(-1, -2).copy().swapaxes(-1, -2) if a.ndim > 1 else a,
}


@pytest.fixture(autouse=True)
def ieee() -> Iterator[None]:
    with dezero.cuda.allow_tf32(False):
        yield


def draw(seed: int, *shape: int, dtype: str = "float32") -> np.ndarray:
    kind = pytest.importorskip("ml_dtypes").bfloat16 if dtype == "bfloat16" else dtype
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(kind)


def compare(found: Any, expected: Any, tolerance: float) -> None:
    expected = np.asarray(expected)
    assert found.shape == expected.shape
    np.testing.assert_allclose(as_numpy(found).astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("shapes", VIEWS)
def test_products_of_views(shapes: str, change: str, dtype: str) -> None:
    a, b = (CHANGES[change](as_cupy(draw(i, *shape, dtype=dtype))) for i, shape in enumerate(VIEWS[shapes]))
    if change == "every other matrix or row" and a.ndim != b.ndim or a.shape[-1] != b.shape[max(-2, -b.ndim)]:
        b = as_cupy(draw(1, *b.shape[:-2], a.shape[-1], b.shape[-1], dtype=dtype))
    wide = [as_numpy(x).astype(np.float64) for x in (a, b)]
    expected = wide[0] @ wide[1]
    y = gemm.product(a, b)
    assert y is not NotImplemented, gemm.reason
    compare(y, expected, TOLERANCE[dtype])
    compare(kernels_of(cupy_module()).matmul(a, b), expected, TOLERANCE[dtype])


def test_tf32_is_rougher_and_only_on_request() -> None:
    a, b = (as_cupy(draw(i, 4, 512, 512)) for i in range(2))
    exact = as_numpy(a).astype(np.float64) @ as_numpy(b).astype(np.float64)
    fine = np.abs(as_numpy(gemm.product(a, b)) - exact).max()
    with dezero.cuda.allow_tf32():
        rough = np.abs(as_numpy(gemm.product(a, b)) - exact).max()
        both = np.abs(as_numpy(a[0] @ b[0]) - exact[0]).max()  # CuPy's own follows
    assert fine < 1e-3 < rough < 1 and both > 1e-3


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("masked", ["no", "causal", "bool", "float"])
def test_attention_and_its_gradients(masked: str, dtype: str) -> None:
    values = [draw(i, 2, 5, n, 16, dtype=dtype) for i, n in enumerate((37, 70, 70))]
    mask = {"bool": draw(3, 2, 1, 37, 70) > -1, "float": draw(3, 37, 70, dtype=dtype)}.get(masked)
    gy = draw(4, 2, 5, 37, 16, dtype=dtype)
    results = []
    for move, kind in ((as_cupy, None), (np.asarray, np.float64)):
        xs = [Variable(move(v if kind is None else v.astype(kind))) for v in values]
        m = mask if mask is None or mask.dtype == bool or kind is None else mask.astype(kind)
        y = F.scaled_dot_product_attention(*xs, None if m is None else move(m), causal=masked == "causal")
        F.sum(y * move(gy if kind is None else gy.astype(kind))).backward()
        results.append([y.data, *(x.grad.data for x in xs if x.grad is not None)])
    for found, expected in zip(*results, strict=True):
        assert found.dtype == values[0].dtype
        compare(found, expected, 5 * TOLERANCE[dtype])


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("way", ["cudnn", "columns"])
def test_convolutions(way: str, dtype: str) -> None:
    cudnn.use(None if way == "cudnn" else False)
    try:
        if way == "cudnn" and not cudnn.available():
            pytest.skip(f"cuDNN is not in use: {cudnn.reason}")
        kernels = kernels_of(cupy_module())
        for row in convolutions():
            x_shape, W_shape, *settings = row
            values = [draw(i, *shape, dtype=dtype) for i, shape in enumerate((x_shape, W_shape, W_shape[:1], gy_shape(*row)))]
            x, W, b, gy = map(as_cupy, values)
            wx, wW, wb, wgy = (v.astype(np.float64) for v in values)
            found = (kernels.conv2d(x, W, b, *settings), kernels.conv2d_grad_x(gy, W, x_shape[2:], *settings),
                     kernels.conv2d_grad_w(x, gy, W_shape[2:], *settings))
            expected = (REFERENCE["conv2d"](np, wx, wW, wb, *settings), REFERENCE["conv2d_grad_x"](np, wgy, wW, x_shape[2:], *settings),
                        REFERENCE["conv2d_grad_w"](np, wx, wgy, W_shape[2:], *settings))
            for f, e in zip(found, expected, strict=True):
                compare(f, e, 5 * TOLERANCE[dtype])  # some of cuDNN's algorithms go through other bases, which costs a digit
    finally:
        cudnn.use(None)
