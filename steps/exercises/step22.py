"""Exercises of step 22: all the signs."""

import numpy as np

from steps.exercises.kit import Exercise, framework, same, short, true


def check_predict(predict):
    got = predict()
    true(isinstance(got, (list, tuple)) and len(got) == 5, f"{got!r} came out: a list of five is expected")
    formulas = ["-x ** 2", "2 ** x ** 2", "7 - x - 1", "x == Variable(x.data)", "2 / x * x"]
    for formula, answer, right in zip(formulas, got, [-9.0, 512.0, 3.0, False, 2.0], strict=True):
        if right is False:
            true(isinstance(answer, (bool, np.bool_)) and not answer, f"{formula} is not {short(answer)}")
        else:
            true(isinstance(answer, (int, float, np.number)) and not isinstance(answer, bool) and abs(answer - right) < 1e-9,
                 f"{formula} is not {short(answer)}")


def check_greater(greater):
    step = framework("step22")
    numbers = np.array([[1.0, -2.0, 0.5], [-3.0, 7.0, 0.0]]), np.array([[0.5, -1.0, 2.0], [-4.0, 8.0, -0.25]])
    a, b = (step.Variable(array) for array in numbers)
    y = greater(a, b)
    true(hasattr(y, "creator"), f"greater(a, b) gave {short(y)}: a Variable is expected")
    same(y, np.maximum(*numbers), f"the greater ones of {numbers[0].tolist()} and {numbers[1].tolist()}")
    y.grad = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    gy = y.grad
    y.backward()
    same(a.grad, gy * (numbers[0] > numbers[1]), "a.grad, where [[1, 2, 3], [4, 5, 6]] arrives")
    same(b.grad, gy * (numbers[0] < numbers[1]), "b.grad, where [[1, 2, 3], [4, 5, 6]] arrives")
    small = greater(*(step.Variable(array.astype(np.float32)) for array in numbers))
    same(str(small.dtype), "float32", "the dtype for two boxes of float32")


def check_mod(Mod):
    step = framework("step22")
    numbers = np.array([7.0, 7.5, 0.5, 10.0]), np.array([3.0, 2.0, 2.0, 2.6])
    a, b = (step.Variable(array) for array in numbers)
    f = Mod()
    true(callable(f) and hasattr(f, "backward"), f"Mod() gave {f!r}: a Function with forward and backward is expected")
    y = f(a, b)
    same(y, numbers[0] % numbers[1], f"{numbers[0].tolist()} % {numbers[1].tolist()}")
    y.grad = np.array([1.0, 10.0, 100.0, 1000.0])
    gy = y.grad
    y.backward()
    same(a.grad, gy, f"the slope by a at {numbers[0].tolist()}, {numbers[1].tolist()}, times [1, 10, 100, 1000]")
    right = 0.0 - gy * np.array([2.0, 3.0, 0.0, 3.0])
    same(b.grad, right, f"the slope by b at {numbers[0].tolist()}, {numbers[1].tolist()}, times [1, 10, 100, 1000]")


EXERCISES = [
    Exercise("predict", "x is a box with 3. A list of what these give, a float for each that is a box: -x ** 2, 2 ** x ** 2, 7 - x - 1, "
             "x == Variable(x.data), 2 / x * x.",
             ("Python reads the line before it asks a box, by the rules of school: powers first, among powers the right one first.",
              "-(x ** 2), 2 ** (x ** 2), (7 - x) - 1, and (2 / x) * x. And == asks whether it is the same box."), check_predict),
    Exercise("greater", "The greater one of two boxes, number by number, by signs alone. Its slope by a is 1 where a is greater, otherwise 0.",
             ("The greater one is as far above the middle of a and b as the smaller one is below it. How far is that?",
              "The middle is (a + b) / 2, and the way from there is abs(a - b) / 2."), check_greater),
    Exercise("Mod", "The remainder a % b (for positive numbers) as a Function, with both slopes.",
             ("The remainder is a minus so and so many times b. The number of times does not change if a and b move by a little.",
              "a % b is a - n * b with n = np.floor(a / b). The slopes are 1 and -n."), check_mod),
]
