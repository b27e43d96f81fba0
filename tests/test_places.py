"""Where images come from: cache, mirror, official source, sample; said in one line."""

import errno
import re
import time

import numpy as np
import pytest
import torch
from sets import a_mirror, said, tiny, unreachable
from test_fetch import PAGE, Server, refused_port

from tp_utils import data
from tp_utils.data import official, places
from tp_utils.data.fetch import write_sums

pytestmark = pytest.mark.usefixtures("no_network", "cache")


def test_the_official_set_is_prepared_kept_and_then_taken_from_the_cache(cache, monkeypatch, capsys):
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    assert places.where("scenes") == "from the official source, or else the built-in sample"
    first = data.scenes()
    assert said(capsys) == ["scenes: 6 train + 2 test images, from the official source."]
    assert sorted(p.name for p in cache.iterdir()) == ["scenes.npz", "scenes.npz.sha256"]
    monkeypatch.setitem(official.PREPARE, "scenes", unreachable)
    assert places.where("scenes") == "prepared before (cache)"
    second = data.scenes()
    assert said(capsys) == ["scenes: 6 train + 2 test images, prepared before (cache)."]
    assert torch.equal(first.train_images, second.train_images) and str(first) == str(second)
    assert not first.sample and not second.sample


def test_a_mirror_folder_is_read_in_place(tmp_path, cache, monkeypatch, capsys):
    monkeypatch.setenv("TP_MIRROR", str(a_mirror(tmp_path / "mirror")))
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    assert places.where("scenes") == "from the classroom mirror"
    assert data.scenes().source == "the mirror"
    assert said(capsys) == ["scenes: 6 train + 2 test images, from the classroom mirror."]
    assert not cache.exists()


def test_a_mirror_at_an_address_is_asked_once_then_the_cache_serves(tmp_path, cache, monkeypatch, capsys):
    with Server(folder=str(a_mirror(tmp_path / "mirror"))) as server:
        monkeypatch.setenv("TP_MIRROR", server.url + "/")
        assert places.where("scenes") == "from the classroom mirror"
        assert data.scenes().source == data.scenes().source == "the mirror"
        assert server.asked.count("/scenes.npz") == 1
    assert said(capsys) == ["scenes: 6 train + 2 test images, from the classroom mirror.",
                            "scenes: 6 train + 2 test images, prepared before (cache)."]
    assert sorted(p.name for p in cache.iterdir()) == ["scenes.npz", "scenes.npz.sha256"]


def test_the_cache_comes_before_the_mirror(tmp_path, monkeypatch):
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    data.scenes()
    monkeypatch.setenv("TP_MIRROR", str(a_mirror(tmp_path / "mirror")))
    assert data.scenes().source == "the official source"


@pytest.mark.parametrize("at_an_address", [False, True])
def test_a_damaged_mirror_file_is_said_and_the_course_goes_on(
        tmp_path, cache, monkeypatch, capsys, at_an_address):
    file = a_mirror(tmp_path / "mirror") / "scenes.npz"
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    with Server(folder=str(file.parent)) as server:
        monkeypatch.setenv("TP_MIRROR", server.url if at_an_address else str(file.parent))
        assert data.scenes().source == "the official source"
    problem, found = said(capsys)
    assert problem.startswith("scenes: nothing from the classroom mirror (") and "SHA-256" in problem
    assert found == "scenes: 6 train + 2 test images, from the official source."
    assert sorted(p.name for p in cache.iterdir()) == ["scenes.npz", "scenes.npz.sha256"]


def a_missing_file(folder):
    (folder / "scenes.npz").unlink()


def no_sums(folder):
    (folder / "SHA256SUMS").unlink()


def no_zip(folder):
    (folder / "scenes.npz").write_bytes(b"PK\x03\x04" + PAGE)
    write_sums(folder, ["scenes.npz"])


def no_set(folder):
    np.savez(folder / "scenes.npz", train_images=np.zeros(3))
    write_sums(folder, ["scenes.npz"])


def no_images(folder):
    np.savez(folder / "scenes.npz", **{**tiny(), "train_images": np.array(["words"])})
    write_sums(folder, ["scenes.npz"])


@pytest.mark.parametrize("at_an_address", [False, True])
@pytest.mark.parametrize("spoil", [a_missing_file, no_sums, no_zip, no_set, no_images])
def test_a_spoilt_mirror_is_said_with_the_reason(tmp_path, monkeypatch, capsys, spoil, at_an_address):
    spoil(a_mirror(tmp_path / "mirror"))
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    with Server(folder=str(tmp_path / "mirror")) as server:
        monkeypatch.setenv("TP_MIRROR", server.url if at_an_address else str(tmp_path / "mirror"))
        assert data.scenes().source == "the official source"
    problem, _ = said(capsys)
    assert re.match(r"scenes: nothing from the classroom mirror \(.*(scenes.npz|SHA256SUMS).*\)\.", problem)


def test_a_mirror_without_the_set_is_passed_over_in_silence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TP_MIRROR", str(a_mirror(tmp_path / "mirror")))
    monkeypatch.setitem(official.PREPARE, "cats", tiny)
    assert data.cats().source == "the official source"
    assert len(said(capsys)) == 1


def test_a_mirror_that_is_not_there_costs_little_time(monkeypatch, capsys):
    monkeypatch.setenv("TP_MIRROR", f"http://127.0.0.1:{refused_port()}")
    start = time.perf_counter()
    assert "or else" in places.where("cifar10")
    assert data.cifar10().sample
    assert time.perf_counter() - start < 2
    assert "mirror (127.0.0.1" in said(capsys)[0]


@pytest.mark.parametrize(("file", "content"), [
    ("scenes.npz", b"damaged"), ("scenes.npz.sha256", b""), ("scenes.npz.sha256", b"\xff" * 64)])
def test_a_damaged_cache_is_said_and_replaced(cache, monkeypatch, capsys, file, content):
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    data.scenes()
    (cache / file).write_bytes(content)
    said(capsys)
    assert data.scenes().source == "the official source"
    problem, found = said(capsys)
    assert problem.startswith("scenes: nothing from the cache (") and "SHA-256" in problem
    assert found.endswith("from the official source.")
    data.scenes()
    assert said(capsys) == ["scenes: 6 train + 2 test images, prepared before (cache)."]


def test_a_set_in_the_cache_without_its_hash_is_not_trusted(cache, monkeypatch):
    cache.mkdir()
    a_mirror(cache, source="who knows")
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    assert data.scenes().source == "the official source"


def test_with_a_full_disk_the_images_are_there_all_the_same(cache, monkeypatch, capsys):
    def full(file, **arrays):
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    monkeypatch.setitem(official.PREPARE, "scenes", tiny)
    assert data.scenes().source == "the official source"
    problem, _ = said(capsys)
    assert "not kept" in problem and "No space left" in problem and "TP_CACHE" in problem
    assert list(cache.iterdir()) == []


def test_a_cache_that_cannot_be_written_does_not_stop_the_course(tmp_path, monkeypatch, capsys):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "file" / "cache"))
    assert data.cifar10().sample
    assert "Not a directory" in said(capsys)[0]
