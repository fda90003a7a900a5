"""Plots return figures, write files without a display, leave matplotlib's state alone and stay readable."""

from __future__ import annotations

import subprocess
import sys
import threading
import warnings
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero.errors import ShapeError
from tests.strict import to_strict

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
import matplotlib
from matplotlib.figure import Figure
from matplotlib.text import Text

from dezero.viz import plots
from dezero.viz.plots import figure as shared

ROOT = Path(__file__).resolve().parents[2]
RNG = np.random.default_rng(0)


def history(n: int = 12, rate: float = 1.0, live: bool = False) -> dict[str, list[float]]:
    e = np.arange(n)
    h = {"loss": 2.3 * np.exp(-rate * e / 3), "val_loss": 2.3 * np.exp(-rate * e / 4), "accuracy": 1 - 0.9 * np.exp(-rate * e / 3),
         "val_accuracy": 0.97 - 0.87 * np.exp(-rate * e / 3)}
    return {k: list(map(float, v)) for k, v in (h | ({"live_units": 0.5 + 0.5 * np.exp(-e)} if live else {})).items()}


X = RNG.normal(size=(60, 2)).astype(np.float32)
T = (X[:, 0] > 0).astype(int) + (X[:, 1] > 0)
LABELS = RNG.integers(0, 10, 500)
GUESSES = np.where(RNG.random(500) < 0.9, LABELS, RNG.integers(0, 10, 500))
SURE = RNG.dirichlet(np.ones(3), 60)
IMAGES = RNG.random((60, 1, 8, 8))
LONG = [f"a class with the long name {i}" for i in range(10)]
GRADIENTS = {f"blocks.{i}.conv.W": RNG.normal(size=(4, 4)) * 10.0 ** (2 * i - 14) for i in range(8)} | {"l.W": np.zeros(3), "out.W": np.ones(3)}


def scores(places: Any) -> Any:
    return np.stack([-places.sum(1), np.zeros(len(places)), places.sum(1)], 1)


PLOTS: dict[str, Callable[..., Figure]] = {
    "learning_curves": lambda **k: plots.learning_curves(history(), title="MNIST, 784-50-10", **k),
    "one epoch": lambda **k: plots.learning_curves(history(1), **k),
    "many epochs": lambda **k: plots.learning_curves(history(2000), **k),
    "compare_curves": lambda **k: plots.compare_curves({f"lr {r}": history(rate=r, live=True) for r in (0.1, 0.5, 1.5)}, title="Rates", **k),
    "a panel": lambda **k: plots.compare_curves({n: history() for n in LONG}, "loss", **k),
    "learning_rates": lambda **k: plots.learning_rates({r: history(rate=r) for r in (0.01, 0.02, 0.03, 0.1, 0.5, 1, 1.5, 3)}, **k),
    "lr_schedule": lambda **k: plots.lr_schedule({"step": [0.1] * 50 + [0.01] * 50, "cosine": list(np.cos(np.arange(100) / 64))}, **k),
    "confusion_matrix": lambda **k: plots.confusion_matrix(GUESSES, LABELS, **k),
    "long names": lambda **k: plots.confusion_matrix(GUESSES, LABELS, labels=LONG, **k),
    "large counts": lambda **k: plots.confusion_matrix(np.repeat(GUESSES, 1000), np.repeat(LABELS, 1000), **k),
    "two classes": lambda **k: plots.confusion_matrix([0, 1, 1], [0, 1, 0], labels=["no", "yes"], **k),
    "many classes": lambda **k: plots.confusion_matrix(np.arange(100), np.arange(100), **k),
    "image_grid": lambda **k: plots.image_grid(IMAGES[:20], titles=LONG * 2, title="Some images of a data set", **k),
    "one image": lambda **k: plots.image_grid(IMAGES[0, 0], **k),
    "many columns": lambda **k: plots.image_grid(IMAGES, titles=range(60), cols=30, **k),
    "mistakes": lambda **k: plots.mistakes(IMAGES, SURE, T, SURE, **k),
    "mistakes with names": lambda **k: plots.mistakes(IMAGES, SURE, T, SURE, labels=LONG, count=4, **k),
    "no mistakes": lambda **k: plots.mistakes(IMAGES, T, T, **k),
    "filters": lambda **k: plots.filters(RNG.normal(size=(8, 1, 3, 3)), **k),
    "colour filters": lambda **k: plots.filters(RNG.normal(size=(8, 3, 5, 5)), **k),
    "deep filters": lambda **k: plots.filters(RNG.normal(size=(3, 5, 3, 3)), **k),
    "one filter": lambda **k: plots.filters(RNG.normal(size=(64, 1)), **k),
    "activation_histograms": lambda **k: plots.activation_histograms({n: np.maximum(0, RNG.normal(size=99)) for n in LONG[:5]}, title="ReLU", **k),
    "gradient_flow": lambda **k: plots.gradient_flow(GRADIENTS, title="Ten layers", **k),
    "decision_boundary": lambda **k: plots.decision_boundary(scores, X, T, resolution=30, title="Spiral", labels=LONG,
                                                                   axis_labels=("across", "up"), **k),
    "scatter2d": lambda **k: plots.scatter2d(X, T, title="Codes", **k),
}
each = pytest.mark.parametrize("draw", PLOTS.values(), ids=list(PLOTS))


def overlaps(figure: Figure) -> list[tuple[str, str]]:
    """Pairs of texts that lie on one another, and texts that leave the figure."""
    figure.canvas.draw()
    frame = figure.bbox
    boxes = []
    for text in figure.findobj(Text):
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip():
            axes = text.axes
            box = text.get_window_extent()
            ticks = [t for a in figure.axes for axis in (a.xaxis, a.yaxis) for t in (*axis.get_major_ticks(), *axis.get_minor_ticks())]
            hidden = any(text in (t.label1, t.label2) and not (shown(t, t.label1 is text)) for t in ticks)
            if not hidden and (axes is None or axes.get_visible()):
                boxes.append((text.get_text(), box.padded(-1)))
    pairs = [(a, b) for (a, p), (b, q) in combinations(boxes, 2) if p.overlaps(q)]
    outside = [(a, "outside") for a, p in boxes if p.x0 < frame.x0 - 2 or p.y0 < frame.y0 - 2 or p.x1 > frame.x1 + 2 or p.y1 > frame.y1 + 2]
    return pairs + outside


def shown(tick: Any, first: bool) -> bool:
    """Is the label of a tick drawn? Those beyond the axis's limits are not."""
    label = tick.label1 if first else tick.label2
    axis = tick.axes.xaxis if tick.axes.xaxis.get_tick_space and tick in tick.axes.xaxis.get_major_ticks() else tick.axes.yaxis
    low, high = sorted(axis.get_view_interval())
    slack = 1e-6 * (high - low)
    return bool(label.get_visible() and low - slack <= tick.get_loc() <= high + slack)


@each
def test_each_plot_is_a_figure_in_a_file(draw: Callable[..., Figure], tmp_path: Path) -> None:
    figure = draw(path=tmp_path / "new" / "folder" / "plot.png")
    assert isinstance(figure, Figure)
    data = (tmp_path / "new" / "folder" / "plot.png").read_bytes()
    assert data.startswith(b"\x89PNG") and len(data) > 1000
    width, height = figure.get_size_inches()
    assert 1.5 <= width <= 16 and 0.8 <= height <= 18


@each
def test_no_texts_overlap(draw: Callable[..., Figure]) -> None:
    assert overlaps(draw()) == []


@pytest.mark.parametrize(("suffix", "start"), [(".png", b"\x89PNG"), (".svg", b"<?xml"), (".pdf", b"%PDF"), (".PNG", b"\x89PNG")])
def test_the_suffix_tells_the_format(suffix: str, start: bytes, tmp_path: Path) -> None:
    plots.learning_curves(history(), str(tmp_path / f"curves{suffix}"))
    assert (tmp_path / f"curves{suffix}").read_bytes().startswith(start)


@pytest.mark.parametrize("name", ["plot.bmp", "plot", "plot.png.exe"])
def test_an_unknown_suffix_is_told(name: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"one of \.png, \.svg, \.pdf is expected"):
        plots.learning_curves(history(), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_notebook_shows_a_figure() -> None:
    assert plots.lr_schedule([0.1, 0.2])._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_matplotlib_keeps_its_state_and_pyplot_is_not_needed(tmp_path: Path) -> None:
    code = """
import matplotlib, sys
before = matplotlib.rcParams.copy()
from dezero.viz import plots
plots.learning_curves({"loss": [1.0, 0.5], "accuracy": [0.1, 0.5]}, sys.argv[1] + "/a.png")
plots.confusion_matrix([0, 1], [0, 1], path=sys.argv[1] + "/b.svg")
plots.decision_boundary(lambda p: p[:, 0], [[0.0, 1.0], [1.0, 0.0]], [0, 1], sys.argv[1] + "/c.pdf", resolution=9)
plots.gradient_flow([("a", 1.0, 2.0)])
assert "matplotlib.pyplot" not in sys.modules and matplotlib.rcParams.copy() == before
"""
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "MPLCONFIGDIR": matplotlib.get_configdir()}
    done = subprocess.run([sys.executable, "-W", "error", "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=120, env=environment)
    assert done.returncode == 0, done.stderr


def test_regions_say_what_their_axes_are_and_rates_are_stairs() -> None:
    axes = plots.decision_boundary(scores, X, T, resolution=9, axis_labels=("rain", "way")).axes[0]
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("rain", "way")
    assert plots.lr_schedule([0.1, 0.1, 0.05]).axes[0].get_lines()[0].get_drawstyle() == "steps-post"


def test_threads_may_draw_at_once() -> None:
    failed: list[BaseException] = []

    def work() -> None:
        try:
            for _ in range(2):
                plots.learning_curves(history(5))._repr_png_()  # type: ignore[attr-defined]
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
    assert failed == []


@pytest.mark.parametrize("fonts", [shared.HANGUL_FONTS, ()], ids=["fonts of the system", "no font for Hangul"])
def test_names_in_any_language_raise_no_warning(fonts: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shared, "HANGUL_FONTS", fonts)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        names = ["고양이", "강아지", "$x_1$", "_hidden", "50 % \\ {}", "🐈", "猫", "tab\there"]
        plots.confusion_matrix(range(8), range(8), labels=names, title="혼동 행렬", path=tmp_path / "a.png")
        figure = plots.compare_curves({name: history(3) for name in names}, path=tmp_path / "b.svg")
        plots.image_grid(IMAGES[:8], titles=names, path=tmp_path / "c.pdf")
    assert len(figure.legends[0].get_texts()) == len(names) + 2


def test_hangul_is_spelled_in_latin_letters_without_a_font(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shared, "HANGUL_FONTS", ())
    assert shared.label("한글 손글씨 9") == "hangeul songeulssi 9"
    assert shared.label("학습률 Ünïcode α") == "hakseupryul Ünïcode α"
    assert shared.label("猫") == "[732B]"


@pytest.mark.usefixtures("strict_device")
def test_device_arrays_and_variables_are_taken() -> None:
    with_device = plots.confusion_matrix(to_strict(GUESSES), to_strict(LABELS))
    assert with_device.axes[0].get_title() == plots.confusion_matrix(GUESSES, LABELS).axes[0].get_title()
    plots.image_grid(to_strict(IMAGES[:2]))
    plots.mistakes(to_strict(IMAGES), to_strict(SURE), to_strict(T), to_strict(SURE))
    plots.filters(Variable(RNG.normal(size=(2, 1, 3, 3))))
    plots.activation_histograms({"l": to_strict(IMAGES)})
    plots.gradient_flow({"l": to_strict(IMAGES)})
    plots.scatter2d(to_strict(X), to_strict(T))


def test_wrong_input_is_told() -> None:
    with pytest.raises(ValueError, match="the history holds 'mae': 'loss' or 'accuracy' is expected"):
        plots.learning_curves({"mae": [1.0]})
    with pytest.raises(ValueError, match="no history holds 'f1': they hold 'loss'"):
        plots.compare_curves({"a": {"loss": [1.0]}}, "f1")
    with pytest.raises(ValueError, match="positive rates"):
        plots.learning_rates({-0.1: history()})
    with pytest.raises(ValueError, match="no rates"):
        plots.lr_schedule([])
    with pytest.raises(ShapeError, match="one class for each sample"):
        plots.confusion_matrix([0, 1], [0])
    with pytest.raises(ValueError, match="2 labels for 3 classes"):
        plots.confusion_matrix([0, 1, 2], [0, 1, 2], labels=["a", "b"])
    with pytest.raises(ValueError, match="whole numbers"):
        plots.confusion_matrix([0, -1], [0, 1])
    with pytest.raises(ShapeError, match="image_grid: images"):
        plots.image_grid(np.zeros((2, 5, 8, 8)))
    with pytest.raises(ValueError, match="1 titles for 2 images"):
        plots.image_grid(np.zeros((2, 8, 8)), titles=["a"])
    with pytest.raises(ShapeError, match="one image for each"):
        plots.mistakes(np.zeros((2, 8, 8)), [0, 1, 1], [0, 1, 1])
    with pytest.raises(ShapeError, match=r"weights \(OC, C, KH, KW\)"):
        plots.filters(np.zeros((10, 10)))
    with pytest.raises(ValueError, match="no layers"):
        plots.activation_histograms({})
    with pytest.raises(ValueError, match="no gradients"):
        plots.gradient_flow({})
    with pytest.raises(ShapeError, match=r"points \(3, 3\) float64: \(N, 2\)"):
        plots.scatter2d(np.eye(3))
