"""Answers to the exercises 9.5, 9.6 and 9.7."""

import torch
from torch import nn
from torch.nn import functional as F

from ..game_steps import both as d_loss_softplus
from ..game_steps import ones, zeros

bce = F.binary_cross_entropy_with_logits


def d_loss_by_module(real_logits, fake_logits):
    criterion = nn.BCEWithLogitsLoss()
    targets = real_logits.new_ones(len(real_logits)), fake_logits.new_zeros(len(fake_logits))
    return sum(criterion(logits, target) for logits, target in zip((real_logits, fake_logits), targets, strict=True))


def d_loss_by_logsigmoid(real_logits, fake_logits):
    return -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()


def d_loss_elementwise(real, fake):
    return (F.softplus(-real) + F.softplus(fake)).mean()


def d_loss_same_target(real, fake):
    target = torch.ones(len(real), device=real.device)
    return bce(real, target) + bce(fake, 1 - target)


def d_loss_joined(real, fake):
    return bce(torch.cat([real, fake]), torch.cat([torch.ones_like(real), torch.zeros_like(fake)]))


def squares(values, target):
    return F.mse_loss(values, torch.full_like(values, target))


def d_loss_in_place(real, fake):
    return ones(real) + zeros(fake.mul_(1.5).div_(1.25))


def probability_loss(real, fake):
    real, fake = real.sigmoid(), fake.sigmoid()
    return F.binary_cross_entropy(real, torch.ones_like(real)) + F.binary_cross_entropy(fake, torch.zeros_like(fake))


RIGHT = {
    "9.5": [d_loss_softplus, d_loss_by_module, d_loss_by_logsigmoid],
    "9.6": [lambda fake: F.softplus(-fake).mean(), lambda fake: nn.BCEWithLogitsLoss()(fake, torch.full_like(fake, 1))],
    "9.7": [lambda fake: F.logsigmoid(-fake).mean(), lambda fake: -F.softplus(fake).sum() / len(fake)],
}

MUTANTS = {
    "9.5": [
        (lambda real, fake: zeros(real) + ones(fake), "swapped"),
        (lambda real, fake: ones(real) + ones(fake), "swapped"),
        (lambda real, fake: (ones(real) + zeros(fake)) / 2, "half"), (d_loss_joined, "n + m"),
        (lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(), "sum"),
        (lambda real, fake: ones(real), "generated images are missing"),
        (lambda real, fake: zeros(fake), "real images are missing"),
        (lambda real, fake: ones(real) - zeros(fake), "added"), (lambda real, fake: -ones(real) - zeros(fake), "sign"),
        (lambda real, fake: ones(real.sigmoid()) + zeros(fake.sigmoid()), "twice"),
        (lambda real, fake: fake.mean() - real.mean(), "Wasserstein"),
        (lambda real, fake: squares(real, 1) + squares(fake, 0), "least-squares"),
        (lambda real, fake: (squares(real, 1) + squares(fake, 0)) / 2, "least-squares"),
        (lambda real, fake: squares(real.sigmoid(), 1) + squares(fake.sigmoid(), 0), "least-squares"),
        *((lambda real, fake, e=e: -((real.sigmoid() + e).log().mean() + (1 - fake.sigmoid() + e).log().mean()),
           "is added to the probability") for e in (0.01, 0.001, 0.0001)),
        (lambda real, fake: -real.log().mean() - (1 - fake).log().mean(), "logarithm of a logit"),
        (lambda real, fake: F.binary_cross_entropy(real, torch.ones_like(real)), "wants probabilities"),
        (probability_loss, "not for large ones"),
        (lambda real, fake: -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean(), "not for large ones"),
        (lambda real, fake: -(real.sigmoid() + 1e-8).log().mean() - (1 - fake.sigmoid() + 1e-8).log().mean(), "large"),
        (d_loss_elementwise, "n may differ"), (d_loss_same_target, "its own logits"), (d_loss_in_place, "clone"),
        (lambda real, fake: d_loss_softplus(real, fake).item(), ".item()"),
        (lambda real, fake: d_loss_softplus(real, fake).detach(), ".detach()"),
        (lambda real, fake: d_loss_softplus(real, fake.detach()), "detached"),
        (lambda real, fake: F.softplus(-real), "not one loss per image"), (lambda real, fake: None, "return"),
    ],
    "9.6": [
        (zeros, "D minimises"), (lambda fake: -zeros(fake), "saturating"), (lambda fake: -ones(fake), "sign"),
        (lambda fake: F.softplus(-fake).sum(), "sum"), (lambda fake: F.softplus(-fake), "per image"),
        (lambda fake: ones(fake.sigmoid()), "twice"), (lambda fake: -fake.sigmoid().mean(), "logarithm"),
        (lambda fake: -fake.mean(), "Wasserstein"), (lambda fake: -fake.log().mean(), "logarithm of a logit"),
        (lambda fake: squares(fake, 1), "least-squares"), (lambda fake: squares(fake.sigmoid(), 1), "least-squares"),
        (lambda fake: -(fake.sigmoid() + 0.001).log().mean(), "is added to the probability"),
        (lambda fake: -fake.sigmoid().log().mean(), "large"), (lambda fake: ones(fake).detach(), "detach"),
        (lambda fake: F.binary_cross_entropy(fake.sigmoid(), torch.ones_like(fake)), "large"),
    ],
    "9.7": [
        (ones, "non-saturating"), (zeros, "no minus sign"), (lambda fake: -ones(fake), "1 − D"),
        (lambda fake: -F.softplus(fake).sum(), "sum"), (lambda fake: -F.softplus(fake), "per image"),
        (lambda fake: -squares(fake, 0), "least-squares"),
        (lambda fake: (1 - fake.sigmoid() + 0.001).log().mean(), "is added to the probability"),
        (lambda fake: -zeros(fake.sigmoid()), "twice"),
        (lambda fake: (1 - fake.sigmoid()).mean(), "logarithm is missing"),
        (lambda fake: (1 - fake.sigmoid()).log().mean(), "large"), (lambda fake: (1 - fake).log().mean(), "of a logit"),
        (lambda fake: -zeros(fake).item(), "gradient"),
    ],
}
