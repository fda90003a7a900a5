"""Modes: whether a graph is recorded, whether layers train. They belong to a thread and to an asyncio task."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator
from contextvars import ContextVar, Token
from functools import wraps
from typing import Any


class Mode:
    """One immutable set of modes. Ops read the current one once per call."""

    __slots__ = ("record", "train", "layer", "watch", "again", "cast")

    def __init__(self, record: bool = True, train: bool = True, layer: str = "", watch: Any = None, again: bool = False,
                 cast: Any = None) -> None:
        self.record = record  # build a graph
        self.train = train    # dropout drops, batch norm uses the batch's statistics
        self.layer = layer    # path of the layer that runs, "encoder.fc2"
        self.watch = watch    # what ``detect_anomaly`` installs
        self.again = again    # ``checkpoint`` runs a part once more: running statistics have moved already
        self.cast = cast      # what ``autocast`` installs

    def but(self, **changes: Any) -> Mode:
        """A copy with some of the modes changed."""
        fields = {name: getattr(self, name) for name in Mode.__slots__}
        fields.update(changes)
        return Mode(**fields)


# A context variable has one value per thread and per asyncio task, which is what a mode must have.
_mode: ContextVar[Mode] = ContextVar("dezero_mode", default=Mode())
current: Callable[[], Mode] = _mode.get


class changed:
    """Run a block, or as a decorator a function, with some of the modes changed.

    A decorated generator has the modes while it runs, its caller between the items; a decorated coroutine has them in its task.
    """

    __slots__ = ("changes", "entered")

    def __init__(self, **changes: Any) -> None:
        self.changes = changes
        self.entered: list[tuple[Token[Mode], Mode, Mode]] = []

    def begin(self) -> dict[str, Any]:
        """What a block changes."""
        return self.changes

    def __enter__(self) -> None:
        before = _mode.get()
        inside = before.but(**self.begin())
        self.entered.append((_mode.set(inside), before, inside))

    def __exit__(self, *error: object) -> None:
        token, before, inside = self.entered.pop()
        now = _mode.get()
        try:
            _mode.reset(token)
        except ValueError:  # a generator that another thread or task began is closed in this one, whose modes are its own
            return
        if now is not inside:  # a generator's block ends after one that began later, or Config was set inside
            _mode.set(now.but(**{name: getattr(before, name) for name in self.changes}))

    def anew(self) -> changed:
        """The same for another block: each call of a decorated function has one of its own."""
        return changed(**self.changes)

    def __call__(self, f: Callable[..., Any]) -> Callable[..., Any]:
        anew = self.anew
        if inspect.isgeneratorfunction(f):
            return wraps(f)(lambda *args, **kwargs: _steps(f(*args, **kwargs), anew))

        if inspect.iscoroutinefunction(f):
            @wraps(f)
            async def run(*args: Any, **kwargs: Any) -> Any:
                with anew():
                    return await f(*args, **kwargs)
        else:
            @wraps(f)
            def run(*args: Any, **kwargs: Any) -> Any:
                with anew():
                    return f(*args, **kwargs)
        return run


def _steps(generator: Any, anew: Callable[[], changed]) -> Generator[Any, Any, Any]:
    """The items of a generator that runs with some of the modes changed, while its caller keeps its own."""
    step, argument = generator.send, None
    while True:
        try:
            with anew():
                item = step(argument)
        except StopIteration as stop:
            return stop.value
        try:
            step, argument = generator.send, (yield item)
        except BaseException as error:
            step, argument = generator.throw, error


_FIELDS = {"enable_backprop": "record", "train": "train"}


class _ConfigType(type):
    """Gives ``Config`` its two attributes, which read and write the mode of the running thread or task."""

    @property
    def enable_backprop(cls) -> bool:
        return current().record

    @enable_backprop.setter
    def enable_backprop(cls, value: bool) -> None:
        _mode.set(current().but(record=bool(value)))

    @property
    def train(cls) -> bool:
        return current().train

    @train.setter
    def train(cls, value: bool) -> None:
        _mode.set(current().but(train=bool(value)))

    def __setattr__(cls, name: str, value: object) -> None:
        if name not in _FIELDS:
            raise AttributeError(_unknown(name))
        super().__setattr__(name, value)


class Config(metaclass=_ConfigType):
    """The modes as attributes: ``Config.enable_backprop`` and ``Config.train``, both ``True`` at the start.

    They hold for the running thread or asyncio task alone. :func:`using_config`, :func:`no_grad` and
    :func:`test_mode` change them for one block, which is what you want most of the time.

    Examples:
        >>> from dezero import Config, no_grad
        >>> with no_grad():
        ...     Config.enable_backprop
        False
        >>> Config.enable_backprop
        True
    """


def _unknown(name: str) -> str:
    return f"Config has no setting {name!r}; its settings are {', '.join(_FIELDS)}"


def using_config(name: str, value: bool) -> Any:
    """Change one setting of :class:`Config` for a block (or, as a decorator, for a function).

    Args:
        name: ``"enable_backprop"`` or ``"train"``.
        value: what it is inside the block.

    Raises:
        AttributeError: the name is not a setting.

    Examples:
        >>> from dezero import Config, using_config
        >>> with using_config("train", False):
        ...     Config.train
        False
    """
    if name not in _FIELDS:
        raise AttributeError(_unknown(name))
    return changed(**{_FIELDS[name]: bool(value)})


def no_grad() -> Any:
    """Build no graph inside the block: less memory and time where no gradient is wanted.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable, no_grad
        >>> x = Variable(np.array(3.0))
        >>> with no_grad():
        ...     y = x * x
        >>> y.creator is None
        True
    """
    return changed(record=False)


def enable_grad() -> Any:
    """Build a graph inside the block, also within :func:`no_grad`.

    Examples:
        >>> from dezero import Config, enable_grad, no_grad
        >>> with no_grad(), enable_grad():
        ...     Config.enable_backprop
        True
    """
    return changed(record=True)


def test_mode() -> Any:
    """Run layers as in use, not as in training: dropout passes all, batch norm uses its running statistics.

    Examples:
        >>> from dezero import Config, test_mode
        >>> with test_mode():
        ...     Config.train
        False
    """
    return changed(train=False)


test_mode.__test__ = False  # type: ignore[attr-defined]  # pytest must not take it for a test


def layer_scope(name: str) -> Any:
    """Run a block as part of the layer ``name``, below the layer that runs already: ``"encoder"``, then ``"encoder.fc2"``.

    Ops made inside carry the path, and their errors name it.

    Examples:
        >>> from dezero.config import current, layer_scope
        >>> with layer_scope("encoder"), layer_scope("fc2"):
        ...     current().layer
        'encoder.fc2'
    """
    outer = current().layer
    return changed(layer=f"{outer}.{name}" if outer else name)
