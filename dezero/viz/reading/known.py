"""Known: formulas of gradients whose code is a kernel, or long, as textbooks and papers write them; the tests compare each with the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dezero.core.operators import OPS
from dezero.functions import one_hot
from dezero.viz.reading import terms
from dezero.viz.reading.reader import Reader
from dezero.viz.reading.spelling import Plain, index_of, is_ours
from dezero.viz.reading.symbolic import Term
from dezero.viz.reading.terms import Tree

Piece = str | Tree
Said = tuple[tuple[Piece, ...], ...]
Shape = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Known:
    """A formula that is known.

    Attributes:
        tree: the formula, where it is short enough to compute with.
        said: else how it is told, in words and formulas: first what it is, then what the names in that stand for.
        local: names that are defined in ``said``.
    """

    tree: Tree | None = None
    said: Said = ()
    local: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A function of the graph, as the entries of the table see it."""

    fn: Any
    shapes: Mapping[str, Shape | None]  # of the inputs that are there, by name
    y: Shape | None                     # of the first result
    reader: Reader
    inputs: Mapping[str, Any] = field(default_factory=dict)

    def tree(self, text: str) -> Known:
        """A formula that can be computed with."""
        return Known(self._tree(text))

    def said(self, formula: str, *where: str) -> Known:
        """A formula with what its names stand for, each ``"name = formula"``."""
        parts: list[tuple[Piece, ...]] = [(self._tree(formula),)]
        local: list[str] = []
        for part in where:
            left, _, right = part.partition(" = ")
            names = list(terms.names_in(terms.parsed(left)))
            local.extend(names)
            parts.append((*(p for n in names for p in (terms.name(n), ", " if n != names[-1] else " = ")), self._tree(right)))
        return Known(None, tuple(parts), tuple(local))

    def words(self, *pieces: Piece) -> Known:
        """A formula in words; trees are written as they are."""
        return Known(None, (pieces,))

    def _tree(self, text: str) -> Tree:
        tree = terms.parsed(text)
        for name in terms.names_in(tree):
            if name in HELPERS:
                self.reader.helper(name, HELPERS[name])
        return terms.fill(tree, {k: self.reader.tree(v) for k, v in self.inputs.items() if v is not None and not isinstance(v, Term)})


def _per_sample(c: Call, x: str) -> int:
    """What a mean over samples divides by."""
    shape = c.shapes[x] or ()
    return max(1, shape[0] if shape else 1)


def _softmax_cross_entropy(c: Call) -> dict[str, Known]:
    """Bishop, "Pattern Recognition and Machine Learning" (2006), equation 4.109."""
    N, C = _sizes(c.shapes["x"])
    gy = {"mean": f"gy / {max(1, N)}", "sum": "gy", "none": "gy.reshape((-1, 1))"}[c.fn.reduction]
    return {"x": c.tree(f"{gy} * (softmax(x) - one_hot(t, {C}))")}


def _weighted_softmax_cross_entropy(c: Call) -> dict[str, Known]:
    if c.fn.smoothing or c.fn.ignore_index is not None:
        return {}
    gy = {"mean": "gy * w[t].reshape((-1, 1)) / w[t].sum()", "sum": "gy * w[t].reshape((-1, 1))",
          "none": "gy.reshape((-1, 1)) * w[t].reshape((-1, 1))"}[c.fn.reduction]
    return {"x": c.tree(f"{gy} * (softmax(x) - one_hot(t, {_sizes(c.shapes['x'])[1]}))")}


def _nll_loss(c: Call) -> dict[str, Known]:
    if c.fn.ignore_index is not None:
        return {}
    part = {"mean": "-gy * w[t] / w[t].sum()", "sum": "-gy * w[t]", "none": "-gy * w[t]"}[c.fn.reduction]
    return {"x": c.words(f"zeros({c.shapes['x']}) with ", c.tree(part).tree or "", " added at [n, ", terms.name("t"), "[n]] for each row n")}


def _binary_cross_entropy(c: Call) -> dict[str, Known]:
    c.reader.helper("inside", c.reader.fn.inside)
    gy = f"gy / {_per_sample(c, 'p')}" if c.fn.reduction == "mean" else "gy"
    return {"p": c.tree(f"{gy} * (inside(p) - t) / (inside(p) * (1 - inside(p)))"), "t": c.tree(f"{gy} * (log(1 - inside(p)) - log(inside(p)))")}


def _kl_div(c: Call) -> dict[str, Known]:
    c.reader.helper("safe", c.reader.fn.safe)
    gy = f"gy / {_per_sample(c, 'log_q')}" if c.fn.reduction == "mean" else "gy"
    return {"p": c.tree(f"{gy} * (log(safe(p)) - log_q + 1)")}


def _linear(c: Call) -> dict[str, Known]:
    if c.y is None or c.shapes.get("b") != c.y[-1:]:
        return {}
    return {"b": c.tree("gy" if len(c.y) == 1 else f"gy.sum({tuple(range(len(c.y) - 1)) if len(c.y) > 2 else 0})")}


def _maximum(c: Call) -> dict[str, Known]:
    more = ">" if c.fn.op == "maximum" else "<"
    return {"x0": c.tree(f"gy * ((x0 {more} x1) + 0.5 * (x0 == x1))"), "x1": c.tree(f"gy * ((x1 {more} x0) + 0.5 * (x0 == x1))")}


def _prod(c: Call) -> dict[str, Known]:
    return {"x": c.words(terms.gradient("gy"), " * the product of the other elements of ", terms.name("x"))}


def _cholesky(c: Call) -> dict[str, Known]:
    """Murray, "Differentiation of the Cholesky decomposition" (2016), equation 10."""
    return {"a": c.said("(s + s.mT) / 2", "s = inv(y).mT @ P(y.mT @ gy) @ inv(y)", "P = lower_triangle_with_half_the_diagonal")}


def _glu(c: Call) -> dict[str, Known]:
    """Dauphin et al., "Language modeling with gated convolutional networks" (2016), equation 3."""
    return {"x": c.said(f"concatenate((gy * s, gy * u * s * (1 - s)), {c.fn.axis})", "s = sigmoid(v)", f"u, v = halves(x, {c.fn.axis})")}


def _index(c: Call) -> dict[str, Known]:
    """The gradient goes back to where each number came from."""
    at = terms.subscript(terms.name(""), index_of(c.fn.slices, [terms.name(k) for k in c.inputs if k.startswith("index")]))
    return {"x": c.words(f"zeros({c.fn.before}) with ", terms.gradient("gy"), " added at ", at)}


def _index_set(c: Call) -> dict[str, Known]:
    return {"x": c.words(terms.gradient("gy"), " with 0 where ", terms.name("value"), " was written")}


def _index_add(c: Call) -> dict[str, Known]:
    return {"x": c.tree("gy")}


def _normalized(axes: Any, eps: float, centred: bool = True) -> list[str]:
    """n = (x - mean) / s, and s."""
    if not centred:
        return ["n = x / s", f"s = sqrt((x * x).mean({axes}, keepdims=True) + {eps})"]
    return [f"n = (x - x.mean({axes}, keepdims=True)) / s", f"s = sqrt(x.var({axes}, keepdims=True) + {eps})"]


def _norm(c: Call, axes: Shape, others: Shape, scale: str, centred: bool = True) -> dict[str, Known]:
    """Ioffe and Szegedy, "Batch normalization" (2015), section 3, with the sums gathered; Ba et al. (2016) and others take other axes."""
    n = _normalized(axes, c.fn.eps, centred)
    g = f"g = gy{scale}"
    mean = f"g - g.mean({axes}, keepdims=True)" if centred else "g"
    return {"x": c.said(f"({mean} - n * (g * n).mean({axes}, keepdims=True)) / s", g, *n),
            "gamma": c.said(f"(gy * n).sum({others})", *n), "beta": c.tree(f"gy.sum({others})")}


def _channel_norm(c: Call) -> dict[str, Known]:
    """Batch norm, and instance norm: gamma and beta are per channel."""
    shape = c.shapes["x"]
    if shape is None or len(shape) < 2:
        return {}
    others = (0, *range(2, len(shape)))
    gamma = "gamma" if len(shape) == 2 else f"gamma.reshape({(1, shape[1], *(1,) * (len(shape) - 2))})"
    return _norm(c, others if c.fn.op == "batch_norm" else others[1:], others, f" * {gamma}" if "gamma" in c.shapes else "")


def _sample_norm(c: Call) -> dict[str, Known]:
    """Layer norm, and RMS norm."""
    shape = c.shapes["x"]
    if shape is None:
        return {}
    _, axes, per, _ = c.fn.layout(shape)
    others = tuple(i for i in range(len(shape)) if i not in axes)
    gamma = "gamma" if axes == tuple(range(len(shape)))[-len(axes):] else f"gamma.reshape({per})"
    return _norm(c, axes, others, f" * {gamma}" if "gamma" in c.shapes else "", c.fn.centred)


def _group_norm(c: Call) -> dict[str, Known]:
    return {"beta": c.tree(f"gy.sum({(0, *range(2, len(c.shapes['x'] or ())))})")}


def _fixed_batch_norm(c: Call) -> dict[str, Known]:
    shape = c.shapes["x"]
    if shape is None or len(shape) < 2:
        return {}
    others, per = (0, *range(2, len(shape))), (1, shape[1], *(1,) * (len(shape) - 2))
    of = {name: name if len(shape) == 2 else f"{name}.reshape({per})" for name in ("gamma", "mean", "var")}
    s = f"sqrt({of['var']} + {c.fn.eps})"
    return {"x": c.tree(f"gy{' * ' + of['gamma'] if 'gamma' in c.shapes else ''} / {s}"),
            "gamma": c.tree(f"(gy * (x - {of['mean']}) / {s}).sum({others})"), "beta": c.tree(f"gy.sum({others})")}


def _rnn_cell(c: Call) -> dict[str, Known]:
    """Elman's network: y = tanh(a), a = x Wx + h Wh + b."""
    ga = "(gy * (1 - y * y))"
    known = {"x": c.tree(f"{ga} @ Wx.T"), "Wx": c.tree(f"x.T @ {ga}"), "b": c.tree(f"{ga}.sum(0)")}
    return known | ({"h": c.tree(f"{ga} @ Wh.T"), "Wh": c.tree(f"h.T @ {ga}")} if "h" in c.shapes else {})


def _lstm_cell(c: Call) -> dict[str, Known]:
    """Hochreiter and Schmidhuber (1997), with the forget gate of Gers et al. (2000)."""
    if not {"h", "c"} <= c.shapes.keys():
        return {}
    gates = f"i, f, g, o = gates(x @ Wx + h @ Wh{' + b' if 'b' in c.shapes else ''})"
    gs = "gs = gcell + gy * o * (1 - tanh(cell) ** 2)"
    ga = "ga = concatenate((gs * g * i * (1 - i), gs * c * f * (1 - f), gs * i * (1 - g * g), gy * tanh(cell) * o * (1 - o)), 1)"
    result = {"x": "ga @ Wx.T", "h": "ga @ Wh.T", "Wx": "x.T @ ga", "Wh": "h.T @ ga", "b": "ga.sum(0)"}
    return {"c": c.said("gs * f", gs, gates)} | {k: c.said(v, ga, gs, gates) for k, v in result.items()}


def _gru_cell(c: Call) -> dict[str, Known]:
    """Cho et al. (2014), with the reset gate behind the product."""
    if "h" not in c.shapes:
        return {}
    sent = f"u = {'(h @ Wh + bh)' if 'bh' in c.shapes else '(h @ Wh)'}[:, {2 * (c.y or (0, 0))[1]}:]"
    gates = f"r, z, n = gates(x @ Wx{' + b' if 'b' in c.shapes else ''}, h @ Wh{' + bh' if 'bh' in c.shapes else ''})"
    gn, gr, gz = "gn = gy * (1 - z) * (1 - n * n)", "gr = gn * u * r * (1 - r)", "gz = gy * (h - n) * z * (1 - z)"
    ga, gb = "ga = concatenate((gr, gz, gn), 1)", "ga = concatenate((gr, gz, gn * r), 1)"
    return {k: c.said(v, ga, gr, gz, gn, sent, gates) for k, v in {"x": "ga @ Wx.T", "Wx": "x.T @ ga", "b": "ga.sum(0)"}.items()} | {
        k: c.said(v, gb, gr, gz, gn, sent, gates) for k, v in {"h": "gy * z + ga @ Wh.T", "Wh": "h.T @ ga", "bh": "ga.sum(0)"}.items()}


def _attention(c: Call) -> dict[str, Known]:
    """Vaswani et al., "Attention is all you need" (2017), equation 1, through the gradient of softmax."""
    if c.fn.causal or {"mask", "keep"} & c.shapes.keys() or len({(c.shapes[x] or ())[:-2] for x in "qkv"}) > 1:
        return {}
    p, gs, scale = f"p = softmax({c.fn.scale} * q @ k.mT)", "gs = p * (gp - (gp * p).sum(-1, keepdims=True))", c.fn.scale
    return {"q": c.said(f"{scale} * gs @ k", gs, "gp = gy @ v.mT", p), "k": c.said(f"{scale} * gs.mT @ q", gs, "gp = gy @ v.mT", p),
            "v": c.said("p.mT @ gy", p)}


def _sizes(shape: Shape | None) -> Shape:
    if shape is None or len(shape) != 2:
        raise KeyError("a shape that is not known")
    return shape


def softmax(x: Any) -> Any:
    """Softmax over the classes, the second axis."""
    return OPS["softmax"].on(x, axis=1)


HELPERS: dict[str, Any] = {"softmax": softmax, "one_hot": Plain(one_hot), "log": Plain(OPS["log"].on),
                           "sqrt": Plain(OPS["sqrt"].on)}
TABLE: dict[str, Callable[[Call], dict[str, Known]]] = {
    "softmax_cross_entropy": _softmax_cross_entropy, "weighted_softmax_cross_entropy": _weighted_softmax_cross_entropy, "nll_loss": _nll_loss,
    "binary_cross_entropy": _binary_cross_entropy, "kl_div": _kl_div, "linear": _linear, "maximum": _maximum, "minimum": _maximum, "prod": _prod,
    "cholesky": _cholesky, "glu": _glu, "get_item": _index, "gather": _index, "index_set": _index_set, "index_add": _index_add,
    "batch_norm": _channel_norm, "instance_norm": _channel_norm, "layer_norm": _sample_norm, "rms_norm": _sample_norm, "group_norm": _group_norm,
    "fixed_batch_norm": _fixed_batch_norm, "rnn_cell": _rnn_cell, "lstm_cell": _lstm_cell, "gru_cell": _gru_cell,
    "scaled_dot_product_attention": _attention}


def known_rules(fn: Any, inputs: Mapping[str, Any], y: Shape | None, reader: Reader) -> dict[str, Known]:
    """The known formulas of a function, by argument; none for an op that is not in the table, or whose inputs' shapes are not known."""
    entry = TABLE.get(type(fn).op) if is_ours(type(fn)) else None
    if entry is None:
        return {}
    call = Call(fn, {k: v.shape if isinstance(v, Term) else () for k, v in inputs.items() if v is not None}, y, reader, inputs)
    try:
        return entry(call)
    except (KeyError, TypeError):  # a shape or an input that is not there
        return {}
