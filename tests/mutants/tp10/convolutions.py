"""Answers to the exercises 10.3 and 10.4."""

import torch
from torch import nn
from torch.nn import functional as F

from .common import WithoutSuper, hot, one_label, planes, rolled


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


class UnregisteredGenerator(conv_generator()):
    """The layers are in a plain list."""

    def __init__(self, nz=100, classes=10, width=128, channels=1):
        super().__init__(nz, classes, width, channels)
        self.layers = [self.z, self.y, self.a, self.b, self.image]
        del self.z, self.y, self.a, self.b, self.image


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


RIGHT = {
    "10.3": [conv_generator(), GeneratorByList, GeneratorByParameters, lambda **sizes: conv_generator()(**sizes)],
    "10.4": [conv_discriminator(), DiscriminatorByHand, conv_discriminator(result=lambda x: x.view(-1))],
}

MUTANTS = {
    "10.3": [
        (conv_generator(last=nn.Identity), "tanh"), (conv_generator(last=nn.Sigmoid), "not sigmoid"),
        (conv_generator(branch="r"), "missing in a branch"), (conv_generator(norms="z"), "missing in a branch"),
        (conv_generator(norms="y"), "missing in a branch"),
        (conv_generator(branch="r", joint="r"), "missing in a branch"),
        (conv_generator(joint="r"), "behind the concatenation"),
        (conv_generator(last=lambda: nn.Sequential(nn.BatchNorm2d(2), nn.Tanh())), "very last layer"),
        (conv_generator(branch="rbn", joint="rbn"), "before the activation"),
        (conv_generator(act=lambda: nn.LeakyReLU(0.2)), "ReLU"), (conv_generator(act=nn.LeakyReLU), "ReLU"),
        (conv_generator(act=nn.Identity), "ReLU"), (conv_generator(act=lambda: nn.LeakyReLU(0.1)), "ReLU"),
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
        *((conv_discriminator(act=lambda slope=slope: nn.LeakyReLU(slope)), "slope 0.2") for slope in (0.02, 0.1, 0.3)),
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
}
