"""What several rooms share."""

from itertools import pairwise

from torch import nn


def generator(last=nn.Tanh, act=nn.ReLU, order="bad", drop=nn.Dropout, norm=nn.BatchNorm2d, widths=None,
              first=(4, 1, 0), wet_last=False, wet_first=False, hidden_wet=True, detach=False, use_size=True):
    """A generator in a loop of its own. order: b(atch norm), a(ctivation), d(ropout)."""
    class Generator(nn.Module):
        def __init__(self, size=32, nz=100, width=32, dropout=0.0):
            super().__init__()
            size = size if use_size else 32
            channels = [width * size // 8]
            while channels[-1] > width:
                channels.append(channels[-1] // 2)
            channels = widths(channels) if widths else channels
            layers = [drop(dropout)] if wet_first else []
            for k, (a, b) in enumerate(pairwise([nz, *channels])):
                parts = {"b": norm(b), "a": act(), "d": drop(dropout) if hidden_wet or k == 0 else nn.Identity()}
                layers += [nn.ConvTranspose2d(a, b, *(first if k == 0 else (4, 2, 1)))]
                layers += [parts[name] for name in order]
            layers += [nn.ConvTranspose2d(channels[-1], 3, 4, 2, 1), last()]
            self.every = nn.ModuleList([*layers, *([drop(dropout)] if wet_last else [])])

        def forward(self, z):
            for layer in self.every:
                z = layer(z)
            return z.detach() if detach else z

    return Generator
