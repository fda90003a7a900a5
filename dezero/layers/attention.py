"""Attention as layers: multi-head attention, the encoder layer of a transformer, and positions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.backend.arrays import kind_of
from dezero.core import Parameter, Variable
from dezero.core.checks import fraction
from dezero.core.types import Operand
from dezero.errors import ShapeError, describe
from dezero.initializers import Normal, Spec, initializer
from dezero.layers.dropout import Dropout
from dezero.layers.layer import Layer
from dezero.layers.linear import Linear, float_dtype, size
from dezero.layers.norm import LayerNorm


def _checked(layer: str, name: str, x: Any, features: int) -> Any:
    """``x``, if it is (N, T, features)."""
    shape: tuple[int, ...] = getattr(x, "shape", ())
    if len(shape) != 3 or shape[2] != features:
        raise ShapeError(f"{layer}: {name} is {describe(x)}: an array (N, T, {features}) is expected: batch, positions, features")
    return x


class MultiHeadAttention(Layer):
    """Attention in several heads side by side (Vaswani et al., "Attention is all you need", 2017).

    Queries, keys and values are projected, cut into heads, attended (:func:`dezero.functions.scaled_dot_product_attention`), put
    together again and projected once more.

    Args:
        embed_size: E, the number of features of queries and of the output.
        heads: how many heads share them; divides E.
        dropout_ratio: probability with which a weight of the attention is dropped, in train mode.
        bias: give the four projections a bias.
        kv_size: features of keys and values, if other than E.
        dtype: of the weights.
        initializer: of the weights; LeCun's by default.

    Attributes:
        q, k, v, out: the projections, each a :class:`Linear`.

    Raises:
        ValueError: the heads do not divide E.
        ShapeError: at the call, if an input does not fit.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> attention = L.MultiHeadAttention(8, heads=2)
        >>> x, memory = np.ones((3, 5, 8), np.float32), np.ones((3, 7, 8), np.float32)
        >>> attention(x, causal=True).shape, attention(x, memory).shape
        ((3, 5, 8), (3, 5, 8))
    """

    def __init__(self, embed_size: int, heads: int, dropout_ratio: float = 0.0, bias: bool = True, kv_size: int | None = None,
                 dtype: Any = np.float32, initializer: Spec = "lecun") -> None:
        super().__init__()
        E = self.embed_size = size("MultiHeadAttention", "embed_size", embed_size)
        self.heads = size("MultiHeadAttention", "heads", heads)
        if E % self.heads:
            raise ValueError(f"MultiHeadAttention: embed_size {E} cannot be divided by heads {heads}")
        self.kv_size = E if kv_size is None else size("MultiHeadAttention", "kv_size", kv_size)
        self.dropout_ratio = fraction("MultiHeadAttention", "dropout_ratio", dropout_ratio)
        self.q, self.k, self.v, self.out = (Linear(E, not bias, dtype, n, initializer) for n in (E, self.kv_size, self.kv_size, E))

    def forward(self, q: Operand, k: Operand | None = None, v: Operand | None = None, mask: Operand | None = None, causal: bool = False) -> Variable:
        """Attend.

        Args:
            q: queries (N, L, E).
            k: keys (N, S, kv_size); None for ``q``, self-attention.
            v: values (N, S, kv_size); None for ``k``.
            mask: bool, True where a query may attend, or float, added to the scores: (L, S), (N, L, S) or (N, heads, L, S), where an
                axis may be 1. ``is_word[:, None, :]`` hides the padding (N, S) of keys.
            causal: no query attends to later positions.

        Returns:
            (N, L, E).
        """
        k = q if k is None else k
        v = k if v is None else v
        name = "MultiHeadAttention"
        q = self._split(self.q(_checked(name, "q", q, self.embed_size)))
        k = self._split(self.k(_checked(name, "k", k, self.kv_size)))
        v = self._split(self.v(_checked(name, "v", v, self.kv_size)))
        if len(getattr(mask, "shape", ())) == 3:
            mask = mask[:, None]  # type: ignore[index]
        y = F.scaled_dot_product_attention(q, k, v, mask, causal, dropout_ratio=self.dropout_ratio)
        joined: Variable = self.out(y.transpose(0, 2, 1, 3).reshape(y.shape[0], y.shape[2], self.embed_size))
        return joined

    def _split(self, x: Variable) -> Variable:
        """(N, T, E) to (N, heads, T, E / heads)."""
        N, T, E = x.shape
        y: Variable = x.reshape(N, T, self.heads, E // self.heads).transpose(0, 2, 1, 3)
        return y

    def extra_repr(self) -> str:
        return f"{self.embed_size}, heads={self.heads}" + (f", dropout_ratio={self.dropout_ratio}" if self.dropout_ratio else "")


class TransformerEncoderLayer(Layer):
    """Self-attention, then a network of two layers at each position, each around a shortcut (Vaswani et al., 2017).

    With ``norm_first`` it is ``x + f(norm(x))``, which trains deep stacks without warm-up (Xiong et al., "On layer normalization in the
    transformer architecture", 2020); put a :class:`LayerNorm` behind the last layer. Without, it is the original ``norm(x + f(x))``.

    Args:
        embed_size: E, the number of features.
        heads: of the attention; divides E.
        ff_size: width of the network; None for 4 E.
        dropout_ratio: of the attention's weights and behind each of the parts, in train mode.
        activation: of the network, a function or layer.
        norm_first: see above.
        causal: no position attends to later ones, as in a GPT.
        dtype: of the weights.

    Attributes:
        attention, norm1, fc1, fc2, norm2, dropout: the layers.

    Raises:
        ValueError: the heads do not divide E.
        ShapeError: at the call, if x is not (N, T, E).

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> layer = L.TransformerEncoderLayer(8, heads=2, causal=True)
        >>> layer(np.ones((3, 5, 8), np.float32)).shape, layer.count_params()
        ((3, 5, 8), 872)
    """

    def __init__(self, embed_size: int, heads: int, ff_size: int | None = None, dropout_ratio: float = 0.1,
                 activation: Callable[[Any], Any] = F.gelu, norm_first: bool = True, causal: bool = False, dtype: Any = np.float32) -> None:
        super().__init__()
        E = size("TransformerEncoderLayer", "embed_size", embed_size)
        width = 4 * E if ff_size is None else size("TransformerEncoderLayer", "ff_size", ff_size)
        self.norm_first, self.causal, self.activation = bool(norm_first), bool(causal), activation
        self.attention = MultiHeadAttention(E, heads, dropout_ratio, dtype=dtype)
        self.norm1 = LayerNorm(E, dtype=dtype)
        self.fc1, self.fc2 = Linear(width, dtype=dtype, in_size=E), Linear(E, dtype=dtype, in_size=width)
        self.norm2 = LayerNorm(E, dtype=dtype)
        self.dropout = Dropout(dropout_ratio)

    def forward(self, x: Operand, mask: Operand | None = None) -> Variable:
        """The layer's output (N, T, E) for x (N, T, E); ``mask`` as in :class:`MultiHeadAttention`."""
        _checked("TransformerEncoderLayer", "x", x, self.attention.embed_size)
        if self.norm_first:
            x = x + self._attended(self.norm1(x), mask)
            return x + self._mapped(self.norm2(x))  # type: ignore[no-any-return]
        x = self.norm1(x + self._attended(x, mask))
        return self.norm2(x + self._mapped(x))  # type: ignore[no-any-return]

    def _attended(self, x: Any, mask: Operand | None) -> Any:
        return self.dropout(self.attention(x, mask=mask, causal=self.causal))

    def _mapped(self, x: Any) -> Any:
        return self.dropout(self.fc2(self.dropout(self.activation(self.fc1(x)))))

    def extra_repr(self) -> str:
        return f"norm_first={self.norm_first}" + (", causal" if self.causal else "")


class PositionalEncoding(Layer):
    """``x + P`` with waves that tell positions apart (Vaswani et al., 2017): ``P[t, 2i] = sin(t / 10000^(2i / E))``, ``P[t, 2i + 1]`` its cosine.

    Nothing is trained, and sequences may have any length.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> print(L.PositionalEncoding()(np.zeros((1, 2, 4))).data.round(3))
        [[[0.    1.    0.    1.   ]
          [0.841 0.54  0.01  1.   ]]]
    """

    def __init__(self) -> None:
        super().__init__()
        self.table: Variable | None = None  # moves with the layer and is not saved

    def forward(self, x: Operand) -> Variable:
        if len(getattr(x, "shape", ())) != 3:
            raise ShapeError(f"PositionalEncoding: x is {describe(x)}: an array (N, T, E) is expected: batch, positions, features")
        xp, dtype = array_module(x), x.dtype if kind_of(x.dtype) == "f" else np.dtype(np.float32)
        _, T, E = x.shape
        P = self.table
        if P is None or P.shape[0] < T or P.shape[1] != E or P.dtype != dtype or array_module(P) is not xp:
            P = self.table = Variable(xp.asarray(_waves(T, E).astype(dtype)), requires_grad=False)
        return F.add(x, P.data[:T])


def _waves(T: int, E: int) -> Any:
    columns = np.arange(E)
    angles = np.arange(T)[:, None] / 10000.0 ** ((columns - columns % 2) / E)
    return np.where(columns % 2, np.cos(angles), np.sin(angles))


class PositionalEmbedding(Layer):
    """``x + W`` with a trained row for each position, as in GPT-2.

    Args:
        length: the longest sequence.
        embed_size: E.
        dtype: of W.
        initializer: of W; normal with standard deviation 0.02 by default.

    Attributes:
        W: (length, E).

    Raises:
        ShapeError: at the call, if x is not (N, T, E) with T <= length.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> L.PositionalEmbedding(16, 4)(np.zeros((2, 10, 4), np.float32)).shape
        (2, 10, 4)
    """

    def __init__(self, length: int, embed_size: int, dtype: Any = np.float32, initializer: Spec | None = None) -> None:
        super().__init__()
        shape = size("PositionalEmbedding", "length", length), size("PositionalEmbedding", "embed_size", embed_size)
        self.W = Parameter(_rows(initializer, shape, float_dtype("PositionalEmbedding", dtype)), name="W")

    def forward(self, x: Operand) -> Variable:
        length, E = self.W.shape
        T = _checked("PositionalEmbedding", "x", x, E).shape[1]
        if length < T:
            raise ShapeError(f"PositionalEmbedding: x has {T} positions, more than the {length} that have a row: give length={T} or more")
        return F.add(x, self.W[:T])

    def extra_repr(self) -> str:
        return f"{self.W.shape[0]} positions -> {self.W.shape[1]}"


def _rows(spec: Spec | None, shape: tuple[int, int], dtype: Any) -> Any:
    return initializer(Normal(0.02) if spec is None else spec)(shape, dtype)


__all__ = ["MultiHeadAttention", "PositionalEmbedding", "PositionalEncoding", "TransformerEncoderLayer"]
