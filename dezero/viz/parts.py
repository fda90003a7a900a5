"""Parts: what of a graph comes several times one after another, found where a line of functions looks alike, and checked."""

from __future__ import annotations

from dataclasses import dataclass, field
from heapq import heapify, heappop, heappush
from typing import Any

import numpy as np

from dezero.viz.graph import VariableNode
from dezero.viz.line import Alike, Line, spans

MIN_SAVED = 2    # functions less to draw, for a part to be worth its box
TRIES = 8        # places at which a part may begin

Roles = list[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Part:
    """``size`` functions from ``start`` on that come ``times`` times."""

    start: int
    size: int
    times: int
    roles: tuple[Roles, ...] = field(repr=False)   # of the inputs, as all but the first time have them

    @property
    def saved(self) -> int:
        return (self.times - 1) * self.size

    @property
    def handed_on(self) -> set[tuple[int, int]]:
        """What goes from each time to the next: (function, place among its results)."""
        return {(role[1], role[2]) for roles in self.roles for role in roles if role[0] == "before"}


class Search:
    """Finds parts that look alike and checks that they are.

    Examples:
        >>> import dezero.functions as F
        >>> from dezero import Variable
        >>> from dezero.viz.graph import collect_graph
        >>> y = Variable(np.array(1.0))
        >>> for _ in range(4):
        ...     y = F.sin(F.cos(y))
        >>> Search(Line(collect_graph(y), (), None, {})).parts()
        [Part(start=0, size=2, times=4)]
    """

    def __init__(self, line: Line) -> None:
        self.line = line
        self.budget = 50_000 + 6 * len(line.graph.edges)  # inputs to look at, so that a strange graph takes no longer than others

    def parts(self) -> list[Part]:
        """Parts that do not overlap, those that save most first."""
        heap: list[tuple[int, int, int, int, Part | None]] = []
        for size, low, end in Alike(self.line).stretches():
            _propose(heap, size, low, end)
        heapify(heap)
        taken = np.zeros(len(self.line.units), bool)
        found = []
        while heap and self.budget > 0:
            _, size, low, end, part = heappop(heap)
            free = spans(~taken[low:end], 2 * size)
            if free != [(0, end - low)]:
                for a, b in free:
                    _propose(heap, size, low + a, low + b)
            elif part is not None:
                taken[low:end] = True
                found.append(part)
            else:
                part = self.checked(size, low, end)
                if part is not None:
                    stop = part.start + part.size * part.times
                    heappush(heap, (-part.saved, size, part.start, stop, part))
                    _propose(heap, size, stop, end)
        return found

    def checked(self, size: int, low: int, end: int) -> Part | None:
        """The first part between ``low`` and ``end`` that repeats, from where a reader would say that it begins."""
        tries, start = 0, low
        while start + 2 * size <= end and tries < TRIES and self.budget > 0:
            self.budget -= 1 + size // 16
            if self.cuts(size, start):
                start += 1
                continue
            tries += 1
            part, skip = self.at(size, start, end)
            if part is not None:
                return self.shifted(part, end)
            start += skip
        return None

    def cuts(self, size: int, start: int) -> bool:
        """Would a part from here on cut a box?"""
        joint = self.line.joint
        return not joint[start] <= joint[start + size] <= min(joint[start + 1:start + size + 1])

    def shifted(self, part: Part, end: int) -> Part:
        """The same part from a later function on, if it comes as often: where times that are not quite alike begin, or where a box does."""
        line, size, first = self.line, part.size, part.start
        while first > max(0, part.start - 4 * size) and line.units[first - 1].name == line.units[first - 1 + size].name:
            first -= 1
        opens = [i for i in range(part.start, part.start + size) if line.depth[i] > line.joint[part.start + size]]
        wish = part.start + (first - part.start) % size
        if wish == part.start and wish not in opens and opens:
            wish = opens[0]
        if wish == part.start or wish + 2 * size > end or self.cuts(size, wish):
            return part
        other, _ = self.at(size, wish, end)
        return other if other is not None and other.times == part.times else part

    def at(self, size: int, start: int, end: int) -> tuple[Part | None, int]:
        """The part that begins here, if it repeats, or how many functions further on one may begin."""
        first, second = self.roles(start, size, start), self.roles(start + size, size, start)
        alike = _alike(first, second)
        if alike < size:
            return None, alike + 1
        part = Part(start, size, self.ends_alike(start, size, self.times(start, size, end, second), second), second)
        return (part, 0) if part.saved >= MIN_SAVED else (None, size)

    def times(self, start: int, size: int, end: int, second: tuple[Roles, ...]) -> int:
        """How often the part comes, by what it takes."""
        joint = self.line.joint
        inside, times = joint[start + size], 2
        while start + (times + 1) * size <= end and joint[start + times * size] == inside \
                and self.roles(start + times * size, size, start) == second:
            times += 1
        return times if joint[start + times * size] <= inside else times - 1

    def roles(self, begin: int, size: int, start: int) -> tuple[Roles, ...]:
        """For each function from ``begin`` on: what it is, and what its inputs are to the part, which comes for the first time at ``start``."""
        line, met, found = self.line, dict[int, tuple[Any, ...]](), []
        for i in range(begin, begin + size):
            roles: Roles = [("function", line.tokens[i], line.joint[i] if i > begin else 0)]
            for k, v in enumerate(line.ins[i]):
                maker, node = line.maker[v], line.variables[v]
                if maker >= begin:
                    roles.append(("inner", maker - begin, node.index))
                elif begin > start and maker >= begin - size:
                    roles.append(("before", maker - begin + size, node.index))
                elif v in met:
                    roles.append(met[v])
                elif begin <= line.users[v][0] and line.users[v][-1] < begin + size and not line.is_output[v]:
                    met[v] = "own", i - begin, k, maker, _kind(node)
                    roles.append(met[v])
                else:
                    roles.append(("shared", v))
            found.append(roles)
            self.budget -= len(roles)
        return tuple(found)

    def ends_alike(self, start: int, size: int, times: int, second: tuple[Roles, ...]) -> int:
        """How often the part comes, by what uses its results: behind all times the same does, behind the last also what gets its state."""
        handed_on = Part(start, size, times, second).handed_on
        while times > 1:
            first, odd = self.ends(start, size, start + times * size), 0
            for k in range(1, times):
                ends = self.ends(start + k * size, size, start + times * size)
                if not _ends_fit(first, ends, handed_on, k == times - 1):
                    odd = k
                    break
            if not odd:
                break
            times = min(odd + 1, times - 1)
        return times

    def ends(self, begin: int, size: int, end: int) -> dict[tuple[int, int], Any]:
        """For each result of the functions from ``begin`` on, its kind and the functions behind ``end`` that use it, each with its argument."""
        line, found = self.line, {}
        for i in range(begin, begin + size):
            for index, v in line.outs[i].items():
                users = {(len(line.units), "")} if line.is_output[v] else set()
                for user in reversed(line.users[v]):
                    if user < end:
                        break
                    users.add((user, line.argument(user, v)))
                    self.budget -= 1
                found[i - begin, index] = _kind(line.variables[v]), users
            self.budget -= 1
        return found


def _propose(heap: list[Any], size: int, low: int, end: int) -> None:
    saved = ((end - low) // size - 1) * size
    if saved >= MIN_SAVED:
        heappush(heap, (-saved, size, low, end, None))


def _kind(v: VariableNode) -> tuple[Any, ...]:
    """What must be equal for two variables to be alike."""
    return v.kind, v.shape, v.dtype, v.derivative, v.name if v.kind == "constant" and v.shape == () else None


def _alike(first: tuple[Roles, ...], second: tuple[Roles, ...]) -> int:
    """How many functions of the first time are as in the second, which may get from the first what that gets from before."""
    entered: dict[Any, Any] = {}
    for j, (roles, others) in enumerate(zip(first, second, strict=True)):
        if len(roles) != len(others):
            return j
        for role, other in zip(roles, others, strict=True):
            if role != other and (other[0] != "before" or role[0] not in ("own", "shared") or entered.setdefault(other, role) != role):
                return j
    own = {role for roles, others in zip(first, second, strict=True) for role, other in zip(roles, others, strict=True)
           if role == other and role[0] == "own"}
    return 0 if own & set(entered.values()) else len(first)


def _ends_fit(first: dict[tuple[int, int], Any], other: dict[tuple[int, int], Any], handed_on: set[tuple[int, int]], is_last: bool) -> bool:
    """Are results used alike? The last state may be used by others too, or by nothing."""
    for place, (kind, users) in first.items():
        state = is_last and place in handed_on
        if place not in other:
            if not state or users:
                return False
        elif other[place][0] != kind or not (users <= other[place][1] if state else users == other[place][1]):
            return False
    return all(place in first for place in other)
