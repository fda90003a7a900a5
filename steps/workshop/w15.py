"""Is Adam the best optimizer?

One reads so often. Step 46 wrote six rules, and raced them on Beale's function. Now they read handwriting, and we ask how to compare them so that
the answer means something: which rate does each get, who chooses it, how long may it learn, and is the difference more than luck?
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import no_grad, optimizers
from dezero.datasets import Digits
from dezero.models import MLP

# %% The contest
# The digits of step 51, read by a net with 32 hidden units. A seed decides about the first weights, the order of the images, and which 360 of the
# training images are put aside for choosing: the validation set. No rule learns from these. The test images are a third set: they choose nothing,
# they only judge. All rules get the same seeds, the same batches and the same nine rates, each about three times the one before. After each epoch we
# note the accuracy on both sets. As the rate does not change on the way, a short training is the beginning of a long one.
#
# Every rule is the package's, with its usual settings. The star in the table marks the rate that a rule has when nobody gives one.

RULES = {"SGD": optimizers.SGD, "Momentum": optimizers.MomentumSGD, "AdaGrad": optimizers.AdaGrad, "RMSprop": optimizers.RMSprop,
         "Adam": optimizers.Adam, "AdamW": optimizers.AdamW}
RATES = (0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0)
DEFAULTS = {name: rule().lr for name, rule in RULES.items()}


def accuracy(model, x, t):
    with no_grad():
        return float(F.accuracy(model(x), t).data)


def train(rule, rate, seed, epochs, train_set, test_set):
    """The accuracy on the validation and on the test images, after each epoch."""
    rng = np.random.default_rng(seed)
    np.random.seed(seed)
    (x, t), (test_x, test_t) = train_set, test_set
    order = rng.permutation(len(x))
    choose, learn = order[:360], order[360:]
    model = MLP((32, 10), activation=F.relu)
    optimizer = rule(lr=rate).setup(model)
    history = []
    for _ in range(epochs):
        learn = rng.permutation(learn)
        for start in range(0, len(learn), 32):
            batch = learn[start:start + 32]
            loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
            model.cleargrads()
            loss.backward()
            optimizer.update()
        history.append((accuracy(model, x[choose], t[choose]), accuracy(model, test_x, test_t)))
    return history


def trials(name, rate, seeds, epochs, sets):
    """Per cent right, by seed and epoch: on the validation images, and on the test images."""
    with np.errstate(all="ignore"):  # some rates are far too large, and the numbers run away
        results = 100 * np.array([train(RULES[name], rate, seed, epochs, *sets) for seed in seeds])
    return results[..., 0], results[..., 1]


# %% Choose the rate, and you choose the winner
# Read the table by columns. From left to right the winner is RMSprop, Adam with its brother AdamW, Momentum, AdaGrad, SGD. Whoever gives the same
# rate to all "to be fair" has decided the contest before it begins. For a rate means something else in each rule: SGD's step is the rate times the
# slope, Adam's is about the rate itself (step 46). So their best rates lie a hundred times apart.
#
# Take the rates that the rules bring along, then, the stars? These are habits: Adam's 0.001 was made for large nets and long trainings. RMSprop
# comes out first, Adam and Momentum are level, SGD and AdaGrad look hopeless. All that is wrong with them is the rate.


def try_rates(seeds, epochs, sets):
    print(f"right on test images in %, mean of {len(seeds)} seeds, {epochs} epochs; * the package's own rate\n"
          "rate      " + "".join(f"{rate:>9g}" for rate in RATES))
    validation, means = {}, {}
    for name in RULES:
        both = [trials(name, rate, seeds, epochs, sets) for rate in RATES]
        validation[name] = np.array([chosen for chosen, _ in both])
        means[name] = [float(test[:, -1].mean()) for _, test in both]
        stars = ["*" if rate == DEFAULTS[name] else "" for rate in RATES]
        print(f"{name:10}" + "".join(f"{star:>5}{number:4.0f}" for star, number in zip(stars, means[name], strict=True)))
    winners = [max(means, key=lambda name, i=i: means[name][i]) for i in range(len(RATES))]
    own = {name: means[name][RATES.index(rate)] for name, rate in DEFAULTS.items()}
    print("the best  " + "".join(f"{winner:>9}" for winner in winners))
    print("own rates: " + ", ".join(f"{name} {own[name]:.1f}" for name in sorted(own, key=lambda name: -own[name])))
    return validation, {"means": means, "winners": winners, "own": own}


# %% A fair choice
# Each rule gets the rate that is best on its validation images: nine tries for each. Then it runs with new seeds, since the seeds that chose have
# flattered the rate which they chose. Once the rate is chosen for 2 epochs, once for all; the test images judge. What came out, in the whole run:
#
# After 2 epochs Adam and AdamW are ahead, and SGD is last, more than 5 points behind: Adam is quick, as people say. In the end Adam, AdamW and
# Momentum are level, and all six are within a point. From seed to seed one and the same rule differs by two points and more. SGD has the worst seed:
# its best rate lies next to one at which it runs away. AdamW's pull to 0 is too weak to be seen in such a short training.
#
# "Adam forgives a wrong rate" is told as well. The last column counts the rates within 2 points of a rule's best: 2 or 3 of 9, for Adam as for the
# others. Here its range is no broader than theirs. What speaks for Adam is that so many people used it: one knows about where to begin.


def chosen_rate(validation, epoch):
    return RATES[validation[..., epoch].mean(axis=1).argmax()]


def compare(validation, seeds, epochs, sets):
    print(f"\n{len(seeds):2} new seeds    chosen, 2 epochs: rate   chosen, {epochs} epochs: rate   worst and best seed   good rates")
    found = {}
    for name, tried in validation.items():
        early, late = chosen_rate(tried, 1), chosen_rate(tried, -1)
        short, long = (trials(name, rate, seeds, count, sets)[1][:, -1] for rate, count in ((early, 2), (late, epochs)))
        means = tried[..., -1].mean(axis=1)
        good = int(np.sum(means > means.max() - 2))
        found[name] = {"early": short, "late": long, "rates": [early, late], "good": good}
        print(f"{name:20} {short.mean():11.1f} {early:6g} {long.mean():18.1f} {late:6g} {long.min():15.1f} {long.max():5.1f} {good:12}")
    return found


# %% In pairs
# The seeds are the same for all rules, so we can compare in pairs: same first weights, same batches, same images. "Give or take" is the standard
# error, the spread of the differences divided by the root of their number. The true mean is rarely more than two of them away.
#
# Look at Momentum. After 10 seeds Adam had not won once, and lost 8 times. Many a paper was written on less. After 30 seeds nothing is left that one
# could bet on. Against RMSprop and SGD Adam does win, by 2 or 3 images of 360: less than a point.
#
# So the answer: Adam is quick, and it is among the best. It is not the best. And all this holds for this net, these images and 12 epochs; whoever
# wants to know it of another task has to measure it there. ``--fast`` has 3 seeds and 6 epochs, and they tell another story, as few seeds do.


def duels(found):
    adam, rows = found["Adam"]["late"], {}
    third = len(adam) // 3
    print(f"\nseed by seed, chosen rates      Adam wins, loses:  first {third:2}     all {len(adam)}    images that it reads more")
    for name in ("SGD", "Momentum", "AdaGrad", "RMSprop"):
        gap = np.round((adam - found[name]["late"]) * 3.6)
        (early, all_) = ([int((part > 0).sum()), int((part < 0).sum())] for part in (gap[:third], gap))
        doubt = float(gap.std(ddof=1) / np.sqrt(len(gap)))
        rows[name] = {"first": early, "all": all_, "images": float(gap.mean()), "doubt": doubt, "first images": float(gap[:third].mean())}
        print(f"against {name:42} {early[0]:3}, {early[1]:2} {all_[0]:7}, {all_[1]:2} {gap.mean():10.1f}, give or take {doubt:.1f}")
    return rows


# %% Picture
# Left: the table. Right: the fair choice, a dot for each seed.


def draw(path, by_rate, found, epochs):
    colours = {"SGD": ("#000000", "o-"), "Momentum": ("#D55E00", "s-"), "AdaGrad": ("#009E73", "^--"), "RMSprop": ("#CC79A7", "v-"),
               "Adam": ("#0072B2", "D-"), "AdamW": ("#E69F00", "x--")}
    with picture(path, columns=2, size=(13.0, 4.8)) as (rates, chosen):
        for i, (name, (colour, mark)) in enumerate(colours.items()):
            means = by_rate["means"][name]
            rates.semilogx(RATES, means, mark, color=colour, markersize=5, label=name)
            rates.plot(DEFAULTS[name], means[RATES.index(DEFAULTS[name])], "o", markersize=14, markerfacecolor="none", markeredgecolor=colour)
            for at, key, filled in ((i - 0.17, "early", "none"), (i + 0.17, "late", colour)):
                dots = found[name][key]
                chosen.plot(at + np.linspace(-0.12, 0.12, len(dots)), dots, "o", color=colour, markerfacecolor=filled, markersize=4)
                chosen.plot([at - 0.15, at + 0.15], [dots.mean()] * 2, color="black", linewidth=1.5)
        rates.set(title=f"Each rule has its own good rates ({epochs} epochs; ring: the package's own)", xlabel="learning rate",
                  ylabel="right on test images, in %", ylim=(0, 102))
        rates.legend(loc="lower left", bbox_to_anchor=(0.36, 0.0))
        chosen.set(title=f"Chosen rates: 2 epochs (open), {epochs} (filled); a dot a seed, bars: means", ylabel="right on test images, in %")
        chosen.set_xticks(range(6), labels=[*colours])


def main(out=None, fast=False):
    sets = Digits()[:], Digits(train=False)[:]
    epochs = 6 if fast else 12
    validation, by_rate = try_rates(range(2 if fast else 4), epochs, sets)
    found = compare(validation, range(100, 103 if fast else 130), epochs, sets)
    pairs = duels(found)
    if out:
        draw(out / "contest.png", by_rate, found, epochs)
    return {"by rate": by_rate, "found": found, "duels": pairs}


# %% Exercises: python -m steps.check w15 my_answer.py
# 1. ``doubt(accuracy, images)``: a net is right on each new image with this probability. By how much is the share of right ones among so many images
#    off by chance (standard deviation)? Try 0.96 and 360, and compare it with the differences above.
# 2. ``report(rates, validation, test)``: the rate to use, and the mean accuracy to tell others; validation and test are arrays (rates, seeds). Runs
#    that ran away are nan and count as 0. This version cheats, mend it:
#        means = test.mean(axis=1)
#        return rates[means.argmax()], means.max()
# 3. ``flattery(tries, images, rng)``: many tries, all equally good: each is right on an image with probability 0.95. By how much does the best of
#    them look better than 0.95, on average over 2000 repetitions?

if __name__ == "__main__":
    run(main)
