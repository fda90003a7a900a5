"""Ctrl-C: the first ends after the batch, the second at once; weights and history are whole in any case."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from dezero.optimizers import SGD, Adam
from dezero.training import Callback, Checkpoint, EarlyStopping
from tests.training.problems import bytes_of, loader, trainer

ROOT = Path(__file__).resolve().parents[2]


class Press(Callback):
    """Ctrl-C in a given batch, once or more times."""

    def __init__(self, step: int, times: int = 1, hook: str = "on_batch_end") -> None:
        self.step, self.times, self.hook = step, times, hook

    def press(self, trainer: Any, hook: str) -> None:
        if hook == self.hook and trainer.steps == self.step:
            for _ in range(self.times):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(0)

    def on_batch_end(self, trainer: Any) -> None: self.press(trainer, "on_batch_end")
    def on_backward(self, trainer: Any) -> None: self.press(trainer, "on_backward")
    def on_epoch_end(self, trainer: Any, record: Any) -> None: self.press(trainer, "on_epoch_end")


class StopAt(Callback):
    """Ends the run after so many batches."""

    def __init__(self, step: int) -> None:
        self.step = step

    def on_batch_end(self, trainer: Any) -> None:
        if trainer.steps == self.step:
            trainer.stop("enough")


@pytest.mark.parametrize("step", [1, 2, 3, 4, 6])
def test_ctrl_c_ends_after_the_batch_and_another_fit_goes_on(step: int) -> None:
    whole = trainer(Adam())
    whole.fit(loader(), loader(), epochs=3)
    before = signal.getsignal(signal.SIGINT)
    run, data = trainer(Adam(), callbacks=[Press(step)]), loader()
    history = run.fit(data, loader(), epochs=3)
    assert history.interrupted and run.steps == step
    assert history.epochs == step // 3 and all(len(column) == step // 3 for column in history.values())
    assert signal.getsignal(signal.SIGINT) is before
    run.callbacks[0].step = -1
    assert not run.fit(data, loader(), epochs=3).interrupted
    assert bytes_of(run.model) == bytes_of(whole.model) and run.history["loss"] == whole.history["loss"]


def test_in_the_last_batch_of_all_nothing_is_left_to_interrupt() -> None:
    assert not trainer(callbacks=[Press(6)]).fit(loader(), epochs=2).interrupted


@pytest.mark.parametrize("hook", ["on_batch_end", "on_backward"])
def test_a_second_ctrl_c_stops_now(hook: str) -> None:
    before = signal.getsignal(signal.SIGINT)
    run = trainer(callbacks=[Press(2, times=2, hook=hook)])
    with pytest.raises(KeyboardInterrupt):
        run.fit(loader(), epochs=3)
    assert run.steps == 2 and run.history.interrupted
    assert signal.getsignal(signal.SIGINT) is before
    other = trainer(callbacks=[StopAt(2)])
    other.fit(loader())
    assert bytes_of(run.model) == bytes_of(other.model)


def test_a_second_ctrl_c_waits_for_the_end_of_an_update() -> None:
    class Slow(SGD):
        def update(self) -> None:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
            super().update()

    run, other = trainer(Slow(0.1)), trainer(SGD(0.1))
    data = loader(40, 40)
    with pytest.raises(KeyboardInterrupt):
        run.fit(data, epochs=2)
    other.fit(loader(40, 40), epochs=1)
    assert bytes_of(run.model) == bytes_of(other.model) and run.steps == 1


def test_an_interrupted_run_is_saved_and_keeps_its_weights(tmp_path: Path) -> None:
    run = trainer(callbacks=[Press(4), EarlyStopping("loss"), Checkpoint(tmp_path / "last")])
    run.fit(loader(), epochs=5)
    again = trainer(callbacks=[EarlyStopping("loss")])
    again.load(tmp_path / "last")
    assert (again.epoch, again.batch, again.steps) == (1, 1, 4) and bytes_of(again.model) == bytes_of(run.model)
    whole = trainer()
    whole.fit(loader(), epochs=5)
    assert again.fit(loader(), epochs=5)["loss"] == whole.history["loss"]


def test_another_thread_leaves_the_handler_alone() -> None:
    done: list[int] = []
    thread = threading.Thread(target=lambda: done.append(trainer(callbacks=[Look()]).fit(loader()).epochs))

    class Look(Callback):
        def on_batch_end(self, trainer: Any) -> None:
            assert signal.getsignal(signal.SIGINT) is before

    before = signal.getsignal(signal.SIGINT)
    thread.start()
    thread.join()
    assert done == [1]


CHILD = """
import hashlib, signal
from dezero.optimizers import Adam
from dezero.training import Callback
from tests.training.problems import bytes_of, loader, make_net, trainer
class Seen(Callback):
    def on_batch_end(self, t):
        seen.add(digest(t.model))
def digest(model):
    return hashlib.sha256(b"".join(bytes_of(model).values())).hexdigest()
run = trainer(Adam())
print("ready", flush=True)
kind = "whole"
try:
    try:
        history = run.fit(loader(160), epochs=10**6)
        assert history.interrupted and run.epoch == history.epochs
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
except KeyboardInterrupt:
    kind = "now"
steps, found = run.steps, digest(run.model)
seen = set()
other = trainer(Adam(), callbacks=[Seen()])
other.fit(loader(160), epochs=-(-steps // 10) or 1)
print(kind, steps, found in seen or steps == 0, flush=True)
"""


@pytest.mark.parametrize("times", [1, 2])
def test_at_random_moments_the_weights_are_those_after_some_batch(times: int) -> None:
    child = subprocess.Popen([sys.executable, "-c", CHILD], cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)},
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert child.stdout is not None and child.stdout.readline() == "ready\n"
    time.sleep(0.1 + random.random() * 0.3)
    for _ in range(times):
        child.send_signal(signal.SIGINT)
        time.sleep(0.0002)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 0, err
    kind, steps, whole = out.split()
    assert whole == "True", f"{kind} after {steps} steps"
    assert kind == "whole" or times == 2
