"""The graph at its edges: cuts, variables that have died, copies, one variable in many places, empty and 0-d arrays, NumPy's calls."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable, grad
from dezero.errors import UntrackedError

X = np.array([0.5, -1.0, 2.0])
A = np.array([[0.3, -0.6, 1.1], [0.2, 0.9, -0.4]])
rng = np.random.default_rng(0)


def leaf(data: Any = X) -> Variable:
    return Variable(np.array(data, dtype=np.float64))


def test_unchain_makes_a_leaf_for_whatever_used_the_variable_already() -> None:
    x = leaf()
    h = x * x
    y = F.sum(h * 3.0)
    h.unchain()
    y.backward()
    assert x.grad is None and np.array_equal(h.grad.data, [3, 3, 3]) and h.creator is None


def test_unchain_a_copy_leaves_the_original_alone() -> None:
    x = leaf()
    h = x * x
    y = F.sum(h * 3.0)
    twin = copy.copy(h)
    twin.unchain()
    y.backward(retain_grad=True)
    assert np.array_equal(x.grad.data, 6 * X) and twin.grad is None and np.array_equal(h.grad.data, [3, 3, 3])


def test_an_unchained_variable_gets_its_gradient_once() -> None:
    x = leaf()
    h = x * x
    y = F.sum(h * 3.0)
    h.unchain()
    y.backward(retain_grad=True)
    assert np.array_equal(h.grad.data, [3, 3, 3])


def test_unchain_one_output_of_several() -> None:
    x = leaf(np.arange(4.0))
    a, b = F.split(x * 1.0, 2)
    y = F.sum(a * a + b * b)
    a.unchain()
    y.backward()
    assert np.array_equal(x.grad.data, [0, 0, 4, 6]) and np.array_equal(a.grad.data, [0, 2])


def test_unchain_backward_cuts_a_trunk_for_all_who_share_it() -> None:
    x, w = leaf(), leaf()
    trunk = x * x
    h = trunk * w
    other = F.sum(trunk * 10.0)
    y = h * 2.0
    y.unchain_backward()
    assert y.creator is not None and h.creator is trunk.creator is None
    y.backward()
    assert x.grad is w.grad is trunk.grad is None and np.array_equal(h.grad.data, [2, 2, 2])
    other.backward()  # trunk is a leaf for this one too
    assert x.grad is None and np.array_equal(trunk.grad.data, [10, 10, 10])
    assert np.array_equal(grad(F.sum(trunk * w), trunk).data, X)


def test_unchain_backward_with_outputs_of_several() -> None:
    x = leaf(np.arange(6.0))
    a, b, c = F.split(x * 2.0, 3)
    y = a * b
    aside = c * 5.0
    y.unchain_backward()
    assert a.creator is b.creator is c.creator is None
    y.backward()
    aside.backward()
    assert x.grad is None and [v.grad.data.tolist() for v in (a, b, c)] == [[4, 6], [0, 2], [5, 5]]
    p, _ = F.split(leaf(np.arange(4.0)), 2)
    p.unchain_backward()
    assert p.creator is not None


def test_unchain_backward_from_an_output_of_several_that_is_the_root() -> None:
    x = leaf(np.arange(4.0))
    h = x * 2.0
    a, b = F.split(h, 2)
    a.unchain_backward()
    assert a.creator is b.creator is not None and h.creator is None
    F.sum(a + b * 2.0).backward()
    assert x.grad is None and h.grad.data.tolist() == [1, 1, 2, 2]


def test_truncated_backpropagation_through_time_frees_the_past() -> None:
    w, h = Parameter(np.array(0.9)), leaf(1.0)
    past = []
    loss = leaf(0.0)
    for t in range(30):
        h = F.tanh(h * w)
        past.append(weakref.ref(h.creator))
        loss = loss + h
        if t % 10 == 9:
            loss.backward()
            loss.unchain_backward()
            assert h.creator is None and [r() for r in past[:-1]] == [None] * t
            loss = leaf(0.0)
    assert past[-1]() is None


def test_a_sum_goes_on_after_backward_and_unchain_backward() -> None:
    w = Parameter(np.array(2.0))
    total = 0
    found = []
    for t in range(3):
        total = total + w * float(t + 1)
        w.cleargrad()
        total.backward()
        total.unchain_backward()
        found.append(float(w.grad))
    assert found == [1, 2, 3] and float(total) == 12 and total.creator is None
    with pytest.raises(UntrackedError):
        total.backward()  # its gradients are taken
    a, b = F.split(leaf(np.arange(4.0)) * 2.0, 2)
    F.sum(a * b).backward()
    a.unchain_backward()
    F.sum(a * a).backward()
    assert np.array_equal(a.grad.data, [0, 4])
    y = w * 3.0
    y.backward(retain_graph=True)
    y.unchain_backward()
    assert y.creator is not None  # nothing was freed


def test_detach_in_the_middle_stops_one_way_only() -> None:
    x = leaf()
    h = x * x
    F.sum(h * h.detach()).backward()
    assert np.allclose(x.grad.data, 2 * X ** 3)


def test_intermediate_variables_may_die() -> None:
    x = leaf()
    a = F.exp(x)
    a.name = "a"
    parts = F.split(a * 2.0, 3)
    y = F.sum(parts[0] * parts[2])
    del a, parts
    gc.collect()
    g = grad(y, x, create_graph=True)
    F.sum(g * g).backward()
    s = np.exp(X[0] + X[2])
    assert np.allclose(g.data, [4 * s, 0, 4 * s]) and np.allclose(x.grad.data, [64 * s * s, 0, 64 * s * s])
    made = y.creator.inputs[0].creator.inputs[0].creator
    assert made.op == "split" and any(r() is None for r in made.outputs)
    exponential = made.inputs[0].creator.inputs[0]
    assert exponential.name == "a" and exponential.creator.inputs[0] is x and exponential.creator.generation == 0 and y.generation == 5


def test_copies_and_pickles_of_parameters_with_gradients_and_hooks() -> None:
    p, seen = Parameter(X.copy(), name="W"), []
    p.register_hook(lambda g: seen.append(1))
    F.sum(p * p).backward(create_graph=True)
    for twin in (copy.deepcopy(p), pickle.loads(pickle.dumps(p)), copy.deepcopy({"a": [p]})["a"][0]):
        assert type(twin) is Parameter and twin.name == "W" and twin.requires_grad and np.array_equal(twin.grad.data, 2 * X)
        assert not np.shares_memory(twin.data, p.data) and not np.shares_memory(twin.grad.data, p.grad.data) and twin.grad.creator is None
        twin.cleargrad()
        F.sum(twin * 3.0).backward()
        assert seen == [1] and twin.grad.data.tolist() == [3, 3, 3]
    a, b = copy.deepcopy([p, p])
    assert a is b
    frozen = copy.deepcopy(Variable(X, requires_grad=False))
    assert not frozen.requires_grad


def test_variables_in_sets_and_dicts() -> None:
    a, b = leaf(), leaf()
    y = a * b
    assert len({a, b, y, a}) == 3 and {a: 1, b: 2}[b] == 2 and a in [b, a] and a not in {b: 1}
    known = weakref.WeakKeyDictionary({a: 1})
    del a, y
    gc.collect()
    assert len(known) == 0


@pytest.mark.parametrize("f, wanted", [
    (lambda x: x - x, 0 * X), (lambda x: x + x, 2 + 0 * X), (lambda x: x * x, 2 * X), (lambda x: x / x, 0 * X), (lambda x: (x * x + 1) ** x, None),
    (lambda x: F.maximum(x, x), 1 + 0 * X), (lambda x: F.matmul(x, x), 2 * X), (lambda x: F.outer(x, x), 2 * X.sum() + 0 * X),
    (lambda x: F.concatenate([x, x, x]), 3 + 0 * X), (lambda x: F.where(X > 0, x, x), 1 + 0 * X),
    (lambda x: F.einsum("i,i,i->", x, x, x), 3 * X ** 2),
    (lambda x: F.index_add(x, 0, x[0]), [2, 1, 1]), (lambda x: F.index_set(x, 0, x[2]), [0, 1, 2]), (lambda x: F.mean_squared_error(x, x), 0 * X),
    (lambda x: F.layer_norm(x, x, x) * X, None), (lambda x: F.linear(x.reshape(1, 3), F.outer(x, x), x), None),
    (lambda x: F.scaled_dot_product_attention(x.reshape(3, 1), x.reshape(3, 1), x.reshape(3, 1)), None),
])
def test_a_variable_as_all_inputs_of_an_op(f: Any, wanted: Any) -> None:
    x = leaf()
    F.sum(f(x)).backward()
    if wanted is None:
        h, v = 1e-6, np.array([0.3, -0.2, 0.7])
        wanted = (F.sum(f(leaf(X + h * v))).data - F.sum(f(leaf(X - h * v))).data) / (2 * h)
        assert np.isclose(np.sum(x.grad.data * v), wanted, rtol=1e-6)
    else:
        assert np.allclose(x.grad.data, wanted)


def test_thousands_of_inputs() -> None:
    x = leaf(1.0)
    xs = [x if i % 3 == 0 else leaf(float(i)) if i % 3 == 1 else 2.0 for i in range(6000)]
    F.sum(F.stack(xs) * np.arange(6000.0)).backward()
    assert float(x.grad) == sum(range(0, 6000, 3)) and float(xs[4].grad) == 4  # type: ignore[union-attr]
    y = F.sum(F.concatenate([x.reshape(1) * float(i) for i in range(3000)]) ** 2)
    g = grad(y, x, create_graph=True)
    assert float(g) == 2 * sum(i * i for i in range(3000)) == float(grad(g, x))


def network(x: Any, w: Any, b: Any) -> Any:
    h = F.tanh(F.linear(x, w, b))
    h = F.concatenate([h, h * 2.0], axis=1)
    p, q = F.split(F.softmax(h), 2, axis=1)
    return F.sum(F.layer_norm(p * q, None, None) ** 2) + F.sum(h[:, ::2]) + F.sum(F.exp(x).reshape(-1)[::-1])


def test_an_empty_batch_through_a_whole_program() -> None:
    x, w, b = leaf(np.zeros((0, 3))), leaf(np.ones((3, 4))), leaf(np.ones(4))
    y = network(x, w, b)
    g = grad(y, [x, w, b], create_graph=True)
    assert float(y) == 0 and [v.shape for v in g] == [(0, 3), (3, 4), (4,)] and not any(v.data.any() for v in g)
    sum((F.sum(v * v) for v in g), start=leaf(0.0)).backward()
    assert x.grad is None or x.grad.shape == (0, 3)


def test_no_dimensions_anywhere() -> None:
    a, b = leaf(0.7), leaf(1.3)
    y = F.exp(a) * F.sum(b) + F.reshape(a, ()) ** 2 - F.where(np.array(True), a, b) + F.stack([a, b])[1]
    y = y + F.concatenate([a.reshape(1), b.reshape(1)]).sum() + a.T + F.transpose(b) + F.clip(a, 0, 1)
    y = y + F.broadcast_to(a, (2,)).mean() + F.max(a) + F.prod(b) + F.logsumexp(a) + F.squeeze(F.expand_dims(b, 0))
    ga, gb = grad(y, [a, b], create_graph=True)
    assert np.isclose(float(ga), np.exp(0.7) * 1.3 + 2 * 0.7 - 1 + 1 + 1 + 1 + 1 + 1 + 1) and np.isclose(float(gb), np.exp(0.7) + 1 + 1 + 1 + 1 + 1)
    assert ga.shape == gb.shape == () and np.isclose(float(grad(ga, a, retain_graph=True)), np.exp(0.7) * 1.3 + 2)
    y.backward()
    assert isinstance(a.grad.data, np.ndarray) and a.grad.data.flags.writeable
    a.grad.data *= 2
    a.data -= 0.1 * a.grad.data
    assert a.shape == ()


@pytest.mark.parametrize("call", [
    lambda np, v: np.sum(v, axis=1, keepdims=True), lambda np, v: np.mean(v, axis=(0, 1)), lambda np, v: np.var(v, ddof=1),
    lambda np, v: np.std(v, axis=0, ddof=1),
    lambda np, v: np.max(v, axis=-1), lambda np, v: np.transpose(v, axes=(1, 0)), lambda np, v: np.concatenate([v, v], axis=1),
    lambda np, v: np.stack((v, v), axis=-1),
    lambda np, v: np.split(v, 3, axis=1)[1], lambda np, v: np.expand_dims(v, axis=0), lambda np, v: np.squeeze(np.expand_dims(v, 0), axis=0),
    lambda np, v: np.flip(v, axis=1), lambda np, v: np.roll(v, shift=1, axis=0), lambda np, v: np.take(v, indices=[0, 2], axis=1),
    lambda np, v: np.tril(v, k=1),
    lambda np, v: np.diagonal(v, offset=1), lambda np, v: np.trace(v, offset=1), lambda np, v: np.cumsum(v, axis=1),
    lambda np, v: np.repeat(v, repeats=2, axis=0),
    lambda np, v: np.tile(v, reps=(2, 1)), lambda np, v: np.moveaxis(v, source=0, destination=1), lambda np, v: np.swapaxes(v, axis1=0, axis2=1),
    lambda np, v: np.prod(v, axis=0), lambda np, v: np.tensordot(v, v, axes=((0, 1), (0, 1))), lambda np, v: np.linalg.norm(v, axis=1),
    lambda np, v: np.clip(v, -0.5, 0.5),
    lambda np, v: np.broadcast_to(v, shape=(2, 2, 3)), lambda np, v: np.take_along_axis(v, np.argsort(v, axis=1), axis=1),
    lambda np, v: np.pad(v, pad_width=1, mode="edge"),
    lambda np, v: np.round(v, decimals=1), lambda np, v: np.average(v, axis=0), lambda np, v: np.einsum("ij,kj->ik", v, v),
])
def test_numpys_calls(call: Any) -> None:
    v = leaf(A)
    y = call(np, v)
    assert isinstance(y, Variable) and y.creator is not None and np.allclose(y.data, call(np, A))
