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
# # TP 8: Seeing a network
#
# **Goal.** Ask a trained network three questions by following its gradient back to the image: what did you look at
# (saliency), how little must change to fool you (adversarial examples), and what do you want to see (class
# visualisation)?
#
# | part | what you do | minutes |
# |---|---|---|
# | 1 | saliency: maps of what matters to the network | 40 |
# | 2 | adversarial examples: fool it, and measure how little it takes | 30 |
# | 3 | class visualisation: paint what a class looks like to the network | 30 |
# | 4 | beyond the document: SmoothGrad, integrated gradients, Grad-CAM, and which map to trust | 60 |
# | 5 | beyond the document: bounded attacks, and how they carry over to other networks | 40 |
#
# The network is never trained in this practical. Its weights are fixed; **the image is the variable**.
#
# **Exercises** are cells with a hole; `tp.check` says at once whether an answer is right, gives a hint if it is not,
# and lets you go on either way. **Questions** (★ marks those that belong in a report) have an empty cell for your
# answer. *The document* is the course's French TP 8, *the report* a group of students' report on it.
# Notation: x image, y label, N images; image tensors are `[N, C, H, W]`.

# %% tags=["setup"]
import torch
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp08

# %% [markdown]
# SqueezeNet 1.1 is small, good enough, and quick on a CPU. `inputs` are the photographs as it wants them (normalised).

# %%
network = tp.nets.pretrained("squeezenet1_1")
photos = tp.data.photos()
images = photos.test_images
inputs = tp.nets.to_input(images)
labels = photos.test_labels.to(tp.device())
tp.caveat(photos)
photos

# %% [markdown]
# # Part 1. Saliency maps
#
# Simonyan et al. 2014: the score of a class is a function of 150,528 pixel values. Its gradient says for each of them
# how much a small change would move the score. Where it is large, the network is looking.
#
# ### Exercise 8.1: `saliency_maps` (★★☆, 15 minutes)
#
# The gradient of the score of each image's label (before softmax) with respect to the image; then, for each pixel,
# the largest absolute value over the three channels. One backward pass serves all N images: the score of one image
# does not depend on the others, so their sum can be differentiated at once.

# %% exercise="8.1"
def saliency_maps(images, labels, network):
    """Maximum over the channels of |∂ score of the label / ∂ pixel|.

    images: float32 [N, 3, H, W], normalised (left untouched)
    labels: int64 [N]
    network: from [N, 3, H, W] to scores [N, K]
    returns: float32 [N, H, W], without gradient
    """
    ### BEGIN SOLUTION
    images = images.detach().clone().requires_grad_()
    scores = network(images).gather(1, labels[:, None]).sum()
    (gradient,) = torch.autograd.grad(scores, images)
    return gradient.abs().amax(dim=1)
    ### END SOLUTION


# %%
saliency_maps = tp.check("8.1", saliency_maps)

# %% [markdown]
# **See** below where the bright points lie: on the object, on its outline, beside it? (A second.)

# %%
maps = saliency_maps(inputs, labels, network)
some = list(range(min(7, len(images))))
tp.show.grid([*images[some], *tp.show.stretched(maps[some])], [tp08.short(labels[i]) for i in some] + [""] * len(some),
             columns=len(some), cmap=tp.show.MAP, title=f"Photographs and their saliency maps ({network.name})")

# %% [markdown]
# **Question 8.1 ★** Show and interpret the results. When the network is wrong, does the map show it?

# %% [markdown] answer="8.1"
# **Model answer.**
#
# The points gather on the object of the class and on what is typical of it (heads, outlines, texture); even
# surfaces stay dark. They are scattered: neighbouring pixels may differ by a factor of ten. When the prediction is
# wrong the map, which explains the score of the **true** label, often sits on the right object all the same, or on a
# second thing in the picture that the network named instead: compare the map of the label with that of the prediction.

# %% [markdown]
# **Question 8.2 ★** What are the limits of this technique?

# %% [markdown] answer="8.2"
# **Model answer.**
#
# - The maximum over the channels and the absolute value lose information: which colour, and whether more of it would
#   raise or lower the score.
# - A gradient is local: it says what a *tiny* change would do. Where a score has saturated the gradient is
#   small although the pixel matters (this is what integrated gradients mend, Part 4).
# - It is noisy, since the network's gradient jumps from pixel to pixel (SmoothGrad, Part 4).
# - Bright points outside the object may be the network's habit (snow for a husky) or an artefact: the map alone does
#   not tell. It explains the network, not the image.

# %% [markdown]
# **Question 8.3 ★** Could the technique be used for something other than interpreting a network?

# %% [markdown] answer="8.3"
# **Model answer.**
#
# To find the object without having been taught where objects are: a rough segmentation or box (below, as in
# Simonyan et al. 2014), to crop images automatically, to compress the background more than the object, to show an
# annotator where to look, to notice that a training set has a bias (a watermark that gives the class away).

# %% [markdown]
# The most salient pixels become seeds of the object, the least salient ones of the background, and a random walker on
# the colours decides on the rest. **See** that a network trained on class names alone has some idea of where things
# are.

# %%
masks = [tp08.segment(images[i], maps[i]) for i in some[:tp.pick(smoke=2, cpu=6, full=6)]]
tp.show.grid([image for i, mask in enumerate(masks) for image in (images[i], tp08.overlay(images[i], mask.float()))],
             columns=6, title="Rough segmentation from saliency: photograph, mask")

# %% [markdown]
# **Question 8.4 ★** Try another network and comment. Below: every network whose weights are to be had here, and
# SqueezeNet with its weights shuffled within each layer, so that all it had learnt is lost.

# %%
at_hand = tp.nets.available(tp.pick(smoke=(), cpu=tp.nets.NAMES[1:], full=tp.nets.NAMES[1:]))
others = [network] + [tp.nets.pretrained(name) for name in at_hand]
untrained = tp08.randomised(network, len(tp08.parts(network)))
untrained.name = f"{network.name},\nweights shuffled"
rows = [("photograph", None)] + [(other.name, saliency_maps(inputs[some], labels[some], other))
                                 for other in (*others, untrained)]
tp.show.table_of_images(
    [name for name, _ in rows], [tp08.short(labels[i]) for i in some],
    lambda i, j: images[some[j]] if i == 0 else tp.show.stretched(rows[i][1][j:j + 1])[0],
    title="The same photographs, other networks", cmap=tp.show.MAP, size=1.3)

# %% [markdown] answer="8.4"
# **Model answer.**
#
# Trained networks mostly agree on the object and differ in the grain (strides leave their grid in the map). The
# network with shuffled weights lights up edges and textures anywhere: a part of what looks meaningful in a saliency
# map is the image itself, seen through convolutions. Part 4 takes that seriously.

# %% [markdown]
# # Part 2. Adversarial examples
#
# After Szegedy et al. 2014, in the simplest form: climb the gradient of *another* class's score, and stop as soon as
# the network believes it. How much does the image change?
#
# ### Exercise 8.2: `fooling_image` (★★☆, 15 minutes)
#
# x ← x + η g / ‖g‖₂, where g is the gradient of the target's score, until the predicted class is the target.

# %% exercise="8.2"
def fooling_image(image, target, network, learning_rate=1.0, max_steps=100):
    """Change an image until the network takes it for the target.

    image: float32 [1, 3, H, W], normalised (left untouched)
    target: int, the class to be predicted
    returns: the changed image float32 [1, 3, H, W], and the number of steps used (int; 0 if it already is the target,
             max_steps if that was not enough)
    """
    ### BEGIN SOLUTION
    image = image.detach().clone()
    for step in range(max_steps):
        image.requires_grad_()
        scores = network(image)
        if scores.argmax() == target:
            return image.detach(), step
        (gradient,) = torch.autograd.grad(scores[0, target], image)
        image = (image + learning_rate * gradient / gradient.norm()).detach()
    return image, max_steps
    ### END SOLUTION


# %%
fooling_image = tp.check("8.2", fooling_image)

# %% [markdown]
# The target of every image is fixed by a rule: the class that the network predicts plus 500, modulo 1000.
# **See** whether you can find the difference between the first two columns. (A few seconds.)

# %%
with torch.no_grad():
    targets = (network(inputs).argmax(1) + 500) % 1000
count = tp.pick(smoke=min(4, len(images)), cpu=len(images), full=len(images))
fooled = [fooling_image(inputs[i:i + 1], targets[i].item(), network) for i in range(count)]
originals = [inputs[i:i + 1] for i in range(count)]
adversarials, used = [image for image, _ in fooled], [steps for _, steps in fooled]
tp08.attack_figure(network, list(zip(originals, adversarials, strict=True))[:4],
                   title="original, adversarial, difference, difference magnified")

# %%
with torch.no_grad():
    reached = [int(network(x).argmax() == t) for x, t in zip(adversarials, targets, strict=False)]
statistics = tp08.fooling_statistics(originals, adversarials, used)
length = torch.cat([tp.nets.to_pixels(x) for x in originals]).flatten(1).norm(dim=1).mean().item()
tp.show.Table(["over the set", "mean", "sd", "largest"],
              [[name, f"{mean:.3g}", f"{sd:.2g}", f"{largest:.3g}"]
               for name, (mean, sd, largest) in statistics.items()],
              caption=f"{sum(reached)} of {count} images reached their target within 100 steps. "
                      f"Norms in pixels of [0, 1]; the photographs themselves have a mean L2 norm of {length:.0f}.")

# %% [markdown]
# The rule is a lucky one: it was kept because it reaches every image, after another (label plus 500) had missed
# some. The fair figure is that of targets drawn at random, four per image. (Half a minute.)

# %%
draws = torch.randint(1000, (count, tp.pick(smoke=1, cpu=4, full=20)), generator=torch.Generator().manual_seed(0))
tries = [(i, target) for i in range(count) for target in draws[i].tolist()]
random_steps = [fooling_image(inputs[i:i + 1], target, network)[1] for i, target in tries]
random_reached = sum(steps < 100 for steps in random_steps)
print(f"{random_reached} of {len(tries)} random targets reached in less than 100 steps, "
      f"half of them within {sorted(random_steps)[len(tries) // 2]}")

# %% [markdown]
# **Question 8.5 ★** Show and interpret the results.

# %% [markdown] answer="8.5"
# **Model answer.**
#
# Every image of the set is taken for the class that the rule asked for, typically after a dozen steps, by a change that
# is invisible until it is magnified: its norm is less than a hundredth of the image's. The difference does not
# look like the target; it is a fine-grained texture, stronger where the saliency is. With random targets a few climbs
# do not arrive: raising the target's score also raises those of its look-alikes, and one of them may stay ahead.
# (Climbing the log-probability, which weighs the other scores against it, would mend that.)

# %% [markdown]
# ### A slider
#
# The photograph, the target, the number of steps, and how much the difference is magnified.

# %%
paths = {}


def path_figure(photo, target, steps, magnification):
    if (photo, target) not in paths:
        paths[photo, target] = tp08.attack_path(fooling_image, inputs[photo:photo + 1], target, network)
    path = paths[photo, target]
    last = len(path) - 1
    steps = min(steps, last)
    return tp08.attack_figure(network, [(path[0], path[steps])], magnification,
                              title=f"{steps} steps towards “{tp08.short(target)}” (reached at {last})")


tp.widgets.explore(path_figure, photo=[(f"{i}: {tp08.short(labels[i])}", i) for i in range(len(images))],
                   target=[(tp08.short(k), k) for k in (76, 9, 340, 130, 954, 817)],
                   steps=(0, 40, 1, 40), magnification=(1, 50, 1, 10))

# %% [markdown]
# **Question 8.6 ★** What are the consequences of adversarial examples in practice?

# %% [markdown] answer="8.6"
# **Model answer.**
#
# Whoever can compute the gradient can choose the answer: content filters, face recognition, the reading of
# traffic signs, medical images billed by diagnosis. Attacks carry over to networks that the attacker has not seen
# (Part 5), survive printing if made for it, and can be one patch or one universal perturbation for all images. Beyond
# security they say that the network's features are not ours: it separates classes by patterns that we do not see.

# %% [markdown]
# **Question 8.7** (bonus) What are the limits of this naive method, and which are better? Part 5 has two of them.

# %% [markdown] answer="8.7"
# **Model answer.**
#
# It needs the weights (white box) and many gradients for each image; its result is not kept within valid pixels nor
# to a bound that an eye would agree to, is lost when rounded or compressed if it stops at the border of the class,
# and depends on the step size. Better: FGSM (one step, fixed L∞ size), PGD (its iterated, projected version, the
# usual yardstick of robustness), DeepFool and Carlini-Wagner (smallest change), universal perturbations (one for all
# images), black-box attacks by transfer or by queries. Against them: training on adversarial examples, certified
# bounds by randomised smoothing; most other defences have been broken.

# %% [markdown]
# # Part 3. Class visualisation
#
# Start from noise and climb the score of one class, with a penalty on large pixels: maximise score(x) − λ ‖x‖².
#
# ### Exercise 8.3: `class_visualisation_step` (★☆☆, 10 minutes)
#
# One step of gradient ascent. The helper `tp08.visualise` repeats it and gives jitter (the image shifts by a few
# pixels at each step), a slight blur now and then, and keeps pixels valid.

# %% exercise="8.3"
def class_visualisation_step(image, target, network, learning_rate, l2):
    """One step of ascent on score(target) − l2 ‖x‖².

    image: float32 [1, 3, H, W], normalised (left untouched)
    target: int; learning_rate, l2: floats
    returns: float32 [1, 3, H, W], without gradient
    """
    ### BEGIN SOLUTION
    image = image.detach().clone().requires_grad_()
    objective = network(image)[0, target] - l2 * image.square().sum()
    (gradient,) = torch.autograd.grad(objective, image)
    return (image + learning_rate * gradient).detach()
    ### END SOLUTION


# %%
class_visualisation_step = tp.check("8.3", class_visualisation_step)

# %% [markdown]
# Four classes, from noise. **See** what the network wants of each: which parts, how many, in which place? (About
# twenty seconds.)

# %% tags=["gallery"]
wanted = {"tarantula": 76, "ostrich": 9, "zebra": 340, "flamingo": 130}
steps = tp.pick(smoke=3, cpu=200, full=300)
painted = {name: tp08.visualise(class_visualisation_step, target, network, steps) for name, target in wanted.items()}
tp.show.grid([image[0] for image, _, _ in painted.values()],
             [f"{name}\nprobability {p:.1%}" for name, (_, _, p) in painted.items()], columns=4, size=2.4,
             title=f"What {network.name} wants to see, {steps} steps from noise")

# %% [markdown]
# **Question 8.8 ★** Show and interpret the results.

# %% [markdown] answer="8.8"
# **Model answer.**
#
# One recognises the parts that tell the class: the legs of the spider, neck and beak of the ostrich, stripes on
# horses' bodies. They come several times, in all places and sizes, without a global layout: the network averages its
# last map over all positions, so more is better. Colours are unreal, for nothing asks for likely images; only the
# score counts. And the score is reached very early: most of the work embellishes an image that is already sure to be
# of the class.

# %% [markdown]
# The image as it appears, then a player to look at single moments.

# %%
tp.show.Film(painted["tarantula"][1])

# %%
tp.widgets.player(painted["tarantula"][1], label="frame")

# %% [markdown]
# **Question 8.9 ★** Vary the number of iterations, the learning rate and the weight of the regularisation. Comment.
# (About a minute.)

# %%
settings = [(n, rate, l2) for n in tp.pick(smoke=[2], cpu=[200, 300], full=[200, 300]) for rate in (5, 10)
            for l2 in (1e-3, 1e-2)]
varied = [tp08.visualise(class_visualisation_step, 76, network, n, rate, l2) for n, rate, l2 in settings]
tp.show.grid([image[0] for image, _, _ in varied],
             [f"{n} iterations, rate {rate}\nλ = {l2:g}: {p:.0%}"
              for (n, rate, l2), (_, _, p) in zip(settings, varied, strict=True)],
             columns=4, size=2.2, title="Tarantula: iterations, learning rate, regularisation")

# %% [markdown] answer="8.9"
# **Model answer.**
#
# - **Regularisation** makes the largest difference: with λ = 0.01 and rate 10 each step takes a fifth of every pixel's
#   value back; only strong evidence stays, on grey, and the network no longer believes in the result although a
#   person may find its drawing the clearer one. With 0.001 the image is full and saturated, and the class certain.
# - **Learning rate**: 10 gives more contrast and rougher patterns than 5 in the same number of steps.
# - **Iterations**: from 200 to 300 little changes but contrast; the drawing is fixed early.

# %% [markdown]
# **Question 8.10 ★** Start from a photograph in place of noise, with its own class or another. Comment.

# %%
start = inputs[:1]
own = labels[0].item()
steps = tp.pick(smoke=2, cpu=100, full=200)
turned = {tp08.short(k): tp08.visualise(class_visualisation_step, k, network, steps, start=start)
          for k in (own, 76, 130)}
tp.show.grid([images[0] / 255, *(image[0] for image, _, _ in turned.values())],
             ["the photograph\n"] + [f"towards {name}\nprobability {p:.1%}" for name, (_, _, p) in turned.items()],
             columns=4, size=2.4, title="Starting from a photograph")

# %% [markdown] answer="8.10"
# **Model answer.**
#
# The photograph lends its shapes: outlines that fit become legs, necks or feathers of the target (the idea behind
# DeepDream), and the layout stays. With its own class the typical parts are exaggerated and repeated in the
# background. With few steps one has an adversarial example instead, with nothing to see; many steps and the start is
# forgotten.

# %% [markdown]
# **Question 8.11** (bonus) Try another network. Comment. (The scores of the others are rescaled so that their gradient
# starts as large as SqueezeNet's: learning rate and λ then mean the same to all.)

# %%
comparison = {}
for other in (*others, untrained):
    label = other.name.replace("\n", " ")
    image, _, p = tp08.visualise(class_visualisation_step, 9, tp08.rescaled(other, network, 9),
                                 tp.pick(smoke=2, cpu=200, full=300))
    comparison[label] = (image[0], p)
tp.show.grid([image for image, _ in comparison.values()],
             [f"{name}\nprobability {p:.1%}" for name, (_, p) in comparison.items()], columns=4, size=2.4,
             title="Ostrich, according to several networks")

# %% [markdown] answer="8.11"
# **Model answer.**
#
# A better classifier does not always paint a better picture: the score says nothing of how an image should look. The
# network with shuffled weights gives texture without any part, whatever probability it ends with: what we see in the
# others was learnt from images.

# %% [markdown]
# # Part 4. Beyond the document: better maps, and which to trust
#
# ## SmoothGrad
#
# ### Exercise 8.4: `smooth_grad` (★★☆, 15 minutes)
#
# Smilkov et al. 2017: the gradient jumps about at the scale of invisible noise, so average it over noisy copies of
# the image. Average the gradients first, with their signs; absolute value and maximum come last.

# %% exercise="8.4"
def smooth_grad(images, labels, network, noise, samples, generator):
    """Saliency of the mean gradient over noisy copies.

    images: float32 [N, 3, H, W], normalised; labels: int64 [N]
    noise: standard deviation of the Gaussian noise, in the units of the images
    samples: number of noisy copies of each image
    generator: torch.Generator on the CPU that draws the noise
    returns: float32 [N, H, W]: maximum over the channels of |mean gradient|
    """
    ### BEGIN SOLUTION
    total = torch.zeros_like(images)
    for _ in range(samples):
        noisy = images + noise * torch.randn(images.shape, generator=generator).to(images.device)
        noisy = noisy.detach().requires_grad_()
        scores = network(noisy).gather(1, labels[:, None]).sum()
        total += torch.autograd.grad(scores, noisy)[0]
    return (total / samples).abs().amax(dim=1)
    ### END SOLUTION


# %%
smooth_grad = tp.check("8.4", smooth_grad)

# %% [markdown]
# ## Integrated gradients
#
# ### Exercise 8.5: `integrated_gradients` (★★☆, 20 minutes)
#
# Sundararajan et al. 2017: walk from an image without content (zeros, which is a uniform grey: ImageNet's mean
# colour) straight to x and add up the gradients on the way, times the distance walked. The sum over all pixels is
# then the difference of the scores at both ends: *completeness*. Use the midpoint or the trapezoid rule; plain left
# or right sums are less exact.

# %% exercise="8.5"
def integrated_gradients(images, labels, network, steps):
    """x times the mean gradient on the straight line from zeros to x.

    images: float32 [N, 3, H, W], normalised; labels: int64 [N]
    steps: number of points on the line
    returns: float32 [N, 3, H, W]
    """
    ### BEGIN SOLUTION
    total = torch.zeros_like(images)
    for i in range(steps):
        point = ((i + 0.5) / steps * images).detach().requires_grad_()
        scores = network(point).gather(1, labels[:, None]).sum()
        total += torch.autograd.grad(scores, point)[0]
    return images * total / steps
    ### END SOLUTION


# %%
integrated_gradients = tp.check("8.5", integrated_gradients)

# %% [markdown]
# Completeness, on screen: the relative gap between the sum of a map and the difference of the scores shrinks as the
# steps get finer, though not smoothly, since the gradient of a network of ReLUs jumps. **See** which
# photographs get below one percent, and whether they stay there.

# %%
step_counts = tp.pick(smoke=[2, 4, 8], cpu=[4, 8, 16, 32, 64, 128], full=[4, 8, 16, 32, 64, 128, 256])
x, y = inputs[:4], labels[:4]
gaps = {n: tp08.completeness_gap(integrated_gradients(x, y, network, n), x, y, network) for n in step_counts}
tp.show.curves(step_counts, {tp08.short(labels[i]): [gaps[n][i].item() for n in step_counts] for i in range(4)},
               "steps", "relative gap", "Integrated gradients: the sum becomes complete", log=True, yscale="log")

# %% [markdown]
# ## Grad-CAM
#
# ### Exercise 8.6: `grad_cam` (★★★, 20 minutes)
#
# Selvaraju et al. 2017: do not go down to the pixels, stop at a layer whose maps A_k still know where things are. The
# weight of a map is the mean of its gradient over all positions; the weighted sum, its negative part cut off, is
# enlarged to the size of the image (`F.interpolate`, mode "bilinear") and divided by its maximum. A hook on the layer
# gives A (`layer.register_forward_hook`); remove it afterwards.

# %% exercise="8.6"
def grad_cam(images, labels, network, layer):
    """Where a layer holds evidence for the class.

    images: float32 [N, 3, H, W], normalised; labels: int64 [N]
    layer: the nn.Module of `network` whose output [N, C, h, w] is looked at
    returns: float32 [N, H, W] in [0, 1], maximum about 1 (all 0 for an image without positive evidence)
    """
    ### BEGIN SOLUTION
    kept = []
    hook = layer.register_forward_hook(lambda module, inputs, output: kept.append(output))
    images = images.detach().clone().requires_grad_()  # the weights are frozen: something must need a gradient
    scores = network(images).gather(1, labels[:, None]).sum()
    hook.remove()
    (gradient,) = torch.autograd.grad(scores, kept[0])
    weights = gradient.mean(dim=(2, 3), keepdim=True)
    maps = F.relu((weights * kept[0]).sum(dim=1, keepdim=True)).detach()
    maps = F.interpolate(maps, images.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    return maps / maps.amax(dim=(1, 2), keepdim=True).clamp_min(1e-12)
    ### END SOLUTION


# %%
grad_cam = tp.check("8.6", grad_cam)

# %% [markdown]
# ## Side by side
#
# All four on the same photographs. **See** how the grain of the maps changes: pixels, smoothed pixels, signed
# contributions (their absolute value is drawn), regions. (About ten seconds.)

# %%
samples = tp.pick(smoke=2, cpu=20, full=50)


def by_gradient(x, y, net):
    return saliency_maps(x, y, net)


def by_smooth_grad(x, y, net):
    return smooth_grad(x, y, net, noise=0.3, samples=samples, generator=torch.Generator().manual_seed(0))


def by_integrated_gradients(x, y, net):
    return integrated_gradients(x, y, net, samples).abs().sum(dim=1)


def by_grad_cam(x, y, net):
    return grad_cam(x, y, net, tp08.grad_cam_layer(net))


methods = {"gradient": by_gradient, "SmoothGrad": by_smooth_grad, "integrated gradients": by_integrated_gradients,
           "Grad-CAM": by_grad_cam}
explained = {name: method(inputs[some], labels[some], network) for name, method in methods.items()}
tp.show.table_of_images(
    ["photograph", *methods], [tp08.short(labels[i]) for i in some],
    lambda i, j: images[some[j]] if i == 0 else tp.show.stretched(explained[list(methods)[i - 1]][j:j + 1])[0],
    title="Four explanations of the same predictions", cmap=tp.show.MAP, size=1.3)

# %% [markdown]
# ## An explorer
#
# Choose a photograph, a class, a method and a network. Try a class that is *not* in the picture: does the map know?

# %%
def explanation_figure(photo, explained_class, method, seen_by):
    label = labels[photo:photo + 1] if explained_class < 0 else torch.tensor([explained_class], device=tp.device())
    saliency = tp.show.stretched(methods[method](inputs[photo:photo + 1], label, seen_by))[0]
    return tp.show.grid([images[photo], saliency, tp08.overlay(images[photo], saliency)],
                        [tp08.verdict(seen_by, inputs[photo:photo + 1]),
                         f"{method}\nfor {tp08.short(label.item())}", "both\n"], columns=3, size=2.6, cmap=tp.show.MAP)


classes_at_hand = sorted({int(label) for label in labels}, key=tp08.short)
tp.widgets.explore(explanation_figure, photo=[(f"{i}: {tp08.short(labels[i])}", i) for i in range(len(images))],
                   explained_class=[("(its label)", -1)] + [(tp08.short(k), k) for k in classes_at_hand],
                   method=list(methods),
                   seen_by=[(other.name.replace("\n", " "), other) for other in (*others, untrained)])

# %% [markdown]
# ## Which maps can be trusted? A sanity check
#
# Adebayo et al. 2018: an explanation of the network must depend on its weights. Shuffle them layer by layer, from the
# scores down, and watch. A map that survives shows the image, not the network.
# **See** which rows stay the same from left to right.

# %%
depths = [0, 1, 2, len(tp08.parts(network)) // 2, len(tp08.parts(network))]
subject = slice(0, tp.pick(smoke=1, cpu=4, full=8))
randomised = [tp08.randomised(network, depth) for depth in depths]
survived = {name: [method(inputs[subject], labels[subject], other) for other in randomised]
            for name, method in methods.items()}
tp.show.table_of_images(
    list(methods), ["trained"] + [f"last {depth} shuffled" for depth in depths[1:-1]] + ["all shuffled"],
    lambda i, j: tp.show.stretched(survived[list(methods)[i]][j][:1])[0],
    title=f"{tp08.short(labels[0])}: maps while the network forgets", cmap=tp.show.MAP)

# %%
tp.show.curves(depths, {name: [tp08.rank_correlation(maps_[0], m) for m in maps_] for name, maps_ in survived.items()},
               "layers with shuffled weights, counted from the scores", "rank correlation with the trained map",
               "What survives does not explain the network", xticks=depths)

# %% [markdown]
# **Conclusion.** Multiplying by the input makes integrated gradients keep the outlines of the image whatever the
# weights are: a correlation that stays high is a warning, not a quality. Grad-CAM loses most with the very last layer
# and everything with the whole network, as it should. Looking plausible to a person is no proof for an explanation.

# %% [markdown]
# # Part 5. Beyond the document: bounded attacks
#
# Goodfellow et al. 2015 bound the change of every pixel by ε, and take the corner of that box that raises the loss most
# to first order. The attack is untargeted: any class but the true one will do. From here on images are pixels in
# [0, 1] and the network normalises them itself.
#
# ### Exercise 8.7: `fgsm` (★☆☆, 10 minutes)

# %% exercise="8.7"
def fgsm(images, labels, network, epsilon):
    """Fast gradient sign method: one step of size epsilon that raises the cross-entropy.

    images: float32 [N, 3, H, W], pixels in [0, 1]; labels: int64 [N], the true ones
    network: takes pixels, normalises inside
    returns: float32 [N, 3, H, W] in [0, 1], without gradient
    """
    ### BEGIN SOLUTION
    images = images.detach().clone().requires_grad_()
    loss = F.cross_entropy(network(images), labels)
    (gradient,) = torch.autograd.grad(loss, images)
    return (images + epsilon * gradient.sign()).clamp(0, 1).detach()
    ### END SOLUTION


# %%
fgsm = tp.check("8.7", fgsm)

# %% [markdown]
# ### Exercise 8.8: `pgd` (★★☆, 15 minutes)
#
# Kurakin et al. 2017: several small steps; after each, back into the box of size ε around the **original** image, and
# into the valid pixels. Start at the image itself. (Madry et al. 2018, who made it the yardstick of robustness, start
# at a random point of the box.)

# %% exercise="8.8"
def pgd(images, labels, network, epsilon, step, steps):
    """Projected gradient descent (ascent of the loss), L∞.

    images: float32 [N, 3, H, W], pixels in [0, 1]; labels: int64 [N]
    epsilon: largest change of a pixel; step: size of one step; steps: their number
    returns: float32 [N, 3, H, W] in [0, 1], within epsilon of images
    """
    ### BEGIN SOLUTION
    adversarial = images.detach().clone()
    for _ in range(steps):
        adversarial.requires_grad_()
        loss = F.cross_entropy(network(adversarial), labels)
        (gradient,) = torch.autograd.grad(loss, adversarial)
        adversarial = adversarial.detach() + step * gradient.sign()
        adversarial = images + (adversarial - images).clamp(-epsilon, epsilon)
        adversarial = adversarial.clamp(0, 1)
    return adversarial
    ### END SOLUTION


# %%
pgd = tp.check("8.8", pgd)

# %% [markdown]
# Accuracy against ε, with a control: the same change of every pixel, its sign drawn at random. ε = 1/255 is the
# smallest change that an ordinary image file can hold. **See** the gap between the control and the attacks.

# %%
seeing = tp08.WithNormalisation(network)
pixels = images[:count].float() / 255
levels = tp.pick(smoke=[0, 2], cpu=[0, 0.25, 0.5, 1, 2, 4, 8], full=[0, 0.25, 0.5, 1, 2, 4, 8])
attacks = {
    "random signs (control)": lambda e: tp08.random_sign(e),
    "FGSM": lambda e: lambda x, y, net: fgsm(x, y, net, e),
    "PGD, 10 steps": lambda e: lambda x, y, net: pgd(x, y, net, e, step=e / 4, steps=10),
}
robustness = {name: [tp08.accuracy_under(make(level / 255), pixels, labels[:count], seeing) for level in levels]
              for name, make in attacks.items()}
tp.show.curves(levels, robustness, "ε, in 255ths", f"accuracy on {count} photographs",
               f"{network.name}: a change of one grey level is enough")

# %% [markdown]
# ## Do attacks carry over to other networks?
#
# Made against one network (row), tried on another (column). With several ImageNet networks at hand the first
# matrix shows them; the second can be had anywhere: three small networks trained on MNIST (about a minute).

# %%
if len(others) > 1:
    matrix = tp08.transfer_matrix(lambda x, y, net: pgd(x, y, net, 8 / 255, 2 / 255, 10),
                                  [tp08.WithNormalisation(other) for other in others], pixels, labels[:count].cpu())
    shown = [other.name for other in others]
    tp.runtime.show(tp08.transfer_figure(matrix, shown, shown, "ImageNet: accuracy under PGD, ε = 8/255"))
else:
    print(f"Only {network.name} is to be had here: the matrix of ImageNet networks needs a second one.")

# %%
mnist = tp.data.mnist()
digits = {}
for name, digit_network in tp08.digit_networks(seed=0).items():
    optimiser = torch.optim.Adam(digit_network.parameters(), 1e-3)
    tp.fit(digit_network, mnist.train_images, mnist.train_labels, optimiser,
           steps=tp.pick(smoke=30, cpu=600, full=2000), batch_size=128, live=False,
           name=f"tp08-{name.replace(' ', '-')}")
    digits[name] = digit_network.requires_grad_(False)

# %%
tried = tp.pick(smoke=100, cpu=1000, full=10000)
digit_pixels, digit_labels = mnist.test_images[:tried].float() / 255, mnist.test_labels[:tried]
digit_matrix = tp08.transfer_matrix(lambda x, y, net: pgd(x, y, net, 0.2, 0.05, 10), list(digits.values()),
                                    digit_pixels, digit_labels)
controls = torch.tensor([[tp08.accuracy_under(attack, digit_pixels, digit_labels, net) for net in digits.values()]
                         for attack in (tp08.random_sign(0.2), tp08.random_sign(0))])
tp08.transfer_figure(torch.cat([digit_matrix, controls]), [*digits, "(random signs)", "(no attack)"], list(digits),
                     "MNIST: accuracy under PGD, ε = 0.2, 10 steps")

# %% [markdown]
# **Conclusion.** The diagonal (the attacker knows the network) is near zero. Off the diagonal the attacks still cost
# the others many of their digits, more than random changes of the same size do: secrecy of the weights is a weak
# protection. They do not carry over equally: the MLP suffers most from the CNNs' images (random changes already cost it
# many digits), and its own carry over least.

# %% [markdown]
# # To take away
#
# - The gradient with respect to the **image** is as easy to get as the one with respect to the weights, and answers
#   other questions.
# - A map that looks right is not an explanation that is right: shuffle the weights and look again.
# - Whatever a network sees, it is not what we see: one grey level per pixel changes its answer.

# %% tags=["solution"]
tp.save_results("tp08", {
    "protocol": f"{photos.source}; {network.name}; targets: predicted class + 500 modulo 1000; "
                "norms in pixels of [0, 1]; MNIST: first test images, PGD with ε = 0.2, 10 steps of 0.05",
    "network": network.name, "images": count,
    "fooled": sum(reached), "fooling": {name: dict(zip(("mean", "sd", "largest"), values, strict=True))
                                        for name, values in statistics.items()},
    "fooling_steps": used, "random_targets": {"reached": random_reached, "of": len(tries)},
    "mean_l2_of_photographs": length,
    "completeness_gap": {str(n): gap.tolist() for n, gap in gaps.items()},
    "rank_correlation": {name: dict(zip(map(str, depths), (tp08.rank_correlation(m[0], x) for x in m), strict=True))
                         for name, m in survived.items()},
    "epsilon_255ths": list(levels), "accuracy_under_attack": robustness,
    "mnist_transfer": {"networks": list(digits), "accuracy": digit_matrix.tolist(),
                       "random_signs": controls[0].tolist(), "clean": controls[1].tolist(), "images": tried},
    "class_probability": {name: p for name, (_, _, p) in painted.items()},
}, command="make outputs TP=tp08", data_is_sample=photos.sample)
