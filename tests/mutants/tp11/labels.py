"""Answers to the exercises 11.10, 11.11 and 11.12."""

import torch
from torch.nn import functional as F

from .common import weights


def semi(score=lambda x: x.logsumexp(1), cross=F.cross_entropy, real_sign=-1, half=1.0, parts=(1, 1, 1), reduce="mean"):
    def semi_supervised_loss(labelled_logits, labels, unlabelled_logits, fake_logits):
        real = getattr(F.softplus(real_sign * score(unlabelled_logits)), reduce)()
        fake = getattr(F.softplus(-real_sign * score(fake_logits)), reduce)()
        return parts[0] * cross(labelled_logits, labels) + half * (parts[1] * real + parts[2] * fake)

    return semi_supervised_loss


def semi_by_extra_class(labelled_logits, labels, unlabelled_logits, fake_logits):
    def with_zero(logits):
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], 1).log_softmax(1)

    k = labelled_logits.shape[1]
    fake = with_zero(fake_logits)[:, k]
    real = with_zero(unlabelled_logits)[:, :k].logsumexp(1)
    return F.nll_loss(labelled_logits.log_softmax(1), labels) - real.mean() - fake.mean()


def semi_by_where(labelled_logits, labels, unlabelled_logits, fake_logits):
    """Finite at ±1000, but torch.where computes the gradient of both sides."""
    def softplus(t):
        return torch.where(t > 30, t, torch.log1p(torch.exp(t)))

    return (F.cross_entropy(labelled_logits, labels) + softplus(-unlabelled_logits.logsumexp(1)).mean()
            + softplus(fake_logits.logsumexp(1)).mean())


def semi_unstable(labelled_logits, labels, unlabelled_logits, fake_logits):
    real, fake = unlabelled_logits.exp().sum(1), fake_logits.exp().sum(1)
    return F.cross_entropy(labelled_logits, labels) - (real / (1 + real)).log().mean() - (1 / (1 + fake)).log().mean()


def twice(logits, labels):
    return F.cross_entropy(logits.softmax(1), labels)


def select(score=lambda x: x.softmax(1), above=lambda s, t: s > t, find=lambda m: m.nonzero().flatten(),
           labels=lambda y, i: y[i]):
    def select_pseudo_labels(logits, threshold):
        sure, y = score(logits).max(1)
        chosen = find(above(sure, threshold))
        return chosen, labels(y, chosen)

    return select_pseudo_labels


def select_squeezed(logits, threshold):
    sure, labels = logits.softmax(1).max(1)
    indices = (sure > threshold).nonzero().squeeze()
    return indices, labels[indices]


def select_all_above(logits, threshold):
    """Every class above the threshold, not the most probable one only."""
    return (logits.softmax(1) > threshold).nonzero().unbind(1)


def select_in_order_of_surety(logits, threshold):
    sure, labels = F.softmax(logits, 1).max(1)
    order = sure.argsort(descending=True)
    order = order[sure[order] > threshold]
    return [order, labels[order]]


RIGHT = {
    "11.10": [semi(), semi_by_extra_class],
    "11.11": [select(), select_in_order_of_surety],
    "11.12": [weights(), weights(shape=lambda r: (2 - r) ** 2), weights(shape=lambda r: torch.exp(-r))],
}

MUTANTS = {
    "11.10": [
        (semi_by_where, "NaN at"),
        (semi(cross=twice), "twice"), (semi(score=lambda x: x.amax(1)), "logsumexp"),
        (semi(score=lambda x: x.mean(1)), "logsumexp"), (semi(score=lambda x: x.exp().sum(1)), "logarithm is missing"),
        (semi(real_sign=1), "swapped"), (semi(half=0.5), "1/2"), (semi(parts=(0, 1, 1)), "labelled"),
        (semi(parts=(1, 0, 1)), "unlabelled"), (semi(parts=(1, 1, 0)), "generated"), (semi_unstable, "±1000"),
        (semi(score=lambda x: x.exp().sum(1).log()), "±1000"),
        (lambda lab, y, r, f: F.cross_entropy(lab, y) - r.logsumexp(1).mean() + f.logsumexp(1).mean(), "logit 0"),
        (lambda *args: semi()(*args).detach(), "gradient"),
    ],
    "11.11": [
        (select(find=lambda m: m.nonzero().flatten().cpu().numpy()), "NumPy"), (select_squeezed, "squeeze"),
        (select_all_above, "sure > threshold"),
        (select(score=lambda x: x), "logits"), (select(score=torch.sigmoid), "sigmoid"),
        (select(above=lambda s, t: s >= t - 1e-7), "not at it"), (select(above=lambda s, t: s < t), "below"),
        (select(labels=lambda y, i: y), "chosen images only"), (select(find=lambda m: m), "mask"),
        (lambda logits, t: select()(logits, t)[0], "pair"),
        (select(labels=lambda y, i: y[i].float()), "int64"),
    ],
    "11.12": [
        (weights(shape=lambda r: 1 - r + 1e-8), "at least 0.1"), (weights(shape=lambda r: 1.05 - r), "at least 0.1"),
        (weights(rate=lambda c: -(c.sum(1) - c.diag()).double(), shape=lambda r: 1 - r), "lower recall"),
        (weights(shape=lambda r: torch.nan_to_num(1 / r, posinf=1.0)), "never right"),
        (weights(shape=lambda r: r), "other way round"),
        (weights(rate=lambda c: c.diag() / c.sum(0).clamp_min(1)), "columns"),
        (weights(scale=lambda w: w / w.sum()), "mean of the weights"),
        (weights(scale=lambda w: w), "mean of the weights"),
        (weights(shape=lambda r: 1 / r), "finite"), (weights(rate=lambda c: c.diag() / c.sum(1)), "finite"),
        (weights(shape=lambda r: 1 - r), "finite"), (weights(shape=torch.ones_like), "larger weight"),
        (lambda c: None, "return"),
    ],
}
