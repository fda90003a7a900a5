"""Line: a graph as a line of functions in the order in which they ran, and the search for stretches of it that look alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from dezero.viz.boxes import OUTSIDE, Boxes, in_order
from dezero.viz.graph import Cluster, FunctionNode, Graph

LONGEST = 1024   # functions in a part that repeats
PIECES = frozenset(("get_item", "get_item_grad"))  # each time may take another piece of a sequence
COLUMNS = 4      # inputs that the search looks at; who takes its results must look at all


class Line:
    """Variables and functions by their numbers, and what each function takes and gives.

    Args:
        graph: the graph.
        clusters: its boxes.
        apart: layers, by path, that are alike only with others for which it is true as well.
        signs: by the id of a function or group, what must be equal for two to be alike; missing ones are added.

    Examples:
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> line = Line(collect_graph(F.sin(F.cos(F.sin(Variable(np.array(1.0)))))), (), None, {})
        >>> line.tokens, line.ins
        ([0, 1, 0], [[0], [1], [2]])
    """

    def __init__(self, graph: Graph, clusters: Sequence[Cluster], apart: Callable[[str], bool] | None, signs: dict[str, Any]) -> None:
        self.graph, self.variables, self.units = graph, graph.variables, in_order(graph)
        self.boxes = Boxes.of(clusters)
        for node in graph.nodes:
            self.boxes.home.setdefault(node.id, OUTSIDE)
        at = {unit.id: i for i, unit in enumerate(self.units)}
        index = {v.id: i for i, v in enumerate(graph.variables)}
        self.ins: list[list[int]] = [[] for _ in self.units]
        self.outs: list[dict[int, int]] = [{} for _ in self.units]  # place among the results -> variable
        self.maker = [-1] * len(index)
        self.users: list[list[int]] = [[] for _ in index]            # in the order in which they ran
        for a, b in graph.edges:
            if a in index and b in at:
                self.ins[at[b]].append(index[a])
            elif a in at and b in index:
                self.maker[index[b]] = at[a]
                self.outs[at[a]][self.variables[index[b]].index] = index[b]
        for i, ins in enumerate(self.ins):
            for v in ins:
                self.users[v].append(i)
        outputs = set(graph.outputs)
        self.is_output = [v.id in outputs for v in graph.variables]
        self.box = [self.boxes.home[unit.id] for unit in self.units]
        self.depth = [self.boxes.depth(box) for box in self.box]
        # The depth of the innermost box around a function and the one before it: where it is small, boxes end and begin.
        self.joint = [0, *[self.boxes.depth(self.boxes.common(a, b)) for a, b in zip(self.box, self.box[1:], strict=False)], 0]
        self.tokens = self._tokens(apart, signs)

    def _tokens(self, apart: Callable[[str], bool] | None, signs: dict[str, Any]) -> list[int]:
        """Equal numbers for functions that are alike, whatever they are wired to."""
        boxes = self.boxes
        marks: list[Any] = []  # for each box: how often those around it come, and whether one of them is apart
        for box, layer in enumerate(boxes.layers):
            times, special = marks[boxes.parents[box]] if boxes.parents[box] != OUTSIDE else ((), False)
            marks.append(((*times, boxes.times[box]) if boxes.times[box] > 1 else times, special or (apart is not None and apart(layer))))
        known: dict[Any, int] = {}
        tokens = []
        for unit, box in zip(self.units, self.box, strict=True):
            if unit.id not in signs:
                signs[unit.id] = (unit.name, unit.op, () if unit.op in PIECES else unit.settings, unit.arguments, unit.derivative) \
                    if isinstance(unit, FunctionNode) else unit.id
            key = signs[unit.id], boxes.depth(box), marks[box] if box != OUTSIDE else ((), False)
            tokens.append(known.setdefault(key, len(known)))
        return tokens

    def argument(self, user: int, v: int) -> str:
        """As which argument a function uses a variable; those of a list are one."""
        unit = self.units[user]
        if not isinstance(unit, FunctionNode):
            return ""
        return ",".join([name.partition("[")[0] for name, given in zip(unit.arguments, self.ins[user], strict=False) if given == v])


class Alike:
    """Where a line looks the same ``size`` functions further on, for all sizes. What it finds is checked by others.

    Examples:
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> y = Variable(np.array(1.0))
        >>> for _ in range(4):
        ...     y = F.sin(F.cos(y))
        >>> list(Alike(Line(collect_graph(y), (), None, {})).stretches())[0]
        (2, 0, 8)
    """

    def __init__(self, line: Line) -> None:
        n = self.n = len(line.units)
        self.tokens = np.array(line.tokens, np.int64)
        columns = min(COLUMNS, max(map(len, line.ins), default=0))
        self.given = np.full((columns, n), -1, np.int64)    # the variable
        self.ago = np.zeros((columns, n), np.int64)         # how many functions ago it was made, or used first if nothing made it
        self.code = np.full((columns, n), -1, np.int64)     # the same, with its place there
        self.made = np.zeros((columns, n), bool)
        self.used = np.full((columns, n), -1, np.int64)     # of one result of several: its function, and the place of its first use
        self.last = np.full((3, n), -1, np.int64)           # the last functions that use a result, the end of the line for an output
        for i, ins in enumerate(line.ins):
            for k, v in enumerate(ins[:columns]):
                made = line.maker[v] >= 0
                start = line.maker[v] if made else line.users[v][0]
                place = line.variables[v].index if made else line.ins[start].index(v)
                self.given[k, i], self.ago[k, i], self.made[k, i] = v, i - start, made
                self.code[k, i] = (i - start) * 64 + min(place, 31) * 2 + made
                if made and len(line.outs[start]) > 1 and i - line.users[v][0] < LONGEST:
                    self.used[k, i] = (start * LONGEST + i - line.users[v][0]) * 32 + min(line.ins[line.users[v][0]].index(v), 31)
            users = {n for v in line.outs[i].values() if line.is_output[v]}
            users.update([user for v in line.outs[i].values() for user in line.users[v][-3:]])
            for k, user in enumerate(sorted(users, reverse=True)[:3]):
                self.last[k, i] = user

    def stretches(self) -> Iterator[tuple[int, int, int]]:
        """(size, first, end): from ``first`` to ``end``, parts of this size may repeat."""
        for size in range(1, min(self.n // 2, LONGEST) + 1):
            longest = 0
            for low, end in self._of(size):
                longest = max(longest, end - low)
                yield size, low, end
            if size == 1 and longest > 0.98 * self.n:
                return  # one function over and over

    def _of(self, size: int) -> Iterator[tuple[int, int]]:
        exact = self.tokens[:-size] == self.tokens[size:]
        if not spans(exact, size):
            return
        loose = exact.copy()  # the first time gets from before what the second gets from the first
        for given, ago, code, made, used in zip(self.given, self.ago, self.code, self.made, self.used, strict=True):
            recent = made[size:] & (ago[size:] < 2 * size)
            same = (given[:-size] == given[size:]) | ((code[:-size] == code[size:]) & (recent | (~made[size:] & (ago[size:] < size))))
            same |= (used[size:] >= 0) & (used[:-size] == used[size:])
            exact &= same
            loose &= same | recent
        last = self.last[0, :-size]
        ends = last - np.arange(self.n - size) < 2 * size
        for later in self.last:
            ends |= last == later[size:]
        exact &= ends
        loose &= ends
        sure = spans(exact, size)
        begins = [a for a, _ in sure]
        for a, b in spans(loose, size):
            inside = sure[np.searchsorted(begins, a):np.searchsorted(begins, b)] if sure else []
            for first, end in inside:
                yield max(a, first - size), end + size
            if not inside and 2 * np.count_nonzero(exact[a:b]) >= b - a:
                yield a, b + size


def spans(mask: Any, least: int) -> list[tuple[int, int]]:
    """(first, end) of the runs of True in a mask that are ``least`` long or longer.

    Examples:
        >>> spans(np.array([True, True, False, True]), 2)
        [(0, 2)]
    """
    steps = np.flatnonzero(np.diff(mask.view(np.int8), prepend=np.int8(0), append=np.int8(0)))
    begins, ends = steps[::2], steps[1::2]
    long = ends - begins >= least
    return list(zip(begins[long].tolist(), ends[long].tolist(), strict=True))
