"""What an optimizer works on: the parameters of its target by name, and the selectors that pick some of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from dezero.core import Variable
from dezero.core.checks import shown
from dezero.errors import InputTypeError


def as_target(op: str, target: Any) -> Any:
    """``target`` in a form that can be read again and again: a layer or a dict as it is, anything else as a list of parameters.

    Raises:
        InputTypeError: it is neither a layer nor made of parameters.
    """
    if hasattr(target, "params"):
        return target
    if isinstance(target, Variable):
        return [target]
    if not isinstance(target, Mapping):
        if isinstance(target, str) or not isinstance(target, Iterable):
            raise InputTypeError(f"{op}: the target is {shown(target)}: a layer, parameters, or a dict of them by name is expected")
        target = list(target)
    for p in target.values() if isinstance(target, Mapping) else target:
        if not isinstance(p, Variable):
            raise InputTypeError(f"{op}: the target holds {shown(p)}: Parameters are expected; of a layer, pass the layer itself")
    return target


def parameters(target: Any) -> list[Any]:
    """The parameters as they are now, in order; quickly, since every update asks. A list or a dict may name one twice."""
    if hasattr(target, "params"):
        return list(target.params())
    return list(target.values() if isinstance(target, Mapping) else target)


def named_parameters(target: Any) -> dict[str, Any]:
    """Name -> parameter, each once, under its first name.

    The names are the layer's dotted ones or the dict's keys. Parameters in a list go by their own names if these are all there and
    all different, else by their places: "0", "1".
    """
    if hasattr(target, "named_params"):
        pairs = list(target.named_params())
    elif isinstance(target, Mapping):
        pairs = [(str(name), p) for name, p in target.items()]
    else:
        once = list({id(p): p for p in parameters(target)}.values())
        names = [p.name for p in once]
        if None in names or len(set(names)) < len(names):
            names = [str(i) for i in range(len(once))]
        pairs = list(zip(names, once, strict=True))
    seen: dict[int, None] = {}
    found = {}
    for name, p in pairs:
        if id(p) not in seen:
            if name in found:
                raise InputTypeError(f"the target has two parameters of the name {name!r}: give them different names, or keys that differ as text")
            seen[id(p)] = None
            found[name] = p
    return found


def selects(selector: Any, name: str, param: Any) -> bool:
    """Does a selector pick this parameter?

    Args:
        selector: a Parameter; a layer; a name, the beginning of dotted names ("encoder") or a pattern with ``*``, ``?``, ``[...]``;
            a function ``f(name, param)``; or a list of these.
    """
    if isinstance(selector, str):
        return name == selector or name.startswith(selector if selector.endswith(".") else selector + ".") or fnmatchcase(name, selector)
    if isinstance(selector, Variable):
        return selector is param
    if hasattr(selector, "params"):
        return any(p is param for p in selector.params())
    if callable(selector):
        return bool(selector(name, param))
    return any(selects(s, name, param) for s in selector)


def check_selector(op: str, selector: Any) -> Any:
    """``selector`` with what can be gone through only once as a list.

    Raises:
        InputTypeError: it is nothing that selects.
    """
    if isinstance(selector, (str, Variable)) or hasattr(selector, "params") or callable(selector):
        return selector
    if not isinstance(selector, Iterable) or isinstance(selector, (bytes, Mapping)):
        raise InputTypeError(f"{op}: {shown(selector)} selects no parameters: Parameters, a layer, a name or a pattern such as 'encoder.*', "
                             "a function f(name, param), or a list of these is expected")
    return [check_selector(op, s) for s in selector]
