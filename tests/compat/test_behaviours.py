"""Scripts in the manner of the book's readers run here, and give the numbers that they give there: steps 1 to 22, and what they print."""

from __future__ import annotations

import gc
import math
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Config, Function, Variable, no_grad, setup_variable, test_mode, using_config

setup_variable()


def V(*values: Any) -> Variable:
    return Variable(np.array(values[0] if len(values) == 1 else values, dtype=float))


# -- one variable, own functions (steps 1 to 22) ---------------------------------------------------


class Halve(Function):
    def forward(self, x): return x / 2
    def backward(self, gy): return gy / 2


class Hypotenuse(Function):
    def forward(self, a, b):
        return np.sqrt(a ** 2 + b ** 2)

    def backward(self, gy):
        a, b = self.inputs
        c = (a ** 2 + b ** 2) ** 0.5
        return gy * a / c, gy * b / c


class Polar(Function):
    def forward(self, x, y):
        return np.sqrt(x ** 2 + y ** 2), np.arctan2(y, x)

    def backward(self, gr, gangle):
        x, y = self.inputs
        r2 = x ** 2 + y ** 2
        r = r2 ** 0.5
        return gr * x / r - gangle * y / r2, gr * y / r + gangle * x / r2


def test_only_arrays_make_variables() -> None:
    for wrong in (1.0, 3, [1.0, 2.0], "one"):
        with pytest.raises(TypeError, match="is not supported"):
            Variable(wrong)
    assert Variable(None).data is None and str(Variable(None)) == "variable(None)"


def test_own_functions_of_one_and_two_inputs() -> None:
    x = V(10.0)
    y = Halve()(Halve()(x))
    y.backward()
    assert float(y.data) == 2.5 and float(x.grad.data) == 0.25
    a, b = V(3.0), V(4.0)
    c = Hypotenuse()(a, b)
    c.backward()
    assert float(c) == 5 and math.isclose(float(a.grad), 0.6) and math.isclose(float(b.grad), 0.8)


def test_own_functions_of_two_outputs_give_a_list_and_may_leave_one_unused() -> None:
    x, y = V(3.0), V(4.0)
    r, angle = Polar()(x, y)
    (r * 2 + angle).backward()
    assert math.isclose(float(x.grad), 2 * 0.6 - 4 / 25) and math.isclose(float(y.grad), 2 * 0.8 + 3 / 25)
    x.cleargrad()
    Polar()(x, y)[0].backward()  # the other output is gone by now
    assert math.isclose(float(x.grad), 0.6)


def test_own_functions_find_inputs_and_outputs() -> None:
    seen: list[Any] = []

    class Exponential(Function):
        def forward(self, x):
            return np.exp(x)

        def backward(self, gy):
            seen.append((self.inputs[0].data, self.outputs[0]().data, self.generation))
            return gy * self.outputs[0]()

    x = V(1.0)
    y = Exponential()(Halve()(x))
    y.backward()
    assert math.isclose(float(x.grad), math.exp(0.5) / 2)
    assert seen[0][2] == 1 and math.isclose(float(seen[0][1]), math.exp(0.5))
    assert y.creator.outputs[0]() is y and y.creator.inputs[0].creator.inputs[0] is x


def test_the_same_variable_twice_and_cleargrad() -> None:
    x = V(3.0)
    (x + x).backward()
    assert float(x.grad.data) == 2
    x.cleargrad()
    (x + (x + x)).backward()
    assert float(x.grad.data) == 3
    (x + x).backward()
    assert float(x.grad.data) == 5  # without cleargrad it adds up


def test_generations_order_a_diamond() -> None:
    x = V(2.0)
    a = x ** 2
    y = a ** 2 + a ** 2
    y.backward()
    assert float(y) == 32 and float(x.grad) == 64
    assert (x.generation, a.generation, y.generation) == (0, 1, 3)


def test_results_die_without_the_collector() -> None:
    gc.collect()
    gc.disable()
    try:
        x = Variable(np.ones(1000))
        for _ in range(3):
            y = Halve()(F.exp(Halve()(x)))
            ref = weakref.ref(y.creator)
            del y
            assert ref() is None
    finally:
        gc.enable()


def test_gradients_on_the_way_are_kept_on_request_only() -> None:
    a, b = V(1.0), V(1.0)
    t = a + b
    y = a + t
    y.backward()
    assert (y.grad, t.grad) == (None, None) and (float(a.grad), float(b.grad)) == (2, 1)
    t = a + b
    y = a + t
    y.backward(retain_grad=True)
    assert str(y.grad) == "variable(1.0)" and str(t.grad) == "variable(1.0)"


def test_graph_building_is_switched_off_in_a_block() -> None:
    x = V(2.0)
    with using_config("enable_backprop", False):
        assert (x ** 2).creator is None and not Config.enable_backprop
    with no_grad():
        assert (x ** 2).creator is None
    with test_mode():
        assert not Config.train
    assert Config.train and Config.enable_backprop and (x ** 2).creator is not None


def test_a_variable_looks_like_its_array() -> None:
    x = Variable(np.array([[1, 2, 3], [4, 5, 6]]), name="x")
    assert (x.name, x.shape, x.ndim, x.size, x.dtype, len(x)) == ("x", (2, 3), 2, 6, np.int64, 2)


@pytest.mark.parametrize(("value", "printed"), [
    (np.array(7.0), "variable(7.0)"),
    (np.array(3), "variable(3)"),
    (np.array([1, 2, 3]), "variable([1 2 3])"),
    (np.array([[1, 2, 3], [4, 5, 6]]), "variable([[1 2 3]\n          [4 5 6]])"),
    (np.array([[1.0, 2.5]]), "variable([[1.  2.5]])"),
    (np.zeros((2, 1, 2)), "variable([[[0. 0.]]\n         \n          [[0. 0.]]])"),
    (None, "variable(None)"),
])
def test_printed(value: Any, printed: str, capsys: pytest.CaptureFixture[str]) -> None:
    print(Variable(value))
    assert capsys.readouterr().out == printed + "\n"
    assert f"{Variable(value)}" == printed


def test_results_and_gradients_print_as_scalars(capsys: pytest.CaptureFixture[str]) -> None:
    a, b, c = V(3.0), V(2.0), V(1.0)
    y = a * b + c
    y.backward()
    print(y)
    print(a.grad)
    print(b.grad.data)
    assert capsys.readouterr().out == "variable(7.0)\nvariable(2.0)\n3.0\n"


@pytest.mark.parametrize("other", [3.0, 3, np.float64(3), np.float32(3), np.int64(3), np.array(3.0), np.array([3.0]), True + 2])
def test_operands_of_all_kinds_on_both_sides(other: Any) -> None:
    x = V([2.0])
    for y, value in ((x + other, 5), (other + x, 5), (x - other, -1), (other - x, 1), (x * other, 6), (other * x, 6), (x / other, 2 / 3),
                     (other / x, 1.5), (x ** other, 8), (-x, -2)):
        assert isinstance(y, Variable) and np.allclose(y.data, value)
        y.backward()
        assert isinstance(x.grad, Variable) and x.grad.shape == (1,)
        x.cleargrad()


def test_sums_start_from_nothing() -> None:
    xs = [V(float(i)) for i in range(4)]
    total = sum(xs)
    loss = 0
    for x in xs:
        loss += x * x
    assert float(total) == 6 and float(loss) == 14
    (total + loss).backward()
    assert [float(x.grad) for x in xs] == [1, 3, 5, 7]


def test_plus_equals_makes_a_new_variable() -> None:
    x = V([1.0, 2.0])
    y = before = x * 1.0
    y += 1.0
    y -= 0.5
    y *= 2.0
    y /= 4.0
    assert y is not before and np.array_equal(before.data, [1, 2]) and np.allclose(y.data, [0.75, 1.25])
