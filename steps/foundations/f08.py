"""Which way is down, when there is more than one knob to turn?

A loss says how wrong a model is (f07). To learn is to make it smaller, so we have to know which way to turn each knob. We try it out: turn a knob a
little, see what the loss does. From that come the derivative, the gradient, and gradient descent, by which nearly all networks learn.
"""

import numpy as np

from support import picture, run

# %% The slope at a place
# Turn the knob x by a small step. The change of f, divided by the step, is the slope there: 6 means that f grows 6 times as fast as x. What the
# slope tends to while the step shrinks is called the derivative. For x * x school maths gives 2 * x, so at 3 it is 6, and we can see how well
# trying works. To step in one direction leaves an error as large as the step. To take half of the way on each side is far better: the central
# difference. Here nearly nothing is left of the error; other functions keep a little, and step 04 looks at it closely.


def derivative(f, x, step=1e-4):
    """The slope of f at x, by trial on both sides."""
    return (f(x + step) - f(x - step)) / (2 * step)


def show_derivative():
    one_side = ((3 + 1e-4) ** 2 - 3**2) / 1e-4
    both = derivative(lambda x: x * x, 3.0)
    print(f"slope of x*x at 3, step 0.0001: by one side {one_side:.6f}, by both sides {both:.6f}")
    return one_side, both


# %% Two knobs, two slopes
# Our loss now is a bowl over a plane: x and y are the knobs, f = x*x + y*y is the height. "The slope" makes no sense any more, as it depends on the
# direction in which we go. So we ask for one knob at a time. Hold y still and turn x: that slope is the partial derivative by x. Hold x still and
# turn y: the partial derivative by y. Both in one array are the gradient. The program below does it for any number of knobs; each costs two calls.


def round_bowl(point):
    return point[0] ** 2 + point[1] ** 2


def oval_bowl(point):
    return point[0] ** 2 + 10 * point[1] ** 2


def gradient(f, point, step=1e-4):
    """All partial derivatives of f at a point, in an array."""
    slopes = np.zeros(len(point))
    for i in range(len(point)):
        turned = np.zeros(len(point))
        turned[i] = step
        slopes[i] = (f(point + turned) - f(point - turned)) / (2 * step)
    return slopes


# %% A field of arrows
# The gradient is an arrow: so far to the right, so far up. It points to where f grows fastest, and it is longer where f is steeper. So the arrow the
# other way shows the way down. Drawn at many places, these arrows are a field.
#
# One often reads that the arrow points to the lowest place. It does in a round bowl. In an oval one, ten times as steep along y, it points down the
# nearest wall. We ask at 1000 places by how many degrees the way down misses the lowest place, which is at (0, 0) in both bowls.


def angle(a, b):
    """Between two arrows, in degrees."""
    return float(np.degrees(np.arccos(np.clip(a @ b / np.sqrt((a @ a) * (b @ b)), -1, 1))))


def show_field():
    print("\n   x     y    way down in the round bowl   way down in the oval bowl")
    found = {"round": [], "oval": []}
    for x, y in ((2.0, 0.0), (2.0, 1.0), (-1.0, 2.0)):
        point = np.array([x, y])
        downs = [-gradient(bowl, point) for bowl in (round_bowl, oval_bowl)]
        print(f"{x:4.0f} {y:5.0f} " + "".join(f"{a + 0.0:16.2f} {b + 0.0:8.2f}   " for a, b in downs).rstrip())
    for point in np.random.default_rng(0).uniform(-2, 2, size=(1000, 2)):
        for name, bowl in (("round", round_bowl), ("oval", oval_bowl)):
            found[name].append(angle(-gradient(bowl, point), -point))
    found = {name: {"largest": max(angles), "mean": float(np.mean(angles))} for name, angles in found.items()}
    print("degrees by which it misses the lowest, 1000 places: " + ", ".join(
        f"{name} bowl {found[name]['mean']:.0f} (most {found[name]['largest']:.0f})" for name in found))
    return found


# %% Gradient descent
# So we go down in small steps, and ask for the gradient again after each. A step is the gradient times a number, which is called the learning
# rate, taken away from the point: new point = point - rate * gradient. On steep ground steps are long, on flat ground short, by themselves.


def descend(f, point, rate, count=100):
    """The points on the way, the first one too."""
    path = [np.array(point)]
    for _ in range(count):
        path.append(path[-1] - rate * gradient(f, path[-1]))
    return np.array(path)


# %% How large a rate?
# In the round bowl we can work it out. The gradient is 2 times the point, so a step leaves 1 - 2 * rate times the point. After n steps it is that
# factor to the power of n. At 0.1 the factor is 0.8: every step takes a fifth of the way that is left. At 0.0001 it is 0.9998, so after 100 steps we
# are nearly where we began: it is not wrong, only slow. At 0.5 the factor is 0. That is luck and comes with this bowl. At 1 it is -1: to and fro
# between two places for ever. At 1.1 it is -1.2: each step lands on the other side and higher than before.


def show_rates():
    print("\nrate      factor   distance: 1 step    10 steps    100 steps   what happens")
    paths, found = {}, {}
    says = {1e-4: "hardly moves", 0.1: "comes down", 0.5: "there in one step", 0.9: "down, from side to side", 1.0: "to and fro", 1.1: "runs away"}
    for rate, what in says.items():
        paths[rate] = descend(round_bowl, (3.0, 4.0), rate)
        away = np.hypot(*paths[rate].T)[[1, 10, 100]]
        found[str(rate)] = away
        print(f"{rate:<8} {1 - 2 * rate:7.4f} " + "    ".join(f"{distance if distance > 1e-10 else 0:9.4g}" for distance in away) + f"   {what}")
    return paths, found


# %% One rate for all knobs
# In the oval bowl each knob has a factor of its own: 1 - 2 * rate for x, 1 - 20 * rate for y. The steep knob sets the limit: from 0.1 on, y runs
# away. And at the rates that y allows, x is slow. Real losses have thousands of knobs, some much steeper than others. That is why the learning rate
# is the first thing to look at when a training fails, and why there are cleverer rules than this one (steps 28 and 46).


def show_oval():
    print("\noval bowl, 20 steps    rate   x, began at 3   y, began at 4")
    paths, found = {}, {}
    for rate in (0.01, 0.09, 0.11):
        paths[rate] = descend(oval_bowl, (3.0, 4.0), rate, 20)
        found[str(rate)] = paths[rate][-1]
        print(f"{rate:27} {found[str(rate)][0]:15.2f} {found[str(rate)][1]:15.2f}")
    return paths, found


# %% What it costs
# A step of descent by trial takes two calls for each knob. A small network for digits has 40,000 knobs, and one call goes through all its examples.
# So trying is good to understand and to check, and too dear to learn with. The steps from 05 on find all slopes at the price of a few calls.


def show_cost():
    calls = {}
    for knobs in (2, 100, 1000):
        counter = []
        gradient(lambda point, counter=counter: counter.append(1) or np.sum(point**2), np.ones(knobs))
        calls[str(knobs)] = len(counter)
    print("\ncalls for one gradient: " + ", ".join(f"{count} with {knobs} knobs" for knobs, count in calls.items()))
    return calls


# %% Pictures


def draw_field(path):
    xs = np.linspace(-3, 3, 121)
    places = [np.array([x, y]) for x in np.arange(-2.5, 2.6, 1.0) for y in np.arange(-2.5, 2.6, 1.0)]
    with picture(path, columns=2, size=(10.5, 5.4)) as axes:
        for ax, bowl, name in zip(axes, (round_bowl, oval_bowl), ("x*x + y*y: arrows meet in the middle", "x*x + 10*y*y: arrows go down the wall"),
                                  strict=True):
            grid = np.meshgrid(xs, xs)
            ax.contour(*grid, bowl(grid), levels=10, colors="#9AA9B8", linewidths=0.8)
            downs = np.array([-gradient(bowl, place) for place in places])
            ax.quiver(*np.transpose(places), *downs.T, color="#0072B2", angles="xy", width=0.006, scale=35 if bowl is round_bowl else 340)
            ax.plot(0, 0, "*", color="#D55E00", markersize=14)
            ax.set(title=name, xlabel="x", ylabel="y", xlim=(-3, 3), ylim=(-3, 3), aspect="equal")


def draw_rates(path, paths, ovals):
    along, xs = np.linspace(-9, 9, 181), np.linspace(-7, 7, 121)
    with picture(path, columns=3, size=(14.0, 4.4)) as (cut, distance, oval):
        cut.plot(along, along**2, color="#9AA9B8", linewidth=4, alpha=0.6)
        for rate, mark, colour in ((1e-4, "o-", "#E69F00"), (0.1, "s-", "#0072B2"), (1.1, "^-", "#D55E00")):
            places = paths[rate][:4 if rate > 1 else None] @ (0.6, 0.8)
            cut.plot(places, places**2, mark, color=colour, markersize=6, linewidth=1, label=f"rate {rate:g}")
            distance.semilogy(np.hypot(*paths[rate].T), mark, markevery=20, color=colour, label=f"rate {rate:g}")
        cut.set(title="Round bowl, cut through the start at 5", xlabel="place along the cut", ylabel="height", xlim=(-9, 9), ylim=(-2, 102))
        cut.legend(loc="upper center")
        distance.set(title="Round bowl: straight lines on this scale", xlabel="step", ylabel="distance from the lowest place")
        distance.legend(loc="lower left")
        grid = np.meshgrid(xs, xs)
        oval.contour(*grid, oval_bowl(grid), levels=14, colors="#C3CCD5", linewidths=0.8)
        for rate, colour, mark in ((0.01, "#E69F00", "o-"), (0.09, "#0072B2", "s-")):
            oval.plot(*ovals[rate].T, mark, color=colour, markersize=3, linewidth=1, label=f"rate {rate:g}")
        oval.plot(0, 0, "*", color="black", markersize=12)
        oval.set(title="Oval bowl: slow, or from wall to wall", xlabel="x", ylabel="y", xlim=(-2, 5), ylim=(-5, 5))
        oval.legend(loc="lower right", framealpha=1.0)


def main(out=None, fast=False):
    slopes = show_derivative()
    field = show_field()
    paths, rates = show_rates()
    ovals, oval = show_oval()
    calls = show_cost()
    if out:
        draw_field(out / "field.png")
        draw_rates(out / "rates.png", paths, ovals)
    return {"slopes": slopes, "field": field, "rates": rates, "oval": oval, "calls": calls}


# %% Exercises: python -m steps.check f08 my_answer.py
# 1. ``limit(steepness)``: think: the bowl is steepness * x*x. At which rate does descent go to and fro for ever? Above it, it runs away.
# 2. ``partial(f, point, i)``: the partial derivative of f by knob i at a point, an array of any length. The point must stay as it was.
# 3. ``descend_until(f, point, rate, small, most)``: descend until the gradient is shorter than small, but at most ``most`` steps. Returns the point
#    and the number of steps. From here you may take the gradient: ``from f08 import gradient``.

if __name__ == "__main__":
    run(main)
