"""How do we get a second derivative, and a third?

A gradient that is a Variable with a history can be differentiated like anything else (step 30), and its graph grows out of the graph of y
(step 31). What is left is practice: to turn this on where it is wanted, and off where it is not. The switch is called ``create_graph``, and in
our own framework it costs one line.
"""

import heapq
import textwrap
import weakref
from contextlib import contextmanager

import numpy as np

from support import run

import dezero
from dezero.viz import get_svg_graph, keep_values

# %% The switch
# Mostly nobody wants a second derivative. Then a history of the gradient is a waste: step 31 counted two and a half times as many functions on
# the way back as forward, each with its inputs in memory. So backward should record only if it is asked to. Since step 18 there is a switch for
# recording, ``enable_backprop``, made for ``no_grad``. Backward runs its whole loop with this switch set to ``create_graph``.
#
# One case is worth an error. If nothing was recorded, a second backward finds no way at all. Step 30 has shown how quietly that goes wrong.


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


# %% One function more
# A power with a fixed exponent n has the slope n·xⁿ⁻¹, which is a power again. So this formula too gives boxes, and each derivative of a power
# can be differentiated.


class Pow(Function):
    def __init__(self, exponent):
        self.exponent = exponent

    def forward(self, x):
        return x**self.exponent

    def backward(self, gy):
        (x,) = self.inputs
        return (gy * x ** (self.exponent - 1) * self.exponent,)


# %% Derivatives of x⁴
# Each round takes the last result, runs backward from it, and finds the next derivative in ``x.grad``. In between ``x.cleargrad()`` empties x,
# as gradients add up (step 14). The function takes the box to compute with: our own Variable, or that of the package.


def derivatives(f, box, at, orders):
    x = box(np.array(at))
    found = [f(x)]
    for _ in range(orders):
        x.cleargrad()
        found[-1].backward(create_graph=True)
        found.append(x.grad)
    return [float(derivative.data) for derivative in found]


def power_table():
    def f(x):
        return x**4

    ours, package = (derivatives(f, box, 2.0, 4) for box in (Variable, dezero.Variable))
    by_hand = {"x⁴": 2**4, "4x³": 4 * 2**3, "12x²": 12 * 2**2, "24x": 24 * 2, "24": 24}
    print("order  formula  by hand   ours  package      (x = 2)")
    for order, (formula, number) in enumerate(by_hand.items()):
        print(f"{order:5}  {formula:7} {number:8} {ours[order]:6g} {package[order]:8g}")
    return {"ours": ours, "package": package}


# %% Two ways to be wrong
# Without the switch the gradient is a number in a box, without a history. Both frameworks refuse the second backward, and say what to do.
# And with the switch, but without ``cleargrad``, the second derivative is added to the first, which still lies in x: 32 + 48.


def without_the_switch(box):
    x = box(np.array(2.0))
    y = x**4
    y.backward()
    try:
        x.grad.backward()
    except RuntimeError as error:  # the package's error is of this kind too
        return f"{type(error).__name__}: {error}"


def without_cleargrad(box):
    x = box(np.array(2.0))
    y = x**4
    y.backward(create_graph=True)
    x.grad.backward()
    return float(x.grad.data)


# %% What the switch costs
# The functions behind x.grad, with the switch and without, for x multiplied by itself n times. Without it, the way back leaves nothing behind.


def walk(output):
    """The functions behind a Variable, each once (step 26)."""
    seen, todo = set(), [output]
    while todo:
        function = todo.pop().creator
        if function is not None and function not in seen:
            seen.add(function)
            todo += function.inputs
            yield function


def cost(lengths=(1, 10, 100)):
    rows = []
    print("\nmultiplications   functions behind x.grad: create_graph=False   create_graph=True")
    for n in lengths:
        row = [n]
        for create_graph in (False, True):
            x = Variable(np.array(1.01))
            y = x
            for _ in range(n):
                y = y * x
            y.backward(create_graph=create_graph)
            row.append(len(list(walk(x.grad))))
        rows.append(row)
        print(f"{n:15} {row[1]:44} {row[2]:19}")
    return rows


# %% All passes in one picture
# Colours tell the passes, as in step 31. The package leaves out what is not needed: the derivative of 24x is 24, and no function is behind it.


def draw_passes(path):
    x = dezero.Variable(np.array(2.0), name="x")
    with keep_values():
        drawn = [x**4]
        for _ in range(3):
            x.cleargrad()
            drawn[-1].backward(create_graph=True)
            drawn.append(x.grad)
    for order, v in enumerate(drawn):
        v.name = "y" + "'" * order
    path.write_text(get_svg_graph(drawn, show="value"), encoding="utf-8")


def main(out=None, fast=False):
    found = power_table()
    messages = [without_the_switch(box) for box in (Variable, dezero.Variable)]
    print("\nwithout create_graph:")
    for message in messages:
        print(textwrap.fill(message, 98, initial_indent="  ", subsequent_indent="    "))
    added = [without_cleargrad(box) for box in (Variable, dezero.Variable)]
    print(f"without cleargrad: {added[0]:g} ours, {added[1]:g} package")
    found.update(messages=messages, added=added, cost=cost())
    if out:
        draw_passes(out / "passes.svg")
    return found


# %% Exercises: python -m steps.check 32 my_answer.py
# 1. ``nth_derivative(f, x, n)``: with the package: derivative n of a function on Variables at a number, as a float. Beware: the slope of a
#    constant is 0, and the package refuses a backward from a constant.
# 2. ``Sin``: a Function for our own framework, with derivatives of any order. (``from step32 import Function``; you will need a second class.)
# 3. ``second_derivative(f, x)``: the same for order 2 of a Variable x that is in use: ``x.grad`` must afterwards be what it was before.

if __name__ == "__main__":
    run(main)
