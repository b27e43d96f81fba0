"""Exercises 8.7 and 8.8: changes of bounded size."""

import torch

from ...runtime import device
from ..kit.compare import Wrong, compare, run, same
from ..kit.networks import normal
from .common import NO_STEP, SAME_GRADIENT, Polynomial, expect, one_hot, setting, unit

# What is said to the reader.
MINUS = "the loss goes down: an untargeted attack ADDS epsilon * sign, so that it goes up"
NO_SIGN = "the gradient itself is added: take its sign()"
NO_CLAMP = "some pixels leave [0, 1]: .clamp(0, 1)"
SCORE = "that is the gradient of the label's score: take the cross-entropy's, which looks at all classes"
TWO_SOFTMAX = "softmax twice: F.cross_entropy takes the scores, before softmax"
PREDICTED = "that is the loss for the predicted class: use the true labels"
NO_EPSILON = "the sign is not multiplied by epsilon"
ONLY_NOISE = "that is the perturbation alone: add it to the images"
EPSILON_0 = "epsilon 0 must give the images themselves"
RANDOM = "two calls differ: start at the images themselves, without a random start"
EPSILON_STEP = "each step has the size `step`, not epsilon"
ONE_STEP = "that is the result of only one step: go on from it, `steps` times in all"
NO_PROJECTION = "it leaves the ball: after each step, back to within epsilon of the ORIGINAL images"
AT_THE_END = "project after each step, not only at the end; clamp(0, 1) too"
STEP_BALL = "the radius of the ball is epsilon, not step"


def pixels():
    """Images float32 [3, 3, 8, 6] in [0, 1], some of whose pixels are black or white."""
    return (0.5 + 0.4 * normal(3, 3, 8, 6)).clamp(0, 1)


def loss_gradient(network, images, labels):
    """d cross-entropy / d x, summed over the images: the scores' gradients weighted by softmax - one-hot."""
    return network.gradient(images, network(images).softmax(dim=1) - one_hot(labels, network))


def wrong_directions(network, images, labels):
    """(direction, hint): what is added instead of the sign of the loss' gradient."""
    gradient, score = loss_gradient(network, images, labels), network.gradient(images, labels)
    probabilities = network(images).softmax(dim=1)
    pull = probabilities.softmax(dim=1) - one_hot(labels, network)
    twice = probabilities * (pull - (probabilities * pull).sum(1, keepdim=True))  # softmax's Jacobian
    yield -gradient.sign(), MINUS
    for other in (gradient, gradient / len(images), unit(gradient), -gradient):
        yield other, NO_SIGN
    yield from ((score.sign(), SCORE), (-score.sign(), SCORE))
    yield network.gradient(images, twice).sign(), TWO_SOFTMAX
    yield loss_gradient(network, images, network(images).argmax(1)).sign(), PREDICTED


def check_8_7(answer, epsilon=0.1):
    """the result is [N, 3, H, W]: (x + epsilon * sign(d cross-entropy / d x)).clamp(0, 1)"""
    network, _, labels = setting()
    images = pixels()
    found = run(answer, images, labels, network, epsilon)
    sign = loss_gradient(network, images, labels).sign()
    expect(found, (images + epsilon * sign).clamp(0, 1), [
        (images + epsilon * sign, NO_CLAMP),
        ((images + sign).clamp(0, 1), NO_EPSILON), (images + sign, NO_EPSILON),
        (epsilon * sign, ONLY_NOISE), ((epsilon * sign).clamp(0, 1), ONLY_NOISE), (images, NO_STEP),
        *with_clamp(images, epsilon, wrong_directions(network, images, labels)),
    ])
    compare(run(answer, images, labels, network, 0.0), images, hints=[EPSILON_0])


def with_clamp(images, size, directions):
    """(images moved along the directions, hint), with and without the clamp."""
    for direction, hint in directions:
        moved = images + size * direction
        yield from ((moved.clamp(0, 1), hint), (moved, hint))


def check_8_8(answer, epsilon=0.1, step=0.07):
    """one step: x + step * sign(gradient at x), brought back to within epsilon of the original images, then clamp(0,
    1)"""
    network, _, labels = setting(scale=0.5)  # curved enough for the signs to change on the way
    images = pixels()
    expect_one_step(answer, images, labels, network, epsilon, step)
    sign = loss_gradient(network, images, labels).sign()
    one = (images + step * sign).clamp(0, 1)
    moved = one + step * loss_gradient(network, one, labels).sign()
    beyond = images + step * sign
    beyond = beyond + step * loss_gradient(network, beyond, labels).sign()
    expect(run(answer, images, labels, network, epsilon, step, 2), inside(moved, images, epsilon), [
        (one, ONE_STEP), (moved.clamp(0, 1), NO_PROJECTION), (inside(moved, images, step), STEP_BALL),
        (inside(images + 2 * step * sign, images, epsilon), SAME_GRADIENT),
        (inside(beyond, images, epsilon), AT_THE_END),
    ])
    expect_projections(answer, images, labels, network)
    expect_many_steps(answer, images, epsilon)


def inside(moved, images, epsilon):
    """The nearest point of the ball around the images and of [0, 1]."""
    return moved.clamp((images - epsilon).clamp_min(0), (images + epsilon).clamp_max(1))


def expect_one_step(answer, images, labels, network, epsilon, step):
    found, again = (run(answer, images, labels, network, epsilon, step, 1) for _ in range(2))
    if isinstance(found, torch.Tensor) and not same(again, found):
        raise Wrong("the same images from two calls", "different images", RANDOM)
    sign = loss_gradient(network, images, labels).sign()
    moved = images + step * sign
    expect(found, moved.clamp(0, 1), [
        (moved, NO_CLAMP), ((images + epsilon * sign).clamp(0, 1), EPSILON_STEP), (images, NO_STEP),
        *with_clamp(images, step, wrong_directions(network, images, labels)),
    ])


def expect_projections(answer, images, labels, network, epsilon=0.2, step=0.18, steps=3):
    """The second step leaves the ball: outside, the third one meets other signs."""
    expected, outside, beyond = images, images, images
    for _ in range(steps):
        expected = inside(expected + step * loss_gradient(network, expected, labels).sign(), images, epsilon)
        outside = (outside + step * loss_gradient(network, outside, labels).sign()).clamp(0, 1)
        beyond = beyond + step * loss_gradient(network, beyond, labels).sign()
    expect(run(answer, images, labels, network, epsilon, step, steps), expected, [
        (inside(outside, images, epsilon), AT_THE_END), (inside(beyond, images, epsilon), AT_THE_END),
    ])


def expect_many_steps(answer, images, epsilon, step=0.03, steps=6):
    """Two classes, scores linear in x: the loss always grows along the sign of the difference of the two."""
    templates = normal(2, 3, 8, 6, seed=4)
    labels = torch.tensor([0, 1, 1], device=device())
    sign = (templates[1 - labels] - templates[labels]).sign()
    found = run(answer, images, labels, Polynomial(0.2 * templates), epsilon, step, steps)
    expect(found, (images + epsilon * sign).clamp(0, 1))
