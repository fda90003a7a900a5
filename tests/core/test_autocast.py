"""autocast: what runs in which dtype, gradients and master weights in float32, casts made once, and nothing left behind."""

from __future__ import annotations

import asyncio
import gc
import sys
import threading
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Config, Function, Parameter, Variable, autocast, checkpoint, detect_anomaly, enable_grad, grad, no_grad, optimizers
from dezero.backend import arrays
from dezero.config import current
from dezero.core import casting
from dezero.core.operators import OPS
from dezero.core.variable import caches

pytestmark = pytest.mark.seeds  # layers draw their weights

rng = np.random.default_rng(0)
f16, f32, f64 = np.dtype(np.float16), np.dtype(np.float32), np.dtype(np.float64)


def draw(*shape: int, dtype: Any = np.float32) -> Any:
    return rng.normal(size=shape).astype(dtype)


@pytest.fixture(params=["float16", "bfloat16"])
def low(request: pytest.FixtureRequest) -> Any:
    """Each dtype of half precision."""
    return f16 if request.param == "float16" else np.dtype(pytest.importorskip("ml_dtypes").bfloat16)


@pytest.fixture(autouse=True)
def nothing_stays() -> Any:
    before = arrays.halves, len(caches)
    yield
    assert len(caches) == before[1] and arrays.halves - before[0] in (0, 1), "a block is counted after its end"  # 1: bfloat16 was met


def test_the_policy_names_ops() -> None:
    assert set(casting.POLICY) <= set(OPS) and not casting.LOW & casting.WIDE
    assert all(name in casting.LOW for name in casting.FREE)


X, W, V = draw(4, 3), draw(3, 5), draw(5)
IMAGES, KERNELS = draw(2, 3, 6, 6), draw(4, 3, 3, 3)
SEQUENCE = draw(3, 2, 4)
LOW = {
    "linear": lambda v: F.linear(v(X), v(W), v(V)),
    "matmul": lambda v: v(X) @ v(W),
    "dot": lambda v: F.dot(v(V), v(V)),
    "tensordot": lambda v: F.tensordot(v(draw(2, 3, 4)), v(draw(4, 3, 5)), ((1, 2), (1, 0))),
    "einsum": lambda v: F.einsum("bij,bjk->bik", v(draw(2, 3, 4)), v(draw(2, 4, 5))),
    "conv2d": lambda v: F.conv2d(v(IMAGES), v(KERNELS), v(draw(4)), pad=1),
    "conv1d": lambda v: F.conv1d(v(draw(2, 3, 8)), v(draw(4, 3, 3))),
    "conv_transpose2d": lambda v: F.conv_transpose2d(v(draw(2, 4, 3, 3)), v(KERNELS)),
    "attention": lambda v: F.scaled_dot_product_attention(v(draw(2, 4, 3)), v(draw(2, 4, 3)), v(draw(2, 4, 3)), causal=True),
    "rnn": lambda v: F.rnn(v(SEQUENCE), None, v(draw(4, 5)), v(draw(5, 5)), v(V))[0],
    "lstm": lambda v: F.lstm(v(SEQUENCE), None, v(draw(2, 5)), v(draw(4, 20)), v(draw(5, 20)))[2],
    "gru_cell": lambda v: F.gru_cell(v(draw(2, 4)), None, v(draw(4, 15)), v(draw(5, 15))),
}
HALF = draw(4, 5)
WIDE = {
    "softmax": lambda v: F.softmax(v(HALF)), "log_softmax": lambda v: F.log_softmax(v(HALF)), "logsumexp": lambda v: F.logsumexp(v(HALF)),
    "exp": lambda v: F.exp(v(HALF)), "log": lambda v: F.log(abs(v(HALF)) + 1), "power": lambda v: v(HALF) ** 2, "square": lambda v: F.square(v(HALF)),
    "reciprocal": lambda v: 1.0 / (abs(v(HALF)) + 1), "sum": lambda v: v(HALF).sum(0), "cumsum": lambda v: F.cumsum(v(HALF), axis=1),
    "prod": lambda v: F.prod(v(HALF)), "layer_norm": lambda v: F.layer_norm(v(HALF)), "norm": lambda v: F.norm(v(HALF)),
    "mse": lambda v: F.mean_squared_error(v(HALF), HALF * 0), "cross entropy": lambda v: F.softmax_cross_entropy(v(HALF), np.array([0, 1, 2, 4])),
    "weighted": lambda v: F.softmax_cross_entropy(v(HALF), np.array([0, 1, 2, 4]), label_smoothing=0.1),
    "nll": lambda v: F.nll_loss(v(HALF), np.array([0, 1, 2, 4])), "sigmoid ce": lambda v: F.sigmoid_cross_entropy(v(HALF), np.ones((4, 5))),
    "softplus": lambda v: F.softplus(v(HALF)), "rms_norm": lambda v: F.rms_norm(v(HALF)),
}
AS_IT_COMES = {
    "relu": lambda v: F.relu(v(HALF)), "tanh": lambda v: F.tanh(v(HALF)), "times": lambda v: v(HALF) * 0.5, "plus": lambda v: v(HALF) + v(HALF),
    "mean": lambda v: v(HALF).mean(), "max": lambda v: v(HALF).max(1), "reshape": lambda v: v(HALF).reshape(-1),
    "dropout": lambda v: F.dropout(v(HALF), seed=1),
    "concat": lambda v: F.concatenate([v(HALF), v(HALF)]), "batch_norm": lambda v: F.batch_norm(v(HALF), draw(5), draw(5), None, None),
    "pool": lambda v: F.max_pool2d(v(IMAGES), 2), "abs": lambda v: abs(v(HALF)), "half": lambda v: v(HALF) / 2.0,
}


@pytest.mark.parametrize("name", LOW)
def test_products_run_in_the_low_dtype_and_gradients_arrive_in_float32(name: str, low: Any) -> None:
    leaves: list[Variable] = []

    def v(a: Any) -> Variable:
        leaves.append(Variable(a))
        return leaves[-1]
    with autocast(low):
        y = LOW[name](v)
        assert y.dtype == low
    y.grad = Variable(draw(*y.shape, dtype=low), requires_grad=False)
    y.backward()
    assert all(leaf.grad is not None and leaf.grad.dtype == f32 for leaf in leaves)
    assert LOW[name](Variable).dtype == f32, "outside all is as it was"


@pytest.mark.parametrize("name", WIDE)
def test_what_needs_range_runs_in_float32(name: str, low: Any) -> None:
    x = Variable(HALF.astype(low))
    with autocast(low):
        y = WIDE[name](lambda a: x)
    assert y.dtype == f32
    y.backward()
    assert x.grad is not None and x.grad.dtype == low


@pytest.mark.parametrize("name", AS_IT_COMES)
def test_the_rest_takes_what_comes(name: str, low: Any) -> None:
    for dtype in (low, f32):
        leaves: list[Variable] = []

        def v(a: Any, leaves: Any = leaves, dtype: Any = dtype) -> Variable:
            leaves.append(Variable(a.astype(dtype)))
            return leaves[-1]  # type: ignore[no-any-return]
        with autocast(low):
            y = AS_IT_COMES[name](v)
        assert y.dtype == dtype
        y.backward()
        assert all(leaf.grad is None or leaf.grad.dtype == dtype for leaf in leaves)


def test_where_dtypes_meet_the_wider_wins_and_each_gets_its_own_gradient(low: Any) -> None:
    for meet in (lambda a, b: a + b, lambda a, b: b * a, lambda a, b: F.concatenate([a, b]), lambda a, b: F.where(HALF > 0, a, b),
                 lambda a, b: F.maximum(a, b)):
        a, b = Variable(HALF.astype(low)), Variable(HALF * 2)
        with autocast(low):
            h = a * 1.0
            y = meet(h, b)
        assert y.dtype == f32
        y.backward(retain_grad=True)
        assert a.grad is not None and h.grad is not None and b.grad is not None
        assert (a.grad.dtype, h.grad.dtype, b.grad.dtype) == (low, low, f32)


def test_integers_and_float64_are_left_alone(low: Any) -> None:
    with autocast(low):
        assert F.linear(X.astype(f64), W).dtype == f64
        assert F.exp(X.astype(f64)).dtype == f64
        assert F.embedding(np.array([0, 1]), W).dtype == f32
        assert (Variable(np.arange(4).reshape(2, 2)) @ np.arange(4).reshape(2, 2)).dtype.kind == "i"


def test_a_mask_of_minus_a_billion_stays_what_it_is() -> None:
    q, mask = draw(2, 4, 3), np.where(np.tri(4), 0, -1e9).astype(np.float32)
    with autocast("float16"):
        y = F.scaled_dot_product_attention(q, q, q, mask=mask)
    np.testing.assert_allclose(y.data, F.scaled_dot_product_attention(q, q, q, mask=mask).data, rtol=1e-2, atol=5e-3)


# -- parameters ------------------------------------------------------------------------------------------

class Casts:
    """Counts the casts of float32 arrays to half precision."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.n = 0
        original = casting.Cast.of_parameter

        def counted(this: Any, data: Any) -> Any:
            before = this.kept.get(id(data))
            y = original(this, data)
            self.n += before is None
            return y
        monkeypatch.setattr(casting.Cast, "of_parameter", counted)


@pytest.fixture
def casts(monkeypatch: pytest.MonkeyPatch) -> Casts:
    return Casts(monkeypatch)


def test_a_parameter_is_cast_once_in_a_block(casts: Casts, low: Any) -> None:
    net = L.Sequential(L.Linear(4, in_size=3), F.relu, L.Linear(4), L.BatchNorm(), L.Linear(2))
    net(X)
    with autocast(low):
        for _ in range(3):
            net(X)
        assert casts.n == 6, "W and b of three layers; those of batch norm stay float32"
    with autocast(low):
        net(X)
    assert casts.n == 12, "the casts of a block end with it"


def test_a_weight_that_is_used_twice_is_cast_once_and_gets_both_gradients(casts: Casts) -> None:
    p = Parameter(draw(3, 3))
    with autocast("float16"):
        y = (X @ p) @ p
    y.backward()
    assert casts.n == 1 and p.grad is not None
    q = Variable(p.data)
    ((X @ q) @ q).backward()
    assert q.grad is not None
    np.testing.assert_allclose(p.grad.data, q.grad.data, rtol=1e-2, atol=2e-2)


@pytest.mark.parametrize("change", ["in place", "assigned", "optimizer", "loaded"])
def test_a_parameter_that_changes_in_a_block_is_cast_anew(change: str, tmp_path: Path) -> None:
    layer = L.Linear(2, in_size=3, nobias=True)
    start = np.ones((3, 2), np.float32)
    layer.W.data = start.copy()
    layer.save_weights(tmp_path / "w.npz")
    optimizer = optimizers.SGD(1.0).setup(layer)
    x = np.ones((1, 3), np.float32)
    with autocast("float16"):
        for k in range(3):
            y = layer(x)
            assert np.array_equal(y.data, np.full((1, 2), 3.0 if change == "loaded" else 3.0 * 2**k)), k
            if change == "in place":
                layer.W.data[...] *= 2
            elif change == "assigned":
                layer.W.data = layer.W._data * 2
            elif change == "optimizer":
                layer.W.grad = -layer.W._data
                optimizer.update()
            else:
                layer.W.data[...] = 7
                assert layer(x).data[0, 0] == 21
                layer.load_weights(tmp_path / "w.npz")


def test_an_array_that_was_read_in_the_block_may_change_at_any_time() -> None:
    p = Parameter(np.ones((1, 1), np.float32))
    with autocast("float16"):
        held = p.data
        first = (np.ones((1, 1), np.float32) @ p).item()
        held += 1
        assert (first, (np.ones((1, 1), np.float32) @ p).item()) == (1.0, 2.0)


def test_graphs_made_twice_in_a_block_have_a_backward_each(casts: Casts, low: Any) -> None:
    p = Parameter(W.copy())
    with autocast(low):
        a, b = X @ p, (2 * X) @ p
        a.backward()
        assert p.grad is not None
        first = p.grad.data.copy()
        b.backward()
        (X @ p).backward()
    assert casts.n == 1
    np.testing.assert_allclose(p.grad.data, 4 * first, rtol=1e-2)


def test_backward_inside_and_outside_of_the_block_give_the_same(low: Any) -> None:
    found = []
    for inside in (True, False):
        p, x = Parameter(W.copy()), Variable(X)
        with autocast(low):
            loss = F.softmax_cross_entropy(F.relu(x @ p) * 3.0, np.array([0, 1, 2, 4]))
            if inside:
                loss.backward()
        if not inside:
            loss.backward()
        found.append((p.grad.data, x.grad.data))  # type: ignore[union-attr]
    assert all(np.array_equal(a, b) for a, b in zip(*found, strict=True))


def test_gradients_come_near_those_of_float32(low: Any) -> None:
    np.random.seed(0)
    net = L.Sequential(L.Conv2d(4, 3, pad=1, in_channels=3), L.BatchNorm(), F.tanh, L.Flatten(), L.Linear(8), L.LayerNorm(), F.gelu, L.Linear(3))
    net(IMAGES)
    t = np.array([0, 2])
    grads: list[Any] = []
    for enabled in (False, True):
        net.cleargrads()
        with autocast(low, enabled=enabled):
            loss = F.softmax_cross_entropy(net(IMAGES), t)
        loss.backward()
        grads.append([p.grad.data for p in net.params()])  # type: ignore[union-attr]
    for a, b in zip(*grads, strict=True):
        assert a.dtype == b.dtype == f32
        assert np.linalg.norm(a - b) <= (0.15 if low != f16 else 0.03) * np.linalg.norm(a) + 1e-3


def test_second_derivatives(low: Any) -> None:
    x, p = Variable(X), Parameter(W)
    with autocast(low):
        y = F.sum(F.tanh(x @ p))
        gx, = grad(y, [x], create_graph=True)
        assert gx is not None and gx.dtype == f32
        z = F.sum(gx * gx)
    z.backward()
    x2, p2 = Variable(X), Variable(W)
    g2, = grad(F.sum(F.tanh(x2 @ p2)), [x2], create_graph=True)
    F.sum(g2 * g2).backward()
    for a, b in ((x, x2), (p, p2)):
        assert a.grad is not None and b.grad is not None and a.grad.dtype == f32
        assert np.linalg.norm(a.grad.data - b.grad.data) <= 0.1 * np.linalg.norm(b.grad.data)


# -- the block -------------------------------------------------------------------------------------------

def dtype_of_product() -> Any:
    return F.matmul(X, W).dtype


def test_blocks_nest() -> None:
    with autocast("float16"):
        with autocast("float16", enabled=False):
            assert dtype_of_product() == f32
            with autocast("float16"):
                assert dtype_of_product() == f16
            assert dtype_of_product() == f32
        assert dtype_of_product() == f16
        with pytest.raises(RuntimeError), autocast(enabled=False):
            raise RuntimeError
        assert dtype_of_product() == f16
    assert dtype_of_product() == f32


def test_one_object_may_be_entered_again_and_again() -> None:
    block = autocast("float16")
    with block, block:
        assert dtype_of_product() == f16
    assert dtype_of_product() == f32 and not caches
    with block:
        assert dtype_of_product() == f16


def test_as_a_decorator_of_functions_generators_and_coroutines() -> None:
    @autocast("float16")
    def f() -> Any:
        return dtype_of_product()

    @autocast("float16")
    def items() -> Any:
        for _ in range(2):
            yield dtype_of_product()

    @autocast("float16")
    async def g() -> Any:
        return dtype_of_product()

    async def beside() -> Any:
        return await asyncio.gather(g(), asyncio.to_thread(dtype_of_product))

    assert f() == f16 and f.__name__ == "f"
    for found in items():
        assert found == f16 and dtype_of_product() == f32
    assert asyncio.run(beside()) == [f16, f32]
    assert dtype_of_product() == f32


def test_it_belongs_to_a_thread() -> None:
    found = []
    with autocast("float16"):
        thread = threading.Thread(target=lambda: found.append(dtype_of_product()))
        thread.start(); thread.join()
    assert found == [f32]


def test_threads_may_share_one_object() -> None:
    block, p, failed = autocast("float16"), Parameter(W.copy()), []

    def work() -> None:
        for _ in range(50):
            try:
                with block:
                    assert F.matmul(X, p).dtype == f16
            except Exception as error:
                failed.append(error)
    threads = [threading.Thread(target=work) for _ in range(4)]
    for t in threads: t.start()
    for t in threads: t.join()
    assert not failed


def test_other_modes_inside(low: Any) -> None:
    p = Parameter(W.copy())
    with autocast(low), no_grad():
        y = X @ p
        assert y.dtype == low and y.creator is None
        with enable_grad():
            assert (X @ p).creator is not None
    assert Config.enable_backprop and current().cast is None


def test_checkpoint_runs_again_under_the_same_mode(low: Any) -> None:
    p, x = Parameter(draw(3, 3)), Variable(X)
    seen = []

    def part(v: Any) -> Any:
        y = F.relu(v @ p)
        seen.append(y.dtype)
        return y @ p
    with autocast(low):
        y = checkpoint(part, x)
    assert y.dtype == low
    y.backward()
    assert seen == [low, low] and p.grad is not None and x.grad is not None and p.grad.dtype == x.grad.dtype == f32
    q, z = Parameter(p.data.copy()), Variable(X)
    with autocast(low):
        (F.relu(z @ q) @ q).backward()
    assert np.array_equal(q.grad.data, p.grad.data) and np.array_equal(z.grad.data, x.grad.data)  # type: ignore[union-attr]
    q.cleargrad()
    y = checkpoint(part, z)
    with autocast(low):
        y.backward()
    assert seen[2:] == [f32, f32], "a part that ran without it runs again without"


def test_detect_anomaly_works_inside() -> None:
    with autocast("float16"), detect_anomaly(), np.errstate(all="ignore"), pytest.raises(ArithmeticError, match="matmul"):
        F.matmul(np.full((1, 4), 300.0, np.float32), np.full((4, 1), 300.0, np.float32))


def test_ops_of_your_own_get_what_comes() -> None:
    seen = []

    class Twice(Function):
        def forward(self, x: Any) -> Any:
            seen.append(x.dtype)
            return x * 2

        def backward(self, gy: Any) -> Any:
            return gy * 2
    with autocast("float16"):
        y = Twice()(Variable(X) @ W)
        z = Twice()(Variable(X))
    y.backward()
    assert seen == [f16, f32] and (y.dtype, z.dtype) == (f16, f32)


def test_lazily_sized_weights_are_float32(low: Any) -> None:
    net = L.Sequential(L.Conv2d(4, 3), L.BatchNorm(), F.relu, L.Flatten(), L.Linear(3), L.LayerNorm(), L.LSTM(2))
    with autocast(low):
        net(IMAGES)
    assert all(p.dtype == f32 for p in net.params()) and all(b.dtype == f32 for b in net.buffers())


def test_saved_weights_are_float32(low: Any, tmp_path: Path) -> None:
    net = L.Linear(2, in_size=3)
    with autocast(low):
        net(X)
        net.save_weights(tmp_path / "w.npz")
    with np.load(tmp_path / "w.npz") as file:
        assert {file[name].dtype for name in file if name in ("W", "b")} == {f32}


def test_recurrent_layers_go_on_from_states_of_another_dtype(low: Any) -> None:
    layer = L.LSTM(4, stateful=True)
    layer(SEQUENCE)
    with autocast(low):
        assert layer(SEQUENCE).dtype == low
    y = layer(SEQUENCE)
    F.sum(y * y).backward()
    assert y.dtype == f32 and all(p.grad is not None and p.grad.dtype == f32 for p in layer.params())


def test_nothing_leaks_and_there_are_no_circles() -> None:
    p = Parameter(draw(3, 3))
    gc.collect()
    gc.disable()
    try:
        with autocast("float16"):
            y = F.sum(F.relu(X @ p) @ p)
            node = weakref.ref(y.creator)
            low = weakref.ref(next(iter(current().cast.kept.values()))[1])
            y.backward()
            assert low() is not None, "it is kept for the next use"
            del y
            assert node() is None
        assert low() is None, "and goes with the block"
    finally:
        gc.enable()


def test_wrong_dtypes_are_refused_in_words(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("float32", np.float64, int, "tiny", None):
        with pytest.raises(ValueError, match=r"autocast: dtype is .*: 'bfloat16' or 'float16' is expected"):
            autocast(wrong)
    monkeypatch.setitem(sys.modules, "ml_dtypes", None)
    with pytest.raises(ImportError, match=r"bfloat16 from the package ml_dtypes: pip install ml_dtypes; or take dtype='float16'"):
        autocast()
    with autocast(enabled=False):
        assert dtype_of_product() == f32
    with autocast(np.float16):
        assert dtype_of_product() == f16


def test_half_products_on_the_host_are_summed_in_float32() -> None:
    a = np.full((1, 4096), 1.0, np.float32)
    with autocast("float16"):
        assert (a @ Variable(a.T)).item() == 4096  # a running sum of float16 would stop at 2048
        x = Variable(a)
        F.linear(x, a.T, np.ones(1, np.float32)).backward()
    assert x.grad is not None and (x.grad.data == 1).all()
