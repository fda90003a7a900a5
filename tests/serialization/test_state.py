"""The table of differences says what differs and guesses what was meant."""

from __future__ import annotations

import numpy as np
import pytest

from dezero.serialization import compare_states

W = np.zeros((2, 3), np.float32)


def test_equal_states_have_no_differences() -> None:
    diff = compare_states({"W": W, "b": None}, {"W": W + 1, "b": np.zeros(3)})
    assert not diff
    assert str(diff) == "no differences"


@pytest.mark.parametrize(("expected", "found", "fits"), [
    (None, W, True), (W, W.astype(np.float64), True), (W, W.astype(np.int64), False), (W, W[0], False), (W, W.T, False), (W, None, False),
    (np.zeros(2, int), np.zeros(2, np.uint8), True), (np.zeros(2, bool), np.zeros(2, np.uint8), False), (((2, 3), np.float32), W, True),
    (((None, 3), np.float32), W, True), (((None, 4), np.float32), W, False), ((None, np.float32), W, True), ((None, int), W, False),
    (((2, 3), None), W, True), (((), np.float32), np.float32(1), True), (None, np.array([None]), False), (None, [1, 2], False),
])
def test_shapes_and_families_of_dtypes_must_fit(expected: object, found: object, fits: bool) -> None:
    diff = compare_states({"x": expected}, {"x": found})
    assert diff.mismatched == (() if fits else ("x",))
    assert bool(diff) != fits


def test_exact_dtype_asks_for_the_same() -> None:
    assert compare_states({"W": W}, {"W": W.astype(np.float64)}, exact_dtype=True).mismatched == ("W",)


def test_the_table_shows_everything_once() -> None:
    expected = {"l0.W": W, "l0.b": np.zeros(3), "l1.gamma": ((None, 4), np.float32)}
    diff = compare_states(expected, {"l0.W": W.T, "l0/b": np.zeros(3), "l1.gamma": np.zeros(5), "x": np.zeros(())})
    assert (diff.missing, diff.unexpected, diff.mismatched) == (("l0.b",), ("l0/b", "x"), ("l0.W", "l1.gamma"))
    assert str(diff).splitlines() == [
        "1 missing, 2 unexpected, 2 mismatched",
        "name      expected          found",
        "l0.b      (3,) float64      -               found as l0/b?",
        "l0/b      -                 (3,) float64    expected as l0.b?",
        "x         -                 () float64",
        "l0.W      (2, 3) float32    (3, 2) float32  transposed?",
        "l1.gamma  (any, 4) float32  (5,) float64",
    ]


@pytest.mark.parametrize(("expected", "found"), [
    ("l0.W", "l0/W"), ("l0.W", "model.l0.W"), ("net.l0.W", "l0.W"), ("conv1.weight", "conv1.weigth"), ("bn.gamma", "BN.gamma"),
])
def test_a_name_that_was_probably_meant_is_told(expected: str, found: str) -> None:
    text = str(compare_states({expected: W}, {found: W, "far.off.name.of.something": W}))
    assert f"found as {found}?" in text and f"expected as {expected}?" in text


def test_names_that_only_end_alike_are_no_hint() -> None:
    assert "?" not in str(compare_states({"encoder.W": W}, {"out.W": W}))


def test_a_large_table_is_cut_and_every_kind_is_seen() -> None:
    expected = {f"a{i}.W": W for i in range(3000)} | {"x": W}
    found = {f"{i}.running_mean_of_it": W for i in range(3000)} | {"x": W.T}
    text = str(compare_states(expected, found))
    assert text.startswith("3000 missing, 3000 unexpected, 1 mismatched")
    assert len(text.splitlines()) <= 45 and text.endswith("more") and "transposed?" in text and "a0.W" in text and "0.running" in text


def test_names_from_strange_files_stay_on_their_line() -> None:
    text = str(compare_states({}, {"a\nb\x1b[31m": W, "x" * 10_000: W}))
    assert len(text.splitlines()) == 4 and "\x1b" not in text and len(text) < 800
