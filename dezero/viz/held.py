"""Held: the arrays of a graph that the program still holds."""

from __future__ import annotations

from typing import Any

from dezero.backend import as_numpy
from dezero.core.node import Held, Node, Output
from dezero.core.variable import Variable
from dezero.viz.graph import Collection, place_of


def held(found: Collection) -> dict[str, Any]:
    """The arrays that something still holds (variables, the graph for its gradients, ``keep_values``) by id, on host or device.

    Examples:
        >>> import numpy as np
        >>> from dezero.viz.graph import collect
        >>> held(collect(Variable(np.array(2.0)) * 3))["v1"]
        3
    """
    ids = {place: id_ for id_, place in found.places.items()}
    results = {(place.function, index_of(place)): id_ for id_, place in found.places.items() if isinstance(place, Node)}
    arrays = {id_: value for id_, value in found.constants.items() if value is not None}
    for id_, place in found.places.items():
        v = place._output() if isinstance(place, Node) else place
        if v is not None and v._data is not None:
            arrays[id_] = v._data
    for fn in found.functions.values():
        if type(fn._kept) is Held and (fn, 0) in results:
            arrays[results[fn, 0]] = fn._kept.result
        edges, kept, seen = fn._edges, fn._kept or (), getattr(fn, "_seen", ((), ()))
        n = len(edges)
        places = fn._plan.sources if fn.native else range(len(kept))
        for j, value in [*zip(places, kept, strict=False), *enumerate(seen[0]), *enumerate(seen[1], n)]:
            where = results.get((fn, j - n)) if j >= n else ids.get(place_of(edges[j])) if isinstance(edges[j], (Node, Variable)) else None
            if where is not None and value is not None:
                arrays[where] = value._data if isinstance(value, Variable) else value
    return arrays


def held_gradients(found: Collection) -> dict[str, Any]:
    """The gradients that variables have in the program, by id, on the host.

    Examples:
        >>> import numpy as np
        >>> from dezero.viz.graph import collect
        >>> y = Variable(np.array(2.0)) * 3
        >>> y.backward()
        >>> held_gradients(collect(y))
        {'v0': array(3.)}
    """
    gradients = {}
    for id_, place in found.places.items():
        v = place._output() if isinstance(place, Node) else place
        if v is not None and v._grad is not None and v._grad._data is not None:
            gradients[id_] = as_numpy(v._grad)
    return gradients


def index_of(place: Node) -> int:
    """Which of its function's results a place is."""
    return place.index if isinstance(place, Output) else 0
