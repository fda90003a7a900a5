"""Recurrent networks on the emulated device: the host's sequences and gradients, one product and one launch for each step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.cuda import rnn as kernels
from dezero.backend.cuda.launch import counting
from dezero.backend.kernels import REFERENCE
from tests.strict import StrictArray, to_strict

pytestmark = pytest.mark.usefixtures("emulated")

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
STATES = {"rnn": 1, "lstm": 2, "gru": 1}
SIZES = [(3, 2, 4, 5), (1, 3, 2, 1), (2, 5, 3, 67), (0, 2, 3, 4), (4, 0, 3, 2), (2, 2, 0, 3)]  # T, N, I, H
TOLERANCE = {"float64": 1e-11, "float32": 2e-5}
kinds = pytest.mark.parametrize("kind", GATES)


def arguments(kind: str, sizes: Any, dtype: Any, bias: bool = True) -> list[Any]:
    """x, the states before the first step, Wx, Wh and the biases."""
    rng = np.random.default_rng(0)
    T, N, I, H = sizes
    G = GATES[kind] * H
    shapes: list[Any] = [(T, N, I), *[(N, H)] * STATES[kind], (I, G), (H, G)]
    arrays = [rng.normal(size=s).astype(dtype) for s in shapes]
    biases = [rng.normal(size=G).astype(dtype) if bias else None for _ in range(2 if kind == "gru" else 1)]
    return [*arrays, *biases]


def strange(a: Any) -> Any:
    """The same numbers, not contiguous."""
    return None if a is None else np.repeat(a, 2, -1)[..., ::2] if a.ndim < 2 else np.asfortranarray(a)


def on_device(arrays: Any) -> list[Any]:
    return [None if a is None else StrictArray(a.copy(order="K") if a.flags.f_contiguous else a) for a in arrays]


def both(kind: str, name: str, *args: Any, module: Any, given: Any = None) -> tuple[Any, Any]:
    """What the reference gives, and the device."""
    expected = REFERENCE[f"{kind}_{name}"](np, *args)
    found = getattr(kernels_of(module), f"{kind}_{name}")(*[StrictArray(a) if isinstance(a, np.ndarray) else a for a in args])
    return expected, found


def same(found: Any, expected: Any, dtype: str) -> None:
    if not isinstance(expected, tuple):
        found, expected = (found,), (expected,)
    assert len(found) == len(expected)
    for f, e in zip(found, expected, strict=True):
        assert (f is None) == (e is None)
        if e is not None:
            assert f.dtype == e.dtype and f.shape == e.shape
            np.testing.assert_allclose(f.get(), e, rtol=TOLERANCE[dtype], atol=TOLERANCE[dtype] * (1 + np.nan_to_num(abs(e)).max(initial=0)))


def backward_of(kind: str, args: Any, results: Any, needs: Any) -> list[Any]:
    """What the backward kernel takes, with random gradients."""
    rng = np.random.default_rng(1)
    results = results if isinstance(results, tuple) else (results,)
    x, states, (Wx, Wh) = args[0], args[1:1 + STATES[kind]], args[1 + STATES[kind]:3 + STATES[kind]]
    gys, *ends = (rng.normal(size=a.shape).astype(x.dtype) for a in (results[0], *states))
    return [gys, *ends, x, *states, Wx, Wh, *results, needs]


@kinds
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
@pytest.mark.parametrize("bias", [True, False])
def test_a_sequence_and_its_gradients_equal_the_references(emulated: Any, kind: str, dtype: str, sizes: Any, bias: bool) -> None:
    for lay in (lambda a: a, strange):
        args = [lay(a) for a in arguments(kind, sizes, dtype, bias)]
        expected, found = both(kind, "forward", *args, module=emulated)
        same(found, expected, dtype)
        n = 1 + STATES[kind] + 2 + (2 if kind == "gru" else 1)
        for needs in ([True] * n, [False] * n, [i % 2 == 0 for i in range(n)]):
            given = [lay(a) if isinstance(a, np.ndarray) else a for a in backward_of(kind, args, expected, needs)]
            before = [a.copy() if isinstance(a, np.ndarray) else a for a in given]
            gradients, ours = both(kind, "backward", *given, module=emulated)
            same(ours, gradients, dtype)
            for a, b in zip(given, before, strict=True):
                if isinstance(a, np.ndarray):
                    np.testing.assert_array_equal(a, b)  # inputs are only read


@kinds
def test_each_step_is_one_product_and_one_launch(emulated: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    products: list[Any] = []
    real = kernels.product
    monkeypatch.setattr(kernels, "product", lambda *args, **more: products.append(args) or real(*args, **more))
    T = 5
    args = arguments(kind, (T, 2, 3, 4), "float32")
    with counting() as launches:
        expected, _ = both(kind, "forward", *args, module=emulated)
    assert launches[f"dezero_{kind}_cell"] == T and len(products) == T
    products.clear()
    with counting() as launches:
        both(kind, "backward", *backward_of(kind, args, expected, [True] * 7), module=emulated)
    assert launches[f"dezero_{kind}_cell_grad"] == T and len(products) == T


@kinds
def test_without_cublas_products_are_the_array_modules(emulated: Any, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernels, "product", lambda *args, **more: NotImplemented)
    args = arguments(kind, (3, 2, 4, 5), "float64")
    expected, found = both(kind, "forward", *args, module=emulated)
    same(found, expected, "float64")
    gradients, ours = both(kind, "backward", *backward_of(kind, args, expected, [True] * 7), module=emulated)
    same(ours, gradients, "float64")


def test_large_gates_saturate_and_a_nan_goes_on(emulated: Any) -> None:
    for kind in GATES:
        args = arguments(kind, (2, 3, 2, 2), "float32")
        args[0][0, 0] = 1e4
        args[0][0, 1] = -1e4
        args[0][0, 2, 0] = np.nan
        expected, found = both(kind, "forward", *args, module=emulated)
        same(found, expected, "float32")


@pytest.mark.seeds
@pytest.mark.usefixtures("no_host")
@pytest.mark.parametrize("layer", [L.RNN, L.LSTM, L.GRU])
def test_a_layer_runs_and_learns_without_the_host(layer: Any) -> None:
    x = np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)
    host, device = layer(4, 3), layer(4, 3)
    for p, q in zip(host.params(), device.params(), strict=True):
        assert p.data is not None
        q.data = to_strict(p.data)
    for net, a in ((host, x), (device, to_strict(x))):
        net.reset_state()
        y = net(a)
        y = net(a) * y
        F.sum(y).backward()
    for p, q in zip(host.params(), device.params(), strict=True):
        assert p.grad is not None and q.grad is not None
        np.testing.assert_allclose(q.grad.data._a, p.grad.data, rtol=1e-4, atol=1e-5)


@kinds
def test_half_precision_is_worked_on_in_float32(kind: str) -> None:
    args = arguments(kind, (3, 2, 4, 5), np.float16)
    host, device = ([None if a is None else Variable(a) for a in arrays] for arrays in (args, on_device(args)))
    for inputs in (host, device):
        ys = getattr(F, kind)(*inputs)[0]
        F.sum(ys * ys).backward()
        assert ys.dtype == np.float16
    for p, q in zip(host, device, strict=True):
        assert p is not None and q is not None and p.grad is not None and q.grad is not None and q.grad.dtype == np.float16
        np.testing.assert_allclose(q.grad.data.get(), p.grad.data, rtol=4e-3, atol=4e-3)
