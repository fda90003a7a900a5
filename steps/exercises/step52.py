"""Exercises of step 52: arrays of another memory, and what a step costs. A pretended GPU stands in for a real one."""

import numpy as np

from dezero.backend import register_module, unregister_module
from steps.exercises.kit import Exercise, NotYet, raises, same, true


class FarArray(np.ndarray):
    """An array that counts how often it is fetched, and that NumPy's own arrays may not meet."""

    fetched = 0

    def get(self):
        FarArray.fetched += 1
        return near(self).copy()

    def __float__(self):
        return float(self.get())

    def item(self, *index):
        return self.get().item(*index)

    def tolist(self):
        return self.get().tolist()

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return far_call(getattr(ufunc, method), *inputs, **kwargs)

    def __array_function__(self, function, types, args, kwargs):
        return far_call(function, *args, **kwargs)


def near(x):
    if isinstance(x, (list, tuple)):
        return type(x)(map(near, x))
    return x.view(np.ndarray) if isinstance(x, FarArray) else x


def arrays_in(x):
    return [one for part in x for one in arrays_in(part)] if isinstance(x, (list, tuple)) else [x] if isinstance(x, np.ndarray) else []


def far_call(function, *args, **kwargs):
    if any(type(x) is np.ndarray for x in arrays_in([*args, *kwargs.values()])):
        raise TypeError("an array of NumPy meets one of the GPU: make it with xp = cuda.get_array_module(...)")
    y = function(*map(near, args), **{name: near(x) for name, x in kwargs.items()})
    return np.asarray(y).view(FarArray) if isinstance(y, (np.ndarray, np.generic)) else y


class FarModule:
    """NumPy's functions, whose results are FarArrays."""

    def __getattr__(self, name):
        value = getattr(np, name)
        if name in ("asarray", "array"):
            return lambda x, *args, **kwargs: value(near(x), *args, **kwargs).view(FarArray)
        return (lambda *args, **kwargs: far_call(value, *args, **kwargs)) if callable(value) and not isinstance(value, type) else value


def pretended(call, what):
    """What a call gives while FarArrays count as a GPU's, and how often it fetched."""
    register_module(FarArray, FarModule())
    FarArray.fetched = 0
    try:
        return call(), FarArray.fetched
    except TypeError as error:
        raise NotYet(f"{what}: {error}") from None
    finally:
        unregister_module(FarArray)


def check_one_hot(one_hot):
    labels = np.array([2, 0, 3, 2])
    rows = one_hot(labels, 5)
    same(rows, np.eye(5, dtype=np.float32)[labels], "the rows of labels 2, 0, 3, 2 with n = 5")
    true(rows.dtype == np.float32, f"the rows are {rows.dtype}: float32 is expected")
    found, fetched = pretended(lambda: one_hot(labels.view(FarArray), 5), "labels on a GPU")
    true(type(found) is FarArray, "labels on a GPU: the rows are in the memory of the CPU")
    same(near(found), rows, "the rows of the same labels on a GPU")
    true(fetched == 0, f"labels on a GPU: they were fetched {fetched} times, no fetch is needed")


def check_units_to_win(units_to_win):
    for calls, cpu, gpu, per_unit in ((22, (5e-6, 2e10), (30e-6, 1e13), 22_200), (100, (5e-6, 5e10), (30e-6, 1e13), 1000),
                                      (10, (2e-6, 1e9), (4e-6, 4e9), 500)):
        right = calls * (gpu[0] - cpu[0]) / (1 / cpu[1] - 1 / gpu[1]) / per_unit
        found = units_to_win(calls, cpu, gpu, per_unit)
        true(isinstance(found, (int, float, np.number)) and right <= found <= right + 1,
             f"calls {calls}, cpu {cpu}, gpu {gpu}, per_unit {per_unit}: {found} came out, {right:.2f} rounded up is expected")
    true(units_to_win(22, (5e-6, 5e10), (30e-6, 4e10), 1000) is None, "a GPU that starts later and multiplies slower never wins: None is expected")
    found = units_to_win(22, (5e-6, 5e10), (30e-6, 1e13), 22_200)
    true(float(found).is_integer(), f"{found} came out: there are no parts of a unit")


def check_mean_of(mean_of):
    numbers = [1.5, 2.5, 8.0, -4.0]
    found = mean_of([np.array(x, dtype=np.float32) for x in numbers])
    same(found, 2.0, "the mean of 1.5, 2.5, 8, -4")
    true(isinstance(found, float), f"mean_of gave a {type(found).__name__}: a float is expected")
    raises(TypeError, lambda: pretended_sum(), "a pretended GPU that mixes")
    found, fetched = pretended(lambda: mean_of([np.array(x, dtype=np.float32).view(FarArray) for x in numbers]), "losses on a GPU")
    same(found, 2.0, "the mean of the same numbers on a GPU")
    true(fetched <= 1, f"losses on a GPU: they were fetched {fetched} times, once is enough")


def pretended_sum():
    return np.zeros(2).view(FarArray) + np.zeros(2)


EXERCISES = [
    Exercise("one_hot", "For labels t, float32 rows of n numbers with 1 at the label and 0 elsewhere, in the memory where t is.",
             ("Where an array is made is decided by the module that makes it. Which module owns t?",
              "xp = cuda.get_array_module(t), then xp.eye(n, dtype=np.float32)[t]."), check_one_hot),
    Exercise("units_to_win", "From how many hidden units on is the GPU quicker? None, if it never is.",
             ("Both times are calls * start + units * per_unit / speed. At which number of units are they equal?",
              "units = calls * (gpu[0] - cpu[0]) / (per_unit / cpu[1] - per_unit / gpu[1]), rounded up; None if the divisor is not above 0."),
             check_units_to_win),
    Exercise("mean_of", "The mean of a list of arrays with one number each, as a float. One fetch is allowed, for the whole list.",
             ("float(one) for each of them is a fetch for each. Where can they be added instead?",
              "xp = cuda.get_array_module(losses[0]); float(cuda.as_numpy(xp.stack(losses).mean()))."), check_mean_of),
]
