"""Can a network read handwriting?

So far the data came from formulas. Now it comes from people: images of digits that many hands have written, and nobody can write down the rule
that makes a 3 a 3. The network learns it from examples. The question that counts is then a new one: how does it do on images which it has
never seen?
"""

import os

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader, no_grad
from dezero.datasets import MNIST, ArrayDataset, Digits
from dezero.errors import DatasetError
from dezero.models import MLP
from dezero.optimizers import Adam

# %% Two sets of images
# The package brings 1,797 digits of 8 x 8 pixels along. The famous set, MNIST, has 70,000 of 28 x 28 pixels. If its files lie where the
# package looks for data (the folder in DEZERO_DATA, for one), this script takes them; it fetches nothing. Either set comes in two parts: one
# to learn from, one to test with. No image is in both.


def load():
    os.environ["DEZERO_OFFLINE"] = "1"  # the package may look for files, but not fetch them
    try:
        return MNIST(), MNIST(train=False)
    except DatasetError:
        return Digits(), Digits(train=False)


# %% An image is a table of numbers
# Each number says how much ink a pixel has. For the network the table is laid out as one row: 64 numbers, or 784. The label, the digit that the
# writer meant, is an integer. To show an image as text we take a darker letter for more ink. A letter is twice as high as wide, so a pixel of
# 8 x 8 becomes two letters, and of 28 x 28 pixels a letter stands for 4 x 2.


def as_text(image):
    small = image.repeat(2, axis=1) if len(image) == 8 else image.reshape(7, 4, 14, 2).mean((1, 3))
    return ["".join(" .:-=+*#%@"[int(ink * 9.99)] for ink in row) for row in small / image.max()]


def show_images(data, count=4):
    side = data.data.shape[-1]
    print(f"images of {side} x {side} pixels; the first {count} of the training set:")
    for lines in zip(*(as_text(data.data[i, 0]) for i in range(count)), strict=True):
        print("   ".join(lines).rstrip())
    print("labels: " + "".join(f"{int(t):<{len(lines[0]) + 3}}" for t in data.label[:count]).rstrip())


# %% What costs nothing
# A result needs something to compare it with. There are ten digits, so a guess is right one time in ten. A better simple method: take the mean of
# all training images of each digit, ten blurred images, and call a new image by the mean that is nearest, pixel by pixel. A network is worth its
# trouble if it does better than that.


def nearest_mean(train, test):
    x, t = train[:]
    means = np.stack([x[t == digit].mean(axis=0) for digit in range(10)])
    x, t = test[:]
    distances = np.stack([((x - mean) ** 2).sum(axis=1) for mean in means], axis=1)
    return float((distances.argmin(axis=1) == t).mean())


# %% Learning and measuring
# The network, the loss and the loop are those of steps 45 to 50. What is new is ``measure``: after each epoch, it shows the whole training set and
# the whole test set to the network, without a gradient. The test images are never used to learn from, nor to choose when to stop: the best row of
# the table is partly luck, since one image of 360 is 0.3%, and who picks it reports the luck as well. What counts is the last row.


def measure(model, data):
    loss = right = 0
    with no_grad():
        for x, t in DataLoader(data, 1000, shuffle=False):
            y = model(x)
            loss += float(F.softmax_cross_entropy(y, t).data) * len(t)
            right += float(F.accuracy(y, t).data) * len(t)
    return loss / len(data), right / len(data)


def learn(train, test, hidden, batch_size, epochs):
    np.random.seed(0)
    model = MLP((hidden, 10), activation=F.relu)
    optimizer = Adam().setup(model)
    loader = DataLoader(train, batch_size)
    history = []
    for _ in range(epochs):
        for x, t in loader:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
        history.append((*measure(model, train), *measure(model, test)))
    return model, history


def show_history(history):
    print("epoch   loss: training     test   right: training     test")
    last = len(history)
    for epoch in sorted({1, 2, 5, 10, 20, last} & {*range(1, last + 1)}):
        loss, right, test_loss, test_right = history[epoch - 1]
        print(f"{epoch:5} {loss:16.3f} {test_loss:8.3f} {right:16.1%} {test_right:8.1%}")


# %% Why the test set has to be another set
# In the table, the training set ends better than the test set: these images the network knows. How far can learning by heart go? An extreme:
# 300 images, each with a label drawn by lot. There is no rule to find. The same network learns them all, and on the test set it is hardly
# better than a guess. Measured on the training set, it would look perfect.


def by_heart(train, test, hidden, batch_size, epochs):
    labels = np.random.default_rng(0).integers(0, 10, 300)
    nonsense = ArrayDataset(train[:300][0], labels)
    _, history = learn(nonsense, test, hidden, batch_size, epochs)
    return history[-1][1], history[-1][3]


# %% The mistakes
# One number hides much. Look at the images themselves: which got the least probability for the digit that they are? Some are hard for us too.


def worst(model, test, count=16):
    x, t = test[:]
    with no_grad():
        p = F.softmax(model(x)).data
    order = np.argsort(p[np.arange(len(t)), t], kind="stable")[:count]
    return order, p[order]


def pairs_of(model, test):
    x, t = test[:]
    with no_grad():
        table = F.confusion_matrix(model(x), t).data
    np.fill_diagonal(table, 0)
    pairs = sorted(((int(table[i, j]), i, j) for i, j in zip(*np.nonzero(table), strict=True)), key=lambda pair: (-pair[0], *pair[1:]))
    return [(int(i), int(j), n) for n, i, j in pairs]


# %% Pictures
# With ``--out``: loss and accuracy on two scales in one picture, and the 16 worst images.


def draw_history(path, history):
    epochs = np.arange(1, len(history) + 1)
    loss, right, test_loss, test_right = np.transpose(history)
    with picture(path, size=(7.0, 4.2)) as ax:
        ax.plot(epochs, loss, "--", color="#D55E00", label="loss, training")
        ax.plot(epochs, test_loss, color="#D55E00", label="loss, test")
        ax.set(title="Images that it knows, and new ones", xlabel="epoch", ylim=(0, None), xlim=(1, max(2, len(history))))
        ax.set_ylabel("loss", color="#D55E00")
        ax.xaxis.get_major_locator().set_params(integer=True)
        percent = ax.twinx()
        percent.plot(epochs, 100 * right, "--", color="#0072B2", label="right, training")
        percent.plot(epochs, 100 * test_right, color="#0072B2", label="right, test")
        percent.set(ylim=(None, 100.5))
        percent.set_ylabel("right, in %", color="#0072B2")
        ax.figure.legend(handles=[*ax.get_lines(), *percent.get_lines()], loc="outside lower center", ncols=4)


def draw_worst(path, test, order, p):
    with picture(path, rows=4, columns=4, size=(7.0, 9.0)) as axes:
        for ax, i, row in zip(axes.flat, order, p, strict=True):
            true, said = int(test.label[i]), int(row.argmax())
            ax.imshow(test.data[i, 0], cmap="gray_r")
            ax.set_title(f"{true}, read as {said}" if said != true else f"{true}, read right", size=10, color="black" if said == true else "#B03000")
            ax.set_xlabel(f"{true}: {row[true]:.0%}" + (f"   {said}: {row[said]:.0%}" if said != true else ""), size=9)
            ax.set(xticks=[], yticks=[])
        axes[0, 0].figure.get_layout_engine().set(hspace=0.04)
        axes[0, 0].figure.suptitle("The 16 test images whose true digit got the least probability")


def main(out=None, fast=False):
    train, test = load()
    mnist = isinstance(train, MNIST)
    hidden, batch_size, epochs = (1000, 100, 1 if fast else 5) if mnist else (150, 25, 30)
    show_images(train)
    simple = nearest_mean(train, test)
    print(f"\n{len(train):,} images to learn from, {len(test):,} to test with; right by guessing 10%, by the nearest mean {simple:.1%}\n")
    model, history = learn(train, test, hidden, batch_size, epochs)
    show_history(history)
    known, read = by_heart(train, test, hidden, batch_size, 40 if mnist else 300)
    print(f"\n300 images with labels by lot: right on the training set {known:.0%}, on the test set {read:.0%}")
    pairs, (order, p) = pairs_of(model, test), worst(model, test)
    print(f"{sum(n for *_, n in pairs)} mistakes; most often: " + ", ".join(f"{i} read as {j} ({n})" for i, j, n in pairs[:3]))
    if out:
        draw_history(out / "learning.png", history)
        draw_worst(out / "worst.png", test, order, p)
    return {"data": type(train).__name__, "sizes": [len(train), len(test)], "nearest mean": simple, "history": history, "by heart": [known, read],
            "pairs": pairs, "worst": order, "test accuracy": history[-1][3]}


# %% Exercises: python -m steps.check 51 my_answer.py
# 1. ``most_confused(y, t)``: for scores y (N, 10) and labels t, the pair (true digit, digit read instead) that occurs most often.
# 2. ``nearest(train_x, train_t, x)``: for each row of x the label of the nearest training image. It reads our digits as well as the network does,
#    but it has to keep all images, and to compare with each of them.
# 3. ``test_accuracy(model, data, batch_size)``: the share of right answers, without a graph. The mean over the batches is not it, as the last batch
#    may be smaller: mend that.

if __name__ == "__main__":
    run(main)
