"""What a row of TP 11's table may see: the digits, the draw of the hundred labels, a seed, an augmentation.

Budgets are fixed beforehand and the last weights count. The test images are looked at on the way, for the curves, and
decide nothing.
"""

from dataclasses import dataclass

import torch

from ...data.imageset import ImageSet, resized
from ...runtime import device, pick
from ...training import pixels
from .networks import GAN_SIZE

DRAWS = {"random": {"n": 100}, "balanced": {"per_class": 10}}  # what exercise 11.1 is asked for


def budget(of):
    """(steps, batch size) of a kind of training, or the number of rounds or images, by profile."""
    return {
        "few": pick(smoke=(4, 8), cpu=(600, 50), full=(1500, 50)),
        "game": pick(smoke=(2, 8), cpu=(2000, 64), full=(8000, 128)),
        "critic": pick(smoke=(2, 5 * 8), cpu=(1000, 5 * 64), full=(8000, 5 * 128)),  # five updates a step
        "round": pick(smoke=(2, 8), cpu=(500, 100), full=(1500, 128)),
        "student": pick(smoke=(2, 16), cpu=(3500, 256), full=(10000, 256)),
        "all": pick(smoke=(4, 8), cpu=(1500, 100), full=(4000, 128)),
        "rounds": pick(smoke=2, cpu=3, full=5),
        "test images": pick(smoke=200, cpu=10000, full=10000), "all images": pick(smoke=500, cpu=60000, full=60000),
    }[of]


@dataclass(frozen=True, eq=False)
class Case:
    """What a row of the table gets.

    digits:   an ImageSet of digits 28 × 28
    chosen:   int64 [n], the training images whose labels may be seen;  draw: in a word, how they were drawn
    seed:     of all that is random in the row
    augment:  from (images float32 [N, 1, H, W] in [0, 1], generator) to the same, or None
    """

    digits: ImageSet
    chosen: torch.Tensor
    draw: str
    seed: int
    augment: object = None

    @property
    def labelled(self):
        """(images uint8 [n, 1, 28, 28], labels int64 [n]): all that is known of the labels."""
        return self.digits.train_images[self.chosen], self.digits.train_labels[self.chosen]

    @property
    def pool(self):
        """All training images, without their labels: uint8 [60000, 1, 28, 28]."""
        return self.digits.train_images

    @property
    def tested(self):
        """(images, labels) of the 10,000 test digits; of a few in the smoke profile."""
        count = budget("test images")
        return self.digits.test_images[:count], self.digits.test_labels[:count]

    @property
    def prepare(self):
        """From a batch to the network's input float32 in [0, 1], augmented if this row is."""
        augment = self.augment

        def augmented(images, generator):
            return augment(pixels(images, generator), generator)

        return augmented if augment else pixels

    def name(self, row):
        """That of a checkpoint."""
        return f"tp11-{row}{'-augmented' if self.augment else ''}-{self.draw}-{self.seed}"


def drawn_case(digits, draw, seed, draw_labels, augment=None):
    """The Case of a draw, "random" or "balanced", and a seed; draw_labels: exercise 11.1."""
    generator = torch.Generator().manual_seed(seed)
    return Case(digits, draw_labels(digits.train_labels, **DRAWS[draw], generator=generator), draw, seed, augment)


def draws_of(row):
    """The draws that make a difference for a row: with all labels there is none, and "random" is only a name."""
    return ["random"] if row.startswith("all-") else list(DRAWS)


def labelled_batches(case):
    """From a generator to a batch of the labelled images for D: (float32 [n, 1, 32, 32] in [−1, 1], int64 [n])."""
    images, labels = case.labelled
    images, labels = resized(images, GAN_SIZE).to(device()), labels.to(device())
    prepare, count = case.prepare, budget("few")[1]

    def batch(generator):
        chosen = torch.randint(len(labels), (count,), generator=generator).to(device())
        return 2 * prepare(images[chosen], generator) - 1, labels[chosen]

    return batch
