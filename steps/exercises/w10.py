"""Exercises of script w10: level places, and how to leave one."""

import numpy as np

from dezero import Variable, grad
from steps.exercises.kit import Exercise, same, true


def bowl(p):
    return (p[0] - 1) ** 2 + 3 * (p[1] + 2) ** 2 + p[0] * p[1] + p[2] ** 2


def waves(p):
    return (p[0] ** 2 - 1) ** 2 + (p[1] ** 2 - 4) ** 2 + 0.5 * p[0] * p[1]


def check_kind(kind):
    cases = [("x**2 + 3*y**2 at (0, 0)", lambda p: p[0] ** 2 + 3 * p[1] ** 2, (0.0, 0.0), "minimum"),
             ("x**2 - y**2 at (0, 0)", lambda p: p[0] ** 2 - p[1] ** 2, (0.0, 0.0), "saddle"),
             ("-x**2 - y**2 + x*y at (0, 0)", lambda p: p[0] * p[1] - p[0] ** 2 - p[1] ** 2, (0.0, 0.0), "maximum"),
             ("x**2 + y**2 + 3*x*y at (0, 0), up along both axes", lambda p: p[0] ** 2 + p[1] ** 2 + 3 * p[0] * p[1], (0.0, 0.0), "saddle"),
             ("x**2 + y**2 - z**2 at (0, 0, 0)", lambda p: p[0] ** 2 + p[1] ** 2 - p[2] ** 2, (0.0, 0.0, 0.0), "saddle"),
             ("x**4 - 2*x**2 + y**2 at (1, 0)", lambda p: p[0] ** 4 - 2 * p[0] ** 2 + p[1] ** 2, (1.0, 0.0), "minimum")]
    for what, f, place, expected in cases:
        same(kind(f, np.array(place)), expected, f"kind of {what}")


def check_steps_to_leave(steps_to_leave):
    for bend, rate, times in ((-4.0, 0.05, 1000.0), (-4.0, 0.05, 1e6), (-31.7, 0.01, 50.0), (-0.1, 0.1, 2.0), (-10.0, 0.1, 1.5)):
        expected = 0
        while (1 - rate * bend) ** expected < times:
            expected += 1
        got = steps_to_leave(bend, rate, times)
        same(got, expected, f"steps_to_leave({bend:g}, {rate:g}, {times:g})")
        true(float(got).is_integer(), f"steps_to_leave({bend:g}, {rate:g}, {times:g}) gave {got}: an int is expected")


def check_level(level):
    for name, f, start in (("a bowl of three numbers", bowl, (5.0, 5.0, 5.0)), ("waves", waves, (0.9, 1.8)), ("waves", waves, (-0.2, 0.3)),
                           ("waves", waves, (1.4, -0.4))):
        got = np.asarray(level(f, np.array(start)), dtype=float)
        true(got.shape == np.shape(start), f"level of {name} from {start} gave {got!s:.40}: an array of {len(start)} numbers is expected")
        p = Variable(got)
        slope = float(np.abs(grad(f(p), p).data).max())
        true(slope < 1e-8, f"level of {name} from {start}: the largest slope there is {slope:.2g}, it should be below 1e-9")
    same(level(waves, np.array([-0.2, 0.3])), np.zeros(2), "level of waves from (-0.2, 0.3), where Newton's method climbs to the top at (0, 0)")


EXERCISES = [
    Exercise("kind", '"minimum", "maximum" or "saddle" for a level place p (an array) of f, which takes one Variable. Use the package\'s hessian.',
             ("hessian(f, p).data is a symmetric table. The numbers on its diagonal do not decide; its eigenvalues do.",
              "bends = np.linalg.eigvalsh(hessian(f, p).data); all above 0: minimum, all below 0: maximum, else saddle."), check_kind),
    Exercise("steps_to_leave", "Plain descent near a saddle, bend below 0: how many steps until the distance is at least `times` as large? An int.",
             ("At the distance d the slope is bend * d. One step makes d - rate * bend * d of d: which factor is that?",
              "The least n with (1 - rate * bend) ** n >= times: count up in a loop, or use a logarithm and math.ceil."), check_steps_to_leave),
    Exercise("level", "Where Newton's method ends that starts at p, as an array: repeat p - H⁻¹g until no slope is above 1e-9.",
             ("It is the loop of this script, for any f: g is grad(f(v), v).data of a Variable v, H is hessian(f, p).data.",
              "while np.abs(g).max() > 1e-9: p = p - np.linalg.solve(H, g), with g and H computed anew at each p."), check_level),
]
