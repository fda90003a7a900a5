"""What if the same box is used twice?

In x + x + x one box goes into two functions, and into one of them twice. Three gradients arrive at it, and it has one place for them. Step 13
keeps the last one. This script shows what that costs, mends it, and meets a trap on the way.
"""

import numpy as np

from support import run

# %% Gradients add up
# If x moves by 0.01, it moves in all places where it is used. Each place moves the result, and these moves add up. So ``grad`` has to be the sum
# of all that arrives: the first gradient is written down, each further one is added. It is one line in ``Variable.backward``.
#
# As gradients now add up, somebody has to say when a new count begins. ``cleargrad`` does.


class Variable:
    """A box for an array. It remembers the function that made it, and its gradient."""

    def __init__(self, data):
        if data is not None and not isinstance(data, np.ndarray):
            raise TypeError(f"Variable: {type(data).__name__} is not supported: a NumPy array (or None) is expected, such as np.array(3.0)")
        self.data = data
        self.grad = None
        self.creator = None

    def set_creator(self, func):
        self.creator = func

    def cleargrad(self):
        self.grad = None

    def backward(self):
        if self.grad is None:
            self.grad = np.ones_like(self.data)
        funcs = [self.creator] if self.creator else []
        while funcs:
            f = funcs.pop()
            gys = [np.zeros_like(y.data) if y.grad is None else y.grad for y in f.outputs]
            gxs = f.backward(*gys)
            if not isinstance(gxs, tuple):
                gxs = (gxs,)
            for x, gx in zip(f.inputs, gxs, strict=True):
                x.grad = gx if x.grad is None else x.grad + gx
                if x.creator is not None:
                    funcs.append(x.creator)


class Function:
    """A function from Variables to Variables: forward on arrays, backward on gradients."""

    def __call__(self, *inputs):
        xs = [x.data for x in inputs]
        ys = self.forward(*xs)
        if not isinstance(ys, tuple):
            ys = (ys,)
        outputs = [Variable(as_array(y)) for y in ys]
        for output in outputs:
            output.set_creator(self)
        self.inputs = inputs
        self.outputs = outputs
        return outputs if len(outputs) > 1 else outputs[0]

    def forward(self, *xs):
        raise NotImplementedError(f"{type(self).__name__} needs a method forward that takes arrays and returns one, or a tuple of them")

    def backward(self, *gys):
        raise NotImplementedError(f"{type(self).__name__} needs a method backward that takes a gradient for each output, returns one for each input")


def as_array(x):
    return np.array(x) if np.isscalar(x) else x


# %% Two functions, and the derivative by trying out


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        (x,) = self.inputs
        return gy * 2 * x.data


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


def square(x):
    return Square()(x)


def add(a, b):
    return Add()(a, b)


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(as_array(x.data - eps))), f(Variable(as_array(x.data + eps)))
    return (y1.data - y0.data) / (2 * eps)


# %% Three rules
# To compare, here is the way back once more, with the rule as an argument: what becomes of the old gradient when a new one arrives?
#
# - ``overwrite`` is what step 13 does.
# - ``add_in_place`` saves memory: ``+=`` writes the sum into the array that is there already.
# - ``add_new`` makes a new array for each sum. This is the rule of ``Variable.backward`` above.


def overwrite(old, new):
    return new


def add_in_place(old, new):
    if old is None:
        return new
    old += new
    return old


def add_new(old, new):
    return new if old is None else old + new


def backward_by(rule, y):
    y.grad = np.ones_like(y.data)
    funcs = [y.creator]
    while funcs:
        f = funcs.pop()
        gxs = f.backward(*[output.grad for output in f.outputs])
        if not isinstance(gxs, tuple):
            gxs = (gxs,)
        for x, gx in zip(f.inputs, gxs, strict=True):
            x.grad = rule(x.grad, gx)
            if x.creator is not None:
                funcs.append(x.creator)


# %% x + x + x
# Whoever adds three equal numbers gets three times the number: the slope is 3. ``overwrite`` finds 1, the gradient that came last.
#
# The number of ``add_in_place`` is stranger. ``Add`` passes on the gradient it gets, to both inputs: not two copies, but one array with two names,
# as in step 01. Worse, it is also the gradient of y. Who adds into this array changes the gradient of others, while they still need it. The last
# column shows it: the slope of y by y must stay 1. A sum in a new array changes nothing that others hold.


def triple(x):
    return add(add(x, x), x)


def three_rules():
    x = Variable(np.array([2.0]))
    print(f"x + x + x at x = 2: the slope, tried out, is {numerical_diff(triple, x)[0]:.4f}\n")
    print("rule           x.grad   y.grad")
    found = {}
    for rule in (overwrite, add_in_place, add_new):
        x = Variable(np.array([2.0]))
        y = triple(x)
        backward_by(rule, y)
        found[rule.__name__] = [float(x.grad[0]), float(y.grad[0])]
        print(f"{rule.__name__:12} {x.grad[0]:8.1f} {y.grad[0]:8.1f}")
    return found


# %% The framework itself
# Now with the method. It holds for any place where x is used, here for x² + x as well: the slope is 2x + 1.


def with_the_method():
    x = Variable(np.array(2.0))
    triple(x).backward()
    z = Variable(np.array(2.0))
    add(square(z), z).backward()
    print(f"\nx + x + x: x.grad = {x.grad:.1f}      x² + x: x.grad = {z.grad:.1f}")
    return float(x.grad), float(z.grad)


# %% Why clear
# Use the same box in a second formula, and its gradients are added to those of the first. At times this is wanted: two formulas, one sum of slopes.
# More often it is a surprise. ``cleargrad`` before the second formula gives the second slope alone.


def why_clear():
    x = Variable(np.array(2.0))
    triple(x).backward()
    first = float(x.grad)
    triple(x).backward()
    second = float(x.grad)
    x.cleargrad()
    triple(x).backward()
    cleared = float(x.grad)
    print(f"\nfirst time {first:.1f}, second time {second:.1f}, second time after x.cleargrad() {cleared:.1f}")
    return first, second, cleared


# %% What is left
# Each x here is a box that we made ourselves: the way back ends there. If a box in the middle is used twice, the gradients add up as well, but its
# creator may be called before they have all arrived. That is the question of step 15.


def main(out=None, fast=False):
    rules = three_rules()
    method, other = with_the_method()
    first, second, cleared = why_clear()
    return {"rules": rules, "method": method, "other": other, "first": first, "second": second, "cleared": cleared}


# %% Exercises: python -m steps.check 14 my_answer.py
# 1. ``power(x, n)``: x multiplied with itself, for n = 1, 2, 3, ..., with the ``Mul`` of step 13's exercise. The slope n · xⁿ⁻¹ should come out.
# 2. ``predict()``: x holds 2. What is x.grad after ``y = add(add(x, x), x)``, ``y.backward()``, and once more ``y.backward()``? Not 6. Why?
# 3. ``slopes(f, points)``: it forgot something: ``x = Variable(points[0])``, then for each p ``x.data = p; f(x).backward()``, keep x.grad. Mend it.

if __name__ == "__main__":
    run(main)
