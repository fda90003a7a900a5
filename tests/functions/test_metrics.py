"""Metrics: constants, what counts as a prediction, and what happens where nothing can be counted."""

from __future__ import annotations

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.errors import ShapeError


def test_metrics_are_constants() -> None:
    y, t = Variable(np.random.default_rng(0).normal(size=(4, 3))), np.array([0, 1, 2, 1])
    for f in (F.accuracy, lambda y, t: F.top_k_accuracy(y, t, 2), F.confusion_matrix, F.precision, F.recall, F.f1):
        m = f(y, t)
        assert isinstance(m, Variable)
        assert m.creator is None
    assert F.r2(Variable(np.array([1.0, 2.0])), np.array([1.0, 3.0])).creator is None


def test_accuracy_is_zero_dimensional() -> None:
    acc = F.accuracy(np.eye(3), np.array([0, 1, 0]))
    assert acc.shape == ()
    assert float(acc) == pytest.approx(2 / 3)


@pytest.mark.parametrize("t", [np.array([0, 1, 0], np.uint8), np.array([[0], [1], [0]]), Variable(np.array([0, 1, 0])), np.eye(3)[[0, 1, 0]]],
                         ids=["uint8", "column", "Variable", "one-hot"])
def test_accuracy_takes_labels_of_many_kinds(t: object) -> None:
    assert F.accuracy(np.eye(3), t).item() == pytest.approx(2 / 3)


def test_one_score_per_sample_is_refused() -> None:
    with pytest.raises(ShapeError, match=r"accuracy: y \(3, 1\) float64 has one score per sample.*\(y.data > 0\)"):
        F.accuracy(np.array([[0.3], [0.8], [0.1]]), np.array([0, 1, 0]))


@pytest.mark.parametrize(("y", "t"), [(np.zeros((3, 2)), np.zeros(4, int)), (np.zeros(3), np.zeros(3, int)), (np.zeros(3, int), np.zeros(2, int))])
def test_shapes_that_do_not_fit(y: np.ndarray, t: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="must be scores"):
        F.accuracy(y, t)


def test_a_class_that_was_never_predicted_counts_zero() -> None:
    y, t = np.array([0, 0, 0]), np.array([0, 1, 1])
    assert F.precision(y, t, average=None).tolist() == [pytest.approx(1 / 3), 0.0]
    assert F.recall(y, t, average=None).tolist() == [1.0, 0.0]
    assert F.f1(y, t, average=None).tolist() == [0.5, 0.0]


def test_a_class_that_occurs_nowhere_is_left_out_of_the_mean() -> None:
    y, t = np.array([0, 2]), np.array([0, 2])
    assert F.f1(y, t, average=None).tolist() == [1.0, 0.0, 1.0]
    assert F.f1(y, t).item() == 1.0


def test_confusion_matrix_counts_rows_of_truth() -> None:
    m = F.confusion_matrix(np.array([1, 1, 0]), np.array([0, 0, 0]), num_classes=3)
    assert m.tolist() == [[1, 2, 0], [0, 0, 0], [0, 0, 0]]
    assert m.dtype.kind == "i"


@pytest.mark.parametrize(("t", "classes", "message"), [
    ([0, 5], 3, "label 5 is out of range: with 3 classes"), ([0, -1], None, "label -1 is out of range")])
def test_labels_out_of_range(t: list[int], classes: int | None, message: str) -> None:
    with pytest.raises(IndexError, match=f"confusion_matrix: {message}"):
        F.confusion_matrix(np.array([0, 1]), np.array(t), num_classes=classes)


def test_top_k_refuses_impossible_k() -> None:
    with pytest.raises(ValueError, match="k is 5: it must be in 1 to C = 3"):
        F.top_k_accuracy(np.eye(3), np.array([0, 1, 2]))


def test_equal_scores_do_not_count_as_found() -> None:
    assert F.top_k_accuracy(np.zeros((2, 4)), np.array([0, 3]), k=2).item() == 0.0


@pytest.mark.parametrize("f", [F.precision, F.recall, F.f1])
def test_unknown_average(f: object) -> None:
    with pytest.raises(ValueError, match=f"{f.__name__}: average is 'weighted'"):
        f(np.array([0]), np.array([0]), average="weighted")


def test_r2_of_targets_that_do_not_vary() -> None:
    assert F.r2(np.array([2.0, 2.0]), np.array([2.0, 2.0])).item() == 1.0
    assert F.r2(np.array([2.0, 3.0]), np.array([2.0, 2.0])).item() == 0.0


def test_r2_of_the_mean_is_zero() -> None:
    t = np.array([1.0, 2.0, 6.0])
    assert F.r2(np.full(3, 3.0), t).item() == pytest.approx(0.0)
    with pytest.raises(ShapeError, match="same shape"):
        F.r2(t[:, None], t)


def test_nothing_at_all() -> None:
    assert F.accuracy(np.zeros((0, 3)), np.zeros(0, int)).item() == 0.0
    assert F.confusion_matrix(np.zeros((0, 3)), np.zeros(0, int)).tolist() == [[0] * 3] * 3
    assert F.f1(np.zeros((0, 3)), np.zeros(0, int)).item() == 0.0
