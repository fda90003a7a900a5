"""Changes: what differs between two graphs whose nodes are in pairs, one change after another along the computation."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import zip_longest
from typing import Any, NamedTuple

from dezero.viz.compare.naming import SHOWN, Naming, listed, looks
from dezero.viz.compare.pairing import Pairing
from dezero.viz.graph import FunctionNode
from dezero.viz.look import clean

Fact = tuple[str, Any, Any]  # what it is, in the first graph, in the second


class Change(NamedTuple):
    """One difference.

    Attributes:
        sign: "+" for what only the second graph has, "-" for what only the first one has, "~" for what is in both and differs.
        first: id of the node in the first graph; None for "+".
        second: id of the node in the second graph; None for "-".
        text: the change in words.
        follows: whether it is no more than the consequence of another one: a result that has another shape as an input has.
        remark: for "~", what it was, in few words.

    Examples:
        >>> Change("+", None, "f3", "function ReLU: (h) -> (32, 5) float32").line
        '+ function ReLU: (h) -> (32, 5) float32'
    """

    sign: str
    first: str | None
    second: str | None
    text: str
    follows: bool = False
    remark: str = ""

    @property
    def line(self) -> str:
        """Sign and text."""
        return f"{self.sign} {self.text}"


class Changes:
    """Finds the changes in the order of the computation: what goes into a function, the function, how it is linked, what comes out."""

    def __init__(self, pairing: Pairing) -> None:
        self.pairing, self.first, self.second = pairing, pairing.first, pairing.second
        self.before, self.after = Naming(self.first), Naming(self.second)
        self.told: set[tuple[str, str]] = set()  # ("-", id) of the first graph and ("+", id) of the second

    def all(self) -> Iterator[Change]:
        """Every change."""
        for sign, op in self.pairing.merged():
            a, b = (op, None) if sign == "-" else (self.pairing.back.get(op), op)
            yield from self._inputs(a, b)
            if a is None:
                yield Change("+", None, op, f"{self.after.of(op)}: {self.after.signature(op)}")
            elif b is None:
                yield Change("-", op, None, f"{self.before.of(op)}: {self.before.signature(op)}")
            else:
                yield from self._op(a, b)
                yield from self._wiring(a, b)
            yield from self._variables([] if a is None else self.first.results[a], [] if b is None else self.second.results[b],
                                       whole=a is not None and b is not None)
        yield from self._variables(self.first.nodes, self.second.nodes, whole=True)
        yield from self._outputs()

    def _inputs(self, a: str | None, b: str | None) -> Iterator[Change]:
        """Leaves and parameters that come in here first. A constant stands in the line of its function."""
        mine = [] if a is None else [x for x in self.first.inputs[a] if self.first.is_free(x)]
        theirs = [] if b is None else [x for x in self.second.inputs[b] if self.second.is_free(x)]
        self.told.update(("-", x) for x in mine if self.first.nodes[x].kind == "constant" and x not in self.pairing.there)
        self.told.update(("+", x) for x in theirs if self.second.nodes[x].kind == "constant" and x not in self.pairing.back)
        yield from self._variables(mine, theirs, whole=True)

    def _variables(self, mine: Iterable[str], theirs: Iterable[str], whole: bool) -> Iterator[Change]:
        """Variables that were not told of yet. ``whole=False``: they are in the line of their function if they have no partner."""
        there, back = self.pairing.there, self.pairing.back
        for ids, side, naming, partners, sign in ((mine, self.first, self.before, there, "-"), (theirs, self.second, self.after, back, "+")):
            for x in ids:
                if side.is_op(x) or (sign, x) in self.told:
                    continue
                self.told.add((sign, x))
                if x in partners:
                    self.told.add(("+", partners[x]) if sign == "-" else ("-", partners[x]))
                    yield from self._variable(x, there[x]) if sign == "-" else self._variable(back[x], x)
                elif whole:
                    text = f"{naming.of(x)}: {looks(side.nodes[x])}"
                    yield Change(sign, x, None, text) if sign == "-" else Change(sign, None, x, text)

    def _variable(self, a: str, b: str) -> Iterator[Change]:
        old, new = self.first.nodes[a], self.second.nodes[b]
        constant = old.kind == new.kind == "constant"  # its name may be its value
        looks_ = [fact for fact in (("shape", old.shape, new.shape), ("dtype", old.dtype, new.dtype)) if fact[1] != fact[2]]
        facts = [fact for fact in (("kind", old.kind, new.kind), ("" if constant else "name", old.name, new.name)) if fact[1] != fact[2]]
        if facts or looks_:
            yield self._changed(a, b, facts + looks_, not facts and self._follows(a, b))

    def _follows(self, a: str, b: str) -> bool:
        """Is it the result of functions that differ, or of which an input differs?"""
        made = list(zip(self.first.inputs[a], self.second.inputs[b], strict=False))
        return any(self.pairing.there.get(f) == g and (bool(self._facts(f, g)) or self._inputs_differ(f, g)) for f, g in made)

    def _inputs_differ(self, a: str, b: str) -> bool:
        mine, theirs = self.first.inputs[a], self.second.inputs[b]
        return len(mine) != len(theirs) or any(looks(self.first.nodes[x]) != looks(self.second.nodes[y]) for x, y in zip(mine, theirs, strict=True))

    def _op(self, a: str, b: str) -> Iterator[Change]:
        if facts := self._facts(a, b):
            yield self._changed(a, b, facts)

    def _facts(self, a: str, b: str) -> list[Fact]:
        """What differs between two ops."""
        old, new = self.first.nodes[a], self.second.nodes[b]
        facts: list[Fact] = [("", old.name, new.name)]
        if type(old) is not type(new):
            facts = [("", self.before.of(a), self.after.of(b))]
        elif not isinstance(old, FunctionNode):
            facts.extend((what, getattr(old, what), getattr(new, what)) for what in ("functions", "parameters", "numbers", "times"))
        elif old.name == new.name:
            had, has = dict(old.settings), dict(new.settings)
            facts.extend([("op", old.op, new.op), *[(name, had.get(name), has.get(name)) for name in {**had, **has}]])
        return [fact for fact in (*facts, ("layer", old.layer, new.layer)) if fact[1] != fact[2]]

    def _changed(self, a: str, b: str, facts: list[Fact], follows: bool = False) -> Change:
        parts, was = [], []
        for what, old, new in facts:
            had, has = _word(old), _word(new)
            parts.append(f"{clean(what)} {had} -> {has}".lstrip() + (" (what differs is not shown)" if had == has else ""))
            was.append(f"was {had}" if what in ("", "kind", "shape", "dtype") else f"{clean(what)} was {had}")
        return Change("~", a, b, f"{self.before.of(a)}: {', '.join(parts)}", follows, ", ".join(was))

    def _wiring(self, a: str, b: str) -> Iterator[Change]:
        mine, theirs = self.first.slots(a), self.second.slots(b)
        found = [(clean(str(slot)), mine.get(slot), theirs.get(slot)) for slot in {**mine, **theirs}]
        found = [(slot, x, y) for slot, x, y in found if x is None or self.pairing.there.get(x) != y]
        if found:
            links = listed([f"input {slot}: {self._link(x, y)}" for slot, x, y in found[:SHOWN]], len(found))
            was = [f"{slot} was {'nothing' if x is None else self.before.refer(x)}" for slot, x, _ in found[:2]]
            yield Change("~", a, b, f"{self.after.of(b)}: {links}", False, ", ".join(was) + (" ..." if len(found) > 2 else ""))

    def _outputs(self) -> Iterator[Change]:
        for i, (a, b) in enumerate(zip_longest(self.first.graph.outputs, self.second.graph.outputs)):
            if a is None or self.pairing.there.get(a) != b:
                yield Change("~", a, b, f"output {i}: {self._link(a, b)}", False, "was no output" if a is None else "")

    def _link(self, a: str | None, b: str | None) -> str:
        """What was linked, and what is."""
        old, new = "nothing" if a is None else self.before.refer(a), "nothing" if b is None else self.after.refer(b)
        return f"{old} -> {'another ' if old == new else ''}{new}"


def _word(value: Any) -> str:
    return "none" if value is None or value == "" else clean(str(value), 80)
