"""What does backward do when a function only moves numbers around?

Much of the work with tables is to bring them into another form: a picture becomes a row, rows become columns, an axis comes in front. No number
changes, only its place does. There is nothing to differentiate, and still a gradient must find its way back to where each number came from.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Function, Variable
from dezero.testing import GradientCheckError, check_gradients

# %% The same six numbers in other forms
# ``reshape`` keeps the numbers in the order in which we read them, row by row, and starts new rows elsewhere. A -1 stands for the size that
# follows from the others. ``transpose`` makes columns of the rows, which is another order. ``expand_dims`` puts an axis of size 1 somewhere:
# a list becomes a table with one row, or with one column. ``squeeze`` takes axes of size 1 away.
#
# Beside each form stands a gradient. We let 0, 10, 20, 30, 40, 50 arrive, in the order in which the new form is read, and look which number of x
# gets which of them.

FORMS = {
    "reshape(x, (3, 2))": lambda x: F.reshape(x, (3, 2)),
    "reshape(x, -1)": lambda x: F.reshape(x, -1),
    "transpose(x)": lambda x: F.transpose(x),
    "expand_dims(x, 0)": lambda x: F.expand_dims(x, 0),
    "expand_dims(x, -1)": lambda x: F.expand_dims(x, -1),
    "squeeze(expand_dims(x, 1))": lambda x: F.squeeze(F.expand_dims(x, 1)),
}


def six_numbers():
    return Variable(np.arange(6.0).reshape(2, 3))


def tens(shape):
    return 10.0 * np.arange(6).reshape(shape)


def bring_back(form, start=tens):
    """The new form of the six numbers, and the gradient that x gets where ``start`` arrives."""
    x = six_numbers()
    y = form(x)
    y.grad = Variable(start(y.shape))
    y.backward()
    return y.data, x.grad.data


def in_a_row(numbers):
    return " ".join(f"{number:2.0f}" for number in numbers.flat)


def show_forms():
    print("x, shape (2, 3), reads 0 1 2 3 4 5\n\nform                        shape      reads               gradient of x")
    found = {}
    for name, form in FORMS.items():
        y, gx = bring_back(form)
        found[name] = {"shape": y.shape, "reads": y.ravel(), "gradient": gx}
        print(f"{name:27} {y.shape!s:10} {in_a_row(y):18}  {in_a_row(gx)}")
    return found


# %% The way back
# Look at transpose. The number 1 of x went to the third place of the new form, after 0 and 3. What arrives at the third place, 20, belongs to it,
# and there it stands, second in the gradient. The gradient takes the way of its number, backwards. So the backward of a reshape is a reshape to
# the old form, that of a transpose is a transpose, that of expand_dims takes the new axis away.
#
# Why is this the derivative? An output which is a copy of an input grows by as much as that input does. Its slope is 1 along the one place it came
# from, and 0 along all others. In the Jacobian of step 37 each row and each column would hold a single 1.

# %% Right shape, wrong places
# The gradient must have the shape of x. It is tempting to reach that by whatever fits. Here is a transpose whose backward reshapes. The shape is
# right, and no error is raised. Only the first and the last number get what is theirs. And a start with ones, as in most quick trials, shows
# nothing at all: ones in the wrong places look like ones.


class Turn(Function):
    """A transpose with a fault."""

    def forward(self, x):
        return x.T

    def backward(self, gy):
        (x,) = self.inputs
        return F.reshape(gy, x.shape)


def faulty_way_back():
    right, wrong, ones = bring_back(F.transpose)[1], bring_back(Turn())[1], bring_back(Turn(), np.ones)[1]
    print(f"\ngradient of x by transpose     {in_a_row(right)}")
    print(f"                 by Turn       {in_a_row(wrong)}    wrong places")
    print(f"                 by Turn       {in_a_row(ones)}    started with ones: the fault is invisible")
    return {"right": right, "wrong": wrong, "ones": ones}


# %% How to find such a fault
# Numbers that are all equal hide it. So give every output another weight, and compare with differences. ``check_gradients`` of the package does
# this, with random weights; it raises an error which says how many of the slopes differ. ``gradient_check`` does the same and answers True or False.


def check_all():
    found, x = {}, np.random.default_rng(0).normal(size=(2, 3))
    for name, form in {**FORMS, "Turn": Turn()}.items():
        try:
            check_gradients(form, x)
            found[name] = "right"
        except GradientCheckError as error:
            found[name] = str(error).splitlines()[1].strip()
    print(f"\ncompared with differences: {list(found.values()).count('right')} of {len(FORMS)} forms are right")
    print(f"Turn differs: {found['Turn']}")
    return found


# %% More than two axes
# A colour picture of 2 rows and 3 columns has three numbers at each place, for red, green and blue: its shape is (2, 3, 3). Many programs want
# the colours as the first axis, as three pictures of one colour each. ``moveaxis(x, 2, 0)`` moves axis 2 to place 0, and the others close up.
# ``transpose(x, (2, 0, 1))`` names for each new axis the old one: first the old axis 2, then 0 and 1. A reshape would give the same shape here
# for any order, and a picture that nobody recognises.


def colours_first():
    x = Variable(np.tile([1.0, 2.0, 3.0], (2, 3, 1)))  # at each place 1 for red, 2 for green, 3 for blue
    ways = {"moveaxis(x, 2, 0)": F.moveaxis(x, 2, 0), "transpose(x, (2, 0, 1))": F.transpose(x, (2, 0, 1)),
            "reshape(x, (3, 2, 3))": F.reshape(x, (3, 2, 3))}
    print("\nthe first of three pictures, where 1 is red, 2 green, 3 blue")
    for name, y in ways.items():
        print(f"    {name:24} {y.data[0].astype(int).tolist()}")
    return {name: y.data[0] for name, y in ways.items()}


# %% The moves as a picture
# With ``--out``: a colour stands for a number of x, and stays with it. Above, you see where the numbers go. Below, three gradients of the
# transpose: what arrives, and what comes back by the right way and by the wrong one. Only where the colours are those of x is the gradient right.


def draw_cells(ax, numbers, origin, title):
    ax.imshow(np.asarray(origin) + 0.6, cmap="YlGnBu", vmin=0, vmax=6)
    for place, number in np.ndenumerate(numbers):
        ax.text(place[1], place[0], f"{number:.0f}", ha="center", va="center", size=14, color="white" if origin[place] > 3 else "black")
    middle = (numbers.shape[1] - 1) / 2
    ax.set(title=title, xlim=(middle - 1.6, middle + 1.6), ylim=(2.6, -0.6))
    ax.set_axis_off()


def draw_moves(path):
    x, wide = six_numbers().data, F.transpose(six_numbers()).data
    arriving = tens((3, 2))
    with picture(path, rows=2, columns=3, size=(9.0, 6.4)) as axes:
        draw_cells(axes[0, 0], x, x, "x")
        draw_cells(axes[0, 1], x.reshape(3, 2), x.reshape(3, 2), "reshape(x, (3, 2))")
        draw_cells(axes[0, 2], wide, wide, "transpose(x)")
        draw_cells(axes[1, 0], arriving, wide, "gradients that reach transpose(x)")
        draw_cells(axes[1, 1], bring_back(F.transpose)[1], x, "back to x by transpose: right")
        draw_cells(axes[1, 2], bring_back(Turn())[1], wide.reshape(2, 3), "back to x by reshape: wrong")


def main(out=None, fast=False):
    forms = show_forms()
    faulty = faulty_way_back()
    checks = check_all()
    colours = colours_first()
    if out:
        draw_moves(out / "moves.png")
    return {"forms": forms, **faulty, "checks": checks, "colours": colours}


# %% Exercises: python -m steps.check 38 my_answer.py
# 1. ``undo(order)``: the order of axes that takes a ``transpose(x, order)`` back. For (2, 0, 1) it is (1, 2, 0).
# 2. ``flip(x)``: a table with its rows in reverse order, the last one first. Write a Function with forward and backward, and call it.
# 3. ``tiles(x, size)``: cut a table of (H, W) into squares of size by size, in reading order: the shape is (count, size, size). No loop.

if __name__ == "__main__":
    run(main)
