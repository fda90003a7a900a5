"""Models of text, one character after another: CharLSTM and a small GPT."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

import dezero.functions as F
import dezero.layers as L
from dezero.backend import array_module, as_numpy
from dezero.backend.random import fresh_seed
from dezero.config import changed
from dezero.core import Variable
from dezero.core.checks import number
from dezero.errors import RangeError, ShapeError, describe
from dezero.initializers import Normal
from dezero.layers.linear import size
from dezero.models.model import Model


class CharLSTM(Model):
    """Ids of characters (N, T) to logits (N, T, vocab_size) of the next ones, by an LSTM.

    It goes on from the state that the last call has left, but no gradient flows into what an earlier call has read (truncated
    backpropagation through time). Call :meth:`reset_state` where a new text begins. Ids (N,) are one step, to (N, vocab_size).

    Args:
        vocab_size: how many characters there are.
        embed_size, hidden_size: of the embedding and the LSTM.
        num_layers: of the LSTM.
        dropout_ratio: between the layers.
        stateful: False lets each call on ids (N, T) start from zeros: for batches in random order.

    Examples:
        >>> import numpy as np
        >>> from dezero.models import CharLSTM
        >>> net = CharLSTM(vocab_size=30, embed_size=8, hidden_size=16)
        >>> net(np.zeros((2, 5), int)).shape, len(net.generate([1, 2], 4, seed=0))
        ((2, 5, 30), 4)
    """

    def __init__(self, vocab_size: int, embed_size: int = 64, hidden_size: int = 256, num_layers: int = 1, dropout_ratio: float = 0.0,
                 stateful: bool = True) -> None:
        super().__init__()
        self.embed = L.EmbedID(vocab_size, embed_size)
        self.lstm = L.LSTM(hidden_size, in_size=embed_size, num_layers=num_layers, dropout_ratio=dropout_ratio, batch_first=True, stateful=stateful)
        self.fc = L.Linear(vocab_size, in_size=hidden_size)

    def reset_state(self) -> None:
        """Forget what was read so far."""
        self.lstm.reset_state()

    def detach_state(self) -> None:
        """Keep the state, but let no gradient flow into the steps before; calls on ids (N, T) do so by themselves."""
        self.lstm.detach_state()

    def forward(self, ids: Any) -> Variable:
        if len(getattr(ids, "shape", ())) == 2:
            self.detach_state()
        logits: Variable = self.fc(self.lstm(self.embed(ids)))
        return logits

    def generate(self, prompt: Iterable[int], length: int, temperature: float = 1.0, seed: int | None = None) -> list[int]:
        """``length`` ids that go on after ``prompt``; the kept state stays as it is.

        Args:
            prompt: at least one id.
            length: how many to draw.
            temperature: below 1 the probable ones are preferred, at 0 the most probable one is taken.
            seed: the same seed gives the same text; None draws one from NumPy's global state.

        Raises:
            ValueError: the prompt is empty, or the temperature is negative.
        """
        xp, read, new = array_module(self.fc.W), checked_prompt("CharLSTM", prompt), []
        pick = Picker("CharLSTM", temperature, seed)
        kept = self.lstm.h, self.lstm.c
        self.reset_state()
        try:
            with changed(record=False, train=False):
                logits = self(xp.asarray(np.array([read])))[:, -1] if length > 0 else None
                while logits is not None:
                    new.append(pick(logits.data[0]))
                    logits = self(xp.asarray(np.array(new[-1:]))) if len(new) < length else None
        finally:
            self.lstm.h, self.lstm.c = kept
        return new


class GPT(Model):
    """A small transformer that reads ids (N, T) and gives logits (N, T, vocab_size) of the next ones.

    Its layers normalise first and it has a trained row for each position (Radford et al., "Language models are unsupervised multitask
    learners", 2019).

    Args:
        vocab_size: how many ids there are.
        context: the most ids that it can read at once.
        embed_size, heads, num_layers: of the transformer.
        dropout_ratio: in the layers.

    Raises:
        RangeError: at the call, for more ids in a row than ``context``.
        ShapeError: at the call, if the ids are not (N, T).

    Examples:
        >>> import numpy as np
        >>> from dezero.models import GPT
        >>> net = GPT(vocab_size=30, context=8, embed_size=16, heads=2, num_layers=1)
        >>> net(np.zeros((2, 8), int)).shape, len(net.generate([1, 2], 10, seed=0))
        ((2, 8, 30), 10)
    """

    def __init__(self, vocab_size: int, context: int = 64, embed_size: int = 128, heads: int = 4, num_layers: int = 4,
                 dropout_ratio: float = 0.0) -> None:
        super().__init__()
        self.context = context
        self.embed = L.EmbedID(vocab_size, embed_size, initializer=Normal(0.02))
        self.position = L.PositionalEmbedding(context, embed_size)
        depth = size("GPT", "num_layers", num_layers)
        self.blocks = [L.TransformerEncoderLayer(embed_size, heads, dropout_ratio=dropout_ratio, causal=True) for _ in range(depth)]
        self.norm = L.LayerNorm(embed_size)
        self.fc = L.Linear(vocab_size, nobias=True, in_size=embed_size)

    def forward(self, ids: Any) -> Variable:
        shape: tuple[int, ...] = getattr(ids, "shape", ())
        if len(shape) != 2:
            raise ShapeError(f"GPT: ids are {describe(ids)}: an array (N, T) is expected")
        if shape[1] > self.context:
            raise RangeError(f"GPT: {shape[1]} ids in a row: at most {self.context} (context) can be read at once")
        x = self.position(self.embed(ids))
        for block in self.blocks:
            x = block(x)
        logits: Variable = self.fc(self.norm(x))
        return logits

    def generate(self, prompt: Iterable[int], length: int, temperature: float = 1.0, seed: int | None = None) -> list[int]:
        """``length`` ids that go on after ``prompt``, each from the last ``context`` ones; arguments as in :meth:`CharLSTM.generate`."""
        xp, ids = array_module(self.fc.W), checked_prompt("GPT", prompt)
        pick, start = Picker("GPT", temperature, seed), len(ids)
        with changed(record=False, train=False):
            for _ in range(length):
                logits = self(xp.asarray(np.array([ids[-self.context:]])))
                ids.append(pick(logits.data[0, -1]))
        return ids[start:]


def checked_prompt(model: str, prompt: Iterable[int]) -> list[int]:
    """The prompt as a list.

    Raises:
        ValueError: it is empty.
    """
    ids = [int(i) for i in prompt]
    if not ids:
        raise ValueError(f"{model}.generate: the prompt is empty: at least one id is expected")
    return ids


class Picker:
    """Draws ids from softmax(logits / temperature); the most probable ones at temperature 0.

    Raises:
        ValueError: the temperature is negative.
    """

    def __init__(self, model: str, temperature: float, seed: int | None) -> None:
        self.temperature = number(f"{model}.generate", "temperature", temperature)
        if not self.temperature >= 0:
            raise ValueError(f"{model}.generate: temperature is {temperature}: a number >= 0 is expected")
        self.rng = np.random.default_rng(fresh_seed() if seed is None else seed)

    def __call__(self, logits: Any) -> int:
        z = as_numpy(logits).astype(np.float64)
        if self.temperature == 0:
            return int(z.argmax())
        z = np.exp((z - z.max()) / self.temperature)
        return int(self.rng.choice(len(z), p=z / z.sum()))


def text_loss(logits: Variable, t: Any) -> Variable:
    """Mean cross entropy of logits (N, T, V) and the ids (N, T) that really came next.

    Raises:
        ShapeError: the ids are not of the logits' shape without V.

    Examples:
        >>> import numpy as np
        >>> from dezero import Variable
        >>> from dezero.models import text_loss
        >>> round(float(text_loss(Variable(np.zeros((2, 3, 8))), np.zeros((2, 3), int))), 4)
        2.0794
    """
    if getattr(t, "shape", None) != logits.shape[:-1]:
        raise ShapeError(f"text_loss: logits are {describe(logits)} and the ids {describe(t)}: ids {logits.shape[:-1]} are expected")
    return F.softmax_cross_entropy(F.reshape(logits, (-1, logits.shape[-1])), t.reshape(-1))


__all__ = ["GPT", "CharLSTM", "text_loss"]
