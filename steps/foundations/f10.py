"""Can each small part carry the slopes back, knowing nothing of the rest?

In f09 we derived the slopes of two layers with a pencil. For a larger net nobody wants to do that. So we cut the computation into small nodes: an
addition, a multiplication, a ReLU. Each node knows its own inputs and its own little rule for the way back, and whole nets are put together
from six of them.
"""

import numpy as np

from support import picture, run

# %% Add passes on, multiply swaps
# A node has two methods. ``forward`` takes the inputs, gives the output, and keeps what the way back will need. ``backward`` takes one number from
# behind: g, the slope of the final result by this node's output. It gives the slope by each input, which is g times the local slope.
#
# a + b moves as fast as a does, and as fast as b does. Both local slopes are 1: Add passes g on to both sides, as it is.
# a · b moves b times as fast as a, and a times as fast as b. So Multiply hands g back times the OTHER input: it swaps them.


class Add:
    def forward(self, a, b):
        return a + b

    def backward(self, g):
        return g, g


class Multiply:
    def forward(self, a, b):
        self.a, self.b = a, b
        return a * b

    def backward(self, g):
        return g * self.b, g * self.a


# %% Bus tickets
# Three grown-ups and two children buy day tickets, and as a group they pay 0.8 of the price. Four nodes compute what it costs. On the way back we
# begin with g = 1, as the total moves as fast as itself. The answer is one slope for each number that went in. For instance: if a ticket for
# grown-ups becomes dearer by 0.10, the bill grows by 2.40 · 0.10 = 0.24. And the slope by the share is the price before the discount.

TICKETS = {"adult price": 4.5, "adults": 3.0, "child price": 2.2, "children": 2.0, "share": 0.8}


def tickets(adult_price, adults, child_price, children, share, g=1.0):
    for_adults, for_children, together, discount = Multiply(), Multiply(), Add(), Multiply()
    a = for_adults.forward(adult_price, adults)
    c = for_children.forward(child_price, children)
    price = together.forward(a, c)
    total = discount.forward(price, share)

    g_price, g_share = discount.backward(g)
    g_a, g_c = together.backward(g_price)
    g_adult_price, g_adults = for_adults.backward(g_a)
    g_child_price, g_children = for_children.backward(g_c)
    between = {"for adults": (a, g_a), "for children": (c, g_c), "price": (price, g_price), "total": (total, g)}
    return total, (g_adult_price, g_adults, g_child_price, g_children, g_share), between


def buy():
    total, slopes, between = tickets(**{name.replace(" ", "_"): number for name, number in TICKETS.items()})
    print(f"{TICKETS['adults']:.0f} adults, {TICKETS['children']:.0f} children, total {total:.2f}")
    print("                 " + "".join(f"{name:>13}" for name in TICKETS))
    print("number           " + "".join(f"{number:13.2f}" for number in TICKETS.values()))
    print("slope of total   " + "".join(f"{slope:13.2f}" for slope in slopes))
    return {"total": total, "slopes": dict(zip(TICKETS, slopes, strict=True)), "between": between}


# %% A node knows only its neighbours
# The multiplication of adult price and adults has never heard of children or of a discount. All of that reaches it as one number, g = 0.8. Take
# another rest: no discount, but a voucher of 3.00 which is subtracted. The same node, with the same numbers inside, now gets g = 1, and its
# slopes are 3.0 and 4.5. Nobody had to touch the node. This is called local computation: a node that is right is right in every net.


def local():
    node, together = Multiply(), Add()
    price = together.forward(node.forward(TICKETS["adult price"], TICKETS["adults"]), TICKETS["child price"] * TICKETS["children"])
    found = {}
    for rest, last, number in (("share of 0.8", Multiply(), 0.8), ("voucher of 3", Add(), -3.0)):
        total = last.forward(price, number)
        g_price, _ = last.backward(1.0)
        g, _ = together.backward(g_price)
        found[rest] = [total, g, *node.backward(g)]
        print("with a {}: total {:.2f}; the node adult price · adults gets g = {:.1f}, gives {:.1f} and {:.1f}".format(rest, *found[rest]))
    return found


# %% ReLU is a gate, the sigmoid a brake
# The ReLU lets a number through if it is positive, and gives 0 otherwise. So its local slope is 1 or 0: on the way back the gate is open or shut.
# Which of the two was decided on the way forward, by x and not by g. (At exactly 0 there is a corner and no slope. We say 0 there.)
# The sigmoid's local slope is y (1 - y), written with its own output y. It is at most 0.25, so it slows down whatever comes back.


class ReLU:
    def forward(self, x):
        self.open = x > 0
        return np.where(self.open, x, 0.0)

    def backward(self, g):
        return (np.where(self.open, g, 0.0),)


class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, g):
        return (g * self.y * (1 - self.y),)


# %% Affine: a whole layer, a whole batch
# x holds N samples, one in each row. x @ W + b multiplies, adds up and shifts; this is called affine. We could build it from Add and Multiply. As one
# node it is shorter, and quicker. f09 had the formulas for one row: the column of x times the row of g for W, and g @ W.T for x. With N rows,
# each row pulls at the same W and the same b, and these pulls add up. In x.T @ g the sum is done by @. For b we write it: g.sum(axis=0).


class Affine:
    def forward(self, x, W, b):
        self.x, self.W = x, W
        return x @ W + b

    def backward(self, g):
        return g @ self.W.T, self.x.T @ g, g.sum(axis=0)


# %% Softmax and loss together: y - t
# Softmax makes probabilities y from scores (f05), the cross entropy of f07 says how bad they are. One by one their slopes are long formulas. Together
# nearly everything cancels, and what is left is y - t, where t has a 1 at the right class and 0 elsewhere. It even reads well: the score of
# the right class is pulled up by what its probability lacks, each other score is pushed down by the probability it should not have. The loss is the
# mean over N rows, so it is divided by N. (To subtract the largest score changes no probability. It keeps exp from becoming too big.)


class SoftmaxWithLoss:
    def __init__(self, t):
        self.t = t

    def forward(self, x):
        e = np.exp(x - x.max(axis=1, keepdims=True))
        self.y = e / e.sum(axis=1, keepdims=True)
        return -(self.t * np.log(self.y)).sum() / len(x)

    def backward(self, g):
        return (g * (self.y - self.t) / len(self.t),)


def pull():
    node = SoftmaxWithLoss(np.array([[0.0, 1.0, 0.0]]))
    loss = node.forward(np.array([[1.2, 0.3, -0.5]]))
    (slopes,) = node.backward(1.0)
    print("\nscores 1.2, 0.3, -0.5, the second is right: y = " + ", ".join(f"{p:.3f}" for p in node.y[0])
          + ", y - t = " + ", ".join(f"{s:.3f}" for s in slopes[0]))
    return {"y": node.y[0], "slopes": slopes[0], "loss": loss}


# %% Twelve small graphs
# Nodes that are put together are a graph. ``chain`` puts them one behind the other: what comes out of one goes into the next, and a node takes what
# else it needs (W and b, say) from the list of inputs. Backward goes through the same list from the end. Where a number is used twice, as in
# ``twice``, slopes come back to it on two ways, and they add up.
#
# ``start`` is the g that we begin with: 1.5, 1.6, 1.7 and so on. With ones only, a node that forgets to multiply by g would look right.

MORE_INPUTS = {Add: 1, Multiply: 1, Affine: 2}


def start(y):
    return 1.5 + np.arange(np.size(y)).reshape(np.shape(y)) / 10


def chain(*nodes):
    def graph(x, *others):
        others = list(others)
        for node in nodes:
            own = [others.pop(0) for _ in range(MORE_INPUTS.get(type(node), 0))]
            x = node.forward(x, *own)
        g, slopes = start(x), []
        for node in reversed(nodes):
            g, *own = node.backward(g)
            slopes = own + slopes
        return x, [g, *slopes]
    return graph


def twice(a):
    multiply = Multiply()
    y = multiply.forward(a, a)
    left, right = multiply.backward(start(y))
    return y, [left + right]


def bill(*inputs):
    total, slopes, _ = tickets(*inputs, g=start(0.0))
    return total, slopes


def graphs():
    rng = np.random.default_rng(0)
    t = np.eye(3)[[0, 2, 1, 1]]  # four rows with a 1 at the right class

    def arrays(*shapes):
        return [rng.normal(size=shape) for shape in shapes]

    layer, two_layers = ((4, 3), (3, 2), (2,)), ((4, 3), (3, 5), (5,), (5, 3), (3,))
    return {
        "a + b": (chain(Add()), arrays(3, 3)),
        "a · b": (chain(Multiply()), arrays(3, 3)),
        "a · a": (twice, arrays(3)),
        "bus tickets": (bill, [np.array(number) for number in TICKETS.values()]),
        "ReLU(x)": (chain(ReLU()), arrays(6)),
        "sigmoid(x)": (chain(Sigmoid()), arrays(6)),
        "sigmoid(a · b + c)": (chain(Multiply(), Add(), Sigmoid()), arrays(3, 3, 3)),
        "affine, 4 rows": (chain(Affine()), arrays(*layer)),
        "affine, ReLU": (chain(Affine(), ReLU()), arrays(*layer)),
        "affine, sigmoid, affine": (chain(Affine(), Sigmoid(), Affine()), arrays(*two_layers)),
        "softmax with loss": (chain(SoftmaxWithLoss(t)), arrays((4, 3))),
        "affine, ReLU, affine, loss": (chain(Affine(), ReLU(), Affine(), SoftmaxWithLoss(t)), arrays(*two_layers)),
    }


# %% Tried out, and with mistakes planted
# Each slope is compared with trying out: move one number up and down, and look at the result (f08). But does such a check find mistakes? We plant
# six, one after the other, and look which graphs notice. x: the check found wrong slopes. A dot: it saw nothing.
#
# A mistake is found wherever its node occurs, with one exception: a · a does not notice a Multiply that forgot to swap, as both its inputs are
# the same. A check is only as good as the numbers it is tried with.

MISTAKES = {
    "add": (Add, lambda node, g: (g, 0 * g)),                               # the second way is forgotten
    "swap": (Multiply, lambda node, g: (g * node.a, g * node.b)),           # not swapped
    "gate": (ReLU, lambda node, g: (g,)),                                   # always open
    "brake": (Sigmoid, lambda node, g: (g * node.y,)),                      # without 1 - y
    "rows": (Affine, lambda node, g: (g @ node.W.T, node.x.T @ g, g[0])),   # the bias looks at one row only
    "mean": (SoftmaxWithLoss, lambda node, g: (g * (node.y - node.t),)),    # not divided by N
}


def try_out(graph, inputs, h=1e-5):
    slopes = [np.zeros(x.shape) for x in inputs]
    for k, x in enumerate(inputs):
        for place in np.ndindex(x.shape):
            ends = []
            for side in (h, -h):
                moved = [array.copy() for array in inputs]
                moved[k][place] += side
                y, _ = graph(*moved)
                ends.append((start(y) * y).sum())
            slopes[k][place] = (ends[0] - ends[1]) / (2 * h)
    return slopes


def apart(graph, inputs, tried):
    _, slopes = graph(*inputs)
    return max(float(np.abs(g - other).max()) for g, other in zip(slopes, tried, strict=True))


def check_all():
    print("\ngraph                       slopes   right nodes   planted:" + "".join(f"{name:>6}" for name in MISTAKES))
    found = {}
    for name, (graph, inputs) in graphs().items():
        tried = try_out(graph, inputs)
        row = {"slopes": sum(x.size for x in inputs), "apart": apart(graph, inputs, tried)}
        for mistake, (kind, wrong) in MISTAKES.items():
            right, kind.backward = kind.backward, wrong
            row[mistake] = apart(graph, inputs, tried) > 1e-6
            kind.backward = right
        print(f"{name:27} {row['slopes']:6} {'agree' if row['apart'] < 1e-6 else 'wrong':>13}           "
              + "".join(f"{'x' if row[mistake] else '.':>6}" for mistake in MISTAKES))
        found[name] = row
    return found


# %% The bill as a picture
# With ``--out``: circles are nodes, boxes are numbers. Blue was computed forward, from left to right. Orange came back, from right to left.


def draw(path, bought):
    numbers = {**{name: (TICKETS[name], bought["slopes"][name]) for name in TICKETS}, **bought["between"]}
    places = {"adult price": (0, 4.4), "adults": (0, 3), "child price": (0, 1.4), "children": (0, 0), "for adults": (4, 3.7),
              "for children": (4, 0.7), "price": (8, 2.2), "share": (8, 0.4), "total": (12, 2.2)}
    nodes = {"×": [((2, 3.7), "adult price", "adults", "for adults"),
                   ((2, 0.7), "child price", "children", "for children"), ((10, 2.2), "price", "share", "total")],
             "+": [((6, 2.2), "for adults", "for children", "price")]}
    with picture(path, size=(10.5, 4.6)) as ax:
        for sign, found in nodes.items():
            for at, *inputs, output in found:
                for begin, end in [(places[name], at) for name in inputs] + [(at, places[output])]:
                    arrow = {"arrowstyle": "->", "color": "0.45", "shrinkA": 16, "shrinkB": 16 if end == at else 44}
                    ax.annotate("", end, begin, arrowprops=arrow)
                ax.text(*at, sign, ha="center", va="center", size=16, zorder=3, bbox={"boxstyle": "circle,pad=0.25", "fc": "#EEEEEE", "ec": "0.3"})
        for name, (x, y) in places.items():
            frame = {"boxstyle": "round,pad=0.45", "fc": "white", "ec": "0.3"}
            ax.text(x, y, "slope 17.90\n1\n1", ha="center", va="center", size=10.5, color="white", zorder=3, bbox=frame)
            texts = ((0.3, name, "black"), (0, f"{numbers[name][0]:.2f}", "#0072B2"), (-0.3, f"slope {numbers[name][1]:.2f}", "#B34700"))
            for up, text, color in texts:
                ax.text(x, y + up, text, ha="center", va="center", size=10.5, color=color, zorder=4)
        ax.set(xlim=(-1.1, 13.1), ylim=(-0.75, 5.1), title="The bill, node by node (blue), and how fast it moves with each number (orange)")
        ax.axis("off")


def main(out=None, fast=False):
    bought = buy()
    rests = local()
    pulled = pull()
    checked = check_all()
    if out:
        draw(out / "tickets.png", bought)
    return {"tickets": bought, "local": rests, "pull": pulled, "graphs": checked}


# %% Exercises: python -m steps.check f10 my_answer.py
# 1. ``Maximum``: a node for the larger of a and b, number by number. forward(a, b) and backward(g), which gives one slope for each input.
# 2. ``Gate``: somebody's ReLU has ``def backward(self, g): return (np.where(g > 0, g, 0.0),)``. Write the whole node without the mistake.
# 3. ``estimate(changes)``: by how much does the total of TICKETS move, by its slopes, if the numbers change a little? ``changes`` is a dict, such as
#    {"adult price": 0.1, "share": -0.05}; numbers that it does not name stay. (Compute the new bill as well. Why is it not quite the same?)

if __name__ == "__main__":
    run(main)
