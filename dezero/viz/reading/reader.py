"""Reading: the code of a formula is gone through with terms in place of arrays, so that what it returns is the formula itself."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
import types
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dezero.core.function import Function
from dezero.core.operators import OPS
from dezero.core.value import is_half
from dezero.core.variable import Variable
from dezero.viz.reading import terms
from dezero.viz.reading.settings import same, settings_given
from dezero.viz.reading.spelling import SIGNS, Plain, spelt
from dezero.viz.reading.symbolic import Evaluator, Return, Scope, Term, Unreadable, broadcast
from dezero.viz.reading.terms import Tree

_ON = Function.on.__func__  # type: ignore[attr-defined]
_DEPTH = 8  # calls within calls
_BUILT_IN = {len, range, tuple, list, dict, sorted, zip, enumerate, reversed, isinstance, min, max, abs, int, float, bool, str, sum, any, all, slice,
             getattr, hasattr, type, round, divmod}
# What leaves no traces when it is called: functions of NumPy, and methods.
_PURE = {"zeros", "ones", "empty", "full", "zeros_like", "ones_like", "eye", "arange", "tril", "triu", "diag", "asarray", "array", "broadcast_shapes",
         "finfo", "iinfo", "dtype", "prod", "sum", "cumsum", "argsort", "sort", "where", "ndim", "shape", "size", "result_type", "isscalar"}
_PURE_METHODS = {"reshape", "transpose", "swapaxes", "sum", "mean", "astype", "copy", "item", "tolist", "any", "all", "min", "max", "prod", "ravel",
                 "index", "count", "get", "items", "keys", "values"}
_REDUCE = {"sum", "mean", "prod", "max", "min"}


class Reader(Evaluator):
    """Reads the code of one function's formulas.

    Args:
        fn: what stands for ``self``: the Function, with its settings.
        inputs, outputs: terms for ``self.inputs`` and ``self.outputs``, which ops in the book's form use.
        taken: names that helpers must not have.

    Attributes:
        helpers: by the name in the formula, what it calls or holds beside the function's own arrays.
    """

    def __init__(self, fn: Any, inputs: Sequence[Any] = (), outputs: Sequence[Term] = (), taken: Iterable[str] = ()) -> None:
        super().__init__()
        self.fn, self.inputs, self.outputs, self.taken = fn, list(inputs), [_Weak(t) for t in outputs], {*taken}
        self.helpers: dict[str, Any] = {}
        self.attributes: dict[str, Any] = {}  # of ``self``, which the code sets
        self.hints: dict[int, str] = {}       # by id of an array that ``self`` holds: its name there
        self.depth = 0

    def run(self, function: Any, args: Sequence[Any], keywords: Mapping[str, Any] | None = None) -> Any:
        """What a Python function returns for these terms and values.

        Raises:
            Unreadable: its code does more than a formula can say, or there is none.
        """
        if self.depth > _DEPTH:
            raise Unreadable("calls within calls")
        self.depth += 1
        try:
            bound = inspect.signature(function).bind(*args, **(keywords or {}))
            bound.apply_defaults()
            closed = {k: cell.cell_contents for k, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True)}
            self.block(source_of(function), Scope(dict(bound.arguments), closed, function.__globals__))
        except Return as done:
            return done.value
        except (Unreadable, RecursionError):
            raise
        except Exception as error:  # code that was made for arrays stumbles over terms in any way
            raise Unreadable(f"{type(error).__name__}: {error}") from None
        finally:
            self.depth -= 1
        return None

    def tree(self, value: Any) -> Tree:
        """The formula of a value; what cannot be written becomes a helper with a name."""
        if isinstance(value, Term):
            return value.tree
        if isinstance(value, (tuple, list)) and any(isinstance(v, Term) for v in value):
            return (ast.Tuple if isinstance(value, tuple) else ast.List)([self.tree(v) for v in value], ast.Load())
        written = terms.constant(value)
        return written if written is not None else self.helper(self.hints.get(id(value), "const"), value)

    def helper(self, wish: str, value: Any) -> Tree:
        """A name for something that the formula uses, the same for the same thing."""
        key = wish = wish if wish.isidentifier() else "helper"
        n = 1
        while key in self.taken or (key in self.helpers and not same(self.helpers[key], value)):
            n += 1
            key = f"{wish}_{n}"
        self.helpers[key] = value
        return terms.name(key)

    # -- attributes --------------------------------------------------------------------------------

    def attribute(self, a: Any, key: str) -> Any:
        """``a.key``: of a term, of ``self``, or of anything else."""
        if isinstance(a, Term):
            return self.of_term(a, key)
        if a is self.fn and key in self.attributes:
            return self.attributes[key]
        if a is self.fn and key == "xp":
            return np
        if a is self.fn and not a.native and key in ("inputs", "outputs"):
            return self.inputs if key == "inputs" else self.outputs
        value = getattr(a, key)
        if a is self.fn and isinstance(value, np.ndarray):
            self.hints[id(value)] = key
        return value

    def set_attribute(self, a: Any, key: str, value: Any) -> None:
        """``self.key = value`` holds while the code is read."""
        if a is not self.fn:
            raise Unreadable("an assignment to an attribute")
        self.attributes[key] = value

    def of_term(self, a: Term, key: str) -> Any:
        """An attribute of an array."""
        if key in ("shape", "ndim", "size"):
            if a.shape is None:
                raise Unreadable("a shape that is not known")
            return a.shape if key == "shape" else len(a.shape) if key == "ndim" else math.prod(a.shape)
        if key == "data":
            return a
        if key == "dtype" and a.dtype is not None:
            return a.dtype
        if key == "T":
            return Term(terms.attribute(a.tree, key), None if a.shape is None else a.shape[::-1])
        return _Method(a, key) if callable(getattr(np.ndarray, key, None)) else Term(terms.attribute(a.tree, key), ())

    # -- calls -------------------------------------------------------------------------------------

    def call(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Read a call, or make it where no term goes in and it leaves no traces."""
        if isinstance(f, _Weak):
            return f.term
        if isinstance(f, _Method):
            return self.method(f, args, keywords)
        if isinstance(f, (type, types.BuiltinFunctionType)) and f in _BUILT_IN:
            return self.built_in(f, args, keywords)
        owner, module = getattr(f, "__self__", None), str(getattr(f, "__module__", "") or "")
        if isinstance(f, types.MethodType) and owner is self.fn:
            return f(*args, **keywords) if f.__func__.__module__.startswith("dezero.core.") else self.run(f.__func__, [self.fn, *args], keywords)
        if isinstance(f, types.FunctionType) and not module.startswith(("dezero.", "numpy", "math")):
            return self.run(f, args, keywords)  # a user's own
        if not _has_term((args, keywords)):
            return self.really(f, args, keywords)
        if isinstance(f, types.MethodType) and f.__func__ is _ON:
            return self.op(owner, args, keywords)
        if isinstance(f, Function):
            return self.op(type(f), args, settings_given(f))
        if any(owner is a for a in self.made):  # gradients.append(...)
            return f(*args, **keywords)
        if f is is_half and isinstance(args[0], Term):  # the maths of half precision is the same, computed in float32
            return False
        if module.startswith("dezero."):
            return self.ours(f, args, keywords)
        if isinstance(f, np.ufunc) or module.startswith("numpy"):
            tree = terms.call(self.helper(f.__name__, f), [self.tree(a) for a in args], {k: self.tree(v) for k, v in keywords.items()})
            return Term(tree, broadcast(*args) if isinstance(f, np.ufunc) else None)
        raise Unreadable(f"a call of {getattr(f, '__name__', f)!r}")

    def built_in(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        """One of Python's own functions."""
        first = args[0] if args and isinstance(args[0], Term) else None
        if first is None:
            return f(*args, **keywords)
        if f is abs:
            return Term(terms.call(terms.name("abs"), [first.tree]), first.shape)
        if f is len and first.shape:
            return first.shape[0]
        if f is isinstance:
            kinds = args[1] if isinstance(args[1], tuple) else (args[1],)
            return Variable in kinds or np.ndarray in kinds
        raise Unreadable(f"{f.__name__} of data")

    def really(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Any:
        """Call what needs no term, where it is known to leave no traces."""
        module, key, owner = str(getattr(f, "__module__", "") or ""), getattr(f, "__name__", ""), getattr(f, "__self__", None)
        if (isinstance(f, np.ufunc) or module in ("math", "operator") or module.startswith("dezero.") or (module.startswith("numpy") and key in _PURE)
                or isinstance(owner, (str, tuple, slice)) or any(owner is a for a in self.made)
                or (isinstance(owner, (np.ndarray, list, dict)) and key in _PURE_METHODS)
                or (isinstance(f, type) and issubclass(f, Function))):
            return f(*args, **keywords)
        raise Unreadable(f"a call of {key or f!r}")

    def method(self, f: _Method, args: list[Any], keywords: dict[str, Any]) -> Term:
        """A method of an array."""
        tree = terms.call(terms.attribute(f.owner.tree, f.key), [self.tree(a) for a in args], {k: self.tree(v) for k, v in keywords.items()})
        shape = f.owner.shape
        if f.key in _REDUCE:
            tree = terms.call(terms.attribute(f.owner.tree, f.key), *self.reduction(args, keywords))
        if f.key == "reshape":
            wish = args[0] if len(args) == 1 and isinstance(args[0], (tuple, list)) else args
            shape = None if any(n < 0 for n in wish) else tuple(wish)
        elif f.key == "swapaxes" and shape is not None:
            axes = list(range(len(shape)))
            axes[args[0]], axes[args[1]] = axes[args[1]], axes[args[0]]
            shape = tuple([shape[i] for i in axes])
        elif f.key not in ("astype", "copy", "clip", "round"):
            shape = None
        return Term(tree, shape)

    def reduction(self, args: list[Any], keywords: dict[str, Any]) -> tuple[list[Tree], dict[str, Tree]]:
        """The arguments of ``x.sum(axis, dtype, out, keepdims)``, without those that say nothing."""
        names = dict(zip(("axis", "dtype", "out", "keepdims"), args, strict=False)) | keywords
        axis = names.pop("axis", None)
        return [] if axis is None else [self.tree(axis)], {k: self.tree(v) for k, v in names.items() if v is not None and v is not False}

    def op(self, cls: Any, args: list[Any], settings: Mapping[str, Any]) -> Any:
        """An op by its sign, or by its name."""
        if OPS.get(cls.op) is not cls and cls.__module__.startswith("dezero.") and not settings:  # one that serves another op alone: 1 - y * y
            return self.run(cls.forward, [cls(), *args])
        return spelt(cls, args, settings, self.tree, self.helper)

    def ours(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Term:
        """A function of the library, by its name."""
        key, trees = getattr(f, "__name__", ""), [self.tree(a) for a in args]
        if key == "equal":
            return Term(terms.compare(ast.Eq(), *trees), broadcast(*args))
        if key in SIGNS:
            return Term(terms.binary(SIGNS[key], *trees), broadcast(*args) if key != "matmul" else None)
        return Term(terms.call(self.helper(key, Plain(f)), trees, {k: self.tree(v) for k, v in keywords.items()}))


class _Method:
    """A method of an array, before it is called."""

    def __init__(self, owner: Term, key: str) -> None:
        self.owner, self.key = owner, key


class _Weak:
    """What stands for a weak reference to an output."""

    def __init__(self, term: Term) -> None:
        self.term = term


@lru_cache(1000)
def source_of(function: Any) -> list[ast.stmt]:
    """The statements of a function, from its source.

    Raises:
        Unreadable: there is no source, or it is not that of one function.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]
    except (OSError, TypeError, SyntaxError):
        raise Unreadable("there is no source") from None
    if not isinstance(tree, ast.FunctionDef) or tree.decorator_list:
        raise Unreadable("not a plain function")
    return tree.body


def _has_term(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(_has_term(v) for v in x)
    return isinstance(x, Term) or isinstance(x, dict) and any(_has_term(v) for v in x.values())
