"""DLPack both ways: the same memory, what cannot be handed over, and PyTorch at the other end."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable, from_dlpack, optimizers
from dezero.backend import arrays
from dezero.errors import DeviceError, DTypeError, InputTypeError
from tests import strict
from tests.strict import StrictArray, to_strict

DTYPES = pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "int8", "uint8", "int16", "int32", "int64", "bool", "complex64"])


class Foreign:
    """An array of another library."""

    def __init__(self, of: Any, device: tuple[int, int] = (1, 0), error: Exception | None = None) -> None:
        self.of, self.at, self.error, self.asked = of, device, error, {}
        self.dtype = "bfloat16"

    def __dlpack_device__(self) -> tuple[int, int]: return self.at

    def __dlpack__(self, **asked: Any) -> Any:
        if self.error is not None:
            raise self.error
        self.asked = asked
        return self.of.__dlpack__(**asked)


# -- out ---------------------------------------------------------------------------------------------

@DTYPES
def test_a_variable_is_handed_over_in_its_own_memory(dtype: str) -> None:
    for a in (np.ones((2, 3), dtype), np.ones((4, 6), dtype)[::2, 1::2].T, np.ones((), dtype), np.ones((0, 2), dtype)):
        y = np.from_dlpack(Variable(a))
        assert y.dtype == a.dtype and y.shape == a.shape and y.strides == a.strides and (not a.size or np.shares_memory(a, y))


def test_a_result_is_handed_over_without_its_history() -> None:
    x = Variable(np.array([1.0, 2.0]))
    y = x * x
    shared = np.from_dlpack(y)
    y.backward()
    assert shared.tolist() == [1.0, 4.0] and x.grad is not None and x.grad.data.tolist() == [2.0, 4.0]
    assert np.from_dlpack(F.sum(x)).tolist() == 3.0  # NumPy's scalar, which the engine computes with, has no memory to share


def test_the_device_is_told() -> None:
    assert Variable(np.ones(1)).__dlpack_device__() == np.ones(1).__dlpack_device__()


def test_a_copy_is_made_where_one_is_asked_for() -> None:
    a = np.ones(3)
    assert not np.shares_memory(np.from_dlpack(Variable(a), copy=True), a)
    assert np.from_dlpack(Variable(a[::-1]), copy=True).tolist() == [1.0, 1.0, 1.0]


def test_a_read_only_array_stays_read_only_or_is_refused() -> None:
    v = F.broadcast_to(Variable(np.ones(3)), (2, 3))
    assert not np.from_dlpack(v).flags.writeable
    with pytest.raises(BufferError, match=r"__dlpack__: \(2, 3\) float64: .*readonly.*hand over v.data.copy\(\), or take it by"):
        v.__dlpack__()  # as libraries ask that know DLPack before 1.0


@pytest.mark.parametrize("a", [np.ones((2, 3))[:, ::-1], np.ones(3)[::-1]])
def test_negative_strides_are_refused(a: Any) -> None:
    with pytest.raises(BufferError, match=r"negative strides, which other libraries do not take: hand over v.data.copy\(\)"):
        np.from_dlpack(Variable(a))


@pytest.mark.seeds
def test_bfloat16_is_refused_with_two_ways_round_it() -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    v = Variable(np.array([1.5], bfloat16))
    with pytest.raises(BufferError, match=r"\(1,\) bfloat16: .*v.astype\(np.float32\) is, or v.data.view\(np.uint16\)"):
        np.from_dlpack(v)
    assert np.from_dlpack(v.astype(np.float32)).tolist() == [1.5]
    assert np.from_dlpack(v.data.view(np.uint16)).view(bfloat16).tolist() == [1.5]


def test_a_variable_without_data_says_so() -> None:
    with pytest.raises(ValueError, match="the variable has no data yet"):
        np.from_dlpack(Variable(None))


# -- in ----------------------------------------------------------------------------------------------

@DTYPES
def test_an_array_is_taken_over_in_its_own_memory(dtype: str) -> None:
    a = np.ones((4, 6), dtype)[::2]
    v = from_dlpack(Foreign(a))
    assert type(v) is Variable and v.dtype == a.dtype and np.shares_memory(v.data, a)
    assert v.requires_grad == (np.dtype(dtype).kind == "f")


def test_what_was_taken_over_can_be_trained() -> None:
    a = np.array([1.0, -2.0], np.float32)
    w = from_dlpack(Foreign(a))
    F.sum(w * w).backward()
    optimizers.SGD(0.25).setup([dezero.Parameter(w.data)]).update()
    w.data -= np.float32(0.25) * w.grad.data
    assert a.tolist() == [0.5, -1.0]


def test_read_only_memory_stays_read_only() -> None:
    a = np.ones(3)
    a.flags.writeable = False
    v = from_dlpack(Foreign(a))
    assert not v.data.flags.writeable and (v * v).data.tolist() == [1.0] * 3
    F.sum(v * v).backward()
    assert v.grad is not None and v.grad.data.tolist() == [2.0] * 3


def test_variables_and_arrays_are_taken_too() -> None:
    a = np.ones(3)
    for x in (a, Variable(a)):
        assert np.shares_memory(from_dlpack(x).data, a)


def test_what_cannot_be_taken_over_is_told() -> None:
    with pytest.raises(InputTypeError, match="from_dlpack: x is list: an array of another library, which has __dlpack__, is expected"):
        from_dlpack([1.0])
    with pytest.raises(DeviceError, match="a device of DLPack's type 10: the host or a CUDA device is expected"):
        from_dlpack(Foreign(np.ones(1), (10, 0)))
    with pytest.raises(DTypeError, match="x is of bfloat16: Unsupported dtype in DLTensor.*convert it on the other side, bfloat16 to float32 say"):
        from_dlpack(Foreign(np.ones(1), error=RuntimeError("Unsupported dtype in DLTensor.")))
    with pytest.raises(BufferError, match="detach"):
        from_dlpack(Foreign(np.ones(1), error=BufferError("Can't export tensors that require gradient, use tensor.detach()")))
    with pytest.raises(RuntimeError, match="something else"):
        from_dlpack(Foreign(np.ones(1), error=RuntimeError("something else")))


# -- devices -------------------------------------------------------------------------------------------

@pytest.fixture
def cupy(strict_device: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A device whose arrays know the protocol as CuPy's do."""
    seen: list[Any] = []

    def from_dlpack(x: Any) -> StrictArray:
        seen.append(strict.Device.current)
        return x.of

    def capsule(self: StrictArray, **asked: Any) -> str:
        seen.append((strict.Device.current, asked))
        return "capsule"
    monkeypatch.setattr(arrays, "_cupy", strict_device)
    monkeypatch.setattr(strict_device, "from_dlpack", from_dlpack, raising=False)
    monkeypatch.setattr(StrictArray, "__dlpack__", capsule, raising=False)
    monkeypatch.setattr(StrictArray, "__dlpack_device__", lambda self: (2, self.device.id), raising=False)
    yield seen
    strict.Device.current = 0


def test_an_array_on_a_device_is_handed_over_there(cupy: Any) -> None:
    from dezero.backend import device
    try:
        v = Variable(to_strict(np.ones(2)))
        v.to_gpu(1)
        assert v.__dlpack_device__() == (2, 1)
        assert v.__dlpack__(stream=7, max_version=(1, 0), dl_device=None, copy=None) == "capsule"
        assert cupy == [(1, {"stream": 7, "max_version": (1, 0)})] and strict.Device.current == 0
    finally:
        device.several = False


@pytest.mark.parametrize("kind", [2, 13])
def test_an_array_on_a_device_is_taken_over_there(kind: int, cupy: Any) -> None:
    a = to_strict(np.ones(2))
    assert from_dlpack(Foreign(a, (kind, 0))).data is a and cupy == [0]
    with pytest.raises(DeviceError, match="cuda:5 is asked for: there are 2 CUDA devices"):
        from_dlpack(Foreign(a, (kind, 5)))


def test_pinned_memory_of_the_host_is_the_hosts() -> None:
    class Pinned(Foreign):
        def __dlpack__(self, **asked: Any) -> Any:
            return self.of.__dlpack__(max_version=(1, 0))
    a = np.ones(2)
    assert np.shares_memory(from_dlpack(Pinned(a, (3, 0))).data, a)


# -- PyTorch -------------------------------------------------------------------------------------------

@pytest.mark.torch
@DTYPES
def test_torch_takes_and_gives_the_same_memory(dtype: str) -> None:
    import torch
    a = np.arange(6).reshape(2, 3).astype(dtype)
    tensor = torch.from_dlpack(Variable(a))
    assert tuple(tensor.shape) == (2, 3) and tensor.data_ptr() == a.ctypes.data
    tensor[0, 0] = 1
    assert a[0, 0] == 1, "what PyTorch writes is seen here"
    back = from_dlpack(tensor.T)
    assert back.dtype == a.dtype and np.shares_memory(back.data, a) and np.array_equal(back.data, a.T)
    back.data[0, 0] = 0
    assert tensor[0, 0] == 0, "what is written here PyTorch sees"


@pytest.mark.torch
def test_torch_and_we_can_share_weights_in_training() -> None:
    import torch
    weights = torch.nn.Linear(3, 2, bias=False).weight
    w = dezero.Parameter(from_dlpack(weights.detach()).data)
    optimizer = optimizers.SGD(0.1).setup([w])
    x = np.random.default_rng(0).normal(size=(4, 3)).astype(np.float32)
    before = F.sum(F.linear(x, w.T) ** 2)
    before.backward()
    optimizer.update()
    after = (torch.from_numpy(x) @ weights.T).pow(2).sum().detach()
    assert float(after) < float(before) and float(after) == pytest.approx(float(F.sum(F.linear(x, w.T) ** 2)), rel=1e-5)


@pytest.mark.torch
def test_what_torch_does_not_take_or_give() -> None:
    import torch
    with pytest.raises(BufferError, match="negative strides"):
        torch.from_dlpack(Variable(np.ones((2, 3))[:, ::-1]))  # PyTorch would end the process
    with pytest.raises(BufferError, match="detach"):
        from_dlpack(torch.zeros(2, requires_grad=True))
    with pytest.raises(DTypeError, match=r"x is of torch.bfloat16: .*convert it on the other side"):
        from_dlpack(torch.zeros(2, dtype=torch.bfloat16))
    assert from_dlpack(torch.full((2,), 1.5, dtype=torch.bfloat16).view(torch.int16)).data.tolist() == [0x3FC0] * 2
    assert torch.from_dlpack(F.sum(Variable(np.ones(3)))).item() == 3.0
