"""Philox: known answers, the same bits in plain array maths and in NumPy's C code, streams with a state, masks that come back."""

from __future__ import annotations

import copy
import json
import threading
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import Philox, Variable, checkpoint, grad
from dezero.backend import kernels_of
from dezero.backend.kernels import REFERENCE
from dezero.backend.random import fresh_seed, keep_mask, normal, philox, random_bits, uniform
from tests.strict import StrictArray
from tests.strict import xp as strict_xp

ONES = (1 << 64) - 1
# Counter, key and answer: the vectors that the authors publish with their code (Random123, philox4x64 10).
KNOWN = [
    ((0, 0, 0, 0), (0, 0), (0x16554d9eca36314c, 0xdb20fe9d672d0fdc, 0xd7e772cee186176b, 0x7e68b68aec7ba23b)),
    ((ONES,) * 4, (ONES, ONES), (0x87b092c3013fe90b, 0x438c3c67be8d0224, 0x9cc7d7c69cd777b6, 0xa09caebf594f0ba0)),
    ((0x243f6a8885a308d3, 0x13198a2e03707344, 0xa4093822299f31d0, 0x082efa98ec4e6c89), (0x452821e638d01377, 0xbe5466cf34e90c6c),
     (0xa528f45403e61d95, 0x38c72dbd566e9788, 0xa5a1610e72fd18b5, 0x57bd43b5e52b7fe6)),
]


@pytest.mark.parametrize(("counter", "key", "answer"), KNOWN)
def test_known_answers(counter: Any, key: Any, answer: Any) -> None:
    assert tuple(int(v[0]) for v in philox([np.array([c], np.uint64) for c in counter], key)) == answer


@pytest.mark.parametrize(("seed", "offset"), [(0, 0), (7, 3), (ONES, 1 << 62), (-1, 5), (1 << 63, (1 << 32) - 3)])
def test_plain_array_maths_and_numpys_code_make_the_same_words(seed: int, offset: int) -> None:
    expected = np.random.Philox(key=seed & ONES, counter=offset).random_raw(36)
    np.testing.assert_array_equal(kernels_of(np).random_words(9, seed, offset), expected)
    np.testing.assert_array_equal(REFERENCE["random_words"](np, 9, seed, offset), expected)
    np.testing.assert_array_equal(kernels_of(strict_xp).random_words(9, seed, offset).get(), expected)
    assert kernels_of(np).random_words(0, seed, offset).size == 0


@pytest.mark.parametrize("n", [0, 1, 15, 16, 33, (1 << 15) - 1, 1 << 15, (1 << 15) + 17, 100_000])
def test_masks_made_in_pieces_are_those_made_at_once(n: int) -> None:
    for dtype in (np.float16, np.float32, np.float64):
        found, expected = kernels_of(np).random_mask((n,), 0.3, dtype, 5, 2), REFERENCE["random_mask"](np, (n,), 0.3, dtype, 5, 2)
        assert found.dtype == expected.dtype == dtype
        np.testing.assert_array_equal(found, expected)


def test_a_draw_is_a_part_of_the_stream() -> None:
    whole = random_bits(np, 40, np.uint64, 9)
    np.testing.assert_array_equal(random_bits(np, 20, np.uint64, 9, offset=5), whole[20:])
    np.testing.assert_array_equal(random_bits(np, 5, np.uint16, 9), whole.view(np.uint16)[:5])


def test_threads_do_not_disturb_each_other() -> None:
    expected = [random_bits(np, 50_000, np.uint64, seed) for seed in range(4)]
    found: list[Any] = [None] * 4

    def draw(i: int) -> None:
        for _ in range(5):
            found[i] = random_bits(np, 50_000, np.uint64, i)

    threads = [threading.Thread(target=draw, args=(i,)) for i in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(f, e)


@pytest.mark.parametrize(("dtype", "digits"), [("float16", 11), ("float32", 24), ("float64", 53), ("bfloat16", 8)])
def test_uniform_is_uniform(dtype: str, digits: int) -> None:
    if dtype == "bfloat16":
        pytest.importorskip("ml_dtypes")
    u = uniform(np, (100_000,), dtype, seed=5)
    assert u.dtype == dtype
    u = u.astype(float)
    assert u.min() >= 0
    assert u.max() < 1
    assert (u * 2.0 ** digits % 1 == 0).all()
    counts = np.histogram(u, 32, (0, 1))[0]
    assert ((counts - 3125) ** 2 / 3125).sum() < 70  # chi squared with 31 degrees of freedom: 1e-4
    assert abs(np.corrcoef(u[:-1], u[1:])[0, 1]) < 0.02


def test_seeds_are_independent() -> None:
    u = np.stack([uniform(np, (20_000,), np.float64, seed) for seed in range(6)])
    assert np.abs(np.corrcoef(u) - np.eye(6)).max() < 0.04
    assert len(np.unique(u)) == u.size


def test_every_bit_is_even() -> None:
    bits = random_bits(np, 40_000, np.uint64, 11)
    share = [((bits >> np.uint64(i)) & np.uint64(1)).mean() for i in range(64)]
    assert np.abs(np.array(share) - 0.5).max() < 0.0125


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_normal_numbers_have_the_moments_of_the_normal_distribution(dtype: Any) -> None:
    z = normal(np, (100_001,), dtype, seed=2)
    assert z.dtype == dtype
    z = z.astype(float)
    np.testing.assert_allclose([z.mean(), z.var(), (z ** 3).mean(), (z ** 4).mean()], [0, 1, 0, 3], atol=0.06)
    assert abs(np.corrcoef(z[:50_000], z[50_000:100_000])[0, 1]) < 0.02  # the cosines and the sines of the same angles
    assert normal(np, (2, 3), dtype, seed=2).shape == (2, 3)
    assert normal(np, (), dtype, seed=2).shape == normal(np, (0, 3), dtype, seed=2).shape[:0] == ()


def test_shapes_of_masks() -> None:
    assert keep_mask(np, (), 0.5, np.float32, 1).shape == ()
    assert keep_mask(np, (0, 3), 0.5, np.float32, 1).shape == (0, 3)
    assert keep_mask(np, (3, 5, 7), 0.5, np.float16, 1).dtype == np.float16
    assert uniform(np, (0,), np.float32, 1).shape == (0,)


# -- Philox -----------------------------------------------------------------------------------------


def draws(g: Philox, xp: Any = np) -> list[Any]:
    return [g.bits(5, np.uint32, xp), g.uniform((2, 3), np.float64, xp), g.normal((3,), np.float32, xp), g.keep_mask((2, 9), 0.5, np.float32, xp)]


def test_no_two_draws_share_a_block_of_the_stream() -> None:
    g, offsets = Philox(3), [0]
    for draw, size in ((lambda: g.bits(5, np.uint32), 20), (lambda: g.bits(8, np.uint64), 64), (lambda: g.uniform((3, 3), np.float64), 72),
                       (lambda: g.normal((3,), np.float32), 16), (lambda: g.normal((3,), np.float64), 32), (lambda: g.keep_mask((17,), 0.5), 34)):
        draw()
        offsets.append(offsets[-1] + -(-size // 32))
        assert g.state == (3, offsets[-1])


def test_a_state_of_two_integers_is_saved_as_json_and_brings_the_same_numbers_back() -> None:
    g = Philox(11)
    g.uniform((7,))
    saved = json.dumps(g.state)
    first = draws(g)
    for again in (Philox(*json.loads(saved)), copy.deepcopy(g)):
        again.state = json.loads(saved)
        for a, b in zip(first, draws(again), strict=True):
            np.testing.assert_array_equal(a, b)


def test_another_modules_arrays_hold_the_same_numbers() -> None:
    for a, b in zip(draws(Philox(4)), draws(Philox(4), strict_xp), strict=True):
        assert isinstance(b, StrictArray)
        np.testing.assert_array_equal(a, b.get())


@pytest.mark.seeds
def test_without_a_seed_numpys_state_decides() -> None:
    np.random.seed(1)
    a = Philox()
    np.random.seed(1)
    assert a.state == (fresh_seed(), 0)


@pytest.mark.parametrize(("state", "error", "words"), [((1,), TypeError, "two integers"), ("ab", TypeError, "two integers"),
                                                       ((1, 0.5), TypeError, "two integers"), ((1, -1), ValueError, "from 0 to 2")])
def test_a_wrong_state_is_refused(state: Any, error: Any, words: str) -> None:
    g = Philox(1)
    with pytest.raises(error, match=words):
        g.state = state
    assert g.state == (1, 0)


# -- dropout ----------------------------------------------------------------------------------------


def test_a_mask_is_replayed_from_a_saved_state() -> None:
    g, x = Philox(5), np.ones((4, 50), np.float32)
    before = np.random.get_state()[2]
    saved = g.state
    first, second = F.dropout(x, 0.4, generator=g).data, F.dropout(x, 0.4, generator=g).data
    assert (first != second).any()
    g.state = saved
    np.testing.assert_array_equal(F.dropout(x, 0.4, generator=g).data, first)
    np.testing.assert_array_equal(first, keep_mask(np, x.shape, 0.4, np.float32, 5))
    assert np.random.get_state()[2] == before, "a generator leaves NumPy's global state alone"


def test_a_layer_draws_from_its_generator_or_from_one_that_layers_share() -> None:
    g = Philox(5)
    net = L.Sequential(L.Dropout(0.5, generator=g), L.Dropout(0.5, generator=g))
    x = np.ones(64)
    first = net(x).data
    assert g.state == (5, 8)
    assert (net(x).data != first).any()
    g.state = (5, 0)
    np.testing.assert_array_equal(net(x).data, first)
    net.eval()
    assert (net(x).data == 1).all()
    assert g.state == (5, 8), "in use nothing is drawn"
    assert "generator=Philox(seed=5, offset=8)" in repr(net)


def test_a_generator_of_another_kind_and_two_sources_are_refused() -> None:
    for make in (lambda **k: F.dropout(np.ones(3), 0.5, **k), lambda **k: L.Dropout(0.5, **k)):
        with pytest.raises(TypeError, match=r"generator is a Generator: a dezero\.Philox is expected"):
            make(generator=np.random.default_rng(0))
        with pytest.raises(ValueError, match="both seed=1 and a generator"):
            make(generator=Philox(1), seed=1)


@pytest.mark.parametrize("create_graph", [False, True])
def test_checkpoint_runs_with_the_same_masks_and_leaves_the_stream_where_it_was(create_graph: bool) -> None:
    x0 = np.linspace(1, 2, 40)

    def run(wrap: Any) -> tuple[Any, Any]:
        g = Philox(8)
        x = Variable(x0)
        y = wrap(lambda x: F.dropout(wrap(lambda x: F.dropout(x, 0.5, generator=g) ** 2, x), 0.3, generator=g), x)
        z = F.dropout(y, 0.2, generator=g)
        state = g.state
        gx = grad(F.sum(z), x, create_graph=create_graph)
        assert g.state == state
        return z.data, gx.data

    for found, expected in zip(run(checkpoint), run(lambda f, x: f(x)), strict=True):
        np.testing.assert_allclose(found, expected)
