"""The book's small core: gradients are plain arrays."""

import numpy as np

from dezero import core_simple as cs


def test_gradients_are_arrays_also_of_results():
    x = cs.Variable(np.array(3.0))
    y = x ** 2
    z = y * 2 + 1.0 - x
    z.backward(retain_grad=True)
    assert type(x.grad) is np.ndarray and float(x.grad) == 11
    assert type(y.grad) is np.ndarray and float(y.grad) == 2


def test_gradient_descent_as_readers_write_it():
    x0, x1 = cs.Variable(np.array(0.0)), cs.Variable(np.array(2.0))
    for _ in range(999):
        y = 100 * (x1 - x0 ** 2) ** 2 + (x0 - 1) ** 2
        x0.cleargrad()
        x1.cleargrad()
        y.backward()
        x0.data -= 0.001 * x0.grad
        x1.data -= 0.001 * x1.grad
    assert np.allclose([float(x0), float(x1)], [0.6835, 0.4657], atol=1e-4)


def test_own_functions_on_arrays():
    class Square(cs.Function):
        def forward(self, x): return x ** 2
        def backward(self, gy): return 2 * self.inputs[0].data * gy

    x = cs.Variable(np.array([1.0, 2.0]))
    Square()(x).backward()
    assert np.array_equal(x.grad, [2, 4])


def test_names():
    assert all(hasattr(cs, name) for name in cs.__all__)
    x = cs.Variable(np.array(2.0))
    values = [cs.add(x, 1), cs.sub(x, 1), cs.rsub(x, 1), cs.mul(x, 3), cs.div(x, 4), cs.rdiv(x, 4), cs.neg(x), cs.pow(x, 2), cs.as_variable(5.0)]
    assert [float(v) for v in values] == [3, 1, -1, 6, 0.5, 2, -2, 4, 5]
    assert all(type(v) is cs.Variable for v in values)
    x.set_creator(None)
    with cs.no_grad(), cs.using_config("enable_backprop", True):
        assert (x * 2).creator is not None
