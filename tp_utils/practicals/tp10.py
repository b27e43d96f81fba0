"""Helper of TP 10: grids of conditional samples, directions in latent space, the explorer's figure."""

from functools import lru_cache

import torch

from .. import show
from ..measure import mean_sd, percent
from ..nets import images_of
from ..show import widgets

CLASSES = 10


def samples_figure(G, nz=100, columns=10, title="G(z, y)"):
    """A figure in which a column shares its latent and a row its label.

    G: conditional generator, from (z [n, nz, 1, 1], y int64 [n]) to images in [−1, 1]
    """
    z = torch.randn(columns, nz, 1, 1, generator=torch.Generator().manual_seed(0))
    images = images_of(G, z.repeat(CLASSES, 1, 1, 1), torch.arange(CLASSES).repeat_interleave(columns))
    side = images.shape[-1] + 1
    fig, axis = show.figure(width=0.36 * columns + 0.7, height=0.36 * CLASSES + 0.7)
    show.draw(axis, show.mosaic(images, columns))
    axis.set(xticks=[side * (i + 0.5) for i in range(columns)], yticks=[side * (i + 0.5) for i in range(CLASSES)],
             xticklabels=range(1, columns + 1), yticklabels=range(CLASSES), xlabel="latent z", ylabel="asked digit y",
             title=title)
    axis.grid(False)
    return fig


def directions(G, nz=100, label=0):
    """The two orthogonal directions of latent space [2, nz] along which the images of a label change most.

    The best linear map from 1000 latents to their images (least squares); its first right singular vectors.
    """
    z = torch.randn(1000, nz, 1, 1, generator=torch.Generator().manual_seed(0))
    images = images_of(G, z, torch.full((1000,), label)).flatten(1).float()
    linear = torch.linalg.lstsq(z.flatten(1), images - images.mean(0)).solution
    return torch.linalg.svd(linear.T, full_matrices=False).Vh[:2]


def explorer(G, nz=100):
    """A widget: the asked digit, large, and what the same latent gives for every digit.

    Two sliders move the latent along the directions in which the asked digit changes most, in tenths of a standard
    deviation.
    """
    @lru_cache
    def found(digit):
        return directions(G, nz, label=digit)

    def draw(digit, first_direction, second_direction, seed):
        z = torch.randn(nz, generator=torch.Generator().manual_seed(seed))
        z = z + torch.tensor([first_direction / 10, second_direction / 10]) @ found(digit)
        images = images_of(G, z.view(1, nz, 1, 1).expand(CLASSES, -1, -1, -1), torch.arange(CLASSES))
        fig, (large, all_of_them) = show.figure(1, 2, 8, 2.4, width_ratios=(1, 3))
        for axis, image, title in ((large, images[digit], f"y = {digit}"),
                                   (all_of_them, show.mosaic(images, 5), f"the same z, y = 0 to {CLASSES - 1}")):
            show.draw(axis, image)
            axis.axis("off")
            axis.set_title(title)
        return fig

    return widgets.explore(draw, digit=[(str(k), k) for k in (3, *(k for k in range(CLASSES) if k != 3))],
                           first_direction=(-40, 40, 1, 0), second_direction=(-40, 40, 1, 0), seed=(0, 20, 1, 0))


def games_table(games):
    """The table of the games in results/tp10.json: mean ± standard deviation over the seeds."""
    rows = []
    for name, game in games.items():
        runs = game["runs"]
        mean, sd = mean_sd([run["frechet"] for run in runs])
        rows.append([name, f"{game['steps']} of {game['batch_size']}", percent([run["read_as_asked"] for run in runs]),
                     f"{mean:.1f} ± {sd:.1f}", f"{mean_sd([run['diversity'] for run in runs])[0]:.2f}"])
    rows.append(["real images", "", "", f"{mean_sd([run['floor'] for run in runs])[0]:.2f}", "1"])
    return show.Table(["game", "steps, images", "read as asked", "Fréchet distance", "diversity in a class"], rows)
