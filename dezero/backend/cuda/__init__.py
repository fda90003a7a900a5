"""Hot kernels in CUDA C for CuPy's arrays; loaded when the first of them is met. Each has the name and the contract of its reference."""

from dezero.backend.cuda import (  # noqa: F401  (they fill the tables of kernels)
    activations,
    attention,
    convolution,
    gradients,
    im2col,
    losses,
    norm,
    optimize,
    pooling,
    products,
    random,
    rnn,
    scatter,
    softmax,
    sums,
)
