"""The checks of TP 10: conditional GANs, in which both players are told the label.

The oracle of a network takes its weights by their shapes and computes by hand what should come out, so that any way of
writing the network will do. The steps are watched by two players with one row of weights per label: their losses and
updates are closed forms.
"""

from functools import wraps
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..runtime import device
from .compare import Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import normal

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "10.1": "F.one_hot(labels, classes) has the right shape; then .float()",
    "10.2": "one_hot(labels, classes) is [N, classes]: add two axes with [:, :, None, None], "
            "then .expand(-1, -1, size, size)",
    "10.3": "with w = width: z: nz → 2w and y: classes → 2w (4 × 4, stride 1, padding 0), cat([z, y], dim=1); "
            "4w → 2w and 2w → w (stride 2, padding 1); all four: bias=False, batch norm, ReLU. Then w → channels, tanh",
    "10.4": "with w = width: x: channels → w and y: classes → w (stride 2, padding 1), LeakyReLU(0.2), "
            "cat([x, y], dim=1); 2w → 4w and 4w → 8w (bias=False, batch norm, LeakyReLU(0.2)); "
            "8w → 1 (stride 1, padding 0), flatten()",
    "10.5": "z.flatten(1): nz → doors[0] and one_hot(y, classes): classes → doors[1], both with LeakyReLU(0.2); "
            "cat([z, y], dim=1); Linear and LeakyReLU(0.2) for each width of hidden; Linear to channels * size * size, "
            "tanh, view(-1, channels, size, size)",
    "10.6": "x.flatten(1): pixels → doors[0], LeakyReLU(0.2), Dropout(dropout); one_hot(y, classes): classes → "
            "doors[1], LeakyReLU(0.2); cat([x, y], dim=1); Linear, LeakyReLU(0.2) and Dropout(dropout) for each width "
            "of hidden; Linear to 1, flatten()",
    "10.7": "fake = G(z, y) without its graph; loss = discriminator_loss(D(x, y), D(fake, y)); zero_grad, backward, "
            "step with optimiser_D; return loss.detach()",
    "10.8": "loss = generator_loss(D(G(z, y), y)); zero_grad, backward, step with optimiser_G; return loss.detach()",
}

DEVICE = "it is on another device than the labels: create tensors with device=labels.device"
LABELS_CHANGED = "labels"

# 10.1, 10.2
LARGEST = "the number of classes is guessed from the largest label: a batch need not hold every class, use `classes`"
FIXED_TEN = "there are always ten classes: use the argument `classes`"
TRANSPOSED = "one row per image, one column per class: yours is the other way round"
NUMBER = "that is the label as a number: a network would take class 9 for nine times class 1. One column per class"
SCALED = "the entry of the label is the label itself: it should be 1, whatever the label"
INVERTED = "ones and zeros have changed places"
OFF_BY_ONE = "the 1 is one column off: label 0 has column 0"
FIRST_ONLY = "all images get the label of the first one: each has its own"
ONE_PLANE = "that is one plane that holds the label's number: make `classes` planes of zeros and ones"
SIZE = "each plane is size × size: `size` is an argument"
CLASSES_LAST = "the classes are the last axis: torch wants [N, classes, size, size]"
ONE_PIXEL = "only one pixel of the label's plane is 1: the whole plane is"
MIXED = "the planes are mixed up: view or reshape after repeat cuts anew; add two axes first, then expand them"
NO_AXES = "the planes have no height and width yet: expand two new axes to size × size"

# Networks
NOT_MODULE = ("a network (an nn.Module)", "it must be a class that inherits from nn.Module")
INIT = "the first line of __init__ is super().__init__()"
NO_LAYERS = "no weights are found: make the layers attributes of self; a list of them is an nn.ModuleList"
ANY_LENGTH = "`hidden` may have any length: write a loop over it"
ARGUMENT = "one of the sizes does not follow the argument `{name}`"
LAYERS = "the layers from inputs to outputs: {layers} (those in a plain list are not found: nn.ModuleList)"
HIDDEN_ORDER = "the hidden layers are in the wrong order: `hidden` goes from the input to the output"
DOORS_ORDER = "the doors have changed places: doors[0] is for {name}, doors[1] for y"
Y_MISSING = "there is no layer for the label: one-hot y goes through a door of its own, {inputs} → {outputs}"
NUMBER_IN = "the label enters as a single number: its door takes one-hot y, {inputs} → {outputs}"
RAW = "{name} is concatenated as it is: first it goes through a door of its own, a Linear {inputs} → {outputs} and " \
      "LeakyReLU(0.2)"
NO_DOORS = "{name} and one-hot y are concatenated as they are: first, each goes through a door of its own, " \
           "a Linear and LeakyReLU(0.2)"
ONE_DOOR = "{name} and y share a door: each goes through one of its own, then the two are concatenated"
PIXELS = "an image has channels · size · size pixels, here {pixels}"
EMBEDDING = "an Embedding starts with other weights than a Linear: y's door is a Linear, of one-hot y"
KERNEL = "every kernel is 4 × 4"
KIND_G = "this is an ordinary convolution: G enlarges images with nn.ConvTranspose2d"
KIND_D = "this is a transposed convolution: D shrinks images with nn.Conv2d"
NOT_LINEAR = "there is a Linear or Embedding layer: here all layers are convolutions, also that of the label"
NOT_CONV = "there is a convolution: this network has fully connected layers only"
BRANCH = "{name} needs a convolution of its own, with channels {inputs} → {outputs}, before the two are concatenated"
JOINT = "the convolution behind the concatenation takes both halves, {inputs} channels, and gives {outputs}"
NEXT = "a layer {inputs} → {outputs} is missing"
GEOMETRY = "another stride or padding in the layer {inputs} → {outputs}: what does the exercise say?"
BIAS = "the layer {inputs} → {outputs} has a bias, which the batch norm behind it takes away again: bias=False"
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
    "element 0 of tensors": "the loss has no graph: the forward pass of the player that learns is not under no_grad",
    "a second time": "each graph can be used for one backward: a single loss, or images anew",
    "only for scalar outputs": "backward() wants one number: the loss is a mean over the images",
    "Dimension out of range": "an axis is missing: did squeeze() take away the batch axis of a single image?",
    "optimizer got an empty": "the optimiser is given: use it, make none of your own",
}

WIRING = "layers and shape are right, the numbers are not: compare the order of the layers, where batch norm is, the " \
         "activations and the concatenation with the description"
NOT_HOT = "the label does not enter as one-hot: 1 for the label's class, 0 for the others, not the number itself"
Y_IGNORED = "the labels change nothing in the output: where does y enter?"
INPUT_IGNORED = "{name} changes nothing in the output: does it go through its layers?"
OTHER_LABEL = "an image gets another image's label: does y stay in order, one label per image?"
CAT_ORDER = "the two are concatenated in the other order: {name} comes first"
NO_TANH = "pixels leave [−1, 1]: the last step is tanh"
NOT_TANH = "the pixels are in [0, 1]: tanh, not sigmoid"
BRANCH_NORM = "batch norm is missing in a branch: z's and y's convolutions both have one, before ReLU"
NO_BRANCH_NORM = "there is batch norm in a branch: D's first two convolutions (of x and of y) have none"
JOINT_NORM = "batch norm is missing behind the concatenation: the two layers that follow it both have one"
LAST_NORM = "no batch norm behind the very last layer"
LATE_NORM = "batch norm comes before the activation, not after it"
NO_NORM_MLP = "there is batch norm, or what comes out depends on the rest of the batch: these networks have none"
RELU = "G's activation is ReLU, after every batch norm"
LEAKY = "the activation is LeakyReLU with slope 0.2 (0.01 is PyTorch's default), after every layer but the last"
LAST_LEAKY = "there is an activation behind the last layer, the logits: leave it out"
DOOR_LEAKY = "LeakyReLU(0.2) is missing in a door: both doors have one"
TWO_LEAKY = "LeakyReLU comes once: in the doors, and not again behind the concatenation"
PIXELS_LEAKY = "there is a LeakyReLU behind the last layer: tanh alone"
SIGMOID = "these are probabilities: D gives logits, the loss has the sigmoid in it"
LOGITS = "one number per image: flatten() the result to [N]"
SQUEEZE = "a single image loses its batch axis: avoid squeeze(), which takes away every axis of size 1"
IMAGE_SHAPE = "the pixels are still in a row: view(-1, channels, size, size)"
NO_RANDOM = "two calls in train mode differ: this network has no dropout and draws nothing itself"
EVAL_DROPOUT = "D still drops units after D.eval(): use nn.Dropout, or F.dropout(…, training=self.training)"
NO_DROPOUT = "nothing is dropped in train mode: nn.Dropout(dropout) after the door of x and every hidden layer"
ONE_DROPOUT = "units are dropped at one place only: after the door of x and after every hidden layer"
DOOR_DROPOUT = "no units of x's door are dropped: dropout follows its LeakyReLU too"
HIDDEN_DROPOUT = "units of some hidden layers are not dropped: dropout follows every one"
Y_DROPOUT = "the label is dropped too: no dropout in y's door, nor behind the concatenation"
LAST_DROPOUT = "dropout follows the door of x and hidden layers only, not the input or the logit"
RATE = "the rate of the dropout is not `dropout`, the probability to be dropped"
RESCALE = "what is not dropped is divided by 1 − dropout in train mode, so that means stay: nn.Dropout does it"
DROPPED = "units dropped: {}"

# Steps
NO_Y = "{name} is called without labels: both players are told y, at every call"
NOT_LABELS = "{name} gets y as int64 [N]: it turns it into one-hot vectors or planes itself"
WRONG_INPUT = "{name} gets something of another shape: D(images, labels), G(latents, labels)"
OWN_Z = "G's images are not made of the z that is given"
G_LABELS = "G is told other labels than y: the same labels, in the same order, as D gets"
NO_REAL = "D does not see the images x as they are"
NO_FAKE = "D does not see what G makes of z and y"
REAL_LABELS = "beside the real images, D gets other labels than y"
FAKE_LABELS = "beside G's images, D gets other labels than those G was told: the same y, not shuffled, not drawn anew"
HALF = "that is half the loss: the two means are added, not averaged"
ONLY_REAL = "that is the loss on real images only: add the loss on G's images"
ONLY_FAKE = "that is the loss on G's images only: add the loss on real images"
TARGETS = "the targets have changed places: 1 for x, 0 for G's images"
G_TARGETS = "that is what D minimises: for G's loss, the target of G's images is 1"
SATURATING = "that is the saturating loss, ln(1 − D(x̃)): take the non-saturating −ln D(x̃)"
SUM = "the loss is a mean over the images, not a sum"
TWICE = "a sigmoid too many: binary_cross_entropy_with_logits takes D's logits as they are"
SIGN = "the sign of the loss: it is minimised, so it has a minus in front of the logarithms"
ATTACHED = "the loss still carries its graph: return loss.detach()"
NOT_TENSOR = "return the loss as a tensor with one number: loss.detach()"
NO_STEP = "{name} has not moved: backward, then optimiser_{name}.step(), and no zero_grad between the two"
CUT_OFF = "G gets no gradient: in its own step, G's images keep their graph (no detach, no no_grad)"
LEFT_OVER = "gradients left over from before are in the update: optimiser_{name}.zero_grad() before backward()"
UPHILL = "{name} moves against its aim: the optimiser minimises the loss that you give to backward()"
TWO_STEPS = "one update, not two: add up both losses, then a single step"
OTHER_UPDATE = "the loss is right, the update is not: it follows the gradient of the whole loss"
OTHER_OPTIMISER = "with Adam the update is another one: leave it to optimiser_{name}.step()"
MOVED = "{name} has moved: this step is the other player's, and the other optimiser's"
NO_DETACH = "G has got gradients: D's loss goes back into G; make the images under no_grad, or detach() them"
CLEARED = "G's gradients were cleared: this step leaves them alone, optimiser_D.zero_grad() clears D's"
ONE_BATCH = "D sees real and generated images in one batch, and its batch norm would mix them: call D twice"
MODE = "{name} ran in eval mode: both play in the mode they are in, so leave train() and eval() alone"
FROZEN = "{name} is left frozen or in another mode (requires_grad, train/eval): put it back as it was"


def without_tf32(check):
    """The check, with exact convolutions on a GPU."""
    @wraps(check)
    def run_check(answer):
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            check(answer)

    return run_check


# ---- 10.1 and 10.2


@without_tf32
def check_10_1(answer):
    for labels, classes in (([2, 0, 3, 0, 1], 6), ([1], 4), ([0, 0, 2], 12)):
        labels = torch.tensor(labels, device=device())
        right = hot(labels, classes)
        found = unchanged(answer, labels, classes)
        compare(found, right, [
            *wrong_classes(labels, classes), (labels, NUMBER), (labels[:, None], NUMBER),
            (right * labels[:, None], SCALED), (1 - right, INVERTED),
            (right.roll(-1, 1), OFF_BY_ONE), (right.roll(1, 1), OFF_BY_ONE),
            (right.T, TRANSPOSED), (right[:1].expand_as(right), FIRST_ONLY),
        ], dtype=torch.float32)
        expect_device(found)


@without_tf32
def check_10_2(answer):
    for labels, classes, size in (([2, 0, 2, 1], 5, 3), ([1], 3, 1), ([0, 2], 12, 4)):
        labels = torch.tensor(labels, device=device())
        flat = hot(labels, classes)
        right, numbers = planes(flat, size), planes(labels[:, None].float(), size)
        corner = F.pad(planes(flat, 1), (0, size - 1, 0, size - 1))
        found = unchanged(answer, labels, classes, size)
        compare(found, right, [
            *((planes(wrong, size), hint) for wrong, hint in wrong_classes(labels, classes)),
            *((numbers / scale, ONE_PLANE) for scale in (1, classes, classes - 1)),
            *((numbers.expand_as(right) / scale, ONE_PLANE) for scale in (1, classes, classes - 1)),
            (right * numbers, SCALED), (1 - right, INVERTED), (right[:1].expand_as(right), FIRST_ONLY),
            (right.permute(0, 2, 3, 1), CLASSES_LAST), (right.transpose(0, 1), TRANSPOSED),
            (flat.repeat(1, size * size).view_as(right), MIXED), (corner, ONE_PIXEL),
            (flat, NO_AXES), (flat[:, :, None], NO_AXES), (planes(flat, 1), SIZE),
            *((planes(flat, other), SIZE) for other in (28, 32, classes, len(labels), size * size)),
        ], dtype=torch.float32)
        expect_device(found)


def hot(labels, classes):
    return torch.eye(classes, device=labels.device)[labels]


def planes(flat, size):
    return flat[:, :, None, None].expand(-1, -1, size, size)


def wrong_classes(labels, classes):
    most = int(labels.max()) + 1
    for number, hint in ((most, LARGEST), (10, FIXED_TEN)):
        if number != classes and most <= number:
            yield hot(labels, number), hint


def unchanged(answer, labels, *rest):
    before = labels.clone()
    found = answer(labels, *rest)
    expect_unchanged(before, labels, LABELS_CHANGED)
    return found


def expect_device(found):
    if found.device.type != device().type:
        raise Wrong(f"on {device().type}", describe(found), DEVICE)


# ---- what the networks have in common


def build(answer, **sizes):
    """The student's network, in train mode."""
    try:
        network = answer(**sizes)
    except AttributeError as error:
        if "before Module.__init__" not in str(error):
            raise
        raise Wrong("a network", f"AttributeError: {error}", INIT) from None
    except (IndexError, ValueError) as error:
        if "hidden" not in sizes:
            raise
        found = f"{type(error).__name__}: {error}"
        raise Wrong(f"a network with hidden={sizes['hidden']}", found, ANY_LENGTH) from None
    if not isinstance(network, nn.Module):
        raise Wrong(NOT_MODULE[0], describe(network), NOT_MODULE[1])
    return network.to(device()).train()


def run(network, first, y):
    """What the network returns; its inputs must stay untouched."""
    before = first.clone(), y.clone()
    found = attempt(network, first, y)
    for old, new in zip(before, (first, y), strict=True):
        expect_unchanged(old, new, "the input")
    return found


def attempt(function, *arguments):
    """What the function returns, with a hint for the errors that are often met."""
    try:
        return function(*arguments)
    except (RuntimeError, TypeError, ValueError, IndexError) as error:
        for piece, hint in ERRORS.items():
            if piece in str(error):
                raise Wrong("a result", f"{type(error).__name__}: {str(error).splitlines()[0]}", hint) from None
        raise


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
    if any(shape[2:] != (4, 4) for shape in found):
        yield KERNEL
    for name, shape in shapes(**sizes).items():
        if shape not in found:
            hint = {"third": JOINT, "fourth": NEXT, "last": NEXT}.get(name, BRANCH)
            yield hint.format(name=name, **in_out(shape, transposed))


@without_tf32
def check_10_3(answer):
    sizes = {"nz": 5, "classes": 3, "width": 4, "channels": 2}
    network, z, y = build(answer, **sizes), normal(6, 5, 1, 1), labels([2, 0, 1, 1, 2, 0])
    expect_convolutions(network, generator_shapes, sizes)
    weights = take_weights(network, generator_shapes(**sizes))
    found = expect_dependence(network, z, y, (y + 1) % 3, "z")
    code = hot(y, 3)
    right = generated(weights, z, code)
    expect_output(found, right, [
        *((generated(weights, z, code, **change), hint) for change, hint in [
            ({"end": lambda x: x}, NO_TANH), ({"end": torch.sigmoid}, NOT_TANH),
            *(({"norms": norms}, BRANCH_NORM) for norms in (
                ("third", "fourth"), ("z", "third", "fourth"), ("y", "third", "fourth"), ())),
            *(({"norms": ("z", "y", *norms)}, JOINT_NORM) for norms in ((), ("third",), ("fourth",))),
            ({"norms": ("z", "y", "third", "fourth", "last")}, LAST_NORM), ({"late": True}, LATE_NORM),
            *(({"activation": activation}, RELU) for activation in (leaky, slightly_leaky, lambda x: x)),
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


def leaky(x):
    return torch.where(x > 0, x, 0.2 * x)


def slightly_leaky(x):
    return torch.where(x > 0, x, 0.01 * x)


def labels(values):
    return torch.tensor(values, device=device())


@without_tf32
def check_10_4(answer):
    sizes = {"classes": 3, "width": 4, "channels": 2}
    network, x, y = build(answer, **sizes), normal(6, 2, 32, 32), labels([2, 0, 1, 1, 2, 0])
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
            *(({"activation": activation}, LEAKY) for activation in (F.relu, slightly_leaky, lambda x: x)),
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


def wrong_logits(right):
    """(result, hint): what is made of the right logits by mistake."""
    for axes in ((1,), (1, 1), (1, 1, 1)):
        yield right.view(-1, *axes), LOGITS
        yield right.sigmoid().view(-1, *axes), SIGMOID
    yield right.sigmoid(), SIGMOID
    for activation in (leaky, slightly_leaky, F.relu):
        yield activation(right), LAST_LEAKY
    yield right.mean(), LOGITS


# ---- 10.5 and 10.6: fully connected layers


def mlp_shapes(name, inputs, classes, doors, hidden, outputs):
    layers = enumerate((after, before) for before, after in pairwise([sum(doors), *hidden, outputs]))
    return {name: (doors[0], inputs), "y": (doors[1], classes), **dict(layers)}


def mlp_generator_shapes(nz, classes, doors, hidden, channels, size):
    return mlp_shapes("z", nz, classes, doors, hidden, channels * size * size)


def mlp_discriminator_shapes(classes, doors, hidden, channels, size):
    return mlp_shapes("x", channels * size * size, classes, doors, hidden, 1)


def expect_linear(network, shapes, sizes):
    """Raise Wrong unless the network has these fully connected layers and no convolution."""
    right, found = shapes(**sizes), shapes_of(network, 2)
    if shapes_of(network, 4):
        raise Wrong("fully connected layers", "a convolution", NOT_CONV)
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm | nn.LayerNorm):
            raise Wrong("no batch norm", str(module), NO_NORM_MLP)
        if isinstance(module, nn.Embedding):
            raise Wrong("a fully connected layer", str(module), EMBEDDING)
    if sorted(found) != sorted(right.values()):
        expected = arrows(right.values(), transposed=False)
        hint = next(linear_hints(found, shapes, sizes), LAYERS.format(layers=expected))
        raise Wrong(f"layers {expected}", f"layers {arrows(found, transposed=False)}", hint)


def linear_hints(found, shapes, sizes):
    if not found:
        yield NO_LAYERS
    for wrong, hint in wrong_layers(shapes, sizes):
        if sorted(found) == sorted(wrong):
            yield hint
    if name := fixed_argument(found, shapes, sizes):
        yield ARGUMENT.format(name=name)
    right, pixels = list(shapes(**sizes).values()), sizes["channels"] * sizes["size"] ** 2
    missing = [shape for shape in right if shape not in found]
    if len(found) == len(right) and len(missing) == 1 and pixels in missing[0]:
        yield PIXELS.format(pixels=pixels)


def wrong_layers(shapes, sizes):
    """(shapes of the weights, hint)."""
    (name, first), (_, of_y), (_, joint), *rest = shapes(**sizes).items()
    rest, inputs, classes = [shape for _, shape in rest], first[1], sizes["classes"]
    ends_of_first, ends_of_y = (in_out(shape, transposed=False) for shape in (first, of_y))

    def layers(*doors, before):
        return [*doors, (joint[0], before), *rest]

    yield layers(first, before=first[0] + classes), RAW.format(name="one-hot y", **ends_of_y)
    yield layers(of_y, before=inputs + of_y[0]), RAW.format(name=name, **ends_of_first)
    yield layers(before=inputs + classes), NO_DOORS.format(name=name)
    for width in (*sizes["doors"], sum(sizes["doors"])):
        yield layers((width, inputs + classes), before=width), ONE_DOOR.format(name=name)
    for before in (first[0], inputs):
        yield layers(*([first] if before == first[0] else []), before=before), Y_MISSING.format(**ends_of_y)
    number = NUMBER_IN.format(**ends_of_y)
    yield layers(first, (of_y[0], 1), before=sum(sizes["doors"])), number
    yield layers(first, before=first[0] + 1), number
    yield layers(before=inputs + 1), number
    hidden = sizes["hidden"]
    yield shapes(**{**sizes, "doors": sizes["doors"][::-1]}).values(), DOORS_ORDER.format(name=name)
    yield shapes(**{**sizes, "hidden": hidden[::-1]}).values(), HIDDEN_ORDER
    for part in ((), *(hidden[:end] for end in range(1, len(hidden))), *(hidden[start:] for start in range(1, 3))):
        yield shapes(**{**sizes, "hidden": part}).values(), ANY_LENGTH


def through(weights, name, first, code, order=1, activations=None):
    """What comes out of the last layer, for one-hot labels. activations: {layer: another one than LeakyReLU(0.2)}."""
    def layer(x, key):
        return (activations or {}).get(key, leaky)(x @ weights[key].T)

    x = torch.cat([layer(first.flatten(1), name), layer(code, "y")][::order], 1)
    last = len(weights) - 3
    for key in range(last):
        x = layer(x, key)
    return x @ weights[last].T


def wrong_mlps(weights, name, first, y):
    """(what comes out of the last layer, hint)."""
    code, doors, hidden = hot(y, 3), (name, "y"), range(len(weights) - 3)
    for activation in (slightly_leaky, F.relu, nothing, torch.tanh):
        for keys in ((*doors, *hidden), doors, *((key,) for key in doors), hidden, *((key,) for key in hidden)):
            hint = DOOR_LEAKY if activation is nothing and set(keys) <= set(doors) else LEAKY
            yield through(weights, name, first, code, activations=dict.fromkeys(keys, activation)), hint
    yield through(weights, name, first, code, activations=dict.fromkeys(doors, lambda x: leaky(leaky(x)))), TWO_LEAKY
    yield through(weights, name, first, code, order=-1), CAT_ORDER.format(name=name)
    for wrong, hint in wrong_codes(y, 3):
        yield through(weights, name, first, wrong), hint


def nothing(x):
    return x


def expect_by_itself(network, first, y, found):
    """Raise Wrong if the output of an image depends on the rest of the batch."""
    other = run(network, torch.cat([first[:3], 2 * first[3:] + 1]), y)
    if is_finite(found) and is_finite(other) and not same(other[:3], found[:3], 1e-3):
        raise Wrong("each image by itself", "an output that depends on the rest of the batch", NO_NORM_MLP)


@without_tf32
def check_10_5(answer):
    sizes = {"nz": 4, "classes": 3, "doors": (5, 7), "hidden": (6, 9, 8), "channels": 2, "size": 5}
    network, z, y = build(answer, **sizes), normal(6, 4, 1, 1), labels([2, 0, 1, 1, 2, 0])
    expect_linear(network, mlp_generator_shapes, sizes)
    weights = take_weights(network, mlp_generator_shapes(**sizes))
    found = expect_dependence(network, z, y, (y + 1) % 3, "z")
    expect_by_itself(network, z, y, found)
    last = through(weights, "z", z, hot(y, 3))
    expect_output(found, last.tanh().view(6, 2, 5, 5), [
        *((raw.tanh().view(6, 2, 5, 5), hint) for raw, hint in wrong_mlps(weights, "z", z, y)),
        (last.view(6, 2, 5, 5), NO_TANH), (last.sigmoid().view(6, 2, 5, 5), NOT_TANH),
        (leaky(last).tanh().view(6, 2, 5, 5), PIXELS_LEAKY),
        *((last.tanh().view(shape), IMAGE_SHAPE) for shape in ((6, 50), (6, 50, 1, 1), (6, 2, 25), (6, 5, 5, 2))),
    ])
    for hidden in ((5,), (7, 9)):
        sizes = {"nz": 3, "classes": 4, "doors": (8, 6), "hidden": hidden, "channels": 1, "size": 6}
        network = build(answer, **sizes).eval()
        expect_linear(network, mlp_generator_shapes, sizes)
        expect_tensor(run(network, normal(1, 3, 1, 1), labels([3])), [1, 1, 6, 6], torch.float32, [IMAGE_SHAPE])


@without_tf32
def check_10_6(answer):
    sizes = {"classes": 3, "doors": (5, 7), "hidden": (6, 9, 8), "channels": 2, "size": 5}
    network, x, y = build(answer, dropout=0.5, **sizes).eval(), normal(6, 2, 5, 5), labels([2, 0, 1, 1, 2, 0])
    expect_linear(network, mlp_discriminator_shapes, sizes)
    weights = take_weights(network, mlp_discriminator_shapes(**sizes))
    found = expect_dependence(network, x, y, (y + 1) % 3, "x", random=EVAL_DROPOUT)
    expect_by_itself(network, x, y, found)
    right = through(weights, "x", x, hot(y, 3)).flatten()
    expect_output(found, right, [
        *wrong_logits(right), *((raw.flatten(), hint) for raw, hint in wrong_mlps(weights, "x", x, y)),
    ])
    expect_dropout(answer)
    network = build(answer, dropout=0.0, **sizes)
    take_weights(network, {})
    if not same(run(network, x, y), right, 1e-3):
        raise Wrong("with dropout=0, the same logits in train mode as in eval mode", "other logits", RATE)
    sizes = {"classes": 4, "doors": (8, 6), "hidden": (5,), "channels": 1, "size": 6}
    network = build(answer, dropout=0.5, **sizes).eval()
    expect_linear(network, mlp_discriminator_shapes, sizes)
    expect_tensor(run(network, normal(1, 1, 6, 6), labels([3])), [1], torch.float32, [SQUEEZE])


PROBES = {  # where units may be dropped: the door that is heard, and the layer that is narrow
    "pixels or logit": ("x", None), "label": ("y", None), "x's door": ("x", "x"), "y's door": ("y", "y"),
    "first hidden layer": ("x", 0), "second": ("x", 1),
}


def expect_dropout(answer, rate=0.4):
    """Raise Wrong unless units are dropped, at this rate, after x's door and the hidden layers, and nowhere else."""
    logits = {place: probe_logits(answer, rate, *probe) for place, probe in PROBES.items()}
    kept = {place: (found != 0).float().mean().item() for place, found in logits.items()}
    dropped = [place for place, share in kept.items() if share < 0.95]
    right = ["x's door", "first hidden layer", "second"]
    if dropped == right:
        if wrong := [kept[place] for place in right if abs(kept[place] - (1 - rate)) > 0.06]:
            raise Wrong(DROPPED.format(f"{rate:.2f} of them"), DROPPED.format(f"{1 - wrong[0]:.2f} of them"), RATE)
        mean = logits["pixels or logit"].mean().item()
        if abs(mean - 1) > 0.1:
            raise Wrong("a mean of 1 with and without dropout", f"{mean:.2f} with dropout", RESCALE)
        return
    if not dropped:
        hint = NO_DROPOUT
    elif "pixels or logit" in dropped:
        hint = LAST_DROPOUT
    elif "label" in dropped or "y's door" in dropped:
        hint = Y_DROPOUT
    elif len(dropped) == 1:
        hint = ONE_DROPOUT
    else:
        hint = DOOR_DROPOUT if "x's door" not in dropped else HIDDEN_DROPOUT
    raise Wrong(DROPPED.format(", ".join(right)), DROPPED.format(", ".join(dropped) or "none"), hint)


def probe_logits(answer, rate, heard, narrow, count=2000):
    """Logits in train mode; without dropout they would be 1.

    All weights are positive, but D hears one door only. A layer of many units is never dropped as a whole, so a 0 comes
    from the narrow layer, which has one unit, or from the input or the logit.
    """
    width = {"x": 60, "y": 70, 0: 80, 1: 90}
    width.update({narrow: 1} if narrow in width else {})
    sizes = {"classes": 3, "doors": (width["x"], width["y"]), "hidden": (width[0], width[1]), "channels": 1, "size": 2}
    network, shapes = build(answer, dropout=rate, **sizes), mlp_discriminator_shapes(**sizes)
    expect_linear(network, mlp_discriminator_shapes, sizes)
    x = torch.zeros(count, 1, 2, 2, device=device())
    x[:, :, 0, 0] = 1
    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim < 2:
                parameter.zero_()
            elif parameter.shape in (shapes["x"], shapes["y"]):
                parameter.fill_(1)  # of all the inputs, one is 1
            elif parameter.shape == shapes[0]:
                halves = parameter.split((width["x"], width["y"]), dim=1)
                for name, half in zip("xy", halves, strict=True):
                    half.fill_((name == heard) / width[name])
            else:
                parameter.fill_(1 / parameter.shape[1])
        return run(network, x, labels([1]).repeat(count))


# ---- 10.7 and 10.8: the steps


IMAGES = 6


class Player(nn.Module):
    """One row of weights per label; it keeps what it is shown, and gradients are left over from before."""

    def __init__(self, name, seed, shape):
        super().__init__()
        self.name, self.shape, self.inputs, self.labels, self.graph = name, shape, [], [], False
        self.weight = nn.Parameter(0.7 * normal(4, 4, seed=seed))
        self.weight.grad = normal(4, 4, seed=seed + 1)
        self.before = self.weight.detach().clone()
        self.left_over = self.weight.grad.clone()

    def keep(self, inputs, y):
        if y is None:
            raise Wrong(f"{self.name} called with labels", "no labels", NO_Y.format(name=self.name))
        if not isinstance(y, torch.Tensor) or y.dtype != torch.int64 or y.ndim != 1:
            raise Wrong("labels int64 [N]", describe(y), NOT_LABELS.format(name=self.name))
        if not isinstance(inputs, torch.Tensor) or inputs.shape != (len(y), *self.shape):
            expected = f"{[len(y), *self.shape]} into {self.name}, with {len(y)} labels"
            raise Wrong(expected, describe(inputs), WRONG_INPUT.format(name=self.name))
        if not self.training:
            raise Wrong(f"{self.name} in train mode, as it was", f"{self.name} in eval mode",
                        MODE.format(name=self.name))
        if len(y) > IMAGES:
            raise Wrong("x and G(z, y) as two batches", f"{len(y)} images together", ONE_BATCH)
        self.graph |= inputs.requires_grad
        self.inputs += inputs.detach().clone().flatten(1)
        self.labels += y.tolist()

    def told(self, thing):
        """The labels that it got beside a thing."""
        thing = thing.flatten()
        return {y for one, y in zip(self.inputs, self.labels, strict=True) if same(one, thing, 1e-5)}


class LinearG(Player):
    """x̃ = row of the label + z."""

    def forward(self, z, y=None):
        self.keep(z, y)
        return (self.weight[y] + z.flatten(1)).view(-1, 1, 2, 2)


class LinearD(Player):
    """logit = row of the label · x."""

    def forward(self, x, y=None):
        self.keep(x, y)
        return (self.weight[y] * x.flatten(1)).sum(1)


class Game:
    """The two players, six images x, labels y, latents z, and in closed form the logits and what D and G should do."""

    def __init__(self):
        self.D, self.G = LinearD("D", 1, (1, 2, 2)).to(device()), LinearG("G", 3, (4, 1, 1)).to(device())
        self.x, self.z = normal(IMAGES, 1, 2, 2, seed=5), normal(IMAGES, 4, 1, 1, seed=6)
        self.y = labels([2, 0, 3, 0, 1, 2])
        self.fake = self.G.before[self.y] + self.z.flatten(1)
        self.real_logits = self.logits(self.x.flatten(1))
        self.fake_logits = self.logits(self.fake)

    def logits(self, images, weight=None):
        return ((self.D.before if weight is None else weight)[self.y] * images).sum(1)

    def by_label(self, rows):
        """The gradient of a mean over the images, from what each image adds to its label's row."""
        return torch.zeros(4, 4, device=device()).index_add(0, self.y, rows) / len(self.y)

    def real_gradient(self):
        return self.by_label(-torch.sigmoid(-self.real_logits)[:, None] * self.x.flatten(1))

    def fake_gradient(self, weight=None):
        return self.by_label(torch.sigmoid(self.logits(self.fake, weight))[:, None] * self.fake)

    def generator_gradient(self):
        return self.by_label(-torch.sigmoid(-self.fake_logits)[:, None] * self.D.before[self.y])

    def expect_told(self, images, missing, mistaken):
        """Raise Wrong unless D got each image's own label beside it."""
        for image, y in zip(images, self.y.tolist(), strict=True):
            found = self.D.told(image)
            if not found:
                raise Wrong("each image and its label given to D", "an image that D has not seen", missing)
            if found != {y}:
                raise Wrong(f"label {y} beside an image", f"label {', '.join(map(str, sorted(found)))}", mistaken)

    def expect_generated(self):
        """Raise Wrong unless G made an image of each z, with the label that belongs to it."""
        if not self.G.inputs:
            raise Wrong("G(z, y)", "G is not called", NO_FAKE)
        for z, y in zip(self.z, self.y.tolist(), strict=True):
            found = self.G.told(z)
            if not found:
                raise Wrong("G(z, y)", "a z that G has not got", OWN_Z)
            if found != {y}:
                raise Wrong(f"label {y} beside a z", f"label {', '.join(map(str, sorted(found)))}", G_LABELS)

    def expect_loss(self, found, right, mistakes):
        if not isinstance(found, torch.Tensor) and found is not None:
            raise Wrong("the loss, a tensor with one number", describe(found), NOT_TENSOR)
        compare(found, right, mistakes, dtype=torch.float32)
        if found.requires_grad:
            raise Wrong("a loss without gradient", "requires_grad=True", ATTACHED)

    def expect_left_alone(self, player):
        name = player.name
        if not torch.equal(player.weight, player.before):
            raise Wrong(f"{name} left as it was", f"other weights of {name}", MOVED.format(name=name))

    def expect_not_frozen(self):
        for player in (self.D, self.G):
            if not (player.training and player.weight.requires_grad):
                raise Wrong(f"{player.name} in train mode, with requires_grad", "another mode",
                            FROZEN.format(name=player.name))


def expect_update(player, rate, gradient, mistakes):
    """Raise Wrong unless the player has made one step of SGD."""
    name, before = player.name, player.before
    compare(player.weight.detach(), before - rate * gradient, [
        (before, NO_STEP.format(name=name)), (before + rate * gradient, UPHILL.format(name=name)),
        *((before - rate * (wrong + player.left_over), LEFT_OVER.format(name=name)) for wrong in (gradient, 0)),
        *mistakes, (player.weight, OTHER_UPDATE),
    ])


def expect_adam(player, rate, gradient):
    """The first step of Adam: the gradient's sign, nearly."""
    right = player.before - rate * gradient / (gradient.abs() + 1e-8)
    compare(player.weight.detach(), right, hints=[OTHER_OPTIMISER.format(name=player.name)])


@without_tf32
def check_10_7(answer, rate=0.5):
    game = Game()
    D, G = game.D, game.G
    found = attempt(answer, D, G, game.x, game.y, game.z, torch.optim.SGD([D.weight], rate))
    game.expect_told(game.x, NO_REAL, REAL_LABELS)
    game.expect_generated()
    game.expect_told(game.fake, NO_FAKE, FAKE_LABELS)
    game.expect_left_alone(G)
    if not same(G.weight.grad if G.weight.grad is not None else 0 * G.weight, G.left_over):
        hint = CLEARED if G.weight.grad is None or not G.weight.grad.any() else NO_DETACH
        raise Wrong("G's gradients left as they were", "other gradients", hint)
    real, fake = F.softplus(-game.real_logits), F.softplus(game.fake_logits)
    probabilities = game.real_logits.sigmoid(), game.fake_logits.sigmoid()
    right, swapped = (real + fake).mean(), F.softplus(game.real_logits) + F.softplus(-game.fake_logits)
    twice = F.softplus(-probabilities[0]) + F.softplus(probabilities[1])
    gradients = game.real_gradient(), game.fake_gradient()
    between = D.before - rate * gradients[0]
    late = F.softplus(game.logits(game.fake, between))
    mistakes = [(right / 2, HALF), (real.mean(), ONLY_REAL), (fake.mean(), ONLY_FAKE), (swapped.mean(), TARGETS),
                (6 * right, SUM), (twice.mean(), TWICE), (-right, SIGN), (right[None], NOT_TENSOR),
                ((real + late).mean(), TWO_STEPS)]
    game.expect_loss(found, right, mistakes)
    expect_update(D, rate, sum(gradients), [
        (D.before - rate * sum(gradients) / 2, HALF), (between, ONLY_REAL), (D.before - rate * gradients[1], ONLY_FAKE),
        (between - rate * game.fake_gradient(between), TWO_STEPS), (between - rate * sum(gradients), TWO_STEPS),
    ])
    game.expect_not_frozen()
    game = Game()
    answer(game.D, game.G, game.x, game.y, game.z, torch.optim.Adam(game.D.parameters(), rate))
    expect_adam(game.D, rate, sum(gradients))


@without_tf32
def check_10_8(answer, rate=0.5):
    game = Game()
    D, G = game.D, game.G
    found = attempt(answer, D, G, game.y, game.z, torch.optim.SGD([G.weight], rate))
    game.expect_generated()
    game.expect_told(game.fake, NO_FAKE, FAKE_LABELS)
    game.expect_left_alone(D)
    loss, other = F.softplus(-game.fake_logits), F.softplus(game.fake_logits)
    right = loss.mean()
    game.expect_loss(found, right, [
        (-other.mean(), SATURATING), (other.mean(), G_TARGETS), (6 * right, SUM), (-right, SIGN),
        (F.softplus(-game.fake_logits.sigmoid()).mean(), TWICE), (right[None], NOT_TENSOR),
    ])
    gradient = game.generator_gradient()
    if not D.graph:
        raise Wrong("G's images with their graph", "images without a graph given to D", CUT_OFF)
    saturated = game.by_label(-torch.sigmoid(game.fake_logits)[:, None] * D.before[game.y])
    expect_update(G, rate, gradient, [(G.before - rate * saturated, SATURATING)])
    game.expect_not_frozen()
    game = Game()
    answer(game.D, game.G, game.y, game.z, torch.optim.Adam(game.G.parameters(), rate))
    expect_adam(game.G, rate, gradient)
