"""Every op as a public function. A class is an op's maths; the function of its name carries signature, docstring and errors."""

from dezero.core.operators import API
from dezero.functions import (
    activation,
    arrange,
    attention,
    batch_norm,
    cells,
    columns,
    compare,
    conv,
    decompose,
    dropout,
    einsum,
    elementwise,
    explog,
    extrema,
    index,
    join,
    linalg,
    lookup,
    loss,
    loss_class,
    loss_probability,
    metrics,
    norm,
    pool,
    rectifier,
    reduce,
    resize,
    rnn,
    shape,
    softmax,
    trigonometry,
)

# From the bottom up: a module imports only from those listed before it.
_MODULES = (
    elementwise, compare, explog, trigonometry, reduce, extrema, shape, arrange, index, lookup, join, linalg, einsum, decompose, activation,
    rectifier, softmax, loss, loss_class, loss_probability, columns, conv, pool, resize, norm, batch_norm, dropout, cells,
    rnn, attention, metrics,
)
for _module in _MODULES:
    for _name in _module.__all__:
        API[_name] = globals()[_name] = getattr(_module, _name)

__all__ = sorted(API)
