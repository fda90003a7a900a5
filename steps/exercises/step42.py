"""Exercises of step 42: learning a line and a curve."""

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, raises, same, true


def check_careful_loss(careful_loss):
    rng = np.random.default_rng(0)
    for shape in ((5, 1), (4,), (3, 2)):
        p, t = rng.normal(size=shape), rng.normal(size=shape)
        for target in (t, Variable(t)):
            box = Variable(p)
            loss = careful_loss(box, target)
            true(isinstance(loss, Variable), f"careful_loss gave a {type(loss).__name__}: a Variable is expected")
            same(loss, np.mean((p - t) ** 2), f"careful_loss for shapes {shape}")
            loss.backward()
            true(box.grad is not None, "p has no gradient: the loss must be computed from the Variable itself")
            same(box.grad, 2 * (p - t) / p.size, f"the gradient of p for shapes {shape}")
    for one, other in (((5, 1), (5,)), ((5,), (5, 1)), ((2, 3), (3,)), ((2, 3), (1, 3)), ((4,), ())):
        error = raises(ValueError, lambda one=one, other=other: careful_loss(Variable(np.ones(one)), np.ones(other)), f"shapes {one} and {other}")
        for shape in (one, other):
            true(str(shape) in str(error), f"the message for shapes {one} and {other} should name both, it says: {error}")


def check_fit_line(fit_line):
    rng = np.random.default_rng(0)
    for w, b, count, low, high in ((2.0, 1.0, 50, 0.0, 1.0), (-0.7, 4.0, 30, -1.0, 2.0), (5.0, -3.0, 2, 0.0, 1.0)):
        x = rng.uniform(low, high, count) if count > 2 else np.array([0.0, 1.0])
        t = w * x + b + rng.normal(scale=0.1, size=count)
        right = np.polyfit(x, t, 1)
        got = fit_line(x.tolist(), t.tolist())
        true(isinstance(got, (tuple, list)) and len(got) == 2, f"fit_line gave {got!r}: the pair of W and b is expected")
        for name, number, expected in zip("Wb", got, right, strict=True):
            true(isinstance(number, float), f"{name} is a {type(number).__name__}: a float is expected")
            true(abs(number - expected) < 1e-3, f"{name} for {count} points: {number:.5f} came out, {expected:.5f} is expected")


def check_fit_parabola(fit_parabola):
    rng = np.random.default_rng(0)
    for a, b, c in ((2.0, -1.0, 0.5), (0.0, 3.0, -1.0), (-4.0, 0.0, 2.0)):
        x = rng.uniform(-1, 1, 80)
        t = a * x**2 + b * x + c + rng.normal(scale=0.1, size=80)
        right = np.polyfit(x, t, 2)
        got = fit_parabola(x, t)
        got = getattr(got, "data", got) if isinstance(got, Variable) else got
        true(np.shape(got) == (3,), f"fit_parabola gave {got!r}: an array of a, b and c is expected")
        true(np.allclose(got, right, rtol=0, atol=1e-3),
             f"points near {a} x² + {b} x + {c}: {np.round(got, 4)} came out, {np.round(right, 4)} is expected")
        loss = F.mean_squared_error(Variable(np.polyval(got, x)), t)
        true(float(loss.data) < 0.02, f"the loss is {float(loss.data):.4f}: about 0.01 is possible")


EXERCISES = [
    Exercise("careful_loss", "The mean squared error of two Variables or arrays as a Variable; other shapes raise a ValueError that names both.",
             ("Both arrays and Variables have a shape. Compare before you compute.",
              "if p.shape != t.shape: raise ValueError(f\"... {p.shape} ... {t.shape}\"). Then return F.mean((p - t) ** 2)."), check_careful_loss),
    Exercise("fit_line", "x and t are lists of numbers, of shape (N,): the best W and b as floats, to 3 digits. N and the numbers vary.",
             ("Make tables of (N, 1) of both lists first. If W and b are not there yet after 300 steps, walk longer.",
              "np.array(x).reshape(-1, 1), the loop of fit with a rate of 0.3 and 3000 steps, and float(W.data[0, 0]) at the end."), check_fit_line),
    Exercise("fit_parabola", "An array of the best a, b, c for a * x**2 + b * x + c, by descent, to 3 digits.",
             ("x**2 can be measured as x can: it is another column. Then the model is a line again, in two inputs.",
              "np.stack([x**2, x], axis=1) is (N, 2), and W is (2, 1). With a rate of 0.5 and 2000 steps: a, b are W.data[:, 0], c is b.data[0]."),
             check_fit_parabola),
]
