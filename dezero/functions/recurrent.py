"""Recurrent networks over whole sequences, one op each: time is the first axis."""

from __future__ import annotations

from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.functions.cells import Recurrent, gru_step, in_result_dtype, lstm_step, projected, rnn_step
from dezero.functions.elementwise import identity
from dezero.functions.join import split, stack


class Sequence(Recurrent):
    """Steps over the first axis of x."""

    time = 1

    def steps(self, x, Wx, b):
        """x Wx + b, step by step."""
        T, N, I = x.shape
        a = projected(x.reshape(T * N, I), Wx, b).reshape(T, N, Wx.shape[1])
        return a, [step.reshape(a.shape[1:]) for step in split(a, T)] if T else []

    def stacked(self, ys, a):
        """The states of all steps; where there is no step, an empty array that hangs on x all the same."""
        return stack(ys) if ys else a[:, :, :a.shape[2] // self.gates]


class RNN(Sequence, op="rnn"):
    """h_t = tanh(x_t Wx + h_{t-1} Wh + b)."""

    returns = ("ys", "h")

    def forward(self, x, h0, Wx, Wh, b=None):
        self.checked(x, (h0,), Wx, Wh, b)
        out, (x, h0, Wx, Wh, b) = self.worked(x, (h0,), Wx, Wh, b)
        ys = self.kernels.rnn_forward(x, h0, Wx, Wh, b)
        return in_result_dtype(out, (ys, (ys[-1] if len(ys) else h0).copy()))

    def backward(self, gys, gh, *, x, h0, Wx, Wh, b, ys):
        _, (xw, hw, Wxw, Whw, _, gys, gh, ys) = self.worked(x, (h0,), Wx, Wh, b, gys, gh, ys)
        return self.given((x, h0, Wx, Wh, b), self.kernels.rnn_backward(gys, gh, xw, hw, Wxw, Whw, ys, self.flags(5)))

    def compose(self, x, h0, Wx, Wh, b):
        out, (x, h, Wx, Wh, b) = self.worked(x, (h0,), Wx, Wh, b)
        a, steps = self.steps(x, Wx, b)
        ys = []
        for step in steps:
            h = rnn_step(step, h, Wh)
            ys.append(h)
        return in_result_dtype(out, (self.stacked(ys, a), identity(h)))


class LSTM(Sequence, op="lstm"):
    """An LSTM over all steps: the maths of each is in :func:`dezero.functions.lstm_cell`."""

    gates = 4
    returns = ("ys", "h", "c")
    saves = ("cells", "gated", "squashed")

    def forward(self, x, h0, c0, Wx, Wh, b=None):
        self.checked(x, (h0, c0), Wx, Wh, b)
        out, (x, h0, c0, Wx, Wh, b) = self.worked(x, (h0, c0), Wx, Wh, b)
        ys, cells, gated, squashed = self.kernels.lstm_forward(x, h0, c0, Wx, Wh, b)
        h, c = (ys[-1], cells[-1]) if len(ys) else (h0, c0)
        return *in_result_dtype(out, (ys, h.copy(), c.copy())), cells, gated, squashed

    def backward(self, gys, gh, gc, *, x, h0, c0, Wx, Wh, b, ys, cells, gated, squashed):
        _, (xw, hw, cw, Wxw, Whw, _, gys, gh, gc, ys) = self.worked(x, (h0, c0), Wx, Wh, b, gys, gh, gc, ys)
        return self.given((x, h0, c0, Wx, Wh, b), self.kernels.lstm_backward(gys, gh, gc, xw, hw, cw, Wxw, Whw, ys, cells, gated, squashed,
                                                                             self.flags(6)))

    def compose(self, x, h0, c0, Wx, Wh, b):
        out, (x, h, c, Wx, Wh, b) = self.worked(x, (h0, c0), Wx, Wh, b)
        a, steps = self.steps(x, Wx, b)
        ys = []
        for step in steps:
            h, c = lstm_step(step, h, c, Wh)
            ys.append(h)
        return in_result_dtype(out, (self.stacked(ys, a), identity(h), identity(c)))


class GRU(Sequence, op="gru"):
    """A GRU over all steps: the maths of each is in :func:`dezero.functions.gru_cell`."""

    gates = 3
    returns = ("ys", "h")
    saves = ("gated", "sent")

    def forward(self, x, h0, Wx, Wh, b=None, bh=None):
        self.checked(x, (h0,), Wx, Wh, b, bh)
        out, (x, h0, Wx, Wh, b, bh) = self.worked(x, (h0,), Wx, Wh, b, bh)
        ys, gated, sent = self.kernels.gru_forward(x, h0, Wx, Wh, b, bh)
        return *in_result_dtype(out, (ys, (ys[-1] if len(ys) else h0).copy())), gated, sent

    def backward(self, gys, gh, *, x, h0, Wx, Wh, b, bh, ys, gated, sent):
        _, (xw, hw, Wxw, Whw, _, _, gys, gh, ys) = self.worked(x, (h0,), Wx, Wh, b, bh, gys, gh, ys)
        return self.given((x, h0, Wx, Wh, b, bh), self.kernels.gru_backward(gys, gh, xw, hw, Wxw, Whw, ys, gated, sent, self.flags(6)))

    def compose(self, x, h0, Wx, Wh, b, bh):
        out, (x, h, Wx, Wh, b, bh) = self.worked(x, (h0,), Wx, Wh, b, bh)
        a, steps = self.steps(x, Wx, b)
        ys = []
        for step in steps:
            h = gru_step(step, h, Wh, bh)
            ys.append(h)
        return in_result_dtype(out, (self.stacked(ys, a), identity(h)))


def rnn(x: Operand, h0: Operand | None, Wx: Operand, Wh: Operand, b: Operand | None = None) -> tuple[Variable, Variable]:
    """A simple recurrent network over a whole sequence: :func:`rnn_cell` at each step, as one op.

    Args:
        x: inputs (T, N, I): time first.
        h0: state before the first step (N, H); None for zeros.
        Wx: (I, H).
        Wh: (H, H).
        b: (H,), or None.

    Returns:
        The states of all steps (T, N, H), and the last one (N, H); h0 where T is 0.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.ones((2, 1, 1)), Variable(np.array([[0.5]])), Variable(np.array([[1.0]]))
        >>> ys, h = F.rnn(x, None, Wx, Wh)
        >>> print(ys.data.ravel().round(3), h.data.round(3))
        [0.462 0.745] [[0.745]]
    """
    return tuple(RNN()(x, h0, Wx, Wh, b))


def lstm(x: Operand, h0: Operand | None, c0: Operand | None, Wx: Operand, Wh: Operand,
         b: Operand | None = None) -> tuple[Variable, Variable, Variable]:
    """An LSTM over a whole sequence: :func:`lstm_cell` at each step, as one op. The gates stand in the order i, f, g, o.

    Args:
        x: inputs (T, N, I): time first.
        h0: state before the first step (N, H); None for zeros.
        c0: cell before the first step (N, H); None for zeros.
        Wx: (I, 4H).
        Wh: (H, 4H).
        b: (4H,), or None.

    Returns:
        The states of all steps (T, N, H), the last one (N, H) and the last cell (N, H); h0 and c0 where T is 0.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.ones((2, 1, 3)), Variable(np.full((3, 8), 0.5)), Variable(np.zeros((2, 8)))
        >>> ys, h, c = F.lstm(x, None, None, Wx, Wh)
        >>> print(ys.shape, h.data.round(3), c.data.round(3))
        (2, 1, 2) [[0.714 0.714]] [[1.345 1.345]]
    """
    return tuple(LSTM()(x, h0, c0, Wx, Wh, b))


def gru(x: Operand, h0: Operand | None, Wx: Operand, Wh: Operand, b: Operand | None = None,
        bh: Operand | None = None) -> tuple[Variable, Variable]:
    """A GRU over a whole sequence: :func:`gru_cell` at each step, as one op. The gates stand in the order r, z, n.

    Args:
        x: inputs (T, N, I): time first.
        h0: state before the first step (N, H); None for zeros.
        Wx: (I, 3H).
        Wh: (H, 3H).
        b: (3H,), or None: added to x Wx.
        bh: (3H,), or None: added to h Wh.

    Returns:
        The states of all steps (T, N, H), and the last one (N, H); h0 where T is 0.

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.ones((2, 1, 3)), Variable(np.full((3, 6), 0.5)), Variable(np.zeros((2, 6)))
        >>> ys, h = F.gru(x, None, Wx, Wh)
        >>> print(ys.shape, h.data.round(3))
        (2, 1, 2) [[0.3 0.3]]
    """
    return tuple(GRU()(x, h0, Wx, Wh, b, bh))


__all__ = ["gru", "lstm", "rnn"]
