"""Exercises 8.2 and 8.3: an image that climbs a score."""

from itertools import count

import torch

from ...runtime import device
from ..kit.compare import Wrong, describe, run
from ..kit.networks import normal
from .common import NO_STEP, SAME_GRADIENT, Polynomial, expect, setting, unit, wrong_scores

# What is said to the reader.
PAIR = "return two things: the image and the number of steps"
PAIR_SWAPPED = "the (image, number of steps) pair begins with the image: yours begins with a number"
BATCH_AXIS = "the batch axis is gone: return [1, 3, H, W], as it came"
ENDLESS = "the loop does not end: stop after max_steps updates, whatever the class"
MORE = "there is one update too many: stop after max_steps updates"
DESCENT = "the score goes down: gradient ascent adds the gradient"
NOT_UNIT = "the gradient is not divided by its norm (L2): the length of a step must be learning_rate"
OTHER_UNIT = "the length of a step must be learning_rate: divide by the L2 norm of the gradient, g.norm()"
AGAINST_BEST = "you push the current class down: push the target's score up"
PILED_UP = "the gradients of the steps add up in .grad: start each step from a new leaf or set .grad to None"
FROM_START = "that is one step from the image as it came: each step goes on from the last image"
NO_STOP = "the loop does not stop early: return as soon as the predicted class is the target"
STOP_LATE = "it stops one update late: look at the class after the update, before making another one"
AT_ONCE = "the class is the target from the start: 0 steps, and the image as it came"
COUNTED = "the image is right, the number of steps is not: it is the number of updates made"
NO_L2 = ("the regulariser is missing, or has no gradient: subtract l2 * ||x||^2 from the score, of x itself and not of "
         "x.data or x.detach()")
L2_SIGN = "wrong sign of the regulariser: the objective is score MINUS l2 * ||x||^2"
L2_HALF = "a factor 2 is missing: the derivative of x^2 is 2 x"
L2_ROOT = "the regulariser is the SQUARED norm, the sum of x^2: no square root"
L2_MEAN = "the regulariser is the sum of x^2, not its mean"
L2_APART = "the regulariser belongs into the objective: the learning rate multiplies its gradient too"
UNIT = "the gradient is divided by its norm: here it is used as it is"
OTHER_SCALE = "the gradient is scaled, by its largest value or its spread, or to signs: here it is used as it is"
NO_RATE = "the learning rate is missing: multiply the gradient by it"


def check_8_2(answer):
    """return (image [1, 3, H, W], number of updates); one update is x + learning_rate * g / g.norm(), where g is the
    gradient of scores[0, target] at the current x"""
    network, images, _ = setting()
    expect_updates(answer, network, images[2:], network(images[2:]).argmin(1))
    expect_stop(answer)


def expect_updates(answer, network, image, target, rate=0.5):
    """One and two updates, on a network where the target is far away."""
    def gradient(x):
        return network.gradient(x, target)

    one = image + rate * unit(gradient(image))
    two = one + rate * unit(gradient(one))
    three = two + rate * unit(gradient(two))
    g, best = gradient(image), network.gradient(image, network(image).argmax(1))
    found, steps = fool(answer, image, target.item(), network, rate, 1)
    expect(found, one, [
        (one[0], BATCH_AXIS), (image, NO_STEP), (two, MORE), (image - rate * unit(g), DESCENT),
        (image + rate * g, NOT_UNIT), (image - rate * unit(best), AGAINST_BEST),
        *((image + rate * other, OTHER_UNIT)
          for other in (g.sign(), g / g.abs().max(), g / g.norm() ** 2, unit(g) / rate)),
        *((image + rate * unit(network.gradient(image, weights)), hint)
          for weights, hint in wrong_scores(network(image), target)),
    ])
    expect_steps(steps, 1)
    found, steps = fool(answer, image, target.item(), network, rate, 2)
    expect(found, two, [
        (one, FROM_START), (three, MORE), (one + rate * unit(g + gradient(one)), PILED_UP),
        (one + rate * unit(g), SAME_GRADIENT),
    ])
    expect_steps(steps, 2)


def expect_stop(answer):
    """Three orthonormal patterns as scores: 5 updates of length 0.5 along one overtake 2.2 times another."""
    patterns = torch.linalg.qr(normal(3 * 8 * 6, 3).cpu())[0].T.reshape(3, 3, 8, 6).to(device())
    network, image, pattern = Polynomial(patterns), 2.2 * patterns[:1], patterns[1:2]
    found, steps = fool(answer, image, 1, network, 0.5, 20)
    expect(found, image + 5 * 0.5 * pattern, [
        (image + 20 * 0.5 * pattern, NO_STOP), (image + 6 * 0.5 * pattern, STOP_LATE),
    ])
    expect_steps(steps, 5)
    found, steps = fool(answer, image, 0, network, 0.5, 20)
    further = [(image + updates * 0.5 * patterns[:1], AT_ONCE) for updates in (1, 20)]
    expect(found, image, further)
    expect_steps(steps, 0)


def fool(answer, image, target, network, rate, max_steps):
    """The two things that the answer returns. Its network ends a loop that would run on for ever."""
    calls, enough = count(1), 3 * max_steps + 5  # the class may be looked at before and after each update

    def watch(*_):
        if next(calls) > enough:
            raise Wrong(f"at most {max_steps} updates", f"more than {enough} calls of the network", ENDLESS)

    with network.register_forward_pre_hook(watch):
        result = run(answer, image, target, network, rate, max_steps)
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise Wrong("(image, number of steps)", describe(result), PAIR)
    if isinstance(result[0], int):
        raise Wrong("(image, number of steps)", f"first {describe(result[0])}", PAIR_SWAPPED)
    return result


def expect_steps(steps, expected):
    if steps != expected:
        raise Wrong(f"{expected} steps", describe(steps), COUNTED)


def check_8_3(answer):
    """the result is [1, 3, H, W]: x + learning_rate * (d score / d x - 2 * l2 * x)"""
    network, images, labels = setting()
    x, target, rate, l2 = images[:1], labels[:1], 0.7, 0.5
    found = run(answer, x, target.item(), network, rate, l2)
    g = network.gradient(x, target)
    uphill = g - 2 * l2 * x
    wrong_steps = [
        (g, NO_L2), (g + 2 * l2 * x, L2_SIGN), (g - l2 * x, L2_HALF), (g - l2 * unit(x), L2_ROOT),
        (g - 2 * l2 * x / x.numel(), L2_MEAN), (g - 2 * l2 * x / rate, L2_APART),
        (-uphill, DESCENT), (-g - 2 * l2 * x, DESCENT), (-g, DESCENT),
        *((unit(one), UNIT) for one in (uphill, g, -uphill)), (unit(g) - 2 * l2 * x, UNIT),
        (unit(g) - 2 * l2 * x / rate, UNIT), (unit(g) - l2 * x, UNIT), (unit(g) - 2 * l2 * unit(x), UNIT),
        *((scaled, OTHER_SCALE) for one in (uphill, g)
          for scaled in (one.sign(), one / one.abs().max(), one / one.std(), one / one.abs().mean(), unit(one) / rate)),
        (uphill / rate, NO_RATE), (0 * x, NO_STEP),
        *((network.gradient(x, weights) - 2 * l2 * x, hint)
          for weights, hint in wrong_scores(network(x), target)),
    ]
    expect(found, x + rate * uphill, [
        ((x + rate * uphill)[0], BATCH_AXIS), *((x + rate * step, hint) for step, hint in wrong_steps),
    ])
