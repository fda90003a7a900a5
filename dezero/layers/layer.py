"""Layer: parameters, buffers and other layers under one name each, and a forward that uses them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Self

from dezero.backend import as_numpy
from dezero.backend.device import as_device, put
from dezero.config import _mode
from dezero.core import Parameter
from dezero.core.operators import ENGINE
from dezero.layers.buffer import Buffer
from dezero.layers.reference import refer
from dezero.layers.state import LoadReport, load_state, read_state, read_weights, write_weights
from dezero.layers.summary import summarize, tree
from dezero.layers.walk import BUFFER, LAYER, MAPPING, PARAMETER, SEQUENCE, STATE, LayerBase, collect, kind_of, members

_current = _mode.get
# Past __setattr__, which looks for layers in what it is given: these are set in every call.
_set_inputs, _set_outputs, _set_scope = (LayerBase.__dict__[name].__set__ for name in ("inputs", "outputs", "_scope"))


class Hook:
    """What :meth:`Layer.add_forward_hook` returns: call ``remove()`` on it to take the hook away."""

    def __init__(self, hooks: dict[int, Any], f: Any) -> None:
        self._hooks, self._key = hooks, max(hooks, default=-1) + 1
        hooks[self._key] = f

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        self._hooks.pop(self._key, None)
        self._hooks = {}  # its key may go to another one


class Layer(LayerBase):
    """A part of a network. Write the computation as ``forward``; call the layer to run it.

    Parameters, :class:`Buffer`\\ s and layers that are put into attributes, or into lists, tuples and dicts in attributes, belong to the
    layer. A layer or parameter that is found twice counts once.

    Attributes:
        training: False after :meth:`eval`: dropout passes all, batch norm uses its running statistics.
        inputs, outputs: references to what the last call got and gave: ``layer.outputs[0]()`` is the output, until a ``backward`` has used it
            or its graph is gone; a Variable that you hold by then lives on.

    Examples:
        >>> import numpy as np
        >>> import dezero.functions as F
        >>> from dezero import Layer, Parameter
        >>> class Affine(Layer):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.W, self.b = Parameter(np.ones((2, 1))), Parameter(np.zeros(1))
        ...     def forward(self, x):
        ...         return F.linear(x, self.W, self.b)
        >>> layer = Affine()
        >>> print(layer(np.array([[1.0, 2.0]])), [name for name, p in layer.named_params()])
        variable([[3.]]) ['W', 'b']
    """

    __slots__ = ()

    def __new__(cls, *args: Any, **kwargs: Any) -> Self:
        self = super().__new__(cls)  # here, so that a subclass without super().__init__() is a layer too
        self._name, self.training, self._scope = "", True, (None, None)
        self._hooks, self._pre_hooks = {}, {}
        self.inputs, self.outputs = [], []
        return self

    def __init__(self) -> None:
        pass

    def __setattr__(self, name: str, value: Any) -> None:
        kind = kind_of(value)
        if kind in (LAYER, SEQUENCE, MAPPING):
            _give_names(name, value)
        elif isinstance(value, (set, frozenset)) and any(kind_of(v) in (PARAMETER, LAYER) for v in value):
            raise TypeError(f"{type(self).__name__}.{name}: a set of layers or parameters has no order: use a list, a tuple or a dict")
        super().__setattr__(name, value)

    # -- running ---------------------------------------------------------------------------------

    def forward(self, *inputs: Any, **kwargs: Any) -> Any:
        """What the layer computes; subclasses define it."""
        raise NotImplementedError(f"{type(self).__name__} has no forward: define forward(self, x), which returns the layer's output")

    def __call__(self, *inputs: Any, **kwargs: Any) -> Any:
        mode = _current()
        if not self._name and (self.training or not mode.train):
            return self._run(inputs, kwargs)
        outer, inner = self._scope
        if outer is not mode or inner.train != (mode.train and self.training):
            path = f"{mode.layer}.{self._name}" if mode.layer and self._name else self._name or mode.layer
            inner = mode.but(layer=path, train=mode.train and self.training)
            _set_scope(self, (mode, inner))
        token = _mode.set(inner)
        try:
            return self._run(inputs, kwargs)
        except Exception as error:
            _locate(error, inner.layer)
            raise
        finally:
            _mode.reset(token)

    def _run(self, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        if self._pre_hooks:
            for f in list(self._pre_hooks.values()):
                f(self, inputs)
        outputs = self.forward(*inputs, **kwargs)
        _set_inputs(self, [refer(x) for x in inputs])
        _set_outputs(self, [refer(y, True) for y in outputs] if isinstance(outputs, (tuple, list)) else [refer(outputs, True)])
        if self._hooks:
            for f in list(self._hooks.values()):
                f(self, inputs, outputs)
        return outputs

    def add_forward_hook(self, f: Callable[[Layer, tuple[Any, ...], Any], Any]) -> Hook:
        """Call ``f(layer, inputs, outputs)`` after every run of the layer; ``remove()`` on what is returned ends that.

        Examples:
            >>> import numpy as np
            >>> import dezero.layers as L
            >>> layer, shapes = L.Linear(3, in_size=2), []
            >>> hook = layer.add_forward_hook(lambda layer, inputs, output: shapes.append(output.shape))
            >>> y = layer(np.ones((4, 2), np.float32))
            >>> hook.remove()
            >>> shapes
            [(4, 3)]
        """
        return Hook(self._hooks, f)

    def add_forward_pre_hook(self, f: Callable[[Layer, tuple[Any, ...]], Any]) -> Hook:
        """Call ``f(layer, inputs)`` before every run of the layer; ``remove()`` on what is returned ends that."""
        return Hook(self._pre_hooks, f)

    # -- what belongs to it ------------------------------------------------------------------------

    def params(self) -> Iterator[Parameter]:
        """The parameters in order of declaration, those of sublayers too, each once."""
        return iter(collect(self, PARAMETER))

    def named_params(self) -> Iterator[tuple[str, Parameter]]:
        """(name, parameter) in order of declaration: ``"encoder.0.W"``."""
        return ((path, value) for path, value, _ in members(self) if isinstance(value, Parameter))

    def buffers(self) -> Iterator[Buffer]:
        """The buffers in order of declaration, those of sublayers too, each once."""
        return iter(collect(self, BUFFER))

    def named_buffers(self) -> Iterator[tuple[str, Buffer]]:
        """(name, buffer) in order of declaration: ``"norm.avg_mean"``."""
        return ((path, value) for path, value, _ in members(self) if isinstance(value, Buffer))

    def named_layers(self) -> Iterator[tuple[str, Layer]]:
        """(path, layer), the layer itself first with the path ``""``."""
        yield "", self
        for path, value, _ in members(self):
            if isinstance(value, Layer):
                yield path, value

    def children(self) -> Iterator[Layer]:
        """The layers that this one holds itself, each once."""
        return (value for _, value, holder in members(self) if isinstance(value, Layer) and holder is self)

    def count_params(self) -> int:
        """How many numbers the parameters hold; 0 for those that are not sized yet."""
        return sum(p.size for p in self.params() if p.data is not None)

    # -- training ----------------------------------------------------------------------------------

    def cleargrads(self) -> None:
        """Forget the gradients of all parameters."""
        for p in collect(self, PARAMETER):
            p._grad = None

    def train(self, mode: bool = True) -> Self:
        """Run as in training from now on (``mode=False``: as in use), with all sublayers; under ``test_mode`` all run as in use."""
        self.training = bool(mode)
        for layer in collect(self, LAYER):
            layer.training = bool(mode)
        return self

    def eval(self) -> Self:
        """Run as in use from now on: dropout passes all, batch norm uses its running statistics."""
        return self.train(False)

    def freeze(self) -> Self:
        """Make constants of all parameters: they get no gradient, and optimizers leave them alone."""
        return self._set_requires_grad(False)

    def unfreeze(self) -> Self:
        """Undo :meth:`freeze`."""
        return self._set_requires_grad(True)

    def _set_requires_grad(self, value: bool) -> Self:
        for p in self.params():
            p.requires_grad = value
            if not value:
                p.cleargrad()
        return self

    # -- devices -----------------------------------------------------------------------------------

    def to_cpu(self) -> Self:
        """Move parameters, buffers, gradients and hidden states to the host."""
        return self._move(as_numpy)

    def to_gpu(self, device: str | int | None = None) -> Self:
        """Move parameters, buffers, gradients and hidden states to a CUDA device, the current one by default.

        Args:
            device: "cuda:1", or the number of the device.

        Raises:
            ImportError: CuPy is not installed.
            DeviceError: there is no such device.
        """
        return self.to("cuda" if device is None else device)

    def to(self, device: str | int) -> Self:
        """Move parameters, buffers, gradients and hidden states to a device: "cpu", "gpu", "cuda", "cuda:1".

        Examples:
            >>> import dezero.layers as L
            >>> L.Linear(2, in_size=3).to("cpu").W.device
            'cpu'
        """
        found = as_device(device)
        return self._move(lambda x: put(x, found))

    def _move(self, convert: Callable[[Any], Any]) -> Self:
        for kind in (PARAMETER, BUFFER, STATE):
            for v in collect(self, kind):
                for part in (v, v.grad):
                    if part is not None and part.data is not None:
                        part._data = convert(part.data)
        return self

    # -- state -------------------------------------------------------------------------------------

    def state_dict(self, copy: bool = True) -> dict[str, Any]:
        """All parameters and buffers by name, as arrays on their device.

        Args:
            copy: False gives the arrays themselves, which training goes on changing.

        Raises:
            StateError: a parameter has no size yet: call the layer once, or give the input size.

        Examples:
            >>> import dezero.layers as L
            >>> {name: a.shape for name, a in L.Linear(3, in_size=2).state_dict().items()}
            {'W': (2, 3), 'b': (3,)}
        """
        return read_state(self, copy)

    def load_state_dict(self, state: Any, strict: bool = True) -> LoadReport:
        """Write saved arrays into the parameters and buffers of the same names, in place.

        Args:
            state: name -> array. Names may be joined by "/" as in the book's files.
            strict: False loads what fits and reports the rest.

        Returns:
            The names that were missing, unexpected and mismatched.

        Raises:
            StateError: names or shapes differ; nothing was loaded then, and the message is a table of what differs.
        """
        return load_state(self, state, strict)

    def save_weights(self, path: Any) -> None:
        """Write all parameters and buffers to a file, as a whole or not at all.

        Args:
            path: ends in ``.npz`` (names joined by "/", as in the book) or ``.safetensors``; without a suffix it is npz.

        Raises:
            StateError: a parameter has no size yet.
        """
        write_weights(self, path)

    def load_weights(self, path: Any, strict: bool = True) -> LoadReport:
        """Read what :meth:`save_weights`, or the book's, has written.

        Raises:
            StateError: names or shapes differ; nothing was loaded then.
            FileFormatError: the file is damaged.
            FileNotFoundError: there is none.
        """
        return read_weights(self, path, strict)

    def __getstate__(self) -> dict[str, Any]:
        # Hooks and references to the last call are of this process.
        return {"attributes": dict(self.__dict__), "name": self._name, "training": self.training}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state["attributes"])
        self._name, self.training = state["name"], state["training"]

    # -- looking at it -----------------------------------------------------------------------------

    def lazy_shapes(self) -> dict[str, tuple[int | None, ...]]:
        """For parameters that are not sized yet: what is known of their shapes, None where an axis is open. Subclasses say it."""
        return {}

    def extra_repr(self) -> str:
        """What stands between the brackets of the repr. Subclasses say it."""
        return ""

    def __repr__(self) -> str:
        return tree(self)

    def _repr_html_(self) -> str:
        """What a notebook shows: the tree with the parameters' shapes, and the picture folded away below it."""
        return ENGINE["layer_html"](self)  # type: ignore[no-any-return]

    def _repr_svg_(self) -> str | None:
        """The picture: the graph of the last call while its output lives, else the sublayers as they were declared."""
        return ENGINE["layer_svg"](self)  # type: ignore[no-any-return]

    def summary(self, *inputs: Any) -> str:
        """A table of the layers with output shapes and numbers of parameters.

        Args:
            inputs: example arrays, or shapes of float32 inputs such as ``(1, 784)``. The layer runs on them once, as in use;
                without inputs the shapes are left out.

        Examples:
            >>> import dezero.layers as L
            >>> print(L.Linear(3, in_size=2).summary((1, 2)))
            layer   output  parameters
            Linear  (1, 3)           9
            total                    9
        """
        return summarize(self, inputs)


def _locate(error: Exception, path: str) -> None:
    """Note on an error in which layer it arose, unless that stands there already."""
    head = str(error).split(": ", 1)[0]  # an op puts the path there
    known = head == path or head.startswith(f"{path}.") or any(note.startswith("in layer ") for note in getattr(error, "__notes__", ()))
    if path and not known:
        error.add_note(f"in layer {path}")


def _give_names(name: str, value: Any, around: tuple[int, ...] = ()) -> None:
    """Tell layers under which name they were first put somewhere, for messages."""
    kind = kind_of(value)
    if kind == LAYER:
        value._name = value._name or name
    elif kind in (SEQUENCE, MAPPING) and id(value) not in around:  # a list may hold itself
        for key, item in enumerate(value) if kind == SEQUENCE else value.items():
            if kind_of(item) in (LAYER, SEQUENCE, MAPPING):
                _give_names(f"{name}.{key}", item, (*around, id(value)))
