"""``dezero evaluate`` and ``dezero compare``: look at runs again."""

from __future__ import annotations

from pathlib import Path

from dezero.cli.report import confusion_table, pictures, probabilities, table_of_runs
from dezero.cli.train import HISTORY, draw_comparison, load_run
from dezero.training import History


def evaluate(folder: Path) -> int:
    """Accuracy, and precision and recall by class, on the part of the data that was not trained on; the pictures are drawn again."""
    made = load_run(folder)
    p, t = probabilities(made.trainer.model, made.task.test)
    print(confusion_table(p, t, made.task.classes))
    right = int((p.argmax(axis=1) == t).sum())
    print(f"\n{right} of {len(t)} right: accuracy {right / len(t):.2%}")
    if (folder / HISTORY).exists():
        made.trainer.history = History.from_csv(folder / HISTORY)
        pictures(made)
    return 0


def compare(folders: list[Path], out: Path) -> int:
    """The curves of several runs in one picture, and a table."""
    histories = {str(folder): _history(folder) for folder in folders}
    print(table_of_runs(histories, "run"))
    return draw_comparison(histories, out)


def _history(folder: Path) -> History:
    path = folder / HISTORY
    history = History.from_csv(path) if path.exists() else History()
    if not history.epochs:
        raise FileNotFoundError(f"{folder} has no {HISTORY}{' with an epoch in it' if path.exists() else ''}: it is no folder of a run, "
                                "or no epoch is done yet")
    return history
