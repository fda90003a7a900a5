"""The device code of normalisation by channels, over all samples and places: batch norm, and sums over such axes."""

from __future__ import annotations

from dezero.backend.cuda.launch import Raw
from dezero.backend.cuda.norm_rows import PACKS

# x is (N, C, S). With width 1 a block works on one channel; with width 32, for short S, on 32 of them side by side, so that the threads of a warp
# read neighbours. gridDim.y blocks share a channel, `chunk` elements each. What they find goes to parts, and the blocks of the next launch
# add it up in the same order every time: nothing depends on which block comes first.
CHANNELS = PACKS + """
enum { WHOLE, PART, MERGE, GIVEN };   // phases: all in one launch; the sums of parts; what follows from them; from statistics that are given
struct Walk {                         // over the elements i of a channel; `at` is where element i lies, `sample` the sample that it belongs to
    long long i, end, at, s, sample, S, jump, step, step_s, step_at, step_sample;
    __device__ Walk(long long c, long long C, long long S, long long begin, long long end, long long first, long long step)
        : i(begin + first), end(c < C ? end : 0), S(S), jump((C - 1) * S), step(step), step_s(step % S), step_sample(step / S) {
        sample = i / S;
        s = i % S;
        at = (sample * C + c) * S + s;
        step_at = step_sample * C * S + step_s;
    }
    __device__ bool inside() const { return i < end; }
    __device__ void next() {
        i += step; at += step_at; s += step_s; sample += step_sample;
        if (s >= S) { s -= S; at += jump; ++sample; }
    }
};
// The sum over the threads that share a channel, in all of them.
__device__ __forceinline__ A group_sum(A v, A* box, int width) {
    if (width == 1) return block_sum(v, box);
    __syncthreads();
    box[threadIdx.x] = v;
    __syncthreads();
    A sum = 0;
    for (int i = threadIdx.x % 32; i < blockDim.x; i += 32) sum += box[i];
    return sum;
}
struct Place {                        // which channel a thread works on, and its number among the threads of that channel
    long long c, begin, end, total;
    int thread, threads, width;
    __device__ Place(long long N, long long S, long long wide, long long chunk) : total(N * S), width((int)wide) {
        c = width == 1 ? blockIdx.x : blockIdx.x * 32LL + threadIdx.x % 32;
        thread = threadIdx.x / width;
        threads = blockDim.x / width;
        begin = blockIdx.y * chunk;
        end = begin + chunk < total ? begin + chunk : total;
    }
};
"""

FORWARD = Raw("dezero_norm_channels", """
template <class X> __device__ double wide(X v) { return (double)(float)v; }
__device__ inline double wide(double v) { return v; }
// Mean and sum of squared distances from it for the elements of this block. A thread counts from its first element, so that values far from 0
// lose nothing, and the threads' means and squares are put together in two passes.
template <int V> __device__ void statistics(const T* x, const Place& here, long long C, long long S, A* box, A& mean, A& squares) {
    A origin = 0, sum = 0, square = 0, count = 0;
    Walk w(here.c, C, S, here.begin, here.end, here.thread * V, here.threads * V);
    if (w.inside()) origin = (A)x[w.at];
    for (; w.inside(); w.next()) {
        Pack<T, V> v = load<V>(x + w.at);
        for (int e = 0; e < V; ++e) { A d = (A)v.v[e] - origin; sum += d; square += d * d; }
        count += V;
    }
    A m = count > 0 ? sum / count : A(0);
    square -= m * sum;
    m += origin;
    mean = group_sum(count * m, box, here.width) / (here.end - here.begin);
    squares = group_sum(square + count * (m - mean) * (m - mean), box, here.width);
}
template <int V> __device__ void apply(const T* x, T2* y, const Place& here, long long C, long long S, A m, A scale, A shift) {
    for (Walk w(here.c, C, S, here.begin, here.end, here.thread * V, here.threads * V); w.inside(); w.next()) {
        Pack<T, V> v = load<V>(x + w.at);
        Pack<T2, V> o;
        for (int e = 0; e < V; ++e) o.v[e] = (T2)(((A)v.v[e] - m) * scale + shift);
        store<V>(y + w.at, o);
    }
}
extern "C" __global__ void __launch_bounds__(1024)
dezero_norm_channels(const T* x, const T1* gamma, const T1* beta, T2* y, A* mean, A* var, A* rstd, T3* running_mean, T3* running_var, A* parts,
                     double eps, double decay, double share, double share_var, long long N, long long C, long long S, long long width,
                     long long phase, long long chunk) {
    __shared__ A box[1024];
    Place here(N, S, width, chunk);
    bool quick = width == 1 && S % 4 == 0 && fits(x) && fits(y), valid = here.c < C;
    long long mine = (blockIdx.y * C + here.c) * 2;
    A m = 0, squares = 0;
    if (phase == WHOLE || phase == PART) {
        if (quick) statistics<4>(x, here, C, S, box, m, squares);
        else statistics<1>(x, here, C, S, box, m, squares);
    }
    if (phase == PART) {
        if (here.thread == 0 && valid) { parts[mine] = m; parts[mine + 1] = squares; }
        return;
    }
    if (phase == MERGE) {
        A sum = 0;
        for (int part = 0; part < 2; ++part) {   // first the mean, then the squares around it
            A found = 0;
            for (long long p = here.thread; p < gridDim.y && valid; p += here.threads) {
                const A* one = parts + (p * C + here.c) * 2;
                A count = here.total - p * chunk < chunk ? here.total - p * chunk : chunk;
                found += part == 0 ? count * one[0] : one[1] + count * (one[0] - m) * (one[0] - m);
            }
            sum = group_sum(found, box, here.width);
            if (part == 0) m = sum / here.total;
        }
        squares = sum;
    }
    if (!valid) return;
    A variance = squares / here.total;
    if (phase == GIVEN) { m = (A)running_mean[here.c]; variance = (A)running_var[here.c]; }
    A r = 1 / sqrt(variance + (A)eps);
    if (phase != GIVEN && blockIdx.y == 0 && here.thread == 0) {
        mean[here.c] = m;
        rstd[here.c] = r;
        if (var) var[here.c] = variance;
        if (running_mean) running_mean[here.c] = (T3)(wide(running_mean[here.c]) * decay + m * share);
        if (running_var) running_var[here.c] = (T3)(wide(running_var[here.c]) * decay + variance * share_var);
    }
    A scale = gamma ? r * (A)gamma[here.c] : r, shift = beta ? (A)beta[here.c] : A(0);
    if (quick) apply<4>(x, y, here, C, S, m, scale, shift);
    else apply<1>(x, y, here, C, S, m, scale, shift);
}
""", prelude=CHANNELS, types=4)

# Sums of gy and of gy xhat for each channel, and from them gx = gamma rstd (gy - mean(gy) - xhat mean(gy xhat)).
# With groups, mean and rstd are those of each sample's groups of channels; this is for the gradients of gamma and beta alone.
BACKWARD = Raw("dezero_norm_channels_grad", """
template <int V> __device__ void sums_of(const T2* gy, const T* x, const A* mean, const A* rstd, const Place& here, long long C, long long S,
                                         long long groups, A& sum, A& dot) {
    long long group = groups ? here.c / (C / groups) : here.c;
    bool own = !groups && here.c < C;
    A m = own && mean ? mean[here.c] : A(0), r = own && rstd ? rstd[here.c] : A(1);
    for (Walk w(here.c, C, S, here.begin, here.end, here.thread * V, here.threads * V); w.inside(); w.next()) {
        if (groups) {
            long long row = w.sample * groups + group;
            m = mean ? mean[row] : A(0);
            r = rstd[row];
        }
        Pack<T2, V> g = load<V>(gy + w.at);
        for (int e = 0; e < V; ++e) sum += (A)g.v[e];
        if (!x) continue;
        Pack<T, V> v = load<V>(x + w.at);
        for (int e = 0; e < V; ++e) dot += (A)g.v[e] * (((A)v.v[e] - m) * r);
    }
}
template <int V> __device__ void send(const T2* gy, const T* x, T* gx, const Place& here, long long C, long long S, A m, A a, A b, A c) {
    for (Walk w(here.c, C, S, here.begin, here.end, here.thread * V, here.threads * V); w.inside(); w.next()) {
        Pack<T2, V> g = load<V>(gy + w.at);
        Pack<T, V> v = load<V>(x + w.at), o;
        for (int e = 0; e < V; ++e) o.v[e] = (T)(a * ((A)g.v[e] - c - ((A)v.v[e] - m) * b));
        store<V>(gx + w.at, o);
    }
}
extern "C" __global__ void __launch_bounds__(1024)
dezero_norm_channels_grad(const T2* gy, const T* x, const T1* gamma, const A* mean, const A* rstd, T* gx, T1* dots, T1* sums, A* parts,
                          long long N, long long C, long long S, long long groups, long long width, long long phase, long long chunk) {
    __shared__ A box[1024];
    Place here(N, S, width, chunk);
    bool quick = width == 1 && S % 4 == 0 && fits(gy) && fits(x) && fits(gx), valid = here.c < C;
    A sum = 0, dot = 0;
    if (phase != MERGE) {
        if (quick) sums_of<4>(gy, x, mean, rstd, here, C, S, groups, sum, dot);
        else sums_of<1>(gy, x, mean, rstd, here, C, S, groups, sum, dot);
    } else
        for (long long p = here.thread; p < gridDim.y && valid; p += here.threads) {
            const A* one = parts + (p * C + here.c) * 2;
            sum += one[0];
            dot += one[1];
        }
    sum = group_sum(sum, box, here.width);
    dot = group_sum(dot, box, here.width);
    if (!valid) return;
    if (phase == PART) {
        A* one = parts + (blockIdx.y * C + here.c) * 2;
        if (here.thread == 0) { one[0] = sum; one[1] = dot; }
        return;
    }
    if (blockIdx.y == 0 && here.thread == 0) {
        if (dots) dots[here.c] = (T1)dot;
        if (sums) sums[here.c] = (T1)sum;
    }
    if (!gx) return;
    A m = mean ? mean[here.c] : A(0), r = rstd[here.c], a = gamma ? r * (A)gamma[here.c] : r;
    A b = dot * r / here.total, c = mean ? sum / here.total : A(0);
    if (quick) send<4>(gy, x, gx, here, C, S, m, a, b, c);
    else send<1>(gy, x, gx, here, C, S, m, a, b, c);
}
""", prelude=CHANNELS, types=3)
