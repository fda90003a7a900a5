"""Exercises of w17: networks of equal size, where a filter finds what it looks for, and a layer that forgets where."""

import numpy as np

import dezero
from dezero import Variable
from steps.exercises.kit import Exercise, content, same, true


def check_dense_units(dense_units):
    for parameters, pixels, classes in ((1370, 100, 10), (1342, 100, 10), (1341, 100, 10), (100_000, 784, 10), (60, 2, 3)):
        sizes = [(pixels + 1) * units + (units + 1) * classes for units in range(parameters)]
        most = max(units for units, size in enumerate(sizes) if size <= parameters)
        same(dense_units(parameters, pixels, classes), most,
             f"{pixels} -> units -> {classes} with at most {parameters:,} parameters ({most} units have {sizes[most]:,})")


def check_best_window(best_window):
    rng = np.random.default_rng(0)
    x, W = rng.random((7, 6, 8)), rng.normal(size=(3, 3))
    x[6] = 0
    expected = []
    for image in x:
        table = np.array([[np.sum(image[i:i + 3, j:j + 3] * W) for j in range(6)] for i in range(4)])
        expected.append([int(n) for n in np.unravel_index(table.argmax(), table.shape)])
    got = best_window(x, W)
    true(got is not None, "best_window returned nothing: integers (N, 2) are expected")
    same(np.asarray(got), np.array(expected), "row and column of the best window of seven images; the last is all zeros, so the first window counts")
    one = np.zeros((1, 5, 5))
    one[0, 1:4, 2:5] = np.eye(3)
    same(np.asarray(best_window(one, np.eye(3))), np.array([[1, 2]]), "a filter that is a diagonal, and a diagonal at row 1, column 2")


def check_any_place(AnyPlace):
    rng = np.random.default_rng(0)
    made = AnyPlace() if isinstance(AnyPlace, type) else None
    true(isinstance(made, dezero.Layer), "AnyPlace should be a class, derived from dezero.Layer, and made without arguments")
    for shape in ((2, 3, 4, 5), (3, 1, 7, 7)):
        x = Variable(rng.normal(size=shape) - 5)
        y = made(x)
        true(isinstance(y, Variable), f"AnyPlace gave a {type(y).__name__}: a Variable is expected")
        same(y, x.data.max(axis=(2, 3)), f"the largest number of each map, input {shape}, all of it below 0")
        (y * Variable(np.arange(1.0, y.size + 1).reshape(y.shape))).sum().backward()
        true(x.grad is not None, "x has no gradient: somewhere on the way its box was opened")
        weights = np.arange(1.0, y.size + 1).reshape(*y.shape, 1, 1)
        expected = weights * (x.data == x.data.max(axis=(2, 3), keepdims=True))
        same(content(x.grad), expected, "the gradient: to the place of the largest number, no other")


EXERCISES = [
    Exercise("dense_units", "How many hidden units a network pixels -> units -> classes with biases can have at most, if it may have so many "
             "parameters in all.",
             ("How many parameters does one more unit bring, counting those that leave it? And how many are there without any?",
              "Each unit has pixels + 1 + classes of them, and the classes have biases: (parameters - classes) // (pixels + 1 + classes)."),
             check_dense_units),
    Exercise("best_window", "For one filter W (3, 3) and images x (N, H, W): for each image the row and column of the window (upper left corner, no "
             "pad) in which the filter gives its largest number, as integers (N, 2); of equal ones the first.",
             ("F.conv2d of x[:, None] and W[None, None] gives a map for each image. argmax of a map that is laid out as a row, and then?",
              "flat = y.reshape(N, -1).argmax(axis=1); np.stack([flat // width, flat % width], axis=1), with the width of the map."),
             check_best_window),
    Exercise("AnyPlace", "A layer that keeps of each map its largest number: (N, C, H, W) to (N, C), for any size, with a gradient.",
             ("Derive from dezero.Layer and write forward. Which function of dezero.functions takes the largest along axes?",
              "def forward(self, x): return F.max(x, axis=(2, 3))"), check_any_place),
]
