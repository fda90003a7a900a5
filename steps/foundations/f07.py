"""How wrong is a model, in one number?

To learn, a program turns its knobs, the weights, and has to know after each turn whether things got better. The number that says so is called the
loss: the smaller, the better. The share of right answers looks like a natural choice, but it fails. We see why, and then where the two most common
losses come from: both answer one question, how probable is what we saw?
"""

import numpy as np

from support import picture, run

# %% Twenty nights
# Will the pond be frozen in the morning? Our model has one knob, the border: at this temperature it says 50 percent, below it more, above it less.
# The sigmoid makes the probability p of the distance from the border. We note 20 nights: their temperature x, and t, which is 1 if the pond was
# frozen and 0 if not. Wind and snow matter too, so no border is right for all nights.
#
# The answer counts as "frozen" where p is 0.5 or more. The accuracy is the share of right answers. The other number, the cross entropy, is what this
# script wants to explain. For now: take the logarithm of the probability that the model gave to what really happened, and the mean over all
# nights, with a minus.


def nights(seed, count=20):
    rng = np.random.default_rng(seed)
    x = rng.uniform(-7, 5, size=count)
    return x, (rng.uniform(size=count) < sigmoid(-1 - x)).astype(int)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def accuracy(border, x, t):
    return float(np.mean((sigmoid(border - x) >= 0.5) == t))


def cross_entropy(border, x, t):
    p = sigmoid(border - x)
    return float(-np.mean(np.log(np.where(t == 1, p, 1 - p))))


# %% Stairs
# Turn the knob a little. No night is on the other side of the border now, so not one answer changes, and the accuracy stands still. Only now and
# then the border passes a night, and the accuracy jumps by 1/20. There is nothing in between. The cross entropy answers to the smallest turn, since
# for each night the probability of what happened changes a bit.


def show_stairs(x, t):
    print("border   accuracy   cross entropy")
    for border in (-1.0, -0.98, -0.96):
        print(f"{border:6.2f} {accuracy(border, x, t):10.2f} {cross_entropy(border, x, t):15.5f}")
    borders = np.linspace(-5, 5, 501)
    stairs, slope = (np.array([loss(border, x, t) for border in borders]) for loss in (accuracy, cross_entropy))
    moved = [int(np.count_nonzero(np.abs(np.diff(values)) > 1e-9)) for values in (stairs, slope)]
    print(f"500 turns by 0.02 from -5 to 5: the accuracy changes {moved[0]} times, the cross entropy {moved[1]} times")
    return {"borders": borders, "accuracy": stairs, "cross entropy": slope, "moved": moved}


# %% Learning by feeling both sides
# The simplest way to learn: try the knob 0.02 further and 0.02 back, and go where it is better. If neither side is better, stay. We start at 21
# places. By accuracy 20 of them never make a step: all around is level ground. By cross entropy every start comes to the same place.


def walk(border, better):
    """Follow ``better``, which is to be small, for at most 1000 steps; gives the last border."""
    for _ in range(1000):
        here, back, on = (round(better(b), 9) for b in (border, border - 0.02, border + 0.02))
        if here <= min(back, on):
            break
        border += 0.02 if on < back else -0.02
    return border


def learn(x, t):
    starts = np.linspace(-5, 5, 21)
    print("\n21 starts from -5 to 5   never move   borders where they end")
    found = {}
    for name, better in (("by accuracy", lambda b: -accuracy(b, x, t)), ("by cross entropy", lambda b: cross_entropy(b, x, t))):
        ends = np.array([walk(start, better) for start in starts])
        stuck = int(np.count_nonzero(ends == starts))
        found[name] = {"stuck": stuck, "low": float(ends.min()), "high": float(ends.max())}
        print(f"{name:24} {stuck:10}   from {ends.min():5.2f} to {ends.max():5.2f}")
    return found


# %% The price
# The loss stands in for the accuracy; it is not the same thing. The border with the lowest loss need not be one with the most right answers. How
# often? We note 20 other nights 200 times, and count the right answers at the border with the lowest loss. In half of the sets another border would
# have given more, mostly just one. That is not much of a loss: on 20 nights one right answer more is often luck, and on new nights it is gone.
#
# So: learn by the loss, report the accuracy, and measure it on nights that were not used to learn.


def compare_best(count):
    borders = np.linspace(-5, 5, 201)
    lost = []
    for seed in range(count):
        x, t = nights(seed)
        p = sigmoid(borders[:, None] - x)
        right = ((p >= 0.5) == t).sum(axis=1)
        loss = -np.log(np.where(t == 1, p, 1 - p)).mean(axis=1)
        lost.append(int(right.max() - right[loss.argmin()]))
    counts = np.bincount(np.minimum(lost, 2), minlength=3)
    print(f"right answers at the lowest loss, {count} sets: the most possible in {counts[0]}, 1 less in {counts[1]}, fewer in {counts[2]}")
    return {"sets": count, "counts": counts, "mean": float(np.mean(lost))}


# %% Where squares come from
# Now to the question behind the losses. Somebody measures a length five times, with a small fault each time. Which length m explains what was read?
# The one that makes the readings most probable. Faults of many small causes follow the bell curve of Gauss: a fault r has the density
# exp(-r*r/2) / sqrt(2 pi), here with a width of 1. The density is the probability for each unit of length. The likelihood of m is the product of
# the five densities.
#
# The logarithm turns the product into a sum, and takes away the exp: minus the log of one density is r*r/2, plus log sqrt(2 pi), which does not
# depend on m. So the largest likelihood is the smallest half sum of squares. The half is not decoration: it is in the bell curve, and it makes the
# slope of r*r/2 plainly r. Where the faults follow another curve, squares are not the answer (exercise 3).

READINGS = np.array([20.9, 18.7, 21.4, 20.1, 18.9])


def half_sum_of_squares(y, t):
    return float(0.5 * np.sum((np.asarray(y) - t) ** 2))


def show_squares():
    print("\nlength m   likelihood   -log likelihood   half sum of squares   difference")
    found = []
    for m in (19.0, 20.0, 21.0):
        likelihood = float(np.prod(np.exp(-((READINGS - m) ** 2) / 2) / np.sqrt(2 * np.pi)))
        row = (m, likelihood, -np.log(likelihood), half_sum_of_squares(READINGS, m))
        found.append(row)
        print(f"{m:8.1f} {likelihood:12.1e} {row[2]:17.4f} {row[3]:21.4f} {row[2] - row[3]:12.4f}")
    return found


# %% Where the cross entropy comes from
# Classes are no lengths: there is no fault r, a label is right or wrong. A model that has to choose among rain, snow and sun gives three
# probabilities. The likelihood of what happened is the product of the probabilities of what happened, one for each day. Minus its logarithm,
# divided by the number of days, is the cross entropy. With labels as rows t of zeros and a 1 (one-hot) it is often written as minus the sum of
# t * log(y): the zeros leave only the logarithm that counts.
#
# Two forecasts for one day with snow. Both losses prefer the first. But the cross entropy can be read: exp(-loss) is the probability of snow.

FORECASTS = {"good": np.array([0.1, 0.8, 0.1]), "bad": np.array([0.4, 0.2, 0.4])}
SNOW = np.array([0, 1, 0])


def entropy_of(y, t):
    """The mean cross entropy of rows of probabilities y and one-hot rows t."""
    y, t = np.atleast_2d(y), np.atleast_2d(t)
    return float(-np.sum(t * np.log(y)) / len(y))


def show_classes():
    print("\nsnow fell; forecast   rain  snow   sun   half sum of squares   cross entropy   exp(-it)")
    found = {}
    for name, y in FORECASTS.items():
        found[name] = (half_sum_of_squares(y, SNOW), entropy_of(y, SNOW))
        print(f"{name:20} {y[0]:6.1f} {y[1]:5.1f} {y[2]:5.1f} {found[name][0]:21.2f} {found[name][1]:15.4f} {np.exp(-found[name][1]):10.1f}")
    y = np.array([[0.1, 0.8, 0.1], [0.6, 0.3, 0.1], [0.2, 0.3, 0.5], [0.7, 0.1, 0.2]])
    t = np.eye(3)[[1, 0, 2, 1]]
    likelihood = float(np.prod(y[t == 1]))
    both = (-np.log(likelihood) / 4, entropy_of(y, t))
    print(f"four days: likelihood {likelihood:.3f}, -log(likelihood)/4 = {both[0]:.6f}, cross entropy {both[1]:.6f}")
    return {**found, "likelihood": likelihood, "both": both}


# %% Squares for classes: possible, but deaf
# One may use squares for classes. It is even true that both losses are lowest at the right share: if 7 of 10 nights freeze, at p = 0.7. The trouble
# is the way there. The model makes p of a score by the sigmoid. If it is sure and wrong, the sigmoid is flat (f05), so the squares hardly answer to
# the score. The slope of the cross entropy stays near 1: the more wrong, the louder. We try out the slopes for a night that did freeze, t = 1.


def slope(loss, score, step=1e-5):
    return (loss(sigmoid(score + step)) - loss(sigmoid(score - step))) / (2 * step)


def show_slopes():
    print("\nfrozen, but score      p   slope of the squares   slope of the cross entropy")
    found = []
    for score in (-6.0, -2.0, 2.0):
        squares, entropy = slope(lambda p: (p - 1) ** 2 / 2, score), slope(lambda p: -np.log(p), score)
        found.append((score, squares, entropy))
        print(f"{score:17.0f} {sigmoid(score):6.3f} {squares:22.4f} {entropy:28.4f}")
    shares = np.linspace(0.01, 0.99, 99)
    best = [float(shares[np.argmin(0.7 * loss(shares, 1) + 0.3 * loss(1 - shares, 1))]) for loss in
            (lambda p, t: (p - t) ** 2, lambda p, t: -np.log(p))]
    return {"slopes": found, "best share": best}


# %% Pictures


def draw(path, stairs):
    with picture(path, columns=3, size=(14.5, 4.0)) as (left, middle, right):
        lines = left.step(stairs["borders"], 100 * stairs["accuracy"], color="#D55E00", where="mid", label="accuracy: level, then a jump")
        left.set(title="Stairs cannot be felt, a slope can", xlabel="border", ylabel="accuracy in %", ylim=(0, 119))
        other = left.twinx()
        lines += other.plot(stairs["borders"], stairs["cross entropy"], "--", color="#0072B2", label="cross entropy")
        other.set(ylabel="cross entropy", ylim=(0, 2.8))
        left.legend(handles=lines, loc="upper center")
        m = np.linspace(17.5, 22.5, 200)
        faults = READINGS[:, None] - m
        lines = middle.plot(m, (faults**2).sum(axis=0) / 2, "--", color="#0072B2", label="half sum of squares")
        lines += middle.plot(READINGS, np.zeros(5), "k|", markersize=14, label="readings")
        middle.axvline(READINGS.mean(), color="#808080", linestyle=":")
        middle.set(title="The likeliest length has the least squares", xlabel="length m", ylabel="half sum of squares", ylim=(-0.6, 26))
        other = middle.twinx()
        density = np.prod(np.exp(-(faults**2) / 2) / np.sqrt(2 * np.pi), axis=0)
        lines += other.plot(m, 1e4 * density, color="#D55E00", label="likelihood")
        other.set(ylabel="likelihood, times 10,000", ylim=(-0.2, 8.67))
        middle.legend(handles=lines, loc="upper center")
        p = np.linspace(0.002, 1, 300)
        right.plot(p, -np.log(p), "--", color="#0072B2", label="cross entropy")
        right.plot(p, (p - 1) ** 2 / 2, color="#D55E00", label="half square")
        right.set(title="What a probability costs", xlabel="probability of what happened", ylabel="loss", xlim=(0, 1), ylim=(0, 6))
        right.legend()


def main(out=None, fast=False):
    x, t = nights(0)
    stairs = show_stairs(x, t)
    learned = learn(x, t)
    best = compare_best(200)
    squares = show_squares()
    classes = show_classes()
    slopes = show_slopes()
    if out:
        draw(out / "loss.png", stairs)
    return {"moved": stairs["moved"], "learned": learned, "best": best, "squares": squares, "classes": classes, **slopes}


# %% Exercises: python -m steps.check f07 my_answer.py
# 1. ``halved(p)``: think: a forecast gave what happened the probability p. With which probability would its cross entropy have been half as large?
# 2. ``mean_entropy(y, t)``: the mean cross entropy of rows of probabilities y (N, C); t (N,) are the numbers of what happened. This version has two
#    faults, mend them: ``return -np.sum(np.eye(y.shape[1])[t] * np.log(y))``. Probabilities of what did not happen may be 0.
# 3. ``likeliest(readings)``: the length m of the largest likelihood, if faults have the density exp(-abs(r)) / 2: large faults are more common than
#    with the bell curve. Which sum becomes smallest then, and which m does that?

if __name__ == "__main__":
    run(main)
