"""Small runs of fit, tp.train and tp.Game, always from the same weights, and what may happen in the middle of one.

What happens is named by the environment variable HAPPENS, e.g. "kill 8": a run's key knows all that its functions
reach, but not the environment.
"""

import os
import signal

import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils.training import pixels

STEPS = 24


def some_images(count=48, seed=0):
    """Noise with labels that can be learnt from it: uint8 [N, 1, 8, 8] and int64 [N]."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.randint(3, (count,), generator=generator)
    images = torch.randint(150, (count, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[torch.arange(count), 0, labels] += 100  # one bright row
    return images, labels


def happens(generator):
    """Interrupts or kills this process in the middle of the step that HAPPENS names: "stop 8", "twice 8", "kill 8"."""
    what, _, step = os.environ.get("HAPPENS", "").partition(" ")
    if str(generator.initial_seed() % 1_000_003 + 1) == step:
        if what == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        for _ in range({"stop": 1, "twice": 2}.get(what, 0)):
            signal.raise_signal(signal.SIGINT)


def augmented(images, generator):
    """Shifts by a random number of columns, and noise: randomness from `generator`."""
    happens(generator)
    shift = int(torch.randint(8, (1,), generator=generator))
    return pixels(images.roll(shift, 3), generator) + 0.1 * torch.randn(images.shape, generator=generator)


def half():
    """A validation, during which the stop button may be pressed: HAPPENS="validation"."""
    if os.environ.get("HAPPENS") == "validation":
        signal.raise_signal(signal.SIGINT)
    return 0.5


def small_network():
    torch.manual_seed(1)
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Dropout(0.5),
                         nn.Linear(16, 3))


def fitted(make=torch.optim.SGD, schedule=None, images=None, steps=STEPS, name="run", network=None, **options):
    """A Run of fit. make: from weights to an optimiser;  schedule: from an optimiser to an LR scheduler."""
    network = network or small_network()
    optimiser = make(network.parameters(), lr=0.1)
    options = {"batch_size": 10, "save_every": 5, "prepare": augmented, "validate": half, "validate_every": 8,
               "live": False} | options
    return tp.fit(network, *(images or some_images()), optimiser, steps, schedule=schedule and schedule(optimiser),
                  name=name, **options)


def trained(steps=STEPS, name="run", **options):
    """A Run of tp.train with a step of its own: a classifier and a linear map of its features, learnt together."""
    network, probe = small_network(), nn.Linear(3, 3)
    optimisers = {"network": torch.optim.Adam(network.parameters(), 0.01),
                  "probe": torch.optim.SGD(probe.parameters(), 1)}
    images, labels = some_images()

    def step(x, y, generator):
        happens(generator)
        scores = network(x)
        losses = {"first": F.cross_entropy(scores, y), "second": F.cross_entropy(probe(scores.detach()), y)}
        for loss, optimiser in zip(losses.values(), optimisers.values(), strict=True):
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        return losses

    return tp.train(step, {"network": network, "probe": probe}, optimisers, images, steps, labels=labels, batch_size=10,
                    name=name, save_every=5, live=False, **options)


class Painter(nn.Module):
    """G: z [n, 4], and labels [n] in a conditional game → [n, 1, 8, 8] in [−1, 1]; with batch norm."""

    def __init__(self, classes=0):
        super().__init__()
        self.code = nn.Embedding(classes, 4) if classes else None
        self.layers = nn.Sequential(nn.Linear(4, 16), nn.BatchNorm1d(16), nn.ReLU(), nn.Linear(16, 64), nn.Tanh())

    def forward(self, z, y=None):
        return self.layers(z if y is None else z + self.code(y)).view(-1, 1, 8, 8)


class Judge(nn.Module):
    """D: x [n, 1, 8, 8], and labels [n] in a conditional game → logits [n]."""

    def __init__(self, classes=0):
        super().__init__()
        self.code = nn.Embedding(classes, 16) if classes else None
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(64, 16), nn.LeakyReLU(0.2), nn.Dropout(0.3))
        self.last = nn.Linear(16, 1)

    def forward(self, x, y=None):
        seen = self.layers(x)
        return self.last(seen if y is None else seen + self.code(y)).flatten()


def latents(n, generator):
    return torch.randn(n, 4, generator=generator)


def played(steps=STEPS, name="run", average=0.9, conditional=False, picture_every=7, nb_update_D=1, **options):
    """A trained tp.Game of G against D."""
    torch.manual_seed(1)
    G, D = Painter(3 * conditional), Judge(3 * conditional)
    optimisers = {"G": torch.optim.Adam(G.parameters(), 0.01), "D": torch.optim.Adam(D.parameters(), 0.01)}
    images, labels = some_images()

    def step(x, *rest):
        *y, generator = rest
        happens(generator)
        for real in x.chunk(nb_update_D):
            fake = G(latents(len(real), generator), *y)
            loss_D = F.softplus(-D(real, *y)).mean() + F.softplus(D(fake.detach(), *y)).mean()
            optimisers["D"].zero_grad()
            loss_D.backward()
            optimisers["D"].step()
        with tp.frozen(D):
            loss_G = F.softplus(-D(fake, *y)).mean()
            optimisers["G"].zero_grad()
            loss_G.backward()
            optimisers["G"].step()
        return {"D": loss_D, "G": loss_G}

    return tp.Game(G, D, latents, average=average, picture_every=picture_every).train(
        step, optimisers, images, steps, labels=labels if conditional else None, batch_size=8 * nb_update_D, name=name,
        save_every=5, live=False, **options)


def played_run(**options):
    """The Run of a game, its average among the networks, so that runs can be compared."""
    game = played(**options)
    game.run.networks["average"] = game.average
    return game.run


def same(run, other):
    """True if two runs have the same steps, histories and weights, bit for bit."""
    def plain(history):
        return {curve: [(step, images.tolist()) for step, images in values] if curve == "pictures" else values
                for curve, values in history.items()}

    weights, others = ([network.state_dict() for network in each.networks.values()] for each in (run, other))
    return (run.step, plain(run.history)) == (other.step, plain(other.history)) and all(
        torch.equal(value, second[name]) for first, second in zip(weights, others, strict=True)
        for name, value in first.items())
