"""Variable: what it holds, how it shows itself, how it behaves as a value, how it is copied."""

import copy
import pickle

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, as_array, as_variable
from dezero.errors import InputTypeError, ShapeError


def test_holds_the_users_array_itself():
    a = np.array([1.0, 2.0])
    assert Variable(a).data is a


@pytest.mark.parametrize("wrong, advice", [(1.0, "np.array(1.0)"), ([1, 2], "np.array([...])"), ("3", "str"), (np.array("a"), "numbers")])
def test_refuses_what_is_no_array_with_advice(wrong, advice):
    with pytest.raises(TypeError) as error:
        Variable(wrong)
    assert advice in str(error.value)


def test_none_waits_for_data_and_says_so():
    p = Parameter(None, name="W")
    with pytest.raises(ValueError, match="'W' has no data yet"):
        p.shape  # noqa: B018
    p.data = np.zeros((2, 3), np.float32)
    assert p.shape == (2, 3) and p.requires_grad


@pytest.mark.parametrize("v, text, more", [
    (Variable(np.array(7.0)), "variable(7.0)", "variable(7.0)"),
    (Variable(np.array([[1, 2], [3, 4]])), "variable([[1 2]\n          [3 4]])", "variable([[1 2]\n          [3 4]])"),
    (Variable(np.array([1.0, 2.0]), name="x"), "variable([1. 2.])", "variable([1. 2.], name='x')"),
    (Variable(None), "variable(None)", "variable(None)"),
    (Variable(np.array([1.5], np.float32)), "variable([1.5])", "variable([1.5], dtype=float32)"),
    (Variable(np.array(1.0), requires_grad=False), "variable(1.0)", "variable(1.0, constant)"),
])
def test_str_is_the_books_and_repr_adds_what_is_unusual(v, text, more):
    assert (str(v), repr(v)) == (text, more)


def test_repr_tells_the_state_of_the_gradient():
    x = Variable(np.array(3.0))
    y = x * x
    assert repr(y) == "variable(9.0, creator=Mul)"
    y.backward()
    assert repr(x) == "variable(3.0, grad=6.0)"


def test_long_arrays_stay_indented():
    lines = str(Variable(np.zeros((3, 2)))).split("\n")
    assert all(line.startswith(" " * 9) for line in lines[1:]) and len(lines) == 3


def test_behaves_as_a_value():
    v = Variable(np.array([[2.5]]))
    assert (float(v), int(v), v.item(), bool(v), len(v)) == (2.5, 2, 2.5, True, 1)
    assert [float(row) for row in Variable(np.array([1.0, 2.0]))] == [1.0, 2.0]
    assert ["a", "b", "c"][Variable(np.array(1))] == "b"
    assert v.tolist() == [[2.5]]


@pytest.mark.parametrize("use, error", [
    (lambda v: float(v), ValueError), (lambda v: bool(v), ValueError), (lambda v: len(v[0, 0]), TypeError),
    (lambda v: [1, 2, 3][v[0, 0]], TypeError),
])
def test_says_why_it_is_no_single_value(use, error):
    with pytest.raises(error) as caught:
        use(Variable(np.ones((2, 2))))
    assert "variable" in str(caught.value)


def test_equality_is_identity_so_variables_are_keys():
    a, b = Variable(np.array(1.0)), Variable(np.array(1.0))
    assert a != b and {a: 1}[a] == 1 and b not in {a: 1}


def test_elements_cannot_be_assigned():
    with pytest.raises(TypeError, match="index_set"):
        Variable(np.zeros(3))[0] = 1.0


def test_plus_equals_makes_a_new_variable():
    a = x = Variable(np.array([1.0]))
    x += 1
    assert a.data[0] == 1 and x.data[0] == 2


def test_data_of_a_scalar_result_is_an_array_that_can_be_written():
    y = Variable(np.array(2.0)) * 3
    assert isinstance(y.data, np.ndarray) and y.data.shape == ()
    y.data[...] = 5
    assert float(y) == 5


def test_data_takes_numbers_and_scalars_in_its_own_dtype():
    x = Variable(np.array(1.0, np.float32))
    x.data = x.data - np.float32(0.5)
    x.data = 2.0
    assert x.dtype == np.float32 and float(x) == 2


def test_data_that_becomes_float_becomes_differentiable():
    x = Variable(np.array([1, 2]))
    x.data = x.data.astype(np.float64)
    (x * x).sum().backward()
    assert np.array_equal(x.grad.data, [2, 4])


def test_grad_of_another_shape_is_refused():
    with pytest.raises(ShapeError, match=r"\(3,\).*\(2,\)"):
        Variable(np.zeros(2)).grad = np.zeros(3)


def test_copies():
    x = Variable(np.array([1.0, 2.0]), name="x")
    y = x * x
    y.backward(retain_graph=True)
    for twin in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert twin.name == "x" and np.array_equal(twin.data, x.data) and np.array_equal(twin.grad.data, x.grad.data)
        twin.data[0] = 9
        assert x.data[0] == 1
    assert copy.copy(x).data is x.data and copy.copy(y).creator is y.creator
    assert copy.deepcopy(y).creator is None  # a copy of a result is a leaf
    p = copy.deepcopy(Parameter(np.zeros(1)))
    assert type(p) is Parameter and p.requires_grad


def test_deep_graphs_copy_and_pickle_without_recursion():
    y = Variable(np.array(1.0))
    for _ in range(5000):
        y = y + 1
    assert float(copy.deepcopy(y)) == float(pickle.loads(pickle.dumps(y))) == 5001


def test_detach_shares_the_array_and_ends_the_history():
    x = Variable(np.array([1.0, 2.0]))
    y = (x * x).detach()
    z = x * y
    z.sum().backward()
    assert np.array_equal(x.grad.data, [1, 4])
    assert x.detach().data is x.data


def test_astype_sends_the_gradient_back_in_its_own_dtype():
    x = Variable(np.array([1.0, 2.0], np.float32))
    (x.astype(np.float64) * 3).sum().backward()
    assert x.grad.dtype == np.float32 and np.array_equal(x.grad.data, [3, 3])


METHODS = {
    "sum": ((0,), {}), "mean": ((), {"axis": 1}), "var": ((), {}), "std": ((), {"axis": 0}), "prod": ((), {"axis": 1}),
    "max": ((1,), {}), "min": ((), {}),
    "argmax": ((1,), {}), "argmin": ((), {}), "reshape": ((3, 2), {}), "transpose": ((1, 0), {}), "swapaxes": ((0, 1), {}), "flatten": ((), {}),
    "ravel": ((), {}), "squeeze": ((), {}), "repeat": ((2, 1), {}), "diagonal": ((), {}), "take": (([0, 1], 1), {}), "cumsum": ((1,), {}),
    "trace": ((), {}), "clip": ((0.2, 0.7), {}), "round": ((1,), {}), "copy": ((), {}), "dot": ((np.ones((3, 2)),), {}),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_those_of_arrays(name):
    args, kwargs = METHODS[name]
    a = np.random.default_rng(0).random((2, 3))
    assert np.allclose(getattr(Variable(a), name)(*args, **kwargs).data, getattr(a, name)(*args, **kwargs))


def test_transposes():
    a = np.arange(24.0).reshape(2, 3, 4)
    v = Variable(a)
    assert v.T.shape == (4, 3, 2) and v.mT.shape == (2, 4, 3)
    assert np.array_equal(v.reshape((4, -1)).data, a.reshape(4, -1)) and v.transpose((2, 0, 1)).shape == (4, 2, 3)
    assert v.expand_dims(-1).shape == (2, 3, 4, 1) and v.broadcast_to((5, 2, 3, 4)).shape == (5, 2, 3, 4)
    assert v.matmul(np.ones((4, 2))).shape == (2, 3, 2)


def test_as_variable_and_as_array():
    x = Variable(np.array(1.0))
    assert as_variable(x) is x and as_variable(2.0).data.shape == () and not as_variable(np.ones(2)).requires_grad
    assert as_array(3.0).shape == () and as_array(np.float32(3)).dtype == np.float32
    with pytest.raises(InputTypeError):
        as_variable("x")


@pytest.mark.parametrize("other", [2, 2.0, np.float64(2), np.float32(2), np.int64(2), np.array(2.0, np.float32), np.array([2.0, 2.0], np.float32)])
@pytest.mark.parametrize("op", ["+", "-", "*", "/", "**"])
def test_float32_holds_on_both_sides(other, op):
    x = Variable(np.array([1.0, 3.0], np.float32))
    for left, right in ((x, other), (other, x)):
        y = eval(f"left {op} right")
        assert isinstance(y, Variable) and y.dtype == np.float32
        assert np.allclose(y.data, eval(f"a {op} b", {"a": getattr(left, "data", left) if left is x else left, "b": x.data if right is x else right}))
        x.cleargrad()
        F.sum(y).backward()
        assert x.grad.dtype == np.float32


def test_comparisons_are_plain_bool_arrays():
    x = Variable(np.array([1.0, 2.0]))
    for mask, wanted in ((x > 1, [False, True]), (x >= np.array([1.0, 3.0]), [True, False]), (1.5 < x, [False, True]), (x <= x, [True, True])):
        assert type(mask) is np.ndarray and mask.dtype == bool and mask.tolist() == wanted


def test_loss_may_start_at_the_number_zero():
    x = Variable(np.array(2.0))
    loss = 0
    for _ in range(3):
        loss += x * x
    loss.backward()
    assert float(loss) == 12 and float(x.grad) == 12
