"""How far do simple functions take us?

Functions go from box to box since step 02, so the result of one can be the input of the next. This script chains three simple functions to
one that no table of school maths lists, and looks at what is in each box on the way.
"""

import numpy as np

from support import run

# %% The framework so far


class Variable:
    """A box for an array."""

    def __init__(self, data):
        self.data = data


class Function:
    """A function from a Variable to a Variable: forward on arrays."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")


# %% Three simple functions
# The exponential function, plus one, and the natural logarithm. Each is one line, as promised.


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


class AddOne(Function):
    def forward(self, x):
        return x + 1


class Log(Function):
    def forward(self, x):
        return np.log(x)


# %% The chain
# One after the other they compute log(1 + exp(x)). This function has a name, softplus, and people do use it: it is close to 0 for inputs far
# below 0, close to x for inputs far above, and goes smoothly from one to the other. We did not have to write softplus. We put it together.
#
# Later scripts ask how fast softplus grows. For the whole formula that takes some thought. For exp, + 1 and log alone, school maths has the
# answer. This is why a framework likes small functions: who can do the parts, and knows how to join them, can do everything.


def softplus(x):
    a = Exp()(x)
    b = AddOne()(a)
    return Log()(b)


# %% A look into the boxes
# We call the functions one by one and write down every box. Three lines of text make a drawing: lids, contents, bottoms.


def draw_chain(x, functions):
    boxes = [x]
    for f in functions:
        boxes.append(f(boxes[-1]))
    lid = "+--------+"
    arrows = [f" -{' ' + type(f).__name__ + ' ':-^8}-> " for f in functions]
    lids, gaps = [lid] * len(boxes), [" " * len(arrow) for arrow in arrows]
    contents = [f"| {box.data:.4f} |" for box in boxes]
    for cells, between in [(lids, gaps), (contents, arrows), (lids, gaps)]:
        print("".join(cell + gap for cell, gap in zip(cells, [*between, ""], strict=True)))
    return [float(box.data) for box in boxes]


# %% Is it right?
# NumPy has a function ``logaddexp(a, b)`` for log(exp(a) + exp(b)). As 1 is exp(0), softplus of x is logaddexp(0, x): another way to the
# same number. A number that comes out the same in two ways which share no code is hardly wrong.


def compare(x):
    ours, other = softplus(x).data, np.logaddexp(0.0, x.data)
    print("\n    x   ours           NumPy's logaddexp")
    for number, y, z in zip(x.data, ours, other, strict=True):
        print(f"{number:5.1f}   {y:.10f}   {z:.10f}")
    return ours, other


def main(out=None, fast=False):
    boxes = draw_chain(Variable(np.array(0.5)), [Exp(), AddOne(), Log()])
    ours, other = compare(Variable(np.array([-5.0, -0.5, 0.0, 0.5, 5.0])))
    return {"boxes": boxes, "softplus": boxes[-1], "ours": ours, "other": other}


# %% Exercises: python -m steps.check 03 my_answer.py
# 1. ``chain(*functions)``: a function that sends a box through all of them in order. ``chain(Exp(), AddOne())(x)`` is exp(x) + 1.
# 2. ``sigmoid(x)``: 1 / (1 + exp(-x)) as a chain of simple functions of your own (two new ones are enough).
# 3. ``Softplus``: one Function for softplus. Our chain says infinity for x = 1000; yours says 1000, and gives no warning.

if __name__ == "__main__":
    run(main)
