"""Exercise 14.7: a step of three players, with its losses and updates recomputed."""

import copy
from itertools import permutations

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe, same
from ..kit.networks import normal

# What is said to the reader.
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
MOVED = "{name}'s gradient is that after another player has moved: compute all three gradients before the first step"
STEP_BETWEEN = ("a player has moved while another one's gradient was still to come: all three gradients first "
                "(torch.autograd.grad), then the three steps")
ACCUMULATED = "gradients that were there before are added: set .grad, or zero_grad() before"
RESULT = "return a dict with the four detached scalars KL, similarity, D and G"
RESULT_VALUE = "the entry {name} of what is returned is not that loss"
ATTACHED = "detach() what you return: else each step keeps its graph"
RATE, GAMMA, NZ = 0.1, 0.3, 3
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


def check_14_7(answer):
    """the losses of all three first; torch.autograd.grad(loss, list(player.parameters()), retain_graph=True) for each
    player, into its .grad; then the three optimisers' steps"""
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
    try:
        found = answer(*players.values(), optimisers, x, torch.Generator().manual_seed(3), GAMMA)
    except RuntimeError as error:
        if "modified by an inplace operation" not in str(error):
            raise
        found = f"RuntimeError: {str(error).splitlines()[0]}"
        raise Wrong("three gradients of the same game", found, STEP_BETWEEN) from None
    if found is None:
        raise Wrong("a dict of four scalars", "None", NO_RETURN)
    losses = losses_of(before, x)
    swapped = losses_of(before, x, swapped=True)
    for name in "EGD":
        expect_step(name, players[name], before, losses, swapped, x)
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


def gradient(player, losses, weights):
    """The gradient of a weighted sum of losses with respect to a player's weights, as one vector."""
    total = sum(weight * losses[name] for name, weight in weights.items())
    found = torch.autograd.grad(total, list(player.parameters()), retain_graph=True, allow_unused=True)
    return torch.cat([(torch.zeros_like(w) if g is None else g).flatten()
                      for w, g in zip(player.parameters(), found, strict=True)])


def one_after_another(before, x, name):
    """The gradients of one player where another one, or both, have moved before it, each by its own loss."""
    for order in permutations(AIMS):
        players = copy.deepcopy(before)
        for mover in order[:order.index(name)]:
            slope = gradient(players[mover], losses_of(players, x), AIMS[mover])
            weights = nn.utils.parameters_to_vector(players[mover].parameters()).detach()
            nn.utils.vector_to_parameters(weights - RATE * slope, players[mover].parameters())
        yield gradient(players[name], losses_of(players, x), AIMS[name])


def expect_step(name, player, before, losses, swapped, x):
    """Raise Wrong unless the player moved by the gradient of its own loss."""
    old = before[name]
    moved = nn.utils.parameters_to_vector(old.parameters()) - nn.utils.parameters_to_vector(player.parameters())
    found = (moved / RATE).detach()
    if not found.any():
        raise Wrong(f"{name} moved", "it did not", TOUCHED.format(name=name))
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
    if hint is None and any(same(found, other, 1e-3) for other in one_after_another(before, x, name)):
        hint = MOVED.format(name=name)
    raise Wrong(f"a step of {name} down the gradient of its loss", "another step",
                hint or WRONG_GRADIENT.format(name=name))


def expect_result(found, losses):
    if not isinstance(found, dict) or set(found) != {"KL", "similarity", "D", "G"}:
        raise Wrong("{'KL', 'similarity', 'D', 'G'}", describe(sorted(found) if isinstance(found, dict) else found),
                    RESULT)
    right = {"KL": losses["KL"], "similarity": losses["similarity"],
             "D": losses["real"] + losses["rebuilt"] + losses["fake"], "G": losses["as real"] + losses["fake as real"]}
    for name, value in right.items():
        compare(found[name], value.detach(), [], [RESULT_VALUE.format(name=name)])
        if found[name].requires_grad:
            raise Wrong(f"{name} without a graph", "with one", ATTACHED)
