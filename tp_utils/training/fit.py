"""The short form for classifiers: one network, one optimiser, one loss."""

import torch
from torch.nn import functional as F

from ..runtime import at_once, expect
from .engine import train
from .step import update


def pixels(images, generator):
    """The default `prepare`: uint8 to float32 in [0, 1]. Other tensors are given as they are."""
    return images.float() / 255 if images.dtype == torch.uint8 else images


class Validation:
    """An `after` for tp.train: every so many steps, and at the end, the networks are looked at in eval mode.

    validate: a function without arguments; its numbers are in run.history["validation"], as [(step, number)]
    """

    def __init__(self, validate, every=100):
        expect.functions(validate=validate)
        (self.every,), self.validate = expect.numbers(every=every), validate

    def __call__(self, run):
        if run.step % self.every == 0 or run.step == run.steps:
            for network in run.networks.values():
                network.eval()
            with at_once():
                run.history["validation"].append((run.step, float(self.validate())))


def fit(network, images, labels, optimiser, steps, *, batch_size=64, loss=F.cross_entropy, prepare=pixels,
        schedule=None, validate=None, validate_every=100, name=None, save_every=100, seed=0, live=True, events=None):
    """Train a classifier on images that live on the device.

    images:     tensor [N, …], e.g. uint8 [N, C, H, W];  labels: int64 [N]
    optimiser:  a torch optimiser over (some of) the network's parameters;  schedule: a torch LR scheduler or None
    loss:       from (scores [n, K], labels [n]) to a scalar tensor
    prepare:    from (images [n, …], generator) to the network's input: conversion and augmentation, whole batch
    validate:   a function without arguments; its number is recorded every `validate_every` steps, in eval mode

    Returns a Run with the curve "loss" and, under "validation", [(step, number)]. All else is as in `train`, whose
    short form this is.
    """
    (validate_every,) = expect.numbers(validate_every=validate_every)
    expect.value_range(images, prepare, pixels, (0, 1))
    expect.classifier(network, images, labels, optimiser, prepare, loss)

    def step(x, y, generator):
        value = loss(network(x), y)
        update(optimiser, value)
        return {"loss": value}

    return train(step, {"network": network}, {"network": optimiser}, images, steps, labels=labels,
                 batch_size=batch_size, prepare=prepare, schedule=schedule, name=name, save_every=save_every, seed=seed,
                 after=validate and Validation(validate, validate_every), live=live, events=events)
