"""Real against generated images, in the features of a network (judge.py has one for digits).

What does not fit is refused (inputs.py): features of two networks, fewer images than needed, values without end.
"""

import torch

from ..runtime import expect
from . import inputs


def frechet(real, generated):
    """Fréchet distance of two sets of features, float [N, F]: 0 if their means and covariances agree.

    Known as FID when the features are those of Inception (Heusel et al. 2017, arXiv:1706.08500). It is biased
    upwards for few images: compare only distances from equally many, and with that of real images to real ones.
    """
    from torchmetrics.image.fid import FrechetInceptionDistance

    real, generated = inputs.features(2, real=real, generated=generated)
    as_they_are = torch.nn.Identity()
    as_they_are.num_features = real.shape[1]
    metric = FrechetInceptionDistance(as_they_are).set_dtype(torch.double)
    metric.update(real, real=True)
    metric.update(generated, real=False)
    return metric.compute().item()


def neighbours(real, generated, k=5):
    """Precision, recall, density and coverage of generated features, a dict of floats.

    real, generated: float [N, F]; a real image's neighbourhood is the ball that reaches its k-th nearest real one.
    Precision: share of generated images inside some real neighbourhood; recall: the same with the roles exchanged
    (Kynkäänniemi et al. 2019, arXiv:1904.06991). Density: in how many neighbourhoods a generated image lies, over k
    (may exceed 1); coverage: share of real neighbourhoods with a generated image (Naeem et al. 2020, arXiv:2002.09797).
    """
    def radii(features):
        return torch.cdist(features, features).kthvalue(k + 1, dim=1).values  # the nearest of all is itself

    (k,) = expect.numbers(k=k)
    real, generated = inputs.features(k + 1, real=real, generated=generated)
    distances = torch.cdist(real, generated)
    inside_real, inside_generated = distances < radii(real)[:, None], distances < radii(generated)[None]
    return {"precision": inside_real.any(0).double().mean().item(),
            "recall": inside_generated.any(1).double().mean().item(),
            "density": inside_real.double().sum(0).mean().item() / k,
            "coverage": inside_real.any(1).double().mean().item()}


def modes(predictions, classes, least=0.2):
    """(classes that are covered, entropy of the histogram in bits) of predicted classes int64 [N].

    A class is covered by `least` of its fair share, 1 / classes. All classes alike: entropy log2(classes).
    """
    (predictions,) = inputs.classes(predictions=predictions)
    classes = inputs.within(classes, predictions=predictions)
    shares = torch.bincount(predictions, minlength=classes).double() / len(predictions)
    entropy = -(shares * shares.clamp_min(1e-12).log2()).sum().item()
    return (shares >= least / classes).nonzero().flatten().tolist(), entropy


def diversity(features, predictions, real_features, real_labels):
    """Mean distance between two generated images of a class, over that between two real ones; per class [K].

    1: as diverse as the data; 0: always the same image. NaN for a class with fewer than two images of either kind.
    """
    generated, real = inputs.features(features=features, real_features=real_features)
    (predictions,), (labels,) = inputs.classes(predictions=predictions), inputs.classes(real_labels=real_labels)
    inputs.as_many("predictions", predictions, "features", generated)
    inputs.as_many("real_labels", labels, "real_features", real)
    classes = 1 + max(predictions.max().item(), labels.max().item())
    inputs.within(classes, predictions=predictions, real_labels=labels)

    def spread(features):
        return torch.pdist(features).mean() if len(features) > 1 else torch.tensor(torch.nan).double()

    return torch.stack([spread(generated[predictions == k]) / spread(real[labels == k]) for k in range(classes)])
