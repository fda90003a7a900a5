"""In which order must the functions be called on the way back?

Gradients add up since step 14, and still a simple formula comes out wrong, because a function is called before all its gradients have arrived.
This script leaves the framework as it is. It tries four orders on the same formula, and looks at which of them can be trusted, and why.
"""

import numpy as np

from support import picture, run

# %% The framework of step 14, unchanged


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(f"Variable: {type(data).__name__} is not supported: a NumPy array (or None) is expected, such as np.array(3.0)")
        self.data = data
        self.grad = None
        self.creator = None

    def set_creator(self, func):
        self.creator = func

    def cleargrad(self):
        self.grad = None

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        funcs = [self.creator] if self.creator else []
        while funcs:
            f = funcs.pop()
            gys = [np.zeros_like(y.data) if y.grad is None else y.grad for y in f.outputs]
            gxs = f.backward(*gys)
            if not isinstance(gxs, tuple):
                gxs = (gxs,)
            for x, gx in zip(f.inputs, gxs, strict=True):
                x.grad = gx if x.grad is None else x.grad + gx
                if x.creator is not None:
                    funcs.append(x.creator)


class Function:
    """A function from Variables to Variables: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        ys = self.forward(*xs)
        if not isinstance(ys, tuple):
            ys = (ys,)
        outputs = [Variable(as_array(y)) for y in ys]
        for output in outputs:
            output.set_creator(self)
        self.inputs = inputs
        self.outputs = outputs
        return outputs if len(outputs) > 1 else outputs[0]

    def forward(self, *xs):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward that takes arrays and returns one, or a tuple of them")

    def backward(self, *gys):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward that takes a gradient for each output, returns one for each input")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% A few functions, and the derivative by trying out


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        (x,) = self.inputs
        return gy * 2 * x.data


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        (x,) = self.inputs
        return gy * np.exp(x.data)


class Sin(Function):
    def forward(self, x):
        return np.sin(x)

    def backward(self, gy):
        (x,) = self.inputs
        return gy * np.cos(x.data)


class Half(Function):
    def forward(self, x):
        return x / 2

    def backward(self, gy):
        return gy / 2


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


def square(x):
    return Square()(x)


def exp(x):
    return Exp()(x)


def sin(x):
    return Sin()(x)


def half(x):
    return Half()(x)


def add(a, b):
    return Add()(a, b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(as_array(x.data - eps))), f(Variable(as_array(x.data + eps)))
    return (y1.data - y0.data) / (2 * eps)


# %% A diamond
# First a = x². From a two ways lead on: a short one to exp(a), a longer one to sin(a) / 2. Their results are added. Drawn on paper this looks like a
# diamond: one way splits in two, and the two meet again. At x = 0.5 the short way has the slope exp(a) = 1.2840 and the long way cos(a) / 2 = 0.4845.
# As x² has the slope 1 there, the slope of the whole is simply their sum, 1.7685.


def diamond(x):
    a = square(x)
    return add(exp(a), half(sin(a)))


def first_try():
    x = Variable(np.array(0.5))
    diamond(x).backward()
    tried = numerical_diff(diamond, Variable(np.array(0.5)))
    print(f"exp(a) + sin(a) / 2 with a = x² at x = 0.5: the slope, tried out, is {tried:.4f}, backward says {x.grad:.4f}\n")
    return float(tried), float(x.grad)


# %% Four orders
# On the way back there is at any time a list of functions that wait to be called. The orders differ in which of them goes next.
#
# - On arrival: whenever a gradient arrives at a box, its creator is put on the list, even if it was called before. The last on the list goes first.
#   This is what the framework does.
# - Depth first: the last on the list goes first, but each function is called once.
# - Breadth first: the first on the list goes first, again each function once.
# - By generation: each function once, and the youngest goes first.


def last(waiting):
    return -1


def first(waiting):
    return 0


def walk_back(y, choose, once=True):
    """Carry the gradients back from y; ``choose`` gives the place in the list of the function that goes next."""
    y.grad = np.ones_like(y.data)
    waiting, seen, calls = [y.creator], {y.creator}, []
    while waiting:
        f = waiting.pop(choose(waiting))
        calls.append(f)
        gxs = f.backward(*[output.grad for output in f.outputs])
        if not isinstance(gxs, tuple):
            gxs = (gxs,)
        for x, gx in zip(f.inputs, gxs, strict=True):
            x.grad = gx if x.grad is None else x.grad + gx
            if x.creator is not None and not (once and x.creator in seen):
                seen.add(x.creator)
                waiting.append(x.creator)
    return calls


# %% What a generation is
# A function all of whose inputs we made ourselves has generation 0. Any other comes one after the youngest function which made one of its inputs.
# So along each way the number grows, as with parents and children: who uses a result is always younger than who made it.


def generation(f):
    parents = [x.creator for x in f.inputs if x.creator is not None]
    return 1 + max(map(generation, parents)) if parents else 0


def youngest(waiting):
    return max(range(len(waiting)), key=lambda i: generation(waiting[i]))


# %% Who is right?
# Look at where Square stands: it turns the gradient of a into the gradient of x. Depth first goes down the long way and calls Square before Exp, so
# the gradient of the short way comes too late: 0.4845. Breadth first calls it before Sin: now the long way is lost, 1.2840. On arrival
# Square is called twice, the second time with the sum of both ways, so the long way counts twice: 2.2529. By generation alone it comes last.


ORDERS = {"on arrival": (last, False), "depth first": (last, True), "breadth first": (first, True), "by generation": (youngest, True)}


def four_orders():
    found, drawings = {}, {}
    print("order           calls                                dy/dx")
    for name, (choose, once) in ORDERS.items():
        x = Variable(np.array(0.5))
        y = diamond(x)
        calls = walk_back(y, choose, once)
        names = [type(f).__name__ for f in calls]
        found[name] = {"calls": names, "gradient": float(x.grad)}
        drawings[name] = (calls, float(x.grad))
        print(f"{name:15} {' '.join(names):36} {x.grad:.4f}")
    ages = {type(f).__name__: generation(f) for f in drawings["by generation"][0]}
    print("\ngenerations:", ", ".join(f"{name} {age}" for name, age in ages.items()))
    return found, ages, drawings


# %% Why generations cannot fail
# A function may be called as soon as the gradients of its outputs are complete, that is, when every function which uses an output has been called.
# All these are younger than it is. Whoever always calls the youngest has called them before: and if one had not even been reached, something still
# younger, on the way to it, would be waiting. No other property of the graph is needed, so this holds for any graph, with any number of ways.


# %% The picture
# The number under a name tells when the function was called. The orange ones came too late: Square, on which they act, had been called before.


def draw(path, drawings):
    rows = {"Exp": 0.6, "Sin": -0.6, "Half": -0.6}
    with picture(path, 2, 2, size=(10.0, 5.4)) as axes:
        for ax, (name, (calls, gradient)) in zip(axes.flat, drawings.items(), strict=True):
            ax.set(xlim=(-1.2, 4.2), ylim=(-1, 1), yticks=[], xticks=range(4), xlabel="generation")
            ax.set_title(f"{name}: {gradient:.4f} is {'right' if name == 'by generation' else 'wrong'}")
            ax.spines[:].set_visible(False)
            ax.text(-1, 0, "x", ha="center", va="center")
            ax.text(4, 0, "y", ha="center", va="center")
            arrow = {"arrowstyle": "->", "color": "0.4"}
            ax.annotate("", (3.9, 0), (3.38, 0), arrowprops=arrow)
            for f in set(calls):
                place, row = generation(f), rows.get(type(f).__name__, 0)
                turns = [turn for turn, g in enumerate(calls, 1) if g is f]
                creators = [x.creator for x in f.inputs if x.creator is not None]
                late = any(calls.index(g) < turns[0] - 1 for g in creators)
                ax.bar(place, 0.5, 0.76, bottom=row - 0.25, color="#f0b48c" if late else "#cfe3f3", edgecolor="0.4")
                ax.text(place, row, f"{type(f).__name__}\n{' and '.join(map(str, turns))}", ha="center", va="center", fontsize=9)
                for g in creators:
                    ax.annotate("", (place - 0.38, row), (generation(g) + 0.38, rows.get(type(g).__name__, 0)), arrowprops=arrow)
                if not creators:
                    ax.annotate("", (place - 0.38, row), (-0.9, 0), arrowprops=arrow)


def main(out=None, fast=False):
    tried, framework = first_try()
    orders, ages, drawings = four_orders()
    if out:
        draw(out / "orders.png", drawings)
    return {"tried": tried, "framework": framework, "orders": orders, "generations": ages}


# %% Exercises: python -m steps.check 15 my_answer.py
# 1. ``calls_on_arrival(n)``: t = x, then n times t = add(t, t). On arrival, how often is the very first ``Add`` called? A formula will do.
# 2. ``may_be_called(order)``: True, if in this list of functions each one comes after all the others in the list that use one of its outputs.
# 3. ``safe_order(y)``: all functions that led to y, each once, in an order that is safe, without generations.

if __name__ == "__main__":
    run(main)
