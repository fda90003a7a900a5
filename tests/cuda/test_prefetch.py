"""Batches copied ahead to the device: the same bytes, no wait left out, nothing overwritten, nothing left hanging."""

from __future__ import annotations

import copy
import gc
import pickle
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
import pytest

import dezero.functions as F
import dezero.layers as L
from dezero import DataLoader, SeqDataLoader, optimizers
from dezero.backend.cuda import prefetch
from dezero.backend.device import Device, device_of, put
from dezero.datasets import ArrayDataset
from dezero.errors import DeviceError, DeviceMemoryError
from dezero.transforms import Compose, RandomCrop, RandomNoise
from tests.cuda.fake_cuda import Stream
from tests.strict import StrictArray

X = np.random.default_rng(0).random((23, 1, 6, 6), dtype=np.float32)
FORMS = pytest.mark.parametrize("workers", [0, 1, 3])


def loader(size: int = 4, **settings: Any) -> DataLoader:
    return DataLoader(ArrayDataset(X, np.arange(23), Compose([RandomCrop(4, 1), RandomNoise(0.1)])), size, **{"seed": 1, **settings})


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("dezero-loader")]


def host(batch: Any) -> Any:
    return [part.get() for part in batch]


# -- the same batches ------------------------------------------------------------------------------

@FORMS
def test_all_batches_of_two_epochs_arrive_as_they_were_made(workers: int, cuda: Any) -> None:
    plain, given = loader(), loader(gpu=True, workers=workers)
    expected = [batch for _ in range(2) for batch in plain]
    kept = []
    for _ in range(2):
        for x, t in given:
            assert device_of(x) == device_of(t) == "cuda:0"
            kept.append((x, t, *host((x, t))))  # read at once, as a kernel would
    assert len(kept) == len(expected)
    for (x, t, x_then, t_then), (a, b) in zip(kept, expected, strict=True):
        for now, then, wanted in ((x, x_then, a), (t, t_then, b)):
            assert now.dtype == wanted.dtype
            np.testing.assert_array_equal(then, wanted)
            np.testing.assert_array_equal(now.get(), wanted, "a batch that was kept has been overwritten")


@FORMS
def test_host_memory_is_used_again_and_a_batch_is_copied_once(workers: int, cuda: Any) -> None:
    given = loader(gpu=True, workers=workers, prefetch=1)
    for _ in range(3):
        for x, t in given:
            del x, t
    del given
    gc.collect()
    assert len(cuda.world.asked_copies) == 3 * 6 * 2
    assert len(cuda.world.pinned) <= prefetch.RING + workers + 3
    assert cuda.world.pool.used == cuda.world.pinned_pool.used == 0


def test_the_next_batch_is_on_its_way_while_this_one_is_worked_on(cuda: Any) -> None:
    asked = []
    for i, _ in enumerate(loader(gpu=True)):
        asked.append(len(cuda.world.asked_copies))
        assert i == 5 or any(stream.queue for stream, _ in cuda.world.written.values()), "the copy of the next batch waits for nothing here"
    assert asked == [4, 6, 8, 10, 12, 12]


def test_parts_of_every_kind(cuda: Any) -> None:
    class Pair(NamedTuple):
        a: Any
        b: Any

    def shaped(x: Any, t: Any, rng: Any) -> Any:
        return {"image": x, "more": Pair(t.astype(bool), [x[:, :, ::2].T, np.float64(3), "word"]), "none": np.zeros((0, 2)), "one": np.array(7)}

    batch = next(iter(loader(23, gpu=True, shuffle=False, batch_transform=shaped)))
    plain = next(iter(loader(23, shuffle=False, batch_transform=shaped)))
    assert list(batch) == list(plain) and type(batch["more"]) is Pair
    pairs = [(batch["image"], plain["image"]), (batch["more"].a, plain["more"].a), (batch["more"].b[0], plain["more"].b[0]),
             (batch["more"].b[1], np.array(3.0)), (batch["none"], plain["none"]), (batch["one"], plain["one"])]
    for found, wanted in pairs:
        assert isinstance(found, StrictArray) and found.dtype == wanted.dtype and found.shape == wanted.shape
        np.testing.assert_array_equal(found.get(), wanted)
    assert batch["more"].b[2] == "word"


@pytest.mark.seeds
def test_half_precision_travels(cuda: Any) -> None:
    bfloat16 = pytest.importorskip("ml_dtypes").bfloat16
    for dtype in (np.float16, bfloat16):
        x, = next(iter(DataLoader([(np.full(3, 1.5, dtype),)] * 4, 4, gpu=True)))
        assert x.dtype == dtype and x.get().astype(np.float32).tolist() == [[1.5] * 3] * 4


def test_streams_of_a_sequence_loader(cuda: Any) -> None:
    data = ArrayDataset(np.arange(7))
    assert [x.get().tolist() for x, _ in SeqDataLoader(data, 3, device="cuda:0")] == [x.tolist() for x, _ in SeqDataLoader(data, 3)]


# -- which device ----------------------------------------------------------------------------------

@FORMS
def test_another_device_by_name(workers: int, cuda: Any) -> None:
    for (x, t), (a, _) in zip(loader(device="cuda:1", workers=workers), loader(), strict=True):
        assert device_of(x) == device_of(t) == "cuda:1" and np.array_equal(x.get(), a)


def test_the_device_may_change_within_a_loop(cuda: Any) -> None:
    given = loader(gpu=True)
    seen = []
    for i, (x, _) in enumerate(given):
        seen.append((device_of(x), (x.get() if isinstance(x, StrictArray) else x).sum()))
        if i == 1:
            given.to_cpu()
        elif i == 3:
            given.to_gpu(1)
    assert [where for where, _ in seen] == ["cuda:0", "cuda:0", "cpu", "cpu", "cuda:1", "cuda:1"]
    assert [total for _, total in seen] == [x.sum() for x, _ in loader()]
    given.to_gpu("cuda:0")
    assert {device_of(x) for x, _ in given} == {"cuda:0"}


def test_settings_of_the_device(cuda: Any) -> None:
    assert loader().device is None and not loader().gpu
    assert loader(gpu=True).device == Device("cuda") and loader(device="gpu").gpu and not loader(device="cpu").gpu
    given = loader()
    given.gpu = True
    assert given.device == Device("cuda")
    with pytest.raises(ValueError, match="DataLoader: gpu is True, and device is 'cpu': give one of the two"):
        loader(gpu=True, device="cpu")
    with pytest.raises(ValueError, match="device is 'tpu': 'cpu', 'gpu', 'cuda', or 'cuda:1'"):
        loader(device="tpu")
    with pytest.raises(DeviceError, match="cuda:7 is asked for: there are 2 CUDA devices"):
        next(iter(loader(device="cuda:7")))


def test_without_streams_batches_are_put_one_by_one(emulated: Any) -> None:
    for workers in (0, 2):
        for (x, _), (a, _) in zip(loader(gpu=True, workers=workers), loader(), strict=True):
            assert isinstance(x, StrictArray) and np.array_equal(x.get(), a)


# -- leaving a loop ---------------------------------------------------------------------------------

def left(given: DataLoader, how: str) -> None:
    for i, _ in enumerate(given):
        if i == 1 and how == "break":
            break
        if i == 1:
            raise {"error": ValueError, "ctrl-c": KeyboardInterrupt}[how]


@FORMS
@pytest.mark.parametrize("how", ["break", "error", "ctrl-c"])
def test_a_loop_that_is_left_leaves_nothing_behind(how: str, workers: int, cuda: Any) -> None:
    given = loader(gpu=True, workers=workers)
    for _ in range(3):
        try:
            left(given, how)
        except (ValueError, KeyboardInterrupt):
            pass
        gc.collect()
        assert not threads() and cuda.world.pool.used == 0
    assert sum(1 for _ in given) == 6
    del given
    gc.collect()
    assert cuda.world.pinned_pool.used == 0


@FORMS
def test_an_error_in_a_batch_comes_when_it_is_its_turn(workers: int, cuda: Any) -> None:
    class Broken(ArrayDataset):
        def gather(self, indices: Any, rng: Any = None) -> Any:
            if 9 in indices:
                raise KeyError("broken file")
            return super().gather(indices, rng)

    seen = []
    given = DataLoader(Broken(X, np.arange(23)), 4, False, gpu=True, workers=workers)
    with pytest.raises(KeyError, match="broken file") as caught:
        for _, t in given:
            seen.append(t.get().tolist())
    assert seen == [[0, 1, 2, 3], [4, 5, 6, 7]] and "in batch 2 of epoch 0" in caught.value.__notes__[0]
    assert given.iteration == 2 and not threads()


@FORMS
def test_ctrl_c_while_a_batch_is_made(workers: int, cuda: Any) -> None:
    class Stopped(ArrayDataset):
        def gather(self, indices: Any, rng: Any = None) -> Any:
            if 9 in indices:
                raise KeyboardInterrupt
            return super().gather(indices, rng)

    given = DataLoader(Stopped(X, np.arange(23)), 4, False, gpu=True, workers=workers)
    with pytest.raises(KeyboardInterrupt):
        for _ in given:
            pass
    assert not threads()


def test_a_loop_inside_of_a_loop_has_a_way_of_its_own(cuda: Any) -> None:
    given = loader(gpu=True, shuffle=False)
    outer = iter(given)
    first = next(outer)[0]
    inner = [x for x, _ in given]
    with pytest.raises(Exception, match="make a second loader"):
        list(outer)
    assert len(inner) == 6 and all(not np.isnan(x.get()).any() for x in (first, *inner))


@FORMS
def test_next_inside_of_a_loop_skips_what_was_made_ahead(workers: int, cuda: Any) -> None:
    given, expected = loader(gpu=True, workers=workers), [t.tolist() for _, t in loader()]
    seen = []
    for _, t in given:
        seen.append(t.get().tolist())
        if len(seen) < 6:
            seen.append(next(given)[1].get().tolist())
    assert seen == expected


def test_slow_batches_that_are_skipped_do_not_write_into_others(cuda: Any) -> None:
    class Slow(ArrayDataset):
        def gather(self, indices: Any, rng: Any = None) -> Any:
            time.sleep(0.003 * (int(indices[0]) % 3))
            return super().gather(indices, rng)

    x = np.arange(120, dtype=np.float32)
    given = DataLoader(Slow(x, x.astype(int)), 2, False, gpu=True, workers=4, prefetch=1)
    seen = []
    for a, b in given:
        seen.append((a, b))
        for _ in range(3):
            if given.iteration < given.max_iter:
                seen.append(next(given))
    np.testing.assert_array_equal(np.concatenate([a.get() for a, _ in seen]), x)
    np.testing.assert_array_equal(np.concatenate([b.get() for _, b in seen]), x)


# -- where the loader is -----------------------------------------------------------------------------

@FORMS
def test_the_state_knows_nothing_of_what_is_ahead(workers: int, cuda: Any) -> None:
    expected = [t.tolist() for _, t in loader()]
    given, plain = loader(gpu=True, workers=workers), loader()
    for _ in zip(range(3), given, strict=False):
        next(plain)
    state = plain.state_dict()
    rest = loader(gpu=True, workers=workers)
    rest.load_state_dict(state)
    assert rest.state_dict() == state
    assert [t.get().tolist() for _, t in rest] == expected[3:]


def test_the_state_in_a_loop_is_that_of_the_host(cuda: Any) -> None:
    for (_, t), _, given, plain in ((b, next(p), g, p) for g, p in [(loader(gpu=True), loader())] for b in g):
        assert given.iteration == plain.iteration and t is not None
        assert given.state_dict() == plain.state_dict()


def test_a_loader_that_has_run_can_be_copied_and_pickled(cuda: Any) -> None:
    given = loader(gpu=True)
    left(given, "break")
    for twin in (copy.deepcopy(given), pickle.loads(pickle.dumps(given))):
        assert [t.get().tolist() for _, t in twin] == [t.get().tolist() for _, t in copy.copy(given)]


# -- streams -----------------------------------------------------------------------------------------

def test_a_loop_whose_body_changes_the_stream(cuda: Any) -> None:
    other, kept = Stream(non_blocking=True), []
    given: Iterator[Any] = iter(loader(gpu=True))
    kept.append(next(given))
    with other:
        kept.append(next(given))
        kept.append(next(given))
    kept += given
    for (x, t), (a, b) in zip(kept, loader(), strict=True):
        np.testing.assert_array_equal(x.get(), a)
        np.testing.assert_array_equal(t.get(), b)


def test_pinned_memory_is_not_given_back_before_it_is_read(cuda: Any) -> None:
    feed: Any = prefetch.feed_to(Device("cuda"))
    sent = feed.send(feed.stage(X[:4], feed.slot()))
    del feed  # with its loader, while the copy still waits
    gc.collect()
    assert cuda.world.pinned_pool.used == 0
    Stream.null.wait_event(sent.copied)
    np.testing.assert_array_equal(sent.parts.get(), X[:4])


@pytest.mark.parametrize("broken", ["receive", "send", "stage", "drop"])
def test_the_emulation_sees_each_wait_that_is_left_out(broken: str, cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    waits = Stream.wait_event
    feed: Any = prefetch.feed_to(Device("cuda"))

    def waits_not(self: Any, event: Any) -> None:
        by_copies = self is feed._copies
        if (broken == "send") != by_copies:
            waits(self, event)
    if broken == "stage":
        monkeypatch.setattr(prefetch.Slot, "wait", lambda self: None)
        slots = [feed.slot() for _ in range(1)]
        first = feed.send(feed.stage(X[:4], slots[0]))
        feed.send(feed.stage(X[4:8], slots[0]))
        seen = not np.array_equal(feed.receive(first).get(), X[:4])
    else:
        sent = feed.send(feed.stage(X[:4], feed.slot()))
        with monkeypatch.context() as patch:
            patch.setattr(Stream, "wait_event", waits_not if broken == "send" else lambda self, event: None)
            if broken == "send":
                feed.send(feed.stage(X[4:8], feed.slot()))
            elif broken == "drop":
                feed.drop(sent)
            else:
                seen = bool(np.isnan(feed.receive(sent).get()).all())
        del sent
        gc.collect()
        if broken != "receive":
            seen = bool(cuda.world.faults)
    gc.collect()
    cuda.world.faults.clear()
    assert seen


# -- use ---------------------------------------------------------------------------------------------

@pytest.mark.seeds
def test_training_from_a_feeding_loader_is_training_on_the_host(cuda: Any) -> None:
    def weights(**settings: Any) -> list[np.ndarray]:
        rng = np.random.default_rng(2)
        model = L.Sequential(L.Flatten(), L.Linear(8, in_size=16), F.tanh, L.Linear(23, in_size=8))
        for p in model.params():
            p.data = rng.normal(size=p.shape).astype(np.float32)
        model.to("cuda" if settings else "cpu")
        optimizer = optimizers.MomentumSGD(0.1).setup(model)
        given = loader(**settings)
        for _ in range(2):
            for x, t in given:
                loss = F.softmax_cross_entropy(model(x), t)
                model.cleargrads()
                loss.backward()
                optimizer.update()
        model.to_cpu()
        return [p.data for p in model.params()]

    for settings in ({"gpu": True}, {"gpu": True, "workers": 2}):
        for a, b in zip(weights(**settings), weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@FORMS
def test_no_room_for_a_batch_is_told_with_its_shapes(workers: int, cuda: Any) -> None:
    given = loader(8, gpu=True, workers=workers)
    cuda.world.pool.set_limit(540)
    with pytest.raises(DeviceMemoryError, match=r"DataLoader: the batch \(8, 1, 4, 4\) float32, \(8,\) int64 on its way .*: out of memory"):
        for _ in given:
            pass
    cuda.world.pool.set_limit(0)
    gc.collect()
    assert not threads() and cuda.world.pool.used == 0
    assert sum(1 for _ in given) == 3, "the loop goes on where there was no room"


@FORMS
def test_room_for_one_batch_is_enough(workers: int, cuda: Any) -> None:
    expected = [t.tolist() for _, t in loader(8)]
    cuda.world.pool.set_limit(600)
    seen = []
    for x, t in loader(8, gpu=True, workers=workers):
        seen.append(t.get().tolist())
        del x, t
    assert seen == expected


def test_arrays_that_are_on_the_device_already_stay_as_they_are(cuda: Any) -> None:
    x = put(X, "cuda")
    batch, _ = next(iter(DataLoader(ArrayDataset(x), 4, False, gpu=True)))
    assert np.array_equal(batch.get(), X[:4]) and not cuda.world.asked_copies
