"""Figures. Every function returns a matplotlib Figure: as the last line of a cell it shows itself, once."""

import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import torch

from ..runtime import expect, pixels

COLOURS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#000000")  # Okabe and Ito
MAP = "magma"  # for maps of one value: dark to bright, also in grey

plt.rcParams.update({
    "axes.prop_cycle": plt.cycler(color=COLOURS), "axes.grid": True, "grid.alpha": 0.25,
    "axes.spines.top": False, "axes.spines.right": False, "axes.titlesize": 10, "font.size": 9,
    "figure.dpi": 90, "savefig.bbox": "tight",
})

# What is said to the reader.
NOTHING = "there are no images to show: has the cell that makes them been run?"
NOT_IMAGES = "an image is [C, H, W] with one channel or three, a map [H, W], not {found}"
TITLES = "there are {titles} titles for {images} images"
NOT_SQUARE = "the matrix is {found}, for {classes} classes"


def figure(rows=1, columns=1, width=8.0, height=3.0, **options):
    """(fig, axes): an empty figure that is not shown a second time at the end of the cell."""
    fig, axes = plt.subplots(rows, columns, figsize=(width, height), layout="constrained", **options)
    plt.close(fig)
    return fig, axes


def drawable(image):
    """An image tensor [C, H, W] or map [H, W] as an array that imshow takes."""
    image = image.detach().cpu()
    if image.ndim == 3:
        image = image[0] if len(image) == 1 else image.permute(1, 2, 0)
    return image.numpy()


def pictures(images):
    """Images as they are drawn: floats are brought to [0, 1], judged together (runtime/pixels.py); maps stay."""
    for image in images:
        is_tensor = isinstance(image, torch.Tensor)
        if not is_tensor or not (image.ndim == 2 or (image.ndim == 3 and len(image) in (1, 3))):
            expect.refuse(NOT_IMAGES, found=expect.described(image))
    others = [image.ndim == 3 and image.dtype != torch.uint8 for image in images]
    brought = iter(pixels.unit(*itertools.compress(images, others)))
    return [next(brought) if other else image for image, other in zip(images, others, strict=True)]


def draw(axis, image, cmap="gray", limits=None):
    """Draw an image from black to white, a map over the range of its values (unless `limits` says otherwise)."""
    if limits is None:
        (image,) = pictures([image])
    if limits is None and image.ndim == 3:
        limits = (0, 255) if image.dtype == torch.uint8 else (0, 1)
    low, high = limits or (None, None)
    axis.imshow(drawable(image), cmap=cmap, vmin=low, vmax=high)


def grid(images, titles=None, columns=8, size=1.5, title=None, cmap="gray", limits=None):
    """A grid of images [N, C, H, W], or a list of [C, H, W], or of maps [N, H, W].

    Images are uint8 or floats in [0, 1]; those that clearly go from 0 to 255 or, as a tanh's, from −1 to 1 are brought
    there.
    limits: (lowest, highest) value of the colour scale of maps; default: of each map its own
    Raises ValueError for none, for values of another range, and for other shapes.
    """
    count = len(images)
    if not count:
        raise ValueError(NOTHING)
    if titles and len(titles) != count:
        expect.refuse(TITLES, titles=len(titles), images=count)
    if limits is None:
        images = pictures(list(images))
    columns = min(columns, count)
    rows = -(-count // columns)
    text = max((str(t).count("\n") + 1 for t in titles or ()), default=0)
    fig, axes = figure(rows, columns, columns * size, rows * (size + 0.16 * text) + 0.3 * bool(title), squeeze=False)
    for i, axis in enumerate(axes.flat):
        axis.axis("off")
        if i < count:
            draw(axis, images[i], cmap, limits)
            if titles:
                axis.set_title(titles[i], fontsize=7.5)
    if title:
        fig.suptitle(title, fontsize=10)
    return fig


def table_of_images(rows, columns, cell, title=None, size=1.5, cmap="gray"):
    """Labelled rows × columns of images or maps; cell(row, column) gives the image, or (image, text below it)."""
    fig, axes = figure(len(rows), len(columns), len(columns) * size + 0.8, len(rows) * (size + 0.2) + 0.4,
                       squeeze=False)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            image = cell(i, j)
            axis = axes[i, j]
            if isinstance(image, tuple):
                image, text = image
                axis.set_xlabel(text, fontsize=7.5)
            draw(axis, image, cmap)
            axis.set(xticks=[], yticks=[])
            axis.grid(False)
            axis.spines[:].set_visible(False)
            if j == 0:
                axis.set_ylabel(row, fontsize=8)
            if i == 0:
                axis.set_title(column, fontsize=8.5)
    if title:
        fig.suptitle(title, fontsize=10)
    return fig


def confusion_figure(matrix, classes, title="Confusion matrix", axes=("true class", "predicted class")):
    """A confusion matrix with its counts; shares of each row as colour. axes: what rows and columns are."""
    if matrix.shape != (len(classes), len(classes)):
        expect.refuse(NOT_SQUARE, found=list(matrix.shape), classes=len(classes))
    side = 0.36 * len(classes) + 1.6
    fig, axis = figure(width=side, height=side)
    share = matrix / matrix.sum(1, keepdim=True).clamp_min(1)
    draw(axis, share, "Blues", limits=(0, 1))
    for i in range(len(classes)):
        for j in range(len(classes)):
            if matrix[i, j]:
                axis.text(j, i, int(matrix[i, j]), ha="center", va="center", fontsize=6.5,
                          color="white" if share[i, j] > 0.5 else "black")
    axis.set(xticks=range(len(classes)), yticks=range(len(classes)), xlabel=axes[1], ylabel=axes[0],
             title=title)
    axis.set_xticklabels(classes, rotation=60, ha="right")
    axis.set_yticklabels(classes)
    axis.grid(False)
    return fig


def curves(x, series, xlabel, ylabel, title, log=False, axis=None, **options):
    """Lines over x. series: {label: values, or (values, standard deviations)} drawn with a band of ± 1 sd."""
    fig = None
    if axis is None:
        fig, axis = figure(width=options.pop("width", 6.0), height=options.pop("height", 3.2))
    styles = ("-o", "--s", ":^", "-.D", "-v")
    for (label, values), style in zip(series.items(), styles * 3, strict=False):
        mean, sd = values if isinstance(values, tuple) else (values, None)
        (line,) = axis.plot(x, mean, style, label=label, markersize=4)
        if sd is not None:
            mean, sd = np.asarray(mean), np.asarray(sd)
            axis.fill_between(x, mean - sd, mean + sd, alpha=0.2, color=line.get_color(), linewidth=0)
    axis.set(xlabel=xlabel, ylabel=ylabel, title=title, **options)
    if log:
        axis.set_xscale("log")
        axis.set_xticks(x, [f"{value:g}" for value in x])
        axis.minorticks_off()
    if len(series) > 1:
        axis.legend(frameon=False)
    return fig


def smoothed(axis, series):
    """Draw noisy curves {label: one value per step}: as they are, pale, and their moving average."""
    for (label, values), colour in zip(series.items(), COLOURS, strict=False):
        window = max(1, len(values) // 25)
        smooth = np.convolve(values, np.ones(window) / window, mode="valid")
        axis.plot(np.arange(1, len(values) + 1), values, color=colour, alpha=0.25, linewidth=0.6)
        axis.plot(np.arange(window, len(values) + 1), smooth, color=colour, label=label)


def mosaic(images, columns=8, gap=1):
    """Images [N, C, H, W] side by side in one image [C, H', W'], row by row."""
    from torchvision.utils import make_grid

    black = make_grid(images, nrow=columns, padding=gap)  # three channels, always
    return black if images.shape[1] == 3 else black[:1]


def png(fig):
    """A figure as PNG bytes."""
    out = io.BytesIO()
    fig.savefig(out, format="png")
    return out.getvalue()


def stretched(maps, share=0.99):
    """Maps [N, H, W] brought to [0, 1] one by one: 0 at their minimum, 1 at the quantile `share`.

    Saliency maps have a few very large values; without this the rest of the map would be black.
    """
    flat = maps.detach().cpu().float().flatten(1)
    low, high = flat.amin(1), torch.quantile(flat, share, dim=1)
    return ((flat - low[:, None]) / (high - low).clamp_min(1e-12)[:, None]).clamp(0, 1).view(maps.shape)
