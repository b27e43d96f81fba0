"""Exercises 9.1 and 9.2: convolutions are seen by hooks, what is between them is computed anew from their outputs."""

from itertools import pairwise

import torch
from torch import nn

from ..kit.compare import Wrong, compare, describe, same
from ..kit.ends import wrong_images, wrong_logits
from ..kit.layers import CONVOLUTIONS, expect_between, expect_layers, facts, normalised
from ..kit.networks import build, normal, redraw, watched

# What is said to the reader.
NO_LAYERS = ("the network has no convolution among its modules: make the layers in __init__ and keep them in "
             "nn.Sequential, in nn.ModuleList or as attributes (a plain list hides them)")
LAYER_OF_D = {
    "count": "it takes blocks convolutions, then one more to a single value: is `blocks` used, is the last one there?",
    "kind": "the discriminator shrinks: nn.Conv2d",
    "channels": "the channels go from `channels` to width, 2 width, 4 width …, last to 1: is each argument used?",
    "kernel": "each kernel is 4 × 4",
    "stride": "the stride is 2 in the blocks, which halve the size, and 1 in the last convolution",
    "padding": "the padding is 1 in the blocks, so that they halve the size, and 0 in the last convolution",
    "bias": "no bias before batch norm, which subtracts it anyway: bias=False",
    "more": "the other options of a convolution keep their defaults",
}
LAYER_OF_G = {
    "count": "it takes 1 + (blocks - 1) + 1 transposed convolutions: is `blocks` used, is the last one there?",
    "kind": "the generator grows: nn.ConvTranspose2d",
    "channels": "the channels go from nz to 2^(blocks - 1) width, halve down to width, and last to `channels`: "
                "is each argument used?",
    "kernel": "each kernel is 4 × 4",
    "stride": "the stride is 1 in the first layer (1 × 1 to 4 × 4) and 2 in all others, which double the size",
    "padding": "the padding is 0 in the first layer (1 × 1 to 4 × 4) and 1 in all others, which double the size",
    "bias": "no bias before batch norm, which subtracts it anyway: bias=False",
    "more": "the other options of a transposed convolution keep their defaults",
}
LAST_NORM = "no batch norm after the last convolution: only tanh follows"
CUT = "the output has no gradient: no torch.no_grad() and no detach in forward"
AFFINE = "weights are missing: batch norm learns a weight and a bias for each channel (affine=True, its default)"
EXTRA = "there are more weights than these layers have: are there layers that forward does not use?"
EVAL_NORM = "in eval mode an image must not depend on the others of its batch: keep nn.BatchNorm2d's running statistics"


def check_9_1(answer):
    """blocks times [Conv2d(…, 4, stride=2, padding=1, bias=False), BatchNorm2d, LeakyReLU(0.2)], channels doubling
    from width; then Conv2d(…, 1, 4), and .flatten() to [N]"""
    expect_discriminator(plain(answer), 1, 32, 3, n=2)
    expect_discriminator(plain(answer, 3, 8, 4), 3, 8, 4, n=3)
    expect_discriminator(plain(answer, blocks=2, channels=2, width=4), 2, 4, 2, n=1)


def check_9_2(answer):
    """[ConvTranspose2d(nz, width * 2**(blocks - 1), 4, bias=False), BatchNorm2d, ReLU], then blocks - 1 times the same
    with stride=2, padding=1, half the channels; then ConvTranspose2d(width, channels, 4, 2, 1), tanh"""
    expect_generator(plain(answer), 100, 32, 1, 3, n=2)
    expect_generator(plain(answer, 10, 8, 3, 4), 10, 8, 3, 4, n=3)
    expect_generator(plain(answer, blocks=2, channels=2, width=4, nz=6), 6, 4, 2, 2, n=1)


def plain(answer, *arguments, **named):
    """The student's network in train mode, its batch norms with weight 1 and bias 0, whatever the student has drawn."""
    network = redraw(build(answer, *arguments, **named))
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.ones_(layer.weight), nn.init.zeros_(layer.bias)
    return network.train()


def expect_discriminator(network, channels, width, blocks, n):
    sizes = [channels, *(width * 2**block for block in range(blocks)), 1]
    layers = [convolution("convolution", *pair) for pair in pairwise(sizes)]
    layers[-1] |= {"stride": 1, "padding": 0}
    x = normal(n, channels, 4 * 2**blocks, 4 * 2**blocks)
    outputs, found = run_layers(network, x, layers, LAYER_OF_D, "LeakyReLU(0.2)")
    logits = outputs[-1].flatten()
    compare(found, logits, wrong_logits(logits), tolerance=1e-3, dtype=torch.float32)
    expect_weights(network, x, found, outputs)


def expect_generator(network, nz, width, channels, blocks, n):
    sizes = [nz, *(width * 2**block for block in reversed(range(blocks))), channels]
    layers = [convolution("transposed convolution", *pair) for pair in pairwise(sizes)]
    layers[0] |= {"stride": 1, "padding": 0}
    z = normal(n, nz, 1, 1)
    outputs, found = run_layers(network, z, layers, LAYER_OF_G, "ReLU")
    last = outputs[-1]
    compare(found, last.tanh(), [
        *wrong_images(last), (normalised(last).tanh(), LAST_NORM), (normalised(last).relu().tanh(), LAST_NORM),
    ], tolerance=1e-3, dtype=torch.float32)
    expect_weights(network, z, found, outputs)


def convolution(kind, inputs, outputs):
    """The facts of a layer that halves or doubles the size."""
    return facts(kind, inputs, outputs, kernel=4, stride=2, padding=1, bias=False, more="")


def run_layers(network, x, layers, hints, activation):
    """(the convolutions' outputs, the network's output), once layers and what is between them are right."""
    del layers[-1]["bias"]  # the last one may have one
    with watched(network, CONVOLUTIONS) as calls:
        try:
            found = network(x)
        except NotImplementedError:  # a hole
            raise
        except Exception as error:  # of a wrong layer, which is said first
            found = error
    count = sum(isinstance(layer, CONVOLUTIONS) for layer in network.modules())
    if not count:
        raise Wrong(f"{len(layers)} layers", "0 layers", NO_LAYERS)
    other = {key: hints["count"] for key in hints if key != "kind"}  # a layer too many shifts all that follow
    used = [layer for layer, *_ in calls]
    expect_layers(used, layers if not isinstance(found, Exception) else layers[:len(used)],
                  hints if count == len(layers) else hints | other)
    if isinstance(found, Exception):
        raise found
    outputs = [output for _, _, output in calls]
    for number, (y, (_, entered, _)) in enumerate(zip(outputs, calls[1:], strict=False), 1):
        expect_between(number, y, entered, activation, normalised)
    return outputs, found


def expect_weights(network, x, found, outputs):
    """Raise Wrong unless the weights are those of convolutions and batch norms, and learn; and eval mode is one."""
    if not found.requires_grad:
        raise Wrong("the output with a gradient", "requires_grad=False", CUT)
    convolutions = sum(layer.weight.numel() + (0 if layer.bias is None else layer.bias.numel())
                       for layer in network.modules() if isinstance(layer, CONVOLUTIONS))
    expected = convolutions + sum(2 * y.shape[1] for y in outputs[:-1])
    count = sum(parameter.numel() for parameter in network.parameters())
    if count != expected:
        raise Wrong(f"{expected} weights and biases", count, AFFINE if count < expected else EXTRA)
    network.eval()
    with torch.no_grad():
        x = torch.cat([x, x + 1])
        together, alone = network(x)[:2], network(x[:2])
    if not same(together, alone, 1e-2):
        raise Wrong(f"from two images: {describe(alone)}", f"from the same two in a larger batch: {describe(together)}",
                    EVAL_NORM)
