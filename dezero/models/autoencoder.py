"""Networks that learn to reproduce their input: AutoEncoder and VAE."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import dezero.functions as F
import dezero.layers as L
from dezero.backend import array_module, random
from dezero.config import current
from dezero.core import Variable
from dezero.models.model import MLP, Model


def _check_sizes(model: str, sizes: Any, least: int) -> None:
    if not isinstance(sizes, Sequence) or len(sizes) < least:
        raise ValueError(f"{model}: hidden_sizes is {sizes!r}: the sizes of the hidden layers of the encoder are expected, (256,) say")


class AutoEncoder(Model):
    """Two multi-layer perceptrons: one to a short code, and one back.

    Args:
        in_size: length of an input row.
        hidden_sizes: of the encoder; the decoder has them in reverse.
        code_size: length of the code.
        activation: between the layers.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import AutoEncoder
        >>> net = AutoEncoder(64, (32,), 2)
        >>> x = np.ones((5, 64), np.float32)
        >>> net.encode(x).shape, net(x).shape
        ((5, 2), (5, 64))
    """

    def __init__(self, in_size: int, hidden_sizes: Sequence[int] = (256, 64), code_size: int = 16,
                 activation: Callable[[Any], Any] = F.relu) -> None:
        super().__init__()
        _check_sizes("AutoEncoder", hidden_sizes, 0)
        self.encoder = MLP((*hidden_sizes, code_size), activation, "he", in_size)
        self.decoder = MLP((*reversed(hidden_sizes), in_size), activation, "he", code_size)

    def encode(self, x: Any) -> Variable:
        """The codes (N, code_size) of x (N, in_size)."""
        code: Variable = self.encoder(x)
        return code

    def decode(self, code: Any) -> Variable:
        """What the codes (N, code_size) stand for (N, in_size)."""
        y: Variable = self.decoder(code)
        return y

    def forward(self, x: Any) -> Variable:
        return self.decode(self.encode(x))


class VAE(Model):
    """A variational autoencoder with Gaussian codes and Bernoulli outputs (Kingma and Welling, "Auto-encoding variational Bayes", 2014).

    Args:
        in_size: length of an input row of values in 0..1.
        hidden_sizes: of the encoder; the decoder has them in reverse.
        latent_size: length of the code.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import VAE
        >>> net = VAE(64, (32,), 2)
        >>> loss = net.loss(np.full((5, 64), 0.5, np.float32))
        >>> loss.shape, net.decode(np.zeros((3, 2), np.float32)).shape
        ((), (3, 64))
    """

    def __init__(self, in_size: int, hidden_sizes: Sequence[int] = (256,), latent_size: int = 2) -> None:
        super().__init__()
        _check_sizes("VAE", hidden_sizes, 1)
        self.latent_size = latent_size
        self.encoder = MLP(tuple(hidden_sizes), F.relu, "he", in_size)
        self.mean, self.log_var = L.Linear(latent_size), L.Linear(latent_size)
        self.decoder = MLP((*reversed(hidden_sizes), in_size), F.relu, "he", latent_size)

    def encode(self, x: Any) -> tuple[Variable, Variable]:
        """Mean and logarithm of the variance of the codes, (N, latent_size) each."""
        h = F.relu(self.encoder(x))
        return self.mean(h), self.log_var(h)

    def decode(self, z: Any) -> Variable:
        """The logits (N, in_size) of codes (N, latent_size); their sigmoid is the picture."""
        logits: Variable = self.decoder(z)
        return logits

    def sample(self, mean: Variable, log_var: Variable, seed: int | None = None) -> Variable:
        """A code drawn from the Gaussian, in a form through which gradients flow: mean + exp(log_var / 2) * noise."""
        code: Variable = mean + F.exp(log_var * 0.5) * normal(mean, seed)
        return code

    def forward(self, x: Any) -> Variable:
        """The logits (N, in_size) of a code that is drawn while training, and of the most probable one in use."""
        mean, log_var = self.encode(x)
        return self.decode(self.sample(mean, log_var) if current().train else mean)

    def loss(self, x: Any, seed: int | None = None, beta: float = 1.0) -> Variable:
        """The negative evidence lower bound, per sample: cross entropy of the pixels plus ``beta`` times the KL divergence from N(0, 1).

        Args:
            x: (N, in_size) in 0..1.
            seed: of the noise; None draws one from NumPy's global state.
            beta: weight of the divergence (Higgins et al., "beta-VAE", 2017).

        Returns:
            A scalar.
        """
        mean, log_var = self.encode(x)
        logits = self.decode(self.sample(mean, log_var, seed))
        pixels = F.softplus(logits) - logits * x  # -x log s(y) - (1 - x) log(1 - s(y)), for any y
        divergence = 0.5 * (mean * mean + F.exp(log_var) - log_var - 1)
        loss: Variable = (F.sum(pixels) + beta * F.sum(divergence)) / len(x)
        return loss


def normal(like: Variable, seed: int | None = None) -> Any:
    """Standard normal noise with shape, dtype and device of ``like``; a seed gives the same in every dtype, but for rounding."""
    return random.normal(array_module(like), like.shape, "float64", seed).astype(like.dtype)


__all__ = ["VAE", "AutoEncoder"]
