"""What one looks at while a generator learns: pictures of fixed latents, its average, what D thinks of its images."""

import contextlib

import torch
from torch.nn.modules.batchnorm import _BatchNorm
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from ..nets import images_of
from ..runtime import device, expect
from .engine import train

COLUMNS, ROWS = 8, 8  # of the picture of the fixed latents; in a conditional game a row for each class
FRESH = 2**31  # added to the seed of generate(), so that it does not draw the fixed latents of the same seed again
LABELS_OF_OTHERS = "{labels} labels for {count} images: one for each is needed"  # said to the reader


class Game:
    """A generator and what it learns from. `train` repeats a step of yours, as tp.train does.

    G, D:     the networks: G(z) → images in [−1, 1], D(x) → logits; in a conditional game G(z, y), D(x, y)
    latent:   from (n, torch.Generator on the CPU) to n latents z
    average:  the moving average of G where one was asked for, otherwise G itself
    run:      the Run, once there is one, with its history. That has, besides the curves of the step, the means of the
              probabilities that D gave real images, "D(x)", and generated ones, "D(G(z))", and "pictures":
              [(step, uint8 [n, C, H, W])] of the fixed latents, eight to a row; in a conditional game a row of the
              picture shares its label, a column its latent
    """

    def __init__(self, G, D, latent, *, average=None, picture_every=100):
        """average: decay of an exponential moving average of G's weights, e.g. 0.999; None keeps none."""
        (self.picture_every,) = expect.numbers(picture_every=picture_every)
        self.G, self.D, self.latent = G, D, latent
        self.moving = AveragedModel(G, multi_avg_fn=get_ema_multi_avg_fn(average)) if average else None
        self.average = self.moving.module if average else G
        self.run, self.history, self.latents, self.labels = None, None, None, None

    def train(self, step, optimisers, images, steps, *, labels=None, seed=0, **options):
        """Repeat a step on images; returns the game. All as in tp.train, the networks being those of the game."""
        expect.networks_and_optimisers({"G": self.G, "D": self.D}, optimisers, None, step=step, latent=self.latent)
        images, labels = expect.tensors(images, labels)
        self.opinions, (self.latents, self.labels) = None, self.fixed(labels, seed)
        self.average.to(device(), memory_format=torch.channels_last)

        def watched(x, *rest):
            with self.listening(x) as heard:
                curves = step(x, *rest)
            known = heard if self.opinions is None else self.opinions  # the same curves at each step
            self.opinions = {name: heard.get(name, value) for name, value in known.items()}
            return {**curves, **self.opinions} if isinstance(curves, dict) else curves

        self.run = train(watched, {"G": self.G, "D": self.D}, optimisers, images, steps, labels=labels, after=self,
                         seed=seed, **options)
        self.history = self.run.history
        self.settle()
        self.average.eval()
        return self

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

    # ---- what tp.train asks for

    def __call__(self, run):
        """After a step: the average moves, and now and then a picture is taken."""
        if self.moving:
            self.moving.update_parameters(self.G)
        if run.step % self.picture_every == 0 or run.step in (1, run.steps):
            self.settle()
            run.history["pictures"].append((run.step, images_of(self.average, self.latents, self.labels)))

    def state_dict(self):
        return self.moving.state_dict() if self.moving else {}

    def load_state_dict(self, state):
        if self.moving:
            self.moving.load_state_dict(state)

    @contextlib.contextmanager
    def listening(self, x):
        """What D says, in the end, of the real images x, and in its own turn (no gradient to G) of generated ones."""
        made, heard = [], {}

        def of_G(network, inputs, images):
            made.extend([images] if isinstance(images, torch.Tensor) else [])

        def of_D(network, inputs, logits):
            if not inputs or not isinstance(logits, torch.Tensor):
                return
            if shares_memory(inputs[0], [x]):
                heard["D(x)"] = probability(logits).mean()
            elif not inputs[0].requires_grad and shares_memory(inputs[0], made):
                heard["D(G(z))"] = probability(logits).mean()

        hooks = self.G.register_forward_hook(of_G), self.D.register_forward_hook(of_D)
        try:
            yield heard
        finally:
            for hook in hooks:
                hook.remove()

    def fixed(self, labels, seed):
        """The latents whose pictures are taken, and their labels or None."""
        generator = torch.Generator().manual_seed(seed)
        if labels is None:
            return self.latent(ROWS * COLUMNS, generator).to(device()), None
        classes = torch.arange(int(labels.max()) + 1)
        z = self.latent(COLUMNS, generator)
        return z.repeat(len(classes), *[1] * (z.ndim - 1)).to(device()), classes.repeat_interleave(COLUMNS).to(device())

    @torch.no_grad()
    def settle(self):
        """Give the average batch norm statistics of its own: those of G fit G's weights only, and blank the images."""
        norms = [module for module in self.average.modules() if isinstance(module, _BatchNorm)]
        if not self.moving or not norms:
            return
        z, momenta = self.latent(500, torch.Generator().manual_seed(0)), [norm.momentum for norm in norms]
        y = () if self.labels is None else (self.every_label(500),)
        for norm in norms:
            norm.reset_running_stats()
            norm.momentum = None  # the plain mean of what comes, in place of a moving one
        self.average.train()(*(part.to(device()) for part in (z, *y)))
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum


def probability(logits):
    """D's probability of "real" from its logits [n], or [n, K] of K classes where that of "generated" is 0."""
    return (logits.logsumexp(1) if logits.ndim > 1 else logits).detach().sigmoid()


def shares_memory(x, others):
    """True if x is one of the others, or a view of one: a part of it, or the same without its graph."""
    return any(x.untyped_storage().data_ptr() == other.untyped_storage().data_ptr() for other in others)
