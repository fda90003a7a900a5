"""Exercises of step 14: gradients add up."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def check_power(power):
    x = box(3.0)
    same(power(x, 1), np.array(3.0), "power(x, 1) at x = 3")
    for n in (2, 3, 6):
        x = box([2.0, -1.0])
        y = power(x, n)
        same(y, np.array([2.0, -1.0]) ** n, f"power(x, {n}) at x = [2, -1]")
        true(hasattr(y, "backward"), f"power(x, {n}) gave a {type(y).__name__}: a Variable made by Functions is expected")
        y.backward()
        same(x.grad, n * np.array([2.0, -1.0]) ** (n - 1),
             f"x.grad for power(x, {n}) at x = [2, -1]; multiply by one x at a time, step 15 tells why")


def check_predict(predict):
    got = predict()
    true(isinstance(got, (int, float, np.number)), f"{got!r} came out: a number is expected")
    true(got != 6, "6 would be right if only x kept its gradient. Which other box still holds one from the first time?")
    same(got, 8.0, "x.grad after y.backward() twice")


class Doing:
    """A function as the framework sees it: x³, with its way back."""

    def __init__(self, x, y):
        self.inputs, self.outputs, self.generation = (x,), [y], 0

    def backward(self, gy):
        (x,) = self.inputs
        return gy * 3 * x.data**2


def check_slopes(slopes):
    used = []

    def f(x):
        y = type(x)(np.asarray(x.data**3))
        y.set_creator(Doing(x, y))
        used.append(x)
        return y

    got = slopes(f, [np.array(1.0), np.array(2.0), np.array(-3.0)])
    true(isinstance(got, (list, tuple, np.ndarray)) and len(got) == 3, f"{got!r} came out: a list of three slopes is expected")
    same([float(slope) for slope in got], np.array([3.0, 12.0, 27.0]), "the slopes of x³ at 1, 2 and -3")
    same(len(slopes(f, [np.array(4.0)])), 1, "the number of slopes for one point")


EXERCISES = [
    Exercise("power", "x multiplied with itself, for n = 1, 2, 3, ..., with the Mul of step 13's exercise. The slope n · xⁿ⁻¹ should come out.",
             ("A loop keeps the product so far. How many multiplications does xⁿ take?",
              "y = x, then n - 1 times y = Mul()(y, x). Mul is the class of step 13: copy it into your file, its Function comes from step14."),
             check_power),
    Exercise("predict", "x holds 2. What is x.grad after y = add(add(x, x), x), y.backward(), and once more y.backward()?",
             ("There are three boxes: x, the inner sum, and y. Write down the gradient of each after the first call; nobody clears them.",
              "The second time the inner sum already holds 1, gets another 1, and passes on 2 to x, twice."), check_predict),
    Exercise("slopes", "Mend: x = Variable(points[0]), then for each p: x.data = p; f(x).backward(), keep x.grad. The list of the slopes is wanted.",
             ("What is in x.grad when the second point begins?", "x.cleargrad() in the loop, before f(x).backward()."), check_slopes),
]
