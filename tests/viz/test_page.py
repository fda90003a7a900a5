"""The page as text: what it holds, that it is small and always the same, and that no name in it does anything."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Parameter, Variable
from dezero.errors import InputTypeError
from dezero.viz.page import render_html, to_html
from dezero.viz.page.arrays import Table
from tests.viz.graphs import HOSTILE, classifier, derivative, goldstein
from tests.viz.pages import PAGES, deep, wide_net


class Reader(HTMLParser):
    """Elements in order, that each is closed, and the text in scripts."""

    VOID = {"meta", "link", "input", "br"}

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.feed(text)
        self.close()
        assert not self.open, f"never closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: Any) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open and self.open[-1] == tag, f"</{tag}> closes {self.open[-1:]}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "title"):
            key = self.found[-1][1].get("id") or self.open[-1]
            self.texts[str(key)] = self.texts.get(str(key), "") + data


def data_of(text: str) -> Any:
    return json.loads(Reader(text).texts["data"])


def array(data: Any, place: int | None) -> Any:
    """The array at a place of the table, as the page decodes it."""
    assert place is not None
    entry = data["arrays"][place]
    return np.array([float(v) for v in entry["x"]]).astype(entry["d"]).reshape(entry["s"])


def test_every_function_is_a_step_forward_and_one_back() -> None:
    y = goldstein()
    data = data_of(render_html(y))
    drawing = data["drawings"][0]
    names = [data["nodes"][id_]["name"] for id_ in drawing["forward"]]
    assert len(names) == len(set(drawing["forward"])) == sum(node["kind"] == "function" for node in data["nodes"].values())
    assert drawing["backward"] == drawing["forward"][::-1]


def test_steps_forward_come_after_what_they_take() -> None:
    data = data_of(render_html(derivative(F.tanh, 3)))
    done = {id_ for id_, node in data["nodes"].items() if node["kind"] in ("leaf", "constant")}
    for step in data["drawings"][0]["forward"]:
        goes_in, comes_out = data["drawings"][0]["links"][step]
        assert done.issuperset(goes_in)
        done.update(comes_out)


def test_numbers_are_the_arrays_to_the_last_bit() -> None:
    rng = np.random.default_rng(0)
    x = Variable(rng.standard_normal((3, 4)).astype(np.float32), name="x")
    W = Parameter(rng.standard_normal((4, 2)), name="W")
    y = F.sum(F.sin(F.matmul(x, W)))
    data = data_of(render_html(y))
    y.backward()
    by_name = {node["name"]: node for node in data["nodes"].values()}
    for v in (x, W):
        np.testing.assert_array_equal(array(data, by_name[v.name]["value"]), v.data, strict=True)
        np.testing.assert_array_equal(array(data, by_name[v.name]["grad"]), v.grad.data, strict=True)


@pytest.mark.parametrize("a", [np.array([0.1, -0.0, 1e-45, 3.4e38, np.nan, np.inf, -np.inf], np.float32), np.array([0.1, 1e300, 5e-324, 2.0]),
                               np.array([2**62 + 1, -3]), np.array([0.1, 65504], np.float16), np.array([True, False])], ids=lambda a: a.dtype.name)
def test_small_arrays_lose_nothing(a: np.ndarray) -> None:
    table = Table()
    table.add(a)
    entry = json.loads(json.dumps(table.written(10_000)[0], allow_nan=False))[0]
    if a.dtype.kind == "i":
        assert [int(v) for v in entry["x"]] == a.tolist()
    else:
        back = np.array([float(v) for v in entry["x"]]).astype(a.dtype)
        assert back.tobytes() == a.tobytes() or np.array_equal(np.signbit(back), np.signbit(a)) and np.array_equal(back, a, equal_nan=True)


def test_large_arrays_are_statistics() -> None:
    a = np.random.default_rng(0).standard_normal((20, 30, 40))
    a[0, 0, 0] = np.nan
    table = Table()
    table.add(a)
    entry = table.written(10_000)[0][0]
    assert "x" not in entry and entry["n"] == 24_000 and entry["nan"] == 1
    assert entry["mean"] == pytest.approx(np.nanmean(a), rel=1e-6) and entry["max"] == pytest.approx(np.nanmax(a), rel=1e-6)
    assert sum(entry["h"]) == 23_999 and len(entry["h"]) == 20
    assert entry["c"][3][3] == pytest.approx(a[0, 29, 39], rel=1e-6)


def test_parts_of_a_gradient_add_up() -> None:
    x = Variable(np.array([1.5, -2.0]), name="x")
    y = F.sum(x * 2 + F.sin(x) * x)
    data = data_of(render_html(y))
    y.backward()
    parts = data["drawings"][0]["parts"]["v0"]
    assert [data["nodes"][step]["name"] for step, *_ in parts] == ["Mul", "Sin", "Mul"]
    total = np.zeros(2)
    for _, _, part, so_far in parts:
        total = total + array(data, part)
        np.testing.assert_allclose(array(data, so_far), total, rtol=1e-15)
    np.testing.assert_array_equal(array(data, parts[-1][3]), x.grad.data)


def test_where_backward_starts_is_a_part() -> None:
    x = Variable(np.array(2.0), name="x")
    h = x * 3
    data = data_of(render_html([h, F.sin(h)]))
    parts = data["drawings"][0]["parts"][data["outputs"][0]]
    assert [step for step, *_ in parts] == ["", "f1"]
    assert float(array(data, parts[-1][3])) == 1 + np.cos(6.0)


def test_several_outputs_and_none_that_is_a_function() -> None:
    a, b = F.split(Variable(np.arange(4.0), name="x"), 2)
    data = data_of(render_html([a * 2, b]))
    assert len(data["outputs"]) == 2 and data["drawings"][0]["forward"] == ["f0", "f1"]
    leaf = data_of(render_html(Variable(np.array(1.0), name="x")))
    assert leaf["drawings"][0]["forward"] == [] and leaf["nodes"]["v0"]["name"] == "x"


def test_gradients_of_the_program_stay_as_they_are() -> None:
    x = Variable(np.array(2.0), name="x")
    y = x * x
    render_html(y)
    assert x.grad is None
    y.backward()
    render_html(y)
    assert float(x.grad.data) == 4.0


def test_what_has_no_numbers_says_why() -> None:
    x = Variable(np.ones(3), name="x")
    y = F.sum(x * np.array([1.0, 2.0, 3.0]))
    y.backward()
    data = data_of(render_html(y))
    assert any("keep_values" in note for note in data["notes"])
    assert data["drawings"][0]["backward"] == data["drawings"][0]["forward"][::-1]


def test_nan_dead_and_huge_are_marked() -> None:
    with np.errstate(all="ignore"):
        x = Variable(np.array([-1.0, 1.0]), name="x")
        y = F.sum(F.log(x)) + F.sum(F.relu(x - 5)) + F.sum(x * 1e9)
    data = data_of(render_html(y))
    marks = {(node["name"], *mark) for node in data["nodes"].values() for mark in node.get("marks", [])}
    assert ("x", "grad", "huge") in marks
    links = {data["nodes"][f]["name"]: comes_out[0] for f, (_, comes_out) in data["drawings"][0]["links"].items()}
    by_maker = {tuple(data["nodes"][links[name]]["marks"][0]) for name in ("Log", "ReLU")}
    assert by_maker == {("value", "nan"), ("value", "zero")}


def test_a_page_of_100_nodes_is_small() -> None:
    text = render_html(wide_net())
    data, size = data_of(text), len(text.encode())
    assert 98 <= len(data["nodes"]) <= 104 and data["limit"] == 64
    assert size < 300_000, f"{size} bytes"


def test_budget_cuts_the_longest_arrays_first() -> None:
    table = Table()
    rng = np.random.default_rng(0)
    for n in (2, 60) * 10:
        table.add(rng.standard_normal(n))
    written, limit = table.written(4_000)
    assert limit == 32 and ["x" in entry for entry in written] == [True, False] * 10


def test_same_bytes_whatever_the_hash_seed() -> None:
    code = ("import sys; from tests.viz.pages import PAGES; from dezero.viz.page import render_html; "
            "sys.stdout.buffer.write(b''.join(render_html(PAGES[name]()).encode() for name in ('join', 'classifier', 'second')))")
    texts = {subprocess.run([sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, check=True, capture_output=True,
                            cwd=Path(__file__).parents[2], timeout=60).stdout for seed in ("0", "1")}
    assert len(texts) == 1 and len(texts.pop()) > 10_000


@pytest.mark.parametrize("name", [*HOSTILE, "\u2028\u2029", "{{script}}", "<!--", "<script>"], ids=ascii)
def test_no_name_leaves_its_place(name: str) -> None:
    plain = Reader(render_html(Variable(np.array(2.0), name="x") * 3))
    x = Variable(np.array(2.0), name=name)
    text = render_html(x * 3, title=name)
    page = Reader(text)
    assert [tag for tag, _ in page.found if tag not in ("g", "text")] == [tag for tag, _ in plain.found if tag not in ("g", "text")]
    assert not any(key.startswith("on") for _, attributes in page.found for key in attributes)
    assert page.texts["script"] == plain.texts["script"]
    raw = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert raw is not None and not set(raw[1]) & set("<>&\u2028\u2029")
    json.loads(raw[1])


def test_nothing_is_fetched_and_only_our_script_may_run() -> None:
    page = Reader(render_html(classifier()))
    policy = next(a["content"] for tag, a in page.found if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "default-src 'none'" in policy and "script-src 'sha256-" in policy
    for tag, attributes in page.found:
        for key in ("src", "href", "xlink:href", "action", "data"):
            value = attributes.get(key) or ""
            assert value.startswith(("#", "data:")) or not value, f"<{tag} {key}={value}>"
    assert [attributes.get("type") for tag, attributes in page.found if tag == "script"] == ["application/json", None]


def test_all_words_are_in_both_languages() -> None:
    script = Reader(render_html(classifier())).texts["script"]
    english, korean = re.search(r"\ben: \{(.*?)\n\},\nko: \{(.*?)\n\},", script, re.S).groups()
    keys = [re.findall(r"(?:^|[{,] ?|\n)(\w+): ", re.sub(r'"[^"]*"|`[^`]*`', '""', words)) for words in (english, korean)]
    assert keys[0] == keys[1] and len(keys[0]) > 60


def test_every_page_is_whole() -> None:
    for name, make in PAGES.items():
        text = render_html(make(), collapse=name == "net")
        ids = [attributes["id"] for _, attributes in Reader(text).found if "id" in attributes]
        assert len(ids) == len(set(ids)), name
        data = data_of(text)
        for drawing in data["drawings"]:
            assert set(drawing["backward"]) <= set(drawing["forward"]) <= set(data["nodes"]), name


def test_a_long_chain_takes_no_recursion() -> None:
    limit = sys.getrecursionlimit()
    y = deep(3_000)
    try:
        sys.setrecursionlimit(200)
        text = render_html(y, max_nodes=50)
    finally:
        sys.setrecursionlimit(limit)
    assert len(text) < 300_000


def test_wrong_arguments_say_what_is_right(tmp_path: Path) -> None:
    y = Variable(np.array(1.0)) * 2
    with pytest.raises(ValueError, match=r"ends in \.svg: \.html or \.htm is expected"):
        to_html(y, tmp_path / "a.svg")
    with pytest.raises(ValueError, match="ends in nothing"):
        to_html(y, tmp_path / "a")
    with pytest.raises(FileNotFoundError, match="folder .* does not exist: make it first"):
        to_html(y, tmp_path / "missing" / "a.html")
    with pytest.raises(ValueError, match="language='de': one of auto, en, ko"):
        to_html(y, tmp_path / "a.html", language="de")
    with pytest.raises(InputTypeError):
        to_html(np.ones(3), tmp_path / "a.html")  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_written_where_it_should_be(tmp_path: Path) -> None:
    folder = tmp_path / "그림 1"
    folder.mkdir()
    path = to_html(Variable(np.array(1.0), name="입력") * 2, folder / "그래프.HTM", title="제목", language="ko")
    page = Reader(path.read_text(encoding="utf-8"))
    assert page.texts["title"].startswith("제목") and page.found[0] == ("html", {"lang": "ko"})
