"""ProgressBar: how far the training is, for a terminal, a notebook or a log file."""

from __future__ import annotations

import os
import sys
import warnings
from time import perf_counter
from typing import Any

from dezero.training.callback import Callback

INTERVAL = 0.25  # seconds between two updates


class ProgressBar(Callback):
    """Shows the progress: a bar for each epoch in a terminal, one updating cell in a notebook, one line for each epoch anywhere else.

    The bar needs tqdm; without it there are lines. It is drawn at most four times a second.

    Args:
        file: where to write; None for the standard output.
        bar: True or False decide whether there is a bar; None finds out.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> import dezero.layers as L
        >>> from dezero.optimizers import SGD
        >>> from dezero.training import Trainer
        >>> data = [(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))]
        >>> history = Trainer(L.Linear(1), SGD(0.1), F.mean_squared_error, callbacks=[ProgressBar()]).fit(data, epochs=2)
        epoch 1/2  loss ...  lr 0.1000  ... s
        epoch 2/2  loss ...  lr 0.1000  ... s
    """

    order = 10

    def __init__(self, file: Any = None, bar: bool | None = None) -> None:
        self.file, self.bar = file, bar
        self._tqdm: Any = None
        self._running: Any = None
        self._drawn = 0.0

    def on_fit_begin(self, trainer: Any) -> None:
        """Find out what there is to write to."""
        notebook = self.file is None and in_notebook()
        out = self.file or sys.stdout
        terminal = bool(getattr(out, "isatty", lambda: False)()) and os.environ.get("TERM") != "dumb"
        wanted = notebook or terminal if self.bar is None else self.bar
        self._tqdm = tqdm_class(notebook) if wanted else None

    def on_epoch_begin(self, trainer: Any) -> None:
        """Draw an empty bar."""
        if self._tqdm is not None:
            self._open(trainer)

    def _open(self, trainer: Any) -> None:
        options: dict[str, Any] = {} if self.file is None and in_notebook() else {"file": self.file or sys.stdout}
        options |= {"ncols": 80} if _no_width(self.file or sys.stdout) else {"dynamic_ncols": True}
        self._running = self._tqdm(total=trainer.batches, initial=trainer.batch, desc=f"epoch {trainer.epoch + 1}/{trainer.epochs}", unit="batch",
                                   mininterval=INTERVAL, miniters=1, **options)
        self._drawn = perf_counter()

    def on_batch_end(self, trainer: Any) -> None:
        """Draw, if the last time is long enough ago."""
        if self._tqdm is None:
            return
        if self._running is None:  # an epoch that is taken up in its middle
            self._open(trainer)
        now = perf_counter()
        if now - self._drawn >= INTERVAL:
            self._drawn = now
            self._draw(trainer.batch, trainer.averages())

    def _draw(self, batch: int, figures: dict[str, Any]) -> None:
        self._running.n = batch
        self._running.set_postfix_str(", ".join(f"{name} {_short(value)}" for name, value in figures.items()), refresh=False)
        self._running.refresh()

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        """The epoch's figures, in the bar that stays or on a line."""
        figures = {name: value for name, value in record.items() if name not in ("epoch", "seconds")}
        if self._running is not None:
            self._draw(self._running.total or self._running.n, figures)
            self._finish()
        elif self._tqdm is None:
            words = "  ".join(f"{name} {_short(value)}" for name, value in figures.items())
            print(f"epoch {record['epoch']}/{trainer.epochs}  {words}  {record['seconds']:.1f} s", file=self.file or sys.stdout, flush=True)

    def on_fit_end(self, trainer: Any) -> None:
        """Say why it ended, if it ended early."""
        self._finish()
        reason = "interrupted" if trainer.history.interrupted else trainer.stopped
        if reason:
            print(reason, file=self.file or sys.stdout, flush=True)

    def close(self, trainer: Any) -> None:
        """Leave the bar as it is."""
        self._finish()

    def _finish(self) -> None:
        if self._running is not None:
            self._running.close()
            self._running = None


def _no_width(out: Any) -> bool:
    """Does a terminal claim to be 0 columns wide, as in some containers? tqdm would draw nothing."""
    try:
        return os.get_terminal_size(out.fileno()).columns == 0
    except (OSError, ValueError, AttributeError):  # no terminal at all
        return False


def _short(value: Any) -> str:
    return f"{value:#.4g}" if isinstance(value, float) else str(value)


def tqdm_class(notebook: bool) -> Any:
    """The bar of tqdm that fits, or None if tqdm is not installed."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a notebook without ipywidgets gets the bar in text, which is as good
            import tqdm
            import tqdm.auto
    except ImportError:
        return None
    return tqdm.auto.tqdm if notebook else tqdm.tqdm


def in_notebook() -> bool:
    """Does this run in a Jupyter notebook?

    Examples:
        >>> in_notebook()
        False
    """
    module = sys.modules.get("IPython")
    shell = module.get_ipython() if module is not None else None
    return type(shell).__name__ in ("ZMQInteractiveShell", "Shell")  # Jupyter's, Colab's


__all__ = ["ProgressBar"]
