"""Answers to the exercises 14.3, 14.4, 14.5 and 14.6."""

import torch
from torch.nn import functional as F

from .common import draw, kl, similarity


def draw_without_default(mean, log_variance, generator):
    return mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator).to(mean.device)


def draw_with_its_own(mean, log_variance, generator=None):
    return draw()(mean, log_variance, generator or torch.Generator())


def draw_by_square_root(mean, log_variance, generator=None):
    return torch.addcmul(mean, log_variance.exp().sqrt(), torch.randn(mean.shape, generator=generator).to(mean.device))


def kl_by_distributions(mean, log_variance):
    cloud = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(cloud, prior).sum() / len(mean)


def elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / (2 * v), total=lambda error, kl: error + kl):
    def elbo_loss(x, reconstruction, mean, log_variance, variance=0.1):
        return total(error(x - reconstruction, variance), kl()(mean, log_variance))

    return elbo_loss


def elbo_by_mse(x, reconstruction, mean, log_variance, variance=0.1):
    return F.mse_loss(reconstruction, x, reduction="sum") / len(x) / variance / 2 + kl()(mean, log_variance)


def similarity_by_mse(features, reconstructed):
    return F.mse_loss(reconstructed, features, reduction="sum") / (2 * len(features))


RIGHT = {
    "14.3": [draw(), draw_by_square_root],
    "14.4": [kl(), kl_by_distributions],
    "14.5": [elbo(), elbo_by_mse],
    "14.6": [similarity(), similarity_by_mse],
}

MUTANTS = {
    "14.3": [
        (draw(sd=torch.exp), "σ²"), (draw(sd=lambda v: v), "ln σ²"), (draw(sd=lambda v: (2 * v).exp()), "½"),
        (draw(sd=lambda v: 0.5 * v.exp()), "½"), (draw(mean=lambda m: 0), "mean is missing"),
        (draw(noise=lambda m, g: torch.randn(m.shape[1], generator=g)), "the same noise"),
        (draw(noise=lambda m, g: torch.rand(m.shape, generator=g)), "noise normal"),
        (draw(noise=lambda m, g: torch.randn(m.shape)), "generator=generator"),
        (draw(noise=lambda m, g: torch.randn(m.shape, generator=torch.Generator().manual_seed(1))), "another gen"),
        (draw(mean=torch.detach), "gets back to mean"), (draw(sd=lambda v: (v / 2).exp().detach()), "log_variance"),
        (draw_without_default, "generator=None"), (draw_with_its_own, "torch's own"),
    ],
    "14.4": [
        (kl(out=torch.sum), "over the batch"), (kl(out=torch.mean), "mean over the dimensions"),
        (kl(out=lambda d: -d.sum(1).mean()), "other way round"), (kl(each=lambda m, v: m**2 + v.exp() - 1 - v), "½"),
        (kl(each=lambda m, v: (m**2 + v - 1 - v.abs().log()) / 2), "taken for the variance"),
        (kl(each=lambda m, v: (m**2 + (2 * v).exp() - 1 - v) / 2), "already"),
        (kl(each=lambda m, v: (m**2 + v.exp() - v) / 2), "−1 is missing"),
        (kl(out=lambda d: d.sum(1)), "not one loss per image"),
        (kl(out=lambda d: d.sum(1).mean().detach()), "no gradient"),
    ],
    "14.5": [
        (elbo(total=lambda error, kl: error), "KL"), (elbo(total=lambda error, kl: kl), "squared error is missing"),
        (elbo(total=lambda error, kl: error - kl), "other way round"),
        (elbo(error=lambda d, v: d.pow(2).mean() / (2 * v)), "mean over the pixels"),
        (elbo(error=lambda d, v: d.pow(2).sum() / (2 * v)), "over the batch"),
        (elbo(error=lambda d, v: d.pow(2).mean()), "F.mse_loss is the mean"),
        (elbo(error=lambda d, v: d.pow(2).mean() / 2), "F.mse_loss is the mean"),
        (elbo(error=lambda d, v: d.pow(2).sum()), "over the batch"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean()), "is the argument used"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / v), "2 is missing"),
        (elbo(error=lambda d, v: d.detach().pow(2).flatten(1).sum(1).mean() / (2 * v)), "back to reconstruction"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / 2 * v), "brackets"),
        (elbo(error=lambda d, v: d.abs().flatten(1).sum(1).mean() / (2 * v)), "not absolute"),
    ],
    "14.6": [
        (similarity(lambda d: d.pow(2).sum(1).mean()), "½"), (similarity(lambda d: d.pow(2).mean() / 2), "dimensions"),
        (similarity(lambda d: d.pow(2).sum() / 2), "over the batch"),
        (similarity(lambda d: d.norm(dim=1).mean() / 2), "square it"),
        (similarity(lambda d: d.detach().pow(2).sum(1).mean() / 2), "no gradient"),
        (similarity(lambda d: d.abs().sum(1).mean() / 2), "not absolute"),
    ],
}
