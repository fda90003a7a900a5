"""``dezero train`` killed with SIGKILL at random moments and resumed: the same final bytes as a run that nobody disturbed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = {
    "mlp": ["--model", "mlp", "--hidden", "64", "--dropout", "0.2", "--optimizer", "momentum", "--schedule", "cosine", "--batch-size", "20",
            "--epochs", "15"],
    "cnn": ["--model", "cnn", "--dropout", "0.3", "--optimizer", "adam", "--schedule", "onecycle", "--augment", "--batch-size", "100",
            "--epochs", "6"],
    "plateau": ["--model", "mlp", "--hidden", "32", "16", "--optimizer", "radam", "--schedule", "plateau", "--weight-decay", "1e-4",
                "--batch-size", "20", "--epochs", "15"],
}
KILLS = 12


def command(*args: str) -> list[str]:
    return [sys.executable, "-m", "dezero", "train", *args]


def environment(seed: int) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(seed), "OPENBLAS_NUM_THREADS": "1"}


@pytest.mark.slow
@pytest.mark.parametrize("name", RUNS)
def test_killed_again_and_again(name: str, tmp_path: Path) -> None:
    settings = ["--data", "digits", "--checkpoint-every", "1", *RUNS[name]]
    start = time.monotonic()
    subprocess.run(command(*settings, "--out", "whole"), cwd=tmp_path, env=environment(0), check=True, capture_output=True)
    seconds = time.monotonic() - start
    dice = random.Random(0)
    folder, killed, tries = tmp_path / "killed", 0, 0
    while not (folder / "model.safetensors").exists():
        go_on = ["--resume", "killed"] if (folder / "settings.json").exists() else [*settings, "--out", "killed"]
        process = subprocess.Popen(command(*go_on), cwd=tmp_path, env=environment(tries), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        tries += 1
        if killed < KILLS:
            time.sleep(dice.uniform(0.2, 0.5 + seconds / 4))
            process.kill()
        _, err = process.communicate(timeout=300)
        killed += process.returncode == -signal.SIGKILL
        assert process.returncode in (0, -signal.SIGKILL), err.decode()
        assert tries <= 3 * KILLS
    assert killed >= 3
    assert (folder / "model.safetensors").read_bytes() == (tmp_path / "whole" / "model.safetensors").read_bytes()
