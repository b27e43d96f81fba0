"""Exercises 14.3 to 14.6: a latent drawn, and losses in closed form."""

import torch

from ...runtime import device
from ..kit.compare import Wrong, compare, expect_tensor, run
from ..kit.draws import drawn, expect_default, expect_drawn
from ..kit.losses import NO_GRADIENT, expect_loss
from ..kit.networks import normal

# What is said to the reader.
VARIANCE = "that scales the noise by σ²: the standard deviation is exp(½ log_variance)"
LOG = "that scales the noise by ln σ²: the standard deviation is exp(½ log_variance)"
NO_HALF = "σ = exp(½ log_variance): the ½ is missing or on the wrong side"
ONE_NOISE = "all latents get the same noise: torch.randn(mean.shape, …)"
OTHER_NOISE = "other numbers than mean + σ · torch.randn(mean.shape, generator=generator): is the noise normal?"
NO_MEAN = "the mean is missing"
SUM = "that is the sum over the batch: its mean"
MEAN = "that is the mean over the dimensions: their sum, then the mean over the batch"
SIGN = "the sign is the other way round: a divergence is never negative"
FACTOR = "the factor ½ is missing"
LOG_AS_VARIANCE = "log_variance is taken for the variance: exp() of it"
SIGMA = "exp(log_variance) is σ² already: do not square it, do not take its root"
NO_ONE = "the −1 is missing: the divergence of N(0, 1) from itself is 0"
NO_KL = "the KL divergence is missing"
NO_ERROR = "the squared error is missing"
PIXEL_MEAN = "that is the mean over the pixels: their sum, then the mean over the batch"
MSE = ("F.mse_loss is the mean over images and pixels: the squared errors of an image are added up, "
       ".flatten(1).sum(1), and divided by 2 · variance")
VARIANCE_UNUSED = "divide the squared error by 2 · variance: is the argument used?"
BRACKETS = "/ 2 * variance multiplies by the variance: brackets, / (2 * variance)"
SQUARED_VARIANCE = "`variance` is σ² already: do not square it"
TWO = "divide by 2 · variance: the 2 is missing"
ABSOLUTE = "the error is squared, not absolute"
ROOT = "that is the distance: square it"


# ---- 14.3


def check_14_3(answer):
    """mean + (0.5 * log_variance).exp() * noise, with noise = torch.randn(mean.shape, generator=generator) on the
    device of mean"""
    n, nz = 400, 5
    mean = normal(n, nz).requires_grad_(True)
    log_variance = (2 * normal(1, nz, seed=1)).expand(n, nz).clone().requires_grad_(True)
    found = run(answer, mean, log_variance, drawn(0))
    expect_tensor(found, [n, nz], torch.float32)
    expect_drawn(lambda generator: answer(mean, log_variance, generator))
    noise = torch.randn(n, nz, generator=drawn(0)).to(device())
    variance = log_variance.exp()
    compare(found, (mean + variance.sqrt() * noise).detach(), [
        (mean + variance * noise, VARIANCE), (mean + log_variance * noise, LOG), (mean + variance**2 * noise, NO_HALF),
        (mean + 0.5 * variance * noise, NO_HALF), (variance.sqrt() * noise, NO_MEAN), (mean + noise, LOG),
    ], [ONE_NOISE if found.sub(mean).std(0).max() < 1e-3 else OTHER_NOISE], 1e-4)
    for name, leaf in (("mean", mean), ("log_variance", log_variance)):
        gradient = torch.autograd.grad(found.sum(), leaf, retain_graph=True, allow_unused=True)[0] \
            if found.requires_grad else None
        if gradient is None or not gradient.any():
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name))
    expect_default(lambda: answer(mean, log_variance))


# ---- 14.4 to 14.6


def check_14_4(answer):
    """0.5 * (mean**2 + log_variance.exp() - 1 - log_variance): .sum(1) over the dimensions, then .mean()"""
    mean, log_variance = normal(6, 4), 0.7 * normal(6, 4, seed=1)
    from torch.distributions import Normal, kl_divergence

    each = kl_divergence(Normal(mean, log_variance.exp().sqrt()), Normal(torch.zeros_like(mean), 1.0))
    right = each.sum(1).mean()

    def terms(variance, one=1.0, logarithm=log_variance):
        return 0.5 * (mean**2 + variance - one - logarithm).sum(1).mean()

    expect_loss(answer, (mean.requires_grad_(True), log_variance.requires_grad_(True)), right, [
        (each.sum(), SUM), (each.mean(), MEAN), (each.mean(1).sum(), MEAN),
        (each.sum(0).mean(), MEAN),
        (-right, SIGN), (2 * right, FACTOR), (terms(variance=log_variance), LOG_AS_VARIANCE),
        (terms(variance=log_variance, logarithm=log_variance.abs().log()), LOG_AS_VARIANCE),
        (terms(variance=log_variance**2, logarithm=(log_variance**2).log()), LOG_AS_VARIANCE),
        (terms(variance=(2 * log_variance).exp()), SIGMA), (terms(variance=(0.5 * log_variance).exp()), SIGMA),
        (terms(log_variance.exp(), one=0.0), NO_ONE),
    ])


def check_14_5(answer):
    """((x - reconstruction)**2).flatten(1).sum(1).mean() / (2 * variance) + kl_to_standard_normal(mean,
    log_variance)"""
    x, back = normal(5, 2, 3, 4), normal(5, 2, 3, 4, seed=1)
    mean, log_variance = normal(5, 6, seed=2), normal(5, 6, seed=3)
    for leaf in (back, mean, log_variance):
        leaf.requires_grad_(True)
    squares = ((x - back) ** 2).flatten(1)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
    for variance in (0.1, 0.7):
        error = squares.sum(1).mean() / (2 * variance)
        given = (x, back, mean, log_variance, *([] if variance == 0.1 else [variance]))
        expect_loss(answer, given, error + kl, [
            (error, NO_KL), (kl, NO_ERROR), (squares.mean() / (2 * variance) + kl, PIXEL_MEAN),
            *((factor * squares.mean() + other, MSE) for factor in (0.5, 1)
              for other in (kl, kl * len(x), kl / mean.shape[1])),
            (squares.sum() / (2 * variance) + kl, SUM), *((factor * squares.sum() + kl, SUM) for factor in (0.5, 1)),
            *((factor * squares.sum() + kl * len(x), SUM) for factor in (0.5, 1)),
            (squares.sum(1).mean() + kl, VARIANCE_UNUSED),
            (squares.sum(1).mean() / 2 + kl, VARIANCE_UNUSED), (squares.sum(1).mean() / 0.2 + kl, VARIANCE_UNUSED),
            (2 * error + kl, TWO), (error - kl, SIGN), (kl - error, SIGN), (-error - kl, SIGN),
            (squares.sqrt().sum(1).mean() / (2 * variance) + kl, ABSOLUTE),
            (squares.sum(1).sqrt().mean() / (2 * variance) + kl, ROOT), (error * variance**2 + kl, BRACKETS),
            (error / variance + kl, SQUARED_VARIANCE),
        ])


def check_14_6(answer):
    """0.5 * ((features - reconstructed)**2).sum(1).mean()"""
    features, back = normal(5, 7), normal(5, 7, seed=1).requires_grad_(True)
    squares = (features - back) ** 2
    right = 0.5 * squares.sum(1).mean()
    expect_loss(answer, (features, back), right, [
        (2 * right, FACTOR), (squares.mean(), MEAN), (0.5 * squares.mean(), MEAN), (0.5 * squares.sum(), SUM),
        (squares.sum(), SUM), (0.5 * squares.sqrt().sum(1).mean(), ABSOLUTE),
        (0.5 * squares.sum(1).sqrt().mean(), ROOT),
        (-right, SIGN), (0.5 * (features.mean(0) - back.mean(0)).pow(2).sum(), SUM),
    ])
