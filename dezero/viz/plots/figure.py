"""What all plots share: a figure without pyplot, colours, labels that every font can show, and the way to a file."""

from __future__ import annotations

import io
import os
import unicodedata
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Distinct for the colour-blind too: Okabe and Ito, "Color Universal Design" (2008); black and yellow give way to greys here.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#4D4D4D", "#A0A0A0", "#882255", "#44AA99")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*", "<", ">")
SUFFIXES = (".png", ".svg", ".pdf")
HANGUL_FONTS = ("Noto Sans CJK KR", "Noto Sans KR", "NanumGothic", "Nanum Gothic", "Malgun Gothic", "Apple SD Gothic Neo", "AppleGothic",
                "Noto Sans CJK JP", "Noto Sans CJK SC", "Source Han Sans K", "UnDotum", "Baekmuk Gulim", "Arial Unicode MS")
# The letters of a syllable, as the Revised Romanization of Korean (2000) spells them one by one.
INITIALS = ["g", "kk", "n", "d", "tt", "r", "m", "b", "pp", "s", "ss", "", "j", "jj", "ch", "k", "t", "p", "h"]
VOWELS = ["a", "ae", "ya", "yae", "eo", "e", "yeo", "ye", "o", "wa", "wae", "oe", "yo", "u", "wo", "we", "wi", "yu", "eu", "ui", "i"]
FINALS = ["", "k", "k", "k", "n", "n", "n", "t", "l", "k", "m", "l", "l", "l", "p", "l", "m", "p", "p", "t", "t", "ng", "t", "t", "k", "t", "p", "t"]


def import_error(error: ImportError) -> ImportError:
    """The error that says how to get matplotlib and Pillow."""
    return ImportError(f"plots need matplotlib and Pillow ({error}): pip install 'dezero[plot]'")


@cache
def _picture_class() -> Any:
    """The class of all figures here, made when first needed since matplotlib is optional."""
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError as error:
        raise import_error(error) from error

    class Picture(Figure):
        """A Figure that a notebook displays even where pyplot was never imported."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            FigureCanvasAgg(self)

        def _repr_png_(self) -> bytes:
            return encode(self, "png")

    return Picture


def new_figure(width: float, height: float, constrained: bool = True) -> Figure:
    """An empty figure of so many inches, on a canvas that needs no display and that pyplot does not know."""
    figure: Figure = _picture_class()(figsize=(width, height), dpi=100)
    if constrained:
        figure.set_layout_engine("constrained", w_pad=0.09, h_pad=0.08)
    return figure


def encode(figure: Figure, kind: str) -> bytes:
    """The bytes of a PNG, SVG or PDF file; no date in it, so that the same picture gives the same file where matplotlib allows."""
    no_date: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
    buffer = io.BytesIO()
    figure.savefig(buffer, format=kind, metadata=no_date.get(kind))
    return buffer.getvalue()


def target_path(path: str | os.PathLike[str], suffixes: tuple[str, ...] = SUFFIXES) -> Path:
    """``path`` with its folder made.

    Raises:
        ValueError: the suffix is none of ``suffixes``.
    """
    target = Path(path)
    if target.suffix.lower() not in suffixes:
        end = f"ends in {target.suffix}" if target.suffix else "has no suffix"
        raise ValueError(f"path {str(path)!r} {end}: one of {', '.join(suffixes)} is expected")
    target.parent.mkdir(parents=True, exist_ok=True)
    return target


def finish(figure: Figure, path: str | os.PathLike[str] | None) -> Figure:
    """Give the texts fonts that have their letters, and write the figure if a path is given."""
    from matplotlib.text import Text

    for text in figure.findobj(Text):
        assert isinstance(text, Text)
        font = _font_for(text.get_text())
        if font:
            text.set_fontfamily([*text.get_fontfamily(), font])
    if path is not None:
        target = target_path(path)
        target.write_bytes(encode(figure, target.suffix[1:].lower()))
    return figure


def tidy(axes: Axes, grid: str | None = "y") -> None:
    """Thin frame, small ticks, a pale grid."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=9)
    if grid:
        axes.grid(axis=grid, color="0.9", linewidth=0.8)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def legend_below(figure: Figure, handles: Sequence[Artist], title: str | None = None) -> None:
    """One legend under all panels, in as many columns as fit; the figure grows by the rows beyond the first."""
    width, height = figure.get_size_inches()
    widths = [0.067 * len(str(handle.get_label())) + 0.6 for handle in handles]
    columns = len(handles) if sum(widths) < width else max(1, min(len(handles), int((width - 0.2) / (1.1 * max(widths)))))
    figure.set_size_inches(width, height + 0.2 * (-(-len(handles) // columns) - 1))
    figure.legend(handles=handles, loc="outside lower center", ncols=columns, frameon=False, fontsize=9, title=title, title_fontsize=9)


def colours(n: int) -> list[Any]:
    """``n`` colours: the palette, or beyond its ten a scale from dark to light."""
    return list(COLOURS[:n]) if n <= len(COLOURS) else scale_colours(n)


def scale_colours(n: int) -> list[Any]:
    """``n`` colours in an order that the eye can follow."""
    from matplotlib import colormaps

    return [colormaps["viridis"](0.9 * i / max(1, n - 1)) for i in range(n)]


def label(name: Any, longest: int = 40) -> str:
    """``name`` as matplotlib can show it: no formula, no hidden legend entry, no letter without a glyph, not too long.

    Hangul for which no font is installed is spelled in Latin letters, anything else as its code point.
    """
    text = str(name)
    if len(text) > longest:
        text = text[: longest - 1] + "…"
    if not text.isascii() and not _font_for(text):
        text = "".join(c if c == "\n" or not _missing(c) else _latin(c) for c in unicodedata.normalize("NFC", text))
    text = "".join(c if c == "\n" or c.isprintable() else " " for c in text).replace("$", r"\$")
    return " " + text if text.startswith("_") else text  # matplotlib leaves names with an underscore out of legends


def _latin(c: str) -> str:
    """A letter without a glyph, in letters that have one."""
    i: int = ord(c) - 0xAC00
    if 0 <= i < 11172:  # a syllable: 19 initials x 21 vowels x 28 finals (The Unicode Standard, section 3.12)
        return INITIALS[i // 588] + VOWELS[i % 588 // 28] + FINALS[i % 28]
    return f"[{ord(c):X}]"


def _missing(text: str) -> set[int]:
    """The code points that matplotlib's font of choice lacks."""
    if text.isascii():
        return set()
    from matplotlib.font_manager import FontProperties, findfont

    return {ord(c) for c in text if c.isprintable()} - _glyphs(str(findfont(FontProperties())))


@cache
def _glyphs(file: str) -> frozenset[int]:
    from matplotlib.font_manager import get_font

    return frozenset(get_font(file).get_charmap())


def _font_for(text: str) -> str:
    """The name of an installed font with the letters that the usual font lacks; "" if none lacks or none has them."""
    missing = _missing(text)
    if not missing:
        return ""
    from matplotlib.font_manager import fontManager

    files = {font.name: font.fname for font in fontManager.ttflist}
    found = next((name for name in HANGUL_FONTS if name in files and missing <= _glyphs(str(files[name]))), "")
    return str(found)
