"""Can the framework find the right order by itself?

Step 15 found an order that never fails, from outside: it worked out the generations after the fact. Now each function writes down its own
generation when it is called, and ``backward`` always takes the youngest that waits. With this the framework differentiates whatever we
build from its functions, however the ways split and meet.
"""

import heapq

import numpy as np

from support import picture, run

# %% Generations are written down on the way forward
# Nobody has to search. A box that we made ourselves has generation 0. A function takes over the greatest generation among its inputs, and its outputs
# get one more. That is one line in ``__call__`` and one in ``set_creator``.
#
# On the way back, functions that have been reached wait in a heap. That is a list kept in such an order that its smallest element is always found at
# once; Python has it in ``heapq``. As we want the youngest, we put in the generation with a minus. The set ``seen`` lets no function wait twice.
#
# A heap compares its elements. Two functions of the same generation cannot be compared, so between generation and function stands a running number:
# of two equals the one that came first goes first.


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(f"Variable: {type(data).__name__} is not supported: a NumPy array (or None) is expected, such as np.array(3.0)")
        self.data = data
        self.grad = None
        self.creator = None
        self.generation = 0

    def set_creator(self, func):
        self.creator = func
        self.generation = func.generation + 1

    def cleargrad(self):
        self.grad = None

    def backward(self):
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
            gys = [np.zeros_like(y.data) if y.grad is None else y.grad for y in f.outputs]
            gxs = f.backward(*gys)
            if not isinstance(gxs, tuple):
                gxs = (gxs,)
            for x, gx in zip(f.inputs, gxs, strict=True):
                x.grad = gx if x.grad is None else x.grad + gx
                wait(x.creator)


class Function:
    """A function from Variables to Variables: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        ys = self.forward(*xs)
        if not isinstance(ys, tuple):
            ys = (ys,)
        outputs = [Variable(as_array(y)) for y in ys]
        self.generation = max(x.generation for x in inputs)
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


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return gy * b.data, gy * a.data


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


def mul(a, b):
    return Mul()(a, b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(as_array(x.data - eps))), f(Variable(as_array(x.data + eps)))
    return (y1.data - y0.data) / (2 * eps)


# %% The diamond of step 15
# It came out as 2.2529, 0.4845 and 1.2840 in the wrong orders. Now ``backward`` itself is right.


def diamond(x):
    a = square(x)
    return add(exp(a), half(sin(a)))


def diamond_again():
    x = Variable(np.array(0.5))
    diamond(x).backward()
    print(f"the diamond of step 15: {x.grad:.4f}, tried out {numerical_diff(diamond, x):.4f}")
    return float(x.grad)


# %% Watch the order
# A harder one: y = a · a + sin(a) with a = x². The box a is used three times, twice by the same ``Mul``. We listen to each function, as in step 07,
# and write down which one is called.


def formula(x):
    a = square(x)
    return add(mul(a, a), sin(a))


def listen(f, calls):
    original = f.backward

    def backward(*gys):
        calls.append(f)
        return original(*gys)

    f.backward = backward


def functions_of(y):
    """The functions that led to y, each once."""
    found, waiting = set(), [y.creator]
    while waiting:
        f = waiting.pop()
        if f is not None and f not in found:
            found.add(f)
            waiting.extend(x.creator for x in f.inputs)
    return found


def watch():
    x, calls = Variable(np.array(1.5)), []
    y = formula(x)
    for f in functions_of(y):
        listen(f, calls)
    y.backward()
    tried = numerical_diff(formula, x)
    print(f"\na · a + sin(a) with a = x² at x = 1.5: y = {y.data:.9f}")
    print(f"dy/dx = {x.grad:.9f}, tried out {tried:.5f}\n\ncall   function   generation")
    for turn, f in enumerate(calls, 1):
        print(f"{turn:4}   {type(f).__name__:8} {f.generation:12}")
    return x, y, float(tried), calls


# %% What the heap saves
# Without a heap we would look through the whole list for the youngest function, each time. Let n branches start at x and be added up one by one:
# x² + x² + ... For ``backward`` this is hard, as all the ``Square`` functions come to wait at the same time. Looking through the list takes
# (n - 1)² comparisons of generations in all. For the heap we count them: ``Age`` is a number that notes how often it is compared.
# Python calls ``__neg__`` for -a and ``__eq__`` for a == b; two elements of the heap are compared by asking first whether their ages are equal.


class Age(int):
    comparisons = 0

    def __neg__(self):
        return Age(-int(self))

    def __eq__(self, other):
        Age.comparisons += 1
        return int(self) == int(other)

    __hash__ = int.__hash__


def branches(x, n):
    y = square(x)
    for _ in range(n - 1):
        y = add(y, square(x))
    return y


def count_work():
    print("\nbranches   functions called   comparisons: in a list    with a heap")
    found = {}
    for n in (10, 100, 1000, 4000):
        x, calls = Variable(np.array(3.0)), []
        y = branches(x, n)
        for f in functions_of(y):
            f.generation = Age(f.generation)
            listen(f, calls)
        Age.comparisons = 0
        y.backward()
        found[n] = {"calls": len(calls), "different": len(set(calls)), "comparisons": Age.comparisons, "gradient": float(x.grad)}
        print(f"{n:8} {len(calls):18,} {(n - 1) ** 2:22,} {Age.comparisons:14,}")
    return found


# %% What has been reached
# The framework in this file is small, and its way back is complete: many inputs, many outputs, boxes used many times, any graph. What follows in
# steps 17 to 22 does not make it more right. It makes it lighter, quicker, and pleasant to use.


def draw(path, x, y, calls):
    spots = {"Square": (1, 0), "Mul": (3, 0.6), "Sin": (3, -0.6), "Add": (5, 0)}
    with picture(path, size=(10.0, 4.2)) as ax:
        ax.set(xlim=(-0.6, 6.6), ylim=(-1.1, 1.1), yticks=[], xticks=range(7), xticklabels=[0, 0, 1, 1, 2, 2, 3], xlabel="generation")
        ax.set_title("The youngest first: the number under a function is its turn on the way back")
        ax.spines[:].set_visible(False)
        arrow = {"arrowstyle": "->", "color": "0.4"}
        places = {x: (0, 0), y: (6, 0)}
        for turn, f in enumerate(calls, 1):
            i, j = spots[type(f).__name__]
            ax.bar(i, 0.4, 0.7, bottom=j - 0.2, color="#cfe3f3", edgecolor="0.4")
            ax.text(i, j, f"{type(f).__name__}\n{turn}", ha="center", va="center")
            places.setdefault(f.outputs[0], (i + 1, j))
        for box, (i, j) in places.items():
            ax.bar(i, 0.4, 0.8, bottom=j - 0.2, color="#fdf3d8", edgecolor="0.4")
            ax.text(i, j, f"data {box.data:.3f}\ngrad {box.grad:.3f}", ha="center", va="center", fontsize=8)
        for f in calls:
            i, j = spots[type(f).__name__]
            for k, box in enumerate(f.inputs):
                shift = 0.12 * (k - (len(f.inputs) - 1) / 2)
                ax.annotate("", (i - 0.35, j - shift), (places[box][0] + 0.4, places[box][1] - shift), arrowprops=arrow)
            ax.annotate("", (i + 0.6, j), (i + 0.35, j), arrowprops=arrow)


def main(out=None, fast=False):
    again = diamond_again()
    x, y, tried, calls = watch()
    work = count_work()
    if out:
        draw(out / "order.png", x, y, calls)
    return {"diamond": again, "y": float(y.data), "gradient": float(x.grad), "tried": tried, "calls": [type(f).__name__ for f in calls],
            "generations": [f.generation for f in calls], "work": work}


# %% Exercises: python -m steps.check 16 my_answer.py
# 1. ``breaks_without_number()``: somebody puts (-func.generation, func) into the heap. Give a Variable y, made with at most three functions, whose
#    ``backward`` would stop with a TypeError then.
# 2. ``most_waiting(y)``: how many functions wait at the same time, at most, when y.backward() runs? It must not change any grad.
# 3. ``gradient(y, x)``: the slope of y by x as an array, for any graph, without touching the grad of any box. (0 if x did not lead to y.)

if __name__ == "__main__":
    run(main)
