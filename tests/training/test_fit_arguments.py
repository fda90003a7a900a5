"""Wrong arguments of ``fit`` are told before anything is trained."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero.optimizers import SGD, StepLR
from dezero.training import LearningRateScheduler, Trainer

pytestmark = pytest.mark.seeds


def test_a_number_in_the_place_of_the_validation_loader() -> None:
    trainer = Trainer(L.Linear(1, in_size=2), SGD(0.1), F.mean_squared_error)
    data = [(np.ones((4, 2), np.float32), np.ones((4, 1), np.float32))]
    with pytest.raises(TypeError, match=r"fit: val_loader is 5: a DataLoader or a list of batches is expected; write epochs=5"):
        trainer.fit(data, 5)
    with pytest.raises(TypeError, match=r"fit: loader is Linear"):
        trainer.fit(trainer.model)
    assert trainer.steps == 0


def test_a_class_in_the_place_of_a_schedule() -> None:
    with pytest.raises(TypeError, match="a schedule is expected, StepLR"):
        LearningRateScheduler(StepLR)


def test_a_seeded_dropout_goes_on_where_it_was() -> None:
    layer, other = L.Dropout(0.5, seed=3), L.Dropout(0.5, seed=3)
    x = np.ones(50, np.float32)
    masks = [layer(x).data for _ in range(3)]
    other.load_state_dict({"calls": np.array(2)})
    assert np.array_equal(other(x).data, masks[2]) and not np.array_equal(masks[1], masks[2])
    assert list(L.Dropout(0.5).state_dict()) == []
