// Runs CUDA kernels on the host, one block after another, each thread of a block as a coroutine that gives way at barriers.
// For tests: what a kernel computes is found out without a device. Its speed and its memory model are not.
#pragma once
#include <algorithm>
#include <cmath>
#include <csetjmp>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <tuple>
#include <ucontext.h>
#include <utility>
#include <vector>

#define __global__
#define __device__
#define __host__
#define __forceinline__ inline
#define __shared__ static   // blocks run one after another, so the threads of one block share a static variable
#define __constant__ static
#define __restrict__
#define __launch_bounds__(...)

typedef _Float16 __half;

struct __nv_bfloat16 {
    unsigned short bits;
    __nv_bfloat16() = default;
    __nv_bfloat16(float v) {
        uint32_t u; memcpy(&u, &v, 4);
        bits = v != v ? 0x7fff : (unsigned short)((u + 0x7fff + ((u >> 16) & 1)) >> 16);  // to the nearest, ties to even
    }
    operator float() const { uint32_t u = (uint32_t)bits << 16; float v; memcpy(&v, &u, 4); return v; }
};

struct dim3 { unsigned x = 1, y = 1, z = 1; };

namespace host {
const int WARP = 32;
dim3 grid, block, block_index;
struct Thread { jmp_buf place; dim3 index; int rank; bool done, begun; char* stack; const unsigned long long* gate; unsigned long long seen; };
Thread threads[1024];
jmp_buf scheduler;
int running = 0, alive = 0, arrived = 0;
unsigned long long generation = 0;
struct Warp { int alive = 0, arrived = 0; unsigned long long generation = 0; unsigned char slot[WARP][16]; bool present[WARP]; };
std::vector<Warp> warps;
void (*body)() = nullptr;

inline Thread& self() { return threads[running]; }
inline Warp& warp() { return warps[self().rank / WARP]; }
inline void give_way() { if (!_setjmp(self().place)) _longjmp(scheduler, 1); }  // unlike swapcontext, without a call of the system

// A thread waits until the generation at its gate is another.
inline void pass(int& arrived, int alive, unsigned long long& generation) {
    Thread& t = self();
    t.gate = &generation; t.seen = generation;
    if (++arrived >= alive) { arrived = 0; ++generation; }
    while (*t.gate == t.seen) give_way();
    t.gate = nullptr;
}
inline void block_barrier() { pass(arrived, alive, generation); }
inline void warp_barrier() { Warp& w = warp(); pass(w.arrived, w.alive, w.generation); }
inline void entry() {
    for (;;) {   // a turn for each block
        body();
        Thread& t = self();
        t.done = true;
        --alive; --warp().alive; warp().present[t.rank % WARP] = false;
        // a thread that ends is waited for no longer
        if (alive && arrived >= alive) { arrived = 0; ++generation; }
        if (warp().alive && warp().arrived >= warp().alive) { warp().arrived = 0; ++warp().generation; }
        give_way();
    }
}
inline void resume(Thread& t) {
    if (_setjmp(scheduler)) return;
    if (t.begun) _longjmp(t.place, 1);
    t.begun = true;
    const size_t size = 64 * 1024;
    t.stack = (char*)malloc(size);
    static ucontext_t first;
    getcontext(&first);
    first.uc_stack.ss_sp = t.stack;
    first.uc_stack.ss_size = size;
    makecontext(&first, entry, 0);
    setcontext(&first);
}
inline void run_block() {
    int count = block.x * block.y * block.z;
    warps.assign((count + WARP - 1) / WARP, Warp());
    alive = count; arrived = 0;
    for (int i = 0; i < count; ++i) {
        Thread& t = threads[i];
        t.index = {i % block.x, i / block.x % block.y, i / (block.x * block.y)};
        t.rank = i; t.done = false; t.gate = nullptr;
        warps[i / WARP].alive++; warps[i / WARP].present[i % WARP] = true;
    }
    while (alive) {
        int before = alive; bool moved = false;
        for (int i = 0; i < count; ++i) {
            Thread& t = threads[i];
            if (t.done || (t.gate && *t.gate == t.seen)) continue;
            running = i; moved = true;
            resume(t);
        }
        if (before == alive && !moved) { fprintf(stderr, "a block waits for ever: not all threads reach the same barrier\n"); abort(); }
    }
}
template <class T> T exchange(T value, int from) {
    Warp& w = warp();
    int lane = self().rank % WARP;
    memcpy(w.slot[lane], &value, sizeof(T));
    warp_barrier();
    T got = value;
    if (from >= 0 && from < WARP && w.present[from]) memcpy(&got, w.slot[from], sizeof(T));
    warp_barrier();
    return got;
}
}  // namespace host

#define threadIdx (host::self().index)
#define blockIdx (host::block_index)
#define blockDim (host::block)
#define gridDim (host::grid)
#define warpSize 32
inline void __syncthreads() { host::block_barrier(); }
inline int __syncthreads_or(int p) { static int any; if (!host::self().rank) any = 0; __syncthreads(); any |= p; __syncthreads(); int r = any; __syncthreads(); return r; }
inline void __syncwarp(unsigned = ~0u) { host::warp_barrier(); }
inline void __threadfence() {}
inline int lane_() { return host::self().rank % host::WARP; }
template <class T> T __shfl_sync(unsigned, T v, int from, int width = 32) { return host::exchange(v, lane_() / width * width + from % width); }
template <class T> T __shfl_xor_sync(unsigned, T v, int mask, int = 32) { return host::exchange(v, lane_() ^ mask); }
template <class T> T __shfl_down_sync(unsigned, T v, int d, int width = 32) { int to = lane_() + d; return host::exchange(v, to / width == lane_() / width ? to : lane_()); }
template <class T> T __shfl_up_sync(unsigned, T v, int d, int width = 32) { int to = lane_() - d; return host::exchange(v, to >= 0 && to / width == lane_() / width ? to : lane_()); }

template <class T, class U> T atomicAdd(T* p, U v) { T old = *p; *p = T(old + v); return old; }
template <class T, class U> T atomicMax(T* p, U v) { T old = *p; *p = std::max(old, T(v)); return old; }
template <class T, class U> T atomicMin(T* p, U v) { T old = *p; *p = std::min(old, T(v)); return old; }
template <class T, class U> T atomicOr(T* p, U v) { T old = *p; *p = T(old | v); return old; }
template <class T> T atomicExch(T* p, T v) { T old = *p; *p = v; return old; }
template <class T> T __ldg(const T* p) { return *p; }
inline unsigned __umulhi(unsigned a, unsigned b) { return (unsigned)(((uint64_t)a * b) >> 32); }
inline unsigned long long __umul64hi(unsigned long long a, unsigned long long b) { return (unsigned long long)(((unsigned __int128)a * b) >> 64); }
inline float rsqrtf(float x) { return 1 / sqrtf(x); }
inline double rsqrt(double x) { return 1 / sqrt(x); }
inline float rsqrt(float x) { return 1 / sqrtf(x); }
inline float __expf(float x) { return expf(x); }
inline float __logf(float x) { return logf(x); }
inline float __fdividef(float a, float b) { return a / b; }
inline int __popc(unsigned x) { return __builtin_popcount(x); }
inline float __int_as_float(int x) { float y; memcpy(&y, &x, 4); return y; }
inline int __float_as_int(float x) { int y; memcpy(&y, &x, 4); return y; }
inline float __half2float(__half x) { return (float)x; }
inline __half __float2half(float x) { return (__half)x; }
inline float __bfloat162float(__nv_bfloat16 x) { return (float)x; }
inline __nv_bfloat16 __float2bfloat16(float x) { return __nv_bfloat16(x); }
template <class T, class U> auto min(T a, U b) -> typename std::common_type<T, U>::type { return b < a ? b : a; }
template <class T, class U> auto max(T a, U b) -> typename std::common_type<T, U>::type { return a < b ? b : a; }
using std::isfinite; using std::isinf; using std::isnan;
using std::abs; using std::exp; using std::log; using std::log1p; using std::expm1; using std::tanh; using std::sqrt; using std::pow; using std::erf; using std::fabs;
using std::floor; using std::ceil; using std::fmax; using std::fmin;

namespace host {
template <class... P, size_t... I> void call(void (*kernel)(P...), void** args, std::index_sequence<I...>) {
    static void (*kernel_)(P...); static void** args_;
    kernel_ = kernel; args_ = args;
    body = [] { kernel_(*(typename std::remove_cv<typename std::remove_reference<P>::type>::type*)args_[I]...); };
    for (block_index.z = 0; block_index.z < grid.z; ++block_index.z)
        for (block_index.y = 0; block_index.y < grid.y; ++block_index.y)
            for (block_index.x = 0; block_index.x < grid.x; ++block_index.x) run_block();
}
template <class... P> int sizes(void (*)(P...), int* out) { int s[] = {(int)sizeof(P)..., 0}; for (size_t i = 0; i < sizeof...(P); ++i) out[i] = s[i]; return sizeof...(P); }
template <class... P> void start(void (*kernel)(P...), void** args, const unsigned* shape) {
    grid = {shape[0], shape[1], shape[2]}; block = {shape[3], shape[4], shape[5]};
    call(kernel, args, std::make_index_sequence<sizeof...(P)>());
}
}  // namespace host
