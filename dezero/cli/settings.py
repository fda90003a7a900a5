"""What a training run is told, and the file that keeps it beside the weights."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self, TypeVar

from dezero.backend.device import as_device
from dezero.errors import FileFormatError
from dezero.serialization import atomic_write
from dezero.training.precision import PRECISIONS

T = TypeVar("T")
FILE = "settings.json"
# Learning rates that suit most tasks; all other optimizers take 0.001.
RATES = {"sgd": 0.1, "momentum": 0.05, "nesterov": 0.05, "adagrad": 0.01, "adadelta": 1.0, "lion": 0.0003}


@dataclass
class Settings:
    """Everything that decides about a run: the same settings give the same weights.

    Examples:
        >>> s = Settings(data="digits", optimizer="adam")
        >>> s.rate, Settings.from_dict(s.to_dict()) == s
        (0.001, True)
    """

    data: str = "digits"
    target: str = ""          # of a csv file: the column with the classes
    model: str = "mlp"
    hidden: list[int] = field(default_factory=lambda: [128])
    activation: str = "relu"
    dropout: float = 0.0
    epochs: int = 10
    batch_size: int = 100
    lr: float | None = None   # None: what suits the optimizer
    optimizer: str = "adam"
    weight_decay: float = 0.0
    schedule: str = "none"
    augment: list[str] = field(default_factory=list)
    seed: int = 0
    precision: str = "float32"
    device: str = "cpu"       # or "cuda", "gpu", "cuda:1"
    threads: int = 0           # of the linear algebra library; 0: as many as it likes. Sums, and so the last bits, depend on it
    checkpoint_every: int = 0  # batches; 0: at the end of every epoch

    @property
    def rate(self) -> float:
        """The learning rate."""
        return RATES.get(self.optimizer, 0.001) if self.lr is None else self.lr

    def to_dict(self) -> dict[str, Any]:
        """As plain values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Back from plain values.

        Raises:
            ValueError: an unknown name, or a value of another type.
        """
        unknown = set(values) - {f.name for f in fields(cls)}
        if unknown:
            raise ValueError(f"unknown settings: {', '.join(sorted(unknown))}")
        made = cls(**values)
        for f in fields(cls):
            value = getattr(made, f.name)
            if not _fits(value, getattr(cls(), f.name)):
                raise ValueError(f"the setting {f.name} is {value!r}")
        as_device(made.device)
        if made.precision not in PRECISIONS:
            raise ValueError(f"the setting precision is {made.precision!r}")
        return made

    def save(self, folder: Path) -> None:
        """Write them into the folder of a run."""
        folder.mkdir(parents=True, exist_ok=True)
        write_json(folder / FILE, self.to_dict())

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read them from the folder of a run.

        Raises:
            FileNotFoundError: it is no such folder.
            FileFormatError: the file is damaged.
        """
        if not (folder / FILE).is_file():
            if runs := sorted(path.parent for path in folder.glob(f"*/{FILE}")):
                raise FileNotFoundError(f"{folder} holds several runs: name one of them, {', '.join(map(str, runs))}")
            raise FileNotFoundError(f"{folder} is no folder of a run: {FILE} is not in it; `dezero train --out {folder}` makes one")
        return read_json(folder / FILE, cls.from_dict)


def _fits(value: Any, example: Any) -> bool:
    """Is a value of the type of its default?"""
    if isinstance(example, list):
        return isinstance(value, list) and {type(v) for v in value} <= {type(example[0]) if example else str}
    if example is None or isinstance(example, float):
        return type(value) in (int, float) or value is None and example is None
    return type(value) is type(example)


def write_json(path: Path, values: dict[str, Any]) -> None:
    """Write a small file, as a whole or not at all."""
    with atomic_write(path) as file:
        file.write((json.dumps(values, indent=1) + "\n").encode())


def read_json(path: Path, make: Callable[[dict[str, Any]], T]) -> T:
    """What ``make`` makes of the file's values.

    Raises:
        FileFormatError: the file is damaged.
    """
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        if not isinstance(values, dict):
            raise ValueError("names with values, {...}, are expected")
        return make(values)
    except (ValueError, TypeError, KeyError) as error:
        missing = f"{error} is missing" if isinstance(error, KeyError) else error
        raise FileFormatError(f"{path} is damaged: {missing}") from error
