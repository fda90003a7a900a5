"""Model: a layer that can be drawn; and the two models that need no more than a list of layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero import viz
from dezero.config import changed


class Model(L.Layer):
    """A whole network: a :class:`~dezero.layers.Layer` with :meth:`plot`.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> from dezero import Model
        >>> class TwoLayerNet(Model):
        ...     def __init__(self, hidden_size, out_size):
        ...         super().__init__()
        ...         self.l1, self.l2 = L.Linear(hidden_size), L.Linear(out_size)
        ...     def forward(self, x):
        ...         return self.l2(F.sigmoid(self.l1(x)))
        >>> TwoLayerNet(10, 1)(np.ones((5, 3), np.float32)).shape
        (5, 1)
    """

    def plot(self, *inputs: Any, to_file: Any = "model.png", **options: Any) -> Any:
        """Run the model on ``inputs`` and draw the graph of the computation; see :func:`dezero.utils.plot_dot_graph`.

        It runs as it trains: dropout is in the picture, and batch norm's running statistics move, unless :meth:`eval` came before.

        Args:
            inputs: what the model is called with.
            to_file: the picture to write; its ending picks the format. Without Graphviz, PNG and PDF become SVG.
            options: ``verbose``, and what to show and to leave out, as :func:`dezero.utils.plot_dot_graph` takes them.

        Returns:
            The path of the picture that was written; in a notebook, a picture that it shows.

        Examples:
            >>> import numpy as np, tempfile
            >>> from pathlib import Path
            >>> from dezero.models import MLP
            >>> with tempfile.TemporaryDirectory() as folder:
            ...     path = MLP((3, 1)).plot(np.ones((1, 2), np.float32), to_file=Path(folder) / "mlp.svg", collapse="l0")
            ...     path.name, ">Sigmoid<" in path.read_text(encoding="utf-8")
            ('mlp.svg', True)
        """
        with changed(record=True):  # inside no_grad there would be nothing to draw
            y = self(*inputs)
        return viz.plot_dot_graph(y, to_file=to_file, **options)


class Sequential(L.Sequential, Model):
    """One layer or function after another: :class:`dezero.layers.Sequential` with ``plot``.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> from dezero.models import Sequential
        >>> Sequential(L.Linear(50), F.relu, L.Linear(10))(np.ones((1, 784), np.float32)).shape
        (1, 10)
    """


class MLP(Model):
    """A multi-layer perceptron: Linear layers with an activation between them.

    Args:
        fc_output_sizes: the output size of each layer: ``(50, 10)`` for one hidden layer of 50 units and 10 classes.
        activation: a function or layer between the layers, or a list with one for each gap; sigmoid as in the book.
        initializer: of the weights; "he" suits ReLU.
        in_size: of the input; None sizes the first layer at the first call.

    Attributes:
        layers: the list of the Linear layers, which are the attributes ``l0``, ``l1`` ... too.

    Raises:
        ValueError: no sizes, or a list of activations of another length.
        TypeError: an activation that cannot be called.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero.models import MLP
        >>> net = MLP((50, 10), activation=F.relu)
        >>> net(np.ones((100, 784), np.float32)).shape
        (100, 10)
    """

    def __init__(self, fc_output_sizes: Sequence[int], activation: Callable[[Any], Any] | Sequence[Callable[[Any], Any]] = F.sigmoid,
                 initializer: Any = "lecun", in_size: int | None = None) -> None:
        super().__init__()
        if not isinstance(fc_output_sizes, Sequence) or not fc_output_sizes:
            raise ValueError(f"MLP: fc_output_sizes is {fc_output_sizes!r}: the output sizes of the layers are expected, (50, 10) say")
        gaps = len(fc_output_sizes) - 1
        if isinstance(activation, (list, tuple)) and len(activation) != gaps:
            raise ValueError(f"MLP: {len(activation)} activations for {gaps + 1} layers: {gaps} are expected, or one for all")
        for f in activation if isinstance(activation, (list, tuple)) else [activation]:
            if not callable(f):
                raise TypeError(f"MLP: activation is {f!r}: a function or layer is expected, F.relu say, or a list of them")
        # The weights are drawn from the first layer to the last: none may be sized before the one below it.
        inputs = [None] * (gaps + 1) if in_size is None else [in_size, *fc_output_sizes[:-1]]
        layers = [L.Linear(out, in_size=size, initializer=initializer) for size, out in zip(inputs, fc_output_sizes, strict=True)]
        for i, layer in enumerate(layers):
            setattr(self, f"l{i}", layer)
        self.activation: Any = activation
        self.layers = layers

    def forward(self, x: Any) -> Any:
        several = isinstance(self.activation, (list, tuple))
        for i, layer in enumerate(self.layers[:-1]):
            x = (self.activation[i] if several else self.activation)(layer(x))
        return self.layers[-1](x)


__all__ = ["MLP", "Model", "Sequential"]
