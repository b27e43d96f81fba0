"""What the checks of TP 8 share: the oracle, a network whose scores are polynomials of the pixels."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, expect_unchanged
from ..kit.networks import normal

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "8.1": "the result is [N, H, W]: the max over the channels (dim=1) of |d score of the label / d pixel|",
    "8.2": "return (image [1, 3, H, W], number of updates); one update is x + learning_rate * g / g.norm(), "
           "where g is the gradient of scores[0, target] at the current x",
    "8.3": "the result is [1, 3, H, W]: x + learning_rate * (d score / d x - 2 * l2 * x)",
    "8.4": "the result is [N, H, W]: add up the gradients of the noisy copies, divide by samples, "
           "then .abs() and the max over the channels",
    "8.5": "the result is [N, 3, H, W]: images * (mean of the gradients at alpha * images), "
           "alpha from 0 to 1; its sum over an image must be score(image) - score(0)",
    "8.6": "the result is [N, H, W]: weights = gradient.mean(dim=(2, 3)), map = relu(sum over c of "
           "weights_c A_c), then enlarged to the images' size, then divided by the maximum of each map",
    "8.7": "the result is [N, 3, H, W]: (x + epsilon * sign(d cross-entropy / d x)).clamp(0, 1)",
    "8.8": "one step: x + step * sign(gradient at x), brought back to within epsilon of the original images, "
           "then clamp(0, 1)",
}
# Errors of autograd: a piece of the message, and what is behind it.
ERRORS = {
    "element 0 of tensors": "nothing requires a gradient (the weights are frozen): the images need "
                            ".requires_grad_() before they go through the network, without torch.no_grad()",
    "One of the differentiated": "the gradient is taken with respect to something that is cut off: "
                                 "no .detach() before the gradient",
    "only for scalar outputs": "a gradient is taken of one number: first add up the labels' scores, .sum()",
    "a second time": "the graph is used up after one gradient: compute the scores anew for every gradient",
    "leaf Variable that requires grad": "no in-place operation (+=) on an image that requires a gradient: "
                                        "write x = (x + ...).detach()",
    "not have been used in the graph": "differentiate with respect to the very tensor that the network got",
    "NoneType": "there is a None: x.grad is only filled for a leaf, i.e. x.detach().clone().requires_grad_()",
}
INPUT = "the input"
TRACKED = ("your function turned gradients on for its input itself, where they pile up from call to call: "
           "work on a copy, x.detach().clone().requires_grad_()")
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


def run(answer, images, *rest):
    """What the answer returns; its input must stay untouched, and autograd's usual errors get their hint."""
    before = images.clone()
    try:
        result = answer(images, *rest)
    except (RuntimeError, TypeError, AttributeError) as error:
        for piece, hint in ERRORS.items():
            if piece in str(error):
                first_line = str(error).splitlines()[0]
                raise Wrong("a result", f"{type(error).__name__}: {first_line}", hint) from error
        raise
    expect_unchanged(before, images, INPUT)
    if images.requires_grad or images.grad is not None:
        raise Wrong(f"{INPUT} left as it was", "requires_grad or .grad was set on it", TRACKED)
    return result


def expect(exercise, found, expected, mistakes=(), tolerance=1e-3):
    """Compare, with the exercise's recipe as the hint of last resort; the result must not carry a graph."""
    compare(found, expected, mistakes, [RECIPE[exercise]], tolerance, torch.float32)
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
