"""Recurrent layers, step by step or over whole sequences: RNN, LSTM, GRU."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

import dezero.functions as F
from dezero.backend import array_module
from dezero.core import Parameter, Variable
from dezero.core.checks import fraction, number
from dezero.core.types import Operand
from dezero.errors import ShapeError, describe
from dezero.initializers import Spec, initializer
from dezero.layers.layer import Layer
from dezero.layers.linear import float_dtype, size, sizing

State = tuple[Any, ...]  # of one layer in one direction: h, or h and c


class _Recurrent(Layer):
    """What the recurrent layers share: weights, the state that is kept, and the way through layers and directions."""

    gates = 1
    parts: tuple[str, ...] = ("h",)                # of the state
    fields: tuple[str, ...] = ("Wx", "Wh", "b")    # of the weights
    h: Any
    Wx: Parameter
    Wh: Parameter
    b: Parameter

    def __init__(self, hidden_size: int, in_size: int | None = None, num_layers: int = 1, bidirectional: bool = False, batch_first: bool = False,
                 dropout_ratio: float = 0.0, dtype: Any = np.float32, stateful: bool = False, initializer: Spec = "lecun") -> None:
        super().__init__()
        name = type(self).__name__
        self.hidden_size, self.num_layers = size(name, "hidden_size", hidden_size), size(name, "num_layers", num_layers)
        self.bidirectional, self.batch_first, self.stateful = bool(bidirectional), bool(batch_first), bool(stateful)
        if stateful and bidirectional:
            raise ValueError(f"{name}: stateful=True does not go with bidirectional=True: the way back starts at the end of a sequence, "
                             "which nothing comes after")
        self.dropout_ratio = fraction(name, "dropout_ratio", dropout_ratio)
        self.dtype = float_dtype(name, dtype)
        self.initializer = initializer
        self._suffixes = tuple(f"{layer or ''}{way}" for layer in range(self.num_layers) for way in ("", "_back")[:1 + self.bidirectional])
        for suffix in self._suffixes:
            for field in self.fields:
                setattr(self, field + suffix, Parameter(None, name=field + suffix))
        self.reset_state()
        if in_size is not None:
            self._size(size(name, "in_size", in_size), np)

    # -- what subclasses say -----------------------------------------------------------------------

    def cell(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        """The state after one step (N, I)."""
        raise NotImplementedError

    def run(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        """The outputs of all steps (T, N, I), then the state after the last one."""
        raise NotImplementedError

    def bias(self, xp: Any) -> Any:
        """The first value of a bias."""
        return xp.zeros(self.gates * self.hidden_size, self.dtype)

    # -- weights -----------------------------------------------------------------------------------

    def _shapes(self, in_size: int | None) -> dict[str, tuple[int | None, ...]]:
        H, k = self.hidden_size, self.gates * self.hidden_size
        shapes: dict[str, tuple[int | None, ...]] = {}
        for i, suffix in enumerate(self._suffixes):
            I = in_size if i <= self.bidirectional else H * (1 + self.bidirectional)
            shapes.update({field + suffix: {"Wx": (I, k), "Wh": (H, k)}.get(field, (k,)) for field in self.fields})
        return shapes

    def _size(self, in_size: int, xp: Any) -> None:
        """Give a first value to each weight that has none; each gate's block is drawn by itself."""
        draw, H = initializer(self.initializer), self.hidden_size
        for name, shape in self._shapes(in_size).items():
            p = getattr(self, name)
            if p.data is None and len(shape) == 1:
                p.data = self.bias(xp)
            elif p.data is None:
                rows = shape[0] or in_size
                p.data = xp.concatenate([draw((rows, H), self.dtype, rows, H, xp) for _ in range(self.gates)], axis=1)

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        return self._shapes(None)

    def extra_repr(self) -> str:
        text = f"{'?' if self.Wx.data is None else self.Wx.shape[0]} -> {self.hidden_size}"
        text += f", num_layers={self.num_layers}" if self.num_layers > 1 else ""
        text += f", dropout_ratio={self.dropout_ratio}" if self.dropout_ratio else ""
        return text + "".join(f", {flag}" for flag in ("bidirectional", "batch_first", "stateful") if getattr(self, flag))

    # -- the state ---------------------------------------------------------------------------------

    def reset_state(self) -> None:
        """Forget the state: the next step starts from zeros."""
        for part in self.parts:
            setattr(self, part, None)

    def detach_state(self) -> None:
        """Keep the state as a number without history: no gradient flows from later steps into earlier ones."""
        for part in self.parts:
            kept = getattr(self, part)
            if kept is not None:
                setattr(self, part, tuple(v.detach() for v in kept) if isinstance(kept, (tuple, list)) else kept.detach())

    def _kept(self, n: int) -> list[State]:
        """The state of each layer for a batch of n."""
        columns: list[Sequence[Any]] = []
        for part in self.parts:
            kept = getattr(self, part)
            column = kept if isinstance(kept, (tuple, list)) else (kept,) * len(self._suffixes)
            for v in column:
                if v is not None and v.shape[0] != n:
                    raise ShapeError(f"{type(self).__name__}: x has a batch of {n} and the state {part} that the layer keeps one of {v.shape[0]}: "
                                     "call reset_state() before another batch starts")
            columns.append(column)
        return list(zip(*columns, strict=True))

    def _keep(self, states: Sequence[State]) -> None:
        for part, values in zip(self.parts, zip(*states, strict=True), strict=True):
            setattr(self, part, values[0] if len(values) == 1 else values)

    # -- running -----------------------------------------------------------------------------------

    def forward(self, x: Operand) -> Variable:
        ndim = len(getattr(x, "shape", ()))
        if ndim not in (2, 3) or (ndim == 2 and self.bidirectional):
            whole = f"({'N, T' if self.batch_first else 'T, N'}, I) for whole sequences"
            expected = f"{whole}, since it also runs backward," if self.bidirectional else f"(N, I) for one step or {whole}"
            raise ShapeError(f"{type(self).__name__}: x is {describe(x)}: {expected} is expected")
        weights = [[getattr(self, field + suffix) for field in self.fields] for suffix in self._suffixes]
        if any(p._data is None for ps in weights for p in ps):
            with sizing:
                self._size(x.shape[-1], array_module(x))
        y: Variable = self._step(x, weights) if ndim == 2 else self._sequence(x, weights)
        return y

    def _step(self, x: Any, weights: list[list[Parameter]]) -> Any:
        states = []
        for i, kept in enumerate(self._kept(x.shape[0])):
            states.append(self.cell(self._dropped(x, i), kept, weights[i]))
            x = states[-1][0]
        self._keep(states)
        return x

    def _sequence(self, x: Any, weights: list[list[Parameter]]) -> Any:
        if self.batch_first:
            x = x.swapaxes(0, 1)
        nothing = (None,) * len(self.parts)
        before = self._kept(x.shape[1]) if self.stateful else [nothing] * len(self._suffixes)
        states: list[State] = []
        for layer in range(self.num_layers):
            x = self._dropped(x, layer)
            if self.bidirectional:
                ahead, *end = self.run(x, nothing, weights[len(states)])
                back, *start = self.run(x[::-1], nothing, weights[len(states) + 1])
                states += [tuple(end), tuple(start)]
                x = F.concatenate((ahead, back[::-1]), axis=2)
            else:
                x, *end = self.run(x, before[layer], weights[layer])
                states.append(tuple(end))
        self._keep(states)
        return x.swapaxes(0, 1) if self.batch_first else x

    def _dropped(self, x: Any, layer: int) -> Any:
        return F.dropout(x, self.dropout_ratio) if layer and self.dropout_ratio else x


class RNN(_Recurrent):
    """A simple recurrent network, ``h = tanh(x Wx + h Wh + b)`` (Elman, 1990).

    **Steps.** Called with x (N, I), the layer makes one step, keeps its state and returns it, (N, H). The next step goes on from there, and
    gradients flow back through all steps until ``loss.unchain_backward()`` or :meth:`detach_state` cuts them off (truncated backpropagation
    through time). :meth:`reset_state` starts anew.

    **Whole sequences.** Called with x (T, N, I), it runs all steps as one op and returns all states, (T, N, H). Each call starts from
    zeros; with ``stateful=True`` it goes on from the state that the last call, of either form, has left, and its gradients flow back in the
    same way. The last state is kept in both cases, so steps can go on from a sequence.

    Args:
        hidden_size: H.
        in_size: I; None sizes the weights at the first call.
        num_layers: layers one on top of the other; each gets the states of the one below as its input.
        bidirectional: a second set of weights runs from the end to the start, and the results (T, N, 2H) stand side by side. For whole
            sequences only.
        batch_first: whole sequences come and go as (N, T, ...).
        dropout_ratio: dropout between layers, in train mode.
        dtype: of the weights.
        stateful: whole sequences go on from the kept state.
        initializer: of Wx and Wh; LeCun's by default. The bias starts at 0.

    Attributes:
        h: the state (N, H) after the last step, a Variable; None before the first. With several layers or directions a tuple of them,
            in the order layer 0, its way back, layer 1, ... It moves with ``to_cpu`` and ``to_gpu`` and is not saved with the weights.
        Wx, Wh, b: the weights (I, H), (H, H), (H,). Those of layer 1 are ``Wx1``, ``Wh1``, ``b1``, those of a way back ``Wx_back``, ``Wx1_back`` ...

    Raises:
        ShapeError: at the call, if x fits neither form, or its batch is not that of the kept state.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> rnn = L.RNN(4)
        >>> steps = [rnn(x) for x in np.ones((3, 2, 5), np.float32)]
        >>> steps[-1].shape, rnn.h is steps[-1]
        ((2, 4), True)
        >>> ys = rnn(np.ones((3, 2, 5), np.float32))
        >>> ys.shape, bool(np.allclose(ys.data[-1], steps[-1].data))
        ((3, 2, 4), True)
    """

    def cell(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return (F.rnn_cell(x, *state, *weights),)

    def run(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return F.rnn(x, *state, *weights)


class LSTM(_Recurrent):
    """An LSTM (Hochreiter and Schmidhuber, 1997); the maths is in :func:`dezero.functions.lstm_cell`.

    Steps, whole sequences, arguments and names are as in :class:`RNN`.

    Args:
        forget_bias: the first value of the forget gate's bias. 1 makes the cell remember longer at the start (Gers, Schmidhuber and
            Cummins, "Learning to forget", 2000).

    Attributes:
        h, c: state and cell (N, H) after the last step, as h in :class:`RNN`.
        Wx, Wh, b: (I, 4H), (H, 4H), (4H,): blocks of H columns for the gates i, f, g, o.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> lstm = L.LSTM(4, num_layers=2)
        >>> lstm(np.ones((3, 2, 5), np.float32)).shape, [c.shape for c in lstm.c]
        ((3, 2, 4), [(2, 4), (2, 4)])
        >>> [name for name, p in lstm.named_params()]
        ['Wx', 'Wh', 'b', 'Wx1', 'Wh1', 'b1']
    """

    gates = 4
    parts = ("h", "c")
    c: Any

    def __init__(self, hidden_size: int, in_size: int | None = None, num_layers: int = 1, bidirectional: bool = False, batch_first: bool = False,
                 dropout_ratio: float = 0.0, dtype: Any = np.float32, stateful: bool = False, initializer: Spec = "lecun",
                 forget_bias: float = 0.0) -> None:
        self.forget_bias = number("LSTM", "forget_bias", forget_bias)
        super().__init__(hidden_size, in_size, num_layers, bidirectional, batch_first, dropout_ratio, dtype, stateful, initializer)

    def bias(self, xp: Any) -> Any:
        b = super().bias(xp)
        b[self.hidden_size:2 * self.hidden_size] = self.forget_bias
        return b

    def cell(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return F.lstm_cell(x, *state, *weights)

    def run(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return F.lstm(x, *state, *weights)


class GRU(_Recurrent):
    """A gated recurrent unit (Cho et al., 2014); the maths is in :func:`dezero.functions.gru_cell`.

    Steps, whole sequences, arguments and names are as in :class:`RNN`.

    Attributes:
        h: state (N, H) after the last step, as in :class:`RNN`.
        Wx, Wh: (I, 3H), (H, 3H): blocks of H columns for the gates r, z, n.
        b, bh: (3H,), added to x Wx and to h Wh.

    Examples:
        >>> import numpy as np
        >>> import dezero.layers as L
        >>> gru = L.GRU(4, bidirectional=True)
        >>> gru(np.ones((3, 2, 5), np.float32)).shape, [h.shape for h in gru.h]
        ((3, 2, 8), [(2, 4), (2, 4)])
    """

    gates = 3
    fields = ("Wx", "Wh", "b", "bh")
    bh: Parameter

    def cell(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return (F.gru_cell(x, *state, *weights),)

    def run(self, x: Any, state: State, weights: Sequence[Parameter]) -> State:
        return F.gru(x, *state, *weights)


__all__ = ["GRU", "LSTM", "RNN"]
