"""Exercises of step 41: the matrix product and its backward."""

import itertools

import numpy as np

import dezero.functions as F
from dezero import Variable
from steps.exercises.kit import Exercise, same, true


def functions_behind(y):
    todo, seen = [y.creator], set()
    while todo:
        function = todo.pop()
        if function is not None and function not in seen:
            seen.add(function)
            todo += [x.creator for x in function.inputs]
    return seen


def check_affine(affine):
    rng = np.random.default_rng(0)
    for n, m, k in ((4, 3, 2), (2, 2, 2), (1, 3, 1)):
        arrays = rng.normal(size=(n, m)), rng.normal(size=(m, k)), rng.normal(size=k)
        weights, grads = rng.normal(size=(n, k)), []
        for f in (affine, lambda x, w, b: x @ w + b):
            boxes = [Variable(a) for a in arrays]
            y = f(*boxes)
            true(isinstance(y, Variable), f"affine gave a {type(y).__name__}: a Variable is expected")
            same(y, arrays[0] @ arrays[1] + arrays[2], f"affine of {(n, m)}, {(m, k)} and {(k,)}")
            if f is affine:
                behind = functions_behind(y)
                true(len(behind) == 1 and not type(next(iter(behind))).__module__.startswith("dezero"),
                     f"one Function of your own is expected; {sorted(type(one).__name__ for one in behind)} ran")
            F.sum(y * weights).backward()
            grads.append([box.grad for box in boxes])
        for name, got, right in zip("xwb", *grads, strict=True):
            true(got is not None, f"{name} has no gradient")
            same(got, right.data, f"the gradient of {name} for sizes {n}, {m}, {k}")


def check_chain_cost(chain_cost):
    def right(sizes):
        pairs = list(itertools.pairwise(sizes))
        return min(sum(sizes[0] * m * k for m, k in pairs[1:]), sum(n * m * sizes[-1] for n, m in pairs[:-1]))

    for sizes in ((2, 3, 4), (10, 1000, 1000, 1), (1, 1000, 1000, 10), (5, 4, 3, 2, 1), (2, 9, 2, 9, 2)):
        same(chain_cost(sizes), right(sizes), f"chain_cost({sizes})")


def check_power(power):
    a = np.array([[1.0, 0.5, 0.0], [-0.3, 0.8, 0.2], [0.1, 0.0, 0.9]])
    for n in (0, 1, 2, 5, 16, 31, 100):
        x = Variable(a)
        y = power(x, n)
        true(isinstance(y, Variable), f"power(a, {n}) gave a {type(y).__name__}: a Variable is expected")
        same(y, np.linalg.matrix_power(a, n), f"power(a, {n})")
        if n > 1:
            products = sum(type(one).__name__ == "MatMul" for one in functions_behind(y))
            most = int(2 * np.log2(n))
            true(products <= most, f"power(a, {n}) took {products} products: at most {most} are allowed")
            F.sum(y).backward()
            true(x.grad is not None, "a has no gradient: somewhere on the way its box was opened")
            ones = np.ones((3, 3))
            gx = sum(np.linalg.matrix_power(a.T, i) @ ones @ np.linalg.matrix_power(a.T, n - 1 - i) for i in range(n))
            same(x.grad, gx, f"the gradient of a in power(a, {n})", 1e-6)


EXERCISES = [
    Exercise("affine", "x @ w + b for x (N, M), w (M, K), b (K,) by one Function of yours, with a backward that gives all three gradients.",
             ("The gradients of x and w are those of the product. b was stretched over N rows: what undoes that?",
              "class Affine(Function); backward: x, w, b = self.inputs; return gy @ w.T, x.T @ gy, F.sum_to(gy, b.shape)."), check_affine),
    Exercise("chain_cost", "The fewer multiplications for a chain of matrices, of left to right and right to left.",
             ("Going from the left there is always one matrix with sizes[0] rows in hand. What does the next product cost?",
              "From the left: sizes[0] * sizes[i] * sizes[i + 1], added over i from 1. From the right: sizes[i - 1] * sizes[i] * sizes[-1]."),
             check_chain_cost),
    Exercise("power", "A square matrix multiplied by itself, n factors, with at most 2 * log2(n) products. For n = 0 the identity.",
             ("From a come a², a⁴, a⁸ with one product each. Which of them make a⁵? Think of 5 as 4 + 1.",
              "While n > 0: if n is odd, result = result @ square, or square if there is none yet; n //= 2; if n is left, square = square @ square."),
             check_power),
]
