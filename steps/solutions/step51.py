"""One way to solve the exercises of step 51."""

import numpy as np

import dezero.functions as F
from dezero import DataLoader, no_grad


def most_confused(y, t):
    table = F.confusion_matrix(y, t).data
    np.fill_diagonal(table, 0)
    return divmod(int(table.argmax()), len(table))


def nearest(train_x, train_t, x):
    distances = (train_x**2).sum(axis=1) - 2 * x @ train_x.T
    return train_t[distances.argmin(axis=1)]


def test_accuracy(model, data, batch_size):
    right = 0.0
    with no_grad():
        for x, t in DataLoader(data, batch_size, shuffle=False):
            right += float(F.accuracy(model(x), t).data) * len(t)
    return right / len(data)
