"""The checks of TP 7: pretrained networks, features and a linear classifier."""

import math
import warnings

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import vgg16
from torchvision.transforms import v2

from ..runtime import device
from .compare import NO_RETURN, Wrong, compare, describe, same

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # ImageNet's

# What is said to the reader.
NO_GRADIENT = ("no gradient kept", "a tensor that requires a gradient")
GRADIENT = "the values are right, but the result carries its computation graph: nothing is trained here"
GRADIENT_2 = "put the forward pass inside `with torch.no_grad():`"

# 7.1
STEPS = "pixels to floats in [0, 1], minus the mean, over the standard deviation (one number per channel)"
SCALE = "the mean and standard deviation are for pixels in [0, 1]: did you divide by 255, and do it first?"
MEAN_SCALE = "the mean is for pixels in [0, 1] already: do not multiply it by 255"
INTEGERS = "// is the division of integers: nearly every pixel becomes 0"
NO_STD = "the mean is subtracted; what about the standard deviation?"
NO_MEAN = "divided by the standard deviation, but what about the mean?"
ONLY_SCALED = "pixels are in [0, 1]: now the mean and the standard deviation"
TIMES_STD = "divide by the standard deviation, do not multiply"
PLUS_MEAN = "subtract the mean, do not add it"
SWAPPED = "mean and standard deviation have changed places"
HALF = "0.5 and 0.5 are another network's numbers: use ImageNet's mean and standard deviation of each channel"
OWN_STATISTICS = "these are the images' own statistics: take ImageNet's, with which the network was trained"
BGR = "the channels are red, green, blue, in this order: is your mean in the order of blue, green, red?"
WRONG_AXIS = "one mean per channel: yours runs along another axis, where does .view(3, 1, 1) put it?"
CHANNELS_LAST = "the channels have moved to the end: torch wants [N, 3, H, W]"

# 7.2
PREDICTIONS = "a softmax over the K classes of each image, then the k largest: see torch.topk"
PAIR = "return two tensors: the probabilities, then the class indices"
PAIR_SWAPPED = "the probabilities come first, the class indices second"
SCORES = "these are scores, not probabilities: where is the softmax?"
BATCH_AXIS = "your softmax sums to 1 over the images of the batch: it should over the classes of each image"
LOG = "these are logarithms of probabilities: softmax rather than log_softmax"
K_SOFTMAX = "the k probabilities sum to 1: the softmax goes over all K classes, before the k best are kept"
ASCENDING = "best first: yours begins with the least probable"
TOPK_AXIS = "the k best classes of each image, not the k best images of each class: look at topk's dim"
K_FIXED = "k is an argument: yours always gives five classes"
ALL_CLASSES = "keep only the k most probable classes"
CLASSES = "the probabilities are right, the classes are not: which of the K classes has each probability?"

# 7.3
THREE = "only the channel axis, number 1, goes from 1 to 3: see expand, repeat or cat"
BATCH_REPEATED = "the images are repeated along the batch axis: repeat along the channels, axis 1"
SIDE_REPEATED = "the images are repeated along their height or width: repeat along the channels, axis 1"
STACKED = "there is an axis too many: stack adds one, cat does not"
STILL_ONE = "there is still one channel: expand and repeat return a new tensor"
ONE_FILLED = "only one channel is filled, the others are 0: all three are equal"
THIRD = "each channel is the grey image itself, not a third of it"
MIXED = "the channels of one image come from different images: a reshape does not repeat, it cuts anew"

# 7.4
VGG_LAYERS = "classifier: Linear ReLU Dropout Linear ReLU Dropout Linear; which is the last one you need?"
NOT_MODULE = ("a network (an nn.Module)", "VGG16relu7 must be a class that inherits from nn.Module")
INIT = "the first line of __init__ is super().__init__()"
FLATTEN = "the features are [N, 512, 7, 7], the classifier wants [N, 25088]: flatten all axes but the first"
NO_CLASSIFIER = "convolutional features: relu7 is two fully connected layers further, in the classifier"
BEFORE_RELU = "negative values: you stop before the ReLU that follows the second fully connected layer"
FIRST_LAYER = "you stop at the first fully connected layer: relu7 is the ReLU after the second one"
LAST_LAYER = "these are the scores of the classes: the last layer must go"
FRESH = "some layers are new and untrained: take the layers of the vgg16 that is given"
DAMAGED = "you changed the network that was given: take its layers into new attributes"

# 7.5
FEATURES = "for each batch: normalise, extractor, .cpu(); after the loop: torch.cat, each row over its norm"
ONE_BATCH = "all images at once may not fit in memory: walk over images.split(batch_size)"
BATCH_DIMENSION = "the extractor wants a batch [n, 3, H, W]: take a slice of images, not one image"
EVAL = "the extractor is in train mode, so dropout makes its features random: which method changes the mode?"
EVAL_2 = "call extractor.eval() before the loop"
NOT_NORMALISED = "these images have not been through `normalise`: each batch must, just before the extractor"
DEVICE = "move each batch to tp.device(), where the extractor is"
LIST = "a list of batches is left: join them into one tensor"
BATCHES_STACKED = "one axis too many: join the batches along the images' axis (torch.cat, not torch.stack)"
NOT_UNIT = "the features are right, but their rows do not have norm 1: where is the division by the L2 norm?"
COLUMNS_UNIT = "each column has norm 1, not each row: look at dim"
ALL_UNIT = "divided by one norm for all: each row is divided by its own"
L1 = "each row's absolute values sum to 1: that is the L1 norm, we want the L2 norm"
BATCH_DROPPED = "the last, incomplete batch is missing: N need not be a multiple of batch_size"
ONLY_LAST = "only the last batch is returned: each turn of the loop forgets the one before"
ONLY_FIRST = "only the first batch is returned: is the return inside the loop?"
ORDER = "the right rows in another order: row i belongs to image i"
TO_CPU = "bring the features back with .cpu(): there is not room for all of them on the accelerator"

# 7.6
CHOICE = "for each candidate c, the mean of cross_val_score(LinearSVC(C=c), …, cv=5); keep the best c"
SCORE = "this is an accuracy: return the candidate that reaches it"
INDEX = "this is the position of the best candidate: return the candidate itself"
NOT_CANDIDATE = "return one of the candidates, as a number"
TRAINING = "this C is the best on the data it was trained on: cross-validate, so that other data judge it"
WORST = "this C has the worst accuracy of all: you want the largest mean"
FIRST = "the first candidate, whatever the data: does the loop go on to the others?"
LAST = "the last candidate, whatever the data: keep the best one met so far"
ONE_FOLD = "this C is the best on one fold only: take the mean over the folds, not the best one"
NOT_BEST = "another candidate has a better mean accuracy over the 5 folds"
MISTAKES_7_6 = {
    "worst": WORST, "training": TRAINING, "one fold": ONE_FOLD, "first": FIRST, "last": LAST, "index": INDEX,
}  # fmt: skip


def check_7_1(answer):
    # Three of everything first: statistics along a wrong axis then give wrong numbers rather than an error.
    for shape in ([3, 3, 3, 3], [2, 3, 4, 5]):
        images = pixels(shape)
        compare(answer(images), normalised(images), mistakes_7_1(images), [STEPS], dtype=torch.float32)


def mistakes_7_1(images):
    x = images / 255
    mean, std = (torch.tensor(t, device=images.device) for t in (MEAN, STD))
    m, s = mean.view(3, 1, 1), std.view(3, 1, 1)
    expected = normalised(images)
    mistakes = [
        ((images - m) / s, SCALE),
        (expected * 255, SCALE),
        ((images - m) / s / 255, SCALE),
        ((x - 255 * m) / s, MEAN_SCALE),
        ((images // 255 - m) / s, INTEGERS),
        (x - m, NO_STD),
        (x / s, NO_MEAN),
        (x, ONLY_SCALED),
        ((x - m) * s, TIMES_STD),
        ((x + m) / s, PLUS_MEAN),
        ((x - s) / m, SWAPPED),
        ((x - 0.5) / 0.5, HALF),
        ((x - x.mean()) / x.std(), OWN_STATISTICS),
        ((x - x.mean((0, 2, 3), True)) / x.std((0, 2, 3), keepdim=True), OWN_STATISTICS),
        ((x - x.mean((2, 3), True)) / x.std((2, 3), keepdim=True), OWN_STATISTICS),
        ((x - m.flip(0)) / s.flip(0), BGR),
        (expected.permute(0, 2, 3, 1), CHANNELS_LAST),
    ]
    if images.shape[2:] == (3, 3):
        shapes = ([3], [3, 1], [3, 1, 1, 1])
        mistakes += [((x - mean.view(shape)) / std.view(shape), WRONG_AXIS) for shape in shapes]
    return mistakes


def check_7_2(answer):
    network = nn.Sequential(nn.Flatten(), nn.Linear(60, 10)).to(device())
    images = 3 * torch.randn(7, 3, 4, 5, device=device())
    scores = network(images).detach().cpu()
    probabilities = (scores - scores.logsumexp(dim=1, keepdim=True)).exp()
    best, classes = probabilities.sort(dim=1, descending=True)
    for k, arguments in ((5, ()), (3, (3,))):
        found, indices = expect_pair(answer(network, images, *arguments))
        mistakes = [
            (scores.topk(k).values, SCORES),
            (scores.softmax(dim=0).topk(k).values, BATCH_AXIS),
            (scores.log_softmax(dim=1).topk(k).values, LOG),
            (best[:, :k] / best[:, :k].sum(dim=1, keepdim=True), K_SOFTMAX),
            (best[:, :k].flip(1), ASCENDING),
            (best.flip(1)[:, :k], ASCENDING),
            (probabilities.topk(k, dim=0).values, TOPK_AXIS),
            (best[:, :5], K_FIXED),
            (best, ALL_CLASSES),
            (probabilities, ALL_CLASSES),
        ]
        compare(found, best[:, :k], mistakes, [PREDICTIONS], dtype=torch.float32)
        compare(indices, classes[:, :k], hints=[CLASSES, PREDICTIONS], tolerance=0, dtype=torch.int64)
        expect_no_gradient(found)


def expect_pair(found):
    """The two tensors (probabilities, indices) of a tuple or list."""
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("two tensors", describe(found), NO_RETURN if found is None else PAIR, PREDICTIONS)
    if not all(isinstance(one, torch.Tensor) for one in found):
        raise Wrong("two tensors", f"{describe(found[0])} and {describe(found[1])}", PAIR, PREDICTIONS)
    if found[1].is_floating_point() and not found[0].is_floating_point():
        raise Wrong("probabilities, then indices", f"first {describe(found[0])}", PAIR_SWAPPED, PREDICTIONS)
    return found


def check_7_3(answer):
    for shape, dtype in (([3, 1, 4, 5], torch.uint8), ([1, 1, 4, 5], torch.float32)):
        images = pixels(shape).to(dtype)
        expected = v2.functional.grayscale_to_rgb(images)
        mistakes = [
            (images.repeat(3, 1, 1, 1), BATCH_REPEATED),
            (images.repeat(1, 1, 3, 1), SIDE_REPEATED),
            (images.repeat(1, 1, 1, 3), SIDE_REPEATED),
            (torch.stack([images] * 3), STACKED),
            (torch.stack([images] * 3, dim=1), STACKED),
            (expected.permute(0, 2, 3, 1), CHANNELS_LAST),
            (images, STILL_ONE),
            *((expected * channel.view(3, 1, 1), ONE_FILLED) for channel in torch.eye(3).to(images)),
            (expected / 3, THIRD),
            (expected // 3, THIRD),
            (images.repeat(3, 1, 1, 1).reshape(expected.shape), MIXED),
            (images.transpose(0, 1), MIXED),
        ]
        compare(answer(images), expected, mistakes, [THREE], dtype=dtype)


def check_7_4(answer):
    vgg, images = small_vgg(), torch.randn(2, 3, 224, 224, device=device())
    stages, weights = stages_of(vgg, images), [vgg.classifier[i].weight for i in (0, 3)]
    network, found = run_network(answer, vgg, images)
    mistakes = [
        (stages["features"], NO_CLASSIFIER),
        (stages["features"].flatten(1), NO_CLASSIFIER),
        (stages[0], FIRST_LAYER),
        (stages[1], FIRST_LAYER),
        (stages[3], BEFORE_RELU),
        (stages[6], LAST_LAYER),
    ]
    kept = {id(parameter) for parameter in network.parameters()}
    if any(id(weight) not in kept for weight in weights):
        mistakes.append((found, FRESH))
    compare(found, stages[4], mistakes, [VGG_LAYERS], dtype=torch.float32)
    expect_intact(vgg, images, stages[6])


def small_vgg():
    """A torchvision VGG16 with the shapes that matter and few of the weights (138 million take seconds)."""
    with torch.device("meta"):
        vgg = vgg16(init_weights=False)
    vgg.features = nn.Sequential(nn.AvgPool2d(32), nn.Conv2d(3, 512, 1))
    vgg.classifier = nn.Sequential(
        nn.Linear(25088, 32), nn.ReLU(True), nn.Dropout(),
        nn.Linear(32, 4096), nn.ReLU(True), nn.Dropout(),
        nn.Linear(4096, 10),
    )  # fmt: skip
    return vgg.to(device()).eval()


@torch.no_grad()
def stages_of(vgg, images):
    """What comes out of each layer of the classifier (a copy: ReLUs overwrite); "features": what goes in."""
    stages = {"features": vgg.avgpool(vgg.features(images))}

    def keep(i):
        return lambda module, inputs, output: stages.update({i: output.clone()})

    hooks = [layer.register_forward_hook(keep(i)) for i, layer in enumerate(vgg.classifier)]
    vgg(images)
    for hook in hooks:
        hook.remove()
    return stages


def run_network(answer, vgg, images):
    """The student's network and its output, with a hint for the errors that are often met."""
    try:
        network = answer(vgg)
        if not isinstance(network, nn.Module):
            raise Wrong(NOT_MODULE[0], describe(network), NOT_MODULE[1])
        return network, network.eval()(images)
    except AttributeError as error:
        if "before Module.__init__" not in str(error):
            raise
        raise Wrong("a network", f"AttributeError: {error}", INIT) from None
    except RuntimeError as error:
        if "mat1 and mat2" not in str(error) and "invalid for input of size" not in str(error):
            raise
        raise Wrong("[N, 25088] into the classifier", f"RuntimeError: {error}", FLATTEN, VGG_LAYERS) from None


@torch.no_grad()
def expect_intact(vgg, images, scores):
    """Raise Wrong unless the network that was given still gives its scores."""
    try:
        found = vgg.eval()(images)
    except Exception as error:  # a layer may be missing
        raise Wrong("the given network as it was", f"{type(error).__name__} when it is called", DAMAGED) from None
    if not same(found, scores):
        raise Wrong(f"the given network as it was: {describe(scores)}", describe(found), DAMAGED)


class Guarded(nn.Module):
    """An extractor with dropout that says what is wrong with the way it is used."""

    def __init__(self, batch_size):
        super().__init__()
        self.batch_size = batch_size
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(60, 6), nn.Dropout())

    def forward(self, images):
        found = describe(images)
        if images.ndim != 4:
            raise Wrong("a batch [n, 3, H, W] into the extractor", found, BATCH_DIMENSION, FEATURES)
        if len(images) > self.batch_size:
            raise Wrong(f"at most {self.batch_size} images at once", found, ONE_BATCH, FEATURES)
        if images.dtype == torch.uint8:
            raise Wrong("normalised images into the extractor", found, NOT_NORMALISED, FEATURES)
        if images.device.type != device().type:
            raise Wrong(f"a batch on {device().type}", found, DEVICE, FEATURES)
        if self.training:
            raise Wrong("the extractor in eval mode", "the extractor in train mode", EVAL, EVAL_2)
        return self.layers(images)


def check_7_5(answer):
    for count, batch_size in ((6, 3), (7, 3), (2, 5)):
        extractor, images = Guarded(batch_size).to(device()), pixels([count, 3, 4, 5]).cpu()
        features = features_of(extractor, normalised(images))
        expected = unit(features)
        found = answer(extractor, images, batch_size)
        if isinstance(found, tuple | list):
            raise Wrong("one tensor", f"{type(found).__name__} of {len(found)}", LIST, FEATURES)
        mistakes = [
            (features, NOT_UNIT),
            (F.normalize(features, dim=0), COLUMNS_UNIT),
            (features / features.norm(), ALL_UNIT),
            (F.normalize(features, p=1), L1),
            (unit(features_of(extractor, images.float())), NOT_NORMALISED),
            (unit(features_of(extractor, images / 255)), NOT_NORMALISED),
            (expected.unflatten(0, (-1, batch_size)) if count == 6 else expected, BATCHES_STACKED),
            (expected[: count // batch_size * batch_size], BATCH_DROPPED),
            (expected[:batch_size], ONLY_FIRST),
            (expected.split(batch_size)[-1], ONLY_LAST),
        ]
        if isinstance(found, torch.Tensor) and in_any_order(found, expected):
            mistakes.append((found, ORDER))
        compare(found, expected, mistakes, [FEATURES], tolerance=1e-3, dtype=torch.float32)  # 1e-3: TF32
        expect_no_gradient(found)
        if found.device.type != "cpu":
            raise Wrong("features on the cpu", describe(found), TO_CPU, FEATURES)


@torch.no_grad()
def features_of(extractor, images):
    """What the extractor should give, on the CPU; it is left in train mode."""
    features = extractor.layers.eval()(images.to(device())).cpu()
    extractor.train()
    return features


def unit(features):
    return features / features.square().sum(dim=1, keepdim=True).sqrt()


def in_any_order(found, expected):
    """True if the rows are the expected ones in whatever order (columns are compared, sorted)."""
    return found.shape == expected.shape and same(found.sort(0).values, expected.sort(0).values, 1e-3)


def check_7_6(answer):
    from sklearn.exceptions import ConvergenceWarning

    features, labels = two_classes()
    # 0.01 and 0.02 are best whatever the folds; neither is first, last or the best on the training data (100).
    choices = [[1.0, 100.0, 1e-6, 0.01, 1e-5], [1e-6, 0.02, 100.0, 1e-5]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = [answer(features, labels, list(candidates)) for candidates in choices]
        expect_best(found, choices, features.numpy(), labels.numpy())


def expect_best(found, choices, features, labels):
    """A mistake must explain what was found for all lists of candidates."""
    numbers = [as_number(one, candidates) for one, candidates in zip(found, choices, strict=True)]
    results = [cross_validation(candidates, features, labels) for candidates in choices]
    best = [result["best"] for result in results]
    if numbers == best:
        return
    wrong = next(i for i in range(len(best)) if numbers[i] != best[i])
    for mistake, hint in MISTAKES_7_6.items():
        if numbers == [result[mistake] for result in results]:
            raise Wrong(best[wrong], describe(found[wrong]), hint, CHOICE)
    number, candidates = numbers[wrong], choices[wrong]
    if number in candidates:
        raise Wrong(best[wrong], describe(found[wrong]), NOT_BEST, CHOICE)
    hint = NO_RETURN if found[wrong] is None else NOT_CANDIDATE if number is None or number > 1 else SCORE
    raise Wrong(f"one of {candidates}", describe(found[wrong]), hint, CHOICE)


def cross_validation(candidates, features, labels):
    """The best candidate, and what each mistake would choose."""
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import LinearSVC

    machines = [LinearSVC(C=c) for c in candidates]
    folds = [cross_val_score(machine, features, labels, cv=5) for machine in machines]
    means, highest = [fold.mean() for fold in folds], [fold.max() for fold in folds]
    on_training = [machine.fit(features, labels).score(features, labels) for machine in machines]
    index = means.index(max(means))
    return {
        "best": candidates[index],
        "index": index,
        "first": candidates[0],
        "last": candidates[-1],
        "worst": candidates[means.index(min(means))],
        "training": candidates[on_training.index(max(on_training))],
        "one fold": candidates[highest.index(max(highest))],
    }


def as_number(found, candidates):
    """`found` as a float, a candidate if it is one up to float32's rounding; None if it is no number."""
    try:
        number = float(found)
    except (TypeError, ValueError, RuntimeError):
        return None
    return next((c for c in candidates if math.isclose(c, number, rel_tol=1e-6)), number)


def two_classes():
    """150 points, two classes, a fifth mislabelled: a large C learns the noise from 57 faint features.

    Of the first 30 points, the first of 5 folds, a faint feature tells the label: there, a large C makes no mistake.
    """
    generator = torch.Generator().manual_seed(9)
    labels = (torch.arange(150) % 5 < 2).long()
    side = 2.0 * labels - 1
    wrong = torch.rand(150, generator=generator) < 0.22
    features = torch.randn(150, 60, generator=generator)
    features[:, 0] += 3 * torch.where(wrong, -side, side)
    features[:, 1] += 6  # off centre, so that a small C lacks an intercept
    features[:, 2] += 0.4 * side
    features[:30, 2] = 8 * side[:30]
    features[:30, 3:] = 0
    features[:, 2:] *= 0.2
    return features, labels


# ---- shared


def pixels(shape):
    return torch.randint(256, shape, dtype=torch.uint8).to(device())


def normalised(images):
    """torchvision's own normalisation of uint8 images."""
    return v2.Compose([v2.ToDtype(torch.float32, scale=True), v2.Normalize(MEAN, STD)])(images)


def expect_no_gradient(found):
    if found.requires_grad:
        raise Wrong(*NO_GRADIENT, GRADIENT, GRADIENT_2)
