"""Can a formula look like a formula?

On paper it is a · b + c. In the framework it is ``add(mul(a, b), c)``, and longer ones are worse: one counts brackets and reads from the inside
out. This script teaches the box the signs + and *.
"""

import contextlib
import heapq
import threading
import weakref

import numpy as np

from support import picture, run

# %% A sign is a call
# Python does not know what + means for a box. As in step 19, it asks: ``a + b`` calls ``a.__add__(b)``, and ``a * b`` calls ``a.__mul__(b)``. So
# two methods of two lines each are all we need. They call the functions that we have; nothing new is computed.


# %% The framework, with two signs
# New are the last two methods of ``Variable``.


class Config(threading.local):
    """The switches of the framework. Each thread has its own."""

    enable_backprop = True


config = Config()


@contextlib.contextmanager
def using_config(name, value):
    before = getattr(config, name)
    setattr(config, name, value)
    try:
        yield
    finally:
        setattr(config, name, before)


def no_grad():
    return using_config("enable_backprop", False)


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data, name=None):
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(f"Variable: {type(data).__name__} is not supported: a NumPy array (or None) is expected, such as np.array(3.0)")
        self.data = data
        self.name = name
        self.grad = None
        self.creator = None
        self.generation = 0

    def set_creator(self, func):
        self.creator = func
        self.generation = func.generation + 1

    def cleargrad(self):
        self.grad = None

    def backward(self, retain_grad=False):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        waiting, seen = [], set()

        def wait(func):
            if func is not None and func not in seen:
                seen.add(func)
                heapq.heappush(waiting, (-func.generation, len(seen), func))

        wait(self.creator)
        while waiting:
            _, _, f = heapq.heappop(waiting)
            ys = [output() for output in f.outputs]
            gys = [np.zeros(*kind) if y is None or y.grad is None else y.grad for y, kind in zip(ys, f.kinds, strict=True)]
            gxs = f.backward(*gys)
            if not isinstance(gxs, tuple):
                gxs = (gxs,)
            for x, gx in zip(f.inputs, gxs, strict=True):
                x.grad = gx if x.grad is None else x.grad + gx
                wait(x.creator)
            if not retain_grad:
                for y in ys:
                    if y is not None:
                        y.grad = None

    @property
    def shape(self):
        return self.data.shape

    @property
    def ndim(self):
        return self.data.ndim

    @property
    def size(self):
        return self.data.size

    @property
    def dtype(self):
        return self.data.dtype

    def item(self):
        if self.size != 1:
            raise ValueError(f"a Variable of shape {self.shape} is not one number")
        return self.data.item()

    def __float__(self):
        return float(self.item())

    def __bool__(self):
        return bool(self.item())

    def __len__(self):
        return len(self.data)

    def __iter__(self):
        return (row(self, i) for i in range(len(self)))

    def __repr__(self):
        notes = [] if self.name is None else [f"name={self.name!r}"]
        if self.data is not None and self.dtype not in (np.float64, np.int64, np.bool_):
            notes.append(f"dtype={self.dtype}")
        if self.grad is not None:
            notes.append(f"grad={self.grad.shape if self.grad.shape else self.grad}")
        text = str(self.data).replace("\n", "\n" + " " * len("variable("))
        return f"variable({', '.join([text, *notes])})"

    def __add__(self, other):
        return add(self, other)

    def __mul__(self, other):
        return mul(self, other)


class Function:
    """A function from Variables to Variables: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        ys = self.forward(*xs)
        if not isinstance(ys, tuple):
            ys = (ys,)
        outputs = [Variable(as_array(y)) for y in ys]
        if config.enable_backprop:
            self.generation = max(x.generation for x in inputs)
            for output in outputs:
                output.set_creator(self)
            self.inputs = inputs
            self.outputs = [weakref.ref(output) for output in outputs]
            self.kinds = [(output.data.shape, output.data.dtype) for output in outputs]
        return outputs if len(outputs) > 1 else outputs[0]

    def forward(self, *xs):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward that takes arrays and returns one, or a tuple of them")

    def backward(self, *gys):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward that takes a gradient for each output, returns one for each input")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% A few functions


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


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return gy * b.data, gy * a.data


class Row(Function):
    def __init__(self, i):
        self.i = i

    def forward(self, x):
        return x[self.i]

    def backward(self, gy):
        (x,) = self.inputs
        gx = np.zeros_like(x.data)
        gx[self.i] = gy
        return gx


def square(x):
    return Square()(x)


def exp(x):
    return Exp()(x)


def add(a, b):
    return Add()(a, b)


def mul(a, b):
    return Mul()(a, b)


def row(x, i):
    return Row(i)(x)


# %% The same formula twice
# Once in words, once in signs. The number, the slopes and the functions behind them must be the same.


def boxes(a=3.0, b=2.0, c=1.0):
    return Variable(np.array(a), "a"), Variable(np.array(b), "b"), Variable(np.array(c), "c")


def in_words(a, b, c):
    return add(mul(a, b), c)


def in_signs(a, b, c):
    return a * b + c


def written(y):
    """How y came about, in words: read from the graph."""
    if y.creator is None:
        return y.name
    return f"{type(y.creator).__name__.lower()}({', '.join(map(written, y.creator.inputs))})"


def same_formula():
    found = []
    print("with a = 3, b = 2, c = 1      y    slopes by a, b, c   from the graph")
    for name, f in (("add(mul(a, b), c)", in_words), ("a * b + c", in_signs)):
        leaves = boxes()
        y = f(*leaves)
        text = written(y)
        y.backward()
        slopes = [float(x.grad) for x in leaves]
        found.append([float(y), slopes, text])
        print(f"{name:28} {float(y):.0f}   {'  '.join(f'{slope:.0f}' for slope in slopes):18}  {text}")
    return found


# %% Brackets for free
# Which comes first, + or *? That is settled before a box is asked: Python reads the line, and then calls the methods in the right order. So the
# rules of school hold, and brackets change them as usual.


def order_of_signs():
    a, b, c = boxes(c=4.0)
    found = {}
    print("\nwith c = 4         means                          y")
    for text, y in {"a + b * c": a + b * c, "(a + b) * c": (a + b) * c, "a + b + c": a + b + c, "a * (b + a * c)": a * (b + a * c)}.items():
        found[text] = [written(y), float(y)]
        print(f"{text:18} {found[text][0]:26} {found[text][1]:5.0f}")
    return found


# %% What += does
# Many objects change themselves at ``+=``: a list grows, an array gets new numbers. A box must not. Its old content is still needed on the way
# back. As we do not define ``__iadd__``, Python takes ``total += b`` for ``total = total + b``: the name moves to a new box, and the old one stays
# as it is.


def plus_and_assign():
    a, b, _ = boxes()
    total = a
    total += b
    total *= total
    total.backward()
    print(f"\ntotal = a; total += b; total *= total: total is {float(total):.0f}, a is still {float(a):.0f}, its slope is {float(a.grad):.0f}")
    return float(total), float(a), float(a.grad)


# %% What is still missing
# Between two boxes all is well. With a plain number it is not: ``a + 1`` finds no data in the 1, and for ``1 + a`` Python asks the 1 first, and the
# 1 does not know what a box is. Even ``sum`` fails, as it begins with 0. This is the task of step 21.


def missing():
    a, b, _ = boxes()
    found = {}
    print()
    for text, attempt in {"a + 1": lambda: a + 1, "1 + a": lambda: 1 + a, "sum([a, b])": lambda: sum([a, b])}.items():
        try:
            attempt()
        except (AttributeError, TypeError) as error:
            found[text] = type(error).__name__
            print(f"{text:12} {found[text]}: {error}")
    return found


def draw(path):
    a, b, c = boxes()
    t = a * b
    y = t + c
    t.name, y.name = "a * b", "a * b + c"
    y.backward(retain_grad=True)
    places = {a: (0, 0.7), b: (0, -0.3), t: (2, 0.2), c: (2, -0.8), y: (4, -0.3)}
    with picture(path, size=(9.0, 3.6)) as ax:
        ax.set(xlim=(-0.6, 4.6), ylim=(-1.2, 1.1), xticks=[], yticks=[])
        ax.set_title("a * b + c: boxes with data and gradient, functions between them")
        ax.spines[:].set_visible(False)
        for box, (i, j) in places.items():
            ax.bar(i, 0.6, 0.84, bottom=j - 0.3, color="#fdf3d8", edgecolor="0.4")
            ax.text(i, j, f"{box.name}\ndata {float(box):.0f}\ngrad {float(box.grad):.0f}", ha="center", va="center")
            f = box.creator
            if f is not None:
                ax.bar(i - 1, 0.4, 0.5, bottom=j - 0.2, color="#cfe3f3", edgecolor="0.4")
                ax.text(i - 1, j, type(f).__name__, ha="center", va="center")
                ax.annotate("", (i - 0.42, j), (i - 0.75, j), arrowprops={"arrowstyle": "->", "color": "0.4"})
                for x, shift in zip(f.inputs, (0.1, -0.1), strict=True):
                    from_i, from_j = places[x]
                    ax.annotate("", (i - 1.25, j + shift), (from_i + 0.42, from_j), arrowprops={"arrowstyle": "->", "color": "0.4"})


def main(out=None, fast=False):
    words, signs = same_formula()
    order = order_of_signs()
    total, a, slope = plus_and_assign()
    errors = missing()
    if out:
        draw(out / "graph.png")
    return {"words": words, "signs": signs, "order": order, "total": total, "a": a, "slope": slope, "errors": errors}


# %% Exercises: python -m steps.check 20 my_answer.py
# 1. ``predict()``: y = (a + b) * (a * c) + b with a = 2, b = 3, c = 4. A list of four: y, and its slopes by a, b, c. By hand, please.
# 2. ``polynomial(cs, x)``: c0 + c1 · x + c2 · x² + ..., for a list of Variables cs and a Variable x, with one multiplication less than there are
#    cs.
# 3. ``Text``: a class with + and * that computes nothing and writes the formula down. ``str(Text("a") * Text("b") + Text("c"))`` is "((a * b) +
#    c)": brackets around each operation.

if __name__ == "__main__":
    run(main)
