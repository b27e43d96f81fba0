"""Exercises 9.8 and 9.9: two small players, and their copies in float64."""

import copy

import torch
from torch import nn
from torch.nn.utils import parameters_to_vector

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, expect_unchanged, run, same
from ..kit.losses import WRONG_D, WRONG_G, loss_of_D, loss_of_G
from ..kit.networks import normal

# What is said to the reader.
OTHER_MOVED = {
    "9.8": "G's weights have moved: only optimiser_D makes a step here",
    "9.9": "D's weights have moved: only optimiser_G makes a step here",
}
DETACH = "the gradient went through to G: detach its images, D(fake.detach()), or make them under torch.no_grad()"
CLEARED = "G's gradients were there before and have changed: neither backward() nor zero_grad() may reach G here"
NEW_Z = "G did not get the z that was given: use it, do not draw a new one"
EVAL = "a network ran in eval mode: both play in train mode, as they come, so leave their mode alone"
ONE_BATCH = "D sees real and generated images in one batch, and its batch norm would mix them: call D twice"
AFTER = "that is the loss after the update: return the one that was differentiated"
LEFT_OVER = "the gradient that was left over from before is still in it: zero_grad() before backward()"
CLEARED_LATE = "there was a gradient, but no step: zero_grad() comes before backward(), then step(); is one missing?"
UNREACHED = {
    "9.8": "no gradient is computed: call backward() on the loss, then the optimiser's step()",
    "9.9": "no gradient reaches G: do not detach G(z) here, D's answer must go back through D to G by backward()",
}
ASCENT = "the step goes uphill: minimise the loss, without a minus sign before it"
PART = "the loss is right, but the step is that of another one: "
STEPS = "the update is not that of one step of the optimiser: call step() once, and zero_grad() before each backward()"
RESTORE = "requires_grad of some weights is not what it was: turn it on again before you return"
MODE = "a network is left in another mode: leave train() and eval() alone"
ATTACHED = "the value is right, but the loss still carries its graph, which keeps memory: .detach() it"
NUMBER = "return the loss as a tensor: loss.detach(), not loss.item()"

BATCH, LEFT, RATE = 6, 50.0, 0.1  # images, the gradient that is left over, the learning rate


class Player(nn.Module):
    """A small network that remembers what it was given, and in which mode."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = nn.Sequential(*layers)
        self.seen = []

    def forward(self, x):
        self.seen.append((x.detach().clone(), self.training))
        return self.layers(x)


def game():
    """(D without batch norm, G with it, x, z) on the device, in train mode, with gradients left over."""
    torch.manual_seed(2)  # no gradient so small that Adam would amplify its rounding
    D = Player(nn.Flatten(), nn.Linear(12, 6), nn.Tanh(), nn.Linear(6, 1), nn.Flatten(0))
    G = Player(nn.Flatten(), nn.Linear(4, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 12), nn.Tanh(),
               nn.Unflatten(1, (1, 3, 4)))
    nn.init.normal_(D.layers[3].weight)  # logits that differ from image to image
    for player in (D, G):
        for parameter in player.to(device()).parameters():
            parameter.grad = torch.full_like(parameter, LEFT)
    return D, G, normal(BATCH, 1, 3, 4), normal(BATCH, 4, 1, 1, seed=1)


def twins_of(*networks):
    """Copies of networks in float64 on the CPU."""
    return [copy.deepcopy(network).cpu().double().requires_grad_() for network in networks]


def weights(network):
    return parameters_to_vector(network.parameters()).detach().cpu().double()


def gradient(loss, network):
    """d loss / d weights, as one vector."""
    return parameters_to_vector(torch.autograd.grad(loss, list(network.parameters()), retain_graph=True))


def check_9_8(answer):
    """fake = G(z).detach(); loss = discriminator_loss(D(x), D(fake)); then zero_grad(), backward(), step(), and return
    loss.detach()"""
    def losses(D, G, x, z, *functions):
        real, fake = D(x.cpu().double()), D(G(z.cpu().double()).detach())
        return [function(real, fake) for function in functions]

    expect_step("9.8", answer, losses, loss_of_D, WRONG_D)
    D, G, x, z = game()  # the gradients of G are None this time
    G.zero_grad()
    run(answer, D, G, x, z, torch.optim.SGD(D.parameters(), RATE))
    if any(parameter.grad is not None for parameter in G.parameters()):
        raise Wrong("no gradient in G", "a gradient in G", DETACH)


def check_9_9(answer):
    """loss = generator_loss(D(G(z))), nothing detached; then zero_grad(), backward(), step(), and return
    loss.detach()"""
    def losses(D, G, x, z, *functions):
        fake = D(G(z.cpu().double()))
        return [function(fake) for function in functions]

    expect_step("9.9", lambda D, G, x, z, optimiser: answer(D, G, z, optimiser), losses, loss_of_G, WRONG_G)


def expect_step(exercise, answer, losses, loss, wrong_losses):
    """One step of SGD, then two of Adam.

    losses:  (D, G, x, z, *functions of the logits) → their values on copies in float64
    """
    D, G, x, z = game()
    twins, inputs, reached = twins_of(D, G), (x.clone(), z.clone()), []
    mine, other = (D, G) if exercise == "9.8" else (G, D)
    twin, name = (twins[0], "D") if exercise == "9.8" else (twins[1], "G")
    before = weights(mine), weights(other)
    for parameter in mine.parameters():
        parameter.register_hook(lambda gradient: reached.append(True))
    found = run(answer, D, G, x, z, torch.optim.SGD(mine.parameters(), RATE))
    for one, left, what in zip(inputs, (x, z), "xz", strict=True):
        expect_unchanged(one, left, what)
    expect_other_untouched(exercise, other, before[1])

    right, *wrong = losses(*twins, x, z, loss, *(one for one, _ in wrong_losses))
    hints = [hint for _, hint in wrong_losses]
    slope = gradient(right, twin).float()
    expect_value(exercise, found, right, [
        *misused(found, D, G, z), *zip(wrong, hints, strict=True),
        *after_update(losses, D, G, x, z, loss),
    ])
    step = ((before[0] - weights(mine)) / RATE).float()
    try:
        compare(step, slope, [
            (0 * slope, CLEARED_LATE if reached else UNREACHED[exercise]),
            *((LEFT + factor * slope, LEFT_OVER) for factor in (1, 0, -1)),
            (-slope, ASCENT), (2 * slope, STEPS),
            *((gradient(one, twin), PART + hint) for one, hint in zip(wrong, hints, strict=True)),
        ], [STEPS], 1e-3)
    except Wrong as mistake:
        raise Wrong(f"a step of {name} along {mistake.expected}", mistake.found, *mistake.hints) from None
    expect_as_before(exercise, D, G)
    expect_adam(exercise, answer, losses, loss)


def expect_other_untouched(exercise, other, before):
    if not torch.equal(weights(other), before):
        name = "G" if exercise == "9.8" else "D"
        raise Wrong(f"{name}'s weights as before", "other weights", OTHER_MOVED[exercise])
    if exercise == "9.8":
        gradients = [parameter.grad for parameter in other.parameters()]
        if any(one is None or not one.any() for one in gradients):
            raise Wrong("G's gradients as before", "no gradients", CLEARED)
        if any((one != LEFT).any() for one in gradients):
            raise Wrong("G's gradients as before", "other gradients", DETACH)


def misused(found, D, G, z):
    """(what was found, hint) if a network was used in a way that explains any number."""
    if not all(training for player in (D, G) for _, training in player.seen):
        yield found, EVAL
    if any(given.numel() != z.numel() or not same(given.flatten(), z.flatten()) for given, _ in G.seen):
        yield found, NEW_Z


def after_update(losses, D, G, x, z, loss):
    """The loss of the networks as they are after the step."""
    return [(value, AFTER) for value in losses(*twins_of(D, G), x, z, loss)]


def expect_value(exercise, found, right, mistakes):
    if isinstance(found, float):
        raise Wrong("a tensor", describe(found), NUMBER)
    compare(found, right.float(), mistakes, dtype=torch.float32)
    if found.requires_grad:
        raise Wrong("a loss without gradient", "requires_grad=True", ATTACHED)


def expect_as_before(exercise, D, G):
    """Batches, modes and requires_grad of both players, at the end and during the step."""
    if any(len(given) > BATCH for given, _ in D.seen):
        raise Wrong("x and G(z) as two batches", "D called with both together", ONE_BATCH)
    if not all(parameter.requires_grad for player in (D, G) for parameter in player.parameters()):
        raise Wrong("requires_grad=True, as before", "requires_grad=False", RESTORE)
    if not all(training for player in (D, G) for _, training in player.seen):
        raise Wrong("networks in train mode", "a network in eval mode", EVAL)
    if not all(module.training for player in (D, G) for module in player.modules()):
        raise Wrong("networks in train mode, as before", "a network in eval mode", MODE)


def expect_adam(exercise, answer, losses, loss, rate=0.01):
    """Two steps in a row: the second one must not contain the first one's gradient."""
    D, G, x, z = game()
    twins = twins_of(D, G)
    mine, twin = (D, twins[0]) if exercise == "9.8" else (G, twins[1])
    options = {"lr": rate, "betas": (0.5, 0.999)}
    optimiser, exact_optimiser = (torch.optim.Adam(player.parameters(), **options) for player in (mine, twin))
    start = weights(mine)
    for number in (1, 2):
        run(answer, D, G, x, z, optimiser)
        exact_optimiser.zero_grad()
        losses(*twins, x, z, loss)[0].backward()
        exact_optimiser.step()
        if not same(weights(mine) - start, weights(twin) - start, 1e-2):
            raise Wrong(f"the weights after {number} step(s) of Adam", "other weights", STEPS)
