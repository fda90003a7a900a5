"""Exercises of step 08: loops in place of recursion."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, NotYet, same, true

LONG = 100_000


def box(number):
    return SimpleNamespace(data=np.array(number), grad=None, creator=None)


class Double:
    """A function as the script makes it; it notes its calls."""

    def __init__(self, input):
        self.input = input
        self.output = box(2 * input.data)
        self.output.creator = self

    def forward(self, x):
        return 2 * x

    def backward(self, gy):
        return gy * 2


class Square(Double):
    def __init__(self, input):
        super().__init__(input)
        self.output.data = input.data**2

    def forward(self, x):
        return x**2

    def backward(self, gy):
        return gy * 2 * self.input.data


def chain(x, functions):
    boxes = [x]
    for f in functions:
        boxes.append(f(boxes[-1]).output)
    return boxes


def without_recursion(call, what):
    try:
        return call()
    except RecursionError:
        raise NotYet(f"{what}: RecursionError; use a loop with a list of what is still to do") from None


def check_total(total):
    same(total([1, [2, [3]], 4]), 10, "the total of [1, [2, [3]], 4]")
    same(total([]), 0, "the total of []")
    same(total([[[0.5], []], [1.5, [2.0]]]), 4.0, "the total of [[[0.5], []], [1.5, [2.0]]]")
    nested = [1]
    for _ in range(LONG - 1):
        nested = [nested, 1]
    same(without_recursion(lambda: total(nested), f"{LONG:,} lists deep"), LONG, f"the total of {LONG:,} ones, each a list deeper")


def check_recompute(recompute):
    boxes = chain(box(1.0), [Double, Square, Double])
    expected = [3.0, 6.0, 36.0, 72.0]
    boxes[0].data = np.array(3.0)
    kept = [*boxes]
    recompute(boxes[-1])
    same([float(b.data) for b in boxes], expected, "the four boxes x, 2x, (2x) ** 2, 2 (2x) ** 2 after x changed from 1 to 3")
    links = boxes[-1].creator.output is kept[-1] and boxes[-1].creator.input is kept[-2] and kept[1].creator.input is kept[0]
    true(links, "the links between the boxes should stay as they are")
    long = chain(box(0.0), [Double] * LONG)
    without_recursion(lambda: recompute(long[-1]), f"a chain of {LONG:,} functions")
    same(long[-1], 0.0, f"the end of {LONG:,} doublings of 0")


def check_mended(mended):
    boxes = chain(box(3.0), [Square, Double, Square])
    boxes[-1].grad = np.array(1.0)
    mended(boxes[-1])
    grads = [None if b.grad is None else float(b.grad) for b in boxes]
    same(grads, [432.0, 72.0, 36.0, 1.0], "the gradients of x, x ** 2, 2 x ** 2, (2 x ** 2) ** 2 at x = 3")
    long = chain(box(0.0), [Square] * LONG)
    long[-1].grad = np.array(1.0)
    without_recursion(lambda: mended(long[-1]), f"a chain of {LONG:,} functions")
    same(long[0].grad, 0.0, f"the gradient at the start of {LONG:,} squares of 0")


EXERCISES = [
    Exercise("total", "The sum of all numbers in a list of lists of lists ... such as [1, [2, [3]], 4], a hundred thousand lists deep.",
             ("Keep a list of what is still to be added, as backward keeps a list of functions. What do you do with an item that is a list itself?",
              "todo = [nested]; while todo: item = todo.pop(); if it is a list, todo.extend(item), otherwise add it to the sum."), check_total),
    Exercise("recompute", "Somebody has changed the number in the first box. Bring all boxes on the way to y up to date, each computed anew from "
             "the one before it, along a chain of any length.",
             ("The links lead from the end to the start, the work goes from the start to the end. Collect the functions first.",
              "With the functions in the order of the computation: f.output.data = f.forward(f.input.data)."), check_recompute),
    Exercise("mended", "This way back needs no list, but its numbers are wrong. Mend it (y.grad is set already).",
             ("Whose gradient does a function need: that of the last result, or that of its own output?",
              "f.backward(f.output.grad)."), check_mended),
]
