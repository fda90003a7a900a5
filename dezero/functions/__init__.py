"""Every op as a public function. A class is an op's maths; the function of its name carries signature, docstring and errors."""

from dezero.core.arithmetic import Add, BroadcastTo, Div, Mul, Neg, Pow, Sub, SumTo
from dezero.core.operators import API
from dezero.functions import (
    activation,
    arrange,
    attention,
    batch_normalization,
    cells,
    columns,
    compare,
    contraction,
    conv,
    decompose,
    elementwise,
    explog,
    extrema,
    index,
    join,
    linalg,
    lookup,
    loss,
    loss_class,
    loss_probability,
    metrics,
    normalization,
    pool,
    probability,
    rectifier,
    recurrent,
    reduce,
    regularization,
    resize,
    shape,
    trigonometry,
)
from dezero.functions.activation import *
from dezero.functions.activation import Sigmoid
from dezero.functions.arrange import *
from dezero.functions.attention import *
from dezero.functions.batch_normalization import *
from dezero.functions.batch_normalization import BatchNorm
from dezero.functions.cells import *
from dezero.functions.columns import *
from dezero.functions.columns import Col2im, Im2col
from dezero.functions.compare import *
from dezero.functions.compare import Clip
from dezero.functions.contraction import *
from dezero.functions.conv import *
from dezero.functions.conv import Conv2d, Conv2DGradW, Deconv2d
from dezero.functions.decompose import *
from dezero.functions.elementwise import *
from dezero.functions.explog import *
from dezero.functions.explog import Exp, Log
from dezero.functions.extrema import *
from dezero.functions.extrema import Max, Min
from dezero.functions.index import *
from dezero.functions.index import GetItem, GetItemGrad
from dezero.functions.join import *
from dezero.functions.linalg import *
from dezero.functions.linalg import Linear, MatMul
from dezero.functions.lookup import *
from dezero.functions.loss import *
from dezero.functions.loss import MeanSquaredError
from dezero.functions.loss_class import *
from dezero.functions.loss_class import SoftmaxCrossEntropy
from dezero.functions.loss_probability import *
from dezero.functions.metrics import *
from dezero.functions.normalization import *
from dezero.functions.pool import *
from dezero.functions.pool import AveragePooling, Pooling
from dezero.functions.probability import *
from dezero.functions.probability import LogSoftmax, Softmax
from dezero.functions.rectifier import *
from dezero.functions.rectifier import LeakyReLU, ReLU
from dezero.functions.recurrent import *
from dezero.functions.reduce import *
from dezero.functions.reduce import Sum
from dezero.functions.regularization import *
from dezero.functions.resize import *
from dezero.functions.shape import *
from dezero.functions.shape import Reshape, Transpose
from dezero.functions.trigonometry import *
from dezero.functions.trigonometry import Cos, Sin, Tanh

# From the bottom up: a module imports only from those listed before it.
_MODULES = (
    elementwise, compare, explog, trigonometry, reduce, extrema, shape, arrange, index, lookup, join, linalg, contraction,
    decompose, activation, rectifier, probability, loss, loss_class, loss_probability, columns, conv, pool, resize,
    normalization, batch_normalization, regularization, cells, recurrent, attention, metrics,
)
for _module in _MODULES:
    for _name in _module.__all__:
        API[_name] = getattr(_module, _name)

# The classes have the names that the book's have. ``import *`` takes the functions alone.
_CLASSES = (
    Add, AveragePooling, BatchNorm, BroadcastTo, Clip, Col2im, Conv2DGradW, Conv2d, Cos, Deconv2d, Div, Exp, GetItem,
    GetItemGrad, Im2col, LeakyReLU, Linear, Log, LogSoftmax, MatMul, Max, MeanSquaredError, Min, Mul, Neg, Pooling, Pow,
    ReLU, Reshape, Sigmoid, Sin, Softmax, SoftmaxCrossEntropy, Sub, Sum, SumTo, Tanh, Transpose,
)

__all__ = sorted(API)
