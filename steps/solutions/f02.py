"""One way to solve the exercises of f02."""


def answer(x, w, b):
    return int(sum(value * weight for value, weight in zip(x, w, strict=True)) + b > 0)


def two_of_three():
    return [1, 1, 1], -1.5


def answers(x, w, b):
    return (x @ w + b > 0).astype(int)
