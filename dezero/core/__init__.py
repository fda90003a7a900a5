"""The engine: Variables, Functions, and how gradients travel. Also the book's ``dezero.core``: its names are here."""

from dezero.config import Config, enable_grad, no_grad, test_mode, using_config
from dezero.core import graph, protocol
from dezero.core.anomaly import detect_anomaly
from dezero.core.arithmetic import Add, Div, Mul, Neg, Pow, Sub
from dezero.core.casting import autocast
from dezero.core.compat import add, as_array, as_variable, div, from_dlpack, mul, neg, pow, rdiv, rsub, setup_variable, sub  # noqa: A004 (the book's name)
from dezero.core.derivatives import grad, hessian, hvp, jacobian, jvp, vjp
from dezero.core.function import Function
from dezero.core.recompute import checkpoint
from dezero.core.variable import Parameter, Variable

__all__ = ["Add", "Config", "Div", "Function", "Mul", "Neg", "Parameter", "Pow", "Sub", "Variable", "add", "as_array", "as_variable", "autocast",
           "checkpoint", "detect_anomaly", "div", "enable_grad", "from_dlpack", "grad", "graph", "hessian", "hvp", "jacobian", "jvp", "mul", "neg",
           "no_grad", "pow", "protocol", "rdiv", "rsub", "setup_variable", "sub", "test_mode", "using_config", "vjp"]
