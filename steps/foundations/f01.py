"""What does it mean that a machine learns?

A small program will read handwritten digits. First we look at three words that are often mixed up: artificial intelligence, machine learning and deep
learning. Then we go the whole way from paper to a program that others can use, in seven stages. Each has its own script later; here we see how they
hang together.
"""

import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad
from dezero.datasets import Digits
from dezero.models import MLP
from dezero.optimizers import Adam

# %% A task
# The package ``dezero`` brings 1,797 images along: digits that people wrote, 8 x 8 pixels, each pixel a number from 0 (paper) to 16 (ink). With
# each goes a label: the digit that the writer meant. A part of the images is set aside. Nothing is learned from them, they are the test.
#
# Our first task is small: is it a 3 or an 8? We do it in three ways, one for each of the three words.


def pairs_of(train):
    data = Digits(train=train, transform=None)
    chosen = (data.label == 3) | (data.label == 8)
    return data.data[chosen, 0], (data.label[chosen] == 8).astype(int)  # images (N, 8, 8), and 1 for an 8


# %% Artificial intelligence: the widest word
# Artificial intelligence (AI) is any program that does what seems to need a thinking person. Nobody says how it has to be made. It may be a rule
# that a person thought out. Ours: a 3 is open on the left, an 8 is closed. So take the share of the ink that lies in the left half, without the
# first and the last row, where both digits have a bow. Of an 8 it should be a half, of a 3 perhaps a quarter. We put the border in the middle, at
# 3/8. Nothing was learned here; we looked at no image at all.


def left_share(images):
    middle = images[:, 1:7].astype(float)
    return middle[:, :, :4].sum(axis=(1, 2)) / middle.sum(axis=(1, 2))


def share_right(answers, labels):
    return float(np.mean(answers == labels))


# %% Machine learning: numbers from examples
# Machine learning (ML) is the part of AI where a program gets numbers of its rule from examples. We keep our idea, the ink on the left, but not our
# guess of 3/8. The program tries every border between two examples and keeps the one with the fewest mistakes (of several, the mean).
#
# The ink on the left is called a feature: a number, thought out by a person, which says of an image what matters for the task.


def learn_border(shares, labels):
    values = np.sort(shares)
    borders = (values[1:] + values[:-1]) / 2
    right = np.array([share_right(shares > border, labels) for border in borders])
    return borders[right == right.max()].mean()


# %% Deep learning: from one end to the other
# Deep learning (DL) is the part of ML that learns with nets of several layers: each layer computes new numbers from those of the layer before. The
# net gets the 64 pixels themselves and has to find its own features, between the pixels and the answer. Where everything from the raw data to the
# answer is learned in one go, one speaks of end-to-end learning.
#
# ``MLP``, ``Adam`` and the loop are tools here. How they work, and how to build them, is what this whole course is about.


def learn_net(images, labels, seed, steps=60):
    np.random.seed(seed)
    model = MLP((16, 2), activation=F.relu)
    optimizer = Adam(0.02).setup(model)
    x = as_rows(images)
    for _ in range(steps):
        loss = F.softmax_cross_entropy(model(x), labels)
        model.cleargrads()
        loss.backward()
        optimizer.update()
    return model


def as_rows(images):
    return (images.reshape(len(images), 64) / 16).astype(np.float32)


def answers_of(model, x):
    with no_grad():
        return model(x).data.argmax(axis=1)


# %% Which way is best?
# Often one hears that deep learning is simply better, as it needs no features. We count: both ways learn from 4 to 285 examples. Luck plays a part,
# so the examples are drawn 20 times, and the table has the mean. With 4 examples the person's idea is worth more than what the net can find in
# them: the feature wins 16 of 20 times. With 10 the net is a little ahead, from 40 on it wins nearly always. With all 285 it makes no mistake on the
# 72 test images. The feature hardly gets better after 10 examples: it knows the ink on the left and nothing else. So a feature puts knowledge in
# where examples are few; where they are many, it stands in the way.


def compare(draws=20):
    (images, labels), (test_images, test_labels) = pairs_of(True), pairs_of(False)
    test_shares, test_x = left_share(test_images), as_rows(test_images)
    rule = share_right(test_shares > 3 / 8, test_labels)
    found = {"rule": rule, "border": {}, "net": {}}
    print(f"3 or 8? right on {len(test_labels)} test images; AI by a rule, no examples: {rule:.0%}")
    print("examples   ML, border of a feature   DL, end to end   feature better, equal, net better")
    for count in (4, 10, 40, 100, len(labels)):
        border, net = [], []
        for seed in range(draws):
            some = np.random.default_rng(seed).permutation(len(labels))[:count]
            border.append(share_right(test_shares > learn_border(left_share(images[some]), labels[some]), test_labels))
            net.append(share_right(answers_of(learn_net(images[some], labels[some], seed), test_x), test_labels))
        found["border"][count], found["net"][count] = border, net
        better, worse = (int(np.sum(np.sign(np.subtract(border, net)) == sign)) for sign in (1, -1))
        print(f"{count:8} {np.mean(border):25.1%} {np.mean(net):16.1%} {better:18}, {draws - better - worse:5}, {worse:10}")
    return found


# %% Stages 1 and 2: collect and load
# Now all ten digits, and the whole way. Collect: somebody has to write the digits, scan them, and say what each one is. It is the dearest stage,
# and what goes wrong here no later stage can mend. We play it by writing our images into a file: a line for each, the label and then 64 numbers.
# Load: read the file, and set the test images aside before anybody can learn from them. They are drawn by lot, as neighbours in a file are often
# alike.


def collect(path):
    parts = [Digits(train=train, transform=None) for train in (True, False)]
    lines = [",".join(map(str, [label, *image.ravel()])) for part in parts for image, label in zip(part.data, part.label, strict=True)]
    path.write_text("\n".join(lines))
    print(f"\n1 collect    {len(lines):,} lines of {lines[0].count(',') + 1} numbers in a file: a label and its pixels")


def load(path, test_count=360):
    table = np.array([line.split(",") for line in path.read_text().split("\n")], dtype=int)
    table = np.random.default_rng(0).permutation(table)
    test, train = table[:test_count], table[test_count:]
    print(f"2 load       {len(train):,} images of {train.shape[1] - 1} pixels to learn from, {len(test)} set aside for the test")
    return train[:, 1:], train[:, 0], test[:, 1:], test[:, 0]


# %% Stage 3: normalise
# Learning goes better when all numbers are of the same size, around 0. So we take away the mean and divide by the spread, the standard deviation.
# Both are measured on the training images alone, and then used for every image that ever comes: they are part of what was learned.


def normalise(x):
    mean, spread = float(x.mean()), float(x.std())
    ready = (x - mean) / spread
    print(f"3 normalise  pixels had mean {mean:.2f} and spread {spread:.2f}, now {abs(ready.mean()):.2f} and {ready.std():.2f}")
    return mean, spread, ready


# %% Stage 4: train
# The net starts with random numbers, its weights, and answers at random. The loss says how wrong it is. In small steps the weights are changed so
# that the loss falls. An epoch is over when each image had its turn once.


def train(x, t, epochs=10):
    np.random.seed(0)
    rng = np.random.default_rng(0)
    model = MLP((32, 10), activation=F.relu, in_size=64)
    optimizer = Adam(0.01).setup(model)
    x = x.astype(np.float32)
    losses = []
    for epoch in range(epochs + 1):
        with no_grad():
            losses.append(float(F.softmax_cross_entropy(model(x), t).data))
        for batch in np.array_split(rng.permutation(len(x)), 23) if epoch < epochs else []:
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
    print(f"4 train      {epochs} epochs: the loss falls from {losses[0]:.1f} to {losses[-1]:.2f}")
    return model, losses


# %% Stages 5 and 6: infer and evaluate
# Infer: use the net on an image that it has never seen. The weights stay as they are. It gives ten probabilities; the largest is the answer.
# Evaluate: do so with all images set aside, and count. One answer says little, 360 say how good the program is.


def infer(model, image, label):
    with no_grad():
        p = F.softmax(model(image[None].astype(np.float32))).data[0]
    print(f"5 infer      one new image: {p.argmax()} with a probability of {p.max():.0%}; it is a {label}")
    return p


def evaluate(model, x, t):
    answers = answers_of(model, x.astype(np.float32))
    print(f"6 evaluate   {np.sum(answers == t)} of {len(t)} new images are right: {share_right(answers, t):.0%}")
    return answers


# %% Stage 7: deploy
# To deploy a net is to bring it to those who use it. What they get is a file with its weights and a small program, which need not know how to
# learn: ``app`` below is NumPy alone. A common mistake is to leave stage 3 at home. Nothing breaks, there is no message: the answers are just
# worse. That is why mean and spread go into the same file.


def app(path, images, forget=False):
    with np.load(path) as file:
        x = images if forget else (images - file["mean"]) / file["spread"]
        hidden = np.maximum(x @ file["l0.W"] + file["l0.b"], 0)
        return (hidden @ file["l1.W"] + file["l1.b"]).argmax(axis=1)


def deploy(path, model, mean, spread, images, answers, t):
    np.savez(path, mean=mean, spread=spread, **{name: p.data for name, p in model.named_params()})
    same = bool(np.array_equal(app(path, images), answers))
    forgot = share_right(app(path, images, forget=True), t)
    print(f"7 deploy     a program with only the file gives the same answers: {same}; without stage 3: {forgot:.0%}")
    return same, forgot


# %% Pictures
# With ``--out``: the three words with the comparison, and what each of the stages did.


def draw_ways(path, found):
    counts = list(found["net"])
    with picture(path, columns=2, size=(11.0, 4.2)) as (sets, ax):
        right = [f"{found['rule']:.0%} right", *(f"{np.mean(found[way][counts[-1]]):.0%} right" for way in ("border", "net"))]
        boxes = ((f"artificial intelligence\na rule by thought: {right[0]}", "#DDEBF5"),
                 (f"machine learning\nits border from {counts[-1]} examples: {right[1]}", "#FBE8C8"),
                 (f"deep learning\nseveral layers, pixels to answer,\nfrom {counts[-1]} examples: {right[2]}", "#F6D2C0"))
        for i, (name, color) in enumerate(boxes):
            left, far, low, top = 0.1 * i, 1 - 0.03 * i, 0.04 * i, 1 - 0.27 * i
            sets.fill([left, far, far, left], [low, low, top, top], facecolor=color, edgecolor="gray")
            sets.text(left + 0.03, top - 0.06, name, va="top", size=11)
        sets.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), title="Three words, one inside the other: is it a 3 or an 8?")
        sets.axis("off")
        ax.axhline(100 * found["rule"], color="gray", linestyle=":", label="AI: a rule by thought")
        for name, label, color, mark in (("border", "ML: border of a feature", "#E69F00", "s--"), ("net", "DL: end to end", "#D55E00", "o-")):
            values = 100 * np.array([found[name][count] for count in counts])
            ax.plot(counts, values.mean(axis=1), mark, color=color, label=label)
            ax.fill_between(counts, *np.percentile(values, [10, 90], axis=1), color=color, alpha=0.15)
        ax.set(xscale="log", xticks=counts, xticklabels=counts, xlabel="examples (lines: mean of 20 draws; bands: 16 of the 20)",
               ylabel="right on test images, in %", title="3 or 8? Few examples: the feature; many: the net")
        ax.minorticks_off()
        ax.legend(loc="lower right")


def draw_stages(path, images, ready, losses, p, label, answers, t, forgot):
    blue, orange = "#0072B2", "#E69F00"
    with picture(path, rows=2, columns=3, size=(11.0, 6.6)) as axes:
        (a, b, c), (d, e, f) = axes
        a.imshow(images[0].reshape(8, 8), cmap="gray_r")
        for i, ink in enumerate(images[0]):
            a.text(i % 8, i // 8, ink, ha="center", va="center", color="white" if ink > 7 else "black")
        a.set(title="1, 2 collect, load: an image is numbers", xticks=[], yticks=[])
        b.hist([images.ravel(), ready.ravel()], bins=np.arange(-1.5, 17, 1), color=[orange, blue], label=["as collected", "normalised"], density=True)
        b.set(title="3 normalise: all numbers near 0", xlabel="value of a pixel", ylabel="share of the pixels")
        b.legend()
        c.plot(losses, "o-", color=blue)
        c.set(title="4 train: the loss falls", xlabel="epoch", ylabel="loss", ylim=(0, None))
        d.bar(range(10), 100 * p, color=blue)
        d.set(title=f"5 infer: one new image, a {label}", xticks=range(10), xlabel="digit", ylabel="probability, in %")
        e.bar(range(10), [100 * share_right(answers[t == digit], digit) for digit in range(10)], color=blue)
        e.set(title=f"6 evaluate: {len(t)} new images", xticks=range(10), xlabel="digit", ylabel="right, in %")
        f.bar(["normalised", "forgotten"], [100 * share_right(answers, t), 100 * forgot], color=[blue, orange], width=0.6)
        f.set(title="7 deploy: take stage 3 along", ylabel="right, in %", ylim=(0, 100))


def pipeline(folder, out):
    collect(folder / "digits.csv")
    x, t, test_x, test_t = load(folder / "digits.csv")
    mean, spread, ready = normalise(x)
    test_ready = (test_x - mean) / spread
    model, losses = train(ready, t)
    p = infer(model, test_ready[0], test_t[0])
    answers = evaluate(model, test_ready, test_t)
    same, forgot = deploy(folder / "net.npz", model, mean, spread, test_x, answers, test_t)
    if out:
        draw_stages(out / "stages.png", test_x, test_ready, losses, p, test_t[0], answers, test_t, forgot)
    return {"sizes": [len(x), len(test_x)], "mean": float(ready.mean()), "spread": float(ready.std()), "losses": losses, "probabilities": p,
            "right": share_right(answers, test_t), "same": same, "forgot": forgot}


def main(out=None, fast=False):
    ways = compare()
    with tempfile.TemporaryDirectory() as folder:
        stages = pipeline(Path(folder), out)
    if out:
        draw_ways(out / "ways.png", ways)
    return {"ways": ways, **stages}


# %% Exercises: python -m steps.check f01 my_answer.py
# 1. ``rule(image)``: 0 or 1 for an image (8, 8) of a 0 or a 1, by a rule that you think out. Nothing is learned. On the 73 test images it has to be
#    right 9 times in 10.
# 2. ``normalise_both(train, test)``: both arrays, normalised with the mean and the spread of the training data alone.
# 3. ``split(count, tests, rng)``: two arrays of indices: of count images drawn by lot, the ones to learn from, and as many as ``tests`` for the
#    test.

if __name__ == "__main__":
    run(main)
