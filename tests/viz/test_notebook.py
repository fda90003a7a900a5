"""What a notebook shows of Variables, Layers and graphs: beside their text, never in its way."""

from __future__ import annotations

import gc
import pickle
import re
import time
import weakref
import xml.etree.ElementTree as ET
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Model, Parameter, Variable, no_grad
from dezero.models import MLP, ResNet18
from dezero.viz import collect_graph, diff, notebook
from dezero.viz.view import make_view
from tests.viz.graphs import HOSTILE, classifier, goldstein

pytestmark = pytest.mark.seeds  # the weights of the models
SVG = "{http://www.w3.org/2000/svg}"
ROOT = Path(__file__).resolve().parents[2]


def parsed(html: str) -> ET.Element:
    """The elements of what a notebook would put into its page; it is XML too, as nothing is left open."""
    return ET.fromstring(f"<div>{html}</div>".encode())


def texts(html: str) -> str:
    return " ".join(t for t in parsed(html).itertext())


def picture(layer: Layer) -> str:
    svg = layer._repr_svg_()
    assert svg is not None
    return svg


def chain(n: int) -> Variable:
    y = Variable(np.array(1.0), name="x")
    for _ in range(n):
        y = F.sin(y)
    return y


@pytest.mark.parametrize("v", [Variable(np.array([1.0, 2.0]), name="x"), Variable(None), Variable(np.arange(3)), Parameter(np.zeros((2, 2))),
                               Variable(np.ones((100, 100)))])
def test_a_variable_without_a_graph_is_its_text(v: Variable) -> None:
    root = parsed(v._repr_html_())
    assert [child.tag for child in root] == ["pre"] and root.findtext("pre") == repr(v)


def test_a_variable_has_its_graph_folded_away() -> None:
    loss = classifier()
    root = parsed(loss._repr_html_())
    assert root.findtext("pre") == repr(loss)
    details = root.find("details")
    assert details is not None and details.get("open") is None
    assert details.findtext("summary") == "graph of 10 variables and 4 functions"
    nodes = [g for g in details.iter(f"{SVG}g") if "node" in (g.get("class") or "").split()]
    assert len(nodes) == 14
    assert all(p._grad is None for p in loss.creator.inputs)


def test_after_backward_it_is_there_still() -> None:
    y = goldstein()
    before = y._repr_html_()
    y.backward()
    assert y._repr_html_() == before
    with no_grad():
        z = y * 2
    assert "<details>" not in z._repr_html_()


def test_only_small_graphs_are_drawn_and_no_more_is_looked_at() -> None:
    assert "<svg" in chain(99)._repr_html_()
    assert "<svg" not in chain(100)._repr_html_()  # 201 nodes
    for large in (chain(100_000), F.concat([Variable(np.ones(1))] * 50_000, axis=0)):
        start = time.perf_counter()
        assert parsed(large._repr_html_()).findtext("pre") == repr(large)
        assert time.perf_counter() - start < 0.05


def test_whatever_is_wrong_the_value_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    y = goldstein()

    def broken(_: Any) -> str:
        raise RuntimeError("no picture today")

    monkeypatch.setattr(notebook, "graph_svg", broken)
    assert parsed(y._repr_html_()).findtext("pre") == repr(y) and "<details>" not in y._repr_html_()
    model = MLP((3, 2))
    assert parsed(model._repr_html_()).findtext("pre") == repr(model)
    assert model._repr_svg_() is None


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_of_variables(name: str) -> None:
    y = Variable(np.array(1.0), name=name) * 2
    y.name = name
    html = y._repr_html_()
    assert "<script" not in html and not re.search("[\0-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", html)
    assert {e.tag.removeprefix(SVG) for e in parsed(html).iter()} <= {
        "div", "pre", "details", "summary", "svg", "title", "desc", "style", "rect", "g", "ellipse", "path", "text"}
    assert len(html) < 40_000


def test_a_variable_stays_what_it_was() -> None:
    y = goldstein()
    text = repr(y)
    y._repr_html_()
    assert repr(y) == text and str(y) == "variable(1876.0)" and "_repr_html_" not in str(vars(type(y)).get("__slots__"))
    assert pickle.loads(pickle.dumps(y)).data == y.data and deepcopy(y).data == y.data
    place = weakref.ref(y)
    del y
    gc.collect()
    assert place() is None


def test_graphs_and_views_are_pictures() -> None:
    graph = collect_graph(goldstein())
    svg = graph._repr_svg_()
    assert ET.fromstring(svg).tag == f"{SVG}svg" and svg.count('class="node') == len(graph.nodes)
    assert ">value 1876<" in make_view(goldstein(), show="value")._repr_svg_()
    assert collect_graph(chain(5000))._repr_svg_().count('class="node') <= notebook.LARGEST
    found = diff(goldstein(), classifier())
    assert parsed(found._repr_html_()).findtext("pre") == str(found) and found._repr_svg_() == found.svg()


class Residual(Layer):
    """Layers in a dict, one of them in a list in it."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: dict[str, Any] = {"inner": [L.Linear(4, in_size=4)], "norm": L.LayerNorm(4)}
        self.scale = Parameter(np.ones(4, np.float64))

    def forward(self, x: Any) -> Any:
        return x + self.parts["norm"](F.relu(self.parts["inner"][0](x))) * self.scale


def test_the_tree_of_a_layer() -> None:
    html = L.Sequential(Residual(), F.relu, L.Linear(2))._repr_html_()
    lines = [" ".join("".join(li.itertext()).split()) for li in parsed(html).iter("li")]
    assert lines[-1] == "l2: Linear(? -> 2) W (?, 2), b (2,) · 2 parameters + not sized yet"
    assert "l0: Residual() scale (4,) float64 · 32 parameters" in lines[1]
    assert "parts.inner.0: Linear(4 -> 4) W (4, 4), b (4,) · 20 parameters" in lines
    heads = [" ".join("".join(s.itertext()).split()) for s in parsed(html).iter("summary")]
    assert heads[0] == "Sequential() 34 parameters + not sized yet" and heads[-1] == "structure"


def test_the_structure_before_a_call() -> None:
    root = ET.fromstring(picture(L.Sequential(Residual(), F.relu, L.Linear(2, in_size=4))))
    words = [t.text for t in root.iter(f"{SVG}text")]
    assert {"input", "Residual", "l0", "relu", "Linear", "l2", "W", "(4, 2) float32", "output"} <= set(words)
    assert words.index("input") < words.index("output")
    assert not any("declared" in (word or "") for word in words)
    custom = " ".join(t.text or "" for t in ET.fromstring(picture(Residual())).iter(f"{SVG}text"))
    assert "Linear" in custom and "LayerNorm" in custom and "in which they were declared" in custom
    assert "Linear" in picture(L.Linear(3)) and "no data yet" in picture(L.Linear(3))
    assert picture(L.Sequential(*[L.Linear(2, in_size=2)] * 70)).count(">and 10 more<") == 1


def test_the_graph_of_the_last_call() -> None:
    model = MLP((5, 4, 3))
    y = model(np.ones((2, 6), np.float32))
    assert "graph of 12 variables and 5 functions of its last call" in texts(model._repr_html_())
    assert "(2, 3) float32" in picture(model)
    # Of a layer inside its own part, though the graph goes on before it.
    assert "graph of 4 variables and 1 function of its last call" in texts(model.layers[1]._repr_html_())
    F.sum(y).backward()
    del y
    gc.collect()
    assert "structure" in texts(model._repr_html_())


def test_a_large_model_is_collapsed() -> None:
    model = ResNet18(num_classes=4)
    y = model(np.zeros((1, 3, 32, 32), np.float32))
    start = time.perf_counter()
    html, svg = model._repr_html_(), picture(model)
    assert time.perf_counter() - start < 4
    assert y.shape == (1, 4) and svg.count('class="node') <= notebook.LARGEST
    assert "of its last call" in texts(html) and html.count("<li>") == sum(1 for _ in model.named_layers())


def test_it_holds_and_changes_nothing() -> None:
    model = MLP((5, 3))
    y = model(np.ones((2, 6), np.float32))
    text, place = repr(model), weakref.ref(y)
    model._repr_html_(), model._repr_svg_()
    assert repr(model) == text and all(p.grad is None for p in model.params())
    del y
    gc.collect()
    assert place() is None
    pickle.loads(pickle.dumps(model))._repr_html_()


def test_layers_of_every_kind() -> None:
    class Empty(Model):
        pass

    class Around(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.me = [self]

        def forward(self, x: Any) -> Any:
            return x

    for layer in (Empty(), Around(), L.Sequential(), L.LSTM(3), L.Dropout(0.5), L.Embedding(5, 3)):
        parsed(layer._repr_html_())
        ET.fromstring(picture(layer))
    around = Around()
    around(Variable(np.ones(2)) * 2)
    assert "structure" in texts(around._repr_html_())


@pytest.mark.parametrize("name", HOSTILE, ids=ascii)
def test_hostile_names_of_layers(name: str) -> None:
    class Odd(Layer):
        def __init__(self) -> None:
            super().__init__()
            self.parts = {name: L.Linear(2, in_size=2), "b": L.Sequential(L.Linear(2, in_size=2))}
            setattr(self, name, Parameter(np.ones(2)))

        def forward(self, x: Any) -> Any:
            return self.parts[name](x)

        def extra_repr(self) -> str:
            return name

    Odd.__name__ = name if "\0" not in name and "\ud800" not in name else "Odd"
    layer = Odd()
    for html in (layer._repr_html_(), picture(layer)):
        assert "<script" not in html and not re.search("[\0-\x08\x0b-\x1f\u202a-\u202e\ud800-\udfff]", html)
        parsed(html)
        assert len(html) < 40_000
    y = layer(np.ones((1, 2), np.float32))
    assert "of its last call" in texts(layer._repr_html_()) and y is not None


def test_mime_types_in_ipython() -> None:
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is not installed")
    display = formatters.DisplayFormatter()
    for thing, kinds in ((goldstein(), {"text/html"}), (Variable(np.ones(2)), {"text/html"}), (collect_graph(goldstein()), {"image/svg+xml"}),
                         (MLP((3, 2)), {"text/html", "image/svg+xml"}), (diff(goldstein(), classifier()), {"text/html", "image/svg+xml"})):
        data, _ = display.format(thing)
        assert set(data) == {"text/plain", *kinds}
        assert not isinstance(thing, (Variable, Layer)) or data["text/plain"] == repr(thing)


def test_a_notebook_runs(tmp_path: Path) -> None:
    nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
    nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")
    pytest.importorskip("ipykernel", reason="ipykernel is not installed")
    cells = [f"import sys; sys.path.insert(0, {str(ROOT)!r})", "from tests.viz.graphs import goldstein\ngoldstein()",
             "from dezero.viz import collect_graph\ncollect_graph(goldstein())", "from dezero.models import MLP\nMLP((3, 2))"]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=60, kernel_name="python3", resources={"metadata": {"path": str(tmp_path)}}).execute()
    kinds = [set(output["data"]) for cell in book.cells for output in cell.outputs]
    assert kinds == [{"text/plain", "text/html"}, {"text/plain", "image/svg+xml"}, {"text/plain", "text/html", "image/svg+xml"}]
