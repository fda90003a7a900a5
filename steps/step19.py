"""Can a box be as easy to handle as the array in it?

It is clumsy so far: print shows a memory address, len refuses, and every question goes to ``x.data``. This script teaches the box to answer for
itself: shape and length, a text for the eye, rows in a loop, truth and number. Two of these hold a trap.
"""

import contextlib
import heapq
import math
import threading
import weakref

import numpy as np

from support import run

# %% How Python asks
# Python's own functions do not look into an object, they ask it. ``len(x)`` calls ``x.__len__()``, print asks ``__repr__`` for a text, a loop asks
# ``__iter__`` for one thing after the other, ``if x:`` asks ``__bool__``, and float(x) asks ``__float__``. An object with these methods fits in.
#
# ``@property`` above a method means that it is called without brackets, as if it were stored: ``x.shape``. It is asked anew each time, so it is
# right even after somebody has swapped ``x.data``.
#
# Besides, a box may have a name. The framework makes no use of it. It is for people: in a text, in a message, later in drawings.


# %% The framework, with a box that answers
# New are the methods of ``Variable`` from ``shape`` on, the name, and the function ``Row``.


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


# %% What print shows
# The data first. Then what cannot be seen from it, and only if there is something to tell: the name, the type of the numbers if it is not one of
# the usual ones, and the gradient: its value if it is one number, otherwise its shape. Whoever hunts for a bug sees at a glance whether it is
# there.


def texts():
    x = Variable(np.array(3.0), name="x")
    square(x).backward()
    table = Variable(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]]))
    long = Variable(np.arange(5000.0))
    boxes = {"a number": Variable(np.array(3.0)), "a table": table, "a long one": long, "with name and grad": x, "empty": Variable(None),
             "float32": Variable(np.array([1.0, 2.5], dtype=np.float32))}
    for what, box in boxes.items():
        print(f"{what + ':':20}" + repr(box).replace("\n", "\n" + " " * 20))
    return {what: repr(box) for what, box in boxes.items()}


# %% Questions to the box
# Four questions which arrays answer, and ``len``, the number of rows. A table of 2 rows with 3 numbers each has length 2 and size 6.


def questions():
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]))
    answers = {"shape": x.shape, "ndim": x.ndim, "size": x.size, "dtype": str(x.dtype), "len": len(x)}
    print("\n" + "   ".join(f"{question} {answer}" for question, answer in answers.items()))
    return answers


# %% Rows, and the first trap
# A loop over x gives one row after the other. It would be easy to put ``x.data[i]`` into a new box. The numbers would be right, but the new box has
# no creator: the way back ends there, and x gets no gradient. So taking a row is a Function, ``Row``. On the way back, the gradient of the row is
# put where the row came from, with zeros around it.
#
# As a gift, Python can now unpack a box: ``a, b = x``.


def rows():
    x = Variable(np.array([3.0, 4.0]))
    a, b = x
    add(square(a), square(b)).backward()
    z = Variable(np.array([3.0, 4.0]))
    c, d = (Variable(np.array(number)) for number in z.data)
    add(square(c), square(d)).backward()
    print(f"\na² + b² at (3, 4), a and b taken out by Row: x.grad = {x.grad}; boxed anew: x.grad = {z.grad}")
    return x.grad, z.grad


# %% Truth, and the second trap
# If an object has no ``__bool__``, Python asks for its length: empty is false, the rest is true. That is fine for lists. Since a box has a length,
# ``if x:`` would ask for it too, and [0.0] would be true. And what about two numbers at once? There is no good answer, so the box refuses, as
# arrays do.


class LengthOnly:
    def __init__(self, data):
        self.data = data

    def __len__(self):
        return len(self.data)


def truth():
    found = {}
    print("\nif x: with      length only   Variable")
    for data in (np.array(0.0), np.array([0.0]), np.array([3.0]), np.array([1.0, 2.0])):
        answers = []
        for box in (LengthOnly(data), Variable(data)):
            try:
                answers.append(bool(box))
            except (TypeError, ValueError) as error:
                answers.append(type(error).__name__)
        found[str(data.tolist())] = answers
        print(f"{data.tolist()!s:15} {answers[0]!s:13} {answers[1]}")
    return found


# %% A number, if it is one
# ``float(x)`` gives a plain number, so everything in Python that wants one can take a box: ``math.sqrt``, a text with three digits, a comparison.
# What comes out is a plain number as well. The framework does not see what happens to it, and no gradient comes back from there.


def as_a_number():
    x = Variable(np.array([[2.0]]))
    root = math.sqrt(x)
    try:
        float(Variable(np.array([1.0, 2.0])))
    except ValueError as error:
        print(f"\nmath.sqrt of {x} is {root:.4f}, a {type(root).__name__}; float of two numbers: {error}")
        return root, str(error)


def main(out=None, fast=False):
    shown = texts()
    answers = questions()
    slopes, lost = rows()
    true = truth()
    root, message = as_a_number()
    return {"texts": shown, "answers": answers, "slopes": slopes, "lost": lost, "truth": true, "root": root, "message": message}


# %% Exercises: python -m steps.check 19 my_answer.py
# 1. ``predict()``: a list of five: the length, the size and ``ndim`` of a Variable with np.zeros((4, 1, 3)), then ``bool`` of one with
#    np.array([[-1.0]]), and of one with np.array([0]).
# 2. ``column(x, j)``: column j of a table as a Variable, so that gradients find the way back, as ``row`` does for rows.
# 3. ``Pretty``: a kind of Variable that f"{x:.2f}" can print. Python asks ``__format__(self, spec)``, spec being ".2f". One number gives "3.14", a
#    list gives "[3.14 2.72]".

if __name__ == "__main__":
    run(main)
