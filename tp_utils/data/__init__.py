"""Where images come from: ``mnist()``, ``scenes()``, ``photos()``, ``cats()``, ``cifar10()``, ``faces()``.

Each returns an ImageSet and says in one line where it was found. The order is always the same:
embedded in data/ (MNIST), the cache, the classroom mirror ($TP_MIRROR), the official source over the
network, and at last a built-in sample, which is named as such: the course never stops for want of a network.
"""

from . import embedded, own, places
from .imageset import ImageSet, resized

__all__ = ["NAMES", "ImageSet", "cats", "cifar10", "faces", "mnist", "photos", "resized", "scenes"]

NAMES = ("mnist", "scenes", "photos", "cats", "cifar10", "faces")


def mnist():
    """MNIST: 60,000 + 10,000 grey digits, 28 × 28. Embedded: needs no network."""
    return places.announced(embedded.read_mnist(), "embedded")


def scenes():
    """15-Scene (Lazebnik et al. 2006): 1500 + 2985 grey photographs, 224 × 224, 15 classes.

    Sample: textures, train and test cut from disjoint halves of scikit-image's photographs.
    """
    return places.find("scenes")


def photos():
    """25 ImageNet validation images, 224 × 224, labelled by ImageNet class (test split only).

    Sample: photographs that come with scikit-image and scikit-learn.
    """
    return places.find("photos")


def cats(folder=None):
    """Cat faces, 64 × 64 (train split only). Sample: crops of one photograph of one cat.

    folder: pictures of your own in place of these, of cats or of anything else; ValueError if there are none
    """
    return places.find("cats") if folder is None else places.announced(own.read("cats", folder, 64), "own")


def cifar10():
    """CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images, 32 × 32, 10 classes.

    Sample: MNIST in colour, 32 × 32.
    """
    return places.find("cifar10")


def faces():
    """Labeled Faces in the Wild, cropped, grey, 62 × 47 (train split only).

    Sample: the 100 faces of 25 × 25 pixels that come with scikit-image.
    """
    return places.find("faces")
