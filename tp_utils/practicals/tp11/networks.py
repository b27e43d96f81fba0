"""The networks of TP 11 that are no exercise: the two players, CNNs for other rows, and neighbours in place of one."""

from itertools import pairwise

import torch
from torch import nn

NZ = 64  # latent numbers
GAN_SIZE = 32  # side of the images in the games


class Generator(nn.Module):
    """z [N, 64, 1, 1] → x̃ [N, 1, 32, 32] in [−1, 1]."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, *shape):
            return [nn.ConvTranspose2d(inputs, outputs, 4, *shape, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.layers = nn.Sequential(*block(NZ, 128), *block(128, 64, 2, 1), *block(64, 32, 2, 1),
                                    nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    """x [N, 1, 32, 32] → logits [N], or [N, outputs] for more than one output.

    features: x → [N, 2048], what it judges by;  last: nn.Linear from there to the logits
    code:     for a number of codes, nn.Linear from the features to their logits (InfoGAN's second head)
    """

    def __init__(self, outputs=1, norm=True, codes=0):
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not norm),
                    nn.BatchNorm2d(outputs) if norm else nn.Identity(), nn.LeakyReLU(0.2)]

        self.features = nn.Sequential(*block(1, 32), *block(32, 64), *block(64, 128), nn.Flatten())
        self.last = nn.Linear(2048, outputs)
        if codes:
            self.code = nn.Linear(2048, codes)

    def forward(self, x):
        logits = self.last(self.features(x))
        return logits.flatten() if logits.shape[1] == 1 else logits


class Signed(nn.Module):
    """A network for images in [−1, 1], given images in [0, 1]."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(2 * x - 1)


class SmallCNN(nn.Module):
    """Digits [N, 1, 28, 28] → logits [N, 10]: strides in place of pools, a fifth of the baseline's work."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, kernel, stride):
            return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs),
                    nn.ReLU()]

        self.layers = nn.Sequential(
            *block(1, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 64, 3, 1), *block(64, 64, 3, 1), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(64 * 49, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(), nn.Linear(128, 10))

    def forward(self, x):
        return self.layers(x)


def baseline(norm=True, dropout=0.5):
    """The CNN of exercise 11.3, with or without batch norm, and with another dropout."""
    layers = []
    for k, (inputs, outputs) in enumerate(pairwise((1, 32, 32, 64, 64))):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if k % 2 else []
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(64 * 7 * 7, 10))


class Neighbours:
    """The three nearest of all training images, by scikit-learn; used as a Classifier (training.py)."""

    curve = ()

    def __init__(self, images, labels):
        """images: uint8 [N, 1, H, W];  labels: int64 [N]"""
        from sklearn.neighbors import KNeighborsClassifier

        self.found = KNeighborsClassifier(3, algorithm="brute").fit(images.flatten(1).numpy() / 255.0, labels)

    def logits(self, images):
        """float32 [N, K]: the logarithms of the shares of the votes."""
        votes = self.found.predict_proba(images.flatten(1).numpy() / 255.0)
        return torch.from_numpy(votes).float().clamp_min(1e-6).log()
