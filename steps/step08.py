"""What happens to the way back when the chain is long?

The ``backward`` of step 07 calls itself, once for each function on the way. On a chain of 5,000 functions it fails. This script shows why,
and writes the same walk as a loop, which does not mind how long the chain is.
"""

import sys

import numpy as np

from support import run

# %% A list of what is still to do
# The loop keeps a list of functions whose turn will come. It takes one from the list, lets it carry its gradient back, and puts the
# creator of its input on the list. When the list is empty, the work is done.
#
# On a chain the list never holds more than one function, so a single name would do. A list is ready for more: as soon as functions take two
# inputs (step 13), two creators will wait there.


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        self.data = data
        self.grad = None
        self.creator = None

    def set_creator(self, func):
        self.creator = func

    def backward(self):
        funcs = [self.creator] if self.creator else []
        while funcs:
            f = funcs.pop()
            x, y = f.input, f.output
            x.grad = f.backward(y.grad)
            if x.creator is not None:
                funcs.append(x.creator)


class Function:
    """A function from a Variable to a Variable: forward on arrays, backward on gradients."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        output.set_creator(self)
        self.input = input
        self.output = output
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")

    def backward(self, gy):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward(self, gy) that returns gy times its local slope")


# %% The functions so far


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return gy * np.exp(self.input.data)


class AddOne(Function):
    def forward(self, x):
        return x + 1

    def backward(self, gy):
        return gy


class Log(Function):
    def forward(self, x):
        return np.log(x)

    def backward(self, gy):
        return gy / self.input.data


def softplus(x):
    a = Exp()(x)
    b = AddOne()(a)
    return Log()(b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(x.data - eps)), f(Variable(x.data + eps))
    return (y1.data - y0.data) / (2 * eps)


# %% The version of step 07
# The same lines as before, as a plain function, so that we can compare. Each call waits in its last line until the next call is done, and
# that one waits for the next. Python keeps a note for each call that waits. It allows a limited number of them, to catch programs which call
# themselves for ever, and raises a RecursionError beyond.


def backward_recursive(y):
    f = y.creator
    if f is not None:
        x = f.input
        x.grad = f.backward(y.grad)
        backward_recursive(x)


def backward_loop(y):
    y.backward()


# %% The same walk
# On a short chain both call the same functions in the same order.


def listen(f, calls):
    original = f.backward

    def backward(gy):
        calls.append(type(f).__name__)
        return original(gy)

    f.backward = backward


def order_of_calls(way_back):
    functions, calls = [Exp(), AddOne(), Log()], []
    y = Variable(np.array(0.5))
    for f in functions:
        y = f(y)
        listen(f, calls)
    y.grad = np.ones_like(y.data)
    way_back(y)
    return calls


# %% Longer and longer
# A chain of AddOne alone: the result is x + 1 + 1 + ..., so its slope by x is 1, however long the chain.


def long_chain(n, way_back):
    x = Variable(np.array(0.0))
    y = x
    for _ in range(n):
        y = AddOne()(y)
    y.grad = np.ones_like(y.data)
    way_back(y)
    return float(x.grad)


def attempt(n, way_back):
    try:
        return long_chain(n, way_back)
    except RecursionError as error:
        return type(error).__name__


# %% What we see
# 5,000 functions are not many. A network that reads a text word by word calls some dozens of functions for each word, and all of them are one
# chain. One could raise Python's limit, but how far? Each program would have to guess. The loop does away with the question: for
# what waits it needs one place in a list.


def compare():
    results = {}
    print(f"\nPython lets {sys.getrecursionlimit()} calls wait for one another\n")
    print(" length   recursive        loop")
    for n in (500, 5_000, 50_000):
        results[n] = [attempt(n, backward_recursive), attempt(n, backward_loop)]
        print(f"{n:7,}   {results[n][0]!s:14}   {results[n][1]}")
    return results


def main(out=None, fast=False):
    orders = [order_of_calls(backward_recursive), order_of_calls(backward_loop)]
    print(f"recursive: {' -> '.join(orders[0])}\nloop:      {' -> '.join(orders[1])}")
    x = Variable(np.array(0.5))
    y = softplus(x)
    y.grad = np.ones_like(y.data)
    y.backward()
    tried = float(numerical_diff(softplus, x))
    print(f"softplus at 0.5, by the loop: {x.grad:.8f}, tried out: {tried:.8f}")
    results = compare()
    return {"orders": orders, "grad": float(x.grad), "tried": tried, "results": results}


# %% Exercises: python -m steps.check 08 my_answer.py
# 1. ``total(nested)``: the sum of all numbers in a list of lists of lists ... such as [1, [2, [3]], 4], a hundred thousand lists deep.
# 2. ``recompute(y)``: somebody has changed the number in the first box. Bring all boxes on the way to y up to date, each computed anew from the
#    one before it, along a chain of any length. The boxes stay the same objects.
# 3. ``mended(y)``: this way back needs no list, but its numbers are wrong. Mend it (y.grad is set already):
#        f = y.creator
#        while f is not None:
#            f.input.grad = f.backward(y.grad)
#            f = f.input.creator

if __name__ == "__main__":
    run(main)
