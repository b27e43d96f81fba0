"""The checks of TP 11: a draw of labels, augmentation, two networks, and the losses of its games.

The oracles are counts and statistics of what is drawn, affine maps recovered from where single dots go, layers seen by
hooks, closed forms in float64, and critics whose gradient is known.
"""

import math

import torch
from torch import nn
from torch.nn import functional as F

from ..runtime import device
from .compare import NO_RETURN, Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import normal, settle, trace

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "11.1": "order = torch.randperm(N, generator=generator); None: its first n; otherwise, for each class, the first "
            "per_class of order[labels[order] == k], and torch.cat of them",
    "11.2": "draw angle, scale and two shifts for each image (torch.rand(N, generator=generator)), stack them to "
            "matrices [N, 2, 3], then F.affine_grid and F.grid_sample",
    "11.3": "[Conv2d(…, 3, padding=1), BatchNorm2d, ReLU] with 32 and 32 channels, MaxPool2d(2), the same with 64 and "
            "64, MaxPool2d(2), Flatten, Dropout(0.5), Linear(64 * 7 * 7, classes)",
    "11.4": "network = copy.deepcopy(discriminator); network.last = nn.Linear(network.last.in_features, classes); "
            "network.requires_grad_(True), for the discriminator may come frozen",
    "11.5": "F.cross_entropy(code_logits, codes): it takes the logarithm of the softmax itself",
    "11.6": "fake_scores.mean() - real_scores.mean(): the critic wants high scores for real images",
    "11.7": "-fake_scores.mean(): G wants high scores for its images",
    "11.8": "loop over critic.parameters(), under torch.no_grad(), weight.clamp_(-bound, bound)",
    "11.9": "x̂ = share * real + (1 - share) * fake with requires_grad; torch.autograd.grad(critic(x̂).sum(), x̂, "
            "create_graph=True)[0]; flatten(1).norm(dim=1); mean of (norm - 1)²",
    "11.10": "F.cross_entropy(labelled_logits, labels) + F.softplus(-real).mean() + F.softplus(fake).mean(), where "
             "real and fake are the logsumexp(1) of their logits",
    "11.11": "sure, labels = logits.softmax(1).max(1); the indices where sure > threshold, and the labels there",
    "11.12": "recall = diagonal / sum of the row; a weight that grows with 1 - recall; divide by the mean",
    "11.13": "(real_features.mean(0) - fake_features.mean(0)).pow(2).sum()",
}
SUM = "that is a sum: take the mean"
SIGN = "the sign is wrong: "
EACH = "a scalar: take the mean over the images"
CUT = "the loss has no gradient, so nothing can be trained with it: no .item(), no .detach(), no torch.no_grad()"

RESEEDED = "draw from `generator` itself; torch.manual_seed changes what everybody else draws"
NO_NONE = "generator=None must work: torch's own generator, which torch's functions take by themselves then"

# 11.1
INDICES = "indices of images, int64: not a mask, not the labels themselves"
TWICE = "an image is drawn twice: draw without putting back, torch.randperm"
OUTSIDE = "there are indices outside 0 … N − 1"
COUNT = "the number of indices is n, or K · per_class"
GLOBAL = "two generators with the same seed must give the same draw: draw with generator=generator"
SEEDED = "different generators must give different draws: do not seed inside the function"
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

# 11.3
NOT_MODULE = "it must be a class that inherits from nn.Module"
CONVOLUTIONS = "four convolutions, 3 × 3 with padding 1, from 1 channel to 32, 32, 64 and 64"
BETWEEN = "between convolution {} and the next layer: BatchNorm2d, then ReLU{}"
OWN_NORM = "a batch norm of its own behind each convolution: four BatchNorm2d"
POOL = ", then MaxPool2d(2)"
NO_DROPOUT = "in train mode two passes give the same: is the Dropout there?"
EVAL_DROPOUT = "in eval mode two passes differ: nn.Dropout is off there, F.dropout needs training=self.training"
SOFTMAX = "no softmax at the end: return logits, the softmax is part of the loss"
EARLY_DROPOUT = "there is dropout before the last pool too: one Dropout(0.5), in front of the linear layer"
CLASSES_UNUSED = "the last layer has as many outputs as there are classes: is the argument used?"
WEAK_DROPOUT = "Dropout(0.5) sets about half of the last layer's inputs to 0 in train mode"

# 11.4
SHARED = "the discriminator itself is changed or shares its weights: work on a deep copy"
OLD_WEIGHTS = "the features must be those that the discriminator has learnt: copy it, do not make a new one"
FROZEN = "all weights must learn: requires_grad is False for some"
DETACHED = "no gradient gets through to the features: no detach and no torch.no_grad() in the new network"
LAST = "the new layer is `last`, nn.Linear(in_features of the old one, classes)"

# 11.5 to 11.7, 11.10, 11.13
SOFTMAX_TWICE = "the softmax is applied twice: F.cross_entropy takes logits"
LOGISTIC = "no sigmoid and no logarithm: a critic's scores are any real numbers, the loss is a difference of means"
PULL = "the two means are subtracted: real and generated images pull apart"
ABSOLUTE = "no absolute value: the sign says which side is higher"

# 11.8
BIASES = "some weights are still outside [−bound, bound]: clip biases too, all of critic.parameters()"
NOT_CLIPPED = "nothing is clipped: clamp_ changes in place, clamp makes a copy"
SCALED = "weights inside [−bound, bound] must stay what they are: clip, do not rescale"
REPLACED = "the critic's parameters were replaced by other tensors: the optimiser still holds the old ones; use clamp_"
CLIP_GRAD = "requires_grad of the weights has changed: use torch.no_grad(), and leave it alone"

NO_GRAD = "weights that learn may be changed in place under torch.no_grad() only"
LEFT_OFF = "use `with torch.no_grad():`, which ends by itself, and leave train and eval mode alone"
CLIPS_GRADIENTS = "that clips the gradients: clip the weights themselves"
BUFFERS = "running means and variances are no weights: critic.parameters(), not state_dict()"

# 11.9
ONE_SIDED = "the penalty is two-sided: norms below 1 count too, so no clamp or relu"
SQUARED_NORM = "that is (‖gradient‖² − 1)²: take the norm, not its square"
NOT_SQUARED = "the distance from 1 is squared: (‖gradient‖ − 1)²"
TO_ZERO = "the norm is compared with 1, not with 0"
WHOLE_BATCH = "that is the norm over the whole batch: one norm per image, flatten(1).norm(dim=1)"
L1 = "that is the sum of absolute values: take the Euclidean norm"
PER_CHANNEL = "that is a norm per channel or row: flatten(1) first, one norm per image"
NO_GRAPH = "the penalty must have a gradient with respect to the critic's weights: create_graph=True"
ENDS = "x̂ must lie between real and generated images: here it is {}"
ONE_SHARE = "each image has an ε of its own: torch.rand(n, 1, 1, 1, …)"
PIXEL_SHARE = "one ε per image, not one per pixel: torch.rand(n, 1, 1, 1, …)"
TOUCHED = "the critic's .grad has changed: torch.autograd.grad leaves it alone, backward() does not"
LAMBDA = "without the factor λ: the training loop multiplies"

# 11.10
NO_LABELS = "the labelled images' cross-entropy is missing"
NO_REAL = "the unlabelled images' term is missing: −mean ln D(x)"
NO_FAKE = "the generated images' term is missing: −mean ln(1 − D(x̃))"
SWAPPED = "unlabelled and generated images are swapped"
MAXIMUM = "D(x) is the probability of all K classes together: their logsumexp against 0, not the largest logit"
MEAN_LOGIT = "D(x) comes from the logsumexp of the K logits, not from their mean or sum"
HALF = "the two unsupervised terms count in full, without a factor 1/2"
NO_ZERO = "\"generated\" is a class of its own with the logit 0: D(x) = Σ exp / (1 + Σ exp)"
UNSTABLE = "right for small logits, not for ±1000: exp overflows, ln 0 is infinite; use logsumexp and softplus"

UNSTABLE_GRADIENT = "the gradient is NaN at ±1000 (torch.where computes both sides): use F.softplus"

# 11.11
PAIR = "return a pair: (indices, labels)"
LOGIT_THRESHOLD = "the threshold is compared with logits: take their softmax first"
SIGMOID = "that is the sigmoid of each logit: the softmax makes the K classes share one probability"
ALL_LABELS = "the labels of the chosen images only, in the order of the indices"
MASK = "indices, not a mask: .nonzero().flatten()"
AT_LEAST = "above the threshold, not at it"
BELOW = "these are the images below the threshold: the sure ones are wanted"

SQUEEZED = "an axis is lost where a single image is sure: avoid squeeze(), use flatten()"

# 11.12
MEAN_ONE = "the mean of the weights is {:.3f}, it must be 1"
MONOTONE = "a class with a lower recall must have a larger weight"
RECALL_TO_WEIGHT = "classes with a high recall get the large weights: it is the other way round"
PRECISION = "that goes by columns, the precision: rows are true classes, recall = diagonal / sum of the row"
FINITE = "a class that is never right, or of which there is no image, must get a finite positive weight"
NEVER_RIGHT = "a class that is never right has recall 0: the largest weight; the mean over all classes is 1 here too"
LEAST = "a class without mistakes must not be forgotten: its weight is at least 0.1"
ALL_RIGHT = "where no class makes mistakes, all weights are 1"

# 11.13
MSE = "that is a mean over the features: the squared distance is their sum"
NOT_MEANS = "mean first, then the distance: G shall match the mean features, not pair image with image"
ROOT = "that is the distance: square it"
NO_SQUARE = "square the differences before you add them up"
SCALAR_MEAN = "one mean per feature, mean(0): not one over everything"


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def expect_randomness(call, recipe):
    """Raise Wrong unless call(generator) leaves torch's own generator alone, and call(None) draws from it."""
    state = torch.get_rng_state()
    call(drawn(1))
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("torch's own generator left as it was", "its state has changed", RESEEDED, recipe)
    try:
        one, other = call(None), call(None)
        torch.set_rng_state(state)
        again = call(None)
    except (TypeError, AttributeError) as error:
        raise Wrong("an answer without a generator too", f"{type(error).__name__}: {error}", NO_NONE, recipe) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other numbers at each call, from torch's own generator",
                    "the same at each call" if torch.equal(one, other) else "others", NO_NONE, recipe)


def expect_scalar(answer, inputs, expected, mistakes, recipe):
    """Raise Wrong unless answer(*inputs) is the expected scalar, with a gradient for each input that asks for one."""
    found = answer(*inputs)
    if found is None:
        raise Wrong("a scalar tensor", "None", NO_RETURN, recipe)
    if isinstance(found, torch.Tensor) and found.numel() > 1:
        raise Wrong("a scalar tensor", describe(found), EACH, recipe)
    if isinstance(found, torch.Tensor) and not same(found, expected, 1e-4):
        for value, hint in mistakes:
            if not same(value, expected, 1e-4) and same(found, value, 1e-4):
                raise Wrong(describe(expected), describe(found), hint, recipe)
    compare(found, expected, (), (recipe,))
    learning = [each for each in inputs if isinstance(each, torch.Tensor) and each.requires_grad]
    if learning and not found.requires_grad:
        raise Wrong("a loss with a gradient", "a loss without", CUT, recipe)
    return torch.autograd.grad(found, learning, allow_unused=True) if learning else ()


# ---- 11.1


def check_11_1(answer):
    labels = torch.tensor([k for k, count in enumerate((60, 30, 90, 120)) for _ in range(count)])
    labels = labels[torch.randperm(300, generator=drawn(0))]
    before = labels.clone()
    for arguments, count in (({}, 100), ({"n": 24}, 24), ({"per_class": 5}, 20), ({"per_class": 30}, 120)):
        found = answer(labels, **arguments, generator=drawn(1))
        expect_indices(found, count, len(labels), labels)
        if "per_class" in arguments and torch.bincount(labels[found], minlength=4).tolist() != 4 * [count // 4]:
            raise Wrong(f"{count // 4} of each class", f"{torch.bincount(labels[found], minlength=4).tolist()}",
                        PER_CLASS, RECIPE["11.1"])
        if not torch.equal(found, answer(labels, **arguments, generator=drawn(1))):
            raise Wrong("the same draw from the same generator", "another draw", GLOBAL, RECIPE["11.1"])
    expect_unchanged(before, labels, "labels")
    for arguments, expected in (({"n": 20}, 20 / 300 * torch.ones(300)),
                                ({"per_class": 5}, 5 / torch.bincount(labels)[labels].float())):
        draws = [answer(labels, **arguments, generator=drawn(seed)) for seed in range(60)]
        if all(torch.equal(draws[0], other) for other in draws):
            raise Wrong("other draws from other generators", "always the same", SEEDED, RECIPE["11.1"])
        often = torch.bincount(torch.cat(draws), minlength=300) / len(draws)
        first, rest = often[:150].mean() / expected[:150].mean(), often[150:].mean() / expected[150:].mean()
        if ((often - expected).abs() > 7 * (expected / len(draws)).sqrt()).any() or abs(first - rest) > 0.3:
            raise Wrong("every image as likely as the others", f"one is drawn in {often.max():.0%} of the draws",
                        FIRST, RECIPE["11.1"])
    spread = torch.stack([torch.bincount(labels[answer(labels, n=40, generator=drawn(seed))], minlength=4)
                          for seed in range(20)])
    if (spread == spread[0]).all():
        raise Wrong("as many of a class as chance has it", "always as many of a class", UNBALANCED, RECIPE["11.1"])
    for arguments in ({}, {"per_class": 5}):
        expect_randomness(lambda generator, given=arguments: answer(labels, **given, generator=generator),
                          RECIPE["11.1"])


def expect_indices(found, count, total, labels):
    """Raise Wrong unless `found` are `count` different indices below `total`."""
    if found is None:
        raise Wrong("indices", "None", NO_RETURN, RECIPE["11.1"])
    if isinstance(found, torch.Tensor) and (found.dtype == torch.bool or found.shape == labels.shape):
        raise Wrong(f"int64 [{count}]", describe(found), INDICES, RECIPE["11.1"])
    if isinstance(found, torch.Tensor) and found.ndim == 1 and len(found) != count:
        raise Wrong(f"int64 [{count}]", describe(found), COUNT, RECIPE["11.1"])
    expect_tensor(found, [count], torch.int64, (INDICES, RECIPE["11.1"]))
    if len(found.unique()) < count:
        few = found.max() <= labels.max()
        raise Wrong("different images", f"{len(found.unique())} different numbers", INDICES if few else TWICE,
                    RECIPE["11.1"])
    if found.min() < 0 or found.max() >= total:
        raise Wrong(f"indices from 0 to {total - 1}", describe(found), OUTSIDE, RECIPE["11.1"])


# ---- 11.2: single dots, and where they go

DOTS = ((14.0, 14.0), (18.0, 14.0), (14.0, 18.0))  # x, y in pixels, pixel centres at k + 0.5


def check_11_2(answer):
    count = 200
    across = torch.arange(28) + 0.5
    images = [torch.exp(-((across - x)[None, :] ** 2 + (across - y)[:, None] ** 2) / 4).expand(count, 1, 28, 28)
              .contiguous().to(device()) for x, y in DOTS]
    before = images[0].clone()
    found = [answer(one, drawn(3)) for one in images]
    expect_tensor(found[0], [count, 1, 28, 28], torch.float32, (RECIPE["11.2"],))
    expect_unchanged(before, images[0], "images")
    if not torch.equal(found[0], answer(images[0], drawn(3))):
        raise Wrong("the same images from the same generator", "others", GLOBAL, RECIPE["11.2"])
    if torch.equal(found[0], images[0]):
        raise Wrong("images that moved", "the images that were given", STILL, RECIPE["11.2"])
    state = torch.get_rng_state()
    answer(images[0], drawn(9))
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("torch's own generator left as it was", "its state has changed", RESEEDED, RECIPE["11.2"])
    large = answer(torch.ones(3, 1, 32, 32, device=device()), drawn(3))
    expect_tensor(large, [3, 1, 32, 32], torch.float32, (ANY_SIDE, RECIPE["11.2"]))
    if torch.equal(found[0], answer(images[0], drawn(4))):
        raise Wrong("other maps from another generator", "the same", SEEDED, RECIPE["11.2"])
    places = torch.stack([place(each) for each in found])  # [3 dots, count, x and y]
    if not torch.isfinite(places).all():
        raise Wrong("a dot near the middle", "a black image", FAR, RECIPE["11.2"])
    if (places.std(1) < 1e-3).all():
        raise Wrong("a map for each image", "the same for all", SAME_MAP, RECIPE["11.2"])
    expect_small_maps(places)
    white = answer(torch.ones(50, 1, 28, 28, device=device()), drawn(5))
    if white.max() > 1 + 1e-4 or white.min() < -1e-4:
        raise Wrong("values in [0, 1]", describe(white), RANGE, RECIPE["11.2"])
    if white.min() > 0.5:
        raise Wrong("black where the map looks outside", "white", FILLED, RECIPE["11.2"])


def place(images):
    """The centre of what is in each image [N, 1, 28, 28]: x and y in pixels [N, 2], NaN in a black one."""
    across, weight = torch.arange(28) + 0.5, images.detach().cpu()[:, 0].double()
    total = weight.sum((1, 2))
    found = torch.stack([(weight.sum(1) * across).sum(1), (weight.sum(2) * across).sum(1)], dim=1) / total[:, None]
    return torch.where(total[:, None] > 0.5, found, torch.nan)


def expect_small_maps(places):
    """Raise Wrong unless the dots went where turns up to 15°, scales 0.9 to 1.1 and shifts up to 2 pixels take them."""
    recipe = RECIPE["11.2"]
    dots = torch.tensor(DOTS, dtype=torch.double)
    # the columns of the linear part, from the dot in the middle to the one at its right and the one below
    linear = torch.stack([places[1] - places[0], places[2] - places[0]], dim=2) / (dots[1, 0] - dots[0, 0])
    shift = places[0] - dots[0]
    determinant = torch.linalg.det(linear)
    if (determinant < 0).any():
        raise Wrong("digits as they are written", "mirrored ones", MIRROR, recipe)
    angle = torch.rad2deg(torch.atan2(linear[:, 1, 0] - linear[:, 0, 1], linear[:, 0, 0] + linear[:, 1, 1]))
    scale, turn = determinant.sqrt(), torch.deg2rad(angle)
    rigid = scale[:, None, None] * torch.stack([turn.cos(), -turn.sin(), turn.sin(), turn.cos()], 1).view(-1, 2, 2)
    if (linear - rigid).abs().max() > 0.08:
        raise Wrong("turned, scaled and moved", "something else besides", SHEAR, CONTENT, recipe)
    if angle.abs().max() > 16.5:
        raise Wrong("at most 15°", f"{angle.abs().max():.0f}°", TURN.format(angle.abs().max()), recipe)
    if scale.max() > 1.16 or scale.min() < 0.86:
        worst = scale[(scale - 1).abs().argmax()]
        raise Wrong("0.9 to 1.1", f"{worst:.2f}", SCALE.format(worst), recipe)
    if shift.abs().max() > 2.6:
        raise Wrong("at most 2 pixels", f"{shift.abs().max():.1f}", SHIFT.format(shift.abs().max()), recipe)
    if angle.mean().abs() > 3 or (scale.mean() - 1).abs() > 0.03 or shift.mean(0).abs().max() > 0.5:
        raise Wrong("both ways alike", "more to one side", HALVES, recipe)
    for spread, least, what in ((angle.std(), 6.5, "turned"), (scale.std(), 0.04, "scaled"),
                                (shift.std(0).min(), 0.8, "moved")):  # uniform: 8.7°, 0.058, 1.15 pixels
        if spread < least:
            raise Wrong("turned, scaled and moved in x and y", f"a standard deviation of {spread:.2f}",
                        NOT_MOVED.format(what), recipe)
    together = torch.corrcoef(torch.stack([angle, scale, *shift.T])).fill_diagonal_(0)
    if together.abs().max() > 0.4:
        pair = [("the angle", "the scale", "the shift in x", "the shift in y")[k]
                for k in divmod(together.abs().argmax().item(), 4)]
        raise Wrong("angle, scale and shifts that have nothing to do with each other", " and ".join(pair) + " do",
                    TIED.format(*pair), recipe)


# ---- 11.3 and 11.4


def check_11_3(answer):
    recipe = RECIPE["11.3"]
    torch.manual_seed(0)
    network, x = answer(), normal(4, 1, 28, 28)
    if not isinstance(network, nn.Module):
        raise Wrong("a class that inherits from nn.Module", describe(network), NOT_MODULE, recipe)
    network.to(device())
    settle(network)
    seen = []
    hooks = [module.register_forward_hook(lambda module, given, out: seen.append((module, given[0], out)))
             for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        out, again = network.eval()(x), network(x)
    for hook in hooks:
        hook.remove()
    expect_tensor(out, [4, 10], torch.float32, (recipe,))
    if not torch.equal(out, again):
        raise Wrong("the same logits at each pass in eval mode", "others", EVAL_DROPOUT, recipe)
    expect_layers(network, seen[:len(seen) // 2], out)
    if tuple(answer(classes=4).to(device()).eval()(x).shape) != (4, 4):
        raise Wrong("float32 [4, 4] for 4 classes", describe(answer(classes=4).to(device()).eval()(x)), CLASSES_UNUSED,
                    recipe)
    one = expect_dropout(network, x)
    one.sum().backward()
    if any(weight.grad is None for weight in network.parameters()):
        raise Wrong("a gradient for every weight", "weights without", CUT, recipe)


def expect_dropout(network, x):
    """Logits in train mode; raises Wrong unless half of the linear layer's inputs are dropped, and nothing else is."""
    recipe = RECIPE["11.3"]

    def passes(module_kind, times):
        given = []
        hooks = [module.register_forward_hook(lambda module, inputs, out: given.append(inputs[0].clone()))
                 for module in network.modules() if isinstance(module, module_kind)]
        outputs = [network(x) for _ in range(times)]
        for hook in hooks:
            hook.remove()
        return given, outputs

    (dry,), _ = passes(nn.Linear, 1)  # still in eval mode
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    (wet, _), (one, other) = passes(nn.Linear, 2)
    if torch.equal(one, other):
        raise Wrong("another pass, other logits in train mode", "the same", NO_DROPOUT, recipe)
    before, _ = passes(nn.Conv2d, 2)
    half = len(before) // 2
    if not all(map(torch.equal, before[:half], before[half:])):
        raise Wrong("Dropout behind the last pool alone", "dropout between the convolutions", EARLY_DROPOUT, recipe)
    dropped = ((wet == 0) & (dry != 0)).double().sum() / (dry != 0).double().sum()
    if not 0.44 < dropped < 0.56:
        raise Wrong("half of the inputs dropped", f"{dropped:.0%}", WEAK_DROPOUT, recipe)
    return network.train()(x)


def expect_layers(network, seen, out):
    """Raise Wrong unless four convolutions with batch norm, ReLU and pools, then a linear layer, were seen."""
    recipe = RECIPE["11.3"]
    convolutions = [one for one in seen if isinstance(one[0], nn.Conv2d)]
    shapes = [(module.in_channels, module.out_channels, module.kernel_size, tuple(given.shape[-2:]),
               tuple(result.shape[-2:])) for module, given, result in convolutions]
    expected = [(a, b, (3, 3), (side, side), (side, side))
                for a, b, side in ((1, 32, 28), (32, 32, 28), (32, 64, 14), (64, 64, 14))]
    if [shape[:3] for shape in shapes] != [shape[:3] for shape in expected]:
        found = ", ".join(f"{a} → {b}" for a, b, *_ in shapes) or "none"
        raise Wrong("1 → 32, 32 → 32, 32 → 64, 64 → 64, all 3 × 3", found, CONVOLUTIONS, recipe)
    norms = [module for module, *_ in trace(network, normal(4, 1, 28, 28), nn.BatchNorm2d)[0]]
    if len(set(norms)) != 4:
        raise Wrong("four batch norms", f"{len(set(norms))}", OWN_NORM, recipe)
    following = [one[1] for one in convolutions[1:]] + [one[1] for one in seen if isinstance(one[0], nn.Linear)]
    for k, (convolution, given) in enumerate(zip(convolutions, following, strict=False)):
        pool = k in (1, 3)
        hint = BETWEEN.format(k + 1, POOL if pool else "")
        value = F.relu(F.batch_norm(convolution[2], norms[k].running_mean, norms[k].running_var, norms[k].weight,
                                    norms[k].bias, eps=norms[k].eps))
        value = F.max_pool2d(value, 2) if pool else value
        value = value.flatten(1) if k == 3 else value
        if value.shape != given.shape or not same(given, value):
            raise Wrong("Conv2d, BatchNorm2d, ReLU" + (", MaxPool2d" if pool else ""), "something else", hint, recipe)
    if [shape[3:] for shape in shapes] != [shape[3:] for shape in expected]:
        raise Wrong("28 × 28 twice, then 14 × 14 twice", str([shape[3] for shape in shapes]), CONVOLUTIONS, recipe)
    linear = [one for one in seen if isinstance(one[0], nn.Linear)]
    if len(linear) != 1:
        raise Wrong("one linear layer", f"{len(linear)} of them", recipe)
    if not same(out, linear[0][2]):
        total = out.exp().sum(1) if (out <= 0).all() else out.sum(1)
        raise Wrong("the linear layer's output", "something made of it",
                    *([SOFTMAX] if same(total, torch.ones(len(out))) else []), recipe)


def check_11_4(answer):
    from ..few_labels import Discriminator

    recipe = RECIPE["11.4"]
    torch.manual_seed(0)
    discriminator, x = Discriminator().to(device()).eval(), normal(3, 1, 32, 32)
    before, logits = [weight.clone() for weight in discriminator.state_dict().values()], discriminator(x)
    discriminator.features.requires_grad_(False)
    for classes in (10, 3):
        found = answer(discriminator, classes)
        if not isinstance(found, nn.Module):
            raise Wrong("a network", describe(found), *([NO_RETURN] if found is None else []), recipe)
        own = {id(weight) for weight in discriminator.parameters()}
        if (found is discriminator or any(id(weight) in own for weight in found.parameters())
                or not all(map(torch.equal, before, discriminator.state_dict().values()))
                or len(before) != len(discriminator.state_dict())):
            raise Wrong("a copy", "the discriminator itself, or a part of it", SHARED, recipe)
        found.to(device()).eval()
        last = getattr(found, "last", None)
        if not isinstance(last, nn.Linear) or last.out_features != classes:
            raise Wrong(f"last: nn.Linear with {classes} outputs", describe(last), LAST, recipe)
        expect_tensor(found(x), [3, classes], torch.float32, (LAST, recipe))
        if not same(found.features(x), discriminator.features(x)):
            raise Wrong("the discriminator's features", "others", OLD_WEIGHTS, recipe)
        if not same(found(x), found.last(found.features(x))):
            raise Wrong("last(features(x))", "something else", LAST, recipe)
        if not all(weight.requires_grad for weight in found.parameters()):
            raise Wrong("weights that all learn", "some that do not", FROZEN, recipe)
        found(x).sum().backward()
        if any(weight.grad is None for weight in found.parameters()):
            raise Wrong("a gradient for all weights", "none for some", DETACHED, recipe)
    discriminator.features.requires_grad_(True)
    if not same(discriminator(x), logits):
        raise Wrong("the discriminator as it was", "another one", SHARED, recipe)


# ---- 11.5 to 11.7, 11.13: losses in closed form


def check_11_5(answer):
    logits, codes = (3 * normal(7, 5)).requires_grad_(), torch.tensor([0, 1, 2, 3, 4, 1, 1]).to(device())
    logs = logits.double() - logits.double().exp().sum(1, keepdim=True).log()
    chosen = logs.gather(1, codes[:, None]).flatten().detach()
    soft = logs.exp().detach()
    entropy = (soft * soft.log()).sum(1)
    twice = (soft - soft.exp().sum(1, keepdim=True).log()).gather(1, codes[:, None]).mean()
    mistakes = [(chosen.mean(), SIGN + "the loss is minimised, the probability of the code shall grow"),
                (-chosen.sum(), SUM), (-twice, SOFTMAX_TWICE),
                (-soft.gather(1, codes[:, None]).mean(), "the logarithm is missing: −mean ln Q(code | x̃)"),
                (-logits.detach().gather(1, codes[:, None]).mean(), "the softmax is missing: ln Q is a log_softmax"),
                (-entropy.mean(), "that is the entropy of Q: the code that was drawn must come in"),
                (entropy.mean(), "that is the entropy of Q: the code that was drawn must come in"),
                (F.binary_cross_entropy_with_logits(logits.detach(), F.one_hot(codes, 5).float()),
                 "that is a sigmoid for each code: one of K codes was drawn, take the softmax"),
                (F.mse_loss(logits.detach().softmax(1), F.one_hot(codes, 5).float()), "the logarithm is missing")]
    (gradient,) = expect_scalar(answer, (logits, codes), -chosen.mean(), mistakes, RECIPE["11.5"])
    expected = (soft - F.one_hot(codes, 5)) / 7
    if gradient is None or not same(gradient, expected):
        raise Wrong("the gradient of cross-entropy", describe(gradient), CUT, RECIPE["11.5"])


def check_11_6(answer):
    real, fake = (normal(5) + 2).requires_grad_(), (3 * normal(8, seed=1) - 1).requires_grad_()
    r, f = real.detach().double(), fake.detach().double()
    gap = (r.mean() - f.mean()).abs()
    swapped = answer(fake, real)  # the other way round the loss changes its sign; an absolute value does not
    if isinstance(swapped, torch.Tensor) and same(swapped, answer(real, fake)) and same(swapped.abs(), gap):
        raise Wrong("another sign for the other order", describe(swapped), ABSOLUTE, RECIPE["11.6"])
    mistakes = [(r.mean() - f.mean(), SIGN + "the critic minimises, and wants high scores for real images"),
                (f.sum() - r.sum(), SUM), (f.mean() + r.mean(), PULL),
                (-r.mean(), "the generated images are missing"), (f.mean(), "the real images are missing"),
                ((f.mean() - r.mean()) / 2, "without a factor 1/2"),
                (f.sigmoid().mean() - r.sigmoid().mean(), LOGISTIC),
                (F.softplus(-r).mean() + F.softplus(f).mean(), LOGISTIC),
                ((f.mean() - r.mean()) ** 2, "no square")]
    gradients = expect_scalar(answer, (real, fake), f.mean() - r.mean(), mistakes, RECIPE["11.6"])
    for gradient, expected in zip(gradients, (-torch.ones(5) / 5, torch.ones(8) / 8), strict=True):
        if gradient is None or not same(gradient, expected):
            raise Wrong("a gradient for all scores", describe(gradient), CUT, RECIPE["11.6"])


def check_11_7(answer):
    for shift in (2, -2):
        fake = (normal(8, seed=1) + shift).requires_grad_()
        f = fake.detach().double()
        mistakes = [(f.mean(), SIGN + "G minimises, and wants high scores for its images"), (-f.sum(), SUM),
                    (-f.sigmoid().mean(), LOGISTIC), (F.softplus(-f).mean(), LOGISTIC),
                    ((1 - f).mean(), "no 1: −mean of the scores"), (f.abs().mean(), ABSOLUTE),
                    (-f.mean().abs(), ABSOLUTE), (f.mean().abs(), ABSOLUTE), (f.pow(2).mean(), "no square")]
        (gradient,) = expect_scalar(answer, (fake,), -f.mean(), mistakes, RECIPE["11.7"])
        if gradient is None or not same(gradient, -torch.ones(8) / 8):
            raise Wrong("a gradient of −1/n for each score", describe(gradient), CUT, RECIPE["11.7"])


def check_11_13(answer):
    real, fake = normal(6, 5), (normal(9, 5, seed=1) + 1).requires_grad_()
    r, f = real.double(), fake.detach().double()
    gap = r.mean(0) - f.mean(0)
    pairs = (r[:, None] - f[None]).pow(2).sum(2)
    mistakes = [(gap.pow(2).mean(), MSE), (gap.norm(), ROOT), (gap.abs().sum(), NO_SQUARE),
                (gap.abs().mean(), NO_SQUARE), (gap.sum(), NO_SQUARE), (pairs.mean(), NOT_MEANS),
                (gap.sum().pow(2), "square each feature's difference, then add"),
                ((r.mean() - f.mean()).pow(2), SCALAR_MEAN), ((r.sum(0) - f.sum(0)).pow(2).sum(), SUM),
                (-gap.pow(2).sum(), SIGN + "the distance shall fall")]
    (gradient,) = expect_scalar(answer, (real, fake), gap.pow(2).sum(), mistakes, RECIPE["11.13"])
    if gradient is None or not same(gradient, (-2 * gap / 9).expand(9, 5)):
        raise Wrong("a gradient that reaches G's images", describe(gradient), CUT, RECIPE["11.13"])


# ---- 11.8 and 11.9


def check_11_8(answer):
    recipe = RECIPE["11.8"]
    torch.manual_seed(0)
    critic = nn.Sequential(nn.Linear(6, 8), nn.BatchNorm1d(8), nn.ReLU(), nn.Sequential(nn.Linear(8, 1))).to(device())
    critic[0].bias.requires_grad_(False)
    for bound in (0.1, 0.01):
        with torch.no_grad():
            for weight in critic.parameters():
                weight.copy_(0.2 * normal(*weight.shape))
        before = {name: weight.detach().clone() for name, weight in critic.named_parameters()}
        names, own, flags = list(before), list(critic.parameters()), [w.requires_grad for w in critic.parameters()]
        buffers = [buffer.clone() for buffer in critic.buffers()]
        for weight in own:
            weight.grad = torch.ones_like(weight)
        try:
            answer(critic.train(), bound)
        except RuntimeError as error:
            if "leaf Variable" not in str(error):
                raise
            raise Wrong("weights clipped in place", f"RuntimeError: {error}", NO_GRAD, recipe) from None
        enabled = torch.is_grad_enabled()
        torch.set_grad_enabled(True)
        if not enabled or not critic.training:
            raise Wrong("grad mode and train mode as they were", "one of them changed", LEFT_OFF, recipe)
        if any(not torch.equal(weight.grad, torch.ones_like(weight)) for weight in own):
            raise Wrong(f"weights in [−{bound}, {bound}]", "other gradients", CLIPS_GRADIENTS, recipe)
        if not all(map(torch.equal, buffers, critic.buffers())):
            raise Wrong("weights and biases clipped", "batch norm's running statistics too", BUFFERS, recipe)
        now = dict(critic.named_parameters())
        if [id(weight) for weight in own] != [id(now.get(name)) for name in names]:
            raise Wrong("the same parameters, clipped", "other ones", REPLACED, recipe)
        if all(torch.equal(now[name], before[name]) for name in names):
            raise Wrong(f"weights in [−{bound}, {bound}]", "weights as before", NOT_CLIPPED, recipe)
        for name in names:
            if now[name].abs().max() > bound * 1.0001:
                raise Wrong(f"{name} in [−{bound}, {bound}]", describe(now[name]), BIASES, recipe)
            if not same(now[name], before[name].clamp(-bound, bound)):
                raise Wrong(f"{name}, clipped", describe(now[name]), SCALED, recipe)
        if [weight.requires_grad for weight in own] != flags:
            raise Wrong("requires_grad as it was", "changed", CLIP_GRAD, recipe)


class Quadratic(nn.Module):
    """A critic whose gradient at x is a · x: its norm is a ‖x‖."""

    def __init__(self, a=1.0):
        super().__init__()
        self.a = nn.Parameter(torch.tensor(a))

    def forward(self, x):
        return 0.5 * self.a * x.flatten(1).pow(2).sum(1)


def check_11_9(answer):
    recipe, critic = RECIPE["11.9"], Quadratic(0.7).to(device())
    x = normal(6, 2, 3, 3) * torch.linspace(0.1, 0.8, 6, device=device()).view(-1, 1, 1, 1)
    norms = 0.7 * x.double().flatten(1).norm(dim=1)
    found = answer(critic, x, x, drawn(0))
    expected = (norms - 1).pow(2).mean()
    flat = 0.7 * x.double()
    mistakes = [((norms - 1).clamp_min(0).pow(2).mean(), ONE_SIDED), ((norms**2 - 1).pow(2).mean(), SQUARED_NORM),
                ((norms - 1).abs().mean(), NOT_SQUARED), ((norms - 1).mean(), NOT_SQUARED),
                (norms.pow(2).mean(), TO_ZERO), (norms.mean(), TO_ZERO), ((norms - 1).pow(2).sum(), SUM),
                ((flat.norm() - 1).pow(2), WHOLE_BATCH), ((flat.abs().flatten(1).sum(1) - 1).pow(2).mean(), L1),
                ((flat.norm(dim=1) - 1).pow(2).mean(), PER_CHANNEL), (10 * expected, LAMBDA),
                ((flat.flatten(2).norm(dim=2) - 1).pow(2).mean(), PER_CHANNEL),
                ((norms.mean() - 1).pow(2), "the mean of the squares, not the square of the mean")]
    if isinstance(found, torch.Tensor) and found.numel() > 1:
        raise Wrong("a scalar", describe(found), EACH, recipe)
    compare(found, expected, mistakes, (recipe,))
    if critic.a.grad is not None:
        raise Wrong("gradients as they were", "a gradient in the critic's .grad", TOUCHED, recipe)
    gradient = torch.autograd.grad(found, critic.a, allow_unused=True)[0] if found.requires_grad else None
    if gradient is None or not same(gradient, (2 * (norms - 1) * norms / 0.7).mean(), 1e-3):
        raise Wrong("a gradient for the critic's weights", describe(gradient), NO_GRAPH, recipe)
    expect_between(answer, recipe)


def expect_between(answer, recipe):
    """Raise Wrong unless x̂ is uniform between real and generated images, with an ε for each."""
    class Noting(Quadratic):
        def forward(self, x):
            seen.append(x.detach())
            return super().forward(x)

    seen, n = [], 400
    real, fake = torch.full((n, 2, 4, 4), 1.0, device=device()), torch.zeros(n, 2, 4, 4, device=device())
    answer(Noting().to(device()), real, fake, drawn(1))
    share = seen[-1].flatten(1)
    if share.min() < -1e-5 or share.max() > 1 + 1e-5:
        raise Wrong("x̂ between real and generated", describe(share), ENDS.format("outside"), recipe)
    if share.std(1).max() > 1e-4:
        raise Wrong("one ε per image", "different ones within an image", PIXEL_SHARE, recipe)
    each = share.mean(1)
    if each.std() < 1e-5:
        where = {0.0: "the generated image", 1.0: "the real image"}.get(round(each[0].item(), 4))
        raise Wrong("ε between 0 and 1, one per image", "the same for all",
                    ENDS.format(where) if where else ONE_SHARE, recipe)
    if abs(each.mean() - 0.5) > 0.06 or abs(each.std() - 12**-0.5) > 0.03:
        raise Wrong("ε uniform in [0, 1]", describe(each), "draw ε with torch.rand, uniform in [0, 1]", recipe)
    answer(Noting().to(device()), real, fake, drawn(1))
    if not torch.equal(seen[-1].flatten(1).mean(1), each):
        raise Wrong("the same ε from the same generator", "others", GLOBAL, recipe)
    expect_randomness(lambda generator: answer(Quadratic().to(device()), real, fake, generator).detach(), recipe)


# ---- 11.10 to 11.12


def check_11_10(answer):
    recipe = RECIPE["11.10"]
    labelled, labels = (2 * normal(4, 5)).requires_grad_(), torch.tensor([0, 4, 2, 2]).to(device())
    real, fake = (2 * normal(6, 5, seed=1) - 1).requires_grad_(), (2 * normal(9, 5, seed=2) - 2).requires_grad_()
    lab, r, f = (each.detach().double() for each in (labelled, real, fake))
    cross = -(lab - lab.exp().sum(1, keepdim=True).log()).gather(1, labels[:, None]).mean()

    def terms(real, fake, score):
        return F.softplus(-score(real)).mean(), F.softplus(score(fake)).mean()

    def total(x):
        return x.exp().sum(1).log()

    of_real, of_fake = terms(r, f, total)
    other_cross = F.cross_entropy(torch.cat([lab, torch.zeros_like(lab[:, :1])], 1), labels)
    twice = -(lab.softmax(1) - lab.softmax(1).exp().sum(1, keepdim=True).log()).gather(1, labels[:, None]).mean()
    mistakes = [(of_real + of_fake, NO_LABELS), (cross + of_fake, NO_REAL), (cross + of_real, NO_FAKE),
                (cross + sum(terms(f, r, total)), SWAPPED), (cross + sum(terms(r, f, lambda x: x.amax(1))), MAXIMUM),
                (cross + sum(terms(r, f, lambda x: x.mean(1))), MEAN_LOGIT),
                (cross + sum(terms(r, f, lambda x: x.sum(1))), MEAN_LOGIT),
                (cross + (of_real + of_fake) / 2, HALF), (twice + of_real + of_fake, SOFTMAX_TWICE),
                (cross - of_real - of_fake, SIGN + "all three terms are minimised"),
                (cross + sum(terms(r, f, lambda x: x.softmax(1).amax(1))), MAXIMUM),
                (cross - total(r).mean() + total(f).mean(), NO_ZERO), (other_cross + of_real + of_fake,
                 "the labelled images' cross-entropy is over the K classes alone"),
                (4 * cross + 6 * of_real + 9 * of_fake, SUM),
                (cross + sum(terms(r, f, lambda x: x.exp().sum(1))), "the logarithm is missing: logsumexp, not Σ exp")]
    gradients = expect_scalar(answer, (labelled, labels, real, fake), cross + of_real + of_fake, mistakes, recipe)
    if any(gradient is None for gradient in gradients):
        raise Wrong("a gradient for all logits", "none for some", CUT, recipe)
    sign = torch.tensor([[1.0, -1, -1, -1, -1]], device=device()) * 1000
    extreme = answer(sign, torch.tensor([0], device=device()), sign, -1000 * torch.ones(1, 5, device=device()))
    other = answer(sign, torch.tensor([1], device=device()), -1000 * torch.ones(1, 5, device=device()), sign)
    for value, expected in ((extreme, 0.0), (other, 2000 + 1000 - math.log(5) + 1000)):
        if not torch.isfinite(value) or abs(value.item() - expected) > 0.5:
            raise Wrong(f"{expected:.1f} at logits of ±1000", describe(value), UNSTABLE, recipe)
    sign.requires_grad_(True)
    steep = answer(sign, torch.tensor([0], device=device()), sign, -sign)
    (gradient,) = torch.autograd.grad(steep, sign)
    if not torch.isfinite(gradient).all():
        raise Wrong("a finite gradient at logits of ±1000", describe(gradient), UNSTABLE_GRADIENT, recipe)


def check_11_11(answer):
    recipe = RECIPE["11.11"]
    logits = 2 * normal(40, 5)
    logits[3] = torch.tensor([0.0, 0.0, -200, -200, -200])  # exactly one half
    logits[5] = 5.0  # large logits, and no idea
    before = logits.clone()
    for threshold in (0.5, 0.7, 0.3):
        soft = logits.double().softmax(1)
        sure, labels = soft.max(1)
        expected = (sure > threshold).nonzero().flatten()
        if threshold == 0.5:
            expected = expected[expected != 3]
        found = answer(logits, threshold)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(indices, labels)", describe(found), NO_RETURN if found is None else PAIR, recipe)
        indices, given = found
        if not isinstance(indices, torch.Tensor) or indices.dtype == torch.bool:
            raise Wrong("indices int64 [n]", describe(indices), MASK, recipe)
        ordered = indices.sort().values if indices.ndim == 1 else indices
        for wrong, hint in (((logits.amax(1) > threshold), LOGIT_THRESHOLD),
                            ((logits.sigmoid().amax(1) > threshold), SIGMOID),
                            ((sure >= threshold - 1e-9), AT_LEAST), ((sure < threshold), BELOW)):
            if not torch.equal(ordered.cpu(), expected.cpu()) and \
                    torch.equal(ordered.cpu(), wrong.nonzero().flatten().cpu()):
                raise Wrong(f"{len(expected)} images", f"{len(indices)} images", hint, recipe)
        if isinstance(given, torch.Tensor) and len(given) == len(logits) and given.ndim == 1:
            raise Wrong(f"int64 [{len(expected)}]", describe(given), ALL_LABELS, recipe)
        order = indices.argsort() if indices.ndim == 1 else indices
        compare(ordered, expected, (), (recipe,), dtype=torch.int64)
        expect_tensor(given, [len(expected)], torch.int64, (ALL_LABELS, recipe))
        compare(given[order], labels[expected], (), (ALL_LABELS, recipe), dtype=torch.int64)
    expect_unchanged(before, logits, "logits")
    single = answer(torch.tensor([[0.0, 9.0, 0.0], [0.0, 0.0, 0.0]], device=device()), 0.7)
    for part, expected in zip(single, ([0], [1]), strict=True):
        if part.tolist() != expected:
            raise Wrong(f"int64 {expected} where one image is sure", describe(part), SQUEEZED, recipe)
    nobody = answer(torch.zeros(4, 5, device=device()), 0.7)
    if len(nobody[0]) or len(nobody[1]):
        raise Wrong("no image", f"{len(nobody[0])} images", "where nobody is sure, nothing is chosen", recipe)


def check_11_12(answer):
    recipe = RECIPE["11.12"]
    matrix = torch.tensor([[180, 20, 0, 0], [0, 40, 10, 0], [40, 40, 120, 0], [0, 0, 0, 10]])
    before, recall = matrix.clone(), matrix.diag() / matrix.sum(1)  # 0.9, 0.8, 0.6, 1
    found = answer(matrix)
    expect_tensor(found, [4], torch.float32, (recipe,))
    expect_unchanged(before, matrix, "confusion")
    precision = matrix.diag() / matrix.sum(0)  # 0.82, 0.4, 0.92, 1
    by_recall, by_precision = ([[value[i] < value[j] for j in range(4)] for i in range(4)] for value in
                               (recall, precision))
    order = [[bool(found[i] > found[j] + 1e-6) for j in range(4)] for i in range(4)]
    if order != [[bool(value) for value in row] for row in by_recall]:
        if order == [[bool(value) for value in row] for row in by_precision]:
            raise Wrong("larger weights for lower recall", str(found.tolist()), PRECISION, recipe)
        backwards = order == [[bool(recall[i] > recall[j]) for j in range(4)] for i in range(4)]
        raise Wrong("larger weights for lower recall", str([round(v, 3) for v in found.tolist()]),
                    RECALL_TO_WEIGHT if backwards else MONOTONE, recipe)
    if abs(found.mean() - 1) > 1e-4:
        raise Wrong("mean 1", f"mean {found.mean():.3f}", MEAN_ONE.format(found.mean()), recipe)
    hard = answer(torch.tensor([[0, 5, 0], [0, 5, 0], [0, 0, 0]]))
    if not torch.isfinite(hard).all() or (hard <= 0).any():
        raise Wrong("finite positive weights", str(hard.tolist()), FINITE, recipe)
    if hard.mean().sub(1).abs() > 1e-3 or hard[0] <= hard[1]:
        raise Wrong("the largest weight for a class that is never right, mean 1", str(hard.tolist()), NEVER_RIGHT,
                    recipe)
    one_bad = answer(torch.tensor([[1, 9, 0], [0, 10, 0], [0, 0, 10]]))
    if one_bad.min() < 0.1:
        raise Wrong("weights of at least 0.1", str([round(v, 3) for v in one_bad.tolist()]), LEAST, recipe)
    even = answer(torch.eye(3, dtype=torch.int64) * 7)
    if not torch.isfinite(even).all() or not same(even, torch.ones(3), 1e-3):
        raise Wrong("1, 1, 1", str(even.tolist()), ALL_RIGHT, recipe)
