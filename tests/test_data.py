"""What needs no network: the embedded data, and the built-in samples, never passed off as the real sets."""

import hashlib
import re
import time
from pathlib import Path

import numpy as np
import pytest
import torch
from sets import DOWNLOADED, said
from test_fetch import digest

from tp_utils import data
from tp_utils.data import ImageSet, embedded, places, samples
from tp_utils.data.fetch import FetchError, sums
from tp_utils.data.imageset import SAMPLE

pytestmark = pytest.mark.usefixtures("no_network", "cache")
REPOSITORY = Path(__file__).resolve().parent.parent
MD5 = {  # of MNIST's files, uncompressed
    "train images": "6bbc9ace898e44ae57da46a324031adb", "train labels": "a25bea736e30d166cdddb491f175f624",
    "test images": "2646ac647ad5339dbf082846283269ea", "test labels": "27ae3e4e09519cfbb04c329615203637",
}


# ---- embedded


def test_mnist_is_whole_and_says_so_in_one_line(capsys):
    mnist = data.mnist()
    assert said(capsys) == ["mnist: 60,000 train + 10,000 test images, embedded."]
    assert mnist.train_images.shape == (60_000, 1, 28, 28) and mnist.test_images.shape == (10_000, 1, 28, 28)
    assert mnist.train_labels.shape == (60_000,) and mnist.test_labels.shape == (10_000,)
    assert mnist.train_images.dtype == torch.uint8 and mnist.train_labels.dtype == torch.int64
    assert mnist.classes == list("0123456789") and not mnist.sample
    assert "LeCun" in mnist.source and mnist.licence == "CC BY-SA 3.0"
    idx = {  # header of the IDX file, content
        "train images": ((0x803, 60_000, 28, 28), mnist.train_images),
        "train labels": ((0x801, 60_000), mnist.train_labels),
        "test images": ((0x803, 10_000, 28, 28), mnist.test_images),
        "test labels": ((0x801, 10_000), mnist.test_labels),
    }
    for what, (header, content) in idx.items():
        file = np.array(header, ">u4").tobytes() + content.numpy().astype(np.uint8).tobytes()
        assert hashlib.md5(file).hexdigest() == MD5[what]


def test_mnist_loads_in_under_a_second():
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        data.mnist()
        seconds.append(time.perf_counter() - start)
    assert min(seconds) < 1


def test_a_damaged_embedded_file_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(embedded, "EMBEDDED", tmp_path)
    (tmp_path / "mnist").mkdir()
    for line in (REPOSITORY / "data" / "SHA256SUMS").read_text().splitlines():
        (tmp_path / line.split()[1]).write_bytes(b"damaged")
    (tmp_path / "SHA256SUMS").write_bytes((REPOSITORY / "data" / "SHA256SUMS").read_bytes())
    with pytest.raises(FetchError, match=r"ubyte\.gz is damaged"):
        data.mnist()


def test_the_embedded_files_their_hashes_and_the_readme_agree():
    folder = REPOSITORY / "data"
    listed = sums(str(folder))
    files = [f for f in folder.rglob("*") if f.suffix in (".gz", ".safetensors") and "cache" not in f.parts]
    assert sorted(listed) == sorted(f.relative_to(folder).as_posix() for f in files)
    readme = (folder / "README.md").read_text()
    for name, sha256 in listed.items():
        assert digest((folder / name).read_bytes()) == sha256
        assert re.search(rf"`{name}`.*`{sha256}`", readme)
    assert all(f"| {what} | `{md5}` |" in readme for what, md5 in MD5.items())


# ---- built-in samples


@pytest.mark.parametrize("name", DOWNLOADED)
def test_without_a_network_a_sample_stands_in_and_is_named_so(name, cache, capsys):
    sample = getattr(data, name)()
    why, *others, found = said(capsys)
    assert why == f"{name}: nothing from the official source (example.org cannot be reached)."
    other = places.OTHER.get(name)
    assert others == ([f"{other}: nothing from the official source (example.org cannot be reached)."] if other else [])
    assert found.startswith(f"{name}: ") and "NOT the real set: a built-in sample stands in" in found
    assert sample.sample and SAMPLE in str(sample) and sample.name == name
    assert len(sample.train_images) + len(sample.test_images) >= 7
    assert sample._repr_html_().startswith("<figure")
    shape = {"scenes": (1, 224, 224), "photos": (3, 224, 224), "cats": (3, 64, 64), "cifar10": (3, 32, 32),
             "faces": (3, 64, 64), "poster_cats": (3, 64, 64)}[name]
    assert sample.train_images.shape[1:] == sample.test_images.shape[1:] == shape
    assert not any(p.is_file() for p in cache.rglob("*"))  # never kept
    assert getattr(data, name)().sample and places.where(name).startswith("from the official source")


def test_samples_come_out_the_same_every_time():
    for name in ("scenes", "cats"):
        one, two = samples.MAKE[name](), samples.MAKE[name]()
        assert np.array_equal(one["train_images"], two["train_images"])


def test_the_sample_scenes_train_and_test_crops_come_from_disjoint_halves(monkeypatch):
    def photograph(name):
        image = np.zeros((700, 801, 3), np.uint8)
        image[:, :400] = 90  # the left half
        image[:, 400:] = 200
        return image

    monkeypatch.setattr(samples, "photograph", photograph)
    scenes = samples.make_scenes(per_class=(30, 30))
    assert abs(scenes["train_images"].astype(int) - 90).max() <= 1
    assert abs(scenes["test_images"].astype(int) - 200).max() <= 1


def test_the_sample_scenes_hold_every_class_and_share_no_image_between_the_splits():
    scenes = ImageSet.from_arrays("scenes", samples.make_scenes(), sample=True)
    for labels in (scenes.train_labels, scenes.test_labels):
        assert torch.bincount(labels).tolist() == [40] * 10
    train, test = ({digest(image.numpy().tobytes()) for image in images}
                   for images in (scenes.train_images, scenes.test_images))
    assert train.isdisjoint(test)
