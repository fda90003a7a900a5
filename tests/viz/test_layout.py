"""The layout: rows, columns, curves and frames on which a reader finds every way, however hard the graph."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from random import Random
from typing import Any

import pytest

import dezero.functions as F
from dezero.viz import collect_graph
from dezero.viz.columns import nearest
from dezero.viz.layout import FRAME_PAD, FRAME_TITLE, Frame, Group, Layout, Point, fewest, lay_out
from dezero.viz.nested import Nest
from dezero.viz.order import reduce_crossings
from dezero.viz.rows import Rows
from tests.viz.graphs import classifier, derivative, goldstein

Size, Edge = tuple[float, float], tuple[int, int]
Box = tuple[float, float, float, float]
E = 1e-6


# What a reader relies on, of any layout.


def flat(groups: Sequence[Group]) -> list[tuple[Group, set[int]]]:
    """Each group with all that is in it, a group before those inside it and these before the next."""
    found = []
    for group in groups:
        inner = flat(group.inner)
        found += [(group, set(group.members).union(*[members for _, members in inner])), *inner]
    return found


def box_of(centre: Point, size: Size) -> Box:
    (x, y), (w, h) = centre, size
    return x - w / 2, y - h / 2, x + w / 2, y + h / 2


def inside(a: Box, b: Box) -> bool:
    return b[0] < a[0] and b[1] < a[1] and a[2] < b[2] and a[3] < b[3]


def overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] - E and b[0] < a[2] - E and a[1] < b[3] - E and b[1] < a[3] - E


def drawn(points: Sequence[Point]) -> Iterator[tuple[Point, Point]]:
    """The curve through the points in short pieces."""
    for (x0, y0), (x1, y1) in pairwise(points):
        n = 1 if x0 == x1 else 12
        dots = [((1 - t) ** 2 * (1 + 2 * t) * x0 + t * t * (3 - 2 * t) * x1, y0 + (y1 - y0) * (1.5 * t * (1 - t) + t ** 3))
                for t in (k / n for k in range(n + 1))]
        yield from pairwise(dots)


def meets(a: Point, b: Point, box: Box) -> bool:
    """Does a straight piece enter a rectangle?"""
    first, last = 0.0, 1.0
    dx, dy = b[0] - a[0], b[1] - a[1]
    for step, room in ((-dx, a[0] - box[0]), (dx, box[2] - a[0]), (-dy, a[1] - box[1]), (dy, box[3] - a[1])):
        if step == 0:
            if room <= 0:
                return False
        elif step < 0:
            first = max(first, room / step)
        else:
            last = min(last, room / step)
    return first < last


def check(sizes: Sequence[Size], edges: Sequence[Edge], groups: Sequence[Group] = ()) -> Layout:
    """A layout on which all promises have been tried."""
    layout = lay_out(sizes, edges, groups)
    nodes = [box_of(c, s) for c, s in zip(layout.centres, sizes, strict=True)]
    frames = [(f.x, f.y, f.x + f.width, f.y + f.height) for f in layout.frames]
    members = flat(groups)
    for box in (*nodes, *frames):
        assert -E <= box[0] and -E <= box[1] and box[2] <= layout.width + E and box[3] <= layout.height + E
    order = sorted(range(len(nodes)), key=lambda i: nodes[i][1])
    tops, tallest = [nodes[i][1] for i in order], max([h for _, h in sizes], default=0.0)
    near = [order[bisect_left(tops, nodes[i][1] - tallest):bisect_left(tops, nodes[i][3])] for i in range(len(nodes))]
    assert not [(i, j) for i in range(len(nodes)) for j in near[i] if i != j and overlap(nodes[i], nodes[j])]
    for (group, mine), frame in zip(members, frames, strict=True):
        assert frame[2] - frame[0] >= group.title + 2 * FRAME_PAD - E or not group.title
        for i, box in enumerate(nodes):
            assert inside(box, frame) if i in mine else not overlap(box, frame)
            assert i not in mine or box[1] >= frame[1] + FRAME_TITLE or not group.title
    for ((_, mine), a), ((_, other), b) in combinations(list(zip(members, frames, strict=True)), 2):
        assert inside(b, a) if other and other <= mine else not overlap(a, b)
    assert sum(route.arrow for route in layout.routes) == len(edges) == sum(route.arrow for route in layout.routes[:len(edges)])
    for k, (u, v) in enumerate(edges):
        way = layout.way(k)
        assert layout.routes[k].source == u
        assert way[0] == pytest.approx((layout.centres[u][0], nodes[u][3]))
        assert nodes[v][0] < way[-1][0] < nodes[v][2] and way[-1][1] == pytest.approx(nodes[v][1])
        assert all(b[1] >= a[1] for a, b in pairwise(way))
    # Ways share their first stretches, so that each route is looked at once.
    titles = [(f[0], f[1], f[0] + FRAME_PAD + g.title, f[1] + FRAME_TITLE) for (g, _), f in zip(members, frames, strict=True) if g.title]
    for route in layout.routes:
        for a, b in drawn(route.points):
            low, high = bisect_left(tops, a[1] - tallest), bisect_left(tops, b[1])
            assert not any(meets(a, b, shrunk(nodes[i])) for i in order[low:high]), "an edge runs through a node"
            assert not any(meets(a, b, title) for title in titles), "an edge runs through a title"
    crossed_as_needed(layout, edges, members)
    return layout


def shrunk(box: Box) -> Box:
    return box[0] + 0.3, box[1] + 0.3, box[2] - 0.3, box[3] - 0.3


def crossed_as_needed(layout: Layout, edges: Sequence[Edge], members: Sequence[tuple[Group, set[int]]]) -> None:
    """An edge enters the frames in which its node is, leaves those in which it began, and touches no other."""
    for frame, (_, mine) in zip(layout.frames, members, strict=True):
        left, top, right, bottom = frame.x, frame.y, frame.x + frame.width, frame.y + frame.height
        for k, (u, v) in enumerate(edges):
            way = layout.way(k)
            if u not in mine and v not in mine:
                assert not any(meets(a, b, shrunk((left, top, right, bottom))) for a, b in drawn(way))
            else:
                within = [p for p in way if (u in mine or p[1] > top + E) and (v in mine or p[1] < bottom - E)]
                assert all(left < x < right for x, _ in within)


# Graphs to try it on.


def of(output: Any) -> tuple[list[Size], list[Edge]]:
    graph = collect_graph(output)
    index = {node.id: i for i, node in enumerate(graph.nodes)}
    return [(30.0 + 6 * len(node.name or ""), 27.0) for node in graph.nodes], [(index[a], index[b]) for a, b in graph.edges]


def random_graph(n: int, seed: int = 0) -> tuple[list[Size], list[Edge]]:
    """Each node after the first has one or two inputs, most of them near; some come twice."""
    random = Random(seed)
    edges = [(max(0, v - 1 - int(random.expovariate(0.05))), v) for v in range(1, n) for _ in range(random.choice((1, 1, 2)))]
    return [(20 + 60 * random.random(), random.choice((20.0, 30.0, 44.0))) for _ in range(n)], edges


def random_groups(n: int, seed: int, deepest: int = 3) -> list[Group]:
    """Groups in groups: intervals of the numbers, which are in the order of the edges."""
    random = Random(seed)

    def build(first: int, last: int, depth: int) -> tuple[tuple[int, ...], tuple[Group, ...]]:
        members, inner = [], []
        while first < last:
            size = random.randint(1, max(1, (last - first) // 2))
            if depth and random.random() < 0.4:
                inner.append(Group(*build(first, first + size, depth - 1), title=random.choice((0.0, 40.0, 150.0))))
            else:
                members += range(first, first + size)
            first += size
        return tuple(members), tuple(inner)

    return list(build(0, n, deepest)[1])


def stack(n: int, skip: bool = False) -> tuple[list[Size], list[Edge], list[Group]]:
    """Layers one after another, each with weights, an op and its output in a frame; ``skip``: the input is added to the output as well."""
    sizes, edges, groups, x = [(60.0, 44.0)], [], [], 0
    for layer in range(n):
        i = len(sizes)
        sizes += [(80.0 + layer % 3, 44.0), (50.0, 44.0), (60.0, 27.0), (90.0, 27.0)]
        edges += [(x, i + 2), (i, i + 2), (i + 1, i + 2), (i + 2, i + 3)]
        groups.append(Group((i, i + 1, i + 2, i + 3), (), 20.0))
        if skip:
            sizes += [(52.0, 27.0), (90.0, 27.0)]
            edges += [(i + 3, i + 4), (x, i + 4), (i + 4, i + 5)]
        x = len(sizes) - 1
    return sizes, edges, groups


GRAPHS = {"goldstein": goldstein, "classifier": classifier, "sin4": lambda: derivative(F.sin, 4), "tanh4": lambda: derivative(F.tanh, 4)}


@pytest.mark.parametrize("make", GRAPHS.values(), ids=GRAPHS)
def test_real_graphs(make: Any) -> None:
    check(*of(make()))


@pytest.mark.parametrize("seed", range(25))
def test_random_graphs_with_groups_in_groups(seed: int) -> None:
    n = 5 + 4 * seed
    check(*random_graph(n, seed), random_groups(n, seed))


def test_without_groups_there_are_no_frames() -> None:
    sizes, edges = random_graph(60)
    assert check(sizes, edges).frames == ()
    assert lay_out([], []) == Layout((), (), 0.0, 0.0)
    assert lay_out([(10.0, 20.0)], []) == Layout(((5.0, 10.0),), (), 10.0, 20.0)


def test_a_frame_has_room_for_its_title_and_padding() -> None:
    bare, titled = (check([(20.0, 10.0)], [], [Group((0,), (), title)]) for title in (0.0, 100.0))
    assert titled.width == pytest.approx(100 + 2 * FRAME_PAD) and bare.width == pytest.approx(20 + 2 * FRAME_PAD)
    assert titled.height == pytest.approx(bare.height + FRAME_TITLE)
    nested = check([(20.0, 10.0)], [], [Group((), (Group((0,), (), 30.0),), 10.0)])
    outer, inner = nested.frames
    assert inner.x >= outer.x + FRAME_PAD and inner.y >= outer.y + FRAME_TITLE and inner.width == pytest.approx(30 + 2 * FRAME_PAD)
    assert check([], [], [Group((), (), 30.0)]).frames[0].width > 30


def test_frames_come_before_those_inside_them() -> None:
    groups = [Group((0,), (Group((1,), (Group((2,)),)), Group((3,)))), Group((4,))]
    layout = check([(20.0, 10.0)] * 5, [(i, i + 1) for i in range(4)], groups)
    assert [sum(1 for x, y in layout.centres if f.x < x < f.x + f.width and f.y < y < f.y + f.height) for f in layout.frames] == [4, 2, 1, 1, 1]


def test_a_stack_of_30_layers_is_one_straight_line_through_boxes_that_are_alike() -> None:
    sizes, edges, groups = stack(30)
    layout = check(sizes, edges, groups)
    spine = [0, *[i for group in groups for i in group.members[2:]]]
    assert len({round(layout.centres[i][0], 6) for i in spine}) == 1
    assert all(len({round(x, 6) for x, _ in layout.way(k)}) == 1 for k, (u, v) in enumerate(edges) if u in spine)
    third = [(f.x, f.width, f.height, layout.centres[g.members[0]][1] - f.y) for f, g in zip(layout.frames, groups, strict=True)][::3]
    assert all(f == pytest.approx(third[0]) for f in third)
    gaps = {round(b.y - a.y - a.height, 6) for a, b in pairwise(layout.frames)}
    assert len(gaps) == 1


def test_skips_leave_the_stack_straight() -> None:
    sizes, edges, groups = stack(12, skip=True)
    layout = check(sizes, edges, groups)
    outputs = [v for u, v in edges if sizes[u] == (52.0, 27.0)]
    assert len({round(layout.centres[i][0], 6) for i in (0, *outputs)}) == 1
    skips = [layout.way(k) for k, (u, v) in enumerate(edges) if sizes[v] == (52.0, 27.0) and sizes[u] != (60.0, 27.0) and v - u > 2]
    assert len(skips) == 12 and all(len({round(x, 6) for x, _ in way}) <= 3 for way in skips)


def test_a_tall_box_shares_its_height_with_the_nodes_beside_it() -> None:
    # 0 leads into a group of 20 nodes one below the other and, beside it, along a chain of 8; 29 adds both
    tall, beside = list(range(1, 21)), list(range(21, 29))
    edges = [(0, 1), *pairwise(tall), (20, 29), (0, 21), *pairwise(beside), (28, 29)]
    layout = check([(60.0, 27.0)] * 30, edges, [Group(tuple(tall), (), 30.0)])
    frame = layout.frames[0]
    assert all(frame.y < layout.centres[i][1] < frame.y + frame.height for i in beside)
    assert layout.height < frame.height + 200
    steps = [b[1] - a[1] for a, b in pairwise([layout.centres[i] for i in beside])]
    assert max(steps) < 90  # its rows are as high as ever


def test_no_edge_crosses_a_tall_box() -> None:
    # two groups side by side, and edges between what is left and right of them, some of which want to run through
    chains = [list(range(8 * c, 8 * c + 8)) for c in range(5)]
    across = [(chains[a][k], chains[b][k + 1]) for k in range(7) for a, b in ((0, 4), (4, 2), (2, 0))]
    edges = [e for chain in chains for e in pairwise(chain)] + across
    check([(40.0, 30.0)] * 40, edges, [Group(tuple(chains[1]), (), 30.0), Group(tuple(chains[3]))])


@pytest.mark.parametrize("order", [range(7, 0, -1), (4, 1, 7, 3, 6, 2, 5)], ids=["reversed", "mixed"])
def test_ports_are_in_the_order_in_which_their_edges_come(order: Sequence[int]) -> None:
    # the outputs of one group go to another in which the nodes have another order
    n = 7
    edges = [*[(0, i + 1) for i in range(n)], *[(i + 1, n + k) for i, k in enumerate(order)], *[(n + k, 2 * n + 1) for k in range(1, n + 1)]]
    groups = [Group(tuple(range(1, n + 1)), (), 30.0), Group(tuple(range(n + 1, 2 * n + 1)), (), 30.0)]
    layout = check([(40.0, 30.0)] * (2 * n + 2), edges, groups)
    ways = sorted([layout.way(k) for k in range(n, 2 * n)])
    assert [way[-1][0] for way in ways] == sorted(way[-1][0] for way in ways)
    assert all(len({round(x, 6) for x, _ in way}) == 1 for way in ways)


def test_groups_in_groups_have_few_crossings() -> None:
    graphs = [(*random_graph(5 + 4 * seed, seed), random_groups(5 + 4 * seed, seed)) for seed in range(4, 16)]
    assert sum(sheet.rows.crossings for graph in graphs for sheet in fewest(Nest(*graph))) < 325


def test_edges_of_one_node_enter_a_frame_together() -> None:
    edges = [(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]
    layout = check([(40.0, 30.0)] * 5, edges, [Group((), (Group((1, 2, 3)),))])
    assert len(layout.routes) == len(edges) + 2 + 6  # two pieces that the first three edges share, and two out of the frames for each node
    assert len({layout.way(k)[:4] for k in range(3)}) == 1


def test_a_tree_has_no_crossings_and_inputs_stand_by_their_user() -> None:
    layout = check([(10.0, 10.0)] * 7, [(0, 2), (1, 2), (2, 6), (3, 5), (4, 5), (5, 6)])
    x = [c[0] for c in layout.centres]
    assert x[0] < x[2] < x[1] < x[3] < x[5] < x[4]
    assert [x[i] + x[j] for i, j in ((0, 4), (1, 3), (2, 5))] == pytest.approx([2 * x[6]] * 3)
    late = check([(10.0, 10.0)] * 6, [(0, 1), (1, 2), (2, 3), (3, 5), (4, 5)])
    assert late.centres[4][1] == late.centres[3][1]


def test_what_costs_nothing_comes_down_to_its_user() -> None:
    # 0 is used at the end in any case: 5, which needs nothing else, stands there and not at the top
    layout = check([(30.0, 20.0)] * 8, [(0, 1), (1, 2), (2, 3), (3, 4), (0, 4), (0, 5), (5, 6), (4, 7), (6, 7)])
    assert layout.centres[6][1] == layout.centres[4][1]


def test_a_main_input_comes_straight_down_and_side_inputs_stand_in_the_order_of_the_arguments() -> None:
    sizes = [(40.0, 27.0)] * 8
    for first in (True, False):  # the number is the first or the second argument of each op
        edges = [(0, 1)]
        for op, number in ((2, 5), (3, 6), (4, 7)):
            edges += [(number, op), (op - 1, op)] if first else [(op - 1, op), (number, op)]
        layout = check(sizes, edges)
        x = [c[0] for c in layout.centres]
        assert x[:5] == pytest.approx([x[0]] * 5)
        assert all((x[i] < x[0]) == first for i in (5, 6, 7))


def test_the_longest_way_is_the_straight_one() -> None:
    # 10 comes from far and through a bend, 13 from near by: the first is what the op is about
    edges = [*pairwise(range(11)), (11, 12), (12, 13), (11, 16), (10, 14), (13, 14), (10, 15), (14, 15), (15, 16)]
    layout = check([(40.0, 27.0)] * 17, edges, [Group((12, 13, 14), (), 30.0)])
    assert [layout.centres[i][0] for i in (9, 10, 14, 15, 16)] == pytest.approx([layout.centres[0][0]] * 5)


def test_hard_graphs_have_few_crossings_and_bends() -> None:
    for output, most, slanting in ((goldstein(), 17, 58), (derivative(F.tanh, 3), 1, 20), (derivative(F.tanh, 5), 95, 127)):
        sizes, edges = of(output)
        layout = lay_out(sizes, edges)
        assert sum(a != b for route in layout.routes for (a, _), (b, _) in pairwise([(round(x, 3), y) for x, y in route.points])) <= slanting
        plain = Nest(sizes, edges, ()).plain(0, {})
        rows = Rows(plain.sizes, plain.nets, [1] * len(sizes))
        reduce_crossings(rows)
        assert rows.crossings <= most


def test_numbers_stand_on_the_side_of_their_argument() -> None:
    sizes, edges = of(goldstein())
    x = [c[0] for c in lay_out(sizes, edges).centres]
    inputs: dict[int, list[int]] = {}
    for u, v in edges:
        inputs.setdefault(v, []).append(u)
    once = {u for u in range(len(sizes)) if sum(u == w for w, _ in edges) == 1}
    pairs = [us for us in inputs.values() if len(us) == 2 and {*us} <= once and sum(u not in inputs for u in us) == 1]
    assert len(pairs) > 5 and all(x[left] < x[right] for left, right in pairs)


def test_an_edge_past_many_rows_is_straight_between_few_bends() -> None:
    layout = check([(40.0, 27.0)] * 41, [*pairwise(range(41)), (0, 40)])
    assert len({round(x, 6) for x, _ in layout.way(40)}) <= 3
    assert len({round(x, 6) for x, _ in layout.centres}) == 1


def test_edges_that_come_twice_enter_side_by_side() -> None:
    layout = check([(40.0, 20.0)] * 2, [(0, 1)] * 3)
    assert len({layout.way(k)[-1] for k in range(3)}) == 3


def test_edges_of_one_node_share_their_way() -> None:
    layout = check([(40.0, 20.0)] * 9, [*pairwise(range(8)), (0, 4), (0, 6), (0, 7), (8, 7)])
    ways = [layout.way(k) for k in (7, 8, 9)]
    assert ways[0][:4] == ways[1][:4] == ways[2][:4]
    assert layout.points() == sum(len(route.points) for route in layout.routes if route.arrow) + sum(r.after[1] for r in layout.routes if r.after)
    shared = [route for route in layout.routes if not route.arrow]
    assert [route.source for route in shared] == [0]


def test_nearest_places_keep_order_and_gaps() -> None:
    assert nearest([0.0, 10.0], [1.0, 1.0], [5.0]) == [0.0, 10.0]
    assert nearest([10.0, 0.0], [1.0, 3.0], [4.0]) == pytest.approx([-0.5, 3.5])
    assert nearest([], [], []) == []


# Wrong arguments.


@pytest.mark.parametrize(("edges", "groups", "message"), [
    ([(0, 0)], [], "circle through some of node 0"),
    ([(0, 1), (1, 2), (2, 1)], [], "circle through some of node 1, node 2"),
    ([(0, 1), (1, 2)], [Group((0, 2))], "circle through some of group 0, node 1"),
    ([(0, 1), (1, 2), (2, 3)], [Group((3,), (Group((0, 2)),)), Group((1,))], "circle through some of group 0, group 2"),
    ([(0, 4)], [], r"edge 0 is \(0, 4\), with 4 nodes"),
    ([(-1, 0)], [], r"edge 0 is \(-1, 0\), with 4 nodes"),
    ([], [Group((0,)), Group((1,), (Group((0,)),))], "node 0 is in two groups"),
    ([], [Group((4,))], "node 4 is in a group, with 4 nodes"),
])
def test_wrong_arguments(edges: list[Edge], groups: list[Group], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        lay_out([(10.0, 10.0)] * 4, edges, groups)


# Size.


@pytest.mark.parametrize("n", [200])
def test_every_pair_linked_is_laid_out(n: int) -> None:
    layout = lay_out([(10.0, 10.0)] * n, [(i, j) for i in range(n) for j in range(i + 1, n)])
    assert len({c[1] for c in layout.centres}) == n


def test_nothing_recurses_over_the_depth_of_the_graph_or_of_the_groups() -> None:
    n, deep = 20_000, 200
    chain = lay_out([(50.0, 20.0)] * n, list(pairwise(range(n))))
    assert len({c[0] for c in chain.centres}) == 1 and chain.height > 40 * n
    group = Group((0, 1))
    for i in range(1, deep):
        group = Group((2 * i, 2 * i + 1), (group,), 30.0)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(150)
    try:
        nested = lay_out([(50.0, 20.0)] * (2 * deep), list(pairwise(range(2 * deep))), [group])
    finally:
        sys.setrecursionlimit(limit)
    assert all(inside(frame_box(b), frame_box(a)) for a, b in pairwise(nested.frames))


def frame_box(frame: Frame) -> Box:
    return frame.x, frame.y, frame.x + frame.width, frame.y + frame.height


def test_500_nodes_take_less_than_a_second() -> None:
    sizes, edges = random_graph(500)
    start = time.process_time()
    lay_out(sizes, edges)
    assert time.process_time() - start < 2.0  # 0.25 s on a machine that does nothing else


def test_the_same_layout_in_every_process() -> None:
    program = ("from tests.viz.test_layout import *; import hashlib; sizes, edges = random_graph(80, 1);"
               "print(hashlib.sha256(repr(lay_out(sizes, edges, random_groups(80, 1))).encode()).hexdigest())")
    runs = {subprocess.run([sys.executable, "-c", program], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, text=True,
                           check=True).stdout for seed in ("0", "1")}
    assert len(runs) == 1 and len(runs.pop()) == 65
