"""One loop for all games of two players: Algorithm 1 of Goodfellow et al. 2014 (arXiv:1406.2661)."""

import contextlib
from dataclasses import dataclass, field

import torch

from ..runtime import code_of, device, fingerprint
from . import live as pictures
from .loop import Loop, batch_indices, known, named, settings

FRESH = 2**31  # added to the seed of generate(), so that it does not draw the fixed latents of the same seed again

# What is said to the reader.
NOT_IMAGES = "images must be a uint8 tensor [N, C, H, W] with N > 0, not {found}"
NOT_LABELS = "labels must be an int64 tensor [{count}], one label from 0 on for each image, not {found}"
NO_TURN = "each player needs at least one update in a step, not nb_update_D={D}, nb_update_G={G}"
LABELS_OF_OTHERS = "{labels} labels for {count} images: one for each is needed"

COLUMNS, ROWS = 8, 8  # of the picture of the fixed latents; in a conditional game a row for each class
CURVES = ("discriminator loss", "generator loss", "D(x)", "D(G(z))")


@dataclass
class Game:
    """A game: its two players, its history, and what G made of the fixed latents on the way.

    G, D:       the networks;  average: the moving average of G where one was asked for, otherwise G itself
    latent:     from (n, torch.Generator) to n latents
    history:    lists of numbers, one per step: the two losses, the mean of D's probabilities for real images D(x)
                and for generated ones D(G(z)); "pictures": [(step, uint8 [n, C, H, W])], eight to a row
    latents, labels: the n fixed latents and, in a conditional game, their labels int64 [n]: there a row of the picture
                shares its label, a column its latent
    """

    G: torch.nn.Module
    D: torch.nn.Module
    average: torch.nn.Module
    latent: object
    latents: torch.Tensor
    labels: torch.Tensor | None
    step: int = 0
    history: dict = field(default_factory=lambda: {curve: [] for curve in (*CURVES, "pictures")})

    def generate(self, count, seed=0, labels=None):
        """(images uint8 [count, C, H, W], labels int64 [count] or None), on the CPU, of fresh latents.

        In a conditional game the labels are those given, or all classes in turn.
        """
        z = self.latent(count, torch.Generator().manual_seed(seed + FRESH))
        if labels is None and self.labels is not None:
            labels = self.every_label(count)
        if labels is not None and len(labels) != count:
            raise ValueError(LABELS_OF_OTHERS.format(labels=len(labels), count=count))
        return images_of(self.average, z, labels), labels

    def every_label(self, count):
        """All classes in turn: int64 [count], on the CPU."""
        return torch.arange(count) % (int(self.labels.max()) + 1)


def train_gan(G, D, images, steps, *, loss_D, loss_G, optimiser_D, optimiser_G, latent, term_D=None, term_G=None,
              labels=None, batch_size=128, nb_update_D=1, nb_update_G=1, average=None, name=None, save_every=200,
              picture_every=100, seed=0, live=True):
    """Train a generator against a discriminator, on images that live on the device.

    G, D:        networks: G(z) → x̃ [n, C, H, W] in [−1, 1], D(x) → logits [n]. In a conditional game G(z, y), D(x, y).
                 Where D tells K classes from "generated", logits [n, K]; that of "generated" is 0
    images:      uint8 [N, C, H, W], shown to D as float32 in [−1, 1];  labels: int64 [N] in a conditional game
    loss_D:      from (logits of real images, logits of generated ones) to a scalar tensor
    loss_G:      from the logits of generated images to a scalar tensor; None: G has its term_G alone
    latent:      from (n, torch.Generator on the CPU) to n latents z
    term_D, term_G: what a player's loss has besides, e.g. a penalty: from (x, x̃, z) of its turn to a scalar tensor
    nb_update_D, nb_update_G: updates of each player in a step, each of D's on its own batch of images
    average:     decay of an exponential moving average of G's weights, e.g. 0.999; None keeps none
    name:        of the checkpoint in the cache, written every `save_every` steps; None keeps nothing
    picture_every: steps between two pictures of the fixed latents in the history; 0 takes none
    live:        draw losses and pictures in a notebook while training; False leaves the progress bar alone

    Returns a Game. Interrupts, resuming, and Diverged (when a loss is not finite) as in `fit`. Raises ValueError for
    images and labels of another kind.
    """
    expect_game(images, labels, nb_update_D, nb_update_G)
    G.to(device(), memory_format=torch.channels_last), D.to(device(), memory_format=torch.channels_last)
    images = images.to(device())
    condition = labels.to(device()) if labels is not None else None
    ema = averaged(G, average)
    game = Game(G, D, ema.module if ema else G, latent, *fixed(latent, labels, seed))
    parts = {"G": G, "D": D, "optimiser_G": optimiser_G, "optimiser_D": optimiser_D} | ({"average": ema} if ema else {})
    key = name and fingerprint(images, condition, steps, batch_size, nb_update_D, nb_update_G, average, picture_every,
                               seed, settings(optimiser_D), settings(optimiser_G), named(loss_D),
                               loss_G and named(loss_G), code_of(latent), known(G), known(D),
                               *([player, named(term)] for player, term in (("D", term_D), ("G", term_G)) if term))

    with Loop(game, steps, parts, key, name, save_every, seed, pictures.game if live else None) as loop:
        for generator in loop:
            G.train(), D.train()

            for k in range(nb_update_D):
                chosen = batch_indices(len(images), batch_size, game.step * nb_update_D + k, seed).to(device())
                x = images[chosen].float() / 127.5 - 1
                y = () if condition is None else (condition[chosen],)
                z = latent(batch_size, generator).to(device())
                fake = G(z, *y)
                real_logits, fake_logits = D(x, *y), D(fake.detach(), *y)
                value_D = loss_D(real_logits, fake_logits) + (term_D(x, fake.detach(), z) if term_D else 0)
                update(optimiser_D, value_D)

            for k in range(nb_update_G):
                if k > 0:  # the first update judges the images made last: one pass of G serves both players
                    z = latent(batch_size, generator).to(device())
                    fake = G(z, *y)
                with frozen(D):
                    value_G = (loss_G(D(fake, *y)) if loss_G else 0) + (term_G(x, fake, z) if term_G else 0)
                    update(optimiser_G, value_G)

            if ema:
                ema.update_parameters(G)
            loop.record(**dict(zip(CURVES, (value_D, value_G, probability(real_logits).mean(),
                                            probability(fake_logits).mean()), strict=True)))
            done = game.step + 1
            if picture_every and (done % picture_every == 0 or done == steps or done == 1):
                settle(game)
                game.history["pictures"].append((done, images_of(game.average, game.latents, game.labels)))
    settle(game)
    G.eval(), D.eval(), game.average.eval()
    return game


def initialised(network):
    """A network with DCGAN's first weights: N(0, 0.02), of batch norms N(1, 0.02), biases 0 (arXiv:1511.06434)."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear | torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, float(isinstance(module, torch.nn.BatchNorm2d)), 0.02)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    return network


def expect_game(images, labels, nb_update_D, nb_update_G):
    """Raise ValueError unless images and labels are what train_gan takes, and both players have a turn."""
    def found(thing):
        return f"{thing.dtype} {list(thing.shape)}" if isinstance(thing, torch.Tensor) else type(thing).__name__

    if not isinstance(images, torch.Tensor) or images.dtype != torch.uint8 or images.ndim < 2 or not len(images):
        raise ValueError(NOT_IMAGES.format(found=found(images)))
    if labels is not None and (not isinstance(labels, torch.Tensor) or labels.dtype != torch.int64
                               or labels.shape != images.shape[:1] or labels.min() < 0):
        raise ValueError(NOT_LABELS.format(count=len(images), found=found(labels)))
    if min(nb_update_D, nb_update_G) < 1:
        raise ValueError(NO_TURN.format(D=nb_update_D, G=nb_update_G))


def update(optimiser, value):
    """One step down the gradient of a loss."""
    optimiser.zero_grad()
    value.backward()
    optimiser.step()


def probability(logits):
    """D's probability that an image is real: from its logit [n], or from those of K classes [n, K]."""
    return (logits.logsumexp(1) if logits.ndim == 2 else logits).sigmoid()


@contextlib.contextmanager
def frozen(network):
    """No gradients for a network's weights: in G's turn D's are not needed, which saves work."""
    weights = [weight for weight in network.parameters() if weight.requires_grad]
    for weight in weights:
        weight.requires_grad_(False)
    try:
        yield
    finally:
        for weight in weights:
            weight.requires_grad_(True)


def fixed(latent, labels, seed):
    """The latents whose pictures are taken, and their labels or None."""
    generator = torch.Generator().manual_seed(seed)
    if labels is None:
        return latent(ROWS * COLUMNS, generator).to(device()), None
    classes = torch.arange(int(labels.max()) + 1)
    z = latent(COLUMNS, generator)
    return z.repeat(len(classes), *[1] * (z.ndim - 1)).to(device()), classes.repeat_interleave(COLUMNS).to(device())


def averaged(G, decay):
    """A moving average of G's weights, or None."""
    from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

    return AveragedModel(G, multi_avg_fn=get_ema_multi_avg_fn(decay)) if decay else None


@torch.no_grad()
def settle(game):
    """Give the averaged G batch norm statistics of its own: those of G fit G's weights only, and blank the images."""
    norms = [module for module in game.average.modules() if isinstance(module, torch.nn.modules.batchnorm._BatchNorm)]
    if game.average is game.G or not norms:
        return
    z, momenta = game.latent(500, torch.Generator().manual_seed(0)).to(device()), [norm.momentum for norm in norms]
    y = () if game.labels is None else (game.every_label(500).to(device()),)
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the plain mean of what comes, in place of a moving one
    game.average.train()(z, *y)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@torch.no_grad()
def images_of(G, z, labels=None):
    """What G makes of latents (and labels) in eval mode: uint8 [n, C, H, W] on the CPU."""
    G.eval()
    y = [()] * len(z) if labels is None else [(part.to(device()),) for part in labels.split(500)]
    images = torch.cat([G(part.to(device()), *y) for part, y in zip(z.split(500), y, strict=False)])
    return ((images + 1) * 127.5).round().clamp(0, 255).byte().contiguous().cpu()
