"""Tables in CSV files."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dezero.datasets import CSVDataset
from dezero.errors import DatasetError

IRIS = "length,width,kind\n5.1,3.5,setosa\n7.0,3.2,versicolor\n6.3,3.3,virginica\n4.9,3.0,setosa\n"


@pytest.fixture
def write(tmp_path: Path):
    def put(text: str | bytes) -> Path:
        path = tmp_path / "t.csv"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path
    return put


@pytest.mark.parametrize("target", [-1, 2, "kind"])
def test_classes_by_name(write, target: int | str) -> None:
    t = CSVDataset(write(IRIS), target)
    assert t.columns == ["length", "width"] and t.classes == ["setosa", "versicolor", "virginica"]
    assert t.data.dtype == np.float32 and t.label.dtype == np.int64
    np.testing.assert_array_equal(t.label, [0, 1, 2, 0])
    x, y = t[1]
    np.testing.assert_array_equal(x, np.float32([7.0, 3.2]))
    assert y == 1 and t.labels()[2] == "virginica"
    assert pickle.loads(pickle.dumps(t))[3][1] == 0


def test_targets_of_numbers(write) -> None:
    assert CSVDataset(write("1,2,7\n3,4,9\n")).label.tolist() == [7, 9]
    assert CSVDataset(write("1,2,7\n3,4,9\n")).label.dtype == np.int64
    t = CSVDataset(write("1,2,7\n3,4,9\n"), kind="class")
    assert t.label.tolist() == [0, 1] and t.classes == ["7", "9"]
    t = CSVDataset(write("1,2,7\n3,4,9.5\n"))
    assert t.label.dtype == np.float32 and t.label.tolist() == [7, 9.5] and t.classes is None and t.labels() == {}
    assert CSVDataset(write("1,7\n3,9\n"), kind="value").label.dtype == np.float32
    assert CSVDataset(write("1,10\n3,9\n"), kind="class").classes == ["9", "10"]


def test_no_target(write) -> None:
    t = CSVDataset(write("1,2\n3,4\n"), target=None)
    assert t.label is None and t.data.tolist() == [[1, 2], [3, 4]] and t.columns == ["0", "1"]


def test_chosen_columns(write) -> None:
    t = CSVDataset(write("name,a,b,c\nx,1,2,3\ny,4,5,6\n"), target="b", columns=["c", 1])
    assert t.data.tolist() == [[3, 1], [6, 4]] and t.columns == ["c", "a"] and t.label.tolist() == [2, 5]


@pytest.mark.parametrize(("text", "header"), [
    ("a,b\n1,2\n", True), ("1,2\n3,4\n", False), ("x,1\ny,2\n", False), ("a,b\nc,d\n", True), ("1,2\n", False)])
def test_header_is_found(write, text: str, header: bool) -> None:
    assert CSVDataset(write(text), target=0, columns=[]).columns == []
    t = CSVDataset(write(text), target=0, columns=[])
    assert len(t) == text.count("\n") - header


def test_header_as_told(write) -> None:
    assert len(CSVDataset(write("1,2\n3,4\n"), header=True)) == 1
    assert CSVDataset(write("2020,2021,t\n1,2,3\n"), target="t", header=True).columns == ["2020", "2021"]


@pytest.mark.parametrize("text", ["a;b;t\n1;2;x\n", "a\tb\tt\r\n1\t2\tx\r\n", "\ufeffa,b,t\n1,2,x", 'a,b,t\n\n" 1","2 ",x\n\n'])
def test_dialects(write, text: str) -> None:
    t = CSVDataset(write(text), "t")
    assert t.columns == ["a", "b"] and t.data.tolist() == [[1, 2]] and t.classes == ["x"]


@pytest.mark.parametrize(("text", "words"), [
    ("a,b,t\n1,2,x\n3,big,y\n", r"t\.csv:3:2 \(b\): 'big': a number is expected"),
    ("a,b,t\n1,2,x\n3,,y\n", r"t\.csv:3:2 \(b\): an empty cell"),
    ("1,2,x\n3,oh,y\n", r"t\.csv:2:2: 'oh'"),
    ("a,b,t\n1,2,x\n3,4\n", r"t\.csv:3: has 2 columns: 3 are expected"),
    ("a,b,t\n1,2,x\n3,4,\n", r"t\.csv:3:3 \(t\): an empty cell: a target"),
    ('a,b,t\n"1\n",2,x\n3,?,y\n', r"t\.csv:4:2 \(b\)"),
    ("", "has no rows"), ("\n\n", "has no rows"), ('a,b\n1,"x\n', "is no CSV file"),
])
def test_errors_tell_the_place(write, text: str, words: str) -> None:
    with pytest.raises(DatasetError, match=words):
        CSVDataset(write(text))


def test_other_errors(write, tmp_path: Path) -> None:
    path = write(IRIS)
    for call, words in ((lambda: CSVDataset(path, "colour"), "no column 'colour': there are 'length', 'width', 'kind'"),
                        (lambda: CSVDataset(path, 3), "no column 3: its 3 columns"), (lambda: CSVDataset(tmp_path / "none.csv"), "none.csv"),
                        (lambda: CSVDataset(path, columns=["colour"]), "no column")):
        with pytest.raises(DatasetError, match=words):
            call()
    with pytest.raises(DatasetError, match="the file has no header"):
        CSVDataset(write("1,2\n3,4\n"), "t")
    for data in (b"\xff\xfe\x00", b"a,b\n1,\xff\n"):
        with pytest.raises(DatasetError, match="UTF-8"):
            CSVDataset(write(data))
    with pytest.raises(ValueError, match="kind is 'number'"):
        CSVDataset(path, kind="number")


@pytest.mark.parametrize("text", ["\n\na;b;t\n1;2;x\n", "a,b,t\n   \n1,2,x\n \n"])
def test_blank_lines_are_passed_over(write, text: str) -> None:
    t = CSVDataset(write(text), "t")
    assert t.columns == ["a", "b"] and t.data.tolist() == [[1, 2]] and t.classes == ["x"]


@pytest.mark.parametrize(("text", "target", "error", "words"), [
    ("y,a,y\n1,2,0\n", "y", DatasetError, "2 columns called 'y'"), ("a,b\n1,2\n", 1.5, TypeError, "1.5 is given as a column"),
    ("a\n1\n2\n", -1, DatasetError, "no column is left for x, of 1"), ("a|b\n1|2\n", -1, DatasetError, "check the delimiter"),
    ("a,b\n1,2\n-1e300,2\n", -1, DatasetError, r"t\.csv:3:1 \(a\): '-1e300': a number up to"),
    ('a,b\n1,"x\n', -1, DatasetError, r"t\.csv:2: is no CSV file"),
])
def test_what_would_be_read_wrongly_is_told(write, text: str, target: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        CSVDataset(write(text), target)


def test_words_that_look_like_numbers_are_classes(write) -> None:
    assert CSVDataset(write("a,t\n1,++1\n2,9\n")).classes == ["++1", "9"]
    assert CSVDataset(write("a,t\n1,inf\n")).label.tolist() == [np.inf]
