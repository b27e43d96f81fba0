"""Files that come through the fetcher are ordinary files; those that may not be read are named, and left alone."""

import os

import pytest
import torch
from sets import a_mirror, said, tiny
from test_fetch import GOOD, Server, digest, send
from torchvision.models import get_model

from tp_utils import data, nets
from tp_utils.data import official
from tp_utils.data.fetch import FetchError, fetch, verify, write_sums

pytestmark = [pytest.mark.usefixtures("no_network", "cache"),
              pytest.mark.skipif(os.name != "posix", reason="Windows has other permissions")]


@pytest.fixture
def umask():
    """A function that sets the process's umask for the rest of the test."""
    before = os.umask(0o022)
    yield os.umask
    os.umask(before)


def mode(path):
    return path.stat().st_mode & 0o777


@pytest.mark.parametrize(("mask", "expected"), [(0o022, 0o644), (0o027, 0o640), (0o002, 0o664), (0o077, 0o600)])
def test_what_is_fetched_and_prepared_has_the_permissions_of_any_new_file(
        cache, tmp_path, monkeypatch, umask, mask, expected):
    umask(mask)
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    with Server({"/f": send(GOOD)}) as server:
        assert mode(fetch(f"{server.url}/f", tmp_path / "new" / "f", digest(GOOD))) == expected
    with Server(folder=str(a_mirror(tmp_path / "mirror", "cats"))) as server:
        monkeypatch.setenv("TP_MIRROR", server.url)
        assert data.cats().source == "the mirror" and data.scenes().source == "the official source"
    assert {path.name: mode(path) for path in cache.iterdir()} == dict.fromkeys(
        ("cats.npz", "cats.npz.sha256", "scenes.npz", "scenes.npz.sha256"), expected)


def closed(path, content=GOOD):
    """A file that may not be read, though it could be removed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o200)
    return path


def opened(path):
    path.chmod(0o600)
    return path.read_bytes()


@pytest.mark.parametrize("content", [GOOD, b"damaged"])
def test_a_file_that_may_not_be_read_is_named_and_not_fetched_again(ordinary_user, content):
    path = closed(ordinary_user / "file.bin", content)
    with Server({"/f": send(GOOD)}) as server:
        for use in (lambda: fetch(f"{server.url}/f", path, digest(GOOD)), lambda: verify(path, digest(GOOD))):
            with pytest.raises(FetchError, match=r"file\.bin may not be read by you, and was left as it is") as caught:
                use()
            assert "\n" not in str(caught.value)
        assert server.asked == []
    assert opened(path) == content and [p.name for p in ordinary_user.iterdir()] == ["file.bin"]


def test_a_folder_that_may_not_be_written_is_said_before_anything_is_fetched(ordinary_user):
    folder = ordinary_user / "folder"
    folder.mkdir(mode=0o555)
    with Server({"/f": send(GOOD)}) as server:
        with pytest.raises(FetchError, match=r"cannot be written \(Permission denied.*TP_CACHE"):
            fetch(f"{server.url}/f", folder / "f", digest(GOOD))
        assert server.asked == []


@pytest.mark.parametrize("file", ["scenes.npz", "scenes.npz.sha256"])
def test_a_prepared_set_that_may_not_be_read_is_named_and_the_course_goes_on(
        ordinary_user, cache, monkeypatch, capsys, file):
    monkeypatch.setitem(official.PREPARE, "scenes", lambda: tiny("before"))
    data.scenes()
    before = (cache / file).read_bytes()
    (cache / file).chmod(0o200)
    said(capsys)
    monkeypatch.setitem(official.PREPARE, "scenes", lambda: tiny("the official source"))
    assert data.scenes().source == "the official source"
    problem, not_kept, found = said(capsys)
    assert problem.startswith("scenes: nothing from the cache (") and file in problem
    assert not_kept.startswith("scenes: not kept") and file in not_kept
    assert found.endswith("from the official source.")
    assert opened(cache / file) == before


def test_kept_weights_that_may_not_be_read_are_named_once_and_left_alone(ordinary_user, cache, monkeypatch, capsys):
    monkeypatch.setattr(nets, "official_url", lambda name: "http://127.0.0.1:9/tiny-0123abcd.pth")
    path = closed(cache / "networks" / "tiny-0123abcd.pth")
    assert nets.pretrained("squeezenet1_0").name == nets.EMBEDDED
    absent, _ = said(capsys)
    assert absent.count("tiny-0123abcd.pth may not be read") == 1 and "takes its place" in absent
    assert opened(path) == GOOD


def test_a_mirrors_file_that_may_not_be_read_is_named(ordinary_user, monkeypatch, capsys):
    mirror = a_mirror(ordinary_user / "mirror")
    monkeypatch.setenv("TP_MIRROR", str(mirror))
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    (mirror / "scenes.npz").chmod(0o200)
    assert data.scenes().source == "the official source"
    assert "scenes.npz may not be read by you" in said(capsys)[0]


# ---- a mirror in a folder needs no cache


def read_only(folder):
    folder.mkdir()
    folder.chmod(0o555)
    return folder / "cache"


def no_folder(folder):
    folder.write_text("in the way")
    return folder


@pytest.mark.parametrize("cache_at", [read_only, no_folder])
def test_a_mirror_folder_serves_where_no_cache_can_be(ordinary_user, monkeypatch, capsys, cache_at):
    torch.manual_seed(0)
    mirror = a_mirror(ordinary_user / "mirror")
    torch.save(get_model("squeezenet1_0", weights=None).state_dict(), mirror / "new.pth")
    weights = (mirror / "new.pth").rename(mirror / f"tiny-{digest((mirror / 'new.pth').read_bytes())[:8]}.pth")
    write_sums(mirror, ["scenes.npz", weights.name])
    mirror.chmod(0o555)
    monkeypatch.setattr(nets, "official_url", lambda name: f"http://127.0.0.1:9/{weights.name}")
    monkeypatch.setenv("TP_CACHE", str(cache_at(ordinary_user / "place")))
    monkeypatch.setenv("TP_MIRROR", str(mirror))
    assert data.scenes().source == "the mirror"
    assert nets.pretrained("squeezenet1_0", fallback=False).name == "squeezenet1_0"
    assert "scenes: 6 train + 2 test images, from the classroom mirror." in said(capsys)
    mirror.chmod(0o755)
    (mirror / "scenes.npz").write_bytes(b"damaged")  # it is verified all the same
    assert data.scenes().sample
    assert "scenes.npz is damaged" in capsys.readouterr().out
    assert sorted(path.name for path in ordinary_user.iterdir() if path.name != "place") == ["mirror"]
