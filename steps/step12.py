"""Can a call be as handy as it is on paper?

Step 11 has lists everywhere: ``Add()([a, b])[0]``. On paper it is add(a, b). Python has a sign for exactly this, the star. This script moves
the brackets out of every call and every ``forward`` into the one place that all functions share.
"""

import numpy as np

from support import run

# %% What the star does
# In a definition the star collects: ``def f(*inputs)`` takes any number of arguments, and inside, ``inputs`` is a tuple of them. A tuple is a
# list that cannot be changed. In a call the star spreads: ``f(*xs)`` passes each element of ``xs`` as an argument of its own.


def collect(*inputs):
    return f"{len(inputs)} argument{'s' * (len(inputs) != 1)}"


def spread_and_collect():
    xs = [1, 2, 3]
    print(f"collect(1, 2, 3): {collect(1, 2, 3)}   collect(xs): {collect(xs)}   collect(*xs): {collect(*xs)}")


# %% A call without brackets
# ``__call__`` collects the boxes, and spreads their arrays over the arguments of ``forward``. Most functions have one output; those should not
# have to pack it. So ``forward`` may return an array, or a tuple of arrays, and ``__call__`` packs a lone array itself. On the way out it is the
# other way round: a lone output leaves the list.


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

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        funcs = [self.creator] if self.creator else []
        while funcs:
            f = funcs.pop()
            x, y = f.input, f.output
            x.grad = f.backward(y.grad)
            if x.creator is not None:
                funcs.append(x.creator)


class Function:
    """A function from Variables to Variables: forward on arrays."""

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

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% The functions are mathematics again
# The inputs have names of their own, and the result is just returned. With a function of one line for each class, as in step 09, nobody has to
# make objects.


class Add(Function):
    def forward(self, a, b):
        return a + b


class DivMod(Function):
    def forward(self, a, b):
        return a // b, a % b


def add(a, b):
    return Add()(a, b)


def div_mod(a, b):
    return DivMod()(a, b)


# %% The evening of step 11
# The same sum, the same division. What the framework keeps about them has not changed either; only our lines became shorter.


def evening():
    film, short, sixty = Variable(np.array(100)), Variable(np.array(45)), Variable(np.array(60))
    hours, minutes = div_mod(add(film, short), sixty)
    print(f"\n{film.data} min + {short.data} min = {hours.data} h {minutes.data} min")
    print("step 11:  hours, minutes = DivMod()([Add()([film, short])[0], sixty])")
    print("step 12:  hours, minutes = div_mod(add(film, short), sixty)")
    return hours, minutes


def ancestors(y):
    """The functions that led to a Variable, the last one first."""
    found, waiting = [], [y.creator]
    while waiting:
        f = waiting.pop()
        if f is not None:
            found.append(f"{type(f).__name__}: {len(f.inputs)} in, {len(f.outputs)} out")
            waiting.extend(x.creator for x in f.inputs)
    return found


# %% What comes out
# One output is a Variable, two are a list of them. And the trap is gone: the sum of two arrays with three elements is one box.


def what_comes_out():
    a, b = Variable(np.array([7.0, 8.0, 9.0])), Variable(np.array([2.0, 2.0, 2.0]))
    total, pair = add(a, b), div_mod(a, b)
    print(f"\nadd gives a {type(total).__name__} with {total.data.tolist()}")
    print(f"div_mod gives a {type(pair).__name__} of {len(pair)}: {pair[0].data.tolist()} and {pair[1].data.tolist()}")
    return type(total).__name__, len(pair)


# %% A tuple, not a list
# Several results have to be a tuple, ``a // b, a % b``. Whoever returns a list by old habit is told so: the list is packed as one result, and
# the check in ``Variable``, which step 09 put there, refuses it.


class OldHabit(Function):
    def forward(self, a, b):
        return [a // b, a % b]


def old_habit():
    try:
        OldHabit()(Variable(np.array(17)), Variable(np.array(5)))
    except TypeError as error:
        print(f"\na list instead of a tuple:\n{error}")
        return str(error)


def main(out=None, fast=False):
    spread_and_collect()
    hours, minutes = evening()
    graph = ancestors(minutes)
    print("minutes come from", ", and these from ".join(graph))
    kind, outputs = what_comes_out()
    message = old_habit()
    return {"hours": hours.data, "minutes": minutes.data, "same_creator": hours.creator is minutes.creator, "graph": graph, "kind": kind,
            "outputs": outputs, "message": message}


# %% Exercises: python -m steps.check 12 my_answer.py
# 1. ``predict()``: with ``def f(*xs): return len(xs)``, the list of what f(1, 2), f([1, 2]), f(*[1, 2]), f(*[[1, 2]]) and f(*[]) give. Don't run it.
# 2. ``average(*boxes)``: the mean of any number of Variables as one Variable, by one Function of your own.
# 3. ``polar(x, y)``: two Variables for a point: its distance from (0, 0), and its angle (``np.arctan2(y, x)``), by one Function of your own.

if __name__ == "__main__":
    run(main)
