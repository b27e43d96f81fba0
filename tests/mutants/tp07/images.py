"""Answers to the exercises 7.1, 7.2 and 7.3."""

import torch
from torch.nn import functional as F
from torchvision.transforms import v2

from .common import normalise, stats


def normalise_by_torchvision(images):
    return v2.functional.normalize(images.float() / 255, [0.485, 0.456, 0.406], [0.229, 0.224, 0.225])


def normalise_with(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225), scale=255):
    def normalise(images):
        return v2.functional.normalize(images.float() / scale, mean, std)

    return normalise


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


def grey_first_only(images):
    result = torch.zeros(len(images), 3, *images.shape[2:], dtype=images.dtype, device=images.device)
    result[:, :1] = images
    return result


RIGHT = {
    "7.1": [normalise, normalise_by_torchvision],
    "7.2": [top_by_sort],
    "7.3": [
        lambda images: torch.cat([images, images, images], dim=1),
        lambda images: images.repeat(1, 3, 1, 1),
        lambda images: torch.stack([images[:, 0]] * 3, dim=1),
    ],
}

MUTANTS = {
    "7.1": [
        (normalise_with(mean=(0.485, 0.465, 0.406)), "green: your numbers come from mean 0.465"),
        (normalise_with(std=(0.229, 0.224, 0.255)), "standard deviation 0.255"),
        (normalise_with((0.4914, 0.4822, 0.4465), (0.2470, 0.2435, 0.2616)), "red: your numbers come from mean 0.4914"),
        (normalise_with(scale=256), "red: your numbers come from mean 0.4869"),
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
}
