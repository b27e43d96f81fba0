"""What several rooms share."""

from itertools import pairwise

import torch
from torch import nn


def generator(act=nn.ReLU, norm=nn.BatchNorm2d, conv=nn.ConvTranspose2d, stride=2, padding=1, first=(1, 0), bias=False,
              last_norm=False, end=torch.tanh, swap=False, nz_used=True, grow=False, fixed=None, options=None):
    class Generator(nn.Module):
        def __init__(self, nz=100, width=32, channels=1, blocks=3):
            super().__init__()
            widths = [width * 2**i for i in range(fixed or blocks)]
            sizes = [nz if nz_used else 100, *(widths if grow else reversed(widths))]
            layers = []
            for i, (inputs, outputs) in enumerate(pairwise(sizes)):
                where = (stride, padding) if i else first
                layers.append(conv(inputs, outputs, 4, *where, bias=bias, **(options or {})))
                middle = [norm(outputs)] if norm else []
                layers += [act(), *middle] if swap else [*middle, act()]
            layers.append(nn.ConvTranspose2d(sizes[-1], channels, 4, 2, 1))
            self.net = nn.Sequential(*layers, *([nn.BatchNorm2d(channels)] if last_norm else []))

        def forward(self, z):
            return end(self.net(z))

    return Generator
