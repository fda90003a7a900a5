"""What keeps a GPU from being used, in words: no driver, an old one, no CuPy, two of them, a broken one; and what `dezero info` lists."""

from __future__ import annotations

import os
import subprocess
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero import cuda as dezero_cuda
from dezero.backend import arrays, diagnosis
from dezero.cli import main
from dezero.cli.info import cudnn_version
from dezero.errors import DeviceError
from tests.cuda import fake_cuda
from tests.cuda.fake_cuda import CUDARuntimeError, FakeCuda

ROOT = Path(__file__).resolve().parents[2]


class Machine:
    """A machine to diagnose: its driver, its packages and its CuPy."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.patch = monkeypatch
        for name in ("gpu_enable", "cupy"):
            monkeypatch.delitem(vars(dezero_cuda), name, raising=False)
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
        self.is_like()

    def is_like(self, driver: int | None = 13020, packages: Any = ("cupy-cuda13x",), cupy: Any = None, **runtime: Any) -> Machine:
        module = FakeCuda() if cupy is None else cupy
        for name, value in runtime.items():
            setattr(module.cuda.runtime, name, value)
        self.patch.setattr(diagnosis, "driver_version", lambda: driver)
        self.patch.setattr(diagnosis, "installed", lambda: list(packages))
        self.patch.setitem(sys.modules, "cupy", None if cupy == "missing" else module)
        return self


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Any:
    yield Machine(monkeypatch)
    for name in ("gpu_enable", "cupy"):
        vars(dezero_cuda).pop(name, None)


def raises(error: Exception) -> Any:
    def call(*args: Any) -> Any:
        raise error
    return call


class Broken:
    """A package that raises at import, as one for another CUDA does."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
        if name == "cupy":
            raise ImportError("\n================\nFailed to import CuPy.\n\nOriginal error:\n  ImportError: libnvrtc.so.12")


def test_all_is_well(machine: Machine) -> None:
    assert dezero_cuda.trouble() is None and dezero_cuda.gpu_enable is True


@pytest.mark.parametrize(("driver", "command"), [
    (12040, "pip install 'cupy-cuda12x[ctk]'"), (13000, "pip install 'cupy-cuda13x[ctk]'"), (14010, "pip install 'cupy-cuda13x[ctk]'"),
    (11080, "install a newer driver, for CUDA 12 at least (this one serves CUDA up to 11.8), and CuPy after that"),
    (None, "on a machine with an NVIDIA GPU, pip install 'cupy-cuda12x[ctk]' or 'cupy-cuda13x[ctk]', whichever fits its driver")])
def test_no_cupy(driver: int | None, command: str, machine: Machine) -> None:
    machine.is_like(driver, (), "missing")
    assert dezero_cuda.trouble() == f"CuPy is not installed: {command}"
    assert dezero_cuda.gpu_enable is False


def test_two_wheels(machine: Machine) -> None:
    machine.is_like(12080, ("cupy-cuda12x", "cupy-cuda13x"))
    assert dezero_cuda.trouble() == ("cupy-cuda12x and cupy-cuda13x are installed, and each has overwritten files of the other: "
                                     "pip uninstall -y cupy-cuda12x cupy-cuda13x, then pip install 'cupy-cuda12x[ctk]'")


def test_a_cupy_that_does_not_import(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.is_like(12080, ("cupy-cuda12x",))
    monkeypatch.delitem(sys.modules, "cupy")
    monkeypatch.setattr(sys, "meta_path", [Broken(), *sys.meta_path])
    assert dezero_cuda.trouble() == ("cupy-cuda12x does not import (ImportError: Failed to import CuPy.): pip uninstall -y cupy-cuda12x, "
                                     "then pip install 'cupy-cuda12x[ctk]'")
    assert dezero_cuda.gpu_enable is False and not hasattr(dezero_cuda, "cupy")
    with pytest.raises(ImportError, match="CuPy is needed to bring arrays to the GPU: cupy-cuda12x does not import"):
        Variable(np.ones(1)).to_gpu()


def test_no_driver(machine: Machine) -> None:
    error = CUDARuntimeError("cudaErrorInsufficientDriver: CUDA driver version is insufficient for CUDA runtime version")
    machine.is_like(None, getDeviceCount=raises(error), memGetInfo=raises(error))
    said = "cupy-cuda13x 14.2.0 is installed, but there is no NVIDIA driver here: work goes on on the CPU, or install the driver of your GPU"
    assert dezero_cuda.trouble() == said
    machine.patch.setattr(sys.modules["cupy"], "asarray", raises(error), raising=False)
    for where in ("cuda", "cuda:0"):
        with pytest.raises(DeviceError, match=said):
            Variable(np.ones(1)).to_gpu(where)


def test_a_driver_that_is_too_old_for_the_wheel(machine: Machine) -> None:
    machine.is_like(12040)
    assert dezero_cuda.trouble() == ("cupy-cuda13x 14.2.0 is made for CUDA 13, and the driver serves CUDA up to 12.4: pip uninstall -y cupy-cuda13x, "
                                     "then pip install 'cupy-cuda12x[ctk]'; or install a newer driver")
    machine.is_like(11020, ("cupy-cuda12x",))
    assert "install a newer driver, for CUDA 12 at least" in str(dezero_cuda.trouble())
    assert machine.is_like(13000, ("cupy-cuda12x",)) and dezero_cuda.trouble() is None, "a newer driver serves what is older"
    machine.is_like(12040, ())
    assert "CuPy 14.2.0 is made for CUDA 13" in str(dezero_cuda.trouble()), "built from source: the runtime tells"


def test_no_device(machine: Machine) -> None:
    machine.is_like(getDeviceCount=lambda: 0)
    assert dezero_cuda.trouble() == "cupy-cuda13x 14.2.0 and a driver are installed, but there is no CUDA device"
    with pytest.raises(DeviceError, match="cuda:0 is asked for: cupy-cuda13x 14.2.0 and a driver are installed, but there is no CUDA device"):
        Variable(np.ones(1)).to_gpu(0)
    machine.patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert str(dezero_cuda.trouble()).endswith("there is no CUDA device; CUDA_VISIBLE_DEVICES is '-1'")


@pytest.mark.parametrize("name", ["getDeviceCount", "memGetInfo"])
def test_a_device_that_does_not_answer(name: str, machine: Machine) -> None:
    machine.is_like(**{name: raises(CUDARuntimeError("cudaErrorDevicesUnavailable: CUDA-capable device(s) is/are busy or unavailable"))})
    assert dezero_cuda.trouble() == ("cupy-cuda13x 14.2.0 is installed, but no CUDA device answers (CUDARuntimeError: cudaErrorDevicesUnavailable: "
                                     "CUDA-capable device(s) is/are busy or unavailable)")


def test_no_compiler(machine: Machine) -> None:
    machine.patch.setattr(sys.modules["cupy"].cuda.nvrtc, "getVersion", raises(ImportError("Failure finding \"libnvrtc.so.13\"")))
    assert dezero_cuda.trouble() == ("cupy-cuda13x 14.2.0 finds no NVRTC, CUDA's compiler (ImportError: Failure finding \"libnvrtc.so.13\"): "
                                     "pip install 'cupy-cuda13x[ctk]'")


def test_an_error_of_cuda_that_is_not_the_devices_keeps_its_words(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_cupy", sys.modules["cupy"])
    machine.patch.setattr(sys.modules["cupy"], "asarray", raises(CUDARuntimeError("cudaErrorIllegalAddress")), raising=False)
    with pytest.raises(CUDARuntimeError, match="cudaErrorIllegalAddress"):
        Variable(np.ones(1)).to_gpu()


def test_the_driver_is_asked_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    def library(status: int, number: int) -> Any:
        def version(place: Any) -> int:
            place._obj.value = number
            return status
        return lambda name: types.SimpleNamespace(cuDriverGetVersion=version)
    for status, number, found in ((0, 12040, 12040), (0, 0, None), (3, 12040, None)):
        monkeypatch.setattr(diagnosis.ctypes, "CDLL", library(status, number))
        assert diagnosis.driver_version() == found
    monkeypatch.setattr(diagnosis.ctypes, "CDLL", raises(OSError("libcuda.so.1: cannot open shared object file")))
    assert diagnosis.driver_version() is None


@pytest.mark.parametrize("fault", ["raise RuntimeError('built for another CUDA')", "raise ImportError('libcudart')", "class ndarray: pass",
                                   "import sys; sys.modules['cupy'] = None", "def __getattr__(name): raise KeyError(name)"])
def test_no_cupy_however_broken_breaks_the_import_or_the_report(fault: str, tmp_path: Path) -> None:
    (tmp_path / "cupy.py").write_text(fault)
    code = ("import dezero, numpy as np\nprint(dezero.cuda.gpu_enable, bool(dezero.cuda.trouble()))\n"
            "try: dezero.Variable(np.ones(1)).to_gpu()\nexcept Exception as error: print(type(error).__name__)\n"
            "from dezero.cli import main\nraise SystemExit(main(['info']))")
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
                          capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("False True\n") and "\nCuPy          " in done.stdout


# -- dezero info ---------------------------------------------------------------------------------------

def test_info_lists_devices_memory_and_libraries(machine: Machine, cuda: Any, capsys: pytest.CaptureFixture[str],
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cuda)
    monkeypatch.setitem(fake_cuda.PROPERTIES, "name", b"NVIDIA H200")
    x = cuda.asarray(np.ones(1 << 18))
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for line in ("CuPy          14.2.0 (cupy-cuda13x), CUDA 13.2, driver for CUDA 13.2",
                 "cuda:0        NVIDIA H200, compute capability 9.0, 1022.0 MiB of 1.0 GiB free",
                 "cuda:1        NVIDIA H200", "CuPy's pool   holds 2.0 MiB, of which arrays use 2.0 MiB", "cuBLAS        ", "cuDNN         "):
        assert line in out, out
    assert x.size


def test_info_survives_a_device_in_trouble(machine: Machine, cuda: Any, capsys: pytest.CaptureFixture[str],
                                           monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", cuda)
    monkeypatch.setattr(cuda.cuda.runtime, "getDeviceProperties", raises(CUDARuntimeError("cudaErrorUnknown")))
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    assert "CUDA          CUDARuntimeError: cudaErrorUnknown" in out and "Graphviz" in out


def test_versions_of_cudnn() -> None:
    assert [cudnn_version(n) for n in (8907, 90100, 91301)] == ["8.9.7", "9.1.0", "9.13.1"]


def test_training_on_a_device_that_is_not_there_says_why(machine: Machine, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    machine.is_like(12040, (), "missing")
    assert main(["train", "--device", "cuda:1", "--out", str(tmp_path / "run")]) == 1
    assert "dezero train: --device cuda:1: CuPy is not installed: pip install 'cupy-cuda12x[ctk]'" in capsys.readouterr().err
