"""Why did nets with many layers learn nothing for so many years?

To learn, the first layer has to be told what its weights did to the answer. This news comes from the end, and each layer on its way makes it louder
or fainter. With the sigmoid it dies away: the gradient vanishes. We measure it layer by layer in nets of ten layers, with four choices of activation
and first weights, and look at who learns and who does not.
"""

from itertools import pairwise

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable
from dezero.datasets import Digits
from dezero.viz.flow import gradient_flow_report

# %% A chain of slopes
# Take ten units in a row, each with one input and the weight 1. A small change at the beginning is multiplied by the slope of each unit on its way.
# The sigmoid's slope is never above 1/4 (f05). So of a change of 1 at most a quarter to the power of ten arrives: less than a millionth. And this is
# the best case, when every score is 0, where the slope is largest.


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def show_chain():
    scores = np.zeros(10), np.random.default_rng(0).normal(size=10)
    best, some = (float(np.prod(sigmoid(score) * (1 - sigmoid(score)))) for score in scores)
    print(f"ten sigmoids in a row: at best {0.25**10:.2e} of a change arrives; with scores drawn at random {some:.2e}")
    return {"best": best, "some": some}


# %% Ten layers for digits
# Now whole layers: 64 pixels of a digit (f01), nine layers of 30 units, and ten scores at the end. What the first weights are, matters as much as the
# activation. A unit adds up n numbers. Are its weights drawn with a spread of 1, the sum is about the root of n larger than the numbers, in every
# layer. So we draw them with the spread 1 / root of n: the sum keeps the size. ReLU throws half of the numbers away. To make up for it, He and others
# proposed root of 2 / n. There are four nets: sigmoid, tanh and ReLU with the plain spread, and ReLU with He's.
#
# As in f04 and f05, several nets of one kind are held in one array, one for each seed. They do not know of each other.

DEPTH, WIDTH = 10, 30
NETS = {"sigmoid": (F.sigmoid, 1), "tanh": (F.tanh, 1), "ReLU": (F.relu, 1), "ReLU, He": (F.relu, 2)}


def digits():
    (x, t), (test_x, test_t) = Digits()[:], Digits(train=False)[:]
    mean, spread = x.mean(), x.std()
    return ((x - mean) / spread).astype(float), t, ((test_x - mean) / spread).astype(float), test_t


def first_weights(factor, seeds, depth=DEPTH):
    """For each layer the weights of all nets (nets, inputs, outputs), and biases of 0."""
    sizes = [64] + [WIDTH] * (depth - 1) + [10]
    pairs = list(pairwise(sizes))
    draws = [np.random.default_rng(seed) for seed in seeds]
    drawn = [[rng.normal(scale=(factor / n) ** 0.5, size=(n, m)) for n, m in pairs] for rng in draws]
    return [Variable(np.stack(layer)) for layer in zip(*drawn, strict=True)], [Variable(np.zeros((len(draws), 1, m))) for _, m in pairs]


def scores(x, activation, weights, biases):
    for W, b in zip(weights[:-1], biases, strict=False):
        x = activation(F.matmul(x, W) + b)
    return F.matmul(x, weights[-1]) + biases[-1]


def loss_of(x, t, activation, weights, biases):
    """The sum of the losses of all nets, so that each net's gradient is that of its own loss."""
    y = scores(x, activation, weights, biases)
    return F.softmax_cross_entropy(y.reshape(-1, 10), np.tile(t, len(y))) * len(y)


# %% How loud is the news in each layer?
# The gradient of a weight says how much the loss changes when the weight does. ``loss.backward()`` finds all of them, from the last layer to the
# first. Of each layer we take the mean of their absolute values. In the sigmoid net it falls by about 4 from layer to layer, from the last one, on
# the right, to the first. What is left there is a few millionths. In the other three the first layer hears nearly as much as the last.
#
# The package has a judge for this, ``gradient_flow_report``. It flags a layer as vanishing if its mean is below 1/100,000 of the last one's. The
# smallest and the largest ratio of first to last layer, over ten starts, show that none of this is luck.


def gradients(name, x, t, seeds, depth=DEPTH):
    """Mean absolute gradient of the weights: (layers, nets), of the nets before any training."""
    activation, factor = NETS[name]
    weights, biases = first_weights(factor, seeds, depth)
    loss_of(x, t, activation, weights, biases).backward()
    return np.array([np.abs(W.grad.data).mean(axis=(1, 2)) for W in weights]), [W.grad.data[0] for W in weights]


def show_flow(x, t):
    found, arrays = {}, {}
    print("\nmean |gradient| of the weights, first start                             first / last,    flagged as")
    print("layer             1        3        5        7        9       10          10 starts     vanishing")
    for name in NETS:
        means, first = gradients(name, x[:100], t[:100], range(10))
        arrays[name] = {f"layer {i + 1}": gradient for i, gradient in enumerate(first)}
        flagged = [row.name for row in gradient_flow_report(arrays[name]) if row.flags == ("vanishing",)]
        ratios = means[0] / means[-1]
        found[name] = {"means": means[:, 0], "ratios": ratios, "flagged": flagged}
        numbers = "".join(f"{means[i, 0]:9.1e}" for i in (0, 2, 4, 6, 8, 9))
        spread = f"{ratios.min():.1g} to {ratios.max():.1g}"
        print(f"{name:10}{numbers}{spread:>19}{' and '.join(flagged).replace('and layer', 'and') or 'none':>14}")
    return found, arrays


# %% Trying it out
# Is it true? Backward can be checked without trust. We move all weights of one layer by a little, at random, and look at the loss. In the tanh net
# the first layer is about as strong as the last. In the sigmoid net its push does not get through.


def show_push(x, t):
    found = {}
    for name in ("sigmoid", "tanh"):
        activation, factor = NETS[name]
        weights, biases = first_weights(factor, [0])
        before, found[name] = float(loss_of(x, t, activation, weights, biases).data), []
        for layer in (0, DEPTH - 1):
            moved = weights.copy()
            moved[layer] = Variable(weights[layer].data + np.random.default_rng(0).normal(scale=0.01, size=weights[layer].shape))
            found[name].append(abs(float(loss_of(x, t, activation, moved, biases).data) - before))
        print(f"{name:8} layer 1 moved a little: the loss changes by {found[name][0]:.0e};  layer 10: by {found[name][1]:.0e}")
    return found


# %% Who learns?
# 200 steps, each with 50 digits, and five starts of each net. The sigmoid nets guess: one digit in ten. It is no matter of patience: after 3,000
# steps, with this rate or one 20 times as high, they guess still.
#
# Yet look at the plain ReLU. Its ratio is near 1, nothing is flagged, and it learns badly. The ratio does not tell all. Without He's factor each
# layer makes the numbers smaller on the way forward, and the gradients on the way back. A weight's gradient is a product of both, so all layers are
# equally faint. On the right the first layer's gradient in nets of other depths: from 5 to 40 layers the plain ReLU loses a factor of a million, with
# He it stays within a factor of 20. So the cure has two parts, an activation whose slope is not small, and first weights that keep the numbers in
# size. w13 compares first weights, and there are more cures to come: batch norm, and short cuts around layers.


def train(name, data, steps=200, rate=0.05, starts=5):
    """The share of test digits that each net reads after training."""
    x, t, test_x, test_t = data
    activation, factor = NETS[name]
    weights, biases = first_weights(factor, range(starts))
    rng = np.random.default_rng(0)
    for _ in range(steps):
        batch = rng.integers(0, len(x), 50)
        loss = loss_of(x[batch], t[batch], activation, weights, biases)
        for p in weights + biases:
            p.cleargrad()
        loss.backward()
        for p in weights + biases:
            p.data = p.data - rate * p.grad.data
    return (scores(test_x, activation, weights, biases).data.argmax(axis=2) == test_t).mean(axis=1)


def show_learning(data):
    found = {}
    print("\n          test digits read after 200 steps   mean |gradient| in layer 1, if there are")
    print("           median, worst, best of 5 starts   5 layers   10 layers   20 layers   40 layers")
    for name in NETS:
        right = train(name, data)
        deep = [float(np.median(gradients(name, data[0][:100], data[1][:100], range(3), depth)[0][0])) for depth in (5, 10, 20, 40)]
        found[name] = {"right": right, "deep": deep}
        shares = "".join(f"{100 * share:8.0f} %" for share in (np.median(right), right.min(), right.max()))
        print(f"{name:10}{shares}{deep[0]:15.0e}" + "".join(f"{mean:12.0e}" for mean in deep[1:]))
    return found


# %% Pictures
# With ``--out``: the four nets layer by layer, and for each net the plot that the package makes of its gradients.


def draw(out, flow, arrays):
    from dezero.viz import plots

    with picture(out / "layers.png", size=(7.5, 4.6)) as ax:
        for (name, row), color, marker in zip(flow.items(), ("#D55E00", "#0072B2", "#E69F00", "#009E73"), "osv^", strict=True):
            ax.plot(range(1, DEPTH + 1), row["means"], color=color, marker=marker, linewidth=2, label=name)
        ax.set(yscale="log", xlabel="layer", ylabel="mean |gradient| of the weights", xticks=range(1, DEPTH + 1),
               title="In the sigmoid net the first layers hear next to nothing")
        ax.grid(color="0.9")
        ax.legend(loc="lower right")
    for name, gradients_of in arrays.items():
        file = out / f"flow_{name.lower().replace(', ', '_')}.png"
        plots.gradient_flow(gradients_of, file, title=f"{name}: gradients before training")


def main(out=None, fast=False):
    data = digits()
    chain = show_chain()
    flow, arrays = show_flow(*data[:2])
    push = show_push(data[0][:100], data[1][:100])
    learned = show_learning(data)
    if out:
        draw(out, flow, arrays)
    return {"chain": chain, "flow": flow, "push": push, "learned": learned}


# %% Exercises: python -m steps.check f06 my_answer.py
# 1. ``layers_until(share)``: think: how many sigmoids in a row, weights 1, does it take until less than this share of a change can arrive at best?
#    The smallest such number, for any share between 0 and 1.
# 2. ``vanished(means)``: from the mean gradients of the layers, first to last: the numbers of those (from 1) which are below 1/100,000 of the last.
# 3. ``chain_slope(x, weights)``: each unit of a chain multiplies by its weight and applies the sigmoid; x goes into the first. The slope of the last
#    result by x, as a product of slopes: no trial, no dezero.

if __name__ == "__main__":
    run(main)
