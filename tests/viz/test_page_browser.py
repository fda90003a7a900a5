"""The page in a real browser: every step clicked through, its numbers read back, keys, search, zoom, and nothing asked of the network."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dezero.functions as F
from dezero import Variable
from dezero.viz.page import to_html
from dezero.viz.values import run_of
from tests.viz.browser import Browser, find_browser
from tests.viz.graphs import HOSTILE
from tests.viz.pages import PAGES, deep, join, net, strange, wide_net

pytestmark = pytest.mark.skipif(find_browser() is None, reason="no Chromium is installed: apt-get install chromium")
SHOTS = Path(__file__).parents[2] / "build" / "screenshots"
# What the panel shows of a step: for each row the variable and its numbers, for each sum its parts and total, all as text.
STEP = """(() => {
  const step = document.querySelector(".step"), all = (node, selector) => [...node.querySelectorAll(selector)];
  const numbers = (node) => node ? all(node, "[data-value]").map((cell) => cell.dataset.value) : [];
  if (!step) return null;
  const sections = all(step, ":scope > section").map((section) => all(section, ".row").map((row) => [row.dataset.of, numbers(row)]));
  const sums = all(step, ".sum").map((sum) => [sum.dataset.sum, all(sum, ".part:not(.pending)").map((part) => [part.dataset.from, numbers(part)]),
    numbers(sum.querySelector(".total"))]);
  return { id: step.dataset.step, phase: step.dataset.phase, sections, sums, at: document.getElementById("slider").value };
})()"""
BOX = "(e) => { const b = e.getBoundingClientRect(); return [b.left, b.top, b.right, b.bottom] }"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program = find_browser()
    assert program is not None
    running = Browser(program)
    yield running
    running.close()


@pytest.fixture
def load(browser: Browser, tmp_path: Path) -> Iterator[Callable[..., Browser]]:
    """Opens the page of a result. When the test is over, nothing may have gone wrong in it, and nothing but the file may have been asked for."""
    opened: list[Path] = []

    def show(y: Any, width: int = 1280, height: int = 800, *, dark: bool = False, reader: str = "en-US", **options: Any) -> Browser:
        path = to_html(y, tmp_path / "graph.html", **options)
        opened.append(path)
        browser.open(path, width, height, dark=dark, language=reader)
        return browser

    yield show
    assert browser.complaints == []
    assert opened and browser.requests == [opened[-1].resolve().as_uri()]


def close(texts: list[str], array: Any) -> bool:
    """Are these all numbers of an array, to 1e-12?"""
    wanted = np.asarray(array).reshape(-1)
    got = np.array([{"true": 1.0, "false": 0.0}.get(t) if t in ("true", "false") else float(t) for t in texts])
    return got.shape == wanted.shape and bool(np.allclose(got, wanted.astype(float), rtol=1e-12, atol=1e-12, equal_nan=True))


def text(browser: Browser, selector: str) -> str:
    return str(browser.js(f"document.querySelector({json.dumps(selector)}).textContent"))


@pytest.mark.parametrize("name", PAGES)
def test_every_step_forward_and_back_shows_the_numbers_of_the_run(load: Any, name: str) -> None:
    y = PAGES[name]()
    with np.errstate(all="ignore"):
        graph, values = run_of(y)
    browser = load(y)
    n, back = len(graph.functions), len(values.order) or len(graph.functions)
    assert browser.js("Number(document.getElementById('slider').max)") == n + back
    edges, seen = list(graph.edges), []
    added: dict[str, int] = {}
    for at in range(1, n + back + 1):
        browser.click("#next")
        step = browser.js(STEP)
        assert step["at"] == str(at) and step["phase"] == ("forward" if at <= n else "backward")
        f = step["id"]
        seen.append(f)
        ins, outs = [a for a, b in edges if b == f], [b for a, b in edges if a == f]
        if step["phase"] == "forward":
            check(step["sections"], [[(v, values.arrays.get(v)) for v in ins], [(v, values.arrays.get(v)) for v in outs]])
        else:
            sent = [(v, values.flows[f, place]) for place, v in enumerate(ins) if (f, place) in values.flows]
            check(step["sections"][:2], [[(v, values.gradients.get(v)) for v in outs], sent] if values.order else [])
            for v, parts, total in step["sums"]:
                assert len(parts) == added.get(v, 0) + [w for w, _ in sent].count(v)
                assert close(total, np.sum([[float(x) for x in numbers] for _, numbers in parts], axis=0))
                added[v] = len(parts)
    assert sorted(seen[:n]) == sorted(f.id for f in graph.functions) and seen[n:] == list(values.order or seen[:n][::-1])
    browser.picture(SHOTS / f"{name}-last-step.png")
    for _ in range(n + back):
        browser.click("#previous")
    assert browser.js("document.getElementById('slider').value") == "0" and browser.js("document.querySelector('#previous').disabled")


def check(sections: list[Any], wanted: list[list[tuple[str, Any]]]) -> None:
    for rows, expected in zip(sections, wanted, strict=False):
        assert [v for v, _ in rows] == [v for v, _ in expected]
        for (_, shown), (v, array) in zip(rows, expected, strict=True):
            known = array is not None and np.size(array) <= 64
            assert close(shown, array) if known else shown == [], f"{v} shows {shown}, it is {array}"


def test_where_gradients_meet_the_parts_come_one_by_one(load: Any) -> None:
    y = join()
    values = run_of(y)[1]
    browser = load(y)
    sums = []
    for _ in range(8):
        browser.key("ArrowRight")
        sums.append(browser.js(STEP)["sums"])
    pow_, mul, sin = (values.flows[f, place] for f, place in (("f2", 0), ("f1", 1), ("f0", 0)))
    assert [v for v, _, _ in sums[5]] == ["v0"] and not sums[4]
    assert [float(p[1][0]) for p in sums[5][0][1]] == [pow_] and close(sums[5][0][2], pow_)
    assert [float(p[1][0]) for p in sums[6][0][1]] == [pow_, mul] and close(sums[6][0][2], pow_ + mul)
    assert [float(p[1][0]) for p in sums[7][0][1]] == [pow_, mul, sin] and close(sums[7][0][2], values.gradients["v0"])
    assert text(browser, ".sum").replace("\xa0", " ") == f"xfrom Pow{pow_}from Mul{mul}from Sin{sin}{values.gradients['v0']}"


def test_the_picture_shows_where_the_step_is(load: Any) -> None:
    browser = load(join())
    later = "document.querySelectorAll('#stage .later').length"
    assert browser.js(later) == 8
    browser.key("ArrowRight")
    assert browser.js("document.querySelector('#stage .now').dataset.node") == "f0" and browser.js(later) == 6
    assert browser.js("[...document.querySelectorAll('#stage .lit')].map((e) => e.dataset.from + e.dataset.to)") == ["v0f0", "f0v1"]
    assert browser.js("[...document.querySelectorAll('.flow text')].map((e) => e.textContent)") == ["3.0", "0.1411"]
    browser.key("End")
    assert browser.js(later) == 0 and browser.js("document.querySelectorAll('#stage .went').length") == 9
    assert browser.js("[...document.querySelectorAll('.flow text')].map((e) => e.textContent)") == ["↑ -2.97", "↑ 3.0"]
    assert text(browser, "#said") == "Backward 4 of 4 · Sin gets 3.0 and sends -2.97 to x."


def test_keys(load: Any) -> None:
    browser = load(join())
    at = "Number(document.getElementById('slider').value)"
    for key, where in (("ArrowRight", 1), ("ArrowRight", 2), ("ArrowLeft", 1), ("End", 8), ("ArrowRight", 8), ("Home", 0), ("ArrowLeft", 0)):
        browser.key(key)
        assert browser.js(at) == where, key
    before = browser.js("document.querySelector('.picture svg').getAttribute('viewBox')")
    browser.key("+")
    assert browser.js("document.querySelector('.picture svg').getAttribute('viewBox')") != before
    browser.key("?")
    assert browser.js("document.querySelector('dialog').open") and "next and previous step" in text(browser, "dialog")
    browser.key("Escape")
    assert not browser.js("document.querySelector('dialog').open")
    browser.key("/")
    assert browser.js("document.activeElement.id") == "query"


def test_playing_runs_to_the_end_and_can_be_stopped(load: Any) -> None:
    browser = load(join())
    browser.js("document.getElementById('speed').value = '5'")
    browser.key(" ")
    browser.wait("document.getElementById('slider').value > 1")
    browser.click("#play")
    assert browser.js("document.getElementById('play').getAttribute('aria-label')") == "Play (space)"
    browser.click("#play")
    browser.wait("document.getElementById('slider').value == 8")
    assert not browser.js("document.body.classList.contains('playing')")


def test_the_slider_goes_to_any_step(load: Any) -> None:
    browser = load(join())
    x, y = browser.place("#slider")
    browser.drag((x, y), (x + 300, y))
    assert browser.js(STEP)["phase"] == "backward"
    browser.click("#slider")
    assert browser.js(STEP)["at"] == "4"


def test_search_marks_and_jumps(load: Any) -> None:
    browser = load(PAGES["goldstein"]())
    browser.key("/")
    browser.type("sub")
    hits = browser.js("document.querySelectorAll('#stage .hit').length")
    assert hits == 5 and text(browser, "#hits") == f"0 of {hits}"
    for k in (1, 2):
        browser.key("Enter")
        assert text(browser, "#hits") == f"{k} of {hits}" and text(browser, "#card h2") == "Sub"
    browser.key("Enter", shift=True)
    assert text(browser, "#hits") == f"1 of {hits}"
    browser.picture(SHOTS / "search.png")
    browser.key("Escape")
    assert browser.js("document.querySelectorAll('#stage .hit').length") == 0 and browser.js("document.getElementById('card').hidden")
    browser.click("#query")
    browser.type("no such thing")
    assert text(browser, "#hits") == "nothing"


def test_zoom_and_pan(load: Any) -> None:
    browser = load(join())
    view = "document.querySelector('.picture svg').getAttribute('viewBox').split(' ').map(Number)"
    start = browser.js(view)
    x, y = browser.place("#stage")
    browser.wheel(x, y, -240)
    near = browser.js(view)
    assert near[2] < start[2] and abs(near[0] + near[2] / 2 - start[0] - start[2] / 2) < 1
    browser.drag((60, 300), (160, 340))
    moved = browser.js(view)
    scale = browser.js("document.getElementById('stage').clientWidth") / moved[2]
    assert moved[0] == pytest.approx(near[0] - 100 / scale, abs=0.5) and moved[1] == pytest.approx(near[1] - 40 / scale, abs=0.5)
    browser.click("#farther")
    assert browser.js(view)[2] == pytest.approx(moved[2] / 0.8)
    browser.click("#fit")
    assert browser.js(view) == start
    browser.drag((60, 300), (60_000, 300))
    assert -browser.js(view)[0] < browser.js(view)[2], "some of the picture stays in sight"


def test_two_fingers_zoom_and_one_moves(load: Any) -> None:
    browser = load(join(), 400, 800)
    view = "document.querySelector('.picture svg').getAttribute('viewBox').split(' ').map(Number)"
    start = browser.js(view)
    browser.touch([[(150, 200), (250, 200)], [(100, 200), (300, 200)]])
    near = browser.js(view)
    assert near[2] == pytest.approx(start[2] / 2, rel=0.05)
    browser.touch([[(200, 150)], [(200, 160)], [(200, 190)]])
    assert browser.js(view)[1] < near[1] and browser.js(view)[2] == near[2]
    browser.key("0")
    browser.touch([[browser.place("[data-node=f0]")]])
    browser.wait("!document.getElementById('card').hidden")
    assert text(browser, "#card h2") == "Sin", "a tap keeps the card open"


def test_a_card_tells_of_the_node_under_the_mouse(load: Any) -> None:
    y = net()
    graph, values = run_of(y)
    browser = load(y)
    W = next(v.id for v in graph.variables if v.name == "W")
    browser.move(*browser.place(f"[data-node={W}]"))
    card = text(browser, "#card")
    assert "parameter" in card and "(4, 5) float32" in card and "l0" in card and "mean" in card
    assert browser.js("document.querySelectorAll('#card .histogram').length") == 2
    assert not browser.js("document.getElementById('card').classList.contains('pinned')")
    browser.click(f"[data-node={W}]")
    numbers = "[...document.querySelectorAll('#card [data-card={}] [data-value]')].map((e) => e.dataset.value)"
    assert close(browser.js(numbers.format("value")), values.arrays[W]) and close(browser.js(numbers.format("grad")), values.gradients[W])
    browser.picture(SHOTS / "card.png")
    browser.move(30, 300)
    assert not browser.js("document.getElementById('card').hidden")
    browser.drag((30, 300), (30, 300))
    assert browser.js("document.getElementById('card').hidden")


def test_nodes_can_be_reached_by_keys(load: Any) -> None:
    browser = load(join())
    browser.js("document.querySelector('[data-node=f0]').focus({ focusVisible: true })")
    assert text(browser, "#card h2") == "Sin" and browser.js("document.activeElement.getAttribute('aria-label')").startswith("function Sin")
    browser.key("Enter")
    assert browser.js("document.getElementById('card').classList.contains('pinned')")
    browser.key("Tab")
    assert browser.js("document.activeElement.dataset.node") == "f1"


def test_a_double_click_goes_to_the_step(load: Any) -> None:
    browser = load(join())
    x, y = browser.place("[data-node=f1]")
    for count in (1, 2):
        for kind in ("mousePressed", "mouseReleased"):
            browser.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=count)
    assert browser.js(STEP)["id"] == "f1"


def test_what_to_look_at_is_listed_and_marked(load: Any) -> None:
    browser = load(strange())
    browser.click("#tab-look")
    shown = text(browser, "#sheet")
    assert "holds NaN" in shown and "is zero throughout" in shown and "is huge" in shown
    assert browser.js("document.querySelectorAll('#stage .badge.nan').length") > 2
    browser.click("#sheet li button")
    assert not browser.js("document.getElementById('card').hidden")
    browser.picture(SHOTS / "look-here.png")


def test_explanations_are_in_the_page(load: Any) -> None:
    browser = load(join())
    browser.click("#tab-explain")
    assert text(browser, "#target") == "x" and text(browser, "#sheet pre")
    browser.picture(SHOTS / "explain.png")


def test_lost_numbers_are_told(load: Any) -> None:
    browser = load(PAGES["freed"]())
    browser.key("ArrowRight")
    assert "not known" in text(browser, "#sheet")
    browser.click("#tab-notes")
    assert "keep_values" in text(browser, "#sheet")


@pytest.mark.parametrize(("reader", "language", "start"), [("ko-KR", "auto", "순전파"), ("de", "auto", "Forward"), ("en-US", "ko", "순전파"),
                                                           ("ko", "en", "Forward")])
def test_language(load: Any, reader: str, language: str, start: str) -> None:
    browser = load(join(), reader=reader, language=language)
    browser.key("ArrowRight")
    assert text(browser, "#said").startswith(start)
    browser.click("#language")
    assert not text(browser, "#said").startswith(start)
    lang = browser.js("document.documentElement.lang")
    assert lang == ("en" if start == "순전파" else "ko")
    browser.picture(SHOTS / f"language-{lang}.png")


def test_light_and_dark(load: Any) -> None:
    browser = load(join(), dark=True)
    colours = "[getComputedStyle(document.body).backgroundColor, getComputedStyle(document.querySelector('[data-node=f0] rect')).fill]"
    dark = browser.js(colours)
    browser.picture(SHOTS / "dark.png")
    browser.click("#theme")
    light = browser.js(colours)
    assert light[0] == "rgb(255, 255, 255)" and all(a != b for a, b in zip(dark, light, strict=True))
    browser.prefer(dark=False)
    assert browser.js(colours) == light
    for expected in (dark, light, dark):
        browser.click("#theme")
        assert browser.js(colours) == expected


@pytest.mark.parametrize("size", [(400, 800), (800, 600), (1280, 800), (2560, 1440), (3840, 2160)], ids=lambda s: f"{s[0]}x{s[1]}")
def test_all_fits_any_window_and_nothing_jumps(load: Any, size: tuple[int, int]) -> None:
    browser = load(net(), *size)
    boxes = f"['head', 'stage', 'player', 'panel'].map((id) => ({BOX})(document.getElementById(id)))"
    start = browser.js(boxes)
    for x, y, right, bottom in start:
        assert x >= 0 and y >= 0 and right <= size[0] and bottom <= size[1] and right - x > 300
    for step in range(browser.js("Number(document.getElementById('slider').max)")):
        browser.key("ArrowRight")
        assert browser.js(boxes) == start, f"the page moves at step {step}"
        if step == 10:
            browser.picture(SHOTS / f"{size[0]}x{size[1]}.png")
    outside = f"[...document.querySelectorAll('body *')].filter((e) => !e.closest('#stage, pre, .tables, .skip') && ({BOX})(e)[2] > innerWidth + 1)"
    assert browser.js(f"{outside}.map((e) => e.outerHTML.slice(0, 80))") == []
    for id_ in ("first", "play", "last", "query", "theme", "help", "fit"):
        assert browser.hit(*browser.place(f"#{id_}")) == id_, f"something lies over {id_}"


def test_a_collapsed_layer_is_one_step_and_can_be_opened(load: Any) -> None:
    y = net()
    graph, values = run_of(y)
    browser = load(y, collapse=True)
    steps = []
    for _ in range(browser.js("Number(document.getElementById('slider').max)")):
        browser.click("#next")
        steps.append(browser.js(STEP))
    assert [s["id"] for s in steps] == ["g0", "f2", "g1", "f4", "f5", "f6", "f6", "f5", "f4", "g1", "f2", "g0"]
    for step in steps:
        kept = values.arrays if step["phase"] == "forward" else values.gradients
        for rows in step["sections"][:2 if step["id"] != "f5" else 1]:  # f5 takes one variable twice and sends it two parts
            assert rows and all(close(shown, kept[v]) for v, shown in rows)
    assert close(steps[-1]["sections"][1][0][1], values.gradients["v0"])
    browser.key("Home")
    browser.click("#tab-layers")
    assert "Linear" in text(browser, "#sheet") and "1 function, 2 parameters (12 numbers)" in text(browser, "#sheet")
    browser.picture(SHOTS / "collapsed.png")
    browser.click("#open")
    assert browser.js("document.getElementById('slider').max") == str(2 * len(graph.functions))
    visible = "[...document.querySelectorAll('[data-node]')].filter((e) => e.getBoundingClientRect().width).length"
    assert browser.js(visible) == len(graph.nodes)
    browser.key("ArrowRight")
    browser.click("#tab-step")
    assert browser.js(STEP)["id"] == "f0"
    browser.picture(SHOTS / "opened.png")
    browser.click("#tab-layers")
    browser.click("#folded")
    assert browser.js("document.getElementById('slider').max") == "12"


def test_what_repeats_is_one_step_whose_gradients_still_add_up(load: Any) -> None:
    x = Variable(np.array(0.5), name="x")
    y = x
    for _ in range(20):
        y = F.sin(y) * x
    gradients = run_of(y)[1].gradients
    browser = load(y, fold=True)
    browser.key("End")
    assert close(browser.js(STEP)["sums"][0][2], gradients["v0"])
    parts = [float(numbers[0]) for _, numbers in browser.js(STEP)["sums"][0][1]]
    assert sum(parts) == pytest.approx(float(gradients["v0"]), rel=1e-12)
    browser.picture(SHOTS / "repeats.png")


def test_hostile_names_run_nothing(load: Any) -> None:
    names = [*HOSTILE, "<img src=x onerror=alert(1)>", "{{data}}", "javascript:alert(1)", "__proto__", "constructor"]
    y = None
    for name in names:
        x = Variable(np.array(1.0), name=name)
        y = x if y is None else y + F.sin(x)
    browser = load(y, title="</title><script>alert(1)</script>")
    for _ in range(2 * len(names)):
        browser.key("ArrowRight")
    for tab in ("explain", "notes", "step"):
        browser.click(f"#tab-{tab}")
    browser.key("/")
    browser.type("<img")
    browser.key("Enter")
    assert text(browser, "#card h2") == "<img src=x onerror=alert(1)>"
    assert browser.js("document.images.length") == 0 and browser.js("document.scripts.length") == 2
    assert text(browser, "#title") == "</title><script>alert(1)</script>"


def test_the_policy_stops_what_a_name_would_bring_in(browser: Browser, tmp_path: Path) -> None:
    path = to_html(join(), tmp_path / "graph.html")
    browser.open(path)
    browser.js("(() => { const s = document.createElement('script'); s.textContent = 'window.evil = 1'; document.body.append(s); })()")
    browser.js("(() => { const i = new Image(); i.src = 'http://127.0.0.1:9/x.png'; })()")
    assert browser.js("window.evil") is None
    assert len([c for c in browser.complaints if "Content Security Policy" in c]) == 2


def test_a_thousand_nodes_can_be_stepped_through(load: Any) -> None:
    y = deep(499)
    browser = load(y)
    assert browser.js("document.querySelectorAll('[data-node]').length") == 999
    start = time.monotonic()
    for _ in range(20):
        browser.key("ArrowRight")
    assert browser.js(STEP)["at"] == "20"
    assert time.monotonic() - start < 20, "a step must not take a second, however busy the machine is"
    now, stage = (browser.js(f"({BOX})(document.querySelector('{selector}'))") for selector in ("#stage .now", "#stage"))
    assert now[1] >= stage[1] and now[3] <= stage[3], "the node of the step is in sight"


def test_a_wide_net_at_its_largest(load: Any) -> None:
    browser = load(wide_net())
    browser.key("End")
    assert browser.js(STEP)["phase"] == "backward"
    browser.picture(SHOTS / "wide-net.png")
