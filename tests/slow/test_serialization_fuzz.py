"""The same as tests/serialization/test_fuzz.py and test_atomic.py, many times more; the memory of the readers is capped."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serialization.fuzz import CHECKS, flipped_bits
from tests.serialization.test_atomic import SAVES, crash, posix
from tests.serialization.test_checkpoint import falls_back
from tests.serialization.test_npz import headers_that_lie

pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("check", CHECKS)
def test_damaged_files(tmp_path: Path, check: Callable[[Path, int, int], None]) -> None:
    check(tmp_path, 2_000 if check is flipped_bits else 10_000, 1)


def test_a_thousand_damaged_checkpoints(tmp_path: Path) -> None:
    falls_back(tmp_path / "a", 1_000, 1)


def test_a_thousand_headers_that_lie(tmp_path: Path) -> None:
    headers_that_lie(tmp_path, 1_000, 1)


@posix
@pytest.mark.parametrize("kind", SAVES)
def test_two_hundred_kills(tmp_path: Path, kind: str) -> None:
    crash(kind, tmp_path, 200)


@posix
def test_damaged_files_in_half_a_gigabyte(tmp_path: Path) -> None:
    code = ("import pathlib, resource, sys\nfrom tests.serialization import fuzz\nresource.setrlimit(resource.RLIMIT_AS, (512 << 20,) * 2)\n"
            "for check in fuzz.CHECKS: check(pathlib.Path(sys.argv[1]), 1000, 2)\nprint('done')")
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=600,
                          env=dict(os.environ, OPENBLAS_NUM_THREADS="1"))
    assert done.stdout == "done\n", done.stderr
