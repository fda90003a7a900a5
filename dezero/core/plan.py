"""Plan: what an op does backward for one pattern of inputs that need a gradient, read once from its formulas' signatures.

A formula takes the gradients that flow in by position and, by keyword-only names, the values that it wants back from
forward: inputs, or returns. What no needed formula asks for is not kept.
"""

from __future__ import annotations

import inspect
import types
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any

Formula = Callable[..., Any]


class Plan:
    """Where the kept values stand among inputs and returns, how to gather them, and one call for each needed input."""

    __slots__ = ("needs", "names", "sources", "gather", "calls", "picks", "whole", "arrays_only", "hooks", "inner")

    def __init__(self, needs: int, names: Sequence[str], sources: Sequence[int], calls: Sequence[tuple[int, Formula, Any]], *,
                 whole: str = "", arrays_only: bool = False) -> None:
        self.needs = needs              # bit i is set when input i needs a gradient
        self.names = names              # the kept values ...
        self.sources = sources          # ... and their positions in (*inputs, *returns)
        self.gather = gatherer(sources)
        self.calls = calls              # (input, formula, what it takes of the kept values)
        self.picks = [(i, pick(i), None) for i, _, _ in calls]  # the same places, out of gradients that came as a whole
        self.whole = whole              # how all gradients come as a whole: "shared", "each", "book", "own", "hooked"; "composed": with a graph only
        self.arrays_only = arrays_only  # formulas want a gradient that is an array, not a NumPy scalar
        self.hooks: dict[int, Formula] = {}  # for "hooked": called with the gradient before plan ``inner`` goes on
        self.inner: Plan | None = None

    def hooked(self) -> Plan:
        """The same plan with room for hooks in front."""
        plan = Plan(self.needs, self.names, self.sources, self.picks, whole="hooked")
        plan.inner = self
        return plan


def gatherer(positions: Sequence[int]) -> Any:
    """A function that takes these positions out of a sequence, as a sequence, at the speed of C."""
    if len(positions) >= 2:
        return itemgetter(*positions)
    return itemgetter(slice(positions[0], positions[0] + 1) if positions else slice(0, 0))


def taker(positions: Sequence[int]) -> Any:
    """None for no value, a position for one, a gatherer for more; the engine's loop tells them apart."""
    return None if not positions else positions[0] if len(positions) == 1 else itemgetter(*positions)


def wanted(formula: Formula) -> list[str]:
    """The keyword-only names of a formula: the values that it wants back from forward."""
    return [p.name for p in inspect.signature(formula).parameters.values() if p.kind is p.KEYWORD_ONLY]


def positional(formula: Any) -> Formula:
    """The same function with its keyword-only names taken by position, which calls faster than keywords do."""
    code = formula.__code__
    total = code.co_argcount + code.co_kwonlyargcount
    return types.FunctionType(code.replace(co_argcount=total, co_kwonlyargcount=0), formula.__globals__, formula.__name__,
                              formula.__defaults__, formula.__closure__)


def pick(i: int) -> Formula:
    """A call that takes gradient ``i`` out of those that came first as a whole."""
    return lambda fn, gradients: gradients[i]


def read_formulas(cls: Any) -> dict[str, list[str]]:
    """The formulas of an op's class, each with the names of the values that it wants kept.

    Raises:
        TypeError: a formula asks for an unknown name, gives one a default, or belongs to no input.
    """
    known = (*cls.args, *cls.values)
    takes = f"forward takes {', '.join(cls.args)} and returns {', '.join(cls.values)}"
    wants: dict[str, list[str]] = {}
    for name in [f"grad_{a}" for a in cls.args] + ["backward"] * (cls.shared is not None):
        formula = getattr(cls, name, None)
        if formula is None:
            continue
        wants[name] = wanted(formula)
        if unknown := [n for n in wants[name] if n not in known]:
            raise TypeError(f"{cls.__name__}.{name} asks for {', '.join(unknown)}: {takes}")
        if twice := [n for n in wants[name] if n in cls.args and n in cls.values]:
            raise TypeError(f"{cls.__name__}.{name} asks for {twice[0]}, which is an input and a return: {takes}; rename the input, or set returns")
        if formula.__kwdefaults__:
            raise TypeError(f"{cls.__name__}.{name}: a kept value has no default: remove {formula.__kwdefaults__}")
    if strange := [n for n in vars(cls) if n.startswith("grad_") and n not in wants]:
        raise TypeError(f"{cls.__name__}.{strange[0]} belongs to no input: {takes}")
    return wants


def positions(cls: Any, names: Sequence[str], n: int) -> list[int]:
    """Where the named values stand in ``(*inputs, *returns)`` of a call with ``n`` inputs."""
    out: list[int] = []
    for name in names:
        if name in cls.values:
            out.append(n + cls.values.index(name))
        elif cls.variadic and name == cls.args[-1]:
            out.extend(range(len(cls.args) - 1, n))
        else:
            out.append(cls.args.index(name))
    return out


def quick(fused: Formula, formula: Formula) -> Formula:
    """The backend's formula of one launch where it runs on arrays and serves them; the op's own for Variables and for the rest."""
    def run(node: Any, gy: Any, *kept: Any) -> Any:
        gx = NotImplemented if hasattr(gy, "requires_grad") else fused(node, gy, *kept)
        return formula(node, gy, *kept) if gx is NotImplemented else gx
    return run


def make_plan(cls: Any, needs: int, n: int, fused: Any = None) -> Plan:
    """Lay out what op ``cls`` keeps and calls when the inputs in ``needs`` want a gradient; with the backend's ``fused`` formulas."""
    inputs = [i for i, bit in enumerate(reversed(f"{needs:b}")) if bit == "1"]
    if not cls.native:
        return Plan(needs, (), (), [(i, pick(i), None) for i in inputs], whole="book")
    if cls.shared is None:
        inputs = [i for i in inputs if f"grad_{cls.args[i]}" in cls.wants]
    used = ["backward"] if cls.shared is not None else [f"grad_{cls.args[i]}" for i in inputs]
    asked = {k for name in used for k in cls.wants[name]} | set(cls.args if cls.compose is not None else ())
    names = sorted(asked, key=(*cls.args, *cls.values).index)
    sources = positions(cls, names, n)
    if cls.shared is not None or len(cls.returns) > 1:
        return Plan(needs, names, sources, [(i, pick(i), None) for i in inputs], whole="shared" if cls.shared is not None else "each")
    calls = []
    for i in inputs:
        name = f"grad_{cls.args[i]}"
        formula = positional(getattr(cls, name))
        if fused and name in fused:
            formula = quick(fused[name], formula)
        calls.append((i, formula, taker([names.index(k) for k in cls.wants[name]])))
    return Plan(needs, names, sources, calls, whole="composed" if cls.compose is not None else "", arrays_only=not cls.scalars)
