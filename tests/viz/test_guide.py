"""The guide to drawing: what it says is printed is printed, and the pictures that pages show are what the code draws."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
GUIDE = (ROOT / "docs" / "guide" / "drawing.md").read_text(encoding="utf-8")
PICTURES = sorted((ROOT / "docs" / "pictures").iterdir())
RENEW = "python examples/draw.py --out docs/pictures --only"


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", GUIDE, re.MULTILINE | re.DOTALL)


def python(folder: Path, *words: str) -> str:
    """What a program prints, with warnings as errors."""
    surroundings = {"PATH": os.environ.get("PATH", ""), "HOME": str(folder), "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONUTF8": "1"}
    done = subprocess.run([sys.executable, "-W", "error", *words], cwd=folder, env=surroundings, capture_output=True, encoding="utf-8", timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_guide_prints_what_it_says(tmp_path: Path) -> None:
    printed = python(tmp_path, "-c", "\n".join(fences("python")))
    said = fences("text")
    assert len(said) >= 3
    for text in said:
        assert text in printed


def test_pictures_of_the_documents_are_those_that_the_gallery_draws(tmp_path: Path) -> None:
    names = [path.stem for path in PICTURES]
    python(tmp_path, str(ROOT / "examples" / "draw.py"), "--out", "pictures", "--only", *names)
    for path in PICTURES:
        assert path.suffix == ".svg" and path.stat().st_size < 60_000
        assert path.read_bytes() == (tmp_path / "pictures" / path.name).read_bytes(), f"look at it, then: {RENEW} {' '.join(names)}"


@pytest.mark.parametrize("page", ["README.md", "docs/guide/drawing.md"])
def test_every_picture_that_a_page_shows_is_there(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    shown = re.findall(r"!\[([^\]]+)\]\(([^)]+)\)", text)
    assert shown
    for words, link in shown:
        assert ((ROOT / page).parent / link).resolve() in PICTURES
        assert len(words) > 10, "a text for those who do not see it"
