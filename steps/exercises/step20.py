"""Exercises of step 20: + and * for boxes."""

import numpy as np

from steps.exercises.kit import Exercise, framework, same, short, true


def check_predict(predict):
    got = predict()
    true(isinstance(got, (list, tuple)) and len(got) == 4, f"{got!r} came out: a list of four numbers is expected")
    wrong = [what for what, number, right in zip(["y", "the slope by a", "the slope by b", "the slope by c"], got, [43, 28, 9, 10], strict=True)
             if number != right]
    true(not wrong, f"{len(wrong)} of 4 are wrong, the first one is {wrong[0] if wrong else ''}")


def functions_of(y):
    found, waiting = [], [y.creator]
    while waiting:
        f = waiting.pop()
        if f is not None and f not in found:
            found.append(f)
            waiting.extend(x.creator for x in f.inputs)
    return [type(f).__name__ for f in found]


def check_polynomial(polynomial):
    step = framework("step20")
    for numbers in ([5.0], [5.0, -1.0], [1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0]):
        cs, x = [step.Variable(np.array(number)) for number in numbers], step.Variable(np.array(1.5))
        y = polynomial(cs, x)
        what = f"the polynomial with {numbers} at 1.5"
        true(hasattr(y, "creator"), f"{what} gave {short(y)}: a Variable is expected")
        same(y, np.array(sum(number * 1.5**k for k, number in enumerate(numbers))), what)
        count = functions_of(y).count("Mul")
        true(count <= len(cs) - 1, f"{what}: {count} multiplications were used, {len(cs) - 1} are enough")
        y.backward()
        if len(numbers) > 1:
            same(x.grad, np.array(sum(k * number * 1.5 ** (k - 1) for k, number in enumerate(numbers))), f"{what}, its slope by x")
            same(cs[-1].grad, np.array(1.5 ** (len(numbers) - 1)), f"{what}, its slope by the last c")


def check_text(Text):
    true(isinstance(Text, type), f"{short(Text)} came out: a class is expected")
    a, b, c = Text("a"), Text("b"), Text("c")
    for y, right in [(a, "a"), (a * b + c, "((a * b) + c)"), (a + b * c, "(a + (b * c))"), ((a + b) * c, "((a + b) * c)"),
                     (a + b + a * (c + c), "((a + b) + (a * (c + c)))")]:
        same(str(y), right, "the text")


EXERCISES = [
    Exercise("predict", "y = (a + b) * (a * c) + b with a = 2, b = 3, c = 4. A list of four: y, and its slopes by a, b, c. By hand, please.",
             ("Give names to the two brackets, p = a + b and q = a * c. Then y = p * q + b. What are p and q, and the slopes of y by them?",
              "p = 5 and q = 8. The slope by p is q, by q it is p. a is in both: 8 + 5 * 4. b is in p and at the end."), check_predict),
    Exercise("polynomial", "c0 + c1 · x + c2 · x² + ..., for a list of Variables cs and a Variable x. One multiplication less than there are cs.",
             ("Take x out of all terms that have it: c0 + x · (c1 + x · (c2 + ...)). Where do you begin?",
              "Begin with the last c: y = cs[-1]; then for each c before it, from right to left, y = y * x + c."), check_polynomial),
    Exercise("Text", 'A class with + and * that computes nothing and writes the formula down. str(Text("a") * Text("b") + Text("c")) is '
             '"((a * b) + c)": brackets around each operation.',
             ("Text keeps a string. What should a + b return, so that it can go on? str asks __str__.",
              "__add__(self, other) gives Text(f\"({self.text} + {other.text})\"), __mul__ the same with *, __str__ gives self.text."), check_text),
]
