"""Numbers: accuracy, confusion, means over seeds, duplicates. What does not fit is refused (inputs.py)."""

import hashlib

import torch

from ..runtime import expect, pixels
from . import inputs


def accuracy(predictions, labels):
    """Share of equal entries of two sets of classes [N], as a float. Raises ValueError for what does not fit."""
    predictions, labels = inputs.classes(predictions=predictions, labels=labels)
    return (predictions == labels).double().mean().item()


def confusion(predictions, labels, classes):
    """int64 [K, K]: entry (i, j) counts the images of class i that were taken for class j.

    predictions, labels: classes [N] from 0 to K − 1; ValueError for others
    """
    predictions, labels = inputs.classes(predictions=predictions, labels=labels)
    classes = inputs.within(classes, predictions=predictions, labels=labels)
    return torch.bincount(labels * classes + predictions, minlength=classes**2).view(classes, classes)


def most_confused(matrix, k=5):
    """The k largest errors of a confusion matrix: [(true class, predicted class, count)], largest first."""
    (k,), errors = expect.numbers(k=k), inputs.square_matrix(matrix).clone().fill_diagonal_(0)
    counts, places = errors.flatten().topk(min(k, errors.numel()))
    return [(p // len(errors), p % len(errors), c) for p, c in zip(places.tolist(), counts.tolist(), strict=True) if c]


def mean_sd(values):
    """(mean, standard deviation of the sample) of a list of numbers; the deviation of one value is 0."""
    values = inputs.values_of("values", values)
    return values.mean().item(), values.std().item() if len(values) > 1 else 0.0


def percent(values):
    """"87.5 ± 0.3 %": mean and standard deviation of shares in [0, 1]; without ± for a single one."""
    values = inputs.values_of("shares", values)
    if values.min() < 0 or values.max() > 1:
        expect.refuse(inputs.NOT_SHARES, low=values.min(), high=values.max())
    mean, sd = mean_sd(values)
    return f"{100 * mean:.1f}" + (f" ± {100 * sd:.1f} %" if len(values) > 1 else " %")


def duplicates(images):
    """Groups of byte-identical images: a list of lists of indices, each of two or more.

    images: uint8 [N, C, H, W]
    """
    groups = {}
    for index, image in enumerate(pixels.as_bytes(pixels.batch(images))):
        groups.setdefault(hashlib.sha256(image.cpu().contiguous().numpy().data).digest(), []).append(index)
    return [group for group in groups.values() if len(group) > 1]
