"""Files damaged at random give arrays or FileFormatError; what carries digests is found out."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.serialization.fuzz import CHECKS, flipped_bits


@pytest.mark.parametrize("check", CHECKS)
def test_damaged_files(tmp_path: Path, check: Callable[[Path, int, int], None]) -> None:
    check(tmp_path, 200 if check is flipped_bits else 500, 0)
