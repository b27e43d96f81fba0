"""Answers to the exercises 11.5, 11.6, 11.7, 11.8, 11.9 and 11.13."""

import torch
from torch import nn
from torch.nn import functional as F


def clip(names=lambda name: True, how=lambda w, b: w.clamp_(-b, b)):
    def clip_weights(critic, bound):
        with torch.no_grad():
            for name, weight in critic.named_parameters():
                if names(name):
                    how(weight, bound)

    return clip_weights


def clip_by_data(critic, bound):
    for weight in critic.parameters():
        weight.data = weight.data.clamp(-bound, bound)


def clip_by_copy(critic, bound):
    for weight in critic.parameters():
        with torch.no_grad():
            weight.copy_(torch.minimum(torch.maximum(weight, torch.full_like(weight, -bound)),
                                       torch.full_like(weight, bound)))


def clip_in_the_open(critic, bound):
    for weight in critic.parameters():
        weight.clamp_(-bound, bound)


def clip_state_dict(critic, bound):
    for value in critic.state_dict().values():
        if value.is_floating_point():
            value.clamp_(-bound, bound)


def clip_and_leave_off(critic, bound):
    torch.set_grad_enabled(False)
    clip()(critic, bound)


def clip_replaces(critic, bound):
    for module in critic.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(weight.detach().clamp(-bound, bound)))


def penalty(share=lambda n, g: torch.rand(n, 1, 1, 1, generator=g), create=True,
            norm=lambda g: g.flatten(1).norm(dim=1), result=lambda n: (n - 1).pow(2).mean()):
    def gradient_penalty(critic, real, fake, generator):
        epsilon = share(len(real), generator).to(real.device)
        between = (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=create)
        return result(norm(gradient))

    return gradient_penalty


def penalty_by_lerp(critic, real, fake, generator):
    share = torch.rand(len(real), generator=generator).to(real.device).view(-1, 1, 1, 1)
    between = torch.lerp(fake, real, share).requires_grad_()
    scores = critic(between)
    gradient = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)[0]
    return ((gradient.pow(2).sum((1, 2, 3)).sqrt() - 1) ** 2).mean()


def penalty_by_vmap(critic, real, fake, generator):
    share = torch.rand(len(real), 1, 1, 1, generator=generator).to(real.device)
    slope = torch.func.vmap(torch.func.grad(lambda x: critic(x[None]).squeeze()))(share * real + (1 - share) * fake)
    return (slope.flatten(1).norm(dim=1) - 1).pow(2).mean()


def penalty_backward(critic, real, fake, generator):
    share = torch.rand(len(real), 1, 1, 1, generator=generator)
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    critic(between).sum().backward(create_graph=True)
    return (between.grad.flatten(1).norm(dim=1) - 1).pow(2).mean()


MATCH = {
    "mse": lambda r, f: F.mse_loss(r.mean(0), f.mean(0)),
    "norm": lambda r, f: (r.mean(0) - f.mean(0)).norm(),
    "abs": lambda r, f: (r.mean(0) - f.mean(0)).abs().sum(),
    "pairs": lambda r, f: torch.cdist(r, f).pow(2).mean(),
    "one mean": lambda r, f: (r.mean() - f.mean()).pow(2),
    "sum": lambda r, f: (r.sum(0) - f.sum(0)).pow(2).sum(),
    "cut": lambda r, f: (r.mean(0) - f.mean(0)).pow(2).sum().detach(),
    "each": lambda r, f: (r.mean(0) - f.mean(0)).pow(2),
}


RIGHT = {
    "11.5": [lambda q, c: -q.log_softmax(1)[torch.arange(len(c)), c].mean(),
             lambda q, c: F.nll_loss(F.log_softmax(q, 1), c)],
    "11.6": [lambda r, f: -(r.mean() - f.mean()), lambda r, f: f.sum() / len(f) - r.sum() / len(r)],
    "11.7": [lambda f: -f.sum() / len(f), lambda f: (-f).mean()],
    "11.8": [clip(), clip_by_data, clip_by_copy],
    "11.9": [penalty(), penalty_by_lerp, penalty_by_vmap],
    "11.13": [lambda r, f: (f.mean(0) - r.mean(0)).square().sum(), lambda r, f: (r.mean(0) - f.mean(0)).norm() ** 2],
}

MUTANTS = {
    "11.5": [
        (lambda q, c: -F.cross_entropy(q, c), "sign"), (lambda q, c: F.cross_entropy(q, c, reduction="sum"), "sum"),
        (lambda q, c: F.cross_entropy(q.softmax(1), c), "twice"), (lambda q, c: F.nll_loss(q, c), "softmax is missing"),
        (lambda q, c: F.nll_loss(q.softmax(1), c), "logarithm is missing"),
        (lambda q, c: F.cross_entropy(q.detach(), c), "gradient"),
        (lambda q, c: F.cross_entropy(q, c, reduction="none"), "scalar"),
        (lambda q, c: -(q.softmax(1) * q.log_softmax(1)).sum(1).mean(), "entropy"),
        (lambda q, c: F.binary_cross_entropy_with_logits(q, F.one_hot(c, 5).float()), "one of k codes"),
    ],
    "11.6": [
        (lambda r, f: r.mean() - f.mean(), "sign"), (lambda r, f: f.sum() - r.sum(), "sum"),
        (lambda r, f: (f.mean() - r.mean()).abs(), "absolute"), (lambda r, f: f.mean() + r.mean(), "pull apart"),
        (lambda r, f: f.sigmoid().mean() - r.sigmoid().mean(), "no sigmoid"), (lambda r, f: -r.mean(), "generated"),
        (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), "no sigmoid"),
        (lambda r, f: f.mean() - r.mean().detach(), "gradient"),
    ],
    "11.7": [
        (lambda f: f.mean(), "sign"), (lambda f: -f.sum(), "sum"), (lambda f: F.softplus(-f).mean(), "no sigmoid"),
        (lambda f: -f.sigmoid().mean(), "no sigmoid"), (lambda f: -f, "scalar"), (lambda f: -f.mean().item(), "tensor"),
        (lambda f: (1 - f).mean(), "no 1"),
    ],
    "11.8": [
        (clip_in_the_open, "no_grad()"), (clip_state_dict, "no weights"), (clip_and_leave_off, "ends by itself"),
        (lambda critic, bound: nn.utils.clip_grad_value_(critic.parameters(), bound), "clips the gradients"),
        (clip(names=lambda name: "bias" not in name), "biases"), (clip(how=lambda w, b: w.clamp_(min=-b)), "one side"),
        (clip(names=lambda name: name.startswith("0")), "biases"),
        (clip(how=lambda w, b: w.clamp(-b, b)), "copy"), (clip(how=lambda w, b: w.clamp_(0, b)), "stay what they are"),
        (clip(how=lambda w, b: w.mul_(b / w.abs().max())), "stay what they are"), (clip_replaces, "optimiser"),
        (clip(how=lambda w, b: w.requires_grad_(False).clamp_(-b, b)), "requires_grad"),
        (clip(how=lambda w, b: w.clamp_(max=b)), "one side"),
    ],
    "11.9": [
        (penalty(share=lambda n, g: torch.rand(n, 2, 1, 1, generator=g)), "one ε per image"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 1, 1, generator=g or torch.Generator())), "generator=None"),
        (penalty(create=False), "create_graph"), (penalty_backward, "leaves it alone"),
        (penalty(result=lambda n: (n - 1).clamp_min(0).pow(2).mean()), "two-sided"),
        (penalty(result=lambda n: (n**2 - 1).pow(2).mean()), "not its square"),
        (penalty(result=lambda n: (n - 1).abs().mean()), "squared"),
        (penalty(result=lambda n: n.pow(2).mean()), "with 1"),
        (penalty(result=lambda n: (n - 1).pow(2).sum()), "sum"),
        (penalty(result=lambda n: 10 * (n - 1).pow(2).mean()), "λ"),
        (penalty(norm=lambda g: g.norm()), "whole batch"),
        (penalty(norm=lambda g: g.flatten(1).abs().sum(1)), "Euclidean"),
        (penalty(norm=lambda g: g.norm(dim=1)), "per image"), (penalty(result=lambda n: (n - 1).pow(2)), "scalar"),
        (penalty(share=lambda n, g: torch.rand(1, 1, 1, 1, generator=g)), "of its own"),
        (penalty(share=lambda n, g: torch.ones(n, 1, 1, 1)), "real image"),
        (penalty(share=lambda n, g: torch.zeros(n, 1, 1, 1)), "generated image"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 4, 4, generator=g) if n > 6 else torch.zeros(n, 1, 1, 1)),
         "per pixel"),
        (penalty(share=lambda n, g: torch.randn(n, 1, 1, 1, generator=g)), "between"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 1, 1)), "generator=generator"),
    ],
    "11.13": [
        (MATCH["mse"], "mean over the features"), (MATCH["norm"], "square it"),
        (MATCH["abs"], "square the differences"),
        (lambda r, f: (r - f).square().sum(1).mean(), "not pair image with image"),
        (lambda r, f: F.mse_loss(r, f), "not pair image with image"),
        (lambda r, f: (r - f[:len(r)]).square().sum(1).mean(), "not pair image with image"),
        (MATCH["pairs"], "mean first"), (MATCH["one mean"], "per feature"), (MATCH["sum"], "sum"),
        (MATCH["cut"], "gradient"), (MATCH["each"], "scalar"),
    ],
}
