"""Exercises 7.1 to 7.3: images on their way into a network, and its scores read."""

import torch
from torch import nn
from torchvision.transforms import v2

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe
from .common import MEAN, STD, expect_no_gradient, normalised, pixels

# What is said to the reader.

# 7.1
SCALE = "the mean and standard deviation are for pixels in [0, 1]: did you divide by 255, and do it first?"
MEAN_SCALE = "the mean is for pixels in [0, 1] already: do not multiply it by 255"
INTEGERS = "// is the division of integers: nearly every pixel becomes 0"
NO_STD = "the mean is subtracted; what about the standard deviation?"
NO_MEAN = "divided by the standard deviation, but what about the mean?"
ONLY_SCALED = "pixels are in [0, 1]: now the mean and the standard deviation"
TIMES_STD = "divide by the standard deviation, do not multiply"
PLUS_MEAN = "subtract the mean, do not add it"
SWAPPED = "mean and standard deviation have changed places"
HALF = "0.5 and 0.5 are another network's numbers: use ImageNet's mean and standard deviation of each channel"
OWN_STATISTICS = "these are the images' own statistics: take ImageNet's, with which the network was trained"
BGR = "the channels are red, green, blue, in this order: is your mean in the order of blue, green, red?"
IMPLIED = ("{channel}: your numbers come from mean {mine:.4g} and standard deviation {my_std:.4g} of pixels in [0, 1], "
           "ImageNet's are {mean} and {std}")
WRONG_AXIS = "one mean per channel: yours runs along another axis, where does .view(3, 1, 1) put it?"
CHANNELS_LAST = "the channels have moved to the end: torch wants [N, 3, H, W]"

# 7.2
PAIR = "return two tensors: the probabilities, then the class indices"
PAIR_SWAPPED = "the probabilities come first, the class indices second"
SCORES = "these are scores, not probabilities: where is the softmax?"
BATCH_AXIS = "your softmax sums to 1 over the images of the batch: it should over the classes of each image"
LOG = "these are logarithms of probabilities: softmax rather than log_softmax"
K_SOFTMAX = "the k probabilities sum to 1: the softmax goes over all K classes, before the k best are kept"
ASCENDING = "best first: yours begins with the least probable"
TOPK_AXIS = "the k best classes of each image, not the k best images of each class: look at topk's dim"
K_FIXED = "k is an argument: yours always gives five classes"
ALL_CLASSES = "keep only the k most probable classes"
CLASSES = "the probabilities are right, the classes are not: which of the K classes has each probability?"

# 7.3
BATCH_REPEATED = "the images are repeated along the batch axis: repeat along the channels, axis 1"
SIDE_REPEATED = "the images are repeated along their height or width: repeat along the channels, axis 1"
STACKED = "there is an axis too many: stack adds one, cat does not"
STILL_ONE = "there is still one channel: expand and repeat return a new tensor"
ONE_FILLED = "only one channel is filled, the others are 0: all three are equal"
THIRD = "each channel is the grey image itself, not a third of it"
MIXED = "the channels of one image come from different images: a reshape does not repeat, it cuts anew"


def check_7_1(answer):
    # Three of everything first: statistics along a wrong axis then give wrong numbers rather than an error.
    """pixels to floats in [0, 1], minus the mean, over the standard deviation (one number per channel)"""
    for shape in ([3, 3, 3, 3], [2, 3, 4, 5]):
        images = pixels(shape)
        found = answer(images)
        compare(found, normalised(images), mistakes_7_1(images), implied(found, images), dtype=torch.float32)


def implied(found, images):
    """[a hint that says which mean and standard deviation were used for a channel], [] if no such numbers fit."""
    if not isinstance(found, torch.Tensor) or found.shape != images.shape or not found.isfinite().all():
        return []
    pixels, found = (each.detach().cpu().double().transpose(0, 1).flatten(1) for each in (images / 255, found))
    for channel, x, y, mean, std in zip(("red", "green", "blue"), pixels, found, MEAN, STD, strict=True):
        slope = ((x - x.mean()) * (y - y.mean())).sum() / (x - x.mean()).square().sum()
        mine, my_std = (x.mean() - y.mean() / slope).item(), (1 / slope).item()
        if not slope or ((x - mine) * slope - y).abs().max() > 1e-3 * y.abs().max():
            return []
        if abs(mine - mean) > 5e-4 or abs(my_std - std) > 5e-4:
            return [IMPLIED.format(channel=channel, mine=mine, my_std=my_std, mean=mean, std=std)]
    return []


def mistakes_7_1(images):
    x = images / 255
    mean, std = (torch.tensor(t, device=images.device) for t in (MEAN, STD))
    m, s = mean.view(3, 1, 1), std.view(3, 1, 1)
    expected = normalised(images)
    mistakes = [
        ((images - m) / s, SCALE),
        (expected * 255, SCALE),
        ((images - m) / s / 255, SCALE),
        ((x - 255 * m) / s, MEAN_SCALE),
        ((images // 255 - m) / s, INTEGERS),
        (x - m, NO_STD),
        (x / s, NO_MEAN),
        (x, ONLY_SCALED),
        ((x - m) * s, TIMES_STD),
        ((x + m) / s, PLUS_MEAN),
        ((x - s) / m, SWAPPED),
        ((x - 0.5) / 0.5, HALF),
        ((x - x.mean()) / x.std(), OWN_STATISTICS),
        ((x - x.mean((0, 2, 3), True)) / x.std((0, 2, 3), keepdim=True), OWN_STATISTICS),
        ((x - x.mean((2, 3), True)) / x.std((2, 3), keepdim=True), OWN_STATISTICS),
        ((x - m.flip(0)) / s.flip(0), BGR),
        (expected.permute(0, 2, 3, 1), CHANNELS_LAST),
    ]
    if images.shape[2:] == (3, 3):
        shapes = ([3], [3, 1], [3, 1, 1, 1])
        mistakes += [((x - mean.view(shape)) / std.view(shape), WRONG_AXIS) for shape in shapes]
    return mistakes


def check_7_2(answer):
    """a softmax over the K classes of each image, then the k largest: see torch.topk"""
    network = nn.Sequential(nn.Flatten(), nn.Linear(60, 10)).to(device())
    images = 3 * torch.randn(7, 3, 4, 5, device=device())
    scores = network(images).detach().cpu()
    probabilities = (scores - scores.logsumexp(dim=1, keepdim=True)).exp()
    best, classes = probabilities.sort(dim=1, descending=True)
    for k, arguments in ((5, ()), (3, (3,))):
        found, indices = expect_pair(answer(network, images, *arguments))
        mistakes = [
            (scores.topk(k).values, SCORES),
            (scores.softmax(dim=0).topk(k).values, BATCH_AXIS),
            (scores.log_softmax(dim=1).topk(k).values, LOG),
            (best[:, :k] / best[:, :k].sum(dim=1, keepdim=True), K_SOFTMAX),
            (best[:, :k].flip(1), ASCENDING),
            (best.flip(1)[:, :k], ASCENDING),
            (probabilities.topk(k, dim=0).values, TOPK_AXIS),
            (best[:, :5], K_FIXED),
            (best, ALL_CLASSES),
            (probabilities, ALL_CLASSES),
        ]
        compare(found, best[:, :k], mistakes, dtype=torch.float32)
        compare(indices, classes[:, :k], hints=[CLASSES], tolerance=0, dtype=torch.int64)
        expect_no_gradient(found)


def expect_pair(found):
    """The two tensors (probabilities, indices) of a tuple or list."""
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("two tensors", describe(found), NO_RETURN if found is None else PAIR)
    if not all(isinstance(one, torch.Tensor) for one in found):
        raise Wrong("two tensors", f"{describe(found[0])} and {describe(found[1])}", PAIR)
    if found[1].is_floating_point() and not found[0].is_floating_point():
        raise Wrong("probabilities, then indices", f"first {describe(found[0])}", PAIR_SWAPPED)
    return found


def check_7_3(answer):
    """only the channel axis, number 1, goes from 1 to 3: see expand, repeat or cat"""
    for shape, dtype in (([3, 1, 4, 5], torch.uint8), ([1, 1, 4, 5], torch.float32)):
        images = pixels(shape).to(dtype)
        expected = v2.functional.grayscale_to_rgb(images)
        mistakes = [
            (images.repeat(3, 1, 1, 1), BATCH_REPEATED),
            (images.repeat(1, 1, 3, 1), SIDE_REPEATED),
            (images.repeat(1, 1, 1, 3), SIDE_REPEATED),
            (torch.stack([images] * 3), STACKED),
            (torch.stack([images] * 3, dim=1), STACKED),
            (expected.permute(0, 2, 3, 1), CHANNELS_LAST),
            (images, STILL_ONE),
            *((expected * channel.view(3, 1, 1), ONE_FILLED) for channel in torch.eye(3).to(images)),
            (expected / 3, THIRD),
            (expected // 3, THIRD),
            (images.repeat(3, 1, 1, 1).reshape(expected.shape), MIXED),
            (images.transpose(0, 1), MIXED),
        ]
        compare(answer(images), expected, mistakes, dtype=dtype)
