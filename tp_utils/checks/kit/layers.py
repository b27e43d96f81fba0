"""Layers as they were used, and what is between them: computed anew from what left a layer."""

import torch
from torch import nn
from torch.nn import functional as F

from .compare import Wrong, compare, describe

# What is said to the reader.
NO_NORM = "batch norm is missing: there is no batch norm after this layer"
NORM_TOO_MUCH = "there is a batch norm after this layer: it has none"
NORM_LATE = "the batch norm comes before the activation, not after: BatchNorm2d, then {name}"
NO_ACTIVATION = "there is no activation after this batch norm: {name} is missing"
NO_ACTIVATION_HERE = "there is no activation after this layer: {name} is missing"
BARE = "there is neither batch norm nor activation between these two layers"
INSTANCE = "that normalises each image on its own: nn.BatchNorm2d, one mean per channel over the whole batch"
RELU = "negative values become 0: the activation is LeakyReLU(0.2), not ReLU"
SLOPE = "the negative slope of LeakyReLU is 0.2 (torch's own default is 0.01)"
LEAKY = "negative values get through: the activation is ReLU, LeakyReLU is for discriminators and encoders"
ACTIVATION = "the activation is {name}"
INPUT_OF = "the input of layer {}"
BETWEEN = "behind layer {k} something else happens than {steps}, in this order"

CONVOLUTIONS = nn.Conv2d | nn.ConvTranspose2d
SLOPES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.3, 0.5, 0.8, 5.0, -0.2)
ACTIVATIONS = {"ReLU": F.relu, "LeakyReLU(0.2)": lambda y: F.leaky_relu(y, 0.2)}
SLOPED = [(lambda y, slope=slope: F.leaky_relu(y, slope), slope) for slope in SLOPES]
WRONG_ACTIVATIONS = {  # (what stands in its place, its hint)
    "ReLU": [(one, LEAKY) for one, _ in SLOPED],
    "LeakyReLU(0.2)": [(F.relu, RELU), *((one, SLOPE) for one, slope in SLOPED if slope != 0.2)],
}
OTHERS = (torch.tanh, torch.sigmoid, F.elu, F.gelu, F.silu, F.selu, torch.abs)


# ---- the layers themselves


def facts(kind, inputs, outputs, **more):
    """A layer in words and numbers: kernel, stride, padding, bias and more (its other options) as far as they count."""
    return {"kind": kind, "channels": f"{inputs} → {outputs}", **more}


def facts_of(layer):
    """All facts of a convolution, a transposed convolution or a linear layer."""
    if isinstance(layer, nn.Linear):
        return facts("linear layer", layer.in_features, layer.out_features, bias=layer.bias is not None)
    kind = "transposed convolution" if isinstance(layer, nn.ConvTranspose2d) else "convolution"
    kernel, padding = single(layer.kernel_size), single(layer.padding)
    if padding in ("valid", "same"):
        padding = 0 if padding == "valid" or not isinstance(kernel, int) else (kernel - 1) / 2
    defaults = {"dilation": (1, 1), "groups": 1, "output_padding": (0, 0), "padding_mode": "zeros"}
    more = [f"{name} {getattr(layer, name)}" for name, value in defaults.items() if getattr(layer, name) != value]
    return facts(kind, layer.in_channels, layer.out_channels, kernel=kernel, stride=single(layer.stride),
                 padding=padding, bias=layer.bias is not None, more=" ".join(more))


def single(pair):
    """One number for two equal ones."""
    return pair[0] if isinstance(pair, tuple) and pair[0] == pair[1] else pair


def text(layer):
    """The facts of a layer as a line."""
    numbers = "".join(f", {name} {layer[name]}" for name in ("kernel", "stride", "padding") if name in layer)
    bias = {True: ", with bias", False: ", no bias"}.get(layer.get("bias"), "")
    return f"{layer['kind']} {layer['channels']}{numbers}{bias} {layer.get('more', '')}".strip()


def expect_layers(layers, expected, hints):
    """Raise Wrong at the first layer that is another one than expected, wrong kinds before everything else.

    layers:    the layers that were used, in order
    expected:  their facts; what is not among them is not looked at
    hints:     {fact: hint}, and for "count" the hint for too many or too few layers
    """
    pairs = [(number, right, facts_of(layer))
             for number, (right, layer) in enumerate(zip(expected, layers, strict=False), 1)]
    for number, right, found in sorted(pairs, key=lambda pair: pair[1]["kind"] == pair[2]["kind"]):
        wrong = next((key for key in right if right[key] != found.get(key)), None)
        if wrong:
            found = {key: value for key, value in found.items() if key in right}
            raise Wrong(f"{number}: {text(right)}", f"{number}: {text(found)}", hints[wrong])
    if len(layers) != len(expected):
        raise Wrong(f"{len(expected)} layers", f"{len(layers)} layers", hints["count"])


# ---- what is between them


def normalised(y, eps=1e-5):
    """Batch norm in train mode, with weight 1 and bias 0."""
    centred = y - y.mean((0, 2, 3), keepdim=True)
    return centred / (centred.square().mean((0, 2, 3), keepdim=True) + eps).sqrt()


def norm_behind(network, y):
    """The batch norm for the output y of a layer, of a network that is settled; None where there is no such one."""
    fitting = (module for module in network.modules() if isinstance(module, nn.BatchNorm2d))
    return next((norm for norm in fitting if norm.num_features == y.shape[1]), None)


def expect_between(k, y, entered, activation, norm, normed=True, then=None, words=""):
    """Raise Wrong unless what entered a layer is made of y, which left the one before, layer k, as it should.

    activation:  "ReLU" or "LeakyReLU(0.2)"
    norm:        the batch norm as a function, None where the network has none of this size
    normed:      is there to be a batch norm, in front of the activation?
    then, words: what follows, as a function and in words: a pool, say
    """
    place = INPUT_OF.format(k + 1)
    right, then = ACTIVATIONS[activation], then or (lambda y: y)
    wrong = [*WRONG_ACTIVATIONS[activation], *((other, ACTIVATION.format(name=activation)) for other in OTHERS)]
    if normed and norm is None:
        raise Wrong(f"{place}: what a batch norm gave", f"{place}: {describe(entered)}", NO_NORM)
    norm = norm or (lambda y: y)
    inner = norm if normed else lambda y: y
    missing = (NO_ACTIVATION if normed else NO_ACTIVATION_HERE).format(name=activation)
    mistakes = [(inner(y), missing), (y, BARE),
                *((other(inner(y)), hint) for other, hint in wrong)]
    if normed:
        mistakes += [(other(y), NO_NORM) for other, _ in [(right, ""), *wrong]]
        mistakes += [(right(other), INSTANCE) for other in (F.instance_norm(y), F.layer_norm(y, y.shape[1:]))]
    else:
        mistakes += [(other(norm(y)), NORM_TOO_MUCH) for other, _ in [(right, ""), *wrong]]
    mistakes += [(norm(other(y)), NORM_LATE.format(name=activation)) for other, _ in [(right, ""), *wrong]]
    expected = then(right(inner(y)))
    entered = entered.reshape_as(expected) if entered.numel() == expected.numel() else entered
    steps = ", ".join(step for step in ("batch norm" if normed else "", activation, words) if step)
    try:
        compare(entered, expected, [(then(value), hint) for value, hint in mistakes],
                [BETWEEN.format(k=k, steps=steps)], 1e-3)
    except Wrong as wrong:
        raise Wrong(f"{place}: {wrong.expected}", f"{place}: {wrong.found}", *wrong.hints) from None
