"""Out of memory on a device: the op, the shapes, who holds what and what to do; and giving memory back."""

from __future__ import annotations

import gc
import re
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, checkpoint, grad, optimizers
from dezero import cuda as dezero_cuda
from dezero.backend import memory
from dezero.backend.device import put
from dezero.errors import DeviceMemoryError
from tests.cuda.fake_cuda import OutOfMemoryError

pytestmark = pytest.mark.seeds

X = np.random.default_rng(0).normal(size=(64, 8)).astype(np.float32)  # 2 KiB
SIZE = r"(\d+\.\d (G|M|K)iB|\d+ bytes)"
WORDS = (rf"out of memory: {SIZE} were asked for; of the 1.0 GiB of cuda:0, {SIZE} are free, and CuPy's pool holds {SIZE}, of which "
         rf"arrays use {SIZE}; the pool's limit is {SIZE}\. Take a smaller batch, keep less for backward with checkpoint\(\), compute in half "
         r"precision with autocast\(\), or give back what the pool holds unused: dezero.cuda.empty_cache\(\)")


def limit(cuda: Any, more: int) -> None:
    """Let so many bytes more be taken."""
    gc.collect()
    cuda.world.pool.set_limit(cuda.world.pool.used + more)


def test_forward_names_the_op_and_its_inputs(cuda: Any) -> None:
    x = Variable(put(X, "cuda"))
    limit(cuda, 100)
    with pytest.raises(DeviceMemoryError, match=r"^exp: x \(64, 8\) float32: " + WORDS) as caught:
        F.exp(x)
    error = caught.value
    assert isinstance(error, MemoryError) and isinstance(error.__cause__, OutOfMemoryError)
    assert error.asked == 2048 and error.used == cuda.world.pool.used and error.total == 1 << 30
    with pytest.raises(DeviceMemoryError, match=r"^add: a \(64, 8\) float32 and b 1\.0: out of memory"):
        x + 1.0
    with pytest.raises(DeviceMemoryError, match=r"^stack: xs\[0\] \(64, 8\) float32 and xs\[1\] \(64, 8\) float32: out of memory"):
        F.stack([x, x])


def test_forward_in_a_layer_names_its_path(cuda: Any) -> None:
    class Net(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc1 = L.Linear(100, in_size=8)

        def forward(self, x: Any) -> Any:
            return self.fc1(x)

    net, x = Net().to_gpu(), put(X, "cuda")
    limit(cuda, 100)
    with pytest.raises(DeviceMemoryError, match=r"^fc1: linear: x \(64, 8\) float32, W \(8, 100\) float32 and b \(100,\) float32: out of memory"):
        net(x)


@pytest.mark.parametrize("create_graph", [False, True])
def test_backward_names_the_op_and_what_it_works_with(create_graph: bool, cuda: Any) -> None:
    x = Variable(put(X, "cuda"))
    y = F.sum(F.sin(x) * x)
    limit(cuda, 3000)
    with pytest.raises(DeviceMemoryError) as caught:
        y.backward(create_graph=create_graph)
    assert re.search("^(mul|sin|cos|broadcast_to)" if create_graph else r"^backward of (mul|sin): gradient \(64, 8\) float32, kept \(64, 8\) float32",
                     str(caught.value))
    assert re.search(WORDS, str(caught.value))


def test_grad_says_it_too(cuda: Any) -> None:
    x = Variable(put(X, "cuda"))
    y = F.sum(x * x)
    limit(cuda, 100)
    with pytest.raises(DeviceMemoryError, match=r"^backward of (sum|mul): gradient"):
        grad(y, x)


def test_the_layer_of_a_formula_is_named(cuda: Any) -> None:
    class Net(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.fc = L.Linear(3, in_size=8)

        def forward(self, x: Any) -> Any:
            return F.sum(self.fc(x))

    net = Net().to_gpu()
    x = Variable(put(X, "cuda"))
    y = net(x)
    limit(cuda, 1000)
    with pytest.raises(DeviceMemoryError, match=r"^backward of fc: linear: gradient \(64, 3\) float32, kept"):
        y.backward()


def test_adding_to_gradients_that_are_there(cuda: Any) -> None:
    x = Variable(put(X, "cuda"))
    F.sum(x).backward()
    y = F.sum(x)
    limit(cuda, 2100)
    with pytest.raises(DeviceMemoryError, match=r"^backward(,| of sum)"):
        y.backward()


def test_an_optimizer_names_itself(cuda: Any) -> None:
    w = Parameter(put(X, "cuda"), name="w")
    optimizer = optimizers.Adam().setup([w])
    w.grad = Variable(put(X, "cuda"))
    limit(cuda, 3000)
    with pytest.raises(DeviceMemoryError, match=r"^Adam.update of 1 parameters with 512 numbers, and as many for each array of state: " + WORDS):
        optimizer.update()


def test_to_gpu_tells_the_shape(cuda: Any) -> None:
    limit(cuda, 100)
    for move in (lambda: Variable(X).to_gpu(), lambda: Variable(X).to_gpu("cuda:0"), lambda: dezero_cuda.as_cupy(X)):
        with pytest.raises(DeviceMemoryError, match=r"^to_gpu: \(64, 8\) float32: " + WORDS):
            move()


def test_a_step_can_be_taken_again_with_less(cuda: Any) -> None:
    w = Variable(put(np.ones((8, 8), np.float32), "cuda"))

    def step(x: Any) -> Any:
        w.cleargrad()
        F.sum(F.tanh(F.tanh(F.matmul(x, w)))).backward()
        return w.grad

    limit(cuda, 7000)
    x = put(X, "cuda")
    try:
        step(x)
        pytest.fail("there was room")
    except DeviceMemoryError:
        pass
    assert step(x[:16]) is not None


def test_memory_of_the_host_keeps_its_error() -> None:
    x = Variable(np.ones((1, 1), np.float32))
    with pytest.raises(MemoryError) as caught:
        F.broadcast_to(x, (1 << 20, 1 << 30)).data.copy() + F.exp(F.broadcast_to(x, (1 << 24, 1 << 30)))
    assert not isinstance(caught.value, DeviceMemoryError)


def test_a_host_out_of_memory_in_an_op_is_noted_with_its_name() -> None:
    with pytest.raises(MemoryError) as caught:
        F.exp(np.broadcast_to(np.float32(1), (1 << 24, 1 << 30)))
    assert not isinstance(caught.value, DeviceMemoryError) and "in exp: x (16777216, 1073741824) float32" in caught.value.__notes__


def test_checkpoint_tells_where_it_ran_out(cuda: Any) -> None:
    x = Variable(put(X, "cuda"))
    y = F.sum(checkpoint(lambda v: F.tanh(v) * v, x))
    limit(cuda, 3000)
    with pytest.raises(DeviceMemoryError, match="out of memory"):
        y.backward()


def test_a_device_in_trouble_still_says_what_is_known(cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> Any:
        raise RuntimeError("the device has fallen off the bus")
    monkeypatch.setattr(cuda.cuda.runtime, "memGetInfo", broken)
    said = memory.explained(cuda, OutOfMemoryError(5 << 30, 0), "exp: x (1,) float32")
    assert re.match(r"exp: x \(1,\) float32: out of memory: 5.0 GiB were asked for\. Take a smaller batch", str(said)) and said.asked == 5 << 30
    assert memory.explained(cuda, OutOfMemoryError(5, 0, 1 << 20), "exp").asked == 5
    assert "out of memory. Take" in str(memory.explained(cuda, MemoryError("no words"), "exp"))


# -- what is held ------------------------------------------------------------------------------------

def test_memory_is_counted_and_given_back(cuda: Any) -> None:
    x = put(X, "cuda")
    now = dezero_cuda.memory_info()
    assert (now.used, now.held, now.total) == (2048, 2048, 1 << 30) and now.free == now.total - now.held
    del x
    gc.collect()
    assert dezero_cuda.memory_info("cuda:0")[:2] == (0, 2048)
    dezero_cuda.empty_cache()
    assert dezero_cuda.memory_info(0)[:2] == (0, 0)


def test_without_cupy_there_is_no_memory_to_tell_of(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "cupy", None)
    for call in (dezero_cuda.memory_info, dezero_cuda.empty_cache):
        with pytest.raises(ImportError, match="CuPy is needed to bring arrays to the GPU"):
            call()
    with pytest.raises(ValueError, match="'cpu' is no CUDA device"):
        dezero_cuda.memory_info("cpu")
