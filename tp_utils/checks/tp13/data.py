"""Exercises 13.4, 13.10 and 13.11: augmentation, two measures, a split without a leak."""

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe, expect_tensor, run, same
from ..kit.draws import drawn, expect_drawn

# What is said to the reader.

# 13.4
NO_WINDOW = "these are not windows of the padded images: rows and columns of a window lie side by side, in order"
REFLECTED = "what comes in from outside is black: F.pad's default, padding with zeros"
UPSIDE_DOWN = "mirror left and right, not upside down"
OTHERS = "the images have changed places: image k of the result comes from image k"
PER_CHANNEL = "the channels of an image have different windows: all three move together"
SAME_WINDOW = "all images have the same window: draw a top and a left for each, torch.randint(…, (N, 1), …)"
TIED = "{} and {} go together: each is drawn for itself"
RANGE = "top and left are each uniform in 0 … 2 · padding, both included"
MIRRORED = "each image is mirrored with probability ½, drawn image by image from the generator"
NEVER = "no image is mirrored: draw for each image whether it is"
ALWAYS = "all images are mirrored: draw for each image whether it is"
PADDING = "with padding={} the windows have other places: is the argument used?"

# 13.10
SWAPPED = "precision and recall have changed places: rows are the true classes, columns the predicted ones"
NAN = "a class that is never predicted has precision 0, not NaN: divide by at least 1"
NAN_RECALL = "a class without images has recall 0, not NaN: divide by at least 1"
PAIR = "return the pair (precision, recall)"
ACCURACY = "divide by the sums of columns and rows, not by the number of all images"
TWICE = "the two are the same: one divides by the columns' sums, the other by the rows'"

# 13.11
MASKS = "return indices, int64: mask.nonzero().flatten()"
IN_BOTH = "a position is in both parts: whole regions are held out"
LOST = "each slice is in one of the two parts, and once"
EXCHANGED = "the larger part is for training, the regions held out are validation: (training, validation)"
FIRST_ONES = "the regions with the largest positions are held out"
OF_TRAINING = "`share` is the share that is held out, not the one for training"
BY_SLICES = "`share` is that of the positions, whatever the number of slices in each"
ROUNDED = "share times the number of distinct positions, rounded to the nearest whole number, is how many are held out"
AT_LEAST = "at least one region is held out, and at least one is kept"


# ---- 13.4


def windows(images, padding, mirror=3, **how):
    """All windows of each image, straight and mirrored: [N, 2 (2 padding + 1)², …], by top, left, mirrored."""
    height, width = images.shape[2:]
    padded = F.pad(images.float(), [padding] * 4, **how)
    every = [padded[:, :, top:top + height, left:left + width]
             for top in range(2 * padding + 1) for left in range(2 * padding + 1)]
    return torch.stack([view for window in every for view in (window, window.flip(mirror))], 1)


def places(found, images, padding):
    """(top, left, mirrored) of each image's window, int64 [N] each; Wrong where there is no such window."""
    found = found.float()
    fits = (windows(images, padding) == found[:, None]).flatten(2).all(2)
    if not fits.any(1).all():
        def mostly(every, found=found):
            return (every == found[:, None]).flatten(2).all(2).any(1).float().mean() > 0.9

        white = 255 if images.dtype == torch.uint8 else 1
        fills = [{"mode": mode} for mode in ("reflect", "replicate", "circular")] + [{"value": white}]
        every, few = windows(images, padding), found[:4]
        elsewhere = [(every == one).flatten(2).all(2).any(1).nonzero().flatten().tolist() for one in few]
        channels = all(mostly(windows(images[:, k:k + 1], padding), found[:, k:k + 1]) for k in range(images.shape[1]))
        if any(mostly(windows(images, padding, **how)) for how in fills):
            hint = REFLECTED
        elif mostly(windows(images, padding, mirror=2)):
            hint = UPSIDE_DOWN
        elif channels:
            hint = PER_CHANNEL
        else:
            hint = OTHERS if any(elsewhere) else NO_WINDOW
        raise Wrong("windows of the padded images", describe(found), hint)
    which = fits.float().argmax(1)
    side = 2 * padding + 1
    return which // 2 // side, which // 2 % side, which % 2


def check_13_4(answer):
    """F.pad(images, [padding] * 4); top and left: torch.randint(0, 2 * padding + 1, (N, 1), generator=generator); rows
    = top + torch.arange(H), columns = left + torch.arange(W), flipped for half of the images; index with [N, 1, 1],
    [N, H, 1], [N, 1, W]"""
    count, padding = 240, 4
    shades = torch.randint(1, 255, (count, 2, 7, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images = shades.to(device())
    found = run(answer, images, drawn(0))
    expect_tensor(found, images.shape, images.dtype)
    top, left, _ = places(found, images, padding)
    if top.unique().numel() == 1 and left.unique().numel() == 1:
        raise Wrong("a window for each image", "the same for all", SAME_WINDOW)
    expect_drawn(lambda generator: answer(images, generator))
    draws = [places(answer(images, drawn(seed)), images, padding) for seed in (2, 3, 4)]
    expect_fair([torch.cat(parts) for parts in zip(*draws, strict=True)], padding)
    if torch.equal(draws[0][2], draws[1][2]):
        raise Wrong("other images mirrored at each draw", "the same", MIRRORED)
    few = images[:60, :1].float() / 255
    for other in (2, 1):
        found = answer(few, drawn(2), padding=other)
        expect_tensor(found, few.shape, torch.float32)
        try:
            places(found, few, other)
        except Wrong:
            places(found, few, padding)  # the default instead of the argument
            raise Wrong(f"windows with padding {other}", f"with {padding}", PADDING.format(other)) from None


def expect_fair(drawn, padding):
    """Raise Wrong unless (top, left, mirrored), int64 [n] each, are uniform and independent of each other."""
    n = len(drawn[0])
    for values in drawn[:2]:
        counts, fair = torch.bincount(values, minlength=2 * padding + 1), n / (2 * padding + 1)
        if counts.min() < 0.62 * fair or counts.max() > 1.45 * fair:
            raise Wrong(f"0 … {2 * padding}, each about {fair:.0f} times", f"{counts.tolist()} times", RANGE)
    share = drawn[2].float().mean().item()
    if not 0.4 < share < 0.6:
        raise Wrong("half of the images mirrored", f"{share:.0%}", {0: NEVER, 1: ALWAYS}.get(share, MIRRORED))
    likeness = torch.corrcoef(torch.stack(drawn).float())
    for i, j in ((0, 1), (0, 2), (1, 2)):
        if likeness[i, j].abs() > 0.25:
            names = ("top", "left", "the mirror")
            raise Wrong("top, left and mirror drawn each for itself", "together", TIED.format(names[i], names[j]))


# ---- 13.10


def check_13_10(answer):
    """right = confusion.diag().double(); precision = right / confusion.sum(0).clamp_min(1), recall = right /
    confusion.sum(1).clamp_min(1)"""
    from sklearn.metrics import precision_recall_fscore_support

    generator = torch.Generator().manual_seed(0)
    truth = torch.randint(0, 5, (60,), generator=generator)
    truth[truth == 3] = 1  # no image of class 3
    guess = torch.randint(0, 5, (60,), generator=generator)
    guess[:36] = truth[:36]
    guess[guess == 4] = 0  # class 4 is never predicted
    confusion = torch.zeros(5, 5, dtype=torch.int64).index_put_((truth, guess), torch.tensor(1), accumulate=True)
    precision, recall = (torch.from_numpy(values) for values in precision_recall_fscore_support(
        truth, guess, labels=range(5), zero_division=0)[:2])
    found = run(answer, confusion)
    if isinstance(found, torch.Tensor) and found.shape == (2, 5):
        found = tuple(found)  # it comes apart as a pair does
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("(precision, recall)", describe(found), PAIR)
    if all(isinstance(value, torch.Tensor) for value in found) and same(*found) and any(
            same(found[0], value) for value in (precision, recall)):
        raise Wrong("two different tensors", "the same twice", TWICE)
    right, total = confusion.diag().double().cpu(), confusion.sum().item()
    for value, expected, other, hint in ((found[0], precision, recall, NAN), (found[1], recall, precision, NAN_RECALL)):
        if isinstance(value, torch.Tensor) and value.isnan().any():
            raise Wrong("numbers", "NaN", hint)
        compare(value, expected, [(other, SWAPPED), (right / total, ACCURACY)], tolerance=1e-6, dtype=torch.float64)


# ---- 13.11


def check_13_11(answer):
    """regions = positions.unique(); count = round(share * len(regions)), at least 1 and at most len − 1; held =
    torch.isin(positions, regions[-count:]); (~held).nonzero().flatten(), held.nonzero().flatten()"""
    uneven = torch.tensor([44, 0, 35, 35, 47, 40, 44, 0, 35, 50, 47, 35, 35, 40, 35])  # many, and many slices, at 35
    for positions, share in ((uneven, 1 / 3), (uneven, 0.5), (uneven.flip(0) * 7, 0.3), (uneven, 0.24), (uneven, 0.01),
                             (uneven, 0.99), (torch.tensor([5, 9]), 0.5)):
        positions = positions.to(device())
        found = run(answer, positions, share)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(training, validation)", describe(found), *([NO_RETURN] if found is None else []))
        for part in found:
            if not isinstance(part, torch.Tensor) or part.dtype != torch.int64 or part.ndim != 1:
                raise Wrong("int64 [n], indices", describe(part), MASKS)
        expect_parts(positions, share, *(part.tolist() for part in found))


def expect_parts(positions, share, training, validation):
    """Raise Wrong unless the two lists of indices are whole regions, the last ones held out, as many as asked for."""
    every = positions.tolist()
    regions = sorted(set(every))
    if sorted(training + validation) != list(range(len(every))):
        raise Wrong("each slice in one part", f"{len(training)} + {len(validation)} of {len(every)}", LOST)
    kept, held = ({every[index] for index in part} for part in (training, validation))
    if kept & held:
        raise Wrong("no position in both parts", f"{sorted(kept & held)} in both", IN_BOTH)
    count = min(max(1, round(share * len(regions))), len(regions) - 1)
    expected = f"positions {regions[-count:]} held out"
    if held == set(regions[-count:]):
        return
    if count != len(regions) - count and held == set(regions[count - len(regions):]):
        raise Wrong(expected, f"{sorted(held)}", OF_TRAINING)
    if kept == set(regions[-count:]):
        raise Wrong(expected, f"{sorted(held)}", EXCHANGED)
    if held == set(regions[:count]):
        raise Wrong(expected, f"{sorted(held)}", FIRST_ONES)
    if not kept or not held:
        raise Wrong(expected, f"{sorted(held)}", AT_LEAST)
    if held != set(regions[-len(held):]):
        raise Wrong(expected, f"{sorted(held)}", FIRST_ONES)
    tails = [set(regions[k:]) for k in range(len(regions) - 1, 0, -1)]
    by_slices = [tail for tail in tails if sum(index in tail for index in every) >= share * len(every) - 1e-6]
    raise Wrong(expected, f"{sorted(held)}", BY_SLICES if held in by_slices[:1] else ROUNDED)
