"""Recurrent ops: fused gradients against those of plain ops, sequences against cells, absent inputs, errors, PyTorch."""

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError

rng = np.random.default_rng(0)
T, N, I, H = 5, 3, 4, 6
STATES = {"rnn": 1, "lstm": 2, "gru": 1}
GATES = {"rnn": 1, "lstm": 4, "gru": 3}


def draw(*shape, dtype=np.float64):
    return (0.7 * rng.normal(size=shape)).astype(dtype)


def inputs(kind, cell=False, steps=T, batch=N, dtype=np.float64):
    """x, states, Wx, Wh and the biases of an op."""
    k = GATES[kind] * H
    shapes = [(batch, I) if cell else (steps, batch, I), *[(batch, H)] * STATES[kind], (I, k), (H, k), *[(k,)] * (2 if kind == "gru" else 1)]
    return [draw(*s, dtype=dtype) for s in shapes]


def gradients(call, arrays, ws, create_graph=False, needed=None):
    """Backpropagated gradients of <results, ws>: zeros where none came, None for arrays that are no Variables."""
    xs = [Variable(a) if a is not None and (needed is None or i in needed) else a for i, a in enumerate(arrays)]
    ys = call(*xs)
    ys = ys if isinstance(ys, tuple) else (ys,)
    loss = sum((y * w).sum() for y, w in zip(ys, ws, strict=True))
    loss.backward(create_graph=create_graph)
    return [None if not isinstance(x, Variable) else 0 * x.data if x.grad is None else x.grad.data for x in xs]


def weights_for(call, arrays):
    ys = call(*arrays)
    return [draw(*y.shape) for y in (ys if isinstance(ys, tuple) else (ys,))]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize("cell", [True, False])
class TestFused:
    def test_gradients_are_those_of_plain_ops(self, kind, cell):
        call, arrays = getattr(F, kind + "_cell" * cell), inputs(kind, cell)
        ws = weights_for(call, arrays)
        fused = gradients(call, arrays, ws)
        composed = gradients(call, arrays, ws, create_graph=True)
        for f, c in zip(fused, composed, strict=True):
            np.testing.assert_allclose(f, c, rtol=1e-10, atol=1e-12)

    def test_gradient_of_one_input_is_that_among_all(self, kind, cell):
        call, arrays = getattr(F, kind + "_cell" * cell), inputs(kind, cell)
        ws = weights_for(call, arrays)
        every = gradients(call, arrays, ws)
        for i in range(len(arrays)):
            alone = gradients(call, arrays, ws, needed=(i,))
            np.testing.assert_allclose(alone[i], every[i], rtol=1e-12)

    def test_large_inputs_are_finite_in_float32(self, kind, cell):
        call, arrays = getattr(F, kind + "_cell" * cell), inputs(kind, cell, dtype=np.float32)
        for sign in (1, -1):
            found = gradients(call, [sign * np.float32(1e4) * arrays[0], *arrays[1:]], weights_for(call, arrays))
            assert all(np.isfinite(g).all() for g in found)

    def test_dtypes(self, kind, cell):
        call = getattr(F, kind + "_cell" * cell)
        for dtype in (np.float16, np.float32):
            arrays = inputs(kind, cell, dtype=dtype)
            ws = [w.astype(dtype) for w in weights_for(call, arrays)]
            assert {g.dtype for g in gradients(call, arrays, ws)} == {np.dtype(dtype)}
            ys = call(*arrays)
            assert {y.dtype for y in (ys if isinstance(ys, tuple) else (ys,))} == {np.dtype(dtype)}

    def test_no_state_means_zeros(self, kind, cell):
        call, arrays = getattr(F, kind + "_cell" * cell), inputs(kind, cell)
        n = STATES[kind]
        zeros = [arrays[0], *[np.zeros((N, H))] * n, *arrays[1 + n:]]
        none = [arrays[0], *[None] * n, *arrays[1 + n:]]
        ws = weights_for(call, zeros)
        for a, b in zip(gradients(call, zeros, ws), gradients(call, none, ws), strict=True):
            if b is not None:
                np.testing.assert_array_equal(a, b)

    def test_no_bias_means_zeros(self, kind, cell):
        call, arrays = getattr(F, kind + "_cell" * cell), inputs(kind, cell)
        n = STATES[kind] + 3
        with_zeros = call(*arrays[:n], *(0 * b for b in arrays[n:]))
        without = call(*arrays[:n])
        for a, b in zip(*(ys if isinstance(ys, tuple) else (ys,) for ys in (with_zeros, without)), strict=True):
            np.testing.assert_array_equal(a.data, b.data)


@pytest.mark.parametrize("kind", GATES)
class TestSequence:
    def test_it_is_its_cell_step_by_step(self, kind):
        x, *rest = inputs(kind)
        n = STATES[kind]
        ys, *last = getattr(F, kind)(x, *rest)
        states, weights = rest[:n], rest[n:]
        for t in range(T):
            states = getattr(F, kind + "_cell")(x[t], *states, *weights)
            states = states if isinstance(states, tuple) else (states,)
            np.testing.assert_allclose(ys.data[t], states[0].data, rtol=1e-12)
        for a, b in zip(last, states, strict=True):
            np.testing.assert_allclose(a.data, b.data, rtol=1e-12)

    def test_cut_in_two_it_gives_the_same(self, kind):
        x, *rest = inputs(kind)
        n = STATES[kind]
        call = getattr(F, kind)
        ys, *_ = call(x, *rest)
        head, *states = call(x[:2], *rest)
        tail, *_ = call(x[2:], *states, *rest[n:])
        np.testing.assert_allclose(ys.data, np.concatenate([head.data, tail.data]), rtol=1e-12)

    @pytest.mark.parametrize("steps", [0, 1])
    def test_short_sequences(self, kind, steps):
        arrays = inputs(kind, steps=steps)
        call = getattr(F, kind)
        ys, *last = call(*arrays)
        assert ys.shape == (steps, N, H)
        if not steps:
            for s, a in zip(last, arrays[1:], strict=False):
                np.testing.assert_array_equal(s.data, a)
        ws = weights_for(call, arrays)
        fused, composed = (gradients(call, arrays, ws, create_graph=c) for c in (False, True))
        for i, (f, c) in enumerate(zip(fused, composed, strict=True)):
            np.testing.assert_allclose(f, c, rtol=1e-10, atol=1e-12, err_msg=f"input {i}")

    def test_the_last_state_has_its_own_memory(self, kind):
        ys, *last = getattr(F, kind)(*inputs(kind))
        assert not any(np.shares_memory(ys.data, s.data) for s in last)

    def test_wrong_shapes_name_what_is_right(self, kind):
        call, (x, *rest), k, n = getattr(F, kind), inputs(kind), GATES[kind], STATES[kind]
        with pytest.raises(ShapeError, match=rf"{kind}: x \(3, 4\) float64.*x must have axes \(T, N, I\)"):
            call(x[0], *rest)
        with pytest.raises(ShapeError, match=rf"Wx must be \(5, {k * H}\)"):
            call(np.zeros((T, N, 5)), *rest)
        with pytest.raises(ShapeError, match=r"a state must be \(3, 6\).*it is \(2, 6\)"):
            call(x, rest[0][:2], *rest[1:])
        with pytest.raises(ShapeError, match="Wh must be"):
            call(x, *rest[:n + 1], np.zeros((H, k * H + 1)), *rest[n + 2:])
        with pytest.raises(ShapeError, match=rf"a bias must be \({k * H},\)"):
            call(x, *rest[:n + 2], np.zeros(2))


def test_cells_name_their_axes():
    with pytest.raises(ShapeError, match=r"lstm_cell: .*x must have axes \(N, I\)"):
        F.lstm_cell(np.zeros(4), None, None, np.zeros((4, 8)), np.zeros((2, 8)))


def test_an_lstm_learns_with_truncated_backpropagation():
    x, h, c, *weights = inputs("lstm")
    weights = [Variable(w) for w in weights]
    _, h, c = F.lstm(x, h, c, *weights)
    h.unchain()
    c.unchain()
    ys, _, _ = F.lstm(x, h, c, *weights)
    ys.sum().backward()
    assert all(w.grad is not None for w in weights)


@pytest.mark.torch
class TestPyTorch:
    """The same numbers as PyTorch's modules, whose weights are transposed."""

    @pytest.mark.parametrize("kind", GATES)
    def test_sequence(self, kind):
        torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
        arrays = inputs(kind)
        n = STATES[kind]
        xs = [Variable(a) for a in arrays]
        module = getattr(torch.nn, kind.upper())(I, H).double()
        x, *states = [torch.tensor(a, requires_grad=True) for a in arrays[:n + 1]]
        with torch.no_grad():
            module.weight_ih_l0.copy_(torch.tensor(arrays[n + 1].T))
            module.weight_hh_l0.copy_(torch.tensor(arrays[n + 2].T))
            module.bias_ih_l0.copy_(torch.tensor(arrays[n + 3]))
            module.bias_hh_l0.copy_(torch.tensor(arrays[n + 4]) if kind == "gru" else torch.zeros(GATES[kind] * H))
        given = tuple(s[None] for s in states) if n == 2 else states[0][None]
        ys, *last = getattr(F, kind)(*xs)
        ts, final = module(x, given)
        final = [s[0] for s in final] if n == 2 else [final[0]]
        ws = [draw(*y.shape) for y in (ys, *last)]
        sum((y * w).sum() for y, w in zip((ys, *last), ws, strict=True)).backward()
        sum((t * torch.tensor(w)).sum() for t, w in zip((ts, *final), ws, strict=True)).backward()
        for y, t in zip((ys, *last), (ts, *final), strict=True):
            np.testing.assert_allclose(y.data, t.detach().numpy(), rtol=1e-9, atol=1e-12)
        theirs = [x.grad, *(s.grad for s in states), module.weight_ih_l0.grad.T, module.weight_hh_l0.grad.T, module.bias_ih_l0.grad]
        theirs += [module.bias_hh_l0.grad] if kind == "gru" else []
        for v, g in zip(xs, theirs, strict=True):
            np.testing.assert_allclose(v.grad.data, g.numpy(), rtol=1e-8, atol=1e-11)
