"""The checks of TP 9: DCGAN's two networks, their first weights, their losses and one step of each.

The oracles are the layers seen by hooks, statistics of what is drawn, closed forms of the losses (written with
softplus: ln sigmoid(a) = −softplus(−a)) and, for the steps, two small players whose copies in float64 play the same.
"""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from ..runtime import device
from .compare import NO_RETURN, Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import normal

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "9.1": "blocks times [Conv2d(…, 4, stride=2, padding=1, bias=False), BatchNorm2d, LeakyReLU(0.2)], channels "
           "doubling from width; then Conv2d(…, 1, 4), and .flatten() to [N]",
    "9.2": "[ConvTranspose2d(nz, width * 2**(blocks - 1), 4, bias=False), BatchNorm2d, ReLU], then blocks - 1 times "
           "the same with stride=2, padding=1, half the channels; then ConvTranspose2d(width, channels, 4, 2, 1), tanh",
    "9.3": "loop over network.modules(); for each kind of layer nn.init.normal_(module.weight, mean, 0.02), and "
           "nn.init.zeros_(module.bias) where the bias is not None; return network",
    "9.4": "torch.randn with the shape n, nz, 1, 1 and generator=generator, then .to(device)",
    "9.5": "F.binary_cross_entropy_with_logits of the real logits with torch.ones_like, plus the same of the fake "
           "logits with torch.zeros_like",
    "9.6": "F.binary_cross_entropy_with_logits of the fake logits with torch.ones_like: G wants the answer 'real'",
    "9.7": "minus F.binary_cross_entropy_with_logits of the fake logits with torch.zeros_like",
    "9.8": "fake = G(z).detach(); loss = discriminator_loss(D(x), D(fake)); then zero_grad(), backward(), step(), "
           "and return loss.detach()",
    "9.9": "loss = generator_loss(D(G(z))), nothing detached; then zero_grad(), backward(), step(), "
           "and return loss.detach()",
    "9.10": "(1 - share) * z0 + share * z1, with share = k / (steps - 1) for k = 0 … steps - 1; "
            "torch.linspace(0, 1, steps) has these shares",
}

# Errors: a piece of the message, and what is behind it.
ERRORS = {
    "before Module.__init__": "the first line of __init__ is super().__init__()",
    'missing the required "forward"': "the class needs a method forward(self, …), at the same level as __init__",
    "running_mean should contain": "a batch norm has as many channels as the convolution before it puts out",
    "element 0 of tensors": "the loss depends on nothing that learns: too much is detached or under torch.no_grad()",
    "a second time": "the graph is used up after one backward(): compute what you need anew",
    "leaf Variable that requires grad": "in-place changes of weights need torch.no_grad(): nn.init.normal_ does it",
    "size of tensor a": "two tensors that meet differ in length along an axis: in a loss, n may differ from m, so take "
                        "the mean of each half first; on a line, the shares need the latents' axes: .view(-1, 1, 1, 1)",
    "'NoneType' object has no attribute": "something is None there: a layer with bias=False has None as its bias, and "
                                          "a function without `return` gives None",
    "'float' object has no attribute": "a tensor is needed in place of a number: torch.ones_like and torch.zeros_like "
                                       "make targets of the logits' shape",
    "arget size": "the target has the shape of its own logits: torch.ones_like, torch.zeros_like",
    "between 0 and 1": "F.binary_cross_entropy wants probabilities: logits go into F.binary_cross_entropy_with_logits",
}

# 9.1 and 9.2
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

# 9.3
SAME_NETWORK = "return the network that was given: its weights are changed in place"
UNTOUCHED = {
    "convolution": "the convolutions' weights are as before: is isinstance(module, nn.Conv2d) ever true?",
    "nested convolution": "layers inside other modules are not reached: network.modules() goes all the way down, "
                          "network.children() does not",
    "transposed convolution": "the transposed convolutions are as before: nn.ConvTranspose2d is not an nn.Conv2d",
    "batch norm": "the batch norm's weights are as before: what about nn.BatchNorm2d?",
}
CENTRE = {0: "its mean must be 0", 1: "the batch norm's weight is a factor: it is drawn around 1, not around 0"}
CONSTANT = "all its weights are the same: draw each one, nn.init.normal_"
VARIANCE = "0.02 is the standard deviation, not the variance: no square root"
SQUARED = "0.02 is the standard deviation: it is not squared"
OTHER_STD = "the standard deviation must be 0.02"
UNIFORM = "the values are uniform or squeezed into a range: draw them from a normal distribution, and leave them so"
BIAS = "every bias must be 0, the convolutions' and the batch norm's: nn.init.zeros_(module.bias)"
SEEDED = "two layers of the same shape get the same weights: no torch.manual_seed inside the function"
FROZEN = "the weights must remain trainable: requires_grad is now False"

# 9.4
NO_ONES = "G takes images of 1 × 1 pixel: the shape is [n, nz, 1, 1], two axes more"
N_NZ = "n counts the latents, nz is the length of each: n comes first"
REPEATED = "numbers come up again: draw all n · nz of them"
MEAN_STD = "draw from N(0, 1), mean 0 and standard deviation 1, and do not scale"
GLOBAL = "two generators with the same seed must give the same z: draw with generator=generator"
FIXED = "do not seed inside the function: the generator that is given decides"
IN_A_ROW = "two calls with one generator must give different z: do not seed it or copy it"
TO_DEVICE = "the latents are not on the device that was asked for: .to(device)"
DRAW_HERE = "draw on the CPU, where the generator is, then .to(device): other devices draw other numbers, or refuse"

# 9.5, 9.6, 9.7 and, for the same mistakes, 9.8 and 9.9
LABELS = "the labels are swapped: for D, real images have the label 1, generated ones 0"
HALF = "that is half of it: add the two means, without dividing by 2"
JOINT = "that is one mean over all n + m logits: take the mean of each half, then add them"
SUM = "that is a sum over the images: take the mean"
ONLY_REAL = "the generated images are missing: their logits have the target 0"
ONLY_FAKE = "the real images are missing: their logits have the target 1"
DIFFERENCE = "the two halves are added, both with a minus sign before the logarithm"
SIGN = "the sign is wrong: a minus sign stands before the logarithm"
TWICE = "the sigmoid is applied twice: binary_cross_entropy_with_logits takes the logits themselves"
NO_LOG = "the logarithm is missing: −mean ln D(x̃), where ln D(x̃) is the logarithm of a sigmoid"
CRITIC = "the logits' mean is the loss of a Wasserstein GAN: here, the logarithm of their sigmoid counts"
LOG_OF_LOGITS = "NaN: the logarithm of a logit, which may be negative? D(x) is the sigmoid of the logit"
SATURATING = "that is the saturating loss, mean ln(1 − D(x̃)): take −mean ln D(x̃)"
FOR_D = "that is what D minimises on generated images: G wants D's answer 'real', the target 1"
NOT_SATURATING = "that is the non-saturating loss, −mean ln D(x̃): here G minimises mean ln(1 − D(x̃))"
PLUS = "the sign is wrong: binary cross-entropy with the target 0 is −mean ln(1 − D(x̃)), here there is no minus sign"
EACH = "a scalar, not one loss per image: take the mean"
EXTREME = "right for small logits, not for large ones: a sigmoid rounds to 0 or 1, and exp overflows; " \
          "F.binary_cross_entropy_with_logits does both at once"
LOSS_CUT = "the loss has no gradient, so nothing can be trained with it: no .item(), no .detach(), no torch.no_grad()"
LOSS_GRADIENT = "the value is right, the gradient is not: is something detached or rounded on the way?"

# 9.8 and 9.9
OTHER_MOVED = {
    "9.8": "G's weights have moved: only optimiser_D makes a step here",
    "9.9": "D's weights have moved: only optimiser_G makes a step here",
}
DETACH = "the gradient went through to G: detach its images, D(fake.detach()), or make them under torch.no_grad()"
CLEARED = "G's gradients were there before and have changed: neither backward() nor zero_grad() may reach G here"
NEW_Z = "G did not get the z that was given: use it, do not draw a new one"
EVAL = "a network ran in eval mode: both play in train mode, as they come, so leave their mode alone"
ONE_BATCH = "D sees real and generated images in one batch, and its batch norm would mix them: call D twice"
AFTER = "that is the loss after the update: return the one that was differentiated"
LEFT_OVER = "the gradient that was left over from before is still in it: zero_grad() before backward()"
CLEARED_LATE = "there was a gradient, but no step: zero_grad() comes before backward(), then step(); is one missing?"
UNREACHED = {
    "9.8": "no gradient is computed: call backward() on the loss, then the optimiser's step()",
    "9.9": "no gradient reaches G: do not detach G(z) here, D's answer must go back through D to G by backward()",
}
ASCENT = "the step goes uphill: minimise the loss, without a minus sign before it"
PART = "the loss is right, but the step is that of another one: "
STEPS = "the update is not that of one step of the optimiser: call step() once, and zero_grad() before each backward()"
RESTORE = "requires_grad of some weights is not what it was: turn it on again before you return"
MODE = "a network is left in another mode: leave train() and eval() alone"
ATTACHED = "the value is right, but the loss still carries its graph, which keeps memory: .detach() it"
NUMBER = "return the loss as a tensor: loss.detach(), not loss.item()"

# 9.10
SPHERICAL = "that is the arc of a circle (spherical): here a straight line, (1 - share) * z0 + share * z1"
NO_ENDS = "the ends are missing: the first latent is z0 itself, the last one z1"
NO_END = "z1 is missing at the end: the last share is 1, so divide by steps - 1"
NO_START = "z0 is missing at the start: the first share is 0"
BACKWARDS = "it runs from z1 to z0: share 0 must give z0"
MORE = "`steps` counts the latents, both ends included: yours has {}"
ONE_WEIGHT = "z0 must fade out while z1 comes in: its factor is 1 - share"
LATENT_AXES = "each latent keeps its shape [nz, 1, 1], behind the axis of the steps: [steps, nz, 1, 1]"
LIST = "a list of latents: torch.stack makes one tensor of it"
WITH_Z0 = "the result belongs on z0's device: make what you add to it with device=z0.device"

WRONG_D = [  # (what is computed by mistake from the real and the fake logits, its hint)
    (lambda real, fake: F.softplus(real).mean() + F.softplus(-fake).mean(), LABELS),
    (lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2, HALF),
    (lambda real, fake: F.softplus(torch.cat([-real, fake])).mean(), JOINT),
    (lambda real, fake: F.softplus(torch.cat([-real, fake])).sum(), SUM),
    (lambda real, fake: F.softplus(-real).mean(), ONLY_REAL),
    (lambda real, fake: F.softplus(-real).mean() + F.softplus(-fake).mean(), LABELS),
    (lambda real, fake: F.softplus(real).mean() + F.softplus(fake).mean(), LABELS),
    (lambda real, fake: F.softplus(fake).mean(), ONLY_FAKE),
    (lambda real, fake: F.softplus(-real).mean() - F.softplus(fake).mean(), DIFFERENCE),
    (lambda real, fake: F.softplus(fake).mean() - F.softplus(-real).mean(), DIFFERENCE),
    (lambda real, fake: -F.softplus(-real).mean() - F.softplus(fake).mean(), SIGN),
    (lambda real, fake: F.softplus(-real.sigmoid()).mean() + F.softplus(fake.sigmoid()).mean(), TWICE),
    (lambda real, fake: fake.mean() - real.mean(), CRITIC),
]
WRONG_G = [  # the same from the fake logits, for the non-saturating loss
    (lambda fake: -F.softplus(fake).mean(), SATURATING),
    (lambda fake: F.softplus(fake).mean(), FOR_D),
    (lambda fake: -F.softplus(-fake).mean(), SIGN),
    (lambda fake: F.softplus(-fake).sum(), SUM),
    (lambda fake: F.softplus(-fake.sigmoid()).mean(), TWICE),
    (lambda fake: -fake.sigmoid().mean(), NO_LOG),
    (lambda fake: (1 - fake.sigmoid()).mean(), NO_LOG),
    (lambda fake: -fake.mean(), CRITIC),
]
WRONG_SATURATING = [
    (lambda fake: F.softplus(-fake).mean(), NOT_SATURATING),
    (lambda fake: F.softplus(fake).mean(), PLUS),
    (lambda fake: -F.softplus(-fake).mean(), "that is mean ln D(x̃): take the logarithm of 1 − D(x̃)"),
    (lambda fake: -F.softplus(fake).sum(), SUM),
    (lambda fake: -F.softplus(fake.sigmoid()).mean(), TWICE),
    (lambda fake: -fake.sigmoid().mean(), "the logarithm is missing: mean ln(1 − D(x̃))"),
    (lambda fake: (1 - fake.sigmoid()).mean(), "the logarithm is missing: mean ln(1 − D(x̃))"),
    (lambda fake: -fake.mean(), CRITIC),
]


def run(answer, *arguments, **named):
    """What the answer returns; usual errors get their hint."""
    try:
        return answer(*arguments, **named)
    except (RuntimeError, ValueError, AttributeError, NotImplementedError) as error:
        for piece, hint in ERRORS.items():
            if piece in str(error):
                raise Wrong("a result", f"{type(error).__name__}: {str(error).splitlines()[0]}", hint) from error
        raise


# ---- 9.1 and 9.2: the convolutions are seen by hooks, what is between them is computed anew from their outputs


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


# ---- 9.3 and 9.4: statistics of what is drawn


def check_9_3(answer):
    layers = {
        "convolution": nn.Conv2d(8, 64, 4),
        "nested convolution": nn.Conv2d(8, 64, 4, bias=False),
        "transposed convolution": nn.ConvTranspose2d(64, 8, 4),
        "batch norm": nn.BatchNorm2d(4096),
    }
    first, *others = layers.values()
    network = nn.Sequential(first, nn.ReLU(), nn.Sequential(*others, nn.ConvTranspose2d(8, 2, 4, bias=False)))
    network.to(device())
    for parameter in network.parameters():
        nn.init.constant_(parameter, 3.0)
    found = run(answer, network)
    if found is not network:
        raise Wrong("the network", describe(found) if not isinstance(found, nn.Module) else "another network",
                    NO_RETURN if found is None else SAME_NETWORK, RECIPE["9.3"])
    for name, layer in layers.items():
        if torch.equal(layer.weight, torch.full_like(layer.weight, 3)):
            raise Wrong(f"weights of the {name} drawn anew", "the weights as before", UNTOUCHED[name], RECIPE["9.3"])
        expect_normal(f"{name}: ", layer.weight, float(name == "batch norm"), 0.02, RECIPE["9.3"])
    for name, layer in layers.items():
        if layer.bias is not None and layer.bias.any():
            raise Wrong(f"{name}: bias 0", describe(layer.bias), BIAS, RECIPE["9.3"])
    if same(layers["convolution"].weight, layers["nested convolution"].weight):
        raise Wrong("other weights in each layer", "the same weights", SEEDED, RECIPE["9.3"])
    kept = layers["convolution"].weight.detach().clone()
    run(answer, network)
    if same(layers["convolution"].weight, kept):
        raise Wrong("other weights at each call", "the same weights", SEEDED, RECIPE["9.3"])
    if not all(parameter.requires_grad for parameter in network.parameters()):
        raise Wrong("weights with requires_grad=True", "requires_grad=False", FROZEN)


def expect_normal(where, values, mean, std, recipe):
    """Mean, standard deviation and kurtosis (3, for uniform numbers 1.8) of what was drawn. Needs 4000 numbers."""
    values = values.detach().cpu().double()
    found_mean, found_std = values.mean().item(), values.std().item()
    kurtosis = ((values - found_mean) / max(found_std, 1e-12)).pow(4).mean()
    expected = f"{where}mean {mean:g}, standard deviation {std:g}"
    found = f"{where}mean {found_mean:.2g}, standard deviation {found_std:.2g}"
    if found_std < 1e-6:
        raise Wrong(expected, found, CONSTANT, recipe)
    if kurtosis < 2.4:
        raise Wrong(expected, f"{found}, not normal", UNIFORM, recipe)
    if abs(found_std / std - 1) > 0.08:
        hints = [hint for wrong, hint in ((std**0.5, VARIANCE), (std**2, SQUARED)) if abs(found_std / wrong - 1) < 0.08]
        raise Wrong(expected, found, *(hints or [OTHER_STD if std != 1 else MEAN_STD]), recipe)
    if abs(found_mean - mean) > 0.1 * std:
        raise Wrong(expected, found, CENTRE[int(mean)], recipe)


def check_9_4(answer):
    def latents(n, nz, seed, where=None):
        return run(answer, n, nz, torch.Generator().manual_seed(seed), where or device())

    found = latents(3, 5, 0)
    shapes = {(3, 5): NO_ONES, (3, 5, 1): NO_ONES, (5, 3, 1, 1): N_NZ, (5, 3): N_NZ}
    hints = [shapes[found.shape]] if isinstance(found, torch.Tensor) and found.shape in shapes else []
    expect_tensor(found, [3, 5, 1, 1], torch.float32, [*hints, RECIPE["9.4"]])
    found = latents(64, 100, 0)
    expect_tensor(found, [64, 100, 1, 1], torch.float32, [RECIPE["9.4"]])
    if found.unique().numel() < 6000:
        raise Wrong("6400 different numbers", f"{found.unique().numel()}", REPEATED, RECIPE["9.4"])
    expect_normal("", found, 0, 1, RECIPE["9.4"])
    if not same(latents(64, 100, 0), found):
        raise Wrong("the same z from two generators with the same seed", "different z", GLOBAL, RECIPE["9.4"])
    if same(latents(64, 100, 1), found):
        raise Wrong("another z with another seed of the generator", "the same z", FIXED, RECIPE["9.4"])
    generator = torch.Generator().manual_seed(0)
    if same(run(answer, 3, 5, generator, device()), run(answer, 3, 5, generator, device())):
        raise Wrong("other latents at the second call", "the same latents", IN_A_ROW, RECIPE["9.4"])
    state = generator.get_state()
    found = run(answer, 3, 5, generator, torch.device("meta"))  # stands for any device that is not the CPU
    if found.device.type != "meta":
        raise Wrong("latents on the device meta", f"latents on {found.device.type}", TO_DEVICE, RECIPE["9.4"])
    if torch.equal(state, generator.get_state()):
        raise Wrong("numbers drawn on the CPU", "numbers drawn on the device", DRAW_HERE, RECIPE["9.4"])


# ---- 9.5, 9.6 and 9.7: losses in closed form


def check_9_5(answer):
    expect_loss("9.5", answer, loss_of_D, WRONG_D, [2 * normal(7), 2 * normal(4, seed=1) - 1])
    expect_large("9.5", answer, loss_of_D, 2)


def check_9_6(answer):
    expect_loss("9.6", answer, loss_of_G, WRONG_G, [2 * normal(7) - 1])
    expect_large("9.6", answer, loss_of_G, 1)


def check_9_7(answer):
    expect_loss("9.7", answer, saturating_loss_of_G, WRONG_SATURATING, [2 * normal(7) - 1])
    expect_large("9.7", answer, saturating_loss_of_G, 1)


def loss_of_D(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def loss_of_G(fake):
    return F.softplus(-fake).mean()


def saturating_loss_of_G(fake):
    return -F.softplus(fake).mean()


def expect_loss(exercise, answer, loss, wrong_losses, logits):
    """The value and the gradient of a loss at some logits."""
    exact = [one.detach().cpu().double().requires_grad_() for one in logits]
    leaves = [one.clone().requires_grad_() for one in logits]
    given = [one.clone() for one in leaves]
    found, right = run(answer, *given), loss(*exact).float()
    for before, after in zip(logits, given, strict=True):
        expect_unchanged(before, after.detach(), "a tensor of logits")
    if isinstance(found, torch.Tensor):
        if not found.isfinite().all():
            raise Wrong(describe(right), describe(found), LOG_OF_LOGITS, RECIPE[exercise])
        if found.shape in {one.shape for one in logits}:
            raise Wrong(describe(right), describe(found), EACH, RECIPE[exercise])
    elif isinstance(found, float):
        raise Wrong("a tensor that has a gradient", describe(found), LOSS_CUT)
    compare(found, right, [(one(*exact), hint) for one, hint in wrong_losses], [RECIPE[exercise]], dtype=torch.float32)
    if not found.requires_grad:
        raise Wrong("a loss that has a gradient", "requires_grad=False", LOSS_CUT)
    expect_gradients(found, right, leaves, exact, LOSS_GRADIENT, RECIPE[exercise])


def expect_large(exercise, answer, loss, count):
    """The same where exp overflows, or where a sigmoid in float32 is 0 or 1."""
    logits = [torch.tensor(values) for values in ([100.0, -100.0, 30.0, -20.0], [40.0, -100.0, 100.0])][:count]
    exact = [one.double().requires_grad_() for one in logits]
    leaves = [one.to(device()).requires_grad_() for one in logits]
    found, right = run(answer, *(one.clone() for one in leaves)), loss(*exact).float()
    if not same(found, right):
        raise Wrong(f"{describe(right)} for logits of ±100", describe(found), EXTREME, RECIPE[exercise])
    expect_gradients(found, right, leaves, exact, EXTREME, RECIPE[exercise])


def expect_gradients(found, right, leaves, exact, *hints):
    gradients = torch.autograd.grad(found, leaves, allow_unused=True)
    expected = torch.autograd.grad(right, exact)
    for gradient, one in zip(gradients, expected, strict=True):
        if gradient is None or not same(gradient, one):
            raise Wrong(f"the loss' gradient: {describe(one)}", describe(gradient), *hints)


# ---- 9.8 and 9.9: two small players, and their copies in float64


class Player(nn.Module):
    """A small network that remembers what it was given, and in which mode."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.seen = []

    def forward(self, x):
        self.seen.append((x.detach().clone(), self.training))
        return self.layers(x)


def game():
    """(D without batch norm, G with it, x, z) on the device, in train mode, with gradients left over."""
    torch.manual_seed(2)  # no gradient so small that Adam would amplify its rounding
    D = Player(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 1), nn.Flatten(0))
    G = Player(nn.Flatten(), nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 12), nn.Tanh(),
               nn.Unflatten(1, (1, 3, 4)))
    nn.init.normal_(D.layers[3].weight)  # logits that differ from image to image
    for player in (D, G):
        for parameter in player.to(device()).parameters():
            parameter.grad = torch.full_like(parameter, LEFT)
    return D, G, normal(BATCH, 1, 3, 4), normal(BATCH, 4, 1, 1, seed=1)


BATCH, LEFT, RATE = 6, 50.0, 0.1  # images, the gradient that is left over, the learning rate


def twins_of(*networks):
    """Copies of networks in float64 on the CPU."""
    return [copy.deepcopy(network).cpu().double().requires_grad_() for network in networks]


def weights(network):
    return parameters_to_vector(network.parameters()).detach().cpu().double()


def gradient(loss, network):
    """d loss / d weights, as one vector."""
    return parameters_to_vector(torch.autograd.grad(loss, list(network.parameters()), retain_graph=True))


def check_9_8(answer):
    def losses(D, G, x, z, *functions):
        real, fake = D(x.cpu().double()), D(G(z.cpu().double()).detach())
        return [function(real, fake) for function in functions]

    expect_step("9.8", answer, losses, loss_of_D, WRONG_D)
    D, G, x, z = game()  # the gradients of G are None this time
    G.zero_grad()
    run(answer, D, G, x, z, torch.optim.SGD(D.parameters(), RATE))
    if any(parameter.grad is not None for parameter in G.parameters()):
        raise Wrong("no gradient in G", "a gradient in G", DETACH, RECIPE["9.8"])


def check_9_9(answer):
    def losses(D, G, x, z, *functions):
        fake = D(G(z.cpu().double()))
        return [function(fake) for function in functions]

    expect_step("9.9", lambda D, G, x, z, optimiser: answer(D, G, z, optimiser), losses, loss_of_G, WRONG_G)


def expect_step(exercise, answer, losses, loss, wrong_losses):
    """One step of SGD, then two of Adam.

    losses:  (D, G, x, z, *functions of the logits) → their values on copies in float64
    """
    D, G, x, z = game()
    twins, inputs, reached = twins_of(D, G), (x.clone(), z.clone()), []
    mine, other = (D, G) if exercise == "9.8" else (G, D)
    twin, name = (twins[0], "D") if exercise == "9.8" else (twins[1], "G")
    before = weights(mine), weights(other)
    for parameter in mine.parameters():
        parameter.register_hook(lambda gradient: reached.append(True))
    found = run(answer, D, G, x, z, torch.optim.SGD(mine.parameters(), RATE))
    for one, left, what in zip(inputs, (x, z), "xz", strict=True):
        expect_unchanged(one, left, what)
    expect_other_untouched(exercise, other, before[1])

    right, *wrong = losses(*twins, x, z, loss, *(one for one, _ in wrong_losses))
    hints = [hint for _, hint in wrong_losses]
    slope = gradient(right, twin).float()
    expect_value(exercise, found, right, [
        *misused(found, D, G, z), *zip(wrong, hints, strict=True),
        *after_update(losses, D, G, x, z, loss),
    ])
    step = ((before[0] - weights(mine)) / RATE).float()
    try:
        compare(step, slope, [
            (0 * slope, CLEARED_LATE if reached else UNREACHED[exercise]),
            *((LEFT + factor * slope, LEFT_OVER) for factor in (1, 0, -1)),
            (-slope, ASCENT), (2 * slope, STEPS),
            *((gradient(one, twin), PART + hint) for one, hint in zip(wrong, hints, strict=True)),
        ], [STEPS, RECIPE[exercise]], 1e-3)
    except Wrong as mistake:
        raise Wrong(f"a step of {name} along {mistake.expected}", mistake.found, *mistake.hints) from None
    expect_as_before(exercise, D, G)
    expect_adam(exercise, answer, losses, loss)


def expect_other_untouched(exercise, other, before):
    if not torch.equal(weights(other), before):
        name = "G" if exercise == "9.8" else "D"
        raise Wrong(f"{name}'s weights as before", "other weights", OTHER_MOVED[exercise], RECIPE[exercise])
    if exercise == "9.8":
        gradients = [parameter.grad for parameter in other.parameters()]
        if any(one is None or not one.any() for one in gradients):
            raise Wrong("G's gradients as before", "no gradients", CLEARED, RECIPE[exercise])
        if any((one != LEFT).any() for one in gradients):
            raise Wrong("G's gradients as before", "other gradients", DETACH, RECIPE[exercise])


def misused(found, D, G, z):
    """(what was found, hint) if a network was used in a way that explains any number."""
    if not all(training for player in (D, G) for _, training in player.seen):
        yield found, EVAL
    if any(given.numel() != z.numel() or not same(given.flatten(), z.flatten()) for given, _ in G.seen):
        yield found, NEW_Z


def after_update(losses, D, G, x, z, loss):
    """The loss of the networks as they are after the step."""
    return [(value, AFTER) for value in losses(*twins_of(D, G), x, z, loss)]


def expect_value(exercise, found, right, mistakes):
    if isinstance(found, float):
        raise Wrong("a tensor", describe(found), NUMBER, RECIPE[exercise])
    compare(found, right.float(), mistakes, [RECIPE[exercise]], dtype=torch.float32)
    if found.requires_grad:
        raise Wrong("a loss without gradient", "requires_grad=True", ATTACHED, RECIPE[exercise])


def expect_as_before(exercise, D, G):
    """Batches, modes and requires_grad of both players, at the end and during the step."""
    if any(len(given) > BATCH for given, _ in D.seen):
        raise Wrong("x and G(z) as two batches", "D called with both together", ONE_BATCH, RECIPE[exercise])
    if not all(parameter.requires_grad for player in (D, G) for parameter in player.parameters()):
        raise Wrong("requires_grad=True, as before", "requires_grad=False", RESTORE, RECIPE[exercise])
    if not all(training for player in (D, G) for _, training in player.seen):
        raise Wrong("networks in train mode", "a network in eval mode", EVAL, RECIPE[exercise])
    if not all(module.training for player in (D, G) for module in player.modules()):
        raise Wrong("networks in train mode, as before", "a network in eval mode", MODE, RECIPE[exercise])


def expect_adam(exercise, answer, losses, loss, rate=0.01):
    """Two steps in a row: the second one must not contain the first one's gradient."""
    D, G, x, z = game()
    twins = twins_of(D, G)
    mine, twin = (D, twins[0]) if exercise == "9.8" else (G, twins[1])
    options = {"lr": rate, "betas": (0.5, 0.999)}
    optimiser, exact_optimiser = (torch.optim.Adam(player.parameters(), **options) for player in (mine, twin))
    start = weights(mine)
    for number in (1, 2):
        run(answer, D, G, x, z, optimiser)
        exact_optimiser.zero_grad()
        losses(*twins, x, z, loss)[0].backward()
        exact_optimiser.step()
        if not same(weights(mine) - start, weights(twin) - start, 1e-2):
            raise Wrong(f"the weights after {number} step(s) of Adam", "other weights", STEPS, RECIPE[exercise])


# ---- 9.10


def check_9_10(answer):
    z0, z1 = normal(7, 1, 1), 2 * normal(7, 1, 1, seed=1)
    for steps in (5, 2):
        expect_line(answer, z0, z1, steps)
    try:
        found = answer(z0.to("meta"), z1.to("meta"), 5)  # stands for any device that is not the CPU
    except (RuntimeError, NotImplementedError) as error:
        first_line = str(error).splitlines()[0]
        raise Wrong("latents on z0's device", f"{type(error).__name__}: {first_line}", WITH_Z0) from None
    if found.device.type != "meta":
        raise Wrong("latents on the device meta, like z0", f"latents on {found.device.type}", WITH_Z0)


def expect_line(answer, z0, z1, steps):
    given = z0.clone(), z1.clone()
    found = run(answer, *given, steps)
    for one, before, what in zip(given, (z0, z1), ("z0", "z1"), strict=True):
        expect_unchanged(before, one, what)
    if isinstance(found, list | tuple):
        raise Wrong(f"one tensor [{steps}, 7, 1, 1]", f"{type(found).__name__} of {len(found)}", LIST, RECIPE["9.10"])

    def line(shares):
        return torch.stack([z0 + share * (z1 - z0) for share in shares])

    angle = torch.arccos((z0 * z1).sum() / z0.norm() / z1.norm())
    k, points = range(steps), line([i / (steps - 1) for i in range(steps)])
    mistakes = [
        (torch.stack([torch.sin((1 - s) * angle) * z0 + torch.sin(s * angle) * z1 for s in
                      (i / (steps - 1) for i in k)]) / torch.sin(angle), SPHERICAL),
        (line([(i + 1) / (steps + 1) for i in k]), NO_ENDS), (line([(i + 0.5) / steps for i in k]), NO_ENDS),
        (line([i / steps for i in k]), NO_END), (line([(i + 1) / steps for i in k]), NO_START),
        (points.flip(0), BACKWARDS),
        *((torch.stack([z0 + i / (steps - 1) * z1 for i in k]), ONE_WEIGHT),
          (torch.stack([i / (steps - 1) * z1 for i in k]), ONE_WEIGHT)),
        *((points.reshape(shape), LATENT_AXES) for shape in ([steps, 7], [steps, 1, 7, 1, 1], [1, steps, 7, 1, 1],
                                                             [1, steps * 7, 1, 1], [steps * 7, 1, 1])),
        *((line([i / divisor for i in range(count)]), MORE.format(count))
          for count in (steps + 1, steps + 2) for divisor in (steps, steps - 1, steps + 1)),
        *((line([i / (count - 1) for i in range(count)]), MORE.format(count))
          for count in {steps + 1, steps + 2, max(2, steps - 1)}),
        (line([i / (steps - 1) for i in k[1:-1]] or [0]), NO_ENDS),
    ]
    compare(found, points, mistakes, [RECIPE["9.10"]], dtype=torch.float32)
