"""Passes: which backward recorded a function, and what stays of it when the backward has ended, or failed."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import weakref
from collections import Counter
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Config, Function, Variable, checkpoint, grad, no_grad
from dezero.config import current, layer_scope
from dezero.core.passes import Place, derivative_order
from dezero.errors import ShapeError
from dezero.viz import collect_graph


def one(value: float = 1.0) -> Variable:
    return Variable(np.array(value))


def orders(y: Variable) -> dict[int, int]:
    """How many functions of each order are behind a result."""
    return dict(Counter(fn.derivative for fn in collect_graph(y).functions))


def in_layers(x: Variable) -> list[Variable]:
    """A chain of three functions in three layers."""
    out = [x]
    for path, f in (("a", F.sin), ("b", F.cos), ("c", F.exp)):
        with layer_scope(path):
            out.append(f(out[-1]))
    return out


@pytest.fixture(autouse=True)
def _modes_stay() -> Any:
    before = current()
    yield
    assert (type(current().layer), current().layer) == (str, before.layer)


@pytest.mark.parametrize("order", range(5))
def test_each_backward_adds_one(order: int) -> None:
    x = one()
    y = F.tanh(x)
    for _ in range(order):
        x.cleargrad()
        y.backward(create_graph=True)
        assert x.grad is not None
        y = x.grad
    assert derivative_order(y.creator) == order == max(orders(y))
    assert orders(y)[0] == 1


def test_what_is_computed_with_a_gradient_is_forward_and_its_gradient_a_second_derivative() -> None:
    x = one(2.0)
    y = F.sin(x) * x
    gx = grad(y, x, create_graph=True)
    loss = y + gx ** 2
    assert derivative_order(loss.creator) == 0 and set(orders(loss)) == {0, 1}
    assert derivative_order(grad(loss, x, create_graph=True).creator) == 2


def test_two_gradients_of_one_graph_are_both_first_derivatives() -> None:
    x, z = one(), one()
    y = F.sin(x * z)
    assert {derivative_order(grad(y, v, create_graph=True).creator) for v in (x, z)} == {1}


def test_ops_whose_gradients_are_composed() -> None:
    x = Variable(np.random.default_rng(0).random((4, 3)))
    for y in (F.softmax_cross_entropy(x, np.array([0, 1, 2, 0])), F.sum(F.layer_norm(x, np.ones(3), np.zeros(3)) ** 2)):
        gx = grad(y, x, create_graph=True)
        assert max(orders(gx)) == 1 == derivative_order(gx.creator)
        assert max(orders(grad(F.sum(gx * gx), x, create_graph=True))) == 2


@pytest.mark.parametrize("nested", [False, True])
def test_a_checkpoint_runs_forward_once_more_within_the_pass(nested: bool) -> None:
    x = one()

    def inner(v: Any) -> Any:
        return F.sin(v) * v

    with layer_scope("block"):
        y = checkpoint(lambda v: checkpoint(inner, F.cos(v)), x) if nested else checkpoint(inner, x)
    gx = grad(y, x, create_graph=True)
    functions = collect_graph(gx).functions
    assert {fn.derivative for fn in functions if fn.name == "Sin" and fn.op == "sin"} >= {0} and set(orders(gx)) == {0, 1}
    assert {fn.layer for fn in functions} == {"block"}
    assert max(orders(grad(gx, x, create_graph=True))) == 2


def test_gradients_have_the_layer_of_what_they_differentiate_as_plain_text() -> None:
    x = one()
    gx = grad(in_layers(x)[-1], x, create_graph=True)
    functions = collect_graph(gx).functions
    assert {fn.layer for fn in functions} == {"a", "b", "c"}
    assert {type(fn.layer) for fn in functions} == {str}


def test_an_error_in_a_formula_names_the_layer_and_leaves_the_modes() -> None:
    class Wrong(Function):
        def forward(self, x: Any) -> Any:
            return x * 2

        def backward(self, gy: Any) -> Any:
            return F.reshape(gy, (7,))

    x = Variable(np.ones((2, 3)))
    with layer_scope("encoder.0"):
        y = F.sum(Wrong()(F.sin(x)))
    with pytest.raises(ShapeError, match=r"^encoder\.0: reshape"):
        y.backward(create_graph=True)
    assert derivative_order(F.sin(x).creator) == 0


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("at", [1, 2, 3])
def test_what_a_hook_sets_stays_set_in_all_layers_after_it(at: int, create_graph: bool) -> None:
    variables, seen = in_layers(one()), []
    variables[at].register_hook(lambda g: setattr(Config, "train", False))
    if at > 1:
        variables[1].register_hook(lambda g: seen.append(Config.train))
    try:
        variables[-1].backward(create_graph=create_graph)
        assert Config.train is False and True not in seen
    finally:
        Config.train = True


def test_a_gradient_that_a_hook_computes_leaves_the_pass_as_it_was() -> None:
    x, z = one(), one()
    variables, inner = in_layers(x), []
    variables[2].register_hook(lambda g: inner.append(grad(in_layers(z)[-1], z, create_graph=True)))
    gx = grad(variables[-1], x, create_graph=True)
    assert max(orders(gx)) == 1 and len(inner) == 1
    assert {fn.layer for fn in collect_graph(gx).functions} == {"a", "b", "c"}


def test_under_no_grad_a_graph_is_made_if_it_is_asked_for() -> None:
    x = one()
    y = F.sin(x)
    with no_grad():
        y.backward(create_graph=True)
        assert not Config.enable_backprop
    assert x.grad is not None and derivative_order(x.grad.creator) == 1


def test_threads_differentiate_one_graph_at_the_same_time() -> None:
    x = one()
    gx = grad(F.tanh(x), x, create_graph=True)
    found = []

    def work() -> None:
        for _ in range(20):
            found.append((orders(grad(gx, x, create_graph=True)), current().layer, type(current().layer)))

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 80 and all(f == found[0] for f in found) and found[0][1:] == ("", str)


def test_copies_of_a_place_and_of_a_graph_know_the_order() -> None:
    x = one()
    ggx = grad(grad(F.tanh(x), x, create_graph=True), x, create_graph=True)
    place = ggx.creator._layer
    assert type(place) is Place
    for other in (copy.copy(place), copy.deepcopy(place), pickle.loads(pickle.dumps(place))):
        assert (type(other), other, other.order.number) == (Place, place, 2)
    graph = collect_graph(ggx)
    assert pickle.loads(pickle.dumps(graph)) == graph == copy.deepcopy(graph)
    assert len(pickle.dumps(graph)) < 5_000


def test_a_graph_with_derivatives_is_gone_as_soon_as_nobody_holds_it() -> None:
    gc.collect()
    gc.disable()
    try:
        x = one()
        y = in_layers(x)[-1]
        y.backward(create_graph=True)
        assert x.grad is not None
        nodes = [weakref.ref(y.creator), weakref.ref(x.grad.creator)]
        x.cleargrad()
        del y
        assert [node() for node in nodes] == [None, None]
    finally:
        gc.enable()
