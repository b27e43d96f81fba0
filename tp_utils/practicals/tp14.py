"""Helper of TP 14: the discriminator, what a run has learnt, and the figures and numbers of the three models."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from .. import nets, show
from ..data.imageset import resized
from ..measure import accuracy, frechet, judge, mean_sd, percent
from ..nets import images_of
from ..runtime import cached, device, expect
from ..show import widgets
from ..training import Run
from ..training.game import FRESH

IMAGE_SIDE = 32  # pixels: the side of all images here
LEAST = 64  # images of a set without test images: of the fifth that is put aside, 12 are shown

TOO_FEW = "{count} images are too few: TP 14 needs {least}, of which it holds out a fifth"  # said to the reader


def images_and_held(data):
    """(train images, train labels, held-out images, held-out labels) of a data set, uint8 [N, C, 32, 32] and int64 [N].

    A set without test images gives up its last fifth. Raises ValueError for one that has too few for that.
    """
    images, labels = resized(data.train_images, IMAGE_SIDE), data.train_labels
    if len(data.test_images):
        return images, labels, resized(data.test_images, IMAGE_SIDE), data.test_labels
    if len(images) < LEAST:
        expect.refuse(TOO_FEW, count=len(images), least=LEAST)
    kept = len(images) * 4 // 5
    return images[:kept], labels[:kept], images[kept:], labels[kept:]


class FeatureDiscriminator(nn.Module):
    """x [N, channels, 32, 32] in [−1, 1] → logits [N];  features: x → [N, F], what it has after two of three blocks."""

    def __init__(self, channels=1, width=32):
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.BatchNorm2d(outputs), nn.LeakyReLU(0.2)]

        self.below = nn.Sequential(nn.Conv2d(channels, width, 4, 2, 1), nn.LeakyReLU(0.2), *block(width, 2 * width))
        self.above = nn.Sequential(*block(2 * width, 4 * width), nn.Flatten(), nn.Linear(4 * width * 16, 1),
                                   nn.Flatten(0))

    def features(self, x):
        return self.below(x).flatten(1)

    def forward(self, x):
        return self.above(self.below(x))


@dataclass
class Model:
    """What a run of a VAE, GAN or VAE-GAN has learnt: its decoder G and its encoder E, which a GAN has not (None).

    run: what tp.train returned;  nz: the length of its latents
    """

    run: Run
    nz: int

    @property
    def G(self):
        return self.run.networks["G"]

    @property
    def E(self):
        return self.run.networks.get("E")

    def decode(self, z):
        """uint8 [N, C, 32, 32], on the CPU, of latents float32 [N, nz]."""
        return images_of(self.G, z)

    def generate(self, count, seed=0):
        """uint8 [count, C, 32, 32]: images of latents from N(0, 1)."""
        return self.decode(torch.randn(count, self.nz, generator=torch.Generator().manual_seed(seed + FRESH)))

    @torch.no_grad()
    def encode(self, images):
        """The means float32 [N, nz], on the CPU, of images uint8 [N, C, 32, 32]."""
        self.E.eval()
        return torch.cat([self.E(part.to(device()).float() / 127.5 - 1)[0].cpu() for part in images.split(500)])

    def reconstruct(self, images):
        """uint8 [N, C, 32, 32]: what comes back of images."""
        return self.decode(self.encode(images))


# ---- the latent plane

EXTENT = 2.5  # standard deviations of the prior that are drawn, either way


def plane_mosaic(model, count):
    """The images of count × count places of the latent plane, as one image [C, H, W]; the first row is the top."""
    places = torch.linspace(-EXTENT, EXTENT, count)
    z = torch.cartesian_prod(-places, places).flip(1)  # from the top down, from left to right: (z₁, z₂)
    return show.mosaic(model.decode(z), count, gap=0)


def plane_figure(model, images, labels):
    """A figure: where the encoder puts images of each class, and what the decoder draws everywhere."""
    means = model.encode(images)
    fig, (left, right) = show.figure(1, 2, 10, 4.6)
    picture = left.scatter(*means.T, c=labels, cmap="tab10", s=5, vmin=-0.5, vmax=9.5)
    fig.colorbar(picture, ax=left, ticks=range(10), label="class")
    left.set(xlabel="z₁", ylabel="z₂", title="Means of test images", xlim=(-4, 4), ylim=(-4, 4), aspect="equal")
    draw_plane(right, model, "What is drawn there")
    return fig


def draw_plane(axis, model, title, count=15):
    """The decoder's images over the latent plane, on an axis."""
    edge = EXTENT * count / (count - 1)  # the middle of the outermost images is at EXTENT
    axis.imshow(show.drawable(plane_mosaic(model, count)), cmap="gray", extent=[-edge, edge] * 2)
    axis.set(xlabel="z₁", ylabel="z₂", title=title)
    axis.grid(False)


def plane_explorer(model):
    """A widget: two sliders move through the latent plane, in tenths of a standard deviation."""
    def draw(z1, z2):
        place = torch.tensor([[z1, z2]]) / 10
        fig, (left, right) = show.figure(1, 2, 7, 3.4)
        draw_plane(left, model, "the latent plane")
        left.plot(*place.T, "+", color=show.COLOURS[1], markersize=16, markeredgewidth=3)
        show.draw(right, model.decode(place)[0])
        right.axis("off")
        right.set_title(f"G({z1 / 10:.1f}, {z2 / 10:.1f})")
        return fig

    return widgets.explore(draw, z1=(-25, 25, 1, 0), z2=(-25, 25, 1, 0))


# ---- blur


def moved(images, right, down=0):
    """Images moved by whole pixels; what comes in is what was at the edge."""
    wide = F.pad(images.float(), [4] * 4, mode="replicate")
    height, width = images.shape[-2:]
    return wide[..., 4 - down:4 - down + height, 4 - right:4 - right + width].round().byte()


def blurred(images):
    """Images under a Gaussian of standard deviation 1.5 pixels."""
    from torchvision.transforms.functional import gaussian_blur

    return gaussian_blur(images, [9, 9], [1.5, 1.5])


def doubt_figure(image):
    """A figure: an image [C, H, W] moved to either side, and the mean of all that."""
    steps = range(-2, 3)
    every = torch.cat([moved(image[None], step) for step in steps])
    mean = every.float().mean(0, keepdim=True).round().byte()
    return show.grid(torch.cat([every, mean]), [*(f"{step:+d}" for step in steps), "their mean"], columns=6, size=1.1,
                     title="One digit at five places (pixels to the right), and the mean")


def judge_features(images):
    """What a judge sees, float32 [N, F]: that of the digits for grey images, the embedded SqueezeNet for colours."""
    if images.shape[1] == 1:
        return judge.opinion(images)[0]
    pooled = nets.PooledFeatures(nets.pretrained(nets.EMBEDDED))
    with torch.no_grad():
        return torch.cat([pooled(nets.to_input(resized(part, 224))).cpu() for part in images.split(50)])


def change_distances(images):
    """{change: {"pixels", "features"}}: mean squared distances of images uint8 [N, C, 32, 32] from changed ones."""
    changes = {"moved by two pixels": moved(images, 2), "blurred": blurred(images), "another image": images.roll(1, 0)}
    seen = judge_features(images)
    return {name: {"pixels": ((images.float() - other.float()) / 127.5).pow(2).mean().item(),
                   "features": (seen - judge_features(other)).pow(2).mean().item()} for name, other in changes.items()}


def similarity_table(images):
    """The Table of `change_distances`, each also as a share of the distance to another image."""
    found = change_distances(images)
    other = found["another image"]
    return show.Table(["change", "squared error of pixels", "of the judge's features"], [
        [name, *(f"{values[key]:.2f} ({values[key] / other[key]:.0%})" for key in ("pixels", "features"))]
        for name, values in found.items()])


# ---- the three models in numbers


def model_numbers(model, held, count):
    """A dict of numbers of a model, in the judge's features; `held` are 2 · count images that it has not seen.

    frechet, floor: of generated images, and of the second half of `held`, both against the first half. With an encoder:
    pixels, features: mean squared error of reconstructions; read_alike: share that the judge reads as it reads x
    """
    first, second = held[:count], held[count:2 * count]
    generated, back = model.generate(count), model.reconstruct(first) if model.E else None

    def compute():
        there = judge_features(first)
        found = {"frechet": frechet(there, judge_features(generated)), "floor": frechet(there, judge_features(second))}
        if back is None:
            return found
        found |= {"pixels": ((first.float() - back.float()) / 127.5).pow(2).mean().item(),
                  "features": (there - judge_features(back)).pow(2).mean().item()}
        if held.shape[1] == 1:
            found["read_alike"] = accuracy(*(judge.opinion(images)[1].argmax(1) for images in (back, first)))
        return found

    return cached("vae-gan-numbers", [], compute)


def models_table(every):
    """The Table of models: mean ± standard deviation over the seeds. every: {name: [what `model_numbers` gives]}"""
    def several(runs, key, form):
        if key not in runs[0]:
            return "—"
        mean, sd = mean_sd([run[key] for run in runs])
        return form.format(mean) + (f" ± {form.format(sd)}" if len(runs) > 1 else "")

    rows = [[name, len(runs), several(runs, "frechet", "{:.1f}"), several(runs, "pixels", "{:.3f}"),
             several(runs, "features", "{:.3f}"),
             percent([run["read_alike"] for run in runs]) if "read_alike" in runs[0] else "—"]
            for name, runs in every.items()]
    floor = next(iter(every.values()))[:1]
    return show.Table(["model", "seeds", "Fréchet distance", "reconstruction: squared error of pixels", "of features",
                       "read as the same digit"], [*rows, ["real images", "", several(floor, "floor", "{:.2f}"),
                                                           "0", "0", "100 %"]])


# ---- latent space


def walk_figure(model, ends, title, steps=10):
    """A figure: from one image to another, [2, C, 32, 32]: by the pixels above, by the latents below."""
    share = torch.linspace(0, 1, steps)
    first, last = model.encode(ends)
    pixels = torch.stack([((1 - s) * ends[0] + s * ends[1]).round().byte() for s in share])
    latents = model.decode(torch.stack([(1 - s) * first + s * last for s in share]))
    return show.grid(torch.cat([pixels, latents]), columns=steps, size=0.8, title=title)


def slant(images):
    """How far ink moves to the right per pixel upwards: float64 [N], of uint8 [N, C, H, W] on a dark ground."""
    ink = images.double().mean(1)
    height, width = ink.shape[-2:]
    y, x = torch.meshgrid(torch.arange(height, 0, -1.0).double(), torch.arange(float(width)).double(), indexing="ij")
    total = ink.sum((1, 2)).clamp_min(1)
    dx, dy = (axis - ((ink * axis).sum((1, 2)) / total)[:, None, None] for axis in (x, y))
    return (ink * dx * dy).sum((1, 2)) / (ink * dy * dy).sum((1, 2)).clamp_min(1)


def brightness(images):
    """Mean over an image's pixels, in grey levels: float64 [N]. Of digits: how thick their strokes are."""
    return images.double().flatten(1).mean(1)


def direction(model, images, attribute):
    """What to add to a latent for more of an attribute (slant, brightness …): float32 [nz].

    The mean latent of the fifth of the images that has most of it, minus that of the fifth that has least.
    """
    order, z = attribute(images).argsort(), model.encode(images)
    fifth = len(order) // 5
    return z[order[-fifth:]].mean(0) - z[order[:fifth]].mean(0)


AMOUNTS = (-1, -0.5, 0, 0.5, 1)  # times the direction


def attributes_figure(model, images, shown, names=(slant, brightness)):
    """A figure: the images `shown` with less and more of each attribute, directions taken from `images`."""
    fig, axes = show.figure(1, len(names), 5 * len(names), 0.62 * len(shown) + 0.4)
    for axis, attribute in zip(axes, names, strict=True):
        added, z = direction(model, images, attribute), model.encode(shown)
        rows = torch.stack([model.decode(z + amount * added) for amount in AMOUNTS], dim=1).flatten(0, 1)
        show.draw(axis, show.mosaic(rows, len(AMOUNTS)))
        side = IMAGE_SIDE + 1
        axis.set(xticks=[side * (k + 0.5) for k in range(len(AMOUNTS))], xticklabels=[f"{a:+g}" for a in AMOUNTS],
                 yticks=[], xlabel="times the direction", title=f"more {attribute.__name__}")
        axis.grid(False)
    return fig


def slant_added(model, images):
    """{amount: mean slant of the images with so much of the direction added}, for results/."""
    added, z = direction(model, images, slant), model.encode(images)
    return {str(amount): slant(model.decode(z + amount * added)).mean().item() for amount in AMOUNTS}
