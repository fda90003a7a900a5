"""The numbers that scripts 17 to 22 promise, and that the framework of step 22 computes what the library computes."""

from __future__ import annotations

import importlib
import math
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero import Variable
from tests.steps.harness import STEPS, command, numbers, script


def imported(name: str, code: str) -> str:
    """What a program prints that imports a script, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        done = command(["-c", f"import sys; sys.path.insert(0, {str(STEPS)!r})\nimport numpy as np\nimport {name} as step\n{code}"], Path(folder))
    assert done.returncode == 0, done.stderr
    return done.stdout


def pictures(name: str) -> dict[str, bytes]:
    """The files that a script saves, by name."""
    pytest.importorskip("matplotlib")
    with tempfile.TemporaryDirectory() as folder:
        # matplotlib keeps a list of fonts at home, and home cannot be written to here
        done = command([str(script(name)), "--out", f"{folder}/out"], Path(folder), {"MPLCONFIGDIR": folder})
        assert done.returncode == 0, done.stderr
        return {path.name: path.read_bytes() for path in Path(folder, "out").iterdir()}


@pytest.fixture(scope="module")
def little() -> Iterator[Any]:
    """The framework of step 22, as a module."""
    sys.path.insert(0, str(STEPS))
    try:
        yield importlib.import_module("step22")
    finally:
        sys.path.remove(str(STEPS))


def test_17_a_box_that_nobody_needs_is_gone_without_the_collector() -> None:
    found, _ = numbers("step17")
    assert found["alive"] == {"step 16": [True, True, False], "now": [True, False, False]}
    code = """
import gc, weakref
gc.disable()
a = step.square(step.Variable(np.array(3.0)))
y = step.square(a)
spies = [weakref.ref(a), weakref.ref(y), weakref.ref(y.creator)]
del a
print([spy() is not None for spy in spies])
y.backward()
del y
print([spy() is not None for spy in spies])"""
    assert imported("step17", code) == "[True, True, True]\n[False, False, False]\n"


def test_17_an_output_that_is_gone_sends_zeros() -> None:
    found, _ = numbers("step17")
    assert found["slopes"] == [18.0, 18.0]
    assert found["gone"] == [False, True]
    code = """
a = step.Variable(np.ones((2, 3), np.float32))
b = step.Variable(np.ones((2, 3), np.float32))
y = step.square(step.SumDiff()(a, b)[1])
y.backward()
print(a.grad.dtype, a.grad.shape, float(a.grad.sum()), b.grad.dtype)"""
    assert imported("step17", code) == "float32 (2, 3) 0.0 float32\n"


def test_17_a_hundred_rounds_need_no_more_memory_than_ten() -> None:
    found, printed = numbers("step17")
    rounds = found["rounds"]
    assert rounds["100"]["boxes"] == [400, 0]
    assert rounds["100"]["peaks"][1] <= 1.2 * rounds["10"]["peaks"][1]  # measured: 9.09 and 9.06 arrays
    assert rounds["100"]["peaks"][0] > 5 * rounds["10"]["peaks"][0]  # the circles of step 16: 805 and 81
    assert found["stays"] == pytest.approx(1.0, abs=0.2)
    assert "9.9 times" in printed


def test_17_a_long_chain_is_taken_down_in_one_go() -> None:
    code = """
x = y = step.Variable(np.array(0.5))
for _ in range(50_000): y = step.add(y, x)
y.backward()
print(float(x.grad))
del y"""
    assert imported("step17", code) == "50001.0\n"


def test_17_the_picture_shows_the_memory() -> None:
    found = pictures("step17")
    assert set(found) == {"memory.png"}
    assert found["memory.png"].startswith(b"\x89PNG")


def test_18_gradients_in_the_middle_are_dropped() -> None:
    found, _ = numbers("step18")
    b = math.exp(0.36)
    assert found["grads"]["False"] == [pytest.approx(1.2 * 2 * b**2, abs=1e-12), None, None, None]
    assert found["grads"]["True"] == pytest.approx([1.2 * 2 * b**2, 2 * b**2, 2 * b, 1.0], abs=1e-12)
    assert found["twice"] == 6.0


def test_18_without_links_nothing_is_kept() -> None:
    found, _ = numbers("step18")
    assert found["creators"] == [None, "Square"]
    peaks = {name: round(peak) for name, (peak, _) in found["memory"].items()}
    left = {name: round(left) for name, (_, left) in found["memory"].items()}
    names = ["there and back, retain_grad=True", "there and back", "only there", "only there, in no_grad()"]
    assert [left[name] for name in names] == [42, 22, 21, 2]
    assert [peaks[name] for name in names] == [43, 24, 21, 3]


def test_18_the_switch_survives_an_error_and_a_block_in_a_block() -> None:
    found, _ = numbers("step18")
    assert found["after_error"] == {"careless": False, "no_grad": True}
    code = """
seen = []
try:
    with step.no_grad():
        with step.using_config("enable_backprop", True): seen.append(step.config.enable_backprop)
        seen.append(step.config.enable_backprop)
        raise KeyError
except KeyError: seen.append(step.config.enable_backprop)
try: step.no_grad().__class__ and step.using_config("enable_backprob", False).__enter__()
except AttributeError: seen.append("no such switch")
print(seen)"""
    assert imported("step18", code) == "[True, False, True, 'no such switch']\n"


def test_18_another_thread_is_not_disturbed() -> None:
    found, _ = numbers("step18")
    assert found["threads"] == {"one for all": False, "each": True}
    code = """
import threading
def train():
    for _ in range(300):
        x = step.Variable(np.array(2.0))
        step.square(step.exp(x)).backward()
        assert x.grad is not None
        slopes.append(float(x.grad))
def answer():
    while threads[0].is_alive():
        with step.no_grad(): assert step.square(step.Variable(np.array(2.0))).creator is None
slopes = []
threads = [threading.Thread(target=train), threading.Thread(target=answer)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(len(slopes), len(set(slopes)))"""
    assert imported("step18", code) == "300 1\n"


def test_19_what_print_shows() -> None:
    found, printed = numbers("step19")
    assert found["texts"] == {
        "a number": "variable(3.0)",
        "a table": "variable([[1. 2. 3.]\n          [4. 5. 6.]])",
        "a long one": "variable([0.000e+00 1.000e+00 2.000e+00 ... 4.997e+03 4.998e+03 4.999e+03])",
        "with name and grad": "variable(3.0, name='x', grad=6.0)",
        "empty": "variable(None)",
        "float32": "variable([1.  2.5], dtype=float32)",
    }
    assert "with name and grad: variable(3.0, name='x', grad=6.0)" in printed


def test_19_the_library_shows_a_box_in_the_same_way() -> None:
    texts = numbers("step19")[0]["texts"]
    x = Variable(np.array(3.0), name="x")
    (x * x).backward()
    boxes = [Variable(np.array(3.0)), Variable(np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])), Variable(np.arange(5000.0)), x, Variable(None),
             Variable(np.array([1.0, 2.5], np.float32))]
    assert [repr(box) for box in boxes] == [*texts.values()]


def test_19_the_box_answers_for_itself() -> None:
    found, _ = numbers("step19")
    assert found["answers"] == {"shape": [2, 3], "ndim": 2, "size": 6, "dtype": "int64", "len": 2}
    assert found["truth"] == {"0.0": ["TypeError", False], "[0.0]": [True, False], "[3.0]": [True, True], "[1.0, 2.0]": [True, "ValueError"]}
    assert found["root"] == pytest.approx(math.sqrt(2), abs=1e-15)
    assert found["message"] == "a Variable of shape (2,) is not one number"
    code = """
x = step.Variable(np.array([1.0, 2.0]))
x.data = np.zeros((3, 1))
try: iter(step.Variable(np.array(1.0)))
except TypeError: print(len(x), x.shape, [y.shape for y in x], float(step.Variable(np.array(2))))"""
    assert imported("step19", code) == "3 (3, 1) [(1,), (1,), (1,)] 2.0\n"


def test_19_rows_send_their_gradient_home() -> None:
    found, _ = numbers("step19")
    assert found["slopes"] == [6.0, 8.0]
    assert found["lost"] is None
    code = """
x = step.Variable(np.array([[1.0, 2.0], [3.0, 4.0]], np.float32))
a, b = x
step.add(step.mul(a, b), a).backward()
print(x.grad.tolist(), x.grad.dtype)"""
    assert imported("step19", code) == "[[4.0, 5.0], [1.0, 2.0]] float32\n"


def test_20_signs_and_words_mean_the_same() -> None:
    found, _ = numbers("step20")
    assert found["words"] == found["signs"] == [7.0, [2.0, 3.0, 1.0], "add(mul(a, b), c)"]
    assert found["order"] == {"a + b * c": ["add(a, mul(b, c))", 11.0], "(a + b) * c": ["mul(add(a, b), c)", 20.0],
                              "a + b + c": ["add(add(a, b), c)", 9.0], "a * (b + a * c)": ["mul(a, add(b, mul(a, c)))", 42.0]}
    assert (found["total"], found["a"], found["slope"]) == (25.0, 3.0, 10.0)
    assert found["errors"] == {"a + 1": "AttributeError", "1 + a": "TypeError", "sum([a, b])": "TypeError"}


def test_20_the_picture_shows_the_graph() -> None:
    found = pictures("step20")
    assert set(found) == {"graph.png"}
    assert found["graph.png"].startswith(b"\x89PNG")


def test_21_all_twelve_combinations_give_a_box_and_keep_float32() -> None:
    found, printed = numbers("step21")
    combinations = found["combinations"]
    others = ["Variable", "array", "2.0", "2", "np.float32(2)", "np.float64(2)"]
    assert set(combinations) == {text for other in others for sign in "+*" for text in (f"x {sign} {other}", f"{other} {sign} x")}
    for text, (kind, dtype, data) in combinations.items():
        assert (kind, dtype) == ("Variable", "float32"), text
        assert data == ([3.0, 4.0, 5.0] if "+" in text else [2.0, 4.0, 6.0]), text
    assert printed.count("Variable float32     Variable float32") == 6
    assert found["dtypes"] == ["float32", "float32"]
    assert found["integers"] == [2.5, 5.0, 7.5]


def test_21_numbers_on_both_sides() -> None:
    found, _ = numbers("step21")
    assert (found["value"], found["slope"], found["total"]) == (17.0, 14.0, 7.5)
    assert found["untold"] == "object"
    assert found["element"] == [10.0, 20.0, 30.0]
    assert found["told"] == [10.0, 40.0, 90.0]
    assert [message.split(":")[1].split()[0] for message in found["messages"]] == ["str", "list"]


def test_21_a_number_takes_the_type_that_the_library_gives_it() -> None:
    code = """
for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64):
    x = step.Variable(np.ones(2, dtype))
    print([str((x * p).dtype) for p in (2, 2.5, np.float64(2.5), np.float32(2.5), True)])"""
    expected = [[str((Variable(np.ones(2, dtype)) * p).dtype) for p in (2, 2.5, np.float64(2.5), np.float32(2.5), True)]
                for dtype in (np.float16, np.float32, np.float64, np.int8, np.int64)]
    assert imported("step21", code).splitlines() == [str(line) for line in expected]


def test_21_words_take_numbers_too() -> None:
    code = """
x = step.Variable(np.float32([1.0, 2.0]).reshape(2))
for y in (step.add(x, 2.0), step.add(2.0, x), step.mul(np.float64(3), x), step.add(1, 2)): print(y)
try: x + 10**400
except OverflowError: print("too big")"""
    expected = ["variable([3. 4.], dtype=float32)"] * 2 + ["variable([3. 6.], dtype=float32)", "variable(3)", "too big"]
    assert imported("step21", code).splitlines() == expected


def test_22_all_signs_have_the_slopes_that_are_tried_out() -> None:
    found, _ = numbers("step22")
    assert {text: point[:2] for text, point in found["point"].items()} == {
        "a - b": [1.0, [1.0, -1.0]], "1 - a": [-2.0, [-1.0, 0.0]], "a / b": [1.5, [0.5, -0.75]],
        "1 / a": [pytest.approx(1 / 3, abs=1e-15), pytest.approx([-1 / 9, 0.0], abs=1e-15)], "abs(-a)": [3.0, [1.0, 0.0]],
        "a ** b": [9.0, pytest.approx([6.0, 9 * math.log(3)], abs=1e-12)], "a ** 2": [9.0, [6.0, 0.0]],
        "2 ** b": [4.0, pytest.approx([0.0, 4 * math.log(2)], abs=1e-12)]}
    for _, slopes, tried in found["point"].values():
        assert slopes == pytest.approx(tried, abs=1e-6)
    assert set(found["worst"]) == {*found["point"], "a @ b"}
    assert max(found["worst"].values()) < 1e-6  # measured: 1.7e-7
    assert found["sigmoid"] == pytest.approx([0.6224593312, 0.2350037122], abs=1e-10)
    assert found["shapes"] == [[3], [3]]


def test_22_comparisons_give_plain_bool_arrays_and_equality_is_identity() -> None:
    found, _ = numbers("step22")
    assert found["answers"] == {"x > 2": ["ndarray", "bool", [False, False, True]], "x >= 2": ["ndarray", "bool", [False, True, True]],
                                "x < x * x": ["ndarray", "bool", [False, True, True]]}
    assert found["same"] is False
    code = """
x, numbers = step.Variable(np.array([1.0, 2.0])), np.array([2.0, 1.0])
for answer in (2 > x, 1 <= x, numbers < x, x < numbers, x <= x, np.float32(1.5) >= x): print(type(answer).__name__, answer.tolist())
print({x: 1}[x], x == x, x != x)"""
    assert imported("step22", code).splitlines() == [
        "ndarray [True, False]", "ndarray [True, True]", "ndarray [False, True]", "ndarray [True, False]", "ndarray [True, True]",
        "ndarray [True, False]", "1 True False"]


@pytest.mark.filterwarnings("error")
def test_22_powers_at_the_edge_are_those_of_the_library(little: Any) -> None:
    for base, exponent in [(-2.0, 2), (0.0, 2), (0.0, 0), (-1.5, 3), (0.0, 1), (2.0, -2), (0.0, 1.5)]:
        grads = []
        box: Any
        for box in (little.Variable, Variable):
            x, z = box(np.array(base)), box(np.array(base))
            c = box(np.array(float(exponent)))
            (x**exponent).backward()
            (z**c).backward()
            grads.append([float(x.grad), float(z.grad), float(c.grad)])
        np.testing.assert_allclose(grads[0], grads[1], rtol=1e-14, err_msg=f"{base} ** {exponent}")


def test_22_tables_and_numbers_on_the_left(little: Any) -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 3)), rng.normal(size=(3, 4))
    pairs = []
    box: Any
    for box in (little.Variable, Variable):
        x, z = box(a), box(b)
        y = (x @ b) * (a @ z) - np.float64(1.5) / (2.0 + abs(x @ z)) + np.ones((2, 4))
        y.backward()
        pairs.append((y.data, *(v if isinstance(v, np.ndarray) else v.data for v in (x.grad, z.grad))))
    for got, expected in zip(*pairs, strict=True):
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-12)
    with pytest.raises(ValueError, match=r"@: two tables are expected, arrays of shape \(3,\) and \(3, 4\) were given"):
        little.Variable(np.ones(3)) @ little.Variable(b)


SHAPES = [(), (3,), (2, 3)]
EXPONENTS = [2, 3, 2.0, -1, 0.5, 1.5, 0, np.float64(-2.0)]


# Where an operation may be used, and what it does: a and b are results, p is a number or an array, q an exponent.
KINDS: list[tuple[Callable[..., bool], Callable[..., Any]]] = [
    (lambda a, b, p, q: True, lambda a, b, p, q: a + b),
    (lambda a, b, p, q: True, lambda a, b, p, q: a - b),
    (lambda a, b, p, q: True, lambda a, b, p, q: a * b),
    (lambda a, b, p, q: least(b) > 0.3, lambda a, b, p, q: a / b),
    (lambda a, b, p, q: a.min() > 0.2 and most(b) < 3, lambda a, b, p, q: a**b),
    (lambda a, b, p, q: a.min() > 0.2 or q in (0, 2, 3), lambda a, b, p, q: a**q),
    (lambda a, b, p, q: a.max() < 5, lambda a, b, p, q: 2**a),
    (lambda a, b, p, q: True, lambda a, b, p, q: -a),
    (lambda a, b, p, q: True, lambda a, b, p, q: abs(a)),
    (lambda a, b, p, q: True, lambda a, b, p, q: a + p),
    (lambda a, b, p, q: True, lambda a, b, p, q: p - a),
    (lambda a, b, p, q: True, lambda a, b, p, q: p * a),
    (lambda a, b, p, q: least(p) > 0.3, lambda a, b, p, q: a / p),
    (lambda a, b, p, q: least(a) > 0.3, lambda a, b, p, q: p / a),
]


def least(x: Any) -> float:
    return float(np.abs(x).min())


def most(x: Any) -> float:
    return float(np.abs(x).max())


class Program:
    """A random computation: arrays to begin with, and operations on them and on earlier results, whose values stay tame."""

    def __init__(self, seed: int, dtype: Any = np.float64) -> None:
        rng = np.random.default_rng(seed)
        shape = SHAPES[seed % 3]
        self.leaves = [np.asarray(rng.uniform(-2.0, 2.0, shape), dtype) for _ in range(rng.integers(1, 5))]
        self.operations: list[tuple[Callable[..., Any], int, int, Any, Any]] = []
        values: list[Any] = [*self.leaves]
        wanted = rng.integers(1, 25)
        while len(self.operations) < wanted:
            i, j = (int(k) for k in rng.integers(len(values), size=2))
            numbers = float(rng.uniform(-2.0, 2.0)), int(rng.integers(-3, 4)), np.float64(rng.uniform(0.5, 2.0))
            p = [*numbers, np.asarray(rng.uniform(-2.0, 2.0, shape), dtype)][rng.integers(4)]
            q = EXPONENTS[rng.integers(len(EXPONENTS))]
            allowed, operation = KINDS[rng.integers(len(KINDS))]
            if allowed(values[i], values[j], p, q) and most(value := operation(values[i], values[j], p, q)) < 50:
                self.operations.append((operation, i, j, p, q))
                values.append(np.asarray(value))

    def run(self, box: Callable[[Any], Any]) -> tuple[Any, list[Any]]:
        """Compute with the boxes of a framework, and go back; gives the result and the boxes at the beginning."""
        leaves = [box(array.copy()) for array in self.leaves]
        values = [*leaves]
        for operation, i, j, p, q in self.operations:
            values.append(operation(values[i], values[j], p, q))
        y = sum(values[1:], values[0])  # nothing is without consequence
        y.backward()
        return y, leaves


def test_22_the_reader_s_framework_computes_what_the_library_computes_on_1000_random_graphs(little: Any) -> None:
    operations = 0
    for seed in range(1000):
        program = Program(seed)
        ours, our_leaves = program.run(little.Variable)
        y, leaves = program.run(Variable)
        assert ours.data.dtype == y.dtype == np.float64
        pairs = [(ours.data, y.data), *((x.grad, z.grad.data) for x, z in zip(our_leaves, leaves, strict=True))]
        for got, expected in pairs:
            assert np.shape(got) == np.shape(expected) == program.leaves[0].shape, f"seed {seed}"
            apart = np.abs(got - expected).max() / max(1.0, np.abs(expected).max())
            assert apart < 1e-12, f"seed {seed}: {got} and {expected}"  # measured: 1.4e-14
        operations += len(program.operations)
    assert operations > 10_000  # 12,757


def test_22_float32_stays_float32_in_random_graphs(little: Any) -> None:
    for seed in range(200):
        program = Program(seed, np.float32)
        ours, our_leaves = program.run(little.Variable)
        y, leaves = program.run(Variable)
        assert ours.data.dtype == y.dtype == np.float32, f"seed {seed}"
        assert all(x.grad.dtype == z.grad.dtype == np.float32 for x, z in zip(our_leaves, leaves, strict=True)), f"seed {seed}"
