"""Script w12: pictures of real runs. What is counted is what is drawn, and what a graph reaches is where gradients arrive."""

from __future__ import annotations

import importlib
import tempfile
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import dezero.functions as F
from dezero.models import VAE
from steps.support import FOLDERS
from tests.steps.harness import numbers, run_script

# nodes, functions, parameters of the run; nodes and frames of the picture
COUNTS = {"attention": (21, 8, 3, 21, 0), "heads": (35, 13, 8, 35, 4), "block": (57, 20, 16, 17, 0), "transformer": (688, 245, 197, 11, 0),
          "game": (82, 31, 14, 28, 0), "autoencoder": (35, 11, 10, 25, 2), "penalty": (34, 14, 3, 34, 0)}


def found() -> dict[str, Any]:
    return numbers("w12", fast=True)[0]


@pytest.fixture
def w12(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The script as a module."""
    for folder in FOLDERS.values():
        monkeypatch.syspath_prepend(str(folder))
    return importlib.import_module("w12")


@pytest.mark.parametrize("name", COUNTS)
def test_w12_pictures_are_xml_and_show_what_was_counted(name: str) -> None:
    counts = found()["pictures"][name]
    assert tuple(counts[key] for key in ("nodes", "functions", "parameters", "drawn", "frames")) == COUNTS[name]
    assert counts["counted"] == counts["drawn"]
    picture = ElementTree.fromstring(found()["svg"][name])
    assert picture.tag == "{http://www.w3.org/2000/svg}svg"
    assert sum(element.get("class", "").startswith("node ") for element in picture.iter()) == counts["drawn"]


def test_w12_pictures_have_the_names_that_were_given() -> None:
    texts = {name: {element.text for element in ElementTree.fromstring(svg).iter() if element.tag.endswith("}text")}
             for name, svg in found()["svg"].items()}
    assert {"words", "Q", "K", "V", "WQ", "WK", "WV", "scores", "weights", "y", "Softmax"} <= texts["attention"]
    assert any(text and "×12" in text for text in texts["transformer"])
    assert {"noise", "photos", "generator", "discriminator", "generator loss", "discriminator loss"} <= texts["game"]
    assert {"image", "rebuilt image", "mean", "log_var"} <= texts["autoencoder"] and {"gx", "penalty", "∂"} <= texts["penalty"]


def test_w12_attention_is_softmax_of_scores_times_values(w12: Any) -> None:
    assert found()["apart"] < 1e-6
    x, W = w12.noise(5, 8).astype(float), 0.3 * w12.noise(3, 8, 8).astype(float)
    Q, K, V = x @ W
    e = np.exp(Q @ K.T / np.sqrt(8))
    np.testing.assert_allclose(w12.attention()[0].data, e / e.sum(axis=1, keepdims=True) @ V, rtol=0, atol=1e-5)


@pytest.mark.seeds
def test_w12_what_the_graphs_reach_is_where_gradients_arrive(w12: Any) -> None:
    reached = found()["reached"]
    assert list(reached.values()) == [[8, 6], [0, 6], [8, 6], [6, 4], [0, 4]]
    for row, (cut, which) in enumerate(((True, 0), (True, 1), (False, 1))):
        np.random.seed(0)
        net = w12.Game()
        w12.game(cut, net)[which].backward()
        arrived = [sum(p.grad is not None for p in part.params()) for part in (net.generator, net.discriminator)]
        assert arrived == list(reached.values())[row]
    for row, kind in ((3, VAE), (4, w12.CutVAE)):
        np.random.seed(0)
        net = kind(64, (16,), 2)
        F.sum(net(np.abs(w12.noise(4, 64)))).backward()
        names = [name for name, p in net.named_params() if p.grad is not None]
        decoders = sum(name.startswith("decoder") for name in names)
        assert [len(names) - decoders, decoders] == list(reached.values())[row]
    assert found()["cosine"] < -0.95  # -1.00; it is -1 where the discriminator says 1/2 of each image


def test_w12_differences_are_listed() -> None:
    assert found()["norm"][0] == "10 differences: 0 added, 0 removed, 10 changed (functions: 20 -> 20)"
    assert "~ function LayerNorm in norm1: input x: words -> result of Add 1 of 2" in found()["norm"]
    assert found()["cut"][0].startswith("19 differences: 18 added, 0 removed, 1 changed")
    assert all("generator" in line or "noise" in line for line in found()["cut"][1:])


def test_w12_a_paper_gets_light_colours_and_left_to_right() -> None:
    assert found()["dark"] == [True, False]
    assert "rankdir=LR" in found()["dot"] and found()["dot"].startswith("digraph")


def test_w12_saves_a_gallery() -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out"
        done = run_script("w12", "--fast", "--out", str(out))
        assert done.returncode == 0, done.stderr
        assert done.stdout.splitlines()[:-1] == numbers("w12", fast=True)[1].splitlines(), "with --out it prints the same"
        written = {path.name: path.read_text(encoding="utf-8") for path in out.iterdir()}
    assert written.keys() == {*(f"{name}.svg" for name in COUNTS), "paper.svg", "norm.svg", "paper.dot", "attention.html"}
    for name, text in written.items():
        if name.endswith(".svg"):
            assert ElementTree.fromstring(text).tag.endswith("}svg") and text.count('class="node') >= 10
    assert written["attention.html"].startswith("<!DOCTYPE html>") or written["attention.html"].startswith("<!doctype html>")
    assert written["attention.svg"] == found()["svg"]["attention"]
