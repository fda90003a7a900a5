"""dezero: a define-by-run autograd framework on NumPy and CuPy.

Examples:
    >>> import numpy as np
    >>> from dezero import Variable
    >>> import dezero.functions as F
    >>> x = Variable(np.array([1.0, 2.0]))
    >>> y = F.sum(x ** 2)
    >>> y.backward()
    >>> print(x.grad)
    variable([2. 4.])
"""

from dezero import (
    core,
    cuda,
    dataloaders,
    datasets,
    functions,
    functions_conv,
    initializers,
    layers,
    models,
    optimizers,
    transforms,
    utils,
)
from dezero.backend.random import Philox
from dezero.core import (
    Config,
    Function,
    Parameter,
    Variable,
    as_array,
    as_variable,
    autocast,
    checkpoint,
    detect_anomaly,
    enable_grad,
    from_dlpack,
    grad,
    hessian,
    hvp,
    jacobian,
    jvp,
    no_grad,
    setup_variable,
    test_mode,
    using_config,
    vjp,
)
from dezero.dataloaders import DataLoader, SeqDataLoader
from dezero.datasets import Dataset
from dezero.layers import Layer
from dezero.models import Model

__version__ = "0.1.0"
is_simple_core = False  # the book's switch; ``dezero.core_simple`` is there beside the whole core

__all__ = ["Config", "DataLoader", "Dataset", "Function", "Layer", "Model", "Parameter", "Philox", "SeqDataLoader", "Variable", "as_array",
           "as_variable", "autocast", "checkpoint", "core", "cuda", "dataloaders", "datasets", "detect_anomaly", "enable_grad", "from_dlpack",
           "functions", "functions_conv", "grad", "hessian", "hvp", "initializers", "is_simple_core", "jacobian", "jvp", "layers", "models",
           "no_grad", "optimizers", "setup_variable", "test_mode", "transforms", "using_config", "utils", "vjp"]
