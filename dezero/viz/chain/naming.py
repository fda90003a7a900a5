"""Naming: short names for variables that formulas can use, and that clash with nothing."""

from __future__ import annotations

import keyword
import unicodedata
from collections.abc import Collection as Names
from collections.abc import Iterator

import numpy as np

from dezero.viz.graph import Collection, VariableNode
from dezero.viz.settings import number_text

_LETTERS = "abcdefhijkmnpqrstuvwz"  # without g, which stands before the name of a gradient, and l and o, which look like figures
_LONGEST = 24


def names_of(found: Collection, only: Names[str] | None = None, *, taken: Names[str] = (), target: str | None = None) -> dict[str, str]:
    """A name for each variable, by id: its own where it has one, as an identifier and made unique, else a letter. Numbers stay numbers.

    Args:
        found: the graph.
        only: ids of the variables to name; all where None.
        taken: names that no variable may get.
        target: the id of a variable that is called x if it has no name.

    Examples:
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect
        >>> x = Variable(np.array(3.0), name="my x")
        >>> names_of(collect(x * x + 1))
        {'v0': 'my_x', 'v1': 'a', 'v2': '1', 'v3': 'y'}
    """
    graph = found.graph
    nodes = [v for v in graph.variables if only is None or v.id in only]
    names = {v.id: number_text(found.constants[v.id]) for v in nodes if is_number(found, v)}
    wishes = {v.id: own for v in nodes if v.id not in names and (own := identifier(v.name or ""))}
    given = {*wishes.values(), *taken}
    for v in nodes:
        wish = "y" if len(graph.outputs) == 1 and v.id in graph.outputs and v.kind == "result" else "x" if v.id == target else ""
        if wish and v.id not in wishes and wish not in given:
            wishes[v.id] = wish
    often = _repeated([*wishes.values()])
    used = {*taken}
    for id_, wish in wishes.items():
        names[id_] = _free(wish, used, wish in often)
    used |= often  # b beside b1 and b2 would mislead
    letters = _letters()
    for v in nodes:
        if v.id not in names:
            names[v.id] = next(c for c in letters if c not in used and f"g{c}" not in used)
            used.add(names[v.id])
    return {v.id: names[v.id] for v in nodes}


def gradient_names(names: dict[str, str], taken: Names[str] = ()) -> dict[str, str]:
    """The name of each variable's gradient: g and the variable's name, in the way of the field.

    Examples:
        >>> gradient_names({"v0": "x", "v1": "gx"})
        {'v0': 'grad_x', 'v1': 'ggx'}
    """
    used = {*names.values(), *taken}
    found = {}
    for id_, name in names.items():
        if not name.isidentifier():  # a number
            continue
        wish = f"g{name}"
        while wish in used:
            wish = f"grad_{name}" if wish == f"g{name}" else f"{wish}_"
        used.add(wish)
        found[id_] = wish
    return found


def is_number(found: Collection, v: VariableNode) -> bool:
    """Is a constant of the graph a number that went in as such?"""
    value = found.constants.get(v.id)
    return isinstance(value, (int, float)) or (isinstance(value, np.generic) and v.shape == ())


def identifier(text: str) -> str:
    """A name out of any text: its letters and digits, short; "" if it has none.

    Examples:
        >>> identifier("conv1 weight"), identifier("가중치"), identifier("2"), identifier("lambda")
        ('conv1_weight', '가중치', '', 'lambda_')
    """
    text = unicodedata.normalize("NFKC", text[: 4 * _LONGEST])  # as Python reads names
    kept = "".join(c if f"a{c}".isidentifier() else "_" for c in text)[:_LONGEST].strip("_")
    if not kept.isidentifier():
        return ""
    return f"{kept}_" if keyword.iskeyword(kept) else kept


def _repeated(wishes: list[str]) -> set[str]:
    seen: set[str] = set()
    return {w for w in wishes if w in seen or seen.add(w)}  # type: ignore[func-returns-value]


def _free(wish: str, used: set[str], numbered: bool) -> str:
    """The wish if it is free and one only, else the wish and a number: W1, W2."""
    name, n = wish, 0
    while name in used or (numbered and n == 0):
        n += 1
        name = f"{wish}{n}" if not wish[-1].isdigit() else f"{wish}_{n}"
    used.add(name)
    return name


def _letters() -> Iterator[str]:
    yield from _LETTERS
    n = 1
    while True:
        yield from (f"{c}{n}" for c in _LETTERS)
        n += 1
