"""What is the gradient of a number that was copied without our asking?

A list of three added to a table with two rows: NumPy does not complain, it uses the list for each of the rows. This is called broadcasting, and
it is handy. But then each number of the list was used twice, and its gradient has to count both uses. This script stretches arrays, and finds
what undoes it on the way back.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Function, Variable
from dezero.errors import ShapeError

# %% The rule
# Write the two shapes below each other, their last sizes in line. Where two sizes are equal, all is well. Where one of them is 1, or is missing
# because that array has fewer axes, this array is stretched: its numbers are used again along that axis. Otherwise the shapes do not fit.

PAIRS = [((2, 3), (3,)), ((2, 3), (2, 1)), ((2, 1), (3,)), ((2, 3), ()), ((4, 1, 3), (2, 1)), ((2, 3), (2,))]


def show_rule():
    print("shapes               sum        gradient of the first, of the second")
    found = {}
    for pair in PAIRS:
        a, b = (Variable(np.zeros(shape)) for shape in pair)
        try:
            y = a + b
            y.backward()
            shape, grads = str(y.shape), [a.grad.shape, b.grad.shape]
        except ShapeError:
            shape, grads = "refused", []
        found[f"{pair[0]} + {pair[1]}"] = [shape, *map(str, grads)]
        print(f"{pair[0]!s:9} + {pair[1]!s:8} {shape:10} {'  '.join(f'{grad!s:9}' for grad in grads)}".rstrip())
    return found


# %% A copy is a second use
# Back to the two shops of step 39. The three days had an extra sale each, the same in both shops: ``extra`` is a list of 3, the loaves a table of
# (2, 3). In ``loaves + extra`` each extra enters two results. Step 14 had this case: whoever is used twice gets a gradient from each use, and they
# are added. So the gradient of a stretched array is added up along the axes that were stretched. Then it has the shape of the array again.
#
# The three results below say the same in three ways: broadcasting, a stretch that we ask for, and a list used once for each row.


def three_ways():
    loaves, weights = np.array([[4.0, 6.0, 2.0], [8.0, 1.0, 9.0]]), np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    ways = {
        "loaves + extra": lambda extra: F.sum((loaves + extra) * weights),
        "loaves + broadcast_to(extra, (2, 3))": lambda extra: F.sum((loaves + F.broadcast_to(extra, (2, 3))) * weights),
        "each row by itself": lambda extra: F.sum((loaves[0] + extra) * weights[0]) + F.sum((loaves[1] + extra) * weights[1]),
    }
    found = {}
    print("\ngradient of extra, where 1 2 3 arrive at the first row and 10 20 30 at the second")
    for name, way in ways.items():
        extra = Variable(np.array([1.0, 1.0, 1.0]))
        way(extra).backward()
        found[name] = extra.grad.data
        print(f"    {name:38}" + " ".join(f"{number:2.0f}" for number in extra.grad.data))
    return found


# %% Without the adding up
# The Add of step 13 hands gy to both inputs. For equal shapes that is right. Here extra, a list, would get a table as its gradient. The package
# looks at shapes when a gradient arrives, and refuses. Were it accepted, the next step of descent would take the table from the list, and
# broadcasting would help again, in the wrong way: of three numbers to learn there would be six.


class NaiveAdd(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


def without_adding_up():
    loaves, extra = Variable(np.zeros((2, 3))), Variable(np.ones(3))
    y = NaiveAdd()(loaves, extra)
    try:
        y.backward()
    except ShapeError as error:
        message = str(error).split(": they")[0]
    learned = extra.data - 0.1 * np.ones((2, 3))
    print(f"\n{message}")
    print(f"without that error, what had the shape {extra.shape} would have the shape {learned.shape} after a step of descent")
    return {"message": message, "learned": learned.shape}


# %% Adding up to a shape
# The helper is called ``sum_to`` in the package. This is all it has to do: axes that x has too many of, in front, are added away, and axes that
# should have size 1 are added with keepdims. Where no axis is named, with an empty tuple, ``sum`` adds nothing. NumPy has no such function, as only
# a backward needs it.


def add_up_to(x, shape):
    x = x.sum(axis=tuple(range(x.ndim - len(shape))))
    stretched = tuple(axis for axis, size in enumerate(shape) if size == 1)
    return x.sum(axis=stretched, keepdims=True)


# %% Partners
# Stretching is copying, adding up is its way back. There is a test for two such partners that needs no differences at all. Multiply two arrays
# place by place and add everything: this is their inner product, and it measures how much of one is in the other. Stretch x and take the inner
# product with y. Or add y up to the shape of x, and take the inner product with x. The two numbers must agree, for all x and y. Such partners are
# called adjoint, and every backward is the adjoint of its forward's slopes. 40 random pairs of shapes put ours to the test.


def random_shapes(rng):
    big = tuple(int(size) for size in rng.integers(1, 5, size=rng.integers(1, 5)))
    small = tuple(1 if rng.random() < 0.4 else size for size in big)
    return small[rng.integers(0, len(small) + 1):], big


def check_partners(count=40):
    rng = np.random.default_rng(0)
    worst, same, shapes = 0.0, 0, []
    for _ in range(count):
        small, big = random_shapes(rng)
        x, y = rng.normal(size=small), rng.normal(size=big)
        stretched, added = np.sum(F.broadcast_to(Variable(x), big).data * y), np.sum(x * add_up_to(y, small))
        worst = max(worst, float(abs(stretched - added)))
        same += np.allclose(F.sum_to(Variable(y), small).data, add_up_to(y, small), atol=1e-12)
        shapes.append(f"{small} {big}")
    print(f"\n{count} random pairs of shapes, such as {shapes[0].replace(') (', ') to (')}")
    print(f"    stretched x with y equals x with added up y, to 10 digits: {worst < 1e-10}")
    print(f"    add_up_to and the package's sum_to agree: {same} of {count}")
    return {"worst": worst, "same": int(same), "shapes": shapes}


# %% The stretch as a picture
# With ``--out``: the pale cells are copies that nobody stores. Every gradient that reaches a copy goes to the one number behind it.

COLOURS = ("#4393C3", "#F4A55A", "#8C7FBC")


def draw_cells(ax, numbers, group, real, title):
    for (row, column), number in np.ndenumerate(np.atleast_2d(numbers)):
        which = group(row, column)
        ax.bar(column, 0.94, 0.94, bottom=row, align="edge", color=COLOURS[which], alpha=1.0 if real(row, column) else 0.35)
        ax.text(column + 0.47, row + 0.47, f"{number:.0f}", ha="center", va="center", size=13)
    ax.set_title(title, loc="left", size=11)
    ax.set(xlim=(-0.1, 3.1), ylim=(2.1, -0.1), aspect="equal")
    ax.set_axis_off()


def draw_stretch(path):
    gy = np.array([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    cases = [(np.array([4.0, 5.0, 6.0]), lambda row, column: column, lambda row, column: row == 0),
             (np.array([[4.0], [5.0]]), lambda row, column: row, lambda row, column: column == 0)]
    with picture(path, rows=2, columns=4, size=(11.0, 4.6)) as axes:
        for line, (x, group, real) in zip(axes, cases, strict=True):
            box = Variable(x)
            y = F.broadcast_to(box, (2, 3))
            y.grad = Variable(gy)
            y.backward()
            draw_cells(line[0], x, group, real, f"x, shape {x.shape}")
            draw_cells(line[1], y.data, group, real, "stretched to (2, 3)")
            draw_cells(line[2], gy, group, lambda row, column: True, "gradients that arrive")
            draw_cells(line[3], box.grad.data, group, real, f"added up to {x.shape}")


def main(out=None, fast=False):
    rule = show_rule()
    ways = three_ways()
    naive = without_adding_up()
    partners = check_partners()
    if out:
        draw_stretch(out / "stretch.png")
    return {"rule": rule, "ways": ways, **naive, **partners}


# %% Exercises: python -m steps.check 40 my_answer.py
# 1. ``result_shape(a, b)``: the shape of a sum of arrays with the shapes a and b, by the rule alone; None if they do not fit. No NumPy.
# 2. ``times(a, b)``: a product whose Function you write: a backward that is right for all shapes that fit. Use F.sum_to.
# 3. ``distances(a, b)``: for points a (N, 2) and b (M, 2) the squared distance of each from each, as a Variable (N, M). No loop.

if __name__ == "__main__":
    run(main)
