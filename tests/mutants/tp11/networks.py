"""Answers to the exercises 11.3 and 11.4."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils.practicals.tp11 import Discriminator


def cnn(norm=nn.BatchNorm2d, act=nn.ReLU, kernel=3, padding=1, widths=(32, 32, 64, 64), pool=lambda: nn.MaxPool2d(2),
        dropout=lambda: nn.Dropout(0.5), end=nn.Identity, classes_used=True, swap=False, pools=(1, 3)):
    class FewLabelCNN(nn.Module):
        def __init__(self, classes=10):
            super().__init__()
            layers, inputs = [], 1
            for k, outputs in enumerate(widths):
                middle = [norm(outputs), act()] if norm else [act()]
                layers += [nn.Conv2d(inputs, outputs, kernel, padding=padding), *(middle[::-1] if swap else middle)]
                layers += [pool()] if k in pools else []
                inputs = outputs
            self.features = nn.Sequential(*layers)
            side = self.features(torch.zeros(1, 1, 28, 28)).flatten(1).shape[1]
            self.last = nn.Sequential(dropout(), nn.Linear(side, classes if classes_used else 10), end())

        def forward(self, x):
            return self.last(self.features(x).flatten(1))

    return FewLabelCNN


class FunctionalCNN(nn.Module):
    """Layers one by one, functional activations, the dropout too, no biases before batch norm."""

    def __init__(self, classes=10):
        super().__init__()
        for k, (a, b) in enumerate(((1, 32), (32, 32), (32, 64), (64, 64))):
            setattr(self, f"conv{k}", nn.Conv2d(a, b, 3, padding="same", bias=False))
            setattr(self, f"norm{k}", nn.BatchNorm2d(b))
        self.head = nn.Linear(3136, classes)

    def forward(self, x):
        for k in range(4):
            x = getattr(self, f"norm{k}")(getattr(self, f"conv{k}")(x)).relu()
            if k % 2:
                x = F.max_pool2d(x, 2)
        return self.head(F.dropout(x.reshape(len(x), -1), 0.5, self.training))


class NormsInAnyOrder(nn.Module):
    """Right: the batch norms are made in another order than they are used."""

    def __init__(self, classes=10, shared=False):
        super().__init__()
        wide, narrow = [nn.BatchNorm2d(64) for _ in range(2)], [nn.BatchNorm2d(32) for _ in range(2)]
        self.norms = nn.ModuleList([*wide, *narrow])
        order = (2, 2, 0, 0) if shared else (3, 2, 1, 0)
        sizes = [(1, 32), (32, 32), (32, 64), (64, 64)]
        layers = []
        for k, ((a, b), which) in enumerate(zip(sizes, order, strict=True)):
            layers += [nn.Conv2d(a, b, 3, padding=1), self.norms[which], nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if k % 2 else []
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(), nn.Linear(3136, classes))

    def forward(self, x):
        return self.layers(x)


def shares_norms(classes=10):
    return NormsInAnyOrder(classes, shared=True)


class AlwaysDrops(FunctionalCNN):
    def forward(self, x):
        return super().forward(x) + 0 * self.head(F.dropout(torch.ones(len(x), 3136, device=x.device), 0.5)) \
            + F.dropout(torch.ones(len(x), 1, device=x.device), 0.5)


def replaced(base=copy.deepcopy, last=lambda old, classes: nn.Linear(old.in_features, classes), frozen=False):
    def classifier_from(discriminator, classes):
        network = base(discriminator)
        network.last = last(network.last, classes)
        for parameter in network.parameters():
            parameter.requires_grad_(True)
        if frozen:
            network.features.requires_grad_(False)
        return network

    return classifier_from


class Detaching(Discriminator):
    def forward(self, x):
        return self.last(self.features(x).detach())


def detaching(discriminator, classes):
    network = replaced()(discriminator, classes)
    network.__class__ = Detaching
    return network


def by_state_dict(discriminator, classes):
    network = Discriminator(classes).to(discriminator.last.weight.device)
    weights = {name: value for name, value in discriminator.state_dict().items() if not name.startswith("last")}
    network.load_state_dict(weights, strict=False)
    return network


def shares_features(discriminator, classes):
    network = copy.copy(discriminator)
    network._modules = dict(discriminator._modules)
    network.last = nn.Linear(discriminator.last.in_features, classes)
    return network.requires_grad_(True)


class DropsMaps(cnn(dropout=nn.Identity)):
    def forward(self, x):
        return self.last(F.dropout2d(self.features(x), 0.5, self.training).flatten(1))


RIGHT = {
    "11.3": [cnn(), FunctionalCNN, NormsInAnyOrder],
    "11.4": [replaced(), by_state_dict],
}

MUTANTS = {
    "11.3": [
        (cnn(dropout=lambda: nn.Dropout(0.3)), "about half"), (cnn(dropout=lambda: nn.Dropout(0.7)), "about half"),
        (cnn(pool=lambda: nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.25))), "before the last pool"),
        (cnn(norm=None), "BatchNorm2d"), (cnn(act=nn.Identity), "ReLU"), (cnn(swap=True), "BatchNorm2d, then ReLU"),
        (cnn(act=lambda: nn.LeakyReLU(0.2)), "ReLU"), (cnn(kernel=5, padding=2), "3 × 3"),
        (cnn(widths=(32, 64, 64, 128)), "to 32, 32, 64 and 64"), (cnn(padding=0), "padding"),
        (cnn(pool=lambda: nn.AvgPool2d(2)), "MaxPool2d"), (cnn(dropout=nn.Identity), "Dropout there"),
        (DropsMaps, "whole feature maps"),
        (cnn(dropout=lambda: nn.Dropout(0.05)), "half"), (cnn(dropout=lambda: nn.Dropout(0.9)), "half"),
        (cnn(end=lambda: nn.Softmax(1)), "no softmax"), (cnn(classes_used=False), "as many outputs"),
        (AlwaysDrops, "eval mode"), (shares_norms, "of its own"), (lambda classes=10: None, "class"),
    ],
    "11.4": [
        (detaching, "detach"),
        (replaced(base=lambda d: d), "deep copy"), (shares_features, "deep copy"),
        (replaced(base=lambda d: Discriminator().to(d.last.weight.device)), "features must be"),
        (replaced(last=lambda old, classes: old), "nn.Linear"), (replaced(frozen=True), "learn"),
        (replaced(last=lambda old, classes: nn.Linear(old.in_features, 10)), "nn.Linear"),
        (replaced(last=lambda old, classes: nn.Sequential(nn.Linear(old.in_features, classes), nn.Softmax(1))),
         "nn.Linear"),
        (lambda d, classes: None, "return"),
    ],
}
