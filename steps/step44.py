"""Who remembers all the numbers that a network has to learn?

The network of step 43 had four arrays, and we wrote a list of them by hand. Real ones have hundreds. Whoever leaves one out gets no error, only a
network that learns badly. This script lets an object collect them: the Layer. What is put into it to be learned, it finds again by itself.
"""

import os
import subprocess
import sys

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Parameter, Variable

# %% A list by hand
# The points and the start are those of step 43, and ``everything`` is its list. Each weight must be in it, to be cleared before and changed after
# each backward. Let us forget some, as it happens when a network grows and the list does not. Without W1 and b1 the stairs stay where chance put
# them, and only their heights are learned. Without W2 they move about, but keep the heights they had. No error tells, and the loss does fall.


def make_points():
    x = np.linspace(-2, 5, 100).reshape(-1, 1)
    return x, x * np.sin(x)


def random_start(hidden=12):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(1, hidden)), rng.normal(size=hidden), rng.normal(size=(hidden, 1)) / hidden**0.5, np.zeros(1)]


def train(model, weights, steps=1000, rate=0.02):
    """Descent on the weights that ``weights()`` finds: losses on the way."""
    x, t = make_points()
    losses = []
    for _ in range(steps + 1):
        loss = F.mean_squared_error(model(x), t)
        losses.append(float(loss.data))
        for weight in weights():
            weight.cleargrad()
        loss.backward()
        for weight in weights():
            weight.data -= rate * weight.grad.data
    return losses


def learn_listed(everything, listed):
    W1, b1, W2, b2 = everything
    return train(lambda x: F.tanh(x @ W1 + b1) @ W2 + b2, lambda: listed)


def forget_some():
    print("learned by descent    loss after 1000 steps")
    found = {}
    for name, places in (("W1 b1 W2 b2", [0, 1, 2, 3]), ("-- -- W2 b2", [2, 3]), ("W1 b1 -- b2", [0, 1, 3])):
        everything = [Variable(array) for array in random_start()]
        found[name] = learn_listed(everything, [everything[place] for place in places])
        print(f"{name:20} {found[name][-1]:8.4f}")
    return found


# %% Marked to be learned
# A ``Parameter`` is a Variable in all respects, of a class of its own. The class is the mark: this one is to be learned. Now an object can find its
# own parameters. Python keeps the attributes of an object in a dict, and ``vars(self)`` is that dict. Whatever stands there and is a Parameter is
# collected. This is the whole idea, in one line. It lacks lists, and objects in objects; the package's Layer has them.


class Collector:
    def params(self):
        return [value for value in vars(self).values() if isinstance(value, Parameter)]


class Network(Collector):
    def __init__(self, W1, b1, W2, b2):
        self.W1, self.b1, self.W2, self.b2 = Parameter(W1), Parameter(b1), Parameter(W2), Parameter(b2)
        self.rounds = 0  # a number, but not one to learn

    def __call__(self, x):
        self.rounds += 1
        return F.tanh(x @ self.W1 + self.b1) @ self.W2 + self.b2


def collect():
    network = Network(*random_start())
    losses = train(network, network.params)
    print(f"{'collected by itself':20} {losses[-1]:8.4f}    {len(network.params())} parameters, {len(vars(network))} attributes")
    return losses


# %% Their order
# A dict keeps the order in which things came. A set, which also holds each thing once, does not: for names, its order depends on a random number
# that Python draws at its start, the hash seed. With a set, the first parameter of today could be the third of tomorrow, in another process.
# Weights saved by number would end in wrong places, and no run could be repeated. So the order is a promise: that of declaration, always.

NAMES = ("W1", "b1", "W2", "b2")


def order_of(container, seed):
    """The order of the names in a fresh Python with a given hash seed."""
    code = f"print(*{container}({NAMES!r}))"
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": str(seed)}, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def orders():
    seen = {container: {order_of(container, seed) for seed in range(5)} for container in ("set", "dict.fromkeys")}
    print("\norders of four names in 5 processes: " + ", ".join(f"{len(some)} with {name.split('.')[0]}" for name, some in seen.items()))
    return {name.split(".")[0]: len(some) for name, some in seen.items()}


# %% Layers of the package
# ``Layer`` collects as ours does: in order of declaration, and also from lists, tuples and dicts. The computation is written as ``forward``; to call
# the layer runs it. ``L.Linear`` is a ready one, x @ W + b with random W, sized for 3 outputs by ``L.Linear(3, in_size=2)``. A layer can hold
# layers, and finds their parameters too: ``hidden.0.W`` is the W of the first layer in the list ``hidden``.
#
# One more trap. What is held twice must be found once. Below ``again`` is the same layer as ``hidden.0``; were it found twice, each descent would
# move it by two steps. Its gradient does count both uses, as in step 14. And a set as an attribute is refused, with advice.


class Several(Layer):
    def __init__(self):
        super().__init__()
        self.shift = Parameter(np.zeros(2))
        self.hidden = [L.Linear(2, in_size=2), L.Linear(3, in_size=2)]
        self.heads = {"small": L.Linear(1, in_size=3), "large": L.Linear(10, in_size=3)}
        self.again = self.hidden[0]
        self.note = "not to be learned"

    def forward(self, x):
        x = F.tanh(self.hidden[0](x + self.shift))
        x = F.tanh(self.hidden[1](self.again(x)))
        return F.sum(self.heads["small"](x)) + F.sum(self.heads["large"](x))


def show_layer():
    np.random.seed(0)
    layer = Several()
    sizes = {name: param.shape for name, param in layer.named_params()}
    print("\nname           shape     size")
    for name, param in layer.named_params():
        print(f"{name:14} {param.shape!s:8} {param.size:5}")
    print(f"{'all':23} {layer.count_params():5}")
    layer(np.ones((4, 2))).backward()
    have = sum(param.grad is not None for param in layer.params())
    layer.cleargrads()
    left = sum(param.grad is not None for param in layer.params())
    print(f"with a gradient after backward: {have}, after cleargrads(): {left}")
    try:
        layer.bag = {Parameter(np.zeros(1))}
    except TypeError as error:
        print(error)
        message = str(error)
    return {"names": list(sizes), "shapes": list(sizes.values()), "count": layer.count_params(), "with gradient": [have, left], "message": message}


# %% What forgetting does, as a picture
# With ``--out``: three curves that all go down. Without the lowest of them, who would know that the others are not as good as it gets?


def draw(path, losses):
    with picture(path, size=(7.0, 4.4)) as ax:
        for (name, values), color in zip(losses.items(), ("#0072B2", "#E69F00", "#D55E00"), strict=True):
            ax.plot(values, color=color, linewidth=2, label=f"{name.replace('-- ', '')}: {values[-1]:.3f}")
        ax.set(yscale="log", xlabel="steps of descent", ylabel="mean squared error", title="A parameter that is left out raises no error")
        ax.legend(title="in the list: last loss", loc="lower left")


def main(out=None, fast=False):
    losses = forget_some()
    collected = collect()
    seen = orders()
    layer = show_layer()
    if out:
        draw(out / "forgotten.png", losses)
    return {"losses": {name: values[-1] for name, values in losses.items()}, "collected": collected[-1], "orders": seen, **layer}


# %% Exercises: python -m steps.check 44 my_answer.py
# 1. ``Polynomial(degree)``: a Layer with a list ``c`` of degree + 1 Parameters, all np.zeros(1): forward(x) is c[0] + c[1] * x + c[2] * x**2 ...
# 2. ``descend(layer, rate)``: one step of descent on all parameters of a layer that have a gradient, in place, then clear all gradients.
# 3. ``find_params(thing)``: the Parameters in the attributes of any object, also in lists, tuples and dicts, however nested; in order, each once.

if __name__ == "__main__":
    run(main)
