"""Answers to exercise 10.6."""

import torch
from torch import nn
from torch.nn import functional as F

from .common import BatchNormByHand, Player, WithoutSuper, first_y, hidden_layers, hot, number, one_label, same_sizes


def mlp_discriminator(sizes=same_sizes, rate=lambda p: p, drop=nn.Dropout, drops=("x", "hidden"), result=torch.flatten,
                      **parts):
    class Discriminator(Player):
        def __init__(self, classes=10, doors=(512, 512), hidden=(512, 256), dropout=0.5, channels=1, size=32):
            super().__init__()
            classes, doors, hidden, channels, size = sizes(
                classes=classes, doors=doors, hidden=hidden, channels=channels, size=size).values()
            self.make(channels * size**2, classes, doors, hidden, 1, lambda: drop(rate(dropout)), drops, **parts)

        def forward(self, x, y):
            return result(self.through(x, y))

    return Discriminator


class FunctionalDropout(nn.Module):
    """Dropout by F.dropout, which drops in eval mode too unless it is told not to."""

    def __init__(self, rate, always=False):
        super().__init__()
        self.rate, self.always = rate, always

    def forward(self, x):
        return F.dropout(x, self.rate, training=self.always or self.training)


class UnscaledDropout(nn.Module):
    """What is kept stays as it is."""

    def __init__(self, rate):
        super().__init__()
        self.rate = rate

    def forward(self, x):
        return x * (torch.rand_like(x) >= self.rate) if self.training else x


class MLPDiscriminatorByHand(nn.Module):
    """Dropout before LeakyReLU (the two may change places), by a mask of its own at the door."""

    def __init__(self, classes=10, doors=(512, 512), hidden=(512, 256), dropout=0.5, channels=1, size=32):
        super().__init__()
        self.classes, self.dropout = classes, dropout
        widths = [sum(doors), *hidden, 1]
        self.lines = nn.ModuleList(map(nn.Linear, widths[:-1], widths[1:]))
        self.of_label, self.of_image = nn.Linear(classes, doors[1]), nn.Linear(channels * size**2, doors[0])

    def forward(self, x, y):
        x, y = self.of_image(x.view(len(x), -1)), self.of_label(F.one_hot(y, self.classes).to(x.dtype))
        if self.training:
            x = x * (torch.rand_like(x) >= self.dropout) / (1 - self.dropout)
        x = F.leaky_relu(torch.cat([x, y], dim=-1), negative_slope=0.2)
        for line in self.lines[:-1]:
            x = F.dropout(line(x), self.dropout, self.training)
            x = torch.where(x < 0, 0.2 * x, x)
        return self.lines[-1](x).squeeze(1)


class MLPDiscriminatorOneModule(mlp_discriminator()):
    """A single dropout module at all places, and the doors under other names."""

    def __init__(self, classes=10, doors=(512, 512), hidden=(512, 256), dropout=0.5, channels=1, size=32):
        super().__init__()
        self.doors = self.hidden = self.drops = None
        self.classes, self.drop = classes, nn.Dropout(dropout)
        self.y_door = nn.Sequential(nn.Linear(classes, doors[1]), nn.LeakyReLU(0.2))
        self.x_door = nn.Sequential(nn.Flatten(), nn.Linear(channels * size**2, doors[0]), nn.LeakyReLU(0.2), self.drop)
        self.body = nn.Sequential(*hidden_layers([sum(doors), *hidden], drop=lambda: self.drop))
        self.out = nn.Linear(hidden[-1], 1)

    def forward(self, x, y):
        return self.out(self.body(torch.cat([self.x_door(x), self.y_door(hot(y, self.classes))], 1)))[:, 0]


RIGHT = {
    "10.6": [
        mlp_discriminator(), mlp_discriminator(drop=FunctionalDropout), MLPDiscriminatorByHand,
        MLPDiscriminatorOneModule,
    ],
}

MUTANTS = {
    "10.6": [
        (mlp_discriminator(drops=()), "nothing is dropped"),
        (mlp_discriminator(drop=lambda rate: FunctionalDropout(rate, always=True)), "after D.eval()"),
        (mlp_discriminator(rate=lambda p: 1 - p), "rate"), (mlp_discriminator(rate=lambda p: 0.3), "rate"),
        (mlp_discriminator(drop=lambda rate: nn.Dropout()), "rate"),
        (mlp_discriminator(drop=lambda rate: nn.Dropout(0.4)), "rate"),
        (mlp_discriminator(drop=lambda rate: nn.Dropout(0.9)), "rate"),
        (mlp_discriminator(drop=lambda rate: nn.Sequential(nn.Dropout(rate), nn.Dropout(rate))), "rate"),
        (mlp_discriminator(drop=UnscaledDropout), "divided by"),
        (mlp_discriminator(drops=["x"]), "one place only"), (mlp_discriminator(drops=["one"]), "one place only"),
        (mlp_discriminator(drops=["hidden"]), "no units of x's door"),
        (mlp_discriminator(drops=["x", "one"]), "some hidden layers"),
        (mlp_discriminator(drops=["x", "y", "hidden"]), "no dropout in y's door"),
        (mlp_discriminator(drops=["x", "y"]), "no dropout in y's door"),
        (mlp_discriminator(drops=["y", "hidden"]), "no dropout in y's door"),
        (mlp_discriminator(drops=["both", "hidden"]), "nor behind the concatenation"),
        (mlp_discriminator(drops=["both"]), "nor behind the concatenation"),
        (mlp_discriminator(drops=["x", "label", "hidden"]), "no dropout in y's door"),
        (mlp_discriminator(drops=["pixels", "hidden"]), "not the input"),
        (mlp_discriminator(drops=["pixels", "x", "hidden"]), "not the input"),
        (mlp_discriminator(drops=["x", "hidden", "logits"]), "or the logit"),
        (mlp_discriminator(act=nn.LeakyReLU), "slope 0.2"), (mlp_discriminator(act=nn.ReLU), "slope 0.2"),
        *((mlp_discriminator(act=lambda slope=slope: nn.LeakyReLU(slope)), "slope 0.2") for slope in (0.02, 0.1, 0.3)),
        (mlp_discriminator(act=nn.Identity), "slope 0.2"),
        (mlp_discriminator(door_act={"x": nn.Identity}), "missing in a door"),
        (mlp_discriminator(door_act={"y": nn.Identity}), "missing in a door"),
        (mlp_discriminator(door_act={"x": nn.LeakyReLU, "y": nn.LeakyReLU}), "slope 0.2"),
        (mlp_discriminator(norm=nn.BatchNorm1d), "batch norm"), (mlp_discriminator(norm=BatchNormByHand), "batch norm"),
        (mlp_discriminator(raw="y"), "one-hot y is concatenated as it is"),
        (mlp_discriminator(raw="x", drops=["hidden"]), "x is concatenated as it is"),
        (mlp_discriminator(raw="xy", drops=["hidden"]), "x and one-hot y are concatenated as they are"),
        (mlp_discriminator(sizes=lambda **s: {**s, "doors": s["doors"][::-1]}), "the doors have changed places"),
        (mlp_discriminator(sizes=lambda **s: {**s, "doors": (512, 512)}), "`doors`"),
        (mlp_discriminator(sizes=lambda **s: {**s, "hidden": s["hidden"][::-1]}), "wrong order"),
        (mlp_discriminator(sizes=lambda **s: {**s, "hidden": s["hidden"][:2]}), "any length"),
        (mlp_discriminator(sizes=lambda **s: {**s, "hidden": (512, 256)}), "`hidden`"),
        (mlp_discriminator(sizes=lambda **s: {**s, "classes": 10}), "`classes`"),
        (mlp_discriminator(sizes=lambda **s: {**s, "size": 32}), "`size`"),
        (mlp_discriminator(sizes=lambda **s: {**s, "channels": 1}), "`channels`"),
        (mlp_discriminator(sizes=lambda **s: {**s, "channels": 1, "size": 32}), "here 50"),
        (mlp_discriminator(hot=number, y_inputs=1), "single number"),
        (mlp_discriminator(cat=first_y), "x comes first"),
        (mlp_discriminator(label=torch.zeros_like), "where does y enter"),
        (mlp_discriminator(label=one_label), "another image's label"),
        (mlp_discriminator(label=lambda y: y.flip(0)), "another image's label"),
        (mlp_discriminator(image=torch.zeros_like), "x changes nothing"),
        (mlp_discriminator(result=torch.sigmoid), "probabilities"),
        (mlp_discriminator(result=lambda x: x.sigmoid().flatten()), "probabilities"),
        (mlp_discriminator(result=lambda x: x), "flatten()"), (mlp_discriminator(result=torch.squeeze), "batch axis"),
        (mlp_discriminator(result=lambda x: F.leaky_relu(x, 0.2).flatten()), "behind the last layer"),
        (WithoutSuper, "super().__init__()"),
    ],
}
