"""Where images come from: mnist(), scenes(), photos(), cats(), poster_cats(), cifar10(), faces().

Each returns an ImageSet and says in one line where it was found. The order is always the same:
embedded in data/ (MNIST), the cache, the classroom mirror ($TP_MIRROR), the official source over the
network, and at last a built-in sample, which is named as such: the course never stops for want of a network.
Other real images come before a sample where there are such: LFW for faces, AFHQ's cats for the poster's.
"""

from . import embedded, own, places
from .imageset import ImageSet, resized

__all__ = ["NAMES", "ImageSet", "cats", "cifar10", "faces", "mnist", "photos", "poster_cats", "resized", "scenes"]

NAMES = ("mnist", "scenes", "photos", "cats", "poster_cats", "cifar10", "faces")


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
    """Cat faces, 64 × 64 (train split only): AFHQ's (Choi et al. 2020) from a mirror, else Oxford-IIIT Pet's.

    Sample: crops of one photograph of one cat.
    folder: pictures of your own in place of these, of cats or of anything else; ValueError if there are none
    """
    return places.find("cats") if folder is None else places.announced(own.read("cats", folder, 64), "own")


def poster_cats():
    """The poster's second data set: 9303 different cat faces, 64 × 64 (train split only).

    Only from a mirror: its source, Kaggle, asks for an account. Elsewhere cats() take their place, and keep their name.
    """
    return places.find("poster_cats")


def cifar10():
    """CIFAR-10 (Krizhevsky 2009): 50,000 + 10,000 colour images, 32 × 32, 10 classes.

    Sample: MNIST in colour, 32 × 32.
    """
    return places.find("cifar10")


def faces():
    """10,000 CelebA faces (Liu et al. 2015), 64 × 64 (train split only), with 40 attributes.

    `attributes` is bool [10000, 40]; data.has("Smiling") says which images smile. Where CelebA is not to be had,
    Labeled Faces in the Wild take its place (name "lfw"): 13,233 faces, 64 × 64, no attributes.
    Sample: the 100 grey faces of 25 × 25 pixels that come with scikit-image, enlarged.
    """
    return places.find("faces")
