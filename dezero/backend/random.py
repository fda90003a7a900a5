"""Random numbers that depend on a seed and a position alone, with the same bits on the host and on the device.

The generator is Philox4x64-10 (Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011): a block of four
words of 64 bits is a scrambled counter, so any part of the stream can be made without what comes before, by any number of threads. The
words are those of ``np.random.Philox(key=seed, counter=offset)``, whose C code makes them on the host.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from dezero.backend.kernels import kernels_of, override, reference

FACTORS = (0xD2E7470EE14C6C93, 0xCA5A826395121157)
STEPS = (0x9E3779B97F4A7C15, 0xBB67AE8584CAA73B)  # what the key grows by each round: the golden ratio, and sqrt(3) - 1
_WORD, _HALF = (1 << 64) - 1, np.uint64(0xFFFFFFFF)
_BLOCK, _PIECE = 32, 1 << 15                      # bytes; elements
DIGITS = {"float16": 11, "bfloat16": 8, "float32": 24, "float64": 53}  # binary digits of a number in [0, 1)


class Draws(threading.local):
    """What this thread has drawn, as far as a second run of the same computation must know.

    Attributes:
        initial: how many arrays of initial weights from NumPy's global state, which a second run would not draw again.
        states: the first state of each generator that drew within the computation; None while nobody asks.
    """

    initial = 0
    states: dict[Philox, tuple[int, int]] | None = None


draws = Draws()


def fresh_seed() -> int:
    """A seed of 53 bits from NumPy's global state, so that ``np.random.seed`` governs whatever is drawn with it."""
    return int(np.random.random_sample() * 2.0 ** 53)


# -- words ------------------------------------------------------------------------------------------


def _product(a: Any, factor: int) -> tuple[Any, Any]:
    """The upper and the lower word of an array of words times a word."""
    low, high = np.uint64(factor & 0xFFFFFFFF), np.uint64(factor >> 32)
    a0, a1, shift = a & _HALF, a >> np.uint64(32), np.uint64(32)
    u = a1 * low + ((a0 * low) >> shift)
    v = a0 * high + (u & _HALF)
    return a1 * high + (u >> shift) + (v >> shift), a * np.uint64(factor)


def philox(counter: Sequence[Any], key: tuple[int, int]) -> tuple[Any, Any, Any, Any]:
    """Scramble counters, four arrays of words, with a key of two words, in ten rounds."""
    c0, c1, c2, c3 = counter
    k0, k1 = key
    for _ in range(10):
        (h0, l0), (h1, l1) = _product(c0, FACTORS[0]), _product(c2, FACTORS[1])
        c0, c1, c2, c3 = h1 ^ c1 ^ np.uint64(k0), l1, h0 ^ c3 ^ np.uint64(k1), l0
        k0, k1 = (k0 + STEPS[0]) & _WORD, (k1 + STEPS[1]) & _WORD
    return c0, c1, c2, c3


@reference
def random_words(xp: Any, blocks: int, seed: int, offset: int) -> Any:
    """``blocks`` blocks of four uint64 words: block i is the counter ``offset + 1 + i`` under the key ``seed``.

    The seed counts modulo 2^64; the offset is at least 0, and offset + blocks below 2^63.
    """
    first = xp.arange(blocks, dtype=np.uint64) + np.uint64(offset + 1)
    none = xp.zeros_like(first)
    return xp.stack(philox((first, none, none, none), (seed & _WORD, 0)), axis=1).reshape(-1)


class _Host(threading.local):
    """NumPy's generator, one for each thread: to set its state takes a twentieth of the time to make one.

    It is made at the first draw, since NumPy imports its random numbers only when they are asked for.
    """

    generator: Any = None

    def __init__(self) -> None:
        self.counter, self.key = np.zeros(4, np.uint64), np.zeros(2, np.uint64)
        self.state: Any = {"bit_generator": "Philox", "state": {"counter": self.counter, "key": self.key}, "buffer": np.zeros(4, np.uint64),
                           "buffer_pos": 4, "has_uint32": 0, "uinteger": 0}

    def at(self, seed: int, offset: int) -> Any:
        """The generator, where the words of this place are the next."""
        if self.generator is None:
            self.generator = np.random.Philox(key=0)
        self.key[0], self.counter[0] = seed & _WORD, offset
        self.generator.state = self.state
        return self.generator


_host = _Host()


@override("numpy")
def random_words(blocks: int, seed: int, offset: int) -> Any:  # noqa: F811
    """By NumPy's own code in C."""
    return _host.at(seed, offset).random_raw(4 * blocks)


# -- what is made of them: each is one launch on the device -----------------------------------------


@reference
def random_uniform(xp: Any, shape: tuple[int, ...], dtype: Any, seed: int, offset: int) -> Any:
    """Floats uniform in [0, 1), from the upper digits of as many bits each as the dtype has."""
    dtype = np.dtype(dtype)
    bits = random_bits(xp, math.prod(shape), f"u{dtype.itemsize}", seed, offset)
    y = (bits >> bits.dtype.type(8 * dtype.itemsize - DIGITS[dtype.name])).astype(dtype)
    y *= 2.0 ** -DIGITS[dtype.name]
    return y.reshape(shape)


@reference
def random_mask(xp: Any, shape: tuple[int, ...], ratio: float, dtype: Any, seed: int, offset: int) -> Any:
    """0 where the element's 16 bits are below ``ratio`` times 2^16, else ``1 / (1 - ratio)``; ratio is below 1."""
    bits = random_bits(xp, math.prod(shape), np.uint16, seed, offset)
    y = (bits >= np.uint16(dropped(ratio))).astype(dtype)
    y *= 1.0 / (1.0 - ratio)
    return y.reshape(shape)


@override("numpy")
def random_mask(shape: tuple[int, ...], ratio: float, dtype: Any, seed: int, offset: int) -> Any:  # noqa: F811
    """In pieces that stay in the cache: to allocate room for all bits at once would take longer than to draw them."""
    y = np.empty(shape, dtype)
    flat, generator, limit, factor = y.reshape(-1), _host.at(seed, offset), np.uint16(dropped(ratio)), y.dtype.type(1.0 / (1.0 - ratio))
    for i in range(0, y.size, _PIECE):
        n = min(_PIECE, y.size - i)
        np.multiply(generator.random_raw(-(-n // 16) * 4).view(np.uint16)[:n] >= limit, factor, out=flat[i:i + n])
    return y


@reference
def dropout(xp: Any, x: Any, ratio: float, seed: int, offset: int) -> Any:
    """Floats ``x`` times their ``random_mask``."""
    return x * kernels_of(xp).random_mask(x.shape, ratio, x.dtype, seed, offset)


def dropped(ratio: float) -> int:
    """How many of the 2^16 patterns of bits drop an element."""
    return min(round(ratio * 65536), 65535)


def random_bits(xp: Any, n: int, dtype: Any, seed: int, offset: int = 0) -> Any:
    """``n`` random integers of an unsigned ``dtype``, uniform over its whole range, as an array of module ``xp``."""
    dtype = np.dtype(dtype)
    return kernels_of(xp).random_words(-(-n * dtype.itemsize // _BLOCK), seed, offset).view(dtype)[:n]


def uniform(xp: Any, shape: tuple[int, ...], dtype: Any = np.float32, seed: int | None = None, offset: int = 0) -> Any:
    """Floats uniform in [0, 1), all representable steps of 2^-11 (float16), 2^-24 (float32) or 2^-53 (float64).

    Args:
        xp: the array module, numpy or cupy.
        shape: the shape wanted.
        dtype: float16, bfloat16, float32 or float64.
        seed: the same seed gives the same numbers; None draws one from NumPy's global state.
        offset: how many blocks of 32 bytes of the seed's stream are passed over.

    Examples:
        >>> import numpy as np
        >>> a, b = (uniform(np, (2, 3), np.float32, seed=7) for _ in range(2))
        >>> (a == b).all(), a.dtype, a.min() >= 0 and a.max() < 1
        (np.True_, dtype('float32'), np.True_)
    """
    return kernels_of(xp).random_uniform(shape, dtype, fresh_seed() if seed is None else seed, offset)


def normal(xp: Any, shape: tuple[int, ...], dtype: Any = np.float32, seed: int | None = None, offset: int = 0) -> Any:
    """Standard normal floats (Box and Muller, "A note on the generation of random normal deviates", 1958); arguments as for :func:`uniform`.

    Host and device agree to rounding errors: logarithm and sine are their own.
    """
    dtype = np.dtype(dtype)
    n = math.prod(shape)
    u = uniform(xp, (2, (n + 1) // 2), dtype if dtype.itemsize == 8 else np.float32, seed, offset)
    radius, angle = xp.sqrt(xp.log1p(-u[0]) * -2.0), u[1] * (2 * math.pi)
    return xp.concatenate([radius * xp.cos(angle), radius * xp.sin(angle)])[:n].reshape(shape).astype(dtype, copy=False)


def keep_mask(xp: Any, shape: tuple[int, ...], ratio: float, dtype: Any, seed: int | None = None, offset: int = 0) -> Any:
    """An array that is 0 with probability ``ratio`` and ``1 / (1 - ratio)`` elsewhere: the mask of dropout.

    The probability is met to within 2^-17, since 16 random bits decide on each element.
    """
    if ratio >= 1:
        return xp.zeros(shape, dtype)
    return kernels_of(xp).random_mask(shape, ratio, dtype, fresh_seed() if seed is None else seed, offset)


# -- a stream with a state --------------------------------------------------------------------------


class Philox:
    """A stream of random numbers whose whole state is two integers: the same on the host and on the device, to be saved and replayed.

    Each draw takes the next part of the stream. The numbers are those of ``np.random.Philox(key=seed, counter=offset)``.

    Args:
        seed: which stream: an integer, counted modulo 2^64; None draws one from NumPy's global state.
        offset: where in the stream to begin, in blocks of 32 bytes.

    Attributes:
        state: (seed, offset), where the next draw begins. Set it to go back, or to go on elsewhere; JSON holds it.

    Raises:
        TypeError: seed or offset is no integer.
        ValueError: the offset is negative, or above 2^62.

    Examples:
        >>> import numpy as np
        >>> from dezero import Philox, functions as F
        >>> generator = Philox(seed=1)
        >>> saved = generator.state
        >>> first = F.dropout(np.ones(8), 0.5, generator=generator)
        >>> generator.state
        (1, 1)
        >>> generator.state = saved
        >>> again = F.dropout(np.ones(8), 0.5, generator=generator)
        >>> bool((first.data == again.data).all())
        True
    """

    def __init__(self, seed: int | None = None, offset: int = 0) -> None:
        self.state = (fresh_seed() if seed is None else seed, offset)

    @property
    def state(self) -> tuple[int, int]:
        """Two integers: the seed, and the offset of the next draw."""
        return self._seed, self._offset

    @state.setter
    def state(self, value: Sequence[int]) -> None:
        if not isinstance(value, (tuple, list)) or len(value) != 2 or not all(isinstance(v, (int, np.integer)) for v in value):
            raise TypeError(f"Philox: the state {value!r} was given: two integers, seed and offset, are expected")
        seed, offset = map(int, value)
        if not 0 <= offset <= 1 << 62:
            raise ValueError(f"Philox: the offset is {offset}: it must be from 0 to 2^62")
        self._seed, self._offset = seed & _WORD, offset

    def take(self, size: int) -> tuple[int, int]:
        """The seed and the offset for a draw of ``size`` bytes; the next draw begins behind them."""
        state = self._seed, self._offset
        if draws.states is not None:
            draws.states.setdefault(self, state)
        self._offset += -(-size // _BLOCK)
        return state

    def bits(self, n: int, dtype: Any = np.uint64, xp: Any = np) -> Any:
        """``n`` integers of an unsigned dtype, uniform over its whole range, as an array of module ``xp``."""
        return random_bits(xp, n, dtype, *self.take(n * np.dtype(dtype).itemsize))

    def uniform(self, shape: tuple[int, ...], dtype: Any = np.float32, xp: Any = np) -> Any:
        """Floats uniform in [0, 1), as an array of module ``xp``."""
        return uniform(xp, shape, dtype, *self.take(math.prod(shape) * np.dtype(dtype).itemsize))

    def normal(self, shape: tuple[int, ...], dtype: Any = np.float32, xp: Any = np) -> Any:
        """Standard normal floats, as an array of module ``xp``; on the device the same to rounding errors."""
        return normal(xp, shape, dtype, *self.take(-(-math.prod(shape) // 2) * 2 * max(4, np.dtype(dtype).itemsize)))

    def keep_mask(self, shape: tuple[int, ...], ratio: float, dtype: Any = np.float32, xp: Any = np) -> Any:
        """0 with probability ``ratio`` and ``1 / (1 - ratio)`` elsewhere, as an array of module ``xp``."""
        return keep_mask(xp, shape, ratio, dtype, *self.take(2 * math.prod(shape)))

    def __repr__(self) -> str:
        return f"Philox(seed={self._seed}, offset={self._offset})"
