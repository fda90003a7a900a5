"""How exact the device is: whether float32 is multiplied in TF32, and whether sums have the same bits at every run."""

from __future__ import annotations

import os
import sys

import numpy as np

tf32 = os.environ.get("CUPY_TF32", "0") not in ("", "0")  # CuPy's own switch counts here too
deterministic_sums = False
_CUPY_DEFAULT, _CUPY_TF32 = 1, 7  # CuPy's compute types (cupy/_core/_routines_linalg.pxd)


class allow_tf32:
    """Let products and convolutions of float32 arrays round their factors to TF32 (10 bits of mantissa), which is several times faster.

    Sums stay in float32. Other dtypes are not touched. It holds from the call on, or in the block of a ``with``; for all threads.

    Args:
        allowed: False goes back to IEEE precision.

    Examples:
        >>> from dezero import cuda
        >>> with cuda.allow_tf32():
        ...     pass
    """

    def __init__(self, allowed: bool = True) -> None:
        self.before = tf32
        _choose(bool(allowed))

    def __enter__(self) -> allow_tf32:
        return self

    def __exit__(self, *error: object) -> None:
        _choose(self.before)


class deterministic:
    """Let sums whose order the device leaves open be added in a fixed order, so that a run gives the same bits again.

    These are the gradients of embeddings and of indexing, which are otherwise added by whoever comes first, at the cost of a sort; and
    convolutions for which cuDNN has only algorithms of that kind, which are then made of columns and products.
    It holds from the call on, or in the block of a ``with``; for all threads.

    Args:
        fixed: False goes back to the faster way.

    Examples:
        >>> from dezero import cuda
        >>> with cuda.deterministic():
        ...     pass
    """

    def __init__(self, fixed: bool = True) -> None:
        global deterministic_sums
        self.before, deterministic_sums = deterministic_sums, bool(fixed)

    def __enter__(self) -> deterministic:
        return self

    def __exit__(self, *error: object) -> None:
        global deterministic_sums
        deterministic_sums = self.before


def _choose(allowed: bool) -> None:
    global tf32
    tf32 = allowed
    tell_cupy()


def tell_cupy() -> None:
    """Let CuPy's own products of matrices follow; it has no public name for that, so one that lacks it is left as it is."""
    try:
        sys.modules["cupy"]._core.set_compute_type(np.float32, _CUPY_TF32 if tf32 else _CUPY_DEFAULT)
    except Exception:  # CuPy is not imported, has no device, or goes another way
        pass
