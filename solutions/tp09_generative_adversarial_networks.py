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
# # TP 9: Generative adversarial networks
#
# **Goal.** Train two networks against each other until one of them draws digits that nobody wrote; find out by
# experiment what such a game can bear, and how to tell whether it goes well.
#
# | part | what you do | minutes |
# |---|---|---|
# | 0 | the lecture again, with numbers on a line in place of images | 40 |
# | 1 | build a DCGAN, play, measure, and change one thing at a time | 135 |
#
# **Exercises** are cells with a hole. `tp.check("9.1", …)` says at once whether an answer is right, gives a hint if
# it is not, and lets you go on either way. **Questions** (★ marks those that belong in a report) have an empty cell
# for your answer. *The handout* is the course's French TP 9, *the report* a group of students' report on it.
#
# Notation: x image, x̃ = G(z) generated image, z latent, G generator, D discriminator; D(x) is a probability, the
# sigmoid of the logit that the network returns. Image tensors are `[N, C, H, W]`.

# %% tags=["setup"]
import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp09

# %% [markdown]
# # Part 0. The lecture in one dimension
#
# Before images: the whole lecture with numbers instead of pictures. The data are a mixture of two Gaussians, at −2 and
# at 2; G turns a number z into a number x̃; D gives a number its probability of being real. Everything can be drawn:
# the densities, D, the losses. There is nothing to write in this part: run it, look, and come back to it when a GAN of
# images puzzles you. (A quarter of a minute of computing.)
#
# ## 0.1 The cost −ln p
#
# Whoever gives the truth the probability p pays −ln p. The truth about a real image is "real", to which D gives
# D(x); the truth about a generated one is "generated", to which D gives 1 − D(x̃). G is on the other side: it
# pays as if "real" were the truth about x̃. **See** that a confident right answer costs next to nothing and a confident
# wrong one more than 2 (dots: the 0.1 and 0.9 of the table); that D and G never pay little for the same x̃; and that
# p = ½ costs everybody ln 2.

# %%
p = torch.tensor([0.1, 0.5, 0.9])
costs = torch.stack([p, -p.log(), -(1 - p).log(), -p.log()], dim=1)
tp.show.Table(["D's answer p", "real image: D pays −ln p", "generated: D pays −ln(1 − p)", "generated: G pays −ln p"],
              [[f"{value:.1f}" for value in row] for row in costs.tolist()])

# %%
p = torch.linspace(0.01, 0.99, 99)
fig, axis = tp.show.figure(width=6)
tp09.lines(axis, p, {"−ln p: D for a real x, G for x̃": -p.log(), "−ln(1 − p): D for x̃": -(1 - p).log()},
           "D's answer p", "cost", "What an answer costs")
axis.plot([0.1, 0.9], -torch.tensor([0.1, 0.9]).log(), "o", color="black")
fig

# %% [markdown]
# ## 0.2 The best answer to a given G
#
# Let G stay as it is: G(z) = z, one Gaussian in the middle. Where x is drawn with the density p_data and x̃ with the
# density p_G, the D of least loss is D*(x) = p_data / (p_data + p_G): the share of the real ones among all that are
# found at this value. Our D is a small network that knows neither density; it sees samples only. (Two seconds.)

# %%
lesson = tp09.play(tp.pick(smoke=40, cpu=1000, full=1000), nb_update_G=0, look_every=20)
seen = {moment.step: moment.D for moment in lesson if moment.turn == "D"}
of_G = tp09.gaussian_density(tp09.GRID, 0, 1)
fig, (left, right) = tp.show.figure(1, 2, 10, 3.2)
tp09.draw_densities(left, of_G, "The data, and a G that stays as it is")
tp09.lines(right, tp09.GRID, {f"D after {max(seen)} updates": seen[max(seen)], "best answer D*": tp09.best_answer(of_G),
                              f"D after {min(seen)} updates": seen[min(seen)]},
           "value x", "D(x)", "D learns the best answer from samples", tp09.OF_D, ylim=(-0.05, 1.5), yticks=(0, 0.5, 1))
fig

# %% [markdown]
# **See** on the right that D has found D* without having been told: close to 0 in the middle, where G's numbers are,
# close to 1 at the two Gaussians of the data, ½ where the densities on the left cross. (D* is drawn where there is
# something to judge. Further out D has seen next to nothing, and what it says there is a guess.)
#
# If G were perfect, p_G = p_data, the best answer would be ½ everywhere. D would then pay ln 2 for an x and ln 2 for
# an x̃, together ln 4 = 1.39, and G would pay ln 2 = 0.69: the two numbers to look for in the losses of a game.
#
# ## 0.3 Two losses for G
#
# In the game as the paper first writes it, G minimises what D maximises: ln(1 − D(x̃)), the *saturating* loss. The
# paper then advises −ln D(x̃) instead, the *non-saturating* loss of 0.1. Both fall as D(x̃) rises: they want the same
# thing. But G learns from gradients, and these reach it through D's logit a, whose sigmoid is D(x̃). The derivatives
# with respect to a are −D(x̃) and −(1 − D(x̃)).

# %%
logit = torch.linspace(-6, 6, 121, requires_grad=True)
losses = {"saturating: ln(1 − D(x̃))": F.logsigmoid(-logit), "non-saturating: −ln D(x̃)": -F.logsigmoid(logit)}
gradients = {name: torch.autograd.grad(loss.sum(), logit)[0] for name, loss in losses.items()}
tp.show.Table(["D(x̃)", *(f"derivative, {name}" for name in gradients)],
              [[f"{logit[i].sigmoid():.4f}", *(f"{gradient[i]:.4f}" for gradient in gradients.values())]
               for i in (0, 30, 60, 90, 120)])

# %%
ticks = [-6, -4, -2, 0, 2, 4, 6]
below = {"xlabel": "logit a (below: D(x̃), its sigmoid)", "xticks": ticks,
         "xticklabels": [f"{a}\n{torch.tensor(a).sigmoid():.3f}" for a in ticks]}
fig, (left, right) = tp.show.figure(1, 2, 10, 3.2)
tp09.lines(left, logit.detach(), {name: loss.detach() for name, loss in losses.items()}, ylabel="loss of G",
           title="Two losses of G …", **below)
tp09.lines(right, logit.detach(), gradients, ylabel="derivative with respect to a", title="… and what reaches G",
           ylim=(-1.05, 0.45), **below)
fig

# %% [markdown]
# **See** the left half of both pictures, where D is sure that x̃ is generated. Early in a game, says the paper, D is: G
# makes noise, and has most to learn. Just there the saturating loss is flat and its derivative close to 0, while the
# non-saturating one has a derivative close to −1. It becomes flat on the right, where G has nothing left to gain.
#
# ## 0.4 Algorithm 1, step by step
#
# Goodfellow et al. 2014 (arXiv:1406.2661) write the game as their Algorithm 1: some updates of D, then G's turn, and so
# on. Here it is as it runs in this part. Later you write it yourself, for images.
# (`update(optimiser, loss)` is `zero_grad()`, `backward()` and `step()`.)

# %%
import inspect

print(inspect.getsource(tp09.play))

# %% [markdown]
# One update changes too little to be seen, so here D makes 20 of them in each of its turns, and G makes 5. Press play,
# or drag the slider: each frame is one turn. (Three seconds.) **See**
#
# - in D's turns, how D (blue) moves towards the best answer to the present G (black, dashed); in G's turns, how p_G
#   moves to where D is high. G never sees the data: all it knows of them is D;
# - that p_G begins as one heap in the middle and ends as two, one at each Gaussian of the data, neither perfect;
# - that no loss goes to 0. At the end D pays nearly ln 4 and G somewhat more than ln 2 (the grey lines), as 0.2 says of
#   a D that can hardly tell; and nearly the same before the game, when D knew nothing. The losses say how even the
#   players are. They do not say how good.
#
# (Seed 3 of ten that were looked at, for the steadiest film; with each of the ten G ends as two heaps.)

# %%
film = tp09.play(tp.pick(smoke=3, cpu=25, full=25), nb_update_D=20, nb_update_G=5, seed=3)
tp.widgets.player(tp09.film_frames(film), label="turn", milliseconds=400, scale=1)

# %%
first, last = film[0], film[-1]
tp.show.Table(["", "loss of D", "loss of G", "shares of x̃ at −2 and at 2"],
              [[name, f"{moment.loss_D:.2f}", f"{moment.loss_G:.2f}",
                " and ".join(f"{share:.0%}" for share in tp09.shares(moment.fake))]
               for name, moment in (("before the game", first), (f"after step {last.step}", last))],
              caption="“At” means within three standard deviations of that Gaussian.")

# %% [markdown]
# ## 0.5 Mode collapse, provoked and seen
#
# Against D as it is at one moment, the best G sends **every** z to the value where D is highest. What keeps G from it
# is that D moves too, and soon calls a crowded place generated. So give G time: 20 updates for each one of D. All else
# is as in the balanced game, one update each: data, networks, learning rate, number of steps, seeds. (10 seconds.)

# %%
games = {"1 update of G": 1, "20 updates of G": 20}
steps = tp.pick(smoke=4, cpu=200, full=200)
films = {(name, seed): tp09.play(steps, nb_update_G=updates, look_every=2, seed=seed)
         for name, updates in games.items() for seed in range(3)}

# %%
fig, axes = tp.show.figure(2, 3, 10, 5)
for axis, ((name, seed), film) in zip(axes.flat, films.items(), strict=True):
    picture = tp09.draw_history(axis, film, f"{name} for 1 of D, seed {seed}")
fig.colorbar(picture, ax=axes, label="share of x̃ in an interval of 0.2", extend="max")
fig

# %%
rows = [[name, seed, *tp09.collapse(film)] for (name, seed), film in films.items()]
collapsed = {name: sum(share > 0.5 for game, _, share, *_ in rows if game == name) for name in games}
tp.show.Table(["for 1 of D", "seed", "a Gaussian is left out", "width of x̃", "changes of side"],
              [[name, seed, f"{share:.0%} of the time", f"{width:.2f}", changes]
               for name, seed, share, width, changes in rows],
              caption="Mode collapse: " + ", ".join(f"{n} of 3 seeds with {name}" for name, n in collapsed.items())
                      + f". The data's width is {tp09.width(tp09.FIXED_X[:, 0]):.2f}.")

# %% [markdown]
# The table is about the second half of the game (changes of side: the whole). A Gaussian is left out when it gets less
# than 10 % of x̃; the game has collapsed when that is so for more than half of the time. Width: from the 10th to the
# 90th percentile, the median over time.
#
# **See** in the upper row how the heap in the middle parts and gathers at the two dotted lines, in places more closely
# than the data, which would show 0.08 there. In the lower row there is one bright line at a time: nearly the same x̃
# wherever z is, and one of the two Gaussians left out, if not both. Nor does G stay. As soon as D has learnt that this
# place is generated, another pays better, and G moves there with all it has, at times far past the data, where D has
# never been. In a GAN of images the same fault looks like this: different latents, nearly the same image.
#
# ## 0.6 What GANs are used for
#
# The lecture's map of applications, to read further. Each is the game above, with other networks and, mostly, a
# condition or a second loss.
#
# - **Images from noise, and arithmetic with latents.** DCGAN, the networks of this practical. Averages of latents can
#   be added and subtracted: smiling woman − neutral woman + neutral man gives a smiling man.
#   *Radford et al. 2016, arXiv:1511.06434*
# - **Large images.** Progressive growing: the game starts at 4 × 4 pixels, and both networks gain layers until faces
#   have 1024 × 1024. *Karras et al. 2018, arXiv:1710.10196*
# - **Image to image, from pairs.** pix2pix: a label map becomes a façade or a street, edges become a shoe or a bag. The
#   input image is the condition of G and of D, and an L1 distance to the true image is added to G's loss.
#   *Isola et al. 2017, arXiv:1611.07004*
# - **The same, in high resolution.** pix2pixHD: street scenes of 2048 × 1024 from label maps, with a G that works from
#   coarse to fine and several D, each at its own scale. *Wang et al. 2018, arXiv:1711.11585*
# - **Image to image, without pairs.** CycleGAN: horse to zebra, photograph to painting. Two games, one in each
#   direction; there and back again must give the image one started from. *Zhu et al. 2017, arXiv:1703.10593*
# - **Age progression.** A face and an age group in, the same person at that age out: a conditional GAN whose latent is
#   chosen so that the identity is kept. *Antipov et al. 2017, arXiv:1702.01983*
# - **Super-resolution.** SRGAN: four times as many pixels each way; D asks for plausible texture, a distance between
#   features of VGG for the right content. *Ledig et al. 2017, arXiv:1609.04802*

# %% [markdown]
# # Part 1. DCGAN
#
# The same game with images. Radford, Metz and Chintala (2016, arXiv:1511.06434) found which convolutional networks
# play it well: strided convolutions instead of pooling, batch norm, ReLU in G, LeakyReLU in D. The handout fixes the
# settings: images of 32 × 32 in [−1, 1], nz = 100, width 32 for both players, Adam with learning rate 0.0002 and
# β₁ = 0.5.
#
# | what | full profile (the handout) | cpu profile |
# |---|---|---|
# | default run | 8000 steps of 256 images | 3000 steps of 128 images, about 5 minutes on two cores |
# | an experiment | 8000 steps of 256 images | 1200 steps of 32 images, about 40 seconds |
#
# ## 1.1 The data
#
# MNIST. **To play with other images, change one line:** `tp.data.faces()` (CelebA; where it cannot be found, Labeled
# Faces in the Wild or a built-in sample of 100 faces) or `tp.data.cifar10()`. Everything below adapts, but for the
# judge, who reads digits only.

# %%
data = tp.data.mnist()
images = tp.data.resized(data.train_images, 32)
images = images[:tp.pick(smoke=4000, cpu=len(images), full=len(images))]
channels = images.shape[1]
tp.caveat(data)
tp.show.grid(images[:16], columns=16, size=0.6, title=f"{len(images)} images of {channels} × 32 × 32")

# %% [markdown]
# ## 1.2 The players
#
# **D** halves the image until 4 × 4 are left, and weighs those up to one number, the **logit**: large for "real". Its
# sigmoid is the probability D(x). The network stops at the logit; the sigmoid goes into the loss, where it can be
# computed without overflow (section 1.4).
#
# ### Exercise 9.1: `Discriminator` (★☆☆, 10 minutes)
#
# D, from image to logit.

# %% exercise="9.1"
class Discriminator(nn.Module):
    """DCGAN's discriminator: x [N, channels, S, S] → logits [N]; S = 4 · 2^blocks, so 32 for three blocks.

    blocks convolutions 4 × 4 (stride 2, padding 1, no bias) to width, 2 · width, 4 · width … channels, each followed by
    batch norm and LeakyReLU(0.2); then one convolution 4 × 4 (stride 1, padding 0) to a single value. No sigmoid.
    """

    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        ### BEGIN SOLUTION
        layers = []
        for block in range(blocks):
            layers += [nn.Conv2d(channels, width * 2**block, 4, stride=2, padding=1, bias=False),
                       nn.BatchNorm2d(width * 2**block), nn.LeakyReLU(0.2)]
            channels = width * 2**block
        self.layers = nn.Sequential(*layers, nn.Conv2d(channels, 1, 4))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x).flatten()
        ### END SOLUTION


# %%
Discriminator = tp.check("9.1", Discriminator)

# %% [markdown]
# **G** goes the other way: a **transposed** convolution of stride 2 doubles the side. It is the gradient of an
# ordinary convolution, taken forwards: each input value stamps a 4 × 4 pattern onto the output, two pixels apart.
#
# ### Exercise 9.2: `Generator` (★☆☆, 10 minutes)
#
# G, from latent to image.

# %% exercise="9.2"
class Generator(nn.Module):
    """DCGAN's generator: z [N, nz, 1, 1] → x̃ [N, channels, S, S] in [−1, 1]; S = 4 · 2^blocks.

    A transposed convolution 4 × 4 (stride 1, padding 0) to 2^(blocks − 1) · width channels, then blocks − 1 more
    (stride 2, padding 1) that halve the channels down to width; all without bias, each followed by batch norm and
    ReLU. Then one transposed convolution 4 × 4 (stride 2, padding 1) to the image, and tanh.
    """

    def __init__(self, nz=100, width=32, channels=1, blocks=3):
        super().__init__()
        ### BEGIN SOLUTION
        layers, inputs = [], nz
        for block in reversed(range(blocks)):
            stride, padding = (2, 1) if layers else (1, 0)
            layers += [nn.ConvTranspose2d(inputs, width * 2**block, 4, stride, padding, bias=False),
                       nn.BatchNorm2d(width * 2**block), nn.ReLU()]
            inputs = width * 2**block
        self.layers = nn.Sequential(*layers, nn.ConvTranspose2d(inputs, channels, 4, 2, 1), nn.Tanh())
        ### END SOLUTION

    def forward(self, z):
        ### BEGIN SOLUTION
        return self.layers(z)
        ### END SOLUTION


# %%
Generator = tp.check("9.2", Generator)

# %% [markdown]
# **See** the shapes on the way, and who has more weights.

# %%
D, G = Discriminator(channels), Generator(channels=channels)
tp09.layers_table(G, torch.zeros(2, 100, 1, 1), D, torch.zeros(2, channels, 32, 32))

# %% [markdown]
# Small weights at the start keep both players undecided: D(x) near one half, images near grey.
#
# ### Exercise 9.3: `initialise` (★☆☆, 10 minutes)
#
# The initialisation of the DCGAN paper.

# %% exercise="9.3"
def initialise(network):
    """Draw a network's weights anew, in place, and return it.

    Convolutions, transposed ones too: weight ~ N(0, 0.02). Batch norm: weight ~ N(1, 0.02). Their biases: 0.
    (0.02 is the standard deviation.)
    """
    ### BEGIN SOLUTION
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return network
    ### END SOLUTION


# %%
initialise = tp.check("9.3", initialise)

# %% [markdown]
# ## 1.3 The latent
#
# ### Exercise 9.4: `sample_latent` (★☆☆, 5 minutes)
#
# Draw latents.

# %% exercise="9.4"
def sample_latent(n, nz, generator, device):
    """n latents z ~ N(0, 1) on a device: float32 [n, nz, 1, 1].

    generator: a torch.Generator on the CPU (draw there, then move: the same seed gives the same z on every machine)
    """
    ### BEGIN SOLUTION
    return torch.randn(n, nz, 1, 1, generator=generator).to(device)
    ### END SOLUTION


# %%
sample_latent = tp.check("9.4", sample_latent)

# %% [markdown]
# **See** what G makes of sixteen latents before it has learnt anything.

# %%
tp.seed(0)
D, G = initialise(Discriminator(channels)), initialise(Generator(channels=channels))
z = sample_latent(16, 100, torch.Generator().manual_seed(0), "cpu")
tp.show.grid((G(z).detach() + 1) / 2, columns=16, size=0.6, title="x̃ = G(z) before training")

# %% [markdown]
# ## 1.4 The losses
#
# The two objectives of the handout, as losses to be minimised:
#
# - D: −mean ln D(x) − mean ln(1 − D(G(z)))  (real images should get 1, generated ones 0)
# - G: −mean ln D(G(z))  (generated images should get 1)
#
# Both are binary cross-entropies, with labels 1 or 0.
#
# ### Exercise 9.5: `discriminator_loss` (★☆☆, 5 minutes)
#
# D's loss.

# %% exercise="9.5"
def discriminator_loss(real_logits, fake_logits):
    """What D minimises: −mean ln D(x) − mean ln(1 − D(x̃)), a scalar, from its logits [n] and [m].

    n may differ from m. D(x) is the sigmoid of the logit. Use F.binary_cross_entropy_with_logits: it stays finite for
    logits of ±100.
    """
    ### BEGIN SOLUTION
    real = F.binary_cross_entropy_with_logits(real_logits, torch.ones_like(real_logits))
    fake = F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    return real + fake
    ### END SOLUTION


# %%
discriminator_loss = tp.check("9.5", discriminator_loss)

# %% [markdown]
# ### Exercise 9.6: `generator_loss` (★☆☆, 5 minutes)
#
# G's loss, as it is used.

# %% exercise="9.6"
def generator_loss(fake_logits):
    """What G minimises, non-saturating: −mean ln D(x̃), a scalar, from D's logits [n] of generated images.

    Finite, with its gradient, for logits of ±100.
    """
    ### BEGIN SOLUTION
    return F.binary_cross_entropy_with_logits(fake_logits, torch.ones_like(fake_logits))
    ### END SOLUTION


# %%
generator_loss = tp.check("9.6", generator_loss)

# %% [markdown]
# ### Exercise 9.7: `saturating_generator_loss` (★☆☆, 5 minutes)
#
# G's loss, as theory has it. In the min-max game G minimises what D maximises; of that
# only mean ln(1 − D(G(z))) depends on G.

# %% exercise="9.7"
def saturating_generator_loss(fake_logits):
    """What G minimises in the min-max game: mean ln(1 − D(x̃)), a scalar, from D's logits [n] of generated images.

    Finite, with its gradient, for logits of ±100.
    """
    ### BEGIN SOLUTION
    return -F.binary_cross_entropy_with_logits(fake_logits, torch.zeros_like(fake_logits))
    ### END SOLUTION


# %%
saturating_generator_loss = tp.check("9.7", saturating_generator_loss)

# %% [markdown]
# **Why logits?** In float32 the sigmoid of −120 is 0, and ln 0 is −∞: the gradient is lost. From the logit ℓ the
# same loss is softplus(−ℓ) = ln(1 + exp(−ℓ)), which is 120, and `F.softplus` knows how not to overflow. **See** the
# two side by side.

# %%
logits = torch.tensor([-120.0, -20.0, 0.0, 20.0, 120.0])
tp.show.Table(["logit of a generated image", "−ln sigmoid(logit)", "generator_loss(logit)"], [
    [f"{logit:g}", f"{-logit.sigmoid().log():.3g}", f"{generator_loss(logit[None]):.3g}"] for logit in logits])

# %% [markdown]
# ## 1.5 One step of the game
#
# First one update of each player, then Algorithm 1, which is made of them. Both updates use the same images,
# `fake`, a batch that G has made of latents. They come **with their graph**: autograd still knows how they were made,
# and can lead a gradient from them back to G's weights. G's update needs that. D's does not want it.
#
# ### Exercise 9.8: `discriminator_step` (★★☆, 10 minutes)
#
# D's turn. Who moves, and who must not? (`fake.detach()` is the same images without the graph.)

# %% exercise="9.8"
def discriminator_step(D, x, fake, optimiser_D):
    """One update of D on real images x and generated images fake; returns its loss, a detached scalar tensor.

    D sees x and fake as two batches. No gradient goes to G: fake comes with its graph, which G's update needs later.
    D stays in the mode it is in.
    """
    ### BEGIN SOLUTION
    loss = discriminator_loss(D(x), D(fake.detach()))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()
    ### END SOLUTION


# %%
discriminator_step = tp.check("9.8", discriminator_step)

# %% [markdown]
# In G's turn the gradient goes through D to G, but D only judges: gradients for its own weights would be computed and
# thrown away. Within `with tp.frozen(D):` they are not computed, which saves a third of D's work; the gradient that
# goes on to the images is the same. You may do without.
#
# ### Exercise 9.9: `generator_step` (★★☆, 10 minutes)
#
# G's turn.

# %% exercise="9.9"
def generator_step(D, fake, optimiser_G):
    """One update of G: its images fake should be taken for real ones by D; returns its loss, a detached scalar tensor.

    fake comes with its graph, through which the gradient reaches G. D's weights do not move, and are left trainable
    (their requires_grad is restored if it was touched). Their gradients may change: D's own step clears what is left
    over. D stays in the mode it is in.
    """
    ### BEGIN SOLUTION
    with tp.frozen(D):
        loss = generator_loss(D(fake))
        optimiser_G.zero_grad()
        loss.backward()
        optimiser_G.step()
    return loss.detach()
    ### END SOLUTION


# %%
generator_step = tp.check("9.9", generator_step)

# %% [markdown]
# **Algorithm 1** (Goodfellow et al. 2014). In each step:
#
# - $k$ times:
#   - sample latents $z^{(1)}, \dots, z^{(m)}$ from $p(z)$ and real images $x^{(1)}, \dots, x^{(m)}$ from the data;
#   - update D by *ascending* its gradient
#     $\nabla_{\theta_D} \frac{1}{m} \sum_{i=1}^{m} \left[ \ln D(x^{(i)}) + \ln\left(1 - D(G(z^{(i)}))\right) \right]$;
# - once:
#   - sample latents $z^{(1)}, \dots, z^{(m)}$ from $p(z)$;
#   - update G by *descending* its gradient
#     $\nabla_{\theta_G} \frac{1}{m} \sum_{i=1}^{m} \ln\left(1 - D(G(z^{(i)}))\right)$.
#
# Your two functions are these updates; that of G has the non-saturating loss which the paper advises in place of the
# one written here. The handout asks for more than one update of G as well: each on latents of its own, for G has moved.
#
# ### Exercise 9.10: `algorithm_1` (★★☆, 15 minutes)
#
# The whole step. All experiments of this practical will be played by this function.

# %% exercise="9.10"
def algorithm_1(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    """One step of Algorithm 1: nb_update_D updates of D, then nb_update_G of G. Returns (loss of D, loss of G).

    batch:   batch() gives real images x, new ones at each call: each update of D has its own, those of G need none
    latent:  latent() gives latents z, new ones at each call: each update has its own. Only the first of G may share
             those of D's last one, and the images too: they are good as long as G has not moved
    The losses are those of the last update of each player, as discriminator_step and generator_step return them.
    """
    ### BEGIN SOLUTION
    for _ in range(nb_update_D):
        fake = G(latent())
        loss_D = discriminator_step(D, batch(), fake, optimiser_D)
    for k in range(nb_update_G):
        if k > 0:  # the first update judges the images that D has seen last: that saves one pass of G
            fake = G(latent())
        loss_G = generator_step(D, fake, optimiser_G)
    return loss_D, loss_G
    ### END SOLUTION


# %%
algorithm_1 = tp.check("9.10", algorithm_1)

# %% [markdown]
# Your own game. What `algorithm_1` asks for is two players with an optimiser each, real images and latents:

# %%
tp.seed(0)
D, G = initialise(Discriminator(channels)), initialise(Generator(channels=channels))
optimiser_D = torch.optim.Adam(D.parameters(), 2e-4, betas=(0.5, 0.999))
optimiser_G = torch.optim.Adam(G.parameters(), 2e-4, betas=(0.5, 0.999))
generator = torch.Generator().manual_seed(0)


def batch():
    """64 real images, drawn anew at each call."""
    return images[torch.randint(len(images), (64,), generator=generator)].float() / 127.5 - 1


def latent():
    """64 latents, drawn anew at each call."""
    return sample_latent(64, 100, generator, "cpu")


# %% [markdown]
# And the game is a loop. (About five seconds.)

# %%
losses = {"D": [], "G": []}
for _ in range(tp.pick(smoke=3, cpu=100, full=100)):
    loss_D, loss_G = algorithm_1(D, G, optimiser_D, optimiser_G, batch, latent)
    losses["D"].append(loss_D.item())
    losses["G"].append(loss_G.item())

# %% [markdown]
# **See** the first blobs; strokes need some hundred steps more. At the start D leads by far, its loss near 0 and G's
# rising: that is normal.

# %%
fig, (curves, picture) = tp.show.figure(1, 2, 8, 2.4)
tp.show.smoothed(curves, losses)
curves.set(xlabel="step", ylabel="loss", title="Your loop")
curves.legend(frameon=False)
tp.show.draw(picture, tp.show.mosaic((G(z).detach() + 1) / 2))
picture.axis("off")
picture.set_title("G(z) after your loop")
fig

# %% [markdown]
# ## 1.6 The engine
#
# A long run needs more than a loop: images that live on the GPU if there is one, progress and curves, checkpoints to go
# on from after an interrupt. `tp.train` adds that to any step: it repeats a function `step(x, generator)`, where x is a
# batch of real images on the device and `generator` the source of all that is random. What the function returns, here
# `{"D": loss, "G": loss}`, becomes the curves.
#
# `tp.Game` is `tp.train` for two players, whom it watches: D(x) and D(G(z)) in each step, and now and then a picture of
# the same 64 latents. Neither of the two knows what a loss or an update is. That is in your `algorithm_1`.
#
# The function below is one whole run. Its arguments are what the experiments will change. Where D makes k updates in a
# step, the engine is asked for k batches at once; `x.chunk(k)` splits them up again, and each call of `batch()` takes
# the next one.

# %%
def play(name, seed=0, steps=1200, batch_size=32, size=32, nz=100, ngf=32, ndf=32, rate_D=2e-4, rate_G=2e-4, beta1=0.5,
         nb_update=(1, 1), algorithm=algorithm_1, start=initialise, live=False):
    """Train a DCGAN and return the game."""
    tp.seed(seed)
    blocks = {32: 3, 64: 4}[size]
    D, G = start(Discriminator(channels, ndf, blocks)), start(Generator(nz, ngf, channels, blocks))
    optimiser_D = torch.optim.Adam(D.parameters(), rate_D, betas=(beta1, 0.999))
    optimiser_G = torch.optim.Adam(G.parameters(), rate_G, betas=(beta1, 0.999))

    def latent(n, generator):
        return sample_latent(n, nz, generator, tp.device())

    def step(x, generator):
        batches = iter(x.chunk(nb_update[0]))
        loss_D, loss_G = algorithm(D, G, optimiser_D, optimiser_G, batch=lambda: next(batches),
                                   latent=lambda: latent(batch_size, generator),
                                   nb_update_D=nb_update[0], nb_update_G=nb_update[1])
        return {"D": loss_D, "G": loss_G}

    return tp.Game(G, D, latent).train(step, {"D": optimiser_D, "G": optimiser_G}, tp.data.resized(images, size), steps,
                                       batch_size=nb_update[0] * batch_size, name=f"tp09-{name}-{seed}", seed=seed,
                                       live=live)


real = images if data.name == "mnist" else None  # what the judge compares with

# %% [markdown]
# **Question 9.1 ★** Interpret the two objectives of section 1.4. What would happen if only one of them were used?
# Write down what you expect of D(x), D(G(z)) and the images; then run the cells below, where one player's
# learning rate is 0.

# %%
alone = {"only D learns": play("only-D", steps=tp.pick(smoke=2, cpu=200, full=500), rate_G=0),
         "only G learns": play("only-G", steps=tp.pick(smoke=2, cpu=200, full=500), rate_D=0)}
fig, axes = tp.show.figure(1, 4, 11, 2.3, width_ratios=(3, 2, 3, 2))
for (name, game), (curves, picture) in zip(alone.items(), (axes[:2], axes[2:]), strict=True):
    tp.show.smoothed(curves, {curve: game.history[curve] for curve in ("D(x)", "D(G(z))")})
    curves.set(xlabel="step", ylabel="mean of D", ylim=(0, 1), title=name)
    curves.legend(frameon=False)
    tp.show.draw(picture, tp.show.mosaic(game.history["pictures"][-1][1]))
    picture.axis("off")
fig

# %% [markdown] answer="9.1"
# **Model answer.**
#
# D's objective is that of a classifier: images of the data set should get 1, generated ones 0. G's objective is that
# D takes its images for real: it is D's mistake that G works for, and G sees the data only through D's eyes.
#
# With D's objective alone, D soon tells the two apart for certain (D(x) → 1, D(G(z)) → 0) and G goes on making grey
# noise: nobody tells it anything. With G's objective alone, G finds what the untrained D happens to like, one pattern
# for all latents or nearly, D(G(z)) → 1; D is a random function that knows nothing of digits, and so does G. Only the
# two together tie G to the data.

# %% [markdown]
# **Question 9.2** Ideally, what does G turn the distribution P(z) into? And what would D(x) then be?

# %% [markdown] answer="9.2"
# **Model answer.** Into the distribution of the data: if z is drawn from P(z), then G(z) is distributed as the images
# are. No discriminator can then do better than D = p_data / (p_data + p_G) = 1/2 everywhere (Part 0), D's loss is
# 2 ln 2 = 1.39, and G's gradient vanishes: the equilibrium of the game. P(z) itself does not matter much: G is a change
# of variables, which carries the simple Gaussian over to the complicated distribution of digits.

# %% [markdown]
# **Question 9.3 ★** The loss of G in exercise 9.6 is not what the min-max game prescribes. Which one is the "true"
# generator loss, and why is the other one used?

# %% [markdown] answer="9.3"
# **Model answer.** In the min-max game G minimises the very quantity that D maximises, that is mean ln(1 − D(G(z)))
# (exercise 9.7). Both losses pull G in the same direction: they fall when D(G(z)) grows. They differ in strength. With
# respect to the logit the gradient of ln(1 − D) is −D, that of −ln D is −(1 − D). At the beginning D tells generated
# images with ease, D(G(z)) ≈ 0, and the true loss gives no gradient just when G has everything to learn: it
# *saturates*. The other one is strongest there. The price: G and D no longer play for the same stake, and the proof of
# convergence of the paper does not apply to it.

# %% [markdown]
# ## 1.7 The default run
#
# The handout's settings. **See** the curves, the grid, and the judge's numbers below them: the judge is a small
# classifier of MNIST that is asked what it reads in 2000 generated images. (On two cores about five minutes the
# first time; interrupt it whenever you like, run the cell again to go on.)

# %%
default_steps = tp.pick(smoke=4, cpu=3000, full=8000)
default_batch = tp.pick(smoke=16, cpu=128, full=256)
game = play("long", steps=default_steps, batch_size=default_batch, live=True)

# %% tags=["gallery"]
tp.show.grid(game.generate(64, seed=1)[0], columns=16, size=0.55,
             title="DCGAN: images of fresh latents, digits that nobody wrote")

# %% [markdown]
# The judge's numbers, each beside that of real images:
#
# - **Fréchet distance**: how far mean and covariance of the judge's features differ from those of real images. Smaller
#   is better; the floor is what real images have to other real images.
# - **Precision**: the share of generated images that lie among real ones, **recall**: the share of real ones that lie
#   among generated ones. Bad images cost precision, missing ones recall. **Density** and **coverage** ask the same in a
#   way that single odd images disturb less. Larger is better.
# - **Classes covered** and the **entropy** of what the judge reads: ten classes alike give log₂ 10 = 3.32 bits.
# - **Diversity within a class**: the distance between two generated images of a class, over that of two real ones. Far
#   below 1, G repeats itself; above 1, its images differ more than digits do, that is, some are no digits.

# %%
count = tp.pick(smoke=100, cpu=2000, full=5000)
tp.health.report(game, real, count, title=f"DCGAN, {default_steps} steps of {default_batch} images")

# %% [markdown]
# The same latents, from the first step to the last. **See** what comes first, and what still changes at the end.

# %%
frames = torch.stack([tp.show.mosaic(pictures) for _, pictures in game.history["pictures"]]).float() / 255
tp.widgets.player(frames, label="picture")

# %% [markdown]
# **Question 9.4 ★** Comment on the default run: the two losses, D(x) and D(G(z)), the images. Do the losses tell when
# to stop? What do the judge's numbers add?

# %% [markdown] answer="9.4"
# **Model answer.** Both losses settle in the first thousand steps or so and then hardly change, while the images go on
# improving: blobs, strokes, digits. D stays ahead: D(x) is above 0.8 and D(G(z)) below 0.2 where a draw would be
# one half, and D's loss is about a third of 2 ln 2 = 1.39. So the losses say who leads; they do not say how good the
# images are, nor when to stop. The spikes are steps at which one player was taken by surprise.
#
# The judge's numbers say more. All ten classes are there, in nearly equal shares: no mode is lost. The distance to the
# data is still many times the floor. Recall is near that of real images, precision is not: G covers the variety of the
# digits, but about a third of its images are like none of them. A diversity above 1 says the same: malformed images lie
# further apart than digits do.

# %% [markdown]
# ## 1.8 Experiments
#
# One change at a time. Most only give `play` another argument. One is another game: G's update minimises the saturating
# loss, so it has a step of its own:

# %%
def saturating_step(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    """One update of D, then one of G, which minimises ln(1 − D(x̃)). Both numbers of updates must be 1."""
    assert (nb_update_D, nb_update_G) == (1, 1)
    fake = G(latent())
    loss_D = discriminator_step(D, batch(), fake, optimiser_D)
    with tp.frozen(D):
        loss_G = saturating_generator_loss(D(fake))
        optimiser_G.zero_grad()
        loss_G.backward()
        optimiser_G.step()
    return loss_D, loss_G


# %% [markdown]
# Each line of the dictionary is an experiment; add your own.

# %%
wide = tp.pick(smoke=64, cpu=64, full=128)  # the handout's 128 costs a CPU ten times the default
experiments = {
    "default": {},
    "β₁ = 0.9": {"beta1": 0.9},
    "updates (D, G) = (1, 5)": {"nb_update": (1, 5)},
    "updates (D, G) = (5, 1)": {"nb_update": (5, 1)},
    "saturating loss": {"algorithm": saturating_step},
    "ngf = 8": {"ngf": 8},
    f"ngf = {wide}": {"ngf": wide},
    "ndf = 8": {"ndf": 8},
    f"ndf = {wide}": {"ndf": wide},
    "PyTorch's initialisation": {"start": nn.Identity()},  # leaves the weights as PyTorch drew them
    "learning rate of D × 10": {"rate_D": 2e-3},
    "learning rate of G × 10": {"rate_G": 2e-3},
    "nz = 2": {"nz": 2},
    "nz = 10": {"nz": 10},
    "nz = 1000": {"nz": 1000},
    "64 × 64, one more block": {"size": 64},
    "twice as long": {"steps": tp.pick(smoke=4, cpu=2400, full=16000)},
}
short = {"steps": tp.pick(smoke=2, cpu=1200, full=8000), "batch_size": tp.pick(smoke=16, cpu=32, full=256)}

# %% [markdown]
# Choose some and run them (in the cpu profile 40 seconds each, the wide and the large ones some minutes). All of them
# are in the table further down, with three seeds.

# %%
chosen = tp.pick(smoke=["default", "saturating loss"], cpu=["default", "β₁ = 0.9"], full=list(experiments))
played = {name: play(name, **{**short, **experiments[name]}) for name in chosen}
tp.show.grid([tp.show.mosaic(one.generate(64)[0]) for one in played.values()], list(played), columns=6, size=1.9,
             title=f"Experiments: {short['steps']} steps of {short['batch_size']} images")

# %% tags=["solution"]
if tp.measuring():
    seeds = [0, 1, 2]
    default = [play("long", seed, steps=default_steps, batch_size=default_batch) for seed in seeds]
    played = {name: [play(name, seed, **{**short, **change}) for seed in seeds] for name, change in experiments.items()}
    tp.save_results("tp09", {
        "protocol": "MNIST, 60,000 images of 32 × 32; G in eval mode, last weights; 2000 generated images against 2000 "
                    "training images in the judge's features, floor: 2000 others; nothing selected",
        "default": {"steps": default_steps, "batch_size": default_batch, "seeds": seeds,
                    "measured": [tp.health.of(one, real, count) for one in default]},
        "experiments": {"steps": short["steps"], "batch_size": short["batch_size"], "seeds": seeds,
                        "measured": {name: [tp.health.of(one, real, count) for one in games]
                                     for name, games in played.items()}},
    }, command="make outputs TP=tp09", data_is_sample=data.sample)
    tp.runtime.show(tp.show.grid([tp.show.mosaic(first.generate(64)[0]) for first, *_ in played.values()], list(played),
                                 columns=6, size=1.9, title="All experiments, seed 0"))

# %% [markdown]
# The table, in the cpu profile: mean ± standard deviation over the seeds, and what the report of a group of students
# says. The last line is the floor: real images against real ones. Mind what such a short budget can show: who learns
# fast and who fails early, not where a game ends.

# %%
tp09.experiments_table(tp.results("tp09")["experiments"]["measured"], {
    "β₁ = 0.9": "worse", "updates (D, G) = (1, 5)": "bad", "updates (D, G) = (5, 1)": "good"})

# %% [markdown]
# **Question 9.5 ★** Comment on the experiments. The report found β₁ = 0.9 worse, five updates of G for one of D bad,
# five updates of D for one of G good. Do the numbers agree? Which changes matter, which hardly?

# %% [markdown] answer="9.5"
# **Model answer.** With the report where it says bad, against it where it says good:
#
# - **β₁ = 0.9**: worse in all three seeds; up to half of the classes are lost. The gradient of a game turns all the
#   time, and a long memory of old gradients pushes the players past each other.
# - **(1, 5)**: bad. Three or four classes are left: the collapse of Part 0, for the same reason.
# - **(5, 1)**: two seeds are about as good as the default, in the third D wins from the start and G never begins. In
#   our short budget more updates of D are no help, they are a risk; D's five updates also cost the time of four steps.
# - **Saturating loss**: G stays at noise in every seed, D(x) = 1 and D(G(z)) = 0: the vanishing gradient of Part 0.
# - **Learning rates**: a faster D wins in two of three seeds. A faster G gives the best distance of the table: in the
#   default game it is G that lags behind. (It is no rule: with (1, 5) G was helped too, and collapsed.)
# - **Widths**: 8 is too narrow, for G more than for D. A wider G learns faster, a wider D changes nothing.
# - **nz**: 2 numbers are too few (the diversity falls), 10 do better than 100 here, 1000 worse.
# - **Initialisation**: PyTorch's own is no worse; the handout's is no secret of success in this network.
# - **64 × 64**: after these few steps D wins and G has not begun; it needs more steps.
# - **Longer**: better than most other changes. Nothing had converged.
#
# Three seeds and few steps: differences of the size of the standard deviation mean nothing, and a row with a deviation
# as large as its mean says that the outcome is a matter of luck. That is a finding too.

# %% [markdown]
# ## 1.9 A walk in latent space
#
# Between two latents lies a line of others, and G makes an image of each.
#
# ### Exercise 9.11: `interpolate` (★☆☆, 5 minutes)
#
# The straight line.

# %% exercise="9.11"
def interpolate(z0, z1, steps):
    """Latents on the straight line from z0 to z1, both included: [nz, 1, 1] twice → [steps, nz, 1, 1].

    steps ≥ 2; the result is on z0's device.
    """
    ### BEGIN SOLUTION
    share = torch.linspace(0, 1, steps, device=z0.device).view(-1, 1, 1, 1)
    return (1 - share) * z0 + share * z1
    ### END SOLUTION


# %%
interpolate = tp.check("9.11", interpolate)

# %% [markdown]
# **See** whether one digit turns into another by way of shapes that are digits too. On the left the straight line, on
# the right the arc: in 100 dimensions nearly all latents have a norm near 10, the middle of a straight line one near 7,
# where G was hardly ever trained. (Here the two look alike: this G is not particular about the norm.)

# %%
ends = sample_latent(8, 100, torch.Generator().manual_seed(5), tp.device())
lines = torch.cat([interpolate(ends[k], ends[k + 1], 10) for k in (0, 2, 4)])
arcs = torch.cat([tp09.spherical(ends[k], ends[k + 1], 10) for k in (0, 2, 4)])
tp09.walks_figure(game, lines, arcs)

# %% [markdown]
# ## 1.10 Does it copy?
#
# A generator that had learnt its training images by heart would get perfect marks from every number above. **See** the
# nearest training image (smallest L2 distance between pixels) below each generated one.

# %%
generated, _ = game.generate(tp.pick(smoke=20, cpu=500, full=500), seed=2)
distances, nearest = tp09.nearest(generated, images)
tp.show.grid([*generated[:12], *images[nearest[:12]]], columns=12, size=0.8,
             title="Generated digits, and the nearest training image of each")

# %% [markdown]
# One picture proves little: fresh real digits have near neighbours too. **Compare** the distances of generated images
# to their nearest training image with those of test images, which nobody can have copied.

# %%
fresh = tp.data.resized(data.test_images[:len(generated)], 32)
fig, axis = tp.show.figure(width=6, height=2.6)
for label, values in {"generated": distances, "test images": tp09.nearest(fresh, images)[0]}.items():
    axis.hist(values, bins=30, histtype="step", linewidth=1.6, label=label) if len(values) else None
axis.set(xlabel="L2 distance to the nearest training image, pixels in [0, 1]", ylabel="images",
         title="Does G copy? Copies would pile up at 0")
axis.legend(frameon=False)
fig

# %% [markdown]
# # To take away
#
# - A GAN is a game: look at both players. The losses alone tell neither whether images are good nor when to stop.
# - The generator learns only from the discriminator's gradient: keep D good, and keep G's loss from saturating.
# - Measure: distance to the data in a judge's features, its floor, classes covered, diversity. Then look.
