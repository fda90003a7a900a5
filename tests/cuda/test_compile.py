"""Every kernel compiles for a GPU, in every dtype: by nvcc, where it is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import dezero.backend.cuda  # noqa: F401  (defines the kernels)
from dezero.backend.cuda.launch import C_TYPES, HEADERS, KERNELS, WIDE, Elementwise, Raw

NVCC = shutil.which("nvcc") or shutil.which("nvcc", path=str(Path(os.environ.get("CUDA_HOME", "/usr/local/cuda")) / "bin"))


def in_namespace(kernel: Elementwise | Raw, dtype: str, i: int) -> str:
    """A kernel's code for one dtype, so that all of them fit into one file."""
    if isinstance(kernel, Raw):
        code = kernel.source(*[dtype, *["int64", "int32", "float32"][: kernel.types - 1]])
        code = re.sub(r"#include <[a-z0-9_]+\.h>", "", code).replace('extern "C"', "")
    else:
        parameters = [p.split()[-2:] for text in (kernel.inputs, kernel.outputs) for p in text.split(",") if p.strip()]
        raw = [p.split()[0] == "raw" for text in (kernel.inputs, kernel.outputs) for p in text.split(",") if p.strip()]
        letters = {kind for kind, _ in parameters if len(kind) == 1}
        types = [kind if len(kind) == 1 else C_TYPES[kind] for kind, _ in parameters]
        signature = ", ".join(f"{t}* p{k}" for k, t in enumerate(types))
        inside = "".join(f"{t}* {name} = p{k};\n" if bare else f"{t}& {name} = p{k}[i];\n"
                         for k, (t, (_, name), bare) in enumerate(zip(types, parameters, raw, strict=True)))
        code = ("".join(f"typedef {C_TYPES[dtype]} {letter};\n" for letter in sorted(letters)) + WIDE + kernel.prelude
                + f"__global__ void {kernel.name}({signature}, long long n) {{ long long i = blockIdx.x; {inside}{kernel.body}; }}\n")
    return f"namespace kernel{i} {{\n{code}\n}}\n"


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_all_kernels_compile_for_the_device(dtype: str, tmp_path: Path) -> None:
    if NVCC is None:
        pytest.skip("nvcc is not installed: the kernels in CUDA C cannot be compiled for a device")
    file = tmp_path / "kernels.cu"
    file.write_text("".join(HEADERS.values()) + "".join(in_namespace(k, dtype, i) for i, k in enumerate(KERNELS)), encoding="utf-8")
    done = subprocess.run([NVCC, "-std=c++17", "-arch=sm_90", "-cubin", "-o", str(tmp_path / "kernels.cubin"), str(file)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, f"a warning is a fault too:\n{done.stderr}"


def test_names_of_kernels_are_their_own() -> None:
    names = [kernel.name for kernel in KERNELS]
    assert len(names) == len(set(names)) and all(name.startswith("dezero_") for name in names)
