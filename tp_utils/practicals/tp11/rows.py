"""The rows of TP 11's table: each a function of a Case that returns a Classifier, and how one is measured."""

import math
import time
from functools import partial

import torch
from filelock import FileLock
from torch import nn

from ...measure import accuracy, confusion
from ...runtime import cache_dir, seed
from ...training import pixels
from . import distortion, games, protocol
from .protocol import CLASSES, GAN_SIZE, Case, Classifier, classifier, draw, test_set


class Signed(nn.Module):
    """A network for images in [−1, 1], given images in [0, 1]."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, x):
        return self.network(2 * x - 1)



def cnn(case, steps=None):
    """A CNN on the labelled images alone."""
    seed(case.seed)
    planned, batch_size = protocol.budget()["few"]
    return classifier("CNN", case.tools.FewLabelCNN(), case, *case.labelled, steps or planned, batch_size)


def semi_supervised(case, matching=False):
    """The discriminator of a game that has seen the labels and the pool at the same time."""
    return Classifier(Signed(games.semi_supervised(case, matching).D), GAN_SIZE, [])


def pretrained(game, case):
    """The discriminator of a game on the whole pool, its last layer replaced, fine-tuned on the labelled images."""
    D = game(case.tools, case.seed).D
    seed(case.seed)
    network = Signed(case.tools.classifier_from(D, CLASSES))
    return classifier(game.__name__, network, case, *case.labelled, *protocol.budget()["few"], side=GAN_SIZE)


def self_trained(case, weighted=False):
    """The semi-supervised GAN's confident predictions as labels for a CNN, whose own are the next one's, and so on."""
    digits, teacher = protocol.mnist(), semi_supervised(case)
    for k in range(protocol.budget()["rounds"]):
        labels = torch.full((len(digits.train_labels),), -1)
        sure, predicted = case.tools.select_pseudo_labels(teacher.logits(digits.train_images), 0.70)
        labels[sure] = predicted
        labels[case.chosen] = case.labelled[1]
        kept = (labels >= 0).nonzero().flatten()
        weights = weights_of(teacher, case) if weighted else None
        seed(case.seed + k)
        teacher = classifier(f"{'weighted' if weighted else 'self-trained'} {k + 1}", case.tools.FewLabelCNN(), case,
                             digits.train_images[kept], labels[kept], *protocol.budget()["round"], weights=weights)
    return teacher


def weights_of(teacher, case, copies=50):
    """Class weights from what the teacher makes of the labelled images, each turned and moved in 50 ways.

    The hundred labels are all we may know; on the images themselves the teacher makes no mistakes.
    """
    images, labels = (part.repeat_interleave(copies, dim=0) for part in case.labelled)
    moved = case.tools.augment(pixels(images, None), torch.Generator().manual_seed(case.seed))
    logits = teacher.logits((255 * moved).round().byte())
    return case.tools.class_weights(confusion(logits.argmax(1), labels, CLASSES))


class SmallCNN(nn.Module):
    """Digits [N, 1, 28, 28] → logits [N, K]: strides in place of pools, a fifth of the baseline's work."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, kernel, stride):
            return [nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False), nn.BatchNorm2d(outputs),
                    nn.ReLU()]

        self.layers = nn.Sequential(
            *block(1, 32, 5, 2), *block(32, 64, 3, 2), *block(64, 64, 3, 1), *block(64, 64, 3, 1), nn.Flatten(),
            nn.Dropout(0.2), nn.Linear(64 * 49, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU(),
            nn.Linear(128, CLASSES))

    def forward(self, x):
        return self.layers(x)


def spread_labels(case):
    """Probabilities float32 [N, K] of the whole pool: the hundred labels, spread along a graph of similar digits."""
    with FileLock(cache_dir("locks") / "tp11-graph.lock"):
        graph = distortion.nearest(protocol.mnist().train_images)
    return distortion.spread(graph, case.chosen, case.labelled[1])


def spread_and_taught(case):
    """No GAN: labels are spread along the graph, and a CNN learns from the surest 97 % of them."""
    return taught("spread", case, spread_labels(case), 0.97, case.seed)


def taught_twice(case):
    """What that CNN makes of the whole pool teaches a second one, which learns from the surest 98 %."""
    first = spread_and_taught(case).logits(protocol.mnist().train_images).softmax(1)
    return taught("spread twice", case, first, 0.98, case.seed + 1)


def taught(row, case, probabilities, share, first_weights):
    """A CNN that learns the likeliest class of the surest images of each class; probabilities of the pool [N, K]."""
    sure, predicted = probabilities.max(1)
    predicted[case.chosen] = case.labelled[1]
    kept = torch.cat([surest((predicted == k).nonzero().flatten(), sure, share) for k in range(CLASSES)])
    seed(first_weights)
    return classifier(row, SmallCNN(), case, protocol.mnist().train_images[kept], predicted[kept],
                      *protocol.budget()["student"], rate=3e-3)


def surest(indices, sure, share):
    """Those of the images that are in the surest `share` of their class."""
    return indices[sure[indices].argsort(descending=True)[:math.ceil(share * len(indices))]]


def all_labels(row, make, case):
    """A network on all 60,000 labels: what there is to win."""
    digits = protocol.mnist()
    seed(case.seed)
    network = make(case.tools)
    return classifier(row, network, case, digits.train_images, digits.train_labels,
                      *protocol.budget()["all"])


def linear(tools):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, CLASSES))


def mlp(tools):
    return nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.ReLU(), nn.Dropout(0.3), nn.Linear(512, CLASSES))


def whole_cnn(tools):
    return tools.FewLabelCNN()


class Neighbours:
    """The three nearest of all training images, by scikit-learn."""

    curve = ()

    def __init__(self, images, labels):
        from sklearn.neighbors import KNeighborsClassifier

        self.found = KNeighborsClassifier(3, algorithm="brute").fit(images.flatten(1).numpy() / 255.0, labels)

    def logits(self, images):
        votes = self.found.predict_proba(images.flatten(1).numpy() / 255.0)
        return torch.from_numpy(votes).float().clamp_min(1e-6).log()


def neighbours(case):
    digits, count = protocol.mnist(), protocol.budget()["all images"]
    return Neighbours(digits.train_images[:count], digits.train_labels[:count])


ROWS = {  # name: (function of a Case, augmented)
    "cnn": (cnn, False), "cnn-augmented": (cnn, True),
    **{f"{game.__name__.replace('_', '-')}{suffix}": (partial(pretrained, game), suffix != "")
       for game in (games.untrained, games.dcgan, games.infogan, games.wgan, games.wgan_gp)
       for suffix in ("", "-augmented")},
    "semi-supervised": (semi_supervised, True),
    "feature-matching": (partial(semi_supervised, matching=True), True),
    "self-trained": (self_trained, True), "weighted": (partial(self_trained, weighted=True), True),
    "spread": (spread_and_taught, True), "spread-twice": (taught_twice, True),
    "all-linear": (partial(all_labels, "linear", linear), False), "all-neighbours": (neighbours, False),
    "all-mlp": (partial(all_labels, "MLP", mlp), False), "all-cnn": (partial(all_labels, "CNN-all", whole_cnn), False),
}


def train(row, draw_, seed_, tools):
    """The Classifier of a row of the table."""
    function, augmented = ROWS[row]
    return function(Case(draw(draw_, seed_, tools), draw_, seed_, augmented, tools))


def measure(row, draw_, seed_, tools):
    """Train one cell of the table and look at the 10,000 test images: a dict of plain numbers and lists.

    test_accuracy is that of the last weights; best_on_test what one would have reported with the test set in view.
    most_wrong: up to 40 [test image, predicted class, its probability], the surest mistakes first
    seconds of the clock, and cpu_seconds of all cores together, which other programs do not change; a game that another
    cell has played before costs nothing again
    """
    start, work = time.perf_counter(), time.process_time()
    made = train(row, draw_, seed_, tools)
    seconds, work = time.perf_counter() - start, time.process_time() - work
    images, labels = test_set()
    sure, predicted = made.logits(images).softmax(1).max(1)
    right = predicted == labels
    wrong = (~right).nonzero().flatten()
    wrong = wrong[sure[wrong].argsort(descending=True)][:40].tolist()
    last = accuracy(predicted, labels)
    return {
        "row": row, "draw": draw_, "seed": seed_, "test_accuracy": last,
        "best_on_test": max([last, *(value for _, value in made.curve)]), "curve": list(made.curve),
        "confusion": confusion(predicted, labels, CLASSES).tolist(),
        "most_wrong": [[i, predicted[i].item(), round(sure[i].item(), 3)] for i in wrong],
        "seconds": round(seconds, 1), "cpu_seconds": round(work, 1),
    }
