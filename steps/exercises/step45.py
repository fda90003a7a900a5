"""Exercises of step 45: layers in layers, and their names."""

import numpy as np

import dezero.functions as F
from dezero import Layer, Parameter, Variable
from steps.exercises.kit import Exercise, same, true


class Product(Layer):
    def __init__(self, rows, columns):
        super().__init__()
        self.W, self.b = Parameter(np.random.default_rng(0).normal(size=(rows, columns))), Parameter(np.ones(columns))

    def forward(self, x):
        return x @ self.W + self.b


class Pair(Layer):
    def __init__(self):
        super().__init__()
        self.first, self.gain = Product(2, 3), Parameter(np.ones(1))

    def forward(self, x):
        return self.first(x) * self.gain


class Net(Layer):
    def __init__(self):
        super().__init__()
        self.blocks = [Pair(), Pair()]
        self.heads = {"small": Product(3, 1), "large": [Product(3, 5), Parameter(np.zeros(7))]}
        self.again = self.blocks[0]


def check_around(Around):
    inner = Product(3, 3)
    layer = Around(inner)
    true(isinstance(layer, Layer), f"Around(inner) is a {type(layer).__name__}: a Layer is expected")
    same([name for name, _ in layer.named_params()], ["inner.W", "inner.b"], "the names of its parameters")
    true(layer.inner is inner, "the attribute inner should be the very layer that was given")
    x = np.arange(6.0).reshape(2, 3)
    y = layer(x)
    same(y, x + x @ inner.W.data + inner.b.data, "x + inner(x)")
    twice = Around(Around(inner))
    same([name for name, _ in twice.named_params()], ["inner.inner.W", "inner.inner.b"], "the names of the parameters of Around(Around(inner))")
    box = Variable(np.ones((1, 3)))
    F.sum(twice(box)).backward()
    true(box.grad is not None, "x has no gradient")
    same(box.grad, (2 * np.eye(3) + inner.W.data).sum(1, keepdims=True).T, "the gradient of x through Around(Around(inner))")


def check_part(part):
    net = Net()
    block, heads = net.blocks[1], net.heads
    cases = {"blocks.0": net.blocks[0], "blocks.1.first": block.first, "blocks.1.first.W": block.first.W, "blocks.1.gain": block.gain,
             "heads.small": heads["small"], "heads.large.0.b": heads["large"][0].b, "heads.large.1": heads["large"][1], "again": net.again}
    for name, right in cases.items():
        got = part(net, name)
        true(got is right, f"part(net, {name!r}): {type(got).__name__} {getattr(got, 'shape', '')} came out, {type(right).__name__} "
                           f"{getattr(right, 'shape', '')} is expected, the very object")


def check_numbers_below(numbers_below):
    net = Net()
    right = {"": 51, "blocks.0": 10, "blocks.0.first": 9, "blocks.1": 10, "blocks.1.first": 9, "heads.small": 4, "heads.large.0": 20}
    got = numbers_below(net)
    true(isinstance(got, dict), f"numbers_below gave a {type(got).__name__}: a dict is expected")
    for name, count in right.items():
        true(name in got, f"the layer {name!r} is missing: there are {sorted(got)}")
        same(got[name], count, f"how many numbers {name!r} learns")
    same(sorted(got), sorted(right), "the names of the layers")
    single = Product(4, 2)
    same(numbers_below(single), {"": 10}, "numbers_below of one layer with W (4, 2) and b (2,)")


EXERCISES = [
    Exercise("Around", "A Layer that holds any other layer as inner; forward(x) is x + inner(x).",
             ("A class with __init__(self, inner) and forward(self, x). What makes the parameters of inner belong to it?",
              "super().__init__(); self.inner = inner. Then forward returns x + self.inner(x)."), check_around),
    Exercise("part", "The layer or Parameter behind a name such as \"blocks.1.fc.W\": go from part to part, through attributes, lists, dicts.",
             ("Split the name at its points, and go one step for each word. What a step is depends on what you stand on.",
              "In a list it is thing[int(word)], in a dict thing[word], else getattr(thing, word)."), check_part),
    Exercise("numbers_below", "A dict from the name of each layer to how many numbers it learns, with all its parts; \"\" is the network itself.",
             ("net.named_layers() gives the pairs of name and layer, the network itself first. Each of these is a layer with parameters of its own.",
              "A dict comprehension over net.named_layers(), with layer.count_params() as the value, or the sum of p.size over layer.params()."),
             check_numbers_below),
]
