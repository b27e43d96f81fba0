"""What checks of one training step share: networks that are watched, copies in float64, what a step must do.

A stage is a namespace of the networks and tensors that a step is given. Its copy in float64 is on the CPU: not every
device has float64.
"""

import copy
from types import SimpleNamespace

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from .compare import Wrong, compare, describe, same

# What is said to the reader.
OTHER_MOVED = "{name}'s weights have moved: this step is {learner}'s alone"
EVAL = "{name} ran in eval mode: a step leaves train() and eval() alone"
MODE = "{name} is left in another mode: a step leaves train() and eval() alone"
RESTORE = "requires_grad of some of {name}'s weights is not what it was: turn it on again before you return"
NUMBER = "return the loss as a tensor: loss.detach(), not loss.item()"
AFTER = "that is the loss after the update: return the one that was differentiated"
ATTACHED = "the value is right, but the loss still carries its graph, which keeps memory: .detach() it"
LEFT_OVER = "the gradient that was left over from before is still in it: zero_grad() before backward()"
CLEARED_LATE = "there was a gradient, but no step: zero_grad() comes before backward(), then step(); is one missing?"
ASCENT = "the step goes uphill: minimise the loss, without a minus sign before it"
PART = "the loss is right, but the step is that of another one: "
STEPS = "the update is not that of one step of the optimiser: call step() once, and zero_grad() before each backward()"

LEFT, RATE = 50.0, 0.1  # the gradient that is left over from before, the learning rate


class Watched(nn.Module):
    """A small network that remembers what it was given, and in which mode: seen, [([inputs], training)]."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.seen = []
        for weight in self.parameters():
            weight.grad = torch.full_like(weight, LEFT)

    def note(self, *inputs):
        self.seen.append(([one.detach().clone() for one in inputs], self.training))

    def forward(self, x):
        self.note(x)
        return self.layers(x)


def exact(thing):
    """A copy of a stage, a network, a tensor or a tuple of them, in float64 on the CPU; all weights can learn."""
    if isinstance(thing, SimpleNamespace):
        return SimpleNamespace(**{name: exact(part) for name, part in vars(thing).items()})
    if isinstance(thing, tuple):
        return tuple(map(exact, thing))
    if isinstance(thing, nn.Module):
        return copy.deepcopy(thing).cpu().double().requires_grad_()
    return thing.cpu().double() if thing.is_floating_point() else thing.cpu()


def networks(stage):
    """{name: network} of a stage."""
    return {name: part for name, part in vars(stage).items() if isinstance(part, nn.Module)}


def weights(network):
    """All weights as one vector, in float64 on the CPU."""
    return parameters_to_vector(network.parameters()).detach().cpu().double()


def gradient(loss, network):
    """d loss / d weights, as one vector."""
    return parameters_to_vector(torch.autograd.grad(loss, list(network.parameters()), retain_graph=True))


def expect_step(answer, make, learner, inputs, loss, wrong, unreached, mistakes=()):
    """Raise Wrong unless the answer makes one step of its optimiser and leaves all else as it was: SGD, then Adam.

    answer:     from (stage, an optimiser of the learner's weights) to what the student's function returns, by `run`
    make:       makes the stage, always the same, of Watched networks;  learner: the name of the one that learns
    inputs:     from a stage to what the losses are computed from, e.g. logits
    loss:       from these to the right loss;  wrong: [(from these to another loss, its hint)]
    unreached:  the hint where no gradient comes to the learner
    mistakes:   [(the loss in float64 that another mistake gives, its hint)]
    """
    stage, twin, reached = make(), exact(make()), []
    mine = getattr(stage, learner)
    for weight in mine.parameters():
        weight.register_hook(lambda gradient: reached.append(True))
    found = answer(stage, torch.optim.SGD(mine.parameters(), RATE))
    expect_left_alone(stage, make(), learner)

    terms = inputs(twin)
    right, others = loss(*terms), [(function(*terms), hint) for function, hint in wrong]
    expect_value(found, right, [*others, *mistakes, (loss(*inputs(exact(stage))), AFTER)])
    slope = gradient(right, getattr(twin, learner)).float()
    step = ((weights(getattr(twin, learner)) - weights(mine)) / RATE).float()
    try:
        compare(step, slope, [
            (0 * slope, CLEARED_LATE if reached else unreached),
            *((LEFT + factor * slope, LEFT_OVER) for factor in (1, 0, -1)),
            (-slope, ASCENT), (2 * slope, STEPS),
            *((gradient(one, getattr(twin, learner)), PART + hint) for one, hint in others),
        ], [STEPS], 1e-3)
    except Wrong as mistake:
        raise Wrong(f"a step of {learner} along {mistake.expected}", mistake.found, *mistake.hints) from None
    expect_as_before(stage)
    expect_adam(answer, make, learner, inputs, loss)


def expect_left_alone(stage, before, learner):
    """The weights of those that do not learn, and train mode while they all ran. before: the stage made anew."""
    for name, network in networks(stage).items():
        if name != learner and not torch.equal(weights(network), weights(getattr(before, name))):
            raise Wrong(f"{name}'s weights as before", "other weights", OTHER_MOVED.format(name=name, learner=learner))
        if not all(training for _, training in network.seen):
            raise Wrong(f"{name} in train mode", "eval mode", EVAL.format(name=name))


def expect_value(found, right, mistakes):
    """Raise Wrong unless a detached scalar tensor was returned that is the loss."""
    if isinstance(found, float):
        raise Wrong("a tensor", describe(found), NUMBER)
    compare(found, right.detach().float(), mistakes, dtype=torch.float32)
    if found.requires_grad:
        raise Wrong("a loss without gradient", "requires_grad=True", ATTACHED)


def expect_as_before(stage):
    """Raise Wrong unless all networks are as they came: trainable, and in train mode."""
    for name, network in networks(stage).items():
        if not all(weight.requires_grad for weight in network.parameters()):
            raise Wrong(f"{name} with requires_grad=True, as before", "requires_grad=False", RESTORE.format(name=name))
        if not all(module.training for module in network.modules()):
            raise Wrong(f"{name} in train mode, as before", "eval mode", MODE.format(name=name))


def expect_adam(answer, make, learner, inputs, loss, rate=0.01):
    """Two steps in a row: the second one must not contain the first one's gradient."""
    stage, twin = make(), exact(make())
    mine, other = getattr(stage, learner), getattr(twin, learner)
    optimiser, right = (torch.optim.Adam(one.parameters(), rate, betas=(0.5, 0.999)) for one in (mine, other))
    start = weights(other)
    for number in (1, 2):
        answer(stage, optimiser)
        right.zero_grad()
        loss(*inputs(twin)).backward()
        right.step()
        if not same(weights(mine) - start, weights(other) - start, 1e-2):
            raise Wrong(f"the weights after {number} step(s) of Adam", "other weights", STEPS)
