# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # TP 12: This cat does not exist
#
# **Goal.** Let two generators draw cat faces, a convolutional and a fully connected one; find out which of four
# measures help; then ask a classifier and people whether these are cats, and learn what their answers prove.
#
# | part | what you do | minutes |
# |---|---|---|
# | 1 | the cats, the players, four measures that are said to stabilise a game | 70 |
# | 2 | judges: a classifier, two distances, the nearest neighbour | 60 |
# | 3 | people: a quiz | 20 |
#
# **Exercises** are cells with a hole, checked by `tp.check("12.1", …)`; **questions** (★ marks those that belong in a
# report) have an empty cell for your answer. *The poster* is one by students, on generated cats, on which this
# practical is built.
#
# Notation: x image, x̃ = G(z) generated image, z latent, G generator, D discriminator; D(x) is a probability, the
# sigmoid of the logit that the network returns. Image tensors are `[N, C, H, W]`, here with three channels.

# %% tags=["setup"]
import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp12

# %%
data = tp.data.cats()
tp.caveat(data)
data

# %% [markdown]
# # Part 1. The players
#
# ## 1.1 The cats
#
# Faces of 64 × 64 pixels. The game sees them at 32 × 32 in the cpu profile and at 64 × 64 in the full one; some are
# put aside, which no game ever sees: they will stand for "real" when the judges come.

# %%
size = tp.pick(smoke=32, cpu=32, full=64)
aside = min(1000, len(data.train_images) // 2)
cats, others = tp.data.resized(data.train_images, size).split([len(data.train_images) - aside, aside])
tp.show.grid(cats[:24], columns=12, size=0.8, title=f"{len(cats):,} cats for the game, at {size} × {size}")

# %% [markdown]
# **Question 12.1** What is easier here than with photographs of whole cats, what harder than with MNIST's digits?

# %% [markdown] answer="12.1"
# **Model answer.** Easier: every picture has its eyes, ears and nose at nearly the same places, and no room for
# background, pose or a second cat. Harder: three channels, and textures: a digit is black or white, fur is all shades
# of a colour that must be the same left and right. And there are twelve times fewer pictures than digits.

# %% [markdown]
# ## 1.2 Generator and discriminator
#
# ### Exercise 12.1: `CatGenerator` (★★☆, 20 minutes)
#
# TP 9's generator, for colour, for two sizes, and with one of the poster's measures: dropout. Transposed convolutions
# of 4 × 4: the first one from z to 4 × 4, each further one doubles the side. With w = `width` and side 32 the channels
# are 4w, 2w, w, 3; with side 64 they are 8w, 4w, 2w, w, 3. Each but the last is followed by batch norm, ReLU and
# `nn.Dropout(dropout)`, the last by tanh.

# %% exercise="12.1"
class CatGenerator(nn.Module):
    """Latents z [N, nz, 1, 1] → images [N, 3, size, size] in [−1, 1].

    size:     32 or 64;  width: channels before the last layer
    dropout:  probability with which a value is set to 0 in train mode, after each layer but the last
    """

    def __init__(self, size=32, nz=100, width=32, dropout=0.0):
        ### BEGIN SOLUTION
        super().__init__()
        channels = [width * size // 8 // 2**k for k in range(size.bit_length() - 3)]  # 32: 4w, 2w, w
        layers = []
        for k, (inputs, outputs) in enumerate(zip([nz, *channels], channels, strict=False)):
            layers += [nn.ConvTranspose2d(inputs, outputs, 4, *((2, 1) if k else ()), bias=False),
                       nn.BatchNorm2d(outputs), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1), nn.Tanh())
        ### END SOLUTION

    def forward(self, z):
        ### BEGIN SOLUTION
        return self.layers(z)
        ### END SOLUTION


# %%
CatGenerator = tp.check("12.1", CatGenerator)

# %% [markdown]
# ### Exercise 12.2: `CatDiscriminator` (★☆☆, 10 minutes)
#
# The way back. Convolutions of 4 × 4 that halve the side (stride 2, padding 1) down to 4 × 4, channels w, 2w, 4w (and
# 8w with side 64), each followed by batch norm (not the first one) and `nn.LeakyReLU(0.2)`; then one of 4 × 4 to a
# single number, the logit.

# %% exercise="12.2"
class CatDiscriminator(nn.Module):
    """Images [N, 3, size, size] in [−1, 1] → logits [N].

    size: 32 or 64;  width: channels after the first layer
    """

    def __init__(self, size=32, width=32):
        ### BEGIN SOLUTION
        super().__init__()
        channels = [3, *(width * 2**k for k in range(size.bit_length() - 3))]
        layers = []
        for k, (inputs, outputs) in enumerate(zip(channels, channels[1:], strict=False)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1, bias=k == 0),
                       nn.BatchNorm2d(outputs) if k else nn.Identity(), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels[-1], 1, 4), nn.Flatten(0))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %%
CatDiscriminator = tp.check("12.2", CatDiscriminator)

# %% [markdown]
# ## 1.3 Soft labels
#
# D is trained with the target 1 for real and 0 for generated images, so that it never stops making its logits larger,
# and a D that is sure of itself teaches G little. The poster's measure: targets that are a little less than certain.
#
# ### Exercise 12.3: `soft_labels` (★☆☆, 10 minutes)
#
# Each target moves towards ½ by a random amount of its own, uniform between 0 and `softness`.

# %% exercise="12.3"
def soft_labels(targets, softness, generator=None):
    """Targets of 0 and 1, each moved towards ½ by its own random amount, uniform in [0, softness]: float32 [N].

    targets:    float32 [N], each 0 or 1; they stay as they are;  softness: at most 0.5
    generator:  torch.Generator on the CPU, from which the amounts are drawn, or None for torch's own; the targets may
                be on another device
    """
    ### BEGIN SOLUTION
    amount = softness * torch.rand(targets.shape, generator=generator).to(targets.device)
    return torch.where(targets > 0.5, targets - amount, targets + amount)
    ### END SOLUTION


# %%
soft_labels = tp.check("12.3", soft_labels)

# %% [markdown]
# **Question 12.2 ★** Targets for real images are 0.9 on average, for generated ones 0.1. Which D(x) is then the best
# answer to an image that is surely real? What does this change for G?

# %% [markdown] answer="12.2"
# **Model answer.** The cross-entropy with a target t is smallest at D(x) = t: 0.9, the logit 2.2. A D with logits of 10
# now pays for being so sure, and its logits, and with them its gradients, stay moderate. G gains by it: its loss
# −ln D(x̃) then has a gradient that comes from a smooth D. (Salimans et al. 2016 soften the real side only: with 0.1
# on the generated side as well, D is told to find something real in every generated image, also where there is
# nothing, and D = ½ is no longer what theory says for p_G = p_data with unequal softness.)

# %% [markdown]
# ## 1.4 Games
#
# The engine of TP 9. The first lines are its losses, the function below is one whole game.

# %% tags=["setup"]
def generator_loss(fake_logits):
    """−mean ln D(x̃), from logits."""
    return F.softplus(-fake_logits).mean()


def latent(n, generator):
    """n latents z ~ N(0, 1): float32 [n, 100, 1, 1]."""
    return torch.randn(n, 100, 1, 1, generator=generator)


def play(name, seed=0, steps=1200, batch_size=32, size=size, width=32, dropout=0.0, softness=0.0, nb_update=(1, 1),
         connected=False, live=False):
    """Train a GAN on the cats and return the game."""
    def discriminator_loss(real_logits, fake_logits):
        real, fake = torch.ones_like(real_logits), torch.zeros_like(fake_logits)
        return (F.binary_cross_entropy_with_logits(real_logits, soft_labels(real, softness))
                + F.binary_cross_entropy_with_logits(fake_logits, soft_labels(fake, softness)))

    tp.seed(seed)
    G, D = tp12.connected(size) if connected else (CatGenerator(size, width=width, dropout=dropout),
                                                   CatDiscriminator(size, width))
    G, D = tp12.initialised(G), tp12.initialised(D)
    return tp.train_gan(
        G, D, tp.data.resized(data.train_images[:-aside], size), steps, batch_size=batch_size, latent=latent,
        loss_D=discriminator_loss, loss_G=generator_loss, average=0.999 if steps > 1000 else None,
        optimiser_D=torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999)),
        optimiser_G=torch.optim.Adam(G.parameters(), 2e-4, betas=(0.5, 0.999)),
        nb_update_D=nb_update[0], nb_update_G=nb_update[1], name=f"tp12-{name}-{seed}", seed=seed, live=live)
