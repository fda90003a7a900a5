"""Our own drawing as PNG: the same picture, by matplotlib."""

from __future__ import annotations

import builtins
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from dezero.viz import draw_graph_png
from dezero.viz.look import GROUND, MARKS, PALETTE
from dezero.viz.picture import make_picture
from dezero.viz.view import make_view
from tests.viz.graphs import classifier, goldstein
from tests.viz.test_svg import boxed, broken, grouped


@pytest.mark.parametrize("name", ["x", "$x^2$ and $(", "입력", "עברית\nx", "\0"], ids=ascii)
def test_png_by_matplotlib(name: str, tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    y = classifier() * Variable(np.array(1.0, np.float32), name=name)
    path = draw_graph_png(y, tmp_path / "그래프 1.png")
    picture = make_picture(make_view(y))
    with image.open(path) as drawn:
        pixels = np.asarray(drawn.convert("RGB"))
    assert abs(pixels.shape[1] - 2 * picture.width) < 2 and abs(pixels.shape[0] - 2 * picture.height) < 2
    box = picture.boxes[0]
    assert tuple(pixels[round(2 * (box.y - box.height / 2 + 4)), round(2 * box.x)]) == (0xFF, 0xE0, 0xA3)
    assert draw_graph_png(y, tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_png_shows_what_svg_shows(tmp_path: Path) -> None:
    image = pytest.importorskip("PIL.Image", reason="pillow is not installed")
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    for k, (make, theme) in enumerate([(grouped, "dark"), (boxed, "light"), (lambda: make_view(broken(), show="value"), "dark")]):
        view, night = make(), theme == "dark"
        picture = make_picture(view)
        with image.open(draw_graph_png(view, tmp_path / f"{k}.png", theme=theme, scale=1)) as drawn:
            pixels = np.asarray(drawn.convert("RGB"))
        colours = {tuple(int(colour[i:i + 2], 16) for i in (1, 3, 5)) for colour in (
            *[PALETTE[box.dress][2 * night] for box in picture.boxes if box.kind != "badge"],
            *[(MARKS[box.mark].day, MARKS[box.mark].night)[night][0] for box in picture.boxes if box.mark],
            *[GROUND["frame2" if panel.depth % 2 else "frame"][night] for panel in picture.panels], GROUND["paper"][night])}
        assert colours <= {tuple(map(int, p)) for p in np.unique(pixels.reshape(-1, 3), axis=0)}


def test_png_of_a_huge_graph_is_shrunk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    monkeypatch.setattr("dezero.viz.raster.MAX_PIXELS", 300)
    head = draw_graph_png(goldstein(), tmp_path / "a.png").read_bytes()[:24]
    assert max(int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")) <= 301


def test_png_wrong_arguments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x = Variable(np.array(1.0))
    with pytest.raises(ValueError, match=r"ends in \.svg: \.png is expected"):
        draw_graph_png(x, tmp_path / "a.svg")
    with pytest.raises(ValueError, match="scale is 0"):
        draw_graph_png(x, tmp_path / "a.png", scale=0)
    with pytest.raises(ValueError, match="theme='auto': 'light' or 'dark' is expected"):
        draw_graph_png(x, tmp_path / "a.png", theme="auto")
    real = builtins.__import__

    def without(name: str, *args: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return real(name, *args)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'dezero\[plot\]'"):
        draw_graph_png(x, tmp_path / "a.png")
