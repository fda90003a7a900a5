"""How does a net learn to tell more than two things apart?

It gives one score for each class, softmax makes probabilities of them, the cross entropy is the loss: step 47 has it all. Here a net gets points on
the three bent arms of a pinwheel and learns to which arm a point belongs. We watch the borders that it draws, and then ask how far its marks can be
trusted.
"""

import numpy as np

from support import run

import dezero.functions as F
from dezero import no_grad, optimizers
from dezero.models import MLP

# %% A pinwheel
# Three arms leave the middle and bend: the further out, the larger the angle. Each point is off its arm by some noise. No straight line parts one
# arm from the others, so scores that are sums of weighted coordinates cannot do it. x is (300, 2), t holds 300 labels: 0, 1 or 2.


def pinwheel(count, rng):
    t = np.arange(count) % 3
    radius = rng.uniform(0.1, 1.0, size=count)
    angle = 2 * np.pi * t / 3 + 3.5 * radius + rng.normal(scale=0.35, size=count)
    return np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1).astype(np.float32), t


# %% Few samples at a time
# So far each step looked at all samples. But 30 of them say nearly the same about the way down, at a tenth of the work. So the samples are shuffled
# and dealt out in batches of 30, and each batch makes one step. When all had their turn, an epoch is over, and they are shuffled again.
#
# The accuracy is the share of points whose largest score is at the right class. It is what we want in the end. But it is no loss: it does not
# change if a weight moves a little, so its slope is 0 nearly everywhere. The cross entropy falls with each small improvement.


def train(sizes, seed, epochs, watch=None):
    """A trained net, the points to train on and other points, which it never saw."""
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    (x, t), (test_x, test_t) = pinwheel(300, rng), pinwheel(300, rng)
    model = MLP(sizes, activation=F.tanh)
    optimizer = optimizers.Adam(0.02).setup(model)
    for epoch in range(epochs + 1):
        if watch:
            watch(epoch, model, (x, t), (test_x, test_t))
        if epoch == epochs:
            return model, (x, t), (test_x, test_t)
        order = rng.permutation(len(x))
        for start in range(0, len(x), 30):
            batch = order[start:start + 30]
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()


def judge(model, x, t):
    """Loss and accuracy; nothing is learned, so no graph is kept."""
    with no_grad():
        y = model(x)
        return float(F.softmax_cross_entropy(y, t).data), float(F.accuracy(y, t).data)


# %% Look at points that it never saw
# A net with enough weights could learn 300 points by heart. Whether it understood the arms is seen at other points from the same source: test data.
# They must not be used in training, not even to choose the number of epochs, or they stop being a test.


def learn(epochs, frames):
    print("epoch     loss   accuracy   on test points")
    history = {"loss": [], "accuracy": [], "test": []}

    def watch(epoch, model, train_points, test_points):
        loss, accuracy = judge(model, *train_points)
        _, test = judge(model, *test_points)
        for name, number in (("loss", loss), ("accuracy", accuracy), ("test", test)):
            history[name].append(number)
        if epoch in (0, 1, 2, 5, 20, epochs):
            print(f"{epoch:5} {loss:8.3f} {accuracy:10.3f} {test:12.3f}")
        if frames is not None:
            frames.append((epoch, model.state_dict()))

    return *train((16, 3), 0, epochs, watch), history


# %% Which is taken for which?
# One number does not say what kind of mistakes there are. The confusion matrix does: row i, column j counts the points of class i that were taken
# for class j. What is right stands on the diagonal.
#
# Some points nobody could get right: the noise carried them nearer to another arm. As we made the pinwheel, we can count these. The other mistakes
# are the net's own, and here most lie at the outer ends of the arms. There the same 100 points have to cover a longer way round, so the net has
# seen little.


def nearest_arm(x):
    angle = np.arctan2(x[:, 1], x[:, 0]) - 3.5 * np.hypot(*x.T)
    return np.round(3 * angle / (2 * np.pi)).astype(int) % 3


def show_confusion(model, x, t):
    with no_grad():
        y = model(x)
    matrix = F.confusion_matrix(y, t).data
    wrong = F.argmax(y, axis=1).data != t
    lost = wrong & (nearest_arm(x) != t)
    outside = wrong & ~lost & (np.hypot(*x.T) > 0.8)
    print("\ntest points     taken for arm 0   arm 1   arm 2")
    for i in range(3):
        print(f"of arm {i} {matrix[i, 0]:22} {matrix[i, 1]:7} {matrix[i, 2]:7}")
    print(f"{wrong.sum()} of {len(t)} are wrong: {lost.sum()} nearer to another arm, {outside.sum()} more at the outer ends, radius above 0.8")
    return {"confusion": matrix, "wrong": int(wrong.sum()), "lost": int(lost.sum()), "outside": int(outside.sum())}


# %% Was it luck?
# First weights and points are drawn by chance. So a result is worth little before it was had with other seeds. And it should be compared: a net
# without a hidden layer has straight borders only. It shows what the 16 hidden units are for.


def other_seeds(epochs):
    found = {}
    print("\ntest accuracy with seed      0      1      2      3      4")
    for name, sizes in (("16 hidden units", (16, 3)), ("no hidden layer", (3,))):
        found[name] = []
        for seed in range(5):
            model, _, test_points = train(sizes, seed, epochs)
            found[name].append(judge(model, *test_points)[1])
        print(f"{name:23} " + " ".join(f"{accuracy:6.3f}" for accuracy in found[name]))
    return found


# %% The borders move
# With ``--out``: for each epoch the class of each place of the plane, as a film: boundary.html has a button and a slider. Below it the last picture
# and the confusion matrix as plots of the package.


def draw(out, frames, model, points, test_points):
    from dezero.viz import plots

    grid = plots.decision_grid(points[0], resolution=120)
    moving = MLP((16, 3), activation=F.tanh, in_size=2)
    films, titles = [], []
    for epoch, state in frames:
        if epoch <= 10 or epoch % 5 == 0:
            moving.load_state_dict(state)
            with no_grad():
                films.append(moving(grid).data)
            titles.append(f"Regions of the three arms after epoch {epoch}")
    names = ["arm 0", "arm 1", "arm 2"]
    plots.decision_animation(films, *points, out / "boundary.html", seconds=0.3, titles=titles, labels=names)
    plots.decision_boundary(model, *test_points, out / "boundary.png", title="Regions after training, with test points", labels=names)
    with no_grad():
        plots.confusion_matrix(model(test_points[0]).data, test_points[1], names, out / "confusion.png")


def main(out=None, fast=False):
    frames = [] if out else None
    epochs = 60
    model, points, test_points, history = learn(epochs, frames)
    confusion = show_confusion(model, *test_points)
    seeds = other_seeds(epochs)
    if out:
        draw(out, frames, model, points, test_points)
    return {"history": history, **confusion, "seeds": seeds}


# %% Exercises: python -m steps.check 48 my_answer.py
# 1. ``accuracy(y, t)``: the share of rows of scores (N, C) whose largest is at the label, as a float. NumPy only; y is an array.
# 2. ``recalls(matrix)``: from a confusion matrix (rows are the true classes): for each class the share that was found, as an array (C,).
#    A class without points gets 0.
# 3. ``batches(count, size, rng)``: the indices 0 to count - 1 in random order drawn from rng, as a list of arrays of size; the last may be smaller.

if __name__ == "__main__":
    run(main)
