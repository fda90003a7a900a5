"""Can a computation draw itself?

Step 25 wrote the text of a picture by hand: a belief about the program, not a record of it. But backward finds its way through the graph, from
the result to each function and on to its inputs. Whoever can walk a graph can write down what is met on the way.
"""

import xml.etree.ElementTree as ET

import numpy as np

from support import run

from dezero import Variable
from dezero.utils import get_dot_graph, plot_dot_graph
from dezero.viz import collect_graph, get_svg_graph, keep_values, to_html

# %% A walk that takes notes
# The walk is the one of backward, without gradients: from a variable to its ``creator``, from there to its ``inputs``. ``walk`` hands out each
# function once, with the variable that it made. (``yield`` gives one pair to the loop that asks, and goes on when the loop asks again.)


def walk(output):
    seen, todo = set(), [output]
    while todo:
        made = todo.pop()
        function = made.creator
        if function is not None and function not in seen:
            seen.add(function)
            todo += function.inputs
            yield function, made


# %% From notes to DOT
# What is new on the walk gets a name, v or f and a running number, and a line of DOT. What has a name gets no second line: Beale's function
# uses x again and again, yet x is one node, however many arrows leave it.


def by_number(names, thing):
    return f"{'v' if isinstance(thing, Variable) else 'f'}{len(names)}"


def as_it_is(name):
    return name


def write_dot(output, choose_name=by_number, quote=as_it_is):
    names, lines = {}, []

    def node(thing):
        if thing not in names:
            names[thing] = choose_name(names, thing)
            if isinstance(thing, Variable):
                lines.append(f'    {names[thing]} [label="{quote(thing.name or "")}"]')
            else:
                lines.append(f'    {names[thing]} [label="{type(thing).__name__}", shape=box]')
        return names[thing]

    node(output)
    for function, made in walk(output):
        lines.append(f"    {node(function)} -> {node(made)}")
        lines.extend(f"    {node(x)} -> {node(function)}" for x in function.inputs)
    return "\n".join(["digraph {", *lines, "}"])


# %% Names that stay
# Python has a number for every object already: ``id(thing)``, its place in memory. As a name in a drawing it is a trap. Run the program again,
# and all places are others: the text has changed although the computation has not. Whoever keeps drawings next to the code, or compares them in
# a test, wants the same text each time. A running number depends on nothing but the graph.


def by_place_in_memory(names, thing):
    return f"n{id(thing)}"


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def make():
    x, y = Variable(np.array(2.0), name="x"), Variable(np.array(-1.0), name="y")
    z = beale(x, y)
    z.name = "z"
    return x, y, z


def compare_names():
    z, again = make()[-1], make()[-1]
    numbered, placed = (write_dot(z, rule) == write_dot(again, rule) for rule in (by_number, by_place_in_memory))
    print("the same computation, drawn twice, gives the same text:")
    print(f"    names by number {numbered}, names by place in memory {placed}")
    return {"numbered": numbered, "placed": placed}


# %% Names that break the text
# In DOT a label stands between quotes. A name which holds a quote ends its label too early, and what follows is no DOT any more. So marks with a
# meaning get a backslash before them, which takes the meaning away. This is called escaping. SVG has its own such marks, < and &, and other
# ways to escape them. It is dull work, and to forget it once is enough; people have put commands into names to see what happens.


def escaped(name):
    return name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def odd_name():
    odd = Variable(np.array(1.0), name='a"b<x>\n')
    texts = {"as it is": write_dot(odd), "escaped": write_dot(odd, quote=escaped)}
    for how, text in texts.items():
        print(f"\na name with a quote and a line break, {how}:")
        print("\n".join(text.splitlines()[1:-1]))
    return {**texts, "svg": get_svg_graph(odd * 2), "dot": get_dot_graph(odd * 2)}


# %% The same from the package
# ``dezero.viz`` and ``dezero.utils`` do all of this. ``get_dot_graph`` gives DOT. ``get_svg_graph`` gives SVG, and finds places for the nodes by
# itself. The options say what stands in a node: ``verbose=False`` the name alone, ``verbose=True`` shape and dtype as well, and ``show`` is a
# list of what you want to see. Numbers on the way are thrown away as soon as nobody needs them (step 18), and then no drawing can show them.
# Inside of ``with keep_values()`` they stay; ``backward(retain_grad=True)`` keeps the gradients of all variables that somebody holds. Nobody
# holds those inside of Beale's function, so we collect them on a walk.


def texts_in(svg):
    """The lines of text in each node of a drawing."""
    space = "{http://www.w3.org/2000/svg}"
    nodes = [node for node in ET.fromstring(svg).iter(f"{space}g") if "data-node" in node.attrib]
    return [[text.text for text in node.findall(f"{space}text")] for node in nodes]


DRAWINGS = {"plain": {"verbose": False}, "shapes": {"verbose": True}, "values": {"show": "value,grad"}}


def draw_beale(out):
    with keep_values():
        x, y, z = make()
    held = [made for _, made in walk(z)]
    z.backward(retain_grad=True)
    text, graph = write_dot(z), collect_graph(z)
    sizes = {"ours": [text.count("label="), text.count("->")], "package": [len(graph.nodes), len(graph.edges)], "made": len(held)}
    print(f"\nBeale's function, nodes and edges: {sizes['ours']} in our text, {sizes['package']} in the package's graph")
    cells = {}
    for drawing, options in DRAWINGS.items():
        found = texts_in(get_svg_graph(z, **options))
        cells[drawing] = [[lines for lines in found if lines[:1] == [name]] for name in "xyz"]
        option = ", ".join(f"{key}={value!r}" for key, value in options.items())
        print(f"{option:18}" + "".join(f"  ({', '.join(node)})" for nodes in cells[drawing] for node in nodes))
    if out:
        for drawing, options in DRAWINGS.items():
            plot_dot_graph(z, to_file=out / f"beale_{drawing}.svg", **options)
        plot_dot_graph(z, verbose=False, to_file=out / "beale.dot")
        to_html(z, out / "beale.html", title="Beale's function at (2, -1)", show="value,grad")
    return {"sizes": sizes, "cells": cells, "dot": get_dot_graph(z), "gradient": [float(x.grad.data), float(y.grad.data)]}


# %% Pictures to look at
# Run with ``--out pictures`` and open ``beale_values.svg`` in a browser: in each node stand its number and how fast z grows with it. Follow the
# arrows from z upward, and you see backward at work. ``beale.html`` plays it: press the right arrow key to see one function after the other.


def main(out=None, fast=False):
    return {"same text": compare_names(), "odd": odd_name(), **draw_beale(out)}


# %% Exercises: python -m steps.check 26 my_answer.py
# 1. ``uses(output, x)``: how many arrows leave the variable x in the graph of output? For x * x + x it is 3.
# 2. ``function_names(output)``: the class names of all functions behind output, sorted; one that ran twice is there twice.
# 3. ``svg_text(name)``: a name escaped for SVG, in which < begins a tag and & begins an escape: ``&lt;`` is <, and ``&amp;`` is &.

if __name__ == "__main__":
    run(main)
