"""Modes: restored at the end of their block, and each thread's and each asyncio task's own."""

import asyncio
import threading

import numpy as np
import pytest

from dezero import Config, Variable, enable_grad, no_grad, using_config
from dezero import test_mode as evaluating


def tracks():
    return (Variable(np.array(1.0)) * 2).creator is not None


def test_no_grad_and_enable_grad_nest():
    assert tracks()
    with no_grad():
        assert not tracks()
        with enable_grad():
            assert tracks()
        assert not tracks()
    assert tracks()


def test_restored_after_an_exception():
    with pytest.raises(RuntimeError), no_grad(), evaluating():
        raise RuntimeError
    assert tracks() and Config.train


def test_as_decorators():
    @no_grad()
    def f():
        return tracks()

    assert not f() and not f() and tracks()


def test_using_config_by_the_books_names():
    with using_config("train", False):
        assert not Config.train
    with using_config("enable_backprop", False):
        assert not Config.enable_backprop and not tracks()
    with pytest.raises(AttributeError, match="enable_backprop, train"):
        using_config("trian", False)
    with pytest.raises(AttributeError, match="no setting"):
        Config.trian = False


def test_config_can_be_set_directly():
    with using_config("train", True), using_config("enable_backprop", True):
        Config.train = Config.enable_backprop = False
        assert not Config.train and not tracks()
    assert Config.train and tracks()


def test_a_thread_has_its_own_modes():
    inside, leave, seen = threading.Event(), threading.Event(), []

    def other():
        with no_grad():
            inside.set()
            leave.wait(10)
            seen.append(tracks())

    thread = threading.Thread(target=other)
    thread.start()
    inside.wait(10)
    seen.append(tracks())
    leave.set()
    thread.join()
    assert seen == [True, False]


def test_an_asyncio_task_has_its_own_modes():
    async def quiet(started, go):
        with no_grad():
            started.set()
            await go.wait()
            return tracks()

    async def main():
        started, go = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(quiet(started, go))
        await started.wait()
        mine = tracks()
        go.set()
        return mine, await task

    assert asyncio.run(main()) == (True, False)


def test_backward_under_no_grad_works():
    x = Variable(np.array(3.0))
    y = x * x
    with no_grad():
        y.backward(create_graph=True)
    assert float(x.grad) == 6 and x.grad.creator is not None
