"""Which module (NumPy, CuPy) owns an array, and the way between host and device.

NumPy is always there. Another array module is registered under its array type; until that happens
``foreign`` is False and ops do not spend time on asking.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

_modules: dict[type, Any] = {np.ndarray: np}
foreign = False  # is any module besides NumPy registered?


def register_module(array_type: type, module: Any) -> None:
    """Let ``module`` (with NumPy's function names) serve arrays of ``array_type``."""
    global foreign
    _modules[array_type] = module
    foreign = True


def unregister_module(array_type: type) -> None:
    """Undo :func:`register_module`."""
    global foreign
    _modules.pop(array_type, None)
    foreign = len(_modules) > 1


def is_array(x: Any) -> bool:
    """True for an array of a registered module; NumPy scalars and subclasses of its arrays count."""
    return type(x) in _modules or isinstance(x, (np.ndarray, np.generic)) or _adopt(x)


def array_module(x: Any) -> Any:
    """The module that works on ``x``: numpy for NumPy arrays, numbers and all that is no array.

    Args:
        x: an array, a Variable or anything else.

    Examples:
        >>> import numpy as np
        >>> array_module(np.zeros(3)) is np
        True
    """
    x = getattr(x, "_data", x)  # a Variable
    module = _modules.get(type(x))
    if module is None:
        module = _modules[type(x)] if _adopt(x) else np
    return module


def _adopt(x: Any) -> bool:
    """Register CuPy the first time one of its arrays is met, so that nobody imports it before it is needed."""
    cupy = sys.modules.get("cupy")
    if cupy is not None and isinstance(x, getattr(cupy, "ndarray", ())):
        register_module(type(x), cupy)
        return True
    return False


def as_numpy(x: Any) -> Any:
    """``x`` (Variable, array, number, list) as a NumPy array on the host.

    Examples:
        >>> as_numpy([1, 2])
        array([1, 2])
    """
    x = getattr(x, "_data", x)
    if array_module(x) is np:
        return np.asarray(x)
    return x.get()


def as_cupy(x: Any) -> Any:
    """``x`` (Variable or array) as a CuPy array on the current device.

    Raises:
        ImportError: CuPy is not installed.
    """
    try:
        import cupy
    except ImportError as error:
        raise ImportError("CuPy is needed to bring arrays to the GPU: pip install 'dezero[cuda12]' or 'dezero[cuda13]', whichever fits the driver; "
                          "`dezero info` tells") from error
    return cupy.asarray(getattr(x, "_data", x))


def device_answers() -> bool:
    """True if CuPy imports and a device answers; a broken CuPy counts as none."""
    try:
        import cupy
        return bool(cupy.cuda.is_available())
    except Exception:
        return False
