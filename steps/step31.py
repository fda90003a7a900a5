"""What does the graph of a derivative look like?

Backward writes down what it computes, as step 30 has shown: a derivative has a graph of its own. This script draws it, and tells with colours
which functions ran on the way forward and which on the way back. The drawing answers two questions that matter later: what must be kept for a
second derivative, and how much larger than a formula is its derivative?
"""

from collections import Counter

import numpy as np

from support import run

import dezero.functions as F
from dezero import Variable
from dezero.viz import collect_graph, get_svg_graph, keep_values

# %% Each rule writes a few functions
# Think of a pass as one walk over the graph. Pass 0 is the way forward, pass 1 the backward from y, pass 2 would be a backward from y′. The
# package marks each function with the pass that made it; ``collect_graph``, which collects what the drawings show, calls it ``derivative``.
#
# A rule of differentiation is a small piece of graph. Multiplication writes two multiplications, one for each factor. The sine writes a cosine
# and a multiplication. Addition hands on what arrives, so it writes nothing. The exponential is its own slope: its piece starts from the result
# that is there already. For tanh, with slope 1 - y², this holds too; Complement is the package's name for 1 - y².


def with_slopes(f, count=1):
    """The graph of y = f(a, ...) together with its slopes along a, ..."""
    xs = [Variable(np.array(0.5 + place), name="ab"[place]) for place in range(count)]
    y = f(*xs)
    y.backward(create_graph=True)
    return collect_graph([y, *(x.grad for x in xs)])


def made_by(graph, which):
    """The names of the functions that a pass made, in the order in which they ran."""
    return [f.name for f in sorted(graph.functions, key=lambda f: f.order) if f.derivative == which]


def taken(graph):
    """Which variables of the way forward the way back takes: the input, a leaf of the graph, or the result."""
    ends = {start: end for start, end in graph.edges if end in {f.id for f in graph.functions if f.derivative == 1}}
    return {v.kind for v in graph.variables if v.derivative == 0 and v.id in ends}


RULES = [(lambda a, b: a + b, 2), (lambda a, b: a * b, 2), (F.sin, 1), (F.exp, 1), (F.tanh, 1)]


def rule_table():
    print("forward  backward writes  and takes")
    rules = {}
    for f, count in RULES:
        graph = with_slopes(f, count)
        (name,) = made_by(graph, 0)
        rules[name] = made_by(graph, 1)
        words = {"leaf": "its input" if count == 1 else "its inputs", "result": "its result"}
        print(f"{name:7}  {' '.join(rules[name]) or 'nothing':15}  {', '.join(words[kind] for kind in sorted(taken(graph))) or 'nothing'}")
    return rules


# %% The pieces, put together
# Now y = x·sin(x). From the table we can foretell its pass 1: the product gives Mul and Mul, the sine gives Cos and Mul. x was used twice, so
# two gradients meet at x, and an Add joins them. On paper: y′ = sin(x) + x·cos(x).


def x_sin_x():
    x = Variable(np.array(2.0), name="x")
    with keep_values():  # for the drawing
        y = x * F.sin(x)
        y.backward(create_graph=True)
    gx = x.grad
    y.name, gx.name = "y", "y'"
    graph = collect_graph([y, gx])
    print(f"\ny = x sin x at 2: y = {y.data:.6f}, y' = {gx.data:.6f}")
    found = {"y": float(y.data), "slope": float(gx.data), "passes": sorted({f.derivative for f in graph.functions}), "functions": {}, "variables": {}}
    for which in found["passes"]:
        names = made_by(graph, which)
        found["functions"][which] = names
        found["variables"][which] = sum(v.derivative == which for v in graph.variables)
        print(f"pass {which}: {len(names)} functions ({' '.join(names)}), {found['variables'][which]} variables")
    return found, [y, gx]


# %% What y′ needs of the way forward
# Draw y′ without y. Then one box of the way forward is missing: the Mul that made y, for the slope of a product does not need the product. Its
# Sin is there, as a piece of pass 1 starts from it. Only what is behind y′ must stay in memory. Functions of pass 0 in this graph are the
# reason why a second derivative reaches x on more than one way: x moves y′ through the pieces of pass 1, and through sin(x).


def needed(y, gx):
    behind_y, behind_slope = (Counter(f.name for f in collect_graph(v).functions if f.derivative == 0) for v in (y, gx))
    print(f"y' needs of pass 0: {' '.join(sorted(behind_slope))}; it does not need: {' '.join(sorted(behind_y - behind_slope))}")
    return {"needed": sorted(behind_slope), "not_needed": sorted(behind_y - behind_slope)}


# %% How large does it get?
# Put u·sin(u) into itself: u becomes u·sin(u), again and again. Each function writes a piece of at most a few functions. So the graph of y and
# y′ grows as the graph of y does, and its size is a fixed multiple: one backward costs a few times as much as forward, however long the formula.
# On paper we would write y′ in one line, and the line explodes. The formula of the inside stands in it several times, and in each of these the
# inside of the inside. A graph computes the inside once, and draws several arrows from it. That is why we differentiate graphs, and not text.


def nested(x, times, sin=F.sin):
    for _ in range(times):
        x = x * sin(x)
    return x


def in_one_line(times):
    """y and y' as text."""
    u, slope = "x", "1"
    for _ in range(times):
        u, slope = f"({u} * sin({u}))", f"({slope} * sin({u}) + {u} * cos({u}) * {slope})"
    return u, slope


def operations(text):
    return sum(text.count(sign) for sign in ("sin", "cos", "*", "+"))


def sizes():
    print("\nx sin x, put into itself    functions forward   backward   ratio    operations of y' in one line")
    rows = []
    for times in (1, 2, 4, 8):
        graph = with_slopes(lambda x, times=times: nested(x, times))
        forward, backward = len(made_by(graph, 0)), len(made_by(graph, 1))
        rows.append([times, forward, backward, operations(in_one_line(times)[1])])
        print(f"{times:15} times {forward:23} {backward:10} {backward / forward:7.2f} {rows[-1][3]:20}")
    graph = with_slopes(lambda x: nested(x, 500))
    rows.append([500, len(made_by(graph, 0)), len(made_by(graph, 1)), 3 * 500 * 2**500])  # 6, 24, 192, 6144 are 3 * times * 2**times
    print(f"{500:15} times {rows[-1][1]:23} {rows[-1][2]:10} {rows[-1][2] / rows[-1][1]:7.2f} {float(rows[-1][3]):20.0e}")
    return rows


def same_slope(times=4):
    """The line of text and the graph, at 1.3."""
    x = Variable(np.array(1.3))
    nested(x, times).backward()
    return [float(eval(in_one_line(times)[1], {"x": 1.3, "sin": np.sin, "cos": np.cos})), float(x.grad.data)]


def main(out=None, fast=False):
    rules = rule_table()
    found, (y, gx) = x_sin_x()
    found.update(needed(y, gx), rules=rules, sizes=sizes(), one_line=same_slope())
    if out:
        (out / "y.svg").write_text(get_svg_graph(y, verbose=False), encoding="utf-8")
        (out / "slope.svg").write_text(get_svg_graph(gx, verbose=False), encoding="utf-8")
        (out / "y_and_slope.svg").write_text(get_svg_graph([y, gx], show="value"), encoding="utf-8")
    return found


# %% Exercises: python -m steps.check 31 my_answer.py
# 1. ``foretold()``: on paper: the names of the functions that backward writes for y = exp(x)·sin(x), as a list in any order.
# 2. ``kept_for_slope(f, x)``: the names of the functions of pass 0 behind y′, sorted, where y = f(x) and x is a Variable. For tanh: ["Tanh"].
# 3. ``one_pass(graph, which)``: the dezero.viz.Graph of one pass alone: its functions, their edges, and the variables at these.

if __name__ == "__main__":
    run(main)
