"""One loop for all classifiers."""

import math
from dataclasses import dataclass, field

import torch
from torch.nn import functional as F

from ..runtime import code_of, device, fingerprint, say
from . import checkpoint
from .interrupt import asked_to_stop
from .live import Live

# What is said to the reader.
NOT_FINITE = "the loss is {value} at step {step}: training stopped. A smaller learning rate usually helps{kept}."
KEPT = "; the weights of step {step} are in the checkpoint"
INTERRUPTED = "Interrupted at step {step} of {steps}: what was learnt so far is kept. Run the cell again to go on."
LOADED = "{name}: {steps} steps trained before, loaded from the cache."
RESUMED = "{name}: goes on from step {step} of {steps}."


class Diverged(ArithmeticError):
    """The loss became NaN or infinite; the message says at which step."""


@dataclass
class Run:
    """A training run: the network, its history (lists of equal length per curve), the steps done."""

    network: torch.nn.Module
    step: int = 0
    history: dict = field(default_factory=lambda: {"loss": [], "validation": []})


def pixels(images, generator):
    """The default `prepare`: uint8 to float32 in [0, 1]."""
    return images.float() / 255


def fit(network, images, labels, optimiser, steps, *, batch_size=64, loss=F.cross_entropy, prepare=pixels,
        schedule=None, validate=None, validate_every=100, name=None, save_every=100, seed=0, live=True):
    """Train a classifier on images that live on the device.

    images:     tensor [N, …], e.g. uint8 [N, C, H, W];  labels: int64 [N]
    optimiser:  a torch optimiser over (some of) the network's parameters;  schedule: a torch LR scheduler or None
    loss:       from (scores [n, K], labels [n]) to a scalar tensor
    prepare:    from (images [n, …], generator) to the network's input: conversion and augmentation, whole batch
    validate:   a function without arguments; its number is recorded every `validate_every` steps
    name:       of the checkpoint in the cache, written every `save_every` steps; None keeps nothing
    live:       draw the curves in a notebook while training; False leaves the progress bar alone

    Returns a Run. An interrupt returns what there is, at the end of a step; calling again with the same arguments
    goes on, and a finished run is loaded. Other arguments start anew, other code of `loss` or `prepare` too. All
    randomness of a step depends on (seed, step) alone, so that a resumed run ends with the very weights of an
    undisturbed one (on a CPU). Raises Diverged when the loss is not finite.
    """
    network.to(device())
    images, labels = images.to(device()), labels.to(device())
    run = Run(network)
    parts = {"network": network, "optimiser": optimiser} | ({"schedule": schedule} if schedule else {})
    key = fingerprint(images, labels, steps, batch_size, seed, named(loss), code_of(prepare), settings(optimiser),
                      schedule and settings(schedule), *network.state_dict().values())
    if name and (saved := checkpoint.load(name, key, parts)):
        run.step, run.history = saved
        say((LOADED if run.step == steps else RESUMED).format(name=name, step=run.step, steps=steps))
    losses = torch.zeros(steps, device=device())

    def keep():
        """Losses to the history (one transfer for many steps), then the checkpoint."""
        kept = len(run.history["loss"])
        for value in losses[kept:run.step].tolist():
            if not math.isfinite(value):
                raise Diverged(NOT_FINITE.format(value=value, step=len(run.history["loss"]) + 1,
                                                 kept=KEPT.format(step=kept) if name and kept else ""))
            run.history["loss"].append(value)
        if name:
            checkpoint.save(name, key, parts, run.step, run.history)

    with Live(run, steps, title=name, draw=live) as progress, asked_to_stop() as stop:
        while run.step < steps and not stop:
            generator = torch.manual_seed(seed * 1_000_003 + run.step)
            chosen = batch_indices(len(images), batch_size, run.step, seed).to(device())
            network.train()
            with torch.autocast("cuda", torch.bfloat16, enabled=device().type == "cuda"):
                value = loss(network(prepare(images[chosen], generator)), labels[chosen])
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            if schedule:
                schedule.step()
            losses[run.step] = value.detach()
            run.step += 1
            if validate and (run.step % validate_every == 0 or run.step == steps):
                network.eval()
                run.history["validation"].append((run.step, float(validate())))
            if run.step % save_every == 0:
                keep()
            progress.update()
        if run.step > len(run.history["loss"]):
            keep()
    if run.step < steps:
        say(INTERRUPTED.format(step=run.step, steps=steps))
    network.eval()
    return run


def settings(thing):
    """What a checkpoint's key knows of an optimiser or a schedule: its kind and its numbers, without its state."""
    groups = thing.param_groups if hasattr(thing, "param_groups") else [thing.state_dict()]
    settings = ({key: value for key, value in group.items() if key != "params"} for group in groups)
    return [type(thing).__name__, *settings]


def named(loss):
    """What a checkpoint's key knows of a loss: the source of a function, the settings of a module."""
    return repr(loss) if isinstance(loss, torch.nn.Module) else code_of(loss)


def batch_indices(count, batch_size, step, seed):
    """The images of a step: each epoch is a new random order, a function of (seed, epoch) only."""
    first = step * batch_size
    epochs = range(first // count, (first + batch_size - 1) // count + 1)
    orders = [torch.randperm(count, generator=torch.Generator().manual_seed(seed * 1_000_003 + epoch))
              for epoch in epochs]
    return torch.cat(orders)[first - epochs[0] * count:][:batch_size]
