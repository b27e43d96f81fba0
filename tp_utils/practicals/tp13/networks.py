"""Networks of TP 13: the shortcut, public weights, what the gradient and the clock say."""

import copy
import re
import statistics
import time

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from .images import scaled

# What is said to the reader.
OTHER_NETWORK = ("these are the weights of another network: {given} tensors are given, this network has {own}. Here "
                 "alone: {here}; there alone: {there}")


def shortcut(x, channels, stride=1):
    """He's option A: every stride-th pixel, new channels filled with zeros, half of them in front: [N, C, H, W]."""
    new = channels - x.shape[1]
    return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, new // 2, new - new // 2))


def branch(inputs, outputs, stride=1):
    """What a residual block adds to its shortcut: convolution, batch norm, ReLU, convolution, batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))


def load_public(network, weights):
    """Load a state_dict of the same layers under other names, e.g. that of a public ResNet-20; returns the network.

    Tensors of one kind (weight, bias, running_mean …) and one shape are matched in turn: here in the order in which the
    layers were made, which must be that of their use; there in the order of their names, layer1.9 before layer1.10,
    however the file orders them. Raises ValueError where kinds or shapes differ.
    """
    own, given = alike(network.state_dict()), alike(weights)
    here, there = ([f"{len(names)} × {kind} {list(shape)}" for (kind, shape), names in one.items()
                    if len(names) != len(other.get((kind, shape), ()))] for one, other in ((own, given), (given, own)))
    if here or there:
        own, given = (sum(map(len, groups.values())) for groups in (own, given))
        raise ValueError(OTHER_NETWORK.format(own=own, given=given, here=", ".join(here) or "none",
                                              there=", ".join(there) or "none"))
    pairs = {mine: weights[theirs] for group, names in own.items()
             for mine, theirs in zip(names, sorted(given[group], key=numbered), strict=True)}
    network.load_state_dict(network.state_dict() | pairs)
    return network


def alike(state):
    """{(kind, shape): [names]} of a state_dict, without the counts of batches."""
    groups = {}
    for name, value in state.items():
        kind = name.rpartition(".")[2]
        if kind != "num_batches_tracked":
            groups.setdefault((kind, tuple(value.shape)), []).append(name)
    return groups


def numbered(name):
    """A key to sort names by, in which numbers count as numbers."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]


def convolution_gradients(network, images, labels):
    """The norm of the loss's gradient with respect to the weights of each convolution, in the order of their use.

    The network itself stays as it is.
    """
    network, used = copy.deepcopy(network).to(device()).train(), []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda layer, *_: used.append(layer))
    F.cross_entropy(network(scaled(images.to(device()))), labels.to(device())).backward()
    return [layer.weight.grad.norm().item() for layer in used]


def step_seconds(networks, images, labels, rounds):
    """{name: median seconds of a forward and backward pass in train mode}; the networks take turns, round by round."""
    x, y, seconds = scaled(images.to(device())), labels.to(device()), {name: [] for name in networks}
    for _ in range(rounds + 1):
        for name, network in networks.items():
            network.to(device()).train()
            start = time.perf_counter()
            F.cross_entropy(network(x), y).backward()
            if device().type == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}  # the first round warms up
