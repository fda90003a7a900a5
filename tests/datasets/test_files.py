"""Finding files: where they are looked for, what happens to bad ones, and what is said when there is none."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from dezero.datasets import files, get_file, lock
from dezero.datasets.files import Source, cache_folder, data_folders, obtain
from dezero.errors import DatasetError, FileFormatError
from tests.datasets.conftest import Web, status, whole

ROOT = Path(__file__).resolve().parents[2]
GOOD = b"the right bytes" * 100
HTML = b"\n<!DOCTYPE html><html><body>Sign in</body></html>"
SHA = hashlib.sha256(GOOD).hexdigest()


def read(path: Path) -> bytes:
    data = path.read_bytes()
    if data != GOOD:
        raise FileFormatError(f"{path}: wrong bytes")
    return data


def source(*urls: str, **settings: object) -> Source:
    return Source("Things", "things.bin", urls, 10_000, folders=("things",), **settings)  # type: ignore[arg-type]


def put(path: Path, data: bytes = GOOD) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("place", ["data/things", "data", "cache/dezero/things", "cache/dezero", "home/.dezero/things", "home/.dezero"])
def test_places(home: Path, monkeypatch: pytest.MonkeyPatch, place: str) -> None:
    monkeypatch.setenv("DEZERO_DATA", str(home / "data"))
    path = put(home / place / "things.bin")
    assert obtain(source(), read) == (path, GOOD)


def test_own_folder_comes_first(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(home / "cache/dezero/things/things.bin")
    path = put(home / "data/things.bin")
    monkeypatch.setenv("DEZERO_DATA", str(home / "data"))
    assert obtain(source(), read)[0] == path


def test_names_that_others_use_too_are_not_looked_for_in_the_data_folder_itself(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    put(home / "home/.dezero/things.bin")
    with pytest.raises(DatasetError):
        obtain(source(flat=False), read)


def test_cache_folder_by_system(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == home / "cache/dezero"
    monkeypatch.setenv("XDG_CACHE_HOME", "not/absolute")
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_folder() == home / "home/.cache/dezero"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_folder() == home / "home/Library/Caches/dezero"
    monkeypatch.setattr(sys, "platform", "win32")
    assert cache_folder() == home / "cache/dezero"
    assert data_folders()[-1] == home / "home/.dezero"


@pytest.mark.parametrize("extra", [{}, {"sha256": SHA}])
def test_fetched_once(home: Path, web: Web, extra: dict[str, str]) -> None:
    s = source(web.url("/x", whole(GOOD)), **extra)
    for _ in range(2):
        assert obtain(s, read) == (home / "cache/dezero/things/things.bin", GOOD)
    assert len(web.asked) == 1
    assert os.listdir(home / "cache/dezero/things") == ["things.bin"]


def test_goes_to_the_given_folder(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DEZERO_DATA", str(home / "data"))
    assert obtain(source(web.url("/x", whole(GOOD))), read)[0] == home / "data/things/things.bin"


def test_a_read_only_folder_is_left_alone(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "data").mkdir(mode=0o555)
    monkeypatch.setenv("DEZERO_DATA", str(home / "data"))
    assert obtain(source(web.url("/x", whole(GOOD))), read)[0] == home / "cache/dezero/things/things.bin"
    assert os.listdir(home / "data") == []


@pytest.mark.parametrize("bad", [status(403), status(404), whole(HTML), whole(b"wrong"), whole(b""), whole(GOOD + b"x"), whole(bytes(20_000))])
@pytest.mark.parametrize("extra", [{}, {"sha256": SHA}])
def test_the_next_mirror(home: Path, web: Web, bad: Callable[..., None], extra: dict[str, str]) -> None:
    urls = [web.url("/bad", bad), web.url("/good", whole(GOOD))]
    assert obtain(source(*urls, **extra), read)[1] == GOOD


def test_a_beginning_that_does_not_fit_is_thrown_away(home: Path, web: Web) -> None:
    put(home / "cache/dezero/things/things.bin.part", b"something else")
    assert obtain(source(web.url("/x", whole(GOOD))), read)[1] == GOOD
    assert [asked for _, asked in web.asked] == ["bytes=14-", None]


def test_a_beginning_is_not_resumed_where_no_hash_tells(home: Path, web: Web) -> None:
    put(home / "cache/dezero/things/things.bin.part", GOOD[:10])
    obtain(source(web.url("/x", whole(GOOD)), resume=False), read)
    assert [asked for _, asked in web.asked] == [None]


def test_a_bad_file_is_set_aside_and_fetched_again(home: Path, web: Web) -> None:
    path = put(home / "cache/dezero/things/things.bin", GOOD[:700])
    with pytest.warns(RuntimeWarning, match=r"things\.bin is damaged and was renamed to things\.bin\.bad"):
        assert obtain(source(web.url("/x", whole(GOOD))), read) == (path, GOOD)
    assert path.with_name("things.bin.bad").read_bytes() == GOOD[:700]


def test_a_bad_file_of_unknown_owner_is_passed_over(home: Path, web: Web) -> None:
    path = put(home / "home/.dezero/things.bin", b"another data set's")
    with pytest.warns(RuntimeWarning, match="passed over"):
        found = obtain(source(web.url("/x", whole(GOOD))), read)[0]
    assert path.exists()
    assert found == home / "cache/dezero/things/things.bin"
    assert obtain(source(), read)[0] == found


def test_no_mirror_works(home: Path, web: Web) -> None:
    s = source(web.url("/a", status(403)), web.url("/b", whole(HTML)))
    with pytest.raises(DatasetError) as caught:
        obtain(s, read)
    message = str(caught.value)
    assert "\n" not in message
    for words in ("Things", "things.bin", "403", "wrong bytes", str(home / "cache/dezero/things"), "DEZERO_DATA"):
        assert words in message
    assert not (home / "cache/dezero/things/things.bin").exists()


@pytest.mark.parametrize("there", [False, True])
def test_offline_says_which_file_to_put_where(home: Path, web: Web, monkeypatch: pytest.MonkeyPatch, there: bool) -> None:
    monkeypatch.setenv("DEZERO_OFFLINE", "1")
    s = source(web.url("/x", whole(GOOD)))
    if there:
        put(home / "cache/dezero/things/things.bin", b"bad")
    with pytest.raises(DatasetError, match="Things: things.bin is not here, and DEZERO_OFFLINE is set: get it from http") as caught:
        if there:
            with pytest.warns(RuntimeWarning, match="renamed"):
                obtain(s, read)
        else:
            obtain(s, read)
    assert str(home / "cache/dezero/things") in str(caught.value)
    assert "\n" not in str(caught.value)
    assert web.asked == []
    assert there or not (home / "cache").exists()


PROCESS = """
import sys
from pathlib import Path
from dezero.datasets import download, files
download._http_on_loopback = True
source = files.Source("Things", "things.bin", (sys.argv[1],), 10**6, folders=("things",))
print(len(files.obtain(source, Path.read_bytes)[1]))
"""


def test_eight_processes_make_one_download(home: Path, web: Web) -> None:
    url = web.url("/x", whole(GOOD, wait=0.5))
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    started = [subprocess.Popen([sys.executable, "-W", "error", "-c", PROCESS, url], env=env, stdout=subprocess.PIPE, text=True) for _ in range(8)]
    assert [p.communicate(timeout=60)[0].strip() for p in started] == [str(len(GOOD))] * 8
    assert len(web.asked) == 1
    assert os.listdir(home / "cache/dezero/things") == ["things.bin"]


def test_get_file(home: Path, web: Web) -> None:
    url = web.url("/a/zebra%20x.jpg?v=1", whole(GOOD))
    path = get_file(url)
    assert path == str(home / "cache/dezero/zebra x.jpg")
    assert Path(path).read_bytes() == GOOD
    assert get_file(url) == path
    assert get_file(url, "other.jpg", sha256=SHA.upper()).endswith("other.jpg")
    assert len(web.asked) == 2


def test_get_file_finds_the_book_s_cache(home: Path) -> None:
    path = put(home / "home/.dezero/vgg16.npz")
    assert get_file("https://example.org/vgg16.npz") == str(path)


def test_get_file_takes_no_web_page_for_a_file(home: Path, web: Web) -> None:
    url = web.url("/zebra.jpg", whole(HTML))
    with pytest.raises(DatasetError, match="web page"):
        get_file(url)
    assert not list((home / "cache/dezero").iterdir())
    assert get_file(url, "page.html").endswith("page.html")


def test_get_file_checks_the_hash(home: Path, web: Web) -> None:
    with pytest.raises(DatasetError, match="SHA-256"):
        get_file(web.url("/x.bin", whole(GOOD)), sha256="0" * 64)


@pytest.mark.parametrize("name", ["../x", "a/b", "a\\b", "", "..", "c:x", "x\0"])
def test_get_file_leaves_its_folder_never(home: Path, name: str) -> None:
    with pytest.raises(ValueError, match="plain name"):
        get_file("https://example.org/x", name)


def test_get_file_wants_a_name(home: Path) -> None:
    for url in ("https://example.org/", "https://example.org", "https://example.org/a%2Fb"):
        with pytest.raises(ValueError, match="pass file_name"):
            get_file(url)


def test_cache_dir_is_text() -> None:
    assert isinstance(files.cache_dir, str)


def test_a_lock_whose_file_was_removed_meanwhile_is_taken_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, calls, really = tmp_path / "x.lock", [], lock._lock

    def after_another(fd: int) -> None:
        if not calls:
            path.unlink()  # the process that had it before ends
        calls.append(fd)
        really(fd)

    monkeypatch.setattr(lock, "_lock", after_another)
    with lock.file_lock(path):
        assert len(calls) == 2 and path.exists()
    assert not path.exists()


def test_get_file_takes_no_empty_file(home: Path, web: Web) -> None:
    with pytest.raises(DatasetError, match="it is empty"):
        get_file(web.url("/a.bin", whole(b"")))


def test_get_file_of_an_address_with_blanks_and_hangul(home: Path, web: Web) -> None:
    web.pages["/%ED%95%9C%20b.bin"] = whole(b"abc")
    path = get_file(web.url("/한 b.bin", whole(b"abc")))
    assert Path(path).name == "한 b.bin" and web.asked[0][0] == "/%ED%95%9C%20b.bin"


def test_redirects_in_a_circle_are_told_in_one_line(home: Path, web: Web) -> None:
    url = web.url("/a.bin", status(302, Location="/a.bin"))
    with pytest.raises(DatasetError, match="302") as caught:
        get_file(url)
    assert "\n" not in str(caught.value)
