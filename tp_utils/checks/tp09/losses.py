"""Exercises 9.5 to 9.7: losses in closed form."""

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, expect_unchanged, same
from ..kit.networks import normal
from .common import CRITIC, RECIPE, SUM, TWICE, WRONG_D, WRONG_G, loss_of_D, loss_of_G, run

# What is said to the reader.
LOG_OF_LOGITS = "NaN: the logarithm of a logit, which may be negative? D(x) is the sigmoid of the logit"
NOT_SATURATING = "that is the non-saturating loss, −mean ln D(x̃): here G minimises mean ln(1 − D(x̃))"
PLUS = "the sign is wrong: binary cross-entropy with the target 0 is −mean ln(1 − D(x̃)), here there is no minus sign"
EACH = "a scalar, not one loss per image: take the mean"
EXTREME = "right for small logits, not for large ones: a sigmoid rounds to 0 or 1, and exp overflows; " \
          "F.binary_cross_entropy_with_logits does both at once"
LOSS_CUT = "the loss has no gradient, so nothing can be trained with it: no .item(), no .detach(), no torch.no_grad()"
LOSS_GRADIENT = "the value is right, the gradient is not: is something detached or rounded on the way?"

WRONG_SATURATING = [
    (lambda fake: F.softplus(-fake).mean(), NOT_SATURATING),
    (lambda fake: F.softplus(fake).mean(), PLUS),
    (lambda fake: -F.softplus(-fake).mean(), "that is mean ln D(x̃): take the logarithm of 1 − D(x̃)"),
    (lambda fake: -F.softplus(fake).sum(), SUM),
    (lambda fake: -F.softplus(fake.sigmoid()).mean(), TWICE),
    (lambda fake: -fake.sigmoid().mean(), "the logarithm is missing: mean ln(1 − D(x̃))"),
    (lambda fake: (1 - fake.sigmoid()).mean(), "the logarithm is missing: mean ln(1 − D(x̃))"),
    (lambda fake: -fake.mean(), CRITIC),
]


def check_9_5(answer):
    expect_loss("9.5", answer, loss_of_D, WRONG_D, [2 * normal(7), 2 * normal(4, seed=1) - 1])
    expect_large("9.5", answer, loss_of_D, 2)


def check_9_6(answer):
    expect_loss("9.6", answer, loss_of_G, WRONG_G, [2 * normal(7) - 1])
    expect_large("9.6", answer, loss_of_G, 1)


def check_9_7(answer):
    expect_loss("9.7", answer, saturating_loss_of_G, WRONG_SATURATING, [2 * normal(7) - 1])
    expect_large("9.7", answer, saturating_loss_of_G, 1)


def saturating_loss_of_G(fake):
    return -F.softplus(fake).mean()


def expect_loss(exercise, answer, loss, wrong_losses, logits):
    """The value and the gradient of a loss at some logits."""
    exact = [one.detach().cpu().double().requires_grad_() for one in logits]
    leaves = [one.clone().requires_grad_() for one in logits]
    given = [one.clone() for one in leaves]
    found, right = run(answer, *given), loss(*exact).float()
    for before, after in zip(logits, given, strict=True):
        expect_unchanged(before, after.detach(), "a tensor of logits")
    if isinstance(found, torch.Tensor):
        if not found.isfinite().all():
            raise Wrong(describe(right), describe(found), LOG_OF_LOGITS, RECIPE[exercise])
        if found.shape in {one.shape for one in logits}:
            raise Wrong(describe(right), describe(found), EACH, RECIPE[exercise])
    elif isinstance(found, float):
        raise Wrong("a tensor that has a gradient", describe(found), LOSS_CUT)
    compare(found, right, [(one(*exact), hint) for one, hint in wrong_losses], [RECIPE[exercise]], dtype=torch.float32)
    if not found.requires_grad:
        raise Wrong("a loss that has a gradient", "requires_grad=False", LOSS_CUT)
    expect_gradients(found, right, leaves, exact, LOSS_GRADIENT, RECIPE[exercise])


def expect_large(exercise, answer, loss, count):
    """The same where exp overflows, or where a sigmoid in float32 is 0 or 1."""
    logits = [torch.tensor(values) for values in ([100.0, -100.0, 30.0, -20.0], [40.0, -100.0, 100.0])][:count]
    exact = [one.double().requires_grad_() for one in logits]
    leaves = [one.to(device()).requires_grad_() for one in logits]
    found, right = run(answer, *(one.clone() for one in leaves)), loss(*exact).float()
    if not same(found, right):
        raise Wrong(f"{describe(right)} for logits of ±100", describe(found), EXTREME, RECIPE[exercise])
    expect_gradients(found, right, leaves, exact, EXTREME, RECIPE[exercise])


def expect_gradients(found, right, leaves, exact, *hints):
    gradients = torch.autograd.grad(found, leaves, allow_unused=True)
    expected = torch.autograd.grad(right, exact)
    for gradient, one in zip(gradients, expected, strict=True):
        if gradient is None or not same(gradient, one):
            raise Wrong(f"the loss' gradient: {describe(one)}", describe(gradient), *hints)
