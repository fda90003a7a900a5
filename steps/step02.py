"""How does a function go from box to box?

Arrays sit in boxes since step 01, but mathematics such as x ** 3 works on arrays, not on boxes. Somebody has to open the box, compute, and
put the result into a new box. This script writes that once, so that each new function is one line of mathematics and nothing else.
"""

import numpy as np

from support import run

# %% The box of step 01


class Variable:
    """A box for an array."""

    def __init__(self, data):
        self.data = data


# %% Why a plain function is not enough
# A plain function can open the box and compute. But what it returns is a bare number (NumPy calls it a float64): the box is lost, and a
# second function that wants to open a box has nothing to open. Each function would have to wrap its result itself, and one day one forgets.


def plain_cube(x):
    return x.data**3


# %% A function with two parts
# So we split the work. ``Function`` opens the box and makes the new one: that part is the same for all functions. The mathematics goes
# into a method called ``forward``, which sees arrays alone. A class for one function is a child of ``Function`` and brings its ``forward``.
#
# Python calls ``__call__`` when an object is used like a function: after ``f = Cube()``, the line ``y = f(x)`` runs ``f.__call__(x)``.


class Function:
    """A function from a Variable to a Variable: forward on arrays."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")


class Cube(Function):
    def forward(self, x):
        return x**3


class Half(Function):
    def forward(self, x):
        return x / 2


# %% Box in, box out
# The result is a new box each time. The box that went in still holds what it held.


def from_box_to_box():
    x = Variable(np.array(3.0))
    types = {}
    for name, f in [("plain_cube", plain_cube), ("Cube()", Cube()), ("Half()", Half())]:
        y = f(x)
        number = y.data if isinstance(y, Variable) else y
        types[name] = type(y).__name__
        print(f"{name:10} {x.data:.1f} -> {number:4.1f}   the result is a {types[name]}")
    print(f"x holds {x.data:.1f} as before")
    return float(Cube()(x).data), types


# %% All shapes at once
# ``forward`` was written with a number in mind. NumPy applies ** and / to each element of an array, so tables work as well.


def all_shapes():
    table = Variable(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    cubes = Cube()(table).data
    print("\na table and its cubes:")
    for before, after in zip(table.data, cubes, strict=True):
        print("".join(f"{n:4.0f}" for n in before), "  -> ", "".join(f"{n:5.0f}" for n in after))
    return cubes


# %% A function without forward
# Here somebody wrote ``Forward`` for ``forward``. Python finds no ``forward`` in ``Double`` and takes the one of its parent. It cannot know
# what to compute; the least it can do is to stop at once and to say which class has to be mended.


class Double(Function):
    def Forward(self, x):
        return 2 * x


def without_forward():
    try:
        Double()(Variable(np.array(3.0)))
    except NotImplementedError as error:
        print(f"\nNotImplementedError: {error}")
        return str(error)


def main(out=None, fast=False):
    cube, types = from_box_to_box()
    cubes = all_shapes()
    message = without_forward()
    return {"cube": cube, "types": types, "cubes": cubes, "message": message}


# %% Exercises: python -m steps.check 02 my_answer.py
# 1. ``Clip(low, high)``: a Function with settings: ``Clip(0, 1)(x)`` raises what is below 0 to 0, and lowers what is above 1 to 1.
# 2. ``CountingCube``: a Cube that counts its calls: after ``f(x); f(x)`` the number in ``f.calls`` is 2.
# 3. ``SafeHalf``: this ``forward`` has a bug: ``x /= 2; return x``. It gives the right result, yet ruins something. Write it without the bug.

if __name__ == "__main__":
    run(main)
