"""A labelled set of images that knows where it comes from and shows itself."""

import base64
import difflib
import html
import io
from dataclasses import dataclass

import numpy as np
import torch
from torch.nn import functional as F

from ..runtime import expect, pixels

# What is said to the reader.
SAMPLE = "built-in sample, not the real set"
WRONG_ATTRIBUTES = "{name}: attributes must be bool {shape}, a row for each training image, not {found}"
NO_ATTRIBUTES = "{name} has no attributes: CelebA's faces have, where tp.data.faces() finds them"
NO_SUCH_ATTRIBUTE = "{name} has no attribute {attribute!r}{like}: data.attribute_names lists them"


@dataclass(repr=False, eq=False)
class ImageSet:
    """Images as uint8 tensors [N, C, H, W], labels as int64 tensors [N].

    name:       short name, e.g. "scenes"
    classes:    list of the K class names
    source:     what the images are and who made them
    licence:    what may be done with them
    sample:     True for a built-in sample that stands in for the real set
    attributes: bool [N, A], what is to be seen in each training image, or None;  attribute_names: list of the A names
    """

    name: str
    train_images: torch.Tensor
    train_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor
    classes: list
    source: str
    licence: str
    sample: bool = False
    attributes: torch.Tensor | None = None
    attribute_names: list = ()

    def __post_init__(self):
        for split in ("train", "test"):
            images, labels = getattr(self, f"{split}_images"), getattr(self, f"{split}_labels")
            if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] not in (1, 3):
                raise ValueError(f"{self.name}: {split}_images must be uint8 [N, 1 or 3, H, W], "
                                 f"not {images.dtype} {list(images.shape)}")
            if labels.dtype != torch.int64 or labels.shape != images.shape[:1]:
                raise ValueError(f"{self.name}: {split}_labels must be int64 [{len(images)}], "
                                 f"not {labels.dtype} {list(labels.shape)}")
            if len(labels) and not 0 <= labels.min() <= labels.max() < len(self.classes):
                raise ValueError(f"{self.name}: {split}_labels must lie in 0 … {len(self.classes) - 1}, "
                                 f"not in {labels.min()} … {labels.max()}")
        shape = len(self.train_images), len(self.attribute_names)
        if self.attributes is not None and (self.attributes.dtype, self.attributes.shape) != (torch.bool, shape):
            expect.refuse(WRONG_ATTRIBUTES, name=self.name, shape=list(shape), found=expect.described(self.attributes))

    def has(self, attribute):
        """Which training images have an attribute, bool [N]: data.train_images[data.has("Smiling")].

        Raises ValueError for a name that is not in `attribute_names`, and where the set has none.
        """
        if self.attributes is None:
            expect.refuse(NO_ATTRIBUTES, name=self.name)
        if attribute not in self.attribute_names:
            like = difflib.get_close_matches(str(attribute), self.attribute_names, 1, 0.4)
            expect.refuse(NO_SUCH_ATTRIBUTE, name=self.name, attribute=attribute,
                          like=f" (is it {like[0]!r}?)" if like else "")
        return self.attributes[:, self.attribute_names.index(attribute)]

    # ---- the prepared form: one .npz without pickles

    @classmethod
    def from_arrays(cls, name, arrays, sample=False):
        """From a mapping with the arrays of the prepared form (see DESIGN: uint8 [N,H,W] or [N,H,W,3])."""
        def images(split):
            array = torch.from_numpy(np.array(arrays[f"{split}_images"]))  # a copy: writable, contiguous
            return array.permute(0, 3, 1, 2).contiguous() if array.ndim == 4 else array[:, None]

        def labels(split):
            return torch.from_numpy(np.array(arrays[f"{split}_labels"], np.int64))

        known = {}
        if "attributes" in arrays:
            known = {"attributes": torch.from_numpy(np.array(arrays["attributes"])),
                     "attribute_names": [str(name) for name in arrays["attribute_names"]]}
        return cls(name, images("train"), labels("train"), images("test"), labels("test"),
                   [str(c) for c in arrays["classes"]], str(arrays["source"]), str(arrays["licence"]), sample, **known)

    def to_arrays(self):
        """The arrays of the prepared form, as a dict."""
        def array(images):
            return (images[:, 0] if images.shape[1] == 1 else images.permute(0, 2, 3, 1)).numpy()

        known = {} if self.attributes is None else {
            "attributes": self.attributes.numpy(), "attribute_names": np.array(self.attribute_names)}
        return {
            "train_images": array(self.train_images), "train_labels": self.train_labels.numpy(),
            "test_images": array(self.test_images), "test_labels": self.test_labels.numpy(),
            "classes": np.array(self.classes),
            "source": np.array(self.source), "licence": np.array(self.licence), **known,
        }

    # ---- how it shows itself

    def __str__(self):
        images = self.train_images if len(self.train_images) else self.test_images
        size = " × ".join(str(n) for n in images.shape[1:])

        def listed(what, names):  # of an ImageNet class, "tench, Tinca tinca", the first name
            some = ", ".join(name.split(",")[0] for name in names[:6]) + (" …" if len(names) > 6 else "")
            return f"{len(names):,} {what}: {some}"

        lines = [
            f"{self.name}: {len(self.train_images):,} train + {len(self.test_images):,} test images, {size}"
            + (f" ({SAMPLE})" if self.sample else ""),
            listed("class" if len(self.classes) == 1 else "classes", self.classes),
            *([listed("attributes", self.attribute_names)] if self.attribute_names else []),
            f"source: {self.source}",
            f"licence: {self.licence}",
        ]
        return "\n".join(lines)

    __repr__ = __str__

    def _repr_html_(self):
        first, *rest = (html.escape(line) for line in str(self).splitlines())
        gallery = base64.b64encode(self.gallery()).decode()
        return (f'<figure style="margin:0"><img alt="a few images of {html.escape(self.name)}" '
                f'src="data:image/png;base64,{gallery}" style="max-width:100%">'
                f"<figcaption><b>{first}</b><br>" + "<br>".join(rest) + "</figcaption></figure>")

    def gallery(self, columns=10, height=72):
        """PNG bytes: a row of images spread over the classes that occur."""
        from PIL import Image

        images, labels = ((self.train_images, self.train_labels) if len(self.train_images)
                          else (self.test_images, self.test_labels))
        order = torch.argsort(labels, stable=True)
        chosen = images[order[torch.linspace(0, len(order) - 1, min(columns, len(order))).long()]]
        width = round(height * chosen.shape[3] / chosen.shape[2])
        strip = Image.new("RGB", (max(len(chosen), 1) * (width + 4) - 4, height), "white")
        for i, image in enumerate(chosen):
            picture = Image.fromarray(image.expand(3, -1, -1).permute(1, 2, 0).numpy())
            strip.paste(picture.resize((width, height)), (i * (width + 4), 0))
        out = io.BytesIO()
        strip.save(out, "PNG")
        return out.getvalue()


def resized(images, size):
    """Images [N, C, H, W] at another size, [N, C, size, size]: bilinear, antialiased when made smaller.

    uint8 stays uint8, as whole numbers from 0 to 255 become; floats keep their range, whatever it is, and their dtype.
    Raises ValueError for what is neither, and for another shape.
    """
    images, (size,) = pixels.batch(images), expect.numbers(size=size)
    if not images.is_floating_point():
        images = pixels.as_bytes(images)
    if images.shape[-2:] == (size, size):
        return images
    parts = [F.interpolate(part.float(), (size, size), mode="bilinear", antialias=True, align_corners=False)
             for part in images.split(5000)]
    if images.dtype == torch.uint8:
        parts = [part.round().clamp(0, 255) for part in parts]
    return torch.cat([part.to(images.dtype) for part in parts])
