"""The checks of TP 13: blocks and networks with and without shortcuts, augmentation, survival, counts, a split.

The oracles are the layers seen by hooks and put together again by hand, all windows that an image can have, closed
forms, scikit-learn's precision and recall, and the rule of a split put into sets.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..runtime import device
from .compare import NO_RETURN, Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import build, expect_trainable, normal, trace

# What is said to the reader. First what the exercises ask for: the last hint of every mistake.
RECIPE = {
    "13.1": "f = Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, "
            "1, bias=False), BatchNorm2d; return F.relu(f(x) + tp13.shortcut(x, outputs, stride))",
    "13.2": "Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, 1, "
            "bias=False), BatchNorm2d, ReLU",
    "13.3": "Conv2d(3, w, 3, 1, 1, bias=False), BatchNorm2d, ReLU; for group 0, 1, 2 and k = 0 … n − 1 a block(inputs, "
            "w · 2^group, 2 if group > 0 and k == 0 else 1); .mean((2, 3)); Linear(4w, classes)",
    "13.4": "F.pad(images, [padding] * 4); top and left: torch.randint(0, 2 * padding + 1, (N, 1), "
            "generator=generator); rows = top + torch.arange(H), columns = left + torch.arange(W), flipped for half "
            "of the images; index with [N, 1, 1], [N, H, 1], [N, 1, W]",
    "13.5": "[1 - l / L * (1 - last) for l in range(1, L + 1)]",
    "13.6": "in eval mode F.relu(survival * f(x) + shortcut); in train mode F.relu(f(x) + shortcut) if "
            "torch.rand(1).item() < survival, otherwise F.relu(shortcut)",
    "13.7": "in each block total = branch(x) + shortcut(x, …); in the last one of a group total + shortcut(group's "
            "input, channels, the group's stride); in the very last one also + shortcut(what the first layers gave, "
            "4w, 4); x = F.relu(total)",
    "13.8": "right = confusion.diag().double(); precision = right / confusion.sum(0).clamp_min(1), recall = right / "
            "confusion.sum(1).clamp_min(1)",
    "13.9": "regions = positions.unique(); count = round(share * len(regions)), at least 1 and at most len − 1; held = "
            "torch.isin(positions, regions[-count:]); (~held).nonzero().flatten(), held.nonzero().flatten()",
}

# 13.1, 13.2, 13.6
OF_LIST = "layers in a plain Python list are not part of the network: nn.Sequential or nn.ModuleList"
TWO = "two convolutions and no other; a shortcut has no weights (option A)"
UNUSED = "a convolution is made and not used"
INPUT = "the first convolution is given something else than x"
GEOMETRY = "3 × 3 with padding 1; the first convolution has the stride and changes the channels"
MORE_WEIGHTS = "all weights are those of two convolutions and of two nn.BatchNorm2d(outputs)"
BIAS = "bias=False: batch norm follows, which takes a bias away again"
TWO_NORMS = "a batch norm of its own behind each of the two convolutions"
BETWEEN = "between the convolutions: batch norm, then ReLU"
NO_SHORTCUT = "x is not added: relu(f(x) + shortcut of x)"
NO_RELU = "the ReLU at the end is missing"
EARLY_RELU = "ReLU comes after x has been added, not before"
NO_LAST_NORM = "the second batch norm is missing before x is added"
FRONT = "of the new channels half are in front of the old ones and half behind: tp13.shortcut does it"
MINUS = "x is added, not subtracted"
POOLED = "the shortcut takes every stride-th pixel: no pooling"
WITH_SHORTCUT = "x is added: that is the residual block; here it is left out"
TRAIN_MODE = "right in eval mode, not in train mode: the same happens in both, and there is no dropout"

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

# 13.4
NO_WINDOW = "these are not windows of the padded images: rows and columns of a window lie side by side, in order"
REFLECTED = "what comes in from outside is black: F.pad's default, padding with zeros"
UPSIDE_DOWN = "mirror left and right, not upside down"
OTHERS = "the images have changed places: image k of the result comes from image k"
PER_CHANNEL = "the channels of an image have different windows: all three move together"
SAME_WINDOW = "all images have the same window: draw a top and a left for each, torch.randint(…, (N, 1), …)"
TIED = "{} and {} go together: each is drawn for itself"
RANGE = "top and left are each uniform in 0 … 2 · padding, both included"
MIRRORED = "each image is mirrored with probability ½, drawn image by image from the generator"
NEVER = "no image is mirrored: draw for each image whether it is"
ALWAYS = "all images are mirrored: draw for each image whether it is"
GLOBAL = "two generators with the same seed must give the same windows: draw with generator=generator"
SEEDED = "another generator must give other windows: do not seed inside the function"
PADDING = "with padding={} the windows have other places: is the argument used?"

# 13.5
LENGTH = "one probability for each block: L of them"
A_LIST = "return a list of floats"
FROM_ZERO = "the blocks are counted from 1: block 1 has 1 − 1/L · (1 − last), the last one `last`"
BOTH_ENDS = "divide l by L, not l − 1 by L − 1: the first block may be left out too"
DEATH = "that is the probability of being left out"
BACKWARDS = "the first block survives most, the last one least"
ALL_LAST = "it falls linearly from block to block"
TIMES = "that is l/L · last: the decay goes down to `last`, 1 − l/L · (1 − last)"

# 13.6
COMPUTED = "f is computed and thrown away: where the block is left out, no convolution runs"
NEVER_OUT = "the block is never left out in train mode: torch.rand(1) decides at every call"
LEFT_OUT_EVAL = "in eval mode f is never left out"
NOT_SCALED = "in eval mode f(x) is multiplied by survival"
ALL_SCALED = "only f(x) is multiplied by survival, the shortcut counts in full"
INVERTED = "in train mode nothing is scaled: neither divided nor multiplied by survival"
DEATH_RATE = "the block stays with probability survival; here it is left out with that probability"
SHARE = "the block survives in {found:.0%} of the calls, survival is {share:.0%}"
SINGLE = "the whole batch has the block or has it not: one draw for all images"
OUT = "where the block is left out, relu(shortcut of x) remains"
NOT_TORCH = "torch.rand(1) decides, so that a seed fixes what is left out"
NOT_KEPT = "with survival 1 the block is never left out"

# 13.7
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

# 13.8
SWAPPED = "precision and recall have changed places: rows are the true classes, columns the predicted ones"
NAN = "a class that is never predicted has precision 0, not NaN: divide by at least 1"
NAN_RECALL = "a class without images has recall 0, not NaN: divide by at least 1"
PAIR = "return the pair (precision, recall)"
ACCURACY = "divide by the sums of columns and rows, not by the number of all images"
TWICE = "the two are the same: one divides by the columns' sums, the other by the rows'"

# 13.9
MASKS = "return indices, int64: mask.nonzero().flatten()"
IN_BOTH = "a position is in both parts: whole regions are held out"
LOST = "each slice is in one of the two parts, and once"
EXCHANGED = "the larger part is for training, the regions held out are validation: (training, validation)"
FIRST_ONES = "the regions with the largest positions are held out"
OF_TRAINING = "`share` is the share that is held out, not the one for training"
BY_SLICES = "`share` is that of the positions, whatever the number of slices in each"
ROUNDED = "share times the number of distinct positions, rounded to the nearest whole number, is how many are held out"
AT_LEAST = "at least one region is held out, and at least one is kept"


def short(x, channels, stride, front=None):
    """Every stride-th pixel, in the middle of zeros: [N, channels, …]."""
    kept = x[:, :, ::stride, ::stride]
    front = (channels - x.shape[1]) // 2 if front is None else front
    out = x.new_zeros(len(x), channels, *kept.shape[2:])
    out[:, front:front + x.shape[1]] = kept
    return out


# ---- blocks: 13.1, 13.2, 13.6

SIZES = ((4, 4, 1), (4, 10, 2), (4, 8, 1))  # inputs, outputs, stride


def branch_of(network, x, sizes, recipe):
    """f(x) of a block in eval mode and what its second convolution gave; Wrong unless its layers are the right ones."""
    inputs, outputs, stride = sizes
    before = x.clone()
    network.eval()(x)
    expect_unchanged(before, x, "x")
    calls, _ = trace(network, x, nn.Conv2d)
    every = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not every:
        raise Wrong("two convolutions", "none", OF_LIST, recipe)
    if len(calls) != 2 or len(every) != 2:
        raise Wrong("two convolutions", f"{len(every)} made, {len(calls)} used",
                    UNUSED if len(every) == 2 and len(calls) < 2 else TWO, recipe)
    for (layer, *_), right in zip(calls, ((inputs, outputs, stride), (outputs, outputs, 1)), strict=True):
        expect_convolution(layer, right, recipe)
    if not torch.equal(calls[0][1], x):
        raise Wrong("x", describe(calls[0][1]), INPUT, recipe)
    norms = [norm for norm, *_ in trace(network, x, nn.BatchNorm2d)[0]]
    if [norm.num_features for norm in norms] != [outputs, outputs] or norms[0] is norms[1]:
        raise Wrong(f"two batch norms of {outputs} channels", f"{len(set(norms))}", TWO_NORMS, recipe)
    count = sum(weight.numel() for weight in network.parameters())
    if count != 9 * outputs * (inputs + outputs) + 4 * outputs or not all(norm.track_running_stats for norm in norms):
        raise Wrong(f"{9 * outputs * (inputs + outputs) + 4 * outputs} weights", f"{count}", MORE_WEIGHTS, recipe)
    first, second = calls
    if not torch.allclose(second[1], F.relu(norms[0](first[2])), atol=1e-4):
        raise Wrong("batch norm and ReLU between the convolutions", "something else", BETWEEN, recipe)
    return norms[1](second[2]), second[2]


def expect_convolution(layer, right, recipe):
    """Raise Wrong unless a layer has these (inputs, outputs, stride), 3 × 3, padded with zeros, without bias."""
    found = (layer.in_channels, layer.out_channels, layer.stride[0])
    if (found != right or layer.kernel_size != (3, 3) or layer.padding not in ((1, 1), "same")
            or layer.padding_mode != "zeros" or layer.groups != 1):
        raise Wrong("{} → {} channels, stride {}, 3 × 3, padding 1".format(*right), f"{layer}", GEOMETRY, recipe)
    if layer.bias is not None:
        raise Wrong("convolutions without bias", "a bias", BIAS, recipe)


def wrong_sums(f, raw, x, outputs, stride):
    """What typical mistakes make of f(x) and x, with their hints."""
    s = short(x, outputs, stride)
    pooled = short(F.avg_pool2d(x, stride), outputs, 1)
    return [
        (F.relu(f), NO_SHORTCUT), (f + s, NO_RELU), (F.relu(f) + s, EARLY_RELU), (F.relu(f) + F.relu(s), EARLY_RELU),
        (F.relu(raw + s), NO_LAST_NORM), (F.relu(f + short(x, outputs, stride, 0)), FRONT),
        (F.relu(f + short(x, outputs, stride, outputs - x.shape[1])), FRONT), (F.relu(f - s), MINUS),
        (F.relu(f + pooled), POOLED),
    ]


def with_shortcuts(f, raw, x, outputs, stride):
    """The same for a block without a shortcut."""
    s = short(x, outputs, stride)
    return [(f, NO_RELU), (F.relu(f + s), WITH_SHORTCUT), (F.relu(f) + s, WITH_SHORTCUT), (raw.relu(), TWO_NORMS)]


def expect_block(answer, recipe, added, mistakes):
    """Raise Wrong unless a block gives relu(f(x) + added(x, outputs, stride)) in both modes; stride is 1 by default."""
    for inputs, outputs, stride in SIZES:
        network, x = build(answer, recipe, inputs, outputs, stride), normal(3, inputs, 8, 6)
        f, raw = branch_of(network, x, (inputs, outputs, stride), recipe)
        s = added(x, outputs, stride)
        compare(network(x), F.relu(f + s), mistakes(f, raw, x, outputs, stride), [recipe], 1e-3, torch.float32)
        calls, found = trace(network.train(), x, nn.BatchNorm2d)
        compare(found, F.relu(calls[-1][2] + s), [], [TRAIN_MODE, recipe], 1e-3)
        expect_trainable(network, x, recipe)
    branch_of(build(answer, recipe, 4, 4), normal(2, 4, 6, 6), (4, 4, 1), recipe)


def check_13_1(answer):
    expect_block(answer, RECIPE["13.1"], short, wrong_sums)


def check_13_2(answer):
    expect_block(answer, RECIPE["13.2"], lambda *_: 0, with_shortcuts)


def check_13_6(answer):
    recipe = RECIPE["13.6"]
    for (inputs, outputs, stride), survival in zip(SIZES, (0.2, 0.8, 0.6), strict=True):
        network = build(answer, recipe, inputs, outputs, stride, survival=survival)
        x = normal(3, inputs, 8, 6)
        if not all(trace(network.eval(), x, nn.Conv2d)[0] for _ in range(8)):
            raise Wrong("f at each pass in eval mode", "passes without", LEFT_OUT_EVAL, recipe)
        f, raw = branch_of(network, x, (inputs, outputs, stride), recipe)
        s = short(x, outputs, stride)
        compare(network(x), F.relu(survival * f + s), [
            (F.relu(f + s), NOT_SCALED), (survival * F.relu(f + s), ALL_SCALED), (F.relu(f + survival * s), ALL_SCALED),
            (F.relu(f / survival + s), NOT_SCALED), (F.relu((1 - survival) * f + s), NOT_SCALED),
            (F.relu(s), LEFT_OUT_EVAL), *wrong_sums(survival * f, raw, x, outputs, stride),
        ], [recipe], 1e-3, torch.float32)
        expect_survival(network.train(), x, s, survival)
    always = build(answer, recipe, 4, 4).train()  # survival is 1 by default
    if any(not trace(always, normal(3, 4, 8, 6), nn.Conv2d)[0] for _ in range(20)):
        raise Wrong("f at each pass with survival 1, the default", "passes without", NOT_KEPT, recipe)
    expect_trainable(always, normal(3, 4, 8, 6), recipe)


def expect_survival(network, x, s, survival):
    """Raise Wrong unless a block in train mode is left out as often as it should, and is right in both cases."""
    recipe, count, alive, wasted, patterns = RECIPE["13.6"], 200, 0, 0, []
    for _ in range(2):
        torch.manual_seed(0)
        patterns.append([bool(trace(network, x, nn.Conv2d)[0]) for _ in range(30)])
    if patterns[0] != patterns[1]:
        raise Wrong("the same blocks left out after the same torch.manual_seed", "others", NOT_TORCH, recipe)
    for _ in range(count):
        calls, found = trace(network, x, nn.BatchNorm2d)
        out, there = F.relu(s), len(calls) == 2
        alive += there
        if not there:
            compare(found, out, [(s, NO_RELU), (torch.zeros_like(out), OUT), (x, OUT)], [OUT, recipe], 1e-3)
            continue
        f = calls[-1][2]
        if torch.allclose(found, out, atol=1e-4):
            wasted += 1
            continue
        each = [torch.allclose(one, right, atol=1e-3) for one, right in zip(found, F.relu(f + s), strict=True)]
        if any(each) and not all(each):
            raise Wrong("f for all images or for none", "for some", SINGLE, recipe)
        compare(found, F.relu(f + s), [
            (F.relu(survival * f + s), INVERTED), (F.relu(f / survival + s), INVERTED), (F.relu(f) + s, EARLY_RELU),
            (F.relu(f), NO_SHORTCUT), (f + s, NO_RELU),
        ], [recipe], 1e-3)
    if wasted:
        raise Wrong("nothing computed where the block is left out", "two convolutions", COMPUTED, recipe)
    if alive == count:
        raise Wrong(f"left out in {1 - survival:.0%} of the calls", "never", NEVER_OUT, recipe)
    if abs(alive / count - survival) > 0.12:
        swapped = abs(survival - 0.5) > 0.25 and abs(alive / count - (1 - survival)) < 0.1
        raise Wrong(f"there in {survival:.0%} of {count} calls", f"in {alive / count:.0%}",
                    DEATH_RATE if swapped else SHARE.format(found=alive / count, share=survival), recipe)


# ---- networks: 13.3, 13.7


class Probe(nn.Module):
    """A block that remembers how it was asked for."""

    def __init__(self, *sizes, **named):
        if named:
            raise Wrong("block(inputs, outputs, stride)", f"block(…, {', '.join(named)}=…)", POSITIONAL, RECIPE["13.3"])
        super().__init__()
        self.sizes = inputs, outputs, stride = (*sizes, 1)[:3]
        self.mix = nn.Conv2d(inputs, outputs, 1, stride)

    def forward(self, x):
        return self.mix(x).tanh()


def check_13_3(answer):
    recipe = RECIPE["13.3"]
    for n, classes, width, shape in ((3, 7, 4, (16, 12)), (1, 10, 16, (8, 8))):
        options = {} if (classes, width) == (10, 16) else {"classes": classes, "width": width}
        network, x = build(answer, recipe, Probe, n, **options).eval(), normal(3, 3, *shape)
        calls, found = trace(network, x, Probe)
        if not any(isinstance(module, Probe) for module in network.modules()):
            listed = any(isinstance(value, list) for value in vars(network).values())
            raise Wrong(f"{3 * n} blocks", "none", OF_LIST if listed else USE_BLOCK, recipe)
        if len({id(block) for block, *_ in calls}) < len(calls) or any(
                not torch.equal(out, entered) for (_, _, out), (_, entered, _) in pairwise(calls)):
            raise Wrong("each block once, one behind the other", "something else", ORDER, recipe)
        expect_blocks([block.sizes for block, *_ in calls], n, width)
        expect_first(network, x, width, calls[0][1])
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
        expect_one_linear(linear, 4 * width, classes, recipe)
        last = calls[-1][2]
        right = linear[0](last.mean((2, 3)))
        compare(found, right, [
            (linear[0](last.amax((2, 3))), MAXIMUM), (right.softmax(1), SOFTMAX), (right.log_softmax(1), SOFTMAX),
            (linear[0](last.sum((2, 3))), MEAN), (linear[0](last[:, :, 0, 0]), MEAN), (right.relu(), SOFTMAX),
            (right.sigmoid(), SOFTMAX), (right.argmax(1), SOFTMAX),
        ], [MEAN, recipe], 1e-3, torch.float32)
        calls, found = trace(network.train(), x, Probe)
        compare(found, linear[0](calls[-1][2].mean((2, 3))), [], [TRAIN_MODE, recipe], 1e-3)
        expect_trainable(network, x, recipe)


def expect_one_linear(linear, inputs, classes, recipe):
    """Raise Wrong unless there is one linear layer, with a bias."""
    found = [(layer.in_features, layer.out_features, layer.bias is not None) for layer in linear]
    if found != [(inputs, classes, True)]:
        raise Wrong(f"one linear layer, {inputs} → {classes}, with bias", ", ".join(map(str, linear)) or "none",
                    ONE_LINEAR, recipe)


def expect_blocks(found, n, width):
    """Raise Wrong unless blocks of these (inputs, outputs, stride) make up the three groups."""
    recipe, right = RECIPE["13.3"], []
    for group in range(3):
        channels = width * 2**group
        right.append((channels // 2 if group else width, channels, 2 if group else 1))
        right += [(channels, channels, 1)] * (n - 1)
    if len(found) != len(right):
        raise Wrong(f"{len(right)} blocks for n = {n}", f"{len(found)}", BLOCKS, recipe)
    for k, hint in ((slice(0, 2), CHANNELS), (slice(2, 3), STRIDES)):
        if [sizes[k] for sizes in found] != [sizes[k] for sizes in right]:
            raise Wrong(f"blocks {right}", f"{found}", hint, recipe)


def expect_first(network, x, width, entered):
    """Raise Wrong unless the blocks are given what convolution, batch norm and ReLU make of the images."""
    recipe = RECIPE["13.3"]
    calls = [call for call in trace(network, x, nn.Conv2d)[0] if call[0].kernel_size != (1, 1)]
    if len(calls) != 1 or calls[0][0].in_channels != 3:
        raise Wrong("one convolution in front of the blocks", ", ".join(str(layer) for layer, *_ in calls) or "none",
                    FIRST, recipe)
    try:
        expect_convolution(calls[0][0], (3, width, 1), recipe)
    except Wrong as wrong:
        raise Wrong(wrong.expected, wrong.found, FIRST, recipe) from None
    if not torch.equal(calls[0][1], x):
        raise Wrong("the images", describe(calls[0][1]), INPUT, recipe)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    if len(norms) > 1:
        raise Wrong("one batch norm besides the blocks", f"{len(norms)}", ONE_NORM, recipe)
    if not norms or not torch.allclose(entered, F.relu(norms[0](calls[0][2])), atol=1e-4):
        raise Wrong("batch norm and ReLU behind the first convolution", "something else", FIRST_NORM, recipe)


def check_13_7(answer):
    recipe = RECIPE["13.7"]
    for n, classes, width in ((3, 7, 4), (1, 10, 16)):
        options = {} if (classes, width) == (10, 16) else {"classes": classes, "width": width}
        network, x = build(answer, recipe, n, **options).eval(), normal(3, 3, 16, 12)
        calls, found = trace(network, x, (nn.Conv2d, nn.BatchNorm2d))
        layers = ror_layers([layer for layer, *_ in calls], network, n, width)
        linear = [module for module in network.modules() if isinstance(module, nn.Linear)]
        expect_one_linear(linear, 4 * width, classes, recipe)

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
        compare(found, logits(), mistakes, [recipe], 1e-3, torch.float32)
        expect_trainable(network, x, recipe)
        gradients = [torch.autograd.grad(out.sum(), layers[0][0].weight)[0] for out in (network.eval()(x), logits())]
        if not torch.allclose(*gradients, rtol=1e-2, atol=1e-3 * gradients[1].abs().max().item()):
            raise Wrong("the gradient through all shortcuts", "another", CUT_ROOT, recipe)


def ror_layers(used, network, n, width):
    """[(convolution, its batch norm)] in the order of their use; Wrong unless they are those of a ResNet."""
    convolutions, norms = ([layer for layer in used if isinstance(layer, kind)] for kind in (nn.Conv2d, nn.BatchNorm2d))
    recipe, right, inputs = RECIPE["13.7"], [(3, width, 1)], width
    for group in range(3):
        for k in range(2 * n):
            right.append((inputs, width * 2**group, 2 if group and k == 0 else 1))
            inputs = width * 2**group
    found = [(layer.in_channels, layer.out_channels, layer.stride[0]) for layer in convolutions]
    if len(found) < len(right) and any(isinstance(value, list) for module in network.modules()
                                       for name, value in vars(module).items() if not name.startswith("_")):
        raise Wrong(f"{len(right)} convolutions", f"{len(found)}", OF_LIST, recipe)
    if found != right or any(layer.bias is not None or layer.kernel_size != (3, 3) for layer in convolutions):
        raise Wrong(f"{len(right)} convolutions, (inputs, outputs, stride): {right}", f"{len(found)}: {found}",
                    CONVOLUTIONS, recipe)
    kinds = [isinstance(layer, nn.Conv2d) for layer in used]
    if kinds != [True, False] * len(right) or len(set(norms)) != len(right):
        raise Wrong("a batch norm behind each convolution", f"{len(set(norms))} for {len(right)}", NORMS, recipe)
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


# ---- 13.4


def windows(images, padding, mirror=3, **how):
    """All windows of each image, straight and mirrored: [N, 2 (2 padding + 1)², …], by top, left, mirrored."""
    height, width = images.shape[2:]
    padded = F.pad(images.double(), [padding] * 4, **how)
    every = [padded[:, :, top:top + height, left:left + width]
             for top in range(2 * padding + 1) for left in range(2 * padding + 1)]
    return torch.stack([view for window in every for view in (window, window.flip(mirror))], 1)


def places(found, images, padding):
    """(top, left, mirrored) of each image's window, int64 [N] each; Wrong where there is no such window."""
    recipe = RECIPE["13.4"]
    found = found.double()
    fits = (windows(images, padding) == found[:, None]).flatten(2).all(2)
    if not fits.any(1).all():
        def mostly(every, found=found):
            return (every == found[:, None]).flatten(2).all(2).any(1).double().mean() > 0.9

        white = 255 if images.dtype == torch.uint8 else 1
        fills = [{"mode": mode} for mode in ("reflect", "replicate", "circular")] + [{"value": white}]
        every, few = windows(images, padding), found[:4]
        elsewhere = [(every == one).flatten(2).all(2).any(1).nonzero().flatten().tolist() for one in few]
        channels = all(mostly(windows(images[:, k:k + 1], padding), found[:, k:k + 1]) for k in range(images.shape[1]))
        if any(mostly(windows(images, padding, **how)) for how in fills):
            hint = REFLECTED
        elif mostly(windows(images, padding, mirror=2)):
            hint = UPSIDE_DOWN
        elif channels:
            hint = PER_CHANNEL
        else:
            hint = OTHERS if any(elsewhere) else NO_WINDOW
        raise Wrong("windows of the padded images", describe(found), hint, recipe)
    which = fits.double().argmax(1)
    side = 2 * padding + 1
    return which // 2 // side, which // 2 % side, which % 2


def check_13_4(answer):
    recipe, count, padding = RECIPE["13.4"], 240, 4
    shades = torch.randint(1, 255, (count, 2, 7, 9), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    images, before = shades.to(device()), shades.clone().to(device())
    found = answer(images, torch.Generator().manual_seed(0))
    expect_tensor(found, images.shape, images.dtype, (recipe,))
    expect_unchanged(before, images, "images")
    top, left, _ = places(found, images, padding)
    if top.unique().numel() == 1 and left.unique().numel() == 1:
        raise Wrong("a window for each image", "the same for all", SAME_WINDOW, recipe)
    if not torch.equal(found, answer(images, torch.Generator().manual_seed(0))):
        raise Wrong("the same windows from the same generator", "others", GLOBAL, recipe)
    if torch.equal(found, answer(images, torch.Generator().manual_seed(1))):
        raise Wrong("other windows from another generator", "the same", SEEDED, recipe)
    drawn = [places(answer(images, torch.Generator().manual_seed(seed)), images, padding) for seed in (2, 3, 4)]
    expect_fair([torch.cat(parts) for parts in zip(*drawn, strict=True)], padding)
    if torch.equal(drawn[0][2], drawn[1][2]):
        raise Wrong("other images mirrored at each draw", "the same", MIRRORED, recipe)
    few = images[:60, :1].float() / 255
    for other in (2, 1):
        found = answer(few, torch.Generator().manual_seed(2), padding=other)
        expect_tensor(found, few.shape, torch.float32, (recipe,))
        try:
            places(found, few, other)
        except Wrong:
            places(found, few, padding)  # the default instead of the argument
            raise Wrong(f"windows with padding {other}", f"with {padding}", PADDING.format(other), recipe) from None


def expect_fair(drawn, padding):
    """Raise Wrong unless (top, left, mirrored), int64 [n] each, are uniform and independent of each other."""
    recipe, n = RECIPE["13.4"], len(drawn[0])
    for values in drawn[:2]:
        counts, fair = torch.bincount(values, minlength=2 * padding + 1), n / (2 * padding + 1)
        if counts.min() < 0.62 * fair or counts.max() > 1.45 * fair:
            raise Wrong(f"0 … {2 * padding}, each about {fair:.0f} times", f"{counts.tolist()} times", RANGE, recipe)
    share = drawn[2].double().mean().item()
    if not 0.4 < share < 0.6:
        raise Wrong("half of the images mirrored", f"{share:.0%}", {0: NEVER, 1: ALWAYS}.get(share, MIRRORED), recipe)
    likeness = torch.corrcoef(torch.stack(drawn).double())
    for i, j in ((0, 1), (0, 2), (1, 2)):
        if likeness[i, j].abs() > 0.25:
            names = ("top", "left", "the mirror")
            raise Wrong("top, left and mirror drawn each for itself", "together", TIED.format(names[i], names[j]),
                        recipe)


# ---- 13.5


def check_13_5(answer):
    recipe = RECIPE["13.5"]
    for blocks, last in ((5, 0.5), (4, 0.2), (27, 0.5), (1, 0.3)):
        found = answer(blocks, last)
        if found is None:
            raise Wrong(f"a list of {blocks} numbers", "None", NO_RETURN)
        if not isinstance(found, list | tuple | torch.Tensor):
            raise Wrong(f"a list of {blocks} numbers", describe(found), A_LIST, recipe)
        if len(found) != blocks:
            raise Wrong(f"a list of {blocks} numbers", f"{len(found)} numbers", LENGTH, recipe)
        levels = torch.arange(blocks + 1).double() / blocks
        right = 1 - levels[1:] * (1 - last)
        ends = torch.linspace(1, last, blocks).double()
        compare(torch.as_tensor(found).double(), right, [
            (1 - levels[:-1] * (1 - last), FROM_ZERO), (ends, BOTH_ENDS), (1 - right, DEATH),
            (right.flip(0), BACKWARDS), (torch.full_like(right, last), ALL_LAST),
            *((value, TIMES) for value in (1 - levels[1:] * last, levels[1:] * last)), (levels[1:] * (1 - last), DEATH),
        ], [recipe], 1e-6)
    compare(torch.as_tensor(answer(4)).double(), torch.tensor([0.875, 0.75, 0.625, 0.5]).double(), [], [recipe])


# ---- 13.8


def check_13_8(answer):
    from sklearn.metrics import precision_recall_fscore_support

    recipe, generator = RECIPE["13.8"], torch.Generator().manual_seed(0)
    truth = torch.randint(0, 5, (60,), generator=generator)
    truth[truth == 3] = 1  # no image of class 3
    guess = torch.randint(0, 5, (60,), generator=generator)
    guess[:36] = truth[:36]
    guess[guess == 4] = 0  # class 4 is never predicted
    confusion = torch.zeros(5, 5, dtype=torch.int64).index_put_((truth, guess), torch.tensor(1), accumulate=True)
    confusion = confusion.to(device())
    precision, recall = (torch.from_numpy(values) for values in precision_recall_fscore_support(
        truth, guess, labels=range(5), zero_division=0)[:2])
    before, found = confusion.clone(), answer(confusion)
    expect_unchanged(before, confusion, "confusion")
    if isinstance(found, torch.Tensor) and found.shape == (2, 5):
        found = tuple(found)  # it comes apart as a pair does
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("(precision, recall)", describe(found), PAIR, recipe)
    if all(isinstance(value, torch.Tensor) for value in found) and same(*found) and any(
            same(found[0], value) for value in (precision, recall)):
        raise Wrong("two different tensors", "the same twice", TWICE, recipe)
    right, total = confusion.diag().double().cpu(), confusion.sum().item()
    for value, expected, other, hint in ((found[0], precision, recall, NAN), (found[1], recall, precision, NAN_RECALL)):
        if isinstance(value, torch.Tensor) and value.isnan().any():
            raise Wrong("numbers", "NaN", hint, recipe)
        compare(value, expected, [(other, SWAPPED), (right / total, ACCURACY)], [recipe], 1e-6, torch.float64)


# ---- 13.9


def check_13_9(answer):
    recipe = RECIPE["13.9"]
    uneven = torch.tensor([44, 0, 35, 35, 47, 40, 44, 0, 35, 50, 47, 35, 35, 40, 35])  # many, and many slices, at 35
    for positions, share in ((uneven, 1 / 3), (uneven, 0.5), (uneven.flip(0) * 7, 0.3), (uneven, 0.24), (uneven, 0.01),
                             (uneven, 0.99), (torch.tensor([5, 9]), 0.5)):
        positions = positions.to(device())
        before, found = positions.clone(), answer(positions, share)
        expect_unchanged(before, positions, "positions")
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(training, validation)", describe(found), NO_RETURN if found is None else recipe)
        for part in found:
            if not isinstance(part, torch.Tensor) or part.dtype != torch.int64 or part.ndim != 1:
                raise Wrong("int64 [n], indices", describe(part), MASKS, recipe)
        expect_parts(positions, share, *(part.tolist() for part in found))


def expect_parts(positions, share, training, validation):
    """Raise Wrong unless the two lists of indices are whole regions, the last ones held out, as many as asked for."""
    recipe, every = RECIPE["13.9"], positions.tolist()
    regions = sorted(set(every))
    if sorted(training + validation) != list(range(len(every))):
        raise Wrong("each slice in one part", f"{len(training)} + {len(validation)} of {len(every)}", LOST, recipe)
    kept, held = ({every[index] for index in part} for part in (training, validation))
    if kept & held:
        raise Wrong("no position in both parts", f"{sorted(kept & held)} in both", IN_BOTH, recipe)
    count = min(max(1, round(share * len(regions))), len(regions) - 1)
    expected = f"positions {regions[-count:]} held out"
    if held == set(regions[-count:]):
        return
    if count != len(regions) - count and held == set(regions[count - len(regions):]):
        raise Wrong(expected, f"{sorted(held)}", OF_TRAINING, recipe)
    if kept == set(regions[-count:]):
        raise Wrong(expected, f"{sorted(held)}", EXCHANGED, recipe)
    if held == set(regions[:count]):
        raise Wrong(expected, f"{sorted(held)}", FIRST_ONES, recipe)
    if not kept or not held:
        raise Wrong(expected, f"{sorted(held)}", AT_LEAST, recipe)
    if held != set(regions[-len(held):]):
        raise Wrong(expected, f"{sorted(held)}", FIRST_ONES, recipe)
    tails = [set(regions[k:]) for k in range(len(regions) - 1, 0, -1)]
    by_slices = [tail for tail in tails if sum(index in tail for index in every) >= share * len(every) - 1e-6]
    raise Wrong(expected, f"{sorted(held)}", BY_SLICES if held in by_slices[:1] else ROUNDED, recipe)
