"""Images of TP 13: a split in three, the colleague's file, what a network says of images."""

from dataclasses import dataclass

import torch

from ...data.imageset import resized
from ...runtime import device

HELD_OUT = 0.1  # share of the training images on which choices are made


@dataclass
class Split:
    """Images uint8 [N, 3, S, S] and labels int64 [N]: to train on, held out of the training images, to test on."""

    train_images: torch.Tensor
    train_labels: torch.Tensor
    held_images: torch.Tensor
    held_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


def split_at(data, size, test=10000):
    """The Split of an ImageSet at size × size; always the same tenth of its training images is held out."""
    order = torch.randperm(len(data.train_images), generator=torch.Generator().manual_seed(0))
    held, kept = order.split([round(HELD_OUT * len(order)), len(order) - round(HELD_OUT * len(order))])
    images = resized(data.train_images, size)
    return Split(images[kept], data.train_labels[kept], images[held], data.train_labels[held],
                 resized(data.test_images[:test], size), data.test_labels[:test])


def scaled(images):
    """uint8 to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


@torch.no_grad()
def predictions(network, images):
    """Predicted classes int64 [N] of uint8 images, in eval mode, on the CPU."""
    network.to(device()).eval()
    return torch.cat([network(scaled(part.to(device()))).argmax(1).cpu() for part in images.split(500)])


def colleagues_file(split, count=5000):
    """The Split's first training images and their labels, as they lay in a colleague's file: sorted by class."""
    order = split.train_labels[:count].argsort(stable=True)
    return split.train_images[order], split.train_labels[order]
