"""Exercises of step 11: lists of inputs, lists of outputs."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def boxes_of(outputs, number, what):
    """The outputs of a call, which should be a list of so many boxes."""
    true(isinstance(outputs, (list, tuple)), f"{what} gave a {type(outputs).__name__}: a list of Variables is expected")
    true(len(outputs) == number, f"{what} gave {len(outputs)} outputs: {number} {'is' if number == 1 else 'are'} expected")
    for y in outputs:
        true(hasattr(y, "data") and not isinstance(y, (np.ndarray, np.generic)), f"{what} gave a list of {type(y).__name__}: Variables are expected")
    return outputs


def check_min_max(MinMax):
    f = MinMax()
    true(callable(f), f"MinMax() gave {f!r}: a Function is expected")
    low, high = boxes_of(f([box([3.0, -1.0, 2.0])]), 2, "MinMax of one Variable")
    same(low, np.array(-1.0), "the smallest of [3, -1, 2]")
    same(high, np.array(3.0), "the largest of [3, -1, 2]")
    true(getattr(low, "creator", None) is f and getattr(high, "creator", None) is f, "both outputs should have this function as their creator")
    low, high = boxes_of(MinMax()([box([[4.0, 5.0], [6.0, 7.0]])]), 2, "MinMax of a table")
    same([low.data, high.data], np.array([4.0, 7.0]), "the smallest and the largest of a table with 4, 5, 6, 7")


def check_total(total):
    boxes = [box(1.0), box(20.0), box(300.0), box(4000.0)]
    y = total(boxes)
    true(not isinstance(y, list), "total gave a list: the Variable itself is expected, not the list that Add returns")
    same(y, np.array(4321.0), "the total of 1, 20, 300 and 4000")
    functions, waiting, leaves = [], [y], []
    while waiting:
        x = waiting.pop()
        if getattr(x, "creator", None) is None:
            leaves.append(x)
        else:
            functions.append(type(x.creator).__name__)
            waiting.extend(x.creator.inputs)
    true(functions == ["Add"] * 3, f"four boxes need three Adds; the creators that led to the total are {functions}")
    true({id(x) for x in leaves} == {id(x) for x in boxes}, "the graph of the total should begin at the four boxes that were given")
    same([x.data for x in boxes], np.array([1.0, 20.0, 300.0, 4000.0]), "the four boxes afterwards")
    same(total([box(7.0)]), np.array(7.0), "the total of one box")


def check_mean(Mean):
    f = Mean()
    true(callable(f), f"Mean() gave {f!r}: a Function is expected")
    (y,) = boxes_of(f([box([1.0, 2.0]), box([3.0, 4.0]), box([8.0, 9.0])]), 1, "Mean of three Variables with two elements each")
    same(y, np.array([4.0, 5.0]), "the mean of [1, 2], [3, 4] and [8, 9]")
    (y,) = boxes_of(f([box(6.0)]), 1, "Mean of one Variable")
    same(y, np.array(6.0), "the mean of 6 alone")


EXERCISES = [
    Exercise("MinMax", "A Function with one input and two outputs, the smallest and the largest element: low, high = MinMax()([x]).",
             ("forward gets a list, even if it holds one array only. Take the array out first.",
              "(x,) = xs, then return a list of x.min() and x.max()."), check_min_max),
    Exercise("total", "The Variable with the sum of any number of boxes (at least one), made with Add alone.",
             ("Keep a running total: it begins as the first box, and each further box is added to it.",
              "In the loop: result = Add()([result, box])[0]."), check_total),
    Exercise("Mean", "The forward `return sum(xs) / len(xs)`, for any number of inputs, falls into the trap. Write Mean without the bug.",
             ("How many outputs does a mean have? How many does the call make, if each array has two elements?",
              "Put the result into square brackets: a list with one array."), check_mean),
]
