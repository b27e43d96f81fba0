"""Exercises 14.3 to 14.6: a latent drawn, and losses in closed form."""

import torch

from ...runtime import device
from ..kit.compare import Wrong, compare, expect_tensor, expect_unchanged
from ..kit.networks import normal
from .common import RECIPE

# What is said to the reader.
VARIANCE = "that scales the noise by σ²: the standard deviation is exp(½ log_variance)"
LOG = "that scales the noise by ln σ²: the standard deviation is exp(½ log_variance)"
NO_HALF = "σ = exp(½ log_variance): the ½ is missing or on the wrong side"
ONE_NOISE = "all latents get the same noise: torch.randn(mean.shape, …)"
OTHER_NOISE = "other numbers than mean + σ · torch.randn(mean.shape, generator=generator): is the noise normal?"
SEEDED = "another generator gives the same latents: draw from `generator`"
GLOBAL = "the same generator state must give the same latents: generator=generator"
NO_NONE = "generator=None must work too: torch's own generator"
NO_GRADIENT = "no gradient gets back to {name}: nothing detached, no .data, no torch.normal"
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
VARIANCE_UNUSED = "divide the squared error by 2 · variance: is the argument used?"
BRACKETS = "/ 2 * variance multiplies by the variance: brackets, / (2 * variance)"
SQUARED_VARIANCE = "`variance` is σ² already: do not square it"
TWO = "divide by 2 · variance: the 2 is missing"
ABSOLUTE = "the error is squared, not absolute"
ROOT = "that is the distance: square it"


# ---- 14.3


def check_14_3(answer):
    recipe, n, nz = RECIPE["14.3"], 400, 5
    mean = normal(n, nz).requires_grad_(True)
    log_variance = (2 * normal(1, nz, seed=1)).expand(n, nz).clone().requires_grad_(True)
    before = mean.detach().clone(), log_variance.detach().clone()

    def drawn(seed):
        return answer(mean, log_variance, torch.Generator().manual_seed(seed))

    found = drawn(0)
    expect_tensor(found, [n, nz], torch.float32, (recipe,))
    for old, new, name in zip(before, (mean, log_variance), ("mean", "log_variance"), strict=True):
        expect_unchanged(old, new.detach(), name)
    if not torch.equal(found, drawn(0)):
        raise Wrong("the same latents from the same generator", "others", GLOBAL, recipe)
    if torch.equal(found, drawn(1)):
        raise Wrong("other latents from another generator", "the same", SEEDED, recipe)
    noise = torch.randn(n, nz, generator=torch.Generator().manual_seed(0)).to(device())
    variance = log_variance.exp()
    compare(found, (mean + variance.sqrt() * noise).detach(), [
        (mean + variance * noise, VARIANCE), (mean + log_variance * noise, LOG), (mean + variance**2 * noise, NO_HALF),
        (mean + 0.5 * variance * noise, NO_HALF), (variance.sqrt() * noise, NO_MEAN), (mean + noise, LOG),
    ], [ONE_NOISE if found.sub(mean).std(0).max() < 1e-3 else OTHER_NOISE, recipe], 1e-4)
    for name, leaf in (("mean", mean), ("log_variance", log_variance)):
        gradient = torch.autograd.grad(found.sum(), leaf, retain_graph=True, allow_unused=True)[0] \
            if found.requires_grad else None
        if gradient is None or not gradient.any():
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name), recipe)
    try:
        torch.manual_seed(5)
        one, other = answer(mean, log_variance), answer(mean, log_variance)
        torch.manual_seed(5)
        again = answer(mean, log_variance)
    except TypeError as error:
        raise Wrong("latents", f"TypeError: {error}", NO_NONE, recipe) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other latents at each call, the same after the same torch.manual_seed",
                    "the same latents" if torch.equal(one, other) else "others", NO_NONE, recipe)


# ---- 14.4 to 14.6


def expect_gradient(loss, exercise, **leaves):
    """Raise Wrong unless a loss sends a gradient back to all of these inputs."""
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True) if loss.requires_grad else [None]
    for name, gradient in zip(leaves, found, strict=False):
        if gradient is None:
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name), RECIPE[exercise])


def check_14_4(answer):
    recipe, mean, log_variance = RECIPE["14.4"], normal(6, 4), 0.7 * normal(6, 4, seed=1)
    from torch.distributions import Normal, kl_divergence

    each = kl_divergence(Normal(mean, log_variance.exp().sqrt()), Normal(torch.zeros_like(mean), 1.0))
    right = each.sum(1).mean()

    def terms(variance, one=1.0, logarithm=log_variance):
        return 0.5 * (mean**2 + variance - one - logarithm).sum(1).mean()

    found = answer(mean.requires_grad_(True), log_variance.requires_grad_(True))
    compare(found, right, [
        (each.sum(), SUM), (each.mean(), MEAN), (each.mean(1).sum(), MEAN), (each.sum(1), SUM),
        (each.sum(0).mean(), MEAN),
        (-right, SIGN), (2 * right, FACTOR), (terms(variance=log_variance), LOG_AS_VARIANCE),
        (terms(variance=log_variance, logarithm=log_variance.abs().log()), LOG_AS_VARIANCE),
        (terms(variance=log_variance**2, logarithm=(log_variance**2).log()), LOG_AS_VARIANCE),
        (terms(variance=(2 * log_variance).exp()), SIGMA), (terms(variance=(0.5 * log_variance).exp()), SIGMA),
        (terms(log_variance.exp(), one=0.0), NO_ONE),
    ], [recipe])
    expect_gradient(found, "14.4", mean=mean, log_variance=log_variance)


def check_14_5(answer):
    recipe = RECIPE["14.5"]
    x, back = normal(5, 2, 3, 4), normal(5, 2, 3, 4, seed=1)
    mean, log_variance = normal(5, 6, seed=2), normal(5, 6, seed=3)
    for leaf in (back, mean, log_variance):
        leaf.requires_grad_(True)
    squares = ((x - back) ** 2).flatten(1)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
    for variance in (0.1, 0.7):
        error = squares.sum(1).mean() / (2 * variance)
        found = answer(x, back, mean, log_variance, *([] if variance == 0.1 else [variance]))
        compare(found, error + kl, [
            (error, NO_KL), (kl, NO_ERROR), (squares.mean() / (2 * variance) + kl, PIXEL_MEAN),
            (squares.sum() / (2 * variance) + kl, SUM), (squares.sum(1).mean() + kl, VARIANCE_UNUSED),
            (squares.sum(1).mean() / 2 + kl, VARIANCE_UNUSED), (squares.sum(1).mean() / 0.2 + kl, VARIANCE_UNUSED),
            (2 * error + kl, TWO), (error - kl, SIGN), (kl - error, SIGN), (-error - kl, SIGN),
            (squares.sqrt().sum(1).mean() / (2 * variance) + kl, ABSOLUTE),
            (squares.sum(1).sqrt().mean() / (2 * variance) + kl, ROOT), (error * variance**2 + kl, BRACKETS),
            (error / variance + kl, SQUARED_VARIANCE),
        ], [recipe])
        expect_gradient(found, "14.5", reconstruction=back, mean=mean, log_variance=log_variance)


def check_14_6(answer):
    features, back = normal(5, 7), normal(5, 7, seed=1).requires_grad_(True)
    squares = (features - back) ** 2
    right = 0.5 * squares.sum(1).mean()
    found = answer(features, back)
    compare(found, right, [
        (2 * right, FACTOR), (squares.mean(), MEAN), (0.5 * squares.mean(), MEAN), (0.5 * squares.sum(), SUM),
        (squares.sum(), SUM), (0.5 * squares.sqrt().sum(1).mean(), ABSOLUTE),
        (0.5 * squares.sum(1).sqrt().mean(), ROOT),
        (-right, SIGN), (0.5 * (features.mean(0) - back.mean(0)).pow(2).sum(), SUM),
    ], [RECIPE["14.6"]])
    expect_gradient(found, "14.6", reconstructed=back)
