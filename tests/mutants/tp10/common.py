"""What several rooms share."""

from itertools import pairwise

import torch
from torch import nn


def hot(labels, classes):
    return (labels[:, None] == torch.arange(classes, device=labels.device)).float()


def planes(labels, classes, size):
    return hot(labels, classes)[:, :, None, None].repeat(1, 1, size, size)


def one_label(y):
    return y[:1].expand_as(y)


class WithoutSuper(nn.Module):
    def __init__(self, **sizes):
        self.layer = nn.Linear(1, 1)


def leaky():
    return nn.LeakyReLU(0.2)


def hidden_layers(widths, act=leaky, norm=None, drop=None):
    for inputs, outputs in pairwise(widths):
        yield from (nn.Linear(inputs, outputs), *([norm(outputs)] if norm else []), act(), *([drop()] if drop else []))


def same_sizes(**sizes):
    return sizes


def first_y(x, y):
    return torch.cat([y, x], 1)


def number(y, classes):
    return y.float()[:, None]


class Player(nn.Module):
    """What G and D have in common: two doors, what is behind the concatenation, and functions to put mistakes in.

    drops: where units are dropped, of "x" (the first door), "y", "hidden", "one" (the last hidden layer only),
    "pixels", "label", "both" (the concatenation), "logits".
    """

    def make(self, inputs, classes, doors, hidden, outputs, drop=None, drops=(), act=leaky, door_act=None, norm=None,
             y_inputs=None, raw="", cat=lambda x, y: torch.cat([x, y], 1), hot=hot, label=lambda y: y,
             image=lambda x: x):
        y_inputs = classes if y_inputs is None else y_inputs
        self.classes, self.cat, self.hot, self.label, self.image = classes, cat, hot, label, image
        acts = {name: (door_act or {}).get(name, act) for name in "xy"}
        ends = {"x": (inputs, doors[0]), "y": (y_inputs, doors[1])}
        self.doors = nn.ModuleDict({name: nn.Sequential(nn.Linear(*end), acts[name]()) for name, end in ends.items()
                                    if name not in raw})
        self.drops = nn.ModuleDict({name: drop() for name in drops if name not in ("hidden", "one")})
        joint = sum(end[name not in raw] for name, end in ends.items())
        self.hidden = nn.Sequential(*hidden_layers([joint, *hidden], act, norm, drop if "hidden" in drops else None),
                                    *([drop()] if "one" in drops else []))
        self.out = nn.Linear([joint, *hidden][-1], outputs)

    def dropped(self, name, x):
        return self.drops[name](x) if name in self.drops else x

    def through(self, x, y):
        ends = {"x": self.dropped("pixels", self.image(x.flatten(1))),
                "y": self.dropped("label", self.hot(self.label(y), self.classes))}
        x, y = (self.dropped(name, self.doors[name](end) if name in self.doors else end) for name, end in ends.items())
        return self.dropped("logits", self.out(self.hidden(self.dropped("both", self.cat(x, y)))))


class BatchNormByHand(nn.Module):
    def __init__(self, width):
        super().__init__()

    def forward(self, x):
        return (x - x.mean(0)) / (x.var(0) + 1e-5).sqrt()


def rolled(y):
    return y.roll(1)
