"""One way to solve the exercises of step 45."""

from dezero import Layer


class Around(Layer):
    def __init__(self, inner):
        super().__init__()
        self.inner = inner

    def forward(self, x):
        return x + self.inner(x)


def part(net, name):
    thing = net
    for word in name.split("."):
        if isinstance(thing, (list, tuple)):
            thing = thing[int(word)]
        elif isinstance(thing, dict):
            thing = thing[word]
        else:
            thing = getattr(thing, word)
    return thing


def numbers_below(net):
    return {name: layer.count_params() for name, layer in net.named_layers()}
