"""One step of a recurrent network, and the steps in plain ops from which higher derivatives come."""

from __future__ import annotations

from dezero.backend.norm import in_dtype, work_dtype
from dezero.core.function import Function
from dezero.core.types import Operand
from dezero.core.variable import Variable
from dezero.errors import ShapeError
from dezero.functions.activation import sigmoid
from dezero.functions.elementwise import mul, sub
from dezero.functions.join import split
from dezero.functions.linalg import matmul
from dezero.functions.trigonometry import tanh


def projected(x, Wx, b):
    """x Wx + b for rows x."""
    a = matmul(x, Wx)
    return a if b is None else a + b


def rnn_step(a, h, Wh):
    """The next state from a = x Wx + b."""
    return tanh(a + matmul(h, Wh))


def lstm_step(a, h, c, Wh):
    """The next state and cell from a = x Wx + b."""
    i, f, g, o = split(a + matmul(h, Wh), 4, axis=1)
    c = mul(sigmoid(f), c) + sigmoid(i) * tanh(g)
    return sigmoid(o) * tanh(c), c


def gru_step(a, h, Wh, bh):
    """The next state from a = x Wx + b."""
    r, z, n = split(a, 3, axis=1)
    wr, wz, wn = split(projected(h, Wh, bh), 3, axis=1)
    n = tanh(n + sigmoid(r + wr) * wn)
    return n + sigmoid(z + wz) * sub(h, n)


class Recurrent(Function):
    """What steps and sequences share: the check of shapes, and one dtype to work in."""

    gates = 1
    time = 0  # axes of x before the batch axis

    def checked(self, x, states, Wx, Wh, *biases):
        """Refuse shapes that do not fit; ``states`` and ``biases`` may hold None."""
        k = self.gates
        if x.ndim != 2 + self.time:
            raise ShapeError("x must have axes (T, N, I): time, batch, features" if self.time else "x must have axes (N, I): batch, features")
        *_, N, I = x.shape
        if Wh.ndim != 2 or Wh.shape[1] != k * Wh.shape[0]:
            raise ShapeError(f"Wh must be (H, {k}H)" if k > 1 else "Wh must be square, (H, H)")
        H = Wh.shape[0]
        if Wx.shape != (I, k * H):
            raise ShapeError(f"Wx must be {(I, k * H)}: as many rows as x has features, {k} x H columns with H = {H} from Wh")
        for s in states:
            if s is not None and s.shape != (N, H):
                raise ShapeError(f"a state must be {(N, H)}: the batch of x and the rows of Wh; it is {s.shape}")
        for b in biases:
            if b is not None and b.shape != (k * H,):
                raise ShapeError(f"a bias must be {(k * H,)}, one number for each column of Wx; it is {b.shape}")

    def worked(self, x, states, Wx, Wh, *biases):
        """All inputs in the dtype to work in, states that are None as zeros; and the dtype of the results."""
        out, work = work_dtype(x, *states, Wx, Wh, *biases)
        x, Wx, Wh, *biases = in_dtype(work, x, Wx, Wh, *biases)
        shape = (x.shape[self.time], Wh.shape[0])
        states = [self.xp.zeros(shape, work) if s is None else in_dtype(work, s)[0] for s in states]
        return out, (x, *states, Wx, Wh, *biases)

    def given(self, inputs, gradients):
        """The gradients in the inputs' dtypes."""
        return [g if g is None or g.dtype == v.dtype else g.astype(v.dtype) for v, g in zip(inputs, gradients, strict=True)]

    def flags(self, n):
        """Which inputs need a gradient."""
        return [self.needs_grad(i) for i in range(n)]


def in_result_dtype(dtype, ys):
    """The results of a computation, arrays or Variables, in the dtype that they must have."""
    return [y if y.dtype == dtype else y.astype(dtype) for y in ys]


class RNNCell(Recurrent, op="rnn_cell"):
    """y = tanh(x Wx + h Wh + b)."""

    def forward(self, x, h, Wx, Wh, b=None):
        self.checked(x, (h,), Wx, Wh, b)
        out, (x, h, Wx, Wh, b) = self.worked(x, (h,), Wx, Wh, b)
        return self.kernels.rnn_forward(x[None], h, Wx, Wh, b)[0].astype(out, copy=False)

    def backward(self, gy, *, x, h, Wx, Wh, b, y):
        _, (xw, hw, Wxw, Whw, _, gy, y) = self.worked(x, (h,), Wx, Wh, b, gy, y)
        found = self.kernels.rnn_backward(self.xp.zeros_like(gy)[None], gy, xw[None], hw, Wxw, Whw, y[None], self.flags(5))
        gx, *rest = found
        return self.given((x, h, Wx, Wh, b), (gx if gx is None else gx[0], *rest))

    def compose(self, x, h, Wx, Wh, b):
        out, (x, h, Wx, Wh, b) = self.worked(x, (h,), Wx, Wh, b)
        return in_result_dtype(out, [rnn_step(projected(x, Wx, b), h, Wh)])


class LSTMCell(Recurrent, op="lstm_cell"):
    """The next state and cell of an LSTM."""

    gates = 4
    returns = ("y", "cell")
    saves = ("gated", "squashed")

    def forward(self, x, h, c, Wx, Wh, b=None):
        self.checked(x, (h, c), Wx, Wh, b)
        out, (x, h, c, Wx, Wh, b) = self.worked(x, (h, c), Wx, Wh, b)
        y, cell, gates, squashed = (v[0] for v in self.kernels.lstm_forward(x[None], h, c, Wx, Wh, b))
        return *in_result_dtype(out, (y, cell)), gates, squashed

    def backward(self, gy, gcell, *, x, h, c, Wx, Wh, b, y, cell, gated, squashed):
        _, (xw, hw, cw, Wxw, Whw, _, gy, gcell, y, cell) = self.worked(x, (h, c), Wx, Wh, b, gy, gcell, y, cell)
        gx, *rest = self.kernels.lstm_backward(self.xp.zeros_like(gy)[None], gy, gcell, xw[None], hw, cw, Wxw, Whw,
                                               y[None], cell[None], gated[None], squashed[None], self.flags(6))
        return self.given((x, h, c, Wx, Wh, b), (gx if gx is None else gx[0], *rest))

    def compose(self, x, h, c, Wx, Wh, b):
        out, (x, h, c, Wx, Wh, b) = self.worked(x, (h, c), Wx, Wh, b)
        return in_result_dtype(out, lstm_step(projected(x, Wx, b), h, c, Wh))


class GRUCell(Recurrent, op="gru_cell"):
    """The next state of a GRU."""

    gates = 3
    saves = ("gated", "sent")

    def forward(self, x, h, Wx, Wh, b=None, bh=None):
        self.checked(x, (h,), Wx, Wh, b, bh)
        out, (x, h, Wx, Wh, b, bh) = self.worked(x, (h,), Wx, Wh, b, bh)
        y, gates, sent = (v[0] for v in self.kernels.gru_forward(x[None], h, Wx, Wh, b, bh))
        return y.astype(out, copy=False), gates, sent

    def backward(self, gy, *, x, h, Wx, Wh, b, bh, y, gated, sent):
        _, (xw, hw, Wxw, Whw, _, _, gy, y) = self.worked(x, (h,), Wx, Wh, b, bh, gy, y)
        gx, *rest = self.kernels.gru_backward(self.xp.zeros_like(gy)[None], gy, xw[None], hw, Wxw, Whw, y[None], gated[None], sent[None],
                                              self.flags(6))
        return self.given((x, h, Wx, Wh, b, bh), (gx if gx is None else gx[0], *rest))

    def compose(self, x, h, Wx, Wh, b, bh):
        out, (x, h, Wx, Wh, b, bh) = self.worked(x, (h,), Wx, Wh, b, bh)
        return in_result_dtype(out, [gru_step(projected(x, Wx, b), h, Wh, bh)])


def rnn_cell(x: Operand, h: Operand | None, Wx: Operand, Wh: Operand, b: Operand | None = None) -> Variable:
    """One step of a simple recurrent network (Elman, 1990): ``tanh(x Wx + h Wh + b)``.

    Args:
        x: input (N, I).
        h: state (N, H); None for zeros.
        Wx: (I, H).
        Wh: (H, H).
        b: (H,), or None.

    Returns:
        The next state (N, H).

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.array([[1.0]]), Variable(np.array([[0.5]])), Variable(np.array([[1.0]]))
        >>> h = F.rnn_cell(x, None, Wx, Wh)
        >>> print(F.rnn_cell(x, h, Wx, Wh).data.round(3))
        [[0.745]]
    """
    return RNNCell()(x, h, Wx, Wh, b)


def lstm_cell(x: Operand, h: Operand | None, c: Operand | None, Wx: Operand, Wh: Operand,
              b: Operand | None = None) -> tuple[Variable, Variable]:
    """One step of an LSTM (Hochreiter and Schmidhuber, 1997; with the forget gate of Gers, Schmidhuber and Cummins, 2000).

    With ``a = x Wx + h Wh + b`` cut into four blocks of H columns, in the order i, f, g, o (PyTorch's, with transposed weights)::

        i, f, o = sigmoid(a_i), sigmoid(a_f), sigmoid(a_o)        g = tanh(a_g)
        next c  = f c + i g                                       next h = o tanh(next c)

    Args:
        x: input (N, I).
        h: state (N, H); None for zeros.
        c: cell (N, H); None for zeros.
        Wx: (I, 4H).
        Wh: (H, 4H).
        b: (4H,), or None.

    Returns:
        The next state and the next cell, each (N, H).

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.ones((1, 3)), Variable(np.full((3, 8), 0.5)), Variable(np.zeros((2, 8)))
        >>> h, c = F.lstm_cell(x, None, None, Wx, Wh)
        >>> print(h.data.round(3), c.data.round(3))
        [[0.514 0.514]] [[0.74 0.74]]
    """
    return tuple(LSTMCell()(x, h, c, Wx, Wh, b))


def gru_cell(x: Operand, h: Operand | None, Wx: Operand, Wh: Operand, b: Operand | None = None, bh: Operand | None = None) -> Variable:
    """One step of a gated recurrent unit (Cho et al., 2014), with the reset gate applied behind the product with Wh.

    With ``a = x Wx + b`` and ``w = h Wh + bh`` cut into three blocks of H columns, in the order r, z, n (PyTorch's, with
    transposed weights)::

        r, z = sigmoid(a_r + w_r), sigmoid(a_z + w_z)        n = tanh(a_n + r w_n)        next h = (1 - z) n + z h

    Args:
        x: input (N, I).
        h: state (N, H); None for zeros.
        Wx: (I, 3H).
        Wh: (H, 3H).
        b: (3H,), or None.
        bh: (3H,), or None. Only its last block differs in effect from ``b``, since r scales it.

    Returns:
        The next state (N, H).

    Raises:
        ShapeError: the shapes do not fit.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, functions as F
        >>> x, Wx, Wh = np.ones((1, 3)), Variable(np.full((3, 6), 0.5)), Variable(np.zeros((2, 6)))
        >>> print(F.gru_cell(x, None, Wx, Wh).data.round(3))
        [[0.165 0.165]]
    """
    return GRUCell()(x, h, Wx, Wh, b, bh)


__all__ = ["gru_cell", "lstm_cell", "rnn_cell"]
