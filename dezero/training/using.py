"""Evaluator: a model in use, on many batches, with exact means."""

from __future__ import annotations

from typing import Any

from dezero.config import no_grad, test_mode
from dezero.training import batches
from dezero.training.averages import Averages
from dezero.training.hidden import without_hidden_states
from dezero.training.measures import Metric, Metrics, named_metrics, plain
from dezero.training.precision import Precision


class Evaluator:
    """What a model is worth, and what it says: :meth:`evaluate` and :meth:`predict`, with dropout off and no graph.

    Args:
        model: a layer or any function of arrays.
        loss: ``loss(outputs, targets)`` gives one number, or None.
        metrics: functions ``f(outputs, targets)`` of arrays, by name or in a list.
        device: "cuda" (or "gpu"), "cuda:1" and "cpu" bring batches there; None leaves them where they are.
        precision: "bfloat16" or "float16" run model and loss in mixed precision: see :class:`dezero.autocast`. Predictions are float32 all the same.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> x, t = np.eye(3, dtype=np.float32), np.array([0, 1, 1])
        >>> Evaluator(F.softmax, metrics=[F.accuracy]).evaluate([(x[:2], t[:2]), (x[2:], t[2:])])
        {'accuracy': 0.6666666666666666}
    """

    def __init__(self, model: Any, loss: Any = None, metrics: Metrics = None, device: str | int | None = None, *,
                 precision: str | None = None) -> None:
        self.model, self.loss = model, loss
        self.metrics: dict[str, Metric] = named_metrics(metrics)
        self._move = batches.mover(device)
        self._precision = Precision(type(self).__name__, precision)

    def evaluate(self, loader: Any) -> dict[str, float]:
        """The means of loss and metrics over all samples, each weighted by the size of its batch.

        Args:
            loader: gives batches (x, t).

        Raises:
            ValueError: there is no batch.
            TypeError: a loss or a metric is not one number, or ``loader`` gives no batches.
        """
        batches.check_loader(f"{type(self).__name__}.evaluate: loader", loader)
        averages = Averages()
        with test_mode(), no_grad(), without_hidden_states(self.model):
            for batch in loader:
                inputs, t = batches.split(batch if self._move is None else self._move(batch))
                n = batches.size_of((t, *inputs))
                with self._precision.casting:
                    y = self.model(*inputs)
                    if self.loss is not None:
                        averages.add("loss", self.loss(y, t), n)
                for name, value in self._measure(y, t).items():
                    averages.add(name, value, n)
        means = averages.means()
        if not means:
            nothing = self.loss is None and not self.metrics
            raise ValueError(f"{type(self).__name__}.evaluate: {'there is neither a loss nor a metric' if nothing else 'the loader gave no batch'}")
        return means

    def predict(self, data: Any, batch_size: int = 256) -> Any:
        """The outputs of the model as one array on the host.

        Args:
            data: an array (N, ...), which goes through in batches, or a loader that does not shuffle. Targets in its batches are left aside.
            batch_size: for an array.

        Returns:
            (N, ...), or a tuple of arrays if the model has several outputs.

        Raises:
            ValueError: the loader shuffles, or gives no batch.

        Examples:
            >>> import numpy as np
            >>> import dezero.functions as F
            >>> Evaluator(F.relu).predict(np.array([[-1.0], [2.0]]))
            array([[0.],
                   [2.]])
        """
        outputs = []
        with test_mode(), no_grad(), without_hidden_states(self.model), self._precision.casting:
            for batch in batches.to_predict(data, batch_size):
                outputs.append(plain(self.model(*batches.inputs_of(batch if self._move is None else self._move(batch)))))
        return self._precision.plain(batches.join(outputs))

    def _measure(self, y: Any, t: Any) -> dict[str, Any]:
        """The metrics of a batch."""
        if not self.metrics:
            return {}
        y, t = plain(y), plain(t)
        return {name: f(y, t) for name, f in self.metrics.items()}
