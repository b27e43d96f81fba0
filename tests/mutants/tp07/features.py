"""Answers to the exercises 7.4 and 7.5."""

import copy

import torch
from torch import nn
from torch.nn import functional as F

import tp_utils as tp

from .common import normalise, stats


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


def extract_into_zeros(fill):
    """A tensor of zeros is made beforehand; fill(rows, number of the batch, batch_size, its features)."""
    def extract(extractor, images, batch_size):
        parts = [F.normalize(part, dim=1) for part in batches(extractor, images, batch_size)]
        rows = torch.zeros(len(images), parts[0].shape[1])
        for number, part in enumerate(parts):
            fill(rows, number, batch_size, part)
        return rows

    return extract


def fill_first(rows, number, size, part):
    rows[:len(part)] = part


def fill_numbered(rows, number, size, part):
    rows[number:number + len(part)] = part


def fill_whole(rows, number, size, part):
    if len(part) == size:
        rows[number * size:(number + 1) * size] = part


def fill_right(rows, number, size, part):
    rows[number * size:number * size + len(part)] = part


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


RIGHT = {
    "7.4": [RightAtOnce, RightByLayers, lambda vgg16: cut(-1)(vgg16)],
    "7.5": [extract_by_slices, extract_into_zeros(fill_right)],
}

MUTANTS = {
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
        *((extract_into_zeros(fill), "not filled everywhere") for fill in (fill_first, fill_numbered, fill_whole)),
        (extract_into_zeros(lambda *_: None), "not filled everywhere"),
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
}
