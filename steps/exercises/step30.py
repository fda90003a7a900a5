"""Exercises of step 30: gradients with a history."""

import importlib

import numpy as np

from steps.exercises.kit import Exercise, same, true


def derivatives(kind, at, orders):
    """Value and derivatives of a Function, each by backward through the one before."""
    true(isinstance(kind, type), f"{kind!r}: a class is expected, class {getattr(kind, '__name__', 'Square')}(Function)")
    x = importlib.import_module("step30").Variable(np.array(at))
    y = kind()(x)
    found = [y]
    for order in range(1, orders + 1):
        x.cleargrad()
        found[-1].backward()
        true(x.grad is not None, f"backward through derivative {order - 1} gives x no gradient: the way to x is cut somewhere")
        true(hasattr(x.grad, "backward"), f"derivative {order} is a {type(x.grad).__name__}: a Variable is expected, or it has no history")
        found.append(x.grad)
    return found


def check_square(Square):
    for order, (got, right) in enumerate(zip(derivatives(Square, [3.0, -2.0], 2), ([9.0, 4.0], [6.0, -4.0], [2.0, 2.0]), strict=True)):
        same(got, np.array(right), f"derivative {order} of x² at 3 and -2" if order else "the squares of 3 and -2")


def check_exp(Exp):
    for order, got in enumerate(derivatives(Exp, [0.0, 1.0, -0.5], 4)):
        same(got, np.exp([0.0, 1.0, -0.5]), f"derivative {order} of exp at 0, 1 and -0.5" if order else "exp at 0, 1 and -0.5")


def check_history_size(history_size):
    step = importlib.import_module("step30")
    for n in (1, 2, 3, 4, 7, 12):
        x = step.Variable(np.array([1.0]))
        y = x
        for _ in range(n):
            y = step.Mul()(y, x)
        y.backward()
        same(history_size(n), len(list(step.walk(x.grad))), f"history_size({n})")


EXERCISES = [
    Exercise("Square", "A Function for x² whose gradient can be differentiated.",
             ("A Variable times a number is a Variable. Which parts of 2 * x * gy must stay in their boxes?",
              "(x,) = self.inputs, and return a tuple with one Variable, as backward of Mul returns one with two."), check_square),
    Exercise("Exp", "Its backward is `return gy * self.output().data,`. So its second derivative is lost. Write the Function without the bug.",
             ("Where does the formula open a box?",
              "self.output() is the Variable that the function made. Multiply by it, not by its array."), check_exp),
    Exercise("history_size", "For y = x·x·…·x with n multiplications, in the third way: how many functions are behind y′?",
             ("Count three things: what backward multiplies, what it adds, and which forward multiplications its formulas need.",
              "2n multiplications, n additions since x is used n + 1 times, and all forward multiplications but the last: no formula needs it."),
             check_history_size),
]
