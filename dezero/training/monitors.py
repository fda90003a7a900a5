"""Callbacks that measure: how gradients flow through the layers, and how many ReLUs are alive."""

from __future__ import annotations

import warnings
from typing import Any

from dezero.backend import array_module, as_numpy
from dezero.config import changed, current, no_grad, test_mode
from dezero.training.callback import Callback
from dezero.training.hidden import without_hidden_states
from dezero.viz.flow import FlowRow, flow_table, gradient_flow_report


class GradientFlow(Callback):
    """Watches the size of the gradients, parameter by parameter, and flags those that vanish or explode.

    The history gets the columns "vanishing" and "exploding": how many parameters are flagged in an epoch.

    Args:
        every: look at every so many batches; the figures of an epoch are means over those.
        warn: warn in the first epoch in which a parameter is flagged?

    Attributes:
        reports: for each epoch a list with a :class:`dezero.viz.flow.FlowRow` for each parameter: name, mean, largest, zeros, flags.

    Raises:
        ValueError: ``every`` is not positive.

    Examples:
        >>> flow = GradientFlow(every=50)
        >>> flow.reports
        []
    """

    order = -10

    def __init__(self, every: int = 20, warn: bool = True) -> None:
        if every < 1:
            raise ValueError(f"GradientFlow: every is {every}: a positive number of batches is expected")
        self.every, self.warn = every, warn
        self.reports: list[list[FlowRow]] = []
        self._looks = 0
        self._rows: dict[str, list[float]] = {}  # name -> sum of means, largest, sum of the shares of zeros

    def on_backward(self, trainer: Any) -> None:
        """Look, if it is time; always at the first batch of an epoch."""
        if trainer.batch % self.every:
            return
        self._looks += 1
        for row in gradient_flow_report((name, p.grad) for name, p in trainer.model.named_params()):
            mine = self._rows.setdefault(row.name, [0.0, 0.0, 0.0])
            mine[0] += row.mean
            mine[1] = max(mine[1], row.largest)
            mine[2] += row.zeros

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Report on the epoch."""
        n, self._looks = max(1, self._looks), 0
        report = gradient_flow_report((name, mean / n, largest, zeros / n) for name, (mean, largest, zeros) in self._rows.items())
        self._rows = {}
        for flag in ("vanishing", "exploding"):
            record[flag] = sum(flag in row.flags for row in report)
        flagged = [f"{row.name} {row.flags[0]}" for row in report if row.flags]
        if self.warn and flagged and not any(row.flags for old in self.reports for row in old):
            some = ", ".join(flagged[:5]) + (f" and {len(flagged) - 5} more" if len(flagged) > 5 else "")
            warnings.warn(f"GradientFlow: in epoch {record['epoch']}: {some}", RuntimeWarning, stacklevel=2)
        self.reports.append(report)

    def table(self, epoch: int | None = None) -> str:
        """The report on an epoch as text.

        Args:
            epoch: counted from 1; None for the last one.

        Raises:
            IndexError: there is no report on it.
        """
        if not self.reports or epoch is not None and not 1 <= epoch <= len(self.reports):
            raise IndexError(f"GradientFlow: there is no report on epoch {epoch or 1}: there are {len(self.reports)} reports")
        return flow_table(self.reports[-1 if epoch is None else epoch - 1])

    def state(self) -> dict[str, Any]:
        """The reports, and what was seen in the running epoch."""
        return {"reports": [[list(row) for row in report] for report in self.reports], "looks": self._looks, "rows": self._rows}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.reports = [[FlowRow(row[0], row[1], row[2], row[3], tuple(row[4])) for row in report] for report in state["reports"]]
        self._looks, self._rows = state["looks"], {name: list(row) for name, row in state["rows"].items()}


class DeadUnits(Callback):
    """Measures after each epoch which share of the ReLU units is alive: above 0 for at least one sample of a batch.

    A unit that is 0 for all samples gets no gradient and learns nothing; a learning rate that is too high kills many. All ReLUs of the model are
    seen, layers and calls of ``F.relu``. A unit is a column of (N, H), a channel of (N, C, ...). The history gets the column "live_units".

    Args:
        x: the inputs to measure with: an array, or a tuple for a model of several inputs. None takes the first batch of each epoch.

    Attributes:
        layers: for each epoch the share by the place of the ReLU, ``{"l1.relu": 0.9}``.

    Examples:
        >>> dead = DeadUnits()
        >>> dead.layers
        []
    """

    order = -10

    def __init__(self, x: Any = None) -> None:
        self.layers: list[dict[str, float]] = []
        self._own = x is not None
        self._inputs: tuple[Any, ...] = () if x is None else tuple(x) if isinstance(x, (tuple, list)) else (x,)

    def on_batch_end(self, trainer: Any) -> None:
        """Keep the first batch; look at once whether there is something to measure."""
        if not self._own and (trainer.batch == 1 or not self._inputs):
            self._inputs = trainer.inputs
        if trainer.batch == 1 and not self.layers:
            self._measure(trainer.model)

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """Measure."""
        shares, record["live_units"] = self._measure(trainer.model)
        self.layers.append(shares)

    def _measure(self, model: Any) -> tuple[dict[str, float], float]:
        if not self._inputs:
            raise ValueError("DeadUnits: this Trainer has a step function, so it does not know the model's inputs: give some, DeadUnits(x)")
        shares, overall = live_units(model, *self._inputs)
        if not shares:
            raise ValueError("DeadUnits: the model ran without any ReLU (F.relu or L.ReLU): there is nothing to measure")
        return shares, overall

    def state(self) -> dict[str, Any]:
        """What was measured, and the batch to measure with."""
        return {"layers": self.layers, "inputs": [] if self._own else [as_numpy(x) for x in self._inputs]}

    def restore(self, state: dict[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.layers = [dict(shares) for shares in state["layers"]]
        if not self._own:
            self._inputs = tuple(state["inputs"])


class _Watch:
    """Stands where ``detect_anomaly`` looks on, sees the result of every op, and lets an earlier one look on too."""

    def __init__(self, before: Any) -> None:
        self.before_this = before
        self.live: dict[str, Any] = {}

    def ran(self, fn: Any, xs: Any, returns: Any) -> None:
        if self.before_this is not None:
            self.before_this.ran(fn, xs, returns)
        if fn.op != "relu":
            return
        y, path = returns[0], current().layer
        place = f"{path}.relu" if path else "relu"
        name, i = place, 1
        while name in self.live:
            i += 1
            name = f"{place}{i}"
        alive = (y > 0).any(axis=tuple(a for a in range(y.ndim) if a != 1)) if y.ndim > 1 else y > 0
        self.live[name] = alive.reshape(-1)

    def before(self, node: Any, gy: Any) -> None:
        if self.before_this is not None:
            self.before_this.before(node, gy)

    def after(self, node: Any, i: int, gx: Any) -> None:
        if self.before_this is not None:
            self.before_this.after(node, i, gx)


def live_units(model: Any, *inputs: Any) -> tuple[dict[str, float], float]:
    """Run the model, as in use, and tell which share of its ReLU units is above 0 for at least one sample.

    Args:
        model: any function of the inputs.
        inputs: a batch (N, ...).

    Returns:
        The share for each ReLU, by the path of the layer in which it ran, and that of all units together (NaN if there is no ReLU).

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> live_units(F.relu, np.array([[1.0, -1.0, 0.0, 2.0], [-1.0, -2.0, -3.0, 1.0]]))
        ({'relu': 0.5}, 0.5)
    """
    watch = _Watch(current().watch)
    if inputs and hasattr(model, "params"):  # a batch that was kept in a file comes back on the host
        device = next((p.data for p in model.params() if p.data is not None), None)
        xp = array_module(device)
        inputs = tuple(x if array_module(x) is xp else xp.asarray(as_numpy(x)) for x in inputs)
    with test_mode(), no_grad(), without_hidden_states(model), changed(watch=watch):
        model(*inputs)
    counts = {name: (int(alive.sum()), int(alive.size)) for name, alive in watch.live.items()}
    units = sum(n for _, n in counts.values())
    shares = {name: alive / n if n else float("nan") for name, (alive, n) in counts.items()}
    return shares, sum(alive for alive, _ in counts.values()) / units if units else float("nan")


__all__ = ["DeadUnits", "GradientFlow", "live_units"]
