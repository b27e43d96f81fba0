"""Answers to the exercises 9.1 and 9.2."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from .common import generator


def discriminator(act=lambda: nn.LeakyReLU(0.2), norm=nn.BatchNorm2d, conv=nn.Conv2d, stride=2, padding=1, bias=False,
                  kernel=4, first_norm=True, first_width=1, last=lambda c: nn.Conv2d(c, 1, 4), swap=False,
                  end=lambda y: y.view(-1), more=0, fixed=None, layers_of=nn.Sequential):
    class Discriminator(nn.Module):
        def __init__(self, channels=1, width=32, blocks=3):
            super().__init__()
            layers, inputs = [], fixed or channels
            for i in range(blocks + more):
                outputs = width * first_width * 2**i
                layers.append(conv(inputs, outputs, kernel, stride=stride, padding=padding, bias=bias))
                middle = [norm(outputs)] if norm and (i or first_norm) else []
                middle = [act(), *middle] if swap else [*middle, act()]
                layers += middle
                inputs = outputs
            self.net = layers_of(*layers, last(inputs))

        def forward(self, x):
            return end(self.net(x))

    return Discriminator


class FunctionalD(nn.Module):
    """ModuleLists, functional activations, a last convolution without bias, reshape."""

    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        sizes = [channels] + [width << i for i in range(blocks)]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, (4, 4), (2, 2), (1, 1), bias=False)
                                          for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in sizes[1:])
        self.last = nn.Conv2d(sizes[-1], 1, 4, padding="valid", bias=False)

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(x))
            x = torch.where(x > 0, x, 0.2 * x)
        return self.last(x).squeeze(3).squeeze(2).squeeze(1)


class LazyD(nn.Module):
    """Lazy layers in blocks of their own, activations in place, weights drawn at once."""

    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        self.blocks = nn.Sequential(*(
            nn.Sequential(nn.LazyConv2d(width * 2**i, 4, 2, 1, bias=False), nn.BatchNorm2d(width * 2**i),
                          nn.LeakyReLU(0.2, inplace=True)) for i in range(blocks)))
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)
        self.head = nn.LazyConv2d(1, 4)

    def forward(self, x):
        return torch.flatten(self.head(self.blocks(x)), start_dim=0)


class PlainListD(nn.Module):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        self.layers = []
        for i in range(blocks):
            self.layers += [nn.Conv2d(channels, width * 2**i, 4, 2, 1, bias=False),
                            nn.BatchNorm2d(width * 2**i), nn.LeakyReLU(0.2)]
            channels = width * 2**i
        self.layers.append(nn.Conv2d(channels, 1, 4))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x.flatten()


class NoSuperD(nn.Module):
    def __init__(self, channels=1, width=32, blocks=3):
        self.layers = nn.Conv2d(channels, width, 4)


class NoForwardD(discriminator()):
    forward = nn.Module.forward


class FixedBlocksD(discriminator()):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__(channels, width, 3)


class UnusedLayerD(discriminator()):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__(channels, width, blocks)
        self.classifier = nn.Linear(16 * width, 1)


class WrongNormSizeD(discriminator(norm=lambda outputs: nn.BatchNorm2d(outputs // 2))):
    pass


def no_gradient(y):
    return y.detach().flatten()


class Instance(nn.InstanceNorm2d):
    def __init__(self, channels):
        super().__init__(channels, affine=True)


class RecursiveG(nn.Module):
    """One block a module of its own, clamp for ReLU, exponentials for tanh, no bias in the last layer."""

    def __init__(self, nz=100, width=32, channels=1, blocks=3):
        super().__init__()
        outputs = width * 2 ** (blocks - 1)
        self.project = nn.ConvTranspose2d(nz, outputs, 4, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.ups = nn.ModuleList()
        while outputs > width:
            self.ups.append(nn.ModuleDict({
                "up": nn.ConvTranspose2d(outputs, outputs // 2, 4, stride=2, padding=1, bias=False),
                "norm": nn.BatchNorm2d(outputs // 2),
            }))
            outputs //= 2
        self.image = nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1, bias=False)

    def forward(self, z):
        x = self.norm(self.project(z)).clamp(min=0)
        for block in self.ups:
            x = block["norm"](block["up"](x)).clamp(min=0)
        return 2 * torch.sigmoid(2 * self.image(x)) - 1


class UpsamplingG(nn.Module):
    def __init__(self, nz=100, width=32, channels=1, blocks=3):
        super().__init__()
        layers, inputs = [nn.ConvTranspose2d(nz, width, 4)], width
        for _ in range(blocks):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, width, 3, padding=1)]
        self.net = nn.Sequential(*layers)

    def forward(self, z):
        return torch.tanh(self.net(z))


class NoFirstG(generator()):
    """The latents are enlarged by hand, without a layer for it."""

    def forward(self, z):
        return torch.tanh(self.net[3:](z.expand(-1, -1, 4, 4)[:, :1].expand(-1, self.net[3].in_channels, -1, -1)))


RIGHT = {
    "9.1": [FunctionalD, LazyD, discriminator(), discriminator(end=lambda y: y[:, 0, 0, 0])],
    "9.2": [RecursiveG, generator(), generator(act=lambda: nn.ReLU(True), end=lambda y: F.tanh(y))],
}

MUTANTS = {
    "9.1": [
        (discriminator(end=lambda y: y), "[N]"), (discriminator(end=lambda y: y.flatten(1)), "[N]"),
        (discriminator(end=torch.squeeze), "squeeze"), (discriminator(end=torch.mean), "no mean"),
        (discriminator(end=lambda y: y.sigmoid().flatten()), "no sigmoid"),
        (discriminator(end=torch.sigmoid), "no sigmoid"),
        (discriminator(end=lambda y: y.tanh().flatten()), "nothing comes after"),
        (discriminator(end=no_gradient), "no gradient"), (discriminator(end=lambda y: None), "return"),
        (discriminator(act=nn.ReLU), "not ReLU"), (discriminator(act=nn.LeakyReLU), "slope"),
        (discriminator(act=nn.Identity), "no activation"), (discriminator(act=nn.Tanh), "LeakyReLU(0.2)"),
        (discriminator(norm=None), "no batch norm"), (discriminator(first_norm=False), "no batch norm"),
        (discriminator(norm=None, act=nn.Identity), "neither"), (discriminator(swap=True), "before the activation"),
        (discriminator(norm=Instance), "whole batch"),
        (discriminator(norm=lambda c: nn.BatchNorm2d(c, affine=False)), "affine"),
        (discriminator(norm=lambda c: nn.BatchNorm2d(c, track_running_stats=False)), "running statistics"),
        (discriminator(bias=True), "bias=False"), (discriminator(stride=1), "stride"),
        (discriminator(padding=0), "padding is 1"), (discriminator(padding=2), "padding is 1"),
        (discriminator(kernel=3), "4 × 4"), (discriminator(conv=nn.ConvTranspose2d), "shrinks"),
        (discriminator(first_width=2), "channels"), (discriminator(fixed=1), "channels"),
        (discriminator(last=lambda c: nn.Conv2d(c, 1, 4, padding=1)), "0 in the last"),
        (discriminator(last=lambda c: nn.Conv2d(c, 2, 4)), "last to 1"),
        (discriminator(last=lambda c: nn.Sequential(nn.Flatten(), nn.Linear(16 * c, 1))), "one more"),
        (discriminator(more=1), "`blocks`"), (FixedBlocksD, "`blocks`"), (PlainListD, "plain list"),
        (NoSuperD, "super()"), (NoForwardD, "forward(self"), (UnusedLayerD, "more weights"),
        (WrongNormSizeD, "as many channels"), (lambda *_, **__: (lambda x: x), "nn.Module"),
    ],
    "9.2": [
        (generator(end=lambda y: y), "tanh"), (generator(end=torch.sigmoid), "sigmoid"),
        (generator(end=lambda y: (y.tanh() + 1) / 2), "[−1, 1]"), (generator(end=lambda y: y.clamp(-1, 1)), "cut off"),
        (generator(last_norm=True), "no batch norm after"), (generator(end=lambda y: y.relu().tanh()), "no ReLU"),
        (generator(end=lambda y: y.tanh().detach()), "no gradient"),
        (generator(end=lambda y: y.tanh().flatten(1)), "tanh"),
        (generator(norm=None), "no batch norm"), (generator(swap=True), "before the activation"),
        (generator(act=lambda: nn.LeakyReLU(0.2)), "LeakyReLU is for"), (generator(act=nn.Identity), "no activation"),
        (generator(act=nn.Tanh), "is ReLU"), (generator(norm=Instance), "whole batch"),
        (generator(norm=lambda c: nn.BatchNorm2d(c, affine=False)), "affine"),
        (generator(bias=True), "bias=False"), (generator(padding=0), "padding"), (generator(stride=1), "stride"),
        (generator(first=(2, 1)), "1 in the first"), (generator(first=(1, 1)), "0 in the first"),
        (generator(nz_used=False), "nz"), (generator(grow=True), "halve"), (generator(fixed=3), "`blocks`"),
        (generator(options={"dilation": 2}), "defaults"), (UpsamplingG, "grows"), (NoFirstG, "from nz"),
        (generator(conv=nn.Conv2d), "grows"),
    ],
}
