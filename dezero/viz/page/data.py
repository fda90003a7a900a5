"""Data: what a page tells of a graph, step by step, as plain values for JSON."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from dezero.viz.boxes import in_order
from dezero.viz.chain.bound import Bound
from dezero.viz.chain.naming import names_of
from dezero.viz.explain import explanation_of
from dezero.viz.graph import Collection, FunctionNode, Graph, GroupNode, VariableNode
from dezero.viz.look import MARKS, clean
from dezero.viz.page.arrays import Table
from dezero.viz.reading.writing import shown
from dezero.viz.values import Values
from dezero.viz.view import View

MAX_TARGETS, MAX_EXPLANATIONS = 20, 60_000  # how many variables are explained, and in how many bytes
MAX_CHAIN = 2_000                           # functions of a graph, above which explanations would be longer than that
MAX_NUMBERS = 20_000_000                    # elements of arrays that explanations may look at, as each looks at all of its graph
LONG = 400                                  # characters of a formula or a sentence


@dataclass(frozen=True, slots=True)
class Run:
    """A graph with its numbers, of which the views show parts.

    Attributes:
        found: the graph, and what in the program it stands for; None where only a picture was given.
        values: of a watched run.
        bound: the formulas of all functions; of a very large graph, of those that some view shows.
        names: what the variables are called in formulas, by id.
        table: the arrays that the page holds.
        sources: id of a function -> ids of its inputs, by the places of its edges.
    """

    found: Collection | None = None
    values: Values = field(default_factory=Values)
    bound: Bound | None = None
    names: dict[str, str] = field(default_factory=dict)
    table: Table = field(default_factory=Table)
    sources: dict[str, list[str]] = field(default_factory=dict)


def make_run(found: Collection, values: Values, graphs: Sequence[Graph]) -> Run:
    """What the pages of all views of a graph share.

    Args:
        found: the graph.
        values: its numbers.
        graphs: what the views show of it.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect
        >>> from dezero.viz.values import run_of
        >>> y = Variable(np.array(3.0), name="x") * 2
        >>> run = make_run(collect(y), run_of(y)[1], [collect(y).graph])
        >>> run.sources, run.names
        ({'f0': ['v0', 'v1']}, {'v0': 'x', 'v1': '2', 'v2': 'y'})
    """
    sources: dict[str, list[str]] = {id_: [] for id_ in found.functions}
    results: dict[str, list[str]] = {id_: [] for id_ in found.functions}
    for a, b in found.graph.edges:
        if b in sources:
            sources[b].append(a)
        else:
            results[a].append(b)
    functions = [f.id for f in found.graph.functions]
    if len(functions) > MAX_CHAIN:
        drawn = {node.id for graph in graphs for node in graph.nodes}
        functions = [f for f in functions if f in drawn]
    bound = Bound(found, values, sources, results, functions, "")
    rest = names_of(found, {v.id for v in found.graph.variables} - bound.names.keys(),
                    taken={*bound.names.values(), *bound.gradients.values(), *bound.helpers})
    return Run(found, values, bound, {**bound.names, **rest}, Table(), sources)


def named(view: View, run: Run) -> View:
    """A view of which every variable shows the name that the formulas use, and where numbers are shown, those of the run."""
    variables = tuple([replace(v, name=label(v, run)) if v.id in run.names else v for v in view.graph.variables])
    # The names of arguments would look like those of variables.
    functions = tuple([replace(f, arguments=("",) * len(f.arguments)) for f in view.graph.functions])
    written = {"value", "grad"} & {*view.show}
    return replace(view, graph=replace(view.graph, variables=variables, functions=functions), values=run.values if written else None)


def label(v: VariableNode, run: Run) -> str:
    """What a variable is called in the page: as in formulas, unless that is another name than its own and not its own one with a number."""
    own, symbol = clean(v.name or ""), run.names.get(v.id, "")
    return symbol if symbol.startswith(own) else own


def drawing_of(view: View, run: Run) -> dict[str, Any]:
    """The steps of a view: functions and groups forward, the same back, and how each gradient adds up on the way.

    Returns:
        ``forward`` and ``backward``: ids of the steps in order. ``links``: id of a step -> ids of what goes in and of what comes out.
        ``parts``: id of a variable -> what arrives there in backward: (step, or "" for where backward starts; place among the step's inputs,
        -1 for the sum of what it stands for; part; sum so far), arrays by their place in the table. ``boxes``: of layers, (path, ids of
        nodes, how many boxes it is in, how often it repeats).
    """
    forward = [unit.id for unit in in_order(view.graph)]
    members = _members(view, run)
    visited = {*run.values.order}
    backward = [id_ for id_ in reversed(forward) if not visited or not visited.isdisjoint(members.get(id_, [id_]))]
    links: dict[str, tuple[list[str], list[str]]] = {id_: ([], []) for id_ in forward}
    for a, b in view.graph.edges:
        if b in links:
            links[b][0].append(a)
        if a in links:
            links[a][1].append(b)
    for group in view.graph.groups:
        links[group.id] = (list(dict.fromkeys(links[group.id][0])), list(dict.fromkeys(links[group.id][1])))
    return {"forward": forward, "backward": backward, "links": links, "parts": _parts(view, backward, members, run), "boxes": _boxes(view)}


def _members(view: View, run: Run) -> dict[str, list[str]]:
    """The functions for which each step stands, in the order in which backward visits them.

    What was collapsed ran side by side, and what repeats right after the first time: a function that is not drawn belongs to the step before it.
    """
    units = in_order(view.graph)
    starts = [unit.order for unit in units]
    members: dict[str, list[str]] = {}
    for f in sorted(() if run.found is None else run.found.graph.functions, key=lambda f: -f.order):
        members.setdefault(units[bisect_right(starts, f.order) - 1].id, []).append(f.id)
    return members


def _boxes(view: View) -> list[list[Any]]:
    found: list[list[Any]] = []
    todo = [(cluster, 0) for cluster in reversed(view.clusters)]
    while todo:
        cluster, depth = todo.pop()
        found.append([clean(cluster.layer, 200), list(cluster.members), depth, cluster.times])
        todo.extend([(inner, depth + 1) for inner in reversed(cluster.inner)])
    return found


def _parts(view: View, backward: list[str], members: dict[str, list[str]], run: Run) -> dict[str, list[Any]]:
    """What arrives at each variable in backward, and the sum after it."""
    open_to = {v.id for v in view.graph.variables if v.kind != "constant"}
    arrivals: dict[str, list[tuple[str, int, Any]]] = {}
    for id_ in view.graph.outputs if run.values.order else ():
        if id_ in run.values.gradients and id_ in open_to:
            arrivals.setdefault(id_, []).append(("", 0, np.ones_like(run.values.arrays[id_])))
    for step in backward:
        for id_, place, part in _sent(step, members.get(step, []), run):
            if id_ in open_to:
                arrivals.setdefault(id_, []).append((step, place, part))
    return {id_: _summed(run.table, found, run.values.gradients.get(id_)) for id_, found in arrivals.items()}


def _sent(step: str, members: list[str], run: Run) -> list[tuple[str, int, Any]]:
    """The parts that a step sends, (variable, place, part): its own ones, and the sum of those of the functions that it stands for."""
    sums: dict[str, Any] = {}
    for f in members:
        for place, id_ in enumerate(run.sources[f]):
            part = run.values.flows.get((f, place))
            if f != step and part is not None:
                sums[id_] = sums[id_] + part if id_ in sums else part
    own = [(id_, place, run.values.flows.get((step, place))) for place, id_ in enumerate(run.sources.get(step, []))
           if not run.values.order or (step, place) in run.values.flows]
    return [*((id_, -1, part) for id_, part in sums.items()), *own]


def _summed(table: Table, arrivals: list[tuple[str, int, Any]], gradient: Any) -> list[Any]:
    """Parts with the sum after each; the last sum is the gradient itself."""
    found: list[Any] = []
    total = None
    for k, (step, place, part) in enumerate(arrivals):
        total = part if total is None or part is None else total + part
        if k + 1 == len(arrivals) and gradient is not None:
            total = gradient
        found.append([step, place, table.add(part), table.add(total)])
    return found


def nodes_of(view: View, run: Run) -> dict[str, dict[str, Any]]:
    """All nodes of a view by id, with what the page tells of each."""
    return {**{v.id: _variable(v, run) for v in view.graph.variables}, **{f.id: _function(f, run) for f in view.graph.functions},
            **{g.id: _group(g) for g in view.graph.groups}}


def _variable(v: VariableNode, run: Run) -> dict[str, Any]:
    value, gradient = run.table.add(run.values.arrays.get(v.id)), run.table.add(run.values.gradients.get(v.id))
    marks = [[what, mark] for what, place in (("value", value), ("grad", gradient)) for mark in _marks(run.table, place, v, what)]
    name, symbol = label(v, run) or v.id, run.names.get(v.id)
    found = {"kind": v.kind, "name": name, "symbol": symbol if symbol != name else None, "shape": v.shape, "dtype": v.dtype,
             "layer": clean(v.layer, 200), "derivative": v.derivative, "value": value, "grad": gradient, "marks": marks}
    return {key: item for key, item in found.items() if item is not None and item != "" and item != []}


def _marks(table: Table, place: int | None, v: VariableNode, what: str) -> list[str]:
    """What a reader should look at, as :func:`dezero.viz.look.mark` sees it, for the value and the gradient apart."""
    if place is None:
        return []
    known = table.facts(place)
    dead = known.zero and (what == "grad" or (v.kind == "result" and known.size > 1))
    huge = known.huge and table.is_float(place)
    marks = {"nan": known.nans > 0, "inf": known.infs > 0 and v.kind != "constant", "huge": huge and v.kind != "constant", "zero": dead}
    return [mark for mark, holds in marks.items() if holds]


def worst_marks(view: View, nodes: dict[str, dict[str, Any]]) -> dict[str, str]:
    """The badge of each node in a drawing: the worst of its marks."""
    order = list(MARKS)
    return {v.id: min((mark for _, mark in nodes[v.id]["marks"]), key=order.index) for v in view.graph.variables if "marks" in nodes[v.id]}


def _function(f: FunctionNode, run: Run) -> dict[str, Any]:
    forward, gradients = _formulas(f.id, run)
    found = {"kind": "function", "name": clean(f.name), "op": clean(f.op), "layer": clean(f.layer, 200), "derivative": f.derivative,
             "settings": [[clean(k), clean(v, 60)] for k, v in f.settings], "formula": forward, "gradients": gradients}
    return {key: item for key, item in found.items() if item}


def _formulas(f: str, run: Run) -> tuple[str, dict[str, str]]:
    """What a function computes; and by the place of an edge, the gradient that it sends back, with += where others add to it."""
    bound, found = run.bound, run.found
    if bound is None or found is None or f not in bound.formulas:
        return "", {}
    results = bound.places[f]
    tree = bound.forward(f)
    forward = "" if tree is None else f"{', '.join(bound.names[results[j]] for j in sorted(results))} = {shown(tree)}"
    incoming = {j: bound.gradient(r) for j, r in results.items()}
    wanted = {i for i, _, _ in found.functions[f]._plan.calls}
    gradients = {str(place): f"{bound.gradients[v]} = {bound.text(f, i, incoming)}"
                 for place, (i, v) in enumerate(zip(found.inputs[f], run.sources[f], strict=True)) if i in wanted}
    return clean(forward, LONG), {place: clean(text, LONG) for place, text in gradients.items()}


def _group(g: GroupNode) -> dict[str, Any]:
    return {"kind": "group", "name": clean(g.name), "layer": clean(g.layer, 200), "derivative": g.derivative, "functions": g.functions,
            "parameters": g.parameters, "numbers": g.numbers, "times": g.times}


def explanations_of(run: Run, room: int) -> tuple[list[dict[str, str]], int]:
    """The chain rule to each parameter and leaf that has a gradient, as text, in at most ``room`` bytes, and how many of them found no room."""
    if run.found is None or not run.values.order:
        return [], 0
    targets = [v.id for v in run.found.graph.variables if v.kind in ("leaf", "parameter") and v.id in run.values.gradients]
    said: list[dict[str, str]] = []
    room = min(room, MAX_EXPLANATIONS)
    size = sum(np.size(a) for a in run.values.arrays.values())
    for id_ in targets[:min(MAX_TARGETS, MAX_NUMBERS // max(1, size))] if len(run.sources) <= MAX_CHAIN else ():
        text = str(explanation_of(run.found, run.values, id_, bound=run.bound))
        taken = len(text.encode("ascii", "backslashreplace"))  # as JSON has it
        if taken <= room:
            said.append({"id": id_, "text": text})
            room -= taken
    return said, len(targets) - len(said)
