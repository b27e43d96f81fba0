"""Answers to the exercises of TP 11: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from tp_utils.practicals.tp11 import Discriminator

# ---- 11.1


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


# ---- 11.2


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


# ---- 11.3


def cnn(norm=nn.BatchNorm2d, act=nn.ReLU, kernel=3, padding=1, widths=(32, 32, 64, 64), pool=lambda: nn.MaxPool2d(2),
        dropout=lambda: nn.Dropout(0.5), end=nn.Identity, classes_used=True, swap=False, pools=(1, 3)):
    class FewLabelCNN(nn.Module):
        def __init__(self, classes=10):
            super().__init__()
            layers, inputs = [], 1
            for k, outputs in enumerate(widths):
                middle = [norm(outputs), act()] if norm else [act()]
                layers += [nn.Conv2d(inputs, outputs, kernel, padding=padding), *(middle[::-1] if swap else middle)]
                layers += [pool()] if k in pools else []
                inputs = outputs
            self.features = nn.Sequential(*layers)
            side = self.features(torch.zeros(1, 1, 28, 28)).flatten(1).shape[1]
            self.last = nn.Sequential(dropout(), nn.Linear(side, classes if classes_used else 10), end())

        def forward(self, x):
            return self.last(self.features(x).flatten(1))

    return FewLabelCNN


class FunctionalCNN(nn.Module):
    """Layers one by one, functional activations, the dropout too, no biases before batch norm."""

    def __init__(self, classes=10):
        super().__init__()
        for k, (a, b) in enumerate(((1, 32), (32, 32), (32, 64), (64, 64))):
            setattr(self, f"conv{k}", nn.Conv2d(a, b, 3, padding="same", bias=False))
            setattr(self, f"norm{k}", nn.BatchNorm2d(b))
        self.head = nn.Linear(3136, classes)

    def forward(self, x):
        for k in range(4):
            x = getattr(self, f"norm{k}")(getattr(self, f"conv{k}")(x)).relu()
            if k % 2:
                x = F.max_pool2d(x, 2)
        return self.head(F.dropout(x.reshape(len(x), -1), 0.5, self.training))


class NormsInAnyOrder(nn.Module):
    """Right: the batch norms are made in another order than they are used."""

    def __init__(self, classes=10, shared=False):
        super().__init__()
        wide, narrow = [nn.BatchNorm2d(64) for _ in range(2)], [nn.BatchNorm2d(32) for _ in range(2)]
        self.norms = nn.ModuleList([*wide, *narrow])
        order = (2, 2, 0, 0) if shared else (3, 2, 1, 0)
        sizes = [(1, 32), (32, 32), (32, 64), (64, 64)]
        layers = []
        for k, ((a, b), which) in enumerate(zip(sizes, order, strict=True)):
            layers += [nn.Conv2d(a, b, 3, padding=1), self.norms[which], nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if k % 2 else []
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Dropout(), nn.Linear(3136, classes))

    def forward(self, x):
        return self.layers(x)


def shares_norms(classes=10):
    return NormsInAnyOrder(classes, shared=True)


class AlwaysDrops(FunctionalCNN):
    def forward(self, x):
        return super().forward(x) + 0 * self.head(F.dropout(torch.ones(len(x), 3136, device=x.device), 0.5)) \
            + F.dropout(torch.ones(len(x), 1, device=x.device), 0.5)


# ---- 11.4


def replaced(base=copy.deepcopy, last=lambda old, classes: nn.Linear(old.in_features, classes), frozen=False):
    def classifier_from(discriminator, classes):
        network = base(discriminator)
        network.last = last(network.last, classes)
        for parameter in network.parameters():
            parameter.requires_grad_(True)
        if frozen:
            network.features.requires_grad_(False)
        return network

    return classifier_from


class Detaching(Discriminator):
    def forward(self, x):
        return self.last(self.features(x).detach())


def detaching(discriminator, classes):
    network = replaced()(discriminator, classes)
    network.__class__ = Detaching
    return network


def by_state_dict(discriminator, classes):
    network = Discriminator(classes).to(discriminator.last.weight.device)
    weights = {name: value for name, value in discriminator.state_dict().items() if not name.startswith("last")}
    network.load_state_dict(weights, strict=False)
    return network


def shares_features(discriminator, classes):
    network = copy.copy(discriminator)
    network._modules = dict(discriminator._modules)
    network.last = nn.Linear(discriminator.last.in_features, classes)
    return network.requires_grad_(True)


# ---- 11.8


def clip(names=lambda name: True, how=lambda w, b: w.clamp_(-b, b)):
    def clip_weights(critic, bound):
        with torch.no_grad():
            for name, weight in critic.named_parameters():
                if names(name):
                    how(weight, bound)

    return clip_weights


def clip_by_data(critic, bound):
    for weight in critic.parameters():
        weight.data = weight.data.clamp(-bound, bound)


def clip_by_copy(critic, bound):
    for weight in critic.parameters():
        with torch.no_grad():
            weight.copy_(torch.minimum(torch.maximum(weight, torch.full_like(weight, -bound)),
                                       torch.full_like(weight, bound)))


def clip_in_the_open(critic, bound):
    for weight in critic.parameters():
        weight.clamp_(-bound, bound)


def clip_state_dict(critic, bound):
    for value in critic.state_dict().values():
        if value.is_floating_point():
            value.clamp_(-bound, bound)


def clip_and_leave_off(critic, bound):
    torch.set_grad_enabled(False)
    clip()(critic, bound)


def clip_replaces(critic, bound):
    for module in critic.modules():
        for name, weight in list(module.named_parameters(recurse=False)):
            setattr(module, name, nn.Parameter(weight.detach().clamp(-bound, bound)))


# ---- 11.9


def penalty(share=lambda n, g: torch.rand(n, 1, 1, 1, generator=g), create=True,
            norm=lambda g: g.flatten(1).norm(dim=1), result=lambda n: (n - 1).pow(2).mean()):
    def gradient_penalty(critic, real, fake, generator):
        epsilon = share(len(real), generator).to(real.device)
        between = (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_(True)
        (gradient,) = torch.autograd.grad(critic(between).sum(), between, create_graph=create)
        return result(norm(gradient))

    return gradient_penalty


def penalty_by_lerp(critic, real, fake, generator):
    share = torch.rand(len(real), generator=generator).to(real.device).view(-1, 1, 1, 1)
    between = torch.lerp(fake, real, share).requires_grad_()
    scores = critic(between)
    gradient = torch.autograd.grad(scores, between, torch.ones_like(scores), create_graph=True)[0]
    return ((gradient.pow(2).sum((1, 2, 3)).sqrt() - 1) ** 2).mean()


def penalty_by_vmap(critic, real, fake, generator):
    share = torch.rand(len(real), 1, 1, 1, generator=generator).to(real.device)
    slope = torch.func.vmap(torch.func.grad(lambda x: critic(x[None]).squeeze()))(share * real + (1 - share) * fake)
    return (slope.flatten(1).norm(dim=1) - 1).pow(2).mean()


def penalty_backward(critic, real, fake, generator):
    share = torch.rand(len(real), 1, 1, 1, generator=generator)
    between = (share * real + (1 - share) * fake).detach().requires_grad_(True)
    critic(between).sum().backward(create_graph=True)
    return (between.grad.flatten(1).norm(dim=1) - 1).pow(2).mean()


# ---- 11.10


def semi(score=lambda x: x.logsumexp(1), cross=F.cross_entropy, real_sign=-1, half=1.0, parts=(1, 1, 1), reduce="mean"):
    def semi_supervised_loss(labelled_logits, labels, unlabelled_logits, fake_logits):
        real = getattr(F.softplus(real_sign * score(unlabelled_logits)), reduce)()
        fake = getattr(F.softplus(-real_sign * score(fake_logits)), reduce)()
        return parts[0] * cross(labelled_logits, labels) + half * (parts[1] * real + parts[2] * fake)

    return semi_supervised_loss


def semi_by_extra_class(labelled_logits, labels, unlabelled_logits, fake_logits):
    def with_zero(logits):
        return torch.cat([logits, torch.zeros_like(logits[:, :1])], 1).log_softmax(1)

    k = labelled_logits.shape[1]
    fake = with_zero(fake_logits)[:, k]
    real = with_zero(unlabelled_logits)[:, :k].logsumexp(1)
    return F.nll_loss(labelled_logits.log_softmax(1), labels) - real.mean() - fake.mean()


def semi_by_where(labelled_logits, labels, unlabelled_logits, fake_logits):
    """Finite at ±1000, but torch.where computes the gradient of both sides."""
    def softplus(t):
        return torch.where(t > 30, t, torch.log1p(torch.exp(t)))

    return (F.cross_entropy(labelled_logits, labels) + softplus(-unlabelled_logits.logsumexp(1)).mean()
            + softplus(fake_logits.logsumexp(1)).mean())


def semi_unstable(labelled_logits, labels, unlabelled_logits, fake_logits):
    real, fake = unlabelled_logits.exp().sum(1), fake_logits.exp().sum(1)
    return F.cross_entropy(labelled_logits, labels) - (real / (1 + real)).log().mean() - (1 / (1 + fake)).log().mean()


def twice(logits, labels):
    return F.cross_entropy(logits.softmax(1), labels)


# ---- 11.11, 11.12


def select(score=lambda x: x.softmax(1), above=lambda s, t: s > t, find=lambda m: m.nonzero().flatten(),
           labels=lambda y, i: y[i]):
    def select_pseudo_labels(logits, threshold):
        sure, y = score(logits).max(1)
        chosen = find(above(sure, threshold))
        return chosen, labels(y, chosen)

    return select_pseudo_labels


def select_squeezed(logits, threshold):
    sure, labels = logits.softmax(1).max(1)
    indices = (sure > threshold).nonzero().squeeze()
    return indices, labels[indices]


def select_all_above(logits, threshold):
    """Every class above the threshold, not the most probable one only."""
    return (logits.softmax(1) > threshold).nonzero().unbind(1)


def select_in_order_of_surety(logits, threshold):
    sure, labels = F.softmax(logits, 1).max(1)
    order = sure.argsort(descending=True)
    order = order[sure[order] > threshold]
    return [order, labels[order]]


def weights(rate=lambda c: c.diag() / c.sum(1).clamp_min(1), shape=lambda r: 1.1 - r, scale=lambda w: w / w.mean()):
    return lambda confusion: scale(shape(rate(confusion))).float()


MATCH = {
    "mse": lambda r, f: F.mse_loss(r.mean(0), f.mean(0)),
    "norm": lambda r, f: (r.mean(0) - f.mean(0)).norm(),
    "abs": lambda r, f: (r.mean(0) - f.mean(0)).abs().sum(),
    "pairs": lambda r, f: torch.cdist(r, f).pow(2).mean(),
    "one mean": lambda r, f: (r.mean() - f.mean()).pow(2),
    "sum": lambda r, f: (r.sum(0) - f.sum(0)).pow(2).sum(),
    "cut": lambda r, f: (r.mean(0) - f.mean(0)).pow(2).sum().detach(),
    "each": lambda r, f: (r.mean(0) - f.mean(0)).pow(2),
}

RIGHT = {
    "11.1": [draw(), draw_by_numpy_sort, draw_by_multinomial],
    "11.2": [augmentation(), augment_by_corners],
    "11.3": [cnn(), FunctionalCNN, NormsInAnyOrder],
    "11.4": [replaced(), by_state_dict],
    "11.5": [lambda q, c: -q.log_softmax(1)[torch.arange(len(c)), c].mean(),
             lambda q, c: F.nll_loss(F.log_softmax(q, 1), c)],
    "11.6": [lambda r, f: -(r.mean() - f.mean()), lambda r, f: f.sum() / len(f) - r.sum() / len(r)],
    "11.7": [lambda f: -f.sum() / len(f), lambda f: (-f).mean()],
    "11.8": [clip(), clip_by_data, clip_by_copy],
    "11.9": [penalty(), penalty_by_lerp, penalty_by_vmap],
    "11.10": [semi(), semi_by_extra_class],
    "11.11": [select(), select_in_order_of_surety],
    "11.12": [weights(), weights(shape=lambda r: (2 - r) ** 2), weights(shape=lambda r: torch.exp(-r))],
    "11.13": [lambda r, f: (f.mean(0) - r.mean(0)).square().sum(), lambda r, f: (r.mean(0) - f.mean(0)).norm() ** 2],
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
    "11.3": [
        (cnn(dropout=lambda: nn.Dropout(0.3)), "about half"), (cnn(dropout=lambda: nn.Dropout(0.7)), "about half"),
        (cnn(pool=lambda: nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.25))), "before the last pool"),
        (cnn(norm=None), "BatchNorm2d"), (cnn(act=nn.Identity), "ReLU"), (cnn(swap=True), "BatchNorm2d, then ReLU"),
        (cnn(act=lambda: nn.LeakyReLU(0.2)), "ReLU"), (cnn(kernel=5, padding=2), "3 × 3"),
        (cnn(widths=(32, 64, 64, 128)), "to 32, 32, 64 and 64"), (cnn(padding=0), "padding"),
        (cnn(pool=lambda: nn.AvgPool2d(2)), "MaxPool2d"), (cnn(dropout=nn.Identity), "Dropout there"),
        (cnn(dropout=lambda: nn.Dropout(0.05)), "half"), (cnn(dropout=lambda: nn.Dropout(0.9)), "half"),
        (cnn(end=lambda: nn.Softmax(1)), "no softmax"), (cnn(classes_used=False), "as many outputs"),
        (AlwaysDrops, "eval mode"), (shares_norms, "of its own"), (lambda classes=10: None, "class"),
    ],
    "11.4": [
        (detaching, "detach"),
        (replaced(base=lambda d: d), "deep copy"), (shares_features, "deep copy"),
        (replaced(base=lambda d: Discriminator().to(d.last.weight.device)), "features must be"),
        (replaced(last=lambda old, classes: old), "nn.Linear"), (replaced(frozen=True), "learn"),
        (replaced(last=lambda old, classes: nn.Linear(old.in_features, 10)), "nn.Linear"),
        (replaced(last=lambda old, classes: nn.Sequential(nn.Linear(old.in_features, classes), nn.Softmax(1))),
         "nn.Linear"),
        (lambda d, classes: None, "return"),
    ],
    "11.5": [
        (lambda q, c: -F.cross_entropy(q, c), "sign"), (lambda q, c: F.cross_entropy(q, c, reduction="sum"), "sum"),
        (lambda q, c: F.cross_entropy(q.softmax(1), c), "twice"), (lambda q, c: F.nll_loss(q, c), "softmax is missing"),
        (lambda q, c: F.nll_loss(q.softmax(1), c), "logarithm is missing"),
        (lambda q, c: F.cross_entropy(q.detach(), c), "gradient"),
        (lambda q, c: F.cross_entropy(q, c, reduction="none"), "scalar"),
        (lambda q, c: -(q.softmax(1) * q.log_softmax(1)).sum(1).mean(), "entropy"),
        (lambda q, c: F.binary_cross_entropy_with_logits(q, F.one_hot(c, 5).float()), "one of k codes"),
    ],
    "11.6": [
        (lambda r, f: r.mean() - f.mean(), "sign"), (lambda r, f: f.sum() - r.sum(), "sum"),
        (lambda r, f: (f.mean() - r.mean()).abs(), "absolute"), (lambda r, f: f.mean() + r.mean(), "pull apart"),
        (lambda r, f: f.sigmoid().mean() - r.sigmoid().mean(), "no sigmoid"), (lambda r, f: -r.mean(), "generated"),
        (lambda r, f: F.softplus(-r).mean() + F.softplus(f).mean(), "no sigmoid"),
        (lambda r, f: f.mean() - r.mean().detach(), "gradient"),
    ],
    "11.7": [
        (lambda f: f.mean(), "sign"), (lambda f: -f.sum(), "sum"), (lambda f: F.softplus(-f).mean(), "no sigmoid"),
        (lambda f: -f.sigmoid().mean(), "no sigmoid"), (lambda f: -f, "scalar"), (lambda f: -f.mean().item(), "tensor"),
        (lambda f: (1 - f).mean(), "no 1"),
    ],
    "11.8": [
        (clip_in_the_open, "no_grad()"), (clip_state_dict, "no weights"), (clip_and_leave_off, "ends by itself"),
        (lambda critic, bound: nn.utils.clip_grad_value_(critic.parameters(), bound), "clips the gradients"),
        (clip(names=lambda name: "bias" not in name), "biases"),
        (clip(names=lambda name: name.startswith("0")), "biases"),
        (clip(how=lambda w, b: w.clamp(-b, b)), "copy"), (clip(how=lambda w, b: w.clamp_(0, b)), "stay what they are"),
        (clip(how=lambda w, b: w.mul_(b / w.abs().max())), "stay what they are"), (clip_replaces, "optimiser"),
        (clip(how=lambda w, b: w.requires_grad_(False).clamp_(-b, b)), "requires_grad"),
        (clip(how=lambda w, b: w.clamp_(max=b)), "biases"),
    ],
    "11.9": [
        (penalty(share=lambda n, g: torch.rand(n, 2, 1, 1, generator=g)), "one ε per image"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 1, 1, generator=g or torch.Generator())), "generator=None"),
        (penalty(create=False), "create_graph"), (penalty_backward, "leaves it alone"),
        (penalty(result=lambda n: (n - 1).clamp_min(0).pow(2).mean()), "two-sided"),
        (penalty(result=lambda n: (n**2 - 1).pow(2).mean()), "not its square"),
        (penalty(result=lambda n: (n - 1).abs().mean()), "squared"),
        (penalty(result=lambda n: n.pow(2).mean()), "with 1"),
        (penalty(result=lambda n: (n - 1).pow(2).sum()), "sum"),
        (penalty(result=lambda n: 10 * (n - 1).pow(2).mean()), "λ"),
        (penalty(norm=lambda g: g.norm()), "whole batch"),
        (penalty(norm=lambda g: g.flatten(1).abs().sum(1)), "Euclidean"),
        (penalty(norm=lambda g: g.norm(dim=1)), "per image"), (penalty(result=lambda n: (n - 1).pow(2)), "scalar"),
        (penalty(share=lambda n, g: torch.rand(1, 1, 1, 1, generator=g)), "of its own"),
        (penalty(share=lambda n, g: torch.ones(n, 1, 1, 1)), "real image"),
        (penalty(share=lambda n, g: torch.zeros(n, 1, 1, 1)), "generated image"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 4, 4, generator=g) if n > 6 else torch.zeros(n, 1, 1, 1)),
         "per pixel"),
        (penalty(share=lambda n, g: torch.randn(n, 1, 1, 1, generator=g)), "between"),
        (penalty(share=lambda n, g: torch.rand(n, 1, 1, 1)), "generator=generator"),
    ],
    "11.10": [
        (semi_by_where, "NaN at"),
        (semi(cross=twice), "twice"), (semi(score=lambda x: x.amax(1)), "logsumexp"),
        (semi(score=lambda x: x.mean(1)), "logsumexp"), (semi(score=lambda x: x.exp().sum(1)), "logarithm is missing"),
        (semi(real_sign=1), "swapped"), (semi(half=0.5), "1/2"), (semi(parts=(0, 1, 1)), "labelled"),
        (semi(parts=(1, 0, 1)), "unlabelled"), (semi(parts=(1, 1, 0)), "generated"), (semi_unstable, "±1000"),
        (semi(score=lambda x: x.exp().sum(1).log()), "±1000"),
        (lambda lab, y, r, f: F.cross_entropy(lab, y) - r.logsumexp(1).mean() + f.logsumexp(1).mean(), "logit 0"),
        (lambda *args: semi()(*args).detach(), "gradient"),
    ],
    "11.11": [
        (select_squeezed, "squeeze"), (select_all_above, "sure > threshold"),
        (select(score=lambda x: x), "logits"), (select(score=torch.sigmoid), "sigmoid"),
        (select(above=lambda s, t: s >= t - 1e-7), "not at it"), (select(above=lambda s, t: s < t), "below"),
        (select(labels=lambda y, i: y), "chosen images only"), (select(find=lambda m: m), "mask"),
        (lambda logits, t: select()(logits, t)[0], "pair"),
        (select(labels=lambda y, i: y[i].float()), "int64"),
    ],
    "11.12": [
        (weights(shape=lambda r: 1 - r + 1e-8), "at least 0.1"),
        (weights(rate=lambda c: -(c.sum(1) - c.diag()).double(), shape=lambda r: 1 - r), "lower recall"),
        (weights(shape=lambda r: torch.nan_to_num(1 / r, posinf=1.0)), "never right"),
        (weights(shape=lambda r: r), "other way round"),
        (weights(rate=lambda c: c.diag() / c.sum(0).clamp_min(1)), "columns"),
        (weights(scale=lambda w: w / w.sum()), "mean of the weights"),
        (weights(scale=lambda w: w), "mean of the weights"),
        (weights(shape=lambda r: 1 / r), "finite"), (weights(rate=lambda c: c.diag() / c.sum(1)), "finite"),
        (weights(shape=lambda r: 1 - r), "finite"), (weights(shape=torch.ones_like), "larger weight"),
        (lambda c: None, "return"),
    ],
    "11.13": [
        (MATCH["mse"], "mean over the features"), (MATCH["norm"], "square it"),
        (MATCH["abs"], "square the differences"),
        (MATCH["pairs"], "mean first"), (MATCH["one mean"], "per feature"), (MATCH["sum"], "sum"),
        (MATCH["cut"], "gradient"), (MATCH["each"], "scalar"),
    ],
}
