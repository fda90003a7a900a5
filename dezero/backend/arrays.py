"""Which module (NumPy, CuPy) owns an array, and the way between host and device.

NumPy is always there. Another array module is registered under its array type; until that happens
``foreign`` is False and ops do not spend time on asking.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Any

import numpy as np

from dezero.backend.diagnosis import trouble

_modules: dict[type, Any] = {np.ndarray: np}
foreign = False  # is any module besides NumPy registered, or does half precision need help?
halves = 0       # how many blocks of autocast run, and one for bfloat16 once it was met: ``core.narrow`` helps ops then
HALVES = ("bfloat16", "float16")
_lock = Lock()
_met = False     # was an array of bfloat16 met?
adopted: list[Callable[[Any], None]] = []  # called with CuPy when its first array is met
_counters: dict[int, Counter[str]] = {}  # of the blocks of ``counting_fetches`` that run
_cupy: Any = None  # once it was asked for; a test puts a stand-in there


def register_module(array_type: type, module: Any) -> None:
    """Let ``module`` (with NumPy's function names) serve arrays of ``array_type``."""
    global foreign
    _modules[array_type] = module
    foreign = True


def unregister_module(array_type: type) -> None:
    """Undo :func:`register_module`."""
    global foreign
    _modules.pop(array_type, None)
    foreign = len(_modules) > 1 or halves > 0


def help_halves(n: int) -> None:
    """Count one more (1) or one less (-1) that needs help with half precision."""
    global foreign, halves
    with _lock:
        halves += n
        foreign = len(_modules) > 1 or halves > 0


def meet_bfloat16() -> None:
    """From now on ops look whether they work on bfloat16, for which neither NumPy nor CuPy keeps the dtype beside Python numbers."""
    global _met
    if not _met:
        _met = True
        help_halves(1)


def kind_of(dtype: Any) -> str:
    """The kind of a dtype by NumPy's letter, "f" also for bfloat16, for which that is "V".

    Examples:
        >>> kind_of(np.dtype(np.float16)), kind_of(np.dtype(bool))
        ('f', 'b')
    """
    kind: str = dtype.kind
    return "f" if kind == "V" and dtype.name == "bfloat16" else kind


def finfo(dtype: Any) -> Any:
    """``np.finfo``, which knows nothing of bfloat16."""
    dtype = np.dtype(dtype)
    if dtype.char != "E":
        return np.finfo(dtype)
    import ml_dtypes
    return ml_dtypes.finfo(dtype)  # type: ignore[no-untyped-call]


def half_dtype(op: str, dtype: Any) -> Any:
    """A dtype of half precision from its name, its type or itself.

    Raises:
        ValueError: it is another.
        ImportError: it is bfloat16, and the package ml_dtypes is missing.
    """
    try:
        name = dtype if dtype in HALVES else np.dtype(dtype).name
    except TypeError:
        name = ""
    if name not in HALVES:
        raise ValueError(f"{op}: dtype is {dtype!r}: 'bfloat16' or 'float16' is expected")
    if name == "float16":
        return np.dtype(np.float16)
    try:
        import ml_dtypes
    except ImportError as error:
        raise ImportError(f"{op}: NumPy and CuPy have bfloat16 from the package ml_dtypes: pip install ml_dtypes; or take dtype='float16'") from error
    meet_bfloat16()
    return np.dtype(ml_dtypes.bfloat16)


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
        for tell in adopted:
            tell(cupy)
        return True
    return False


class counting_fetches:
    """Count in a block how often values of device arrays come to the host through dezero, by what asked for them. The host waits for each.

    A training step has none of its own: ``F.softmax_cross_entropy`` and others do not look at values on a device, and a Trainer reads its sums
    together. What you call on CuPy's arrays themselves is not counted. It counts for all threads.

    Examples:
        >>> from dezero import cuda
        >>> with cuda.counting_fetches() as found:
        ...     pass  # a step of training
        >>> dict(found)
        {}
    """

    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    def __enter__(self) -> Counter[str]:
        _counters[id(self.found)] = self.found
        return self.found

    def __exit__(self, *error: object) -> None:
        _counters.pop(id(self.found), None)


def fetch(what: str, x: Any) -> Any:
    """``x``, whose values are about to come to the host; counted where it is a device's."""
    if _counters and array_module(x) is not np:
        for found in list(_counters.values()):
            found[what] += 1
    return x


def as_numpy(x: Any) -> Any:
    """``x`` (Variable, array, number, list) as a NumPy array on the host.

    Examples:
        >>> as_numpy([1, 2])
        array([1, 2])
    """
    x = getattr(x, "_data", x)
    if array_module(x) is np:
        return np.asarray(x)
    return fetch("as_numpy", x).get()


def as_cupy(x: Any) -> Any:
    """``x`` (Variable or array) as a CuPy array on the current device.

    Raises:
        ImportError: CuPy is not installed.
    """
    return cupy_module().asarray(getattr(x, "_data", x))


def cupy_module() -> Any:
    """CuPy, imported at the first use.

    Raises:
        ImportError: it is not installed, or broken.
    """
    if _cupy is not None:
        return _cupy
    try:
        import cupy
    except Exception as error:  # one built for another CUDA may raise anything
        raise ImportError(f"CuPy is needed to bring arrays to the GPU: {trouble()}") from error
    return cupy


def use_cupy(module: Any) -> None:
    """Let ``module`` stand in for CuPy; None goes back to it."""
    global _cupy
    _cupy = module


def device_answers() -> bool:
    """True if CuPy imports and a device answers; a broken CuPy counts as none."""
    try:
        import cupy
        return bool(cupy.cuda.is_available())
    except Exception:
        return False
