"""Who decides how far a parameter moves?

Up to here each training loop did it itself: parameter minus rate times gradient. There are better rules, and each needs a memory of its own. So
the rule moves into an object, an optimizer, and the loop keeps one line: ``update()``. This script writes six rules in a few lines each, and lets
them race.
"""

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import Parameter, optimizers
from dezero.models import MLP
from dezero.optimizers import Optimizer

# %% A rule is an object
# ``setup`` tells an optimizer whose parameters it looks after: a model, or a list of them. ``update`` calls ``update_one`` for each parameter that
# has a gradient. A rule writes ``update_one``, and that is all. Plain descent is called SGD: stochastic gradient descent, as in training the
# gradient usually comes from a few samples drawn by chance, and not from all (step 48).


class SGD(Optimizer):
    def update_one(self, param):
        param.data -= self.rate * param.grad.data


# %% A memory for the direction
# Momentum is the ball of step 28: steps that agree add up. The rule has to remember a velocity for each parameter. ``self.state(param, "v")`` is
# such a memory: an array as large as the parameter, zeros at first, the same array at each call.


class Momentum(Optimizer):
    def update_one(self, param):
        v = self.state(param, "v")
        v *= 0.9
        v += param.grad.data
        param.data -= self.rate * v


# %% A memory for the size
# One rate has to serve all numbers. Where the slope is 100 a rate may be far too large, where it is 0.01 too small. AdaGrad adds up the squares of
# all slopes that a number has met, and divides by the root of the sum. Then the size of the slope cancels. But the sum only grows, so the steps
# become shorter for ever. RMSprop takes a running mean: nine tenths of the old mean and one tenth of the new square. What was long ago is
# forgotten. The small 1e-8 keeps us from a division by 0.


class AdaGrad(Optimizer):
    def update_one(self, param):
        h = self.state(param, "h")
        h += param.grad.data**2
        param.data -= self.rate * param.grad.data / (np.sqrt(h) + 1e-8)


class RMSprop(Optimizer):
    def update_one(self, param):
        h = self.state(param, "h")
        h *= 0.9
        h += 0.1 * param.grad.data**2
        param.data -= self.rate * param.grad.data / (np.sqrt(h) + 1e-8)


# %% Both memories
# Adam has a running mean m of the slopes, for the direction, and a running mean v of their squares, for the size. Both begin at 0 and are too small
# at first: after t steps of the same slope g, m is (1 - 0.9**t) times g. So they are divided by just that. ``self.t`` counts the updates.
#
# AdamW also pulls each parameter towards 0, by a small share of itself at each step: weight decay. Smaller weights make smoother functions.


class Adam(Optimizer):
    decay = 0.0

    def update_one(self, param):
        m, v, g = self.state(param, "m"), self.state(param, "v"), param.grad.data
        m += 0.1 * (g - m)
        v += 0.001 * (g**2 - v)
        param.data *= 1 - self.rate * self.decay
        param.data -= self.rate * (m / (1 - 0.9**self.t)) / (np.sqrt(v / (1 - 0.999**self.t)) + 1e-8)


class AdamW(Adam):
    decay = 0.01


# Our rule, the package's rule, and a rate for the first race below: the best of 0.003, 0.01, 0.03, 0.1, 0.3 and 1 for each.
RULES = {
    "SGD": (SGD, optimizers.SGD, 0.03),
    "Momentum": (Momentum, optimizers.MomentumSGD, 0.01),
    "AdaGrad": (AdaGrad, optimizers.AdaGrad, 0.3),
    "RMSprop": (RMSprop, lambda lr: optimizers.RMSprop(lr, rho=0.9), 0.01),
    "Adam": (Adam, optimizers.Adam, 0.3),
    "AdamW": (AdamW, optimizers.AdamW, 0.3),
}

# %% How long are the steps?
# Two numbers whose slopes are always 100 and 0.01. SGD and Momentum step in proportion to them: ten thousand times as far for the one as for the
# other. The rules with a memory for the size step equally far for both.


def show_steps():
    print("length of a step, rate 0.1       first               100th\nwhere the slope is            100      0.01       100      0.01")
    found = {}
    for name in ("SGD", "Momentum", "AdaGrad", "RMSprop", "Adam"):
        w = Parameter(np.zeros(2))
        optimizer = RULES[name][0](lr=0.1).setup([w])
        lengths = []
        for _ in range(100):
            before = w.data.copy()
            w.grad = np.array([100.0, 0.01])
            optimizer.update()
            lengths.append(before - w.data)
        found[name] = [*lengths[0], *lengths[-1]]
        print(f"{name:23} {found[name][0]:9.3f} {found[name][1]:9.3f} {found[name][2]:9.3f} {found[name][3]:9.3f}")
    return found


# %% The race
# The first course is Beale's function, from (1, 1) as in step 28. We count the steps after which a rule is within 0.01 of the lowest point and
# stays there. The second is the net with 12 hidden units that learned x sin x in step 43. ``MLP`` of the package is the Network of step 45 ready
# made: the sizes of its Linear layers, and the function between them. Each rule gets 300 steps with three rates. As some errors jump, we take the
# mean of the last 30. The loop is the same for all rules.


def beale(x, y):
    return (1.5 - x + x * y) ** 2 + (2.25 - x + x * y**2) ** 2 + (2.625 - x + x * y**3) ** 2


def walk(optimizer, count, start=(1.0, 1.0), state=None):
    """The points on the way of an optimizer down Beale's function."""
    x, y = (Parameter(np.array(value)) for value in start)
    optimizer.setup([x, y])
    if state:
        optimizer.load_state_dict(state)
    path = [(float(x.data), float(y.data))]
    for _ in range(count):
        x.cleargrad()
        y.cleargrad()
        beale(x, y).backward()
        optimizer.update()
        path.append((float(x.data), float(y.data)))
    return np.array(path)


def distances(path):
    return np.hypot(path[:, 0] - 3.0, path[:, 1] - 0.5)


def train(optimizer, count=300):
    """The errors of a net on its way to x sin x."""
    np.random.seed(0)
    x = np.linspace(-2, 5, 100, dtype=np.float32).reshape(-1, 1)
    t = x * np.sin(x)
    model = MLP((12, 1), activation=F.tanh)
    optimizer.setup(model)
    errors = []
    for _ in range(count):
        loss = F.mean_squared_error(model(x), t)
        errors.append(float(loss.data))
        if errors[-1] > 1e6:
            break
        model.cleargrads()
        loss.backward()
        optimizer.update()
    return errors


def race():
    print("\n           Beale's function           net: error with rate         the package's")
    print("rule       rate                       0.01       0.1         1    rule is the same")
    paths, nets, found = {}, {}, {}
    for name, (rule, package, rate) in RULES.items():
        paths[name] = walk(rule(lr=rate), 1000)
        nets[name] = [train(rule(lr=net_rate)) for net_rate in (0.01, 0.1, 1.0)]
        errors = [float(np.mean(way[-30:])) if len(way) == 300 else None for way in nets[name]]
        away = distances(paths[name])
        last = int(np.flatnonzero(away >= 0.01)[-1]) + 1
        arrival = last if last < len(away) else None
        apart = float(np.abs(walk(rule(lr=rate), 50) - walk(package(rate), 50)).max())
        found[name] = {"arrival": arrival, "away": away[-1], "errors": errors, "apart": apart}
        ends = f"{arrival} steps" if arrival else f"ends {away[-1]:.2f} away"
        shown = " ".join("runs away" if error is None else f"{error:9.4f}" for error in errors)
        print(f"{name:10} {rate:<5} {ends:14}  {shown:>29}    {apart < 1e-12}")
    return paths, nets, found


# %% Read the table
# No rule wins everywhere. Momentum is hard to beat if its rate is right, and runs away if it is ten times too large. RMSprop's steps do not become
# shorter by themselves, so near the end it jumps to and fro. Adam is good on both courses, and with rates that are far apart. So it is what people
# try first: a rate near 0.001 for large nets, more for small ones. AdamW does not come to the lowest point, as the pull to 0 shifts the place where
# it rests. On a net with noisy data that is often wanted.

# %% The memory belongs to the training
# Whoever stops a training and goes on tomorrow has to keep the parameters, and the optimizer's memory too. ``state_dict`` gives it,
# ``load_state_dict`` takes it back. With it the second half ends at the very same point. With an empty memory it does not.


def stop_and_go_on(rate=0.1):
    whole = walk(optimizers.Adam(rate), 50)[-1]
    first = optimizers.Adam(rate)
    middle = walk(first, 30)[-1]
    state = first.state_dict()
    kept, empty = (walk(optimizers.Adam(rate), 20, middle, given)[-1] for given in (state, None))
    print(f"\n50 steps of Adam end at                   {whole[0]:.4f} {whole[1]:.4f}")
    print(f"30 steps, then 20 with the saved memory   {kept[0]:.4f} {kept[1]:.4f}   the same: {bool((kept == whole).all())}")
    print(f"30 steps, then 20 with an empty memory    {empty[0]:.4f} {empty[1]:.4f}")
    return {"whole": whole, "with": kept, "without": empty, "memory": [*state["arrays"]]}


# %% The race as a picture

LINES = {"SGD": ("#000000", "-"), "Momentum": ("#D55E00", "-"), "AdaGrad": ("#009E73", "--"), "RMSprop": ("#CC79A7", "-"), "Adam": ("#0072B2", "-"),
         "AdamW": ("#E69F00", "--")}


def draw(path, paths, nets):
    xs, ys = np.meshgrid(np.linspace(0.4, 4.6, 300), np.linspace(-1.1, 1.5, 300))
    with picture(path, columns=3, size=(15.0, 4.4)) as (land, way, error):
        land.contour(xs, ys, np.log10(beale(xs, ys) + 1e-3), levels=np.linspace(-3, 3, 25), colors="#C3CCD5", linewidths=0.6, linestyles="solid")
        for name, (colour, line) in LINES.items():
            land.plot(*paths[name].T, line, color=colour, linewidth=1.4, label=name)
            way.loglog(np.arange(1, len(paths[name])), distances(paths[name])[1:], line, color=colour, linewidth=1.4, label=name)
            error.semilogy(np.arange(300), nets[name][1], line, color=colour, linewidth=1.4, label=name)
        land.plot(3.0, 0.5, "*", color="black", markersize=13)
        land.plot(1, 1, "X", color="black", markersize=8)
        land.set(title="The ways down Beale's function (X start, star lowest)", xlabel="x", ylabel="y", xlim=(0.4, 4.6), ylim=(-1.1, 1.5))
        way.axhline(0.01, color="#808080", linestyle=":")
        way.set(title="Distance from the lowest point (dotted: near enough)", xlabel="step", ylabel="distance", ylim=(1e-5, 10))
        error.set(title="A net learns x sin x, all with rate 0.1", xlabel="step", ylabel="mean squared error")
        land.legend(loc="lower right", framealpha=1.0, ncols=2)


def main(out=None, fast=False):
    steps = show_steps()
    paths, nets, found = race()
    resumed = stop_and_go_on()
    if out:
        draw(out / "race.png", paths, nets)
    return {"steps": steps, "race": found, "resumed": resumed, "paths": {name: path[:51] for name, path in paths.items()}}


# %% Exercises: python -m steps.check 46 my_answer.py
# 1. ``Signs``: an Optimizer that knows only the sign of each slope: every number moves by the rate against it (not at all where the slope is 0).
# 2. ``Clipped``: SGD that shortens long gradients: a parameter's gradient that is longer than 1 is divided by its length. param.grad stays as it was.
# 3. ``adam_step(t)``: think: rate 1, the slope was 0 for t - 1 steps (t at least 1) and is 5 now. How far does Adam step? Leave the 1e-8 out.

if __name__ == "__main__":
    run(main)
