"""Attention on the emulated device: its products are cuBLAS's, all between them is one launch, and the results are the reference's."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.attention import attention_bias
from dezero.backend.cuda import gemm
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict, xp

pytestmark = pytest.mark.usefixtures("emulated")
TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-12}


@pytest.fixture(autouse=True)
def fresh() -> None:
    gemm._of = None


def dtype_of(name: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def draw(seed: int, *shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype_of(dtype))


def close(found: Any, expected: Any, tolerance: float) -> None:
    if expected is None:
        assert found is None
        return
    assert isinstance(found, StrictArray) and found.shape == expected.shape
    np.testing.assert_allclose(found.get().astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


# Shapes of q, k, v and of the mask (or None): short rows, rows longer than a block, one element, batches, heads, broadcasts.
SHAPES: list[tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], tuple[int, ...] | None]] = [
    ((3, 2), (4, 2), (4, 3), None), ((1, 1), (1, 1), (1, 1), None), ((2, 3, 2), (2, 4, 2), (2, 4, 2), (3, 4)), ((5, 8), (300, 8), (300, 3), (300,)),
    ((2, 3, 5, 4), (2, 3, 37, 4), (2, 3, 37, 6), (2, 1, 1, 37)), ((2, 3, 5, 4), (2, 3, 37, 4), (2, 3, 37, 6), (1, 3, 5, 37)),
    ((5, 4), (6, 4), (6, 2), (2, 3, 5, 6)), ((2, 1, 2, 2), (1, 3, 2), (2, 1, 3, 1), None), ((2, 3, 2, 2), (3, 2), (3, 5), (2, 3, 1, 1)),
    ((2, 2, 2, 3, 2), (2, 2, 2, 4, 2), (2, 2, 2, 4, 2), (2, 1, 2, 3, 4)), ((1100, 2), (33, 2), (33, 2), None),
]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("shapes", SHAPES, ids=str)
@pytest.mark.parametrize("dropped", [False, True], ids=["whole", "dropped"])
def test_kernels_equal_their_references(shapes: Any, dtype: str, dropped: bool) -> None:
    q, k, v = (draw(i, *shape, dtype=dtype) for i, shape in enumerate(shapes[:3]))
    bias = None if shapes[3] is None else draw(3, *shapes[3], dtype=dtype)
    if bias is not None:
        bias[bias > 0.8] = -np.inf
    lead = np.broadcast_shapes(q.shape[:-2], k.shape[:-2], () if bias is None else bias.shape[:-2])
    keep = (draw(4, *lead, q.shape[-2], k.shape[-2]) > 0).astype(q.dtype) * q.dtype.type(2) if dropped else None
    wide = [None if x is None else x.astype(np.float64) for x in (q, k, v, bias, keep)]
    on_device = [to_strict(x) for x in (q, k, v, bias, keep)]
    kernels = kernels_of(__import__("tests.cuda.emulator", fromlist=["module"]).module)
    with counting() as launches:
        y, p = kernels.attend(*on_device, 0.7)
    assert launches["dezero_attention"] == 1 and sum(launches.values()) == 1 + launches["cublas_gemm"]
    ey, ep = REFERENCE["attend"](np, *wide, 0.7)
    close(y, ey, TOLERANCE[dtype])
    close(p, ep, TOLERANCE[dtype])
    assert y.dtype == p.dtype == q.dtype
    gy = draw(5, *y.shape, dtype=dtype)
    for needs in ((True,) * 4, (True, False, False, False), (False, False, True, False), (False, True, True, False)):
        found = kernels.attend_grads(to_strict(gy), *on_device[:3], on_device[4], y, p, 0.7, needs)
        expected = REFERENCE["attend_grads"](np, gy.astype(np.float64), *wide[:3], wide[4], ey, ep, 0.7, needs)
        for f, e in zip(found, expected, strict=True):
            close(f, e, 4 * TOLERANCE[dtype])


CALLS: dict[str, tuple[Any, Any]] = {  # heads cut out of (N, L, H E), as the layer does; mask and options
    "plain": (None, {}),
    "causal": (None, {"causal": True}),
    "mask": (np.arange(2 * 5 * 7).reshape(2, 1, 5, 7) % 3 > 0, {}),
    "causal mask of keys": ((np.arange(7) % 3 > 0)[None, None, None], {"causal": True}),
    "mask of nothing": (np.zeros((5, 7), bool), {}),
    "scale": (None, {"scale": 0.1}),
}


def heads(x: Any, n: int) -> Any:
    N, L, E = x.shape
    return x.reshape(N, L, n, E // n).transpose(0, 2, 1, 3)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("name", CALLS)
def test_the_op_is_two_products_and_a_launch_forward_and_four_and_a_launch_backward(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mask, options = CALLS[name]
    values = [draw(i, 2, n, 12, dtype=dtype) for i, n in enumerate((5, 7, 7))]
    found, expected = ([Variable(of(v)) for v in values] for of in (to_strict, lambda v: v.astype(np.float64)))

    def refuse(*args: Any) -> Any:
        raise AssertionError("an array is copied")
    monkeypatch.setattr(xp, "ascontiguousarray", refuse)
    with counting() as launches:
        y = F.scaled_dot_product_attention(*(heads(x, 3) for x in found), None if mask is None else to_strict(mask), **options)
    assert launches == {"cublas_gemm": 4, "dezero_attention": 1}  # two products for each image, as heads lie between the positions
    z = F.scaled_dot_product_attention(*(heads(x, 3) for x in expected), mask, **options)
    gy = draw(9, *y.shape, dtype=dtype)
    with counting() as launches:
        F.sum(y * to_strict(gy)).backward()
    assert launches["dezero_attention_grad"] == 1 and launches["cublas_gemm"] == 7  # that for v has none of these heads
    F.sum(z * gy.astype(np.float64)).backward()
    close(y.data, z.data, TOLERANCE[dtype])
    for f, e in zip(found, expected, strict=True):
        assert f.grad.data.dtype == dtype_of(dtype)
        close(f.grad.data, e.grad.data, 4 * TOLERANCE[dtype])


def test_contiguous_heads_are_one_product_each() -> None:
    q, k, v = (Variable(to_strict(draw(i, 2, 3, 5, 4))) for i in range(3))
    with counting() as launches:
        y = F.scaled_dot_product_attention(q, k, v, causal=True)
    assert launches == {"cublas_gemm": 2, "dezero_attention": 1}
    with counting() as launches:
        F.sum(y).backward()
    assert launches["cublas_gemm"] == 4 and launches["dezero_attention_grad"] == 1


@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_float_mask_has_a_gradient(dtype: str) -> None:
    values = [draw(0, 2, 3, 4, dtype=dtype), draw(1, 2, 5, 4, dtype=dtype), draw(2, 2, 5, 4, dtype=dtype), draw(3, 3, 5, dtype=dtype)]
    found, expected = ([Variable(of(v)) for v in values] for of in (to_strict, lambda v: v.astype(np.float64)))
    gy = draw(4, 2, 3, 4, dtype=dtype)
    F.sum(F.scaled_dot_product_attention(*found) * to_strict(gy)).backward()
    F.sum(F.scaled_dot_product_attention(*expected) * gy.astype(np.float64)).backward()
    for f, e in zip(found, expected, strict=True):
        close(f.grad.data, e.grad.data, 4 * TOLERANCE[dtype])


def test_a_wider_mask_widens_the_result() -> None:
    q, k, v = (draw(i, 3, 4, dtype="float16") for i in range(3))
    mask = draw(3, 3, 3, dtype="float32")
    y = F.scaled_dot_product_attention(*map(to_strict, (q, k, v, mask)))
    z = F.scaled_dot_product_attention(q, k, v, mask)
    assert y.dtype == z.dtype == np.float32
    close(y.data, z.data, 1e-5)


@pytest.mark.seeds
@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_dropout_drops_the_same_weights_as_on_the_host(dtype: str) -> None:
    values = [draw(i, 2, 3, 6, 4, dtype=dtype) for i in range(3)]
    results = []
    for of in (to_strict, np.asarray):
        np.random.seed(0)
        xs = [Variable(of(v)) for v in values]
        y = F.scaled_dot_product_attention(*xs, dropout_ratio=0.4)
        F.sum(y * y).backward()
        results.append([y.data, *(x.grad.data for x in xs)])
    for found, expected in zip(*results, strict=True):
        close(found, expected.astype(np.float64), 5 * TOLERANCE[dtype])


@pytest.mark.parametrize("where", ["q", "k", "v", "mask"])
def test_nan_and_infinity_go_where_the_reference_lets_them(where: str) -> None:
    for bad, causal in itertools.product((np.nan, np.inf), (False, True)):
        arrays = {"q": draw(0, 3, 2), "k": draw(1, 4, 2), "v": draw(2, 4, 2), "mask": draw(3, 3, 4)}
        arrays[where][1, 1] = bad
        with np.errstate(invalid="ignore"):
            bias = attention_bias(np, arrays["mask"], causal, 3, 4, np.dtype("float32"))
            expected = REFERENCE["attend"](np, arrays["q"], arrays["k"], arrays["v"], bias, None, 1.0)[0]
        y = F.scaled_dot_product_attention(*(to_strict(a) for a in arrays.values()), causal=causal, scale=1.0)
        np.testing.assert_allclose(y.data.get(), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shapes", [((0, 2), (4, 2), (4, 3)), ((2, 3, 2), (2, 0, 2), (2, 0, 2)), ((0, 3, 2), (0, 4, 2), (0, 4, 2)),
                                    ((3, 0), (4, 0), (4, 2))], ids=str)
def test_empty_arrays_launch_nothing(shapes: Any) -> None:
    arrays = [draw(i, *shape) for i, shape in enumerate(shapes)]
    with counting() as launches:
        y = F.scaled_dot_product_attention(*map(to_strict, arrays), scale=1.0)
    np.testing.assert_array_equal(y.data.get(), F.scaled_dot_product_attention(*arrays, scale=1.0).data)
    assert not launches["dezero_attention"]


def test_misfits_keep_their_message() -> None:
    q, k = to_strict(draw(0, 3, 2)), to_strict(draw(1, 4, 3))
    with pytest.raises(ValueError, match=r"q.shape\[-1\] must equal k.shape\[-1\]"):
        F.scaled_dot_product_attention(q, k, k)
    with pytest.raises(ValueError, match="scaled_dot_product_attention"):
        F.scaled_dot_product_attention(to_strict(draw(0, 2, 3, 2)), to_strict(draw(1, 3, 4, 2)), to_strict(draw(1, 3, 4, 2)))


def test_without_cublas_it_is_still_one_launch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(xp.cuda, "cublas")
    q, k, v = (draw(i, 2, 5, 4) for i in range(3))
    with counting() as launches:
        y = F.scaled_dot_product_attention(*map(to_strict, (q, k, v)), causal=True)
    assert launches == {"dezero_attention": 1}
    close(y.data, F.scaled_dot_product_attention(q, k, v, causal=True).data, 1e-5)
    monkeypatch.undo()
    gemm._of = None
