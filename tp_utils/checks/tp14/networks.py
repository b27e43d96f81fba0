"""Exercises 14.1 and 14.2: encoder and decoder."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..kit.compare import Wrong, compare, describe
from ..kit.ends import wrong_images
from ..kit.layers import CONVOLUTIONS, expect_between, expect_layers, facts, norm_behind
from ..kit.networks import build, expect_trainable, normal, settle, trace

# What is said to the reader.
LAYERS = "the layers with weights are, from the input on: {expected}"
GEOMETRY = "kernel 4 × 4, stride 2, padding 1 in all three"
LAST = "nothing comes behind the last layer: mean and log variance may be any numbers"
PAIR = "return a pair: (mean, log_variance)"
SWAPPED = "the first nz numbers are the mean, the others the log variance"
INTERLEAVED = "mean and log variance are taken in turn: the first nz numbers are the mean, the others the log variance"
CLAMPED = "large numbers are cut off: return mean and log variance as they are, without clamp or tanh"
FLAT_NORM = ("BatchNorm1d normalises each number of the flat vector on its own: make maps of it first, by Unflatten or "
             "view, then BatchNorm2d, one mean per channel")
POSITIVE = "the second output is ln σ², as it is: no exp, softplus or ReLU behind it"


def check_14_1(answer):
    """three times [Conv2d(…, 4, 2, 1), BatchNorm2d, LeakyReLU(0.2)] with channels, w, 2w, 4w; Flatten; Linear(4w * 16,
    2 * nz); .chunk(2, dim=1) makes mean and log_variance of it"""
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network = settle(build(answer, nz=nz, channels=channels, width=width)).eval()
        x = normal(3, channels, 32, 32).tanh()
        for module in network.modules():  # large outputs, which a clamp would show
            if isinstance(module, nn.Linear):
                module.weight.data *= 10
        sizes = [channels, width, 2 * width, 4 * width]
        layers = [*(halving("convolution", *pair) for pair in pairwise(sizes)),
                  facts("linear layer", 64 * width, 2 * nz)]
        last, found = expect_chain(network, x, layers, "LeakyReLU(0.2)")
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(mean, log_variance)", describe(found), PAIR)
        mean, log_variance = last.chunk(2, dim=1)
        compare(found[0], mean, [(log_variance, SWAPPED), (last[:, ::2], INTERLEAVED)], [LAST], 1e-3)
        compare(found[1], log_variance, [
            (log_variance.exp(), POSITIVE), (F.softplus(log_variance), POSITIVE), (log_variance.relu(), POSITIVE),
        ], [LAST], 1e-3)
        expect_trainable(network, x)
        expect_unbounded(network.eval(), x)


def expect_unbounded(network, x):
    """Raise Wrong if large outputs are cut off."""
    for module in network.modules():
        if isinstance(module, nn.Linear):
            module.weight.data *= 100
    calls, found = trace(network, x, nn.Linear)
    for one, right in zip(found, calls[-1][2].chunk(2, dim=1), strict=True):
        compare(one, right, hints=[CLAMPED], tolerance=1e-3)


def check_14_2(answer):
    """Linear(nz, 4w * 16), Unflatten(1, (4w, 4, 4)), BatchNorm2d, ReLU; [ConvTranspose2d(…, 4, 2, 1), BatchNorm2d,
    ReLU] from 4w to 2w and to w; ConvTranspose2d(w, channels, 4, 2, 1), tanh"""
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network, z = settle(build(answer, nz=nz, channels=channels, width=width)).eval(), normal(3, nz)
        sizes = [4 * width, 2 * width, width, channels]
        layers = [facts("linear layer", nz, 64 * width),
                  *(halving("transposed convolution", *pair) for pair in pairwise(sizes))]
        last, found = expect_chain(network, z, layers, "ReLU")
        compare(found, last.tanh(), wrong_images(last), tolerance=1e-3, dtype=torch.float32)
        expect_trainable(network, z)


def halving(kind, inputs, outputs):
    """The facts of a layer that halves or doubles the side of the maps."""
    return facts(kind, inputs, outputs, kernel=4, stride=2, padding=1)


def expect_chain(network, inputs, layers, activation):
    """Raise Wrong unless these layers are used, with batch norm and activation behind all but the last.

    Returns the last layer's output and the network's.
    """
    uses, found = trace(network, inputs, CONVOLUTIONS | nn.Linear | nn.BatchNorm1d)
    norms, calls = ([use for use in uses if isinstance(use[0], nn.BatchNorm1d) == norm] for norm in (True, False))
    expected = ", ".join(f"{layer['kind']} {layer['channels']}" for layer in layers)
    hints = dict.fromkeys(("kind", "channels", "count"), LAYERS.format(expected=expected))
    expect_layers([layer for layer, *_ in calls], layers,
                  hints | dict.fromkeys(("kernel", "stride", "padding"), GEOMETRY))
    if any(given.ndim == 2 for _, given, _ in norms):
        raise Wrong("BatchNorm2d of the maps", "BatchNorm1d of the flat vector", FLAT_NORM)
    for k, ((_, _, y), (_, entered, _)) in enumerate(pairwise(calls), 1):
        y = y.unflatten(1, (-1, 4, 4)) if y.ndim == 2 else y
        expect_between(k, y, entered, activation, norm_behind(network, y))
    return calls[-1][2], found
