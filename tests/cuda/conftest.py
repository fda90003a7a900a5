"""The emulated device: arrays of ``to_strict`` are a device's, and kernels in CUDA C run on the host."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from dezero.backend import device, register_module, unregister_module
from dezero.backend.cuda import cudnn
from tests import strict
from tests.cuda import emulator, fake_cuda
from tests.cuda.cudnn import Library
from tests.strict import StrictArray

SELDOM = {"float64", "bfloat16"}  # each kernel is compiled for each dtype, and a fresh machine has nothing compiled


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of the dtypes that a test of these runs in, float32 and float16 are for every time."""
    for item in items:
        dtype = getattr(item, "callspec", None) and item.callspec.params.get("dtype")  # type: ignore[attr-defined]
        if getattr(dtype, "__name__", str(dtype)) in SELDOM and item.path.parent == Path(__file__).parent and item.path.name != "test_compile.py":
            item.add_marker(pytest.mark.slow)


@pytest.fixture
def emulated() -> Any:
    """The array module of the emulated device while the test runs."""
    if emulator.COMPILER is None:
        pytest.skip("g++ is not installed: the kernels in CUDA C cannot run on the host")
    register_module(StrictArray, emulator.module)
    emulator.use_module(emulator.module)
    cudnn.use(Library())
    yield emulator.module
    cudnn.use(None)
    emulator.use_module(None)
    assert strict.Device.current == 0 and not device.several, "the test leaves another device current: use the fixture `devices`"
    unregister_module(StrictArray)


@pytest.fixture
def no_host(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing may come back to the host."""
    def refuse(self: StrictArray, *args: Any) -> Any:
        raise AssertionError("the host waits for the device")
    for name in ("get", "item", "tolist", "__bool__", "__float__", "__int__", "__index__", "nonzero"):
        monkeypatch.setattr(StrictArray, name, refuse)


@pytest.fixture
def devices(emulated: Any) -> Any:
    """Two emulated devices, of which the first is current at first."""
    yield emulated
    strict.Device.current, device.several = 0, False


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The array module of an emulated device with streams, events and a memory pool; at the end there must have been no race."""
    module = fake_cuda.FakeCuda()
    made = StrictArray.__init__

    def counted(self: StrictArray, a: Any) -> None:
        made(self, a)
        module.world.born(self)
    monkeypatch.setattr(StrictArray, "__init__", counted)
    register_module(StrictArray, module)
    emulator.use_module(module)
    yield module
    emulator.use_module(None)
    unregister_module(StrictArray)
    strict.Device.current, device.several = 0, False
    gc.collect()
    assert not module.world.faults, module.world.faults
