"""Images of your own: a folder of picture files as an ImageSet."""

import logging
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np

from ..runtime import say
from .imageset import ImageSet

KINDS = {".avif", ".bmp", ".gif", ".heic", ".heif", ".jfif", ".jpe", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"}
FEW = 64  # pictures: a batch
NAMED = 5  # files in a line

# What is said to the reader.
NO_FOLDER = "{folder} is not a folder"
EMPTY = "there are no pictures in {folder} (looked for {kinds}, in its subfolders too)"
NONE = "{names} cannot be read, and {folder} holds no other pictures: save them anew as PNG or JPEG{hint}"
LEFT_OUT = "{count} of {total} pictures cannot be read, and are left out: {names}. Save them anew as PNG or JPEG{hint}."
MORE = " and {count} more"
HEIC = "; HEIC is read once pillow-heif is installed"
TOO_FEW = "{count} of your own are few: the practicals need {few} pictures at least, and show more with thousands."
RANGE = "its values go from {low:g} to {high:g}"


def read(name, folder, size):
    """All pictures of a folder and its subfolders, in the order of their names: the middle square, size × size.

    Transparent parts become white; of several frames the first is taken; hidden files and folders are left alone. What
    cannot be read is left out, and counted and named in one line.
    Returns an ImageSet with a train split only. Raises ValueError for a folder without a picture that can be read.
    """
    folder = Path(folder).expanduser()
    if not folder.is_dir():
        raise ValueError(NO_FOLDER.format(folder=folder))
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and not path.is_dir()
                   and not any(part.startswith(".") for part in path.relative_to(folder).parts))
    if not paths:
        raise ValueError(EMPTY.format(folder=folder, kinds=", ".join(sorted(KINDS))))
    images, unread = [], []
    for path in paths:
        try:
            images.append(picture(path, size))
        except Exception:  # whatever a foreign file provokes
            unread.append(path)
    if unread:
        names = ", ".join(str(path.relative_to(folder)) for path in unread[:NAMED])
        facts = {"names": names + MORE.format(count=len(unread) - NAMED) * (len(unread) > NAMED),
                 "hint": HEIC * any(path.suffix.lower() in (".heic", ".heif") for path in unread)}
        if not images:
            raise ValueError(NONE.format(folder=folder, **facts))
        say(LEFT_OUT.format(count=len(unread), total=len(paths), **facts))
    if len(images) < FEW:
        say(TOO_FEW.format(count=len(images), few=FEW))
    images, labels = np.stack(images), np.zeros(len(images), np.int64)
    return ImageSet.from_arrays(name, {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["image"], "source": f"{len(images)} pictures of your own", "licence": "yours to know",
    })


def picture(path, size):
    """The middle square of a picture file, uint8 [size, size, 3]. Raises whatever Pillow does."""
    from PIL import Image, ImageOps

    with suppress(ImportError):
        from pillow_heif import register_heif_opener

        register_heif_opener()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with opened(path) as image:
            upright = image
            with suppress(Exception):  # EXIF that cannot be read turns no picture
                upright = ImageOps.exif_transpose(image)
            if upright.mode.startswith(("I", "F")):  # Pillow would cut these values off, not scale them
                upright = Image.fromarray(eight_bits(np.asarray(upright)))
            if upright.has_transparency_data:
                upright = upright.convert("RGBA")
                upright = Image.alpha_composite(Image.new("RGBA", upright.size, "white"), upright)
            return np.asarray(ImageOps.fit(upright.convert("RGB"), (size, size), Image.Resampling.BICUBIC))


def opened(path):
    """A picture file as Pillow's image; what of TIFF it does not know, as scikit-image reads it."""
    from PIL import Image, UnidentifiedImageError

    try:
        return Image.open(path)
    except UnidentifiedImageError:
        if path.suffix.lower() not in (".tif", ".tiff"):
            raise
        from skimage.io import imread

        logging.getLogger("tifffile").setLevel(logging.CRITICAL)  # our line says it
        return Image.fromarray(eight_bits(imread(path)))


def eight_bits(values):
    """Values of another depth as uint8: whole ones of 16 bits, floats from 0 to 1, to 255 or to 65535."""
    if values.dtype == np.uint8:
        return values
    low, high = values.min(), values.max()
    top = next((top for top in (1, 255, 65535) if high <= top), None) if values.dtype.kind == "f" else 65535
    if top is None or not 0 <= low <= high <= top:
        raise ValueError(RANGE.format(low=low, high=high))
    return (values * (255 / top)).round().astype(np.uint8)
