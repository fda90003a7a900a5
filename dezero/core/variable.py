"""Variable: an array that remembers how it was computed, and Parameter, the kind that is trained."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import numpy as np

from dezero.backend import arrays, as_numpy
from dezero.backend.device import device_of, put
from dezero.core.operators import ENGINE
from dezero.core.value import Value, is_float
from dezero.errors import InputTypeError, ShapeError

ndarray = np.ndarray
caches: dict[int, dict[int, Any]] = {}  # what the blocks of ``autocast`` that run have made of the arrays of parameters


def written() -> None:
    """Arrays of parameters were written to in place: blocks of ``autocast`` that run cast them again."""
    for kept in list(caches.values()):
        for key in [key for key, cast in list(kept.items()) if cast is not None]:
            kept.pop(key, None)


class Variable(Value):
    """An array in a computation graph.

    Args:
        data: a NumPy or CuPy array of any shape and dtype, or None for a variable that gets its data later.
            Float arrays can have gradients; integer and bool arrays are constants.
        name: shown in messages and drawings.
        requires_grad: False makes a constant of a float array too.

    Raises:
        InputTypeError: ``data`` is not an array.

    Examples:
        >>> import numpy as np
        >>> x = Variable(np.array(3.0))
        >>> y = x * x + 1
        >>> y.backward()
        >>> print(y, x.grad)
        variable(10.0) variable(6.0)
    """

    # _data is an array, or a NumPy scalar for a 0-d result: arithmetic on scalars is some ten times faster.
    # _node is None for a leaf, the Function (or one of its Outputs) that made a result, and the leaf itself for a handle on one.
    __slots__ = ("_data", "_grad", "_hooks", "_name", "_node", "requires_grad", "__weakref__")
    __array_priority__ = 200

    _data: Any
    _grad: Variable | None
    _hooks: dict[int, Callable[..., Any]]  # of a leaf; only there once a hook was registered
    _name: str | None
    _node: Any
    requires_grad: bool

    def __init__(self, data: Any, name: str | None = None, requires_grad: bool = True) -> None:
        self._data = None if data is None else checked_array(data)
        self._grad = None
        self._name = name
        self._node = None
        self.requires_grad = requires_grad and (data is None or is_float(self._data))

    # -- the array -------------------------------------------------------------------------------

    @property
    def data(self) -> Any:
        """The array itself, without its history. A 0-d result is an array here too."""
        data = self._data
        if caches and type(self) is not Variable:  # who has a parameter's array may write to it
            for kept in list(caches.values()):
                kept[id(data)] = None
        if type(data) is not ndarray and isinstance(data, np.generic):
            data = self._data = np.asarray(data)
        return data

    @data.setter
    def data(self, value: Any) -> None:
        old = self._data
        if value is old:  # v.data -= g writes in place, then sets what it got
            return
        if value is None:
            self._data = None
            return
        if isinstance(value, (bool, int, float)) and old is not None:
            value = np.asarray(value, old.dtype)  # x.data = x.data - 0.1 in plain Python numbers
        self._data = checked_array(value)
        if self._node is None and (old is None or is_float(old) != is_float(self._data)):
            self.requires_grad = is_float(self._data)

    _shape = property(attrgetter("_data.shape"))  # by the name that the nodes of results use

    # -- the graph -------------------------------------------------------------------------------

    @property
    def name(self) -> str | None:
        """The name in messages and drawings; it outlives the variable in the graph."""
        return self._name

    @name.setter
    def name(self, value: str | None) -> None:
        self._name = value
        if self._node is not None and not isinstance(self._node, Variable):
            self._node._label = value

    @property
    def creator(self) -> Any:
        """The Function that computed this variable, or None for a leaf."""
        node = self._node
        return None if node is None or isinstance(node, Variable) else node.function

    @property
    def generation(self) -> int:
        """0 for a leaf, else the length of the longest path from a leaf."""
        creator = self.creator
        return 0 if creator is None else creator.generation + 1

    @property
    def grad(self) -> Variable | None:
        """The gradient, a Variable of the same shape, once ``backward`` has set it."""
        return self._grad

    @grad.setter
    def grad(self, value: Any) -> None:
        if value is not None and not isinstance(value, Variable):
            value = Variable(value, requires_grad=False)
        if value is not None and self._data is not None and value.shape != self.shape:
            raise ShapeError(f"grad: a gradient of shape {value.shape} for {self._called()} of shape {self.shape}: they must be equal")
        self._grad = value

    def backward(self, retain_grad: bool = False, create_graph: bool = False, retain_graph: bool | None = None) -> None:
        """Add the gradient of this variable to ``.grad`` of every leaf that it was computed from.

        It starts from ``self.grad`` if that is set, else from ones (so for an array it gives the gradient of its sum).
        What the graph had kept is freed on the way; the graph's shape stays for drawing.

        Args:
            retain_grad: set ``.grad`` of the results on the way too.
            create_graph: record the computation of the gradients, so that they can be differentiated again.
            retain_graph: keep the graph for another ``backward``; ``create_graph`` implies it.

        Raises:
            UntrackedError: no tracked function computed this variable.
            IntegerGradientError: it is of an integer or bool dtype.
            FreedGraphError: an earlier ``backward`` freed a part of the graph.

        Examples:
            >>> import numpy as np
            >>> x = Variable(np.array(2.0))
            >>> y = x ** 3
            >>> y.backward(create_graph=True)
            >>> gx = x.grad
            >>> x.cleargrad()
            >>> gx.backward()
            >>> print(gx, x.grad)
            variable(12.0) variable(12.0)
        """
        ENGINE["backward"](self, retain_grad, create_graph, retain_graph)

    def register_hook(self, hook: Callable[[Variable], Variable | None]) -> Callable[[], None]:
        """Call ``hook(gradient)`` in every ``backward`` once this variable's gradient is complete.

        Args:
            hook: may return another gradient of the same shape, which takes its place.

        Returns:
            A function that removes the hook.

        Examples:
            >>> import numpy as np
            >>> x = Variable(np.array(2.0))
            >>> remove = x.register_hook(lambda g: g * 10)
            >>> (x * x).backward()
            >>> print(x.grad)
            variable(40.0)
        """
        return ENGINE["register_hook"](self, hook)  # type: ignore[no-any-return]

    def explain(self, y: Variable | None = None, *, max_paths: int = 12) -> Any:
        """Print how this variable's gradient comes about: the chain rule from ``y`` back to it, in symbols and in numbers.

        Args:
            y: what was computed from it; where None, the output of the last ``backward()``.
            max_paths: so many paths are written out at most.

        Returns:
            The explanation: see :func:`dezero.viz.explain`.

        Examples:
            >>> import numpy as np
            >>> x = Variable(np.array(3.0), name="x")
            >>> e = x.explain(x * x)  # doctest: +ELLIPSIS
            gx = ∂y/∂x = 6
            ...
            >>> e.formula
            'x + x'
        """
        return ENGINE["explain"](self, y, max_paths=max_paths)

    def cleargrad(self) -> None:
        """Forget the gradient; the next ``backward`` starts a new sum."""
        self._grad = None

    def unchain(self) -> None:
        """Cut this variable off from its creator: it is a leaf from now on, also for what used it already."""
        ENGINE["unchain"](self)

    def unchain_backward(self) -> None:
        """Cut every variable that this one was computed from off from its creator, as truncated backpropagation through time does.

        This one keeps its own, unless a ``backward`` has freed it: then it is a leaf from now on, and a sum may go on from it.
        """
        ENGINE["unchain_backward"](self)

    def set_creator(self, func: Any) -> None:
        """Make ``func``, a Function that was called, the creator."""
        self._node = func

    def detach(self) -> Variable:
        """The same array as a constant, without history."""
        return handle(self._data, None)

    # -- copies ----------------------------------------------------------------------------------

    def __copy__(self) -> Variable:
        twin = handle(self._data, self._node)
        twin.__class__ = type(self)
        twin._grad, twin._name, twin.requires_grad = self._grad, self._name, self.requires_grad
        return twin

    def __deepcopy__(self, memo: dict[int, Any]) -> Variable:
        twin = self.__copy__()  # a leaf: a copy of the graph behind it would be a second computation that never ran
        twin._node = None
        twin._data = None if self._data is None else self._data.copy()
        twin._grad = None if self._grad is None else handle(self._grad._data.copy(), None)
        memo[id(self)] = twin
        return twin

    def __reduce__(self) -> Any:
        grad = None if self._grad is None else as_numpy(self._grad)
        data = None if self._data is None else as_numpy(self._data)
        return _unpickled, (type(self), data, grad, self._name, self.requires_grad)

    def to_cpu(self) -> None:
        """Move the array to the host."""
        if self._data is not None:
            self._data = as_numpy(self._data)

    def to_gpu(self, device: str | int | None = None) -> None:
        """Move the array to a CUDA device: "cuda:1", or its number; the current one by default."""
        if self._data is not None:
            self._data = put(self._data, "cuda" if device is None else device)

    @property
    def device(self) -> str:
        """Where the array is: "cpu" or "cuda:0"."""
        return device_of(self._data)


def _unpickled(cls: type[Variable], data: Any, grad: Any, name: str | None, requires_grad: bool) -> Variable:
    v = cls(data, name=name)
    v.requires_grad = requires_grad
    v.grad = grad
    return v


class Parameter(Variable):
    """A Variable that a layer trains.

    Examples:
        >>> import numpy as np
        >>> W = Parameter(np.zeros((2, 3), np.float32), name="W")
        >>> W.shape
        (2, 3)
    """

    __slots__ = ()


def handle(data: Any, node: Any) -> Variable:
    """A Variable for a place in the graph: a result's node, a leaf, or None for a constant. No checks, no copies."""
    v = Variable.__new__(Variable)
    v._data = data
    v._grad = v._name = None
    v._node = node
    v.requires_grad = node is not None
    return v


def checked_array(data: Any) -> Any:
    """``data`` if it is an array or a NumPy scalar, as a plain ndarray; else an error with advice."""
    if type(data) is np.ndarray or type(data) in arrays._modules:
        if data.dtype.kind in "OUSMmV":
            if data.dtype.name == "bfloat16":
                arrays.meet_bfloat16()
                return data
            raise InputTypeError(f"Variable: an array of dtype {data.dtype}: numbers are needed; build it with np.array(..., dtype=float)")
        return data
    if isinstance(data, np.ndarray):  # a subclass, memmap say: the same memory as a plain array
        return np.asarray(data)
    if isinstance(data, np.generic):
        return np.asarray(data)
    if arrays.is_array(data):
        return data
    given = type(data).__name__
    if isinstance(data, Variable):
        advice = "pass its array, v.data, or use v itself"
    elif isinstance(data, (bool, int, float, list, tuple)):
        advice = f"write Variable(np.array({data if isinstance(data, (bool, int, float)) else '[...]'}))"
    else:
        advice = "convert it first"
    raise InputTypeError(f"Variable: {given} is not supported: a NumPy or CuPy array (or None) is expected; {advice}")
