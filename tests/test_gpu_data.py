"""On a real GPU: batches copied ahead arrive whole under load, transforms and memory errors are the device's own, and `dezero info` speaks of it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import DataLoader, Variable, cuda, from_dlpack
from dezero.backend import as_cupy, as_numpy
from dezero.cli import main
from dezero.datasets import ArrayDataset
from dezero.errors import DeviceError, DeviceMemoryError
from dezero.transforms import (
    Compose,
    Cutout,
    Normalize,
    RandomContrast,
    RandomCrop,
    RandomErase,
    RandomHorizontalFlip,
    RandomNoise,
    RandomRotation,
    RandomShift,
    RandomZoom,
    Resize,
    ToFloat,
)

pytestmark = [pytest.mark.gpu, pytest.mark.seeds]

X = np.random.default_rng(0).integers(0, 256, (96, 3, 32, 32)).astype(np.uint8)


@pytest.fixture(scope="module")
def cupy() -> ModuleType:
    return pytest.importorskip("cupy")


@pytest.fixture
def limited(cupy: Any) -> Iterator[Any]:
    """A function that leaves room for so many bytes more in CuPy's pool."""
    pool = cupy.get_default_memory_pool()

    def limit(more: int) -> None:
        gc.collect()
        pool.free_all_blocks()
        pool.set_limit(size=pool.used_bytes() + more)
    yield limit
    pool.set_limit(size=0)


@pytest.mark.parametrize("workers", [0, 3])
@pytest.mark.parametrize("keep", [False, True])
def test_batches_arrive_whole_while_the_device_is_busy(workers: int, keep: bool, cupy: Any) -> None:
    x = np.arange(4_000_000, dtype=np.float32).reshape(400, 10_000)
    loader = DataLoader(ArrayDataset(x, np.arange(400)), 16, seed=0, gpu=True, workers=workers)
    plain = DataLoader(ArrayDataset(x, np.arange(400)), 16, seed=0)
    busy = cupy.ones((2048, 2048), cupy.float32)
    sums, kept = [], []
    for _ in range(3):
        for a, t in loader:
            for _ in range(3):
                busy = busy @ busy * 1e-4  # work that is still queued when the next batches are copied, and when this one's memory is given back
            sums.append((a.sum(axis=1, dtype=cupy.float64) + 0 * busy[0, 0], t + 0))
            if keep:
                kept.append(a)
    expected = [batch for _ in range(3) for batch in plain]
    for (total, t), (a, b) in zip(sums, expected, strict=True):
        np.testing.assert_allclose(total.get(), a.sum(axis=1, dtype=np.float64), rtol=1e-12)
        np.testing.assert_array_equal(t.get(), b)
    for a, (b, _) in zip(kept, expected, strict=False):
        np.testing.assert_array_equal(a.get(), b)


def test_a_loop_that_is_left_and_a_stream_of_ones_own(cupy: Any) -> None:
    loader = DataLoader(ArrayDataset(X, np.arange(96)), 8, False, gpu=True)
    for _ in range(5):
        for i, (x, _) in enumerate(loader):
            if i == 1:
                del x
                break
    with cupy.cuda.Stream(non_blocking=True):
        for i, (x, t) in enumerate(loader):
            assert np.array_equal(x.get(), X[8 * i:8 * i + 8]) and t.get().tolist() == list(range(8 * i, 8 * i + 8))


@pytest.mark.parametrize("transform", [
    Compose([ToFloat(), Normalize([1.0, 2.0, 3.0], 255.0)]), RandomHorizontalFlip(), RandomCrop(28, pad=2), RandomShift(3), RandomRotation(20),
    RandomZoom((0.8, 1.2)), RandomNoise(0.1), RandomContrast(0.3), RandomErase(), Cutout(8), Resize((20, 40)), Resize((20, 40), "nearest"),
    Resize((20, 40), "lanczos"),
], ids=lambda t: type(t).__name__)
@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_transforms_on_the_device(transform: Any, dtype: str) -> None:
    pytest.importorskip("PIL")
    x = X.astype(dtype)
    found, wanted = (transform.batch(a, np.random.default_rng(3)) for a in (as_cupy(x), x))
    whole = wanted.dtype == np.uint8
    np.testing.assert_allclose(as_numpy(found).astype(float), wanted.astype(float), rtol=0 if whole else 1e-4, atol=1 if whole else 1e-3)


def test_out_of_memory_says_what_was_asked_for(limited: Any) -> None:
    x = Variable(as_cupy(np.ones((1024, 1024), np.float32)))
    y = F.sum(F.sin(x) * x)
    limited(1 << 20)
    with pytest.raises(DeviceMemoryError, match=r"exp: x \(1024, 1024\) float32: out of memory: 4.0 MiB were asked for; of the .* pool's limit is"):
        F.exp(x)
    with pytest.raises(DeviceMemoryError, match=r"backward of (sum|mul|sin): gradient"):
        y.backward()
    with pytest.raises(DeviceMemoryError, match=r"to_gpu: \(1024, 1024\) float32: out of memory"):
        as_cupy(np.ones((1024, 1024), np.float32))
    with pytest.raises(DeviceMemoryError, match="DataLoader: the batch .* on its way to the device"):
        next(iter(DataLoader(ArrayDataset(np.ones((64, 1 << 16), np.float32)), 64, gpu=True)))


def test_memory_is_told_and_given_back(cupy: Any) -> None:
    x = cupy.ones(1 << 22, cupy.float32)
    assert cuda.memory_info().used >= x.nbytes
    del x
    cuda.empty_cache()
    now = cuda.memory_info()
    assert now.held - now.used < 1 << 24 and 0 < now.free <= now.total


def test_mixing_is_told_by_name(cupy: Any) -> None:
    x, v = np.ones(3), Variable(cupy.ones(3))
    for call in (lambda: v + x, lambda: x + v, lambda: x * v, lambda: v < x, lambda: x < v, lambda: F.equal(v, x)):
        with pytest.raises(DeviceError, match=r"is on cuda:\d.*is on the host|is on the host.*is on cuda:\d"):
            call()


def test_arrays_are_shared_by_dlpack(cupy: Any) -> None:
    a = cupy.arange(6, dtype=cupy.float32)
    v = from_dlpack(cupy.from_dlpack(Variable(a)))
    v.data[0] = 9
    assert float(a[0]) == 9
    assert np.from_dlpack(Variable(a), device="cpu").tolist() == a.get().tolist()


def test_info_lists_the_device(capsys: pytest.CaptureFixture[str]) -> None:
    assert cuda.trouble() is None and cuda.gpu_enable
    assert main(["info"]) == 0
    out = capsys.readouterr().out
    for words in ("cuda:0 ", "compute capability", "CuPy's pool", "cuBLAS", "cuDNN", "driver for CUDA"):
        assert words in out
