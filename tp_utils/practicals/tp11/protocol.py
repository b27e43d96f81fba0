"""What all rows of TP 11's table share: the digits, the draws, the budgets, and how a classifier is trained.

Budgets are fixed beforehand and the last weights count. The test images are looked at on the way, for the curves, and
decide nothing.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import nn

from ... import data
from ...data.imageset import resized
from ...measure import accuracy
from ...runtime import device, pick
from ...training import fit, pixels

CLASSES, GAN_SIZE = 10, 32
DRAWS = {"random": {"n": 100}, "balanced": {"per_class": 10}}
EVALUATIONS = 12  # points of a curve on the test images

EXERCISES = {
    "draw_labels": "11.1", "augment": "11.2", "FewLabelCNN": "11.3", "classifier_from": "11.4",
    "mutual_information_loss": "11.5", "critic_loss": "11.6", "critic_generator_loss": "11.7", "clip_weights": "11.8",
    "gradient_penalty": "11.9", "semi_supervised_loss": "11.10", "select_pseudo_labels": "11.11",
    "class_weights": "11.12", "feature_matching_loss": "11.13",
}


@lru_cache
def mnist():
    """The digits: read once."""
    return data.mnist()


def test_set():
    """(images, labels) of the 10,000 test digits; of a few in the smoke profile."""
    count = budget()["test images"]
    return mnist().test_images[:count], mnist().test_labels[:count]


@lru_cache
def pool():
    """All training digits without their labels, uint8 [60000, 1, 32, 32]."""
    return resized(mnist().train_images, GAN_SIZE)


def budget():
    """(steps, batch size) of each kind of training, and how many images are looked at, by profile."""
    return {
        "few": pick(smoke=(4, 8), cpu=(600, 50), full=(1500, 50)),
        "game": pick(smoke=(2, 8), cpu=(2000, 64), full=(8000, 128)),
        "critic": pick(smoke=(2, 8), cpu=(1000, 64), full=(8000, 128)),
        "round": pick(smoke=(2, 8), cpu=(500, 100), full=(1500, 128)),
        "student": pick(smoke=(2, 16), cpu=(3500, 256), full=(10000, 256)),
        "all": pick(smoke=(4, 8), cpu=(1500, 100), full=(4000, 128)),
        "rounds": pick(smoke=2, cpu=3, full=5),
        "test images": pick(smoke=200, cpu=10000, full=10000), "all images": pick(smoke=500, cpu=60000, full=60000),
    }


@dataclass
class Case:
    """What a row gets: the images whose labels it may see (int64 [n]), the draw's name, a seed, augmentation, tools.

    tools: an object with the functions and classes named in EXERCISES
    """

    chosen: torch.Tensor
    draw: str
    seed: int
    augmented: bool
    tools: object

    @property
    def labelled(self):
        """(images uint8 [n, 1, 28, 28], labels int64 [n]): all that is known of the labels."""
        digits = mnist()
        return digits.train_images[self.chosen], digits.train_labels[self.chosen]

    @property
    def prepare(self):
        """From a batch to the network's input float32 in [0, 1], augmented if this row is."""
        augment = self.tools.augment

        def augmented(images, generator):
            return augment(pixels(images, generator), generator)

        return augmented if self.augmented else pixels

    def name(self, row):
        """That of a checkpoint."""
        return f"tp11-{row}{'-augmented' if self.augmented else ''}-{self.draw}-{self.seed}"


@dataclass
class Classifier:
    """A network, the side of the images that it takes, and its test accuracies on the way [(step, accuracy)]."""

    network: nn.Module
    side: int
    curve: list

    @torch.no_grad()
    def logits(self, images):
        """float32 [N, K] of digits uint8 [N, 1, H, W], in eval mode, on the CPU."""
        self.network.eval()
        return torch.cat([self.network(pixels(resized(part, self.side).to(device()), None)).cpu()
                          for part in images.split(100)])


def classifier(row, network, case, images, labels, steps, batch_size, rate=1e-3, weights=None, side=28):
    """Train a network on labelled digits for a fixed number of steps with Adam, its rate falling to 0."""
    images, (shown, truth) = resized(images, side), test_set()
    network.to(memory_format=torch.channels_last)
    optimiser = torch.optim.Adam(network.parameters(), rate)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
    made = Classifier(network, side, [])
    loss = nn.CrossEntropyLoss(weight=None if weights is None else weights.to(device()))

    def test():
        return accuracy(made.logits(shown).argmax(1), truth)

    run = fit(network, images, labels, optimiser, steps, batch_size=batch_size, prepare=case.prepare, loss=loss,
              schedule=schedule, validate=test, validate_every=max(1, steps // EVALUATIONS),
              name=case.name(row), seed=case.seed, live=False)
    made.curve = run.history["validation"]
    return made


def draws_of(row):
    """The draws that make a difference for a row: with all labels there is none, and "random" is only a name."""
    return ["random"] if row.startswith("all-") else list(DRAWS)


def draw(name, seed_, tools):
    """The indices of the images whose labels may be seen, int64 [100]: "random" or "balanced"."""
    return tools.draw_labels(mnist().train_labels, **DRAWS[name], generator=torch.Generator().manual_seed(seed_))
