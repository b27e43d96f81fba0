"""Exercises 11.10 to 11.12: labels and pool together."""

import math

import torch
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe, expect_tensor, run, same
from ..kit.losses import expect_loss
from ..kit.networks import normal
from .common import SIGN, SOFTMAX_TWICE, SUM

# What is said to the reader.

# 11.10
NO_LABELS = "the labelled images' cross-entropy is missing"
NO_REAL = "the unlabelled images' term is missing: −mean ln D(x)"
NO_FAKE = "the generated images' term is missing: −mean ln(1 − D(x̃))"
SWAPPED = "unlabelled and generated images are swapped"
MAXIMUM = "D(x) is the probability of all K classes together: their logsumexp against 0, not the largest logit"
MEAN_LOGIT = "D(x) comes from the logsumexp of the K logits, not from their mean or sum"
HALF = "the two unsupervised terms count in full, without a factor 1/2"
NO_ZERO = "\"generated\" is a class of its own with the logit 0: D(x) = Σ exp / (1 + Σ exp)"
UNSTABLE = "right for small logits, not for ±1000: exp overflows, ln 0 is infinite; use logsumexp and softplus"
UNSTABLE_GRADIENT = "the gradient is NaN at ±1000 (torch.where computes both sides): use F.softplus"

# 11.11
PAIR = "return a pair: (indices, labels)"
LOGIT_THRESHOLD = "the threshold is compared with logits: take their softmax first"
SIGMOID = "that is the sigmoid of each logit: the softmax makes the K classes share one probability"
ALL_LABELS = "the labels of the chosen images only, in the order of the indices"
TENSOR = "return torch tensors, not NumPy's arrays or lists"
MASK = "indices, not a mask: .nonzero().flatten()"
AT_LEAST = "above the threshold, not at it"
BELOW = "these are the images below the threshold: the sure ones are wanted"
SQUEEZED = "an axis is lost where a single image is sure: avoid squeeze(), use flatten()"

# 11.12
MEAN_ONE = "the mean of the weights is {:.3f}, it must be 1"
MONOTONE = "a class with a lower recall must have a larger weight"
RECALL_TO_WEIGHT = "classes with a high recall get the large weights: it is the other way round"
PRECISION = "that goes by columns, the precision: rows are true classes, recall = diagonal / sum of the row"
FINITE = "a class that is never right, or of which there is no image, must get a finite positive weight"
NEVER_RIGHT = "a class that is never right has recall 0: the largest weight; the mean over all classes is 1 here too"
LEAST = "a class without mistakes must not be forgotten: its weight is at least 0.1"
ALL_RIGHT = "where no class makes mistakes, all weights are 1"


def check_11_10(answer):
    """F.cross_entropy(labelled_logits, labels) + F.softplus(-real).mean() + F.softplus(fake).mean(), where real and
    fake are the logsumexp(1) of their logits"""
    labelled, labels = (2 * normal(4, 5)).requires_grad_(), torch.tensor([0, 4, 2, 2]).to(device())
    real, fake = (2 * normal(6, 5, seed=1) - 1).requires_grad_(), (2 * normal(9, 5, seed=2) - 2).requires_grad_()
    lab, r, f = (each.detach().cpu().double() for each in (labelled, real, fake))
    cross = F.cross_entropy(lab, labels.cpu())

    def terms(real, fake, score):
        return F.softplus(-score(real)).mean(), F.softplus(score(fake)).mean()

    def total(x):
        return x.exp().sum(1).log()

    of_real, of_fake = terms(r, f, total)
    other_cross = F.cross_entropy(torch.cat([lab, torch.zeros_like(lab[:, :1])], 1), labels.cpu())
    twice = F.cross_entropy(lab.softmax(1), labels.cpu())
    mistakes = [(of_real + of_fake, NO_LABELS), (cross + of_fake, NO_REAL), (cross + of_real, NO_FAKE),
                (cross + sum(terms(f, r, total)), SWAPPED), (cross + sum(terms(r, f, lambda x: x.amax(1))), MAXIMUM),
                (cross + sum(terms(r, f, lambda x: x.mean(1))), MEAN_LOGIT),
                (cross + sum(terms(r, f, lambda x: x.sum(1))), MEAN_LOGIT),
                (cross + (of_real + of_fake) / 2, HALF), (twice + of_real + of_fake, SOFTMAX_TWICE),
                (cross - of_real - of_fake, SIGN + "all three terms are minimised"),
                (cross + sum(terms(r, f, lambda x: x.softmax(1).amax(1))), MAXIMUM),
                (cross - total(r).mean() + total(f).mean(), NO_ZERO), (other_cross + of_real + of_fake,
                 "the labelled images' cross-entropy is over the K classes alone"),
                (4 * cross + 6 * of_real + 9 * of_fake, SUM),
                (cross + sum(terms(r, f, lambda x: x.exp().sum(1))), "the logarithm is missing: logsumexp, not Σ exp")]
    expect_loss(answer, (labelled, labels, real, fake), cross + of_real + of_fake, mistakes)
    sign = torch.tensor([[1.0, -1, -1, -1, -1]], device=device()) * 1000
    extreme = answer(sign, torch.tensor([0], device=device()), sign, -1000 * torch.ones(1, 5, device=device()))
    other = answer(sign, torch.tensor([1], device=device()), -1000 * torch.ones(1, 5, device=device()), sign)
    for value, expected in ((extreme, 0.0), (other, 2000 + 1000 - math.log(5) + 1000)):
        if not torch.isfinite(value) or abs(value.item() - expected) > 0.5:
            raise Wrong(f"{expected:.1f} at logits of ±1000", describe(value), UNSTABLE)
    sign.requires_grad_(True)
    steep = answer(sign, torch.tensor([0], device=device()), sign, -sign)
    (gradient,) = torch.autograd.grad(steep, sign)
    if not torch.isfinite(gradient).all():
        raise Wrong("a finite gradient at logits of ±1000", describe(gradient), UNSTABLE_GRADIENT)


def check_11_11(answer):
    """sure, labels = logits.softmax(1).max(1); the indices where sure > threshold, and the labels there"""
    logits = 2 * normal(40, 5)
    logits[3] = torch.tensor([0.0, 0.0, -200, -200, -200])  # exactly one half
    logits[5] = 5.0  # large logits, and no idea
    for threshold in (0.5, 0.7, 0.3):
        soft = logits.cpu().double().softmax(1)
        sure, labels = soft.max(1)
        expected = (sure > threshold).nonzero().flatten()
        if threshold == 0.5:
            expected = expected[expected != 3]
        found = run(answer, logits, threshold)
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(indices, labels)", describe(found), NO_RETURN if found is None else PAIR)
        indices, given = found
        if not isinstance(indices, torch.Tensor):
            raise Wrong("indices int64 [n], a tensor", describe(indices), TENSOR)
        if indices.dtype == torch.bool:
            raise Wrong("indices int64 [n]", describe(indices), MASK)
        ordered = indices.sort().values if indices.ndim == 1 else indices
        for wrong, hint in (((logits.amax(1) > threshold), LOGIT_THRESHOLD),
                            ((logits.sigmoid().amax(1) > threshold), SIGMOID),
                            ((sure >= threshold - 1e-9), AT_LEAST), ((sure < threshold), BELOW)):
            if not torch.equal(ordered.cpu(), expected.cpu()) and \
                    torch.equal(ordered.cpu(), wrong.nonzero().flatten().cpu()):
                raise Wrong(f"{len(expected)} images", f"{len(indices)} images", hint)
        if isinstance(given, torch.Tensor) and len(given) == len(logits) and given.ndim == 1:
            raise Wrong(f"int64 [{len(expected)}]", describe(given), ALL_LABELS)
        order = indices.argsort() if indices.ndim == 1 else indices
        compare(ordered, expected, (), dtype=torch.int64)
        expect_tensor(given, [len(expected)], torch.int64, [ALL_LABELS])
        compare(given[order], labels[expected], (), [ALL_LABELS], dtype=torch.int64)
    single = answer(torch.tensor([[0.0, 9.0, 0.0], [0.0, 0.0, 0.0]], device=device()), 0.7)
    for part, expected in zip(single, ([0], [1]), strict=True):
        if part.tolist() != expected:
            raise Wrong(f"int64 {expected} where one image is sure", describe(part), SQUEEZED)
    nobody = answer(torch.zeros(4, 5, device=device()), 0.7)
    if len(nobody[0]) or len(nobody[1]):
        raise Wrong("no image", f"{len(nobody[0])} images", "where nobody is sure, nothing is chosen")


def check_11_12(answer):
    """recall = diagonal / sum of the row; a weight that grows with 1 - recall; divide by the mean"""
    matrix = torch.tensor([[180, 20, 0, 0], [0, 40, 10, 0], [40, 40, 120, 0], [0, 0, 0, 10]])
    recall = matrix.diag() / matrix.sum(1)  # 0.9, 0.8, 0.6, 1
    found = run(answer, matrix)
    expect_tensor(found, [4], torch.float32)
    precision = matrix.diag() / matrix.sum(0)  # 0.82, 0.4, 0.92, 1
    by_recall, by_precision = ([[value[i] < value[j] for j in range(4)] for i in range(4)] for value in
                               (recall, precision))
    order = [[bool(found[i] > found[j] + 1e-6) for j in range(4)] for i in range(4)]
    if order != [[bool(value) for value in row] for row in by_recall]:
        if order == [[bool(value) for value in row] for row in by_precision]:
            raise Wrong("larger weights for lower recall", str(found.tolist()), PRECISION)
        backwards = order == [[bool(recall[i] > recall[j]) for j in range(4)] for i in range(4)]
        raise Wrong("larger weights for lower recall", str([round(v, 3) for v in found.tolist()]),
                    RECALL_TO_WEIGHT if backwards else MONOTONE)
    if abs(found.mean() - 1) > 1e-4:
        raise Wrong("mean 1", f"mean {found.mean():.3f}", MEAN_ONE.format(found.mean()))
    hard = answer(torch.tensor([[0, 5, 0], [0, 5, 0], [0, 0, 0]]))
    if not torch.isfinite(hard).all() or (hard <= 0).any():
        raise Wrong("finite positive weights", str(hard.tolist()), FINITE)
    if hard.mean().sub(1).abs() > 1e-3 or hard[0] <= hard[1]:
        raise Wrong("the largest weight for a class that is never right, mean 1", str(hard.tolist()), NEVER_RIGHT)
    one_good = torch.cat([torch.zeros(9, 9, dtype=torch.int64), torch.full((9, 1), 10)], 1)  # all are taken for class 9
    one_good = torch.cat([one_good, 10 * torch.eye(10, dtype=torch.int64)[9:]])
    for matrix in (torch.tensor([[1, 9, 0], [0, 10, 0], [0, 0, 10]]), one_good):
        found = answer(matrix)
        if found.min() < 0.1:
            raise Wrong("weights of at least 0.1", str([round(v, 3) for v in found.tolist()]), LEAST)
    even = answer(torch.eye(3, dtype=torch.int64) * 7)
    if not torch.isfinite(even).all() or not same(even, torch.ones(3), 1e-3):
        raise Wrong("1, 1, 1", str(even.tolist()), ALL_RIGHT)
