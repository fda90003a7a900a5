"""Normalisation: running statistics, batches of one, modes, large values, errors, and PyTorch as a second oracle."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, no_grad, test_mode
from dezero.backend import kernels_of
from dezero.backend.kernels import REFERENCE
from dezero.errors import ShapeError

rng = np.random.default_rng(0)


def draw(*shape, dtype=np.float64):
    return rng.normal(size=shape).astype(dtype)


def stats(C, dtype=np.float64):
    return np.zeros(C, dtype), np.ones(C, dtype)


class TestRunningStatistics:
    def test_train_mode_moves_them_in_place_with_the_unbiased_variance(self):
        x, (mean, var) = draw(6, 3) + 2, stats(3)
        F.batch_norm(x, np.ones(3), np.zeros(3), mean, var)
        np.testing.assert_allclose(mean, 0.1 * x.mean(0))
        np.testing.assert_allclose(var, 0.9 + 0.1 * x.var(0, ddof=1))

    def test_images_count_every_place(self):
        x, (mean, var) = draw(2, 3, 4, 5), stats(3)
        F.batch_norm(x, None, None, mean, var, decay=0.5)
        np.testing.assert_allclose(mean, 0.5 * x.mean((0, 2, 3)))
        np.testing.assert_allclose(var, 0.5 + 0.5 * x.var((0, 2, 3), ddof=1))

    def test_variables_may_hold_them_and_get_no_gradient(self):
        x, mean, var = Variable(draw(4, 2)), Variable(np.zeros(2)), Variable(np.ones(2))
        F.batch_norm(x, None, None, mean, var).backward()
        assert mean.data.any() and mean.grad is None and var.grad is None

    def test_they_keep_their_dtype(self):
        mean, var = stats(2, np.float32)
        y = F.batch_norm(draw(4, 2, dtype=np.float16), None, None, mean, var)
        assert (y.dtype, mean.dtype, var.dtype) == (np.float16, np.float32, np.float32) and mean.any()

    def test_nothing_moves_without_a_graph(self):
        mean, var = stats(2)
        x = draw(5, 2)
        with no_grad():
            y = F.batch_norm(x, None, None, mean, var)
        assert not mean.any() and (var == 1).all()
        np.testing.assert_allclose(y.data.mean(0), 0, atol=1e-12)  # the batch's statistics all the same

    def test_nothing_moves_in_test_mode(self):
        mean, var = stats(2)
        with test_mode():
            y = F.batch_norm(np.ones((3, 2)), None, None, mean, var, eps=0.0)
        np.testing.assert_array_equal(y.data, np.ones((3, 2)))
        assert not mean.any() and (var == 1).all()

    def test_higher_derivatives_do_not_move_them(self):
        x, (mean, var) = Variable(draw(4, 2)), stats(2)
        y = F.batch_norm(x, None, None, mean, var)
        after = mean.copy()
        (y * y * y).sum().backward(create_graph=True)
        gx = x.grad
        x.cleargrad()
        (gx * gx).sum().backward()
        np.testing.assert_array_equal(mean, after)

    def test_without_any_the_batch_serves_in_test_mode_too(self):
        x = draw(4, 2)
        trained = F.batch_norm(x, None, None, None, None)
        with test_mode():
            np.testing.assert_array_equal(F.batch_norm(x, None, None, None, None).data, trained.data)


class TestBatchNorm:
    def test_book_spelling(self):
        assert F.batch_nrom is F.batch_norm

    def test_book_result(self):
        x = np.array([[1.0, 2.0], [3.0, 6.0], [5.0, 1.0]])
        gamma, beta = np.array([2.0, 0.5]), np.array([1.0, -1.0])
        expected = gamma * (x - x.mean(0)) / np.sqrt(x.var(0) + 2e-5) + beta
        np.testing.assert_allclose(F.batch_nrom(x, gamma, beta, *stats(2)).data, expected)

    def test_a_batch_of_one_gives_beta_and_keeps_var(self):
        x, gamma, beta = Variable(draw(1, 3)), Variable(np.ones(3)), Variable(draw(3))
        mean, var = stats(3)
        y = F.batch_norm(x, gamma, beta, mean, var)
        y.backward()
        np.testing.assert_array_equal(y.data[0], beta.data)
        np.testing.assert_array_equal(x.grad.data, 0)
        np.testing.assert_array_equal(var, 1)
        np.testing.assert_allclose(mean, 0.1 * x.data[0])

    def test_an_empty_batch_moves_nothing(self):
        mean, var = stats(3)
        assert F.batch_norm(np.zeros((0, 3)), None, None, mean, var).shape == (0, 3)
        assert not mean.any() and (var == 1).all()

    def test_gradient_in_test_mode_is_that_of_a_fixed_scale(self):
        x, gamma, beta = Variable(draw(4, 2)), Variable(draw(2)), Variable(draw(2))
        mean, var = draw(2), np.array([1.0, 4.0])
        with test_mode():
            y = F.batch_norm(x, gamma, beta, mean, var, eps=0.0)
        y.backward()
        np.testing.assert_allclose(x.grad.data, np.tile(gamma.data / [1, 2], (4, 1)))
        np.testing.assert_allclose(gamma.grad.data, ((x.data - mean) / [1, 2]).sum(0))
        np.testing.assert_allclose(beta.grad.data, [4, 4])

    def test_mode_at_the_call_counts_not_at_backward(self):
        x = Variable(draw(4, 2))
        with test_mode():
            y = F.batch_norm(x, None, None, np.zeros(2), np.ones(2), eps=0.0)
        y.backward()
        np.testing.assert_allclose(x.grad.data, 1)

    @pytest.mark.parametrize("call, text", [
        (lambda: F.batch_norm(draw(4, 3), np.ones(2), np.zeros(3), *stats(3)), r"gamma must have shape \(3,\)"),
        (lambda: F.batch_norm(draw(4, 3), np.ones(3), np.zeros((1, 3)), *stats(3)), r"beta must have shape \(3,\)"),
        (lambda: F.batch_norm(draw(4, 3), None, None, *stats(4)), r"running mean and var must have shape \(3,\), given \(4,\)"),
        (lambda: F.batch_norm(draw(4), None, None, *stats(4)), r"x \(4,\) float64: x needs a batch axis and a channel axis"),
    ])
    def test_errors(self, call, text):
        with pytest.raises(ShapeError, match=text):
            call()

    def test_errors_in_test_mode(self):
        with test_mode(), pytest.raises(ShapeError, match=r"mean must have shape \(3,\)"):
            F.batch_norm(draw(4, 3), None, None, np.zeros(2), np.ones(3))


EACH = {
    "batch_norm": lambda x, g, b: F.batch_norm(x, g, b, None, None),
    "layer_norm": lambda x, g, b: F.layer_norm(x, g, b, axis=1),
    "group_norm": lambda x, g, b: F.group_norm(x, g, b, 2),
    "instance_norm": F.instance_norm,
    "rms_norm": lambda x, g, b: F.rms_norm(x, g, axis=1),
}


@pytest.mark.parametrize("name", EACH)
class TestAll:
    def test_values_around_1e4_in_float32(self, name):
        x, g, b = Variable(draw(3, 4, 50, dtype=np.float32) + np.float32(1e4)), Variable(np.ones(4, "f")), Variable(np.zeros(4, "f"))
        y = EACH[name](x, g, b)
        y.grad = Variable(draw(*y.shape, dtype=np.float32))
        y.backward()
        exact = EACH[name](x.data.astype(np.float64), g.data.astype(np.float64), b.data.astype(np.float64))
        np.testing.assert_allclose(y.data, exact.data, atol=5e-3)
        assert np.isfinite(x.grad.data).all() and y.dtype == x.grad.dtype == np.float32

    def test_constant_input_gives_finite_gradients(self, name):
        x, g, b = Variable(np.full((3, 4, 5), 1e4, np.float32)), Variable(np.ones(4, "f")), Variable(np.zeros(4, "f"))
        y = EACH[name](x, g, b)
        y.backward()
        assert np.isfinite(y.data).all() and np.isfinite(x.grad.data).all()

    def test_float16_statistics_are_those_of_float32(self, name):
        x = (100 * draw(3, 4, 200)).astype(np.float16)  # squares beyond float16
        y = EACH[name](x, np.ones(4, np.float16), np.zeros(4, np.float16))
        exact = EACH[name](x.astype(np.float64), np.ones(4), np.zeros(4))
        assert y.dtype == np.float16
        np.testing.assert_allclose(y.data, exact.data, atol=4e-3)

    @pytest.mark.parametrize("needed", [(0,), (1,), (0, 1)])
    def test_gradients_of_some_inputs_are_those_of_all(self, name, needed):
        arrays = [draw(3, 4, 5), draw(4), draw(4)]
        w = draw(3, 4, 5)
        every = [Variable(a) for a in arrays]
        some = [Variable(a) if i in needed else a for i, a in enumerate(arrays)]
        for xs in (every, some):
            y = EACH[name](*xs)
            y.grad = Variable(w)
            y.backward()
        for i in needed:
            np.testing.assert_allclose(some[i].grad.data, every[i].grad.data, rtol=1e-12)


def test_numpy_kernels_agree_with_the_reference():
    for shape, axes in [((4, 3, 5), (0, 2)), ((4, 3, 5), (1, 2)), ((4, 3, 5), (1,)), ((7, 6), (0, 1)), ((3, 1, 1), (1, 2)), ((2, 3, 4, 5), (2, 3))]:
        a, b = draw(*shape), draw(*shape)
        for x, y in ((a, b), (a.T.copy().T, b[::-1])):
            np.testing.assert_allclose(kernels_of(np).sum_over(x, axes), REFERENCE["sum_over"](np, x, axes), rtol=1e-12, atol=1e-13)
            np.testing.assert_allclose(kernels_of(np).dot_over(x, y, axes), REFERENCE["dot_over"](np, x, y, axes), rtol=1e-12, atol=1e-13)


class TestAxes:
    def test_layer_norm_takes_as_many_last_axes_as_gamma_has(self):
        x, gamma = draw(2, 3, 4), np.ones((3, 4))
        np.testing.assert_allclose(F.layer_norm(x, gamma).data, F.layer_norm(x, axis=(1, 2)).data)
        np.testing.assert_allclose(F.rms_norm(x, gamma).data, F.rms_norm(x, axis=(1, 2)).data)

    @pytest.mark.parametrize("call, text", [
        (lambda: F.layer_norm(draw(2, 3), np.ones(4)), r"layer_norm: x \(2, 3\) float64 and gamma \(4,\) float64: gamma must have shape \(3,\)"),
        (lambda: F.layer_norm(draw(2, 3), axis=2), "axis=2 does not fit an x with 2 axes"),
        (lambda: F.layer_norm(draw(2, 3), axis=(1, -1)), "different ones"),
        (lambda: F.layer_norm(draw(2, 3), axis=()), "does not fit"),
        (lambda: F.rms_norm(draw(2, 3), np.ones((2, 2))), r"gamma must have shape \(2, 3\)"),
        (lambda: F.group_norm(draw(2, 4), None, None, 3), "groups=3 does not divide the 4 channels"),
        (lambda: F.group_norm(draw(2, 4), None, None, 0), "groups=0"),
        (lambda: F.group_norm(draw(2, 4), np.ones(2), None, 2), r"gamma must have shape \(4,\)"),
        (lambda: F.instance_norm(draw(2, 4)), "axes behind the channels"),
    ])
    def test_errors(self, call, text):
        with pytest.raises(ShapeError, match=text):
            call()


@pytest.mark.torch
class TestPyTorch:
    """The same numbers as PyTorch, forward and backward."""

    def compare(self, ours, theirs, *shapes):
        torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
        arrays = [draw(*s) for s in shapes]
        xs, ts = [Variable(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
        y, t = ours(*xs), theirs(torch.nn.functional, *ts)
        w = draw(*y.shape)
        y.grad = Variable(w)
        y.backward()
        t.backward(torch.tensor(w))
        np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-9, atol=1e-10)
        for x, u in zip(xs, ts, strict=True):
            np.testing.assert_allclose(x.grad.data, u.grad.numpy(), rtol=1e-8, atol=1e-9)

    def test_batch_norm(self):
        self.compare(lambda x, g, b: F.batch_norm(x, g, b, None, None),
                     lambda f, x, g, b: f.batch_norm(x, None, None, g, b, training=True, eps=2e-5), (4, 3, 2, 5), (3,), (3,))

    def test_layer_norm(self):
        self.compare(F.layer_norm, lambda f, x, g, b: f.layer_norm(x, (3, 5), g, b), (4, 3, 5), (3, 5), (3, 5))

    def test_group_norm(self):
        self.compare(lambda x, g, b: F.group_norm(x, g, b, 3), lambda f, x, g, b: f.group_norm(x, 3, g, b), (4, 6, 5), (6,), (6,))

    def test_instance_norm(self):
        self.compare(F.instance_norm, lambda f, x, g, b: f.instance_norm(x, weight=g, bias=b), (4, 6, 5), (6,), (6,))

    def test_rms_norm(self):
        self.compare(F.rms_norm, lambda f, x, g: f.rms_norm(x, (5,), g, eps=1e-6), (4, 6, 5), (5,))
