"""Why can we not take the gradient of a gradient?

Newton's method of step 29 needed the second derivative, and we wrote it by hand. Yet the first derivative is computed as well: by
multiplications and additions, one after the other. Backward can differentiate whatever is computed. So let it differentiate this too! With
the framework of step 22 it cannot. This script looks at what is missing, and it is less than one would think.
"""

import heapq
import weakref

import numpy as np

from support import run

import dezero
from dezero.viz import FunctionNode, Graph, VariableNode, get_svg_graph

# %% Step 22, cut down
# Here is our own framework again, with no more in it than we need today: multiplication and addition. One line is new. Backward used to start
# with an array of ones. Now it starts with a Variable that holds them, but only where nobody has put another gradient there: so we can still
# start it in the old way, and compare.


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    __array_priority__ = 200  # array * Variable is our business, not NumPy's

    def __init__(self, data):
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
            self.grad = Variable(np.ones_like(self.data))
        waiting, seen = [], set()

        def wait(func):
            if func is not None and func not in seen:
                seen.add(func)
                heapq.heappush(waiting, (-func.generation, len(seen), func))

        wait(self.creator)
        while waiting:
            _, _, f = heapq.heappop(waiting)
            gxs = f.backward(f.output().grad)
            for x, gx in zip(f.inputs, gxs, strict=True):
                x.grad = gx if x.grad is None else x.grad + gx
                wait(x.creator)
            f.output().grad = None

    def __add__(self, other):
        return Add()(self, as_variable(other))

    def __mul__(self, other):
        return Mul()(self, as_variable(other))

    __radd__ = __add__
    __rmul__ = __mul__


class Function:
    """A function from Variables to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        output = Variable(np.asarray(self.forward(*xs)))
        self.generation = max(x.generation for x in inputs)
        output.set_creator(self)
        self.inputs = inputs
        self.output = weakref.ref(output)
        return output


def as_variable(x):
    return x if isinstance(x, Variable) else Variable(np.asarray(x))


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


# %% Two formulas for one rule
# A factor's gradient is the gradient that arrives, times the other factor. Step 22 took the other factor's array out of its box: ``b.data``.
# That is ``MulOfArrays``. The other formula leaves it in its box. It is shorter, and says the same; but now it multiplies Variables, and
# that is a call of ``Mul``, which writes down its inputs as any call does.


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return gy * b, gy * a


class MulOfArrays(Mul):
    def backward(self, gy):
        a, b = self.inputs
        return gy * b.data, gy * a.data


# %% Three ways to x³
# y = x·x·x, with y′ = 3x² and y″ = 6x. All three ways give the right y′. Then we ask y′ for its own gradient.
#
# In the old way y′ is an array. An array is numbers and nothing else: it does not know that it was computed, let alone from x, and it has
# no backward. In the second way backward starts with a Variable, and the formula takes arrays. This is the nasty one, as nothing complains.
# y′ has a history, but each ``.data`` has cut a way in it, and none leads to x any more. In the third way everything stays in its box.


def cube(x, multiply):
    return multiply(multiply(x, x), x)


def walk(output):
    """The functions behind a Variable, each once (step 26)."""
    seen, todo = set(), [output]
    while todo:
        function = todo.pop().creator
        if function is not None and function not in seen:
            seen.add(function)
            todo += function.inputs
            yield function


WAYS = {  # what backward starts with, and how Mul sends gradients back
    "array of ones, gy * b.data": (np.ones(3), MulOfArrays),
    "Variable of ones, gy * b.data": (None, MulOfArrays),
    "Variable of ones, gy * b": (None, Mul),
}


def three_ways():
    found, gradients = {}, {}
    print("backward starts with, Mul       y' at 1 2 3  kind      functions behind  x among them  y'' at 1 2 3")
    for name, (start, kind) in WAYS.items():
        x = Variable(np.array([1.0, 2.0, 3.0]))
        y = cube(x, lambda a, b, kind=kind: kind()(a, b))
        y.grad = start
        y.backward()
        gx = x.grad
        behind = list(walk(gx)) if isinstance(gx, Variable) else []
        reaches_x = any(x in function.inputs for function in behind)
        slope = gx.data if isinstance(gx, Variable) else gx
        second, message = second_backward(x, gx)
        row = [numbers(slope), type(gx).__name__, len(behind), "yes" if reaches_x else "no", "error" if message else numbers(second)]
        print(f"{name:30}  {row[0]:11}  {row[1]:8}  {row[2]:16}  {row[3]:12}  {row[4]}")
        found[name] = {"slope": slope, "kind": row[1], "functions": len(behind), "reaches_x": reaches_x, "second": second, "message": message}
        gradients[name] = x, gx
    print(f"\nthe error: {found['array of ones, gy * b.data']['message']}")
    return found, gradients


def second_backward(x, gx):
    """What ``gx.backward()`` leaves in x, or the error."""
    x.cleargrad()
    try:
        gx.backward()
    except AttributeError as error:
        return None, f"{type(error).__name__}: {error}"
    return None if x.grad is None else x.grad.data, None


def numbers(array):
    return "none" if array is None else " ".join(f"{number:g}" for number in array)


# %% The package
# This is why ``x.grad`` of the package is a Variable, as we saw in step 23. The package asks us to say beforehand that we are going to
# differentiate a gradient: ``create_graph=True``. Step 32 shows why one has to ask. As a second opinion there is the central difference
# of step 04, taken of 3x².


def package_and_difference(h=1e-4):
    at = np.array([1.0, 2.0, 3.0])
    x = dezero.Variable(at)
    cube(x, lambda a, b: a * b).backward(create_graph=True)
    gx = x.grad
    x.cleargrad()
    gx.backward()
    difference = (3 * (at + h) ** 2 - 3 * (at - h) ** 2) / (2 * h)
    print(f"the package:  y' = {numbers(gx.data)} in a {type(gx).__name__}, y'' = {numbers(x.grad.data)}")
    print(f"by differences of y':                     y'' = {numbers(difference.round(6))}")
    return {"slope": gx.data, "kind": type(gx).__name__, "second": x.grad.data, "difference": difference}


# %% What a cut looks like
# The pictures show the history of y′, in the second way and in the third. Numbers in a dashed circle came out of a box, and nobody knows any
# more that some of them are x.


def to_graph(x, gx):
    functions = sorted(walk(gx), key=lambda function: function.generation)
    variables = list(dict.fromkeys(v for function in functions for v in (*function.inputs, function.output())))
    ids = {thing: f"{letter}{place}" for letter, things in (("v", variables), ("f", functions)) for place, thing in enumerate(things)}
    names = {x: "x = ", gx: "y' = "}
    return Graph(
        variables=tuple(VariableNode(id=ids[v], kind="leaf" if v is x else "result" if v.creator else "constant",
                                     name=names.get(v, "") + numbers(v.data), shape=None, dtype=None, layer="", generation=v.generation)
                        for v in variables),
        functions=tuple(FunctionNode(id=ids[f], name=type(f).__name__, op=type(f).__name__.lower(), layer="", generation=f.generation, order=place)
                        for place, f in enumerate(functions)),
        edges=tuple(edge for f in functions for edge in [*((ids[v], ids[f]) for v in f.inputs), (ids[f], ids[f.output()])]),
        outputs=(ids[gx],),
    )


def main(out=None, fast=False):
    found, gradients = three_ways()
    found["package"] = package_and_difference()
    if out:
        for name, file in (("Variable of ones, gy * b.data", "history_cut.svg"), ("Variable of ones, gy * b", "history_whole.svg")):
            (out / file).write_text(get_svg_graph(to_graph(*gradients[name]), verbose=False), encoding="utf-8")
    return found


# %% Exercises: python -m steps.check 30 my_answer.py
# 1. ``Square``: a Function for x² whose gradient can be differentiated. (``from step30 import Function``)
# 2. ``Exp``: its backward is ``return gy * self.output().data,``. So its second derivative is lost. Write the Function without the bug.
# 3. ``history_size(n)``: without a framework: y = x·x·…·x with n multiplications, from left to right, in the third way. How many functions
#    are behind y′? For n = 1 they are 3, for n = 2 the table has the number.

if __name__ == "__main__":
    run(main)
