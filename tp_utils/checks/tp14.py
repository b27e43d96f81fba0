"""The checks of TP 14: encoder, decoder, the terms of the loss, and the step of three players.

The oracles are the layers seen by hooks and put together by hand, torch.distributions' divergence, sums written out,
and, for the step, three small players whose gradients are computed on copies, each from its own loss.
"""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ..runtime import device
from .compare import NO_RETURN, Wrong, compare, describe, expect_tensor, expect_unchanged, same
from .networks import build, expect_trainable, normal, trace

# What is said to the reader. First what the exercises ask for: the last hint of every mistake.
RECIPE = {
    "14.1": "three times [Conv2d(…, 4, 2, 1), BatchNorm2d, LeakyReLU(0.2)] with channels, w, 2w, 4w; Flatten; "
            "Linear(4w * 16, 2 * nz); .chunk(2, dim=1) makes mean and log_variance of it",
    "14.2": "Linear(nz, 4w * 16), Unflatten(1, (4w, 4, 4)), BatchNorm2d, ReLU; [ConvTranspose2d(…, 4, 2, 1), "
            "BatchNorm2d, ReLU] from 4w to 2w and to w; ConvTranspose2d(w, channels, 4, 2, 1), tanh",
    "14.3": "mean + (0.5 * log_variance).exp() * noise, with noise = torch.randn(mean.shape, generator=generator) on "
            "the device of mean",
    "14.4": "0.5 * (mean**2 + log_variance.exp() - 1 - log_variance): .sum(1) over the dimensions, then .mean()",
    "14.5": "((x - reconstruction)**2).flatten(1).sum(1).mean() / (2 * variance) + "
            "kl_to_standard_normal(mean, log_variance)",
    "14.6": "0.5 * ((features - reconstructed)**2).sum(1).mean()",
    "14.7": "the losses of all three first; torch.autograd.grad(loss, list(player.parameters()), retain_graph=True) "
            "for each player, into its .grad; then the three optimisers' steps",
}

LAYERS = "the layers with weights are, from the input on: {expected}"
GEOMETRY = "kernel 4 × 4, stride 2, padding 1 in all three"
BETWEEN = "behind layer {k} comes batch norm, then {activation}"
LAST = "nothing comes behind the last layer: mean and log variance may be any numbers"
PAIR = "return a pair: (mean, log_variance)"
SWAPPED = "the first nz numbers are the mean, the others the log variance"
INTERLEAVED = "mean and log variance are taken in turn: the first nz numbers are the mean, the others the log variance"
POSITIVE = "the second output is ln σ², as it is: no exp, softplus or ReLU behind it"
NO_TANH = "the last step is tanh: pixels in [−1, 1]"

VARIANCE = "that scales the noise by σ²: the standard deviation is exp(½ log_variance)"
LOG = "that scales the noise by ln σ²: the standard deviation is exp(½ log_variance)"
NO_HALF = "σ = exp(½ log_variance): the ½ is missing or on the wrong side"
ONE_NOISE = "all latents get the same noise: torch.randn(mean.shape, …)"
OTHER_NOISE = "other numbers than mean + σ · torch.randn(mean.shape, generator=generator): is the noise normal?"
SEEDED = "another generator gives the same latents: draw from `generator`"
GLOBAL = "the same generator state must give the same latents: generator=generator"
NO_NONE = "generator=None must work too: torch's own generator"
NO_GRADIENT = "no gradient gets back to {name}: nothing detached, no .data, no torch.normal"
NO_MEAN = "the mean is missing"

SUM = "that is the sum over the batch: its mean"
MEAN = "that is the mean over the dimensions: their sum, then the mean over the batch"
SIGN = "the sign is the other way round: a divergence is never negative"
FACTOR = "the factor ½ is missing"
LOG_AS_VARIANCE = "log_variance is taken for the variance: exp() of it"
SIGMA = "exp(log_variance) is σ² already: do not square it, do not take its root"
NO_ONE = "the −1 is missing: the divergence of N(0, 1) from itself is 0"

NO_KL = "the KL divergence is missing"
NO_ERROR = "the squared error is missing"
PIXEL_MEAN = "that is the mean over the pixels: their sum, then the mean over the batch"
VARIANCE_UNUSED = "divide the squared error by 2 · variance: is the argument used?"
BRACKETS = "/ 2 * variance multiplies by the variance: brackets, / (2 * variance)"
SQUARED_VARIANCE = "`variance` is σ² already: do not square it"
TWO = "divide by 2 · variance: the 2 is missing"
ABSOLUTE = "the error is squared, not absolute"
ROOT = "that is the distance: square it"

TOUCHED = "{name}'s weights must change: {name} has an optimiser, let it step"
WRONG_GRADIENT = "{name} moved by another gradient than that of its own loss"
E_VERDICT = "E learns from D's verdict: its loss is KL + similarity alone"
E_GAMMA = "γ is G's: E's loss is KL + similarity, without it"
E_NO_KL = "E's loss lacks the KL divergence"
E_NO_SIMILARITY = "E's loss lacks the similarity"
G_KL = "G's loss has the KL divergence in it, or γ is missing: γ · similarity − mean ln D(x̂) − mean ln D(x̃)"
G_NO_SIMILARITY = "G's loss lacks γ · similarity"
G_NO_FAKE = "G's loss lacks the images of the prior: − mean ln D(x̃)"
G_NO_REBUILT = "G's loss lacks the reconstructions: − mean ln D(x̂)"
G_SATURATING = "G wants its images taken for real, − mean ln D: that is mean ln(1 − D), or its sign is wrong"
D_SIMILARITY = "D learns from the similarity too: it would make all features alike"
D_NO_FAKE = "D's loss lacks the images of the prior: − mean ln(1 − D(x̃))"
D_NO_REBUILT = "D's loss lacks the reconstructions: − mean ln(1 − D(x̂))"
D_SUM = "D's loss is the sum of its three means"
G_GAMMA = "γ is the weight of the similarity in G's loss, not of D's verdict"
PROPORTIONAL = "{name}'s loss has a wrong factor: each is a plain sum of its terms, each term a mean over the batch"
G_FIXED = "γ is an argument: G's loss takes another number"
ONE_SUM = "one loss for all, or gradients that add up: each player has its own; torch.autograd.grad gives its gradient"
DRAWN_SWAPPED = "the latents of x̃ are drawn before ε: ε first, then torch.randn of the same shape"
D_FIRST = "{name}'s gradient is that after another player has moved: compute all three before the first step"
ACCUMULATED = "gradients that were there before are added: set .grad, or zero_grad() before"
RESULT = "return a dict with the four detached scalars KL, similarity, D and G"
RESULT_VALUE = "the entry {name} of what is returned is not that loss"
ATTACHED = "detach() what you return: else each step keeps its graph"


# ---- 14.1 and 14.2

WEIGHTED = nn.Conv2d | nn.ConvTranspose2d | nn.Linear


def check_14_1(answer):
    recipe = RECIPE["14.1"]
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network = build(answer, recipe, nz=nz, channels=channels, width=width).eval()
        x = normal(3, channels, 32, 32).tanh()
        for module in network.modules():  # large outputs, which a clamp would show
            if isinstance(module, nn.Linear):
                module.weight.data *= 10
        calls, found = trace(network, x, WEIGHTED)
        sizes = [channels, width, 2 * width, 4 * width]
        expect_layers("14.1", calls, [*([nn.Conv2d, *pair] for pair in pairwise(sizes)),
                                      [nn.Linear, 64 * width, 2 * nz]])
        expect_between("14.1", network, calls[:3], [given for _, given, _ in calls[1:4]],
                       lambda y: F.leaky_relu(y, 0.2))
        if not isinstance(found, tuple | list) or len(found) != 2:
            raise Wrong("(mean, log_variance)", describe(found), PAIR, recipe)
        mean, log_variance = calls[3][2].chunk(2, dim=1)
        compare(found[0], mean, [(log_variance, SWAPPED), (calls[3][2][:, ::2], INTERLEAVED)], [LAST, recipe], 1e-3)
        compare(found[1], log_variance, [
            (log_variance.exp(), POSITIVE), (F.softplus(log_variance), POSITIVE), (log_variance.relu(), POSITIVE),
        ], [LAST, recipe], 1e-3)
        expect_trainable(network, x, recipe)


def check_14_2(answer):
    recipe = RECIPE["14.2"]
    for nz, channels, width in ((5, 1, 4), (3, 2, 3)):
        network, z = build(answer, recipe, nz=nz, channels=channels, width=width).eval(), normal(3, nz)
        calls, found = trace(network, z, WEIGHTED)
        sizes = [4 * width, 2 * width, width, channels]
        expect_layers("14.2", calls, [[nn.Linear, nz, 64 * width],
                                      *([nn.ConvTranspose2d, *pair] for pair in pairwise(sizes))])
        small = calls[0][2].view(3, 4 * width, 4, 4)
        expect_between("14.2", network, [(calls[0][0], z, small), *calls[1:3]], [given for _, given, _ in calls[1:]],
                       F.relu)
        last = calls[3][2]
        compare(found, last.tanh(), [(last, NO_TANH), (last.sigmoid(), NO_TANH), (last.clamp(-1, 1), NO_TANH),
                                     ((last.tanh() + 1) / 2, NO_TANH)], [recipe], 1e-3, torch.float32)
        expect_trainable(network, z, recipe)


def expect_layers(exercise, calls, expected):
    """Raise Wrong unless these layers were used: [kind, inputs, outputs], convolutions 4 × 4 that halve or double."""
    def words(kind, inputs, outputs):
        return f"{kind.__name__} {inputs} → {outputs}"

    def sizes(layer):
        return (layer.in_features, layer.out_features) if isinstance(layer, nn.Linear) else (
            layer.in_channels, layer.out_channels)

    wanted = ", ".join(words(*one) for one in expected)
    found = ", ".join(words(type(layer), *sizes(layer)) for layer, *_ in calls) or "none"
    if found != wanted:
        raise Wrong(wanted, found, LAYERS.format(expected=wanted), RECIPE[exercise])
    for layer, *_ in calls:
        if not isinstance(layer, nn.Linear) and (layer.kernel_size, layer.stride, layer.padding) != (
                (4, 4), (2, 2), (1, 1)):
            raise Wrong("kernel 4, stride 2, padding 1", f"{layer.kernel_size}, {layer.stride}, {layer.padding}",
                        GEOMETRY, RECIPE[exercise])


def expect_between(exercise, network, calls, entered, activation):
    """Raise Wrong unless batch norm and activation are between each layer's output and the next one's input."""
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    for k, ((_, _, out), given) in enumerate(zip(calls, entered, strict=True), 1):
        right = [activation(norm(out)) for norm in norms if norm.num_features == out.shape[1]]
        if not any(given.numel() == value.numel() and same(given.flatten(), value.flatten()) for value in right):
            name = "ReLU" if activation is F.relu else "LeakyReLU(0.2)"
            raise Wrong(f"batch norm and {name} behind layer {k}", "something else",
                        BETWEEN.format(k=k, activation=name), RECIPE[exercise])


# ---- 14.3


def check_14_3(answer):
    recipe, n, nz = RECIPE["14.3"], 400, 5
    mean = normal(n, nz).requires_grad_(True)
    log_variance = (2 * normal(1, nz, seed=1)).expand(n, nz).clone().requires_grad_(True)
    before = mean.detach().clone(), log_variance.detach().clone()

    def drawn(seed):
        return answer(mean, log_variance, torch.Generator().manual_seed(seed))

    found = drawn(0)
    expect_tensor(found, [n, nz], torch.float32, (recipe,))
    for old, new, name in zip(before, (mean, log_variance), ("mean", "log_variance"), strict=True):
        expect_unchanged(old, new.detach(), name)
    if not torch.equal(found, drawn(0)):
        raise Wrong("the same latents from the same generator", "others", GLOBAL, recipe)
    if torch.equal(found, drawn(1)):
        raise Wrong("other latents from another generator", "the same", SEEDED, recipe)
    noise = torch.randn(n, nz, generator=torch.Generator().manual_seed(0)).to(device())
    variance = log_variance.exp()
    compare(found, (mean + variance.sqrt() * noise).detach(), [
        (mean + variance * noise, VARIANCE), (mean + log_variance * noise, LOG), (mean + variance**2 * noise, NO_HALF),
        (mean + 0.5 * variance * noise, NO_HALF), (variance.sqrt() * noise, NO_MEAN), (mean + noise, LOG),
    ], [ONE_NOISE if found.sub(mean).std(0).max() < 1e-3 else OTHER_NOISE, recipe], 1e-4)
    for name, leaf in (("mean", mean), ("log_variance", log_variance)):
        gradient = torch.autograd.grad(found.sum(), leaf, retain_graph=True, allow_unused=True)[0] \
            if found.requires_grad else None
        if gradient is None or not gradient.any():
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name), recipe)
    try:
        torch.manual_seed(5)
        one, other = answer(mean, log_variance), answer(mean, log_variance)
        torch.manual_seed(5)
        again = answer(mean, log_variance)
    except TypeError as error:
        raise Wrong("latents", f"TypeError: {error}", NO_NONE, recipe) from None
    if torch.equal(one, other) or not torch.equal(one, again):
        raise Wrong("without a generator: other latents at each call, the same after the same torch.manual_seed",
                    "the same latents" if torch.equal(one, other) else "others", NO_NONE, recipe)


# ---- 14.4 to 14.6


def expect_gradient(loss, exercise, **leaves):
    """Raise Wrong unless a loss sends a gradient back to all of these inputs."""
    found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True) if loss.requires_grad else [None]
    for name, gradient in zip(leaves, found, strict=False):
        if gradient is None:
            raise Wrong(f"a gradient to {name}", "none", NO_GRADIENT.format(name=name), RECIPE[exercise])


def check_14_4(answer):
    recipe, mean, log_variance = RECIPE["14.4"], normal(6, 4), 0.7 * normal(6, 4, seed=1)
    from torch.distributions import Normal, kl_divergence

    each = kl_divergence(Normal(mean, log_variance.exp().sqrt()), Normal(torch.zeros_like(mean), 1.0))
    right = each.sum(1).mean()

    def terms(variance, one=1.0, logarithm=log_variance):
        return 0.5 * (mean**2 + variance - one - logarithm).sum(1).mean()

    found = answer(mean.requires_grad_(True), log_variance.requires_grad_(True))
    compare(found, right, [
        (each.sum(), SUM), (each.mean(), MEAN), (each.mean(1).sum(), MEAN), (each.sum(1), SUM),
        (each.sum(0).mean(), MEAN),
        (-right, SIGN), (2 * right, FACTOR), (terms(variance=log_variance), LOG_AS_VARIANCE),
        (terms(variance=log_variance, logarithm=log_variance.abs().log()), LOG_AS_VARIANCE),
        (terms(variance=log_variance**2, logarithm=(log_variance**2).log()), LOG_AS_VARIANCE),
        (terms(variance=(2 * log_variance).exp()), SIGMA), (terms(variance=(0.5 * log_variance).exp()), SIGMA),
        (terms(log_variance.exp(), one=0.0), NO_ONE),
    ], [recipe])
    expect_gradient(found, "14.4", mean=mean, log_variance=log_variance)


def check_14_5(answer):
    recipe = RECIPE["14.5"]
    x, back = normal(5, 2, 3, 4), normal(5, 2, 3, 4, seed=1)
    mean, log_variance = normal(5, 6, seed=2), normal(5, 6, seed=3)
    for leaf in (back, mean, log_variance):
        leaf.requires_grad_(True)
    squares = ((x - back) ** 2).flatten(1)
    kl = 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean()
    for variance in (0.1, 0.7):
        error = squares.sum(1).mean() / (2 * variance)
        found = answer(x, back, mean, log_variance, *([] if variance == 0.1 else [variance]))
        compare(found, error + kl, [
            (error, NO_KL), (kl, NO_ERROR), (squares.mean() / (2 * variance) + kl, PIXEL_MEAN),
            (squares.sum() / (2 * variance) + kl, SUM), (squares.sum(1).mean() + kl, VARIANCE_UNUSED),
            (squares.sum(1).mean() / 2 + kl, VARIANCE_UNUSED), (squares.sum(1).mean() / 0.2 + kl, VARIANCE_UNUSED),
            (2 * error + kl, TWO), (error - kl, SIGN), (kl - error, SIGN), (-error - kl, SIGN),
            (squares.sqrt().sum(1).mean() / (2 * variance) + kl, ABSOLUTE),
            (squares.sum(1).sqrt().mean() / (2 * variance) + kl, ROOT), (error * variance**2 + kl, BRACKETS),
            (error / variance + kl, SQUARED_VARIANCE),
        ], [recipe])
        expect_gradient(found, "14.5", reconstruction=back, mean=mean, log_variance=log_variance)


def check_14_6(answer):
    features, back = normal(5, 7), normal(5, 7, seed=1).requires_grad_(True)
    squares = (features - back) ** 2
    right = 0.5 * squares.sum(1).mean()
    found = answer(features, back)
    compare(found, right, [
        (2 * right, FACTOR), (squares.mean(), MEAN), (0.5 * squares.mean(), MEAN), (0.5 * squares.sum(), SUM),
        (squares.sum(), SUM), (0.5 * squares.sqrt().sum(1).mean(), ABSOLUTE),
        (0.5 * squares.sum(1).sqrt().mean(), ROOT),
        (-right, SIGN), (0.5 * (features.mean(0) - back.mean(0)).pow(2).sum(), SUM),
    ], [RECIPE["14.6"]])
    expect_gradient(found, "14.6", reconstructed=back)


# ---- 14.7


class SmallEncoder(nn.Module):
    def __init__(self, nz):
        super().__init__()
        self.layer = nn.Linear(16, 2 * nz)

    def forward(self, x):
        return self.layer(x.flatten(1)).tanh().chunk(2, dim=1)


class SmallDiscriminator(nn.Module):
    def __init__(self):
        super().__init__()
        self.below, self.above = nn.Linear(16, 6), nn.Linear(6, 1)

    def features(self, x):
        return self.below(x.flatten(1)).tanh()

    def forward(self, x):
        return self.above(self.features(x)).flatten()


RATE, GAMMA, NZ = 0.1, 0.3, 3


def check_14_7(answer):
    recipe = RECIPE["14.7"]
    players = {"E": SmallEncoder(NZ), "G": nn.Sequential(nn.Linear(NZ, 16), nn.Tanh(), nn.Unflatten(1, (1, 4, 4))),
               "D": SmallDiscriminator()}
    for k, player in enumerate(players.values()):
        player.to(device())
        for j, weight in enumerate(player.parameters()):
            weight.data = 0.6 * normal(*weight.shape, seed=10 * k + j)
            weight.grad = torch.ones_like(weight)  # left over from before
    x = normal(8, 1, 4, 4, seed=50).tanh()
    before = copy.deepcopy(players)
    optimisers = {name: torch.optim.SGD(player.parameters(), RATE) for name, player in players.items()}
    found = answer(*players.values(), optimisers, x, torch.Generator().manual_seed(3), GAMMA)
    if found is None:
        raise Wrong("a dict of four scalars", "None", NO_RETURN, recipe)
    losses = losses_of(before, x)
    swapped = losses_of(before, x, swapped=True)
    for name in "EGD":
        expect_step(name, players[name], before, losses, swapped)
    expect_result(found, losses)


def losses_of(players, x, swapped=False):
    """{name: scalar with its graph}: all terms of the three losses, of these players; swapped: x̃'s latents first."""
    E, G, D = players.values()
    generator = torch.Generator().manual_seed(3)
    mean, log_variance = E(x)
    draws = [torch.randn(mean.shape, generator=generator).to(x.device) for _ in range(2)]
    noise, z = draws[::-1] if swapped else draws
    back, fake = G(mean + (log_variance / 2).exp() * noise), G(z)
    return {
        "KL": 0.5 * (mean**2 + log_variance.exp() - 1 - log_variance).sum(1).mean(),
        "similarity": 0.5 * (D.features(x) - D.features(back)).pow(2).sum(1).mean(),
        "real": F.softplus(-D(x)).mean(), "rebuilt": F.softplus(D(back)).mean(), "fake": F.softplus(D(fake)).mean(),
        "as real": F.softplus(-D(back)).mean(), "fake as real": F.softplus(-D(fake)).mean(),
    }


AIMS = {  # {player: {loss: weight}}
    "E": {"KL": 1, "similarity": 1},
    "G": {"similarity": GAMMA, "as real": 1, "fake as real": 1},
    "D": {"real": 1, "rebuilt": 1, "fake": 1},
}
MISTAKES = {  # {player: [(loss, hint)]}
    "E": [({"KL": 1, "similarity": 1, "as real": 1}, E_VERDICT), ({"KL": 1, "similarity": GAMMA}, E_GAMMA),
          ({"KL": 1, "similarity": 1, "as real": 1, "fake as real": 1}, E_VERDICT), ({"similarity": 1}, E_NO_KL),
          ({"KL": 1, "similarity": GAMMA, "as real": 1}, E_VERDICT), ({"KL": 1}, E_NO_SIMILARITY),
          ({"KL": 1, "similarity": 1 + GAMMA, "as real": 1}, E_VERDICT),
          ({"KL": 1, "similarity": 1, "as real": 1, "rebuilt": 1}, ONE_SUM),
          ({"KL": 1, "similarity": 1 + GAMMA, "as real": 1, "rebuilt": 1}, ONE_SUM)],
    "G": [({"similarity": 1, "as real": 1, "fake as real": 1}, G_KL),
          ({"similarity": 1 + GAMMA, "as real": 1, "fake as real": 1}, G_KL),
          ({"as real": 1, "fake as real": 1}, G_NO_SIMILARITY), ({"similarity": GAMMA, "as real": 1}, G_NO_FAKE),
          ({"similarity": GAMMA, "fake as real": 1}, G_NO_REBUILT),
          ({"similarity": GAMMA, "rebuilt": -1, "fake": -1}, G_SATURATING),
          ({"similarity": GAMMA, "rebuilt": 1, "fake": 1}, G_SATURATING),
          ({"similarity": 1, "as real": GAMMA, "fake as real": GAMMA}, G_GAMMA),
          ({"similarity": 0.01, "as real": 1, "fake as real": 1}, G_FIXED),
          ({"KL": 1, "similarity": 1 + GAMMA, "as real": 1, "fake as real": 1}, ONE_SUM),
          ({"KL": 1, "similarity": 1 + GAMMA, "as real": 1, "fake as real": 1, "rebuilt": 1, "fake": 1}, ONE_SUM),
          ({"KL": 1, "similarity": 1, "as real": 1, "fake as real": 1, "rebuilt": 1, "fake": 1}, ONE_SUM)],
    "D": [({"real": 1, "rebuilt": 1, "fake": 1, "similarity": 1}, D_SIMILARITY),
          ({"real": 1, "rebuilt": 1, "fake": 1, "similarity": GAMMA}, D_SIMILARITY),
          ({"real": 1, "rebuilt": 1}, D_NO_FAKE), ({"real": 1, "fake": 1}, D_NO_REBUILT),
          ({"real": 1, "rebuilt": 0.5, "fake": 0.5}, D_SUM)],
}


def gradient(player, losses, weights):
    """The gradient of a weighted sum of losses with respect to a player's weights, as one vector."""
    total = sum(weight * losses[name] for name, weight in weights.items())
    found = torch.autograd.grad(total, list(player.parameters()), retain_graph=True, allow_unused=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten()
                      for w, g in zip(player.parameters(), found, strict=True)])


def expect_step(name, player, before, losses, swapped):
    """Raise Wrong unless the player moved by the gradient of its own loss."""
    recipe, old = RECIPE["14.7"], before[name]
    moved = nn.utils.parameters_to_vector(old.parameters()) - nn.utils.parameters_to_vector(player.parameters())
    found = (moved / RATE).detach()
    if not found.any():
        raise Wrong(f"{name} moved", "it did not", TOUCHED.format(name=name), recipe)
    right = gradient(old, losses, AIMS[name])
    if same(found, right, 1e-3):
        return
    hint = next((hint for weights, hint in MISTAKES[name] if same(found, gradient(old, losses, weights), 1e-3)), None)
    if hint is None and same(found, right + 1, 1e-3):
        hint = ACCUMULATED
    if hint is None and same(found, gradient(old, swapped, AIMS[name]), 1e-3):
        hint = DRAWN_SWAPPED
    if hint is None and same(found / found.norm(), right / right.norm(), 1e-3):
        hint = PROPORTIONAL.format(name=name)
    if hint is None and torch.cosine_similarity(found, right, dim=0) > 0.98:
        hint = D_FIRST.format(name=name)
    raise Wrong(f"a step of {name} down the gradient of its loss", "another step",
                hint or WRONG_GRADIENT.format(name=name), recipe)


def expect_result(found, losses):
    recipe = RECIPE["14.7"]
    if not isinstance(found, dict) or set(found) != {"KL", "similarity", "D", "G"}:
        raise Wrong("{'KL', 'similarity', 'D', 'G'}", describe(sorted(found) if isinstance(found, dict) else found),
                    RESULT, recipe)
    right = {"KL": losses["KL"], "similarity": losses["similarity"],
             "D": losses["real"] + losses["rebuilt"] + losses["fake"], "G": losses["as real"] + losses["fake as real"]}
    for name, value in right.items():
        compare(found[name], value.detach(), [], [RESULT_VALUE.format(name=name), recipe])
        if found[name].requires_grad:
            raise Wrong(f"{name} without a graph", "with one", ATTACHED, recipe)
