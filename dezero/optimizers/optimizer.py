"""Optimizer: finds the parameters that have a gradient, runs the hooks, and has each parameter updated by a subclass's rule."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from dezero.backend import array_module, arrays, device, kernels_of
from dezero.core.checks import shown
from dezero.core.variable import written
from dezero.errors import AnomalyError, describe
from dezero.optimizers.checks import at_least_zero
from dezero.optimizers.slot import Group, Options, Slot
from dezero.optimizers.state import check_state, load_state, read_state
from dezero.optimizers.target import as_target, check_selector, named_parameters, parameters, selects
from dezero.optimizers.together import by_place

SYNONYMS = {"lr": "rate", "alpha": "rate"}


class Optimizer:
    """Base of all optimizers. A subclass writes :meth:`update_one`.

    Every optimizer has its learning rate as ``rate``: that is what schedules and groups set. Most have ``lr`` as another word for it;
    of :class:`Adam`, ``alpha`` is, since the book's ``Adam.lr`` is something else.

    Args:
        lr: the rate.

    Attributes:
        target: what :meth:`setup` was given.
        hooks: functions of the list of parameters with a gradient, called in order before every update.
        groups: what :meth:`add_group` has added.
        t: how many updates there were.
        check_finite: raise an error that names the parameter if a gradient has a NaN or an infinity.
        skip_nonfinite: in that case leave out the whole update instead, and count it in ``skipped``.
        skipped: how many updates were left out.

    Examples:
        >>> import numpy as np
        >>> from dezero import Parameter
        >>> class SignSGD(Optimizer):
        ...     def update_one(self, param):
        ...         param.data -= self.rate * np.sign(param.grad.data)
        >>> w = Parameter(np.array([1.0, -1.0]))
        >>> optimizer = SignSGD(lr=0.5).setup([w])
        >>> w.grad = np.array([3.0, -0.1])
        >>> optimizer.update()
        >>> print(w)
        variable([ 0.5 -0.5])
    """

    options: tuple[str, ...] = ()  # what groups may set; the learning rate is called "rate" here

    def __init__(self, lr: float = 0.01) -> None:
        self.rate = lr
        self.target: Any = None
        self.hooks: list[Callable[[list[Any]], Any]] = []
        self.groups: list[Group] = []
        self.t = self.skipped = 0
        self.check_finite = self.skip_nonfinite = False
        self._params: list[Any] = []           # as last read from the target, to see whether anything has changed
        self._slots: list[Slot] = []           # of these parameters, each once
        self._by_id: dict[int, Slot] = {}

    # -- the rate ----------------------------------------------------------------------------------

    @property
    def rate(self) -> float:
        """The learning rate, before any correction. Groups may have their own."""
        return self._rate

    @rate.setter
    def rate(self, value: float) -> None:
        self._rate = at_least_zero(type(self).__name__, "the learning rate", value)

    @property
    def lr(self) -> float:
        """The learning rate: another word for ``rate``."""
        return self._rate

    @lr.setter
    def lr(self, value: float) -> None:
        self.rate = value

    # -- the parameters ----------------------------------------------------------------------------

    def setup(self, target: Any, groups: Sequence[Mapping[str, Any]] = (), *, check_finite: bool | None = None,
              skip_nonfinite: bool | None = None) -> Self:
        """Say what to update; a parameter that occurs twice counts once. State and groups of an earlier target are forgotten.

        Args:
            target: a layer, Parameters in a list or another iterable, or a dict of them by name. Parameters that a layer gets later are found.
            groups: dicts such as ``{"params": "encoder.*", "lr": 0.1}``; see :meth:`add_group`.
            check_finite, skip_nonfinite: set the attributes of these names.

        Returns:
            The optimizer itself.

        Raises:
            InputTypeError: the target holds something else.
        """
        target = as_target(f"{type(self).__name__}.setup", target)
        if self.target is not None:
            self.groups = []
        self.target = target
        if check_finite is not None:
            self.check_finite = check_finite
        if skip_nonfinite is not None:
            self.skip_nonfinite = skip_nonfinite
        self._params, self._slots, self._by_id, self.t = [], [], {}, 0
        self._find()
        for group in groups:
            options = dict(group)
            if "params" not in options:
                raise ValueError(f"{type(self).__name__}.setup: the group {shown(tuple(options))} does not say which parameters: give it 'params'")
            self.add_group(options.pop("params"), **options)
        for g in self.groups:
            self._check_used(g)
        return self

    def add_group(self, selector: Any, **options: Any) -> Self:
        """Let other options hold for some parameters. Of several groups that a parameter is in, the last that has an option counts.

        Args:
            selector: a Parameter; a layer; a name, the beginning of dotted names ("encoder") or a pattern ("*.b"); a function
                ``f(name, param)`` that returns True or False; or a list of these.
            **options: ``lr`` (``alpha``, ``rate``), ``weight_decay`` and the other numbers that the optimizer takes.

        Returns:
            The optimizer itself.

        Raises:
            TypeError: the optimizer does not know the option.
            ValueError: no parameter is selected.

        Examples:
            >>> import numpy as np
            >>> from dezero import Parameter
            >>> from dezero.optimizers import SGD
            >>> params = {"W": Parameter(np.ones(1)), "b": Parameter(np.ones(1))}
            >>> optimizer = SGD(lr=0.1).setup(params).add_group("b", lr=0.5)
            >>> for p in params.values(): p.grad = np.ones(1)
            >>> optimizer.update()
            >>> print(params["W"], params["b"])
            variable([0.9]) variable([0.5])
        """
        op = f"{type(self).__name__}.add_group"
        named = {SYNONYMS.get(name, name): value for name, value in options.items()}
        if unknown := [name for name in options if SYNONYMS.get(name, name) not in self.options]:
            known = ", ".join("lr" if name == "rate" else name for name in self.options)
            raise TypeError(f"{op}: {', '.join(unknown)}: " + (f"the options are {known}" if known else
                            f"{type(self).__name__} has no options for groups: name them in the class, options = ('rate',), "
                            "and read them in update_one with self.option('rate', param)"))
        for name, value in named.items():
            named[name] = value if isinstance(value, bool) else at_least_zero(op, name, value)
        group = Group(check_selector(op, selector), named)
        if self.target is not None:
            self._check_used(group)
        self.groups.append(group)
        self._assign()
        return self

    def _check_used(self, group: Group) -> None:
        if not any(selects(group.selector, slot.name, slot.param) for slot in self._slots):
            names = ", ".join(slot.name for slot in self._slots[:8]) + (", ..." if len(self._slots) > 8 else "")
            raise ValueError(f"{type(self).__name__}: {group} selects none of the parameters: {names or 'there are none yet'}")

    def _assign(self) -> None:
        """Give each parameter the options of its groups."""
        for slot in self._slots:
            mine = [g for g in self.groups if selects(g.selector, slot.name, slot.param)]
            slot.options = Options(self, mine) if mine else self

    def _find(self) -> list[Slot]:
        """The slots of the target's parameters as they are now; those of parameters that are still there stay."""
        params = parameters(self.target)
        if params != self._params:
            old = {id(slot.param): slot for slot in self._slots}
            self._slots = []
            for name, p in named_parameters(self.target).items():
                slot = old.get(id(p)) or Slot(name, p)
                slot.name = name
                self._slots.append(slot)
            self._params, self._by_id = params, {id(slot.param): slot for slot in self._slots}
            self._assign()
        return self._slots

    def slot(self, param: Any) -> Slot:
        """What is kept about a parameter. One that is not the target's, in a call of ``update_one`` by hand, joins."""
        slot = self._by_id.get(id(param))
        if slot is None or slot.param is not param:
            slot = next((s for s in self._slots if s.param is param), None)
            if slot is None:
                slot = Slot(param.name or str(len(self._slots)), param)
                self._slots = [*self._slots, slot]
                self._assign()
            self._by_id[id(param)] = slot
        if param.data is not slot.data:
            slot.fit(param.data)
        return slot

    # -- what a rule may use -----------------------------------------------------------------------

    def state(self, param: Any, key: str) -> Any:
        """An array like the parameter's to keep from step to step, zeros at first; it is saved with the optimizer and follows the device.

        Examples:
            >>> import numpy as np
            >>> from dezero import Parameter
            >>> class Momentum(Optimizer):
            ...     def update_one(self, param):
            ...         v = self.state(param, "v")
            ...         v *= 0.9
            ...         v += param.grad.data
            ...         param.data -= self.rate * v
            >>> w = Parameter(np.ones(2), name="w")
            >>> optimizer = Momentum(lr=0.1).setup([w])
            >>> w.grad = np.ones(2)
            >>> optimizer.update()
            >>> optimizer.state_dict()["arrays"]
            {'v/w': array([1., 1.])}
        """
        return self.slot(param).state(key)

    def option(self, name: str, param: Any) -> Any:
        """The value of an option for this parameter: its group's or the optimizer's."""
        return getattr(self.slot(param).options, SYNONYMS.get(name, name))

    # -- updating ----------------------------------------------------------------------------------

    def add_hook(self, hook: Callable[[list[Any]], Any]) -> None:
        """Call ``hook(params)`` before every update with the list of the parameters that have a gradient.

        A hook may write to the gradients' arrays, and may set a gradient to None to leave its parameter out. One that returns False leaves
        out the whole update, which ``skipped`` counts.
        """
        if not callable(hook):
            raise TypeError(f"{type(self).__name__}.add_hook: {shown(hook)}: a function of the list of parameters is expected")
        self.hooks.append(hook)

    def update(self) -> None:
        """Run the hooks, then update every parameter that has an array and a gradient.

        Raises:
            RuntimeError: there is no target yet.
            AnomalyError: a gradient is not finite, and ``check_finite`` is on.
        """
        if self.target is None:
            raise RuntimeError(f"{type(self).__name__}.update: there is nothing to update: call setup(model) first")
        slots = self._find()
        if arrays.foreign:
            self._check_places(slots)
        if self.hooks:
            params = [slot.param for slot in slots if slot.param._grad is not None and slot.param._data is not None]
            for hook in self.hooks:
                if hook(params) is False:
                    self.skipped += 1
                    return
        if (self.check_finite or self.skip_nonfinite) and not self._finite():
            self.skipped += 1
            return
        self.t += 1
        try:
            self._update(slots)
        except MemoryError as error:
            sizes = f"{len(slots)} parameters with {sum(slot.param.size for slot in slots if slot.param._data is not None)} numbers"
            device.out_of_memory(error, f"{type(self).__name__}.update of {sizes}, and as many for each array of state")
        written()

    def _check_places(self, slots: list[Slot]) -> None:
        """Is each gradient where its parameter is?"""
        for slot in slots:
            p, g = slot.param, slot.param._grad
            if g is not None and p._data is not None and device.apart(p._data, g._data):
                device.one_place(f"{type(self).__name__}.update", ((f"parameter {slot.name!r}", p), ("its gradient", g)))

    def _update(self, slots: list[Slot]) -> None:
        update_one = self.update_one
        for slot in slots:
            param = slot.param
            if param._grad is not None and param._data is not None:
                update_one(param)
                slot.t += 1

    def update_one(self, param: Any) -> None:
        """Update one parameter in place from ``param.grad.data``; it has both. Subclasses write this."""
        raise NotImplementedError(f"{type(self).__name__} has no rule: define update_one(self, param)")

    def _finite(self) -> bool:
        found = [(slot, slot.param.grad.data) for slot in self._slots if slot.param._grad is not None]
        if all(bool(arrays.fetch("check_finite", kernels.finite_together(gs))) for kernels, gs in by_place([g for _, g in found])):
            return True
        if not self.check_finite:
            return False
        for slot, g in found:
            xp = array_module(g)
            if not kernels_of(xp).all_finite(g):
                nan, inf = (int(arrays.fetch("check_finite", test(g).sum())) for test in (xp.isnan, xp.isinf))
                raise AnomalyError(f"{type(self).__name__}.update: the gradient of {slot.name!r}, {describe(g)}, has {nan} NaN and {inf} infinite "
                                   f"values at update {self.t + 1}; nothing was updated. A smaller learning rate or ClipGrad may help; "
                                   "detect_anomaly() finds the function where it began")
        return True

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self, copy: bool = True) -> dict[str, Any]:
        """All that is needed to go on later as if nothing had happened.

        Args:
            copy: False gives the state arrays themselves, which updates go on changing.

        Returns:
            ``{"scalars": {...}, "arrays": {...}}``: what can be written as JSON, and the arrays under names such as "m/l0.W".

        Raises:
            RuntimeError: there is no target yet.
        """
        self._need_target("state_dict")
        return read_state(self, self._find(), copy)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what :meth:`state_dict` gave: counts, options and arrays, into an optimizer that was set up on a like model.

        Raises:
            StateError: it is of another optimizer, or names, shapes or groups differ; nothing was loaded then.
            RuntimeError: there is no target yet.
        """
        self._need_target("load_state_dict")
        slots = self._find()
        check_state(self, slots, state)
        load_state(self, slots, state)

    def _need_target(self, method: str) -> None:
        if self.target is None:
            raise RuntimeError(f"{type(self).__name__}.{method}: the state goes by the names of parameters: call setup(model) first")

    def __repr__(self) -> str:
        options = ", ".join(f"{'lr' if name == 'rate' else name}={getattr(self, name)}" for name in self.options)
        return f"{type(self).__name__}({options})"
