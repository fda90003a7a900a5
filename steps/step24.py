"""Do gradients stay right when the formula gets long?

Softplus was a chain of three. People who compare methods of optimisation use formulas that are much longer, with two inputs and powers in
powers: Booth's, Himmelblau's and Beale's functions. On paper their gradients fill a page, and pages have slips. Here they cost no line of code.
"""

import numpy as np

from support import picture, run

from dezero import Variable

# %% Three formulas
# They are plain Python. Nothing in them says Variable: they take whatever knows + - * and **, and that is numbers, arrays and Variables.


def booth(x, y):
    return (x + 2 * y - 7) ** 2 + (2 * x + y - 5) ** 2


def himmelblau(x, y):
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


# %% Their gradients
# A function of two inputs has two slopes: how fast it grows when x alone grows, and when y alone does. The pair is the gradient. One backward
# gives both. Beside it stands the central difference of step 04, which costs four calls of the function and knows nothing of derivatives.


def gradient(f, point):
    x, y = (Variable(np.array(number)) for number in point)
    z = f(x, y)
    z.backward()
    return float(z.data), [float(x.grad.data), float(y.grad.data)]


def difference(f, point, h=1e-4):
    (x, y) = point
    return [(f(x + h, y) - f(x - h, y)) / (2 * h), (f(x, y + h) - f(x, y - h)) / (2 * h)]


POINTS = [(1.0, 1.0), (2.0, -1.0)]


def three_tables():
    print("function     at          value        gradient by backward     by differences")
    found = {}
    for f in (booth, himmelblau, beale):
        found[f.__name__] = []
        for point in POINTS:
            value, (gx, gy) = gradient(f, point)
            dx, dy = (round(slope, 6) + 0.0 for slope in difference(f, point))  # + 0.0 makes 0.0 of -0.0
            found[f.__name__].append({"value": value, "gradient": [gx, gy], "difference": [dx, dy]})
            print(f"{f.__name__:11} {point!s:11} {value:10.6f}    ({gx:8.4f}, {gy:8.4f})     ({dx:8.4f}, {dy:8.4f})")
    return found


# %% A slip on paper
# Here is the slope of Beale's function along y as a tired hand wrote it. The last factor should be 3 * x * y**2; the square was lost. At (1, 1)
# the slip cannot be seen, as 1 squared is 1. So: check a gradient at more than one point, and not at 0 or 1, where too many things are equal.


def slope_by_hand(x, y):
    return 2 * (1.5 - x + x * y) * x + 2 * (2.25 - x + x * y**2) * 2 * x * y + 2 * (2.625 - x + x * y**3) * 3 * x * y


def find_the_slip():
    print("\nBeale's slope along y   by hand   backward   differences")
    slopes = []
    for point in POINTS:
        hand, back, differ = slope_by_hand(*point), gradient(beale, point)[1][1], difference(beale, point)[1]
        slopes.append([hand, back, differ])
        print(f"at {point!s:12}      {hand:10.4f} {back:10.4f} {differ:13.4f}   {'agree' if abs(hand - back) < 1e-6 else 'by hand is wrong'}")
    return slopes


# %% Many points at once
# The formulas take arrays as well. Put the x of 400 points into one box and their y into another: one forward and one backward give 400
# values and 400 gradients. This works because each value depends on its own point alone.


def gradient_field(f, low, high, count=20):
    xs, ys = np.meshgrid(np.linspace(low, high, count), np.linspace(low, high, count))
    x, y = Variable(xs), Variable(ys)
    z = f(x, y)
    z.backward()
    return xs, ys, z.data, x.grad.data, y.grad.data


def steepest_point():
    xs, ys, _, gx, gy = gradient_field(himmelblau, -5.0, 5.0)
    length = np.hypot(gx, gy)
    at = np.unravel_index(length.argmax(), length.shape)
    flat = np.unravel_index(length.argmin(), length.shape)
    print(f"\nHimmelblau on {length.size} points: steepest at ({xs[at]:.2f}, {ys[at]:.2f}), slope {length[at]:.0f};"
          f" flattest at ({xs[flat]:.2f}, {ys[flat]:.2f}), slope {length[flat]:.1f}")
    return {"points": int(length.size), "steepest": [float(xs[at]), float(ys[at])], "flattest": [float(xs[flat]), float(ys[flat])],
            "one by one": bool(np.allclose(gradient(himmelblau, (xs[3, 5], ys[3, 5]))[1], [gx[3, 5], gy[3, 5]]))}


# %% A map with arrows
# With ``--out`` the three functions are drawn like mountains on a map: a line joins points of equal height. The gradient points uphill, where
# the function grows fastest, and it crosses the lines at a right angle. The arrows here point the other way, downhill: step 28 follows them.

LOWEST = {booth: [(1, 3)], himmelblau: [(3, 2), (-2.805, 3.131), (-3.779, -3.283), (3.584, -1.848)], beale: [(3, 0.5)]}  # where each is 0


def draw_maps(path):
    with picture(path, columns=3, size=(12.0, 4.4)) as axes:
        for ax, (f, lowest) in zip(axes, LOWEST.items(), strict=True):
            xs, ys, heights, *_ = gradient_field(f, -5.0, 5.0, 200)
            ax.contour(xs, ys, np.log10(heights + 1), levels=np.linspace(0, 6, 25), colors="#8CA0B3", linewidths=0.7)
            xs, ys, _, gx, gy = gradient_field(f, -4.6, 4.6, 13)
            length = np.hypot(gx, gy)
            ax.quiver(xs, ys, -gx / length, -gy / length, color="#2C79AE", width=0.006, scale=22)
            ax.plot(*np.array(lowest).T, "*", color="#D55E00", markersize=13, label="a lowest point")
            ax.plot(*np.array(POINTS).T, "o", color="black", markersize=5, label="points of the table")
            ax.set(title=f.__name__.capitalize(), xlabel="x", ylabel="y", aspect="equal", xlim=(-5, 5), ylim=(-5, 5))
        axes[0].legend(loc="lower left", framealpha=1.0)


def main(out=None, fast=False):
    found = three_tables()
    slopes = find_the_slip()
    field = steepest_point()
    if out:
        draw_maps(out / "downhill.png")
    return {**found, "slopes": slopes, "field": field}


# %% Exercises: python -m steps.check 24 my_answer.py
# 1. ``matyas_gradient(x, y)``: on paper: the pair of slopes of 0.26 * (x**2 + y**2) - 0.48 * x * y, as a formula, without the package.
# 2. ``rastrigin(xs)``: for a list of Variables, 10 for each x, plus the sum of x**2 - 10 * cos(2 * pi * x). Its gradient must be right too.
# 3. ``downhill(f, x, y)``: the direction in which f falls fastest, as a pair of floats of length 1; (0.0, 0.0) where it is flat.

if __name__ == "__main__":
    run(main)
