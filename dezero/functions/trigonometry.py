"""Trigonometric and hyperbolic functions of each element, and their inverses. Angles are in radians."""

from __future__ import annotations

from dezero.core.arithmetic import Elementwise
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.functions.explog import Sqrt


class Sin(Elementwise, op="sin"):
    """y = sin x."""

    def forward(self, x): return self.xp.sin(x)
    def grad_x(self, gy, *, x): return gy * Cos.on(x)


class Cos(Elementwise, op="cos"):
    """y = cos x."""

    def forward(self, x): return self.xp.cos(x)
    def grad_x(self, gy, *, x): return gy * -Sin.on(x)


class Tan(Elementwise, op="tan"):
    """y = tan x."""

    def forward(self, x): return self.xp.tan(x)
    def grad_x(self, gy, *, y): return gy * (y * y + 1)


class Arcsin(Elementwise, op="arcsin"):
    """y with sin y = x."""

    def forward(self, x): return self.xp.arcsin(x)
    def grad_x(self, gy, *, x): return gy / Sqrt.on((1 - x) * (1 + x))


class Arccos(Elementwise, op="arccos"):
    """y with cos y = x."""

    def forward(self, x): return self.xp.arccos(x)
    def grad_x(self, gy, *, x): return -gy / Sqrt.on((1 - x) * (1 + x))


class Arctan(Elementwise, op="arctan"):
    """y with tan y = x."""

    def forward(self, x): return self.xp.arctan(x)
    def grad_x(self, gy, *, x): return gy / (x * x + 1)


class Arctan2(Elementwise, op="arctan2"):
    """The angle of the point (x1, x0)."""

    def forward(self, x0, x1): return self.xp.arctan2(x0, x1)
    def grad_x0(self, gy, *, x0, x1): return gy * (x1 / (x0 * x0 + x1 * x1))
    def grad_x1(self, gy, *, x0, x1): return gy * (-x0 / (x0 * x0 + x1 * x1))


class Sinh(Elementwise, op="sinh"):
    """y = (e^x - e^-x) / 2."""

    def forward(self, x): return self.xp.sinh(x)
    def grad_x(self, gy, *, x): return gy * Cosh.on(x)


class Cosh(Elementwise, op="cosh"):
    """y = (e^x + e^-x) / 2."""

    def forward(self, x): return self.xp.cosh(x)
    def grad_x(self, gy, *, x): return gy * Sinh.on(x)


class Tanh(Elementwise, op="tanh"):
    """y = sinh x / cosh x."""

    def forward(self, x): return self.xp.tanh(x)
    def grad_x(self, gy, *, y): return gy * Complement.on(y)


class Complement(Elementwise):
    """y = 1 - x x: the slope of tanh as one op, which keeps the graphs of its higher derivatives small."""

    def forward(self, x): return 1 - x * x
    def grad_x(self, gy, *, x): return gy * (x * -2)


def sin(x: Operand) -> Variable:
    """The sine.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sin(np.array([0.0, np.pi / 2])))
        variable([0. 1.])
    """
    return Sin()(x)


def cos(x: Operand) -> Variable:
    """The cosine.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.cos(np.array([0.0, np.pi])))
        variable([ 1. -1.])
    """
    return Cos()(x)


def tan(x: Operand) -> Variable:
    """The tangent.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.tan(np.array([0.0, 1.0])))
        variable([0.         1.55740772])
    """
    return Tan()(x)


def arcsin(x: Operand) -> Variable:
    """The angle in [-pi/2, pi/2] whose sine is x, for x in [-1, 1]. Its gradient is infinite at both ends.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.arcsin(np.array([0.0, 0.5])))
        variable([0.         0.52359878])
    """
    return Arcsin()(x)


def arccos(x: Operand) -> Variable:
    """The angle in [0, pi] whose cosine is x, for x in [-1, 1]. Its gradient is infinite at both ends.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.arccos(np.array([0.5, 1.0])))
        variable([1.04719755 0.        ])
    """
    return Arccos()(x)


def arctan(x: Operand) -> Variable:
    """The angle in (-pi/2, pi/2) whose tangent is x.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.arctan(np.array([0.0, 1.0])))
        variable([0.         0.78539816])
    """
    return Arctan()(x)


def arctan2(x0: Operand, x1: Operand) -> Variable:
    """The angle in [-pi, pi] between the first axis and the point with the coordinates (x1, x0): arctan(x0 / x1) in all quadrants.

    Args:
        x0: the ordinate ("y").
        x1: the abscissa ("x"); the shapes broadcast. There is no gradient at the origin: it is NaN.

    Returns:
        The broadcast shape.

    Raises:
        ShapeError: the shapes do not broadcast.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.arctan2(np.array([1.0, -1.0]), np.array([1.0, -1.0])))
        variable([ 0.78539816 -2.35619449])
    """
    return Arctan2()(x0, x1)


def sinh(x: Operand) -> Variable:
    """The hyperbolic sine.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.sinh(np.array([0.0, 1.0])))
        variable([0.         1.17520119])
    """
    return Sinh()(x)


def cosh(x: Operand) -> Variable:
    """The hyperbolic cosine.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.cosh(np.array([0.0, 1.0])))
        variable([1.         1.54308063])
    """
    return Cosh()(x)


def tanh(x: Operand) -> Variable:
    """The hyperbolic tangent.

    Examples:
        >>> import numpy as np
        >>> from dezero import functions as F
        >>> print(F.tanh(np.array([0.0, 1.0])))
        variable([0.         0.76159416])
    """
    return Tanh()(x)


__all__ = ["arccos", "arcsin", "arctan", "arctan2", "cos", "cosh", "sin", "sinh", "tan", "tanh"]
