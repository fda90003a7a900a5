"""Kernels of recurrent networks: whole sequences forward and backward over time, on buffers that are made once.

All arrays are float32 or float64 and of one dtype. Sequences are (T, N, ...): time first. The products with Wx of all steps
are one matrix product, and so are those that give the gradients of the weights; only the product with Wh is left to each step.
Gates stand side by side along the last axis: i, f, g, o of an LSTM, r, z, n of a GRU. ``needs`` has one flag for each input.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dezero.backend.kernels import reference

Flags = Sequence[bool]


def project(x: Any, W: Any, b: Any) -> Any:
    """``x @ W + b`` for all steps at once: (T, N, I) gives (T, N, G)."""
    T, N, I = x.shape
    a = x.reshape(T * N, I) @ W
    if b is not None:
        a += b
    return a.reshape(T, N, W.shape[1])


def input_grads(x: Any, Wx: Any, da: Any, needs: Flags) -> tuple[Any, Any, Any]:
    """The gradients of x, Wx and b in ``x @ Wx + b``, all steps at once."""
    T, N, G = da.shape
    da = da.reshape(T * N, G)
    gx = (da @ Wx.T).reshape(x.shape) if needs[0] else None
    gW = x.reshape(T * N, x.shape[2]).T @ da if needs[1] else None
    return gx, gW, da.sum(0) if needs[2] else None


def state_grad(xp: Any, ys: Any, h0: Any, da: Any) -> Any:
    """The gradient of Wh: the state before each step against the gradient of the step."""
    T, _, G = da.shape
    H = ys.shape[2]
    if not T:
        return xp.zeros((H, G), da.dtype)
    gW = h0.T @ da[0]
    if T > 1:
        gW += ys[:-1].reshape(-1, H).T @ da[1:].reshape(-1, G)
    return gW


def _one_minus_square(xp: Any, v: Any, out: Any) -> None:
    """The derivative of tanh from its value, into ``out``."""
    xp.multiply(v, v, out=out)
    xp.subtract(1, out, out=out)


@reference
def rnn_forward(xp: Any, x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """The states h_t = tanh(x_t Wx + h_{t-1} Wh + b), (T, N, H)."""
    ys = project(x, Wx, b)
    h, buffer = h0, xp.empty_like(h0)
    for t in range(len(ys)):
        a = ys[t]
        xp.matmul(h, Wh, out=buffer)
        a += buffer
        xp.tanh(a, out=a)
        h = a
    return ys


@reference
def rnn_backward(xp: Any, gys: Any, gh: Any, x: Any, h0: Any, Wx: Any, Wh: Any, ys: Any, needs: Flags) -> Any:
    """The gradients of x, h0, Wx, Wh, b from those of the states and of the last one."""
    da = xp.empty_like(ys)
    _one_minus_square(xp, ys, da)
    dh, back = gh.copy(), Wh.T
    for t in range(len(ys) - 1, -1, -1):
        d = da[t]
        dh += gys[t]
        d *= dh
        if t or needs[1]:
            xp.matmul(d, back, out=dh)
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[2], needs[4]))
    return gx, dh if needs[1] else None, gWx, state_grad(xp, ys, h0, da) if needs[3] else None, gb


@reference
def lstm_forward(xp: Any, x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """An LSTM over all steps.

    Returns:
        States ys and cells cs (T, N, H), gates (T, N, 4H) after their nonlinearities, tanh of the cells.
    """
    gates = project(x, Wx, b)
    T, N, G = gates.shape
    H = G // 4
    ys, cs, ts = (xp.empty((T, N, H), gates.dtype) for _ in range(3))
    # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2, so that one tanh serves all four gates.
    scale = xp.full(G, 0.5, gates.dtype)
    shift = xp.full(G, 0.5, gates.dtype)
    scale[2 * H:3 * H], shift[2 * H:3 * H] = 1, 0
    buffer, kept = xp.empty((N, G), gates.dtype), xp.empty((N, H), gates.dtype)
    h, c = h0, c0
    for t in range(T):
        a, y, cell, squashed = gates[t], ys[t], cs[t], ts[t]
        xp.matmul(h, Wh, out=buffer)
        a += buffer
        a *= scale
        xp.tanh(a, out=a)
        a *= scale
        a += shift
        xp.multiply(a[:, :H], a[:, 2 * H:3 * H], out=cell)
        xp.multiply(a[:, H:2 * H], c, out=kept)
        cell += kept
        xp.tanh(cell, out=squashed)
        xp.multiply(a[:, 3 * H:], squashed, out=y)
        h, c = y, cell
    return ys, cs, gates, ts


@reference
def lstm_backward(xp: Any, gys: Any, gh: Any, gc: Any, x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, ys: Any, cs: Any, gates: Any, ts: Any,
                  needs: Flags) -> Any:
    """The gradients of x, h0, c0, Wx, Wh, b from those of the states, of the last state and of the last cell."""
    T, N, H = ys.shape
    i, f, g, o = (gates[:, :, k * H:(k + 1) * H] for k in range(4))
    # What each gate's input does to cell and state, for all steps; the loop multiplies the gradients in.
    da = xp.multiply(gates, gates)
    xp.subtract(gates, da, out=da)
    di, df, dg, do = (da[:, :, k * H:(k + 1) * H] for k in range(4))
    _one_minus_square(xp, g, dg)
    di *= g
    dg *= i
    do *= ts
    if T:
        first, later = df[0], df[1:]
        first *= c0
        later *= cs[:-1]
    through = xp.empty_like(ts)  # from the state to the cell
    _one_minus_square(xp, ts, through)
    through *= o
    dh, dc, back, part = gh.copy(), gc.copy(), Wh.T, xp.empty_like(gh)
    by_gate = da.reshape(T, N, 4, H)
    for t in range(T - 1, -1, -1):
        to_cell, to_state = by_gate[t][:, :3], by_gate[t][:, 3]
        dh += gys[t]
        xp.multiply(dh, through[t], out=part)
        dc += part
        to_cell *= dc[:, None]
        to_state *= dh
        dc *= f[t]
        if t or needs[1]:
            xp.matmul(da[t], back, out=dh)
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[3], needs[5]))
    return gx, dh if needs[1] else None, dc if needs[2] else None, gWx, state_grad(xp, ys, h0, da) if needs[4] else None, gb


@reference
def gru_forward(xp: Any, x: Any, h0: Any, Wx: Any, Wh: Any, b: Any, bh: Any) -> Any:
    """A GRU over all steps.

    Returns:
        States ys (T, N, H), gates (T, N, 3H) after their nonlinearities, and what the state sends to n before r scales it, (T, N, H).
    """
    gates = project(x, Wx, b)
    T, N, G = gates.shape
    H = G // 3
    ys, sent = xp.empty((T, N, H), gates.dtype), xp.empty((T, N, H), gates.dtype)
    buffer, part = xp.empty((N, G), gates.dtype), xp.empty((N, H), gates.dtype)
    h = h0
    for t in range(T):
        rz, n, y = gates[t][:, :2 * H], gates[t][:, 2 * H:], ys[t]
        xp.matmul(h, Wh, out=buffer)
        if bh is not None:
            buffer += bh
        sent[t] = buffer[:, 2 * H:]
        rz += buffer[:, :2 * H]
        rz *= 0.5  # sigmoid(a) = tanh(a / 2) / 2 + 1 / 2
        xp.tanh(rz, out=rz)
        rz *= 0.5
        rz += 0.5
        xp.multiply(rz[:, :H], buffer[:, 2 * H:], out=part)
        n += part
        xp.tanh(n, out=n)
        xp.subtract(h, n, out=y)
        y *= rz[:, H:]
        y += n
        h = y
    return ys, gates, sent


@reference
def gru_backward(xp: Any, gys: Any, gh: Any, x: Any, h0: Any, Wx: Any, Wh: Any, ys: Any, gates: Any, sent: Any, needs: Flags) -> Any:
    """The gradients of x, h0, Wx, Wh, b, bh from those of the states and of the last one."""
    T, N, H = ys.shape
    r, z, n = (gates[:, :, k * H:(k + 1) * H] for k in range(3))
    da = xp.multiply(gates, gates)  # at the gates' inputs; the loop multiplies the state's gradient in
    xp.subtract(gates, da, out=da)
    dr, dz, dn = (da[:, :, k * H:(k + 1) * H] for k in range(3))
    _one_minus_square(xp, n, dn)
    dn *= 1 - z
    dr *= sent
    dr *= dn
    ahead = -n  # becomes h_{t-1} - n_t
    if T:
        first, later = ahead[0], ahead[1:]
        first += h0
        later += ys[:-1]
    dz *= ahead
    dw = xp.empty_like(da)  # at the product of the state with Wh
    dh, back, part = gh.copy(), Wh.T, xp.empty_like(gh)
    by_gate = da.reshape(T, N, 3, H)
    for t in range(T - 1, -1, -1):
        d, w = by_gate[t], dw[t]
        dh += gys[t]
        d *= dh[:, None]
        w[...] = da[t]
        to_n = w[:, 2 * H:]
        to_n *= r[t]
        if t or needs[1]:
            dh *= z[t]
            xp.matmul(w, back, out=part)
            dh += part
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[2], needs[4]))
    gWh = state_grad(xp, ys, h0, dw) if needs[3] else None
    return gx, dh if needs[1] else None, gWx, gWh, gb, dw.reshape(T * N, 3 * H).sum(0) if needs[5] else None
