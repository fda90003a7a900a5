"""dezero: a define-by-run autograd framework on NumPy and CuPy. README.md shows it; every public name is here."""

from dezero import functions
from dezero.core import Config, Function, Parameter, Variable, enable_grad, no_grad, test_mode, using_config

__version__ = "0.1.0"
__all__ = ["Config", "Function", "Parameter", "Variable", "enable_grad", "functions", "no_grad", "test_mode", "using_config"]
