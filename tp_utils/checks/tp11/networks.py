"""Exercises 11.3 and 11.4: the baseline, and a discriminator with a new last layer."""

from itertools import chain, pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, describe, expect_tensor, same
from ..kit.layers import expect_between, expect_layers, facts
from ..kit.networks import build, expect_trainable, normal, settle, trace, whole_maps

# What is said to the reader.

# 11.3
CONVOLUTIONS = "four convolutions, 3 × 3 with padding 1, from 1 channel to 32, 32, 64 and 64"
OWN_NORM = "a batch norm of its own behind each convolution: four BatchNorm2d"
POOL = "MaxPool2d(2)"
ONE_LINEAR = "one linear layer behind the convolutions"
NO_DROPOUT = "in train mode two passes give the same: is the Dropout there?"
EVAL_DROPOUT = "in eval mode two passes differ: nn.Dropout is off there, F.dropout needs training=self.training"
SOFTMAX = "no softmax at the end: return logits, the softmax is part of the loss"
EARLY_DROPOUT = "there is dropout before the last pool too: one Dropout(0.5), in front of the linear layer"
CLASSES_UNUSED = "the last layer has as many outputs as there are classes: is the argument used?"
DROPPED_MAPS = "whole feature maps are dropped: nn.Dropout drops single values, nn.Dropout2d whole maps"
WEAK_DROPOUT = "Dropout(0.5) sets about half of the last layer's inputs to 0 in train mode"

# 11.4
SHARED = "the discriminator itself is changed or shares its weights: work on a deep copy"
OLD_WEIGHTS = "the features must be those that the discriminator has learnt: copy it, do not make a new one"
FROZEN = "all weights must learn: requires_grad is False for some"
LAST = "the new layer is `last`, nn.Linear(in_features of the old one, classes)"


def check_11_3(answer):
    """[Conv2d(…, 3, padding=1), BatchNorm2d, ReLU] with 32 and 32 channels, MaxPool2d(2), the same with 64 and 64,
    MaxPool2d(2), Flatten, Dropout(0.5), Linear(64 * 7 * 7, classes)"""
    network, x = settle(build(answer)).eval(), normal(4, 1, 28, 28)
    with torch.no_grad():
        calls, out = trace(network, x, nn.Conv2d | nn.Linear)
        again = network(x)
    expect_tensor(out, [4, 10], torch.float32)
    if not torch.equal(out, again):
        raise Wrong("the same logits at each pass in eval mode", "others", EVAL_DROPOUT)
    expect_chain(network, calls, x, out)
    few = build(answer, classes=4).eval()(x)
    if tuple(few.shape) != (4, 4):
        raise Wrong("float32 [4, 4] for 4 classes", describe(few), CLASSES_UNUSED)
    expect_dropout(network, x)
    expect_trainable(network, x)


def expect_dropout(network, x):
    """Raise Wrong unless half of the linear layer's inputs are dropped in train mode, and nothing else is."""
    dry = trace(network.eval(), x, nn.Linear)[0]
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    (before, one), (after, other) = (trace(network, x, nn.Conv2d | nn.Linear) for _ in range(2))
    if torch.equal(one, other):
        raise Wrong("another pass, other logits in train mode", "the same", NO_DROPOUT)
    if not all(torch.equal(first[1], second[1]) for first, second in zip(before[:-1], after[:-1], strict=True)):
        raise Wrong("Dropout behind the last pool alone", "dropout between the convolutions", EARLY_DROPOUT)
    maps = [each[-1][1].reshape(len(x), 64, -1) for each in (dry, before)]
    if whole_maps(*maps) > 0.2:
        raise Wrong("single inputs dropped", "whole feature maps", DROPPED_MAPS)
    dry = dry[-1][1]
    dropped = ((before[-1][1] == 0) & (dry != 0)).sum() / (dry != 0).sum()
    if not 0.44 < dropped < 0.56:
        raise Wrong("half of the inputs dropped", f"{dropped:.0%}", WEAK_DROPOUT)


def expect_chain(network, calls, x, out):
    """Raise Wrong unless four convolutions with batch norm, ReLU and pools, then a linear layer, were used."""
    layers = [facts("convolution", *pair, kernel=3, stride=1, padding=1) for pair in pairwise((1, 32, 32, 64, 64))]
    used = [layer for layer, *_ in calls]
    expect_layers([layer for layer in used if isinstance(layer, nn.Conv2d)], layers,
                  dict.fromkeys(("kind", "channels", "kernel", "stride", "padding", "count"), CONVOLUTIONS))
    norms = [module for module, *_ in trace(network, x, nn.BatchNorm2d)[0]]
    if len(set(norms)) != 4:
        raise Wrong("four batch norms", f"{len(set(norms))}", OWN_NORM)
    for k, ((_, _, y), (_, entered, _)) in enumerate(pairwise(calls), 1):
        pool = {"then": lambda y: F.max_pool2d(y, 2), "words": POOL} if k in (2, 4) else {}
        expect_between(k, y, entered, "ReLU", norms[k - 1], **pool)
    linear = calls[4:]
    if len(linear) != 1:
        raise Wrong("one linear layer", f"{len(linear)} of them", ONE_LINEAR)
    if not same(out, linear[0][2]):
        raise Wrong("the linear layer's output", "something made of it", SOFTMAX)


class Discriminator(nn.Module):
    """x [N, 1, 32, 32] → logits [N], or [N, outputs]; the layers of TP 11's own, which an answer may make anew."""

    def __init__(self, outputs=1):
        super().__init__()
        blocks = [(nn.Conv2d(a, b, 4, 2, 1, bias=False), nn.BatchNorm2d(b), nn.LeakyReLU(0.2))
                  for a, b in pairwise((1, 32, 64, 128))]
        self.features = nn.Sequential(*chain(*blocks), nn.Flatten())
        self.last = nn.Linear(2048, outputs)

    def forward(self, x):
        logits = self.last(self.features(x))
        return logits.flatten() if logits.shape[1] == 1 else logits


def check_11_4(answer):
    """network = copy.deepcopy(discriminator); network.last = nn.Linear(network.last.in_features, classes);
    network.requires_grad_(True), for the discriminator may come frozen"""
    torch.manual_seed(0)
    discriminator, x = Discriminator().to(device()).eval(), normal(3, 1, 32, 32)
    before, logits = [weight.clone() for weight in discriminator.state_dict().values()], discriminator(x)
    discriminator.features.requires_grad_(False)
    for classes in (10, 3):
        found = answer(discriminator, classes)
        if not isinstance(found, nn.Module):
            raise Wrong("a network", describe(found), *([NO_RETURN] if found is None else []))
        own = {id(weight) for weight in discriminator.parameters()}
        if (found is discriminator or any(id(weight) in own for weight in found.parameters())
                or not all(map(torch.equal, before, discriminator.state_dict().values()))
                or len(before) != len(discriminator.state_dict())):
            raise Wrong("a copy", "the discriminator itself, or a part of it", SHARED)
        found.to(device()).eval()
        last = getattr(found, "last", None)
        if not isinstance(last, nn.Linear) or last.out_features != classes:
            raise Wrong(f"last: nn.Linear with {classes} outputs", describe(last), LAST)
        expect_tensor(found(x), [3, classes], torch.float32, [LAST])
        if not same(found.features(x), discriminator.features(x)):
            raise Wrong("the discriminator's features", "others", OLD_WEIGHTS)
        if not same(found(x), found.last(found.features(x))):
            raise Wrong("last(features(x))", "something else", LAST)
        if not all(weight.requires_grad for weight in found.parameters()):
            raise Wrong("weights that all learn", "some that do not", FROZEN)
        expect_trainable(found, x)
    discriminator.features.requires_grad_(True)
    if not same(discriminator(x), logits):
        raise Wrong("the discriminator as it was", "another one", SHARED)
