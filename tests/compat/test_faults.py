"""The faults of the book's original, each by its number, shown to be mended.

D1 to D27 are those that users hit, C1 to C46 those found in the code. Those of layers, optimizers, data and drawing stand in
test_training_faults.py. C39 is D27. The index arrays of C41 are made on the device of the data: the strict stand-in of tests/strict.py runs every
op so.
"""

from __future__ import annotations

import gc
import math
import re
import subprocess
import sys
import threading
import tracemalloc
import types
import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Config, Function, Parameter, Variable, cuda, detect_anomaly, grad, no_grad, test_mode
from dezero.backend import kernels_of
from dezero.errors import ChangedInPlaceError, ShapeError, UntrackedError
from dezero.functions_conv import Conv2d
from dezero.utils import gradient_check, numerical_grad

F32 = np.float32
ROOT = Path(dezero.__file__).parent


def V(values: Any, dtype: Any = float) -> Variable:
    return Variable(np.array(values, dtype))


def normal(*shape: int, seed: int = 0, dtype: Any = float) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=shape).astype(dtype)


def second_derivative_holds(f: Any, *xs: np.ndarray) -> None:
    """The gradient of a random combination of first gradients against finite differences."""
    rng = np.random.default_rng(1)
    ws = [rng.normal(size=x.shape) for x in xs]

    def combined(*arrays: Any) -> Variable:
        variables = [a if isinstance(a, Variable) else Variable(a) for a in arrays]
        y = f(*variables)
        seed = np.random.default_rng(2).normal(size=y.shape)
        found = grad(F.sum(y * seed), variables, create_graph=True)
        total: Any = 0
        for g, w in zip(found, ws, strict=True):
            total = total + F.sum(g * w)
        return total

    variables = [Variable(x) for x in xs]
    found = grad(combined(*variables), variables)
    for i, g in enumerate(found):
        with_one = lambda x, i=i: combined(*xs[:i], x, *xs[i + 1:])
        assert np.allclose(g.data, numerical_grad(with_one, xs[i]), rtol=1e-4, atol=1e-6), f"input {i}"


# -- what users hit -------------------------------------------------------------------------------


def test_D1_numbers_keep_float32() -> None:
    x = V([1.0, 2.0], F32)
    for y in (x * 2.0, 2.0 * x, x + 1, 1 - x, x / 3, 3 / x, x ** 2, x ** 0.5, x * np.float64(2), np.float64(2) * x, x * np.array(2.0, F32),
              F.pow(x, 1.5)):
        assert y.dtype == F32
        y.backward()
        assert x.grad.dtype == F32
        x.cleargrad()


def test_D3_data_replaced_or_changed_between_forward_and_backward() -> None:
    x = V([2.0, 3.0])
    y = x * x
    x.data = np.array([100.0, 100.0])
    y.backward()
    assert np.array_equal(x.grad.data, [4, 6])
    x = V([2.0, 3.0])
    with detect_anomaly(), pytest.raises(ChangedInPlaceError, match="mul"):
        y = x * x
        x.data[...] = 100.0
        y.backward()


@pytest.mark.parametrize("loss", [F.mean_squared_error, F.mean_squared_error_simple, F.sum_squared_error, F.mean_absolute_error, F.huber])
def test_D4_losses_do_not_broadcast(loss: Any) -> None:
    with pytest.raises(ShapeError, match=r"\(3, 1\).*\(3,\)"):
        loss(V(np.ones((3, 1))), np.ones(3))


@pytest.mark.parametrize("f", [F.max, F.min])
def test_D5_extrema_over_a_negative_axis(f: Any) -> None:
    x = V([[1.0, 5.0, 3.0], [4.0, 2.0, 6.0]])
    f(x, axis=-1).backward()
    assert np.array_equal(x.grad.data, np.eye(3)[[1, 2]] if f is F.max else np.eye(3)[[0, 1]])


@pytest.mark.parametrize("f", [F.pooling, F.pooling_simple])
def test_D6_padding_never_wins(f: Any) -> None:
    x = V(-np.ones((1, 1, 2, 2)))
    y = f(x, 2, 1, 1)
    y.backward()
    assert np.array_equal(y.data, -np.ones((1, 1, 3, 3))) and x.grad.data.sum() == 9


def test_D7_average_pooling_of_tall_windows() -> None:
    x = V(normal(1, 2, 4, 3))
    y = F.average_pooling(x, (2, 1))
    y.backward()
    assert y.shape == (1, 2, 3, 3) and np.allclose(x.grad.data[0, 0], [[0.5] * 3, [1] * 3, [1] * 3, [0.5] * 3])


@pytest.mark.parametrize("f", [F.conv2d, F.deconv2d])
def test_D8_second_derivatives_through_kernels(f: Any) -> None:
    second_derivative_holds(lambda x, W, b: f(x, W, b, stride=2, pad=1) ** 2, normal(1, 2, 5, 4), normal(2, 2, 3, 3, seed=1), normal(2, seed=2))


def test_D15_modes_belong_to_a_thread() -> None:
    inside, leave = threading.Event(), threading.Event()

    def other() -> None:
        with no_grad(), test_mode():
            inside.set()
            leave.wait(10)

    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(10)
    try:
        assert Config.enable_backprop and Config.train and (V(1.0) * 2).creator is not None
    finally:
        leave.set()
        thread.join()


def test_D19_backward_without_a_graph_says_why() -> None:
    with pytest.raises(UntrackedError, match="was not computed by a tracked function, because it is a leaf"):
        V(1.0).backward()
    with no_grad():
        y = V(1.0) * 2
    with pytest.raises(UntrackedError, match=r"was not computed by a tracked function, because .*no_grad"):
        y.backward()


class SumAndDifference(Function):
    def forward(self, a, b): return a + b, a - b
    def backward(self, gs, gd): return gs + gd, gs - gd


@pytest.mark.parametrize("used", [0, 1])
@pytest.mark.parametrize("alive", [True, False])
def test_D20_an_output_that_nothing_uses(used: int, alive: bool) -> None:
    a, b = V([1.0]), V([2.0])
    outs = SumAndDifference()(a, b)
    y = outs[used] * 3
    if not alive:
        del outs
    y.backward()
    assert (float(a.grad), float(b.grad)) == ((3, 3) if used == 0 else (3, -3))


@pytest.mark.parametrize(("x", "t", "loss"), [(1000, 1, 0), (-1000, 0, 0), (1000, 0, 1000), (-1000, 1, 1000)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_D21_sigmoid_cross_entropy_of_far_scores(x: float, t: int, loss: float, dtype: Any) -> None:
    v = V([x], dtype)
    y = F.sigmoid_cross_entropy(v, np.array([t]))
    y.backward()
    assert float(y) == loss and float(v.grad) == (1 if x > 0 else 0) - t


def test_D22_dropout_of_everything_gives_zeros() -> None:
    x = V(np.ones(5))
    y = F.dropout(x, 1.0)
    y.backward()
    assert np.array_equal(y.data, np.zeros(5)) and np.array_equal(x.grad.data, np.zeros(5))


def test_D26_what_was_missing() -> None:
    x = V([[1.0, -2.0, 3.0], [4.0, 5.0, -6.0]])
    p = abs(x)
    for y in (x ** V([2.0, 2.0, 2.0]), 2 ** x, abs(x), x @ x.T, x.mean(), F.concatenate([x, x]), F.concat([x, x], axis=1), F.where(x > 0, x, -x),
              F.sqrt(p), F.expand_dims(x, -1), F.stack([x, x]), F.split(x, 3, axis=1)[0], F.squeeze(x[:1], 0), F.cumsum(x, 1), F.softplus(x),
              F.gelu(x), F.einsum("ij,kj->ik", x, x), F.matmul(V(normal(2, 3, 4)), V(normal(2, 4, 5)))):
        assert isinstance(y, Variable) and y.creator is not None
    assert np.array_equal(x > 0, x.data > 0) and isinstance(x > 0, np.ndarray)
    assert float(V(2.5)) == 2.5 and int(V([3.0])) == 3 and V([[2.0]]).item() == 2 and bool(V(0.0)) is False
    assert F.expand_dims(x, -1).shape == (2, 3, 1)


def test_D27_the_scatter_that_cupy_removed_is_not_asked_for() -> None:
    """It is ``cupyx.scatter_add`` since CuPy 8, and ``cupy.add.at`` does the same."""
    for path in ROOT.rglob("*.py"):
        assert not re.search(r"\b(xp|cupy|cp)\.scatter_add\b", path.read_text(encoding="utf-8")), path


# -- silent wrong answers -------------------------------------------------------------------------


def test_C1_float32_stays_through_a_net_and_its_gradients() -> None:
    x, t = normal(4, 3, dtype=F32), np.array([0, 1, 2, 1])
    W1, b1, W2 = (Parameter(normal(*s, dtype=F32)) for s in ((3, 5), (5,), (5, 3)))
    for act in (F.sigmoid, F.sigmoid_simple, F.tanh, F.relu, F.leaky_relu):
        h = act(F.linear(x, W1, b1))
        y = F.softmax_cross_entropy(F.matmul(h, W2), t) + F.mean(h) * 0.1 + F.mean_squared_error(h, np.zeros((4, 5)))
        y.backward(retain_grad=True)
        assert {v.dtype for v in (h, y, h.grad, W1.grad, b1.grad, W2.grad)} == {np.dtype(F32)}
        for W in (W1, b1, W2):
            W.cleargrad()
    assert dezero.as_variable(2.0).data.dtype == np.float64 and F.average(V([1.0], F32)).dtype == F32


@pytest.mark.parametrize("f", [F.softmax_cross_entropy, F.softmax_cross_entropy_simple])
def test_C2_cross_entropy_of_a_column_of_labels(f: Any) -> None:
    t = np.array([2, 0, 1])
    x, column = V(normal(3, 4)), V(normal(3, 4))
    f(x, t).backward()
    f(column, t.reshape(3, 1)).backward()
    assert np.allclose(x.grad.data, (F.softmax(x).data - np.eye(4)[t]) / 3)
    assert np.array_equal(x.grad.data, column.grad.data)


def test_C3_gradients_share_no_memory() -> None:
    for make in (lambda a, b: a + b, lambda a, b: a - b, lambda a, b: a.reshape(2, 2) + b.T.T, lambda a, b: F.concatenate([a, b]),
                 lambda a, b: F.maximum(a, b), lambda a, b: F.sum(a) + F.sum(b), lambda a, b: a[0] + b[1]):
        a, b = V(np.ones((2, 2))), V(np.ones((2, 2)))
        y = make(a, b) * 1.0
        y.backward(retain_grad=True)
        arrays = [v.grad.data for v in (a, b, y)]
        assert not any(np.shares_memory(g, h) for i, g in enumerate(arrays) for h in arrays[i + 1:])
        assert all(g.flags.writeable for g in arrays)


@pytest.mark.parametrize("train", [True, False])
def test_C4_second_derivatives_of_batch_norm(train: bool) -> None:
    mean, var = np.full(2, 0.3), np.full(2, 1.7)
    with dezero.using_config("train", train):
        second_derivative_holds(lambda *v: F.batch_nrom(*v, mean.copy(), var.copy()) ** 2, normal(5, 2), normal(2, seed=1), normal(2, seed=2))


def test_C5_expand_dims_counts_from_the_end() -> None:
    assert F.expand_dims(V(np.zeros((2, 3))), -1).shape == (2, 3, 1) and F.expand_dims(V(np.zeros((2, 3))), -3).shape == (1, 2, 3)


def test_C7_products_of_matrices_vectors_and_stacks() -> None:
    A, v = V(normal(3, 3)), V(normal(3))
    F.sum(F.matmul(A, v) ** 2).backward()
    assert A.grad.shape == (3, 3) and v.grad.shape == (3,) and np.allclose(v.grad.data, 2 * A.data.T @ (A.data @ v.data))
    for a, b in (((2, 3), (3,)), ((3,), (3, 2)), ((3,), (3,)), ((4, 2, 3), (3, 5)), ((4, 2, 3), (4, 3, 5)), ((4, 2, 3), (3,))):
        x, y = normal(*a), normal(*b, seed=1)
        assert np.allclose(F.matmul(V(x), V(y)).data, np.matmul(x, y))
        assert gradient_check(F.matmul, V(x), V(y))


def test_C9_one_function_object_called_twice() -> None:
    f = F.Sin()
    a, b = V(0.5), V(1.5)
    (f(a) + f(b)).backward()
    assert math.isclose(float(a.grad), math.cos(0.5)) and math.isclose(float(b.grad), math.cos(1.5))

    class Own(Function):
        def forward(self, x): return x * 2
        def backward(self, gy): return gy * 2

    g = Own()
    (g(a) * g(b)).backward()
    assert math.isclose(float(a.grad), math.cos(0.5) + 4 * 1.5)


@pytest.mark.parametrize("f", [F.max, F.min])
def test_C12_equal_extrema_share_the_gradient(f: Any) -> None:
    x = V([[2.0, 2.0, 2.0], [2.0, 2.0, 2.0]])
    f(x, axis=1).backward()
    assert np.allclose(x.grad.data, 1 / 3)


# -- crashes --------------------------------------------------------------------------------------


def test_C14_functions_of_convolution_differentiate_to_the_third_order() -> None:
    x, W = V(normal(1, 2, 5, 5)), V(normal(3, 2, 3, 3, seed=1))
    y = F.sum(Conv2d(1, 1)(x, W) ** 3)
    for _ in range(3):
        gx, gW = grad(y, [x, W], create_graph=True)
        y = F.sum(gx ** 2) + F.sum(gW * gW)
    assert np.isfinite(float(y))


@pytest.mark.parametrize("shape", [(4, 2), (2, 2, 3), (2, 2, 3, 3)])
def test_C15_batch_norm_has_gradients_in_use(shape: Any) -> None:
    mean, var = np.array([0.5, -0.5]), np.array([2.0, 0.5])
    gamma, beta = V([1.5, 0.5]), V([0.0, 1.0])
    with test_mode():
        assert gradient_check(lambda *v: F.batch_nrom(*v, mean, var), V(normal(*shape)), gamma, beta)
    assert np.array_equal(mean, [0.5, -0.5])


def test_C15_running_statistics_stand_still_without_a_graph() -> None:
    mean, var = np.zeros(2), np.ones(2)
    with no_grad():
        F.batch_nrom(normal(4, 2) + 5, V([1.0, 1.0]), V([0.0, 0.0]), mean, var)
    assert np.array_equal(mean, [0, 0]) and np.array_equal(var, [1, 1])
    F.batch_nrom(normal(4, 2) + 5, V([1.0, 1.0]), V([0.0, 0.0]), mean, var)
    assert (mean > 0.3).all()


def test_C22_gradients_of_sums_may_be_changed_in_place() -> None:
    x = V(np.ones((2, 3)))
    F.sum(x).backward()
    x.grad.data *= 0.5
    assert np.array_equal(x.grad.data, np.full((2, 3), 0.5))


# -- numerics -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "dtype"), [(18, np.float32), (40, np.float64), (-40, np.float64), (-35, np.float32)])
def test_C25_sigmoid_cross_entropy_between(x: float, dtype: Any) -> None:
    v = V([x], dtype)
    y = F.sigmoid_cross_entropy(v, np.array([1]))
    y.backward()
    assert math.isclose(float(y), math.log1p(math.exp(-x)), rel_tol=1e-5) and (x > 0 or math.isclose(float(v.grad), -1, rel_tol=1e-6))


def test_C26_binary_cross_entropy_is_even_and_keeps_its_gradient() -> None:
    for p, t in ((1.0, 1), (0.0, 0)):
        assert float(F.binary_cross_entropy(V([p]), np.array([t]))) < 1e-12
    ends = []
    for p, t in ((1.0, 0), (0.0, 1)):
        v = V([p])
        y = F.binary_cross_entropy(v, np.array([t]))
        y.backward()
        ends.append((float(y), abs(float(v.grad))))
    assert ends[0][0] > 30 and math.isclose(ends[0][0], ends[1][0], rel_tol=1e-6) and min(g for _, g in ends) > 1e10


@pytest.mark.parametrize(("power", "second"), [(1, 0), (2, 2), (3, 0), (0, 0), (4, 0)])
def test_C27_powers_at_zero(power: int, second: float) -> None:
    x = V(0.0)
    y = x ** power
    gx = grad(y, x, create_graph=True)
    assert float(gx) == (1 if power == 1 else 0) and float(grad(gx + x * 0.0, x)) == second
    assert np.array_equal((Variable(np.array([0, 2])) ** power).data, np.array([0, 2]) ** power)


def test_C28_simple_twins_are_stable() -> None:
    assert np.array_equal(F.softmax_simple(V([[1000.0, 0.0]])).data, [[1, 0]])
    x = V([-1000.0, 1000.0])
    y = F.sigmoid_simple(x)
    y.backward()
    assert np.array_equal(y.data, [0, 1]) and np.array_equal(x.grad.data, [0, 0])


def test_C29_gradient_check_sees_and_spoils_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    class HalfRight(Function):
        """The gradient of softmax with a part left out that a gradient of ones cannot see."""

        def forward(self, x): return np.exp(x) / np.exp(x).sum()
        def backward(self, gy): return gy * 0

    x = Variable(normal(3, dtype=F32))
    x.grad = np.full(3, 7.0, F32)
    assert gradient_check(lambda v: HalfRight()(v), normal(3)) is False
    assert "numerical" in capsys.readouterr().out
    assert gradient_check(F.sin, x) and x.dtype == F32 and np.array_equal(x.grad.data, [7, 7, 7])

    class WrongInSecond(Function):
        def forward(self, a, b): return a * b
        def backward(self, gy): return gy * self.inputs[1], gy * self.inputs[0] * 2

    assert gradient_check(lambda a, b: WrongInSecond()(a, b), normal(2), normal(2, seed=1)) is False


# -- speed and memory -----------------------------------------------------------------------------


def test_C30_a_wide_fan_in_is_no_matter() -> None:
    x = V(1.0)
    y: Any = 0
    for _ in range(20_000):
        y = y + x * 2.0
    y.backward()
    assert float(x.grad) == 40_000


def test_C31_nothing_is_computed_for_data_and_labels() -> None:
    asked: list[str] = []

    class Watched(Function, op="watched_product"):
        def forward(self, a, b): return a * b
        def grad_a(self, gy, *, b): asked.append("a"); return gy * b
        def grad_b(self, gy, *, a): asked.append("b"); return gy * a

    Watched()(np.ones(3), V(np.ones(3))).backward()
    assert asked == ["b"]
    x = V(np.ones((1, 1, 3, 3)))
    y = F.conv2d(x.data, V(np.ones((1, 1, 2, 2))))
    y.backward()
    assert x.grad is None and y.creator.inputs[0].grad is None


def test_C32_graphs_go_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = V(np.ones(3))
        y = F.sum(F.tanh(x) ** 2)
        first = weakref.ref(y.creator)
        y.backward()
        del y
        assert first() is None
        x.cleargrad()
        y = F.sum(F.tanh(x) ** 2)
        y.backward(create_graph=True)
        second = weakref.ref(x.grad.creator)
        del y
        x.cleargrad()  # until then x holds its gradient, whose graph holds x
        assert second() is None
        g = grad(F.sum(F.tanh(x) ** 2), x, create_graph=True)
        third = weakref.ref(g.creator)
        del g
        assert third() is None
    finally:
        gc.enable()


def test_C33_convolution_needs_little_memory_and_gives_plain_arrays() -> None:
    x, W = Variable(normal(4, 16, 56, 56, dtype=F32)), Parameter(normal(32, 16, 3, 3, dtype=F32))
    F.conv2d(x, W, pad=1).backward()
    tracemalloc.start()
    try:
        y = F.conv2d(x, W, pad=1)
        assert y.data.flags.c_contiguous and y.dtype == F32
        y.backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 25 * x.data.nbytes  # the original takes 45 to 80 times the input; the columns alone would be 9


def test_C35_slices_are_not_scattered(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*args: Any) -> None:
        raise AssertionError("scatter_add for a slice")

    monkeypatch.setattr(kernels_of(np), "scatter_add", refused)
    x = V(normal(4, 5))
    F.sum(x[1:3, ::2] * 2).backward()
    wanted = np.zeros((4, 5))
    wanted[1:3, ::2] = 2
    assert np.array_equal(x.grad.data, wanted)
    h, c = F.lstm_cell(normal(2, 3), None, None, V(normal(3, 16)), V(normal(4, 16)))
    assert h.creator is c.creator  # one op, not eight products


def test_C36_gradients_of_a_fan_in_are_added_in_place() -> None:
    x = V(np.ones(100_000))
    h = x * 1.0
    y: Any = h * 0.0
    for _ in range(30):
        y = y + h * 2.0
    gc.collect()
    tracemalloc.start()
    try:
        y.backward()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert np.all(x.grad.data == 60) and peak < 6 * x.data.nbytes


# -- GPU, packaging, use --------------------------------------------------------------------------


def test_C40_a_cupy_without_a_device_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    fake = types.ModuleType("cupy")
    fake.cuda = types.SimpleNamespace(is_available=lambda: False)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", fake)
    monkeypatch.delitem(vars(cuda), "gpu_enable", raising=False)
    assert cuda.gpu_enable is False
    monkeypatch.delitem(vars(cuda), "gpu_enable")


def test_C42_the_import_needs_numpy_alone() -> None:
    code = ("import sys\nfor name in ('matplotlib', 'PIL', 'scipy', 'numba', 'cupy', 'tqdm', 'tensorboardX', 'safetensors', 'graphviz', 'IPython'): "
            "sys.modules[name] = None\nimport dezero, dezero.core_simple, dezero.functions_conv, dezero.serialization, dezero.training\n"
            "print(dezero.cuda.gpu_enable)")
    out = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT.parent, capture_output=True, text=True, timeout=60)
    assert (out.returncode, out.stdout) == (0, "False\n"), out.stderr


def test_C42_the_import_leaves_to_their_first_use_what_is_slow_to_import() -> None:
    code = "import sys, dezero\nprint(sorted({'numpy.random', 'importlib.metadata'} & sys.modules.keys()))"
    out = subprocess.run([sys.executable, "-W", "error", "-c", code], cwd=ROOT.parent, capture_output=True, text=True, timeout=60)
    assert (out.returncode, out.stdout) == (0, "[]\n"), out.stderr


def test_C43_right_and_misspelt_names() -> None:
    assert F.batch_nrom is F.batch_norm


def test_C44_variables_are_values() -> None:
    x = V([3.0])
    assert float(x) == 3 and x.item() == 3 and bool(x) and (x > 2).all() and x.mean().item() == 3 and (x @ V([2.0])).item() == 6
    assert np.array_equal((2 ** x).data, [8]) and [float(v) for v in V([1.0, 2.0])] == [1, 2] and x.argmax().item() == 0
    assert isinstance(np.add(np.ones(1), x), Variable) and x.detach().creator is None and x.astype(F32).dtype == F32
    assert np.array_equal(F.add(2.0, x).data, [5]) and float(F.sin(1.0)) == math.sin(1.0)


def test_C45_one_threads_no_grad_is_not_anothers() -> None:
    failures: list[int] = []

    def train() -> None:
        for _ in range(200):
            x = V(2.0)
            y = x * x
            if y.creator is None:
                failures.append(1)
                return
            y.backward()

    def look() -> None:
        for _ in range(200):
            with no_grad():
                if (V(2.0) * 2).creator is not None:
                    failures.append(2)

    threads = [threading.Thread(target=f) for f in (train, look) * 3]
    for t in threads: t.start()
    for t in threads: t.join()
    assert not failures


# The same fault under both lists: one test proves both.
test_C6_padding_never_wins = test_D6_padding_never_wins
test_C13_losses_do_not_broadcast = test_D4_losses_do_not_broadcast
test_C18_average_pooling_of_tall_windows = test_D7_average_pooling_of_tall_windows
test_C19_extrema_over_a_negative_axis = test_D5_extrema_over_a_negative_axis
test_C20_an_output_that_nothing_uses = test_D20_an_output_that_nothing_uses
test_C21_backward_without_a_graph_says_why = test_D19_backward_without_a_graph_says_why
