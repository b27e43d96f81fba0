"""Answers to exercise 14.7."""


import torch
from torch.nn import functional as F

from .common import draw, kl, similarity


def step(loss_E=lambda t, gamma: t["KL"] + t["similarity"],
         loss_G=lambda t, gamma: gamma * t["similarity"] + t["as real"] + t["fake as real"],
         loss_D=lambda t, gamma: t["real"] + t["rebuilt"] + t["fake"], clear=True, move="EGD", together=True,
         result=lambda t: {"KL": t["KL"].detach(), "similarity": t["similarity"].detach(),
                           "D": (t["real"] + t["rebuilt"] + t["fake"]).detach(),
                           "G": (t["as real"] + t["fake as real"]).detach()}):
    """A step of three players; each loss is a function of all terms and gamma."""
    def terms(E, G, D, x, generator):
        mean, log_variance = E(x)
        back = G(draw()(mean, log_variance, generator))
        fake = G(torch.randn(mean.shape, generator=generator).to(x.device))
        return {"KL": kl()(mean, log_variance), "similarity": similarity()(D.features(x), D.features(back)),
                "real": F.softplus(-D(x)).mean(), "rebuilt": F.softplus(D(back)).mean(),
                "fake": F.softplus(D(fake)).mean(), "as real": F.softplus(-D(back)).mean(),
                "fake as real": F.softplus(-D(fake)).mean()}

    def vae_gan_step(E, G, D, optimisers, x, generator, gamma=1e-2):
        players, state = {"E": E, "G": G, "D": D}, generator.get_state()
        found = terms(E, G, D, x, generator)
        for name, loss in (("D", loss_D), ("G", loss_G), ("E", loss_E)):
            if not together:
                generator.set_state(state)
            weights = list(players[name].parameters())
            value = loss(found if together else terms(E, G, D, x, generator), gamma)
            for weight, gradient in zip(weights, torch.autograd.grad(value, weights, retain_graph=True), strict=True):
                weight.grad = gradient if clear else weight.grad + gradient
            if not together and name in move:
                optimisers[name].step()
        for name in move if together else "":
            optimisers[name].step()
        return result(found)

    return vae_gan_step


def step_with_one_loss(E, G, D, optimisers, x, generator, gamma=1e-2):
    """All three follow the same sum."""
    total = lambda t, gamma: t["KL"] + t["similarity"] + t["as real"] + t["fake as real"]  # noqa: E731
    return step(loss_E=total, loss_G=total)(E, G, D, optimisers, x, generator, gamma)


def step_with_one_backward(E, G, D, optimisers, x, generator, gamma=1e-2):
    """A single backward of the sum of all losses."""
    total = lambda t, gamma: (t["KL"] + (1 + gamma) * t["similarity"] + t["as real"] + t["fake as real"]  # noqa: E731
                              + t["real"] + t["rebuilt"] + t["fake"])
    return step(total, total, total)(E, G, D, optimisers, x, generator, gamma)


def step_swapped(E, G, D, optimisers, x, generator, gamma=1e-2):
    """The latents of x̃ first: both draws have the same shape, so that exchanging them is enough."""
    shape = E(x)[0].shape
    first, second = (torch.randn(shape, generator=generator) for _ in range(2))
    draws = iter([second, first])

    class Swapped:
        get_state = generator.get_state

    original = torch.randn
    torch.randn = lambda *shape, **more: next(draws)
    try:
        return step()(E, G, D, optimisers, x, Swapped(), gamma)
    finally:
        torch.randn = original


def step_by_backward(E, G, D, optimisers, x, generator, gamma=1e-2):
    """backward() with the others' gradients put aside."""
    mean, log_variance = E(x)
    back = G(draw()(mean, log_variance, generator))
    fake = G(torch.randn(mean.shape, generator=generator).to(x.device))
    divergence, alike = kl()(mean, log_variance), similarity()(D.features(x), D.features(back))
    fooled = F.softplus(-D(back)).mean() + F.softplus(-D(fake)).mean()
    told = F.softplus(-D(x)).mean() + F.softplus(D(back)).mean() + F.softplus(D(fake)).mean()
    kept = {}
    for player, loss in ((E, divergence + alike), (G, gamma * alike + fooled), (D, told)):
        for each in (E, G, D):
            each.zero_grad()
        loss.backward(retain_graph=True)
        kept[player] = [weight.grad.clone() for weight in player.parameters()]
    for player, gradients in kept.items():
        for weight, gradient in zip(player.parameters(), gradients, strict=True):
            weight.grad = gradient
    for optimiser in optimisers.values():
        optimiser.step()
    return {"KL": divergence.detach(), "similarity": alike.detach(), "D": told.detach(), "G": fooled.detach()}


def step_of_d_first(E, G, D, optimisers, x, generator, gamma=1e-2, fresh=True):
    """D's step as in a GAN, on detached images; then G and E meet the D that has moved."""
    mean, log_variance = E(x)
    back = G(draw()(mean, log_variance, generator))
    fake = G(torch.randn(mean.shape, generator=generator).to(x.device))
    told = F.softplus(-D(x)).mean() + F.softplus(D(back.detach())).mean() + F.softplus(D(fake.detach())).mean()

    def of_others():
        alike = similarity()(D.features(x), D.features(back))
        return alike, F.softplus(-D(back)).mean() + F.softplus(-D(fake)).mean()

    stale = of_others()
    optimisers["D"].zero_grad()
    told.backward()
    optimisers["D"].step()
    alike, fooled = of_others() if fresh else stale
    losses = {"E": (E, kl()(mean, log_variance) + alike), "G": (G, gamma * alike + fooled)}
    for player, loss in losses.values():
        weights = list(player.parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights, retain_graph=True), strict=True):
            weight.grad = gradient
    for name in losses:
        optimisers[name].step()
    return {"KL": kl()(mean, log_variance).detach(), "similarity": alike.detach(), "D": told.detach(),
            "G": fooled.detach()}


def step_of_d_first_stale(*players_and_more):
    return step_of_d_first(*players_and_more, fresh=False)


RIGHT = {
    "14.7": [step(), step_by_backward],
}

MUTANTS = {
    "14.7": [
        (step_with_one_loss, "E learns from D's verdict"),
        (step(loss_E=lambda t, gamma: t["KL"]), "lacks the similarity"),
        (step(loss_E=lambda t, gamma: t["similarity"]), "lacks the KL"),
        (step(loss_E=lambda t, gamma: t["KL"] + gamma * t["similarity"]), "γ is G's"),
        (step(loss_G=lambda t, gamma: t["similarity"] + t["as real"] + t["fake as real"]), "γ is missing"),
        (step(loss_G=lambda t, gamma: t["as real"] + t["fake as real"]), "lacks γ"),
        (step(loss_G=lambda t, gamma: gamma * t["similarity"] + t["as real"]), "images of the prior"),
        (step(loss_G=lambda t, gamma: gamma * t["similarity"] + t["fake as real"]), "lacks the reconstructions"),
        (step(loss_G=lambda t, gamma: gamma * t["similarity"] - t["rebuilt"] - t["fake"]), "taken for real"),
        (step(loss_D=lambda t, gamma: t["real"] + t["rebuilt"]), "images of the prior"),
        (step(loss_D=lambda t, gamma: t["real"] + t["fake"]), "lacks the reconstructions"),
        (step(loss_D=lambda t, gamma: t["real"] + t["rebuilt"] + t["fake"] + t["similarity"]), "all features"),
        (step(clear=False), "added"), (step(move="GD"), "E's weights must change"),
        (step(move="EG"), "D's weights must change"), (step(together=False), "before the first step"),
        (step_of_d_first, "before the first step"), (step_of_d_first_stale, "all three gradients first"),
        (step(result=lambda t: {**t}), "four detached"),
        (step(loss_D=lambda t, gamma: (t["real"] + t["rebuilt"] + t["fake"]) / 3), "wrong factor"),
        (step(loss_G=lambda t, gamma: t["similarity"] + gamma * (t["as real"] + t["fake as real"])), "not of D's"),
        (step(loss_G=lambda t, gamma: 0.01 * t["similarity"] + t["as real"] + t["fake as real"]), "an argument"),
        (step_with_one_backward, "one loss for all"), (step_swapped, "ε first"),
        (step(result=lambda t: {"KL": t["KL"], "similarity": t["similarity"], "D": t["real"] + t["rebuilt"] + t["fake"],
                                "G": t["as real"] + t["fake as real"]}), "detach()"),
    ],
}
