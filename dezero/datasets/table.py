"""Tables of numbers in CSV files."""

from __future__ import annotations

import csv
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming
from dezero.errors import DatasetError

Column = str | int


@dataclass
class Table:
    """The cells of a CSV file, with the line on which each row ends, for messages.

    Examples:
        >>> Table(Path("a.csv"), None, [["1", "x"]], [1]).place(0, 1)
        'a.csv:1:2'
    """

    path: Path
    header: list[str] | None
    rows: list[list[str]]
    lines: list[int]

    def place(self, row: int, column: int) -> str:
        """file:line:column of a cell, and the column's name."""
        name = "" if self.header is None else f" ({self.header[column]})"
        return f"{self.path}:{self.lines[row]}:{column + 1}{name}"

    def numbers(self, columns: Sequence[int]) -> Any:
        """Columns as float32 (N, columns).

        Raises:
            DatasetError: a cell is no number, or none that float32 holds.
        """
        try:
            exact = np.array([[float(row[c]) for c in columns] for row in self.rows], np.float64).reshape(len(self.rows), len(columns))
        except ValueError:
            for i, row in enumerate(self.rows):
                for c in columns:
                    if not is_number(row[c]):
                        found = repr(row[c]) if row[c].strip() else "an empty cell"
                        advice = f"{'' if row[c].strip() else 'fill it, or '}choose the columns of numbers with columns=[...]"
                        raise DatasetError(f"{self.place(i, c)}: {found}: a number is expected; {advice}") from None
            raise
        with np.errstate(over="ignore"):
            values = exact.astype(np.float32)
        for i, k in np.argwhere(np.isinf(values) & np.isfinite(exact)):
            cell = self.rows[i][columns[k]]
            raise DatasetError(f"{self.place(i, columns[k])}: {cell!r}: a number up to 3.4e38, as float32 holds them, is expected")
        return values

    def column(self, which: Column) -> int:
        """The number of a column that is given by number or by name.

        Raises:
            DatasetError: there is none, or there are several of this name.
            TypeError: it is neither a number nor a name.
        """
        n = len(self.rows[0])
        if isinstance(which, str):
            if self.header is None or which not in self.header:
                known = "the file has no header" if self.header is None else f"there are {', '.join(map(repr, self.header))}"
                raise DatasetError(f"{self.path}: has no column {which!r}: {known}")
            if self.header.count(which) > 1:
                raise DatasetError(f"{self.path}: has {self.header.count(which)} columns called {which!r}: give the number of the one that is meant")
            return self.header.index(which)
        if not isinstance(which, (int, np.integer)) or isinstance(which, bool):
            raise TypeError(f"CSVDataset: {which!r} is given as a column: a name or a number is expected")
        if not -n <= which < n:
            raise DatasetError(f"{self.path}: has no column {which}: its {n} columns have the numbers 0 to {n - 1}")
        return which % n


def is_number(cell: str) -> bool:
    """Is it text for a float?

    Examples:
        >>> is_number(" 1e-3"), is_number("cat")
        (True, False)
    """
    try:
        float(cell)
    except ValueError:
        return False
    return True


def read_table(path: Path, header: bool | None = None, delimiter: str | None = None) -> Table:
    """Read a CSV file.

    Args:
        path: the file, UTF-8.
        header: is the first row one of names? None finds out: it is, if it has no number in it and the second row has one, or
            if no row has a number.
        delimiter: what is between cells; None takes the commonest of comma, semicolon and tab in the first line.

    Raises:
        DatasetError: it cannot be read, has no rows, or rows of different length.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "a.csv").write_text("x,y\\n1,cat\\n")
        ...     table = read_table(Path(folder, "a.csv"))
        >>> table.header, table.rows
        (['x', 'y'], [['1', 'cat']])
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            if delimiter is None:
                first = next((line for line in file if line.strip()), "")
                delimiter = max(",;\t", key=first.count)
                file.seek(0)
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            numbered = [(row, reader.line_num) for row in reader if len(row) > 1 or row and row[0].strip()]
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DatasetError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    except csv.Error as error:
        raise DatasetError(f"{path}:{reader.line_num}: is no CSV file: {error}") from error
    except (TypeError, ValueError) as error:
        raise DatasetError(f"{path}: is no CSV file: {error}") from error
    rows, lines = [row for row, _ in numbered], [line for _, line in numbered]
    names = None
    if rows and (_has_header(rows) if header is None else header):
        names, rows, lines = [cell.strip() for cell in rows[0]], rows[1:], lines[1:]
    if not rows:
        raise DatasetError(f"{path}: has no rows of data")
    width = len(rows[0] if names is None else names)
    for row, line in zip(rows, lines, strict=True):
        if len(row) != width:
            raise DatasetError(f"{path}:{line}: has {len(row)} columns: {width} are expected, as in the first row")
    return Table(path, names, rows, lines)


def _has_header(rows: list[list[str]]) -> bool:
    if len(rows) < 2 or any(is_number(cell) for cell in rows[0]):
        return False
    return any(is_number(cell) for cell in rows[1]) or not any(is_number(cell) for row in rows for cell in row)


class CSVDataset(Dataset):
    """A table in a CSV file: columns of numbers, and one column to predict.

    A target column of text, or of whole numbers, holds classes: texts are numbered in sorted order, whole numbers are taken as
    they are. A target column of other numbers holds values.

    Args:
        path: the file, UTF-8, with a header or without.
        target: the column to predict, by name or by number (-1 is the last one); None if there is none.
        columns: the columns of x, by name or number, in this order; None takes all but the target.
        kind: "class" numbers whole numbers too as classes (0 for the smallest), "value" takes them as values; None decides as told above.
        header: is the first row one of names? None finds out.
        delimiter: what is between cells; None finds out among comma, semicolon and tab.
        train: only stored; use ``train_test_split``.
        transform: for one row (D,).
        target_transform: for one target.

    Attributes:
        data: (N, D) float32.
        label: (N,) int64 for classes, float32 for values, or None.
        classes: the names of the classes, or None where labels are numbers as they stand in the file.
        columns: the names of the columns of x, or their numbers as text where the file has no header.

    Raises:
        DatasetError: the file cannot be read, or a cell is no number; the message has file, line and column.
        ValueError: ``kind`` is unknown.

    Examples:
        >>> import tempfile
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     _ = Path(folder, "pets.csv").write_text("weight,legs,pet\\n4.5,4,cat\\n0.3,2,bird\\n")
        ...     pets = CSVDataset(folder + "/pets.csv", target="pet")
        >>> pets.columns, pets.data[1], pets.classes, pets.label
        (['weight', 'legs'], array([0.3, 2. ], dtype=float32), ['bird', 'cat'], array([1, 0]))
    """

    def __init__(self, path: str | os.PathLike[str], target: Column | None = -1, columns: Sequence[Column] | None = None, kind: str | None = None,
                 header: bool | None = None, delimiter: str | None = None, train: bool = True, transform: Transforming = None,
                 target_transform: Transforming = None) -> None:
        if kind not in (None, "class", "value"):
            raise ValueError(f"CSVDataset: kind is {kind!r}: 'class', 'value' or None is expected")
        self.path = Path(path)
        self.target = target
        self.kind = kind
        self.classes: list[str] | None = None
        self.columns: list[str] = []
        self._asked = columns, header, delimiter
        super().__init__(train, transform, target_transform)

    def prepare(self) -> None:
        """Read the file."""
        columns, header, delimiter = self._asked
        table = read_table(self.path, header, delimiter)
        target = None if self.target is None else table.column(self.target)
        if columns is None:
            chosen = [c for c in range(len(table.rows[0])) if c != target]
        else:
            chosen = [table.column(c) for c in columns]
        if not chosen and columns is None:
            raise DatasetError(f"{self.path}: no column is left for x, of {len(table.rows[0])} in the file: "
                               "check the delimiter, or pass target=None if there is nothing to predict")
        self.columns = [str(c) if table.header is None else table.header[c] for c in chosen]
        self.data = table.numbers(chosen)
        self.label = None if target is None else self._labels(table, target)

    def _labels(self, table: Table, target: int) -> Any:
        cells = [row[target].strip() for row in table.rows]
        for i, cell in enumerate(cells):
            if not cell:
                raise DatasetError(f"{table.place(i, target)}: an empty cell: a target is expected")
        whole = all(re.fullmatch(r"[+-]?\d{1,18}", cell) for cell in cells)
        if self.kind == "value" or self.kind is None and not whole and all(map(is_number, cells)):
            return table.numbers([target])[:, 0]
        if whole and self.kind is None:
            return np.array([int(cell) for cell in cells], np.int64)
        self.classes = sorted(set(cells), key=int) if whole else sorted(set(cells))
        number = {name: i for i, name in enumerate(self.classes)}
        return np.array([number[cell] for cell in cells], np.int64)

    def labels(self) -> dict[int, str]:
        """The names of the classes by number; empty where labels are numbers."""
        return dict(enumerate(self.classes or []))


__all__ = ["CSVDataset"]
