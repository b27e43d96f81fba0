"""Numbers: accuracy, confusion, means over seeds, duplicates."""

import hashlib

import torch


def accuracy(predictions, labels):
    """Share of equal entries of two int64 tensors [N], as a float."""
    return (torch.as_tensor(predictions) == labels).double().mean().item()


def confusion(predictions, labels, classes):
    """int64 [K, K]: entry (i, j) counts the images of class i that were taken for class j."""
    return torch.bincount(labels * classes + torch.as_tensor(predictions), minlength=classes**2).view(classes, classes)


def most_confused(matrix, k=5):
    """The k largest errors of a confusion matrix: [(true class, predicted class, count)], largest first."""
    errors = matrix.clone().fill_diagonal_(0)
    counts, places = errors.flatten().topk(min(k, errors.numel()))
    return [(p // len(matrix), p % len(matrix), c) for p, c in zip(places.tolist(), counts.tolist(), strict=True) if c]


def mean_sd(values):
    """(mean, standard deviation of the sample) of a list of numbers; the deviation of one value is 0."""
    values = torch.tensor(values, dtype=torch.double)
    return values.mean().item(), values.std().item() if len(values) > 1 else 0.0


def percent(values):
    """"87.5 ± 0.3 %": mean and standard deviation of shares in [0, 1]; without ± for a single one."""
    mean, sd = mean_sd(values if isinstance(values, list) else [values])
    return f"{100 * mean:.1f}" + (f" ± {100 * sd:.1f} %" if isinstance(values, list) and len(values) > 1 else " %")


def duplicates(images):
    """Groups of byte-identical images: a list of lists of indices, each of two or more.

    images: uint8 [N, C, H, W]
    """
    groups = {}
    for index, image in enumerate(images):
        groups.setdefault(hashlib.sha256(image.contiguous().numpy().data).digest(), []).append(index)
    return [group for group in groups.values() if len(group) > 1]
