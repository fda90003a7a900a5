"""Exercises of step 15: the order of the way back."""

from types import SimpleNamespace

from steps.exercises.kit import Exercise, same, true


class Drawn:
    """A function as the framework would link it; it shows its name."""

    def __init__(self, name, inputs):
        self.name, self.inputs = name, inputs
        self.outputs = [SimpleNamespace(creator=self)]

    def __repr__(self):
        return self.name


def graph(wiring):
    """Functions by name; the wiring names for each one the functions whose outputs it uses, and x for what is given."""
    x, functions = SimpleNamespace(creator=None), {}
    for name, used in wiring.items():
        functions[name] = Drawn(name, tuple(x if other == "x" else functions[other].outputs[0] for other in used.split()))
    return functions


def too_early(order):
    """A function in the list that comes before one which uses its output, and that one."""
    for i, f in enumerate(order):
        for g in order[i + 1:]:
            if any(x.creator is f for x in g.inputs):
                return f, g
    return None


def check_calls_on_arrival(calls_on_arrival):
    for n, calls in [(1, 1), (2, 2), (3, 4), (10, 512)]:
        same(calls_on_arrival(n), calls, f"the calls of the first Add for n = {n}")


def check_may_be_called(may_be_called):
    functions = graph({"Square": "x", "Exp": "Square", "Sin": "Square", "Half": "Sin", "Add": "Exp Half"})
    for names, right in [("Add Half Exp Sin Square", True), ("Add Exp Half Sin Square", True), ("Add Half Sin Exp Square", True),
                         ("Add Half Sin Square Exp", False), ("Add Exp Half Square Sin", False), ("Square Sin Half Exp Add", False),
                         ("Exp Sin", True), ("Square", True), ("Sin Half", False)]:
        order = [functions[name] for name in names.split()]
        true(may_be_called(order) is right, f"the order {names}: {right} is expected, {may_be_called(order)!r} came out")


def check_safe_order(safe_order):
    ladder = {"F0": "x"} | {f"F{i}": f"F{i - 1} F{i - 2 if i > 1 else 0}" for i in range(1, 13)}
    for what, wiring in [("one function", {"Square": "x"}),
                         ("the diamond of this script", {"Square": "x", "Exp": "Square", "Sin": "Square", "Half": "Sin", "Add": "Exp Half"}),
                         ("the diamond, its ways exchanged", {"Square": "x", "Sin": "Square", "Half": "Sin", "Exp": "Square", "Add": "Half Exp"}),
                         ("a graph with a shortcut", {"A": "x", "B": "A", "C": "B A", "D": "C x B", "E": "A D"}),
                         ("a ladder of 13 functions", ladder)]:
        functions = graph(wiring)
        order = safe_order(list(functions.values())[-1].outputs[0])
        true(isinstance(order, list), f"{what}: {order!r} came out, a list of functions is expected")
        true(len(order) == len(functions) and set(order) == set(functions.values()),
             f"{what}: {order} came out, each of {[*functions.values()]} once is expected")
        problem = too_early(order)
        true(problem is None, f"{what}: in {order} {problem and problem[0]} comes before {problem and problem[1]}, which uses its output")


EXERCISES = [
    Exercise("calls_on_arrival", "t = x, then n times t = add(t, t). On arrival, how often is the very first Add called? A formula will do.",
             ("Each call of an Add hands a gradient to t twice. So how often is the Add before it called?",
              "The last Add is called once, the one before it twice, the one before that four times. There are n of them."), check_calls_on_arrival),
    Exercise("may_be_called", "True, if in this list of functions each one comes after all the others in the list that use one of its outputs.",
             ("Look for a counterexample: a function f in the list, and after it one that uses an output of f. When does g use an output of f?",
              "g uses an output of f if x.creator is f for one x in g.inputs. Two loops: over f, and over all g that stand after it."),
             check_may_be_called),
    Exercise("safe_order", "All functions that led to y, each once, in an order that is safe, without generations.",
             ("Turn it round: a list in which each function comes after those that made its inputs. That list backwards is safe.",
              "visit(f): if f was not seen, note it as seen, visit the creators of its inputs, and only then append f. At the end reverse the list."),
             check_safe_order),
]
