"""Which array module owns an array, the way between host and device, hot kernels, and random numbers."""

from dezero.backend import (  # noqa: F401  (they fill the table of kernels)
    attention,
    convolution,
    convolution_numpy,
    matmul,
    norm,
    optimize,
    optimize_numpy,
    pooling,
    pooling_numpy,
    random,
    rnn,
    scatter,
    softmax,
    special,
    sums,
    together,
)
from dezero.backend.arrays import (
    array_module,
    as_numpy,
    device_answers,
    is_array,
    register_module,
    unregister_module,
)
from dezero.backend.device import as_cupy
from dezero.backend.kernels import kernels_of

__all__ = ["array_module", "as_cupy", "as_numpy", "device_answers", "is_array", "kernels_of", "register_module", "unregister_module"]
