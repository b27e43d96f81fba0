"""The classroom mirror: made, listed, read in place or from an address."""

import subprocess
import time

import pytest
from sets import a_mirror, said, tiny, unreachable
from test_fetch import GOOD, PAGE, Server, digest, refused_port, silence

from tp_utils import data, nets
from tp_utils.authoring.mirror import export_mirror
from tp_utils.data import fetch as module
from tp_utils.data import official
from tp_utils.data.fetch import FetchError, from_mirror, mirror, sums, write_sums

pytestmark = pytest.mark.usefixtures("no_network", "cache")


# ---- making one


def test_export_writes_a_mirror_that_serves(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(nets, "NAMES", (nets.EMBEDDED,))
    for name in ("scenes", "cats"):
        monkeypatch.setitem(official.PREPARE, name, lambda: tiny("exported"))
    folder = tmp_path / "new" / "mirror"
    assert export_mirror(folder, data.NAMES) == ["cats.npz", "scenes.npz"]  # no samples, no MNIST
    assert sorted(p.name for p in folder.iterdir()) == ["SHA256SUMS", "cats.npz", "scenes.npz"]
    assert all(p.stat().st_mode & 0o044 == 0o044 for p in folder.iterdir())  # a web server may read them
    monkeypatch.setenv("TP_MIRROR", str(folder))
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "another cache"))
    for name in ("scenes", "cats"):
        monkeypatch.setitem(official.PREPARE, name, unreachable)
    said(capsys)
    assert data.scenes().source == data.cats().source == "exported"
    assert all(line.endswith("from the classroom mirror.") for line in said(capsys))


# ---- its list of hashes


def test_sums_are_read_as_sha256sum_and_its_cousins_write_them(tmp_path):
    (tmp_path / "f.npz").write_bytes(GOOD)
    write_sums(tmp_path, ["f.npz"])
    assert sums(str(tmp_path)) == {"f.npz": digest(GOOD)}
    command = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=tmp_path, capture_output=True, text=True)
    assert command.stdout == "f.npz: OK\n"
    text = f"# by hand\r\n{digest(PAGE).upper()} *./two words.npz\r\nnot a hash  g.npz\r\n"
    (tmp_path / "SHA256SUMS").write_text(text)
    assert sums(str(tmp_path)) == {"two words.npz": digest(PAGE)}


@pytest.mark.parametrize("content", [None, b"", PAGE, bytes(range(256))])
def test_a_mirror_without_usable_sums_says_how_to_make_one(tmp_path, content):
    if content is not None:
        (tmp_path / "SHA256SUMS").write_bytes(content)
    with Server(folder=str(tmp_path)) as server:
        for place in (str(tmp_path), server.url):
            with pytest.raises(FetchError, match=r"SHA256SUMS.*data export DIR"):
                sums(place)


def test_a_mirror_that_cannot_be_reached_or_is_silent(monkeypatch):
    monkeypatch.setattr(module, "TIMEOUT", 0.3)
    start = time.perf_counter()
    with pytest.raises(FetchError, match="cannot be reached"):
        sums(f"http://127.0.0.1:{refused_port()}")
    with Server({"/SHA256SUMS": silence}) as server, pytest.raises(FetchError, match="cannot be reached"):
        sums(server.url)
    assert time.perf_counter() - start < 2


def test_a_mirror_gives_only_the_file_with_the_hash_that_is_known(tmp_path, monkeypatch):
    (tmp_path / "f.pth").write_bytes(GOOD)
    write_sums(tmp_path, ["f.pth"])
    monkeypatch.setenv("TP_MIRROR", f"{tmp_path}/")
    assert from_mirror("g.pth", None) is None
    assert from_mirror("f.pth", None, digest(GOOD)[:8]) == tmp_path / "f.pth"
    with pytest.raises(FetchError, match="not the official file"):
        from_mirror("f.pth", None, "00000000")


# ---- where it is


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    for name in ("HOME", "USERPROFILE"):
        monkeypatch.setenv(name, str(tmp_path))
    a_mirror(tmp_path / "mirror")
    for place in ("~/mirror", "~/mirror/"):
        monkeypatch.setenv("TP_MIRROR", place)
        assert mirror() == str(tmp_path / "mirror")
        assert data.scenes().source == "the mirror"


@pytest.mark.parametrize(("value", "place"), [
    ("", None), ("https://example.org/~teacher/mirror/", "https://example.org/~teacher/mirror"),
    ("HTTP://example.org", "HTTP://example.org"), ("/srv/mirror", "/srv/mirror")])
def test_an_address_is_left_as_it_is(monkeypatch, value, place):
    monkeypatch.setenv("TP_MIRROR", value)
    assert mirror() == place


def test_a_home_that_nobody_has_is_said_and_the_course_goes_on(monkeypatch, capsys):
    monkeypatch.setenv("TP_MIRROR", "~no-such-user-here/mirror")
    assert data.faces().sample
    assert "TP_MIRROR=~no-such-user-here/mirror: there is no such home folder here" in said(capsys)[0]
