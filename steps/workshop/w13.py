"""What should the weights of a new network be?

Some numbers have to stand in the weights before the first step. Step 43 showed that they must not all be equal, and f06 that their spread decides
whether a deep net hears its own gradient. Here six ways to choose them meet: zeros, one constant, a fixed spread of 1 and of 0.01, Xavier and He. We
look at the signal layer by layer, at symmetry, and at what comes out after training. Some well-known rules hold, others only sometimes.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import no_grad, test_mode
from dezero.datasets import Digits
from dezero.initializers import Constant, He, Normal, Scaled, Xavier
from dezero.models import Sequential
from dezero.optimizers import SGD, Adam

# %% Rules for the first weights
# A unit with n inputs adds up n products. If the inputs are about 1 in size, and independent, the sum has the spread (standard deviation) of the
# weights times the root of n. A fixed spread knows nothing of n. Xavier takes the root of 1/n (n is the mean of inputs and outputs), so that the sum
# is as large as the inputs. He takes the root of 2/n, since ReLU halves the mean square. The seventh rule is ours, for the sigmoid: its slope at 0
# is a quarter, so let the weights be four times as large, with a variance of 16/n. Biases begin at 0 always.

WIDTH, DEPTH = 32, 10
RULES = {"zeros": Constant(0.0), "all 0.1": Constant(0.1), "std 1": Normal(1.0), "std 0.01": Normal(0.01), "Xavier": Xavier(), "He": He(),
         "4 / root n": Scaled(16.0)}


class CentredSigmoid(L.Layer):
    def forward(self, x):
        return F.sigmoid(x) - 0.5


ACTIVATIONS = {"sigmoid": L.Sigmoid, "tanh": L.Tanh, "ReLU": L.ReLU, "sigmoid - 0.5": CentredSigmoid}


def digits():
    (x, t), (test_x, test_t) = Digits()[:], Digits(train=False)[:]
    mean, spread = x.mean(), x.std()
    return (x - mean) / spread, t, (test_x - mean) / spread, test_t


def network(activation, rule, depth, batch_norm=False):
    parts = []
    for _ in range(depth):
        parts += [L.Linear(WIDTH, initializer=RULES[rule]), *[L.BatchNorm()] * batch_norm, ACTIVATIONS[activation]()]
    return Sequential(*parts, L.Linear(10, initializer=RULES[rule]))


# %% The signal on its way through ten layers
# 1,437 digits go through ten new layers; hooks catch what comes out of each activation. How much do two digits still differ? We take the spread of
# each unit over the digits, and the mean of it over the units of a layer. Where it goes to 0, all digits look the same to the last layer, and there
# is nothing to tell them apart by. Where it grows without end, the first step of the training is wild.
#
# A fixed spread is wrong in both ways: 0.01 loses everything, 1 makes ReLU explode and tanh run into its ends, -1 and 1. Xavier loses three quarters
# with tanh and 99 % with ReLU, He a third and three quarters. The sigmoid loses nearly all with each of them. Our rule for it helps, but does not
# hold: the values lie around 0.5, so the scores of the next layer do not lie around 0, where the slope is largest. Moved down by a half it keeps far
# more. In f05 this shift changed nothing. There it was one layer, here it is ten.


def signal(activation, rule, x):
    """What comes out of each activation of a new network: one array (N, units) for each layer."""
    np.random.seed(0)
    model, seen = network(activation, rule, DEPTH), []
    for _, layer in model.named_layers():
        if isinstance(layer, ACTIVATIONS[activation]):
            layer.add_forward_hook(lambda layer, inputs, y: seen.append(y.data))
    with no_grad():
        model(x)
    return seen


def in_short(number):
    return "< 1e-5" if 0 < number < 1e-5 else f"{number:.0e}" if number > 1000 else f"{number:.2g}"


def show_signal(x):
    found = {}
    print("how much digits differ   sigmoid: layer 1   layer 10     tanh: 1         10     ReLU: 1         10")
    for rule in RULES:
        spreads = {name: [float(y.std(axis=0).mean()) for y in signal(name, rule, x)] for name in ACTIVATIONS}
        found[rule] = {name: [spread[0], spread[-1]] for name, spread in spreads.items()}
        pairs = [number for name in ("sigmoid", "tanh", "ReLU") for number in found[rule][name]]
        print(f"{rule:29}" + "".join(f"{in_short(number):>{width}}" for number, width in zip(pairs, (12, 11) * 3, strict=True)))
    first, last = found["4 / root n"]["sigmoid - 0.5"]
    print(f"sigmoid - 0.5, 4 / root n {first:15.2g}{last:11.2g}")
    return found


# %% Symmetry
# Units that begin equal get equal gradients and stay equal (step 43). After training with one hidden layer of 32 units we count the different ones.
# With one constant there is one, and 32 equal units can do no more than one unit. With zeros and tanh not even that one learns: the gradient of each
# layer contains the weights of the other.
#
# So "never begin with zeros" is a good rule, but it says more than is true. If only the last layer begins with zeros, its first step makes it
# different from unit to unit, and all is well. And without a hidden layer there is no symmetry to break: zeros are as good as anything.


def learn(model, data, optimizer, seed, steps=100):
    """The share of test digits that are read right after so many steps with 64 digits each."""
    x, t, test_x, test_t = data
    optimizer.setup(model)
    rng = np.random.default_rng(seed)
    with np.errstate(all="ignore"):  # what explodes shall do so in peace
        for _ in range(steps):
            batch = rng.integers(0, len(x), 64)
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
        with no_grad(), test_mode():
            return float(F.accuracy(model(test_x), test_t).data)


def show_symmetry(data):
    found = {}
    print("\none hidden layer of 32, tanh   different units   read right")
    for name, hidden, last in (("all zeros", "zeros", "zeros"), ("all 0.1", "all 0.1", "all 0.1"), ("Xavier", "Xavier", "Xavier"),
                               ("Xavier, last layer zeros", "Xavier", "zeros"), ("no hidden layer, all zeros", None, "zeros")):
        np.random.seed(0)
        first = L.Linear(WIDTH, initializer=RULES[hidden]) if hidden else None
        model = Sequential(*([first, F.tanh] if first else []), L.Linear(10, initializer=RULES[last]))
        right = learn(model, data, SGD(0.1), 0)
        different = len(np.unique(first.W.data.round(5), axis=1).T) if first else None
        found[name] = {"different": different, "right": right}
        print(f"{name:30}{different if first else '-':>12}{100 * right:15.0f} %")
    return found


# %% Which rule is best?
# Two rules are often heard: "Xavier for tanh, He for ReLU", and "with ReLU, He is always better". We train networks of one and of ten hidden layers,
# each from several seeds. The seed draws first weights and batches, so the rules meet under equal conditions, and we can compare start by start.
#
# He with ReLU: in ten layers with SGD it is far ahead, every time. Without it the net hardly begins in 100 steps. With one hidden layer there is no
# difference worth a word. With Adam, which divides by the size of the gradients, a few points are left of it. (The last column is the middle of the
# differences, start by start. It need not be the difference of the middles.) With batch norm, which sets the spread itself, Xavier is even a little
# ahead. And tanh is better off with He too, so "Xavier for tanh" is not the last word: each tanh makes its numbers a little smaller, and He makes up
# for it.
#
# In ten layers a fixed spread failed in every row, or stayed far behind; in one layer it merely costs some steps. But a table is a table: with 64
# units, batch norm and the rate 0.03, a spread of 0.01 does as well as He.

ROWS = (("ReLU, 1 layer, SGD", "ReLU", 1, SGD, 0.1, False), ("ReLU, 10 layers, SGD", "ReLU", DEPTH, SGD, 0.1, False),
        ("ReLU, 10 layers, Adam", "ReLU", DEPTH, Adam, 0.003, False), ("tanh, 10 layers, SGD", "tanh", DEPTH, SGD, 0.1, False),
        ("ReLU, 10, SGD, batch norm", "ReLU", DEPTH, SGD, 0.1, True))


def show_training(data, rows, seeds):
    found = {}
    print(f"\nread right, median of {seeds} starts   std 1   std 0.01   Xavier     He   He - Xavier, median   He ahead")
    for name, activation, depth, optimizer, rate, batch_norm in rows:
        found[name] = {}
        for rule in ("std 1", "std 0.01", "Xavier", "He"):
            found[name][rule] = []
            for seed in range(seeds):
                np.random.seed(seed)
                found[name][rule].append(learn(network(activation, rule, depth, batch_norm), data, optimizer(rate), seed))
        more = 100 * (np.array(found[name]["He"]) - found[name]["Xavier"])
        cells = "".join(f"{100 * np.median(right):{width}.0f} %" for right, width in zip(found[name].values(), (8, 9, 7, 5), strict=True))
        print(f"{name:28}{cells}{np.median(more):+14.1f} points{(more > 0).sum():7} of {seeds}")
    return found


# %% Pictures
# With ``--out``: the histograms of four layers under four rules, for tanh and ReLU, and the trained networks, one mark for each start. ReLU gives the
# same shapes under each rule, only the scale differs: twice the score is twice the result. tanh has a scale of its own, so its shapes differ.

COLOURS = {"std 1": "#D55E00", "std 0.01": "#E69F00", "Xavier": "#0072B2", "He": "#009E73"}


def draw_signals(out, x):
    from dezero.viz import plots

    for activation in ("tanh", "ReLU"):
        panels = {}
        for rule in COLOURS:
            seen = signal(activation, rule, x)
            panels |= {f"{rule}, layer {layer}": seen[layer - 1] for layer in (1, 4, 7, 10)}
        title = f"What comes out of {activation}, by the rule for the first weights"
        plots.activation_histograms(panels, out / f"{activation.lower()}.png", title=title)


def draw_training(path, training):
    with picture(path, size=(9.0, 0.9 + 0.85 * len(training))) as ax:
        for line, row in enumerate(training.values()):
            for number, (rule, right) in enumerate(row.items()):
                ax.scatter(100 * np.array(right), np.full(len(right), line + 0.17 * number - 0.25), s=42, marker="^vso"[number], color=COLOURS[rule],
                           label=None if line else rule, zorder=3)
        ax.set(yticks=range(len(training)), yticklabels=training, xlim=(0, 100), xlabel="test digits read right, % (one mark for each start)",
               title="After 100 steps: first weights matter where the net is deep and nothing else helps")
        ax.invert_yaxis()
        ax.grid(axis="x", color="0.9")
        ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1))


def main(out=None, fast=False):
    data = digits()
    signals = show_signal(data[0])
    symmetry = show_symmetry(data)
    training = show_training(data, ROWS[:2] if fast else ROWS, 2 if fast else 5)
    if out:
        draw_signals(out, data[0])
        draw_training(out / "training.png", training)
    return {"signals": signals, "symmetry": symmetry, "training": training}


# %% Exercises: python -m steps.check w13 my_answer.py
# 1. ``he(shape, rng)``: NumPy weights for a layer of (inputs, outputs) by He's rule, drawn from rng.
# 2. ``after(depth, std, n)``: think: the mean square of numbers that enter is 1. What is it behind ``depth`` layers without activation and bias, each
#    with n inputs and n units, whose weights have this spread? The expected value, as a float.
# 3. ``broken(model)``: do units of a model begin equal? The names of the parameters with two axes in which two columns or more are the same, as a
#    list in order. Any Layer of the package may come, its sizes known; see ``named_params()``. One column alone is never broken.

if __name__ == "__main__":
    run(main)
