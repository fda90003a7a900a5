"""A network that was built by hand learns to read digits: are its gradients right?

We build a network of two layers from parts that go forward and back, with NumPy alone, as in f10. Then two referees judge its gradients: trying out,
which needs no calculus at all, and the package. Last we plant mistakes, and see which of them the learning would have told us.
"""

import time

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Parameter
from dezero.datasets import Digits

# %% Parts
# A part keeps on its way forward what it needs on its way back. ``backward`` gets the gradient of the loss by the part's output, and gives the one
# by its input. An Affine has parameters, too, and puts their gradients aside as gW and gb. There is no graph: who is next is written nowhere.


class Affine:
    def __init__(self, W, b):
        self.W, self.b = W, b

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, g):
        self.gW, self.gb = self.x.T @ g, g.sum(axis=0)
        return g @ self.W.T


class ReLU:
    def forward(self, x):
        self.open = x > 0
        return x * self.open

    def backward(self, g):
        return g * self.open


class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, g):
        return g * self.y * (1 - self.y)


class SoftmaxWithLoss:
    def forward(self, x, t):
        rows = np.arange(len(t))
        x = x - x.max(axis=1, keepdims=True)
        logs = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
        self.rows, self.t, self.y = rows, t, np.exp(logs)
        return -logs[rows, t].mean()

    def backward(self):
        g = self.y.copy()
        g[self.rows, self.t] -= 1
        return g / len(self.t)


# %% The network is a list
# Forward goes through the list, backward through the list from its end. That is all that a framework's graph does as well, when the network is a
# chain. The steps needed their graph for what is not a chain, and to write the list by itself.
#
# The network has two ways to its gradients, and counts how often it computes a loss. ``numerical`` moves one parameter at a time, up and down. It
# knows nothing of the parts' backward methods. So it is slow, and it cannot share their mistakes.


class TwoLayerNet:
    def __init__(self, sizes, seed, affine=Affine, bend=ReLU, dtype=np.float64):
        rng = np.random.default_rng(seed)
        tables = [(rng.normal(size=pair) * (2 / pair[0]) ** 0.5).astype(dtype) for pair in (sizes[:2], sizes[1:])]
        first, second = (affine(W, np.zeros(W.shape[1], dtype)) for W in tables)
        self.parts, self.last = [first, bend(), second], SoftmaxWithLoss()
        self.params = {"W1": first.W, "b1": first.b, "W2": second.W, "b2": second.b}
        self.evaluations = 0

    def scores(self, x):
        for part in self.parts:
            x = part.forward(x)
        return x

    def loss(self, x, t):
        self.evaluations += 1
        return float(self.last.forward(self.scores(x), t))

    def backpropagated(self, x, t):
        self.loss(x, t)
        g = self.last.backward()
        for part in reversed(self.parts):
            g = part.backward(g)
        first, _, second = self.parts
        return {"W1": first.gW, "b1": first.gb, "W2": second.gW, "b2": second.gb}

    def numerical(self, x, t, h=1e-6, names=("W1", "b1", "W2", "b2")):
        grads = {name: np.zeros_like(self.params[name]) for name in names}
        for name, grad in grads.items():
            p = self.params[name]
            for place in np.ndindex(p.shape):
                kept = p[place]
                p[place] = kept + h
                up = self.loss(x, t)
                p[place] = kept - h
                grad[place] = (up - self.loss(x, t)) / (2 * h)
                p[place] = kept
        return grads


def relative(grads, others):
    """For each parameter the largest difference, measured by the largest gradient of that parameter."""
    return {name: float(np.abs(grads[name] - others[name]).max() / np.abs(others[name]).max()) for name in others}


# %% Two referees
# 64 pixels, 50 hidden units, 10 digits, and ten images. All gradients together cost backpropagation one loss and one way back. Trying out takes two
# losses for each parameter. The last column asks the package: F.linear, F.relu and the rest, with the same numbers in Parameters.
#
# A difference says little by itself: 1e-6 is much where the gradients are 1e-5. So it is divided by the largest gradient. (Not each by its own: many
# gradients are 0, or nearly, and what rounding leaves there would look like a mistake.)


def verdict(apart, bound):
    return f"less than {bound:.0e}" if apart < bound else f"{apart:.2f}"


def two_referees(x, t):
    net = TwoLayerNet((64, 50, 10), 0)
    ours = net.backpropagated(x, t)
    spent = {"backpropagation": net.evaluations}
    tried = net.numerical(x, t)
    spent["trying out"] = net.evaluations - spent["backpropagation"]
    W1, b1, W2, b2 = boxes = [Parameter(p) for p in net.params.values()]
    F.softmax_cross_entropy(F.linear(F.relu(F.linear(x, W1, b1)), W2, b2), t).backward()
    package = relative(ours, {name: box.grad.data for name, box in zip(ours, boxes, strict=True)})
    apart = relative(ours, tried)
    print("parameter    shape   numbers   tried out with   apart from tried out   from the package")
    for name, p in net.params.items():
        print(f"{name:9} {p.shape!s:>8} {p.size:9} {2 * p.size:9} losses   {verdict(apart[name], 1e-6):22} {verdict(package[name], 1e-12)}")
    total = sum(p.size for p in net.params.values())
    print(f"together {total:19} {spent['trying out']:9} losses, and backpropagation {spent['backpropagation']} loss with its way back")
    return {"apart": apart, "package": package, "spent": spent, "params": total}


# %% Mistakes that nobody notices
# Does one need a referee? A wrong gradient shows in the results, one should think. We plant three mistakes, and train each network on the digits,
# with five seeds. Two of the three can hardly be told from the right one. With the third the first layer never learns, and even that is no
# catastrophe: its 50 random units still say much about an image. It would pass for a network that needs a few more epochs.
#
# So accuracy does not show such mistakes. The check does, and it says where to look. A part that hands back something wrong spoils all that lies in
# front of it, W1 and b1 here. A part that errs with its own parameter spoils that one alone.


class OpenReLU(ReLU):
    def backward(self, g):
        return g  # the gate is forgotten


class OneRowAffine(Affine):
    def backward(self, g):
        gx = super().backward(g)
        self.gb = g[0]  # the bias looks at one image only
        return gx


class ClosedReLU(ReLU):
    def backward(self, g):
        return 0 * g  # nothing is handed on


MISTAKES = {"none": {}, "ReLU always open": {"bend": OpenReLU}, "bias sees one image": {"affine": OneRowAffine},
            "ReLU always shut": {"bend": ClosedReLU}}


def train(net, data, epochs, seed, rate=0.2):
    x, t = data
    rng = np.random.default_rng(seed)
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for begin in range(0, len(x), 25):
            batch = order[begin:begin + 25]
            grads = net.backpropagated(x[batch], t[batch])
            for name, p in net.params.items():
                p -= rate * grads[name]
    return net


def share_right(net, x, t):
    return float((net.scores(x).argmax(axis=1) == t).mean())


def plant_mistakes(data, test, few, epochs):
    print(f"\nmistake          check: W1     b1     W2     b2     right of 360 test images, {epochs} epochs, 5 seeds")
    tried, found = TwoLayerNet((64, 50, 10), 0).numerical(*few), {}
    for name, parts in MISTAKES.items():
        apart = relative(TwoLayerNet((64, 50, 10), 0, **parts).backpropagated(*few), tried)
        right = [share_right(train(TwoLayerNet((64, 50, 10), seed, **parts), data, epochs, seed), *test) for seed in range(5)]
        found[name] = {"apart": apart, "right": right}
        marks = "".join(f"{'ok' if one < 1e-6 else f'{one:.2f}':>7}" for one in apart.values())
        print(f"{name:19}" + marks + "     " + "  ".join(f"{one:.1%}" for one in right))
    return found


# %% When the referee is wrong
# Trying out can fail as well, and then a right gradient looks wrong. No mistake is planted here. We check b1 of 100 networks, 40 with ``--fast``, and
# count where the two are apart by more than 1e-4.
#
# ReLU has a corner. If the input of a unit lies nearer to 0 than the step goes, up and down stand on different sides, and between them there is no
# one slope. 50 units and ten images make 500 inputs, and one of them is soon that near. A first version of this script had h = 1e-4, and met it in
# the very network above. With a sigmoid, which has no corner, even h = 1e-2 does no harm. So with ReLU take a short step: 1e-6.
#
# That needs float64. float32 has 7 digits. Two losses that differ in the 5th leave little to divide by 2 h, with the sigmoid as well.

SETTINGS = (("ReLU", ReLU, np.float64, 1e-2), ("ReLU", ReLU, np.float64, 1e-4), ("ReLU", ReLU, np.float64, 1e-6),
            ("sigmoid", Sigmoid, np.float64, 1e-2), ("sigmoid", Sigmoid, np.float32, 1e-2), ("sigmoid", Sigmoid, np.float32, 1e-4))


def wrong_referee(few, count):
    print(f"\nof {count} networks b1 apart by more than 1e-4:")
    found = []
    for name, bend, dtype, h in SETTINGS:
        x, t = few[0].astype(dtype), few[1]
        nets = [TwoLayerNet((64, 50, 10), seed, bend=bend, dtype=dtype) for seed in range(count)]
        apart = [relative(net.backpropagated(x, t), net.numerical(x, t, h, ["b1"]))["b1"] for net in nets]
        found.append({"bend": name, "dtype": np.dtype(dtype).name, "h": h, "wrong": sum(one > 1e-4 for one in apart), "apart": apart})
    for left, right in zip(found[:3], found[3:], strict=True):
        print("   " + "      ".join(f"{row['bend']:7} {row['dtype']}, h = {row['h']:.0e}: {row['wrong']:3}" for row in (left, right)))
    return found


# %% What it would cost to do without
# Tried-out gradients are as good for learning: the same updates bring the same losses. But each of them takes 7520 losses. The way back through an
# Affine costs two matrix products, where the way forward costs one. So a gradient by backpropagation costs about as much as three losses, whether
# the network has 3760 parameters or a million.


def learn_both_ways(few, updates):
    nets = {"backpropagated": TwoLayerNet((64, 50, 10), 0), "numerical": TwoLayerNet((64, 50, 10), 0)}
    found = {}
    for way, net in nets.items():
        for _ in range(updates):
            grads = getattr(net, way)(*few)
            for name, p in net.params.items():
                p -= 0.2 * grads[name]
        found[way] = {"evaluations": net.evaluations, "loss": net.loss(*few)}
    first, second = (net.params for net in nets.values())
    apart = max(np.abs(first[name] - second[name]).max() for name in first)
    print(f"\n{updates} updates by      losses computed   loss after them")
    for way, one in found.items():
        print(f"{way:18} {one['evaluations']:11} {one['loss']:17.6f}")
    return {"updates": updates, "apart": float(apart), **found}


# %% Pictures
# With ``--out``: time.png has the time that both ways took on your machine, for networks of six sizes. It is not printed, as no two runs agree.
# apart.png has the differences of all parameters of a small network, sorted: of a planted mistake, of a good referee, and of two that are wrong
# themselves. (On the left are those whose gradient is 0 both ways: the weights of pixels that are white in all ten images, for instance.)


def seconds(call, repeat):
    best = np.inf
    for _ in range(repeat):
        begin = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - begin)
    return best


def draw_time(path, few):
    sizes, times = [], []
    for hidden in (1, 3, 10, 20, 50, 100):
        net = TwoLayerNet((64, hidden, 10), 0)
        sizes.append(sum(p.size for p in net.params.values()))
        times.append((seconds(lambda net=net: net.numerical(*few), 1), seconds(lambda net=net: net.backpropagated(*few), 20)))
    with picture(path, size=(6.2, 4.2)) as ax:
        for k, (name, color, mark) in enumerate((("trying out", "#D55E00", "s"), ("backpropagation", "#0072B2", "o"))):
            ax.loglog(sizes, [1000 * row[k] for row in times], marker=mark, color=color, label=name)
        ax.set(title="One gradient of the network, measured here", xlabel="parameters", ylabel="milliseconds")
        ax.legend()
        ax.grid(alpha=0.3)


def draw_apart(path, few):
    curves = [("a mistake: ReLU always open, h = 1e-6", OpenReLU, np.float64, 1e-6, "#D55E00", "-"),
              ("right, but float32, h = 1e-4 (sigmoid)", Sigmoid, np.float32, 1e-4, "#CC79A7", "-."),
              ("right, but a long step: h = 1e-2", ReLU, np.float64, 1e-2, "#009E73", "--"),
              ("right, h = 1e-6", ReLU, np.float64, 1e-6, "#0072B2", "-")]
    with picture(path, size=(7.2, 4.4)) as ax:
        for name, bend, dtype, h, color, style in curves:
            net, x = TwoLayerNet((64, 10, 10), 0, bend=bend, dtype=dtype), few[0].astype(dtype)
            ours, tried = net.backpropagated(x, few[1]), net.numerical(x, few[1], h)
            apart = np.sort(np.concatenate([np.abs(ours[k] - tried[k]).ravel() / np.abs(tried[k]).max() for k in ours]))
            ax.semilogy(np.linspace(0, 100, len(apart)), np.maximum(apart, 1e-12), style, color=color, label=name)
        ax.set(title="How far are the two gradients apart?", xlabel="parameters of a network, sorted by it, in %",
               ylabel="relative difference, 1e-12 for less")
        ax.legend(loc="upper left", fontsize=9)
        ax.set_ylim(3e-13, 3e3)
        ax.grid(alpha=0.3)


def main(out=None, fast=False):
    data, test = ((x.astype(np.float64), t) for x, t in (Digits()[:], Digits(train=False)[:]))
    few = data[0][:10], data[1][:10]
    epochs, updates = (10, 2) if fast else (20, 5)
    checked = two_referees(*few)
    planted = plant_mistakes(data, test, few, epochs)
    referee = wrong_referee(few, 40 if fast else 100)
    both = learn_both_ways(few, updates)
    if out:
        draw_time(out / "time.png", few)
        draw_apart(out / "apart.png", few)
    return {"check": checked, "planted": planted, "referee": referee, "both": both}


# %% Exercises: python -m steps.check w01 my_answer.py
# 1. ``count_losses(sizes)``: predict. How many losses does ``numerical`` compute for a network with these numbers of units, such as (64, 50, 10)?
#    There may be more layers than two, each with W and b.
# 2. ``slopes(loss, p, h=1e-6)``: somebody tries out the array p like this. Mend it. ``loss()`` takes no arguments and looks at p; afterwards p must
#    hold exactly what it held before.
#        for place in np.ndindex(p.shape): p[place] += h; up = loss(); p[place] -= h; grad[place] = (up - loss()) / (2 * h)
# 3. ``spot_check(net, x, t, count, rng, h=1e-6)``: in a large network one tries out only some parameters. Draw ``count`` of all parameters of a
#    TwoLayerNet with rng, and give the largest difference (not relative) between their two gradients, with 2 * count + 1 losses at most.

if __name__ == "__main__":
    run(main)
