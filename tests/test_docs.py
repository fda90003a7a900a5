"""Examples in docstrings and in the documents run and print what they say."""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import dezero

ROOT = Path(__file__).resolve().parents[1]
MODULES = ["dezero", *(m.name for m in pkgutil.walk_packages(dezero.__path__, "dezero.") if not m.name.endswith("__main__"))]
DOCUMENTS = [p for p in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))] if p.exists()]
FENCE = re.compile(r"^```python\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.seeds
@pytest.mark.parametrize("name", MODULES)
def test_doctests(name: str) -> None:
    module = importlib.import_module(name)
    runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
    report: list[str] = []
    for test in doctest.DocTestFinder().find(module, name):
        runner.run(test, out=report.append)
    assert runner.failures == 0, "".join(report)


def blocks() -> list[object]:
    """One for each document: its Python blocks share names, as a reader types them one after another."""
    found = [(p, FENCE.findall(p.read_text(encoding="utf-8"))) for p in DOCUMENTS]
    return [pytest.param(p, code, id=str(p.relative_to(ROOT))) for p, code in found if code]


@pytest.mark.parametrize(("path", "code"), blocks())
def test_documents_run(path: Path, code: list[str], tmp_path: Path) -> None:
    if any(block.lstrip().startswith(">>>") for block in code):
        test = doctest.DocTestParser().get_doctest("\n".join(code), {}, path.name, str(path), 0)
        report: list[str] = []
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(test, out=report.append)
        assert runner.failures == 0, "".join(report)
        return
    done = subprocess.run([sys.executable, "-W", "error", "-c", "\n".join(code)], cwd=tmp_path, capture_output=True, text=True, timeout=120,
                          env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(tmp_path)})
    assert done.returncode == 0, done.stderr
