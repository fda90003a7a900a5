"""Exercises of step 34: one derivative after the other."""

import math

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def check_tenth(tenth):
    for at in (0.0, 1.0, -2.5, 4.0):
        x = Variable(np.array(at))
        y = x * F.sin(x)
        for _ in range(10):
            x.cleargrad()
            y.backward(create_graph=True)
            y = x.grad
        got = tenth(at)
        true(isinstance(got, (float, np.ndarray)), f"tenth({at}) gave a {type(got).__name__}: a number is expected")
        same(float(got), float(y.data), f"tenth({at})")


def check_comes_back(comes_back):
    x = np.linspace(-2, 2, 9)
    for f, name, right in [(F.sin, "sin(x)", 4), (F.exp, "exp(x)", 1), (lambda x: F.exp(-x), "exp(-x)", 2),
                           (lambda x: F.exp(x) + F.exp(-x), "exp(x) + exp(-x)", 2),
                           (lambda x: x * F.sin(x), "x·sin(x)", None), (lambda x: F.exp(x) + F.sin(x), "exp(x) + sin(x)", 4),
                           (lambda x: F.sin(2 * x), "sin(2x)", None)]:
        got = comes_back(f, x)
        true(got == right and not isinstance(got, bool), f"for {name} {got!r} came out, {right!r} is expected")


def check_taylor(taylor):
    for f, name, at, right in [(F.exp, "exp", 0.0, [1 / math.factorial(k) for k in range(7)]), (F.sin, "sin", 0.0, [0, 1, 0, -1 / 6, 0, 1 / 120]),
                               (lambda x: 1 / (1 - x), "1 / (1 - x)", 0.0, [1.0] * 6), (F.log, "log", 1.0, [0, 1, -1 / 2, 1 / 3, -1 / 4, 1 / 5]),
                               (lambda x: F.exp(2 * x), "exp(2x)", 0.5, [math.e * 2**k / math.factorial(k) for k in range(5)])]:
        for n in (0, len(right) - 1):
            got = taylor(f, at, n)
            fits = isinstance(got, (list, tuple, np.ndarray)) and len(got) == n + 1
            true(fits, f"taylor of {name} with n = {n} gave {got!r}: {n + 1} numbers are expected")
            same(np.array([float(number) for number in got]), np.array(right[:n + 1], float), f"the coefficients of {name} around {at}, n = {n}")


EXERCISES = [
    Exercise("tenth", "With the pencil: the 10th derivative of x·sin(x) at a number, as a formula without sums of π.",
             ("by_pencil of the script with n = 10. Shifting four times is not shifting at all.",
              "Ten shifts are as good as two, and two make -sin(x). Nine shifts are as good as one, and one makes cos(x)."), check_tenth),
    Exercise("comes_back", "The smallest n from 1 to 8 for which derivative n equals f at all numbers of an array x; None if there is none.",
             ("derivatives() of the script gives a list of arrays. Equal means equal up to rounding.",
              "The first n with np.allclose(found[n], found[0])."), check_comes_back),
    Exercise("taylor", "The list of the n + 1 coefficients of f's Taylor series around a number: derivative k, divided by k!.",
             ("derivatives() gives all that is needed, f itself among them. 0! is 1.",
              "float(derivative) / math.factorial(k) for k, derivative in enumerate(...)."), check_taylor),
]
