"""Pictures of one's own: a folder is a set."""

import numpy as np
import pytest
from PIL import Image

from tp_utils import data


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
