"""Helper of TP 11: its tables and figures, the baseline with parts left out, and two widgets."""

from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

from ... import show
from ...data.imageset import resized
from ...measure import mean_sd
from ...runtime import device, results, seed
from ...show import widgets
from . import games, protocol, rows

REPORT = {  # test accuracy in the report, in per cent: best epoch, chosen with the test set in view
    "cnn": 90.12, "cnn-augmented": 95.02, "dcgan": 94.16, "dcgan-augmented": 95.47, "infogan": 87.92,
    "infogan-augmented": 94.81, "wgan": 92.84, "wgan-augmented": 95.12, "semi-supervised": 95.29,
    "self-trained": 98.74, "weighted": 99.00, "all-linear": 91.6, "all-neighbours": 95.0, "all-mlp": 98.0,
    "all-cnn": 99.7,
}
NAMES = {
    "cnn": "CNN", "cnn-augmented": "CNN, augmented",
    "untrained": "D that has not played (control)", "untrained-augmented": "D that has not played, augmented",
    "dcgan": "DCGAN's D", "dcgan-augmented": "DCGAN's D, augmented",
    "infogan": "InfoGAN's D", "infogan-augmented": "InfoGAN's D, augmented",
    "wgan": "WGAN's critic", "wgan-augmented": "WGAN's critic, augmented",
    "wgan-gp": "WGAN-GP's critic", "wgan-gp-augmented": "WGAN-GP's critic, augmented",
    "semi-supervised": "semi-supervised GAN", "self-trained": "… its sure predictions as labels",
    "weighted": "… with weighted classes", "feature-matching": "semi-supervised GAN, G matches features",
    "spread": "labels spread along a graph, CNN", "spread-twice": "… and a second CNN taught by the first",
    "all-linear": "60,000 labels: linear", "all-neighbours": "60,000 labels: 3 nearest neighbours",
    "all-mlp": "60,000 labels: MLP", "all-cnn": "60,000 labels: CNN",
}
MISSING = "not measured yet"
NONE = "no row is measured: `python -m tp_utils study few-labels` does it"


# ---- the table


def table(cells=None):
    """The rows of the study beside the report: mean ± standard deviation over the seeds, in per cent."""
    cells = measured() if cells is None else cells
    lines = []
    for row, name in NAMES.items():
        found = {draw: values(cells, row, draw) for draw in protocol.DRAWS}
        report = REPORT.get(row)
        mean = mean_sd(found["random"])[0] if found["random"] else None
        gap = f"{mean - report:+.1f}" if report and mean else "—"
        both = [spread(found[draw]) if draw in protocol.draws_of(row) else "—" for draw in found]
        lines.append([name, f"{report:.1f}" if report else "—", *both, gap])
    return show.Table(["row", "the report, %", "random draws, %", "10 per class, %", "random − report"], lines)


def measured():
    """The cells of results/tp11.json that belong together: those of the profile in which most were measured."""
    cells = results("tp11")["cells"]
    profiles = [one["profile"] for one in cells]
    return [one for one in cells if one["profile"] == max(set(profiles), key=profiles.count)]


def values(cells, row, draw, key="test_accuracy"):
    """The measured numbers of a row, in per cent, one per seed."""
    return [100 * one[key] for one in cells if (one["row"], one["draw"]) == (row, draw)]


def spread(numbers):
    if not numbers:
        return MISSING
    mean, sd = mean_sd(numbers)
    return f"{mean:.2f} ± {sd:.2f} ({len(numbers)} seeds)" if len(numbers) > 1 else f"{mean:.2f} (1 seed)"


def selection(cells=None, draw="random"):
    """A figure: what a row gains when its best moment on the test set is reported in place of its last."""
    cells = measured() if cells is None else cells
    rows = [row for row in NAMES if values(cells, row, draw) and any(
        one["curve"] for one in cells if one["row"] == row)]
    fig, (left, right) = show.figure(1, 2, 11, max(2.6, 0.3 * len(rows) + 1), width_ratios=(1, 1))
    for one in cells:
        if one["draw"] == draw and one["row"] in ("cnn", "cnn-augmented"):
            steps, curve = zip(*one["curve"], strict=True)
            left.plot(steps, curve, color=show.COLOURS[one["row"] == "cnn"], linewidth=1)
    left.set(xlabel="step", ylabel="test accuracy", ylim=(0.6, 1),
             title="CNN (orange) and augmented CNN (blue), one line per draw")
    for k, row in enumerate(rows):
        last, best = values(cells, row, draw), values(cells, row, draw, "best_on_test")
        right.plot(last, [k] * len(last), "o", color=show.COLOURS[0], label="last step" if k == 0 else None)
        right.plot(best, [k + 0.25] * len(best), "^", color=show.COLOURS[1],
                   label="best on the test set" if k == 0 else None)
    right.set(yticks=range(len(rows)), yticklabels=[NAMES[row] for row in rows], xlabel="test accuracy, %",
              title="What the choice is worth")
    right.legend(frameon=False)
    return fig


# ---- what a discriminator knows


@torch.no_grad()
def features_of(discriminator, images):
    """float32 [N, F]: what a discriminator makes of digits uint8 [N, 1, H, W], in eval mode, on the CPU."""
    discriminator.eval()
    size = protocol.GAN_SIZE
    return torch.cat([discriminator.features(resized(part, size).to(device()).float() / 127.5 - 1).cpu()
                      for part in images.split(500)])


def plane(features, labels, title):
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


def probe(features, labels, test_features, test_labels):
    """Test accuracy of a linear classifier on features: a regularised logistic regression, features standardised."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    model = make_pipeline(StandardScaler(), LogisticRegression(C=0.01, max_iter=500)).fit(features, labels)
    return model.score(test_features, test_labels)


def codes(game, rows=8):
    """A figure: a column per code of InfoGAN, a row per latent."""
    z = games.with_code(rows, torch.Generator().manual_seed(0))[:, None].repeat(1, protocol.CLASSES, 1, 1, 1)
    z[:, :, -protocol.CLASSES:] = torch.eye(protocol.CLASSES)[None, :, :, None, None]
    from ...nets import images_of

    images = images_of(game.average, z.flatten(0, 1))
    fig, axis = show.figure(width=4.6, height=4.0)
    show.draw(axis, show.mosaic(images, protocol.CLASSES))
    side = images.shape[-1] + 1
    axis.set(xticks=[side * (k + 0.5) for k in range(protocol.CLASSES)], xticklabels=range(protocol.CLASSES),
             yticks=[], xlabel="code", ylabel="latent", title="InfoGAN: a column per code")
    axis.grid(False)
    return fig


def distances():
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


# ---- pseudo-labels


def thresholds(logits, labels):
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


# ---- the baseline with parts left out


def baseline(norm=True, dropout=0.5):
    """The CNN of exercise 11.3, with or without batch norm, and with another dropout."""
    widths, layers = (1, 32, 32, 64, 64), []
    for k, (inputs, outputs) in enumerate(pairwise(widths)):
        layers += [nn.Conv2d(inputs, outputs, 3, padding=1), *([nn.BatchNorm2d(outputs)] if norm else []), nn.ReLU()]
        layers += [nn.MaxPool2d(2)] if k % 2 else []
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(dropout), nn.Linear(64 * 7 * 7, 10))


def gradient_norms(images, labels, depth=16):
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


# ---- widgets


def watch(tools, steps):
    """A widget: seed, draw and number of labels → the test curves of the CNN, plain and augmented."""
    def draw(drawn, labels, seed):
        per_class = {"per_class": labels // 10} if drawn == "balanced" else {"n": labels}
        chosen = tools.draw_labels(protocol.mnist().train_labels, **per_class,
                                   generator=torch.Generator().manual_seed(seed))
        fig, axis = show.figure(width=6)
        for augmented, style in ((False, "--"), (True, "-")):
            case = protocol.Case(chosen, f"{drawn}-{labels}", seed, augmented, tools)
            curve = rows.cnn(case, steps).curve
            axis.plot(*zip(*curve, strict=True), style, marker="o", label=f"{'augmented' if augmented else 'plain'}, "
                      f"last: {curve[-1][1]:.1%}")
        axis.set(xlabel="step", ylabel="test accuracy", title=f"CNN, {labels} labels, {drawn} draw, seed {seed}")
        axis.legend(frameon=False)
        return fig

    return widgets.explore(draw, drawn=list(protocol.DRAWS), labels=[100, 10, 20, 50, 200, 500, 1000],
                           seed=(0, 9, 1, 0))


def browse(cells=None):
    """A widget: the surest mistakes of a row of the study on the test images."""
    cells = measured() if cells is None else cells
    found = {f"{NAMES[one['row']]}, {one['draw']}": one for one in cells if one["seed"] == 0 and one["row"] in NAMES}
    if not found:
        raise ValueError(NONE)
    images, labels = protocol.mnist().test_images, protocol.mnist().test_labels

    def draw(row):
        wrong = found[row]["most_wrong"][:24]
        titles = [f"{labels[i]} read as {k}\n{p:.2f}" for i, k, p in wrong]
        return show.grid(images[[i for i, *_ in wrong]], titles, columns=12, size=0.8,
                         title=f"{row}: the surest mistakes of {found[row]['test_accuracy']:.2%} right")

    return widgets.explore(draw, row=list(found))
