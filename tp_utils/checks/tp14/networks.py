"""Exercises 14.1 and 14.2: encoder and decoder."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..kit.compare import Wrong, compare, describe, same
from ..kit.networks import build, expect_trainable, normal, trace
from .common import RECIPE

# What is said to the reader.
LAYERS = "the layers with weights are, from the input on: {expected}"
GEOMETRY = "kernel 4 × 4, stride 2, padding 1 in all three"
BETWEEN = "behind layer {k} comes batch norm, then {activation}"
LAST = "nothing comes behind the last layer: mean and log variance may be any numbers"
PAIR = "return a pair: (mean, log_variance)"
SWAPPED = "the first nz numbers are the mean, the others the log variance"
INTERLEAVED = "mean and log variance are taken in turn: the first nz numbers are the mean, the others the log variance"
POSITIVE = "the second output is ln σ², as it is: no exp, softplus or ReLU behind it"
NO_TANH = "the last step is tanh: pixels in [−1, 1]"
WEIGHTED = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


def check_14_1(answer):
    recipe = RECIPE["14.1"]
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network = build(answer, recipe, nz=nz, channels=channels, width=width).eval()
        x = normal(3, channels, 32, 32).tanh()
        for module in network.modules():  # large outputs, which a clamp would show
            if isinstance(module, nn.Linear):
                module.weight.data *= 10
        calls, found = trace(network, x, WEIGHTED)
        sizes = [channels, width, 2 * width, 4 * width]
        expect_layers("14.1", calls, [*([nn.Conv2d, *pair] for pair in pairwise(sizes)),
                                      [nn.Linear, 64 * width, 2 * nz]])
        expect_between("14.1", network, calls[:3], [given for _, given, _ in calls[1:4]],
                       lambda y: F.leaky_relu(y, 0.2))
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(mean, log_variance)", describe(found), PAIR, recipe)
        mean, log_variance = calls[3][2].chunk(2, dim=1)
        compare(found[0], mean, [(log_variance, SWAPPED), (calls[3][2][:, ::2], INTERLEAVED)], [LAST, recipe], 1e-3)
        compare(found[1], log_variance, [
            (log_variance.exp(), POSITIVE), (F.softplus(log_variance), POSITIVE), (log_variance.relu(), POSITIVE),
        ], [LAST, recipe], 1e-3)
        expect_trainable(network, x, recipe)


def check_14_2(answer):
    recipe = RECIPE["14.2"]
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network, z = build(answer, recipe, nz=nz, channels=channels, width=width).eval(), normal(3, nz)
        calls, found = trace(network, z, WEIGHTED)
        sizes = [4 * width, 2 * width, width, channels]
        expect_layers("14.2", calls, [[nn.Linear, nz, 64 * width],
                                      *([nn.ConvTranspose2d, *pair] for pair in pairwise(sizes))])
        small = calls[0][2].view(3, 4 * width, 4, 4)
        expect_between("14.2", network, [(calls[0][0], z, small), *calls[1:3]], [given for _, given, _ in calls[1:]],
                       F.relu)
        last = calls[3][2]
        compare(found, last.tanh(), [(last, NO_TANH), (last.sigmoid(), NO_TANH), (last.clamp(-1, 1), NO_TANH),
                                     ((last.tanh() + 1) / 2, NO_TANH)], [recipe], 1e-3, torch.float32)
        expect_trainable(network, z, recipe)


def expect_layers(exercise, calls, expected):
    """Raise Wrong unless these layers were used: [kind, inputs, outputs], convolutions 4 × 4 that halve or double."""
    def words(kind, inputs, outputs):
        return f"{kind.__name__} {inputs} → {outputs}"

    def sizes(layer):
        return (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else (
            layer.in_channels, layer.out_channels)

    wanted = ", ".join(words(*one) for one in expected)
    found = ", ".join(words(type(layer), *sizes(layer)) for layer, *_ in calls) or "none"
    if found != wanted:
        raise Wrong(wanted, found, LAYERS.format(expected=wanted), RECIPE[exercise])
    for layer, *_ in calls:
        if not isinstance(layer, nn.Linear) and (layer.kernel_size, layer.stride, layer.padding) != (
                (4, 4), (2, 2), (1, 1)):
            raise Wrong("kernel 4, stride 2, padding 1", f"{layer.kernel_size}, {layer.stride}, {layer.padding}",
                        GEOMETRY, RECIPE[exercise])


def expect_between(exercise, network, calls, entered, activation):
    """Raise Wrong unless batch norm and activation are between each layer's output and the next one's input."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for k, ((_, _, out), given) in enumerate(zip(calls, entered, strict=True), 1):
        right = [activation(norm(out)) for norm in norms if norm.num_features == out.shape[1]]
        if not any(given.numel() == value.numel() and same(given.flatten(), value.flatten()) for value in right):
            name = "ReLU" if activation is F.relu else "LeakyReLU(0.2)"
            raise Wrong(f"batch norm and {name} behind layer {k}", "something else",
                        BETWEEN.format(k=k, activation=name), RECIPE[exercise])
