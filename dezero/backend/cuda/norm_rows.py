"""The device code of normalisation over rows, one after another in memory: layer, group, instance and RMS norm."""

from __future__ import annotations

from dezero.backend.cuda.blocks import REDUCE
from dezero.backend.cuda.launch import Raw

# V elements that lie side by side move in one access, where the pointer fits: V is 4 or 1.
PACKS = REDUCE + """
template <class X, int V> struct alignas(V * sizeof(X)) Pack { X v[V]; };
template <int V, class X> __device__ __forceinline__ Pack<X, V> load(const X* p) { return *(const Pack<X, V>*)p; }
template <int V, class X> __device__ __forceinline__ void store(X* p, const Pack<X, V>& v) { *(Pack<X, V>*)p = v; }
template <class X> __device__ __forceinline__ bool fits(const X* p) { return (unsigned long long)p % (4 * sizeof(X)) == 0; }
"""

# A row belongs to a team of `lanes` threads: a warp, or the whole block. Element k of a row takes place start + k / inner of gamma and beta,
# where start is where the row begins, modulo the elements after which gamma repeats, in steps of inner.
ROWS = PACKS + """
__device__ __forceinline__ A team_sum(A v, A* buffer, int lanes) { return lanes == 32 ? warp_sum(v) : block_sum(v, buffer); }
template <int V> __device__ __forceinline__ Pack<A, V> parameter(const T1* p, long long start, long long k, long long inner, A none) {
    Pack<A, V> out;
    if (p && inner == 1) {
        Pack<T1, V> in = load<V>(p + start + k);
        for (int e = 0; e < V; ++e) out.v[e] = (A)in.v[e];
    } else {
        A v = p ? (A)p[start + k / inner] : none;   // inner is a multiple of V, so that V neighbours share it
        for (int e = 0; e < V; ++e) out.v[e] = v;
    }
    return out;
}
__device__ __forceinline__ bool quick(const T* x, const T1* gamma, const T1* beta, const T2* y, long long n, long long inner) {
    return n % 4 == 0 && fits(x) && fits(y) && (inner == 1 ? fits(gamma) && fits(beta) : inner % 4 == 0);
}
"""

# Statistics in two passes, as the variance of values far from 0 asks for; a row is in the cache from the second time on.
FORWARD = Raw("dezero_norm_rows", """
template <int V> __device__ void rows_forward(const T* x, const T1* gamma, const T1* beta, T2* y, A* mean, A* var, A* rstd, A eps, long long rows,
                                              long long n, long long inner, long long period, bool centred, int lanes, A* buffer) {
    int lane = threadIdx.x % lanes;
    long long teams = blockDim.x / lanes, step = (long long)lanes * V;
    for (long long row = blockIdx.x * teams + threadIdx.x / lanes; row < rows; row += gridDim.x * teams) {
        const T* in = x + row * n;
        T2* out = y + row * n;
        A m = 0, sum = 0;
        if (centred) {
            for (long long k = lane * V; k < n; k += step) {
                Pack<T, V> v = load<V>(in + k);
                for (int e = 0; e < V; ++e) sum += (A)v.v[e];
            }
            m = team_sum(sum, buffer, lanes) / n;
        }
        sum = 0;
        for (long long k = lane * V; k < n; k += step) {
            Pack<T, V> v = load<V>(in + k);
            for (int e = 0; e < V; ++e) { A d = (A)v.v[e] - m; sum += d * d; }
        }
        A variance = team_sum(sum, buffer, lanes) / n, r = 1 / sqrt(variance + eps);
        long long start = row * n % period / inner;
        for (long long k = lane * V; k < n; k += step) {
            Pack<T, V> v = load<V>(in + k);
            Pack<A, V> scale = parameter<V>(gamma, start, k, inner, 1), shift = parameter<V>(beta, start, k, inner, 0);
            Pack<T2, V> o;
            for (int e = 0; e < V; ++e) o.v[e] = (T2)(((A)v.v[e] - m) * r * scale.v[e] + shift.v[e]);
            store<V>(out + k, o);
        }
        if (lane == 0) {
            if (centred) mean[row] = m;
            if (var) var[row] = variance;
            rstd[row] = r;
        }
    }
}
extern "C" __global__ void __launch_bounds__(512)
dezero_norm_rows(const T* x, const T1* gamma, const T1* beta, T2* y, A* mean, A* var, A* rstd, double eps, long long rows, long long n,
                 long long inner, long long period, long long centred, long long lanes) {
    __shared__ A buffer[32];
    if (quick(x, gamma, beta, y, n, inner))
        rows_forward<4>(x, gamma, beta, y, mean, var, rstd, (A)eps, rows, n, inner, period, centred, (int)lanes, buffer);
    else
        rows_forward<1>(x, gamma, beta, y, mean, var, rstd, (A)eps, rows, n, inner, period, centred, (int)lanes, buffer);
}
""", prelude=ROWS, types=3)

# What of the gradients of gamma and beta a block has room for: bytes of each, and so many columns at most.
ROOM = 16384

# gx = rstd (g - mean(g) - xhat mean(g xhat)) with g = gamma gy. Where parts is given, gamma has n elements, and a team adds up those of its rows
# in shared memory: each thread its own columns, so no order is left to chance.
BACKWARD = Raw("dezero_norm_rows_grad", f"""
const int ROOM = {ROOM} / sizeof(A);
""" + """
template <int V> __device__ void rows_backward(const T2* gy, const T* x, const T1* gamma, const A* mean, const A* rstd, T* gx, A* parts,
                                               long long rows, long long n, long long inner, long long period, int lanes, A* sums, A* buffer) {
    int lane = threadIdx.x % lanes;
    long long teams = blockDim.x / lanes, step = (long long)lanes * V;
    A* dots = sums + threadIdx.x / lanes * n;
    A* plain = dots + ROOM;
    Pack<A, V> none;
    for (int e = 0; e < V; ++e) none.v[e] = 0;
    if (parts) for (long long k = lane * V; k < n; k += step) { store<V>(dots + k, none); store<V>(plain + k, none); }
    for (long long row = blockIdx.x * teams + threadIdx.x / lanes; row < rows; row += gridDim.x * teams) {
        A m = mean ? mean[row] : A(0), r = rstd[row], g_sum = 0, dot_sum = 0;
        long long at = row * n, start = at % period / inner;
        for (long long k = lane * V; k < n; k += step) {
            Pack<T, V> v = load<V>(x + at + k);
            Pack<T2, V> g = load<V>(gy + at + k);
            Pack<A, V> scale = parameter<V>(gamma, start, k, inner, 1), xhat;
            for (int e = 0; e < V; ++e) {
                xhat.v[e] = ((A)v.v[e] - m) * r;
                A scaled = (A)g.v[e] * scale.v[e];
                g_sum += scaled;
                dot_sum += scaled * xhat.v[e];
            }
            if (parts) {
                Pack<A, V> d = load<V>(dots + k), s = load<V>(plain + k);
                for (int e = 0; e < V; ++e) { d.v[e] += (A)g.v[e] * xhat.v[e]; s.v[e] += (A)g.v[e]; }
                store<V>(dots + k, d);
                store<V>(plain + k, s);
            }
        }
        if (!gx) continue;
        g_sum = mean ? team_sum(g_sum, buffer, lanes) / n : A(0);
        dot_sum = team_sum(dot_sum, buffer, lanes) / n;
        for (long long k = lane * V; k < n; k += step) {
            Pack<T, V> v = load<V>(x + at + k);
            Pack<T2, V> g = load<V>(gy + at + k);
            Pack<A, V> scale = parameter<V>(gamma, start, k, inner, 1);
            Pack<T, V> out;
            for (int e = 0; e < V; ++e) out.v[e] = (T)(r * ((A)g.v[e] * scale.v[e] - g_sum - ((A)v.v[e] - m) * r * dot_sum));
            store<V>(gx + at + k, out);
        }
    }
    if (!parts) return;
    __syncthreads();
    for (long long k = threadIdx.x; k < n; k += blockDim.x) {
        A d = 0, s = 0;
        for (long long team = 0; team < teams; ++team) { d += sums[team * n + k]; s += sums[ROOM + team * n + k]; }
        parts[blockIdx.x * n + k] = d;
        parts[(gridDim.x + blockIdx.x) * n + k] = s;
    }
}
extern "C" __global__ void __launch_bounds__(512)
dezero_norm_rows_grad(const T2* gy, const T* x, const T1* gamma, const A* mean, const A* rstd, T* gx, A* parts, long long rows, long long n,
                      long long inner, long long period, long long lanes) {
    __shared__ A buffer[32];
    __shared__ Pack<A, 4> room[2 * ROOM / 4];
    A* sums = room[0].v;
    if (quick(x, gamma, 0, gy, n, inner) && fits(gx))
        rows_backward<4>(gy, x, gamma, mean, rstd, gx, parts, rows, n, inner, period, (int)lanes, sums, buffer);
    else
        rows_backward<1>(gy, x, gamma, mean, rstd, gx, parts, rows, n, inner, period, (int)lanes, sums, buffer);
}
""", prelude=ROWS, types=3)

# The sums over `count` rows of two matrices in turn: 32 columns to a block, whose warps take the rows in turn.
FINISH = Raw("dezero_norm_finish", """
extern "C" __global__ void __launch_bounds__(1024) dezero_norm_finish(const A* parts, T* dots, T* sums, long long count, long long n) {
    __shared__ A box[1024];
    T* out = blockIdx.y ? sums : dots;
    if (!out) return;
    long long k = blockIdx.x * 32LL + threadIdx.x % 32;
    const A* in = parts + blockIdx.y * count * n;
    A sum = 0;
    if (k < n) for (long long i = threadIdx.x / 32; i < count; i += blockDim.x / 32) sum += in[i * n + k];
    box[threadIdx.x] = sum;
    __syncthreads();
    if (threadIdx.x >= 32 || k >= n) return;
    for (int i = threadIdx.x + 32; i < blockDim.x; i += 32) sum += box[i];
    out[k] = (T)sum;
}
""")
