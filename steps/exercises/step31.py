"""Exercises of step 31: graphs of derivatives."""

from types import SimpleNamespace

import numpy as np

import dezero.functions as F
from dezero import Variable
from dezero.viz import Graph, collect_graph, get_svg_graph
from steps.exercises.kit import Exercise, same, true


def with_slope(f, at=0.7):
    x = Variable(np.array(at), name="x")
    y = f(x)
    y.backward(create_graph=True)
    return SimpleNamespace(x=x, y=y, graph=collect_graph([y, x.grad]), slope=collect_graph(x.grad))


def check_foretold(foretold):
    got, written = foretold(), [f.name for f in with_slope(lambda x: F.exp(x) * F.sin(x)).graph.functions if f.derivative == 1]
    true(isinstance(got, (list, tuple)) and all(isinstance(name, str) for name in got), f"foretold() gave {got!r}: a list of names is expected")
    for name in sorted({*got, *written}):
        same(list(got).count(name), written.count(name), f"how often {name} is among them")


def check_kept_for_slope(kept_for_slope):
    cases = [(F.tanh, "tanh(x)"), (F.sin, "sin(x)"), (lambda x: x * F.sin(x), "x·sin(x)"), (lambda x: F.exp(F.exp(x)), "exp(exp(x))"),
             (lambda x: F.log(1 + F.exp(x)), "log(1 + exp(x))"), (lambda x: F.sin(x) * F.sin(x), "sin(x)·sin(x)")]
    for f, text in cases:
        right = sorted(function.name for function in with_slope(f).slope.functions if function.derivative == 0)
        same(kept_for_slope(f, Variable(np.array(0.7))), right, f"for {text}")


def check_one_pass(one_pass):
    graph = with_slope(lambda x: x * F.sin(x)).graph
    for which in (0, 1):
        got = one_pass(graph, which)
        true(isinstance(got, Graph), f"one_pass(graph, {which}) gave a {type(got).__name__}: a Graph is expected")
        functions = [f for f in graph.functions if f.derivative == which]
        ids = {f.id for f in functions}
        edges = [edge for edge in graph.edges if not ids.isdisjoint(edge)]
        same(sorted(f.id for f in got.functions), sorted(ids), f"the ids of the functions of pass {which}")
        same(sorted(got.edges), sorted(edges), f"the edges from and to the functions of pass {which}")
        at_them = {end for edge in edges for end in edge} - ids
        same(sorted(v.id for v in got.variables), sorted(at_them), f"the ids of the variables at these edges, pass {which}")
        true(set(got.outputs) <= at_them, f"pass {which}: outputs {got.outputs} has a variable that is not in the graph")
        true("<svg" in get_svg_graph(got, verbose=False), "the graph cannot be drawn")


EXERCISES = [
    Exercise("foretold", "On paper: the names of the functions that backward writes for y = exp(x)·sin(x), as a list in any order.",
             ("Go through the rules of Mul, Exp and Sin in the table. What happens at x, which is used twice?",
              "Mul writes two Mul, Exp one Mul, Sin a Cos and a Mul, and an Add joins what meets at x."), check_foretold),
    Exercise("kept_for_slope", "The names of the functions of pass 0 behind y′, sorted, where y = f(x) and x is a Variable. For tanh: [\"Tanh\"].",
             ("y′ is x.grad after a backward that writes down what it does.",
              "y.backward(create_graph=True), then the functions of collect_graph(x.grad) with derivative 0."), check_kept_for_slope),
    Exercise("one_pass", "The dezero.viz.Graph of one pass alone: its functions, the edges from and to them, and the variables at these edges.",
             ("First choose the functions, then the edges that have one of them at an end, then the variables. Step 25 makes a Graph of such parts.",
              "Graph(variables=..., functions=..., edges=..., outputs=...), all tuples; of the outputs, those that are left."), check_one_pass),
]
