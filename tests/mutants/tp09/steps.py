"""Answers to the exercises 9.8 and 9.9."""

import torch
from torch.nn import functional as F

from .common import d_loss_by_logsigmoid, d_loss_softplus, ones, zeros


def d_step(fakes=lambda G, z: G(z).detach(), loss=d_loss_softplus, before=lambda optimiser, D, G: optimiser.zero_grad(),
           back=lambda loss: loss.backward(), between=lambda optimiser: None, step=lambda optimiser: optimiser.step(),
           after=lambda optimiser, D, G: None, result=lambda loss: loss.detach()):
    def discriminator_step(D, G, x, z, optimiser_D):
        before(optimiser_D, D, G)
        value = loss(D(x), D(fakes(G, z)))
        back(value)
        between(optimiser_D)
        step(optimiser_D)
        after(optimiser_D, D, G)
        return result(value)

    return discriminator_step


def d_step_in_two_halves(D, G, x, z, optimiser_D):
    """As in PyTorch's tutorial."""
    D.zero_grad()
    real = ones(D(x).view(-1))
    real.backward()
    fake = zeros(D(G(z).detach()).view(-1))
    fake.backward()
    optimiser_D.step()
    return (real + fake).detach()


def d_step_in_one_batch(D, G, x, z, optimiser_D):
    with torch.no_grad():
        both = torch.cat([x, G(z)])
    real, fake = D(both).split([len(x), len(z)])
    loss = d_loss_by_logsigmoid(real, fake)
    gradients = torch.autograd.grad(loss, list(D.parameters()))
    for parameter, gradient in zip(D.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimiser_D.step()
    optimiser_D.zero_grad()
    return loss.detach()


def d_step_freezes_G(D, G, x, z, optimiser_D):
    for parameter in G.parameters():
        parameter.requires_grad_(False)
    loss = d_loss_softplus(D(x), D(G(z)))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    for parameter in G.parameters():
        parameter.requires_grad_(True)
    return loss.detach().clone()


def d_step_leaves_G_frozen(D, G, x, z, optimiser_D):
    G.requires_grad_(False)
    return d_step()(D, G, x, z, optimiser_D)


def d_step_moves_G(D, G, x, z, optimiser_D):
    loss = d_loss_softplus(D(x), D(G(z)))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    torch.optim.SGD(G.parameters(), 0.1).step()
    return loss.detach()


def d_step_loss_afterwards(D, G, x, z, optimiser_D):
    d_step()(D, G, x, z, optimiser_D)
    with torch.no_grad():
        return d_loss_softplus(D(x), D(G(z)))


def d_step_by_hand(D, G, x, z, optimiser_D):
    loss = d_loss_softplus(D(x), D(G(z).detach()))
    optimiser_D.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in D.parameters():
            parameter -= optimiser_D.param_groups[0]["lr"] * parameter.grad
    return loss.detach()


def d_step_twice(D, G, x, z, optimiser_D):
    loss = d_step()(D, G, x, z, optimiser_D)
    optimiser_D.step()
    return loss


def d_step_trains_on(D, G, x, z, optimiser_D):
    loss = d_step()(D, G, x, z, optimiser_D)
    d_step()(D, G, x, z, optimiser_D)
    return loss


def d_step_without_gradient(D, G, x, z, optimiser_D):
    with torch.no_grad():
        loss = d_loss_softplus(D(x), D(G(z)))
    loss.backward()
    return loss


def in_eval(network):
    """fakes of G in eval mode, and back."""
    def fakes(G, z):
        G.eval()
        images = G(z).detach()
        G.train()
        return images

    return fakes if network == "G" else None


def d_step_D_in_eval(D, G, x, z, optimiser_D):
    D.eval()
    loss = d_step()(D, G, x, z, optimiser_D)
    D.train()
    return loss


def to_eval(optimiser, D, G):
    G.eval()


def zero_both(optimiser, D, G):
    D.zero_grad()
    G.zero_grad()


def nothing(*_):
    return None


def late(optimiser, *_):
    optimiser.zero_grad()


def new_z(G, z):
    return G(torch.randn_like(z)).detach()


def noise_images(G, z):
    return torch.tanh(torch.randn(6, 1, 3, 4, device=z.device))


def g_step(logits=lambda D, G, z: D(G(z)), loss=ones, **steps):
    """The steps as in d_step, in another order: forward first, then zero_grad."""
    def generator_step(D, G, z, optimiser_G):
        value = loss(logits(D, G, z))
        steps.get("before", late)(optimiser_G, D, G)
        steps.get("back", torch.Tensor.backward)(value)
        steps.get("between", nothing)(optimiser_G)
        steps.get("step", torch.optim.Optimizer.step)(optimiser_G)
        steps.get("after", nothing)(optimiser_G, D, G)
        return steps.get("result", torch.Tensor.detach)(value)

    return generator_step


def optimise(optimiser):
    optimiser.step()


def g_step_freezes_D(D, G, z, optimiser_G):
    """D needs no gradients meanwhile; the gradient comes from autograd.grad."""
    D.requires_grad_(False)
    loss = F.softplus(-D(G(z))).mean()
    for parameter, gradient in zip(G.parameters(), torch.autograd.grad(loss, list(G.parameters())), strict=True):
        parameter.grad = gradient
    optimiser_G.step()
    optimiser_G.zero_grad()
    D.requires_grad_(True)
    return loss.detach()


def g_step_clears_D(D, G, z, optimiser_G):
    fake = G(z)
    G.zero_grad(set_to_none=False)
    loss = -F.logsigmoid(D(fake)).mean()
    loss.backward()
    optimiser_G.step()
    D.zero_grad()
    return loss.data


def g_step_leaves_D_frozen(D, G, z, optimiser_G):
    for parameter in D.parameters():
        parameter.requires_grad = False
    return g_step(step=optimise)(D, G, z, optimiser_G)


def g_step_moves_D(D, G, z, optimiser_G):
    D.zero_grad()
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    torch.optim.SGD(D.parameters(), 0.1).step()
    return loss


def g_step_zeroes_D_weights(D, G, z, optimiser_G):
    loss = ones(D(G(z)))
    D.zero_grad()
    loss.backward()
    optimiser_G.step()
    return loss.detach()


def g_step_D_in_eval(D, G, z, optimiser_G):
    D.eval()
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    D.train()
    return loss


def g_step_leaves_eval(D, G, z, optimiser_G):
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    G.eval()
    return loss


def g_step_without_gradient(D, G, z, optimiser_G):
    with torch.no_grad():
        fake = G(z)
    for parameter in D.parameters():
        parameter.requires_grad_(False)
    return ones(D(fake)).backward()


def g_step_loss_afterwards(D, G, z, optimiser_G):
    g_step(step=optimise)(D, G, z, optimiser_G)
    with torch.no_grad():
        return ones(D(G(z)))


def g_step_twice(D, G, z, optimiser_G):
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    optimiser_G.step()
    return loss


RIGHT = {
    "9.8": [d_step(), d_step_in_two_halves, d_step_freezes_G],
    "9.9": [g_step(step=optimise), g_step_freezes_D, g_step_clears_D],
}

MUTANTS = {
    "9.8": [
        (d_step_in_one_batch, "call D twice"),
        (d_step(fakes=lambda G, z: G(z)), "detach its images"), (d_step_moves_G, "G's weights have moved"),
        (d_step(fakes=lambda G, z: G(z), after=zero_both), "may reach G"), (d_step(before=zero_both), "may reach G"),
        (d_step(loss=lambda real, fake: zeros(real) + ones(fake)), "swapped"),
        (d_step(loss=lambda real, fake: ones(real) + ones(fake)), "swapped"),
        (d_step(loss=lambda real, fake: (ones(real) + zeros(fake)) / 2), "half"),
        (d_step(loss=lambda real, fake: 6 * d_loss_softplus(real, fake)), "sum"),
        (d_step(loss=lambda real, fake: ones(real)), "generated images are missing"),
        (d_step(loss=lambda real, fake: zeros(fake)), "real images are missing"),
        (d_step(loss=lambda real, fake: ones(real.sigmoid()) + zeros(fake.sigmoid())), "twice"),
        (d_step(loss=lambda real, fake: -d_loss_softplus(real, fake)), "sign"),
        (d_step(back=lambda loss: (-loss).backward()), "uphill"),
        (d_step(back=lambda loss: (loss / 2).backward()), "that is half"),
        (d_step(before=nothing), "left over"), (d_step(before=nothing, after=late), "left over"),
        (d_step(between=late), "zero_grad() comes before"), (d_step(step=nothing), "step()"),
        (d_step(back=nothing), "call backward()"),
        (d_step(before=nothing, back=nothing), "left over"), (d_step_twice, "call step() once"),
        (d_step_trains_on, "call step() once"), (d_step_by_hand, "call step() once"),
        (d_step(result=lambda loss: loss), ".detach()"), (d_step(result=lambda loss: loss.item()), "not loss.item()"),
        (d_step(result=nothing), "return"), (d_step_loss_afterwards, "after the update"),
        (d_step(fakes=new_z), "z that was given"), (d_step(fakes=noise_images), "discriminator_loss(D(x)"),
        (d_step(fakes=in_eval("G")), "eval mode"), (d_step_D_in_eval, "eval mode"),
        (d_step(after=to_eval), "another mode"),
        (d_step(before=to_eval), "eval mode"), (d_step_leaves_G_frozen, "requires_grad"),
        (d_step_without_gradient, "under torch.no_grad()"),
    ],
    "9.9": [
        (g_step(step=optimise, logits=lambda D, G, z: D(G(z).detach())), "do not detach"),
        (g_step_moves_D, "D's weights have moved"), (g_step_zeroes_D_weights, "left over"),
        (g_step(step=optimise, loss=zeros), "D minimises"),
        (g_step(step=optimise, loss=lambda a: -zeros(a)), "saturating"),
        (g_step(step=optimise, loss=lambda a: -ones(a)), "sign"),
        (g_step(step=optimise, loss=lambda a: 6 * ones(a)), "sum"),
        (g_step(step=optimise, loss=lambda a: ones(a.sigmoid())), "twice"),
        (g_step(step=optimise, before=nothing), "left over"),
        (g_step(step=optimise, before=nothing, after=late), "left over"),
        (g_step(step=optimise, between=late), "zero_grad() comes before"), (g_step(step=nothing), "step()"),
        (g_step(step=optimise, back=nothing), "no gradient reaches G"),
        (g_step(step=optimise, back=lambda loss: (-loss).backward()), "uphill"),
        (g_step(step=optimise, back=lambda loss: (6 * loss).backward()), "sum over"),
        (g_step(step=optimise, result=lambda loss: loss), ".detach()"),
        (g_step(step=optimise, result=lambda loss: loss.item()), "loss.item()"),
        (g_step(step=optimise, result=nothing), "return"),
        (g_step(step=optimise, logits=lambda D, G, z: D(G(torch.randn_like(z)))), "z that was given"),
        (g_step_D_in_eval, "eval mode"), (g_step_leaves_eval, "another mode"),
        (g_step_leaves_D_frozen, "requires_grad"),
        (g_step_without_gradient, "under torch.no_grad()"), (g_step_loss_afterwards, "after the update"),
        (g_step_twice, "call step() once"),
    ],
}
