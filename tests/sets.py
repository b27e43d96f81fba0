"""Small data sets for the tests of where images come from."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tp_utils.data import ImageSet, places
from tp_utils.data.fetch import FetchError, write_sums

DOWNLOADED = ("scenes", "photos", "cats", "poster_cats", "cifar10", "faces")


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
    places.save_set(ImageSet.from_arrays(name, tiny(source)), folder / f"{name}.npz")
    write_sums(folder, [f"{name}.npz"])
    return folder


def jpeg(value):
    out = io.BytesIO()
    Image.new("RGB", (30, 20), (value,) * 3).save(out, "JPEG")
    return out.getvalue()


class Trap:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def said(capsys):
    return capsys.readouterr().out.splitlines()


def names(folder):
    return sorted(path.name for path in folder.iterdir())
