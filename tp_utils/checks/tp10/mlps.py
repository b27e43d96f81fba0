"""Exercises 10.5 and 10.6: the fully connected players."""

from itertools import pairwise

import torch
from torch import nn

from ...runtime import device
from ..kit.compare import Wrong, expect_tensor, run, same
from ..kit.ends import SQUEEZE, wrong_images, wrong_logits
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
    is_finite,
    labels,
    leaky,
    shapes_of,
    take_weights,
    wrong_codes,
)

# What is said to the reader.
ANY_LENGTH = "`hidden` may have any length: write a loop over it"
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
NOT_CONV = "there is a convolution: this network has fully connected layers only"
NO_NORM_MLP = "there is batch norm, or what comes out depends on the rest of the batch: these networks have none"
DOOR_LEAKY = "LeakyReLU(0.2) is missing in a door: both doors have one"
TWO_LEAKY = "LeakyReLU comes once: in the doors, and not again behind the concatenation"
IMAGE_SHAPE = "the pixels are in a row, or in the shape of other images: view(-1, channels, size, size)"
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

PROBES = {  # where units may be dropped: the door that is heard, and the layer that is narrow
    "pixels or logit": ("x", None), "label": ("y", None), "x's door": ("x", "x"), "y's door": ("y", "y"),
    "first hidden layer": ("x", 0), "second": ("x", 1),
}


def of_any_length(answer, **sizes):
    """The student's network, in train mode."""
    try:
        return build(answer, **sizes).train()
    except (IndexError, ValueError) as error:
        found = f"{type(error).__name__}: {error}"
        raise Wrong(f"a network with hidden={sizes['hidden']}", found, ANY_LENGTH) from None


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
    for activation in (*WRONG_LEAKY, nothing, torch.tanh):
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


def check_10_5(answer):
    """z.flatten(1): nz → doors[0] and one_hot(y, classes): classes → doors[1], both with LeakyReLU(0.2); cat([z, y],
    dim=1); Linear and LeakyReLU(0.2) for each width of hidden; Linear to channels * size * size, tanh, view(-1,
    channels, size, size)"""
    sizes = {"nz": 4, "classes": 3, "doors": (5, 7), "hidden": (6, 9, 8), "channels": 2, "size": 5}
    network, z, y = of_any_length(answer, **sizes), normal(6, 4, 1, 1), labels([2, 0, 1, 1, 2, 0])
    expect_linear(network, mlp_generator_shapes, sizes)
    weights = take_weights(network, mlp_generator_shapes(**sizes))
    found = expect_dependence(network, z, y, (y + 1) % 3, "z")
    expect_by_itself(network, z, y, found)
    last = through(weights, "z", z, hot(y, 3))
    expect_output(found, last.tanh().view(6, 2, 5, 5), [
        *((raw.tanh().view(6, 2, 5, 5), hint) for raw, hint in wrong_mlps(weights, "z", z, y)),
        *wrong_images(last.view(6, 2, 5, 5)),
        *((last.tanh().view(shape), IMAGE_SHAPE)
          for shape in ((6, 50), (6, 50, 1, 1), (6, 2, 25), (6, 5, 5, 2), (12, 1, 5, 5))),
    ])
    for hidden in ((5,), (7, 9)):
        sizes = {"nz": 3, "classes": 4, "doors": (8, 6), "hidden": hidden, "channels": 1, "size": 6}
        network = of_any_length(answer, **sizes).eval()
        expect_linear(network, mlp_generator_shapes, sizes)
        expect_tensor(run(network, normal(1, 3, 1, 1), labels([3])), [1, 1, 6, 6], torch.float32, [IMAGE_SHAPE])


def check_10_6(answer):
    """x.flatten(1): pixels → doors[0], LeakyReLU(0.2), Dropout(dropout); one_hot(y, classes): classes → doors[1],
    LeakyReLU(0.2); cat([x, y], dim=1); Linear, LeakyReLU(0.2) and Dropout(dropout) for each width of hidden; Linear to
    1, flatten()"""
    sizes = {"classes": 3, "doors": (5, 7), "hidden": (6, 9, 8), "channels": 2, "size": 5}
    network, x, y = of_any_length(answer, dropout=0.5, **sizes).eval(), normal(6, 2, 5, 5), labels([2, 0, 1, 1, 2, 0])
    expect_linear(network, mlp_discriminator_shapes, sizes)
    weights = take_weights(network, mlp_discriminator_shapes(**sizes))
    found = expect_dependence(network, x, y, (y + 1) % 3, "x", random=EVAL_DROPOUT)
    expect_by_itself(network, x, y, found)
    right = through(weights, "x", x, hot(y, 3)).flatten()
    expect_output(found, right, [
        *wrong_logits(right), *((raw.flatten(), hint) for raw, hint in wrong_mlps(weights, "x", x, y)),
    ])
    expect_dropout(answer)
    network = of_any_length(answer, dropout=0.0, **sizes)
    take_weights(network, {})
    if not same(run(network, x, y), right, 1e-3):
        raise Wrong("with dropout=0, the same logits in train mode as in eval mode", "other logits", RATE)
    sizes = {"classes": 4, "doors": (8, 6), "hidden": (5,), "channels": 1, "size": 6}
    network = of_any_length(answer, dropout=0.5, **sizes).eval()
    expect_linear(network, mlp_discriminator_shapes, sizes)
    expect_tensor(run(network, normal(1, 1, 6, 6), labels([3])), [1], torch.float32, [SQUEEZE])


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
    network, shapes = of_any_length(answer, dropout=rate, **sizes), mlp_discriminator_shapes(**sizes)
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
