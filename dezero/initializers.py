"""Initial values of weights. Without a seed of their own they draw from NumPy's global state, as ``np.random.seed`` sets it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from dezero.backend.random import draws
from dezero.errors import describe


class Initializer:
    """Makes the first values of a parameter; subclasses define :meth:`draw`.

    Args:
        seed: the same seed gives the same values, one array after another; None draws from NumPy's global state.

    Examples:
        >>> import numpy as np
        >>> a, b = (He(seed=0)((784, 50), np.float32, 784, 50) for _ in range(2))
        >>> a.dtype, (a == b).all(), round(float(a.std()), 3)
        (dtype('float32'), np.True_, 0.051)
    """

    def __init__(self, seed: int | None = None) -> None:
        self._rng = None if seed is None else np.random.default_rng(seed)

    def __call__(self, shape: tuple[int, ...], dtype: Any = np.float32, fan_in: int | None = None, fan_out: int | None = None,
                 xp: Any = np) -> Any:
        """Values for a parameter.

        Args:
            shape: of the parameter.
            dtype: of the parameter, float.
            fan_in: how many inputs go into one unit; None for the first axis.
            fan_out: how many units one input goes to; None for the last axis.
            xp: the array module of the result; the values are drawn on the host, so they are the same on every device.
        """
        draws.initial += self._rng is None
        fan_in = fan_in if fan_in is not None else shape[0] if shape else 1
        fan_out = fan_out if fan_out is not None else shape[-1] if shape else 1
        values = self.draw(tuple(shape), max(fan_in, 1), max(fan_out, 1))
        return xp.asarray(np.ascontiguousarray(values, dtype=dtype))

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        """Values of this shape, in any float dtype."""
        raise NotImplementedError(f"{type(self).__name__} has no draw: define draw(self, shape, fan_in, fan_out)")

    def normal(self, shape: tuple[int, ...], std: float) -> Any:
        """Normal values of mean 0."""
        z = np.random.standard_normal(shape) if self._rng is None else self._rng.standard_normal(shape)
        z = np.asarray(z)
        z *= std
        return z

    def uniform(self, shape: tuple[int, ...], limit: float) -> Any:
        """Uniform values in [-limit, limit)."""
        return np.random.uniform(-limit, limit, shape) if self._rng is None else self._rng.uniform(-limit, limit, shape)

    def __repr__(self) -> str:
        fields = ", ".join(f"{k}={v!r}" for k, v in vars(self).items() if not k.startswith("_"))
        return f"{type(self).__name__}({fields})"


class Constant(Initializer):
    """The same value everywhere.

    Examples:
        >>> Constant(0.5)((2,))
        array([0.5, 0.5], dtype=float32)
    """

    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.value = value

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        return np.full(shape, self.value)


class Normal(Initializer):
    """Normal with a standard deviation that does not depend on the layer's size.

    Examples:
        >>> Normal(0.01, seed=0)((2, 2)).shape
        (2, 2)
    """

    def __init__(self, std: float = 0.01, seed: int | None = None) -> None:
        super().__init__(seed)
        if not std >= 0:
            raise ValueError(f"{type(self).__name__}: std is {std}: a number >= 0 is expected")
        self.std = std

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        return self.normal(shape, self.std)


class Scaled(Initializer):
    """Values whose variance is ``scale / n``, with n the fan-in, the fan-out or their mean.

    Args:
        scale: a factor of the variance.
        by: ``"in"``, ``"out"`` or ``"mean"``.
        uniform: draw from a uniform distribution of that variance instead of a normal one.
        seed: as in :class:`Initializer`.

    Examples:
        >>> float(Scaled(3.0, uniform=True, seed=0)((100, 100)).max() <= 0.3)
        1.0
    """

    def __init__(self, scale: float = 1.0, by: str = "in", uniform: bool = False, seed: int | None = None) -> None:
        super().__init__(seed)
        if by not in ("in", "out", "mean"):
            raise ValueError(f"{type(self).__name__}: by is {by!r}: 'in', 'out' or 'mean' is expected")
        self.scale, self.by, self.is_uniform = scale, by, uniform

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        n = {"in": fan_in, "out": fan_out, "mean": (fan_in + fan_out) / 2}[self.by]
        variance = self.scale / n
        return self.uniform(shape, math.sqrt(3 * variance)) if self.is_uniform else self.normal(shape, math.sqrt(variance))


class LeCun(Scaled):
    """Variance 1 / fan_in, the default (LeCun, Bottou, Orr and Müller, "Efficient BackProp", 1998): for tanh and sigmoid.

    Examples:
        >>> LeCun(seed=0)((4, 3)).shape
        (4, 3)
    """

    def __init__(self, uniform: bool = False, seed: int | None = None) -> None:
        super().__init__(1.0, "in", uniform, seed)


class He(Scaled):
    """Variance 2 / fan_in (He, Zhang, Ren and Sun, "Delving Deep into Rectifiers", 2015): for ReLU.

    Examples:
        >>> He(seed=0)((4, 3)).shape
        (4, 3)
    """

    def __init__(self, uniform: bool = False, seed: int | None = None) -> None:
        super().__init__(2.0, "in", uniform, seed)


class Xavier(Scaled):
    """Variance 2 / (fan_in + fan_out) (Glorot and Bengio, "Understanding the difficulty of training deep networks", 2010).

    Examples:
        >>> Xavier(seed=0)((4, 3)).shape
        (4, 3)
    """

    def __init__(self, uniform: bool = False, seed: int | None = None) -> None:
        super().__init__(1.0, "mean", uniform, seed)


class Orthogonal(Initializer):
    """A matrix with orthonormal columns or rows, times ``gain`` (Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear
    dynamics of learning in deep linear networks", 2014). Of more than two axes, the first stays and the others are taken together.

    Examples:
        >>> W = Orthogonal(seed=0)((3, 3), np.float64)
        >>> bool(np.allclose(W @ W.T, np.eye(3)))
        True
    """

    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None:
        super().__init__(seed)
        self.gain = gain

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        if len(shape) < 2:
            raise ValueError(f"Orthogonal: shape {shape}: at least two axes are needed; use Constant or Normal for a vector")
        rows, columns = shape[0], math.prod(shape[1:])
        q, r = np.linalg.qr(self.normal((max(rows, columns), min(rows, columns)), 1.0))
        q *= np.where(np.diagonal(r) < 0, -1.0, 1.0)  # uniform over all such matrices (Mezzadri, 2007)
        return (q if rows >= columns else q.T).reshape(shape) * self.gain


_NAMES: dict[str, type[Initializer]] = {"constant": Constant, "he": He, "lecun": LeCun, "normal": Normal, "orthogonal": Orthogonal, "xavier": Xavier}
Spec = Any  # a name, a number, an Initializer, or a function of a shape


def initializer(spec: Spec) -> Initializer:
    """The initializer that ``spec`` stands for.

    Args:
        spec: an :class:`Initializer`; one of the names constant, he, lecun, normal, orthogonal, xavier; a number for :class:`Constant`;
            or a function that takes a shape and returns an array.

    Raises:
        ValueError: an unknown name.
        TypeError: something else.

    Examples:
        >>> initializer("he"), initializer(0)
        (He(scale=2.0, by='in', is_uniform=False), Constant(value=0))
    """
    if isinstance(spec, Initializer):
        return spec
    if isinstance(spec, str):
        if spec.lower() not in _NAMES:
            raise ValueError(f"initializer: {spec!r} is not one of {', '.join(_NAMES)}")
        return _NAMES[spec.lower()]()
    if isinstance(spec, (int, float)):
        return Constant(spec)
    if callable(spec):
        return _Given(spec)
    raise TypeError(f"initializer: {describe(spec)}: a name ({', '.join(_NAMES)}), a number, an Initializer or a function of a shape is expected")


class _Given(Initializer):
    """A user's function of a shape."""

    def __init__(self, f: Any) -> None:
        super().__init__()
        self.f = f

    def draw(self, shape: tuple[int, ...], fan_in: int, fan_out: int) -> Any:
        values = np.asarray(self.f(shape))
        if values.shape != shape:
            raise ValueError(f"initializer: the function gave {describe(values)} for the shape {shape}: they must be equal")
        return values


__all__ = ["Constant", "He", "Initializer", "LeCun", "Normal", "Orthogonal", "Scaled", "Xavier", "initializer"]
