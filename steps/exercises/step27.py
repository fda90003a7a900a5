"""Exercises of step 27: series, and Functions of your own."""

import numpy as np

import dezero.functions as F
from dezero import Function, Variable
from steps.exercises.kit import Exercise, same, true


def at(number):
    return Variable(np.array(number))


def is_variable(y, what):
    true(isinstance(y, Variable), f"{what} gave a {type(y).__name__}: a Variable is expected")
    return y


def check_sin_series(sin_series):
    y = is_variable(sin_series(at(1.0), 0.1), "sin_series(x, 0.1)")
    same(y, 1 - 1 / 6 + 1 / 120, "sin_series of 1 with threshold 0.1: the term 1/120 is the first that is smaller, and the last")
    for number in (0.5, -2.0, 4.0):
        x = at(number)
        y = is_variable(sin_series(x, 1e-12), "sin_series(x, 1e-12)")
        same(y, np.sin(number), f"sin_series of {number} with threshold 1e-12")
        y.backward()
        true(x.grad is not None, "x has no gradient: somewhere its box was opened, and the history is lost")
        same(x.grad, np.cos(number), f"the slope of sin_series at {number}")


def check_cubed(Cubed):
    true(isinstance(Cubed, type) and issubclass(Cubed, Function), "Cubed should be a class that is a child of dezero.Function")
    x = at(1.5)
    y = Cubed()(x)
    same(y, 3.375, "Cubed of 1.5")
    true(type(y.creator) is Cubed, "Cubed()(x) should make one node: forward works on arrays")
    y.backward()
    same(x.grad, 6.75, "the slope of Cubed at 1.5")
    x = at(1.5)
    (Cubed()(x) ** 2 * 2).backward()
    same(x.grad, 12 * 1.5**5, "the slope of 2 * Cubed(x) ** 2 at 1.5")
    x = Variable(np.array([-1.0, 0.0, 2.0]))
    Cubed()(F.sin(x)).backward()
    same(x.grad, 3 * np.sin(x.data) ** 2 * np.cos(x.data), "the slopes of Cubed(sin(x)) at -1, 0 and 2")


def check_careful_exp(careful_exp):
    theirs = type(F.exp(at(0.0)).creator)
    for number in (0.0, 1.0, 30.0, -0.5, -5.0, -15.0, -30.0):
        x = at(number)
        y = is_variable(careful_exp(x), "careful_exp(x)")
        seen, todo = set(), [y.creator]
        while todo:
            f = todo.pop()
            if f is not None and f not in seen:
                seen.add(f)
                todo.extend(v.creator for v in f.inputs)
        true(not any(type(f) is theirs for f in seen), "careful_exp uses F.exp: use the series")
        same(y.data / np.exp(number), 1.0, f"careful_exp of {number}, divided by what is right")
        y.backward()
        true(x.grad is not None, "x has no gradient: somewhere its box was opened, and the history is lost")
        same(x.grad.data / np.exp(number), 1.0, f"the slope of careful_exp at {number}, divided by what is right")


EXERCISES = [
    Exercise("sin_series", "x - x³/3! + x⁵/5! - ..., ending after the first term smaller than threshold. Gives a Variable.",
             ("How do you get from one term to the next: from x to -x³/6, from there to x⁵/120? By a factor that has -x² in it.",
              "Begin with y = term = x and k = 1. While abs(term.data) >= threshold: k += 2, term = -term * x * x / (k * (k - 1)), y = y + term."),
             check_sin_series),
    Exercise("Cubed", "A Function of your own for x ** 3. It is also right inside of larger formulas.",
             ("backward gets gy and needs x. The inputs are Variables in self.inputs.",
              "forward(self, x): return x**3. backward(self, gy): x = self.inputs[0]; return gy * 3 * x**2."), check_cubed),
    Exercise("careful_exp", "The series with threshold 1e-15 gives nonsense for x = -30. Yours is right from -30 to 30, and so is its slope.",
             ("For x = -30 terms as large as 8e11 cancel, and their last digits are what remains. For x = 30 nothing cancels. How are exp(-30) and "
              "exp(30) related?", "If x.data is below 0: 1 / exp_series(-x, 1e-15)[0]; else exp_series(x, 1e-15)[0]."), check_careful_exp),
]
