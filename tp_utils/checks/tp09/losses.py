"""Exercises 9.5 to 9.7: losses in closed form."""

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, describe, expect_tensor, run, same
from ..kit.losses import (
    ADDED,
    ADDENDS,
    CRITIC,
    SQUARES,
    SUM,
    TWICE,
    WRONG_D,
    WRONG_G,
    added,
    expect_loss,
    loss_of_D,
    loss_of_G,
)
from ..kit.networks import normal

# What is said to the reader.
LOG_OF_LOGITS = "NaN: the logarithm of a logit, which may be negative? D(x) is the sigmoid of the logit"
NOT_SATURATING = "that is the non-saturating loss, −mean ln D(x̃): here G minimises mean ln(1 − D(x̃))"
PLUS = "the sign is wrong: binary cross-entropy with the target 0 is −mean ln(1 − D(x̃)), here there is no minus sign"
EXTREME = "right for small logits, not for large ones: a sigmoid rounds to 0 or 1, and exp overflows; " \
          "F.binary_cross_entropy_with_logits does both at once"
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
    *((lambda fake, end=end, factor=factor: -factor * end(fake).square().mean(), SQUARES)
      for end in (torch.sigmoid, lambda logits: logits) for factor in (1, 0.5)),
    *((lambda fake, e=e: added(-fake, e), ADDED) for e in ADDENDS),
]


def check_9_5(answer):
    """F.binary_cross_entropy_with_logits of the real logits with torch.ones_like, plus the same of the fake logits
    with torch.zeros_like"""
    expect_values(answer, loss_of_D, WRONG_D, [2 * normal(7), 2 * normal(4, seed=1) - 1])
    expect_large(answer, loss_of_D, 2)


def check_9_6(answer):
    """F.binary_cross_entropy_with_logits of the fake logits with torch.ones_like: G wants the answer 'real'"""
    expect_values(answer, loss_of_G, WRONG_G, [2 * normal(7) - 1])
    expect_large(answer, loss_of_G, 1)


def check_9_7(answer):
    """minus F.binary_cross_entropy_with_logits of the fake logits with torch.zeros_like"""
    expect_values(answer, saturating_loss_of_G, WRONG_SATURATING, [2 * normal(7) - 1])
    expect_large(answer, saturating_loss_of_G, 1)


def saturating_loss_of_G(fake):
    return -F.softplus(fake).mean()


def expect_values(answer, loss, wrong_losses, logits):
    """The value and the gradient of a loss at some logits."""
    exact = [one.detach().cpu().double().requires_grad_() for one in logits]
    leaves, right = [one.clone().requires_grad_() for one in logits], loss(*exact)
    found = answer(*(one.clone() for one in leaves))
    if isinstance(found, torch.Tensor) and not found.isfinite().all():
        raise Wrong(describe(right), describe(found), LOG_OF_LOGITS)
    gradients = expect_loss(answer, leaves, right.float(), [(one(*exact), hint) for one, hint in wrong_losses])
    expect_tensor(found, [], torch.float32)
    expect_slopes(gradients, right, exact, LOSS_GRADIENT)


def expect_large(answer, loss, count):
    """The same where exp overflows, or where a sigmoid in float32 is 0 or 1."""
    logits = [torch.tensor(values) for values in ([100.0, -100.0, 30.0, -20.0], [40.0, -100.0, 100.0])][:count]
    exact = [one.double().requires_grad_() for one in logits]
    leaves = [one.to(device()).requires_grad_() for one in logits]
    found, right = run(answer, *leaves), loss(*exact)
    if not same(found, right):
        raise Wrong(f"{describe(right)} for logits of ±100", describe(found), EXTREME)
    expect_slopes(torch.autograd.grad(found, leaves, allow_unused=True), right, exact, EXTREME)


def expect_slopes(gradients, right, exact, hint):
    """Raise Wrong unless these are the gradients of the right loss."""
    for gradient, one in zip(gradients, torch.autograd.grad(right, exact), strict=True):
        if gradient is None or not same(gradient, one):
            raise Wrong(f"the loss' gradient: {describe(one)}", describe(gradient), hint)
