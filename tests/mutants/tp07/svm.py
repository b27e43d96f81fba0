"""Answers to exercise 7.6."""

import torch
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    KFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_score,
    train_test_split,
)
from sklearn.svm import SVC, LinearSVC


def accuracy(features, labels, c):
    return cross_val_score(LinearSVC(C=c), features.numpy(), labels.numpy(), cv=5).mean()


def choose_by_grid(features, labels, candidates):
    search = GridSearchCV(LinearSVC(), {"C": candidates}, cv=5)
    return search.fit(features.numpy(), labels.numpy()).best_params_["C"]


def choose_by_hand(features, labels, candidates):
    """Other folds and a tensor of one number: right all the same."""
    totals = torch.zeros(len(candidates))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels):
        for i, c in enumerate(candidates):
            machine = LinearSVC(C=c).fit(features[train], labels[train])
            totals[i] += machine.score(features[test], labels[test])
    return torch.tensor(candidates)[totals.argmax()]


fit = LinearSVC.fit


def choose_elsewhere(features, labels, candidates):
    """Where nobody sees the machines learn, as in the processes of n_jobs=2."""
    def accuracy(c, train, test):
        return fit(LinearSVC(C=c), features[train], labels[train]).score(features[test], labels[test])

    folds = list(StratifiedKFold(5).split(features, labels))
    return max(candidates, key=lambda c: sum(accuracy(c, *fold) for fold in folds))


def choose_by(folds=5, machine=LinearSVC, **options):
    """Other folds, another machine or other options of it."""

    def choose(features, labels, candidates):
        def accuracy(c):
            return cross_val_score(machine(C=c, **options), features.numpy(), labels.numpy(), cv=folds)

        return max(candidates, key=lambda c: accuracy(c).mean())

    return choose


def choose_by_hold_out(size, seed):
    """One split decides, then the best is trained on all."""

    def choose(features, labels, candidates):
        x, x_out, y, y_out = train_test_split(features.numpy(), labels.numpy(), test_size=size, random_state=seed)
        best = max(candidates, key=lambda c: LinearSVC(C=c).fit(x, y).score(x_out, y_out))
        LinearSVC(C=best).fit(features, labels)
        return best

    return choose


def choose_by_last_fifth(features, labels, candidates):
    n = len(features) * 4 // 5
    scores = [LinearSVC(C=c).fit(features[:n], labels[:n]).score(features[n:], labels[n:]) for c in candidates]
    return candidates[scores.index(max(scores))]


def choose_score(features, labels, candidates):
    return max(accuracy(features, labels, c) for c in candidates)


def choose_index(features, labels, candidates):
    return torch.tensor([accuracy(features, labels, c) for c in candidates]).argmax()


def choose_by_training(features, labels, candidates):
    x, y = features.numpy(), labels.numpy()
    return max(candidates, key=lambda c: LinearSVC(C=c).fit(x, y).score(x, y))


def choose_by_best_fold(features, labels, candidates):
    def best_fold(c):
        return cross_val_score(LinearSVC(C=c), features.numpy(), labels.numpy(), cv=5).max()

    return max(candidates, key=best_fold)


def choose_worst(features, labels, candidates):
    return min(candidates, key=lambda c: accuracy(features, labels, c))


def choose_first(features, labels, candidates):
    for c in candidates:
        accuracy(features, labels, c)
        return c


def choose_last(features, labels, candidates):
    for c in candidates:
        if accuracy(features, labels, c) > 0:
            best = c
    return best


def choose_scores(features, labels, candidates):
    return [accuracy(features, labels, c) for c in candidates]


def choose_without_return(features, labels, candidates):
    max(candidates, key=lambda c: accuracy(features, labels, c))


RIGHT = {
    "7.6": [
        choose_by_grid, choose_by_hand, choose_by(dual=False), choose_by(dual=True, max_iter=5000, random_state=1),
        choose_by(10), choose_elsewhere,
        *(choose_by(Folds(5, shuffle=True, random_state=s)) for Folds in (KFold, StratifiedKFold) for s in range(5)),
    ],
}

MUTANTS = {
    "7.6": [
        (choose_score, "this is an accuracy"),
        (choose_index, "position"),
        (choose_by_training, "cross-validate"),
        (choose_by_best_fold, "mean over the folds"),
        *((choose_by_hold_out(size, seed), "one split only") for size in (0.2, 0.3) for seed in range(3)),
        (choose_by_last_fifth, "one split only"),
        (choose_by(ShuffleSplit(1, random_state=0)), "one split only"),
        (choose_by(machine=SVC), "SVC is another classifier"),
        (choose_by(machine=LogisticRegression, max_iter=1000), "LogisticRegression is another"),
        (choose_worst, "worst"),
        (lambda features, labels, candidates: candidates[2], "better mean"),
        (choose_first, "first candidate"),
        (choose_last, "last candidate"),
        (choose_scores, "one of the candidates"),
        (choose_without_return, "return"),
    ],
}
