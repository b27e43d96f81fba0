"""Answers to the exercises 12.3, 12.4 and 12.5."""

import torch

from tp_utils import nets
from tp_utils.data import resized


def soft(draw=lambda n, g: torch.rand(n, generator=g), amount=lambda u, softness: softness * u, high=lambda t, a: t - a,
         low=lambda t, a: t + a):
    def soft_labels(targets, softness, generator=None):
        moved = amount(draw(len(targets), generator), softness).to(targets.device)
        return targets * high(targets, moved) + (1 - targets) * low(targets, moved)

    return soft_labels


def soft_by_direction(targets, softness, generator=None):
    """Towards ½: minus the sign of (t − ½)."""
    return targets - (2 * targets - 1) * softness * torch.rand(len(targets), generator=generator).to(targets.device)


def soft_in_place(targets, softness, generator=None):
    targets -= (2 * targets - 1) * softness * torch.rand(len(targets), generator=generator).to(targets.device)
    return targets


def soft_with_its_own(targets, softness, generator=None):
    return soft_by_direction(targets, softness, generator or torch.Generator().manual_seed(0))


def soft_needs_generator(targets, softness, generator):
    return soft_by_direction(targets, softness, generator)


def rate(prepare=lambda part: nets.to_input(resized(part, 224)), low=281, high=285, split=50, count=None, out=float):
    def cat_rate(network, images):
        with torch.no_grad():
            classes = torch.cat([network(prepare(part)).argmax(1) for part in images.split(split)])
        cats = ((low <= classes) & (classes <= high)).float()
        return out(count(cats) if count else cats.mean())

    return cat_rate


def rate_by_loop(network, images):
    cats = 0
    for image in images:
        cats += int(network(nets.to_input(resized(image[None], 224))).argmax()) in range(281, 286)
    return cats / len(images)


def rate_by_probability(network, images):
    scores = torch.cat([network(nets.to_input(resized(part, 224))).softmax(1) for part in images.split(50)])
    return scores[:, 281:286].sum(1).double().mean().item()


def rate_of_five(network, images):
    first = torch.cat([network(nets.to_input(resized(part, 224))).topk(5).indices for part in images.split(50)])
    return ((first >= 281) & (first <= 285)).any(1).double().mean().item()


def rate_of_the_first_batch(network, images):
    return rate()(network, images[:50])


def distance(kernel=lambda a, b: (a @ b.T / a.shape[1] + 1) ** 3, diagonal=False, pairs=lambda n: n * (n - 1), cross=2,
             out=lambda d: d):
    def kernel_inception_distance(real, generated):
        def among(x):
            values, n = kernel(x, x), len(x)
            return values.mean() if diagonal else values.masked_fill(torch.eye(n, dtype=bool), 0).sum() / pairs(n)

        return out(among(real) + among(generated) - cross * kernel(real, generated).mean())

    return kernel_inception_distance


def distance_by_loops(real, generated):
    def k(a, b):
        return (torch.dot(a, b) / len(a) + 1) ** 3

    def among(x):
        values = [k(x[i], x[j]) for i in range(len(x)) for j in range(len(x)) if i != j]
        return sum(values) / len(values)

    across = [k(a, b) for a in real for b in generated]
    return among(real) + among(generated) - 2 * sum(across) / len(across)


def distance_of_one_size(size, across):
    """One m for both sets."""
    def kernel_inception_distance(real, generated):
        m = size(len(real), len(generated))
        rr, gg, rg = ((a @ b.T / a.shape[1] + 1) ** 3 for a, b in
                      ((real, real), (generated, generated), (real, generated)))
        among = (rr.sum() - rr.trace() + gg.sum() - gg.trace()) / (m * (m - 1))
        return among - 2 * (rg.sum() / m**2 if across else rg.mean())

    return kernel_inception_distance


RIGHT = {
    "12.3": [soft(), soft_by_direction],
    "12.4": [rate(), rate_by_loop],
    "12.5": [distance(), distance_by_loops],
}

MUTANTS = {
    "12.3": [
        (soft(draw=lambda n, g: torch.rand(1, generator=g).expand(n)), "the same amount"),
        (soft(high=lambda t, a: t + a, low=lambda t, a: t - a), "leave [0, 1]"),
        (soft(low=lambda t, a: t), "targets of 0 stay"), (soft(high=lambda t, a: t), "targets of 1 stay"),
        (soft(draw=lambda n, g: torch.rand(n)), "generator=generator"),
        (soft(draw=lambda n, g: torch.rand(n, generator=torch.Generator().manual_seed(3))), "another generator"),
        (soft(amount=lambda u, s: 0.49 * u), "uniformly"),
        (soft(amount=lambda u, s: s * u / 2), "uniformly"), (soft(amount=lambda u, s: s + 0 * u), "the same amount"),
        (soft_in_place, "clone"), (soft_with_its_own, "torch's own"), (soft_needs_generator, "generator=None"),
        (soft(high=lambda t, a: a, low=lambda t, a: 1 - a), "changed places"),
    ],
    "12.4": [
        (rate(prepare=lambda x: nets.to_input(x)), "another side"),
        (rate(prepare=lambda x: resized(x, 224).float()), "from 0 to 255"),
        (rate(prepare=lambda x: resized(x, 224).float() / 255), "pixels in [0, 1]"),
        (rate(prepare=lambda x: nets.to_input(resized(x, 224)).flip(0)), "other values"),
        (rate(high=284), "281 to 285"), (rate(low=282), "281 to 285"), (rate(high=286), "281 to 285"),
        (rate(low=281, high=281), "all five"), (rate(count=lambda c: c.sum()), "number of cats"),
        (rate(count=lambda c: 100 * c.mean()), "per cent"), (rate(split=1000), "at most 50"),
        (rate(count=lambda c: torch.stack([part.mean() for part in c.split(50)]).mean()), "mean over batches"),
        (rate(out=lambda x: x), ".item()"), (rate_of_five, "most probable class alone"),
        (rate_by_probability, "probability"), (rate_of_the_first_batch, "of 57 images"),
    ],
    "12.5": [
        (distance(diagonal=True), "leave out the diagonal"), (distance(pairs=lambda n: n * n), "number of pairs"),
        (distance(kernel=lambda a, b: (a @ b.T + 1) ** 3), "divided by F"),
        (distance(kernel=lambda a, b: (a @ b.T / a.shape[1]) ** 3), "1 is missing"),
        (distance(kernel=lambda a, b: (a @ b.T / a.shape[1] + 1) ** 2), "third power"), (distance(cross=1), "twice"),
        *((distance_of_one_size(size, across), "need not be of one size")
          for size in (min, max) for across in (True, False)),
        (distance(out=lambda d: -d), "other way round"), (distance(out=lambda d: d.clamp_min(0).sqrt()), "square root"),
    ],
}
