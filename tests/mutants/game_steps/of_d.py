"""Answers to the step of D."""

import torch
from torch.nn import functional as F

from .common import bce, both, by_hand, clear, freeze, make_step, nothing, ones, same, to_eval, zeros


def d_step(real=same, shown=torch.detach, loss=both, before=clear, back=torch.Tensor.backward, between=nothing,
           step=make_step, after=nothing, result=torch.detach, real_y=same, fake_y=same):
    """real, shown: what D sees of x and of fake;  real_y, fake_y: the labels beside them;  the rest in its order."""
    def discriminator_step(D, x, *rest):
        *y, fake, optimiser_D = rest
        before(optimiser_D, D)
        value = loss(D(real(x), *map(real_y, y)), D(shown(fake), *map(fake_y, y)))
        back(value)
        between(optimiser_D)
        step(optimiser_D)
        after(optimiser_D, D)
        return result(value)

    return discriminator_step


def d_step_in_two_halves(D, x, *rest):
    """As in PyTorch's tutorial."""
    *y, fake, optimiser_D = rest
    D.zero_grad()
    real = ones(D(x, *y).view(-1))
    real.backward()
    generated = zeros(D(fake.detach(), *y).view(-1))
    generated.backward()
    optimiser_D.step()
    return (real + generated).detach()


def d_step_of_its_weights(D, x, *rest):
    """No detach, but gradients of D's weights alone."""
    *y, fake, optimiser_D = rest
    loss = -F.logsigmoid(D(x, *y)).mean() - F.logsigmoid(-D(fake, *y)).mean()
    gradients = torch.autograd.grad(loss, list(D.parameters()))
    for weight, gradient in zip(D.parameters(), gradients, strict=True):
        weight.grad = gradient
    optimiser_D.step()
    optimiser_D.zero_grad()
    return loss.detach().clone()


def d_step_with_inputs(D, x, *rest):
    *y, fake, optimiser_D = rest
    optimiser_D.zero_grad(set_to_none=False)
    loss = both(D(x, *y), D(fake, *y))
    loss.backward(inputs=list(D.parameters()))
    optimiser_D.step()
    return loss.data


def d_step_shuffled(D, x, *rest):
    """Another order of the images, their labels with them."""
    *y, fake, optimiser_D = rest
    order = torch.randperm(len(x), device=x.device)
    return d_step()(D, x[order], *(one[order] for one in y), fake[order], optimiser_D)


def d_step_in_one_batch(D, x, *rest):
    *y, fake, optimiser_D = rest
    logits = D(torch.cat([x, fake.detach()]), *(torch.cat([one, one]) for one in y))
    loss = both(*logits.split([len(x), len(fake)]))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_cuts_fake(D, x, *rest):
    *y, fake, optimiser_D = rest
    fake.detach_()
    return d_step()(D, x, *y, fake, optimiser_D)


def d_step_keeps_graph(D, x, *rest):
    return d_step(shown=same, back=lambda loss: loss.backward(retain_graph=True))(D, x, *rest)


def d_step_loss_afterwards(D, x, *rest):
    d_step()(D, x, *rest)
    *y, fake, _ = rest
    with torch.no_grad():
        return both(D(x, *y), D(fake, *y))


def d_step_twice(D, x, *rest):
    loss = d_step()(D, x, *rest)
    rest[-1].step()
    return loss


def d_step_trains_on(D, x, *rest):
    loss = d_step()(D, x, *rest)
    d_step()(D, x, *rest)
    return loss


def d_step_two_steps(D, x, *rest):
    *y, fake, optimiser_D = rest
    total = 0
    for images, target in ((x, 1.0), (fake.detach(), 0.0)):
        loss = bce(D(images, *y), target)
        optimiser_D.zero_grad()
        loss.backward()
        optimiser_D.step()
        total = total + loss.detach()
    return total


def d_step_loss_before(D, x, *rest):
    """The loss of both at first, then two steps."""
    *y, fake, _ = rest
    total = both(D(x, *y), D(fake, *y)).detach()
    d_step_two_steps(D, x, *rest)
    return total


def d_step_real_only(D, x, *rest):
    *y, _, optimiser_D = rest
    loss = ones(D(x, *y))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_in_eval(D, x, *rest):
    D.eval()
    loss = d_step()(D, x, *rest)
    D.train()
    return loss


RIGHT_D = [
    d_step(), d_step_in_two_halves, d_step_of_its_weights, d_step_with_inputs, d_step_shuffled,
    d_step(shown=lambda fake: fake.detach().clone(), between=nothing, result=lambda loss: loss.detach().clone()),
]

WRONG_D = [
    (d_step_in_one_batch, "call D twice"),
    (d_step(shown=same), "D(fake.detach())"), (d_step_keeps_graph, "D(fake.detach())"),
    (d_step_cuts_fake, "underscore"),
    (d_step(loss=lambda real, fake: zeros(real) + ones(fake)), "swapped"),
    (d_step(loss=lambda real, fake: ones(real) + ones(fake)), "swapped"),
    (d_step(loss=lambda real, fake: both(real, fake) / 2), "half"),
    (d_step(loss=lambda real, fake: 6 * both(real, fake)), "sum"),
    (d_step(loss=lambda real, fake: (F.softplus(-real) + F.softplus(fake)).sum()), "sum"),
    (d_step(loss=lambda real, fake: F.softplus(-real) + F.softplus(fake)), "one number"),
    (d_step(loss=lambda real, fake: ones(real)), "generated images are missing"),
    (d_step(loss=lambda real, fake: zeros(fake)), "real images are missing"),
    (d_step(loss=lambda real, fake: both(real.sigmoid(), fake.sigmoid())), "twice"),
    (d_step(loss=lambda real, fake: -both(real, fake)), "sign"),
    (d_step(back=lambda loss: (-loss).backward()), "uphill"),
    (d_step(back=lambda loss: (loss / 2).backward()), "that is half"),
    (d_step(before=nothing), "left over"), (d_step(before=nothing, after=clear), "left over"),
    (d_step(before=nothing, back=nothing), "left over"),
    (d_step(between=clear), "zero_grad() comes before"), (d_step(step=nothing), "step()"),
    (d_step(back=nothing), "call backward()"), (torch.no_grad()(d_step()), "under torch.no_grad()"),
    (d_step_twice, "call step() once"), (d_step_trains_on, "call step() once"),
    (d_step_two_steps, "call step() once"), (d_step_loss_before, "call step() once"),
    (d_step(step=by_hand), "call step() once"),
    (d_step(result=same), ".detach()"), (d_step(result=torch.Tensor.item), "not loss.item()"),
    (d_step(result=nothing), "return"), (d_step_loss_afterwards, "after the update"),
    (d_step(real=torch.zeros_like), "the images x as they are"), (d_step_real_only, "the images of G, as they are"),
    (d_step(shown=torch.rand_like), "the images of G, as they are"),
    (d_step(shown=lambda fake: fake.data.mul_(0.5)), "work on a copy"),
    (d_step_in_eval, "eval mode"), (d_step(before=to_eval), "eval mode"), (d_step(after=to_eval), "another mode"),
    (d_step(after=freeze), "requires_grad"),
]
