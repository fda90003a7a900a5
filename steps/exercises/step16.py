"""Exercises of step 16: the way back by generations."""

import heapq

import numpy as np

from steps.exercises.kit import Exercise, framework, same, true


def functions_of(y):
    found, waiting = [], [y.creator]
    while waiting:
        f = waiting.pop()
        if f is not None and f not in found:
            found.append(f)
            waiting.extend(x.creator for x in f.inputs)
    return found


def boxes_of(y):
    return {y} | {box for f in functions_of(y) for box in (*f.inputs, *f.outputs)}


def check_breaks_without_number(breaks_without_number):
    y = breaks_without_number()
    true(getattr(y, "creator", None) is not None, f"{type(y).__name__} came out: a Variable that was made by functions is expected")
    number = len(functions_of(y))
    true(number <= 3, f"{number} functions led to y: three are enough")
    waiting, seen = [(-y.creator.generation, y.creator)], {y.creator}
    try:
        while waiting:
            for x in heapq.heappop(waiting)[1].inputs:
                if x.creator is not None and x.creator not in seen:
                    seen.add(x.creator)
                    heapq.heappush(waiting, (-x.creator.generation, x.creator))
    except TypeError:
        return
    true(False, "with (-func.generation, func) in the heap, backward goes through this graph without an error")


def check_most_waiting(most_waiting):
    step = framework("step16")

    def box():
        return step.Variable(np.array(0.5))

    def tree(depth, x):
        return step.add(tree(depth - 1, x), tree(depth - 1, x)) if depth else step.square(x)

    for what, y, right in [("a single Square", step.square(box()), 1), ("a chain of three functions", step.sin(step.exp(step.half(box()))), 1),
                           ("the diamond", step.diamond(box()), 2), ("six branches", step.branches(box(), 6), 6),
                           ("eight Squares, added in pairs, and these in pairs", tree(3, box()), 8), ("a box without creator", box(), 0)]:
        got = most_waiting(y)
        same(got, right, f"the most that wait, {what}")
        true(all(x.grad is None for x in boxes_of(y)), f"{what}: a box has got a grad, it should be as it was before")


def check_gradient(gradient):
    step = framework("step16")

    class SumDiff(step.Function):
        def forward(self, a, b):
            return a + b, a - b

        def backward(self, gsum, gdiff):
            return gsum + gdiff, gsum - gdiff

    x, stranger = step.Variable(np.array([1.5, 0.5])), step.Variable(np.array([3.0]))
    a = step.square(x)
    total, difference = SumDiff()(a, x)
    y, z, diamond = step.add(step.mul(a, a), step.sin(a)), step.add(step.square(total), step.square(difference)), step.diamond(x)
    alone = step.square(SumDiff()(a, x)[1])
    data = x.data
    everything = set().union(*map(boxes_of, (y, z, diamond, alone, stranger)))
    for box in everything:
        box.grad = np.full_like(box.data, 7.0)  # left over from before: neither used nor changed
    for what, (top, bottom), right in [
            ("a · a + sin(a) by x", (y, x), (2 * data**2 + np.cos(data**2)) * 2 * data), ("the same by a", (y, a), 2 * data**2 + np.cos(data**2)),
            ("the diamond by x", (diamond, x), (np.exp(data**2) + np.cos(data**2) / 2) * 2 * data),
            ("two outputs, both used", (z, x), 8 * data**3 + 4 * data),
            ("two outputs, one unused", (alone, x), 2 * (data**2 - data) * (2 * data - 1)),
            ("a box that did not lead to y", (y, stranger), np.zeros(1)), ("y by y", (y, y), np.ones(2))]:
        same(gradient(top, bottom), right, what)
        true(all(box.grad is not None and np.all(box.grad == 7.0) for box in everything), f"{what}: the grad of a box was changed")


EXERCISES = [
    Exercise("breaks_without_number", "Somebody puts (-func.generation, func) into the heap. Give a Variable y, made with at most three functions, "
             "whose backward would stop with a TypeError then.",
             ("Python compares two tuples by their first elements, and by the second ones only if the first are equal. When are they?",
              "Two functions of the same generation have to wait at the same time: add up two squares."), check_breaks_without_number),
    Exercise("most_waiting", "How many functions wait at the same time, at most, when y.backward() runs? It must not change any grad.",
             ("The order does not depend on numbers: walk back as ``backward`` does, without calling a function's backward.",
              "Keep waiting, seen and wait() of Variable.backward. The loop pops f, then wait(x.creator) for its inputs; note the greatest length."),
             check_most_waiting),
    Exercise("gradient", "The slope of y by x as an array, for any graph, without touching the grad of any box. (0 if x did not lead to y.)",
             ("The gradients need another place than the boxes. A dictionary can have boxes as its keys.",
              "grads = {y: np.ones_like(y.data)}; then Variable.backward with grads.get(box) in place of box.grad; return grads.get(x) or zeros."),
             check_gradient),
]
