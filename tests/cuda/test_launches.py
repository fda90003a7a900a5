"""A training step launches no more than docs/design/gpu.md says."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest

from tests.cuda.launches import KINDS, NETWORKS, counting_calls, launches
from tests.strict import to_strict, xp

PAGE = Path(__file__).parents[2] / "docs/design/gpu.md"


def documented(name: str) -> dict[str, int]:
    """The numbers of a row of the page."""
    rows = re.findall(rf"^\| {re.escape(name)} \| ([\d |]+) \|$", PAGE.read_text(encoding="utf-8"), re.M)
    assert len(rows) == 1, f"{PAGE.name} has {len(rows)} rows for {name}"
    return dict(zip(KINDS, map(int, rows[0].split(" | ")), strict=True))


@pytest.mark.usefixtures("emulated")
@pytest.mark.parametrize("name", NETWORKS)
def test_a_step_launches_no_more_than_is_written(name: str) -> None:
    problem, precision = NETWORKS[name]
    if precision == "bfloat16":
        pytest.importorskip("ml_dtypes")
    found, limit = launches(problem, precision), documented(name)
    assert found["all"] <= limit["all"], f"{found}, written are {limit}: python -m tests.cuda.launches prints the table"


@pytest.mark.usefixtures("emulated")
def test_views_are_no_launches_and_writing_in_place_is_one() -> None:
    x = to_strict(np.ones((3, 4)))
    xp.add(x, 1), xp.sum(x), xp.empty(3)  # used before, as in a step before the one that counts
    with counting_calls() as found:
        x.T.reshape(2, 6), x[1:], x.T[None], xp.empty(3), x.astype(float, copy=False)
        x += 1
        x[0] = 2.0
        xp.add(x, 1, out=x)
        x.sum(), x + x, x[x > 1], xp.sum(x)
    assert +found == {"reshape": 1, "__iadd__": 1, "__setitem__": 1, "add": 1, "sum": 2, "__add__": 1, "__getitem__": 1, "__gt__": 1}
