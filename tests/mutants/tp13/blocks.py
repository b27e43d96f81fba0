"""Answers to the exercises 13.1, 13.2, 13.7 and 13.8."""

import random

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import tp13

from .common import block, padded


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


RIGHT = {
    "13.1": [Positional, LateNorms, block(), block(act=lambda y: y.clamp_min(0))],
    "13.2": [plain, block(lambda f, x, c, s: f.clamp_min(0))],
    "13.7": [lambda blocks, last=0.5: torch.linspace(1, last, blocks + 1)[1:].tolist(),
             lambda blocks, last=0.5: [(1 - k / blocks) + k / blocks * last for k in range(1, blocks + 1)]],
    "13.8": [stochastic(), stochastic(decide=lambda p: bool(torch.bernoulli(torch.tensor(float(p))))),
             stochastic(decide=lambda p: torch.rand(()) <= p)],
}

MUTANTS = {
    "13.1": [
        (plain, "x is not added"), (block(lambda f, x, c, s: f + padded(x, c, s)), "ReLU at the end"),
        (block(lambda f, x, c, s: f.relu() + padded(x, c, s)), "after x has been added"),
        (block(lambda f, x, c, s: F.relu(f + padded(x, c, s, 0))), "behind the old ones"),
        (block(lambda f, x, c, s: F.relu(f + padded(x, c, s, 1))), "in front of the old ones"),
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
    "13.7": [
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks)], "counted from 1"),
        (lambda blocks, last=0.5: torch.linspace(1, last, blocks).tolist(), "not l − 1 by L − 1"),
        (lambda blocks, last=0.5: [k / blocks * (1 - last) for k in range(1, blocks + 1)], "being left out"),
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks, 0, -1)], "first block surv"),
        (lambda blocks, last=0.5: [last] * blocks, "linearly from block to block"),
        (lambda blocks, last=0.5: (1 - k / blocks * (1 - last) for k in range(1, blocks + 1)), "a list of floats"),
        (lambda blocks, last=0.5: [1 - k / blocks * last for k in range(1, blocks + 1)], "decay goes down to"),
        (lambda blocks, last=0.5: [1 - k / blocks * (1 - last) for k in range(blocks + 1)], "L of them"),
    ],
    "13.8": [
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
}
