"""History: what a training run has measured, a row for each epoch."""

from __future__ import annotations

import csv
import io
import json
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from dezero.errors import FileFormatError, describe
from dezero.serialization import atomic_write
from dezero.training.measures import higher_is_better, improved, value_of
from dezero.viz.plots.curves import compare_curves, learning_curves

PathLike = str | os.PathLike[str]
ROWS = 12  # that repr shows


class History(Mapping[str, list[Any]]):
    """The figures of all epochs: ``history["loss"]`` is a list with one number an epoch, NaN where an epoch has none.

    Args:
        rows: for each epoch a dict of its figures.

    Attributes:
        rows: the same, one dict an epoch.
        interrupted: did Ctrl-C end the training?
        stopped: why a callback has ended it; empty if none has.

    Examples:
        >>> history = History([{"epoch": 1, "loss": 0.7, "accuracy": 0.5}, {"epoch": 2, "loss": 0.4, "accuracy": 0.75}])
        >>> history["loss"], list(history)
        ([0.7, 0.4], ['epoch', 'loss', 'accuracy'])
        >>> history
        epoch    loss  accuracy
            1  0.7000    0.5000
            2  0.4000    0.7500
    """

    def __init__(self, rows: Sequence[Mapping[str, Any]] = ()) -> None:
        self.rows: list[dict[str, Any]] = [dict(row) for row in rows]
        self.interrupted = False
        self.stopped = ""

    def append(self, row: dict[str, Any]) -> None:
        """Add an epoch; what is put into ``row`` later shows too."""
        self.rows.append(row)

    def __getitem__(self, name: str) -> list[Any]:
        if name not in self:
            raise KeyError(f"the history has no {name!r}: it has {', '.join(self) or 'no epoch yet'}")
        return [row.get(name, math.nan) for row in self.rows]

    def __contains__(self, name: object) -> bool:
        return any(name in row for row in self.rows)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for row in self.rows for name in row))

    def __len__(self) -> int:
        return len(list(iter(self)))

    @property
    def epochs(self) -> int:
        """How many epochs there are."""
        return len(self.rows)

    def best(self, metric: str = "val_loss", mode: str | None = None) -> dict[str, Any]:
        """The row of the best epoch, the first of several.

        Args:
            metric: a name in the history.
            mode: "max" or "min"; None goes by the name: accuracy and its like are better when higher.

        Raises:
            KeyError: the history has no such metric.
            ValueError: it is NaN in all epochs.

        Examples:
            >>> History([{"epoch": 1, "loss": 0.7}, {"epoch": 2, "loss": 0.4}, {"epoch": 3, "loss": 0.5}]).best("loss")
            {'epoch': 2, 'loss': 0.4}
        """
        higher = higher_is_better(metric, mode, "History.best")
        if metric not in self:
            value_of(dict.fromkeys(self), metric, "History.best")
        found: dict[str, Any] | None = None
        for row in self.rows:
            if metric in row and improved(row[metric], None if found is None else found[metric], higher):
                found = row
        if found is None:
            raise ValueError(f"History.best: {metric!r} is NaN in all {self.epochs} epochs")
        return dict(found)

    # -- pictures ----------------------------------------------------------------------------------

    def plot(self, path: PathLike | None = None, twin: bool = True, title: str | None = None) -> Any:
        """Draw the learning curves; needs matplotlib.

        Args:
            path: a .png, .svg or .pdf file to write.
            twin: loss and accuracy on the two axes of one picture; False draws a panel for each.
            title: above the picture.

        Returns:
            The matplotlib Figure, which a notebook displays.

        Raises:
            ValueError: the history holds neither loss nor accuracy.
        """
        return learning_curves(self, path=path, title=title) if twin else compare_curves({"": self}, path=path, title=title)

    # -- files -------------------------------------------------------------------------------------

    def to_csv(self, path: PathLike) -> None:
        """Write a table with a line for each epoch. Numbers come back from :meth:`from_csv` as they are."""
        with atomic_write(path) as file:
            file.write(csv_text(list(self), self.rows, header=True).encode())

    @classmethod
    def from_csv(cls, path: PathLike) -> Self:
        """Read what :meth:`to_csv` or CSVLogger wrote.

        Raises:
            FileFormatError: the file is no such table.
        """
        try:
            lines = list(csv.reader(io.StringIO(Path(path).read_text(encoding="utf-8"), newline=""), strict=True))
            names, rows = (lines[0], lines[1:]) if lines else ([], [])
        except (csv.Error, ValueError) as error:
            raise FileFormatError(f"{os.fspath(path)}: no history: {error}") from None
        for i, row in enumerate(rows, 2):
            if len(row) != len(names):
                raise FileFormatError(f"{os.fspath(path)}: no history: line {i} has {len(row)} cells, the first line {len(names)}")
            numbers = [row[names.index("epoch")]] if "epoch" in names else row  # text may stand beside the epoch only
            words = [cell for cell in numbers if cell and isinstance(_value(cell), str)]
            if words:
                raise FileFormatError(f"{os.fspath(path)}: no history: line {i} has {words[0]!r} where a number is expected")
        return cls([{name: _value(cell) for name, cell in zip(names, row, strict=True) if cell} for row in rows])

    def to_jsonl(self, path: PathLike) -> None:
        """Write a JSON object for each epoch, one on a line; NaN and infinity are null, as JSON has no words for them."""
        with atomic_write(path) as file:
            file.write("".join(map(json_line, self.rows)).encode())

    @classmethod
    def from_jsonl(cls, path: PathLike) -> Self:
        """Read what :meth:`to_jsonl` or JSONLogger wrote; null becomes NaN.

        Raises:
            FileFormatError: a line is no JSON object.
        """
        rows = []
        for i, line in enumerate(Path(path).read_text(encoding="utf-8").splitlines(), 1):
            try:
                row = json.loads(line)
            except (ValueError, RecursionError) as error:
                raise FileFormatError(f"{os.fspath(path)}, line {i}: no JSON: {error}") from None
            if not isinstance(row, dict):
                raise FileFormatError(f"{os.fspath(path)}, line {i}: an object with the figures of an epoch is expected")
            rows.append({name: math.nan if value is None else value for name, value in row.items()})
        return cls(rows)

    # -- for a Trainer -----------------------------------------------------------------------------

    def state(self) -> dict[str, Any]:
        """The rows, to go on from."""
        return {"rows": [dict(row) for row in self.rows], "stopped": self.stopped}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state` gave."""
        self.rows, self.stopped, self.interrupted = [dict(row) for row in state["rows"]], state["stopped"], False

    def __repr__(self) -> str:
        if not self.rows:
            return "History of no epochs"
        names = list(self)
        shown = self.rows if len(self.rows) <= ROWS else [*self.rows[:3], {}, *self.rows[4 - ROWS:]]
        cells = [names] + [[_shown(row[name]) if name in row else "" if row else "..." for name in names] for row in shown]
        widths = [max(len(row[i]) for row in cells) for i in range(len(names))]
        return "\n".join("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells)


def compare(histories: Mapping[Any, Mapping[str, Any]], path: PathLike | None = None, metric: str | Sequence[str] | None = None,
            title: str | None = None) -> Any:
    """Draw the learning curves of several runs side by side; needs matplotlib.

    Args:
        histories: label -> History: ``{"lr 0.1": first, "lr 1.0": second}``.
        path: a .png, .svg or .pdf file to write.
        metric: names of the panels to draw; None draws loss, accuracy and the share of live units, as far as there are any.
        title: above the panels.

    Returns:
        The matplotlib Figure.

    Raises:
        ValueError: no history holds what is asked for.

    Examples:
        >>> runs = {rate: History([{"epoch": i, "loss": rate / i} for i in (1, 2)]) for rate in (0.1, 1.0)}
        >>> [axes.get_title() for axes in compare(runs).axes]
        ['Loss']
    """
    return compare_curves(histories, metric=metric, path=path, title=title)


def csv_text(names: Sequence[str], rows: Sequence[Mapping[str, Any]], header: bool) -> str:
    """Rows as lines of a CSV table; an empty cell where a row has no such figure.

    Examples:
        >>> csv_text(["epoch", "loss"], [{"epoch": 1, "loss": 0.1}, {"epoch": 2}], header=True)
        'epoch,loss\\n1,0.1\\n2,\\n'
    """
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    if header and names:
        writer.writerow(names)
    writer.writerows([row.get(name, "") for name in names] for row in rows)
    return text.getvalue()


def json_line(row: Mapping[str, Any]) -> str:
    """A row as a JSON object on a line of its own.

    Examples:
        >>> json_line({"epoch": 1, "loss": math.nan})
        '{"epoch": 1, "loss": null}\\n'
    """
    finite = {name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()}
    return json.dumps(finite, ensure_ascii=False, allow_nan=False) + "\n"


def _value(cell: str) -> Any:
    """A number, a truth value, or else the text itself, which a callback may have put into its column."""
    for kind in (int, float):
        try:
            return kind(cell)
        except ValueError:
            pass
    return {"True": True, "False": False}.get(cell, cell)


def tidy(row: dict[str, Any]) -> None:
    """Make the figures of a row plain: numbers of NumPy, arrays of one element and Variables become numbers of Python.

    Raises:
        TypeError: one is neither number nor text.

    Examples:
        >>> import numpy as np
        >>> row = {"epoch": 1, "norm": np.float32(0.5)}
        >>> tidy(row)
        >>> row
        {'epoch': 1, 'norm': 0.5}
    """
    for name, value in row.items():
        if value is None or isinstance(value, (bool, int, str)) or type(value) is float:
            continue
        data = getattr(value, "_data", value)
        plain = data.item() if getattr(data, "size", 0) == 1 else float(data) if isinstance(data, float) else None
        if plain is None:
            raise TypeError(f"the column {name!r} of epoch {row.get('epoch')} is {describe(value)}: a number or a text is expected")
        row[name] = plain


def _shown(value: Any) -> str:
    """A figure in a few digits."""
    if not isinstance(value, float):
        return str(value)
    return f"{value:.4f}" if 0.001 <= abs(value) < 1000 or value == 0 or not math.isfinite(value) else f"{value:.3g}"
