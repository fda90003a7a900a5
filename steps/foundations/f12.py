"""How does data get into a net, and how does an answer get out?

A net takes rows of numbers and gives rows of scores. An image is no row, its label is no row of scores, and a score is no answer. This script has
the four small steps between: flatten, normalise, one-hot and argmax. Then it stores a trained net in a file and answers from the file alone, for one
image and for many.
"""

import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad
from dezero.datasets import Digits
from dezero.models import MLP
from dezero.optimizers import SGD, Adam

# %% Flatten: an image becomes a row
# The digits that the package brings along are 8 x 8 pixels, 1,437 to learn from and 360 to test with. Together the images are an array with three
# axes: which image, which row, which column. A net as we use it multiplies rows by a matrix, so each image has to be one row of 64 numbers.
# ``reshape`` does it; -1 means "as many as are left". No number is changed, and the way back gives the same image.
#
# The first axis has to stay what it is: one entry for each image. ``reshape(64, -1)`` runs as well, and puts pixels of many images into each
# column. A few fit all the same, zeros most of all. NumPy cannot know what was meant.


def load():
    train, test = Digits(transform=None), Digits(train=False, transform=None)
    return train.data[:, 0], train.label.astype(int), test.data[:, 0], test.label.astype(int)


def flatten(images):
    return images.reshape(len(images), -1)


def show_flatten(images):
    x = flatten(images)
    back = bool(np.array_equal(x.reshape(-1, 8, 8), images))
    mixed = images.reshape(64, -1)[:, 0]
    print(f"images {images.shape} {images.dtype}, flattened {x.shape}, and back again the same: {back}")
    print(f"reshape(64, -1) instead: of 64 numbers in the first column {np.sum(mixed == x[0])} are those of the first image")
    return {"shapes": [images.shape, x.shape], "back": back, "mixed": int(np.sum(mixed == x[0]))}


# %% Normalise: numbers of a size that suits
# First a trap. The pixels are stored as ``uint8``, whole numbers from 0 to 255 in one byte. In this type 3 - 5 is not -2: it starts again from the
# top. So make them floating-point numbers before you calculate.
#
# Usual ways to normalise: divide by the largest possible value, so that all lie from 0 to 1; or take away the mean and divide by the spread (the
# standard deviation). Both numbers come from the training images, never from the test.


def byte_trap():
    a, b = np.array([3], np.uint8), np.array([5], np.uint8)
    print(f"3 - 5 as uint8: {(a - b)[0]}, as float: {(a.astype(float) - b)[0]:g}")
    return int((a - b)[0])


# %% Does it have to be?
# "A net learns only what is normalised", one hears. We train the same net for 5 epochs on the same images in four sizes, with two kinds of steps:
# SGD, where a gradient is multiplied by a learning rate, and Adam, which fits the length of its steps itself. Each with 10 seeds.
#
# The sentence is too strong. With SGD and the rate 0.1, mean 0 and spread 1 is clearly the best. But with the rate 0.01 the stored numbers, 0 to
# 16, are the best, better than both usual ways: large inputs make large gradients, so they want a small rate, and small inputs a large one. Adam
# does nearly as well with three of the four. What is true: size and rate belong together, and normalised data suit the rates that people usually
# take. Numbers up to 256 (most images are stored as 0 to 255) are the worst for all three. With 60 epochs instead of 5, the steps that were too
# small catch up: over 90% with both usual ways and the rate 0.01. SGD with steps that are too large does not, or only by luck.


def sizes_of(images, test_images):
    """The same images four times; the mean and spread are those of the training images."""
    x, test_x = (flatten(some).astype(np.float32) for some in (images, test_images))
    mean, spread = x.mean(), x.std()
    ways = {"as stored, 0 to 16": lambda v: v, "0 to 1": lambda v: v / 16, "mean 0, spread 1": lambda v: (v - mean) / spread,
            "0 to 256": lambda v: v * 16}
    return {name: (way(x), way(test_x)) for name, way in ways.items()}, float(mean), float(spread)


def learn(x, t, optimizer, seed, epochs=5):
    np.random.seed(seed)
    rng = np.random.default_rng(seed)
    model = MLP((32, 10), activation=F.relu, in_size=64)
    optimizer.setup(model)
    for _ in range(epochs):
        for batch in np.array_split(rng.permutation(len(x)), 23):
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
    return model


def compare_sizes(sizes, t, test_t, seeds=10):
    kinds = {"SGD, rate 0.1": lambda: SGD(0.1), "SGD, rate 0.01": lambda: SGD(0.01), "Adam, rate 0.01": lambda: Adam(0.01)}
    found = {}
    print(f"\nright after 5 epochs, mean of {seeds} seeds" + "".join(f"{kind:>17}" for kind in kinds))
    for name, (x, test_x) in sizes.items():
        found[name] = {}
        for kind, make in kinds.items():
            models = [learn(x, t, make(), seed) for seed in range(seeds)]
            with no_grad():
                found[name][kind] = [share_right(model(test_x).data, test_t) for model in models]
        print(f"    {name:34}" + "".join(f"{np.mean(right):17.0%}" for right in found[name].values()))
    return found


# %% One-hot: a label becomes a row
# A net gives ten scores, one for each digit. What should they be for a 3? A row with a 1 at place 3 and 0 everywhere else. It is called one-hot, as
# one wire of ten is hot. ``np.eye(10)`` is the table of all ten such rows, and an array of labels picks the right ones. The place of the largest
# number, ``argmax``, leads back.
#
# Why not let the net give the number 3 itself? Then a 3 would lie between 2 and 4, and to hesitate between 1 and 9 would mean to say 5. Digits are
# names, not amounts. We let one and the same method, the best weighted sum of the pixels (least squares), learn both. Then we give the digits other
# names, five times, by lot: one-hot does not care.


def one_hot(t, classes):
    return np.eye(classes)[t]


def show_one_hot(t):
    rows = one_hot(t, 10)
    same = bool(np.array_equal(rows.argmax(axis=1), t))
    print(f"\nlabel {t[3]} one-hot: {' '.join(f'{n:.0f}' for n in rows[3])};  all {len(t):,} labels there and back: {same}")
    return {"one-hot": rows[3], "rows": rows.shape, "sums": [float(rows.sum(axis=1).min()), float(rows.sum(axis=1).max())], "round trip": same}


def number_or_row(images, t, test_images, test_t):
    x, test_x = (np.column_stack([flatten(some) / 16, np.ones(len(some))]) for some in (images, test_images))
    found = {"number": [], "row": []}
    for names in [np.arange(10), *(np.random.default_rng(seed).permutation(10) for seed in range(5))]:
        new, test_new = names[t], names[test_t]
        numbers = test_x @ np.linalg.lstsq(x, new, rcond=None)[0]
        scores = test_x @ np.linalg.lstsq(x, one_hot(new, 10), rcond=None)[0]
        found["number"].append(float(np.mean(np.round(numbers) == test_new)))
        found["row"].append(share_right(scores, test_new))
    for way, right in found.items():
        print(f"labels learned as a {way:6}: {right[0]:.0%} right;  with other names {min(right[1:]):.0%} to {max(right[1:]):.0%}")
    return found


# %% Argmax and accuracy: scores become answers
# The answer for a row of scores is the place of its largest. ``axis=1`` says: look for it along each row. The accuracy is the share of answers that
# are the label. Softmax (f05) makes probabilities of scores, but the largest stays the largest: who only wants the answer can leave it out.


def share_right(scores, t):
    return float(np.mean(scores.argmax(axis=1) == t))


# %% Store and answer
# To use a trained net, one needs its weights and the two numbers by which its data were normalised. ``np.savez`` writes arrays under their names
# into one file. ``scores_from`` below is the whole net, with no framework: two products of matrices and a maximum. To use a net like this, without
# learning, is called inference.


def store(path, model, mean, spread):
    np.savez(path, mean=mean, spread=spread, **{name: p.data for name, p in model.named_params()})
    with np.load(path) as file:
        weights = dict(file)
    print("\nstored: " + ", ".join(f"{name} {a.shape}" for name, a in weights.items()))
    return weights


def scores_from(weights, pixels):
    x = (pixels - weights["mean"]) / weights["spread"]
    hidden = np.maximum(x @ weights["l0.W"] + weights["l0.b"], 0)
    return hidden @ weights["l1.W"] + weights["l1.b"]


# %% One image or many
# The same three lines take one image, a row (64,), and a batch, a table (N, 64). But what comes out has another shape, and with it argmax needs
# other words. With axis=1, one image alone fails: it has no axis 1. That is the good case, as one sees it. Without an axis, a batch gives a single
# number, the place in all the scores one after the other. Nothing fails, and the accuracy is nonsense. The safe way: make one image a batch of one,
# ``pixels[None]``.
#
# Do one by one and all at once give the same? The answers do. The scores agree up to rounding: a product of large matrices may add its numbers in
# another order.


def show_inference(weights, pixels, t):
    ways = {"one image": pixels[0], "batch of one": pixels[:1], "batch": pixels}
    shapes = {}
    for name, x in ways.items():
        y = scores_from(weights, x)
        answer = str(y.argmax()) if y.ndim == 1 else str(y.argmax(axis=1)[:3]).replace("]", " ...]" if len(y) > 3 else "]")
        shapes[name] = [x.shape, y.shape]
        print(f"    {name:13} {x.shape!s:10} -> {y.shape!s:10} argmax({'' if y.ndim == 1 else 'axis=1'}): {answer}")
    y = scores_from(weights, pixels)
    try:
        scores_from(weights, pixels[0]).argmax(axis=1)
    except ValueError as error:
        message = str(error)
    flat = int(y.argmax())
    print(f"    one image, argmax(axis=1): {message}\n    the batch, argmax() without axis: {flat}; 'accuracy' {np.mean(flat == t):.0%}")
    single = np.array([scores_from(weights, row) for row in pixels])
    same, close = bool(np.array_equal(single.argmax(axis=1), y.argmax(axis=1))), bool(np.allclose(single, y, atol=1e-4))
    p = np.exp(y - y.max(axis=1, keepdims=True))
    p /= p.sum(axis=1, keepdims=True)
    print(f"one by one: same answers {same}, scores within 0.0001 {close};  right: {share_right(y, t):.1%}, by probabilities {share_right(p, t):.1%}")
    return {"inference": shapes, "message": message, "flat": flat, "same": same, "close": close, "right": share_right(y, t),
            "right by p": share_right(p, t)}, p


# %% Pictures
# With ``--out``: an image and its label on the way into the net, what the size of the numbers did, and answers from the file (which is kept there).


def draw_data(path, image, label, mean, spread):
    normal = (image - mean) / spread
    with picture(path, rows=2, columns=2, size=(9.0, 6.0)) as ((a, b), (c, d)):
        for ax, table, title in ((a, image, "As stored: 0 to 16"), (b, normal.round(1), "Normalised: around 0")):
            ax.imshow(table, cmap="gray_r")
            for (row, column), number in np.ndenumerate(table):
                ax.text(column, row, f"{number:g}", ha="center", va="center", size=8, color="white" if image[row, column] > 7 else "black")
            ax.set(title=title, xlabel="column", ylabel="row", xticks=range(8), yticks=range(8))
        c.imshow(normal.reshape(1, 64), cmap="gray_r", aspect=20)
        c.set(title="Flattened: a row of 64 numbers", xlabel="place: 8 times row plus column", xticks=range(0, 64, 8), yticks=[])
        d.imshow(one_hot(np.array([label]), 10), cmap="gray_r", aspect=3)
        d.set(title=f"Its label {label}, one-hot: a row of 10 numbers", xlabel="digit", xticks=range(10), yticks=[])


def draw_sizes(path, found):
    with picture(path, size=(8.0, 4.4)) as ax:
        for i, (kind, color, mark) in enumerate(zip(next(iter(found.values())), ("#0072B2", "#E69F00", "#009E73"), "os^", strict=True)):
            for j, row in enumerate(found.values()):
                place = j + 0.2 * (i - 1)
                ax.scatter([place] * len(row[kind]), 100 * np.array(row[kind]), color=color, marker=mark, s=18, alpha=0.6, label=None if j else kind)
        ax.set(xticks=range(len(found)), xticklabels=list(found), xlabel="size of the inputs", ylabel="right on test images, in %", ylim=(0, 100),
               title="Size of the inputs and learning rate belong together (a mark for each seed)")
        ax.legend(loc="center right")


def draw_answers(path, images, t, p, count=12):
    from dezero.viz import plots

    answers = p.argmax(axis=1)
    wrong = np.flatnonzero(answers != t)[:4]
    chosen = [*np.flatnonzero(answers == t)[:count - len(wrong)], *wrong]
    titles = [f"{answers[i]} ({p[i].max():.0%})" + ("" if answers[i] == t[i] else f"\nbut it is a {t[i]}") for i in chosen]
    plots.image_grid(1 - images[chosen] / 16, titles, cols=6, path=path, title="Answers from the file, with their probability")


def main(out=None, fast=False):
    images, t, test_images, test_t = load()
    found = {**show_flatten(images), "byte": byte_trap()}
    sizes, mean, spread = sizes_of(images, test_images)
    found["sizes"] = compare_sizes(sizes, t, test_t)
    found |= {**show_one_hot(t), "labels": number_or_row(images, t, test_images, test_t)}
    x = sizes["mean 0, spread 1"][0]
    found["normalised"] = [float(x.mean(dtype=float)), float(x.std(dtype=float))]
    with tempfile.TemporaryDirectory() as folder:
        weights = store((out or Path(folder)) / "digits.npz", learn(x, t, Adam(0.01), 0, 10), mean, spread)
    inference, p = show_inference(weights, flatten(test_images).astype(np.float32), test_t)
    if out:
        draw_data(out / "data.png", images[3], t[3], mean, spread)
        draw_sizes(out / "sizes.png", found["sizes"])
        draw_answers(out / "answers.png", test_images, test_t, p)
    return {**found, **inference}


# %% Exercises: python -m steps.check f12 my_answer.py
# 1. ``one_hot_rows(t, classes)``: one-hot rows for labels t, an array (N,), with zeros and ones put in by hand: without ``np.eye``, and without a
#    loop if you can.
# 2. ``predict(weights, x)``: the answer, an int, for one image (64,), or the answers, an array (N,), for a batch (N, 64). The dictionary weights
#    has W1 (64, H), b1 (H,), W2 (H, 10), b2 (10,); between the layers is a maximum with 0. x is normalised already.
# 3. ``accuracy(scores, t)``: ``(scores.argmax() == t).mean()`` runs and is wrong: mend it. And let t be labels (N,) or one-hot rows (N, C).

if __name__ == "__main__":
    run(main)
