"""Text as characters."""

from __future__ import annotations

import dataclasses
import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest

from dezero.datasets import Shakespear, Shakespeare, TextCharacters
from dezero.errors import DatasetError
from tests.datasets.conftest import Web, whole


def test_numbers_in_order_of_appearance() -> None:
    text = TextCharacters("to be")
    assert text.char_to_id == {"t": 0, "o": 1, " ": 2, "b": 3, "e": 4}
    assert text.id_to_char == {0: "t", 1: "o", 2: " ", 3: "b", 4: "e"}
    assert text[0] == (0, 1) and len(text) == 4
    assert text.data.dtype == text.label.dtype == np.int64
    assert text.decode(text.encode("beto")) == "beto"


def test_any_characters(tmp_path: Path) -> None:
    words = "日本 🙂\r\nnaïve\t" * 3
    (tmp_path / "x.txt").write_bytes(words.encode())
    for text in (TextCharacters(words),):
        assert words[0] + text.decode(text.label) == words
    assert TextCharacters(tmp_path / "x.txt").char_to_id.keys() >= set("日🙂ï")


def test_parts() -> None:
    words = "abcdefghij" * 10
    train, test = (TextCharacters(words, train=part, test_ratio=0.25) for part in (True, False))
    assert len(train) == 74 and len(test) == 24
    assert train.char_to_id == test.char_to_id
    assert test.decode(test.data) == words[75:99]
    assert len(TextCharacters(words, train=False)) == 99


def test_unknown_characters() -> None:
    with pytest.raises(KeyError, match="'z' is not among the 3 characters"):
        TextCharacters("abc").encode("xyz"[2])


def test_wrong_input(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"\xff\xfe\xfa")
    for call, words in ((lambda: TextCharacters("a"), "at least 2"), (lambda: TextCharacters(tmp_path / "none.txt"), "none.txt"),
                        (lambda: TextCharacters(tmp_path / "x"), "UTF-8")):
        with pytest.raises(DatasetError, match=words):
            call()
    with pytest.raises(ValueError, match="test_ratio is 1"):
        TextCharacters("abc", test_ratio=1)


def test_shakespeare(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    words = b"First Citizen:\nBefore we proceed any further, hear me speak.\n"
    monkeypatch.setattr(Shakespeare, "sha256", hashlib.sha256(words).hexdigest())
    (home / "home/.dezero").mkdir()
    (home / "home/.dezero/shakespear.txt").write_bytes(words)
    text = Shakespear()
    assert text.id_to_char[0] == "F" and len(text) == len(words) - 1
    assert pickle.loads(pickle.dumps(text))[0] == (0, 1)


def test_shakespeare_offline(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    with pytest.raises(DatasetError, match="Shakespeare: tinyshakespeare.txt is not here"):
        Shakespeare()


def test_shakespeare_fetched(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    words = b"to be or not to be"
    sha = hashlib.sha256(words).hexdigest()
    monkeypatch.setattr(Shakespeare, "sha256", sha)
    urls = (web.url("/bad", whole(b"not to be")), web.url("/good", whole(words)))
    monkeypatch.setattr(Shakespeare, "source", dataclasses.replace(Shakespeare.source, urls=urls, sha256=sha))
    assert len(Shakespeare()) == 17
    assert (home / "cache/dezero/tinyshakespeare/tinyshakespeare.txt").read_bytes() == words
