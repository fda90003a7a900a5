"""Exercises of step 19: a box that answers for itself."""

import numpy as np

from steps.exercises.kit import Exercise, framework, same, true


def check_predict(predict):
    got = predict()
    true(isinstance(got, (list, tuple)) and len(got) == 5, f"{got!r} came out: a list of five is expected")
    questions = ["len", "size", "ndim", "bool of [[-1.0]]", "bool of [0]"]
    wrong = [what for what, answer, right in zip(questions, got, [4, 12, 3, True, False], strict=True)
             if answer != right or isinstance(answer, bool) != isinstance(right, bool)]
    true(not wrong, f"{len(wrong)} of 5 differ from what the box says, the first one is {wrong[0] if wrong else ''}")


def check_column(column):
    step = framework("step19")
    numbers = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    for j in (0, 1, 2):
        x = step.Variable(numbers)
        y = column(x, j)
        true(hasattr(y, "creator"), f"column(x, {j}) gave a {type(y).__name__}: a Variable is expected")
        same(y, numbers[:, j], f"column(x, {j}) of {numbers.tolist()}")
        true(y.creator is not None, f"column(x, {j}) has no creator: the way back ends there")
        y.grad = np.array([10.0, 20.0])
        y.backward()
        right = np.zeros((2, 3))
        right[:, j] = 10.0, 20.0
        same(x.grad, right, f"x.grad, where [10, 20] arrives at column(x, {j})")
    x = step.Variable(numbers)
    step.mul(column(x, 0), column(x, 2)).backward()
    same(x.grad, np.array([[3.0, 0.0, 1.0], [6.0, 0.0, 4.0]]), "x.grad for column 0 times column 2")


def check_pretty(Pretty):
    x = Pretty(np.array(3.14159))
    true(hasattr(x, "data"), f"Pretty(np.array(3.14159)) gave {x!r}: a Variable is expected")
    same(f"{x:.2f}", "3.14", 'f"{x:.2f}" with 3.14159 in the box')
    same(f"{x:8.3f}", "   3.142", 'f"{x:8.3f}" with 3.14159 in the box')
    same(f"{Pretty(np.array([3.14159, 2.71828])):.2f}", "[3.14 2.72]", 'f"{x:.2f}" with [3.14159, 2.71828] in the box')
    same(f"{Pretty(np.array([0.5])):.0e}", "[5e-01]", 'f"{x:.0e}" with [0.5] in the box')


EXERCISES = [
    Exercise("predict", "A list of five: the length, the size and ndim of a Variable with np.zeros((4, 1, 3)), then bool of one with "
             "np.array([[-1.0]]), and of one with np.array([0]).",
             ("The length counts rows, the size counts numbers, ndim counts axes. Which numbers are true in Python?",
              "4 rows of 1 by 3 numbers, on three axes. Only 0 is false, however many brackets stand around it."), check_predict),
    Exercise("column", "Column j of a table as a Variable, so that gradients find the way back, as row does for rows.",
             ("Look at Row. Which index takes a column out of a table in NumPy?",
              "forward returns x[:, self.j]; backward makes zeros like x.data, and sets gx[:, self.j] = gy."), check_column),
    Exercise("Pretty", 'A kind of Variable that f"{x:.2f}" can print. Python asks __format__(self, spec), spec being ".2f". One number gives '
             '"3.14", a list gives "[3.14 2.72]".',
             ("format(number, spec) makes the text of one number. Join several by spaces.",
              "One number: format(float(self), spec). A list: f\"[{' '.join(...)}]\" with format(number, spec) for all in self.data."),
             check_pretty),
]
