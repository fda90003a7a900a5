"""The models run where arrays refuse to mix with NumPy's, as CuPy's do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import models
from tests.models.zoo import ZOO, Row, floats
from tests.strict import StrictArray, to_strict

pytestmark = [pytest.mark.seeds, pytest.mark.usefixtures("strict_device")]


@pytest.mark.parametrize("row", ZOO.values(), ids=ZOO)
def test_a_step_on_the_device(row: Row) -> None:
    np.random.seed(0)
    model = row.make()
    y = model(row.x)
    if isinstance(model, models.CharLSTM):
        model.reset_state()
    model._move(to_strict)
    z = model(to_strict(row.x))
    assert isinstance(z.data, StrictArray) and z.shape == y.shape and z.dtype == np.float32
    F.sum(z * z).backward()
    assert all(isinstance(p.grad.data, StrictArray) for p in model.params())


@pytest.mark.parametrize("name", ["CharLSTM", "GPT"])
def test_text_from_the_device(name: str) -> None:
    np.random.seed(0)
    model = ZOO[name].make()
    expected = model.generate([1, 2], 6, seed=0)
    model._move(to_strict)
    assert model.generate([1, 2], 6, seed=0) == expected


def test_the_loss_of_a_vae_on_the_device() -> None:
    np.random.seed(0)
    x: Any = np.abs(floats(4, 6)) / 4
    model = models.VAE(6, (5,), 2)
    expected = float(model.loss(x, seed=1).data)
    model._move(to_strict)
    assert float(model.loss(to_strict(x), seed=1).data) == pytest.approx(expected, rel=1e-5)
