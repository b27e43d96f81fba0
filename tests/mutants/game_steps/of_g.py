"""Answers to the step of G."""

import torch
from torch.nn import functional as F

from .common import by_hand, clear, freeze, make_step, move, nothing, ones, same, to_eval, zeros


def g_step(shown=same, loss=ones, before=clear, back=torch.Tensor.backward, between=nothing, step=make_step,
           after=nothing, result=torch.detach, y_of_D=same):
    """As d_step; the forward pass first, then zero_grad."""
    def generator_step(D, *rest):
        *y, fake, optimiser_G = rest
        value = loss(D(shown(fake), *map(y_of_D, y)))
        before(optimiser_G, D)
        back(value)
        between(optimiser_G)
        step(optimiser_G)
        after(optimiser_G, D)
        return result(value)

    return generator_step


def g_step_freezes_D(D, *rest):
    """D needs no gradients meanwhile; the gradient comes from autograd.grad."""
    *y, fake, optimiser_G = rest
    D.requires_grad_(False)
    loss = F.softplus(-D(fake, *y)).mean()
    weights = optimiser_G.param_groups[0]["params"]
    for weight, gradient in zip(weights, torch.autograd.grad(loss, weights), strict=True):
        weight.grad = gradient
    optimiser_G.step()
    optimiser_G.zero_grad()
    D.requires_grad_(True)
    return loss.detach()


def g_step_by_sigmoid(D, *rest):
    """Gradients of D cleared too, the loss from probabilities."""
    *y, fake, optimiser_G = rest
    optimiser_G.zero_grad(set_to_none=False)
    probabilities = D(fake, *y).sigmoid()
    loss = F.binary_cross_entropy(probabilities, torch.ones_like(probabilities))
    loss.backward()
    optimiser_G.step()
    D.zero_grad()
    return loss.data


def g_step_in_eval(D, *rest):
    D.eval()
    loss = g_step()(D, *rest)
    D.train()
    return loss


def g_step_twice(D, *rest):
    loss = g_step()(D, *rest)
    rest[-1].step()
    return loss


def g_step_right_number_wrong_graph(D, *rest):
    """Shows −ln D but follows ln(1 − D)."""
    *y, fake, optimiser_G = rest
    logits = D(fake, *y)
    optimiser_G.zero_grad()
    (-zeros(logits)).backward()
    optimiser_G.step()
    return ones(logits).detach()


def g_step_frozen_and_cut(D, *rest):
    D.requires_grad_(False)
    return g_step(shown=torch.detach)(D, *rest)


RIGHT_G = [g_step(), g_step_freezes_D, g_step_by_sigmoid, g_step(before=lambda o, D: [D.zero_grad(), o.zero_grad()])]

WRONG_G = [
    (g_step(shown=torch.detach), "do not detach"), (g_step(shown=lambda fake: fake.data), "do not detach"),
    (g_step(after=move), "D's weights have moved"),
    (g_step(before=lambda _, D: D.zero_grad()), "left over"), (g_step(before=nothing), "left over"),
    (g_step(before=nothing, after=clear), "left over"),
    (g_step(loss=zeros), "D minimises"), (g_step(loss=lambda a: -zeros(a)), "saturating"),
    (g_step_right_number_wrong_graph, "saturating"), (g_step(loss=lambda a: -ones(a)), "sign"),
    (g_step(loss=lambda a: F.softplus(-a).sum()), "sum"), (g_step(loss=lambda a: ones(a.sigmoid())), "twice"),
    (g_step(between=clear), "zero_grad() comes before"), (g_step(step=nothing), "step()"),
    (g_step(back=nothing), "no gradient reaches G"), (g_step(back=lambda loss: (-loss).backward()), "uphill"),
    (g_step(back=lambda loss: (6 * loss).backward()), "sum over"),
    (g_step(step=by_hand), "call step() once"), (g_step_twice, "call step() once"),
    (g_step(result=same), ".detach()"), (g_step(result=torch.Tensor.item), "loss.item()"),
    (g_step(result=nothing), "return"), (g_step(shown=torch.rand_like), "the images of G, as they are"),
    (g_step_in_eval, "eval mode"), (g_step(after=to_eval), "another mode"), (g_step(after=freeze), "requires_grad"),
    (torch.no_grad()(g_step()), "under torch.no_grad()"), (g_step_frozen_and_cut, "detached"),
]
