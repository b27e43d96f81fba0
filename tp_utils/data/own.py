"""Images of your own: a folder of picture files as an ImageSet."""

from pathlib import Path

import numpy as np

from .imageset import ImageSet
from .samples import shrunk, square

KINDS = {".jpg", ".jpeg", ".png", ".webp", ".bmp"}

# What is said to the reader.
NO_FOLDER = "{folder} is not a folder"
EMPTY = "there are no pictures in {folder} (looked for {kinds}, in its subfolders too)"
UNREADABLE = "{path} cannot be read as a picture: {why}. Remove it, or save it anew."


def read(name, folder, size):
    """All pictures of a folder and its subfolders, in the order of their names: the middle square, size × size.

    Returns an ImageSet with a train split only. Raises ValueError for a folder without pictures, and one that names the
    file for a picture that cannot be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise ValueError(NO_FOLDER.format(folder=folder))
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and path.name[0] != ".")
    if not paths:
        raise ValueError(EMPTY.format(folder=folder, kinds=", ".join(sorted(KINDS))))
    images, labels = np.stack([shrunk(square(picture(path)), size) for path in paths]), np.zeros(len(paths), np.int64)
    return ImageSet.from_arrays(name, {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["image"], "source": f"{len(paths)} pictures of your own", "licence": "yours to know",
    })


def picture(path):
    """A picture file as uint8 [H, W, 3]."""
    from PIL import Image, ImageOps

    try:
        with Image.open(path) as image:
            upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith("I"):  # 16 bits: Pillow would cut them off, not scale them
                upright = Image.fromarray((np.asarray(upright) / 257).round().astype(np.uint8))
            return np.asarray(upright.convert("RGB"))
    except Exception as error:  # whatever a foreign file provokes
        raise ValueError(UNREADABLE.format(path=path, why=error)) from error
