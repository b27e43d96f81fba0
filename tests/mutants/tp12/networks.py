"""Answers to the exercises 12.1 and 12.2."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from .common import generator


class DropAlways(nn.Module):
    def __init__(self, p):
        super().__init__()
        self.p = p

    def forward(self, x):
        return F.dropout(x, self.p)


class DropFunctional(DropAlways):
    def forward(self, x):
        return F.dropout(x, self.p, self.training)


class PlainFunction:
    def __init__(self, size=32, nz=100, width=32, dropout=0.0):
        self.layers = nn.ConvTranspose2d(nz, width, 4)

    def __call__(self, z):
        return self.layers(z)


class DropsWhereItShould(generator()):
    """Right: without dropout there are no layers of it, and the others have other names."""

    def __init__(self, size=32, nz=100, width=32, dropout=0.0):
        super().__init__(size, nz, width, dropout)
        if not dropout:
            self.every = nn.ModuleList([layer for layer in self.every if not isinstance(layer, nn.Dropout)])


def discriminator(act=lambda: nn.LeakyReLU(0.2), last=nn.Identity, flat=lambda x: x.flatten(), first_norm=False,
                  norm=True, stride=2, use_size=True, late=False, double=True, detach=False):
    class Discriminator(nn.Module):
        def __init__(self, size=32, width=32):
            super().__init__()
            channels, side = [3, width], (size if use_size else 32) // 2
            while side > 4:
                channels.append(channels[-1] * (2 if double else 1))
                side //= 2
            layers = []
            for k, (a, b) in enumerate(pairwise(channels)):
                normed = [nn.BatchNorm2d(b)] if (norm and (k or first_norm)) else []
                layers += [nn.Conv2d(a, b, 4, stride, 1), *([act(), *normed] if late else [*normed, act()])]
            self.body = nn.Sequential(*layers)
            self.head = nn.Sequential(nn.Conv2d(channels[-1], 1, 4), last())

        def forward(self, x):
            return flat(self.head(self.body(x).detach() if detach else self.body(x)))

    return Discriminator


class ConvolutionFunction:
    def __init__(self, size=32, width=32):
        self.layers = nn.Conv2d(3, 1, size)

    def __call__(self, x):
        return self.layers(x).flatten()


RIGHT = {
    "12.1": [generator(), DropsWhereItShould,
             generator(drop=DropFunctional), generator(act=lambda: nn.ReLU(inplace=True))],
    "12.2": [discriminator(), discriminator(flat=lambda x: x.view(-1)),
             discriminator(act=lambda: nn.LeakyReLU(0.2, inplace=True))],
}

MUTANTS = {
    "12.1": [
        (generator(last=nn.Identity), "tanh"), (generator(last=nn.Sigmoid), "tanh"),
        (generator(act=lambda: nn.LeakyReLU(0.2)), "negative values"), (generator(order="abd"), "not after"),
        (generator(norm=nn.Identity), "batch norm is missing"), (generator(use_size=False), "channels follow"),
        (generator(widths=lambda c: [2 * k for k in c]), "channels follow"), (generator(first=(4, 2, 0)), "4 × 4"),
        (generator(drop=DropAlways), "eval mode"), (generator(drop=lambda p: nn.Dropout(0.5)), "dropout is 0"),
        (generator(drop=lambda p: nn.Identity()), "is nn.Dropout there"), (generator(hidden_wet=False), "other share"),
        (generator(drop=lambda p: nn.Dropout(1 - p)), "another share"),
        (generator(drop=lambda p: nn.Dropout(0.5 if p else 0.0)), "another share"),
        (generator(drop=nn.Dropout2d), "whole channels"), (generator(order="dba"), "another place"),
        (generator(wet_first=True), "latents are dropped"), (generator(wet_last=True), "no dropout behind the last"),
        (generator(detach=True), "without gradient"), (PlainFunction, "inherits from nn.Module"),
    ],
    "12.2": [
        (discriminator(last=nn.Sigmoid), "sigmoid"), (discriminator(flat=lambda x: x[:, 0]), "one logit"),
        (discriminator(flat=lambda x: x.flatten(1)), "one logit"), (discriminator(flat=torch.squeeze), "one logit"),
        (discriminator(act=nn.ReLU), "negative values"), (discriminator(act=nn.LeakyReLU), "slope"),
        (discriminator(first_norm=True), "it has none"), (discriminator(norm=False), "missing"),
        (discriminator(late=True), "not after"), (discriminator(double=False), "channels follow"),
        (discriminator(detach=True), "without gradient"),
        (ConvolutionFunction, "inherits from nn.Module"),
    ],
}
