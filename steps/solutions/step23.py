"""One way to solve the exercises of step 23."""

import importlib
import subprocess
import sys

import numpy as np

from dezero import Variable


def slope(f, x):
    x = Variable(np.array(x, dtype=float))
    f(x).backward()
    return float(x.grad.data)


def home_of(name):
    for room in ("functions", "layers", "optimizers", "datasets"):
        if name in importlib.import_module(f"dezero.{room}").__all__:
            return room
    return None


def loaded_by(line):
    program = f"import sys; before = set(sys.modules)\n{line}\nprint(); print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())
