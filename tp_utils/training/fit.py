"""One loop for all classifiers."""

from dataclasses import dataclass, field

import torch
from torch.nn import functional as F

from ..runtime import code_of, device, fingerprint
from .live import curves
from .loop import Loop, batch_indices, known, named, settings


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
        schedule=None, validate=None, validate_every=100, name=None, save_every=100, seed=0, live=True, events=None):
    """Train a classifier on images that live on the device.

    images:     tensor [N, …], e.g. uint8 [N, C, H, W];  labels: int64 [N]
    optimiser:  a torch optimiser over (some of) the network's parameters;  schedule: a torch LR scheduler or None
    loss:       from (scores [n, K], labels [n]) to a scalar tensor
    prepare:    from (images [n, …], generator) to the network's input: conversion and augmentation, whole batch
    validate:   a function without arguments; its number is recorded every `validate_every` steps
    name:       of the checkpoint in the cache, written every `save_every` steps; None keeps nothing
    live:       draw the curves in a notebook while training; False leaves the progress bar alone
    events:     folder of event files for TensorBoard, with the curves of the run; None writes none

    Returns a Run. An interrupt returns what there is, at the end of a step; calling again with the same arguments
    goes on, and a finished run is loaded. Other arguments start anew, other code of the network, of `loss` or of
    `prepare` too. All randomness of a step depends on (seed, step) alone, so that a resumed run ends with the very
    weights of an undisturbed one (on a CPU). Raises Diverged when the loss is not finite, ImportError for
    `events` where TensorBoard is not installed.
    """
    network.to(device())
    images, labels = images.to(device()), labels.to(device())
    run = Run(network)
    parts = {"network": network, "optimiser": optimiser} | ({"schedule": schedule} if schedule else {})
    key = fingerprint(images, labels, steps, batch_size, seed, named(loss), code_of(prepare), settings(optimiser),
                      schedule and settings(schedule), known(network))
    with Loop(run, steps, parts, key, name, save_every, seed, curves if live else None, events) as loop:
        for generator in loop:
            chosen = batch_indices(len(images), batch_size, run.step, seed).to(device())
            network.train()
            with torch.autocast("cuda", torch.bfloat16, enabled=device().type == "cuda"):
                value = loss(network(prepare(images[chosen], generator)), labels[chosen])
            optimiser.zero_grad()
            value.backward()
            optimiser.step()
            if schedule:
                schedule.step()
            loop.record(loss=value)
            done = run.step + 1
            if validate and (done % validate_every == 0 or done == steps):
                network.eval()
                run.history["validation"].append((done, float(validate())))
    network.eval()
    return run
