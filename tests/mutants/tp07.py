"""Answers to the exercises of TP 7 as students write them: right ones, and wrong ones with their hint."""

import copy

import torch
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold, cross_val_score
from sklearn.svm import LinearSVC
from torch import nn
from torch.nn import functional as F
from torchvision.transforms import v2

import tp_utils as tp

# ---- 7.1


def stats(images, shape=(3, 1, 1)):
    mean = torch.tensor([0.485, 0.456, 0.406], device=images.device)
    std = torch.tensor([0.229, 0.224, 0.225], device=images.device)
    return mean.view(shape), std.view(shape)


def normalise(images):
    mean, std = stats(images, (1, 3, 1, 1))
    return images.div(255).sub(mean).div(std)


def normalise_by_torchvision(images):
    return v2.functional.normalize(images.float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def normalise_without_255(images):
    mean, std = stats(images)
    return (images.float() - mean) / std


def normalise_255_last(images):
    mean, std = stats(images)
    return (images.float() - mean) / std / 255


def normalise_mean_255(images):
    mean, std = stats(images)
    return (images / 255 - mean * 255) / std


def normalise_integers(images):
    mean, std = stats(images)
    return (images // 255 - mean) / std


def normalise_without_std(images):
    return images / 255 - stats(images)[0]


def normalise_without_mean(images):
    return images / 255 / stats(images)[1]


def normalise_times_std(images):
    mean, std = stats(images)
    return (images / 255 - mean) * std


def normalise_swapped(images):
    mean, std = stats(images)
    return (images / 255 - std) / mean


def normalise_own_statistics(images):
    images = images.float()
    return (images - images.mean(dim=(0, 2, 3), keepdim=True)) / images.std(dim=(0, 2, 3), keepdim=True)


def normalise_width(images):
    mean, std = stats(images, 3)
    return (images / 255 - mean) / std


def normalise_bgr(images):
    mean, std = stats(images)
    return (images / 255 - mean.flip(0)) / std.flip(0)


# ---- 7.2


def top_by_sort(network, images, k=5):
    probabilities, indices = torch.exp(F.log_softmax(network(images).detach(), dim=-1)).sort(descending=True)
    return [probabilities[:, :k], indices[:, :k]]


@torch.no_grad()
def top_scores(network, images, k=5):
    return network(images).topk(k)


@torch.no_grad()
def top_batch_axis(network, images, k=5):
    return network(images).softmax(dim=0).topk(k)


@torch.no_grad()
def top_ascending(network, images, k=5):
    probabilities, indices = network(images).softmax(dim=1).sort(dim=1)
    return probabilities[:, -k:], indices[:, -k:]


@torch.no_grad()
def top_smallest(network, images, k=5):
    return network(images).softmax(dim=1).topk(k, largest=False)


def top_gradient(network, images, k=5):
    return network(images).softmax(dim=1).topk(k)


@torch.no_grad()
def top_swapped(network, images, k=5):
    probabilities, indices = network(images).softmax(dim=1).topk(k)
    return indices, probabilities


@torch.no_grad()
def top_fixed(network, images, k=5):
    return network(images).softmax(dim=1).topk(5)


@torch.no_grad()
def top_softmax_late(network, images, k=5):
    scores, indices = network(images).topk(k)
    return scores.softmax(dim=1), indices


@torch.no_grad()
def top_images(network, images, k=5):
    return network(images).softmax(dim=1).topk(k, dim=0)


@torch.no_grad()
def top_ranks(network, images, k=5):
    probabilities, _ = network(images).softmax(dim=1).topk(k)
    return probabilities, torch.arange(k, device=images.device).expand(len(images), k)


@torch.no_grad()
def top_probabilities_only(network, images, k=5):
    return network(images).softmax(dim=1).topk(k).values


# ---- 7.3


def grey_first_only(images):
    result = torch.zeros(len(images), 3, *images.shape[2:], dtype=images.dtype, device=images.device)
    result[:, :1] = images
    return result


# ---- 7.4


class RightAtOnce(nn.Module):
    """Without the average pooling, which changes nothing at 224 x 224."""

    def __init__(self, vgg16):
        super().__init__()
        self.layers = nn.Sequential(vgg16.features, nn.Flatten(), *list(vgg16.classifier)[:5])

    def forward(self, x):
        return self.layers(x)


class RightByLayers(nn.Module):
    def __init__(self, vgg16):
        super().__init__()
        self.vgg = vgg16

    def forward(self, x):
        x = self.vgg.avgpool(self.vgg.features(x)).view(len(x), 25088)
        for layer in self.vgg.classifier[:6]:
            x = layer(x)
        return x


def cut(stop, start=0, flatten=True):
    """A network that keeps the layers start:stop of the classifier."""

    class Cut(nn.Module):
        def __init__(self, vgg16):
            super().__init__()
            self.features, self.avgpool = vgg16.features, vgg16.avgpool
            self.classifier = vgg16.classifier[start:stop]

        def forward(self, x):
            x = self.avgpool(self.features(x))
            return self.classifier(x.flatten(1) if flatten else x)

    return Cut


class FreshClassifier(cut(5)):
    def __init__(self, vgg16):
        super().__init__(vgg16)
        self.classifier = copy.deepcopy(self.classifier)
        for layer in self.classifier:
            if isinstance(layer, nn.Linear):
                layer.reset_parameters()


class Shortened(cut(5)):
    """Damages the network that it is given."""

    def __init__(self, vgg16):
        super().__init__(vgg16)
        vgg16.classifier = vgg16.classifier[:5]
        self.v = vgg16

    def forward(self, x):
        return self.v(x)


class AvgpoolDeleted(cut(5)):
    def __init__(self, vgg16):
        super().__init__(vgg16)
        del vgg16.avgpool


class WithoutSuper(nn.Module):
    def __init__(self, vgg16):
        self.classifier = vgg16.classifier[:5]


# ---- 7.5


@torch.no_grad()
def batches(extractor, images, batch_size, prepare=normalise):
    """The features of each batch, as in the solution."""
    return [extractor.eval()(prepare(batch.to(tp.device()))).cpu() for batch in images.split(batch_size)]


def extract_by_slices(extractor, images, batch_size):
    training = extractor.training
    extractor.eval()
    result = torch.empty(len(images), 0)
    for start in range(0, len(images), batch_size):
        with torch.inference_mode():
            rows = extractor(normalise(images[start : start + batch_size].to(tp.device()))).cpu()
        rows = rows / rows.norm(dim=1, keepdim=True)
        result = rows if start == 0 else torch.cat((result, rows))
    extractor.train(training)
    return result


def extract_not_unit(extractor, images, batch_size):
    return torch.cat(batches(extractor, images, batch_size))


def extract_unit_columns(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size)), dim=0)


def extract_one_norm(extractor, images, batch_size):
    features = torch.cat(batches(extractor, images, batch_size))
    return features / features.norm()


def extract_l1(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size)), p=1, dim=1)


def extract_drop_last(extractor, images, batch_size):
    whole = len(images) // batch_size * batch_size
    return F.normalize(torch.cat(batches(extractor, images[:whole], batch_size)), dim=1)


def extract_reversed(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size)[::-1]), dim=1)


def extract_last_only(extractor, images, batch_size):
    return F.normalize(batches(extractor, images, batch_size)[-1], dim=1)


def extract_first_only(extractor, images, batch_size):
    return F.normalize(batches(extractor, images, batch_size)[0], dim=1)


def extract_stacked(extractor, images, batch_size):
    return F.normalize(torch.stack(batches(extractor, images, batch_size)), dim=-1)


def extract_list(extractor, images, batch_size):
    return [F.normalize(rows, dim=1) for rows in batches(extractor, images, batch_size)]


def extract_in_train_mode(extractor, images, batch_size):
    with torch.no_grad():
        rows = [extractor(normalise(batch.to(tp.device()))).cpu() for batch in images.split(batch_size)]
    return F.normalize(torch.cat(rows), dim=1)


def extract_gradient(extractor, images, batch_size):
    extractor.eval()
    rows = [extractor(normalise(batch.to(tp.device()))).cpu() for batch in images.split(batch_size)]
    return F.normalize(torch.cat(rows), dim=1)


def extract_raw(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size, torch.Tensor.float)), dim=1)


def extract_only_255(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size, lambda batch: batch / 255)), dim=1)


def extract_uint8(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, batch_size, lambda batch: batch)), dim=1)


def extract_all_at_once(extractor, images, batch_size):
    return F.normalize(torch.cat(batches(extractor, images, len(images))), dim=1)


def extract_one_by_one(extractor, images, batch_size):
    mean, std = stats(images)
    extractor.eval()
    return torch.stack([extractor(((image / 255 - mean) / std).to(tp.device())) for image in images])


# ---- 7.6


def accuracy(features, labels, c):
    return cross_val_score(LinearSVC(C=c), features.numpy(), labels.numpy(), cv=5).mean()


def choose_by_grid(features, labels, candidates):
    search = GridSearchCV(LinearSVC(), {"C": candidates}, cv=5)
    return search.fit(features.numpy(), labels.numpy()).best_params_["C"]


def choose_by_hand(features, labels, candidates):
    """Other folds and a tensor of one number: right all the same."""
    totals = torch.zeros(len(candidates))
    for train, test in StratifiedKFold(5, shuffle=True, random_state=0).split(features, labels):
        for i, c in enumerate(candidates):
            machine = LinearSVC(C=c).fit(features[train], labels[train])
            totals[i] += machine.score(features[test], labels[test])
    return torch.tensor(candidates)[totals.argmax()]


def choose_by(folds=5, **options):
    """Other folds, other options of the machine."""

    def choose(features, labels, candidates):
        x, y = features.numpy(), labels.numpy()
        return max(candidates, key=lambda c: cross_val_score(LinearSVC(C=c, **options), x, y, cv=folds).mean())

    return choose


def choose_score(features, labels, candidates):
    return max(accuracy(features, labels, c) for c in candidates)


def choose_index(features, labels, candidates):
    return torch.tensor([accuracy(features, labels, c) for c in candidates]).argmax()


def choose_by_training(features, labels, candidates):
    x, y = features.numpy(), labels.numpy()
    return max(candidates, key=lambda c: LinearSVC(C=c).fit(x, y).score(x, y))


def choose_by_best_fold(features, labels, candidates):
    def best_fold(c):
        return cross_val_score(LinearSVC(C=c), features.numpy(), labels.numpy(), cv=5).max()

    return max(candidates, key=best_fold)


def choose_worst(features, labels, candidates):
    return min(candidates, key=lambda c: accuracy(features, labels, c))


def choose_first(features, labels, candidates):
    for c in candidates:
        accuracy(features, labels, c)
        return c


def choose_last(features, labels, candidates):
    for c in candidates:
        if accuracy(features, labels, c) > 0:
            best = c
    return best


def choose_scores(features, labels, candidates):
    return [accuracy(features, labels, c) for c in candidates]


def choose_without_return(features, labels, candidates):
    max(candidates, key=lambda c: accuracy(features, labels, c))


RIGHT = {
    "7.1": [normalise, normalise_by_torchvision],
    "7.2": [top_by_sort],
    "7.3": [
        lambda images: torch.cat([images, images, images], dim=1),
        lambda images: images.repeat(1, 3, 1, 1),
        lambda images: torch.stack([images[:, 0]] * 3, dim=1),
    ],
    "7.4": [RightAtOnce, RightByLayers, lambda vgg16: cut(-1)(vgg16)],
    "7.5": [extract_by_slices],
    "7.6": [
        choose_by_grid, choose_by_hand, choose_by(dual=False), choose_by(dual=True, max_iter=5000, random_state=1),
        *(choose_by(Folds(5, shuffle=True, random_state=s)) for Folds in (KFold, StratifiedKFold) for s in range(5)),
    ],
}

MUTANTS = {
    "7.1": [
        (normalise_without_255, "divide by 255"),
        (normalise_255_last, "do it first"),
        (normalise_mean_255, "do not multiply it by 255"),
        (normalise_integers, "division of integers"),
        (normalise_without_std, "what about the standard deviation"),
        (normalise_without_mean, "what about the mean"),
        (lambda images: images / 255, "now the mean"),
        (normalise_times_std, "do not multiply"),
        (normalise_swapped, "changed places"),
        (lambda images: images / 127.5 - 1, "another network's"),
        (normalise_own_statistics, "own statistics"),
        (normalise_width, "another axis"),
        (normalise_bgr, "blue, green, red"),
        (lambda images: normalise(images).permute(0, 2, 3, 1), "channels have moved to the end"),
        (lambda images: normalise(images).double(), "float32"),
        (lambda images: normalise(images).cpu().numpy(), "torch tensor"),
        (lambda images: None, "return"),
    ],
    "7.2": [
        (top_scores, "where is the softmax"),
        (top_batch_axis, "over the images of the batch"),
        (top_ascending, "best first"),
        (top_smallest, "best first"),
        (top_gradient, "computation graph"),
        (top_swapped, "probabilities come first"),
        (top_fixed, "k is an argument"),
        (top_softmax_late, "sum to 1"),
        (top_images, "topk's dim"),
        (top_ranks, "the classes are not"),
        (top_probabilities_only, "return two tensors"),
    ],
    "7.3": [
        (lambda images: images.repeat(3, 1, 1, 1), "along the batch axis"),
        (lambda images: images.repeat(1, 1, 3, 1), "height or width"),
        (lambda images: torch.stack([images] * 3, dim=1), "an axis too many"),
        (lambda images: images.permute(0, 2, 3, 1).repeat(1, 1, 1, 3), "channels have moved to the end"),
        (lambda images: images, "still one channel"),
        (grey_first_only, "only one channel is filled"),
        (lambda images: images.repeat(1, 3, 1, 1) / 3, "not a third"),
        (lambda images: torch.cat([images] * 3).view(-1, 3, *images.shape[2:]), "from different images"),
        (lambda images: images.view(-1, 3, *images.shape[2:]), "from different images"),
        (lambda images: images.repeat(1, 3, 1, 1).float(), "uint8"),
        (lambda images: images.squeeze()[:, None].repeat(1, 3, 1, 1), "axis, number 1"),
    ],
    "7.4": [
        (cut(4), "before the ReLU"),
        (cut(2), "the first fully connected layer"),
        (cut(1), "the first fully connected layer"),
        (cut(7), "last layer"),
        (cut(0), "convolutional features"),
        (cut(5, flatten=False), "[N, 25088]"),
        (FreshClassifier, "new and untrained"),
        (Shortened, "you changed the network"),
        (AvgpoolDeleted, "you changed the network"),
        (WithoutSuper, "super().__init__()"),
        (lambda vgg16: vgg16.classifier[:5], "[N, 25088]"),
        (lambda vgg16: None, "inherits from nn.Module"),
    ],
    "7.5": [
        (extract_not_unit, "do not have norm 1"),
        (extract_unit_columns, "not each row"),
        (extract_one_norm, "divided by its own"),
        (extract_l1, "L2 norm"),
        (extract_drop_last, "incomplete batch is missing"),
        (extract_reversed, "another order"),
        (extract_last_only, "only the last batch"),
        (extract_first_only, "only the first batch"),
        (extract_stacked, "torch.cat"),
        (extract_list, "a list of batches"),
        (extract_in_train_mode, "train mode"),
        (extract_gradient, "computation graph"),
        (extract_raw, "normalise"),
        (extract_only_255, "normalise"),
        (extract_uint8, "normalise"),
        (extract_all_at_once, "all images at once"),
        (extract_one_by_one, "wants a batch"),
    ],
    "7.6": [
        (choose_score, "this is an accuracy"),
        (choose_index, "position"),
        (choose_by_training, "cross-validate"),
        (choose_by_best_fold, "mean over the folds"),
        (choose_worst, "worst"),
        (lambda features, labels, candidates: candidates[2], "better mean"),
        (choose_first, "first candidate"),
        (choose_last, "last candidate"),
        (choose_scores, "one of the candidates"),
        (choose_without_return, "return"),
    ],
}
