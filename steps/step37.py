"""Does backward still hold when the boxes hold whole tables?

So far nearly every box held one number; step 24 once put 400 into one, and all went well. Data comes as tables: a row for each house, a column for
each thing measured. A table, of whatever number of axes, is also called a tensor. This script sends tables through the same functions, and asks
what a gradient is when the result is not one number but many.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable

# %% A table through the functions
# The functions of the package call NumPy, and NumPy's sin, * and + take a table as they take a number: each place of the table is computed by
# itself. Such functions are called element-wise. So are their backwards: cos(x) * gy is a product place by place. We need not change a thing.


def f(x, c):
    return F.sin(x) * c + x**2


def table(numbers):
    return Variable(np.array(numbers))


X = [[0.0, 0.5, 1.0], [1.5, 2.0, 2.5]]
C = [[1.0, 2.0, 3.0], [-1.0, -2.0, -3.0]]


def whole_table():
    x, c = table(X), table(C)
    y = f(x, c)
    y.backward()
    return y, x.grad.data, c.grad.data


# %% The same, one number at a time
# Is it true? Six runs with one number each are the judge. They give the same values and the same gradients. They also build six graphs in place
# of one. The work per number is the same; what a table saves is the work around it: Python makes a box, calls a function, notes the history.


def count_functions(y):
    todo, seen = [y.creator], set()
    while todo:
        function = todo.pop()
        if function is not None and function not in seen:
            seen.add(function)
            todo += [x.creator for x in function.inputs]
    return len(seen)


def compare():
    y, gx, gc = whole_table()
    alone = {name: np.zeros((2, 3)) for name in ("y", "gx", "gc")}
    functions = 0
    print("           one number at a time             the whole table")
    print("place      y     along x   along c        y     along x   along c")
    for place in np.ndindex(2, 3):
        x, c = (Variable(np.array(box.data[place])) for box in (table(X), table(C)))
        number = f(x, c)
        number.backward()
        functions += count_functions(number)
        for name, value in zip(alone, (number.data, x.grad.data, c.grad.data), strict=True):
            alone[name][place] = value
        cells = [*(values[place] for values in alone.values()), y.data[place], gx[place], gc[place]]
        print(f"{place}" + "{:8.4f}  {:8.4f}  {:8.4f}   {:8.4f}  {:8.4f}  {:8.4f}".format(*cells))
    print(f"functions called: {functions} for six numbers, {count_functions(y)} for the table")
    return {"y": y.data, "gx": gx, "gc": gc, **{f"{name} alone": values for name, values in alone.items()},
            "functions": [functions, count_functions(y)]}


# %% The slope of what?
# Backward starts with the slope of the result along itself, and for a number that is 1. Here the result is six numbers. Backward starts with six
# ones, a table as large as y. Which question does that answer? Add the six numbers: total = y1 + y2 + ... + y6. When one of them grows by a
# little, the total grows by just as much. So the slope of a sum along each of its parts is 1, and the ones are what backward hands to y when we
# write F.sum(y).backward(). To start with ones is to ask for the slope of the sum.
#
# Other questions are asked with other starts. Put weights w into y.grad, and backward answers for the sum of w * y. A single 1 among zeros asks
# for one number of y alone.


def gradient(function, start):
    """The gradient of the sum of start * function(x) at the table X."""
    x = table(X)
    y = function(x)
    y.grad = Variable(np.asarray(start, dtype=float))
    y.backward()
    return x.grad.data


def with_c(x):
    return f(x, table(C))


def three_starts():
    x = table(X)
    F.sum(with_c(x)).backward()
    single = np.zeros((2, 3))
    single[1, 0] = 1
    found = {"F.sum(y).backward()": x.grad.data, "start: ones": gradient(with_c, np.ones((2, 3))), "start: one 1": gradient(with_c, single)}
    print("\nthe gradient of x")
    for how, numbers in found.items():
        print(f"{how:20}" + "".join(f"{number:9.4f}" for number in numbers.flat))
    return found


# %% All the slopes there are
# Six inputs and six outputs have 36 slopes: each output along each input. The table of them is called the Jacobian. One backward with a single 1
# gives one row of it. For an element-wise function all rows are zero but for one place, as an output depends on one input alone. A gradient is
# the sum of the rows, and here nothing gets lost in that sum. To store 36 numbers, of which 30 are 0, would be a waste. For a picture with
# a million pixels it would be a million times a million.


def jacobian(function):
    return np.array([gradient(function, start.reshape(2, 3)).ravel() for start in np.eye(6)])


# %% When the numbers mix
# Take the mean of the table away from each of its numbers. Now every output depends on all inputs. The sum of the outputs is 0, whatever x is, so
# its slope is 0 everywhere: ones as a start give nothing but zeros, and this is right. Only the question was poor. That is why training,
# from step 42 on, boils its many results down to one number that we mean: the loss.


def around_mean(x):
    return x - F.sum(x) / x.size


def mixing():
    jacobians = {"element-wise": jacobian(with_c), "mixing": jacobian(around_mean)}
    ones = gradient(around_mean, np.ones((2, 3)))
    print("\nfunction         slopes   not 0   sum of the rows, which a start with ones gives")
    for (name, slopes), start in zip(jacobians.items(), (gradient(with_c, np.ones((2, 3))), ones), strict=True):
        used = int((np.abs(slopes) > 1e-12).sum())
        print(f"{name:14} {slopes.size:8} {used:7}   " + "".join(f"{number + 0.0:9.4f}" for number in np.round(start.flat, 6)))
    return {**{f"jacobian {name}": slopes for name, slopes in jacobians.items()}, "mixing with ones": ones}


# %% The two Jacobians as pictures
# With ``--out`` each of the 36 slopes is a small square. The diagonal is what an element-wise backward computes.


def draw_jacobians(path, jacobians):
    with picture(path, columns=2, size=(9.0, 4.6)) as axes:
        for ax, (name, slopes) in zip(axes, jacobians.items(), strict=True):
            limit = 1.2 * np.abs(slopes).max()
            ax.imshow(slopes, cmap="PuOr", vmin=-limit, vmax=limit)
            for (row, column), slope in np.ndenumerate(slopes):
                shown = "0" if abs(slope) < 1e-12 else f"{slope:.2f}"
                color = "#999999" if shown == "0" else "white" if abs(slope) > 0.5 * limit else "black"
                ax.text(column, row, shown, ha="center", va="center", size=9, color=color)
            ax.set(title=name, xlabel="along input number", ylabel="slope of output number", xticks=range(6), yticks=range(6))
            ax.set_xticks(np.arange(5) + 0.5, minor=True)
            ax.set_yticks(np.arange(5) + 0.5, minor=True)
            ax.grid(which="minor", color="#DDDDDD", linewidth=0.8)
            ax.tick_params(which="both", length=0)
        axes[0].figure.suptitle("36 slopes of six outputs along six inputs")


def main(out=None, fast=False):
    numbers = compare()
    starts = three_starts()
    mixed = mixing()
    if out:
        draw_jacobians(out / "jacobians.png", {"sin(x) * c + x²: each place by itself": mixed["jacobian element-wise"],
                                               "x minus its mean: all places mix": mixed["jacobian mixing"]})
    return {**numbers, **starts, **mixed}


# %% Exercises: python -m steps.check 37 my_answer.py
# 1. ``weighted(f, x, w)``: for an array x, the gradient of the sum of w * f(x), as an array. f takes a Variable and gives one of w's shape.
# 2. ``slopes_of(f, x, place)``: for an array x, the slopes of the one number f(x)[place] along all of x, as an array of x's shape.
# 3. ``is_elementwise(f, x)``: True if no number of f(x) depends on another place of the array x than its own. f(x) has the shape of x.

if __name__ == "__main__":
    run(main)
