"""What an optimizer keeps about one parameter: its state arrays, its count of steps, and the options that hold for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.backend import array_module, as_numpy, device, kernels_of
from dezero.errors import StateError


class Group:
    """Options that hold for some of the parameters.

    Attributes:
        selector: which; see :meth:`Optimizer.add_group`.
        options: name -> value; the rate is called "rate" here, for every optimizer.
    """

    def __init__(self, selector: Any, options: dict[str, Any]) -> None:
        self.selector, self.options = selector, options

    def __repr__(self) -> str:
        return f"Group({self.selector!r}, {', '.join(f'{k}={v}' for k, v in self.options.items())})"


class Options:
    """The options of a parameter in groups: of its last group that has one, else the optimizer's."""

    def __init__(self, optimizer: Any, groups: list[Group]) -> None:
        self._optimizer, self._groups = optimizer, groups[::-1]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        for group in self._groups:
            if name in group.options:
                return group.options[name]
        return getattr(self._optimizer, name)


class Slot:
    """What an optimizer keeps about one parameter.

    Attributes:
        name: the parameter's, by which the state is saved.
        param: the parameter.
        options: has ``rate`` and the optimizer's other options as attributes.
        t: how many steps it has made.
        arrays: the state: key -> array, like the parameter's, but float32 where that has half precision; "master" is such a parameter itself
            in float32, before it was rounded.
        numbers: the state that is no array.
        data: the parameter's array when the state was last fitted to it.
        kernels: those of the array's module.
        half: has the parameter half precision?
    """

    __slots__ = ("name", "param", "options", "t", "arrays", "numbers", "data", "xp", "kernels", "half")

    def __init__(self, name: str, param: Any) -> None:
        self.name, self.param = name, param
        self.options: Any = None
        self.t = 0
        self.arrays: dict[str, Any] = {}
        self.numbers: dict[str, float] = {}
        self.data: Any = None
        self.xp: Any = None
        self.kernels: Any = None
        self.half = False

    def __getstate__(self) -> dict[str, Any]:
        """For copies: without what holds a module, which the next fit brings back."""
        return {key: getattr(self, key) for key in ("name", "param", "options", "t", "arrays", "numbers")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for key, value in state.items():
            setattr(self, key, value)
        self.data = self.xp = self.kernels = None
        self.half = False

    def state(self, key: str) -> Any:
        """The array of this key; zeros the first time. The slot has been fitted before."""
        a = self.arrays.get(key)
        if a is None:
            a = self.arrays[key] = self.xp.zeros_like(self.data, dtype=self.dtype)
        return a

    def master(self) -> Any:
        """A parameter of half precision as its last step has left it, before rounding; with the elements that somebody has written since."""
        w = self.state("master")
        self.kernels.take_over(w, self.data)
        return w

    @property
    def dtype(self) -> Any:
        """The dtype of the state."""
        data = self.param.data
        return np.dtype(np.float32) if data.dtype.itemsize < 4 else data.dtype

    def fit(self, data: Any) -> None:
        """Follow the parameter to another array: its device, its dtype.

        Raises:
            StateError: the array has another shape than the state.
        """
        xp = array_module(data)
        if device.several:
            device.enter(data)
        for key, a in self.arrays.items():
            if a.shape != data.shape:
                raise StateError(f"the state {key!r} of parameter {self.name!r} has shape {a.shape}, its array has shape {data.shape}: "
                                 "call setup(...) again to start with fresh state, or load the state of this model")
            if device.device_of(a) != device.device_of(data):
                a = xp.asarray(as_numpy(a))
            self.arrays[key] = a.astype(self.dtype, copy=False)
        if data.dtype.itemsize >= 4:
            self.arrays.pop("master", None)
        self.data, self.xp, self.kernels, self.half = data, xp, kernels_of(xp), data.dtype.itemsize < 4
