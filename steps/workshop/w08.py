"""Should the learning rate stay as it is?

A large rate is quick at first and restless in the end; a small one is the reverse. A schedule changes the rate while the net learns: in stairs, by
a constant factor, along a cosine, with a slow start, or when the loss falls no more. We look at the exact values of each, and then measure over
seeds when it helps. It does not always.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import ArrayDataset, Digits
from dezero.models import MLP
from dezero.optimizers import SGD, Adam, CosineLR, ExponentialLR, ReduceLROnPlateau, StepLR, WarmUp
from dezero.training import Evaluator, LearningRateScheduler, Trainer
from dezero.training import ReduceLROnPlateau as OnPlateau

# %% Why a rate should fall
# A batch is a sample, so its gradient is the true one plus noise. Take the simplest valley, x**2 / 2. Its gradient is x; what we see is x plus noise
# of mean 0 and variance 1. A step with the rate r makes x - r (x + noise) = (1 - r) x - r noise. How far from the middle is x? On average, over all
# that the noise could have been, the square of the distance goes from m to (1 - r)**2 m + r**2: the first part shrinks, the second comes in anew
# with each step. So no noise has to be drawn, the table is exact; the distance in it is the root of m.
#
# So a constant rate never arrives. Where both parts are in balance, m = r / (2 - r): with r = 0.5 the distance stays at 0.58. A rate of 0.02 comes
# nearer, but is still on its way after 100 steps. A rate that begins at 0.5 and falls to 0 has both: it is there soon, and then it settles.


def noisy_valley():
    courses = {}
    print("noisy valley, distance from the middle after step       0       5      20      60     100")
    cosine = CosineLR(SGD(0.5), steps=100)
    rates = {"rate 0.5": [0.5] * 100, "rate 0.02": [0.02] * 100, "from 0.5 along a cosine to 0": [cosine.rate_at(i) for i in range(100)]}
    for name, row in rates.items():
        squares = [100.0]
        for rate in row:
            squares.append((1 - rate) ** 2 * squares[-1] + rate ** 2)
        courses[name] = np.sqrt(squares)
        print(f"{name:46}" + "".join(f"{courses[name][i]:8.3f}" for i in (0, 5, 20, 60, 100)))
    return courses


# %% Schedules that know the way
# Most schedules are a function of the number of the step alone. You decide what a step is, an epoch or a batch, and call ``step()`` after each. Here
# the optimizer has the rate 0.8.
#
# - StepLR: after every 4 steps the rate is halved.
# - ExponentialLR: it is multiplied by 0.8 in each step.
# - CosineLR: half a cosine from the rate down to 0, in 12 steps. It falls slowly at first, steeply in the middle, and slowly in the end.
# - WarmUp: 4 steps along a line up to the rate, then another schedule, here a cosine of 8 steps. The idea: the first gradients of a net that knows
#   nothing are large and change their direction, so nobody should follow them far.

PLANS = {
    "StepLR(o, 4, gamma=0.5)": lambda optimizer: StepLR(optimizer, step_size=4, gamma=0.5),
    "ExponentialLR(o, gamma=0.8)": lambda optimizer: ExponentialLR(optimizer, gamma=0.8),
    "CosineLR(o, 12)": lambda optimizer: CosineLR(optimizer, steps=12),
    "WarmUp(CosineLR(o, 8), 4, 0.25)": lambda optimizer: WarmUp(CosineLR(optimizer, steps=8), steps=4, start=0.25),
}


def exact_values():
    print("\nstep" + " " * 28 + "".join(f"{i:7}" for i in (0, 1, 2, 3, 4, 6, 8, 10, 12)))
    table = {}
    for name, make in PLANS.items():
        optimizer = SGD(0.8)
        schedule = make(optimizer)
        table[name] = [optimizer.rate]
        for _ in range(12):
            schedule.step()
            table[name].append(optimizer.rate)
        print(f"{name:32}" + "".join(f"{table[name][i]:7.3f}" for i in (0, 1, 2, 3, 4, 6, 8, 10, 12)))
    return table


# %% A schedule that looks
# ReduceLROnPlateau gets a number after each epoch, best the loss on data that the net does not learn from. While it improves, nothing happens. With
# patience=2, two epochs without a new best are borne; after the third, the rate is multiplied by the factor, and the waiting begins anew. Here the
# losses are written down beforehand, so that we can see each decision. A loss of 0.70 in epoch 6 is no new best: 0.70 was there before.

SCRIPT = [1.00, 0.80, 0.70, 0.72, 0.71, 0.70, 0.60, 0.62, 0.61, 0.63, 0.55, 0.56]


def scripted_plateau():
    optimizer = SGD(0.8)
    schedule = ReduceLROnPlateau(optimizer, factor=0.5, patience=2)
    rates, best = [], []
    for loss in SCRIPT:
        schedule.step(loss)
        rates.append(optimizer.rate)
        best.append(schedule.best)
    print(f"\n{'epoch':20}" + "".join(f"{i:6}" for i in range(1, 13)))
    for name, row in (("loss, written down", SCRIPT), ("best loss so far", best), ("rate afterwards", rates)):
        print(f"{name:20}" + "".join(f"{x:6.2f}" for x in row))
    return rates


# %% Does it help?
# 500 digits to learn from, a net with 50 hidden units, Adam, 12 epochs. 200 other digits are for the plateau to look at, and 1,097 are to test
# with. The callback ``LearningRateScheduler`` calls ``step()`` for us, after each epoch or, with ``by="batch"``, after each batch. Each schedule
# gets the same first weights and batches as the constant rate.

EPOCHS, BATCHES = 12, 20

SCHEDULES = {
    "constant": lambda o: [],
    "StepLR, three stairs": lambda o: [LearningRateScheduler(StepLR(o, step_size=4, gamma=0.1))],
    "ExponentialLR to 1/100": lambda o: [LearningRateScheduler(ExponentialLR(o, gamma=0.01 ** (1 / EPOCHS)))],
    "CosineLR": lambda o: [LearningRateScheduler(CosineLR(o, steps=EPOCHS * BATCHES), by="batch")],
    "WarmUp, 2 epochs": lambda o: [LearningRateScheduler(WarmUp(o, steps=40, start=0.01), by="batch")],
    "WarmUp and CosineLR": lambda o: [LearningRateScheduler(WarmUp(CosineLR(o, steps=200), steps=40, start=0.01), by="batch")],
    "ReduceLROnPlateau": lambda o: [OnPlateau("val_loss", factor=0.3, patience=1)],
}


def split(seed):
    parts = Digits()[:], Digits(train=False)[:]
    x, t = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.random.default_rng(seed).permutation(len(x))
    return [ArrayDataset(x[part], t[part]) for part in np.split(order, [500, 700])]


def train(callbacks, rate, seed):
    """The history, and the share of right answers on the test images."""
    learn, validation, test = split(seed)
    np.random.seed(seed)
    loader = DataLoader(learn, 25)
    model = MLP((50, 10), activation=F.relu, in_size=64)
    optimizer = Adam(rate).setup(model)
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, callbacks=callbacks(optimizer))
    history = trainer.fit(loader, DataLoader(validation, 200, shuffle=False), epochs=EPOCHS)
    found = Evaluator(model, metrics=[F.accuracy]).evaluate(DataLoader(test, 256, shuffle=False))
    return history, found["accuracy"]


# %% What came out
# - Where the rate is too large, at 0.1, each schedule that ends low is better than the constant rate, nearly each time.
# - Where it is too small, at 0.003, each schedule that ends low is worse, each time: a net that has not arrived should not slow down. The plateau
#   sees that the loss still falls, does nothing, and does no harm.
# - Fair is to give each schedule its own best of four rates, the last column. Then there is little left to gain: less than one point for the best,
#   and nothing for some. The gain goes with a rate three times as large as the best constant one: schedules like to start high.
# - Warm-up alone did not help. Before a cosine it did, and most where the rate is too large. It is said to be needed for large batches and for
#   transformers; a net as small as this one can do without.
#
# Choosing the best rate by the test images flatters all rows alike, the constant one too. In w16 we ask how much such a choice is worth.


def compare(rates, seeds):
    table = {}
    print(f"\nright on 1,097 images, mean of {len(seeds)} seeds; in brackets: seeds better than the constant rate")
    print(f"{'from the rate':22}" + "".join(f"{rate:14}" for rate in rates) + ("     best" if len(rates) > 2 else ""))
    for name, callbacks in SCHEDULES.items():
        table[name] = np.array([[train(callbacks, rate, seed)[1] for seed in seeds] for rate in rates])
        wins = (table[name] > table["constant"]).sum(axis=1)
        cells = [f"{row.mean():.1%}" + (f" ({n:2})" if name != "constant" else "     ") for row, n in zip(table[name], wins, strict=True)]
        best = f"{table[name].mean(axis=1).max():9.1%}" if len(rates) > 2 else ""
        print((f"{name:22}" + "".join(f"{cell:>14}" for cell in cells) + best).rstrip())
    return table


# %% Pictures
# With ``--out``: the schedules, the noisy valley, and the rates and losses of one training from 0.1.


def draw(out, values, courses):
    with picture(out / "schedules.png", size=(7.0, 4.2)) as ax:
        for (name, row), color, style in zip(values.items(), ("#D55E00", "#0072B2", "#009E73", "black"), ("s", "^", "o", "v"), strict=True):
            ax.plot(row, style + "-", color=color, markersize=4, label=name, drawstyle="steps-post" if name.startswith("StepLR") else "default")
        ax.set(title="Four schedules for the rate 0.8", xlabel="step", ylabel="learning rate", ylim=(0, 1.1))
        ax.legend(ncols=2, loc="upper center")
    with picture(out / "valley.png", size=(6.5, 4.2)) as ax:
        for (name, row), color, style in zip(courses.items(), ("#D55E00", "#0072B2", "black"), ("--", "-.", "-"), strict=True):
            ax.plot(row, style, color=color, label=name)
        ax.set(title="A large rate stays restless, a small one is slow", xlabel="step", ylabel="distance from the middle", xlim=(0, 100))
        ax.set_yscale("log")
        ax.legend()
    chosen = {"constant": "#D55E00", "CosineLR": "#0072B2", "WarmUp and CosineLR": "#009E73", "ReduceLROnPlateau": "black"}
    with picture(out / "training.png", columns=2, size=(10.0, 4.2)) as (left, right):
        for (name, color), style in zip(chosen.items(), ("--", "-", "-.", ":"), strict=True):
            history, _ = train(SCHEDULES[name], 0.1, 0)
            left.plot(np.arange(1, EPOCHS + 1), history["lr"], style, color=color, label=name)
            right.plot(np.arange(1, EPOCHS + 1), history["val_loss"], style, color=color, label=name)
        left.set(title="Learning rate at the end of each epoch", xlabel="epoch", ylabel="learning rate")
        right.set(title="Loss on the validation images", xlabel="epoch", ylabel="loss")
        right.legend()


def main(out=None, fast=False):
    courses = noisy_valley()
    values = exact_values()
    script = scripted_plateau()
    table = compare((0.003, 0.1) if fast else (0.003, 0.01, 0.03, 0.1), range(5 if fast else 10))
    if out:
        draw(out, values, courses)
    return {"courses": courses, "values": values, "plateau": script, "accuracy": table}


# %% Exercises: python -m steps.check w08 my_answer.py
# 1. ``root_decay(base, warm, i)``: the rate of step i that rises along a line from 0 to base at step warm, and from there on is
#    base * sqrt(warm / i).
# 2. ``falls(losses, patience)``: the epochs, counted from 1, after which ReduceLROnPlateau lowers the rate, as a list. A loss improves if it is lower
#    than all before it.
# 3. ``by_batch(optimizer, epochs, batches)``: a CosineLR that is stepped after each batch and reaches 0 at the end of the last epoch. This
#    one is at 0 long before that. Mend it:  ``return CosineLR(optimizer, steps=epochs)``

if __name__ == "__main__":
    run(main)
