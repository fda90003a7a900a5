"""Which array module owns an array, the way between host and device, hot kernels, and random numbers."""

from dezero.backend import special  # noqa: F401  (fills the table of kernels)
from dezero.backend import convolution, convolution_numpy, pooling, pooling_numpy  # noqa: F401  (fill the table of kernels)
from dezero.backend import scatter  # noqa: F401  (fills the table of kernels)
from dezero.backend import attention, norm, rnn  # noqa: F401  (fill the table of kernels)
from dezero.backend import softmax  # noqa: F401  (fills the table of kernels)
from dezero.backend.arrays import (
    array_module,
    as_cupy,
    as_numpy,
    is_array,
    register_module,
    unregister_module,
)
from dezero.backend.kernels import kernels_of

__all__ = ["array_module", "as_cupy", "as_numpy", "is_array", "kernels_of", "register_module", "unregister_module"]
