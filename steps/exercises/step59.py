"""Exercises of step 59: states, and how far back they reach."""

import numpy as np

import dezero.layers as L
from steps.exercises.kit import Exercise, content, same, true


def slopes_by_hand(rnn, xs):
    states, h = [], np.zeros((xs.shape[1], len(rnn.Wh.data)))
    for x in xs:
        h = np.tanh(x @ rnn.Wx.data + h @ rnn.Wh.data + rnn.b.data)
        states.append(h)
    gh, found = np.ones_like(h), []
    for h in reversed(states):
        ga = gh * (1 - h**2)
        found.append(np.abs(ga @ rnn.Wx.data.T).sum())
        gh = ga @ rnn.Wh.data.T
    return np.array(found[::-1])


def check_influence(influence):
    rng = np.random.default_rng(0)
    for steps, count, size, hidden in ((6, 3, 2, 5), (1, 1, 1, 4), (30, 2, 3, 8)):
        rnn = L.RNN(hidden, in_size=size, dtype=np.float64, initializer=0)
        for weights in rnn.params():
            weights.data = rng.normal(size=weights.shape) / hidden**0.5
        xs = rng.normal(size=(steps, count, size))
        right = slopes_by_hand(rnn, xs)
        rnn(rng.normal(size=(count, size)))  # a state that is left from another sequence
        got = influence(rnn, xs)
        true(got is not None, "influence returned nothing: an array is expected")
        got = np.array([float(content(number)) for number in got])
        same(got.shape, right.shape, f"the shape for {steps} steps")
        same(got / right, np.ones(steps), f"influence over {steps} steps, as parts of what is right", tolerance=1e-6)


def check_forecast(forecast):
    for seen, ahead in ((5, 4), (1, 3), (3, 1)):
        given = []

        def step(x, given=given):
            given.append(np.array(x, copy=True))
            return np.asarray(x) * 0.5 + 0.1 * sum(float(g[0, 0]) for g in given)

        start = np.arange(1.0, seen * 2 + 1).reshape(seen, 2, 1)
        got = forecast(step, start.copy(), ahead)
        calls, given[:] = len(given), []
        values = [step(x) for x in start][-1:]
        while len(values) < ahead:
            values.append(step(values[-1]))
        true(got is not None, "forecast returned nothing: an array is expected")
        same(np.asarray(got), np.array(values), f"{ahead} values after {seen} steps")
        true(calls in (seen + ahead - 1, seen + ahead), f"step was called {calls} times: {seen + ahead - 1} are needed")


def check_reach(reach):
    for window in (1, 5, 30):
        for step in (1, 2, 5, 6, 29, 30, 31, 61):
            got = reach(step, window)
            true(got is not None, "reach returned nothing: a number is expected")
            same(got, (step - 1) % window + 1, f"reach({step}, {window})")


EXERCISES = [
    Exercise("influence", "For inputs xs (T, N, I): for each t the sum of |gradient of sum(h after the last step) by x at t|, as an array (T,). "
             "It starts from an empty state.",
             ("Gradients arrive at Variables only, so each input has to be one, and you have to keep them.",
              "rnn.reset_state(); inputs = [Variable(x) for x in xs]; run rnn on each; F.sum of the last result, backward; "
              "then np.abs(x.grad.data).sum()."), check_influence),
    Exercise("forecast", "Show step, a function from (N, 1) to (N, 1), the steps seen (T, N, 1), then let it go on alone; "
             "return its next values (ahead, N, 1).",
             ("What does step answer to the last value that was seen? That is the first value foretold, and the next input.",
              "for x in seen: y = step(x). Then collect y, and y = step(y), until there are ahead of them."), check_forecast),
    Exercise("reach", "The loss at step (1, 2, ...) is cut off after every window steps. Of how many inputs does its gradient know?",
             ("With a window of 30: the loss of step 30 knows 30 inputs. And that of step 31?",
              "Count from the last cut: (step - 1) % window + 1."), check_reach),
]
