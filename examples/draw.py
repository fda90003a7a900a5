"""A gallery of computation graphs: derivatives of derivatives, all numbers of a function, networks, and a page on which backpropagation is played.

One call draws a picture; the rest of this script is what there is to draw. SVG and HTML files open in any browser.

    python examples/draw.py                       everything
    python examples/draw.py --only net vgg16      some of it; --help has the names
    python examples/draw.py --format png          needs Graphviz; SVG does not
"""

import argparse
import time
from pathlib import Path

import numpy as np

import dezero.functions as F
from dezero import Parameter, Variable, grad
from dezero.models import GPT, MLP, VGG16
from dezero.utils import plot_dot_graph
from dezero.viz import diff, explain, make_view, to_html


def named(y, name):
    y.name = name
    return y


def polynomial(backward=False):
    """x^2 + 3x at 2, with what is in between, which keeps its gradients as long as it lives."""
    x = Variable(np.array(2.0), name="x")
    a, b = named(x * x, "a"), named(3 * x, "b")
    y = named(a + b, "y")
    if backward:
        y.backward(retain_grad=True)
    return [y, a, b, x]


def derivative(f, order):
    """A derivative of ``f`` at 1: a Variable like any other, with all that it was computed from behind it."""
    x = Variable(np.array(1.0), name="x")
    y = f(x)
    for _ in range(order):
        y = grad(y, x, create_graph=True)
    return named(y, f"gx{order}")


def orders():
    """tanh with its first and second derivative: three results, one graph."""
    x = Variable(np.array(1.0), name="x")
    y = named(F.tanh(x), "y")
    gx = named(grad(y, x, create_graph=True), "gx")
    return [y, gx, named(grad(gx, x, create_graph=True), "ggx")]


def goldstein():
    """The Goldstein-Price function at (1, 1)."""
    x, y = Variable(np.array(1.0), name="x"), Variable(np.array(1.0), name="y")
    z = ((1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x ** 2 - 14 * y + 6 * x * y + 3 * y ** 2))
         * (30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x ** 2 + 48 * y - 36 * x * y + 27 * y ** 2)))
    return named(z, "z")


def goldstein_values():
    """The same after backward, for its values and gradients."""
    z = goldstein()
    z.backward()
    return z


def network(hidden=(4,), activation=F.relu):
    """The loss of a small classifier on five samples."""
    rng = np.random.default_rng(0)
    x, t = Variable(rng.standard_normal((5, 3), np.float32), name="x"), rng.integers(0, 2, 5)
    np.random.seed(0)  # the first weights come from NumPy's global state
    return named(F.softmax_cross_entropy(MLP((*hidden, 2), activation)(x), t), "loss")


def lstm(size=4):
    """One step of an LSTM, written out: gates, the cell's state c, the hidden state h."""
    x, h, c = [Variable(np.ones((2, n)), name=name) for name, n in (("x", 3), ("h", size), ("c", size))]
    Wx, Wh, b = [Parameter(np.full((*n, 4 * size), 0.1), name=name) for name, n in (("Wx", (3,)), ("Wh", (size,)), ("b", ()))]
    gates = named(F.linear(x, Wx, b) + F.matmul(h, Wh), "gates")
    i, f, o, g = [gates[:, k * size:(k + 1) * size] for k in range(4)]
    i, f, o, g = named(F.sigmoid(i), "input"), named(F.sigmoid(f), "forget"), named(F.sigmoid(o), "output"), named(F.tanh(g), "new")
    c = named(f * c + i * g, "next c")
    return named(o * F.tanh(c), "next h")


def gpt():
    """A small transformer of twelve equal blocks."""
    return named(GPT(vocab_size=50, context=8, embed_size=16, num_layers=12)(np.zeros((2, 8), int)), "scores")


# name: what to draw, and how
PICTURES = {
    "polynomial": (lambda: polynomial()[0], {}),
    "values": (lambda: polynomial(backward=True), {"show": "value,grad"}),
    **{f"sin{k}": (lambda k=k: derivative(F.sin, k), {"verbose": False}) for k in range(1, 5)},
    **{f"tanh{k}": (lambda k=k: derivative(F.tanh, k), {"verbose": False}) for k in range(1, 7)},
    "goldstein": (goldstein, {"verbose": False}),
    "goldstein-values": (goldstein_values, {"show": "value,grad"}),
    "orders": (orders, {"verbose": False}),
    "net": (network, {}),
    "lstm": (lstm, {"show": "shape"}),
    # Weights of zero are there at once, and a drawing of shapes is the same.
    "vgg16": (lambda: VGG16(initializer=0)(Variable(np.zeros((1, 3, 32, 32), np.float32), name="image")), {"collapse": True}),
    "gpt": (gpt, {"depth": 1, "fold": True}),
    "gpt-collapsed": (gpt, {"collapse": True, "fold": True}),
}
NAMES = [*PICTURES, "page", "explain", "diff"]


def options(argv):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=NAMES, metavar="NAME", help=f"what to draw, of {', '.join(NAMES)}")
    parser.add_argument("--format", choices=("svg", "png", "pdf", "dot"), default="svg", help="of the pictures (svg)")
    parser.add_argument("--out", type=Path, default=Path("runs/draw"), help="the folder for all files (runs/draw)")
    parser.add_argument("--fast", action="store_true", help="tanh no further than to the fourth derivative")
    return parser.parse_args(argv)


def main(argv=None):
    args = options(argv)
    args.out.mkdir(parents=True, exist_ok=True)
    numbers = {"nodes": {}, "seconds": {}}
    for name in args.only or [name for name in NAMES if not args.fast or name not in ("tanh5", "tanh6")]:
        if name in PICTURES:
            make, look = PICTURES[name]
            y, begin = make(), time.perf_counter()
            view = make_view(y, **look)
            path = plot_dot_graph(view, to_file=args.out / f"{name}.{args.format}")
            numbers["nodes"][name], numbers["seconds"][name] = len(view.graph.nodes), time.perf_counter() - begin
            print(f"{path}: {len(view.graph.nodes)} nodes, {numbers['seconds'][name]:.2f} s")
        elif name == "page":
            print(f"{to_html(network(), args.out / 'page.html')}: forward and backward, step by step")
        elif name == "explain":
            y, *_, x = polynomial()
            with open(args.out / "explain.txt", "w", encoding="utf-8") as file:
                numbers["explained"] = explain(x, y, file=file).check()
            print(f"{file.name}: the chain rule from y to x")
        else:
            found = diff(network(), network((4, 4), F.tanh))
            print(f"{found.save(args.out / 'diff.svg')}: {str(found).splitlines()[0]}")
    return numbers


if __name__ == "__main__":
    main()
