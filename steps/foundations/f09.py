"""Which weight is to blame for how much of the error?

A weight deep inside of a net moves a number, which moves another number, and so on up to the error. To find its share, one has to walk this chain
back, and for that each number on the way needs a name. This script gives the names, derives by hand by how much each weight of one and of two
layers is to be changed, and compares the formulas with what the package ``dezero`` finds by itself.
"""

import io
import re

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable
from dezero.viz import explain

# %% Names
# A unit takes what arrives, multiplies it by a weight, adds a bias, and sends the sum through a bent function, here the sigmoid of f05. Units stand
# in layers, and layers are counted from 1. Layer 1 has the weight W1 and the bias b1. Its two results have names, too:
#
#     z1 = a0 · W1 + b1        the sum before the sigmoid
#     a1 = sigmoid(z1)         what the layer sends on (a as in "activation")
#
# a0 is the input of the net. Layer 2 does the same with a1: z2 = a1 · W2 + b2 and a2 = sigmoid(z2). The last a is the answer of the net, and is
# called y. What we wanted to hear is t, the target. The loss L = (y - t)² / 2 of f07 says how far off the answer is. The half is there for
# convenience: the slope of (y - t)² / 2 by y is y - t, without a 2 in front.


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


# %% One layer: three slopes, multiplied
# How does L change when W1 does? W1 does not touch L. It moves z1, z1 moves y, y moves L. So we ask three small questions:
#
#     How fast does L move with y?     y - t
#     How fast does y move with z1?    y (1 - y), the slope of the sigmoid, written with its own result
#     How fast does z1 move with W1?   a0, as W1 is multiplied by a0
#
# If y moves 0.2 times as fast as z1, and z1 moves 2 times as fast as W1, then y moves 0.2 · 2 times as fast as W1. Speeds along a chain are
# multiplied: this is the chain rule. We write gW1 for the slope of L by W1 (g as in "gradient"), and so with every name:
#
#     gW1 = (y - t) · y (1 - y) · a0          gb1 = (y - t) · y (1 - y) · 1
#
# An update is one step of descent, as in f08: W1 becomes W1 - rate · gW1. A bias is a weight whose input is always 1.

CHAIN = {"a0": 2.0, "W1": 0.5, "b1": -0.4, "W2": -1.2, "b2": 0.3, "t": 1.0}


def loss_of(a0, W1, b1, t, W2=None, b2=None):
    y = sigmoid(a0 * W1 + b1)
    if W2 is not None:
        y = sigmoid(y * W2 + b2)
    return (y - t) ** 2 / 2


def try_out(name, values, h=1e-5):
    """The slope of the loss by one of the numbers: move it a little, up and down, as in f08."""
    up, down = ({**values, name: values[name] + side} for side in (h, -h))
    return (loss_of(**up) - loss_of(**down)) / (2 * h)


def one_layer():
    values = {name: CHAIN[name] for name in ("a0", "W1", "b1", "t")}
    a0, W1, b1, t = values.values()
    y = sigmoid(a0 * W1 + b1)
    slopes = (y - t, y * (1 - y), a0)
    gW1 = slopes[0] * slopes[1] * slopes[2]
    print(f"one layer:   y - t = {slopes[0]:.4f}   y (1 - y) = {slopes[1]:.4f}   a0 = {slopes[2]:.4f}")
    print(f"             gW1, their product: {gW1:.6f}   by trying out: {try_out('W1', values):.6f}")
    rate, losses = 1.0, [loss_of(**values)]
    for _ in range(5):
        y = sigmoid(a0 * values["W1"] + values["b1"])
        gz1 = (y - t) * y * (1 - y)
        values["W1"] -= rate * gz1 * a0
        values["b1"] -= rate * gz1
        losses.append(loss_of(**values))
    print("             L after 0 to 5 updates: " + "  ".join(f"{loss:.4f}" for loss in losses))
    return {"gW1": gW1, "tried": try_out("W1", {name: CHAIN[name] for name in values}), "losses": losses}


# %% Two layers: the chain gets longer, nothing else
# W1 is now further away from L. Its z1 moves a1, a1 moves z2 (how fast? W2, as a1 is multiplied by W2), z2 moves y, y moves L. So
#
#     gW2 = (y - t) · y (1 - y) · a1
#     gW1 = (y - t) · y (1 - y) · W2 · a1 (1 - a1) · a0
#
# Both begin with the same two factors. Their product is the slope by z2, gz2. To compute it once and keep it is all the secret there is to
# backpropagation: begin at L, walk back, and at each name multiply what you have by one more local slope. Books often write δ (delta) for gz.


def two_layers():
    a0, W1, b1, W2, b2, t = CHAIN.values()
    z1 = a0 * W1 + b1
    a1 = sigmoid(z1)
    z2 = a1 * W2 + b2
    y = sigmoid(z2)
    loss = (y - t) ** 2 / 2

    gy = y - t
    gz2 = gy * y * (1 - y)
    gW2, gb2 = gz2 * a1, gz2
    ga1 = gz2 * W2
    gz1 = ga1 * a1 * (1 - a1)
    gW1, gb1 = gz1 * a0, gz1
    values = {"a0": a0, "z1": z1, "a1": a1, "z2": z2, "y": y, "L": loss}
    slopes = {"z1": gz1, "a1": ga1, "z2": gz2, "y": gy, "L": 1.0, "W1": gW1, "b1": gb1, "W2": gW2, "b2": gb2}
    print("\ntwo layers:       " + "".join(f"{name:>9}" for name in values))
    print("  forward  -->    " + "".join(f"{number:9.4f}" for number in values.values()))
    print("  backward <--  g " + " " * 9 + "".join(f"{slopes[name]:9.4f}" for name in ("z1", "a1", "z2", "y", "L")))
    return values, slopes


# %% Explain this gradient
# The package can do the same without a pencil. How it finds the chain is the story of steps 01 to 16; here it is a tool. We put the numbers
# into its boxes, called Variable, compute as usual, and say ``backward``. Afterwards each box knows its slope, as ``grad``. ``explain`` writes down
# where a slope came from. Here we take only its formula, and put the numbers below the names; ``W1.explain()`` prints all it knows.
# e is the error y - t.


def same_with_the_package(slopes):
    boxes = {name: Variable(np.array(number), name=name) for name, number in CHAIN.items()}
    a0, W1, b1, W2, b2, t = boxes.values()
    a1 = F.sigmoid(a0 * W1 + b1)
    y = F.sigmoid(a1 * W2 + b2)
    e = y - t
    loss = 0.5 * e**2
    a1.name, y.name, e.name, loss.name = "a1", "y", "e", "L"
    loss.backward()
    nowhere = io.StringIO()  # explain prints; we take what it gives back
    explained = {name: explain(boxes[name], loss, file=nowhere) for name in ("W2", "W1")}
    print("\nthe package explains, with e = y - t:")
    for name, one in explained.items():
        numbers = re.sub(r"[A-Za-z]\w*", lambda found, one=one: signed(one.names[found[0]]), one.expression)
        print(f"  g{name} = {one.expression}\n      = {numbers} = {one.value:.6f}")
    print("             by hand   the package   trying out")
    found = {}
    for name in ("W2", "b2", "W1", "b1"):
        found[name] = [float(slopes[name]), float(boxes[name].grad.data), float(try_out(name, CHAIN))]
        print(f"  g{name} {found[name][0]:15.6f} {found[name][1]:13.6f} {found[name][2]:12.6f}")
    return found, {name: one.expression for name, one in explained.items()}


def signed(number):
    return f"{number:.4g}" if number >= 0 else f"({number:.4g})"


# %% Many units in a layer: the same letters
# A layer with 4 units that gets 3 numbers has 12 weights: a table W1 with 3 rows and 4 columns, one column for each unit. a0 is a row of 3
# numbers. ``a0 @ W1`` multiplies the row with each column and adds up: all 4 sums at once. On the way back two things happen, and both follow from
# asking "what moves what":
#
#     gW1[i, j] = a0[i] · gz1[j]         the weight in row i, column j leads from input i to unit j, so it takes the product of these two
#     ga1[i]    = sum over j of gz2[j] · W2[i, j]      unit i moves every unit j of the next layer, and all these ways add up
#
# The first is a0 as a column times gz1 as a row, ``a0.T @ gz1``. The second is ``gz2 @ W2.T``, where .T turns a table on its side. Signs other than
# @ work number by number. So the lines below are those from above. (``turn`` is .T for the last two axes: we shall need it in a moment.)


def turn(table):
    return np.swapaxes(table, -1, -2)


def forward(a0, W1, b1, W2, b2):
    a1 = sigmoid(a0 @ W1 + b1)
    return a1, sigmoid(a1 @ W2 + b2)


def backward(a0, a1, y, t, W2):
    gz2 = (y - t) * y * (1 - y)
    gz1 = gz2 @ turn(W2) * a1 * (1 - a1)
    return turn(a0) @ gz1, gz1, turn(a1) @ gz2, gz2  # gW1, gb1, gW2, gb2


def many_units(nets=20):
    """The formulas beside the package, for random nets of 3, 4 and 2 units; the largest difference of each parameter."""
    rng = np.random.default_rng(0)
    apart = np.zeros(4)
    for _ in range(nets):
        a0, t = rng.normal(size=(1, 3)), rng.uniform(size=(1, 2))
        weights = [rng.normal(size=shape) for shape in ((3, 4), (1, 4), (4, 2), (1, 2))]
        ours = backward(a0, *forward(a0, *weights), t, weights[2])
        W1, b1, W2, b2 = boxes = [Variable(table) for table in weights]
        y = F.sigmoid(F.sigmoid(a0 @ W1 + b1) @ W2 + b2)
        F.sum(0.5 * (y - t) ** 2).backward()
        apart = np.maximum(apart, [np.abs(g - box.grad.data).max() for g, box in zip(ours, boxes, strict=True)])
    verdict = "less" if apart.max() < 1e-12 else "more"
    print(f"\n{nets} random nets of 3, 4 and 2 units: by hand and by the package, apart by {verdict} than 1e-12")
    return dict(zip(("W1", "b1", "W2", "b2"), apart.tolist(), strict=True))


# %% All slopes first, then all updates?
# gz1 contains W2. Somebody who walks back and updates W2 on the way computes gz1 with the new W2. What comes out is no longer the slope of L.
# Does such a net still learn? We tried it: 200 nets with first weights drawn by lot learn to add two bits (0 + 1 = 01, 1 + 1 = 10), 500 times
# through the four cases. They are computed together: each array has one more axis in front, and @ treats each net by itself.
#
# With a rate of 1 all learn it in both orders: an update is small, the new W2 is nearly the old one. The larger the rate, the more nets the wrong
# order ruins. (Large rates alone do harm, too.) So this is a bug that hides while all goes well.

BITS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
SUMS = np.array([[0, 0], [0, 1], [0, 1], [1, 0]], float)


def learn(rate, mixed, nets=200, rounds=500):
    """How many of the nets answer all four cases right."""
    rng = np.random.default_rng(0)
    W1, b1, W2, b2 = rng.normal(size=(nets, 2, 4)), np.zeros((nets, 1, 4)), rng.normal(size=(nets, 4, 2)), np.zeros((nets, 1, 2))
    for k in [0, 1, 2, 3] * rounds:
        a0, t = BITS[k:k + 1], SUMS[k:k + 1]
        a1, y = forward(a0, W1, b1, W2, b2)
        gW1, gb1, gW2, gb2 = backward(a0, a1, y, t, W2)
        W2, b2 = W2 - rate * gW2, b2 - rate * gb2
        if mixed:
            gW1, gb1, *_ = backward(a0, a1, y, t, W2)
        W1, b1 = W1 - rate * gW1, b1 - rate * gb1
    right = (forward(BITS, W1, b1, W2, b2)[1] > 0.5) == (SUMS > 0.5)
    return int(right.all(axis=(1, 2)).sum())


def order_of_updates():
    rates = (1.0, 4.0, 8.0, 16.0)
    print("\nof 200 nets learn to add two bits, with rate" + "".join(f"{rate:6.0f}" for rate in rates))
    found = {}
    for name, mixed in (("all slopes first, then all updates", False), ("W2 updated before gz1 is computed", True)):
        found[name] = [learn(rate, mixed) for rate in rates]
        print(f"  {name:42}" + "".join(f"{count:6}" for count in found[name]))
    return {"rates": rates, **found}


# %% The chain as a picture
# With ``--out``: both ways on one sheet. Blue goes forward, orange comes back, and below hang the weights with their slopes.


def draw(path, values, slopes):
    blue, orange = "#0072B2", "#B34700"
    steps = ["· W1 + b1", "sigmoid", "· W2 + b2", "sigmoid", "(y - t)² / 2"]
    local = ["", "· a1 (1 - a1)", "· W2", "· y (1 - y)", "· (y - t)"]
    with picture(path, size=(10.0, 3.9)) as ax:
        def box(x, y, text, color, fill="white"):
            frame = {"boxstyle": "round,pad=0.4", "fc": fill, "ec": color}
            ax.text(x, y, text, ha="center", va="center", size=11, color=color, bbox=frame)

        for k, (name, number) in enumerate(values.items()):
            box(2 * k, 1, f"{name}\n{number:.4f}", "black")
            if name in slopes:
                box(2 * k, 0.1, f"g{name}\n{slopes[name]:.4f}", orange)
        for k in range(5):
            ax.annotate("", (2 * k + 1.5, 1), (2 * k + 0.5, 1), arrowprops={"arrowstyle": "->", "color": blue, "lw": 1.6})
            ax.text(2 * k + 1, 1.12, steps[k], ha="center", size=9.5, color=blue)
            if k:
                ax.annotate("", (2 * k + 0.5, 0.1), (2 * k + 1.5, 0.1), arrowprops={"arrowstyle": "->", "color": orange, "lw": 1.6})
                ax.text(2 * k + 1, 0.22, local[k], ha="center", size=9.5, color=orange)
        for x, name, factor in ((2, "1", "a0"), (6, "2", "a1")):
            ax.annotate("", (x, -0.55), (x, -0.18), arrowprops={"arrowstyle": "->", "color": orange, "lw": 1.6})
            ax.text(x + 0.12, -0.38, f"· {factor} for the weight, · 1 for the bias", va="center", size=9.5, color=orange)
            box(x, -0.82, f"gW{name} = {slopes['W' + name]:.4f}      gb{name} = {slopes['b' + name]:.4f}", orange, "#FFF3E6")
        ax.set(xlim=(-0.9, 10.9), ylim=(-1.15, 1.45), title="Forward the numbers, backward the slopes of L: one factor for each arrow")
        ax.axis("off")


def main(out=None, fast=False):
    one = one_layer()
    values, slopes = two_layers()
    table, formulas = same_with_the_package(slopes)
    apart = many_units()
    order = order_of_updates()
    if out:
        draw(out / "chain.png", values, slopes)
    return {"one": one, "values": values, "slopes": slopes, "table": table, "formulas": formulas, "apart": apart, "order": order}


# %% Exercises: python -m steps.check f09 my_answer.py
# 1. ``update_one(a0, W1, b1, t, rate)``: one layer with one unit and the sigmoid: the new (W1, b1) after one update. All are numbers.
# 2. ``stays()``: predict. Two layers of one unit each, as in CHAIN, but W2 starts at 0. After one update three of the parameters have moved or
#    only two? Give the names of those that have NOT moved, as a set, such as {"W1", "b2"}.
# 3. ``gradients(a0, layers, t)``: any number of layers. ``layers`` is a list of pairs (W, b), each layer has the sigmoid, a0 and t are rows (1, n).
#    A list of pairs (gW, gb), in the order of the layers.

if __name__ == "__main__":
    run(main)
