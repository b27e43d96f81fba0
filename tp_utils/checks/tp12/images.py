"""Exercises 12.3 to 12.5: soft labels, and two measures of images."""

import torch
from torch import nn
from torch.nn import functional as F

from ...data.imageset import resized
from ...nets import to_input
from ...runtime import device
from ..kit.compare import Wrong, compare, describe, expect_tensor, run
from ..kit.draws import drawn, expect_default, expect_drawn
from ..kit.networks import normal

# What is said to the reader.

# 12.3
SAME_AMOUNT = "all targets move by the same amount: one number for each, torch.rand(len(targets), …)"
AWAY = "targets leave [0, 1]: they move towards ½, 1 down and 0 up"
ONE_SIDE = "targets of {side} stay as they are: both sides are softened"
SWAPPED = "0 and 1 have changed places"
LOOSE = "the amounts lie between 0 and `softness`, uniformly: their mean is softness / 2"

# 12.4
NOT_FLOAT = "return a Python float: .item()"
NOT_RESIZED = "the network gets images of another side than 224: resize them first"
NOT_SCALED = "the network gets pixels from 0 to 255: tp.nets.to_input brings them to [0, 1] and normalises them"
NOT_NORMALISED = "the network gets pixels in [0, 1]: tp.nets.to_input also subtracts ImageNet's mean, divides by std"
INPUT = "the network gets other values than resized and normalised images"
TOO_MANY = "at most 50 images go through the network at a time: images.split(50)"
LEFT_OUT = "the network saw {found} of {all} images"
RANGE = "the cats are the classes 281 to 285, both included"
COUNT = "that is the number of cats: divide by the number of images"
PERCENT = "that is in per cent: a share between 0 and 1"
OF_BATCHES = "that is the mean over batches, and the last batch is smaller: divide once, by all images"
PROBABILITY = "that is the mean probability of a cat: count the images whose most probable class is one"
ONE_CLASS = "all five classes count"
TOP = "the most probable class alone counts, not the first five"

# 12.5
DIAGONAL = "pairs of an image with itself are counted: leave out the diagonal, divide by n (n − 1)"
DIAGONAL_SUM = "the diagonal is left out of the sum, but not of the number of pairs: n (n − 1)"
NO_FEATURES = "the scalar product is divided by F, the number of features"
NO_ONE = "the kernel is (a·b / F + 1)³: the 1 is missing"
SQUARE = "the third power"
ONCE = "the mean over real and generated pairs counts twice, with a minus"
ROOT = "that is the square root: the squared distance is wanted, which may be negative"
SIGN = "the sign is the other way round"
ONE_SIZE = ("the two sets need not be of one size: n (n − 1) pairs among the real images, m (m − 1) among the "
            "generated ones, n · m across")
ONLY_CROSS = "the pairs within the two sets are missing"


# ---- 12.3


def check_12_3(answer):
    """amount = softness * torch.rand(len(targets), generator=generator); targets - amount where they are 1, targets +
    amount where they are 0"""
    n, softness = 2000, 0.3
    targets = (torch.arange(n) % 2).float().to(device())
    found = run(answer, targets, softness, drawn(0))
    expect_tensor(found, [n], torch.float32)
    amount = (found - targets).abs().cpu().double()
    if found.min() < 0 or found.max() > 1:
        raise Wrong("targets in [0, 1]", describe(found), AWAY)
    if (amount > 0.5).any():
        raise Wrong("targets of 1 above ½, of 0 below", "the other way round", SWAPPED)
    for side in (0, 1):
        if (amount[side::2] == 0).all():
            raise Wrong(f"targets of {side} that moved", f"{side}", ONE_SIDE.format(side=side))
    if amount[::2].unique().numel() < n / 4 or amount[1::2].unique().numel() < n / 4:
        raise Wrong("an amount for each target", "the same for many", SAME_AMOUNT)
    mean, spread = amount.mean().item(), amount.std().item()
    if amount.max() > softness or abs(mean - softness / 2) > 0.02 or abs(spread - softness / 12**0.5) > 0.02:
        raise Wrong(f"amounts between 0 and {softness}, {softness / 2:.2f} on average",
                    f"from {amount.min():.2f} to {amount.max():.2f}, {mean:.2f} on average", LOOSE)
    compare(answer(targets, 0.0, drawn(0)), targets)
    expect_drawn(lambda generator: answer(targets, softness, generator))
    expect_default(lambda: answer(targets, softness))


# ---- 12.4

LEVELS = {10: 280, 60: 281, 110: 283, 160: 285, 210: 286, 250: 7}  # grey level: the class that the network reads


class Reader(nn.Module):
    """An ImageNet network that knows six grey levels; remembers what it was given."""

    def __init__(self):
        super().__init__()
        self.seen = []
        grey = torch.tensor(list(LEVELS), dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 2, 2)
        self.levels = to_input(grey).mean((2, 3))

    def forward(self, x):
        self.seen.append(x.detach())
        which = torch.cdist(x.flatten(2).mean(2), self.levels.to(x)).argmin(1)
        classes = torch.tensor(list(LEVELS.values())).to(x.device)[which]
        second = torch.where((classes > 280) & (classes < 286), 900, 284)  # a cat where the first is none
        return 3 * F.one_hot(classes, 1000).to(x) + 2 * F.one_hot(second, 1000).to(x)


def check_12_4(answer):
    """for part in images.split(50): network(tp.nets.to_input(tp.data.resized(part, 224))).argmax(1); then the share of
    all that are between 281 and 285, both included"""
    levels = torch.tensor(list(LEVELS), dtype=torch.uint8)
    order = torch.cat([torch.tensor([0, 1, 2, 3, 4] * 10), torch.tensor([1, 2, 3, 1, 5, 3, 2])])
    images = levels[order].view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous()
    network, classes = Reader(), torch.tensor(list(LEVELS.values()))[order]
    found = run(answer, network, images)
    expect_inputs(network.seen, images)
    if not isinstance(found, float):
        raise Wrong("a float", describe(found), NOT_FLOAT)

    def share(low, high):
        return ((classes >= low) & (classes <= high)).double().mean().item()

    right = share(281, 285)
    parts = [((part >= 281) & (part <= 285)).double().mean() for part in classes.split(50)]
    sure, second, rest = torch.softmax(torch.tensor([3.0, 2.0, *[0.0] * 998]), 0)[:3].double()
    mistakes = [
        *((share(low, high), RANGE) for low, high in ((281, 284), (282, 285), (280, 285), (281, 286), (280, 284))),
        *((share(k, k), ONE_CLASS) for k in (281, 283, 285)), (100 * right, PERCENT), (right * len(classes), COUNT),
        (torch.stack(parts).mean().item(), OF_BATCHES), (1 - right, RANGE),
        (right * (sure + 4 * rest) + (1 - right) * (second + 4 * rest), PROBABILITY), (1.0, TOP),
    ]
    compare(torch.tensor(found).double(), torch.tensor(right).double(),
            [(torch.as_tensor(value).double(), hint) for value, hint in mistakes], tolerance=1e-5)


def expect_inputs(seen, images):
    """Raise Wrong unless the network saw all images, 50 at most at a time, resized and normalised."""
    given = sum(map(len, seen))
    if given != len(images):
        raise Wrong(f"{len(images)} images through the network", f"{given}",
                    LEFT_OUT.format(found=given, all=len(images)))
    if max(map(len, seen)) > 50:
        raise Wrong("at most 50 images at a time", f"{max(map(len, seen))}", TOO_MANY)
    if any(part.shape[1:] != (3, 224, 224) for part in seen):
        raise Wrong("float32 [n, 3, 224, 224]", describe(seen[0]), NOT_RESIZED)
    some = torch.cat(seen)[..., ::16, ::16]  # of grey images, which are the same everywhere
    raw = resized(images, 224)[..., ::16, ::16].to(some.device)
    for value, hint in ((raw.float(), NOT_SCALED), (raw / 255, NOT_NORMALISED)):
        if some.is_floating_point() and torch.allclose(some, value, atol=1e-2):
            raise Wrong("normalised pixels", describe(some), hint)
    if not torch.allclose(some.float(), to_input(raw), atol=1e-2):
        raise Wrong("resized and normalised images", describe(some), INPUT)


# ---- 12.5


def check_12_5(answer):
    """k = (a @ b.T / F + 1) ** 3; mean over the pairs off the diagonal within each set, minus twice the mean over all
    pairs across"""
    from sklearn.metrics.pairwise import polynomial_kernel

    real, generated = normal(9, 5).cpu(), 0.7 * normal(6, 5, seed=1).cpu() + 0.4  # where features are
    sets = {"r": real.cpu().double().numpy(), "g": generated.cpu().double().numpy()}

    def kernels(degree=3, gamma=1 / 5, coef0=1):
        return [torch.from_numpy(polynomial_kernel(sets[a], sets[b], degree, gamma, coef0))
                for a, b in ("rr", "gg", "rg")]

    def among(values, of=None):
        n = len(values)
        return (values.sum() - values.trace()) / (of or n * (n - 1))

    def distance(rr, gg, rg):
        return among(rr) + among(gg) - 2 * rg.mean()

    rr, gg, rg = kernels()
    right, found = distance(rr, gg, rg), run(answer, real, generated)
    if isinstance(found, float):
        found = torch.tensor(found)
    compare(found, right, [
        (rr.mean() + gg.mean() - 2 * rg.mean(), DIAGONAL),
        (among(rr, 81) + among(gg, 36) - 2 * rg.mean(), DIAGONAL_SUM),
        *((among(rr, k * (k - 1)) + among(gg, k * (k - 1)) - 2 * cross, ONE_SIZE)
          for k in (6, 9) for cross in (rg.mean(), rg.sum() / k**2, rg.sum() / (k * (k - 1)))),
        *((among(rr) + among(gg) - 2 * rg.sum() / pairs, ONE_SIZE) for pairs in (36, 81, 30, 72)),
        (distance(*kernels(gamma=1)), NO_FEATURES), (distance(*kernels(coef0=0)), NO_ONE),
        (distance(*kernels(degree=2)), SQUARE), (among(rr) + among(gg) - rg.mean(), ONCE), (-right, SIGN),
        (right.clamp_min(0).sqrt(), ROOT), (rg.mean(), ONLY_CROSS), (-2 * rg.mean(), ONLY_CROSS),
    ], tolerance=1e-4)
    expect_tensor(found, [])
    same = answer(real, real[torch.arange(9).roll(1)])  # one set, twice: below 0, since its own pairs across are equal
    if not same < 0:
        raise Wrong("below 0 for a set and itself", describe(same), DIAGONAL)
