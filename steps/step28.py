"""How do we find the lowest point of a landscape in the dark?

Imagine you stand on a mountain at night. You see nothing, but you feel the slope under your feet. So you take a step downhill, feel again, and
take the next. That is gradient descent, and nearly all neural networks learn by it. The landscape here is Beale's function of step 24.
"""

import numpy as np

from support import picture, run

from dezero import Variable

# %% One step
# The gradient points uphill, where the function grows fastest. So we go the other way: from each coordinate we subtract its slope times a small
# number, the learning rate. Steep ground gives long steps, flat ground short ones.
#
# ``x.data`` gets a new array; we do not change the function or the graph. And before each backward the old gradient has to go: backward adds to
# what is there (step 14).

LOWEST = (3.0, 0.5)


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def descend(rate, momentum=0.0, clear=True, limit=5000):
    """The points from (1, 1) on, until one is within 0.01 of the lowest, one is too far off, or there are too many."""
    point = [Variable(np.array(1.0)), Variable(np.array(1.0))]
    velocity = [0.0, 0.0]
    path, slopes = [(1.0, 1.0)], []
    while 0.01 <= np.hypot(path[-1][0] - LOWEST[0], path[-1][1] - LOWEST[1]) < 10 and len(path) <= limit:
        for v in point:
            if clear:
                v.cleargrad()
        beale(*point).backward()
        slopes.append(float(np.hypot(*(v.grad.data for v in point))))
        for i, v in enumerate(point):
            velocity[i] = momentum * velocity[i] - rate * v.grad.data
            v.data = v.data + velocity[i]
        path.append(tuple(float(v.data) for v in point))
    return np.array(path), slopes


# %% Plain descent
# Look at the last column. The first steps fall into the valley. Then the ground is nearly flat, the steps are tiny, and most of the time is spent
# on the last part of the way.


def show_way(title, path, slopes, shown):
    print(f"{title}: {len(path) - 1} steps\n   step        x        y    height    slope")
    for step in shown:
        x, y = path[step]
        print(f"{step:7} {x:8.4f} {y:8.4f} {beale(x, y):9.6f} {slopes[step]:8.4f}")


# %% A ball instead of feet
# A ball that rolls does not forget its speed. At each step it keeps nine tenths of its velocity and adds what the slope gives: that is momentum.
# On the flat ground the small pushes all point the same way and add up, in the end to ten times the step: 1 + 0.9 + 0.81 + ... is 10. Across the
# valley they point to and fro and cancel. With momentum 0 the same code is plain descent.


def how_it_ends(path):
    away = np.hypot(path[-1][0] - LOWEST[0], path[-1][1] - LOWEST[1])
    return f"{len(path) - 1} steps" if away < 0.01 else "runs away" if away >= 10 else "does not arrive"


# %% How large a step?
# A small rate takes its time. A large one jumps over the valley to the other side and back again, forever, or each time a little higher, until it
# runs away. There is no rate that is right for all functions: people try some, each about three times the one before.
#
# The last line forgets to clear the old gradients. They add up to a velocity that nothing ever slows down: a ball that rolls to and fro until
# it leaves the map.


def compare_rates():
    print("\nrate    plain descent   with momentum 0.9")
    found = {}
    for rate in (0.003, 0.01, 0.02, 0.05):
        found[rate] = [how_it_ends(descend(rate, momentum)[0]) for momentum in (0.0, 0.9)]
        print(f"{rate:<7} {found[rate][0]:15} {found[rate][1]}")
    forgotten = how_it_ends(descend(0.01, clear=False)[0])
    print(f"rate 0.01, old gradients not cleared: {forgotten}")
    return {**{str(rate): ends for rate, ends in found.items()}, "not cleared": forgotten}


# %% The two ways on a map


def draw(out, paths):
    xs, ys = np.meshgrid(np.linspace(0.2, 4.4, 300), np.linspace(-1.1, 1.4, 300))
    with picture(out / "paths.png", columns=2, size=(11.0, 4.4)) as (land, distance):
        land.contour(xs, ys, np.log10(beale(xs, ys) + 1e-3), levels=np.linspace(-3, 3, 25), colors="#9AA9B8", linewidths=0.7, linestyles="solid")
        for (name, path), colour, mark in zip(paths.items(), ("#D55E00", "#0072B2"), ("o", "s"), strict=True):
            land.plot(*path.T, "-", color=colour, linewidth=1.2)
            land.plot(*path.T, mark, color=colour, markersize=2.5, label=f"{name}: {len(path) - 1} steps")
            distance.semilogy(np.hypot(*(path - LOWEST).T), color=colour, label=name)
        land.plot(*LOWEST, "*", color="black", markersize=13, label="lowest point")
        land.plot(1, 1, "X", color="black", markersize=8, label="start")
        land.set(title="Two ways down Beale's function, rate 0.01", xlabel="x", ylabel="y")
        land.legend(loc="lower right", framealpha=1.0)
        distance.axhline(0.01, color="#808080", linestyle=":", label="near enough")
        distance.set(title="How far from the lowest point", xlabel="step", ylabel="distance")
        distance.legend()


def main(out=None, fast=False):
    plain, plain_slopes = descend(0.01)
    rolling, rolling_slopes = descend(0.01, momentum=0.9)
    show_way("plain descent, rate 0.01", plain, plain_slopes, (0, 1, 10, 100, 1000))
    show_way("\nwith momentum 0.9", rolling, rolling_slopes, (0, 1, 10, 100))
    rates = compare_rates()
    if out:
        draw(out, {"plain descent": plain, "with momentum 0.9": rolling})
    return {"plain": len(plain) - 1, "momentum": len(rolling) - 1, "ends": [plain[-1], rolling[-1]], "rates": rates}


# %% Exercises: python -m steps.check 28 my_answer.py
# 1. ``largest_rate()``: think: f(x) = 3 * x**2, plain descent from x = 1. For which rates does it come down? Return the number they must stay below.
# 2. ``descend_one(f, x, rate, count)``: count steps of plain descent on a Variable x, in place. This version has two bugs; mend them:
#    ``for _ in range(count): f(x).backward(); x.data -= rate * x.grad.data`` (the array that was in x at the start belongs to somebody else)
# 3. ``safe_step(f, x, y, rate)``: one step of plain descent from two floats; halve the rate until the new point is lower. Returns the new floats.

if __name__ == "__main__":
    run(main)
