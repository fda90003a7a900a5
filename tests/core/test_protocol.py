"""NumPy's functions on Variables: they record, or name the function to use."""

import numpy as np
import pytest

from dezero import Variable

A = np.array([[0.3, 0.6], [0.2, 0.9]])


@pytest.mark.parametrize("name", ["exp", "log", "sqrt", "sin", "cos", "tanh", "square", "abs", "negative", "log1p", "expm1", "arctan", "reciprocal",
                                  "sum", "mean", "max", "min", "prod", "var", "std", "cumsum", "transpose", "ravel", "squeeze", "trace", "diagonal",
                                  "tril", "triu", "flip", "floor", "ceil", "sign"])
def test_functions_of_one_array(name):
    v = Variable(A)
    y = getattr(np, name)(v)
    assert isinstance(y, Variable) and np.allclose(y.data, getattr(np, name)(A)) and y.creator is not None


@pytest.mark.parametrize("call", [
    lambda v: np.add(A, v), lambda v: np.multiply(v, 2.0), lambda v: A * v, lambda v: A @ v, lambda v: A - v, lambda v: A / v, lambda v: A ** v,
    lambda v: np.float64(2.0) * v, lambda v: np.float32(2.0) ** v, lambda v: np.matmul(v, A), lambda v: np.dot(v, A), lambda v: np.reshape(v, (4,)),
    lambda v: np.concatenate([v, v], axis=1), lambda v: np.stack([v, v]), lambda v: np.where(A > 0.5, v, 0.0), lambda v: np.maximum(v, 0.5),
    lambda v: np.clip(v, 0.1, 0.5), lambda v: np.einsum("ij,jk->ik", v, A), lambda v: np.expand_dims(v, 0), lambda v: np.swapaxes(v, 0, 1),
    lambda v: np.sum(v, axis=0, keepdims=True), lambda v: np.tensordot(v, A, 1), lambda v: np.linalg.inv(v), lambda v: np.broadcast_to(v, (3, 2, 2)),
    lambda v: np.power(v, 2.0), lambda v: np.tile(v, (2, 1)), lambda v: np.outer(v[0], v[1]),
])
def test_calls_of_several(call):
    y = call(Variable(A))
    assert isinstance(y, Variable) and y.creator is not None and np.allclose(y.data, call(A))


@pytest.mark.parametrize("call, words", [
    (lambda v: np.cbrt(v), r"np.cbrt.*v\.data"), (lambda v: np.add.reduce(v), "np.add.reduce.*F.add"),
    (lambda v: np.exp(v, out=np.zeros((2, 2))), "takes no out.*F.exp"),
    (lambda v: np.fft.fft(v), r"np.fft cannot"), (lambda v: np.linalg.svd(v), "np.svd cannot"), (lambda v: np.sum(v, where=A > 0), "F.sum"),
])
def test_the_rest_says_what_to_do(call, words):
    with pytest.raises(TypeError, match=words):
        call(Variable(A))


def test_functions_that_only_look_get_the_values():
    v = Variable(A)
    assert np.allclose(v, A) and np.array_equal(v, A) and np.shape(v) == (2, 2) and np.isfinite(v).all() and not np.any(np.isnan(v))
    assert isinstance(np.zeros_like(v), np.ndarray) and np.asarray(v) is not None and np.array_equal(np.asarray(v), A)
    np.testing.assert_allclose(v, A)
