"""The graph of a derivative of a derivative: tanh, differentiated again and again, each time drawn and checked.

A gradient that is computed with ``create_graph=True`` is a Variable like any other: it can be differentiated once more, and its graph can
be drawn. The drawings grow fast, which is the reason to look at them.

    python examples/tanh.py                 the first four derivatives, as SVG
    python examples/tanh.py --order 7       up to the seventh
    python examples/tanh.py --format png    needs Graphviz; SVG does not
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.polynomial import Polynomial

import dezero.functions as F
from dezero import Variable
from dezero.utils import plot_dot_graph
from dezero.viz import collect_graph


def closed_form(order, x):
    """The derivative as a polynomial in t = tanh(x): t' = 1 - t^2, so (p(t))' = p'(t) (1 - t^2)."""
    p = Polynomial([0, 1])
    for _ in range(order):
        p = p.deriv() * Polynomial([1, 0, -1])
    return p(np.tanh(x))


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--order", type=int, default=4, help="the highest derivative (4)")
    parser.add_argument("--x", type=float, default=0.5, help="where (0.5)")
    parser.add_argument("--format", choices=("svg", "png", "pdf", "dot"), default="svg", help="of the drawings (svg)")
    parser.add_argument("--out", type=Path, default=Path("runs/tanh"), help="the folder for the drawings (runs/tanh)")
    parser.add_argument("--fast", action="store_true", help="no further than the third derivative")
    return parser.parse_args(argv)


def main(argv=None):
    args = options(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    x = Variable(np.array(args.x), name="x")
    y = F.tanh(x)
    y.name = "y"
    values, nodes, worst = [float(y.data)], [], 0.0
    print("order        derivative       closed form   functions in the graph")
    for order in range(1, (min(args.order, 3) if args.fast else args.order) + 1):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad  # from here on the last derivative is what is differentiated
        y.name = f"gx{order}"

        right = closed_form(order, args.x)
        worst = max(worst, abs(float(y.data) - right) / max(1.0, abs(right)))
        values.append(float(y.data))
        nodes.append(len(collect_graph(y).functions))
        print(f"{order:5} {float(y.data):17.10f} {right:17.10f} {nodes[-1]:24}")
        plot_dot_graph(y, verbose=False, to_file=args.out / f"tanh{order}.{args.format}")
    print(f"drawings in {args.out}")
    return {"values": values, "functions": nodes, "error": worst}


if __name__ == "__main__":
    main()
