"""Exercises 10.7 and 10.8: steps watched by two players with one row of weights per label."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import Wrong, compare, describe, run, same
from ..kit.networks import normal
from .common import labels

# What is said to the reader.
NO_Y = "{name} is called without labels: both players are told y, at every call"
NOT_LABELS = "{name} gets y as int64 [N]: it turns it into one-hot vectors or planes itself"
WRONG_INPUT = "{name} gets something of another shape: D(images, labels), G(latents, labels)"
OWN_Z = "G's images are not made of the z that is given"
G_LABELS = "G is told other labels than y: the same labels, in the same order, as D gets"
NO_REAL = "D does not see the images x as they are"
NO_FAKE = "D does not see what G makes of z and y"
REAL_LABELS = "beside the real images, D gets other labels than y"
FAKE_LABELS = "beside G's images, D gets other labels than those G was told: the same y, not shuffled, not drawn anew"
HALF = "that is half the loss: the two means are added, not averaged"
ONLY_REAL = "that is the loss on real images only: add the loss on G's images"
ONLY_FAKE = "that is the loss on G's images only: add the loss on real images"
TARGETS = "the targets have changed places: 1 for x, 0 for G's images"
G_TARGETS = "that is what D minimises: for G's loss, the target of G's images is 1"
SATURATING = "that is the saturating loss, ln(1 − D(x̃)): take the non-saturating −ln D(x̃)"
SUM = "the loss is a mean over the images, not a sum"
TWICE = "a sigmoid too many: binary_cross_entropy_with_logits takes D's logits as they are"
SIGN = "the sign of the loss: it is minimised, so it has a minus in front of the logarithms"
ATTACHED = "the loss still carries its graph: return loss.detach()"
NOT_TENSOR = "return the loss as a tensor with one number: loss.detach()"
NO_STEP = "{name} has not moved: backward, then optimiser_{name}.step(), and no zero_grad between the two"
CUT_OFF = "G gets no gradient: in its own step, G's images keep their graph (no detach, no no_grad)"
LEFT_OVER = "gradients left over from before are in the update: optimiser_{name}.zero_grad() before backward()"
UPHILL = "{name} moves against its aim: the optimiser minimises the loss that you give to backward()"
TWO_STEPS = "one update, not two: add up both losses, then a single step"
OTHER_UPDATE = "the loss is right, the update is not: it follows the gradient of the whole loss"
OTHER_OPTIMISER = "with Adam the update is another one: leave it to optimiser_{name}.step()"
MOVED = "{name} has moved: this step is the other player's, and the other optimiser's"
NO_DETACH = "G has got gradients: D's loss goes back into G; make the images under no_grad, or detach() them"
CLEARED = "G's gradients were cleared: this step leaves them alone, optimiser_D.zero_grad() clears D's"
ONE_BATCH = "D sees real and generated images in one batch, and its batch norm would mix them: call D twice"
MODE = "{name} ran in eval mode: both play in the mode they are in, so leave train() and eval() alone"
FROZEN = "{name} is left frozen or in another mode (requires_grad, train/eval): put it back as it was"

IMAGES = 6


class Player(nn.Module):
    """One row of weights per label; it keeps what it is shown, and gradients are left over from before."""

    def __init__(self, name, seed, shape):
        super().__init__()
        self.name, self.shape, self.inputs, self.labels, self.graph = name, shape, [], [], False
        self.weight = nn.Parameter(0.7 * normal(4, 4, seed=seed))
        self.weight.grad = normal(4, 4, seed=seed + 1)
        self.before = self.weight.detach().clone()
        self.left_over = self.weight.grad.clone()

    def keep(self, inputs, y):
        if y is None:
            raise Wrong(f"{self.name} called with labels", "no labels", NO_Y.format(name=self.name))
        if not isinstance(y, torch.Tensor) or y.dtype != torch.int64 or y.ndim != 1:
            raise Wrong("labels int64 [N]", describe(y), NOT_LABELS.format(name=self.name))
        if not isinstance(inputs, torch.Tensor) or inputs.shape != (len(y), *self.shape):
            expected = f"{[len(y), *self.shape]} into {self.name}, with {len(y)} labels"
            raise Wrong(expected, describe(inputs), WRONG_INPUT.format(name=self.name))
        if not self.training:
            raise Wrong(f"{self.name} in train mode, as it was", f"{self.name} in eval mode",
                        MODE.format(name=self.name))
        if len(y) > IMAGES:
            raise Wrong("x and G(z, y) as two batches", f"{len(y)} images together", ONE_BATCH)
        self.graph |= inputs.requires_grad
        self.inputs += inputs.detach().clone().flatten(1)
        self.labels += y.tolist()

    def told(self, thing):
        """The labels that it got beside a thing."""
        thing = thing.flatten()
        return {y for one, y in zip(self.inputs, self.labels, strict=True) if same(one, thing, 1e-5)}


class LinearG(Player):
    """x̃ = row of the label + z."""

    def forward(self, z, y=None):
        self.keep(z, y)
        return (self.weight[y] + z.flatten(1)).view(-1, 1, 2, 2)


class LinearD(Player):
    """logit = row of the label · x."""

    def forward(self, x, y=None):
        self.keep(x, y)
        return (self.weight[y] * x.flatten(1)).sum(1)


class Game:
    """The two players, six images x, labels y, latents z, and in closed form the logits and what D and G should do."""

    def __init__(self):
        self.D, self.G = LinearD("D", 1, (1, 2, 2)).to(device()), LinearG("G", 3, (4, 1, 1)).to(device())
        self.x, self.z = normal(IMAGES, 1, 2, 2, seed=5), normal(IMAGES, 4, 1, 1, seed=6)
        self.y = labels([2, 0, 3, 0, 1, 2])
        self.fake = self.G.before[self.y] + self.z.flatten(1)
        self.real_logits = self.logits(self.x.flatten(1))
        self.fake_logits = self.logits(self.fake)

    def logits(self, images, weight=None):
        return ((self.D.before if weight is None else weight)[self.y] * images).sum(1)

    def by_label(self, rows):
        """The gradient of a mean over the images, from what each image adds to its label's row."""
        return torch.zeros(4, 4, device=device()).index_add(0, self.y, rows) / len(self.y)

    def real_gradient(self):
        return self.by_label(-torch.sigmoid(-self.real_logits)[:, None] * self.x.flatten(1))

    def fake_gradient(self, weight=None):
        return self.by_label(torch.sigmoid(self.logits(self.fake, weight))[:, None] * self.fake)

    def generator_gradient(self):
        return self.by_label(-torch.sigmoid(-self.fake_logits)[:, None] * self.D.before[self.y])

    def expect_told(self, images, missing, mistaken):
        """Raise Wrong unless D got each image's own label beside it."""
        for image, y in zip(images, self.y.tolist(), strict=True):
            found = self.D.told(image)
            if not found:
                raise Wrong("each image and its label given to D", "an image that D has not seen", missing)
            if found != {y}:
                raise Wrong(f"label {y} beside an image", f"label {', '.join(map(str, sorted(found)))}", mistaken)

    def expect_generated(self):
        """Raise Wrong unless G made an image of each z, with the label that belongs to it."""
        if not self.G.inputs:
            raise Wrong("G(z, y)", "G is not called", NO_FAKE)
        for z, y in zip(self.z, self.y.tolist(), strict=True):
            found = self.G.told(z)
            if not found:
                raise Wrong("G(z, y)", "a z that G has not got", OWN_Z)
            if found != {y}:
                raise Wrong(f"label {y} beside a z", f"label {', '.join(map(str, sorted(found)))}", G_LABELS)

    def expect_loss(self, found, right, mistakes):
        if not isinstance(found, torch.Tensor) and found is not None:
            raise Wrong("the loss, a tensor with one number", describe(found), NOT_TENSOR)
        compare(found, right, mistakes, dtype=torch.float32)
        if found.requires_grad:
            raise Wrong("a loss without gradient", "requires_grad=True", ATTACHED)

    def expect_left_alone(self, player):
        name = player.name
        if not torch.equal(player.weight, player.before):
            raise Wrong(f"{name} left as it was", f"other weights of {name}", MOVED.format(name=name))

    def expect_not_frozen(self):
        for player in (self.D, self.G):
            if not (player.training and player.weight.requires_grad):
                raise Wrong(f"{player.name} in train mode, with requires_grad", "another mode",
                            FROZEN.format(name=player.name))


def expect_update(player, rate, gradient, mistakes):
    """Raise Wrong unless the player has made one step of SGD."""
    name, before = player.name, player.before
    compare(player.weight.detach(), before - rate * gradient, [
        (before, NO_STEP.format(name=name)), (before + rate * gradient, UPHILL.format(name=name)),
        *((before - rate * (wrong + player.left_over), LEFT_OVER.format(name=name)) for wrong in (gradient, 0)),
        *mistakes, (player.weight, OTHER_UPDATE),
    ])


def expect_adam(player, rate, gradient):
    """The first step of Adam: the gradient's sign, nearly."""
    right = player.before - rate * gradient / (gradient.abs() + 1e-8)
    compare(player.weight.detach(), right, hints=[OTHER_OPTIMISER.format(name=player.name)])


def check_10_7(answer, rate=0.5):
    """fake = G(z, y) without its graph; loss = discriminator_loss(D(x, y), D(fake, y)); zero_grad, backward, step with
    optimiser_D; return loss.detach()"""
    game = Game()
    D, G = game.D, game.G
    found = run(answer, D, G, game.x, game.y, game.z, torch.optim.SGD([D.weight], rate))
    game.expect_told(game.x, NO_REAL, REAL_LABELS)
    game.expect_generated()
    game.expect_told(game.fake, NO_FAKE, FAKE_LABELS)
    game.expect_left_alone(G)
    if not same(G.weight.grad if G.weight.grad is not None else 0 * G.weight, G.left_over):
        hint = CLEARED if G.weight.grad is None or not G.weight.grad.any() else NO_DETACH
        raise Wrong("G's gradients left as they were", "other gradients", hint)
    real, fake = F.softplus(-game.real_logits), F.softplus(game.fake_logits)
    probabilities = game.real_logits.sigmoid(), game.fake_logits.sigmoid()
    right, swapped = (real + fake).mean(), F.softplus(game.real_logits) + F.softplus(-game.fake_logits)
    twice = F.softplus(-probabilities[0]) + F.softplus(probabilities[1])
    gradients = game.real_gradient(), game.fake_gradient()
    between = D.before - rate * gradients[0]
    late = F.softplus(game.logits(game.fake, between))
    mistakes = [(right / 2, HALF), (real.mean(), ONLY_REAL), (fake.mean(), ONLY_FAKE), (swapped.mean(), TARGETS),
                (6 * right, SUM), (twice.mean(), TWICE), (-right, SIGN), (right[None], NOT_TENSOR),
                ((real + late).mean(), TWO_STEPS)]
    game.expect_loss(found, right, mistakes)
    expect_update(D, rate, sum(gradients), [
        (D.before - rate * sum(gradients) / 2, HALF), (between, ONLY_REAL), (D.before - rate * gradients[1], ONLY_FAKE),
        (between - rate * game.fake_gradient(between), TWO_STEPS), (between - rate * sum(gradients), TWO_STEPS),
    ])
    game.expect_not_frozen()
    game = Game()
    answer(game.D, game.G, game.x, game.y, game.z, torch.optim.Adam(game.D.parameters(), rate))
    expect_adam(game.D, rate, sum(gradients))


def check_10_8(answer, rate=0.5):
    """loss = generator_loss(D(G(z, y), y)); zero_grad, backward, step with optimiser_G; return loss.detach()"""
    game = Game()
    D, G = game.D, game.G
    found = run(answer, D, G, game.y, game.z, torch.optim.SGD([G.weight], rate))
    game.expect_generated()
    game.expect_told(game.fake, NO_FAKE, FAKE_LABELS)
    game.expect_left_alone(D)
    loss, other = F.softplus(-game.fake_logits), F.softplus(game.fake_logits)
    right = loss.mean()
    game.expect_loss(found, right, [
        (-other.mean(), SATURATING), (other.mean(), G_TARGETS), (6 * right, SUM), (-right, SIGN),
        (F.softplus(-game.fake_logits.sigmoid()).mean(), TWICE), (right[None], NOT_TENSOR),
    ])
    gradient = game.generator_gradient()
    if not D.graph:
        raise Wrong("G's images with their graph", "images without a graph given to D", CUT_OFF)
    saturated = game.by_label(-torch.sigmoid(game.fake_logits)[:, None] * D.before[game.y])
    expect_update(G, rate, gradient, [(G.before - rate * saturated, SATURATING)])
    game.expect_not_frozen()
    game = Game()
    answer(game.D, game.G, game.y, game.z, torch.optim.Adam(game.G.parameters(), rate))
    expect_adam(game.G, rate, gradient)
