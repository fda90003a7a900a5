"""What would make the framework pleasant to use?

It computes and finds slopes, but it wants much typing, and wrong input goes in without a word. This script smooths three rough places:
how functions are called, how ``backward`` is started, and what a box accepts.
"""

import numpy as np

from support import run

# %% A start and a guard
# Every way back began with ``y.grad = np.ones_like(y.data)``, the slope of y by y. If nobody has set anything else, ``backward`` can write this
# itself. Who wants another start still sets ``y.grad`` first.
#
# And a box refuses what is not an array (None, an empty box, is fine). The message names what came, and what is expected.


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


# %% NumPy's small surprise
# Arithmetic with an array without axes gives a plain NumPy number (a float64), not an array. A box is for arrays, so ``Function`` makes it one.


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% The functions so far


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


# %% Functions in small letters
# ``Exp()(x)`` makes an object and calls it: two pairs of brackets, and the trap of calling one object twice. A small function hides this. With
# it a formula looks as on paper.


def exp(x):
    return Exp()(x)


def add_one(x):
    return AddOne()(x)


def log(x):
    return Log()(x)


def softplus(x):
    return log(add_one(exp(x)))


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(as_array(x.data - eps))), f(Variable(as_array(x.data + eps)))
    return (y1.data - y0.data) / (2 * eps)


# %% Before and after
# Six lines in the manner of step 08, then the same in two.


def before_and_after():
    x = Variable(np.array(0.5))
    a = Exp()(x)
    b = AddOne()(a)
    y = Log()(b)
    y.grad = np.ones_like(y.data)
    y.backward()

    z = Variable(np.array(0.5))
    softplus(z).backward()
    print(f"step 08, six lines: slope {x.grad:.8f}")
    print(f"now, two lines:     slope {z.grad:.8f}, tried out {numerical_diff(softplus, z):.8f}")
    return float(x.grad), float(z.grad)


# %% Always an array
# Without ``as_array`` the guard of the box would refuse our own results. It is strict with us as well: in ``numerical_diff`` above, x.data + eps
# of an array without axes is such a number, and the guard found it the moment it was there.


def always_an_array():
    x = np.array(0.5)
    types = [type(x).__name__, type(np.exp(x)).__name__, type(exp(Variable(x)).data).__name__]
    print(f"\nx is an {types[0]}, np.exp(x) is a {types[1]}, exp(Variable(x)).data is an {types[2]}")
    return types


# %% Why be strict?
# Because Python finds a meaning for nearly everything. Two times the text "3" is "33", and two times a list is the list twice. A box that took
# them would give wrong results without an error, or an error much later, in a line which is not to blame. So it speaks up at the door.


def at_the_door():
    print(f"\n2 * '3' is {2 * '3'!r}, 2 * [1, 2] is {2 * [1, 2]}, 2 * np.array([1, 2]) is {(2 * np.array([1, 2])).tolist()}\n")
    messages = {}
    for data in (3.0, [1, 2], "3", object()):
        try:
            Variable(data)
        except TypeError as error:
            messages[type(data).__name__] = str(error)
            print(error)
    empty, table = Variable(None), Variable(np.array([[1.0, 2.0]]))
    print(f"\nwelcome: arrays of any shape, such as {table.data.shape}, and {empty.data} for an empty box")
    return messages


def main(out=None, fast=False):
    before, after = before_and_after()
    types = always_an_array()
    messages = at_the_door()
    return {"before": before, "after": after, "types": types, "messages": messages}


# %% Exercises: python -m steps.check 09 my_answer.py
# 1. ``power(x, n)``: x ** n in the new form, with a Function ``Power`` behind it. The slope is n * x ** (n - 1).
# 2. ``variable(data)``: a friendlier door: numbers and lists become Variables, arrays too, a Variable is handed back as it is, and everything
#    else is a TypeError.
# 3. ``unlucky_grad()``: somebody begins ``backward`` with ``if not self.grad: self.grad = np.ones_like(self.data)``. Give an array that was set as
#    y.grad on purpose, and which this line overwrites without a word.

if __name__ == "__main__":
    run(main)
