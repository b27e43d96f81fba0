"""Exercises 10.7 and 10.8: a step of each player, who is told the labels."""

from ..kit.games import CLASSES, expect_discriminator_step, expect_generator_step


def check_10_7(answer):
    """loss = discriminator_loss(D(x, y), D(fake.detach(), y)); zero_grad(), backward(), step() with optimiser_D; return
    loss.detach()"""
    expect_discriminator_step(answer, CLASSES)


def check_10_8(answer):
    """loss = generator_loss(D(fake, y)), nothing detached; zero_grad(), backward(), step() with optimiser_G; return
    loss.detach()"""
    expect_generator_step(answer, CLASSES)
