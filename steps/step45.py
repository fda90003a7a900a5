"""How does a network stay in order when it is made of parts that are made of parts?

Step 44 put parameters into layers, and layers into a layer. Nothing stops us there: a network is a layer of blocks, a block is a layer of layers.
Each part has a place, and the way to it is a name, such as ``blocks.1.fc``. Once the parts have names, tables, errors and pictures can use them.
"""

from itertools import zip_longest

import numpy as np

from support import run

import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Model, Parameter, Variable
from dezero.errors import ShapeError
from dezero.viz import collect_graph, get_svg_graph, make_view, plot_dot_graph

# %% Parts of parts
# A block is a Linear layer with a tanh behind it. A network is a list of blocks, and one Linear at the end. ``Model`` is a Layer with a method to
# draw itself; nothing else differs. How many blocks there are, and how wide, is now a list of numbers: to try a deeper network is to write another
# list.
#
# No layer is told how many inputs it gets. ``L.Linear(12)`` waits for its first input, and makes a W of that size. In the tree on the left, printed
# before, the size is a question mark. The ``summary`` on the right has run the network once, on 5 rows with one column each.


class Block(Layer):
    def __init__(self, size):
        super().__init__()
        self.fc = L.Linear(size)

    def forward(self, x):
        return F.tanh(self.fc(x))


class Network(Model):
    def __init__(self, sizes):
        super().__init__()
        self.blocks = [Block(size) for size in sizes]
        self.out = L.Linear(1)

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return self.out(x)


def show_tree():
    np.random.seed(0)
    net = Network([12, 8])
    tree, summary = repr(net), net.summary((5, 1))
    for left, right in zip_longest(tree.splitlines(), summary.splitlines(), fillvalue=""):
        print(f"{left:28} {right}".rstrip())
    return net, tree, summary


# %% The way is the name
# How does a name come about? Look at the attributes of the network. A Parameter is found: note the way that led to it. A layer is found: look at its
# attributes, and write its name before theirs. For a list the place is the name. So a function that calls itself collects everything. The same
# walk finds the parameters to learn, names them in a file, and writes the tree. That of the package also takes care of what is held twice.


def walk(thing, way=""):
    """Pairs of a name and a Parameter, for all that a layer, list, tuple or dict holds."""
    if isinstance(thing, Parameter):
        return [(way, thing)]
    if isinstance(thing, Layer):
        parts = vars(thing).items()
    elif isinstance(thing, dict):
        parts = thing.items()
    elif isinstance(thing, (list, tuple)):
        parts = enumerate(thing)
    else:
        return []
    return [pair for name, part in parts for pair in walk(part, f"{way}.{name}" if way else f"{name}")]


def compare_names(net):
    ours, theirs = [name for name, _ in walk(net)], [name for name, _ in net.named_params()]
    print(f"\n{' '.join(ours)}\nas net.named_params() has them: {ours == theirs}")
    return {"walk": ours, "named": theirs, "layers": [name for name, _ in net.named_layers()]}


# %% Errors with an address
# In a deep network "shapes do not fit" is of little help: where? While a layer runs, the package knows its way, and an error begins with it. Here a
# layer that was made for 10 inputs is put into the second block, which gets 12.


def error_with_address():
    net = Network([12, 8])
    net.blocks[1].fc = L.Linear(8, in_size=10)
    try:
        net(np.ones((5, 1), np.float32))
    except ShapeError as error:
        print("\n" + str(error).replace(": x.shape", ":\n    x.shape"))
        return str(error)


# %% A graph with boxes
# The graph of a computation knows functions and variables, and a large one is hard to read. But each function ran within some layer. Draw a box
# around what ran in the same layer, boxes within boxes, and the picture looks like the program. With ``collapse=True`` a layer is drawn as one node.
# Run with ``--out`` and open ``network.svg`` and ``network_collapsed.svg``.


def boxes_of(clusters, depth=0):
    return [pair for box in clusters for pair in [(box.layer, depth), *boxes_of(box.inner, depth + 1)]]


def draw_boxes(net, out):
    y = net(Variable(np.ones((5, 1), np.float32), name="x"))
    ran = {}
    for node in collect_graph(y).functions:
        ran.setdefault(node.layer, []).append(node.name)
    boxes = boxes_of(make_view(y).clusters)
    print("\nbox in the picture, and which functions ran in it")
    for layer, depth in boxes:
        print(f"{'    ' * depth}{layer:15}" + "    " * (2 - depth) + " ".join(ran.get(layer, [])))
    if out:
        plot_dot_graph(y, to_file=out / "network.svg")
        plot_dot_graph(y, to_file=out / "network_collapsed.svg", collapse=True)
    return {"boxes": boxes, "ran": ran, "svg": get_svg_graph(y)}


# %% One loop for all
# The loop of learning is the one of step 44, and it does not change with the network. The points are those of x * sin(x). No block is a line, one
# block is the network of step 43. On so small a task a second block is no gain; deep networks pay off for pictures and speech.


def train(net, steps=1000, rate=0.02):
    x = np.linspace(-2, 5, 100, dtype=np.float32).reshape(-1, 1)
    t = x * np.sin(x)
    for _ in range(steps):
        loss = F.mean_squared_error(net(x), t)
        net.cleargrads()
        loss.backward()
        for param in net.params():
            param.data -= rate * param.grad.data
    return float(loss.data)


def train_several():
    found = {}
    for sizes in ([], [12], [12, 12]):
        np.random.seed(0)
        net = Network(sizes)
        loss = train(net)
        found[str(sizes)] = {"loss": loss, "numbers": net.count_params()}
        print(f"Network({sizes!s:8}) learns {net.count_params():3} numbers: loss {loss:.2f} after 1000 steps")
    return found


def main(out=None, fast=False):
    net, tree, summary = show_tree()
    names = compare_names(net)
    message = error_with_address()
    boxes = draw_boxes(net, out)
    trained = train_several()
    return {"tree": tree, "summary": summary, "count": net.count_params(), **names, "message": message, **boxes, "trained": trained}


# %% Exercises: python -m steps.check 45 my_answer.py
# 1. ``Around(inner)``: a Layer that holds any other layer as ``inner``; forward(x) is x + inner(x). This way round a layer makes deep networks learn.
# 2. ``part(net, name)``: the layer or Parameter behind a name such as "blocks.1.fc.W": go from part to part, through attributes, lists, dicts.
# 3. ``numbers_below(net)``: a dict from the name of each layer to how many numbers it learns, with all its parts; "" is the network itself.

if __name__ == "__main__":
    run(main)
