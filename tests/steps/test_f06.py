"""f06: gradients vanish in deep sigmoid nets; measured layer by layer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from steps.exercises.kit import framework
from tests.steps.harness import numbers, run_script

OTHERS = ("tanh", "ReLU", "ReLU, He")


def found() -> dict[str, Any]:
    return numbers("f06", True)[0]


def test_f06_ten_sigmoids_let_a_millionth_through() -> None:
    assert found()["chain"]["best"] == pytest.approx(9.54e-7, rel=1e-3) == 0.25**10
    assert 0 < found()["chain"]["some"] < 0.25**10


def test_f06_the_gradient_vanishes_in_the_sigmoid_net_only() -> None:
    flow = {name: np.array(row["ratios"]) for name, row in found()["flow"].items()}
    # Ten starts: sigmoid 1.6e-6 to 3.5e-6, tanh 0.4 to 0.9, ReLU 0.7 to 2, ReLU with He 0.6 to 1.
    # The plan's table, with square layers and inputs from a normal distribution: 6.3e-7, 1.3, 0.9, 0.77.
    assert all(len(ratios) == 10 for ratios in flow.values())
    assert flow["sigmoid"].max() < 1e-5
    assert min(flow[name].min() for name in OTHERS) > 0.1


def test_f06_in_the_sigmoid_net_it_falls_from_layer_to_layer() -> None:
    means = np.array(found()["flow"]["sigmoid"]["means"])
    assert len(means) == 10 and (means[:-1] < means[1:]).all()
    assert (means[-1] / means[0]) ** (1 / 9) == pytest.approx(4.3, abs=0.3)


def test_f06_squares_of_the_plan_have_the_same_ratios() -> None:
    f06 = framework("f06")
    measured = {}
    for name, (activation, factor) in f06.NETS.items():
        rng = np.random.default_rng(0)
        weights = [f06.Variable(rng.normal(scale=(factor / 50) ** 0.5, size=(1, 50, 50))) for _ in range(10)]
        h = rng.normal(size=(100, 50))
        for W in weights:
            h = activation(f06.F.matmul(h, W))
        f06.F.sum(h * rng.normal(size=h.shape)).backward()
        first, last = (np.linalg.norm(W.grad.data) for W in (weights[0], weights[-1]))
        measured[name] = first / last
    assert measured["sigmoid"] < 1e-5 and min(measured[name] for name in OTHERS) > 0.1


def test_f06_the_report_and_the_plot_flag_the_four_nets_right() -> None:
    pytest.importorskip("matplotlib")
    from dezero.viz import plots

    f06 = framework("f06")
    x, t, *_ = f06.digits()
    for name in f06.NETS:
        means, arrays = f06.gradients(name, x[:100], t[:100], range(10))
        flagged = found()["flow"][name]["flagged"]
        assert ("layer 1" in flagged) == (name == "sigmoid") and bool(flagged) == (name == "sigmoid")
        texts = [text.get_text() for text in plots.gradient_flow({f"layer {i + 1}": array for i, array in enumerate(arrays)}).axes[0].texts]
        assert texts == ["vanishing"] * len(flagged)
        for start in range(10):
            rows = f06.gradient_flow_report([(f"layer {i + 1}", mean, mean) for i, mean in enumerate(means[:, start])])
            assert (rows[0].flags == ("vanishing",)) == (name == "sigmoid") and not rows[-1].flags


def test_f06_moving_the_first_layer_is_felt_or_not() -> None:
    push = found()["push"]
    assert push["sigmoid"][0] < 1e-6 * push["sigmoid"][1] * 10  # 7e-9 and 5e-3
    assert push["tanh"][0] > 0.05 * push["tanh"][1]  # 6e-4 and 2e-3


def test_f06_who_learns() -> None:
    right = {name: np.array(row["right"]) for name, row in found()["learned"].items()}
    assert right["sigmoid"].max() < 0.15  # 0.10 with each of five starts
    assert min(right["tanh"].min(), right["ReLU, He"].min()) > 0.8  # 0.90 and 0.87
    assert np.median(right["ReLU"]) < 0.7 and right["ReLU"].max() < right["ReLU, He"].min()  # 0.43; 0.74


def test_f06_the_plain_relu_fades_with_depth_and_he_does_not() -> None:
    deep = {name: row["deep"] for name, row in found()["learned"].items()}
    assert deep["ReLU"][0] / deep["ReLU"][3] > 1e5 and deep["sigmoid"][0] / deep["sigmoid"][3] > 1e15
    assert deep["ReLU, He"][0] / deep["ReLU, He"][3] < 20


@pytest.mark.slow
@pytest.mark.parametrize("rate", [0.05, 1.0])
def test_f06_patience_does_not_help(rate: float) -> None:
    f06 = framework("f06")
    assert max(f06.train("sigmoid", f06.digits(), steps=3000, rate=rate)) < 0.15  # 0.10


def test_f06_draws_the_layers(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = run_script("f06", "--out", str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[:-1] == numbers("f06", True)[1].splitlines()
    assert {path.name for path in tmp_path.iterdir()} == {"layers.png", *(f"flow_{name}.png" for name in ("sigmoid", "tanh", "relu", "relu_he"))}
    assert all(path.read_bytes()[:4] == b"\x89PNG" and path.stat().st_size > 8000 for path in tmp_path.iterdir())
