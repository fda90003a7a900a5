"""Exercises of step 13: one gradient for each input."""

from types import SimpleNamespace

import numpy as np

from steps.exercises.kit import Exercise, same, true


def box(numbers):
    return SimpleNamespace(data=np.array(numbers), grad=None, creator=None)


def called(kind, *inputs):
    """A Function object after its call, and what came out."""
    f = kind()
    true(callable(f) and hasattr(f, "backward"), f"{kind.__name__}() gave {f!r}: a Function with forward and backward is expected")
    return f, f(*inputs)


def gradients(f, what, *gys):
    """What backward returns for two inputs."""
    gxs = f.backward(*gys)
    true(isinstance(gxs, (list, tuple)) and len(gxs) == 2, f"{what} gave {gxs!r}: two gradients are expected, one for each input")
    return gxs


def check_mul(Mul):
    f, y = called(Mul, box([3.0, 5.0]), box([-2.0, 4.0]))
    same(y, np.array([-6.0, 20.0]), "[3, 5] times [-2, 4]")
    ga, gb = gradients(f, "backward of Mul", np.array([10.0, 1.0]))
    same(ga, np.array([-20.0, 4.0]), "the gradient of the first input, [3, 5], where [10, 1] arrives")
    same(gb, np.array([30.0, 5.0]), "the gradient of the second input, [-2, 4], where [10, 1] arrives")


def check_rectangle(Rectangle):
    f, outputs = called(Rectangle, box(3.0), box(5.0))
    true(isinstance(outputs, (list, tuple)) and len(outputs) == 2, f"the call gave a {type(outputs).__name__}: two outputs are expected")
    same([y.data for y in outputs], np.array([15.0, 16.0]), "area and perimeter of 3 by 5")
    for what, gys, right in [("only the area is used", (1.0, 0.0), [5.0, 3.0]), ("only the perimeter is used", (0.0, 1.0), [2.0, 2.0]),
                             ("10 arrives at the area and 3 at the perimeter", (10.0, 3.0), [56.0, 36.0])]:
        same(gradients(f, "backward of Rectangle", *map(np.array, gys)), np.array(right), f"the gradients of width 3 and height 5, where {what}")


def check_div(Div):
    f, y = called(Div, box([1.0, 6.0]), box([2.0, -4.0]))
    same(y, np.array([0.5, -1.5]), "[1, 6] divided by [2, -4]")
    ga, gb = gradients(f, "backward of Div", np.array([8.0, 16.0]))
    same(ga, np.array([4.0, -4.0]), "the gradient of the first input, [1, 6], where [8, 16] arrives")
    same(gb, np.array([-2.0, -6.0]), "the gradient of the second input, [2, -4], where [8, 16] arrives")


EXERCISES = [
    Exercise("Mul", "A Function for a · b, with the way back.",
             ("If a moves by a little, by how much does a · b move? The factor is not a.",
              "a, b = self.inputs, then return gy * b.data, gy * a.data."), check_mul),
    Exercise("Rectangle", "A Function of width and height with two outputs, the area and the perimeter (all four sides together), with the way back.",
             ("backward gets a gradient for each output. The width moves both outputs, so two terms add up for it; the same for the height.",
              "The width moves the area by the height and the perimeter by 2: garea * height + 2 * gperimeter."), check_rectangle),
    Exercise("Div", "The `backward` of a / b has two bugs: `return gy * b.data, gy * a.data / b.data**2`. Write the Function without them.",
             ("Hold b still: a / b is a times a constant. Which one? Hold a still: does a / b grow or shrink when b > 0 grows?",
              "The slopes are 1 / b and -a / b²."), check_div),
]
