"""What checks of losses share: a scalar with a gradient; the losses of a GAN, and what is written in their place."""

import torch
from torch.nn import functional as F

from .compare import Wrong, compare, describe, named_arguments, run

# What is said to the reader.
EACH = "a scalar, not one loss per image or entry: add them up or take the mean, as the exercise says"
CUT = "the loss has no gradient, so nothing can be trained with it: no .item(), no .detach(), no torch.no_grad()"
NO_TENSOR = "return a tensor, a Python number has no gradient: no .item(), no float()"
NO_GRADIENT = "no gradient gets back to {name}: nothing detached, no .data, no NumPy"
LABELS = "the labels are swapped: for D, real images have the label 1, generated ones 0"
HALF = "that is half of it: add the two means, without dividing by 2"
JOINT = "that is one mean over all n + m logits: take the mean of each half, then add them"
SUM = "that is a sum over the images: take the mean"
ONLY_REAL = "the generated images are missing: their logits have the target 0"
ONLY_FAKE = "the real images are missing: their logits have the target 1"
DIFFERENCE = "the two halves are added, both with a minus sign before the logarithm"
SIGN = "the sign is wrong: a minus sign stands before the logarithm"
TWICE = "the sigmoid is applied twice: binary_cross_entropy_with_logits takes the logits themselves"
NO_LOG = "the logarithm is missing: −mean ln D(x̃), where ln D(x̃) is the logarithm of a sigmoid"
CRITIC = "the logits' mean is the loss of a Wasserstein GAN: here, the logarithm of their sigmoid counts"
SQUARES = "that is a mean of squares, the loss of a least-squares GAN: here, the logarithm of D's probabilities counts"
ADDED = "a number is added to the probability before the logarithm, which shifts the loss: take the loss of the logits"
SATURATING = "that is the saturating loss, mean ln(1 − D(x̃)): take −mean ln D(x̃)"
FOR_D = "that is what D minimises on generated images: G wants D's answer 'real', the target 1"

def added(logit, number):
    """The mean logarithm of a probability to which a number was added."""
    return (logit.sigmoid() + number).log().mean()


ADDENDS = (1e-2, 1e-3, 1e-4)
WRONG_D = [  # (what is computed by mistake from the real and the fake logits, its hint)
    (lambda real, fake: F.softplus(real).mean() + F.softplus(-fake).mean(), LABELS),
    (lambda real, fake: (F.softplus(-real).mean() + F.softplus(fake).mean()) / 2, HALF),
    (lambda real, fake: F.softplus(torch.cat([-real, fake])).mean(), JOINT),
    (lambda real, fake: F.softplus(torch.cat([-real, fake])).sum(), SUM),
    (lambda real, fake: F.softplus(-real).mean(), ONLY_REAL),
    (lambda real, fake: F.softplus(-real).mean() + F.softplus(-fake).mean(), LABELS),
    (lambda real, fake: F.softplus(real).mean() + F.softplus(fake).mean(), LABELS),
    (lambda real, fake: F.softplus(fake).mean(), ONLY_FAKE),
    (lambda real, fake: F.softplus(-real).mean() - F.softplus(fake).mean(), DIFFERENCE),
    (lambda real, fake: F.softplus(fake).mean() - F.softplus(-real).mean(), DIFFERENCE),
    (lambda real, fake: -F.softplus(-real).mean() - F.softplus(fake).mean(), SIGN),
    (lambda real, fake: F.softplus(-real.sigmoid()).mean() + F.softplus(fake.sigmoid()).mean(), TWICE),
    (lambda real, fake: fake.mean() - real.mean(), CRITIC),
    *((lambda real, fake, end=end, c=c: c * ((end(real) - 1).square().mean() + end(fake).square().mean()), SQUARES)
      for end in (torch.sigmoid, lambda logits: logits) for c in (1, 0.5)),
    *((lambda real, fake, e=e: -added(real, e) - added(-fake, e), ADDED) for e in ADDENDS),
]
WRONG_G = [  # the same from the fake logits, for the non-saturating loss
    (lambda fake: -F.softplus(fake).mean(), SATURATING),
    (lambda fake: F.softplus(fake).mean(), FOR_D),
    (lambda fake: -F.softplus(-fake).mean(), SIGN),
    (lambda fake: F.softplus(-fake).sum(), SUM),
    (lambda fake: F.softplus(-fake.sigmoid()).mean(), TWICE),
    (lambda fake: -fake.sigmoid().mean(), NO_LOG),
    (lambda fake: (1 - fake.sigmoid()).mean(), NO_LOG),
    (lambda fake: -fake.mean(), CRITIC),
    *((lambda fake, end=end, factor=factor: factor * (end(fake) - 1).square().mean(), SQUARES)
      for end in (torch.sigmoid, lambda logits: logits) for factor in (1, 0.5)),
    *((lambda fake, e=e: -added(fake, e), ADDED) for e in ADDENDS),
]


def loss_of_D(real, fake):
    """−mean ln D(x) − mean ln(1 − D(x̃)) of logits: ln sigmoid(a) = −softplus(−a)."""
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def loss_of_G(fake):
    """−mean ln D(x̃) of logits."""
    return F.softplus(-fake).mean()


def expect_loss(answer, inputs, right, mistakes=(), hints=()):
    """Raise Wrong unless answer(*inputs) is the scalar `right`, with a gradient to all inputs that ask for one.

    mistakes, hints:  as in compare

    Returns these gradients.
    """
    inputs = [one.clone() if isinstance(one, torch.Tensor) and one.requires_grad else one for one in inputs]
    found = run(answer, *inputs)  # clones, which are no leaves: they may be changed in place, and must not
    if isinstance(found, float):
        raise Wrong("a tensor that has a gradient", describe(found), NO_TENSOR)
    if isinstance(found, torch.Tensor) and found.numel() > 1:
        raise Wrong("a scalar tensor", describe(found), EACH)
    compare(found, right, mistakes, hints)
    return expect_gradients(found, [(name, one) for name, one in named_arguments(answer, inputs, {})
                                    if isinstance(one, torch.Tensor) and one.requires_grad])


def expect_gradients(loss, leaves):
    """The gradients of a loss with respect to (name, tensor) pairs. Raise Wrong where there is none."""
    if not leaves:
        return ()
    if not loss.requires_grad:
        raise Wrong("a loss that has a gradient", "requires_grad=False", CUT)
    gradients = torch.autograd.grad(loss, [leaf for _, leaf in leaves], retain_graph=True, allow_unused=True)
    for (name, _), gradient in zip(leaves, gradients, strict=True):
        if gradient is None:
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name))
    return gradients
