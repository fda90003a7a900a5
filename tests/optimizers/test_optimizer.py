"""What an optimizer updates, in which groups, with which hooks; and the book's way to write one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import Parameter
from dezero.backend import register_module, unregister_module
from dezero.errors import AnomalyError, InputTypeError, StateError
from dezero.optimizers import SGD, AdaGrad, Adam, AdamW, ClipGrad, ClipValue, FreezeParam, MomentumSGD, Optimizer, WeightDecay, global_norm
from tests.strict import StrictArray, to_strict, xp


class Net:
    """The least that an optimizer asks of a layer: ``params``."""

    def __init__(self, **params: Any) -> None:
        self.__dict__.update(params)

    def params(self) -> Any:
        for value in self.__dict__.values():
            yield from value.params() if isinstance(value, Net) else [value]


class NamedNet(Net):
    """A layer that names its parameters too."""

    def named_params(self) -> Any:
        for name, value in self.__dict__.items():
            if isinstance(value, Net):
                yield from ((f"{name}.{inner}", p) for inner, p in value.named_params())  # type: ignore[attr-defined]
            else:
                yield name, value


def parameter(*values: float, grad: Any = 1.0) -> Parameter:
    p = Parameter(np.array(values, dtype=np.float32))
    p.grad = np.full(len(values), grad, np.float32)
    return p


def model() -> NamedNet:
    return NamedNet(encoder=NamedNet(W=parameter(1, 1), b=parameter(1)), head=NamedNet(W=parameter(1, 1), b=parameter(1)))


# -- targets ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("wrap", [lambda p: Net(p=p), lambda p: NamedNet(p=p), lambda p: [p], lambda p: iter([p]), lambda p: {"p": p}, lambda p: p])
def test_a_target_is_a_layer_parameters_or_a_dict(wrap: Any) -> None:
    p = parameter(1, 2)
    optimizer = SGD(0.5)
    assert optimizer.setup(wrap(p)) is optimizer
    for _ in range(2):
        optimizer.update()
    np.testing.assert_array_equal(p.data, [0, 1])


@pytest.mark.parametrize("target", [3, None, "model", [1], [np.zeros(2)], {"a": 2.0}])
def test_another_target_is_refused(target: Any) -> None:
    with pytest.raises(InputTypeError, match=r"SGD\.setup: the target"):
        SGD().setup(target)


def test_a_shared_parameter_is_updated_once() -> None:
    p = parameter(0.8, grad=2.0)
    for target in (Net(a=p, b=p), NamedNet(a=p, b=NamedNet(c=p)), [p, p], {"a": p, "b": p}):
        p.data[...] = 0.8
        SGD(0.1).setup(target).update()
        np.testing.assert_allclose(p.data, [0.6], rtol=1e-6)


def test_parameters_without_array_or_gradient_are_left_alone() -> None:
    lazy, idle, p = Parameter(None), parameter(1), parameter(1)
    idle.cleargrad()
    optimizer = SGD(0.5).setup(Net(lazy=lazy, idle=idle, p=p))
    optimizer.update()
    assert lazy.data is None and idle.data == 1 and p.data == 0.5
    lazy.data = np.zeros(2, np.float32)
    lazy.grad = np.ones(2, np.float32)
    optimizer.update()
    np.testing.assert_array_equal(lazy.data, [-0.5, -0.5])


def test_parameters_that_come_later_or_are_replaced_are_found() -> None:
    net = NamedNet(a=parameter(1))
    optimizer = MomentumSGD(0.5, 0.5).setup(net)
    optimizer.update()
    first = net.__dict__["a"]
    net.b, net.a = parameter(1), parameter(1)  # type: ignore[attr-defined]
    optimizer.update()
    assert first.data == 0.5 and net.a.data == 0.5 and net.b.data == 0.5  # type: ignore[attr-defined]
    assert set(optimizer.state_dict()["arrays"]) == {"v/a", "v/b"}
    params = [parameter(1)]
    optimizer = SGD(0.5).setup(params)
    optimizer.target.append(parameter(1))
    optimizer.update()
    assert [p.data.item() for p in optimizer.target] == [0.5, 0.5]


def test_a_parameter_that_joins_late_gets_the_corrections_of_its_own_first_step() -> None:
    early, late = parameter(0), parameter(0)
    late.cleargrad()
    optimizer = Adam(0.1).setup([early, late])
    for _ in range(20):
        optimizer.update()
    late.grad = np.array([5.0], np.float32)
    optimizer.update()
    np.testing.assert_allclose(late.data, [-0.1], rtol=1e-5)


def test_update_needs_a_target() -> None:
    with pytest.raises(RuntimeError, match=r"SGD\.update: .*call setup\(model\) first"):
        SGD().update()


def test_a_parameter_that_changes_its_shape_is_an_error_where_there_is_state() -> None:
    p = parameter(1, 2)
    optimizer = MomentumSGD().setup({"W": p})
    optimizer.update()
    p.cleargrad()
    p.data = np.ones(3, np.float32)
    p.grad = np.ones(3, np.float32)
    with pytest.raises(StateError, match=r"'v' of parameter 'W' has shape \(2,\), its array has shape \(3,\)"):
        optimizer.update()


def test_state_follows_the_parameter_to_another_device_and_back() -> None:
    p, q = parameter(1, 2), parameter(1, 2)
    moved, stays = (Adam(0.1).setup([x]) for x in (p, q))
    for optimizer in (moved, stays):
        optimizer.update()
    register_module(StrictArray, xp)
    try:
        p._data, p._grad._data = to_strict(p.data), to_strict(p.grad.data)
        moved.update()
        assert all(type(a) is StrictArray for a in moved.state_dict()["arrays"].values())
        p._data, p._grad._data = p.data.get(), p.grad.data.get()
        moved.update()
    finally:
        unregister_module(StrictArray)
    for _ in range(2):
        stays.update()
    np.testing.assert_array_equal(p.data, q.data)


def test_state_follows_the_dtype() -> None:
    p = parameter(1, 2)
    optimizer = MomentumSGD().setup([p])
    optimizer.update()
    p.data = p.data.astype(np.float64)
    optimizer.update()
    assert optimizer.state(p, "v").dtype == np.float64


# -- the book's way ---------------------------------------------------------------------------------


def test_a_subclass_with_update_one_alone_works() -> None:
    class Vanilla(Optimizer):
        def __init__(self, lr: float = 0.01) -> None:
            super().__init__()
            self.lr = lr
            self.seen: list[int] = []

        def update_one(self, param: Any) -> None:
            self.seen.append(id(param))
            param.data -= self.lr * param.grad.data

    p, q = parameter(1), parameter(1)
    q.cleargrad()
    optimizer = Vanilla(0.5).setup(Net(p=p, q=q))
    optimizer.update()
    assert p.data == 0.5 and q.data == 1 and optimizer.seen == [id(p)]
    assert optimizer.state_dict()["scalars"]["options"] == {"rate": 0.5}
    with pytest.raises(TypeError, match="Vanilla has no options for groups"):
        optimizer.add_group([p], lr=1.0)


def test_update_one_may_be_called_by_hand() -> None:
    p = parameter(1)
    SGD(0.5).update_one(p)
    assert p.data == 0.5


def test_a_subclass_without_a_rule_says_so() -> None:
    with pytest.raises(NotImplementedError, match="define update_one"):
        Optimizer().setup([parameter(1)]).update()


def test_adams_rates_are_the_books_names() -> None:
    optimizer = Adam(alpha=0.1)
    assert optimizer.lr == optimizer.alpha == optimizer.rate == 0.1
    optimizer.setup([parameter(1)]).update()
    assert optimizer.lr == pytest.approx(0.1 * np.sqrt(1 - 0.999) / (1 - 0.9)) and optimizer.alpha == 0.1
    optimizer.alpha = 0.2
    assert optimizer.rate == 0.2 and Adam(lr=0.3).alpha == 0.3
    with pytest.raises(AttributeError, match="set alpha, or rate"):
        optimizer.lr = 0.1


@pytest.mark.parametrize("call", [lambda: SGD(-1), lambda: SGD(float("nan")), lambda: Adam(beta1=1.0), lambda: MomentumSGD(momentum=-0.1),
                                  lambda: AdamW(weight_decay=-1), lambda: ClipGrad(0), lambda: ClipValue(-1), lambda: WeightDecay(-1)])
def test_numbers_out_of_range_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match="is expected"):
        call()


def test_a_rate_of_numpy_does_not_widen_float32() -> None:
    p = parameter(1)
    optimizer = SGD(np.float64(0.5)).setup([p])
    optimizer.lr = np.float64(0.25)
    optimizer.update()
    assert p.dtype == np.float32 and type(optimizer.lr) is float


def test_the_repr_names_the_options() -> None:
    assert repr(MomentumSGD(0.1)) == "MomentumSGD(lr=0.1, momentum=0.9, nesterov=False, weight_decay=0.0)"


# -- groups -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("select", [
    lambda net: "head", lambda net: "head.", lambda net: "head.*", lambda net: "h??d.[Wb]", lambda net: net.head,
    lambda net: list(net.head.params()), lambda net: [net.head.W, "head.b"], lambda net: (p for p in net.head.params()),
    lambda net: lambda name, p: name.startswith("head"),
])
@pytest.mark.parametrize("late", [False, True])
def test_groups_have_their_own_options(select: Any, late: bool) -> None:
    net: Any = model()
    optimizer = SGD(0.1)
    if late:
        assert optimizer.setup(net).add_group(select(net), lr=0.5) is optimizer
    else:
        optimizer.setup(net, groups=[{"params": select(net), "lr": 0.5}])
    optimizer.update()
    np.testing.assert_allclose([p.data.ravel()[0] for p in net.params()], [0.9, 0.9, 0.5, 0.5], rtol=1e-6)
    optimizer.lr = 0.2
    optimizer.update()
    np.testing.assert_allclose([p.data.ravel()[0] for p in net.params()], [0.7, 0.7, 0.0, 0.0], rtol=1e-6, atol=1e-7)


def test_the_last_group_that_has_an_option_counts() -> None:
    net: Any = model()
    optimizer = SGD(0.1, weight_decay=1.0).setup(net, groups=[{"params": "*.b", "weight_decay": 0.0}, {"params": "head", "lr": 0.5}])
    optimizer.update()
    np.testing.assert_allclose([p.data.ravel()[0] for p in net.params()], [0.8, 0.9, 0.0, 0.5], rtol=1e-6, atol=1e-7)
    assert optimizer.option("lr", net.head.b) == 0.5 and optimizer.option("weight_decay", net.head.b) == 0


def test_group_mistakes_are_told() -> None:
    net: Any = model()
    optimizer = Adam().setup(net)
    with pytest.raises(TypeError, match="momentum: the options are lr, beta1, beta2, eps, weight_decay"):
        optimizer.add_group("head", momentum=0.9)
    with pytest.raises(ValueError, match=r"selects none of the parameters: encoder\.W"):
        optimizer.add_group("haed", lr=0.1)
    with pytest.raises(ValueError, match="does not say which parameters"):
        SGD().setup(net, groups=[{"lr": 0.1}])
    with pytest.raises(InputTypeError, match="selects no parameters"):
        optimizer.add_group(3, lr=0.1)
    with pytest.raises(ValueError, match="lr|rate"):
        optimizer.add_group("head", lr=-1)
    with pytest.raises(ValueError, match="selects none"):
        SGD().add_group("nothing", lr=0.1).setup(net)


def test_a_new_target_forgets_the_groups_of_the_old() -> None:
    optimizer = SGD(0.1).setup(model()).add_group("head", lr=0.5)
    optimizer.setup([parameter(1)])
    assert optimizer.groups == []


# -- hooks ------------------------------------------------------------------------------------------


def test_hooks_run_in_order_on_the_parameters_with_a_gradient() -> None:
    p, idle = parameter(1), parameter(1)
    idle.cleargrad()
    calls = []
    optimizer = SGD(0.5).setup([p, idle])
    optimizer.add_hook(lambda params: calls.append(("a", list(params))))
    optimizer.add_hook(lambda params: calls.append(("b", list(params))))
    optimizer.update()
    assert calls == [("a", [p]), ("b", [p])]
    optimizer.hooks.clear()
    optimizer.update()
    assert len(calls) == 2
    with pytest.raises(TypeError, match="a function of the list of parameters is expected"):
        optimizer.add_hook(3)  # type: ignore[arg-type]


def test_freezing_leaves_layers_and_parameters_alone() -> None:
    net: Any = model()
    optimizer = Adam(0.1).setup(net)
    optimizer.add_hook(FreezeParam(net.encoder, net.head.b))
    optimizer.update()
    assert [p.data.ravel()[0] == 1 for p in net.params()] == [True, True, False, True]
    with pytest.raises(InputTypeError, match="layers and parameters are expected"):
        FreezeParam("head")


def test_weight_decay_is_on_all_or_on_matrices() -> None:
    W, b = Parameter(np.full((2, 2), 2.0)), Parameter(np.full(2, 2.0))
    for skip, expected in ((False, 0.2), (True, 0.0)):
        W.grad, b.grad = np.zeros((2, 2)), np.zeros(2)
        WeightDecay(0.1, skip_vectors=skip)([W, b])
        np.testing.assert_allclose(W.grad.data, 0.2)
        np.testing.assert_allclose(b.grad.data, expected)


def test_clipping_makes_the_norm_of_all_gradients_the_limit() -> None:
    rng = np.random.default_rng(0)
    params = [Parameter(np.zeros(s, np.float32)) for s in ((3, 4), (5,), ())]
    for scale in (1.0, 1e25):  # squares of the second overflow in float32
        for p in params:
            p.grad = np.asarray(rng.normal(size=p.shape) * scale, np.float32)
        before = [p.grad.data.copy() for p in params]
        memory = [p.grad.data for p in params]
        norm = np.sqrt(sum((g.astype(np.float64) ** 2).sum() for g in before))
        assert global_norm(memory) == pytest.approx(norm, rel=1e-6)
        ClipGrad(0.5)(params)
        assert global_norm([p.grad.data for p in params]) == pytest.approx(0.5, rel=1e-5)
        for p, g, m in zip(params, before, memory, strict=True):
            assert p.grad.data is m
            np.testing.assert_allclose(m, g * (0.5 / norm), rtol=1e-5)
        ClipGrad(1.0)(params)
        assert global_norm([p.grad.data for p in params]) == pytest.approx(0.5, rel=1e-5)


def test_clipping_leaves_a_nan_where_it_is() -> None:
    p, q = parameter(1, 1, grad=np.inf), parameter(1, grad=3.0)
    ClipGrad(1.0)([p, q])
    assert q.grad.data == 3
    ClipValue(1.0)([p, q])
    np.testing.assert_array_equal(p.grad.data, [1, 1])


def test_clipping_scales_every_gradient_once() -> None:
    x = Parameter(np.array([3.0, 4.0]))
    y = Parameter(np.array([3.0, 4.0]))
    ((x + y) * np.array([3.0, 4.0])).sum().backward()
    ClipGrad(1.0)([x, y])
    assert global_norm([x.grad.data, y.grad.data]) == pytest.approx(1.0, rel=1e-5)


def test_hooks_work_on_a_device() -> None:
    register_module(StrictArray, xp)
    try:
        p = Parameter(to_strict(np.ones((2, 2), np.float32)))
        p.grad = to_strict(np.full((2, 2), 2.0, np.float32))
        optimizer = AdaGrad(0.1).setup([p], check_finite=True)
        for hook in (WeightDecay(0.5), ClipGrad(1.0), ClipValue(0.25)):
            optimizer.add_hook(hook)
        optimizer.update()
        np.testing.assert_allclose(p.grad.data.get(), 0.25)
        np.testing.assert_allclose(p.data.get(), 0.9, rtol=1e-5)
    finally:
        unregister_module(StrictArray)


# -- gradients that are not finite ------------------------------------------------------------------


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_a_gradient_that_is_not_finite_is_told_by_name(bad: float) -> None:
    net: Any = model()
    net.head.W.grad.data[1] = bad
    optimizer = SGD().setup(net, check_finite=True)
    counts = "1 NaN and 0 infinite" if np.isnan(bad) else "0 NaN and 1 infinite"
    with pytest.raises(AnomalyError, match=rf"the gradient of 'head\.W', \(2,\) float32, has {counts} values at update 1; nothing was updated"):
        optimizer.update()
    assert all((p.data == 1).all() for p in net.params()) and optimizer.t == 0


def test_an_update_with_a_gradient_that_is_not_finite_may_be_left_out() -> None:
    p, q = parameter(1), parameter(1, grad=np.nan)
    optimizer = SGD(0.1).setup([p, q], skip_nonfinite=True)
    optimizer.update()
    assert p.data == 1 and optimizer.t == 0 and optimizer.skipped == 1
    q.grad = np.full(1, 3e38, np.float32)  # large, but a number
    optimizer.update()
    assert p.data < 1 and optimizer.t == 1 and optimizer.skipped == 1
