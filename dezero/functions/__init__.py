"""Every op as a public function. A class is an op's maths; the function of its name carries signature, docstring and errors."""

from dezero.core.operators import API
from dezero.functions import (
    activation,
    attention,
    conv,
    dropout,
    elementwise,
    index,
    linalg,
    loss,
    metrics,
    norm,
    pool,
    reduce,
    rnn,
    shape,
)

_MODULES = (elementwise, reduce, shape, index, linalg, activation, loss, conv, pool, norm, dropout, rnn, attention, metrics)
for _module in _MODULES:
    for _name in _module.__all__:
        API[_name] = globals()[_name] = getattr(_module, _name)

__all__ = sorted(API)
