"""The checks of TP 12: the players of the cats, soft labels, the cat rate, the kernel distance.

The oracles are the layers seen by hooks and put together again by hand, the moments of what is drawn, a network that
reads its answer off the brightness of an image, and scikit-learn's polynomial kernel.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ...data.imageset import resized
from ...nets import to_input
from ...runtime import device
from ..kit.compare import Wrong, compare, describe, expect_tensor, expect_unchanged
from ..kit.networks import build, expect_trainable, normal, trace

# What is said to the reader. First what the exercises ask for: the last hint of every mistake.
RECIPE = {
    "12.1": "ConvTranspose2d(nz, 4w, 4), then with stride 2 and padding 1: 4w → 2w, 2w → w (side 64 begins with 8w); "
            "behind each BatchNorm2d, ReLU, Dropout(dropout). Then ConvTranspose2d(w, 3, 4, 2, 1) and tanh",
    "12.2": "Conv2d(3, w, 4, 2, 1), LeakyReLU(0.2); then w → 2w → 4w (side 64: → 8w), each with BatchNorm2d and "
            "LeakyReLU(0.2); Conv2d(…, 1, 4) and flatten() to [N]",
    "12.3": "amount = softness * torch.rand(len(targets), generator=generator); targets - amount where they are 1, "
            "targets + amount where they are 0",
    "12.4": "for part in images.split(50): network(tp.nets.to_input(tp.data.resized(part, 224))).argmax(1); then the "
            "share of all that are between 281 and 285, both included",
    "12.5": "k = (a @ b.T / F + 1) ** 3; mean over the pairs off the diagonal within each set, minus twice the mean "
            "over all pairs across",
}

NO_LAYERS = "no {kind} is used: make the layers in __init__ and keep them in nn.Sequential or nn.ModuleList"
CHANNELS = "the channels follow size and width: with width {width} and side {size} they are {expected}"
GEOMETRY = "the kernel is 4 × 4; stride 2 and padding 1 {where}, 1 and 0 in the other one"
NO_NORM = "batch norm is missing behind {where}"
NORM_TOO_MUCH = "there is a batch norm behind {where}: it has none"
BETWEEN = "between two layers something else happens than batch norm and {activation}, in this order"
SIZE = "the images have another side than `size`"
NO_TANH = "the last step is tanh: pixels in [−1, 1]"
SIGMOID = "no sigmoid at the end: return logits, the sigmoid is part of the loss"
ONE_LOGIT = "one logit per image, shape [N]: .flatten()"
EVAL_DROPOUT = "two passes in eval mode differ: nn.Dropout is off there, F.dropout needs training=self.training"
ALWAYS_DROPOUT = "two passes in train mode differ though dropout is 0: is the argument used?"
NO_DROPOUT = "two passes in train mode give the same with dropout 0.5: is nn.Dropout there?"
DROPPED_Z = "the latents are dropped: the first dropout comes behind the first layer"
DROPPED_PIXELS = "pixels of the image are dropped: there is no dropout behind the last layer"
DROPPED = ("another share is dropped than `dropout`, or at another place: one nn.Dropout(dropout) behind the ReLU of "
           "each layer")
DROPPED_MAPS = "whole channels are dropped: nn.Dropout drops single values, nn.Dropout2d channels"

SAME_AMOUNT = "all targets move by the same amount: one number for each, torch.rand(len(targets), …)"
AWAY = "targets leave [0, 1]: they move towards ½, 1 down and 0 up"
ONE_SIDE = "targets of {side} stay as they are: both sides are softened"
SWAPPED = "0 and 1 have changed places"
LOOSE = "the amounts lie between 0 and `softness`, uniformly: their mean is softness / 2"
GLOBAL = "the same generator state must give the same targets: generator=generator in torch.rand"
FIXED = "another generator gives the same targets: draw from `generator`"
NO_NONE = "generator=None must work too: torch's own generator"

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

DIAGONAL = "pairs of an image with itself are counted: leave out the diagonal, divide by n (n − 1)"
DIAGONAL_SUM = "the diagonal is left out of the sum, but not of the number of pairs: n (n − 1)"
NO_FEATURES = "the scalar product is divided by F, the number of features"
NO_ONE = "the kernel is (a·b / F + 1)³: the 1 is missing"
SQUARE = "the third power"
ONCE = "the mean over real and generated pairs counts twice, with a minus"
ROOT = "that is the square root: the squared distance is wanted, which may be negative"
SIGN = "the sign is the other way round"
ONLY_CROSS = "the pairs within the two sets are missing"


# ---- 12.1 and 12.2


def check_12_1(answer):
    recipe = RECIPE["12.1"]
    for size, width, nz in ((32, 4, 7), (64, 3, 5)):
        channels = [nz, *(width * size // 8 // 2**k for k in range(size.bit_length() - 3)), 3]
        network = build(answer, recipe, size=size, nz=nz, width=width)
        z = normal(3, nz, 1, 1)
        calls, found = trace(network.eval(), z, nn.ConvTranspose2d)
        expect_convolutions("12.1", calls, channels, size, width, nn.ConvTranspose2d)
        expect_tensor(found, [3, 3, size, size], torch.float32, (SIZE, recipe))
        last = expect_chain("12.1", network, calls, z, F.relu, normed=range(len(calls) - 1))
        compare(found, last.tanh(), [(last, NO_TANH), (last.sigmoid(), NO_TANH), ((last.tanh() + 1) / 2, NO_TANH),
                                     (last.clamp(-1, 1), NO_TANH), (last.relu().tanh(), NO_TANH)], [recipe], 1e-3)
        if not torch.equal(found, network(z)):
            raise Wrong("the same image at each pass in eval mode", "others", EVAL_DROPOUT, recipe)
        expect_trainable(network.train(), z, recipe)
    expect_dropout(answer)


def expect_dropout(answer):
    """Raise Wrong unless dropout is behind every layer but the last, and nowhere else."""
    recipe, z = RECIPE["12.1"], normal(16, 6, 1, 1)
    plain = build(answer, recipe, size=32, nz=6, width=8).train()
    if not torch.equal(plain(z), plain(z)):
        raise Wrong("the same images at each pass with dropout 0", "others", ALWAYS_DROPOUT, recipe)
    wet = build(answer, recipe, size=32, nz=6, width=8, dropout=0.5)
    evaluated = wet.eval()(z)
    if not torch.equal(evaluated, wet(z)):
        raise Wrong("the same images at each pass in eval mode", "others", EVAL_DROPOUT, recipe)
    if torch.equal(wet.train()(z), wet(z)):
        raise Wrong("other images at each pass with dropout 0.5", "the same", NO_DROPOUT, recipe)
    for share in (0.5, 0.3):
        expect_share(answer, z, share)


def expect_share(answer, z, share):
    """Raise Wrong unless `share` of the values behind each layer but the last are dropped, one by one."""
    recipe, networks = RECIPE["12.1"], []
    for dropout in (0.0, share):
        networks.append(build(answer, recipe, size=32, nz=6, width=16, dropout=dropout).train())
    plain, wet = networks
    plain.load_state_dict(wet.state_dict())
    calls, found = trace(wet, z, nn.ConvTranspose2d)
    zeros, without = ([(given == 0).double() for _, given, _ in each]
                      for each in (calls, trace(plain, z, nn.ConvTranspose2d)[0]))
    if zeros[0].mean() > 0.1:
        raise Wrong("all latents", f"{zeros[0].mean():.0%} of them 0", DROPPED_Z, recipe)
    if (found == 0).double().mean() > 0.1:
        raise Wrong("all pixels", f"{(found == 0).double().mean():.0%} of them 0", DROPPED_PIXELS, recipe)
    for k, (one, other) in enumerate(zip(zeros[1:], without[1:], strict=True), 1):
        expected = other.mean() + (1 - other.mean()) * share  # ReLU alone makes about half of them 0
        if (one.mean() - expected).abs() > 0.08:
            raise Wrong(f"{expected:.0%} of the values behind layer {k} are 0, by ReLU and dropout {share}",
                        f"{one.mean():.0%}", DROPPED, recipe)
        if one.flatten(2).amin(2).mean() > other.flatten(2).amin(2).mean() + 0.1:
            raise Wrong("single values dropped", "whole channels", DROPPED_MAPS, recipe)


def check_12_2(answer):
    recipe = RECIPE["12.2"]
    for size, width in ((32, 4), (64, 3)):
        channels = [3, *(width * 2**k for k in range(size.bit_length() - 3)), 1]
        network = build(answer, recipe, size=size, width=width)
        x = normal(3, 3, size, size).tanh()
        calls, found = trace(network.eval(), x, nn.Conv2d)
        expect_convolutions("12.2", calls, channels, size, width, nn.Conv2d)
        logits = expect_chain("12.2", network, calls, x, lambda y: F.leaky_relu(y, 0.2), range(1, len(calls) - 1))
        compare(found, logits.flatten(), [
            (logits, ONE_LOGIT), (logits[:, 0], ONE_LOGIT), (logits[:, :, 0, 0], ONE_LOGIT), (logits.mean(), ONE_LOGIT),
            *((logits.sigmoid().reshape(shape), SIGMOID) for shape in (logits.shape, (3, 1), (3,))),
        ], [recipe], 1e-3, torch.float32)
        one = network(x[:1])
        if list(one.shape) != [1]:
            raise Wrong("float32 [1] for one image", describe(one), ONE_LOGIT, recipe)
        expect_trainable(network.train(), x, recipe)


def expect_convolutions(exercise, calls, channels, size, width, kind):
    """Raise Wrong unless the layers have these channels, in order, and double or halve the side."""
    recipe = RECIPE[exercise]
    if not calls:
        raise Wrong(f"{len(channels) - 1} layers", "none", NO_LAYERS.format(kind=kind.__name__), recipe)
    expected = " → ".join(map(str, channels))
    found = " → ".join(map(str, [calls[0][0].in_channels, *(layer.out_channels for layer, *_ in calls)]))
    if found != expected:
        raise Wrong(expected, found, CHANNELS.format(width=width, size=size, expected=expected), recipe)
    odd = 0 if exercise == "12.1" else len(calls) - 1
    where = f"in all but the {'last' if odd else 'first'} layer"
    for k, (layer, *_) in enumerate(calls):
        shape = (layer.kernel_size, layer.stride, layer.padding)
        right = ((4, 4), (1, 1), (0, 0)) if k == odd else ((4, 4), (2, 2), (1, 1))
        if shape != right:
            raise Wrong("kernel {}, stride {}, padding {}".format(*right),
                        "kernel {}, stride {}, padding {} in layer {}".format(*shape, k + 1),
                        GEOMETRY.format(where=where), recipe)


def expect_chain(exercise, network, calls, inputs, activation, normed):
    """The last convolution's output; raises Wrong unless batch norm and activation are between the layers."""
    recipe, name = RECIPE[exercise], "ReLU" if exercise == "12.1" else "LeakyReLU(0.2)"
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for k, ((_, _, out), (_, entered, _)) in enumerate(pairwise(calls)):
        fitting = [norm for norm in norms if norm.num_features == out.shape[1]]
        expected = [activation(norm(out)) for norm in fitting] if k in normed else [activation(out)]
        if any(torch.allclose(entered, value, atol=1e-4) for value in expected):
            continue
        where = f"layer {k + 1}"
        if k in normed and torch.allclose(entered, activation(out), atol=1e-4):
            raise Wrong(f"batch norm and {name} behind {where}", f"{name} alone", NO_NORM.format(where=where), recipe)
        if k not in normed and any(torch.allclose(entered, activation(norm(out)), atol=1e-4) for norm in fitting):
            raise Wrong(f"{name} behind {where}", f"batch norm and {name}", NORM_TOO_MUCH.format(where=where), recipe)
        raise Wrong(f"{'batch norm and ' if k in normed else ''}{name} behind {where}", "something else",
                    BETWEEN.format(activation=name), recipe)
    return calls[-1][2]


# ---- 12.3


def check_12_3(answer):
    recipe, n, softness = RECIPE["12.3"], 2000, 0.3
    targets = (torch.arange(n) % 2).float().to(device())
    before = targets.clone()
    found = answer(targets, softness, torch.Generator().manual_seed(0))
    expect_tensor(found, [n], torch.float32, (recipe,))
    expect_unchanged(before, targets, "targets")
    amount = (found - targets).abs().cpu().double()
    if found.min() < 0 or found.max() > 1:
        raise Wrong("targets in [0, 1]", describe(found), AWAY, recipe)
    if (amount > 0.5).any():
        raise Wrong("targets of 1 above ½, of 0 below", "the other way round", SWAPPED, recipe)
    for side in (0, 1):
        if (amount[side::2] == 0).all():
            raise Wrong(f"targets of {side} that moved", f"{side}", ONE_SIDE.format(side=side), recipe)
    if amount[::2].unique().numel() < n / 4 or amount[1::2].unique().numel() < n / 4:
        raise Wrong("an amount for each target", "the same for many", SAME_AMOUNT, recipe)
    mean, spread = amount.mean().item(), amount.std().item()
    if amount.max() > softness or abs(mean - softness / 2) > 0.02 or abs(spread - softness / 12**0.5) > 0.02:
        raise Wrong(f"amounts between 0 and {softness}, {softness / 2:.2f} on average",
                    f"from {amount.min():.2f} to {amount.max():.2f}, {mean:.2f} on average", LOOSE, recipe)
    if not torch.equal(found, answer(targets, softness, torch.Generator().manual_seed(0))):
        raise Wrong("the same targets from the same generator", "others", GLOBAL, recipe)
    if torch.equal(found, answer(targets, softness, torch.Generator().manual_seed(1))):
        raise Wrong("other targets from another generator", "the same", FIXED, recipe)
    compare(answer(targets, 0.0, torch.Generator().manual_seed(0)), before, [], [recipe])
    try:
        torch.manual_seed(5)
        one, other = answer(targets, softness), answer(targets, softness)
        torch.manual_seed(5)
        again = answer(targets, softness)
    except TypeError as error:
        raise Wrong("targets", f"TypeError: {error}", NO_NONE, recipe) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other targets at each call, the same after the same torch.manual_seed",
                    "the same targets" if torch.equal(one, other) else "others", NO_NONE, recipe)


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
    recipe, levels = RECIPE["12.4"], torch.tensor(list(LEVELS), dtype=torch.uint8)
    order = torch.cat([torch.tensor([0, 1, 2, 3, 4] * 10), torch.tensor([1, 2, 3, 1, 5, 3, 2])])
    images = levels[order].view(-1, 1, 1, 1).expand(-1, 3, 4, 4).contiguous()
    network, before, classes = Reader(), images.clone(), torch.tensor(list(LEVELS.values()))[order]
    found = answer(network, images)
    expect_unchanged(before, images, "images")
    expect_inputs(network.seen, images)
    if isinstance(found, torch.Tensor) and found.numel() == 1:
        raise Wrong("a float", describe(found), NOT_FLOAT, recipe)
    if not isinstance(found, float):
        raise Wrong("a float", describe(found), NOT_FLOAT, recipe)

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
            [(torch.as_tensor(value).double(), hint) for value, hint in mistakes], [recipe], 1e-5)


def expect_inputs(seen, images):
    """Raise Wrong unless the network saw all images, 50 at most at a time, resized and normalised."""
    recipe = RECIPE["12.4"]
    given = sum(map(len, seen))
    if given != len(images):
        raise Wrong(f"{len(images)} images through the network", f"{given}",
                    LEFT_OUT.format(found=given, all=len(images)), recipe)
    if max(map(len, seen)) > 50:
        raise Wrong("at most 50 images at a time", f"{max(map(len, seen))}", TOO_MANY, recipe)
    if any(part.shape[1:] != (3, 224, 224) for part in seen):
        raise Wrong("float32 [n, 3, 224, 224]", describe(seen[0]), NOT_RESIZED, recipe)
    inputs = torch.cat(seen)
    raw = resized(images, 224).to(inputs.device).float()
    for value, hint in ((raw, NOT_SCALED), (raw / 255, NOT_NORMALISED)):
        if inputs.is_floating_point() and torch.allclose(inputs, value, atol=1e-2):
            raise Wrong("normalised pixels", describe(inputs), hint, recipe)
    if not torch.allclose(inputs.float(), to_input(resized(images, 224)), atol=1e-2):
        raise Wrong("resized and normalised images", describe(inputs), INPUT, recipe)


# ---- 12.5


def check_12_5(answer):
    from sklearn.metrics.pairwise import polynomial_kernel

    recipe = RECIPE["12.5"]
    real, generated = normal(9, 5), 0.7 * normal(6, 5, seed=1) + 0.4
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
    right, before = distance(rr, gg, rg), (real.clone(), generated.clone())
    found = answer(real, generated)
    for old, new, name in zip(before, (real, generated), ("real", "generated"), strict=True):
        expect_unchanged(old, new, name)
    if isinstance(found, float):
        found = torch.tensor(found)
    compare(found, right, [
        (rr.mean() + gg.mean() - 2 * rg.mean(), DIAGONAL),
        (among(rr, 81) + among(gg, 36) - 2 * rg.mean(), DIAGONAL_SUM),
        (distance(*kernels(gamma=1)), NO_FEATURES), (distance(*kernels(coef0=0)), NO_ONE),
        (distance(*kernels(degree=2)), SQUARE), (among(rr) + among(gg) - rg.mean(), ONCE), (-right, SIGN),
        (right.clamp_min(0).sqrt(), ROOT), (rg.mean(), ONLY_CROSS), (-2 * rg.mean(), ONLY_CROSS),
    ], [recipe], 1e-4)
    expect_tensor(found, [], hints=(recipe,))
    same = answer(real, real[torch.arange(9).roll(1)])  # one set, twice: below 0, since its own pairs across are equal
    if not same < 0:
        raise Wrong("below 0 for a set and itself", describe(same), DIAGONAL, recipe)
