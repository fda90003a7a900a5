"""How do gradients flow through a product of two matrices?

The matrix product is the operation from which neural networks are made, and it takes nearly all of their time. It is many products and sums at
once, so steps 39 and 40 contain all we need for its backward. That backward turns out to be two matrix products.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError
from dezero.utils import gradient_check

# %% Rows times columns
# Two shops sell three kinds of bread: a table of loaves, (2, 3). There are two price lists, this year's and next year's: a table of prices, (3, 2).
# What does each shop take in with each list? Take the row of a shop and the column of a list, multiply kind by kind, and add. For every row and
# every column this gives one number; the table of them is the matrix product, (2, 2). Python writes it ``loaves @ prices``. The inner sizes, 3 and
# 3, must be equal, since they are the same kinds of bread. They disappear in the sum.

LOAVES = [[4.0, 6.0, 2.0], [8.0, 1.0, 9.0]]
PRICES = [[3.0, 4.0], [5.0, 5.0], [2.0, 3.0]]


def by_loops(a, b):
    y = np.zeros((a.shape[0], b.shape[1]))
    for i, j in np.ndindex(y.shape):
        for k in range(a.shape[1]):
            y[i, j] += a[i, k] * b[k, j]
    return y


def takings():
    loaves, prices = Variable(np.array(LOAVES)), Variable(np.array(PRICES))
    y = loaves @ prices
    print(f"takings by @      {y.data.tolist()}\n        by loops  {by_loops(loaves.data, prices.data).tolist()}")
    return y.data, by_loops(loaves.data, prices.data)


# %% The way back
# Look at one number of the first table, the loaves of kind k in shop i. It meets the price b[k, j] of each list j, and so enters all takings of its
# shop. Its gradient is the sum over the lists of what arrives there times the price: gy[i, j] * b[k, j], added over j. That is a row of gy times
# a row of b, and rows of b are columns of its transpose. The same for the prices:
#
#     gradient of a = gy @ b.T        gradient of b = a.T @ gy
#
# Who forgets the order can find it by the shapes. For a (2, 3) and b (3, 2) from a gy of (2, 2), there is just one way to get (2, 3) with b.


def way_back():
    loaves, prices = Variable(np.array(LOAVES)), Variable(np.array(PRICES))
    y = F.matmul(loaves, prices)
    gy = np.array([[1.0, 0.0], [0.0, 10.0]])
    y.grad = Variable(gy)
    y.backward()
    by_hand = {"loaves": gy @ prices.data.T, "prices": loaves.data.T @ gy}
    print(f"\nwhere {gy.astype(int).tolist()} arrives at the takings")
    for name, box in (("loaves", loaves), ("prices", prices)):
        same = "as gy @ prices.T" if name == "loaves" else "as loaves.T @ gy"
        print(f"    gradient of {name}: {box.grad.data.astype(int).tolist()!s:30} {same}: {bool(np.allclose(box.grad.data, by_hand[name]))}")
    return {"gy": gy, "gradient of loaves": loaves.grad.data, "gradient of prices": prices.grad.data}


# %% All shapes that can be multiplied
# A list counts as a row when it stands on the left and as a column on the right. A list times a list is then one number, the inner product of step
# 40. With more than two axes, the last two are the matrices, and what comes before counts them: five matrices times five matrices are five
# products. If one side has fewer of these front axes, its matrix is used again and again, as in step 40. Its gradient is then added up over all
# uses. This is what happens to the numbers a network learns: one table meets many samples.

SHAPES = [((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 4)), ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 3), (3, 4)), ((5, 2, 3), (3,)),
          ((3,), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4))]


def show_shapes():
    rng = np.random.default_rng(0)
    found = []
    print("\na             b           a @ b          gradients have the shapes of a and b, and agree with differences")
    for shapes in SHAPES:
        a, b = (Variable(rng.normal(size=shape)) for shape in shapes)
        y = a @ b
        y.backward()
        right = a.grad.shape == a.shape and b.grad.shape == b.shape and gradient_check(F.matmul, a.data, b.data)
        found.append({"a": a.shape, "b": b.shape, "y": y.shape, "right": right})
        print(f"{a.shape!s:13} {b.shape!s:11} {y.shape!s:14} {right}")
    return found


# %% When sizes do not fit
# Most errors of beginners, and of others, are shapes. A message should say which shapes came, and which sizes should have been equal.


def mismatch():
    try:
        F.matmul(np.zeros((32, 784), np.float32), np.zeros((1000, 10), np.float32))
    except ShapeError as error:
        print(f"\n{error}")
        return str(error)


# %% What it costs
# For (n, m) times (m, k), each of the n * k results needs m multiplications. The gradients of a and of b are products of the same three sizes, so
# each costs as much again. Backward is twice the work of forward, and a step of learning three times. This rule holds for most networks.


def multiplications(a_shape, b_shape):
    return a_shape[0] * a_shape[1] * b_shape[1]


def cost():
    x, w, y = (100, 784), (784, 50), (100, 50)
    counts = {"forward": multiplications(x, w), "gradient of a": multiplications(y, w[::-1]), "gradient of b": multiplications(x[::-1], y)}
    print(f"\nmultiplications for {x} @ {w}:\n    " + ", ".join(f"{name} {count:,}" for name, count in counts.items()))
    return counts


# %% Three products as a picture
# With ``--out``: the first factor stands left of the product, the second above it. A number of the product stands where its row and its column meet.


def draw_table(ax, left, top, numbers, marked, color):
    for (row, column), number in np.ndenumerate(numbers):
        ax.bar(left + column, 0.94, 0.94, bottom=top + row, align="edge", color=color if marked(row, column) else "#E8E8E8")
        ax.text(left + column + 0.47, top + row + 0.47, f"{number:.0f}", ha="center", va="center", size=12)


def draw_product(ax, a, b, names, at):
    (n, m), k = a.shape, b.shape[1]
    draw_table(ax, 0, m + 0.6, a, lambda row, column: row == at[0], "#9ECAE1")
    draw_table(ax, m + 0.6, 0, b, lambda row, column: column == at[1], "#FDD0A2")
    draw_table(ax, m + 0.6, m + 0.6, a @ b, lambda row, column: (row, column) == at, "#BDB6DB")
    ax.text(m / 2, m + 0.4, names[0], ha="center", va="bottom", size=11)
    ax.text(m + 0.4, m / 2, names[1], ha="right", va="center", size=11)
    ax.text(m + 0.6 + k / 2, m + 0.7 + n, names[2], ha="center", va="top", size=11)
    terms = " + ".join(f"{x:.0f}·{y:.0f}" for x, y in zip(a[at[0]], b[:, at[1]], strict=True))
    ax.set_title(f"{terms} = {(a @ b)[at]:.0f}")
    ax.set(xlim=(-0.3, 6.0), ylim=(6.1, -0.1), aspect="equal")
    ax.set_axis_off()


def draw_products(path, gy):
    a, b = np.array(LOAVES), np.array(PRICES)
    with picture(path, columns=3, size=(12.0, 4.5)) as axes:
        draw_product(axes[0], a, b, ("loaves", "prices", "takings"), (1, 0))
        draw_product(axes[1], gy, b.T, ("gy", "prices.T", "gradient of loaves"), (1, 2))
        draw_product(axes[2], a.T, gy, ("loaves.T", "gy", "gradient of prices"), (0, 1))


def main(out=None, fast=False):
    product, loops = takings()
    back = way_back()
    shapes = show_shapes()
    message = mismatch()
    counts = cost()
    if out:
        draw_products(out / "products.png", back["gy"])
    return {"product": product, "loops": loops, **back, "shapes": shapes, "message": message, "counts": counts}


# %% Exercises: python -m steps.check 41 my_answer.py
# 1. ``affine(x, w, b)``: x @ w + b for x (N, M), w (M, K), b (K,) by one Function of yours, with a backward that gives all three gradients.
# 2. ``chain_cost(sizes)``: x of (sizes[0], sizes[1]) is multiplied by (sizes[1], sizes[2]) and so on: the fewer multiplications, of left to right
#    and right to left.
# 3. ``power(a, n)``: a square matrix multiplied by itself, n factors, as a Variable, with at most 2 * log2(n) products. For n = 0 the identity.

if __name__ == "__main__":
    run(main)
