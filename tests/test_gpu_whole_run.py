"""After all other tests on the GPU: every kernel in CUDA C was launched by one of them. This file stands behind theirs in the alphabet."""

from __future__ import annotations

import pytest

from dezero.backend.cuda.launch import KERNELS, Elementwise

pytestmark = pytest.mark.gpu


def test_every_kernel_was_launched(request: pytest.FixtureRequest) -> None:
    files = {item.path.name for item in request.session.items}
    if not {"test_gpu.py", "test_gpu_training.py", "test_kernels.py"} <= files or request.config.option.keyword:
        pytest.skip("only some of the tests on the GPU are run")
    compiled = [kernel._kernel if isinstance(kernel, Elementwise) else kernel._kernels for kernel in KERNELS]  # each at its first launch
    never = [kernel.name for kernel, done in zip(KERNELS, compiled, strict=True) if not done]
    assert not never, f"launched by no test: {never}"
