"""Exercises of step 18: gradients in the middle, and the switch."""

import numpy as np

from steps.exercises.kit import Exercise, NotYet, framework, raises, same, true


def check_arrays(arrays):
    for n in (1, 3, 100):
        same(arrays(n, True), 2 * n + 2, f"the arrays of {n} functions with retain_grad=True")
        same(arrays(n, False), n + 2, f"the arrays of {n} functions with retain_grad=False")


def is_on(step, when):
    now = step.config.enable_backprop
    step.config.enable_backprop = True  # whatever came out: leave it as it was
    true(now, f"{when}, config.enable_backprop is still False")


def check_graphless(graphless):
    step = framework("step18")
    x, z = step.Variable(np.array(2.0)), step.Variable(np.array(3.0))
    f = graphless(lambda a, b, scale=1.0: step.add(step.mul(a, b), step.Variable(np.array(scale))))
    true(callable(f), f"graphless(f) gave {f!r}: a function is expected")
    y = f(x, z)
    same(y, np.array(7.0), "the result for 2 · 3 + 1")
    same(f(x, b=z, scale=4.0), np.array(10.0), "the result for 2 · 3 + 4, with names: f(x, b=z, scale=4.0)")
    true(y.creator is None, "the result has a creator")
    is_on(step, "after a call")
    with step.no_grad():
        f(x, z)
        inside = step.config.enable_backprop
    true(not inside, "called within somebody else's no_grad, it turned backprop on")

    def fails():
        raise KeyError("planted")

    raises(KeyError, graphless(fails), "a function that fails with a KeyError")
    is_on(step, "after an error in f")
    same(step.square(x).creator is None, False, "after all this, square(x) has no creator")


def check_off(Off):
    step = framework("step18")
    try:
        with Off():
            true(not step.config.enable_backprop, "inside of the block backprop is still on")
            with Off():
                true(not step.config.enable_backprop, "in a block within a block backprop is on")
            true(not step.config.enable_backprop, "after the inner block backprop is on, and the outer one is still open")
        true(step.config.enable_backprop, "after the block backprop is still off")
        with step.no_grad():
            with Off():
                pass
            true(not step.config.enable_backprop, "after a block within no_grad backprop is on")
        try:
            with Off():
                raise KeyError("planted")
        except KeyError:
            true(step.config.enable_backprop, "after an error in the block backprop is still off")
        else:
            raise NotYet("an error in the block was swallowed: __exit__ should not return a true value")
    finally:
        step.config.enable_backprop = True


EXERCISES = [
    Exercise("arrays", "After y.backward(retain_grad=...) on a chain of n functions with one input each, while y is alive: how many arrays are "
             "held by boxes, as data or as grad?",
             ("n functions make n boxes, and there is x. Each has data. Which of them have a grad?",
              "n + 1 arrays of data. Kept gradients: n + 1 as well, otherwise one, that of x."), check_arrays),
    Exercise("graphless", "A function that computes what f computes, for any arguments, but never leaves links behind, nor a switch turned off.",
             ("Define a function within graphless and return it. It calls f in a with block.",
              "def quiet(*args, **kwargs): with no_grad(): return f(*args, **kwargs). Then return quiet."), check_graphless),
    Exercise("Off", "Somebody wrote no_grad as a class: __enter__ sets config.enable_backprop to False, __exit__ to True. Mend it: a block within a "
             "block turns it on too early.",
             ("What should the inner block set at its end? It is not always True.",
              "__enter__(self) notes self.before = config.enable_backprop, __exit__(self, *error) sets it again. It returns nothing."), check_off),
]
