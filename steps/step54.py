"""Can a network be kept from learning by heart?

Step 51 has shown that a network can learn labels by heart, even senseless ones. This script hinders it on purpose: while it learns, units are
switched off at random, others in each step. What depends on one special unit is soon lost; what many units know remains. The idea is called
dropout, and it needs two modes: one to learn in, one to use the network in.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Model, no_grad, test_mode
from dezero.datasets import ArrayDataset, Digits
from dezero.optimizers import Adam

# %% Masks
# A mask is an array of zeros and ones, drawn by lot. Multiplied by it, some elements become 0, each with probability p, and the others stay. Backward
# multiplies by the same mask: a unit that was off learns nothing in this step. In ``F.dropout(x, p)`` the elements that stay are made larger as
# well, here with p = 0.5 by a factor of 2. The next cell says why.


def show_masks():
    x = np.array([0.2, 0.4, 0.6, 0.8, 1.0])
    print(f"x                       {spaced(x)}")
    rows = [F.dropout(x, 0.5).data for _ in range(3)]
    for row in rows:
        print(f"dropout with p = 0.5    {spaced(row)}")
    return x, rows


def spaced(x):
    return "".join(f"{number:7.2f}" for number in x)


# %% Why the others grow
# A unit of the next layer adds up what comes in. If half of it is missing while the network learns, and all of it is there when the network is used,
# the sum in use is twice what the unit has learned to expect. Divided by 1 - p, the elements that stay make up for the others: for each
# element, the mean over many masks is the element itself. For p = 1 nothing stays that could be made larger, and 0 / 0 would be NaN. The answer
# that makes sense is 0.


def show_means(x, count=10_000):
    many = np.tile(x, (count, 1))
    zeros = (many * (np.random.rand(*many.shape) >= 0.5)).mean(axis=0)
    dropped = F.dropout(many, 0.5).data.mean(axis=0)
    all_off = F.dropout(x, 1.0).data
    print(f"\nmean of {count:,} masks     {spaced(zeros)}   zeros only\n                        {spaced(dropped)}   and the others times 2")
    print(f"dropout with p = 1      {spaced(all_off)}")
    return zeros, dropped, all_off


# %% Two modes
# Whoever asks the network for an answer wants the best one, from all units, and the same one tomorrow. Within ``with test_mode():`` dropout does
# nothing. No other change is needed, thanks to the larger elements while learning.


class Net(Model):
    def __init__(self, p):
        super().__init__()
        self.p = p
        self.l1, self.l2, self.l3 = L.Linear(100, in_size=64), L.Linear(100), L.Linear(10)

    def forward(self, x):
        x = F.dropout(F.relu(self.l1(x)), self.p)
        x = F.dropout(F.relu(self.l2(x)), self.p)
        return self.l3(x)


def show_modes(x):
    with test_mode():
        rows = [F.dropout(x, 0.5).data for _ in range(2)]
    print(f"in test mode            {spaced(rows[0])}   and the next time the same: {bool((rows[0] == rows[1]).all())}")
    return rows


# %% Data with mistakes
# Who labels thousands of images makes mistakes. We take 500 digits, and for 150 of them the label is drawn by lot (a few are right by luck). A
# network that learns everything learns these as well. The test set has right labels.


def make_data(count=500, by_lot=150):
    rng = np.random.default_rng(0)
    x, t = Digits()[:]
    chosen = rng.permutation(len(x))[:count]
    x, true = x[chosen], t[chosen]
    t = true.copy()
    t[:by_lot] = rng.integers(0, 10, by_lot)
    return x, t, np.flatnonzero(t != true)


# %% Three networks
# Equal but for p. After each epoch we measure three things in test mode: the loss on the training set, the share of right answers on the test
# set, and how many of the wrong labels the network gives back, that is, has learned by heart.


def measure(model, x, t, wrong, test):
    with test_mode(), no_grad():
        y, test_y = model(x), model(test[0])
        loss = float(F.softmax_cross_entropy(y, t).data)
        heart = float((y.data[wrong].argmax(axis=1) == t[wrong]).mean())
        return loss, float(F.accuracy(test_y, test[1]).data), heart


def learn(p, data, test, epochs):
    np.random.seed(0)
    x, t, wrong = data
    model = Net(p)
    optimizer = Adam().setup(model)
    loader = DataLoader(ArrayDataset(x, t), 25, seed=0)
    history = []
    for _ in range(epochs):
        for x_batch, t_batch in loader:
            loss = F.softmax_cross_entropy(model(x_batch), t_batch)
            model.cleargrads()
            loss.backward()
            optimizer.update()
        history.append(measure(model, x, t, wrong, test))
    return model, history


# %% The mode forgotten
# The last column is a mistake that is easily made, as nothing stops: the same network, used without ``test_mode()``. It answers with a random part of
# its units.


def compare(epochs):
    data, test = make_data(), Digits(train=False)[:]
    print(f"\n500 digits, {len(data[2])} labels wrong; after {epochs} epochs")
    print("  p   training loss   wrong labels by heart   right on the test set   test mode forgotten")
    histories, forgotten = {}, []
    for p in (0.0, 0.3, 0.6):
        model, histories[p] = learn(p, data, test, epochs)
        loss, right, heart = histories[p][-1]
        with no_grad():
            forgotten.append(float(F.accuracy(model(test[0]), test[1]).data))
        print(f"{p:.1f} {loss:15.2f} {heart:23.0%} {right:23.1%} {forgotten[-1]:21.1%}")
    return histories, forgotten, len(data[2])


# %% Pictures
# With ``--out``: masks of 50 units for 25 images, and the three trainings. In the second one sees what learning by heart costs: without dropout the
# test set is read best after some 15 epochs, and worse and worse later, while the loss on the training set goes on falling.

STYLES = {0.0: ("#D55E00", "-"), 0.3: ("#0072B2", "--"), 0.6: ("#009E73", "-.")}


def draw_masks(path):
    with picture(path, columns=2, size=(9.5, 3.2)) as axes:
        for ax, p in zip(axes, (0.3, 0.6), strict=True):
            mask = F.dropout(np.ones((25, 50)), p).data > 0
            ax.imshow(mask, cmap="gray", vmin=-0.4)
            ax.set(title=f"p = {p}: {1 - mask.mean():.0%} are off (dark)", xlabel="unit", ylabel="image")


def draw_curves(path, histories):
    with picture(path, columns=3, size=(12.0, 4.0)) as axes:
        for p, history in histories.items():
            loss, right, heart = np.transpose(history)
            epochs = np.arange(1, len(loss) + 1)
            for ax, numbers in zip(axes, (loss, 100 * right, 100 * heart), strict=True):
                ax.plot(epochs, numbers, STYLES[p][1], color=STYLES[p][0], label=f"p = {p:g}")
        axes[0].set(title="Loss on the training set", xlabel="epoch", ylabel="loss", ylim=(0, None))
        axes[1].set(title="Right on the test set", xlabel="epoch", ylabel="%", ylim=(50, 100))
        axes[2].set(title="Wrong labels learned by heart", xlabel="epoch", ylabel="%", ylim=(0, None))
        axes[0].legend()


def main(out=None, fast=False):
    np.random.seed(2)
    x, masks = show_masks()
    zeros, dropped, all_off = show_means(x)
    test = show_modes(x)
    histories, forgotten, wrong = compare(30 if fast else 60)
    if out:
        draw_masks(out / "masks.png")
        draw_curves(out / "dropout.png", histories)
    return {"x": x, "masks": masks, "zeros only": zeros, "dropped": dropped, "p = 1": all_off, "test mode": test, "wrong labels": wrong,
            "histories": list(histories.values()), "forgotten": forgotten}


# %% Exercises: python -m steps.check 54 my_answer.py
# 1. ``spread(x, p)``: how far one element jumps about: the root of the mean of (dropout(x) - x)², over all masks, as a formula in x and p (p < 1).
# 2. ``drop_channels(x, p)``: for x (N, C, H, W), switch off whole channels: one number of the mask for each of the (N, C) pictures. In test mode x.
# 3. ``mean_answer(model, x, n)``: the mean of the probabilities of n runs with dropout at work, without a graph, as an array. Where the runs
#    disagree, the network is not sure.

if __name__ == "__main__":
    run(main)
