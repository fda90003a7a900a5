"""What does it take to remember for forty steps?

The recurrent network of step 59 knew a wave from the last few values. Now the only thing that matters is said once, at the start, and asked for
forty steps later. The state that carries it is computed anew at every step, so it has to survive forty computations. This last script builds a state
that stays as it is unless somebody wants to change it.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import Model, SeqDataLoader, Variable, no_grad
from dezero.datasets import ArrayDataset
from dezero.optimizers import Adam, ClipGrad

# %% An echo
# A row of letters, each drawn by lot: a, b, c or d. At the end the network has to say which letter was the first. Nothing else in the row helps. With
# a lag of 40 there are 40 letters behind the first one. Who guesses is right one time in four.


def echo_rows(rng, lag, count):
    letters = rng.integers(0, 4, (lag + 1, count))
    return np.eye(4, dtype=np.float32)[letters], letters[0]  # (steps, count, 4): one of four is 1


# %% Why the network of step 59 forgets
# To learn the first letter's use, a gradient has to arrive at it. It comes from the last state, and at every step back it is multiplied with Wh and
# with the slope of tanh, both mostly below 1. Forty times that is next to nothing: the gradient vanishes. The table below shows how much the last
# state depends on the first letter before any learning.


def first_counts(cell, lag):
    x, _ = echo_rows(np.random.default_rng(1), lag, 64)
    first = Variable(x[:1])
    h = cell(F.concatenate((first, x[1:]), axis=0))[-1]
    F.sum(h).backward()
    return float(np.abs(first.grad.data).mean())


# %% A cell with gates
# The LSTM ("long short-term memory") has a second state c, the cell. It is not computed anew. Its old content is multiplied with f, and something new
# is added. f lies between 0 and 1: it is a gate, made by a sigmoid of what the network sees. Three gates, each of the size of c:
#
#     i   how much of the new g comes into the cell       f   how much of the old content stays
#     o   how much of the cell is shown as h
#
# If f is 1 and i is 0, the cell keeps its content exactly, for any number of steps, and a gradient comes back through it unharmed.


def lstm_by_hand(xs, Wx, Wh, b):
    h = c = np.zeros((xs.shape[1], len(Wh)))
    steps = []
    for x in xs:
        i, f, g, o = np.split(x @ Wx + h @ Wh + b, 4, axis=1)
        i, f, g, o = sigmoid(i), sigmoid(f), np.tanh(g), sigmoid(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        steps.append((h, c, i, f))
    return [np.array(part) for part in zip(*steps, strict=True)]


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


# At the start of learning the gates know nothing, and stand at sigmoid(0) = 0.5. So half of the cell is lost at each step, and 40 steps leave
# 0.000000000001 of it: the same trouble as before. A small thing helps. Let the bias of f begin at 4: sigmoid(4) is 0.98, and 40 steps leave half.
#
# The GRU is a younger relative: one state, two gates. Its z says how much of the old state stays, as f does, and 1 - z how much new comes in.


def gru(hidden, bias):
    layer = L.GRU(hidden, in_size=4)
    layer.b.data[hidden:2 * hidden] = bias  # the blocks of the bias are r, z and n
    return layer


CELLS = {"RNN": lambda hidden: L.RNN(hidden, in_size=4), "LSTM, bias of f is 0": lambda hidden: L.LSTM(hidden, in_size=4),
         "LSTM, bias of f is 4": lambda hidden: L.LSTM(hidden, in_size=4, forget_bias=4), "GRU, bias of z is 4": lambda hidden: gru(hidden, 4.0)}
LAGS = (5, 20, 40)


class Echo(Model):
    def __init__(self, cell, hidden):
        super().__init__()
        self.cell, self.out = cell, L.Linear(4, in_size=hidden)

    def forward(self, x):
        return self.out(self.cell(x)[-1])  # the cell runs over all steps at once; the last state answers


# %% Learning to remember
# All nets have 32 units, get 250 batches of 64 new rows, and learn with Adam. ``ClipGrad`` shortens a gradient that is too long; what vanishes in one
# place can explode in another. Then each answers 1,000 rows that it has not seen.


def learn_echo(make, lag, seed, hidden=32):
    np.random.seed(seed)
    rng = np.random.default_rng(seed)
    model = Echo(make(hidden), hidden)
    begin = first_counts(model.cell, lag)
    optimizer = Adam(0.005).setup(model)
    optimizer.add_hook(ClipGrad(1.0))
    for _ in range(250):
        x, t = echo_rows(rng, lag, 64)
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
    x, t = echo_rows(np.random.default_rng(99), lag, 1000)
    with no_grad():
        return model, begin, float(F.accuracy(model(x), t).data)


def compare_echo(seeds):
    x, _ = echo_rows(np.random.default_rng(0), 40, 1)
    row = "".join("abcd"[k] for k in x[:, 0].argmax(axis=1))
    print(f"a row with a lag of 40: {row}; the answer is {row[0]}\n")
    print(f"{'':24}{'gradient that arrives at the first':40}right answers")
    print(f"{'lag':24}" + "".join(f"{lag:9}" for lag in LAGS) + " " * 13 + "".join(f"{lag:6}" for lag in LAGS))
    found, models = {}, {}
    for name, make in CELLS.items():
        runs = [[learn_echo(make, lag, seed) for seed in range(seeds)] for lag in LAGS]
        models[name] = runs[-1][0][0]
        found[name] = {"begin": [of_lag[0][1] for of_lag in runs], "right": [[right for *_, right in of_lag] for of_lag in runs]}
        print(f"{name:24}" + "".join(f"{begin:9.0e}" for begin in found[name]["begin"]) + " " * 13
              + "".join(f"{np.mean(right):6.0%}" for right in found[name]["right"]))
    return found, models


# %% What the gates do
# The way by hand gives the numbers of the package's layer, so it can show what the layer hides. After learning, the gates f of all units still stand
# near 1, and i near 0.5. So the cell adds up: what the first letter puts into it stays, the same direction is strengthened step by step, and no
# later letter can wipe it out.


def look_at_gates(model):
    cell = model.cell
    x, t = echo_rows(np.random.default_rng(99), 40, 1000)
    h, c, i, f = lstm_by_hand(x, cell.Wx.data, cell.Wh.data, cell.b.data)
    with no_grad():
        worst = float(np.abs(cell(x).data - h).max())
    kept = float(f[1:].prod(axis=0).mean())
    print(f"\nby hand as L.LSTM: {worst < 1e-4}; learned gates: mean f {f.mean():.2f}, mean i {i.mean():.1f}; 40 steps leave over half: {kept > 0.5}")
    return {"worst": worst, "f": float(f.mean()), "i": float(i.mean()), "kept": kept}, (x, t, c, f)


# %% A loader for sequences
# Step 50's loader shuffles. A sequence must not be shuffled: the state of one step belongs to the next. But one long row, a value at a time, is slow.
# ``SeqDataLoader`` reads it in several places at once: with 3 streams, a batch has a value near the start, one after a third, and one after two
# thirds, and the next batch has what comes next in each. So every stream is a sequence, and each row of the batch keeps its own state.


def show_loader():
    batches = list(SeqDataLoader(ArrayDataset(np.arange(12)), 3))
    print("\n12 values in 3 streams, batch by batch: " + "  ".join(" ".join(f"{value:2}" for value in x) for x, _ in batches))
    return np.array([x for x, _ in batches])


# %% Back to the swings
# The swings of step 59, recorded one after another: 20 times 199 pairs of a value and the next. Read in 20 streams, each batch has one value of each
# swing. As before, the graph is cut after 30 steps. 199 is six windows of 30 and a rest of 19. A loop that moves the weights only at every 30th step
# loses the rest: 19 of 199 values would teach nothing. So the last batch counts as the end of a window.
#
# Here nothing has to be kept for long, and the RNN does as well as the LSTM, with a quarter of its parameters. Gates are for what has to wait.


def swings(rng, count=20, steps=200):
    t, phase = np.arange(steps)[:, None], rng.uniform(0, 2 * np.pi, count)
    wave = np.exp(-t / 100) * np.sin(2 * np.pi * t / 20 + phase)
    return (wave + 0.02 * rng.normal(size=wave.shape)).astype(np.float32)[:, :, None]


class Forecaster(Model):
    def __init__(self, cell):
        super().__init__()
        self.cell, self.out = cell, L.Linear(1, in_size=32)

    def forward(self, x):
        return self.out(self.cell(x))


def learn_swings(make, xs, test, epochs, window=30):
    np.random.seed(0)
    model = Forecaster(make(32, in_size=1))
    optimizer = Adam(0.01).setup(model)
    one_by_one = [part.transpose(1, 0, 2).reshape(-1, 1) for part in (xs[:-1], xs[1:])]  # swing after swing
    loader = SeqDataLoader(ArrayDataset(*one_by_one), 20)
    seen, updates = 0, 0
    for epoch in range(epochs):
        optimizer.rate = 0.01 if epoch < epochs * 2 / 3 else 0.002
        model.cell.reset_state()
        loss = 0
        for step, (x, t) in enumerate(loader, 1):
            loss = loss + F.mean_squared_error(model(x), t)
            seen += len(x)
            if step % window == 0 or step == loader.max_iter:
                model.cleargrads()
                loss.backward()
                loss.unchain_backward()
                optimizer.update()
                loss, updates = 0, updates + 1
    model.cell.reset_state()
    with no_grad():
        y = np.array([model(x).data for x in test[:-1]])
    return float(np.mean((y[10:] - test[11:]) ** 2)), model.count_params(), seen // epochs, updates // epochs


def compare_swings(epochs=40):
    rng = np.random.default_rng(0)
    xs, test = swings(rng), swings(rng)
    repeat = float(np.mean((test[10:-1] - test[11:]) ** 2))
    print("swings      parameters   values per epoch   updates   error, of that of repeating the last value")
    found = {}
    for make in (L.RNN, L.LSTM):
        error, size, seen, updates = learn_swings(make, xs, test, epochs)
        found[make.__name__] = {"error": error / repeat, "seen": seen, "updates": updates}
        print(f"{make.__name__:5} {size:16,} {seen:18,} {updates:9} {error / repeat:12.2f}")
    return found


# %% Pictures
# With ``--out``: what one unit of the LSTM's cell and one of the RNN's state hold over 41 steps, for each first letter, and the gate f of all units.


def draw_gates(path, model, rnn, gates):
    x, t, c, f = gates
    with no_grad():
        h = rnn.cell(x).data

    def telling(state):  # the unit that tells the four letters apart best: the smallest gap between their means, compared with the spread within
        of_letters = [state[-1, t == letter] for letter in range(4)]
        gaps = np.diff(np.sort([values.mean(axis=0) for values in of_letters], axis=0), axis=0).min(axis=0)
        return int(np.argmax(gaps / np.mean([values.std(axis=0) for values in of_letters], axis=0)))

    with picture(path, columns=3, size=(13.0, 4.2)) as (left, middle, right):
        for ax, state, name in ((left, c, "cell of the LSTM"), (middle, h, "state of the RNN")):
            k = telling(state)
            for letter, color in enumerate(("#D55E00", "#0072B2", "#009E73", "#CC79A7")):
                values = state[:, t == letter, k]
                ax.plot(values.mean(axis=1), color=color, label=f"first letter {'abcd'[letter]}")
                ax.fill_between(np.arange(41), *np.percentile(values, [10, 90], axis=1), color=color, alpha=0.2, linewidth=0)
            ax.set(title=f"One unit: {name}", xlabel="steps after the first letter", ylabel="content (mean, and 80 % of the rows)")
        left.legend(loc="upper left")
        drawn = right.imshow(f.mean(axis=1).T, aspect="auto", cmap="viridis", vmin=0.94, vmax=1)
        right.figure.colorbar(drawn, ax=right, label="mean of gate f")
        right.set(title="How much stays: gate f of the LSTM", xlabel="steps after the first letter", ylabel="unit")


def main(out=None, fast=False):
    echo, models = compare_echo(seeds=1 if fast else 3)
    gates, numbers = look_at_gates(models["LSTM, bias of f is 4"])
    order = show_loader()
    waves = compare_swings()
    if out:
        draw_gates(out / "gates.png", models["LSTM, bias of f is 4"], models["RNN"], numbers)
    return {"echo": echo, "gates": gates, "order": order, "swings": waves}


# %% From here on
# It began with a box for an array. All that came after it, images, words of a row and memories with gates, is made of boxes, functions and one
# backward. ``examples/`` has larger models, and ``docs/guide/`` says what the package can do beyond these steps.

# %% Exercises: python -m steps.check 60 my_answer.py
# 1. ``bias_for(steps)``: the bias of the gate f with which half of the cell's content is left after so many steps, if nothing else comes to the gate.
# 2. ``gru_step(x, h, Wx, Wh, b, bh)``: a step of a GRU from arrays, as an array (N, H). With a = x Wx + b and w = h Wh + bh, each cut into r, z, n:
#    r and z are the sigmoid of a + w; n = tanh(a + r w); the next h is (1 - z) n + z h.
# 3. ``in_streams(data, count)``: the batches of SeqDataLoader as a list, without it, for an array (N, ...) where count divides N.

if __name__ == "__main__":
    run(main)
