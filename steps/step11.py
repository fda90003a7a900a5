"""What if a function has two inputs, or two results?

So far one box went in and one came out. But a sum has two inputs, and a division with remainder has two results as well. This script
teaches ``Function`` to take a list of boxes and to return a list of boxes. Only the way forward is rebuilt here; the way back follows in step 13.
"""

import numpy as np

from support import run

# %% Lists in, lists out
# ``Variable`` stays as it is. In ``Function`` each name gets a plural: inputs, xs, ys, outputs. ``__call__`` opens all boxes of a list, hands
# the list of arrays to ``forward``, and puts each array of the list that comes back into a box of its own. All these boxes have the same
# creator. The function keeps both lists, for the way back.


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
    """A function from a list of Variables to a list of Variables: forward on arrays."""

    def __call__(self, inputs):
        xs = [x.data for x in inputs]
        ys = self.forward(xs)
        outputs = [Variable(as_array(y)) for y in ys]
        for output in outputs:
            output.set_creator(self)
        self.inputs = inputs
        self.outputs = outputs
        return outputs

    def forward(self, xs):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, xs) that takes a list of arrays and returns one")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% Two functions of the new kind
# ``Add`` has two inputs and one output. ``DivMod`` has two of both: 17 divided by 5 is 3, and 2 remain. The two results belong together, and
# who divides by hand gets both in one go. So it is one function, not two.


class Add(Function):
    def forward(self, xs):
        a, b = xs
        return [a + b]


class DivMod(Function):
    def forward(self, xs):
        a, b = xs
        return [a // b, a % b]


def first_calls():
    boxes = [Variable(np.array(17)), Variable(np.array(5))]
    found = {}
    for f in (Add(), DivMod()):
        outputs = f(boxes)
        found[type(f).__name__] = [y.data.tolist() for y in outputs]
        print(f"{type(f).__name__ + '()([17, 5])':18} number of outputs: {len(outputs)}   in the boxes: {', '.join(str(y.data) for y in outputs)}")
    return found


# %% A chain that branches
# A film of 100 minutes is followed by one of 45. How many hours and minutes is that? The list that ``Add`` returns has one box; ``[0]`` takes
# it out. The two boxes of ``DivMod`` get their names by unpacking. Both point to the same creator: ask either of them where it came from,
# and the answer is the same function, which knows both its inputs and both its outputs.


def evening():
    film, short, sixty = Variable(np.array(100)), Variable(np.array(45)), Variable(np.array(60))
    total = Add()([film, short])[0]
    hours, minutes = DivMod()([total, sixty])
    print(f"\n{film.data} min + {short.data} min = {hours.data} h {minutes.data} min")
    print(f"hours and minutes have the same creator: {hours.creator is minutes.creator}")
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


# %% The trap
# The square brackets in ``return [a + b]`` are easily forgotten. Then ``ys`` is an array, not a list of arrays, and the loop in ``__call__``
# takes the array apart: a sum of three elements becomes three boxes. Nothing complains. Step 12 gets rid of this trap.


class AddWithoutBrackets(Function):
    def forward(self, xs):
        a, b = xs
        return a + b


def trap():
    a, b = Variable(np.array([1.0, 2.0, 3.0])), Variable(np.array([10.0, 20.0, 30.0]))
    right, wrong = Add()([a, b]), AddWithoutBrackets()([a, b])
    print(f"\nreturn [a + b]  makes {len(right)} box:   {[y.data.tolist() for y in right]}")
    print(f"return a + b    makes {len(wrong)} boxes: {[y.data.tolist() for y in wrong]}")
    return len(right), len(wrong)


# %% The way back has to wait
# ``Variable.backward`` is the one of step 10. It asks the function for its input. There is no such thing any more, there are inputs.


def way_back(y):
    try:
        y.backward()
    except AttributeError as error:
        print(f"\nthe way back: {error}")
        return str(error)


def main(out=None, fast=False):
    calls = first_calls()
    hours, minutes = evening()
    graph = ancestors(minutes)
    print("minutes come from", ", and these from ".join(graph))
    right, wrong = trap()
    message = way_back(minutes)
    return {"calls": calls, "hours": hours.data, "minutes": minutes.data, "same_creator": hours.creator is minutes.creator, "graph": graph,
            "boxes": [right, wrong], "message": message}


# %% Exercises: python -m steps.check 11 my_answer.py
# 1. ``MinMax``: a Function with one input and two outputs, the smallest and the largest element: ``low, high = MinMax()([x])``.
# 2. ``total(boxes)``: the Variable with the sum of any number of boxes (at least one), made with ``Add`` alone.
# 3. ``Mean``: its ``forward`` was ``return sum(xs) / len(xs)``, for any number of inputs. It falls into the trap above. Write it without the bug.

if __name__ == "__main__":
    run(main)
