"""The games of TP 11: a generator against a discriminator or critic, on the digits without their labels."""

from functools import partial
from types import SimpleNamespace

import torch
from filelock import FileLock
from torch import nn
from torch.nn import functional as F

from ...data.imageset import resized
from ...nets import initialised
from ...runtime import cache_dir, device, fingerprint, seed
from . import protocol
from .protocol import CLASSES, GAN_SIZE

NZ = 64  # latent numbers
ADAM = partial(torch.optim.Adam, lr=2e-4, betas=(0.5, 0.999))  # DCGAN's


class Generator(nn.Module):
    """z [N, 64, 1, 1] → x̃ [N, 1, 32, 32] in [−1, 1]."""

    def __init__(self):
        super().__init__()

        def block(inputs, outputs, *shape):
            return [nn.ConvTranspose2d(inputs, outputs, 4, *shape, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.layers = nn.Sequential(*block(NZ, 128), *block(128, 64, 2, 1), *block(64, 32, 2, 1),
                                    nn.ConvTranspose2d(32, 1, 4, 2, 1), nn.Tanh())

    def forward(self, z):
        return self.layers(z)


class Discriminator(nn.Module):
    """x [N, 1, 32, 32] → logits [N], or [N, outputs] for more than one output.

    features: x → [N, 2048], what it judges by;  last: nn.Linear from there to the logits.
    """

    def __init__(self, outputs=1, norm=True):
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=not norm),
                    nn.BatchNorm2d(outputs) if norm else nn.Identity(), nn.LeakyReLU(0.2)]

        self.features = nn.Sequential(*block(1, 32), *block(32, 64), *block(64, 128), nn.Flatten())
        self.last = nn.Linear(2048, outputs)

    def forward(self, x):
        logits = self.last(self.features(x))
        return logits.flatten() if logits.shape[1] == 1 else logits


def gaussian(n, generator):
    """Latents of DCGAN."""
    return torch.randn(n, NZ, 1, 1, generator=generator)


def with_code(n, generator):
    """Latents of InfoGAN: the last ten numbers are a one-hot code, a class drawn at random."""
    code = F.one_hot(torch.randint(CLASSES, (n,), generator=generator), CLASSES).float()
    return torch.cat([torch.randn(n, NZ - CLASSES, generator=generator), code], 1).view(n, NZ, 1, 1)


def adversarial_D(real_logits, fake_logits):
    """−mean ln D(x) − mean ln(1 − D(x̃)), as in TP 9."""
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def adversarial_G(fake_logits):
    """−mean ln D(x̃), as in TP 9."""
    return F.softplus(-fake_logits).mean()


def play(name, seed_, D, loss_D=adversarial_D, loss_G=adversarial_G, latent=gaussian, optimisers=(ADAM, ADAM),
         plan="game", **more):
    """A game on the pool, with optimisers of D and of G; of two processes that want the same game, one waits."""
    G, (steps, batch_size), (of_D, of_G) = initialised(Generator()), protocol.budget()[plan], optimisers
    with FileLock(cache_dir("locks") / f"{name}.lock"):
        return train_gan(G, D, protocol.pool(), steps, loss_D=loss_D, loss_G=loss_G, latent=latent,
                         optimiser_D=of_D(D.parameters()), optimiser_G=of_G(G.parameters()), batch_size=batch_size,
                         name=name, seed=seed_, live=False, **more)


def untrained(tools, case_seed):
    """The control: a discriminator that has not played."""
    seed(case_seed)
    return SimpleNamespace(D=initialised(Discriminator()))


def dcgan(tools, case_seed):
    """The game of TP 9."""
    seed(case_seed)
    return play(f"tp11-DCGAN-{case_seed}", case_seed, initialised(Discriminator()))


def infogan(tools, case_seed):
    """D has a second head, `code`, that guesses the code of generated images; D and G both want it to be right.

    G learns five times as fast as D, as in the paper (Chen et al. 2016, arXiv:1606.03657, appendix C.1).
    """
    seed(case_seed)
    D, lost = Discriminator(), tools.mutual_information_loss
    D.code = nn.Linear(D.last.in_features, CLASSES)
    initialised(D)

    def information(x, fake, z):
        return lost(D.code(D.features(fake)), z.flatten(1)[:, -CLASSES:].argmax(1))

    return play(f"tp11-InfoGAN-{case_seed}", case_seed, D, latent=with_code, term_D=information, term_G=information,
                optimisers=(ADAM, partial(ADAM, lr=1e-3)))


def wgan(tools, case_seed):
    """Weights clipped after each update of the critic."""
    seed(case_seed)
    critic = initialised(Discriminator())

    def clipped(weights):
        made = torch.optim.RMSprop(weights, lr=5e-5)
        made.register_step_post_hook(lambda *_: tools.clip_weights(critic, 0.01))
        return made

    return play(f"tp11-WGAN-{case_seed}", case_seed, critic, tools.critic_loss, tools.critic_generator_loss,
                optimisers=(clipped, partial(torch.optim.RMSprop, lr=5e-5)), nb_update_D=5, plan="critic")


def wgan_gp(tools, case_seed):
    """The critic's gradient held near 1; no batch norm in it, whose gradient would mix the images of a batch."""
    seed(case_seed)
    critic, gradient_penalty = Discriminator(norm=False), tools.gradient_penalty

    def penalty(x, fake, z):
        return 10 * gradient_penalty(critic, x, fake, None)

    both = partial(torch.optim.Adam, lr=1e-4, betas=(0.5, 0.9))
    return play(f"tp11-WGAN-GP-{case_seed}", case_seed, critic, tools.critic_loss, tools.critic_generator_loss,
                term_D=penalty, optimisers=(both, both), nb_update_D=5, plan="critic")


def semi_supervised(case, matching=False):
    """D tells ten digits from "generated" and sees labels and pool in the same step; a Case (protocol.py).

    matching: G's aim is the mean of D's features over real images, not D's approval (Salimans et al. 2016)
    """
    seed(case.seed)
    D, tools, batch = initialised(Discriminator(CLASSES)), case.tools, protocol.budget()["few"][1]
    images, labels = resized(case.labelled[0], GAN_SIZE).to(device()), case.labelled[1].to(device())
    loss, prepare = tools.semi_supervised_loss, case.prepare

    def loss_D(real_logits, fake_logits):
        chosen = torch.randint(len(labels), (batch,)).to(device())
        x = 2 * prepare(images[chosen], torch.default_generator) - 1
        return loss(D(x), labels[chosen], real_logits, fake_logits)

    # the key of a checkpoint knows no tensors that a loss holds: the draw is in the name
    name = case.name(f"{'feature-matching' if matching else 'semi-supervised'}-{fingerprint(case.chosen)}")
    if not matching:
        return play(name, case.seed, D, loss_D, salimans_G)
    matched = tools.feature_matching_loss

    def match(x, fake, z):
        return matched(D.features(x).detach(), D.features(fake))

    return play(name, case.seed, D, loss_D, loss_G=None, term_G=match)


def salimans_G(fake_logits):
    """−mean ln D(x̃), where D(x̃) is the probability of all ten digits together."""
    return adversarial_G(fake_logits.logsumexp(1))
