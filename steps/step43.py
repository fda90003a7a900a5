"""Which model learns a curve when nobody knows its formula?

The line of step 42 has two numbers to learn, and no choice of them makes a curve. A neural network is made of the same parts: a product with a
matrix, a sum, and again. Something has to stand in between, or all was for nothing. This script finds out what, and looks inside of the result.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% A curve to learn
# There are 100 points of x * sin(x) between -2 and 5. The network does not get the formula, only the points. The best line for them, by step 42's
# formula, has a mean squared error of 2.0: as bad as if each prediction were wrong by 1.4, on a curve that lies between -4.8 and 1.8.

LOW, HIGH, HIDDEN = -2.0, 5.0, 12


def make_points():
    x = np.linspace(LOW, HIGH, 100).reshape(-1, 1)
    return x, x * np.sin(x)


def line_loss(x, t):
    columns = np.hstack([x, np.ones_like(x)])
    weights, *_ = np.linalg.lstsq(columns, t, rcond=None)
    return float(np.mean((columns @ weights - t) ** 2))


# %% Two lines in a row are a line
# Let us take x not to one number but to 12, each with a W and a b of its own, and these to one number again. x @ W1 + b1 is (100, 12), and
# h @ W2 + b2 is (100, 1). There are 37 numbers to learn now, not 2. And nothing is won:
#
#     (x @ W1 + b1) @ W2 + b2  =  x @ (W1 @ W2) + (b1 @ W2 + b2)
#
# This is x @ W + b again. So between the two, each of the 12 numbers goes through a function that is not straight. ``tanh`` is one: a soft stair,
# from -1 far left to 1 far right. Such a function is called an activation, the 12 numbers are hidden units, and W with its b is a layer. Two
# layers with an activation in between are the smallest neural network.


def straight(h):
    return h


def network(x, W1, b1, W2, b2, activation=F.tanh):
    h = activation(x @ W1 + b1)
    return h @ W2 + b2


# %% Where to start
# In step 42 all started at 0. Here this fails. If all hidden units are equal, they get equal gradients, and stay equal for ever: 12 units do the
# work of one. If all are 0, it is worse: W1's gradient contains W2, and W2's contains h, and all of that is 0. Only b2 learns. So W1, b1 and W2
# start with random numbers, those of W2 smaller, as 12 of them are added up.


def random_start(seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=(1, HIDDEN)), rng.normal(size=HIDDEN), rng.normal(size=(HIDDEN, 1)) / HIDDEN**0.5, np.zeros(1)]


def equal_start(number):
    return [np.full((1, HIDDEN), number), np.full(HIDDEN, number), np.full((HIDDEN, 1), number), np.zeros(1)]


def train(x, t, start, activation=F.tanh, steps=1000, rate=0.02):
    weights = [Variable(array) for array in start]
    losses, curves = [], {}
    for step in range(steps + 1):
        y = network(x, *weights, activation)
        loss = F.mean_squared_error(y, t)
        losses.append(float(loss.data))
        if step in FRAMES:
            curves[step] = y.data[:, 0]
        for weight in weights:
            weight.cleargrad()
        loss.backward()
        for weight in weights:
            weight.data -= rate * weight.grad.data
    return losses, curves, [weight.data for weight in weights]


FRAMES = [0, 30, 100, 300, 1000, 4000]


def compare(x, t):
    print(f"mean squared error of the best line {line_loss(x, t):.4f}, of the best constant {np.var(t):.4f}\n")
    found = {"line": line_loss(x, t), "constant": float(np.var(t))}
    runs = {"no activation, random start": (random_start(), straight), "tanh, all start at 0": (equal_start(0.0), F.tanh),
            "tanh, all start at 0.5": (equal_start(0.5), F.tanh), "tanh, random start": (random_start(), F.tanh)}
    for name, (start, activation) in runs.items():
        losses, _, (W1, *_) = train(x, t, start, activation)
        different = len(np.unique(np.round(W1, 6)))
        found[name] = {"loss": losses[-1], "different": different}
        print(f"{name:28} after 1000 steps {losses[-1]:7.4f}   different hidden units {different:3}")
    return found


# %% Learning
# The same loop as for the line, 4000 steps of it. Now the loss has no formula for its lowest point, and not even a single one: exchange two hidden
# units, and the network computes the same. Different starts end in different weights, with curves that are about equally good.


def learn(x, t):
    losses, curves, weights = train(x, t, random_start(), steps=FRAMES[-1])
    print("\nstep  " + "".join(f"{step:9}" for step in FRAMES))
    print("loss  " + "".join(f"{losses[step]:9.4f}" for step in FRAMES))
    return losses, curves, weights


# %% What the hidden units do
# Each hidden unit is a stair tanh(w * x + b). It is steepest where w * x + b = 0, at x = -b / w. The output adds up the stairs, each with its weight
# in W2. So a curve is built of stairs, as a wall of stones: where the curve has to bend, a stair is put. Below they stand in order of their place;
# those outside of -2 to 5 show only their flat end there. Nobody told them where to stand.


def look_inside(weights):
    W1, b1, W2, _ = weights
    place = -b1 / W1[0]
    order = np.argsort(place)
    place, width, height = (numbers[order] for numbers in (place, W1[0], W2[:, 0]))
    height = height * np.sign(width)  # a stair that goes down is one that goes up, with the opposite weight
    print("\nhidden units, from left to right")
    for name, numbers in (("place", place), ("steepness", np.abs(width)), ("weight", height)):
        print(f"{name:9} " + "".join(f"{number:7.1f}" for number in np.round(numbers, 1) + 0.0))
    return {"place": place, "steepness": np.abs(width), "weight": height}


# %% Pictures
# With ``--out``: the curve of the network at six moments, and the stairs of which the last one is made.


def draw_frames(path, x, t, losses, curves):
    with picture(path, rows=2, columns=3, size=(10.0, 5.6)) as axes:
        for ax, step in zip(axes.flat, FRAMES, strict=True):
            ax.plot(x, t, color="#B0B0B0", linewidth=5, label="points, x sin(x)")
            ax.plot(x, curves[step], color="#2C79AE", linewidth=2, label="network")
            ax.set(title=f"after {step} steps: loss {losses[step]:.3f}", ylim=(-6, 4), xlabel="x")
        axes[0, 0].legend(loc="lower left")


def draw_inside(path, x, t, weights):
    W1, b1, W2, b2 = weights
    parts = (np.tanh(x @ W1 + b1) * W2[:, 0]).T
    high = np.argsort([part.min() - part.max() for part in parts])
    with picture(path, columns=2, size=(11.0, 4.6)) as (left, right):
        for unit, color in zip(high[:5], ("#D55E00", "#0072B2", "#009E73", "#CC79A7", "#E69F00"), strict=True):
            left.plot(x, parts[unit], color=color, linewidth=2, label=f"steepest at {-b1[unit] / W1[0, unit]:.1f}")
        for number, unit in enumerate(high[5:]):
            left.plot(x, parts[unit], color="#B0B0B0", linewidth=1.2, label=None if number else "the others")
        left.set(xlabel="x", ylabel="tanh(w x + b) times its weight", title=f"The {HIDDEN} stairs", ylim=(-2.6, 4.4))
        left.legend(loc="upper right", fontsize=9, ncols=2)
        right.plot(x, t, color="#B0B0B0", linewidth=5, label="points, x sin(x)")
        right.plot(x, parts.sum(0) + b2, color="#2C79AE", linewidth=2, label="sum of the stairs, plus b2")
        right.set(xlabel="x", title="Their sum")
        right.legend(loc="lower left")


def main(out=None, fast=False):
    x, t = make_points()
    found = compare(x, t)
    losses, curves, weights = learn(x, t)
    units = look_inside(weights)
    if out:
        draw_frames(out / "frames.png", x, t, losses, curves)
        draw_inside(out / "stairs.png", x, t, weights)
    return {**found, "losses": [losses[step] for step in FRAMES], "units": units}


# %% Exercises: python -m steps.check 43 my_answer.py
# 1. ``merged(W1, b1, W2, b2)``: the one pair of arrays W, b with x @ W + b equal to two layers without an activation, for any x.
# 2. ``stairs(x, places, heights)``: no learning: at each place the result rises by its height, and is flat from 0.1 away on. Use F.tanh.
# 3. ``learned(x, t)``: for points (N, 1), x between -2 and 2: train a network, and return a function from (M, 1) to predictions (M, 1),
#    both arrays, with a mean squared error below 0.005. Points of |x| and of sin(3x) are in the check.

if __name__ == "__main__":
    run(main)
