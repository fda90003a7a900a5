"""The repository sets itself up: the Makefile's messages, the package's contents, and what ``import dezero`` loads."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

import dezero

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
NEEDS_MAKE = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "PYTHON")}
    return subprocess.run(list(map(str, command)), cwd=cwd, env=env, capture_output=True, text=True)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What `make` looks at, in a folder with a space in its name."""
    folder = tmp_path / "a check out"
    folder.mkdir()
    for name in ("Makefile", "pyproject.toml"):
        shutil.copy(ROOT / name, folder)
    return folder


def fake_python(folder: Path, trick: str) -> Path:
    """An interpreter in a folder with a space that runs ``trick`` before the code it is asked to run."""
    path = folder / "fake python"
    code = f"import sys; {trick}; exec(sys.argv[2])"
    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{code}' \"$@\"\n")
    path.chmod(0o755)
    return path


@NEEDS_MAKE
@pytest.mark.parametrize(("trick", "message"), [
    ("sys.version_info = (3, 10, 4)", "is Python 3.10 and dezero needs 3.11 or newer"),
    ('sys.modules["ensurepip"] = None', "has no venv module: install it (apt-get install python3-venv"),
    ("sys.exit(1)", "does not run and dezero needs Python 3.11 or newer"),
])
@pytest.mark.parametrize("target", ["test", "bench"])
def test_a_python_that_will_not_do_gets_one_line_of_advice(checkout: Path, trick: str, message: str, target: str) -> None:
    python = fake_python(checkout, trick)
    done = run("make", target, f"PYTHON={python}", cwd=checkout)
    assert done.returncode != 0
    assert message in done.stderr and str(python) in done.stderr and f"make {target} PYTHON=" in done.stderr
    assert len(done.stderr.splitlines()) == 1 and done.stdout == ""
    assert not (checkout / ".venv").exists()


@NEEDS_MAKE
def test_a_python_that_is_missing_gets_the_same(checkout: Path) -> None:
    done = run("make", "lint", "PYTHON=python3.999", cwd=checkout)
    assert done.returncode != 0 and "python3.999 does not run" in done.stderr and len(done.stderr.splitlines()) == 1


@NEEDS_MAKE
def test_make_alone_lists_every_target(checkout: Path) -> None:
    done = run("make", cwd=checkout)
    phony = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text(), re.M)
    assert phony is not None
    assert done.returncode == 0, done.stderr
    assert re.findall(r"^  make ([a-z-]+) +\S", done.stdout, re.M) == phony[1].split()


def test_set_up_names_no_host() -> None:
    for name in ("Makefile", "pyproject.toml", ".ci/run", ".pre-commit-config.yaml"):
        assert "://" not in (ROOT / name).read_text(), f"{name} names a host: the package index is the machine's own setting"


def test_the_version_is_the_same_everywhere() -> None:
    assert PROJECT["project"]["version"] == dezero.__version__
    assert re.search(rf"^## \[?{re.escape(dezero.__version__)}\]?", (ROOT / "CHANGELOG.md").read_text(), re.M)


def test_a_wheel_holds_the_package_alone(tmp_path: Path) -> None:
    pytest.importorskip("setuptools")
    source = tmp_path / "source"
    source.mkdir()
    for name in ("dezero", "tests", "benchmarks"):
        shutil.copytree(ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "results"))
    for name in ("pyproject.toml", "LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    done = run(sys.executable, "-c", "from setuptools.build_meta import build_wheel; build_wheel('.')", cwd=source)
    assert done.returncode == 0, done.stderr
    wheel, = source.glob("dezero-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert "dezero/py.typed" in names and {f"dezero/{p.relative_to(ROOT / 'dezero')}" for p in (ROOT / "dezero").rglob("*.py")} <= set(names)
    assert {"dezero/datasets/bundled/digits.npz", "dezero/datasets/bundled/README.md"} <= set(names)
    assert {name.split("/")[0] for name in names} == {"dezero", f"dezero-{dezero.__version__}.dist-info"}


def test_import_dezero_loads_numpy_and_nothing_heavy() -> None:
    code = "import sys, dezero; print(*{name.partition('.')[0] for name in sys.modules})"
    loaded = set(run(sys.executable, "-c", code).stdout.split())
    assert "numpy" in loaded
    assert not loaded & {"matplotlib", "PIL", "scipy", "cupy", "numba", "torch", "pytest", "hypothesis"}


def test_the_demo_reads_digits_and_leaves_its_pictures(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-W", "error", "-m", "dezero", "demo"], cwd=tmp_path, capture_output=True, text=True,
                          env={"PYTHONPATH": str(ROOT), "PATH": "", "HOME": str(tmp_path), "DEZERO_OFFLINE": "1"})
    assert done.returncode == 0, done.stderr
    reached = re.search(r"^([\d.]+)% of the unseen digits read right", done.stdout, re.M)
    assert reached is not None and float(reached[1]) >= 97.5
    folder = tmp_path / "runs" / "demo"
    assert {"curves.png", "confusion.png", "mistakes.png", "graph.png", "model.safetensors"} <= {p.name for p in folder.iterdir()}
    assert all(p.read_bytes().startswith(b"\x89PNG") for p in folder.glob("*.png"))
    commands = [line.split() for line in done.stdout.split("Next:")[1].splitlines() if re.match("  [^ ]", line)]
    assert len(commands) == 3
    assert run(*commands[0], cwd=tmp_path).stdout.splitlines()[1].startswith("runs/demo/scan.png: "), "the next commands run as they stand"


def test_the_benchmarks_start() -> None:
    done = run(sys.executable, "-m", "benchmarks", "--list")
    assert done.returncode == 0, done.stderr
    assert {"scalar-chain", "mlp-50", "mlp-1000", "chain", "fan-in", "memory", "threads", "import", "loader", "trainer", "adam",
            "accuracy"} <= set(done.stdout.split())
