"""How do we tell a computer what to draw?

A picture of a computation has boxes, arrows and a place for each of them. Nobody wants to type coordinates. The language DOT describes a
picture by saying only what is joined to what; a program finds the places. This script writes DOT by hand, reads it, and draws it.
"""

from itertools import pairwise

from support import run

from dezero.viz import FunctionNode, Graph, VariableNode, get_svg_graph

# %% A text that is a picture
# Here is softplus, log(1 + exp(x)), in DOT. ``digraph`` means that the arrows have a direction. A line with brackets introduces a node:
# first the name by which the text refers to it, then what it looks like. ``label`` is what stands in it. Nodes are ellipses if we do not ask
# for a box: so variables are ellipses, functions are boxes. A line with arrows joins nodes, and may join many at once.

SOFTPLUS = """
digraph {
    x [label="x"]
    a [label="a"]
    b [label="b"]
    y [label="y"]
    exp [label="Exp", shape=box]
    add [label="AddOne", shape=box]
    log [label="Log", shape=box]
    x -> exp -> a -> add -> b -> log -> y
}
"""

# %% A reader of such texts
# Machines should find DOT as easy as we do, so let us write a reader. It knows a small part of the language, one thing per line, and gives the
# nodes with their attributes, and the edges as pairs. ``setdefault`` adds a node if it is new: in DOT an edge may name a node before, or
# without, a line that introduces it.


def read_dot(text):
    nodes, edges = {}, []
    for line in text.split("{", 1)[1].rsplit("}", 1)[0].splitlines():
        if "->" in line:
            names = [name.strip() for name in line.split("->")]
            for name in names:
                nodes.setdefault(name, {})
            edges += pairwise(names)
        elif line.strip():
            name, attributes = line.strip().rstrip("]").split("[")
            pairs = [pair.split("=") for pair in attributes.split(",")]
            nodes.setdefault(name.strip(), {}).update({key.strip(): value.strip().strip('"') for key, value in pairs})
    return nodes, edges


# %% Where does each node go?
# All arrows should point down. So a node stands one row below the lowest of those from which arrows come to it, and where none comes, at the
# top. It is the rule of step 16 for generations, with variables counted too. Programs that draw graphs do more after that, so that lines are
# short and seldom cross, but this is their first step.


def rows_of(nodes, edges):
    rows = dict.fromkeys(nodes, 0)
    for _ in nodes:  # the longest way has fewer arrows than there are nodes
        for start, end in edges:
            rows[end] = max(rows[end], rows[start] + 1)
    return rows


def show(nodes, edges):
    rows = rows_of(nodes, edges)
    print(f"{len(nodes)} nodes, {len(edges)} edges")
    for name in sorted(nodes, key=rows.get):
        label = nodes[name].get("label", name)
        drawn = f"[ {label} ]" if nodes[name].get("shape") == "box" else f"( {label} )"
        print(f"row {rows[name]}   {drawn:^12}".rstrip())
    return rows


# %% To a real picture
# ``dezero.viz`` draws graphs as SVG, a format that every browser shows. It wants a Graph: variables, functions, and edges between them. We
# fill one with what we have read. No other program is needed. (If you have Graphviz, the program for which DOT was made, then
# ``dot -Tsvg softplus.dot -o picture.svg`` draws the same text.)


def to_graph(nodes, edges):
    rows = rows_of(nodes, edges)
    made = {end for _, end in edges}
    labels = {name: attributes.get("label", name) for name, attributes in nodes.items()}
    functions = [name for name in nodes if nodes[name].get("shape") == "box"]
    variables = [name for name in nodes if name not in functions]
    return Graph(
        variables=tuple(VariableNode(id=name, kind="result" if name in made else "leaf", name=labels[name], shape=None, dtype=None, layer="",
                                     generation=rows[name] // 2) for name in variables),
        functions=tuple(FunctionNode(id=name, name=labels[name], op=name, layer="", generation=rows[name] // 2, order=place)
                        for place, name in enumerate(functions)),
        edges=tuple(edges),
        outputs=tuple(name for name in variables if name not in {start for start, _ in edges}),
    )


# %% What goes wrong
# DOT forgives much. Write ``ad`` for ``add`` in the line with the arrows, and nobody complains: an ellipse called ad appears, and the box for
# AddOne stands alone. And a text by hand shows what we believe, not what ran. If softplus changes tomorrow, this picture stays. Step 26
# writes the text from the computation itself.


def with_a_slip():
    nodes, edges = read_dot(SOFTPLUS.replace("-> add ->", "-> ad ->"))
    joined = {name for edge in edges for name in edge}
    alone = [name for name in nodes if name not in joined]
    print(f"\nwith a slip of the pen: {len(nodes)} nodes, {len(edges)} edges; without any arrow: {alone}")
    return {"nodes": len(nodes), "edges": len(edges), "alone": alone}, get_svg_graph(to_graph(nodes, edges), verbose=False)


def main(out=None, fast=False):
    nodes, edges = read_dot(SOFTPLUS)
    rows = show(nodes, edges)
    svg = get_svg_graph(to_graph(nodes, edges), verbose=False)
    print(f"\nthe SVG has {svg.count('<ellipse')} ellipses, and {svg.count('data-to=')} arrows")
    slip, slip_svg = with_a_slip()
    if out:
        (out / "softplus.dot").write_text(SOFTPLUS.lstrip(), encoding="utf-8")
        (out / "softplus.svg").write_text(svg, encoding="utf-8")
        (out / "softplus_slip.svg").write_text(slip_svg, encoding="utf-8")
    return {"dot": SOFTPLUS, "nodes": len(nodes), "edges": len(edges), "rows": rows, "svg": svg, "slip": slip}


# %% Exercises: python -m steps.check 25 my_answer.py
# 1. ``square_plus_x()``: returns DOT, written by hand, for y = x * x + x: 5 nodes, two of them boxes, and 6 edges. x goes into Mul twice.
# 2. ``chain_dot(functions)``: DOT for a chain: for ["Exp", "Log"] 5 nodes and 4 edges. The same name may come twice: ["Exp", "Exp"].
# 3. ``loose_ends(text)``: the names of nodes without any arrow, in alphabetical order. Lines that begin with // are remarks: skip them.

if __name__ == "__main__":
    run(main)
