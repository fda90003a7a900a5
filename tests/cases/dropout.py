"""Rows for dezero/functions/regularization.py. What it draws is tested in tests/functions/test_dropout.py; here the mask is known."""

import numpy as np

from dezero.backend.random import keep_mask
from dezero.functions.regularization import SeededDropout
from tests.cases.case import Case, Floats


def _dropped(x: np.ndarray, ratio: float, seed: int | None = None) -> np.ndarray:
    return np.where(keep_mask(np, x.shape, ratio, np.float64, seed) > 0, x / (1 - ratio), 0.0)


CASES: list[Case] = [
    Case("dropout", (Floats((3, 4)),), lambda x: _dropped(x, 0.5), random=True, zero_d=True, zero_size=((0, 3),)),
    Case("dropout", (Floats((3, 4)),), lambda x: _dropped(x, 0.2, 7), call=lambda F, x: F.dropout(x, dropout_ratio=0.2, seed=7), label="seed"),
    Case("dropout", (Floats((3, 4)),), lambda x: _dropped(x, 0.3, 5), call=lambda F, x: SeededDropout(0.3, 5, 0)(x), label="made anew", zero_d=True),
    Case("dropout", (Floats((3, 4)),), lambda x: 0 * x, call=lambda F, x: F.dropout(x, 1.0), label="all"),
]
