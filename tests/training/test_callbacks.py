"""The callbacks that come with the package, each in a short run."""

from __future__ import annotations

import io
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import detect_anomaly
from dezero.optimizers import SGD, Adam, CosineLR, StepLR
from dezero.training import (
    Callback,
    Checkpoint,
    CSVLogger,
    DeadUnits,
    EarlyStopping,
    GradientFlow,
    History,
    JSONLogger,
    LearningRateScheduler,
    ProgressBar,
    ReduceLROnPlateau,
    TensorBoard,
    TerminateOnNaN,
    Trainer,
    live_units,
    progress,
)
from tests.training.problems import blobs, bytes_of, loader, make_net, trainer


class Script(Callback):
    """Puts prescribed values of a metric into the history, and remembers the weights after each epoch."""

    order = -20

    def __init__(self, *values: float, name: str = "figure") -> None:
        self.values, self.name, self.weights = values, name, [{}]

    def on_epoch_end(self, trainer: Trainer, record: dict[str, Any]) -> None:
        record[self.name] = self.values[trainer.epoch - 1]
        self.weights.append(bytes_of(trainer.model))


# -- stopping ----------------------------------------------------------------------------------------

def test_early_stopping_puts_the_best_weights_back() -> None:
    script = Script(3.0, 2.0, math.nan, 2.5, 1.0)
    run = trainer(callbacks=[script, EarlyStopping("figure", patience=2)])
    history = run.fit(loader(), epochs=9)
    assert history.epochs == 4 and history.stopped == "EarlyStopping: figure has not improved since epoch 2, where it was 2"
    assert bytes_of(run.model) == script.weights[2]


def test_early_stopping_by_the_name_of_the_metric_and_by_min_delta() -> None:
    script = Script(0.5, 0.55, 0.59, 0.9, name="my_accuracy")
    stopping = EarlyStopping("my_accuracy", patience=2, min_delta=0.1)
    run = trainer(callbacks=[script, stopping])
    assert run.fit(loader(), epochs=4).epochs == 3 and stopping.best_epoch == 1  # 0.59 is not more than 0.5 + 0.1
    last = Script(1.0, 2.0)
    run = trainer(callbacks=[last, EarlyStopping("figure", restore_best=False)])
    run.fit(loader(), epochs=2)
    assert bytes_of(run.model) == last.weights[2]
    run = trainer(callbacks=[last, EarlyStopping("figure")])
    run.fit(loader(), epochs=2)  # it came to its end
    assert bytes_of(run.model) == last.weights[1 + 2]


def test_a_new_run_begins_anew() -> None:
    stopping = EarlyStopping("loss", patience=1)
    run = trainer(optimizer=SGD(0.0), callbacks=[stopping])
    assert run.fit(loader(40, 40), epochs=5).epochs == 2
    assert run.fit(loader(40, 40), epochs=5).epochs == 4


def test_an_unknown_metric_lists_those_there_are() -> None:
    with pytest.raises(KeyError) as error:
        trainer(callbacks=[EarlyStopping()]).fit(loader())
    assert str(error.value) == ("EarlyStopping: there is no metric 'val_loss': this run has loss, accuracy, lr, seconds; "
                                "fit(..., val_loader=...) adds those that begin with val_")


def test_terminate_on_nan_names_batch_and_gradient_and_saves_the_weights() -> None:
    x, t = blobs(12)
    bad = x.copy()
    bad[3] = np.nan
    run, good = trainer(callbacks=[TerminateOnNaN()]), trainer()
    message = r"in batch 2 of epoch 1 the loss is nan; the gradient of l1\.W\[0, \d\] is nan\. The weights are those before"
    with pytest.warns(RuntimeWarning, match=message):
        history = run.fit([(x, t), (bad, t), (x, t)], epochs=5)
    good.fit([(x, t)])
    assert bytes_of(run.model) == bytes_of(good.model)
    assert history.epochs == 1 and math.isnan(history["loss"][0]) and history.stopped.startswith("TerminateOnNaN")


def test_terminate_on_nan_sees_a_gradient_behind_a_finite_loss_and_a_parameter() -> None:
    net = make_net()
    net.l2.b.data[1] = np.inf
    with pytest.warns(RuntimeWarning, match=r"parameter l2\.b\[1\] is inf"), np.errstate(all="ignore"):
        trainer(model=net, callbacks=[TerminateOnNaN()]).fit([blobs(4)])

    def loss(y: Any, t: Any) -> Any:
        return F.mean(F.sqrt(y * 0.0))  # finite, with an infinite slope

    net = make_net()
    with pytest.warns(RuntimeWarning, match=r"the loss is 0, but the gradient of l1\.W"), np.errstate(all="ignore"):
        Trainer(net, SGD(0.1), loss, callbacks=[TerminateOnNaN()]).fit([blobs(4)])


# -- learning rate -----------------------------------------------------------------------------------

def test_schedules_step_by_epoch_or_by_batch() -> None:
    optimizer = SGD(1.0)
    history = trainer(optimizer, callbacks=[LearningRateScheduler(StepLR(optimizer, 1, 0.5))]).fit(loader(), epochs=3)
    assert history["lr"] == [1.0, 0.5, 0.25]
    optimizer = SGD(1.0)
    schedule = CosineLR(optimizer, steps=6)
    trainer(optimizer, callbacks=[LearningRateScheduler(schedule, by="batch")]).fit(loader(), epochs=2)
    assert schedule.count == 6 and optimizer.lr == pytest.approx(0)


def test_reduce_on_plateau() -> None:
    run = trainer(SGD(1.0), callbacks=[Script(1.0, 1.0, 1.0, 0.1), ReduceLROnPlateau("figure", factor=0.5, patience=0)])
    assert run.fit(loader(), epochs=4)["lr"] == [1.0, 1.0, 0.5, 0.25]


@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: LearningRateScheduler(lambda i: 0.1), TypeError, "LambdaLR"),
    (lambda: LearningRateScheduler(StepLR(SGD(1.0), 1), by="step"), ValueError, "'epoch' or 'batch'"),
    (lambda: LearningRateScheduler(StepLR(SGD(1.0), 1), by="batch", metric="loss"), ValueError, "by='epoch'"),
    (lambda: trainer(callbacks=[LearningRateScheduler(StepLR(SGD(1.0), 1))]), ValueError, "another optimizer"),
    (lambda: EarlyStopping(patience=0), ValueError, "patience is 0"),
    (lambda: EarlyStopping(min_delta=-1), ValueError, "min_delta"),
    (lambda: EarlyStopping(mode="best"), ValueError, "mode is 'best'"),
    (lambda: Checkpoint("a", every="batch"), ValueError, "every is 'batch'"),
    (lambda: Checkpoint("a", every=0), ValueError, "every is 0"),
    (lambda: Checkpoint("a", keep=0), ValueError, "keep is 0"),
    (lambda: Checkpoint("a", every=3, best_only=True), ValueError, "end of an epoch"),
    (lambda: GradientFlow(every=0), ValueError, "every is 0"),
    (lambda: GradientFlow().table(), IndexError, "no report"),
    (lambda: trainer(model=L.Linear(3, in_size=2, initializer="orthogonal"), callbacks=[DeadUnits()]).fit(loader()), ValueError, "without any ReLU"),
])
@pytest.mark.seeds
def test_misuse_is_explained(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


# -- monitors ----------------------------------------------------------------------------------------

def test_live_units_of_functions_and_layers() -> None:
    net = make_net()
    net.l1.W.data[:] = 0
    net.l1.b.data[:] = [1, 1, 1, -1, -1, -1, -1, -1]  # three of eight are alive
    history = trainer(SGD(0.0), net, callbacks=[DeadUnits()]).fit(loader(), epochs=2)
    assert history["live_units"] == [3 / 8, 3 / 8]
    x = np.array([[1.0, -1.0], [-1.0, -1.0]], np.float32)
    model = L.Sequential(F.relu, lambda x: F.relu(x - 10.0), L.ReLU())
    shares, overall = live_units(model, x)
    assert list(shares.values()) == [0.5, 0.0, 0.0] and overall == pytest.approx(1 / 6)
    images = np.zeros((2, 3, 4, 4), np.float32)
    images[1, 0, 2, 2] = 1
    assert live_units(F.relu, images)[1] == pytest.approx(1 / 3)  # a unit is a channel
    with detect_anomaly():
        assert live_units(F.relu, x)[1] == 0.5


def test_a_high_rate_kills_units() -> None:
    def share(rate: float) -> float:
        with np.errstate(all="ignore"):
            return trainer(SGD(rate), callbacks=[DeadUnits()]).fit(loader(120), epochs=3)["live_units"][-1]
    assert share(0.1) == 1.0 and share(30.0) < 0.7


def test_gradient_flow_flags_what_vanishes() -> None:
    class Deep(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = make_net().l1, L.Linear(3, in_size=8, initializer="orthogonal")

        def forward(self, x: Any) -> Any:
            return self.last(self.first(x) * 1e-7)

    state = np.random.get_state()
    net = Deep()
    np.random.set_state(state)
    flow = GradientFlow(every=1)
    with pytest.warns(RuntimeWarning, match=r"in epoch 1: first\.W vanishing"):
        history = trainer(model=net, callbacks=[flow]).fit(loader(), epochs=2)  # it warns once
    assert history["vanishing"] == [2, 2] or history["vanishing"][0] >= 1
    assert [row.name for row in flow.reports[0]] == ["first.W", "first.b", "last.W", "last.b"]
    assert "vanishing" in flow.table() and flow.table(1).splitlines()[0].startswith("parameter")
    fine = GradientFlow()
    assert trainer(callbacks=[fine]).fit(loader())["exploding"] == [0]


# -- logs --------------------------------------------------------------------------------------------

def test_tables_follow_the_history(tmp_path: Path) -> None:
    table, lines = tmp_path / "기록" / "학습.csv", tmp_path / "기록" / "학습.jsonl"
    seen: list[int] = []

    class Peek(Callback):
        order = 15

        def on_epoch_end(self, trainer: Trainer, record: Any) -> None:
            seen.append(History.from_csv(table).epochs)

    run = trainer(callbacks=[CSVLogger(table), JSONLogger(lines), Peek()])
    run.fit(loader(), epochs=2)
    run.fit(loader(), loader(), epochs=1)  # new columns
    assert seen == [1, 2, 3]
    assert History.from_csv(table).rows == run.history.rows == History.from_jsonl(lines).rows


def test_a_resumed_run_writes_no_line_twice(tmp_path: Path) -> None:
    def make() -> Trainer:
        return trainer(callbacks=[CSVLogger(tmp_path / "log.csv"), Checkpoint(tmp_path / "last")])

    class Die(Callback):
        order = 15  # after the log, before the checkpoint

        def on_epoch_end(self, trainer: Trainer, record: Any) -> None:
            if trainer.epoch == 2:
                raise RuntimeError("dead")

    first = trainer(callbacks=[*make().callbacks, Die()])
    with pytest.raises(RuntimeError):
        first.fit(loader(), epochs=4)
    again = make()
    again.load(tmp_path / "last")
    again.fit(loader(), epochs=4)
    assert History.from_csv(tmp_path / "log.csv")["epoch"] == [1, 2, 3, 4]


def test_tensorboard(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    trainer(callbacks=[TensorBoard(tmp_path / "runs", every=1)]).fit(loader(), loader(), epochs=2)
    files = list((tmp_path / "runs").iterdir())
    content = files[0].read_bytes()
    assert len(files) == 1 and all(tag in content for tag in (b"loss/training", b"loss/validation", b"accuracy/validation", b"batch/loss"))


def test_tensorboard_says_what_to_install(monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    with pytest.raises(ImportError, match=r"pip install 'dezero\[tensorboard\]'"):
        trainer(callbacks=[TensorBoard("never")]).fit(loader())


# -- progress ----------------------------------------------------------------------------------------

class Terminal(io.StringIO):
    """Counts how often something is written to it."""

    writes = 0

    def isatty(self) -> bool: return True

    def write(self, text: str) -> int:
        self.writes += bool(text.strip())
        return super().write(text)


def test_without_a_terminal_there_is_a_line_for_each_epoch(capsys: Any) -> None:
    trainer(callbacks=[ProgressBar()]).fit(loader(), loader(), epochs=3)
    out, err = capsys.readouterr()
    lines = out.splitlines()
    assert err == "" and len(lines) == 3 and "\r" not in out
    assert lines[0].startswith("epoch 1/3  loss ") and "val_accuracy " in lines[0] and lines[0].endswith(" s")


def test_a_terminal_gets_a_bar_that_is_drawn_four_times_a_second(monkeypatch: Any) -> None:
    pytest.importorskip("tqdm")
    clock = iter(float(i) * 0.01 for i in range(10 ** 6))
    monkeypatch.setattr(progress, "perf_counter", lambda: next(clock))  # a batch takes 10 ms
    out = Terminal()
    trainer(callbacks=[ProgressBar(out)]).fit(loader(1600), epochs=1)  # 100 batches: one second
    text = out.getvalue()
    assert "epoch 1/1: 100%" in text and "100/100" in text and "loss " in text.splitlines()[-1]
    assert text.count("\r") <= 4 + 4  # the first and the last are drawn too


def test_without_tqdm_a_terminal_gets_lines(monkeypatch: Any) -> None:
    for name in ("tqdm", "tqdm.auto"):
        monkeypatch.setitem(sys.modules, name, None)
    out = Terminal()
    trainer(callbacks=[ProgressBar(out)]).fit(loader(), epochs=2)
    assert len(out.getvalue().splitlines()) == 2


def test_a_bar_is_closed_when_an_error_ends_the_run() -> None:
    pytest.importorskip("tqdm")

    class Bad(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            raise RuntimeError

    bar = ProgressBar(Terminal())
    with pytest.raises(RuntimeError):
        trainer(callbacks=[Bad(), bar]).fit(loader())
    assert bar._running is None


def test_the_end_of_an_early_end_is_told(capsys: Any) -> None:
    trainer(Adam(), callbacks=[ProgressBar(), Script(1.0, 2.0), EarlyStopping("figure", patience=1)]).fit(loader(), epochs=9)
    assert capsys.readouterr().out.splitlines()[-1] == "EarlyStopping: figure has not improved since epoch 1, where it was 1"
