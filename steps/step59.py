"""How does a network read one value after another, and what is coming next?

All networks so far got everything at once: an image, a point, a row. A sequence comes step by step, and how long it will be is not known. What
matters now may have been said ten steps ago. So the network needs something that lasts from step to step: a state.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Variable, no_grad
from dezero.optimizers import Adam
from dezero.utils import plot_dot_graph

# %% A state
# A recurrent layer has one more input than a linear layer: its own last output. We call it h, the state. The new state is tanh(x Wx + h Wh + b). At
# first h is all zeros. Each step uses the same Wx, Wh and b, so there may be as many steps as one likes.


def by_hand(xs, Wx, Wh, b):
    h = np.zeros((xs.shape[1], len(Wh)))
    states = []
    for x in xs:
        h = np.tanh(x @ Wx + h @ Wh + b)
        states.append(h)
    return np.array(states)


# The package's layer is ``L.RNN``. It keeps h itself: the same input twice gives two results, as the second comes after the first. ``reset_state``
# makes it forget, as it must between two sequences that have nothing to do with each other.


def show_state():
    np.random.seed(0)
    rnn = L.RNN(5, in_size=2)
    xs = np.random.default_rng(0).normal(size=(6, 3, 2)).astype(np.float32)
    states = np.array([rnn(x).data for x in xs])
    worst = float(np.abs(states - by_hand(xs, rnn.Wx.data, rnn.Wh.data, rnn.b.data)).max())
    print(f"6 steps of {xs.shape[1:]} to states of {states.shape[1:]}; equal to the loop by hand: {worst < 1e-6}")
    rnn.reset_state()
    first, second = rnn(xs[0]).data, rnn(xs[0]).data
    rnn.reset_state()
    third = rnn(xs[0]).data
    found = [bool(np.array_equal(first, second)), bool(np.array_equal(first, third))]
    print(f"the same input again gives the same: {found[0]}; after reset_state: {found[1]}")
    return {"shapes": [first.shape, second.shape], "again": found[0], "after reset": found[1], "by hand": worst}


# %% A wave that dies down
# A swing that is left alone: x(t) = exp(-t / 100) sin(2 pi t / 20 + phase), for 200 steps. What we measure is a little off each time, by noise of
# 0.02. There are 20 swings to learn from, and 20 others to test with; their phases are drawn by lot. The task: from all that was seen, the next
# value. All swings run side by side, so a step is a batch of (20, 1).

STEPS, PERIOD, NOISE = 200, 20, 0.02


def swings(rng, count=20):
    t, phase = np.arange(STEPS)[:, None], rng.uniform(0, 2 * np.pi, count)
    wave = np.exp(-t / 100) * np.sin(2 * np.pi * t / PERIOD + phase)
    return (wave + NOISE * rng.normal(size=wave.shape)).astype(np.float32)[:, :, None]


# %% What costs nothing
# The value will be what it is now: that is wrong wherever the wave moves. A times the last value cannot be much better, as one value does not say
# whether the swing goes up or down. With the last two values one knows: without noise, a times the last and b times the one before is exactly right.
# But each brings its noise along. Nobody can be better than the noise of the value that comes, 0.02 squared.


def best_line(xs, back):
    columns = np.stack([xs[back - 1 - i:len(xs) - 1 - i].ravel() for i in range(back)], axis=1)
    return np.linalg.lstsq(columns, xs[back:].ravel(), rcond=None)[0]


def simple_errors(xs, test, begin):
    found = {"repeat the last value": np.mean((test[begin:-1] - test[begin + 1:]) ** 2)}
    for back, name in ((1, "a times the last value"), (2, "a times the last, b times the one before")):
        guess = sum(a * test[begin - i:len(test) - 1 - i] for i, a in enumerate(best_line(xs, back)))
        found[name] = np.mean((guess - test[begin + 1:]) ** 2)
    return {name: float(error) for name, error in found.items()}


# %% How far back?
# The loss of step 200 depends on h of step 199, that on h of step 198, and so on to the start. Backward goes all this way: "backpropagation through
# time". But the graph grows with each step, and all of it is kept. A stream that never ends cannot be learned like this.
#
# So one cuts: after every 30 steps backward runs, the weights move, and ``unchain_backward`` cuts the graph off. The state goes on as a number,
# without history. The gradient sees 30 steps at most; the state itself may carry older news.


class Forecaster(Model):
    def __init__(self, hidden):
        super().__init__()
        self.rnn, self.out = L.RNN(hidden), L.Linear(1)

    def forward(self, x):
        return self.out(self.rnn(x))


def length_of_graph(y):
    seen, todo = set(), [y.creator]
    while todo:
        f = todo.pop()
        if f is not None and id(f) not in seen:
            seen.add(id(f))
            todo += [x.creator for x in f.inputs]
    return len(seen)


def show_growth(xs, window=30):
    np.random.seed(0)
    counts = {}
    for name in ("never", f"every {window}"):
        model, loss, counts[name] = Forecaster(8), 0, []
        for step in range(1, 151):
            loss = loss + F.mean_squared_error(model(xs[step - 1]), xs[step])
            counts[name].append(length_of_graph(loss))
            if name != "never" and step % window == 0:
                loss.unchain_backward()
                loss = 0
    print("\nfunctions in the graph after step  " + "".join(f"{step:6}" for step in (1, 10, 30, 31, 60, 150)))
    for name, count in counts.items():
        print(f"cut {name:31}" + "".join(f"{count[step - 1]:6}" for step in (1, 10, 30, 31, 60, 150)))
    return counts


# %% Learning
# An epoch goes through the 200 steps once, from an empty state. There are 199 values to predict: six windows of 30, and one of 19. That last one is
# short, and it counts like the others: the weights move after it, too.


def train(xs, epochs, window=30, seed=0):
    np.random.seed(seed)
    model = Forecaster(32)
    optimizer = Adam(0.003).setup(model)
    updates = 0
    for epoch in range(epochs):
        optimizer.rate = 0.003 if epoch < epochs * 2 / 3 else 0.0006
        model.rnn.reset_state()
        loss = 0
        for step in range(1, len(xs)):
            loss = loss + F.mean_squared_error(model(xs[step - 1]), xs[step])
            if step % window == 0 or step == len(xs) - 1:
                model.cleargrads()
                loss.backward()
                loss.unchain_backward()
                optimizer.update()
                loss = 0
                updates += 1
    return model, updates


def predict(model, xs):
    model.rnn.reset_state()
    with no_grad():
        return np.array([model(x).data for x in xs])


def compare(xs, test, epochs, begin=10):
    errors = simple_errors(xs, test, begin)
    model, updates = train(xs, epochs)
    errors["recurrent network"] = float(np.mean((predict(model, test[:-1])[begin:] - test[begin + 1:]) ** 2))
    print(f"\n{'mean squared error on the other swings':52}times smaller")
    for name, error in [*errors.items(), ("the noise alone", NOISE**2)]:
        print(f"{name:42} {error:.4f} {errors['repeat the last value'] / error:14.1f}")
    return model, {"errors": errors, "updates": updates}


# %% Left alone
# After 60 steps we close the network's eyes: from now on it gets its own predictions as inputs. A small mistake goes into the next input, and grows,
# or does not. This is how networks write text, too: each word that they say is the next that they read.
#
# Ours keeps the time of the swings, over three periods. What it did not learn is that they die down: from step to step this is 1 %, less than the
# noise. Its errors get larger mostly for this reason.


def go_on_alone(model, test, seen=60, ahead=60):
    y = predict(model, test[:seen])[-1]
    values = [y]
    with no_grad():
        for _ in range(ahead - 1):
            y = model(y).data
            values.append(y)
    values, truth = np.array(values), test[seen:seen + ahead]

    def size(error):
        return np.sqrt(np.mean(error**2, axis=(1, 2)))

    rows = {"the swings themselves": size(truth), "off, left alone": size(values - truth), "off, repeating the last": size(test[seen - 1] - truth)}
    print(f"\n{'steps after the last one seen':32}" + "".join(f"{step:7}" for step in (1, 5, 10, 15, 30, 50)))
    for name, row in rows.items():
        print(f"{name:32}" + "".join(f"{row[step - 1]:7.2f}" for step in (1, 5, 10, 15, 30, 50)))
    return values, rows


# %% Pictures
# With ``--out``: two swings, seen for 60 steps and foretold for 60; how far back the gradient of each loss goes, with and without cuts; and the graph
# of four steps in two windows of two. The windows share the weights, and nothing else.


def draw_forecast(path, test, values, seen=60):
    with picture(path, rows=2, size=(9.0, 5.6)) as axes:
        for ax, swing in zip(axes, (0, 1), strict=True):
            ax.axvspan(0, seen, color="#EEEEEE")
            ax.plot(np.arange(seen + len(values)), test[:seen + len(values), swing, 0], ".", color="#777777", label="measured")
            ax.plot(np.arange(seen, seen + len(values)), values[:, swing, 0], color="#0072B2", linewidth=2, label="foretold, without another look")
            ax.set(xlim=(0, seen + len(values)), ylabel="place of the swing")
        axes[0].set_title(f"The network sees {seen} steps, then it is on its own")
        axes[0].legend(loc="upper right")
        axes[1].set_xlabel("step")


def draw_reach(path, model, xs, steps=60, window=30):
    panels = {}
    for cut in (False, True):
        model.rnn.reset_state()
        slopes, inputs = np.full((steps, steps), np.nan), []
        for k in range(steps):
            inputs.append(Variable(xs[k]))
            loss = F.mean_squared_error(model(inputs[-1]), xs[k + 1])
            loss.backward(retain_graph=True)
            for t, x in enumerate(inputs):
                if x.grad is not None:
                    slopes[k, t] = np.abs(x.grad.data).sum()
                    x.cleargrad()
            if cut and (k + 1) % window == 0:
                loss.unchain_backward()
        panels["cut after every 30 steps" if cut else "never cut"] = np.log10(slopes)
    with picture(path, columns=2, size=(9.4, 4.6)) as axes:
        for ax, (name, slopes) in zip(axes, panels.items(), strict=True):
            drawn = ax.imshow(slopes, origin="lower", cmap="viridis", vmin=-8, vmax=0, extent=(0.5, steps + 0.5) * 2)
            ax.set(title=name, xlabel="input of step", ylabel="loss of step")
        bar = axes[1].figure.colorbar(drawn, ax=axes, shrink=0.8, ticks=[-8, -6, -4, -2, 0], label="size of the gradient")
        bar.ax.set_yticklabels(["$10^{-8}$", "$10^{-6}$", "$10^{-4}$", "$10^{-2}$", "1"])
        axes[0].figure.suptitle("How much each loss depends on each input (white: not at all)")


def draw_cut(path, xs):
    np.random.seed(0)
    model, losses = Forecaster(8), []
    for step in range(1, 5):
        x, t = (Variable(xs[k], name=f"x{k}") for k in (step - 1, step))
        error = F.mean_squared_error(model(x), t)
        model.rnn.h.name = f"h{step}"
        if step % 2:
            loss = error
        else:
            loss = loss + error
            loss.name = f"loss of steps {step - 1}, {step}"
            losses.append(loss)
            model.rnn.detach_state()  # as unchain_backward, but the graph of the first window stays, to be drawn
    plot_dot_graph(losses, to_file=path, verbose=False, collapse=True)


def main(out=None, fast=False):
    state = show_state()
    rng = np.random.default_rng(0)
    xs, test = swings(rng), swings(rng)
    counts = show_growth(xs)
    model, compared = compare(xs, test, epochs=90)
    values, alone = go_on_alone(model, test)
    if out:
        draw_forecast(out / "forecast.png", test, values)
        draw_reach(out / "reach.png", model, test)
        draw_cut(out / "cut.svg", xs)
    return {"state": state, "growth": counts, **compared, "alone": alone}


# %% Exercises: python -m steps.check 59 my_answer.py
# 1. ``influence(rnn, xs)``: for inputs xs (T, N, I): how much the last state depends on each of them. For each t the sum of |gradient of sum(h) after
#    the last step by x at t|, as an array (T,). It starts from an empty state. You will see it fade.
# 2. ``forecast(step, seen, ahead)``: step is a function from (N, 1) to (N, 1), both arrays, that remembers. Show it the steps seen (T, N, 1), then
#    let it go on alone. Return its next ahead values, (ahead, N, 1). The first of them is its answer to the last step that was seen.
# 3. ``reach(step, window)``: the loss at step (1, 2, ...) is cut off after every window steps. Of how many inputs does its gradient know?

if __name__ == "__main__":
    run(main)
