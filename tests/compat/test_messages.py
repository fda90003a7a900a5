"""What a learner reads after a mistake: what was given, what is expected, what to do; no bare message of NumPy, no error from inside."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Function, Variable, utils
from dezero.errors import DTypeError, InputTypeError, RangeError, ShapeError, UntrackedError
from tests.cases import CASES
from tests.cases.case import Floats

A = np.ones


def V(*shape: int, dtype: Any = float) -> Variable:
    return Variable(A(shape, dtype))


def V32(*shape: int) -> Variable:
    return V(*shape, dtype=np.float32)


I3 = np.array([0, 1, 2])

MESSAGES: list[tuple[str, Callable[[], Any], type[Exception], str]] = [
    # lists, strings and None in place of arrays
    ("list", lambda: F.exp([1.0, 2.0]), InputTypeError,
     "exp: an input is a list: Variables, arrays and numbers are expected; write np.array([...]) around it"),
    ("list operand", lambda: V(3) * [1, 2, 3], InputTypeError,
     "mul: an input is a list: Variables, arrays and numbers are expected; write np.array([...]) around it"),
    ("labels in a list", lambda: F.softmax_cross_entropy(V(3, 4), [0, 1, 2]), InputTypeError,
     "softmax_cross_entropy: t is a list: a Variable, an array or a number is expected; write np.array([...]) around it"),
    ("string", lambda: F.dropout("x"), InputTypeError, "dropout: x is a str: a Variable, an array or a number is expected"),
    ("None", lambda: F.mean_squared_error(V(3), None), InputTypeError,
     "mean_squared_error: x0 (3,) float64: x1: None was given; a Variable, an array or a number is expected"),
    ("a Variable without data", lambda: F.matmul(Variable(None), V(3)), InputTypeError, "matmul: b (3,) float64: a: None was given"),
    ("texts in an array", lambda: F.accuracy(V(3, 4), np.array(["a", "b", "c"])), InputTypeError,
     "accuracy: t (3,) <U1: an array of numbers is expected; build it with np.array(..., dtype=float)"),
    ("objects in an array", lambda: F.exp(np.array([1, None])), DTypeError,
     "exp: x (2,) object: arrays of numbers are needed; build them with np.array(..., dtype=float)"),
    ("a number as a Variable", lambda: Variable(1.0), TypeError,
     "Variable: float is not supported: a NumPy or CuPy array (or None) is expected; write Variable(np.array(1.0))"),
    ("arrays not in a list", lambda: F.concatenate(V(3), V(3)), TypeError,
     "concatenate: axis is (3,) float64: an int is expected; put the arrays into one list, concatenate([a, b])"),
    ("a list in the list", lambda: F.stack([V(1), [2.0]]), InputTypeError, "stack: xs[1] is a list: "),
    # shapes
    ("broadcast", lambda: V(2, 3) * V(4), ShapeError,
     "mul: a (2, 3) float64 and b (4,) float64: the shapes must be equal, or each axis, counted from the last, equal or 1"),
    ("product", lambda: F.matmul(V32(32, 784), V32(1000, 10)), ShapeError,
     "matmul: a (32, 784) float32 and b (1000, 10) float32: a.shape[-1] must equal b.shape[-2]"),
    ("product with a number", lambda: V(3) @ 2, ShapeError, "matrices and vectors are expected, at least 1-d; use a * b for a number"),
    ("linear", lambda: F.linear(V(5, 3), V(4, 2)), ShapeError,
     "linear: x (5, 3) float64 and W (4, 2) float64: x.shape[-1] must equal W.shape[0]: W is (in, out)"),
    ("bias", lambda: F.linear(V(1, 3), V(3, 2), V32(5, 2)), ShapeError, "b must be (2,), one number for each column of W"),
    ("reshape", lambda: F.reshape(V(2, 3), (4, 2)), ShapeError,
     "reshape: x (2, 3) float64: 6 elements do not fit the new shape (4, 2), which holds 8"),
    ("reshape by -2", lambda: V(2, 3).reshape(-2, 3), ShapeError, "only -1 may stand for a size that follows from the others"),
    ("loss of a column", lambda: F.mean_squared_error(V(3, 1), V(3)), ShapeError,
     "x0 and x1 must have the same shape, or they would be broadcast to one another; write x1.reshape(3, 1)"),
    ("one sample", lambda: F.softmax_cross_entropy(V(3), np.array([0])), ShapeError,
     "softmax_cross_entropy: x (3,) float64: scores (N, C) are expected; for one sample write x.reshape(1, -1)"),
    ("labels of another batch", lambda: F.softmax_cross_entropy(V(3, 4), np.array([0, 1])), ShapeError,
     "x (3, 4) float64 and t (2,) int64: labels of shape (3,) are expected, or probabilities of shape (3, 4)"),
    ("image without a batch", lambda: F.conv2d(V(3, 8, 8), V(4, 3, 3, 3)), ShapeError,
     "x must be (N, C, H, W), it has 3 axes: add the batch axis with x[None]"),
    ("channels", lambda: F.conv2d(V(1, 3, 8, 8), V(4, 2, 3, 3)), ShapeError, "x has 3 channels, W wants 2"),
    ("stride as the bias", lambda: F.conv2d(V(1, 3, 8, 8), V(4, 3, 3, 3), 2), ShapeError,
     "b has shape (), it must be (4,); name stride and pad: stride=1, pad=0"),
    ("kernel too large", lambda: F.pooling(V(1, 1, 4, 4), 5), ShapeError,
     "the output would be empty: input size 4, kernel size 5, stride 1, pad 0; input size + 2 pad must be at least the kernel size"),
    ("statistics", lambda: F.batch_nrom(V(2, 3), V(3), V(3), 0.0, 1.0), InputTypeError, "batch_norm: running mean is 0.0: a float array (C,)"),
    ("accuracy", lambda: F.accuracy(V(3, 4), np.array([0, 1])), ShapeError,
     "accuracy: y (3, 4) float64 and t (2,) int64: y must be scores (N, C) for labels t (N,)"),
    # axes, indices, parameters
    ("axis", lambda: F.sum(V(2, 3), axis=2), ShapeError, "sum: x (2, 3) float64: axis 2 is out of range: x has the axes -2 to 1"),
    ("axis of a softmax", lambda: F.softmax(V(3)), ShapeError,
     "softmax: x (3,) float64: x has no axis 1: pass axis=-1 for the last axis or axis=0 to 0"),
    ("axis of the simple twin", lambda: F.softmax_simple(V(3)), ShapeError, "softmax_simple: x (3,) float64: axis 1 is out of range"),
    ("axis by name", lambda: F.mean(V(2, 3), axis="rows"), DTypeError, "axis must be an int, a tuple of ints or None: 'rows' was given"),
    ("max of two", lambda: F.max(V(3), V(3)), DTypeError, "for the larger or smaller of two arrays use F.maximum and F.minimum"),
    ("a new axis too far", lambda: F.expand_dims(V(2, 3), 4), ShapeError, "axis 4: the result has 3 axes, so each new one must be a"),
    ("float index", lambda: V(3)[1.0], IndexError, "get_item: x (3,) float64: an index is 1.0: only integers, slices, None, ..., and"),
    ("float array as an index", lambda: V(3)[V(3)], IndexError,
     "an index is of float64: it must be of integers or bools; use i.astype(int), or x > 0 for a mask"),
    ("assignment", lambda: V(3).__setitem__(0, 1.0), TypeError, "write y = F.index_set(x, index, value)"),
    ("ids after the table", lambda: F.embed_id(V(3, 2), I3), DTypeError, "the ids come first, then the table"),
    ("ratio", lambda: F.dropout(V(3), 1.5), ValueError, "dropout: dropout_ratio is 1.5: it must be in [0, 1]"),
    ("ratio as text", lambda: F.dropout(V(3), "half"), TypeError, "dropout: dropout_ratio is 'half': a number is expected"),
    ("slope", lambda: F.leaky_relu(V(3), A(3)), TypeError, "leaky_relu: slope is (3,) float64: a number is expected"),
    ("pad", lambda: F.conv2d(V(1, 3, 8, 8), V(4, 3, 3, 3), pad="same"), TypeError,
     "conv2d: pad is 'same': an integer or a pair of integers is expected"),
    ("reduction", lambda: F.mean_squared_error(V(3), V(3), reduction="avg"), ValueError,
     "mean_squared_error: reduction is 'avg': it must be one of mean, sum, none"),
    # values and dtypes
    ("label out of range", lambda: F.softmax_cross_entropy(V(3, 4), np.array([0, 1, 4])), IndexError,
     "label 4 in t is out of range: with C = 4 classes the labels are 0 to 3"),
    ("labels of floats", lambda: F.softmax_cross_entropy(V(3, 4), A(3)), DTypeError,
     "softmax_cross_entropy: t (3,) float64: labels must be integers; write t.astype(int)"),
    ("scores as probabilities", lambda: F.binary_cross_entropy(V(2) * 3, np.array([1, 0])), RangeError,
     "p must be probabilities in [0, 1]; for scores use F.sigmoid_cross_entropy"),
    ("labels -1 and 1", lambda: F.sigmoid_cross_entropy(V(2), np.array([-1, 1])), RangeError, "from labels -1 and 1 write (t + 1) / 2"),
    ("integer to a negative power", lambda: Variable(I3) ** -1, DTypeError,
     "pow: x (3,) int64: integers have no negative powers: use x.astype(np.float32)"),
    ("singular", lambda: F.inv(A((2, 2))), np.linalg.LinAlgError, "inv: a (2, 2) float64: a is singular, it has no inverse"),
    ("mean of nothing", lambda: F.mean(V(0)), ShapeError, "mean: x (0,) float64: there is no mean of no elements"),
    # gradients
    ("leaf", lambda: V(3).backward(), UntrackedError, "because it is a leaf, data that you made; call backward on a result"),
    ("two numbers from three", lambda: float(V(3)), ValueError, "only one element makes a number; take one by index, or sum() or mean()"),
    ("grad of a number", lambda: dezero.grad(2.0, V(3)), InputTypeError, "grad: ys is a float: a Variable, or a list of them, is expected"),
    ("sum_to of a list", lambda: utils.sum_to([1, 2], (1,)), InputTypeError, "sum_to: x is a list"),
    ("numerical gradient of integers", lambda: utils.numerical_grad(F.sin, I3), InputTypeError, "a derivative needs floats; use x.astype"),
]


@pytest.mark.parametrize(("call", "error", "words"), [pytest.param(*row[1:], id=row[0]) for row in MESSAGES])
def test_message(call: Callable[[], Any], error: type[Exception], words: str) -> None:
    with pytest.raises(error) as caught:
        call()
    assert words in str(caught.value)
    assert type(caught.value) is error or error in (TypeError, ValueError), "an error of the kind that the mistake has"


class NothingBack(Function):
    def forward(self, x): return x * 2
    def backward(self, gy): gy * 2


class TextBack(NothingBack):
    def backward(self, gy): return "twice"


class OneForTwo(Function):
    def forward(self, a, b): return a * b
    def backward(self, gy): return gy


class VariableOut(Function):
    def forward(self, x): return Variable(x)


class Unwritten(Function):
    pass


@pytest.mark.parametrize(("run", "words"), [
    (lambda: NothingBack()(V(3)).backward(), "NothingBack.backward returned nothing: return the gradient of the input"),
    (lambda: TextBack()(V(3)).backward(), "TextBack.backward returned a str for x: a Variable is expected"),
    (lambda: OneForTwo()(V(3), V(3)).backward(), "OneForTwo.backward returned 1 gradients for 2 inputs: return one for each input"),
    (lambda: VariableOut()(V(3)), "VariableOut.forward returned Variable: it must return an array, or a tuple of arrays; forward works on arrays"),
    (lambda: Unwritten()(V(3)), "Unwritten has no forward: define forward(self, x) that takes arrays and returns an array"),
])
def test_mistakes_in_own_functions(run: Callable[[], Any], words: str) -> None:
    with pytest.raises((TypeError, NotImplementedError)) as caught:
        run()
    assert words in str(caught.value)


WRONG: dict[str, Any] = {
    "text": "a", "None": None, "list": [1.0, 2.0], "dict": {}, "array of texts": np.array(["a"]), "array of objects": np.array([1, None]),
    "Variable without data": Variable(None), "number": 3, "0-d": np.array(2.0), "empty": A(0), "many axes": A((7, 5, 3, 2, 1)), "floats": A((2, 3)),
    "integers": np.arange(6).reshape(2, 3), "bools": np.array([True, False]),
}
# Words of Python and NumPy that tell of an inside, not of a mistake.
FOREIGN = ("has no attribute", "ufunc", "unsupported operand", "not supported between", "cannot be interpreted", "object is not", "not subscriptable",
           "could not be broadcast", "cannot reshape", "setting an array element", "must be real number", "invalid literal", "could not convert")
NAMES = sorted({case.name for case in CASES})


@pytest.mark.seeds
@pytest.mark.filterwarnings("ignore")  # of values that no maths is defined for: inf and NaN come out
@pytest.mark.parametrize("name", NAMES)
def test_every_input_replaced_by_something_wrong(name: str) -> None:
    """Each row of the table of ops, with one input at a time replaced: it works, or says in our words what is wrong."""
    for case in (case for case in CASES if case.name == name):
        call = case.call or (lambda F, *xs: getattr(F, name)(*xs))
        drawn = [i.draw(np.random.default_rng(0)) for i in case.inputs]
        inputs = [Variable(x) if isinstance(i, Floats) else x for x, i in zip(drawn, case.inputs, strict=True)]
        for i in range(len(inputs)):
            for kind, wrong in WRONG.items():
                np.random.seed(0)
                try:
                    call(F, *inputs[:i], wrong, *inputs[i + 1:])
                except Exception as error:
                    if "tests" in traceback.extract_tb(error.__traceback__)[-1].filename:
                        continue  # the row's own lambda takes no such thing
                    text = f"{name} {case.label}, input {i}, {kind}: {type(error).__name__}: {error}"
                    assert isinstance(error, (TypeError, ValueError, IndexError)) and not any(words in str(error) for words in FOREIGN), text


@pytest.mark.parametrize("name", sorted(set(F.__all__)))
def test_one_wrong_input_alone(name: str) -> None:
    for kind in ("text", "None", "list", "dict", "array of texts", "Variable without data"):
        try:
            getattr(F, name)(WRONG[kind])
        except (TypeError, ValueError, IndexError) as error:
            assert ":" in str(error) or "missing" in str(error), f"{name}, {kind}: {error}"
            assert not any(words in str(error) for words in FOREIGN), f"{name}, {kind}: {error}"


@pytest.mark.parametrize("f", [F.index_add, F.index_set, lambda x, index, value: x[index]])
@pytest.mark.parametrize("index", [(np.array([0]), np.array([5])), (np.array([0]), np.array([-5])), (np.array([-4, 0]),), np.array([0.5, 1.7]),
                                   (np.array([2]), np.array([4])), ([0, 1], [0, 1, 2]), (0, 0, 0), 3, "a"])
def test_no_index_is_taken_for_another(f: Any, index: Any) -> None:
    with pytest.raises(IndexError):
        f(V(3, 4), index, 1.0)
