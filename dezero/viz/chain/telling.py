"""Telling: an explanation of a gradient as text."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from dezero.viz.chain.between import MANY
from dezero.viz.look import clean
from dezero.viz.numbers import number

Row = tuple[str, str, str]  # what it is, its value, a remark
_ROWS = 60      # of a part; what is longer is cut in the middle
_WIDEST = 60    # columns that are kept in line
_NAMES = 9      # on a path; what is longer is cut in the middle
_FORMULA = 400  # letters of a formula that is still written


def tell(e: Any) -> str:
    """The text of an explanation."""
    parts = [_head(e), _forward(e), _paths(e), _backward(e), _formula(e), [f"Note: {clean(note, 500)}" for note in e.notes]]
    return "\n\n".join("\n".join(lines) for lines in parts if lines)


def _head(e: Any) -> list[str]:
    start = e.step(e.order[0]).parts[0].value
    one = start is None or np.shape(start) == ()
    output = f"({e.output})" if " + " in e.output else e.output
    lines = [f"{e.gradient} = ∂{output if one else f'sum({e.output})'}/∂{e.variable}{is_(e.value)}"]
    if not one:
        lines.append(f"{e.output} has the shape {np.shape(start)}: backward starts with a one for each element, so this is the gradient of their sum")
    return lines


def _forward(e: Any) -> list[str]:
    def row(v: str) -> list[Row]:
        line = e.line(v)
        known = is_(line.value) if line.value is not None or not e.complete and line.formula else "   (not kept)"
        return [(f"{line.variable} = {line.formula}" if line.formula else line.variable, known, clean(line.remark, 60))]
    kept = [(line.variable, is_(line.value), line.remark) for line in e.kept[:_ROWS]]
    return ["Forward", *_table([*(row for rows in _some(e.listed, row) for row in rows), *kept])]


def _paths(e: Any) -> list[str]:
    if not e.order[1:]:
        return []
    several = e.count > 1
    many = f"{MANY:,} or more" if e.count >= MANY else f"{e.count:,}"
    lines = [f"{'Paths' if several else 'The path'} from {e.output} back to {e.variable}{f': {many}' if several else ''}"]
    for i, path in enumerate(e.paths):
        mark = f"  {i + 1:>{len(str(len(e.paths)))}}. " if several else "  "
        lines.append(mark + " → ".join(_cut(path.variables)))
        lines.append(" " * len(mark) + _product(path, several))
    left = e.count - len(e.paths)
    if left and not several:
        lines.append(f"  is long, through {len(e.order)} variables: the part Backward has its steps")
    elif left:
        lines.append(f"  … and {'many' if e.count >= MANY else f'{left:,}'} more; the part Backward adds up all of them")
    elif several and e.complete:
        values = [p.value for p in e.paths]
        lines.append(f"  Their sum: {_sum(values)} = {short(e.value)}" if np.shape(e.value) == () else f"  Their sum is {e.gradient}{is_(e.value)}")
    return [line for line in lines if line.strip()]


def _product(path: Any, several: bool) -> str:
    """What a path multiplies, in symbols and in numbers."""
    value = "" if path.value is None else f" = {short(path.value)}" if several or path.factors else ""
    if not path.factors:
        return (path.formula or "(a long formula)") + value
    pairs = [(f, n) for f, n in zip(path.factors, path.numbers, strict=True) if f != "1"]
    if len(pairs) > 12:
        return f"a product of {len(pairs)} factors{value}"
    symbols = " · ".join(_bracketed(f) for f, _ in pairs) or "1"
    plain = all(n is not None and np.shape(n) == () for _, n in pairs)
    numbers = " · ".join(_bracketed(short(n)) for _, n in pairs) if plain and len(pairs) > 1 else ""
    if numbers == symbols:
        numbers = ""
    text = symbols + (f" = {numbers}" if numbers else "") + value
    return symbols if value == f" = {symbols}" else text


def _backward(e: Any) -> list[str]:
    lines = ["Backward", *_table([row for rows in _some(e.order, lambda v: _step(e.step(v))) for row in rows])]
    if e.unread:
        lines.append(f"  ({', '.join(e.unread[:6])}{', …' if len(e.unread) > 6 else ''}: the function's own code, which is more than a formula)")
    return lines


def _step(step: Any) -> list[Row]:
    """A line for each part of a gradient, and one for their sum."""
    several = len(step.parts) > 1
    lead = " " * _width(step.gradient)
    rows: list[Row] = []
    for i, part in enumerate(step.parts):
        value = "" if part.formula == short(part.value) else is_(part.value)
        rows.append((f"{lead if i else step.gradient} {'+' if i else '='} {part.formula}", value, part.op if several else ""))
        rows.extend((f"{lead}   {'with' if not j else '    '} {definition}", "", "") for j, definition in enumerate(part.where))
    if several:
        values = [part.value for part in step.parts]
        numbers = len(values) <= 8 and all(v is not None and np.shape(v) == () for v in values)
        rows.append((f"{lead} = {_sum(values)}" if numbers else f"{lead}   in all", is_(step.value), ""))
    return rows


def _formula(e: Any) -> list[str]:
    text = e.formula
    alone = e.count == 1 and len(e.order) < 3
    return ["In one formula", f"  {e.gradient} = {text}"] if text and not alone and len(text) <= _FORMULA else []


def short(value: Any) -> str:
    """A number in four digits, an array as everywhere."""
    if value is None:
        return ""
    if np.shape(value) != ():
        return number(value)
    x = np.asarray(value).item()
    return f"{x:.4g}" if isinstance(x, float) and 1e-3 <= abs(x) < 1e4 else number(value)


def is_(value: Any) -> str:
    """`` = 3`` for what is written in full, `` (2, 3)  mean ...`` for a summary; nothing for what is not known."""
    if value is None:
        return ""
    text = short(value)
    return f" = {text}" if np.shape(value) == () or text.startswith("[") else f"   {np.shape(value)} {text}"


def _sum(values: Iterable[Any]) -> str:
    """``3 - 1.5 + 2``."""
    words = [short(v) for v in values]
    return " ".join([words[0], *(f"- {w[1:]}" if w.startswith("-") else f"+ {w}" for w in words[1:])])


def _bracketed(factor: str) -> str:
    """A factor of a product, in brackets where it is a sum."""
    depth, bare = 0, factor[1:]
    for i, c in enumerate(bare):
        depth += (c in "([") - (c in ")]")
        if depth == 0 and (bare[i:i + 3] in (" + ", " - ") or (c in "<>=&" and bare[i - 1:i] == " ")):
            return f"({factor})"
    return f"({factor})" if factor.startswith("-") else factor


def _cut(names: Sequence[str]) -> list[str]:
    """The names of a path, without those in the middle of a long one."""
    return [*names[:_NAMES - 3], f"… ({len(names) - _NAMES + 1} more)", *names[-2:]] if len(names) > _NAMES else [*names]


def _some(items: Sequence[str], rows: Callable[[str], list[Row]]) -> list[list[Row]]:
    """The rows of a part, without those in the middle of a long one."""
    if len(items) <= _ROWS:
        return [rows(item) for item in items]
    half = _ROWS // 2
    left = len(items) - 2 * half
    return [*map(rows, items[:half]), [(f"… {left:,} more …", "", "")], *map(rows, items[-half:])]


def _table(rows: Sequence[Row]) -> list[str]:
    """Rows of cells, with the columns in line unless a cell is very wide."""
    widths = [max((w for row in rows if (w := _width(row[k])) <= _WIDEST), default=0) for k in range(2)]
    return [f"  {_padded(a, widths[0])}{_padded(b, widths[1])}{f'   {c}' if c else ''}".rstrip() for a, b, c in rows]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - _width(text))


def _width(text: str) -> int:
    """The columns that a text takes on a screen."""
    return sum(0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
