"""Each optimizer again in a few lines of NumPy: a step takes p, g, a dict of state and the number of the step, and returns the new p."""

from __future__ import annotations

from typing import Any

import numpy as np

from dezero.optimizers import SGD, AdaDelta, AdaGrad, Adam, AdamW, Lion, MomentumSGD, NAdam, RAdam, RMSprop


def sgd(p: Any, g: Any, s: Any, t: int) -> Any:
    return p - 0.1 * g


def momentum(p: Any, g: Any, s: Any, t: int) -> Any:
    s["v"] = 0.8 * s.get("v", 0) + g
    return p - 0.1 * s["v"]


def nesterov(p: Any, g: Any, s: Any, t: int) -> Any:
    s["v"] = 0.8 * s.get("v", 0) + g
    return p - 0.1 * (g + 0.8 * s["v"])


def adagrad(p: Any, g: Any, s: Any, t: int) -> Any:
    s["h"] = s.get("h", 0) + g ** 2
    return p - 0.1 * g / (np.sqrt(s["h"]) + 1e-8)


def adadelta(p: Any, g: Any, s: Any, t: int) -> Any:
    s["v"] = 0.95 * s.get("v", 0) + 0.05 * g ** 2
    d = np.sqrt(s.get("u", 0) + 1e-6) / np.sqrt(s["v"] + 1e-6) * g
    s["u"] = 0.95 * s.get("u", 0) + 0.05 * d ** 2
    return p - 2.0 * d


def rmsprop(p: Any, g: Any, s: Any, t: int) -> Any:
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g ** 2
    return p - 0.01 * g / (np.sqrt(s["v"]) + 1e-8)


def rmsprop_all(p: Any, g: Any, s: Any, t: int) -> Any:
    s["v"] = 0.9 * s.get("v", 0) + 0.1 * g ** 2
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["b"] = 0.5 * s.get("b", 0) + g / (np.sqrt(s["v"] - s["m"] ** 2) + 1e-3)
    return p - 0.01 * s["b"]


def moments(g: Any, s: Any) -> None:
    s["m"] = 0.9 * s.get("m", 0) + 0.1 * g
    s["v"] = 0.999 * s.get("v", 0) + 0.001 * g ** 2


def adam(p: Any, g: Any, s: Any, t: int) -> Any:
    moments(g, s)
    return p - 0.01 * (s["m"] / (1 - 0.9 ** t)) / (np.sqrt(s["v"] / (1 - 0.999 ** t)) + 1e-8)


def adam_decay(p: Any, g: Any, s: Any, t: int) -> Any:
    return adam(p, g + 0.1 * p, s, t)


def adamw(p: Any, g: Any, s: Any, t: int) -> Any:
    return adam((1 - 0.01 * 0.2) * p, g, s, t)


def nadam(p: Any, g: Any, s: Any, t: int) -> Any:
    moments(g, s)
    mu, mu1 = (0.9 * (1 - 0.5 * 0.96 ** (0.004 * i)) for i in (t, t + 1))
    s["prod"] = s.get("prod", 1.0) * mu
    mhat = mu1 * s["m"] / (1 - s["prod"] * mu1) + (1 - mu) * g / (1 - s["prod"])
    return p - 0.01 * mhat / (np.sqrt(s["v"] / (1 - 0.999 ** t)) + 1e-8)


def radam(p: Any, g: Any, s: Any, t: int) -> Any:
    moments(g, s)
    most = 2 / (1 - 0.999) - 1
    rho = most - 2 * t * 0.999 ** t / (1 - 0.999 ** t)
    mhat = s["m"] / (1 - 0.9 ** t)
    if rho <= 5:
        return p - 0.01 * mhat
    r = np.sqrt((rho - 4) * (rho - 2) * most / ((most - 4) * (most - 2) * rho))
    return p - 0.01 * mhat * r * np.sqrt(1 - 0.999 ** t) / (np.sqrt(s["v"]) + 1e-8)


def lion(p: Any, g: Any, s: Any, t: int) -> Any:
    m = s.get("m", 0 * g)
    s["m"] = 0.99 * m + 0.01 * g
    return p - 0.01 * (np.sign(0.9 * m + 0.1 * g) + 0.3 * p)


# name -> our optimizer, the oracle, and PyTorch's with its arguments (None where it has none)
RULES: dict[str, tuple[Any, Any, tuple[str, dict[str, Any]] | None]] = {
    "sgd": (lambda: SGD(0.1), sgd, ("SGD", {"lr": 0.1})),
    "momentum": (lambda: MomentumSGD(0.1, 0.8), momentum, ("SGD", {"lr": 0.1, "momentum": 0.8})),
    "nesterov": (lambda: MomentumSGD(0.1, 0.8, nesterov=True), nesterov, ("SGD", {"lr": 0.1, "momentum": 0.8, "nesterov": True})),
    "adagrad": (lambda: AdaGrad(0.1), adagrad, ("Adagrad", {"lr": 0.1, "eps": 1e-8})),
    "adadelta": (lambda: AdaDelta(lr=2.0), adadelta, ("Adadelta", {"lr": 2.0, "rho": 0.95})),
    "rmsprop": (lambda: RMSprop(0.01, 0.9), rmsprop, ("RMSprop", {"lr": 0.01, "alpha": 0.9})),
    "rmsprop_all": (lambda: RMSprop(0.01, 0.9, 1e-3, momentum=0.5, centered=True), rmsprop_all,
                    ("RMSprop", {"lr": 0.01, "alpha": 0.9, "eps": 1e-3, "momentum": 0.5, "centered": True})),
    "adam": (lambda: Adam(0.01), adam, ("Adam", {"lr": 0.01})),
    "adam_decay": (lambda: Adam(lr=0.01, weight_decay=0.1), adam_decay, ("Adam", {"lr": 0.01, "weight_decay": 0.1})),
    "adamw": (lambda: AdamW(0.01, weight_decay=0.2), adamw, ("AdamW", {"lr": 0.01, "weight_decay": 0.2})),
    "nadam": (lambda: NAdam(0.01), nadam, ("NAdam", {"lr": 0.01})),
    "radam": (lambda: RAdam(0.01), radam, ("RAdam", {"lr": 0.01})),
    "lion": (lambda: Lion(0.01, weight_decay=0.3), lion, None),
}
STEPS = 50


def problem(dtype: Any = np.float64, seed: int = 0) -> tuple[list[Any], list[list[Any]]]:
    """Start arrays, one of them more than a block of the CPU's kernels, 0-d and empty ones too, and a gradient for each in each step."""
    rng = np.random.default_rng(seed)
    shapes = [(3, 4), (5,), (), (0, 2), (260, 260)]
    starts = [np.asarray(rng.normal(size=s)).astype(dtype) for s in shapes]
    gradients = [[np.asarray(rng.normal(size=s)).astype(dtype) for s in shapes[:4]] for _ in range(STEPS)]
    return starts[:4], gradients
