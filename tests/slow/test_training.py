"""Ctrl-C and resuming at many moments; the short forms are in tests/training."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero.optimizers import Adam, MomentumSGD
from dezero.training import Checkpoint, Trainer
from tests.training import test_interrupt
from tests.training.problems import loader, make_net, trainer
from tests.training.test_resume import Killed, SaveAndDie, augmented, outcome

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("times", [1, 2])
@pytest.mark.parametrize("i", range(50))
def test_ctrl_c_at_random_moments(i: int, times: int) -> None:
    test_interrupt.test_at_random_moments_the_weights_are_those_after_some_batch(times)


@pytest.mark.seeds
@pytest.mark.parametrize("options", [{}, {"dropout": 0.5}, {"dropout": 0.3, "norm": True}], ids=["plain", "dropout", "dropout-norm"])
@pytest.mark.parametrize("optimizer", [Adam, MomentumSGD])
def test_resuming_at_fifty_batches(optimizer: Any, options: dict[str, Any], tmp_path: Path) -> None:
    def make(step: int) -> Trainer:
        return trainer(optimizer(0.01), make_net(**options), callbacks=[Checkpoint(tmp_path / "every"), SaveAndDie(tmp_path / f"{step}", step)])

    np.random.seed(1)
    whole = make(0)
    whole.fit(augmented(), loader(24, shuffle=False), epochs=30)
    for step in random.Random(0).sample(range(1, whole.steps + 1), 50):
        np.random.seed(1)
        with pytest.raises(Killed):
            make(step).fit(augmented(), loader(24, shuffle=False), epochs=30)
        again = make(0)
        again.load(tmp_path / f"{step}")
        again.fit(augmented(), loader(24, shuffle=False), epochs=30)
        assert outcome(again) == outcome(whole), f"stopped after batch {step}"
