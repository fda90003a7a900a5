"""Attention: what masks mean, rows without keys, large scores, dropout, errors, PyTorch."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable, test_mode
from dezero.errors import DTypeError, ShapeError

rng = np.random.default_rng(0)
attention = F.scaled_dot_product_attention


def draw(*shape, dtype=np.float64):
    return rng.normal(size=shape).astype(dtype)


def variables(*shapes, dtype=np.float64):
    return [Variable(draw(*s, dtype=dtype)) for s in shapes]


def send(y, w=None, create_graph=False):
    y.grad = Variable(draw(*y.shape, dtype=y.dtype) if w is None else w)
    y.backward(create_graph=create_graph)


class TestMasks:
    @pytest.mark.parametrize("create_graph", [False, True])
    def test_a_row_without_keys_gives_zeros_and_no_gradient(self, create_graph):
        q, k, v = variables((3, 2), (4, 2), (4, 5))
        mask = np.ones((3, 4), bool)
        mask[1] = False
        y = attention(q, k, v, mask)
        assert (y.data[1] == 0).all() and y.data[0].any()
        send(y, create_graph=create_graph)
        assert (q.grad.data[1] == 0).all() and q.grad.data[0].any()
        assert all(np.isfinite(x.grad.data).all() for x in (q, k, v))

    @pytest.mark.parametrize("create_graph", [False, True])
    def test_so_does_one_whose_float_mask_is_minus_infinity(self, create_graph):
        q, k, v = variables((3, 2), (4, 2), (4, 5))
        mask = np.zeros((3, 4))
        mask[1] = -np.inf
        y = attention(q, k, v, mask)
        send(y, create_graph=create_graph)
        assert (y.data[1] == 0).all() and (q.grad.data[1] == 0).all()
        assert all(np.isfinite(x.grad.data).all() for x in (q, k, v))

    def test_masked_keys_do_not_matter(self):
        q, k, v = draw(3, 2), draw(4, 2), draw(4, 5)
        mask = np.array([True, True, False, True])
        k2, v2 = k.copy(), v.copy()
        k2[2], v2[2] = 1e4, -1e4
        np.testing.assert_array_equal(attention(q, k, v, mask).data, attention(q, k2, v2, mask).data)

    def test_a_float_mask_of_another_dtype_keeps_the_rule_of_promotion(self):
        q, k, v = variables((3, 2), (4, 2), (4, 5), dtype=np.float32)
        assert attention(q, k, v, np.zeros((3, 4), bool)).dtype == np.float32
        assert attention(q, k, v, np.zeros((3, 4))).dtype == np.float64

    def test_causal_queries_are_the_last_ones(self):
        q, k, v = draw(6, 2), draw(6, 2), draw(6, 3)
        whole = attention(q, k, v, causal=True).data
        np.testing.assert_allclose(attention(q[4:], k, v, causal=True).data, whole[4:], rtol=1e-12)
        np.testing.assert_allclose(attention(q[-1:], k, v, causal=True).data, attention(q[-1:], k, v).data, rtol=1e-12)

    def test_causal_with_fewer_keys_leaves_the_first_queries_empty(self):
        y = attention(draw(5, 2), draw(3, 2), draw(3, 4), causal=True).data
        assert (y[:2] == 0).all() and y[2:].all()


class TestNumbers:
    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    @pytest.mark.parametrize("create_graph", [False, True])
    def test_large_scores(self, dtype, create_graph):
        q, k, v = (Variable(x) for x in ((1e4 * np.eye(3)).astype(dtype), (1e4 * np.eye(3)).astype(dtype), draw(3, 2, dtype=dtype)))
        y = attention(q, k, v)
        np.testing.assert_array_equal(y.data, v.data)  # each query takes the key that fits, and no other
        send(y, create_graph=create_graph)
        assert all(np.isfinite(x.grad.data).all() and x.grad.dtype == dtype for x in (q, k, v))

    def test_weights_sum_to_one(self):
        y = attention(draw(3, 2), draw(4, 2), np.ones((4, 1)))
        np.testing.assert_allclose(y.data, 1)

    def test_fused_gradients_are_those_of_plain_ops(self):
        arrays = [draw(2, 1, 3, 2), draw(3, 4, 2), draw(2, 3, 4, 5), draw(3, 4)]
        w = draw(2, 3, 3, 5)
        found = []
        for create_graph in (False, True):
            xs = [Variable(a) for a in arrays]
            send(attention(*xs, causal=True), w, create_graph)
            found.append([x.grad.data for x in xs])
        for f, c in zip(*found, strict=True):
            np.testing.assert_allclose(f, c, rtol=1e-10, atol=1e-13)

    @pytest.mark.parametrize("i", range(4))
    def test_gradient_of_one_input_is_that_among_all(self, i):
        arrays = [draw(3, 2), draw(4, 2), draw(4, 5), draw(3, 4)]
        w = draw(3, 5)
        every = [Variable(a) for a in arrays]
        alone = [Variable(a) if j == i else a for j, a in enumerate(arrays)]
        send(attention(*every), w)
        send(attention(*alone), w)
        np.testing.assert_allclose(alone[i].grad.data, every[i].grad.data, rtol=1e-12)

    def test_no_keys_give_zeros(self):
        assert (attention(draw(3, 2), np.zeros((0, 2)), np.zeros((0, 4))).data == np.zeros((3, 4))).all()


class TestDropout:
    @pytest.mark.seeds
    def test_it_keeps_the_mean_and_follows_the_global_seed(self):
        q, k, v = draw(50, 2), draw(400, 2), np.ones((400, 1))
        np.random.seed(0)
        a = attention(q, k, v, dropout_ratio=0.5).data
        np.random.seed(0)
        b = attention(q, k, v, dropout_ratio=0.5).data
        np.testing.assert_array_equal(a, b)
        assert a.std() > 0.01 and abs(a.mean() - 1) < 0.1

    @pytest.mark.seeds
    def test_all_dropped_gives_zeros(self):
        assert (attention(draw(3, 2), draw(4, 2), draw(4, 5), dropout_ratio=1.0).data == 0).all()

    def test_test_mode_drops_nothing(self):
        q, k, v = draw(3, 2), draw(4, 2), draw(4, 5)
        with test_mode():
            np.testing.assert_array_equal(attention(q, k, v, dropout_ratio=0.9).data, attention(q, k, v).data)


@pytest.mark.parametrize("shapes, mask, error, text", [
    (((3, 2), (4, 3), (4, 5)), None, ShapeError, r"q \(3, 2\) float64, k \(4, 3\) float64.*q.shape\[-1\] must equal k.shape\[-1\]"),
    (((3, 2), (4, 2), (3, 5)), None, ShapeError, r"k.shape\[-2\] must equal v.shape\[-2\]"),
    (((2,), (4, 2), (4, 5)), None, ShapeError, "q needs at least two axes"),
    (((3, 2), (4, 2), (4, 5)), np.ones((4, 3), bool), ShapeError, r"mask must broadcast to \(..., L, S\) = \(..., 3, 4\)"),
    (((3, 2), (4, 2), (4, 5)), np.ones((3, 4), int), DTypeError, "mask must be bool"),
    (((2, 3, 2), (3, 4, 2), (4, 5)), None, ShapeError, "scaled_dot_product_attention: q"),
])
def test_errors(shapes, mask, error, text):
    with pytest.raises(error, match=text):
        attention(*(draw(*s) for s in shapes), mask)


def test_a_ratio_outside_0_to_1_is_refused():
    with pytest.raises(ValueError, match=r"dropout_ratio=1.5 is no probability"):
        attention(draw(3, 2), draw(4, 2), draw(4, 5), dropout_ratio=1.5)


@pytest.mark.torch
@pytest.mark.parametrize("masked", ["none", "bool", "float", "causal"])
def test_pytorch_agrees(masked):
    torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
    arrays = [draw(2, 3, 4, 5), draw(2, 3, 4, 5), draw(2, 3, 4, 6)]
    mask = {"none": None, "causal": None, "bool": np.tril(np.ones((4, 4), bool)), "float": draw(4, 4)}[masked]
    xs, ts = [Variable(a) for a in arrays], [torch.tensor(a, requires_grad=True) for a in arrays]
    y = attention(*xs, mask, causal=masked == "causal")
    t = torch.nn.functional.scaled_dot_product_attention(*ts, attn_mask=None if mask is None else torch.tensor(mask), is_causal=masked == "causal")
    w = draw(*y.shape)
    send(y, w)
    t.backward(torch.tensor(w))
    np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-10, atol=1e-12)
    for x, u in zip(xs, ts, strict=True):
        np.testing.assert_allclose(x.grad.data, u.grad.numpy(), rtol=1e-9, atol=1e-11)
