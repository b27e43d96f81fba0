"""Exercises 13.5 and 13.6: a step of a classifier and an epoch of steps, recomputed in float64."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe, run, same
from ..kit.draws import FIXED, GLOBAL, drawn
from ..kit.networks import normal
from ..kit.steps import ATTACHED, LEFT_OVER, RATE, Watched, expect_step, weights

# What is said to the reader.

# 13.5
UNREACHED = "no gradient is computed: loss.backward(), then optimiser.step()"
SOFTMAX = "softmax comes twice: F.cross_entropy takes the scores as they are"
NO_LOG = "F.nll_loss wants ln softmax of the scores: F.cross_entropy takes the scores as they are"
SQUARES = "that is the squared error: the loss is F.cross_entropy(scores, y)"
SUM = "that is a sum over the images: take the mean"
SIGN = "the sign is wrong: the loss is minimised as it is"
NO_SMOOTHING = "label_smoothing is not used: F.cross_entropy(scores, y, label_smoothing=label_smoothing)"
FIXED_SMOOTHING = "label_smoothing is an argument, 0 by default; here it is another number"

# 13.6
RAW = "the network gets pixels from 0 to 255: tp13.scaled brings them to [−1, 1]"
SHARE = "the network gets pixels in [0, 1]: tp13.scaled brings them to [−1, 1]"
INPUT = "the network gets something else than some of the images in [−1, 1], float32: tp13.scaled(images[…])"
TRAIN = "the network comes in eval mode, and learns in train mode: network.train()"
DROPPED = "the last batch is missing: it has fewer images, and they count too"
SIZES = "the batches have other sizes: batch_size images in each, and those that are left in the last one"
REPEATED = "some images come twice: each image once, in an order from torch.randperm"
MISSING = "some images never come: all N, batch after batch"
MORE = "that is more than one epoch: each image once"
NO_SHUFFLE = "the images come in the order in which they are given: draw another one, torch.randperm(N, …)"
ONLY_BATCHES = "the batches are shuffled, the images in them are always the same: shuffle the images, then make batches"
LABELS = "the labels do not go with the images: the same indices for both, images[chosen] and labels[chosen]"
UNTRAINED = "the network has not learnt: each batch needs an update, classifier_step(network, x, y, optimiser)"
UPDATES = "the network has learnt something else: one classifier_step for each batch, with the optimiser that is given"
A_LIST = "return the list of the losses, one for each step"
COUNT = "one loss for each step: {expected} of them, not {found}"
LOSSES = "return the losses that classifier_step gives, one for each step, in order"

IMAGES, CLASSES, BATCH = 23, 4, 5


def classifier():
    """A network, always the same, whose scores differ from image to image."""
    network = Watched(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, CLASSES))
    for k, weight in enumerate(network.parameters()):
        weight.data = 0.6 * normal(*weight.shape, seed=k).cpu()
    return network.to(device())


def some_labels(count):
    """Labels int64 [count], in no order."""
    return (torch.arange(count) * 7 % 5 % CLASSES).to(device())


# ---- 13.5


def check_13_5(answer):
    """loss = F.cross_entropy(network(x), y, label_smoothing=label_smoothing); optimiser.zero_grad(); loss.backward();
    optimiser.step(); return loss.detach()"""
    expect_classifier_step(answer, 0.0, FIXED_SMOOTHING)
    expect_classifier_step(answer, 0.3, NO_SMOOTHING, label_smoothing=0.3)


def expect_classifier_step(answer, smoothing, hint, **named):
    """Raise Wrong unless the answer is a step with that label smoothing. hint: what is said of another smoothing"""
    def make():
        return SimpleNamespace(network=classifier(), x=normal(6, 1, 3, 4), y=some_labels(6))

    def step(stage, optimiser):
        return run(answer, stage.network, stage.x, stage.y, optimiser, **named)

    def loss(scores, y, label_smoothing=smoothing):
        return F.cross_entropy(scores, y, label_smoothing=label_smoothing)

    expect_step(step, make, "network", lambda stage: (stage.network(stage.x), stage.y), loss, [
        *((lambda scores, y, other=other: loss(scores, y, other), hint) for other in (0.0, 0.1) if other != smoothing),
        (lambda scores, y: loss(scores.softmax(1), y), SOFTMAX),
        (F.nll_loss, NO_LOG), (lambda scores, y: F.nll_loss(scores.softmax(1), y), NO_LOG),
        (lambda scores, y: F.mse_loss(scores, ones(y)), SQUARES),
        (lambda scores, y: F.mse_loss(scores.softmax(1), ones(y)), SQUARES),
        (lambda scores, y: len(y) * loss(scores, y), SUM), (lambda scores, y: -loss(scores, y), SIGN),
    ], UNREACHED)


def ones(y):
    """One-hot vectors float64 [n, CLASSES]."""
    return F.one_hot(y, CLASSES).double()


# ---- 13.6


def check_13_6(answer):
    """network.train(); for chosen in torch.randperm(len(images), generator=generator).split(batch_size):
    losses.append(classifier_step(network, tp13.scaled(images[chosen]), labels[chosen], optimiser)); return losses"""
    images, labels, generator = all_different(), some_labels(IMAGES), drawn(1)
    network = classifier()
    found, order = epoch(answer, network, images, labels, generator)
    expect_learnt(found, network, order, images, labels)
    expect_shuffled(order)
    again, other, following = (epoch(answer, classifier(), images, labels, one)[1]
                               for one in (drawn(1), drawn(2), generator))
    if not torch.equal(order, again):
        raise Wrong("the same order from two generators with the same seed", "others", GLOBAL)
    if torch.equal(order, other) or torch.equal(order, following):
        raise Wrong("another order in another epoch", "the same", FIXED)


def all_different():
    """Images uint8 [IMAGES, 1, 3, 4], no two of them alike."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (IMAGES, 1, 3, 4), generator=generator, dtype=torch.uint8).to(device())


def epoch(answer, network, images, labels, generator):
    """(what the answer returned, the indices int64 [IMAGES] of the images in the order in which the network got them).

    Raises Wrong unless each image came once, in batches of the right sizes, in train mode.
    """
    network.zero_grad()
    optimiser = torch.optim.SGD(network.eval().parameters(), RATE)
    try:
        found = run(answer, network, images, labels, optimiser, BATCH, generator)
    except RuntimeError:  # a network takes no uint8
        if network.seen and network.seen[-1][0][0].dtype == torch.uint8:
            raise Wrong("float32 in [−1, 1]", describe(network.seen[-1][0][0]), RAW) from None
        raise
    if not network.seen:
        raise Wrong("an update for each batch", "a network that was not called", UNTRAINED)
    order = torch.cat([which(x, images) for (x,), _ in network.seen])
    sizes = [len(x) for (x,), _ in network.seen]
    right = [BATCH] * (IMAGES // BATCH) + [IMAGES % BATCH]
    if sizes != right:
        raise Wrong(f"batches of {right} images", f"of {sizes}", size_hint(sizes, right))
    if len(order.unique()) < IMAGES:
        raise Wrong("each image once", f"{len(order.unique())} of {IMAGES} images", REPEATED)
    if not all(training for _, training in network.seen):
        raise Wrong("the network in train mode", "in eval mode", TRAIN)
    return found, order


def size_hint(sizes, right):
    """What is said of batches of other sizes."""
    if sizes == right[:-1]:
        return DROPPED
    if sum(sizes) != IMAGES:
        return MORE if sum(sizes) > IMAGES else MISSING
    return ONLY_BATCHES if sorted(sizes) == sorted(right) else SIZES


def which(x, images):
    """The indices int64 [n] of the images that a network was given; Wrong where they are none in [−1, 1]."""
    pixels = images.flatten(1).cpu().double()
    given = x.flatten(1).cpu().double()
    if given.shape[1:] != pixels.shape[1:]:
        raise Wrong("images [n, 1, 3, 4]", describe(x), INPUT)
    for known, hint in ((pixels / 127.5 - 1, None), (pixels / 255, SHARE), (pixels, RAW)):
        distances, found = (given[:, None] - known).abs().amax(2).min(1)
        if (distances < 1e-4).all():
            if hint:
                raise Wrong("float32 in [−1, 1]", describe(x), hint)
            return found
    raise Wrong("images in [−1, 1]", describe(x), INPUT)


def expect_shuffled(order):
    """Raise Wrong if the images came as they are given, or in batches that are always the same."""
    if torch.equal(order, torch.arange(IMAGES)):
        raise Wrong("an order that is drawn", "that of the images", NO_SHUFFLE)
    if all((part.diff() == 1).all() for part in order.split(BATCH)):
        raise Wrong("images in an order that is drawn", "batches of neighbours", ONLY_BATCHES)


def expect_learnt(found, network, order, images, labels):
    """Raise Wrong unless each batch brought one update with its own labels, and its loss is in what was returned."""
    start, places = weights(classifier()), torch.arange(IMAGES)
    moved = weights(network) - start
    losses, right = learnt(order, order, images, labels)
    if not moved.any():
        raise Wrong("other weights after an epoch", "the same", UNTRAINED)
    if not same(moved, right - start, 1e-3):
        mistakes = [(learnt(order, places, images, labels)[1], LABELS),
                    (learnt(order, order, images, labels, clear=False)[1], LEFT_OVER)]
        hint = next((hint for value, hint in mistakes if same(moved, value - start, 1e-3)), UPDATES)
        raise Wrong("an update for each batch", "another one", hint)
    expect_losses(found, losses)


def learnt(order, labelled, images, labels, clear=True):
    """(losses float64 [steps], weights) of a network that learns from the images in that order, on the CPU.

    labelled: the indices of the labels that are taken;  clear: whether each step forgets the gradient of the last one
    """
    network, losses = classifier().layers.cpu().double(), []
    network.zero_grad()
    optimiser = torch.optim.SGD(network.parameters(), RATE)
    for chosen, of in zip(order.split(BATCH), labelled.split(BATCH), strict=True):
        loss = F.cross_entropy(network(images.cpu()[chosen].double() / 127.5 - 1), labels.cpu()[of])
        if clear:
            optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.detach())
    return torch.stack(losses), weights(network)


def expect_losses(found, losses):
    """Raise Wrong unless the losses of the steps were returned, one by one, without their graphs."""
    if found is None:
        raise Wrong("a list of losses", "None", NO_RETURN)
    if not isinstance(found, list | tuple) and not (isinstance(found, torch.Tensor) and found.ndim == 1):
        raise Wrong(f"a list of {len(losses)} losses", describe(found), A_LIST)
    if not all(isinstance(loss, int | float) or (isinstance(loss, torch.Tensor) and loss.numel() == 1)
               for loss in found):
        raise Wrong(f"a list of {len(losses)} losses", describe(found[0]), A_LIST)
    if len(found) != len(losses):
        raise Wrong(f"{len(losses)} losses", f"{len(found)}", COUNT.format(expected=len(losses), found=len(found)))
    if any(isinstance(loss, torch.Tensor) and loss.requires_grad for loss in found):
        raise Wrong("losses without gradient", "requires_grad=True", ATTACHED)
    compare(torch.tensor([float(loss) for loss in found]), losses.float(), hints=[LOSSES])
