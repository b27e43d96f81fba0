"""TP 8: what the notebook needs besides the core: figures, the loop of class visualisation, measurements."""

import copy

import torch
from torch import nn

from .. import measure, nets, show
from ..runtime import device

# What is said to the reader.
OTHER_SHAPE = "maps of the shape {one} cannot be compared with {other}"

# ---- Part 1: saliency


def overlay(image, saliency, strength=0.85):
    """A photograph, dimmed where the map is low: float [3, H, W] in [0, 1].

    image: uint8 [3, H, W];  saliency: [H, W] in [0, 1]
    """
    weight = 1 - strength + strength * saliency.cpu()
    return image / 255 * weight


def segment(image, saliency):
    """A rough mask of the object, bool [H, W], grown from the most and least salient pixels.

    Simonyan et al. 2014 use GraphCut for it, we use scikit-image's random walker: the 5 % most salient
    pixels are seeds of the object, the 30 % least salient ones of the background, colour decides on the rest.

    image: uint8 [3, H, W];  saliency: [H, W]
    """
    from skimage.filters import gaussian
    from skimage.segmentation import random_walker

    smooth = torch.from_numpy(gaussian(saliency.cpu().numpy(), 3))
    low, high = smooth.quantile(0.30), smooth.quantile(0.95)
    seeds = torch.where(smooth >= high, 1, torch.where(smooth <= low, 2, 0))
    colours = image.permute(1, 2, 0).numpy() / 255
    labels = random_walker(colours, seeds.numpy(), beta=130, mode="cg_j", tol=1e-4, prob_tol=0.1, channel_axis=-1)
    return torch.from_numpy(labels == 1)


def randomised(network, count, seed=0):
    """A copy of a network whose last `count` layers with weights (in the order of `parts`) have forgotten.

    Each tensor of weights is shuffled: what was learnt is gone, the distribution of the values stays, so that
    signals keep a sensible size.
    """
    generator = torch.Generator().manual_seed(seed)
    network = copy.deepcopy(network)
    for _, part in parts(network)[len(parts(network)) - count:]:
        for weights in part.parameters():
            order = torch.randperm(weights.numel(), generator=generator).to(weights.device)
            weights.data.copy_(weights.flatten()[order].view(weights.shape))
    return network


def parts(network):
    """[(name, module)]: the blocks of a torchvision classifier that have weights, from the input to the scores."""
    blocks = [(f"{name}.{i}" if name != i else name, child) for name, module in network.named_children()
              for i, child in (module.named_children() if isinstance(module, nn.Sequential) else [(name, module)])]
    return [(name, block) for name, block in blocks if any(True for _ in block.parameters())]


def rank_correlation(maps, others):
    """Spearman's rank correlation of each map with its counterpart, averaged over N: a float. Maps are [N, H, W].

    Equal values share the mean of their ranks (half of a Grad-CAM map may be 0). A map of one value orders nothing: 0.
    Raises ValueError for maps of different shapes.
    """
    from scipy.stats import rankdata

    if maps.shape != others.shape:
        raise ValueError(OTHER_SHAPE.format(one=list(maps.shape), other=list(others.shape)))

    def ranks(batch):
        order = torch.from_numpy(rankdata(batch.detach().cpu().double().flatten(1).numpy(), axis=1))
        return nn.functional.normalize(order - order.mean(1, keepdim=True), dim=1)

    return (ranks(maps) * ranks(others)).sum(1).mean().item()


# ---- Part 2: adversarial examples


class WithNormalisation(nn.Module):
    """A network that takes pixels in [0, 1] and normalises them itself."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        return self.network(nets.to_input(pixels))


def verdict(network, x):
    """"class\\n12.3 %": the predicted class of one input [1, 3, H, W] and its probability."""
    with torch.no_grad():
        probability, index = network(x).softmax(1).max(1)
    return f"{short(index.item())}\n{probability.item():.1%}"


def short(index):
    """The first name of an ImageNet class."""
    return nets.categories()[index].split(",")[0]


def attack_figure(network, pairs, magnify=10, title=None):
    """Original, adversarial, difference, difference magnified; class and probability above the first two.

    pairs: [(original, adversarial)], both normalised [1, 3, H, W]
    """
    images, titles = [], []
    for original, adversarial in pairs:
        before, after = nets.to_pixels(original)[0], nets.to_pixels(adversarial)[0]
        change = pixel_difference(original, adversarial)[0]
        images += [before, after, (0.5 + change).clamp(0, 1), (0.5 + magnify * change).clamp(0, 1)]
        titles += [verdict(network, original), verdict(network, adversarial),
                   f"difference\nL2 {change.norm():.2f}, L∞ {change.abs().max():.3f}", f"difference\n× {magnify}"]
    return show.grid(images, titles, columns=4, size=1.7, title=title)


def pixel_difference(original, adversarial):
    """The difference of two normalised inputs in pixels of [0, 1], on the CPU."""
    return ((adversarial - original) * torch.tensor(nets.STD, device=original.device).view(3, 1, 1)).cpu()


def attack_path(fooling_image, image, target, network, longest=40):
    """The images on the way to the target, the start included: a list of [1, 3, H, W]."""
    path = [image]
    for _ in range(longest):
        step, used = fooling_image(path[-1], target, network, max_steps=1)
        if used == 0:
            break
        path.append(step)
    return path


def accuracy_under(attack, images, labels, network, batch_size=50):
    """Accuracy of a network on attack(images, labels, network). images: float32 [N, C, H, W] in [0, 1]."""
    predictions = []
    for x, y in zip(images.split(batch_size), labels.split(batch_size), strict=True):
        x, y = x.to(device()), y.to(device())
        with torch.enable_grad():
            adversarial = attack(x, y, network)
        with torch.no_grad():
            predictions.append(network(adversarial).argmax(1).cpu())
    return measure.accuracy(torch.cat(predictions), labels)


def transfer_matrix(attack, networks, images, labels):
    """Accuracy of each network (column) on images made against each network (row): float [n, n]."""
    rows = []
    for source in networks:
        adversarial = torch.cat([attack(x.to(device()), y.to(device()), source).cpu()
                                 for x, y in zip(images.split(50), labels.split(50), strict=True)])
        rows.append([accuracy_under(lambda x, y, network: x, adversarial, labels, network) for network in networks])
    return torch.tensor(rows)


def transfer_figure(matrix, rows, columns, title):
    """Accuracies as a matrix with its numbers: what the images were made against, and whose accuracy it is."""
    fig, axis = show.figure(width=1.1 * len(columns) + 2.4, height=0.6 * len(rows) + 1.2)
    axis.imshow(matrix, cmap="cividis", vmin=0, vmax=1, aspect="auto")
    for i, row in enumerate(matrix.tolist()):
        for j, value in enumerate(row):
            axis.text(j, i, f"{value:.0%}", ha="center", va="center", color="white" if value < 0.5 else "black")
    axis.set(xticks=range(len(columns)), yticks=range(len(rows)), xlabel="accuracy of", ylabel="made against",
             title=title)
    axis.set_xticklabels(columns)
    axis.set_yticklabels(rows)
    axis.grid(False)
    return fig


def digit_networks(seed):
    """Three untrained classifiers of 28 × 28 digits: {name: nn.Module from [N, 1, 28, 28] to [N, 10]}."""
    torch.manual_seed(seed)

    def block(c, d):
        return [nn.Conv2d(c, d, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2)]

    return {
        "CNN": nn.Sequential(*block(1, 16), *block(16, 32), nn.Flatten(), nn.Linear(32 * 49, 10)),
        "deeper CNN": nn.Sequential(*block(1, 16), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), *block(32, 32),
                                    *block(32, 32), nn.Flatten(), nn.Linear(32 * 9, 10)),
        "MLP": nn.Sequential(nn.Flatten(), nn.Linear(784, 256), nn.ReLU(), nn.Linear(256, 256), nn.ReLU(),
                             nn.Linear(256, 10)),
    }


# ---- Part 3: class visualisation


def visualise(step, target, network, steps=200, learning_rate=5, l2=1e-3, start=None, jitter=16, blur_every=10,
              film_every=10, seed=0):
    """Climb to an image that the network takes for a class.

    After Simonyan et al. 2014, with the jitter and the blur of Yosinski et al. 2015.

    step:   exercise 8.3's function (image, target, network, learning_rate, l2) → image
    start:  normalised [1, 3, H, W] to start from; None: faint noise, 224 × 224
    jitter: each step sees the image shifted by up to so many pixels;  blur_every: a slight blur now and then.
            Both keep the network from painting patterns that mean something to it on one exact grid only.

    Returns (image, film, probability): float in [0, 1] [1, 3, H, W] and [T, 3, H, W] on the CPU, and a float.
    """
    from torchvision.transforms.functional import gaussian_blur

    generator = torch.Generator().manual_seed(seed)
    x = 0.01 * torch.randn(1, 3, 224, 224, generator=generator) if start is None else start.detach().clone()
    x = x.to(device()).contiguous(memory_format=torch.channels_last)
    low, high = nets.to_input(torch.zeros(1, 3, 1, 1)), nets.to_input(torch.ones(1, 3, 1, 1))
    film = []
    for i in range(steps):
        if i % film_every == 0:
            film.append(nets.to_pixels(x))
        shift = torch.randint(-jitter, jitter + 1, (2,), generator=generator).tolist()
        x = step(x.roll(shift, (2, 3)), target, network, learning_rate, l2).roll([-s for s in shift], (2, 3))
        x = x.clamp(low, high)  # pixels stay pixels
        if i % blur_every == 0:
            x = gaussian_blur(x, 5, 0.5)
    with torch.no_grad():
        probability = network(x).softmax(1)[0, target].item()
    return nets.to_pixels(x), torch.cat([*film, nets.to_pixels(x)]), probability


def rescaled(network, like, target):
    """The network with its scores multiplied so that its gradient for the target starts as long as `like`'s."""
    noise = 0.01 * torch.randn(1, 3, 224, 224, generator=torch.Generator().manual_seed(0)).to(device())

    def gradient_norm(scores_of):
        x = noise.clone().requires_grad_()
        return torch.autograd.grad(scores_of(x)[0, target], x)[0].norm()

    factor = gradient_norm(like) / gradient_norm(network).clamp_min(1e-12)
    return lambda x: factor * network(x)


def fooling_statistics(originals, adversarials, steps):
    """Number of steps and size of the change over a set, as {name: (mean, standard deviation, largest)}."""
    changes = pixel_difference(torch.cat(originals), torch.cat(adversarials)).flatten(1)
    values = {"steps": [float(s) for s in steps], "L2": changes.norm(dim=1).tolist(),
              "L∞": changes.abs().amax(1).tolist()}
    return {name: (*measure.mean_sd(v), max(v)) for name, v in values.items()}


def random_sign(epsilon, seed=0):
    """The control of an attack: each pixel moved up or down by epsilon at random, same interface as fgsm."""
    def attack(images, labels, network):
        generator = torch.Generator().manual_seed(seed)
        signs = torch.randint(0, 2, images.shape, generator=generator).to(images.device) * 2 - 1
        return (images + epsilon * signs).clamp(0, 1)

    return attack


def grad_cam_layer(network):
    """The layer that Grad-CAM looks at by default: the last block of the convolutional part."""
    if hasattr(network, "layer4"):
        return network.layer4
    return network.features


def completeness_gap(attributions, images, labels, network):
    """|sum of the attributions − (score(x) − score(0))| / |score(x) − score(0)| for each image: float [N]."""
    with torch.no_grad():
        def score(x):
            return network(x).gather(1, labels[:, None])[:, 0]

        difference = score(images) - score(torch.zeros_like(images))
    return ((attributions.flatten(1).sum(1) - difference).abs() / difference.abs()).cpu()
