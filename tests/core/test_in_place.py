"""Arrays that change between forward and backward: the gradient is that of what forward saw, or ``detect_anomaly`` reports the change.

The rule stands in docs/in-place.md. What is safe is tested without ``detect_anomaly``, what is not within it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Parameter, Variable, checkpoint, detect_anomaly, grad, test_mode
from dezero.errors import ChangedInPlaceError

X = np.array([0.5, -1.0, 2.0])
A = np.array([[0.3, -0.6, 1.1], [0.2, 0.9, -0.4]])


class Square(Function):  # by the book: backward looks at self.inputs
    def forward(self, x):
        return x * x

    def backward(self, gy):
        return gy * self.inputs[0] * 2


def disturb(a: np.ndarray) -> None:
    """Other values in the same array, in the same range."""
    if a.dtype.kind == "f":
        a *= -0.6
        a += 0.3
    elif a.dtype.kind == "b":
        np.logical_not(a, out=a)
    elif a.size:
        a[...] = np.where(a == a.flat[0], a.flat[-1], a.flat[0])


def replaced(f: Callable[[Any], Any]) -> Callable[[], Any]:
    """The gradient of ``f`` at X, where ``x.data`` becomes another array before backward."""
    def run() -> Any:
        x = Variable(X.copy())
        y = f(x)
        x.data = np.full(3, 100.0)
        F.sum(y).backward()
        return x.grad.data
    return run


def number_in_place() -> Any:
    x = Variable(np.array(3.0))
    y = x * x * x
    x.data[...] = 100
    y.backward()
    return x.grad.data


def result_replaced() -> Any:
    x = Variable(X.copy())
    h = x * x
    y = h * h
    h.data = np.zeros(3)
    F.sum(y).backward()
    return x.grad.data


def step_between_two_uses() -> Any:
    x = Variable(X.copy())
    y = x * x
    x.data = x.data - 0.25  # a new array
    F.sum(y + x * 0.0).backward()
    return x.grad.data


def list_as_index() -> Any:
    x, index = Variable(X.copy()), [0, 2, 2]
    y = x[index]
    index[0] = 1
    F.sum(y).backward()
    return x.grad.data


def seed_changed_afterwards() -> Any:
    x, seed = Variable(X.copy()), np.array([1.0, 2.0, 3.0])
    y = x + x
    y.grad = seed
    y.backward(retain_graph=True, retain_grad=True)
    seed *= 100
    return x.grad.data


def parameter_updated_in_its_hook() -> Any:
    w, x = Parameter(X.copy()), Variable(X.copy())
    w.register_hook(lambda g: w.data.__isub__(g.data))
    F.sum(w * x * w).backward()
    return x.grad.data


SAFE = {
    "replaced: mul": (replaced(lambda x: x * x), 2 * X),
    "replaced: exp": (replaced(F.exp), np.exp(X)),
    "replaced: matmul": (replaced(lambda x: F.matmul(x, A.T @ A) * x), 2 * A.T @ A @ X),
    "replaced: an op by the book": (replaced(Square()), 2 * X),
    "replaced: compose": (replaced(lambda x: F.layer_norm(x, X, None) ** 2), None),
    "replaced: before grad of grad": (replaced(lambda x: grad(x ** 3, x, create_graph=True)), 6 * X),
    "replaced: checkpoint": (replaced(lambda x: checkpoint(lambda v: v * v, x)), 2 * X),
    "replaced: a view": (replaced(lambda x: x[::-1] * x), 2 * X[::-1]),
    "number in place": (number_in_place, 27.0),
    "result replaced": (result_replaced, 4 * X ** 3),
    "step between two uses": (step_between_two_uses, 2 * X),
    "list as index": (list_as_index, [1, 0, 2]),
    "seed changed afterwards": (seed_changed_afterwards, [2, 4, 6]),
    "parameter updated in its hook": (parameter_updated_in_its_hook, X ** 2),
}


@pytest.mark.parametrize("what", SAFE)
def test_safe(what: str) -> None:
    run, wanted = SAFE[what]
    if wanted is None:
        x = Variable(X.copy())
        wanted = grad(F.sum(F.layer_norm(x, X, None) ** 2), x).data
    assert np.allclose(run(), wanted)
    with detect_anomaly():
        assert np.allclose(run(), wanted)


def operand(f: Callable[[Any, Any], Any], a: Any = X, b: Any = X, which: str = "ab") -> Callable[[], Any]:
    """Run ``f(a, b)``, then change the array of one of them."""
    def run() -> Any:
        arrays = {"a": np.array(a), "b": np.array(b)}
        ins = [Variable(v) if k in which.upper().lower() and v.dtype.kind == "f" and k in which else v for k, v in arrays.items()]
        y = f(*ins)
        disturb(arrays["b"])
        return F.sum(y)
    return run


def minus_equals_between_two_uses() -> Any:
    x = Variable(X.copy())
    y = x * x
    x.data -= 0.25
    return F.sum(y + x * x)


def parameter_step_before_a_second_backward() -> Any:
    w, x = Parameter(np.ones((3, 2))), Variable(A.copy())
    loss = F.sum(F.tanh(F.matmul(x, w)))
    loss.backward(retain_graph=True)
    w.data -= 0.1 * w.grad.data
    return loss


def two_variables_around_one_array() -> Any:
    shared = X.copy()
    a, b = Variable(shared), Variable(shared)
    y = a * a
    b.data *= 2
    return F.sum(y)


def view_of_a_larger_array() -> Any:
    whole = np.ones((4, 3))
    y = F.exp(Variable(whole[1])) * Variable(whole[2])
    whole *= 3
    return F.sum(y)


def result_that_is_a_view() -> Any:
    x = Variable(A.copy())
    y = x * x
    part = x[:, 1:]
    part.data[...] = 7
    return F.sum(y)


def result_in_place() -> Any:
    y = F.exp(Variable(X.copy()))
    y.data *= 2
    return F.sum(y)


def detached_in_place() -> Any:
    x = Variable(X.copy())
    y = x * x
    x.detach().data[0] = 9
    return F.sum(y)


def data_in_a_hook_on_the_way() -> Any:
    w, x = Variable(X.copy()), Variable(X.copy())
    h = w * x
    y = h * 2.0
    y.register_hook(lambda g: disturb(w.data))
    return F.sum(y)


def before_the_second_derivative() -> Any:
    x = Variable(X.copy())
    g = grad(F.sum(x ** 3), x, create_graph=True)
    x.data += 1
    return F.sum(g)


def parameter_of_a_checkpoint_replaced() -> Any:
    x, w = Variable(X.copy()), Parameter(X.copy())
    y = checkpoint(lambda v: v * w * w, x)
    w.data = w.data + 1
    return F.sum(y)


def inside_a_checkpoint() -> Any:
    x = Variable(X.copy())
    y = checkpoint(lambda v: v * v, x)
    x.data += 1
    return F.sum(y)


def parameter_of_a_checkpoint() -> Any:
    x, w = Variable(X.copy()), Parameter(X.copy())
    y = checkpoint(lambda v: v * w * w, x)
    w.data += 1
    return F.sum(y)


def constant_of_a_checkpoint() -> Any:
    x, c = Variable(X.copy()), X.copy()
    y = checkpoint(lambda v: v * v * c, x)
    c += 1
    return F.sum(y)


def statistics_in_use() -> Any:
    x, mean, var = Variable(A.copy()), np.zeros(3), np.ones(3)
    with test_mode():
        y = F.batch_norm(x, X, X, mean, var)
    F.batch_norm(A, X, X, mean, var)  # moves mean and var
    return F.sum(y)


LABELS, INDEX, MASK = np.array([0, 2]), np.array([2, 0, 0]), np.array([True, False, True])
REPORTED = {
    "the other operand": operand(lambda a, b: a * b, which="a"),
    "the other operand, a Variable": operand(lambda a, b: a * b),
    "a constant 0-d operand of a matrix op": operand(lambda a, b: F.einsum("i,->i", a, b), b=2.0, which="a"),
    "labels": operand(lambda a, b: F.softmax_cross_entropy(a, b), A, LABELS, "a"),
    "index array": operand(lambda a, b: a[b], b=INDEX, which="a"),
    "index array of take": operand(lambda a, b: F.take(a, b), b=INDEX, which="a"),
    "index array of index_add": operand(lambda a, b: F.index_add(a * 1.0, b, a), b=INDEX, which="a"),
    "ids of an embedding": operand(lambda a, b: F.embedding(b, a), A, LABELS // 2, "a"),
    "mask of where": operand(lambda a, b: F.where(b, a, 0.0), b=MASK, which="a"),
    "mask as index": operand(lambda a, b: a[b], b=MASK, which="a"),
    "target": operand(lambda a, b: F.mean_squared_error(a, b), which="a"),
    "target of one number": operand(lambda a, b: F.mean_squared_error(a, b), 1.0, 2.0, "a"),
    "input of an op by the book": operand(lambda a, b: Square()(b)),
    "input of compose": operand(lambda a, b: F.layer_norm(a, b)),
    "-= between two uses": minus_equals_between_two_uses,
    "a step before a second backward": parameter_step_before_a_second_backward,
    "two Variables around one array": two_variables_around_one_array,
    "a view of a larger array": view_of_a_larger_array,
    "a result that is a view": result_that_is_a_view,
    "a result in place": result_in_place,
    "a detached one in place": detached_in_place,
    "data in a hook on the way": data_in_a_hook_on_the_way,
    "before the second derivative": before_the_second_derivative,
    "argument of a checkpoint": inside_a_checkpoint,
    "parameter of a checkpoint": parameter_of_a_checkpoint,
    "parameter of a checkpoint replaced": parameter_of_a_checkpoint_replaced,
    "constant of a checkpoint": constant_of_a_checkpoint,
    "statistics in use": statistics_in_use,
}


@pytest.mark.parametrize("what", REPORTED)
@pytest.mark.parametrize("create_graph", [False, True])
def test_reported(what: str, create_graph: bool) -> None:
    with detect_anomaly():
        y = REPORTED[what]()
        with pytest.raises(ChangedInPlaceError):
            y.backward(create_graph=create_graph)
