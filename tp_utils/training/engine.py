"""One engine: it repeats a step of yours. It knows no loss, no game, no number of updates: those are your step's."""

import functools
from collections import defaultdict
from dataclasses import dataclass, field

import torch

from ..runtime import device, expect, precision
from .loop import Loop
from .precision import mixed_precision


@dataclass
class Run:
    """A training run: networks {name: network}, the steps done, history {curve: [number of each step]}, steps to do."""

    networks: dict
    step: int = 0
    history: dict = field(default_factory=lambda: defaultdict(list))
    steps: int = 0

    @property
    def network(self):
        """The only network of a run that has one."""
        (network,) = self.networks.values()
        return network


def signed(images, generator):
    """The default `prepare`: uint8 to float32 in [−1, 1]. Other tensors are given as they are."""
    return images.float() / 127.5 - 1 if images.dtype == torch.uint8 else images


def train(step, networks, optimisers, images, steps, *, labels=None, batch_size=64, prepare=signed, schedule=None,
          after=None, name=None, save_every=200, seed=0, live=True, events=None):
    """Repeat a step of your own on images that live on the device.

    step:        from (x [n, …], generator), or (x, labels int64 [n], generator), to {curve: scalar tensor}: it updates
                 the networks, and takes all that is random from the torch.Generator (on the CPU) or torch's own
    networks:    {name: network};  optimisers: {name: optimiser}, those that `step` uses
    images:      tensor [N, …], e.g. uint8 [N, C, H, W];  labels: int64 [N] or None
    prepare:     from (images [n, …], generator) to x, the whole batch at once
    schedule:    a torch LR scheduler, moved after each step
    after:       called with the Run after each step; where it has a state_dict, checkpoints hold it too
    name:        of the checkpoint in the cache, written every `save_every` steps; None keeps nothing
    live:        draw the run in a notebook while it goes on; False: only the progress bar
    events:      folder of event files for TensorBoard, with the curves of the run

    Returns a Run, the networks in eval mode. An interrupt returns what there is, at the end of the step (a second one
    raises KeyboardInterrupt at once). Calling again goes on, and a finished run is loaded, if everything that the run
    depends on is equal: images, networks, optimisers, the step with all that it reaches (runtime/keys.py); anything
    else trains anew. All randomness of a step depends on (seed, step) alone, so that a resumed run ends with the very
    weights of an undisturbed one (on a CPU). Raises Diverged when a curve is not finite, ValueError for input that
    does not fit, before the first step.
    """
    images, labels = expect.tensors(images, labels)
    expect.networks_and_optimisers(networks, optimisers, schedule, step=step, prepare=prepare,
                                    **{"after": after} if after else {})
    expect.value_range(images, prepare, signed, (-1, 1))
    steps, batch_size, save_every = expect.numbers(steps=steps, batch_size=batch_size, save_every=save_every)
    (seed,) = expect.numbers(0, seed=seed)
    for network in networks.values():
        network.train().to(device(), memory_format=torch.channels_last)
    images, labels = (thing if thing is None else thing.to(device()) for thing in (images, labels))
    depends_on = (networks, optimisers, schedule, step, prepare, after, images, labels, steps, batch_size, seed,
                  precision())
    run = Run(networks, steps=steps)
    loop = Loop(run, parts_of(networks, optimisers, schedule, after), depends_on, name, save_every, seed, live, events)

    with loop, mixed_precision(networks.values()):
        for generator in loop:
            for network in networks.values():
                network.train()
            chosen = batch_indices(len(images), batch_size, run.step, seed).to(device())
            x = in_layout(prepare(images[chosen], generator))
            loop.record(step(x, generator) if labels is None else step(x, labels[chosen], generator))
            if schedule:
                schedule.step()
            if after:
                after(run)
    for network in networks.values():
        network.eval()
    return run


def parts_of(networks, optimisers, schedule, after):
    """{name: object with a state_dict}: what a checkpoint holds."""
    parts = {**{f"network {name}": network for name, network in networks.items()},
             **{f"optimiser {name}": optimiser for name, optimiser in optimisers.items()},
             "schedule": schedule, "after": after}
    return {name: part for name, part in parts.items() if hasattr(part, "state_dict")}


def in_layout(x):
    """Images in the memory layout that convolutions are quickest on."""
    return x.contiguous(memory_format=torch.channels_last) if x.ndim == 4 else x


def batch_indices(count, batch_size, step, seed):
    """The images of a step: each epoch is a new random order, a function of (seed, epoch) only."""
    first = step * batch_size
    epochs = range(first // count, (first + batch_size - 1) // count + 1)
    orders = [order(count, seed * 1_000_003 + epoch) for epoch in epochs]
    return torch.cat(orders)[first - epochs[0] * count:][:batch_size]


@functools.lru_cache(maxsize=4)  # an order serves a whole epoch
def order(count, seed):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
