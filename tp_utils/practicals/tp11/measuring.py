"""What a discriminator knows, what a teacher mixes up, and how a row of TP 11's table is measured."""

import time

import torch

from ...data.imageset import resized
from ...measure import accuracy, confusion
from ...runtime import device
from ...training import pixels
from .networks import GAN_SIZE


@torch.no_grad()
def features_of_digits(discriminator, images):
    """float32 [N, F]: what a discriminator makes of digits uint8 [N, 1, H, W], in eval mode, on the CPU."""
    discriminator.eval()
    return torch.cat([discriminator.features(resized(part, GAN_SIZE).to(device()).float() / 127.5 - 1).cpu()
                      for part in images.split(500)])


def probe_accuracy(features, labels, test_features, test_labels):
    """Test accuracy of a linear classifier on features: a regularised logistic regression, features standardised."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)).fit(features, labels)
    return model.score(test_features, test_labels)


def confusion_on_copies(teacher, case, copies=50):
    """The teacher's confusion [K, K] on the labelled images, each turned and moved in 50 ways by the case's augment.

    The hundred labels are all we may know; on the images themselves the teacher makes no mistakes.
    """
    images, labels = (part.repeat_interleave(copies, dim=0) for part in case.labelled)
    moved = case.augment(pixels(images, None), torch.Generator().manual_seed(case.seed))
    logits = teacher.logits((255 * moved).round().byte())
    return confusion(logits.argmax(1), labels, logits.shape[1])


def measure_row(row, case):
    """Train a row, a function of a Case, and look at the 10,000 test images: a dict of plain numbers and lists.

    test_accuracy is that of the last weights; best_on_test what one would have reported with the test set in view.
    most_wrong: up to 40 [test image, predicted class, its probability], the surest mistakes first
    seconds of the clock, and cpu_seconds of all cores together, which other programs do not change; a game that another
    cell has played before costs nothing again
    """
    start, work = time.perf_counter(), time.process_time()
    made = row(case)
    seconds, work = time.perf_counter() - start, time.process_time() - work
    images, labels = case.tested
    probabilities = made.logits(images).softmax(1)
    sure, predicted = probabilities.max(1)
    wrong = (predicted != labels).nonzero().flatten()
    wrong = wrong[sure[wrong].argsort(descending=True)][:40].tolist()
    last = accuracy(predicted, labels)
    return {
        "test_accuracy": last, "best_on_test": max([last, *(value for _, value in made.curve)]),
        "curve": list(made.curve), "confusion": confusion(predicted, labels, probabilities.shape[1]).tolist(),
        "most_wrong": [[i, predicted[i].item(), round(sure[i].item(), 3)] for i in wrong],
        "seconds": round(seconds, 1), "cpu_seconds": round(work, 1),
    }
