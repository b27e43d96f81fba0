"""A set of images: how it shows itself, what it refuses, its prepared form."""

import base64
import io
import re

import numpy as np
import pytest
import torch
from PIL import Image
from sets import Trap, tiny

from tp_utils import data
from tp_utils.data import ImageSet, places
from tp_utils.data.fetch import FetchError
from tp_utils.data.imageset import SAMPLE

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


# ---- the prepared form


@pytest.mark.parametrize("grey", [False, True])
def test_the_prepared_form_comes_back_the_same_and_holds_no_pickles(tmp_path, grey):
    arrays = tiny()
    if grey:
        arrays = {**arrays, **{f"{s}_images": arrays[f"{s}_images"][..., 0] for s in ("train", "test")}}
    before = ImageSet.from_arrays("toy", arrays)
    places.save_set(before, tmp_path / "toy.npz")
    with np.load(tmp_path / "toy.npz", allow_pickle=False) as held:
        assert all(held[key].dtype != object for key in held.files)
        assert held["train_images"].shape == arrays["train_images"].shape
        assert held["train_labels"].dtype == np.int64
    after = places.load_set("toy", tmp_path / "toy.npz")
    for split in ("train_images", "train_labels", "test_images", "test_labels"):
        assert torch.equal(getattr(after, split), getattr(before, split))
        assert getattr(after, split).is_contiguous()
    assert str(after) == str(before)


def test_a_prepared_set_is_never_unpickled(tmp_path):
    sprung = tmp_path / "sprung"
    np.savez(tmp_path / "toy.npz", **{**tiny(), "classes": np.array([Trap(sprung)], object)})
    with pytest.raises(FetchError, match="not a prepared data set"):
        places.load_set("toy", tmp_path / "toy.npz")
    assert not sprung.exists()
