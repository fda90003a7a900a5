"""Convolution on the device: by cuDNN, whose stand-in looks at all that it is given, and by columns and products without it."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import dezero.cuda
import dezero.functions as F
from dezero import Variable
from dezero.backend import kernels_of
from dezero.backend.cuda import convolution, cudnn, precision
from dezero.backend.cuda.launch import counting
from dezero.backend.im2col import window_counts
from dezero.backend.kernels import REFERENCE
from tests.backend.test_kernels import convolutions, gy_shape
from tests.cuda.cudnn import NOT_SUPPORTED, SPACE, Library
from tests.strict import StrictArray, to_strict, xp

TOLERANCE = {"float16": 4e-3, "bfloat16": 3e-2, "float32": 2e-5, "float64": 1e-12}


@pytest.fixture
def library(emulated: Any) -> Iterator[Library]:
    """The stand-in in use."""
    found = Library()
    cudnn.use(found)
    yield found
    precision.tf32 = False


@pytest.fixture(params=["cudnn", "columns", "columns in chunks", "without cublas"])
def way(request: Any, emulated: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the ways in which a convolution is computed."""
    if request.param != "cudnn":
        cudnn.use(False)
    if request.param == "columns in chunks":
        monkeypatch.setattr(convolution, "COLUMNS", 1 << 10)
        monkeypatch.setattr(convolution, "PARTS", 1)
    if request.param == "without cublas":
        from dezero.backend.cuda import gemm
        monkeypatch.delattr(xp.cuda, "cublas")
        gemm._of = None
        request.addfinalizer(lambda: setattr(gemm, "_of", None))
    return str(request.param)


def dtype_of(name: str) -> Any:
    return np.dtype(pytest.importorskip("ml_dtypes").bfloat16 if name == "bfloat16" else name)


def draw(seed: int, *shape: int, dtype: str = "float32") -> np.ndarray:
    return np.random.default_rng(seed).uniform(-2, 2, shape).astype(dtype_of(dtype))


def check(found: Any, expected: Any, dtype: str) -> None:
    assert isinstance(found, StrictArray) and found.dtype == dtype_of(dtype) and found.shape == expected.shape
    tolerance = TOLERANCE[dtype] * (1 + np.abs(expected).max(initial=0))
    np.testing.assert_allclose(found.get().astype(np.float64), expected, rtol=TOLERANCE[dtype], atol=tolerance)


def the_kernels() -> Any:
    from tests.cuda import emulator
    return kernels_of(emulator.module)


@pytest.mark.parametrize("dtype", TOLERANCE)
@pytest.mark.parametrize("row", convolutions(), ids=str)
def test_all_directions_equal_the_reference(way: str, row: Any, dtype: str) -> None:
    x_shape, W_shape, *settings = row
    x, W, b, gy = (draw(i, *shape, dtype=dtype) for i, shape in enumerate((x_shape, W_shape, W_shape[:1], gy_shape(*row))))
    on_device, wide = [to_strict(a) for a in (x, W, b, gy)], [a.astype(np.float64) for a in (x, W, b, gy)]
    kernels = the_kernels()
    for bias in (None, 2):
        with counting() as launches:
            y = kernels.conv2d(*on_device[:2], None if bias is None else on_device[2], *settings)
        check(y, REFERENCE["conv2d"](np, *wide[:2], None if bias is None else wide[2], *settings), dtype)
        assert launches["cudnn_Forward"] == (way == "cudnn" and x.size > 0)
    gx = kernels.conv2d_grad_x(on_device[3], on_device[1], x_shape[2:], *settings)
    check(gx, REFERENCE["conv2d_grad_x"](np, wide[3], wide[1], x_shape[2:], *settings), dtype)
    gW = kernels.conv2d_grad_w(on_device[0], on_device[3], W_shape[2:], *settings)
    check(gW, REFERENCE["conv2d_grad_w"](np, wide[0], wide[3], W_shape[2:], *settings), dtype)


def test_arrays_that_are_not_contiguous(way: str) -> None:
    x, W, gy = draw(0, 6, 7, 3, 2).T, draw(1, 5, 3, 3, 4)[:, :, ::-1, ::2], draw(2, 5, 5, 5, 2).T
    mine, wide, settings = [StrictArray(a) for a in (x, W, gy)], [a.astype(np.float64) for a in (x, W, gy)], ((1, 1), (0, 0), (1, 1), 1)
    assert not any(a.flags.c_contiguous for a in mine)
    kernels = the_kernels()
    check(kernels.conv2d(*mine[:2], None, *settings), REFERENCE["conv2d"](np, *wide[:2], None, *settings), "float32")
    check(kernels.conv2d_grad_x(mine[2], mine[1], (7, 6), *settings), REFERENCE["conv2d_grad_x"](np, wide[2], wide[1], (7, 6), *settings), "float32")
    check(kernels.conv2d_grad_w(mine[0], mine[2], (3, 2), *settings), REFERENCE["conv2d_grad_w"](np, wide[0], wide[2], (3, 2), *settings), "float32")


@pytest.mark.parametrize("dtypes", [("float32", "float64"), ("float16", "float32"), ("int32", "int32")], ids=str)
def test_mixed_dtypes_and_integers_come_out_as_on_the_host(way: str, dtypes: Any) -> None:
    x, W = (np.round(draw(i, *shape)).astype(dtype) for i, (shape, dtype) in enumerate(zip(((2, 3, 5, 5), (4, 3, 3, 3)), dtypes, strict=True)))
    settings = ((1, 1), (1, 1), (1, 1), 1)
    expected = REFERENCE["conv2d"](np, x, W, None, *settings)
    y = the_kernels().conv2d(to_strict(x), to_strict(W), None, *settings)
    assert y.dtype == expected.dtype
    np.testing.assert_allclose(y.get(), expected, rtol=1e-6)


def test_images_that_are_their_own_columns_are_not_copied(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    cudnn.use(False)
    x, W = Variable(to_strict(draw(0, 2, 3, 4, 4))), Variable(to_strict(draw(1, 5, 3, 1, 1)))
    monkeypatch.setattr(the_kernels(), "im2col", None)
    monkeypatch.setattr(the_kernels(), "col2im", None)
    with counting() as launches:
        y = F.conv2d(x, W)
    assert launches == {"cublas_gemm": 1}
    with counting() as launches:
        F.sum(y).backward()
    assert launches["cublas_gemm"] == 2


# -- cuDNN ------------------------------------------------------------------------------------------


def convolve(x: tuple[int, ...] = (2, 4, 6, 6), W: tuple[int, ...] = (6, 2, 3, 3), dtype: str = "float32", groups: int = 2) -> Any:
    return the_kernels().conv2d(to_strict(draw(0, *x, dtype=dtype)), to_strict(draw(1, *W, dtype=dtype)), None, (1, 1), (1, 1), (1, 1), groups)


def test_a_training_step_is_three_calls_planned_once(library: Library) -> None:
    x, W = Variable(to_strict(draw(0, 2, 4, 6, 6))), Variable(to_strict(draw(1, 6, 2, 3, 3)))
    for _ in range(3):
        with counting() as launches:
            F.sum(F.conv2d(x, W, pad=1, groups=2)).backward()
        assert [launches[f"cudnn_{direction}"] for direction in cudnn.OPERANDS] == [1, 1, 1] and not launches["cublas_gemm"]
    assert library.planned == 3 and len(library.calls) == 9
    assert {direction for direction, *_ in library.calls} == {"Forward", "BackwardData", "BackwardFilter"}


def test_the_algorithm_is_the_fastest_that_is_reproducible_and_takes_little_memory(library: Library) -> None:
    convolve()
    assert library.calls[-1][1] == 1  # not 4: too large; not 3: not supported; not 0: other bits each time
    library.offered = [(2, 0, 1 << 40, 0), (5, 0, SPACE, 0)]
    convolve((2, 4, 7, 7))
    assert library.calls[-1][1] == 5
    library.offered = [(2, 0, 1 << 20, 1), (6, 0, 1 << 10, 1)]
    cudnn_limit, cudnn.WORKSPACE = cudnn.WORKSPACE, 1
    try:
        convolve((2, 4, 8, 8))
    finally:
        cudnn.WORKSPACE = cudnn_limit
    assert library.calls[-1][1] == 6


def test_arithmetic_is_that_of_the_dtype_and_of_the_precision_asked_for(library: Library) -> None:
    for dtype in ("float32", "float64", "float16"):
        convolve(dtype=dtype)
    with dezero.cuda.allow_tf32():
        convolve()
    convolve()
    assert [math for _, _, math, _ in library.calls] == [cudnn.FMA_MATH, cudnn.DEFAULT_MATH, cudnn.TENSOR_OP_MATH, cudnn.DEFAULT_MATH, cudnn.FMA_MATH]
    assert [groups for *_, groups in library.calls] == [2] * 5


def test_an_algorithm_comes_with_its_arithmetic_and_float32_stays_ieee(library: Library) -> None:
    library.offered = [(1, 0, 0, 1, cudnn.DEFAULT_MATH), (1, 0, SPACE, 1, cudnn.TENSOR_OP_MATH)]  # with the other arithmetic it needs memory
    convolve(dtype="float16")
    assert library.calls[-1][1:3] == (1, cudnn.DEFAULT_MATH)
    library.offered = [(1, 0, 0, 1, cudnn.DEFAULT_MATH), (7, 0, 0, 1, cudnn.FMA_MATH)]
    convolve()
    assert library.calls[-1][1:3] == (7, cudnn.FMA_MATH)
    library.offered = [(1, 0, 0, 1, cudnn.DEFAULT_MATH)]  # an older library has no other name for it
    library.offered = [(*row[:4],) for row in library.offered]
    convolve((2, 4, 5, 5))
    assert library.calls[-1][1:3] == (1, cudnn.FMA_MATH)


def test_under_deterministic_an_algorithm_whose_bits_change_is_not_taken(library: Library) -> None:
    library.offered = [(5, 0, SPACE, 0)]
    with dezero.cuda.deterministic():
        y = convolve()
    assert not library.calls
    convolve()
    assert len(library.calls) == 1
    wide = [draw(i, *shape).astype(np.float64) for i, shape in enumerate(((2, 4, 6, 6), (6, 2, 3, 3)))]
    check(y, REFERENCE["conv2d"](np, *wide, None, (1, 1), (1, 1), (1, 1), 2), "float32")


@pytest.mark.parametrize("when", ["planned", "run"])
def test_what_cudnn_cannot_do_goes_through_columns(library: Library, when: str) -> None:
    if when == "planned":
        library.offered = [(1, NOT_SUPPORTED, 0, 1)]
    else:
        library.refuses = {"Forward"}
    for _ in range(2):
        with counting() as launches:
            y = convolve()
        assert launches["cudnn_Forward"] == 0 and launches["cublas_gemm"] >= 1
        wide = [draw(i, *shape).astype(np.float64) for i, shape in enumerate(((2, 4, 6, 6), (6, 2, 3, 3)))]
        check(y, REFERENCE["conv2d"](np, *wide, None, (1, 1), (1, 1), (1, 1), 2), "float32")
    assert library.planned == 1


def test_other_errors_speak_cudnns_words(library: Library) -> None:
    library.offered = [(1, 0, SPACE, 1)]
    convolve()
    library.offered = [(1, 0, 4 * SPACE, 1)]
    with pytest.raises(cudnn.CudnnError, match="cudnnConvolutionForward: CUDNN_STATUS_STAND_IN: .*algorithm 1 needs 4096 bytes, 1024 are given"):
        convolve()


def test_a_library_that_finds_no_device_is_not_used_and_the_reason_is_kept(emulated: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    found = Library()
    found.cudnnCreate = type(found.cudnnCreate)(lambda place: 1001)
    found.text = "cudaGetDeviceCount failed"
    cudnn.use(None)
    monkeypatch.setattr(cudnn, "load", lambda: cudnn.declare(found))
    convolve()
    assert not found.calls and cudnn.reason is not None and "cudaGetDeviceCount failed" in cudnn.reason and "pip install" in cudnn.reason

    def load() -> Any:
        raise OSError("libcudnn cannot be loaded (no such file)")
    cudnn.use(None)
    monkeypatch.setattr(cudnn, "load", load)
    convolve()
    assert cudnn.reason is not None and "no such file" in cudnn.reason
    cudnn.use(False)
    assert cudnn.reason == "it is switched off"


def test_the_stream_is_cupys_current_one(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    convolve()
    assert library.stream == 0
    monkeypatch.setattr(xp.cuda, "get_current_stream", lambda: SimpleNamespace(ptr=0x5EA))
    convolve()
    assert library.stream == 0x5EA


def test_descriptors_are_given_back(library: Library) -> None:
    convolve()
    assert len(library.objects) == 5  # a handle and four descriptors
    cudnn.plan.cache_clear()
    gc.collect()
    assert [o["kind"] for o in library.objects.values()] == ["handle"]


def test_devices_have_handles_and_plans_of_their_own(library: Library, devices: Any) -> None:
    convolve()
    with xp.cuda.Device(1):
        convolve()
    assert library.planned == 2 and [o["kind"] for o in library.objects.values()].count("handle") == 2


def test_a_transposed_convolution_of_a_layer_that_skips_pixels(library: Library) -> None:
    x, W = draw(0, 2, 4, 3, 3), draw(1, 4, 5, 2, 2)
    y = F.conv_transpose2d(to_strict(x), to_strict(W), stride=3, outsize=(8, 9))
    check(y.data, F.conv_transpose2d(x.astype(np.float64), W.astype(np.float64), stride=3, outsize=(8, 9)).data, "float32")
    assert library.calls[-1][0] == "BackwardData"


# -- the real library, as far as it goes without a device ---------------------------------------------


@pytest.fixture(scope="module")
def real() -> Any:
    try:
        return cudnn.load()
    except OSError as error:
        pytest.skip(f"cuDNN is not installed: {error}")


@pytest.fixture
def used(real: Any) -> Iterator[None]:
    cudnn.use(real)
    yield
    cudnn.use(None)


@pytest.mark.usefixtures("used")
@pytest.mark.parametrize("dtype", cudnn.DATA_TYPES)
def test_cudnn_takes_the_descriptors_and_expects_the_same_shapes(dtype: str) -> None:
    for x, W, stride, pad, dilation, groups in convolutions():
        if x[0]:
            shapes = {"x": x, "W": W, "y": gy_shape(x, W, stride, pad, dilation, groups)}
            plan = cudnn.Plan(shapes, dtype, cudnn.math_for(dtype), (stride, pad, dilation, groups))
            assert plan.output() == tuple(shapes["y"]) and plan.output()[2:] == window_counts(x[2:], W[2:], stride, pad, dilation)


@pytest.mark.usefixtures("used")
def test_cudnn_says_what_is_wrong() -> None:
    with pytest.raises(cudnn.CudnnError, match=r"cudnnSetTensor4dDescriptor: CUDNN_STATUS_BAD_PARAM: .*h <= 0"):
        cudnn.Plan({"x": (1, 1, -1, 1), "W": (1, 1, 1, 1), "y": (1, 1, 1, 1)}, "float32", 0, ((1, 1), (0, 0), (1, 1), 1))
