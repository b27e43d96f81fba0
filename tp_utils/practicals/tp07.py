"""TP 7: what the notebook needs besides the core: the architecture figure, extractors, the experiments' plumbing."""

import dataclasses
import time
import warnings

import numpy as np
import torch
from torch import nn

from .. import measure, nets, show
from ..runtime import cached, device

# Linear SVMs with a large C stop at 1000 iterations, near enough to their optimum.
warnings.filterwarnings("ignore", message="Liblinear failed to converge")

# ---- Part 1: the network


def architecture(name="vgg16", size=224):
    """The layers of a torchvision network: a list of (name, kind, output shape [C, H, W] or [D], parameters).

    The network is built on torch's meta device: shapes without numbers, in no time and no memory.
    """
    from torchvision.models import get_model

    with torch.device("meta"):
        network = get_model(name).eval()
        image = torch.empty(1, 3, size, size)
    rows = []

    def note(layer, kind):
        def hook(module, _, output):
            rows.append((layer, kind, list(output.shape[1:]), sum(p.numel() for p in module.parameters())))
        return hook

    for layer, module in network.named_modules():
        if not list(module.children()):
            module.register_forward_hook(note(layer, type(module).__name__))
    network(image)
    return rows


def architecture_figure(rows, title):
    """Two panels from `architecture`'s rows: the size of each activation, and the parameters of each layer."""
    import matplotlib.patches as patches

    layers = [row for row in rows if row[1] in ("Conv2d", "MaxPool2d", "Linear")]
    colours = {"Conv2d": show.COLOURS[0], "MaxPool2d": show.COLOURS[1], "Linear": show.COLOURS[2]}
    fig, (top, bottom) = show.figure(2, 1, 10, 5.2, height_ratios=(3, 2), sharex=True)
    for x, (_, kind, shape, _) in enumerate(layers):
        channels, side = shape[0], shape[1] if len(shape) == 3 else 1
        width, height = 0.18 + 0.7 * np.log2(channels) / 12, max(side, 3)
        top.add_patch(patches.Rectangle((x - width / 2, -height / 2), width, height, color=colours[kind], alpha=0.85))
        label = f"{channels}\n{side}²" if len(shape) == 3 else f"{channels}"
        top.text(x, height / 2 + 4, label, ha="center", va="bottom", fontsize=6.5)
    top.set(ylim=(-120, 150), yticks=[], title=title)
    top.legend(handles=[patches.Patch(color=c, label=k) for k, c in colours.items()], frameon=False, loc="lower right")
    top.grid(False)
    millions = [row[3] / 1e6 for row in layers]
    bottom.bar(range(len(layers)), millions, color=[colours[row[1]] for row in layers])
    for x, value in enumerate(millions):
        if value:
            text = f"{value:.2g}" if value < 10 else f"{value:.0f}"
            bottom.text(x, value, text, ha="center", va="bottom", fontsize=6.5)
    bottom.set(ylabel="parameters (millions)", xticks=range(len(layers)))
    bottom.set_xticklabels([row[0] for row in layers], rotation=60, ha="right", fontsize=7)
    return fig


def predictions_figure(images, probabilities, indices, names, title=None):
    """Photographs, and beside each the bars of its most probable classes.

    images: uint8 [N, 3, H, W];  probabilities, indices: [N, k];  names: of the 1000 classes
    """
    fig, axes = show.figure(len(images), 2, 6.5, 1.35 * len(images) + 0.3, width_ratios=(1, 3), squeeze=False)
    for (picture, bars), image, share, index in zip(axes, images, probabilities.cpu(), indices.cpu(), strict=True):
        picture.imshow(show.drawable(image))
        picture.axis("off")
        bars.barh(range(len(share)), share, color=show.COLOURS[0])
        bars.set(xlim=(0, 1), yticks=range(len(share)), xlabel="probability" if image is images[-1] else "")
        bars.set_yticklabels([names[i].split(",")[0] for i in index], fontsize=7.5)
        bars.invert_yaxis()
    if title:
        fig.suptitle(title, fontsize=10)
    return fig


def first_convolution(network):
    """The first convolution of a torchvision network."""
    return next(module for module in network.modules() if isinstance(module, nn.Conv2d))


# ---- Part 2: features


def stages(network):
    """[(name, module)]: the children of the convolutional part after which its depth is worth a look."""
    plain = (nn.ReLU, nn.MaxPool2d, nn.BatchNorm2d)
    layers = list(nets.feature_layers(network).named_children())
    keep = [i for i, (_, m) in enumerate(layers) if isinstance(m, nn.ReLU) or not isinstance(m, (*plain, nn.Conv2d))]
    return [(f"{i}: {type(layers[i][1]).__name__}", layers[i][1]) for i in keep]


def stage_features(network, images, prepare, batch_size=32):
    """The pooled features of every stage in one pass: {stage name: float32 [N, D], rows of norm 1}.

    prepare: from uint8 images [n, 1, H, W] to the network's input
    """
    kept = {}
    hooks = [module.register_forward_hook(
        lambda _, __, out, name=name: kept.setdefault(name, []).append(out.mean((2, 3)).cpu())
    ) for name, module in stages(network)]
    with torch.no_grad():
        for batch in images.split(batch_size):
            nets.feature_layers(network)(prepare(batch.to(device())))
    for hook in hooks:
        hook.remove()
    return {name: nn.functional.normalize(torch.cat(parts), dim=1) for name, parts in kept.items()}


def stage_times(network, images, prepare):
    """Milliseconds per image from the input up to each stage: {stage name: float}."""
    inputs, times = prepare(images.to(device())), {}
    wanted = {module: name for name, module in stages(network)}
    with torch.no_grad():
        for _ in range(2):  # the first round warms up
            x, start = inputs, time.perf_counter()
            for module in nets.feature_layers(network).children():
                x = module(x)
                if module in wanted:
                    x.sum().item()  # waits for a GPU
                    times[wanted[module]] = 1000 * (time.perf_counter() - start) / len(images)
    return times


# ---- Part 3: linear classifiers on features


def svm_accuracy(train, train_labels, test, test_labels, c=1.0):
    """Test accuracy of a one-versus-rest linear SVM (scikit-learn's LinearSVC) on features [N, D]."""
    return measure.accuracy(torch.from_numpy(train_svm(train, train_labels, c).predict(test.numpy())), test_labels)


def train_svm(features, labels, c=1.0):
    """A LinearSVC fitted on features float32 [N, D] and labels int64 [N]."""
    from sklearn.svm import LinearSVC

    return LinearSVC(C=c, random_state=0).fit(features.numpy(), labels.numpy())


def cross_validation(features, labels, c, seeds, folds=5):
    """Accuracies of a LinearSVC in k-fold cross-validation, one mean over the folds per seed of the folds' draw."""
    from sklearn.model_selection import StratifiedKFold, cross_val_score
    from sklearn.svm import LinearSVC

    return [float(cross_val_score(LinearSVC(C=c, random_state=0), features.numpy(), labels.numpy(),
                                  cv=StratifiedKFold(folds, shuffle=True, random_state=seed)).mean())
            for seed in seeds]


def draw_per_class(labels, count, seed):
    """Indices of `count` random images of each class (all of them where a class has fewer)."""
    generator = torch.Generator().manual_seed(seed)
    order = torch.randperm(len(labels), generator=generator)
    return torch.cat([order[labels[order] == label][:count] for label in labels.unique()])


def pca(train, test, dimensions):
    """Features projected on the first principal components of the training features (test ones have no say)."""
    from sklearn.decomposition import PCA

    reduced = PCA(dimensions, random_state=0).fit(train.numpy())
    return tuple(torch.from_numpy(reduced.transform(f.numpy()).astype(np.float32)) for f in (train, test))


def fine_tuning_parts(network, classes):
    """SqueezeNet cut in two for fine-tuning: the lower layers, and the upper ones with a new last layer.

    Returns (lower, upper): lower stays frozen, so that its output needs computing only once; upper goes from
    there to scores [N, classes].
    """
    import copy

    layers = list(network.features.children())
    lower = nn.Sequential(*layers[:9])  # up to the pooling after fire5
    upper = nn.Sequential(*copy.deepcopy(layers[9:]), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.2),
                          nn.Linear(512, classes))
    return lower, upper.requires_grad_(True)


def lower_outputs(lower, images, prepare, batch_size=64):
    """What the frozen layers make of all images: float16 [N, C, h, w] (half the memory, precise enough)."""
    with torch.no_grad():
        return torch.cat([lower(prepare(batch.to(device()))).half().cpu() for batch in images.split(batch_size)])


def scores_of(network, inputs, batch_size=256):
    """Scores [N, K] of a network for inputs that are ready for it, on the CPU."""
    network.eval()
    with torch.no_grad():
        return torch.cat([network(batch.to(device()).float()).cpu() for batch in inputs.split(batch_size)])


def cross_duplicates(train_images, test_images):
    """Groups of byte-identical images over both splits: [[(split, index), …], …]."""
    count = len(train_images)
    groups = measure.duplicates(torch.cat([train_images, test_images]))
    return [[("train", i) if i < count else ("test", i - count) for i in group] for group in groups]


def timed(compute, *arguments):
    """(result, seconds)."""
    start = time.perf_counter()
    return compute(*arguments), time.perf_counter() - start


def cached_features(name, network, images, compute):
    """`compute()`, kept in the cache for this network and these images."""
    return cached(f"features-{name}", (network.name, images), compute)


def untrained_network(name, seed=0):
    """The network with random weights, as it was before it saw ImageNet; in eval mode, on the device."""
    from torchvision.models import get_model

    torch.manual_seed(seed)
    network = get_model(name, weights=None)
    network.name = f"{name}, untrained, seed {seed}"
    return network.requires_grad_(False).eval().to(device(), memory_format=torch.channels_last)


def subset(images, per_class):
    """An ImageSet with the first `per_class` images of each class in each split (for the smoke profile)."""
    def first(labels):
        return torch.cat([(labels == k).nonzero()[:per_class, 0] for k in labels.unique()])

    train, test = first(images.train_labels), first(images.test_labels)
    return dataclasses.replace(
        images, train_images=images.train_images[train], train_labels=images.train_labels[train],
        test_images=images.test_images[test], test_labels=images.test_labels[test])
