"""How does a slope find its way back to several inputs?

Functions take several inputs since step 11, but ``backward`` still looks for the one and only. This script mends it: a function answers with
one gradient for each input, and an output which nobody uses counts as zero.
"""

import numpy as np

from support import picture, run

# %% One slope for each input
# How fast does the distance sqrt(x² + y²) grow? That depends on what moves. The slope by x lets x move and holds y still, the slope by y the
# other way round. Each such slope with the rest held still is called a partial derivative, and the list of them is the gradient.
#
# Going back, one function at a time, is no harder than before: ``backward`` gets one gradient for each output and returns one for each input,
# in the same order, as a tuple. ``Variable.backward`` hands them out.
#
# An output that leads nowhere never receives a gradient. Moving it moves nothing, so its slope is 0, and zeros are what the function gets.


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
                x.grad = gx
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


# %% Functions with several ways back
# A sum grows by 1 if one of its inputs grows by 1, so ``Add`` passes on what it gets, to both. ``SumDiff`` has two outputs, a + b and a - b.
# Its input ``a`` moves both upwards; ``b`` moves the sum up and the difference down. The slopes of the two ways add up.


class Square(Function):
    def forward(self, x):
        return x**2

    def backward(self, gy):
        (x,) = self.inputs
        return gy * 2 * x.data


class Sqrt(Function):
    def forward(self, x):
        return np.sqrt(x)

    def backward(self, gy):
        (x,) = self.inputs
        return gy / (2 * np.sqrt(x.data))


class Add(Function):
    def forward(self, a, b):
        return a + b

    def backward(self, gy):
        return gy, gy


class SumDiff(Function):
    def forward(self, a, b):
        return a + b, a - b

    def backward(self, gsum, gdiff):
        return gsum + gdiff, gsum - gdiff


def square(x):
    return Square()(x)


def sqrt(x):
    return Sqrt()(x)


def add(a, b):
    return Add()(a, b)


def sum_diff(a, b):
    return SumDiff()(a, b)


# %% The distance of a point
# The point (3, 4) is 5 away from (0, 0). A step of length 1 to the right brings it further away by about 0.6, a step upwards by about 0.8.


def hypot(x, y):
    return sqrt(add(square(x), square(y)))


def distance():
    x, y = Variable(np.array(3.0)), Variable(np.array(4.0))
    z = hypot(x, y)
    z.backward()
    print(f"the distance of (3, 4) is {z.data:.1f}, its slope by x is {x.grad:.1f}, by y {y.grad:.1f}")
    return float(z.data), float(x.grad), float(y.grad)


# %% The same by trying it out
# The numerical derivative of step 04 knows one input only. So we hold the other one still: as a function of x alone, with y = 4, the distance
# is an ordinary chain. That costs two calls for each input, while the way back gave both slopes in one go.


def numerical_diff(f, x, eps=1e-4):
    y0, y1 = f(Variable(as_array(x.data - eps))), f(Variable(as_array(x.data + eps)))
    return (y1.data - y0.data) / (2 * eps)


def try_out():
    x, y = Variable(np.array(3.0)), Variable(np.array(4.0))
    by_x = numerical_diff(lambda x: hypot(x, y), x)
    by_y = numerical_diff(lambda y: hypot(x, y), y)
    print(f"tried out, one input at a time:   the slope by x is {by_x:.1f}, by y {by_y:.1f}")
    return float(by_x), float(by_y)


# %% An output that nobody uses
# Of ``SumDiff`` we take the sum and leave the difference alone. Its gradient stays None, and without the line with ``zeros_like`` the
# function would have to add None to a number. Every function with several outputs would have to think of that. So ``Variable.backward`` does.


def unused_output():
    a, b = Variable(np.array(7.0)), Variable(np.array(2.0))
    total, difference = sum_diff(a, b)
    y = square(total)
    y.backward()
    print(f"\n(a + b)² at a = 7, b = 2: {y.data:.0f}, slopes {a.grad:.0f} and {b.grad:.0f}; the difference is unused, its grad is {difference.grad}")
    try:
        total.creator.backward(total.grad, difference.grad)
    except TypeError as error:
        print(f"with None instead of zeros: TypeError: {error}")
        return float(a.grad), float(b.grad), str(error)


# %% One call, many points
# Nothing above asks for single numbers. With arrays in the boxes, one way back gives the slopes at many points at once. Drawn as arrows
# (python steps/step13.py --out DIR) they show what a gradient is: it points where the function grows fastest, here straight away from (0, 0).


def many_points():
    grid = np.array([-4.0, -2.0, 2.0, 4.0])
    x, y = (Variable(side) for side in np.meshgrid(grid, grid))
    z = hypot(x, y)
    z.backward()
    lengths = np.sqrt(x.grad**2 + y.grad**2)
    print(f"\n{z.data.size} points at once: all gradients have length {lengths.min():.4f} to {lengths.max():.4f}")
    return x, y, lengths


def draw(path, x, y):
    with picture(path, size=(5.4, 5.0)) as ax:
        side = np.linspace(-5.5, 5.5, 111)
        distances = np.hypot(*np.meshgrid(side, side))
        lines = ax.contour(side, side, distances, levels=range(1, 8), colors="0.75", linewidths=0.8)
        ax.clabel(lines, fontsize=8)
        ax.quiver(x.data, y.data, x.grad, y.grad, angles="xy", scale_units="xy", scale=1, color="#0072b2", width=0.007)
        ax.plot(x.data.ravel(), y.data.ravel(), "o", color="#0072b2", markersize=4)
        ax.set(xlabel="x", ylabel="y", title="Gradients of the distance: one way back, 16 points", aspect="equal")


def main(out=None, fast=False):
    z, gx, gy = distance()
    by_x, by_y = try_out()
    ga, gb, message = unused_output()
    xs, ys, lengths = many_points()
    if out:
        draw(out / "hypot.png", xs, ys)
    return {"hypot": z, "gradient": [gx, gy], "tried": [by_x, by_y], "unused": [ga, gb], "message": message, "lengths": lengths}


# %% Exercises: python -m steps.check 13 my_answer.py
# 1. ``Mul``: a Function for a · b, with the way back. Keep it, you need it in step 14.
# 2. ``Rectangle``: a Function of width and height with two outputs, the area and the perimeter (all four sides together), with the way back.
# 3. ``Div``: this ``backward`` of a / b has two bugs: ``return gy * b.data, gy * a.data / b.data**2``. Write the Function without them.

if __name__ == "__main__":
    run(main)
