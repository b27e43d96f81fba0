"""Exercises 9.1 and 9.2: convolutions are seen by hooks, what is between them is computed anew from their outputs."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, same
from ..kit.networks import normal
from .common import RECIPE, run

# What is said to the reader.
NOT_MODULE = "it must be a class that inherits from nn.Module"
NO_LAYERS = ("the network has no convolution among its modules: make the layers in __init__ and keep them in "
             "nn.Sequential, in nn.ModuleList or as attributes (a plain list hides them)")
COUNT = {
    "9.1": "it takes blocks convolutions, then one more to a single value: is `blocks` used, is the last one there?",
    "9.2": "it takes 1 + (blocks - 1) + 1 transposed convolutions: is `blocks` used, is the last one there?",
}
LAYER = {
    "9.1": {
        "kind": "the discriminator shrinks: nn.Conv2d",
        "channels": "the channels go from `channels` to width, 2 width, 4 width …, last to 1: is each argument used?",
        "kernel": "each kernel is 4 × 4",
        "stride": "the stride is 2 in the blocks, which halve the size, and 1 in the last convolution",
        "padding": "the padding is 1 in the blocks, so that they halve the size, and 0 in the last convolution",
        "bias": "no bias before batch norm, which subtracts it anyway: bias=False",
        "more": "the other options of a convolution keep their defaults",
    },
    "9.2": {
        "kind": "the generator grows: nn.ConvTranspose2d",
        "channels": "the channels go from nz to 2^(blocks - 1) width, halve down to width, and last to `channels`: "
                    "is each argument used?",
        "kernel": "each kernel is 4 × 4",
        "stride": "the stride is 1 in the first layer (1 × 1 to 4 × 4) and 2 in all others, which double the size",
        "padding": "the padding is 0 in the first layer (1 × 1 to 4 × 4) and 1 in all others, which double the size",
        "bias": "no bias before batch norm, which subtracts it anyway: bias=False",
        "more": "the other options of a transposed convolution keep their defaults",
    },
}
INPUT_OF = "the input of layer {}"
OUTPUT = "the output"
NO_NORM = "there is no batch norm after this convolution"
NORM_LATE = "the batch norm comes before the activation, not after"
NO_ACTIVATION = "there is no activation after this batch norm"
BARE = "there is neither batch norm nor activation between these two convolutions"
INSTANCE = "that normalises each image on its own: nn.BatchNorm2d, one mean per channel over the whole batch"
RELU = "negative values become 0: the discriminator takes LeakyReLU(0.2), not ReLU"
SLOPE = "the negative slope of LeakyReLU is 0.2 (torch's own default is 0.01)"
LEAKY = "negative values get through: the generator takes ReLU, LeakyReLU is for the discriminator"
ACTIVATION = {"9.1": "the activation after batch norm is LeakyReLU(0.2)",
              "9.2": "the activation after batch norm is ReLU"}
SIGMOID = "no sigmoid at the end: return logits, the sigmoid is part of the loss"
OTHER_END = "nothing comes after the last convolution: return logits, any real number"
FLAT = "one logit per image, shape [N]: .flatten() or .view(-1)"
SQUEEZE = "a batch of one image loses its batch axis: .squeeze() removes too much, take .flatten() or .view(-1)"
BATCH_MEAN = "one logit per image, no mean over the batch"
NO_TANH = "the last layer's values are not bounded: tanh brings them into [−1, 1]"
SIGMOID_G = "a sigmoid gives values in [0, 1]: tanh gives [−1, 1]"
UNIT_RANGE = "that is tanh brought into [0, 1]: leave it in [−1, 1], like the images x"
CLAMP = "the values are cut off at −1 and 1: cutting has no gradient there, tanh has"
LAST_NORM = "no batch norm after the last convolution: only tanh follows"
LAST_RELU = "no ReLU after the last convolution: only tanh follows, it needs negative values too"
CUT = "the output has no gradient: no torch.no_grad() and no detach in forward"
AFFINE = "weights are missing: batch norm learns a weight and a bias for each channel (affine=True, its default)"
EXTRA = "there are more weights than these layers have: are there layers that forward does not use?"
EVAL_NORM = "in eval mode an image must not depend on the others of its batch: keep nn.BatchNorm2d's running statistics"


def check_9_1(answer):
    expect_discriminator(build(answer), 1, 32, 3, n=2)
    expect_discriminator(build(answer, 3, 8, 4), 3, 8, 4, n=3)
    expect_discriminator(build(answer, blocks=2, channels=2, width=4), 2, 4, 2, n=1)


def check_9_2(answer):
    expect_generator(build(answer), 100, 32, 1, 3, n=2)
    expect_generator(build(answer, 10, 8, 3, 4), 10, 8, 3, 4, n=3)
    expect_generator(build(answer, blocks=2, channels=2, width=4, nz=6), 6, 4, 2, 2, n=1)


def build(answer, *arguments, **named):
    network = run(answer, *arguments, **named)
    if not isinstance(network, nn.Module):
        raise Wrong("a network (an nn.Module)", describe(network), NOT_MODULE)
    for layer in network.modules():  # what the student may have drawn
        if isinstance(layer, nn.BatchNorm2d) and layer.affine:
            nn.init.ones_(layer.weight), nn.init.zeros_(layer.bias)
    return network.to(device()).train()


def expect_discriminator(network, channels, width, blocks, n):
    sizes = [channels, *(width * 2**block for block in range(blocks)), 1]
    layers = [facts("convolution", *pair, 2, 1) for pair in pairwise(sizes)]
    layers[-1] |= {"stride": 1, "padding": 0}
    x = normal(n, channels, 4 * 2**blocks, 4 * 2**blocks)
    outputs, found = expect_layers("9.1", network, x, layers, lambda y: F.leaky_relu(y, 0.2), [
        (F.relu, RELU), *((lambda y, slope=slope: F.leaky_relu(y, slope), SLOPE)
                          for slope in (0.01, 0.02, 0.1, 0.3, 0.5, 0.8, 5.0, -0.2)),
    ])
    logits = outputs[-1]
    compare(found, logits.flatten(), [
        (logits, FLAT), (logits[:, 0], FLAT), (logits[:, 0, 0], FLAT), (logits.squeeze(), SQUEEZE),
        (logits.mean(), BATCH_MEAN),
        *((sigmoid.reshape(shape), SIGMOID) for sigmoid in (logits.sigmoid(), F.logsigmoid(logits))
          for shape in (logits.shape, [n, 1], [n])),
        *((end(logits).flatten(), OTHER_END) for end in (torch.tanh, F.relu, lambda y: F.leaky_relu(y, 0.2))),
    ], [RECIPE["9.1"]], 1e-3, torch.float32)
    expect_trainable("9.1", network, x, found, outputs)


def expect_generator(network, nz, width, channels, blocks, n):
    sizes = [nz, *(width * 2**block for block in reversed(range(blocks))), channels]
    layers = [facts("transposed convolution", *pair, 2, 1) for pair in pairwise(sizes)]
    layers[0] |= {"stride": 1, "padding": 0}
    z = normal(n, nz, 1, 1)
    outputs, found = expect_layers("9.2", network, z, layers, F.relu, [
        *((lambda y, slope=slope: F.leaky_relu(y, slope), LEAKY) for slope in (0.2, 0.01, 0.1)),
    ])
    last = outputs[-1]
    compare(found, last.tanh(), [
        (last, NO_TANH), (last.sigmoid(), SIGMOID_G), ((last.tanh() + 1) / 2, UNIT_RANGE), (last.clamp(-1, 1), CLAMP),
        (normalised(last).tanh(), LAST_NORM), (normalised(last).relu().tanh(), LAST_NORM),
        (last.relu().tanh(), LAST_RELU), (F.leaky_relu(last, 0.2).tanh(), LAST_RELU),
    ], [RECIPE["9.2"]], 1e-3, torch.float32)
    expect_trainable("9.2", network, z, found, outputs)


def expect_layers(exercise, network, x, layers, activation, wrong_activations):
    """(the convolutions' outputs, the network's output), once layers and what is between them are right."""
    calls, found = trace(network, x)
    count = sum(is_convolution(layer) for layer in network.modules())
    if not count:
        raise Wrong(f"{len(layers)} layers", "0 layers", NO_LAYERS, RECIPE[exercise])
    pairs = [(number, expected, facts_of(layer))
             for number, (expected, (layer, *_)) in enumerate(zip(layers, calls, strict=False), 1)]
    for number, expected, layer in sorted(pairs, key=lambda pair: pair[1]["kind"] == pair[2]["kind"]):
        wrong = differs(expected, layer, last=number == len(layers))
        if wrong:
            hint = LAYER[exercise][wrong] if count == len(layers) or wrong == "kind" else COUNT[exercise]
            raise Wrong(f"{number}: {text(expected)}", f"{number}: {text(layer)}", hint, RECIPE[exercise])
    if isinstance(found, Exception):
        raise found
    if len(calls) != len(layers):
        raise Wrong(f"{len(layers)} layers", f"{len(calls)} layers", COUNT[exercise], RECIPE[exercise])
    outputs = [output for _, _, output in calls]
    for number, (y, (_, entered, _)) in enumerate(zip(outputs, calls[1:], strict=False), 2):
        expect_between(exercise, number, y, entered, activation, wrong_activations)
    return outputs, found


def expect_between(exercise, number, y, entered, activation, wrong_activations):
    """What enters a convolution: the activation of the batch norm of what left the one before."""
    wrong = [*wrong_activations, *((other, ACTIVATION[exercise])
                                   for other in (torch.tanh, torch.sigmoid, F.elu, F.gelu, F.silu, F.selu, torch.abs))]
    layer_norm = F.layer_norm(y, y.shape[1:])
    try:
        compare(entered, activation(normalised(y)), [
            (normalised(y), NO_ACTIVATION), (y, BARE),
            *((other(normalised(y)), hint) for other, hint in wrong),
            *((other(y), NO_NORM) for other, _ in [(activation, ""), *wrong]),
            *((normalised(other(y)), NORM_LATE) for other, _ in [(activation, ""), *wrong]),
            *((activation(other), INSTANCE) for other in (F.instance_norm(y), layer_norm)),
        ], [RECIPE[exercise]], 1e-3)
    except Wrong as wrong:
        place = INPUT_OF.format(number)
        raise Wrong(f"{place}: {wrong.expected}", f"{place}: {wrong.found}", *wrong.hints) from None


def expect_trainable(exercise, network, x, found, outputs):
    if not found.requires_grad:
        raise Wrong(f"{OUTPUT} with a gradient", "requires_grad=False", CUT)
    convolutions = sum(layer.weight.numel() + (0 if layer.bias is None else layer.bias.numel())
                       for layer in network.modules() if is_convolution(layer))
    expected = convolutions + sum(2 * y.shape[1] for y in outputs[:-1])
    count = sum(parameter.numel() for parameter in network.parameters())
    if count != expected:
        raise Wrong(f"{expected} weights and biases", count, AFFINE if count < expected else EXTRA, RECIPE[exercise])
    network.eval()
    with torch.no_grad():
        x = torch.cat([x, x + 1])
        together, alone = network(x)[:2], network(x[:2])
    if not same(together, alone, 1e-2):
        raise Wrong(f"from two images: {describe(alone)}", f"from the same two in a larger batch: {describe(together)}",
                    EVAL_NORM, RECIPE[exercise])


def is_convolution(layer):
    return isinstance(layer, nn.Conv2d | nn.ConvTranspose2d)


def trace(network, x):
    """([[convolution, input, output], …] in the order they ran, the output or the error that stopped it)."""
    calls = []

    def before(layer, inputs):
        calls.append([layer, *(one.detach().clone() for one in inputs[:1]), None])

    def after(layer, inputs, output):
        calls[-1][-1] = output.detach().clone()

    handles = [handle for layer in network.modules() if is_convolution(layer)
               for handle in (layer.register_forward_pre_hook(before), layer.register_forward_hook(after))]
    try:
        return calls, run(network, x)
    except (RuntimeError, ValueError, Wrong) as error:
        if isinstance(error, NotImplementedError):  # a hole
            raise
        return calls, error
    finally:
        for handle in handles:
            handle.remove()


def facts(kind, inputs, outputs, stride, padding, kernel=4, bias=False, more=""):
    """A layer in words and numbers."""
    return {"kind": kind, "channels": f"{inputs} → {outputs}", "kernel": kernel, "stride": stride,
            "padding": padding, "bias": bias, "more": more}


def facts_of(layer):
    kind = "transposed convolution" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
    padding = 0 if layer.padding == "valid" else layer.padding
    defaults = {"dilation": (1, 1), "groups": 1, "output_padding": (0, 0), "padding_mode": "zeros"}
    more = [f"{name} {getattr(layer, name)}" for name, value in defaults.items() if getattr(layer, name) != value]
    return facts(kind, layer.in_channels, layer.out_channels, single(layer.stride), single(padding),
                 single(layer.kernel_size), layer.bias is not None, " ".join(more))


def single(pair):
    """One number for two equal ones."""
    return pair[0] if isinstance(pair, tuple) and pair[0] == pair[1] else pair


def text(layer):
    bias = "with bias" if layer["bias"] else "no bias"
    return (f"{layer['kind']} {layer['channels']}, kernel {layer['kernel']}, stride {layer['stride']}, "
            f"padding {layer['padding']}, {bias} {layer['more']}").strip()


def differs(expected, found, last):
    """The first thing in which a layer is wrong; the last one may have a bias."""
    return next((key for key in expected if expected[key] != found[key] and not (last and key == "bias")), None)


def normalised(y, eps=1e-5):
    """Batch norm in train mode, with weight 1 and bias 0."""
    centred = y - y.mean((0, 2, 3), keepdim=True)
    return centred / (centred.square().mean((0, 2, 3), keepdim=True) + eps).sqrt()
