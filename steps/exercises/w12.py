"""Exercises of script w12: names in a picture, what a loss does not reach, a picture that is small enough."""

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero import Model, Variable
from dezero.models import MLP
from dezero.viz import collect_graph, make_view
from steps.exercises.kit import Exercise, same, true


class TwoHeads(Model):
    def __init__(self):
        super().__init__()
        self.body = L.Linear(3, in_size=2, initializer=0.1)
        self.heads = [L.Linear(1, in_size=3, initializer=0.1), L.Linear(1, in_size=3, initializer=0.1)]

    def forward(self, x):
        h = self.body(x)
        return [head(h) for head in self.heads]


def check_gated(gated):
    rng = np.random.default_rng(0)
    x, a, b = (Variable(rng.normal(size=shape)) for shape in ((2, 3), (3, 4), (3, 4)))
    y = gated(x, a, b)
    true(isinstance(y, Variable), f"gated gave a {type(y).__name__}: a Variable is expected")
    same(y, np.tanh(x.data @ a.data) / (1 + np.exp(-(x.data @ b.data))), "gated of random numbers")
    graph = collect_graph(y)
    makers = {node.name: next((f.name for f in graph.functions if (f.id, node.id) in graph.edges), None) for node in graph.variables}
    for name, maker in (("value", "Tanh"), ("gate", "Sigmoid")):
        true(name in makers, f"no variable of the picture is called {name!r}; there are {sorted(n for n in makers if n)}")
        true(makers[name] == maker, f"{name!r} was made by {makers[name]}: it should be the result of {maker}")
    same(y.name, "y", "the name of the result")


def check_untouched(untouched):
    model = TwoHeads()
    for used, expected in ((0, ["heads.1.W", "heads.1.b"]), (1, ["heads.0.W", "heads.0.b"])):
        got = untouched(model, F.sum(model(np.ones((4, 2), np.float32))[used]))
        true(isinstance(got, (list, tuple, set)), f"untouched gave {got!r}: a list of names is expected")
        same(sorted(got), expected, f"untouched of a model with two heads, for a loss of head {used}")
    both = F.sum(sum(model(np.ones((4, 2), np.float32))))
    same(sorted(untouched(model, both)), [], "untouched for a loss of both heads")
    h = model.body(np.ones((4, 2), np.float32)).detach()
    same(sorted(untouched(model, F.sum(model.heads[0](h)))), ["body.W", "body.b", "heads.1.W", "heads.1.b"],
         "untouched where the result of the body was detached, for a loss of head 0")


def check_smallest(smallest):
    y = MLP((4,) * 8, activation=F.relu, initializer=0.1)(Variable(np.ones((2, 4), np.float32), name="x"))
    options = ({}, {"fold": True}, {"collapse": True}, {"collapse": True, "fold": True})
    sizes = [len(make_view(y, **option).graph.nodes) for option in options]
    for limit in (1000, sizes[0], sizes[0] - 1, sizes[1], sizes[1] - 1, min(sizes), min(sizes) - 1):
        expected = next((option for option, size in zip(options, sizes, strict=True) if size <= limit), None)
        found = smallest(y, limit)
        true(found == expected, f"smallest of a net with 8 layers, limit {limit}: {found} came out, {expected} is expected; "
                                f"the four give {sizes} nodes")
        true(found is None or isinstance(found, dict), f"smallest gave {found!r}: a dict is expected")


EXERCISES = [
    Exercise("gated", 'tanh(x @ a) * sigmoid(x @ b) of Variables; the factors are named "value" and "gate", the result "y".',
             ("A name can be given to any Variable, also to one in the middle: v.name = ...",
              "value = F.tanh(F.matmul(x, a)); value.name = 'value'; the same with F.sigmoid; y = value * gate; y.name = 'y'."), check_gated),
    Exercise("untouched", "The names, as in model.named_params(), of the parameters that a gradient of loss does not reach, as a list.",
             ("What is in the .grad of a parameter that a backward did not reach, if it was cleared before?",
              "model.cleargrads(); loss.backward(); [name for name, p in model.named_params() if p.grad is None]."), check_untouched),
    Exercise("smallest", "The first of {}, {'fold': True}, {'collapse': True}, {'collapse': True, 'fold': True} with which the graph of y has at "
             "most limit nodes; None if none has.",
             ("make_view(y, **options).graph.nodes is what would be drawn.",
              "for options in (...): if len(make_view(y, **options).graph.nodes) <= limit: return options"), check_smallest),
]
