"""Steps 55 to 60: convolutions, a famous network, and networks for sequences. The numbers are those of the table of steps."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

from tests.steps.harness import numbers, run_script


def found(name: str) -> dict[str, Any]:
    return numbers(name, fast=True)[0]


def pictures(name: str, folder: Path) -> set[str]:
    """Run a script with --out; the names of what it has written, none of it empty."""
    pytest.importorskip("matplotlib")
    done = run_script(name, "--fast", "--out", str(folder))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers(name, fast=True)[1].splitlines(), "with --out it prints the same"
    for path in folder.iterdir():
        assert path.stat().st_size > 2000
        assert path.read_bytes()[:4] == {".png": b"\x89PNG", ".gif": b"GIF8", ".svg": b"<svg"}[path.suffix]
    return {path.name for path in folder.iterdir()}


# -- 55: a window that slides ----------------------------------------------------------------------


def test_step55_the_size_of_the_result() -> None:
    sizes = found("step55")["sizes"]
    for setting, size in (("28,5,1,2", 28), ("28,3,2,1", 14), ("224,7,2,3", 112), ("8,3,1,0", 6), ("8,3,2,0", 3)):
        assert sizes[setting] == [size, size]  # by the formula, and counted


def test_step55_an_edge_filter_on_a_digit() -> None:
    step = found("step55")
    image = np.array(step["image"])
    across = image[:, 2:] - image[:, :-2]
    down = image[2:] - image[:-2]
    np.testing.assert_array_equal(step["upright"], across[:-2] + across[1:-1] + across[2:])
    np.testing.assert_array_equal(step["level"], down[:, :-2] + down[:, 1:-1] + down[:, 2:])
    assert step["worst"] < 1e-12  # away from F.conv2d
    assert step["moved"] is True and step["unnoticed"] is True


def test_step55_draws_frames_and_a_film(tmp_path: Path) -> None:
    assert pictures("step55", tmp_path) == {"frames.png", "slide.gif"}


# -- 56: channels and pooling ----------------------------------------------------------------------


def test_step56_two_channels_by_hand() -> None:
    step = found("step56")
    # first window: 1*1 - 1*1 in channel 0; 2*1 + 1*2 in channel 1; the others in the same way
    assert step["parts"] == [[[0, -1], [0, 0]], [[4, 2], [1, 5]]]
    assert step["total"] == [[9, 6], [6, 10]]
    assert step["batch"]["shape"] == [5, 16, 6, 6] and step["batch"]["worst"] < 1e-12
    assert step["one by one"] < 1e-12


def test_step56_pooling_and_its_frame() -> None:
    pooling = found("step56")["pooling"]
    assert pooling["largest"] == [[2, 5], [4, 2]]
    assert pooling["gradient"] == [[0, 10, 0, 0], [0, 0, 20, 0], [0, 0, 0, 0], [0, 30, 0, 40]]
    assert pooling["padded"] == [[-1, -1], [-1, -1]] and pooling["with zeros"] == [[0, 0], [0, 0]]


def test_step56_parameters() -> None:
    assert found("step56")["counts"] == [[160, 66_560], [1_792, 483_388_358_656], [2_359_808, 10_070_624_256]]


def test_step56_a_small_network() -> None:
    networks = found("step56")["networks"]
    convolutions, linear = networks["convolutions"], networks["two linear layers"]
    assert [convolutions["parameters"], linear["parameters"]] == [6_090, 22_510]
    # seeds 0 to 2: 97.8 % on average for both on the test set; on moved images 67 % and 49 %
    assert np.mean(convolutions["test"]) > 0.965 and np.mean(linear["test"]) > 0.965
    assert np.mean(convolutions["moved"]) > np.mean(linear["moved"]) + 0.1


def test_step56_draws_the_channels(tmp_path: Path) -> None:
    assert pictures("step56", tmp_path) == {"maps.png"}


# -- 57: convolution and pooling, fast and backward ------------------------------------------------


def test_step57_all_ways_give_the_numbers_of_the_loops() -> None:
    step = found("step57")
    assert step["count"] == 50 and step["unequal"] > 25
    assert set(step["apart"]) == {"im2col", "view", "F.conv2d", "pool: im2col", "pool: view", "F.max_pool2d"}
    assert max(step["apart"].values()) < 1e-10


def test_step57_first_and_second_derivatives() -> None:
    derivatives = found("step57")["derivatives"]
    assert derivatives.pop("a backward on bare arrays") == [True, False]
    assert set(derivatives) == {"conv2d of this script", "F.conv2d", "max_pool of this script", "F.max_pool2d"}
    assert all(right == [True, True] for right in derivatives.values())


def test_step57_the_matrix_and_what_it_costs() -> None:
    step = found("step57")
    assert step["matrix"][0] == [1, 2, 5, 6] and step["matrix"][-1] == [7, 8, 11, 12]
    assert step["uses"] == [[1, 2, 2, 1], [2, 4, 4, 2], [1, 2, 2, 1]]
    work = step["work"]
    assert {way["multiplications"] for way in work.values()} == {16 * 8 * 28 * 28 * 27}
    assert [way["calls"] for way in work.values()] == [2 * 16 * 8 * 28 * 28, 10, 2]


def test_step57_draws_the_matrix_and_the_times(tmp_path: Path) -> None:
    assert pictures("step57", tmp_path) == {"columns.png", "times.png"}


# -- 58: VGG16, and where a small one looks --------------------------------------------------------


def test_step58_vgg16_by_table() -> None:
    step = found("step58")
    assert step["parameters"] == 138_357_544
    assert step["same names"] is True
    blocks = [f"conv{block}_{i}" for block, count in enumerate((2, 2, 3, 3, 3), 1) for i in range(1, count + 1)]
    assert step["keys"] == [f"{layer}.{part}" for layer in [*blocks, "fc6", "fc7", "fc8"] for part in ("W", "b")]
    assert step["rows"][-1][-1] == 15_470_264_320  # multiplications, the head included


def test_step58_random_weights_at_64() -> None:
    untrained = found("step58")["untrained"]
    assert untrained["shape"] == [1, 1000] and untrained["worst"] < 1e-4
    good, small = untrained["sizes"]["as He found"], untrained["sizes"]["standard deviation 0.01"]
    assert 0.3 < min(good) and max(good) < 5 and small[-1] < 1e-6


def test_step58_the_small_network_is_saved_and_loaded() -> None:
    step = found("step58")
    assert step["same"] is True and step["refused"][1] == "0 missing, 0 unexpected, 5 mismatched"
    assert step["right"] >= 0.85  # 0.90 with this script's seed; 0.90 to 0.93 with seeds 0 to 3


def test_step58_grad_cam_looks_at_the_digit() -> None:
    where = found("step58")["where"]
    # 0.94 with this seed on one core, 0.86 on two; 0.77 to 0.94 with seeds 0 to 3
    assert where["looks"] > 0.7 > where["darkest"] > where["chance"]


def test_step58_draws_where_it_looks(tmp_path: Path) -> None:
    assert pictures("step58", tmp_path) == {"looks.png", "small.svg"}
    ElementTree.parse(tmp_path / "small.svg")


# -- 59: a state, and the cut ----------------------------------------------------------------------


def test_step59_the_layer_keeps_its_state() -> None:
    state = found("step59")["state"]
    assert state["shapes"] == [[3, 5], [3, 5]]  # L.RNN(5, in_size=2), called twice
    assert state["again"] is False and state["after reset"] is True
    assert state["by hand"] < 1e-6


def test_step59_the_graph_grows_until_it_is_cut() -> None:
    growth = found("step59")["growth"]
    assert growth["never"] == [4 * step for step in range(1, 151)]
    assert growth["every 30"] == [4 * (step % 30 + 1) for step in range(150)]


def test_step59_the_network_foretells_a_swing() -> None:
    step = found("step59")
    errors = step["errors"]
    repeat, network = errors["repeat the last value"], errors["recurrent network"]
    # 10.5 times smaller with this seed; 10.4 to 13.9 with seeds 0 to 3 of data and weights. Two values and a line: 5.3
    assert network < repeat / 5
    assert network < errors["a times the last, b times the one before"] < errors["a times the last value"]
    assert network > 0.02**2, "nobody is better than the noise"
    assert step["updates"] == 90 * 7  # six windows of 30 steps and the tail of 19, in each epoch


def test_step59_left_alone_it_keeps_the_time() -> None:
    alone = {name: np.array(row) for name, row in found("step59")["alone"].items()}
    network, repeat, swings = alone["off, left alone"], alone["off, repeating the last"], alone["the swings themselves"]
    # over 40 steps 0.06 off with this seed (0.04 to 0.09 with seeds 0 to 3); the swings measure 0.32, repeating is 0.5 off
    assert np.sqrt((network[:40] ** 2).mean()) < 0.5 * np.sqrt((swings[:40] ** 2).mean()) < np.sqrt((repeat[:40] ** 2).mean())


def test_step59_draws_the_forecast_and_the_cut(tmp_path: Path) -> None:
    assert pictures("step59", tmp_path) == {"forecast.png", "reach.png", "cut.svg"}
    ElementTree.parse(tmp_path / "cut.svg")


# -- 60: gates, and sequences in streams -----------------------------------------------------------


def test_step60_an_echo_after_40_steps() -> None:
    echo = found("step60")["echo"]
    right = {name: np.mean(row["right"][-1]) for name, row in echo.items()}  # lags 5, 20, 40
    # with this script's settings and seeds 0 to 5 LSTM and GRU 1.00 each, RNN 0.22 to 0.28; RNN with seeds 6 to 11 up to 0.36
    assert right["LSTM, bias of f is 4"] >= 0.95 and right["GRU, bias of z is 4"] >= 0.95
    assert right["RNN"] <= 0.7 and right["LSTM, bias of f is 0"] <= 0.7
    assert min(np.mean(row["right"][0]) for row in echo.values()) > 0.95, "five steps back all of them remember"


def test_step60_the_gradient_vanishes_in_the_rnn() -> None:
    begin = {name: row["begin"] for name, row in found("step60")["echo"].items()}
    assert begin["RNN"][2] < 1e-4 * begin["RNN"][0]
    assert begin["LSTM, bias of f is 4"][2] > 0.1 * begin["LSTM, bias of f is 4"][0]


def test_step60_gates_by_hand() -> None:
    gates = found("step60")["gates"]
    assert gates["worst"] < 1e-4
    # 0.98 to 0.99, and 0.6 to 0.7 left, by seed and number of threads; 0.5 ** 40 would be left with a gate of 0.5
    assert gates["f"] > 0.95 and gates["kept"] > 0.3


def test_step60_the_loader_shows_every_value_once_and_the_tail_counts() -> None:
    step = found("step60")
    assert step["order"] == [[0, 4, 8], [1, 5, 9], [2, 6, 10], [3, 7, 11]]
    for row in step["swings"].values():
        assert row["seen"] == 20 * 199 and row["updates"] == 7  # 199 = 6 * 30 + 19
        assert row["error"] < 1 / 5  # RNN 0.10, LSTM 0.09; 0.08 to 0.11 with seeds 0 to 2


def test_step60_draws_gates_and_cells(tmp_path: Path) -> None:
    assert pictures("step60", tmp_path) == {"gates.png"}


@pytest.mark.slow
def test_step60_an_echo_with_three_seeds() -> None:
    echo = numbers("step60")[0]["echo"]
    assert np.mean(echo["LSTM, bias of f is 4"]["right"][-1]) >= 0.95 and np.mean(echo["RNN"]["right"][-1]) <= 0.7
