"""Exercises 13.1, 13.2, 13.7 and 13.8: blocks, and how often one is left out."""

import torch
from torch import nn
from torch.nn import functional as F

from ..kit.compare import NO_RETURN, Wrong, compare, describe, run
from ..kit.networks import build, expect_trainable, normal, settle, trace
from .common import INPUT, OF_LIST, TRAIN_MODE, expect_convolution, short

# What is said to the reader.

# 13.1, 13.2, 13.8
TWO = "two convolutions and no other; a shortcut has no weights (option A)"
UNUSED = "a convolution is made and not used"
MORE_WEIGHTS = "all weights are those of two convolutions and of two nn.BatchNorm2d(outputs)"
TWO_NORMS = "a batch norm of its own behind each of the two convolutions"
BETWEEN = "between the convolutions: batch norm, then ReLU"
NO_SHORTCUT = "x is not added: relu(f(x) + shortcut of x)"
NO_RELU = "the ReLU at the end is missing"
EARLY_RELU = "ReLU comes after x has been added, not before"
NO_LAST_NORM = "the second batch norm is missing before x is added"
FRONT = "all new channels are in front of the old ones: half of them belong behind, tp13.shortcut does it"
BEHIND = "all new channels are behind the old ones: half of them belong in front, tp13.shortcut does it"
MINUS = "x is added, not subtracted"
POOLED = "the shortcut takes every stride-th pixel: no pooling"
WITH_SHORTCUT = "x is added: that is the residual block; here it is left out"

# 13.7
LENGTH = "one probability for each block: L of them"
A_LIST = "return a list of floats"
FROM_ZERO = "the blocks are counted from 1: block 1 has 1 − 1/L · (1 − last), the last one `last`"
BOTH_ENDS = "divide l by L, not l − 1 by L − 1: the first block may be left out too"
DEATH = "that is the probability of being left out"
BACKWARDS = "the first block survives most, the last one least"
ALL_LAST = "it falls linearly from block to block"
TIMES = "that is l/L · last: the decay goes down to `last`, 1 − l/L · (1 − last)"

# 13.8
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

SIZES = ((4, 4, 1), (4, 10, 2), (4, 8, 1))  # inputs, outputs, stride


# ---- blocks: 13.1, 13.2, 13.8


def branch_of(network, x, sizes):
    """f(x) of a block in eval mode and what its second convolution gave; Wrong unless its layers are the right ones."""
    inputs, outputs, stride = sizes
    run(network.eval(), x)
    calls, _ = trace(network, x, nn.Conv2d)
    every = [module for module in network.modules() if isinstance(module, nn.Conv2d)]
    if not every:
        raise Wrong("two convolutions", "none", OF_LIST)
    if len(calls) != 2 or len(every) != 2:
        raise Wrong("two convolutions", f"{len(every)} made, {len(calls)} used",
                    UNUSED if len(every) == 2 and len(calls) < 2 else TWO)
    for (layer, *_), right in zip(calls, ((inputs, outputs, stride), (outputs, outputs, 1)), strict=True):
        expect_convolution(layer, right)
    if not torch.equal(calls[0][1], x):
        raise Wrong("x", describe(calls[0][1]), INPUT)
    norms = [norm for norm, *_ in trace(network, x, nn.BatchNorm2d)[0]]
    if [norm.num_features for norm in norms] != [outputs, outputs] or norms[0] is norms[1]:
        raise Wrong(f"two batch norms of {outputs} channels", f"{len(set(norms))}", TWO_NORMS)
    count = sum(weight.numel() for weight in network.parameters())
    if count != 9 * outputs * (inputs + outputs) + 4 * outputs or not all(norm.track_running_stats for norm in norms):
        raise Wrong(f"{9 * outputs * (inputs + outputs) + 4 * outputs} weights", f"{count}", MORE_WEIGHTS)
    first, second = calls
    if not torch.allclose(second[1], F.relu(norms[0](first[2])), atol=1e-4):
        raise Wrong("batch norm and ReLU between the convolutions", "something else", BETWEEN)
    return norms[1](second[2]), second[2]


def wrong_sums(f, raw, x, outputs, stride):
    """What typical mistakes make of f(x) and x, with their hints."""
    s = short(x, outputs, stride)
    pooled = short(F.avg_pool2d(x, stride), outputs, 1)
    return [
        (F.relu(f), NO_SHORTCUT), (f + s, NO_RELU), (F.relu(f) + s, EARLY_RELU), (F.relu(f) + F.relu(s), EARLY_RELU),
        (F.relu(raw + s), NO_LAST_NORM), (F.relu(f + short(x, outputs, stride, 0)), BEHIND),
        (F.relu(f + short(x, outputs, stride, outputs - x.shape[1])), FRONT), (F.relu(f - s), MINUS),
        (F.relu(f + pooled), POOLED),
    ]


def with_shortcuts(f, raw, x, outputs, stride):
    """The same for a block without a shortcut."""
    s = short(x, outputs, stride)
    return [(f, NO_RELU), (F.relu(f + s), WITH_SHORTCUT), (F.relu(f) + s, WITH_SHORTCUT), (raw.relu(), TWO_NORMS)]


def expect_block(answer, added, mistakes):
    """Raise Wrong unless a block gives relu(f(x) + added(x, outputs, stride)) in both modes; stride is 1 by default."""
    for inputs, outputs, stride in SIZES:
        network, x = settle(build(answer, inputs, outputs, stride)), normal(3, inputs, 8, 6)
        f, raw = branch_of(network, x, (inputs, outputs, stride))
        s = added(x, outputs, stride)
        compare(network(x), F.relu(f + s), mistakes(f, raw, x, outputs, stride), tolerance=1e-3, dtype=torch.float32)
        calls, found = trace(network.train(), x, nn.BatchNorm2d)
        compare(found, F.relu(calls[-1][2] + s), [], [TRAIN_MODE], 1e-3)
        expect_trainable(network, x)
    branch_of(settle(build(answer, 4, 4)), normal(2, 4, 6, 6), (4, 4, 1))


def check_13_1(answer):
    """f = Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, 1,
    bias=False), BatchNorm2d; return F.relu(f(x) + tp13.shortcut(x, outputs, stride))"""
    expect_block(answer, short, wrong_sums)


def check_13_2(answer):
    """Conv2d(inputs, outputs, 3, stride, 1, bias=False), BatchNorm2d, ReLU, Conv2d(outputs, outputs, 3, 1, 1,
    bias=False), BatchNorm2d, ReLU"""
    expect_block(answer, lambda *_: 0, with_shortcuts)


def check_13_8(answer):
    """in eval mode F.relu(survival * f(x) + shortcut); in train mode F.relu(f(x) + shortcut) if torch.rand(1).item() <
    survival, otherwise F.relu(shortcut)"""
    for (inputs, outputs, stride), survival in zip(SIZES, (0.2, 0.8, 0.6), strict=True):
        network = settle(build(answer, inputs, outputs, stride, survival=survival))
        x = normal(3, inputs, 8, 6)
        if not all(trace(network.eval(), x, nn.Conv2d)[0] for _ in range(8)):
            raise Wrong("f at each pass in eval mode", "passes without", LEFT_OUT_EVAL)
        f, raw = branch_of(network, x, (inputs, outputs, stride))
        s = short(x, outputs, stride)
        compare(network(x), F.relu(survival * f + s), [
            (F.relu(f + s), NOT_SCALED), (survival * F.relu(f + s), ALL_SCALED), (F.relu(f + survival * s), ALL_SCALED),
            (F.relu(f / survival + s), NOT_SCALED), (F.relu((1 - survival) * f + s), NOT_SCALED),
            (F.relu(s), LEFT_OUT_EVAL), *wrong_sums(survival * f, raw, x, outputs, stride),
        ], tolerance=1e-3, dtype=torch.float32)
        expect_survival(network.train(), x, s, survival)
    always = settle(build(answer, 4, 4)).train()  # survival is 1 by default
    if any(not trace(always, normal(3, 4, 8, 6), nn.Conv2d)[0] for _ in range(20)):
        raise Wrong("f at each pass with survival 1, the default", "passes without", NOT_KEPT)
    expect_trainable(always, normal(3, 4, 8, 6))


def expect_survival(network, x, s, survival):
    """Raise Wrong unless a block in train mode is left out as often as it should, and is right in both cases."""
    count, closely, alive, wasted, patterns = 200, 40, 0, 0, []
    for _ in range(2):
        torch.manual_seed(0)
        patterns.append([bool(trace(network, x, nn.Conv2d)[0]) for _ in range(30)])
    if patterns[0] != patterns[1]:
        raise Wrong("the same blocks left out after the same torch.manual_seed", "others", NOT_TORCH)
    for call in range(count):
        calls, found = trace(network, x, nn.BatchNorm2d)
        out, there = F.relu(s), len(calls) == 2
        alive += there
        if call >= closely:  # only counted
            continue
        if not there:
            compare(found, out, [(s, NO_RELU), (torch.zeros_like(out), OUT), (x, OUT)], [OUT], 1e-3)
            continue
        f = calls[-1][2]
        if torch.allclose(found, out, atol=1e-4):
            wasted += 1
            continue
        each = [torch.allclose(one, right, atol=1e-3) for one, right in zip(found, F.relu(f + s), strict=True)]
        if any(each) and not all(each):
            raise Wrong("f for all images or for none", "for some", SINGLE)
        compare(found, F.relu(f + s), [
            (F.relu(survival * f + s), INVERTED), (F.relu(f / survival + s), INVERTED), (F.relu(f) + s, EARLY_RELU),
            (F.relu(f), NO_SHORTCUT), (f + s, NO_RELU),
        ], tolerance=1e-3)
    if wasted:
        raise Wrong("nothing computed where the block is left out", "two convolutions", COMPUTED)
    if alive == count:
        raise Wrong(f"left out in {1 - survival:.0%} of the calls", "never", NEVER_OUT)
    if abs(alive / count - survival) > 0.12:
        swapped = abs(survival - 0.5) > 0.25 and abs(alive / count - (1 - survival)) < 0.1
        raise Wrong(f"there in {survival:.0%} of {count} calls", f"in {alive / count:.0%}",
                    DEATH_RATE if swapped else SHARE.format(found=alive / count, share=survival))


# ---- 13.7


def check_13_7(answer):
    """[1 - l / L * (1 - last) for l in range(1, L + 1)]"""
    for blocks, last in ((5, 0.5), (4, 0.2), (27, 0.5), (1, 0.3)):
        found = answer(blocks, last)
        if found is None:
            raise Wrong(f"a list of {blocks} numbers", "None", NO_RETURN)
        if not isinstance(found, list | tuple | torch.Tensor):
            raise Wrong(f"a list of {blocks} numbers", describe(found), A_LIST)
        if len(found) != blocks:
            raise Wrong(f"a list of {blocks} numbers", f"{len(found)} numbers", LENGTH)
        levels = torch.arange(blocks + 1).double() / blocks
        right = 1 - levels[1:] * (1 - last)
        ends = torch.linspace(1, last, blocks).double()
        compare(torch.as_tensor(found).double(), right, [
            (1 - levels[:-1] * (1 - last), FROM_ZERO), (ends, BOTH_ENDS), (1 - right, DEATH),
            (right.flip(0), BACKWARDS), (torch.full_like(right, last), ALL_LAST),
            *((value, TIMES) for value in (1 - levels[1:] * last, levels[1:] * last)), (levels[1:] * (1 - last), DEATH),
        ], tolerance=1e-6)
    compare(torch.as_tensor(answer(4)).double(), torch.tensor([0.875, 0.75, 0.625, 0.5]).double(), [])
