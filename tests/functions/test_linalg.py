"""Linear algebra: what rows cannot say. Errors, kinds of inputs, half precision, hard cases."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.errors import ShapeError

Z = np.zeros


@pytest.mark.parametrize(("call", "words"), [
    (lambda: F.matmul(Z((32, 784), np.float32), Z((1000, 10), np.float32)),
     r"^matmul: a \(32, 784\) float32 and b \(1000, 10\) float32: a\.shape\[-1\] must equal b\.shape\[-2\]$"),
    (lambda: Variable(Z((2, 3))) @ Z((4,)), r"a\.shape\[-1\] must equal b\.shape\[-1\]"),
    (lambda: F.matmul(Z((5, 2, 3)), Z((4, 2))), r"a\.shape\[-1\] must equal b\.shape\[-2\]"),
    (lambda: F.matmul(Z((2, 2, 3)), Z((3, 3, 2))), r"the axes before the matrices, \(2,\) and \(3,\), must broadcast"),
    (lambda: Variable(Z((2, 3))) @ 2.0, r"use a \* b for a number"),
    (lambda: F.linear(Z((2, 3)), Z((4, 5))), r"linear: x \(2, 3\) float64 and W \(4, 5\) float64: x\.shape\[-1\] must equal W\.shape\[0\]"),
    (lambda: F.linear(Z((2, 3)), Z((3, 5)), Z(4)), r"b must be \(5,\)"),
    (lambda: F.linear(Z((2, 3)), Z(3)), "W must be 2-d"),
    (lambda: F.linear(Z(()), Z((3, 3))), "x at least 1-d"),
    (lambda: F.dot(Z((2, 2, 3)), Z((2, 2, 3))), "tensordot"),
    (lambda: F.tensordot(Z((2, 3)), Z((2, 3)), 1), r"axes \(1,\) of a and axes \(0,\) of b must be equally many, of equal sizes"),
    (lambda: F.tensordot(Z((2, 3)), Z((2, 3)), 3), "axes=3 must lie between 0 and 2"),
    (lambda: F.tensordot(Z((2, 3)), Z((2, 3)), ((0, 5), (0, 1))), "axis 5"),
    (lambda: F.inv(Z((2, 3))), r"inv: a \(2, 3\) float64: a must be a square matrix"),
    (lambda: F.det(Z(3)), r"det: a \(3,\) float64: a must be a square matrix"),
    (lambda: F.solve(np.eye(3), Z((2, 2))), "solve: .*b must have 3 rows"),
    (lambda: F.solve(np.eye(3), Z(2)), "b must have 3 rows"),
    (lambda: F.trace(Z(3)), "it needs two axes"),
    (lambda: F.einsum("ij,jk", Z((2, 3)), Z((4, 2))), r"einsum: label 'j' has size 4 in operand 1, of shape \(4, 2\), and 3 before"),
    (lambda: F.einsum("ij,jk", Z((2, 3))), "names 2 operands and 1 are given"),
    (lambda: F.einsum("ijk", Z((2, 3))), r"operand 0 has shape \(2, 3\), and 'ijk' .*names 3 axes"),
    (lambda: F.einsum("i", Z((2, 3))), "names 1 axes"),
    (lambda: F.einsum("...ijk", Z((2, 3))), "names 3 axes"),
    (lambda: F.einsum("ii", Z((2, 3))), "label 'i' has size 3 in operand 0"),
    (lambda: F.einsum("ii", Z((1, 3))), "label 'i' stands for sizes 1 and 3"),
])
def test_shapes_that_do_not_fit(call, words):
    with pytest.raises(ShapeError, match=words):
        call()


@pytest.mark.parametrize(("subscripts", "words"), [
    ("ij->ii", "label 'i' stands twice in the result"),
    ("ij->ik", "label 'k' of the result is in no operand"),
    ("i.j->i", "letters are expected"),
    ("...j->j", "has '...' in an operand and none in the result"),
])
def test_subscripts_that_make_no_sense(subscripts, words):
    with pytest.raises(ValueError, match=words):
        F.einsum(subscripts, Z((2, 3)))


def test_einsum_needs_text():
    with pytest.raises(TypeError, match="a string as"):
        F.einsum(Z((2, 3)), [0, 1])


def test_singular_matrices_are_named_as_such():
    for call in (F.inv, lambda a: F.solve(a, np.ones(2))):
        with pytest.raises(np.linalg.LinAlgError, match=r"\(2, 2\) float64.*[Ss]ingular"):
            call(np.ones((2, 2)))
    with pytest.raises(np.linalg.LinAlgError, match="cholesky: .*not positive definite"):
        F.cholesky(-np.eye(2))


def test_square_matrix_times_vector_has_gradients_of_the_right_shape():
    a, b = Variable(np.arange(9.0).reshape(3, 3)), Variable(np.array([1.0, 2.0, 3.0]))
    F.matmul(a, b).backward()
    np.testing.assert_array_equal(a.grad.data, [[1, 2, 3]] * 3)
    np.testing.assert_array_equal(b.grad.data, a.data.sum(0))


def test_operators_and_methods():
    a = Variable(np.arange(4.0).reshape(2, 2))
    for y in (a @ np.eye(2), np.eye(2) @ a, a.matmul(np.eye(2)), a.dot(np.eye(2)), F.matmul(x=a, W=np.eye(2))):
        np.testing.assert_array_equal(y.data, a.data)
    assert a.trace().item() == 3
    assert a.trace(1).item() == 1


def test_dot_with_a_number_keeps_float32():
    x = Variable(np.ones(3, np.float32))
    assert F.dot(2.0, x).dtype == F.dot(x, 2.0).dtype == np.float32
    F.dot(2.0, x).backward()
    np.testing.assert_array_equal(x.grad.data, [2, 2, 2])


def test_linear_of_mixed_kinds():
    ints = np.ones((2, 3), np.int64)
    y = F.linear(ints, np.ones((3, 2), np.int64), np.array([0.5, 0.5]))
    np.testing.assert_array_equal(y.data, [[3.5, 3.5]] * 2)
    W, b = Parameter(np.ones((3, 2), np.float32)), Parameter(np.zeros(2, np.float32))
    y = F.linear(np.ones((2, 3), np.float32), W, b)
    assert y.dtype == np.float32
    y.backward()
    assert W.grad.dtype == b.grad.dtype == np.float32


def test_linear_is_one_node_and_changes_no_input():
    x, W, b = np.ones((2, 3)), Variable(np.ones((3, 2))), Variable(np.ones(2))
    y = F.linear(x, W, b)
    assert type(y.creator).__name__ == "Linear"
    np.testing.assert_array_equal(b.data, [1, 1])
    np.testing.assert_array_equal(y.data, F.linear_simple(x, W, b).data)


def test_gradient_of_the_bias_in_float16_is_summed_in_float32():
    b = Variable(np.zeros(3, np.float16))
    F.linear(np.zeros((4000, 2), np.float16), np.zeros((2, 3), np.float16), b).backward()
    np.testing.assert_array_equal(b.grad.data, [4000] * 3)


def test_slogdet_where_det_overflows():
    a = Variable(np.eye(50) * -1e10)
    sign, logdet = F.slogdet(a)
    assert sign.item() == 1
    assert not sign.requires_grad
    np.testing.assert_allclose(logdet.item(), 50 * np.log(1e10))
    logdet.backward()
    np.testing.assert_allclose(a.grad.data, np.eye(50) * -1e-10)


def test_det_of_a_singular_matrix_has_a_gradient():
    a = Variable(np.array([[[1.0, 2.0], [2.0, 4.0]], [[1.0, 0.0], [0.0, 2.0]]]))
    F.det(a).backward()
    np.testing.assert_allclose(a.grad.data, [[[4, -2], [-2, 1]], [[2, 0], [0, 1]]], atol=1e-12)


def test_det_of_zeros_has_a_gradient_of_zeros():
    a = Variable(np.zeros((3, 3)))
    F.det(a).backward()
    np.testing.assert_array_equal(a.grad.data, np.zeros((3, 3)))


def test_gradient_of_cholesky_is_symmetric():
    a = Variable(np.array([[4.0, 2.0], [2.0, 5.0]]))
    F.cholesky(a).backward()
    np.testing.assert_allclose(a.grad.data, a.grad.data.T)


@pytest.mark.parametrize("subscripts", ["bhqd,bhkd->bhqk", "bhqd,bhkd", "abcd,efgd->abcefg", "abcd,dbca->", "abab,acbd->cd"])
def test_large_contractions_agree_with_numpy(subscripts):
    rng = np.random.default_rng(0)
    terms = subscripts.split("->")[0].split(",")
    size = {c: 2 + i for i, c in enumerate(sorted(set("".join(terms))))}
    xs = [rng.normal(size=[size[c] for c in t]) for t in terms]
    np.testing.assert_allclose(F.einsum(subscripts, *xs).data, np.einsum(subscripts, *xs), rtol=1e-10, atol=1e-10)


@pytest.mark.torch
def test_cholesky_and_solve_as_in_torch():
    import torch

    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 4, 4)), rng.normal(size=(2, 4, 3))
    a = a @ a.swapaxes(1, 2) + np.eye(4)
    ours = [Variable(a), Variable(b)]
    theirs = [torch.tensor(v, requires_grad=True) for v in (a, b)]
    (F.cholesky(ours[0]).sum() + (F.solve(*ours) ** 2).sum()).backward()
    (torch.linalg.cholesky(theirs[0]).sum() + (torch.linalg.solve(*theirs) ** 2).sum()).backward()
    for x, t in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(x.grad.data, t.grad.numpy(), rtol=1e-8, atol=1e-10)
