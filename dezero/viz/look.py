"""What all drawings of a graph share: the words in its nodes, cleaned of what a name must not do there, and the colours."""

from __future__ import annotations

import unicodedata

from dezero.viz.graph import FunctionNode, Graph, VariableNode

# Okabe and Ito's colour-blind safe hues (Color Universal Design, 2008) as pale fills and strong borders: fill and border by day, then by night.
# Shape, border and words tell the kinds apart as well.
PALETTE = {
    "leaf": ("#FFE0A3", "#B27400", "#54400F", "#E69F00"),
    "parameter": ("#FFD0B5", "#C04F00", "#60290B", "#F08A4B"),
    "result": ("#FFF4DE", "#C9A256", "#352D1E", "#A58443"),
    "constant": ("#F2F2F2", "#8A8A8A", "#2A2E33", "#858C94"),
    "function": ("#D6EBFA", "#2C79AE", "#143A54", "#56B4E9"),
}
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn round the text after a name
_NARROW, _WIDE = frozenset("fijlrtI.,:;'|!()[]{}/ "), frozenset("mwMW@%")


def clean(text: str, limit: int = 40) -> str:
    """One line of at most ``limit`` characters, without control characters and without what XML or UTF-8 cannot hold.

    Examples:
        >>> clean("two\\n lines" + chr(0))
        'two lines'
        >>> clean("a very long name", limit=8)
        'a very …'
    """
    cut = text[: 20 * limit]
    line = " ".join("".join(c if c.isspace() or not _harmful(c) else "" for c in cut).split())
    return line if len(line) <= limit and len(cut) == len(text) else line[: limit - 1] + "…"


def _harmful(c: str) -> bool:
    return c in _BIDI or c in "\ufffe\uffff" or unicodedata.category(c) in ("Cc", "Cs")


def words(node: VariableNode | FunctionNode, verbose: bool, limit: int = 40) -> list[str]:
    """The lines in a node: the name, and with ``verbose`` a variable's shape and dtype, a function's layer."""
    if isinstance(node, FunctionNode):
        return [clean(node.name, limit), *([clean(node.layer, limit)] if verbose and node.layer else [])]
    name = clean(node.name, limit) if node.name else "const" if node.kind == "constant" else ""
    lines = [name] if name else []
    if verbose and node.kind == "parameter" and node.shape is None:
        lines.append("no data yet")
    elif verbose and node.shape is not None and (node.shape or node.kind != "constant"):
        lines.append(f"{node.shape} {node.dtype}")
    return lines


def sentence(node: VariableNode | FunctionNode) -> str:
    """A node in words, for those who hover over it or do not see it."""
    kind = "function" if isinstance(node, FunctionNode) else {"leaf": "variable"}.get(node.kind, node.kind)
    lines = words(node, not isinstance(node, FunctionNode), 200)
    return ", ".join([" ".join([kind, *lines[:1]]), *lines[1:], *([f"in {clean(node.layer, 200)}"] if node.layer else [])])


def title(graph: Graph) -> str:
    """A name for the drawing."""
    names = [v.name for v in graph.variables if v.id in graph.outputs and v.name]
    return f"Computation graph of {clean(', '.join(names), 80)}" if names else "Computation graph"


def description(graph: Graph) -> str:
    """The drawing in a few sentences: what goes in, what happens, what comes out."""
    count = {kind: sum(v.kind == kind for v in graph.variables) for kind in PALETTE}
    names = list(dict.fromkeys(v.name for v in graph.variables if v.kind in ("leaf", "parameter") and v.name))
    inputs = f" It starts from {clean(', '.join(names), 200)}." if names else ""
    functions = ", ".join(clean(f.name) for f in graph.functions[:30]) + (", ..." if len(graph.functions) > 30 else "")
    runs = f" The functions are {functions}." if functions else ""
    return (f"{len(graph.variables)} variables ({count['parameter']} parameters, {count['constant']} constants) "
            f"and {len(graph.functions)} functions, from top to bottom.{inputs}{runs}")


def text_width(text: str, size: float) -> float:
    """About how wide a line is in a sans-serif font of this size; a guess must do, as no font is at hand."""
    total = 0.0
    for c in text:
        if c.isascii():
            total += 0.32 if c in _NARROW else 0.87 if c in _WIDE else 0.67 if c.isupper() else 0.56
        elif not unicodedata.combining(c):
            total += 1.0 if unicodedata.east_asian_width(c) in "WF" else 0.62
    return total * size
