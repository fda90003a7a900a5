"""What does a famous network look like inside, and what does it look at?

VGG16 was built in 2014 to tell a thousand kinds of things apart on photographs, and its design is still borrowed today. There is no new part in it.
Convolutions of 3 x 3, ReLU, pooling and linear layers are enough, many of them in a row. So many that one does not write them down one by
one, but as a table. The same code then builds a small one that we can train here, and ask where it looks.
"""

import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Variable, grad, no_grad, test_mode
from dezero.datasets import Digits
from dezero.errors import StateError
from dezero.initializers import Normal
from dezero.models import VGG16
from dezero.optimizers import Adam
from dezero.utils import plot_dot_graph

# %% Five blocks and a head
# This is all of VGG16: blocks of so many convolutions with so many channels, then three linear layers. A pad of 1 keeps the size, and pooling halves
# it after each block: 224, 112, 56, 28, 14, and 7 in the end. Where the image gets smaller, the channels get more.
#
# Why 3 x 3 only? Two in a row see 5 x 5 pixels, as one large kernel would. But they have 18 weights for each pair of channels, not 25, and a ReLU
# in between.

BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
HEAD = [4096, 4096, 1000]


class VGG(Model):
    def __init__(self, blocks, head, size, channels=3, initializer="he"):
        super().__init__()
        self.blocks, self.head = blocks, [f"fc{len(blocks) + i}" for i in range(1, len(head) + 1)]
        for block, (count, width) in enumerate(blocks, 1):
            for i in range(1, count + 1):
                setattr(self, f"conv{block}_{i}", L.Conv2d(width, 3, pad=1, in_channels=channels, initializer=initializer))
                channels = width
        numbers = channels * (size // 2 ** len(blocks)) ** 2
        for name, width in zip(self.head, head, strict=True):
            setattr(self, name, L.Linear(width, in_size=numbers, initializer=initializer))
            numbers = width

    def maps(self, x):  # the channels after the last block, before its pooling
        for block, (count, _) in enumerate(self.blocks, 1):
            if block > 1:
                x = F.max_pool2d(x, 2)
            for i in range(1, count + 1):
                x = F.relu(getattr(self, f"conv{block}_{i}")(x))
        return x

    def scores(self, maps):
        x = F.flatten(F.max_pool2d(maps, 2))
        for name in self.head[:-1]:
            x = F.dropout(F.relu(getattr(self, name)(x)))
        return getattr(self, self.head[-1])(x)

    def forward(self, x):
        return self.scores(self.maps(x))


# %% 138 million numbers
# The real size, for images of 224 x 224. To count we need shapes, not values, so all weights are zeros: the system gives memory to an array of zeros
# only where something is written. The table shows where the parameters are, and where the work is: not in the same place. The convolutions do nearly
# all multiplications with a tenth of the parameters, as each weight is used at each pixel. The first linear layer alone has three quarters of them.


def nothing_yet(shape):
    return np.zeros(shape, np.float32)


def show_table():
    model = VGG(BLOCKS, HEAD, size=224, initializer=nothing_yet)
    print("part      output of it            parameters   multiplications of one image")
    rows, size = [], 224
    for block, (count, width) in enumerate(BLOCKS, 1):
        layers = [getattr(model, f"conv{block}_{i}") for i in range(1, count + 1)]
        rows.append((f"block {block}", f"{count} x conv, {width:3} x {size} x {size}", sum(layer.count_params() for layer in layers),
                     sum(layer.W.size for layer in layers) * size**2))
        size //= 2
    for name in model.head:
        layer = getattr(model, name)
        rows.append((name, f"{layer.out_size}", layer.count_params(), layer.W.size))
    rows.append(("total", "", model.count_params(), sum(row[3] for row in rows)))
    for part, shape, parameters, products in rows:
        print(f"{part:8}  {shape:22} {parameters:11,} {products:31,}")
    keys = [name for name, _ in model.named_params()]
    return {"parameters": model.count_params(), "rows": rows, "keys": keys, "same names": keys == [name for name, _ in VGG16().named_params()]}


# %% Does it run?
# With random weights, on an image of 64 x 64, so that the first linear layer is small. Here depth is a danger. With weights that are a little too
# small each layer makes the numbers smaller, and after thirteen nothing is left; the makers of VGG first trained a shorter network, and lengthened
# it. He and others found in 2015 how large weights must be for ReLU: a standard deviation of sqrt(2 / n), if n numbers enter a sum.
#
# The package has this network ready. Its ``VGG16`` takes our weights by their names, and gives the same scores.


def size_of_numbers(model, x):
    sizes = []
    for block, (count, _) in enumerate(BLOCKS, 1):
        for i in range(1, count + 1):
            x = F.relu(getattr(model, f"conv{block}_{i}")(x))
        sizes.append(float(np.sqrt(np.mean(x.data**2))))
        x = F.max_pool2d(x, 2)
    return sizes


def random_run():
    np.random.seed(0)
    model, theirs = VGG(BLOCKS, HEAD, size=64), VGG16()
    theirs.load_state_dict(model.state_dict(copy=False))
    x = np.random.default_rng(0).normal(size=(1, 3, 64, 64)).astype(np.float32)
    print("\nrandom weights, mean size of the numbers after block      1        2        3        4        5")
    found = {}
    with no_grad(), test_mode():
        y, other = model(x).data, theirs(x).data
        for name, net in (("as He found", model), ("standard deviation 0.01", VGG(BLOCKS, [1], size=64, initializer=Normal(0.01)))):
            found[name] = size_of_numbers(net, x)
            print(f"    {name:44}" + "".join(f"{size:9.0e}" for size in found[name]))
    worst = float(np.abs(other - y).max() / np.abs(y).max())
    print(f"image {x.shape} to scores {y.shape}; the same scores from the package's VGG16: {worst < 1e-4}")
    return {"shape": y.shape, "worst": worst, "sizes": found}


# %% A small one of the same kind
# Training VGG16 took weeks. Ours has two blocks, and a task for which it matters where one looks: somewhere on an image of 16 x 16 lies a digit, and
# with it two scraps of other digits, 4 x 4 pixels each. Only the digit counts. Every epoch shows new places and new scraps.

SMALL = {"blocks": [(2, 8), (2, 16)], "head": [64, 10], "size": 16, "channels": 1}


def scenes(images, rng):
    found = np.zeros((len(images), 1, 16, 16), np.float32)
    places = rng.integers(0, 9, (len(images), 2))
    for scene, image, (row, column) in zip(found[:, 0], images[:, 0], places, strict=True):
        for _ in range(2):
            other, (i, j), (r, s) = images[rng.integers(len(images)), 0], rng.integers(0, 5, 2), rng.integers(0, 13, 2)
            scene[r:r + 4, s:s + 4] = other[i:i + 4, j:j + 4]
        scene[row:row + 8, column:column + 8] = image
    return found, places


def train(epochs=16):
    digits, test = Digits(), Digits(train=False)
    images, labels = (digits.data / 16).astype(np.float32), digits.label
    np.random.seed(1)
    rng = np.random.default_rng(1)
    model = VGG(**SMALL)
    optimizer = Adam(0.005).setup(model)
    for epoch in range(epochs):
        optimizer.rate = 0.005 if epoch < 0.7 * epochs else 0.001
        x, _ = scenes(images, rng)
        for batch in np.array_split(rng.permutation(len(x)), len(x) // 32):
            with test_mode():  # too small a network for dropout
                loss = F.softmax_cross_entropy(model(x[batch]), labels[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
    x, places = scenes((test.data / 16).astype(np.float32), np.random.default_rng(9))
    return model, x, places, test.label


# %% A table and a file
# A trained network is two things: the table, and its numbers. The numbers go into a file (step 53). With the table anybody can build the network
# again and load them. If the table is another one, the names or shapes do not fit, and the package says so, before it has loaded anything.


def about(share):  # training multiplies the last bits of rounding, which differ from computer to computer: so no more than one digit
    return f"about {round(share, 1):.0%}"


def save_and_load(model, x, t):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "small.npz"
        model.save_weights(path)
        again, other = VGG(**SMALL), VGG(**{**SMALL, "blocks": [(2, 8), (2, 32)]})
        again.load_weights(path)
        try:
            other.load_weights(path)
        except StateError as error:
            refused = str(error).splitlines()
    with no_grad(), test_mode():
        y = again(x).data
        same = bool(np.array_equal(y, model(x).data))
    right = float((y.argmax(axis=1) == t).mean())
    print(f"\nsmall network: {again.count_params():,} parameters, {about(right)} of the test images right; loaded, the same scores: {same}")
    print(f"loaded into another table: refused, {refused[1].split(', ')[-1]}, the first {' '.join(refused[3].replace('float32', '').split())}")
    return {"right": right, "same": same, "refused": refused}


# %% Where does it look?
# The maps of the last block are 16 channels of 8 x 8 places. They still know where: a place stands for 2 x 2 pixels. The score of the digit that won
# depends on them, so it has a gradient for each number in them. The mean gradient of a channel says how much this channel speaks for the
# digit. Add up the channels with these weights, and keep what is above 0: an image of the places that speak for the answer. This is
# called Grad-CAM. It needs one backward that stops in the middle of the network, and no training.


def look(model, x):
    with test_mode():
        maps = model.maps(x)
        y = model.scores(maps)
        said = y.data.argmax(axis=1)
        score = F.sum(y[np.arange(len(said)), said])
        slopes = grad(score, maps).data
    speaks = slopes.mean(axis=(2, 3), keepdims=True)
    return np.maximum((speaks * maps.data).sum(axis=1), 0), said


def within(places, points):
    return float(((points >= places) & (points < places + 8)).all(axis=1).mean())


def where_it_looks(model, x, places):
    heat, said = look(model, x)
    peaks = np.array([np.unravel_index(table.argmax(), table.shape) for table in heat]) * 2 + 1.0
    darkest = np.array([np.unravel_index(scene.argmax(), scene.shape) for scene in x[:, 0]])
    found = {"looks": within(places, peaks), "darkest": within(places, darkest), "chance": 0.25}
    print(f"\nhow often it lies on the digit (a place by lot does in {found['chance']:.0%})")
    for name, share in (("the darkest pixel", "darkest"), ("the place that speaks most for the answer", "looks")):
        print(f"    {name:45}{about(found[share])}")
    return found, heat, said


# %% Pictures
# With ``--out``: where the small network looks, and its graph.


def draw_heat(path, x, heat, said, places, labels, count=10):
    with picture(path, rows=2, columns=count // 2, size=(11.0, 5.2)) as axes:
        for ax, k in zip(axes.flat, range(count), strict=True):
            ax.imshow(x[k, 0], cmap="gray_r", extent=(0, 16, 16, 0), vmax=1.4)
            ax.imshow(heat[k] / max(heat[k].max(), 1e-9), cmap="Oranges", alpha=np.minimum(heat[k] / max(heat[k].max(), 1e-9), 1) * 0.75,
                      extent=(0, 16, 16, 0), interpolation="bilinear", vmin=0, vmax=1)
            row, column = places[k]
            ax.plot(column + np.array([0, 8, 8, 0, 0]), row + np.array([0, 0, 8, 8, 0]), color="#0072B2", linewidth=1.5)
            ax.set_title(f"{labels[k]}, read as {said[k]}", size=10, color="black" if said[k] == labels[k] else "#B03000")
            ax.set(xticks=[], yticks=[], xlim=(0, 16), ylim=(16, 0))
        axes[0, 0].figure.suptitle("What speaks for the answer (orange). The digit is in the blue frame, the rest are scraps")


def main(out=None, fast=False):
    table = show_table()
    untrained = random_run()
    model, x, places, labels = train()
    saved = save_and_load(model, x, labels)
    found, heat, said = where_it_looks(model, x, places)
    if out:
        draw_heat(out / "looks.png", x, heat, said, places, labels)
        with test_mode():
            y = model(Variable(x[:1], name="image"))
        y.name = "scores"
        plot_dot_graph(y, to_file=out / "small.svg", collapse=True)
    return {**table, "untrained": untrained, **saved, "where": found}


# %% Exercises: python -m steps.check 58 my_answer.py
# 1. ``count(blocks, head, size, channels)``: how many parameters VGG(blocks, head, size, channels) has, from the table alone; nothing is built.
# 2. ``sees(blocks)``: how many pixels wide the part of the image is on which one number of the last block depends, before its pooling. Two
#    convolutions of 3 see 5. Behind a pooling, a step to the neighbour is twice as wide.
# 3. ``hide_and_look(score, image, size)``: another way to ask where it looks: cover a square of size x size with zeros, at all places where it fits,
#    side by side, and see how much the score falls. score is a function of an image (H, W); return the falls as an array (H // size, W // size).

if __name__ == "__main__":
    run(main)
