"""Answers to the exercises 13.4, 13.10 and 13.11."""

import math

import torch
from torch.nn import functional as F


def fair(n, generator):
    return torch.rand(n, generator=generator) < 0.5


def crop_flip(draw=lambda high, n, g: torch.randint(0, high, (n,), generator=g), coin=fair, mode="constant", axis=2,
              tied=False, same=False, padding_used=True, shuffled=False, floats=False, inplace=False):
    """Image by image."""
    def random_crop_flip(images, generator, padding=4):
        padding = padding if padding_used else 4
        n, _, height, width = images.shape
        wide = F.pad(images.float(), [padding] * 4, mode=mode)
        top = draw(2 * padding + 1, n, generator)
        left = top if tied else draw(2 * padding + 1, n, generator)
        mirrored = coin(n, generator)
        out = []
        for k in range(n):
            j = 0 if same else k
            window = wide[k, :, top[j]:top[j] + height, left[j]:left[j] + width]
            out.append(window.flip(axis) if mirrored[k] else window)
        if inplace:
            images.zero_()
        out = torch.stack(out[::-1] if shuffled else out)
        return out if floats else out.to(images.dtype)

    return random_crop_flip


def transposed(images, generator, padding=4):
    """Rows and columns exchanged in the index: only every pixel of the diagonal."""
    found = crop_flip()(images, generator, padding)
    return found[:, :, torch.randperm(found.shape[2], generator=generator)]


def mirrored_by_top(images, generator, padding=4):
    tops = []

    def draw(high, n, g):
        tops.append(torch.randint(0, high, (n,), generator=g))
        return tops[-1]

    return crop_flip(draw=draw, coin=lambda n, g: tops[0] >= padding)(images, generator, padding)


def channel_by_channel(images, generator, padding=4):
    return torch.cat([crop_flip()(images[:, k:k + 1], generator, padding) for k in range(images.shape[1])], 1)


def dealt(images, generator, padding=4):
    return crop_flip()(images, generator, padding)[torch.randperm(len(images), generator=generator)]


def gathered(images, generator, padding=4):
    """Right: with gather, twice."""
    n, c, h, w = images.shape
    wide = F.pad(images, (padding, padding, padding, padding))
    top, left = torch.randint(2 * padding + 1, (2, n), generator=generator)
    flips = torch.randint(0, 2, (n,), generator=generator).bool()
    rows = (top[:, None] + torch.arange(h)).view(n, 1, h, 1).expand(n, c, h, wide.shape[3]).to(images.device)
    columns = left[:, None] + torch.arange(w)
    columns[flips] = columns[flips].flip(1)
    columns = columns.view(n, 1, 1, w).expand(n, c, h, w).to(images.device)
    return wide.gather(2, rows).gather(3, columns)


def loops(confusion):
    """Right: class by class."""
    precision, recall = torch.zeros(2, len(confusion), dtype=torch.float64)
    for k, row in enumerate(confusion.tolist()):
        column = confusion[:, k].sum().item()
        precision[k] = row[k] / column if column else 0
        recall[k] = row[k] / sum(row) if sum(row) else 0
    return precision, recall


def ratios(confusion, precision=0, recall=1, least=1, convert=lambda t: t.double(), total=None):
    right = convert(confusion.diag())
    sums = [confusion.sum(axis) if total is None else confusion.sum() for axis in (precision, recall)]
    return tuple(right / (part.clamp_min(least) if least else part) for part in sums)


def by_sets(positions, share):
    """Right: with Python's own sets."""
    regions = sorted(set(positions.tolist()))
    count = max(1, min(round(share * len(regions)), len(regions) - 1))
    held = set(regions[len(regions) - count:])
    inside = [p in held for p in positions.tolist()]
    return (torch.tensor([k for k, yes in enumerate(inside) if not yes]),
            torch.tensor([k for k, yes in enumerate(inside) if yes]))


def by_slices(positions, share):
    order = positions.argsort(stable=True)
    count = round(share * len(order))
    return order[:len(order) - count], order[len(order) - count:]


def at_random(positions, share):
    order = torch.randperm(len(positions))
    count = max(1, round(share * len(order)))
    return order[count:], order[:count]


def of_range(positions, share):
    """A share of the length, not of the regions."""
    low, high = positions.min().item(), positions.max().item()
    held = positions >= low + (1 - share) * (high - low)
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def split(first=False, rounded=round, swapped=False, masks=False, least=True, positions_returned=False):
    def split_by_region(positions, share):
        regions = positions.unique()
        count = rounded(share * len(regions))
        if least:
            count = min(max(1, count), len(regions) - 1)
        held = torch.isin(positions, regions[:count] if first else regions[len(regions) - count:])
        if positions_returned:
            return positions[~held], positions[held]
        if masks:
            return ~held, held
        parts = (~held).nonzero().flatten(), held.nonzero().flatten()
        return parts[::-1] if swapped else parts

    return split_by_region


def slices_of_whole_regions(positions, share):
    """As many whole regions as are needed for that share of the slices."""
    regions = positions.unique().tolist()
    held, wanted = [], share * len(positions) - 1
    while sum((positions == p).sum().item() for p in held) < wanted and len(held) < len(regions) - 1:
        held.append(regions.pop())
    held = torch.isin(positions, torch.tensor(held or regions[-1:], device=positions.device))
    return (~held).nonzero().flatten(), held.nonzero().flatten()


RIGHT = {
    "13.4": [crop_flip(), gathered, crop_flip(coin=lambda n, g: torch.randint(2, (n,), generator=g) == 1)],
    "13.10": [loops, ratios, lambda c: torch.stack(ratios(c))],
    "13.11": [by_sets, split()],
}

MUTANTS = {
    "13.4": [
        (crop_flip(tied=True), "top and left go together"), (crop_flip(same=True), "all images have the same window"),
        (crop_flip(mode="reflect"), "comes in from outside is black"),
        (crop_flip(axis=1), "not upside down"), (crop_flip(shuffled=True), "changed places"),
        (crop_flip(coin=lambda n, g: torch.zeros(n).bool()), "no image is mirrored"),
        (crop_flip(coin=lambda n, g: torch.ones(n).bool()), "all images are mirrored"),
        (crop_flip(coin=lambda n, g: torch.rand(n, generator=g) < 0.2), "probability ½"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high - 1, (n,), generator=g)), "0 … 2 · padding"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high // 2 + 1, (n,), generator=g)), "0 … 2 · padding"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high, (n,))), "with the same seed"),
        (crop_flip(padding_used=False), "is the argument used"), (crop_flip(floats=True), "another type"),
        (crop_flip(inplace=True), "changed by your function"), (transposed, "rows and columns of a window"),
        (lambda images, generator, padding=4: images.clone(), "all images have the same window"),
        (crop_flip(coin=lambda n, g: torch.arange(n) % 2 == 0), "drawn image by image"),
        (crop_flip(draw=lambda high, n, g: (torch.rand(n, generator=g) * (high - 1)).round().long()), "0 … 2 · pad"),
        (mirrored_by_top, "top and the mirror go together"), (channel_by_channel, "all three move together"),
        (dealt, "changed places"), (crop_flip(mode="circular"), "comes in from outside is black"),
        (lambda images, generator, padding=4: crop_flip()(images, torch.Generator().manual_seed(0), padding),
         "do not seed"),
    ],
    "13.10": [
        (lambda c: ratios(c, 1, 0), "changed places"), (lambda c: ratios(c, least=0), "not NaN"),
        (lambda c: ratios(c, total=True), "not by the number of all"), (lambda c: ratios(c)[0], "the pair"),
        (lambda c: ratios(c, convert=lambda t: t.float()), "another type"),
        (lambda c: ratios(c.T), "changed places"), (lambda c: None, "the pair"),
        (lambda c: ratios(c, 0, 0), "the same"),
    ],
    "13.11": [
        (at_random, "whole regions are held out"), (by_slices, "that of the positions"),
        (split(swapped=True), "the larger part is for training"), (split(first=True), "largest positions"),
        (split(rounded=math.floor), "nearest whole number"),
        (split(rounded=math.ceil), "nearest whole number"),
        (lambda positions, share: split()(positions, 1 - share), "share that is held out"),
        (of_range, "number of distinct positions"), (split(masks=True), "return indices"),
        (split(least=False), "at least one region"), (split(positions_returned=True), "in one of the two parts"),
        (slices_of_whole_regions, "that of the positions"),
    ],
}
