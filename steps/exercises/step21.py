"""Exercises of step 21: boxes and plain numbers."""

import numpy as np

from steps.exercises.kit import Exercise, framework, raises, same, short, true


def check_predict(predict):
    got = predict()
    true(isinstance(got, (list, tuple)) and len(got) == 6, f"{got!r} came out: a list of six dtypes is expected, such as 'float32'")
    formulas = ["x * 2", "x * np.float64(2)", "x * np.array(2.0)", "n * 2", "n * 2.5", "x * n"]
    rights = ["float32", "float32", "float64", "int64", "float64", "float64"]
    wrong = [formula for formula, dtype, right in zip(formulas, got, rights, strict=True) if str(dtype) != right]
    true(not wrong, f"{len(wrong)} of 6 are wrong, the first one is {wrong[0] if wrong else ''}")


def check_unlucky(unlucky):
    pair = unlucky()
    true(isinstance(pair, tuple) and len(pair) == 2, f"{pair!r} came out: an array and a number are expected, as a tuple")
    array, number = pair
    true(isinstance(array, np.ndarray) and isinstance(number, (int, float)),
         f"{short(array)} and {short(number)} came out: an array and a number are expected")
    try:
        with np.errstate(all="raise"):
            beside = np.array(number, array.dtype)
    except (OverflowError, ValueError, FloatingPointError) as error:
        true(False, f"np.array({number!r}, {array.dtype}) raises an error, which nobody overlooks: {error}")
    wrong, right = array * beside, (framework("step21").Variable(array) * number).data
    true(array.size > 0 and not np.allclose(wrong, right),
         f"{array.tolist()} * {number} is {right.tolist()}, and with this rule {wrong.tolist()}: no harm")


def check_text(Text):
    true(isinstance(Text, type), f"{short(Text)} came out: a class is expected")
    x, y = Text("x"), Text("y")
    for text, formula, right in [("x * y + x", lambda: x * y + x, "((x * y) + x)"), ("x * 2", lambda: x * 2, "(x * 2)"),
                                 ("2 * x", lambda: 2 * x, "(2 * x)"), ("1 + x", lambda: 1 + x, "(1 + x)"),
                                 ("1 + x * 2", lambda: 1 + x * 2, "(1 + (x * 2))"),
                                 ("0.5 * (x + 1) * (3 + y)", lambda: 0.5 * (x + 1) * (3 + y), "((0.5 * (x + 1)) * (3 + y))")]:
        same(str(formula()), right, f"the text of {text}")
    raises(TypeError, lambda: 2 - Text("x"), "2 - Text('x'), which nobody asked for")


EXERCISES = [
    Exercise("predict", "x is a box of float32, n one of int64. A list of the dtypes (text) of x * 2, x * np.float64(2), x * np.array(2.0), n * 2, "
             "n * 2.5 and x * n.",
             ("Numbers give way, arrays do not. And what gives way must still be able to hold what it holds.",
              "np.array(2.0) is an array of float64. 2.5 is no integer. An int64 may have more digits than a float32 can hold."), check_predict),
    Exercise("unlucky", "Somebody gives a number the dtype of its partner in any case: np.array(number, dtype). Give an array and a number for which "
             "Variable(array) * number comes out wrong then, without an error.",
             ("Which types cannot hold every number?", "Think of an array of integers, and of a number that is not one."), check_unlucky),
    Exercise("Text", 'Text of step 20, with numbers on either side: str(1 + Text("x") * 2) is "(1 + (x * 2))", and '
             'str(2 * Text("x")) is "(2 * x)".',
             ("For 2 * x Python asks x.__rmul__(2). The 2 stands on the left, and should stay there.",
              "other may be a Text or a number: f\"({self} * {other})\" prints both. In __rmul__ it is f\"({other} * {self})\"."), check_text),
]
