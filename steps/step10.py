"""How do we know that it is right?

A wrong slope does not crash. The program learns badly, or not at all, and nobody sees why. So each function needs a test before it is
trusted. This script writes three kinds: known values, slopes tried out, and laws that hold for every input. Then it plants bugs.
"""

import unittest

import numpy as np

from support import run

# %% The framework so far


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(f"Variable: {type(data).__name__} is not supported: a NumPy array (or None) is expected, such as np.array(3.0)")
        self.data = data
        self.grad = None
        self.creator = None

    def set_creator(self, func):
        self.creator = func

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        funcs = [self.creator] if self.creator else []
        while funcs:
            f = funcs.pop()
            x, y = f.input, f.output
            x.grad = f.backward(y.grad)
            if x.creator is not None:
                funcs.append(x.creator)


class Function:
    """A function from a Variable to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(as_array(y))
        output.set_creator(self)
        self.input = input
        self.output = output
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return gy * np.exp(self.input.data)


class AddOne(Function):
    def forward(self, x):
        return x + 1

    def backward(self, gy):
        return gy


class Log(Function):
    def forward(self, x):
        return np.log(x)

    def backward(self, gy):
        return gy / self.input.data


def exp(x):
    return Exp()(x)


def add_one(x):
    return AddOne()(x)


def log(x):
    return Log()(x)


def softplus(x):
    return log(add_one(exp(x)))


# %% Slopes tried out
# ``numerical_grad`` of step 04 moves one number at a time, up and down. Now the result may be an array as well: we add up its elements, each
# times a weight. The weights are all different, on purpose. They are what arrives as gradient at the result: with ones alone, a
# ``backward`` that forgets to multiply by ``gy`` would look right.


def numerical_grad(f, x, weights, eps=1e-4):
    grad = np.zeros_like(x.data)
    for i in np.ndindex(x.data.shape):
        up, down = x.data.copy(), x.data.copy()
        up[i] += eps
        down[i] -= eps
        grad[i] = ((f(Variable(up)).data - f(Variable(down)).data) * weights).sum() / (2 * eps)
    return grad


# %% The gradient check
# Compare what ``backward`` says with what trying out says, number by number. A report should help to find the fault, so it names
# the place, both values, and the relative error: how far they are apart, measured by the bigger one. 1e-9 is rounding, 2 is a wrong sign.


def gradient_check(f, x, tolerance=1e-6):
    x = Variable(x.data)
    y = f(x)
    y.grad = np.random.default_rng(0).uniform(1.0, 2.0, y.data.shape)
    y.backward()
    tried = numerical_grad(f, x, y.grad)
    report = []
    for i in np.ndindex(x.data.shape):
        ours, other = float(x.grad[i]), float(tried[i])
        apart = abs(ours - other)
        if apart > tolerance * max(1.0, abs(other)):
            relative = apart / max(abs(ours), abs(other))
            report.append(f"at {list(i)}: backward says {ours:8.5f}, trying out says {other:8.5f}, relative error {relative:.3f}")
    return report


# %% Tests that run by themselves
# Python brings ``unittest``: a method whose name begins with ``test`` is a test, and its assertions say what must hold. Such tests cost nothing
# to repeat. In this folder, ``python -m unittest step10`` runs them. Later changes that break something old are seen the same day.


class TestFunctions(unittest.TestCase):
    x = Variable(np.array([[0.5, 1.0, 2.0], [0.1, 3.0, 1.5]]))

    def test_value(self):
        self.assertAlmostEqual(float(softplus(Variable(np.array(0.0))).data), np.log(2.0))

    def test_exp(self):
        self.assertEqual(gradient_check(exp, self.x), [])

    def test_add_one(self):
        self.assertEqual(gradient_check(add_one, self.x), [])

    def test_log(self):
        self.assertEqual(gradient_check(log, self.x), [])


def run_tests():
    passed = []
    for test in unittest.defaultTestLoader.loadTestsFromTestCase(TestFunctions):
        result = unittest.TestResult()
        test.run(result)
        name = test.id().split(".")[-1]
        print(f"{name:13} {'ok' if result.wasSuccessful() else 'FAILED'}")
        passed.append(name if result.wasSuccessful() else f"{name} failed")
    return passed


# %% Two planted bugs
# Is the check any good? A check that never complains proves nothing. So we break something and watch. The slope of the cosine is minus the
# sine: one class forgets the minus, the other one forgets ``gy``.


class Cos(Function):
    def forward(self, x):
        return np.cos(x)

    def backward(self, gy):
        return -gy * np.sin(self.input.data)


class WrongSign(Cos):
    def backward(self, gy):
        return gy * np.sin(self.input.data)


class NoIncoming(Cos):
    def backward(self, gy):
        return -np.sin(self.input.data)


# %% Where to look
# At 0 the sine is 0, and minus 0 is 0: a test at this point alone would let both bugs pass, and [1, 0] below is not in any report for the same
# reason. So a check uses several numbers, without special ones such as 0 and 1 where much comes out right by chance.


def plant_bugs():
    x = Variable(np.array([[0.5, 1.0], [0.0, 2.0]]))
    reports = {}
    for bug in (Cos, WrongSign, NoIncoming):
        reports[bug.__name__] = gradient_check(lambda x, bug=bug: bug()(x), x)
        print(f"\n{bug.__name__}: {len(reports[bug.__name__])} of {x.data.size} slopes are wrong")
        print("\n".join(f"  {line}" for line in reports[bug.__name__]), end="\n" if reports[bug.__name__] else "")
    at_zero = gradient_check(lambda x: WrongSign()(x), Variable(np.array([0.0])))
    print(f"WrongSign, checked at 0 alone: {len(at_zero)} are wrong")
    return reports, at_zero


# %% Laws
# A test needs the right answer. Where do we get it for numbers that nobody has computed? From laws. For every x, softplus(x) - softplus(-x) is
# x. (Write both out: log a - log b is log of a / b.) We need no table: the computer may invent inputs by the thousand, and the law judges
# them. This is called a property test. It tries what we would never think of.


def property_test(limit, rounds=1000):
    rng = np.random.default_rng(0)
    for count in range(1, rounds + 1):
        x = rng.uniform(-limit, limit, ())
        with np.errstate(over="ignore"):
            difference = softplus(Variable(as_array(x))).data - softplus(Variable(as_array(-x))).data
        if not abs(difference - x) < 1e-9:
            return count, float(x), float(difference)
    return rounds, None, None


# %% A bug that nobody planted
# Between -30 and 30 the law holds. Between -1000 and 1000 it does not: exp of 710 and more is too big for a float and becomes infinity.
# This bug is ours, it stood there since step 03 (whose last exercise mends it), and all tests above are blind to it.


def test_laws():
    found = []
    print()
    for limit in (30, 1000):
        count, x, difference = property_test(limit)
        found.append(x)
        verdict = "the law holds" if x is None else f"at x = {x:.1f} the difference is {difference}"
        print(f"{count:4} random inputs up to {limit:4}: {verdict}")
    return found


def main(out=None, fast=False):
    passed = run_tests()
    reports, at_zero = plant_bugs()
    found = test_laws()
    return {"passed": passed, "reports": reports, "at_zero": at_zero, "found": found}


# %% Exercises: python -m steps.check 10 my_answer.py
# 1. ``blind_spot()``: somebody writes ``backward`` of 1 / x as ``return -gy / self.input.data``. Give an array of inputs, none of them 0, at which
#    no gradient check can see that it is wrong.
# 2. ``is_even(f)``: a property test of your own. True if f(-x) equals f(x) for all of many random numbers from -5 to 5, otherwise False.
#    f goes from a Variable to a Variable.
# 3. ``Softsign``: x / (1 + |x|) as a Function that passes the gradient check for positive and negative numbers.

if __name__ == "__main__":
    run(main)
