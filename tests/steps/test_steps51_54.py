"""The numbers of steps 51 to 54, as the plan's table promises them."""

from __future__ import annotations

import importlib
import json
import signal
import struct
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.steps.harness import ROOT, STEPS, command, numbers, script
from tests.strict import StrictArray, to_strict

PNG = b"\x89PNG\r\n\x1a\n"
MNIST = ROOT.parent / "shared" / "data" / "mnist"


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A script as a module."""
    monkeypatch.syspath_prepend(str(STEPS))
    return importlib.import_module


def pictures(name: str, *options: str, **extra: str) -> dict[str, bytes]:
    """What a script writes with --out; what it prints stays the same."""
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        (Path(folder) / "run").mkdir()
        done = command([str(script(name)), "--out", str(out), *options], Path(folder) / "run", extra)
        assert done.returncode == 0, done.stderr
        assert done.stdout == numbers(name, "--fast" in options, "DEZERO_DATA" in extra)[1] + f"{name} ok\n"
        return {path.name: path.read_bytes() for path in out.iterdir()}


# -- 51: handwritten digits ---------------------------------------------------------------------------


def test_51_digits_are_read_and_the_simple_method_is_beaten() -> None:
    found = numbers("step51")[0]
    assert (found["data"], found["sizes"]) == ("Digits", [1437, 360])
    assert found["nearest mean"] == pytest.approx(326 / 360)
    # Seeds 0 to 9: 97.5 to 98.1 %, 7 to 9 mistakes of 360.
    assert found["test accuracy"] >= 0.97
    assert sum(n for *_, n in found["pairs"]) == round(360 * (1 - found["test accuracy"]))
    assert all(i != j for i, j, _ in found["pairs"]) and len(set(found["worst"])) == 16


def test_51_a_network_learns_labels_by_lot_by_heart_and_can_read_nothing() -> None:
    known, read = numbers("step51")[0]["by heart"]
    assert known >= 0.98 and read <= 0.2  # labels of seeds 0 to 5: at least 99 % known, 9 to 13 % read


def test_51_images_are_drawn() -> None:
    found = pictures("step51", "--fast")
    assert found.keys() == {"learning.png", "worst.png"} and all(data.startswith(PNG) for data in found.values())


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.is_dir(), reason="MNIST's files are not here")
def test_51_mnist_is_read_where_it_is() -> None:
    found, printed = numbers("step51", mnist=True)
    assert (found["data"], found["sizes"]) == ("MNIST", [60_000, 10_000])
    assert found["test accuracy"] >= 0.975  # 98.2 % after 5 epochs of 784-1000-10 with Adam
    assert found["nearest mean"] == pytest.approx(0.82, abs=0.005)
    assert found["by heart"][0] >= 0.98 and found["by heart"][1] <= 0.2
    assert len(printed.splitlines()) <= 25


@pytest.mark.slow
@pytest.mark.skipif(not MNIST.is_dir(), reason="MNIST's files are not here")
def test_51_mnist_takes_one_epoch_in_a_short_run_and_is_drawn() -> None:
    found = numbers("step51", fast=True, mnist=True)[0]
    assert len(found["history"]) == 1 and found["test accuracy"] >= 0.95
    assert len(pictures("step51", "--fast", DEZERO_DATA=str(MNIST.parent))) == 2


# -- 52: the GPU --------------------------------------------------------------------------------------


def test_52_without_a_gpu_it_says_why_and_runs_on_the_cpu() -> None:
    found, printed = numbers("step52")
    assert found["losses"][0] == pytest.approx(np.log(10), abs=0.05) and found["losses"][-1] < 1.8 and len(found["losses"]) == 50
    assert (found["inside"], found["after"], found["inside, looking"]) == (0, 1, 50)
    assert found["gpu"] or (found["why not"] in printed and found["why not"])


def test_52_the_calls_stay_and_the_multiplications_grow() -> None:
    found = numbers("step52")[0]
    sizes, calls, multiplications, cpu, gpu = zip(*found["costs"], strict=True)
    assert sizes == (10, 100, 1000, 10_000) and len(set(calls)) == 1
    assert multiplications == tuple(3 * 100 * (64 * h + h * 10) for h in sizes)
    assert [c < g for c, g in zip(cpu, gpu, strict=True)] == [True, True, False, False]
    assert multiplications[1] < found["break even"] < multiplications[2]


def test_52_the_reason_names_what_is_missing(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    step = module("step52")
    for enabled, spec, words in ((True, None, ""), (False, None, "not installed"), (False, object(), "no GPU answers")):
        monkeypatch.setattr(step.cuda, "gpu_enable", enabled, raising=False)
        monkeypatch.setattr(step.importlib.util, "find_spec", lambda name, spec=spec: spec)
        assert words in step.why_not() and bool(step.why_not()) == (not enabled)


@pytest.mark.seeds
@pytest.mark.usefixtures("strict_device")
def test_52_nothing_is_fetched_inside_of_the_loop(module: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    step = module("step52")
    ways: list[str] = []
    for name in ("get", "item", "tolist", "__float__", "__int__", "__bool__", "__index__"):
        whole = getattr(StrictArray, name)
        monkeypatch.setattr(StrictArray, name, lambda self, *args, whole=whole, name=name: (ways.append(name), whole(self, *args))[1])
    batches = [(to_strict(x), step.soft_labels(to_strict(t.argmax(axis=1)))) for x, t in step.make_batches(False)]
    losses = step.train(strict_model(step), batches, look=lambda loss: loss)
    assert len(losses) == 50 and ways == []
    seen = step.train(strict_model(step), batches, look=step.cuda.as_numpy)
    assert ways == ["get"] * 50
    expected = step.train(step.make_model(), step.make_batches(False), look=lambda loss: loss)
    np.testing.assert_allclose([loss.get() for loss in losses], expected, rtol=0, atol=1e-4)
    np.testing.assert_allclose(seen, expected, rtol=0, atol=1e-4)


def strict_model(step: Any) -> Any:
    model = step.make_model()
    for p in model.params():
        p.data = to_strict(p.data)
    return model


@pytest.mark.gpu
@pytest.mark.seeds
def test_52_the_gpu_gives_the_losses_of_the_cpu(module: Any, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")  # for the picture
    found = module("step52").main(out=tmp_path)
    assert found["gpu"] and found["difference"] < 1e-4 and len(found["gpu losses"]) == 50
    assert (tmp_path / "times.png").is_file()


def test_52_times_are_drawn_and_never_printed() -> None:
    assert pictures("step52")["times.png"].startswith(PNG)


# -- 53: saving and loading ---------------------------------------------------------------------------


def test_53_a_run_that_was_stopped_goes_on_bit_for_bit() -> None:
    found = numbers("step53")[0]
    assert found["identical"] == [False, False, False, True]
    without, optimizer, place, everything = found["differences"].values()
    assert everything == [0.0] * 18
    # In the end 0.024, 0.014 and 0.015.
    assert min(without[-1], optimizer[-1], place[-1]) > 0.003


def test_53_a_file_that_does_not_fit_is_refused_with_a_table() -> None:
    found, printed = numbers("step53")
    assert found["difference of scores"] == 0 and found["untouched"]
    table = found["message"].split("\n")
    assert "nothing was loaded" in table[0] and table[1] == "0 missing, 0 unexpected, 3 mismatched"
    assert [line.split()[0] for line in table[3:]] == ["l0.W", "l0.b", "l1.W"] and "(64, 80) float32" in table[3] and "(64, 100) float32" in table[3]
    assert all(line in printed for line in table[1:])


def read_plainly(path: Path) -> dict[str, Any]:
    """A safetensors file by the text of its specification, with nothing of the package."""
    data = path.read_bytes()
    length, = struct.unpack("<Q", data[:8])
    header = json.loads(data[8:8 + length])
    kinds = {"F32": "<f4", "F64": "<f8", "I64": "<i8"}
    return {name: np.frombuffer(data[8 + length:][slice(*entry["data_offsets"])], kinds[entry["dtype"]]).reshape(entry["shape"])
            for name, entry in header.items() if name != "__metadata__"}


@pytest.mark.seeds
def test_53_other_readers_open_the_files(module: Any, tmp_path: Path) -> None:
    step = module("step53")
    path, _ = step.save_and_load(tmp_path)
    model, optimizer, loader = step.begin()
    step.train(model, optimizer, loader, save=step.saver(tmp_path / "run.checkpoint"), stop=20)
    weights, checkpoint = read_plainly(path), read_plainly(tmp_path / "run.checkpoint")
    assert {name: list(a.shape) for name, a in weights.items()} == step.show_file(path) == numbers("step53")[0]["shapes"]
    for name, p in model.named_params():
        assert checkpoint[f"model/{name}"].tobytes() == p.data.tobytes()
        assert checkpoint[f"optimizer/m/{name}"].shape == p.shape
    reader = pytest.importorskip("safetensors.numpy")
    for file, found in ((path, weights), (tmp_path / "run.checkpoint", checkpoint)):
        theirs = reader.load_file(file)
        assert theirs.keys() == found.keys() and all(theirs[name].tobytes() == found[name].tobytes() for name in found)


KILLED = """
import os, signal, sys
sys.path.insert(0, {steps!r})
import step53
save = step53.saver({path!r})
def save_and_die(*run):
    save(*run)
    print("saved", run[1].t, flush=True)
    if run[1].t == 40:
        os.kill(os.getpid(), signal.SIGKILL)
step53.train(*step53.begin(), save=save_and_die)
"""

GONE_ON = """
import hashlib, sys
sys.path.insert(0, {steps!r})
import step53
print(hashlib.sha256(step53.train(*{run})[-1].tobytes()).hexdigest())
"""


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="this system cannot kill a process at once")
def test_53_a_run_that_was_killed_goes_on_in_another_process(tmp_path: Path) -> None:
    path = str(tmp_path / "run.checkpoint")
    killed = command(["-c", KILLED.format(steps=str(STEPS), path=path)], tmp_path)
    assert killed.returncode == -signal.SIGKILL and killed.stdout.split("\n")[:2] == ["saved 20", "saved 40"]
    ends = []
    for run in (f"step53.resume({path!r}, ('optimizer', 'loader'))", "step53.begin()"):
        done = command(["-c", GONE_ON.format(steps=str(STEPS), run=run)], tmp_path)
        assert done.returncode == 0, done.stderr
        ends.append(done.stdout)
    assert ends[0] == ends[1] and len(ends[0].strip()) == 64


def test_53_the_way_apart_is_drawn() -> None:
    assert pictures("step53")["resume.png"].startswith(PNG)


# -- 54: dropout --------------------------------------------------------------------------------------


def test_54_masks_keep_the_mean() -> None:
    found = numbers("step54", fast=True)[0]
    x = np.array(found["x"])
    assert all(value in (0.0, 2 * original) for row in found["masks"] for value, original in zip(row, x, strict=True))
    assert np.abs(found["dropped"] - x).max() < 0.05  # 5 standard deviations of the mean of 10,000
    assert np.abs(found["zeros only"] - x / 2).max() < 0.025


def test_54_in_test_mode_nothing_is_dropped_and_p_1_gives_zeros() -> None:
    found = numbers("step54", fast=True)[0]
    assert found["test mode"] == [found["x"]] * 2
    assert found["p = 1"] == [0.0] * 5


def test_54_dropout_hinders_learning_by_heart() -> None:
    found = numbers("step54")[0]
    (loss, right, heart), _, (dropped_loss, dropped_right, dropped_heart) = (history[-1] for history in found["histories"])
    assert [len(history) for history in found["histories"]] == [60] * 3
    # Seeds 0 to 5 of weights and data, p = 0 and 0.6: loss 0.44-0.48 and 1.01-1.08, right 82-90 % and 93-96 %, by heart 40-56 % and 2-7 %.
    assert dropped_loss > loss + 0.3
    assert dropped_right > right + 0.03
    assert heart > 0.3 and dropped_heart < 0.12
    assert found["wrong labels"] == 128
    assert found["forgotten"][0] == pytest.approx(right) and found["forgotten"][2] < dropped_right - 0.03


def test_54_masks_and_curves_are_drawn() -> None:
    found = pictures("step54", "--fast")
    assert found.keys() == {"masks.png", "dropout.png"} and all(data.startswith(PNG) for data in found.values())
