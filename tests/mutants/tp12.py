"""Answers to the exercises of TP 12: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import nets
from tp_utils.data import resized

# ---- 12.1


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


# ---- 12.2


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


# ---- 12.3


def soft(draw=lambda n, g: torch.rand(n, generator=g), amount=lambda u, softness: softness * u, high=lambda t, a: t - a,
         low=lambda t, a: t + a):
    def soft_labels(targets, softness, generator=None):
        moved = amount(draw(len(targets), generator), softness).to(targets.device)
        return targets * high(targets, moved) + (1 - targets) * low(targets, moved)

    return soft_labels


def soft_by_direction(targets, softness, generator=None):
    """Towards ½: minus the sign of (t − ½)."""
    return targets - (2 * targets - 1) * softness * torch.rand(len(targets), generator=generator).to(targets.device)


def soft_in_place(targets, softness, generator=None):
    targets -= (2 * targets - 1) * softness * torch.rand(len(targets), generator=generator).to(targets.device)
    return targets


def soft_with_its_own(targets, softness, generator=None):
    return soft_by_direction(targets, softness, generator or torch.Generator().manual_seed(0))


def soft_needs_generator(targets, softness, generator):
    return soft_by_direction(targets, softness, generator)


# ---- 12.4


def rate(prepare=lambda part: nets.to_input(resized(part, 224)), low=281, high=285, split=50, count=None, out=float):
    def cat_rate(network, images):
        with torch.no_grad():
            classes = torch.cat([network(prepare(part)).argmax(1) for part in images.split(split)])
        cats = ((low <= classes) & (classes <= high)).double()
        return out(count(cats) if count else cats.mean())

    return cat_rate


def rate_by_loop(network, images):
    cats = 0
    for image in images:
        cats += int(network(nets.to_input(resized(image[None], 224))).argmax()) in range(281, 286)
    return cats / len(images)


def rate_by_probability(network, images):
    scores = torch.cat([network(nets.to_input(resized(part, 224))).softmax(1) for part in images.split(50)])
    return scores[:, 281:286].sum(1).double().mean().item()


def rate_of_five(network, images):
    first = torch.cat([network(nets.to_input(resized(part, 224))).topk(5).indices for part in images.split(50)])
    return ((first >= 281) & (first <= 285)).any(1).double().mean().item()


def rate_of_the_first_batch(network, images):
    return rate()(network, images[:50])


# ---- 12.5


def distance(kernel=lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3, diagonal=False, pairs=lambda n: n * (n - 1), cross=2,
             out=lambda d: d):
    def kernel_inception_distance(real, generated):
        def among(x):
            values, n = kernel(x, x), len(x)
            return values.mean() if diagonal else values.masked_fill(torch.eye(n, dtype=bool), 0).sum() / pairs(n)

        return out(among(real) + among(generated) - cross * kernel(real, generated).mean())

    return kernel_inception_distance


def distance_by_loops(real, generated):
    def k(a, b):
        return (torch.dot(a, b) / len(a) + 1) ** 3

    def among(x):
        values = [k(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]
        return sum(values) / len(values)

    across = [k(a, b) for a in real for b in generated]
    return among(real) + among(generated) - 2 * sum(across) / len(across)


RIGHT = {
    "12.1": [generator(), generator(drop=DropFunctional), generator(act=lambda: nn.ReLU(inplace=True))],
    "12.2": [discriminator(), discriminator(flat=lambda x: x.view(-1)),
             discriminator(act=lambda: nn.LeakyReLU(0.2, inplace=True))],
    "12.3": [soft(), soft_by_direction],
    "12.4": [rate(), rate_by_loop],
    "12.5": [distance(), distance_by_loops],
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
    "12.3": [
        (soft(draw=lambda n, g: torch.rand(1, generator=g).expand(n)), "the same amount"),
        (soft(high=lambda t, a: t + a, low=lambda t, a: t - a), "leave [0, 1]"),
        (soft(low=lambda t, a: t), "targets of 0 stay"), (soft(high=lambda t, a: t), "targets of 1 stay"),
        (soft(draw=lambda n, g: torch.rand(n)), "generator=generator"),
        (soft(draw=lambda n, g: torch.rand(n, generator=torch.Generator().manual_seed(3))), "another generator"),
        (soft(amount=lambda u, s: 0.49 * u), "uniformly"),
        (soft(amount=lambda u, s: s * u / 2), "uniformly"), (soft(amount=lambda u, s: s + 0 * u), "the same amount"),
        (soft_in_place, "clone"), (soft_with_its_own, "torch's own"), (soft_needs_generator, "generator=None"),
        (soft(high=lambda t, a: a, low=lambda t, a: 1 - a), "changed places"),
    ],
    "12.4": [
        (rate(prepare=lambda x: nets.to_input(x)), "another side"),
        (rate(prepare=lambda x: resized(x, 224).float()), "from 0 to 255"),
        (rate(prepare=lambda x: resized(x, 224).float() / 255), "pixels in [0, 1]"),
        (rate(prepare=lambda x: nets.to_input(resized(x, 224)).flip(0)), "other values"),
        (rate(high=284), "281 to 285"), (rate(low=282), "281 to 285"), (rate(high=286), "281 to 285"),
        (rate(low=281, high=281), "all five"), (rate(count=lambda c: c.sum()), "number of cats"),
        (rate(count=lambda c: 100 * c.mean()), "per cent"), (rate(split=1000), "at most 50"),
        (rate(count=lambda c: torch.stack([part.mean() for part in c.split(50)]).mean()), "mean over batches"),
        (rate(out=lambda x: x), ".item()"), (rate_of_five, "most probable class alone"),
        (rate_by_probability, "probability"), (rate_of_the_first_batch, "of 57 images"),
    ],
    "12.5": [
        (distance(diagonal=True), "leave out the diagonal"), (distance(pairs=lambda n: n * n), "number of pairs"),
        (distance(kernel=lambda a, b: (a @ b.T + 1) ** 3), "divided by F"),
        (distance(kernel=lambda a, b: (a @ b.T / a.shape[1]) ** 3), "1 is missing"),
        (distance(kernel=lambda a, b: (a @ b.T / a.shape[1] + 1) ** 2), "third power"), (distance(cross=1), "twice"),
        (distance(out=lambda d: -d), "other way round"), (distance(out=lambda d: d.clamp_min(0).sqrt()), "square root"),
    ],
}
