"""Answers to the exercises 14.1 and 14.2."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F


def encoder(act=lambda: nn.LeakyReLU(0.2), norm=nn.BatchNorm2d, double=2, late=False, hidden=lambda h: h,
            out=lambda h: h.split(h.shape[1] // 2, 1)):
    class Encoder(nn.Module):
        def __init__(self, nz=32, channels=1, width=32):
            super().__init__()
            sizes = [channels, width, double * width, double**2 * width]
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(sizes))
            self.norms, self.act = nn.ModuleList(norm(b) for b in sizes[1:]), act()
            self.last = nn.Linear(sizes[-1] * 16, 2 * nz)

        def forward(self, x):
            for convolution, norm_ in zip(self.convolutions, self.norms, strict=True):
                x = norm_(self.act(convolution(x))) if late else self.act(norm_(convolution(x)))
            return out(self.last(hidden(x.flatten(1))))

    return Encoder


class NoModule:
    def __init__(self, nz=32, channels=1, width=32):
        self.nz = nz

    def __call__(self, x):
        return x, x


def decoder(act=nn.ReLU, norm=nn.BatchNorm2d, last=nn.Tanh, first_norm=True, flat=nn.Identity, detach=False, double=2):
    class Decoder(nn.Module):
        def __init__(self, nz=32, channels=1, width=32):
            super().__init__()
            w = [double**2 * width, double * width, width]
            self.door = nn.Sequential(nn.Linear(nz, 16 * w[0]), flat(16 * w[0]))
            self.first = nn.Sequential(norm(w[0]) if first_norm else nn.Identity(), act())
            self.rest = nn.Sequential(
                nn.ConvTranspose2d(w[0], w[1], 4, 2, 1, bias=False), norm(w[1]), act(),
                nn.ConvTranspose2d(w[1], w[2], 4, 2, 1, bias=False), norm(w[2]), act(),
                nn.ConvTranspose2d(w[2], channels, 4, 2, 1), last())

        def forward(self, z):
            h = self.first(self.door(z).view(len(z), -1, 4, 4))
            return self.rest(h.detach() if detach else h)

    return Decoder


RIGHT = {
    "14.1": [encoder(), encoder(act=lambda: nn.LeakyReLU(0.2, inplace=True))],
    "14.2": [decoder(), decoder(act=lambda: nn.ReLU(inplace=True))],
}

MUTANTS = {
    "14.1": [
        (encoder(act=nn.ReLU), "negative values"), (encoder(norm=nn.Identity), "batch norm is missing"),
        (encoder(late=True), "not after"), (encoder(double=1), "from the input on"),
        (encoder(out=lambda h: h.chunk(2, 1)[::-1]), "first nz numbers"),
        (encoder(out=lambda h: (h[:, ::2], h[:, 1::2])), "in turn"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].exp())), "no exp"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], F.softplus(h.chunk(2, 1)[1]))), "no exp"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].detach())), "without gradient"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].clamp(-1, 1))), "nothing comes behind"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].clamp(-20, 20))), "cut off"),
        (encoder(hidden=torch.sigmoid), "behind layer 3"), (encoder(out=lambda h: h), "return a pair"),
        (encoder(hidden=lambda h: h.detach()), "without gradient"),
        (NoModule, "inherits from nn.Module"),
    ],
    "14.2": [
        (decoder(last=nn.Identity), "tanh"), (decoder(last=nn.Sigmoid), "tanh"),
        (decoder(act=lambda: nn.LeakyReLU(0.2)), "negative values"),
        (decoder(norm=nn.Identity), "batch norm is missing"),
        (decoder(first_norm=False, flat=nn.BatchNorm1d), "BatchNorm1d normalises each number"),
        (decoder(flat=nn.BatchNorm1d), "BatchNorm1d normalises each number"),
        (decoder(first_norm=False), "batch norm is missing"), (decoder(double=1), "from the input on"),
        (decoder(detach=True), "without gradient"), (NoModule, "inherits from nn.Module"),
    ],
}
