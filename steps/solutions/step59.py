"""One way to solve the exercises of step 59."""

import numpy as np

import dezero.functions as F
from dezero import Variable


def influence(rnn, xs):
    rnn.reset_state()
    inputs = [Variable(x) for x in xs]
    for x in inputs:
        h = rnn(x)
    F.sum(h).backward()
    return np.array([np.abs(x.grad.data).sum() for x in inputs])


def forecast(step, seen, ahead):
    for x in seen:
        y = step(x)
    values = [y]
    while len(values) < ahead:
        values.append(step(values[-1]))
    return np.array(values)


def reach(step, window):
    return (step - 1) % window + 1
