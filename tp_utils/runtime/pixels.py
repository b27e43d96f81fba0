"""What the values of images mean: converted where there is no doubt, refused in one sentence elsewhere."""

import numpy as np
import torch

from .expect import described, refuse

SLACK = 0.1  # floats may leave [0, 1] by so much: noise, sharpening, one step of an attack

# What is said to the reader.
NOT_BATCH = "images must be a tensor [N, C, H, W], not {found}: a single one is image[None], grey ones images[:, None]"
CHANNELS_LAST = "images must be [N, C, H, W], not {found}: bring the channels forward with .permute(0, 3, 1, 2)"
NO_SCALE = ("images are {dtype} from {low:g} to {high:g}: give pixels of 0 to 255, or floats in [0, 1] "
            "(after tanh: (x + 1) / 2)")


def batch(images):
    """Images as a tensor [N, C, H, W]; NumPy's are converted. Raises ValueError for another shape."""
    images = torch.as_tensor(images) if isinstance(images, np.ndarray) else images
    if not isinstance(images, torch.Tensor) or images.ndim != 4:
        refuse(NOT_BATCH, found=described(images))
    if images.shape[-1] in (1, 3) and images.shape[1] > 3:
        refuse(CHANNELS_LAST, found=described(images))
    return images


def as_bytes(images):
    """Whole numbers from 0 to 255, of any dtype, as uint8. Raises ValueError for others."""
    if images.dtype == torch.uint8:
        return images
    low, high = limits([images])
    whole = images.dtype != torch.bool and not (images.is_floating_point() and (images != images.round()).any())
    if not (whole and 0 <= low <= high <= 255):
        refuse(NO_SCALE, dtype=str(images.dtype).removeprefix("torch."), low=low, high=high)
    return images.byte()


def unit(*images):
    """Images as floats from 0 to 1: a list of as many, those of floats judged together.

    Whole numbers from 0 to 255 are pixels (0 and 1 alone are black and white); floats are taken as they are in [0, 1],
    as pixels from 0 to 255 where one is above 2, as a tanh's where they fill [−1, 1]. Raises ValueError elsewhere.
    """
    floats = [image for image in images if image.is_floating_point()]
    found = limits(floats)
    return [to_range(image, *(found if image.is_floating_point() else limits([image]))) for image in images]


def limits(images):
    """(lowest, highest) value of some images, NaN if there is one among them; (0, 1) of none."""
    found = [torch.stack(image.detach().aminmax()).cpu().double() for image in images if image.numel()]
    return (torch.stack(found).amin().item(), torch.stack(found).amax().item()) if found else (0, 1)


def to_range(image, low, high):
    """An image, of a set whose values go from `low` to `high`, as floats from 0 to 1."""
    if image.is_floating_point():
        if -SLACK <= low <= high <= 1 + SLACK:
            return image
        if -1.001 <= low <= -0.5 and high <= 1.001:
            return (image + 1) / 2
        pixels = low >= -SLACK and 2 < high <= 255 + SLACK
    else:
        if image.dtype == torch.bool or (image.dtype != torch.uint8 and 0 <= low <= high <= 1):
            return image.float()
        pixels = 0 <= low <= high <= 255
    if not pixels:
        refuse(NO_SCALE, dtype=str(image.dtype).removeprefix("torch."), low=low, high=high)
    return image / 255
