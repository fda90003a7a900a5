"""Exercises of step 44: parameters that are found."""

from types import SimpleNamespace

import numpy as np

import dezero.functions as F
from dezero import Layer, Parameter, Variable
from steps.exercises.kit import Exercise, same, true


def check_polynomial(Polynomial):
    for degree in (0, 1, 3):
        layer = Polynomial(degree)
        true(isinstance(layer, Layer), f"Polynomial({degree}) is a {type(layer).__name__}: a Layer is expected")
        names = [name for name, _ in layer.named_params()]
        same(names, [f"c.{i}" for i in range(degree + 1)], f"the names of the parameters of Polynomial({degree})")
        for i, param in enumerate(layer.params()):
            same(param.data, np.zeros(1), f"c[{i}] at the start")
            param.data[...] = i + 1.0
        x = np.array([[-1.0], [0.5], [2.0]])
        y = layer(x)
        true(isinstance(y, Variable), f"Polynomial({degree}) gave a {type(y).__name__}: a Variable is expected, also where the degree is 0")
        same(np.broadcast_to(y.data, (3, 1)), sum((i + 1.0) * x**i for i in range(degree + 1)), f"c = {list(range(1, degree + 2))} at x = -1, 0.5, 2")
        F.sum(y + 0 * x).backward()
        for i, param in enumerate(layer.params()):
            true(param.grad is not None, f"c[{i}] has no gradient")
            same(param.grad.data, np.array([np.sum(x**i)]), f"the gradient of c[{i}]")


class Product(Layer):
    def __init__(self, W):
        super().__init__()
        self.W, self.b = Parameter(W), Parameter(np.zeros(2))

    def forward(self, x):
        return x @ self.W + self.b


class Two(Layer):
    def __init__(self):
        super().__init__()
        rng = np.random.default_rng(0)
        self.used, self.idle = Product(rng.normal(size=(3, 2))), Product(rng.normal(size=(3, 2)))
        self.parts = [Parameter(np.ones(2)), self.used]

    def forward(self, x):
        return F.sum(self.used(x) * self.parts[0])


def check_descend(descend):
    layer = Two()
    for rate in (0.1, 2.0):
        arrays = [param.data for param in layer.params()]
        before = [array.copy() for array in arrays]
        layer(np.arange(6.0).reshape(2, 3)).backward()
        grads = [None if param.grad is None else param.grad.data.copy() for param in layer.params()]
        descend(layer, rate)
        for (name, param), old, grad, array in zip(layer.named_params(), before, grads, arrays, strict=True):
            right = old if grad is None else old - rate * grad
            same(param.data, right, f"{name} after a step with rate {rate}{'; it has no gradient' if grad is None else ''}", 1e-5)
            true(param.data is array, f"{name} has another array: change its array in place, with -=")
            true(param.grad is None, f"{name} still has a gradient: clear them all at the end")


def check_find_params(find_params):
    a, b, c, d, e = (Parameter(np.zeros(i)) for i in range(1, 6))
    ring = [e]
    ring.append(a)
    thing = SimpleNamespace(name="x", z=a, y=[b, (c, 5)], rest={"k": [a, {"deep": d}], "s": "text"}, again=b, plain=Variable(np.zeros(1)), last=ring)
    got = find_params(thing)
    true(isinstance(got, (list, tuple)), f"find_params gave {got!r}: a list is expected")
    names = {id(param): name for param, name in zip((a, b, c, d, e), "abcde", strict=True)}
    same([names.get(id(param), repr(param)) for param in got], ["a", "b", "c", "d", "e"], "what was found in the attributes z, y, rest, again, last")
    same(len(find_params(SimpleNamespace(n=3, text="W1"))), 0, "the number of parameters of an object without any")


EXERCISES = [
    Exercise("Polynomial", "A Layer with a list c of degree + 1 Parameters, all np.zeros(1): forward(x) is c[0] + c[1] * x + c[2] * x**2 ...",
             ("A Layer finds Parameters in a list. Put the list into an attribute in __init__, and write the sum in forward.",
              "self.c = [Parameter(np.zeros(1)) for i in range(degree + 1)]; in forward: y = self.c[0], then in a loop y = y + self.c[i] * x**i."),
             check_polynomial),
    Exercise("descend", "One step of descent on all parameters of a layer that have a gradient, in place, then clear all gradients.",
             ("layer.params() finds them. A parameter that was not used has None as its gradient.",
              "for p in layer.params(): if p.grad is not None: p.data -= rate * p.grad.data. Then layer.cleargrads()."), check_descend),
    Exercise("find_params", "The Parameters in the attributes of any object, also in lists, tuples and dicts, however nested; in order, each once.",
             ("Write a helper that looks at one value: a Parameter, a container whose values are looked at in turn, or none. Begin with vars(thing).",
              "The helper calls itself for each value of a list, a tuple or dict.values(). To see each once: any(p is value for p in found)."),
             check_find_params),
]
