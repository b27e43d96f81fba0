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
# # TP 14: VAE, GAN, and both
#
# **Goal.** Build a network that compresses an image to a few numbers and draws it again; find out why its images are
# blurred; and let a discriminator say what "similar" means in place of the pixels: the VAE-GAN of Larsen et al. 2015
# (arXiv:1512.09300), with which the internship report ends.
#
# | part | what you do | minutes |
# |---|---|---|
# | 1 | a variational auto-encoder, its two terms, its latent plane | 70 |
# | 2 | what the blur comes from | 20 |
# | 3 | VAE-GAN: three players, three gradients | 60 |
# | 4 | compare the three models; walk and calculate in latent space | 40 |
#
# **Exercises** are cells with a hole, checked by `tp.check("14.1", …)`; **questions** (★ marks those that belong in a
# report) have an empty cell for your answer.
#
# Notation: x image, x̂ = G(z) its reconstruction, x̃ = G(z) with z from the prior a generated image, z latent, E
# encoder, G decoder or generator, D discriminator, μ and σ mean and standard deviation. Image tensors are `[N, C, H,
# W]` in [−1, 1], latents `[N, nz]`.

# %% tags=["setup"]
import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp14

# %% [markdown]
# The data are MNIST's digits at 32 × 32. Another line in their place: `tp.data.cats()` or `tp.data.faces()`. (The judge
# of part 4 reads digits only.)

# %%
data = tp.data.mnist()
tp.caveat(data)
images, labels, held, held_labels = tp14.images_and_held(data)
channels = images.shape[1]
data

# %% [markdown]
# # Part 1. A variational auto-encoder
#
# An auto-encoder squeezes an image through a bottleneck of `nz` numbers and asks for the image back. A *variational*
# one (Kingma and Welling 2014, arXiv:1312.6114) adds two things: the encoder answers with a small Gaussian cloud
# N(μ, σ²) in place of a point, and all clouds together should fill the standard normal distribution. Then a latent
# drawn from N(0, 1) lies where some image might have been, and the decoder is a generator.
#
# ## 1.1 Encoder and decoder
#
# ### Exercise 14.1: `Encoder` (★★☆, 15 minutes)
#
# Three convolutions of 4 × 4 with stride 2 and padding 1 and channels w, 2w, 4w (w = `width`), each followed by batch
# norm and `nn.LeakyReLU(0.2)`: 32 × 32 becomes 4 × 4. Flatten; one linear layer to 2 · nz numbers, of which the first
# nz are μ and the others ln σ². (The logarithm, for σ² must be positive, and its logarithm may be anything.)

# %% exercise="14.1"
class Encoder(nn.Module):
    """Images x [N, channels, 32, 32] → (mean [N, nz], log_variance [N, nz])."""

    def __init__(self, nz=16, channels=1, width=32):
        ### BEGIN SOLUTION
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]

        self.layers = nn.Sequential(*block(channels, width), *block(width, 2 * width), *block(2 * width, 4 * width),
                                    nn.Flatten(), nn.Linear(4 * width * 16, 2 * nz))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x).chunk(2, dim=1)
        ### END SOLUTION


# %%
Encoder = tp.check("14.1", Encoder)

# %% [markdown]
# ### Exercise 14.2: `Decoder` (★★☆, 15 minutes)
#
# The way back: a linear layer from nz to 4w · 4 · 4 numbers, seen as 4w channels of 4 × 4, batch norm, ReLU; transposed
# convolutions of 4 × 4 with stride 2 and padding 1 to 2w and to w channels, each followed by batch norm and ReLU; one
# more to the image, then tanh.

# %% exercise="14.2"
class Decoder(nn.Module):
    """Latents z [N, nz] → images [N, channels, 32, 32] in [−1, 1]."""

    def __init__(self, nz=16, channels=1, width=32):
        ### BEGIN SOLUTION
        super().__init__()

        def block(inputs, outputs):
            return [nn.ConvTranspose2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.layers = nn.Sequential(
            nn.Linear(nz, 4 * width * 16), nn.Unflatten(1, (4 * width, 4, 4)), nn.BatchNorm2d(4 * width), nn.ReLU(),
            *block(4 * width, 2 * width), *block(2 * width, width), nn.ConvTranspose2d(width, channels, 4, 2, 1),
            nn.Tanh())
        ### END SOLUTION

    def forward(self, z):
        ### BEGIN SOLUTION
        return self.layers(z)
        ### END SOLUTION


# %%
Decoder = tp.check("14.2", Decoder)

# %% [markdown]
# ## 1.2 The two terms
#
# ### Exercise 14.3: `reparameterise` (★☆☆, 10 minutes)
#
# z is drawn from N(μ, σ²), and the loss must send a gradient back to μ and σ. Through a random draw there is none; so
# draw ε ~ N(0, 1), on which nothing depends, and compute z from it.

# %% exercise="14.3"
def reparameterise(mean, log_variance, generator=None):
    """Latents drawn from N(mean, exp(log_variance)), with a gradient to both: float32 [N, nz].

    mean, log_variance: float32 [N, nz], perhaps on another device than the generator
    generator:          torch.Generator on the CPU, from which torch.randn draws ε ~ N(0, 1); None: torch's own
    """
    ### BEGIN SOLUTION
    noise = torch.randn(mean.shape, generator=generator).to(mean.device)
    return mean + (0.5 * log_variance).exp() * noise
    ### END SOLUTION


# %%
reparameterise = tp.check("14.3", reparameterise)

# %% [markdown]
# ### Exercise 14.4: `kl_to_standard_normal` (★☆☆, 10 minutes)
#
# How far is the cloud of an image from N(0, 1)? The Kullback-Leibler divergence of two Gaussians has a closed form; in
# one dimension it is ½ (μ² + σ² − 1 − ln σ²).

# %% exercise="14.4"
def kl_to_standard_normal(mean, log_variance):
    """KL divergence of N(mean, exp(log_variance)) from N(0, 1), summed over dimensions, mean over the batch: scalar.

    mean, log_variance: float32 [N, nz]
    """
    ### BEGIN SOLUTION
    return 0.5 * (mean.pow(2) + log_variance.exp() - 1 - log_variance).sum(1).mean()
    ### END SOLUTION


# %%
kl_to_standard_normal = tp.check("14.4", kl_to_standard_normal)

# %% [markdown]
# ### Exercise 14.5: `elbo_loss` (★★☆, 10 minutes)
#
# The other term: how well does the reconstruction explain the image? If every pixel is drawn from a Gaussian around its
# reconstruction, −ln p(x | z) is the squared error over twice the variance, and a constant, which we leave out. The sum
# of the two terms is an upper bound of −ln p(x), the negative *evidence lower bound*.

# %% exercise="14.5"
def elbo_loss(x, reconstruction, mean, log_variance, variance=0.1):
    """Squared error / (2 variance), summed over the pixels, mean over the batch, plus the KL divergence: scalar.

    x, reconstruction: float32 [N, C, H, W];  mean, log_variance: float32 [N, nz]
    variance:          of a pixel around its reconstruction
    """
    ### BEGIN SOLUTION
    error = (x - reconstruction).pow(2).flatten(1).sum(1).mean() / (2 * variance)
    return error + kl_to_standard_normal(mean, log_variance)
    ### END SOLUTION


# %%
elbo_loss = tp.check("14.5", elbo_loss)

# %% [markdown]
# ## 1.3 Training
#
# A step of the VAE: one loss, and one optimiser for both networks. (`tp.initialised`, below, draws their first weights
# as exercise 9.3 does.)

# %%
def vae_step(E, G, optimiser, x, generator):
    """One update of encoder and decoder; returns {"loss", "KL"}: detached scalars."""
    mean, log_variance = E(x)
    reconstruction = G(reparameterise(mean, log_variance, generator))
    loss = elbo_loss(x, reconstruction, mean, log_variance)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return {"loss": loss.detach(), "KL": kl_to_standard_normal(mean, log_variance).detach()}


# %% [markdown]
# `tp.train` repeats a step with all that a long run needs: images on the device, progress, curves, checkpoints,
# resuming. (In the cpu profile about two minutes the first time.)

# %%
steps, batch_size = tp.pick(smoke=3, cpu=2000, full=8000), tp.pick(smoke=8, cpu=64, full=128)


def train_vae(name, nz=16, seed=0, live=False):
    """Train a VAE on the images; returns its Model."""
    tp.seed(seed)
    E, G = tp.initialised(Encoder(nz, channels)), tp.initialised(Decoder(nz, channels))
    optimiser = torch.optim.Adam([*E.parameters(), *G.parameters()], 1e-3)

    def step(x, generator):
        return vae_step(E, G, optimiser, x, generator)

    run = tp.train(step, {"E": E, "G": G}, {"both": optimiser}, images, steps, batch_size=batch_size,
                   name=f"tp14-{name}-{seed}", seed=seed, live=live)
    return tp14.Model(run, nz)


vae = train_vae("VAE", live=True)

# %% [markdown]
# **See** test images, and below each what comes back through 16 numbers.

# %%
shown = held[:12]
tp.show.grid(torch.cat([shown, vae.reconstruct(shown)]), columns=12, size=0.8,
             title="Test images, and below them what comes back")

# %% [markdown]
# **Question 14.1 ★** Where does the reconstruction fail, where does it even improve the image? What would be lost
# without the KL term, what without the other one?

# %% [markdown] answer="14.1"
# **Model answer.** Position, slant and stroke come back; odd hooks, gaps and serifs do not: what is rare has no room in
# 16 numbers that the KL term keeps noisy. Damaged digits come back mended, for the decoder knows digits only. Without
# the KL term the encoder would choose σ → 0 and put its points anywhere, far apart: the reconstructions would be a
# little better, and a latent from N(0, 1) would most likely lie where no image ever was. Without the error term the KL
# term has a perfect solution, μ = 0 and σ = 1 for every image: z would say nothing about x (*posterior collapse*).

# %% [markdown]
# ## 1.4 The latent plane
#
# With nz = 2 the whole latent space can be seen. (In the cpu profile about two minutes.)

# %%
plane = train_vae("plane", nz=2)
some = slice(tp.pick(smoke=50, cpu=2000, full=5000))
tp14.plane_figure(plane, held[some], held_labels[some])

# %% [markdown]
# Move through it. **See** that every place is some digit, that neighbours are alike, and where two classes meet.

# %%
tp14.plane_explorer(plane)

# %% [markdown]
# **Question 14.2 ★** Nobody told the VAE about classes. Why do digits of a class lie together? Why are there no gaps
# between the classes, and what is drawn where two of them meet?

# %% [markdown] answer="14.2"
# **Model answer.** Neighbouring clouds overlap: a latent there may have come from either image, and the decoder's best
# answer to it is something between the two. It costs least if neighbours look alike, hence the classes. The KL term
# pulls all clouds towards the origin and asks them to cover N(0, 1) together, so that space without images would be
# wasted. Where a 4 and a 9 meet the decoder draws both a little, for it must be continuous: a form that is in no data
# set. With two dimensions some classes have to meet that have nothing to do with each other.

# %% [markdown]
# # Part 2. What the blur comes from
#
# ## 2.1 The safest answer is the mean
#
# The decoder often cannot know an image exactly: one pixel more to the left or to the right? Under the squared error
# the best answer to such doubt is the mean of all that is possible. **See** a digit, moved by up to two pixels either
# way, and the mean of all these.

# %%
tp14.doubt_figure(shown[0])

# %% [markdown]
# **See** what the squared error of the pixels thinks of three images, beside the distance in the judge's features: the
# same digit moved by two pixels, the same digit blurred, another digit. Which of the three is most similar to the
# first?

# %%
tp14.similarity_table(images[:tp.pick(smoke=20, cpu=500, full=500)])

# %% [markdown]
# **Question 14.3 ★** Explain the table. What should a better measure of similarity know?

# %% [markdown] answer="14.3"
# **Model answer.** Moving a thin stroke by two pixels changes most of its pixels twice, once where it was and once
# where it is: the squared error puts the moved digit half as far as another digit, and four times as far as a blurred
# one, which nobody would draw. The features see it the other way round: moved is nearest. They were learnt by telling
# digits apart, on digits that were moved a little, so that the place does not matter to them. A better measure knows
# what varies in the data without mattering, and what never occurs. A discriminator has to know just that.

# %% [markdown]
# # Part 3. VAE-GAN
#
# ## 3.1 Similarity by a discriminator
#
# Larsen et al. let the discriminator of a GAN, trained at the same time, see both x and x̂; the error between its
# *features* takes the place of the error between pixels.
#
# ### Exercise 14.6: `feature_similarity_loss` (★☆☆, 5 minutes)
#
# −ln of a Gaussian of variance 1 around the features of the reconstruction, without its constant.

# %% exercise="14.6"
def feature_similarity_loss(features, reconstructed):
    """Half the squared error of features [N, F], summed over F, mean over the batch: scalar."""
    ### BEGIN SOLUTION
    return 0.5 * (features - reconstructed).pow(2).sum(1).mean()
    ### END SOLUTION


# %%
feature_similarity_loss = tp.check("14.6", feature_similarity_loss)

# %% [markdown]
# ## 3.2 Who learns what
#
# Three players and three aims:
#
# - E: a small KL divergence and a small similarity loss;
# - G: a small similarity loss (times γ), and that D takes x̂ and x̃ for real: −mean ln D(x̂) − mean ln D(x̃);
# - D: to tell: −mean ln D(x) − mean ln(1 − D(x̂)) − mean ln(1 − D(x̃)).
#
# G must not be told by the KL term, E not by D's verdict, and D not by the similarity: else it would make all features
# alike, the easiest similarity there is.
#
# ### Exercise 14.7: `vae_gan_step` (★★★, 30 minutes)
#
# One step. All three gradients are those *before* anybody has moved. `torch.autograd.grad(loss, weights,
# retain_graph=True)` gives the gradient of one loss with respect to one player's weights and touches nothing else; put
# it into their `.grad`, then let the three optimisers step. Draw ε first, then the latents of x̃, both from the
# generator.

# %% exercise="14.7"
def vae_gan_step(E, G, D, optimisers, x, generator, gamma=1e-2):
    """One update of encoder, decoder and discriminator; returns {"KL", "similarity", "D", "G"}: detached scalars.

    D:           D(x) gives logits [n], D.features(x) what the similarity is measured in, [n, F]
    optimisers:  {"E", "G", "D"}: the optimiser of each player
    gamma:       weight of the similarity in G's loss; "G" is the rest of G's loss, "D" the loss of D
    """
    ### BEGIN SOLUTION
    mean, log_variance = E(x)
    z = reparameterise(mean, log_variance, generator)
    reconstruction = G(z)
    generated = G(torch.randn(z.shape, generator=generator).to(z.device))
    real, rebuilt, fake = D(x), D(reconstruction), D(generated)

    kl = kl_to_standard_normal(mean, log_variance)
    similarity = feature_similarity_loss(D.features(x), D.features(reconstruction))
    fooled = F.softplus(-rebuilt).mean() + F.softplus(-fake).mean()
    told = F.softplus(-real).mean() + F.softplus(rebuilt).mean() + F.softplus(fake).mean()

    losses = {"E": (E, kl + similarity), "G": (G, gamma * similarity + fooled), "D": (D, told)}
    for player, loss in losses.values():
        weights = list(player.parameters())
        for weight, gradient in zip(weights, torch.autograd.grad(loss, weights, retain_graph=True), strict=True):
            weight.grad = gradient
    for name in losses:
        optimisers[name].step()
    return {"KL": kl.detach(), "similarity": similarity.detach(), "D": told.detach(), "G": fooled.detach()}
    ### END SOLUTION


# %%
vae_gan_step = tp.check("14.7", vae_gan_step)

# %% [markdown]
# **Question 14.4 ★** G gets the weight γ, E does not. What would γ = 0 make of the model, what a very large one?

# %% [markdown] answer="14.4"
# **Model answer.** With γ = 0 G plays a GAN and nothing tells it to draw *this* image: E can still learn to find a
# latent whose image has similar features, but its reconstructions would only be related to x. With a very large γ D's
# verdict does not count: G and E are a VAE in the features of D, whose images are right in the features and need not be
# clean. E has no verdict to weigh against: between its two terms the variance of 1 in the features is the weight.

# %% [markdown]
# ## 3.3 Training
#
# (In the cpu profile about five minutes the first time.)

# %%
def train_vae_gan(name, nz=16, seed=0, live=False):
    """Train a VAE-GAN on the images; returns its Model."""
    tp.seed(seed)
    E, G = tp.initialised(Encoder(nz, channels)), tp.initialised(Decoder(nz, channels))
    D = tp.initialised(tp14.FeatureDiscriminator(channels))
    optimisers = {"E": torch.optim.Adam(E.parameters(), 1e-3),
                  "G": torch.optim.Adam(G.parameters(), 5e-4, betas=(0.5, 0.999)),
                  "D": torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999))}

    def step(x, generator):
        return vae_gan_step(E, G, D, optimisers, x, generator)

    run = tp.train(step, {"E": E, "G": G, "D": D}, optimisers, images, steps, batch_size=batch_size,
                   name=f"tp14-{name}-{seed}", seed=seed, live=live)
    return tp14.Model(run, nz)


vae_gan = train_vae_gan("VAE-GAN", live=True)

# %% [markdown]
# And a plain GAN with the same decoder and discriminator: it has no encoder, and cannot reconstruct. The two updates
# are those of TP 9.

# %%
def discriminator_step(D, x, fake, optimiser_D):
    """One update of D, as in exercise 9.8: −mean ln D(x) − mean ln(1 − D(x̃)); returns this loss."""
    loss = F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


def generator_step(D, fake, optimiser_G):
    """One update of G, as in exercise 9.9: −mean ln D(x̃); returns this loss."""
    with tp.frozen(D):
        loss = F.softplus(-D(fake)).mean()
        optimiser_G.zero_grad()
        loss.backward()
        optimiser_G.step()
    return loss.detach()


# %% [markdown]
# `tp.Game` looks at the generator while it learns. (In the cpu profile about two minutes.)

# %%
def train_gan(name, nz=16, seed=0):
    """Train a GAN on the images; returns its Model."""
    tp.seed(seed)
    G, D = tp.initialised(Decoder(nz, channels)), tp.initialised(tp14.FeatureDiscriminator(channels))
    optimisers = {"G": torch.optim.Adam(G.parameters(), 2e-4, betas=(0.5, 0.999)),
                  "D": torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999))}

    def latent(n, generator):
        return torch.randn(n, nz, generator=generator)

    def step(x, generator):
        fake = G(latent(len(x), generator).to(x.device))
        return {"D": discriminator_step(D, x, fake, optimisers["D"]), "G": generator_step(D, fake, optimisers["G"])}

    game = tp.Game(G, D, latent).train(step, optimisers, images, steps, batch_size=batch_size,
                                       name=f"tp14-{name}-{seed}", seed=seed, live=False)
    return tp14.Model(game.run, nz)


gan = train_gan("GAN")

# %% tags=["gallery"]
tp.show.grid(torch.cat([shown, vae.reconstruct(shown), vae_gan.reconstruct(shown)]), columns=12, size=0.8,
             title="Test images; what the VAE gives back; what the VAE-GAN gives back")

# %%
models = {"VAE": vae, "GAN": gan, "VAE-GAN": vae_gan}
tp.show.grid([tp.show.mosaic(model.generate(36, seed=1), columns=6) for model in models.values()], list(models),
             columns=3, size=2.6, title="Images of latents from N(0, 1)")

# %% [markdown]
# **Question 14.5 ★** Compare reconstructions and samples. Which model would you take to compress digits, which to draw
# new ones?

# %% [markdown] answer="14.5"
# **Model answer.** The VAE gives back what it was given, a little softer at the edges: place, slant and hooks are kept.
# The VAE-GAN gives back a clean digit with strokes as black and white as real ones, but bolder, and not quite the same
# digit: hooks and gaps change. Of latents from N(0, 1) the VAE draws greyish digits, often with a broken stroke; those
# of the GAN are the cleanest, those of the VAE-GAN are nearly as clean. To compress, the VAE; to draw, the GAN; for
# both with one model, the VAE-GAN.

# %% [markdown]
# # Part 4. Three models
#
# ## 4.1 In numbers
#
# The Fréchet distance in the judge's features (TP 9), of 2000 images from N(0, 1) against 2000 test images; for the
# models with an encoder also the squared error of reconstructed test images, of pixels and of features, and how often
# the judge reads the same digit in the reconstruction. First your three models.

# %%
count = min(len(held) // 2, tp.pick(smoke=100, cpu=2000, full=5000))
measured = {name: [tp14.model_numbers(model, held, count)] for name, model in models.items()}
tp14.models_table(measured)

# %% tags=["solution"]
if tp.measuring():
    makers, seeds = {"VAE": train_vae, "GAN": train_gan, "VAE-GAN": train_vae_gan}, [0, 1, 2]
    several = {name: [tp14.model_numbers(make(name, seed=seed), held, count) for seed in seeds]
               for name, make in makers.items()}
    tp.save_results("tp14", {
        "protocol": f"MNIST at 32 × 32, {steps} steps of {batch_size} for each model, last weights; {count} generated "
                    f"and {count} reconstructed test images, in the judge's features; floor: test images against "
                    "others; nothing selected",
        "steps": steps, "batch_size": batch_size, "seeds": seeds, "measured": several,
        "slant": tp14.slant_added(vae, held[:500]), "doubt": tp14.change_distances(images[:500]),
    }, command="make outputs TP=tp14", data_is_sample=data.sample)

# %% [markdown]
# And the same over three seeds, in the cpu profile: mean ± standard deviation.

# %%
tp14.models_table(tp.results("tp14")["measured"])

# %% [markdown]
# **Question 14.6 ★** Read the table row by row: what did the discriminator's features change? Which numbers cannot be
# compared, and why?

# %% [markdown] answer="14.6"
# **Model answer.** With D's features in place of pixels the generated images come much nearer to the data: the Fréchet
# distance falls from 15 to 9, most of the way to that of the GAN (8). All three are far above the floor of 0.2. What is
# paid for it stands in the columns of the reconstructions: the error of the pixels is about three times as large, which
# is no surprise, for nobody asked for pixels. But the error of the *judge's* features doubles too, and the judge reads
# another digit twice as often: what D finds similar is not what a classifier finds similar. On digits, with their two
# grey levels, pixels are not a bad measure; Larsen et al. worked with faces. The two errors have different units and
# cannot be compared with each other, nor can a column be compared between models with other weights: with another
# `variance` or γ each model would trade one column for another.

# %% [markdown]
# ## 4.2 From one image to another
#
# Encode two images, walk on a straight line between their latents, decode. **See** above the same walk with the pixels
# themselves: two digits at once, where the latents pass through digits all the way, or nearly.

# %%
tp14.walk_figure(vae, shown[[0, 4]], title="pixels (above), latents of the VAE (below)")

# %% [markdown]
# ## 4.3 Calculating with attributes
#
# The mean latent of slanted digits minus that of upright ones is a direction: *more slant*. Added to the latent of any
# digit, it should slant that digit. The slant of an image can be measured (by its second moments), and so can the
# thickness of its stroke (by its mean brightness). **See** a row per digit, from less to more. (With faces, give
# `tp14.attributes_figure` a function of your own in `names`, from images to one number each.)

# %%
tp14.attributes_figure(vae, images[:tp.pick(smoke=100, cpu=5000, full=10000)], shown[:8])

# %% [markdown]
# **Question 14.7** Does the direction "slant" slant all digits alike? What else changes with it? How would you find a
# direction for "has a beard"?

# %% [markdown] answer="14.7"
# **Model answer.** Nearly alike; at the ends of the walk the digit changes, for the straight line leaves the region
# where digits of this class lie. Whatever goes with slant in the data changes too: who writes slanted may write thin.
# A beard: the mean latent of faces with one, minus that of faces without, *with everything else equal*: bearded faces
# are mostly men's, and the difference of plain means would change more than the beard. Pairs, or a regression on all
# known attributes at once, help.

# %% [markdown]
# # To take away
#
# - A VAE is an auto-encoder whose code is a cloud, and whose clouds fill N(0, 1); its two terms pull against each
#   other.
# - The squared error of pixels rewards the mean of all that is possible: blur is its right answer to doubt.
# - A discriminator's features are a learnt similarity; who gets which gradient decides whether that is of use.
# - Models with different aims are compared by a measure that none of them was trained for, and with a floor.
