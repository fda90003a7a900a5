"""What if only one side is a box?

2 * x + 1 has one box and two plain numbers. Step 20 fails on it, on either side. Letting numbers in is easy. Letting them in without spoiling the
numbers in the box takes some care.
"""

import contextlib
import heapq
import threading
import weakref

import numpy as np

from support import run

# %% From the right, and into a box
# For ``x * 2`` Python asks the box, which calls ``mul(x, 2)``. So ``Function`` now puts all its inputs into boxes first: ``as_variables``. For
# ``2 * x`` Python asks the 2 first. As it has no answer for a box, Python turns to the right side, with another method: ``x.__rmul__(2)``, with r
# for right. The order is kept, ``mul(2, x)``. For * it makes no difference, for - and / it will.
#
# What goes into a box must be an array, so the 2 becomes one. An array has a type for its numbers, its dtype: float64 takes 8 bytes for each,
# float32 takes 4, and networks are mostly trained with float32. Which one should the 2 get? A plain 2.0 has no opinion. If we do not care, NumPy
# chooses float64, and the result of a float32 array and a float64 array is float64.
#
# So a number takes the dtype of its partner, if this can hold it. ``np.result_type`` is NumPy's rule for that: float32 beside 2.0 remains float32,
# but an array of integers beside 2.5 becomes float64, as otherwise the half would be lost. NumPy has numbers of its own, such as np.float64(2.0),
# which come out of np.mean and the like. They count as plain numbers. Arrays keep their type, also those without axes.


# %% The framework, with numbers beside boxes
# New are the first line and the last two methods of ``Variable``, the first line of ``Function.__call__``, and ``as_variables`` with its helper.


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

    __array_ufunc__ = None

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

    def __radd__(self, other):
        return add(other, self)

    def __rmul__(self, other):
        return mul(other, self)


class Function:
    """A function from Variables to Variables: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        inputs = as_variables(inputs)
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


def as_variables(inputs):
    """A box for each input. A number takes the type of the arrays beside it, if that type can hold it."""
    dtypes = [x.dtype for x in inputs if isinstance(x, (Variable, np.ndarray))]
    return tuple(x if isinstance(x, Variable) else Variable(number_beside(x, dtypes)) for x in inputs)


def number_beside(x, dtypes):
    if not isinstance(x, (int, float, np.number, np.bool_)):
        return x
    number = x.item() if isinstance(x, np.generic) else x
    return np.array(number, np.result_type(*dtypes, number))


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


# %% It works on both sides
# A formula as on paper, and ``sum``, which begins with the number 0. A number needs no gradient. It gets one in its hidden box, where nobody sees
# it.


def parabola(x):
    return 3 * x * x + x * 2 + 1


def both_sides():
    x, z = Variable(np.array(2.0)), Variable(np.array(5.0))
    y = parabola(x)
    y.backward()
    total = sum([x, z, 0.5])
    print(f"3x² + 2x + 1 at 2: {float(y):.0f}, slope {x.grad:.0f}; sum([x, z, 0.5]) with x = 2, z = 5: {float(total)}")
    return float(y), float(x.grad), float(total)


# %% float32 stays float32
# Twelve ways to combine a box of float32 with something else. The last column is what would come out if each number went into a box just as it is.


def twelve():
    x = Variable(np.array([1.0, 2.0, 3.0], np.float32))
    partners = {"Variable": Variable(np.full(3, 2.0, np.float32)), "array": np.full(3, 2.0, np.float32), "2.0": 2.0, "2": 2,
                "np.float32(2)": np.float32(2), "np.float64(2)": np.float64(2)}
    found = {}
    print("\npartner p        x * p                p * x                without care")
    for name, p in partners.items():
        careless = (x.data * (p.data if isinstance(p, Variable) else np.array(p))).dtype
        for sign, left, right in (("+", x + p, p + x), ("*", x * p, p * x)):
            found[f"x {sign} {name}"], found[f"{name} {sign} x"] = ([type(y).__name__, str(y.dtype), y.data.tolist()] for y in (left, right))
        sides = [f"{type(y).__name__} {y.dtype}" for y in (x * p, p * x)]
        print(f"{name:16} {sides[0]:20} {sides[1]:20} {careless}")
    return found


# %% And the way back?
# There too. One float64 in a long formula would turn all that follows into float64: twice the memory, and half the speed on many machines. Nothing
# would be wrong, so nobody would notice.


def way_back():
    x = Variable(np.array([1.0, 2.0, 3.0], np.float32))
    y = sum(0.5 * (parabola(x) + np.float64(1.5)))
    y.backward()
    n = Variable(np.array([1, 2, 3]))
    print(f"\na long formula: {y.dtype}, its gradient: {x.grad.dtype}; integers times 2.5: {(n * 2.5).data}, {(n * 2.5).dtype}")
    return [str(y.dtype), str(x.grad.dtype)], (n * 2.5).data


# %% An array on the left
# An array does have an answer for ``array * x``: it takes each of its numbers, and multiplies it by the box. Three numbers, three boxes, in an
# array of objects. The line ``__array_ufunc__ = None`` tells NumPy to keep its hands off. Then the array declines as the 2 does, and ``__rmul__``
# is asked.


class Untold:
    """A box without that line."""

    def __init__(self, data):
        self.data = data

    def __rmul__(self, other):
        return Untold(other * self.data)


def array_on_the_left():
    numbers = np.array([10.0, 20.0, 30.0])
    untold, told = numbers * Untold(np.array([1.0, 2.0, 3.0])), numbers * Variable(np.array([1.0, 2.0, 3.0]))
    print(f"\nwithout the line: an {type(untold).__name__} of dtype {untold.dtype}, and its first element holds {untold[0].data}")
    print(f"with it:          a {type(told).__name__} that holds {told.data}")
    return str(untold.dtype), untold[0].data, told.data


# %% The door stays closed
# Text and lists are refused, in the words of step 09. A list might be meant as an array; whoever means it says so with np.array.


def refused():
    x, messages = Variable(np.array([1.0, 2.0])), []
    print()
    for other in ("3", [1.0, 2.0]):
        try:
            x * other
        except TypeError as error:
            messages.append(str(error))
            print(f"x * {other!r}: {error}")
    return messages


def main(out=None, fast=False):
    value, slope, total = both_sides()
    combinations = twelve()
    dtypes, integers = way_back()
    untold, element, told = array_on_the_left()
    messages = refused()
    return {"value": value, "slope": slope, "total": total, "combinations": combinations, "dtypes": dtypes, "integers": integers,
            "untold": untold, "element": element, "told": told, "messages": messages}


# %% Exercises: python -m steps.check 21 my_answer.py
# 1. ``predict()``: x is a box of float32, n one of int64. A list of the dtypes, as text, of x * 2, x * np.float64(2), x * np.array(2.0), n * 2, n *
#    2.5 and x * n.
# 2. ``unlucky()``: somebody gives a number the dtype of its partner in any case: np.array(number, dtype). Give an array and a number for which
#    ``Variable(array) * number`` comes out wrong then, without an error.
# 3. ``Text``: the class of step 20's exercise, with plain numbers on either side: ``str(1 + Text("x") * 2)`` is "(1 + (x * 2))", and
#    ``str(2 * Text("x"))`` is "(2 * x)".

if __name__ == "__main__":
    run(main)
