"""What does batch normalisation do, and is it as good as people say?

The layers of a deep net pass on numbers that may grow or shrink from layer to layer, so first weights and learning rate have to be chosen with care.
Batch normalisation brings the numbers of each unit back to mean 0 and spread 1 at every step. It is said to make training always faster, to allow any
learning rate and to make first weights unimportant. We look at what it computes and where it can go wrong, and measure what is true of the sayings.
"""

from functools import cache

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import no_grad, test_mode
from dezero.datasets import Digits
from dezero.initializers import Normal
from dezero.models import Sequential
from dezero.optimizers import SGD

# %% What it computes
# For each unit, so for each column of (N, H): subtract the mean over the N samples of the batch, and divide by their spread, the root of the
# variance. A tiny number is added to the variance, so that nothing is divided by 0. Then the unit may choose its own mean and spread again: with two
# learned numbers, as gamma times the result plus beta; they start at 1 and 0. Whatever scale and shift the numbers had before is gone, and so is the
# bias of the Linear layer before: it is subtracted with the mean. ``nobias=True`` saves it.


def normalise(x, gamma, beta, eps=2e-5):
    mean, variance = x.mean(axis=0), x.var(axis=0)
    return gamma * (x - mean) / np.sqrt(variance + eps) + beta


def show_numbers():
    x = np.array([[1.0, -200.0], [2.0, 0.0], [3.0, 100.0], [6.0, 500.0]])
    ours, package = normalise(x, 1.0, 0.0), L.BatchNorm(2)(x).data
    moved = normalise(50 * x + 7, 1.0, 0.0)
    pair = normalise(x[[1, 3]], 1.0, 0.0)
    for name, column in (("values of two units", x), ("normalised", ours)):
        print(f"{name:20}" + "   ".join("  ".join(f"{value:7.2f}" for value in column[:, unit]) for unit in (0, 1)))
    same = [float(np.abs(ours - package).max()), float(np.abs(ours - moved).max())]
    print(f"as the package: {same[0] < 1e-12}; 50 times as large and moved by 7, the same: {same[1] < 1e-4}; a batch of two: {spaced(pair[:, 0])}")
    return {"ours": ours, "package": package, "moved": moved, "pair": pair}


def spaced(numbers):
    return " ".join(f"{number:.2f}" for number in numbers)


# %% A net with it, and one without
# Images of the package's digits, four hidden layers of 50 ReLU units. The norm stands between Linear and ReLU.


@cache
def digits(known):
    return Digits(train=known)[:]


def make_net(norm, first):
    layers, size = [], 64
    for _ in range(4):
        layers += [L.Linear(50, in_size=size, nobias=norm, initializer=first)] + ([L.BatchNorm(50)] if norm else []) + [F.relu]
        size = 50
    return Sequential(*layers, L.Linear(10, in_size=size, initializer=first))


def train(norm, first, rate, seed, steps, size=50, watch=None):
    x, t = digits(True)
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    model = make_net(norm, first)
    optimizer = SGD(rate).setup(model)
    with np.errstate(all="ignore"):  # a rate that is too high ends in infinity, and that is a result as well
        for step in range(1, steps + 1):
            batch = rng.integers(0, len(x), size)
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
            if watch:
                watch(step, model)
    return model


# %% Two modes
# In training, what an image comes to depends on the other images of its batch. In use this must not be: the answer for an image has to be the same
# whoever else asks. So the layer keeps running averages: at each training step nine tenths of the old mean plus one tenth of the batch's mean, and
# the same for the variance. In test mode (step 54) these are used. They are no parameters, but have to be saved with them; ``state_dict`` does it.
#
# What happens if test mode is forgotten? With a large mixed batch nothing much, and that is the trap. If the images come sorted, each batch of one
# digit, they are normalised by the mean of that digit, and what is special about it is subtracted. If they come one by one, each number minus its
# mean is 0, and every image gets the same answer. A second trap: the averages start at 0 and 1, and need some steps until they are right.


def right(model, parts=(slice(None),), use=True):
    """Share of right answers for a test set that comes in parts, in use or in training mode."""
    x, t = digits(False)
    hits = 0
    with no_grad(), np.errstate(all="ignore"):
        for part in parts:
            if use:
                with test_mode():
                    y = model(x[part])
            else:
                y = model(x[part])
            hits += int((y.data.argmax(axis=1) == t[part]).sum())
    return hits / len(x)


def orders():
    t = digits(False)[1]
    return {"all 360 at once": [slice(None)], "sorted, digit by digit": [np.flatnonzero(t == digit) for digit in range(10)],
            "one by one": [[i] for i in range(len(t))]}


EARLY = (1, 2, 3, 5, 7, 10, 14, 20, 30, 40, 60, 100)


def show_modes(steps):
    early = {}

    def watch(step, model):
        if step in EARLY or step == steps:
            early[step] = [right(model, use=use) for use in (True, False)]

    model = train(True, "he", 0.1, 0, steps, watch=watch)
    print("\nright answers            test mode   training mode")
    found = {}
    for name, parts in orders().items():
        found[name] = [right(model, parts, use) for use in (True, False)]
        print(f"{name:24} {found[name][0]:9.0%} {found[name][1]:15.0%}")
    for step in (3, 10, 30):
        print(f"{f'at once, after step {step}':24} {early[step][0]:9.0%} {early[step][1]:15.0%}")
    return {"orders": found, "early": early}


# %% Rates and first weights
# Three sets of first weights for the ReLU net: too small, right (He), too large. Five rates, plain descent, batches of 50. In each cell the middle of
# the seeds. The same steps for both; a step with the norm costs more, as there is more to compute.

FIRST = {"spread 0.01": Normal(0.01), "He": "he", "spread 1": Normal(1.0)}
RATES = (0.003, 0.03, 0.3, 3.0, 10.0)


def compare_rates(seeds, steps):
    print(f"\nright after {steps} steps     " + "".join(f"{f'rate {rate:g}':>12}" for rate in RATES))
    found = {}
    for name, first in FIRST.items():
        found[name] = {}
        for norm in (False, True):
            shares = np.array([[right(train(norm, first, rate, seed, steps)) for seed in range(seeds)] for rate in RATES])
            label = "with" if norm else "without"
            found[name][label] = shares
            print(f"{name if not norm else '':14}{label:10} " + "".join(f"{share:12.0%}" for share in np.median(shares, axis=1)))
    return found


# %% Small batches
# The mean of two samples is a poor guess of the mean of all, and the noise in it gets into every number. For two it is even worse: normalised, the
# larger is 1 and the smaller is -1, whatever they were. All that a unit says is which of two images has more of something. Each training here sees
# the same number of images, so smaller batches make more steps. The plain net likes that. With the norm, batches of 2 and 3 are bad, and those of 8
# and more are good. Where batches have to be small, layer normalisation (``L.LayerNorm``) is an alternative: it looks at no other sample.

BATCHES = (2, 3, 4, 8, 32)


def compare_batches(seeds, seen, rate=0.03):
    print(f"\nright after {seen} images  " + "".join(f"{f'batch of {size}':>12}" for size in BATCHES))
    found = {}
    for norm in (False, True):
        shares = np.array([[right(train(norm, "he", rate, seed, seen // size, size)) for seed in range(seeds)] for size in BATCHES])
        label = "with" if norm else "without"
        found[label] = shares
        print(f"{'He':14}{label:10} " + "".join(f"{share:12.0%}" for share in np.median(shares, axis=1)))
    return found


# %% The sayings
# "It always trains faster." Mostly: in 11 of 15 cells the net with the norm is ahead after the same steps. In one it is far behind: with weights that
# are too large and a rate of 0.003. The norm takes the size of the weights out of the result, and then a step changes the less, the larger they are:
# the gradient of weights that are 50 times as large is a fiftieth. And a step with the norm costs more time, which no cell shows.
#
# "It allows any learning rate." Of these rates it allows 3, ten times what the plain net can bear. At 10 both are at 10%, a guess.
#
# "First weights do not matter any more." Much less: with weights far too small the norm saves the net. With weights too large it is slower than with
# those of He, at each rate that works.
#
# "It makes better nets." In the best cells the norm is ahead. But train four times as long, with weights and a rate that suit the plain net, and the
# two hardly differ. What the norm gives is room: it forgives a bad choice, and gets there sooner.


def count_better(rates):
    """Cells of the table in which the middle seed is better with the norm, or without, by more than one point."""
    gains = np.array([np.median(rows["with"], axis=1) - np.median(rows["without"], axis=1) for rows in rates.values()])
    return [int((gains > 0.01).sum()), int((gains < -0.01).sum()), gains.size]


def judge_sayings(rates, seeds, steps):
    better = count_better(rates)
    best = {label: max(np.median(rows[label], axis=1).max() for rows in rates.values()) for label in ("without", "with")}
    print(f"better with it in {better[0]} of {better[2]} cells, worse in {better[1]}; "
          f"best cell without it {best['without']:.0%}, with it {best['with']:.0%}")
    long = {label: [right(train(norm, "he", 0.3, seed, 4 * steps)) for seed in range(seeds)] for label, norm in (("without", False), ("with", True))}
    print(f"He, rate 0.3, {4 * steps} steps: without it {np.median(long['without']):.1%}, with it {np.median(long['with']):.1%}")
    return {"better": better, "best": best, "long": long}


# %% Pictures
# With ``--out``: the table of rates; and the two traps, averages that are not ready and batches that are too small.

COLOURS = {"without": ("#D55E00", "s--"), "with": ("#0072B2", "o-")}


def draw_bands(ax, places, rows):
    for label, shares in rows.items():
        colour, style = COLOURS[label]
        ax.fill_between(places, 100 * shares.min(axis=1), 100 * shares.max(axis=1), color=colour, alpha=0.15, linewidth=0)
        ax.plot(places, 100 * np.median(shares, axis=1), style, color=colour, label=f"{label} batch norm")
    ax.set(ylim=(0, 102))


def draw_rates(path, rates, steps):
    with picture(path, columns=3, size=(12.0, 4.2)) as axes:
        for ax, (name, rows) in zip(axes, rates.items(), strict=True):
            draw_bands(ax, range(len(RATES)), rows)
            ax.set(title=f"first weights: {name}", xlabel="learning rate", ylabel="right on the test set, in %")
            ax.set_xticks(range(len(RATES)), [f"{rate:g}" for rate in RATES])
        axes[0].figure.suptitle(f"After {steps} steps: middle of the seeds, and from the lowest to the highest")
        axes[0].figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=2)


def draw_traps(path, early, batches):
    with picture(path, columns=2, size=(10.0, 4.2)) as (left, right_one):
        steps = list(early)
        use, batch = 100 * np.transpose(list(early.values()))
        left.plot(steps, batch, "-", color="#009E73", label="mean and variance of the test images")
        left.plot(steps, use, "--", color="#CC79A7", label="running averages (test mode)")
        left.set(xscale="log", title="At first the running averages are not ready", xlabel="step", ylabel="right, in %", ylim=(0, 102))
        left.set_xticks([1, 10, 100], ["1", "10", "100"])
        left.legend(loc="lower right")
        draw_bands(right_one, range(len(BATCHES)), batches)
        right_one.set(title="Small batches: the same number of images", xlabel="images in a batch", ylabel="right, in %")
        right_one.set_xticks(range(len(BATCHES)), map(str, BATCHES))
        right_one.legend(loc="lower right")


def main(out=None, fast=False):
    seeds, steps = (3, 60) if fast else (5, 200)
    found = show_numbers()
    modes = show_modes(100 if fast else 200)
    rates = compare_rates(seeds, steps)
    sayings = judge_sayings(rates, seeds, steps)
    batches = compare_batches(seeds, 600 if fast else 1500)
    if out:
        draw_rates(out / "rates.png", rates, steps)
        draw_traps(out / "traps.png", modes["early"], batches)
    return {"numbers": found, "modes": modes, "rates": rates, **sayings, "batches": batches}


# %% Exercises: python -m steps.check w14 my_answer.py
# 1. ``running(batches, decay)``: from a list of arrays (N,), the running average of their means as the layer keeps it: at first 0, and with each
#    batch decay times the old average plus 1 - decay times the batch's mean. A float.
# 2. ``answers(model, x)``: the classes that a model with BatchNorm gives to images x (N, I), an array (N,). Each answer has to be the same whatever
#    other images are asked, and the model must be left as it was: same running averages, still in training mode.
# 3. ``folded(W, b, norm)``: in use, a Linear layer and the BatchNorm after it are one Linear layer. Its W and b as arrays, from the arrays W (I, H),
#    b (H,) and the layer norm: what a finished net runs with, so that the norm costs nothing.

if __name__ == "__main__":
    run(main)
