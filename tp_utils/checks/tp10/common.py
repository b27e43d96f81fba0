"""What the checks of TP 10 share: networks that are told a label."""

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, run, same
from ..kit.layers import SLOPED
from ..kit.networks import normal

# What is said to the reader.
NO_LAYERS = "no weights are found: make the layers attributes of self; a list of them is an nn.ModuleList"
ARGUMENT = "one of the sizes does not follow the argument `{name}`"
ERRORS = {  # a piece of the message, and what is behind it
    "expected input[": "a convolution gets another number of channels than it was made for: y has the network's "
                       "own `classes`; behind the concatenation, there is the sum of both",
    "must have the same dtype": "integers reach a layer: turn the labels into one-hot float32 first",
    "expected scalar type": "integers reach a layer: turn the labels into one-hot float32 first",
    "not implemented for 'Long'": "integers reach a layer: turn the labels into one-hot float32 first",
    "Input type": "integers reach a layer: turn the labels into one-hot float32 first",
    "Kernel size can't": "a plane is smaller than the kernel: y's planes are as large as the images",
    "Expected 3D": "one-hot labels [N, classes] lack two axes: label_planes makes [N, classes, size, size]",
    "mat1 and mat2": "a Linear gets another number of values than it was made for: flatten(1) the images or z; "
                     "one-hot y has `classes` columns; behind the concatenation there are sum(doors)",
    "Sizes of tensors must match": "what is concatenated (dim=1) differs along another axis: compare the shapes",
    "same number of dimensions": "the two things to concatenate have different numbers of axes: flatten(1), or "
                                 "label_planes in place of one_hot",
    "invalid for input of size": "a view has the wrong number of entries: what is the shape before it?",
    "Dimension out of range": "an axis is missing: did squeeze() take away the batch axis of a single image?",
}
WIRING = "layers and shape are right, the numbers are not: compare the order of the layers, where batch norm is, the " \
         "activations and the concatenation with the description"
NOT_HOT = "the label does not enter as one-hot: 1 for the label's class, 0 for the others, not the number itself"
Y_IGNORED = "the labels change nothing in the output: where does y enter?"
INPUT_IGNORED = "{name} changes nothing in the output: does it go through its layers?"
OTHER_LABEL = "an image gets another image's label: does y stay in order, one label per image?"
CAT_ORDER = "the two are concatenated in the other order: {name} comes first"
LEAKY = "the activation is LeakyReLU with slope 0.2 (0.01 is PyTorch's default), after every layer but the last"
NO_RANDOM = "two calls in train mode differ: this network has no dropout and draws nothing itself"


# ---- 10.1 and 10.2


def hot(labels, classes):
    return torch.eye(classes, device=labels.device)[labels]


def planes(flat, size):
    return flat[:, :, None, None].expand(-1, -1, size, size)


# ---- what the networks have in common


def take_weights(network, shapes):
    """{layer: its weight, drawn anew}. In place: batch norm scales by 1, and all biases are 0."""
    weights = {}
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim < 2:
                parameter.fill_(parameter.mean().round())  # as drawn, a scale is near 1 and a bias near 0
            else:
                parameter.copy_(normal(*parameter.shape, seed=len(weights)) / parameter[0].numel() ** 0.5)
                name = next((name for name, shape in shapes.items() if shape == tuple(parameter.shape)), len(weights))
                weights[name] = parameter.detach().clone()
    return weights


def shapes_of(network, axes):
    return [tuple(parameter.shape) for parameter in network.parameters() if parameter.ndim == axes]


def fixed_argument(found, shapes, sizes):
    """The name of the argument that seems to have another value than the one it was given."""
    for name, size in sizes.items():
        for value in range(1, 130) if isinstance(size, int) else other_widths(name, size):
            if sorted(shapes(**{**sizes, name: value}).values()) == sorted(found):
                return name
    return None


def other_widths(name, widths):
    """What may stand in place of the argument `doors` or `hidden`: its default values, or one width for all."""
    defaults = {"doors": ((200, 1000), (512, 512)), "hidden": ((1200,), (512, 256))}[name]
    return *defaults, widths[:1] * len(widths), widths[-1:] * len(widths)


def in_out(shape, transposed):
    """{inputs, outputs} of the layer with a weight of that shape."""
    ends = shape[:2] if transposed else shape[1::-1]
    return dict(zip(("inputs", "outputs"), ends, strict=True))


def arrows(shapes, transposed):
    layers = ["{inputs} → {outputs}".format(**in_out(shape, transposed)) for shape in shapes]
    return ", ".join(layers) or "none"


def expect_dependence(network, first, y, other_y, name, random=NO_RANDOM):
    """What the network returns. Raise Wrong if it ignores the labels or the other input, or is random."""
    found = run(network, first, y)
    if not is_finite(found):
        return found
    if not same(run(network, first, y), found):
        raise Wrong("the same output from two calls", "another output", random)
    if same(run(network, first, other_y), found, 1e-6):
        raise Wrong("another output for other labels", "the same output", Y_IGNORED)
    if same(run(network, first.flip(0) + 0.5, y), found, 1e-6):
        raise Wrong(f"another output for another {name}", "the same output", INPUT_IGNORED.format(name=name))
    return found


def is_finite(found):
    return isinstance(found, torch.Tensor) and found.is_floating_point() and bool(torch.isfinite(found).all())


def expect_output(found, right, mistakes):
    """Compare; numbers that no mistake explains come from wrong wiring."""
    if isinstance(found, torch.Tensor) and found.shape == right.shape and found.dtype == right.dtype:
        mistakes = [*mistakes, (found, WIRING)]
    compare(found, right, mistakes, tolerance=1e-3, dtype=torch.float32)


def wrong_codes(y, classes):
    """(float32 [N, classes], hint): what enters in place of one-hot labels."""
    right, numbers = hot(y, classes), y[:, None].float()
    everywhere = numbers.expand_as(right)
    for other in (right * numbers, right * (numbers + 1), everywhere, everywhere / classes):
        yield other, NOT_HOT
    for other in (y.roll(1), y.roll(-1), y.flip(0), y[:1].expand_as(y), y[-1:].expand_as(y)):
        yield hot(other, classes), OTHER_LABEL


# ---- 10.3 and 10.4: convolutions


def leaky(x):
    return torch.where(x > 0, x, 0.2 * x)


WRONG_LEAKY = [F.relu, *(one for one, slope in SLOPED if slope != 0.2)]  # in place of LeakyReLU(0.2)


def labels(values):
    return torch.tensor(values, device=device())
