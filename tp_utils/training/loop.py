"""What fit and train_gan share: the steps that are left, the curves, the checkpoint, the stop button, progress."""

import contextlib
import functools
import math

import torch

from ..runtime import code_of, say
from . import checkpoint
from .events import Events
from .interrupt import asked_to_stop
from .live import Live

# What is said to the reader.
NOT_FINITE = "{curve} is {value} at step {step}: training stopped. A smaller learning rate usually helps{kept}."
KEPT = "; the weights of step {step} are in the checkpoint"
INTERRUPTED = "Interrupted at step {step} of {steps}: what was learnt so far is kept. Run the cell again to go on."
LOADED = "{name}: {steps} steps trained before, loaded from the cache."
RESUMED = "{name}: goes on from step {step} of {steps}."


class Diverged(ArithmeticError):
    """A loss became NaN or infinite; the message says which one, and at which step."""


class Loop:
    """A context around the steps of a run, and an iterator over those that are left.

    run:     has step (those done) and history (lists of numbers by name); both are kept up to date
    parts:   {name: object with state_dict}, what a checkpoint holds; key: what the run depends on
    draw:    a function of (run, title) that returns the live figure; None draws nothing
    events:  folder of event files for TensorBoard; None writes none
    """

    def __init__(self, run, steps, parts, key, name, save_every, seed, draw, events=None):
        self.run, self.steps, self.parts, self.key = run, steps, parts, key
        self.name, self.save_every, self.seed, self.draw = name, save_every, seed, draw
        self.pending = {}  # values still on the device: one transfer for many steps
        self.kept = 0  # the step of the last checkpoint
        self.events = Events(events) if events else None

    def __enter__(self):
        self.contexts = contextlib.ExitStack()
        if self.events:
            self.contexts.callback(self.events.close)
        if self.name and (saved := checkpoint.load(self.name, self.key, self.parts)):
            self.run.step, self.run.history = saved
            self.kept = self.run.step
            done = self.run.step == self.steps
            say((LOADED if done else RESUMED).format(name=self.name, step=self.run.step, steps=self.steps))
            if self.events:
                self.events.update(self.run.history)
        self.progress = self.contexts.enter_context(Live(self.run, self.steps, self.name, self.draw, self.flush))
        self.stop = self.contexts.enter_context(asked_to_stop())
        return self

    def __exit__(self, *_):
        self.contexts.close()

    def __iter__(self):
        """Before each step: a torch.Generator (on the CPU) whose state depends on (seed, step) alone."""
        while self.run.step < self.steps and not self.stop:
            yield torch.manual_seed(self.seed * 1_000_003 + self.run.step)
            self.run.step += 1
            if self.run.step % self.save_every == 0:
                self.keep()
            self.progress.update()
        if self.kept < self.run.step:
            self.keep()
        if self.run.step < self.steps:
            say(INTERRUPTED.format(step=self.run.step, steps=self.steps))

    def record(self, **values):
        """The numbers of a step: scalar tensors that stay on the device until the next flush."""
        for curve, value in values.items():
            self.pending.setdefault(curve, []).append(value.detach())

    def flush(self):
        """The recorded numbers to the history, and to the event files. Raises Diverged if one is not finite."""
        new, self.pending = {curve: torch.stack(values).tolist() for curve, values in self.pending.items()}, {}
        for numbers in zip(*new.values(), strict=True):
            for curve, value in zip(new, numbers, strict=True):
                if not math.isfinite(value):
                    step = len(self.run.history[curve]) + 1
                    kept = KEPT.format(step=self.kept) if self.kept else ""
                    raise Diverged(NOT_FINITE.format(curve=curve, value=value, step=step, kept=kept))
                self.run.history[curve].append(value)
        if self.events:
            self.events.update(self.run.history)

    def keep(self):
        """The recorded numbers to the history, then the checkpoint."""
        self.flush()
        if self.name:
            checkpoint.save(self.name, self.key, self.parts, self.run.step, self.run.history)
            self.kept = self.run.step


def settings(thing):
    """What a checkpoint's key knows of an optimiser or a schedule: its kind and its numbers, without its state."""
    groups = thing.param_groups if hasattr(thing, "param_groups") else [thing.state_dict()]
    settings = ({key: value for key, value in group.items() if key != "params"} for group in groups)
    return [type(thing).__name__, *settings]


def named(loss):
    """What a checkpoint's key knows of a loss: the source of a function, the settings and weights of a module."""
    if not isinstance(loss, torch.nn.Module):
        return code_of(loss)
    weights = list(loss.state_dict().values())  # class weights, for one
    return [repr(loss), *weights] if weights else repr(loss)


def known(network):
    """What a checkpoint's key knows of a network: its layers with their settings, its code, weights and numbers."""
    own = [module for module in network.modules() if not type(module).__module__.startswith("torch")]
    numbers = [(name, value) for module in own for name, value in vars(module).items()
               if isinstance(value, float) and not name.startswith("_")]
    return [repr(network), code_of(network), *network.state_dict().values(), *([numbers] if numbers else [])]


def batch_indices(count, batch_size, step, seed):
    """The images of a step: each epoch is a new random order, a function of (seed, epoch) only."""
    first = step * batch_size
    epochs = range(first // count, (first + batch_size - 1) // count + 1)
    orders = [order(count, seed * 1_000_003 + epoch) for epoch in epochs]
    return torch.cat(orders)[first - epochs[0] * count:][:batch_size]


@functools.lru_cache(maxsize=4)  # an order serves a whole epoch
def order(count, seed):
    return torch.randperm(count, generator=torch.Generator().manual_seed(seed))
