"""The figures of TP 11: curves, features in a plane, codes, distances of distributions, thresholds, gradients."""

import torch
from torch import nn
from torch.nn import functional as F

from ... import show
from ...nets import images_of
from ...runtime import seed
from ...show import widgets
from .cases import DRAWS, Case


def accuracies_figure(classifiers, title):
    """A figure: the test accuracies of classifiers on their way; {name: Classifier}."""
    fig, axis = show.figure(width=6)
    for (name, made), style in zip(classifiers.items(), ("--", "-", "-.", ":"), strict=False):
        axis.plot(*zip(*made.curve, strict=True), style, marker="o", label=f"{name}, last: {made.curve[-1][1]:.1%}")
    axis.set(xlabel="step", ylabel="test accuracy", title=title)
    axis.legend(frameon=False)
    return fig


def explore_draws(cnn, digits, draw_labels, augment, steps):
    """A widget: seed, draw and number of labels → the test curves of the CNN, plain and augmented.

    cnn: a row, a function of (Case, steps);  draw_labels, augment: exercises 11.1 and 11.2
    """
    def curves(drawn, labels, seed):
        asked = {"per_class": labels // 10} if drawn == "balanced" else {"n": labels}
        chosen = draw_labels(digits.train_labels, **asked, generator=torch.Generator().manual_seed(seed))
        ways = {"plain": None, "augmented": augment}
        made = {name: cnn(Case(digits, chosen, f"{drawn}-{labels}", seed, way), steps) for name, way in ways.items()}
        return accuracies_figure(made, f"CNN, {labels} labels, {drawn} draw, seed {seed}")

    return widgets.explore(curves, drawn=list(DRAWS), labels=[100, 10, 20, 50, 200, 500, 1000], seed=(0, 9, 1, 0))


def tsne_figure(features, labels, title):
    """A figure: features [N, F] by t-SNE (van der Maaten and Hinton 2008), coloured by labels that it has not seen."""
    from sklearn.decomposition import PCA
    from sklearn.manifold import TSNE

    compact = PCA(min(50, *features.shape), random_state=0).fit_transform(features.numpy())
    places = TSNE(perplexity=min(30, len(features) / 4), random_state=0, init="pca").fit_transform(compact)
    fig, axis = show.figure(width=4.6, height=4.2)
    picture = axis.scatter(*places.T, c=labels, cmap="tab10", s=5, vmin=-0.5, vmax=9.5)
    fig.colorbar(picture, ax=axis, ticks=range(10), label="class")
    axis.set(xticks=[], yticks=[], xlabel="t-SNE 1", ylabel="t-SNE 2", title=title)
    return fig


def codes_figure(game, latents=8, codes=10):
    """A figure: a column per code of InfoGAN, a row per latent."""
    z = game.latent(latents, torch.Generator().manual_seed(0))[:, None].repeat(1, codes, 1, 1, 1)
    z[:, :, -codes:] = torch.eye(codes)[None, :, :, None, None]
    images = images_of(game.average, z.flatten(0, 1))
    fig, axis = show.figure(width=4.6, height=4.0)
    show.draw(axis, show.mosaic(images, codes))
    side = images.shape[-1] + 1
    axis.set(xticks=[side * (k + 0.5) for k in range(codes)], xticklabels=range(codes), yticks=[], xlabel="code",
             ylabel="latent", title="InfoGAN: a column per code")
    axis.grid(False)
    return fig


def divergences_figure():
    """A figure: KL, JS and Wasserstein distance of two Gaussians N(0, 0.1²) and N(d, 0.1²) against d."""
    gaps, sigma = torch.linspace(0, 2, 201, dtype=torch.double), 0.1
    x = torch.linspace(-1, 3, 8001, dtype=torch.double)
    p = torch.distributions.Normal(0, sigma).log_prob(x)

    def shannon(gap):
        q = torch.distributions.Normal(gap, sigma).log_prob(x)
        middle = torch.logaddexp(p, q) - torch.log(torch.tensor(2.0))
        return torch.trapezoid(0.5 * p.exp() * (p - middle) + 0.5 * q.exp() * (q - middle), x)

    fig, axis = show.figure(width=6)
    axis.plot(gaps, gaps**2 / (2 * sigma**2), label="KL: d² / 2σ², leaves the picture")
    axis.plot(gaps, torch.stack([shannon(gap) for gap in gaps]), "--", label="Jensen-Shannon: flat at ln 2")
    axis.plot(gaps, gaps, "-.", label="Wasserstein: d")
    axis.set(xlabel="distance d of the means (σ = 0.1)", ylabel="divergence", ylim=(0, 2),
             title="How far apart are two Gaussians that hardly overlap?")
    axis.legend(frameon=False)
    return fig


def critic_figure(game):
    """A figure: minus the critic's loss over the steps, and G's images at four moments."""
    fig, (left, right) = show.figure(1, 2, 11, 3, width_ratios=(2, 3))
    show.smoothed(left, {"estimated distance": [-value for value in game.history["D"]]})
    left.set(xlabel="step", ylabel="mean score, real − generated", title="WGAN: minus the critic's loss")
    pictures = game.history["pictures"]
    moments = [pictures[round(k * (len(pictures) - 1) / 3)] for k in range(4)]
    show.draw(right, torch.cat([show.mosaic(images[:16], columns=4) for _, images in moments], dim=2))
    right.axis("off")
    right.set_title("after " + ", ".join(str(step) for step, _ in moments) + " steps")
    return fig


def thresholds_figure(logits, labels):
    """A figure: how many images of the pool are above a threshold, and how many of these are labelled rightly.

    Uses the hidden labels, for the eye only.
    """
    sure, predicted = logits.softmax(1).max(1)
    levels = torch.linspace(0.3, 0.99, 70)
    kept = torch.stack([(sure > level).double().mean() for level in levels])
    right = torch.stack([(predicted == labels)[sure > level].double().mean() for level in levels])
    fig, axis = show.figure(width=6)
    axis.plot(levels, kept, label="share of the pool above the threshold")
    axis.plot(levels, right, "--", label="of these, rightly labelled")
    axis.axvline(0.7, color="grey", linewidth=0.8)
    axis.set(xlabel="threshold on the softmax", ylabel="share", title="Pseudo-labels: how many, how good (line: 0.70)")
    axis.legend(frameon=False)
    return fig


def vanishing_figure(images, labels, depth=16):
    """A figure: the gradient on its way back through a chain of the baseline's convolutions, four ways to begin.

    images: uint8 [N, 1, H, W];  labels: int64 [N]
    """
    ways = {"sigmoid": (nn.Sigmoid, 1.0, False), "ReLU, weights halved": (nn.ReLU, 0.5, False),
            "ReLU, weights doubled": (nn.ReLU, 2.0, False), "ReLU and batch norm": (nn.ReLU, 1.0, True)}
    fig, axis = show.figure(width=6)
    for (name, (activation, scale, norm)), style in zip(ways.items(), ("-", "--", "-.", ":"), strict=True):
        seed(0)
        x, signals = images.float() / 255, []
        for k in range(depth):
            convolution = nn.Conv2d(1 if k == 0 else 32, 32, 3, padding=1, bias=False)
            nn.init.kaiming_normal_(convolution.weight)
            convolution.weight.data *= scale
            x = activation()(nn.BatchNorm2d(32)(convolution(x)) if norm else convolution(x))
            x.retain_grad()
            signals.append(x)
        F.cross_entropy(nn.Linear(32, 10)(x.mean((2, 3))), labels).backward()
        axis.semilogy(range(1, depth + 1), [signal.grad.norm() for signal in signals], style, label=name)
    axis.set(xlabel="layer", ylabel="gradient at its output, norm", title="One backward pass, before any training")
    axis.legend(frameon=False)
    return fig
