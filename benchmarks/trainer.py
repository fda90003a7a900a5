"""An epoch with Trainer against the same loop written by hand: 784-50-10, ReLU, batches of 100, SGD, accuracy as it goes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Any, NamedTuple

import numpy as np

import dezero.functions as F
from benchmarks.harness import Row, alternate, benchmark, check_agreement, compare
from dezero.dataloaders import DataLoader
from dezero.datasets import ArrayDataset
from dezero.models import MLP
from dezero.optimizers import SGD
from dezero.training import Trainer

INSTANCES = 6
BATCH, INPUTS, HIDDEN, CLASSES, RATE = 100, 784, 50, 10, 0.01


class Competitor(NamedTuple):
    """An epoch of training, and the model that it trains."""

    epoch: Callable[[], Any]
    model: Any


def parts(samples: int) -> tuple[Any, Any, Any]:
    """Model, optimizer and loader that both start with."""
    rng = np.random.default_rng(0)
    x = rng.random((samples, INPUTS), dtype=np.float32)
    t = rng.integers(0, CLASSES, samples)
    model = MLP((HIDDEN, CLASSES), activation=F.relu, in_size=INPUTS)
    for p in model.params():
        p.data[...] = rng.standard_normal(p.shape, dtype=np.float32) * np.float32(0.05)
    return model, SGD(RATE).setup(model), DataLoader(ArrayDataset(x, t), BATCH, seed=0)


def by_hand(samples: int) -> Competitor:
    """The loop as one writes it."""
    model, optimizer, loader = parts(samples)

    def epoch() -> Any:
        total = right = 0.0
        count = 0
        for x, t in loader:
            y = model(x)
            loss = F.softmax_cross_entropy(y, t)
            model.cleargrads()
            loss.backward()
            optimizer.update()
            total += float(loss.data) * len(t)
            right += float(F.accuracy(y, t).data) * len(t)
            count += len(t)
        return total / count, right / count

    return Competitor(epoch, model)


def by_trainer(samples: int) -> Competitor:
    """The same with Trainer."""
    model, optimizer, loader = parts(samples)
    trainer = Trainer(model, optimizer, F.softmax_cross_entropy, [F.accuracy])
    return Competitor(lambda: trainer.fit(loader), model)


@benchmark("trainer")
def trainer_overhead(quick: bool) -> list[Row]:
    """What Trainer costs in an epoch of 100 steps."""
    # With two threads a loop has one of two speeds, a third apart, and mostly keeps it. So there are several networks of each kind, made in
    # turn, and the turns go round among them: both sides meet the same.
    competitors: dict[str, list[Competitor]] = {"ours": [], "by hand": []}
    for _ in range(INSTANCES):
        competitors["ours"].append(by_trainer(100 * BATCH))
        competitors["by hand"].append(by_hand(100 * BATCH))
    for _ in range(2):
        for c in (c for instances in competitors.values() for c in instances):
            c.epoch()
    check_agreement({f"{name} {i}": [p.data for p in c.model.params()] for name, instances in competitors.items() for i, c in enumerate(instances)},
                    1e-6)
    rounds = {name: cycle(instances) for name, instances in competitors.items()}
    times = alternate({name: (lambda turn=turn: next(turn).epoch()) for name, turn in rounds.items()}, quick)
    return compare(f"epoch with Trainer {INPUTS}-{HIDDEN}-{CLASSES}", times, {"by hand": 1.05})
