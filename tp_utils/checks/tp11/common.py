"""What the checks of TP 11 share."""

import torch

from ..kit.compare import NO_RETURN, Wrong, compare, describe, same

# What is said to the reader. First what the exercises ask for: the second hint of most mistakes.
RECIPE = {
    "11.1": "order = torch.randperm(N, generator=generator); None: its first n; otherwise, for each class, the first "
            "per_class of order[labels[order] == k], and torch.cat of them",
    "11.2": "draw angle, scale and two shifts for each image (torch.rand(N, generator=generator)), stack them to "
            "matrices [N, 2, 3], then F.affine_grid and F.grid_sample",
    "11.3": "[Conv2d(…, 3, padding=1), BatchNorm2d, ReLU] with 32 and 32 channels, MaxPool2d(2), the same with 64 and "
            "64, MaxPool2d(2), Flatten, Dropout(0.5), Linear(64 * 7 * 7, classes)",
    "11.4": "network = copy.deepcopy(discriminator); network.last = nn.Linear(network.last.in_features, classes); "
            "network.requires_grad_(True), for the discriminator may come frozen",
    "11.5": "F.cross_entropy(code_logits, codes): it takes the logarithm of the softmax itself",
    "11.6": "fake_scores.mean() - real_scores.mean(): the critic wants high scores for real images",
    "11.7": "-fake_scores.mean(): G wants high scores for its images",
    "11.8": "loop over critic.parameters(), under torch.no_grad(), weight.clamp_(-bound, bound)",
    "11.9": "x̂ = share * real + (1 - share) * fake with requires_grad; torch.autograd.grad(critic(x̂).sum(), x̂, "
            "create_graph=True)[0]; flatten(1).norm(dim=1); mean of (norm - 1)²",
    "11.10": "F.cross_entropy(labelled_logits, labels) + F.softplus(-real).mean() + F.softplus(fake).mean(), where "
             "real and fake are the logsumexp(1) of their logits",
    "11.11": "sure, labels = logits.softmax(1).max(1); the indices where sure > threshold, and the labels there",
    "11.12": "recall = diagonal / sum of the row; a weight that grows with 1 - recall; divide by the mean",
    "11.13": "(real_features.mean(0) - fake_features.mean(0)).pow(2).sum()",
}
SUM = "that is a sum: take the mean"
SIGN = "the sign is wrong: "
EACH = "a scalar: take the mean over the images"
CUT = "the loss has no gradient, so nothing can be trained with it: no .item(), no .detach(), no torch.no_grad()"
RESEEDED = "draw from `generator` itself; torch.manual_seed changes what everybody else draws"
NO_NONE = "generator=None must work: torch's own generator, which torch's functions take by themselves then"

GLOBAL = "two generators with the same seed must give the same draw: draw with generator=generator"

SOFTMAX_TWICE = "the softmax is applied twice: F.cross_entropy takes logits"


def drawn(seed):
    return torch.Generator().manual_seed(seed)


def expect_randomness(call, recipe):
    """Raise Wrong unless call(generator) leaves torch's own generator alone, and call(None) draws from it."""
    state = torch.get_rng_state()
    call(drawn(1))
    if not torch.equal(state, torch.get_rng_state()):
        raise Wrong("torch's own generator left as it was", "its state has changed", RESEEDED, recipe)
    try:
        one, other = call(None), call(None)
        torch.set_rng_state(state)
        again = call(None)
    except (TypeError, AttributeError) as error:
        raise Wrong("an answer without a generator too", f"{type(error).__name__}: {error}", NO_NONE, recipe) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other numbers at each call, from torch's own generator",
                    "the same at each call" if torch.equal(one, other) else "others", NO_NONE, recipe)


def expect_scalar(answer, inputs, expected, mistakes, recipe):
    """Raise Wrong unless answer(*inputs) is the expected scalar, with a gradient for each input that asks for one."""
    found = answer(*inputs)
    if found is None:
        raise Wrong("a scalar tensor", "None", NO_RETURN, recipe)
    if isinstance(found, torch.Tensor) and found.numel() > 1:
        raise Wrong("a scalar tensor", describe(found), EACH, recipe)
    if isinstance(found, torch.Tensor) and not same(found, expected, 1e-4):
        for value, hint in mistakes:
            if not same(value, expected, 1e-4) and same(found, value, 1e-4):
                raise Wrong(describe(expected), describe(found), hint, recipe)
    compare(found, expected, (), (recipe,))
    learning = [each for each in inputs if isinstance(each, torch.Tensor) and each.requires_grad]
    if learning and not found.requires_grad:
        raise Wrong("a loss with a gradient", "a loss without", CUT, recipe)
    return torch.autograd.grad(found, learning, allow_unused=True) if learning else ()
