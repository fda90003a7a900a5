"""Can we get down in fewer steps?

Descent feels the slope and takes a short step, again and again. Yet a slope that changes tells more: where it gets smaller as we go on, the
ground is about to turn. Newton's method uses the slope of the slope as well, and jumps to where the bottom should be.
"""

import numpy as np

from support import picture, run

from dezero import Variable

# %% A function and its lowest point
# In one dimension all can be seen. The slope of this function is 4x³ - 9x², which is x² (4x - 9). It is 0 at x = 9/4, the lowest point, and at
# x = 0 too, where the curve is flat for a moment and then goes on falling.

BOTTOM = 2.25


def f(x):
    return x**4 - 3 * x**3 + 2


def slope(x):
    v = Variable(np.array(x))
    f(v).backward()
    return float(v.grad.data)


# %% The second derivative, by hand
# The second derivative is the slope of the slope: positive where the curve bends up like a cup, negative where it bends down. backward has given
# us x.grad, which holds a number. How that number came about is not recorded, so there is no second backward. That is why we take a pencil:
# 4x³ becomes 12x², and 9x² becomes 18x. Steps 30 to 33 get rid of the pencil.


def second_by_hand(x):
    return 12 * x**2 - 18 * x


# %% The jump
# At x draw the parabola with the same height, the same slope and the same second derivative as the curve. Its lowest point is easy: at
# x - slope / second. Jump there, and draw a new one. Descent multiplies the slope by a rate that we have to guess; here 1 / second takes its place.


def newton(x, second, count=60):
    xs = [x]
    while len(xs) <= count and abs(xs[-1] - BOTTOM) > 1e-12:
        x = x - slope(x) / second(x)
        xs.append(x)
    return xs


def descend(x, rate=0.01, count=200):
    xs = [x]
    while len(xs) <= count and abs(xs[-1] - BOTTOM) > 1e-12:
        x = x - rate * slope(x)
        xs.append(x)
    return xs


def first_within(xs, error):
    return next((step for step, x in enumerate(xs) if abs(x - BOTTOM) < error), None)


# %% Digits double
# Near the bottom the curve is nearly a parabola, so the jump nearly hits. Each jump doubles the number of right digits. Descent shrinks the error by
# about the same factor in each step, so each further digit costs as many steps as the one before.


def compare(start):
    jumps, steps = newton(start, second_by_hand), descend(start)
    print("step   Newton's x     its error   descent's x    its error")
    for step in range(7):
        print(f"{step:4} {jumps[step]:12.8f} {abs(jumps[step] - BOTTOM):13.0e} {steps[step]:13.8f} {abs(steps[step] - BOTTOM):12.0e}")
    needed = {}
    print("\nerror below   Newton   descent, rate 0.01")
    for error in (1e-2, 1e-4, 1e-6, 1e-8):
        needed[f"{error:.0e}"] = [first_within(jumps, error), first_within(steps, error)]
        print(f"{error:11.0e} {needed[f'{error:.0e}'][0]:8} {needed[f'{error:.0e}'][1]:20}")
    return jumps, steps, needed


# %% A slip of the pencil
# Suppose we had written 18 for 18x. Nothing stops, and the bottom is still where the slope is 0, so even the result is right. The method is
# just no longer Newton's. A wrong gradient can be found by a check; a wrong second derivative may only look like bad luck.


def with_a_slip(start):
    xs = newton(start, lambda x: 12 * x**2 - 18)
    needed = first_within(xs, 1e-8)
    print(f"\nwith 12x² - 18 by mistake: {needed} jumps to an error below 1e-8")
    return needed


# %% It goes to what is flat
# The jump looks for a place without slope. Where the curve bends down, between 0 and 1.5, the parabola has a highest point and no lowest, and the
# jump goes up to that. From 1.4 we end at 0, where the curve is flat, yet not lowest. At 1.5 the second derivative is 0, and there is no parabola.


def other_starts():
    found = {}
    for start in (1.6, 1.4):
        end = newton(start, second_by_hand)[-1]
        found[str(start)] = [abs(round(end, 6)), slope(round(end, 6)), float(f(end))]
        print(f"from {start} Newton ends at {found[str(start)][0]:.2f}, height {f(end):8.4f}")
    return found


# %% The parabolas


def draw(out, jumps, steps):
    x = np.linspace(-0.6, 4.3, 300)
    with picture(out / "newton.png", columns=2, size=(11.0, 4.4)) as (curve, errors):
        curve.plot(x, f(x), color="black", label="x⁴ - 3x³ + 2")
        for start, end, colour in zip(jumps[:2], jumps[1:3], ("#0072B2", "#D55E00"), strict=True):
            parabola = f(start) + slope(start) * (x - start) + second_by_hand(start) / 2 * (x - start) ** 2
            curve.plot(x, parabola, "--", color=colour, linewidth=1, label=f"parabola at x = {start:.2f}, lowest at {end:.2f}")
            curve.plot(start, f(start), "o", color=colour)
            low = f(start) - slope(start) ** 2 / (2 * second_by_hand(start))
            curve.plot([end, end], [low, f(end)], ":", color=colour)
            curve.plot(end, low, "v", color=colour)
        curve.plot(BOTTOM, f(BOTTOM), "*", color="black", markersize=13, label="lowest point")
        curve.set(title="Newton jumps to the lowest point of the parabola", xlabel="x", ylabel="height", ylim=(-12, 70))
        curve.legend(loc="upper left", fontsize=8)
        for xs, name, style, colour in [(jumps, "Newton", "o-", "#0072B2"), (steps, "descent, rate 0.01", "-", "#D55E00")]:
            errors.semilogy(np.maximum(np.abs(np.array(xs) - BOTTOM), 1e-16), style, color=colour, label=name)
        errors.set(title="Distance from the lowest point", xlabel="step", ylabel="error", ylim=(1e-13, 5))
        errors.legend()


def main(out=None, fast=False):
    jumps, steps, needed = compare(4.0)
    slip = with_a_slip(4.0)
    found = other_starts()
    if out:
        draw(out, jumps, steps)
    return {"newton": jumps, "needed": needed, "slip": slip, "starts": found}


# %% Exercises: python -m steps.check 29 my_answer.py
# 1. ``second(x)``: with a pencil: the second derivative of x**2 * exp(-x), as a formula of a number x.
# 2. ``find_zero(f, x, count)``: count jumps to where f itself is 0: from x follow the straight line that touches the curve. The slope comes from
#    backward. For x**2 - 2 from 1.0 this gives the root of 2. Returns a float.
# 3. ``newton_without_pencil(f, x, count)``: count jumps of the script, with the second derivative as a central difference of two slopes.

if __name__ == "__main__":
    run(main)
