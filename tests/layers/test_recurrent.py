"""Recurrent layers: steps, whole sequences, what happens to the state, truncated backpropagation through time, PyTorch."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Layer, Variable, no_grad
from dezero.errors import FreedGraphError, ShapeError, StateError
from tests.strict import StrictArray, to_strict
from tests.test_ops import strict  # noqa: F401  (a fixture)

pytestmark = pytest.mark.seeds
T, N, I, H = 5, 3, 4, 6
X = np.random.default_rng(0).normal(size=(T, N, I))
KINDS = [L.RNN, L.LSTM, L.GRU]
kinds = pytest.mark.parametrize("kind", KINDS)


def seeded(make: Any, *args: Any, **settings: Any) -> Any:
    np.random.seed(0)
    return make(*args, **settings)


def gradients(layer: L.Layer, y: Any) -> list[Any]:
    layer.cleargrads()
    F.sum(F.sin(y)).backward()
    return [p.grad.data for p in layer.params()]


# -- steps and sequences ---------------------------------------------------------------------------


@kinds
@pytest.mark.parametrize("settings", [{}, {"num_layers": 3}, {"in_size": I, "initializer": "orthogonal"}])
def test_steps_and_the_whole_sequence_agree(kind: Any, settings: dict[str, Any]) -> None:
    layer = seeded(kind, H, dtype=np.float64, **settings)
    steps = F.stack([layer(x) for x in X])
    state = [getattr(layer, part) for part in layer.parts]
    by_steps = gradients(layer, steps)
    ys = layer(X)
    np.testing.assert_allclose(ys.data, steps.data, rtol=1e-10, atol=1e-12)
    for a, b in zip(gradients(layer, ys), by_steps, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    for before, part in zip(state, layer.parts, strict=True):
        now = getattr(layer, part)
        for a, b in zip(before, now, strict=True) if isinstance(now, tuple) else [(before, now)]:
            np.testing.assert_allclose(a.data, b.data, rtol=1e-10, atol=1e-12)


@kinds
def test_a_sequence_starts_from_zeros_and_steps_go_on_from_it(kind: Any) -> None:
    layer = seeded(kind, H)
    ys = layer(X)
    np.testing.assert_array_equal(layer(X).data, ys.data)
    layer(X[:3])
    y = layer(X[3])
    np.testing.assert_allclose(y.data, ys.data[3], rtol=1e-5, atol=1e-6)


@kinds
@pytest.mark.parametrize("num_layers", [1, 2])
def test_stateful_sequences_go_on(kind: Any, num_layers: int) -> None:
    whole = seeded(kind, H, num_layers=num_layers, dtype=np.float64)
    ys = whole(X)
    parts = kind(H, num_layers=num_layers, dtype=np.float64, stateful=True)
    parts.load_state_dict(whole.state_dict())
    one, two, three = parts(X[:2]), parts(X[2]), parts(X[3:])
    np.testing.assert_allclose(F.concatenate((one, two.reshape(1, N, H), three)).data, ys.data, rtol=1e-10, atol=1e-12)
    for a, b in zip(gradients(parts, three), gradients(whole, ys[3:]), strict=True):  # through the whole past
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11)
    parts.reset_state()
    np.testing.assert_allclose(parts(X).data, ys.data, rtol=1e-10, atol=1e-12)


@kinds
def test_batch_first_and_both_directions(kind: Any) -> None:
    layer = seeded(kind, H, bidirectional=True, num_layers=2, dtype=np.float64)
    ys = layer(X)
    assert ys.shape == (T, N, 2 * H) and layer.Wx1.shape == (2 * H, layer.gates * H)
    turned = kind(H, bidirectional=True, num_layers=2, batch_first=True, dtype=np.float64)
    turned.load_state_dict(layer.state_dict())
    np.testing.assert_allclose(turned(X.swapaxes(0, 1)).data, ys.data.swapaxes(0, 1), rtol=1e-10)
    assert len(layer.h) == 4
    np.testing.assert_array_equal(layer.h[2].data, ys.data[-1, :, :H])  # the last step ahead, the first of the way back
    np.testing.assert_array_equal(layer.h[3].data, ys.data[0, :, H:])


def test_the_way_back_is_the_way_ahead_on_the_reversed_sequence() -> None:
    both, one = seeded(L.GRU, H, bidirectional=True, dtype=np.float64), L.GRU(H, dtype=np.float64)
    ys = both(X)
    one.load_state_dict({name: both.state_dict()[f"{name}_back"] for name in ("Wx", "Wh", "b", "bh")})
    np.testing.assert_allclose(one(X[::-1]).data[::-1], ys.data[:, :, H:], rtol=1e-10)


def test_an_empty_sequence_and_one_step() -> None:
    layer = seeded(L.LSTM, H)
    assert layer(X[:0]).shape == (0, N, H) and layer.h.data.max() == 0
    assert layer(X[:1]).shape == (1, N, H)


def test_dropout_stands_between_layers_only() -> None:
    plain, deep = seeded(L.RNN, H, dropout_ratio=1.0), seeded(L.RNN, H, num_layers=2, dropout_ratio=1.0)
    assert abs(plain(X).data).max() > 0
    assert abs(deep(X).data).max() == 0  # the second layer sees nothing but its bias, 0
    assert abs(deep(X[0]).data).max() == 0
    assert abs(deep.eval()(X).data).max() > 0


# -- weights -----------------------------------------------------------------------------------------


def test_weights_have_the_variance_of_lecun() -> None:
    layer = seeded(L.LSTM, 100, in_size=400)
    assert abs(float(layer.Wx.data.std()) * 20 - 1) < 0.02 and abs(float(layer.Wh.data.std()) * 10 - 1) < 0.02
    assert layer.b.data.max() == 0 and layer.Wx.dtype == np.float32
    W = L.LSTM(8, in_size=8, initializer="orthogonal", dtype=np.float64).Wh.data
    for gate in np.split(W, 4, axis=1):
        np.testing.assert_allclose(gate @ gate.T, np.eye(8), atol=1e-12)


def test_the_size_given_or_found_draws_the_same() -> None:
    early, late = seeded(L.GRU, H, in_size=I, num_layers=2), seeded(L.GRU, H, num_layers=2)
    late(X)
    for (name, a), (_, b) in zip(early.named_params(), late.named_params(), strict=True):
        np.testing.assert_array_equal(a.data, b.data, err_msg=name)


def test_bias_of_the_forget_gate() -> None:
    b = L.LSTM(2, in_size=1, forget_bias=1.0).b.data
    np.testing.assert_array_equal(b, [0, 0, 1, 1, 0, 0, 0, 0])


def test_words() -> None:
    layer = L.LSTM(H, num_layers=2, bidirectional=True, dropout_ratio=0.5)
    assert repr(layer) == "LSTM(? -> 6, num_layers=2, dropout_ratio=0.5, bidirectional)"
    assert repr(L.RNN(3, in_size=2, batch_first=True, stateful=True)) == "RNN(2 -> 3, batch_first, stateful)"
    with pytest.raises(StateError, match="LSTM: Wx, Wh, b, Wx_back, Wh_back and 7 more have no size yet"):
        layer.state_dict()


# -- the state ---------------------------------------------------------------------------------------


@kinds
def test_another_batch_needs_a_reset(kind: Any) -> None:
    layer = seeded(kind, H, in_size=I)  # the book's crashes at the second step
    layer(X[0])
    layer(X[1])
    with pytest.raises(ShapeError, match=rf"{kind.__name__}: x has a batch of 2 and the state h that the layer keeps one of 3: call reset_state\(\)"):
        layer(X[0, :2])
    layer.reset_state()
    assert layer.h is None and layer(X[0, :2]).shape == (2, H)


@kinds
def test_the_state_is_no_weight(kind: Any) -> None:
    layer = seeded(kind, H, num_layers=2)
    layer(X[0])
    assert all(name[0] in "Wb" for name in layer.state_dict())
    assert len(list(layer.params())) == 2 * len(layer.fields) and list(layer.buffers()) == []


@kinds
@pytest.mark.parametrize("num_layers", [1, 2])
def test_detached_states_send_no_gradient(kind: Any, num_layers: int) -> None:
    layer = seeded(kind, H, num_layers=num_layers, dtype=np.float64)
    first = Variable(X[0])
    y0 = layer(first)
    layer.detach_state()
    y = layer(X[1])
    assert not np.allclose(y.data, kind.forward(copy.deepcopy(layer), X[2]).data)
    F.sum(y).backward()
    assert first.grad is None and np.isfinite(y0.data).all()
    empty = kind(H)
    empty.detach_state()
    assert empty.h is None


@kinds
def test_a_state_that_hangs_on_a_spent_graph_says_so(kind: Any) -> None:
    layer = seeded(kind, H)
    F.sum(layer(X[0])).backward()
    with pytest.raises(FreedGraphError, match="unchain_backward"):
        F.sum(layer(X[1])).backward()


@kinds
def test_states_move_and_are_copied(kind: Any) -> None:
    layer = seeded(kind, H, num_layers=2)
    layer(X[0])
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert twin.h[1] is not layer.h[1] and twin.h[1].creator is None
        np.testing.assert_array_equal(twin(X[1]).data, copy.deepcopy(layer)(X[1]).data)
    layer._move(to_strict)
    assert all(isinstance(v.data, StrictArray) for part in layer.parts for v in getattr(layer, part))


@pytest.mark.usefixtures("strict")
@kinds
def test_steps_after_a_move(kind: Any) -> None:
    layer = seeded(kind, H)
    layer(X[0].astype(np.float32))
    here = copy.deepcopy(layer)(X[1].astype(np.float32))
    layer._move(to_strict)
    np.testing.assert_allclose(layer(to_strict(X[1].astype(np.float32))).data.get(), here.data, rtol=1e-6)


def test_a_summary_does_not_ask_for_the_batch_of_the_state() -> None:
    layer = seeded(L.LSTM, H, num_layers=2)
    layer.summary((1, I))
    assert layer.h is None and layer(X[0]).shape == (N, H)
    kept = layer.h
    assert "(1, 6)" in layer.summary((1, I)) and layer.h is kept


@pytest.mark.parametrize(("make", "x", "words"), [
    (lambda: L.RNN(H), X[0, 0], r"RNN: x is \(4,\) float64: \(N, I\) for one step or \(T, N, I\) for whole sequences is expected"),
    (lambda: L.GRU(H, bidirectional=True, batch_first=True), X[0], r"\(N, T, I\) for whole sequences, since it also runs backward, is expected"),
    (lambda: L.LSTM(H, in_size=3), X, r"Wx must be \(4, 24\): as many rows as x has features"),
])
def test_what_does_not_fit_is_told(make: Any, x: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        make()(x)


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ValueError, match=r"LSTM: hidden_size is 0: a positive integer is expected"):
        L.LSTM(0)
    with pytest.raises(ValueError, match="RNN: num_layers is 1.5"):
        L.RNN(2, num_layers=1.5)
    with pytest.raises(ValueError, match="GRU: stateful=True does not go with bidirectional=True"):
        L.GRU(2, bidirectional=True, stateful=True)
    with pytest.raises(TypeError, match="RNN: dtype is int32"):
        L.RNN(2, dtype=np.int32)


# -- truncated backpropagation through time (steps 59 and 60) -----------------------------------------


class Forecast(Layer):
    def __init__(self, kind: Any) -> None:
        super().__init__()
        self.rnn, self.fc = kind(20), L.Linear(1)

    def forward(self, x: Any) -> Any:
        return self.fc(self.rnn(x))


SERIES = np.sin(np.linspace(0, 12 * np.pi, 301)).astype(np.float32).reshape(-1, 1, 1)


class Learner:
    """Trains a net by Adam on chunks of the series, after each of which the past is cut off."""

    def __init__(self, net: Any) -> None:
        self.net, self.n, self.moments, self.graphs = net, 0, {}, []

    def update(self, loss: Any) -> None:
        self.net.cleargrads()
        loss.backward()
        self.graphs.append(weakref.ref(loss.creator))
        loss.unchain_backward()
        self.n += 1
        for p in self.net.params():
            g = p.grad.data
            m, v = self.moments.get(p, (0, 0))
            m, v = self.moments[p] = 0.9 * m + 0.1 * g, 0.999 * v + 0.001 * g * g
            p.data -= 0.01 * (m / (1 - 0.9 ** self.n)) / (np.sqrt(v / (1 - 0.999 ** self.n)) + 1e-8)

    def epoch(self, whole: bool = False) -> float:
        """The mean loss over all chunks."""
        self.net.rnn.reset_state()
        total = 0.0
        for i in range(0, 270, 30):
            x, t = SERIES[i:i + 30], SERIES[i + 1:i + 31]
            loss: Any = 0
            if whole:
                loss = F.mean_squared_error(self.net(x), t) * len(x)
            else:
                for step, target in zip(x, t, strict=True):
                    loss += F.mean_squared_error(self.net(step), target)
            self.update(loss)
            total += float(loss.data) / 270
        return total


@kinds
def test_truncated_backpropagation_learns_a_wave(kind: Any) -> None:
    learner = Learner(seeded(Forecast, kind))
    gc.collect()
    gc.disable()
    try:
        losses = [learner.epoch() for _ in range(6)]
        assert sum(r() is not None for r in learner.graphs) <= 1  # no graph of the past is held
    finally:
        gc.enable()
    assert losses[-1] < 0.1 * losses[0], losses
    net = learner.net
    with no_grad():
        net.rnn.reset_state()
        ys = np.array([float(net(x).data.item()) for x in SERIES[:100]])
    assert np.mean((ys[20:] - SERIES[21:101, 0, 0]) ** 2) < 0.05


def test_stateful_sequences_train_as_steps_do() -> None:
    by_steps = Learner(seeded(Forecast, L.LSTM))
    in_chunks = Learner(Forecast(lambda n: L.LSTM(n, stateful=True)))
    by_steps.net(SERIES[0])
    in_chunks.net.load_state_dict(by_steps.net.state_dict())
    for _ in range(2):
        assert in_chunks.epoch(whole=True) == pytest.approx(by_steps.epoch(), rel=1e-3)


@kinds
def test_after_unchaining_the_gradients_are_those_from_the_cut_on(kind: Any) -> None:
    layer = seeded(kind, H, num_layers=2, dtype=np.float64)
    past = Variable(X[0])
    F.sum(layer(past)).unchain_backward()
    for x in X[1:3]:
        y = layer(x)
    found = gradients(layer, y)
    twin = copy.deepcopy(layer)
    twin.reset_state()
    twin(X[0])
    twin.detach_state()
    for x in X[1:3]:
        y = twin(x)
    assert past.grad is None
    for a, b in zip(found, gradients(twin, y), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-12)


# -- PyTorch -----------------------------------------------------------------------------------------


@pytest.mark.torch
@kinds
@pytest.mark.parametrize(("num_layers", "bidirectional", "batch_first"), [(1, False, False), (2, True, True)])
def test_pytorch(kind: Any, num_layers: int, bidirectional: bool, batch_first: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
    settings = {"num_layers": num_layers, "bidirectional": bidirectional, "batch_first": batch_first}
    layer = seeded(kind, H, in_size=I, dtype=np.float64, **settings)
    theirs = getattr(torch.nn, kind.__name__)(I, H, **settings).double()
    pairs = {"Wx": "weight_ih", "Wh": "weight_hh", "b": "bias_ih", "bh": "bias_hh"}
    ours = dict(layer.named_params())
    names = {f"{field}{n or ''}{way}": f"{pairs[field]}_l{n}{'_reverse' if way else ''}" for field in layer.fields for n in range(num_layers)
             for way in ("", "_back")[:1 + bidirectional]}
    rng = np.random.default_rng(0)
    with torch.no_grad():
        for p in theirs.parameters():
            p.zero_()
        for name, p in ours.items():
            p.data = p.data + 0.1 * rng.normal(size=p.shape)
            getattr(theirs, names[name]).copy_(torch.tensor(p.data.T))
    x, t = Variable(X), torch.tensor(X, requires_grad=True)
    y, (z, state) = layer(x), theirs(t)
    F.sum(F.sin(y)).backward()
    torch.sin(z).sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(x.grad.data, t.grad.numpy(), rtol=1e-9, atol=1e-11)
    for name, p in ours.items():
        np.testing.assert_allclose(p.grad.data, getattr(theirs, names[name]).grad.numpy().T, rtol=1e-8, atol=1e-10, err_msg=name)
    for part, last in zip(layer.parts, state if isinstance(state, tuple) else (state,), strict=True):
        kept = getattr(layer, part)
        kept = np.stack([v.data for v in (kept if isinstance(kept, tuple) else (kept,))])
        np.testing.assert_allclose(kept, last.detach().numpy(), rtol=1e-9, atol=1e-11)
