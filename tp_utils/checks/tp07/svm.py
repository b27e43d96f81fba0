"""Exercise 7.6: the choice of C by cross-validation."""

import math
import warnings
from contextlib import ExitStack, contextmanager
from functools import cache
from unittest.mock import patch

import numpy as np
import torch

from ..kit.compare import NO_RETURN, Wrong, describe

# What is said to the reader.
SCORE = "this is an accuracy: return the candidate that reaches it"
INDEX = "this is the position of the best candidate: return the candidate itself"
NOT_CANDIDATE = "return one of the candidates, as a number"
TRAINING = "this C is the best on the data it was trained on: cross-validate, so that other data judge it"
WORST = "this C has the worst accuracy of all: you want the largest mean"
FIRST = "the first candidate, whatever the data: does the loop go on to the others?"
LAST = "the last candidate, whatever the data: keep the best one met so far"
ONE_FOLD = "this C is the best on one fold only: take the mean over the folds, not the best one"
ONE_SPLIT = ("each C is judged by one split only, whose few held-out images are luck: cross-validate, so that each "
             "image is held out once")
OTHER_MACHINE = "{name} is another classifier, with another best C: take LinearSVC"
NOT_BEST = "another candidate has a better mean accuracy over the 5 folds"
MISTAKES_7_6 = {
    "worst": WORST, "training": TRAINING, "one fold": ONE_FOLD, "first": FIRST, "last": LAST, "index": INDEX,
}  # fmt: skip


def check_7_6(answer):
    """for each candidate c, the mean of cross_val_score(LinearSVC(C=c), …, cv=5); keep the best c"""
    from sklearn.exceptions import ConvergenceWarning

    features, labels = two_classes()
    # 0.01 and 0.02 are best whatever the folds; neither is first, last or the best on the training data (100).
    choices = [[1.0, 100.0, 1e-6, 0.01, 1e-5], [1e-6, 0.02, 100.0, 1e-5]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        with trained_machines() as trained:
            found = [answer(features, labels, list(candidates)) for candidates in choices]
        expect_folds(trained, len(features))
        expect_best(found, choices)


@contextmanager
def trained_machines():
    """A list that fills while classifiers are trained in this process: (its name, C, number of images, these)."""
    from sklearn.linear_model import LogisticRegression, RidgeClassifier, SGDClassifier
    from sklearn.svm import SVC, LinearSVC, NuSVC

    trained = []

    def noting(kind, fit):
        def noted(machine, images, *rest, **named):
            trained.append((kind.__name__, getattr(machine, "C", None), len(images), np.asarray(images).tobytes()))
            return fit(machine, images, *rest, **named)

        return noted

    with ExitStack() as stack:
        for kind in (LinearSVC, SVC, NuSVC, LogisticRegression, SGDClassifier, RidgeClassifier):
            stack.enter_context(patch.object(kind, "fit", noting(kind, kind.fit)))
        yield trained


def expect_folds(trained, count):
    """Raise Wrong if another machine was trained, or no C on more than one part of the images."""
    names, parts = {name for name, _, _, _ in trained}, {}
    if names and "LinearSVC" not in names:
        name = min(names)
        raise Wrong("a LinearSVC", name, OTHER_MACHINE.format(name=name))
    for _, c, images, those in trained:
        parts.setdefault(c, set()).update([those] if images < count else [])
    if max(map(len, parts.values()), default=0) == 1:
        raise Wrong("each candidate trained on 5 parts of the images", "on one part", ONE_SPLIT)


def expect_best(found, choices):
    """A mistake must explain what was found for all lists of candidates."""
    numbers = [as_number(one, candidates) for one, candidates in zip(found, choices, strict=True)]
    results = [cross_validation(tuple(candidates)) for candidates in choices]
    best = [result["best"] for result in results]
    if numbers == best:
        return
    wrong = next(i for i in range(len(best)) if numbers[i] != best[i])
    for mistake, hint in MISTAKES_7_6.items():
        if numbers == [result[mistake] for result in results]:
            raise Wrong(best[wrong], describe(found[wrong]), hint)
    number, candidates = numbers[wrong], choices[wrong]
    if number in candidates:
        raise Wrong(best[wrong], describe(found[wrong]), NOT_BEST)
    hint = NO_RETURN if found[wrong] is None else NOT_CANDIDATE if number is None or number > 1 else SCORE
    raise Wrong(f"one of {candidates}", describe(found[wrong]), hint)


@cache
def cross_validation(candidates):
    """The best candidate for two_classes(), and what each mistake would choose."""
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import LinearSVC

    features, labels = (part.numpy() for part in two_classes())
    machines = [LinearSVC(C=c, random_state=0) for c in candidates]
    folds = [cross_val_score(machine, features, labels, cv=5) for machine in machines]
    means, highest = [fold.mean() for fold in folds], [fold.max() for fold in folds]
    on_training = [machine.fit(features, labels).score(features, labels) for machine in machines]
    index = means.index(max(means))
    return {
        "best": candidates[index],
        "index": index,
        "first": candidates[0],
        "last": candidates[-1],
        "worst": candidates[means.index(min(means))],
        "training": candidates[on_training.index(max(on_training))],
        "one fold": candidates[highest.index(max(highest))],
    }


def as_number(found, candidates):
    """`found` as a float, a candidate if it is one up to float32's rounding; None if it is no number."""
    try:
        number = float(found)
    except (TypeError, ValueError, RuntimeError):
        return None
    return next((c for c in candidates if math.isclose(c, number, rel_tol=1e-6)), number)


def two_classes():
    """150 points, two classes, a fifth mislabelled: a large C learns the noise from 57 faint features.

    Of the first 30 points, the first of 5 folds, a faint feature tells the label: there, a large C makes no mistake.
    """
    generator = torch.Generator().manual_seed(9)
    labels = (torch.arange(150) % 5 < 2).long()
    side = 2.0 * labels - 1
    wrong = torch.rand(150, generator=generator) < 0.22
    features = torch.randn(150, 60, generator=generator)
    features[:, 0] += 3 * torch.where(wrong, -side, side)
    features[:, 1] += 6  # off centre, so that a small C lacks an intercept
    features[:, 2] += 0.4 * side
    features[:30, 2] = 8 * side[:30]
    features[:30, 3:] = 0
    features[:, 2:] *= 0.2
    return features, labels
