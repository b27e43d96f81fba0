"""A folder of pictures as students have them: every common kind of file, broken ones, too few."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from tp_utils import data
from tp_utils.data.own import FEW
from tp_utils.practicals.tp14 import images_and_held

RED = np.zeros((40, 60, 3), np.uint8) + np.array([200, 0, 0], np.uint8)
GREEN = Image.new("RGB", (12, 12), (0, 255, 0))


def only(folder):
    """The single picture of a folder, int [64, 64, 3]."""
    images = data.cats(folder).train_images
    assert len(images) == 1
    return images[0].permute(1, 2, 0).int().numpy()


def is_all(picture, colour, apart=2):
    return abs(picture - np.array(colour)).max() <= apart


def test_what_is_transparent_is_white(tmp_path):
    hole = np.full((40, 60), 255, np.uint8)
    hole[:, 30:] = 0
    Image.fromarray(np.dstack([RED, hole])).save(tmp_path / "a.png")
    found = only(tmp_path)
    assert is_all(found[:, :30], (200, 0, 0)) and is_all(found[:, 34:], 255)


def test_what_is_half_transparent_is_half_white(tmp_path):
    Image.new("LA", (9, 9), (0, 128)).save(tmp_path / "a.png")
    assert is_all(only(tmp_path), 127)


@pytest.mark.parametrize("kind", ["png", "gif", "webp"])
def test_a_transparent_colour_of_a_palette_is_white(tmp_path, kind):
    image = Image.new("P", (10, 10), 0)
    image.putpalette([255, 0, 0] + [0] * 765)
    image.info["transparency"] = 0
    (image.convert("RGBA") if kind == "webp" else image).save(tmp_path / f"a.{kind}")
    assert is_all(only(tmp_path), 255)


def test_of_several_frames_the_first_is_taken(tmp_path):
    GREEN.save(tmp_path / "a.gif", save_all=True, append_images=[Image.new("RGB", (12, 12), (255, 0, 0))])
    assert is_all(only(tmp_path), (0, 255, 0))


@pytest.mark.parametrize("name", ["a.jfif", "a.JPE", "a.JPEG", "a.bmp", "a.tif", "a.TIFF", "a.webp", "a.avif"])
def test_every_common_kind_is_read(tmp_path, name):
    kind = {"jfif": "jpeg", "jpe": "jpeg", "tif": "tiff"}.get(name[2:].lower(), name[2:].lower())
    GREEN.save(tmp_path / name, format=kind)
    assert is_all(only(tmp_path), (0, 255, 0), 4)


def test_cmyk_and_two_levels_are_read(tmp_path):
    Image.new("CMYK", (12, 12), (0, 255, 255, 0)).save(tmp_path / "a.jpg")
    assert is_all(only(tmp_path), (255, 0, 0), 4)
    (tmp_path / "a.jpg").unlink()
    Image.new("1", (8, 8), 1).save(tmp_path / "a.png")
    assert is_all(only(tmp_path), 255)


@pytest.mark.parametrize("values", [
    np.full((8, 8), 0.25, np.float32), np.full((8, 8), 0.25), np.full((8, 8), 63.75, np.float32),
    np.full((8, 8, 3), 0.25, np.float32), np.full((8, 8), 16384, np.uint16), np.full((8, 8, 3), 16384, np.uint16),
    np.full((8, 8), 16384, np.int32), np.full((8, 8), 16384.0, np.float32)],
    ids=lambda values: f"{values.dtype} {values.shape} {values.max()}")
def test_other_depths_are_scaled(tmp_path, values):
    tifffile.imwrite(tmp_path / "a.tif", values, photometric="rgb" if values.ndim == 3 else "minisblack")
    assert is_all(only(tmp_path), 64, 1)


def test_sixteen_bits_of_colour_are_scaled(tmp_path):
    def chunk(name, content):
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    line = b"\0" + struct.pack(">H", 30000) * 3 * 8
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">2I5B", 8, 8, 16, 2, 0, 0, 0))
                                     + chunk(b"IDAT", zlib.compress(line * 8)) + chunk(b"IEND", b""))
    assert is_all(only(tmp_path), 30000 / 257, 1)


@pytest.mark.parametrize("kind", ["jpg", "png", "tif"])
@pytest.mark.parametrize(("orientation", "corner"), [(3, (63, 63)), (6, (0, 63)), (8, (63, 0))])
def test_a_camera_that_was_turned_is_turned_back(tmp_path, kind, orientation, corner):
    image = np.full((64, 64, 3), 255, np.uint8)
    image[:32, :32] = 0  # the dark corner, above left as the sensor saw it
    exif = Image.Exif()
    exif[0x112] = orientation
    Image.fromarray(image).save(tmp_path / f"a.{kind}", exif=exif)
    found = only(tmp_path)
    assert found[corner].max() < 20 and sum(found[y, x].max() < 20 for x in (0, 63) for y in (0, 63)) == 1


def test_exif_that_cannot_be_read_is_no_reason_to_lose_the_picture(tmp_path):
    GREEN.save(tmp_path / "a.jpg", exif=b"Exif\0\0" + b"broken" * 9)
    assert is_all(only(tmp_path), (0, 255, 0), 4)


def test_hidden_folders_are_left_out_and_a_folder_may_be_named_like_a_picture(tmp_path):
    for folder in (".thumbnails", "a.jpg", "b/.cache/c"):
        (tmp_path / "x" / folder).mkdir(parents=True)
        Image.fromarray(RED).save(tmp_path / "x" / folder / "in.png")
    assert len(data.cats(tmp_path / "x").train_images) == 1
    hidden = tmp_path / ".mine"
    hidden.mkdir()
    GREEN.save(hidden / "a.png")
    assert len(data.cats(hidden).train_images) == 1  # who names a hidden folder means it


BROKEN = {"phone.heic": b"\0\0\0\x18ftypheic" + b"\xff" * 50, "torn.tif": b"II*\0" + b"\xff" * 50, "empty.png": b"",
          "page.jpg": b"<html>", "short.gif": b"GIF89a\x01", "text.webp": b"RIFF"}


def test_what_cannot_be_read_is_counted_named_and_left_out(tmp_path, capsys):
    for name, content in BROKEN.items():
        (tmp_path / name).write_bytes(content)
    (tmp_path / "sub").mkdir()
    GREEN.save(tmp_path / "good.png")
    half = (tmp_path / "good.png").read_bytes()[:40]
    (tmp_path / "sub" / "half.png").write_bytes(half)
    (tmp_path / "gone.jpg").symlink_to(tmp_path / "nowhere")
    tifffile.imwrite(tmp_path / "zz.tif", np.full((8, 8), np.nan, np.float32))
    assert is_all(only(tmp_path), (0, 255, 0))
    line = next(line for line in capsys.readouterr().out.splitlines() if "cannot be read" in line)
    assert line.startswith("9 of 10 pictures cannot be read, and are left out: empty.png, gone.jpg, page.jpg, phone.")
    assert "and 4 more" in line and "pillow-heif" in line


def test_a_folder_of_broken_files_alone_is_refused_with_their_names(tmp_path):
    for name in ("a.jpg", "b.tif"):
        (tmp_path / name).write_bytes(b"nothing")
    with pytest.raises(ValueError, match=r"^a\.jpg, b\.tif cannot be read, and .* holds no other pictures") as refused:
        data.cats(tmp_path)
    assert "pillow-heif" not in str(refused.value) and "\n" not in str(refused.value)


@pytest.mark.parametrize("count", [1, FEW - 1, FEW])
def test_few_pictures_are_told_how_many_are_needed(tmp_path, capsys, count):
    for i in range(count):
        GREEN.save(tmp_path / f"{i}.png")
    images = data.cats(tmp_path)
    said = capsys.readouterr().out
    assert (f"{count} of your own are few: the practicals need {FEW} pictures at least" in said) == (count < FEW)
    if count < FEW:
        with pytest.raises(ValueError, match=f"{count} images are too few: TP 14 needs {FEW}"):
            images_and_held(images)
    else:
        assert len(images_and_held(images)[2]) >= 12
