"""Why does the memory fill up, although every result was thrown away?

Since step 07 a box knows the function that made it, and the function knows its boxes: they hold each other in a circle. Python gives memory back
when nobody holds it any more, and in a circle somebody always does. This script makes one of the two links weak.
"""

import gc
import heapq
import tracemalloc
import weakref
from contextlib import contextmanager

import numpy as np

from support import picture, run

# %% Who holds what
# Python keeps count, for each object, of how often it is held: by a name, by a list, by another object. When the count falls to 0, the object is
# taken down at once, and what it held loses one holder each. Most memory comes back this way, without delay.
#
# The box y holds its creator, and the creator held y in ``outputs``. Even if we forget y, each of the two is still held by the other. The counts
# never fall to 0. Behind y hang all the boxes and arrays that led to it.
#
# A weak reference points to an object without counting as a holder. ``weakref.ref(y)`` makes one. To get at the object it is called, with empty
# brackets: the answer is y, or None if y is gone. So the creator now holds its outputs weakly. The other link has to stay strong: we hold the last
# box, it holds its creator, the creator holds its inputs, and so all that ``backward`` needs is alive as long as y is.
#
# One thing changes for ``backward``: an output that nobody kept may be gone. Its gradient is zeros, as in step 13. For their shape, and the type of
# their numbers, the function keeps a note, ``kinds``. A note is small, the array may be big.


# %% The framework, with a weak link
# Two places have changed: in ``backward`` the lines that ask the outputs, and the end of ``Function.__call__``. ``python -m steps.diff 17`` shows
# them.


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
            ys = [output() for output in f.outputs]
            gys = [np.zeros(*kind) if y is None or y.grad is None else y.grad for y, kind in zip(ys, f.kinds, strict=True)]
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


# %% As it was before
# To compare, here are the same functions with the old link besides: they hold their output firmly, as step 16 did.


class FirmSquare(Square):
    def __call__(self, x):
        self.firm = super().__call__(x)
        return self.firm


def firm_square(x):
    return FirmSquare()(x)


# %% A box that nobody needs
# Python has a second way to get memory back, the collector. Now and then it looks for circles that nobody outside holds. We switch it off, to see
# what the counting does alone, and call it by hand at the end. A weak reference is a good spy: it tells whether a box is alive without keeping it
# alive.


@contextmanager
def collector_off():
    """What stands before ``yield`` happens at the beginning of a ``with`` block, what stands after it at the end."""
    was_on = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.collect()
        if was_on:
            gc.enable()


def spy_on(square):
    x = Variable(np.array(3.0))
    a = square(x)
    y = square(a)
    spies = [weakref.ref(a), weakref.ref(y)]
    del a
    seen = [all(spy() is not None for spy in spies)]
    del y
    seen.append(any(spy() is not None for spy in spies))
    gc.collect()
    seen.append(any(spy() is not None for spy in spies))
    return seen


def forget():
    found = {}
    print("y = square(a), a = square(x)   after del a   after del y   after gc.collect()")
    for name, f in (("step 16", firm_square), ("now", square)):
        with collector_off():
            found[name] = spy_on(f)
        words = ["alive" if alive else "gone" for alive in found[name]]
        print(f"{name:28}   {words[0]:11}   {words[1]:11}   {words[2]}")
    return found


# %% Forgetting too early?
# ``del a`` did no harm: y still needs a, and holds it through its creator. Only what no way back can reach is gone. Here nobody keeps the second
# output of ``SumDiff``. It is taken down before ``backward`` runs, and zeros stand in for its gradient.


class SumDiff(Function):
    def forward(self, a, b):
        return a + b, a - b

    def backward(self, gsum, gdiff):
        return gsum + gdiff, gsum - gdiff


def half_used():
    a, b = Variable(np.array(7.0)), Variable(np.array(2.0))
    y = square(SumDiff()(a, b)[0])
    y.backward()
    gone = [output() is None for output in y.creator.inputs[0].creator.outputs]
    print(f"\n(a + b)² with the difference thrown away at once: slopes {a.grad:.0f} and {b.grad:.0f}; outputs gone: {gone}")
    return float(a.grad), float(b.grad), gone


# %% What it costs in a long run
# Whoever trains a model repeats one thing: compute, go back, forget. Here x has 10,000 numbers, and y comes out of a chain of three squares. We
# count the boxes that are left after n rounds, and measure the most memory that was in use at any time, in arrays of the size of x. ``tracemalloc``
# is the part of Python that measures it.
#
# One round needs four arrays for the boxes, four for their gradients, and one more for a moment: nine. In step 16 each round leaves its eight
# behind, and a little besides, as boxes and functions take some room themselves.


def one_round(square):
    x = Variable(np.linspace(-1.0, 1.0, 10_000))
    y = square(square(square(x)))
    y.backward()
    return x.data.nbytes


def boxes_alive():
    return sum(type(thing) is Variable for thing in gc.get_objects())


def measure(square, rounds):
    """Boxes left over, the peak of memory in arrays, and what is in use after each round."""
    before, in_use = boxes_alive(), []
    tracemalloc.start()
    for _ in range(rounds):
        size = one_round(square)
        in_use.append(tracemalloc.get_traced_memory()[0] / size)
    peak = tracemalloc.get_traced_memory()[1] / size
    tracemalloc.stop()
    return boxes_alive() - before, peak, in_use


def many_rounds():
    found = {}
    print("\n           boxes left over      peak of memory, in arrays")
    print("rounds     step 16      now     step 16      now")
    for rounds in (1, 10, 100):
        with collector_off():
            before, now = measure(firm_square, rounds), measure(square, rounds)
        found[rounds] = {"boxes": [before[0], now[0]], "peaks": [before[1], now[1]]}
        print(f"{rounds:6} {before[0]:11} {now[0]:8} {before[1]:11.0f} {now[1]:8.0f}")
    grows, stays = (found[100]["peaks"][i] / found[10]["peaks"][i] for i in range(2))
    print(f"\n100 rounds need {grows:.1f} times the memory of 10 in step 16, and {stays:.1f} times now")
    return found, grows, stays


# %% Why not leave it to the collector?
# It would find these circles, later. It comes after so and so many new objects, and for it a box is a small thing, whether the array in it holds
# one number or a million. In the picture (python steps/step17.py --out DIR) the memory goes up like a saw until the collector happens to come. With
# big arrays it may run out before.


def draw(path):
    with collector_off():
        before, now = measure(firm_square, 200)[2], measure(square, 200)[2]
    collected = measure(firm_square, 200)[2]
    with picture(path, size=(8.0, 4.5)) as ax:
        rounds = range(1, 201)
        ax.plot(rounds, before, color="#d55e00", label="step 16, collector off")
        ax.plot(rounds, collected, color="#e69f00", ls="--", label="step 16, collector on")
        ax.plot(rounds, now, color="#0072b2", lw=2.5, label="now, collector off")
        ax.set(xlabel="round", ylabel="memory left in use, in arrays of the size of x", ylim=(-60, None))
        ax.set_title("A circle keeps what each round has used; a weak reference lets it go")
        ax.legend()


def main(out=None, fast=False):
    alive = forget()
    slope_a, slope_b, gone = half_used()
    rounds, grows, stays = many_rounds()
    if out:
        draw(out / "memory.png")
    return {"alive": alive, "slopes": [slope_a, slope_b], "gone": gone, "rounds": rounds, "grows": grows, "stays": stays}


# %% Exercises: python -m steps.check 17 my_answer.py
# 1. ``survivors()``: ``x = Variable(...); a = square(x); b = square(a); c = exp(a); y = square(b)``, then ``del a, b, y``. The collector is off.
#    The set of the letters whose boxes are still alive.
# 2. ``leaks(f)``: True if the box f(x) outlives its last name, where f goes from a Variable to a Variable. The answer must not depend on whether
#    the collector happens to come. (And let it run afterwards as it did before.)
# 3. ``Exp``: e to the power of x, computed once. ``backward`` has to use the result of ``forward`` again. Without a circle, of course.

if __name__ == "__main__":
    run(main)
