"""The official sources, without a network."""

import errno
import http.client
import os
import socket
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import torch
import torchvision.datasets
from sets import Trap, jpeg, said
from test_fetch import refused_port

from tp_utils import data
from tp_utils.data import ImageSet, official, places
from tp_utils.data.fetch import FetchError
from tp_utils.runtime import atomic

pytestmark = pytest.mark.usefixtures("no_network", "cache")


def test_scenes_are_prepared_from_their_zip(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for split, label, value in (("train", "store", 10), ("train", "coast", 20), ("test", "store", 30)):
            archive.writestr(f"15SceneData/{split}/{label}/image_1.jpg", jpeg(value))
        archive.writestr("15SceneData/readme.txt", "words")
    scenes = ImageSet.from_arrays("scenes", official.scenes_from(tmp_path / "a.zip"))
    assert scenes.classes == ["coast", "store"] and scenes.train_images.shape == (2, 1, 224, 224)
    assert scenes.train_labels.tolist() == [0, 1] and scenes.test_labels.tolist() == [1]
    assert scenes.train_images[:, 0, 0, 0].tolist() == [20, 10] and scenes.test_images[0, 0, 0, 0] == 30


def test_photos_are_prepared_without_unpickling_the_label_map(tmp_path):
    sprung = tmp_path / "sprung"
    images = np.arange(2 * 4 * 4 * 3, dtype=np.uint8).reshape(2, 4, 4, 3)
    np.savez(tmp_path / "a.npz", X=images, y=np.array([967, 285]), label_map=np.array(Trap(sprung), object))
    photos = ImageSet.from_arrays("photos", official.photos_from(tmp_path / "a.npz"))
    assert not sprung.exists()
    assert [photos.classes[label] for label in photos.test_labels] == ["espresso", "Egyptian cat"]
    assert torch.equal(photos.test_images, torch.from_numpy(images).permute(0, 3, 1, 2))
    assert len(photos.train_images) == 0 and len(photos.classes) == 1000


class Library:
    """Stands for torchvision's CIFAR10 and OxfordIIITPet, or fails half-way as they do."""

    error = None
    classes = ("plane", "car")

    def __init__(self, folder, train=True, download=False):
        (Path(folder) / "archive.tar.gz").write_bytes(b"half")
        if self.error:
            raise self.error
        self.data, self.targets = np.zeros((4, 32, 32, 3), np.uint8), [0, 1, 1, 0]
        pets = Path(folder) / "oxford-iiit-pet"
        for name, value in (("Bengal_1", 255), ("boxer_2", 0)):  # a cat has a capital letter, a dog has not
            for part in ("images", "annotations/xmls"):
                (pets / part).mkdir(parents=True, exist_ok=True)
            (pets / "images" / f"{name}.jpg").write_bytes(jpeg(value))
            (pets / "annotations" / "xmls" / f"{name}.xml").write_text(
                "<annotation><object><bndbox><xmin>5</xmin><ymin>5</ymin><xmax>15</xmax><ymax>15</ymax>"
                "</bndbox></object></annotation>")


def lfw(data_home, **_):
    class People:
        images = np.full((3, 64, 64, 3), 1.0, np.float32)
        target, target_names = np.array([0, 1, 1]), np.array(["A", "B"])
    Library(data_home)
    return People


@pytest.fixture
def libraries(monkeypatch):
    for name, prepare in (("cifar10", official.prepare_cifar10), ("cats", official.prepare_cats),
                          ("lfw", official.prepare_lfw)):
        monkeypatch.setitem(official.PREPARE, name, prepare)
    monkeypatch.setattr(torchvision.datasets, "CIFAR10", Library)
    monkeypatch.setattr(torchvision.datasets, "OxfordIIITPet", Library)
    monkeypatch.setattr(sklearn.datasets, "fetch_lfw_people", lfw)


@pytest.mark.parametrize(("name", "train"), [("cifar10", (4, 3, 32, 32)), ("cats", (1, 3, 64, 64)),
                                             ("lfw", (3, 3, 64, 64))])
def test_what_the_libraries_download_is_prepared_and_only_that_is_kept(name, train, cache, libraries, capsys):
    images = places.find(name)
    assert images.train_images.shape == train and not images.sample
    assert len(said(capsys)) == 1
    if name != "cifar10":
        assert images.train_images.min() >= 254  # the cat, not the dog; faces in [0, 1] become [0, 255]
    assert sorted(p.name for p in cache.rglob("*") if p.is_file()) == [f"{name}.npz", f"{name}.npz.sha256"]


@pytest.mark.parametrize("error", [
    OSError(errno.ENOSPC, "No space left on device"), RuntimeError("File not found or corrupted."),
    http.client.IncompleteRead(b"half"), TimeoutError("timed out")], ids=lambda error: type(error).__name__)
def test_a_library_download_that_breaks_off_leaves_nothing(error, cache, libraries, monkeypatch, capsys):
    monkeypatch.setattr(Library, "error", error)
    before = socket.getdefaulttimeout()
    for name, line in (("cifar10", 0), ("cats", 0), ("faces", 1)):
        assert getattr(data, name)().sample
        assert "could not be downloaded" in said(capsys)[line]
    assert socket.getdefaulttimeout() == before
    assert not any(p.is_file() for p in cache.rglob("*"))


@pytest.mark.skipif(os.name != "posix", reason="processes are asked on POSIX only")
def test_what_a_killed_download_left_goes_at_the_next(cache, libraries, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(os, "getpid", lambda: 4194305)  # above Linux's highest: nobody's
        left = atomic.temporary_beside(cache / "downloads" / "CIFAR-10")
    left.mkdir(parents=True)
    (left / "archive.tar.gz").write_bytes(b"half")
    data.cifar10()
    assert list((cache / "downloads").iterdir()) == []


def test_offline_every_official_source_gives_up_within_two_seconds(monkeypatch, cache):
    url = f"http://127.0.0.1:{refused_port()}/file"
    monkeypatch.setattr(official, "SCENES", (url, "0" * 64))
    monkeypatch.setattr(official, "PHOTOS", (url, "0" * 64))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", url)
    monkeypatch.setattr(torchvision.datasets.OxfordIIITPet, "_RESOURCES", ((url, "0" * 32),))
    remote = sklearn.datasets._lfw.TARGETS[0]
    monkeypatch.setattr(sklearn.datasets._lfw, "TARGETS", (remote._replace(url=url),))
    monkeypatch.setattr(torchvision.datasets.CelebA, "file_list", [])
    for prepare in (official.prepare_scenes, official.prepare_photos, official.prepare_cifar10, official.prepare_cats,
                    official.prepare_lfw, official.prepare_faces, official.prepare_poster_cats):
        start = time.perf_counter()
        with pytest.raises(FetchError, match="TP_MIRROR"):
            prepare()
        assert time.perf_counter() - start < 2, prepare
    assert not any(p.is_file() for p in cache.rglob("*"))
