"""What it takes to draw: graphs of several sizes as SVG, a page, an explanation."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

import dezero.functions as F
from benchmarks.harness import Row, benchmark, told
from dezero import Variable, grad
from dezero.models import MLP, VGG16
from dezero.viz import explain, get_svg_graph, make_view
from dezero.viz.page import render_html


def seconds(call: Callable[[], Any], turns: int) -> list[float]:
    """The time of each turn."""
    call()
    times = []
    for _ in range(turns):
        start = time.perf_counter()
        call()
        times.append(time.perf_counter() - start)
    return times


def sixth_derivative() -> Variable:
    """The sixth derivative of tanh at 1: 489 nodes."""
    x = Variable(np.array(1.0), name="x")
    y = F.tanh(x)
    for _ in range(6):
        y = grad(y, x, create_graph=True)
    return y


def vgg() -> Variable:
    """VGG16's scores of one picture of 64 x 64, with weights of zero: a drawing is the same."""
    model = VGG16()
    model.eval()
    y: Variable = model(Variable(np.zeros((1, 3, 64, 64), np.float32), name="picture"))
    return y


def hundred() -> tuple[Variable, Variable]:
    """The input and the loss of a network of 14 layers: about a hundred nodes."""
    x = Variable(np.ones((8, 8), np.float32), name="x")
    return x, F.mean(MLP((8,) * 14, activation=F.tanh)(x) ** 2)


def chain(n: int) -> Variable:
    """So many additions, one after another."""
    y = Variable(np.array(0.0), name="x")
    for _ in range(n):
        y = y + 1.0
    return y


@benchmark("drawing")
def drawing(quick: bool) -> list[Row]:
    """Medians of several turns in one process."""
    turns = 2 if quick else 9
    tanh, network, (x, net) = sixth_derivative(), vgg(), hundred()
    deep = chain(1_000 if quick else 100_000)
    rows = []
    for what, call, most in (
            ("VGG16 collapsed, SVG", lambda: get_svg_graph(network, collapse=True), 2.0),
            ("sixth derivative of tanh, 489 nodes, SVG", lambda: get_svg_graph(tanh), None),
            ("network of 14 layers, SVG", lambda: get_svg_graph(net), None),
            ("network of 14 layers, page", lambda: render_html(net), None),
            ("network of 14 layers, explanation of the input's gradient", lambda: str(explain_quietly(x, net)), None)):
        times = seconds(call, turns)
        rows.append(Row(what, median(times), most, "s", told("turn", times), data={"turns": times}))
    times = seconds(lambda: get_svg_graph(deep), 1 if quick else 2)
    rows.append(Row(f"chain of {1_000 if quick else 100_000:,} additions, SVG", median(times), None, "s", told("turn", times), data={"turns": times}))
    rows.append(Row("nodes of VGG16 collapsed", len(make_view(network, collapse=True).graph.nodes), 200, ""))
    rows.append(Row("kilobytes of the page of 14 layers", len(render_html(net).encode()) / 1000, 300, ""))
    return rows


def explain_quietly(x: Variable, y: Variable) -> Any:
    """The explanation of the first input's gradient, printed to nowhere."""
    return explain(x, y, file=io.StringIO())
