"""Faces with attributes, and the poster's cats: the order of the places, what takes whose place, what is kept."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision.datasets import CelebA

from tp_utils import data
from tp_utils.authoring.mirror import export_mirror
from tp_utils.data import ImageSet, official
from tp_utils.data.fetch import FetchError, write_sums

NAMES = ["Bald", "Eyeglasses", "Smiling"]
ATTRIBUTES = np.array([[0, 0, 1], [1, 0, 1], [0, 1, 0], [0, 0, 0]], bool)


@pytest.fixture(autouse=True)
def nothing(tmp_path, monkeypatch):
    """An empty cache, no mirror, no official source."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("TP_MIRROR", raising=False)
    for name in official.PREPARE:
        monkeypatch.setitem(official.PREPARE, name, unreachable)


def unreachable():
    raise FetchError("example.org cannot be reached")


def faces(source="CelebA"):
    images = np.random.default_rng(0).integers(0, 256, (4, 64, 64, 3), np.uint8)
    return {"train_images": images, "train_labels": np.zeros(4, np.int64), "test_images": images[:0],
            "test_labels": np.zeros(0, np.int64), "classes": ["face"], "source": source, "licence": "research",
            "attributes": ATTRIBUTES, "attribute_names": np.array(NAMES)}


def plain(source):
    return {key: value for key, value in faces(source).items() if not key.startswith("attribute")}


def said(capsys):
    return capsys.readouterr().out.splitlines()


# ---- attributes


def test_a_mask_chooses_the_images_that_have_an_attribute():
    known = ImageSet.from_arrays("faces", faces())
    smiling = known.has("Smiling")
    assert smiling.dtype == torch.bool and smiling.tolist() == [True, True, False, False]
    assert torch.equal(known.train_images[smiling & ~known.has("Bald")], known.train_images[:1])
    assert len(known.train_images[~smiling]) == 2


def test_the_card_lists_some_attributes():
    known = ImageSet.from_arrays("faces", faces())
    assert "3 attributes: Bald, Eyeglasses, Smiling" in str(known).splitlines()
    assert "3 attributes" in known._repr_html_()
    assert "attributes" not in str(ImageSet.from_arrays("faces", plain("x")))


@pytest.mark.parametrize(("asked", "like"), [("smiling", "Smiling"), ("Glasses", "Eyeglasses"), ("Smile", "Smiling")])
def test_a_name_that_is_not_there_is_answered_by_one_that_is(asked, like):
    with pytest.raises(ValueError, match=f"faces has no attribute '{asked}' .is it '{like}'") as refused:
        ImageSet.from_arrays("faces", faces()).has(asked)
    assert "attribute_names" in str(refused.value)


def test_a_set_without_attributes_says_so():
    without = ImageSet.from_arrays("lfw", plain("x"))
    assert without.attributes is None and list(without.attribute_names) == []
    with pytest.raises(ValueError, match="lfw has no attributes"):
        without.has("Smiling")


@pytest.mark.parametrize("wrong", [ATTRIBUTES[:3], ATTRIBUTES[:, :2], ATTRIBUTES.astype(np.int64), ATTRIBUTES[:, 0]])
def test_attributes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match=r"attributes must be bool \[4, 3\]"):
        ImageSet.from_arrays("faces", {**faces(), "attributes": wrong})


# ---- the order


def test_faces_of_a_mirror_have_their_attributes(tmp_path, monkeypatch, capsys):
    (tmp_path / "mirror").mkdir()
    np.savez(tmp_path / "mirror" / "faces.npz", **faces())
    write_sums(tmp_path / "mirror", ["faces.npz"])
    monkeypatch.setenv("TP_MIRROR", str(tmp_path / "mirror"))
    found = data.faces()
    assert said(capsys) == ["faces: 4 train + 0 test images, from the classroom mirror."]
    assert found.attributes.tolist() == ATTRIBUTES.tolist() and found.attribute_names == NAMES


def test_attributes_come_back_from_the_cache(monkeypatch, capsys):
    monkeypatch.setitem(official.PREPARE, "faces", faces)
    data.faces()
    monkeypatch.setitem(official.PREPARE, "faces", unreachable)
    found = data.faces()
    assert said(capsys)[-1] == "faces: 4 train + 0 test images, prepared before (cache)."
    assert found.attributes.dtype == torch.bool and found.attributes.tolist() == ATTRIBUTES.tolist()
    assert found.attribute_names == NAMES


@pytest.mark.parametrize(("asked", "other"), [("faces", "lfw"), ("poster_cats", "cats")])
def test_other_real_images_take_the_place_and_keep_their_name(asked, other, monkeypatch, capsys, tmp_path):
    monkeypatch.setitem(official.PREPARE, other, lambda: plain("another source"))
    found = getattr(data, asked)()
    why, where = said(capsys)
    assert why.startswith(f"{asked}: nothing from the official source")
    assert where == f"{other} in place of {asked}: 4 train + 0 test images, from the official source."
    assert found.name == other and found.source == "another source" and not found.sample
    assert found.attributes is None
    assert not (tmp_path / "cache" / f"{asked}.npz").exists()  # the real ones are looked for again

    monkeypatch.setitem(official.PREPARE, asked, faces)
    assert getattr(data, asked)().name == asked


def test_a_mirror_is_made_of_what_was_found_under_its_own_name(tmp_path, monkeypatch):
    monkeypatch.setattr("tp_utils.nets.NAMES", ("squeezenet1_1",))
    monkeypatch.setitem(official.PREPARE, "lfw", lambda: plain("LFW"))
    assert export_mirror(tmp_path / "mirror", ["faces", "poster_cats"]) == ["lfw.npz"]
    monkeypatch.setitem(official.PREPARE, "faces", faces)
    assert export_mirror(tmp_path / "mirror", ["faces"]) == ["faces.npz", "lfw.npz"]
    with np.load(tmp_path / "mirror" / "faces.npz", allow_pickle=False) as kept:
        assert kept["attributes"].tolist() == ATTRIBUTES.tolist() and kept["attribute_names"].tolist() == NAMES


def test_the_posters_cats_are_not_to_be_had_without_an_account(monkeypatch, capsys):
    monkeypatch.setitem(official.PREPARE, "poster_cats", official.prepare_poster_cats)
    assert data.poster_cats().sample
    assert "Kaggle" in (why := said(capsys)[0]) and "account" in why and "TP_MIRROR" in why


# ---- CelebA by torchvision's own reader, on four small pictures



def a_celeba(root):
    folder = Path(root) / "celeba"
    (folder / "img_align_celeba").mkdir(parents=True)
    files = [f"{i:06d}.jpg" for i in range(1, 5)]
    for file, value in zip(files, (10, 90, 170, 250), strict=True):
        picture = np.full((218, 178, 3), value, np.uint8)
        picture[:20] = picture[-20:] = 255 - value  # outside the square in the middle
        Image.fromarray(picture).save(folder / "img_align_celeba" / file, quality=95)

    def write(name, header, rows):
        lines = [f"{file} {' '.join(map(str, row))}" for file, row in zip(files, rows, strict=True)]
        (folder / name).write_text("\n".join([*header, *lines]) + "\n")

    write("list_attr_celeba.txt", ["4", " ".join(NAMES) + " "], np.where(ATTRIBUTES, 1, -1))
    write("list_eval_partition.txt", [], [[0], [2], [1], [0]])
    write("identity_CelebA.txt", [], [[1], [2], [3], [4]])
    write("list_bbox_celeba.txt", ["4", "x_1 y_1 width height"], [[0] * 4] * 4)
    write("list_landmarks_align_celeba.txt", ["4", " ".join("abcdefghij")], [[0] * 10] * 4)


@pytest.fixture
def celeba(monkeypatch):
    monkeypatch.setattr(CelebA, "download", lambda self: a_celeba(self.root))
    monkeypatch.setattr(CelebA, "_check_integrity", lambda self: True)
    monkeypatch.setitem(official.PREPARE, "faces", official.prepare_faces)


def test_celeba_is_prepared_with_its_attributes(celeba, tmp_path, capsys):
    found = data.faces()
    assert said(capsys) == ["faces: 4 train + 0 test images, from the official source."]
    assert found.train_images.shape == (4, 3, 64, 64) and len(found.test_images) == 0
    assert found.attribute_names == NAMES and found.attributes.tolist() == ATTRIBUTES.tolist()
    middle = found.train_images.float()
    assert (middle - torch.tensor([10.0, 90, 170, 250])[:, None, None, None]).abs().max() < 20  # JPEG
    assert "CelebA" in found.source and "do not redistribute" in found.licence
    kept = sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())
    assert kept == ["faces.npz", "faces.npz.sha256"]


def test_only_the_first_faces_are_prepared(celeba, monkeypatch):
    monkeypatch.setattr(official, "FACES", 3)
    found = data.faces()
    assert len(found.train_images) == 3 and found.attributes.tolist() == ATTRIBUTES[:3].tolist()
    assert "images 1 to 3" in found.source


class Quota(Exception):
    """As gdown's, which is no OSError."""


def test_google_drives_quota_is_said_and_other_faces_are_found(celeba, monkeypatch, capsys):
    def download(self):
        raise Quota("Too many users have viewed or downloaded this file recently")

    monkeypatch.setattr(CelebA, "download", download)
    monkeypatch.setitem(official.PREPARE, "lfw", lambda: plain("LFW"))
    assert data.faces().name == "lfw"
    assert "Too many users" in said(capsys)[0]
