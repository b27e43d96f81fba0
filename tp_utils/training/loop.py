"""Around the steps of a run: those that are left, the curves, the checkpoint, the stop button, progress."""

import contextlib
import math

import torch

from ..runtime import Incomparable, expect, fingerprint, keeping, say, stop_button
from . import checkpoint
from .events import Events
from .live import Live

# What is said to the reader.
NOT_FINITE = "{curve} is {value} at step {step}: training stopped. A smaller learning rate usually helps{kept}."
KEPT = "; the weights of step {step} are in the checkpoint"
INTERRUPTED = "Interrupted at step {step} of {steps}: what was learnt so far is kept. Run the cell again to go on."
LOADED = "{name}: {steps} steps trained before, loaded from the cache."
RESUMED = "{name}: goes on from step {step} of {steps}."
ANEW = "{name}: trains anew and keeps no checkpoint, since {why}."


class Diverged(ArithmeticError):
    """A curve became NaN or infinite; the message says which one, and at which step."""


class Loop:
    """A context around the steps of a run, and an iterator over those that are left.

    run:     a Run; its step and history are kept up to date
    parts:   {name: object with state_dict}, what a checkpoint holds;  depends_on: all that the run depends on
    """

    def __init__(self, run, parts, depends_on, name, save_every, seed, live, events):
        self.run, self.steps, self.parts = run, run.steps, parts
        self.name, self.save_every, self.seed, self.live = name, save_every, seed, live
        self.events = None
        if events:
            with keeping(f"event files in {events}"):
                self.events = Events(events)
        self.curves, self.pending = None, []  # pending: still on the device, one transfer for many steps
        self.kept, self.unkept = 0, False  # the step of the last checkpoint; whether the last one failed
        if name is not None:
            checkpoint.path_of(name)  # refuses what is no file name
            try:
                self.key = fingerprint(*depends_on)
            except Incomparable as error:
                self.name = None
                say(ANEW.format(name=name, why=error))

    def __enter__(self):
        with contextlib.ExitStack() as contexts:
            if self.events:
                contexts.callback(self.events.writer.close)
            if self.name and (saved := checkpoint.load(self.name, self.key, self.parts)):
                self.run.step, self.kept = saved[0], saved[0]
                self.run.history.update(saved[1])
                text = LOADED if self.kept == self.steps else RESUMED
                say(text.format(name=self.name, step=self.kept, steps=self.steps))
            self.progress = contexts.enter_context(Live(self.run, self.steps, self.name, self.live, self.flush))
            self.stop = contexts.enter_context(stop_button())
            gpus = range(torch.cuda.device_count())
            contexts.enter_context(torch.random.fork_rng(gpus))  # a run that is loaded leaves the same state
            self.contexts = contexts.pop_all()
        return self

    def __exit__(self, *error):
        self.contexts.__exit__(*error)

    def __iter__(self):
        """Before each step: a torch.Generator (on the CPU) whose state depends on (seed, step) alone."""
        while self.run.step < self.steps and not self.stop:
            yield torch.manual_seed(self.seed * 1_000_003 + self.run.step)
            if self.run.step % self.save_every == 0:
                self.keep()
            self.progress.update()
        if self.kept < self.run.step:
            self.keep()
        self.flush()
        if self.run.step < self.steps:
            say(INTERRUPTED.format(step=self.run.step, steps=self.steps))

    def record(self, values):
        """A step is done: its numbers, scalar tensors, stay on the device until the next flush."""
        self.curves = expect.step_curves(values, self.curves)
        self.pending.append(self.curves)
        self.run.step += 1

    def flush(self):
        """The recorded numbers to the history, and to the event files. Raises Diverged if one is not finite."""
        new, self.pending = self.pending, []
        if new:
            rows = torch.stack([torch.stack(list(values.values())) for values in new]).tolist()
            first = self.run.step - len(rows) + 1
            for step, row in enumerate(rows, first):
                for curve, value in zip(new[0], row, strict=True):
                    if not math.isfinite(value):
                        kept = KEPT.format(step=self.kept) if self.kept else ""
                        raise Diverged(NOT_FINITE.format(curve=curve, value=value, step=step, kept=kept))
                    self.run.history[curve].append(value)
        if self.events:
            self.events.update(self.run.history)

    def keep(self):
        """The recorded numbers to the history, then the checkpoint."""
        self.flush()
        if self.name:
            kept = checkpoint.save(self.name, self.key, self.parts, self.run.step, self.run.history, self.unkept)
            self.kept, self.unkept = self.run.step if kept else self.kept, not kept
