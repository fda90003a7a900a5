"""One way to solve the exercises of script w12."""

import dezero.functions as F
from dezero.viz import make_view


def gated(x, a, b):
    value, gate = F.tanh(F.matmul(x, a)), F.sigmoid(F.matmul(x, b))
    y = value * gate
    value.name, gate.name, y.name = "value", "gate", "y"
    return y


def untouched(model, loss):
    model.cleargrads()
    loss.backward()
    return [name for name, p in model.named_params() if p.grad is None]


def smallest(y, limit):
    for options in ({}, {"fold": True}, {"collapse": True}, {"collapse": True, "fold": True}):
        if len(make_view(y, **options).graph.nodes) <= limit:
            return options
    return None
