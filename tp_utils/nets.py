"""Pretrained ImageNet networks, and the normalisation that they expect.

SqueezeNet 1.1 is embedded in data/. The others are looked for like data sets: in the cache, on the classroom
mirror ($TP_MIRROR), at the official address that torchvision knows. Offline, SqueezeNet takes their place.
"""

import torch

from .data.fetch import FetchError, fetch, from_mirror, mirror, sums, verify
from .runtime import ROOT, cache_dir, device, say

EMBEDDED = "squeezenet1_1"
NAMES = (EMBEDDED, "alexnet", "vgg16", "resnet18", "efficientnet_b0")  # the course's; others work too
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1], per channel

# What is said to the reader.
FOUND = "{name}: pretrained on ImageNet, {where}."
ABSENT = "{name}: its weights are not to be had here ({why}); SqueezeNet 1.1 (embedded) takes its place."
NO_MIRROR_NO_NET = "not in the cache{mirror}, and {error}"


def pretrained(name, fallback=True):
    """A torchvision classifier trained on ImageNet, in eval mode, on the device, its weights frozen.

    name:      torchvision's name, e.g. "vgg16" (weights IMAGENET1K_V1)
    fallback:  where the weights are not to be had: True gives the embedded SqueezeNet 1.1 and says so,
               False raises FetchError

    The attribute `name` of the returned nn.Module says which network it is. Input: float32 [N, 3, H, W],
    normalised with MEAN and STD; output: scores [N, 1000] before softmax.
    """
    try:
        weights, where = state_dict(name)
    except FetchError as error:
        if not fallback:
            raise
        say(ABSENT.format(name=name, why=error))
        return pretrained(EMBEDDED)
    say(FOUND.format(name=name, where=where), network=name, place=where)
    network = build(name)
    network.load_state_dict(weights)
    network.name = name
    return network.requires_grad_(False).eval().to(device())


def build(name):
    """The torchvision network with untrained weights (quickly: their random initialisation is skipped)."""
    from torchvision.models import get_model

    with torch.device("meta"):
        network = get_model(name, weights=None)
    return network.to_empty(device="cpu")


def state_dict(name):
    """(weights, where they were found). Raises FetchError, ValueError for a name torchvision has not."""
    if name == EMBEDDED:
        from safetensors.torch import load_file

        path = ROOT / "data" / f"{EMBEDDED}.safetensors"
        verify(path, sums(str(path.parent))[path.name])
        return load_file(path), "embedded"
    url = official_url(name)
    file = url.rpartition("/")[2]
    kept, digits = cache_dir("networks") / file, file.rpartition("-")[2].removesuffix(".pth")
    where = "kept before (cache)" if kept.exists() else "from the official source"
    if not kept.exists() and (path := from_mirror(file, kept)):
        return torch.load(path, map_location="cpu", weights_only=True), "from the classroom mirror"
    try:
        path = fetch(url, kept, digits)
    except FetchError as error:
        raise FetchError(NO_MIRROR_NO_NET.format(mirror=" nor on the mirror" * bool(mirror()), error=error)) from error
    return torch.load(path, map_location="cpu", weights_only=True), where


def official_url(name):
    """Address of torchvision's IMAGENET1K_V1 weights; the file name ends in the first digits of its SHA-256."""
    from torchvision.models import get_model_weights

    return get_model_weights(name)["IMAGENET1K_V1"].url


def where(name):
    """The place that would be tried first for the network, in words, without fetching anything."""
    if name == EMBEDDED:
        return "embedded"
    file = official_url(name).rpartition("/")[2]
    if (cache_dir("networks") / file).exists():
        return "kept before (cache)"
    try:
        if mirror() and file in sums(mirror()):
            return "from the classroom mirror"
    except FetchError:
        pass
    return "from the official source, or else SqueezeNet 1.1"


def available(names=NAMES):
    """The names of those networks whose weights are to be had here; says so of those that are not."""
    found = []
    for name in names:
        try:
            state_dict(name)
            found.append(name)
        except FetchError as error:
            say(f"{name} is left out: {error}.")
    return found


def export(folder):
    """Copy the networks that are to be had, besides the embedded one, into a classroom mirror."""
    import shutil

    for name in available(NAMES[1:]):
        file = official_url(name).rpartition("/")[2]
        if (kept := cache_dir("networks") / file).exists():
            shutil.copyfile(kept, folder / file)


def categories():
    """The 1000 class names of ImageNet."""
    from torchvision.models import SqueezeNet1_1_Weights

    return SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"]


def to_input(images):
    """Images as the networks expect them: float32 [N, 3, H, W], normalised, on the device, channels last.

    images: uint8 [N, 3, H, W] or float32 in [0, 1]
    """
    pixels = images.to(device())
    pixels = pixels.float() / 255 if pixels.dtype == torch.uint8 else pixels
    mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (MEAN, STD))
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def to_pixels(inputs):
    """The way back from `to_input`: float32 [N, 3, H, W] in [0, 1], on the CPU."""
    mean, std = (torch.tensor(v, device=inputs.device).view(3, 1, 1) for v in (MEAN, STD))
    return (inputs.detach() * std + mean).clamp(0, 1).cpu()
