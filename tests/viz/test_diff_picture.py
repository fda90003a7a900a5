"""The picture of a difference: both graphs in one, and what is the same far away as groups."""

from __future__ import annotations

import random
import re
import xml.etree.ElementTree as ET
from collections.abc import Container

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.config import layer_scope
from dezero.viz import Graph, collect_graph, diff
from dezero.viz.compare.context import shortened
from dezero.viz.compare.pairing import Pairing
from dezero.viz.compare.sides import Side
from dezero.viz.compare.union import union_of
from tests.viz.graphs import classifier
from tests.viz.test_diff import SVG, block, digits, norm, random_graph

pytestmark = pytest.mark.seeds  # the weights of the models


def marks(svg: str) -> dict[str, str]:
    """id -> its mark."""
    found = {}
    for g in ET.fromstring(svg).iter(f"{SVG}g"):
        kinds = set((g.get("class") or "").split())
        if "node" in kinds:
            found[g.get("data-node") or ""] = " ".join(kinds & {"added", "removed", "changed"})
    return found


def test_the_picture_has_the_nodes_of_both() -> None:
    found = diff(digits(5, 3), digits(5, 5, 3, activation=F.gelu))
    svg = found.svg()
    drawn = marks(svg)
    count = {mark: list(drawn.values()).count(mark) for mark in ("added", "removed", "changed", "")}
    paired = len(found.pairs)
    assert count["added"] == len(found.second.nodes) - paired == 6
    assert count["removed"] == len(found.first.nodes) - paired == 0
    assert sum(count.values()) == len(found.second.nodes)
    assert count["changed"] == len({c.second for c in found.changes if c.sign == "~" and not c.follows})
    words = [t.text for t in ET.fromstring(svg).iter(f"{SVG}text")]
    assert {"was ReLU", "was (5, 3)", "x was result of Linear in l1", "added", "changed"} <= set(words)
    back = marks(diff(digits(5, 5, 3), digits(5, 3)).svg())
    assert list(back.values()).count("removed") == 6


def test_links_are_marked() -> None:
    root = ET.fromstring(diff(norm(True), norm(False)).svg())
    kinds = {"added": 0, "removed": 0}
    for path in root.iter(f"{SVG}path"):
        for kind in kinds:
            kinds[kind] += kind in (path.get("class") or "").split()
    assert kinds == {"added": 8, "removed": 1}
    assert ".removed{stroke-dasharray" in (root.findtext(f"{SVG}style") or "")


def test_nothing_changed_is_drawn_as_it_is() -> None:
    svg = diff(classifier(), classifier()).svg()
    assert set(marks(svg).values()) == {""}


def test_what_is_the_same_far_away_is_a_group() -> None:
    def chain(n: int, other: int) -> Variable:
        y, W = Variable(np.ones(4), name="x"), Parameter(np.ones(4), name="W")
        for i in range(n):
            y = F.cos(y) if i == other else F.sin(y) * W
        return y

    found = diff(chain(100, -1), chain(100, 50))
    svg = found.svg()
    words = [t.text or "" for t in ET.fromstring(svg).iter(f"{SVG}text")]
    assert words.count("as before") == 2 and len(marks(svg)) < 30
    assert "nodes that did not change of themselves are drawn as 2 groups" in " ".join(words)
    hidden = sum(int(word.split()[0]) for word in words if re.fullmatch(r"\d+ functions", word))
    drawn = sum(id_.startswith("f") for id_ in marks(svg))
    assert hidden + drawn == 199 + 2
    assert len(marks(found.svg(context=None))) > 400


def test_a_circle_is_not_drawn() -> None:
    found = diff(block("abc"), block("cba"))
    svg = found.svg()
    assert "against the order of the second one: not drawn" in svg
    assert set(marks(svg)) == {node.id for node in found.second.nodes}


@pytest.mark.parametrize("seed", range(12))
def test_the_union_has_everything_and_no_circle(seed: int) -> None:
    first, second = random_graph(seed, 30), random_graph(seed // 2 + 100, 30)
    pairing = Pairing(first, second)
    assert len(set(pairing.there.values())) == len(pairing.there)
    union = union_of(pairing, diff(first, second).changes)
    graph = union.graph
    assert len(graph.nodes) == len(first.nodes) + len(second.nodes) - len(pairing.there)
    assert len({node.id for node in graph.nodes}) == len(graph.nodes)
    assert len(Side(graph).order) == len(graph.nodes) and in_running_order(graph)
    missing = int(union.notes[0].split()[0]) if union.notes else 0
    kept = len(second.edges) - sum(mark == "added" for key, mark in union.marks.items() if ">" in key)
    assert len(graph.edges) == len(second.edges) + (len(first.edges) - kept) - missing
    assert set(graph.edges) >= set(second.edges)


def in_running_order(graph: Graph) -> bool:
    """Could the functions and groups have run in the order that they say?"""
    ran = {unit.id: unit.order for unit in (*graph.functions, *graph.groups)}
    made = {b: ran[a] for a, b in graph.edges if a in ran and b not in ran}
    return all(ran.get(a, made.get(a, -1)) < ran[b] for a, b in graph.edges if b in ran)


def net(seed: int, odd: Container[int]) -> Graph:
    """Residual blocks in layers, with something else where the number of the step is in ``odd``."""
    rng = random.Random(seed)
    pool = [Variable(np.zeros(2), name="x")]
    for i in range(60):
        with layer_scope(f"block.{i // 12}.{i // 4 % 3}"):
            a, b = pool[-1], rng.choice(pool[-6:])
            f = rng.choice([F.sin, F.cos, F.tanh])
            pool.append(F.exp(a) if i in odd else f(a) + b * Parameter(np.zeros(2), name=f"w{i}"))
    return collect_graph(pool[-1])


@pytest.mark.parametrize("seed", range(10))
def test_what_is_cut_down_has_no_circle_and_is_drawn(seed: int) -> None:
    rng = random.Random(seed)
    first, second = net(seed, ()), net(seed, rng.sample(range(60), 2))
    found = diff(first, second)
    whole = union_of(Pairing(first, second), found.changes)
    for steps in range(4):
        cut = shortened(whole, steps).graph
        assert len(Side(cut).order) == len(cut.nodes) < len(whole.graph.nodes)
        assert sum(g.functions for g in cut.groups) + len(cut.functions) == len(whole.graph.functions)
        assert in_running_order(cut)
        assert set(marks(found.svg(context=steps))) == {node.id for node in cut.nodes}
