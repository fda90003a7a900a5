"""What does a convolution network learn, and is it worth the trouble?

Steps 55 to 57 have built the convolution, and step 58 has asked a trained network where it looks. Here we train small ones and look at the parts
themselves: the filters before and after training, and what they make of a digit. Then we compare, with a network of linear layers of the same
size, with filters that never learn, and on digits that stand one pixel beside their place.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, no_grad
from dezero.datasets import ArrayDataset, Digits
from dezero.models import MLP
from dezero.optimizers import Adam

# %% Small networks
# Around the digits of 8 x 8 pixels we put a frame of one pixel. The first network is the usual one, in small: 8 filters of 3 x 3 give 8 maps of 8 x 8
# numbers, ReLU, pooling makes 4 x 4 of them, and a linear layer reads the digit from these 128 numbers. It has 1,370 parameters. The dense
# network, of linear layers alone, gets 12 hidden units, so that it has nearly as many: 1,342. Another has 100 units and eight times the
# parameters.
#
# "Any place" goes further: of each map it keeps the largest number and forgets where it was. The linear layer learns only whether a filter has found
# its piece of a stroke at all. There are fewer numbers to read from, so we can pay for more filters, and for larger ones: 38 of 5 x 5.


def convolution():
    return L.Sequential(L.Conv2d(8, 3, in_channels=1), F.relu, L.MaxPool2d(2), L.Flatten(), L.Linear(10, in_size=128))


def any_place():
    return L.Sequential(L.Conv2d(38, 5, pad=1, in_channels=1), F.relu, L.MaxPool2d(8), L.Flatten(), L.Linear(10, in_size=38))


def dense(units):
    return L.Sequential(L.Flatten(), MLP((units, 10), activation=F.relu, in_size=100))


# name: network, do its filters learn?
NETS = {
    "dense, 12 units": (lambda: dense(12), True),
    "dense, 100 units": (lambda: dense(100), True),
    "convolution": (convolution, True),
    "  filters by lot": (convolution, False),
    "any place": (any_place, True),
    "  its filters by lot": (any_place, False),
}


def digits(train):
    data = Digits(train=train, transform=None)
    return np.pad(data.data, ((0, 0), (0, 0), (1, 1), (1, 1))).astype(np.float32) / 16, data.label


def learn(name, seed, epochs):
    """A trained network, and its first weights."""
    build, filters_learn = NETS[name]
    x, t = digits(train=True)
    np.random.seed(seed)
    known = np.random.default_rng(seed).permutation(len(x))[:1000]
    model = build()
    before = model.state_dict()
    optimizer = Adam(0.005).setup(model if filters_learn else model[4])
    loader = DataLoader(ArrayDataset(x[known], t[known]), 25, seed=seed)
    for _ in range(epochs):
        for x_batch, t_batch in loader:
            loss = F.softmax_cross_entropy(model(x_batch), t_batch)
            model.cleargrads()
            loss.backward()
            optimizer.update()
    return model, before


def right(model, x, t):
    with no_grad():
        return float(F.accuracy(model(x), t).data)


# %% Look at a filter
# Nine numbers, drawn by lot at first. Which of the eight to look at? Let us switch off one at a time, that is, set its map to zero, and read the test
# digits without it. The one that is missed most is shown, with what it makes of a digit (after ReLU; a darker letter is a larger number). A filter
# gives a large number where the image looks like the filter itself (step 55). This one has grown large weights above and negative ones below: it
# finds the places where ink ends downwards, such as the foot of the 3. Before training it found next to nothing.


def maps(model, x):
    with no_grad():
        return F.relu(model[0](x)).data


def without(model, x, t):
    found = []
    with no_grad():
        for k in range(8):
            kept = maps(model, x)
            kept[:, k] = 0
            found.append(float(F.accuracy(model[4](F.flatten(F.max_pool2d(kept, 2))), t).data))
    return found


def as_text(image, largest):
    return ["".join(" .:-=+*#%@"[int(min(number / largest, 1) * 9.99)] * 2 for number in row) for row in image]


def look_inside(model, before, x, t):
    first = convolution()
    first.load_state_dict(before)
    alone = without(model, x, t)
    k = int(np.argmin(alone))
    filters = [net[0].W.data[k, 0] for net in (first, model)]
    pictures = [maps(net, x[:1])[0, k] for net in (first, model)]
    print(f"filter {k} of 0 to 7, before and after; a {t[0]}, and what the filter makes of it")
    texts = [as_text(x[0, 0, 1:-1, 1:-1], 1.0)] + [as_text(table, np.max(pictures)) for table in pictures]
    for i in range(8):
        weights = ["".join(f"{weight:6.1f}" for weight in table[i - 2]) if 2 <= i <= 4 else " " * 18 for table in filters]
        print(f"{weights[0]}  {weights[1]}    " + "   ".join(text[i] for text in texts).rstrip())
    print("right without filter   " + "".join(f"{i:7}" for i in range(8)) + "   none off")
    print(" " * 23 + "".join(f"{share:7.1%}" for share in alone) + f"{right(model, x, t):11.1%}")
    return {"filter": k, "without": alone}


# %% Do filters become edge finders?
# So it is often told. We can measure it. The two edge kernels of step 55, from left to right and from top to bottom, and all their mixtures, which
# are edges in other directions, take up 2 of the 9 dimensions that a filter of 3 x 3 has. So of a filter drawn by lot, 2/9 or 22% is edge: of its
# squared length, in the mean over many filters. (Our few filters happen to begin with more.) Training makes it more in each seed, yet less
# than half. The rest are lines, corners, spots and ink itself. The saying comes from large networks on photographs; ours learns what it needs.
#
# The second number says how much of its first weights a filter still has in it: 1 would be the same direction, 0 nothing in common. It is high. So
# training does not make filters out of nothing. It takes what the lot has given, strengthens what helps and bends the rest.

EDGES = np.stack([np.outer([1, 1, 1], [-1, 0, 1]), np.outer([-1, 0, 1], [1, 1, 1])]).reshape(2, 9) / np.sqrt(6)


def edge_share(W):
    rows = W.reshape(-1, 9)
    return float((np.sum((rows @ EDGES.T) ** 2, axis=1) / np.sum(rows**2, axis=1)).mean())


def likeness(before, after):
    a, b = before.reshape(len(before), -1), after.reshape(len(after), -1)
    return float((np.sum(a * b, axis=1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)).mean())


# %% Is it worth the trouble?
# Each network of a seed learns from the same 1,000 digits, and reads the 360 of the test set: as they are, and shifted by one pixel in each of the
# four directions. No shifted digit was learned from.
#
# 1. With as many parameters, the convolution reads more digits right than the dense network, in each of the five seeds. But 100 dense units, with
#    eight times the parameters, read as many. It gets more out of its weights; it has no gift that the others lack.
# 2. Where all the maps are read, filters that never learn lose a point only. Eight views of the image help the linear layer, by whatever filters
#    they were made. That is worth knowing before one reads much into a picture of filters.
# 3. A shift by one pixel ruins the dense networks: more than half is read wrong. It is often said that a convolution does not mind shifts. That is
#    not so: its maps move along, but the linear layer behind them reads each place with other weights. It is ten points better off, no more.
# 4. "Any place" loses a few points only, as its linear layer never learns where, and it reads the digits as they are no worse. But here the filters
#    must learn: with filters by lot it reads two digits of three. Its price is the multiplications: 38 large filters at 64 places are ten times
#    the work. (w06 has another way against shifts: to show shifted digits.)


def multiplications(name):
    model = NETS[name][0]()
    if name.startswith("dense"):
        return sum(p.size for p in model.params() if p.ndim == 2)
    return model[0].W.size * 64 + model[4].W.size


def measure(names, seeds, epochs):
    x, t = digits(train=False)
    shifted = [np.roll(x, shift, axis=(2, 3)) for shift in ((0, 1), (0, -1), (1, 0), (-1, 0))]
    found, pairs = {}, []
    for name in names:
        rows = []
        for seed in range(seeds):
            model, before = learn(name, seed, epochs)
            rows.append((right(model, x, t), float(np.mean([right(model, moved, t) for moved in shifted]))))
            if name == "convolution":
                pairs.append((model, before))
        plain, moved = np.array(rows).T
        found[name] = {"right": plain, "shifted": moved, "parameters": model.count_params(), "multiplications": multiplications(name)}
    return found, pairs


def show_table(found, seeds):
    print(f"\nmean of {seeds} seeds      parameters  multiplications  right on the test set  shifted by a pixel")
    for name, row in found.items():
        print(f"{name:20}{row['parameters']:13,}{row['multiplications']:17,}{row['right'].mean():23.1%}{row['shifted'].mean():20.1%}")


# %% Pictures
# With ``--out``: the eight filters of seed 0 before and after training, what they make of one digit, and the comparison, a mark for each seed.


def draw_maps(path, model, before, x, t):
    first = convolution()
    first.load_state_dict(before)
    with picture(path, rows=2, columns=9, size=(12.0, 3.4)) as axes:
        for row, net, name in zip(axes, (first, model), ("before", "after"), strict=True):
            tables = maps(net, x[:1])[0]
            row[0].imshow(x[0, 0], cmap="gray_r")
            row[0].set_ylabel(f"{name} training", size=10)
            for k, (ax, table) in enumerate(zip(row[1:], tables, strict=True)):
                ax.imshow(table, cmap="Oranges", vmin=0, vmax=tables.max())
                if name == "before":
                    ax.set_title(f"filter {k}", size=10)
        axes[0, 0].set_title(f"a {t[0]}", size=10)
        for ax in axes.flat:
            ax.set(xticks=[], yticks=[])
        axes[0, 0].figure.suptitle("What the eight filters make of one digit, after ReLU")


def draw_table(path, found):
    with picture(path, size=(8.0, 3.6)) as ax:
        for column, color, mark, label in (("right", "#0072B2", "o", "as they are"), ("shifted", "#D55E00", "D", "shifted by one pixel")):
            for row, name in enumerate(found):
                numbers = 100 * np.asarray(found[name][column])
                ax.plot(numbers, np.full(len(numbers), row), mark, color=color, alpha=0.6, label=label if row == 0 else None)
        ax.set(title="Test digits read right; a mark for each seed", xlabel="%", xlim=(35, 100), ylim=(len(found) - 0.5, -0.5),
               yticks=range(len(found)), yticklabels=[f"{name} ({row['parameters']:,})" for name, row in found.items()])
        ax.grid(axis="x", alpha=0.3)
        ax.figure.legend(loc="outside lower center", ncols=2)


def draw(out, model, before, found, x, t):
    from dezero.viz import plots

    for name, W in (("before", before["l0.W"]), ("after", model[0].W.data)):
        title = f"The eight filters {name} training: red above 0, blue below; up to {np.abs(W).max():.1f}"
        plots.filters(W, path=out / f"filters_{name}.png", title=title)
    draw_maps(out / "maps.png", model, before, x, t)
    draw_table(out / "compared.png", found)


def main(out=None, fast=False):
    seeds, epochs = (2, 5) if fast else (5, 15)
    found, pairs = measure(NETS, seeds, epochs)
    x, t = digits(train=False)
    inside = look_inside(*pairs[0], x, t)
    edges = [[edge_share(before["l0.W"]), edge_share(model[0].W.data)] for model, before in pairs]
    alike = [likeness(before["l0.W"], model[0].W.data) for model, before in pairs]
    print("share of edge: by lot 22%, ours before {:.0%}, after {:.0%}".format(*np.mean(edges, axis=0)), end="")
    print(f"; cosine of a filter before and after: {np.mean(alike):.2f}")
    show_table(found, seeds)
    if out:
        draw(out, *pairs[0], found, x, t)
    return {**inside, "edges": edges, "alike": alike, "nets": {" ".join(name.split()): row for name, row in found.items()}}


# %% Exercises: python -m steps.check w17 my_answer.py
# 1. ``dense_units(parameters, pixels, classes)``: how many hidden units a network pixels -> units -> classes with biases can have at most, if it may
#    have so many parameters in all.
# 2. ``best_window(x, W)``: for one filter W (3, 3) and images x (N, H, W): for each image the row and column of the window (upper left corner, no
#    pad) in which the filter gives its largest number, as integers (N, 2); of equal ones the first.
# 3. ``AnyPlace``: a layer that keeps of each map its largest number: (N, C, H, W) to (N, C), for any size, with a gradient.

if __name__ == "__main__":
    run(main)
