"""Attention layers: the formula, masks, causality, cross attention, positions, PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, test_mode
from dezero.errors import ShapeError

pytestmark = pytest.mark.seeds
N, T, S, E = 2, 5, 7, 8
rng = np.random.default_rng(0)
X, MEMORY = rng.normal(size=(N, T, E)), rng.normal(size=(N, S, E))


def seeded(make: Any, *args: Any, **settings: Any) -> Any:
    np.random.seed(0)
    return make(*args, **settings)


def softmax(s: Any) -> Any:
    p = np.exp(s - s.max(-1, keepdims=True))
    return p / p.sum(-1, keepdims=True)


def by_hand(layer: Any, q: Any, k: Any, v: Any, allowed: Any = True) -> Any:
    """Head by head, in NumPy."""
    q, k, v = (a @ f.W.data + f.b.data for a, f in ((q, layer.q), (k, layer.k), (v, layer.v)))
    D = layer.embed_size // layer.heads
    heads = []
    for h in range(layer.heads):
        at = slice(h * D, (h + 1) * D)
        s = q[..., at] @ k[..., at].swapaxes(1, 2) / np.sqrt(D)
        heads.append(softmax(np.where(allowed, s, -np.inf)) @ v[..., at])
    return np.concatenate(heads, axis=2) @ layer.out.W.data + layer.out.b.data


def test_the_heads_attend_apart() -> None:
    layer = seeded(L.MultiHeadAttention, E, 4, dtype=np.float64)
    np.testing.assert_allclose(layer(X).data, by_hand(layer, X, X, X), rtol=1e-9)
    np.testing.assert_allclose(layer(X, MEMORY).data, by_hand(layer, X, MEMORY, MEMORY), rtol=1e-9)
    np.testing.assert_allclose(layer(X, MEMORY, MEMORY + 1).data, by_hand(layer, X, MEMORY, MEMORY + 1), rtol=1e-9)


def test_masks() -> None:
    layer = seeded(L.MultiHeadAttention, E, 2, dtype=np.float64)
    allowed = rng.random((N, T, S)) < 0.7
    allowed[..., 0] = True
    np.testing.assert_allclose(layer(X, MEMORY, mask=allowed[0]).data, by_hand(layer, X, MEMORY, MEMORY, allowed[0]), rtol=1e-9)
    np.testing.assert_allclose(layer(X, MEMORY, mask=allowed).data, by_hand(layer, X, MEMORY, MEMORY, allowed), rtol=1e-9)
    np.testing.assert_allclose(layer(X, MEMORY, mask=allowed[:, None]).data, by_hand(layer, X, MEMORY, MEMORY, allowed), rtol=1e-9)
    words = np.arange(S) < np.array([[3], [7]])
    padded = layer(X, MEMORY, mask=words[:, None, :]).data
    np.testing.assert_allclose(padded[0], layer(X[:1], MEMORY[:1, :3]).data[0], rtol=1e-9)
    bias = Variable(rng.normal(size=(T, S)))
    F.sum(F.sin(layer(X, MEMORY, mask=bias))).backward()
    assert bias.grad.shape == (T, S)


@pytest.mark.parametrize("make", [lambda: L.MultiHeadAttention(E, 2, dtype=np.float64),
                                  lambda: L.TransformerEncoderLayer(E, 2, dropout_ratio=0.0, causal=True, dtype=np.float64)])
def test_causal_attention_does_not_see_what_comes_later(make: Any) -> None:
    layer = seeded(make)
    settings = {"causal": True} if isinstance(layer, L.MultiHeadAttention) else {}
    later = X.copy()
    later[:, 3:] += 1
    a, b = layer(X, **settings).data, layer(later, **settings).data
    np.testing.assert_allclose(a[:, :3], b[:, :3], rtol=1e-12)
    assert not np.allclose(a[:, 3:], b[:, 3:])


def test_other_sizes_of_keys_and_no_bias() -> None:
    layer = seeded(L.MultiHeadAttention, E, 2, bias=False, kv_size=3)
    assert layer(X, MEMORY[..., :3]).shape == (N, T, E)
    assert [name for name, _ in layer.named_params()] == ["q.W", "k.W", "v.W", "out.W"]


def test_dropout_works_while_training_only() -> None:
    layer = seeded(L.MultiHeadAttention, E, 2, dropout_ratio=0.5, dtype=np.float64)
    assert not np.allclose(layer(X).data, layer(X).data)
    with test_mode():
        np.testing.assert_allclose(layer(X).data, by_hand(layer, X, X, X), rtol=1e-9)
    np.testing.assert_allclose(layer.eval()(X).data, by_hand(layer, X, X, X), rtol=1e-9)


@pytest.mark.parametrize(("call", "words"), [
    (lambda: L.MultiHeadAttention(E, 2)(X[0]), r"MultiHeadAttention: q is \(5, 8\) float64: an array \(N, T, 8\) is expected"),
    (lambda: L.MultiHeadAttention(E, 2)(X, MEMORY[..., :3]), r"MultiHeadAttention: k is \(2, 7, 3\) float64: an array \(N, T, 8\) is expected"),
    (lambda: L.MultiHeadAttention(E, 2)(X, mask=np.ones((T, S), bool)), r"mask must broadcast to"),
    (lambda: L.TransformerEncoderLayer(E, 2)(X[..., :4]), r"TransformerEncoderLayer: x is \(2, 5, 4\) float64"),
    (lambda: L.PositionalEncoding()(X[0]), r"PositionalEncoding: x is \(5, 8\) float64"),
    (lambda: L.PositionalEmbedding(4, E)(X), r"x has 5 positions, more than the 4 that have a row: give length=5 or more"),
])
def test_what_does_not_fit_is_told(call: Any, words: str) -> None:
    with pytest.raises(ShapeError, match=words):
        call()


def test_wrong_settings_are_told() -> None:
    with pytest.raises(ValueError, match="MultiHeadAttention: embed_size 8 cannot be divided by heads 3"):
        L.MultiHeadAttention(8, 3)
    with pytest.raises(ValueError, match="heads is 0"):
        L.TransformerEncoderLayer(8, 0)


def test_words() -> None:
    text = repr(L.TransformerEncoderLayer(8, 2, causal=True))
    assert text.startswith("TransformerEncoderLayer(norm_first=True, causal\n  attention: MultiHeadAttention(8, heads=2, dropout_ratio=0.1\n")
    assert repr(L.PositionalEmbedding(3, 4)) == "PositionalEmbedding(3 positions -> 4)"


# -- positions ----------------------------------------------------------------------------------------


def test_positional_encoding_is_waves() -> None:
    layer = L.PositionalEncoding()
    for size, length in ((6, 4), (6, 9), (5, 3)):
        P = layer(np.zeros((1, length, size))).data[0]
        for t in range(length):
            for i in range(size):
                angle = t / 10000 ** ((i - i % 2) / size)
                assert P[t, i] == pytest.approx(np.cos(angle) if i % 2 else np.sin(angle))
    assert list(layer.params()) == [] and layer.state_dict() == {}
    assert layer(X.astype(np.float32)).dtype == np.float32
    x = Variable(X)
    layer(x).sum().backward()
    np.testing.assert_array_equal(x.grad.data, np.ones_like(X))


def test_positional_embedding_adds_its_rows() -> None:
    layer = seeded(L.PositionalEmbedding, 100, E)
    np.testing.assert_allclose(layer(X).data, X + layer.W.data[:T], rtol=1e-6)
    assert abs(float(layer.W.data.std()) - 0.02) < 0.002
    F.sum(layer(X)).backward()
    np.testing.assert_array_equal(layer.W.grad.data[:, 0], [N] * T + [0] * 95)


# -- PyTorch ------------------------------------------------------------------------------------------


def give_attention(torch: Any, layer: Any, theirs: Any) -> None:
    theirs.in_proj_weight.copy_(torch.tensor(np.concatenate([f.W.data.T for f in (layer.q, layer.k, layer.v)])))
    theirs.in_proj_bias.copy_(torch.tensor(np.concatenate([f.b.data for f in (layer.q, layer.k, layer.v)])))
    theirs.out_proj.weight.copy_(torch.tensor(layer.out.W.data.T))
    theirs.out_proj.bias.copy_(torch.tensor(layer.out.b.data))


def shaken(layer: L.Layer) -> Any:
    """The layer with weights that are neither 0 nor 1."""
    for p in layer.params():
        p.data = p.data + 0.1 * rng.normal(size=p.shape)
    return layer


@pytest.mark.torch
def test_pytorch_attention() -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
    layer = shaken(seeded(L.MultiHeadAttention, E, 4, dtype=np.float64))
    theirs = torch.nn.MultiheadAttention(E, 4, batch_first=True).double()
    with torch.no_grad():
        give_attention(torch, layer, theirs)
    allowed = rng.random((T, S)) < 0.7
    allowed[:, 0] = True
    q, kv = Variable(X), Variable(MEMORY)
    tq, tkv = (torch.tensor(a, requires_grad=True) for a in (X, MEMORY))
    y = layer(q, kv, mask=allowed)
    z, _ = theirs(tq, tkv, tkv, attn_mask=torch.tensor(~allowed))
    F.sum(F.sin(y)).backward()
    torch.sin(z).sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(q.grad.data, tq.grad.numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(kv.grad.data, tkv.grad.numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(layer.k.W.grad.data.T, theirs.in_proj_weight.grad.numpy()[E:2 * E], rtol=1e-8, atol=1e-10)


@pytest.mark.torch
@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("causal", [True, False])
def test_pytorch_encoder_layer(norm_first: bool, causal: bool) -> None:
    torch = pytest.importorskip("torch", reason="PyTorch is the second oracle")
    layer = shaken(seeded(L.TransformerEncoderLayer, E, 2, 12, dropout_ratio=0.0, norm_first=norm_first, causal=causal, dtype=np.float64))
    theirs = torch.nn.TransformerEncoderLayer(E, 2, 12, dropout=0.0, activation="gelu", batch_first=True, norm_first=norm_first).double()
    with torch.no_grad():
        give_attention(torch, layer.attention, theirs.self_attn)
        for ours, other in ((layer.fc1, theirs.linear1), (layer.fc2, theirs.linear2)):
            other.weight.copy_(torch.tensor(ours.W.data.T))
            other.bias.copy_(torch.tensor(ours.b.data))
        for norm, other in ((layer.norm1, theirs.norm1), (layer.norm2, theirs.norm2)):
            other.weight.copy_(torch.tensor(norm.gamma.data))
            other.bias.copy_(torch.tensor(norm.beta.data))
    x, t = Variable(X), torch.tensor(X, requires_grad=True)
    y = layer(x)
    z = theirs(t, src_mask=torch.nn.Transformer.generate_square_subsequent_mask(T, dtype=torch.float64) if causal else None, is_causal=causal)
    F.sum(F.sin(y)).backward()
    torch.sin(z).sum().backward()
    np.testing.assert_allclose(y.data, z.detach().numpy(), rtol=1e-9, atol=1e-11)
    np.testing.assert_allclose(x.grad.data, t.grad.numpy(), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(layer.fc1.W.grad.data.T, theirs.linear1.weight.grad.numpy(), rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(layer.norm1.gamma.grad.data, theirs.norm1.weight.grad.numpy(), rtol=1e-8, atol=1e-10)
