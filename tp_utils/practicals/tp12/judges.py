"""Helper of TP 12: the fully connected players, what the judges say of a set of cats, and the figures."""

import torch
from torch import nn
from torch.nn import functional as F

from ... import data, nets, show
from ...data.imageset import resized
from ...measure import frechet, mean_sd, percent
from ...runtime import cached, device

CATS = range(281, 286)  # ImageNet's tabby, tiger cat, Persian cat, Siamese cat, Egyptian cat
POSTER = {"real": 74.6, "32": 52.0, "64": 92.1, "people": 30.0}  # the poster's rates, in per cent
IMAGENET_SIDE = 224  # pixels: what ImageNet's networks were trained on

# ---- players


def connected(size, nz=100, width=512):
    """(G, D) without convolutions: z [N, nz, 1, 1] → [N, 3, size, size] in [−1, 1], and x → logits [N]."""
    pixels = 3 * size * size
    G = nn.Sequential(nn.Flatten(), nn.Linear(nz, width), nn.LeakyReLU(0.2), nn.Linear(width, width),
                      nn.BatchNorm1d(width), nn.LeakyReLU(0.2), nn.Linear(width, pixels), nn.Tanh(),
                      nn.Unflatten(1, (3, size, size)))
    D = nn.Sequential(nn.Flatten(), nn.Linear(pixels, width), nn.LeakyReLU(0.2), nn.Dropout(0.3),
                      nn.Linear(width, width // 2), nn.LeakyReLU(0.2), nn.Dropout(0.3), nn.Linear(width // 2, 1),
                      nn.Flatten(0))
    return G, D


# ---- judges


def noise(count, size):
    """Images of nothing: every pixel drawn uniformly, uint8 [count, 3, size, size]."""
    return torch.randint(0, 256, (count, 3, size, size), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)


def dogs(count, size):
    """CIFAR-10's dogs, uint8 [count, 3, size, size]; None where only its stand-in is to be had."""
    images = data.cifar10()
    if images.sample:
        return None
    found = (images.train_labels == list(images.classes).index("dog")).nonzero().flatten()[:count]
    return resized(images.train_images[found], size)


@torch.no_grad()
def pooled_features(network, images):
    """What a judge sees: float32 [N, F], its last feature map averaged, of uint8 [N, 3, H, W] at 224 × 224."""
    pooled = nets.PooledFeatures(network)

    def compute():
        return torch.cat([pooled(judge_input(part)).cpu() for part in images.split(50)])

    return cached("cats-features", [], compute)


def judge_input(images):
    """uint8 [N, 3, H, W] as ImageNet's networks take them."""
    return nets.to_input(resized(images, IMAGENET_SIDE))


def cat_numbers(network, generated, real, cat_rate, kernel_inception_distance):
    """The judge's numbers for generated images against as many real ones: a dict of floats.

    generated: uint8 [n, 3, H, W];  real: uint8 [≥ 2 n, 3, H, W], the second n of them say how far real is from real
    """
    first, second = real[:len(generated)], real[len(generated):2 * len(generated)]
    seen, there, others = (pooled_features(network, images) for images in (generated, first, second))
    return {
        "cat_rate": cat_rate(network, generated), "frechet": frechet(there, seen),
        "kernel": float(kernel_inception_distance(there, seen)), "floor": frechet(there, others),
        "kernel_floor": float(kernel_inception_distance(there, others)),
        "nearest": nearest_images(generated, second)[0].mean().item(),
        "nearest_real": nearest_images(first, second)[0].mean().item(),
    }


def measures_table(measured, real_rate):
    """A Table of games: mean ± standard deviation over the seeds; in the last line the same for real images.

    measured:   {name: [what `cat_numbers` gives]}
    real_rate:  share of real images of that size that the judge calls cats
    """
    def several(runs, key):
        mean, sd = mean_sd([run[key] for run in runs])
        return f"{mean:.1f} ± {sd:.1f}" if len(runs) > 1 else f"{mean:.1f}"

    rows = [[name, len(runs), several(runs, "frechet"), several(runs, "kernel"),
             percent([run["cat_rate"] for run in runs]), several(runs, "nearest")] for name, runs in measured.items()]
    one = next(iter(measured.values()))[:1]
    rows.append(["real images", "", several(one, "floor"), several(one, "kernel_floor"), percent(real_rate),
                 several(one, "nearest_real")])
    return show.Table(["game", "seeds", "Fréchet distance", "kernel distance", "called a cat",
                       "to the nearest real one"], rows)


def poster_table(rates):
    """A Table of the poster's rates beside ours. rates: {name: share called a cat}, as in results/tp12.json"""
    def ours(name):
        return percent(rates[name]) if name in rates else "not measured in this profile"

    return show.Table(["called a cat", "the poster, %", "here"], [
        ["real images", f"{POSTER['real']}", ours("real cats, 64 × 64")],
        ["real images of 32 × 32", "—", ours("real cats, 32 × 32")],
        ["generated, 32 × 32", f"{POSTER['32']}", ours("DCGAN")],
        ["generated, 64 × 64", f"{POSTER['64']}", ours("DCGAN, 64 × 64")],
        ["people fooled by generated images", f"{POSTER['people']}", "the quiz below counts yours"],
    ])


# ---- the nearest neighbour


def nearest_images(images, among, batch_size=250):
    """(distances float32 [N], indices int64 [N]) of the nearest of `among` for each image.

    Images uint8 [N, C, H, W]; the distance: root mean squared difference of the pixels at 16 × 16, in grey levels.
    """
    def small(pictures):
        return F.interpolate(pictures.to(device()).float(), size=16, mode="area").flatten(1)

    known = small(among)
    found = [torch.cdist(small(part), known).min(1) for part in images.split(batch_size)]
    scale = known.shape[1] ** 0.5
    return torch.cat([one.values for one in found]).cpu() / scale, torch.cat([one.indices for one in found]).cpu()


def neighbours_figure(images, among, title):
    """Above some images, below the nearest of `among`, with the distance."""
    distances, indices = nearest_images(images, among)
    titles = [""] * len(images) + [f"{value:.0f}" for value in distances]
    return show.grid(torch.cat([images, among[indices]]), titles, columns=len(images), size=0.9, title=title)


def surest_cats(network, images, count=12):
    """(images, cat's probability [count]) that the judge takes for cats most surely."""
    with torch.no_grad():
        scores = torch.cat([network(judge_input(part)).softmax(1).cpu() for part in images.split(50)])
    probability, order = scores[:, list(CATS)].sum(1).sort(descending=True)
    return images[order[:count]], probability[:count]
