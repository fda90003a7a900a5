"""How does the same program run on a GPU?

A GPU computes with thousands of small units at once, and it has a memory of its own. Two things follow. The arrays have to be there before it can
work on them. And each call of an operation has to be sent over first, which takes its time, whether the arrays are large or small. So a GPU is not
quicker at everything. Without a GPU this script says so and runs on the CPU; the code is the same.
"""

import importlib.util
import time

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader, cuda
from dezero.datasets import Digits
from dezero.models import MLP
from dezero.optimizers import Adam

# %% Is there one?
# CuPy is a package with NumPy's functions for arrays that live on a GPU of NVIDIA (CUDA is the way of programming these). ``cuda.gpu_enable`` tells
# whether CuPy is installed and a GPU answers.


def why_not():
    if cuda.gpu_enable:
        return ""
    if importlib.util.find_spec("cupy") is None:
        return "CuPy is not installed"
    return "CuPy is installed, but no GPU answers"


# %% Which module owns an array
# The operations of the package ask for each array that comes: NumPy's or CuPy's? ``cuda.get_array_module(x)`` gives that module. Its usual name is
# ``xp``, and code that says ``xp`` instead of ``np`` runs on both. We need it only where we make arrays ourselves, as here: rows with 0.91 at the
# label and 0.01 elsewhere. (Such soft labels keep a network from wanting to be completely sure.) With ``np.eye`` the rows would be in the memory of
# the CPU and the labels on the GPU, and an operation that gets both raises an error.


def soft_labels(t):
    xp = cuda.get_array_module(t)
    return xp.eye(10, dtype=np.float32)[t] * 0.9 + 0.01


# %% Two things to move
# The model moves with ``model.to_gpu()``, and the loader hands out arrays of the GPU with ``gpu=True``. The optimizer follows its parameters.


def make_model(hidden=100):
    np.random.seed(0)
    return MLP((hidden, 10), activation=F.relu, in_size=64)


def make_batches(gpu, count=50):
    loader = DataLoader(Digits(), 100, seed=0, drop_last=True, gpu=gpu)
    batches = []
    while len(batches) < count:
        batches += [(x, soft_labels(t)) for x, t in loader]
    return batches[:count]


# %% Leave the numbers where they are
# The CPU only sends calls; it does not wait until the GPU has done them. That ends when it wants to see a number: ``float(loss)`` has to wait for
# the loss and to copy it, and meanwhile nothing is sent. So the loop below keeps the losses as they are, and fetches all of them at once at the end.
# ``Fetcher`` brings arrays to the CPU and counts how often.


class Fetcher:
    def __init__(self):
        self.count = 0

    def __call__(self, x):
        self.count += 1
        return cuda.as_numpy(x)


def train(model, batches, look):
    optimizer = Adam().setup(model)
    losses = []
    for x, t in batches:
        loss = F.softmax_cross_entropy(model(x), t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        losses.append(look(loss.data))
    return losses


def run_on(gpu):
    model = make_model()
    if gpu:
        model.to_gpu()
    fetch = Fetcher()
    losses = train(model, make_batches(gpu), look=lambda loss: loss)
    inside = fetch.count
    losses = fetch(cuda.get_array_module(losses[0]).stack(losses))
    return losses, inside, fetch.count - inside


def compare(gpu):
    losses, inside, after = run_on(False)
    fetch = Fetcher()
    train(make_model(), make_batches(False), look=fetch)
    print(f"50 steps on the CPU: loss {losses[0]:.3f} -> {losses[-1]:.3f}")
    found = {"losses": losses, "inside": inside, "after": after, "inside, looking": fetch.count}
    if gpu:
        found["gpu losses"] = run_on(True)[0]
        found["difference"] = float(np.abs(found["gpu losses"] - losses).max())
        print(f"50 steps on the GPU: the losses differ by less than 1e-4: {found['difference'] < 1e-4}")
    print(f"fetched from the loop: {inside} times while it ran, {after} afterwards; with a look at each loss {fetch.count} times\n")
    return found


# %% What a step costs
# Count what one step sends: each function of the graph once forward and once backward, and an update for each parameter. The number of these
# calls does not depend on the size of the network. The number of multiplications does (three matrix products for each layer, step 41).


def count_calls(model, x, t):
    loss = F.softmax_cross_entropy(model(x), t)
    todo, functions = [loss.creator], set()
    while todo:
        function = todo.pop()
        if function is not None and function not in functions:
            functions.add(function)
            todo += [one.creator for one in function.inputs]
    return 2 * len(functions) + len(list(model.params()))


def count_multiplications(model, x):
    return sum(3 * len(x) * p.size for p in model.params() if p.ndim == 2)


# %% Why small is slower
# Time = calls times what it takes to send one + multiplications / speed. Round numbers that are near to many machines: a CPU core starts a call in
# 5 microseconds and multiplies 2e10 times a second, a GPU needs 30 microseconds and multiplies 1e13 times a second. That is 500 times as quick, and
# yet the table says: for the small networks the CPU has finished before the GPU has heard of everything.

CPU, GPU = (5e-6, 2e10), (30e-6, 1e13)
SIZES = (10, 100, 1000, 10000)


def estimate(calls, multiplications, machine):
    start, speed = machine
    return calls * start + multiplications / speed


def show_costs():
    x, t = make_batches(False, 1)[0]
    rows = []
    print("hidden units   calls in a step   multiplications   expected: CPU        GPU")
    for hidden in SIZES:
        model = make_model(hidden)
        calls, count = count_calls(model, x, t), count_multiplications(model, x)
        rows.append([hidden, calls, count, estimate(calls, count, CPU), estimate(calls, count, GPU)])
        print(f"{hidden:12} {calls:17} {count:17,} {1e3 * rows[-1][3]:13.2f} ms {1e3 * rows[-1][4]:7.2f} ms")
    print(f"both would take equally long at {break_even(calls) / 1e6:.0f} million multiplications in a step of {calls} calls")
    return rows


def break_even(calls):
    return calls * (GPU[0] - CPU[0]) / (1 / CPU[1] - 1 / GPU[1])


# %% The clock
# With ``--out`` this machine is measured and drawn beside the estimate. The loss is fetched before the clock is read: without that, on a GPU, one
# measures how quickly calls can be sent. The first steps do not count, as memory is reserved there. For large networks the estimate is too good: it
# leaves out the time for reading and writing the numbers.


def seconds(hidden, gpu, steps=10, rounds=5):
    model, batches = make_model(hidden), make_batches(gpu, steps)
    if gpu:
        model.to_gpu()
    best = float("inf")
    for _ in range(rounds + 1):
        begin = time.perf_counter()
        cuda.as_numpy(train(model, batches, look=lambda loss: loss)[-1])
        best = min(best, (time.perf_counter() - begin) / steps)
    return best


def draw_times(path, rows, gpu):
    with picture(path, size=(7.0, 4.6)) as ax:
        for label, column, color, there in (("CPU", 3, "#0072B2", True), ("GPU", 4, "#D55E00", gpu)):
            ax.plot(SIZES, [1e3 * row[column] for row in rows], "--", color=color, label=f"{label}, expected")
            if there:
                measured = [1e3 * seconds(hidden, label == "GPU") for hidden in SIZES]
                ax.plot(SIZES, measured, "o-", color=color, label=f"{label}, measured here")
                for hidden, ms in zip(SIZES, measured, strict=True):
                    ax.annotate(f"{ms:.2g} ms", (hidden, ms), (-7, 4), textcoords="offset points", ha="right", size=8, color=color)
        ax.set(xscale="log", yscale="log", xlabel="hidden units", ylabel="milliseconds for one step",
               title="One step of learning, 100 digits at once" + ("" if gpu else " (no GPU here)"))
        ax.margins(0.14, 0.12)
        ax.legend()


def main(out=None, fast=False):
    gpu, why = bool(cuda.gpu_enable), why_not()
    print("GPU: one answers, both machines are compared" if gpu else f"GPU: none ({why}); what follows runs on the CPU")
    found = compare(gpu)
    rows = show_costs()
    if out:
        draw_times(out / "times.png", rows, gpu)
    return {"gpu": gpu, "why not": why, **found, "costs": rows, "break even": break_even(rows[0][1])}


# %% Exercises: python -m steps.check 52 my_answer.py
# 1. ``one_hot(t, n)``: for labels t, float32 rows of n numbers with 1 at the label and 0 elsewhere, in the memory where t is.
# 2. ``units_to_win(calls, cpu, gpu, per_unit)``: a hidden unit adds per_unit multiplications to a step. From how many units on is the GPU quicker?
#    ``cpu`` and ``gpu`` are pairs (seconds for a start, multiplications in a second). None, if it never is.
# 3. ``mean_of(losses)``: the mean of a list of arrays with one number each, as a float. One fetch is allowed, for the whole list.

if __name__ == "__main__":
    run(main)
