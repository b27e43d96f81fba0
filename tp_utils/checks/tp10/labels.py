"""Exercises 10.1 and 10.2: a label as numbers, and as planes."""

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, run
from .common import hot, planes

# What is said to the reader.
DEVICE = "it is on another device than the labels: create tensors with device=labels.device"
LARGEST = "the number of classes is guessed from the largest label: a batch need not hold every class, use `classes`"
FIXED_TEN = "there are always ten classes: use the argument `classes`"
TRANSPOSED = "one row per image, one column per class: yours is the other way round"
NUMBER = "that is the label as a number: a network would take class 9 for nine times class 1. One column per class"
SCALED = "the entry of the label is the label itself: it should be 1, whatever the label"
INVERTED = "ones and zeros have changed places"
OFF_BY_ONE = "the 1 is one column off: label 0 has column 0"
ALL_AT_ONCE = "each row has the ones of all images: result[:, labels] = 1 fills columns, result[arange, labels] = 1 not"
EMPTY = "there is no 1 in it: scatter gives a new tensor, scatter_ changes the one that is there"
UP_TO = "every class up to the label has a 1: the label's own column alone (==, not <=)"
COLUMNS = "there are axes too many: a row of `classes` numbers per image, [N, classes]"
LOST_BATCH = "a batch of one image loses its batch axis: no squeeze()"
FIRST_ONLY = "all images get the label of the first one: each has its own"
ONE_PLANE = "that is one plane that holds the label's number: make `classes` planes of zeros and ones"
IN_A_ROW = "the pixels of a plane are in a row: [N, classes, size, size] has two axes for them"
SPREAD = "a plane's values are divided by the number of pixels: each is 0 or 1"
SIZE = "each plane is size × size: `size` is an argument"
CLASSES_LAST = "the classes are the last axis: torch wants [N, classes, size, size]"
ONE_PIXEL = "only one pixel of the label's plane is 1: the whole plane is"
MIXED = "the planes are mixed up: view or reshape after repeat cuts anew; add two axes first, then expand them"
NO_AXES = "the planes have no height and width yet: expand two new axes to size × size"


def check_10_1(answer):
    """F.one_hot(labels, classes) has the right shape; then .float()"""
    for labels, classes in (([2, 0, 3, 0, 1], 6), ([1], 4), ([0, 0, 2], 12)):
        labels = torch.tensor(labels, device=device())
        right = hot(labels, classes)
        found = run(answer, labels, classes)
        compare(found, right, [
            *wrong_classes(labels, classes), (labels, NUMBER), (labels[:, None], NUMBER),
            *wrong_entries(right, labels), (right.T, TRANSPOSED),
            *([(right[0], LOST_BATCH)] if len(labels) == 1 else []),
            *((right.view(shape), COLUMNS) for shape in (
                (*right.shape, 1), (*right.shape, 1, 1), (len(labels), 1, classes), (1, *right.shape))),
        ], dtype=torch.float32)
        expect_device(found)


def check_10_2(answer):
    """one_hot(labels, classes) is [N, classes]: add two axes with [:, :, None, None], then .expand(-1, -1, size,
    size)"""
    for labels, classes, size in (([2, 0, 2, 1], 5, 3), ([1], 3, 1), ([0, 2], 12, 4)):
        labels = torch.tensor(labels, device=device())
        flat = hot(labels, classes)
        right, numbers = planes(flat, size), planes(labels[:, None].float(), size)
        corner = F.pad(planes(flat, 1), (0, size - 1, 0, size - 1))
        found = run(answer, labels, classes, size)
        compare(found, right, [
            *((planes(wrong, size), hint) for wrong, hint in wrong_classes(labels, classes)),
            *((numbers / scale, ONE_PLANE) for scale in (1, classes, classes - 1)),
            *((numbers.expand_as(right) / scale, ONE_PLANE) for scale in (1, classes, classes - 1)),
            *((planes(wrong, size), hint) for wrong, hint in wrong_entries(flat, labels)),
            (right.flatten(2), IN_A_ROW), (right.flatten(1), IN_A_ROW), (right / size**2, SPREAD),
            *([(right[0], LOST_BATCH), (right.squeeze(), LOST_BATCH)] if len(labels) == 1 else []),
            (right.permute(0, 2, 3, 1), CLASSES_LAST), (right.transpose(0, 1), TRANSPOSED),
            (flat.repeat(1, size * size).view_as(right), MIXED), (corner, ONE_PIXEL),
            (flat, NO_AXES), (flat[:, :, None], NO_AXES), (planes(flat, 1), SIZE),
            *((planes(flat, other), SIZE) for other in (28, 32, classes, len(labels), size * size)),
        ], dtype=torch.float32)
        expect_device(found)


def wrong_entries(right, labels):
    """(rows [N, classes], hint): what is in the place of the ones by mistake."""
    columns, numbers = torch.arange(right.shape[1], device=right.device), labels[:, None]
    yield right * numbers, SCALED
    yield 1 - right, INVERTED
    for shift in (1, -1):
        yield right.roll(shift, 1), OFF_BY_ONE
        yield (columns == numbers + shift).float(), OFF_BY_ONE
    yield right[:1].expand_as(right), FIRST_ONLY
    yield right.amax(0, keepdim=True).expand_as(right), ALL_AT_ONCE
    yield torch.zeros_like(right), EMPTY
    for order in (columns <= numbers, columns < numbers, columns >= numbers):
        yield order.float(), UP_TO


def wrong_classes(labels, classes):
    most = int(labels.max()) + 1
    for number, hint in ((most, LARGEST), (10, FIXED_TEN)):
        if number != classes and most <= number:
            yield hot(labels, number), hint


def expect_device(found):
    if found.device.type != device().type:
        raise Wrong(f"on {device().type}", describe(found), DEVICE)
