"""Naming: the nodes of a graph in words that say which of them is meant, for lines of text."""

from __future__ import annotations

from collections import Counter, defaultdict
from itertools import count
from typing import Any

from dezero.viz.compare.sides import Side
from dezero.viz.graph import FunctionNode, GraphNode, VariableNode
from dezero.viz.look import clean, pass_name

SHOWN = 6  # of a list of inputs, settings or results


class Naming:
    """Words for the nodes of a graph, the same for the same graph.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz import collect_graph
        >>> naming = Naming(Side(collect_graph(Variable(np.array(3.0), name="x") ** 2 + 1)))
        >>> naming.of("f0"), naming.refer("v1"), naming.signature("f0")
        ('function Pow', 'result of Pow', '(x, c=2) -> () float64')
    """

    def __init__(self, side: Side) -> None:
        self.side = side
        names = [_kind(side.nodes[op]) for op in side.ops]
        total, seen = Counter(names), defaultdict[Any, Any](lambda: count(1))
        self.number = {op: (next(seen[name]), total[name]) for op, name in zip(side.ops, names, strict=True)}

    def of(self, id_: str) -> str:
        """What it is and which one: "function ReLU 2 of 3 in l0", "parameter W in l0", "constant t of SoftmaxCrossEntropy"."""
        node = self.side.nodes[id_]
        if isinstance(node, VariableNode):
            return self._variable(id_, node)
        return f"{'function' if isinstance(node, FunctionNode) else 'group'} {self._op(id_)}"

    def refer(self, id_: str, layer: str = "") -> str:
        """A short name for it where something else is described, something in ``layer`` perhaps."""
        node = self.side.nodes[id_]
        if not isinstance(node, VariableNode):
            return self._op(id_)
        if node.kind == "result" and not node.name:
            return self._result(id_)
        if node.kind == "constant":
            return clean(node.name) if node.name else f"constant {looks(node)}"
        name = clean(node.name) if node.name else f"{_WORDS.get(node.kind, node.kind)} {looks(node)}"
        return name + _place("" if node.layer == layer else node.layer)

    def signature(self, op: str) -> str:
        """What an op takes, with its settings, and what it gives."""
        node, side = self.side.nodes[op], self.side
        settings = [f"{clean(name)}={clean(value)}" for name, value in node.settings] if isinstance(node, FunctionNode) else []
        given = [" ".join([*([clean(result.name)] if result.name else []), looks(result)])
                 for result in map(side.nodes.__getitem__, side.results[op]) if isinstance(result, VariableNode)]
        inputs = listed([self.refer(x, node.layer) for x in side.inputs[op][:SHOWN + 1]], len(side.inputs[op]))
        return f"({', '.join([*([inputs] if inputs else []), *settings])}) -> {listed(given[:SHOWN + 1], len(given)) or 'nothing'}"

    def _op(self, id_: str) -> str:
        node = self.side.nodes[id_]
        k, n = self.number[id_]
        passed = f", {pass_name(node.derivative)}" if node.derivative else ""
        return f"{clean(node.name)}{f' {k} of {n}' if n > 1 else ''}{_place(node.layer)}{passed}"

    def _variable(self, id_: str, node: VariableNode) -> str:
        if node.kind == "result" and not node.name:
            return self._result(id_)
        name = f" {clean(node.name)}" if node.name else ""
        if node.kind == "constant":
            users = self.side.users[id_]
            return f"constant{name}" + (f" of {self._op(users[0][0])}" if users else "")
        maker = f", {self._result(id_)}" if node.kind == "result" else ""
        return f"{_WORDS.get(node.kind, node.kind)}{name}{'' if maker else _place(node.layer)}{maker}"

    def _result(self, id_: str) -> str:
        made = self.side.inputs[id_]
        if not made:
            return f"result {looks(self.side.nodes[id_])}"
        several = len(self.side.results[made[0]]) > 1
        return f"result {f'{self.side.place[id_] + 1} ' if several else ''}of {self._op(made[0])}"


_WORDS = {"leaf": "variable"}


def looks(node: GraphNode) -> str:
    """Shape and dtype of a variable, as far as they are known.

    Examples:
        >>> looks(VariableNode("v0", "leaf", "x", (2, 3), "float32", "", 0))
        '(2, 3) float32'
    """
    known = (node.shape, node.dtype) if isinstance(node, VariableNode) else ()
    return " ".join([str(x) for x in known if x is not None]) or "without data"


def listed(words: list[str], total: int) -> str:
    """The first words of a list, and how many more there are.

    Examples:
        >>> listed(["a", "b"], 2), listed(list("abcdefg"), 40)
        ('a, b', 'a, b, c, d, e, f and 34 more')
    """
    return ", ".join(words[:SHOWN]) + (f" and {total - SHOWN} more" if total > SHOWN else "")


def _kind(node: Any) -> tuple[str, str, int]:
    return clean(node.name), clean(node.layer), node.derivative


def _place(layer: str) -> str:
    return f" in {clean(layer)}" if layer else ""
