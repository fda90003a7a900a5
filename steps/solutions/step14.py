"""One way to solve the exercises of step 14."""

from step14 import Function, Variable


class Mul(Function):
    def forward(self, a, b):
        return a * b

    def backward(self, gy):
        a, b = self.inputs
        return gy * b.data, gy * a.data


def power(x, n):
    y = x
    for _ in range(n - 1):
        y = Mul()(y, x)
    return y


def predict():
    return 8


def slopes(f, points):
    x, found = Variable(points[0]), []
    for p in points:
        x.data = p
        x.cleargrad()
        f(x).backward()
        found.append(x.grad)
    return found
