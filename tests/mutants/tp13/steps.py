"""Answers to the exercises 13.5 and 13.6."""

import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader, TensorDataset

from tp_utils import tp13

# ---- 13.5


def step(loss_of=None, order=("zero", "backward", "step"), result=lambda loss: loss.detach(), mode=None, factor=1,
         smoothed=True, times=1):
    """A step with one thing changed. order: what is done, in turn;  factor: of the loss that is differentiated"""
    def classifier_step(network, x, y, optimiser, label_smoothing=0.0):
        smoothing = {"label_smoothing": label_smoothing} if smoothed else {}
        if mode is not None:
            network.train(mode)
        for _ in range(times):
            loss = loss_of(network(x), y, **smoothing) if loss_of else F.cross_entropy(network(x), y, **smoothing)
            do = {"zero": optimiser.zero_grad, "backward": lambda loss=loss: (factor * loss).backward(),
                  "step": optimiser.step}
            for what in order:
                do[what]()
        return result(loss)

    return classifier_step


def in_eval_mode(network, x, y, optimiser, label_smoothing=0.0):
    network.eval()
    loss = step()(network, x, y, optimiser, label_smoothing)
    network.train()
    return loss


def by_log_softmax(network, x, y, optimiser, label_smoothing=0.0):
    """Right: by hand."""
    optimiser.zero_grad()
    logs = network(x).log_softmax(1)
    told = logs[torch.arange(len(y)), y]
    loss = -((1 - label_smoothing) * told + label_smoothing * logs.mean(1)).mean()
    loss.backward()
    optimiser.step()
    return loss.data


def with_a_criterion(network, x, y, optimiser, label_smoothing=0.0):
    """Right: nn.CrossEntropyLoss, gradients set to None by hand."""
    for weight in network.parameters():
        weight.grad = None
    loss = nn.CrossEntropyLoss(label_smoothing=label_smoothing)(network(x), y)
    gradients = torch.autograd.grad(loss, list(network.parameters()))
    for weight, gradient in zip(network.parameters(), gradients, strict=True):
        weight.grad = gradient
    optimiser.step()
    return loss.clone().detach()


def by_hand(network, x, y, optimiser, label_smoothing=0.0):
    """Plain descent whatever the optimiser."""
    loss = F.cross_entropy(network(x), y, label_smoothing=label_smoothing)
    optimiser.zero_grad()
    loss.backward()
    with torch.no_grad():
        for weight in network.parameters():
            weight -= optimiser.param_groups[0]["lr"] * weight.grad
    return loss.detach()


def own_optimiser(network, x, y, optimiser, label_smoothing=0.0):
    return step()(network, x, y, torch.optim.SGD(network.parameters(), 0.1), label_smoothing)


def loss_of_afterwards(network, x, y, optimiser, label_smoothing=0.0):
    step()(network, x, y, optimiser, label_smoothing)
    return F.cross_entropy(network(x), y, label_smoothing=label_smoothing).detach()


def in_place(network, x, y, optimiser, label_smoothing=0.0):
    return step()(network, x.mul_(0.5), y, optimiser, label_smoothing)


cleared_last = step(order=("backward", "step", "zero"))  # right in a loop, but the first step has what was there before


def squares(scores, y, **_):
    return F.mse_loss(scores, F.one_hot(y, scores.shape[1]).float())


# ---- 13.6


def shuffled(images, batch_size, generator):
    return torch.randperm(len(images), generator=generator).split(batch_size)


def epoch(order=shuffled, convert=tp13.scaled, update=None, mode=True, labelled=lambda chosen, labels: labels[chosen],
          result=lambda losses: losses, repeat=1):
    """An epoch with one thing changed."""
    update = update or step()

    def train_epoch(network, images, labels, optimiser, batch_size, generator):
        losses, at = [], 0
        if mode is not None:
            network.train(mode)
        for _ in range(repeat):
            for chosen in order(images, batch_size, generator):
                y = labelled(chosen, labels) if labelled else labels[at:at + len(chosen)]
                losses.append(update(network, convert(images[chosen]), y, optimiser))
                at += len(chosen)
        return result(losses)

    return train_epoch


def with_a_loader(network, images, labels, optimiser, batch_size, generator):
    """Right: torch's own loader, an update without classifier_step, floats."""
    network.train()
    losses = []
    for x, y in DataLoader(TensorDataset(images, labels), batch_size, shuffle=True, generator=generator):
        optimiser.zero_grad()
        loss = F.cross_entropy(network(x.float() / 127.5 - 1), y)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


def by_slices(network, images, labels, optimiser, batch_size, generator):
    """Right: all images converted and sorted by random numbers first, then slices."""
    order = torch.rand(len(images), generator=generator).argsort().to(images.device)
    x, y, losses = (images.float() / 255 * 2 - 1)[order], labels[order], []
    for first in range(0, len(x), batch_size):
        batch = slice(first, first + batch_size)
        losses += [step()(network.train(), x[batch], y[batch], optimiser)]
    return torch.stack(losses)


def in_order(images, batch_size, generator):
    return torch.arange(len(images)).split(batch_size)


def of_whole_batches(images, batch_size, generator):
    batches = in_order(images, batch_size, generator)
    return [batches[k] for k in torch.randperm(len(batches), generator=generator)]


def with_replacement(images, batch_size, generator):
    return torch.randint(len(images), (len(images),), generator=generator).split(batch_size)


def seeded(images, batch_size, generator):
    return shuffled(images, batch_size, torch.Generator().manual_seed(0))


def seeded_by_the_generator(images, batch_size, generator):
    return shuffled(images, batch_size, torch.Generator().manual_seed(generator.initial_seed()))


def full_batches(images, batch_size, generator):
    return [chosen for chosen in shuffled(images, batch_size, generator) if len(chosen) == batch_size]


def steps_of_whole_division(images, batch_size, generator):
    order = torch.randperm(len(images), generator=generator)
    return [order[k * batch_size:(k + 1) * batch_size] for k in range(len(images) // batch_size)]


def shuffles_in_place(network, images, labels, optimiser, batch_size, generator):
    order = torch.randperm(len(images), generator=generator)
    images.copy_(images[order])
    labels.copy_(labels[order])
    return epoch(in_order)(network, images, labels, optimiser, batch_size, generator)


def only_looks(network, x, y, optimiser):
    return F.cross_entropy(network(x), y).detach()


RIGHT = {
    "13.5": [by_log_softmax, with_a_criterion, step(mode=True), step(result=lambda loss: loss.detach().clone())],
    "13.6": [with_a_loader, by_slices, epoch(update=by_log_softmax), epoch(update=cleared_last)],
}

MUTANTS = {
    "13.5": [
        (step(order=("backward", "step")), "left over from before"), (cleared_last, "left over from before"),
        (step(order=("backward", "zero", "step")), "zero_grad() comes before backward()"),
        (step(order=("zero", "backward")), "there was a gradient, but no step"),
        (step(order=("zero", "step", "backward")), "there was a gradient, but no step"),
        (step(order=("zero", "step")), "no gradient is computed"),
        (step(order=("zero", "backward", "step", "step")), "call step() once"),
        (step(times=2), "optimiser.step(); return loss.detach()"),
        (step(result=lambda loss: loss.item()), "not loss.item()"), (step(result=lambda loss: loss), "still carries"),
        (step(result=lambda loss: None), "is the `return` missing"), (in_eval_mode, "in eval mode"),
        (step(mode=False), "in eval mode"), (step(squares), "squared error"),
        (step(lambda scores, y, **how: F.cross_entropy(scores.softmax(1), y, **how)), "softmax comes twice"),
        (step(lambda scores, y, **how: F.cross_entropy(scores, y, reduction="sum", **how)), "take the mean"),
        (step(lambda scores, y, **how: F.cross_entropy(scores, y, **how) * len(y)), "take the mean"),
        (step(lambda scores, y, **_: F.nll_loss(scores, y)), "wants ln softmax"),
        (step(lambda scores, y, **how: -F.cross_entropy(scores, y, **how)), "sign is wrong"),
        (step(factor=-1), "uphill"), (step(factor=6), "sum over the images"), (step(smoothed=False), "is not used"),
        (step(lambda scores, y, **_: F.cross_entropy(scores, y, label_smoothing=0.1)), "0 by default"),
        (by_hand, "not that of one step"), (own_optimiser, "not that of one step"),
        (loss_of_afterwards, "the loss after the update"), (in_place, "changed by your function"),
    ],
    "13.6": [
        (epoch(in_order), "in the order in which they are given"),
        (epoch(of_whole_batches), "the batches are shuffled"), (epoch(full_batches), "the last batch is missing"),
        (epoch(steps_of_whole_division), "the last batch is missing"), (epoch(seeded), "do not seed"),
        (epoch(seeded_by_the_generator), "do not seed"),
        (epoch(lambda images, size, _: torch.randperm(len(images)).split(size)), "generator=generator"),
        (epoch(with_replacement), "some images come twice"), (epoch(repeat=2), "more than one epoch"),
        (epoch(lambda *how: shuffled(*how)[:1]), "some images never come"),
        (epoch(lambda images, _, g: shuffled(images, 1, g)), "other sizes"),
        (epoch(lambda images, _, g: shuffled(images, 64, g)), "other sizes"),
        (epoch(convert=lambda x: x), "pixels from 0 to 255"), (epoch(convert=lambda x: x.float()), "from 0 to 255"),
        (epoch(convert=lambda x: x.float() / 255), "pixels in [0, 1]"),
        (epoch(convert=lambda x: x.float() / 128), "something else than some of the images"),
        (epoch(labelled=None), "do not go with the images"), (epoch(mode=None), "in eval mode"),
        (epoch(mode=False), "in eval mode"), (epoch(update=only_looks), "has not learnt"),
        (epoch(update=step(order=("backward", "step"))), "left over from before"),
        (epoch(result=lambda losses: None), "is the `return` missing"),
        (epoch(update=step(times=2)), "more than one epoch"), (epoch(update=step(factor=3)), "learnt something else"),
        (epoch(update=step(result=lambda loss: loss)), "still carries its graph"),
        (epoch(result=lambda losses: sum(losses) / len(losses)), "return the list of the losses"),
        (epoch(result=lambda losses: [None] * 5), "return the list of the losses"),
        (epoch(result=lambda losses: losses[-1:]), "5 of them, not 1"),
        (epoch(result=lambda losses: losses[::-1]), "in order"), (shuffles_in_place, "changed by your function"),
    ],
}
