"""What the numbers are made of: classes, features, values that fit each other; others are refused in one sentence."""

import numpy as np
import torch

from ..runtime.expect import described, numbers, refuse

# What is said to the reader.
NOT_CLASSES = "{what} must be classes, whole numbers [N], not {found}{hint}"
SCORES = ": of scores take the largest, .argmax(1)"
COLUMN = ": a column is flattened by [:, 0]"
PARTS = ": they have parts after the point"
NOTHING = "there are no {what}: nothing can be counted"
COUNT = "there are {one} {what} for {other} {others}: each image needs one of both"
OUTSIDE = "{what} go from {low} to {high}, where 0 to {last} is expected: there are {classes} classes"
NOT_FEATURES = "{what} must be features [N, F], not {found}"
WIDTHS = "{what} have {one} features an image, {others} {other}: take both from the same network and layer"
NOT_FINITE = "{what} hold values that are infinite or no numbers"
FEW = "{what} are of {count} images, and {least} at least are needed"
NOT_VALUES = "{what} must be numbers in a list, not {found}"
NOT_SHARES = "shares lie between 0 and 1, not from {low:g} to {high:g}"
NOT_SQUARE = "a confusion matrix has a row and a column for each class, [K, K], not {found}"


def tensor(text, what, values):
    """Values as a tensor on the CPU; `text` says what they must be."""
    try:
        return torch.as_tensor(values if isinstance(values, torch.Tensor) else np.asarray(values)).detach().cpu()
    except (TypeError, ValueError, RuntimeError):
        refuse(text, what=what, found=described(values), hint="")


def classes(**named):
    """Classes as int64 tensors [N], N ≥ 1, on the CPU: a list, as many of each."""
    found = []
    for what, values in named.items():
        values = tensor(NOT_CLASSES, what, values)
        if values.ndim != 1:
            hint = "" if values.ndim != 2 else COLUMN if values.shape[1] == 1 else SCORES
            refuse(NOT_CLASSES, what=what, found=described(values), hint=hint)
        if values.is_complex() or (values.is_floating_point() and not (values == values.round()).all()):
            refuse(NOT_CLASSES, what=what, found=described(values), hint=PARTS)
        if not len(values):
            refuse(NOTHING, what=what)
        found.append(values.long())
    for what, values in zip(named, found, strict=True):
        as_many(next(iter(named)), found[0], what, values)
    return found


def as_many(what, values, others, other_values):
    if len(values) != len(other_values):
        refuse(COUNT, what=what, one=len(values), others=others, other=len(other_values))


def within(count, **named):
    """Classes must be among 0 … count − 1; returns `count` as Python's own."""
    (count,) = numbers(classes=count)
    for what, values in named.items():
        if not 0 <= values.min() <= values.max() < count:
            refuse(OUTSIDE, what=what, low=values.min(), high=values.max(), last=count - 1, classes=count)
    return count


def features(least=1, **named):
    """Features as float64 tensors [N, F], N ≥ least, finite, on the CPU: a list, all of the same F."""
    found = []
    for what, values in named.items():
        values = tensor(NOT_FEATURES, what, values)
        if values.ndim != 2:
            refuse(NOT_FEATURES, what=what, found=described(values))
        if len(values) < least:
            refuse(FEW, what=what, count=len(values), least=least)
        if not values.isfinite().all():
            refuse(NOT_FINITE, what=what)
        found.append(values.double())
        if values.shape[1] != found[0].shape[1]:
            refuse(WIDTHS, what=next(iter(named)), one=found[0].shape[1], others=what, other=values.shape[1])
    return found


def values_of(what, values):
    """Numbers as a float64 tensor [N], N ≥ 1; a number alone is one of them."""
    values = tensor(NOT_VALUES, what, values)
    if values.ndim > 1 or values.is_complex():
        refuse(NOT_VALUES, what=what, found=described(values))
    if not values.numel():
        refuse(NOTHING, what=what)
    return values.reshape(-1).double()


def square_matrix(matrix):
    """A confusion matrix as a tensor [K, K], on the CPU."""
    matrix = tensor(NOT_SQUARE, "matrix", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        refuse(NOT_SQUARE, found=described(matrix))
    return matrix
