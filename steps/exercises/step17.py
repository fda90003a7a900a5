"""Exercises of step 17: who holds what."""

import gc
import weakref
from unittest.mock import patch

import numpy as np

from steps.exercises.kit import Exercise, framework, same, true


def check_survivors(survivors):
    got = survivors()
    true(isinstance(got, (set, frozenset, list, tuple, str)), f"{got!r} came out: a set of letters such as {{'x', 'y'}} is expected")
    wrong = set(got) ^ set("xac")
    true(set(got) <= set("xabcy"), f"{got!r} came out: only the letters x, a, b, c, y are expected")
    true(not wrong, f"{sorted(got)} came out: that is wrong for {len(wrong)} of the five boxes")


def check_leaks(leaks):
    step = framework("step17")
    on = []

    def calm(x):
        on.append(gc.isenabled())
        return step.square(step.exp(x))

    def own_circle(x):
        on.append(gc.isenabled())
        y = step.square(x)
        y.twin = step.exp(y)
        return y

    kept = []

    def keeps_all(x):
        kept.append(step.square(x))
        return kept[-1]

    def keeps_the_middle(x):
        kept.append(step.square(x))
        return step.exp(kept[-1])

    was_on = gc.isenabled()
    try:
        for switch in (gc.enable, gc.disable):
            switch()
            before = gc.isenabled()
            for what, f, right in [("two functions in a chain", calm, False), ("a function that puts its results into a list", keeps_all, True),
                                   ("a function whose result holds a box that was made from it", own_circle, True),
                                   ("a function that puts a box from the middle into a list", keeps_the_middle, False)]:
                same(leaks(f), right, f"leaks of {what}")
            words = ["on" if state else "off" for state in (before, gc.isenabled())]
            true(words[0] == words[1], f"the collector was {words[0]} before, and is {words[1]} afterwards")
        true(not any(on), "the collector was on while f ran: it may come at any moment and hide a circle")
    finally:
        (gc.enable if was_on else gc.disable)()


def check_exp(Exp):
    step = framework("step17")
    numbers = np.array([0.5, -1.0])
    x, real, calls = step.Variable(numbers), np.exp, []
    with patch("numpy.exp", lambda *args, **kwargs: calls.append(1) or real(*args, **kwargs)):
        f = Exp()
        true(callable(f) and hasattr(f, "backward"), f"Exp() gave {f!r}: a Function with forward and backward is expected")
        y = f(x)
        true(hasattr(y, "backward"), f"Exp()(x) gave a {type(y).__name__}: a Variable is expected")
        same(y, real(numbers), f"Exp()(x) at {numbers.tolist()}")
        y.grad = np.array([2.0, 3.0])
        y.backward()
    same(x.grad, np.array([2.0, 3.0]) * real(numbers), f"x.grad at {numbers.tolist()}, where [2, 3] arrives at the result")
    true(len(calls) <= 1, f"np.exp was called {len(calls)} times: once is expected, in forward")
    was_on = gc.isenabled()
    gc.disable()
    try:
        spy = weakref.ref(y)
        del y, f
        true(spy() is None, "after `del y` the box y is still alive: its creator seems to hold it")
    finally:
        if was_on:
            gc.enable()


EXERCISES = [
    Exercise("survivors", "x = Variable(...); a = square(x); b = square(a); c = exp(a); y = square(b), then `del a, b, y`. The collector is off. "
             "The set of the letters whose boxes are still alive.",
             ("Begin with the boxes that still have a name. Each holds its creator; and whom does a creator hold?",
              "c holds its Exp, and that holds its input. No living function has b as its input."), check_survivors),
    Exercise("leaks", "True if the box f(x) outlives its last name, where f goes from a Variable to a Variable. The answer must not depend on "
             "whether the collector happens to come, and it should run afterwards as it did before.",
             ("A weak reference to a box which nobody holds gives None. So give the result no name at all.",
              "Note gc.isenabled(), call gc.disable(), then spy = weakref.ref(f(x)) and spy() is not None; gc.enable() if it was on."), check_leaks),
    Exercise("Exp", "e to the power of x, computed once. `backward` has to use the result of `forward` again. Without a circle, of course.",
             ("The result is in the function's output, and the function knows its output, although weakly.",
              "self.outputs[0]() is the output while it lives. Or forward keeps the array, self.y = np.exp(x): an array holds nobody."), check_exp),
]
