"""Is the net too small for its task, or so large that it learns the noise?

A net that is too small cannot follow the curve behind the points: it underfits. A net that follows each point, noise and all, overfits. Both are bad
on new points, and one number does not tell them apart. Two do: the error on the points that the net knows, and the error on points that it does not.
We watch how both move with the size of the net, with the amount of data, and with time.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad
from dezero.models import MLP
from dezero.optimizers import Adam

# %% A task whose answer we know
# A wave that grows from left to right, and noise on each point. The noise has a spread of 0.3, so even who knew the wave would have a mean squared
# error of 0.09 on new points. No net gets below that, except on points that it knows, and there it is a bad sign: it has learned noise.

NOISE = 0.3


def wave(x):
    return (2 + x) * np.sin(2.5 * x) / 2.4


def points(n, rng):
    x = rng.uniform(-2, 2, size=(n, 1))
    return x.astype(np.float32), (wave(x) + rng.normal(scale=NOISE, size=(n, 1))).astype(np.float32)


# %% One training
# The points to learn from are few, those to test with are 1,000, so that the second error is measured well. We note both errors along the way. The
# difference, error on new points minus error on known points, is called the gap. For the last third of the steps the rate is a tenth, so that what
# we measure is the net and not its last jump.


def errors(model, *sets):
    with no_grad():
        return [float(F.mean_squared_error(model(x), t).data) for x, t in sets]


def train(hidden, n, seed, steps):
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    new, known = points(1000, rng), points(n, rng)
    x, t = known
    model = MLP((*hidden, 1), activation=F.tanh, initializer="xavier", in_size=1)
    optimizer = Adam(0.02).setup(model)
    history = []
    for step in range(1, steps + 1):
        if 3 * step > 2 * steps:
            optimizer.rate = 0.002
        batch = rng.permutation(n)[:30]
        loss = F.mean_squared_error(model(x[batch]), t[batch])
        model.cleargrads()
        loss.backward()
        optimizer.update()
        if step % (steps // 40) == 0:
            history.append((step, *errors(model, known, new)))
    return model, known, np.array(history)


def measure(hidden, n, seeds, steps):
    """For each seed the error on known points, on new points, and the lowest on new points along the way."""
    runs = [train(hidden, n, seed, steps)[2] for seed in range(seeds)]
    return {"known": np.array([run[-1, 1] for run in runs]), "new": np.array([run[-1, 2] for run in runs]),
            "lowest": np.array([run[:, 2].min() for run in runs]), "curve": np.median(runs, axis=0)}


def show_row(label, row):
    gap = row["new"] - row["known"]
    known, new, lowest = (np.median(row[name]) for name in ("known", "new", "lowest"))
    print(f"{label:26} {known:9.3f} {new:9.3f} {np.median(gap):9.3f}   {gap.min():6.3f} to {gap.max():.3f} {lowest:11.3f}")


def signs(label, one, other):
    """In how many seeds the gap of one is larger than that of the other."""
    wins = int((one["new"] - one["known"] > other["new"] - other["known"]).sum())
    print(f"{label} in {wins} of {len(one['new'])} seeds")
    return wins


# %% By the size of the net
# 30 points to learn from, and two hidden layers of 1 to 64 tanh units. Numbers are the middle of the seeds. The last column is the lowest error on
# new points that was met on the way: what a training would have come to that stops at the best moment (script w09 does).

SIZES = (1, 2, 4, 16, 64)


def by_size(seeds, steps):
    print(f"middle of {seeds} seeds           known       new       gap    gap, all seeds   lowest new\n30 points, two layers of")
    found = {size: measure((size, size), 30, seeds, steps) for size in SIZES}
    for size, row in found.items():
        show_row(f"{size:4} units, {MLP((size, size, 1), in_size=1).count_params():5} numbers", row)
    return found, signs("the gap is larger with 64 units than with 2", found[64], found[2])


# %% By the amount of data
# Now the net stays the same, 64 units in each of two layers, and the points become more. Nothing else protects as well. What no amount of data can
# cure is a net that is too small: its two errors meet as well, but high above 0.09.

AMOUNTS = (10, 30, 100, 300, 1000)


def by_data(seeds, steps, known):
    print("two layers of 64 units")
    found = {n: known if n == 30 else measure((64, 64), n, seeds, steps) for n in AMOUNTS}
    for n, row in found.items():
        show_row(f"{n:4} points", row)
    wins = signs("the gap is larger with 30 points than with 300", found[30], found[300])
    small = measure((1, 1), 1000, seeds, steps)
    show_row("1000 points, but 1 unit", small)
    return found, wins, small


# %% Is it the number of parameters?
# So people say: more parameters, more overfitting. To test it, the same 30 points go to nets with one hidden layer of 16 and of 1,024 units.


def one_layer(seeds, steps):
    print("30 points, one layer of")
    found = {size: measure((size,), 30, seeds, steps) for size in (16, 1024)}
    for size, row in found.items():
        show_row(f"{size:4} units, {MLP((size, 1), in_size=1).count_params():5} numbers", row)
    return found


# %% What came out
# One unit a layer underfits: it is bad on new points and on known ones too, and more data does not help it. From 2 units on the net can follow the
# wave, and what is added after that goes into the noise. The error on known points sinks far below 0.09, and the error on new points rises. From 2 to
# 64 units the gap grows, from 30 to 300 points it shrinks: both held in 15 of 15 seeds. This is the rule of the textbooks, and here it is true.
#
# It is a rule about the extremes. From 16 to 64 units, with 13 times the parameters, the gap grew in 11 of 15 seeds only. The net of one unit has a
# gap too: with errors as large as its own, chance makes differences. And by the number of parameters the rule is not true at all: one layer of 1,024
# units has ten times those of two layers of 16, and had a smaller gap in 15 of 15.
#
# So to count parameters tells little, and to measure both errors tells what to do. If both are high, take a larger net or train longer. If they are
# far apart, get more data, stop earlier (the last column, and w09), or hold the net back (dropout, w05; augmentation, w06).

# %% Pictures
# With ``--out``: what three nets made of the same 30 points; both errors during training; and the gap, by size and by data.

KNOWN, NEW = "#0072B2", "#D55E00"


def draw_fits(path, steps):
    line = np.linspace(-2, 2, 400, dtype=np.float32).reshape(-1, 1)
    with picture(path, columns=3, size=(12.0, 4.0)) as axes:
        for ax, size, what in zip(axes, (1, 2, 64), ("underfits", "fits", "overfits"), strict=True):
            model, (x, t), history = train((size, size), 30, 2, steps)
            with no_grad():
                ax.plot(line, model(line).data, color=NEW, linewidth=2, label="net")
            ax.plot(line, wave(line), "--", color="#808080", label="wave without noise")
            ax.plot(x, t, "o", color=KNOWN, markersize=4, label="the 30 points")
            _, known, new = history[-1]
            ax.set(title=f"two layers of {size}: it {what}\nknown {known:.3f}, new {new:.3f}", xlabel="x", ylim=(-2.7, 2.4))
        axes[0].legend(loc="lower left", fontsize=9)


def draw_curves(path, sizes, amounts):
    shown = {"2 units, 30 points": sizes[2], "64 units, 30 points": sizes[64], "64 units, 300 points": amounts[300]}
    with picture(path, columns=3, size=(12.0, 4.0)) as axes:
        for ax, (name, row) in zip(axes, shown.items(), strict=True):
            step, known, new = row["curve"].T
            ax.plot(step, known, "--", color=KNOWN, label="known points")
            ax.plot(step, new, color=NEW, label="new points")
            ax.axhline(NOISE**2, color="#808080", linestyle=":", label="the noise, 0.09")
            ax.set(title=name, xlabel="step", ylabel="mean squared error", ylim=(0, 0.5))
        axes[0].figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        axes[0].figure.suptitle("Both errors during training, middle of the seeds")


def draw_gaps(path, sizes, amounts):
    with picture(path, columns=2, size=(10.0, 4.2)) as axes:
        for ax, rows, name in zip(axes, (sizes, amounts), ("units in each of two layers (30 points)", "points (two layers of 64)"), strict=True):
            known, new = (np.array([np.median(row[kind]) for row in rows.values()]) for kind in ("known", "new"))
            ax.fill_between(list(rows), known, new, color="#E69F00", alpha=0.2, label="gap")
            ax.plot(list(rows), known, "s--", color=KNOWN, label="known points")
            ax.plot(list(rows), new, "o-", color=NEW, label="new points")
            ax.axhline(NOISE**2, color="#808080", linestyle=":", label="the noise, 0.09")
            ax.set(xscale="log", xlabel=name, ylabel="mean squared error", ylim=(0, None))
            ax.set_xticks(list(rows), [str(n) for n in rows])
            ax.minorticks_off()
        axes[0].set_title("From 2 units on, the gap grows with the size")
        axes[1].set_title("The gap shrinks with the data")
        axes[0].figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=4)


def main(out=None, fast=False):
    seeds, steps = (3, 400) if fast else (5, 1600)
    sizes, larger = by_size(seeds, steps)
    amounts, smaller, small = by_data(seeds, steps, sizes[64])
    wide = one_layer(seeds, steps)
    if out:
        draw_fits(out / "fits.png", steps)
        draw_curves(out / "curves.png", sizes, amounts)
        draw_gaps(out / "gaps.png", sizes, amounts)
    return {"sizes": sizes, "amounts": amounts, "small": small, "one layer": wide, "seeds with the sign": [larger, smaller]}


# %% Exercises: python -m steps.check w04 my_answer.py
# 1. ``verdict(known, new, goal)``: "underfits" if the error on known points is above the goal; else "overfits" if that on new points is above it;
#    else "fits".
# 2. ``by_heart(x, t)``: for known points x (N,), all different, and t (N,): return a function of an array x (M,) that has no error at all on the
#    known points, and gives some number for any other. Nobody can overfit more.
# 3. ``best_degree(known, new, degrees)``: known and new are pairs (x, t) of arrays (N,). The degree whose polynomial, fitted to the known points with
#    np.polyfit, has the lowest mean squared error on the new points.

if __name__ == "__main__":
    run(main)
