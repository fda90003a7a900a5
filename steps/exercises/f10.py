"""Exercises of f10: a node of one's own, a gate that is mended, an estimate by slopes."""

import numpy as np

from steps.exercises.kit import Exercise, same, short, true


def slopes_of(got, count, what):
    """What backward gave, as a list of ``count`` slopes; one slope may come without a tuple."""
    if count == 1 and not isinstance(got, (tuple, list)):
        got = (got,)
    true(isinstance(got, (tuple, list)) and len(got) == count,
         f"{what} gave {short(got)}: {'a slope' if count == 1 else f'{count} slopes'} is expected, one for each input")
    return got


def made(kind, name):
    node = kind()
    true(callable(getattr(node, "forward", None)) and callable(getattr(node, "backward", None)),
         f"{name}() is {short(node)}: a class with the methods forward and backward is expected")
    return node


def check_maximum(maximum):
    a, b, g = np.array([1.0, -2.0, 3.0, 0.5]), np.array([0.5, -1.0, 3.5, -4.0]), np.array([10.0, 20.0, -30.0, -40.0])
    node = made(maximum, "Maximum")
    same(node.forward(a.copy(), b.copy()), np.array([1.0, -1.0, 3.5, 0.5]), f"the larger of {short(a)} and {short(b)}")
    ga, gb = slopes_of(node.backward(g.copy()), 2, "backward")
    same(ga, np.array([10.0, 0, 0, -40]), f"the slopes by a, with g = {short(g)}")
    same(gb, np.array([0.0, 20, -30, 0]), f"the slopes by b, with g = {short(g)}")
    node.forward(b.copy(), a.copy())
    ga, gb = slopes_of(node.backward(g.copy()), 2, "backward")
    same(ga, np.array([0.0, 20, -30, 0]), "the slopes by a, the same node with a and b exchanged")
    same(gb, np.array([10.0, 0, 0, -40]), "the slopes by b, the same node with a and b exchanged")


def check_gate(gate):
    x, g = np.array([[1.0, -2.0], [-3.0, 4.0]]), np.array([[5.0, 6.0], [-7.0, -8.0]])
    node = made(gate, "Gate")
    same(node.forward(x.copy()), np.array([[1.0, 0], [0, 4]]), f"forward of {short(x)}")
    given = g.copy()
    (gx,) = slopes_of(node.backward(given), 1, "backward")
    same(gx, np.array([[5.0, 0], [0, -8]]), f"backward of g = {short(g)} after x = {short(x)}")
    same(given, g, "the array g after backward: it belongs to somebody else and must not be changed")


def check_estimate(estimate):
    slopes = {"adult price": 2.4, "adults": 3.6, "child price": 1.6, "children": 1.76, "share": 17.9}
    for changes in ({"adult price": 0.1}, {"share": -0.05}, {"children": 1}, {"adult price": 0.1, "share": -0.05},
                    {"adults": 1, "child price": -0.2, "children": -1, "share": 0.1}, {}):
        same(estimate(dict(changes)), sum(slopes[name] * change for name, change in changes.items()), f"estimate({changes})")


EXERCISES = [
    Exercise("Maximum", "A node for the larger of a and b, number by number: forward(a, b), and backward(g), which gives the slopes by a and by b.",
             ("If a is the larger one, how fast does the result move with a, and how fast with b?",
              "forward keeps self.first = a > b; backward gives np.where(self.first, g, 0.0) and np.where(self.first, 0.0, g)."), check_maximum),
    Exercise("Gate", "Somebody's ReLU has ``def backward(self, g): return (np.where(g > 0, g, 0.0),)``. Write the whole node without the mistake.",
             ("A slope may be negative, and a good one at that. What decides if the gate is open?",
              "forward keeps self.open = x > 0, backward gives (np.where(self.open, g, 0.0),)."), check_gate),
    Exercise("estimate", "By how much does the total of TICKETS move, by its slopes, if the numbers change a little? changes is a dict, such as "
             '{"adult price": 0.1, "share": -0.05}; numbers that it does not name stay.',
             ("A slope times a change is the share of one number. What is done with several shares?",
              "The slopes are in the output: 2.4, 3.6, 1.6, 1.76 and 17.9. Add up slope times change, over the names in changes."), check_estimate),
]
