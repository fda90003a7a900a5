"""grad, vjp, jvp, jacobian, hessian, hvp and checkpoint against closed forms."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, checkpoint, grad, hessian, hvp, jacobian, jvp, no_grad, vjp
from dezero.errors import InputTypeError, IntegerGradientError, ShapeError, UntrackedError

A = np.array([[2.0, 1.0, 0.5], [1.0, 3.0, 0.2], [0.5, 0.2, 1.0]])
X = np.array([0.3, -1.2, 0.7])


def quadratic(x):
    return F.sum(x * F.matmul(A, x)) * 0.5


def cubic(x):
    return F.sum(x ** 3)


def test_grad_writes_nothing():
    x = Variable(X)
    g = grad(quadratic(x), x)
    assert np.allclose(g.data, A @ X) and x.grad is None and g.creator is None


def test_grad_starts_from_numbers_too_and_refuses_the_rest():
    x = Variable(np.array(3.0))
    assert float(grad(x * x, x, 2.0)) == 12
    with pytest.raises(InputTypeError, match="gradient given is a str"):
        grad(x * x, x, "1")
    with pytest.raises(UntrackedError, match="constant"):
        Variable(np.array(1)).register_hook(print)


def test_grad_of_results_and_of_several():
    x, y = Variable(np.array(2.0)), Variable(np.array(3.0))
    h = x * y
    z = h * h + x
    gx, gh, gy = grad(z, [x, h, y])
    assert (float(gx), float(gh), float(gy)) == (2 * 6 * 3 + 1, 12, 2 * 6 * 2)
    assert float(grad(x * x, x, Variable(np.array(10.0)))) == 40
    a, b = grad([x * 2, x * y], [x, y], [None, np.array(5.0)])
    assert (float(a), float(b)) == (2 + 15, 10)


def test_grad_to_any_order():
    x = Variable(np.array(1.0))
    g = F.tanh(x)
    for _ in range(5):
        g = grad(g, x, create_graph=True)
    wanted = np.polynomial.Polynomial([0.0, 1.0])  # in t = tanh x, whose derivative is 1 - t^2
    for _ in range(5):
        wanted = wanted.deriv() * np.polynomial.Polynomial([1.0, 0.0, -1.0])
    assert np.isclose(float(g), wanted(np.tanh(1.0)), rtol=1e-12)


def test_grad_of_what_is_not_connected():
    x, z = Variable(np.array(1.0)), Variable(np.array(1.0), name="z")
    with pytest.raises(UntrackedError, match=r"xs\[0\] \(z\)"):
        grad(x * 2, z)
    assert grad(x * 2, z, allow_unused=True) is None
    with pytest.raises(IntegerGradientError, match="int64"):
        grad(x * 2, Variable(np.array(3)))
    with pytest.raises(InputTypeError, match="ndarray"):
        grad(x * 2, [np.ones(2)])
    with pytest.raises(ShapeError, match="2 gradients"):
        grad(x * 2, x, [None, None])


def test_vjp_and_jvp_are_adjoint():
    rng = np.random.default_rng(0)
    W = rng.standard_normal((4, 3))
    f = lambda x: F.tanh(F.matmul(W, x))
    v, u = rng.standard_normal(3), rng.standard_normal(4)
    y, pull = vjp(f, X)
    y2, jv = jvp(f, X, v)
    J = (1 - np.tanh(W @ X) ** 2)[:, None] * W
    assert np.allclose(pull(u).data, u @ J) and np.allclose(jv.data, J @ v) and np.array_equal(y.data, y2.data)
    assert np.allclose(pull(u).data, u @ J)  # the pull-back may be used again
    assert np.allclose(jacobian(f, X).data, J)


def test_several_arguments():
    f = lambda a, b: a * F.sum(b)
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0, 5.0])
    Ja, Jb = jacobian(f, a, b)
    assert np.array_equal(Ja.data, 12 * np.eye(2)) and np.array_equal(Jb.data, np.outer(a, np.ones(3)))
    _, jv = jvp(f, (a, b), (np.ones(2), np.array([1.0, 0, 0])))
    assert np.allclose(jv.data, 12 + a)
    H = hessian(lambda a, b: F.sum(f(a, b)), a, b)
    assert np.array_equal(H[0][1].data, np.ones((2, 3))) and np.array_equal(H[1][1].data, np.zeros((3, 3)))


def test_hessian_and_hvp():
    v = np.array([1.0, -2.0, 0.5])
    assert np.allclose(hessian(quadratic, X).data, A) and np.allclose(hvp(quadratic, X, v).data, A @ v)
    assert np.allclose(hessian(cubic, X).data, np.diag(6 * X)) and np.allclose(hvp(cubic, X, v).data, 6 * X * v)
    third = grad(F.sum(hvp(cubic, x := Variable(X), v, create_graph=True)), x)
    assert np.allclose(third.data, 6 * v)
    with pytest.raises(ShapeError, match="one element"):
        hessian(lambda x: x * 2, X)
    with pytest.raises(ShapeError, match=r"\(2,\).*\(3,\)"):
        hvp(cubic, X, np.ones(2))


def test_constant_and_linear_functions_have_zero_derivatives():
    assert np.array_equal(hvp(lambda x: F.sum(x), X, X).data, np.zeros(3))
    _, jv = jvp(lambda x: Variable(np.ones(2)) * 1.0, X, X)
    assert np.array_equal(jv.data, np.zeros(2))
    assert np.array_equal(hessian(lambda x: F.sum(x), X).data, np.zeros((3, 3)))


def test_they_work_under_no_grad_and_refuse_integers():
    with no_grad():
        assert np.allclose(hessian(cubic, X).data, np.diag(6 * X))
    with pytest.raises(IntegerGradientError, match="int64"):
        jacobian(cubic, np.array([1, 2]))
    with pytest.raises(InputTypeError, match="ndarray"):
        jacobian(lambda x: x.data, X)


def net(W):
    return lambda x: F.sum(F.tanh(F.matmul(x, W)) ** 2)


def test_checkpoint_gives_the_same_gradients_of_first_and_second_order():
    rng = np.random.default_rng(0)
    results = []
    for wrap in (lambda f, x: f(x), checkpoint):
        x, W = Variable(rng.__class__(np.random.PCG64(1)).standard_normal((2, 3))), Parameter(np.eye(3))
        h = x * 2.0
        y = wrap(lambda x, W=W, h=h: net(W)(x) * F.sum(h), h)  # uses its argument, a parameter and the same result from outside
        gx, gW = grad(y, [x, W], create_graph=True)
        F.sum(gx * gx * 0.5 + F.sum(gW)).backward()
        results.append([float(y), gx.data, gW.data, x.grad.data, W.grad.data])
    for a, b in zip(*results, strict=True):
        assert np.allclose(a, b, rtol=1e-12)


def test_checkpoint_first_order_backward_and_several_outputs():
    x, W = Variable(np.ones((2, 3))), Parameter(np.eye(3))
    a, b = checkpoint(lambda x: (F.matmul(x, W), x * 2.0), x)
    F.sum(a * a + b).backward()
    assert np.allclose(x.grad.data, 2 * np.ones((2, 3)) + 2) and np.allclose(W.grad.data, 4 * np.ones((3, 3)))


@pytest.mark.seeds
def test_checkpoint_draws_the_same_dropout_mask_again():
    np.random.seed(0)
    x = Variable(np.ones(100))
    y = checkpoint(lambda x: F.dropout(x, 0.5) * 1.0, x)
    after = np.random.random()
    F.sum(y).backward()
    assert np.array_equal(x.grad.data, y.data)
    np.random.seed(0)
    F.dropout(x, 0.5)
    assert np.random.random() == after  # the recomputation leaves the global state alone


def test_checkpoint_moves_running_statistics_once():
    x, moved, wanted = Variable(np.arange(6.0).reshape(3, 2)), np.zeros(2), np.zeros(2)
    F.batch_norm(x, None, None, wanted, np.ones(2))
    F.sum(checkpoint(lambda x: F.batch_norm(x, None, None, moved, np.ones(2)) ** 2, x)).backward()
    assert np.array_equal(moved, wanted)


def test_checkpoint_keeps_only_its_arguments():
    x = Variable(np.ones(10))
    y = checkpoint(lambda x: F.exp(F.exp(x * 0.1)), x)
    assert len(y.creator._kept) == 1 and y.creator._kept[0] is x.data
    with no_grad():
        assert checkpoint(lambda x: x * 2.0, x).creator is None
