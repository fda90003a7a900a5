"""Pairing: which node of one graph is which node of another, found by what they do, where they stand and what they are linked to."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict, deque
from collections.abc import Hashable, Iterator, Sequence
from itertools import count
from typing import Any

from dezero.viz.compare.sides import Keys, Side, by_layer, by_name, levels_of
from dezero.viz.graph import Graph, VariableNode

MANY = 20    # so many equal keys for each function make an exact alignment slow: then the k-th of one sort goes with the k-th
LOOKED = 32  # at so many users of a variable it is asked whether a function took another's place


class Pairing:
    """The nodes of two graphs in pairs.

    Functions come first: those in layers of the same path, in the order in which they ran, as a longest common subsequence by keys that
    go from strict (the same computation before and after) to loose (the same op). Then those that are left, whatever their layer, by the
    strict keys. Then what stands between the same neighbours. Variables follow their functions, and their names. It takes time in
    proportion to n log n.

    Attributes:
        there: id in the first graph -> id in the second.
        back: the other way round.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.viz import collect_graph
        >>> x = Variable(np.array(3.0))
        >>> pairing = Pairing(collect_graph(x * x), collect_graph(x * x + 1))
        >>> pairing.there
        {'f0': 'f0', 'v1': 'v1', 'v0': 'v0'}
    """

    def __init__(self, first: Graph, second: Graph) -> None:
        self.first, self.second = Side(first), Side(second)
        self.there: dict[str, str] = {}
        self.back: dict[str, str] = {}
        self.ends = dict(zip(first.outputs, second.outputs, strict=False))
        levels = levels_of(self.first, self.second)
        gaps = self._by_layer(levels)
        self._anywhere(levels[:-2])
        self._leaves_by_name()
        self._variables()
        self._same_place(gaps)
        self._variables()
        for a, b in self.ends.items():
            if self.first.is_free(a) and self.second.is_free(b):
                self.pair(a, b)

    def pair(self, a: str, b: str) -> None:
        """Make a pair of two nodes, unless one of them has a partner already."""
        if a not in self.there and b not in self.back:
            self.there[a], self.back[b] = b, a

    def merged(self) -> list[tuple[str, str]]:
        """The ops of both graphs in one order: ("+", id) for those of the second, and where they would stand between these ("-", id) for those
        that only the first one has.
        """
        place = {op: i for i, op in enumerate(self.second.ops)}
        keyed = [(i, 1, "+", op) for op, i in place.items()]
        last = -1
        for op in self.first.ops:
            if op in self.there:
                last = place[self.there[op]]
            else:
                keyed.append((last + 1, 0, "-", op))
        return [(sign, op) for _, _, sign, op in sorted(keyed, key=lambda item: item[:2])]

    def _pair_ops(self, a: str, b: str) -> None:
        self.pair(a, b)
        mine, theirs = self.first.results[a], self.second.results[b]
        if len(mine) == len(theirs) == 1:
            self.pair(mine[0], theirs[0])

    def _by_layer(self, levels: list[tuple[Keys, Keys]]) -> dict[str, str]:
        """Pair the ops of layers of the same path; of the gaps between them, those that are as long in both graphs come back as possible pairs."""
        mine, theirs = by_layer(self.first), by_layer(self.second)
        possible: dict[str, str] = {}
        for layer, ops in mine.items():
            if layer in theirs:
                for a, b in _aligned(ops, theirs[layer], levels, self._pair_ops):
                    if len(a) == len(b):
                        possible.update(zip(a, b, strict=True))
        return possible

    def _anywhere(self, levels: list[tuple[Keys, Keys]]) -> None:
        left: dict[int, list[str]] = defaultdict(list)
        right: dict[int, list[str]] = defaultdict(list)
        for side, paired, found in ((self.first, self.there, left), (self.second, self.back, right)):
            for op in side.ops:
                if op not in paired:
                    found[side.nodes[op].derivative].append(op)
        for derivative, ops in left.items():
            _aligned(ops, right[derivative], levels, self._pair_ops)

    def _leaves_by_name(self) -> None:
        """A leaf or parameter whose name its layer has once is the one of that name in the other graph."""
        mine, theirs = by_name(self.first), by_name(self.second)
        for key, a in mine.items():
            b = theirs.get(key)
            if a is not None and b is not None:
                self.pair(a, b)

    def _variables(self) -> None:
        """Pair the results of ops that are pairs, and what goes into the same arguments of both."""
        for op, partner in list(self.there.items()):
            if isinstance(self.first.nodes[op], VariableNode):
                continue
            if len(self.first.results[op]) > 1 or len(self.second.results[partner]) > 1:
                self._results(op, partner)
            theirs = self.second.slots(partner)
            for slot, a in self.first.slots(op).items():
                b = theirs.get(slot)
                if b is not None and self.first.is_free(a) and self.second.is_free(b):
                    self.pair(a, b)

    def _results(self, op: str, partner: str) -> None:
        """Pair results of the same place among those of their functions."""
        places: dict[int, deque[str]] = defaultdict(deque)
        for b in self.second.results[partner]:
            places[self.second.place[b]].append(b)
        for a in self.first.results[op]:
            if found := places[self.first.place[a]]:
                self.pair(a, found.popleft())

    def _same_place(self, possible: dict[str, str]) -> None:
        """Pair ops that differ but stand between the same neighbours, forward and then back through the graph."""
        for ops in (self.first.ops, self.first.ops[::-1]):
            for a in ops:
                if a in self.there:
                    continue
                b = possible.get(a)
                if b is not None and b not in self.back and (self._same_inputs(a, b) or self._same_users(a, b)):
                    self._pair_ops(a, b)
                    continue
                near = next((b for b in self._near(a) if self._same_users(a, b)), None)
                if near is not None:
                    self._pair_ops(a, near)

    def _near(self, a: str) -> Iterator[str]:
        """Functions without a partner that take one of the inputs of ``a`` in the same place."""
        derivative = self.first.nodes[a].derivative
        for slot, variable in enumerate(self.first.inputs[a]):
            users = self.second.users[self.there[variable]] if variable in self.there else ()
            for b, place in users[:LOOKED]:
                if place == slot and b not in self.back and self.second.nodes[b].derivative == derivative:
                    yield b

    def _same_inputs(self, a: str, b: str) -> bool:
        return any(self.there.get(x) == y for x, y in zip(self.first.inputs[a], self.second.inputs[b], strict=False))

    def _same_users(self, a: str, b: str) -> bool:
        """Does a result of each go to the same place?"""
        for x in self.first.results[a]:
            if self.second.inputs.get(self.ends.get(x, "")) == [b]:
                return True
            for user, slot in self.first.users[x][:LOOKED]:
                inputs = self.second.inputs[self.there[user]] if user in self.there else ()
                if slot < len(inputs) and self.second.inputs[inputs[slot]] == [b]:
                    return True
        return False


def common(xs: Sequence[Hashable], ys: Sequence[Hashable]) -> list[tuple[int, int]]:
    """Places of equal items that stand in the same order in both: a longest such list, unless very many items are alike.

    The method is that of Hunt and Szymanski (1977), "A fast algorithm for computing longest common subsequences".

    Examples:
        >>> common("abcbd", "acbed")
        [(0, 0), (2, 1), (3, 2), (4, 4)]
    """
    least, start, end = min(len(xs), len(ys)), 0, 0
    while start < least and xs[start] == ys[start]:
        start += 1
    while end < least - start and xs[-1 - end] == ys[-1 - end]:
        end += 1
    head = [(i, i) for i in range(start)]
    tail = [(len(xs) - i, len(ys) - i) for i in range(end, 0, -1)]
    return head + [(start + i, start + j) for i, j in _middle(xs[start:len(xs) - end], ys[start:len(ys) - end])] + tail


def _middle(xs: Sequence[Hashable], ys: Sequence[Hashable]) -> list[tuple[int, int]]:
    known = Counter(ys)
    if sum(known[x] for x in xs) > MANY * (len(xs) + len(ys)):
        xs, ys = _numbered(xs), _numbered(ys)
    places: dict[Hashable, list[int]] = defaultdict(list)
    for j, y in enumerate(ys):
        places[y].append(j)
    ends: list[int] = []    # ends[k]: where in ys the common list of k + 1 items ends that ends first
    lists: list[Any] = []   # that list: its last pair, and the list before it
    for i, x in enumerate(xs):
        for j in reversed(places.get(x, ())):
            k = bisect_left(ends, j)
            ends[k:k + 1], lists[k:k + 1] = [j], [(i, j, lists[k - 1] if k else None)]
    found, rest = [], lists[-1] if lists else None
    while rest is not None:
        i, j, rest = rest
        found.append((i, j))
    return found[::-1]


def _numbered(xs: Sequence[Hashable]) -> list[Hashable]:
    seen: dict[Hashable, Any] = defaultdict(count)
    return [(x, next(seen[x])) for x in xs]


def _aligned(xs: list[str], ys: list[str], levels: list[tuple[Keys, Keys]], pair: Any) -> list[tuple[list[str], list[str]]]:
    """Pair what the strictest keys say, then in the gaps between what the next ones say; the gaps that are left in the end."""
    gaps = [(xs, ys)]
    for mine, theirs in levels:
        finer = []
        for a, b in gaps:
            i0 = j0 = 0
            for i, j in [*common([mine[x] for x in a], [theirs[y] for y in b]), (len(a), len(b))]:
                if i > i0 and j > j0:
                    finer.append((a[i0:i], b[j0:j]))
                if i < len(a):
                    pair(a[i], b[j])
                i0, j0 = i + 1, j + 1
        gaps = finer
    return gaps
