"""What all drawings of a graph share: the words in its nodes, cleaned of what a name must not do there, the marks, and the colours."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import NamedTuple

from dezero.viz.graph import Cluster, FunctionNode, Graph, GraphNode, GroupNode, VariableNode
from dezero.viz.numbers import facts, number
from dezero.viz.view import View

# Okabe and Ito's colour-blind safe hues (Color Universal Design, 2008) as pale fills and strong borders: fill and border by day, then by night.
# Shape, border and words tell the kinds apart as well. A figure at the end is the derivative that a backward gave; 3 is the third and all above.
PALETTE = {
    "leaf": ("#FFE0A3", "#A66C00", "#54400F", "#E69F00"),
    "parameter": ("#FFD0B5", "#C04F00", "#60290B", "#F08A4B"),
    "constant": ("#F2F2F2", "#767676", "#2A2E33", "#858C94"),
    "result": ("#FFF8E8", "#9A7B3C", "#332C20", "#A58443"),
    "result1": ("#EDF7F2", "#3F8A6C", "#1E302A", "#4F9C7E"),
    "result2": ("#FBF0F6", "#A8658A", "#33242E", "#B8789B"),
    "result3": ("#F8F6D8", "#85802F", "#2F2E1B", "#99934A"),
    "function": ("#D6EBFA", "#2C79AE", "#17466A", "#56B4E9"),
    "function1": ("#B5E2C4", "#00714F", "#1A5A3F", "#4FD0A6"),
    "function2": ("#F3C3DB", "#A0346F", "#4F223C", "#DD88B5"),
    "function3": ("#F0EA9C", "#716A00", "#45410A", "#CFC436"),
    "group": ("#B4DAF4", "#1F6696", "#1E4F86", "#7CC8F4"),
    "group1": ("#93D3AA", "#005A40", "#205F38", "#6FE0BC"),
    "group2": ("#EBADCB", "#872A5D", "#673150", "#EBA5CA"),
    "group3": ("#E2DA6E", "#5A5400", "#565111", "#DBD04A"),
}
# By day, then by night: the ground, letters, small letters, edges, and a layer's box (its fills by turns as boxes nest, and its border).
GROUND = {"paper": ("#FFFFFF", "#14181C"), "ink": ("#1A1A1A", "#F2F4F6"), "note": ("#4A4E53", "#C3C9CF"), "line": ("#646A71", "#98A3AD"),
          "frame": ("#F3F5F7", "#1B2127"), "frame2": ("#E9EDF0", "#232A31"), "rim": ("#7A858F", "#6E7A86")}


class Mark(NamedTuple):
    """A badge on a node that a reader should see: for its numbers, or for what became of it between two graphs.

    Attributes:
        sign: its text.
        meaning: the same in words, for the legend.
        day: its colour and that of the text on it.
        night: the same on a dark ground.
    """

    sign: str
    meaning: str
    day: tuple[str, str]
    night: tuple[str, str]


MARKS = {
    "nan": Mark("NaN", "holds NaN", ("#B3261E", "#FFFFFF"), ("#FF9A8F", "#2B0906")),
    "inf": Mark("inf", "holds infinity", ("#B3261E", "#FFFFFF"), ("#FF9A8F", "#2B0906")),
    "huge": Mark("huge", "above 1e6", ("#6B3FA0", "#FFFFFF"), ("#CDB4F2", "#1E0E33")),
    "zero": Mark("zero", "dead: all zero", ("#3C4650", "#FFFFFF"), ("#D5DCE3", "#14181C")),
    "removed": Mark("−", "removed", ("#9C2F00", "#FFFFFF"), ("#FFA477", "#2B0F00")),
    "added": Mark("+", "added", ("#00507F", "#FFFFFF"), ("#8CD0FF", "#00182B")),
    "changed": Mark("~", "changed", ("#6B3FA0", "#FFFFFF"), ("#CDB4F2", "#1E0E33")),
}
NOT_COMPUTED, NOT_KEPT = "not computed yet", "not kept"
_FLOATS = ("float", "bfloat", "complex")
_BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")  # would turn round the text after a name
# Of DejaVu Sans, which is among the widest.
_WIDTHS = {0.35: " ,.':;/\\|ijlIJf", 0.42: "-()[]!rt\"", 0.59: "*_`szckvxy?LFT", 0.8: "wHUNDGOQ", 0.85: "#+<=>^~&", 1.0: "mMW@%"}


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


def dress(node: GraphNode) -> str:
    """The key of a node's colours in the palette.

    Examples:
        >>> dress(FunctionNode("f0", "Cos", "cos", "", 0, 0, derivative=5))
        'function3'
    """
    kind = "function" if isinstance(node, FunctionNode) else "group" if isinstance(node, GroupNode) else node.kind
    return f"{kind}{min(node.derivative, 3)}" if node.derivative and f"{kind}1" in PALETTE else kind


def words(node: GraphNode, view: View, limit: int = 40) -> list[str]:
    """The lines of text in a node, as many as the view shows; a result without a name and without anything to show has none.

    A variable gives its name, shape and dtype, value, gradient; a function the name of its class, its settings, and its layer
    unless boxes show the layers; a group its name and how often it repeats, its layer, and how much it holds. All are clean, and names
    are cut after ``limit`` characters.

    Examples:
        >>> graph = Graph((), (), (), ())
        >>> words(VariableNode("v0", "leaf", "x", (2, 3), "float32", "", 0), View(graph, show=("shape", "dtype")))
        ['x', '(2, 3) float32']
        >>> words(GroupNode("g0", "Block", "h", 12, 4, 3_400_000, times=32), View(graph, show=("layer",)))
        ['Block ×32', 'h', '12 functions each', '3.4 M parameters each']
    """
    if isinstance(node, VariableNode):
        return _of_variable(node, view, limit)
    layer = [clean(node.layer, limit)] if "layer" in view.show and node.layer else []
    if isinstance(node, FunctionNode):
        return [clean(node.name, limit), *(settings_line(node, limit) if "shape" in view.show else []), *(layer if not view.clusters else [])]
    if layer and node.last:
        layer = [f"{layer[0]} … {clean(node.last, limit)}"]
    each = " each" if node.times > 1 else ""
    held = [f"{_count(n, what)}{each}" for n, what in ((node.functions if node.functions > 1 else 0, "function"), (node.numbers, "parameter")) if n]
    held = [line for line in held if line != clean(node.name, limit)]  # a run of functions is called by their number
    return [clean(node.name, limit) + (f" ×{node.times}" if each else ""), *layer, *(held if view.show else [])]


# Settings that need no words: the result shows its shape and dtype, nobody changes eps, and the others are as usual.
_TACIT = {"shape": None, "dtype": None, "eps": None, "pad": "0", "stride": "1", "dilation": "1", "groups": "1", "reduction": "'mean'"}


def settings_line(node: FunctionNode, limit: int) -> list[str]:
    """A line with what a function was made with, where that says more than its name: the exponent of a power, the axis of a sum.

    Examples:
        >>> settings_line(FunctionNode("f0", "Sum", "sum", "", 0, 0, settings=(("axis", "1"), ("keepdims", "False"))), 40)
        ['axis=1']
        >>> settings_line(FunctionNode("f0", "GetItem", "get_item", "", 0, 0, settings=(("slices", "(:, 0:4)"),)), 40)
        ['[:, 0:4]']
    """
    pairs = [(name, _once(value)) for name, value in node.settings if value not in ("None", "False", "ndarray")]
    telling = [(name, value) for name, value in pairs if name not in _TACIT or _TACIT[name] not in (None, value)]
    said = [f"[{value.strip('()')}]" if name == "slices" else f"{name}={value}" for name, value in telling]
    return [clean(", ".join(said), limit)] if said else []


def _once(value: str) -> str:
    """"(2, 2)" is 2: a window's height and width are mostly equal."""
    parts = value[1:-1].split(", ")
    return parts[0] if value[:1] == "(" and len(parts) == 2 and parts[0] == parts[1] else value


def _of_variable(node: VariableNode, view: View, limit: int) -> list[str]:
    show, values = view.show, view.values
    name = clean(node.name, limit) if node.name else "const" if node.kind == "constant" else ""
    lines = [name] if name else []
    if node.kind == "parameter" and node.shape is None:
        lines.extend(["no data yet"] if show else [])
        return lines
    if node.shape is not None and (node.shape or node.kind != "constant"):
        about = [str(node.shape)] if "shape" in show else []
        about.extend([node.dtype] if "dtype" in show and node.dtype else [])
        lines.extend([" ".join(about)] if about else [])
    if values is not None and "value" in show:
        text = number(values.arrays[node.id]) if node.id in values.arrays else NOT_KEPT
        lines.extend([f"value {text}" if text != NOT_KEPT else f"value: {text}"] if text != name else [])
    if "grad" in show and node.kind != "constant" and (node.dtype or "").startswith(_FLOATS):
        lines.append(_gradient(node, view))
    return lines


def _gradient(node: VariableNode, view: View) -> str:
    """After a backward, what a result has not got was not kept; before one, nothing was computed."""
    gradients = {} if view.values is None else view.values.gradients
    if node.id in gradients:
        return f"grad {number(gradients[node.id])}"
    return f"grad: {NOT_KEPT if gradients and node.kind == 'result' else NOT_COMPUTED}"


def _count(n: int, what: str) -> str:
    """A number of things in three digits.

    Examples:
        >>> _count(1, "function"), _count(3_400_000, "parameter")
        ('1 function', '3.4 M parameters')
    """
    unit, size = next(((u, s) for u, s in ((" T", 1e12), (" G", 1e9), (" M", 1e6), (" k", 1e3)) if n >= max(0.9995 * s, 10_000)), ("", 1))
    return f"{f'{n / size:.3g}{unit}' if unit else f'{n:,}'} {what}" + ("s" if n != 1 else "")


def frame_title(cluster: Cluster) -> str:
    """What stands at the top of the box of a layer: its path, how often it repeats, and which derivative it is of.

    Examples:
        >>> frame_title(Cluster("h.0", (), times=12, last="h.11", derivative=1))
        'h.0 … h.11 ×12 · 1st derivative'
    """
    last, times = f"… {clean(cluster.last)}" if cluster.last else "", f"×{cluster.times}" if cluster.times > 1 else ""
    made = f"· {pass_name(cluster.derivative)}" if cluster.derivative else ""
    return " ".join([part for part in (clean(cluster.layer), last, times, made) if part])


def pass_name(derivative: int) -> str:
    """What made a node, in words.

    Examples:
        >>> [pass_name(k) for k in (0, 1, 2, 3, 11, 22)]
        ['forward', '1st derivative', '2nd derivative', '3rd derivative', '11th derivative', '22nd derivative']
    """
    ending = "th" if 10 < derivative % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(derivative % 10, "th")
    return f"{derivative}{ending} derivative" if derivative else "forward"


def mark(node: GraphNode, view: View) -> str:
    """The key in ``MARKS`` of what is worst about the numbers of a variable, or "".

    A gradient is dead where it is zero throughout; a value only if it is an array that a function computed, as biases begin with zeros.
    Huge numbers are meant where they are integers, and infinity too where it is a constant, as in a mask.

    Examples:
        >>> import numpy as np
        >>> from dezero.viz.values import Values
        >>> node = VariableNode("v0", "leaf", "x", (2,), "float32", "", 0)
        >>> mark(node, View(Graph((node,), (), (), ("v0",)), values=Values({"v0": np.array([1.0, np.nan])})))
        'nan'
    """
    if view.values is None or not isinstance(node, VariableNode):
        return ""
    value, gradient = view.values.arrays.get(node.id), view.values.gradients.get(node.id)
    found = [f for f in (None if value is None else facts(value), None if gradient is None else facts(gradient)) if f is not None]
    dead = (gradient is not None and found[-1].zero) or (value is not None and node.kind == "result" and found[0].size > 1 and found[0].zero)
    infinite, huge = any(f.infs for f in found), any(f.huge for f in found) and (node.dtype or "").startswith(_FLOATS)
    signs = {"nan": any(f.nans for f in found), "inf": infinite and node.kind != "constant", "huge": huge and node.kind != "constant", "zero": dead}
    return next((key for key, holds in signs.items() if holds), "")


def sentence(node: GraphNode, view: View, sign: str = "") -> str:
    """A node in words, for those who hover over it or do not see it; ``sign`` is its mark."""
    about = View(view.graph, (), view.values, ("shape", "dtype", *(w for w in ("value", "grad") if view.values is not None)))
    lines = words(node, View(view.graph) if isinstance(node, FunctionNode) else about, 200)
    kind = node.kind if isinstance(node, VariableNode) else "function" if isinstance(node, FunctionNode) else "group"
    if isinstance(node, FunctionNode) and node.settings:
        lines[0] += f" ({clean(', '.join(f'{name}={value}' for name, value in node.settings), 200)})"
    of_pass = [pass_name(node.derivative)] if node.derivative else []
    place = [f"in {clean(node.layer, 200)}"] if node.layer else []
    stands_out = [MARKS[sign].meaning] if sign else []
    return ", ".join([" ".join(["variable" if kind == "leaf" else kind, *lines[:1]]), *lines[1:], *stands_out, *of_pass, *place])


def title(graph: Graph) -> str:
    """A name for the drawing."""
    names = [v.name for v in graph.variables if v.id in graph.outputs and v.name]
    return f"Computation graph of {clean(', '.join(names), 80)}" if names else "Computation graph"


def description(view: View, marks: Mapping[str, str]) -> str:
    """The drawing in a few sentences: what goes in, what happens, what comes out, and what stands out by its mark."""
    graph = view.graph
    kinds = [v.kind for v in graph.variables]
    names = list(dict.fromkeys(v.name for v in graph.variables if v.kind in ("leaf", "parameter") and v.name))
    groups = f", and {_count(len(graph.groups), 'group')}" if graph.groups else ""
    said = [f"{_count(len(kinds), 'variable')} ({_count(kinds.count('parameter'), 'parameter')}, {_count(kinds.count('constant'), 'constant')}) "
            f"and {_count(len(graph.functions), 'function')}{groups}, from top to bottom."]
    if names:
        said.append(f"It starts from {clean(', '.join(names), 200)}.")
    for what, some in (("functions", graph.functions), ("groups", graph.groups)):
        if some:
            said.append(f"The {what} are {', '.join(clean(f.name) for f in some[:30])}{', ...' if len(some) > 30 else ''}.")
    found = [marks.get(node.id, "") for node in graph.nodes]
    said.extend(f"{_count(found.count(key), 'node')}: {meaning}." for key, (_, meaning, *_) in MARKS.items() if key in found)
    return " ".join([*said, *(clean(note, 400) for note in view.notes)])


def text_width(text: str, size: float) -> float:
    """About how wide a line is in a sans-serif font of this size; a guess must do, as no font is at hand, and is right for the wide ones."""
    return size * sum([_letter(c) for c in text])


@cache
def _letter(c: str) -> float:
    """The width of a letter, as a part of its height."""
    if c.isascii():
        return next((width for width, some in _WIDTHS.items() if c in some), 0.7 if c.isupper() else 0.64)
    if unicodedata.combining(c):
        return 0.0
    picture = unicodedata.category(c) == "So"
    return (1.3 if picture else 1.0) if unicodedata.east_asian_width(c) in "WF" else 0.9 if picture else 0.84 if c in "±×−" else 0.7
