"""Which of two inputs differ, and why can no single unit tell?

XOR is 1 if exactly one of two inputs is 1. It is as small as the gates of f03, and the unit that learned those cannot learn it: not slowly, never.
There are three ways out: a second layer set by hand, one more input, and a second layer that is learned. The last is said to work with two hidden
units. We count how often it does.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% Four corners
# Two inputs that are 0 or 1 are the four corners of a square. A unit adds weighted inputs and a bias, and answers 1 if the sum, its score, is above
# 0. Where the score is 0 there is a straight line: on one side of it the answer is 1, on the other 0. For XOR the answer has to be 1 at the ends of
# one diagonal, and 0 at the ends of the other.

CORNERS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
XOR = np.array([0, 1, 1, 0])


def unit(x, w, b):
    return (x @ w + b > 0).astype(int)


# %% Learning never settles
# The rule of f03: start with zeros. After each wrong answer add the input to the weights, and 1 to the bias, if the answer should have been 1; else
# subtract them. An epoch is one round through the four corners. AND is done in the 6th epoch, the first without a mistake. With XOR weights and bias
# come back to what they were. From then on all must repeat itself, as the rule knows nothing but them. So 100 epochs are like a million.


def learn(x, t, epochs):
    """Weights and bias by the rule of f03, and for each epoch its mistakes and the weights and bias after it."""
    w, b, mistakes, after = np.zeros(x.shape[1]), 0.0, [], []
    for _ in range(epochs):
        wrong = 0
        for xi, ti in zip(x, t, strict=True):
            error = ti - unit(xi, w, b)
            w, b, wrong = w + error * xi, b + error, wrong + int(error != 0)
        mistakes.append(wrong)
        after.append((*w.tolist(), float(b)))
    return w, b, mistakes, after


def show_learning():
    found = {}
    print("mistakes in epoch    1  2  3  4  5  6  7  8    100   in the end wrong   weights and bias")
    for name, t in (("AND", CORNERS.all(axis=1).astype(int)), ("XOR", XOR)):
        w, b, mistakes, after = learn(CORNERS, t, 100)
        again = next(i for i in range(100) if after[i] in after[:i])
        first = after.index(after[again])
        wrong = int((unit(CORNERS, w, b) != t).sum())
        found[name] = {"mistakes": mistakes, "wrong": wrong, "epochs": [first + 1, again + 1]}
        row = "".join(f"{n:3}" for n in mistakes[:8]) + f"{mistakes[-1]:7}"
        print(f"{name:18}{row}{wrong:14} of 4   after epoch {again + 1} as after {first + 1}")
    return found


# %% Impossible, in four lines
# It is no fault of the rule. Call the weights u and v and the bias b. The four corners ask for
#
#     0, 0 gives 0:  b <= 0                 0, 1 gives 1:  v + b > 0
#     1, 1 gives 0:  u + v + b <= 0         1, 0 gives 1:  u + b > 0
#
# The two on the right, added up, say that u + v + 2b is above 0. The two on the left, added up, say that u + v + 2b is at most 0. Both cannot be. So
# no line does it, however it is found. Of the 16 tables that two inputs can have, how many has a unit? We draw 100,000 units and look. Two tables
# never come up, XOR and its opposite. At best a unit gets three corners of XOR right.


def draw_units():
    numbers = np.random.default_rng(0).normal(size=(100_000, 3))
    answers = unit(CORNERS, numbers[:, :2].T, numbers[:, 2]).T
    tables = {tuple(row) for row in np.unique(answers, axis=0).tolist()}
    best = int((answers == XOR).sum(axis=1).max())
    missing = sorted(set(np.ndindex(2, 2, 2, 2)) - tables)
    print(f"\n100000 units at random have {len(tables)} of the 16 tables; missing: {' and '.join(str(table) for table in missing)}")
    print(f"the best of them at XOR gets {best} of 4 corners right")
    return {"tables": len(tables), "missing": missing, "best": best}


# %% Way out 1: a second layer
# XOR can be said with gates: OR of the inputs is 1, and NAND, which means not both, is 1. OR is a line below the diagonal of the ones, NAND a line
# above it, and AND keeps the strip between. The first two units look at the inputs, the third looks at their answers. It sees other corners: where
# (0, 1) and (1, 0) were, both gates say 1, so these two corners have become one. And then a line is enough. The units in the middle are called
# hidden: nobody sees their answers from outside. Here all nine numbers were set by hand.


def gates(x):
    hidden = np.stack([unit(x, [1, 1], -0.5), unit(x, [-1, -1], 1.5)], axis=1)  # OR, NAND
    return hidden, unit(hidden, [1, 1], -1.5)  # AND


# %% Way out 2: one more input
# Or we leave the unit as it is, and give it a third input: the product of the two. It is 1 at the corner (1, 1) only. That lifts this corner out of
# the square, and in space there is a plane with the two ones on one side. The rule of f03 finds it. Seen from above, in the square, the plane is a
# bent line. Such a computed input is called a feature. A kernel, a word that you may meet, is a short cut that works with very many features without
# computing each. The catch is that somebody had to think of this product.


def with_product(x):
    return np.column_stack([x, x[:, 0] * x[:, 1]])


def show_ways():
    hidden, composed = gates(CORNERS)
    w, b, mistakes, _ = learn(with_product(CORNERS), XOR, 100)
    learned = unit(with_product(CORNERS), w, b)
    print("\n x1 x2  XOR   OR NAND   AND of both   x1*x2   unit with three inputs")
    for (x1, x2), t, (a, c), y, z in zip(CORNERS, XOR, hidden, composed, learned, strict=True):
        print(f"  {x1}  {x2}{t:5}{a:5}{c:5}{y:14}{x1 * x2:8}{z:25}")
    epochs = mistakes.index(0) + 1
    print(f"learned in {epochs} epochs: {w[0]:g} x1 + {w[1]:g} x2 + {w[2]:g} x1*x2 + {b:g} > 0")
    return {"composed": composed, "hidden": hidden, "product": {"w": w, "b": b, "answers": learned, "epochs": epochs}}


# %% Way out 3: learn both layers
# The rule of f03 cannot teach a hidden unit, since nobody says what its answer should have been. What can be done is to move all numbers a little
# in the direction in which the answers get better. That direction exists if no unit jumps, so the hidden units answer with ``tanh``, a smooth stair
# from -1 to 1, and the last one with a number between 0 and 1: how sure it is. How the direction is found is what steps 01 to 42 are about. Here
# ``dezero`` does it in ``loss.backward()``. The loss says how wrong the answers are; f07 explains it. ``F.sigmoid`` makes the number between 0 and 1.
#
# All depends on the first weights, which are drawn at random. So we do not train one net, but 200 of each size, from the seeds 0 to 199. They do not
# know of each other. Their weights only stand in one array, to be quick.


def first_weights(hidden, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(2, hidden)) / 2**0.5, np.zeros((1, hidden)), rng.normal(size=(hidden, 1)) / hidden**0.5, np.zeros((1, 1))


def answers(x, W1, b1, W2, b2):
    h = F.tanh(F.matmul(x, W1) + b1)  # (nets, points, hidden)
    return h, F.matmul(h, W2) + b2  # (nets, points, 1)


def train_nets(hidden, seeds, steps=1000, rate=0.5):
    weights = [Variable(np.stack(arrays)) for arrays in zip(*(first_weights(hidden, seed) for seed in seeds), strict=True)]
    t = np.broadcast_to(XOR.reshape(4, 1), (len(seeds), 4, 1))
    for _ in range(steps):
        _, y = answers(CORNERS, *weights)
        loss = F.sigmoid_cross_entropy(y, t, reduction="sum") / 4
        for weight in weights:
            weight.cleargrad()
        loss.backward()
        for weight in weights:
            weight.data = weight.data - rate * weight.grad.data
    h, y = answers(CORNERS, *weights)
    return [weight.data for weight in weights], h.data, F.sigmoid(y).data[:, :, 0]


# %% Two hidden units are enough, and yet they are not
# "A net with two hidden units learns XOR" is half of the truth. There are weights that do it, way 1 shows some. But little more than half of the nets
# find such weights. With three hidden units it is more than nine in ten, with four nearly all.
#
# What became of the others? Nearly all end in the same state: two corners are right. The other two are neighbours, and for both the net says 0.5.
# The hidden units have put them at the same place, the difference is below 0.01. So the last unit cannot tell them apart: to raise one answer is to
# raise the other, and the two wishes cancel each other. What could pull them apart is a move of the hidden units. But these corners lie where tanh is
# flat, so that a small move changes nothing. Ten times as many steps free 1 of the 85 nets that failed with two units. (Of these, 3 even hold three
# corners together, and say about 2/3 to all of them.)
#
# Two units draw two lines. Both have to get to the right place, and no third is there to help out. More units are not needed to say XOR. They are
# needed to find it, as it becomes likely that some two of them start well.


def show_nets():
    found, nets = {}, {}
    print("\nhidden units   solved, seeds 0-19   seeds 0-199   failed, with two corners in one place")
    for hidden in (2, 3, 4):
        weights, h, p = train_nets(hidden, range(200))
        solved = ((p > 0.5) == XOR).all(axis=1)
        half = np.abs(p - 0.5) < 0.02
        gaps = np.array([np.ptp(h[i, half[i]], axis=0).max() if half[i].sum() == 2 else np.inf for i in range(200)])
        together = ~solved & (gaps < 0.01)
        found[hidden] = {"of 20": int(solved[:20].sum()), "of 200": int(solved.sum()), "together": int(together.sum())}
        nets[hidden] = weights, h, p, solved, together
        print(f"{hidden:12}{solved[:20].sum():14} of 20{solved.sum():10} of 200{together.sum():16} of {(~solved).sum()}")
    return found, nets


# %% Pictures
# With ``--out``: the four ways to draw a border (between the places of two answers it is called a decision boundary), and what the two hidden units
# of a net make of the corners, in a net that learned XOR and in one that did not.

ZERO, ONE = "#0072B2", "#D55E00"


def draw_corners(ax, places, size=(90, 90)):
    for answer, color, marker in ((0, ZERO, "s"), (1, ONE, "o")):
        ax.scatter(*places[answer == XOR].T, s=size[answer], color=color, marker=marker, edgecolors="white", zorder=3, label=f"XOR is {answer}")


def draw_ways(path, product, net):
    side = np.linspace(-0.5, 1.5, 201)
    places = np.stack(np.meshgrid(side, side), axis=-1).reshape(-1, 2)
    hidden_gap = np.minimum(places.sum(1) - 0.5, 1.5 - places.sum(1))
    panels = {"One unit (here OR): at best 3 of 4": places.sum(1) - 0.5, "A strip: OR and NAND": hidden_gap,
              "One unit with x1 x2 as third input": with_product(places) @ product["w"] + product["b"],
              "Two hidden units that learned it": answers(places, *net)[1].data.reshape(-1)}
    with picture(path, rows=2, columns=2, size=(8.6, 8.0)) as axes:
        for ax, (title, score) in zip(axes.flat, panels.items(), strict=True):
            table = score.reshape(201, 201)
            ax.contourf(side, side, table, levels=[-np.inf, 0, np.inf], colors=[ZERO, ONE], alpha=0.18)
            ax.contour(side, side, table, levels=[0], colors="0.25")
            draw_corners(ax, CORNERS)
            ax.set(title=title, xlabel="x1", ylabel="x2", xticks=[0, 1], yticks=[0, 1], aspect="equal")
        axes[0, 0].legend(loc="lower right", framealpha=1)


def draw_hidden(path, nets):
    weights, h, _, solved, together = nets[2]
    with picture(path, columns=2, size=(9.6, 4.8)) as axes:
        chosen = int(np.argmax(solved)), int(np.argmax(together))
        for ax, net, what in zip(axes, chosen, ("learned XOR", "did not: two corners in one place"), strict=True):
            _, _, (u, v), b = (array[net] for array in weights)
            side = np.linspace(-1.25, 1.25, 3)
            score = side[None, :] * u + side[:, None] * v + b
            ax.contourf(side, side, score, levels=[-np.inf, 0, np.inf], colors=[ZERO, ONE], alpha=0.18)
            ax.contour(side, side, score, levels=[0], colors="0.25")
            draw_corners(ax, h[net], size=(190, 70))
            for place in np.unique(np.round(h[net], 1), axis=0):  # corners at one place share a label
                names = [f"({x1}, {x2})" for (x1, x2), at in zip(CORNERS, h[net], strict=True) if np.abs(at - place).max() < 0.1]
                ax.annotate(" and ".join(names), place, (0, 17), textcoords="offset points", ha="right" if place[0] > 0 else "left",
                            bbox={"boxstyle": "round", "facecolor": "white", "edgecolor": "none", "alpha": 0.8})
            ax.set(title=f"Seed {net} {what}", xlabel="first hidden unit", ylabel="second hidden unit", aspect="equal")
        axes[0].legend(loc="upper left", framealpha=1)


def main(out=None, fast=False):
    learning, drawn, ways = show_learning(), draw_units(), show_ways()
    counts, nets = show_nets()
    if out:
        weights, _, _, solved, _ = nets[2]
        draw_ways(out / "ways.png", ways["product"], [array[np.argmax(solved)] for array in weights])
        draw_hidden(out / "hidden.png", nets)
    return {"learning": learning, "drawn": drawn, **ways, "nets": counts}


# %% Exercises: python -m steps.check f04 my_answer.py
# 1. ``unit_for(table)``: for the answers at (0, 0), (0, 1), (1, 0), (1, 1), as a list of 0 and 1: (u, v, b) of a unit that gives them, or None if
#    there is no such unit. The answer is 1 where u * x1 + v * x2 + b > 0.
# 2. ``xor(a, b, nand)``: XOR made of nothing but calls of nand(., .), at most five of them. Neither a nor b is a number that you could look at.
# 3. ``parity()``: W (3, 3), b (3,), w (3,) and c, set by hand: a layer of three units and one unit behind it, which answer 1 for three inputs of
#    which one or all three are 1, and else 0. Unit j of the layer is unit(x, W[:, j], b[j]).

if __name__ == "__main__":
    run(main)
