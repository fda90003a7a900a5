"""Do five nets know more than one?

An ensemble is a group of models that decide together. Five nets may vote, their probabilities may be averaged, or another model may learn whom
to believe. One often reads that an ensemble always gains at least two points. So we measure it, for several kinds of nets and with many seeds,
and see what the gain depends on.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import ArrayDataset, Digits
from dezero.models import MLP
from dezero.optimizers import Adam
from dezero.training import Ensemble, Evaluator, Stacking, Trainer, mean_probabilities, vote

# %% Why a group can be better than its members
# Three voters are right 7 times out of 10 each, and their mistakes have nothing to do with each other. The majority is right if all three are,
# 0.7 x 0.7 x 0.7 = 0.343, or if two are, which can happen in three ways, 3 x 0.7 x 0.7 x 0.3 = 0.441. Together 0.784, more than each of them.
#
# ``majority`` does this for any voters. ``counts[k]`` is the probability that k of the voters so far are right. One more voter is wrong, and k
# stays, or right, and k becomes k + 1: that is a convolution with the pair (1 - p, p).


def majority(chances):
    counts = np.array([1.0])
    for p in chances:
        counts = np.convolve(counts, [1 - p, p])
    return float(counts[len(chances) // 2 + 1:].sum())


def independent_voters():
    levels = (0.45, 0.6, 0.7, 0.9)
    print("voters with independent mistakes, each right in " + "".join(f"{p:9.2f}" for p in levels))
    table = {n: [majority([p] * n) for p in levels] for n in (1, 3, 5, 11, 101)}
    for n, row in table.items():
        print(f"the majority of {n:3} is right in{'':18}" + "".join(f"{p:9.4f}" for p in row))
    return table


# %% Five nets
# Nets are no independent voters: they learned from the same digits. What differs is chance, the first weights and the order of the batches. We take
# only 300 of the 1,797 digits to learn from, so that there is something to gain, and test with all others. Four kinds of members:
#
# - without a hidden layer. There the loss has a single valley, and all five nets end up close to each other;
# - with 8 hidden units, which is hardly enough: chance decides what such a net learns;
# - with 100 hidden units, which is plenty;
# - the same, but each net learns from a sample of its own: 300 times one of the 300 digits is drawn, so some come twice and some never. Leo
#   Breiman called this bagging (1996). It makes the members differ.

KINDS = {"no hidden layer": ((), False), "8 hidden units": ((8,), False), "100 hidden units": ((100,), False), "100 units, bagging": ((100,), True)}


def split(seed):
    parts = Digits()[:], Digits(train=False)[:]
    x, t = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    order = np.random.default_rng(seed).permutation(len(x))
    return (x[order[:300]], t[order[:300]]), (x[order[300:]], t[order[300:]])


def net(hidden):
    return MLP((*hidden, 10), activation=F.relu, in_size=64)


def fit(model, x, t):
    Trainer(model, Adam(0.01), F.softmax_cross_entropy).fit(DataLoader(ArrayDataset(x, t), 50), epochs=20)


def five_nets(kind, seed):
    """Five trained nets, their scores for the test images, and the labels of these."""
    hidden, bagging = KINDS[kind]
    (x, t), (test_x, test_t) = split(seed)
    np.random.seed(seed)
    nets = [net(hidden) for _ in range(5)]
    for member in nets:
        chosen = np.random.randint(0, len(x), len(x)) if bagging else slice(None)
        fit(member, x[chosen], t[chosen])
    return nets, [Evaluator(member).predict(test_x) for member in nets], test_t


# %% Three ways to decide
# A vote counts heads; where two classes have as many votes, ``vote`` takes the one that the nets find more probable. The mean of the probabilities
# also hears how sure each net is. Stacking trains a second net, here one without a hidden layer, which gets the 5 x 10 probabilities and learns
# from them what is true.
#
# The second net must not learn from what the first ones say of the digits they were trained on: these they know by heart, so all would look equally
# trustworthy. ``Stacking`` cuts the 300 digits into folds. What is said of a fold comes from nets that were trained on the other folds. So it
# costs more: with 3 folds, four trainings for each net instead of one.


def stack(kind, seed):
    (x, t), (test_x, test_t) = split(seed)
    np.random.seed(100 + seed)
    stacking = Stacking([net(KINDS[kind][0]) for _ in range(5)], MLP((10,)), fit, folds=3, seed=seed).fit(x, t)
    return share(stacking.predict(test_x), test_t)


def share(labels, t):
    return float((labels == t).mean())


# %% How much do they agree?
# If the five nets of 8 units were independent voters, ``majority`` could say how good their vote is. It says too much. The reason is in the last
# line: images that are wrong for one net are often wrong for another as well. A digit that is written badly is hard for all of them.


def look_at_one(kind, members, stacked):
    _, scores, t = members
    labels = [y.argmax(axis=1) for y in scores]
    single = [share(answer, t) for answer in labels]
    agreement = np.array([[share(a, b) for b in labels] for a in labels])
    together = {"vote": share(vote(scores), t), "mean": share(mean_probabilities(scores).argmax(axis=1), t), "stacking": stacked}
    print(f"\nfive nets, {kind}: right on {len(t):,} images; share of equal answers with net 0 to 4")
    for i, row in enumerate(agreement):
        print(f"net {i} {single[i]:8.1%}     " + "".join(f"{x:8.1%}" for x in row))
    wrong = [answer != t for answer in labels]
    both, chance = int((wrong[0] & wrong[1]).sum()), wrong[0].mean() * wrong[1].mean() * len(t)
    print(f"vote {together['vote']:8.1%}   mean of probabilities {together['mean']:.1%}   stacking {stacked:.1%}   "
          f"independent voters {majority(single):.1%}")
    print(f"images that net 0 and net 1 both get wrong: {both}; if their mistakes were independent: {chance:.0f}")
    return {"single": single, "agreement": agreement, **together, "independent": majority(single), "both wrong": both, "by chance": chance}


# %% Does it always gain two points?
# Again with other seeds, each with other training digits. "One net" is the mean of the five: what you can expect if you train a single one. "Equal"
# is the share of equal answers of two nets. "Best" is the one of the five that has most test images right. Nobody can choose it without looking at
# the test labels, so it is a hard opponent.
#
# No, it does not. Nets of 8 units gain more than two points each time. Nets of 100 units, trained as usual, gain some tenths of a point or nothing.
# Look at the column "equal": nets that say the same have nothing to tell each other. And look at the column "mean". Bagging
# makes the members differ, and the gain grows. But the members became worse, and what the group has in the end is not better than one plain net of
# 100 units. Five nets of 8 units stay behind that one net, too. A large gain may only mean that the members were bad.


def over_seeds(seeds):
    """For each kind and seed: one net, best of five, vote, mean of probabilities, equal answers. And the members of the first seed."""
    found, first = {}, {}
    for kind in KINDS:
        found[kind] = []
        for seed in seeds:
            members = five_nets(kind, seed)
            _, scores, t = members
            first.setdefault(kind, members)
            labels = [y.argmax(axis=1) for y in scores]
            single = [share(answer, t) for answer in labels]
            equal = np.mean([share(labels[i], labels[j]) for i in range(5) for j in range(i)])
            found[kind].append([np.mean(single), max(single), share(vote(scores), t), share(mean_probabilities(scores).argmax(1), t), equal])
    return {kind: np.array(rows) for kind, rows in found.items()}, first


def show_seeds(found, stacked):
    count = len(next(iter(found.values())))
    print(f"\n{count:2} seeds, five nets each    one net    vote    mean    equal   mean 2 points up   not below best")
    summary = {}
    for kind, rows in found.items():
        one, best, voted, mean, equal = rows.T
        gains = mean - one
        up, first = int((gains >= 0.02).sum()), int((mean >= best).sum())
        summary[kind] = {"one": one.mean(), "vote": voted.mean(), "mean": mean.mean(), "equal": equal.mean(), "gains": gains, "two points": up,
                         "not below best": first}
        print(f"{kind:22} {one.mean():11.1%} {voted.mean():7.1%} {mean.mean():7.1%} {equal.mean():8.1%}"
              f" {up:12} of {count:2} {first:10} of {count:2}")
    if len(stacked) > 1:
        print(f"stacking, 8 hidden units: {np.mean(stacked):.1%} in the mean of {len(stacked)} seeds")
    return summary


# %% To use it
# ``Ensemble`` is the group as one model: it has ``predict`` and ``evaluate``. It costs five trainings, and five times the work for each answer. If
# that is no matter, take it: the mean of the probabilities was never clearly worse than one net, and it spares you the choice among five.


def as_one_model(members, seed=0):
    nets, _, _ = members
    test = ArrayDataset(*split(seed)[1])
    return Ensemble(nets, how="mean").evaluate(DataLoader(test, 256, shuffle=False))["accuracy"]


# %% Pictures
# With ``--out``: what independent voters would reach, how often our nets agree, and the gain for each seed.


def draw(out, agreement, found):
    numbers = np.arange(1, 32, 2)
    with picture(out / "voters.png", size=(6.5, 4.2)) as ax:
        for p, color, style in ((0.9, "#0072B2", "o-"), (0.7, "#009E73", "s-"), (0.6, "#E69F00", "^-"), (0.45, "#D55E00", "v-")):
            ax.plot(numbers, [100 * majority([p] * n) for n in numbers], style, color=color, markersize=4, label=f"each right in {p:.0%}")
        ax.axhline(50, color="0.6", linewidth=1)
        ax.set(title="Voters with independent mistakes", xlabel="number of voters", ylabel="majority right, in %", ylim=(0, 103), xlim=(0, 32))
        ax.legend(loc="lower left")
    with picture(out / "nets.png", columns=2, size=(10.5, 4.2)) as (left, right):
        shown = left.imshow(100 * agreement, cmap="cividis", vmin=60, vmax=100)
        for i, j in np.ndindex(agreement.shape):
            left.text(j, i, f"{agreement[i, j]:.0%}", ha="center", va="center", color="black" if agreement[i, j] > 0.8 else "white")
        left.set(title="Equal answers of five nets with 8 hidden units", xlabel="net", ylabel="net")
        left.figure.colorbar(shown, ax=left, label="equal answers, in %")
        for place, (_, rows) in enumerate(found.items()):
            spread = place + np.linspace(-0.22, 0.22, len(rows))
            for column, name, style in ((0, "over one net", {"marker": "o", "color": "#0072B2"}),
                                        (1, "over the best of five", {"marker": "x", "color": "#D55E00"})):
                right.plot(spread, 100 * (rows[:, 3] - rows[:, column]), linestyle="", label=None if place else name, **style)
        right.axhline(0, color="0.6", linewidth=1)
        right.axhline(2, color="black", linewidth=1, linestyle="--", label="two points")
        right.set(title=f"Gain of the mean of probabilities, {len(rows)} seeds", ylabel="points")
        right.set_xticks(range(len(found)), [kind.replace(" hidden", "\nhidden").replace(", ", ",\n") for kind in found])
        right.legend()


def main(out=None, fast=False):
    table = independent_voters()
    kind = "8 hidden units"
    seeds = range(5 if fast else 10)
    stacked = [stack(kind, seed) for seed in (seeds[:1] if fast else seeds)]
    found, first = over_seeds(seeds)
    one = look_at_one(kind, first[kind], stacked[0])
    summary = show_seeds(found, stacked)
    if out:
        draw(out, one["agreement"], found)
    return {"independent": table, "one": one, "seeds": found, "summary": summary, "stacked": stacked, "ensemble": as_one_model(first[kind])}


# %% Exercises: python -m steps.check w07 my_answer.py
# 1. ``voters_needed(p, goal)``: the smallest odd number of independent voters, each right with probability p, whose majority is right with at
#    least the probability goal. None if no number is enough, because p is at most a half and the goal is above p.
# 2. ``weighted_vote(labels, weights, classes)``: labels (members, N) and a weight for each member. For each sample the class with the largest sum of
#    weights; the lowest class wins a tie.
# 3. ``decide(scores)``: the answers (N,) of several nets by the mean of their probabilities; scores is a list of arrays (N, C). This one takes the
#    mean of the scores, so a net with large scores outvotes all the others. Mend it:  ``return np.mean(scores, axis=0).argmax(axis=1)``

if __name__ == "__main__":
    run(main)
