"""Every op as a public function. A class is an op's maths; the function of its name carries signature, docstring and errors."""

from dezero.core.operators import API
from dezero.functions import (
    activation,
    arrange,
    attention,
    batch_norm,
    compare,
    conv,
    dropout,
    elementwise,
    explog,
    index,
    linalg,
    loss,
    metrics,
    norm,
    pool,
    rectifier,
    reduce,
    rnn,
    shape,
    softmax,
    trigonometry,
)

_MODULES = (elementwise, compare, explog, trigonometry, reduce, shape, arrange, index, linalg, activation, rectifier,
            softmax, loss, conv, pool, norm, batch_norm, dropout, rnn, attention, metrics)
for _module in _MODULES:
    for _name in _module.__all__:
        API[_name] = globals()[_name] = getattr(_module, _name)

__all__ = sorted(API)
