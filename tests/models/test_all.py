"""What every model promises: shapes, gradients for all parameters, states that travel, copies, and one seed for one result."""

from __future__ import annotations

import copy
import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import models, no_grad, test_mode
from dezero.errors import StateError
from tests.models.zoo import ZOO, Row

ROOT = Path(__file__).resolve().parents[2]
each = pytest.mark.parametrize("row", ZOO.values(), ids=ZOO)
pytestmark = pytest.mark.seeds


def seeded(row: Row, seed: int = 0) -> models.Model:
    np.random.seed(seed)
    return row.make()


def used(model: models.Model, x: Any) -> Any:
    """The output in use, from a fresh state."""
    if isinstance(model, models.CharLSTM):
        model.reset_state()
    with no_grad(), test_mode():
        return model(x).data


@each
def test_every_parameter_gets_a_gradient_and_float32_stays(row: Row) -> None:
    model = seeded(row)
    y = model(row.x)
    assert y.shape == row.shape
    assert y.dtype == np.float32
    F.sum(y * np.random.default_rng(1).standard_normal(y.shape).astype(np.float32)).backward()
    for name, p in model.named_params():
        assert p.dtype == np.float32, name
        assert p.grad is not None, name
        assert p.grad.shape == p.shape and p.grad.dtype == np.float32, name
        assert np.isfinite(p.grad.data).all(), name
        assert name in row.no_gradient or p.grad.data.any(), f"{name} has a gradient of zeros"


@each
def test_a_state_goes_into_a_model_that_was_never_called(row: Row) -> None:
    one, other = seeded(row), seeded(row, 1)
    one(row.x)  # moves the running statistics too
    with pytest.raises(StateError) if any(p.data is None for p in other.params()) else no_grad():
        other.state_dict()
    report = other.load_state_dict(one.state_dict())
    assert not any(report)
    assert np.array_equal(used(one, row.x), used(other, row.x))
    assert [name for name, _ in one.named_params()] == [name for name, _ in other.named_params()]


@each
@pytest.mark.parametrize("suffix", [".npz", ".safetensors"])
def test_weights_go_through_a_file(row: Row, suffix: str, tmp_path: Path) -> None:
    one, other = seeded(row), seeded(row, 1)
    one(row.x)
    one.save_weights(tmp_path / f"w{suffix}")
    other.load_weights(tmp_path / f"w{suffix}")
    assert np.array_equal(used(one, row.x), used(other, row.x))


@each
def test_copies_after_a_call(row: Row) -> None:
    model = seeded(row)
    model(row.x)
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert np.array_equal(used(model, row.x), used(other, row.x))
        next(other.params()).data[...] = 7
        assert not (next(model.params()).data == 7).any()


@each
def test_in_use_the_answer_is_always_the_same_and_nothing_is_drawn_or_moved(row: Row) -> None:
    model = seeded(row)
    model(row.x)
    state, drawn = model.state_dict(), np.random.get_state()[1:3]
    first = used(model, row.x)
    again = used(model.eval(), row.x)
    assert np.array_equal(first, again)
    assert all(np.array_equal(a, b) for a, b in zip(drawn, np.random.get_state()[1:3], strict=True))
    assert all(np.array_equal(a, state[name]) for name, a in model.state_dict().items())


@pytest.mark.parametrize("name", ["CNN", "SqueezeNet", "residual", "VAE", "Generator", "CharLSTM", "GPT"])
def test_in_training_the_answer_differs(name: str) -> None:
    row = ZOO[name]
    model = seeded(row)
    before = model(row.x).data
    if isinstance(model, models.CharLSTM):
        model.reset_state()
    assert not np.array_equal(before, model(row.x).data) or not np.array_equal(before, used(model, row.x))


@each
def test_summary_and_repr(row: Row) -> None:
    model = seeded(row)
    assert type(model).__name__ in repr(model)
    model(row.x)
    assert f"{model.count_params():,}" in model.summary()


SCRIPT = """
import hashlib, numpy as np
from dezero import optimizers
import dezero.functions as F
from tests.models.zoo import ZOO
for name, row in ZOO.items():
    np.random.seed(5)
    model = row.make()
    optimizer = optimizers.Adam().setup(model)
    F.mean(model(row.x) ** 2).backward()
    optimizer.update()
    digest = hashlib.sha256()
    for key, array in model.state_dict().items():
        digest.update(key.encode() + array.tobytes())
    print(name, digest.hexdigest())
"""


def test_one_seed_gives_the_same_bytes_in_every_process() -> None:
    runs = [subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=ROOT, stdout=subprocess.PIPE, text=True,
                             env=os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT)}) for seed in ("1", "2")]
    one, other = (run.communicate(timeout=120)[0] for run in runs)
    assert one == other
    assert len(one.splitlines()) == len(ZOO)


def test_resnet18_trains_and_its_state_travels() -> None:
    np.random.seed(0)
    x = np.random.standard_normal((3, 3, 20, 33)).astype(np.float32)
    one, other = models.ResNet18(num_classes=4), models.ResNet18(num_classes=4)
    F.sum(one(x) * np.random.standard_normal((3, 4)).astype(np.float32)).backward()
    assert all(p.grad is not None and p.grad.data.any() for p in one.params())
    other.load_state_dict(one.state_dict(copy=False))
    assert np.array_equal(used(one, x), used(other, x))


def test_all_public_names_are_there() -> None:
    assert all(hasattr(models, name) for name in models.__all__)
    assert dezero.Model is models.Model
