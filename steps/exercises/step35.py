"""Exercises of step 35: graphs of higher derivatives."""

import numpy as np
from numpy.polynomial import polynomial

import dezero.functions as F
from dezero import Variable
from dezero.viz import collect_graph
from steps.exercises.kit import Exercise, same, true


def check_tanh_polynomial(tanh_polynomial):
    right = [np.array([0.0, 1.0])]
    for _ in range(7):
        right.append(polynomial.polymul(polynomial.polyder(right[-1]), [1.0, 0.0, -1.0]))
    for n, coefficients in enumerate(right):
        got = tanh_polynomial(n)
        true(isinstance(got, (list, tuple, np.ndarray)), f"tanh_polynomial({n}) gave {got!r}: a list of numbers is expected")
        got = polynomial.polytrim(np.array([float(number) for number in got]) if len(got) else [0.0])  # zeros at the end are no mistake
        same(got, polynomial.polytrim(coefficients), f"tanh_polynomial({n}), from y⁰ on")


def check_third(third):
    for at in (0.5, -1.2, 0.0):
        x = Variable(np.array(at))
        y = np.tanh(at)
        got = third(x)
        true(isinstance(got, Variable), f"third(x) gave a {type(got).__name__}: a Variable is expected")
        same(got, -2 + 8 * y**2 - 6 * y**4, f"the third derivative of tanh at {at}")
        functions = len(collect_graph(got).functions)
        true(functions <= 7, f"{functions} functions are behind it: at most 7 are expected")
        true(got.creator is not None, "there is no history behind it: was a box opened?")
        got.backward()
        true(x.grad is not None, "backward gives x no gradient: the way to x is cut somewhere")
        same(x.grad, (16 * y - 24 * y**3) * (1 - y**2), f"its own slope at {at}")


def check_first_above(first_above):
    def counts(f):
        x = Variable(np.array(0.5))
        ys = [f(x)]
        for _ in range(8):
            x.cleargrad()
            ys[-1].backward(create_graph=True)
            ys.append(x.grad)
        return [len(collect_graph(y).functions) for y in ys]

    for f, name, limits in [(F.tanh, "tanh", (0, 4, 5, 100, 1000, 10**6)), (F.exp, "exp", (0, 1, 2, 10)), (F.sin, "sin", (2, 3))]:
        sizes = counts(f)
        for limit in limits:
            right = next((order for order, size in enumerate(sizes) if size > limit), None)
            same(first_above(f, limit), right, f"for {name} and more than {limit} functions")


EXERCISES = [
    Exercise("tanh_polynomial", "Derivative n of tanh as a polynomial in y = tanh(x): the list of its coefficients from y⁰ on. n = 1: [1, 0, -1].",
             ("The slope of c·yᵏ along x is k·c·yᵏ⁻¹ times y′, and y′ = 1 - y². What does the term c·yᵏ give to which coefficients of the next list?",
              "Begin with [0, 1]. For each c at place k, add k·c at place k - 1 and subtract k·c at place k + 1 of the next list."),
             check_tanh_polynomial),
    Exercise("third", "The third derivative of tanh at a Variable x, as a Variable with at most 7 functions behind it, itself differentiable.",
             ("The script has it as a polynomial in y. Which power of y is used twice?",
              "y = F.tanh(x), s = y * y, then (8 - 6 * s) * s - 2."), check_third),
    Exercise("first_above", "The smallest order from 0 to 8 whose graph has more than limit functions, None if there is none. At 0.5.",
             ("derivatives() of the script makes all that is needed.",
              "For order, y in enumerate(derivatives(f, 0.5, 8)): return order if len(collect_graph(y).functions) > limit."), check_first_above),
]
