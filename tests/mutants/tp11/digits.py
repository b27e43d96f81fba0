"""Answers to the exercises 11.1 and 11.2."""

import math

import torch
from torch.nn import functional as F


def draw(order=lambda n, g: torch.randperm(n, generator=g), first=lambda order, n: order[:n], each=None):
    def draw_labels(labels, per_class=None, n=100, generator=None):
        shuffled = order(len(labels), generator)
        if per_class is None:
            return first(shuffled, n)
        if each:
            return each(labels, per_class, shuffled)
        return torch.cat([shuffled[labels[shuffled] == k][:per_class] for k in labels.unique()])

    return draw_labels


def draw_by_numpy_sort(labels, per_class=None, n=100, generator=None):
    """A random number for each image; the smallest ones win, of all or of each class."""
    numbers = torch.rand(len(labels), dtype=torch.double, generator=generator)
    if per_class is None:
        return numbers.argsort()[:n]
    found = [torch.where(labels == k, numbers, 2.0).argsort()[:per_class] for k in range(int(labels.max()) + 1)]
    return torch.stack(found).flatten()


def draw_by_multinomial(labels, per_class=None, n=100, generator=None):
    if per_class is None:
        return torch.multinomial(torch.ones(len(labels)), n, generator=generator)
    return torch.cat([torch.multinomial((labels == k).float(), per_class, generator=generator)
                      for k in range(int(labels.max()) + 1)])


def draw_with_its_own(labels, per_class=None, n=100, generator=None):
    return draw()(labels, per_class, n, generator or torch.Generator().manual_seed(0))


def draw_reseeding(labels, per_class=None, n=100, generator=None):
    if generator is not None:
        torch.manual_seed(generator.initial_seed())
    return draw()(labels, per_class, n, None)


def first_of_each(labels, per_class, shuffled):
    return torch.cat([(labels == k).nonzero().flatten()[:per_class] for k in labels.unique()])


def seeded(n, generator):
    return torch.randperm(n, generator=torch.Generator().manual_seed(0))


def augmentation(turn=15.0, low=0.9, high=1.1, move=2.0, numbers=None, n_maps=len, grid=None, out=lambda x, y: y,
                 mode="bilinear", padding="zeros", radians=math.radians, unit=14.0, flip=1.0, shear=0.0, seed=None,
                 tied=False):
    def augment(images, generator):
        n = n_maps(images)
        if seed is not None:
            generator = torch.Generator().manual_seed(seed)

        def within(low, high):
            u = numbers(n) if numbers else torch.rand(n, generator=generator)
            return low + (high - low) * u

        angle, scale = within(-radians(turn), radians(turn)), within(low, high)
        scale = 1 + angle * 0.1 / radians(turn) if tied else scale
        x, y = within(-move / unit, move / unit), within(-move / unit, move / unit)
        rows = torch.stack([flip * scale * angle.cos(), -scale * angle.sin() + shear, x,
                            flip * scale * angle.sin(), scale * angle.cos(), y], 1).view(-1, 2, 3)
        places = F.affine_grid(rows.expand(len(images), 2, 3).to(images), images.shape, align_corners=False)
        return out(images, F.grid_sample(images, places, mode=mode, padding_mode=padding, align_corners=False))

    return augment


def augment_reseeding(images, generator):
    torch.manual_seed(generator.initial_seed())
    return augmentation()(images, None)


def augment_by_corners(images, generator):
    """Corners aligned, the shift before the turn, numbers drawn at once."""
    u = 2 * torch.rand(len(images), 4, generator=generator).to(images) - 1
    angle, scale, shift = u[:, 0] * math.pi / 12, 1 + 0.1 * u[:, 1], u[:, 2:] * 4 / 28
    turn = torch.stack([angle.cos(), -angle.sin(), angle.sin(), angle.cos()], 1).view(-1, 2, 2)
    maps = torch.cat([turn / scale[:, None, None], shift[:, :, None]], 2)
    grid = F.affine_grid(maps, list(images.shape), align_corners=True)
    return F.grid_sample(images, grid, align_corners=True)


def one_side(turn):
    def augment(images, generator):
        torch.rand(1, generator=generator)
        u = torch.rand(4, len(images), generator=generator)
        angle, scale = turn * math.pi / 180 * u[0], 0.9 + 0.2 * u[1]
        rows = torch.stack([scale * angle.cos(), -scale * angle.sin(), (u[2] - 0.5) * 2 / 7,
                            scale * angle.sin(), scale * angle.cos(), (u[3] - 0.5) * 2 / 7], 1).view(-1, 2, 3)
        return F.grid_sample(images, F.affine_grid(rows.to(images), images.shape, align_corners=False),
                             align_corners=False)

    return augment


RIGHT = {
    "11.1": [draw(), draw_by_numpy_sort, draw_by_multinomial],
    "11.2": [augmentation(), augment_by_corners],
}

MUTANTS = {
    "11.1": [
        (draw_with_its_own, "generator=None"), (draw_reseeding, "torch.manual_seed"),
        (draw(order=lambda n, g: torch.randperm(n)), "generator=generator"), (draw(order=seeded), "do not seed"),
        (draw(order=lambda n, g: torch.randint(n, (n,), generator=g)), "twice"),
        (draw(first=lambda order, n: torch.arange(n)), "do not seed"),
        (draw(first=lambda order, n: order[:n] % 150), "twice"),
        (draw(first=lambda order, n: order[order < 250][:n]), "uniform"),
        (draw(each=first_of_each), "do not seed"), (draw(each=lambda y, k, order: order[:4 * k]), "per_class times"),
        (draw(first=lambda order, n: order), "not a mask"),
        (draw(first=lambda order, n: order[:10]), "number of indices"),
        (draw(first=lambda order, n: order[:n].float()), "int64"),
        (draw(first=lambda order, n: torch.isin(torch.arange(300), order[:n])), "not a mask"),
        (draw(first=lambda order, n: order[:n] + 250), "outside"),
        (lambda labels, per_class=None, n=100, generator=None: labels[draw()(labels, per_class, n, generator)],
         "not the labels"),
        (lambda labels, per_class=None, n=100, generator=None: draw()(labels, per_class or n // 4, n, generator),
         "as often as chance"),
    ],
    "11.2": [
        (augmentation(move=1.0), "moved enough"), (augmentation(turn=7.5), "turned enough"),
        (augmentation(out=lambda x, y: y[..., :28, :28]), "another side"), (augmentation(tied=True), "go together"),
        (augment_reseeding, "torch.manual_seed"),
        (augmentation(turn=180), "a 6 turned"), (augmentation(turn=30), "15°"),
        (augmentation(radians=lambda degrees: degrees), "radians"),
        (augmentation(low=0.5, high=1.5), "scaled"), (augmentation(move=6), "more than 2"),
        (augmentation(unit=1.0), "14 pixels"), (augmentation(n_maps=lambda images: 1), "same map"),
        (augmentation(numbers=torch.rand), "generator=generator"), (augmentation(seed=0), "do not seed"),
        (augmentation(out=lambda x, y: x.clone()), "nothing moves"), (augmentation(turn=0), "turned"),
        (augmentation(low=1, high=1), "scaled"), (augmentation(move=0), "moved"),
        (augmentation(flip=-1.0), "mirror"), (augmentation(shear=0.3), "sheared"),
        (augmentation(padding="border"), "black"), (augmentation(mode="bicubic"), "bilinear"),
        (augmentation(out=lambda x, y: None), "return"), (augmentation(out=lambda x, y: y[:, 0]), "F.affine_grid"),
        (one_side(15), "both ways"),
    ],
}
