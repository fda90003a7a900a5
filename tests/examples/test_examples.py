"""The examples run in their short form: in an empty folder, without network, and what they say of themselves is true."""

from __future__ import annotations

import json
import math
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
NAMES = ["char_lm", "cifar", "draw", "gan", "grad_cam", "mnist", "spiral", "style", "tanh", "vae"]
# Runs a script's main as a program would and prints the numbers that it returns on the last line.
CALL = ("import json, runpy, sys; numbers = runpy.run_path(sys.argv[1], run_name='example')['main'](sys.argv[2:]); "
        "print('\\n' + json.dumps(numbers))")


def python(folder: Path, *args: str, data: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder``, which is its home too, with warnings as errors and without network."""
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT", "TEMP", "LANG", "LC_ALL", "VIRTUAL_ENV")}
    home = folder / "home"
    home.mkdir(exist_ok=True)
    environment = kept | {"HOME": str(home), "USERPROFILE": str(home), "DEZERO_OFFLINE": "1", "PYTHONHASHSEED": str(random.randrange(1 << 32)),
                          "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONUTF8": "1"}
    if data is not None:
        environment["DEZERO_DATA"] = str(data)
    command = [sys.executable, "-W", "error", *args]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)


def run(folder: Path, name: str, *options: str, data: Path | None = None) -> tuple[dict[str, Any], str, Path]:
    """The numbers of an example, what it printed, and where its files are."""
    done = python(folder, "-c", CALL, str(ROOT / "examples" / f"{name}.py"), "--fast", *options, data=data)
    assert done.returncode == 0, done.stderr
    assert not done.stderr, done.stderr
    printed, _, numbers = done.stdout.rstrip("\n").rpartition("\n")
    assert len(printed.splitlines()) < 30, "an example says little"
    return json.loads(numbers), printed, folder / "runs" / name


def pictures(folder: Path, *names: str) -> None:
    """These files are there and are whole pictures that show something."""
    image = pytest.importorskip("PIL.Image")
    for name in names:
        with image.open(folder / name) as picture:
            picture.load()
            assert picture.format == {".png": "PNG", ".gif": "GIF"}[Path(name).suffix]
            assert min(picture.size) >= 50
            low, high = picture.convert("L").getextrema()
            assert high - low > 100, f"{name} is empty"


@pytest.fixture
def plots() -> None:
    pytest.importorskip("matplotlib")


def test_all_examples_are_tested() -> None:
    assert [path.stem for path in EXAMPLES] == NAMES


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_a_script_is_short_and_says_what_it_shows(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) < 150
    assert text.startswith('"""') and f"python examples/{path.name}" in text.split('"""')[1]
    assert text.endswith('\n\n\nif __name__ == "__main__":\n    main()\n')
    assert f"| `{path.name}` |" in (ROOT / "examples" / "README.md").read_text(encoding="utf-8")


def test_tanh_is_right_to_the_third_derivative(tmp_path: Path) -> None:
    numbers, _, folder = run(tmp_path, "tanh")
    assert numbers["error"] < 1e-12
    assert numbers["values"][:2] == pytest.approx([math.tanh(0.5), 1 - math.tanh(0.5) ** 2])
    assert numbers["functions"] == sorted(set(numbers["functions"])), "each graph is larger than the one before"
    for order in (1, 2, 3):
        drawing = ElementTree.parse(folder / f"tanh{order}.svg")
        assert f"gx{order}" in "".join(drawing.getroot().itertext())


def test_a_script_runs_from_any_folder_and_writes_where_it_is_told(tmp_path: Path) -> None:
    done = python(tmp_path, str(ROOT / "examples" / "tanh.py"), "--order", "6", "--out", "some/where", "--format", "dot")
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "some" / "where").glob("tanh*.dot"))) == 6
    assert not (tmp_path / "runs").exists()


def test_draw_makes_a_gallery(tmp_path: Path) -> None:
    numbers, printed, folder = run(tmp_path, "draw")
    assert [line.split(": ")[0] for line in printed.splitlines()] == [str(Path("runs", "draw", path.name)) for path in
                                                                     sorted(folder.iterdir(), key=lambda path: path.stat().st_mtime_ns)]
    for name, nodes in numbers["nodes"].items():
        drawn = ElementTree.parse(folder / f"{name}.svg").getroot().iter("{http://www.w3.org/2000/svg}g")
        assert sum("data-node" in group.attrib for group in drawn) == nodes
    assert numbers["nodes"]["vgg16"] < 200 and numbers["seconds"]["vgg16"] < 2
    assert numbers["nodes"]["gpt-collapsed"] < numbers["nodes"]["gpt"] < 50
    assert numbers["explained"], "the expression that the text ends with has the value of the gradient"
    assert "Their sum: 2 + 2 + 3 = 7" in (folder / "explain.txt").read_text(encoding="utf-8")
    assert (folder / "page.html").stat().st_size < 300_000


def test_draw_draws_what_it_is_asked_for(tmp_path: Path) -> None:
    done = python(tmp_path, str(ROOT / "examples" / "draw.py"), "--only", "sin4", "tanh6", "--format", "dot", "--out", "some/where")
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in (tmp_path / "some" / "where").iterdir()) == ["sin4.dot", "tanh6.dot"]


def test_spiral(tmp_path: Path, plots: None) -> None:
    numbers, _, folder = run(tmp_path, "spiral")
    assert numbers["accuracy"] > 0.95 and numbers["val_accuracy"] > 0.93
    assert numbers["loss"] < 0.3 * numbers["first_loss"]
    pictures(folder, "regions.png", "curves.png", "training.gif")


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_mnist_goes_on_with_the_bundled_digits(tmp_path: Path, plots: None, model: str) -> None:
    numbers, printed, folder = run(tmp_path, "mnist", "--model", model)
    assert (numbers["train"], numbers["test"]) == (1437, 360)
    assert printed.splitlines()[0].endswith("going on with the bundled Digits")
    assert numbers["accuracy"] > 0.9 and numbers["loss"][-1] < 0.5 * numbers["loss"][0]
    pictures(folder, "curves.png", "confusion.png", "mistakes.png", "filters.png")
    assert (folder / f"{model}.npz").stat().st_size > 10_000


def test_mnist_takes_the_real_files_where_they_are(tmp_path: Path, plots: None) -> None:
    data = Path(os.environ.get("DEZERO_DATA") or ROOT.parent / "shared" / "data").absolute()
    if not list(data.glob("**/train-images*ubyte*")):
        pytest.skip("MNIST's files are not here: set DEZERO_DATA to the folder that has them")
    numbers, printed, folder = run(tmp_path, "mnist", data=data)
    assert (numbers["train"], numbers["test"]) == (2000, 1000) and "Digits" not in printed
    assert numbers["accuracy"] > 0.85
    pictures(folder, "mistakes.png")


def test_cifar_on_generated_shapes(tmp_path: Path, plots: None) -> None:
    numbers, printed, folder = run(tmp_path, "cifar")
    assert "generated pictures" in printed
    assert numbers["accuracy"] > 0.6 and numbers["loss"][-1] < 0.5 * numbers["loss"][0]
    pictures(folder, "augmented.png", "curves.png", "confusion.png", "mistakes.png")


def test_cifar_without_its_files_says_what_to_do(tmp_path: Path, plots: None) -> None:
    done = python(tmp_path, str(ROOT / "examples" / "cifar.py"))
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "cifar-10-binary.tar.gz" in done.stderr and "--fast" in done.stderr


@pytest.mark.parametrize("model", ["lstm", "gpt"])
def test_char_lm_learns_from_the_documentation(tmp_path: Path, plots: None, model: str) -> None:
    numbers, printed, folder = run(tmp_path, "char_lm", "--model", model)
    assert "going on with the documentation of dezero.functions" in printed
    assert numbers["val_loss"] < 0.75 * math.log(numbers["vocabulary"]) and numbers["loss"][-1] < numbers["loss"][0]
    assert len(numbers["written"]) == 200 and (folder / "written.txt").read_text(encoding="utf-8") == numbers["written"]
    pictures(folder, "curves.png")


def test_char_lm_reads_a_text_of_ones_own(tmp_path: Path, plots: None) -> None:
    (tmp_path / "rhyme.txt").write_text("one, two, buckle my shoe; three, four, knock at the door.\n" * 200, encoding="utf-8")
    numbers, _, _ = run(tmp_path, "char_lm", "--text", "rhyme.txt", "--length", "16")
    assert numbers["val_loss"] < 1.0, "a text of repeated lines is soon known by heart"


def test_gan(tmp_path: Path, plots: None) -> None:
    numbers, _, folder = run(tmp_path, "gan")
    assert numbers["discriminator"][-1] < 0.8 * 2 * math.log(2), "it tells drawn digits from real ones better than by chance"
    assert numbers["spread"] > 0.01, "other noise, another picture"
    assert 0.05 < numbers["ink"]["drawn"] < 0.6
    pictures(folder, "digits004.png", "real.png", "losses.png")


def test_vae(tmp_path: Path, plots: None) -> None:
    numbers, _, folder = run(tmp_path, "vae")
    assert numbers["loss"][-1] < 0.8 * numbers["loss"][0] and numbers["test_loss"] < 28
    pictures(folder, "manifold.png", "codes.png", "copies.png", "loss.png")


def test_grad_cam_looks_at_the_digit_that_it_was_asked_for(tmp_path: Path, plots: None) -> None:
    numbers, _, folder = run(tmp_path, "grad_cam")
    assert numbers["accuracy"] > 0.8 and numbers["share"] > 0.75
    pictures(folder, "two_digits.png")


def test_style(tmp_path: Path, plots: None) -> None:
    numbers, _, folder = run(tmp_path, "style")
    assert numbers["style"][-1] < 0.25 * numbers["style"][0]
    pictures(folder, "style.png", "stages.png")
