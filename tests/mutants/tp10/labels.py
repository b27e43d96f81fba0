"""Answers to the exercises 10.1 and 10.2."""

import torch
from torch.nn import functional as F

from .common import hot, one_label, planes


def hot_by_scatter(labels, classes):
    return torch.zeros(len(labels), classes, device=labels.device).scatter_(1, labels[:, None], 1)


def hot_by_loop(labels, classes):
    result = torch.zeros(len(labels), classes, device=labels.device)
    for row, label in zip(result, labels, strict=True):
        row[label] = 1.0
    return result


def hot_in_place(labels, classes):
    result = hot(labels, classes)
    labels.zero_()
    return result


def hot_all_at_once(labels, classes):
    result = torch.zeros(len(labels), classes, device=labels.device)
    result[:, labels] = 1
    return result


def hot_not_in_place(labels, classes):
    result = torch.zeros(len(labels), classes, device=labels.device)
    result.scatter(1, labels[:, None], 1)
    return result


def spread(flat, size):
    return flat[:, :, None, None].expand(-1, -1, size, size)


def planes_by_loop(labels, classes, size):
    result = torch.zeros(len(labels), classes, size, size, device=labels.device)
    result[range(len(labels)), labels] = 1
    return result


def planes_by_embedding(labels, classes, size):
    return F.embedding(labels, torch.eye(classes, device=labels.device)).view(-1, classes, 1, 1) * torch.ones(
        size, size, device=labels.device)


def planes_one_pixel(labels, classes, size):
    return F.pad(hot(labels, classes)[:, :, None, None], (0, size - 1, 0, size - 1))


RIGHT = {
    "10.1": [hot, hot_by_scatter, hot_by_loop, lambda y, k: torch.eye(k, device=y.device)[y]],
    "10.2": [planes, planes_by_loop, planes_by_embedding],
}

MUTANTS = {
    "10.1": [
        (lambda y, k: F.one_hot(y).float(), "largest label"),
        (lambda y, k: hot(y, int(y.max()) + 1), "largest label"),
        (lambda y, k: hot(y, 10), "always ten"),
        (F.one_hot, "float32"), (lambda y, k: hot(y, k).bool(), "float32"),
        (lambda y, k: hot(y, k).double(), "float32"),
        (lambda y, k: hot(y, k).T, "the other way round"),
        (lambda y, k: y.float()[:, None], "as a number"), (lambda y, k: y, "as a number"),
        (lambda y, k: hot(y, k) * y[:, None], "should be 1"),
        (lambda y, k: 1 - hot(y, k), "changed places"),
        (lambda y, k: hot(y - 1, k) + hot(y - 1 + k, k), "one column off"),
        (lambda y, k: hot(one_label(y), k), "first one"),
        (lambda y, k: hot(y, k)[..., None, None], "axes too many"), (lambda y, k: hot(y[:, None], k), "axes too many"),
        (lambda y, k: hot(y, k).squeeze(), "loses its batch axis"),
        (lambda y, k: (y[:, None] == torch.arange(1, k + 1, device=y.device)).float(), "one column off"),
        (lambda y, k: (y[:, None] + 1 == torch.arange(k, device=y.device)).float(), "one column off"),
        (lambda y, k: (torch.arange(k, device=y.device) <= y[:, None]).float(), "up to the label"),
        (hot_all_at_once, "all images"), (hot_not_in_place, "scatter_ changes"),
        (hot_in_place, "clone"), (lambda y, k: hot(y, k).cpu().numpy(), "torch tensor"), (lambda y, k: None, "return"),
    ],
    "10.2": [
        (lambda y, k, s: planes(y, int(y.max()) + 1, s), "largest label"),
        (lambda y, k, s: planes(y, 10, s), "always ten"),
        (lambda y, k, s: planes(y, k, 32), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, 1), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, k), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, s).permute(0, 2, 3, 1), "last axis"),
        (lambda y, k, s: planes(y, k, s).transpose(0, 1), "the other way round"),
        (lambda y, k, s: y.float()[:, None, None, None].expand(-1, 1, s, s), "one plane"),
        (lambda y, k, s: (y / k)[:, None, None, None].expand(-1, 1, s, s), "one plane"),
        (lambda y, k, s: (y / k)[:, None, None, None].expand(-1, k, s, s), "one plane"),
        (lambda y, k, s: planes(y, k, s) * y[:, None, None, None], "should be 1"),
        (lambda y, k, s: 1 - planes(y, k, s), "changed places"),
        (lambda y, k, s: planes(one_label(y), k, s), "first one"),
        (lambda y, k, s: hot(y, k).repeat(1, s * s).view(-1, k, s, s), "mixed up"),
        (lambda y, k, s: hot(y, k), "no height"),
        (lambda y, k, s: spread(hot_all_at_once(y, k), s), "all images"),
        (lambda y, k, s: spread(hot_not_in_place(y, k), s), "scatter_ changes"),
        (lambda y, k, s: planes(y, k, s).flatten(2), "in a row"),
        (lambda y, k, s: planes(y, k, s) / s**2, "divided by the number of pixels"),
        (lambda y, k, s: planes(y, k, s).squeeze(), "loses its batch axis"),
        (lambda y, k, s: planes(y - 1, k, s), "one column off"),
        (planes_one_pixel, "one pixel"),
        (lambda y, k, s: planes(y, k, s).long(), "float32"),
    ],
}
