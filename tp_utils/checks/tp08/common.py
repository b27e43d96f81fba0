"""What the checks of TP 8 share: the oracle, a network whose scores are polynomials of the pixels."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare
from ..kit.networks import normal

# What is said to the reader.
# Errors of autograd: a piece of the message, and what is behind it.
ERRORS = {
    "element 0 of tensors": "nothing requires a gradient (the weights are frozen): the images need "
                            ".requires_grad_() before they go through the network, without torch.no_grad()",
    "One of the differentiated": "the gradient is taken with respect to something that is cut off: "
                                 "no .detach() before the gradient",
    "leaf Variable that requires grad": "no in-place operation (+=) on an image that requires a gradient: "
                                        "write x = (x + ...).detach()",
    "not have been used in the graph": "differentiate with respect to the very tensor that the network got",
    "NoneType": "there is a None: x.grad is only filled for a leaf, i.e. x.detach().clone().requires_grad_()",
}
ATTACHED = "the values are right, but the result still carries its graph: .detach() it"
# Of which number the gradient is taken.
SOFTMAX = "a softmax is in it (probability, log-probability or cross-entropy): take the label's score itself"
BEST = "that is the gradient of the highest score: take the score of the given label (or target)"
ALL = "that is the gradient of the sum of all scores: pick one score per image, the label's"
OTHERS = "an image gets another image's label: scores.gather(1, labels[:, None]) picks one score per image"
MEAN_SCORE = "the gradients are divided by N: add up the labels' scores with sum(), not mean()"
NO_STEP = "the image is not changed at all: is the new image kept, and how often does the loop run?"
SAME_GRADIENT = "the gradient of the first image is used again: compute it anew at every step"


class Polynomial(nn.Module):
    """score_k(x) = sum over the pixels of a_k x + b_k x^2 / 2 + c_k x^3 / 3; gradient: a + b x + c x^2."""

    def __init__(self, *coefficients):
        """coefficients: up to three tensors [K, C, H, W]: a, b, c."""
        super().__init__()
        self.coefficients = nn.ParameterList(coefficients)
        self.to(device()).eval().requires_grad_(False)

    def forward(self, x):
        terms = enumerate(self.coefficients, 1)
        return sum(torch.einsum("nchw,kchw->nk", x**power / power, c) for power, c in terms)

    def gradient(self, x, weights):
        """d sum_k weights_k score_k / d x without autograd. weights [N, K]; or labels [N], one score each."""
        if weights.ndim == 1:
            weights = one_hot(weights, self)
        terms = enumerate(self.coefficients)
        return sum(torch.einsum("nk,kchw->nchw", weights, c) * x**power for power, c in terms)


def one_hot(labels, network):
    return F.one_hot(labels, len(network.coefficients[0])).float()


def setting(scale=0.1):
    """(network with 4 classes, images float32 [3, 3, 8, 6], labels int64 [3])."""
    network = Polynomial(*(scale * normal(4, 3, 8, 6, seed=seed) for seed in (1, 2, 3)))
    return network, normal(3, 3, 8, 6), torch.tensor([2, 0, 3], device=device())


def expect(found, expected, mistakes=(), tolerance=1e-3):
    """Compare; the result must not carry a graph."""
    compare(found, expected, mistakes, (), tolerance, torch.float32)
    if found.requires_grad:
        raise Wrong("a result without gradient", "requires_grad=True", ATTACHED)


def wrong_scores(scores, labels):
    """(weights of the scores [N, K], hint): the numbers that are differentiated by mistake."""
    right, probabilities = F.one_hot(labels, scores.shape[1]).float(), scores.softmax(dim=1)
    yield (probabilities * right).sum(1, keepdim=True) * (right - probabilities), SOFTMAX
    for factor in (1, -1, -1 / len(scores)):
        yield factor * (right - probabilities), SOFTMAX
    yield F.one_hot(scores.argmax(1), scores.shape[1]).float(), BEST
    yield torch.ones_like(scores), ALL
    yield right / len(scores), MEAN_SCORE
    for other in (right.sum(0), right[0], right.flip(0), right.roll(1, 0)):
        yield other.expand_as(scores), OTHERS


def unit(gradient):
    return gradient / gradient.norm()
