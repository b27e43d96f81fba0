"""What the checks of TP 7 share."""

import torch
from torchvision.transforms import v2

from ...runtime import device
from ..kit.compare import Wrong

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's
# What is said to the reader.
NO_GRADIENT = ("no gradient kept", "a tensor that requires a gradient")
GRADIENT = "the values are right, but the result carries its computation graph: nothing is trained here"
GRADIENT_2 = "put the forward pass inside `with torch.no_grad():`"


def pixels(shape):
    return torch.randint(256, shape, dtype=torch.uint8).to(device())


def normalised(images):
    """torchvision's own normalisation of uint8 images."""
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])(images)


def expect_no_gradient(found):
    if found.requires_grad:
        raise Wrong(*NO_GRADIENT, GRADIENT, GRADIENT_2)
