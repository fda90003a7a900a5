"""CharLSTM and GPT: what they see, what they remember, what they learn, and what they write."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dezero import models, no_grad, optimizers, test_mode
from dezero.errors import RangeError, ShapeError
from dezero.models import GPT, CharLSTM, text_loss

pytestmark = pytest.mark.seeds
MODELS = {"CharLSTM": lambda: CharLSTM(5, 8, 12), "GPT": lambda: GPT(5, 8, 16, 2, 2)}
both = pytest.mark.parametrize("make", MODELS.values(), ids=MODELS)
PERIOD = [3, 1, 4] * 9


def ids(*shape: int) -> Any:
    return np.random.default_rng(0).integers(0, 5, shape)


def seeded(make: Any) -> Any:
    np.random.seed(0)
    return make()


# -- what they see ----------------------------------------------------------------------------------


@both
def test_no_answer_depends_on_later_ids(make: Any) -> None:
    net, one = seeded(make), ids(3, 8)
    other = one.copy()
    other[:, 5:] = (other[:, 5:] + 1) % 5
    answers = []
    with no_grad(), test_mode():
        for x in (one, other):
            if isinstance(net, CharLSTM):
                net.reset_state()
            answers.append(net(x).data)
    np.testing.assert_allclose(answers[0][:, :5], answers[1][:, :5], atol=1e-6)
    assert (np.abs(answers[0][:, 5:] - answers[1][:, 5:]).max((1, 2)) > 1e-4).all()


@both
def test_answers_depend_on_all_earlier_ids(make: Any) -> None:
    net, one = seeded(make), ids(1, 8)
    other = one.copy()
    other[:, 0] = (other[:, 0] + 1) % 5
    answers = []
    for x in (one, other):
        if isinstance(net, CharLSTM):
            net.reset_state()
        answers.append(net(x).data[0, -1])
    assert np.abs(answers[0] - answers[1]).max() > 1e-6


def test_gpt_reads_its_context_and_no_more() -> None:
    net = seeded(MODELS["GPT"])
    assert net(ids(2, 8)).shape == (2, 8, 5)
    assert net(ids(2, 1)).shape == (2, 1, 5)
    with pytest.raises(RangeError, match=r"GPT: 9 ids in a row: at most 8 \(context\) can be read at once"):
        net(ids(2, 9))
    for wrong in (ids(8), [[1, 2]]):
        with pytest.raises(ShapeError, match=r"GPT: ids are .*: an array \(N, T\) is expected"):
            net(wrong)


@both
def test_ids_outside_the_vocabulary_are_refused(make: Any) -> None:
    with pytest.raises(IndexError):
        seeded(make)(np.array([[5]]))


# -- what the LSTM remembers ------------------------------------------------------------------------


@pytest.mark.parametrize("num_layers", [1, 2])
def test_a_text_in_pieces_gives_what_the_whole_gives(num_layers: int) -> None:
    net = seeded(lambda: CharLSTM(5, 8, 12, num_layers))
    text = ids(3, 9)
    whole = net(text).data
    net.reset_state()
    pieces = [net(text[:, :4]), net(text[:, 4:5]), net(text[:, 5:])]
    np.testing.assert_allclose(np.concatenate([y.data for y in pieces], 1), whole, atol=1e-6)
    net.reset_state()
    steps = [net(text[:, t]).data for t in range(9)]
    np.testing.assert_allclose(np.stack(steps, 1), whole, atol=1e-6)


def test_no_gradient_flows_into_what_an_earlier_call_read() -> None:
    net, text = seeded(MODELS["CharLSTM"]), ids(3, 8)
    for part in (text[:, :4], text[:, 4:]):  # a plain loop, without detach_state
        net.cleargrads()
        text_loss(net(part), part).backward()
    assert net.lstm.Wx.grad is not None


def test_without_state_each_call_starts_anew() -> None:
    net = seeded(lambda: CharLSTM(5, 8, 12, stateful=False))
    text = ids(3, 4)
    assert np.array_equal(net(text).data, net(text).data)
    assert net(ids(2, 4)).shape == (2, 4, 5)  # any batch size comes next
    other = seeded(MODELS["CharLSTM"])
    assert np.array_equal(net(text).data, other(text).data)
    assert not np.array_equal(other(text).data, net(text).data)
    assert net.generate([1, 2], 6, seed=1) == other.generate([1, 2], 6, seed=1)


def test_a_batch_of_another_size_asks_for_a_reset() -> None:
    net = seeded(MODELS["CharLSTM"])
    net(ids(3, 4))
    with pytest.raises(ShapeError, match=r"reset_state\(\)"):
        net(ids(2, 4))
    net.reset_state()
    net(ids(2, 4))


def test_generating_leaves_the_state_as_it_was() -> None:
    net = seeded(MODELS["CharLSTM"])
    net(ids(3, 4))
    h, c = net.lstm.h, net.lstm.c
    net.generate([1], 3, seed=0)
    assert net.lstm.h is h and net.lstm.c is c
    with pytest.raises(IndexError):
        net.generate([1, 9], 3, seed=0)
    assert net.lstm.h is h


def test_the_lstm_writes_what_reading_its_own_text_predicts() -> None:
    net, prompt = seeded(MODELS["CharLSTM"]), [1, 2, 3]
    new = net.generate(prompt, 6, temperature=0)
    net.reset_state()
    logits = net(np.array([prompt + new])).data[0]
    assert new == list(logits[2:-1].argmax(1))


# -- what they write --------------------------------------------------------------------------------


@both
def test_a_seed_decides_and_leaves_the_global_state_alone(make: Any) -> None:
    net = seeded(make)
    before = np.random.get_state()
    texts = [net.generate([1, 2], 12, seed=seed) for seed in (0, 0, 1)]
    after = np.random.get_state()
    assert texts[0] == texts[1] != texts[2]
    assert before[2:] == after[2:] and np.array_equal(before[1], after[1])
    assert all(len(t) == 12 and all(type(i) is int and 0 <= i < 5 for i in t) for t in texts)
    np.random.seed(4)
    one = net.generate([1, 2], 12)
    np.random.seed(4)
    assert net.generate([1, 2], 12) == one


@both
def test_temperature(make: Any) -> None:
    net = seeded(make)
    assert net.generate([1], 8, temperature=0, seed=0) == net.generate([1], 8, temperature=0, seed=1) == net.generate([1], 8, 1e-9, seed=2)
    assert len(set(net.generate([1], 60, temperature=100.0, seed=0))) == 5
    with pytest.raises(ValueError, match=r"generate: temperature is -1: a number >= 0 is expected"):
        net.generate([1], 8, temperature=-1)


@both
def test_prompts(make: Any) -> None:
    net = seeded(make)
    assert net.generate([1], 0, seed=0) == []
    assert net.generate(np.array([1, 2]), 3, seed=0) == net.generate((1, 2), 3, seed=0)
    assert len(net.generate([1, 2] * 20, 3, seed=0)) == 3  # longer than GPT's context
    with pytest.raises(ValueError, match=r"generate: the prompt is empty: at least one id is expected"):
        net.generate([], 3)


@both
def test_generating_draws_no_dropout_and_builds_no_graph(make: Any) -> None:
    del make
    for net in (CharLSTM(5, 8, 12, 2, dropout_ratio=0.5), GPT(5, 8, 16, 2, 1, dropout_ratio=0.5)):
        assert net.generate([1], 10, temperature=0, seed=0) == net.generate([1], 10, temperature=0, seed=0)
        assert net.training


# -- what they learn --------------------------------------------------------------------------------


def test_the_lstm_learns_a_period_of_three() -> None:
    net = seeded(MODELS["CharLSTM"])
    optimizer = optimizers.Adam(0.03).setup(net)
    text = np.array([PERIOD])
    for _ in range(40):
        net.reset_state()
        for start in (0, 13):  # the state goes from the first half to the second
            net.cleargrads()
            loss = text_loss(net(text[:, start:start + 13]), text[:, start + 1:start + 14])
            loss.backward()
            optimizer.update()
    assert float(loss.data) < 0.1
    assert net.generate([3, 1, 4], 9, temperature=0) == [3, 1, 4] * 3


def test_gpt_learns_a_period_of_three() -> None:
    net = seeded(MODELS["GPT"])
    optimizer = optimizers.Adam(0.01).setup(net)
    text = np.array([PERIOD[i:i + 9] for i in range(3)])
    for _ in range(60):
        net.cleargrads()
        loss = text_loss(net(text[:, :-1]), text[:, 1:])
        loss.backward()
        optimizer.update()
    assert float(loss.data) < 0.1
    assert net.generate([3, 1, 4], 15, temperature=0) == [3, 1, 4] * 5  # past the context


def test_text_loss_is_the_mean_over_all_places() -> None:
    z = np.random.default_rng(0).standard_normal((2, 3, 5))
    t = ids(2, 3)
    p = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    expected = -np.log(np.take_along_axis(p, t[..., None], -1)).mean()
    assert float(text_loss(models.text.Variable(z), t).data) == pytest.approx(expected)
