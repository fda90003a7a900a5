"""Powers, roots, exponentials and logarithms of each element, and the error function."""

from __future__ import annotations

import math

import numpy as np

from dezero.core.arithmetic import Elementwise, Pow
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import DTypeError
from dezero.functions.compare import equal

LN2, LN10 = math.log(2), math.log(10)
ERF_SLOPE = 2 / math.sqrt(math.pi)


class Square(Elementwise, op="square"):
    """y = x x."""

    def forward(self, x): return x * x
    def grad_x(self, gy, *, x): return gy * (x * 2)


class Sqrt(Elementwise, op="sqrt"):
    """y = x^(1/2)."""

    def forward(self, x): return self.xp.sqrt(x)
    def grad_x(self, gy, *, y): return gy / (y * 2)


class Rsqrt(Elementwise, op="rsqrt"):
    """y = x^(-1/2)."""

    def forward(self, x): return 1 / self.xp.sqrt(x)
    def grad_x(self, gy, *, x, y): return gy * y / (x * -2)


class Reciprocal(Elementwise, op="reciprocal"):
    """y = 1 / x."""

    def forward(self, x): return self.xp.divide(1.0, x)
    def grad_x(self, gy, *, y): return -gy * (y * y)


class Exp(Elementwise, op="exp"):
    """y = e^x."""

    def forward(self, x): return self.xp.exp(x)
    def grad_x(self, gy, *, y): return gy * y


class Expm1(Elementwise, op="expm1"):
    """y = e^x - 1."""

    def forward(self, x): return self.xp.expm1(x)
    def grad_x(self, gy, *, y): return gy * (y + 1)


class Log(Elementwise, op="log"):
    """y = ln x."""

    def forward(self, x): return self.xp.log(x)
    def grad_x(self, gy, *, x): return gy / x


class Log1p(Elementwise, op="log1p"):
    """y = ln(1 + x)."""

    def forward(self, x): return self.xp.log1p(x)
    def grad_x(self, gy, *, x): return gy / (x + 1)


class Log2(Elementwise, op="log2"):
    """y = ln x / ln 2."""

    def forward(self, x): return self.xp.log2(x)
    def grad_x(self, gy, *, x): return gy / (x * LN2)


class Log10(Elementwise, op="log10"):
    """y = ln x / ln 10."""

    def forward(self, x): return self.xp.log10(x)
    def grad_x(self, gy, *, x): return gy / (x * LN10)


class Power(Elementwise, op="power"):
    """y = a^b, where both may be differentiated."""

    def forward(self, a, b):
        try:
            return self.xp.power(a, b)
        except ValueError as error:
            if self.hint(a, b) is None:  # the shapes fit
                raise DTypeError("integers have no negative powers: use a.astype(np.float32)") from error
            raise

    def grad_a(self, gy, *, a, b):
        return gy * (Power.on(a, b - 1 + equal(b, 0)) * b)  # exponent 0 instead of -1: 0 times infinity would be NaN at a = 0

    def grad_b(self, gy, *, a, y):
        if isinstance(a, (int, float)):
            return gy * (y * (math.log(a) if a > 0 else 0.0 if a == 0 else math.nan))
        return gy * (y * Log.on(a + equal(a, 0)))


class Erf(Elementwise, op="erf"):
    """y = 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""

    def forward(self, x): return self.kernels.erf(x)
    def grad_x(self, gy, *, x): return gy * (Exp.on(-(x * x)) * ERF_SLOPE)


def pow(x: Operand, c: Operand) -> Variable:
    """x to the power c, element by element; ``x ** c`` does the same.

    Where c is a number, small integer powers are products. Else both sides get a gradient. The gradient of c is
    x^c ln x, taken as 0 where x is 0; it is NaN where x is negative.

    Args:
        x, c: Variables, arrays or numbers of shapes that broadcast.

    Returns:
        The broadcast shape.

    Raises:
        ShapeError: the shapes do not broadcast.
        DTypeError: integers meet negative integer exponents (which NumPy refuses).

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, c = Variable(np.array([1.0, 2.0])), Variable(np.array([3.0, 2.0]))
        >>> y = F.pow(x, c)
        >>> y.backward()
        >>> print(y, x.grad)
        variable([1. 4.]) variable([3. 4.])
        >>> print(2 ** c)
        variable([8. 4.])
    """
    if isinstance(c, np.generic):
        c = c.item()
    return Pow(c)(x) if isinstance(c, (int, float)) else Power()(x, c)


power = pow  # NumPy's name


def square(x: Operand) -> Variable:
    """x times x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.square(np.array([1.0, -2.0])))
        variable([1. 4.])
    """
    return Square()(x)


def sqrt(x: Operand) -> Variable:
    """The square root. Its gradient 1 / (2 sqrt(x)) is infinite at 0.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sqrt(np.array([1.0, 4.0])))
        variable([1. 2.])
    """
    return Sqrt()(x)


def rsqrt(x: Operand) -> Variable:
    """1 / sqrt(x).

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.rsqrt(np.array([1.0, 4.0])))
        variable([1.  0.5])
    """
    return Rsqrt()(x)


def reciprocal(x: Operand) -> Variable:
    """1 / x. Integers give floats.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.reciprocal(np.array([1.0, 4.0])))
        variable([1.   0.25])
    """
    return Reciprocal()(x)


def exp(x: Operand) -> Variable:
    """e to the power x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.exp(np.array([0.0, 1.0])))
        variable([1.         2.71828183])
    """
    return Exp()(x)


def expm1(x: Operand) -> Variable:
    """e to the power x, less 1: exact also near 0, where exp(x) - 1 loses its digits.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.expm1(np.array([0.0, 1e-20])))
        variable([0.e+00 1.e-20])
    """
    return Expm1()(x)


def log(x: Operand) -> Variable:
    """The natural logarithm.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.log(np.array([1.0, 2.0])))
        variable([0.         0.69314718])
    """
    return Log()(x)


def log1p(x: Operand) -> Variable:
    """The natural logarithm of 1 + x: exact also near 0, where log(1 + x) loses its digits.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.log1p(np.array([0.0, 1e-20])))
        variable([0.e+00 1.e-20])
    """
    return Log1p()(x)


def log2(x: Operand) -> Variable:
    """The logarithm to base 2.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.log2(np.array([1.0, 8.0])))
        variable([0. 3.])
    """
    return Log2()(x)


def log10(x: Operand) -> Variable:
    """The logarithm to base 10.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.log10(np.array([1.0, 1000.0])))
        variable([0. 3.])
    """
    return Log10()(x)


def erf(x: Operand) -> Variable:
    """The error function: 2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x.

    Computed with the rational approximations of W. J. Cody (1969), to a relative error below 1e-15 in float64, and with a
    shorter one to below 1e-6 in float32.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.erf(np.array([-1.0, 0.0, 0.5])))
        variable([-0.84270079  0.          0.52049988])
    """
    return Erf()(x)


__all__ = ["erf", "exp", "expm1", "log", "log1p", "log2", "log10", "pow", "power", "reciprocal", "rsqrt", "sqrt", "square"]
