"""Answers to the exercises 8.7 and 8.8."""

import torch
from torch.nn import functional as F

from .common import copy, gradient_of, label_scores, unit


def attack(move=lambda x, e, g: x + e * g.sign(), limit=lambda x: x.clamp(0, 1), loss=F.cross_entropy):
    return lambda images, labels, network, epsilon: limit(
        move(images, epsilon, gradient_of(images, labels, network, loss)))


def fgsm_by_backward(images, labels, network, epsilon):
    images = copy(images)
    F.nll_loss(network(images).log_softmax(1), labels, reduction="sum").backward()
    return torch.clamp(images.detach() + epsilon * torch.sign(images.grad), 0, 1)


def fgsm_by_torchattacks(images, labels, network, epsilon):
    from torchattacks import FGSM

    return FGSM(network, eps=epsilon)(images, labels)


def fgsm_in_place(images, labels, network, epsilon):
    images += epsilon * gradient_of(images, labels, network, F.cross_entropy).sign()
    return images.clamp_(0, 1)


def fgsm_attached(images, labels, network, epsilon):
    images = copy(images)
    (gradient,) = torch.autograd.grad(F.cross_entropy(network(images), labels), images)
    return (images + epsilon * gradient.sign()).clamp(0, 1)


def fgsm_always_moves(images, labels, network, epsilon):
    return attack()(images, labels, network, epsilon or 0.01)


def double_softmax(scores, labels):
    return F.cross_entropy(scores.softmax(1), labels)


def predicted_class(scores, labels):
    return F.cross_entropy(scores, scores.argmax(1))


def minus_score(scores, labels):
    return F.nll_loss(scores, labels)


LOSSES = [
    (label_scores, "cross-entropy"), (minus_score, "cross-entropy"), (double_softmax, "softmax twice"),
    (predicted_class, "true labels"),
]


def into_ball(moved, images, current, epsilon, step):
    return images + (moved - images).clamp(-epsilon, epsilon)


def iterated(start=torch.clone, move=lambda x, e, a, g: x + a * g.sign(), ball=into_ball,
             limit=lambda x: x.clamp(0, 1), loss=F.cross_entropy, count=lambda n: n):
    def pgd(images, labels, network, epsilon, step, steps):
        current = start(images)
        for _ in range(count(steps)):
            moved = move(current, epsilon, step, gradient_of(current, labels, network, loss))
            current = limit(ball(moved, images, current, epsilon, step))
        return current

    return pgd


def pgd_by_min_max(images, labels, network, epsilon, step, steps):
    low, high = (images - epsilon).clamp_min(0), (images + epsilon).clamp_max(1)
    adversarial = images
    for _ in range(steps):
        leaf = copy(adversarial)
        F.cross_entropy(network(leaf), labels, reduction="sum").backward()
        adversarial = torch.min(torch.max(adversarial + step * leaf.grad.sign(), low), high)
    return adversarial


def pgd_by_torchattacks(images, labels, network, epsilon, step, steps):
    from torchattacks import PGD

    return PGD(network, eps=epsilon, alpha=step, steps=steps, random_start=False)(images, labels)


def pgd_in_place(images, labels, network, epsilon, step, steps):
    for _ in range(steps):
        images += step * gradient_of(images, labels, network, F.cross_entropy).sign()
    return images.clamp_(0, 1)


def pgd_first_gradient(images, labels, network, epsilon, step, steps):
    sign = gradient_of(images, labels, network, F.cross_entropy).sign()
    return (images + (steps * step * sign).clamp(-epsilon, epsilon)).clamp(0, 1)


def pgd_no_detach(images, labels, network, epsilon, step, steps):
    adversarial = copy(images)
    for _ in range(steps + 1):
        F.cross_entropy(network(adversarial), labels).backward()
        adversarial = (adversarial + step * adversarial.grad.sign()).clamp(0, 1)
    return adversarial


def pgd_from_start(images, labels, network, epsilon, step, steps):
    for _ in range(steps):
        adversarial = attack()(images, labels, network, step)
    return adversarial


def pgd_projected_late(limit):
    free = iterated(ball=lambda moved, *_: moved, limit=limit)

    def pgd(images, labels, network, epsilon, step, steps):
        moved = free(images, labels, network, epsilon, step, steps)
        return into_ball(moved, images, None, epsilon, step).clamp(0, 1)

    return pgd


def random_start(images):
    return (images + 0.05 * torch.rand_like(images)).clamp(0, 1)


RIGHT = {
    "8.7": [fgsm_by_backward, fgsm_by_torchattacks],
    "8.8": [iterated(), pgd_by_min_max, pgd_by_torchattacks],
}

MUTANTS = {
    "8.7": [
        (attack(lambda x, e, g: x - e * g.sign()), "ADDS"),
        (attack(lambda x, e, g: x + e * g), "sign()"),
        (attack(lambda x, e, g: x + e * unit(g)), "sign()"),
        (attack(lambda x, e, g: x + g.sign()), "epsilon"),
        (attack(lambda x, e, g: e * g.sign(), limit=lambda x: x), "add it to the images"),
        (attack(limit=lambda x: x), "clamp(0, 1)"),
        *((attack(loss=loss), hint) for loss, hint in LOSSES),
        (fgsm_in_place, "clone"), (fgsm_attached, "detach"), (fgsm_always_moves, "epsilon 0"),
    ],
    "8.8": [
        (iterated(ball=lambda moved, x, current, e, a: current + (moved - current).clamp(-e, e)), "ORIGINAL"),
        (iterated(ball=lambda moved, x, current, e, a: moved), "ORIGINAL"),
        (iterated(ball=lambda moved, x, current, e, a: into_ball(moved, x, current, a, e)), "radius"),
        (iterated(limit=lambda x: x), "clamp(0, 1)"),
        (iterated(start=random_start), "random start"),
        (iterated(count=lambda n: 1), "only one step"),
        (iterated(move=lambda x, e, a, g: x + e * g.sign()), "not epsilon"),
        (iterated(move=lambda x, e, a, g: x - a * g.sign()), "ADDS"),
        (iterated(move=lambda x, e, a, g: x + a * g), "sign()"),
        *((iterated(loss=loss), hint) for loss, hint in LOSSES),
        (pgd_in_place, "clone"), (pgd_first_gradient, "anew"), (pgd_no_detach, "leaf"),
        (pgd_from_start, "only one step"),
        (pgd_projected_late(lambda x: x), "after each step"),
        (pgd_projected_late(lambda x: x.clamp(0, 1)), "after each step"),
    ],
}
