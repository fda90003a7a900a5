"""Every faster kernel gives what its reference gives. A new override needs a line in ARGUMENTS, and nothing else."""

from __future__ import annotations

import copy
import importlib
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.backend.cuda  # noqa: F401  (its kernels enter themselves into OVERRIDES)
import dezero.functions as F
from dezero.backend import as_numpy, kernels_of
from dezero.backend.kernels import OVERRIDES, REFERENCE, override, reference
from dezero.backend.together import Batch

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


def norms(draw: Draw) -> list[Any]:
    """(x, gamma, beta, axes, eps, centred) of 32 or 64 bits: layer, RMS, group and batch norm, without parameters, other axes."""
    def full(*shape: int) -> Any:
        x = draw(*shape)
        return x.astype(np.result_type(x, np.float32))
    cases = [((4, 6), (1, 6), (1,), True), ((4, 6), (1, 6), (1,), False), ((2, 3, 4, 5), (1, 3, 4, 1), (2, 3), True),
             ((5, 3, 4), (1, 3, 1), (0, 2), True), ((5, 3, 1), (1, 3, 1), (0, 2), True), ((4, 6), None, (0,), True),
             ((3, 2, 4), (3, 1, 4), (0, 2), True)]
    return [(full(*x), None if p is None else full(*p), None if p is None else full(*p), axes, 0.1, centred) for x, p, axes, centred in cases]


def norm_grads(draw: Draw) -> list[Any]:
    """(gy, x, gamma, mean, rstd, axes, per, needs)."""
    rows = []
    for x, gamma, _, axes, eps, centred in norms(draw):
        _, mean, _, rstd = REFERENCE["normalize"](np, x.copy(), gamma, None, axes, eps, centred)
        per = gamma.shape if gamma is not None else x.shape
        for both in {gamma is not None, False}:
            rows.append((draw(*x.shape).astype(x.dtype), x, gamma, mean, rstd, axes, per, (True, both, both)))
    return rows


def columns(draw: Draw) -> list[Any]:
    """(x, kernel, stride, pad, dilation)."""
    return [(draw(2, 3, 6, 5), (2, 3), (1, 2), (1, 0), (1, 1)), (draw(1, 2, 9, 8), (3, 2), (2, 1), (2, 2), (2, 3)),
            (draw(2, 1, 4, 4), (1, 1), (3, 3), (0, 0), (1, 1)), (draw(0, 2, 4, 4), (2, 2), (2, 2), (0, 0), (1, 1))]


def attentions(draw: Draw) -> list[Any]:
    """(q, k, v, bias, keep, scale) of 32 or 64 bits: plain, in batches, with broadcasts, masks and weights that are dropped."""
    def full(*shape: int) -> Any:
        x = draw(*shape)
        return x.astype(np.result_type(x, np.float32))
    rows = [(full(3, 4), full(5, 4), full(5, 2), None, None, 0.5), (full(2, 3, 4), full(2, 5, 4), full(2, 5, 2), full(3, 5), None, 1.5),
            (full(2, 1, 3, 4), full(1, 5, 4), full(5, 2), full(5), 2 * (full(2, 1, 3, 5) > 0), 0.5),
            (full(0, 3, 4), full(5, 4), full(5, 2), None, None, 1.0)]
    rows[1][3][1] = rows[2][3][2] = -np.inf
    return [(q, k, v, bias, None if keep is None else keep.astype(q.dtype), scale) for q, k, v, bias, keep, scale in rows]


def attention_grads(draw: Draw) -> list[Any]:
    """(gy, q, k, v, keep, y, p, scale, needs)."""
    rows: list[Any] = []
    for q, k, v, bias, keep, scale in attentions(draw):
        y, p = REFERENCE["attend"](np, q, k, v, bias, keep, scale)
        rows += [(draw(*y.shape).astype(y.dtype), q, k, v, keep, y, p, scale, needs) for needs in ((True,) * 4, (True, False, False, False))]
    return rows


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


def scores(draw: Draw) -> list[Any]:
    """(e, s, places, a, total): numbers for each row, for all rows, many classes, no row."""
    rows: list[Any] = []
    for shape, labels in (((4, 5), [0, 4, 2, 2]), ((3, 70), [0, 69, 5]), ((0, 3), [])):
        _, _, e, s, places = REFERENCE["cross_entropy"](np, draw(*shape), np.array(labels, int), None)
        n = len(labels)
        rows += [(e, s, places, draw(n).astype(e.dtype), draw(n, 1).astype(e.dtype)), (e, s, places, *(np.array(v, e.dtype) for v in (0.25, 0.5)))]
    return rows


def optimizer_steps(n: int, *rest: Any) -> Callable[[Draw], list[Any]]:
    """p, g and ``n`` arrays of state that are not negative, of small, 0-d, empty and large shapes and of other orders; then numbers.

    Of 32 or 64 bits: for half precision there are masters.
    """
    def arguments(draw: Draw) -> list[Any]:
        rows = []
        for shape in ((3, 4), (), (0, 2), (300, 300)):
            rows.append((draw(*shape), draw(*shape), *(abs(draw(*shape)) for _ in range(n)), *rest))
        rows.append((draw(300, 300).T, draw(300, 300).T, *(abs(draw(300, 300)) for _ in range(n)), *rest))
        wide = np.result_type(rows[0][0], np.float32)
        return [tuple(np.asarray(a, wide, order="K") if isinstance(a, (np.generic, np.ndarray)) else a for a in row) for row in rows]
    return arguments


def sequence(draw: Draw, gates: int, states: int) -> tuple[Any, ...]:
    """x, the states, Wx, Wh and biases of 32 or 64 bits, for three steps."""
    shapes = [(3, 2, 4), *[(2, 5)] * states, (4, 5 * gates), (5, 5 * gates), (5 * gates,), *[(5 * gates,)] * (gates == 3)]
    return tuple(a.astype(np.result_type(a, np.float32)) for a in (draw(*shape) for shape in shapes))


def sequence_grads(draw: Draw, kind: str, gates: int, states: int) -> tuple[Any, ...]:
    """What the kernel of the gradients takes."""
    args = sequence(draw, gates, states)
    found = REFERENCE[f"{kind}_forward"](np, *args)
    results = found if isinstance(found, tuple) else (found,)
    ends = [draw(*a.shape).astype(a.dtype) for a in (results[0], *args[1:1 + states])]
    return (*ends, *args[:3 + states], *results, (True,) * 7)


def many(draw: Draw) -> tuple[Any, ...]:
    """Arrays of several shapes, one of them large."""
    return tuple(np.asarray(draw(*shape), draw(1).dtype) for shape in ((3, 4), (), (0, 2), (90, 70)))


def batches(draw: Draw) -> list[Any]:
    """(name, batch, gradients, decay, numbers), of which those of half precision have masters."""
    ps, half = many(draw), draw(1).dtype == np.float16
    masters = tuple(p.astype(np.float32) for p in ps) if half else None

    def state() -> Any:
        return tuple(np.asarray(abs(a), np.float32 if half else a.dtype) for a in many(draw))
    return [("adam_step", Batch(ps, (state(), state()), masters), many(draw), 0.1, (0.9, 0.99, 0.999, 0.1, 0.01, 1e-3)),
            ("rmsprop_step", Batch(ps, (state(), None, state()), masters), many(draw), 0.0, (0.1, 0.9, 1.0, 0.9)),
            ("sgd_step", Batch((), ()), (), 0.0, (0.1,))]


ARGUMENTS: dict[str, Callable[[Draw], list[Any]]] = {
    "conv2d": forward,
    "conv2d_grad_x": backward_x,
    "conv2d_grad_w": backward_w,
    "max_pool2d": pools,
    "max_pool2d_grad": lambda draw: maxima(draw, True),
    "max_pool2d_pick": lambda draw: maxima(draw, False),
    "avg_pool2d": lambda draw: pools(draw, False),
    "avg_pool2d_grad": means,
    "matmul": lambda draw: [(draw(3, 4), draw(4, 5)), (draw(2, 3, 4), draw(5, 4).T), (draw(3, 2, 1, 4), draw(2, 4, 3)), (draw(4), draw(2, 4, 3)),
                            (draw(0, 4), draw(4, 2)), (draw(2, 3, 0), draw(0, 2))],
    "attend": attentions,
    "attend_grads": attention_grads,
    "select": choices,
    "axis_max": rows_of,
    "axis_sum": rows_of,
    "cross_entropy": lambda draw: [(draw(4, 5), np.array([0, 4, 2, 2]), None), (draw(4, 5), np.array([0, 4, 2, 2]), draw(5)),
                                   (draw(5, 4).T, np.array([0, 4, 2, 2]), None), (draw(3, 70), np.array([0, 69, 5]), None)],
    "softmax": rows_of,
    "log_softmax": rows_of,
    "cross_entropy_grad": scores,
    "ones": lambda draw: [(5, draw(1).dtype), (0, draw(1).dtype)],
    "erf": lambda draw: [(draw(3, 4),), (3 * draw(50, 40).T,), (draw(0),)],
    "random_words": lambda draw: [(n, 7, 3) for n in (0, 1, 300)],
    "random_uniform": lambda draw: [(shape, draw(1).dtype, 7, 3) for shape in ((), (0, 2), (3, 5), (9000,))],
    "random_mask": lambda draw: [(shape, 0.3, draw(1).dtype, 7, 3) for shape in ((), (0, 2), (3, 5), (40_000,))],
    "dropout": lambda draw: [(draw(*shape), 0.3, 7, 3) for shape in ((0, 2), (3, 5), (90, 100))] + [(draw(30, 40).T, 0.3, 7, 3)],
    "sum_over": sums,
    "in_dtype": lambda draw: [(draw(1).dtype, draw(2, 3), None)],
    "normalize": norms,
    "normalize_grads": norm_grads,
    "im2col": columns,
    "col2im": lambda draw: [(draw(*REFERENCE["im2col"](np, x, *rest).shape), x.shape[2:], *rest[1:]) for x, *rest in columns(draw)],
    "dot_over": lambda draw: [(x, draw(*x.shape), axes) for x, axes in sums(draw)],
    "sgd_step": optimizer_steps(0, 0.1),
    "momentum_step": optimizer_steps(1, 0.1, 0.9, True),
    "adagrad_step": optimizer_steps(1, 0.1, 1e-3),
    "adadelta_step": optimizer_steps(2, 1.0, 0.9, 1e-3),
    "rmsprop_step": lambda draw: optimizer_steps(3, 0.1, 0.9, 1.0, 0.9)(draw) + [
        (draw(3, 4), draw(3, 4), abs(draw(3, 4)), mean, velocity, 0.1, 0.9, 1.0, 0.9 if velocity is not None else 0.0)
        for mean, velocity in ((None, None), (draw(3, 4) / 9, None), (None, draw(3, 4)))],
    "adam_step": optimizer_steps(2, 0.9, 0.99, 0.999, 0.1, 0.01, 1e-3),
    "lion_step": optimizer_steps(1, 0.1, 0.9, 0.99, 0.999),
    "add_scaled": optimizer_steps(0, 0.1),
    "square_sum": lambda draw: [(draw(3, 4),), (draw(3, 4).T,), (draw(3, 4)[:, ::2],), (draw(0),)],
    "all_finite": lambda draw: [(draw(3, 4),), (draw(2) + np.inf,), (draw(0),)],
    "step_together": batches,
    "take_over": lambda draw: [(draw(3, 4).astype(np.float32), draw(3, 4).astype(np.float16))],
    "add_scaled_together": lambda draw: [(many(draw), many(draw), 0.1)],
    "clip_together": lambda draw: [(many(draw), 0.5)],
    "square_sum_together": lambda draw: [(many(draw),), ((),)],
    "clip_norm_together": lambda draw: [(many(draw), 1.0), (many(draw), 1e9)],
    "finite_together": lambda draw: [(many(draw),), ((),)],
    "unscale_together": lambda draw: [(many(draw), 0.125)],
    "joined_places": lambda draw: [((np.array([1, -2, 0]),), (4,)), ((np.array([[1], [-2]]), np.array([0, 2, -1])), (4, 3))],
    "rnn_forward": lambda draw: [sequence(draw, 1, 1)],
    "rnn_backward": lambda draw: [sequence_grads(draw, "rnn", 1, 1)],
    "lstm_forward": lambda draw: [sequence(draw, 4, 2)],
    "lstm_backward": lambda draw: [sequence_grads(draw, "lstm", 4, 2)],
    "gru_forward": lambda draw: [sequence(draw, 3, 1)],
    "gru_backward": lambda draw: [sequence_grads(draw, "gru", 3, 1)],
    "scatter_add": additions,
    "write_at": writes,
}
TOLERANCE = {"float64": 1e-12, "float32": 2e-5, "float16": 4e-3}
OVERRIDDEN = [(module, name) for module in ("numpy", "cupy") for name in OVERRIDES[module]]


def to(module: Any, x: Any) -> Any:
    """Arrays, alone, in a tuple or in a batch, as arrays of the module."""
    if isinstance(x, Batch):
        return Batch(to(module, x.ps), to(module, x.states), to(module, x.masters))
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
    if isinstance(expected, Batch):
        for name in ("ps", "states", "masters"):
            compare(getattr(found, name), getattr(expected, name), tolerance)
    elif isinstance(expected, (tuple, list)):
        assert len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e, tolerance)
    elif isinstance(expected, np.ndarray):
        found = as_numpy(found)
        assert found.dtype == expected.dtype
        largest = np.abs(expected[np.isfinite(expected)]).max(initial=0)
        np.testing.assert_allclose(found, expected, rtol=tolerance, atol=tolerance * (1 + largest))
    elif isinstance(expected, float):
        assert float(found) == pytest.approx(expected, rel=tolerance)
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
