"""The rules for all tests hold: a test that leaks a mode or the random state fails, and so does one that warns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

LEAKY = """
import warnings
import numpy as np
import pytest
from dezero import Config, using_config

def test_leaks_a_mode():
    Config.train = False

def test_finds_the_mode_restored():
    assert Config.train
    Config.train = False
    Config.train = True

def test_leaks_random_state():
    np.random.rand()

def test_uses_a_generator():
    np.random.default_rng(0).normal()

@pytest.mark.seeds
def test_is_allowed_to():
    np.random.seed(0)

def test_changes_a_mode_for_a_block():
    with using_config("train", False):
        pass

def test_warns():
    np.log(np.zeros(1))
"""


def test_rules(tmp_path: Path) -> None:
    (tmp_path / "test_leaky.py").write_text(LEAKY)
    run = subprocess.run([sys.executable, "-m", "pytest", "-c", str(ROOT / "pyproject.toml"), "-p", "tests.conftest", "-p", "no:cacheprovider",
                          "-rEf", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    failed = {line.split("::")[1].split(" ")[0] for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))}
    assert failed == {"test_leaks_a_mode", "test_leaks_random_state", "test_warns"}, run.stdout
