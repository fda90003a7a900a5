"""Rows for the activations: dezero/functions/activation.py, rectifier.py and softmax.py."""

import numpy as np

from tests.cases.case import Case, Floats
from tests.cases.lazy import scipy, special

KINK = Floats((2, 3), avoid=(0.0,))


def _elu(x: np.ndarray, alpha: float = 1.0, scale: float = 1.0) -> np.ndarray:
    return scale * np.where(x > 0, x, alpha * np.expm1(x))


def _leaky(x: np.ndarray, slope: object) -> np.ndarray:
    return np.where(x > 0, x, slope * x)


def _softmax(x: np.ndarray, axis: int = 1) -> np.ndarray:
    return special.softmax(x, axis)


def _tanh_gelu(x: np.ndarray) -> np.ndarray:
    return x / 2 * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)))


POINTWISE = [
    ("sigmoid", special.expit), ("sigmoid_simple", special.expit), ("silu", lambda x: x * special.expit(x)),
    ("gelu", lambda x: x * scipy.stats.norm.cdf(x)), ("softplus", lambda x: np.logaddexp(0, x)),
    ("mish", lambda x: x * np.tanh(np.logaddexp(0, x))),
]
PIECES = [
    ("relu", lambda x: np.where(x > 0, x, 0.0)), ("leaky_relu", lambda x: _leaky(x, 0.2)), ("elu", _elu),
    ("selu", lambda x: _elu(x, 1.6732632423543772, 1.0507009873554805)),
]
SOFT = [("softmax", _softmax), ("softmax_simple", _softmax), ("log_softmax", lambda x, axis=1: special.log_softmax(x, axis))]

CASES: list[Case] = [
    *(Case(name, (Floats((2, 3), -4, 4),), oracle, zero_d=True, zero_size=((0, 3),)) for name, oracle in POINTWISE),
    *(Case(name, (KINK,), oracle, zero_d=True, zero_size=((0, 3),)) for name, oracle in PIECES),
    Case("hard_tanh", (Floats((2, 3), avoid=(-1.0, 1.0)),), lambda x: np.clip(x, -1, 1), zero_d=True, zero_size=((0, 3),)),
    Case("leaky_relu", (KINK,), lambda x: _leaky(x, 1.5), call=lambda F, x: F.leaky_relu(x, 1.5), label="steep"),
    Case("leaky_relu", (KINK,), lambda x: _leaky(x, -0.5), call=lambda F, x: F.leaky_relu(x, slope=-0.5), label="bent up"),
    Case("elu", (KINK,), lambda x: _elu(x, 0.3), call=lambda F, x: F.elu(x, alpha=0.3), label="alpha"),
    Case("gelu", (Floats((2, 3), -4, 4),), _tanh_gelu, call=lambda F, x: F.gelu(x, approximate=True), label="tanh", zero_d=True,
         zero_size=((0, 3),)),
    Case("softplus", (Floats((2, 3)),), lambda x: np.logaddexp(0, 3 * x) / 3, call=lambda F, x: F.softplus(x, beta=3), label="beta"),
    Case("prelu", (KINK, Floats((3,))), _leaky, zero_size=((0, 3), (3,))),
    Case("prelu", (Floats((2, 3, 2, 2), avoid=(0.0,)), Floats((3,))), lambda x, s: _leaky(x, s[:, None, None]), label="images"),
    Case("prelu", (KINK, Floats((1,))), _leaky, label="one slope"),
    Case("prelu", (KINK, Floats(())), _leaky, label="0-d slope", zero_d=True),
    Case("glu", (Floats((2, 4)),), lambda x: x[:, :2] * special.expit(x[:, 2:]), zero_size=((0, 4),)),
    Case("glu", (Floats((2, 4, 3)),), lambda x: x[:, :2] * special.expit(x[:, 2:]), call=lambda F, x: F.glu(x, axis=1), label="axis 1"),
    *(Case(name, (Floats((3, 4)),), oracle, zero_size=((0, 4),)) for name, oracle in SOFT),
    *(Case(name, (Floats((2, 3, 2)),), lambda x, oracle=oracle, axis=axis: oracle(x, axis), label=f"axis {axis}",
           call=lambda F, x, name=name, axis=axis: getattr(F, name)(x, axis)) for name, oracle in SOFT for axis in (-1, 0, (1, 2))),
]
