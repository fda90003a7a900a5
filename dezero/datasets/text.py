"""Text as characters, each with the next one as its label."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np

from dezero.datasets.dataset import Dataset, Transforming
from dezero.datasets.files import Source, obtain, sha256_of
from dezero.errors import DatasetError, FileFormatError


class TextCharacters(Dataset):
    """The characters of a text as numbers: label[i] is data[i + 1].

    Characters are numbered in the order in which they first appear in the whole text.

    Args:
        text: a str is the text itself, a ``pathlib.Path`` a file to read (UTF-8).
        train: the beginning of the text, or the end that ``test_ratio`` keeps for tests.
        transform: for one number.
        target_transform: for the number of the next character.
        test_ratio: the share of the text at its end to test on; with 0 both parts are the whole text.

    Attributes:
        data: (N - 1,) int64 for N characters.
        label: (N - 1,) int64.
        char_to_id: the number of each character.
        id_to_char: the character of each number.

    Raises:
        DatasetError: the file cannot be read, or the part has less than two characters.
        ValueError: ``test_ratio`` is not in [0, 1).

    Examples:
        >>> text = TextCharacters("hello")
        >>> text.data, text.label, text.decode(text.label)
        (array([0, 1, 2, 2]), array([1, 2, 2, 3]), 'ello')
    """

    def __init__(self, text: str | os.PathLike[str], train: bool = True, transform: Transforming = None, target_transform: Transforming = None,
                 test_ratio: float = 0.0) -> None:
        if not 0 <= test_ratio < 1:
            raise ValueError(f"{type(self).__name__}: test_ratio is {test_ratio}: it must be in [0, 1)")
        self.test_ratio = test_ratio
        self._text = text if isinstance(text, str) else _read_text(Path(text))
        super().__init__(train, transform, target_transform)
        self._text = ""

    def prepare(self) -> None:
        """Number the characters."""
        codes = np.frombuffer(self._text.encode("utf-32-le", "surrogatepass"), "<u4")
        found, first, inverse = np.unique(codes, return_index=True, return_inverse=True)
        rank = np.empty(len(found), np.int64)
        rank[np.argsort(first)] = np.arange(len(found))
        self.id_to_char = {i: chr(code) for i, code in enumerate(found[np.argsort(first)].tolist())}
        self.char_to_id = {char: i for i, char in self.id_to_char.items()}
        ids = rank[inverse]
        cut = len(ids) - int(len(ids) * self.test_ratio)
        if self.test_ratio:
            ids = ids[:cut] if self.train else ids[cut:]
        if len(ids) < 2:
            raise DatasetError(f"{type(self).__name__}: the text has {len(ids)} characters here: at least 2 are needed")
        self.data, self.label = ids[:-1], ids[1:]

    def encode(self, text: str) -> Any:
        """The numbers of characters, (len(text),) int64.

        Raises:
            KeyError: a character is not in the data set's text.

        Examples:
            >>> TextCharacters("hello").encode("ole")
            array([3, 2, 1])
        """
        unknown = sorted(set(text) - self.char_to_id.keys())
        if unknown:
            raise KeyError(f"{type(self).__name__}: {unknown[0]!r} is not among the {len(self.char_to_id)} characters of the text")
        return np.array([self.char_to_id[char] for char in text], np.int64)

    def decode(self, ids: Any) -> str:
        """The characters of numbers.

        Examples:
            >>> TextCharacters("hello").decode([3, 2])
            'ol'
        """
        return "".join(self.id_to_char[int(i)] for i in ids)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: cannot be read as UTF-8 text: {error}") from error


class Shakespeare(TextCharacters):
    """40,000 lines of Shakespeare's plays as characters: the tiny-shakespeare text of Karpathy's char-rnn (2015), 1,115,394 characters.

    The file ``tinyshakespeare.txt`` (or ``input.txt`` in a folder ``tinyshakespeare``) is searched in ``$DEZERO_DATA``, the
    user's cache folder and ``~/.dezero``, else fetched (1 MB). Its SHA-256 is checked.

    Args:
        train: the beginning of the text, or the end that ``test_ratio`` keeps for tests.
        transform: for one number.
        target_transform: for the number of the next character.
        test_ratio: the share of the text at its end to test on; with 0 both parts are the whole text, as in the book.

    Raises:
        DatasetError: the file is not there and cannot be fetched; the message says where to put it.

    Examples:
        >>> Shakespear is Shakespeare  # the book's spelling
        True
    """

    sha256 = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"
    source = Source("Shakespeare", "tinyshakespeare.txt", (
        "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt",
        "https://storage.googleapis.com/download.tensorflow.org/data/shakespeare.txt",
        "https://cdn.jsdelivr.net/gh/karpathy/char-rnn@master/data/tinyshakespeare/input.txt",
    ), 4_000_000, sha256, ("tinyshakespeare",), ("shakespear.txt", "shakespeare.txt", "input.txt"))

    def __init__(self, train: bool = True, transform: Transforming = None, target_transform: Transforming = None, test_ratio: float = 0.0) -> None:
        super().__init__(obtain(self.source, self._checked)[0], train, transform, target_transform, test_ratio)

    @classmethod
    def _checked(cls, path: Path) -> None:
        if sha256_of(path) != cls.sha256:
            raise FileFormatError(f"{path}: another SHA-256 than expected")


Shakespear = Shakespeare  # the book's spelling

__all__ = ["Shakespear", "Shakespeare", "TextCharacters"]
