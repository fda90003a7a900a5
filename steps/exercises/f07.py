"""Exercises of script f07: what a probability costs, and another curve of faults."""

import numpy as np

from steps.exercises.kit import Exercise, same, true


def check_halved(halved):
    for p, expected in ((0.25, 0.5), (0.81, 0.9), (1.0, 1.0), (1e-6, 1e-3)):
        same(halved(p), expected, f"halved({p})")


def check_mean_entropy(mean_entropy):
    y, t = np.array([[0.5, 0.25, 0.25], [0.1, 0.8, 0.1]]), np.array([0, 1])
    same(mean_entropy(y, t), -np.log(0.5 * 0.8) / 2, "two rows, where 0.5 and 0.8 were given to what happened")
    same(mean_entropy(np.repeat(y, 3, axis=0), np.repeat(t, 3)), -np.log(0.5 * 0.8) / 2, "the same two rows three times: the mean does not change")
    with np.errstate(all="ignore"):
        got = mean_entropy(np.array([[1.0, 0.0], [0.25, 0.75]]), np.array([0, 1]))
    same(got, -np.log(0.75) / 2, "two rows, where 1.0 and 0.75 were given to what happened, and 0.0 to what did not")


def check_likeliest(likeliest):
    for readings in ([20.9, 18.7, 21.4, 20.1, 18.9], [1.0, 2.0, 30.0], [5.0, 1.0, 2.0, 100.0], [7.0]):
        m = likeliest(np.array(readings))
        true(isinstance(m, (int, float, np.number)) or np.shape(m) == (), f"likeliest({readings}) gave {m!r}: a number is expected")
        true(m is not None, "likeliest gave None: a number is expected")
        total, least = (sum(abs(r - x) for r in readings) for x in (float(m), sorted(readings)[len(readings) // 2]))
        true(total < least + 1e-6, f"likeliest({readings}) gave {float(m):.4g}: minus the log of its likelihood is {total:.4g} (and a constant), "
                                   f"another m has {least:.4g}")


EXERCISES = [
    Exercise("halved", "A forecast gave what happened the probability p. Give the probability with which its cross entropy would be half as large.",
             ("Half of -log(p) has to be -log of the answer. What does half a logarithm do to the number in it?",
              "-log(p) / 2 is -log(p ** 0.5)."), check_halved),
    Exercise("mean_entropy", "The mean cross entropy of rows of probabilities y (N, C); t (N,) are the numbers of what happened. Mend two faults: "
             "return -np.sum(np.eye(y.shape[1])[t] * np.log(y)). Probabilities of what did not happen may be 0.",
             ("One fault shows when all rows come twice. The other: what is 0 times the logarithm of 0?",
              "Take only the probabilities that count, y[np.arange(len(t)), t], then minus the mean of their logarithms."), check_mean_entropy),
    Exercise("likeliest", "The length m of the largest likelihood for an array of readings, if a fault r has the density exp(-abs(r)) / 2.",
             ("Minus the logarithm of the product is the sum of abs(r), and a constant. Move m a little to the right: which terms grow?",
              "The sum stops falling where as many readings are left as right of m. NumPy has a function for that middle."), check_likeliest),
]
