"""Exercises 8.1 and 8.4 to 8.6: maps of what a score depends on."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, expect_tensor, run, same
from ..kit.networks import normal
from .common import Polynomial, expect, one_hot, setting, wrong_scores

# What is said to the reader.
# What is made of it.
NO_ABS = "the sign of the gradient decides: did you forget abs()?"
ABS_LATE = "abs() comes before the max over the channels: the largest value is not the largest absolute value"
NOT_MAX = "the channels are combined, but not by the max: use .amax(dim=1)"
CHANNELS = "the channels are still there: take the max over dim=1"
SCALED = "the maps are divided by their maximum: return them as they are"
ADDED_UP = "that is the sum of the gradients: divide by samples"
ONE_NOISE = "every sample gets the same noise: draw it anew inside the loop"
MORE_NOISE = "the noise grows from sample to sample: each one starts from the images as they came"
NO_NOISE = "no noise reaches the network: give it images + noise * torch.randn(...)"
ABS_EARLY = "average the gradients first: abs() and max come after the mean"
ROOT_NOISE = "`noise` is the standard deviation: multiply by it, not by its square root"
SQUARE_NOISE = "`noise` is the standard deviation: multiply by it, not by its square"
RANGE_NOISE = ("`noise` is the standard deviation itself, not a share of the images' range: do not multiply it by "
               "max − min")
OTHER_NOISE = "your noise has a standard deviation of about {:.2g} where `noise` is {:.2g}"
TIMES_NOISE = "the noise is ADDED to the images, it does not multiply them: images + noise * torch.randn(...)"
UNIFORM = "the noise is not Gaussian: torch.randn, not torch.rand"
SAMPLES = "`samples` is an argument: as many images go through the network whatever it is"
STEPS = "`steps` is an argument: as many images go through the network whatever it is"
MIN_MAX = "divide by the maximum alone: what is smallest on a map need not be 0"
SPREAD = "a standard deviation of about {:.2g} over the map"
AVERAGE = "about {:.3g} on average over the map"
TWICE = "the same maps from two generators with the same seed"
GLOBAL = "draw the noise with the generator that is given: torch.randn(shape, generator=generator)"
OTHER_SEED = "other maps with another seed of the generator"
FIXED = "do not seed inside the function: the generator that is given decides"
LEFT = "left rule: the points are alpha = i / steps; take the midpoints (i + 1/2) / steps"
RIGHT_RULE = "right rule: the points are alpha = (i + 1) / steps; take the midpoints (i + 1/2) / steps"
INNER = "some of the points are missing: `steps` of them, the midpoints (i + 1/2) / steps for i from 0 to steps - 1"
BOTH_ENDS = "0 and 1 have full weight: half of it (torch.trapezoid), or take the midpoints (i + 1/2) / steps"
NO_INPUT = "the mean gradient is right: multiply it by (x - baseline), i.e. by images"
IG_ABS = "no abs() here: the signs make the sum equal to score(x) - score(0)"
END_POINT = "only the gradient at x itself is used: average it along the line from 0 to x"
IG_SUM = "that is the sum over the points: divide by steps"
IG_MAX = "keep the channels: the result is [N, 3, H, W]"
NO_RELU = "negative values remain or shift the map: relu before enlarging"
CAM_ABS = "relu, not abs: what speaks against the class must become zero"
RELU_LATE = "relu comes before enlarging, not after"
LOCAL = "the gradient multiplies A point by point: first average it over h and w, one weight per channel"
NO_WEIGHTS = "the channels are added up without their weights: multiply A by the weights first"
CAM_BATCH = "the weights are averaged over the batch too: mean over dim=(2, 3) only"
NOT_SCALED = "the maps are not divided by their maximum"
TO_255 = "the maps go from 0 to 255: from 0 to 1, without a factor"
PER_BATCH = "divide each map by its own maximum, not by that of the batch: amax(dim=(1, 2), keepdim=True)"
SMALL = "the maps are not enlarged: F.interpolate(maps, images.shape[2:], mode='bilinear')"
NEAREST = "F.interpolate needs mode='bilinear' (and a channel axis): 'nearest' makes blocks"
ONE_CHANNEL = "the channel axis is still there: remove it with [:, 0]"
HOOK = "your hook is still on the layer and runs at every later call: keep its handle, call handle.remove()"


def wrong_maps(gradient):
    """(map, hint): what is made of the right gradient by mistake."""
    size = gradient.abs()
    yield gradient.amax(dim=1), NO_ABS
    yield gradient.amax(dim=1).abs(), ABS_LATE
    for other in (size.mean(1), size.sum(1), size.norm(dim=1), gradient.mean(1).abs(), gradient.sum(1).abs()):
        yield other, NOT_MAX
    yield from ((gradient, CHANNELS), (size, CHANNELS))
    for largest in (size.amax(), size.amax((1, 2, 3))[:, None, None]):
        yield size.amax(1) / largest, SCALED


def check_8_1(answer):
    """the result is [N, H, W]: the max over the channels (dim=1) of |d score of the label / d pixel|"""
    network, images, labels = setting()
    found = run(answer, images, labels, network)
    gradient = network.gradient(images, labels)
    expect(found, gradient.abs().amax(1), [
        *wrong_maps(gradient),
        *((network.gradient(images, weights).abs().amax(1), hint)
          for weights, hint in wrong_scores(network(images), labels)),
    ])


def check_8_4(answer):
    """the result is [N, H, W]: add up the gradients of the noisy copies, divide by samples, then .abs() and the max
    over the channels"""
    network, images, labels = setting()
    found = run(answer, images, labels, network, 0.0, 3, torch.Generator().manual_seed(0))
    gradient = network.gradient(images, labels)
    expect(found, gradient.abs().amax(1), [
        (3 * gradient.abs().amax(1), ADDED_UP), *wrong_maps(gradient),
        *((network.gradient(images, weights).abs().amax(1), hint)
          for weights, hint in wrong_scores(network(images), labels)),
    ])
    few, many = (images_seen(network, answer, images, labels, network, 0.1, samples, torch.Generator().manual_seed(0))
                 for samples in (2, 7))
    if few == many:
        raise Wrong("more images through the network for more samples", f"{few} for 2 and for 7", SAMPLES)
    expect_noise(answer)
    expect_generator(answer, network, images, labels)


def images_seen(network, answer, *arguments):
    """How many images a call puts through the network."""
    seen = []

    def look(module, given):
        seen.append(torch.func.debug_unwrap(given[0]).numel())  # the whole batch, though vmap shows one image at a time

    with network.register_forward_pre_hook(look):
        answer(*arguments)
    return sum(seen) // arguments[0][0].numel()


def expect_noise(answer, x=0.6, noise=0.7, samples=50, width=1.7):
    """Means over pixels, equal but for two. The gradients are x^2 (class 0) and x (class 1); E (x + s e)^2 = x^2 + s^2.
    """
    a, b, c = torch.zeros(3, 2, 3, 32, 32)
    b[1, 0] = c[0, 0] = 1  # only the red channel counts
    network = Polynomial(a, b, c)
    images, labels = torch.full((2, 3, 32, 32), x, device=device()), torch.tensor([0, 1], device=device())
    images[..., 0, 0], images[..., -1, -1] = x - width / 2, x + width / 2
    found = run(answer, images, labels, network, noise, samples, torch.Generator().manual_seed(0))
    expect_tensor(found, [2, 32, 32], torch.float32)
    spread = noise / samples**0.5
    if found[1].std() > 3 * spread:
        hint = ONE_NOISE if found[1].std() < 1.5 * noise else MORE_NOISE
        raise Wrong(SPREAD.format(spread), f"{found[1].std():.2g}", hint)
    other = max(found[0].mean().item() - x**2, 0) ** 0.5
    expect_average(found[0], x**2 + noise**2, [
        (x**2, NO_NOISE), (x**2 + noise, ROOT_NOISE), (x**2 + noise**4, SQUARE_NOISE),
        (x**2 * (1 + noise**2), TIMES_NOISE), (x**2 * noise**2, TIMES_NOISE), (noise**2, TIMES_NOISE),
        (x**2 + x * noise + noise**2 / 3, UNIFORM), (x**2 + noise**2 / 12, UNIFORM),
        (x**2 + noise**2 / 3, UNIFORM), (x**2 + (noise * width) ** 2, RANGE_NOISE),
    ], [OTHER_NOISE.format(other, noise)])
    e = normal(10_000)
    expect_average(found[1], x, [((x + noise * e).abs().mean().item(), ABS_EARLY)])


def expect_average(found, expected, mistakes, hints=(), tolerance=0.03):
    """Compare the mean over a map, which chance moves by less than 1 %."""
    try:
        compare(found.mean(), torch.tensor(expected), mistakes, hints, tolerance=tolerance)
    except Wrong as wrong:
        raise Wrong(AVERAGE.format(expected), f"{found.mean():.3g}", *wrong.hints) from None


def expect_generator(answer, network, images, labels):
    def maps(seed):
        return run(answer, images, labels, network, 0.5, 2, torch.Generator().manual_seed(seed))

    once, again, other = maps(1), maps(1), maps(2)
    if not same(again, once):
        raise Wrong(TWICE, "different maps", GLOBAL)
    if same(other, once):
        raise Wrong(OTHER_SEED, "the same maps", FIXED)


def check_8_5(answer, steps=20):
    """the result is [N, 3, H, W]: images * (mean of the gradients at alpha * images), alpha from 0 to 1; its sum over
    an image must be score(image) - score(0)"""
    network, images, labels = setting()
    found = run(answer, images, labels, network, steps)
    a, b, c = (network.coefficients[i][labels] for i in range(3))
    mean = a + b * images / 2 + c * images**2 / 3
    right = images * mean

    # The tolerance is between the error of the trapezoid rule and that of a one-sided rule.
    expect(found, right, wrong_integrals(network, images, labels, steps, mean), tolerance=5e-3)
    few, many = (images_seen(network, answer, images, labels, network, count) for count in (10, 40))
    if few == many:
        raise Wrong("more points for more steps", f"{few} images through the network for 10 and for 40", STEPS)


def wrong_integrals(network, images, labels, steps, mean):
    """(integrated gradients, hint) of typical mistakes. mean: the mean gradient between 0 and the images."""
    right, end = images * mean, network.gradient(images, labels)
    yield from ((mean, NO_INPUT), (right.abs(), IG_ABS), (images * mean.abs(), IG_ABS), (images.abs() * mean, IG_ABS),
                (end, END_POINT), (images * end, END_POINT), (steps * right, IG_SUM), (right.amax(1), IG_MAX),
                (right.abs().amax(1), IG_MAX), (right.sum(1), IG_MAX))
    start = torch.arange(steps) / steps
    rules = [(start, LEFT), (start + 1 / steps, RIGHT_RULE), (start[1:], INNER),
             *((torch.linspace(0, 1, points), BOTH_ENDS) for points in (steps, steps + 1))]
    for alphas, hint in rules:
        gradient = averaged(network, images, alphas, [one_hot(labels, network)] * len(alphas))
        for one in (images * gradient, gradient, images * gradient.abs(), steps * images * gradient):
            yield one, hint
    for alphas in (start + 0.5 / steps, *(alphas for alphas, _ in rules)):
        yield from wrong_paths(network, images, labels, alphas)


def wrong_paths(network, images, labels, alphas):
    """(integrated gradients, hint) of the numbers that are differentiated by mistake."""
    at_points = (wrong_scores(network(alpha * images), labels) for alpha in alphas.tolist())
    for mistake in zip(*at_points, strict=True):
        yield images * averaged(network, images, alphas, [weights for weights, _ in mistake]), mistake[0][1]


def averaged(network, images, alphas, weights):
    """The mean of the gradients at alpha * images. weights: those of the scores [N, K] at each of the points."""
    weights = torch.stack(weights)
    return sum(torch.einsum("pnk,p,kchw->nchw", weights, alphas.to(images) ** power / len(alphas), c) * images**power
               for power, c in enumerate(network.coefficients))


def check_8_6(answer):
    """the result is [N, H, W]: weights = gradient.mean(dim=(2, 3)), map = relu(sum over c of weights_c A_c), then
    enlarged to the images' size, then divided by the maximum of each map"""
    # A layer followed by scores that are linear in its output A, so that d score / d A is known.
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Sigmoid())
    offsets = normal(4, 4, 1, 1, seed=2)
    templates = normal(4, 4, 8, 6, seed=1) + offsets - offsets.mean(1, keepdim=True)
    templates[3] = -0.1 * templates[3].abs()  # A > 0: everything speaks against class 3
    templates[0] = templates[0].abs()  # … and for class 0, everywhere
    head = Polynomial(templates)
    network = nn.Sequential(layer, head).to(device()).eval().requires_grad_(False)
    images, labels = 2 * normal(2, 3, 16, 12), torch.tensor([1, 2], device=device())
    for wanted in (labels, torch.zeros_like(labels)):
        found = run(answer, images, wanted, network, layer)
        rights, mistakes = cams(layer(images), wanted, head, images.shape[2:])
        right = next((r for r in rights if isinstance(found, torch.Tensor) and same(found, r, 1e-3)), rights[0])
        expect(found, right, mistakes)
    if any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in network.modules()):
        raise Wrong("a layer without hooks", "a layer with a hook", HOOK)
    found = run(answer, images[:1], torch.tensor([3], device=device()), network, layer)
    expect(found, torch.zeros(1, 16, 12), [(-torch.ones(1, 16, 12), NO_RELU)])


def cams(activations, labels, head, size):
    """(the maps that are right, [(the map of a mistake, its hint)])."""
    def enlarge(maps, **options):
        return F.interpolate(maps[:, None], size, **(options or {"mode": "bilinear"}))[:, 0]

    def scale(maps):
        return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)

    def low_to_high(maps):
        low, high = maps.amin((1, 2), keepdim=True), maps.amax((1, 2), keepdim=True)
        return (maps - low) / (high - low).clamp_min(1e-12)

    def cam(gradient):
        return (gradient.mean((2, 3), keepdim=True) * activations).sum(1)

    gradient = head.gradient(activations, labels)
    small, raw = cam(gradient).relu(), cam(gradient)
    ways = [lambda maps, c=corners: enlarge(maps, mode="bilinear", align_corners=c) for corners in (False, True)]
    rights = [right for way in ways for right in (scale(way(small)), way(scale(small)))]
    others = [
        ((gradient * activations).sum(1), LOCAL), (activations.sum(1), NO_WEIGHTS),
        (cam(gradient.mean(0, keepdim=True)), CAM_BATCH), (raw.abs(), CAM_ABS),
        *((cam(head.gradient(activations, weights)), hint)
          for weights, hint in wrong_scores(head(activations), labels)),
    ]
    return rights, [
        (scale(small), SMALL), (small, SMALL), *((right[:, None], ONE_CHANNEL) for right in rights),
        *((finish(enlarge(small, mode="nearest")), NEAREST) for finish in (scale, lambda maps: maps)),
        *(wrong for way in ways for wrong in [
            (low_to_high(way(small)), MIN_MAX), (scale(way(raw)), NO_RELU), (low_to_high(way(raw)), NO_RELU),
            (way(raw), NO_RELU), (scale(way(raw).relu()), RELU_LATE), (way(small), NOT_SCALED),
            (255 * scale(way(small)), TO_255), (way(small) / way(small).max(), PER_BATCH),
            (way(small / small.max()), PER_BATCH),
            *((finish(way(maps.relu())), hint) for maps, hint in others for finish in (scale, lambda maps: maps)),
        ]),
    ]
