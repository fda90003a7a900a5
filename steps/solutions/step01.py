"""One way to solve the exercises of step 01."""

from step01 import Variable


def boxed_sum(boxes):
    return sum((float(box.data.sum()) for box in boxes), 0.0)


def exchange(a, b):
    a.data, b.data = b.data, a.data


def frozen(a):
    return Variable(a.copy())
