"""Can the program find the way back by itself?

In step 06 we called the functions in the right order by hand. For three functions that is fine; for a thousand nobody would do it. This
script lets every box remember the function that made it. Then the way back can be read off the boxes.
"""

import numpy as np

from support import picture, run

# %% Who made this box?
# ``creator`` is the function that made the box. A box that we made ourselves has none. A function knows its input and its output. So from any
# result a path leads back: to its creator, to the creator's input, to that box's creator, and so on until a box has no creator.
#
# ``backward`` walks this path. It asks the creator for the gradient of the input, and then tells the input to go on in the same way. A method
# that calls itself, each time for a smaller rest of the work, is called recursive.


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        self.data = data
        self.grad = None
        self.creator = None

    def set_creator(self, func):
        self.creator = func

    def backward(self):
        f = self.creator
        if f is not None:
            x = f.input
            x.grad = f.backward(self.grad)
            x.backward()


class Function:
    """A function from a Variable to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        output.set_creator(self)
        self.input = input
        self.output = output
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


# %% The functions of step 06


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return gy * np.exp(self.input.data)


class AddOne(Function):
    def forward(self, x):
        return x + 1

    def backward(self, gy):
        return gy


class Log(Function):
    def forward(self, x):
        return np.log(x)

    def backward(self, gy):
        return gy / self.input.data


def softplus(x):
    a = Exp()(x)
    b = AddOne()(a)
    return Log()(b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(x.data - eps)), f(Variable(x.data + eps))
    return (y1.data - y0.data) / (2 * eps)


# %% The links
# Before anything is carried back, let us walk the path and look. Nobody wrote these links down as a plan: they were made while the numbers were
# computed, each call adding one. This is what people mean when they say that such a framework is defined by running it.


def walk(y, names):
    path, box = [], y
    for name in names:
        f = box.creator
        made_by = type(f).__name__ if f is not None else "nobody"
        path.append(made_by)
        print(f"  {name} = {box.data:.4f} was made by {made_by}")
        if f is not None:
            box = f.input
    return path


# %% One call
# We set the slope of y by y, which is 1, and call ``backward`` once. To see what happens, we listen in: each function gets a
# ``backward`` of its own that writes the name down, then does what it did before.


def listen(f, calls):
    original = f.backward

    def backward(gy):
        calls.append(type(f).__name__)
        return original(gy)

    f.backward = backward


def carry_back(x):
    exp, add_one, log = Exp(), AddOne(), Log()
    a = exp(x)
    b = add_one(a)
    y = log(b)
    print("the links, from the result back:")
    path = walk(y, ["y", "b", "a", "x"])

    calls = []
    for f in (exp, add_one, log):
        listen(f, calls)
    y.grad = np.ones_like(y.data)
    y.backward()
    print(f"\ncalls of backward: {' -> '.join(calls)}")
    print(f"x.grad = {x.grad:.8f}, tried out: {numerical_diff(softplus, x):.8f}")
    return [x, a, b, y], path, calls


# %% A chain that nobody knows beforehand
# How many functions are in this chain? It depends on the number. The loop takes exp again and again until the result is above 10. As each
# call leaves its links, the way back is always the one that was really taken.


def climb(x):
    y, count = x, 0
    while y.data < 10:
        y, count = Exp()(y), count + 1
    return y, count


def climb_back():
    slopes, tried, counts = [], [], []
    print("\n   x   functions   carried back   tried out")
    for number in (-1.0, 0.5, 2.0):
        x = Variable(np.array(number))
        y, count = climb(x)
        y.grad = np.ones_like(y.data)
        y.backward()
        slopes.append(float(x.grad))
        tried.append(float(numerical_diff(lambda x: climb(x)[0], x)))
        counts.append(count)
        print(f"{number:4.1f}   {count:9}   {slopes[-1]:12.2f}   {tried[-1]:9.2f}")
    return slopes, tried, counts


# %% The picture
# Solid arrows: how the numbers were computed. Dashed arrows: the links that ``backward`` follows.


def draw(path, boxes):
    with picture(path, size=(10.0, 2.3)) as ax:
        ax.axis("off")
        ax.set(xlim=(-0.5, 6.5), ylim=(-0.6, 0.5), title="softplus at 0.5: numbers go right, slopes come back")
        ax.bar([0, 2, 4, 6], 0.8, 0.9, bottom=-0.4, color="#fdf3d8", edgecolor="0.4")
        ax.bar([1, 3, 5], 0.6, 0.6, bottom=-0.3, color="#cfe3f3", edgecolor="0.4")
        for i, (name, box) in enumerate(zip("xaby", boxes, strict=True)):
            ax.text(2 * i, 0, f"{name}\ndata {box.data:.4f}\ngrad {box.grad:.4f}", ha="center", va="center")
            if box.creator is not None:
                ax.text(2 * i - 1, 0, type(box.creator).__name__, ha="center", va="center")
        for i in range(6):
            left, right = (i + 0.46, i + 0.69) if i % 2 == 0 else (i + 0.31, i + 0.54)
            ax.annotate("", (right, 0.15), (left, 0.15), arrowprops={"arrowstyle": "->", "color": "#0072b2", "lw": 1.6})
            ax.annotate("", (left, -0.15), (right, -0.15), arrowprops={"arrowstyle": "->", "color": "#d55e00", "lw": 1.6, "linestyle": "--"})
            ax.text((left + right) / 2, -0.55, "input" if i % 2 == 0 else "creator", ha="center", color="#d55e00")


def main(out=None, fast=False):
    boxes, path, calls = carry_back(Variable(np.array(0.5)))
    slopes, tried, counts = climb_back()
    if out:
        draw(out / "links.png", boxes)
    return {"grad": float(boxes[0].grad), "path": path, "calls": calls, "slopes": slopes, "tried": tried, "counts": counts}


# %% Exercises: python -m steps.check 07 my_answer.py
# 1. ``history(y)``: the names of the functions that made y, from the last to the first, as a list of texts.
# 2. ``Sigmoid``: 1 / (1 + exp(-x)) as one Function. Its slope is y * (1 - y), so ``backward`` needs no exp: use ``self.output``.
# 3. ``cut(a)``: after it, ``backward`` goes back as far as the box ``a`` and no further, and what lies before it keeps grad None.

if __name__ == "__main__":
    run(main)
