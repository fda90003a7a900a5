"""Can Newton's method do without a pencil?

Step 29 jumped to the bottom of a curve with the slope and the second derivative. The slope came from backward, the second derivative from a
pencil. Since step 32 we can run backward through a backward. So the pencil goes, and with it the limit to formulas that one likes to
differentiate twice by hand.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% Slope and second derivative
# The first backward records what it does. Then x is cleared, and a second backward starts from the slope. This one need not record anything.
# Each call begins with a new Variable, so no old gradient and no old graph is in the way.


def slopes(f, x):
    v = Variable(np.array(x))
    f(v).backward(create_graph=True)
    slope = v.grad
    v.cleargrad()
    slope.backward()
    return float(slope.data), float(v.grad.data)


# %% Newton's method, for any formula
# The jump is that of step 29: to the lowest point of the parabola with the same height, slope and second derivative.


def newton(f, x, count):
    xs = [x]
    for _ in range(count):
        slope, second = slopes(f, x)
        x = x - slope / second
        xs.append(x)
    return xs


def quartic(x):
    return x**4 - 3 * x**3 + 2


def with_pencil(x, count):
    xs = [x]
    for _ in range(count):
        x = x - (4 * x**3 - 9 * x**2) / (12 * x**2 - 18 * x)
        xs.append(x)
    return xs


def same_jumps(start=4.0, count=6):
    ours, pencil = newton(quartic, start, count), with_pencil(start, count)
    print("jump   without a pencil     with a pencil   distance from the bottom, 2.25")
    for jump, (x, right) in enumerate(zip(ours, pencil, strict=True)):
        print(f"{jump:4} {x:18.10f} {right:17.10f} {abs(x - 2.25):19.0e}")
    return ours, pencil


# %% A formula that nobody wants to differentiate twice
# Which point of the curve sin(x) is nearest to the point (2, 1.5)? The distance from (x, sin x), squared, is a formula in x. Where it is lowest
# is the nearest point. There the line to (2, 1.5) must stand upright on the curve: its slope times the curve's slope cos(x) is -1. This is
# our check, and it needs no derivative of the formula at all.

POINT = (2.0, 1.5)


def distance(x):
    return (x - POINT[0]) ** 2 + (F.sin(x) - POINT[1]) ** 2


def nearest(start=0.0, count=6):
    xs = newton(distance, start, count)
    x = xs[-1]
    upright = (np.sin(x) - POINT[1]) / (x - POINT[0]) * np.cos(x)
    away = float(np.hypot(x - POINT[0], np.sin(x) - POINT[1]))
    print(f"\nnearest to (2, 1.5) on sin(x): ({x:.6f}, {np.sin(x):.6f}), {away:.6f} away; product of slopes {upright:.6f}")
    return {"x": xs, "away": away, "product": float(upright)}


# %% A look at the sign
# Where the second derivative is negative, the parabola has a highest point, and the jump goes up to it (step 29). As we have the number, we can
# look at its sign. The length of the jump, |slope / second|, is still sensible; only its direction is wrong. So divide by |second|, and each
# jump goes downhill. That is no cure for everything: on the left of 0 the curve flattens out, slope and second derivative both go to 0,
# and each jump only halves the way to 0. It stays on this ledge.


def newton_downhill(f, x, count):
    xs = [x]
    for _ in range(count):
        slope, second = slopes(f, x)
        x = x - slope / abs(second)
        xs.append(x)
    return xs


def other_starts(count=40):
    print("\nstart   second derivative there   Newton ends at   downhill ends at")
    rows = []
    for start in (1.4, 0.5, -0.5):
        rows.append([start, slopes(quartic, start)[1], newton(quartic, start, count)[-1], newton_downhill(quartic, start, count)[-1]])
        print(f"{start:5.1f} {rows[-1][1]:25.2f} {abs(rows[-1][2]):16.4f} {abs(rows[-1][3]):18.4f}")  # abs: 0 may be -0
    return rows


# %% A clear that was forgotten
# Leave out ``cleargrad``, and v.grad holds slope + second derivative. Near the bottom the slope vanishes, so the jumps still arrive, and nothing
# looks wrong. Only the doubling of the digits is gone for a while.


def forgetful(f, x, error, limit=100):
    for jump in range(limit):
        if abs(x - 2.25) < error:
            return jump
        v = Variable(np.array(x))
        f(v).backward(create_graph=True)
        slope = v.grad
        slope.backward()
        x = x - float(slope.data) / float(v.grad.data)


def compare_forgetful(error=1e-8):
    xs = newton(quartic, 4.0, 20)
    right = next(jump for jump, x in enumerate(xs) if abs(x - 2.25) < error)
    wrong = forgetful(quartic, 4.0, error)
    print(f"\njumps to an error below 1e-8: {right}; without cleargrad: {wrong}")
    return [right, wrong]


# %% Pictures
# On the left the way to the nearest point. On the right the height of the landscape over x, with the parts where it bends down in grey.


def draw(path, xs):
    x = np.linspace(-1.5, 4.5, 400)
    with picture(path, columns=2, size=(11.0, 4.4)) as (plane, height):
        plane.plot(x, np.sin(x), color="black", label="sin(x)")
        plane.plot(*POINT, "s", color="#D55E00", label="the point (2, 1.5)")
        for jump, at in enumerate(xs[:4]):
            plane.plot([at, POINT[0]], [np.sin(at), POINT[1]], ":", color="#0072B2", linewidth=1)
            plane.plot(at, np.sin(at), "o", color="#0072B2", label="jumps of Newton's method" if not jump else None)
        plane.annotate("start", (xs[0], np.sin(xs[0])), (-8, 2), textcoords="offset points", ha="right")
        plane.plot([xs[-1], POINT[0]], [np.sin(xs[-1]), POINT[1]], "-", color="#0072B2", label="the shortest line")
        plane.set(title="The nearest point on a curve", xlabel="x", ylabel="y", aspect="equal", xlim=(-1.5, 4.5), ylim=(-1.6, 3.2))
        plane.legend(loc="upper left", fontsize=8)
        down = np.array([slopes(distance, at)[1] < 0 for at in x])
        height.plot(x, distance(Variable(x)).data, color="black", label="squared distance")
        height.fill_between(x, 0, 16, where=down, color="#DDDDDD", label="second derivative below 0")
        at = np.array(xs)
        height.plot(at, distance(Variable(at)).data, "o-", color="#0072B2", linewidth=1, label="jumps")
        height.set(title="Its landscape", xlabel="x", ylabel="squared distance", ylim=(0, 16))
        height.legend(loc="upper right", fontsize=8)


def main(out=None, fast=False):
    ours, pencil = same_jumps()
    found = {"newton": ours, "pencil": pencil, "nearest": nearest(), "starts": other_starts(), "jumps": compare_forgetful()}
    if out:
        draw(out / "nearest.png", found["nearest"]["x"])
    return found


# %% Exercises: python -m steps.check 33 my_answer.py
# 1. ``kind_of_flat(f, x)``: at a number x where the slope of f is 0: "lowest", "highest", or "unclear" where the second derivative is 0 too.
# 2. ``parabola(f, x)``: the numbers a, b, c of the parabola a + b·t + c·t² with the same height, slope and second derivative as f at t = x.
# 3. ``halley(f, x, count)``: with the third derivative the jump gets better still: x - 2·d1·d2 / (2·d2² - d1·d3). Give all x, as newton does.

if __name__ == "__main__":
    run(main)
