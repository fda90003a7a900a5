"""``dezero info``: the versions and the hardware that dezero runs on, and what is missing."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.files import data_folders, is_offline

EXTRAS = {"matplotlib": "plot", "pillow": "plot", "tqdm": "progress", "threadpoolctl": "cli", "tensorboardX": "tensorboard", "scipy": "fast",
          "numba": "fast"}
WHEELS = {12: "cupy-cuda12x", 13: "cupy-cuda13x"}  # major version of CUDA -> the wheel


def info() -> int:
    """Print a line for each thing."""
    for name, text in (("dezero", version("dezero") or "not installed, run from its folder"),
                       ("Python", f"{platform.python_version()} on {platform.platform()}"), ("processors", str(os.cpu_count())),
                       ("NumPy", f"{np.__version__} with {blas()}"), ("GPU", gpu()), ("CuPy", cupy()), ("Graphviz", graphviz()),
                       *((name, found(name, extra)) for name, extra in EXTRAS.items()), ("data folders", folders())):
        print(f"{name:<14}{text}")
    return 0


def version(package: str) -> str | None:
    """The version that is installed."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


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


def cuda_version() -> int | None:
    """The major version of CUDA that the driver can run."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return None
    try:
        text = subprocess.run([smi], capture_output=True, text=True, timeout=20).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"CUDA Version:\s*(\d+)", text)
    return int(match[1]) if match else None


def cupy() -> str:
    """CuPy and its devices, or the wheel to install."""
    cuda = cuda_version()
    wheel = WHEELS.get(min(cuda, max(WHEELS))) if cuda else None
    advice = f"pip install {wheel}" if wheel else ("on a machine with an NVIDIA GPU: pip install 'dezero[cuda12]' or 'dezero[cuda13]', "
                                                   "whichever fits the driver")
    try:
        import cupy as module
    except ImportError as error:
        installed = version("cupy-cuda12x") or version("cupy-cuda13x") or version("cupy")
        return f"{installed} does not import ({error}): {advice}" if installed else f"not installed; {advice}"
    except Exception as error:  # a CuPy built for another CUDA may raise anything
        return f"does not import ({type(error).__name__}: {error}): {advice}"
    try:
        count = module.cuda.runtime.getDeviceCount()
        names = [module.cuda.runtime.getDeviceProperties(i)["name"].decode() for i in range(count)]
    except Exception as error:  # CuPy is there, a driver or a device is not
        return f"{module.__version__}, but it finds no device ({error}): work goes on on the CPU"
    return f"{module.__version__} with {', '.join(names) or 'no device'}"


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
