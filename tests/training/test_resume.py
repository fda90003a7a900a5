"""A run that was stopped at any batch and taken up again ends with the same bytes as one that never stopped."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset
from dezero.errors import FileFormatError, StateError
from dezero.optimizers import SGD, Adam, CosineLR, MomentumSGD
from dezero.training import (
    Callback,
    Checkpoint,
    DeadUnits,
    EarlyStopping,
    GradientFlow,
    History,
    LearningRateScheduler,
    ReduceLROnPlateau,
    Trainer,
)
from dezero.transforms import Compose, Flatten, RandomNoise
from tests.training.problems import blobs, bytes_of, loader, make_net, trainer

ROOT = Path(__file__).resolve().parents[2]
EPOCHS, BATCHES = 4, 3


def augmented(workers: int = 0, **options: Any) -> DataLoader:
    """Batches with fresh noise on every sample."""
    x, t = blobs(40)
    return DataLoader(ArrayDataset(x[:, None], t, transform=Compose([RandomNoise(0.1), Flatten()])), 16, workers=workers, **options)


def optimizers(name: str) -> Any:
    return {"adam": Adam, "momentum": MomentumSGD, "sgd": SGD}[name](0.05)


def run_of(kind: str, seed: int | None) -> tuple[Trainer, Any, Any]:
    """All that a script makes anew when it is started again."""
    optimizer = optimizers(kind)
    net = make_net(dropout=0.3, norm=True)
    optimizer.setup(net)
    callbacks = [EarlyStopping("val_loss", patience=2), DeadUnits(), GradientFlow(every=2, warn=False)]
    callbacks += [LearningRateScheduler(CosineLR(optimizer, steps=EPOCHS * BATCHES), by="batch")] if kind == "adam" else \
        [ReduceLROnPlateau("loss", patience=0, factor=0.5)]
    return trainer(optimizer, net, callbacks=callbacks), augmented(seed=seed, workers=2 if kind == "momentum" else 0), loader(24, shuffle=False)


class Killed(Exception):
    pass


class SaveAndDie(Callback):
    """Saves after a batch, and ends the run as a crash would."""

    order = 30

    def __init__(self, path: Any, step: int) -> None:
        self.path, self.step = path, step

    def on_batch_end(self, trainer: Trainer) -> None:
        if trainer.steps == self.step:
            trainer.save(self.path)
            raise Killed


def outcome(run: Trainer) -> Any:
    """Weights, optimizer and history as bytes; the seconds are left out."""
    history = [{name: value for name, value in row.items() if name != "seconds"} for row in run.history.rows]
    return bytes_of(run.model), {k: a.tobytes() for k, a in run.optimizer.state_dict()["arrays"].items()}, repr(history), run.history.stopped


def test_the_loader_augments() -> None:
    data = augmented(shuffle=False, seed=0)
    assert not np.array_equal(next(iter(data))[0], next(iter(data))[0])


@pytest.mark.seeds
@pytest.mark.parametrize("seed", [None, 3])
@pytest.mark.parametrize("kind", ["adam", "momentum"])
def test_resuming_at_each_batch_gives_the_same_bytes(kind: str, seed: int | None, tmp_path: Path) -> None:
    np.random.seed(1)
    whole, data, val = run_of(kind, seed)
    whole.fit(data, val, epochs=EPOCHS)
    expected = outcome(whole)
    for step in range(1, whole.steps + 1):
        path = tmp_path / f"{step}"
        np.random.seed(1)
        first, data, val = run_of(kind, seed)
        first.callbacks.append(SaveAndDie(path, step))
        first._hooks["on_batch_end"].append(first.callbacks[-1].on_batch_end)
        with pytest.raises(Killed):
            first.fit(data, val, epochs=EPOCHS)
        np.random.seed(step + 100)  # another process begins with other random numbers
        second, data, val = run_of(kind, seed)
        second.load(path)
        second.fit(data, val, epochs=EPOCHS)
        assert outcome(second) == expected, f"stopped after batch {step}"


@pytest.mark.seeds
def test_resuming_after_each_epoch_and_early_stopping(tmp_path: Path) -> None:
    def make() -> Any:
        net = make_net()
        return trainer(SGD(0.3), net, callbacks=[EarlyStopping("val_loss", patience=1, min_delta=0.02), Checkpoint(tmp_path / "last", keep=9)])

    whole = make()
    whole.fit(loader(), loader(24, shuffle=False), epochs=20)
    assert whole.history.stopped.startswith("EarlyStopping: val_loss has not improved since epoch")
    for i in range(whole.epoch):
        again = make()
        again.load(tmp_path / f"last{f'.{i}' if i else ''}")
        (tmp_path / "other").mkdir(exist_ok=True)
        again.callbacks[-1].path = str(tmp_path / "other" / "last")
        again.fit(loader(), loader(24, shuffle=False), epochs=20)
        assert outcome(again) == outcome(whole)


def test_a_finished_checkpoint_has_nothing_left_to_do(tmp_path: Path) -> None:
    one = trainer(callbacks=[Checkpoint(tmp_path / "runs" / "last")])
    one.fit(loader(), epochs=2)
    two = trainer()
    two.load(tmp_path / "runs" / "last")
    assert two.fit(loader(), epochs=2).epochs == 2 and bytes_of(one.model) == bytes_of(two.model)
    assert two.fit(loader(), epochs=1).epochs == 3


def test_a_lazily_sized_model_is_resumed(tmp_path: Path) -> None:
    def make() -> Trainer:
        return Trainer(L.Linear(3, initializer="orthogonal"), Adam(), F.softmax_cross_entropy)

    state = np.random.get_state()
    one = make()
    one.fit(loader(), epochs=1)
    one.save(tmp_path / "a")
    two = make()
    two.load(tmp_path / "a")
    one.fit(loader(), epochs=1)
    two.fit(loader(), epochs=1)
    np.random.set_state(state)
    assert two.model.W.shape == (2, 3)


def test_a_plain_list_of_batches_is_taken_up_in_its_middle(tmp_path: Path) -> None:
    x, t = blobs(40)
    batches = [(x[i:i + 8], t[i:i + 8]) for i in range(0, 40, 8)]
    whole = trainer()
    whole.fit(batches, epochs=2)
    for step in (1, 3, 5, 7):
        first = trainer(callbacks=[SaveAndDie(tmp_path / "a", step)])
        with pytest.raises(Killed):
            first.fit(batches, epochs=2)
        second = trainer()
        second.load(tmp_path / "a")
        second.fit(batches, epochs=2)
        assert outcome(second) == outcome(whole)


def test_a_damaged_checkpoint_gives_way_to_the_one_before(tmp_path: Path) -> None:
    path = tmp_path / "last"
    trainer(callbacks=[Checkpoint(path)]).fit(loader(), epochs=2)
    path.write_bytes(path.read_bytes()[:-10])
    again = trainer()
    with pytest.warns(RuntimeWarning, match="the checkpoint before it"):
        again.load(path)
    assert again.epoch == 1
    path.write_bytes(b"no")
    (tmp_path / "last.1").write_bytes(b"no")
    with pytest.raises(FileFormatError):
        again.load(path)


def test_best_only_keeps_the_best(tmp_path: Path) -> None:
    run = trainer(callbacks=[Checkpoint(tmp_path / "best", best_only=True, metric="loss", keep=1)])
    history = run.fit(loader(), epochs=3)
    again = trainer()
    again.load(tmp_path / "best", callbacks=False)
    assert again.epoch == history.best("loss")["epoch"]
    assert os.listdir(tmp_path) == ["best"]


def test_checkpoints_every_so_many_batches(tmp_path: Path) -> None:
    run = trainer(callbacks=[Checkpoint(tmp_path / "last", every=2, keep=9)])
    run.fit(loader(), epochs=2)  # after batches 2, 3 (the epoch), 4, 6, 6
    assert len(os.listdir(tmp_path)) == 5


def test_a_state_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    run = trainer(callbacks=[EarlyStopping("loss")])
    run.fit(loader())
    with pytest.raises(StateError, match="the callback EarlyStopping, this Trainer has none"):
        trainer().restore(run.state())
    trainer().restore(run.state(), callbacks=False)
    with pytest.raises(StateError, match="version"):
        trainer().restore({})
    with pytest.raises(StateError, match="MomentumSGD"):
        trainer(MomentumSGD(0.1)).restore(run.state(), callbacks=False)
    wrong = trainer()
    wrong.restore(run.state(), callbacks=False)
    assert isinstance(wrong.history, History) and wrong.epoch == 1


CHILD = """
import os, signal, sys
import numpy as np
from dezero.training import Callback, Checkpoint
from dezero.optimizers import Adam
from tests.training.problems import bytes_of, loader, make_net, trainer
path, step = sys.argv[1], int(sys.argv[2])
class Die(Callback):
    order = 30
    def on_batch_end(self, t):
        if t.steps == step: os.kill(os.getpid(), signal.SIGKILL)
if step: np.random.seed(7)
run = trainer(Adam(0.05), make_net(dropout=0.3, norm=True), callbacks=[Checkpoint(path, every=1), *([Die()] if step > 0 else [])])
if step == 0: run.load(path)
run.fit(loader(seed=None), loader(24, shuffle=False), epochs=3)
print(sorted((n, b.hex()) for n, b in bytes_of(run.model).items()))
"""


def test_killed_and_taken_up_in_another_process_with_another_hash_seed(tmp_path: Path) -> None:
    def child(step: int, seed: str) -> Any:
        env = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}
        return subprocess.run([sys.executable, "-c", CHILD, str(tmp_path / "last"), str(step)], env=env, cwd=ROOT, capture_output=True, text=True)

    whole = child(99, "0")
    assert whole.returncode == 0, whole.stderr
    assert child(5, "1").returncode == -9
    again = child(0, "2")
    assert again.returncode == 0, again.stderr
    assert again.stdout == whole.stdout
