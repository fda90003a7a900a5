"""How do three scores become three probabilities, and how wrong are they?

A net that should tell cats, dogs and owls apart ends in three numbers, one score for each. A score may be any number. We want probabilities:
positive, with the sum 1. Softmax makes them, and the cross entropy says with one number how wrong they are. Both are short formulas, and both fail if
they are typed in as they stand.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% From scores to shares
# The exponential function makes each score positive and keeps their order. Then each is divided by the sum of all: its share. This is softmax. Only
# differences between scores count: one point more is e = 2.718 times as likely, wherever the scores lie. To add 100 to all of them should change
# nothing.


def naive_softmax(scores):
    with np.errstate(all="ignore"):  # NumPy would warn; the result says it too
        e = np.exp(scores)
        return e / e.sum()


# %% Where it fails
# exp(709) still fits into a float of 64 bits, exp(710) does not: it becomes inf, infinity. Three scores near 1000 give inf / inf, and that is NaN:
# not a number. Scores far below 0 are as bad: all three exponentials are rounded to 0, and 0 / 0 is NaN too.
#
# The cure follows from what was said above: subtract the largest score from all. The differences stay, the largest exponent is now 0, and exp(0) is
# 1. Nothing can become too large, and the sum is at least 1. What is far below the best may become 0, and there 0 is right.


def stable_softmax(scores):
    e = np.exp(scores - scores.max())
    return e / e.sum()


ROWS = ([2.0, 1.0, 0.0], [102.0, 101.0, 100.0], [1010.0, 1000.0, 990.0], [-1000.0, -1001.0, -1002.0])


def in_words(numbers):
    return " ".join(f"{number:10.2e}" if number < 0.001 else f"{number:10.6f}" for number in numbers)


def compare_softmax():
    print("scores                    as typed in                       largest score subtracted first")
    found = []
    for row in ROWS:
        scores = np.array(row)
        naive, stable = naive_softmax(scores), stable_softmax(scores)
        found.append([naive, stable, F.softmax(scores, axis=-1).data])
        print(f"{' '.join(f'{score:.0f}' for score in row):18} {in_words(naive)} {in_words(stable)}")
    return found


# %% How likely was what happened?
# Four animals were seen: a cat, a dog, a dog and an owl, so their labels t are 0, 1, 1 and 2. For each picture a model gives three probabilities.
# Of these one matters: that of the label. All four together have the probability of their product. This product is called the likelihood of the
# model. A good model finds likely what was seen, so we look for the model with the largest likelihood.
#
# But a product of many numbers below 1 becomes tiny: at 0.5 each, 1,100 pictures are enough for a float to be 0. The logarithm makes a sum of the
# product. It grows with it, so the best model remains the best. The minus makes it a thing to be small, the mean makes it independent of how many
# pictures there are: minus the mean of log p. This is the cross entropy.


def likelihood_view():
    t = np.array([0, 1, 1, 2])
    models = {"knows nothing": np.zeros((4, 3)),
              "careful": np.array([[1.0, 0, 0], [0, 1.0, 0], [0, 1.0, 0], [0, 0, 1.0]]),
              "sure": np.array([[5.0, 0, 0], [0, 5.0, 0], [0, 5.0, 0], [0, 0, 5.0]]),
              "sure, once wrong": np.array([[5.0, 0, 0], [0, 5.0, 0], [5.0, 0, 0], [0, 0, 5.0]])}
    print("\nmodel               probabilities of the 4 labels    likelihood   cross entropy")
    found = {}
    for name, scores in models.items():
        p = F.softmax(scores).data[np.arange(4), t]
        loss = float(F.softmax_cross_entropy(Variable(scores), t).data)
        found[name] = {"likelihood": float(p.prod()), "loss": loss, "by hand": float(-np.log(p).mean())}
        print(f"{name:18}  {' '.join(f'{number:.4f}' for number in p)}   {p.prod():13.6f} {loss:15.4f}")
    many = np.full(1100, 0.5)
    found["product of 1100"], found["loss of 1100"] = float(many.prod()), float(-np.log(many).mean())
    print(f"1100 times 0.5: the likelihood is {many.prod()}, the cross entropy {-np.log(many).mean():.4f}")
    return found


# %% The logarithm needs care as well
# A model may be sure and wrong: scores 10000 and -10000, and the second is the label. Softmax is right to give 0, but log(0) is -inf, and no
# gradient comes out of that. Yet log of softmax is a simple thing: the score minus the log of the sum of exponentials. So the loss is 20000. The
# package computes softmax and cross entropy as one function for this reason. It wants scores, not probabilities: do not apply softmax before.


def extreme_scores():
    scores = np.array([[1e4, -1e4], [1e4, -1e4]])
    found = {}
    print("\nscores 10000 and -10000, label 1    loss     gradient")
    for name, loss_of in (("-log(softmax(x))", log_of_softmax), ("F.softmax_cross_entropy", F.softmax_cross_entropy)):
        x = Variable(scores)
        with np.errstate(all="ignore"):
            loss = loss_of(x, np.array([1, 1]))
            loss.backward()
        found[name] = {"loss": repr(float(loss.data)), "grad": [repr(float(g)) for g in x.grad.data[0]]}
        print(f"{name:32} {float(loss.data):7.0f}     {x.grad.data[0, 0]:.4g} {x.grad.data[0, 1]:.4g}")
    return found


def log_of_softmax(x, t):
    p = F.softmax(x)
    return -F.mean(F.log(p[np.arange(len(t)), t]))


# %% A gradient that one can read
# What does the loss want of the scores? Its gradient is the probability, less 1 at the label, divided by the number of rows. So the score of the
# label should rise by what is missing to 1, the others should sink by the probability they got without right. If the model is right and sure, all
# of it is 0: it need not learn any more.


def gradient_is_difference():
    scores, t = np.array([[2.0, 1.0, 0.0], [0.0, 0.0, 3.0]]), np.array([1, 2])
    x = Variable(scores)
    F.softmax_cross_entropy(x, t).backward()
    p = F.softmax(scores).data
    print("\nlabel  probabilities           gradient of the loss, times 2 rows")
    for row in range(2):
        print(f"{t[row]:5}  {' '.join(f'{number:6.3f}' for number in p[row])}    {' '.join(f'{2 * number:6.3f}' for number in x.grad.data[row])}")
    return {"probabilities": p, "gradient": x.grad.data, "difference": (p - np.eye(3)[t]) / 2}


# %% Pictures
# Left: the shares of three scores, of which the first grows. Right: the loss of one picture by the probability of its label. A wrong answer costs
# more the surer it was, without an upper limit.


def draw(path):
    with picture(path, columns=2, size=(11.0, 4.2)) as (shares, loss):
        first = np.linspace(-6, 8, 200)
        p = F.softmax(np.stack([first, np.full(200, 1.0), np.zeros(200)], axis=1)).data
        shares.stackplot(first, p.T, labels=["class 0: score on the axis", "class 1: score 1", "class 2: score 0"],
                         colors=["#0072B2", "#E69F00", "#999999"])
        shares.set(title="Softmax: three scores share 1", xlabel="score of class 0", ylabel="probability", xlim=(-6, 8), ylim=(0, 1))
        shares.legend(loc="lower right", framealpha=1.0)
        gap = np.linspace(-8, 8, 200)
        scores = Variable(np.stack([gap, np.zeros(200)], axis=1))
        losses = F.softmax_cross_entropy(scores, np.zeros(200, int), reduction="none").data
        loss.plot(F.softmax(scores).data[:, 0], losses, color="#0072B2", linewidth=2)
        loss.plot(1 / 3, np.log(3), "o", color="#D55E00", label="three classes, knows nothing: 1.0986")
        loss.set(title="Cross entropy of one picture", xlabel="probability of the label", ylabel="loss", xlim=(0, 1), ylim=(0, 8))
        loss.legend()


def main(out=None, fast=False):
    softmax = compare_softmax()
    likelihood = likelihood_view()
    extreme = extreme_scores()
    gradient = gradient_is_difference()
    if out:
        draw(out / "softmax.png")
    return {"naive": [repr(float(number)) for number in softmax[2][0]], "stable": softmax[2][1], "package": softmax[2][2], "below": softmax[3][1],
            "shifted": [row[1] for row in softmax[:2]], "likelihood": likelihood, "extreme": extreme, "gradient": gradient}


# %% Exercises: python -m steps.check 47 my_answer.py
# 1. ``first_loss(classes)``: think: a new net gives about equal scores. Near which loss does its training begin? For any number of classes.
# 2. ``log_sum_exp(x)``: log of the sum of exp of an array (N,), as a float, right for numbers of any size. No SciPy.
# 3. ``cross_entropy(x, t)``: the mean cross entropy of scores (N, C) and labels (N,) as a Variable, from F.exp, F.log, sums and indices alone;
#    for scores of any size. Gradients must be right too.

if __name__ == "__main__":
    run(main)
