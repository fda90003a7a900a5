"""Recurrent networks on the device: each step in time is one product and one launch for all that is left of the cell, in both directions.

The kernels take whole sequences and the number of the step, so that the host cuts no views for them. Formulas and names are those of
``backend/rnn.py``; N x H is ``size``, H is ``wide``, and element i of a state has its gates in row i / H.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import contiguous
from dezero.backend.cuda.gemm import product
from dezero.backend.cuda.launch import Raw
from dezero.backend.kernels import override
from dezero.backend.rnn import Flags, input_grads, project, state_grad

_THREADS = 128
_PRELUDE = """
__device__ __forceinline__ A sigmoid(A a) { return A(0.5) + A(0.5) * tanh(A(0.5) * a); }
#define EACH_ELEMENT for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += (long long)gridDim.x * blockDim.x)
// Where element i has its place among `gates` blocks of H columns, and what was there before step t.
#define GATES_AT(gates) (t * size * gates + i / wide * gates * wide + i % wide)
#define STEP_BEFORE(sequence, first) ((A)(t ? sequence[(t - 1) * size + i] : first[i]))
#define BIAS_OF(b, k) (b ? (A)b[k * wide + i % wide] : A(0))
"""


def _kernel(name: str, arguments: str, body: str) -> Raw:
    return Raw(f"dezero_{name}", f"""
extern "C" __global__ void dezero_{name}({arguments}, long long t, long long size, long long wide) {{
    EACH_ELEMENT {{
        {body}
    }}
}}
""", prelude=_PRELUDE)


_RNN = _kernel("rnn_cell", "T* ys, const T* b", """
        ys[t * size + i] = (T)tanh((A)ys[t * size + i] + BIAS_OF(b, 0));""")

_RNN_GRAD = _kernel("rnn_cell_grad", "const T* gys, const T* dh, const T* ys, T* da", """
        A y = (A)ys[t * size + i];
        da[t * size + i] = (T)(((A)dh[i] + (A)gys[t * size + i]) * (1 - y * y));""")

_LSTM = _kernel("lstm_cell", "T* gates, const T* b, const T* c0, T* ys, T* cs, T* ts", """
        T* a = gates + GATES_AT(4);
        A in = sigmoid((A)a[0] + BIAS_OF(b, 0)), forget = sigmoid((A)a[wide] + BIAS_OF(b, 1));
        A g = tanh((A)a[2 * wide] + BIAS_OF(b, 2)), out = sigmoid((A)a[3 * wide] + BIAS_OF(b, 3));
        A c = in * g + forget * STEP_BEFORE(cs, c0), squashed = tanh(c);
        a[0] = (T)in; a[wide] = (T)forget; a[2 * wide] = (T)g; a[3 * wide] = (T)out;
        cs[t * size + i] = (T)c; ts[t * size + i] = (T)squashed; ys[t * size + i] = (T)(out * squashed);""")

_LSTM_GRAD = _kernel("lstm_cell_grad", "const T* gys, const T* dh, T* dc, const T* gates, const T* c0, const T* cs, const T* ts, T* da", """
        const T* a = gates + GATES_AT(4);
        T* d = da + GATES_AT(4);
        A in = (A)a[0], forget = (A)a[wide], g = (A)a[2 * wide], out = (A)a[3 * wide], squashed = (A)ts[t * size + i];
        A gh = (A)dh[i] + (A)gys[t * size + i], gc = (A)dc[i] + gh * out * (1 - squashed * squashed);
        d[0] = (T)(gc * g * in * (1 - in));
        d[wide] = (T)(gc * STEP_BEFORE(cs, c0) * forget * (1 - forget));
        d[2 * wide] = (T)(gc * in * (1 - g * g));
        d[3 * wide] = (T)(gh * squashed * out * (1 - out));
        dc[i] = (T)(gc * forget);""")

_GRU = _kernel("gru_cell", "T* gates, const T* w, const T* b, const T* bh, const T* h0, T* ys, T* sent", """
        T* a = gates + GATES_AT(3);
        const T* u = w + GATES_AT(3) - t * size * 3;   // of this step alone
        A r = sigmoid((A)a[0] + BIAS_OF(b, 0) + (A)u[0] + BIAS_OF(bh, 0)), z = sigmoid((A)a[wide] + BIAS_OF(b, 1) + (A)u[wide] + BIAS_OF(bh, 1));
        A s = (A)u[2 * wide] + BIAS_OF(bh, 2), n = tanh((A)a[2 * wide] + BIAS_OF(b, 2) + r * s);
        a[0] = (T)r; a[wide] = (T)z; a[2 * wide] = (T)n;
        sent[t * size + i] = (T)s; ys[t * size + i] = (T)((STEP_BEFORE(ys, h0) - n) * z + n);""")

# dh becomes what goes past the product to the state before.
_GRU_GRAD = _kernel("gru_cell_grad", "const T* gys, T* dh, const T* gates, const T* sent, const T* h0, const T* ys, T* da, T* dw", """
        const T* a = gates + GATES_AT(3);
        T *d = da + GATES_AT(3), *w = dw + GATES_AT(3);
        A r = (A)a[0], z = (A)a[wide], n = (A)a[2 * wide], gh = (A)dh[i] + (A)gys[t * size + i];
        A gn = gh * (1 - z) * (1 - n * n), gr = gn * (A)sent[t * size + i] * r * (1 - r), gz = gh * (STEP_BEFORE(ys, h0) - n) * z * (1 - z);
        d[0] = (T)gr; d[wide] = (T)gz; d[2 * wide] = (T)gn;
        w[0] = (T)gr; w[wide] = (T)gz; w[2 * wide] = (T)(gn * r);
        dh[i] = (T)(gh * z);""")


def _launch(kernel: Raw, arrays: Sequence[Any], t: int, size: int, wide: int) -> None:
    if size:
        args = [0 if a is None else a for a in arrays]
        kernel.launch(arrays[0].dtype, (min(-(-size // _THREADS), 1 << 16),), (_THREADS,), (*args, t, size, wide))


def _multiply(a: Any, b: Any, out: Any, beta: float = 0.0) -> None:
    """out = a @ b + beta out, one product where cuBLAS can be asked for it."""
    if product(a, b, beta=beta, out=out) is NotImplemented:
        y = a @ b
        if beta:
            out += y
        else:
            out[...] = y


def _dense(*arrays: Any) -> list[Any]:
    xp = cupy()
    return [None if a is None else contiguous(xp, a) for a in arrays]


@override("cupy")
def rnn_forward(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """See the reference. A product and a launch for each step."""
    h0, b = _dense(h0, b)
    ys = contiguous(cupy(), project(x, Wx, None))
    for t in range(len(ys)):
        _multiply(ys[t - 1] if t else h0, Wh, ys[t], 1.0)
        _launch(_RNN, (ys, b), t, h0.size, h0.shape[1])
    return ys


@override("cupy")
def rnn_backward(gys: Any, gh: Any, x: Any, h0: Any, Wx: Any, Wh: Any, ys: Any, needs: Flags) -> Any:
    """See the reference. A product and a launch for each step."""
    gys, ys, h0 = _dense(gys, ys, h0)
    da, dh, back = cupy().empty_like(ys), gh.copy(order="C"), Wh.T
    for t in range(len(ys) - 1, -1, -1):
        _launch(_RNN_GRAD, (gys, dh, ys, da), t, h0.size, h0.shape[1])
        if t or needs[1]:
            _multiply(da[t], back, dh)
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[2], needs[4]))
    return gx, dh if needs[1] else None, gWx, state_grad(cupy(), ys, h0, da) if needs[3] else None, gb


@override("cupy")
def lstm_forward(x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, b: Any) -> Any:
    """See the reference. A product and a launch for each step."""
    xp = cupy()
    h0, c0, b = _dense(h0, c0, b)
    gates = contiguous(xp, project(x, Wx, None))
    ys, cs, ts = (xp.empty((len(gates), *h0.shape), gates.dtype) for _ in range(3))
    for t in range(len(gates)):
        _multiply(ys[t - 1] if t else h0, Wh, gates[t], 1.0)
        _launch(_LSTM, (gates, b, c0, ys, cs, ts), t, h0.size, h0.shape[1])
    return ys, cs, gates, ts


@override("cupy")
def lstm_backward(gys: Any, gh: Any, gc: Any, x: Any, h0: Any, c0: Any, Wx: Any, Wh: Any, ys: Any, cs: Any, gates: Any, ts: Any, needs: Flags) -> Any:
    """See the reference. A product and a launch for each step."""
    gys, c0, ys, cs, gates, ts = _dense(gys, c0, ys, cs, gates, ts)
    da, dh, dc, back = cupy().empty_like(gates), gh.copy(order="C"), gc.copy(order="C"), Wh.T
    for t in range(len(ys) - 1, -1, -1):
        _launch(_LSTM_GRAD, (gys, dh, dc, gates, c0, cs, ts, da), t, c0.size, c0.shape[1])
        if t or needs[1]:
            _multiply(da[t], back, dh)
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[3], needs[5]))
    return gx, dh if needs[1] else None, dc if needs[2] else None, gWx, state_grad(cupy(), ys, h0, da) if needs[4] else None, gb


@override("cupy")
def gru_forward(x: Any, h0: Any, Wx: Any, Wh: Any, b: Any, bh: Any) -> Any:
    """See the reference. A product and a launch for each step."""
    xp = cupy()
    h0, b, bh = _dense(h0, b, bh)
    gates = contiguous(xp, project(x, Wx, None))
    ys, sent = (xp.empty((len(gates), *h0.shape), gates.dtype) for _ in range(2))
    w = xp.empty(gates.shape[1:], gates.dtype)
    for t in range(len(gates)):
        _multiply(ys[t - 1] if t else h0, Wh, w)
        _launch(_GRU, (gates, w, b, bh, h0, ys, sent), t, h0.size, h0.shape[1])
    return ys, gates, sent


@override("cupy")
def gru_backward(gys: Any, gh: Any, x: Any, h0: Any, Wx: Any, Wh: Any, ys: Any, gates: Any, sent: Any, needs: Flags) -> Any:
    """See the reference. A product and a launch for each step."""
    xp = cupy()
    gys, h0, ys, gates, sent = _dense(gys, h0, ys, gates, sent)
    da, dw, dh, back = xp.empty_like(gates), xp.empty_like(gates), gh.copy(order="C"), Wh.T
    for t in range(len(ys) - 1, -1, -1):
        _launch(_GRU_GRAD, (gys, dh, gates, sent, h0, ys, da, dw), t, h0.size, h0.shape[1])
        if t or needs[1]:
            _multiply(dw[t], back, dh, 1.0)
    gx, gWx, gb = input_grads(x, Wx, da, (needs[0], needs[2], needs[4]))
    gWh = state_grad(xp, ys, h0, dw) if needs[3] else None
    return gx, dh if needs[1] else None, gWx, gWh, gb, dw.reshape(-1, dw.shape[2]).sum(0) if needs[5] else None
