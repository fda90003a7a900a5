"""Can the functions themselves carry the slopes back?

Step 05 found the way: from the result back, local slope by local slope. There we wrote each local slope down by hand. Now each function
learns its own, and each box gets a place for the slope that arrives at it. What remains to do by hand is to call them in the right order.
"""

import numpy as np

from support import run

# %% A place for the slope
# The slope of the result by the numbers in a box is written onto the box, as ``grad``: short for gradient, all slopes together. It has the
# shape of the data: one slope for each number. As long as nobody has computed it, it is None.


class Variable:
    """A box for an array. It remembers its gradient."""

    def __init__(self, data):
        self.data = data
        self.grad = None


# %% A way back
# ``forward`` takes the input and gives the output. ``backward`` takes the slope that arrives at the output, called ``gy``, and gives the one at
# the input, ``gx``. By the chain rule that is gy times the function's local slope.
#
# A local slope depends on the number that went in: for log it is 1 / x. So a function keeps its input when it is called. We keep the whole
# box, as it is to receive the gradient.


class Function:
    """A function from a Variable to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        self.input = input
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


# %% Three functions, now with their slopes
# This is all the calculus there is. exp(x) is its own slope, x + 1 has slope 1, log(x) has slope 1 / x.


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


def softplus(x):
    a = Exp()(x)
    b = AddOne()(a)
    return Log()(b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(x.data - eps)), f(Variable(x.data + eps))
    return (y1.data - y0.data) / (2 * eps)


# %% Backward by hand
# We need the function objects, since they hold their inputs. At the end of the chain the result stands for itself: the slope of y by y is 1.
# From there on each function hands back what it gets, times its local slope, and we write the number onto the box.


def by_hand(x):
    exp, add_one, log = Exp(), AddOne(), Log()
    a = exp(x)
    b = add_one(a)
    y = log(b)

    y.grad = np.ones_like(y.data)
    b.grad = log.backward(y.grad)
    a.grad = add_one.backward(b.grad)
    x.grad = exp.backward(a.grad)
    return [x, a, b, y], [exp, add_one, log]


# %% What stands where
# Forward on the upper line, from left to right; backward on the lower line, from right to left. 0.3775 at b says: if b grows by a tiny bit, y
# grows by 0.3775 times that. a has the same slope, as + 1 only shifts. At x the factor 1.6487 of exp comes in.


def draw_both_ways(boxes, functions):
    names = [f" - {type(f).__name__} ".ljust(11, "-") + "> " for f in functions]
    print("         x               a               b               y")
    print("data  " + "".join(f"{box.data:.4f}{name:^10}" for box, name in zip(boxes, [*names, ""], strict=True)).rstrip())
    print("grad  " + "".join(f"{box.grad:.4f}{arrow}" for box, arrow in zip(boxes, [" <---------- "] * 3 + [""], strict=True)))


# %% The same for arrays
# Nothing in ``backward`` speaks of a single number. For an array of inputs we start with an array of ones, and get all slopes in one go.
# For softplus the slope has a formula of its own, 1 / (1 + exp(-x)), which nobody told the program.


def for_arrays():
    boxes, _ = by_hand(Variable(np.array([-2.0, 0.0, 2.0])))
    x = boxes[0]
    print("\n   x   carried back   1 / (1 + exp(-x))")
    for number, slope in zip(x.data, x.grad, strict=True):
        print(f"{number:4.1f}   {slope:.10f}   {1 / (1 + np.exp(-number)):.10f}")
    return x.grad


def main(out=None, fast=False):
    boxes, functions = by_hand(Variable(np.array(0.5)))
    draw_both_ways(boxes, functions)
    x = boxes[0]
    tried = numerical_diff(softplus, x)
    print(f"\ncarried back: {x.grad:.8f}, tried out as in step 04: {tried:.8f}")
    grads = for_arrays()
    return {"grad": float(x.grad), "tried": float(tried), "on_the_way": [float(box.grad) for box in boxes], "grads": grads}


# %% Exercises: python -m steps.check 06 my_answer.py
# 1. ``Sin``: a Function for the sine, with ``forward`` and ``backward``.
# 2. ``grad_of_logistic(x)``: carry the slope of 1 / (1 + exp(-x)) back by hand; x is a number. Write what Functions you need.
# 3. ``one_object(x)``: somebody computes exp(exp(x)) with the same Exp object twice: ``exp = Exp(); a = exp(x); y = exp(a)``, and carries back
#    by hand with ``exp.backward``. Which wrong number stands in x.grad? (Predict it with a formula, then try it out.)

if __name__ == "__main__":
    run(main)
