"""How many examples should a program look at before it turns its knobs?

All of them, one, or something in between? The choice is called the size of a batch. This script counts what it changes and what it does not: calls,
multiplications, how good a gradient is, and how often the knobs are turned. It counts and does not measure time, since a count is the same on every
computer.
"""

import numpy as np

from support import picture, run

# %% Three words
# A batch is the examples that are looked at together. An iteration is one batch: its gradient (f08), and one turn of the knobs. An epoch is over when
# each example had its turn. The examples are shuffled before each epoch and dealt out like cards. With 7 examples and batches of 3 the last batch
# has 1, and an epoch has 3 iterations: examples divided by the size of a batch, rounded up.


def deal(count, size, rng):
    """The numbers 0 to count - 1 in random order, in batches."""
    order = rng.permutation(count)
    return [order[start:start + size] for start in range(0, count, size)]


def show_words():
    rng = np.random.default_rng(0)
    dealt = [deal(7, 3, rng) for _ in range(2)]
    for epoch, batches in enumerate(dealt, start=1):
        print(f"epoch {epoch}, 7 examples: " + ", ".join(f"iteration {i} {batch.tolist()}" for i, batch in enumerate(batches, start=1)))
    return dealt


# %% Many at once
# A layer of a network multiplies an example, 128 numbers, by a table of 128 x 10 weights: 1,280 multiplications. Lay the examples under each other,
# and the very same line of code, x @ W, takes a whole table of them. That is batch processing. Row i of the result belongs to example i.
#
# 10,000 examples, in batches of four sizes. The multiplications are the same to the last one, and so are the results (up to the last digits, as a
# computer may add the terms of a sum in another order). What changes is the number of calls, and how many numbers have to be held at a time.
#
# Is that faster? Each call has work of its own, before the first number is multiplied, and a large table lets the computer use all it has. So as a
# rule it is faster, by how much depends on the computer, and beyond some size nothing is gained any more. Measure it on yours.


class Layer:
    """x @ W, with counters."""

    def __init__(self, weights):
        self.weights, self.calls, self.multiplications = weights, 0, 0

    def __call__(self, x):
        self.calls += 1
        self.multiplications += x.size * self.weights.shape[1]
        return x @ self.weights


def show_calls():
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(10000, 128)), rng.normal(size=(128, 10)) / np.sqrt(128)
    at_once = x @ weights
    print("\n10,000 examples of 128 numbers, in batches of        1      100     1000    10000")
    found = []
    for size in (1, 100, 1000, 10000):
        layer = Layer(weights)
        y = np.concatenate([layer(x[start:start + size]) for start in range(0, len(x), size)])
        found.append({"size": size, "calls": layer.calls, "multiplications": layer.multiplications, "held": size * (128 + 10),
                      "apart": float(np.abs(y - at_once).max())})
    for name, key in (("calls", "calls"), ("multiplications, in millions", "multiplications"), ("numbers held beside the weights", "held")):
        numbers = [row[key] / 1e6 if key == "multiplications" else row[key] for row in found]
        print(f"{name:44}" + "".join(f"{number:9.1f}" if key == "multiplications" else f"{number:9}" for number in numbers))
    print(f"largest difference of the results below 1e-6: {all(row['apart'] < 1e-6 for row in found)}")
    return found


# %% How good is the gradient of a few?
# The task from here on: 1000 examples x of 8 numbers, and t = x @ (8 knobs that we do not know) + noise. The loss is the mean square (f07). By school
# maths its gradient is 2 * x.T @ (x @ w - t) / number of examples. It is the mean of the gradients of the single examples. So the gradient of a batch
# is an estimate of the gradient of all, as a poll is of an election. How far off is it? We draw 500 batches of each size.
#
# Four times the examples, half the error. That is a poor deal: the last digits of the gradient are dear. While we are far from the goal a rough
# direction will do, and for the price of one step with all examples we get many steps with a few.


def make_task(rng, count=1000):
    x, knobs = rng.normal(size=(count, 8)), rng.normal(size=8)
    return x, x @ knobs + rng.normal(scale=0.5, size=count)


def gradient(w, x, t):
    return 2 * x.T @ (x @ w - t) / len(x)


def show_noise():
    rng = np.random.default_rng(0)
    x, t = make_task(rng)
    w = np.zeros(8)
    whole = gradient(w, x, t)
    found = {}
    for size in (1, 4, 16, 64, 256):
        misses = [gradient(w, x[batch], t[batch]) - whole for batch in rng.integers(0, len(x), size=(500, size))]
        found[str(size)] = float(np.sqrt(np.mean(np.sum(np.square(misses), axis=1))) / np.linalg.norm(whole))
    apart = float(np.abs(np.mean([gradient(w, x[i:i + 1], t[i:i + 1]) for i in range(len(x))], axis=0) - whole).max())
    print("\nexamples in a batch              " + "".join(f"{size:>8}" for size in found))
    print("error of its gradient, in %      " + "".join(f"{100 * error:8.0f}" for error in found.values()))
    return {"errors": found, "mean of all": apart}


# %% The same epochs, other batches
# Now we learn, 20 epochs each, with five tasks. The multiplications of an epoch are the same in all rows: 8 for each x @ w, 8 more for the gradient.
# What differs is how often the knobs are turned. We print by how much the loss is above the lowest one that any knobs can have.


def train(x, t, size, rate, epochs, rng):
    """The loss above the lowest, after each epoch; infinite from where it runs away."""
    best = np.linalg.lstsq(x, t, rcond=None)[0]
    lowest = np.mean((x @ best - t) ** 2)
    w, losses = np.zeros(8), []
    for _ in range(epochs):
        for batch in deal(len(x), size, rng):
            w = w - rate * gradient(w, x[batch], t[batch])
            if not np.abs(w).max() < 1e6:
                return losses + [np.inf] * (epochs - len(losses))
        losses.append(float(np.mean((x @ w - t) ** 2) - lowest))
    return losses


def learn(seeds=5):
    print("\nloss above the lowest, mean of 5 tasks       rate 0.01, after epoch            rate 0.3")
    print("batch   turns in an epoch   multiplications       1        5       20        1        5       20")
    found = {}
    for size in (1, 10, 100, 1000):
        runs = {}
        for rate in (0.01, 0.3):
            rngs = [np.random.default_rng(seed) for seed in range(seeds)]
            runs[str(rate)] = [train(*make_task(rng), size, rate, 20, rng) for rng in rngs]
        found[str(size)] = runs
        cells = "".join(f"{np.mean(losses, axis=0)[epoch]:9.4f}" for losses in runs.values() for epoch in (0, 4, 19))
        print(f"{size:5} {-(-1000 // size):19} {1000 * 16:17,}{cells.replace('      inf', '     away')}")
    return found


# %% Read the table
# With one rate for all, 0.01, the small batches are far ahead after the first epoch: they made 1000 or 100 turns, the others 10 or 1. "Small batches
# learn faster", people say, and in epochs, with the same small rate, it is true. But look on. Batches of 1 stay above the lowest loss: each example
# pulls its own way, and the knobs never come to rest. And with the rate 0.3 it is the other way round. Gradients of many examples are steady enough
# for long steps: all 1000 at once come to the lowest loss, where batches of 10 shake about, and batches of 1 run away.
#
# So size and rate belong together, and there is no best size as such. People begin with 32 to 256: turns enough, and tables large enough to keep
# the computer busy. Step 50 has more of it: why to shuffle, and what to do with a last batch that is smaller.

# %% Picture


def draw(path, found, noise):
    marks = {"1": ("o-", "#D55E00"), "10": ("s-", "#E69F00"), "100": ("^-", "#0072B2"), "1000": ("D-", "#000000")}
    with picture(path, columns=3, size=(14.0, 4.4)) as (errors, slow, quick):
        sizes = [int(size) for size in noise]
        errors.loglog(sizes, 100 * noise["1"] / np.sqrt(sizes), "--", color="#808080", label="1 / root of the size")
        errors.loglog(sizes, [100 * error for error in noise.values()], "o", color="#0072B2", markersize=8, label="measured, 500 batches each")
        errors.set(title="Four times the examples, half the error", xlabel="examples in a batch", ylabel="error of the gradient, in %")
        errors.set_xticks(sizes, labels=sizes)
        errors.set_yticks([20, 50, 100, 200, 300], labels=[20, 50, 100, 200, 300])
        errors.minorticks_off()
        errors.legend()
        for ax, rate in ((slow, "0.01"), (quick, "0.3")):
            for size, (mark, colour) in marks.items():
                losses = np.mean(found[size][rate], axis=0)
                if np.isfinite(losses).all():
                    ax.semilogy(np.arange(1, 21), np.maximum(losses, 1e-12), mark, color=colour, markersize=4, label=f"batches of {size}")
                else:
                    ax.text(10, 12, f"batches of {size} run away", color=colour, ha="center")
            ax.set(title=f"Rate {rate}, mean of 5 tasks", xlabel="epoch", ylabel="loss above the lowest", ylim=(1e-6, 50), xticks=[1, 5, 10, 15, 20])
        slow.legend(loc="lower left", ncols=2)


def main(out=None, fast=False):
    dealt = show_words()
    calls = show_calls()
    noise = show_noise()
    learned = learn()
    if out:
        draw(out / "batches.png", learned, noise["errors"])
    return {"dealt": [[batch.tolist() for batch in batches] for batches in dealt], "calls": calls, "noise": noise, "learned": learned}


# %% Exercises: python -m steps.check f11 my_answer.py
# 1. ``epochs_for(turns, count, size)``: think: how many whole epochs are needed to turn the knobs at least so many times, with so many examples and
#    batches of this size? The last batch may be smaller and counts as well.
# 2. ``in_batches(f, x, size)``: f takes rows and gives rows, as a layer does. Give f(x) without handing f more than size rows at a time.
# 3. ``never_seen(count, size, rng)``: a common short cut deals no cards, but draws each batch anew: rng.integers(0, count, size). Make as many such
#    batches as an epoch has (size divides count here), and give the share of the examples that were in none. Would you have guessed it?

if __name__ == "__main__":
    run(main)
