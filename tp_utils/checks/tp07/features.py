"""Exercises 7.4 and 7.5: a network cut off at a layer, and its features of many images."""

import torch
from torch import nn
from torch.nn import functional as F
from torchvision.models import vgg16

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, same
from ..kit.networks import build, watched
from .common import expect_no_gradient, normalised, pixels

# What is said to the reader.

# 7.4
FLATTEN = "the features are [N, 512, 7, 7], the classifier wants [N, 25088]: flatten all axes but the first"
NO_CLASSIFIER = "convolutional features: relu7 is two fully connected layers further, in the classifier"
BEFORE_RELU = "negative values: you stop before the ReLU that follows the second fully connected layer"
FIRST_LAYER = "you stop at the first fully connected layer: relu7 is the ReLU after the second one"
LAST_LAYER = "these are the scores of the classes: the last layer must go"
FRESH = "some layers are new and untrained: take the layers of the vgg16 that is given"
DAMAGED = "you changed the network that was given: take its layers into new attributes"

# 7.5
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
EMPTY_ROWS = "rows of zeros: a tensor made beforehand is not filled everywhere, its rows go on from batch to batch"
ORDER = "the right rows in another order: row i belongs to image i"
TO_CPU = "bring the features back with .cpu(): there is not room for all of them on the accelerator"


def check_7_4(answer):
    """classifier: Linear ReLU Dropout Linear ReLU Dropout Linear; which is the last one you need?"""
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
    compare(found, stages[4], mistakes, dtype=torch.float32)
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

    with watched(vgg.classifier, (nn.Linear, nn.ReLU, nn.Dropout)) as calls:
        vgg(images)
    return stages | {i: out for i, (_, _, out) in enumerate(calls)}


def run_network(answer, vgg, images):
    """The student's network and its output, with a hint where the features are not flat."""
    try:
        network = build(answer, vgg)
        return network, network.eval()(images)
    except RuntimeError as error:
        if "mat1 and mat2" not in str(error) and "invalid for input of size" not in str(error):
            raise
        raise Wrong("[N, 25088] into the classifier", f"RuntimeError: {error}", FLATTEN) from None


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
            raise Wrong("a batch [n, 3, H, W] into the extractor", found, BATCH_DIMENSION)
        if len(images) > self.batch_size:
            raise Wrong(f"at most {self.batch_size} images at once", found, ONE_BATCH)
        if images.dtype == torch.uint8:
            raise Wrong("normalised images into the extractor", found, NOT_NORMALISED)
        if images.device.type != device().type:
            raise Wrong(f"a batch on {device().type}", found, DEVICE)
        if self.training:
            raise Wrong("the extractor in eval mode", "the extractor in train mode", EVAL, EVAL_2)
        return self.layers(images)


def check_7_5(answer):
    """for each batch: normalise, extractor, .cpu(); after the loop: torch.cat, each row over its norm"""
    for count, batch_size in ((6, 3), (7, 3), (2, 5)):
        extractor, images = Guarded(batch_size).to(device()), pixels([count, 3, 4, 5]).cpu()
        features = features_of(extractor, normalised(images))
        expected = unit(features)
        found = answer(extractor, images, batch_size)
        if isinstance(found, tuple | list):
            raise Wrong("one tensor", f"{type(found).__name__} of {len(found)}", LIST)
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
        if isinstance(found, torch.Tensor) and found.shape == expected.shape and not found.any(dim=1).all():
            raise Wrong("rows of norm 1", f"{(~found.any(dim=1)).sum()} rows of zeros", EMPTY_ROWS)
        if isinstance(found, torch.Tensor) and in_any_order(found, expected):
            mistakes.append((found, ORDER))
        compare(found, expected, mistakes, tolerance=1e-3, dtype=torch.float32)  # 1e-3: TF32
        expect_no_gradient(found)
        if found.device.type != "cpu":
            raise Wrong("features on the cpu", describe(found), TO_CPU)


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
