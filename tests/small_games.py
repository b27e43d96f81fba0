"""Small games, played by the reference's own functions: algorithm_1 of TP 9 or, with labels, the two steps of TP 10.

What happens in one of them is named by environment variables: HAPPENS as in small_runs, when D has moved and G has not
yet; DIVERGES, e.g. "D nan 7", gives a curve another number at a step.
"""

import os

import torch
from small_runs import Judge, Painter, happens, latents, some_images

import tp_utils as tp
from tp_utils.checks import solutions

STEPS, CLASSES = 14, 3
KINDS = {
    "plain": {},
    "averaged": {"average": 0.9},
    "conditional": {"conditional": True},
    "conditional, averaged": {"conditional": True, "average": 0.9},
    "several updates": {"average": 0.9, "nb_update_D": 3, "nb_update_G": 2},
}


def players(conditional=False, seed=1, dropout=0.3):
    """(G, D), always with the same initial weights."""
    torch.manual_seed(seed)
    G, D = Painter(CLASSES * conditional), Judge(CLASSES * conditional)
    D.layers[-1].p = dropout
    return G, D


def adam(network, lr=0.01):
    return torch.optim.Adam(network.parameters(), lr)


def step_now():
    return torch.initial_seed() % 1_000_003 + 1


def happens_once(*_):
    """What HAPPENS names, though G may have several updates in the step."""
    happens(torch.default_generator)
    if os.environ.get("HAPPENS") == f"stop {step_now()}":
        del os.environ["HAPPENS"]


def diverges(curve):
    """A factor of a curve: 1, but at the step that DIVERGES names."""
    player, value, step = os.environ.get("DIVERGES", "- 1 0").split()
    return float(value) if (player, int(step)) == (curve, step_now()) else 1.0


def step_of(G, D, optimisers, conditional, latent, nb_update_D=1, nb_update_G=1):
    """A step for tp.Game."""
    reference = solutions(10) if conditional else solutions(9)

    def with_labels(x, y, generator):
        fake = G(latent(len(x), generator), y)
        loss_D = reference["10.7"](D, x, y, fake, optimisers["D"])
        return curves(loss_D, reference["10.8"](D, y, fake, optimisers["G"]))

    def without(x, generator):
        batches = iter(x.chunk(nb_update_D))
        return curves(*reference["9.10"](
            D, G, optimisers["D"], optimisers["G"], batch=lambda: next(batches),
            latent=lambda: latent(len(x) // nb_update_D, generator), nb_update_D=nb_update_D, nb_update_G=nb_update_G))

    def curves(loss_D, loss_G):
        return {"D": loss_D * diverges("D"), "G": loss_G * diverges("G")}

    return with_labels if conditional else without


def play(kind="plain", *, GD=None, images=None, steps=STEPS, name="game", make=adam, optimisers=None, latent=latents,
         batch_size=8, **options):
    """A trained tp.Game, always from the same initial weights; `kind` is one of KINDS, options go before it.

    make: from a network to its optimiser, or `optimisers` themselves
    """
    options = {"average": None, "picture_every": 4, "save_every": 5, "live": False} | KINDS[kind] | options
    conditional, average = options.pop("conditional", False), options.pop("average")
    updates = {key: options.pop(key, 1) for key in ("nb_update_D", "nb_update_G")}
    G, D = GD or players(conditional)
    optimisers = optimisers or {"G": make(G), "D": make(D)}
    optimisers["G"].register_step_pre_hook(happens_once)
    images, labels = images or some_images()
    return tp.Game(G, D, latent, average=average, picture_every=options.pop("picture_every")).train(
        step_of(G, D, optimisers, conditional, latent, **updates), optimisers, images, steps,
        labels=labels if conditional else None, batch_size=batch_size * updates["nb_update_D"], name=name, **options)


def same_weights(network, other):
    weights, others = network.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(torch.equal(weights[key], others[key]) for key in weights)


def same(game, other):
    """True if every weight, number and picture of two games is equal."""
    def numbers(each):
        return {curve: values for curve, values in each.history.items() if curve != "pictures"}

    pictures = zip(game.history["pictures"], other.history["pictures"], strict=True)
    return ((game.run.step, numbers(game)) == (other.run.step, numbers(other))
            and all(step == other_step and torch.equal(one, two) for (step, one), (other_step, two) in pictures)
            and all(same_weights(getattr(game, part), getattr(other, part)) for part in ("G", "D", "average")))
