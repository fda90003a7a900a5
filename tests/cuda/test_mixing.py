"""Arrays of host and device in one op, a layer, a loss, a loader or an optimizer: the message names them, tells where each is, and what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Function, Parameter, Variable, optimizers
from dezero.backend import as_numpy
from dezero.backend.device import put
from dezero.datasets import ArrayDataset
from dezero.errors import DeviceError
from tests.strict import StrictArray, to_strict

pytestmark = [pytest.mark.usefixtures("emulated"), pytest.mark.seeds]

X = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
T = np.array([0, 1, 2, 0])
ADVICE = r"; move one: a Variable or a layer by to_gpu\(\) or to_cpu\(\), an array by dezero.cuda.as_cupy\(x\) or as_numpy\(x\), batches by"


def there(x: np.ndarray = X) -> Variable:
    return Variable(to_strict(x))


def here(x: np.ndarray = X) -> Variable:
    return Variable(x.copy())


def added(a: Any, b: Any) -> Any:
    a += b
    return a


def subtracted(a: Any, b: Any) -> Any:
    a -= b
    return a


def to_device(layer: L.Layer) -> L.Layer:
    for p in (*layer.params(), *layer.buffers()):
        p.data = to_strict(as_numpy(p.data))
    return layer


ON, HOST = "is on cuda:0", "is on the host"


@pytest.mark.parametrize(("call", "message"), [
    (lambda: there() + here(), f"add: host and device arrays are mixed: a {ON} and b {HOST}{ADVICE}"),
    (lambda: here() + there(), f"add: .*: a {HOST} and b {ON}{ADVICE}"),
    (lambda: there() + X, f"add: .*: a {ON} and b {HOST}"),
    (lambda: X + there(), f"add: .*: a {HOST} and b {ON}"),
    (lambda: X - there(), f"sub: .*: a {HOST} and b {ON}"),
    (lambda: X * there(), f"mul: .*: a {HOST} and b {ON}"),
    (lambda: X / there(), f"div: .*: a {HOST} and b {ON}"),
    (lambda: here() / to_strict(X), f"div: .*: a {HOST} and b {ON}"),
    (lambda: to_strict(X) - here(), f"sub: .*: a {ON} and b {HOST}"),
    (lambda: X @ there().T, f"matmul: .*: a {HOST} and b {ON}"),
    (lambda: there() @ X.T, f"matmul: .*: a {ON} and b {HOST}"),
    (lambda: there() ** X, f"power: .*{ON}.*{HOST}"),
    (lambda: X ** there(), f"power: .*{HOST}.*{ON}"),
    (lambda: added(there(), X), f"add: .*: a {ON} and b {HOST}"),
    (lambda: added(here(), to_strict(X)), f"add: .*: a {HOST} and b {ON}"),
    (lambda: subtracted(to_strict(X), here()), f"sub: .*: a {ON} and b {HOST}"),
    (lambda: there() < X, f"less: .*: x0 {ON} and x1 {HOST}"),
    (lambda: X < there(), f"np.less: .*: x0 {HOST} and x1 {ON}"),
    (lambda: here() >= there(), f"greater_equal: .*: x0 {HOST} and x1 {ON}"),
    (lambda: F.equal(there(), X), f"equal: .*: x0 {ON} and x1 {HOST}"),
    (lambda: np.equal(X, there()), f"np.equal: .*: x0 {HOST} and x1 {ON}"),
    (lambda: np.maximum(X, there()), f"maximum: .*: x0 {HOST} and x1 {ON}"),
    (lambda: F.where(X > 0, there(), 0.0), f"where: .*: condition {HOST} and x {ON}"),
    (lambda: F.concatenate([there(), here()]), rf"concatenate: .*: xs\[0\] {ON} and xs\[1\] {HOST}"),
    (lambda: F.stack([there(), there(), X]), r"stack: .*: xs\[0\], xs\[1\] are on cuda:0 and xs\[2\] is on the host"),
    (lambda: F.einsum("ij,kj->ik", there(), X), r"einsum: .*operands\[0\] is on cuda:0 and operands\[1\] is on the host"),
    (lambda: F.index_set(there(), 0, X[0]), f"index_set: .*: x {ON} and value {HOST}"),
    (lambda: here()[to_strict(T)], f"get_item: .*: x {HOST} and the index {ON}"),
    (lambda: F.embedding(T, there()), f"embedding: .*: x {HOST} and W {ON}"),
    (lambda: F.embedding(to_strict(T), here()), f"embedding: .*: x {ON} and W {HOST}"),
    (lambda: F.linear(there(), there(X.T @ X), np.ones(3, np.float32)), f"linear: .*: x, W are on cuda:0 and b {HOST}"),
    (lambda: F.softmax_cross_entropy(there(), T), f"softmax_cross_entropy: .*{ON} and t {HOST}"),
    (lambda: F.mean_squared_error(there(), X), f"mean_squared_error: .*: x0 {ON} and x1 {HOST}"),
    (lambda: F.mean_absolute_error(X, there()), f"mean_absolute_error: .*: x {HOST} and t {ON}"),
    (lambda: F.binary_cross_entropy(F.sigmoid(there()), abs(X)), f"binary_cross_entropy: .*: p {ON} and t {HOST}"),
    (lambda: F.accuracy(there(), T), f"accuracy: .*: y {ON} and t {HOST}"),
    (lambda: F.confusion_matrix(X, to_strict(T)), f"confusion_matrix: .*: y {HOST} and t {ON}"),
    (lambda: F.top_k_accuracy(there(), T, 2), f"top_k_accuracy: .*: y {ON} and t {HOST}"),
])
def test_a_mixture_is_refused_by_name(call: Callable[[], Any], message: str) -> None:
    with pytest.raises(DeviceError, match=f"^{message}"):
        call()


def test_numbers_and_0d_arrays_of_the_host_mix_with_anything() -> None:
    for number in (2, 2.0, np.float32(2), np.array(2.0), np.array(2.0, np.float32), Variable(np.array(2.0, np.float32))):
        for y in (there() * number, number * there(), there() + number):
            assert isinstance(y.data, StrictArray) and np.allclose(y.data.get(), (2 + X) if y.creator.op == "add" else 2 * X)


@pytest.mark.parametrize(("layer", "x", "names"), [
    (L.Linear(2, in_size=3), X, "linear: .*: x is on cuda:0 and W, b are on the host"),
    (L.Sequential(L.Linear(2, in_size=3), F.relu), X, "l0: linear: .*: x is on cuda:0 and W, b are on the host"),
    (L.Conv2d(2, 3, in_channels=1), np.ones((1, 1, 5, 5), np.float32), "conv2d: .*: x is on cuda:0 and W, b are on the host"),
    (L.LayerNorm(3), X, "layer_norm: .*: x is on cuda:0 and gamma, beta are on the host"),
    (L.Embedding(5, 3), T, "embedding: .*: x is on cuda:0 and W is on the host"),
    (L.LSTM(3, in_size=3), X, "lstm_cell: .*: x is on cuda:0 and Wx, Wh, b are on the host"),
], ids=lambda v: type(v).__name__)
def test_a_layer_and_its_input_in_two_places(layer: Any, x: Any, names: str) -> None:
    with pytest.raises(DeviceError, match=f"^{names}"):
        layer(to_strict(x))
    to_device(layer)
    back = names.replace("x is on cuda:0", "x is on the host").replace("are on the host", "are on cuda:0")
    with pytest.raises(DeviceError, match=f"^{back if 'are' in back else back.replace('W is on the host', 'W is on cuda:0')}"):
        layer(x)


def test_a_state_that_stayed_behind_is_named() -> None:
    lstm = L.LSTM(3, in_size=3)
    lstm(X)
    for p in lstm.params():
        p.data = to_strict(p.data)
    with pytest.raises(DeviceError, match="lstm_cell: .* x, Wx, Wh, b are on cuda:0 and h, c are on the host"):
        lstm(to_strict(X))


# -- gradients and optimizers ------------------------------------------------------------------------

def test_a_first_gradient_in_another_place() -> None:
    y = there() * there()
    y.grad = Variable(X)
    with pytest.raises(DeviceError, match="^backward: .*: the gradient given is on the host and the result is on cuda:0"):
        y.backward()
    x = here()
    y = x * x
    y.grad = there()
    with pytest.raises(DeviceError, match="^backward: .*: the gradient given is on cuda:0 and the result is on the host"):
        y.backward()


@pytest.mark.parametrize("seed", [np.array(2.0, np.float32), np.float32(2)])
@pytest.mark.parametrize("create_graph", [False, True])
def test_a_number_as_first_gradient(seed: Any, create_graph: bool) -> None:
    x = there()
    y = F.sum(x * x)
    y.grad = Variable(np.asarray(seed))
    y.backward(create_graph=create_graph)
    assert x.grad is not None
    np.testing.assert_allclose(x.grad.data.get(), 4 * X, rtol=1e-6)


def test_a_gradient_that_was_there_in_another_place() -> None:
    x = there()
    x.grad = Variable(X)
    with pytest.raises(DeviceError, match="^backward: .*: the .grad that was there is on the host and the new gradient is on cuda:0"):
        F.sum(x * x).backward()


def test_a_hook_that_gives_an_array_of_the_host() -> None:
    x = there()
    x.register_hook(lambda g: Variable(X))
    with pytest.raises(DeviceError, match="^a gradient hook: .*: what it returned is on the host and the gradient is on cuda:0"):
        F.sum(x * x).backward()


@pytest.mark.parametrize("hook", [None, optimizers.WeightDecay(0.1), optimizers.ClipGrad(1.0), optimizers.ClipValue(1.0)])
@pytest.mark.parametrize("make", [optimizers.SGD, optimizers.MomentumSGD, optimizers.Adam, optimizers.AdaGrad, optimizers.Lion])
def test_a_parameter_and_its_gradient_in_two_places(make: Any, hook: Any) -> None:
    for p, g, first, second in ((to_strict(X), X, ON, HOST), (X.copy(), to_strict(X), HOST, ON)):
        w = Parameter(p)
        optimizer = make(0.1).setup({"W": w})
        if hook is not None:
            optimizer.add_hook(hook)
        w.grad = Variable(g)
        with pytest.raises(DeviceError, match=f"^{make.__name__}.update: .* are mixed: parameter 'W' {first} and its gradient {second}"):
            optimizer.update()
        assert np.array_equal(as_numpy(w), X)


def test_two_devices(devices: Any) -> None:
    w = Parameter(put(X, 0))
    optimizer = optimizers.SGD(0.1).setup({"W": w})
    w.grad = Variable(put(X, 1))
    with pytest.raises(DeviceError, match="SGD.update: arrays of two devices .*: parameter 'W' is on cuda:0 and its gradient is on cuda:1; move"):
        optimizer.update()


# -- loaders -----------------------------------------------------------------------------------------

def test_samples_of_two_places_are_told_by_number() -> None:
    loader = DataLoader([(to_strict(X[0]), 1), (to_strict(X[1]), 0), (X[2], 2)], 3, False)
    with pytest.raises(DeviceError, match="part 0 of a batch: .*: sample 0 is on cuda:0 and sample 2 is on the host"):
        next(iter(loader))


def test_samples_on_the_device_make_a_batch_there() -> None:
    x, t = next(iter(DataLoader([(to_strict(X[0]), 1), (to_strict(X[1]), 0)], 2, False)))
    assert isinstance(x, StrictArray) and np.array_equal(x.get(), X[:2]) and t.tolist() == [1, 0]
    x, = next(iter(DataLoader([(to_strict(X[0, 0]),), (to_strict(X[1, 1]),)], 2, False))) if X[0, 0].ndim else (to_strict(X[:2, 0]),)
    assert x.shape == (2,)


def test_a_batch_that_was_not_moved_is_told_by_the_layer() -> None:
    model = to_device(L.Linear(2, in_size=3))
    x, _ = next(iter(DataLoader(ArrayDataset(X, T), 2)))
    with pytest.raises(DeviceError, match=r"linear: .*: x is on the host and W, b are on cuda:0; .*DataLoader\(..., gpu=True\)"):
        model(x)


def test_an_op_in_the_books_form_names_its_input() -> None:
    class Own(Function):
        def forward(self, a: Any, b: Any) -> Any: return a + b
        def backward(self, gy: Any) -> Any: return gy, gy

    with pytest.raises(DeviceError, match=f"own: .*: a {ON} and b {HOST}"):
        Own()(there(), here())
