"""Each optimizer does what its formula says, in every float dtype, in place, on the host and on the stand-in for a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from dezero import Parameter
from dezero.backend import optimize_numpy, register_module, unregister_module
from dezero.backend.kernels import REFERENCE
from tests.optimizers.oracles import RULES, STEPS, problem
from tests.strict import StrictArray, to_strict, xp

rules = pytest.mark.parametrize("name", RULES)
TOLERANCE = {np.float64: 1e-11, np.float32: 3e-5}


def train(optimizer: Any, params: list[Any], gradients: Any, steps: int = STEPS) -> None:
    for gs in gradients[:steps]:
        for p, g in zip(params, gs, strict=True):
            p.grad = g.copy()
        optimizer.update()


@rules
@pytest.mark.parametrize("dtype", TOLERANCE)
def test_a_rule_equals_its_formula_over_many_steps(name: str, dtype: Any) -> None:
    make, oracle, _ = RULES[name]
    starts, gradients = problem(dtype)
    params = [Parameter(a.copy()) for a in starts]
    memory = [p.data for p in params]
    train(make().setup(params), params, gradients)
    for k, (p, start) in enumerate(zip(params, starts, strict=True)):
        expected, state = start.astype(np.float64), {}
        for i, gs in enumerate(gradients):
            expected = oracle(expected, gs[k].astype(np.float64), state, i + 1)
        assert p.data is memory[k] and p.dtype == dtype
        tolerance = TOLERANCE[dtype] * (10 if name == "rmsprop_all" else 1)  # a difference of squares under its root
        np.testing.assert_allclose(p.data, expected, rtol=tolerance, atol=tolerance)


@rules
def test_half_precision_is_the_rounded_float32_at_every_step(name: str) -> None:
    starts, gradients = problem(np.float16)
    half, single = [Parameter(a.copy()) for a in starts], [Parameter(a.astype(np.float32)) for a in starts]
    ours, theirs = RULES[name][0]().setup(half), RULES[name][0]().setup(single)
    for gs in gradients:
        train(ours, half, [gs])
        train(theirs, single, [[g.astype(np.float32) for g in gs]])
        for p, q in zip(half, single, strict=True):
            assert p.dtype == np.float16
            np.testing.assert_array_equal(p.data, q.data.astype(np.float16))
    assert all(a.dtype == np.float32 for a in ours.state_dict()["arrays"].values())


@rules
def test_a_device_gives_the_same_as_the_host(name: str) -> None:
    starts, gradients = problem(np.float32)
    host, device = [Parameter(a.copy()) for a in starts], []
    train(RULES[name][0]().setup(host), host, gradients)
    register_module(StrictArray, xp)
    try:
        device = [Parameter(to_strict(a)) for a in starts]
        train(RULES[name][0]().setup(device), device, [[to_strict(g) for g in gs] for gs in gradients])
    finally:
        unregister_module(StrictArray)
    for p, q in zip(host, device, strict=True):
        np.testing.assert_allclose(p.data, q.data.get(), rtol=1e-6, atol=1e-7)


@rules
def test_the_gradient_is_only_read(name: str) -> None:
    starts, gradients = problem()
    params = [Parameter(a.copy()) for a in starts]
    optimizer = RULES[name][0]().setup(params)
    for gs in gradients[:3]:
        for p, g in zip(params, gs, strict=True):
            g.flags.writeable = False
            p.grad = g
        optimizer.update()


@rules
@pytest.mark.parametrize("layout", ["C", "F", "mixed", "strided"])
def test_blocks_give_the_bits_of_the_whole(name: str, layout: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    found = []
    for block in (7, 1 << 30):
        monkeypatch.setattr(optimize_numpy, "BLOCK", block)
        rng = np.random.default_rng(0)
        start, gs = rng.normal(size=(6, 5)).astype(np.float32), rng.normal(size=(4, 6, 5)).astype(np.float32)
        p = Parameter({"C": start, "F": np.asfortranarray(start), "mixed": start, "strided": np.repeat(start, 2, 1)[:, ::2]}[layout])
        optimizer = RULES[name][0]().setup([p])
        train(optimizer, [p], [[np.asfortranarray(g) if layout in ("F", "mixed") else g] for g in gs], 4)
        found.append(p.data)
    np.testing.assert_array_equal(*found)


@settings(max_examples=25, deadline=None)
@given(name=st.sampled_from(list(RULES)), dtype=st.sampled_from([np.float16, np.float32, np.float64]),
       shape=hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4), steps=st.integers(1, 4), seed=st.integers(0, 99))
def test_no_update_changes_the_dtype_or_the_memory(name: str, dtype: Any, shape: Any, steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    p = Parameter(np.asarray(rng.normal(size=shape), dtype))
    memory = p.data
    optimizer = RULES[name][0]().setup([p])
    for _ in range(steps):
        p.grad = np.asarray(rng.normal(size=shape), dtype)
        optimizer.update()
    assert p.data is memory and p.dtype == dtype and np.isfinite(memory).all()


@rules
@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.torch
def test_a_rule_equals_pytorchs(name: str, dtype: Any) -> None:
    torch = pytest.importorskip("torch")
    if RULES[name][2] is None:
        pytest.skip("PyTorch has no such optimizer")
    theirs, arguments = RULES[name][2]
    starts, gradients = problem(dtype)
    params = [Parameter(a.copy()) for a in starts]
    train(RULES[name][0]().setup(params), params, gradients)
    tensors = [torch.tensor(a, requires_grad=True) for a in starts]
    optimizer = getattr(torch.optim, theirs)(tensors, **arguments)
    for gs in gradients:
        for p, g in zip(tensors, gs, strict=True):
            p.grad = torch.tensor(g)
        optimizer.step()
    tolerance = TOLERANCE[dtype] * (10 if name == "rmsprop_all" else 1)
    if name == "nadam":  # PyTorch keeps the product of its momenta in float32
        tolerance = max(tolerance, 1e-7)
    for p, q in zip(params, tensors, strict=True):
        np.testing.assert_allclose(p.data, q.detach().numpy(), rtol=tolerance, atol=tolerance)


@pytest.mark.torch
@pytest.mark.parametrize("name", ["Adam", "AdamW", "NAdam", "RAdam", "AdaDelta", "RMSprop"])
def test_the_defaults_are_pytorchs(name: str) -> None:
    torch = pytest.importorskip("torch")
    import dezero.optimizers
    ours = getattr(dezero.optimizers, name)()
    theirs = getattr(torch.optim, {"AdaDelta": "Adadelta"}.get(name, name))([torch.zeros(1)]).defaults
    assert ours.rate == theirs["lr"] and ours.eps == theirs["eps"] and ours.weight_decay == theirs["weight_decay"]
    if "betas" in theirs:
        assert (ours.beta1, ours.beta2) == theirs["betas"]
    if name == "NAdam":
        assert ours.momentum_decay == theirs["momentum_decay"]


def test_a_centred_variance_that_rounding_made_negative_gives_no_nan() -> None:
    p, v, mean = (np.zeros(4, np.float32) for _ in range(3))
    g = np.full(4, 0.3, np.float32)
    for _ in range(200):
        REFERENCE["rmsprop_step"](np, p, g, v, mean, None, 1e-3, 0.9, 1e-8, 0.0)
    assert np.isfinite(p).all()
