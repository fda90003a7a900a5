"""What builders get wrong, or do in their own way: each is either taken, or refused at once in words that help."""

from __future__ import annotations

import io
import math
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Variable, optimizers
from dezero.datasets import ArrayDataset
from dezero.errors import FileFormatError, InputTypeError, RangeError, ShapeError, StateError
from dezero.models import MLP
from dezero.optimizers import SGD
from dezero.training import (
    Callback,
    Checkpoint,
    CSVLogger,
    DeadUnits,
    EarlyStopping,
    Ensemble,
    Evaluator,
    GradientFlow,
    History,
    JSONLogger,
    LearningRateScheduler,
    ProgressBar,
    TensorBoard,
    TerminateOnNaN,
    Trainer,
    vote,
)
from tests.training.problems import blobs, loader, make_net, trainer


@pytest.mark.parametrize("value", [Variable(np.array(0.5)), np.full((1,), 0.5), np.full((1, 1), 0.5, np.float32), 0.5, np.float32(0.5)])
def test_a_metric_may_give_any_single_number(value: Any) -> None:
    assert trainer(metrics={"m": lambda y, t: value}).fit(loader())["m"] == [0.5]


@pytest.mark.parametrize("value", [np.ones(2), None, "x", {"a": 1}])
def test_a_metric_that_is_no_number_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="m is .*: one number is expected"):
        trainer(metrics={"m": lambda y, t: value}).fit(loader())
    with pytest.raises(TypeError, match="loss is .* one number"):
        Evaluator(make_net(), lambda y, t: y).evaluate(loader())


def test_a_loss_of_shape_1_is_a_loss() -> None:
    assert math.isfinite(Trainer(make_net(), SGD(0.1), lambda y, t: F.softmax_cross_entropy(y, t).reshape(1), callbacks=[TerminateOnNaN()])
                         .fit(loader())["loss"][0])


@pytest.mark.parametrize(("given", "words"), [(None, "loader is None"), (ArrayDataset(*blobs()), "write DataLoader"),
                                              (blobs()[0], "DataLoader.ArrayDataset"), (3, "write epochs=3")])
def test_what_is_no_loader_is_refused(given: Any, words: str) -> None:
    with pytest.raises(TypeError, match=words):
        trainer().fit(given)
    if given is not None:
        with pytest.raises(TypeError, match=words):
            trainer().fit(loader(), given)
    with pytest.raises(TypeError, match=words):
        trainer().evaluate(given)


def test_epochs_may_be_a_number_of_numpy() -> None:
    assert trainer().fit(loader(), epochs=np.int64(2)).epochs == 2  # type: ignore[arg-type]


def test_validation_without_loss_and_metric_is_refused_before_the_training() -> None:
    run = Trainer(make_net(), SGD(0.1), None, step=lambda run, batch: F.softmax_cross_entropy(run.model(batch[0]), batch[1]))
    with pytest.raises(ValueError, match="neither a loss nor a metric"):
        run.fit(loader(), loader())
    assert run.steps == 0


def test_optimizers_that_would_change_nothing_are_refused() -> None:
    with pytest.raises(TypeError, match="several optimizers"):
        Trainer(make_net(), {"a": SGD(0.1)}, F.softmax_cross_entropy)
    with pytest.raises(ValueError, match="another model"):
        Trainer(make_net(), SGD(0.1).setup(make_net()), F.softmax_cross_entropy)
    with pytest.raises(TypeError, match=r"write Linear\(...\)"):
        Trainer(L.Linear, SGD(0.1), F.softmax_cross_entropy)
    net = make_net()
    Trainer(net, SGD(0.1).setup(net.l2), F.softmax_cross_entropy).fit(loader())


def test_the_state_of_one_optimizer_is_not_that_of_several() -> None:
    net = make_net()
    state = Trainer(net, SGD(0.1), F.softmax_cross_entropy).state()
    with pytest.raises(StateError, match="of one optimizer, this Trainer has several by name: a, b"):
        Trainer(net, {"a": SGD(0.1).setup(net), "b": SGD(0.1).setup(net)}, None, step=lambda run, batch: {}).restore(state)


def test_every_callback_is_closed_where_one_fails_to() -> None:
    closed: list[int] = []

    class Closing(Callback):
        def __init__(self, i: int) -> None:
            self.i = i

        def close(self, trainer: Any) -> None:
            closed.append(self.i)
            if self.i == 1:
                raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        trainer(callbacks=[Closing(i) for i in range(3)]).fit(loader())
    assert closed == [0, 1, 2]


class Column(Callback):
    def __init__(self, value: Any) -> None:
        self.value = value

    def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
        record["extra"] = self.value


@pytest.mark.parametrize("value", ["a,\"b\"", 0.5, np.float32(0.5), np.array([3]), Variable(np.array(2.0)), True, 7, None])
def test_columns_of_any_plain_kind_are_logged_and_read_back(value: Any, tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    files = [CSVLogger(tmp_path / "a.csv"), JSONLogger(tmp_path / "a.jsonl"), TensorBoard(tmp_path / "board"), Checkpoint(tmp_path / "a.st")]
    trainer(callbacks=[Column(value), *files, ProgressBar(file=io.StringIO())]).fit(loader(), epochs=2)
    plain = value.data.item() if isinstance(value, Variable) else value.item() if hasattr(value, "item") else value
    if value is None:
        assert math.isnan(History.from_jsonl(tmp_path / "a.jsonl")["extra"][0]) and "extra" not in History.from_csv(tmp_path / "a.csv")
        return
    for history in (History.from_csv(tmp_path / "a.csv"), History.from_jsonl(tmp_path / "a.jsonl")):
        assert history["extra"] == [plain] * 2 and type(history["extra"][0]) is type(plain)


@pytest.mark.parametrize("value", [np.arange(3), [1, 2], object()])
def test_a_column_that_is_no_figure_is_named(value: Any) -> None:
    with pytest.raises(TypeError, match="column 'extra' of epoch 1"):
        trainer(callbacks=[Column(value)]).fit(loader())


def test_a_history_says_which_line_of_its_file_is_damaged(tmp_path: Path) -> None:
    for text, words in (("epoch,loss\n1,2\n2\n", "line 3 has 1 cells"), ("name,age\nBob,3\n", "line 2 has 'Bob'")):
        (tmp_path / "a.csv").write_text(text)
        with pytest.raises(FileFormatError, match=words):
            History.from_csv(tmp_path / "a.csv")
    assert History([{"epoch": 1, "loss": None}, {"epoch": 2, "loss": 1.0}]).best("loss")["epoch"] == 2


def test_two_boards_within_a_second_keep_both_their_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboardX")
    run = trainer(callbacks=[TensorBoard(tmp_path)])
    for i in (1, 2, 3):
        run.fit(loader())
        assert len(list(tmp_path.iterdir())) == i


@pytest.mark.seeds
def test_dead_units_tells_at_the_first_batch_that_there_is_no_relu() -> None:
    run = Trainer(MLP((4, 3), F.tanh), SGD(0.1), F.softmax_cross_entropy, callbacks=[DeadUnits()])
    with pytest.raises(ValueError, match="without any ReLU"):
        run.fit(loader())
    assert run.steps == 1


def test_nan_in_the_data_is_told_from_a_rate_that_is_too_high() -> None:
    x, t = blobs()
    with pytest.warns(RuntimeWarning, match="The batch itself holds NaN"):
        trainer(callbacks=[TerminateOnNaN()]).fit([(x * np.nan, t)])


def test_a_dumb_terminal_and_one_without_a_width(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setenv("TERM", "dumb")
    trainer(callbacks=[ProgressBar(file=(out := Terminal()))]).fit(loader())
    assert out.getvalue().startswith("epoch 1/1  loss") and "\r" not in out.getvalue()
    pytest.importorskip("tqdm")
    monkeypatch.setenv("TERM", "xterm")
    master, slave = os.openpty()  # 0 columns wide
    with open(slave, "w") as file:
        trainer(callbacks=[ProgressBar(file=file)]).fit(loader())
        assert "epoch 1/1" in os.read(master, 10000).decode()
    os.close(master)


def test_ensembles_refuse_what_they_cannot_count() -> None:
    with pytest.raises(ShapeError, match="np.hstack"):
        Ensemble([lambda x: x[:, :1]]).predict(np.ones((3, 2)))
    with pytest.raises(RangeError, match="lowest label is -1"):
        vote([np.array([-1, 1]), np.array([0, 1])])
    with pytest.raises(InputTypeError, match="2 inputs"):
        Ensemble([lambda x: x]).evaluate([(np.ones((3, 2)), np.ones((3, 2)), np.zeros(3, int))])


def test_a_model_forgets_at_the_beginning_of_each_epoch() -> None:
    calls: list[str] = []
    net = make_net()
    net.reset_state = lambda: calls.append("reset")
    Trainer(net, SGD(0.1), F.softmax_cross_entropy).fit(loader(), epochs=3)
    assert calls == ["reset"] * 3


def test_best_only_keeps_the_best_of_several_improvements(tmp_path: Path) -> None:
    values = iter([3.0, 1.0, 2.0])
    best = Checkpoint(tmp_path / "best", best_only=True, metric="extra")

    class Next(Callback):
        def on_epoch_end(self, trainer: Any, record: dict[str, Any]) -> None:
            record["extra"] = next(values)

    trainer(callbacks=[Next(), best]).fit(loader(), epochs=3)
    run = trainer(callbacks=[Checkpoint(tmp_path / "more", best_only=True, metric="extra")])
    run.load(tmp_path / "best")
    assert run.epoch == 2 and best.best == run.callbacks[0].best == 1.0  # type: ignore[attr-defined]


def test_two_callbacks_of_a_class_get_each_its_own_state() -> None:
    run = trainer(callbacks=[EarlyStopping("loss", patience=9), EarlyStopping("accuracy", patience=9)])
    run.fit(loader(), epochs=2)
    again = trainer(callbacks=[EarlyStopping("loss", patience=9), EarlyStopping("accuracy", patience=9)])
    again.restore(run.state())
    assert [c.best for c in again.callbacks] == [c.best for c in run.callbacks]  # type: ignore[attr-defined]


def test_gradient_flow_keeps_the_largest_of_an_epoch() -> None:
    seen: list[float] = []

    class Look(Callback):
        def on_backward(self, trainer: Any) -> None:
            seen.append(float(abs(trainer.model.l1.W.grad.data).max()))

    flow = GradientFlow(every=1, warn=False)
    trainer(callbacks=[flow, Look()]).fit(loader(), epochs=1)
    assert flow.reports[0][0].name == "l1.W" and flow.reports[0][0].largest == pytest.approx(max(seen)) and max(seen) > seen[-1]


def test_a_plateau_schedule_goes_by_the_validation_loss() -> None:
    optimizer = SGD(0.1)
    assert LearningRateScheduler(optimizers.ReduceLROnPlateau(optimizer)).metric == "val_loss"
