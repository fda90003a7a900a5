"""Function: one differentiable operation, written as its maths, and the node that it leaves in the graph."""

from __future__ import annotations

import inspect
import weakref
from functools import partial
from typing import Any

import numpy as np

from dezero.backend import array_module, arrays, device, kernels_of
from dezero.config import Mode, current
from dezero.core.inputs import as_variables, constant, fail, full_arrays
from dezero.core.narrow import wrap
from dezero.core.node import Node, Output, tick
from dezero.core.operators import OPS
from dezero.core.plan import Plan, make_plan, read_formulas
from dezero.core.variable import Variable, handle

# What a call has found out; it does not hold for another call of the same object.
FOUND = frozenset({"_absent", "_inputs", "_label", "_site", "_seen", "xp", "kernels", "forward", "_plans", "_fused"})
ndarray, generic, new, ref = np.ndarray, np.generic, Variable.__new__, weakref.ref


class Function(Node):
    """One differentiable operation, and the node that a call of it leaves in the graph.

    ``forward`` takes arrays and gives an array (or a tuple of them). There are two ways to write the gradient.

    The library's way: ``grad_<input>`` for each differentiable input, in a class made with ``op="its_name"``. It takes
    the gradients of the outputs by position and, by keyword-only names, the inputs or returns that it wants kept. It
    uses only operators, methods that arrays and Variables share, and ``SomeOp.on(...)``, so the same formula runs on
    arrays (first order) and on Variables (higher orders). Work that serves several inputs is one
    ``backward(self, gy, *, x, y)`` that returns a tuple: a gradient or None for each input.

    The book's way, for your own ops: ``backward(self, gy)`` on Variables, which finds ``self.inputs`` and ``self.outputs``.

    Class attributes:
        broadcasts: inputs may broadcast; the engine sums their gradients back to the inputs' shapes.
        scalars: forward also takes Python numbers and NumPy scalars; only elementwise maths does.
        returns: names of what forward returns, for formulas that want a return back.
        saves: names of further returns of forward, kept for the gradient, that are no outputs.
        compose: the same maths on Variables in plain ops. An op that has it takes its second and higher derivatives from
            there, so its forward and its gradient may be kernels on arrays. An op with ``saves`` needs it.

    Examples:
        >>> import numpy as np
        >>> class Cube(Function):
        ...     def forward(self, x):
        ...         return x ** 3
        ...     def backward(self, gy):
        ...         x, = self.inputs
        ...         return 3 * x ** 2 * gy
        >>> x = Variable(np.array(2.0))
        >>> y = Cube()(x)
        >>> y.backward()
        >>> print(y, x.grad)
        variable(8.0) variable(12.0)
    """

    __slots__ = ("__dict__",)

    op: str = ""
    args: tuple[str, ...] = ()
    returns: tuple[str, ...] = ("y",)
    saves: tuple[str, ...] = ()
    values: tuple[str, ...] = ("y",)        # returns and saves: all that forward gives
    broadcasts = False
    scalars = False
    compose: Any = None
    native = False                          # written the library's way
    variadic = False                        # forward takes any number of inputs
    optional = False                        # the last inputs of forward may be left out, and are None then
    shared: Any = None                      # the library's ``backward``, where one serves all inputs
    wants: dict[str, list[str]] = {}        # formula -> the names that it wants kept
    _label: str | None = None               # the output's name, where it has one
    _absent: tuple[int, ...] = ()           # inputs that were None; their edges look like those of constant arrays
    xp: Any = np                            # the array module of the inputs ...
    kernels: Any = kernels_of(np)           # ... and its hot kernels
    _plans: dict[Any, Plan] = {}
    _fused: Any = None                      # formulas of the backend that take one launch each

    def __init_subclass__(cls, op: str | None = None, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        parameters = list(inspect.signature(cls.forward).parameters.values())[1:]
        cls.args = tuple(p.name for p in parameters)
        cls.variadic = any(p.kind is p.VAR_POSITIONAL for p in parameters)
        cls.optional = any(p.default is None for p in parameters)
        cls.native = op is not None or any(name.startswith("grad_") for name in vars(cls)) or (cls.native and "backward" not in vars(cls))
        cls.op = op or cls.__name__.lower()
        cls._plans = {}
        if cls.native and cls.forward is not Function.forward:  # else it is a base of ops
            cls.shared = None if cls.backward is Function.backward else cls.backward
            cls.values = (*cls.returns, *cls.saves)
            cls.wants = read_formulas(cls)
            if cls.saves and cls.compose is None:
                raise TypeError(f"{cls.__name__} saves {', '.join(cls.saves)} and has no compose(): "
                                "its second derivative would take them for constants")
        if op is not None:
            OPS[op] = cls

    # -- to be written by an op ------------------------------------------------------------------

    def forward(self, *xs: Any) -> Any:
        """The maths, on arrays."""
        raise NotImplementedError(f"{type(self).__name__} has no forward: define forward(self, x) that takes arrays and returns an array")

    def backward(self, *gys: Any) -> Any:
        """The gradients of the inputs from those of the outputs."""
        raise NotImplementedError(f"{type(self).__name__} has no gradient: define backward(self, gy) that takes and returns Variables")

    def hint(self, *xs: Any) -> str | None:
        """What would be right, for the message after forward has failed on ``xs``."""
        return None

    # -- calling ---------------------------------------------------------------------------------

    @classmethod
    def on(cls, *inputs: Any, **params: Any) -> Any:
        """Run the op and keep the kind: arrays give arrays, any Variable gives Variables. Made for gradient formulas."""
        fn = cls(**params)
        for x in inputs:
            if isinstance(x, Variable):
                return fn(*inputs)
        if arrays.foreign:
            fn.locate(inputs)
        y = fn.forward(*(inputs if cls.scalars else full_arrays(inputs)))
        return y if not cls.saves else y[0] if len(cls.returns) == 1 else y[: len(cls.returns)]

    def __call__(self, *inputs: Any) -> Any:
        """Run the op on Variables, arrays and numbers, and record it where a gradient may be wanted."""
        if getattr(self, "_plan", None) is not None:  # this object is a node of some graph already
            return self._again()(*inputs)
        if not self.native:
            inputs = tuple(as_variables(self, inputs))
        elif self.optional and len(inputs) < len(self.args):
            inputs += (None,) * (len(self.args) - len(inputs))
        mode = current()
        if mode.cast is not None:
            inputs = mode.cast.inputs(self, inputs)
        xs, edges, needs = self._collect(inputs)
        if arrays.foreign:
            self.locate(xs)
        try:
            y = self.forward(*xs)
        except Exception as error:
            fail(self, xs, error)
        returns: Any = (y,)
        if type(y) is not ndarray:
            if isinstance(y, (tuple, list)):
                if not self.saves or len(self.returns) > 1:
                    return self._several(inputs, xs, edges, needs, y)
                returns, y = y, y[0]  # one output, and what is kept for the gradient
            if type(y) is not ndarray and not isinstance(y, generic):
                y = self._as_array(y)
        out = new(Variable)
        out._data = y
        out._grad = out._name = out._node = None
        out.requires_grad = False
        if needs and mode.record:
            plan = self._plans.get(needs)
            if plan is None:
                plan = self.plan_for(needs, len(xs))
            if plan.calls:
                self._plan = plan
                if self.native:
                    self._kept = plan.gather((*xs, *returns))
                else:
                    self._kept, self._inputs = (*xs, y), list(inputs)
                self._edges = edges
                self._order = tick()
                self._shape = y.shape
                self._dtype = y.dtype
                self._layer = mode.layer
                self._output = ref(out)
                out._node = self
                out.requires_grad = True
        if mode.watch is not None:
            mode.watch.ran(self, xs, returns)
        return out

    def _collect(self, inputs: tuple[Any, ...]) -> tuple[list[Any], list[Any], int]:
        """The raw inputs, where each comes from, and as bits which of them need a gradient."""
        needs, bit, odd, scalars = 0, int(len(inputs) <= 64), False, self.scalars
        xs: list[Any] = []
        edges: list[Any] = []
        for x in inputs:
            if isinstance(x, Variable):
                edge = None
                if x.requires_grad:
                    needs |= bit
                    edge = x._node
                    if edge is None:
                        edge = x
                x = x._data
            elif type(x) is ndarray:
                edge = None
            else:
                x = constant(self, x)
                edge = None if hasattr(x, "shape") else x  # a number stands in its own place; an array is not kept for that
            if type(x) is not ndarray:
                odd = True
            elif scalars and not x.shape:
                x = x[()]
            xs.append(x)
            edges.append(edge)
            bit += bit
        if len(inputs) > 64:  # one shift at a time would take quadratic time
            needs = int("".join("01"[isinstance(x, Variable) and x.requires_grad] for x in reversed(inputs)), 2)
        if odd and not scalars:
            xs = full_arrays(xs)
            if absent := tuple([i for i, x in enumerate(xs) if x is None]):
                self._absent = absent
        return xs, edges, needs

    def _binary(self, a: Any, b: Any) -> Any:
        """``__call__`` for the arithmetic of two inputs, where each tenth of a microsecond shows."""
        mode = current()
        if mode.cast is not None:
            a, b = mode.cast.pair(self, a, b)
        needs = 0
        if isinstance(a, Variable):
            xa = a._data
            ea = None
            if a.requires_grad:
                needs = 1
                ea = a._node
                if ea is None:
                    ea = a
        elif type(a) is float or type(a) is int:
            ea = xa = a
        else:
            xa = constant(self, a)
            ea = None if hasattr(xa, "shape") else xa
        if isinstance(b, Variable):
            xb = b._data
            eb = None
            if b.requires_grad:
                needs += 2
                eb = b._node
                if eb is None:
                    eb = b
        elif type(b) is float or type(b) is int:
            eb = xb = b
        else:
            xb = constant(self, b)
            eb = None if hasattr(xb, "shape") else xb
        if type(xa) is ndarray and not xa.shape:  # a scalar computes some ten times faster than a 0-d array
            xa = xa[()]
        if type(xb) is ndarray and not xb.shape:
            xb = xb[()]
        if arrays.foreign:
            self.locate((xa, xb))
        try:
            y = self.forward(xa, xb)
        except Exception as error:
            fail(self, (xa, xb), error)
        out = new(Variable)
        out._data = y
        out._grad = out._name = out._node = None
        out.requires_grad = False
        if needs and mode.record:
            plan = self._plans.get(needs)
            self._plan = plan = self.plan_for(needs, 2) if plan is None else plan
            self._kept = plan.gather((xa, xb, y))
            self._edges = (ea, eb)
            self._order = tick()
            self._shape = y.shape
            self._dtype = y.dtype
            self._layer = mode.layer
            self._output = ref(out)
            out._node = self
            out.requires_grad = True
        if mode.watch is not None:
            mode.watch.ran(self, (xa, xb), (y,))
        return out

    def _several(self, inputs: Any, xs: Any, edges: Any, needs: int, returns: Any) -> list[Variable]:
        """The outputs of an op whose forward gave a tuple."""
        returns = [y if type(y) is ndarray or isinstance(y, generic) else self._as_array(y) for y in returns]
        outs = [handle(y, None) for y in (returns[: -len(self.saves)] if self.saves else returns)]
        mode = current()
        if needs and mode.record:
            self._record(mode, inputs, xs, edges, needs, returns, outs)
        if mode.watch is not None:
            mode.watch.ran(self, xs, returns)
        return outs

    def _record(self, mode: Mode, inputs: Any, xs: Any, edges: Any, needs: int, returns: Any, outs: Any) -> None:
        """Make this Function the node of its outputs, if any needed input is differentiable."""
        plan = self.plan_for(needs, len(xs))
        if not plan.calls:
            return
        self._plan, self._edges, self._order, self._layer = plan, edges, tick(), mode.layer
        if self.native:
            self._kept = plan.gather((*xs, *returns))
        else:
            self._kept, self._inputs = (*xs, *returns), list(inputs)
        one = len(outs) == 1
        self._shape, self._dtype = (outs[0]._data.shape, outs[0]._data.dtype) if one else (None, tuple((v._data.shape, v._data.dtype) for v in outs))
        self._output = ref(outs[0]) if one else tuple(ref(out) for out in outs)
        for i, out in enumerate(outs):
            out._node = self if one else Output(self, i, out)
            out.requires_grad = True

    def plan_for(self, needs: int, n: int) -> Plan:
        """The plan for these needs and this number of inputs."""
        cls = type(self)
        key: Any = (needs, n) if cls.variadic or not cls.native else needs
        plan = self._plans.get(key)
        if plan is None:
            plan = make_plan(cls, needs, n, self._fused)
            if n <= 64:  # plans for lists of all lengths would pile up
                self._plans[key] = plan
        return plan

    def _again(self) -> Function:
        """A fresh node for another call of the same object."""
        fn = type(self).__new__(type(self))
        fn.__dict__.update({k: v for k, v in self.__dict__.items() if k not in FOUND})
        return fn

    def _as_array(self, y: Any) -> Any:
        if arrays.is_array(y) or isinstance(y, (bool, int, float)):
            return y if array_module(y) is not np else np.asarray(y)
        raise TypeError(f"{type(self).__name__}.forward returned {type(y).__name__}: it must return an array, or a tuple of arrays"
                        + ("; forward works on arrays, not on Variables" if isinstance(y, Variable) else ""))

    @classmethod
    def argument(cls, i: int) -> str:
        """The name of input ``i`` in messages."""
        if cls.variadic and i >= len(cls.args) - 1:
            return f"{cls.args[-1]}[{i - len(cls.args) + 1}]"
        return cls.args[i] if i < len(cls.args) else f"input {i}"

    def locate(self, xs: Any) -> None:
        """Find the array module of the inputs, and refuse a mixture of host and device."""
        found = {array_module(x): i for i, x in enumerate(xs) if getattr(x, "shape", None) or array_module(x) is not np}
        if len(found) > 1:
            self._one_place(xs)
        for xp in found:
            if xp is not np:
                if device.several:
                    self._enter(xs)
                self.xp, self.kernels = xp, kernels_of(xp)
                fused = self.kernels.fused.get(self.op)
                if fused is not None and self.native:
                    self._fused, self._plans = fused.parts, fused.plans
                    if "forward" in fused.parts:
                        self.forward = partial(_forward, ref(self), fused.parts["forward"])  # type: ignore[method-assign]
        if arrays.halves:
            wrap(self, xs)

    def _enter(self, xs: Any) -> None:
        """Work on the device where the inputs are; arrays of two devices are refused."""
        self._one_place(xs)
        device.enter(next(x for x in xs if array_module(x) is not np))

    def _one_place(self, xs: Any) -> None:
        """Refuse inputs that lie in several places, by their names.

        Raises:
            DeviceError: they do.
        """
        device.one_place(": ".join(part for part in (current().layer, self.op) if part), ((self.argument(i), x) for i, x in enumerate(xs)))


def _forward(of: Any, fused: Any, *xs: Any) -> Any:
    """Forward in one launch, where the backend serves these arguments; the op is held weakly, as it holds this."""
    op = of()
    y = fused(op, *xs)
    return type(op).forward(op, *xs) if y is NotImplemented else y
