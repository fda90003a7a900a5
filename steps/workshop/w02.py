"""What goes wrong when the learning rate is too high?

Everybody learns that too small a rate is slow and too large a rate fails. But how does it fail? This script trains one net with seven rates and looks
at its ReLU units meanwhile. With high rates they fall silent one after another, and never speak again. Whether that is the cause of the failure or
only goes along with it can be tested, and so we test it.
"""

import os

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad
from dezero.datasets import MNIST, Digits
from dezero.errors import DatasetError
from dezero.initializers import Normal
from dezero.models import MLP
from dezero.optimizers import SGD

# %% The setting
# A common textbook comparison: 784 pixels, 50 hidden ReLU units, 10 scores, batches of 100, plain descent, first weights with a spread of 0.01. If
# MNIST's files are where DEZERO_DATA points, we take the 10,000 images of its smaller part: 8,000 to learn from, 2,000 to test with. Else we take
# the 8 x 8 digits that come with the package. Then there are 64 pixels, and the rest is the same.


def load():
    os.environ["DEZERO_OFFLINE"] = "1"  # the package may look for files, but not fetch them
    try:
        x, t = MNIST(train=False)[:]
    except DatasetError:
        return "Digits", Digits()[:], Digits(train=False)[:]
    order = np.random.default_rng(0).permutation(len(x))
    first, rest = order[:8000], order[8000:]
    return "MNIST", (x[first], t[first]), (x[rest], t[rest])


# %% Counting live units
# A ReLU passes on what is above 0, and gives 0 for everything else. There its slope is 0 too, so backward brings nothing to the weights before it.
# A unit that is 0 for every image of the training set gets no gradient from any of them. It cannot learn, and so it stays as it is: it is dead. The
# other units are live: above 0 for at least one image. (The callback ``DeadUnits`` counts the same in a training with the Trainer.)


def live_share(model, x):
    with no_grad():
        return float((model.l0(x).data > 0).any(axis=0).mean())


def judge(model, x, t):
    with no_grad():
        y = model(x)
        return float(F.softmax_cross_entropy(y, t).data), float(F.accuracy(y, t).data)


# %% One training
# The rate may be a number, or a function of the step. ``watch`` is called before the first step and after each.


def train(data, rate, seed, steps, activation=F.relu, watch=None):
    x, t = data
    rng = np.random.default_rng(seed)
    model = MLP((50, 10), activation=activation, in_size=x.shape[1], initializer=Normal(0.01, seed=seed))
    optimizer = SGD(0.0).setup(model)
    for step in range(steps + 1):
        if watch:
            watch(step, model)
        if step == steps:
            return model
        optimizer.lr = rate(step) if callable(rate) else rate
        batch = rng.integers(0, len(x), 100)
        loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
        model.cleargrads()
        loss.backward()
        optimizer.update()


# %% Seven rates
# For each rate several seeds, as near the limit luck decides. We print the lowest, the middle and the highest share of right answers on the test set,
# and the same for the share of live units.

RATES = (0.01, 0.1, 0.5, 1.2, 1.5, 2.0, 3.0)


def spread(numbers):
    return f"{min(numbers):7.0%} {np.median(numbers):6.0%} {max(numbers):6.0%}"


def compare_rates(data, test, seeds, steps):
    print(f"after {steps} steps, {seeds} seeds    right on the test set      live units")
    print("                rate      low middle   high      low middle   high")
    found = {}
    for rate in RATES:
        models = [train(data, rate, seed, steps) for seed in range(seeds)]
        found[rate] = {"accuracy": [judge(model, *test)[1] for model in models], "live": [live_share(model, data[0]) for model in models]}
        print(f"{rate:20g} {spread(found[rate]['accuracy'])}   {spread(found[rate]['live'])}")
    return found


# %% Watching one fail
# The loss of a net that fails here does not grow to infinity, as it does in a bowl. It jumps for a while, and then rests near log(10) = 2.3: that is
# the loss of ten equal probabilities. While it jumps, units die. When all are dead, nothing of the image gets through, and only the ten numbers b of
# the last layer learn: how often each digit occurs. (A few units may be dead from the start.)
#
# Do dead units come back? We note the weights of all that are dead after half of the steps, and compare them with those at the end, bit for bit.


def watch_one(data, rate, steps):
    seen, kept = [], {}

    def watch(step, model):
        if step in MOMENTS or step == steps:
            seen.append((step, judge(model, *data)[0], live_share(model, data[0])))
        if step in (steps // 2, steps):
            kept[step] = model.l0.W.data.copy()
        if step == steps // 2:
            with no_grad():
                kept["dead"] = (model.l0(data[0]).data <= 0).all(axis=0)

    train(data, rate, 0, steps, watch=watch)
    moved = kept[steps // 2][:, kept["dead"]] != kept[steps][:, kept["dead"]]
    return {"seen": seen, "dead": int(kept["dead"].sum()), "moved": int(moved.sum()), "weights": moved.size}


MOMENTS = {0, 30, 100, 300, *np.unique(np.geomspace(1, 1500, 40).astype(int)).tolist()}


def show_one(data, steps):
    runs = {rate: watch_one(data, rate, steps) for rate in (0.5, 2.0)}
    print("\nstep   rate 0.5: loss   live units   rate 2: loss   live units")
    for (step, loss, live), (_, high_loss, high_live) in zip(*(one["seen"] for one in runs.values()), strict=True):
        if step in (0, 30, 100, 300, steps):
            print(f"{step:4} {loss:16.2f} {live:12.0%} {high_loss:14.2f} {high_live:12.0%}")
    high = runs[2.0]
    print(f"rate 2: {high['dead']} of 50 are dead after half of the steps; of their {high['weights']} weights {high['moved']} changed later")
    return runs


# %% Cause, or company?
# That units die where training fails does not prove that it fails because they die. So we keep the high rates, and change one thing at a time.
#
# - ``lower later``: the rate falls to 0.1 for the second half. If the net suffered from the rate only, this would save it. If from dead units, not.
# - ``raise slowly``: the rate grows over the first fifth of the steps, a warm-up. If only the start were dangerous, this would help.
# - ``slope 0.01 below 0``: leaky ReLU. The steps are as long as before, but a unit below 0 still gets a small gradient, and can come back.
# - ``mean image away``: the mean of all training images is subtracted from each.
#
# Why the last? A step on one image x changes the weights of a unit by a multiple of x. So the unit's value for another image z changes by the same
# multiple of the sum of products of x and z. Pixels are never negative, so this sum is positive for all pairs of images: the step lifts the unit for
# every image, or lowers it for every image. If it is too long, the unit is below 0 for all. Without the mean image about half of the sums are
# negative: what lowers the unit for some images lifts it for others.


def leaky(x):
    return F.leaky_relu(x, 0.01)


def without_mean(data, test):
    mean = data[0].mean(axis=0)
    return [(x - mean, t) for x, t in (data, test)]


def changes(data, test, steps):
    both, centred = (data, test), without_mean(data, test)
    return {
        "lower later": lambda rate: (both, lambda step: rate if 2 * step < steps else 0.1, F.relu),
        "raise slowly": lambda rate: (both, lambda step: rate * min(1.0, 5 * (step + 1) / steps), F.relu),
        "slope 0.01 below 0": lambda rate: (both, rate, leaky),
        "mean image away": lambda rate: (centred, rate, F.relu),
    }


def change_one_thing(data, test, before, rates, seeds, steps):
    found = {"as above": {rate: before[rate] for rate in rates}}
    for name, change in changes(data, test, steps).items():
        found[name] = {}
        for rate in rates:
            (known, new), rule, activation = change(rate)
            models = [train(known, rule, seed, steps, activation) for seed in range(seeds)]
            found[name][rate] = {"accuracy": [judge(model, *new)[1] for model in models], "live": [live_share(model, known[0]) for model in models]}
    print("\nmiddle of the seeds: right (live)" + "".join(f"{f'rate {rate:g}':>16}" for rate in rates))
    for name, row in found.items():
        print(f"{name:33}" + "".join(f"{np.median(row[rate]['accuracy']):9.0%} ({np.median(row[rate]['live']):4.0%})" for rate in rates))
    return found


def positive_pairs(x):
    """The share of pairs of different images whose sum of products is above 0."""
    products = x[:500] @ x[:500].T
    return float((products[np.triu_indices(len(products), 1)] > 0).mean())


# %% What came out
# To lower the rate later does not save nets that have lost their units. A warm-up delays the dying, and saves a net only where the rate is not far
# too high: with MNIST it does at 1.5, and at 2 no more. With a small slope below 0 the same rates work, if not as well as lower ones: so it is the
# death of the units that ruins the net. And with the mean image away there is nothing to cure: no unit dies, not even with rate 3.
#
# A common saying is that a high rate makes the loss explode. Here it goes to 2.3 and stays: dead units end the runaway. With a larger slope below 0,
# of 0.1, they cannot, and at rate 3 the loss does become NaN, with each of 5 seeds. What both data sets say: the best of the seven rates is the last
# before the first that fails. Who looks for the highest rate that still works looks in the right place, and stands near the edge. Where the edge is
# depends on the data: the small digits are read best with 1.2, and with MNIST that rate fails.


# %% Pictures
# With ``--out``: what each rate comes to, and the two runs of the second table. Each has two scales: loss or right answers on the left, live units on
# the right.

BLUE, ORANGE, RED = "#0072B2", "#E69F00", "#D55E00"


def two_scales(left, colour, name):
    left.set_ylabel(name, color=colour)
    right = left.twinx()
    right.set_ylabel("live units, in %", color="#8A5F00")
    right.set(ylim=(-4, 104))
    return right


def draw_rates(path, found, what):
    rates, places = list(found), range(len(found))
    with picture(path, size=(7.2, 4.4)) as ax:
        right = two_scales(ax, BLUE, "right on the test set, in %")
        for axes, name, colour, style, shown in ((ax, "accuracy", BLUE, "o-", "right"), (right, "live", ORANGE, "s--", "live units")):
            numbers = 100 * np.array([found[rate][name] for rate in rates])
            axes.fill_between(places, numbers.min(axis=1), numbers.max(axis=1), color=colour, alpha=0.15, linewidth=0)
            axes.plot(places, np.median(numbers, axis=1), style, color=colour, label=f"{shown}, middle of the seeds")
        ax.set(xlabel="learning rate", ylim=(-4, 104), title=f"{what}: too slow on the left, dead on the right")
        ax.set_xticks(places, [f"{rate:g}" for rate in rates])
        ax.figure.legend(handles=[*ax.get_lines(), *right.get_lines()], loc="outside lower center", ncols=2, title="bands: lowest to highest seed")


def draw_runs(path, runs):
    with picture(path, columns=2, size=(11.0, 4.4)) as axes:
        for ax, (rate, one) in zip(axes, runs.items(), strict=True):
            step, loss, live = np.transpose(one["seen"][1:])
            right = two_scales(ax, RED, "loss on the training set")
            ax.plot(step, loss, color=RED, label="loss")
            ax.axhline(np.log(10), color="#808080", linestyle=":", label="loss of ten equal probabilities")
            right.plot(step, 100 * live, "--", color=ORANGE, label="live units")
            ax.set(xscale="log", xlabel="step", ylim=(-0.13, 3.38))
            ax.set_title(f"rate {rate:g}: " + ("it learns" if rate < 1 else "units die while the loss jumps"))
            ax.set_xticks([1, 10, 100, 1000], ["1", "10", "100", "1000"])
        ax.figure.legend(handles=[*ax.get_lines(), *right.get_lines()], loc="outside lower center", ncols=3)


def main(out=None, fast=False):
    name, data, test = load()
    steps, seeds = (400 if fast else 1500), (3 if fast or name == "MNIST" else 5)
    found = compare_rates(data, test, seeds, steps)
    runs = show_one(data, steps)
    changed = change_one_thing(data, test, found, (2.0,) if fast else (1.5, 2.0, 3.0), seeds, steps)
    pairs = positive_pairs(data[0]), positive_pairs(without_mean(data, test)[0][0])
    print(f"pairs of images with a sum of products above 0: {pairs[0]:.0%}; with the mean image away {pairs[1]:.0%}")
    if out:
        draw_rates(out / "rates.png", found, name)
        draw_runs(out / "runs.png", runs)
    return {"data": name, "sizes": [len(data[0]), len(test[0])], "rates": found, "runs": runs, "changed": changed, "positive pairs": pairs}


# %% Exercises: python -m steps.check w02 my_answer.py
# 1. ``live_units(h)``: the share of live units, from h (N, H): the values of H units for N images, before the ReLU. A float.
# 2. ``moved(x, others, slope, rate)``: a step of plain descent on one image x (I,), where the loss has the slope ``slope`` by a unit's value
#    x @ w + b. By how much does the unit's value change for each row of others (M, I)? b is learned too. An array (M,).
# 3. ``revive(W, b, x)``: W (I, H), b (H,), images x (N, I) that are not negative, none all 0. Change W and b in place so that all units are live on
#    x; those that are live keep every number. Return how many were dead.

if __name__ == "__main__":
    run(main)
