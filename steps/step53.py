"""What has to be saved so that nothing is lost when the program ends?

Training takes hours or weeks, and everything it has found lives in the memory of one program. To use the network later, its parameters are enough.
To go on with a run that was stopped, they are not. This script stops a run in the middle, goes on from a file, and compares with a run that
was never stopped: bit for bit.
"""

import json
import tempfile
from pathlib import Path

import numpy as np

from support import picture, run

import dezero.functions as F
from dezero import DataLoader
from dezero.datasets import Digits
from dezero.errors import StateError
from dezero.models import MLP
from dezero.optimizers import Adam
from dezero.serialization import load_checkpoint, save_checkpoint

# %% A run
# The network, the optimizer and the loader of the data: three objects. In two epochs of 29 batches, there are 58 steps. The optimizer counts them in
# ``t``. Every 20 steps the function ``save`` may write down where it is. With ``stop`` the run ends early, without any preparation, as if the
# plug had been pulled. To compare runs later, ``train`` gives back the parameters after each step, all in one row.

EPOCHS, EVERY = 2, 20


def begin(hidden=100, seed=0):
    np.random.seed(seed)
    model = MLP((hidden, 10), activation=F.relu, in_size=64)
    return model, Adam().setup(model), DataLoader(Digits(), 50, seed=0)


def train(model, optimizer, loader, save=None, stop=None):
    rows = []
    while loader.epoch < EPOCHS:
        for x, t in loader:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            rows.append(np.concatenate([p.data.ravel() for p in model.params()]))
            if save and optimizer.t % EVERY == 0:
                save(model, optimizer, loader)
            if optimizer.t == stop:
                return np.array(rows)
    return np.array(rows)


# %% The parameters in a file
# ``save_weights`` writes the parameters under their names, ``load_weights`` puts them into another network of the same form. The ending of the file
# chooses the format: .npz is NumPy's, .safetensors is one that most frameworks read. Loading either one never runs code, whoever made the file.


def save_and_load(folder):
    model, optimizer, loader = begin()
    train(model, optimizer, loader)
    x, _ = Digits(train=False)[:]
    path = folder / "digits.safetensors"
    model.save_weights(path)
    other = begin(seed=1)[0]
    before = float(np.abs(other(x).data - model(x).data).max())
    other.load_weights(path)
    after = float(np.abs(other(x).data - model(x).data).max())
    print(f"another network: its scores differ by up to {before:.1f}; with the parameters from the file by {after}")
    return path, after


# %% What is in it
# No secret: 8 bytes with the length of a text, the text, which says for each name the type, the shape and the place, and then the numbers. Python
# alone can read it. Such a file can still be opened when this package is long forgotten.


def read_header(path):
    with open(path, "rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = json.loads(file.read(length))
    return {name: entry for name, entry in header.items() if name != "__metadata__"}, 8 + length


def show_file(path):
    header, begin_of_numbers = read_header(path)
    size = path.stat().st_size
    print(f"\n{path.name}: {begin_of_numbers:,} bytes that describe, {size - begin_of_numbers:,} bytes of numbers")
    for name, entry in header.items():
        first, last = entry["data_offsets"]
        print(f"    {name}: {entry['dtype']} {entry['shape']!s:10} bytes {first:6} to {last:6}")
    return {name: entry["shape"] for name, entry in header.items()}


# %% A file that does not fit
# A network with 80 hidden units instead of 100 has no use for this file. To take what fits and be silent would be the worst answer: the network
# would run, and give nonsense. So nothing is loaded, and a table says what differs.


def show_misfit(path):
    model = begin(hidden=80)[0]
    before = [p.data.copy() for p in model.params()]
    try:
        model.load_weights(path)
    except StateError as error:
        message = str(error)
    untouched = all(np.array_equal(p.data, old) for p, old in zip(model.params(), before, strict=True))
    print("\nloaded into a network with 80 hidden units:")
    print("\n".join("    " + line for line in message.split("\n")[1:]))
    print(f"    the network is as it was: {untouched}")
    return message, untouched


# %% All that a run is
# A step depends on three things: the parameters; what the optimizer remembers (Adam has two running means for each parameter, and a count of
# steps); and which batch comes next. All three can say their state and take it back. A checkpoint is one file with all of it. It is written
# under another name first and renamed when it is whole, so that a power cut while writing leaves the old one.


def saver(path):
    def save(model, optimizer, loader):
        state = optimizer.state_dict()
        save_checkpoint(path, {"model": model.state_dict(), "optimizer": state["arrays"]},
                        {"optimizer": state["scalars"], "loader": loader.state_dict()})
    return save


def resume(path, parts):
    checkpoint = load_checkpoint(path)
    model, optimizer, loader = begin(seed=1)  # other first weights: what is not loaded shows
    model.load_state_dict(checkpoint.parts["model"])
    if "optimizer" in parts:
        optimizer.load_state_dict({"scalars": checkpoint.state["optimizer"], "arrays": checkpoint.parts["optimizer"]})
    if "loader" in parts:
        loader.load_state_dict(checkpoint.state["loader"])
    return model, optimizer, loader


# %% Stopped and gone on
# The run stops after step 47. The last checkpoint is of step 40; the 7 steps after it are lost and done again. First with the parameters alone, then
# with more. Each run then takes the 18 steps that are missing. (Dropout, in the next step, draws random numbers: there the state of the
# generator belongs to the checkpoint as well; ``dezero.serialization.random_state`` gives it.)

PARTS = {"parameters": (), "parameters, optimizer": ("optimizer",), "parameters, place in the data": ("loader",),
         "parameters, optimizer, place in the data": ("optimizer", "loader")}


def stop_and_go_on(folder):
    never_stopped = train(*begin())
    path = folder / "run.checkpoint"
    train(*begin(), save=saver(path), stop=47)
    print("\nstopped after step 47, gone on from step 40 with        largest difference of a parameter in the end")
    differences, identical = {}, []
    for name, parts in PARTS.items():
        model, optimizer, loader = resume(path, parts)
        rows = train(model, optimizer, loader, stop=optimizer.t + 18)
        differences[name] = np.abs(rows - never_stopped[40:]).max(axis=1)
        same = rows.tobytes() == never_stopped[40:].tobytes()
        identical.append(same)
        print(f"    {name:44} {differences[name][-1]:12.3f}" + ("   equal bit for bit, after each step" if same else ""))
    return differences, identical


# %% A picture
# With ``--out``: how far each run goes away from the one that was never stopped.


def draw(path, differences):
    with picture(path, size=(7.5, 4.4)) as ax:
        for (name, rows), color, line in zip(differences.items(), ("#D55E00", "#E69F00", "#0072B2", "black"), ("-", "--", "-.", "-"), strict=True):
            ax.plot(np.arange(40, 59), [0.0, *rows], line, color=color, label=name)
        ax.set(title="Away from the run that was never stopped, by what was saved", xlabel="step", ylabel="largest difference of a parameter",
               xlim=(40, 58))
        ax.xaxis.get_major_locator().set_params(integer=True)
        ax.legend()


def main(out=None, fast=False):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path, after = save_and_load(folder)
        shapes = show_file(path)
        message, untouched = show_misfit(path)
        differences, identical = stop_and_go_on(folder)
    if out:
        draw(out / "resume.png", differences)
    return {"difference of scores": after, "shapes": shapes, "message": message, "untouched": untouched, "differences": differences,
            "identical": identical}


# %% Exercises: python -m steps.check 53 my_answer.py
# 1. ``read_array(path, name)``: the array of that name from a safetensors file (type F32), with Python and NumPy alone.
# 2. ``load_what_fits(model, path)``: load the parameters whose names and shapes fit, leave the others as they are, and give their names in a list.
# 3. ``write_whole(path, pieces)``: write pieces of bytes, which come one after another, to a file. If the source of the pieces fails, the old file
#    is still there, untouched, and nothing else is left in the folder.

if __name__ == "__main__":
    run(main)
