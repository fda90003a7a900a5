"""What if the function we need is in nobody's library?

Then we compute it from functions that are. The exponential function is a sum without end, 1 + x + x²/2 + x³/6 + ..., its Taylor series, and we
stop when the rest no longer matters. How many terms this takes depends on x, and so does the graph. Does backward cope? And is there a shorter way?
"""

import numpy as np

from support import picture, run

from dezero import Function, Variable
from dezero.utils import plot_dot_graph
from dezero.viz import collect_graph

# %% A sum with an end
# Each term is the one before it times x / k: 1, x, x²/2, x³/6, x⁴/24, ... For any x a moment comes when k is larger than x; from there on the
# terms shrink, and soon very fast. We stop after the first term smaller than ``threshold``. The code is an ordinary loop and takes arrays as well
# as Variables. Only the question "is it small enough?" looks into the box, since an answer of yes or no has no derivative.


def exp_series(x, threshold):
    y = term = 1.0
    count = 1
    while True:
        term = term * x / count
        y = y + term
        count += 1
        size = term.data if isinstance(term, Variable) else term
        if np.max(np.abs(size)) < threshold:
            return y, count


# %% Backward through the loop
# backward knows nothing of loops. It sees what ran: a multiplication, a division and an addition for each term, like a long formula that somebody
# typed. Its answer is the derivative of what we computed, the sum that ends, and not of exp. The slope of each term is the term before it (that
# of x³/6 is x²/2), so the slope is the sum without its last term, and its error is a little larger. A smaller threshold costs more terms, and
# with each term the graph grows.


def errors_by_threshold(number):
    print(f"exp({number}) by its series\nthreshold  terms  nodes  error of the value  error of the slope")
    rows = []
    for threshold in (1e-2, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12):
        x = Variable(np.array(number))
        y, terms = exp_series(x, threshold)
        nodes = len(collect_graph(y).nodes)
        y.backward()
        errors = [abs(float(v.data) - float(np.exp(number))) for v in (y, x.grad)]
        rows.append([threshold, terms, nodes, *errors])
        print(f"{threshold:9.0e} {terms:6} {nodes:6} {errors[0]:19.0e} {errors[1]:19.0e}")
    return rows


# %% The graph fits the run
# For one and the same line of code the graph is small for a small x and large for a large x. Nobody declared it. It is defined by running the
# code, and that is called define-by-run. Loops and ifs may depend on the numbers; backward takes the way that was taken.


def nodes_by_number(threshold=1e-8):
    print(f"\nthreshold {threshold:.0e}:", end="")
    found = []
    for number in (0.0, 0.5, 2.0, 8.0):
        y, terms = exp_series(Variable(np.array(number)), threshold)
        found.append([number, terms, len(collect_graph(y).nodes)])
        print(f"  x = {number}: {terms} terms", end="")
    print()
    return found


# %% One node instead of many
# We know something that backward does not: the slope of exp is exp itself. So we make a Function of our own, as in step 02 and step 06. Its
# ``forward`` runs the same loop on arrays, unseen by the graph. Its ``backward`` takes the result, which is there already, times the gradient that
# arrives. In the package ``forward`` gets arrays and ``backward`` gets Variables; ``self.outputs`` holds weak references (step 17), and calling
# one gives the Variable.


class Exp(Function):
    def __init__(self, threshold):
        self.threshold = threshold

    def forward(self, x):
        y, self.terms = exp_series(x, self.threshold)
        return y

    def backward(self, gy):
        y = self.outputs[0]()
        return gy * y


# %% Which of the two?
# A loop of ready-made operations needs no thought and cannot be wrong. A Function of your own is small and fast, and it is right if you are: so
# check it. The third row forgets ``gy``. Alone it gives the right slope, as gy is 1 there. As a part of exp(x) ** 2 it is wrong.


class Forgetful(Exp):
    def backward(self, gy):
        return self.outputs[0]()


def compare_ways(number, threshold=1e-12):
    right = 2 * np.exp(2 * number)
    ways = {"loop of operations": lambda x: exp_series(x, threshold)[0], "own Function": Exp(threshold), "the same without gy": Forgetful(threshold)}
    print("\nexp(x) ** 2            nodes   slope by backward   true slope")
    rows = {}
    for name, exp in ways.items():
        x = Variable(np.array(number))
        y = exp(x) ** 2
        nodes = len(collect_graph(y).nodes)
        y.backward()
        slope = float(x.grad.data)
        rows[name] = [nodes, slope, float(right)]
        print(f"{name:20} {nodes:7} {slope:19.8f} {right:12.8f}   {'right' if abs(slope - right) < 1e-8 else 'wrong'}")
    return rows


# %% Pictures
# The first picture shows how the sums cling to exp, each for a little longer than the one before. The other two are the graphs of a short sum and
# of our own Function: what backward has to walk through.


def draw(out):
    x = np.linspace(-3.0, 3.0, 121)
    with picture(out / "series.png", columns=2, size=(10.0, 4.0)) as (curves, errors):
        term, y = np.ones_like(x), np.ones_like(x)
        for count, colour in zip(range(1, 7), ["#BBD3E8", "#94BADB", "#6CA0CD", "#4486BE", "#2C6C9F", "#17466A"], strict=True):
            curves.plot(x, y, color=colour, label=f"{count} term{'s' * (count > 1)}")
            term = term * x / count
            y = y + term
        curves.plot(x, np.exp(x), "--", color="#D55E00", linewidth=2, label="exp(x)")
        curves.set(title="The first terms of the series", xlabel="x", ylabel="sum", ylim=(-4, 16))
        curves.legend(fontsize=8)
        counts = np.arange(1, 18)
        for number, style in [(0.5, "o-"), (2.0, "s--"), (4.0, "^:")]:
            sums = np.cumsum(np.cumprod(np.r_[1.0, number / counts]))[:-1]
            errors.semilogy(counts, np.abs(sums / np.exp(number) - 1), style, markersize=4, label=f"x = {number}")
        errors.set(title="What is still missing, as a part of exp(x)", xlabel="terms", ylabel="relative error")
        errors.legend()
    x = Variable(np.array(1.5), name="x")
    for name, y in (("loop", exp_series(x, 1e-1)[0]), ("own_function", Exp(1e-1)(x))):
        y.name = "y"
        plot_dot_graph(y, verbose=False, to_file=out / f"exp_{name}.svg")


def main(out=None, fast=False):
    rows = errors_by_threshold(1.5)
    found = nodes_by_number()
    ways = compare_ways(0.5)
    if out:
        draw(out)
    return {"rows": rows, "by number": found, "ways": ways}


# %% Exercises: python -m steps.check 27 my_answer.py
# 1. ``sin_series(x, threshold)``: x - x³/3! + x⁵/5! - ..., ending after the first term smaller than threshold. Gives a Variable.
# 2. ``Cubed``: a Function of your own for x ** 3. It is also right inside of larger formulas.
# 3. ``careful_exp(x)``: the series with threshold 1e-15 gives nonsense for x = -30. Yours is right for x from -30 to 30, and so is its slope.

if __name__ == "__main__":
    run(main)
