"""The numbers that scripts 01 to 10 promise."""

from __future__ import annotations

import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest

from tests.steps.harness import STEPS, command, numbers, script


def imported(name: str, code: str) -> str:
    """What a program prints that imports a script, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = command(["-c", f"import sys; sys.path.insert(0, {str(STEPS)!r})\nimport numpy as np\nimport {name} as step\n{code}"], Path(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def pictures(name: str) -> dict[str, bytes]:
    """The files that a script saves, by name."""
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        # matplotlib keeps a list of fonts at home, and home cannot be written to here
        done = command([str(script(name)), "--out", f"{folder}/out"], Path(folder), {"MPLCONFIGDIR": folder})
        assert done.returncode == 0, done.stderr
        return {path.name: path.read_bytes() for path in Path(folder, "out").iterdir()}


SIGMOID = 1 / (1 + math.exp(-0.5))


def test_01_a_box_holds_arrays_of_all_shapes_and_may_share_them() -> None:
    found, printed = numbers("step01")
    assert found["shapes"] == [[], [3], [2, 3]]
    assert found["old"] == [1.0, 2.0]
    assert found["new"] == [10.0, 20.0]
    assert (found["shares"], found["copies"]) == (True, False)
    assert "same memory: True" in printed
    assert "same memory: False" in printed


def test_02_a_function_gives_a_box() -> None:
    found, _ = numbers("step02")
    assert found["cube"] == 27
    assert found["types"] == {"plain_cube": "float64", "Cube()": "Variable", "Half()": "Variable"}
    assert found["cubes"] == [[1, 8, 27], [64, 125, 216]]


def test_02_a_function_without_forward_is_named() -> None:
    assert numbers("step02")[0]["message"].startswith("Double needs a method forward")
    assert imported("step02", """
class Mine(step.Function): pass
try: Mine()(step.Variable(np.array(1.0)))
except NotImplementedError as error: print(error)""").startswith("Mine needs a method forward")


def test_03_the_chain_is_softplus() -> None:
    found, printed = numbers("step03")
    assert found["softplus"] == pytest.approx(0.9740769842, abs=1e-10)
    assert found["softplus"] == pytest.approx(np.logaddexp(0, 0.5), abs=1e-15)
    assert found["boxes"] == pytest.approx([0.5, math.exp(0.5), math.exp(0.5) + 1, 0.9740769842], abs=1e-10)
    assert found["ours"] == pytest.approx(found["other"], abs=1e-14)
    assert [printed.index(name) for name in ("Exp", "AddOne", "Log")] == sorted(printed.index(name) for name in ("Exp", "AddOne", "Log"))


def test_04_the_best_step_is_neither_big_nor_tiny() -> None:
    found, _ = numbers("step04")
    steps, forward, central = found["steps"], found["forward"], found["central"]
    assert steps == pytest.approx([10.0**-k for k in range(1, 14)])
    assert central[3] < 1e-9  # measured: 9.5e-11
    assert forward[3] > 1e-6  # 1.2e-05
    assert 0.9e-6 < steps[central.index(min(central))] < 1.1e-4  # 1e-05
    assert central[12] > 1e-5  # 1.5e-03
    assert forward[12] > 1e-5


def test_04_trying_out_costs_two_calls_for_each_input() -> None:
    found, _ = numbers("step04")
    assert found["calls"] == [2, 20, 2000]
    assert found["worst"] < 1e-8


def test_05_the_order_of_the_products_decides_the_work() -> None:
    found, printed = numbers("step05")
    assert (found["reverse"], found["forward"]) == (1_500_000, 500_500_000)
    assert found["forward"] / found["reverse"] > 300
    assert found["apart"] < 1e-10
    assert found["first"][0] == pytest.approx(found["first"][1], abs=1e-7)
    assert found["product"] == pytest.approx(SIGMOID, abs=1e-12)
    assert found["small"] == [8, 5]
    assert "1,500,000" in printed
    assert "500,500,000" in printed


def test_06_slopes_carried_back_by_hand() -> None:
    found, _ = numbers("step06")
    assert found["grad"] == pytest.approx(0.6224593312, abs=1e-10)
    assert found["grad"] == pytest.approx(found["tried"], abs=1e-8)
    b = math.exp(0.5) + 1
    assert found["on_the_way"] == pytest.approx([SIGMOID, 1 / b, 1 / b, 1], abs=1e-12)
    assert found["grads"] == pytest.approx([1 / (1 + math.exp(-x)) for x in (-2, 0, 2)], abs=1e-12)


def test_07_the_way_back_is_found() -> None:
    found, printed = numbers("step07")
    assert found["calls"] == ["Log", "AddOne", "Exp"]
    assert found["path"] == ["Log", "AddOne", "Exp", "nobody"]
    assert "Log -> AddOne -> Exp" in printed
    assert found["grad"] == numbers("step06")[0]["grad"]
    assert found["counts"] == [4, 3, 2]
    assert found["slopes"] == pytest.approx(found["tried"], rel=1e-5)


def test_07_the_picture_shows_the_links() -> None:
    found = pictures("step07")
    assert set(found) == {"links.png"}
    assert found["links.png"].startswith(b"\x89PNG")


def test_04_the_picture_shows_the_errors() -> None:
    assert set(pictures("step04")) == {"error.png"}


def test_08_a_loop_goes_where_recursion_cannot() -> None:
    found, _ = numbers("step08")
    assert found["results"] == {"500": [1.0, 1.0], "5000": ["RecursionError", 1.0], "50000": ["RecursionError", 1.0]}
    assert found["orders"] == [["Log", "AddOne", "Exp"]] * 2
    assert found["grad"] == pytest.approx(SIGMOID, abs=1e-12)


@pytest.mark.slow
def test_08_a_million_functions() -> None:
    assert imported("step08", "print(step.long_chain(1_000_000, step.backward_loop))") == "1.0\n"  # measured: 3 s, 0.3 GB


def test_09_the_short_form_gives_the_same() -> None:
    found, _ = numbers("step09")
    assert found["before"] == found["after"] == pytest.approx(SIGMOID, abs=1e-12)
    assert found["types"] == ["ndarray", "float64", "ndarray"]


def test_09_a_box_says_what_it_accepts() -> None:
    found, _ = numbers("step09")
    assert set(found["messages"]) == {"float", "list", "str", "object"}
    for name, message in found["messages"].items():
        assert f"{name} is not supported" in message
        assert "a NumPy array (or None) is expected" in message
        assert "np.array(3.0)" in message


def test_09_who_sets_another_start_gets_it() -> None:
    code = "x = step.Variable(np.array(0.5)); y = step.softplus(x); y.grad = np.array(2.0); y.backward(); print(float(x.grad))"
    assert float(imported("step09", code)) == pytest.approx(2 * SIGMOID, abs=1e-12)


def test_10_the_tests_pass_and_find_the_planted_bugs() -> None:
    found, _ = numbers("step10")
    assert found["passed"] == ["test_add_one", "test_exp", "test_log", "test_value"]
    assert found["reports"]["Cos"] == []
    wrong = found["reports"]["WrongSign"]
    assert [line.split(":")[0] for line in wrong] == ["at [0, 0]", "at [0, 1]", "at [1, 1]"]  # [1, 0] is 0, where the sine is 0
    weights = np.random.default_rng(0).uniform(1.0, 2.0, (2, 2))
    for line, value in zip(wrong, (weights * np.sin([[0.5, 1.0], [0.0, 2.0]]))[[0, 0, 1], [0, 1, 1]], strict=True):
        assert f"backward says {value:8.5f}, trying out says {-value:8.5f}" in line
        assert float(line.split()[-1]) == pytest.approx(2.0, abs=1e-3)
    assert len(found["reports"]["NoIncoming"]) == 3
    assert found["at_zero"] == []


def test_10_a_law_finds_what_nobody_planted() -> None:
    fine, overflow = numbers("step10")[0]["found"]
    assert fine is None
    assert abs(overflow) > math.log(sys.float_info.max)  # 709.78: beyond it exp is infinity


def test_10_the_tests_run_from_the_command_line() -> None:
    with tempfile.TemporaryDirectory() as folder:
        done = command(["-m", "unittest", "step10"], Path(folder), {"PYTHONPATH": str(STEPS)})
    assert done.returncode == 0, done.stderr
    assert "Ran 4 tests" in done.stderr
