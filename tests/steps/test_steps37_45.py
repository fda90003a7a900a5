"""The numbers of steps 37 to 45, as the plan's table promises them."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from tests.steps.harness import STEPS, command, numbers, script


def test_37_a_table_gives_what_its_numbers_give_alone() -> None:
    found, _ = numbers("step37")
    for name in ("y", "gx", "gc"):
        assert np.allclose(found[name], found[f"{name} alone"], rtol=0, atol=1e-12)
    assert found["functions"] == [24, 4]
    assert found["start: ones"] == found["F.sum(y).backward()"] == found["gx"]


def test_37_a_start_with_ones_asks_for_the_slope_of_the_sum() -> None:
    found, _ = numbers("step37")
    slopes = np.array(found["jacobian element-wise"])
    assert np.allclose(slopes, np.diag(np.diag(slopes)), atol=1e-12) and np.all(np.diag(slopes) != 0)
    assert np.allclose(slopes.sum(0), np.ravel(found["gx"]))
    mixing = np.array(found["jacobian mixing"])
    assert np.allclose(mixing, np.eye(6) - 1 / 6) and np.allclose(found["mixing with ones"], 0, atol=1e-12)


def test_38_a_new_form_has_the_shape_and_order_it_should() -> None:
    found = numbers("step38")[0]
    shapes = {name: tuple(form["shape"]) for name, form in found["forms"].items()}
    assert shapes == {"reshape(x, (3, 2))": (3, 2), "reshape(x, -1)": (6,), "transpose(x)": (3, 2), "expand_dims(x, 0)": (1, 2, 3),
                      "expand_dims(x, -1)": (2, 3, 1), "squeeze(expand_dims(x, 1))": (2, 3)}
    for name, form in found["forms"].items():
        order = [0, 3, 1, 4, 2, 5] if name == "transpose(x)" else list(range(6))
        assert form["reads"] == order
        assert [order.index(number) * 10 for number in range(6)] == np.ravel(form["gradient"]).tolist()


def test_38_the_check_finds_wrong_places_which_ones_do_not_show() -> None:
    found = numbers("step38")[0]
    assert np.ravel(found["right"]).tolist() == [0, 20, 40, 10, 30, 50] and np.ravel(found["wrong"]).tolist() == [0, 10, 20, 30, 40, 50]
    assert np.ravel(found["ones"]).tolist() == [1] * 6
    turn = found["checks"].pop("Turn")
    assert "4 of 6 elements" in turn
    assert set(found["checks"].values()) == {"right"} and len(found["checks"]) == 6


def test_38_colours_come_first_by_moveaxis_and_not_by_reshape() -> None:
    moved, transposed, reshaped = numbers("step38")[0]["colours"].values()
    assert moved == transposed == [[1, 1, 1], [1, 1, 1]]
    assert reshaped == [[1, 2, 3], [1, 2, 3]]


def test_39_a_sum_copies_its_gradient_to_its_parts() -> None:
    found = numbers("step39")[0]["sums"]
    shapes = {name: tuple(one["shape"]) for name, one in found.items()}
    assert shapes == {"axis=None": (), "axis=0": (3,), "axis=1": (2,), "axis=-1": (2,), "axis=(0, 1)": (), "axis=1, keepdims=True": (2, 1)}
    assert found["axis=0"]["sums"] == [12, 7, 11] and found["axis=1"]["sums"] == [12, 18] and found["axis=None"]["sums"] == 30
    assert found["axis=0"]["gradient"] == [[10, 20, 30]] * 2
    assert found["axis=1"]["gradient"] == found["axis=-1"]["gradient"] == [[10] * 3, [20] * 3]


def test_39_24_combinations_agree_with_differences() -> None:
    found = numbers("step39")[0]
    assert found["checks"] == [True] * 24
    assert found["mean slopes"] == [0.25] * 4 and np.allclose(found["variance slopes"], [-1, -0.5, 0, 1.5])


def test_39_without_keepdims_a_square_table_goes_wrong_in_silence() -> None:
    left = numbers("step39")[0]["left"]
    assert left["(2, 3) False"].startswith("ShapeError")
    assert np.allclose(left["(2, 3) True"], 0) and np.allclose(left["(3, 3) True"], 0)
    assert np.allclose(left["(3, 3) False"], [-38, -32, 70])


def test_40_a_gradient_has_the_shape_of_what_was_stretched() -> None:
    found = numbers("step40")[0]
    assert found["rule"] == {"(2, 3) + (3,)": ["(2, 3)", "(2, 3)", "(3,)"], "(2, 3) + (2, 1)": ["(2, 3)", "(2, 3)", "(2, 1)"],
                             "(2, 1) + (3,)": ["(2, 3)", "(2, 1)", "(3,)"], "(2, 3) + ()": ["(2, 3)", "(2, 3)", "()"],
                             "(4, 1, 3) + (2, 1)": ["(4, 2, 3)", "(4, 1, 3)", "(2, 1)"], "(2, 3) + (2,)": ["refused"]}
    assert list(found["ways"].values()) == [[11, 22, 33]] * 3
    assert found["message"] == "naiveadd: its gradient for b has shape (2, 3), the input has (3,)" and found["learned"] == [2, 3]


def test_40_stretching_and_adding_up_are_adjoint() -> None:
    found = numbers("step40")[0]
    assert found["worst"] < 1e-10 and found["same"] == 40
    assert sum(pair.split(") (")[0] + ")" != "(" + pair.split(") (")[1] for pair in found["shapes"]) >= 30


def test_41_all_shapes_of_matmul_agree_with_differences() -> None:
    found = numbers("step41")[0]
    shapes = [(tuple(one["a"]), tuple(one["b"]), tuple(one["y"])) for one in found["shapes"]]
    assert shapes == [(a, b, np.matmul(np.zeros(a), np.zeros(b)).shape) for a, b, _ in shapes]
    assert {(len(a), len(b)) for a, b, _ in shapes} == {(1, 1), (2, 1), (1, 2), (2, 2), (3, 3), (3, 2), (3, 1), (1, 3), (4, 3)}
    assert all(one["right"] for one in found["shapes"])


def test_41_a_mismatch_names_shapes_and_the_sizes_that_differ() -> None:
    assert numbers("step41")[0]["message"] == "matmul: a (32, 784) float32 and b (1000, 10) float32: a.shape[-1] must equal b.shape[-2]"


def test_41_products_and_gradients_by_hand() -> None:
    found = numbers("step41")[0]
    assert found["product"] == found["loops"] == [[46, 52], [47, 64]]
    assert found["gradient of loaves"] == [[3, 5, 2], [40, 50, 30]] and found["gradient of prices"] == [[4, 80], [6, 10], [2, 90]]
    assert set(found["counts"].values()) == {100 * 784 * 50}


def test_42_descent_reaches_the_line_of_least_squares() -> None:
    found = numbers("step42")[0]
    assert np.allclose(found["learned"][:2], found["formula"], rtol=0, atol=1e-4)
    assert np.allclose(found["formula"], [3, -1], atol=0.1)  # the line behind the points, as near as 100 noisy points tell
    assert found["losses"][-1] < 0.1 < 1 < found["losses"][0]


def test_42_a_list_of_targets_against_a_table_is_refused_and_would_learn_nothing() -> None:
    found = numbers("step42")[0]
    assert found["message"].startswith("mean_squared_error: x0 (100, 1) float64 and x1 (100,) float64: x0 and x1 must have the same shape")
    assert found["shape right"] == [100, 1] and found["shape wrong"] == [100, 100]
    w, b, _ = found["wrong"]
    assert abs(w) < 1e-4 and abs(b - found["mean"]) < 1e-4
    assert np.allclose(found["right"][:2], found["formula"], atol=1e-4)


def test_43_a_network_learns_the_curve_and_a_model_without_activation_does_not() -> None:
    found = numbers("step43")[0]
    # Promise: below 0.01. Calibrated with the starts of seeds 0 to 9: 0.0015 to 0.0037; the script's, seed 0, gives 0.0019.
    assert found["losses"][-1] < 0.01
    assert sorted(found["losses"], reverse=True) == found["losses"]
    straight = found["no activation, random start"]["loss"]
    assert straight == pytest.approx(found["line"], abs=1e-6) and straight > 10 * found["losses"][-1]  # 2.0068, 1,000 times as much


def test_43_equal_units_stay_equal() -> None:
    found = numbers("step43")[0]
    assert found["tanh, all start at 0"]["loss"] == pytest.approx(found["constant"], abs=1e-6)
    assert found["tanh, all start at 0"]["different"] == found["tanh, all start at 0.5"]["different"] == 1
    assert found["tanh, all start at 0.5"]["loss"] > 1 and found["tanh, random start"]["different"] == 12
    assert len(found["units"]["place"]) == 12


def test_44_parameters_come_in_order_of_declaration_under_any_hash_seed(tmp_path: Path) -> None:
    expected = ["shift", "hidden.0.W", "hidden.0.b", "hidden.1.W", "hidden.1.b", "heads.small.W", "heads.small.b", "heads.large.W", "heads.large.b"]
    code = (f"import sys; sys.path.insert(0, {str(STEPS)!r}); import support, step44\n"
            "print(*(name for name, _ in step44.Several().named_params()))\n"
            "layer = step44.Several(); names = {id(p): name for name, p in layer.named_params()}; print(*(names[id(p)] for p in layer.params()))")
    for seed in range(5):
        done = command(["-c", code], tmp_path, {"PYTHONHASHSEED": str(seed)})
        assert done.returncode == 0, done.stderr
        assert [line.split() for line in done.stdout.splitlines()] == [expected, expected]
    found = numbers("step44")[0]
    assert found["names"] == expected
    assert found["orders"]["dict"] == 1 and found["orders"]["set"] > 1


def test_44_layers_in_lists_and_dicts_are_found_and_a_shared_one_once() -> None:
    found = numbers("step44")[0]
    shapes = [[2], [2, 2], [2], [2, 3], [3], [3, 1], [1], [3, 10], [10]]
    assert found["shapes"] == shapes and found["count"] == sum(int(np.prod(shape)) for shape in shapes) == 61
    assert not any(name.startswith("again") for name in found["names"])
    assert found["with gradient"] == [9, 0]
    assert found["message"] == "Several.bag: a set of layers or parameters has no order: use a list, a tuple or a dict"


def test_44_what_is_left_out_of_a_list_does_not_learn() -> None:
    found = numbers("step44")[0]
    whole = found["losses"]["W1 b1 W2 b2"]
    assert found["collected"] == whole == numbers("step43")[0]["tanh, random start"]["loss"]
    assert found["losses"]["-- -- W2 b2"] > 50 * whole and found["losses"]["W1 b1 -- b2"] > 50 * whole  # 0.54 and 2.4 to 0.005


def test_45_a_name_is_the_way_to_a_part() -> None:
    found = numbers("step45")[0]
    # the plan writes net.blocks[1].fc; in this package the way begins below the network, and a place in a list is a word like any other
    assert found["layers"] == ["", "blocks.0", "blocks.0.fc", "blocks.1", "blocks.1.fc", "out"]
    assert found["walk"] == found["named"] == [f"{layer}.{name}" for layer in ("blocks.0.fc", "blocks.1.fc", "out") for name in "Wb"]
    assert found["message"].startswith("blocks.1.fc: linear: x (5, 12) float32, W (10, 8) float32")


def test_45_the_summary_adds_up() -> None:
    found = numbers("step45")[0]
    rows = [line.split() for line in found["summary"].splitlines()]
    counts = [int(row[-1]) for row in rows[1:-1]]
    assert counts == [0, 0, 12 + 12, 0, 12 * 8 + 8, 8 + 1]
    assert int(rows[-1][-1]) == sum(counts) == found["count"] == 137
    assert found["tree"].count("Block(") == 2 and "fc: Linear(? -> 12)" in found["tree"]


def test_45_the_boxes_of_the_picture_are_the_layers() -> None:
    found = numbers("step45")[0]
    assert found["boxes"] == [["blocks.0", 0], ["blocks.0.fc", 1], ["blocks.1", 0], ["blocks.1.fc", 1], ["out", 0]]
    assert [layer for layer, _ in found["boxes"]] == found["layers"][1:]
    assert found["ran"] == {"blocks.0.fc": ["Linear"], "blocks.0": ["Tanh"], "blocks.1.fc": ["Linear"], "blocks.1": ["Tanh"], "out": ["Linear"]}
    drawn = [node.attrib["data-layer"] for node in ET.fromstring(found["svg"]).iter() if "data-layer" in node.attrib]
    assert drawn == found["layers"][1:]


def test_45_one_loop_trains_them_all() -> None:
    trained = numbers("step45")[0]["trained"]
    assert [one["numbers"] for one in trained.values()] == [2, 37, 193]
    # Calibrated with seeds 0 to 4: one block 0.005 to 0.061, two blocks 0.012 to 0.031; the line is 2.0068.
    assert trained["[]"]["loss"] == pytest.approx(2.0068, abs=1e-3)
    assert trained["[12]"]["loss"] < 0.1 and trained["[12, 12]"]["loss"] < 0.1


PICTURES = {"step37": ["jacobians.png"], "step38": ["moves.png"], "step39": ["sums.png"], "step40": ["stretch.png"], "step41": ["products.png"],
            "step42": ["line.png"], "step43": ["frames.png", "stairs.png"], "step44": ["forgotten.png"],
            "step45": ["network.svg", "network_collapsed.svg"]}


@pytest.mark.parametrize("name", PICTURES)
def test_the_pictures_are_drawn(name: str, tmp_path: Path) -> None:
    if any(file.endswith(".png") for file in PICTURES[name]):
        pytest.importorskip("matplotlib")
    out = tmp_path / "pictures"
    done = command([str(script(name)), "--out", str(out)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout == numbers(name)[1] + f"{name} ok\n"
    assert sorted(file.name for file in out.iterdir()) == PICTURES[name]
    for file in out.iterdir():
        if file.suffix == ".svg":
            assert ET.parse(file).getroot().tag == "{http://www.w3.org/2000/svg}svg"
        else:
            assert file.read_bytes()[:8] == b"\x89PNG\r\n\x1a\n" and file.stat().st_size > 10_000
