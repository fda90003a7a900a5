"""Exercises of step 28: downhill."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_largest_rate(largest_rate):
    got = largest_rate()
    true(isinstance(got, (int, float)), f"largest_rate() gave a {type(got).__name__}: a number is expected")
    if abs(got - 1 / 3) > 1e-3:
        x = 1.0
        for _ in range(100):
            x -= (got - 1e-3) * 6 * x
        end = "ends far away" if abs(x) > 1 else "comes down, and larger rates do as well"
        true(False, f"{got:g} came out: descent with a rate just below it {end}")


def check_descend_one(descend_one):
    for f, start, rate, count, expected, name in [(lambda x: x**2, 1.0, 0.1, 3, 0.8**3, "x**2"), (lambda x: x**2, -2.0, 0.25, 5, -2 * 0.5**5, "x**2"),
                                                  (F.exp, 0.0, 0.5, 1, -0.5, "exp(x)"), (lambda x: x**2, 3.0, 0.1, 0, 3.0, "x**2")]:
        mine = np.array(start)
        x = Variable(mine)
        descend_one(f, x, rate, count)
        same(x, expected, f"x after {count} steps down {name} from {start} with rate {rate}")
        same(mine, start, "the array that was in x at the start")
    x = Variable(np.array(1.0))
    (x**2).backward()  # a gradient from before
    descend_one(lambda x: x**2, x, 0.1, 2)
    same(x, 0.64, "x after 2 steps down x**2 from 1, if x has a gradient from before")


def check_safe_step(safe_step):
    def bowl(x, y):
        return x**2 + 10 * y**2

    for f, point, rate, name in [(bowl, (1.0, 1.0), 0.01, "x² + 10y²"), (bowl, (1.0, 1.0), 100.0, "x² + 10y²"), (bowl, (-3.0, 0.5), 1.0, "x² + 10y²"),
                                 (lambda x, y: F.exp(x) + F.exp(y), (2.0, 1.0), 1e-3, "exp(x) + exp(y)")]:
        what = f"safe_step of {name} from {point} with rate {rate}"
        got = safe_step(f, *point, rate)
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"{what} gave {got!r}: two floats are expected")
        true(all(isinstance(v, float) for v in got), f"{what} gave {[type(v).__name__ for v in got]}: floats are expected")
        x, y = (Variable(np.array(v)) for v in point)
        start = f(x, y)
        start.backward()
        gx, gy = float(x.grad.data), float(y.grad.data)

        def height(at, f=f):
            return float(f(*(Variable(np.array(v)) for v in at)).data)

        step = rate
        while height((point[0] - step * gx, point[1] - step * gy)) >= float(start.data):
            step /= 2
        true(height(got) < float(start.data), f"{what} goes from height {float(start.data):g} to {height(got):g}: the new point should be lower")
        same(np.array(got), np.array([point[0] - step * gx, point[1] - step * gy]), what)


EXERCISES = [
    Exercise("largest_rate", "f(x) = 3 * x**2, plain descent from x = 1. For which rates does it come down? Return the number they must stay below.",
             ("Write one step as a formula: x - rate * slope. By which factor is x multiplied?",
              "The slope is 6x, so the factor is 1 - 6 * rate. It must lie between -1 and 1."), check_largest_rate),
    Exercise("descend_one", "count steps of plain descent on a Variable x, in place; mend the two bugs.",
             ("What does backward do with a gradient that is there already? And what does -= do with an array to which somebody else has a name?",
              "Call x.cleargrad() before each backward, and write x.data = x.data - rate * x.grad.data."), check_descend_one),
    Exercise("safe_step", "One step of plain descent from two floats; halve the rate until the new point is lower. Returns the new floats.",
             ("One backward is enough, as the slopes at the start stay the same. What changes is how far you go.",
              "With gx, gy and the height at the start: while f at (x - rate * gx, y - rate * gy) is not lower, rate = rate / 2."), check_safe_step),
]
