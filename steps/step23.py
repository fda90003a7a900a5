"""Where does a framework live when many programs want it?

Up to step 22 each script held the whole framework, and each time somebody mended a line, the line had to be mended in all of them. Python's
answer is a package: a folder of files that any program loads with ``import``. This script computes with one, walks through its rooms, and
looks at what an import costs. The package is called ``dezero``; it is what our Variable and Function of step 22 grow into.
"""

import importlib
import json
import subprocess
import sys
from textwrap import fill

import numpy as np

from support import picture, run

import dezero
import dezero.functions as F
from dezero import Variable

# %% The same box, from elsewhere
# ``from dezero import Variable`` reads the file in which Variable is written and binds its name here. ``import dezero.functions as F`` loads
# a module, one file or folder of the package, and gives it the short name F. Then softplus, log(1 + exp(x)), is written as in step 22.
#
# Two things look different. The box takes arrays only: ``Variable(1.5)`` is refused, with advice. And ``x.grad`` is a box as well, not a bare
# array, so its number is in ``x.grad.data``. Step 30 shows what that is good for. Everything else is as we built it.


def same_numbers():
    x = Variable(np.array(0.5))
    y = F.log(1 + F.exp(x))
    y.backward()
    print(f"softplus of 0.5 = {y.data:.10f}, its slope = {x.grad.data:.10f}   (as in steps 03 and 06)")
    try:
        Variable(1.5)
    except TypeError as error:
        print(fill(f"{type(error).__name__}: {error}", 100, subsequent_indent="    "))
        return float(y.data), float(x.grad.data), str(error)


# %% The rooms of the house
# A big file is as hard to read as a big house without walls. So each module has one duty. A module imports only from those below it: the
# functions know the engine, the engine knows nothing of functions. ``__all__`` is the list of names which a module offers to others; the rest
# is its private business and may change. You will meet the rooms one after the other, until step 60.

ROOMS = {
    "core": "Variable, Function, and the way of gradients through a graph",
    "functions": "mathematics on Variables: exp, sum, matmul, conv2d, ...",
    "layers": "functions that own the numbers they learn (step 44)",
    "models": "whole networks made of layers (step 45)",
    "optimizers": "rules that change these numbers to make an error small (step 46)",
    "datasets": "tables and pictures to learn from (step 49)",
    "dataloaders": "the same in small portions, shuffled (step 50)",
    "viz": "drawings of graphs (steps 25 and 26)",
    "utils": "small helpers, such as gradient checks",
}


def walk_through():
    print("\nmodule        names  what it is for")
    counts = {}
    for name, duty in ROOMS.items():
        counts[name] = len(importlib.import_module(f"dezero.{name}").__all__)
        print(f"{name:12} {counts[name]:6}  {duty}")
    return counts


# %% What comes with an import?
# An import runs files, and this takes time, in every program and every test. A package should load what nearly all programs need, and leave
# heavy parts until somebody uses them. To measure it, this process is of no use: who knows what was loaded before. So we start a fresh Python,
# and let it tell which modules it has after each line. ``sys.modules`` is Python's own list of them.

REPORT = """
import json, sys
def loaded():
    return sorted(sys.modules)
import numpy
seen = {"numpy": loaded()}
import dezero
seen["dezero"] = loaded()
from dezero.viz import get_svg_graph
seen["drawing"] = loaded()
print(json.dumps(seen))
"""
ASKED = ["numpy", "dezero.core", "dezero.functions", "dezero.viz.svg", "dezero.training", "matplotlib", "PIL", "cupy"]


def fresh_python(*options):
    code = f"import sys; sys.path[:0] = {[path for path in sys.path if path]!r}\n" + REPORT  # where this process finds things, it finds them too
    return subprocess.run([sys.executable, *options, "-c", code], capture_output=True, text=True, check=True)


def what_is_loaded():
    seen = {when: set(names) for when, names in json.loads(fresh_python().stdout).items()}
    print("\nloaded after  import numpy  import dezero  from dezero.viz import get_svg_graph")
    table = {name: [name in names for names in seen.values()] for name in ASKED}
    for name, marks in table.items():
        cells = ["yes" if mark else "-" for mark in marks]
        print(f"{name:16} {cells[0]:>9} {cells[1]:>14} {cells[2]:>34}")
    return table


# %% Where the time goes
# ``python -X importtime`` writes how many microseconds each module took. Seconds differ from run to run and from machine to machine, so the
# script prints none. With ``--out`` it draws those of this run.


def time_by_part():
    parts = {}
    program = "Python itself"
    for line in fresh_python("-X", "importtime").stderr.splitlines():
        micros, _, name = (cell.strip() for cell in line.removeprefix("import time:").split("|"))
        if not micros.isdigit():
            continue  # the line with the titles
        room = ".".join(name.split(".")[:2]) if name.startswith("dezero") else program
        parts[room] = parts.get(room, 0.0) + int(micros) / 1000
        if name == "numpy":  # a module's line comes when it is complete: what came up to here, Python and NumPy needed
            parts = {"Python and NumPy": sum(parts.values())}
            program = "Python's library, for dezero"
        elif name == "dezero":
            break
    return parts


def draw_time(path):
    parts = time_by_part()
    largest = sorted((name for name in parts if name.startswith("dezero.")), key=parts.get)[-6:]
    rest = sum(time for name, time in parts.items() if name.startswith("dezero") and name not in largest)
    others = sorted((name for name in parts if not name.startswith("dezero")), key=parts.get)
    bars = {"all other modules of dezero": rest, **{name: parts[name] for name in [*largest, *others]}}
    with picture(path, size=(7.0, 4.0)) as ax:
        ax.barh(list(bars), list(bars.values()), color=["#2C79AE" if "dezero." in name or "other" in name else "#B0B0B0" for name in bars])
        for row, time in enumerate(bars.values()):
            ax.annotate(f"{time:.0f}", (time, row), (4, 0), textcoords="offset points", va="center")
        ax.set(xlabel="milliseconds (this machine, this run)", title="What Python loads for `import dezero`")
        ax.margins(x=0.1)
        ax.spines[["top", "right"]].set_visible(False)


# %% A look at your machine
# ``python -m dezero info`` prints which versions are installed here, whether there is a GPU, and what is missing and how to get it. Run it
# when something does not work, and put its lines into your question when you ask for help.


def main(out=None, fast=False):
    value, slope, message = same_numbers()
    counts = walk_through()
    table = what_is_loaded()
    if out:
        draw_time(out / "import_time.png")
    return {"value": value, "slope": slope, "message": message, "names": counts, "loaded": table, "version": dezero.__version__}


# %% Exercises: python -m steps.check 23 my_answer.py
# 1. ``slope(f, x)``: the derivative of a function on Variables at a number, as a float: ``slope(F.exp, 0)`` is 1.0. 0 is an int; it should work.
# 2. ``home_of(name)``: which of the rooms "functions", "layers", "optimizers" and "datasets" offers a name? None where no room does.
# 3. ``loaded_by(line)``: the set of names in ``sys.modules`` that a line of Python adds in a fresh process: ``loaded_by("import csv")``.

if __name__ == "__main__":
    run(main)
