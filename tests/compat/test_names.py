"""Every public name of the book's core is here, with its arguments in their order and with their defaults.

Those of layers, models, optimizers, data sets, loaders and transforms stand in test_training_names.py.
"""

from __future__ import annotations

import importlib
import inspect
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

import dezero
import dezero.functions as F
from dezero import Variable, cuda

TOP = ["Config", "Function", "Parameter", "Variable", "as_array", "as_variable", "core", "cuda", "functions", "functions_conv", "is_simple_core",
       "no_grad", "setup_variable", "test_mode", "using_config", "utils", "__version__"]

# A lambda stands for a signature: the book's names of arguments and its defaults.
ARITHMETIC: dict[str, Callable[..., Any]] = {
    "add": lambda x0, x1: 0,
    "sub": lambda x0, x1: 0,
    "rsub": lambda x0, x1: 0,
    "mul": lambda x0, x1: 0,
    "div": lambda x0, x1: 0,
    "rdiv": lambda x0, x1: 0,
    "neg": lambda x: 0,
    "pow": lambda x, c: 0,
}
CONVOLUTION: dict[str, Callable[..., Any]] = {
    "conv2d_simple": lambda x, W, b=None, stride=1, pad=0: 0,
    "conv2d": lambda x, W, b=None, stride=1, pad=0: 0,
    "deconv2d": lambda x, W, b=None, stride=1, pad=0, outsize=None: 0,
    "pooling_simple": lambda x, kernel_size, stride=1, pad=0: 0,
    "pooling": lambda x, kernel_size, stride=1, pad=0: 0,
    "average_pooling": lambda x, kernel_size, stride=1, pad=0: 0,
    "im2col": lambda x, kernel_size, stride=1, pad=0, to_matrix=True: 0,
    "col2im": lambda x, input_shape, kernel_size, stride=1, pad=0, to_matrix=True: 0,
}
SIGNATURES: dict[str, dict[str, Callable[..., Any]]] = {
    "dezero": {
        "as_array": lambda x, array_module=np: 0,
        "as_variable": lambda obj: 0,
        "setup_variable": lambda: 0,
        "using_config": lambda name, value: 0,
        "no_grad": lambda: 0,
        "test_mode": lambda: 0,
        "Variable": lambda data, name=None: 0,
        "Parameter": lambda data, name=None: 0,
        "Function": lambda: 0,
    },
    "dezero.core": {
        **ARITHMETIC,
        "as_array": lambda x, array_module=np: 0,
        "as_variable": lambda obj: 0,
        "setup_variable": lambda: 0,
        "using_config": lambda name, value: 0,
        "no_grad": lambda: 0,
        "test_mode": lambda: 0,
        "Variable": lambda data, name=None: 0,
        "Parameter": lambda data, name=None: 0,
        "Config": lambda: 0,
        "Function": lambda: 0,
        "Add": lambda: 0, "Sub": lambda: 0, "Mul": lambda: 0, "Div": lambda: 0, "Neg": lambda: 0,
        "Pow": lambda c: 0,
    },
    "dezero.core_simple": {
        **ARITHMETIC,
        "as_array": lambda x: 0,
        "as_variable": lambda obj: 0,
        "setup_variable": lambda: 0,
        "using_config": lambda name, value: 0,
        "no_grad": lambda: 0,
        "Variable": lambda data, name=None: 0,
        "Config": lambda: 0,
        "Function": lambda: 0,
        "Add": lambda: 0, "Sub": lambda: 0, "Mul": lambda: 0, "Div": lambda: 0, "Neg": lambda: 0,
        "Pow": lambda c: 0,
    },
    "dezero.cuda": {
        "get_array_module": lambda x: 0,
        "as_numpy": lambda x: 0,
        "as_cupy": lambda x: 0,
    },
    "dezero.functions": {
        **ARITHMETIC,
        **CONVOLUTION,
        "sin": lambda x: 0, "cos": lambda x: 0, "tanh": lambda x: 0, "exp": lambda x: 0, "log": lambda x: 0,
        "reshape": lambda x, shape: 0,
        "transpose": lambda x, axes=None: 0,
        "get_item": lambda x, slices: 0,
        "expand_dims": lambda x, axis: 0,
        "flatten": lambda x: 0,
        "sum": lambda x, axis=None, keepdims=False: 0,
        "sum_to": lambda x, shape: 0,
        "broadcast_to": lambda x, shape: 0,
        "average": lambda x, axis=None, keepdims=False: 0,
        "mean": lambda x, axis=None, keepdims=False: 0,
        "matmul": lambda x, W: 0,
        "linear": lambda x, W, b=None: 0,
        "linear_simple": lambda x, W, b=None: 0,
        "sigmoid_simple": lambda x: 0, "sigmoid": lambda x: 0, "relu": lambda x: 0,
        "leaky_relu": lambda x, slope=0.2: 0,
        "softmax_simple": lambda x, axis=1: 0,
        "softmax": lambda x, axis=1: 0,
        "log_softmax": lambda x, axis=1: 0,
        "mean_squared_error_simple": lambda x0, x1: 0,
        "mean_squared_error": lambda x0, x1: 0,
        "softmax_cross_entropy_simple": lambda x, t: 0,
        "softmax_cross_entropy": lambda x, t: 0,
        "sigmoid_cross_entropy": lambda x, t: 0,
        "binary_cross_entropy": lambda p, t: 0,
        "accuracy": lambda y, t: 0,
        "dropout": lambda x, dropout_ratio=0.5: 0,
        "batch_nrom": lambda x, gamma, beta, mean, var, decay=0.9, eps=2e-5: 0,
        "embed_id": lambda x, W: 0,
        "max": lambda x, axis=None, keepdims=False: 0,
        "min": lambda x, axis=None, keepdims=False: 0,
        "clip": lambda x, x_min, x_max: 0,
    },
    "dezero.functions_conv": {
        **CONVOLUTION,
        "im2col_array": lambda img, kernel_size, stride, pad, to_matrix=True: 0,
        "col2im_array": lambda col, img_shape, kernel_size, stride, pad, to_matrix=True: 0,
    },
    "dezero.utils": {
        "sum_to": lambda x, shape: 0,
        "reshape_sum_backward": lambda gy, x_shape, axis, keepdims: 0,
        "logsumexp": lambda x, axis=1: 0,
        "max_backward_shape": lambda x, axis: 0,
        "numerical_grad": lambda f, x, *args: 0,
        "array_equal": lambda a, b: 0,
        "array_allclose": lambda a, b, rtol=1e-4, atol=1e-5: 0,
        "get_conv_outsize": lambda input_size, kernel_size, stride, pad: 0,
        "get_deconv_outsize": lambda size, k, s, p: 0,
        "pair": lambda x: 0,
    },
}
METHODS: dict[str, Callable[..., Any]] = {
    "backward": lambda self, retain_grad=False, create_graph=False: 0,
    "cleargrad": lambda self: 0,
    "unchain": lambda self: 0,
    "unchain_backward": lambda self: 0,
    "set_creator": lambda self, func: 0,
    "reshape": lambda self, *shape: 0,
    "transpose": lambda self, *axes: 0,
    "sum": lambda self, axis=None, keepdims=False: 0,
    "max": lambda self, axis=None, keepdims=False: 0,
    "min": lambda self, axis=None, keepdims=False: 0,
    "to_cpu": lambda self: 0,
    "to_gpu": lambda self: 0,
}
CLASSES = ["Sin", "Cos", "Tanh", "Exp", "Log", "Reshape", "Transpose", "GetItem", "GetItemGrad", "Sum", "SumTo", "BroadcastTo", "MatMul", "Linear",
           "Sigmoid", "ReLU", "Softmax", "LogSoftmax", "LeakyReLU", "MeanSquaredError", "SoftmaxCrossEntropy", "BatchNorm", "Max", "Min", "Clip"]


def rows() -> Iterator[Any]:
    for module, names in SIGNATURES.items():
        yield from (pytest.param(module, name, book, id=f"{module}.{name}") for name, book in names.items())


def check_signature(ours: Callable[..., Any], book: Callable[..., Any]) -> None:
    """Ours takes every call that the book's takes: what follows in ours has defaults or is keyword-only with one."""
    mine, theirs = list(inspect.signature(ours).parameters.values()), list(inspect.signature(book).parameters.values())
    assert len(mine) >= len(theirs)
    for m, t in zip(mine, theirs, strict=False):
        assert (m.kind, m.name) == (t.kind, t.name)
        assert t.default is t.empty or m.default == t.default
    for m in mine[len(theirs):]:
        assert m.default is not m.empty or m.kind in (m.VAR_POSITIONAL, m.VAR_KEYWORD), f"{m.name} is needed here and not in the book"


@pytest.mark.parametrize("name", TOP)
def test_the_package_has(name: str) -> None:
    assert hasattr(dezero, name)


@pytest.mark.parametrize(("module", "name", "book"), list(rows()))
def test_signature(module: str, name: str, book: Callable[..., Any]) -> None:
    check_signature(getattr(importlib.import_module(module), name), book)


@pytest.mark.parametrize("name", METHODS)
def test_method(name: str) -> None:
    check_signature(getattr(Variable, name), METHODS[name])


def test_gradient_check() -> None:
    parameters = inspect.signature(dezero.utils.gradient_check).parameters
    assert list(parameters)[:3] == ["f", "x", "args"] and parameters["args"].kind == inspect.Parameter.VAR_POSITIONAL
    assert (parameters["rtol"].default, parameters["atol"].default) == (1e-4, 1e-5)
    assert list(parameters)[-1] == "kwargs"


def test_products_are_methods_too() -> None:
    x, W = Variable(np.ones((2, 3))), Variable(np.ones((3, 1)))
    assert x.dot(W).shape == x.matmul(W).shape == (2, 1)


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_functions(name: str) -> None:
    assert issubclass(getattr(F, name), dezero.Function) and getattr(F, name).__name__ == name


@pytest.mark.parametrize("name", ["Conv2d", "Deconv2d", "Conv2DGradW", "Pooling", "AveragePooling", "Im2col", "Col2im"])
def test_classes_of_convolution(name: str) -> None:
    assert issubclass(getattr(dezero.functions_conv, name), dezero.Function)


@pytest.mark.parametrize(("call", "wanted"), [
    (lambda x: F.Sin()(x), lambda x: F.sin(x)),
    (lambda x: F.Reshape((3, 2))(x), lambda x: F.reshape(x, (3, 2))),
    (lambda x: F.Transpose((1, 0))(x), lambda x: x.T),
    (lambda x: F.GetItem(1)(x), lambda x: x[1]),
    (lambda x: F.Sum(0, True)(x), lambda x: x.sum(0, True)),
    (lambda x: F.SumTo((1, 3))(x), lambda x: F.sum_to(x, (1, 3))),
    (lambda x: F.BroadcastTo((2, 2, 3))(x), lambda x: F.broadcast_to(x, (2, 2, 3))),
    (lambda x: F.Softmax()(x), lambda x: F.softmax(x)),
    (lambda x: F.LogSoftmax(1)(x), lambda x: F.log_softmax(x)),
    (lambda x: F.LeakyReLU(0.1)(x), lambda x: F.leaky_relu(x, 0.1)),
    (lambda x: F.Max(1, False)(x), lambda x: x.max(1)),
    (lambda x: F.Clip(0.5, 2.0)(x), lambda x: F.clip(x, 0.5, 2.0)),
    (lambda x: F.MatMul()(x, x.T), lambda x: F.matmul(x, x.T)),
    (lambda x: F.Linear()(x, x.T), lambda x: F.linear(x, x.T)),
])
def test_classes_are_called_as_the_book_calls_them(call: Callable[..., Variable], wanted: Callable[..., Variable]) -> None:
    x = Variable(np.arange(6.0).reshape(2, 3))
    y = call(x)
    assert np.array_equal(y.data, wanted(x).data) and y.creator.inputs[0] is x


def test_one_line_imports_everything_of_the_core() -> None:
    space: dict[str, Any] = {}
    exec("from dezero.core import *\nfrom dezero.core import add, sub, rsub, mul, div, rdiv, neg, pow, Config, Parameter", space)
    x = Variable(np.array(2.0))
    values = [space[name](x, 4.0) for name in ("add", "sub", "rsub", "mul", "div", "rdiv", "pow")] + [space["neg"](x)]
    assert [float(v) for v in values] == [6, -2, 2, 8, 0.5, 2, 16, -2]
    y = space["rdiv"](x, 4.0)
    y.backward()
    assert float(x.grad) == -1


def test_the_functions_module_covers_builtins_by_its_own() -> None:
    import builtins
    for name in ("sum", "max", "min", "pow", "abs", "round"):
        assert getattr(F, name) is not getattr(builtins, name)


def test_misspelt_and_old_names_are_the_new_ones() -> None:
    assert F.batch_nrom is F.batch_norm and F.average is F.mean and F.embed_id is F.embedding and F.deconv2d is F.conv_transpose2d
    assert dezero.is_simple_core is False
    assert dezero.cuda.get_array_module(np.zeros(1)) is np


# -- dezero.cuda ----------------------------------------------------------------------------------


@pytest.fixture
def fresh_cuda(monkeypatch: pytest.MonkeyPatch) -> Any:
    """``dezero.cuda`` as after the import, before anybody has asked for a GPU."""
    for name in ("gpu_enable", "cupy"):
        monkeypatch.delitem(vars(cuda), name, raising=False)
    yield cuda
    for name in ("gpu_enable", "cupy"):
        vars(cuda).pop(name, None)


def test_without_cupy_there_is_no_gpu_and_the_advice_names_a_package(fresh_cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert fresh_cuda.gpu_enable is False
    assert not hasattr(fresh_cuda, "cupy")
    with pytest.raises(AttributeError, match="pip install 'cupy-cuda12x"):
        fresh_cuda.cupy  # noqa: B018
    with pytest.raises(ImportError, match="pip install 'cupy-cuda12x"):
        fresh_cuda.as_cupy(np.zeros(1))
    with pytest.raises(ImportError, match="pip install 'cupy-cuda12x"):
        Variable(np.zeros(1)).to_gpu()
    with pytest.raises(AttributeError, match="no attribute 'gpu'"):
        fresh_cuda.gpu  # noqa: B018
    assert np.array_equal(fresh_cuda.as_numpy([1, 2]), [1, 2])
    assert np.array_equal(fresh_cuda.as_numpy(Variable(np.ones(2))), [1, 1])


@pytest.mark.parametrize("answer", [False, RuntimeError("no driver")])
def test_a_cupy_without_a_device_counts_as_none(answer: Any, fresh_cuda: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def is_available() -> bool:
        if isinstance(answer, Exception):
            raise answer
        return bool(answer)

    fake = types.ModuleType("cupy")
    fake.cuda = types.SimpleNamespace(is_available=is_available)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cupy", fake)
    assert fresh_cuda.gpu_enable is False
    assert fresh_cuda.cupy is fake
