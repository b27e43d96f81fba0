"""Exercises 9.8 and 9.9: a step of each player."""

from ..kit.games import expect_discriminator_step, expect_generator_step


def check_9_8(answer):
    """loss = discriminator_loss(D(x), D(fake.detach())); then zero_grad(), backward(), step() with optimiser_D, and
    return loss.detach()"""
    expect_discriminator_step(answer)


def check_9_9(answer):
    """loss = generator_loss(D(fake)), nothing detached; then zero_grad(), backward(), step() with optimiser_G, and
    return loss.detach()"""
    expect_generator_step(answer)
