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
# practical is built. Numbers in the text come from 5153 faces of AFHQ (Choi et al. 2020), 64 × 64, CC BY-NC.
#
# Notation: x image, x̃ = G(z) generated image, z latent, G generator, D discriminator; D(x) is a probability, the
# sigmoid of the logit that the network returns. Image tensors are `[N, C, H, W]`, here with three channels.

# %% tags=["setup"]
from itertools import pairwise

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
# of a colour that must be the same left and right. And there are far fewer pictures: some thousands.

# %% [markdown]
# ## 1.2 Generator and discriminator
#
# ### Exercise 12.1: `CatGenerator` (★★☆, 20 minutes)
#
# TP 9's generator, for colour, for two sizes, and with one of the poster's measures: dropout. Transposed convolutions
# of 4 × 4: the first one (stride 1) from z to 4 × 4, each further one (stride 2, padding 1) doubles the side. With w =
# `width` and side 32 the channels are 4w, 2w, w, 3; with side 64 they are 8w, 4w, 2w, w, 3. Each but the last is
# followed by batch norm, ReLU and `nn.Dropout(dropout)`, the last by tanh.

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
        for k, (inputs, outputs) in enumerate(pairwise([nz, *channels])):
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
# 8w with side 64), each followed by batch norm (not the first one) and `nn.LeakyReLU(0.2)`; then one of 4 × 4 (stride
# 1) to a single number, the logit.

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
        for k, (inputs, outputs) in enumerate(pairwise(channels)):
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
# The game of TP 9. G's update is the one of exercise 9.9; D's has the poster's soft labels in place of 1 and 0.

# %%
def latent(n, generator):
    """n latents z ~ N(0, 1): float32 [n, 100, 1, 1]."""
    return torch.randn(n, 100, 1, 1, generator=generator)


def generator_step(D, fake, optimiser_G):
    """One update of G, as in exercise 9.9: −mean ln D(x̃); returns this loss."""
    with tp.frozen(D):
        loss = F.softplus(-D(fake)).mean()
        optimiser_G.zero_grad()
        loss.backward()
        optimiser_G.step()
    return loss.detach()


def soft_discriminator_step(D, x, fake, optimiser_D, softness):
    """One update of D, whose targets for real and generated images are soft; returns its loss."""
    real_logits, fake_logits = D(x), D(fake.detach())
    real = soft_labels(torch.ones_like(real_logits), softness)
    generated = soft_labels(torch.zeros_like(fake_logits), softness)
    loss = (F.binary_cross_entropy_with_logits(real_logits, real)
            + F.binary_cross_entropy_with_logits(fake_logits, generated))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    return loss.detach()


# %% [markdown]
# One whole game: the players, a step of Algorithm 1 (D once, then G `nb_update_G` times, the first time with the
# images that D has just seen), and `tp.Game`, which repeats the step and keeps pictures of what G draws.
# (`tp.initialised` draws the first weights as exercise 9.3 does.)

# %%
def players_of(size, width=32, dropout=0.0, connected=False):
    """(G, D), untrained."""
    if connected:
        return tp12.connected(size)
    G, D = CatGenerator(size, width=width, dropout=dropout), CatDiscriminator(size, width)
    return tp.initialised(G), tp.initialised(D)


def play(name, seed=0, steps=1200, batch_size=32, size=size, softness=0.0, nb_update_G=1, average=None, live=False,
         **players):
    """Train a GAN on the cats and return the game. players: options of players_of"""
    tp.seed(seed)
    G, D = players_of(size, **players)
    optimiser_G, optimiser_D = (torch.optim.Adam(player.parameters(), 2e-4, betas=(0.5, 0.999)) for player in (G, D))

    def step(x, generator):
        fake = G(latent(len(x), generator).to(x.device))
        loss_D = soft_discriminator_step(D, x, fake, optimiser_D, softness)
        for k in range(nb_update_G):
            if k > 0:
                fake = G(latent(len(x), generator).to(x.device))
            loss_G = generator_step(D, fake, optimiser_G)
        return {"D": loss_D, "G": loss_G}

    return tp.Game(G, D, latent, average=average).train(
        step, {"G": optimiser_G, "D": optimiser_D}, tp.data.resized(data.train_images[:-aside], size), steps,
        batch_size=batch_size, name=f"tp12-{name}-{seed}", seed=seed, live=live)


# %% [markdown]
# **See** losses and images while they come. (In the cpu profile six to eight minutes the first time; interrupt it
# whenever you like, run the cell again to go on.)

# %%
long = {"steps": tp.pick(smoke=4, cpu=3000, full=20000), "batch_size": tp.pick(smoke=8, cpu=64, full=128),
        "width": tp.pick(smoke=32, cpu=32, full=64), "average": 0.999}  # G's images are those of its averaged weights
game = play("long", **long, live=True)

# %% tags=["gallery"]
tp.show.grid(game.generate(36, seed=1)[0], columns=12, size=0.8, title="Cats that do not exist")

# %% [markdown]
# The same latents from the first step to the last. **See** what the game finds first: the colour of the ground, the
# dark of the eyes, the symmetry; and what it is still changing at the end.

# %%
frames = torch.stack([tp.show.mosaic(pictures[:32]) for _, pictures in game.history["pictures"]]).float() / 255
tp.widgets.player(frames, label="picture")

# %% [markdown]
# The fully connected game has as many images and as many steps. **See** what it lacks.

# %%
plain = play("connected", **long, connected=True)
tp.show.grid(plain.generate(36, seed=1)[0], columns=12, size=0.8, title="The same, fully connected")

# %% [markdown]
# **Question 12.3 ★** Where do the two differ, and what in the networks is the reason?

# %% [markdown] answer="12.3"
# **Model answer.** The fully connected G gives each pixel weights of its own: nothing tells it that neighbouring pixels
# belong together, and its images carry a grain of single pixels that D, fully connected as well, is slow to punish.
# They also vary less. The convolutional G says the same thing everywhere with the same few weights: smooth fur, edges,
# round eyes come cheaply; a convolutional D sees a wrong texture wherever it is.

# %% [markdown]
# ## 1.5 Four measures
#
# The poster names four that made its game stable: dropout of 0.5 in G, soft labels, a balance of the two players (here:
# G moves twice), and more epochs. One change at a time, in short games. Choose some and run them (in the cpu profile a
# minute each); all of them are in the table of section 2.4, with three seeds.

# %%
measures = {
    "baseline": {}, "dropout 0.5 in G": {"dropout": 0.5}, "soft labels, 0.2": {"softness": 0.2},
    "G moves twice": {"nb_update_G": 2}, "twice as long": {"steps": tp.pick(smoke=4, cpu=1600, full=8000)},
    "fully connected": {"connected": True},
}
short = {"steps": tp.pick(smoke=2, cpu=800, full=4000), "batch_size": tp.pick(smoke=8, cpu=32, full=128)}
few = ["baseline", "soft labels, 0.2"]
chosen = tp.pick(smoke=few, cpu=few, full=list(measures))
games = {name: play(name, **short | measures[name]) for name in chosen}

# %%
tp.show.grid([tp.show.mosaic(one.generate(36)[0], 6) for one in games.values()], list(games), columns=3, size=2.6,
             title=f"{short['steps']} steps of {short['batch_size']} images")

# %% [markdown]
# # Part 2. Judges
#
# ## 2.1 A classifier
#
# The poster asks a network trained on ImageNet: does it see a cat? Five of ImageNet's 1000 classes are cats (281 to
# 285: tabby, tiger cat, Persian, Siamese, Egyptian).
#
# ### Exercise 12.4: `cat_rate` (★★☆, 15 minutes)
#
# The share of images whose most probable class is one of the five. The network wants 224 × 224 and ImageNet's
# normalisation; `tp.data.resized(images, 224)` and `tp.nets.to_input(images)` do the two. At most 50 images at a time.

# %% exercise="12.4"
def cat_rate(network, images):
    """Share of the images that an ImageNet classifier takes for a cat, a float.

    network:  from normalised float32 [n, 3, 224, 224] to the scores of 1000 classes;  images: uint8 [N, 3, S, S], any S
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        found = torch.cat([network(tp.nets.to_input(tp.data.resized(part, 224))).argmax(1)
                           for part in images.split(50)])
    return ((found >= 281) & (found <= 285)).float().mean().item()
    ### END SOLUTION


# %%
cat_rate = tp.check("12.4", cat_rate)

# %% [markdown]
# A number needs others beside it: what does the same judge say of real cats, at the same size, of cats at full size, of
# dogs, of nothing at all? (Half a minute.)

# %%
judge = tp.nets.pretrained("resnet18")
count = min(aside // 2, tp.pick(smoke=10, cpu=500, full=500))
generated, generated_plain = game.generate(count, seed=2)[0], plain.generate(count, seed=2)[0]
sets = {
    "real cats, 64 × 64": data.train_images[-aside:][:count], f"real cats, {size} × {size}": others[:count],
    "DCGAN": generated, "fully connected GAN": generated_plain,
    "CIFAR-10's dogs": tp12.dogs(count, size), "noise": tp12.noise(count, size),
}
rates = {name: cat_rate(judge, images) for name, images in sets.items() if images is not None}
tp.show.Table([f"{count} images", f"called a cat by {judge.name}"],
              [[name, tp.measure.percent(rate)] for name, rate in rates.items()])

# %% [markdown]
# **See** first the two lines of real cats: they are the same cats. Then the generated images to which the judge gives
# the highest probability of being cats.

# %%
images, probability = tp12.surest_cats(judge, generated)
tp.show.grid(images, [f"{p:.2f}" for p in probability], columns=12, size=0.8,
             title="The five classes of cats together: highest probabilities")

# %% [markdown]
# **Question 12.4 ★** On the poster 74.6 % of the real images are called cats, 52.0 % of the generated ones at 32 × 32
# and 92.1 % at 64 × 64: more than of the real ones. How is that possible? What does a fooled classifier prove, and what
# not?

# %% [markdown] answer="12.4"
# **Model answer.** The rate measures how *typical* images are for this classifier, not whether they are real. The
# poster's real cats were photographed in profile, in the dark, half hidden; a generator that has learnt the average
# face well draws typical cats only, and typical cats are what the classifier is surest of. A G that draws one good cat
# again and again gets 100 %. Also, the three numbers are not comparable: the size changes. Our own judge shows by how
# much: it calls 48 % of the real cats cats at 64 × 64, and 1 % of the same cats at 32 × 32. It was trained on sharp
# pictures of 224 × 224, and takes an enlarged one of 32 × 32 for something else, whether it is real or not: that it
# calls none of the generated ones a cat says nothing about them. That is why the rate of real images *at the same size*
# belongs beside each. A fooled classifier proves that the images have what it looks for: fur, eyes, ears. It proves
# neither that people would be fooled nor that there are many different cats.

# %% [markdown]
# ## 2.2 Distances
#
# Two numbers compare whole sets of images in the judge's features: the Fréchet distance (TP 9) and the kernel distance
# (*KID*, Bińkowski et al. 2018, arXiv:1801.01401), which has no bias for few images.
#
# ### Exercise 12.5: `kernel_inception_distance` (★★☆, 20 minutes)
#
# With the kernel k(a, b) = (a·b / F + 1)³, F the number of features: the mean of k over all pairs of two *different*
# real images, plus the same for generated ones, minus twice the mean over all pairs of a real and a generated one.

# %% exercise="12.5"
def kernel_inception_distance(real, generated):
    """Unbiased squared distance of two sets of features, float [n, F] and [m, F] → scalar tensor.

    Zero on average, now and then a little below it, if both sets come from the same distribution
    """
    ### BEGIN SOLUTION
    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def among(features):
        values, n = kernel(features, features), len(features)
        return (values.sum() - values.diag().sum()) / (n * (n - 1))

    real, generated = real.double(), generated.double()
    return among(real) + among(generated) - 2 * kernel(real, generated).mean()
    ### END SOLUTION


# %%
kernel_inception_distance = tp.check("12.5", kernel_inception_distance)

# %%
def judged(game, count=count):
    """The judge's numbers for a game, against cats that it has not seen."""
    generated, _ = game.generate(count, seed=2)
    return tp12.cat_numbers(judge, generated, tp.data.resized(others, generated.shape[-1]), cat_rate,
                            kernel_inception_distance)


yours = {"DCGAN, long": [judged(game)], "fully connected, long": [judged(plain)],
         **{name: [judged(one)] for name, one in games.items()}}
tp12.measures_table(yours, rates[f"real cats, {size} × {size}"])

# %% [markdown]
# **Question 12.5** Why leave out the pairs of an image with itself? What would happen to the floor, the distance of
# real images from real ones, with them?

# %% [markdown] answer="12.5"
# **Model answer.** An image is as similar to itself as can be: those n pairs raise the mean over the pairs within a
# set, and nothing balances them in the mean over real and generated pairs. The distance of two sets of real images
# would be positive on average, by about (mean of k(a, a) − mean of k(a, b)) · 2 / n: the fewer images, the larger.
# Without them the floor is zero on average, and single values may be negative. The Fréchet distance has a bias of that
# kind and no such simple remedy: compare it for equally many images only.

# %% [markdown]
# ## 2.3 Has it learnt the cats by heart?
#
# A generator could win by showing the training set. **See** the nearest cat of the training set below each generated
# one, and the mean distance, beside that of real cats the game never saw.

# %%
distances = {"generated": tp12.nearest_images(generated, cats)[0],
             "real, not in the game": tp12.nearest_images(others, cats)[0]}
print("; ".join(f"{name}: {values.mean():.1f} grey levels to the nearest" for name, values in distances.items()))
tp12.neighbours_figure(generated[:12], cats, "Generated cats, and below them the nearest of the training set")

# %% [markdown]
# **Question 12.6 ★** Does this game copy? Why compare with real cats that were put aside?

# %% [markdown] answer="12.6"
# **Model answer.** It does not: the nearest neighbours are other cats, of similar colour and pose. The mean distance
# alone would say nothing, for nobody knows whether 20 grey levels are near; real cats that were put aside show what
# "not copied" looks like. (Smooth images are near to everything: in
# the table above those of the fully connected game are the nearest to real cats, and look least like them. Copies would
# be at a distance of nearly 0.)

# %% [markdown]
# ## 2.4 What the measures did
#
# All measures of section 1.5, in the cpu profile: mean ± standard deviation over three seeds, at 32 × 32, against cats
# that were put aside.

# %% tags=["solution"]
if tp.measuring():
    seeds = [0, 1, 2]
    measured = {name: [judged(play(name, seed, **short | change)) for seed in seeds]
                for name, change in measures.items()}
    several = {name: [judged(play(key, seed, **long, connected=key == "connected")) for seed in seeds]
               for name, key in (("DCGAN, long", "long"), ("fully connected, long", "connected"))}
    large = play("large", size=64, **tp.pick(smoke={}, cpu={"steps": 2000, "batch_size": 32}, full=long))
    rates["DCGAN, 64 × 64"] = cat_rate(judge, large.generate(count, seed=2)[0])
    tp.save_results("tp12", {
        "protocol": f"{len(cats)} cats for the games, {aside} put aside for the judges; {size} × {size}; last weights; "
                    f"{count} generated images against {count} real ones, floor: {count} others; nothing selected",
        "judge": judge.name, "seeds": seeds, "rates": rates, "images": count, "size": size, "cats": data.source,
        "long": {**long, "measured": several},
        "measures": {**short, "measured": measured},
        "nearest": {name: values.mean().item() for name, values in distances.items()},
    }, command="make outputs TP=tp12", data_is_sample=data.sample)

# %%
results = tp.results("tp12")
tp12.measures_table(results["measures"]["measured"] | results["long"]["measured"],
                    results["rates"][f"real cats, {results['size']} × {results['size']}"])

# %% [markdown]
# And the poster's own numbers, which are rates. (Another judge, other cats, another budget: a ResNet trained on
# animals there, a network trained on ImageNet here.)

# %%
tp12.poster_table(results["rates"])

# %% [markdown]
# **Question 12.7 ★** Which of the poster's measures helps here, which does not? How sure can one be of that?

# %% [markdown] answer="12.7"
# **Model answer.** Playing longer helps most: the Fréchet distance falls from about 2700 to 1600, several standard
# deviations; in the long games it is below 700. Dropout in G helps these short games too, by the distances (1900),
# though its images look smeared. Soft labels and a G that moves twice do not help here: 2900 and 3100, a little worse
# than the baseline, by one or two standard deviations of three seeds, which is not enough to be sure of the sign. No
# wonder: they are remedies against a game that gets out of hand, and in 800 steps none did. What they do in a game of
# the poster's length this table cannot say. The fully connected game is the worst at any length. As to the column of
# the classifier, it has nothing to say at this size.

# %% [markdown]
# # Part 3. People
#
# ## 3.1 The quiz
#
# Two pictures, one is a photograph. On the poster colleagues took 30 % of the generated images for real. Play it, let
# others play (*Next person*): the score comes with its 95 % interval, and at the end you see which pairs fooled most.
# Mouse or keyboard; the answers stay in this browser. The same quiz is in the page that `make run` writes, and needs no
# Python there.

# %%
pairs = min(aside, 30)
tp12.Quiz(tp.data.resized(others[-pairs:], 32), tp.data.resized(game.generate(pairs, seed=3)[0], 32))

# %% [markdown]
# **Question 12.8 ★** You were right in 18 of 30 pairs. Do you see a difference, or did you guess? How many pairs would
# it take to tell 60 % from guessing?

# %% [markdown] answer="12.8"
# **Model answer.** The 95 % interval of 18 in 30 goes from 42 to 75 %: guessing is well inside, nothing is shown. Its
# half-width is about 1/√n: to tell 60 from 50 % it must be below 0.1, which takes about 100 pairs, better 200. The
# pairs are not independent witnesses either: thirty people who see the same thirty pairs say much about these pictures,
# and less about the generator.

# %% [markdown]
# **Question 12.9** In this quiz a person sees two pictures and knows that one is false; on the poster a single picture
# was shown. What does each of the two measure?

# %% [markdown] answer="12.9"
# **Model answer.** With two pictures the answer of somebody who sees no difference is a coin: 50 % is the floor, and
# nothing depends on how suspicious that person is. With one picture the rate depends on what the person believes
# beforehand: who expects half of them to be false says "false" sooner. 30 % of generated images taken for real means
# little without the share of photographs taken for real in the same session.

# %% [markdown]
# ## 3.2 What such images are for
#
# **Question 12.10 ★** The poster ends with the question what such images may be used for. Name a use that helps, one
# that harms, and what makes the difference. Does it matter whose photographs the game was trained on?

# %% [markdown] answer="12.10"
# **Model answer.** Helpful: more training images where real ones are rare or private (with care: a generator adds no
# information that its data did not have), restoration, art, games. Harmful: faces of people who do not exist behind
# false accounts, faces of people who do exist in scenes that never took place. The technique is the same; the
# difference is whether somebody is deceived and who consented. It matters whose photographs they are: these cats come
# under a licence (`data.licence` says which; that of AFHQ forbids commercial use), a generator may repeat parts of what
# it was shown (section 2.3 is how one looks for that), and a person whose picture was taken from the network did not
# agree to be learnt. Saying that an image is generated, in its metadata or as a watermark, costs little and helps;
# detectors help less, since every detector is a discriminator to train against.

# %% [markdown]
# # To take away
#
# - Convolutions know that pixels have neighbours; a fully connected generator must learn it, and does not.
# - A judge's rate means nothing alone: put real images at the same size, other classes and noise beside it.
# - Distances need a floor, an unbiased estimate or equal numbers of images, and images that the game has not seen.
# - People are judges too: a score without its interval is an anecdote.
