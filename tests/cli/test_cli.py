"""The command line as its users meet it: what it prints, writes and returns."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero.backend import diagnosis
from dezero.cli import main
from dezero.cli.predict import prepared
from dezero.cli.report import confusion_table
from dezero.cli.settings import Settings
from dezero.cli.tasks import IMAGE, Task
from dezero.cli.train import new_folder
from dezero.serialization import load_arrays

ROOT = Path(__file__).resolve().parents[2]
MNIST = ROOT.parent / "shared" / "data"
QUICK = ["--data", "digits", "--hidden", "16", "--epochs", "2", "--batch-size", "200"]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    monkeypatch.delenv("DEZERO_DATA", raising=False)


def start(*args: str, **env: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-W", "error", "-m", "dezero", *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "PYTHONPATH": str(ROOT), **env})


def said(capsys: pytest.CaptureFixture[str]) -> tuple[str, str]:
    out = capsys.readouterr()
    return out.out, out.err


def weights(folder: str | Path) -> bytes:
    return (Path(folder) / "model.safetensors").read_bytes()


def test_train_writes_weights_history_settings_and_pictures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK]) == 0
    out, err = said(capsys)
    folder = Path("runs/digits-mlp")
    assert {p.name for p in folder.iterdir()} >= {"settings.json", "history.csv", "model.safetensors", "checkpoint.safetensors", "curves.png",
                                                  "confusion.png", "mistakes.png"}
    lines = out.splitlines()
    assert [line.split()[1] for line in lines if line.startswith("epoch")] == ["1/2", "2/2"], "one line an epoch, and no bar where no terminal is"
    assert "\r" not in out + err and re.search(r"after 2 epochs: loss [\d.]+, accuracy [\d.]+, test loss", out)
    assert Settings.load(folder).hidden == [16]
    assert main(["train", *QUICK]) == 0 and Path("runs/digits-mlp-2").is_dir(), "a second run gets a folder of its own"
    assert weights(folder) == weights("runs/digits-mlp-2")
    assert main(["train", *QUICK, "--seed", "1", "--out", "other"]) == 0 and weights("other") != weights(folder)


def test_several_rates_are_compared_and_live_units_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--optimizer", "sgd", "--lr", "0.5", "30", "--out", "rates"]) == 0
    out, _ = said(capsys)
    table = [line.split() for line in out.splitlines() if re.match(r" +(0\.5|30) ", line)]
    live = {row[0]: float(row[4].rstrip("%")) for row in table}
    assert live["0.5"] > 50 > live["30"], "a rate that is too high kills ReLUs"
    assert Path("rates/compare.png").stat().st_size > 5000 and (Path("rates/lr-30") / "model.safetensors").exists()
    assert "A ReLU is live" in out
    assert main(["evaluate", "rates"]) == 1 and "rates holds several runs: name one of them, rates/lr-0.5, rates/lr-30" in said(capsys)[1]
    assert main(["compare", "rates/lr-0.5", "rates/lr-30", "--out", "again.png"]) == 0 and Path("again.png").exists()


def test_a_run_that_diverges_says_so_and_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--optimizer", "sgd", "--lr", "1e30", "1", "--out", "rates"]) == 0
    assert "diverged" in said(capsys)[0]


@pytest.mark.parametrize("args", [
    ["--model", "cnn", "--augment", "--schedule", "onecycle", "--epochs", "1"], ["--optimizer", "lion", "--schedule", "plateau", "--dropout", "0.2"],
    ["--data", "spiral", "--activation", "tanh", "--optimizer", "nesterov", "--schedule", "warmup", "--weight-decay", "1e-4"],
    ["--hidden", "20", "10", "--optimizer", "radam", "--schedule", "step"],
], ids=lambda args: args[1])
def test_settings_work_together(args: list[str]) -> None:
    assert main(["train", *QUICK, *args, "--out", "run"]) == 0
    history = Path("run/history.csv").read_text().splitlines()
    assert len(history) == 1 + Settings.load(Path("run")).epochs


def test_csv_files_of_ones_own(capsys: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(200, 2))
    rows = [f"{a:.4f},{'up' if a + b > 0 else 'down'},{1000 * b:.4f}" for a, b in x]
    Path("내 자료.csv").write_text("\n".join(["left,kind,right", *rows]), encoding="utf-8")
    assert main(["train", "--data", "csv:내 자료.csv", "--target", "kind", "--hidden", "8", "--epochs", "20", "--batch-size", "20", "--lr", "0.01",
                 "--out", "run"]) == 0
    assert float(Path("run/history.csv").read_text().splitlines()[-1].split(",")[4]) > 0.9
    assert main(["evaluate", "run"]) == 0
    out, _ = said(capsys)
    assert "down" in out and "recall" in out and re.search(r"\d+ of 40 right: accuracy 9\d|100", out)


def test_evaluate_and_predict(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image
    assert main(["train", "--data", "digits", "--hidden", "64", "--epochs", "15", "--batch-size", "50", "--out", "runs/a"]) == 0
    assert main(["evaluate", "runs/a"]) == 0
    out, _ = said(capsys)
    assert float(re.findall(r"accuracy ([\d.]+)%", out)[-1]) > 93
    from dezero.datasets import Digits
    digits = Digits(train=False, transform=None)
    right = 0
    for i in range(20):  # dark ink on light paper, large, with a margin
        ink = np.kron(digits.data[i, 0], np.ones((20, 20))) / 16
        paper = np.full((260, 240), 225.0)
        paper[50:210, 40:200] -= 190 * ink
        Image.fromarray(paper.astype(np.uint8)).save(f"scan{i}.png")
    assert main(["predict", *(f"scan{i}.png" for i in range(20))]) == 0
    lines = said(capsys)[0].splitlines()
    assert lines[0] == "model: runs/a (digits, mlp)"
    for i, line in enumerate(lines[1:]):
        right += int(re.match(r"scan\d+\.png: (\d) \(", line)[1]) == digits.label[i]
    assert right >= 14
    monkeypatch.setattr(Digits, "prepare", lambda self: pytest.fail("a prediction needs no data set"))
    Path("broken.png").write_text("no picture")
    assert main(["predict", "scan0.png", "broken.png", "none.png", "--run", "runs/a"]) == 1
    out, err = said(capsys)
    assert "scan0.png: " in out and "broken.png: " in err and "none.png: there is no such file" in err


@pytest.mark.parametrize(("args", "code", "words"), [
    ([], 2, "COMMAND"),
    (["dance"], 2, "invalid choice: 'dance'"),
    (["train", "--lr", "-1"], 2, "argument --lr: -1: a number of at least 0 is expected"),
    (["train", "--epochs", "0"], 2, "a positive whole number is expected"),
    (["train", "--model", "transformer"], 2, "invalid choice"),
    (["train", "--data", "digitz"], 1, "--data digitz: digits, mnist"),
    (["train", "--data", "mnist"], 1, "--data digits comes with the package"),
    (["train", "--data", "csv:none.csv"], 1, "none.csv: cannot be read: No such file"),
    (["train", "--data", "spiral", "--model", "cnn"], 1, "--model cnn works on images, and spiral has none: use --model mlp"),
    (["train", "--data", "spiral", "--augment"], 1, "--augment changes images"),
    (["train", "--resume", "nowhere"], 1, "nowhere is no folder of a run"),
    (["train", "--resume", "nowhere", "--epochs", "3"], 1, "leave out --epochs"),
    (["evaluate", "nowhere"], 1, "nowhere is no folder of a run"),
    (["predict", "x.png"], 1, "no trained model in runs/: train one by `dezero demo`"),
    (["compare", "nowhere"], 1, "nowhere has no history.csv"),
])
def test_wrong_words_get_one_line_of_advice(args: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status: Any = main(args)
    except SystemExit as exit:
        status = exit.code
    out, err = said(capsys)
    assert status == code and words in err and "Traceback" not in err and out == ""


def test_no_gpu_is_told(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(diagnosis, "installed", list)
    assert main(["train", "--device", "gpu"]) == 1 and "dezero train: --device gpu: CuPy is not installed: " in said(capsys)[1]


def test_an_existing_run_is_not_overwritten(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--out", "run"]) == 0
    before = weights("run")
    assert main(["train", *QUICK, "--seed", "5", "--out", "run"]) == 1
    assert "holds a run already" in said(capsys)[1] and weights("run") == before
    assert main(["train", "--resume", "run"]) == 0 and "this run is finished" in said(capsys)[0]


def test_damaged_settings_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--out", "run"]) == 0
    Path("run/settings.json").write_text(json.dumps({"colour": "red"}))
    assert main(["evaluate", "run"]) == 1
    assert "run/settings.json is damaged: unknown settings: colour" in said(capsys)[1]


@pytest.mark.parametrize("help_of", [[], ["train"], ["predict"], ["evaluate"], ["compare"], ["demo"], ["info"], ["graph"]])
def test_help_has_examples(help_of: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main([*help_of, "--help"])
    out, _ = said(capsys)
    assert exit.value.code == 0 and "examples:" in out and "dezero " + " ".join(help_of) in out


def test_info_tells_what_is_there_and_what_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_DATA", "somewhere")
    monkeypatch.setenv("PATH", "")
    assert main(["info"]) == 0
    out, _ = said(capsys)
    for words in ("dezero ", "NumPy ", "threads", "GPU ", "CuPy ", "Graphviz      dot is not installed", "somewhere (not there)", "DEZERO_OFFLINE"):
        assert words in out


def test_info_survives_a_broken_cupy(tmp_path: Path) -> None:
    (tmp_path / "cupy.py").write_text("raise RuntimeError('built for another CUDA')")
    done = subprocess.run([sys.executable, "-m", "dezero", "info"], env={**os.environ, "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}"},
                          capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and "does not import (RuntimeError: built for another CUDA)" in done.stdout


def killed_at(folder: str, batches: int, args: list[str]) -> None:
    """Start a run and kill it when its checkpoint has come that far."""
    process = start("train", *args, "--out", folder, PYTHONHASHSEED=str(batches))
    path, end = Path(folder) / "checkpoint.safetensors", time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        if batches == 0 and (Path(folder) / "settings.json").exists() or path.exists() and steps(path) >= batches:
            break
        time.sleep(0.005)
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it ended before it could be killed"


def steps(path: Path) -> int:
    from dezero.serialization import load_checkpoint
    try:
        return int(load_checkpoint(path).state["run"]["steps"])
    except (OSError, ValueError, KeyError):
        return -1


SLOW_RUN = ["--data", "digits", "--model", "cnn", "--epochs", "2", "--batch-size", "120", "--dropout", "0.3", "--augment", "shift",
            "--schedule", "onecycle", "--checkpoint-every", "1"]


@pytest.mark.parametrize("batches", [0, 4, 15])
def test_resuming_after_kill_9_gives_the_same_bytes(batches: int) -> None:
    assert main(["train", *SLOW_RUN, "--out", "whole"]) == 0
    killed_at("killed", batches, SLOW_RUN)
    assert not (Path("killed") / "model.safetensors").exists()
    done = start("train", "--resume", "killed", PYTHONHASHSEED="99")
    _, err = done.communicate(timeout=120)
    assert done.returncode == 0, err
    assert weights("killed") == weights("whole")
    assert len(Path("killed/history.csv").read_text().splitlines()) == 3


def test_ctrl_c_ends_after_the_batch_and_resume_finishes() -> None:
    process = start("train", *SLOW_RUN, "--out", "run")
    while not Path("run/checkpoint.safetensors").exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130 and "go on with: dezero train --resume run" in out, err
    assert main(["train", "--resume", "run"]) == 0 and main(["train", *SLOW_RUN, "--out", "whole"]) == 0
    assert weights("run") == weights("whole")


def test_the_textbook_network_on_mnist() -> None:
    if not (MNIST / "mnist").is_dir():
        pytest.skip("the real MNIST files are not beside the project")
    os.environ["DEZERO_DATA"] = str(MNIST)  # undone by the fixture
    assert main(["train", "--data", "mnist", "--model", "mlp", "--hidden", "50", "--optimizer", "sgd", "--batch-size", "100", "--lr", "0.5",
                 "--epochs", "1", "--out", "run"]) == 0
    arrays, _ = load_arrays("run/model.safetensors")
    assert [a.shape for a in arrays.values()] == [(784, 50), (50,), (50, 10), (10,)]
    header, row = (line.split(",") for line in Path("run/history.csv").read_text().splitlines())
    assert float(row[header.index("val_accuracy")]) > 0.93


@pytest.mark.parametrize("change", [{"model": "bar"}, {"optimizer": "bar"}, {"schedule": "bar"}, {"augment": ["bar"]}, {"activation": "bar"},
                                    {"hidden": ["a"]}, {"hidden": 3}, {"batch_size": "x"}, {"lr": "fast"}])
def test_a_setting_that_is_none_is_named(change: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--out", "run"]) == 0
    Path("run/settings.json").write_text(json.dumps(Settings.load(Path("run")).to_dict() | change))
    name, value = next(iter(change.items()))
    assert main(["evaluate", "run"]) == 1
    assert f"the setting {name} is {(value[0] if value == ['bar'] else value)!r}" in said(capsys)[1]


@pytest.mark.parametrize(("text", "words"), [("[]", "names with values"), ('{"classes": []}', "'shape' is missing"),
                                             ('{"classes": ["0"], "shape": [8], "kind": "image"}', "is no shape of image"),
                                             ('{"classes": ["0"], "shape": [1, 8, 8], "kind": "image"}', "does not fit to")])
def test_a_damaged_task_is_told(text: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--out", "run"]) == 0
    Path("run/task.json").write_text(text)
    assert main(["predict", "a.png", "--run", "run"]) == 1 and words in said(capsys)[1]


def test_out_must_be_a_folder_and_a_failed_run_leaves_none(capsys: pytest.CaptureFixture[str]) -> None:
    Path("file").touch()
    for out in ("file", "file/run"):
        assert main(["train", *QUICK, "--out", out]) == 1 and f"--out {out}: a folder is expected" in said(capsys)[1]
    assert main(["train", "--data", "csv:none.csv"]) == 1 and not list(Path("runs").glob("*"))
    assert "--data digits" not in said(capsys)[1], "advice on downloads is for what is downloaded"
    assert main(["train", *QUICK, "--out", "run"]) == 0 and main(["demo", "--out", "run"]) == 1
    assert "--out run: it holds another run" in said(capsys)[1]


def test_two_programs_that_start_at_once_do_not_share_a_folder() -> None:
    with new_folder(None, Path("runs/a")) as first, new_folder(None, Path("runs/a")) as second:
        assert (first.name, second.name) == ("a", "a-2") and second.is_dir()
    assert not first.exists(), "nothing came to lie in it"


def test_two_damaged_checkpoints_are_told_with_what_to_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", *QUICK, "--out", "run"]) == 0
    Path("run/model.safetensors").unlink()
    for path in Path("run").glob("checkpoint*"):
        path.write_bytes(b"x")
    assert main(["train", "--resume", "run"]) == 1 and "Begin the run anew: remove run/checkpoint.safetensors" in said(capsys)[1]
    for path in Path("run").glob("checkpoint*"):
        path.unlink()
    assert main(["train", "--resume", "run"]) == 0 and Path("run/model.safetensors").exists()


def test_a_terminal_without_the_letters_gets_them_escaped() -> None:
    program = start("train", *QUICK, "--out", "달리기", PYTHONIOENCODING="ascii")
    out, err = program.communicate(timeout=60)
    assert program.returncode == 0 and r"\ub2ec" in out and Path("달리기/model.safetensors").exists(), err


def test_compare_names_runs_and_refuses_one_without_an_epoch(capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        assert main(["train", *QUICK, "--out", folder]) == 0
    said(capsys)
    assert main(["compare", "a", "b", "--out", "c.png"]) == 0
    assert [line.split()[0] for line in said(capsys)[0].splitlines()[:3]] == ["run", "a", "b"], "also where the rates are equal"
    Path("b/history.csv").write_text("epoch,loss\n")
    assert main(["compare", "a", "b"]) == 1 and "b has no history.csv with an epoch" in said(capsys)[1]


def test_a_column_that_never_changes_does_no_harm() -> None:
    rows = [f"{i},7,{'ab'[i % 2]}" for i in range(20)]
    Path("a.csv").write_text("\n".join(["x,same,class", *rows]) + "\n")
    assert main(["train", "--data", "csv:a.csv", "--hidden", "4", "--epochs", "1"]) == 0
    assert all(np.isfinite(a).all() for a in load_arrays("runs/a-mlp/model.safetensors")[0].values())


@pytest.mark.parametrize(("size", "data", "extent"), [(28, "mnist", 20), (8, "digits", 8)])
def test_a_scan_fills_the_frame_as_the_data_do(size: int, data: str, extent: int) -> None:
    image = pytest.importorskip("PIL.Image")
    paper = np.full((100, 100), 240, np.uint8)
    paper[20:80, 45:55] = 20
    image.fromarray(paper).save("one.png")
    task = Task(None, None, [str(i) for i in range(10)], (1, size, size), IMAGE)
    rows = prepared(Path("one.png"), Settings(data=data, model="cnn"), task)[0, 0].max(axis=1) > 0.2
    assert abs(int(rows.sum()) - extent) <= 1


def test_another_image_comes_in_the_range_of_the_training() -> None:
    image = pytest.importorskip("PIL.Image")
    image.fromarray(np.full((10, 10, 3), 255, np.uint8)).save("white.png")
    x = prepared(Path("white.png"), Settings(data="cifar10", model="cnn"), Task(None, None, ["a", "b"], (3, 4, 4), IMAGE))
    assert x.shape == (1, 3, 4, 4) and x.dtype == np.float32 and (x == 1).all()


def test_precision_is_of_what_was_predicted_and_recall_of_what_is_true() -> None:
    predicted, true = np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1])
    rows = confusion_table(np.eye(2)[predicted], true, ["a", "b"]).splitlines()
    assert [row.split() for row in rows[1:]] == [["a", "2", "66.7%", "100.0%"], ["b", "2", "100.0%", "50.0%"]]


def test_weight_decay_makes_weights_smaller_and_equal_rates_are_run_once(capsys: pytest.CaptureFixture[str]) -> None:
    def norm(folder: str) -> float:
        return sum(float((a ** 2).sum()) for a in load_arrays(f"{folder}/model.safetensors")[0].values())

    assert main(["train", *QUICK, "--optimizer", "sgd", "--out", "free"]) == 0
    assert main(["train", *QUICK, "--optimizer", "sgd", "--weight-decay", "0.1", "--out", "held"]) == 0 and norm("held") < 0.99 * norm("free")
    said(capsys)
    assert main(["train", *QUICK, "--lr", "0.1", "0.01", "0.1", "--out", "rates"]) == 0
    assert re.findall(r"^learning rate (\S+)", said(capsys)[0], re.MULTILINE) == ["0.01", "0.1"]


def test_precision_is_a_setting_of_the_run(tmp_path: Path, capsys: Any) -> None:
    out = tmp_path / "run"
    assert main(["train", "--epochs", "1", "--hidden", "4", "--precision", "float16", "--out", str(out)]) == 0
    assert json.loads((out / "settings.json").read_text())["precision"] == "float16"
    assert main(["evaluate", str(out)]) == 0
