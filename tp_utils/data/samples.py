"""Built-in samples: small stand-ins made from photographs that scikit-image and scikit-learn install.

They keep the course going without a network, and are named as samples wherever they appear.
"""

import numpy as np

from . import embedded

# Photographs with the ImageNet class that a person would give them (class index, name of the file).
PHOTOS = ((285, "chelsea"), (967, "coffee"), (832, "china"), (670, "motorcycle"),
          (872, "camera"), (657, "rocket"), (812, "astronaut"))
# Surfaces that differ from one another as the 15 kinds of scene do.
TEXTURES = ("brick", "grass", "gravel", "sky and temple", "petals", "coffee and table", "fur",
            "retina", "tissue", "galaxies")


def photograph(name):
    """A photograph as uint8 [H, W, 3]."""
    if name in ("china", "flower"):
        from sklearn.datasets import load_sample_image

        return load_sample_image(f"{name}.jpg")
    from skimage import data

    image = data.stereo_motorcycle()[0] if name == "motorcycle" else getattr(data, name)()
    return np.repeat(image[..., None], 3, 2) if image.ndim == 2 else image[..., :3]


def shrunk(image, size):
    from PIL import Image

    picture = Image.fromarray(np.ascontiguousarray(image))
    return np.asarray(picture.resize((size, size), Image.Resampling.BICUBIC))


def square(image):
    """The largest square in the middle."""
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return image[top:top + side, left:left + side]


def make_photos():
    from torchvision.models import SqueezeNet1_1_Weights

    images = np.stack([shrunk(square(photograph(name)), 224) for _, name in PHOTOS])
    labels = np.array([label for label, _ in PHOTOS])
    return {
        "train_images": images[:0], "train_labels": labels[:0], "test_images": images, "test_labels": labels,
        "classes": SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"],
        "source": "photographs of scikit-image and scikit-learn, labelled by us",
        "licence": "public domain, CC0 and CC BY (see the two packages)",
    }


def make_scenes(per_class=(40, 40), crop=96):
    """Random grey crops: the left half of each photograph for training, the right half for testing."""
    names = ("brick", "grass", "gravel", "china", "flower", "coffee", "chelsea", "retina",
             "immunohistochemistry", "hubble_deep_field")
    rng = np.random.default_rng(0)
    splits = {"train": [], "test": []}
    for name in names:
        image = photograph(name)
        if name == "retina":
            image = image[250:-250, 250:-250]  # its black corners would be the same in train and test
        grey = (image @ [0.299, 0.587, 0.114]).astype(np.uint8)
        middle = grey.shape[1] // 2
        halves = grey[:, :middle], grey[:, middle:]
        for crops, half, count in zip(splits.values(), halves, per_class, strict=True):
            for _ in range(count):
                top, left = (rng.integers(0, side - crop + 1) for side in half.shape)
                crops.append(shrunk(half[top:top + crop, left:left + crop], 224))
    return {
        "train_images": np.stack(splits["train"]), "test_images": np.stack(splits["test"]),
        "train_labels": np.repeat(np.arange(len(names)), per_class[0]),
        "test_labels": np.repeat(np.arange(len(names)), per_class[1]),
        "classes": TEXTURES, "source": "textures cut from photographs of scikit-image and scikit-learn",
        "licence": "public domain, CC0 and CC BY (see the two packages)",
    }


def make_cats(count=64):
    """Crops around the face of one cat, Chelsea, mirrored half of the time."""
    rng = np.random.default_rng(0)
    face, images = photograph("chelsea")[10:240, 80:330], []
    for _ in range(count):
        side = rng.integers(180, 225)
        top, left = rng.integers(0, face.shape[0] - side + 1), rng.integers(0, face.shape[1] - side + 1)
        crop = face[top:top + side, left:left + side]
        images.append(shrunk(crop[:, ::-1] if rng.random() < 0.5 else crop, 64))
    images, labels = np.stack(images), np.zeros(count, np.int64)
    return {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["cat"], "licence": "CC0",
        "source": "crops of scikit-image's photograph of the cat Chelsea (S. van der Walt)",
    }


def make_cifar10(train=5000, test=1000):
    mnist = embedded.read_mnist()

    def colour(images):
        return np.repeat(np.pad(images.numpy()[:, 0], ((0, 0), (2, 2), (2, 2)))[..., None], 3, 3)

    return {
        "train_images": colour(mnist.train_images[:train]), "test_images": colour(mnist.test_images[:test]),
        "train_labels": mnist.train_labels[:train].numpy(), "test_labels": mnist.test_labels[:test].numpy(),
        "classes": mnist.classes, "source": f"{mnist.source}, padded to 32 × 32, three equal channels",
        "licence": mnist.licence,
    }


def make_faces():
    from skimage.data import lfw_subset

    grey = (lfw_subset()[:100] * 255).round().astype(np.uint8)  # the other 100 show no face
    images = np.stack([np.repeat(shrunk(face, 64)[..., None], 3, 2) for face in grey])
    labels = np.zeros(len(images), np.int64)
    return {
        "train_images": images, "train_labels": labels, "test_images": images[:0], "test_labels": labels[:0],
        "classes": ["face"], "source": "100 grey faces of 25 × 25 pixels (scikit-image's subset of LFW), enlarged",
        "licence": "see scikit-image",
    }


MAKE = {"photos": make_photos, "scenes": make_scenes, "cats": make_cats, "poster_cats": make_cats,
        "cifar10": make_cifar10, "faces": make_faces}
