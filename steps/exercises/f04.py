"""Exercises of f04: which tables a unit has, XOR out of NAND, three inputs."""

from itertools import product

import numpy as np

from steps.exercises.kit import Exercise, NotYet, framework, same, true

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])


def check_unit_for(unit_for):
    for table in product((0, 1), repeat=4):
        got = unit_for(list(table))
        if table in ((0, 1, 1, 0), (1, 0, 0, 1)):
            true(got is None, f"unit_for({list(table)}): {got} came out; no unit has this table, so None is expected")
            continue
        true(got is not None and np.shape(got) == (3,), f"unit_for({list(table)}): {got} came out; three numbers u, v, b are expected")
        u, v, b = (float(number) for number in got)
        answers = framework("f04").unit(CORNERS, [u, v], b).tolist()
        true(answers == list(table), f"unit_for({list(table)}): a unit with {u:g}, {v:g}, {b:g} answers {answers}")


class Wire:
    """A 0 or 1 that only nand can look at."""

    def __init__(self, value):
        self._hidden = value

    def _refuse(self, *args):
        raise NotYet("xor looked at a, b or an answer of nand; hand them to nand only")

    __bool__ = __eq__ = __ne__ = __lt__ = __gt__ = __le__ = __ge__ = __int__ = __index__ = _refuse
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = __xor__ = __rxor__ = __and__ = __rand__ = __or__ = __ror__ = _refuse
    __hash__ = None


def check_xor(xor):
    for a, b in product((0, 1), repeat=2):
        calls = []

        def nand(p, q, calls=calls):
            true(isinstance(p, Wire) and isinstance(q, Wire), "nand was called with something that is neither a nor b nor an answer of nand")
            calls.append((p, q))
            return Wire(1 - p._hidden * q._hidden)

        got = xor(Wire(a), Wire(b), nand)
        true(isinstance(got, Wire), f"xor({a}, {b}, nand): {got!r} came out; an answer of nand is expected")
        true(len(calls) <= 5, f"xor({a}, {b}, nand) called nand {len(calls)} times; at most 5 are allowed")
        same(got._hidden, a ^ b, f"xor({a}, {b}, nand)")


def check_parity(parity):
    got = parity()
    true(isinstance(got, (tuple, list)) and len(got) == 4, f"parity(): {got!r} came out; W, b, w and c are expected")
    W, b, w = (np.asarray(part, float) for part in got[:3])
    c = float(np.asarray(got[3], float).reshape(-1)[0])
    same([W.shape, b.shape, w.shape], [(3, 3), (3,), (3,)], "the shapes of W, b and w")
    unit = framework("f04").unit
    for corner in product((0, 1), repeat=3):
        hidden = np.stack([unit(np.array(corner), W[:, j], b[j]) for j in range(3)])
        same(int(unit(hidden, w, c)), sum(corner) % 2, f"the answer for {corner}, where the hidden units answer {hidden.tolist()},")


EXERCISES = [
    Exercise("unit_for", "For the answers at (0, 0), (0, 1), (1, 0), (1, 1), as a list of 0 and 1: (u, v, b) of a unit that gives them, or None if "
             "there is no such unit. The answer is 1 where u * x1 + v * x2 + b > 0.",
             ("Small numbers are enough. How many units are there with u and v from -2 to 2 and a few biases?",
              "Go through u and v in (-2, -1, 1, 2, 0) and b in (-1.5, -0.5, 0.5, 1.5) in three loops, and return the first that has the table."),
             check_unit_for),
    Exercise("xor", "xor(a, b, nand): XOR made of nothing but calls of nand(., .), at most five of them. Neither a nor b is a number that you could "
             "look at.",
             ("nand(a, b) is 0 only if both are 1. Hand it together with a to nand once more: what does that tell?",
              "both = nand(a, b); then nand(a, both) is 0 only for a = 1, b = 0. Do the same with b; the nand of these two is the answer."),
             check_xor),
    Exercise("parity", "W (3, 3), b (3,), w (3,) and c, set by hand: a layer of three units and one unit behind it, which answer 1 for three inputs "
             "of which one or all three are 1, and else 0. Unit j of the layer is unit(x, W[:, j], b[j]).",
             ("Only the number of ones counts: 0, 1, 2 or 3. A unit with weights 1, 1, 1 can ask whether there are more than so many.",
              "The three units ask: at least 1, at least 2, at least 3 (biases -0.5, -1.5, -2.5). The last adds the first, takes off the second, "
              "adds the third."), check_parity),
]
