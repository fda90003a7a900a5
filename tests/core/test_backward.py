"""backward: what it writes, how often it may run, which order it takes, what it frees, and how it fails."""

import gc
import weakref

import numpy as np
import pytest

import dezero.functions as F
from dezero import Function, Parameter, Variable, grad, no_grad
from dezero.errors import FreedGraphError, IntegerGradientError, ShapeError, UntrackedError


def goldstein(x, y):
    return (1 + (x + y + 1) ** 2 * (19 - 14 * x + 3 * x ** 2 - 14 * y + 6 * x * y + 3 * y ** 2)) * (
        30 + (2 * x - 3 * y) ** 2 * (18 - 32 * x + 12 * x ** 2 + 48 * y - 36 * x * y + 27 * y ** 2))


def test_goldstein_price():
    x, y = Variable(np.array(1.0)), Variable(np.array(1.0))
    goldstein(x, y).backward()
    assert (float(x.grad), float(y.grad)) == (-5376, 8064)


def test_a_variable_used_several_times_adds_up_and_cleargrad_starts_anew():
    x = Variable(np.array(3.0))
    (x + x + x).backward()
    assert float(x.grad) == 3
    (x + x).backward()
    assert float(x.grad) == 5
    x.cleargrad()
    (x + x).backward()
    assert float(x.grad) == 2


def test_diamonds_are_visited_in_the_right_order():
    x = Variable(np.array(2.0))
    a = x ** 2
    (a ** 2 + a ** 2).backward()
    assert float(x.grad) == 64


def test_a_shared_sum_of_sums_is_right():
    a = Variable(np.array(1.0))
    b = a + a
    (b + b).backward()
    assert float(a.grad) == 4


def test_only_leaves_keep_gradients_unless_asked():
    x = Variable(np.array(2.0))
    y = x * 3
    z = y * y
    z.backward()
    assert y.grad is None and z.grad is None
    y = x * 3
    z = y * y
    z.backward(retain_grad=True)
    assert float(y.grad) == 12 and float(z.grad) == 1


def test_starts_from_ones_or_from_the_gradient_that_is_set():
    x = Variable(np.array([1.0, 2.0]))
    (x * x).backward()
    assert np.array_equal(x.grad.data, [2, 4])
    x.cleargrad()
    y = x * x
    y.grad = np.array([1.0, 10.0])
    y.backward()
    assert np.array_equal(x.grad.data, [2, 40])


def test_gradients_of_any_order():
    x = Variable(np.array(2.0))
    y = x ** 5
    for wanted in (80, 160, 240, 240, 120):
        x.cleargrad()
        y.backward(create_graph=True)
        y = x.grad
        assert float(y) == wanted


def test_a_second_backward_of_a_freed_graph_says_so_and_retain_graph_gives_exactly_twice():
    x = Variable(np.array(2.0))
    y = x ** 4
    z = y * y
    z.backward()
    with pytest.raises(FreedGraphError, match="retain_graph"):
        z.backward()
    x.cleargrad()
    z = (x ** 4) * (x ** 4)
    z.backward(retain_graph=True)
    once = float(x.grad)
    z.backward()
    assert float(x.grad) == 2 * once


def test_constants_get_no_gradient_and_cost_none():
    asked = []

    class Spy(Function, op="spy"):
        def forward(self, a, b): return a * b
        def grad_a(self, gy, *, b): asked.append("a"); return gy * b
        def grad_b(self, gy, *, a): asked.append("b"); return gy * a

    w = Parameter(np.array([2.0]))
    Spy()(np.array([3.0]), w).backward()
    assert asked == ["b"] and float(w.grad) == 3
    data = Variable(np.array([3.0]), requires_grad=False)
    Spy()(data, w).backward()
    assert asked == ["b", "b"] and data.grad is None


@pytest.mark.parametrize("make, error, words", [
    (lambda: Variable(np.array(1.0)), UntrackedError, "leaf"),
    (lambda: Variable(np.array(1.0), requires_grad=False) * 2, UntrackedError, "constants"),
    (lambda: Variable(np.array([1, 2])) + 1, IntegerGradientError, "astype"),
    (lambda: Variable(np.array([1.0])).astype(np.int64), IntegerGradientError, "int64"),
])
def test_says_why_there_is_nothing_to_differentiate(make, error, words):
    with pytest.raises(error, match=words):
        make().backward()


def test_a_result_of_no_grad_says_so():
    with no_grad():
        y = Variable(np.array(1.0)) * 2
    with pytest.raises(UntrackedError, match="no_grad"):
        y.backward()


def test_integers_are_constants_beside_floats():
    x, n = Variable(np.array([1.0, 2.0])), Variable(np.array([3, 4]))
    (x * n).sum().backward()
    assert np.array_equal(x.grad.data, [3, 4]) and n.grad is None


def test_gradients_own_their_memory():
    a, b, c = (Variable(np.ones((2, 2))) for _ in range(3))
    y = F.sum((a + b) - c)
    y.backward()
    arrays = [v.grad.data for v in (a, b, c)]
    for i, g in enumerate(arrays):
        assert g.flags.writeable
        assert not any(np.shares_memory(g, h) for h in arrays[i + 1:]) and not np.shares_memory(g, a.data)
    a.grad.data *= 5
    assert np.array_equal(b.grad.data, np.ones((2, 2))) and np.array_equal(c.grad.data, -np.ones((2, 2)))


def test_a_gradient_that_nobody_else_can_reach_is_not_copied():
    made = []

    class Fresh(Function, op="fresh"):
        def forward(self, x): return x * 2.0
        def grad_x(self, gy):
            gx = gy * 2.0
            made.append(weakref.ref(gx))
            return gx

    x = Variable(np.ones(3))
    Fresh()(x).backward()
    assert x.grad.data is made[0]()
    (g,) = grad(Fresh()(x), [x])
    assert g.data is made[1]()


def test_gradients_with_a_graph_are_separate_variables():
    a, b = Variable(np.ones(2)), Variable(np.ones(2))
    (a + b).backward(create_graph=True)
    assert a.grad is not b.grad


def test_a_seed_with_a_history_is_differentiated_through():
    a, b, w = (Variable(np.array([2.0])) for _ in range(3))
    y = a + b
    y.grad = w
    y.backward(create_graph=True)
    assert a.grad is not w
    (b.grad * 3).backward()
    assert float(w.grad) == 3


def test_gradient_keeps_the_leafs_dtype_in_mixed_company():
    a, b = Variable(np.ones(2, np.float32)), Variable(np.ones(2))
    F.sum(a * b).backward()
    assert a.grad.dtype == np.float32 and b.grad.dtype == np.float64


def test_float16_gradients_of_a_broadcast_input_are_summed_in_float32():
    x = Variable(np.zeros(2, np.float16))
    (x + np.zeros((4000, 2), np.float16)).backward()
    assert x.grad.dtype == np.float16 and np.array_equal(x.grad.data, [4000, 4000])


def test_accumulating_leaves_the_earlier_gradient_object_alone():
    x = Variable(np.array([1.0]))
    (x * 2).backward()
    first = x.grad
    (x * 3).backward()
    assert float(first) == 2 and float(x.grad) == 5


def test_nothing_is_left_for_the_collector():
    x = Variable(np.ones(3))
    gc.collect()
    gc.disable()
    try:
        y = F.sum(x * x + 1)
        refs = [weakref.ref(y), weakref.ref(y.creator)]
        y.backward()
        del y
        assert [r() for r in refs] == [None, None]
    finally:
        gc.enable()


def test_what_no_gradient_asks_for_is_not_kept():
    x, t = Variable(np.ones(4)), np.ones(4)
    big = x + t
    ref = weakref.ref(big)
    y = big * 2.0  # wants nothing back
    assert y.creator._kept == (2.0,)
    del big
    assert ref() is None


def test_backward_frees_what_was_kept_and_the_graph_stays_readable():
    x = Variable(np.ones(2), name="x")
    h = x * x
    h.name = "h"
    y = F.sum(h)
    del h
    y.backward()
    assert y.creator._kept is None
    node = y.creator.inputs[0]
    assert node.name == "h" and node.creator.inputs[0] is x and node.creator.generation == 0 and y.creator.generation == 1 and y.generation == 2


def test_inputs_and_outputs_of_a_creator_are_the_live_variables():
    x = Variable(np.array(2.0))
    y = x * 3
    assert y.creator.inputs[0] is x and y.creator.outputs[0]() is y and float(y.creator.inputs[1]) == 3
    again = y.creator.inputs[1]
    assert again.creator is None


def test_unchain_and_unchain_backward():
    x = Variable(np.array(2.0))
    h = x * x
    h.unchain()
    (h * 3).backward()
    assert x.grad is None and float(h.grad) == 3 and h.creator is None
    h = x * x
    y = h * h
    z = y + 1
    z.unchain_backward()
    assert z.creator is not None and y.creator is None and h.creator is None
    z.backward()
    assert x.grad is None and float(y.grad) == 1


def test_hooks_see_the_complete_gradient_once():
    x = Variable(np.array(2.0))
    seen = []
    remove = x.register_hook(lambda g: seen.append(float(g)))
    (x * x + x).backward()
    assert seen == [5.0]
    remove()
    (x * x).backward()
    assert seen == [5.0]


def test_hooks_on_results_may_change_the_gradient():
    x = Variable(np.array([2.0]))
    y = x * 3
    y.register_hook(lambda g: g * 10)
    z = y + y
    z.backward()
    assert float(x.grad) == 60
    y = x * x
    y.register_hook(lambda g: g * 2)
    x.cleargrad()
    y.backward(create_graph=True)
    assert float(x.grad) == 8
    with pytest.raises(ValueError, match="hook"):
        y = x * 3
        y.register_hook(lambda g: np.ones(5))
        y.backward()


def test_a_gradient_of_the_wrong_shape_names_the_op():
    class Wrong(Function, op="wrong"):
        def forward(self, x): return x * 2
        def grad_x(self, gy): return gy.sum()

    with pytest.raises(ShapeError, match="wrong.*x has shape"):
        Wrong()(Variable(np.ones(3))).backward()


def test_a_long_chain_and_a_wide_fan_in():
    import sys
    x = Variable(np.array(1.0))
    limit = sys.getrecursionlimit()
    y = x
    for _ in range(20_000):
        y = y + 1.0
    wide = x * 0.0
    for _ in range(5_000):
        wide = wide + x * 1.0
    sys.setrecursionlimit(200)
    try:
        y.backward()
        g = grad(wide, x, create_graph=True)
        del y
    finally:
        sys.setrecursionlimit(limit)
    assert float(x.grad) == 1 and float(g) == 5_000
