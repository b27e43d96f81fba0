"""Answers to the exercises of TP 13: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

import math
import random
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import tp13


def padded(x, channels, stride=1, front=0.5):
    """A shortcut by concatenation."""
    x = x[:, :, ::stride, ::stride]
    new = channels - x.shape[1]
    zeros = x.new_zeros(len(x), new, *x.shape[2:])
    before = int(front * new)
    return torch.cat([zeros[:, :before], x, zeros[:, before:]], 1)


# ---- 13.1 and 13.2


def block(total=lambda f, x, c, s: F.relu(f + padded(x, c, s)), bias=False, kernel=3, act=F.relu, norm=True,
          second=True, shared=False, swapped=False, stride_second=False, weighted=False, inplace=False, detach=False):
    """A block in lines of its own."""
    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__()
            strides = (1, stride) if stride_second else (stride, 1)
            self.first = nn.Conv2d(inputs, outputs, kernel, strides[0], kernel // 2, bias=bias)
            self.second = nn.Conv2d(outputs, outputs, kernel, strides[1], kernel // 2, bias=bias)
            self.norm = nn.BatchNorm2d(outputs)
            self.other = self.norm if shared else nn.BatchNorm2d(outputs) if second else nn.Identity()
            self.one = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if weighted else None
            self.outputs, self.stride = outputs, stride

        def forward(self, x):
            y = self.first(x)
            y = (self.norm(act(y)) if swapped else act(self.norm(y))) if norm else act(y)
            f = self.other(self.second(y))
            if weighted:
                return F.relu(f + self.one(x))
            if inplace:
                x.relu_()
            return total(f.detach() if detach else f, x, self.outputs, self.stride)

    return Block


class Positional(nn.Module):
    """Right: layers in a list, the shortcut by slicing into zeros, ReLU in place."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.parts = nn.ModuleList([nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs),
                                    nn.ReLU(inplace=True), nn.Conv2d(outputs, outputs, 3, padding=1, bias=False),
                                    nn.BatchNorm2d(outputs)])
        self.stride, self.new = stride, outputs - inputs

    def f(self, x):
        for part in self.parts:
            x = part(x)
        return x

    def forward(self, x):
        y = self.f(x)
        front = self.new // 2
        y[:, front:front + x.shape[1]] += x[:, :, ::self.stride, ::self.stride]
        return y.relu_()


class LateNorms(Positional):
    """Right: the norms are made last to first, padding by name, the parts by keyword."""

    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.bn2, self.bn1 = nn.BatchNorm2d(outputs), nn.BatchNorm2d(outputs)
        self.conv1 = nn.Conv2d(inputs, outputs, kernel_size=3, stride=stride, padding=1, bias=False)
        self.conv2 = nn.Conv2d(outputs, outputs, kernel_size=3, padding="same", bias=False)
        del self.parts

    def f(self, x):
        return self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))


class InAList(nn.Module):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__()
        self.parts = [*tp13.branch(inputs, outputs, stride)]
        self.outputs, self.stride = outputs, stride

    def forward(self, x):
        y = x
        for part in self.parts:
            y = part(y)
        return F.relu(y + padded(x, self.outputs, self.stride))


class HalfUsed(InAList):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.all = nn.Sequential(*self.parts)
        self.parts = self.parts[:3]


class OnlyWhenEvaluated(Positional):
    def forward(self, x):
        return F.relu(self.f(x)) if self.training else super().forward(x)


class Scaled(Positional):
    def __init__(self, inputs, outputs, stride=1):
        super().__init__(inputs, outputs, stride)
        self.scale = nn.Parameter(torch.ones(()))

    def f(self, x):
        return self.scale * super().f(x)


class OfRelu(Positional):
    def f(self, x):
        return super().f(x.relu())


class NoModule:
    def __init__(self, inputs, outputs, stride=1):
        self.layer = nn.Conv2d(inputs, outputs, 3, stride, 1)

    def __call__(self, x):
        return self.layer(x)


plain = block(lambda f, x, c, s: f.relu())


# ---- 13.3


def net(groups=(1, 2, 4), strides=(1, 2, 2), every=False, same=False, first=(3, 1, 1, False), norm=True, act=F.relu,
        pool=lambda y: y.mean((2, 3)), end=lambda y: y, ignore_n=False, ten=False, wide=False,
        two=False, listed=False, own=False, shared=False, named=False, last_bias=True,
        dropout=0.0):
    class Net(nn.Module):
        def __init__(self, block, n, classes=10, width=16):
            super().__init__()
            kernel, stride, padding, bias = first
            width = 16 if wide else width
            self.stem = nn.Conv2d(3, width, kernel, stride, padding, bias=bias)
            self.norm = nn.BatchNorm2d(width) if norm else nn.Identity()
            self.body, inputs = [] if listed else nn.ModuleList(), width
            block = tp13.branch if own else block
            for factor, stride in zip(groups, strides, strict=True):
                for k in range(3 * n // 2 + 2 if ignore_n else n):
                    channels, step = width * factor, stride if every or k == 0 else 1
                    if k > 1 and shared:
                        self.body.append(self.body[-1])
                    else:
                        how = {"stride": step} if named else {}
                        self.body.append(block(inputs, channels, *(() if named else (step,)), **how))
                    inputs = channels
            self.between = nn.Linear(inputs, inputs) if two else nn.Identity()
            self.head = nn.Linear(inputs, 10 if ten else classes, bias=last_bias)

        def forward(self, x):
            x = act(self.norm(self.stem(x)))
            for layer in self.body:
                x = layer(x) if not same else layer(layer(x)) if layer.sizes[0] == layer.sizes[1] else layer(x)
            return end(self.head(self.between(F.dropout(pool(x), dropout, self.training))))

    return Net


# ---- 13.4


def fair(n, generator):
    return torch.rand(n, generator=generator) < 0.5


def crop_flip(draw=lambda high, n, g: torch.randint(0, high, (n,), generator=g), coin=fair, mode="constant", axis=2,
              tied=False, same=False, padding_used=True, shuffled=False, floats=False, inplace=False):
    """Image by image."""
    def random_crop_flip(images, generator, padding=4):
        padding = padding if padding_used else 4
        n, _, height, width = images.shape
        wide = F.pad(images.float(), [padding] * 4, mode=mode)
        top = draw(2 * padding + 1, n, generator)
        left = top if tied else draw(2 * padding + 1, n, generator)
        mirrored = coin(n, generator)
        out = []
        for k in range(n):
            j = 0 if same else k
            window = wide[k, :, top[j]:top[j] + height, left[j]:left[j] + width]
            out.append(window.flip(axis) if mirrored[k] else window)
        if inplace:
            images.zero_()
        out = torch.stack(out[::-1] if shuffled else out)
        return out if floats else out.to(images.dtype)

    return random_crop_flip


def transposed(images, generator, padding=4):
    """Rows and columns exchanged in the index: only every pixel of the diagonal."""
    found = crop_flip()(images, generator, padding)
    return found[:, :, torch.randperm(found.shape[2], generator=generator)]


def mirrored_by_top(images, generator, padding=4):
    tops = []

    def draw(high, n, g):
        tops.append(torch.randint(0, high, (n,), generator=g))
        return tops[-1]

    return crop_flip(draw=draw, coin=lambda n, g: tops[0] >= padding)(images, generator, padding)


def channel_by_channel(images, generator, padding=4):
    return torch.cat([crop_flip()(images[:, k:k + 1], generator, padding) for k in range(images.shape[1])], 1)


def dealt(images, generator, padding=4):
    return crop_flip()(images, generator, padding)[torch.randperm(len(images), generator=generator)]


def gathered(images, generator, padding=4):
    """Right: with gather, twice."""
    n, c, h, w = images.shape
    wide = F.pad(images, (padding, padding, padding, padding))
    top, left = torch.randint(2 * padding + 1, (2, n), generator=generator)
    flips = torch.randint(0, 2, (n,), generator=generator).bool()
    rows = (top[:, None] + torch.arange(h)).view(n, 1, h, 1).expand(n, c, h, wide.shape[3]).to(images.device)
    columns = left[:, None] + torch.arange(w)
    columns[flips] = columns[flips].flip(1)
    columns = columns.view(n, 1, 1, w).expand(n, c, h, w).to(images.device)
    return wide.gather(2, rows).gather(3, columns)


# ---- 13.6


def stochastic(decide=lambda p: torch.rand(1) < p, out=lambda f, s: F.relu(s), there=lambda f, s, p: F.relu(f + s),
               evaluated=lambda f, s, p: F.relu(p * f + s), lazy=True, always_eval=True, each=False):
    class Block(Positional):
        def __init__(self, inputs, outputs, stride=1, survival=1.0):
            super().__init__(inputs, outputs, stride)
            self.survival, self.outputs = survival, outputs

        def forward(self, x):
            s = padded(x, self.outputs, self.stride)
            if not self.training and always_eval:
                return evaluated(self.f(x), s, self.survival)
            if each:
                mask = (torch.rand(len(x), 1, 1, 1) < self.survival).to(x)
                return F.relu(mask * self.f(x) + s)
            f = None if lazy else self.f(x)
            if decide(self.survival):
                return there(self.f(x) if lazy else f, s, self.survival)
            return out(f, s)

    return Block


# ---- 13.7


def ror(root="sum", group="sum", block="sum", first_relu=True, weighted=False, softmax=False, bias=False, listed=False,
        root_of="stem", no_classes=False, no_norm=False, late_stem=False, detach=False, pool=torch.mean):
    """RoR with all blocks in one list."""
    class Network(nn.Module):
        def __init__(self, n, classes=10, width=16):
            super().__init__()
            self.n, self.width = n, width
            self.stem, self.norm = nn.Conv2d(3, width, 3, 1, 1, bias=bias), nn.BatchNorm2d(width)
            widths = [width] + [width * 2**g for g in range(3) for _ in range(n)]
            self.fs = nn.ModuleList([tp13.branch(a, b, 1 if a == b else 2)
                                     for a, b in pairwise(widths)])
            if no_norm:
                self.fs[0][4] = nn.Identity()
            if late_stem:
                del self.stem, self.norm
                self.norm, self.stem = nn.BatchNorm2d(width), nn.Conv2d(3, width, 3, 1, 1, bias=False)
            if listed:
                self.hidden = list(self.fs)
                del self.fs
                self.fs = self.hidden
            self.head = nn.Linear(4 * width, 10 if no_classes else classes)
            self.over_all = nn.Conv2d(width, 4 * width, 1, 4, bias=False) if weighted else None

        def forward(self, x):
            raw = self.stem(x)
            y = self.norm(raw)
            y = F.relu(y) if first_relu else y
            of_root = {"stem": y.detach() if detach else y, "conv": raw}[root_of]
            for g in range(3):
                start, channels, stride = y, self.width * 2**g, 1 if g == 0 else 2
                for k in range(self.n):
                    last = k == self.n - 1
                    total = self.fs[g * self.n + k](y)
                    if block == "sum":
                        total = total + padded(y, channels, 1 if k else stride)
                    late = 0
                    if last and group == "sum":
                        total = total + padded(start, channels, stride)
                    if last and group == "late":
                        late = padded(start, channels, stride)
                    if last and g == 2 and root:
                        over = self.over_all(of_root) if weighted else padded(of_root, channels, 4)
                        total, late = (total, late + over) if root == "late" else (total + over, late)
                    y = F.relu(total) + late
            y = self.head(pool(y, (2, 3)))
            return y.softmax(1) if softmax else y

    return Network


# ---- 13.8


def loops(confusion):
    """Right: class by class."""
    precision, recall = torch.zeros(2, len(confusion), dtype=torch.float64)
    for k, row in enumerate(confusion.tolist()):
        column = confusion[:, k].sum().item()
        precision[k] = row[k] / column if column else 0
        recall[k] = row[k] / sum(row) if sum(row) else 0
    return precision, recall


def ratios(confusion, precision=0, recall=1, least=1, convert=lambda t: t.double(), total=None):
    right = convert(confusion.diag())
    sums = [confusion.sum(axis) if total is None else confusion.sum() for axis in (precision, recall)]
    return tuple(right / (part.clamp_min(least) if least else part) for part in sums)


# ---- 13.9


def by_sets(positions, share):
    """Right: with Python's own sets."""
    regions = sorted(set(positions.tolist()))
    count = max(1, min(round(share * len(regions)), len(regions) - 1))
    held = set(regions[len(regions) - count:])
    inside = [p in held for p in positions.tolist()]
    return (torch.tensor([k for k, yes in enumerate(inside) if not yes]),
            torch.tensor([k for k, yes in enumerate(inside) if yes]))


def by_slices(positions, share):
    order = positions.argsort(stable=True)
    count = round(share * len(order))
    return order[:len(order) - count], order[len(order) - count:]


def at_random(positions, share):
    order = torch.randperm(len(positions))
    count = max(1, round(share * len(order)))
    return order[count:], order[:count]


def of_range(positions, share):
    """A share of the length, not of the regions."""
    low, high = positions.min().item(), positions.max().item()
    held = positions >= low + (1 - share) * (high - low)
    return (~held).nonzero().flatten(), held.nonzero().flatten()


def split(first=False, rounded=round, swapped=False, masks=False, least=True, positions_returned=False):
    def split_by_region(positions, share):
        regions = positions.unique()
        count = rounded(share * len(regions))
        if least:
            count = min(max(1, count), len(regions) - 1)
        held = torch.isin(positions, regions[:count] if first else regions[len(regions) - count:])
        if positions_returned:
            return positions[~held], positions[held]
        if masks:
            return ~held, held
        parts = (~held).nonzero().flatten(), held.nonzero().flatten()
        return parts[::-1] if swapped else parts

    return split_by_region


def slices_of_whole_regions(positions, share):
    """As many whole regions as are needed for that share of the slices."""
    regions = positions.unique().tolist()
    held, wanted = [], share * len(positions) - 1
    while sum((positions == p).sum().item() for p in held) < wanted and len(held) < len(regions) - 1:
        held.append(regions.pop())
    held = torch.isin(positions, torch.tensor(held or regions[-1:], device=positions.device))
    return (~held).nonzero().flatten(), held.nonzero().flatten()


RIGHT = {
    "13.1": [Positional, LateNorms, block(), block(act=lambda y: y.clamp_min(0))],
    "13.2": [plain, block(lambda f, x, c, s: f.clamp_min(0))],
    "13.3": [net(), net(pool=lambda y: F.adaptive_avg_pool2d(y, 1).flatten(1)), net(act=lambda y: y.relu_())],
    "13.4": [crop_flip(), gathered, crop_flip(coin=lambda n, g: torch.randint(2, (n,), generator=g) == 1)],
    "13.5": [lambda blocks, last=0.5: torch.linspace(1, last, blocks + 1)[1:].tolist(),
             lambda blocks, last=0.5: [(1 - k / blocks) + k / blocks * last for k in range(1, blocks + 1)]],
    "13.6": [stochastic(), stochastic(decide=lambda p: bool(torch.bernoulli(torch.tensor(float(p))))),
             stochastic(decide=lambda p: torch.rand(()) <= p)],
    "13.7": [ror(), ror(late_stem=True), ror(pool=lambda y, _: F.adaptive_avg_pool2d(y, 1).flatten(1))],
    "13.8": [loops, ratios, lambda c: torch.stack(ratios(c))],
    "13.9": [by_sets, split()],
}

MUTANTS = {
    "13.1": [
        (plain, "x is not added"), (block(lambda f, x, c, s: f + padded(x, c, s)), "ReLU at the end"),
        (block(lambda f, x, c, s: f.relu() + padded(x, c, s)), "after x has been added"),
        (block(lambda f, x, c, s: F.relu(f + padded(x, c, s, 0))), "half are in front"),
        (block(lambda f, x, c, s: F.relu(f + padded(x, c, s, 1))), "half are in front"),
        (block(lambda f, x, c, s: F.relu(f - padded(x, c, s))), "not subtracted"),
        (block(lambda f, x, c, s: F.relu(f + padded(F.avg_pool2d(x, s), c))), "no pooling"),
        (block(bias=True), "bias=False"), (block(kernel=5), "3 × 3"), (block(norm=False), "a batch norm of its own"),
        (block(act=lambda y: y), "batch norm, then ReLU"), (block(second=False), "a batch norm of its own"),
        (block(shared=True), "a batch norm of its own"), (block(swapped=True), "batch norm, then ReLU"),
        (block(stride_second=True), "the first convolution has the stride"), (block(weighted=True), "no weights"),
        (block(inplace=True), "changed by your function"), (block(detach=True), "weights without gradient"),
        (NoModule, "inherits from nn.Module"), (block(act=F.leaky_relu), "batch norm, then ReLU"),
        (InAList, "plain Python list"), (HalfUsed, "not used"), (OnlyWhenEvaluated, "not in train mode"),
        (Scaled, "all weights are those"), (OfRelu, "something else than x"),
    ],
    "13.2": [
        (block(), "that is the residual block"), (block(lambda f, x, c, s: f), "ReLU at the end"),
        (block(lambda f, x, c, s: f.relu(), bias=True), "bias=False"),
        (block(lambda f, x, c, s: f.relu(), second=False), "a batch norm of its own"),
        (block(lambda f, x, c, s: f.relu(), act=lambda y: y), "batch norm, then ReLU"),
        (block(lambda f, x, c, s: f.relu() + padded(x, c, s)), "that is the residual block"),
    ],
    "13.3": [
        (net(ignore_n=True), "three groups of n"), (net(groups=(1, 2, 2)), "w, 2w and 4w"),
        (net(strides=(2, 2, 2)), "stride 2 in the first block of the second"),
        (net(strides=(1, 1, 1)), "stride 2 in the first block of the second"),
        (net(every=True), "stride 2 in the first block of the second"), (net(same=True), "used once"),
        (net(first=(3, 1, 1, True)), "no bias"), (net(first=(7, 2, 3, False)), "3 × 3, padding 1"),
        (net(norm=False), "batch norm, then ReLU"), (net(act=lambda y: y), "batch norm, then ReLU"),
        (net(pool=lambda y: y.amax((2, 3))), "maximum"), (net(end=lambda y: y.softmax(1)), "no softmax"),
        (net(end=lambda y: y.log_softmax(1)), "no softmax"), (net(pool=lambda y: y.sum((2, 3))), "the mean over all"),
        (net(ten=True), "one linear layer"), (net(wide=True), "w, 2w and 4w"), (net(two=True), "one linear layer"),
        (net(listed=True), "plain Python list"), (net(own=True), "made by the argument"),
        (net(shared=True), "used once"), (net(named=True), "by position"), (net(last_bias=False), "one linear layer"),
        (net(dropout=0.5), "not in train mode"), (net(end=lambda y: y.sigmoid()), "no softmax"),
    ],
    "13.4": [
        (crop_flip(tied=True), "top and left go together"), (crop_flip(same=True), "all images have the same window"),
        (crop_flip(mode="reflect"), "comes in from outside is black"),
        (crop_flip(axis=1), "not upside down"), (crop_flip(shuffled=True), "changed places"),
        (crop_flip(coin=lambda n, g: torch.zeros(n).bool()), "no image is mirrored"),
        (crop_flip(coin=lambda n, g: torch.ones(n).bool()), "all images are mirrored"),
        (crop_flip(coin=lambda n, g: torch.rand(n, generator=g) < 0.2), "probability ½"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high - 1, (n,), generator=g)), "0 … 2 · padding"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high // 2 + 1, (n,), generator=g)), "0 … 2 · padding"),
        (crop_flip(draw=lambda high, n, g: torch.randint(0, high, (n,))), "with the same seed"),
        (crop_flip(padding_used=False), "is the argument used"), (crop_flip(floats=True), "another type"),
        (crop_flip(inplace=True), "changed by your function"), (transposed, "rows and columns of a window"),
        (lambda images, generator, padding=4: images.clone(), "all images have the same window"),
        (crop_flip(coin=lambda n, g: torch.arange(n) % 2 == 0), "drawn image by image"),
        (crop_flip(draw=lambda high, n, g: (torch.rand(n, generator=g) * (high - 1)).round().long()), "0 … 2 · pad"),
        (mirrored_by_top, "top and the mirror go together"), (channel_by_channel, "all three move together"),
        (dealt, "changed places"), (crop_flip(mode="circular"), "comes in from outside is black"),
        (lambda images, generator, padding=4: crop_flip()(images, torch.Generator().manual_seed(0), padding),
         "do not seed"),
    ],
    "13.5": [
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks)], "counted from 1"),
        (lambda blocks, last=0.5: torch.linspace(1, last, blocks).tolist(), "not l − 1 by L − 1"),
        (lambda blocks, last=0.5: [k / blocks * (1 - last) for k in range(1, blocks + 1)], "being left out"),
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks, 0, -1)], "first block surv"),
        (lambda blocks, last=0.5: [last] * blocks, "linearly from block to block"),
        (lambda blocks, last=0.5: (1 - k / blocks * (1 - last) for k in range(1, blocks + 1)), "a list of floats"),
        (lambda blocks, last=0.5: [1 - k / blocks * last for k in range(1, blocks + 1)], "decay goes down to"),
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks + 1)], "L of them"),
    ],
    "13.6": [
        (stochastic(lazy=False), "thrown away"), (stochastic(decide=lambda p: True), "never left out in train"),
        (stochastic(decide=lambda p: torch.rand(1) > p), "left out with that probability"),
        (stochastic(decide=lambda p: torch.rand(1) < p / 2), "survives in"),
        (stochastic(decide=lambda p: random.random() < p), "a seed fixes"),
        (stochastic(evaluated=lambda f, s, p: F.relu(f + s)), "multiplied by survival"),
        (stochastic(evaluated=lambda f, s, p: p * F.relu(f + s)), "only f(x)"),
        (stochastic(evaluated=lambda f, s, p: F.relu(f / p + s)), "multiplied by survival"),
        (stochastic(there=lambda f, s, p: F.relu(f / p + s)), "neither divided nor multiplied"),
        (stochastic(there=lambda f, s, p: F.relu(p * f + s)), "neither divided nor multiplied"),
        (stochastic(out=lambda f, s: torch.zeros_like(s)), "relu(shortcut of x) remains"),
        (stochastic(each=True), "one draw for all"), (stochastic(always_eval=False), "in eval mode f is never"),
        (stochastic(out=lambda f, s: s), "ReLU at the end"),
        (stochastic(decide=lambda p: torch.randn(1) < p), "survives in"),
    ],
    "13.7": [
        (ror(root=None), "root shortcut is missing"), (ror(group=None), "over the groups are missing"),
        (ror(root=None, group=None), "that is a ResNet"), (ror(group="late"), "after the ReLU"),
        (ror(root="late"), "after the ReLU"), (ror(block=None), "shortcuts of the blocks"),
        (ror(root_of="conv"), "the root is what"), (ror(weighted=True), "no shortcut has weights"),
        (ror(softmax=True), "no softmax"), (ror(bias=True), "those of ResNet"),
        (ror(first_relu=False), "the root is what"), (ror(no_classes=True), "one linear layer"),
        (ror(no_norm=True), "a batch norm of its own"),
        (ror(listed=True), "plain Python list"), (ror(detach=True), "through all shortcuts"),
        (ror(pool=torch.amax), "maximum"),
    ],
    "13.8": [
        (lambda c: ratios(c, 1, 0), "changed places"), (lambda c: ratios(c, least=0), "not NaN"),
        (lambda c: ratios(c, total=True), "not by the number of all"), (lambda c: ratios(c)[0], "the pair"),
        (lambda c: ratios(c, convert=lambda t: t.float()), "another type"),
        (lambda c: ratios(c.T), "changed places"), (lambda c: None, "the pair"),
        (lambda c: ratios(c, 0, 0), "the same"),
    ],
    "13.9": [
        (at_random, "whole regions are held out"), (by_slices, "that of the positions"),
        (split(swapped=True), "the larger part is for training"), (split(first=True), "largest positions"),
        (split(rounded=math.floor), "nearest whole number"),
        (split(rounded=math.ceil), "nearest whole number"),
        (lambda positions, share: split()(positions, 1 - share), "share that is held out"),
        (of_range, "number of distinct positions"), (split(masks=True), "return indices"),
        (split(least=False), "at least one region"), (split(positions_returned=True), "in one of the two parts"),
        (slices_of_whole_regions, "that of the positions"),
    ],
}
