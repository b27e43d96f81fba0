"""How networks end: with logits, or with tanh; and what stands in their place by mistake."""

import torch
from torch.nn import functional as F

# What is said to the reader.
FLAT = "one logit per image, shape [N]: .flatten() or .view(-1)"
SQUEEZE = "a batch of one image loses its batch axis: .squeeze() removes too much, take .flatten() or .view(-1)"
BATCH_MEAN = "one number per image, no mean over the batch"
SIGMOID = "no sigmoid at the end: return logits, not probabilities, the sigmoid is part of the loss"
OTHER_END = "nothing comes after the logits, no activation behind the last layer: return any real number"
NO_TANH = "the last layer's values are not bounded: the last step is tanh, which brings them into [−1, 1]"
SIGMOID_G = "a sigmoid gives values in [0, 1]: the last step is tanh, not sigmoid, and gives [−1, 1]"
UNIT_RANGE = "that is tanh brought into [0, 1]: leave it in [−1, 1], like the images x"
CLAMP = "the values are cut off at −1 and 1: cutting has no gradient there, tanh has"
LAST_RELU = "no ReLU behind the last layer: tanh alone follows, it needs negative values too"


def wrong_logits(right):
    """(result, hint): what is made of the right logits [N] by mistake."""
    for shape in ((-1, 1), (-1, 1, 1), (-1, 1, 1, 1)):
        yield right.view(shape), FLAT
        yield right.view(shape).squeeze(), SQUEEZE
        yield right.sigmoid().view(shape), SIGMOID
    yield right.sigmoid(), SIGMOID
    yield F.logsigmoid(right), SIGMOID
    yield right.mean(), BATCH_MEAN
    for end in (torch.tanh, F.relu, *(lambda y, slope=slope: F.leaky_relu(y, slope) for slope in (0.2, 0.01))):
        yield end(right), OTHER_END


def wrong_images(last):
    """(images, hint): what is made of the last layer's output in place of tanh."""
    yield last, NO_TANH
    yield last.sigmoid(), SIGMOID_G
    yield (last.tanh() + 1) / 2, UNIT_RANGE
    yield last.clamp(-1, 1), CLAMP
    for slope in (0.0, 0.2, 0.01):
        yield F.leaky_relu(last, slope).tanh(), LAST_RELU
