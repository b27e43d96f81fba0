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
# # TP 13: Deeper is not better by itself
#
# **Goal.** Make a network deeper until it gets worse, mend that with a shortcut, and go on from there: stochastic
# depth, residual networks of residual networks. Then solve two cases in which a number was too bad or too good to be
# true.
#
# | part | what you do | minutes |
# |---|---|---|
# | 1 | residual and plain networks, their gradients; a step, an epoch, training | 105 |
# | 2 | stochastic depth, RoR, and a table | 70 |
# | 3 | detective work: a training that fails, a result that is too good | 60 |
#
# **Exercises** are cells with a hole, checked by `tp.check("13.1", …)`; **questions** (★ marks those that belong in a
# report) have an empty cell for your answer. *The report* is that of an internship on residual networks, on which this
# practical is built.
#
# Notation: x image, K = 10 classes; image tensors are `[N, C, H, W]`. A network of *depth* 6n + 2 has a first
# convolution, three groups of n blocks with two convolutions each, and a last linear layer: ResNet-20 has n = 3,
# ResNet-56 n = 9.

# %% tags=["setup"]
import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp13

# %%
data = tp.data.cifar10()
tp.caveat(data)
data

# %% [markdown]
# In the full profile the networks see CIFAR-10 as it is, 32 × 32. On a CPU that takes too long: there the images are
# made smaller, to 16 × 16, which costs a fourth, and training is short. A tenth of the training images is held out: all
# choices are made on those, the test images are looked at once, in the table of section 2.4.

# %%
size = tp.pick(smoke=8, cpu=16, full=32)
split = tp13.split_at(data, size, test=tp.pick(smoke=100, cpu=10000, full=10000))
count = len(split.train_images)
tp.show.grid(split.train_images[:24], columns=12, size=0.8, title=f"{count:,} to train on, at {size} × {size}")

# %% [markdown]
# # Part 1. The degradation of deep networks
#
# ## 1.1 Two kinds of block
#
# ### Exercise 13.1: `ResidualBlock` (★★☆, 15 minutes)
#
# relu(f(x) + x), where f is convolution, batch norm, ReLU, convolution, batch norm (He et al. 2015, arXiv:1512.03385).
# The convolutions are 3 × 3 with padding 1 and without bias; the first one has the stride and changes the number of
# channels. Where it does so, x does not fit any more. Then the *shortcut* takes every stride-th pixel of x and fills
# the new channels with zeros (He's option A: it has no weights), half of them in front and half behind, as public
# implementations have it; `tp13.shortcut(x, channels, stride)` does it.

# %% exercise="13.1"
class ResidualBlock(nn.Module):
    """Maps [N, inputs, H, W] → [N, outputs, H / stride, W / stride]: relu(f(x) + shortcut of x).

    f: convolution, batch norm, ReLU, convolution, batch norm
    """

    def __init__(self, inputs, outputs, stride=1):
        ### BEGIN SOLUTION
        super().__init__()
        self.outputs, self.stride = outputs, stride
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return F.relu(self.layers(x) + tp13.shortcut(x, self.outputs, self.stride))
        ### END SOLUTION


# %%
ResidualBlock = tp.check("13.1", ResidualBlock)

# %% [markdown]
# ### Exercise 13.2: `PlainBlock` (★☆☆, 5 minutes)
#
# The control of the experiment, which differs in one thing only: the same layers without the shortcut, relu(f(x)).

# %% exercise="13.2"
class PlainBlock(nn.Module):
    """Maps [N, inputs, H, W] → [N, outputs, H / stride, W / stride]: relu(f(x)), with the f of ResidualBlock."""

    def __init__(self, inputs, outputs, stride=1):
        ### BEGIN SOLUTION
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU())
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.layers(x)
        ### END SOLUTION


# %%
PlainBlock = tp.check("13.2", PlainBlock)

# %% [markdown]
# ### Exercise 13.3: `ResNet` (★★☆, 20 minutes)
#
# A convolution of 3 × 3 (padding 1, no bias) from 3 to w = `width` channels, batch norm, ReLU; three groups of n blocks
# with w, 2w, 4w channels, where the first block of the second and of the third group has stride 2; the mean over all
# positions; one linear layer. `block` is a class such as the two above: the same code builds plain and residual
# networks.

# %% exercise="13.3"
class ResNet(nn.Module):
    """Images float32 [N, 3, H, W] → logits [N, classes]; depth 6n + 2, with w = width channels at first.

    block: a class, called as block(inputs, outputs, stride), the three by position;  n: blocks in each of the groups
    """

    def __init__(self, block, n, classes=10, width=16):
        ### BEGIN SOLUTION
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        blocks, inputs = [], width
        for group in range(3):
            for k in range(n):
                blocks.append(block(inputs, width * 2**group, 2 if group > 0 and k == 0 else 1))
                inputs = width * 2**group
        self.blocks = nn.Sequential(*blocks)
        self.last = nn.Linear(inputs, classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        return self.last(self.blocks(self.first(x)).mean((2, 3)))
        ### END SOLUTION


# %%
ResNet = tp.check("13.3", ResNet)

# %% [markdown]
# He's networks have 269,722 weights at 20 layers, 464,154 at 32, 853,018 at 56. Yours?

# %%
for n in (3, 5, 9):
    print(f"depth {6 * n + 2}: {sum(weight.numel() for weight in ResNet(ResidualBlock, n).parameters()):,} weights")

# %% [markdown]
# So the weights of a public ResNet-20, -32 or -56 with these shortcuts fit, whatever its layers are called, if yours
# are made in the order of their use: `tp13.load_public(ResNet(ResidualBlock, 3), torch.load("resnet20.th",
# weights_only=True)["state_dict"])`. (None is at hand offline; a test loads a network of that kind.)
#
# **Question 13.1 ★** A deeper plain network could do all that a shallower one does: how? Why is it a surprise, then,
# that it gets worse on the *training* images too, and why is that not overfitting?

# %% [markdown] answer="13.1"
# **Model answer.** Copy the shallow network and let every additional layer be the identity: the same function, the same
# training error. The best deep network is therefore at least as good as the best shallow one, on the training images.
# Overfitting would show as a *lower* training error and a higher test error. If the training error itself is higher,
# the solution exists and the optimiser does not find it. It is hard for two convolutions with a ReLU between them to be
# the identity; for a residual block it is easy: f = 0.

# %% [markdown]
# ## 1.2 The gradient, before any training
#
# **See** the norm of the gradient at each convolution: in a residual network it is nearly level, in a deep plain one it
# grows from layer to layer on the way back to the input, in spite of batch norm. (Half a minute.)

# %% tags=["gallery"]
depths = tp.pick(smoke=(1, 2), cpu=(3, 9), full=(3, 9))
width = tp.pick(smoke=4, cpu=16, full=16)
blocks = {"plain": PlainBlock, "ResNet": ResidualBlock}
tp.seed(0)
untrained = {kind: {f"{kind}-{6 * n + 2}": ResNet(block, n, width=width) for n in depths}
             for kind, block in blocks.items()}
some = slice(tp.pick(smoke=8, cpu=128, full=128))
few = split.train_images[some], split.train_labels[some]
tp13.gradients_figure(untrained, *few, "Gradient at each convolution, before training")

# %% [markdown]
# **Question 13.2 ★** What is the derivative of relu(f(x) + x) with respect to x, where the ReLU is open? Use it to
# explain the two panels.

# %% [markdown] answer="13.2"
# **Model answer.** f′(x) + 1. Over L blocks the derivative of a plain network is a product of L matrices f′: if each of
# them makes a vector a little longer, the product grows exponentially with L; if shorter, it vanishes. (Here it grows:
# batch norm keeps the activations at variance 1 on the way forth, and pays for it on the way back, at every ReLU by a
# factor of about 1.2.) With shortcuts the product is one of (1 + f′): written out, a sum over all paths, among them the
# path through the shortcuts alone, whose derivative is 1. The gradient of the last layer reaches the first one as it
# is, and the norms stay within a factor of ten.

# %% [markdown]
# ## 1.3 Augmentation
#
# ### Exercise 13.4: `random_crop_flip` (★★☆, 15 minutes)
#
# The usual augmentation of CIFAR-10: put 4 black pixels around, cut a window of the old size out at random, mirror each
# image with probability ½. For the whole batch at once: indexing with three index tensors does it, without a loop over
# the images.

# %% exercise="13.4"
def random_crop_flip(images, generator, padding=4):
    """A random window of each padded image, mirrored left and right half of the time: [N, C, H, W], dtype as given.

    Every image has a window of its own: top and left are each uniform in 0 … 2 · padding, and a mirror of its own.

    generator: torch.Generator on the CPU, from which all that is random is drawn; the images may be on another device
    """
    ### BEGIN SOLUTION
    count, _, height, width = images.shape
    padded = F.pad(images, [padding] * 4).movedim(1, -1)
    top, left = (torch.randint(0, 2 * padding + 1, (count, 1), generator=generator) for _ in range(2))
    mirrored = torch.rand(count, 1, generator=generator) < 0.5
    rows, columns = top + torch.arange(height), left + torch.arange(width)
    columns = torch.where(mirrored, columns.flip(1), columns)
    which = torch.arange(count)[:, None, None], rows[:, :, None], columns[:, None, :]
    return padded[tuple(index.to(images.device) for index in which)].movedim(-1, 1)
    ### END SOLUTION


# %%
random_crop_flip = tp.check("13.4", random_crop_flip)

# %%
crops = random_crop_flip(data.train_images[:4].repeat_interleave(8, dim=0), torch.Generator().manual_seed(0))
tp.show.grid(crops, columns=8, size=0.7, title="Four images, eight windows of each")

# %% [markdown]
# ## 1.4 A step, an epoch
#
# All that a network learns, it learns in steps of this kind.
#
# ### Exercise 13.5: `classifier_step` (★☆☆, 10 minutes)
#
# The scores of a batch, their cross-entropy with the labels, its gradient, one step of the optimiser. The gradient of
# the step before must be gone by then: PyTorch adds a new one to what is there. With *label smoothing* s the target is
# 1 − s for the right class and s spread over all of them; `F.cross_entropy` takes it as an argument.

# %% exercise="13.5"
def classifier_step(network, x, y, optimiser, label_smoothing=0.0):
    """One update of a classifier in train mode; returns the loss that was differentiated, a detached scalar tensor.

    x: float32 [n, C, H, W];  y: int64 [n];  the loss: cross-entropy of network(x) [n, K] with y, mean over the batch.
    Gradients that were there before play no part
    """
    ### BEGIN SOLUTION
    loss = F.cross_entropy(network(x), y, label_smoothing=label_smoothing)
    optimiser.zero_grad()
    loss.backward()
    optimiser.step()
    return loss.detach()
    ### END SOLUTION


# %%
classifier_step = tp.check("13.5", classifier_step)

# %% [markdown]
# ### Exercise 13.6: `train_epoch` (★★☆, 15 minutes)
#
# An *epoch*: every image once, in a new random order. Put the network in train mode; draw an order of all images from
# the generator (`torch.randperm`); take `batch_size` of them at a time, and in the end those that are left; turn their
# pixels into float32 in [−1, 1] (`tp13.scaled`) and let `classifier_step` update the network.

# %% exercise="13.6"
def train_epoch(network, images, labels, optimiser, batch_size, generator):
    """One epoch: each image once, in an order drawn from the generator; returns the list of the losses of its steps.

    images:     uint8 [N, C, H, W], shown to the network as float32 in [−1, 1];  labels: int64 [N]
    batch_size: images in a step; in the last one those that are left, perhaps fewer
    generator:  torch.Generator on the CPU; the next epoch, drawn from the same one, has another order
    """
    ### BEGIN SOLUTION
    network.train()
    losses = []
    for chosen in torch.randperm(len(images), generator=generator).split(batch_size):
        losses.append(classifier_step(network, tp13.scaled(images[chosen]), labels[chosen], optimiser))
    return losses
    ### END SOLUTION


# %%
train_epoch = tp.check("13.6", train_epoch)


# %% [markdown]
# Your loop, with a residual network of eight layers, on 5000 images. (A few seconds.) **See** that after one epoch it
# no longer guesses: a network that gives each of ten classes the same probability has the loss ln 10 = 2.3.

# %%
def small_network():
    """An untrained ResNet-8, the same one each time."""
    tp.seed(0)
    return ResNet(ResidualBlock, 1, width=width).to(tp.device())


some = slice(tp.pick(smoke=40, cpu=5000, full=5000))
network = small_network()
optimiser = torch.optim.SGD(network.parameters(), 0.1)
losses = train_epoch(network, split.train_images[some].to(tp.device()), split.train_labels[some].to(tp.device()),
                     optimiser, 32, torch.Generator().manual_seed(0))
tp13.losses_figure({"ResNet-8": losses}, "One epoch of your loop")

# %% [markdown]
# ## 1.5 One recipe
#
# `tp.train` repeats a step of yours as your loop does, epoch after epoch, and adds what a long run needs: images that
# stay on the device and are augmented there, a batch at a time (`prepare`), a learning rate that changes (`schedule`),
# a look at the network now and then (`tp.Validation`), progress, checkpoints. On a GPU it computes in bfloat16.
#
# All networks of this practical are trained in the same way: SGD with momentum, a learning rate that rises and falls
# once (*OneCycle*, Smith and Topin 2017, arXiv:1708.07120), label smoothing, weight decay. (The full profile is meant
# to bring ResNet-20 above 92 % within two minutes on a GPU of the H100 class. It was not run: the numbers of this
# practical come from a CPU.)

# %%
recipe = {"steps": tp.pick(smoke=3, cpu=800, full=9000), "batch_size": tp.pick(smoke=8, cpu=128, full=512),
          "rate": tp.pick(smoke=0.1, cpu=0.1, full=0.4), "weight_decay": 5e-4}
print(f"{recipe['steps'] * recipe['batch_size'] / len(split.train_images):.1f} epochs")
events = tp.cache_path("events")


def prepare(batch, generator):
    """From uint8 images to the network's input: augmented, in [−1, 1]. The window moves by an eighth of the side."""
    return tp13.scaled(random_crop_flip(batch, generator, batch.shape[-1] // 8))


def train_classifier(network, optimiser, images, labels, steps, label_smoothing=0.0, **options):
    """classifier_step, repeated by tp.train; returns the Run. options: those of tp.train"""
    def step(x, y, generator):
        return {"loss": classifier_step(network, x, y, optimiser, label_smoothing)}

    return tp.train(step, {"network": network}, {"network": optimiser}, images, steps, labels=labels, **options)


# %%
def train_resnet(name, make, seed=0, split=split, steps=recipe["steps"], live=False):
    """Train make() by the recipe; returns the Run, whose validation is the accuracy on the held-out images."""
    tp.seed(seed)
    network = make()
    optimiser = torch.optim.SGD(network.parameters(), recipe["rate"], momentum=0.9, nesterov=True,
                                weight_decay=recipe["weight_decay"])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, recipe["rate"], steps, pct_start=0.25)

    def held_accuracy():
        return tp.measure.accuracy(tp13.predictions(network, split.held_images), split.held_labels)

    return train_classifier(network, optimiser, split.train_images, split.train_labels, steps, label_smoothing=0.1,
                            batch_size=recipe["batch_size"], prepare=prepare, schedule=schedule,
                            after=tp.Validation(held_accuracy, every=max(1, steps // 8)),
                            name=f"tp13-{name}-{seed}", seed=seed, live=live, events=events / f"{name}-{seed}")


# %% [markdown]
# ## 1.6 Deeper and worse
#
# **See** who learns. (In the cpu profile seven minutes for the four networks the first time; interrupt whenever you
# like, once for each network that is still to come; run the cell again to go on.)

# %%
makers = {f"{kind}-{6 * n + 2}": lambda block=block, n=n: ResNet(block, n, width=width)
          for kind, block in blocks.items() for n in depths}
runs = {name: train_resnet(name, make, live=True) for name, make in makers.items()}

# %%
tp13.runs_figure(runs, "Plain and residual networks")

# %% [markdown]
# **Question 13.3 ★** He et al. trained for 164 epochs, where the plain network of 56 layers ended at a training error
# above that of the one with 20 (figure 4.1 of the report). What do you see after so few steps, and what must not be
# concluded from it?

# %% [markdown] answer="13.3"
# **Model answer.** Among the plain networks the deeper one is far behind: after 800 steps it has hardly begun, and its
# *training* loss is the higher one. The residual networks both learn, and at nearly the same pace. What must not be
# concluded: that a plain network of 56 layers cannot learn (He's does, given time, and still ends above the training
# error of the one with 20); and that depth is of no use, because ResNet-56 is not above ResNet-20 here. Two epochs are
# enough to see who is easy to train, not where each ends.

# %% [markdown]
# The gradient again, after training:

# %%
trained = {kind: {name: run.network for name, run in runs.items() if name.startswith(kind)} for kind in blocks}
tp13.gradients_figure(trained, *few, "Gradient at each convolution, after training")

# %% [markdown]
# **Question 13.4** Compare with the figure of section 1.2. In which network has training mended the gradient, in which
# was there nothing to mend?

# %% [markdown] answer="13.4"
# **Model answer.** In the plain network of 56 layers: its gradients differed by a factor of a thousand, now they lie
# within a factor of ten. Training has found weights with which it can be trained, and has spent most of its steps on
# that. In the residual networks the norms were level before, and still are.

# %% [markdown]
# ## 1.7 TensorBoard
#
# `tp.train(events=…)` wrote the same curves to files for TensorBoard: a page in the browser that many use to follow
# runs on another machine, since it needs the files only. The next cell starts it; open the address. (On a server:
# forward the port, or run `tensorboard --logdir` on your own machine with a copy of the folder. The figure of section
# 1.6 shows the same without it.)

# %%
tp13.tensorboard(events)

# %% [markdown]
# # Part 2. Beyond ResNet
#
# ## 2.1 Stochastic depth
#
# Huang et al. 2016 (arXiv:1603.09382): in each training step leave whole blocks out, so that only their shortcut
# remains. Deep networks train faster that way, and the network at the end is something like the mean of many shallower
# ones.
#
# ### Exercise 13.7: `survival_probabilities` (★☆☆, 5 minutes)
#
# The first blocks, on which all others depend, survive nearly always: block l = 1 … L with the probability
# 1 − l/L · (1 − last).

# %% exercise="13.7"
def survival_probabilities(blocks, last=0.5):
    """The probabilities with which L = blocks blocks survive, a list or tensor of L floats; the last one is `last`."""
    ### BEGIN SOLUTION
    return [1 - block / blocks * (1 - last) for block in range(1, blocks + 1)]
    ### END SOLUTION


# %%
survival_probabilities = tp.check("13.7", survival_probabilities)

# %% [markdown]
# **See** how deep the network is in a single step, for other numbers of blocks and other last probabilities.

# %%
tp.widgets.explore(lambda blocks, last: tp13.survival_figure(survival_probabilities, blocks, last),
                   blocks=[("27: ResNet-56", 27), ("9: ResNet-20", 9), ("54: ResNet-110", 54),
                           ("300: ResNet-602, like the report's 600", 300)],
                   last=[0.5, 0.2, 0.8, 0.0])

# %% [markdown]
# ### Exercise 13.8: `StochasticDepthBlock` (★★☆, 20 minutes)
#
# A residual block that is there with probability `survival` in train mode, for the whole batch at once, and is
# otherwise its shortcut alone, relu(shortcut of x), without computing f: that is the time saved. In eval mode f is
# always there and counts with its probability: relu(survival · f(x) + shortcut of x). (With the reference of 13.1: its
# f is `self.layers`, and it keeps `self.outputs` and `self.stride`.)

# %% exercise="13.8"
class StochasticDepthBlock(ResidualBlock):
    """A ResidualBlock whose f is left out with probability 1 − survival in train mode, where torch.rand(1) decides.

    In eval mode f is never left out, and multiplied by survival.
    """

    def __init__(self, inputs, outputs, stride=1, survival=1.0):
        ### BEGIN SOLUTION
        super().__init__(inputs, outputs, stride)
        self.survival = survival
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        short = tp13.shortcut(x, self.outputs, self.stride)
        if not self.training:
            return F.relu(self.survival * self.layers(x) + short)
        if torch.rand(1).item() < self.survival:
            return F.relu(self.layers(x) + short)
        return F.relu(short)
        ### END SOLUTION


# %%
StochasticDepthBlock = tp.check("13.8", StochasticDepthBlock)


# %%
def stochastic_depth(n, last=0.5, width=width):
    """A ResNet of 6n + 2 layers with stochastic depth."""
    survival = iter(survival_probabilities(3 * n, last))
    return ResNet(lambda *sizes: StochasticDepthBlock(*sizes, survival=next(survival)), n, width=width)


# %% [markdown]
# What does it save? Expected: the share of blocks that are left out. Measured: forward and backward passes of the two
# networks in turn. (Half a minute.)

# %%
deep = depths[-1]
tp.seed(0)
pair = {"constant": ResNet(ResidualBlock, deep, width=width), "stochastic": stochastic_depth(deep)}
seconds = tp13.step_seconds(pair, *few, rounds=tp.pick(smoke=2, cpu=30, full=100))
left_out = 1 - sum(survival_probabilities(3 * deep)) / (3 * deep)
saved = 1 - seconds["stochastic"] / seconds["constant"]
print(f"blocks left out: {left_out:.1%} expected; time saved in a step: {saved:.1%}")

# %% [markdown]
# **Question 13.5 ★** Show that linear decay to ½ leaves out a quarter of the blocks. The paper reports 25 % of the time
# saved: why is that nearly the share of blocks, and what keeps a little of it from being saved?

# %% [markdown] answer="13.5"
# **Model answer.** The share that is left out is the mean of l/L · ½ over l = 1 … L: ½ · (L + 1)/(2L) = (L + 1)/(4L),
# 25.9 % for the 27 blocks of ResNet-56 and a quarter for very deep networks. All blocks cost about the same: where the
# side is halved the channels are doubled. So a quarter of the blocks is a quarter of the computation in the blocks. Not
# saved are the first and the last layer, the shortcuts, the optimiser's step, loading and augmentation, and everything
# that happens in eval mode, where all blocks are there. (Here, forward and backward passes alone: 21 %.)

# %% [markdown]
# ## 2.2 Residual networks of residual networks
#
# ### Exercise 13.9: `RoR` (★★★, 30 minutes)
#
# Zhang et al. 2016 (arXiv:1608.02908): shortcuts on three levels (RoR-3). Besides those of the blocks there is one over
# each of the three groups, and one over all of them: the *root* shortcut. All are `tp13.shortcut`, which halves the
# side with stride 2 and quarters it with stride 4.
#
# - A block's sum is f(x) + shortcut of x, as before; `tp13.branch(inputs, outputs, stride)` makes an f.
# - In the last block of a group, the shortcut of the *group's* input is added to the sum.
# - In the very last block, so is the shortcut of what the first layers (convolution, batch norm, ReLU) gave.
# - ReLU comes once in each block, after all that is added.
#
# (The paper compares several kinds of shortcut on the upper levels; here none has weights.) The rest is `ResNet`: the
# first layers, n blocks in each of the groups, the mean, the linear layer.

# %% exercise="13.9"
class RoR(nn.Module):
    """Images float32 [N, 3, H, W] → logits [N, classes]: a ResNet of depth 6n + 2 with shortcuts on three levels.

    n: blocks in each of the three groups;  width: channels of the first
    """

    def __init__(self, n, classes=10, width=16):
        ### BEGIN SOLUTION
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width), nn.ReLU())
        self.groups, inputs = nn.ModuleList(), width
        for group in range(3):
            channels = width * 2**group
            first = tp13.branch(inputs, channels, 2 if group else 1)
            self.groups.append(nn.ModuleList([first, *(tp13.branch(channels, channels) for _ in range(n - 1))]))
            inputs = channels
        self.last = nn.Linear(inputs, classes)
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = root = self.first(x)
        for group, branches in enumerate(self.groups):
            start, channels, stride = x, root.shape[1] * 2**group, 2 if group else 1
            for k, branch in enumerate(branches):
                total = branch(x) + tp13.shortcut(x, channels, stride if k == 0 else 1)
                if k == len(branches) - 1:
                    total = total + tp13.shortcut(start, channels, stride)
                    if group == 2:
                        total = total + tp13.shortcut(root, channels, 4)
                x = F.relu(total)
        return self.last(x.mean((2, 3)))
        ### END SOLUTION


# %%
RoR = tp.check("13.9", RoR)

# %% [markdown]
# ## 2.3 Training
#
# (In the cpu profile five minutes the first time.)

# %%
names = [f"ResNet-{6 * deep + 2}", f"ResNet-{6 * deep + 2}, stochastic depth", f"RoR-3-{6 * deep + 2}"]
makers |= {names[1]: lambda: stochastic_depth(deep), names[2]: lambda: RoR(deep, width=width)}
runs |= {name: train_resnet(name, makers[name], live=True) for name in names[1:]}
tp13.runs_figure({name: runs[name] for name in names}, f"Three residual networks of {6 * deep + 2} layers")

# %% [markdown]
# ## 2.4 The table
#
# Accuracy on the test images, beside the report and the papers. **Here, 16 × 16** means: the cpu profile, 800 steps,
# mean ± standard deviation of three seeds. That is a small part of the computation of the others, so compare down the
# column, not along the row. **Here, 32 × 32** is one ResNet-20 at full size, ten epochs, one seed. Where both have a
# dash, nothing was run: these networks need hours on a GPU, and none was at hand. (In the full profile the cells above
# train their six networks at full size and length.)

# %% tags=["solution"]
def tested(run, split=split):
    """Accuracy on the test images."""
    return tp.measure.accuracy(tp13.predictions(run.network, split.test_images), split.test_labels)


if tp.measuring():
    seeds = [0, 1, 2]
    several = {name: [train_resnet(name, make, seed) for seed in seeds] for name, make in makers.items()}
    whole = tp13.split_at(data, 32)
    large = train_resnet("ResNet-20-at-32", lambda: ResNet(ResidualBlock, 3), split=whole, steps=3500)
    tp.save_results("tp13", {
        "protocol": f"{data.source}: {len(split.train_images)} training images, {len(split.held_images)} held out, "
                    f"{size} × {size}; last weights; the recipe was chosen on held-out images, the test images were "
                    "looked at once",
        "recipe": recipe, "seeds": seeds, "size": size,
        "test_accuracy": {name: [tested(run) for run in found] for name, found in several.items()},
        "training_loss": {name: [sum(run.history["loss"][-50:]) / 50 for run in found]
                          for name, found in several.items()},
        "at_32": {"steps": large.step, "test_accuracy": [tested(large, whole)]},
        "blocks_left_out": left_out, "time_saved": saved, "seconds_per_step": seconds,
    }, command="make outputs TP=tp13", data_is_sample=data.sample)

# %%
results = tp.results("tp13")
tp13.report_table(results["test_accuracy"], results["size"], results["at_32"]["test_accuracy"])

# %% [markdown]
# **Question 13.6 ★** In the report stochastic depth gained a little at 32 and 50 layers, and its network of 600 layers
# was the worst of all; in the paper it gains at 110 and at 1202. What does it do here, and why is that no
# contradiction? And which of our own differences are larger than the noise of the seeds?

# %% [markdown] answer="13.6"
# **Model answer.** Here it costs accuracy: 52.5 against 60.0 %, many times the noise of the seeds. That is no
# contradiction. Leaving blocks out is a regulariser, and it slows learning down, for each block is trained in three
# steps out of four. In two epochs nothing overfits (the training loss is higher as well), so there is nothing to gain;
# the paper trains for 500 epochs, where there is. Beyond the noise are also: plain below residual at both depths, by 13
# and 35 points; ResNet-56 below ResNet-20, by 2.7 points: the shortcut makes depth trainable, not free, and two epochs
# are too few for it; RoR below ResNet-56, by 6 points with a spread of 3 (its sums of three shortcuts are large at
# first, its loss begins far above the 2.3 of guessing, and the learning rate is the one that was chosen for ResNet-20).
# Not beyond it: stochastic depth against RoR. The report's gains, 0.25 points at 32 layers, come from one run each and
# are about as large as the usual difference between two seeds.

# %% [markdown]
# # Part 3. Detective work
#
# ## 3.1 A training that fails
#
# A colleague has taken 5000 images from a file and trained the small network of section 1.4 on them, one epoch, with
# this loop. The loss ends at nearly nothing; the network is worth nothing.

# %% tags=["define"]
def colleagues_epoch(network, images, labels, optimiser):
    """The colleague's loop over one epoch; returns the list of the losses of its steps."""
    network.train()
    losses = []
    for pixels, y in zip(images.split(20), labels.split(20), strict=True):
        losses.append(classifier_step(network, tp13.scaled(pixels), y, optimiser))
    return losses


# %%
sorted_images, labels = (part.to(tp.device()) for part in tp13.colleagues_file(split))
network = small_network()
losses = {"the colleague": colleagues_epoch(network, sorted_images, labels, torch.optim.SGD(network.parameters(), 0.2))}
found = tp13.predictions(network, split.held_images)
accuracy = tp.measure.percent(tp.measure.accuracy(found, split.held_labels))
print(f"last loss {losses['the colleague'][-1]:.3f}; accuracy on held-out images {accuracy}")

# %% [markdown]
# ### Exercise 13.10: `precision_recall` (★☆☆, 10 minutes)
#
# Of the images that were taken for class k, how many are of class k (precision)? Of those that are, how many were found
# (recall)?

# %% exercise="13.10"
def precision_recall(confusion):
    """(precision [K], recall [K]), both float64, of a confusion matrix int64 [K, K] whose rows are the true classes.

    A class that is never predicted has precision 0, a class without images recall 0.
    """
    ### BEGIN SOLUTION
    right = confusion.diag().double()
    return right / confusion.sum(0).clamp_min(1), right / confusion.sum(1).clamp_min(1)
    ### END SOLUTION


# %%
precision_recall = tp.check("13.10", precision_recall)


# %%
def report(found):
    """A Table of precision and recall on the held-out images."""
    matrix = tp.measure.confusion(found, split.held_labels, len(data.classes))
    numbers = zip(data.classes, *precision_recall(matrix), matrix.sum(0).tolist(), strict=True)
    return tp.show.Table(["class", "precision", "recall", "predicted"],
                         [[name, f"{p:.2f}", f"{r:.2f}", count] for name, p, r, count in numbers])


report(found)

# %% [markdown]
# **Question 13.7 ★** What is wrong? Say which line of the table betrays it, and predict the curve of the loss before
# you look at it below. (For scale: what are precision and recall of a network that always answers the same class?)

# %% [markdown] answer="13.7"
# **Model answer.** The network answers "truck" to every image, the last class of the file: recall 1, precision 0.10,
# the share of trucks; every other class has precision and recall 0. That is what a network looks like that has seen
# only trucks for a while: the data were sorted by class and not shuffled. The curve: within a class the loss falls,
# because answering that class to everything is right there; at each new class it jumps. The accuracy alone, 10 %, could
# have had many reasons (a wrong learning rate, wrong labels); a single class that is ever predicted has one. The remedy
# is a new order in each epoch, as in your `train_epoch`, in `tp.train` and in DataLoader(shuffle=True).

# %%
network = small_network()
optimiser = torch.optim.SGD(network.parameters(), 0.2)
losses["you"] = train_epoch(network, sorted_images, labels, optimiser, 20, torch.Generator().manual_seed(0))
tp13.losses_figure(losses, "The same network, the same images, two loops")

# %%
report(tp13.predictions(network, split.held_images))

# %% [markdown]
# ## 3.2 A result that is too good
#
# The report's *Dataset X*: a volume was scanned, 450 × 600 × 900 voxels, and cut into grey slices of 150 × 150, each of
# which shows one of four kinds of structure. A network reached 98 % on validation images, and failed in new places.
# Here the volume is rebuilt: synthetic, with six *regions* along its length, in each of which a structure looks
# different, as it would in a real specimen. (Half a minute the first time.)

# %%
cut = tp.pick(smoke={"per_block": 6, "side": 24, "depth": 30}, cpu={}, full={})
slices = tp13.volume.slices(**cut)
tp13.volume.map_figure(slices)

# %% [markdown]
# Go down through one block. **See** how much of a slice is still there in the next one.

# %%
one = slices.images[(slices.labels == 2) & (slices.positions == 0)]
tp.widgets.player(one[:40].float() / 255, label="slice")

# %%
far = [k for k in (1, 2, 3, 5, 8, 12, 20, 40, 80) if k < len(one)]
within, across = tp13.volume.likeness(slices, far)
tp.show.curves(far, {"of the same block": within, "of another region": [across] * len(far)}, "slices apart",
               "correlation", "Likeness of two slices of one structure", log=True)

# %% [markdown]
# ### Exercise 13.11: `split_by_region` (★☆☆, 10 minutes)
#
# A random split puts one of two neighbours in the training set and the other into the validation set. Hold out whole
# regions instead: those at the end of the volume.

# %% exercise="13.11"
def split_by_region(positions, share):
    """(training, validation): indices int64 of the slices, such that no position is in both.

    positions: int64 [N], where each slice's region begins, in any order
    share:     of the distinct positions, rounded to a whole number of them, that are held out: the largest ones; at
               least one is held out, and at least one is kept
    """
    ### BEGIN SOLUTION
    regions = positions.unique()  # sorted
    count = min(max(1, round(share * len(regions))), len(regions) - 1)
    held = torch.isin(positions, regions[-count:])
    return (~held).nonzero().flatten(), held.nonzero().flatten()
    ### END SOLUTION


# %%
split_by_region = tp.check("13.11", split_by_region)


# %%
def random_split(slices, share, seed):
    """(training, validation): indices of the slices, drawn."""
    order = torch.randperm(len(slices.labels), generator=torch.Generator().manual_seed(seed))
    held = round(share * len(order))
    return order[held:], order[:held]


# %% [markdown]
# Two augmentations are said to help: mixing a slice with its *neighbour* (the next one of the training set), and
# another *amplitude* (brightness and contrast). The same small network for all of them. (In the cpu profile two
# minutes.)

# %%
def varied(pairs, generator, neighbours, amplitude):
    """From slices and their neighbours, uint8 [n, 2, S, S], to the network's input."""
    def random(low, high):
        return low + (high - low) * torch.rand(len(pairs), 1, 1, 1, generator=generator).to(pairs.device)

    x, other = tp13.scaled(pairs).split(1, dim=1)
    if neighbours:
        x = torch.lerp(x, other, random(0, 1))
    if amplitude:
        x = random(0.5, 1.5) * x + random(-0.5, 0.5)
    return x.expand(-1, 3, -1, -1)


augmentations = {"none": (False, False), "neighbours": (True, False), "amplitude": (False, True), "both": (True, True)}
side, slice_steps = tp.pick(smoke=16, cpu=48, full=48), tp.pick(smoke=2, cpu=400, full=800)


def train_on_slices(name, pairs, labels, neighbours, amplitude, seed):
    """A small network, trained on slices and their neighbours; returns it."""
    tp.seed(seed)
    network = ResNet(ResidualBlock, 1, classes=4, width=8)
    optimiser = torch.optim.SGD(network.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 0.05, slice_steps)
    run = train_classifier(network, optimiser, tp.data.resized(pairs, side), labels, slice_steps, batch_size=32,
                           schedule=schedule,
                           prepare=lambda batch, generator: varied(batch, generator, neighbours, amplitude),
                           name=f"tp13-slices-{name}-{seed}", seed=seed, live=False)
    return run.network


# %%
def leaks(seeds):
    """{augmentation: {split: [accuracy on the validation slices for each volume]}}"""
    measured = {each: {"random": [], "by region": []} for each in augmentations}
    for seed in seeds:
        slices = tp13.volume.slices(seed=seed, **cut)
        splits = {"random": random_split(slices, 1 / 3, seed), "by region": split_by_region(slices.positions, 1 / 3)}
        for each, changes in augmentations.items():
            for kind, (training, validation) in splits.items():
                pairs = tp13.volume.with_neighbours(slices, training)
                network = train_on_slices(f"{each}-{kind}", *pairs, *changes, seed)
                shown = tp.data.resized(slices.images[validation], side).expand(-1, 3, -1, -1)
                found = tp13.predictions(network, shown)
                measured[each][kind].append(tp.measure.accuracy(found, slices.labels[validation]))
    return measured


tp13.leak_table(leaks([0]))

# %% [markdown]
# The same on five volumes. (How different the regions are, and how many steps are trained, was set by us, with the
# first two volumes in view, so that the random split comes out near the report's 98 %. So the size of the gap is made;
# that there is one is not.)

# %% tags=["solution"]
if tp.measuring():
    volumes = [0, 1, 2, 3, 4]
    tp.save_results("tp13_leak", {
        "protocol": f"a synthetic volume for each seed; {len(slices.labels)} slices, a third of them held out, at "
                    f"random or by region; {slice_steps} steps of 32 slices at {side} × {side}; last weights",
        "volumes": volumes, "accuracy": leaks(volumes)}, command="make outputs TP=tp13")

# %%
tp13.leak_table(tp.results("tp13_leak")["accuracy"])

# %% [markdown]
# **Question 13.8 ★** Which of the two columns tells what the network will do in a new place? Why does mixing neighbours
# change so little, and why does another amplitude help only in the second column? What would you tell the author of a
# report who has 98 %?

# %% [markdown] answer="13.8"
# **Model answer.** The second. With the random split nearly every validation slice has a neighbour in the training set
# that shows the same grains a little further down: 98 % is the share of neighbours recognised, as in the report. In new
# regions the same networks reach 54 %, on one volume 32 %, hardly more than the 25 % of guessing: what they have learnt
# is which greys and directions belong to which structure *in the regions that they know*. Mixing neighbours makes
# images between two that the network has anyway: nothing new about new regions. Another amplitude takes the greys away
# as a clue, which costs a little where the greys are the same in validation (95 %) and brings 16 points where they are
# not (70 %). To the author: hold out regions, several in turn, and report the mean and its spread, which here is large:
# two regions of each structure are two examples, however many slices they have. Whatever was chosen on the leaking
# validation set (augmentation, number of epochs) must be chosen again: by the first column one would have preferred the
# networks without augmentation, by the second those with amplitude.

# %% [markdown]
# # To take away
#
# - A deeper plain network is worse on its *training* images: it is not overfitting, it is hard to optimise. A shortcut
#   makes the identity easy and keeps the gradient level.
# - Leaving blocks out in training saves the time that their share promises. Whether it gains accuracy depends on how
#   long one trains.
# - Accuracy hides; precision and recall per class show. Look at which classes are predicted at all.
# - A split is a promise about what "new" means. Neighbours on both sides of it, and the number is worth nothing: split
#   by what will be new in use, a region, a patient, a day.
