"""Elementwise ops on the device: one launch forward and one for each gradient, computed in float32 for half precision.

Each row of the table gives an op's maths as expressions of CUDA C: of its inputs forward, of the gradient ``gy`` and the kept values
backward. A launch that plain CuPy needs no more than once is left to it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.launch import Elementwise
from dezero.backend.kernels import REFERENCE, fused, override

FLOATS = "efdE"  # the dtype characters of float16, float32, float64 and bfloat16
# larger and smaller give NaN where one of both is NaN, as NumPy's do.
PRELUDE = """
template <class A> __device__ __forceinline__ A larger(A a, A b) { return a >= b || a != a ? a : b; }
template <class A> __device__ __forceinline__ A smaller(A a, A b) { return a <= b || a != a ? a : b; }
template <class A> __device__ __forceinline__ A sign(A x) { return x > 0 ? A(1) : x < 0 ? A(-1) : x; }
template <class A> __device__ __forceinline__ A sigmoid(A x) { return A(1) / (A(1) + exp(-x)); }
template <class A> __device__ __forceinline__ A softplus(A x) { return log1p(exp(-fabs(x))) + larger(x, A(0)); }
template <class A> __device__ __forceinline__ A gauss(A x) { return A(0.5) * erfc(x * A(-0.70710678118654752)); }
template <class A> __device__ __forceinline__ A power(A x, A c) {
    return c == 2 ? x * x : c == 1 ? x : c == 3 ? x * x * x : c == 4 ? (x * x) * (x * x) : c == A(0.5) ? sqrt(x) : pow(x, c);
}
"""
_NUMBER = re.compile(r"(?<![\w.])\d+\.\d*(?:e[-+]?\d+)?")


def kernel(name: str, inputs: str, expression: str, parameters: str = "", out: str = "T") -> Elementwise:
    """An expression of the inputs, and of parameters that are Python numbers, as a kernel. A number with a point is of the type to compute in."""
    arrays, numbers = inputs.split(), [p.partition("=")[0] for p in parameters.split()]
    given = ", ".join([f"T {x}_" for x in arrays] + [f"float64 {p}_" for p in numbers])
    body = "".join(f"const A {v} = (A){v}_;\n" for v in arrays + numbers)
    return Elementwise(given, f"{out} out_", f"{body}out_ = ({out})({_NUMBER.sub(lambda n: f'A({n[0]})', expression)});", name, PRELUDE)


def common_float(values: Any) -> Any:
    """The dtype of all the arrays among values and Python numbers, if they have one dtype and it is a float; else None."""
    found = None
    for v in values:
        if type(v) is float or type(v) is int:
            continue
        dtype = getattr(v, "dtype", None)
        if dtype is None or found not in (None, dtype) or isinstance(v, np.generic):
            return None
        found = dtype
    return found if found is not None and found.char in FLOATS else None


def settings(parameters: str) -> Callable[[Any], list[float]]:
    """A function that reads parameters off an op; "x_min=-inf" stands for -inf where the op has None."""
    pairs = [(name, float(default or "nan")) for name, _, default in (p.partition("=") for p in parameters.split())]
    return lambda op: [default if (value := getattr(op, name)) is None else float(value) for name, default in pairs]


def served(run: Elementwise, parameters: str) -> Callable[..., Any]:
    """The function for the table of fused formulas: one launch for floats of one dtype."""
    if not parameters:
        return lambda op, *values: NotImplemented if common_float(values) is None else run(*values)
    read = settings(parameters)
    return lambda op, *values: NotImplemented if common_float(values) is None else run(*values, *read(op))


def row(op: str, inputs: str, forward: str | None = None, parameters: str = "", **gradients: tuple[str, str]) -> None:
    """Enter an op: its inputs, its value, and for each ``grad_<input>`` the names of the kept values and the gradient."""
    if forward is not None:
        fused("cupy", op, "forward")(served(kernel(op, inputs, forward, parameters), parameters))
    for part, (kept, gradient) in gradients.items():
        name = f"{op}_grad" if part == "grad_x" else f"{op}_{part}"
        fused("cupy", op, part)(served(kernel(name, f"gy {kept}", gradient, parameters), parameters))


# -- activations ------------------------------------------------------------------------------------

_PEAK = 1 / math.sqrt(2 * math.pi)
_U = f"x * (x * x * 0.044715 + 1.0) * {2 * _PEAK!r}"  # what the tanh form of GELU takes the tanh of

row("relu", "x", "larger(x, 0.0)", grad_x=("y", "gy * (y > 0)"))
row("sigmoid", "x", "sigmoid(x)", grad_x=("y", "gy * (y * (1.0 - y))"))
row("silu", "x", "x * sigmoid(x)", grad_x=("x", "gy * sigmoid(x) * (x * sigmoid(-x) + 1.0)"))
row("gelu", "x", "larger(x, -40.0) * gauss(x)", grad_x=("x", f"gy * (gauss(x) + x * exp(x * x * -0.5) * {_PEAK!r})"))
row("tanh_gelu", "x", f"x * (tanh({_U}) * 0.5 + 0.5)",
    grad_x=("x", f"gy * (tanh({_U}) * 0.5 + 0.5 + (1.0 - tanh({_U}) * tanh({_U})) * x * (x * x * 0.134145 + 1.0) * {_PEAK!r})"))
row("softplus", "x", "softplus(x * beta) / beta", "beta", grad_x=("x", "gy * sigmoid(x * beta)"))
row("mish", "x", "x * tanh(softplus(x))",
    grad_x=("x", "gy * (tanh(softplus(x)) + x * (1.0 - tanh(softplus(x)) * tanh(softplus(x))) * sigmoid(x))"))
row("leaky_relu", "x", "slope <= 1 ? larger(x, x * slope) : smaller(x, x * slope)", "slope", grad_x=("x", "gy * (x > 0 ? 1.0 : slope)"))
row("prelu", "x slope", "larger(x, 0.0) + slope * smaller(x, 0.0)",
    grad_x=("x slope", "gy * (x > 0 ? 1.0 : slope)"), grad_slope=("x", "gy * (x <= 0) * x"))
for _op in ("elu", "selu"):
    row(_op, "x", "scale * (larger(x, 0.0) + alpha * expm1(smaller(x, 0.0)))", "alpha scale",
        grad_x=("y", "gy * (y > 0 ? scale : y + scale * alpha)"))
row("hard_tanh", "x", "smaller(larger(x, -1.0), 1.0)", grad_x=("y", "gy * (y > -1 && y < 1)"))

# -- powers, exponentials, logarithms, angles ---------------------------------------------------------

row("div", "a b", grad_b=("b y", "-gy * y / b"))
row("pow", "x", "power(x, c)", "c", grad_x=("x", "c == 0 ? gy * 0.0 : c == 1 ? gy : gy * (power(x, c - 1) * c)"))
row("power", "a b", grad_a=("a b", "gy * (pow(a, b - 1 + (b == 0)) * b)"), grad_b=("a y", "gy * (y * log(a + (a == 0)))"))
row("square", "x", grad_x=("x", "gy * (x * 2.0)"))
row("sqrt", "x", grad_x=("y", "gy / (y * 2.0)"))
row("rsqrt", "x", "1.0 / sqrt(x)", grad_x=("x y", "gy * y / (x * -2.0)"))
row("reciprocal", "x", "1.0 / x", grad_x=("y", "-gy * (y * y)"))
row("expm1", "x", grad_x=("y", "gy * (y + 1.0)"))
row("log1p", "x", grad_x=("x", "gy / (x + 1.0)"))
row("log2", "x", grad_x=("x", f"gy / (x * {math.log(2)!r})"))
row("log10", "x", grad_x=("x", f"gy / (x * {math.log(10)!r})"))
row("erf", "x", grad_x=("x", f"gy * (exp(-(x * x)) * {2 / math.sqrt(math.pi)!r})"))
row("sin", "x", grad_x=("x", "gy * cos(x)"))
row("cos", "x", grad_x=("x", "gy * -sin(x)"))
row("tan", "x", grad_x=("y", "gy * (y * y + 1.0)"))
row("arcsin", "x", grad_x=("x", "gy / sqrt((1.0 - x) * (1.0 + x))"))
row("arccos", "x", grad_x=("x", "-gy / sqrt((1.0 - x) * (1.0 + x))"))
row("arctan", "x", grad_x=("x", "gy / (x * x + 1.0)"))
row("arctan2", "x0 x1", grad_x0=("x0 x1", "gy * (x1 / (x0 * x0 + x1 * x1))"), grad_x1=("x0 x1", "gy * (-x0 / (x0 * x0 + x1 * x1))"))
row("sinh", "x", grad_x=("x", "gy * cosh(x)"))
row("cosh", "x", grad_x=("x", "gy * sinh(x)"))
row("tanh", "x", grad_x=("y", "gy * (1.0 - y * y)"))

# -- choices ----------------------------------------------------------------------------------------

row("abs", "x", grad_x=("x", "gy * sign(x)"))
row("maximum", "x0 x1", grad_x0=("x0 x1", "gy * 0.5 * ((x0 >= x1) + (x0 > x1))"), grad_x1=("x0 x1", "gy * 0.5 * ((x0 <= x1) + (x0 < x1))"))
row("minimum", "x0 x1", grad_x0=("x0 x1", "gy * 0.5 * ((x0 <= x1) + (x0 < x1))"), grad_x1=("x0 x1", "gy * 0.5 * ((x0 >= x1) + (x0 > x1))"))
# The limits are rounded as the elements are, so that an element at a limit is not outside.
row("clip", "x", "smaller(larger(x, (A)(T)x_min), (A)(T)x_max)", "x_min=-inf x_max=inf",
    grad_x=("x", "x >= (A)(T)x_min && x <= (A)(T)x_max ? gy : 0.0"))

# -- what fits into no row --------------------------------------------------------------------------

_GLU = Elementwise("T a, T b", "T y, T s", "const A p = sigmoid((A)b);\ns = (T)p;\ny = (T)((A)a * p);", "glu", PRELUDE)
_GLU_GRAD = Elementwise("T gy, T a, T s", "T ga, T gb",
                        "const A g = (A)gy, p = (A)s;\nga = (T)(g * p);\ngb = (T)(g * (A)a * (p * (A(1) - p)));", "glu_grad", PRELUDE)
_ERF = kernel("erf", "x", "erf(x)")


@fused("cupy", "glu", "forward")
def glu(op: Any, x: Any) -> Any:
    """The result and the sigmoid of the second half; shapes that do not fit are left to the op, which says so."""
    if common_float((x,)) is None or not -x.ndim <= op.axis < x.ndim or x.shape[op.axis] % 2:
        return NotImplemented
    first, second = op.halves(x)
    return _GLU(x[first], x[second])


@fused("cupy", "glu", "grad_x")
def glu_grad(op: Any, gy: Any, x: Any, s: Any) -> Any:
    """Both halves of the gradient, into the places where they belong."""
    if common_float((gy, x, s)) is None:
        return NotImplemented
    first, second = op.halves(x)
    gx = cupy().empty(x.shape, x.dtype)
    _GLU_GRAD(gy, x[first], s, gx[first], gx[second])
    return gx


@override("cupy")
def erf(x: Any) -> Any:
    """One launch, to the accuracy of CUDA's own."""
    return REFERENCE["erf"](cupy(), x) if common_float((x,)) is None else _ERF(x)
