"""What the checks of TP 9 share."""

import torch
from torch.nn import functional as F
from torch.nn.utils import parameters_to_vector

from ..kit.compare import Wrong

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "9.1": "blocks times [Conv2d(…, 4, stride=2, padding=1, bias=False), BatchNorm2d, LeakyReLU(0.2)], channels "
           "doubling from width; then Conv2d(…, 1, 4), and .flatten() to [N]",
    "9.2": "[ConvTranspose2d(nz, width * 2**(blocks - 1), 4, bias=False), BatchNorm2d, ReLU], then blocks - 1 times "
           "the same with stride=2, padding=1, half the channels; then ConvTranspose2d(width, channels, 4, 2, 1), tanh",
    "9.3": "loop over network.modules(); for each kind of layer nn.init.normal_(module.weight, mean, 0.02), and "
           "nn.init.zeros_(module.bias) where the bias is not None; return network",
    "9.4": "torch.randn with the shape n, nz, 1, 1 and generator=generator, then .to(device)",
    "9.5": "F.binary_cross_entropy_with_logits of the real logits with torch.ones_like, plus the same of the fake "
           "logits with torch.zeros_like",
    "9.6": "F.binary_cross_entropy_with_logits of the fake logits with torch.ones_like: G wants the answer 'real'",
    "9.7": "minus F.binary_cross_entropy_with_logits of the fake logits with torch.zeros_like",
    "9.8": "fake = G(z).detach(); loss = discriminator_loss(D(x), D(fake)); then zero_grad(), backward(), step(), "
           "and return loss.detach()",
    "9.9": "loss = generator_loss(D(G(z))), nothing detached; then zero_grad(), backward(), step(), "
           "and return loss.detach()",
    "9.10": "(1 - share) * z0 + share * z1, with share = k / (steps - 1) for k = 0 … steps - 1; "
            "torch.linspace(0, 1, steps) has these shares",
}
# Errors: a piece of the message, and what is behind it.
ERRORS = {
    "before Module.__init__": "the first line of __init__ is super().__init__()",
    'missing the required "forward"': "the class needs a method forward(self, …), at the same level as __init__",
    "running_mean should contain": "a batch norm has as many channels as the convolution before it puts out",
    "element 0 of tensors": "the loss depends on nothing that learns: too much is detached or under torch.no_grad()",
    "a second time": "the graph is used up after one backward(): compute what you need anew",
    "leaf Variable that requires grad": "in-place changes of weights need torch.no_grad(): nn.init.normal_ does it",
    "size of tensor a": "two tensors that meet differ in length along an axis: in a loss, n may differ from m, so take "
                        "the mean of each half first; on a line, the shares need the latents' axes: .view(-1, 1, 1, 1)",
    "'NoneType' object has no attribute": "something is None there: a layer with bias=False has None as its bias, and "
                                          "a function without `return` gives None",
    "'float' object has no attribute": "a tensor is needed in place of a number: torch.ones_like and torch.zeros_like "
                                       "make targets of the logits' shape",
    "arget size": "the target has the shape of its own logits: torch.ones_like, torch.zeros_like",
    "between 0 and 1": "F.binary_cross_entropy wants probabilities: logits go into F.binary_cross_entropy_with_logits",
}

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
SATURATING = "that is the saturating loss, mean ln(1 − D(x̃)): take −mean ln D(x̃)"
FOR_D = "that is what D minimises on generated images: G wants D's answer 'real', the target 1"

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
]


def run(answer, *arguments, **named):
    """What the answer returns; usual errors get their hint."""
    try:
        return answer(*arguments, **named)
    except (RuntimeError, ValueError, AttributeError, NotImplementedError) as error:
        for piece, hint in ERRORS.items():
            if piece in str(error):
                raise Wrong("a result", f"{type(error).__name__}: {str(error).splitlines()[0]}", hint) from error
        raise


# ---- 9.5, 9.6 and 9.7: losses in closed form


def loss_of_D(real, fake):
    return F.softplus(-real).mean() + F.softplus(fake).mean()


def loss_of_G(fake):
    return F.softplus(-fake).mean()


# ---- 9.8 and 9.9: two small players, and their copies in float64


def gradient(loss, network):
    """d loss / d weights, as one vector."""
    return parameters_to_vector(torch.autograd.grad(loss, list(network.parameters()), retain_graph=True))
