"""What several rooms share."""

import torch
from torch.nn import functional as F


def copy(images):
    return images.detach().clone().requires_grad_()


def label_scores(scores, labels):
    return scores.gather(1, labels[:, None]).sum()


def gradient_of(images, labels, network, number=label_scores):
    images = copy(images)
    return torch.autograd.grad(number(network(images), labels), images)[0]


# Of which number the gradient is taken: the wrong ones, and a piece of their hint.
def probability(scores, labels):
    return label_scores(scores.softmax(1), labels)


def log_probability(scores, labels):
    return label_scores(scores.log_softmax(1), labels)


def best_score(scores, labels):
    return scores.amax(1).sum()


def all_scores(scores, labels):
    return scores.sum()


def mean_score(scores, labels):
    return scores.gather(1, labels[:, None]).mean()


def every_label(scores, labels):
    return scores[:, labels].sum()


def first_label(scores, labels):
    return scores[:, labels[0]].sum()


def swapped_labels(scores, labels):
    return label_scores(scores, labels.flip(0))


NUMBERS = [
    (probability, "softmax"), (log_probability, "softmax"), (F.cross_entropy, "softmax"),
    (best_score, "highest score"), (all_scores, "sum of all scores"),
]
BATCH_NUMBERS = [
    *NUMBERS, (mean_score, "not mean"), (every_label, "another image"), (first_label, "another image"),
    (swapped_labels, "another image"),
]


def unit(gradient):
    return gradient / gradient.norm()
