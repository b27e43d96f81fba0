"""Where images come from: cache, mirror, official source, sample; said in one line, never passed off."""

import base64
import errno
import hashlib
import http.client
import io
import re
import socket
import time
import zipfile
from pathlib import Path

import numpy as np
import pytest
import sklearn.datasets
import torch
import torchvision.datasets
from PIL import Image
from test_fetch import PAGE, Server, digest, refused_port

from tp_utils import data, nets
from tp_utils.authoring.mirror import export
from tp_utils.data import ImageSet, embedded, official, places, samples
from tp_utils.data.fetch import FetchError, sums, write_sums
from tp_utils.data.imageset import SAMPLE

REPOSITORY = Path(__file__).resolve().parent.parent
MD5 = {  # of MNIST's files, uncompressed
    "train images": "6bbc9ace898e44ae57da46a324031adb", "train labels": "a25bea736e30d166cdddb491f175f624",
    "test images": "2646ac647ad5339dbf082846283269ea", "test labels": "27ae3e4e09519cfbb04c329615203637",
}
DOWNLOADED = ("scenes", "photos", "cats", "poster_cats", "cifar10", "faces")


@pytest.fixture(autouse=True)
def no_network(monkeypatch):
    """Looking up any host but this machine is noted, refused, and fails the test."""
    asked, ask = [], socket.getaddrinfo

    def getaddrinfo(host, *rest, **options):
        if host not in ("127.0.0.1", "localhost"):
            asked.append(host)
            raise socket.gaierror(socket.EAI_AGAIN, "no network in tests")
        return ask(host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield
    assert asked == []


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, no mirror, no official source."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TP_MIRROR", raising=False)
    for name in official.PREPARE:
        monkeypatch.setitem(official.PREPARE, name, unreachable)
    return tmp_path / "cache"


def unreachable():
    raise FetchError("example.org cannot be reached")


def tiny(source="the official source", count=6):
    """A small set as official.PREPARE returns it."""
    images = np.random.default_rng(0).integers(0, 256, (count, 8, 10, 3), np.uint8)
    return {"train_images": images, "train_labels": np.arange(count) % 2, "test_images": images[:2],
            "test_labels": [0, 1], "classes": ["left", "right"], "source": source, "licence": "CC0"}


def a_mirror(folder, name="scenes", source="the mirror"):
    """A mirror folder with one tiny set."""
    folder.mkdir(exist_ok=True)
    places.save(ImageSet.from_arrays(name, tiny(source)), folder / f"{name}.npz")
    write_sums(folder, [f"{name}.npz"])
    return folder


def said(capsys):
    return capsys.readouterr().out.splitlines()


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


# ---- how a set shows itself


def test_a_set_shows_its_sizes_classes_source_and_licence():
    assert str(ImageSet.from_arrays("toy", tiny())).splitlines() == [
        "toy: 6 train + 2 test images, 3 × 8 × 10", "2 classes: left, right",
        "source: the official source", "licence: CC0"]


def test_a_sample_is_named_as_such_in_text_and_html():
    sample = ImageSet.from_arrays("toy", tiny(), sample=True)
    assert SAMPLE in str(sample).splitlines()[0] and SAMPLE in repr(sample) and SAMPLE in sample._repr_html_()
    assert "sample" in SAMPLE and "not the real" in SAMPLE


def test_html_is_escaped_and_its_gallery_is_a_png():
    arrays = {**tiny("<script>alert(1)</script> & more"), "classes": ["<b>", '"']}
    page = ImageSet.from_arrays('"><script>', arrays)._repr_html_()
    assert "<script" not in page and "&lt;b&gt;" in page and "&amp; more" in page
    png = base64.b64decode(re.search(r'src="data:image/png;base64,([^"]+)"', page)[1])
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG" and picture.size == (6 * 94 - 4, 72)


def test_the_gallery_shows_every_class_and_takes_grey_test_only_and_empty_sets():
    arrays = tiny()
    colours = np.zeros((6, 8, 8, 3), np.uint8)
    colours[np.arange(6) % 2 == 0, ..., 0] = colours[np.arange(6) % 2 == 1, ..., 2] = 255
    arrays = {**arrays, "train_images": colours}
    row = np.asarray(Image.open(io.BytesIO(ImageSet.from_arrays("toy", arrays).gallery())))[36, 36::76]
    assert row.tolist() == [[255, 0, 0]] * 3 + [[0, 0, 255]] * 3
    grey = {**arrays, "train_images": colours[:0, ..., 0], "train_labels": [],
            "test_images": colours[:2, ..., 0]}
    test_only = ImageSet.from_arrays("toy", grey)
    assert "0 train + 2 test images, 1 × 8 × 8" in str(test_only)
    assert Image.open(io.BytesIO(test_only.gallery())).size == (2 * 76 - 4, 72)
    empty = {**grey, "test_images": colours[:0], "test_labels": []}
    assert Image.open(io.BytesIO(ImageSet.from_arrays("toy", empty).gallery())).height == 72


@pytest.mark.parametrize(("change", "message"), [
    ({"train_images": np.zeros((6, 8, 8, 3), np.float32)}, "train_images must be uint8"),
    ({"train_images": np.zeros((6, 8), np.uint8)}, "train_images must be uint8"),
    ({"test_images": np.zeros((2, 8, 8, 1, 3), np.uint8)}, "test_images must be uint8"),
    ({"test_images": np.zeros((2, 8, 8, 4), np.uint8)}, r"1 or 3, H, W\], not torch.uint8 \[2, 4, 8, 8\]"),
    ({"train_labels": [0, 1]}, r"train_labels must be int64 \[6\]"),
    ({"test_labels": [0, 2]}, "test_labels must lie in 0 … 1, not in 0 … 2"),
    ({"test_labels": [-1, 0]}, "not in -1 … 0"),
])
def test_a_set_that_contradicts_itself_is_refused(change, message):
    with pytest.raises(ValueError, match=f"toy: .*{message}"):
        ImageSet.from_arrays("toy", {**tiny(), **change})


# ---- other sizes


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("size", [32, 28, 13, 8])
def test_resized_images_are_those_of_pil(size, channels):
    images = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (6, channels, 28, 30), np.uint8))
    images[0], images[1] = 0, 255
    before = images.clone()
    found = data.resized(images, size)
    assert torch.equal(images, before)
    assert found.shape == (6, channels, size, size) and found.dtype == torch.uint8
    expected = np.stack([[np.asarray(Image.fromarray(channel.numpy()).resize((size, size), Image.Resampling.BILINEAR))
                          for channel in image] for image in images])
    apart = (found.int() - torch.from_numpy(expected).int()).abs()
    assert apart.max() <= 1 and (apart == 0).float().mean() > 0.8
    assert (found[0] == 0).all() and (found[1] == 255).all()


def test_resized_images_in_several_parts_keep_their_order():
    images = (torch.arange(10_003) % 251).byte()[:, None, None, None].expand(-1, 1, 3, 3)
    found = data.resized(images, 2)
    assert torch.equal(found, images[:, :, :2, :2])


def test_images_that_have_the_size_already_are_left_alone():
    images = torch.zeros(2, 1, 8, 8, dtype=torch.uint8)
    assert data.resized(images, 8) is images


@pytest.mark.parametrize("grey", [False, True])
def test_the_prepared_form_comes_back_the_same_and_holds_no_pickles(tmp_path, grey):
    arrays = tiny()
    if grey:
        arrays = {**arrays, **{f"{s}_images": arrays[f"{s}_images"][..., 0] for s in ("train", "test")}}
    before = ImageSet.from_arrays("toy", arrays)
    places.save(before, tmp_path / "toy.npz")
    with np.load(tmp_path / "toy.npz", allow_pickle=False) as held:
        assert all(held[key].dtype != object for key in held.files)
        assert held["train_images"].shape == arrays["train_images"].shape
        assert held["train_labels"].dtype == np.int64
    after = places.load("toy", tmp_path / "toy.npz")
    for split in ("train_images", "train_labels", "test_images", "test_labels"):
        assert torch.equal(getattr(after, split), getattr(before, split))
        assert getattr(after, split).is_contiguous()
    assert str(after) == str(before)


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_prepared_set_is_never_unpickled(tmp_path):
    sprung = tmp_path / "sprung"
    np.savez(tmp_path / "toy.npz", **{**tiny(), "classes": np.array([Trap(sprung)], object)})
    with pytest.raises(FetchError, match="not a prepared data set"):
        places.load("toy", tmp_path / "toy.npz")
    assert not sprung.exists()


# ---- the order: cache, mirror, official source, sample


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
    assert list(cache.iterdir()) == []


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
    scenes = samples.scenes(per_class=(30, 30))
    assert abs(scenes["train_images"].astype(int) - 90).max() <= 1
    assert abs(scenes["test_images"].astype(int) - 200).max() <= 1


def test_the_sample_scenes_hold_every_class_and_share_no_image_between_the_splits():
    scenes = ImageSet.from_arrays("scenes", samples.scenes(), sample=True)
    for labels in (scenes.train_labels, scenes.test_labels):
        assert torch.bincount(labels).tolist() == [40] * 10
    train, test = ({digest(image.numpy().tobytes()) for image in images}
                   for images in (scenes.train_images, scenes.test_images))
    assert train.isdisjoint(test)


# ---- the official sources, without a network


def jpeg(value):
    out = io.BytesIO()
    Image.new("RGB", (30, 20), (value,) * 3).save(out, "JPEG")
    return out.getvalue()


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
    for name, prepare in (("cifar10", official.cifar10), ("cats", official.cats), ("lfw", official.prepare_lfw)):
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


def test_offline_every_official_source_gives_up_within_two_seconds(monkeypatch, cache):
    url = f"http://127.0.0.1:{refused_port()}/file"
    monkeypatch.setattr(official, "SCENES", (url, "0" * 64))
    monkeypatch.setattr(official, "PHOTOS", (url, "0" * 64))
    monkeypatch.setattr(torchvision.datasets.CIFAR10, "url", url)
    monkeypatch.setattr(torchvision.datasets.OxfordIIITPet, "_RESOURCES", ((url, "0" * 32),))
    remote = sklearn.datasets._lfw.TARGETS[0]
    monkeypatch.setattr(sklearn.datasets._lfw, "TARGETS", (remote._replace(url=url),))
    monkeypatch.setattr(torchvision.datasets.CelebA, "file_list", [])
    for prepare in (official.scenes, official.photos, official.cifar10, official.cats, official.prepare_lfw,
                    official.prepare_faces, official.prepare_poster_cats):
        start = time.perf_counter()
        with pytest.raises(FetchError, match="TP_MIRROR"):
            prepare()
        assert time.perf_counter() - start < 2, prepare
    assert not any(p.is_file() for p in cache.rglob("*"))


# ---- making a mirror


def test_export_writes_a_mirror_that_serves(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(nets, "NAMES", (nets.EMBEDDED,))
    for name in ("scenes", "cats"):
        monkeypatch.setitem(official.PREPARE, name, lambda: tiny("exported"))
    folder = tmp_path / "new" / "mirror"
    assert export(folder, data.NAMES) == ["cats.npz", "scenes.npz"]  # no samples, no MNIST
    assert sorted(p.name for p in folder.iterdir()) == ["SHA256SUMS", "cats.npz", "scenes.npz"]
    assert all(p.stat().st_mode & 0o044 == 0o044 for p in folder.iterdir())  # a web server may read them
    monkeypatch.setenv("TP_MIRROR", str(folder))
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "another cache"))
    for name in ("scenes", "cats"):
        monkeypatch.setitem(official.PREPARE, name, unreachable)
    said(capsys)
    assert data.scenes().source == data.cats().source == "exported"
    assert all(line.endswith("from the classroom mirror.") for line in said(capsys))


# ---- pictures of one's own


def save_picture(path, colour, size=(90, 60)):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, colour).save(path)


def test_a_folder_of_pictures_is_a_set_of_squares(tmp_path, capsys):
    save_picture(tmp_path / "b.PNG", (0, 200, 0))
    save_picture(tmp_path / "a" / "one.jpg", (200, 0, 0), (20, 30))
    Image.new("L", (10, 10), 77).save(tmp_path / "c.webp")
    (tmp_path / "notes.txt").write_text("no picture")
    images = data.cats(tmp_path)
    assert images.train_images.shape == (3, 3, 64, 64) and len(images.test_images) == 0 and not images.sample
    means = images.train_images.float().mean((2, 3))
    assert means[0, 0] > 190 and means[1, 1] == 200 and (means[2] - 77).abs().max() < 3
    assert "from your folder" in capsys.readouterr().out


def test_the_middle_of_a_picture_is_kept(tmp_path):
    wide = np.zeros((64, 192, 3), np.uint8)
    wide[:, 64:128] = 255
    Image.fromarray(wide).save(tmp_path / "wide.png")
    assert (data.cats(str(tmp_path)).train_images == 255).all()


def test_sixteen_bits_are_scaled_and_hidden_files_are_left_alone(tmp_path):
    Image.fromarray(np.full((8, 8), 30000, np.uint16)).save(tmp_path / "deep.png")
    (tmp_path / "._deep.png").write_bytes(b"what macOS leaves on a memory stick")
    assert data.cats(tmp_path).train_images.unique().tolist() == [round(30000 / 257)]


@pytest.mark.parametrize(("make", "message"), [
    (lambda folder: folder / "not there", "is not a folder"),
    (lambda folder: folder, "no pictures in"),
    (lambda folder: (folder / "torn.jpg").write_bytes(b"half a picture") and folder, "torn.jpg cannot be read"),
])
def test_a_folder_that_will_not_do_says_so(tmp_path, make, message):
    with pytest.raises(ValueError, match=message):
        data.cats(make(tmp_path))
