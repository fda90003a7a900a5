"""Which signs are still missing, and what does each do on the way back?

With + and * one can write polynomials. This script adds the rest of school mathematics: minus, division, powers, absolute values, products of
tables, and comparisons. With it the little framework is complete: it computes what the library computes, which you import from step 23 on.
"""

import contextlib
import heapq
import threading
import weakref

import numpy as np

from support import run

# %% One function for each sign
# Each new function brings its slopes. Most of them are known from school; ``Abs`` has the sign of x, 1 or -1. Three need a word.
#
# - a ** b has two slopes: b · aᵇ⁻¹ by a, and aᵇ · log(a) by b. For b = 0 the first is 0, but at a = 0 it would be computed as 0 · 0⁻¹, so the
#   exponent stays 0 there; ``b != 0`` is 1 or 0. The logarithm of 0 is minus infinity, and 0ᵇ remains 0 if b moves, so a 0 is replaced by 1, whose
#   logarithm is 0. A negative a has no logarithm. NumPy then writes NaN, "not a number", and that is the truth: there is no slope by b. In x ** 2
#   the 2 gets this NaN, in its hidden box, and nobody sees it.
# - a @ b is the product of tables: each number is a row of a times a column of b. Its slopes are products of tables again, with one of them flipped
#   over, rows to columns (``.T``). The shapes leave no other choice.
# - Comparisons have no slope, since yes and no do not move by a little. They answer with what the arrays answer, and no box. And == we leave alone:
#   for a box it asks whether two boxes are the same one. Python needs that to find a box in a list.


# %% The framework, complete
# New are the methods of ``Variable`` from ``__neg__`` on, and the functions ``Neg`` to ``MatMul``.


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

    def __neg__(self):
        return neg(self)

    def __abs__(self):
        return absolute(self)

    def __sub__(self, other):
        return sub(self, other)

    def __rsub__(self, other):
        return sub(other, self)

    def __truediv__(self, other):
        return div(self, other)

    def __rtruediv__(self, other):
        return div(other, self)

    def __pow__(self, other):
        return power(self, other)

    def __rpow__(self, other):
        return power(other, self)

    def __matmul__(self, other):
        return matmul(self, other)

    def __rmatmul__(self, other):
        return matmul(other, self)

    def __lt__(self, other):
        return self.data < plain(other)

    def __le__(self, other):
        return self.data <= plain(other)

    def __gt__(self, other):
        return self.data > plain(other)

    def __ge__(self, other):
        return self.data >= plain(other)


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


def plain(x):
    return x.data if isinstance(x, Variable) else x


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


class Neg(Function):
    def forward(self, x):
        return -x

    def backward(self, gy):
        return -gy


class Abs(Function):
    def forward(self, x):
        return abs(x)

    def backward(self, gy):
        (x,) = self.inputs
        return gy * np.sign(x.data)


class Sub(Function):
    def forward(self, a, b):
        return a - b

    def backward(self, gy):
        return gy, -gy


class Div(Function):
    def forward(self, a, b):
        return a / b

    def backward(self, gy):
        a, b = self.inputs
        return gy / b.data, -gy * a.data / b.data**2


class Pow(Function):
    def forward(self, a, b):
        return a**b

    def backward(self, gy):
        a, b = (x.data for x in self.inputs)
        with np.errstate(invalid="ignore"):
            log = np.log(a + (a == 0))
        return gy * b * a ** (b - (b != 0)), gy * a**b * log


class MatMul(Function):
    def forward(self, a, b):
        if a.ndim != 2 or b.ndim != 2:
            raise ValueError(f"@: two tables are expected, arrays of shape {a.shape} and {b.shape} were given")
        return a @ b

    def backward(self, gy):
        a, b = self.inputs
        return gy @ b.data.T, a.data.T @ gy


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


def neg(x):
    return Neg()(x)


def absolute(x):
    return Abs()(x)


def sub(a, b):
    return Sub()(a, b)


def div(a, b):
    return Div()(a, b)


def power(a, b):
    return Pow()(a, b)


def matmul(a, b):
    return MatMul()(a, b)


def row(x, i):
    return Row(i)(x)


# %% Slopes, and tried out
# The signs with two boxes, with a number on the left, with a number on the right. Here it shows that the order of ``__rsub__`` matters.


FORMULAS = {
    "a - b": lambda a, b: a - b,
    "1 - a": lambda a, b: 1 - a,
    "a / b": lambda a, b: a / b,
    "1 / a": lambda a, b: 1 / a,
    "abs(-a)": lambda a, b: abs(-a),
    "a ** b": lambda a, b: a**b,
    "a ** 2": lambda a, b: a**2,
    "2 ** b": lambda a, b: 2**b,
}


def numerical_grads(f, xs, weights, eps=1e-4):
    """Step 10's way to try out slopes, for several boxes."""
    grads = []
    for x in xs:
        kept, grad = x.data, np.zeros_like(x.data)
        for i in np.ndindex(x.shape):
            values = []
            for step in (eps, -eps):
                x.data = kept.copy()
                x.data[i] += step
                values.append((f(*xs).data * weights).sum())
            grad[i] = (values[0] - values[1]) / (2 * eps)
        x.data = kept
        grads.append(grad)
    return grads


def slopes_at_a_point():
    found = {}
    print("a = 3, b = 2       y   slope by a  tried out   slope by b  tried out")
    for text, f in FORMULAS.items():
        xs = Variable(np.array(3.0)), Variable(np.array(2.0))
        y = f(*xs)
        y.backward()
        tried = numerical_grads(f, xs, 1.0)
        slopes = [0.0 if x.grad is None else float(x.grad) for x in xs]
        found[text] = [float(y), slopes, [float(slope) for slope in tried]]
        row_ = [f"{slope:9.4f} {other + 0.0:10.4f}" for slope, other in zip(slopes, tried, strict=True)]
        print(f"{text:10} {float(y):9.4f}   {row_[0]}    {row_[1]}")
    return found


# %% Tables of random numbers
# One point proves little. So the same again at many points, in tables, with weights as in step 10. ``a @ b`` comes in as well, here 2 by 3 times 3
# by 4.


def slopes_in_tables():
    rng = np.random.default_rng(0)
    worst = {}
    for text, f in [*FORMULAS.items(), ("a @ b", lambda a, b: a @ b)]:
        xs = Variable(rng.uniform(0.5, 2.0, (2, 3))), Variable(rng.uniform(0.5, 2.0, (3, 4) if text == "a @ b" else (2, 3)))
        y = f(*xs)
        y.grad = weights = rng.uniform(1.0, 2.0, y.shape)
        y.backward()
        tried = numerical_grads(f, xs, weights)
        worst[text] = max(float(abs((0 if x.grad is None else x.grad) - slope).max()) for x, slope in zip(xs, tried, strict=True))
    print(f"\nin random tables, {len(worst)} formulas: all slopes differ by less than 0.000001 from those tried out: {max(worst.values()) < 1e-6}")
    return worst


# %% Comparisons
# The answers are NumPy's, one for each number. They are good for choosing, in a loop or an if.


def comparisons():
    x = Variable(np.array([1.0, 2.0, 3.0]))
    twin = Variable(np.array([1.0, 2.0, 3.0]))
    answers = {"x > 2": x > 2, "x >= 2": x >= 2, "x < x * x": x < x * x}
    print("\n" + "   ".join(f"{text}: {answer}" for text, answer in answers.items()))
    print(f"x == twin, another box with the same numbers: {x == twin}   twin in [x]: {twin in [x]}   x in [twin, x]: {x in [twin, x]}")
    return {text: [type(answer).__name__, str(answer.dtype), answer.tolist()] for text, answer in answers.items()}, x == twin


# %% As on paper
# In step 06 we carried slopes back by hand, and at the end stood 0.6225, the sigmoid of 0.5. Now the sigmoid is one line, slope included.


def sigmoid_in_one_line():
    x = Variable(np.array(0.5))
    y = 1 / (1 + np.e**-x)
    y.backward()
    print(f"\n1 / (1 + e ** -x) at 0.5: {float(y):.10f}, slope {float(x.grad):.10f}")
    return float(y), float(x.grad)


# %% Where it ends
# The framework is complete, and it is small, so it has limits. One should be known: two boxes of different shapes. NumPy stretches the smaller one,
# and on the way back its gradient would have to shrink again. Ours does not: the gradient has the wrong shape. (A plain number beside a box does no
# harm, as nobody asks for its gradient.) Step 40 is about that. Steps 30 to 32 are about slopes of slopes: our gradients are bare arrays, and have
# no history.
#
# The library has all that, and it begins with what you know: a Variable, a Function with forward and backward, generations, weak references.


def limits():
    a, b = Variable(np.array([1.0, 2.0, 3.0])), Variable(np.array(2.0))
    (a * b).backward()
    print(f"\na of shape {a.shape} times b of shape {b.shape}: b.grad has shape {b.grad.shape}, but should have {b.shape}")
    return a.grad.shape, b.grad.shape


def main(out=None, fast=False):
    point = slopes_at_a_point()
    worst = slopes_in_tables()
    answers, same = comparisons()
    y, slope = sigmoid_in_one_line()
    shapes = limits()
    return {"point": point, "worst": worst, "answers": answers, "same": same, "sigmoid": [y, slope], "shapes": shapes}


# %% Exercises: python -m steps.check 22 my_answer.py
# 1. ``predict()``: x is a box with 3. A list of what these give, a float for each that is a box: -x ** 2, 2 ** x ** 2, 7 - x - 1, x ==
#    Variable(x.data), 2 / x * x.
# 2. ``greater(a, b)``: the greater one of two boxes, number by number, written with signs alone. Its slope by a is 1 where a is greater, otherwise
#    0.
# 3. ``Mod``: the remainder a % b (for positive numbers) as a Function, with both slopes. How does it move if a grows a little? And if b does?

if __name__ == "__main__":
    run(main)
