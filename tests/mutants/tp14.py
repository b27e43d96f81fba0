"""Answers to the exercises of TP 14: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

# ---- 14.1 and 14.2


def encoder(act=lambda: nn.LeakyReLU(0.2), norm=nn.BatchNorm2d, double=2, late=False, hidden=lambda h: h,
            out=lambda h: h.split(h.shape[1] // 2, 1)):
    class Encoder(nn.Module):
        def __init__(self, nz=32, channels=1, width=32):
            super().__init__()
            sizes = [channels, width, double * width, double**2 * width]
            self.convolutions = nn.ModuleList(
                nn.Conv2d(a, b, 4, 2, 1, bias=False) for a, b in pairwise(sizes))
            self.norms, self.act = nn.ModuleList(norm(b) for b in sizes[1:]), act()
            self.last = nn.Linear(sizes[-1] * 16, 2 * nz)

        def forward(self, x):
            for convolution, norm_ in zip(self.convolutions, self.norms, strict=True):
                x = norm_(self.act(convolution(x))) if late else self.act(norm_(convolution(x)))
            return out(self.last(hidden(x.flatten(1))))

    return Encoder


class NoModule:
    def __init__(self, nz=32, channels=1, width=32):
        self.nz = nz

    def __call__(self, x):
        return x, x


def decoder(act=nn.ReLU, norm=nn.BatchNorm2d, last=nn.Tanh, first_norm=True, detach=False, double=2):
    class Decoder(nn.Module):
        def __init__(self, nz=32, channels=1, width=32):
            super().__init__()
            w = [double**2 * width, double * width, width]
            self.door = nn.Linear(nz, 16 * w[0])
            self.first = nn.Sequential(norm(w[0]) if first_norm else nn.Identity(), act())
            self.rest = nn.Sequential(
                nn.ConvTranspose2d(w[0], w[1], 4, 2, 1, bias=False), norm(w[1]), act(),
                nn.ConvTranspose2d(w[1], w[2], 4, 2, 1, bias=False), norm(w[2]), act(),
                nn.ConvTranspose2d(w[2], channels, 4, 2, 1), last())

        def forward(self, z):
            h = self.first(self.door(z).view(len(z), -1, 4, 4))
            return self.rest(h.detach() if detach else h)

    return Decoder


# ---- 14.3


def draw(sd=lambda v: torch.exp(v / 2), noise=lambda m, g: torch.randn(m.shape, generator=g), mean=lambda m: m):
    def reparameterise(mean_, log_variance, generator=None):
        return mean(mean_) + sd(log_variance) * noise(mean_, generator).to(mean_.device)

    return reparameterise


def draw_without_default(mean, log_variance, generator):
    return mean + (log_variance / 2).exp() * torch.randn(mean.shape, generator=generator).to(mean.device)


def draw_with_its_own(mean, log_variance, generator=None):
    return draw()(mean, log_variance, generator or torch.Generator())


def draw_by_square_root(mean, log_variance, generator=None):
    return torch.addcmul(mean, log_variance.exp().sqrt(), torch.randn(mean.shape, generator=generator).to(mean.device))


# ---- 14.4 to 14.6


def kl(each=lambda m, v: (m**2 + v.exp() - 1 - v) / 2, out=lambda d: d.sum(1).mean()):
    return lambda mean, log_variance: out(each(mean, log_variance))


def kl_by_distributions(mean, log_variance):
    cloud = torch.distributions.Normal(mean, (log_variance / 2).exp())
    prior = torch.distributions.Normal(torch.zeros_like(mean), torch.ones_like(mean))
    return torch.distributions.kl_divergence(cloud, prior).sum() / len(mean)


def elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / (2 * v), total=lambda error, kl: error + kl):
    def elbo_loss(x, reconstruction, mean, log_variance, variance=0.1):
        return total(error(x - reconstruction, variance), kl()(mean, log_variance))

    return elbo_loss


def elbo_by_mse(x, reconstruction, mean, log_variance, variance=0.1):
    return F.mse_loss(reconstruction, x, reduction="sum") / len(x) / variance / 2 + kl()(mean, log_variance)


def similarity(out=lambda d: d.pow(2).sum(1).mean() / 2):
    return lambda features, reconstructed: out(features - reconstructed)


def similarity_by_mse(features, reconstructed):
    return F.mse_loss(reconstructed, features, reduction="sum") / (2 * len(features))


# ---- 14.7


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


RIGHT = {
    "14.1": [encoder(), encoder(act=lambda: nn.LeakyReLU(0.2, inplace=True))],
    "14.2": [decoder(), decoder(act=lambda: nn.ReLU(inplace=True))],
    "14.3": [draw(), draw_by_square_root],
    "14.4": [kl(), kl_by_distributions],
    "14.5": [elbo(), elbo_by_mse],
    "14.6": [similarity(), similarity_by_mse],
    "14.7": [step(), step_by_backward],
}

MUTANTS = {
    "14.1": [
        (encoder(act=nn.ReLU), "negative values"), (encoder(norm=nn.Identity), "batch norm is missing"),
        (encoder(late=True), "not after"), (encoder(double=1), "from the input on"),
        (encoder(out=lambda h: h.chunk(2, 1)[::-1]), "first nz numbers"),
        (encoder(out=lambda h: (h[:, ::2], h[:, 1::2])), "in turn"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].exp())), "no exp"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], F.softplus(h.chunk(2, 1)[1]))), "no exp"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].detach())), "without gradient"),
        (encoder(out=lambda h: (h.chunk(2, 1)[0], h.chunk(2, 1)[1].clamp(-1, 1))), "nothing comes behind"),
        (encoder(hidden=torch.sigmoid), "behind layer 3"), (encoder(out=lambda h: h), "return a pair"),
        (encoder(hidden=lambda h: h.detach()), "without gradient"),
        (NoModule, "inherits from nn.Module"),
    ],
    "14.2": [
        (decoder(last=nn.Identity), "tanh"), (decoder(last=nn.Sigmoid), "tanh"),
        (decoder(act=lambda: nn.LeakyReLU(0.2)), "negative values"),
        (decoder(norm=nn.Identity), "batch norm is missing"),
        (decoder(first_norm=False), "batch norm is missing"), (decoder(double=1), "from the input on"),
        (decoder(detach=True), "without gradient"), (NoModule, "inherits from nn.Module"),
    ],
    "14.3": [
        (draw(sd=torch.exp), "σ²"), (draw(sd=lambda v: v), "ln σ²"), (draw(sd=lambda v: (2 * v).exp()), "½"),
        (draw(sd=lambda v: 0.5 * v.exp()), "½"), (draw(mean=lambda m: 0), "mean is missing"),
        (draw(noise=lambda m, g: torch.randn(m.shape[1], generator=g)), "the same noise"),
        (draw(noise=lambda m, g: torch.rand(m.shape, generator=g)), "noise normal"),
        (draw(noise=lambda m, g: torch.randn(m.shape)), "generator=generator"),
        (draw(noise=lambda m, g: torch.randn(m.shape, generator=torch.Generator().manual_seed(1))), "another gen"),
        (draw(mean=torch.detach), "gets back to mean"), (draw(sd=lambda v: (v / 2).exp().detach()), "log_variance"),
        (draw_without_default, "generator=None"), (draw_with_its_own, "torch's own"),
    ],
    "14.4": [
        (kl(out=torch.sum), "over the batch"), (kl(out=torch.mean), "mean over the dimensions"),
        (kl(out=lambda d: -d.sum(1).mean()), "other way round"), (kl(each=lambda m, v: m**2 + v.exp() - 1 - v), "½"),
        (kl(each=lambda m, v: (m**2 + v - 1 - v.abs().log()) / 2), "taken for the variance"),
        (kl(each=lambda m, v: (m**2 + (2 * v).exp() - 1 - v) / 2), "already"),
        (kl(each=lambda m, v: (m**2 + v.exp() - v) / 2), "−1 is missing"),
        (kl(out=lambda d: d.sum(1)), "not one loss per image"),
        (kl(out=lambda d: d.sum(1).mean().detach()), "no gradient"),
    ],
    "14.5": [
        (elbo(total=lambda error, kl: error), "KL"), (elbo(total=lambda error, kl: kl), "squared error is missing"),
        (elbo(total=lambda error, kl: error - kl), "other way round"),
        (elbo(error=lambda d, v: d.pow(2).mean() / (2 * v)), "mean over the pixels"),
        (elbo(error=lambda d, v: d.pow(2).sum() / (2 * v)), "over the batch"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean()), "is the argument used"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / v), "2 is missing"),
        (elbo(error=lambda d, v: d.detach().pow(2).flatten(1).sum(1).mean() / (2 * v)), "back to reconstruction"),
        (elbo(error=lambda d, v: d.pow(2).flatten(1).sum(1).mean() / 2 * v), "brackets"),
        (elbo(error=lambda d, v: d.abs().flatten(1).sum(1).mean() / (2 * v)), "not absolute"),
    ],
    "14.6": [
        (similarity(lambda d: d.pow(2).sum(1).mean()), "½"), (similarity(lambda d: d.pow(2).mean() / 2), "dimensions"),
        (similarity(lambda d: d.pow(2).sum() / 2), "over the batch"),
        (similarity(lambda d: d.norm(dim=1).mean() / 2), "square it"),
        (similarity(lambda d: d.detach().pow(2).sum(1).mean() / 2), "no gradient"),
        (similarity(lambda d: d.abs().sum(1).mean() / 2), "not absolute"),
    ],
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
        (step(result=lambda t: {**t}), "four detached"),
        (step(loss_D=lambda t, gamma: (t["real"] + t["rebuilt"] + t["fake"]) / 3), "wrong factor"),
        (step(loss_G=lambda t, gamma: t["similarity"] + gamma * (t["as real"] + t["fake as real"])), "not of D's"),
        (step(loss_G=lambda t, gamma: 0.01 * t["similarity"] + t["as real"] + t["fake as real"]), "an argument"),
        (step_with_one_backward, "one loss for all"), (step_swapped, "ε first"),
        (step(result=lambda t: {"KL": t["KL"], "similarity": t["similarity"], "D": t["real"] + t["rebuilt"] + t["fake"],
                                "G": t["as real"] + t["fake as real"]}), "detach()"),
    ],
}
