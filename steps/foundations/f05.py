"""What does a unit do with its score before it hands it on?

The units of f02 to f04 jump: 0 up to some score, 1 above it. Others use a smooth stair, or a bent line. This function is called the activation. We
look at six of them, at their values and at their slopes, and ask where in a net each of them belongs: between the layers, or at the end.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% Five functions of one number
# The step function is the oldest: is the score above 0? The sigmoid is a smooth stair from 0 to 1, tanh one from -1 to 1. ReLU (rectified linear
# unit) leaves positive numbers as they are and makes all others 0. The leaky ReLU lets a tenth of the negative numbers through. How much is a matter
# of taste, and programs differ: 0.01, 0.1 and 0.2 are common.


def step(x):
    return np.where(x > 0, 1.0, 0.0)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def relu(x):
    return np.maximum(x, 0.0)


def leaky_relu(x, leak=0.1):
    return np.where(x > 0, x, leak * x)


ACTIVATIONS = {"step": step, "sigmoid": sigmoid, "tanh": np.tanh, "ReLU": relu, "leaky ReLU": leaky_relu}


# %% The slope is what learning needs
# The slope says how much the result changes when the score changes a little. We measure it: the difference of two results close to x, divided by
# the distance. A net learns by such small changes. Where the slope is 0, nobody can say in which direction a score should move.
#
# The sigmoid is steepest at 0, with a slope of 1/4, and tanh with 1. Far out both are flat: they are saturated. ReLU has slope 1 on its whole right
# side, however far one goes, and 0 on the left. At 0 it has a corner, and no slope there in the strict sense; programs take 0. The step function is
# flat everywhere but at the jump. The smooth ones also spare work, as their slope follows from their value y: y (1 - y) for the sigmoid, and
# 1 - y * y for tanh.


def slope(f, x, h=1e-5):
    return (f(x + h) - f(x - h)) / (2 * h)


def show_slopes():
    x = np.array([-4.0, -1.0, 1.0, 4.0])
    grid = np.linspace(-6.0, 6.0, 12_000)  # no grid point is at 0, where the step function jumps and the ReLUs have their corner
    found = {}
    print("                  value at                    slope at                largest")
    print("activation   -4    -1     1     4       -4    -1     1     4           slope")
    for name, f in ACTIVATIONS.items():
        largest = float(slope(f, grid).max())
        found[name] = {"values": f(x), "slopes": slope(f, x), "largest": largest}
        values, slopes = ("".join(f"{number:6.2f}" for number in numbers) for numbers in (f(x), slope(f, x)))
        print(f"{name:10}{values}   {slopes}{largest:16.2f}")
    found["sigmoid"]["apart"] = float(np.abs(sigmoid(grid) * (1 - sigmoid(grid)) - slope(sigmoid, grid)).max())
    found["tanh"]["apart"] = float(np.abs(1 - np.tanh(grid) ** 2 - slope(np.tanh, grid)).max())
    return found


# %% Two that are one, and one that nobody can teach
# tanh and the sigmoid are the same stair: tanh(x) = 2 sigmoid(2x) - 1, twice as high, twice as steep in x, and moved down by 1.
#
# To see what slope 0 means we take 1,000 units with three inputs, weights drawn by chance, and move one weight of each a little, by 0.01. Of the
# step units nearly all give the same answer as before. Whether the move was good or bad does not show. All sigmoid units tell, if ever so softly.


def show_moves():
    grid = np.linspace(-20.0, 20.0, 4001)
    apart = float(np.abs(np.tanh(grid) - (2 * sigmoid(2 * grid) - 1)).max())
    x, w = np.random.default_rng(0).normal(size=(2, 1000, 3))
    before, after = (x * w).sum(axis=1), (x * (w + np.array([0.01, 0.0, 0.0]))).sum(axis=1)
    moved = {name: int((ACTIVATIONS[name](before) != ACTIVATIONS[name](after)).sum()) for name in ("step", "sigmoid")}
    print(f"tanh(x) and 2 sigmoid(2x) - 1 differ by less than 1e-15: {apart < 1e-15}")
    print(f"one weight moved by 0.01, in 1000 units; answers that change: step {moved['step']}, sigmoid {moved['sigmoid']}")
    return {"apart": apart, "moved": moved}


# %% At the end: what should the number mean?
# The sixth is of another kind. Softmax takes all scores of a sample together: e to the power of each, divided by the sum of these. So each becomes
# positive, and their sum is 1: shares, or probabilities. Only differences of scores count. With two classes it is the sigmoid of the difference.
# (Large scores overflow here; step 47 mends it.)
#
# The last layer's activation is not a matter of taste. It follows from what the answer has to be. A temperature may be any number: leave the score
# as it is (the identity). A yes or no needs a probability: sigmoid. One of several classes needs probabilities with the sum 1: softmax. If several
# labels may hold at once, as sea and people in one photo, each is a yes or no of its own: a sigmoid for each. The last column shows a wrong choice.


def softmax(scores):
    e = np.exp(scores)
    return e / e.sum(axis=-1, keepdims=True)


def show_outputs():
    one, three = np.array([-3.2]), np.array([2.0, -1.0, 0.5])
    rows = [("a temperature", "identity", one, one, "ReLU", relu(one)),
            ("yes or no", "sigmoid", one, sigmoid(one), "identity", one),
            ("one of three", "softmax", three, softmax(three), "sigmoid", sigmoid(three)),
            ("any of three", "sigmoid", three, sigmoid(three), "softmax", softmax(three))]
    print("\nthe answer is   activation   scores             answer                      instead")
    for task, name, scores, right, other, wrong in rows:
        scores, right, wrong = (" ".join(f"{number:.2f}" for number in numbers) for numbers in (scores, right, wrong))
        print(f"{task:16}{name:13}{scores:19}{right:28}{other}: {wrong}")
    pair = np.array([1.7, 0.4])
    return {"softmax": softmax(three), "sigmoids": sigmoid(three), "pair": [softmax(pair)[0], sigmoid(pair[0] - pair[1])]}


# %% Between the layers: something that bends
# In between there has to be some activation, since two layers without one are no more than one layer: a sum of sums is a sum. Which one, is less
# important than is often said, as long as the net is shallow. We measure it. Points of a disc are to be told from points of the ring around it. A
# net with 8 hidden units learns this from 200 points; 500 others test it. That is done with 10 different starts, for each activation. The training
# is done by ``dezero``, as in f04.
#
# Without an activation the net has nothing but a straight line. With the step function the hidden weights stay as they were drawn, as no slope
# reaches them, and only the last layer learns. That is more than nothing, if chance has drawn good lines. All others get there, and in the end no
# one is ahead by more than three points. In deep nets that is not so: see f06.
#
# The sigmoid is the slowest. Two reasons are given for this: its values lie around 0.5, not around 0, and its slope is small. We can try which it
# is. Moved down by a half it lies around 0 and is as slow as before. Four times as steep, with slope 1 at 0, it is as quick as tanh. So here it is
# the slope.

HIDDEN = {"none": lambda h: h, "step": lambda h: step(h.data), "sigmoid(x)": F.sigmoid, "sigmoid(x) - 0.5": lambda h: F.sigmoid(h) - 0.5,
          "sigmoid(4x)": lambda h: F.sigmoid(4 * h), "tanh": F.tanh, "ReLU": F.relu, "leaky ReLU": lambda h: F.leaky_relu(h, 0.1)}


def disc_and_ring(count, rng):
    t = np.arange(count) % 2
    radius = np.where(t == 1, rng.uniform(0, 1, count) ** 0.5, rng.uniform(1.2, 1.8, count))
    angle = rng.uniform(0, 2 * np.pi, count)
    x = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
    return x + rng.normal(scale=0.15, size=x.shape), t


def first_weights(seed, hidden=8):
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) * scale for shape, scale in (((2, hidden), 2**-0.5), ((1, hidden), 0.5), ((hidden, 1), hidden**-0.5), ((1, 1), 0))]


def train_nets(activation, starts=10, steps=(100, 300, 1000), rate=0.5):
    """Share of the test points that each net has right, after so many steps: an array (moments, nets)."""
    rng = np.random.default_rng(0)
    (x, t), (test_x, test_t) = disc_and_ring(200, rng), disc_and_ring(500, rng)
    W1, b1, W2, b2 = weights = [Variable(np.stack(arrays)) for arrays in zip(*map(first_weights, range(starts)), strict=True)]
    labels, right = np.broadcast_to(t.reshape(-1, 1), (starts, 200, 1)), []

    def answers(x):
        return F.matmul(activation(F.matmul(x, W1) + b1), W2) + b2

    for number in range(1, steps[-1] + 1):
        loss = F.sigmoid_cross_entropy(answers(x), labels, reduction="sum") / 200
        for weight in weights:
            weight.cleargrad()
        loss.backward()
        for weight in weights:
            if weight.grad is not None:  # behind a step function no slope arrives
                weight.data = weight.data - rate * weight.grad.data
        if number in steps:
            right.append(((answers(test_x).data[:, :, 0] > 0) == test_t).mean(axis=1))
    return np.array(right)


def show_hidden():
    found = {}
    print("\nhidden activation   right after 100     300    1000 steps (median of 10)   worst   best")
    for name, activation in HIDDEN.items():
        found[name] = train_nets(activation)
        shares = [f"{100 * share:.0f} %" for share in (*np.median(found[name], axis=1), found[name][-1].min(), found[name][-1].max())]
        print(f"{name:20}" + "".join(f"{share:>{width}}" for share, width in zip(shares, (15, 8, 8, 26, 7), strict=True)))
    return found


# %% Picture
# With ``--out``: values and slopes, and what softmax makes of three scores when one of them grows.


def draw(path):
    x = np.linspace(-4, 4, 802)  # not at 0
    with picture(path, rows=2, columns=3, size=(11.0, 6.4)) as axes:
        for ax, (name, f) in zip(axes.flat, ACTIVATIONS.items(), strict=False):
            for side in (x < 0, x > 0):  # two parts: the step function has no value between
                ax.plot(x[side], f(x[side]), color="#0072B2", linewidth=2.5, label="value" if x[side][0] < 0 else None)
                ax.plot(x[side], slope(f, x[side]), color="#D55E00", linewidth=2, linestyle="--", label="slope" if x[side][0] < 0 else None)
            ax.set(title=name, xlabel="score x", ylim=(-1.2, 2.2))
            ax.grid(color="0.9")
        axes[0, 0].legend(loc="upper left")
        grows = np.linspace(-4, 6, 200)
        shares = softmax(np.stack([grows, np.ones(200), np.zeros(200)], axis=1)).T
        for share, color, style, name in zip(shares, ("#0072B2", "#D55E00", "#009E73"), ("-", "--", ":"), ("x", "1", "0"), strict=True):
            axes[1, 2].plot(grows, share, color=color, linestyle=style, linewidth=2.5, label=f"of the score {name}")
        axes[1, 2].set(title="softmax of the scores x, 1 and 0", xlabel="score x", ylabel="share", ylim=(-0.05, 1.5), yticks=[0, 0.5, 1])
        axes[1, 2].grid(color="0.9")
        axes[1, 2].legend(loc="upper left")


def main(out=None, fast=False):
    found, moves, outputs, hidden = show_slopes(), show_moves(), show_outputs(), show_hidden()
    if out:
        draw(out / "activations.png")
    return {"activations": found, **moves, "outputs": outputs, "hidden": hidden}


# %% Exercises: python -m steps.check f05 my_answer.py
# 1. ``last_activations(tasks)``: think: for each task of a list the name of the last layer's activation: "identity", "sigmoid" or "softmax". The
#    tasks: "price of a house", "spam or not", "which of ten digits", "all things seen in a photo", "profit or loss in euros", "will it rain".
# 2. ``sigmoid(x)``: mend it. 1 / (1 + np.exp(-x)) warns of an overflow for x = -1000. Yours should be right for numbers and arrays from -1000 to
#    1000, without a warning. The place where the exponent is positive is the place to change.
# 3. ``swish_slope(x)``: the function x * sigmoid(x) is an activation too. Its slope as a formula, not by trial; x is an array between -20 and 20.

if __name__ == "__main__":
    run(main)
