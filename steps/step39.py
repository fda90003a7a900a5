"""How does one sum of many numbers share its gradient among them?

Step 37 added all numbers of a table to one. More often we add along one axis only: the sales of each day, the error of each sample. Sums are
also what means and variances are made of. This script looks at which numbers enter which sum, and what each of them gets back.
"""

import itertools

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable
from dezero.utils import gradient_check

# %% The axis that goes away
# Two shops note the loaves they sell on three days: a row for each shop, a column for each day, shape (2, 3). ``axis=0`` names the axis that
# goes away: the 2 shops are added, and a sum for each of the 3 days is left. ``axis=1`` adds the days, and leaves a sum for each shop. Negative
# numbers count from the last axis, so -1 is 1 here. A tuple names several, and no axis means all. With ``keepdims=True`` the axis does not go, but
# has size 1 afterwards.
#
# To see the way back, we let 10, 20, 30 arrive at the sums. Each number of the table entered one sum with slope 1: when a loaf more is sold, the
# sum is one more. So the number gets what arrived at its sum, whole. What a sum gets is not divided among its parts, it is copied to all of them.

LOAVES = [[4.0, 6.0, 2.0], [8.0, 1.0, 9.0]]
CHOICES = [{"axis": None}, {"axis": 0}, {"axis": 1}, {"axis": -1}, {"axis": (0, 1)}, {"axis": 1, "keepdims": True}]


def sum_and_back(**options):
    x = Variable(np.array(LOAVES))
    y = F.sum(x, **options)
    gy = 10.0 * np.arange(1, y.size + 1).reshape(y.shape)
    y.grad = Variable(gy)
    y.backward()
    return y.data, gy, x.grad.data


def in_a_row(numbers):
    return " ".join(f"{number:2.0f}" for number in np.ravel(numbers))


def show_sums():
    print("F.sum of x with        shape    sums      let arrive   gradient of x: first row, second row")
    found = {}
    for options in CHOICES:
        name = ", ".join(f"{key}={value}" for key, value in options.items())
        y, gy, gx = sum_and_back(**options)
        found[name] = {"shape": y.shape, "sums": y, "gradient": gx}
        print(f"{name:22} {y.shape!s:8} {in_a_row(y):9} {in_a_row(gy):12} {in_a_row(gx[0])} | {in_a_row(gx[1])}")
    return found


# %% Where the axis is missed
# After ``axis=1`` nothing tells that the two sums belonged to rows. If they meet the table again, NumPy has to lay a list beside a table, and it
# always lays a list along the rows, number beside column. Let us take from each number the mean of its row. With 2 means and 3 columns that is an
# error, which is good luck. In a table with as many rows as columns it goes through: each number loses the mean of some other row. Whether it went
# well can be seen: what is left of a row must add up to 0.

SQUARE = [[4.0, 6.0, 2.0], [8.0, 1.0, 9.0], [30.0, 40.0, 50.0]]


def around_the_means():
    found = {}
    print("\nwhat is left of each row after its mean was taken away, added up:")
    for shape, numbers in (("(2, 3)", LOAVES), ("(3, 3)", SQUARE)):
        for keepdims in (False, True):
            x = Variable(np.array(numbers))
            try:
                left = F.sum(x - F.mean(x, axis=1, keepdims=keepdims), axis=1).data + 0.0
                found[shape, keepdims] = left
                verdict = in_a_row(left) + ("" if np.allclose(left, 0) else "   wrong, and no error")
            except ValueError as error:
                found[shape, keepdims] = verdict = f"{type(error).__name__}, {str(error).split(': ')[1]}"
            print(f"    {shape}, keepdims={keepdims!s:5}   {verdict}")
    return {f"{shape} {keepdims}": value for (shape, keepdims), value in found.items()}


# The backward of a sum has the same duty: gradients of shape (2,) must find their rows. It first puts the axis back, with size 1, to (2, 1). Then
# NumPy stretches it over the columns. What stretching is, and its own backward, is step 40.

# %% Mean and variance
# The mean is the sum divided by how many numbers there are, n. So each number gets 1 / n of what arrives. The variance tells how far the numbers lie
# apart: it is the mean of the squared distances from the mean. Its slope along a number is 2 / n times the distance of that number from the
# mean. The slopes of the variance add up to 0: if all numbers grow alike, they lie no farther apart.


def mean_and_variance():
    found = {}
    numbers = np.array([1.0, 2.0, 3.0, 6.0])
    print(f"\nof {numbers.tolist()}:   value   slopes")
    for name, function in (("mean", F.mean), ("variance", F.var)):
        x = Variable(numbers)
        y = function(x)
        y.backward()
        found[name], found[f"{name} slopes"] = float(y.data), x.grad.data
        print(f"    {name:22} {y.data:6.2f}   " + " ".join(f"{slope:5.2f}" for slope in x.grad.data))
    return found


# %% All combinations
# Three functions, four choices of axes of a table with three axes, with and without keepdims, make 24. The check compares each with differences.


def check_all():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    choices = itertools.product((F.sum, F.mean, F.var), (None, 1, -1, (0, 2)), (False, True))
    checks = [gradient_check(function, x, axis=axis, keepdims=keepdims) for function, axis, keepdims in choices]
    print(f"\ncompared with differences: {sum(checks)} of {len(checks)} combinations are right")
    return checks


# %% Sums as a picture
# With ``--out``: a colour for each sum. Above, the numbers which enter it have its colour. Below, what arrives at the sum stands in all of its parts.

SUMS = ("#9ECAE1", "#FDD0A2", "#CBC9E2")


def draw_cell(ax, column, row, number, color, edge):
    ax.bar(column, 0.94, 0.94, bottom=row, align="edge", color=color, edgecolor=edge, linewidth=1.5)
    ax.text(column + 0.47, row + 0.47, f"{number:.0f}", ha="center", va="center", size=13, weight="bold" if edge == "black" else "normal")


def draw_sums(path):
    panels = [("axis=0: a sum for each day", 0), ("axis=1: a sum for each shop", 1), ("axis=None: one sum", None)]
    with picture(path, rows=2, columns=3, size=(10.0, 6.4)) as axes:
        for column, (title, axis) in enumerate(panels):
            y, gy, gx = sum_and_back(axis=axis)
            group = {0: lambda row, column: column, 1: lambda row, column: row, None: lambda row, column: 0}[axis]
            for ax, table, sums, what in ((axes[0, column], np.array(LOAVES), y, title), (axes[1, column], gx, gy, "gradients, from the sums back")):
                for place, number in np.ndenumerate(table):
                    draw_cell(ax, place[1], place[0], number, SUMS[group(*place)], "white")
                for number, total in enumerate(np.ravel(sums)):
                    where = {0: (number, 2.3), 1: (3.3, number), None: (3.3, 2.3)}[axis]
                    draw_cell(ax, *where, total, SUMS[number], "black")
                ax.set_title(what, loc="left")
                ax.set(xlim=(-0.1, 4.4), ylim=(3.4, -0.1), aspect="equal")
                ax.set_axis_off()


def main(out=None, fast=False):
    sums = show_sums()
    left = around_the_means()
    moments = mean_and_variance()
    checks = check_all()
    if out:
        draw_sums(out / "sums.png")
    return {"sums": sums, "left": left, **moments, "checks": checks}


# %% Exercises: python -m steps.check 39 my_answer.py
# 1. ``sum_backward(gy, shape, axis)``: with NumPy alone: the gradient of x from gy, that of F.sum(x, axis). axis is an int or None.
# 2. ``standardize(x)``: a table (N, M), as a Variable, whose columns each have mean 0 and variance 1.
# 3. ``masked_mean(x, mask)``: for each row the mean of those numbers whose mask is 1, not 0, as a Variable (N,). An empty row gives 0.

if __name__ == "__main__":
    run(main)
