"""Answers to exercises 10.7 and 10.8, a step of each player, who is told the labels."""

import torch

from .. import game_steps
from ..game_steps import both, d_step, g_step, ones
from .common import hot, rolled


def d_step_without_y(D, x, y, fake, optimiser_D):
    return both(D(x), D(fake.detach())).detach()


def d_step_fake_without_y(D, x, y, fake, optimiser_D):
    return both(D(x, y), D(fake.detach())).detach()


def d_step_y_first(D, x, y, fake, optimiser_D):
    return both(D(y, x), D(y, fake.detach())).detach()


def random_labels(y):
    return torch.randint_like(y, 4)


def g_step_without_y(D, y, fake, optimiser_G):
    return ones(D(fake))


WRONG_LABELS_D = [
    (d_step(real_y=rolled), "beside the images x"), (d_step(real_y=torch.zeros_like), "beside the images x"),
    (d_step(fake_y=rolled), "beside `fake`"), (d_step(fake_y=random_labels), "beside `fake`"),
    (d_step(fake_y=lambda y: y[torch.randperm(len(y))]), "beside `fake`"),
    (d_step(fake_y=lambda y: y.flip(0)), "beside `fake`"), (d_step(real_y=lambda y: hot(y, 4)), "int64"),
    (d_step_without_y, "D is called without labels"), (d_step_fake_without_y, "D is called without labels"),
    (d_step_y_first, "behind the images"),
]
WRONG_LABELS_G = [
    (g_step(y_of_D=rolled), "beside `fake`"), (g_step(y_of_D=random_labels), "beside `fake`"),
    (g_step(y_of_D=lambda y: hot(y, 4)), "int64"), (g_step_without_y, "D is called without labels"),
]

RIGHT = {"10.7": game_steps.RIGHT_D, "10.8": game_steps.RIGHT_G}
MUTANTS = {"10.7": [*game_steps.WRONG_D, *WRONG_LABELS_D], "10.8": [*game_steps.WRONG_G, *WRONG_LABELS_G]}
