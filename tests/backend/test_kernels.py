"""Every faster kernel gives what its reference gives. A new override needs a line in ARGUMENTS, and nothing else."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero.backend import as_numpy, kernels_of
from dezero.backend.kernels import OVERRIDES, REFERENCE, override, reference

Draw = Callable[..., Any]  # draw(*shape) gives floats


def convolutions() -> list[Any]:
    """(x, W, stride, pad, dilation, groups): images that are plain, uneven, large, tiny, single-channel, grouped."""
    return [
        ((2, 3, 6, 5), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
        ((2, 3, 7, 8), (4, 3, 3, 2), (2, 3), (1, 2), (1, 1), 1),
        ((1, 2, 9, 8), (3, 2, 2, 3), (1, 2), (2, 0), (3, 2), 1),
        ((2, 2, 5, 5), (3, 2, 2, 2), (1, 1), (3, 3), (1, 1), 1),    # more padding than the kernel reaches
        ((2, 4, 6, 6), (6, 2, 3, 3), (1, 1), (1, 1), (1, 1), 2),
        ((3, 4, 7, 7), (8, 1, 3, 3), (2, 2), (1, 1), (2, 2), 4),
        ((5, 8, 3, 3), (2, 8, 1, 1), (1, 1), (0, 0), (1, 1), 1),
        ((2, 3, 20, 20), (4, 3, 1, 1), (1, 1), (0, 0), (1, 1), 1),
        ((2, 3, 9, 9), (2, 3, 2, 2), (4, 4), (0, 0), (1, 1), 1),    # windows with gaps
        ((9, 1, 12, 12), (16, 1, 5, 5), (1, 1), (2, 2), (1, 1), 1),
        ((1, 64, 48, 48), (2, 64, 3, 3), (1, 1), (1, 1), (1, 1), 1),  # columns that a block does not hold
        ((0, 3, 6, 5), (4, 3, 3, 2), (1, 1), (0, 0), (1, 1), 1),
        ((0, 4, 6, 5), (4, 2, 3, 2), (1, 1), (0, 0), (1, 1), 2),
    ]


def forward(draw: Draw) -> list[Any]:
    return [(draw(*x), draw(*W), draw(W[0]) if i % 2 else None, *rest) for i, (x, W, *rest) in enumerate(convolutions())]


def backward_x(draw: Draw) -> list[Any]:
    return [(draw(*gy_shape(x, W, *rest)), draw(*W), x[2:], *rest) for x, W, *rest in convolutions()]


def backward_w(draw: Draw) -> list[Any]:
    return [(draw(*x), draw(*gy_shape(x, W, *rest)), W[2:], *rest) for x, W, *rest in convolutions()]


def gy_shape(x: Any, W: Any, stride: Any, pad: Any, dilation: Any, groups: int) -> Any:
    out = ((n + 2 * p - d * (k - 1) - 1) // s + 1 for n, k, s, p, d in zip(x[2:], W[2:], stride, pad, dilation, strict=True))
    return x[0], W[0], *out


def pools(draw: Draw, with_ties: bool = True) -> list[Any]:
    """(x, kernel, stride, pad)."""
    cases = [((2, 3, 6, 5), (2, 2), (2, 2), (0, 0)), ((1, 2, 7, 6), (3, 2), (2, 1), (1, 1)), ((2, 2, 7, 7), (2, 2), (3, 3), (1, 0)),
             ((2, 2, 4, 4), (4, 4), (4, 4), (0, 0)), ((3, 40, 31, 31), (3, 3), (1, 1), (2, 2)), ((0, 2, 4, 4), (2, 2), (2, 2), (0, 0))]
    return [(np.round(draw(*x)) if with_ties else draw(*x), *rest) for x, *rest in cases]


def maxima(draw: Draw, of_output: bool) -> list[Any]:
    """(gy or v, x, y, kernel, stride, pad)."""
    rows = []
    for x, *windows in pools(draw):
        y = REFERENCE["max_pool2d"](np, x, *windows)
        rows.append((draw(*(y if of_output else x).shape), x, y, *windows))
    return rows


def means(draw: Draw) -> list[Any]:
    return [(draw(*REFERENCE["avg_pool2d"](np, x, *windows).shape), x.shape[2:], *windows) for x, *windows in pools(draw, False)]


def choices(draw: Draw) -> list[Any]:
    large = draw(60, 50)
    return [(large > 0, large, 0.0), (large > 0, 1.5, large), (large > 0, large, -large), (large[:2] > 0, large[:2], large[1:3]),
            (large > 0, draw(50), draw(60, 1))]


def sums(draw: Draw) -> list[Any]:
    return [(draw(4, 5, 6), axes) for axes in [(0,), (1,), (2,), (0, 2), (1, 2), (0, 1, 2)]] + [(draw(3, 4).T, (1,))]


def writes(draw: Draw) -> list[Any]:
    rows = np.array([2, 0, 2, 3])
    return [(draw(5, 3), rows, draw(4, 3)), (draw(5, 3), (slice(1, 3), 0), draw(2)), (draw(5, 3), (rows, rows % 3), draw(4))]


def additions(draw: Draw) -> list[Any]:
    places = np.array([3, 0, 3, 3, 1])
    none = places[:0]
    return [(0 * draw(4, d), places, draw(5, d)) for d in (1, 3)] + [(0 * draw(2, 2, 3), places, draw(5, 3)), (0 * draw(3, 2), none, draw(0, 2))]


def rows_of(draw: Draw) -> list[Any]:
    """(x, axis): short rows, long ones, columns, several axes, other strides, none."""
    return [(draw(5, 4), 1), (draw(5, 4), -1), (draw(5, 4), 0), (draw(2, 3, 4), -1), (draw(2, 3, 4), (0, 2)), (draw(2, 600), 1), (draw(4, 5).T, 1),
            (draw(4), -1), (draw(0, 4), 1)]


def optimizer_steps(n: int, *rest: Any) -> Callable[[Draw], list[Any]]:
    """p, g and ``n`` arrays of state that are not negative, of small, 0-d, empty and large shapes and of other orders; then numbers."""
    def arguments(draw: Draw) -> list[Any]:
        rows = []
        for shape in ((3, 4), (), (0, 2), (300, 300)):
            rows.append((draw(*shape), draw(*shape), *(abs(draw(*shape)) for _ in range(n)), *rest))
        rows.append((draw(300, 300).T, draw(300, 300).T, *(abs(draw(300, 300)) for _ in range(n)), *rest))
        return [tuple(np.asarray(a, rows[0][0].dtype) if isinstance(a, np.generic) else a for a in row) for row in rows]
    return arguments


ARGUMENTS: dict[str, Callable[[Draw], list[Any]]] = {
    "conv2d": forward,
    "conv2d_grad_x": backward_x,
    "conv2d_grad_w": backward_w,
    "max_pool2d": pools,
    "max_pool2d_grad": lambda draw: maxima(draw, True),
    "max_pool2d_pick": lambda draw: maxima(draw, False),
    "avg_pool2d": lambda draw: pools(draw, False),
    "avg_pool2d_grad": means,
    "select": choices,
    "axis_max": rows_of,
    "axis_sum": rows_of,
    "cross_entropy": lambda draw: [(draw(4, 5), np.array([0, 4, 2, 2]), None), (draw(4, 5), np.array([0, 4, 2, 2]), draw(5)),
                                   (draw(5, 4).T, np.array([0, 4, 2, 2]), None), (draw(3, 70), np.array([0, 69, 5]), None)],
    "ones": lambda draw: [(5, draw(1).dtype), (0, draw(1).dtype)],
    "sum_over": sums,
    "dot_over": lambda draw: [(x, draw(*x.shape), axes) for x, axes in sums(draw)],
    "sgd_step": optimizer_steps(0, 0.1),
    "momentum_step": optimizer_steps(1, 0.1, 0.9, True),
    "adagrad_step": optimizer_steps(1, 0.1, 1e-3),
    "adadelta_step": optimizer_steps(2, 1.0, 0.9, 1e-3),
    "rmsprop_step": optimizer_steps(3, 0.1, 0.9, 1.0, 0.9),
    "adam_step": optimizer_steps(2, 0.9, 0.99, 0.999, 0.1, 0.01, 1e-3),
    "lion_step": optimizer_steps(1, 0.1, 0.9, 0.99, 0.999),
    "add_scaled": optimizer_steps(0, 0.1),
    "square_sum": lambda draw: [(draw(3, 4),), (draw(3, 4).T,), (draw(3, 4)[:, ::2],), (draw(0),)],
    "all_finite": lambda draw: [(draw(3, 4),), (draw(2) + np.inf,), (draw(0),)],
    "scatter_add": additions,
    "write_at": writes,
}
TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "float16": 4e-3}
OVERRIDDEN = [(module, name) for module in OVERRIDES for name in OVERRIDES[module]]


def to(module: Any, x: Any) -> Any:
    """Arrays, alone or in a tuple, as arrays of the module."""
    if isinstance(x, tuple):
        return tuple(to(module, a) for a in x)
    return module.asarray(x) if isinstance(x, np.ndarray) else x


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize(("module", "name"), [pytest.param(m, n, marks=[] if m == "numpy" else [pytest.mark.gpu]) for m, n in OVERRIDDEN])
def test_override_equals_reference(module: str, name: str, dtype: str) -> None:
    xp = importlib.import_module(module)
    rng = np.random.default_rng(0)
    for arguments in ARGUMENTS[name](lambda *shape: rng.uniform(-2, 2, shape).astype(dtype)):
        ours, theirs = copy.deepcopy(arguments), copy.deepcopy(arguments)
        ours = to(xp, ours)
        found = getattr(kernels_of(xp), name)(*ours)
        expected = REFERENCE[name](np, *theirs)
        compare(found, expected, TOLERANCE[dtype])
        compare(ours, theirs, TOLERANCE[dtype])  # a kernel may work in place


def compare(found: Any, expected: Any, tolerance: float) -> None:
    if isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e, tolerance)
    elif isinstance(expected, np.ndarray):
        found = as_numpy(found)
        assert found.dtype == expected.dtype
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * (1 + np.abs(expected).max(initial=0)))
    else:
        assert found == expected


def test_every_override_is_compared_and_has_a_reference() -> None:
    names = {name for _, name in OVERRIDDEN}
    assert names - set(REFERENCE) == set()
    assert names - set(ARGUMENTS) == set(), "give arguments for these in ARGUMENTS"


@pytest.mark.parametrize("name", REFERENCE)
def test_every_kernel_states_its_contract(name: str) -> None:
    assert REFERENCE[name].__doc__


def test_the_reference_convolution_is_one_product_of_the_column_buffer_to_the_bit() -> None:
    rng = np.random.default_rng(1)
    x, W = rng.normal(size=(2, 5, 9, 8)).astype(np.float32), rng.normal(size=(4, 5, 3, 3)).astype(np.float32)
    b = rng.normal(size=4).astype(np.float32)
    col = F.im2col(x, 3, 2, 1, to_matrix=False).data
    expected = np.moveaxis(np.tensordot(col, W, ((1, 2, 3), (1, 2, 3))) + b, 3, 1)
    np.testing.assert_array_equal(REFERENCE["conv2d"](np, x, W, b, (2, 2), (1, 1), (1, 1), 1), expected)
    assert np.abs(F.conv2d(x, W, b, 2, 1).data - expected).max() <= 2e-5


def test_a_kernel_that_comes_later_joins_the_tables_in_use(monkeypatch: pytest.MonkeyPatch) -> None:
    for table in (REFERENCE, OVERRIDES["numpy"]):
        monkeypatch.delitem(table, "twice_for_test", raising=False)

    def twice_for_test(xp: Any, x: Any) -> Any: return xp.add(x, x)
    kernels = kernels_of(np)
    try:
        reference(twice_for_test)
        assert kernels.twice_for_test(3) == 6

        def faster(x: Any) -> Any: return 2 * x
        faster.__name__ = "twice_for_test"
        override("numpy")(faster)
        assert kernels.twice_for_test is faster
    finally:
        REFERENCE.pop("twice_for_test", None)
        OVERRIDES["numpy"].pop("twice_for_test", None)
        del kernels.twice_for_test
