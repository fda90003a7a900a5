"""Steps of optimizers on the device: one launch for one parameter, and one for all parameters that make the same step."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dezero.backend.arrays import cupy_module as cupy
from dezero.backend.cuda.blocks import contiguous
from dezero.backend.cuda.launch import Elementwise, Raw
from dezero.backend.cuda.tables import PRELUDE, launch, pointers, sizes_of, table
from dezero.backend.kernels import REFERENCE, override
from dezero.backend.together import Batch

# Name of the kernel -> how many arrays of state, the names of its numbers, and the step on one element: w is the parameter, d its gradient
# with the decay, s0, s1, s2 the state, of which array k is there if has<k>; all of type A. The formulas are in backend/optimize.py.
RULES: dict[str, tuple[int, tuple[str, ...], str]] = {
    "sgd_step": (0, ("rate",), "w -= d * (A)rate;"),
    "momentum_step": (1, ("rate", "momentum", "nesterov"), """
        s0 = s0 * (A)momentum + d;
        w -= (nesterov != 0 ? s0 * (A)momentum + d : s0) * (A)rate;"""),
    "adagrad_step": (1, ("rate", "eps"), """
        s0 += d * d;
        w -= d / (sqrt(s0) + (A)eps) * (A)rate;"""),
    "adadelta_step": (2, ("rate", "rho", "eps"), """
        s0 = s0 * (A)rho + d * d * (A)(1 - rho);
        A e = sqrt((s1 + (A)eps) / (s0 + (A)eps)) * d;
        s1 = s1 * (A)rho + e * e * (A)(1 - rho);
        w -= e * (A)rate;"""),
    "rmsprop_step": (3, ("rate", "rho", "eps", "momentum"), """
        s0 = s0 * (A)rho + d * d * (A)(1 - rho);
        A square = s0;
        if (has1) {
            s1 = s1 * (A)rho + d * (A)(1 - rho);
            square -= s1 * s1;
            if (square < 0) square = 0;   // rounding may leave a little less than nothing
        }
        A e = d / (sqrt(square) + (A)eps);
        if (has2) { s2 = s2 * (A)momentum + e; e = s2; }
        w -= e * (A)rate;"""),
    "adam_step": (2, ("beta1", "beta2", "keep", "from_m", "from_g", "eps"), """
        s0 = s0 * (A)beta1 + d * (A)(1 - beta1);
        s1 = s1 * (A)beta2 + d * d * (A)(1 - beta2);
        A e = s0 * (A)from_m;
        if (from_g != 0) e += d * (A)from_g;
        if (eps >= 0) e /= sqrt(s1) + (A)eps;   // less than 0: without the division
        w = w * (A)keep - e;"""),
    "lion_step": (1, ("rate", "beta1", "beta2", "keep"), """
        A e = s0 * (A)beta1 + d * (A)(1 - beta1);
        e = e > 0 ? 1 : e < 0 ? -1 : e;   // a NaN stays
        w = w * (A)keep - e * (A)rate;
        s0 = s0 * (A)beta2 + d * (A)(1 - beta2);"""),
}


def _together(name: str) -> Raw:
    """The kernel that makes a step on all parameters of a table: columns p, g, the float32 masters, and the arrays of state."""
    count, numbers, step = RULES[name]
    pointers = "".join(f"A* __restrict__ q{k} = (A*)TABLE_COLUMN({k + 3}); const bool has{k} = q{k} != 0;\n" for k in range(count))
    load = "".join(f"A s{k} = has{k} ? q{k}[i] : A(0);\n" for k in range(count))
    store = "".join(f"if (has{k}) q{k}[i] = s{k};\n" for k in range(count))
    return Raw(f"dezero_{name}_together", f"""
extern "C" __global__ void dezero_{name}_together(const long long* table, long long n, double decay{''.join(f', double {v}' for v in numbers)}) {{
    TABLE_LOOP
        T* __restrict__ p = (T*)TABLE_COLUMN(0); const T1* __restrict__ g = (const T1*)TABLE_COLUMN(1); A* __restrict__ master = (A*)TABLE_COLUMN(2);
        {pointers}
        #pragma unroll 4
        for (long long i = begin + threadIdx.x; i < end; i += blockDim.x) {{
            A w = (A)p[i], d = (A)g[i];
            if (master) {{   // it holds unless somebody has written to the parameter since
                A whole = master[i];
                if ((A)(T)whole == w) w = whole;
            }}
            {load}
            if (decay != 0) d += w * (A)decay;
            {step}
            p[i] = (T)w;
            if (master) master[i] = w;
            {store}
        }}
    TABLE_END
}}
""", prelude=PRELUDE, types=2)


def _alone(name: str, there: tuple[bool, ...]) -> Elementwise:
    """The kernel that makes a step on one parameter of any layout, with those arrays of state that are there."""
    count, numbers, step = RULES[name]
    mine = [k for k in range(count) if there[k]]
    before = "".join((f"const bool has{k} = {str(there[k]).lower()};\n" if f"has{k}" in step else "")
                     + f"A s{k} = {f'(A)old{k}' if there[k] else '0'};\n" for k in range(count))
    after = "".join(f"new{k} = (S)s{k};\n" for k in mine)
    return Elementwise(
        "T p, G g" + "".join(f", S old{k}" for k in mine) + "".join(f", float64 {v}" for v in numbers),
        "T out" + "".join(f", S new{k}" for k in mine),
        f"A w = (A)p, d = (A)g;\n{before}{step}\nout = (T)w;\n{after}", name + "".join(str(k) for k in mine if len(mine) < count))


TOGETHER = {name: _together(name) for name in RULES}
ALONE = {(name, there): _alone(name, there) for name, (count, _, _) in RULES.items()
         for there in ([(True, a, b) for a in (True, False) for b in (True, False)] if count == 3 else [(True,) * count])}


def _numbers(name: str, numbers: Sequence[Any]) -> list[float]:
    """What the kernels take: floats, and -1 for an eps of None."""
    return [-1.0 if v is None else float(v) for v in numbers]


def _step(name: str) -> Callable[..., None]:
    count = RULES[name][0]

    def step(p: Any, g: Any, *args: Any) -> None:
        """See the reference. One launch."""
        states = args[:count]
        mine = [s for s in states if s is not None]
        ALONE[name, tuple(s is not None for s in states)](p, g, *mine, *_numbers(name, args[count:]), p, *mine)

    step.__name__ = name
    return override("cupy")(step)


for _name in RULES:
    _step(_name)

_ADD_SCALED = Elementwise("T y, G x, float64 factor", "T out", "out = (T)((A)y + (A)x * (A)factor);", "add_scaled")
_TAKE_OVER = Elementwise("S master, T p", "S out", "out = (S)(T)master == (S)p ? master : (S)p;", "take_over")


@override("cupy")
def add_scaled(y: Any, x: Any, factor: float) -> None:
    """See the reference. One launch."""
    _ADD_SCALED(y, x, factor, y)


@override("cupy")
def take_over(master: Any, p: Any) -> None:
    """See the reference. One launch."""
    _TAKE_OVER(master, p, master)


@override("cupy")
def step_together(name: str, batch: Batch, gs: Sequence[Any], decay: float, numbers: Sequence[Any]) -> None:
    """See the reference. One launch, if the parameters are contiguous."""
    if not batch.ps:
        return
    xp = cupy()
    if batch.cache is None:  # where the parameters are does not change
        arrays = [*batch.ps, *(a for column in (batch.masters, *batch.states) if column is not None for a in column)]
        dense = name in RULES and all(a.flags.c_contiguous for a in arrays) and len({a.dtype for a in batch.ps}) == 1
        batch.cache = dense and (sizes_of(batch.ps), pointers(batch.ps),
                                 [None if column is None else pointers(column) for column in (batch.masters, *batch.states)])
    if not batch.cache:
        REFERENCE["step_together"](xp, name, batch, gs, decay, numbers)
        return
    sizes, ps, rest = batch.cache
    dtype = gs[0].dtype
    gs = [contiguous(xp, g if g.dtype == dtype else g.astype(dtype)) for g in gs]
    p = batch.ps[0]
    launch(TOGETHER[name], (p.dtype, dtype), table(sizes, (ps, pointers(gs), *rest), p.device.id), (float(decay), *_numbers(name, numbers)))
