"""Exercises 11.1 and 11.2: the draw, and small maps that single dots give away."""

import torch

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, describe, expect_tensor, run
from ..kit.draws import drawn, expect_default, expect_drawn

# What is said to the reader.

# 11.1
INDICES = "indices of images, int64: not a mask, not the labels themselves"
TWICE = "an image is drawn twice: draw without putting back, torch.randperm"
OUTSIDE = "there are indices outside 0 … N − 1"
COUNT = "the number of indices is n, or K · per_class"
FIRST = "the draw is not uniform: some images, the first ones say, come up far more often than others"
PER_CLASS = "each class must come up per_class times"
UNBALANCED = "without per_class the draw is uniform over the images: classes come up as often as chance has it"

# 11.2
ANY_SIDE = "the images may have another side than 28: take it from images.shape"
TIED = "{} and {} go together: each is drawn for itself"
SAME_MAP = "all images get the same map: draw an angle, a scale and two shifts for each"
STILL = "nothing moves: is the map applied?"
NOT_MOVED = "the images are not {} enough: each map has an angle, a scale and two shifts, over their whole range"
FAR = "a dot near the middle of an image is gone: shifts are in units of half the image, 14 pixels"
TURN = "an image is turned by {:.0f}°, more than 15°: a 6 turned far enough is a 9. Angles are in radians"
SCALE = "an image is scaled by {:.2f}: between 0.9 and 1.1 either way"
SHIFT = "an image is moved by {:.1f} pixels, more than 2 in x or y: the grid's unit is half the image, 14 pixels"
MIRROR = "an image is mirrored: a digit's mirror image is no digit"
SHEAR = "an image is sheared or stretched: turn, scale and move only"
CONTENT = "the map depends on what is in the image: draw it from the generator alone"
HALVES = "angles, scales and shifts go both ways: their means over many images are 0°, 1 and 0"
RANGE = "values leave [0, 1]: interpolate bilinearly, grid_sample's default"
FILLED = "what comes in from outside is black: grid_sample's padding_mode=\"zeros\", its default"

DOTS = ((14.0, 14.0), (18.0, 14.0), (14.0, 18.0))  # x, y in pixels, pixel centres at k + 0.5


# ---- 11.1


def check_11_1(answer):
    """order = torch.randperm(N, generator=generator); None: its first n; otherwise, for each class, the first
    per_class of order[labels[order] == k], and torch.cat of them"""
    labels = torch.tensor([k for k, count in enumerate((60, 30, 90, 120)) for _ in range(count)])
    labels = labels[torch.randperm(300, generator=drawn(0))]
    for arguments, count in (({}, 100), ({"n": 24}, 24), ({"per_class": 5}, 20), ({"per_class": 30}, 120)):
        found = run(answer, labels, **arguments, generator=drawn(1))
        expect_indices(found, count, len(labels), labels)
        if "per_class" in arguments and torch.bincount(labels[found], minlength=4).tolist() != 4 * [count // 4]:
            raise Wrong(f"{count // 4} of each class", f"{torch.bincount(labels[found], minlength=4).tolist()}",
                        PER_CLASS)
        expect_drawn(lambda generator, given=arguments: answer(labels, **given, generator=generator))
    for arguments, expected in (({"n": 20}, 20 / 300 * torch.ones(300)),
                                ({"per_class": 5}, 5 / torch.bincount(labels)[labels].float())):
        draws = [answer(labels, **arguments, generator=drawn(seed)) for seed in range(60)]
        often = torch.bincount(torch.cat(draws), minlength=300) / len(draws)
        first, rest = often[:150].mean() / expected[:150].mean(), often[150:].mean() / expected[150:].mean()
        if ((often - expected).abs() > 7 * (expected / len(draws)).sqrt()).any() or abs(first - rest) > 0.3:
            raise Wrong("every image as likely as the others", f"one is drawn in {often.max():.0%} of the draws",
                        FIRST)
    spread = torch.stack([torch.bincount(labels[answer(labels, n=40, generator=drawn(seed))], minlength=4)
                          for seed in range(20)])
    if (spread == spread[0]).all():
        raise Wrong("as many of a class as chance has it", "always as many of a class", UNBALANCED)
    for arguments in ({}, {"per_class": 5}):
        expect_default(lambda given=arguments: answer(labels, **given, generator=None))


def expect_indices(found, count, total, labels):
    """Raise Wrong unless `found` are `count` different indices below `total`."""
    if found is None:
        raise Wrong("indices", "None", NO_RETURN)
    if isinstance(found, torch.Tensor) and (found.dtype == torch.bool or found.shape == labels.shape):
        raise Wrong(f"int64 [{count}]", describe(found), INDICES)
    if isinstance(found, torch.Tensor) and found.ndim == 1 and len(found) != count:
        raise Wrong(f"int64 [{count}]", describe(found), COUNT)
    expect_tensor(found, [count], torch.int64, [INDICES])
    if len(found.unique()) < count:
        few = found.max() <= labels.max()
        raise Wrong("different images", f"{len(found.unique())} different numbers", INDICES if few else TWICE)
    if found.min() < 0 or found.max() >= total:
        raise Wrong(f"indices from 0 to {total - 1}", describe(found), OUTSIDE)


# ---- 11.2: single dots, and where they go


def check_11_2(answer):
    """draw angle, scale and two shifts for each image (torch.rand(N, generator=generator)), stack them to matrices [N,
    2, 3], then F.affine_grid and F.grid_sample"""
    count = 200
    across = torch.arange(28) + 0.5
    images = [torch.exp(-((across - x)[None, :] ** 2 + (across - y)[:, None] ** 2) / 4).expand(count, 1, 28, 28)
              .contiguous().to(device()) for x, y in DOTS]
    found = [run(answer, one, drawn(3)) for one in images]
    expect_tensor(found[0], [count, 1, 28, 28], torch.float32)
    if torch.equal(found[0], images[0]):
        raise Wrong("images that moved", "the images that were given", STILL)
    expect_drawn(lambda generator: answer(images[0], generator))
    large = answer(torch.ones(3, 1, 32, 32, device=device()), drawn(3))
    expect_tensor(large, [3, 1, 32, 32], torch.float32, [ANY_SIDE])
    places = torch.stack([place(each) for each in found])  # [3 dots, count, x and y]
    if not torch.isfinite(places).all():
        raise Wrong("a dot near the middle", "a black image", FAR)
    if (places.std(1) < 1e-3).all():
        raise Wrong("a map for each image", "the same for all", SAME_MAP)
    expect_small_maps(places)
    white = answer(torch.ones(50, 1, 28, 28, device=device()), drawn(5))
    if white.max() > 1 + 1e-4 or white.min() < -1e-4:
        raise Wrong("values in [0, 1]", describe(white), RANGE)
    if white.min() > 0.5:
        raise Wrong("black where the map looks outside", "white", FILLED)


def place(images):
    """The centre of what is in each image [N, 1, 28, 28]: x and y in pixels [N, 2], NaN in a black one."""
    across, weight = torch.arange(28) + 0.5, images.detach().cpu()[:, 0].double()
    total = weight.sum((1, 2))
    found = torch.stack([(weight.sum(1) * across).sum(1), (weight.sum(2) * across).sum(1)], dim=1) / total[:, None]
    return torch.where(total[:, None] > 0.5, found, torch.nan)


def expect_small_maps(places):
    """Raise Wrong unless the dots went where turns up to 15°, scales 0.9 to 1.1 and shifts up to 2 pixels take them."""
    dots = torch.tensor(DOTS, dtype=torch.double)
    # the columns of the linear part, from the dot in the middle to the one at its right and the one below
    linear = torch.stack([places[1] - places[0], places[2] - places[0]], dim=2) / (dots[1, 0] - dots[0, 0])
    shift = places[0] - dots[0]
    determinant = torch.linalg.det(linear)
    if (determinant < 0).any():
        raise Wrong("digits as they are written", "mirrored ones", MIRROR)
    angle = torch.rad2deg(torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1]))
    scale, turn = determinant.sqrt(), torch.deg2rad(angle)
    rigid = scale[:, None, None] * torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    if (linear - rigid).abs().max() > 0.08:
        raise Wrong("turned, scaled and moved", "something else besides", SHEAR, CONTENT)
    if angle.abs().max() > 16.5:
        raise Wrong("at most 15°", f"{angle.abs().max():.0f}°", TURN.format(angle.abs().max()))
    if scale.max() > 1.16 or scale.min() < 0.86:
        worst = scale[(scale - 1).abs().argmax()]
        raise Wrong("0.9 to 1.1", f"{worst:.2f}", SCALE.format(worst))
    if shift.abs().max() > 2.6:
        raise Wrong("at most 2 pixels", f"{shift.abs().max():.1f}", SHIFT.format(shift.abs().max()))
    if angle.mean().abs() > 3 or (scale.mean() - 1).abs() > 0.03 or shift.mean(0).abs().max() > 0.5:
        raise Wrong("both ways alike", "more to one side", HALVES)
    for spread, least, what in ((angle.std(), 6.5, "turned"), (scale.std(), 0.04, "scaled"),
                                (shift.std(0).min(), 0.8, "moved")):  # uniform: 8.7°, 0.058, 1.15 pixels
        if spread < least:
            raise Wrong("turned, scaled and moved in x and y", f"a standard deviation of {spread:.2f}",
                        NOT_MOVED.format(what))
    together = torch.corrcoef(torch.stack([angle, scale, *shift.T])).fill_diagonal_(0)
    if together.abs().max() > 0.4:
        pair = [("the angle", "the scale", "the shift in x", "the shift in y")[k]
                for k in divmod(together.abs().argmax().item(), 4)]
        raise Wrong("angle, scale and shifts that have nothing to do with each other", " and ".join(pair) + " do",
                    TIED.format(*pair))
