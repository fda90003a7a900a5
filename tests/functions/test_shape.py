"""Shapes: what rows cannot say. Identity, accepted forms of arguments, errors."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError


@pytest.fixture
def x():
    return Variable(np.arange(24.0).reshape(2, 3, 4))


def test_unchanged_shape_gives_the_variable_itself(x):
    assert F.reshape(x, (2, 3, 4)) is x
    assert F.broadcast_to(x, (2, 3, 4)) is x
    assert F.sum_to(x, (2, 3, 4)) is x


def test_arrays_come_back_as_constant_variables(x):
    for y in (F.reshape(x.data, x.shape), F.broadcast_to(x.data, x.shape), F.sum_to(x.data, x.shape), F.transpose(x.data)):
        assert isinstance(y, Variable)
        assert not y.requires_grad


@pytest.mark.parametrize("shape", [24, np.int64(24), (24,), [24], (np.int64(24),), (-1,), -1, np.array([24])])
def test_reshape_takes_every_kind_of_shape(x, shape):
    assert F.reshape(x, shape).shape == (24,)


def test_methods_are_the_functions(x):
    assert x.reshape(4, 6).shape == x.reshape((4, 6)).shape == (4, 6)
    assert x.transpose(0, 2, 1).shape == x.transpose((0, 2, 1)).shape == x.swapaxes(1, 2).shape == x.mT.shape == (2, 4, 3)
    assert x.T.shape == x.transpose().shape == (4, 3, 2)
    assert x.expand_dims(-1).squeeze(-1).shape == x.shape
    assert x.flatten().shape == x.ravel().shape == (24,)
    assert x.repeat(2, 1).shape == (2, 6, 4)
    assert x.diagonal(0, 1, 2).shape == (2, 3)
    assert x.broadcast_to((5, 2, 3, 4)).shape == (5, 2, 3, 4)


def test_expand_dims_counts_negative_axes_in_the_result():
    assert F.expand_dims(np.zeros((2, 3)), -1).shape == (2, 3, 1)
    assert F.expand_dims(np.zeros((2, 3)), -2).shape == (2, 1, 3)


def test_flatten_keeps_samples():
    assert F.flatten(np.zeros((5, 2, 3))).shape == (5, 6)
    assert F.flatten(np.zeros((0, 2, 3))).shape == (0, 6)
    assert F.flatten(np.zeros(5)).shape == (5, 1)


@pytest.mark.parametrize(("call", "words"), [
    (lambda x: F.reshape(x, (5, 5)), r"reshape: x \(2, 3, 4\) float64: 24 elements do not fit the new shape \(5, 5\), which holds 25"),
    (lambda x: F.reshape(x, (5, -1)), r"24 elements do not divide into the new shape \(5, -1\)"),
    (lambda x: F.reshape(x, (-1, -1)), "more than one -1"),
    (lambda x: F.transpose(x, (0, 1)), r"transpose: x \(2, 3, 4\) float64: axes \(0, 1\) must name each of its 3 axes once"),
    (lambda x: F.transpose(x, (0, 1, 1)), "must name each of its 3 axes once"),
    (lambda x: F.swapaxes(x, 0, 3), r"swapaxes: axis 3 for an array of shape \(2, 3, 4\): it must lie in \[-3, 2\]"),
    (lambda x: F.moveaxis(x, (0, 1), 2), "must name equally many axes"),
    (lambda x: F.moveaxis(x, (0, 0), (1, 2)), "one axis is named twice"),
    (lambda x: F.expand_dims(x, 5), r"expand_dims: x .*axis 5: the result has 4 axes.*\[-4, 3\]"),
    (lambda x: F.squeeze(x, 1), "squeeze: x .*axis 1 must name axes of size 1"),
    (lambda x: F.broadcast_to(x, (2, 3, 5)), r"broadcast_to: x .*\(2, 3, 4\) cannot be broadcast to \(2, 3, 5\)"),
    (lambda x: F.sum_to(x, (5,)), r"sum_to: x .*the target shape \(5,\) must broadcast to \(2, 3, 4\)"),
    (lambda x: F.flip(x, 3), "flip: x"),
    (lambda x: F.roll(x, 1, 3), "roll: x"),
    (lambda x: F.diagonal(x[0, 0]), "diagonal: x .*it needs two axes"),
    (lambda x: F.diagonal(x, 0, 1, 1), "must be different ones"),
    (lambda x: F.tril(x[0, 0]), "tril: x .*at least two axes"),
    (lambda x: F.triu(x[0, 0]), "triu: x .*at least two axes"),
    (lambda x: F.concatenate([x, x[0]]), r"concatenate: xs\[0\] \(2, 3, 4\) float64 and xs\[1\] \(3, 4\) float64: the shapes must be equal"),
    (lambda x: F.concatenate([1.0, 2.0]), "use stack"),
    (lambda x: F.concatenate([]), "concatenate: a list or tuple of at least one array"),
    (lambda x: F.stack([x, x[0]]), r"stack: xs\[0\] .*the shapes must be equal: use concatenate"),
    (lambda x: F.stack([x, x], 5), r"axis 5 must lie in \[-4, 3\]"),
    (lambda x: F.split(x, 5), "split: x .*axis 0 of size 2 cannot be parted into 5 equal parts"),
    (lambda x: F.split(x, 0), "at least 1"),
    (lambda x: F.repeat(x, [1, 2, 3], 0), "3 repeats: one for all is needed, or 2"),
    (lambda x: F.repeat(x, -1), "must not be negative"),
    (lambda x: F.pad(x, (1, 2, 3)), r"pad: x \(2, 3, 4\) and pad_width \(1, 2, 3\)"),
    (lambda x: F.pad(x, -1), "must not be negative"),
    (lambda x: F.pad(np.zeros((0, 2)), 1, "edge"), "axis 0 is empty"),
])
def test_errors_say_what_would_be_right(x, call, words):
    with pytest.raises(ShapeError, match=words):
        call(x)


@pytest.mark.parametrize(("call", "error", "words"), [
    (lambda x: F.reshape(x, "ab"), TypeError, "reshape: shape is 'ab'"),
    (lambda x: F.concatenate(3.0), TypeError, "concatenate: a list or tuple of arrays is expected: 3.0 was given"),
    (lambda x: F.reshape(x, (2.0, 12)), TypeError, "an int or a tuple of ints"),
    (lambda x: F.pad(x, 1, "linear_ramp"), ValueError, "pad: mode 'linear_ramp' is unknown"),
])
def test_wrong_kinds_of_arguments(x, call, error, words):
    with pytest.raises(error, match=words):
        call(x)


def test_concat_is_concatenate():
    assert F.concat is F.concatenate


def test_joining_takes_variables_arrays_and_numbers_together():
    x = Variable(np.array([1.0, 2.0], np.float32))
    y = F.stack([x[0], 2.0, np.float32(3)])
    assert y.dtype == np.float32
    y.backward()
    np.testing.assert_array_equal(x.grad.data, [1, 0])


def test_split_and_concatenate_undo_each_other():
    x = Variable(np.random.default_rng(0).normal(size=(5, 3)))
    parts = F.split(x, [2, 3])
    assert [p.shape for p in parts] == [(2, 3), (1, 3), (2, 3)]
    y = F.concatenate(parts)
    y.backward()
    np.testing.assert_array_equal(y.data, x.data)
    np.testing.assert_array_equal(x.grad.data, np.ones((5, 3)))


def test_split_in_one_part_is_a_list_too():
    assert [p.shape for p in F.split(np.zeros((4, 2)), 1)] == [(4, 2)]


def test_only_the_gradient_of_variables_is_computed():
    x, y = Variable(np.ones(2)), Variable(np.ones(3), requires_grad=False)
    F.concatenate([y, x, np.ones(1)]).backward()
    assert y.grad is None
    assert x.grad.shape == (2,)


def test_results_of_diagonal_can_be_written_to(x):
    y = F.diagonal(x)
    y.data[...] = 0
    assert x.data[0, 0, 1] == 1
