"""Answers to the exercises 10.7 and 10.8."""

import torch
from torch.nn import functional as F

from .common import hot, rolled


def bce(logits, target):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, target))


def detached(G, z, y):
    return G(z, y).detach()


def both_losses(real, fake):
    return bce(real, 1.0) + bce(fake, 0.0)


def d_step(fake=detached, loss=both_losses, real_y=lambda y: y, fake_y=lambda y: y, clear=lambda D, G, o: o.zero_grad(),
           after=lambda D, G, o: o.step(), result=torch.detach, sign=1, image=lambda x: x):
    def step(D, G, x, y, z, optimiser_D):
        value = loss(D(image(x), real_y(y)), D(fake(G, z, y), fake_y(y)))
        clear(D, G, optimiser_D)
        (sign * value).backward()
        after(D, G, optimiser_D)
        return result(value)

    return step


def in_eval_mode(G, z, y):
    """G's images in eval mode, and G back in train mode."""
    fake = G.eval()(z, y)
    G.train()
    return fake.detach()


def d_step_in_one_go(D, G, x, y, z, optimiser_D):
    """One call of D with both, G frozen for the time being."""
    optimiser_D.zero_grad(set_to_none=False)
    for parameter in G.parameters():
        parameter.requires_grad_(False)
    images, targets = torch.cat([G(z, y), x]), torch.tensor([0.0, 1.0], device=x.device).repeat_interleave(len(x))
    for parameter in G.parameters():
        parameter.requires_grad_(True)
    loss = 2 * F.binary_cross_entropy(D(images, torch.cat([y, y])).sigmoid(), targets)
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_two_backwards(D, G, x, y, z, optimiser_D):
    D.zero_grad()
    real = F.softplus(-D(x, y)).mean()
    real.backward()
    with torch.no_grad():
        x = G(z, y)
    fake = -F.logsigmoid(-D(x, y)).mean()
    fake.backward()
    optimiser_D.step()
    return (real + fake).detach()


def d_step_shuffled(D, G, x, y, z, optimiser_D):
    """Another order of the images, their labels with them."""
    order = torch.randperm(len(y), device=y.device)
    return d_step()(D, G, x[order], y[order], z[order], optimiser_D)


def d_step_two_steps(D, G, x, y, z, optimiser_D):
    total = 0
    fake = G(z, y).detach()
    for images, target in ((x, 1.0), (fake, 0.0)):
        loss = bce(D(images, y), target)
        optimiser_D.zero_grad()
        loss.backward()
        optimiser_D.step()
        total = total + loss.detach()
    return total


def d_step_loss_before(D, G, x, y, z, optimiser_D):
    """The loss of both at first, then two steps."""
    fake = G(z, y).detach()
    total = both_losses(D(x, y), D(fake, y)).detach()
    d_step_two_steps(D, G, x, y, z, optimiser_D)
    return total


def d_step_real_only(D, G, x, y, z, optimiser_D):
    loss = bce(D(x, y), 1.0)
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def d_step_other_player(D, G, x, y, z, optimiser_D):
    loss = both_losses(D(x, y), D(G(z, y), y))
    both = torch.optim.SGD([*D.parameters(), *G.parameters()], 0.5)
    both.zero_grad()
    loss.backward()
    both.step()
    return loss.detach()


def d_step_d_without_y(D, G, x, y, z, optimiser_D):
    return both_losses(D(x), D(G(z, y).detach())).detach()


def d_step_fake_without_y(D, G, x, y, z, optimiser_D):
    return both_losses(D(x, y), D(G(z, y).detach())).detach()


def by_hand(parameters, rate):
    with torch.no_grad():
        for parameter in parameters:
            parameter -= rate * parameter.grad


def rate_of(optimiser):
    return optimiser.param_groups[0]["lr"]


def freeze(network):
    network.requires_grad_(False)


def g_step(image=lambda G, z, y: G(z, y), loss=lambda logits: bce(logits, 1.0), y_of_D=lambda y: y,
           clear=lambda D, G, o: o.zero_grad(), after=lambda D, G, o: o.step(), result=torch.detach, sign=1):
    def step(D, G, y, z, optimiser_G):
        value = loss(D(image(G, z, y), y_of_D(y)))
        clear(D, G, optimiser_G)
        (sign * value).backward()
        after(D, G, optimiser_G)
        return result(value)

    return step


def g_step_frozen_d(D, G, y, z, optimiser_G):
    """D frozen for the time being, the loss by logsigmoid."""
    optimiser_G.zero_grad()
    D.requires_grad_(False)
    loss = -F.logsigmoid(D(G(z, y), y)).mean()
    D.requires_grad_(True)
    loss.backward()
    optimiser_G.step()
    return loss.data


def g_step_by_sigmoid(D, G, y, z, optimiser_G):
    G.zero_grad()
    probabilities = torch.sigmoid(D(x=G(z=z, y=y), y=y))
    loss = F.binary_cross_entropy(probabilities, torch.ones_like(probabilities))
    gradients = torch.autograd.grad(loss, list(G.parameters()))
    for parameter, gradient in zip(G.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimiser_G.step()
    return loss.detach()


def g_step_d_without_y(D, G, y, z, optimiser_G):
    return bce(D(G(z, y)), 1.0)


def g_step_g_without_y(D, G, y, z, optimiser_G):
    return bce(D(G(z), y), 1.0)


def g_step_clears_in_between(D, G, y, z, optimiser_G):
    loss = bce(D(G(z, y), y), 1.0)
    loss.backward()
    optimiser_G.zero_grad()
    optimiser_G.step()
    return loss.detach()


def g_step_moves_both(D, G, y, z, optimiser_G):
    both = torch.optim.SGD([*G.parameters(), *D.parameters()], 0.5)
    loss = bce(D(G(z, y), y), 1.0)
    both.zero_grad()
    loss.backward()
    both.step()
    return loss.detach()


def g_step_right_number_wrong_graph(D, G, y, z, optimiser_G):
    """Shows −ln D but follows ln(1 − D)."""
    logits = D(G(z, y), y)
    optimiser_G.zero_grad()
    (-bce(logits, 0.0)).backward()
    optimiser_G.step()
    return bce(logits, 1.0).detach()


def random_labels(y):
    return torch.randint_like(y, 4)


RIGHT = {
    "10.7": [d_step(), d_step_two_backwards, d_step_shuffled],
    "10.8": [
        g_step(), g_step_frozen_d, g_step_by_sigmoid, g_step(clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]),
    ],
}

MUTANTS = {
    "10.7": [
        (d_step_in_one_go, "call D twice"),
        (d_step(fake=lambda G, z, y: G.eval()(z, y).detach()), "ran in eval mode"),
        (d_step(fake=in_eval_mode), "ran in eval mode"),
        (d_step(fake=lambda G, z, y: G(z, y)), "detach"),
        (d_step(fake=lambda G, z, y: G(z, y), clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]), "detach"),
        (d_step(clear=lambda D, G, o: [D.zero_grad(), G.zero_grad()]), "were cleared"),
        (d_step_other_player, "other player"), (d_step(clear=lambda D, G, o: None), "zero_grad() before"),
        (d_step(clear=lambda D, G, o: None, after=lambda D, G, o: [o.step(), o.zero_grad()]), "zero_grad() before"),
        (d_step(after=lambda D, G, o: None), "has not moved"),
        (d_step(after=lambda D, G, o: [o.zero_grad(), o.step()]), "has not moved"),
        (d_step(sign=-1), "against its aim"), (d_step_two_steps, "one update"), (d_step_loss_before, "one update"),
        (d_step(after=lambda D, G, o: [o.step(), o.step()]), "the update is not"),
        (d_step(after=lambda D, G, o: by_hand(D.parameters(), rate_of(o))), "Adam"),
        (d_step(loss=lambda real, fake: both_losses(real, fake) / 2), "half the loss"),
        (d_step(loss=lambda real, fake: bce(real, 1.0)), "on real images only"),
        (d_step(loss=lambda real, fake: bce(fake, 0.0)), "G's images only"),
        (d_step(loss=lambda real, fake: bce(real, 0.0) + bce(fake, 1.0)), "changed places"),
        (d_step(loss=lambda real, fake: both_losses(real.sigmoid(), fake.sigmoid())), "sigmoid too many"),
        (d_step(loss=lambda real, fake: -both_losses(real, fake)), "sign of the loss"),
        (d_step(loss=lambda real, fake: (F.softplus(-real) + F.softplus(fake)).sum()), "not a sum"),
        (d_step(loss=lambda real, fake: F.softplus(-real) + F.softplus(fake)), "one number"),
        (d_step_real_only, "does not see what G makes"),
        (d_step(image=torch.zeros_like), "as they are"),
        (d_step(real_y=rolled), "beside the real images"), (d_step(real_y=torch.zeros_like), "beside the real images"),
        (d_step(fake_y=rolled), "those G was told"), (d_step(fake_y=random_labels), "those G was told"),
        (d_step(fake_y=lambda y: y[torch.randperm(len(y))]), "those G was told"),
        (d_step(fake_y=lambda y: y.flip(0)), "those G was told"),
        (d_step(fake=lambda G, z, y: detached(G, z, rolled(y))), "G is told other labels"),
        (d_step(fake=lambda G, z, y: detached(G, z, random_labels(y))), "G is told other labels"),
        (d_step(fake=lambda G, z, y: detached(G, torch.randn_like(z), y)), "the z that is given"),
        (d_step(fake=lambda G, z, y: G(z).detach()), "G is called without labels"),
        (d_step_d_without_y, "D is called without labels"), (d_step_fake_without_y, "D is called without labels"),
        (d_step(fake=lambda G, z, y: detached(G, y, z)), "int64"),
        (d_step(real_y=lambda y: hot(y, 4)), "int64"),
        (d_step(result=lambda loss: loss), "loss.detach()"), (d_step(result=lambda loss: loss.item()), "as a tensor"),
        (d_step(result=lambda loss: None), "return"),
        (d_step(fake=lambda G, z, y: [freeze(G), G(z, y)][1]), "frozen"),
        (d_step(fake=lambda G, z, y: [G.eval(), detached(G, z, y)][1]), "ran in eval mode"),
        (torch.no_grad()(d_step()), "no graph"),
    ],
    "10.8": [
        (g_step(image=in_eval_mode), "ran in eval mode"),
        (g_step(loss=lambda logits: -bce(logits, 0.0)), "saturating"), (g_step_right_number_wrong_graph, "saturating"),
        (g_step(loss=lambda logits: bce(logits, 0.0)), "what D minimises"),
        (g_step(loss=lambda logits: bce(logits.sigmoid(), 1.0)), "sigmoid too many"),
        (g_step(loss=lambda logits: F.softplus(-logits).sum()), "not a sum"),
        (g_step(loss=lambda logits: -bce(logits, 1.0)), "sign of the loss"),
        (g_step(image=detached), "no detach"), (g_step(image=torch.no_grad()(lambda G, z, y: G(z, y))), "no detach"),
        (torch.no_grad()(g_step()), "no graph"),
        (g_step(sign=-1), "against its aim"), (g_step(clear=lambda D, G, o: None), "zero_grad() before"),
        (g_step(clear=lambda D, G, o: D.zero_grad()), "zero_grad() before"),
        (g_step(after=lambda D, G, o: None), "has not moved"), (g_step_clears_in_between, "has not moved"),
        (g_step(after=lambda D, G, o: by_hand(G.parameters(), rate_of(o))), "Adam"),
        (g_step_moves_both, "other player"),
        (g_step(after=lambda D, G, o: [o.step(), by_hand(D.parameters(), 0.1)]), "other player"),
        (g_step_d_without_y, "D is called without labels"), (g_step_g_without_y, "G is called without labels"),
        (g_step(y_of_D=rolled), "those G was told"), (g_step(y_of_D=random_labels), "those G was told"),
        (g_step(image=lambda G, z, y: G(z, rolled(y))), "G is told other labels"),
        (g_step(image=lambda G, z, y: G(torch.randn_like(z), y)), "the z that is given"),
        (g_step(y_of_D=lambda y: hot(y, 4)), "int64"),
        (g_step(result=lambda loss: loss), "loss.detach()"), (g_step(result=lambda loss: loss.item()), "as a tensor"),
        (g_step(clear=lambda D, G, o: [o.zero_grad(), freeze(D)]), "frozen"),
        (g_step(result=lambda loss: None), "return"),
    ],
}
