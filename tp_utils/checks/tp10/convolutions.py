"""Exercises 10.3 and 10.4: the convolutional players."""

import torch
from torch import nn
from torch.nn import functional as F

from ..kit.compare import Wrong, expect_tensor, run
from ..kit.ends import SQUEEZE, wrong_images, wrong_logits
from ..kit.layers import SLOPED
from ..kit.networks import build, normal
from .common import (
    ARGUMENT,
    CAT_ORDER,
    LEAKY,
    NO_LAYERS,
    WRONG_LEAKY,
    arrows,
    expect_dependence,
    expect_output,
    fixed_argument,
    hot,
    in_out,
    labels,
    leaky,
    planes,
    shapes_of,
    take_weights,
    wrong_codes,
)

# What is said to the reader.
KERNEL = "every kernel is 4 × 4"
KIND_G = "this is an ordinary convolution: G enlarges images with nn.ConvTranspose2d"
KIND_D = "this is a transposed convolution: D shrinks images with nn.Conv2d"
NOT_LINEAR = "there is a Linear or Embedding layer: here all layers are convolutions, also that of the label"
BRANCH = "{name} needs a convolution of its own, with channels {inputs} → {outputs}, before the two are concatenated"
JOINT = "the convolution behind the concatenation takes both halves, {inputs} channels, and gives {outputs}"
NEXT = "a layer {inputs} → {outputs} is missing"
GEOMETRY = "another stride or padding in the layer {inputs} → {outputs}: what does the exercise say?"
BIAS = "the layer {inputs} → {outputs} has a bias, which the batch norm behind it takes away again: bias=False"
BRANCH_NORM = "batch norm is missing in a branch: z's and y's convolutions both have one, before ReLU"
NO_BRANCH_NORM = "there is batch norm in a branch: D's first two convolutions (of x and of y) have none"
JOINT_NORM = "batch norm is missing behind the concatenation: the two layers that follow it both have one"
LAST_NORM = "no batch norm behind the very last layer"
LATE_NORM = "batch norm comes before the activation, not after it"
RELU = "G's activation is ReLU, after every batch norm"


def generator_shapes(nz, classes, width, channels):
    ends = {"z": (nz, 2 * width), "y": (classes, 2 * width), "third": (4 * width, 2 * width),
            "fourth": (2 * width, width), "last": (width, channels)}
    return {name: (*end, 4, 4) for name, end in ends.items()}


def discriminator_shapes(classes, width, channels):
    ends = {"x": (width, channels), "y": (width, classes), "third": (4 * width, 2 * width),
            "fourth": (8 * width, 4 * width), "last": (1, 8 * width)}
    return {name: (*end, 4, 4) for name, end in ends.items()}


def expect_convolutions(network, shapes, sizes):
    """Raise Wrong unless the network has these layers; stride, padding and bias where they can be looked up."""
    transposed = shapes is generator_shapes
    right, found = shapes(**sizes), shapes_of(network, 4)
    expected, got = arrows(right.values(), transposed), arrows(found, transposed)
    modules = list(network.modules())
    other, hint = (nn.Conv2d, KIND_G) if transposed else (nn.ConvTranspose2d, KIND_D)
    if wrong := [module for module in modules if isinstance(module, other)]:
        raise Wrong(f"layers {expected}", str(wrong[0]), hint)
    if kernels := {f"{shape[2]} × {shape[3]}" for shape in found} - {"4 × 4"}:
        raise Wrong("kernels of 4 × 4", ", ".join(sorted(kernels)), KERNEL)
    if sorted(found) != sorted(right.values()):
        hints = layer_hints(network, found, shapes, sizes, transposed)
        raise Wrong(f"layers {expected}", f"layers {got}", next(hints, NO_LAYERS))
    for module in modules:
        if not isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            continue
        name = next(name for name, shape in right.items() if shape == tuple(module.weight.shape))
        ends = in_out(right[name], transposed)
        sees_one_pixel = name in (("z", "y") if transposed else ("last",))  # then the stride does not count
        stride, padding = (module.stride, (0, 0)) if sees_one_pixel else ((2, 2), (1, 1))
        if (module.stride, module.padding) != (stride, padding):
            raise Wrong(f"stride {stride[0]}, padding {padding[0]}", str(module), GEOMETRY.format(**ends))
        if module.bias is not None and name in ("third", "fourth", *("zy" if transposed else "")):
            raise Wrong("bias=False", str(module), BIAS.format(**ends))


def layer_hints(network, found, shapes, sizes, transposed):
    if name := fixed_argument(found, shapes, sizes):
        yield ARGUMENT.format(name=name)
    if shapes_of(network, 2):
        yield NOT_LINEAR
    if not found:
        yield NO_LAYERS
    for name, shape in shapes(**sizes).items():
        if shape not in found:
            hint = {"third": JOINT, "fourth": NEXT, "last": NEXT}.get(name, BRANCH)
            yield hint.format(name=name, **in_out(shape, transposed))


def check_10_3(answer):
    """with w = width: z: nz → 2w and y: classes → 2w (4 × 4, stride 1, padding 0), cat([z, y], dim=1); 4w → 2w and 2w
    → w (stride 2, padding 1); all four: bias=False, batch norm, ReLU. Then w → channels, tanh"""
    sizes = {"nz": 5, "classes": 3, "width": 4, "channels": 2}
    network, z, y = build(answer, **sizes).train(), normal(6, 5, 1, 1), labels([2, 0, 1, 1, 2, 0])
    expect_convolutions(network, generator_shapes, sizes)
    weights = take_weights(network, generator_shapes(**sizes))
    found = expect_dependence(network, z, y, (y + 1) % 3, "z")
    code = hot(y, 3)
    last = generated(weights, z, code, end=lambda x: x)
    expect_output(found, last.tanh(), [
        *wrong_images(last),
        *((generated(weights, z, code, **change), hint) for change, hint in [
            *(({"norms": norms}, BRANCH_NORM) for norms in (
                ("third", "fourth"), ("z", "third", "fourth"), ("y", "third", "fourth"), ())),
            *(({"norms": ("z", "y", *norms)}, JOINT_NORM) for norms in ((), ("third",), ("fourth",))),
            ({"norms": ("z", "y", "third", "fourth", "last")}, LAST_NORM), ({"late": True}, LATE_NORM),
            *(({"activation": activation}, RELU) for activation in (*(one for one, _ in SLOPED), lambda x: x)),
            ({"order": "yz"}, CAT_ORDER.format(name="z")),
        ]),
        *((generated(weights, z, code), hint) for code, hint in wrong_codes(y, 3)),
    ])
    network = build(answer, nz=4, classes=7, width=2, channels=1).eval()
    expect_tensor(run(network, normal(1, 4, 1, 1), labels([6])), [1, 1, 32, 32], torch.float32, [SQUEEZE])


def generated(weights, z, code, norms=("z", "y", "third", "fourth"), activation=F.relu, end=torch.tanh, order="zy",
              late=False):
    """What the conditional generator makes of z and one-hot labels in train mode."""
    def layer(x, name, stride=2, padding=1):
        x = F.conv_transpose2d(x, weights[name], stride=stride, padding=padding)
        return norm_and_activate(x, name in norms, activation, late)

    branches = {"z": layer(z, "z", 1, 0), "y": layer(planes(code, 1), "y", 1, 0)}
    x = layer(layer(torch.cat([branches[name] for name in order], 1), "third"), "fourth")
    x = F.conv_transpose2d(x, weights["last"], stride=2, padding=1)
    return end(F.batch_norm(x, None, None, training=True) if "last" in norms else x)


def norm_and_activate(x, norm, activation, late):
    if norm and late:
        return F.batch_norm(activation(x), None, None, training=True)
    return activation(F.batch_norm(x, None, None, training=True) if norm else x)


def check_10_4(answer):
    """with w = width: x: channels → w and y: classes → w (stride 2, padding 1), LeakyReLU(0.2), cat([x, y], dim=1); 2w
    → 4w and 4w → 8w (bias=False, batch norm, LeakyReLU(0.2)); 8w → 1 (stride 1, padding 0), flatten()"""
    sizes = {"classes": 3, "width": 4, "channels": 2}
    network, x, y = build(answer, **sizes).train(), normal(6, 2, 32, 32), labels([2, 0, 1, 1, 2, 0])
    expect_convolutions(network, discriminator_shapes, sizes)
    weights = take_weights(network, discriminator_shapes(**sizes))
    found = expect_dependence(network, x, y, (y + 1) % 3, "x")
    code = hot(y, 3)
    right = judged(weights, x, code)
    expect_output(found, right, [
        *((judged(weights, x, code, **change), hint) for change, hint in [
            *(({"norms": (*branches, "third", "fourth")}, NO_BRANCH_NORM) for branches in ("xy", "x", "y")),
            *(({"norms": norms}, JOINT_NORM) for norms in ((), ("third",), ("fourth",))),
            ({"norms": ("third", "fourth", "last")}, LAST_NORM), ({"late": True}, LATE_NORM),
            *(({"activation": activation}, LEAKY) for activation in (*WRONG_LEAKY, lambda x: x)),
            ({"order": "yx"}, CAT_ORDER.format(name="x")),
        ]),
        *wrong_logits(right), *((judged(weights, x, code), hint) for code, hint in wrong_codes(y, 3)),
    ])
    network = build(answer, classes=7, width=2, channels=1).eval()
    expect_tensor(run(network, normal(1, 1, 32, 32), labels([6])), [1], torch.float32, [SQUEEZE])


def judged(weights, x, code, norms=("third", "fourth"), activation=leaky, order="xy", late=False):
    """The logits of the conditional discriminator for images and one-hot labels in train mode."""
    def layer(x, name):
        return norm_and_activate(F.conv2d(x, weights[name], stride=2, padding=1), name in norms, activation, late)

    branches = {"x": layer(x, "x"), "y": layer(planes(code, 32), "y")}
    x = layer(layer(torch.cat([branches[name] for name in order], 1), "third"), "fourth")
    x = F.conv2d(x, weights["last"])
    return (F.batch_norm(x, None, None, training=True) if "last" in norms else x).flatten()
