"""What checks of a GAN's steps share: two small players, told labels or not, and one step of each."""

from types import SimpleNamespace

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from .compare import Wrong, describe, run, same
from .losses import WRONG_D, WRONG_G, loss_of_D, loss_of_G
from .networks import normal
from .steps import RATE, STEPS, Watched, exact, expect_step

# What is said to the reader.
DETACH = ("the gradient went through to G, and has used up the graph that G's step needs: detach its images, "
          "D(fake.detach())")
CUT = "detach_(), with the underscore, cuts `fake` itself off from G, whose step comes next: take detach()"
ONE_BATCH = "D sees real and generated images in one batch, and its batch norm would mix them: call D twice"
UNREACHED_D = "no gradient is computed: call backward() on the loss, then the optimiser's step()"
UNREACHED_G = "no gradient reaches G: do not detach `fake` here, D's answer must go back through D to G by backward()"
NO_REAL = "D does not see the images x as they are"
NO_FAKE = "D does not see `fake`, the images of G, as they are"
NO_Y = "{name} is called without labels: both players are told y, at every call"
NOT_LABELS = "{name} gets y as int64 [N], behind the images: it turns it into one-hot vectors or planes itself"
OTHER_LABELS = "beside {what} D gets other labels than those that belong to them: y, not shuffled, not drawn anew"

BATCH, CLASSES = 6, 4  # images in a step; classes of a conditional game


class Player(Watched):
    """One half of a GAN; with `classes` it is told labels, which its layers get as one-hot vectors behind the rest."""

    def __init__(self, name, classes, *layers):
        super().__init__(*layers)
        self.name, self.classes = name, classes

    def forward(self, x, y=None):
        if not self.classes:
            self.note(x)
            return self.layers(x.flatten(1))
        if y is None:
            raise Wrong(f"{self.name} called with labels", "no labels", NO_Y.format(name=self.name))
        if not isinstance(y, torch.Tensor) or y.dtype != torch.int64 or y.ndim != 1:
            raise Wrong("labels int64 [N]", describe(y), NOT_LABELS.format(name=self.name))
        self.note(x, y)
        return self.layers(torch.cat([x.flatten(1), F.one_hot(y, self.classes).to(x.dtype)], 1))


def game(classes=0):
    """A stage: D without batch norm, G with it, images x, latents z and, with classes, labels y, on the device."""
    torch.manual_seed(2)  # no gradient so small that Adam would amplify its rounding
    D = Player("D", classes, nn.Linear(12 + classes, 6), nn.Tanh(), nn.Linear(6, 1), nn.Flatten(0))
    G = Player("G", classes, nn.Linear(4 + classes, 8, bias=False), nn.BatchNorm1d(8), nn.ReLU(), nn.Linear(8, 12),
               nn.Unflatten(1, (1, 3, 4)), nn.Tanh())
    nn.init.normal_(D.layers[2].weight)  # logits that differ from image to image
    stage = SimpleNamespace(D=D.to(device()), G=G.to(device()), x=normal(BATCH, 1, 3, 4),
                            z=normal(BATCH, 4, 1, 1, seed=1))
    if classes:
        stage.y = torch.tensor([2, 0, 3, 0, 1, 2], device=device())
    return stage


def labels(stage):
    """What both players get besides: (y,), or () in a game without labels."""
    return (stage.y,) if hasattr(stage, "y") else ()


def expect_discriminator_step(answer, classes=0):
    """Raise Wrong unless answer(D, x, fake, optimiser_D), or answer(D, x, y, fake, optimiser_D), is D's step."""
    def step(stage, optimiser):
        fake = stage.G(stage.z, *labels(stage))
        made, gradients = fake.detach().clone(), [weight.grad.clone() for weight in stage.G.parameters()]
        found = run(answer, stage.D, stage.x, *labels(stage), fake, optimiser)
        if not all(map(torch.equal, gradients, [weight.grad for weight in stage.G.parameters()])):
            raise Wrong("G's gradients as before", "other gradients", DETACH)
        if not fake.requires_grad:
            raise Wrong("fake with its graph, for G's step", "fake without it", CUT)
        expect_shown(stage, stage.x, "the images x", NO_REAL)
        expect_shown(stage, made, "`fake`", NO_FAKE)
        return found

    def logits(stage):
        fake = stage.G(stage.z, *labels(stage)).detach()
        return stage.D(stage.x, *labels(stage)), stage.D(fake, *labels(stage))

    mistakes = [(half_by_half(exact(game(classes)), logits, order), STEPS) for order in ((0, 1), (1, 0))]
    expect_step(step, lambda: game(classes), "D", logits, loss_of_D, WRONG_D, UNREACHED_D, mistakes)


def expect_generator_step(answer, classes=0):
    """Raise Wrong unless answer(D, fake, optimiser_G), or answer(D, y, fake, optimiser_G), is G's step."""
    def step(stage, optimiser):
        fake = stage.G(stage.z, *labels(stage))
        made = fake.detach().clone()
        found = run(answer, stage.D, *labels(stage), fake, optimiser)
        expect_shown(stage, made, "`fake`", NO_FAKE)
        return found

    def logits(stage):
        return (stage.D(stage.G(stage.z, *labels(stage)), *labels(stage)),)

    expect_step(step, lambda: game(classes), "G", logits, loss_of_G, WRONG_G, UNREACHED_G)


def half_by_half(stage, logits, order):
    """The value of D's loss where D moves after each half of it. order: 0 for that of real images, 1 of generated."""
    halves = (lambda real, fake: F.softplus(-real).mean(), lambda real, fake: F.softplus(fake).mean())
    optimiser, values = torch.optim.SGD(stage.D.parameters(), RATE), []
    for half in order:
        values.append(halves[half](*logits(stage)))
        optimiser.zero_grad()
        values[-1].backward()
        optimiser.step()
    return sum(values).detach()


def expect_shown(stage, images, what, missing):
    """Raise Wrong unless D got these images in a batch of their own, each with its own label if there are labels."""
    if any(len(given) > BATCH for (given, *_), _ in stage.D.seen):
        raise Wrong("x and fake as two batches", "D called with both together", ONE_BATCH)
    shown = [(image.flatten(), [int(y) for y in told]) for inputs, _ in stage.D.seen
             for image, *told in zip(*inputs, strict=True)]
    for image, *y in zip(images, *labels(stage), strict=True):
        found = [told for one, told in shown if same(one, image.flatten(), 1e-5)]
        if not found:
            raise Wrong("each image given to D", "an image that D has not seen", missing)
        if any(told != [int(label) for label in y] for told in found):
            raise Wrong(f"label {int(y[0])} beside an image", f"label {found[0][0]}", OTHER_LABELS.format(what=what))
