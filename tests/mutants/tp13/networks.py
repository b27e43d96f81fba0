"""Answers to the exercises 13.3 and 13.9."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import tp13

from .common import padded


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


RIGHT = {
    "13.3": [net(), net(pool=lambda y: F.adaptive_avg_pool2d(y, 1).flatten(1)), net(act=lambda y: y.relu_())],
    "13.9": [ror(), ror(late_stem=True), ror(pool=lambda y, _: F.adaptive_avg_pool2d(y, 1).flatten(1))],
}

MUTANTS = {
    "13.3": [
        (net(pool=lambda y: F.avg_pool2d(y, y.size(3)).flatten(1)), "mean over all positions"),
        (net(pool=lambda y: F.avg_pool2d(y, y.size(2)).flatten(1)), "window"),
        (net(pool=lambda y: F.avg_pool2d(y, 2).flatten(2).mean(2)), "mean over all positions"),
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
    "13.9": [
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
}
