"""Networks that are trained on the GPU: each in dezero and, with the same first weights, in PyTorch as its users write it."""

from __future__ import annotations

from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

import dezero
import dezero.functions as F
import dezero.layers as L
from benchmarks.gpu_networks import gpt_network, lstm_network, residual_network, take_weights
from benchmarks.mlp import Competitor
from dezero import no_grad, optimizers, test_mode
from dezero.backend.arrays import HALVES
from dezero.backend.device import put
from dezero.models import GPT, MLP, CharLSTM, ResNet, text_loss


@dataclass(frozen=True)
class Problem:
    """A network, the batch that it is trained on again and again, its loss and its optimizer, here and in PyTorch.

    Attributes:
        batch: how many examples.
        sure: how many of the first losses two sides must agree on.
    """

    batch: int
    sure: ClassVar[int] = 3

    def data(self) -> tuple[Any, Any]:
        """Inputs and labels on the host, the same at each call."""
        raise NotImplementedError

    def model(self) -> Any:
        """The network."""
        raise NotImplementedError

    def network(self, torch: Any) -> Any:
        """The network in PyTorch, with layers in the same order."""
        raise NotImplementedError

    def optimizer(self) -> Any:
        """Gradient descent, as plain as it gets."""
        return optimizers.SGD(0.01)

    def their_optimizer(self, torch: Any, parameters: Any) -> Any:
        """The same in PyTorch."""
        return torch.optim.SGD(parameters, lr=0.01)

    def loss(self, model: Any, x: Any, t: Any) -> Any:
        """Softmax cross entropy."""
        return F.softmax_cross_entropy(model(x), t)

    def their_loss(self, torch: Any, net: Any, x: Any, t: Any) -> Any:
        """The same in PyTorch."""
        return torch.nn.functional.cross_entropy(net(x), t)


@dataclass(frozen=True)
class Perceptron(Problem):
    """Linear layers with ReLU between them, SGD."""

    sizes: tuple[int, ...] = (784, 1000, 10)

    def data(self) -> tuple[Any, Any]:
        rng = np.random.default_rng(0)
        return rng.random((self.batch, self.sizes[0]), dtype=np.float32), rng.integers(0, self.sizes[-1], self.batch)

    def model(self) -> Any:
        return MLP(self.sizes[1:], F.relu, in_size=self.sizes[0])

    def network(self, torch: Any) -> Any:
        nn = torch.nn
        layers = [layer for i, o in zip(self.sizes, self.sizes[1:], strict=False) for layer in (nn.Linear(i, o), nn.ReLU())]
        return nn.Sequential(*layers[:-1])


@dataclass(frozen=True)
class Convolutional(Problem):
    """Two 3x3 convolutions with batch norm, ReLU and pooling, and a linear layer; momentum."""

    size: int = 16
    channels: int = 16
    classes: int = 10

    def data(self) -> tuple[Any, Any]:
        rng = np.random.default_rng(0)
        return rng.standard_normal((self.batch, 3, self.size, self.size), dtype=np.float32), rng.integers(0, self.classes, self.batch)

    def model(self) -> Any:
        c = self.channels
        return L.Sequential(L.Conv2d(c, 3, pad=1, in_channels=3), L.BatchNorm(c, eps=1e-5), F.relu, L.MaxPool2d(2),
                            L.Conv2d(2 * c, 3, pad=1, in_channels=c), L.BatchNorm(2 * c, eps=1e-5), F.relu, L.MaxPool2d(2), L.Flatten(),
                            L.Linear(self.classes, in_size=2 * c * (self.size // 4) ** 2))

    def network(self, torch: Any) -> Any:
        nn, c = torch.nn, self.channels
        return nn.Sequential(nn.Conv2d(3, c, 3, padding=1), nn.BatchNorm2d(c), nn.ReLU(), nn.MaxPool2d(2),
                             nn.Conv2d(c, 2 * c, 3, padding=1), nn.BatchNorm2d(2 * c), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                             nn.Linear(2 * c * (self.size // 4) ** 2, self.classes))

    def optimizer(self) -> Any:
        return optimizers.MomentumSGD(0.01, 0.9)

    def their_optimizer(self, torch: Any, parameters: Any) -> Any:
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)


@dataclass(frozen=True)
class Residual(Convolutional):
    """ResNet with 18 or 50 layers, as torchvision's; momentum."""

    sure = 1  # a change of the first weights by 1e-7 makes a change of the third loss by 10 %, in PyTorch too
    size: int = 224
    classes: int = 1000
    layers: int = 50

    def model(self) -> Any:
        return ResNet(self.layers, num_classes=self.classes, style="torchvision")

    def network(self, torch: Any) -> Any:
        return residual_network(torch, self.layers, self.classes)


@dataclass(frozen=True)
class Text(Problem):
    """What the networks that read text share: ids, and the ids that come next."""

    vocabulary: int = 128
    length: int = 128

    def data(self) -> tuple[Any, Any]:
        ids = np.random.default_rng(0).integers(0, self.vocabulary, (self.batch, self.length + 1))
        return np.ascontiguousarray(ids[:, :-1]), np.ascontiguousarray(ids[:, 1:])

    def loss(self, model: Any, x: Any, t: Any) -> Any:
        return text_loss(model(x), t)

    def their_loss(self, torch: Any, net: Any, x: Any, t: Any) -> Any:
        return torch.nn.functional.cross_entropy(net(x).flatten(0, 1), t.flatten())


@dataclass(frozen=True)
class Recurrent(Text):
    """An embedding, an LSTM and a linear layer; Adam."""

    embed: int = 256
    hidden: int = 512
    layers: int = 2

    def model(self) -> Any:
        return CharLSTM(self.vocabulary, self.embed, self.hidden, self.layers, stateful=False)

    def network(self, torch: Any) -> Any:
        return lstm_network(torch, self.vocabulary, self.embed, self.hidden, self.layers)

    def optimizer(self) -> Any:
        return optimizers.Adam(0.001)

    def their_optimizer(self, torch: Any, parameters: Any) -> Any:
        return torch.optim.Adam(parameters, lr=0.001)


@dataclass(frozen=True)
class Transformer(Text):
    """A GPT; AdamW."""

    embed: int = 768
    heads: int = 12
    layers: int = 12

    def model(self) -> Any:
        return GPT(self.vocabulary, self.length, self.embed, self.heads, self.layers)

    def network(self, torch: Any) -> Any:
        return gpt_network(torch, self.vocabulary, self.length, self.embed, self.heads, self.layers)

    def optimizer(self) -> Any:
        return optimizers.AdamW(3e-4, weight_decay=0.1)

    def their_optimizer(self, torch: Any, parameters: Any) -> Any:
        return torch.optim.AdamW(parameters, lr=3e-4, weight_decay=0.1)


def first_model(problem: Problem) -> Any:
    """The network on the host, with the same first weights each time; NumPy's global random state is left as it was."""
    before = np.random.get_state()
    np.random.seed(0)
    try:
        model = problem.model()
        with no_grad(), test_mode():
            model(problem.data()[0][:1])  # gives sizes to the weights that have none yet
    finally:
        np.random.set_state(before)
    return model


def ours(problem: Problem, device: str, precision: str = "float32") -> Competitor:
    """The training step in dezero; the step returns the loss.

    Args:
        problem: what is trained.
        device: "cpu", "cuda".
        precision: "bfloat16" or "float16" for mixed precision with weights in float32; anything else leaves it to the arrays.
    """
    model = first_model(problem).to(device)
    optimizer = problem.optimizer().setup(model)
    x, t = (put(a, device) for a in problem.data())

    def step() -> Any:
        with dezero.autocast(precision) if precision in HALVES else nullcontext():
            loss = problem.loss(model, x, t)
        model.cleargrads()
        loss.backward()
        optimizer.update()
        return loss

    return Competitor(step, lambda: [p.data for p in model.params()])


def theirs(problem: Problem, torch: Any, device: str, precision: str = "float32") -> Competitor:
    """The same in PyTorch."""
    net = problem.network(torch)
    take_weights(torch, net, [p.data for p in first_model(problem).params()])
    net = net.to(device)
    parameters = [p for p in net.parameters() if p.requires_grad]
    optimizer = problem.their_optimizer(torch, parameters)
    x, t = (torch.from_numpy(a).to(device) for a in problem.data())

    def step() -> Any:
        with torch.autocast(device, getattr(torch, precision)) if precision in HALVES else nullcontext():
            loss = problem.their_loss(torch, net, x, t)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return Competitor(step, lambda: parameters)
