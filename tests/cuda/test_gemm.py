"""Products of matrices by cuBLAS: a stand-in of CuPy's binding checks what is asked for, and computes it on the memory behind the addresses."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

import dezero.cuda
import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.cuda import gemm, precision
from dezero.backend.cuda.launch import counting
from tests.cuda import cublas
from tests.strict import StrictArray, to_strict, xp

TOLERANCE = {"float16": 3e-3, "bfloat16": 2e-2, "float32": 1e-5, "float64": 1e-12}


@pytest.fixture(autouse=True)
def clean(emulated: Any) -> Iterator[None]:
    cublas.calls.clear()
    gemm._of = None
    yield
    gemm._of = None
    precision.tf32 = False


def numbers(*shape: int, dtype: str = "float32") -> StrictArray:
    if dtype == "bfloat16":
        return to_strict(np.random.default_rng(sum(shape)).normal(size=shape).astype(pytest.importorskip("ml_dtypes").bfloat16))
    return to_strict(np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype))


def check(a: StrictArray, b: StrictArray, y: StrictArray, tolerance: float = 1e-5) -> None:
    expected = a.get().astype(np.float64) @ b.get().astype(np.float64)
    assert y.shape == expected.shape and y.dtype == a.dtype
    np.testing.assert_allclose(y.get().astype(np.float64), expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))


def no_copies(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise AssertionError("an operand is copied")
    monkeypatch.setattr(xp, "ascontiguousarray", refuse)


SHAPES = [((3, 4), (4, 5)), ((1, 4), (4, 1)), ((1, 1), (1, 1)), ((33, 70), (70, 41)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)),
          ((3, 4), (2, 4, 5)), ((2, 1, 3, 4), (5, 4, 6)), ((7, 1, 3, 4), (5, 4, 6)), ((2, 3, 1, 4), (2, 3, 4, 1)), ((1, 3, 4), (6, 4, 2)),
          ((4,), (2, 4, 5)), ((2, 3, 4), (4,)), ((5, 1, 2, 3, 4), (1, 6, 1, 4, 2))]


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("a", "b"), SHAPES)
def test_a_product_equals_numpys(a: Any, b: Any, dtype: str) -> None:
    x, w = numbers(*a, dtype=dtype), numbers(*b, dtype=dtype)
    check(x, w, gemm.product(x, w), TOLERANCE[dtype])
    assert cublas.calls


VIEWS = {
    "transposed": (lambda: numbers(4, 3).T, lambda: numbers(5, 4).T, 1),
    "batch transposed": (lambda: numbers(6, 4, 3).swapaxes(-1, -2), lambda: numbers(6, 5, 4).swapaxes(-1, -2), 1),
    "columns of wider matrices": (lambda: numbers(3, 9)[:, 2:6], lambda: numbers(4, 12)[:, 5:10], 1),
    "columns of wider matrices in batches": (lambda: numbers(6, 3, 9)[..., 2:6], lambda: numbers(6, 4, 12)[..., 5:10], 1),
    "transposed columns": (lambda: numbers(4, 9)[:, 2:5].T, lambda: numbers(5, 12)[:, 5:9].T, 1),
    "rows of higher matrices": (lambda: numbers(6, 9, 4)[:, 1:4], lambda: numbers(6, 9, 5)[:, 3:7], 1),
    "every other row": (lambda: numbers(6, 4)[::2], lambda: numbers(8, 5)[1::2], 1),
    "every other matrix": (lambda: numbers(6, 3, 4)[::2], lambda: numbers(3, 4, 5), 1),
    "one row, one column": (lambda: numbers(5, 4)[2:3], lambda: numbers(4, 7)[:, 3:4], 1),
    "a column that is a row of its transpose": (lambda: numbers(4, 3).T[1:2], lambda: numbers(5, 4).T[:, 2:3], 1),
    "heads": (lambda: numbers(2, 7, 3, 4).transpose(0, 2, 1, 3), lambda: numbers(2, 5, 3, 4).transpose(0, 2, 3, 1), 2),
    "heads of few": (lambda: numbers(9, 7, 3, 4).transpose(0, 2, 1, 3), lambda: numbers(9, 5, 3, 4).transpose(0, 2, 3, 1), 3),
    "broadcast": (lambda: numbers(3, 4), lambda: numbers(6, 4, 5), 1),
    "broadcast in the middle": (lambda: numbers(9, 1, 3, 4), lambda: numbers(9, 5, 4, 2), 5),
    "repeated without memory": (lambda: xp.broadcast_to(numbers(3, 4), (6, 3, 4)), lambda: numbers(6, 4, 5), 1),
    "one large product": (lambda: numbers(2, 5, 3, 4), lambda: numbers(4, 6), 1),
    "one large product of parts": (lambda: numbers(10, 3, 9)[..., :4], lambda: numbers(6, 4).T, 1),
}


@pytest.mark.parametrize("name", VIEWS)
def test_views_are_read_where_they_are(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    make_a, make_b, products = VIEWS[name]
    a, b = make_a(), make_b()
    no_copies(monkeypatch)
    with counting() as launches:
        y = gemm.product(a, b)
    check(a, b, y)
    assert launches == {"cublas_gemm": products} and len(cublas.calls) == products


def test_rows_of_many_matrices_by_one_are_one_product() -> None:
    gemm.product(numbers(2, 5, 3, 4), numbers(4, 6))
    call, = cublas.calls
    assert call["single"] and (call["m"], call["n"], call["k"]) == (6, 30, 4)


COPIED = {
    "every other column": (lambda: numbers(3, 8)[:, ::2], lambda: numbers(4, 5)),
    "reversed columns": (lambda: numbers(3, 4)[:, ::-1], lambda: numbers(4, 5)),
    "reversed rows": (lambda: numbers(3, 4)[::-1], lambda: numbers(4, 5)),
    "rows that are one": (lambda: xp.broadcast_to(numbers(1, 4), (3, 4)), lambda: numbers(4, 5)),
    "columns that are one": (lambda: xp.broadcast_to(numbers(3, 1), (3, 4)), lambda: numbers(4, 5)),
    "matrices in reverse": (lambda: numbers(6, 3, 4)[::-1], lambda: numbers(6, 4, 5)),
    "windows": (lambda: xp.lib.stride_tricks.as_strided(numbers(12), (3, 4), (8, 4)), lambda: numbers(4, 5)),
    "many heads": (lambda: numbers(6, 7, 5, 4).transpose(0, 2, 1, 3), lambda: numbers(6, 3, 5, 4).transpose(0, 2, 3, 1)),
    "many broadcasts": (lambda: numbers(66, 1, 3, 4), lambda: numbers(1, 65, 4, 2)),
}


@pytest.mark.parametrize("name", COPIED)
def test_other_views_are_copied_and_right(name: str) -> None:
    make_a, make_b = COPIED[name]
    a, b = make_a(), make_b()
    check(a, b, gemm.product(a, b))
    assert len(cublas.calls) == 1


def test_alpha_beta_and_out() -> None:
    a, b, c = numbers(5, 3, 4), numbers(5, 4, 6), numbers(5, 3, 9)
    before = c.get()
    y = gemm.product(a, b, alpha=-2.0, beta=0.5, out=c[..., 1:7])
    expected = -2 * (a.get() @ b.get()) + 0.5 * before[..., 1:7]
    np.testing.assert_allclose(y.get(), expected, rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(c.get()[..., 0], before[..., 0])
    np.testing.assert_array_equal(c.get()[..., 7:], before[..., 7:])
    with pytest.raises(ValueError, match="rows must be contiguous"):
        gemm.product(a, b, out=numbers(5, 6, 3).swapaxes(1, 2))


def test_out_is_not_read_without_beta() -> None:
    out = xp.full((2, 2), np.nan, np.float32)
    assert gemm.product(numbers(2, 3), numbers(3, 2), out=out) is out and np.isfinite(out.get()).all()


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_half_precision_is_summed_in_float32_and_may_come_out_so(dtype: str) -> None:
    a, b = numbers(2, 3, 4096, dtype=dtype), numbers(2, 4096, 2, dtype=dtype)
    y = gemm.product(a, b, dtype=np.dtype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_allclose(y.get(), a.get().astype(np.float64) @ b.get().astype(np.float64), rtol=1e-4, atol=1e-3)
    assert cublas.calls[-1]["computeType"] == cublas.COMPUTE_32F


def test_no_other_dtype_comes_out() -> None:
    for given, wanted in (("float32", "float64"), ("float32", "float16"), ("float64", "float32"), ("float32", "int32")):
        assert gemm.product(numbers(2, 3, dtype=given), numbers(3, 2, dtype=given), dtype=wanted) is NotImplemented


@pytest.mark.parametrize(("a", "b"), [(numbers(2, 3, dtype="int32"), numbers(3, 2, dtype="int32")), (numbers(2, 3), numbers(3, 2, dtype="float64")),
                                      (numbers(0, 3), numbers(3, 2)), (numbers(2, 0), numbers(0, 2)), (numbers(2, 0, 3), numbers(2, 3, 2)),
                                      (numbers(3), numbers(3)), (numbers(2, 3) > 0, numbers(3, 2) > 0)], ids=str)
def test_what_cublas_does_not_serve_is_cupys(a: Any, b: Any) -> None:
    assert gemm.product(a, b) is NotImplemented
    np.testing.assert_array_equal(kernels_of(xp_module()).matmul(a, b).get(), a.get() @ b.get())


def xp_module() -> Any:
    from tests.cuda import emulator
    return emulator.module


def test_misfits_keep_their_message() -> None:
    with pytest.raises(ValueError, match=r"matmul: a \(2, 3\) float32 and b \(4, 2\) float32: a.shape\[-1\] must equal b.shape\[-2\]"):
        F.matmul(numbers(2, 3), numbers(4, 2))
    with pytest.raises(ValueError, match="must broadcast"):
        F.matmul(numbers(2, 2, 3), numbers(3, 3, 2))
    with pytest.raises(ValueError, match="W is"):
        F.linear(numbers(2, 3), numbers(4, 2))


def test_float32_is_ieee_unless_tf32_is_allowed() -> None:
    a, b = numbers(2, 64), numbers(64, 2)
    exact = gemm.product(a, b).get()
    with dezero.cuda.allow_tf32():
        assert precision.tf32
        rough = gemm.product(a, b).get()
        gemm.product(numbers(2, 2, dtype="float16"), numbers(2, 2, dtype="float16"))
        gemm.product(numbers(2, 2, dtype="float64"), numbers(2, 2, dtype="float64"))
        with dezero.cuda.allow_tf32(False):
            assert not precision.tf32
    assert not precision.tf32
    assert [call["computeType"] for call in cublas.calls] == [68, 77, 68, 70]
    assert 0 < np.abs(rough - exact).max() < 0.1
    dezero.cuda.allow_tf32(True)
    assert precision.tf32
    dezero.cuda.allow_tf32(False)
    assert not precision.tf32


def test_without_the_binding_products_are_cupys_and_the_reason_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(xp.cuda, "cublas")
    a, b = numbers(2, 3, 4), numbers(2, 4, 5)
    check(a, b, kernels_of(xp_module()).matmul(a, b))
    assert not cublas.calls and gemm.reason is not None and "cublas" in gemm.reason and "CuPy's own" in gemm.reason
    check(a, b, F.matmul(a, b).data)
    monkeypatch.undo()
    gemm._of = None
    gemm.product(a, b)
    assert cublas.calls and gemm.reason is None


# -- ops --------------------------------------------------------------------------------------------

OPS: dict[str, tuple[Any, list[tuple[int, ...]], int, int]] = {  # op, shapes, launches forward, launches backward
    "matmul": (F.matmul, [(3, 4), (4, 5)], 1, 2),
    "matmul batched": (F.matmul, [(2, 3, 4), (2, 4, 5)], 1, 2),
    "matmul by one": (F.matmul, [(2, 3, 4), (4, 5)], 1, 2),
    "matmul broadcast": (F.matmul, [(3, 4), (2, 4, 5)], 1, 2),
    "linear": (F.linear, [(3, 4), (4, 5), (5,)], 1, 2),
    "linear without b": (F.linear, [(3, 4), (4, 5)], 1, 2),
    "linear of sequences": (F.linear, [(2, 3, 4), (4, 5), (5,)], 1, 2),
    "tensordot": (lambda a, b: F.tensordot(a, b, 1), [(2, 3, 4), (4, 5, 2)], 1, 2),
    "einsum": (lambda a, b: F.einsum("bhld,bhsd->bhls", a, b), [(2, 3, 4, 5), (2, 3, 6, 5)], 1, 2),
}


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("name", OPS)
def test_ops_go_through_cublas(name: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    op, shapes, forward, backward = OPS[name]
    values = [numbers(*shape, dtype=dtype).get() for shape in shapes]
    found, expected = [Variable(to_strict(v)) for v in values], [Variable(v.astype(np.float64)) for v in values]
    no_copies(monkeypatch)
    with counting() as launches:
        y = op(*found)
    assert launches["cublas_gemm"] == forward
    gy = np.random.default_rng(1).normal(size=y.shape).astype(dtype)
    with counting() as launches:
        F.sum(y * to_strict(gy)).backward()
    assert launches["cublas_gemm"] == backward
    z = op(*expected)
    F.sum(z * gy.astype(np.float64)).backward()
    for mine, theirs in [(y.data, z.data), *((f.grad.data, e.grad.data) for f, e in zip(found, expected, strict=True))]:
        assert mine.dtype == np.dtype(dtype) and mine.shape == theirs.shape
        tolerance = 2 * TOLERANCE[dtype]
        np.testing.assert_allclose(mine.get().astype(np.float64), theirs, rtol=tolerance, atol=tolerance * (1 + np.abs(theirs).max()))


@pytest.mark.parametrize("shapes", [((4,), (4,)), ((4,), (4, 5)), ((3, 4), (4,)), ((4,), (2, 4, 5)), ((2, 3, 4), (4,)), ((0, 4), (4, 5)),
                                    ((2, 0, 4), (4, 5)), ((2, 3, 0), (0, 5))], ids=str)
def test_vectors_and_empty_arrays_have_their_gradients(shapes: Any) -> None:
    found, expected = ([Variable(of(numbers(*s).get())) for s in shapes] for of in (to_strict, np.asarray))
    F.sum(F.matmul(*found)).backward()
    F.sum(F.matmul(*expected)).backward()
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f.grad.data.get(), e.grad.data, rtol=1e-5, atol=1e-6)


def test_second_derivatives_go_through_cublas_too() -> None:
    a, b = Variable(numbers(3, 4)), Variable(numbers(4, 2))
    y = F.matmul(a, b)
    F.sum(y * y).backward(create_graph=True)
    g = a.grad
    b.cleargrad()
    F.sum(g * g).backward()
    A, B = a.data.get().astype(np.float64), b.data.get().astype(np.float64)
    G = 2 * A @ B @ B.T
    np.testing.assert_allclose(b.grad.data.get(), 4 * (G.T @ (A @ B) + A.T @ G @ B), rtol=1e-4, atol=1e-4)
