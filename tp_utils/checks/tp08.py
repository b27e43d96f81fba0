"""The checks of TP 8: looking into a network through the gradients of its scores, and fooling it.

The oracle is a network whose scores are polynomials of the pixels: its gradients are known without autograd.
"""

from itertools import count

import torch
from torch import nn
from torch.nn import functional as F

from ..runtime import device
from .compare import Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import normal

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "8.1": "the result is [N, H, W]: the max over the channels (dim=1) of |d score of the label / d pixel|",
    "8.2": "return (image [1, 3, H, W], number of updates); one update is x + learning_rate * g / g.norm(), "
           "where g is the gradient of scores[0, target] at the current x",
    "8.3": "the result is [1, 3, H, W]: x + learning_rate * (d score / d x - 2 * l2 * x)",
    "8.4": "the result is [N, H, W]: add up the gradients of the noisy copies, divide by samples, "
           "then .abs() and the max over the channels",
    "8.5": "the result is [N, 3, H, W]: images * (mean of the gradients at alpha * images), "
           "alpha from 0 to 1; its sum over an image must be score(image) - score(0)",
    "8.6": "the result is [N, H, W]: weights = gradient.mean(dim=(2, 3)), map = relu(sum over c of "
           "weights_c A_c), then enlarged to the images' size, then divided by the maximum of each map",
    "8.7": "the result is [N, 3, H, W]: (x + epsilon * sign(d cross-entropy / d x)).clamp(0, 1)",
    "8.8": "one step: x + step * sign(gradient at x), brought back to within epsilon of the original images, "
           "then clamp(0, 1)",
}

# Errors of autograd: a piece of the message, and what is behind it.
ERRORS = {
    "element 0 of tensors": "nothing requires a gradient (the weights are frozen): the images need "
                            ".requires_grad_() before they go through the network, without torch.no_grad()",
    "One of the differentiated": "the gradient is taken with respect to something that is cut off: "
                                 "no .detach() before the gradient",
    "only for scalar outputs": "a gradient is taken of one number: first add up the labels' scores, .sum()",
    "a second time": "the graph is used up after one gradient: compute the scores anew for every gradient",
    "leaf Variable that requires grad": "no in-place operation (+=) on an image that requires a gradient: "
                                        "write x = (x + ...).detach()",
    "not have been used in the graph": "differentiate with respect to the very tensor that the network got",
    "NoneType": "there is a None: x.grad is only filled for a leaf, i.e. x.detach().clone().requires_grad_()",
}
INPUT = "the input"
TRACKED = ("your function turned gradients on for its input itself, where they pile up from call to call: "
           "work on a copy, x.detach().clone().requires_grad_()")
ATTACHED = "the values are right, but the result still carries its graph: .detach() it"

# Of which number the gradient is taken.
SOFTMAX = "a softmax is in it (probability, log-probability or cross-entropy): take the label's score itself"
BEST = "that is the gradient of the highest score: take the score of the given label (or target)"
ALL = "that is the gradient of the sum of all scores: pick one score per image, the label's"
OTHERS = "an image gets another image's label: scores.gather(1, labels[:, None]) picks one score per image"
MEAN_SCORE = "the gradients are divided by N: add up the labels' scores with sum(), not mean()"

# What is made of it.
NO_ABS = "the sign of the gradient decides: did you forget abs()?"
ABS_LATE = "abs() comes before the max over the channels: the largest value is not the largest absolute value"
NOT_MAX = "the channels are combined, but not by the max: use .amax(dim=1)"
CHANNELS = "the channels are still there: take the max over dim=1"
SCALED = "the maps are divided by their maximum: return them as they are"

PAIR = "return two things: the image and the number of steps"
PAIR_SWAPPED = "the (image, number of steps) pair begins with the image: yours begins with a number"
BATCH_AXIS = "the batch axis is gone: return [1, 3, H, W], as it came"
ENDLESS = "the loop does not end: stop after max_steps updates, whatever the class"
NO_STEP = "the image is not changed at all: is the new image kept, and how often does the loop run?"
MORE = "there is one update too many: stop after max_steps updates"
DESCENT = "the score goes down: gradient ascent adds the gradient"
NOT_UNIT = "the gradient is not divided by its norm (L2): the length of a step must be learning_rate"
OTHER_UNIT = "the length of a step must be learning_rate: divide by the L2 norm of the gradient, g.norm()"
AGAINST_BEST = "you push the current class down: push the target's score up"
PILED_UP = "the gradients of the steps add up in .grad: start each step from a new leaf or set .grad to None"
FROM_START = "that is one step from the image as it came: each step goes on from the last image"
SAME_GRADIENT = "the gradient of the first image is used again: compute it anew at every step"
NO_STOP = "the loop does not stop early: return as soon as the predicted class is the target"
STOP_LATE = "it stops one update late: look at the class after the update, before making another one"
AT_ONCE = "the class is the target from the start: 0 steps, and the image as it came"
COUNTED = "the image is right, the number of steps is not: it is the number of updates made"

NO_L2 = "the regulariser is missing: subtract l2 * ||x||^2 from the score"
L2_SIGN = "wrong sign of the regulariser: the objective is score MINUS l2 * ||x||^2"
L2_HALF = "a factor 2 is missing: the derivative of x^2 is 2 x"
L2_ROOT = "the regulariser is the SQUARED norm, the sum of x^2: no square root"
L2_MEAN = "the regulariser is the sum of x^2, not its mean"
L2_APART = "the regulariser belongs into the objective: the learning rate multiplies its gradient too"
UNIT = "the gradient is divided by its norm: here it is used as it is"
NO_RATE = "the learning rate is missing: multiply the gradient by it"

ADDED_UP = "that is the sum of the gradients: divide by samples"
ONE_NOISE = "every sample gets the same noise: draw it anew inside the loop"
MORE_NOISE = "the noise grows from sample to sample: each one starts from the images as they came"
NO_NOISE = "no noise reaches the network: give it images + noise * torch.randn(...)"
ABS_EARLY = "average the gradients first: abs() and max come after the mean"
ROOT_NOISE = "`noise` is the standard deviation: multiply by it, not by its square root"
SQUARE_NOISE = "`noise` is the standard deviation: multiply by it, not by its square"
TIMES_NOISE = "the noise is ADDED to the images, it does not multiply them: images + noise * torch.randn(...)"
UNIFORM = "the noise is not Gaussian: torch.randn, not torch.rand"
SPREAD = "a standard deviation of about {:.2g} over the map"
AVERAGE = "about {:.3g} on average over the map"
TWICE = "the same maps from two generators with the same seed"
GLOBAL = "draw the noise with the generator that is given: torch.randn(shape, generator=generator)"
OTHER_SEED = "other maps with another seed of the generator"
FIXED = "do not seed inside the function: the generator that is given decides"

LEFT = "left rule: the points are alpha = i / steps; take the midpoints (i + 1/2) / steps"
RIGHT_RULE = "right rule: the points are alpha = (i + 1) / steps; take the midpoints (i + 1/2) / steps"
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
PER_BATCH = "divide each map by its own maximum, not by that of the batch: amax(dim=(1, 2), keepdim=True)"
SMALL = "the maps are not enlarged: F.interpolate(maps, images.shape[2:], mode='bilinear')"
NEAREST = "F.interpolate needs mode='bilinear' (and a channel axis): 'nearest' makes blocks"
ONE_CHANNEL = "the channel axis is still there: remove it with [:, 0]"
HOOK = "your hook is still on the layer and runs at every later call: keep its handle, call handle.remove()"

MINUS = "the loss goes down: an untargeted attack ADDS epsilon * sign, so that it goes up"
NO_SIGN = "the gradient itself is added: take its sign()"
NO_CLAMP = "some pixels leave [0, 1]: .clamp(0, 1)"
SCORE = "that is the gradient of the label's score: take the cross-entropy's, which looks at all classes"
TWO_SOFTMAX = "softmax twice: F.cross_entropy takes the scores, before softmax"
PREDICTED = "that is the loss for the predicted class: use the true labels"
NO_EPSILON = "the sign is not multiplied by epsilon"
ONLY_NOISE = "that is the perturbation alone: add it to the images"
EPSILON_0 = "epsilon 0 must give the images themselves"

RANDOM = "two calls differ: start at the images themselves, without a random start"
EPSILON_STEP = "each step has the size `step`, not epsilon"
ONE_STEP = "that is the result of only one step: go on from it, `steps` times in all"
NO_PROJECTION = "it leaves the ball: after each step, back to within epsilon of the ORIGINAL images"
AT_THE_END = "project after each step, not only at the end; clamp(0, 1) too"
STEP_BALL = "the radius of the ball is epsilon, not step"


class Polynomial(nn.Module):
    """score_k(x) = sum over the pixels of a_k x + b_k x^2 / 2 + c_k x^3 / 3; gradient: a + b x + c x^2."""

    def __init__(self, *coefficients):
        """coefficients: up to three tensors [K, C, H, W]: a, b, c."""
        super().__init__()
        self.coefficients = nn.ParameterList(coefficients)
        self.to(device()).eval().requires_grad_(False)

    def forward(self, x):
        terms = enumerate(self.coefficients, 1)
        return sum(torch.einsum("nchw,kchw->nk", x**power / power, c) for power, c in terms)

    def gradient(self, x, weights):
        """d sum_k weights_k score_k / d x without autograd. weights [N, K]; or labels [N], one score each."""
        if weights.ndim == 1:
            weights = one_hot(weights, self)
        terms = enumerate(self.coefficients)
        return sum(torch.einsum("nk,kchw->nchw", weights, c) * x**power for power, c in terms)


def one_hot(labels, network):
    return F.one_hot(labels, len(network.coefficients[0])).float()


def setting(scale=0.1):
    """(network with 4 classes, images float32 [3, 3, 8, 6], labels int64 [3])."""
    network = Polynomial(*(scale * normal(4, 3, 8, 6, seed=seed) for seed in (1, 2, 3)))
    return network, normal(3, 3, 8, 6), torch.tensor([2, 0, 3], device=device())


def run(answer, images, *rest):
    """What the answer returns; its input must stay untouched, and autograd's usual errors get their hint."""
    before = images.clone()
    try:
        result = answer(images, *rest)
    except (RuntimeError, TypeError, AttributeError) as error:
        for piece, hint in ERRORS.items():
            if piece in str(error):
                first_line = str(error).splitlines()[0]
                raise Wrong("a result", f"{type(error).__name__}: {first_line}", hint) from error
        raise
    expect_unchanged(before, images, INPUT)
    if images.requires_grad or images.grad is not None:
        raise Wrong(f"{INPUT} left as it was", "requires_grad or .grad was set on it", TRACKED)
    return result


def expect(exercise, found, expected, mistakes=(), tolerance=1e-3):
    """Compare, with the exercise's recipe as the hint of last resort; the result must not carry a graph."""
    compare(found, expected, mistakes, [RECIPE[exercise]], tolerance, torch.float32)
    if found.requires_grad:
        raise Wrong("a result without gradient", "requires_grad=True", ATTACHED)


def wrong_scores(scores, labels):
    """(weights of the scores [N, K], hint): the numbers that are differentiated by mistake."""
    right, probabilities = F.one_hot(labels, scores.shape[1]).float(), scores.softmax(dim=1)
    yield (probabilities * right).sum(1, keepdim=True) * (right - probabilities), SOFTMAX
    for factor in (1, -1, -1 / len(scores)):
        yield factor * (right - probabilities), SOFTMAX
    yield F.one_hot(scores.argmax(1), scores.shape[1]).float(), BEST
    yield torch.ones_like(scores), ALL
    yield right / len(scores), MEAN_SCORE
    for other in (right.sum(0), right[0], right.flip(0), right.roll(1, 0)):
        yield other.expand_as(scores), OTHERS


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
    network, images, labels = setting()
    found = run(answer, images, labels, network)
    gradient = network.gradient(images, labels)
    expect("8.1", found, gradient.abs().amax(1), [
        *wrong_maps(gradient),
        *((network.gradient(images, weights).abs().amax(1), hint)
          for weights, hint in wrong_scores(network(images), labels)),
    ])


def check_8_2(answer):
    network, images, _ = setting()
    expect_updates(answer, network, images[2:], network(images[2:]).argmin(1))
    expect_stop(answer)


def expect_updates(answer, network, image, target, rate=0.5):
    """One and two updates, on a network where the target is far away."""
    def gradient(x):
        return network.gradient(x, target)

    one = image + rate * unit(gradient(image))
    two = one + rate * unit(gradient(one))
    three = two + rate * unit(gradient(two))
    g, best = gradient(image), network.gradient(image, network(image).argmax(1))
    found, steps = fool(answer, image, target.item(), network, rate, 1)
    expect("8.2", found, one, [
        (one[0], BATCH_AXIS), (image, NO_STEP), (two, MORE), (image - rate * unit(g), DESCENT),
        (image + rate * g, NOT_UNIT), (image - rate * unit(best), AGAINST_BEST),
        *((image + rate * other, OTHER_UNIT)
          for other in (g.sign(), g / g.abs().max(), g / g.norm() ** 2, unit(g) / rate)),
        *((image + rate * unit(network.gradient(image, weights)), hint)
          for weights, hint in wrong_scores(network(image), target)),
    ])
    expect_steps(steps, 1)
    found, steps = fool(answer, image, target.item(), network, rate, 2)
    expect("8.2", found, two, [
        (one, FROM_START), (three, MORE), (one + rate * unit(g + gradient(one)), PILED_UP),
        (one + rate * unit(g), SAME_GRADIENT),
    ])
    expect_steps(steps, 2)


def expect_stop(answer):
    """Three orthonormal patterns as scores: 5 updates of length 0.5 along one overtake 2.2 times another."""
    patterns = torch.linalg.qr(normal(3 * 8 * 6, 3).cpu())[0].T.reshape(3, 3, 8, 6).to(device())
    network, image, pattern = Polynomial(patterns), 2.2 * patterns[:1], patterns[1:2]
    found, steps = fool(answer, image, 1, network, 0.5, 20)
    expect("8.2", found, image + 5 * 0.5 * pattern, [
        (image + 20 * 0.5 * pattern, NO_STOP), (image + 6 * 0.5 * pattern, STOP_LATE),
    ])
    expect_steps(steps, 5)
    found, steps = fool(answer, image, 0, network, 0.5, 20)
    further = [(image + updates * 0.5 * patterns[:1], AT_ONCE) for updates in (1, 20)]
    expect("8.2", found, image, further)
    expect_steps(steps, 0)


def fool(answer, image, target, network, rate, max_steps):
    """The two things that the answer returns. Its network ends a loop that would run on for ever."""
    calls, enough = count(1), 3 * max_steps + 5  # the class may be looked at before and after each update

    def watch(*_):
        if next(calls) > enough:
            raise Wrong(f"at most {max_steps} updates", f"more than {enough} calls of the network", ENDLESS)

    with network.register_forward_pre_hook(watch):
        result = run(answer, image, target, network, rate, max_steps)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong("(image, number of steps)", describe(result), PAIR)
    if isinstance(result[0], int):
        raise Wrong("(image, number of steps)", f"first {describe(result[0])}", PAIR_SWAPPED)
    return result


def expect_steps(steps, expected):
    if steps != expected:
        raise Wrong(f"{expected} steps", describe(steps), COUNTED)


def unit(gradient):
    return gradient / gradient.norm()


def check_8_3(answer):
    network, images, labels = setting()
    x, target, rate, l2 = images[:1], labels[:1], 0.7, 0.5
    found = run(answer, x, target.item(), network, rate, l2)
    g = network.gradient(x, target)
    uphill = g - 2 * l2 * x
    wrong_steps = [
        (g, NO_L2), (g + 2 * l2 * x, L2_SIGN), (g - l2 * x, L2_HALF), (g - l2 * unit(x), L2_ROOT),
        (g - 2 * l2 * x / x.numel(), L2_MEAN), (g - 2 * l2 * x / rate, L2_APART),
        (-uphill, DESCENT), (-g - 2 * l2 * x, DESCENT), (-g, DESCENT),
        (unit(uphill), UNIT), (unit(g) - 2 * l2 * x, UNIT), (uphill / rate, NO_RATE), (0 * x, NO_STEP),
        *((network.gradient(x, weights) - 2 * l2 * x, hint)
          for weights, hint in wrong_scores(network(x), target)),
    ]
    expect("8.3", found, x + rate * uphill, [
        ((x + rate * uphill)[0], BATCH_AXIS), *((x + rate * step, hint) for step, hint in wrong_steps),
    ])


def check_8_4(answer):
    network, images, labels = setting()
    found = run(answer, images, labels, network, 0.0, 3, torch.Generator().manual_seed(0))
    gradient = network.gradient(images, labels)
    expect("8.4", found, gradient.abs().amax(1), [
        (3 * gradient.abs().amax(1), ADDED_UP), *wrong_maps(gradient),
        *((network.gradient(images, weights).abs().amax(1), hint)
          for weights, hint in wrong_scores(network(images), labels)),
    ])
    expect_noise(answer)
    expect_generator(answer, network, images, labels)


def expect_noise(answer, x=0.6, noise=0.7, samples=50):
    """Means over equal pixels. The gradients are x^2 (class 0) and x (class 1); E (x + s e)^2 = x^2 + s^2."""
    a, b, c = torch.zeros(3, 2, 3, 32, 32)
    b[1, 0] = c[0, 0] = 1  # only the red channel counts
    network = Polynomial(a, b, c)
    images, labels = torch.full((2, 3, 32, 32), x, device=device()), torch.tensor([0, 1], device=device())
    found = run(answer, images, labels, network, noise, samples, torch.Generator().manual_seed(0))
    expect_tensor(found, [2, 32, 32], torch.float32, [RECIPE["8.4"]])
    spread = noise / samples**0.5
    if found[1].std() > 3 * spread:
        hint = ONE_NOISE if found[1].std() < 1.5 * noise else MORE_NOISE
        raise Wrong(SPREAD.format(spread), f"{found[1].std():.2g}", hint, RECIPE["8.4"])
    expect_average(found[0], x**2 + noise**2, [
        (x**2, NO_NOISE), (x**2 + noise, ROOT_NOISE), (x**2 + noise**4, SQUARE_NOISE),
        (x**2 * (1 + noise**2), TIMES_NOISE), (x**2 * noise**2, TIMES_NOISE), (noise**2, TIMES_NOISE),
        (x**2 + x * noise + noise**2 / 3, UNIFORM), (x**2 + noise**2 / 12, UNIFORM),
        (x**2 + noise**2 / 3, UNIFORM),
    ])
    e = normal(10_000)
    expect_average(found[1], x, [((x + noise * e).abs().mean().item(), ABS_EARLY)])


def expect_average(found, expected, mistakes, tolerance=0.03):
    """Compare the mean over a map, which chance moves by less than 1 %."""
    try:
        compare(found.mean(), torch.tensor(expected), mistakes, [RECIPE["8.4"]], tolerance)
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
    network, images, labels = setting()
    found = run(answer, images, labels, network, steps)
    gradient = network.gradient(images, labels)
    a, b, c = (network.coefficients[i][labels] for i in range(3))
    mean = a + b * images / 2 + c * images**2 / 3
    right = images * mean

    def average(alphas):
        return torch.stack([network.gradient(alpha * images, labels) for alpha in alphas.tolist()]).mean(0)

    start = torch.arange(steps) / steps
    expect("8.5", found, right, [
        (images * average(start), LEFT), (images * average(start + 1 / steps), RIGHT_RULE),
        *((images * average(torch.linspace(0, 1, points)), BOTH_ENDS) for points in (steps, steps + 1)),
        (mean, NO_INPUT), (right.abs(), IG_ABS), (images * mean.abs(), IG_ABS), (images.abs() * mean, IG_ABS),
        (gradient, END_POINT), (images * gradient, END_POINT), (steps * right, IG_SUM),
        (right.amax(1), IG_MAX), (right.abs().amax(1), IG_MAX), (right.sum(1), IG_MAX),
        *wrong_paths(network, images, labels, start + 0.5 / steps),
    ], tolerance=5e-3)  # between the error of the trapezoid rule and that of a one-sided rule


def wrong_paths(network, images, labels, alphas):
    """(integrated gradients, hint) of the numbers that are differentiated by mistake."""
    points = [alpha * images for alpha in alphas.tolist()]
    for mistake in zip(*(wrong_scores(network(point), labels) for point in points), strict=True):
        gradients = [network.gradient(point, weights)
                     for point, (weights, _) in zip(points, mistake, strict=True)]
        yield images * torch.stack(gradients).mean(0), mistake[0][1]


def check_8_6(answer):
    """A layer followed by scores that are linear in its output A, so that d score / d A is known."""
    torch.manual_seed(0)
    layer = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), nn.Sigmoid())
    offsets = normal(4, 4, 1, 1, seed=2)
    templates = normal(4, 4, 8, 6, seed=1) + offsets - offsets.mean(1, keepdim=True)
    templates[3] = -0.1 * templates[3].abs()  # A > 0: everything speaks against class 3
    head = Polynomial(templates)
    network = nn.Sequential(layer, head).to(device()).eval().requires_grad_(False)
    images, labels = 2 * normal(2, 3, 16, 12), torch.tensor([1, 2], device=device())
    found = run(answer, images, labels, network, layer)
    rights, mistakes = cams(layer(images), labels, head, images.shape[2:])
    right = next((r for r in rights if isinstance(found, torch.Tensor) and same(found, r, 1e-3)), rights[0])
    expect("8.6", found, right, mistakes)
    if any(m._forward_hooks or m._forward_pre_hooks or m._backward_hooks for m in network.modules()):
        raise Wrong("a layer without hooks", "a layer with a hook", HOOK)
    found = run(answer, images[:1], torch.tensor([3], device=device()), network, layer)
    expect("8.6", found, torch.zeros(1, 16, 12), [(-torch.ones(1, 16, 12), NO_RELU)])


def cams(activations, labels, head, size):
    """(the maps that are right, [(the map of a mistake, its hint)])."""
    def enlarge(maps, **options):
        return F.interpolate(maps[:, None], size, **(options or {"mode": "bilinear"}))[:, 0]

    def scale(maps):
        return maps / maps.amax((1, 2), keepdim=True).clamp_min(1e-12)

    def cam(gradient):
        return (gradient.mean((2, 3), keepdim=True) * activations).sum(1)

    gradient = head.gradient(activations, labels)
    small, raw = cam(gradient).relu(), cam(gradient)
    low, high = enlarge(raw).amin((1, 2), keepdim=True), enlarge(raw).amax((1, 2), keepdim=True)
    rights = [order(small) for corners in (False, True) for order in (
        lambda maps, c=corners: scale(enlarge(maps, mode="bilinear", align_corners=c)),
        lambda maps, c=corners: enlarge(scale(maps), mode="bilinear", align_corners=c),
    )]
    others = [
        ((gradient * activations).sum(1), LOCAL), (activations.sum(1), NO_WEIGHTS),
        (cam(gradient.mean(0, keepdim=True)), CAM_BATCH), (raw.abs(), CAM_ABS),
        *((cam(head.gradient(activations, weights)), hint)
          for weights, hint in wrong_scores(head(activations), labels)),
    ]
    return rights, [
        (scale(enlarge(raw)), NO_RELU), ((enlarge(raw) - low) / (high - low), NO_RELU),
        (scale(enlarge(raw).relu()), RELU_LATE), (enlarge(small), NOT_SCALED),
        (enlarge(small) / enlarge(small).max(), PER_BATCH), (enlarge(small / small.max()), PER_BATCH),
        (scale(small), SMALL), (small, SMALL), (scale(enlarge(small, mode="nearest")), NEAREST),
        (rights[0][:, None], ONE_CHANNEL), *((scale(enlarge(maps.relu())), hint) for maps, hint in others),
    ]


def pixels():
    """Images float32 [3, 3, 8, 6] in [0, 1], some of whose pixels are black or white."""
    return (0.5 + 0.4 * normal(3, 3, 8, 6)).clamp(0, 1)


def loss_gradient(network, images, labels):
    """d cross-entropy / d x, summed over the images: the scores' gradients weighted by softmax - one-hot."""
    return network.gradient(images, network(images).softmax(dim=1) - one_hot(labels, network))


def wrong_directions(network, images, labels):
    """(direction, hint): what is added instead of the sign of the loss' gradient."""
    gradient, score = loss_gradient(network, images, labels), network.gradient(images, labels)
    probabilities = network(images).softmax(dim=1)
    pull = probabilities.softmax(dim=1) - one_hot(labels, network)
    twice = probabilities * (pull - (probabilities * pull).sum(1, keepdim=True))  # softmax's Jacobian
    yield -gradient.sign(), MINUS
    for other in (gradient, gradient / len(images), unit(gradient), -gradient):
        yield other, NO_SIGN
    yield from ((score.sign(), SCORE), (-score.sign(), SCORE))
    yield network.gradient(images, twice).sign(), TWO_SOFTMAX
    yield loss_gradient(network, images, network(images).argmax(1)).sign(), PREDICTED


def check_8_7(answer, epsilon=0.1):
    network, _, labels = setting()
    images = pixels()
    found = run(answer, images, labels, network, epsilon)
    sign = loss_gradient(network, images, labels).sign()
    expect("8.7", found, (images + epsilon * sign).clamp(0, 1), [
        (images + epsilon * sign, NO_CLAMP),
        ((images + sign).clamp(0, 1), NO_EPSILON), (images + sign, NO_EPSILON),
        (epsilon * sign, ONLY_NOISE), ((epsilon * sign).clamp(0, 1), ONLY_NOISE), (images, NO_STEP),
        *with_clamp(images, epsilon, wrong_directions(network, images, labels)),
    ])
    compare(run(answer, images, labels, network, 0.0), images, hints=[EPSILON_0, RECIPE["8.7"]])


def with_clamp(images, size, directions):
    """(images moved along the directions, hint), with and without the clamp."""
    for direction, hint in directions:
        moved = images + size * direction
        yield from ((moved.clamp(0, 1), hint), (moved, hint))


def check_8_8(answer, epsilon=0.1, step=0.07):
    network, _, labels = setting(scale=0.5)  # curved enough for the signs to change on the way
    images = pixels()
    expect_one_step(answer, images, labels, network, epsilon, step)
    sign = loss_gradient(network, images, labels).sign()
    one = (images + step * sign).clamp(0, 1)
    moved = one + step * loss_gradient(network, one, labels).sign()
    beyond = images + step * sign
    beyond = beyond + step * loss_gradient(network, beyond, labels).sign()
    expect("8.8", run(answer, images, labels, network, epsilon, step, 2), inside(moved, images, epsilon), [
        (one, ONE_STEP), (moved.clamp(0, 1), NO_PROJECTION), (inside(moved, images, step), STEP_BALL),
        (inside(images + 2 * step * sign, images, epsilon), SAME_GRADIENT),
        (inside(beyond, images, epsilon), AT_THE_END),
    ])
    expect_projections(answer, images, labels, network)
    expect_many_steps(answer, images, epsilon)


def inside(moved, images, epsilon):
    """The nearest point of the ball around the images and of [0, 1]."""
    return moved.clamp((images - epsilon).clamp_min(0), (images + epsilon).clamp_max(1))


def expect_one_step(answer, images, labels, network, epsilon, step):
    found, again = (run(answer, images, labels, network, epsilon, step, 1) for _ in range(2))
    if isinstance(found, torch.Tensor) and not same(again, found):
        raise Wrong("the same images from two calls", "different images", RANDOM)
    sign = loss_gradient(network, images, labels).sign()
    moved = images + step * sign
    expect("8.8", found, moved.clamp(0, 1), [
        (moved, NO_CLAMP), ((images + epsilon * sign).clamp(0, 1), EPSILON_STEP), (images, NO_STEP),
        *with_clamp(images, step, wrong_directions(network, images, labels)),
    ])


def expect_projections(answer, images, labels, network, epsilon=0.2, step=0.18, steps=3):
    """The second step leaves the ball: outside, the third one meets other signs."""
    expected, outside, beyond = images, images, images
    for _ in range(steps):
        expected = inside(expected + step * loss_gradient(network, expected, labels).sign(), images, epsilon)
        outside = (outside + step * loss_gradient(network, outside, labels).sign()).clamp(0, 1)
        beyond = beyond + step * loss_gradient(network, beyond, labels).sign()
    expect("8.8", run(answer, images, labels, network, epsilon, step, steps), expected, [
        (inside(outside, images, epsilon), AT_THE_END), (inside(beyond, images, epsilon), AT_THE_END),
    ])


def expect_many_steps(answer, images, epsilon, step=0.03, steps=6):
    """Two classes, scores linear in x: the loss always grows along the sign of the difference of the two."""
    templates = normal(2, 3, 8, 6, seed=4)
    labels = torch.tensor([0, 1, 1], device=device())
    sign = (templates[1 - labels] - templates[labels]).sign()
    found = run(answer, images, labels, Polynomial(0.2 * templates), epsilon, step, steps)
    expect("8.8", found, (images + epsilon * sign).clamp(0, 1))
