"""The package: its public names, loaded when they are used first."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

import dezero.utils
from dezero import viz

ROOT = Path(__file__).resolve().parents[2]


def test_every_public_name_is_there() -> None:
    assert set(viz.__all__) == set(viz._HOME) == set(dir(viz))
    for name in viz.__all__:
        found = getattr(viz, name)
        assert callable(found) and found.__name__ == name and found.__module__.startswith("dezero.viz.")
        assert found.__doc__ and "\n\n" in found.__doc__ or isinstance(found, type), f"{name} has no documentation"
    with pytest.raises(AttributeError, match="module 'dezero.viz' has no attribute 'get_dot_grahp'"):
        viz.get_dot_grahp  # noqa: B018
    with pytest.raises(AttributeError, match="module 'dezero.utils' has no attribute 'plot'"):
        dezero.utils.plot  # noqa: B018
    assert dezero.utils.plot_dot_graph is viz.plot_dot_graph and dezero.utils.get_dot_graph is viz.get_dot_graph


@pytest.mark.parametrize("name", ["diff", "explain"])
def test_a_function_is_not_hidden_by_its_module(name: str) -> None:
    code = f"import dezero.viz.{name}; from dezero import viz; assert callable(viz.{name}), viz.{name}"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60)
    assert importlib.import_module(f"dezero.viz.{name}").__name__ == f"dezero.viz.{name}"
    assert callable(getattr(viz, name))


def test_importing_dezero_loads_no_drawing() -> None:
    code = "import dezero, sys; print(*[name for name in sys.modules if name.startswith('dezero.viz')])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, timeout=60, capture_output=True, text=True)
    assert done.stdout.split() == ["dezero.viz"]
