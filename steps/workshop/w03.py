"""What does a net gain when it gets wider, and what when it gets deeper?

A small net can grow in two directions: more units in each layer, or more layers. Both add parameters, and sayings about what is better are many.
Here a small net, a wider one, a deeper one and one that is both learn the same two tasks. A fifth joins them: as many parameters as the largest, all
in one layer.
"""

from itertools import pairwise

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad
from dezero.models import MLP
from dezero.optimizers import Adam

# %% Five nets
# Each takes 4 numbers and gives 1. A Linear layer from a units to b has a * b weights and b shifts: (a + 1) * b parameters. So the parameters of a
# net grow with the products of neighbours: twice the width means up to four times the parameters, twice the depth about twice.

NETS = {"base": (8, 4), "wider": (16, 8), "deeper": (4, 8, 8, 4), "both": (8, 16, 16, 8), "one layer": (100,)}


def count(sizes):
    return sum((a + 1) * b for a, b in pairwise(sizes))


def show_nets():
    print("net         units             parameters")
    found = {}
    for name, hidden in NETS.items():
        sizes = (4, *hidden, 1)
        found[name] = [count(sizes), MLP(sizes[1:], in_size=4).count_params()]
        print(f"{name:11} {'-'.join(map(str, sizes)):17} {found[name][0]:6}")
    return found


# %% Two tasks
# In both, 4 numbers between -1 and 1 decide one number, without noise. 400 points are known, 2,000 others are for the test.
#
# The first is smooth: a ball is thrown with some speed, at some angle, from some height, in some wind. How far does it fly? The second is a sine with
# a sine inside of it: it has more hills than 400 points show well.


def throw(u):
    speed, angle, height, wind = 10 + 5 * u[:, 0], np.radians(45 + 35 * u[:, 1]), 1 + u[:, 2], 3 * u[:, 3]
    up = speed * np.sin(angle)
    seconds = (up + np.sqrt(up**2 + 2 * 9.81 * height)) / 9.81
    return (speed * np.cos(angle) + wind) * seconds / 8 - 1.5


def waves(u):
    return np.sin(4 * u[:, 0] * u[:, 1] + 2 * np.sin(3 * u[:, 2] + u[:, 3]))


def points(task, rng):
    u = rng.uniform(-1, 1, size=(2400, 4)).astype(np.float32)
    t = task(u).astype(np.float32).reshape(-1, 1)
    return (u[:400], t[:400]), (u[400:], t[400:])


# %% Training
# Adam with batches of 50; for the last third of the steps the rate is a tenth. The error is the root of the mean squared error, divided by the
# spread of the true values: 100% is what the best constant has. Tanh and ReLU each get the first weights that suit them.

ACTIVATIONS = {"tanh": (F.tanh, "xavier"), "ReLU": (F.relu, "he")}


def error(model, x, t):
    with no_grad():
        return float(F.mean_squared_error(model(x), t).data) ** 0.5 / float(t.std())


def train(task, kind, hidden, seed, steps):
    """The errors on the way, on the known points and on the others."""
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    (x, t), new = points(task, rng)
    activation, first = ACTIVATIONS[kind]
    model = MLP((*hidden, 1), activation=activation, initializer=first, in_size=4)
    optimizer = Adam(0.02).setup(model)
    errors = []
    for step in range(1, steps + 1):
        if 3 * step > 2 * steps:
            optimizer.rate = 0.002
        batch = rng.integers(0, len(x), 50)
        loss = F.mean_squared_error(model(x[batch]), t[batch])
        model.cleargrads()
        loss.backward()
        optimizer.update()
        if step % (steps // 20) == 0:
            errors.append((step, error(model, x, t), error(model, *new)))
    return errors


# %% The comparison
# Five seeds: each draws the points and the first weights anew, and all nets get the same points. The table has the middle of the seeds. The last row
# of each block counts the seeds in which a net is better on new points than the base net: by luck alone, it would be about half of them.


def compare(tasks, seeds, steps):
    print(f"\nerror, middle of {seeds} seeds   " + "".join(f"{name:>11}" for name in NETS))
    found = {}
    for task in tasks:
        for kind in ACTIVATIONS:
            runs = np.array([[train(task, kind, hidden, seed, steps) for seed in range(seeds)] for hidden in NETS.values()])
            name = f"{task.__name__}, {kind}"
            known, new = runs[:, :, -1, 1], runs[:, :, -1, 2]
            better = (new < new[0]).sum(axis=1)
            print(f"{name:14} known points " + "".join(f"{value:11.1%}" for value in np.median(known, axis=1)))
            print(f"{'':14} new points   " + "".join(f"{value:11.1%}" for value in np.median(new, axis=1)))
            print(f"{'':14} beats base in" + f"{'':11}" + "".join(f"{f'{wins} of {seeds}':>11}" for wins in better[1:]))
            found[name] = {net: {"known": known[i], "new": new[i], "curve": np.median(runs[i], axis=0)} for i, net in enumerate(NETS)}
    return found


# %% What came out
# Five seeds leave doubts, so for this paragraph we ran fifteen. The wider net beats the base net in 12 to 15 of them, in each of the four blocks. The
# deeper one has twice the parameters of the base net too, and beats it in 6 and 9 on the ball, in 11 and 10 on the waves: little more than a coin
# would say. It did not learn by heart, as then it would at least know the known points better: with tanh it knows the ball's worse. It is harder to
# train, and everything has to pass through its 4 first units. Wider and deeper at once is good nearly everywhere, and costs 601 parameters.
#
# And the old question: many narrow layers, or one wide layer with as many parameters? With tanh the deep net wins in 15 of 15, on both tasks. With
# ReLU it wins in 1 of 15 on the ball, and in 8 of 15 on the waves. So "deeper is better" is not true, and "one wide layer is enough" is not either.
# It depends on the task, the activation and the training. To make such a table for your own task takes minutes, and more than one seed.

# %% The curves
# With ``--out``: how the error on new points falls, and what each net reached for its parameters.

STYLES = {"base": ("#000000", "-", "o"), "wider": ("#0072B2", "-", "s"), "deeper": ("#D55E00", "--", "^"), "both": ("#009E73", "-", "D"),
          "one layer": ("#CC79A7", "-.", "v")}


def draw_curves(path, found):
    with picture(path, rows=len(found) // 2, columns=2, size=(10.0, 3.9 * (len(found) // 2))) as axes:
        for ax, (name, nets) in zip(axes.flat, found.items(), strict=True):
            for net, row in nets.items():
                colour, line, _ = STYLES[net]
                ax.plot(row["curve"][:, 0], 100 * row["curve"][:, 2], line, color=colour, label=f"{net}, {count((4, *NETS[net], 1))} parameters")
            ax.set(title=name, xlabel="step", ylabel="error, in %", yscale="log")
            ticks = [value for value in (3, 4, 5, 7, 10, 15, 20, 30, 40, 50, 60, 70, 80, 100) if ax.get_ylim()[0] <= value <= ax.get_ylim()[1]]
            ax.set_yticks(ticks, [str(value) for value in ticks])
            ax.minorticks_off()
            ax.axvline(row["curve"][-1, 0] * 2 / 3, color="#808080", linestyle=":", label="the rate falls to a tenth")
        ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=3)
        ax.figure.suptitle("Error on new points, middle of the seeds (100%: the best constant)")


def draw_sizes(path, found):
    with picture(path, columns=len(found), size=(3.4 * len(found), 3.9)) as axes:
        for ax, (name, nets) in zip(np.atleast_1d(axes), found.items(), strict=True):
            for net, row in nets.items():
                colour, _, marker = STYLES[net]
                place = count((4, *NETS[net], 1)) * {"both": 0.95, "one layer": 1.05}.get(net, 1.0)
                ax.plot([place] * len(row["new"]), 100 * row["new"], marker, color=colour, markersize=6, alpha=0.7, linewidth=0, label=net)
            ax.set(title=name, xlabel="parameters", ylabel="error on new points, in %", xscale="log", ylim=(0, None), xlim=(65, 760))
            ax.set_xticks([81, 173, 225, 601], ["81", "173", " 225", "601"], fontsize=8)
            ax.minorticks_off()
        ax.figure.legend(*ax.get_legend_handles_labels(), loc="outside lower center", ncols=5)
        ax.figure.suptitle("Each mark is one seed")


def main(out=None, fast=False):
    nets = show_nets()
    found = compare([throw] if fast else [throw, waves], 3 if fast else 5, 300 if fast else 1000)
    if out:
        draw_curves(out / "curves.png", found)
        draw_sizes(out / "sizes.png", found)
    return {"parameters": nets, "errors": found}


# %% Exercises: python -m steps.check w03 my_answer.py
# 1. ``parameters(sizes)``: the number of weights and shifts of Linear layers of these sizes: parameters([4, 8, 4, 1]) is 81.
# 2. ``width(inputs, outputs, layers, budget)``: the largest h such that a net with so many hidden layers of h units each has at most ``budget``
#    parameters; layers is at least 1, and budget large enough for h = 1.
# 3. ``deep(x, layers)``: no learning. g(x) = relu(2 x) - relu(4 x - 2) makes a tent of 0 to 1: up to 1 at x = 0.5, and down again. Return g of g of
#    g ... of x, an array, ``layers`` times. With 2 units a layer it has 2**(layers - 1) tents; a net with one layer needs a unit for each bend.

if __name__ == "__main__":
    run(main)
