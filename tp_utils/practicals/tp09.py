"""TP 9: what the notebook needs besides the core: the lecture's game in one dimension, and its figures."""

import math
import statistics
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from .. import show
from ..measure import mean_sd
from ..nets import images_of
from ..training import update

TURNS = {"start": "before the game", "D": "D has moved", "G": "G has moved"}  # titles of the film
FRAME = "step {step}: {turn}"
OF_D, OF_G = (show.COLOURS[0], show.COLOURS[6], *show.COLOURS[1:5]), (show.COLOURS[4],)  # the colours of each player

# ---- Part 0: the game in one dimension. All of it runs on the CPU: the networks are tiny.

MODES, SPREAD = (-2.0, 2.0), 0.5  # p_data: an equal mixture of two Gaussians, their means and standard deviation
GRID = torch.linspace(-6, 6, 241)  # the values x at which densities and D are drawn
QUANTILES = (torch.arange(1000) + 0.5) / 1000
FIXED_Z = torch.distributions.Normal(0, 1).icdf(QUANTILES)[:, None]  # 1000 latents that stand for p_z, without chance
FIXED_X = torch.cat([mode + SPREAD * FIXED_Z[::2] for mode in MODES])  # 1000 values that stand for p_data


def sample_x(n, generator):
    """n real values x from p_data: float32 [n, 1]."""
    modes = torch.tensor(MODES)[torch.randint(len(MODES), (n, 1), generator=generator)]
    return modes + SPREAD * torch.randn(n, 1, generator=generator)


class Shift(nn.Sequential):
    """A G that moves its latent: x̃ = z + layers(z)."""

    def forward(self, z):
        return z + super().forward(z)


def players(seed, width=32):
    """(G, D), untrained: G from z [n, 1] to x̃ [n, 1], at first G(z) = z; D from values [n, 1] to logits [n]."""
    def layers():
        return (nn.Linear(1, width), nn.LeakyReLU(0.2), nn.Linear(width, width), nn.LeakyReLU(0.2), nn.Linear(width, 1))

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        G, D = Shift(*layers()), nn.Sequential(*layers(), nn.Flatten(0))
    nn.init.zeros_(G[-1].weight)
    nn.init.zeros_(G[-1].bias)
    return G, D


@dataclass
class Moment:
    """One look at the game: after whose turn ("start", "D", "G"), x̃ of FIXED_Z [1000], D(x) at GRID [241], losses."""

    step: int
    turn: str
    fake: torch.Tensor
    D: torch.Tensor
    loss_D: float
    loss_G: float


@torch.no_grad()
def look(G, D, step, turn):
    """A Moment of the game."""
    fake = G(FIXED_Z)
    loss_D = -F.logsigmoid(D(FIXED_X)).mean() - F.logsigmoid(-D(fake)).mean()
    loss_G = -F.logsigmoid(D(fake)).mean()
    return Moment(step, turn, fake[:, 0], D(GRID[:, None]).sigmoid(), loss_D.item(), loss_G.item())


def play(steps, nb_update_D=1, nb_update_G=1, batch_size=128, learning_rate=2e-3, look_every=1, seed=0):
    """Algorithm 1 of Goodfellow et al. 2014 (arXiv:1406.2661) in one dimension; returns a list of Moments.

    nb_update_D, nb_update_G: updates of each player in a step; nb_update_G=0 leaves G as it is, G(z) = z
    look_every:               steps between two looks; each is one Moment after D's turn and one after G's
    """
    G, D = players(seed)
    optimiser_D, optimiser_G = (torch.optim.Adam(network.parameters(), learning_rate, betas=(0.5, 0.999), fused=True)
                                for network in (D, G))
    generator = torch.Generator().manual_seed(seed)
    film = [look(G, D, 0, "start")]
    for step in range(1, steps + 1):
        for _ in range(nb_update_D):  # D's turn: x should be called real, x̃ should not
            x, z = sample_x(batch_size, generator), torch.randn(batch_size, 1, generator=generator)
            loss_D = -F.logsigmoid(D(x)).mean() - F.logsigmoid(-D(G(z).detach())).mean()
            update(optimiser_D, loss_D)
        if step % look_every == 0:
            film.append(look(G, D, step, "D"))
        for _ in range(nb_update_G):  # G's turn: x̃ should be called real
            z = torch.randn(batch_size, 1, generator=generator)
            loss_G = -F.logsigmoid(D(G(z))).mean()
            update(optimiser_G, loss_G)
        if step % look_every == 0:
            film.append(look(G, D, step, "G"))
    return film


def gaussian_density(x, mean, sd):
    """The density of a Gaussian."""
    return torch.distributions.Normal(mean, sd).log_prob(x).exp()


def p_data(x):
    """The density of the data, of any shape."""
    return sum(gaussian_density(x, mode, SPREAD) for mode in MODES) / len(MODES)


def p_G(fake, bandwidth=0.15):
    """G's density at the values of GRID [241], estimated from x̃ [n]: a narrow Gaussian around each."""
    return gaussian_density(GRID[:, None], fake, bandwidth).mean(1)


def shares(fake):
    """The share of x̃ [n] within three standard deviations of each of the two Gaussians: float32 [2]."""
    return ((fake[:, None] - torch.tensor(MODES)).abs() < 3 * SPREAD).float().mean(0)


def best_answer(of_G):
    """D*(x) = p_data / (p_data + p_G) at the values of GRID [241]; nan where there is next to nothing to judge."""
    both = p_data(GRID) + of_G
    return torch.where(both > 1e-2, p_data(GRID) / both, torch.nan)


def width(values):
    """How far apart the 10th and the 90th percentile of values [n] are."""
    return (values.quantile(0.9) - values.quantile(0.1)).item()


def collapse(film):
    """Three numbers for mode collapse, from the looks after G's turns.

    Second half of the game: the share of looks at which a Gaussian gets less than 10 % of x̃, and the median width of x̃.
    Whole game: how often the Gaussian that gets more was another one than before, where one was left out.
    """
    fakes = [moment.fake for moment in film if moment.turn == "G"]
    both = torch.stack([shares(fake) for fake in fakes])
    out, half = both.amin(1) < 0.1, len(fakes) // 2
    changes = (both.argmax(1)[out].diff() != 0).sum().item()
    return out[half:].float().mean().item(), statistics.median(map(width, fakes[half:])), changes


def lines(axis, x, series, xlabel, ylabel, title, colours=show.COLOURS, **options):
    """Curves over x on an axis. series: {label: values}, told apart by colour and by stroke."""
    for (label, values), colour, stroke in zip(series.items(), colours, ("-", "--", ":", "-."), strict=False):
        axis.plot(x, values, stroke, color=colour, label=label)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title, **options)
    axis.legend(frameon=False)


def draw_densities(axis, of_G, title):
    """p_data and G's density [241] on an axis."""
    axis.fill_between(GRID, p_data(GRID), color="0.8", label="p_data")
    lines(axis, GRID, {"p_G": of_G}, "value x", "density", title, OF_G, ylim=(0, 0.9))


def film_frames(film):
    """The game as a film, float32 [T, 3, H, W] in [0, 1]: densities, D beside its best answer, the losses so far."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    fig, (left, middle, right) = show.figure(1, 3, 10, 2.8)
    canvas = FigureCanvasAgg(fig)
    losses = torch.tensor([[moment.loss_D, moment.loss_G] for moment in film])
    draw_densities(left, p_G(film[0].fake), " ")
    lines(middle, GRID, {"D": film[0].D, "best answer": best_answer(p_G(film[0].fake))}, "value x", "D(x)",
          "D and the best answer to this G", OF_D, ylim=(-0.05, 1.3), yticks=(0, 0.5, 1))
    lines(right, range(len(film)), {"D": losses[:, 0], "G": losses[:, 1]}, "turns played", "loss", "Losses",
          OF_D[:1] + OF_G, ylim=(0, 1.2 * losses.max()))
    for level, name in ((math.log(2), "ln 2"), (math.log(4), "ln 4")):
        right.axhline(level, color="0.5", linewidth=0.8)
        right.text(len(film), level, name, ha="right", va="bottom", color="0.3")

    moving = [left.title, *left.lines, *middle.lines, *right.lines[:2]]  # the rest is drawn once for all frames
    for artist in moving:
        artist.set_animated(True)
    canvas.draw()
    still, frames = canvas.copy_from_bbox(fig.bbox), []
    for t, moment in enumerate(film):
        left.set_title(FRAME.format(step=moment.step, turn=TURNS[moment.turn]))
        of_G = p_G(moment.fake)
        for line, values in zip(moving[1:4], (of_G, moment.D, best_answer(of_G)), strict=True):
            line.set_ydata(values)
        for line, values in zip(moving[4:], losses.T, strict=True):
            line.set_data(range(t + 1), values[:t + 1])
        canvas.restore_region(still)
        for artist in moving:
            artist.axes.draw_artist(artist)
        frames.append(torch.tensor(np.asarray(canvas.buffer_rgba())[..., :3]).permute(2, 0, 1) / 255)
    return torch.stack(frames)


def draw_history(axis, film, title):
    """What G made, over the steps of the game: the share of x̃ in each of 60 intervals of x as colour."""
    every = [moment for moment in film if moment.turn != "D"]
    counts = torch.stack([torch.histc(moment.fake, 60, -6, 6) for moment in every], dim=1) / len(FIXED_Z)
    picture = axis.imshow(counts, cmap=show.MAP, vmin=0, vmax=0.2, origin="lower", aspect="auto",
                          extent=(0, every[-1].step, -6, 6))
    for mode in MODES:
        axis.axhline(mode, color="white", linestyle=":", linewidth=0.8)
    axis.set(xlabel="step", ylabel="x̃", title=title)
    axis.grid(False)
    return picture


# ---- Part 1


def layers_table(G, z, D, x):
    """A Table: the shape after each layer that has weights, on the way from z through G and from x through D."""
    rows = [*layers(G, z, "G"), *layers(D, x, "D")]
    return show.Table(["player", "layer", "output [N, C, H, W]", "weights"], rows)


@torch.no_grad()
def layers(network, inputs, player):
    """[player, layer, shape of its output, number of its weights] of the layers that have weights, as they are used."""
    rows = []

    def note(module, _, output):
        rows.append([player, type(module).__name__, str(["N", *output.shape[1:]]).replace("'", ""),
                     f"{sum(weight.numel() for weight in module.parameters()):,}"])

    own = [module for module in network.modules() if module._parameters and not list(module.children())]
    hooks = [module.register_forward_hook(note) for module in own]
    network(inputs)
    for hook in hooks:
        hook.remove()
    return rows


def experiments_table(measured, report):
    """A Table of experiments: mean ± standard deviation over the seeds (without ± for a single one), and the report.

    measured: {experiment: [numbers of tp.health.of, one dict per seed]};  report: {experiment: word}
    """
    rows = []
    for name, runs in measured.items():
        mean, sd = mean_sd([run["frechet"] for run in runs])
        rows.append([name, len(runs), f"{mean:.1f} ± {sd:.1f}" if len(runs) > 1 else f"{mean:.1f}",
                     *(f"{mean_sd([run[key] for run in runs])[0]:.2f}" for key in ("coverage", "diversity")),
                     min(len(run["covered"]) for run in runs), report.get(name, "—")])
    real = measured["default"]
    rows.append(["real images", "", f"{mean_sd([run['floor'] for run in real])[0]:.2f}",
                 f"{mean_sd([run['real']['coverage'] for run in real])[0]:.2f}", "1", 10, ""])
    return show.Table(["experiment", "seeds", "Fréchet distance", "coverage", "diversity", "classes covered (worst)",
                       "the report"], rows)


def spherical(z0, z1, steps):
    """Latents on the great arc from z0 to z1 (norms go over linearly): [nz, 1, 1] twice → [steps, nz, 1, 1]."""
    share = torch.linspace(0, 1, steps, device=z0.device).view(-1, 1, 1, 1)
    a, b = z0 / z0.norm(), z1 / z1.norm()
    angle = torch.acos((a * b).sum().clamp(-1, 1))
    direction = (torch.sin((1 - share) * angle) * a + torch.sin(share * angle) * b) / torch.sin(angle)
    return direction * ((1 - share) * z0.norm() + share * z1.norm())


def walks_figure(game, lines, arcs):
    """A figure: images along straight lines and along arcs (latents [n, nz, 1, 1], ten to a walk), and their norms."""
    fig, (left, middle, right) = show.figure(1, 3, 11, 2.2, width_ratios=(3, 3, 2))
    for axis, latents, title in ((left, lines, "straight line"), (middle, arcs, "arc")):
        show.draw(axis, show.mosaic(images_of(game.average, latents), columns=10))
        axis.axis("off")
        axis.set_title(title)
    for latents, style, label in ((lines, "-", "straight line"), (arcs, "--", "arc")):
        for walk in latents.flatten(1).norm(dim=1).cpu().view(-1, 10):
            right.plot(range(1, 11), walk, style, color=show.COLOURS[style == "--"], label=label)
            label = None
    right.set(xlabel="image of the walk", ylabel="‖z‖", ylim=(0, None), title="Norm of the latents")
    right.legend(frameon=False)
    return fig


def nearest(images, among):
    """(distances float [n], indices int64 [n]) of the nearest image, by L2 over pixels in [0, 1].

    images: uint8 [n, C, H, W];  among: uint8 [N, C, H, W]
    """
    distances = torch.cdist(images.flatten(1).float() / 255, among.flatten(1).float() / 255)
    return tuple(distances.min(1))
