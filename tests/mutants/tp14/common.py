"""What several rooms share."""

import torch


def draw(sd=lambda v: torch.exp(v / 2), noise=lambda m, g: torch.randn(m.shape, generator=g), mean=lambda m: m):
    def reparameterise(mean_, log_variance, generator=None):
        return mean(mean_) + sd(log_variance) * noise(mean_, generator).to(mean_.device)

    return reparameterise


def kl(each=lambda m, v: (m**2 + v.exp() - 1 - v) / 2, out=lambda d: d.sum(1).mean()):
    return lambda mean, log_variance: out(each(mean, log_variance))


def similarity(out=lambda d: d.pow(2).sum(1).mean() / 2):
    return lambda features, reconstructed: out(features - reconstructed)
