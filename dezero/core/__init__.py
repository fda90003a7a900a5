"""The engine: Variables, Functions, and how gradients travel. Also the book's ``dezero.core``: its names are here."""

from dezero.config import Config, enable_grad, no_grad, test_mode, using_config
from dezero.core.arithmetic import Add, Div, Mul, Neg, Pow, Sub
from dezero.core.backprop import backprop
from dezero.core.function import Function
from dezero.core.variable import Parameter, Variable

__all__ = ["Add", "Config", "Div", "Function", "Mul", "Neg", "Parameter", "Pow", "Sub", "Variable", "backprop", "enable_grad",
           "no_grad", "test_mode", "using_config"]
