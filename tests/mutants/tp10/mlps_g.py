"""Answers to exercise 10.5."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from .common import (
    BatchNormByHand,
    Player,
    WithoutSuper,
    first_y,
    hidden_layers,
    hot,
    leaky,
    number,
    one_label,
    rolled,
    same_sizes,
)


def mlp_generator(sizes=same_sizes, last=torch.tanh, view=lambda x, c, s: x.view(-1, c, s, s), **parts):
    class Generator(Player):
        def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
            super().__init__()
            nz, classes, doors, hidden, self.channels, self.size = sizes(
                nz=nz, classes=classes, doors=doors, hidden=hidden, channels=channels, size=size).values()
            self.make(nz, classes, doors, hidden, self.channels * self.size**2, **parts)

        def forward(self, z, y):
            return view(last(self.through(z, y)), self.channels, self.size)

    return Generator


class MLPGeneratorByList(nn.Module):
    """Modules in a list, one activation for both doors behind the concatenation, no bias in places."""

    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__()
        self.register_buffer("eye", torch.eye(classes))
        self.z, self.y = nn.Linear(nz, doors[0]), nn.Linear(classes, doors[1], bias=False)
        self.lines = nn.ModuleList()
        for outputs in hidden:
            self.lines.append(nn.Linear(self.lines[-1].out_features if self.lines else sum(doors), outputs))
        self.out = nn.Linear(hidden[-1], channels * size**2, bias=False)
        self.image = nn.Unflatten(1, (channels, size, size))

    def forward(self, z, y):
        x = F.leaky_relu(torch.hstack([self.z(z[:, :, 0, 0]), self.y(self.eye[y])]), 0.2)
        for line in self.lines:
            x = F.leaky_relu(line(x), 0.2)
        return self.image(self.out(x)).tanh()


class MLPGeneratorByParameters(nn.Module):
    """Nothing but parameters, y's door by indexing its weights; the last layer is defined first."""

    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__()
        def weight(outputs, inputs):
            return nn.Parameter(torch.randn(outputs, inputs) / inputs**0.5)

        self.shape = channels, size, size
        self.out = weight(channels * size * size, hidden[-1])
        self.lines = nn.ParameterList(weight(b, a) for a, b in pairwise([doors[0] + doors[1], *hidden]))
        self.of_y, self.of_z = weight(doors[1], classes), weight(doors[0], nz)

    def forward(self, z, y):
        x = torch.cat([F.linear(z.squeeze((2, 3)), self.of_z), self.of_y.T[y]], -1)
        for weight in [*self.lines, self.out]:
            x = F.linear(torch.max(x, 0.2 * x), weight)
        return x.tanh().reshape(-1, *self.shape)


class MLPGeneratorFixed(mlp_generator()):
    """Three hidden layers, whatever `hidden`."""

    def __init__(self, hidden=(1200,), **sizes):
        a, b, c = hidden
        super().__init__(hidden=(a, b, c), **sizes)


class ConvGeneratorForMLP(nn.Module):
    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__()
        self.layer = nn.ConvTranspose2d(nz, channels, size)

    def forward(self, z, y):
        return self.layer(z).tanh()


class MLPGeneratorOneDoor(nn.Module):
    """z and y are concatenated first, then a door for both."""

    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__()
        self.classes, self.shape = classes, (channels, size, size)
        self.net = nn.Sequential(*hidden_layers([nz + classes, sum(doors), *hidden]),
                                 nn.Linear(hidden[-1], channels * size**2), nn.Tanh())

    def forward(self, z, y):
        return self.net(torch.cat([z.flatten(1), hot(y, self.classes)], 1)).view(-1, *self.shape)


class MLPGeneratorNoLabel(nn.Module):
    """No layer for the label at all."""

    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__()
        self.shape = channels, size, size
        self.net = nn.Sequential(*hidden_layers([nz, doors[0], *hidden]), nn.Linear(hidden[-1], channels * size**2))

    def forward(self, z, y):
        return self.net(z.flatten(1)).tanh().view(-1, *self.shape)


class MLPGeneratorEmbeds(mlp_generator()):
    def __init__(self, nz=100, classes=10, doors=(200, 1000), hidden=(1200,), channels=1, size=32):
        super().__init__(nz, classes, doors, hidden, channels, size)
        self.doors["y"] = nn.Sequential(nn.Embedding(classes, doors[1]), nn.LeakyReLU(0.2))
        self.hot = lambda y, classes: y


class MLPGeneratorPlainList(mlp_generator()):
    """The layers are in plain lists."""

    def __init__(self, **sizes):
        super().__init__(**sizes)
        self.layers = [self.doors, self.hidden, self.out]
        del self.doors, self.hidden, self.out


RIGHT = {
    "10.5": [mlp_generator(), MLPGeneratorByList, MLPGeneratorByParameters],
}

MUTANTS = {
    "10.5": [
        (mlp_generator(last=lambda x: x), "tanh"), (mlp_generator(last=torch.sigmoid), "not sigmoid"),
        (mlp_generator(last=lambda x: F.leaky_relu(x, 0.2).tanh()), "tanh alone"),
        (mlp_generator(act=nn.LeakyReLU), "slope 0.2"), (mlp_generator(act=nn.ReLU), "slope 0.2"),
        *((mlp_generator(act=lambda slope=slope: nn.LeakyReLU(slope)), "slope 0.2") for slope in (0.02, 0.1, 0.3)),
        (mlp_generator(act=nn.Identity), "slope 0.2"),
        (mlp_generator(act=nn.Identity, door_act={"x": leaky, "y": leaky}), "slope 0.2"),
        (mlp_generator(door_act={"x": nn.Identity}), "missing in a door"),
        (mlp_generator(door_act={"y": nn.Identity}), "missing in a door"),
        (mlp_generator(door_act={"x": nn.Identity, "y": nn.Identity}), "missing in a door"),
        (mlp_generator(door_act={"x": nn.ReLU, "y": nn.ReLU}), "slope 0.2"),
        (mlp_generator(door_act={"y": nn.LeakyReLU}), "slope 0.2"),
        (mlp_generator(cat=lambda z, y: F.leaky_relu(torch.cat([z, y], 1), 0.2)), "comes once"),
        (mlp_generator(norm=nn.BatchNorm1d), "batch norm"), (mlp_generator(norm=BatchNormByHand), "batch norm"),
        (mlp_generator(norm=nn.LayerNorm), "batch norm"),
        (mlp_generator(drop=nn.Dropout, drops=["hidden"]), "no dropout"),
        (mlp_generator(drop=nn.Dropout, drops=["x"]), "no dropout"),
        (mlp_generator(raw="y"), "one-hot y is concatenated as it is"), (mlp_generator(raw="x"), "z is concatenated"),
        (mlp_generator(raw="xy"), "z and one-hot y are concatenated as they are"),
        (MLPGeneratorOneDoor, "share a door"), (MLPGeneratorEmbeds, "Embedding"),
        (mlp_generator(sizes=lambda **s: {**s, "doors": s["doors"][::-1]}), "the doors have changed places"),
        (mlp_generator(sizes=lambda **s: {**s, "doors": (200, 1000)}), "`doors`"),
        (mlp_generator(sizes=lambda **s: {**s, "doors": s["doors"][:1] * 2}), "`doors`"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": s["hidden"][::-1]}), "wrong order"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": s["hidden"][:-1]}), "any length"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": s["hidden"][:1]}), "any length"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": ()}), "any length"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": (*s["hidden"], 11)}), "layers from inputs to outputs: 4 → 5"),
        (mlp_generator(sizes=lambda **s: {**s, "hidden": (1200,)}), "`hidden`"), (MLPGeneratorFixed, "any length"),
        (mlp_generator(sizes=lambda **s: {**s, "nz": 100}), "`nz`"),
        (mlp_generator(sizes=lambda **s: {**s, "classes": 10}), "`classes`"),
        (mlp_generator(sizes=lambda **s: {**s, "channels": 1}), "`channels`"),
        (mlp_generator(sizes=lambda **s: {**s, "size": 32}), "`size`"),
        (mlp_generator(sizes=lambda **s: {**s, "channels": 1, "size": 32}), "here 50"),
        (mlp_generator(hot=number, y_inputs=1), "single number"),
        (mlp_generator(hot=number, y_inputs=1, raw="y"), "single number"),
        (mlp_generator(hot=number, y_inputs=1, raw="xy"), "single number"),
        (mlp_generator(hot=lambda y, k: hot(y, 10)), "another number of values"),
        (mlp_generator(hot=F.one_hot), "integers"),
        (MLPGeneratorNoLabel, "no layer for the label"),
        (mlp_generator(y_inputs=0, raw="xy", cat=lambda z, y: z), "no layer for the label"),
        (mlp_generator(cat=first_y), "z comes first"), (mlp_generator(cat=lambda z, y: torch.cat([z, y])), "dim=1"),
        (mlp_generator(cat=lambda z, y: torch.cat([z, torch.zeros_like(y)], 1)), "where does y enter"),
        (mlp_generator(cat=lambda z, y: torch.cat([torch.zeros_like(z), y], 1)), "z changes nothing"),
        (mlp_generator(hot=lambda y, k: hot(y, k) * y[:, None]), "not the number"),
        (mlp_generator(label=torch.zeros_like), "where does y enter"),
        (mlp_generator(label=one_label), "another image's label"),
        (mlp_generator(label=rolled), "another image's label"),
        (mlp_generator(view=lambda x, c, s: x), "in a row"),
        (mlp_generator(view=lambda x, c, s: x.view(-1, s, s, c)), "channels, size, size"),
        (mlp_generator(view=lambda x, c, s: x.view(-1, 1, s, s)), "shape of other images"),
        (mlp_generator(view=lambda x, c, s: x.view(-1, s, s, c).permute(0, 3, 1, 2)), "order of the layers"),
        (ConvGeneratorForMLP, "there is a convolution"), (WithoutSuper, "super().__init__()"),
        (MLPGeneratorPlainList, "nn.ModuleList"),
    ],
}
