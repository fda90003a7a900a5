"""``dezero info``: the versions and the hardware that dezero runs on, and what is missing."""

from __future__ import annotations

import importlib
import os
import platform
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from dezero.backend import diagnosis, memory
from dezero.backend.device import memory_info
from dezero.backend.diagnosis import version
from dezero.datasets.files import data_folders, is_offline

EXTRAS = {"matplotlib": "plot", "pillow": "plot", "tqdm": "progress", "threadpoolctl": "cli", "tensorboardX": "tensorboard", "scipy": "fast",
          "numba": "fast"}


def info() -> int:
    """Print a line for each thing."""
    for name, text in (("dezero", version("dezero") or "not installed, run from its folder"),
                       ("Python", f"{platform.python_version()} on {platform.platform()}"), ("processors", str(os.cpu_count())),
                       ("NumPy", f"{np.__version__} with {blas()}"), ("GPU", gpu()), ("CuPy", cupy()), *devices(), ("Graphviz", graphviz()),
                       *((name, found(name, extra)) for name, extra in EXTRAS.items()), ("data folders", folders())):
        print(f"{name:<14}{text}")
    return 0


def found(package: str, extra: str) -> str:
    """The version, or how to install it."""
    return version(package) or f"not installed: pip install 'dezero[{extra}]'"


def blas() -> str:
    """The library that multiplies matrices, and its threads."""
    config: Any = np.show_config(mode="dicts")
    library = config.get("Build Dependencies", {}).get("blas", {})
    limits = [f"{name}={os.environ[name]}" for name in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS") if name in os.environ]
    name = f"{library.get('name', 'an unknown BLAS')} {library.get('version', '')}".strip()
    return f"{name}, {threads(name)} threads" + (f" ({', '.join(limits)})" if limits else "")


def threads(name: str) -> str:
    """How many threads the BLAS uses, as threadpoolctl or the environment tells."""
    try:
        import threadpoolctl
    except ImportError:
        return os.environ.get("OPENBLAS_NUM_THREADS") or os.environ.get("OMP_NUM_THREADS") or f"up to {os.cpu_count()}"
    pools = [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool.get("user_api") == "blas"]
    return str(max(pools, default=1))


def gpu() -> str:
    """NVIDIA's devices and driver, by nvidia-smi."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return "none found (no nvidia-smi)"
    try:
        done = subprocess.run([smi, "--query-gpu=name,driver_version", "--format=csv,noheader"], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"nvidia-smi does not answer ({error})"
    return "; ".join(done.stdout.split("\n")).strip("; ") or "nvidia-smi finds none"


def cupy() -> str:
    """CuPy with the versions of CUDA, or what is wrong and what to install."""
    if said := diagnosis.trouble():
        return said
    module = importlib.import_module("cupy")
    runtime = module.cuda.runtime
    return (f"{module.__version__} ({', '.join(diagnosis.installed()) or 'built from source'}), CUDA {diagnosis.spelt(runtime.runtimeGetVersion())}, "
            f"driver for CUDA {diagnosis.spelt(runtime.driverGetVersion())}")


def devices() -> Iterator[tuple[str, str]]:
    """A line for each CUDA device, its memory and the libraries; none where there is no device."""
    if diagnosis.trouble() is None:
        try:
            yield from _devices(importlib.import_module("cupy"))
        except Exception as error:  # this command is for machines where something is wrong
            yield "CUDA", diagnosis.first_line(error)


def _devices(module: Any) -> Iterator[tuple[str, str]]:
    for i in range(module.cuda.runtime.getDeviceCount()):
        properties = module.cuda.runtime.getDeviceProperties(i)
        now = memory_info(i)
        yield f"cuda:{i}", (f"{properties['name'].decode()}, compute capability {properties['major']}.{properties['minor']}, "
                            f"{memory.spelt(now.free)} of {memory.spelt(now.total)} free")
    now = memory_info()
    yield "CuPy's pool", f"holds {memory.spelt(now.held)}, of which arrays use {memory.spelt(now.used)}"
    gemm, cudnn = (importlib.import_module(f"dezero.backend.cuda.{name}") for name in ("gemm", "cudnn"))
    yield "cuBLAS", gemm.reason if gemm.binding() is None else "found"
    library = cudnn.available()
    yield "cuDNN", f"found, version {cudnn_version(library.cudnnGetVersion())}" if library else cudnn.reason


def cudnn_version(number: int) -> str:
    """As it is written: the numbers of version 9 have a digit more.

    Examples:
        >>> cudnn_version(91301), cudnn_version(8907)
        ('9.13.1', '8.9.7')
    """
    major, rest = divmod(number, 10000) if number >= 90000 else divmod(number, 1000)
    return f"{major}.{rest // 100}.{rest % 100}"


def graphviz() -> str:
    """The program dot, which PNG and PDF drawings of graphs need."""
    dot = shutil.which("dot")
    if dot is None:
        return "dot is not installed (drawings are SVG then): apt-get install graphviz, brew install graphviz or winget install graphviz"
    done = subprocess.run([dot, "-V"], capture_output=True, text=True, timeout=20)
    return (done.stderr or done.stdout).strip().removeprefix("dot - graphviz version ")


def folders() -> str:
    """Where data sets are looked for."""
    said = [f"{folder}{'' if Path(folder).is_dir() else ' (not there)'}" for folder in data_folders()]
    notes = ["downloads are off (DEZERO_OFFLINE)"] if is_offline() else []
    notes += [] if "DEZERO_DATA" in os.environ else ["set DEZERO_DATA to add one"]
    return "; ".join([", ".join(said), *notes])
