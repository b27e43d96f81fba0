"""Exercises 13.3 and 13.9: networks of blocks, recomputed from their own layers."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..kit.compare import Wrong, compare, describe
from ..kit.networks import build, expect_trainable, normal, settle, trace
from .common import INPUT, OF_LIST, TRAIN_MODE, expect_convolution, short

# What is said to the reader.

# 13.3
USE_BLOCK = "the blocks are made by the argument: block(inputs, outputs, stride)"
POSITIONAL = "call block(inputs, outputs, stride) with the three by position"
BLOCKS = "3n blocks: three groups of n"
CHANNELS = "the groups have w, 2w and 4w channels: the first block of a group changes them, the others keep them"
STRIDES = "stride 2 in the first block of the second and of the third group, 1 in all others"
ORDER = "each block is made for itself and used once: 3n calls of block, nothing between the blocks"
FIRST = "the first convolution: 3 → w, 3 × 3, padding 1, stride 1, no bias"
ONE_NORM = "one batch norm besides those in the blocks, nn.BatchNorm2d(w) behind the first convolution"
FIRST_NORM = "behind the first convolution: batch norm, then ReLU"
MEAN = "the mean over all positions of each channel, .mean((2, 3)), goes into the linear layer"
MAXIMUM = "that is the maximum over the positions: take the mean"
SOFTMAX = "no softmax at the end: return logits, the softmax is part of the loss"
ONE_LINEAR = "one linear layer, from 4w to `classes`"

# 13.9
CONVOLUTIONS = "1 + 6n convolutions, those of ResNet(ResidualBlock, n): no shortcut has weights"
NORMS = "a batch norm of its own behind each convolution, nn.BatchNorm2d of its channels"
CUT_ROOT = "the gradient does not go through all shortcuts: no detach, no torch.no_grad()"
NO_ROOT = "the root shortcut is missing: what the first layers gave, added in the very last block"
NO_GROUP = "the shortcuts over the groups are missing: the group's input, added in the last block of each group"
PLAIN_RESNET = "that is a ResNet: the shortcuts over the groups and over all of them are missing"
LATE = "the shortcut of {} is added after the ReLU: ReLU comes once in a block, after all that is added"
ROOT_IMAGE = "the root is what convolution, batch norm and ReLU at the beginning gave"
NO_BLOCK = "the shortcuts of the blocks are missing: three levels, each beside the others"
EVERY = "the group's input is added in the last block of the group only"


class Probe(nn.Module):
    """A block that remembers how it was asked for."""

    def __init__(self, *sizes, **named):
        if named:
            raise Wrong("block(inputs, outputs, stride)", f"block(…, {', '.join(named)}=…)", POSITIONAL)
        super().__init__()
        self.sizes = inputs, outputs, stride = (*sizes, 1)[:3]
        self.mix = nn.Conv2d(inputs, outputs, 1, stride, bias=False)

    def forward(self, x):
        return 2 * self.mix(x).tanh()  # what differs from place to place goes on to do so


def check_13_3(answer):
    """Conv2d(3, w, 3, 1, 1, bias=False), BatchNorm2d, ReLU; for group 0, 1, 2 and k = 0 … n − 1 a block(inputs, w ·
    2^group, 2 if group > 0 and k == 0 else 1); .mean((2, 3)); Linear(4w, classes)"""
    for n, classes, width, shape in ((3, 7, 4, (16, 12)), (1, 10, 16, (8, 8))):
        options = {} if (classes, width) == (10, 16) else {"classes": classes, "width": width}
        network, x = settle(build(answer, Probe, n, **options)).eval(), normal(3, 3, *shape)
        calls, found = trace(network, x, Probe)
        if not any(isinstance(module, Probe) for module in network.modules()):
            listed = any(isinstance(value, list) for value in vars(network).values())
            raise Wrong(f"{3 * n} blocks", "none", OF_LIST if listed else USE_BLOCK)
        if len({id(block) for block, *_ in calls}) < len(calls) or any(
                not torch.equal(out, entered) for (_, _, out), (_, entered, _) in pairwise(calls)):
            raise Wrong("each block once, one behind the other", "something else", ORDER)
        expect_blocks([block.sizes for block, *_ in calls], n, width)
        expect_first(network, x, width, calls[0][1])
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
        expect_one_linear(linear, 4 * width, classes)
        last = calls[-1][2]
        right = linear[0](last.mean((2, 3)))
        compare(found, right, [
            (linear[0](last.amax((2, 3))), MAXIMUM), (right.softmax(1), SOFTMAX), (right.log_softmax(1), SOFTMAX),
            (linear[0](last.sum((2, 3))), MEAN), (linear[0](last[:, :, 0, 0]), MEAN), (right.relu(), SOFTMAX),
            (right.sigmoid(), SOFTMAX), (right.argmax(1), SOFTMAX),
        ], [MEAN], 1e-3, torch.float32)
        calls, found = trace(network.train(), x, Probe)
        compare(found, linear[0](calls[-1][2].mean((2, 3))), [], [TRAIN_MODE], 1e-3)
        expect_trainable(network, x)


def expect_one_linear(linear, inputs, classes):
    """Raise Wrong unless there is one linear layer, with a bias."""
    found = [(layer.in_features, layer.out_features, layer.bias is not None) for layer in linear]
    if found != [(inputs, classes, True)]:
        raise Wrong(f"one linear layer, {inputs} → {classes}, with bias", ", ".join(map(str, linear)) or "none",
                    ONE_LINEAR)


def expect_blocks(found, n, width):
    """Raise Wrong unless blocks of these (inputs, outputs, stride) make up the three groups."""
    right = []
    for group in range(3):
        channels = width * 2**group
        right.append((channels // 2 if group else width, channels, 2 if group else 1))
        right += [(channels, channels, 1)] * (n - 1)
    if len(found) != len(right):
        raise Wrong(f"{len(right)} blocks for n = {n}", f"{len(found)}", BLOCKS)
    for k, hint in ((slice(0, 2), CHANNELS), (slice(2, 3), STRIDES)):
        if [sizes[k] for sizes in found] != [sizes[k] for sizes in right]:
            raise Wrong(f"blocks {right}", f"{found}", hint)


def expect_first(network, x, width, entered):
    """Raise Wrong unless the blocks are given what convolution, batch norm and ReLU make of the images."""
    calls = [call for call in trace(network, x, nn.Conv2d)[0] if call[0].kernel_size != (1, 1)]
    if len(calls) != 1 or calls[0][0].in_channels != 3:
        raise Wrong("one convolution in front of the blocks", ", ".join(str(layer) for layer, *_ in calls) or "none",
                    FIRST)
    try:
        expect_convolution(calls[0][0], (3, width, 1))
    except Wrong as wrong:
        raise Wrong(wrong.expected, wrong.found, FIRST) from None
    if not torch.equal(calls[0][1], x):
        raise Wrong("the images", describe(calls[0][1]), INPUT)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if len(norms) > 1:
        raise Wrong("one batch norm besides the blocks", f"{len(norms)}", ONE_NORM)
    if not norms or not torch.allclose(entered, F.relu(norms[0](calls[0][2])), atol=1e-4):
        raise Wrong("batch norm and ReLU behind the first convolution", "something else", FIRST_NORM)


def check_13_9(answer):
    """in each block total = branch(x) + shortcut(x, …); in the last one of a group total + shortcut(group's input,
    channels, the group's stride); in the very last one also + shortcut(what the first layers gave, 4w, 4); x =
    F.relu(total)"""
    for n, classes, width in ((3, 7, 4), (1, 10, 16)):
        options = {} if (classes, width) == (10, 16) else {"classes": classes, "width": width}
        network, x = settle(build(answer, n, **options)).eval(), normal(3, 3, 16, 12)
        calls, found = trace(network, x, (nn.Conv2d, nn.BatchNorm2d))
        layers = ror_layers([layer for layer, *_ in calls], network, n, width)
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
        expect_one_linear(linear, 4 * width, classes)

        def logits(layers=layers, linear=linear[0], x=x, n=n, pool=torch.mean, **levels):
            return linear(pool(ror(layers, x, n, **levels), (2, 3)))

        mistakes = [
            (logits(group=None, root=None), PLAIN_RESNET), (logits(root=None), NO_ROOT), (logits(group=None), NO_GROUP),
            (logits(group="late"), LATE.format("a group")), (logits(root="late"), LATE.format("all groups")),
            (logits(group="late", root="late"), LATE.format("a group")), (logits(block=None), NO_BLOCK),
            (logits(first_relu=False), ROOT_IMAGE), (logits(root="conv"), ROOT_IMAGE),
            (logits(root="image"), ROOT_IMAGE), (logits(group="every"), EVERY), (logits().softmax(1), SOFTMAX),
            (logits().log_softmax(1), SOFTMAX), (logits().sigmoid(), SOFTMAX), (logits(pool=torch.amax), MAXIMUM),
            (logits(pool=torch.sum), MEAN),
            (logits(group="late", root=None), LATE.format("a group")),
            (logits(group=None, root="late"), LATE.format("all groups")),
        ]
        compare(found, logits(), mistakes, tolerance=1e-3, dtype=torch.float32)
        expect_trainable(network, x)
        gradients = [torch.autograd.grad(out.sum(), layers[0][0].weight)[0] for out in (network.eval()(x), logits())]
        if not torch.allclose(*gradients, rtol=1e-2, atol=1e-3 * gradients[1].abs().max().item()):
            raise Wrong("the gradient through all shortcuts", "another", CUT_ROOT)


def ror_layers(used, network, n, width):
    """[(convolution, its batch norm)] in the order of their use; Wrong unless they are those of a ResNet."""
    convolutions, norms = ([layer for layer in used if isinstance(layer, kind)] for kind in (nn.Conv2d, nn.BatchNorm2d))
    right, inputs = [(3, width, 1)], width
    for group in range(3):
        for k in range(2 * n):
            right.append((inputs, width * 2**group, 2 if group and k == 0 else 1))
            inputs = width * 2**group
    found = [(layer.in_channels, layer.out_channels, layer.stride[0]) for layer in convolutions]
    if len(found) < len(right) and any(isinstance(value, list) for module in network.modules()
                                       for name, value in vars(module).items() if not name.startswith("_")):
        raise Wrong(f"{len(right)} convolutions", f"{len(found)}", OF_LIST)
    if found != right or any(layer.bias is not None or layer.kernel_size != (3, 3) for layer in convolutions):
        raise Wrong(f"{len(right)} convolutions, (inputs, outputs, stride): {right}", f"{len(found)}: {found}",
                    CONVOLUTIONS)
    kinds = [isinstance(layer, nn.Conv2d) for layer in used]
    if kinds != [True, False] * len(right) or len(set(norms)) != len(right):
        raise Wrong("a batch norm behind each convolution", f"{len(set(norms))} for {len(right)}", NORMS)
    return list(zip(convolutions, norms, strict=True))


def ror(layers, x, n, block="sum", group="sum", root="sum", first_relu=True):
    """What the three groups give, with mistakes: a level left out (None), added behind the ReLU ("late"), and so on."""
    image, steps = x, iter([lambda x, layer=layer, norm=norm: norm(layer(x)) for layer, norm in layers])
    raw = layers[0][0](x)
    x = next(steps)(x)
    x = F.relu(x) if first_relu else x
    of_root = {"conv": raw, "image": short(image, x.shape[1], 1, 0)}.get(root, x)
    for g in range(3):
        start, stride = x, 2 if g else 1
        for k in range(n):
            inner = F.relu(next(steps)(x))
            f = next(steps)(inner)
            total = f + short(x, f.shape[1], stride if k == 0 else 1) if block else f
            last, very_last = k == n - 1, k == n - 1 and g == 2
            over_group = short(start, f.shape[1], stride) if group == "every" or last else 0
            over_all = short(of_root, f.shape[1], 4) if very_last else 0
            early = (over_group if group in ("sum", "every") else 0) + (over_all if root not in (None, "late") else 0)
            late = (over_group if group == "late" else 0) + (over_all if root == "late" else 0)
            x = F.relu(total + early) + late
    return x
