"""What drawings share: words, numbers, marks, and colours that everyone can tell apart."""

from __future__ import annotations

import os
from itertools import combinations
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.viz.graph import Cluster, FunctionNode, Graph, GroupNode, VariableNode
from dezero.viz.look import GROUND, MARKS, PALETTE, clean, description, dress, mark, sentence, text_width, title, words
from dezero.viz.numbers import facts, number
from dezero.viz.values import Values
from dezero.viz.view import View, make_view

EMPTY = Graph((), (), (), ())
THEMES = pytest.mark.parametrize("night", [0, 1], ids=["day", "night"])
# What colours become for those who lack a kind of cone, in linear RGB: Machado, Oliveira and Fernandes (2009), severity 1.
BLINDNESS = {
    "none": np.eye(3),
    "protan": np.array([[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]),
    "deutan": np.array([[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]),
    "tritan": np.array([[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]),
}


def linear(colour: str) -> np.ndarray:
    c = np.array([int(colour[i:i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(c <= 0.04045, c / 12.92, ((c + 0.055) / 1.055) ** 2.4)


def contrast(a: str, b: str) -> float:
    """The ratio of WCAG 2."""
    low, high = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (a, b))
    return (high + 0.05) / (low + 0.05)


def lab(rgb: np.ndarray) -> np.ndarray:
    """CIELAB of linear RGB, in which distances are about what an eye sees."""
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ np.clip(rgb, 0, 1) / [0.9505, 1, 1.089]
    f = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


@THEMES
def test_everything_has_enough_contrast(night: int) -> None:
    ground = {name: pair[night] for name, pair in GROUND.items()}
    under = [ground["paper"], ground["frame"], ground["frame2"]]
    fills = [colours[2 * night] for colours in PALETTE.values()]
    for letters in (ground["ink"], ground["note"]):
        assert min(contrast(letters, fill) for fill in [*fills, *under]) >= 4.5
    for rim in [ground["line"], ground["rim"], *[colours[2 * night + 1] for colours in PALETTE.values()]]:
        assert min(contrast(rim, fill) for fill in under) >= 3
    for sign in MARKS.values():
        back, letters = (sign.day, sign.night)[night]
        assert contrast(back, letters) >= 4.5
        assert min(contrast(back, fill) for fill in under + fills) >= 3


@THEMES
@pytest.mark.parametrize("blindness", BLINDNESS)
def test_passes_can_be_told_apart_by_colour_whatever_the_eyes(night: int, blindness: str) -> None:
    for kind in ("function", "group"):
        seen = [lab(BLINDNESS[blindness] @ linear(PALETTE[f"{kind}{k or ''}"][2 * night])) for k in range(4)]
        assert min(float(np.linalg.norm(a - b)) for a, b in combinations(seen, 2)) > 9


@pytest.mark.parametrize(("name", "shown"), [("a\0b", "ab"), ("two\nlines", "two lines"), ("\u202eevil", "evil"), ("x" * 100, "x" * 39 + "…"),
                                             ("\ud800", ""), ("데이터", "데이터"), ("x" * 40, "x" * 40), ("\x01" * 900 + "x", "…")])
def test_clean(name: str, shown: str) -> None:
    assert clean(name) == shown


LEAF = VariableNode("v0", "leaf", "x", (2, 3), "float32", "", 0)
RESULT = VariableNode("v1", "result", None, (2, 3), "float32", "", 1)


@pytest.mark.parametrize(("show", "lines"), [
    ((), ["x"]), (("shape",), ["x", "(2, 3)"]), (("dtype",), ["x", "float32"]), (("shape", "dtype"), ["x", "(2, 3) float32"]),
    (("value",), ["x", "value all 2"]), (("grad",), ["x", "grad: not computed yet"]),
    (("shape", "dtype", "value", "grad"), ["x", "(2, 3) float32", "value all 2", "grad: not computed yet"])])
def test_a_variable_shows_what_is_wanted(show: tuple[str, ...], lines: list[str]) -> None:
    assert words(LEAF, View(EMPTY, show=show, values=Values({"v0": np.full((7,), 2.0)}))) == lines


def test_a_gradient_is_there_or_was_not_kept_or_not_computed() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = F.sum(x * 3.0)

    def shown() -> list[str]:
        view = make_view(y, show="grad")
        return [line for v in view.graph.variables for line in words(v, view)]

    assert set(shown()) == {"x", "3", "grad: not computed yet"}
    y.backward()
    assert set(shown()) == {"x", "3", "grad [3, 3]", "grad [1, 1]", "grad 1"}  # those of the results too, which have no .grad
    y = F.sum(x * np.array([3.0, 4.0]))
    y.backward()
    assert shown().count("grad: not kept") == 2, "backward has freed the constant that a second run would need"
    other = Variable(np.array([1.0, 2.0]), name="other")
    y = F.sum(x * other)
    assert shown().count("grad: not computed yet") == 1 and shown()[shown().index("other") + 1] == "grad: not computed yet"


def test_a_value_is_not_said_twice_and_what_is_gone_is_named() -> None:
    x = Variable(np.array([1.0, 2.0]), name="x")
    labels = np.array([1, 0])
    y = F.sum(x * 2.5) + F.sum(F.softmax_cross_entropy(F.reshape(x, (1, 2)), labels[:1]))
    view = make_view(y, show="value")
    lines = {v.id: words(v, view) for v in view.graph.variables}
    assert ["2.5"] in lines.values() and ["x", "value [1, 2]"] in lines.values() and ["t", "value [1]"] in lines.values()
    lost = View(view.graph, show=("value", "grad"), values=Values())
    assert words(RESULT, lost) == ["value: not kept", "grad: not computed yet"]


def test_no_gradient_is_expected_of_integers_and_constants() -> None:
    view = View(EMPTY, show=("grad",))
    assert words(VariableNode("v0", "leaf", "i", (2,), "int64", "", 0), view) == ["i"]
    assert words(VariableNode("v0", "constant", "c", (2,), "float32", "", 0), view) == ["c"]


def test_other_nodes() -> None:
    bare, full = View(EMPTY), View(EMPTY, show=("shape", "layer"))
    boxed = View(EMPTY, (Cluster("l0", ()),), None, ("shape", "layer"))
    fn = FunctionNode("f0", "Linear", "linear", "l0", 0, 0)
    assert [words(fn, v) for v in (bare, full, boxed)] == [["Linear"], ["Linear", "l0"], ["Linear"]]
    group = GroupNode("g0", "Block", "h.0", 1, 2, 9_600, times=32, last="h.31")
    assert words(group, bare) == ["Block ×32"]
    assert words(group, full) == ["Block ×32", "h.0 … h.31", "9,600 parameters each"]
    assert words(GroupNode("g0", "Flatten", "f", 2, 0, 0), full) == ["Flatten", "f", "2 functions"]
    assert words(VariableNode("v0", "parameter", "W", None, None, "l0", 0), full) == ["W", "no data yet"]
    assert words(VariableNode("v0", "constant", None, None, None, "", 0), full) == ["const"]


def test_a_long_name_is_cut_and_a_million_letters_are_quick() -> None:
    long = "W" * 1_000_000
    assert words(VariableNode("v0", "leaf", long, (), "float32", "", 0), View(EMPTY)) == ["W" * 39 + "…"]
    assert len(sentence(FunctionNode("f0", long, long, long, 0, 0, 1, (long,), ((long, long),)), View(EMPTY))) < 1000


def test_a_sentence_says_all() -> None:
    x = Variable(np.array([1.0, np.nan]), name="x")
    view = make_view(F.sum(x, axis=0, keepdims=True), show="value,grad")
    said = {node.id: sentence(node, view, mark(node, view)) for node in view.graph.nodes}
    assert said["v0"] == "variable x, (2,) float64, value [1, nan], grad: not computed yet, holds NaN"
    assert said["f0"] == "function Sum (axis=0, keepdims=True)"
    fn = FunctionNode("f0", "Cos", "cos", "l0", 0, 0, derivative=2)
    assert sentence(fn, view) == "function Cos, 2nd derivative, in l0"


def test_the_title_and_description() -> None:
    x = Variable(np.array([1.0, np.nan]), name="x")
    y = x * Parameter(np.ones(2), name="W")
    y.name = "y"
    view = make_view(y, show="value")
    view = View(view.graph, (), view.values, view.show, ("Something was left out.",))
    assert title(view.graph) == "Computation graph of y"
    assert description(view, {"v0": "nan", "v2": "nan"}) == (
        "3 variables (1 parameter, 0 constants) and 1 function, from top to bottom. It starts from x, W. The functions are Mul. "
        "2 nodes: holds NaN. Something was left out.")


@pytest.mark.parametrize(("value", "gradient", "kind", "expected"), [
    ([1.0, np.nan, np.inf], None, "leaf", "nan"), ([1.0, np.inf], None, "leaf", "inf"), ([1.0, -2e6], None, "leaf", "huge"),
    ([1.0, -1e6], None, "leaf", ""), ([0.0, 0.0], None, "leaf", ""), ([0.0, 0.0], None, "result", "zero"), (0.0, None, "result", ""),
    ([], None, "result", ""), ([1.0, 1.0], [0.0, 0.0], "leaf", "zero"), (None, 0.0, "leaf", "zero"), ([1.0, 1.0], [np.nan, 1.0], "leaf", "nan"),
    ([np.nan], [0.0], "leaf", "nan"), ([0.0, 0.0], [1.0, 1.0], "result", "zero"), ([10**7], None, "leaf", ""),
    ([0.0, -np.inf], None, "constant", ""), ([-1e9], None, "constant", ""), ([np.nan], None, "constant", "nan"), ([False], None, "leaf", "")])
def test_marks(value: Any, gradient: Any, kind: str, expected: str) -> None:
    arrays, gradients = ({} if a is None else {"v0": np.array(a)} for a in (value, gradient))
    array = (arrays or gradients)["v0"]
    node = VariableNode("v0", kind, "x", array.shape, str(array.dtype), "", 0)
    assert mark(node, View(EMPTY, values=Values(arrays, gradients))) == expected


def test_marks_are_of_variables_with_numbers() -> None:
    assert mark(LEAF, View(EMPTY)) == mark(LEAF, View(EMPTY, values=Values())) == mark(FunctionNode("v0", "a", "a", "", 0, 0), View(EMPTY)) == ""


@pytest.mark.parametrize(("array", "text"), [
    (2.0, "2"), (np.float32(1) / 3, "0.333333"), (np.array(1234567.0), "1.23457e+06"), (True, "True"), (np.array(False), "False"), (10**30, "1e+30"),
    (np.nan, "nan"), (-np.inf, "-inf"), (np.float16(65504), "65504"), (1 + 2j, "1+2j"), (10**400, "a huge int"),
    (np.array([1 / 3, 2.0]), "[0.3333, 2]"), (np.arange(6).reshape(2, 3), "[[0, 1, 2], [3, 4, 5]]"), (np.array([[[7]]]), "[[[7]]]"),
    (np.array([True, False]), "[True, False]"), (np.array([1e-20, -1e20]), "[1e-20, -1e+20]"), (np.array([0.1], np.float16), "[0.09998]"),
    (np.array([1.23456e-12] * 5), "all 1.23456e-12"), (np.array(["a", "b"]), "[str, str]"), (np.array(["a"] * 9), "9 elements"),
    (np.zeros((2, 0)), "empty"), (np.zeros(7), "all 0"), (np.arange(7), "mean 3 ±2 [0, 6]"),
    (np.array([1e-3] * 8 + [99.7]), "mean 11 ±31 [0.001, 100]"),
    (np.eye(3) > 0, "3 of 9 True"),
    (np.arange(7, dtype=np.float16) * 1e4, "mean 3e+04 ±2e+04 [0, 6e+04]"), (np.array([np.nan] * 6 + [np.inf]), "6 NaN, 1 inf"),
    (np.array([1.0] * 7 + [np.nan]), "mean 1 ±0 [1, 1], 1 NaN"), (np.arange(9) * 1j, "9 elements"), (Variable(np.array([1.5])), "[1.5]")], ids=str)
def test_number(array: Any, text: str) -> None:
    assert number(array) == text


def test_numbers_of_a_large_array_are_those_of_numpy() -> None:
    a = np.random.default_rng(0).normal(1e3, 2.0, (700, 1000))
    a[3, 5:9] = [np.nan, np.inf, -np.inf, 0.0]
    good, found = a[np.isfinite(a)], facts(a.T)
    assert found[:4] == (a.size, 1, 2, 1)
    assert found[4:] == pytest.approx((good.mean(), good.std(), good.min(), good.max()), rel=1e-12)


def test_a_device_array_is_fetched(monkeypatch: pytest.MonkeyPatch) -> None:
    class OnDevice:
        def get(self) -> np.ndarray:
            return np.array([1.0, 2.0])

    monkeypatch.setattr("dezero.viz.numbers.as_numpy", lambda x: x.get() if isinstance(x, OnDevice) else np.asarray(x))
    assert number(OnDevice()) == "[1, 2]" and facts(OnDevice()).mean == 1.5


def test_colours_of_each_kind() -> None:
    fn = FunctionNode("f0", "Cos", "cos", "", 0, 0)
    assert dress(fn) == "function" and dress(GroupNode("g0", "", "", 1, 0, 0, derivative=2)) == "group2"
    assert [dress(VariableNode("v0", kind, None, (), "float64", "", 0, 7)) for kind in ("leaf", "parameter", "result", "constant")] == [
        "leaf", "parameter", "result3", "constant"]


def test_the_guess_of_a_texts_width_is_not_too_small() -> None:
    matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    from matplotlib.ft2font import FT2Font, LoadFlags
    font = FT2Font(os.path.join(matplotlib.get_data_path(), "fonts/ttf/DejaVuSans.ttf"))  # among the widest of the usual ones
    font.set_size(1000, 72)
    for text in ("Linear", "SoftmaxCrossEntropy", "(32, 128) float32", "value mean 8.22e+06 ±1.03e+08 [-1.32e+08, 2e+08]", "grad: not computed yet",
                 "MMMWWW", "illicit.jail", "encoder.blocks.0.attention", "W", "WQHOD", "3.4 M parameters", "grad -0.333333", "Привет", "mmm@@%%%"):
        true = sum(font.load_char(ord(c), flags=LoadFlags.NO_HINTING).linearHoriAdvance / 65536 / 1000 for c in text)
        assert true <= text_width(text, 1.0) <= 1.3 * true, text
