"""Function: both ways to write an op, several inputs and outputs, reuse, and mistakes in an op."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Variable
from dezero.errors import InputTypeError
from dezero.testing import check_gradients


class Sin(Function):  # the book's way
    def forward(self, x):
        return np.sin(x)

    def backward(self, gy):
        x, = self.inputs
        return gy * F.cos(x)


class SumAndProduct(Function):
    def forward(self, a, b):
        return a + b, a * b

    def backward(self, gs, gp):
        a, b = self.inputs
        return gs + gp * b, gs + gp * a


class Exp(Function):
    def forward(self, x):
        return np.exp(x)

    def backward(self, gy):
        return gy * self.outputs[0]()


def test_the_books_way_and_its_second_derivative():
    x = Variable(np.array([0.3, 1.2]))
    check_gradients(Sin(), x)
    check_gradients(Sin(), x, order=2)


def test_outputs_are_there_in_backward_though_nobody_holds_them():
    x = Variable(np.array(1.5))
    y = F.sum(Exp()(x) * 2.0)
    y.backward(create_graph=True)
    g = x.grad
    x.cleargrad()
    g.backward()
    assert np.isclose(float(g), 2 * np.exp(1.5)) and np.isclose(float(x.grad), 2 * np.exp(1.5))


def test_formulas_that_return_arrays_work_to_first_order():
    class Raw(Function):
        def forward(self, x): return x ** 2
        def backward(self, gy): return 2 * self.inputs[0].data * gy.data

    x = Variable(np.array([3.0]))
    Raw()(x).backward()
    assert float(x.grad) == 6


def test_several_outputs_come_as_a_list_and_unused_ones_send_zeros():
    a, b = Variable(np.array([2.0])), Variable(np.array([5.0]))
    s, p = SumAndProduct()(a, b)
    p.backward()
    assert (float(a.grad), float(b.grad)) == (5, 2)
    a.cleargrad()
    s, p = SumAndProduct()(a, b)
    del p  # dropped by the caller
    s.backward()
    assert float(a.grad) == 1
    a.cleargrad()
    s, p = SumAndProduct()(a, b)
    (s * p).backward(create_graph=True)
    g = a.grad
    a.cleargrad()
    g.backward()  # d/da ((a + b) b + a b) = 2 b
    assert float(g) == (7 * 5 + 10) and float(a.grad) == 10


def test_an_output_used_by_two_functions():
    a, b = Variable(np.array([2.0])), Variable(np.array([5.0]))
    s, p = SumAndProduct()(a, b)
    (s * 2 + s * 3 + p).backward()
    assert float(a.grad) == 10


def test_one_object_may_be_called_again():
    f = Sin()
    a, b = Variable(np.array(0.1)), Variable(np.array(0.2))
    (f(a) + f(b)).backward()
    assert np.isclose(float(a.grad), np.cos(0.1)) and np.isclose(float(b.grad), np.cos(0.2))


def test_float32_and_numbers_in_the_books_way():
    class Mul(Function):
        def forward(self, a, b): return a * b
        def backward(self, gy): return gy * self.inputs[1], gy * self.inputs[0]

    x = Variable(np.ones(2, np.float32))
    y = Mul()(x, 2.0)
    F.sum(y).backward()
    assert y.dtype == x.grad.dtype == np.float32


def test_users_attributes_do_not_meet_the_engines():
    class Busy(Function):
        def __init__(self):
            self.shape, self.dtype, self.order, self.plan, self.edges, self.kept, self.layer, self.output, self.name = range(9)

        def forward(self, x):
            self.output = x * self.order
            return self.output

        def backward(self, gy):
            return gy * self.order

    x = Variable(np.array([3.0]))
    y = Busy()(x)
    y.backward()
    assert float(y) == 6 and float(x.grad) == 2


def test_a_formula_that_asks_for_the_unknown_is_refused_when_the_class_is_made():
    with pytest.raises(TypeError, match=r"grad_x asks for z: forward takes x and returns y"):
        class _Unknown(Function, op="unknown_"):
            def forward(self, x): return x
            def grad_x(self, gy, *, z): return gy
    with pytest.raises(TypeError, match="grad_w belongs to no input"):
        class _Stray(Function, op="stray_"):
            def forward(self, x): return x
            def grad_w(self, gy): return gy
    with pytest.raises(TypeError, match=r"saves.*compose"):
        class _Saves(Function, op="saves_"):
            saves = ("m",)
            def forward(self, x): return x, x
            def grad_x(self, gy, *, m): return gy * m


@pytest.mark.parametrize("method, words", [("forward", "define forward"), ("backward", "define backward")])
def test_a_missing_half_is_named(method, words):
    class Empty(Function):
        if method == "backward":
            def forward(self, x): return x * 1

    with pytest.raises(NotImplementedError, match=f"Empty.*{words}"):
        Empty()(Variable(np.ones(2))).backward()


def test_a_wrong_number_of_gradients_is_named():
    class Short(Function):
        def forward(self, a, b): return a * b
        def backward(self, gy): return gy

    with pytest.raises(TypeError, match="Short.backward returned 1 gradients for 2 inputs"):
        Short()(Variable(np.ones(2)), Variable(np.ones(2))).backward()


def test_forward_that_returns_no_array_is_named():
    class Text(Function):
        def forward(self, x): return "no"

    with pytest.raises(TypeError, match=r"Text.forward returned str"):
        Text()(Variable(np.ones(2)))


def test_lists_and_strings_are_no_inputs():
    for wrong in ([1.0, 2.0], "x", {}):
        with pytest.raises(InputTypeError, match="add: an input is a"):
            F.add(Variable(np.ones(2)), wrong)


def test_none_is_named():
    x = Variable(np.ones(2))
    with pytest.raises(InputTypeError, match=r"add: a \(2,\) float64: b: None was given"):
        F.add(x, None)
    with pytest.raises(InputTypeError, match="sigmoid: .*x: None was given"):
        F.sigmoid(None)


def test_a_users_own_error_keeps_its_type_and_gets_a_note():
    class Picky(Function):
        def forward(self, x): raise KeyError("my own")

    with pytest.raises(KeyError) as error:
        Picky()(Variable(np.ones((2, 3), np.float32)))
    assert any("picky: x (2, 3) float32" in note for note in error.value.__notes__)


def test_compose_serves_the_higher_orders():
    class Square(Function, op="square_by_compose"):
        saves = ("twice",)
        def forward(self, x): return x * x, 2 * x
        def grad_x(self, gy, *, twice): return gy * twice
        def compose(self, x): return x * x

    x = Variable(np.array([0.5, -1.5]))
    check_gradients(Square(), x)
    check_gradients(Square(), x, order=2)
    h = x * x * x  # the derivative is with respect to this place, not to what lies below it
    check_gradients(lambda v: Square()(v * v * v) * v, h, order=2)
