"""How the rows of TP 11's table train: classifiers and games, for a fixed number of steps."""

from dataclasses import dataclass, field
from functools import partial

import torch
from torch import nn

from ...data.imageset import resized
from ...measure import accuracy
from ...runtime import device, one_at_a_time
from ...training import fit, pixels
from .cases import budget
from .networks import GAN_SIZE

EVALUATIONS = 12  # points of a curve on the test images


@dataclass
class Classifier:
    """A network for images in [0, 1], the side of these, and its test accuracies on the way [(step, accuracy)]."""

    network: nn.Module
    side: int = 28
    curve: list = field(default_factory=list)

    @torch.no_grad()
    def logits(self, images):
        """float32 [N, K] of digits uint8 [N, 1, H, W], in eval mode, on the CPU."""
        self.network.eval()
        return torch.cat([self.network(pixels(resized(part, self.side).to(device()), None)).cpu()
                          for part in images.split(100)])


def train_classifier(name, network, case, images, labels, steps, batch_size, rate=1e-3, weights=None, side=28):
    """Train a network on labelled digits for a fixed number of steps with Adam, its rate falling to 0.

    images:   uint8 [N, 1, 28, 28], resized to `side`;  labels: int64 [N];  weights: of the classes, float32 [K] or None
    Returns a Classifier.
    """
    made, (shown, truth) = Classifier(network, side), case.tested
    optimiser = torch.optim.Adam(network.parameters(), rate)

    def test():
        return accuracy(made.logits(shown).argmax(1), truth)

    run = fit(network, resized(images, side), labels, optimiser, steps, batch_size=batch_size, prepare=case.prepare,
              loss=nn.CrossEntropyLoss(weight=None if weights is None else weights.to(device())),
              schedule=torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps),
              validate=test, validate_every=max(1, steps // EVALUATIONS), name=case.name(name), seed=case.seed,
              live=False)
    made.curve = run.history["validation"]
    return made


def train_game(name, game, step, optimiser_G, optimiser_D, pool, seed, of="game"):
    """Repeat `step`(G, D, optimiser_G, optimiser_D, x, generator) on the pool; returns the game, a tp.Game.

    pool: uint8 [N, 1, 28, 28];  of: the budget. Of two processes that want the same game, one waits for the other's.
    """
    steps, batch_size = budget(of)
    step = partial(step, game.G, game.D, optimiser_G, optimiser_D)
    with one_at_a_time(name):
        return game.train(step, {"G": optimiser_G, "D": optimiser_D}, resized(pool, GAN_SIZE), steps,
                          batch_size=batch_size, name=name, seed=seed, live=False)
