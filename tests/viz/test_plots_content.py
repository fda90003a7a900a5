"""What the plots show is what was given."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable, as_variable, config
from dezero.errors import ShapeError

pytest.importorskip("matplotlib", reason="matplotlib is not installed")
from dezero.viz.plots import (
    activation_histograms,
    compare_curves,
    confusion_matrix,
    decision_animation,
    decision_boundary,
    decision_grid,
    filters,
    gradient_flow,
    image_grid,
    learning_curves,
    learning_rates,
    mistakes,
)

NAN = float("nan")


def test_loss_is_on_the_left_and_accuracy_on_the_right_axis() -> None:
    figure = learning_curves({"loss": [2.0, 1.0], "val_loss": [2.5, 1.5], "accuracy": [0.1, 0.5], "val_accuracy": [0.2, 0.4]})
    left, right = figure.axes
    assert [list(line.get_ydata()) for line in left.lines] == [[2.0, 1.0], [2.5, 1.5]]
    assert [list(line.get_ydata()) for line in right.lines] == [[0.1, 0.5], [0.2, 0.4]]
    assert [list(line.get_xdata()) for line in left.lines] == [[1, 2], [1, 2]]
    assert len(figure.legends) == 1
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["training loss", "validation loss", "training accuracy", "validation accuracy"]


@pytest.mark.parametrize("names", [["loss"], ["val_loss"], ["loss", "val_loss"], ["accuracy"], ["loss", "val_accuracy"]])
def test_curves_may_be_missing(names: list[str]) -> None:
    figure = learning_curves({name: [0.5, 0.4] for name in names})
    assert len(figure.legends[0].get_texts()) == len(names)
    assert len(figure.axes) == len({name.removeprefix("val_") for name in names})


def test_epochs_without_a_number_are_left_out() -> None:
    figure = learning_curves({"loss": [3.0, 2.0, 1.0], "val_loss": [None, NAN, 1.5]})  # type: ignore[list-item]
    assert [list(line.get_xdata()) for line in figure.axes[0].lines] == [[1, 2, 3], [3]]
    learning_curves({"loss": [NAN, NAN]})
    learning_curves({"loss": [1.0, 1e30, float("inf")]})


def test_few_epochs_have_markers_and_whole_ticks() -> None:
    few, many = learning_curves({"loss": [1.0, 0.5, 0.2]}), learning_curves({"loss": [1.0] * 100})
    assert few.axes[0].lines[0].get_marker() == "o" and many.axes[0].lines[0].get_marker() in ("", "None")
    for n in (1, 2, 3, 7, 100):
        ticks = learning_curves({"loss": [1.0] * n}).axes[0].get_xticks()
        assert all(tick == round(tick) for tick in ticks)


def test_runs_side_by_side() -> None:
    run = {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6], "accuracy": [0.5, 0.9], "live_units": [0.9, 0.6]}
    figure = compare_curves({"lr 0.1": run, "lr 1.5": {"loss": [9.0, NAN], "accuracy": [0.1, 0.1], "live_units": [[0.1, 0.0], [0.0, 0.0]]}})
    assert [axes.get_title() for axes in figure.axes] == ["Loss", "Accuracy", "Share of live ReLUs"]
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["lr 0.1", "lr 1.5 (diverged)", "training", "validation"]
    assert list(figure.axes[2].lines[1].get_ydata()) == [0.05, 0.0]
    assert [axes.get_title() for axes in compare_curves({"a": run}, ["accuracy", "loss"]).axes] == ["Accuracy", "Loss"]


def test_a_run_without_a_name_needs_no_legend() -> None:
    assert compare_curves({"": {"loss": [1.0, 0.5]}}).legends == []
    figure = compare_curves({"": {"loss": [1.0, 0.5], "val_loss": [1.0, 0.6]}})
    assert [t.get_text() for t in figure.legends[0].get_texts()] == ["training", "validation"]


def test_a_loss_that_blows_up_gets_a_logarithmic_axis() -> None:
    assert learning_curves({"loss": [2.3, 1e4, 1e7]}).axes[0].get_yscale() == "log"
    assert learning_curves({"loss": [2.3, 1e-2, 1e-7]}).axes[0].get_yscale() == "linear"


def test_the_best_rate_is_named() -> None:
    runs = {0.1: {"loss": [1.0, 0.5], "accuracy": [0.5, 0.9]}, 0.01: {"loss": [1.0, 0.9], "accuracy": [0.5, 0.6]},
            3.0: {"loss": [1.0, NAN], "accuracy": [0.1, 0.1]}}
    assert learning_rates(runs).axes[1].get_title() == "Best: 0.1"
    assert learning_rates({k: {"loss": h["loss"]} for k, h in runs.items()}).axes[1].get_title() == "Best: 0.1"


def test_the_matrix_counts_true_classes_in_rows() -> None:
    figure = confusion_matrix([1, 1, 0, 2], [0, 1, 0, 2])
    axes = figure.axes[0]
    assert [t.get_text() for t in axes.texts] == ["1", "1", "0", "0", "1", "0", "0", "0", "1"]
    assert np.asarray(axes.images[0].get_array()).tolist() == [[0.5, 0.5, 0], [0, 1, 0], [0, 0, 1]]
    assert "75.0 %" in axes.get_title() and "3 of 4" in axes.get_title()
    assert (axes.get_ylabel(), axes.get_xlabel()) == ("True class", "Predicted class")


def test_scores_may_stand_for_classes() -> None:
    figure = confusion_matrix(np.array([[0.1, 0.9, 0, 0], [0.8, 0.2, 0, 0]]), np.array([[1], [1]]))
    assert len(figure.axes[0].texts) == 16 and "50.0 %" in figure.axes[0].get_title()


def test_images_keep_their_values() -> None:
    grey = np.array([[[0, 128], [255, 64]]], np.uint8)
    assert np.asarray(image_grid(grey).axes[0].images[0].get_array()) == pytest.approx(grey[0] / 255)
    rgb = np.random.default_rng(0).random((2, 3, 4, 5))
    assert np.asarray(image_grid(rgb).axes[0].images[1].get_array()) == pytest.approx(rgb[1].transpose(1, 2, 0))
    stretched = image_grid(np.array([[[-1.0, 3.0]]])).axes[0].images[0]
    assert np.asarray(stretched.get_array()).tolist() == [[0, 1]]
    assert len(image_grid(np.zeros((7, 4, 4)), rows=2, cols=3).axes[0].images) == 6
    assert len(image_grid(np.zeros((7, 4, 4)), rows=2).axes[0].images) == 7


def test_the_worst_mistakes_come_first() -> None:
    p = np.array([[0.6, 0.4], [0.01, 0.99], [0.2, 0.8], [0.9, 0.1]])
    figure = mistakes(np.arange(4.0)[:, None, None] * np.ones((1, 3, 3)) / 3, p, np.array([1, 0, 1, 1]), p, labels=["cat", "dog"])
    assert [t.get_text() for t in figure.axes[0].texts[:3]] == ["dog, not cat\n99.0 %", "cat, not dog\n90.0 %", "cat, not dog\n60.0 %"]
    assert [float(np.asarray(image.get_array())[0, 0]) * 3 for image in figure.axes[0].images] == pytest.approx([1, 3, 0])
    assert "All 3 mistakes in 4 images" in figure.axes[0].texts[-1].get_text()
    assert len(mistakes(np.zeros((4, 3, 3)), p, np.array([1, 0, 1, 1]), p, count=2).axes[0].images) == 2
    assert len(mistakes(np.zeros((4, 3, 3)), [0, 1, 1, 0], [1, 0, 1, 1], [0.6, 0.99, 0.8, 0.9]).axes[0].images) == 3


def test_weights_of_a_linear_layer_are_images_of_its_columns() -> None:
    W = np.arange(32.0).reshape(16, 2)
    shown = filters(W).axes[0].images
    assert np.asarray(shown[1].get_array()).tolist() == W[:, 1].reshape(4, 4).tolist()
    assert np.asarray(filters(np.ones((48, 2))).axes[0].images[0].get_array()).shape == (4, 4, 3)
    assert len(filters(np.ones((100, 1, 3, 3))).axes[0].images) == 64
    assert len(filters(np.ones((4, 5, 3, 3))).axes[0].images) == 20


def test_histograms_tell_zeros_and_what_is_not_finite() -> None:
    figure = activation_histograms({"a": np.array([0.0, 0.0, 2.0, NAN]), "b": np.array([NAN]), "c": np.zeros(0)})
    titles = [axes.get_title() for axes in figure.axes]
    assert "zero 67 %" in titles[0] and "1 not finite" in titles[0] and "no finite value" in titles[1]


def test_flow_marks_what_is_wrong() -> None:
    figure = gradient_flow([("a.W", 1e-9, 1e-8), ("b.W", 0.0, 0.0), ("c.W", NAN, NAN), ("d.W", 0.1, 0.4)])
    assert [t.get_text() for t in figure.axes[0].texts] == ["vanishing", "dead", "exploding"]
    assert [t.get_text() for t in figure.axes[0].get_yticklabels()] == ["a.W", "b.W", "c.W", "d.W"]
    for odd in ([("a", 0.0, 0.0)], [("a", float("inf"), 1.0)], [("a", 1e-300, 1e300)]):
        gradient_flow(odd)


X = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0], [1.0, 1.0]], np.float32)
T = np.array([0, 0, 1, 1])


@pytest.mark.parametrize("predict", [
    lambda p: (p[:, 1] > 0.5).astype(int),
    lambda p: p[:, 1] - 0.5,
    lambda p: p[:, 1:] - 0.5,
    lambda p: 1 / (1 + np.exp(0.5 - p[:, 1])),
    lambda p: np.stack([0.5 - p[:, 1], p[:, 1] - 0.5], 1),
    lambda p: as_variable(p)[:, 1:] - 0.5,
], ids=["classes", "score", "column", "probability", "scores", "variable"])
def test_regions_of_all_kinds_of_answers(predict: Any) -> None:
    figure = decision_boundary(predict, X, T, resolution=41)
    below, above = [c for c in figure.axes[0].collections if c.get_alpha() == 0.25]
    assert below.get_paths()[0].contains_point((0.5, 0.2)) and not below.get_paths()[0].contains_point((0.5, 0.8))
    assert above.get_paths()[0].contains_point((0.5, 0.8))


def test_a_model_is_asked_without_graph_and_in_test_mode() -> None:
    seen = []

    def predict(places: Any) -> Variable:
        mode = config.current()
        seen.append((places.dtype, places.shape, mode.record, mode.train))
        return as_variable(places)

    decision_boundary(predict, X, T, resolution=5)
    assert seen == [(np.float32, (25, 2), False, False)]


def test_one_class_and_one_point_are_drawn() -> None:
    decision_boundary(lambda p: np.zeros(len(p), int), X[:1], T[:1], resolution=5)
    decision_boundary(lambda p: np.full(len(p), 3), X, T, resolution=5)


def test_answers_of_another_length_are_told() -> None:
    with pytest.raises(ShapeError, match=r"predict gave \(3, 2\) float64 for 25 places"):
        decision_boundary(lambda p: np.zeros((3, 2)), X, T, resolution=5)
    with pytest.raises(ShapeError, match="one class for each"):
        decision_boundary(lambda p: p, X, T[:2], resolution=5)


@pytest.mark.parametrize("suffix", [".gif", ".html"])
def test_a_moving_picture(suffix: str, tmp_path: Path) -> None:
    moments = [lambda p, c=c: p[:, 1] - c for c in (0.2, 0.5, 0.8)]
    kept = [f(decision_grid(X, 15)) for f in moments]
    a = decision_animation(moments, X, T, tmp_path / "new" / f"a{suffix}", resolution=15)
    b = decision_animation(kept, X, T, tmp_path / f"b{suffix}", titles=["one", "two", "three"])
    assert a.stat().st_size > 1000 and b.stat().st_size > 1000
    if suffix == ".gif":
        image = pytest.importorskip("PIL.Image", reason="Pillow is not installed")
        with image.open(a) as gif:
            assert gif.n_frames == 3 and gif.info["loop"] == 0
    else:
        page = a.read_text()
        assert page.count("iVBOR") == 3 and "src=\"http" not in page
    with pytest.raises(ValueError, match=r"one of \.gif, \.html"):
        decision_animation(moments, X, T, tmp_path / "a.avi")
    with pytest.raises(ValueError, match="0 frames"):
        decision_animation([], X, T, tmp_path / f"c{suffix}")
