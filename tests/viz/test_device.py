"""Drawing what lies on a device: arrays that refuse to mix with NumPy's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.viz import diff, explain, get_dot_graph, get_svg_graph, keep_values, to_html
from tests.strict import to_strict

pytestmark = pytest.mark.usefixtures("strict_device")


def network() -> tuple[Variable, Parameter, Variable]:
    x = Variable(to_strict(np.array([[1.0, -2.0], [3.0, 4.0]])), name="x")
    W = Parameter(to_strict(np.array([[0.5, 1.0, -1.0], [0.25, 1.0, 2.0]])), name="W")
    return x, W, F.softmax_cross_entropy(F.relu(F.matmul(x, W)), to_strict(np.array([0, 2])))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("after", [False, True])
def test_numbers_come_to_the_host(after: bool, kept: bool, tmp_path: Path) -> None:
    if kept:
        with keep_values():
            y = network()[2]
    else:
        y = network()[2]
    if after:
        y.backward(retain_graph=True)
    for text in (get_svg_graph(y, show="value,grad"), get_dot_graph(y, show="value,grad"), y._repr_html_()):
        assert text
    assert ("not computed yet" in get_svg_graph(y, show="value,grad")) is not after
    to_html(y, tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size > 10_000
    assert not diff(y, network()[2])


def test_the_chain_rule_has_the_numbers_of_the_device(capsys: Any) -> None:
    _, W, y = network()
    e = explain(W, y)
    assert e.check() and isinstance(e.value, np.ndarray)
    y.backward()
    assert W.grad is not None
    np.testing.assert_allclose(e.value, W.grad.data.get(), rtol=1e-12)
    assert "gW" in capsys.readouterr().out
