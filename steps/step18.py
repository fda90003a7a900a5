"""What does the framework keep that nobody will ask for?

Since step 17 everything goes once the result goes. But while the result lives, all the boxes behind it live too, and each has kept a gradient.
Often nobody wants those. This script drops the gradients in the middle, and adds a switch for those who only want to compute.
"""

import contextlib
import heapq
import threading
import tracemalloc
import weakref

import numpy as np

from support import run

# %% Two kinds of waste
# First: the gradients in the middle. As soon as a function has been called on the way back, the gradients of its outputs have done their work. For
# training we want those of the boxes at the beginning. So ``backward`` clears the others as it goes, unless it is told ``retain_grad=True``.
#
# Second: the links. If only the result is wanted, say to see how good a model is, nobody will ever go back. Then no box needs its creator, no
# function its inputs, and each array may go as soon as the next one has been computed. A switch, ``config.enable_backprop``, turns the links off.
#
# A switch that somebody forgets to turn on again is a trap. ``using_config`` turns it for one ``with`` block only: as in step 17, what stands
# before ``yield`` happens at the beginning of the block, what stands after it at the end. ``no_grad()`` is a short name for the one we need. What
# ``threading.local`` is good for is shown at the end.


# %% The framework, with a switch
# New are ``Config`` to ``no_grad``, the end of ``backward``, and one ``if`` in ``Function.__call__``.


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


def square(x):
    return Square()(x)


def exp(x):
    return Exp()(x)


def add(a, b):
    return Add()(a, b)


def mul(a, b):
    return Mul()(a, b)


# %% Gradients in the middle
# x → a → b → y. The slope of y by x is what we came for. With ``retain_grad=True`` we see the others, as before.
#
# There is a second gain. In an exercise of step 14, ``y.backward()`` twice gave 8 for x + x + x, and not twice 3: the box in the middle still held
# its gradient of the first time, and passed it on once more. Now it is 6.


def chain(x):
    a = square(x)
    b = exp(a)
    return a, b, square(b)


def in_the_middle():
    found = {}
    print("backward           x.grad    a.grad    b.grad    y.grad")
    for retain in (True, False):
        x = Variable(np.array(0.6))
        a, b, y = chain(x)
        y.backward(retain_grad=retain)
        grads = [None if box.grad is None else float(box.grad) for box in (x, a, b, y)]
        found[str(retain)] = grads
        print(f"retain_grad={retain!s:5} " + " ".join(f"{'None' if grad is None else f'{grad:.4f}':>9}" for grad in grads))
    x = Variable(np.array(2.0))
    y = add(add(x, x), x)
    y.backward()
    y.backward()
    print(f"\nx + x + x, backward twice: x.grad = {x.grad:.0f}")
    return found, float(x.grad)


# %% Without links
# Inside the block y has no creator. ``backward`` finds no way to walk, and x gets no gradient. After the block all is as it was.


def without_links():
    x = Variable(np.array(0.5))
    with no_grad():
        inside = square(x)
    outside = square(x)
    creators = [None if y.creator is None else type(y.creator).__name__ for y in (inside, outside)]
    print(f"\nmade inside of no_grad: data {inside.data}, creator {creators[0]}; made after it: data {outside.data}, creator {creators[1]}")
    return creators


# %% What is saved
# Twenty squares in a row, on 10,000 numbers. The first column is the most memory in use at any time, the second what is still in use at the end,
# while we hold x and y. Both are in arrays of the size of x, rounded.


def long_chain(x):
    for _ in range(20):
        x = square(x)
    return x


def there_and_back(x, **options):
    y = long_chain(x)
    y.backward(**options)
    return y


def in_no_grad(x):
    with no_grad():
        return long_chain(x)


def memory(way):
    tracemalloc.start()
    x = Variable(np.linspace(0.0, 1.0, 10_000))
    y = way(x)
    at_the_end, peak = (amount / y.data.nbytes for amount in tracemalloc.get_traced_memory())
    tracemalloc.stop()
    return peak, at_the_end


def what_is_saved():
    ways = {"there and back, retain_grad=True": lambda x: there_and_back(x, retain_grad=True), "there and back": there_and_back,
            "only there": long_chain, "only there, in no_grad()": in_no_grad}
    found = {}
    print("\na chain of 20 squares              peak   at the end")
    for name, way in ways.items():
        found[name] = memory(way)
        print(f"{name:33} {found[name][0]:5.0f} {found[name][1]:12.0f}")
    return found


# %% If something goes wrong inside
# An error leaves the block in the middle. What stands after ``yield`` would never happen, and the framework would have no way back any more, in a
# quite different place and without a word. ``try`` and ``finally`` see to it that the last line is run in any case.


@contextlib.contextmanager
def careless():
    config.enable_backprop = False
    yield
    config.enable_backprop = True


def after_an_error():
    found = {}
    for name, block in (("careless", careless), ("no_grad", no_grad)):
        try:
            with block():
                square(Variable("text"))
        except TypeError:
            found[name] = config.enable_backprop
        config.enable_backprop = True
    print(f"\nafter an error inside, is backprop on?  without finally:    {found['careless']}, with it:           {found['no_grad']}")
    return found


# %% If two work at the same time
# A program can have several threads: each runs through the code on its own, at the same time as the others. One may train a model, while another
# answers questions with it, in ``no_grad()``. With one switch for all, the second would turn off the way back of the first, now and then, if they
# happen to meet. ``threading.local`` gives each thread a switch of its own. That is all it does.


class OneForAll:
    enable_backprop = True


def seen_by_another(switches):
    """What a second thread finds, while this one has turned backprop off."""
    seen = []
    switches.enable_backprop = False
    other = threading.Thread(target=lambda: seen.append(switches.enable_backprop))
    other.start()
    other.join()
    switches.enable_backprop = True
    return seen[0]


def two_threads():
    found = {"one for all": seen_by_another(OneForAll()), "each": seen_by_another(config)}
    print(f"in another thread meanwhile, is it on?  one switch for all: {found['one for all']}, a switch for each: {found['each']}")
    return found


def main(out=None, fast=False):
    grads, twice = in_the_middle()
    creators = without_links()
    saved = what_is_saved()
    after = after_an_error()
    threads = two_threads()
    return {"grads": grads, "twice": twice, "creators": creators, "memory": saved, "after_error": after, "threads": threads}


# %% Exercises: python -m steps.check 18 my_answer.py
# 1. ``arrays(n, retain_grad)``: after ``y.backward(retain_grad=...)`` on a chain of n functions with one input each, while y is alive: how many
#    arrays are held by boxes, as data or as grad?
# 2. ``graphless(f)``: a function that computes what f computes, for any arguments, but never leaves links behind, nor a switch turned off.
# 3. ``Off``: somebody wrote ``no_grad`` as a class: ``__enter__`` sets config.enable_backprop to False, ``__exit__`` to True. Mend it: a block
#    within a block turns it on too early.

if __name__ == "__main__":
    run(main)
