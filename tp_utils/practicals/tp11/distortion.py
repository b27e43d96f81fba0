"""A distance of digits that forgives small distortions, the graph of nearest neighbours, and labels spread along it.

Two digits are near if each little piece of one is found in the other, not further off than two pixels: the image
distortion model of Keysers et al. 2007 (doi:10.1109/TPAMI.2007.1153), on gradients. Nobody trains anything.
"""

import math

import numpy as np
import torch
from torch.nn import functional as F

from ...runtime import cached, device, one_at_a_time

REACH = 2  # pixels that a piece may be off
CANDIDATES, NEAREST = 30, 10  # neighbours by plain distance that are looked at closely, and those that are kept


def outlines(images):
    """Horizontal and vertical gradients (Sobel): uint8 [N, 1, 28, 28] → float32 [N, 2, 24, 24], the margin left out."""
    sobel = torch.tensor([[-1.0, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 4
    filters = torch.stack([sobel, sobel.T])[:, None].to(device())
    return F.conv2d(images.to(device()).float() / 255, filters, padding=1)[:, :, 2:-2, 2:-2].contiguous()


def distortion_distance(outline, other):
    """Distances of n pairs of outlines, float32 [n, 2, H, W] twice → [n].

    The mean squared difference of each 3 × 3 piece of the one from its best match in the other, summed over the pieces.
    """
    height, width = outline.shape[-2:]
    other, best = F.pad(other, [REACH] * 4), None
    for y in range(2 * REACH + 1):
        for x in range(2 * REACH + 1):
            gap = (outline - other[:, :, y:y + height, x:x + width]).pow(2).sum(1, keepdim=True)
            gap = F.avg_pool2d(gap, 3, stride=1, padding=1)
            best = gap if best is None else torch.minimum(best, gap)
    return best.flatten(1).sum(1)


def distortion_graph(images):
    """(distances float32 [N, k], indices int64 [N, k]) of the k nearest others of each digit, the nearest first.

    images: uint8 [N, 1, 28, 28]. Some minutes for 60,000; kept in the cache: of two processes, one waits for the other.
    """
    with one_at_a_time("tp11-graph"):
        return cached("distortion-graph", [], lambda: compute_graph(images))


@torch.no_grad()
def compute_graph(images):
    candidates, found = near_in_pixels(images), outlines(images)
    count = candidates.shape[1]
    pairs = torch.arange(len(images)).repeat_interleave(count).split(256)
    gaps = [distortion_distance(found[one.to(device())], found[other.to(device())]).cpu()
            for one, other in zip(pairs, candidates.flatten().split(256), strict=True)]
    gaps, order = torch.cat(gaps).view(-1, count).sort(1)
    return [gaps[:, :NEAREST], candidates.gather(1, order)[:, :NEAREST]]


def near_in_pixels(images):
    """The candidates int64 [N, k]: nearest by Euclidean distance of the blurred digits, in 60 principal components."""
    from sklearn.decomposition import PCA

    blurred = F.avg_pool2d(images.float() / 255, 3, stride=1, padding=1).flatten(1).numpy()
    points = torch.from_numpy(PCA(min(60, *blurred.shape), random_state=0).fit_transform(blurred)).to(device())
    found = []
    for part in torch.arange(len(images), device=device()).split(500):
        gaps = torch.cdist(points[part], points)
        gaps[torch.arange(len(part)), part] = torch.inf  # not itself
        found.append(gaps.topk(min(CANDIDATES, len(images) - 1), largest=False).indices.cpu())
    return torch.cat(found)


def spread_labels(graph, chosen, labels, classes=10, neighbours=4):
    """Probabilities of the classes float32 [N, K], spread from a few labels along the graph.

    graph:   what `distortion_graph` gives;  chosen: int64 [n], the images that have a label;  labels: int64 [n]

    Label spreading (Zhou et al. 2004) by scikit-learn; then the classes are made equally frequent, for a class with few
    labels would otherwise lose images to its neighbours.
    """
    from scipy.sparse import csr_matrix
    from sklearn.semi_supervised import LabelSpreading

    gaps, indices = (part.numpy() for part in graph)
    count, scale = len(gaps), gaps[:, [min(5, gaps.shape[1] - 1)]]
    weights = np.exp(-(gaps[:, :neighbours] / scale) ** 2)
    rows = np.repeat(np.arange(count), weights.shape[1])
    edges = csr_matrix((weights.ravel(), (rows, indices[:, :neighbours].ravel())), shape=(count, count))
    edges = edges.maximum(edges.T)
    known = np.full(count, -1)
    known[chosen] = labels
    model = LabelSpreading(kernel=lambda *_: edges, alpha=0.99, max_iter=2000, tol=0.1)
    model.fit(np.arange(count)[:, None], known)
    found = np.full((count, classes), 1e-12)
    found[:, model.classes_] += np.nan_to_num(model.label_distributions_)
    for _ in range(20):
        found /= found.sum(0)
        found /= found.sum(1, keepdims=True)
    return torch.from_numpy(found).float()


def surest_of_each_class(sure, labels, share):
    """The indices of those images that are in the surest `share` of their class, one class after the other.

    sure: float32 [N], the probability of the image's label;  labels: int64 [N]
    """
    found = []
    for k in range(int(labels.max()) + 1):
        of_class = (labels == k).nonzero().flatten()
        found.append(of_class[sure[of_class].argsort(descending=True)[:math.ceil(share * len(of_class))]])
    return torch.cat(found)
