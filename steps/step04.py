"""How fast does a result grow when its input grows?

This is the derivative, and to learn means to follow it: a network that knows how its error answers to each of its numbers knows which way to
turn them. The simplest way to a derivative is to try it out: change the input a little and see. This script does so, and finds two limits.
"""

import numpy as np

from support import picture, run

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


# %% Try it out
# Go from x to x + eps, where eps is a small step. The change of the result, divided by the step, is the slope of a line through two points
# of the curve. We call that the forward difference. The derivative is what this slope tends to while the step shrinks.


def forward_diff(f, x, eps=1e-4):
    y0, y1 = f(x), f(Variable(x.data + eps))
    return (y1.data - y0.data) / eps


# %% Try it out on both sides
# The central difference goes half the way on each side: from x - eps to x + eps. A curve that bends upwards makes the slope on the right a bit
# too big and the slope on the left a bit too small. Taken together, the two faults nearly cancel.


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(x.data - eps)), f(Variable(x.data + eps))
    return (y1.data - y0.data) / (2 * eps)


# %% How small a step?
# For softplus, school maths gives the true slope: exp(x) / (exp(x) + 1). So we can see how wrong the differences are, for smaller and smaller
# steps. At first ten times smaller means ten times better for the forward difference, and a hundred times better for the central one.
#
# Then both turn round. A float keeps about 16 digits. With eps = 1e-13 the two results agree in the first 13 of them, and their
# difference is made of the last three, which are rounded. To divide it by eps blows that rounding up. In between lies the best
# step: about 1e-5 for the central difference. 1e-4 is a safe choice, so it is our default.


def error_table(x):
    truth = np.exp(x.data) / (np.exp(x.data) + 1)
    steps = [10.0**-k for k in range(1, 14)]
    forward = [float(abs(forward_diff(softplus, x, eps) - truth)) for eps in steps]
    central = [float(abs(numerical_diff(softplus, x, eps) - truth)) for eps in steps]
    print(f"softplus at {x.data}: the slope is {truth:.10f}")
    print("   step   forward is wrong by   central is wrong by")
    for eps, one, both in zip(steps, forward, central, strict=True):
        mark = "  <- best" if both == min(central) else ""
        print(f"  {eps:.0e}   {one:^19.0e}           {both:.0e}{mark}")
    return steps, forward, central


def draw_errors(path, steps, forward, central):
    with picture(path) as ax:
        ax.loglog(steps, forward, "o--", color="#d55e00", label="forward difference")
        ax.loglog(steps, central, "s-", color="#0072b2", label="central difference")
        ax.text(6e-3, 3e-11, "the curve bends", ha="center", color="0.3")
        ax.text(1.5e-12, 3e-9, "digits are lost", ha="center", color="0.3")
        ax.set(xlabel="step eps", ylabel="error of the slope", title="Slope of softplus at 0.5: neither big nor tiny steps")
        ax.legend()


# %% What does it cost?
# With many inputs there are many slopes: one for each input, with all others held still. Together they are called the gradient. To try them
# out, each input has to move up once and down once: two calls of the function for each input.


def numerical_grad(f, x, eps=1e-4):
    grad = np.zeros_like(x.data)
    for i in np.ndindex(x.data.shape):
        up, down = x.data.copy(), x.data.copy()
        up[i] += eps
        down[i] -= eps
        grad[i] = (f(Variable(up)).data - f(Variable(down)).data) / (2 * eps)
    return grad


class Counted:
    """A function that counts its calls."""

    def __init__(self, f):
        self.f, self.calls = f, 0

    def __call__(self, x):
        self.calls += 1
        return self.f(x)


class Sum(Function):
    def forward(self, x):
        return x.sum()


# %% Counted
# Our example adds up softplus over all its inputs. A network of today has millions of inputs to its error, and one call means one run through
# all its examples. So trying out is for checking (step 10 does it), not for learning. A better way begins in step 05.


def count_calls():
    calls, worst = [], 0.0
    print("\n  inputs   calls   right to 8 digits")
    for n in (1, 10, 1000):
        f, x = Counted(lambda x: Sum()(softplus(x))), Variable(np.linspace(-2.0, 2.0, n))
        grad = numerical_grad(f, x)
        wrong = float(np.max(np.abs(grad - np.exp(x.data) / (np.exp(x.data) + 1))))
        calls.append(f.calls)
        worst = max(worst, wrong)
        print(f"  {n:6}   {f.calls:5}   {'yes' if wrong < 1e-8 else 'no'}")
    return calls, worst


def main(out=None, fast=False):
    steps, forward, central = error_table(Variable(np.array(0.5)))
    calls, worst = count_calls()
    if out:
        draw_errors(out / "error.png", steps, forward, central)
    return {"steps": steps, "forward": forward, "central": central, "calls": calls, "worst": worst}


# %% Exercises: python -m steps.check 04 my_answer.py
# 1. ``predicted_error(eps)``: for some function the central difference is wrong by 3e-5 at eps = 0.01. How wrong is it at another eps,
#    from 0.1 down to 0.001? Find the rule in the table above.
# 2. ``second_diff(f, x, eps=1e-3)``: the slope of the slope, from three values of f: at x - eps, x and x + eps.
# 3. ``tidy_grad(f, x, eps=1e-4)``: somebody moves the numbers in the box itself, and forgets something. Mend it:
#        grad = np.zeros_like(x.data)
#        for i in range(len(x.data)):
#            x.data[i] += eps; up = f(x).data
#            x.data[i] -= 2 * eps; down = f(x).data
#            grad[i] = (up - down) / (2 * eps)
#        return grad

if __name__ == "__main__":
    run(main)
