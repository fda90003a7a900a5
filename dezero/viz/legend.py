"""Legend: what stands below a picture: its colours and badges in words, and the notes of its view."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from dezero.viz.look import MARKS, clean, pass_name, text_width
from dezero.viz.shapes import LEADING, MARGIN, NOTE_SIZE, Box, Caption, badge_of, order_sign
from dezero.viz.view import View

Entry = tuple[Box, str]


def entries(view: View, marks: Collection[str]) -> list[Entry]:
    """Swatches and what they mean: the passes where not all is forward, the marks that appear."""
    orders = sorted({node.derivative for node in view.graph.functions} | {node.derivative for node in view.graph.groups})
    found: list[Entry] = []
    for k in orders if any(orders) else ():
        if k <= 3 or k == next(o for o in orders if o >= 3):  # those from the third on share a colour
            several = k >= 3 and orders[-1] > k
            meaning = f"{pass_name(k).partition(' ')[0]} to {pass_name(orders[-1])}" if several else pass_name(k)
            lines = ((order_sign(k) + "…" * several, NOTE_SIZE),) if k else ()
            found.append((Box("", "function", f"function{min(k, 3) or ''}", "box", 0.0, 0.0, 32.0, 18.0, lines), meaning))
    found.extend((badge_of(key), MARKS[key].meaning) for key in MARKS if key in marks)
    return found


def below(legend: Sequence[Entry], notes: Sequence[str], inner: float, y: float) -> tuple[tuple[Box, ...], tuple[Caption, ...], float]:
    """The legend and the notes in rows of at most the picture's width, and where they end."""
    boxes, captions, x = [], [], MARGIN
    y += 26.0 if legend else 0.0
    for box, meaning in legend:
        wide = box.width + 6.0 + text_width(meaning, NOTE_SIZE)
        if x > MARGIN and x + wide > MARGIN + inner:
            x, y = MARGIN, y + 22.0
        boxes.append(replace(box, x=x + box.width / 2, y=y))
        captions.append(Caption(x + box.width + 6.0, y + 3.8, meaning))
        x += wide + 18.0
    y += 9.0 if legend else 0.0
    for note in notes:
        y += 8.0
        for text in wrapped(clean(note, 1000), inner):
            y += LEADING
            captions.append(Caption(MARGIN, y, text))
    return tuple(boxes), tuple(captions), y + (4.0 if notes else 0.0)


def wrapped(text: str, width: float) -> list[str]:
    """A text in lines of at most this width, broken between words, and within what is longer than a line.

    Examples:
        >>> wrapped("a few words and averyveryverylongone", 80.0)
        ['a few words', 'and averyve', 'ryveryl', 'ongone']
    """
    lines, most = [""], max(1, int(width / NOTE_SIZE))
    for word in text.split(" "):
        first, *rest = [word] if text_width(word, NOTE_SIZE) <= width else [word[k:k + most] for k in range(0, len(word), most)]
        longer = f"{lines[-1]} {first}".strip()
        if lines[-1] and text_width(longer, NOTE_SIZE) > width:
            lines.append(first)
        else:
            lines[-1] = longer
        lines.extend(rest)
    return lines
