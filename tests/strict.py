"""A stand-in for a device array: it works like CuPy's and refuses to mix with NumPy's.

``StrictArray`` wraps an ndarray and is none. Conversions that CuPy refuses, or that would cost a copy between host and
device, raise a TypeError here; ``to_strict`` and ``.get()`` are the only ways in and out. ``xp`` is its array module.
"""

from __future__ import annotations

import operator
import threading
import types
from collections import Counter
from typing import Any

import numpy as np

fetched: Counter[str] | None = None  # counts what makes the host wait for the device, while ``fetches`` runs


class fetches:
    """Count what brings values of StrictArrays to the host in a block, by name: ``get``, ``item``, ``float``, a boolean mask as an index ..."""

    def __enter__(self) -> Counter[str]:
        global fetched
        self.before, fetched = fetched, Counter()
        return fetched

    def __exit__(self, *error: object) -> None:
        global fetched
        fetched = self.before


def fetch(what: str) -> None:
    if fetched is not None:
        fetched[what] += 1


class _Current(type):
    """Each thread has a current device of its own."""

    thread = threading.local()
    current = property(lambda cls: getattr(cls.thread, "id", 0), lambda cls, id: setattr(cls.thread, "id", id))


class Device(metaclass=_Current):
    """A CUDA device, as CuPy's: the current one, or that of a number; arrays belong to the device that is current when they are made."""

    count = 2

    def __init__(self, id: int | None = None) -> None:
        self.id = Device.current if id is None else id

    def __eq__(self, other: object) -> bool: return isinstance(other, Device) and other.id == self.id
    def __hash__(self) -> int: return hash(self.id)
    def __repr__(self) -> str: return f"<strict device {self.id}>"

    def use(self) -> None:
        Device.current = self.id

    def __enter__(self) -> Device:
        self.before = Device.current
        self.use()
        return self

    def __exit__(self, *error: object) -> None:
        Device.current = self.before


class StrictArray:
    """An array that knows other StrictArrays and numbers only. Results without axes stay arrays, as CuPy's do."""

    __slots__ = ("__weakref__", "_a", "device")
    __array_ufunc__ = None   # NumPy's operators give way to ours, and its functions refuse
    __hash__ = None          # type: ignore[assignment]

    def __init__(self, a: np.ndarray) -> None:
        self._a = a
        self.device = Device()

    def __array__(self, dtype: Any = None, copy: Any = None) -> Any:
        raise TypeError("implicit conversion of a device array to a NumPy array")

    def __array_function__(self, function: Any, kinds: Any, args: Any, kwargs: Any) -> Any:
        raise TypeError(f"np.{function.__name__} is called on a device array: use xp")

    def get(self) -> np.ndarray:
        """A copy on the host."""
        fetch("get")
        return self._a.copy()

    def set(self, a: np.ndarray, stream: Any = None) -> None:
        """A copy from the host to here; on a stream it takes place when its turn comes."""
        assert type(a) is np.ndarray and a.dtype == self.dtype and a.shape == self.shape and self._a.flags.c_contiguous
        if stream is None:
            self._a[...] = a
        else:
            stream.copies(self, a)

    shape = property(lambda self: self._a.shape)
    dtype = property(lambda self: self._a.dtype)
    ndim = property(lambda self: self._a.ndim)
    size = property(lambda self: self._a.size)
    itemsize = property(lambda self: self._a.itemsize)
    nbytes = property(lambda self: self._a.nbytes)
    strides = property(lambda self: self._a.strides)
    data = property(lambda self: types.SimpleNamespace(ptr=self._a.ctypes.data))  # CuPy's MemoryPointer
    base = property(lambda self: None if self._a.base is None else StrictArray(self._a.base))
    T = property(lambda self: StrictArray(self._a.T))
    mT = property(lambda self: StrictArray(self._a.swapaxes(-1, -2)))
    real = property(lambda self: StrictArray(self._a.real))

    @property
    def flags(self) -> Any:
        """The flags that CuPy's arrays have; ``writeable`` is none of them."""
        flags = self._a.flags
        return types.SimpleNamespace(c_contiguous=flags.c_contiguous, f_contiguous=flags.f_contiguous, owndata=flags.owndata)

    def item(self, *index: Any) -> Any: fetch("item"); return self._a.item(*index)
    def tolist(self) -> Any: fetch("tolist"); return self._a.tolist()
    def __len__(self) -> int: return len(self._a)
    def __bool__(self) -> bool: fetch("bool"); return bool(self._a)
    def __float__(self) -> float: fetch("float"); return float(self._a)
    def __int__(self) -> int: fetch("int"); return int(self._a)
    def __index__(self) -> int: fetch("index"); return operator.index(self._a)
    def __repr__(self) -> str: return f"strict {self._a!r}"
    def __iter__(self) -> Any: return (self[i] for i in range(len(self)))

    def __getitem__(self, index: Any) -> Any:
        if masked(index):
            fetch("mask")
        return wrap(self._a[unwrap(index)])

    def __setitem__(self, index: Any, value: Any) -> None:
        if masked(index) and getattr(value, "ndim", 0):  # a number is written without a look at how many places there are
            fetch("mask")
        self._a[unwrap(index)] = unwrap(value)


def masked(index: Any) -> bool:
    """Is a boolean array in an index? The shape of what it selects is known on the device alone."""
    return any(isinstance(i, StrictArray) and i.dtype == bool for i in (index if isinstance(index, tuple) else (index,)))


def to_strict(x: Any) -> Any:
    """A copy of an ndarray on the "device"; anything else as it is."""
    return StrictArray(x.copy()) if isinstance(x, np.ndarray) else x


def unwrap(x: Any) -> Any:
    """What NumPy may work on: the inside of StrictArrays, numbers, and sequences of them; an ndarray is refused."""
    if isinstance(x, StrictArray):
        if x.device.id != Device.current:
            raise TypeError(f"an array on device {x.device.id} is used while device {Device.current} is current")
        return x._a
    if isinstance(x, np.ndarray):
        raise TypeError(f"a NumPy array {x.shape} {x.dtype} is mixed with device arrays")
    if isinstance(x, (list, tuple)):
        return type(x)(map(unwrap, x)) if not hasattr(x, "_fields") else x
    return x


def wrap(y: Any) -> Any:
    """NumPy's result as StrictArrays; what is no array stays."""
    if isinstance(y, (np.ndarray, np.generic)):
        return StrictArray(np.asarray(y))
    if isinstance(y, tuple) and hasattr(y, "_fields"):  # SlogdetResult and its like
        return type(y)(*map(wrap, y))
    if isinstance(y, (list, tuple)):
        return type(y)(map(wrap, y))
    return y


def _method(name: str) -> Any:
    refused = {"where", "initial"}  # reductions of CuPy know neither

    def method(self: StrictArray, *args: Any, **kwargs: Any) -> Any:
        if unknown := refused & kwargs.keys():
            raise TypeError(f"{name}: {unknown} is unknown to device arrays")
        if name in WAITING:
            fetch(name)
        return wrap(getattr(self._a, name)(*map(unwrap, args), **{k: unwrap(v) for k, v in kwargs.items()}))
    return method


METHODS = [
    "astype", "reshape", "transpose", "sum", "mean", "max", "min", "var", "std", "prod", "argmax", "argmin", "any", "all", "copy",
    "ravel", "flatten", "squeeze", "swapaxes", "repeat", "take", "cumsum", "cumprod", "clip", "round", "dot", "diagonal", "trace",
    "fill", "sort", "argsort", "nonzero", "view", "conj", "put", "choose", "partition", "searchsorted", "compress",
]
for _name in METHODS:
    setattr(StrictArray, _name, _method(_name))


def _binary(name: str) -> None:
    op = getattr(operator, name)

    def forward(self: StrictArray, other: Any) -> Any: return wrap(op(self._a, unwrap(other))) if _is_operand(other) else NotImplemented
    def reflected(self: StrictArray, other: Any) -> Any: return wrap(op(unwrap(other), self._a)) if _is_operand(other) else NotImplemented

    bare = name.strip("_")
    setattr(StrictArray, f"__{bare}__", forward)
    setattr(StrictArray, f"__r{bare}__", reflected)
    if in_place := getattr(operator, f"__i{bare}__", None):
        def inside(self: StrictArray, other: Any) -> Any:
            if not _is_operand(other):
                return NotImplemented
            self._a = in_place(self._a, unwrap(other))
            return self
        setattr(StrictArray, f"__i{bare}__", inside)


def _is_operand(x: Any) -> bool:
    """False leaves the operation to the other side, a Variable say; an ndarray is refused."""
    unwrap(x)
    return isinstance(x, (StrictArray, np.generic, bool, int, float))


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "pow", "matmul", "and_", "or_", "xor", "lshift", "rshift"):
    _binary(_name)


def _compare(name: str) -> Any:
    op = getattr(operator, name)
    return lambda self, other: wrap(op(self._a, unwrap(other))) if _is_operand(other) else NotImplemented


for _name in ("lt", "le", "gt", "ge", "eq", "ne"):
    setattr(StrictArray, f"__{_name}__", _compare(_name))
for _name in ("neg", "pos", "abs", "invert"):
    setattr(StrictArray, f"__{_name}__", (lambda op: lambda self: wrap(op(self._a)))(getattr(operator, _name)))


# -- the array module -------------------------------------------------------------------------------

# Names of NumPy that CuPy does not have.
ABSENT = {"errstate", "seterr", "geterr", "nditer", "ndenumerate", "einsum_path", "frompyfunc", "fromiter", "insert", "longdouble"}
# Ways from host to device: these take ndarrays.
ENTRANCES = {"array", "asarray"}
# What gives an array whose size depends on values.
WAITING = {"nonzero", "flatnonzero", "argwhere", "unique", "compress", "extract", "bincount", "histogram", "array_equal", "allclose"}
# Functions whose first argument CuPy does not convert from lists, tuples and numbers.
ARRAYS_ONLY = {"sum", "prod", "mean", "var", "std", "max", "min", "amax", "amin", "any", "all", "argmax", "argmin", "cumsum", "cumprod",
               "reshape", "transpose", "swapaxes", "moveaxis", "squeeze", "expand_dims", "flip", "roll", "take", "repeat", "tile", "pad",
               "take_along_axis", "diagonal", "trace", "tril", "triu", "split", "argsort", "sort", "count_nonzero", "broadcast_to"}


class _Ufunc:
    """A ufunc, without ``at`` and ``where``."""

    def __init__(self, ufunc: np.ufunc) -> None:
        self._ufunc = ufunc
        self.__name__ = ufunc.__name__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._ufunc, args, kwargs)

    def reduce(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._ufunc.reduce, args, kwargs)

    def accumulate(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._ufunc.accumulate, args, kwargs)

    def outer(self, *args: Any, **kwargs: Any) -> Any:
        return self._run(self._ufunc.outer, args, kwargs)

    def _run(self, call: Any, args: Any, kwargs: Any) -> Any:
        if "where" in kwargs:
            raise TypeError(f"{self.__name__}: where= is unknown to device arrays")
        return wrap(call(*map(unwrap, args), **{k: unwrap(v) for k, v in kwargs.items()}))


class _Generator:
    """A random generator whose numbers are born on the device."""

    def __init__(self, rng: Any) -> None:
        self._rng = rng

    def __getattr__(self, name: str) -> Any:
        return _function(name, getattr(self._rng, name))


def _function(name: str, f: Any) -> Any:
    def call(*args: Any, **kwargs: Any) -> Any:
        if name in ENTRANCES and isinstance(args[0], np.ndarray):
            return wrap(f(args[0].copy(), *args[1:], **kwargs))
        if name in ENTRANCES and isinstance(args[0], StrictArray) and args[0].device.id != Device.current:  # from one device to another
            return wrap(f(args[0]._a.copy(), *args[1:], **kwargs))
        if name in ARRAYS_ONLY and not isinstance(args[0], StrictArray):
            raise TypeError(f"{name}: the first argument is a {type(args[0]).__name__}, not a device array")
        if name in ARRAYS_ONLY and {"where", "initial"} & kwargs.keys():
            raise TypeError(f"{name}: where= and initial= are unknown to device arrays")
        if name in WAITING or (name == "where" and len(args) == 1):
            fetch(name)
        y = f(*map(unwrap, args), **{k: unwrap(v) for k, v in kwargs.items()})
        if isinstance(y, np.random.Generator):
            return _Generator(y)
        same = next((a for a in args if isinstance(a, StrictArray) and a._a is y), None)  # asarray gives the array itself
        return wrap(y) if same is None else same
    call.__name__ = name
    return call


class _Module(types.ModuleType):
    """NumPy's names on StrictArrays."""

    def __init__(self, name: str, of: Any) -> None:
        super().__init__(name)
        self._of = of

    def __getattr__(self, name: str) -> Any:
        if name in ABSENT or name.startswith("__"):
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        value = getattr(self._of, name)
        if isinstance(value, types.ModuleType):
            value = _Module(f"{self.__name__}.{name}", value)
        elif isinstance(value, np.ufunc):
            value = _Ufunc(value)
        elif callable(value) and not isinstance(value, type):
            value = _function(name, value)
        setattr(self, name, value)
        return value


xp: Any = _Module("strict", np)
xp.ndarray = StrictArray
xp.asnumpy = lambda x: x.get() if isinstance(x, StrictArray) else x
xp.cuda = types.SimpleNamespace(Device=Device, get_current_stream=lambda: types.SimpleNamespace(ptr=0),
                                runtime=types.SimpleNamespace(getDeviceCount=lambda: Device.count), is_available=lambda: True)
