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
# # TP 7: Transfer learning
#
# **Goal.** Recognise 15 kinds of scene from 100 photographs of each, by borrowing what a network has learnt on
# 1.2 million other photographs: the features of VGG16 and a linear support vector machine (SVM).
#
# | part | what you do | minutes |
# |---|---|---|
# | 1 | look inside VGG16, run it, and break it on purpose | 45 |
# | 2 | turn its features into a classifier of scenes | 60 |
# | 3 | find out by experiment what makes the difference | 60 |
#
# **Exercises** are cells with a hole. `tp.check("7.1", …)` says at once whether an answer is right, gives a hint if
# it is not, and lets you go on either way. **Questions** (★ marks those that belong in a report) have an empty cell
# for your answer. *The handout* is the course's French TP 7, *the report* a group of students' report on it: their
# figures stand beside yours where there are any.
#
# Notation: x image, y label, N images, K classes; image tensors are `[N, C, H, W]`.

# %% tags=["setup"]
import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp07

# %% [markdown]
# # Part 1. VGG16
#
# VGG16 (Simonyan and Zisserman 2015) is as plain as a deep network can be: 3 × 3 convolutions and poolings,
# then three fully connected layers. The figure is drawn from the network itself. **See** how the maps shrink
# while the channels grow (above), and where the parameters are (below).

# %%
layers = tp07.architecture("vgg16")
tp07.architecture_figure(layers, "VGG16: output channels and size of each layer (above), its parameters (below)")

# %% [markdown]
# **Question 7.1 ★** Estimate by hand the number of parameters of VGG16, from the sizes in the figure: a convolution
# 3 × 3 from C to D channels has (9 C + 1) D of them, a fully connected layer from A to B values (A + 1) B.
# How many are in the fully connected layers? Then count with the cell below.

# %% [markdown] answer="7.1"
# **Model answer.**
#
# **Convolutions**, block by block: 64 channels 1,792 + 36,928; 128 channels 73,856 + 147,584; 256 channels
# 295,168 + 2 × 590,080; 512 channels 1,180,160 + 2 × 2,359,808; again 512 channels 3 × 2,359,808.
# Together 14,714,688.
#
# **Fully connected**: the last maps are 512 × 7 × 7 = 25,088 values, so the first layer has 25,089 × 4096 =
# 102,764,544 parameters, the second 4097 × 4096 = 16,781,312, the last 4097 × 1000 = 4,097,000. Together
# 123,642,856, nine tenths of the total of **138,357,544**.
#
# The report that this practical follows leaves the layer 25,088 × 4096 out, and so misses three quarters of the
# network.

# %%
connected = sum(count for _, kind, _, count in layers if kind == "Linear")
total = sum(count for *_, count in layers)
print(f"{total:,} parameters, {connected:,} of them fully connected ({connected / total:.0%})")

# %% [markdown]
# **Question 7.2 ★** The output of the network has size 1000. What does each value stand for?

# %% [markdown] answer="7.2"
# **Model answer.**
#
# One score (logit) for each of the 1000 classes of the ImageNet challenge (ILSVRC 2012), in the order of the training
# set. Softmax makes probabilities of them: positive, with sum 1. The network can only ever answer one of those 1000:
# a photograph of anything else gets the classes that look most like it.

# %% [markdown]
# ## Running it
#
# The weights of VGG16 weigh 528 MB. If they are not to be had here, the next line says so and gives SqueezeNet 1.1,
# trained on the same images and a hundred times smaller; everything below works with either.

# %%
network = tp.nets.pretrained("vgg16")
names = tp.nets.categories()
photos = tp.data.photos()
photos

# %% [markdown]
# ### Exercise 7.1: `normalise` (★☆☆, 5 minutes)
#
# Every pretrained network comes with the preparation of its inputs. For torchvision's: pixels brought to [0, 1], then
# for each channel minus the mean (0.485, 0.456, 0.406), divided by the standard deviation (0.229, 0.224, 0.225) of
# ImageNet's pixels.

# %% exercise="7.1"
def normalise(images):
    """Images as the pretrained networks expect them.

    images: uint8 [N, 3, H, W]
    returns: float32 [N, 3, H, W]
    """
    ### BEGIN SOLUTION
    mean = torch.tensor([0.485, 0.456, 0.406], device=images.device).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225], device=images.device).view(3, 1, 1)
    return (images.float() / 255 - mean) / std
    ### END SOLUTION


# %%
normalise = tp.check("7.1", normalise)

# %% [markdown]
# ### Exercise 7.2: `top_predictions` (★☆☆, 5 minutes)
#
# From scores to the k most probable classes. No gradient is needed: say so to torch, it saves memory and time.

# %% exercise="7.2"
def top_predictions(network, images, k=5):
    """The k most probable classes of each image.

    network: from [N, 3, H, W] to scores [N, K], used in the mode it is in
    images: float32 [N, 3, H, W], normalised
    returns: probabilities float32 [N, k] and class indices int64 [N, k], best first, without gradient
    """
    ### BEGIN SOLUTION
    with torch.no_grad():
        probabilities, indices = network(images).softmax(dim=1).topk(k)
    return probabilities, indices
    ### END SOLUTION


# %%
top_predictions = tp.check("7.2", top_predictions)

# %% [markdown]
# **Question 7.3 ★** Comment on the predictions below. What do you say of the mistakes? What are the roles of the
# normalisation and of `network.eval()`? The two experiments that follow answer by doing it wrong.

# %%
inputs = normalise(photos.test_images.to(tp.device()))
probabilities, indices = top_predictions(network, inputs)
chosen = torch.linspace(0, len(inputs) - 1, min(6, len(inputs))).long()
tp07.predictions_figure(photos.test_images[chosen], probabilities[chosen], indices[chosen], names,
                        f"{network.name}: the five most probable classes")

# %% [markdown]
# **Without the normalisation.** The same network on the same photographs, its inputs prepared in three ways. **See**
# how many of the photographs have their class in first place, and among the first five.

# %%
labels = photos.test_labels.to(tp.device())


def hits(inputs):
    """How often the label has the best, and one of the five best scores."""
    with torch.no_grad():  # scores, since softmax may round all but one of its values to 0
        best = network(inputs).topk(5).indices == labels[:, None]
    return f"{best[:, 0].sum()} of {len(labels)}", f"{best.any(1).sum()} of {len(labels)}"


pixels = photos.test_images.to(tp.device()).float()
tp.show.Table(["input", "first place", "first five"], [
    ["normalised", *hits(inputs)],
    ["pixels in [0, 1], not normalised", *hits(pixels / 255)],
    ["pixels in [0, 255]", *hits(pixels)],
])

# %% [markdown]
# **Without eval mode.** Twenty passes of one photograph through the network, in eval mode and in training mode, where
# dropout switches values off at random. **See** that in eval mode all passes agree.

# %%
photo, label = inputs[1:2], labels[1]
torch.manual_seed(0)
passes = {}
for mode in ("eval", "train"):
    network.train(mode == "train")
    with torch.no_grad():
        passes[mode] = [network(photo).softmax(1)[0, label].item() for _ in range(20)]
network.eval()
tp.show.curves(range(1, 21), passes, "pass", "probability of its class",
               f"The same photograph ({names[label]}), twenty times", height=2.4)

# %% [markdown] answer="7.3"
# **Model answer.**
#
# Most mistakes are between neighbours (breeds of cat, a cup and the coffee in it) or concern photographs with several
# things in them: the challenge counts one label, the network sees another. That is why results on ImageNet are given
# for the first five guesses as well.
#
# **Normalisation.** The weights were learnt on inputs of mean 0 and standard deviation 1. Pixels in [0, 1] have a
# quarter of that contrast, and none is negative: biases weigh more than the image, and (on the 25 ImageNet images)
# most first places are lost. Pixels in [0, 255] err the other way: the contrast is 57 times too strong and the biases
# hardly count. The order of the scores of a network of ReLUs barely depends on the scale of its input, so this costs
# less than one would think, but every probability is now next to 0 or 1: the network has become sure of everything.
#
# **Eval mode** switches dropout off (and makes batch normalisation, in networks that have it, use the statistics of
# training in place of the batch's). In training mode the answer is random, and worse on average. Eval mode does not
# switch gradients off: that is `torch.no_grad()`.

# %% [markdown]
# **Question 7.4 ★** Below are the maps that come out of the first convolution for one photograph. What do you
# recognise in them? What did this layer learn?

# %%
first = tp07.first_convolution(network)
with torch.no_grad():
    maps = first(photo)[0, :32]
tp.show.grid([photos.test_images[1], *maps], columns=11, size=0.95,
             title="A photograph and its activation maps after the first convolution")

# %% [markdown] answer="7.4"
# **Model answer.**
#
# Each map is the photograph filtered: edges of one direction, changes of light, one colour against another (blue
# against orange, for instance), blurred copies of the image. They keep the geometry: one can see the object in each.
# The layer has learnt, from data, the filters that people used to design by hand (Gabor filters, colour opponents).
# Nothing in it is particular to the 1000 classes, and this is why such a layer can serve elsewhere.

# %% [markdown]
# # Part 2. VGG16 and 15-Scene
#
# 15-Scene (Lazebnik et al. 2006): grey photographs of kitchens, streets, coasts … 100 per class to learn from, 2985
# to be judged by. (If the set is not to be had here, textures stand in: the line under the cell says which it is.)

# %%
scenes = tp.data.scenes()
if tp.profile() == "smoke":
    scenes = tp07.subset(scenes, 8)
classes = len(scenes.classes)
tp.caveat(photos, scenes)
scenes

# %% [markdown]
# **Question 7.5 ★** Why not train VGG16 on 15-Scene directly?

# %% [markdown] answer="7.5"
# **Model answer.**
#
# 138 million parameters and 1500 images: the network would learn the images by heart, and say little of new ones.
# Regularisation and augmentation help, but a network of this size was made
# for a thousand times more images.

# %% [markdown]
# **Question 7.6 ★** How can a training on ImageNet help to classify 15-Scene?

# %% [markdown] answer="7.6"
# **Model answer.**
#
# The lower layers respond to edges, textures and simple shapes, the middle ones to parts of things: these occur in any
# photograph. ImageNet has taught them with a million labelled images. Used as a fixed function, the network turns an
# image into a few thousand numbers in which images of one kind are near one another; a linear classifier with
# few parameters can be learnt on top from a hundred images per class.

# %% [markdown]
# **Question 7.7 ★** What are the limits of this approach? When could transfer do harm (negative transfer)?

# %% [markdown] answer="7.7"
# **Model answer.**
#
# It works as far as the two tasks share what must be seen. Differences of domain (drawings, X-rays, satellite
# images), of scale or of colour reduce the gain; what ImageNet gives no reason to learn is not there to be used
# (images were mirrored at random in training: nothing taught the network to tell left from right). Negative transfer:
# the borrowed features, or a borrowed initialisation, end below a training from nothing, because they keep what
# separates breeds of dogs and drop what separates kinds of tissue, or because they bring along ImageNet's biases
# (objects in the middle, texture before shape). Besides, input size and preparation are imposed, and the network is
# large for the task.

# %% [markdown]
# ### Exercise 7.3: `grey_to_rgb` (★☆☆, 3 minutes)
#
# The network takes three channels, a grey image has one.

# %% exercise="7.3"
def grey_to_rgb(images):
    """Grey images with three equal channels.

    images: any dtype [N, 1, H, W]
    returns: same dtype [N, 3, H, W]
    """
    ### BEGIN SOLUTION
    return images.expand(-1, 3, -1, -1)  # a view: no memory is copied
    ### END SOLUTION


# %%
grey_to_rgb = tp.check("7.3", grey_to_rgb)

# %% [markdown]
# ### Exercise 7.4: `VGG16relu7` (★★☆, 15 minutes)
#
# The features of this practical are the 4096 values after the ReLU that follows the second fully connected layer
# ("relu7": 13 convolutions, 2 fully connected layers). Build the network that ends there from the parts of
# torchvision's VGG16, whose `forward` applies `features`, `avgpool`, flattening and `classifier` in turn. Print
# `vgg16.classifier` to see where to cut.

# %% exercise="7.4"
class VGG16relu7(nn.Module):
    """VGG16 up to relu7: float32 [N, 3, 224, 224] → float32 [N, 4096].

    VGG16relu7(vgg16) takes its layers, weights included, from a torchvision VGG16, which stays whole: nothing is
    deleted or replaced in it. relu7 is the end; a dropout behind it would do nothing, for eval mode is what is used.
    """

    def __init__(self, vgg16):
        super().__init__()
        ### BEGIN SOLUTION
        self.features = vgg16.features
        self.avgpool = vgg16.avgpool
        self.classifier = vgg16.classifier[:5]  # Linear, ReLU, Dropout, Linear, ReLU
        ### END SOLUTION

    def forward(self, x):
        ### BEGIN SOLUTION
        x = self.avgpool(self.features(x))
        return self.classifier(x.flatten(start_dim=1))
        ### END SOLUTION


# %%
VGG16relu7 = tp.check("7.4", VGG16relu7)

# %% [markdown]
# Where VGG16's weights are absent, your class gets a VGG16 with random weights here, to see it run (a few seconds:
# 138 million random numbers), and the features of the practical come from the embedded SqueezeNet: its last map,
# averaged over its positions, 512 values.

# %%
if network.name == "vgg16":
    extractor = VGG16relu7(network).eval()
else:
    untrained_vgg16 = tp07.untrained_network("vgg16")
    with torch.no_grad():
        print("VGG16relu7 with random weights:", VGG16relu7(untrained_vgg16).eval()(inputs[:2]).shape)
    del untrained_vgg16
    extractor = tp.nets.PooledFeatures(network)
print(f"The features of this practical come from {network.name}.")

# %% [markdown]
# ### Exercise 7.5: `extract_features` (★★☆, 15 minutes)
#
# 4485 images do not fit in memory at once as float32 [N, 3, 224, 224] on every machine: go batch by batch, normalise
# each just before it goes in, and keep only the features. At the end bring each row to norm 1: the SVM then compares
# directions, and one value of C suits all features.

# %% exercise="7.5"
def extract_features(extractor, images, batch_size):
    """The features of all images, with rows of L2 norm 1.

    extractor: nn.Module on tp.device(), from normalised images [n, 3, H, W] to features [n, D]
    images: uint8 [N, 3, H, W]; use `normalise` on each batch
    returns: float32 [N, D], on the CPU, without gradient; the extractor is used in eval mode
    """
    ### BEGIN SOLUTION
    extractor.eval()
    features = []
    with torch.no_grad():
        for batch in images.split(batch_size):
            features.append(extractor(normalise(batch.to(tp.device()))).cpu())
    return F.normalize(torch.cat(features), dim=1)
    ### END SOLUTION


# %%
extract_features = tp.check("7.5", extract_features)

# %% [markdown]
# The extraction takes about half a minute on two CPU cores with SqueezeNet, many times that with VGG16, less on a GPU.
# It is kept in the cache: the second time it takes no time.

# %%
def extract(images):
    features, seconds = tp07.timed(extract_features, extractor, grey_to_rgb(images), 32)
    return {"features": features, "milliseconds": 1000 * seconds / len(images)}


train = tp07.cached_features("train", network, scenes.train_images, lambda: extract(scenes.train_images))
test = tp07.cached_features("test", network, scenes.test_images, lambda: extract(scenes.test_images))
x_train, y_train = train["features"], scenes.train_labels
x_test, y_test = test["features"], scenes.test_labels
print(f"{tuple(x_train.shape)} and {tuple(x_test.shape)}; extraction took {train['milliseconds']:.1f} ms an image")

# %% [markdown]
# ## A linear SVM, one class against the rest
#
# K linear classifiers, each separating one class from all others with the widest margin; the class with the largest
# value wins. scikit-learn's `LinearSVC` does it, with C = 1 as in the handout.

# %%
svm = tp07.train_svm(x_train, y_train, c=1.0)
predictions = torch.from_numpy(svm.predict(x_test.numpy()))
accuracy = tp.measure.accuracy(predictions, y_test)
print(f"test accuracy {accuracy:.1%} on {len(y_test)} images of {classes} classes (chance: {1 / classes:.1%})")

# %% [markdown]
# **See** which kinds of scene are taken for one another: are these the pairs that you would confuse?

# %% tags=["gallery"]
matrix = tp.measure.confusion(predictions, y_test, classes)
tp.show.confusion_figure(matrix, scenes.classes, f"{scenes.name}, {network.name} features, linear SVM: {accuracy:.1%}")

# %%
tp.show.Table(["true class", "taken for", "images"], [
    [scenes.classes[i], scenes.classes[j], count] for i, j, count in tp.measure.most_confused(matrix, 6)])

# %% [markdown]
# The mistakes that the SVM was surest of, by the gap between its best value and that of the true class:

# %%
values = torch.from_numpy(svm.decision_function(x_test.numpy()))
gap = values.amax(1) - values.gather(1, y_test[:, None])[:, 0]
worst = gap.topk(12).indices
tp.show.grid(scenes.test_images[worst], [
    f"{scenes.classes[y_test[i]]}\n→ {scenes.classes[predictions[i]]}" for i in worst], columns=6,
    title="The surest mistakes: true class → prediction")

# %% [markdown]
# **Question 7.8 ★** What is the influence of the layer at which the features are taken? Think of their size and of
# what they represent, then look at the experiment in Part 3.

# %% [markdown] answer="7.8"
# **Model answer.**
#
# Low layers: edges and textures, precise in position, many values (64 maps of 224 × 224 in VGG16's first block), not
# yet linear in the classes. High layers: few values, parts and objects, insensitive to position, and more and more
# tied to ImageNet's classes. For a task near ImageNet late layers are best; for a distant one a middle layer may
# win. The very last layer (1000 scores) has thrown away what does not help to name the 1000 classes.

# %% [markdown]
# **Question 7.9 ★** The images of 15-Scene are grey, the network wants RGB. What do you do, and what does it cost? The
# cell below turns the colour photographs of Part 1 grey.

# %%
grey = photos.test_images.float().mul(torch.tensor([0.299, 0.587, 0.114]).view(3, 1, 1)).sum(1, keepdim=True).byte()
tp.show.Table(["photographs", "first place", "first five"], [
    ["in colour", *hits(inputs)],
    ["in grey", *hits(normalise(grey_to_rgb(grey).to(tp.device())))],
])

# %% [markdown] answer="7.9"
# **Model answer.**
#
# Copy the channel three times, as `grey_to_rgb` does: to the network this is an ordinary photograph without colour, and
# ImageNet holds some. The filters for colour contrast then answer (nearly) nothing and part of the features are
# lost, which costs most for classes known by their colour. One may also sum the first layer's weights over the three
# input channels, which is the same computation for a third of the cost (the normalisation has to follow).

# %% [markdown]
# **Question 7.10 ★** Could one do without the SVM?

# %% [markdown] answer="7.10"
# **Model answer.**
#
# Yes: replace the last layer (1000 scores) by a new one with as many scores as there are classes and train it with the
# cross-entropy. With all other weights frozen this is a linear classifier on the same features (logistic regression in
# place of the SVM's margin). Then one can go on and let the other layers learn too: fine-tuning. The SVM needs one
# parameter, no learning rate, and a second of time. Both are done in Part 3.

# %% [markdown]
# # Part 3. Going further
#
# **Question 7.11 ★** The seven experiments below each vary one thing. For each: what do you expect before you run it,
# what do you see, what do you conclude? (Together about nine minutes on two CPU cores the first time, then seconds.)
#
# The rule of the house: nothing is chosen by looking at the test set.

# %% [markdown]
# ## 3.1 The parameter C
#
# C sets how much the SVM pays for a training image on the wrong side of its margin. The report varied C and kept the
# best accuracy **on the test set**. An honest choice uses the training set alone: cross-validation.
#
# ### Exercise 7.6: `choose_c` (★★☆, 10 minutes)
#
# `sklearn.model_selection.cross_val_score` does the folds.

# %% exercise="7.6"
def choose_c(features, labels, candidates):
    """The C of a LinearSVC with the best accuracy in 5-fold cross-validation.

    features: float32 [N, D], labels: int64 [N], both of the training set
    candidates: list of floats
    returns: one of the candidates
    """
    ### BEGIN SOLUTION
    from sklearn.model_selection import cross_val_score
    from sklearn.svm import LinearSVC

    def accuracy(c):
        return cross_val_score(LinearSVC(C=c), features.numpy(), labels.numpy(), cv=5).mean()

    return max(candidates, key=accuracy)
    ### END SOLUTION


# %%
choose_c = tp.check("7.6", choose_c)

# %% [markdown]
# The full line is cross-validated (mean ± standard deviation over draws of the folds); the dashed one is the
# test set, computed for this figure only. **See** how near they are, and what the choice is worth.

# %%
candidates = [0.001, 0.01, 0.1, 1.0, 10.0, 100.0]
seeds = range(tp.pick(smoke=1, cpu=5, full=5))


def best_c(features, candidates):
    """Your `choose_c`, its result kept in the cache."""
    return tp.cached("tp07-best-c", (features, y_train, candidates), lambda: choose_c(features, y_train, candidates))


c = best_c(x_train, candidates)
by_c = tp.cached("tp07-cross-validation", (x_train, y_train, candidates, list(seeds)), lambda: {
    value: tp07.cross_validation(x_train, y_train, value, seeds) for value in candidates})
test_by_c = [tp07.svm_accuracy(x_train, y_train, x_test, y_test, value) for value in candidates]
means, deviations = zip(*(tp.measure.mean_sd(values) for values in by_c.values()), strict=True)
tp.show.curves(candidates, {"cross-validation, training set": (means, deviations), "test set (for the eye)": test_by_c},
               "C", "accuracy", f"Cross-validation chooses C = {c:g}", log=True)

# %%
chosen_accuracy = test_by_c[candidates.index(c)]
print(f"C = {c:g}, chosen on the training set: test accuracy {chosen_accuracy:.1%}")
print(f"best of the test curve:                 test accuracy {max(test_by_c):.1%}, "
      f"worth {100 * (max(test_by_c) - chosen_accuracy):.1f} points")

# %% [markdown] answer="7.11"
# **Conclusion.** Small C: all classifiers nearly flat, too simple; large C: every training image counts, too
# complex. When both curves peak at the same C, the choice on the test set changes nothing here; but that could not be
# known before, and with more candidates (layers, networks, dimensions …) the best on the test set is always
# too good to be true.

# %% [markdown]
# ## 3.2 The layer
#
# One pass through the network gives the features after every stage (averaged over positions), and an SVM for each
# (C chosen on the training set). **See** accuracy rise with depth, and what each stage costs.

# %%
def to_network(images):
    return normalise(grey_to_rgb(images))


by_stage = {split: tp07.cached_features(f"stages-{split}", network, images,
                                        lambda images=images: tp07.stage_features(network, images, to_network))
            for split, images in (("train", scenes.train_images), ("test", scenes.test_images))}
milliseconds = tp07.stage_times(network, scenes.train_images[:32], to_network)
stages = []
for name, features in by_stage["train"].items():
    best = best_c(features, [0.1, 1.0, 10.0])
    result, seconds = tp07.timed(tp07.svm_accuracy, features, y_train, by_stage["test"][name], y_test, best)
    stages.append([name, features.shape[1], best, result, milliseconds[name], seconds])
tp.show.Table(["stage", "dimension", "C", "test accuracy", "ms per image up to here", "SVM, seconds"],
              [[n, d, f"{best:g}", f"{a:.1%}", f"{ms:.1f}", f"{s:.2f}"] for n, d, best, a, ms, s in stages])

# %%
tp.show.curves([row[4] for row in stages], {"stages": [row[3] for row in stages]},
               "milliseconds per image up to the stage", "test accuracy", f"{network.name}: depth buys accuracy")

# %% [markdown] answer="7.11"
# **Conclusion.** Every stage helps up to the last or nearly so: scenes are near enough to ImageNet. The first
# convolution alone, colours and edges without their places, is already far above chance.

# %% [markdown]
# ## 3.3 The network
#
# The same recipe with other networks, as far as their weights are to be had here, and with SqueezeNet **before** it saw
# ImageNet: random weights, three seeds. The report found 88.8 % with VGG16 and 86.8 % with AlexNet.

# %%
def features_of(other):
    pooled = tp.nets.PooledFeatures(other)
    return [tp07.cached_features(f"pooled-{split}", other, images,
                                 lambda images=images: extract_features(pooled, grey_to_rgb(images), 32))
            for split, images in (("train", scenes.train_images), ("test", scenes.test_images))]


compared = {}
for name in tp.pick(smoke=["squeezenet1_1"], cpu=tp.nets.NAMES, full=tp.nets.NAMES):
    if name == network.name:
        compared[name] = [chosen_accuracy]
    elif name in tp.nets.available([name]):
        a, b = features_of(tp.nets.pretrained(name))
        compared[name] = [tp07.svm_accuracy(a, y_train, b, y_test, best_c(a, [0.1, 1.0, 10.0]))]
compared["squeezenet1_1, untrained"] = []
for seed in range(tp.pick(smoke=1, cpu=3, full=3)):
    a, b = features_of(tp07.untrained_network("squeezenet1_1", seed))
    compared["squeezenet1_1, untrained"].append(
        tp07.svm_accuracy(a, y_train, b, y_test, best_c(a, [1.0, 10.0, 100.0])))
reported = {"vgg16": "88.8 %", "alexnet": "86.8 %"}
tp.show.Table(["network", "test accuracy here", "the report's"],
              [[name, tp.measure.percent(values), reported.get(name, "—")] for name, values in compared.items()])

# %% [markdown] answer="7.11"
# **Conclusion.** The architecture alone, with random weights, is worth something (it averages local filters), but
# the distance to the trained one is what ImageNet gives. Against that the choice between trained networks is small: two
# points in the report between VGG16 and AlexNet, and SqueezeNet, with a hundredth of VGG16's parameters, is near both.

# %% [markdown]
# ## 3.4 A new last layer, and fine-tuning
#
# In place of the SVM, a layer with one score per class. First alone, on the features of the frozen network; then with
# the upper half of SqueezeNet (from its module 9 on) learning as well. The lower half stays frozen, so its output is
# computed once. AdamW, one cycle, learning rate 0.01 for the new layer. The rate of the borrowed layers is a choice,
# and choices are made on training data: three rates are tried with a fifth of the **training** images held out, the
# best one is kept, and only then, with three seeds and all training images, is the test set looked at.

# %%
squeezenet = network if network.name == "squeezenet1_1" else tp.nets.pretrained("squeezenet1_1")
lower, _ = tp07.fine_tuning_parts(squeezenet, classes)
low = {key: tp07.cached_features(f"lower-{key}", squeezenet, images,
                                 lambda images=images: tp07.lower_outputs(lower, images, to_network))
       for key, images in (("train", scenes.train_images), ("mirrored", scenes.train_images.flip(3)),
                           ("test", scenes.test_images))}
both_ways = torch.stack([low["train"], low["mirrored"]], dim=1)  # each image and its mirror image


def one_way(pairs, generator):
    """Augmentation: of each image, itself or its mirror image."""
    side = torch.randint(2, (len(pairs),), generator=generator).to(pairs.device)
    return pairs[torch.arange(len(pairs), device=pairs.device), side].float()


def train_upper(seed, whole, rate, rows):
    """The upper half after training on some rows: its new layer alone, or the borrowed ones with it, at their rate."""
    torch.manual_seed(seed)
    _, upper = tp07.fine_tuning_parts(squeezenet, classes)
    upper.to(tp.device())
    borrowed, new = [p for m in upper[:-1] for p in m.parameters()], list(upper[-1].parameters())
    for parameter in borrowed:
        parameter.requires_grad_(whole)
    optimiser = torch.optim.AdamW([{"params": borrowed, "lr": rate}, {"params": new, "lr": 1e-2}])
    steps = tp.pick(smoke=3, cpu=200, full=400)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, [rate, 1e-2], total_steps=steps)
    what = f"fine-tuning-{rate:g}" if whole else "last-layer"
    tp.fit(upper, both_ways[rows], y_train[rows], optimiser, steps, batch_size=64, prepare=one_way, schedule=schedule,
           seed=seed, live=seed == 0, name=f"tp07-{what}-{len(rows)}-{seed}")
    return upper


def upper_accuracy(upper, features, labels):
    """Share of right answers from the outputs of the lower half."""
    return tp.cached("tp07-upper", (upper.state_dict(), features, labels), lambda: tp.measure.accuracy(
        tp07.scores_of(upper, features).argmax(1), labels))


# %%
from sklearn.model_selection import train_test_split

rates = [1e-4, 1e-3, 1e-2]
kept, held_out = (torch.tensor(rows) for rows in train_test_split(
    range(len(y_train)), test_size=0.2, stratify=y_train, random_state=0))
held_out_accuracy = [upper_accuracy(train_upper(0, True, rate, kept), low["train"][held_out], y_train[held_out])
                     for rate in rates]
chosen_rate = rates[int(torch.tensor(held_out_accuracy).argmax())]
tp.show.Table(["learning rate of the borrowed layers", f"accuracy on {len(held_out)} held-out training images"],
              [[f"{rate:g}" + " (chosen)" * (rate == chosen_rate), tp.measure.percent(value)]
               for rate, value in zip(rates, held_out_accuracy, strict=True)])

# %%
tuning_seeds, every = range(tp.pick(smoke=1, cpu=3, full=5)), torch.arange(len(y_train))
last_layer = [upper_accuracy(train_upper(seed, False, chosen_rate, every), low["test"], y_test)
              for seed in tuning_seeds]
fine_tuned = [upper_accuracy(train_upper(seed, True, chosen_rate, every), low["test"], y_test)
              for seed in tuning_seeds]

# %%
pooled_train, pooled_test = (x_train, x_test) if squeezenet is network else features_of(squeezenet)
svm_reference = tp07.svm_accuracy(pooled_train, y_train, pooled_test, y_test,
                                  best_c(pooled_train, [0.1, 1.0, 10.0]))
tp.show.Table(["classifier on SqueezeNet", "test accuracy"], [
    ["linear SVM, C by cross-validation", tp.measure.percent(svm_reference)],
    ["new last layer alone", tp.measure.percent(last_layer)],
    ["new last layer and the upper half", tp.measure.percent(fine_tuned)]])

# %% [markdown] answer="7.11"
# **Conclusion.** On 15-Scene, three ways to the same place, within the noise of a test set of this size or a little
# beyond: compare the gaps with the standard deviations in the table. The SVM has one parameter and takes a second;
# fine-tuning has the most to gain when there are more images, or when the images differ more from ImageNet's.

# %% [markdown]
# ## 3.5 PCA before the SVM
#
# How many directions of the feature space does the task need? **See** where the curve flattens.

# %%
limit = min(x_train.shape)
dimensions = [d for d in (2, 4, 8, 16, 32, 64, 128, 256, 512, 1024) if d < limit]
pca_accuracy, pca_seconds = [], []
for d in dimensions:
    a, b = tp07.pca(x_train, x_test, d)
    result, seconds = tp07.timed(tp07.svm_accuracy, a, y_train, b, y_test, c)
    pca_accuracy.append(result)
    pca_seconds.append(seconds)
fig, (left, right) = tp.show.figure(1, 2, 9, 2.8)
tp.show.curves(dimensions, {"after PCA": pca_accuracy, f"all {x_train.shape[1]}": [chosen_accuracy] * len(dimensions)},
               "dimension", "test accuracy", "Few directions suffice", log=True, axis=left)
tp.show.curves(dimensions, {"SVM": pca_seconds}, "dimension", "seconds (SVM, training and test)", "… and are faster",
               log=True, axis=right)
fig

# %% [markdown] answer="7.11"
# **Conclusion.** A fraction of the directions carries nearly all of the accuracy. With relu7's 4096 values that makes
# training and storage many times cheaper; with very few directions the classes fall on one another.

# %% [markdown]
# ## 3.6 How many images per class?
#
# The same SVM with 1, 2, 5 … images of each class, five draws of each (three in the smoke profile). **See** where
# the curve still climbs.

# %%
counts = [n for n in (1, 2, 5, 10, 20, 50, 100) if n <= y_train.bincount().min()]
learning_curve = {n: [] for n in counts}
for n in counts:
    for seed in range(tp.pick(smoke=3, cpu=5, full=10)):
        some = tp07.draw_per_class(y_train, n, seed)
        learning_curve[n].append(tp07.svm_accuracy(x_train[some], y_train[some], x_test, y_test, c))
means, deviations = zip(*(tp.measure.mean_sd(values) for values in learning_curve.values()), strict=True)
tp.show.curves(counts, {"linear SVM": (means, deviations)}, "training images per class", "test accuracy",
               f"Learning curve (C = {c:g}, mean ± sd over draws)", log=True)

# %% [markdown] answer="7.11"
# **Conclusion.** A handful of images per class is enough for a useful classifier. Each doubling still adds points at
# the right end of the curve, so more images would help, and one can read off how much. (Where all images of a class
# are taken there is only one draw, hence no deviation.)

# %% [markdown]
# ## 3.7 Look at the data
#
# Are some images in the data twice, byte for byte? If one copy is in the training set and the other in the test set,
# the test measures memory.

# %%
groups = tp07.cross_duplicates(scenes.train_images, scenes.test_images)
leaked = [i for group in groups if any(s == "train" for s, _ in group) for s, i in group if s == "test"]
print(f"{len(groups)} groups of identical images, {len(leaked)} test images that are also in the training set")
label_of = {"train": scenes.train_labels, "test": scenes.test_labels}
contradictory = [group for group in groups if len({label_of[s][i].item() for s, i in group}) > 1]
print(f"{len(contradictory)} group(s) carry two different labels")
clean = torch.ones(len(y_test), dtype=torch.bool)
clean[leaked] = False
clean_accuracy = tp.measure.accuracy(torch.from_numpy(
    tp07.train_svm(x_train, y_train, c).predict(x_test[clean].numpy())), y_test[clean])
print(f"test accuracy: {chosen_accuracy:.2%} on all, {clean_accuracy:.2%} without those")

# %%
def picture(split, i):
    return (scenes.train_images if split == "train" else scenes.test_images)[i]


shown = (contradictory + [group for group in groups if group not in contradictory])[:6]
tp.show.grid([picture(s, i) for group in shown for s, i in group[:2]],
             [f"{s} {i}\n{scenes.classes[label_of[s][i]]}" for group in shown for s, i in group[:2]],
             columns=6, size=1.3,
             title="Twins: each pair is one image twice") if shown else "No duplicates in this set."

# %% [markdown] answer="7.11"
# **Conclusion.** The real 15-Scene has twins across its split, few enough to change little, and one image that two
# people labelled differently: no classifier can be right on both copies. It takes three lines to look; look always.

# %% [markdown]
# # To take away
#
# - A trained network is a feature extractor: normalise as in its training, eval mode, no gradient, keep the result.
# - A linear classifier on good features needs few images and a second of time; try it before anything deeper.
# - Whatever you choose, choose it on training data.

# %% tags=["solution"]
tp.save_results("tp07", {
    "protocol": "15-Scene, 1500 training and 2985 test images; features pooled, rows of norm 1; LinearSVC, "
                "C by 5-fold cross-validation on the training set, the learning rate of fine_tuning on a held-out "
                "fifth of it; nothing was chosen on the test set",
    "network": network.name,
    "images": [len(y_train), len(y_test)],
    "feature_milliseconds_per_image": train["milliseconds"],
    "chosen_c": c,
    "test_accuracy": chosen_accuracy,
    "test_accuracy_without_leaked": clean_accuracy,
    "cross_validation": {f"{k:g}": v for k, v in by_c.items()},
    "test_accuracy_by_c": dict(zip([f"{k:g}" for k in candidates], test_by_c, strict=True)),
    "layers": [dict(zip(("stage", "dimension", "c", "test_accuracy", "milliseconds", "svm_seconds"), row, strict=True))
               for row in stages],
    "networks": compared,
    "last_layer": last_layer,
    "fine_tuning": fine_tuned,
    "fine_tuning_rate": chosen_rate,
    "held_out_accuracy_by_rate": dict(zip([f"{rate:g}" for rate in rates], held_out_accuracy, strict=True)),
    "pca": dict(zip(map(str, dimensions), pca_accuracy, strict=True)),
    "learning_curve": {str(n): values for n, values in learning_curve.items()},
    "duplicate_groups": len(groups), "leaked_test_images": len(leaked), "contradictory_groups": len(contradictory),
}, command="make outputs TP=tp07", data_is_sample=scenes.sample)
