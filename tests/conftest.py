"""Rules for all tests: none leaves a mode or the random state changed; what cannot run here is skipped with its reason."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import config
from dezero.backend import register_module, unregister_module
from dezero.backend.diagnosis import trouble
from tests.strict import StrictArray, xp

# Marker -> why tests that have it cannot run here, or None.
NEEDS = {"gpu": trouble, "torch": lambda: None if importlib.util.find_spec("torch") is not None else "PyTorch is not installed"}


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Of ``-m gpu`` and ``-m torch`` only the files that have such tests: the others need packages that a machine for these may lack."""
    wanted = config.option.markexpr
    if wanted in NEEDS and collection_path.name.startswith("test_") and collection_path.suffix == ".py":
        return True if f"mark.{wanted}" not in collection_path.read_text(encoding="utf-8") else None
    return None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for name, lack in NEEDS.items():
        marked = [item for item in items if item.get_closest_marker(name)]
        if marked and (reason := lack()) is not None:
            for item in marked:
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def mode_is_left_as_found() -> Any:
    before = config.current()
    yield
    after = config.current()
    config._mode.set(before)
    changed = [name for name in config.Mode.__slots__ if getattr(after, name) is not getattr(before, name)]
    assert not changed, f"the test leaves another mode behind ({', '.join(changed)}): use `with using_config(...)`"


@pytest.fixture(autouse=True)
def random_state_is_left_as_found(request: pytest.FixtureRequest) -> Any:
    before = np.random.get_state()
    yield
    after = np.random.get_state()
    np.random.set_state(before)
    if not request.node.get_closest_marker("seeds"):
        same = before[2:] == after[2:] and np.array_equal(before[1], after[1])
        assert same, "the test changes NumPy's global random state: use np.random.default_rng, or mark it with `seeds`"


@pytest.fixture
def strict_device() -> Any:
    """Arrays made by ``to_strict`` are a device's while the test runs."""
    register_module(StrictArray, xp)
    yield xp
    unregister_module(StrictArray)
