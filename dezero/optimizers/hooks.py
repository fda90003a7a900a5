"""Hooks that change the gradients before an update: decay, clipping, freezing. They write to the gradients in place."""

from __future__ import annotations

import math
from collections.abc import Iterable
from operator import itemgetter
from typing import Any

from dezero.backend import array_module, device
from dezero.backend.arrays import fetch
from dezero.core import Variable
from dezero.core.checks import shown
from dezero.errors import InputTypeError
from dezero.optimizers.checks import above_zero, at_least_zero
from dezero.optimizers.together import by_place


class WeightDecay:
    """Add ``rate`` times each parameter to its gradient, as a penalty rate / 2 |p|^2 in the loss would.

    Args:
        rate: the strength.
        skip_vectors: leave out parameters with fewer than two axes: biases, and the scales and shifts of norms.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.array([1.0, -2.0]))
        >>> w.grad = np.zeros(2)
        >>> WeightDecay(0.1)([w])
        >>> print(w.grad)
        variable([ 0.1 -0.2])
    """

    def __init__(self, rate: float, skip_vectors: bool = False) -> None:
        self.rate = at_least_zero("WeightDecay", "rate", rate)
        self.skip_vectors = bool(skip_vectors)

    def __call__(self, params: Iterable[Any]) -> None:
        pairs = [(p.grad.data, p.data) for p in params if p.grad is not None and not (self.skip_vectors and p.ndim < 2)]
        for kernels, found in by_place(pairs, itemgetter(0)):
            kernels.add_scaled_together([g for g, _ in found], [data for _, data in found], self.rate)


class ClipGrad:
    """Scale all gradients by one factor where their norm, taken together, is above ``max_norm`` (Pascanu et al., ICML 2013).

    Gradients with a NaN or an infinity are left as they are: scaling would only spread it. ``optimizer.check_finite`` finds them.

    Args:
        max_norm: the largest norm allowed.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(2))
        >>> w.grad = np.array([3.0, 4.0])
        >>> ClipGrad(1.0)([w])
        >>> print(w.grad.data.round(4))
        [0.6 0.8]
    """

    def __init__(self, max_norm: float) -> None:
        self.max_norm = above_zero("ClipGrad", "max_norm", max_norm)

    def __call__(self, params: Iterable[Any]) -> None:
        gradients = [p.grad.data for p in params if p.grad is not None]
        if device.several or len({array_module(g) for g in gradients}) > 1:  # a norm over several devices comes together on the host
            factor = self.max_norm / (global_norm(gradients) + 1e-6)
            if 0 < factor < 1:
                for _, group in by_place(gradients):
                    for g in group:
                        g *= factor
        else:
            for kernels, group in by_place(gradients):
                kernels.clip_norm_together(group, self.max_norm)


class ClipValue:
    """Bring every element of the gradients into [-limit, limit]; a NaN stays.

    Args:
        limit: the largest absolute value allowed.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> w = Parameter(np.zeros(3))
        >>> w.grad = np.array([3.0, -0.5, -7.0])
        >>> ClipValue(1.0)([w])
        >>> print(w.grad)
        variable([ 1.  -0.5 -1. ])
    """

    def __init__(self, limit: float) -> None:
        self.limit = above_zero("ClipValue", "limit", limit)

    def __call__(self, params: Iterable[Any]) -> None:
        for kernels, group in by_place(p.grad.data for p in params if p.grad is not None):
            kernels.clip_together(group, self.limit)


class FreezeParam:
    """Leave some parameters as they are: their gradients are set to None before the update.

    Args:
        *layers: layers, parameters, or lists of them.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> from dezero.optimizers import SGD
        >>> a, b = Parameter(np.ones(1)), Parameter(np.ones(1))
        >>> optimizer = SGD(lr=0.5).setup([a, b])
        >>> optimizer.add_hook(FreezeParam(a))
        >>> a.grad = b.grad = np.ones(1)
        >>> optimizer.update()
        >>> print(a, b)
        variable([1.]) variable([0.5])
    """

    def __init__(self, *layers: Any) -> None:
        self.layers = layers
        for p in self._params(layers):
            if not isinstance(p, Variable):
                raise InputTypeError(f"FreezeParam: {shown(p)}: layers and parameters are expected")

    def _params(self, layers: Any) -> Iterable[Any]:
        for layer in layers:
            if hasattr(layer, "params"):
                yield from layer.params()
            elif isinstance(layer, (list, tuple)):
                yield from self._params(layer)
            else:
                yield layer

    def __call__(self, params: Iterable[Any]) -> None:
        for p in self._params(self.layers):
            p.cleargrad()


def global_norm(arrays: Iterable[Any]) -> float:
    """The Euclidean norm of all arrays taken together.

    Examples:
        >>> import numpy as np
        >>> global_norm([np.array([3.0]), np.array([[4.0]])])
        5.0
    """
    sums = (fetch("global_norm", kernels.square_sum_together(group)) for kernels, group in by_place(arrays))
    return math.sqrt(math.fsum(map(float, sums)))
