"""Layers made of layers: one after another, and around a shortcut."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from dezero.errors import ShapeError, describe
from dezero.layers.layer import Layer

Step = Callable[[Any], Any]  # a layer or a function of one argument


class Sequential(Layer):
    """One layer or function after another.

    Args:
        layers: layers, or functions of one Variable such as ``F.relu``.

    Attributes:
        layers: the list of them. Layer i is also the attribute ``l<i>``, under which its weights are saved.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> net = L.Sequential(L.Linear(50), F.relu, L.Linear(10))
        >>> net(np.ones((1, 784), np.float32)).shape, [name for name, p in net.named_params()]
        ((1, 10), ['l0.W', 'l0.b', 'l2.W', 'l2.b'])
    """

    def __init__(self, *layers: Step) -> None:
        super().__init__()
        given: tuple[Any, ...] = layers
        for i, layer in enumerate(given):
            if not callable(layer):
                advice = ": write Sequential(*layers)" if isinstance(layer, (list, tuple)) else ""
                raise TypeError(f"Sequential: layer {i} is {describe(layer)}: a layer or a function of one argument is expected{advice}")
            if isinstance(layer, Layer):
                setattr(self, f"l{i}", layer)
        self.layers: list[Step] = list(layers)

    def forward(self, x: Any) -> Any:
        for layer in self.layers:
            x = layer(x)
        return x

    def append(self, layer: Step) -> None:
        """Add a layer or function at the end."""
        layers = self.__dict__.pop("layers")  # stays the last attribute: a layer is named by the first one that holds it
        if isinstance(layer, Layer):
            setattr(self, f"l{len(layers)}", layer)
        self.layers = layers
        self.layers.append(layer)

    def __len__(self) -> int:
        return len(self.layers)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.layers)

    def __getitem__(self, index: Any) -> Any:
        if not isinstance(index, slice):
            return self.layers[index]
        # A subclass may be made of other arguments than layers.
        cls = next(c for c in type(self).__mro__ if c.__init__ is Sequential.__init__)  # type: ignore[misc]
        return cls(*self.layers[index])


class Residual(Layer):
    """``y = f(x) + shortcut(x)``, with f one step after another (He, Zhang, Ren and Sun, "Deep residual learning", 2016).

    Args:
        layers: the steps of f.
        shortcut: what x goes through on the other way; None for x itself.

    Raises:
        ShapeError: at the call, if the two sides differ in shape.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> block = L.Residual(L.Linear(8), F.relu, L.Linear(8))
        >>> block(np.ones((2, 8), np.float32)).shape
        (2, 8)
    """

    def __init__(self, *layers: Step, shortcut: Step | None = None) -> None:
        super().__init__()
        self.body = Sequential(*layers)
        self.shortcut = shortcut

    def forward(self, x: Any) -> Any:
        y = self.body(x)
        side = x if self.shortcut is None else self.shortcut(x)
        if y.shape != side.shape:
            raise ShapeError(f"Residual: the layers give {describe(y)} and the shortcut gives {describe(side)}: they must be equal; "
                             "give a shortcut=, a Linear or a 1x1 Conv2d, say")
        return y + side


__all__ = ["Residual", "Sequential"]
