"""Answers to the exercises of TP 10: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

# ---- 10.1 and 10.2


def hot(labels, classes):
    return (labels[:, None] == torch.arange(classes, device=labels.device)).float()


def hot_by_scatter(labels, classes):
    return torch.zeros(len(labels), classes, device=labels.device).scatter_(1, labels[:, None], 1)


def hot_by_loop(labels, classes):
    result = torch.zeros(len(labels), classes, device=labels.device)
    for row, label in zip(result, labels, strict=True):
        row[label] = 1.0
    return result


def hot_in_place(labels, classes):
    result = hot(labels, classes)
    labels.zero_()
    return result


def planes(labels, classes, size):
    return hot(labels, classes)[:, :, None, None].repeat(1, 1, size, size)


def planes_by_loop(labels, classes, size):
    result = torch.zeros(len(labels), classes, size, size, device=labels.device)
    result[range(len(labels)), labels] = 1
    return result


def planes_by_embedding(labels, classes, size):
    return F.embedding(labels, torch.eye(classes, device=labels.device)).view(-1, classes, 1, 1) * torch.ones(
        size, size, device=labels.device)


def planes_one_pixel(labels, classes, size):
    return F.pad(hot(labels, classes)[:, :, None, None], (0, size - 1, 0, size - 1))


# ---- 10.3


def one_label(y):
    return y[:1].expand_as(y)


def conv_generator(branch="bnr", joint="bnr", last=nn.Tanh, act=nn.ReLU, kernel=4, bias=False, y_planes=planes,
                   cat=lambda z, y: torch.cat([z, y], 1), joint_inputs=4, label=lambda y: y, latent=lambda z: z,
                   stride=2, sizes=lambda **sizes: sizes, norms="zy", result=lambda x: x):
    """A conditional generator. branch, joint: the order of b(atch) n(orm) and r(elu)."""
    def block(inputs, outputs, stride, padding, order):
        layers = [nn.ConvTranspose2d(inputs, outputs, kernel, stride, padding, bias=bias)]
        if order == "rbn":
            return nn.Sequential(*layers, act(), nn.BatchNorm2d(outputs))
        return nn.Sequential(*layers, *([nn.BatchNorm2d(outputs)] if "bn" in order else []), act())

    class Generator(nn.Module):
        def __init__(self, nz=100, classes=10, width=128, channels=1):
            super().__init__()
            given = sizes(nz=nz, classes=classes, width=width, channels=channels)
            nz, self.classes, w, channels = given.values()
            self.z = block(nz, 2 * w, 1, 0, branch if "z" in norms else "r")
            self.y = block(self.classes, 2 * w, 1, 0, branch if "y" in norms else "r")
            self.a, self.b = block(joint_inputs * w, 2 * w, stride, 1, joint), block(2 * w, w, stride, 1, joint)
            self.image = nn.Sequential(nn.ConvTranspose2d(w, channels, kernel, 2, 1), last())

        def forward(self, z, y):
            z, y = self.z(latent(z)), self.y(y_planes(label(y), self.classes, 1))
            return result(self.image(self.b(self.a(cat(z, y)))))

    return Generator


class GeneratorByList(nn.Module):
    """Modules in lists, functional activations, batch norm in the branches after the concatenation."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__()
        self.eye = nn.Buffer(torch.eye(classes)) if hasattr(nn, "Buffer") else torch.eye(classes)
        ends = [(nz, 2, 1, 0), (classes, 2, 1, 0), (4 * width, 2, 2, 1), (2 * width, 1, 2, 1)]
        self.up = nn.ModuleList(nn.ConvTranspose2d(i, o * width, 4, s, p, bias=False) for i, o, s, p in ends)
        self.norms = nn.ModuleList(nn.BatchNorm2d(outputs * width) for outputs in (4, 2, 1))
        self.image = nn.ConvTranspose2d(width, channels, 4, 2, 1, bias=False)

    def forward(self, z, y):
        y = self.eye.to(y.device)[y][..., None, None]
        x = F.relu(self.norms[0](torch.cat([self.up[0](z), self.up[1](y)], dim=1)))
        for up, norm in zip(self.up[2:], self.norms[1:], strict=True):
            x = norm(up(x)).clamp_min(0)
        x = self.image(x)
        return 2 * torch.sigmoid(2 * x) - 1


class GeneratorByParameters(nn.Module):
    """Nothing but parameters and functions."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__()
        self.classes = classes
        ends = [(nz, 2 * width), (classes, 2 * width), (4 * width, 2 * width), (2 * width, width), (width, channels)]
        self.weights = nn.ParameterList(0.02 * torch.randn(*end, 4, 4) for end in ends)

    def forward(self, z, y):
        def up(x, weight, *where):
            return F.relu(F.batch_norm(F.conv_transpose2d(x, weight, None, *where), None, None, training=True))

        z, y = up(z, self.weights[0]), up(planes(y, self.classes, 1), self.weights[1])
        x = up(up(torch.cat([z, y], 1), self.weights[2], 2, 1), self.weights[3], 2, 1)
        return torch.tanh(F.conv_transpose2d(x, self.weights[4], None, 2, 1))


class GeneratorJoined(nn.Module):
    """One convolution of z and y together."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.ConvTranspose2d(nz + classes, 4 * width, 4, 1, 0, bias=False), nn.BatchNorm2d(4 * width), nn.ReLU(),
            nn.ConvTranspose2d(4 * width, 2 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(2 * width), nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, 2, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU(),
            nn.ConvTranspose2d(width, channels, 4, 2, 1), nn.Tanh())

    def forward(self, z, y):
        return self.layers(torch.cat([z, planes(y, self.classes, 1)], 1))


class GeneratorEmbeds(conv_generator()):
    """The label through an Embedding, not a transposed convolution."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__(nz, classes, width, channels)
        self.y = nn.Embedding(classes, 2 * width * 16)

    def forward(self, z, y):
        return self.image(self.b(self.a(torch.cat([self.z(z), self.y(y).view(len(y), -1, 4, 4)], 1))))


class GeneratorNoY(conv_generator()):
    """The label's branch is there, but not used."""

    def forward(self, z, y):
        z = self.z(z)
        return self.image(self.b(self.a(torch.cat([z, z], 1))))


class GeneratorShrinks(conv_generator()):
    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__(nz, classes, width, channels)
        self.b[0] = nn.Conv2d(2 * width, width, 3, padding=1, bias=False)


class WithoutSuper(nn.Module):
    def __init__(self, **sizes):
        self.layer = nn.Linear(1, 1)


class UnregisteredGenerator(conv_generator()):
    """The layers are in a plain list."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__(nz, classes, width, channels)
        self.layers = [self.z, self.y, self.a, self.b, self.image]
        del self.z, self.y, self.a, self.b, self.image


# ---- 10.4


def conv_discriminator(norms="", joint=True, act=lambda: nn.LeakyReLU(0.2), last=nn.Identity, kernel=4, bias=False,
                       y_planes=planes, cat=lambda x, y: torch.cat([x, y], 1), label=lambda y: y, stride=2,
                       sizes=lambda **sizes: sizes, result=torch.flatten, deep=8, image=lambda x: x):
    def block(inputs, outputs, norm, bias, act=act):
        return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, 1, bias=bias),
                             *([nn.BatchNorm2d(outputs)] if norm else []), act())

    class Discriminator(nn.Module):
        def __init__(self, classes=10, width=64, channels=1):
            super().__init__()
            self.classes, w, channels = sizes(classes=classes, width=width, channels=channels).values()
            self.x, self.y = block(channels, w, "x" in norms, True), block(self.classes, w, "y" in norms, True)
            self.both = nn.Sequential(block(2 * w, 4 * w, joint, bias), block(4 * w, deep * w, joint, bias),
                                      nn.Conv2d(deep * w, 1, 4), last())

        def forward(self, x, y):
            x, y = self.x(image(x)), self.y(y_planes(label(y), self.classes, 32))
            return result(self.both(cat(x, y)))

    return Discriminator


class DiscriminatorByHand(nn.Module):
    """Functional activations, no bias anywhere, the planes as a broadcast product."""

    def __init__(self, classes=10, width=64, channels=1):
        super().__init__()
        self.classes = classes
        self.convs = nn.ModuleDict({
            "image": nn.Conv2d(channels, width, 4, 2, 1, bias=False),
            "label": nn.Conv2d(classes, width, 4, 2, 1, bias=False),
        })
        self.c3, self.c4 = (nn.Conv2d(i * width, o * width, 4, 2, 1, bias=False) for i, o in ((2, 4), (4, 8)))
        self.n3, self.n4 = nn.BatchNorm2d(4 * width), nn.BatchNorm2d(8 * width)
        self.score = nn.Conv2d(8 * width, 1, 4, 2, bias=True)

    def forward(self, x, y):
        flat = F.one_hot(y, self.classes)[:, :, None, None] * torch.ones_like(x[:, :1])
        x = F.leaky_relu(torch.cat([self.convs["image"](x), self.convs["label"](flat)], dim=1), 0.2)
        x = torch.maximum(self.n3(self.c3(x)), 0.2 * self.n3(self.c3(x)))
        x = F.leaky_relu(self.n4(self.c4(x)), 0.2)
        return self.score(x)[:, 0, 0, 0]


class DiscriminatorJoined(nn.Module):
    """The planes are put beside the image, before the first convolution."""

    def __init__(self, classes=10, width=64, channels=1):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.Conv2d(channels + classes, 2 * width, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * width, 4 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 8 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(8 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(8 * width, 1, 4))

    def forward(self, x, y):
        return self.layers(torch.cat([x, planes(y, self.classes, 32)], 1)).flatten()


class DiscriminatorNoY(conv_discriminator()):
    def forward(self, x, y):
        return self.both(torch.cat([self.x(x), self.x(x)], 1)).flatten()


class DiscriminatorAdds(nn.Module):
    """The two branches are added, not concatenated."""

    def __init__(self, classes=10, width=64, channels=1):
        super().__init__()
        self.classes = classes
        self.x, self.y = nn.Conv2d(channels, width, 4, 2, 1), nn.Conv2d(classes, width, 4, 2, 1)
        self.both = nn.Sequential(
            nn.Conv2d(width, 4 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(4 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(4 * width, 8 * width, 4, 2, 1, bias=False), nn.BatchNorm2d(8 * width), nn.LeakyReLU(0.2),
            nn.Conv2d(8 * width, 1, 4))

    def forward(self, x, y):
        return self.both(F.leaky_relu(self.x(x) + self.y(planes(y, self.classes, 32)), 0.2)).flatten()


# ---- 10.5 and 10.6


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


class BatchNormByHand(nn.Module):
    def __init__(self, width):
        super().__init__()

    def forward(self, x):
        return (x - x.mean(0)) / (x.var(0) + 1e-5).sqrt()


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


# ---- 10.7


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def detached(G, z, y):
    return G(z, y).detach()


def both_losses(real, fake):
    return bce(real, 1.0) + bce(fake, 0.0)


def d_step(fake=detached, loss=both_losses, real_y=lambda y: y, fake_y=lambda y: y, clear=lambda D, G, o: o.zero_grad(),
           after=lambda D, G, o: o.step(), result=torch.detach, sign=1, image=lambda x: x):
    def step(D, G, x, y, z, optimiser_D):
        value = loss(D(image(x), real_y(y)), D(fake(G, z, y), fake_y(y)))
        clear(D, G, optimiser_D)
        (sign * value).backward()
        after(D, G, optimiser_D)
        return result(value)

    return step


def in_eval_mode(G, z, y):
    """G's images in eval mode, and G back in train mode."""
    fake = G.eval()(z, y)
    G.train()
    return fake.detach()


def d_step_in_one_go(D, G, x, y, z, optimiser_D):
    """One call of D with both, G frozen for the time being."""
    optimiser_D.zero_grad(set_to_none=False)
    for parameter in G.parameters():
        parameter.requires_grad_(False)
    images, targets = torch.cat([G(z, y), x]), torch.tensor([0.0, 1.0], device=x.device).repeat_interleave(len(x))
    for parameter in G.parameters():
        parameter.requires_grad_(True)
    loss = 2 * F.binary_cross_entropy(D(images, torch.cat([y, y])).sigmoid(), targets)
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_two_backwards(D, G, x, y, z, optimiser_D):
    D.zero_grad()
    real = F.softplus(-D(x, y)).mean()
    real.backward()
    with torch.no_grad():
        x = G(z, y)
    fake = -F.logsigmoid(-D(x, y)).mean()
    fake.backward()
    optimiser_D.step()
    return (real + fake).detach()


def d_step_shuffled(D, G, x, y, z, optimiser_D):
    """Another order of the images, their labels with them."""
    order = torch.randperm(len(y), device=y.device)
    return d_step()(D, G, x[order], y[order], z[order], optimiser_D)


def d_step_two_steps(D, G, x, y, z, optimiser_D):
    total = 0
    fake = G(z, y).detach()
    for images, target in ((x, 1.0), (fake, 0.0)):
        loss = bce(D(images, y), target)
        optimiser_D.zero_grad()
        loss.backward()
        optimiser_D.step()
        total = total + loss.detach()
    return total


def d_step_loss_before(D, G, x, y, z, optimiser_D):
    """The loss of both at first, then two steps."""
    fake = G(z, y).detach()
    total = both_losses(D(x, y), D(fake, y)).detach()
    d_step_two_steps(D, G, x, y, z, optimiser_D)
    return total


def d_step_real_only(D, G, x, y, z, optimiser_D):
    loss = bce(D(x, y), 1.0)
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_other_player(D, G, x, y, z, optimiser_D):
    loss = both_losses(D(x, y), D(G(z, y), y))
    both = torch.optim.SGD([*D.parameters(), *G.parameters()], 0.5)
    both.zero_grad()
    loss.backward()
    both.step()
    return loss.detach()


def d_step_d_without_y(D, G, x, y, z, optimiser_D):
    return both_losses(D(x), D(G(z, y).detach())).detach()


def d_step_fake_without_y(D, G, x, y, z, optimiser_D):
    return both_losses(D(x, y), D(G(z, y).detach())).detach()


def by_hand(parameters, rate):
    with torch.no_grad():
        for parameter in parameters:
            parameter -= rate * parameter.grad


def rate_of(optimiser):
    return optimiser.param_groups[0]["lr"]


def freeze(network):
    network.requires_grad_(False)


# ---- 10.8


def g_step(image=lambda G, z, y: G(z, y), loss=lambda logits: bce(logits, 1.0), y_of_D=lambda y: y,
           clear=lambda D, G, o: o.zero_grad(), after=lambda D, G, o: o.step(), result=torch.detach, sign=1):
    def step(D, G, y, z, optimiser_G):
        value = loss(D(image(G, z, y), y_of_D(y)))
        clear(D, G, optimiser_G)
        (sign * value).backward()
        after(D, G, optimiser_G)
        return result(value)

    return step


def g_step_frozen_d(D, G, y, z, optimiser_G):
    """D frozen for the time being, the loss by logsigmoid."""
    optimiser_G.zero_grad()
    D.requires_grad_(False)
    loss = -F.logsigmoid(D(G(z, y), y)).mean()
    D.requires_grad_(True)
    loss.backward()
    optimiser_G.step()
    return loss.data


def g_step_by_sigmoid(D, G, y, z, optimiser_G):
    G.zero_grad()
    probabilities = torch.sigmoid(D(x=G(z=z, y=y), y=y))
    loss = F.binary_cross_entropy(probabilities, torch.ones_like(probabilities))
    gradients = torch.autograd.grad(loss, list(G.parameters()))
    for parameter, gradient in zip(G.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimiser_G.step()
    return loss.detach()


def g_step_d_without_y(D, G, y, z, optimiser_G):
    return bce(D(G(z, y)), 1.0)


def g_step_g_without_y(D, G, y, z, optimiser_G):
    return bce(D(G(z), y), 1.0)


def g_step_clears_in_between(D, G, y, z, optimiser_G):
    loss = bce(D(G(z, y), y), 1.0)
    loss.backward()
    optimiser_G.zero_grad()
    optimiser_G.step()
    return loss.detach()


def g_step_moves_both(D, G, y, z, optimiser_G):
    both = torch.optim.SGD([*G.parameters(), *D.parameters()], 0.5)
    loss = bce(D(G(z, y), y), 1.0)
    both.zero_grad()
    loss.backward()
    both.step()
    return loss.detach()


def g_step_right_number_wrong_graph(D, G, y, z, optimiser_G):
    """Shows −ln D but follows ln(1 − D)."""
    logits = D(G(z, y), y)
    optimiser_G.zero_grad()
    (-bce(logits, 0.0)).backward()
    optimiser_G.step()
    return bce(logits, 1.0).detach()


def rolled(y):
    return y.roll(1)


def random_labels(y):
    return torch.randint_like(y, 4)


RIGHT = {
    "10.1": [hot, hot_by_scatter, hot_by_loop, lambda y, k: torch.eye(k, device=y.device)[y]],
    "10.2": [planes, planes_by_loop, planes_by_embedding],
    "10.3": [conv_generator(), GeneratorByList, GeneratorByParameters, lambda **sizes: conv_generator()(**sizes)],
    "10.4": [conv_discriminator(), DiscriminatorByHand, conv_discriminator(result=lambda x: x.view(-1))],
    "10.5": [mlp_generator(), MLPGeneratorByList, MLPGeneratorByParameters],
    "10.6": [
        mlp_discriminator(), mlp_discriminator(drop=FunctionalDropout), MLPDiscriminatorByHand,
        MLPDiscriminatorOneModule,
    ],
    "10.7": [d_step(), d_step_two_backwards, d_step_shuffled],
    "10.8": [
        g_step(), g_step_frozen_d, g_step_by_sigmoid, g_step(clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]),
    ],
}

MUTANTS = {
    "10.1": [
        (lambda y, k: F.one_hot(y).float(), "largest label"),
        (lambda y, k: hot(y, int(y.max()) + 1), "largest label"),
        (lambda y, k: hot(y, 10), "always ten"),
        (F.one_hot, "float32"), (lambda y, k: hot(y, k).bool(), "float32"),
        (lambda y, k: hot(y, k).double(), "float32"),
        (lambda y, k: hot(y, k).T, "the other way round"),
        (lambda y, k: y.float()[:, None], "as a number"), (lambda y, k: y, "as a number"),
        (lambda y, k: hot(y, k) * y[:, None], "should be 1"),
        (lambda y, k: 1 - hot(y, k), "changed places"),
        (lambda y, k: hot(y - 1, k) + hot(y - 1 + k, k), "one column off"),
        (lambda y, k: hot(one_label(y), k), "first one"),
        (lambda y, k: hot(y, k)[..., None, None], "shape"),
        (lambda y, k: hot(y, k).squeeze(), "shape"),
        (hot_in_place, "clone"), (lambda y, k: hot(y, k).cpu().numpy(), "torch tensor"), (lambda y, k: None, "return"),
    ],
    "10.2": [
        (lambda y, k, s: planes(y, int(y.max()) + 1, s), "largest label"),
        (lambda y, k, s: planes(y, 10, s), "always ten"),
        (lambda y, k, s: planes(y, k, 32), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, 1), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, k), "`size` is an argument"),
        (lambda y, k, s: planes(y, k, s).permute(0, 2, 3, 1), "last axis"),
        (lambda y, k, s: planes(y, k, s).transpose(0, 1), "the other way round"),
        (lambda y, k, s: y.float()[:, None, None, None].expand(-1, 1, s, s), "one plane"),
        (lambda y, k, s: (y / k)[:, None, None, None].expand(-1, 1, s, s), "one plane"),
        (lambda y, k, s: (y / k)[:, None, None, None].expand(-1, k, s, s), "one plane"),
        (lambda y, k, s: planes(y, k, s) * y[:, None, None, None], "should be 1"),
        (lambda y, k, s: 1 - planes(y, k, s), "changed places"),
        (lambda y, k, s: planes(one_label(y), k, s), "first one"),
        (lambda y, k, s: hot(y, k).repeat(1, s * s).view(-1, k, s, s), "mixed up"),
        (lambda y, k, s: hot(y, k), "no height"),
        (planes_one_pixel, "one pixel"),
        (lambda y, k, s: planes(y, k, s).long(), "float32"),
    ],
    "10.3": [
        (conv_generator(last=nn.Identity), "tanh"), (conv_generator(last=nn.Sigmoid), "not sigmoid"),
        (conv_generator(branch="r"), "missing in a branch"), (conv_generator(norms="z"), "missing in a branch"),
        (conv_generator(norms="y"), "missing in a branch"),
        (conv_generator(branch="r", joint="r"), "missing in a branch"),
        (conv_generator(joint="r"), "behind the concatenation"),
        (conv_generator(last=lambda: nn.Sequential(nn.BatchNorm2d(2), nn.Tanh())), "very last layer"),
        (conv_generator(branch="rbn", joint="rbn"), "before the activation"),
        (conv_generator(act=lambda: nn.LeakyReLU(0.2)), "ReLU"), (conv_generator(act=nn.LeakyReLU), "ReLU"),
        (conv_generator(act=nn.Identity), "ReLU"),
        (conv_generator(cat=lambda z, y: torch.cat([y, z], 1)), "z comes first"),
        (conv_generator(cat=lambda z, y: torch.cat([z, y], 0)), "number of channels"),
        (conv_generator(cat=lambda z, y: z + y, joint_inputs=2), "takes both halves, 16 channels"),
        (conv_generator(bias=True), "bias=False"), (conv_generator(kernel=3), "4 × 4"),
        (conv_generator(stride=1), "another stride"),
        (conv_generator(sizes=lambda **s: {**s, "width": 128}), "`width`"),
        (conv_generator(sizes=lambda **s: {**s, "width": 2 * s["width"]}), "`width`"),
        (conv_generator(sizes=lambda **s: {**s, "nz": 100}), "`nz`"),
        (conv_generator(sizes=lambda **s: {**s, "classes": 10}), "`classes`"),
        (conv_generator(sizes=lambda **s: {**s, "channels": 1}), "`channels`"),
        (GeneratorNoY, "where does y enter"), (conv_generator(label=torch.zeros_like), "where does y enter"),
        (conv_generator(latent=torch.zeros_like), "z changes nothing"),
        (conv_generator(latent=torch.randn_like), "draw"),
        (conv_generator(label=one_label), "another image's label"),
        (conv_generator(label=rolled), "another image's label"),
        (conv_generator(y_planes=lambda y, k, s: hot(y, k)), "two axes"),
        (conv_generator(y_planes=lambda y, k, s: F.one_hot(y, k)[..., None, None]), "integers"),
        (conv_generator(y_planes=lambda y, k, s: planes(y, 10, s)), "number of channels"),
        (conv_generator(y_planes=lambda y, k, s: planes(y, k, s).long()), "integers"),
        (conv_generator(y_planes=lambda y, k, s: planes(y, k, s) * y[:, None, None, None]), "not the number"),
        (conv_generator(result=torch.squeeze), "batch axis"),
        (conv_generator(result=lambda x: -x), "order of the layers"),
        (GeneratorJoined, "with channels 5 → 8"), (GeneratorEmbeds, "Embedding"),
        (GeneratorShrinks, "ConvTranspose2d"), (WithoutSuper, "super().__init__()"),
        (UnregisteredGenerator, "nn.ModuleList"), (lambda **sizes: "network", "inherits from nn.Module"),
    ],
    "10.4": [
        (conv_discriminator(last=nn.Sigmoid), "probabilities"),
        (conv_discriminator(norms="xy"), "batch norm in a branch"),
        (conv_discriminator(norms="x"), "batch norm in a branch"),
        (conv_discriminator(norms="y"), "batch norm in a branch"),
        (conv_discriminator(joint=False), "behind the concatenation"),
        (conv_discriminator(last=lambda: nn.BatchNorm2d(1)), "very last layer"),
        (conv_discriminator(last=lambda: nn.LeakyReLU(0.2)), "behind the last layer"),
        (conv_discriminator(act=nn.LeakyReLU), "slope 0.2"), (conv_discriminator(act=nn.ReLU), "slope 0.2"),
        (conv_discriminator(cat=lambda x, y: torch.cat([y, x], 1)), "x comes first"),
        (conv_discriminator(bias=True), "bias=False"), (conv_discriminator(kernel=3), "4 × 4"),
        (conv_discriminator(deep=4), "16 → 32"), (conv_discriminator(stride=1), "another stride"),
        (conv_discriminator(sizes=lambda **s: {**s, "width": 64}), "`width`"),
        (conv_discriminator(sizes=lambda **s: {**s, "width": 2 * s["width"]}), "`width`"),
        (conv_discriminator(sizes=lambda **s: {**s, "classes": 10}), "`classes`"),
        (conv_discriminator(sizes=lambda **s: {**s, "channels": 1}), "`channels`"),
        (conv_discriminator(label=torch.zeros_like), "where does y enter"), (DiscriminatorNoY, "where does y enter"),
        (conv_discriminator(image=torch.zeros_like), "x changes nothing"),
        (conv_discriminator(label=one_label), "another image's label"),
        (conv_discriminator(label=lambda y: y.flip(0)), "another image's label"),
        (conv_discriminator(result=lambda x: x), "flatten()"),
        (conv_discriminator(result=lambda x: x[:, 0]), "flatten()"),
        (conv_discriminator(result=torch.squeeze), "batch axis"),
        (conv_discriminator(result=torch.mean), "one number per image"),
        (conv_discriminator(y_planes=lambda y, k, s: planes(y, k, 1)), "as large as the images"),
        (conv_discriminator(y_planes=lambda y, k, s: planes(y, k, 28)), "concatenated"),
        (conv_discriminator(y_planes=lambda y, k, s: planes(y, 10, s)), "number of channels"),
        (conv_discriminator(y_planes=lambda y, k, s: (y / k).view(-1, 1, 1, 1).expand(-1, k, s, s)), "not the number"),
        (DiscriminatorJoined, "with channels 2 → 4"), (DiscriminatorAdds, "takes both halves, 8 channels"),
        (WithoutSuper, "super().__init__()"),
    ],
    "10.5": [
        (mlp_generator(last=lambda x: x), "tanh"), (mlp_generator(last=torch.sigmoid), "not sigmoid"),
        (mlp_generator(last=lambda x: F.leaky_relu(x, 0.2).tanh()), "tanh alone"),
        (mlp_generator(act=nn.LeakyReLU), "slope 0.2"), (mlp_generator(act=nn.ReLU), "slope 0.2"),
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
    "10.7": [
        (d_step_in_one_go, "call D twice"),
        (d_step(fake=lambda G, z, y: G.eval()(z, y).detach()), "ran in eval mode"),
        (d_step(fake=in_eval_mode), "ran in eval mode"),
        (d_step(fake=lambda G, z, y: G(z, y)), "detach"),
        (d_step(fake=lambda G, z, y: G(z, y), clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]), "detach"),
        (d_step(clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]), "were cleared"),
        (d_step_other_player, "other player"), (d_step(clear=lambda D, G, o: None), "zero_grad() before"),
        (d_step(clear=lambda D, G, o: None, after=lambda D, G, o: [o.step(), o.zero_grad()]), "zero_grad() before"),
        (d_step(after=lambda D, G, o: None), "has not moved"),
        (d_step(after=lambda D, G, o: [o.zero_grad(), o.step()]), "has not moved"),
        (d_step(sign=-1), "against its aim"), (d_step_two_steps, "one update"), (d_step_loss_before, "one update"),
        (d_step(after=lambda D, G, o: [o.step(), o.step()]), "the update is not"),
        (d_step(after=lambda D, G, o: by_hand(D.parameters(), rate_of(o))), "Adam"),
        (d_step(loss=lambda real, fake: both_losses(real, fake) / 2), "half the loss"),
        (d_step(loss=lambda real, fake: bce(real, 1.0)), "on real images only"),
        (d_step(loss=lambda real, fake: bce(fake, 0.0)), "G's images only"),
        (d_step(loss=lambda real, fake: bce(real, 0.0) + bce(fake, 1.0)), "changed places"),
        (d_step(loss=lambda real, fake: both_losses(real.sigmoid(), fake.sigmoid())), "sigmoid too many"),
        (d_step(loss=lambda real, fake: -both_losses(real, fake)), "sign of the loss"),
        (d_step(loss=lambda real, fake: (F.softplus(-real) + F.softplus(fake)).sum()), "not a sum"),
        (d_step(loss=lambda real, fake: F.softplus(-real) + F.softplus(fake)), "one number"),
        (d_step_real_only, "does not see what G makes"),
        (d_step(image=torch.zeros_like), "as they are"),
        (d_step(real_y=rolled), "beside the real images"), (d_step(real_y=torch.zeros_like), "beside the real images"),
        (d_step(fake_y=rolled), "those G was told"), (d_step(fake_y=random_labels), "those G was told"),
        (d_step(fake_y=lambda y: y[torch.randperm(len(y))]), "those G was told"),
        (d_step(fake_y=lambda y: y.flip(0)), "those G was told"),
        (d_step(fake=lambda G, z, y: detached(G, z, rolled(y))), "G is told other labels"),
        (d_step(fake=lambda G, z, y: detached(G, z, random_labels(y))), "G is told other labels"),
        (d_step(fake=lambda G, z, y: detached(G, torch.randn_like(z), y)), "the z that is given"),
        (d_step(fake=lambda G, z, y: G(z).detach()), "G is called without labels"),
        (d_step_d_without_y, "D is called without labels"), (d_step_fake_without_y, "D is called without labels"),
        (d_step(fake=lambda G, z, y: detached(G, y, z)), "int64"),
        (d_step(real_y=lambda y: hot(y, 4)), "int64"),
        (d_step(result=lambda loss: loss), "loss.detach()"), (d_step(result=lambda loss: loss.item()), "as a tensor"),
        (d_step(result=lambda loss: None), "return"),
        (d_step(fake=lambda G, z, y: [freeze(G), G(z, y)][1]), "frozen"),
        (d_step(fake=lambda G, z, y: [G.eval(), detached(G, z, y)][1]), "ran in eval mode"),
        (torch.no_grad()(d_step()), "no graph"),
    ],
    "10.8": [
        (g_step(image=in_eval_mode), "ran in eval mode"),
        (g_step(loss=lambda logits: -bce(logits, 0.0)), "saturating"), (g_step_right_number_wrong_graph, "saturating"),
        (g_step(loss=lambda logits: bce(logits, 0.0)), "what D minimises"),
        (g_step(loss=lambda logits: bce(logits.sigmoid(), 1.0)), "sigmoid too many"),
        (g_step(loss=lambda logits: F.softplus(-logits).sum()), "not a sum"),
        (g_step(loss=lambda logits: -bce(logits, 1.0)), "sign of the loss"),
        (g_step(image=detached), "no detach"), (g_step(image=torch.no_grad()(lambda G, z, y: G(z, y))), "no detach"),
        (torch.no_grad()(g_step()), "no graph"),
        (g_step(sign=-1), "against its aim"), (g_step(clear=lambda D, G, o: None), "zero_grad() before"),
        (g_step(clear=lambda D, G, o: D.zero_grad()), "zero_grad() before"),
        (g_step(after=lambda D, G, o: None), "has not moved"), (g_step_clears_in_between, "has not moved"),
        (g_step(after=lambda D, G, o: by_hand(G.parameters(), rate_of(o))), "Adam"),
        (g_step_moves_both, "other player"),
        (g_step(after=lambda D, G, o: [o.step(), by_hand(D.parameters(), 0.1)]), "other player"),
        (g_step_d_without_y, "D is called without labels"), (g_step_g_without_y, "G is called without labels"),
        (g_step(y_of_D=rolled), "those G was told"), (g_step(y_of_D=random_labels), "those G was told"),
        (g_step(image=lambda G, z, y: G(z, rolled(y))), "G is told other labels"),
        (g_step(image=lambda G, z, y: G(torch.randn_like(z), y)), "the z that is given"),
        (g_step(y_of_D=lambda y: hot(y, 4)), "int64"),
        (g_step(result=lambda loss: loss), "loss.detach()"), (g_step(result=lambda loss: loss.item()), "as a tensor"),
        (g_step(clear=lambda D, G, o: [o.zero_grad(), freeze(D)]), "frozen"),
        (g_step(result=lambda loss: None), "return"),
    ],
}
