"""Exercises of step 23: the package, and what an import loads."""

import numpy as np

import dezero.functions as F
from steps.exercises.kit import Exercise, same, true


def check_slope(slope):
    same(slope(F.exp, 0.0), 1.0, "slope(F.exp, 0.0)")
    same(slope(F.exp, 0), 1.0, "slope(F.exp, 0): an int")
    same(slope(lambda x: x**3 + F.sin(x), 2), 12 + np.cos(2.0), "the slope of x**3 + sin(x) at 2")
    got = slope(F.square, 1.5)
    true(type(got) is float, f"slope(...) gave a {type(got).__name__}: a float is expected")


def check_home_of(home_of):
    for name, room in [("matmul", "functions"), ("Adam", "optimizers"), ("Spiral", "datasets"), ("Conv2d", "layers"), ("relu", "functions")]:
        same(home_of(name), room, f"home_of({name!r})")
    same(home_of("no_such_name"), None, "home_of('no_such_name')")
    same(home_of("annotations"), None, "home_of('annotations'), which no room offers")
    same(home_of("np"), None, "home_of('np'): a module may use NumPy by that name inside, but does not offer it")


def check_loaded_by(loaded_by):  # dezero has loaded csv here already, so that an answer which looks in this process fails
    for line in ("import csv", "from csv import reader"):
        found = loaded_by(line)
        true(isinstance(found, (set, frozenset)), f"loaded_by({line!r}) gave a {type(found).__name__}: a set is expected")
        true("csv" in found, f"loaded_by({line!r}) lacks 'csv': in a fresh process it is not loaded yet, whatever this process has done before")
        true("decimal" not in found, f"loaded_by({line!r}) holds 'decimal', which this line does not load")
        true("sys" not in found, f"loaded_by({line!r}) holds 'sys', which every Python has loaded before the first line")
    true("decimal" in loaded_by("import decimal, csv"), "loaded_by('import decimal, csv') lacks 'decimal'")
    found = loaded_by("print('hello')")
    true("csv" not in found, "loaded_by(\"print('hello')\") holds 'csv': a line that prints loads nothing, and its text is no module")
    true("hello" not in found, "loaded_by(\"print('hello')\") holds 'hello': what the line prints mixes with the names")


EXERCISES = [
    Exercise("slope", "The derivative of a function on Variables at a number, as a float: slope(F.exp, 0) is 1.0.",
             ("The number has to become an array of floats, then a Variable. The derivative is in x.grad, which is a box as well.",
              "x = Variable(np.array(x, dtype=float)); f(x).backward(); return float(x.grad.data)."), check_slope),
    Exercise("home_of", 'Which of the rooms "functions", "layers", "optimizers" and "datasets" offers a name? None where no room does.',
             ("A module has a list of the names it offers. The script counts it.",
              'For each room: if name in importlib.import_module(f"dezero.{room}").__all__, return room. After the loop return None.'),
             check_home_of),
    Exercise("loaded_by", 'The set of names in sys.modules that a line of Python adds in a fresh process: loaded_by("import csv").',
             ("Start a Python with a small program: note sys.modules, run the line, note it again, and print what is new. Whatever the line prints "
              "itself must not mix with that.",
              "The program: f\"import sys; before = set(sys.modules)\\n{line}\\nprint(); print(*(set(sys.modules) - before))\". Run it as the script "
              "runs REPORT; stdout.splitlines()[-1].split() holds the names."), check_loaded_by),
]
