"""Why does a program that looks right learn nothing?

Ten mistakes that people make again and again when they write their first networks. Each is shown three times: as it was written, with what comes out;
mended; and tried with the package, to see what that has to say. The package catches some of them. For the others you have to know where to look.
"""

import re
from contextlib import nullcontext
from functools import cache

import numpy as np

from support import picture, run

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, Function, Model, Variable, no_grad, test_mode
from dezero.datasets import Digits
from dezero.models import MLP
from dezero.optimizers import SGD, Adam
from dezero.training import Trainer
from dezero.utils import numerical_grad

# %% 1. A table instead of a copy: np.zeros(x)
# Slopes by trial (step 04) need an array of zeros in the shape of x. ``np.zeros`` takes a shape, not an example. With floats that is an error. With
# whole numbers it is worse: ``np.zeros(np.array([3, 4]))`` is a table of 3 by 4, without a word. ``np.zeros_like`` takes an example.
#
# One trap is left: the zeros_like of whole numbers are whole numbers, which cut 5.9 to 5, and 3 + 0.0001 put into such an array is 3 again. So
# compute with floats. The package refuses whole numbers here.


def square_sum(x):
    return (x**2).sum()


def slopes_by_trial(x, grad):
    for i in range(x.size):
        up, down = x.copy(), x.copy()
        up[i] += 1e-4
        down[i] -= 1e-4
        grad[i] = (square_sum(up) - square_sum(down)) / 2e-4
    return grad.round(6)


def wrong_zeros():
    x = np.array([3.0, 4.0])
    return slopes_by_trial(x, np.zeros(x))


def right_zeros():
    x = np.array([3, 4]).astype(float)
    return slopes_by_trial(x, np.zeros_like(x))


def package_zeros():
    return numerical_grad(square_sum, np.array([3, 4]))


# %% 2. Names that NumPy no longer has: np.int
# Code of 2018 turned labels into whole numbers with ``np.int``. It was another name for Python's own ``int``, and was taken away in NumPy 1.24, like
# np.float and np.object. NumPy 2.0 took np.float_, np.alltrue, np.product and others. The message says what to write instead: read it to
# the end. The package takes labels of any whole-number type as they are, and refuses floats, which is how labels come out of many files.

LABELS = np.array([2.0, 0.0, 1.0])
SCORES = np.array([[0.0, 1.0, 3.0], [2.0, 0.0, 1.0], [1.0, 2.0, 0.0]])


def wrong_int():
    return LABELS.astype(np.int)


def right_int():
    return LABELS.astype(int)


def package_int():
    return F.softmax_cross_entropy(SCORES, LABELS)


# %% 3. The gradient of somebody else: dout[mask] = 0
# A ReLU sends back the gradient that comes in, with zeros where x was not above 0. To write the zeros into ``dout`` itself saves a line. But the
# array belongs to the caller. Here y = relu(x) + x, so the same dout goes two ways, and the second way finds the zeros of the first: [0, 2]
# instead of [1, 2]. In a plain chain of layers nobody notices, for years. ``np.where`` makes a new array.
#
# In a Function of the package, gy is a Variable, and to assign to its elements is an error. Only ``gy.data[...] = 0`` goes round that: do not.


def backward_of_sum(relu_backward):
    x, dout = np.array([-1.0, 2.0]), np.array([1.0, 1.0])
    return relu_backward(dout, x <= 0) + dout


def wrong_mask():
    def relu_backward(dout, mask):
        dout[mask] = 0
        return dout

    return backward_of_sum(relu_backward)


def right_mask():
    return backward_of_sum(lambda dout, mask: np.where(mask, 0, dout))


class CarelessReLU(Function):
    def forward(self, x):
        self.mask = x <= 0
        return np.where(self.mask, 0, x)

    def backward(self, gy):
        gy[self.mask] = 0
        return gy


def package_mask():
    x = Variable(np.array([-1.0, 2.0]))
    (CarelessReLU()(x) + x).backward()
    return x.grad.data


# %% 4. A method that nobody calls: __init
# Two underscores on each side, or Python takes it for a method like any other. Nothing runs, nothing complains, until something that it should have
# made is missed. The message names the missing thing and not the place of the mistake: if an attribute is missing that you are sure to set, look
# at the name of the method that sets it. The package is no better here. But print the network: one without parts is printed as ``Net()``.


class Misspelt(Model):
    def __init(self):
        super().__init__()
        self.fc = L.Linear(3)

    def forward(self, x):
        return self.fc(x)


class Spelt(Model):
    def __init__(self):
        super().__init__()
        self.fc = L.Linear(3)

    def forward(self, x):
        return self.fc(x)


def wrong_init():
    return Misspelt()(np.ones((4, 2), np.float32)).shape


def right_init():
    return Spelt()(np.ones((4, 2), np.float32)).shape


def package_init():
    return f"print(net) shows {Misspelt()!r}"


# %% 5. A number that was right yesterday: only the first part of the data
# ``rng.choice(10000, 100)`` was right as long as there were 10,000 samples. Then the file with 60,000 came, and the network still sees every sixth of
# them. No error, no odd curve: it just learns less than it could. Here it is the same sixth of our 1,437 digits. Ask the data how many they are.
# The package's loader does, and it deals out each sample once in each epoch.


@cache
def images(training):
    return Digits(train=training)[:]


def train(pick, seed, dropout=0.0, steps=300, watch=None):
    """A network, and how many training images it ever saw; ``pick(rng, count)`` gives the indices of a batch."""
    np.random.seed(seed)
    rng, (x, t) = np.random.default_rng(seed), images(True)
    model = MLP((32, 10), activation=lambda h: F.dropout(F.relu(h), dropout) if dropout else F.relu(h))
    optimizer, seen = Adam(0.01).setup(model), set()
    for _ in range(steps):
        batch = pick(rng, len(x))
        seen.update(batch.tolist())
        loss = F.softmax_cross_entropy(model(x[batch]), t[batch])
        model.cleargrads()
        loss.backward()
        optimizer.update()
        if watch:
            watch(float(loss.data), accuracy(model))
    return model, len(seen)


def accuracy(model, mode=test_mode):
    x, t = images(False)
    with mode(), no_grad():
        return float(F.accuracy(model(x), t).data)


@cache
def learned(pick, seeds=3):
    """Mean test accuracy over some seeds, in percent, and how many images were seen in the last run."""
    runs = [train(pick, seed) for seed in range(seeds)]
    return round(100 * float(np.mean([accuracy(model) for model, _ in runs])), 1), runs[-1][1]


def first_sixth(rng, count):
    return rng.choice(240, 50, replace=False)


def all_of_them(rng, count):
    return rng.choice(count, 50, replace=False)


def wrong_part():
    return "{} % right, {} images seen".format(*learned(first_sixth))


def right_part():
    return "{} %, {}".format(*learned(all_of_them))


def package_part():
    return f"a loader deals out {sum(len(t) for _, t in DataLoader(Digits(), 50))}"


# %% 6. A column and a row: (N, 1) against (N,)
# The network gives a column (N, 1), the targets are a plain (N,). Their difference is a table (N, N) of everybody against everybody (step 40 drew
# why). The mean of its squares is a number, it even falls, and what is learned is the mean of all targets. The true slope is 3, 0 is
# found. Look at ``loss.shape`` before the mean, or let the package's loss do it: it refuses shapes that differ.


def slope_of_line(loss_of, clear=True, shown=(50,)):
    x = np.linspace(-1, 1, 20).reshape(20, 1)
    t = 3 * x[:, 0]
    w, slopes = Variable(np.zeros((1, 1))), []
    for _ in range(50):
        loss = loss_of(F.matmul(x, w), t)
        if clear:
            w.cleargrad()
        loss.backward()
        w.data = w.data - 0.5 * w.grad.data
        slopes.append(float(w.data[0, 0]))
    return "slope " + ", ".join(f"{slopes[step - 1]:.1f}" for step in shown)


def wrong_column():
    return slope_of_line(lambda y, t: F.mean((y - t) ** 2))


def right_column():
    return slope_of_line(lambda y, t: F.mean((y - t.reshape(-1, 1)) ** 2))


def package_column():
    return slope_of_line(F.mean_squared_error)


# %% 7. Yesterday's gradients: a forgotten cleargrads
# Backward adds to what is there, and must (step 14). Who does not clear adds the gradients of all steps so far: a ball that nothing slows down
# (step 28). The slope swings to and fro around 3 without end; these are steps 45 to 49. The package says nothing, since adding up
# is sometimes meant: four small batches can stand for a large one. A Trainer clears.


def wrong_clear():
    return slope_of_line(lambda y, t: F.mean_squared_error(y, t.reshape(-1, 1)), clear=False, shown=(45, 46, 47, 48, 49))


def right_clear():
    return slope_of_line(lambda y, t: F.mean_squared_error(y, t.reshape(-1, 1)))


def package_clear():
    x = np.linspace(-1, 1, 20).reshape(20, 1)
    model = L.Linear(1, nobias=True, initializer=0, dtype=np.float64)
    Trainer(model, SGD(0.5), F.mean_squared_error).fit([(x, 3 * x)], epochs=50)
    return f"Trainer: slope {model.W.data[0, 0]:.1f}"


# %% 8. e to the 1000: softmax without the maximum
# exp(1010) is more than a float can hold: infinity, and infinity over infinity is nan. Subtract the largest score first: the shares stay the
# same (step 47). "My scores are small" is no way out: float32, in which networks compute, ends at exp(88.7).


def wrong_softmax():
    with np.errstate(all="ignore"):
        e = np.exp(np.array([1010.0, 1000.0, 990.0]))
        return (e / e.sum()).round(4)


def right_softmax():
    x = np.array([1010.0, 1000.0, 990.0])
    e = np.exp(x - x.max())
    return (e / e.sum()).round(4)


def package_softmax():
    return F.softmax(np.array([1010.0, 1000.0, 990.0]), axis=0).data.round(4)


# %% 9. Half asleep in the exam: dropout at test time
# A network is in train mode until you say otherwise: dropout still turns half of the units off when you ask it for an answer. The sign: the same
# network on the same data gives two different accuracies. ``with test_mode():`` turns it off. ``predict`` and ``evaluate`` of a Trainer do it
# by themselves.


@cache
def forgetful():
    return train(all_of_them, 0, dropout=0.5)[0]


def percent(share):
    return f"{share:.1%}"


def wrong_dropout():
    model = forgetful()
    np.random.seed(1)
    return ", then ".join(percent(accuracy(model, nullcontext)) for _ in range(2))


def right_dropout():
    return ", then ".join(percent(accuracy(forgetful())) for _ in range(2))


def package_dropout():
    found = Trainer(forgetful(), SGD(0.1), F.softmax_cross_entropy, metrics=[F.accuracy]).evaluate(DataLoader(Digits(train=False), 100))
    return f"evaluate: {percent(found['accuracy'])}"


# %% 10. The same dice each time: a seed inside of the loop
# A seed makes a run repeatable. Set inside of the loop it makes each step the same: all 300 batches are the same 50 images. The loss falls quickly to
# nearly 0, which looks like success. Set the seed once, before the loop. A DataLoader with a seed of its own has its own dice: whoever sets
# NumPy's seed meanwhile does not disturb them, and each epoch has another order.


def seeded_again(rng, count):
    return np.random.default_rng(0).choice(count, 50, replace=False)


def wrong_seed():
    return "{} % right, {} images seen".format(*learned(seeded_again))


def right_seed():
    return "{} %, {}".format(*learned(all_of_them))


def package_seed():
    loader, orders = DataLoader(np.arange(20), 20, seed=0), []
    for _ in range(2):
        np.random.seed(0)
        orders.append(np.concatenate(list(loader)).tolist())
    return "epochs differ" if orders[0] != orders[1] else "epochs are the same"


# %% Which of them say something?
# Errors are the kind ones: they stop you at once. Most of the ten say nothing and give a number. So it pays to know which number to expect:
# a first loss of about log(classes), a batch of which the network learns every sample by heart in a few steps, the same answer twice in test mode, a
# gradient that agrees with slopes by trial (step 10).

BUGS = [("np.zeros(x)", wrong_zeros, right_zeros, package_zeros), ("np.int", wrong_int, right_int, package_int),
        ("dout[mask] = 0", wrong_mask, right_mask, package_mask), ("__init", wrong_init, right_init, package_init),
        ("only the first part", wrong_part, right_part, package_part), ("(N, 1) against (N,)", wrong_column, right_column, package_column),
        ("forgotten cleargrads", wrong_clear, right_clear, package_clear), ("softmax, no maximum", wrong_softmax, right_softmax, package_softmax),
        ("dropout in the exam", wrong_dropout, right_dropout, package_dropout), ("seed in the loop", wrong_seed, right_seed, package_seed)]


def outcome(attempt):
    """What comes out, as text, and whether that is an error."""
    try:
        result = attempt()
    except Exception as error:
        return f"{type(error).__name__}: {str(error).splitlines()[0]}", True
    return " ".join(f"{number:g}" for number in result) if isinstance(result, np.ndarray) else str(result), False


def shortened(text, width):
    return text if len(text) <= width else text[:width - 3] + "..."


def show_bugs():
    found = {}
    for number, (name, *attempts) in enumerate(BUGS, 1):
        (wrong, raised), (right, _), (package, refused) = map(outcome, attempts)
        print(f"{number:2} {name:25} {shortened(wrong, 72)}")
        said = "package refuses: " + re.sub(r"^\w+: (\w+: )?", "", package) if refused else f"package: {package}"
        print(f"   mended: {right:18} {shortened(said, 70)}")
        found[name] = {"wrong": wrong, "raised": raised, "right": right, "package": package, "refused": refused}
    raised, refused = (sum(bug[kind] for bug in found.values()) for kind in ("raised", "refused"))
    print(f"\n{raised} of the ten stop with an error, {len(BUGS) - raised} go on without a word. The package refuses {refused} of them.")
    return found


# %% A fine curve and a poor network
# With ``--out``: bugs 5 and 10 while they learn. On its own batches the network with the seed in the loop looks best of all.


def draw(path):
    with picture(path, columns=2, size=(10.0, 4.0)) as (left, right):
        for name, pick, colour, line in (("mended", all_of_them, "#009E73", "-"), ("bug 5: only the first sixth", first_sixth, "#0072B2", "--"),
                                         ("bug 10: seed in the loop", seeded_again, "#D55E00", "-.")):
            curve = []
            train(pick, 0, watch=lambda loss, right, curve=curve: curve.append((loss, right)))
            losses, shares = zip(*curve, strict=True)
            left.semilogy(losses, line, color=colour, linewidth=1, label=name)
            right.plot(np.multiply(shares, 100), line, color=colour, label=name)
        left.set(title="Loss on its own batches", xlabel="step", ylabel="loss")
        right.set(title="Right answers on the test images", xlabel="step", ylabel="%")
        right.legend()


def main(out=None, fast=False):
    found = show_bugs()
    gone = {name: name not in dir(np) for name in ("int", "float", "object", "float_", "alltrue", "product")}
    if out:
        draw(out / "bugs.png")
    return {"bugs": found, "gone": gone, "shape": list(np.zeros(np.array([3, 4])).shape)}


# %% Exercises: python -m steps.check w11 my_answer.py
# 1. ``best_of(w, step, loss, count)``: somebody keeps the best weights like this: ``best, low = w, loss(w)``, then count times ``step(w)``, which
#    changes w in place, and ``if loss(w) < low: best, low = w, loss(w)``; in the end ``return best``. The last weights come out. Mend it.
# 2. ``collect(value, seen=[])``: ``seen.append(value); return seen`` was meant to begin with a new list if none is given. It remembers all earlier
#    calls. Mend it, so that a list that is given is still added to.
# 3. ``fit(x, t, steps, rng)``: the slope of a line through (0, 0), x is (N, 1), t is (N,). Three of the ten bugs are in it; mend them:
#    ``w = Variable(np.zeros((1, 1)))`` then steps times ``rng = np.random.default_rng(0)``, ``i = rng.choice(len(x), 10)``,
#    ``F.mean((F.matmul(x[i], w) - t[i]) ** 2).backward()``, ``w.data = w.data - 0.1 * w.grad.data``; in the end ``return float(w.data[0, 0])``.

if __name__ == "__main__":
    run(main)
