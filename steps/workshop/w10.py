"""Does training get stuck in the wrong valley?

A landscape can have many valleys, and descent ends in one of them. That worried people for decades: is a network that does not learn caught in a
valley that is not the deepest? We look at a landscape of two numbers where everything can be seen, then at places that only look like a valley, and
then we measure, on small networks, what it is that runs get stuck in.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Parameter, Variable, grad, hessian
from dezero.optimizers import SGD, Adam, MomentumSGD

# %% Four starts, four valleys
# Himmelblau's function (step 24) has four points of height 0. Descent feels the slope under its feet and nothing else, so the start decides where
# it ends. A point that is lower than all points around it is called a local minimum. The lowest of all is the global one. Here four share that
# title, and each is as good as the others: many valleys alone do no harm. They do harm if some of them are high up.
#
# The ball with momentum needs more steps here. These valleys are round: it rolls past the bottom, and back again. It was the long narrow valley of
# step 28 where momentum paid.
#
# ``p`` holds x in its first row and y in its second. It may have one column or a thousand: then as many descents run side by side.

STARTS = [(1, 1), (-1, 1), (-1, -1), (1, -1)]


def himmelblau(p):
    x, y = p[0], p[1]
    return (x**2 + y - 11) ** 2 + (x + y**2 - 7) ** 2


def slope(f, p):
    p = Variable(p)
    return grad(F.sum(f(p)), p).data


def descend(f, p, rate, momentum=0.0, steps=1000, noise=0.0):
    """All points on the way. The noise is added to the slopes, save in the last fifth of the steps."""
    rng = np.random.default_rng(0)
    path, velocity = [np.array(p, float)], 0.0
    for step in range(steps):
        push = rng.normal(scale=noise, size=path[-1].shape) if noise and step < 0.8 * steps else 0.0
        velocity = momentum * velocity - rate * (slope(f, path[-1]) + push)
        path.append(path[-1] + velocity)
    return np.array(path)


def four_starts():
    print("start      plain descent ends at   height   steps   with momentum 0.9   steps")
    found = []
    paths = [descend(himmelblau, np.array(STARTS).T, 0.01, momentum) for momentum in (0.0, 0.9)]
    for i, start in enumerate(STARTS):
        (x, y), (mx, my) = (path[-1, :, i] for path in paths)
        steps = [int(np.argmax(np.hypot(*(path[:, :, i] - path[-1, :, i]).T) < 1e-4)) for path in paths]
        print(f"({start[0]:2}, {start[1]:2})   {x:9.4f}, {y:7.4f} {himmelblau((x, y)):11.4f} {steps[0]:7} {mx:11.4f}, {my:7.4f} {steps[1]:6}")
        found.append({"plain": [x, y], "momentum": [mx, my], "steps": steps})
    return found, paths[0]


# %% Does momentum find deeper valleys?
# It is often said that a rolling ball leaves a shallow valley by its swing. Let us ask 289 starts. The landscape is tilted a little, to each of
# eight sides in turn, so that one valley is the deepest. By chance alone a quarter of the runs would end there.
#
# Momentum brings a few more runs into the deepest valley. What it surely does is change the valley. Strong noise, which is switched off at the
# end, does more here. Neither is a promise.


def tilted():
    sides = np.arange(8) * np.pi / 4 + 0.2
    grid = np.stack(np.meshgrid(np.linspace(-4.5, 4.5, 17), np.linspace(-4.5, 4.5, 17))).reshape(2, 1, -1)
    tilt = 5 * np.stack([np.cos(sides), np.sin(sides)])[:, :, None]

    def f(p):
        return himmelblau(p) + tilt[0] * p[0] + tilt[1] * p[1]

    shares = {}
    for name, setting in (("plain", {}), ("momentum 0.9", {"momentum": 0.9}), ("noise", {"noise": 100.0})):
        height = f(descend(f, np.tile(grid, (1, 8, 1)), 0.005, steps=1500, **setting)[-1])
        shares[name] = float((height < height.min(axis=1, keepdims=True) + 0.1).mean())
    print("tilted; runs that end in the deepest valley: " + ", ".join(f"{name} {share:.0%}" for name, share in shares.items()))
    return shares


# %% Level places that are no valleys
# At a minimum the slope is 0. But the slope is also 0 on a hilltop, and on a pass between two hills: along the road the pass is the highest place,
# across the road it is the lowest. Such a point is called a saddle. What a level place is, the second derivatives tell. The table of them, the
# Hessian (step 36), has as many eigenvalues as there are numbers: how strongly the ground bends along directions at right angles. All above 0:
# it bends up on all sides, a minimum. All below 0: a maximum. Some of each: a saddle.
#
# Newton's method (step 33) looks for a slope of 0, so it finds level places of all kinds, and it is just as happy on a hilltop. That is one reason
# why nobody trains networks with it as it is.


def kind_of(bends):
    return "minimum" if bends.min() > 0 else "maximum" if bends.max() < 0 else "saddle"


def newton(start):
    p = start
    while np.abs(slope(himmelblau, p)).max() > 1e-9:
        p = p - np.linalg.solve(hessian(himmelblau, p).data, slope(himmelblau, p))
    return p


def level_places():
    starts = np.stack(np.meshgrid(np.linspace(-5, 5, 9), np.linspace(-5, 5, 9))).reshape(2, -1).T
    ends = np.array([newton(start) for start in starts])
    _, first, counts = np.unique(np.round(ends, 6), axis=0, return_index=True, return_counts=True)
    found = []
    for place, count in zip(ends[first], counts, strict=True):
        bends = np.linalg.eigvalsh(hessian(himmelblau, place).data)
        found.append({"place": place, "height": float(himmelblau(place)), "bends": bends, "kind": kind_of(bends), "starts": int(count)})
    found.sort(key=lambda point: point["height"])
    valleys = sum(point["starts"] for point in found if point["kind"] == "minimum")
    print(f"\nNewton from 81 starts: {valleys} end in the 4 valleys, the others here   height   bends      kind")
    for point in found[4:]:
        (x, y), bends = point["place"], point["bends"]
        print(f"{point['starts']:19} at {x:8.4f}, {y:7.4f} {point['height']:27.1f} {bends[0]:7.1f} {bends[1]:5.1f} {point['kind']}")
    return found


# %% How to leave a saddle
# On a saddle the slope is 0, so plain descent stays. But who stands exactly there? A network does, if all its weights are 0. Our networks have
# two inputs, a few tanh units and no biases: y = tanh(x W) V. If W and V are 0, neither gets a slope: each gradient is multiplied by the other.
# And it is no minimum: for 4 units the Hessian has 4 eigenvalues above 0, 4 below, 4 equal to 0.
#
# Now begin with random weights as small as 0.1, 0.001 and 0.000001. How many steps until the loss is half of what it was? Each step multiplies the
# distance from the saddle by about the same number, so a thousand times closer costs as many steps again: that is a plateau, the flat part
# of many learning curves. Momentum halves it here. Adam does not care how small a slope is, only which way it points.
#
# Exactly at 0 all of them stay forever, also the one that sees 10 samples at a time: "the noise of the batches" is 0 as well, as each sample
# has the slope 0. Noise that is added to the slopes helps. Random first weights are that noise, given once.

METHODS = {"plain": (SGD, 0.05, {}), "momentum": (MomentumSGD, 0.05, {}), "batches of 10": (SGD, 0.05, {"batch": 10}),
           "added noise": (SGD, 0.05, {"noise": 1e-4}), "Adam": (Adam, 0.05, {})}


def task():
    """100 points, and what a teacher says of them: a network with 4 units that look in 4 directions."""
    x = np.random.default_rng(0).normal(size=(100, 2))
    angle = np.pi * np.arange(4) / 4 + 0.3
    return x, np.tanh(3 * x @ np.stack([np.cos(angle), np.sin(angle)])).sum(axis=1, keepdims=True)


def losses(W, V, x, t):
    """The loss of each network; W is (networks, 2, units), so that many learn side by side."""
    return F.mean((F.matmul(F.tanh(F.matmul(x, W)), V) - t) ** 2, axis=(1, 2))


def train(W, V, steps, rule, rate, batch=None, noise=0.0):
    """The trained weights, and all losses (steps + 1, networks) on the whole task."""
    rng, (x, t) = np.random.default_rng(1), task()
    W, V = Parameter(W), Parameter(V)
    optimizer = rule(rate).setup([W, V])
    history = []
    for _ in range(steps):
        each = losses(W, V, x, t)
        history.append(each.data)
        if batch:
            chosen = rng.integers(len(x), size=(len(W.data), batch))
            each = losses(W, V, x[chosen], t[chosen])
        W.cleargrad()
        V.cleargrad()
        F.sum(each).backward()
        for p in (W, V) if noise else ():
            p.grad.data += rng.normal(scale=noise, size=p.shape)
        optimizer.update()
    return W.data, V.data, np.array([*history, losses(W, V, x, t).data])


def leave_saddle(networks, steps=600):
    print("\nsteps until half the loss" + "".join(f"{name:>15}" for name in METHODS))
    found, curves = {}, {}
    for scale in (0.1, 1e-3, 1e-6, 0.0):
        found[str(scale)] = {}
        for name, (rule, rate, setting) in METHODS.items():
            rng = np.random.default_rng(0)
            W, V = rng.normal(scale=scale, size=(networks, 2, 4)), rng.normal(scale=scale, size=(networks, 4, 1))
            *_, history = train(W, V, steps, rule, rate, **setting)
            low = history < history[0] / 2
            needed = np.where(low.any(axis=0), low.argmax(axis=0), steps + 1)
            found[str(scale)][name] = float(np.median(needed)) if np.median(needed) <= steps else None
            curves[scale, name] = history[:, 0]
        print(f"first weights{scale:12g}" + "".join(f"{'never' if n is None else f'{n:.0f}':>15}" for n in found[str(scale)].values()))
    return found, curves


def zero_bends():
    x, t = task()
    return np.linalg.eigvalsh(hessian(lambda w: F.sum(losses(w[:8].reshape(1, 2, 4), w[8:].reshape(1, 4, 1), x, t)), np.zeros(12)).data)


# %% Stuck, or slow?
# Now the claim itself: "networks get stuck in local minima". Students learn what the teacher says. One with 4 units, like the teacher, can reach
# a loss of 0, but does it? To give the claim a chance, the task was chosen so that runs do fail: with a teacher of 2 units only 5 of 40 did.
#
# A run that ended high may be at a minimum, or only slow on flat ground, and the loss alone does not tell. So from there we go on with a careful
# Newton: along each direction of the Hessian it goes downhill, further where the ground bends little, and never up. Passes do not hold it.
# Three things come out. Some runs are at a minimum: slope 0, all bends above 0. Some reach loss 0 after all. And many are in a groove that sinks
# ever more slowly and has no lowest point: the V of two units that nearly cancel grow without end, or the V of a unit whose W shrinks.


def settle(f, p, steps=60):
    for _ in range(steps):
        down = slope(f, p)
        if np.abs(down).max() < 1e-9:
            break
        bends, directions = np.linalg.eigh(hessian(f, p).data)
        move = -directions @ ((directions.T @ down) / np.maximum(np.abs(bends), 1e-6))
        move *= min(1.0, 0.5 / np.linalg.norm(move))
        now = f(Variable(p)).data
        while f(Variable(p + move)).data > now and np.abs(move).max() > 1e-12:
            move = move / 2
        p = p + move
    return p


def judge(W, V):
    """What a run is in that ended high: a minimum, a groove, or no trap at all."""
    units, (x, t) = W.shape[1], task()

    def f(p):
        return F.sum(losses(p[:2 * units].reshape(1, 2, units), p[2 * units:].reshape(1, units, 1), x, t))

    p = settle(f, np.concatenate([W.ravel(), V.ravel()]))
    if f(Variable(p)).data < 1e-3:
        return "slow"
    level = np.abs(slope(f, p)).max() < 1e-9 and np.linalg.eigvalsh(hessian(f, p).data).min() > 0
    return "minimum" if level else "groove"


# %% What helps is room
# Each row of the table is another size of the student, and each run begins with other weights. With just enough units about half of the 40 runs
# are caught, with one unit more 3, with two more none. Was it luck? Five more times, with other weights or another teacher and other points, it
# was 15 to 28 with 4 units, 4 to 17 with 5, 1 or 2 with 6, 0 with 16. So room helps each time, and two units more are not always enough. Where a
# small student has a wall on all sides, each number more is one direction more, and a place that bends up along all of them gets rare.
#
# So the claim is true for networks that are as small as can be, and the cure is room. Networks in use mostly have many more units than they
# need; see the row of 16: 40 runs, 40 sets of weights, and all of them good. If such a network does not learn, look for a bug, a wrong rate or dead
# units (step 46, w02, and the next script) before you blame a valley.


def students(networks, sizes):
    print("\nunits   numbers   ended above 0.001:   in a minimum   in a groove   only slow   worst loss")
    found, curves = {}, {}
    for units in sizes:
        rng = np.random.default_rng(units)
        W, V = rng.normal(scale=0.5**0.5, size=(networks, 2, units)), rng.normal(scale=units**-0.5, size=(networks, units, 1))
        W, V, history = train(W, V, 3000, MomentumSGD, 0.05)
        high = np.flatnonzero(history[-1] > 1e-3)
        kinds = [judge(W[i], V[i]) for i in high]
        counts = {kind: kinds.count(kind) for kind in ("minimum", "groove", "slow")}
        found[str(units)] = {"high": len(high), **counts, "worst": float(history[-1].max())}
        curves[units] = history
        print(f"{units:5} {3 * units:9} {len(high):14} of {networks:2} {counts['minimum']:14} {counts['groove']:13} {counts['slow']:11}"
              f" {history[-1].max():12.4f}")
    return found, curves


# %% The pictures
# With ``--out``: the map with its nine level places, how the loss leaves the saddle, and the learning curves of two sizes.


def draw(out, paths, places, leaving, curves):
    with picture(out / "landscape.png", size=(6.6, 5.6)) as ax:
        xs, ys = np.meshgrid(np.linspace(-5, 5, 300), np.linspace(-5, 5, 300))
        ax.contour(xs, ys, np.log10(himmelblau((xs, ys)) + 1), levels=np.linspace(0.2, 3, 18), colors="#B5C0CB", linewidths=0.7)
        for i, start in enumerate(STARTS):
            ax.plot(*paths[:, :, i].T, ".-", color="#0072B2", markersize=4, linewidth=1, label="plain descent" if i == 0 else None)
            ax.plot(*start, "o", color="black", markersize=5, label="start" if i == 0 else None)
        for kind, mark, colour in (("minimum", "v", "#009E73"), ("saddle", "X", "#D55E00"), ("maximum", "^", "#CC79A7")):
            points = [point["place"] for point in places if point["kind"] == kind]
            ax.plot(*np.transpose(points), mark, color=colour, markersize=10, linestyle="none", label=f"{kind} ({len(points)})")
        ax.set(title="Himmelblau's function: nine places where the ground is level", xlabel="x", ylabel="y")
        ax.legend(loc="lower right", fontsize=8, framealpha=1.0)
    with picture(out / "saddle.png", size=(6.6, 4.2)) as ax:
        for name, colour, line in zip(METHODS, ("#000000", "#0072B2", "#E69F00", "#009E73", "#D55E00"), ("-", "-", ":", "--", "-."), strict=True):
            ax.plot(leaving[1e-6, name][:161], line, color=colour, label=name)
        ax.set(title="Leaving the saddle at 0: first weights of about 0.000001", xlabel="step", ylabel="loss")
        ax.legend()
    with picture(out / "students.png", columns=2, size=(10.0, 4.0)) as axes:
        for ax, units in zip(axes, (4, 6), strict=True):
            ax.loglog(np.arange(1, len(curves[units]) + 1), curves[units], color="#0072B2", linewidth=0.7, alpha=0.6)
            ax.axhline(1e-3, color="#D55E00", linestyle="--", label="0.001")
            ax.set(title=f"Students with {units} units, one line for each run", xlabel="step", ylabel="loss", ylim=(1e-7, 30))
            ax.legend(loc="lower left")


def main(out=None, fast=False):
    starts, paths = four_starts()
    shares = tilted()
    places = level_places()
    saddle, leaving = leave_saddle(5 if fast else 11)
    found, curves = students(10 if fast else 40, (4, 5, 6) if fast else (4, 5, 6, 16))
    if out:
        draw(out, paths, places, leaving, curves)
    return {"starts": starts, "shares": shares, "places": places, "bends at 0": zero_bends(), "saddle": saddle, "students": found}


# %% Exercises: python -m steps.check w10 my_answer.py
# 1. ``kind(f, p)``: "minimum", "maximum" or "saddle" for a level place p (an array) of f, which takes one Variable. Use the package's ``hessian``.
# 2. ``steps_to_leave(bend, rate, times)``: plain descent, bend below 0. How many steps until the distance from the saddle is at least ``times``
#    as large? Think of what one step does to a distance d: the slope there is bend * d. Return an int.
# 3. ``level(f, p)``: where Newton's method ends that starts at p, as an array: repeat p - H⁻¹g until no slope is above 1e-9.

if __name__ == "__main__":
    run(main)
