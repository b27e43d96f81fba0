"""One loop for models whose step is a function of their own: several networks, each with its optimiser."""

from dataclasses import dataclass

from ..runtime import code_of, device, fingerprint
from .live import losses
from .loop import Loop, batch_indices, known, settings


@dataclass
class Training:
    """A run of several networks: players {name: network}, the steps done, history {curve: one number per step}."""

    players: dict
    step: int
    history: dict


def train_players(step, players, optimisers, images, steps, *, curves, batch_size=64, name=None, save_every=200, seed=0,
                  live=True):
    """Train networks by a step of your own, on images that live on the device.

    step:        from (x float32 [n, C, H, W] in [−1, 1], torch.Generator on the CPU) to {curve: scalar tensor}; it
                 updates the players, and takes all that is random from the generator or from torch's own
    players:     {name: network};  optimisers: {name: optimiser}, those that `step` uses
    images:      uint8 [N, C, H, W];  curves: the names of the numbers that `step` returns
    name:        of the checkpoint in the cache, written every `save_every` steps; None keeps nothing

    Returns a Training. Interrupts, resuming, and Diverged (when a number is not finite) as in `fit`.
    """
    for network in players.values():
        network.to(device())
    images = images.to(device())
    run = Training(players, 0, {curve: [] for curve in curves})
    parts = players | {f"optimiser of {player}": optimiser for player, optimiser in optimisers.items()}
    key = fingerprint(images, steps, batch_size, seed, code_of(step), *map(settings, optimisers.values()),
                      *map(known, players.values()))
    with Loop(run, steps, parts, key, name, save_every, seed, losses if live else None) as loop:
        for generator in loop:
            for network in players.values():
                network.train()
            chosen = batch_indices(len(images), batch_size, run.step, seed).to(device())
            loop.record(**step(images[chosen].float() / 127.5 - 1, generator))
    for network in players.values():
        network.eval()
    return run
