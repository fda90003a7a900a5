"""Losses: the book's results, shapes that are refused, labels, safety far out."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import DTypeError, ShapeError

RNG = np.random.default_rng(0)
LABELS, BITS, SIGNS = np.array([1, 0, 2]), np.array([[0, 1, 1], [1, 0, 0], [0, 1, 0]]), np.array([[-1, 1, 1], [1, -1, -1], [-1, 1, -1]])
FAR = [[-1e4, 1e4, 0.0], [1e4, -1e4, 1e4], [-1e4, -1e4, -1e4]]
LOSSES = {
    "mean_squared_error": lambda x: F.mean_squared_error(x, 1.0),
    "mean_squared_error_simple": lambda x: F.mean_squared_error_simple(x, np.ones((3, 3), x.dtype)),
    "sum_squared_error": lambda x: F.sum_squared_error(x, 1.0),
    "mean_absolute_error": lambda x: F.mean_absolute_error(x, BITS),
    "huber": lambda x: F.huber(x, BITS),
    "softmax_cross_entropy": lambda x: F.softmax_cross_entropy(x, LABELS),
    "softmax_cross_entropy options": lambda x: F.softmax_cross_entropy(x, LABELS, [1.0, 2.0, 3.0], 2, 0.1),
    "softmax_cross_entropy probabilities": lambda x: F.softmax_cross_entropy(x, BITS / 2),
    "softmax_cross_entropy_simple": lambda x: F.softmax_cross_entropy_simple(x, LABELS),
    "nll_loss": lambda x: F.nll_loss(x, LABELS),
    "sigmoid_cross_entropy": lambda x: F.sigmoid_cross_entropy(x, BITS),
    "binary_cross_entropy": lambda x: F.binary_cross_entropy(F.sigmoid(x), BITS),
    "kl_div": lambda x: F.kl_div(x, BITS),
    "hinge": lambda x: F.hinge(x, SIGNS),
    "hinge classes": lambda x: F.hinge(x, LABELS),
    "cosine_similarity": lambda x: F.cosine_similarity(x, Variable(x.data[::-1].copy())),
}


def gradient(f: object, x: np.ndarray) -> np.ndarray:
    v = Variable(x)
    f(v).backward()
    return v.grad.data


@pytest.mark.parametrize("name", LOSSES)
def test_far_out_values_and_derivatives_are_finite(name: str) -> None:
    x = Variable(np.array(FAR, np.float32))
    y = LOSSES[name](x)
    y.backward(create_graph=True)
    first = x.grad
    assert y.dtype == first.dtype == np.float32
    assert np.isfinite(y.data).all()
    assert np.isfinite(first.data).all()
    if first.creator is not None:
        x.cleargrad()
        first.backward()
        assert x.grad is None or np.isfinite(x.grad.data).all()  # None for straight pieces


# -- the book's results -----------------------------------------------------------------------------


def test_mean_squared_error_divides_by_the_batch_size() -> None:
    x0, x1 = RNG.normal(size=(4, 3)), RNG.normal(size=(4, 3))
    np.testing.assert_allclose(F.mean_squared_error(x0, x1).data, ((x0 - x1) ** 2).sum() / 4)
    np.testing.assert_allclose(F.mean_squared_error_simple(x0, x1).data, ((x0 - x1) ** 2).sum() / 4)


@pytest.mark.parametrize("f", [F.mean_squared_error, F.sum_squared_error, F.mean_absolute_error, F.huber])
def test_a_column_and_a_row_are_refused(f: object) -> None:
    with pytest.raises(ShapeError, match=r"\(3, 1\) float64 and \w+ \(3,\) float64: .* same shape.*write \w+\.reshape\(3, 1\)"):
        f(Variable(np.zeros((3, 1))), np.zeros(3))
    with pytest.raises(ShapeError, match="same shape"):
        f(Variable(np.zeros((3, 2))), np.zeros(2))


def test_a_single_element_may_have_another_number_of_axes() -> None:
    x, t = Variable(np.array([[2.0]])), Variable(np.array([5.0]))
    y = F.mean_squared_error(x, t)
    y.backward()
    assert (y.item(), x.grad.tolist(), t.grad.tolist()) == (9.0, [[-6.0]], [6.0])


def test_cross_entropy_gradient_for_a_column_of_labels() -> None:
    x = RNG.normal(size=(3, 4))
    a, b = (gradient(lambda v, t=t: F.softmax_cross_entropy(v, t), x) for t in (LABELS, LABELS.reshape(3, 1)))
    assert a.shape == x.shape
    np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("t", [LABELS.astype(np.uint8), LABELS.astype(np.int32), Variable(LABELS), LABELS.astype(np.uint64),
                               Variable(LABELS.astype(np.uint8))], ids=["uint8", "int32", "Variable", "uint64", "uint8 Variable"])
def test_labels_of_any_integer_kind(t: object) -> None:
    x = RNG.normal(size=(3, 4)).astype(np.float32)
    for f in (F.softmax_cross_entropy, F.softmax_cross_entropy_simple, lambda x, t: F.softmax_cross_entropy(x, t, label_smoothing=0.1),
              lambda x, t: F.softmax_cross_entropy(x, t, ignore_index=2), F.nll_loss, F.hinge):
        np.testing.assert_array_equal(f(x, t).data, f(x, LABELS).data)
        g = gradient(lambda v, f=f: f(v, t), x)
        assert g.dtype == np.float32
        np.testing.assert_array_equal(g, gradient(lambda v, f=f: f(v, LABELS), x))


def test_bool_labels_are_two_classes() -> None:
    x = RNG.normal(size=(3, 2))
    t = np.array([True, False, True])
    np.testing.assert_array_equal(gradient(lambda v: F.softmax_cross_entropy(v, t), x),
                                  gradient(lambda v: F.softmax_cross_entropy(v, t.astype(int)), x))


def test_one_hot_labels() -> None:
    x = RNG.normal(size=(3, 4))
    for dtype in (int, np.float32, float):
        np.testing.assert_allclose(F.softmax_cross_entropy(x, np.eye(4, dtype=dtype)[LABELS]).data, F.softmax_cross_entropy(x, LABELS).data)


# -- labels and shapes that are refused ---------------------------------------------------------------


@pytest.mark.parametrize("f", [F.softmax_cross_entropy, F.softmax_cross_entropy_simple, F.nll_loss, F.hinge,
                               lambda x, t: F.softmax_cross_entropy(x, t, label_smoothing=0.1)])
@pytest.mark.parametrize("bad", [4, -1, 300])
def test_a_label_out_of_range_is_named(f: object, bad: int) -> None:
    with pytest.raises(IndexError, match=f"label {bad} .*out of range: with C = 4 classes the labels are 0 to 3"):
        f(Variable(np.zeros((3, 4))), np.array([0, bad, 1]))


def test_a_negative_label_tells_of_ignore_index() -> None:
    with pytest.raises(IndexError, match="ignore_index=-100"):
        F.softmax_cross_entropy(np.zeros((2, 4)), np.array([0, -100]))


def test_other_labels_than_the_ignored_are_checked() -> None:
    with pytest.raises(IndexError, match="label 7 "):
        F.softmax_cross_entropy(np.zeros((3, 4)), np.array([0, -1, 7]), ignore_index=-1)


def test_float_labels_are_refused() -> None:
    with pytest.raises(DTypeError, match=r"softmax_cross_entropy: t \(3,\) float64: labels must be integers; write t.astype\(int\)"):
        F.softmax_cross_entropy(np.zeros((3, 4)), np.array([0.0, 1.0, 2.0]))


@pytest.mark.parametrize(("x", "t", "message"), [
    ((4,), (4,), r"scores \(N, C\) are expected; for one sample write x.reshape\(1, -1\)"),
    ((3, 4), (4,), r"labels of shape \(3,\) are expected, or probabilities of shape \(3, 4\)"),
    ((3, 4, 5), (3,), r"labels of shape \(3, 5\) are expected")])
def test_shapes_that_do_not_fit(x: tuple[int, ...], t: tuple[int, ...], message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        F.softmax_cross_entropy(np.zeros(x), np.zeros(t, int))


@pytest.mark.parametrize("f", [F.mean_squared_error, F.huber, F.mean_absolute_error, F.softmax_cross_entropy, F.nll_loss, F.sigmoid_cross_entropy,
                               F.binary_cross_entropy, F.kl_div, F.hinge])
def test_unknown_reduction(f: object) -> None:
    with pytest.raises(ValueError, match=f"{f.__name__}: reduction is 'average': it must be one of mean, sum, none"):
        f(np.zeros((3, 3)), np.zeros((3, 3)), reduction="average")


def test_class_weights_of_the_wrong_number() -> None:
    with pytest.raises(ShapeError, match="class_weight has shape \\(2,\\): one weight for each of the 4 classes"):
        F.softmax_cross_entropy(np.zeros((3, 4)), LABELS, class_weight=[1.0, 2.0])


def test_binary_cross_entropy_refuses_scores() -> None:
    with pytest.raises(ValueError, match="probabilities in \\[0, 1\\]; for scores use F.sigmoid_cross_entropy"):
        F.binary_cross_entropy(np.array([0.5, 3.0]), np.array([1, 0]))


def test_kl_div_refuses_swapped_inputs() -> None:
    with pytest.raises(ValueError, match="log_q comes first"):
        F.kl_div(np.array([0.5, 0.5]), np.log(np.array([0.5, 0.5])))


def test_hinge_refuses_labels_0_and_1() -> None:
    with pytest.raises(ValueError, match=r"2 \* t - 1"):
        F.hinge(np.zeros(3), np.array([0, 1, 1]))


# -- safety and meaning ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("x", "t", "loss", "slope"), [
    (1e4, 1, 0.0, 0.0), (-1e4, 0, 0.0, 0.0), (1e4, 0, 1e4, 1.0), (-1e4, 1, 1e4, -1.0), (40.0, 1, 0.0, 0.0)])
def test_sigmoid_cross_entropy_of_confident_scores(x: float, t: int, loss: float, slope: float) -> None:
    v = Variable(np.float32([x]))
    y = F.sigmoid_cross_entropy(v, np.array([t]))
    y.backward()
    np.testing.assert_allclose([y.item(), v.grad.data[0]], [loss, slope], atol=1e-12)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_binary_cross_entropy_at_its_ends_is_even_and_alive(dtype: type) -> None:
    p = Variable(np.array([0.0, 1.0, 0.0, 1.0], dtype))
    y = F.binary_cross_entropy(p, np.array([1, 0, 0, 1]), reduction="none")
    y.grad = Variable(np.ones(4, dtype))
    y.backward()
    eps = float(np.finfo(dtype).eps)
    np.testing.assert_allclose(y.data, [-np.log(eps), -np.log(eps), eps, eps], rtol=1e-2)
    np.testing.assert_allclose(p.grad.data, [-1 / eps, 1 / eps, 1, -1], rtol=1e-2)


def test_confident_wrong_scores_keep_their_gradient() -> None:
    x = np.float32([[200.0, 0.0]])
    for f in (F.softmax_cross_entropy, F.softmax_cross_entropy_simple):
        assert f(x, np.array([1])).item() == 200.0
        np.testing.assert_allclose(gradient(lambda v, f=f: f(v, np.array([1])), x), [[1.0, -1.0]])


def test_nothing_left_to_count_is_a_loss_of_zero() -> None:
    x = np.ones((2, 3), np.float32)
    for f in (F.softmax_cross_entropy, F.nll_loss):
        assert f(x, np.array([-1, -1]), ignore_index=-1).item() == 0.0
        assert not gradient(lambda v, f=f: f(v, np.array([-1, -1]), ignore_index=-1), x).any()


def test_ignored_rows_have_no_gradient() -> None:
    g = gradient(lambda v: F.softmax_cross_entropy(v, np.array([1, 255, 0], np.uint8), ignore_index=255), RNG.normal(size=(3, 4)))
    assert not g[1].any()
    assert g[[0, 2]].any(1).all()


def test_an_empty_batch_gives_zero() -> None:
    x, t = Variable(np.zeros((0, 3), np.float32)), np.zeros(0, int)
    for f in (F.softmax_cross_entropy, F.nll_loss, lambda x, t: F.softmax_cross_entropy(x, t, label_smoothing=0.1)):
        y = f(x, t)
        y.backward()
        assert y.item() == 0.0
        assert x.grad.shape == (0, 3)


def test_gradients_of_cross_entropy_sum_to_zero_in_each_row() -> None:
    x = RNG.normal(size=(5, 7)).astype(np.float32) * 10
    for options in ({}, {"label_smoothing": 0.2}, {"class_weight": RNG.uniform(0.1, 2, 7)}, {"reduction": "sum"}):
        g = gradient(lambda v, options=options: F.softmax_cross_entropy(v, np.arange(5), **options), x)
        np.testing.assert_allclose(g.sum(1), 0, atol=1e-5)


def test_column_major_scores() -> None:
    x = np.asfortranarray(RNG.normal(size=(3, 4)))
    np.testing.assert_allclose(gradient(lambda v: F.softmax_cross_entropy(v, LABELS), x),
                               gradient(lambda v: F.softmax_cross_entropy(v, LABELS), np.ascontiguousarray(x)), rtol=1e-13)


def test_backward_twice_gives_the_same() -> None:
    x = Variable(RNG.normal(size=(3, 4)))
    y = F.softmax_cross_entropy(x, LABELS)
    y.backward(retain_graph=True)
    first = x.grad.data.copy()
    x.cleargrad()
    y.backward()
    np.testing.assert_array_equal(x.grad.data, first)


def test_targets_take_the_dtype_of_the_predictions() -> None:
    x, t = np.ones((3, 1), np.float32), np.zeros((3, 1))
    for f in (F.mean_squared_error, F.mean_absolute_error, F.huber, F.sum_squared_error, F.sigmoid_cross_entropy, F.binary_cross_entropy, F.kl_div):
        assert f(Variable(x), t).dtype == np.float32, f.__name__
        assert f(Variable(x), t.astype(int)).dtype == np.float32, f.__name__
    assert F.mean_squared_error(t, Variable(x)).dtype == np.float32


def test_half_precision_sums_do_not_overflow() -> None:
    x = np.full((1000, 10), 10, np.float16)
    assert F.mean_squared_error(x, np.zeros_like(x)).item() == 1000.0
    assert F.mean_absolute_error(x, np.zeros_like(x)).item() == 10.0
    assert F.softmax_cross_entropy(x, np.zeros(1000, int)).item() == pytest.approx(np.log(10), rel=1e-3)


def test_a_zero_vector_has_a_finite_cosine_gradient() -> None:
    g = gradient(lambda v: F.cosine_similarity(v, np.ones(3, np.float32)), np.zeros(3, np.float32))
    assert np.isfinite(g).all()


@pytest.mark.parametrize("delta", [0.0, -1.0])
def test_huber_needs_a_positive_delta(delta: float) -> None:
    with pytest.raises(ValueError, match="huber: delta is"):
        F.huber(np.ones(2), np.ones(2), delta=delta)


def test_conventions_at_kinks() -> None:
    assert gradient(lambda v: F.mean_absolute_error(v, np.array([1.0])), np.array([1.0])).tolist() == [0.0]
    assert gradient(lambda v: F.hinge(v, np.array([1])), np.array([1.0])).tolist() == [0.0]


@pytest.mark.torch
@pytest.mark.parametrize("options", [{}, {"label_smoothing": 0.1}, {"ignore_index": 2}, {"class_weight": [0.5, 2.0, 1.0, 3.0]}, {"reduction": "none"},
                                     {"label_smoothing": 0.3, "ignore_index": 0, "class_weight": [0.5, 2.0, 1.0, 3.0]},
                                     {"label_smoothing": 0.3, "class_weight": [0.5, 2.0, 1.0, 3.0], "reduction": "sum"}])
@pytest.mark.parametrize("shape", [(5, 4), (3, 4, 2)])
@pytest.mark.parametrize("kind", ["labels", "probabilities"])
def test_cross_entropy_as_pytorch(options: dict[str, object], shape: tuple[int, ...], kind: str) -> None:
    import torch
    rng = np.random.default_rng(1)
    x = rng.normal(size=shape)
    t = rng.integers(0, 4, (shape[0], *shape[2:])) if kind == "labels" else rng.dirichlet(np.ones(4), (shape[0], *shape[2:])).reshape(shape[0], -1, 4)
    if kind == "probabilities":
        t = np.moveaxis(t, -1, 1).reshape(shape)
        if "ignore_index" in options:
            pytest.skip("PyTorch refuses it")
    theirs = dict(options)
    if "class_weight" in theirs:
        theirs["weight"] = torch.tensor(theirs.pop("class_weight"), dtype=torch.float64)
    u = torch.tensor(x, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(u, torch.tensor(t), **theirs)
    expected.sum().backward()
    v = Variable(x)
    y = F.softmax_cross_entropy(v, t, **options)
    y.backward()
    np.testing.assert_allclose(y.data, expected.detach().numpy(), rtol=1e-9)
    np.testing.assert_allclose(v.grad.data, u.grad.numpy(), rtol=1e-7, atol=1e-12)
