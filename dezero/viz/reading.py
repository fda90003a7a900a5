"""Reading: the code of a formula is gone through with terms in place of arrays, so that what it returns is the formula itself."""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
import types
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from dezero.core.function import Function
from dezero.core.operators import OPS
from dezero.core.variable import Variable
from dezero.viz import terms
from dezero.viz.symbolic import Evaluator, Return, Scope, Term, Unreadable, broadcast
from dezero.viz.terms import Tree

_ON = Function.on.__func__  # type: ignore[attr-defined]
_DEPTH = 8  # calls within calls
_BUILT_IN = {len, range, tuple, list, dict, sorted, zip, enumerate, reversed, isinstance, min, max, abs, int, float, bool, str, sum, any, all, slice,
             getattr, hasattr, type, round, divmod}
_REDUCE, _KEEP = {"sum", "mean", "prod", "max", "min"}, {"cumsum", "flip", "softmax", "log_softmax", "tril", "triu"}
_SIGNS = {"add": ast.Add, "sub": ast.Sub, "mul": ast.Mult, "div": ast.Div, "matmul": ast.MatMult}


class Plain:
    """A function of the library on arrays: what it gives are arrays too, not Variables."""

    def __init__(self, f: Callable[..., Any]) -> None:
        self.f = f

    def __call__(self, *args: Any, **settings: Any) -> Any:
        y = self.f(*args, **settings)
        return y.data if isinstance(y, Variable) else y

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Plain) and self.f == other.f

    def __hash__(self) -> int:
        return hash(self.f)


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
        return written if written is not None else self.helper("const", value)

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
        if a is self.fn and key == "xp":
            return np
        if a is self.fn and not a.native and key in ("inputs", "outputs"):
            return self.inputs if key == "inputs" else self.outputs
        return getattr(a, key)

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
        if isinstance(owner, (list, dict)):  # gradients.append(...)
            return f(*args, **keywords)
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
        module = str(getattr(f, "__module__", "") or "")
        pure = isinstance(f, np.ufunc) or module in ("math", "operator") or module.startswith(("dezero.", "numpy")) and "random" not in module
        if pure or isinstance(getattr(f, "__self__", None), (str, tuple, list, dict, np.ndarray, np.dtype, slice)) \
                or (isinstance(f, type) and issubclass(f, Function)):
            return f(*args, **keywords)
        raise Unreadable(f"a call of {getattr(f, '__name__', f)!r}")

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
        ours = OPS.get(cls.op) is cls and cls.__module__.startswith("dezero.")
        if ours and cls.op in _SIGNS and len(args) == 2:
            return self.binary(_SIGNS[cls.op](), *args)
        first = getattr(args[0], "shape", None)
        shape = broadcast(*args) if cls.broadcasts and cls.scalars else settings.get("shape", first if cls.op in _KEEP else None)
        if OPS.get(cls.op) is not cls and not settings:  # one that serves another op alone, 1 - y * y say
            return self.run(cls.forward, [cls(), *args])
        a = self.tree(args[0])
        if ours and cls.op == "neg":
            return Term(terms.negative(a), shape)
        if ours and cls.op == "pow":
            return Term(terms.binary("**", a, self.tree(settings["c"])), shape)
        if ours and cls.op == "square":
            return Term(terms.binary("**", a, ast.Constant(2)), shape)
        if ours and cls.op in ("get_item", "gather"):
            arrays = iter(args[1:])
            index = [next(arrays) if item == "array" else item for item in _items(settings["slices"])]
            return Term(terms.subscript(a, self.tree(index[0] if len(index) == 1 else tuple(index))))
        if ours and cls.op in ("reshape", "astype"):
            return Term(terms.call(terms.attribute(a, cls.op), [self.tree(v) for v in settings.values()]), shape)
        if ours and cls.op == "transpose":
            axes = settings.get("axes")
            return Term(terms.attribute(a, "T") if axes is None else terms.call(terms.attribute(a, "transpose"), [self.tree(axes)]))
        if ours and cls.op in ("sum_to", "broadcast_to"):
            return Term(terms.call(self.helper(cls.op, TO_SHAPE[cls.op]), [a, self.tree(tuple(settings["shape"]))]), tuple(settings["shape"]))
        named = {k: self.tree(v) for k, v in beside_defaults(cls, settings).items()}
        return Term(terms.call(self.helper(cls.op, Plain(cls.on)), [self.tree(x) for x in args], named), shape)

    def ours(self, f: Any, args: list[Any], keywords: dict[str, Any]) -> Term:
        """A function of the library, by its name."""
        key, trees = getattr(f, "__name__", ""), [self.tree(a) for a in args]
        if key == "equal":
            return Term(terms.compare(ast.Eq(), *trees), broadcast(*args))
        if key in _SIGNS:
            return self.binary(_SIGNS[key](), *args)  # type: ignore[no-any-return]
        return Term(terms.call(self.helper(key, Plain(f)), trees, {k: self.tree(v) for k, v in keywords.items()}))


def sum_to(x: Any, shape: Any) -> Any:
    """An array, summed over the axes along which ``shape`` was broadcast."""
    return OPS["sum_to"].on(x, shape=shape)


def broadcast_to(x: Any, shape: Any) -> Any:
    """An array, stretched to ``shape``."""
    return OPS["broadcast_to"].on(x, shape=shape)


TO_SHAPE = {"sum_to": sum_to, "broadcast_to": broadcast_to}


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


def settings_given(fn: Any) -> dict[str, Any]:
    """What a Function was made with, by the names of its constructor's arguments."""
    known = fn.__dict__
    found = {}
    for key in _parameters(type(fn)):
        if key in known:
            found[key] = known[key]
        elif "to" in known and key in ("shape", "dtype"):
            found[key] = known["to"]
    return found


def beside_defaults(cls: Any, settings: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that are not what the constructor takes without being told."""
    defaults = _parameters(cls)
    return {k: v for k, v in settings.items() if not same(v, defaults.get(k, same)) and not same(v, (defaults.get(k, same),) * 2)}


@lru_cache(1000)
def _parameters(cls: Any) -> dict[str, Any]:
    """The arguments of a class's constructor, with their defaults."""
    if cls.__init__ is object.__init__:
        return {}
    given = list(inspect.signature(cls.__init__).parameters.values())[1:]
    return {p.name: p.default for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}


def same(a: Any, b: Any) -> bool:
    """Are two settings equal?"""
    return a is b or (type(a) is type(b) and not isinstance(a, np.ndarray) and bool(a == b))


def _items(index: Any) -> Sequence[Any]:
    return index if isinstance(index, tuple) else (index,)


def _has_term(x: Any) -> bool:
    if isinstance(x, (tuple, list)):
        return any(_has_term(v) for v in x)
    return isinstance(x, Term) or isinstance(x, dict) and any(_has_term(v) for v in x.values())
