"""docs/subgradients.md says what the functions do."""

from pathlib import Path

import numpy as np
import pytest

from tests.subgradients import ROWS, gradient, table

PAGE = Path(__file__).parent.parent / "docs" / "subgradients.md"


def test_the_page_is_what_the_functions_give():
    assert PAGE.read_text() == table(), "run: python -m tests.subgradients > docs/subgradients.md"


@pytest.mark.parametrize("name, wanted", [
    ("abs", [0]), ("norm", [0, 0]), ("relu", [0]), ("max, min", [0.5, 0.5, 0]), ("maximum(x, y), minimum(x, y)", [0.5]), ("std", [0, 0]),
    ("max_pool2d", [1, 0]), ("clip(x, a, b)", [1, 1]), ("prod", [2, 0]), ("sqrt", [np.inf]),
])
def test_the_promised_ones(name, wanted):
    row = next(r for r in ROWS if r[0] == name)
    assert np.array_equal(gradient(row[3], row[2]), wanted)
