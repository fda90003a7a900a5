"""What else is a gradient of a gradient good for?

Newton's method used a second derivative as a number. But a gradient that is a Variable can stand in any formula, like other Variables. Then
backward through this formula runs through the gradient's own graph: double backprop. Here are three uses, and our own framework as a whole, since
with them it has reached its goal.
"""

import heapq
import weakref
from contextlib import contextmanager
from itertools import pairwise

import numpy as np

from support import picture, run

import dezero
import dezero.functions as F

# %% Our own framework
# This is step 32 with a few functions more. It fits on three pages, and it can do what the package can do on numbers: derivatives of any order
# of any formula. Subtraction, division and the minus sign need no classes, as + * and ** can do their work. All that follows runs on both, and
# a test computes first and second derivatives of 1 000 random formulas with both: they agree to more than ten digits.


class Config:
    enable_backprop = True


@contextmanager
def using_config(name, value):
    old = getattr(Config, name)
    setattr(Config, name, value)
    try:
        yield
    finally:
        setattr(Config, name, old)


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    __array_priority__ = 200  # array * Variable is our business, not NumPy's

    def __init__(self, data):
        self.data = data
        self.grad = None
        self.creator = None
        self.generation = 0

    def set_creator(self, func):
        self.creator = func
        self.generation = func.generation + 1

    def cleargrad(self):
        self.grad = None

    def backward(self, create_graph=False):
        if self.creator is None:
            raise RuntimeError("no function has made this Variable, or none that was recorded: if it is a gradient, "
                               "the backward that gave it needs create_graph=True")
        if self.grad is None:
            self.grad = Variable(np.ones_like(self.data))
        waiting, seen = [], set()

        def wait(func):
            if func is not None and func not in seen:
                seen.add(func)
                heapq.heappush(waiting, (-func.generation, len(seen), func))

        wait(self.creator)
        with using_config("enable_backprop", create_graph):
            while waiting:
                _, _, f = heapq.heappop(waiting)
                gxs = f.backward(f.output().grad)
                for x, gx in zip(f.inputs, gxs, strict=True):
                    x.grad = gx if x.grad is None else x.grad + gx
                    wait(x.creator)
                f.output().grad = None

    def __add__(self, other):
        return Add()(self, as_variable(other))

    def __mul__(self, other):
        return Mul()(self, as_variable(other))

    def __pow__(self, exponent):
        return Pow(exponent)(self)

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + other * -1

    def __rsub__(self, other):
        return self * -1 + other

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return self**-1 * other


class Function:
    """A function from Variables to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        output = Variable(np.asarray(self.forward(*xs)))
        if Config.enable_backprop:
            self.generation = max(x.generation for x in inputs)
            output.set_creator(self)
            self.inputs = inputs
            self.output = weakref.ref(output)
        return output


def as_variable(x):
    return x if isinstance(x, Variable) else Variable(np.asarray(x))


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return gy * b, gy * a


class Pow(Function):
    def __init__(self, exponent):
        self.exponent = exponent

    def forward(self, x):
        return x**self.exponent

    def backward(self, gy):
        (x,) = self.inputs
        return (gy * x ** (self.exponent - 1) * self.exponent,)


class Sin(Function):
    def forward(self, x):
        return np.sin(x)

    def backward(self, gy):
        (x,) = self.inputs
        return (gy * cos(x),)


class Cos(Function):
    def forward(self, x):
        return np.cos(x)

    def backward(self, gy):
        (x,) = self.inputs
        return (gy * -sin(x),)


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return (gy * self.output(),)


class Tanh(Function):
    def forward(self, x):
        return np.tanh(x)

    def backward(self, gy):
        return (gy * (1 - self.output() ** 2),)


def sin(x):
    return Sin()(x)


def cos(x):
    return Cos()(x)


def exp(x):
    return Exp()(x)


def tanh(x):
    return Tanh()(x)


# %% 1. A gradient in a formula
# y = x³, and z = (y′)² + y. On paper y′ = 3x², so z = 9x⁴ + x³ and z′ = 36x³ + 3x². Nobody needs the paper: ``gx`` goes into the formula as
# it is. Without ``create_graph`` gx would be a constant, and z′ = 3x², which is 12 at 2. Our framework gives this wrong number without a word. The
# package refuses, as the first backward has given back what y had kept.


def formula_with_gradient(box, create_graph=True):
    x = box(np.array(2.0))
    y = x**3
    y.backward(create_graph=create_graph)
    gx = x.grad
    x.cleargrad()
    z = gx**2 + y
    z.backward()
    return [float(z.data), float(x.grad.data)]


def first_use():
    ours, package = formula_with_gradient(Variable), formula_with_gradient(dezero.Variable)
    wrong = formula_with_gradient(Variable, create_graph=False)
    try:
        formula_with_gradient(dezero.Variable, create_graph=False)
    except RuntimeError as error:
        refused = type(error).__name__
    print("z = (y')² + y at 2       z     z'")
    print(f"our framework      {ours[0]:7g} {ours[1]:6g}    without create_graph: {wrong[1]:g}")
    print(f"the package        {package[0]:7g} {package[1]:6g}    without create_graph: {refused}")
    return {"ours": ours, "package": package, "wrong": wrong, "refused": refused}


# %% 2. Second derivatives in one direction
# A function of n numbers has n·n second derivatives: how the slope along each number changes with each number. This table H is called the
# Hessian. For a network with a million numbers nobody can store it. Often one needs only H·v: how the gradient changes as we move along v. Take
# g·v = g₁v₁ + g₂v₂ + ..., a single number. Its gradient is H·v. So two backwards suffice, however large n is, and H is never made.


def times_hessian(f, box, point, v):
    xs = [box(np.array(number)) for number in point]
    f(xs).backward(create_graph=True)
    gxs = [x.grad for x in xs]
    for x in xs:
        x.cleargrad()
    sum(gx * number for gx, number in zip(gxs, v, strict=True)).backward()
    return np.array([float(x.grad.data) for x in xs])


def himmelblau(xs):
    x, y = xs
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def himmelblau_by_pencil(x, y):
    return np.array([[12 * x**2 + 4 * y - 42, 4 * x + 4 * y], [4 * x + 4 * y, 12 * y**2 + 4 * x - 26]])


def valley(xs):
    return sum((1 - a) ** 2 + 10 * (b - a**2) ** 2 for a, b in pairwise(xs))


def second_use(n=20):
    rng = np.random.default_rng(0)
    tables = {}
    print("\nsecond derivatives along v     H·v at the first numbers   numbers in H   largest difference")
    for name, f, point in (("himmelblau", himmelblau, np.array([2.0, -1.0])), ("valley of 20 numbers", valley, rng.normal(size=n))):
        v = rng.normal(size=len(point))
        ours, package = (times_hessian(f, box, point, v) for box in (Variable, dezero.Variable))
        if f is himmelblau:
            whole = himmelblau_by_pencil(*point)
        else:  # a column of H is H times a vector that is 1 there, and 0 elsewhere
            whole = np.array([times_hessian(f, dezero.Variable, point, unit) for unit in np.eye(n)]).T
        apart = float(max(np.abs(ours - whole @ v).max(), np.abs(package - whole @ v).max()))
        tables[name] = {"ours": ours, "package": package, "explicit": whole @ v, "apart": apart}
        print(f"{name:30} {ours[0]:11.6f} {ours[1]:11.6f} {whole.size:14} {'below 1e-10' if apart < 1e-10 else apart:>20}")
    return tables


# %% 3. A rule for slopes
# A critic is a function that learns to give high scores to points on the right, and low ones to those on the left. All it is asked for is a large
# difference, and it finds a cheap way: it gets ever steeper. Such a critic is of no use to those who want to learn from its slope. So we
# add a penalty to what it should make small: (slope - 1)², at points in between. (With several inputs the length of the gradient takes the place
# of the slope.) This penalty has a gradient in it, and descent needs its gradient along the weights: double backprop.
#
# The backward that gives the slope also writes into the weights. That is not the gradient of our loss, so it is cleared before the second one.

LEFT, BETWEEN, RIGHT = (-1.3, -1.0, -0.7), (-0.6, -0.3, 0.0, 0.3, 0.6), (0.7, 1.0, 1.3)


def score(x, weights, tanh):
    return sum(c * tanh(a * x + b) for a, b, c in weights)


def slope_at(number, weights, box, tanh, create_graph=False):
    x = box(np.array(number))
    score(x, weights, tanh).backward(create_graph=create_graph)
    return x.grad


def train(penalty, create_graph=True, steps=100, box=dezero.Variable, tanh=F.tanh):
    rng = np.random.default_rng(0)
    weights = [[box(np.array(number)) for number in rng.normal(size=3)] for _ in range(4)]
    flat = [weight for unit in weights for weight in unit]
    for _ in range(steps):
        loss = (sum(score(x, weights, tanh) for x in LEFT) - sum(score(x, weights, tanh) for x in RIGHT)) / 3
        for x in BETWEEN if penalty else ():
            loss = loss + (slope_at(x, weights, box, tanh, create_graph) - 1) ** 2 * (penalty / len(BETWEEN))
        for weight in flat:
            weight.cleargrad()
        loss.backward()
        for weight in flat:
            weight.data = weight.data - 0.02 * weight.grad.data
    slopes = [float(slope_at(x, weights, box, tanh).data) for x in BETWEEN]
    return slopes, weights


RUNS = {"no penalty": (0, True), "penalty, slope without a graph": (10, False), "penalty": (10, True)}


def third_use():
    print("\nslope of the critic at           -0.6   -0.3    0.0    0.3    0.6")
    found, weights = {}, {}
    for name, (penalty, create_graph) in RUNS.items():
        found[name], weights[name] = train(penalty, create_graph)
        print(f"{name:30} {' '.join(f'{slope:6.2f}' for slope in found[name])}")
    ours, package = (train(10, True, 5, *kit)[0] for kit in ((Variable, tanh), (dezero.Variable, F.tanh)))
    apart = float(np.abs(np.array(ours) - package).max())
    print(f"after 5 steps on our framework and on the package the slopes differ by {'less' if apart < 1e-10 else 'more'} than 1e-10")
    return {**found, "apart": apart}, weights


def draw(path, weights):
    x = np.linspace(-1.6, 1.6, 200)
    with picture(path, size=(6.4, 4.2)) as ax:
        for name, colour in (("no penalty", "#D55E00"), ("penalty", "#0072B2")):
            y = sum(c.data * np.tanh(a.data * x + b.data) for a, b, c in weights[name])
            ax.plot(x, y - y[100], color=colour, label=f"critic, {name}")
        marks = {"points on the left": (LEFT, "v"), "points on the right": (RIGHT, "^"), "the slope should be 1": (BETWEEN, "|")}
        for name, (points, marker) in marks.items():
            ax.plot(points, np.full(len(points), -13.0), marker, color="black", linestyle="none", label=name)
        ax.set(title="100 steps of learning, with and without a rule for slopes", xlabel="x", ylabel="score (0 in the middle)")
        ax.legend(fontsize=8)


def main(out=None, fast=False):
    found = {"formula": first_use(), "hessian": second_use()}
    found["critic"], weights = third_use()
    if out:
        draw(out / "critic.png", weights)
    return found


# %% Exercises: python -m steps.check 36 my_answer.py
# 1. ``bend_along(f, point, v)``: the second derivative of f along v, v·H·v divided by v·v, as a float. f takes a list of the package's Variables.
# 2. ``Log``: a Function for our own framework, with derivatives of any order. (``from step36 import Function``)
# 3. ``steepest_bend(f, point, count)``: begin with v of ones, then count times v = H·v, divided by its length. Give bend_along of the last v: it
#    comes close to the second derivative of greatest size in any direction.

if __name__ == "__main__":
    run(main)
