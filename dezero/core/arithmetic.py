"""The ops that the engine and the operators cannot do without: arithmetic, and broadcasting with its adjoint."""

from __future__ import annotations

from typing import Any

from dezero.backend import arrays
from dezero.core.function import Function
from dezero.core.value import is_float
from dezero.errors import DTypeError


class Elementwise(Function):
    """An op on each element: inputs broadcast, and Python numbers and NumPy scalars go in as they are."""

    broadcasts = True
    scalars = True

    def hint(self, *xs: Any) -> str | None:
        """Shapes that do not broadcast are the usual cause."""
        shapes = [x.shape for x in xs if getattr(x, "shape", None)]
        if len(shapes) > 1 and any(len({*sizes} - {1}) > 1 for sizes in _aligned(shapes)):
            return "the shapes must be equal, or each axis, counted from the last, equal or 1"
        return None


def _aligned(shapes: list[tuple[int, ...]]) -> Any:
    """The sizes of each axis, counted from the last."""
    n = max(map(len, shapes))
    return zip(*((1,) * (n - len(s)) + tuple(s) for s in shapes), strict=True)


class Add(Elementwise, op="add"):
    """y = a + b."""

    def forward(self, a: Any, b: Any) -> Any: return a + b
    def grad_a(self, gy: Any) -> Any: return gy
    def grad_b(self, gy: Any) -> Any: return gy


class Sub(Elementwise, op="sub"):
    """y = a - b."""

    def forward(self, a: Any, b: Any) -> Any: return a - b
    def grad_a(self, gy: Any) -> Any: return gy
    def grad_b(self, gy: Any) -> Any: return -gy


class Mul(Elementwise, op="mul"):
    """y = a b."""

    def forward(self, a: Any, b: Any) -> Any: return a * b
    def grad_a(self, gy: Any, *, b: Any) -> Any: return gy * b
    def grad_b(self, gy: Any, *, a: Any) -> Any: return gy * a


class Div(Elementwise, op="div"):
    """y = a / b."""

    def forward(self, a: Any, b: Any) -> Any: return a / b
    def grad_a(self, gy: Any, *, b: Any) -> Any: return gy / b
    def grad_b(self, gy: Any, *, b: Any, y: Any) -> Any: return -gy * y / b


class Neg(Elementwise, op="neg"):
    """y = -x."""

    def forward(self, x: Any) -> Any: return -x
    def grad_x(self, gy: Any) -> Any: return -gy


class Pow(Elementwise, op="pow"):
    """y = x^c for a number c."""

    def __init__(self, c: float) -> None:
        self.c = c

    def forward(self, x: Any) -> Any:
        if self.c == 3:
            return x * x * x  # products of few factors are some ten times faster than power, and as exact
        if self.c == 4:
            x = x * x
            return x * x
        try:
            return x ** self.c
        except ValueError as error:
            raise DTypeError("integers have no negative powers: use x.astype(np.float32)") from error

    def grad_x(self, gy: Any, *, x: Any) -> Any:
        c = self.c
        if c == 2:
            return gy * (x * 2)
        if c == 1:
            return gy
        if c == 0:
            return gy * 0.0  # 0 x^-1 would be NaN at 0
        return gy * (Pow.on(x, c=c - 1) * c)


class Identity(Elementwise, op="identity"):
    """y = x, with a place of its own in the graph."""

    def forward(self, x: Any) -> Any: return x
    def grad_x(self, gy: Any) -> Any: return gy


class SumTo(Function, op="sum_to"):
    """Sum over axes that broadcasting would stretch: the adjoint of BroadcastTo."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.to = tuple(shape)

    def forward(self, x: Any) -> Any:
        lead = x.ndim - len(self.to)
        axes = (*range(lead), *(i + lead for i, s in enumerate(self.to) if s == 1 != x.shape[i + lead]))
        self.source = x.shape
        if not axes:
            return x.reshape(self.to)
        if x.dtype.itemsize == 2 and is_float(x):  # a float16 sum of ones stops at 2048
            return x.sum(axes, dtype="float32").astype(x.dtype).reshape(self.to)
        return x.sum(axes).reshape(self.to)

    def grad_x(self, gy: Any) -> Any: return BroadcastTo.on(gy, shape=self.source)

    def hint(self, x: Any) -> str | None:
        """What shapes can be summed to."""
        return f"the target shape {self.to} must broadcast to {x.shape}"


class BroadcastTo(Function, op="broadcast_to"):
    """Stretch axes of size 1, and add axes in front, as NumPy's broadcasting does."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.to = tuple(shape)

    def forward(self, x: Any) -> Any:
        self.source = x.shape
        return self.xp.broadcast_to(x, self.to)

    def grad_x(self, gy: Any) -> Any: return SumTo.on(gy, shape=self.source)

    def hint(self, x: Any) -> str | None:
        """What shapes can be broadcast to."""
        return f"{x.shape} cannot be broadcast to {self.to}: each axis, counted from the last, must be equal or 1"


class AsType(Function, op="astype"):
    """y = x in another dtype; the gradient goes back in x's dtype."""

    def __init__(self, dtype: Any) -> None:
        self.to = dtype

    def forward(self, x: Any) -> Any:
        self.source = x.dtype
        y = x.astype(self.to)
        if y.dtype.char == "E":
            arrays.meet_bfloat16()
        return y

    def grad_x(self, gy: Any) -> Any: return gy.astype(self.source)
