"""The numbers of steps 11 to 16: many inputs and outputs, gradients that add up, the order of the way back."""

from __future__ import annotations

import heapq
import importlib
import math
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

import dezero
import dezero.functions as F
from tests.steps.harness import STEPS, numbers, run_script


@pytest.fixture
def step16(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(STEPS))
    return importlib.import_module("step16")


def test_step11_takes_and_returns_lists() -> None:
    found, printed = numbers("step11")
    assert found["calls"] == {"Add": [22], "DivMod": [3, 2]}  # one output, two outputs
    assert (found["hours"], found["minutes"]) == (2, 25)
    assert found["same_creator"] is True
    assert found["boxes"] == [1, 3]  # the forgotten brackets take an array of three apart
    assert "'input'" in found["message"]
    assert "100 min + 45 min = 2 h 25 min" in printed


def test_step12_builds_the_graph_of_step11_with_fewer_brackets() -> None:
    before, _ = numbers("step11")
    found, _ = numbers("step12")
    assert found["graph"] == before["graph"] == ["DivMod: 2 in, 2 out", "Add: 2 in, 1 out"]
    assert [found[key] for key in ("hours", "minutes", "same_creator")] == [before[key] for key in ("hours", "minutes", "same_creator")]
    assert found["kind"] == "Variable"  # one output is not a list
    assert found["outputs"] == 2
    assert "list is not supported" in found["message"]


def test_step13_gives_each_input_its_gradient() -> None:
    found, _ = numbers("step13")
    assert found["hypot"] == pytest.approx(5.0, abs=1e-12)
    assert found["gradient"] == pytest.approx([0.6, 0.8], abs=1e-12)
    assert found["tried"] == pytest.approx(found["gradient"], abs=1e-8)
    assert found["unused"] == [18.0, 18.0]  # d/da (a + b)² at (7, 2); the unused difference contributes 0 (D20)
    assert "NoneType" in found["message"]
    assert np.array(found["lengths"]) == pytest.approx(np.ones((4, 4)), abs=1e-12)


def test_step14_adds_gradients_up() -> None:
    found, _ = numbers("step14")
    assert found["rules"] == {"overwrite": [1.0, 1.0], "add_in_place": [4.0, 4.0], "add_new": [3.0, 1.0]}
    assert found["method"] == 3.0
    assert found["other"] == 5.0
    assert (found["first"], found["second"], found["cleared"]) == (3.0, 6.0, 3.0)


def test_step15_only_generations_are_right() -> None:
    found, _ = numbers("step15")
    gradients = {name: order["gradient"] for name, order in found["orders"].items()}
    right = math.exp(0.25) + math.cos(0.25) / 2
    assert found["tried"] == pytest.approx(right, abs=1e-7)  # its own error is 1.3e-8
    assert gradients.pop("by generation") == pytest.approx(right, abs=1e-12)
    assert len(gradients) == 3
    assert all(abs(gradient - found["tried"]) > 1e-3 for gradient in gradients.values())
    assert len({round(gradient, 3) for gradient in gradients.values()}) == 3  # each is wrong in its own way
    assert found["framework"] == gradients["on arrival"]
    assert found["generations"] == {"Add": 3, "Half": 2, "Exp": 1, "Sin": 1, "Square": 0}
    assert found["orders"]["by generation"]["calls"][-1] == "Square"


def test_step16_calls_the_youngest_first() -> None:
    found, printed = numbers("step16")
    assert found["y"] == pytest.approx(5.840573197, abs=1e-8)
    assert found["gradient"] == pytest.approx(11.615479132, abs=1e-8)
    assert found["tried"] == pytest.approx(found["gradient"], abs=1e-6)
    assert found["diamond"] == pytest.approx(math.exp(0.25) + math.cos(0.25) / 2, abs=1e-12)
    assert sorted(found["calls"]) == ["Add", "Mul", "Sin", "Square"]  # each once
    assert found["generations"] == sorted(found["generations"], reverse=True) == [2, 1, 1, 0]
    assert "5.840573197" in printed and "11.615479132" in printed


def test_step16_does_linear_work_on_many_branches() -> None:
    work = numbers("step16")[0]["work"]
    for n, found in work.items():
        assert found["calls"] == found["different"] == 2 * int(n) - 1  # n squares, n - 1 sums, each once
        assert found["gradient"] == 6.0 * int(n)
        # measured: 60, 1 616, 26 220, 128 761 comparisons; a heap needs at most about 3 log2(n) for each function that enters and leaves
        assert found["comparisons"] <= 2 * int(n) * 3 * math.log2(int(n))
    assert work["4000"]["comparisons"] < 6 * work["1000"]["comparisons"]  # four times the work and a little more, not 16 times


def test_step16_puts_each_function_into_the_heap_once(step16: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    x, pushed = step16.Variable(np.array(3.0)), []

    def push(heap: list, entry: tuple) -> None:
        pushed.append(entry[-1])
        heapq.heappush(heap, entry)

    y = step16.branches(x, 4000)
    monkeypatch.setattr(step16, "heapq", type("Counting", (), {"heappush": staticmethod(push), "heappop": staticmethod(heapq.heappop)}))
    y.backward()
    assert len(pushed) == len(set(pushed)) == 7999
    assert x.grad == 24000.0


def test_step16_waits_for_both_outputs_of_a_function(step16: ModuleType) -> None:
    class SumDiff(step16.Function):
        def forward(self, a, b):
            return a + b, a - b

        def backward(self, gsum, gdiff):
            return gsum + gdiff, gsum - gdiff

    a, b = step16.Variable(np.array(3.0)), step16.Variable(np.array(4.0))
    total, difference = SumDiff()(a, b)
    step16.add(step16.square(total), step16.square(difference)).backward()  # 2a² + 2b²
    assert (a.grad, b.grad) == (12.0, 16.0)


@pytest.mark.parametrize("seed", range(40))
def test_step16_agrees_with_the_package_on_random_graphs(step16: ModuleType, seed: int) -> None:
    rng = np.random.default_rng(seed)
    start = rng.uniform(-0.8, 0.8, 3)
    ours, theirs = [step16.Variable(start.copy())], [dezero.Variable(start.copy())]
    ones = {"square": lambda x: x**2, "sin": F.sin, "half": lambda x: x / 2}
    twos = {"add": lambda a, b: a + b, "mul": lambda a, b: a * b}
    for _ in range(25):
        name = str(rng.choice([*ones, *twos]))
        chosen = rng.integers(len(ours), size=1 if name in ones else 2)
        ours.append(getattr(step16, name)(*(step16.half(ours[i]) for i in chosen)))
        theirs.append((ones | twos)[name](*(theirs[i] / 2 for i in chosen)))
    for box in (ours, theirs):
        total = box[-1]
        for x in box[-6:-1]:
            total = step16.add(total, x) if box is ours else total + x
        total.backward()
    assert ours[0].grad is not None
    assert ours[0].grad == pytest.approx(theirs[0].grad.data, rel=1e-10, abs=1e-12)


@pytest.mark.parametrize(("name", "file"), [("step13", "hypot.png"), ("step15", "orders.png"), ("step16", "order.png")])
def test_the_pictures_are_saved(name: str, file: str, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script(name, "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == [file]
    assert (tmp_path / file).read_bytes()[:8] == b"\x89PNG\r\n\x1a\n"
    assert done.stdout == run_script(name).stdout
