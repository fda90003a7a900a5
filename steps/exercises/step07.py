"""Exercises of step 07: links from the results back to the inputs."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


class Exp:
    """A link of a chain, as the framework of the script makes it."""

    def __init__(self, input):
        self.input = input
        self.output = box(0.0, self)


class Log(Exp):
    pass


def box(number, creator=None):
    made = SimpleNamespace(data=np.array(number), grad=None, creator=creator)
    made.backward = lambda: None if made.creator is None else made.creator.input.backward()
    made.set_creator = lambda func: setattr(made, "creator", func)
    return made


def check_history(history):
    x = box(0.5)
    y = Log(Exp(Exp(x).output).output).output
    same(history(y), ["Log", "Exp", "Exp"], "history of y, where y = log(exp(exp(x)))")
    same(history(x), [], "history of a box that no function made")


def check_sigmoid(Sigmoid):
    f, x = Sigmoid(), box([-2.0, 0.0, 1.0])
    true(callable(f) and hasattr(f, "backward"), f"Sigmoid() gave {f!r}: a Function with forward and backward is expected")
    y = f(x)
    right = 1 / (1 + np.exp([2.0, 0.0, -1.0]))
    same(y, right, "sigmoid of [-2, 0, 1]")
    same(f.backward(np.ones(3)), right * (1 - right), "its slopes at [-2, 0, 1]")
    same(f.backward(np.array([1.0, 2.0, -3.0])), right * (1 - right) * [1.0, 2.0, -3.0], "backward of [1, 2, -3] at [-2, 0, 1]")


def check_cut(cut):
    x = box(0.5)
    a = Exp(x).output
    y = Log(a).output
    reached = []
    x.backward = lambda: reached.append("x")
    before = a.data
    cut(a)
    y.backward()
    true(a.creator is None and not reached, "y.backward() still comes to x, which lies before a")
    true(y.creator is not None and y.creator.input is a, "the link from y to a should stay")
    true(a.data is before, "the number in a should stay")


EXERCISES = [
    Exercise("history", "The names of the functions that made y, from the last to the first, as a list of texts.",
             ("From a box go to its creator, from the creator to its input, and on, until a box has no creator.",
              "while y.creator is not None: note type(y.creator).__name__, then y = y.creator.input."), check_history),
    Exercise("Sigmoid", "1 / (1 + exp(-x)) as one Function. Its slope is y * (1 - y), so backward needs no exp: use self.output.",
             ("self.output is a Variable: the result of forward, kept by __call__.",
              "y = self.output.data; return gy * y * (1 - y)."), check_sigmoid),
    Exercise("cut", "After it, backward goes back as far as the box a and no further, and what lies before it keeps grad None.",
             ("How does backward know that a box is the first one, made by no function?", "One line: let a forget its creator."), check_cut),
]
