"""How large does the graph of a higher derivative get?

Step 31 found that y and y′ together are a few times as large as y. Each further derivative is a few times as large again. Let us count nodes
for tanh, a function that many networks use, up to its sixth derivative, and draw what can still be drawn.
"""

import numpy as np

from support import run

import dezero.functions as F
from dezero import Variable
from dezero.viz import collect_graph, get_svg_graph

# %% Counting
# The graph of a derivative is all that is behind it: functions of its own pass, and what these took from the passes before.


def derivatives(f, at, orders):
    x = Variable(np.array(at), name="x")
    found = [f(x)]
    for _ in range(orders):
        x.cleargrad()
        found[-1].backward(create_graph=True)
        found.append(x.grad)
    for order, v in enumerate(found):
        v.name = "y" + "'" * order if order < 4 else f"y({order})"
    return found


def count(y, passes):
    graph = collect_graph(y)
    by_pass = [sum(f.derivative == which for f in graph.functions) for which in range(passes)]
    return {"variables": len(graph.variables), "functions": len(graph.functions), "nodes": len(graph.nodes), "by_pass": by_pass}


def count_tanh(ys):
    print("tanh at 0.5          behind it: functions + variables = nodes   functions made by pass 0, 1, 2, ...")
    counts = []
    for y in ys:
        counts.append(count(y, len(ys)))
        found, last = counts[-1], len(counts)
        made = " ".join(f"{n:3}" for n in found["by_pass"][:last])
        print(f"{y.name:5}= {y.data:10.6f} {found['functions']:24} {found['variables']:11} {found['nodes']:7}   {made}")
    return counts


# %% Why it grows
# From order 3 on, each order has about 2.5 times as many functions as the one before. It is step 31 again: a pass writes a few functions for
# each that it meets, and now it meets those of all passes before. Six orders make 200 functions of one; twelve would make about 50 000.
#
# It need not be so. By pencil, with y for tanh(x): y′ = 1 - y², y″ = -2y + 2y³, y‴ = -2 + 8y² - 6y⁴. Each is a polynomial in y, with one
# more power than the one before. We multiply out, collect what is alike, and the sums stay short. Backward applies its rules to what it finds
# and collects nothing, so the same product may be computed again in several places. Right it is all the same.


def polynomials(ys):
    y = float(ys[0].data)
    short = [y, 1 - y**2, -2 * y + 2 * y**3, -2 + 8 * y**2 - 6 * y**4]
    apart = max(abs(a - float(b.data)) for a, b in zip(short, ys, strict=False))
    print(f"\npolynomials in y and graphs differ by {'less' if apart < 1e-14 else 'more'} than 1e-14 up to order 3")
    return apart


# %% Who grows, and who does not?
# The exponential is its own derivative: the package uses its result again, and the graph stays as it is. The sine goes round in a circle, and
# its graph with it. x·sin(x) gets one more term in each order (step 34), so it grows, but slowly. For tanh and softplus, log(1 + exp(x)), the
# slope of a product of slopes is a sum of such products, and each order multiplies their number.

OTHERS = {"exp(x)": F.exp, "sin(x)": F.sin, "x sin(x)": lambda x: x * F.sin(x), "tanh(x)": F.tanh, "log(1 + exp(x))": lambda x: F.log(1 + F.exp(x))}


def compare(orders=6):
    print("\nfunctions behind order        0     1     2     3     4     5     6")
    table = {}
    for name, f in OTHERS.items():
        table[name] = [len(collect_graph(y).functions) for y in derivatives(f, 0.5, orders)]
        print(f"{name:23} {' '.join(f'{n:5}' for n in table[name])}")
    return table


# %% Drawings
# Orders 1 to 3 can be read, function by function. The sixth has 489 nodes: no page is large enough. ``max_nodes=10`` draws functions that ran one
# after another as one box, until ten nodes are left. Each pass is then a box or two, and the arrows tell which pass takes from which. No box is
# of pass 1: the table says so too. Backward from y′ = 1 - y² needs y, but nothing that pass 1 has computed.


def draw(out, ys):
    for order in (1, 2, 3):
        (out / f"tanh{order}.svg").write_text(get_svg_graph(ys[order], verbose=False), encoding="utf-8")
    (out / "tanh6_folded.svg").write_text(get_svg_graph(ys[6], verbose=False, max_nodes=10), encoding="utf-8")


def main(out=None, fast=False):
    ys = derivatives(F.tanh, 0.5, 6)
    counts = count_tanh(ys)
    apart, table = polynomials(ys), compare()
    if out:
        draw(out, ys)
    return {"values": [float(y.data) for y in ys], "counts": counts, "apart": apart, "others": table}


# %% Exercises: python -m steps.check 35 my_answer.py
# 1. ``tanh_polynomial(n)``: derivative n of tanh as a polynomial in y: the list of its coefficients from y⁰ on. n = 1: [1, 0, -1].
# 2. ``third(x)``: the third derivative of tanh at a Variable x, as a Variable with at most 7 functions behind it, itself differentiable.
# 3. ``first_above(f, limit)``: the smallest order from 0 to 8 whose graph has more than ``limit`` functions, None if there is none. At 0.5.

if __name__ == "__main__":
    run(main)
