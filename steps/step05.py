"""Can we have all the slopes for the price of a few, without trying out each input?

Step 04 called the function twice for each input. But our functions are chains of simple parts, and school maths knows the slope of each part.
This script joins the slopes of the parts to the slope of the whole, and finds that the order in which one joins them decides everything.
"""

import numpy as np

from support import run

# %% The framework so far


class Variable:
    """A box for an array."""

    def __init__(self, data):
        self.data = data


class Function:
    """A function from a Variable to a Variable: forward on arrays."""

    def __call__(self, input):
        y = self.forward(input.data)
        output = Variable(y)
        return output

    def forward(self, x):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward(self, x) that takes an array and returns one")


class Exp(Function):
    def forward(self, x):
        return np.exp(x)


class AddOne(Function):
    def forward(self, x):
        return x + 1


class Log(Function):
    def forward(self, x):
        return np.log(x)


def softplus(x):
    a = Exp()(x)
    b = AddOne()(a)
    return Log()(b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(x.data - eps)), f(Variable(x.data + eps))
    return (y1.data - y0.data) / (2 * eps)


# %% Slopes of a chain multiply
# If a grows twice as fast as x, and b three times as fast as a, then b grows six times as fast as x. This is the chain rule: the slope of a
# chain is the product of the slopes of its parts, each taken at the number that arrives there.
#
# For softplus: exp has slope exp(x), + 1 has slope 1, and log has slope 1 / b at its own input b. We call them local slopes, since each
# part needs to know nothing but its own input.


def chain_rule(x):
    a = Exp()(x)
    b = AddOne()(a)
    slopes = {"exp": np.exp(x.data), "+ 1": 1.0, "log": 1 / b.data}
    product = slopes["log"] * slopes["+ 1"] * slopes["exp"]
    tried = numerical_diff(softplus, x)
    print("local slopes of softplus at 0.5: " + ", ".join(f"{name} {slope:.4f}" for name, slope in slopes.items()))
    print(f"their product {product:.8f}, tried out as in step 04: {tried:.8f}")
    return float(product), float(tried)


# %% Many numbers: a table of slopes
# A part with several inputs and outputs has a slope for each pair: how fast does this output grow with that input? We write them into a
# table, a row for each output and a column for each input. Such a table is called a Jacobian.
#
# Take a0 = x0 * x1 and a1 = x0 + x1, and then y = a0 * a1. From x0 there are two ways to y: over a0 and over a1. The slopes along a way
# multiply, as before, and the ways add up. To do so for all pairs is what mathematics calls the product of two tables, ``@`` in NumPy.


def tables_of_slopes():
    x0, x1 = 1.0, 2.0
    a0, a1 = x0 * x1, x0 + x1
    a_by_x = np.array([[x1, x0], [1.0, 1.0]])
    y_by_a = np.array([[a1, a0]])
    y_by_x = y_by_a @ a_by_x
    print("\n  y by a    a by x    y by x")
    print(f" {y_by_a[0]} @ {a_by_x[0]} = {y_by_x[0]}    8 = 3 * 2 + 2 * 1: the way over a0 and the way over a1")
    print(f"           {a_by_x[1]}")
    return y_by_x[0]


# %% A longer chain
# Now the sizes of a small network: 1000 inputs, then 1000 numbers, then 500, then 1 result. Each part mixes its inputs with given weights and
# takes the sine: a = sin(W @ x). The slope of sine is cosine, so its Jacobian is the table W, each row times the cosine of that row's sum.


def make_chain(sizes):
    rng = np.random.default_rng(0)
    return [rng.normal(size=(sizes[i + 1], sizes[i])) / np.sqrt(sizes[i]) for i in range(len(sizes) - 1)]


def follow(weights, x):
    jacobians = []
    for W in weights:
        jacobians.append(np.cos(W @ x)[:, None] * W)
        x = np.sin(W @ x)
    return x, jacobians


# %% Two orders
# Three tables stand in a row: result by b, b by a, a by x. Brackets may be put as one likes, the product is the same. The work is not. A table
# with m rows times one with n columns, with k numbers in between, costs m * k * n multiplications.


def multiply(left, right, counts):
    (m, k), n = left.shape, right.shape[1]
    counts.append(m * k * n)
    print(f"  {m} x {k} times {k} x {n}".ljust(32) + f"{m * k * n:12,}")
    return left @ right


# %% From the input on
# This is the order in which the results were computed. Two big tables meet at once: slopes of every b by every x, which nobody asked for.


def from_the_input_on(jacobians):
    print("\nfrom the input on:".ljust(30) + "multiplications")
    counts, product = [], jacobians[0]
    for table in jacobians[1:]:
        product = multiply(table, product, counts)
    print("  together".ljust(32) + f"{sum(counts):12,}")
    return product, sum(counts)


# %% From the result back
# The result is a single number, so its table is a single row. A row times a table is a row again: all the way nothing big is ever multiplied
# with something big. The row that arrives at a box holds the slope of the result by each number in that box: one number for each.
#
# This is backpropagation: to carry slopes from the result back to the input. The work is like that of computing the result, however many
# inputs there are. Trying out would have taken 2000 runs. All that is to come builds on this.


def from_the_result_back(jacobians):
    print("\nfrom the result back:".ljust(30) + "multiplications")
    counts, product = [], jacobians[-1]
    for table in reversed(jacobians[:-1]):
        product = multiply(product, table, counts)
    print("  together".ljust(32) + f"{sum(counts):12,}")
    return product, sum(counts)


def main(out=None, fast=False):
    product, tried = chain_rule(Variable(np.array(0.5)))
    small = tables_of_slopes()
    weights, x = make_chain([1000, 1000, 500, 1]), np.linspace(-1.0, 1.0, 1000)
    jacobians = follow(weights, x)[1]
    on, forward = from_the_input_on(jacobians)
    back, reverse = from_the_result_back(jacobians)
    apart = float(np.max(np.abs(on - back)))
    nudge = np.zeros(1000)
    nudge[0] = 1e-4
    first = (follow(weights, x + nudge)[0] - follow(weights, x - nudge)[0])[0] / 2e-4
    print(f"\nthe same {back.size} slopes: {apart < 1e-10}; the work differs by a factor of {forward / reverse:.0f}")
    print(f"slope by the first input: {back[0, 0]:.8f}, tried out: {first:.8f}")
    return {"product": product, "tried": tried, "small": small, "forward": forward, "reverse": reverse, "apart": apart,
            "first": [float(back[0, 0]), float(first)]}


# %% Exercises: python -m steps.check 05 my_answer.py
# 1. ``slope(x)``: the slope of exp(sin(x ** 2)) for a number x, as a product of three local slopes.
# 2. ``jacobian(x)``: the table of slopes of three outputs x0 * x1, x0 + x1 and sin(x0), for an array x of two numbers.
# 3. ``cheaper(sizes)``: "on" or "back": which order needs fewer multiplications for a chain with these sizes, say [1, 500, 1000, 1000]?

if __name__ == "__main__":
    run(main)
