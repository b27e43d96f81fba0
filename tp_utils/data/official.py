"""The official sources: each function downloads and returns the arrays of the prepared form.

torchvision and scikit-learn fetch what they know; the two archives of the original practicals are pinned by
their SHA-256. Raises FetchError where the source cannot be reached.
"""

import io
import socket
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from ..runtime import cache_dir, cache_path, scratch
from .fetch import FAILED, TIMEOUT, FetchError, fetch, read_zip

# What is said to the reader.
ACCOUNT = ("Kaggle's \"Cats faces 64x64 (for generative models)\" by spandan2, for which one needs an account: "
           "download it, and give its folder to tp.data.cats, or set TP_MIRROR to a classroom mirror")

SCENES = ("https://github.com/rdfia/rdfia.github.io/raw/master/data/15ScenesData.zip",
          "7dea7611ded7decce64ee48b702bde64aa20fcd98fd6ec20c45fcc8e63599955")
PHOTOS = ("http://cs231n.stanford.edu/imagenet_val_25.npz",
          "35141609d22457c791e8fbe10c2d3b09ed0d6a04b669173e9fbebb0b4915cd3c")
FACES = 10_000  # of CelebA's 202,599


def prepare_scenes():
    return scenes_from(fetch(SCENES[0], cache_path("downloads", "15ScenesData.zip"), SCENES[1]))


def scenes_from(archive):
    """From a zip of …/{train,test}/<class>/*.jpg: grey, resized to 224 × 224."""
    from PIL import Image

    splits = {"train": ([], []), "test": ([], [])}
    members = [(name.split("/")[-3:], data) for name, data in read_zip(archive, ".jpg")]
    classes = sorted({label for (_, label, _), _ in members})
    for (split, label, _), data in members:
        image = Image.open(io.BytesIO(data)).convert("L").resize((224, 224), Image.Resampling.BILINEAR)
        splits[split][0].append(np.asarray(image))
        splits[split][1].append(classes.index(label))
    return {
        **{f"{split}_images": np.stack(images) for split, (images, _) in splits.items()},
        **{f"{split}_labels": np.array(labels) for split, (_, labels) in splits.items()},
        "classes": classes, "source": "15-Scene (Lazebnik et al. 2006)",
        "licence": "research use; do not redistribute",
    }


def prepare_photos():
    return photos_from(fetch(PHOTOS[0], cache_path("downloads", "imagenet_val_25.npz"), PHOTOS[1]))


def photos_from(archive):
    """From the course CS231n's file; its pickled label map is left unread, torchvision knows the names."""
    from torchvision.models import SqueezeNet1_1_Weights

    with np.load(archive, allow_pickle=False) as arrays:
        images, labels = arrays["X"], arrays["y"]
    return {
        "train_images": images[:0], "train_labels": labels[:0], "test_images": images, "test_labels": labels,
        "classes": SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"],
        "source": "25 ImageNet validation images", "licence": "research use; do not redistribute",
    }


def prepare_cifar10():
    with library_download("CIFAR-10") as folder:
        from torchvision.datasets import CIFAR10

        train, test = (CIFAR10(folder, train=split, download=True) for split in (True, False))
    return {
        "train_images": train.data, "train_labels": train.targets,
        "test_images": test.data, "test_labels": test.targets,
        "classes": train.classes, "source": "CIFAR-10 (Krizhevsky 2009)",
        "licence": "none stated; do not redistribute",
    }


def prepare_faces():
    """The first 10,000 faces of CelebA, the square in the middle, 64 × 64, and their 40 attributes."""
    from PIL import Image, ImageOps

    def face(picture):
        return np.asarray(ImageOps.fit(picture.convert("RGB"), (64, 64), Image.Resampling.LANCZOS))

    with library_download("CelebA") as folder:
        from torchvision.datasets import CelebA

        people = CelebA(folder, split="all", download=True, transform=face)
        count, names = min(FACES, len(people)), [name for name in people.attr_names if name]  # its header ends in ""
        images, labels = np.stack([people[i][0] for i in range(count)]), np.zeros(count, np.int64)
    return {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["face"], "attributes": people.attr[:count].numpy().astype(bool), "attribute_names": names,
        "source": f"CelebA (Liu et al. 2015), images 1 to {count:,}, 64 × 64",
        "licence": "non-commercial research; do not redistribute",
    }


def prepare_lfw():
    """The square of 128 pixels in the middle, around the face and its hair, at half the size: 64 × 64, in colour."""
    with library_download("Labeled Faces in the Wild") as folder:
        from sklearn.datasets import fetch_lfw_people

        middle = slice(61, 189)
        people = fetch_lfw_people(data_home=folder, color=True, slice_=(middle, middle), resize=0.5, n_retries=1,
                                  delay=0.1)
    images = (people.images * (255 if people.images.max() <= 1 else 1)).round().astype(np.uint8)
    return {
        "train_images": images, "train_labels": people.target,
        "test_images": images[:0], "test_labels": people.target[:0],
        "classes": people.target_names, "source": "Labeled Faces in the Wild (Huang et al. 2007), 64 × 64",
        "licence": "research use",
    }


def prepare_poster_cats():
    raise FetchError(ACCOUNT)


def prepare_cats():
    """The cats' heads of Oxford-IIIT Pet (Parkhi et al. 2012), where the set gives a box around the head."""
    from xml.etree import ElementTree

    from PIL import Image

    heads = []
    with library_download("Oxford-IIIT Pet") as folder:
        from torchvision.datasets import OxfordIIITPet

        OxfordIIITPet(folder, download=True)
        root = folder / "oxford-iiit-pet"
        for path in sorted((root / "annotations" / "xmls").glob("*.xml")):
            if path.stem[0].islower():  # a dog
                continue
            box = ElementTree.parse(path).find(".//bndbox")
            corners = [int(box.find(side).text) for side in ("xmin", "ymin", "xmax", "ymax")]
            head = Image.open(root / "images" / f"{path.stem}.jpg").convert("RGB").crop(corners)
            heads.append(np.asarray(head.resize((64, 64), Image.Resampling.LANCZOS)))
    images, labels = np.stack(heads), np.zeros(len(heads), np.int64)
    return {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["cat"], "source": "heads of the cats of Oxford-IIIT Pet (Parkhi et al. 2012)",
        "licence": "CC BY-SA 4.0",
    }


@contextmanager
def library_download(what):
    """A temporary folder for torchvision's or scikit-learn's downloads, a time-out, one form of errors.

    The folder vanishes: they take half an archive for the whole on the next call, and the prepared set is
    all that is needed.
    """
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(TIMEOUT)
    try:
        with scratch(cache_dir("downloads") / what) as folder, warnings.catch_warnings():
            warnings.simplefilter("ignore")  # scikit-learn's, when it tries again
            yield Path(folder)
    except Exception as error:  # of many kinds: a wrong hash, a torn archive, Google Drive's quota
        raise FetchError(FAILED.format(url=what, error=error)) from error
    finally:
        socket.setdefaulttimeout(before)


PREPARE = {"scenes": prepare_scenes, "photos": prepare_photos, "cifar10": prepare_cifar10, "faces": prepare_faces,
           "lfw": prepare_lfw, "cats": prepare_cats, "poster_cats": prepare_poster_cats}
