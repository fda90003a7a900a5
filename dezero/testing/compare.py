"""Comparisons of Variables and arrays, wherever they live."""

from __future__ import annotations

import numpy as np

from dezero.backend import as_numpy
from dezero.core.types import Operand


def array_equal(a: Operand, b: Operand) -> bool:
    """True if shapes and all elements are equal.

    Args:
        a: a Variable, array, number or list, on host or device.
        b: another.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> array_equal(Variable(np.array([1.0, 2.0])), [1, 2])
        True
    """
    return bool(np.array_equal(as_numpy(a), as_numpy(b)))


def array_allclose(a: Operand, b: Operand, rtol: float = 1e-4, atol: float = 1e-5) -> bool:
    """True if the elements are equal up to ``atol + rtol |b|``; shapes may broadcast.

    Args:
        a: a Variable, array, number or list, on host or device.
        b: another.
        rtol: relative tolerance.
        atol: absolute tolerance.

    Examples:
        >>> array_allclose([1.0, 2.0], [1.00001, 2.0])
        True
        >>> array_allclose([1.0, 2.0], [1.001, 2.0])
        False
    """
    return bool(np.allclose(as_numpy(a), as_numpy(b), rtol=rtol, atol=atol))
