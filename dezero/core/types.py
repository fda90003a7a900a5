"""Names for what public functions take."""

from __future__ import annotations

from typing import Any, TypeAlias

Array: TypeAlias = Any      # a NumPy or CuPy array
Operand: TypeAlias = Any    # a Variable, an array, a NumPy scalar or a Python number
Axis: TypeAlias = int | tuple[int, ...] | None
Shape: TypeAlias = int | tuple[int, ...]
