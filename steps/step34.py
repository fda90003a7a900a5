"""How often can we differentiate?

A loop of backwards gives one derivative after the other (step 32). The sine is a good test: its derivatives go round in a circle, and after
four of them the sine is back. x·sin(x) never comes back, but its derivatives follow a pattern that a pencil finds. And if we hand over an array,
one loop draws the curves at hundreds of points.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% A loop of backwards


def derivatives(f, x, orders):
    """f and its derivatives at the numbers of an array."""
    v = Variable(x)
    y = f(v)
    found = [y.data]
    for _ in range(orders):
        v.cleargrad()
        y.backward(create_graph=True)
        y = v.grad
        found.append(y.data)
    return found


def x_sin_x(x):
    return x * F.sin(x)


# %% What the pencil says
# Each derivative shifts the sine by a quarter of a turn: sin, cos, -sin, -cos, sin. For x·sin(x) the product rule adds one shifted sine each
# time, so derivative n is x times the sine shifted n times, plus n times the sine shifted n - 1 times.


def shifted(x, n):
    return np.sin(x + n * np.pi / 2)


def by_pencil(x, n):
    return x * shifted(x, n) + n * shifted(x, n - 1)


def table(orders=4):
    one = np.array(1.0)
    ours = {"sin": derivatives(F.sin, one, orders), "x sin x": derivatives(x_sin_x, one, orders)}
    pencil = {"sin": [shifted(one, n) for n in range(orders + 1)], "x sin x": [by_pencil(one, n) for n in range(orders + 1)]}
    print("at x = 1:          sin                        x sin x\norder     backward       pencil      backward       pencil")
    for n in range(orders + 1):
        print(f"{n:5} {ours['sin'][n]:12.9f} {pencil['sin'][n]:12.9f}  {ours['x sin x'][n]:12.9f} {pencil['x sin x'][n]:12.9f}")
    return ours, pencil


# %% Why not by differences?
# Step 04 took two values of f, h apart, and divided their difference by 2h. Do it to the result once more, and it gives a second derivative.
# But each division by 2h blows up what is left of the rounding: for h = 0.0001 the fourth derivative divides by about 10⁻¹⁵, and the computer's
# numbers have 16 digits. A greater h helps against that, and makes the difference itself coarse. Backward divides by nothing.


def by_differences(f, x, n, h):
    if n == 0:
        return f(x)
    return (by_differences(f, x + h, n - 1, h) - by_differences(f, x - h, n - 1, h)) / (2 * h)


def errors(orders=4):
    print("\nlargest error for x sin x between -6 and 6\norder   differences, h = 0.01   h = 0.0001   backward")
    x = np.linspace(-6, 6, 121)
    rows = []
    ours = derivatives(x_sin_x, x, orders)
    for n in range(1, orders + 1):
        right = by_pencil(x, n)
        tried = [by_differences(lambda x: x * np.sin(x), x, n, h) for h in (0.01, 0.0001)]
        rows.append([float(np.abs(got - right).max()) for got in (*tried, ours[n])])
        print(f"{n:5} {rows[-1][0]:23.0e} {rows[-1][1]:12.0e} {'below 1e-12' if rows[-1][2] < 1e-12 else rows[-1][2]:>12}")
    return rows


# %% Curves, all points at once
# Why may x be an array here? ``backward`` starts with ones, so it gives the slopes of the sum of all y. But each y is made from its own x
# alone, and the other terms of the sum do not move with that x. So the slope of the sum along one x is the slope of its own y. (If one y
# depended on several x, this would be wrong: an x would get a mixture.) So 400 points cost one way forward and four ways back, without a loop.


def circle():
    x = np.linspace(-7, 7, 400)
    curves = {"sin x": derivatives(F.sin, x, 4), "x sin x": derivatives(x_sin_x, x, 4)}
    back = float(np.abs(curves["sin x"][4] - curves["sin x"][0]).max())
    one_by_one = np.array([derivatives(x_sin_x, np.array(number), 4) for number in x[::40]]).T
    apart = float(np.abs(one_by_one - np.array(curves["x sin x"])[:, ::40]).max())
    print(f"\nsine: the 4th derivative differs from the sine itself by {'less than' if back < 1e-12 else 'more than'} 1e-12, at 400 points")
    print(f"all points at once and one by one differ by {'less than' if apart < 1e-12 else 'more than'} 1e-12")
    return x, curves, back, apart


COLOURS = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7")
NAMES = ("itself", "1st derivative", "2nd", "3rd", "4th")


def draw(path, x, curves):
    with picture(path, columns=2, size=(11.0, 4.4)) as axes:
        for ax, (name, ys) in zip(axes, curves.items(), strict=True):
            ax.axhline(0, color="#CCCCCC", linewidth=0.8)
            for order, (y, colour, label) in enumerate(zip(ys, COLOURS, NAMES, strict=True)):
                ax.plot(x, y, color=colour, label=label, linewidth=2.6 if order == 0 else 1.4, linestyle="--" if order == 4 else "-")
            ax.set(title=f"{name} and its derivatives", xlabel="x")
        axes[0].set_ylabel("value")
        axes[0].set_ylim(-1.2, 1.9)
        axes[0].legend(ncols=3, loc="upper center", fontsize=8)


def main(out=None, fast=False):
    ours, pencil = table()
    rows = errors()
    x, curves, back, apart = circle()
    if out:
        draw(out / "derivatives.png", x, curves)
    return {"backward": ours, "pencil": pencil, "errors": rows, "back": back, "apart": apart}


# %% Exercises: python -m steps.check 34 my_answer.py
# 1. ``tenth(x)``: with the pencil: the 10th derivative of x·sin(x) at a number, as a formula without sums of π.
# 2. ``comes_back(f, x)``: the smallest n from 1 to 8 for which derivative n equals f at all numbers of an array x; None if there is none. sin: 4.
# 3. ``taylor(f, at, n)``: the list of the n + 1 coefficients of f's Taylor series (step 27) around a number: derivative k, divided by k!.

if __name__ == "__main__":
    run(main)
