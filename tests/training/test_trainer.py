"""The loop: it learns, its averages are exact, its callbacks come in order, its memory does not grow, its mistakes are explained."""

from __future__ import annotations

import gc
import math
import tracemalloc
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Parameter, Variable, config
from dezero.backend import register_module, unregister_module
from dezero.errors import InputTypeError
from dezero.optimizers import SGD, Adam
from dezero.training import Callback, Checkpoint, DeadUnits, EarlyStopping, GradientFlow, TerminateOnNaN, Trainer
from tests.strict import StrictArray, xp
from tests.training.problems import blobs, bytes_of, loader, make_net, trainer


def test_it_learns() -> None:
    run = trainer()
    history = run.fit(loader(200), loader(60, shuffle=False), epochs=15)
    assert history["val_accuracy"][-1] > 0.95 > history["val_accuracy"][0] or history["val_accuracy"][-1] == 1
    assert history["loss"][-1] < 0.2 * history["loss"][0]
    assert history["epoch"] == list(range(1, 16)) and history.epochs == run.epoch == 15
    assert list(history) == ["epoch", "loss", "accuracy", "val_loss", "val_accuracy", "lr", "seconds"]
    assert history["lr"] == [0.1] * 15 and not history.interrupted and history.stopped == ""
    x, t = blobs(30, seed=5)
    assert (run.predict(x).argmax(1) == t).mean() > 0.95


def test_it_does_what_the_loop_by_hand_does() -> None:
    run, model, data = trainer(), make_net(), loader()
    optimizer = SGD(0.1).setup(model)
    for _ in range(2):
        for x, t in data:
            loss = F.softmax_cross_entropy(model(x), t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
    run.fit(loader(), epochs=2)
    assert bytes_of(run.model) == bytes_of(model)


def test_averages_are_exact_with_a_short_last_batch() -> None:
    x, t = blobs(10)
    batches = [(x[:4], t[:4]), (x[4:8], t[4:8]), (x[8:], t[8:])]
    run = trainer(optimizer=SGD(0.0))
    expected = F.softmax_cross_entropy(run.model(x), t).item(), F.accuracy(run.model(x), t).item()
    history = run.fit(batches, batches)
    for prefix in ("", "val_"):
        assert history[prefix + "loss"][0] == pytest.approx(expected[0], rel=1e-6)
        assert history[prefix + "accuracy"][0] == pytest.approx(expected[1], rel=1e-12)
    assert run.evaluate(batches) == {"loss": history["val_loss"][0], "accuracy": history["val_accuracy"][0]}


def test_metrics_by_name() -> None:
    def error(y: Any, t: Any) -> float:
        assert type(y) is np.ndarray  # no graph can grow out of a metric
        return float((y.argmax(1) != t).mean())

    history = trainer(metrics={"wrong": error, "right": F.accuracy}).fit(loader(), epochs=2)
    assert np.allclose(np.add(history["wrong"], history["right"]), 1)


def test_callbacks_are_called_in_order() -> None:
    calls: list[str] = []

    class Log(Callback):
        def __init__(self, name: str, order: int = 0) -> None:
            self.name, self.order = name, order

        def setup(self, trainer: Trainer) -> None: calls.append(f"{self.name} setup")
        def on_fit_begin(self, trainer: Trainer) -> None: calls.append(f"{self.name} fit_begin")
        def on_epoch_begin(self, trainer: Trainer) -> None: calls.append(f"{self.name} epoch_begin {trainer.epoch}")
        def on_backward(self, trainer: Trainer) -> None: calls.append(f"{self.name} backward {trainer.batch}")
        def on_batch_end(self, trainer: Trainer) -> None: calls.append(f"{self.name} batch_end {trainer.batch} {trainer.steps}")

        def on_epoch_end(self, trainer: Trainer, record: dict[str, Any]) -> None:
            calls.append(f"{self.name} epoch_end {trainer.epoch} {len(trainer.history['loss'])}")
            record[self.name] = 1

        def on_fit_end(self, trainer: Trainer) -> None: calls.append(f"{self.name} fit_end")
        def close(self, trainer: Trainer) -> None: calls.append(f"{self.name} close")

    x, t = blobs(4)
    history = trainer(callbacks=[Log("b"), Log("c", 5), Log("a", -1)]).fit([(x[:2], t[:2]), (x[2:], t[2:])])
    assert history["a"] == history["c"] == [1]
    expected = ["setup", "fit_begin", "epoch_begin 0", "backward 0", "batch_end 1 1", "backward 1", "batch_end 2 2", "epoch_end 1 1", "fit_end"]
    assert [c[2:] for c in calls if c[0] == "a"] == [*expected, "close"]
    assert [c[0] for c in calls] == ["a", "b", "c"] * 10


def test_gradients_are_there_in_on_backward_and_skip_update_leaves_the_weights() -> None:
    class Skip(Callback):
        def on_backward(self, trainer: Trainer) -> None:
            assert all(p.grad is not None for p in trainer.model.params())
            trainer.skip_update()

    run = trainer(callbacks=Skip())
    before = bytes_of(run.model)
    run.fit(loader())
    assert bytes_of(run.model) == before


def test_a_callback_may_stop_the_run_and_the_epoch_is_still_whole(tmp_path: Any) -> None:
    class Stop(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            if trainer.steps == 4:
                trainer.stop("enough")

    run = trainer(callbacks=[Stop(), Checkpoint(tmp_path / "last")])
    history = run.fit(loader(), loader(), epochs=9)  # 3 batches an epoch
    assert (history.epochs, history.stopped, run.steps) == (2, "enough", 4)
    assert not math.isnan(history["val_loss"][-1])
    again = trainer()
    again.load(tmp_path / "last")
    data = loader()
    assert again.fit(data, epochs=9).epochs == 2  # it was stopped for good
    for each, batches in ((run, loader()), (again, data)):
        assert each.fit(batches, epochs=1).epochs == 3 and each.steps == 7  # a new run, of a whole epoch
    assert history.stopped == ""


def test_close_is_called_when_an_error_ends_the_run() -> None:
    closed: list[bool] = []

    class Bad(Callback):
        def on_batch_end(self, trainer: Trainer) -> None: raise RuntimeError("bad")
        def close(self, trainer: Trainer) -> None: closed.append(True)

    with pytest.raises(RuntimeError, match="bad"):
        trainer(callbacks=[Bad()]).fit(loader())
    assert closed == [True]


def test_a_first_batch_that_fails_is_not_lost() -> None:
    class Once(Callback):
        failed = False

        def on_backward(self, trainer: Trainer) -> None:
            if not self.failed:
                self.failed = True
                raise RuntimeError("once")

    run, data = trainer(callbacks=[Once()]), loader()
    with pytest.raises(RuntimeError):
        run.fit(data)
    run.fit(data)
    assert run.steps == 3


def test_fit_twice_goes_on() -> None:
    one, two = trainer(), trainer()
    one.fit(loader(), epochs=4)
    data = loader()
    two.fit(data, epochs=1)
    two.fit(data, epochs=3)
    assert bytes_of(one.model) == bytes_of(two.model)
    assert one.history["loss"] == two.history["loss"]


def test_a_list_or_one_array_as_batches() -> None:
    x, t = blobs(12)
    assert trainer(model=make_net()).fit([[x, t]]).epochs == 1
    two = Trainer(lambda_model(), SGD(0.1), F.mean_squared_error)
    two.fit([(x, x, np.zeros((12, 1), np.float32))])  # two inputs
    auto = Trainer(L.Linear(2, in_size=2, initializer=zeros), SGD(0.1), F.mean_squared_error)
    history = auto.fit([x, (x,), (x, None)], epochs=20)  # its own target
    assert history["loss"][-1] < history["loss"][0]
    assert auto.predict(x).shape == x.shape


def zeros(*args: Any, **kwargs: Any) -> Any:
    return np.zeros(args[0], np.float32)


def lambda_model() -> L.Layer:
    class Both(L.Layer):
        def __init__(self) -> None:
            super().__init__()
            self.w = Parameter(np.ones((2, 1), np.float32))

        def forward(self, a: Any, b: Any) -> Any:
            return F.matmul(a + b, self.w)
    return Both()


def test_a_step_of_ones_own() -> None:
    x, t = blobs(12)

    def step(trainer: Trainer, batch: dict[str, Any]) -> Any:
        return F.softmax_cross_entropy(trainer.model(batch["image"]), batch["label"])

    own, usual = Trainer(make_net(), SGD(0.1), None, step=step), trainer()
    own.fit([{"image": x, "label": t}], epochs=3)
    usual.fit([(x, t)], epochs=3)
    assert own.history["loss"] == usual.history["loss"] and bytes_of(own.model) == bytes_of(usual.model)


def test_a_step_that_updates_by_itself() -> None:
    def step(trainer: Trainer, batch: Any) -> dict[str, Any]:
        seen.append(len(batch[0]))
        for optimizer in trainer.optimizer.values():
            trainer.model.cleargrads()
            loss = F.softmax_cross_entropy(trainer.model(batch[0]), batch[1])
            loss.backward()
            optimizer.update()
        return {"d_loss": loss, "g_loss": float(len(batch[0]))}

    seen: list[int] = []
    net = make_net()
    run = Trainer(net, {"d": SGD(0.1).setup(net), "g": Adam().setup(net)}, None, step=step)
    history = run.fit(loader(), epochs=2)
    assert list(history) == ["epoch", "d_loss", "g_loss", "seconds"]
    assert history["g_loss"][0] == pytest.approx((16 ** 2 + 16 ** 2 + 8 ** 2) / 40)
    again = Trainer(make_net(), {"d": SGD(0.1).setup(net), "g": Adam().setup(net)}, None, step=step)
    again.restore(run.state())
    assert again.optimizer["g"].t == 6


def test_evaluation_is_as_in_use_and_leaves_no_trace() -> None:
    net = make_net(dropout=0.5, norm=True)
    run, x = trainer(model=net), blobs(20)[0]
    before = bytes_of(net)
    assert (run.predict(x) == run.predict(x, batch_size=3)).all() or np.allclose(run.predict(x), run.predict(x, batch_size=3), atol=1e-6)
    assert run.evaluate(loader()) == run.evaluate(loader())
    assert bytes_of(net) == before and all(p.grad is None for p in net.params())


@pytest.mark.seeds
def test_fit_trains_after_eval() -> None:
    net = make_net(dropout=0.5, norm=True).eval()
    mean = net.norm.avg_mean.data.copy()
    trainer(model=net).fit(loader())
    assert net.training and not np.array_equal(net.norm.avg_mean.data, mean)


def test_hidden_states_are_kept_out_of_an_evaluation() -> None:
    state = np.random.get_state()
    rnn = L.RNN(3, in_size=2)
    np.random.set_state(state)
    rnn(np.ones((4, 2), np.float32))
    h = rnn.h
    run = Trainer(rnn, SGD(0.1), F.mean_squared_error)
    run.evaluate([(np.ones((7, 2), np.float32), np.ones((7, 3), np.float32))])  # another batch size
    assert rnn.h is h
    again = Trainer(rnn, SGD(0.1), F.mean_squared_error)
    saved = run.state()
    rnn.reset_state()
    again.restore(saved)
    assert np.array_equal(rnn.h.data, h.data) and rnn.h.creator is None


def test_memory_does_not_grow() -> None:
    x, t = blobs(8)

    class Batches:
        def __init__(self, n: int) -> None: self.n = n
        def __iter__(self) -> Any: return iter([(x, t)] * self.n)

    run = trainer(optimizer=Adam())
    run.fit(Batches(100))
    gc.collect()
    tracemalloc.start()
    try:
        run.fit(Batches(2000))
        gc.collect()
        grown = tracemalloc.get_traced_memory()[0]
    finally:
        tracemalloc.stop()
    assert grown < 60_000  # one Variable a step would be 500,000


def test_the_graph_of_a_step_is_gone_before_the_next() -> None:
    alive: list[int] = []

    class Count(Callback):
        def on_batch_end(self, trainer: Trainer) -> None:
            gc.collect()
            alive.append(sum(isinstance(o, Variable) for o in gc.get_objects()))

    trainer(callbacks=[Count()]).fit(loader(64))
    assert len(set(alive)) == 1


def test_modes_are_left_as_found() -> None:
    before = config.current()
    trainer().fit(loader(), loader())
    assert config.current() is before


@pytest.fixture
def device() -> Any:
    register_module(StrictArray, xp)
    yield StrictArray
    unregister_module(StrictArray)


def test_arrays_on_another_device(device: Any) -> None:
    net = make_net(norm=True)
    net(blobs(12)[0])
    for v in (*net.params(), *net.buffers()):
        v.data = device(v.data)
    x, t = map(device, blobs(12))
    callbacks = [EarlyStopping("loss"), TerminateOnNaN(), GradientFlow(), DeadUnits()]
    run = trainer(optimizer=Adam(), model=net, callbacks=callbacks)
    history = run.fit([(x, t)] * 70, [(x, t)], epochs=2)  # more batches than numbers may wait on the device
    assert all(type(value) is float for value in history["loss"] + history["val_accuracy"] + history["live_units"])
    assert type(run.predict(x)) is np.ndarray
    run.restore(run.state())
    assert type(net.l1.W.data) is device


@pytest.mark.gpu
@pytest.mark.seeds
def test_on_a_gpu(tmp_path: Any) -> None:
    import cupy
    host, run = trainer(Adam()), trainer(Adam(), device="gpu", callbacks=[EarlyStopping("loss"), TerminateOnNaN(), GradientFlow(), DeadUnits()])
    expected = host.fit(loader(), loader(24, shuffle=False), epochs=3)
    history = run.fit(loader(), loader(24, shuffle=False), epochs=3)
    assert np.allclose(history["loss"], expected["loss"], rtol=1e-3) and history["val_accuracy"] == expected["val_accuracy"]
    assert isinstance(run.model.l1.W.data, cupy.ndarray) and type(run.predict(blobs(9)[0])) is np.ndarray
    run.save(tmp_path / "a")
    again = trainer(Adam(), device="gpu", callbacks=[EarlyStopping("loss"), TerminateOnNaN(), GradientFlow(), DeadUnits()])
    again.load(tmp_path / "a")
    assert again.evaluate(loader(24, shuffle=False)) == run.evaluate(loader(24, shuffle=False))
    assert again.fit(loader(), epochs=1).epochs == 4


# -- mistakes ----------------------------------------------------------------------------------------

@pytest.mark.parametrize(("make", "error", "message"), [
    (lambda: Trainer(make_net(), SGD, F.softmax_cross_entropy), TypeError, "an optimizer is expected"),
    (lambda: Trainer(make_net(), SGD(0.1), None), TypeError, "loss is None"),
    (lambda: trainer(callbacks=[EarlyStopping]), TypeError, r"write EarlyStopping\(...\), with brackets"),
    (lambda: trainer(callbacks=[print]), TypeError, "derives from dezero.training.Callback"),
    (lambda: trainer(metrics=[lambda y, t: 0]), TypeError, "has no name"),
    (lambda: trainer(metrics={"loss": F.accuracy}), ValueError, "column of the history"),
    (lambda: trainer(metrics=[F.accuracy, F.accuracy]), ValueError, "given twice"),
    (lambda: trainer(metrics={"a": 3}), TypeError, "function of"),
    (lambda: trainer(device="tpu"), ValueError, "'tpu': 'cpu', 'gpu', 'cuda', or 'cuda:1' .*; None leaves"),
    (lambda: trainer().fit([]), ValueError, "no batch in epoch 1"),
    (lambda: trainer().fit(iter([blobs(4)]), epochs=2), ValueError, "no batch in epoch 2: .* read only once"),
    (lambda: trainer().fit(loader(), epochs=-1), ValueError, "at least 0"),
    (lambda: trainer().fit([{"x": 1}]), InputTypeError, "a dict with 'x'.*step=f"),
    (lambda: trainer().fit([(1, 2, None)]), InputTypeError, "ending in None"),
    (lambda: Trainer(make_net(), SGD(0.1), lambda y, t: y).fit(loader()), TypeError, "one number in a Variable"),
    (lambda: Trainer(make_net(), SGD(0.1), lambda y, t: 1.0).fit(loader()), TypeError, "the loss is 1.0"),
    (lambda: trainer().evaluate([]), ValueError, "no batch"),
    (lambda: trainer().predict(loader()), ValueError, "shuffle=False"),
    (lambda: trainer().predict(3), InputTypeError, "an array"),
    (lambda: trainer().history["loss"], KeyError, "no epoch yet"),
])
def test_mistakes_are_explained(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()
