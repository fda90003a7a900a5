"""autocast: products in half precision, what needs the range in float32, and parameters that stay float32."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import arrays, device
from dezero.backend.arrays import half_dtype
from dezero.config import changed, current
from dezero.core.operators import OPS
from dezero.core.value import is_float, is_half
from dezero.core.variable import Parameter, Variable, caches, handle

# The policy is PyTorch's for CUDA (aten/src/ATen/autocast_mode.h), with the ops that only this library has beside their kin.
LOW = {"conv2d", "conv_transpose2d", "einsum", "gru", "gru_cell", "linear", "lstm", "lstm_cell", "matmul", "prelu", "rnn", "rnn_cell",
       "scaled_dot_product_attention"}
WIDE = {"arccos", "arcsin", "binary_cross_entropy", "cholesky", "cofactors", "cosh", "cumsum", "det", "exp", "expm1", "group_norm", "huber",
        "interpolate", "interpolate_nearest", "inv", "kl_div", "layer_norm", "log", "log10", "log1p", "log2", "log_softmax", "logsumexp",
        "mean_absolute_error", "mean_squared_error", "nll_loss", "norm", "pow", "power", "prod", "reciprocal", "rms_norm", "rsqrt",
        "sigmoid_cross_entropy", "sinh", "slogdet", "softmax", "softmax_cross_entropy", "softplus", "solve", "square", "sum",
        "sum_squared_error", "tan", "weighted_softmax_cross_entropy"}
# Ops that take x in half precision beside parameters in float32, and give x's dtype.
MIXED = {"batch_norm", "fixed_batch_norm", "instance_norm"}
FREE = {"scaled_dot_product_attention": 3}  # inputs from here on stay as they are: a mask of -1e9 is no number of float16
POLICY = dict.fromkeys(LOW, "low") | dict.fromkeys(WIDE, "wide") | dict.fromkeys(MIXED, "mixed")

FLOAT32 = np.dtype(np.float32)


class Cast:
    """What one block of autocast does to the inputs of ops. It keeps the casts of parameters, by their arrays, until the block ends."""

    __slots__ = ("dtype", "kept")

    def __init__(self, dtype: Any) -> None:
        self.dtype = dtype
        self.kept: dict[int, Any] = {}  # id of an array -> (the array, its cast), or None: somebody may write to it

    def inputs(self, fn: Any, inputs: Any) -> Any:
        """The inputs of an op in the dtypes in which it is to run; the casts are recorded ops."""
        if not fn.native:
            return inputs
        policy = POLICY.get(fn.op)
        if policy == "low" and not any(getattr(getattr(x, "dtype", None), "char", "") == "d" for x in inputs):  # float64 stays what it is
            end = FREE.get(fn.op)
            return (*map(self.low, inputs[:end]), *inputs[len(inputs) if end is None else end:])
        if policy == "wide":
            return tuple(map(wide, inputs))
        return inputs if policy == "mixed" or len(inputs) < 2 else alike(inputs)  # what the op itself does with the two would not cast gradients

    def pair(self, fn: Any, a: Any, b: Any) -> Any:
        """The same for the arithmetic of two inputs."""
        if fn.op == "div" and isinstance(a, (int, float)):  # a reciprocal
            return a, wide(b)
        return alike((a, b))

    def low(self, x: Any) -> Any:
        """Floats of 16 and 32 bits in the block's dtype; anything else as it is."""
        data = getattr(x, "_data", x)
        dtype = getattr(data, "dtype", None)
        if dtype is None or dtype == self.dtype or not (dtype == FLOAT32 or is_half(data)):
            return x
        return recorded(x, data, self.of_parameter(data) if isinstance(x, Parameter) else astype(data, self.dtype))

    def of_parameter(self, data: Any) -> Any:
        """The cast of a parameter's array, made once.

        Each use of it is an op of its own in the graph, so that one backward may free what it used while another is to come.
        """
        key = id(data)
        found = self.kept.get(key, self)
        if found is self:
            found = self.kept[key] = (data, astype(data, self.dtype))
        return astype(data, self.dtype) if found is None else found[1]


def astype(data: Any, dtype: Any) -> Any:
    """An array in another dtype, made where it lies."""
    if device.several:
        device.enter(data)
    return data.astype(dtype)


def recorded(x: Any, data: Any, made: Any) -> Any:
    """``made``, the array of ``x`` in another dtype, as the result of the op ``astype``. It is half the work of a call, and there are many."""
    if not isinstance(x, Variable):
        return made
    out, mode = handle(made, None), current()
    fn = OPS["astype"](made.dtype)
    fn.source = data.dtype
    if x.requires_grad and mode.record:
        fn._record(mode, (x,), (data,), (x if x._node is None else x._node,), 1, (made,), [out])
    if mode.watch is not None:
        mode.watch.ran(fn, (data,), (made,))
    return out


def wide(x: Any) -> Any:
    """Half precision as float32; anything else as it is."""
    data = getattr(x, "_data", x)
    return recorded(x, data, astype(data, FLOAT32)) if is_half(data) else x


def alike(inputs: Any) -> Any:
    """Where half precision meets other floats it is widened, by an op that casts its gradient back."""
    datas = [getattr(x, "_data", x) for x in inputs]
    kinds = {data.dtype.char for data in datas if getattr(data, "dtype", None) is not None and is_float(data)}
    return inputs if len(kinds) < 2 or kinds.isdisjoint("eE") else tuple(map(wide, inputs))


class autocast(changed):
    """Run a block, or as a decorator a function, in mixed precision: faster on a GPU, and with half the memory for what is kept.

    Ops that end in products (``linear``, ``matmul``, ``einsum``, convolutions, attention, recurrent layers) take their float32 inputs in
    ``dtype`` and give it; they add up in float32. Ops that need range or many digits (exponentials, logarithms, powers, softmax, losses, sums,
    ``layer_norm``) compute in float32 and give it. The others take what comes, and give the wider dtype where their inputs differ.

    Parameters stay float32. They are cast once in a block, and their gradients arrive in float32. ``backward`` may stand inside or outside: each
    formula runs in the dtype of its op. Gradients below 6e-8 vanish in float16: scale the loss. bfloat16 has float32's range and needs that not.

    It holds for the running thread or asyncio task.

    Args:
        dtype: "bfloat16" or "float16", or a dtype of these.
        enabled: False runs the block without, also within another.

    Raises:
        ValueError: ``dtype`` is another.
        ImportError: bfloat16, without the package ml_dtypes.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Parameter, autocast
        >>> W = Parameter(np.ones((3, 2), np.float32))
        >>> with autocast("float16"):
        ...     y = F.linear(np.ones((4, 3), np.float32), W)
        ...     loss = F.softmax_cross_entropy(y, np.zeros(4, int))
        >>> loss.backward()
        >>> print(y.dtype, loss.dtype, W.grad.dtype)
        float16 float32 float32
    """

    __slots__ = ("dtype", "enabled")

    def __init__(self, dtype: Any = "bfloat16", enabled: bool = True) -> None:
        self.dtype = half_dtype("autocast", dtype) if enabled else None
        self.enabled = bool(enabled)
        super().__init__(cast=None)

    def begin(self) -> dict[str, Any]:
        """Each block has casts of its own, also where threads share this object."""
        if not self.enabled:
            return {"cast": None}
        cast = Cast(self.dtype)
        caches[id(cast.kept)] = cast.kept
        arrays.help_halves(1)
        return {"cast": cast}

    def __exit__(self, *error: object) -> None:
        cast = self.entered[-1][2].cast
        super().__exit__(*error)
        if cast is not None:
            caches.pop(id(cast.kept), None)
            cast.kept.clear()
            arrays.help_halves(-1)

    def anew(self) -> autocast:
        """The same for another block."""
        return autocast(self.dtype, self.enabled) if self.enabled else autocast(enabled=False)


def like(cast: Any) -> autocast:
    """A block that casts as another did, or not at all; for what is run again."""
    return autocast(enabled=False) if cast is None else autocast(cast.dtype)


