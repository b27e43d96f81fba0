"""Pretrained ImageNet networks, and the normalisation that they expect.

SqueezeNet 1.1 is embedded in data/. The others are looked for like data sets: in the cache, on the classroom
mirror ($TP_MIRROR), at the official address that torchvision knows. Offline, SqueezeNet takes their place.
"""

import os

import torch

from .data.fetch import FetchError, fetch, from_mirror, mirror, sums, verify
from .runtime import ROOT, cache_path, cached_file, device, in_words, replacing, say
from .runtime.pixels import batch, unit

EMBEDDED = "squeezenet1_1"
NAMES = (EMBEDDED, "alexnet", "vgg16", "resnet18", "efficientnet_b0")  # the course's; most others work too
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of ImageNet's pixels in [0, 1], per channel

# What is said to the reader.
FOUND = "{name}: pretrained on ImageNet, {where}."
NOT_THERE = "{name}: nothing from the {place} ({why})."
WHERE = {"cache": "kept before (cache)", "classroom mirror": "from the classroom mirror",
         "official source": "from the official source"}
ABSENT = "{name}: its weights are not to be had here ({why}); SqueezeNet 1.1 (embedded) takes its place."
UNKNOWN = "{name!r} is not an ImageNet classifier of torchvision. The course uses {names}."
LEFT_OUT = "Left out, for want of their weights: {names} ({why})."


def pretrained(name, fallback=True):
    """A torchvision classifier trained on ImageNet, in eval mode, on the device, its weights frozen.

    name:      torchvision's name, e.g. "vgg16" (weights IMAGENET1K_V1)
    fallback:  where the weights are not to be had: True gives the embedded SqueezeNet 1.1 and says so,
               False raises FetchError

    The attribute `name` of the returned nn.Module says which network it is. Input: float32 [N, 3, H, W],
    normalised with MEAN and STD; output: scores [N, 1000] before softmax. Weights and maps are laid out
    channels last, which makes a CPU about twice as fast; shapes are as ever.
    Raises ValueError for a name that torchvision has not.
    """
    try:
        weights, where = state_dict(name)
    except OSError as error:  # FetchError, or a cache that cannot be written
        if not fallback or name == EMBEDDED:
            raise
        say(ABSENT.format(name=name, why=in_words(error)))
        return pretrained(EMBEDDED)
    network = uninitialised(name)
    network.load_state_dict(weights)
    network.name = name
    say(FOUND.format(name=name, where=where), network=name, place=where)
    return network.requires_grad_(False).eval().to(device(), memory_format=torch.channels_last)


def uninitialised(name):
    """The torchvision network with untrained weights (quickly: their random initialisation is skipped)."""
    from torchvision.models import get_model

    with torch.device("meta"):
        network = get_model(name, weights=None)
    return network.to_empty(device="cpu")


def state_dict(name):
    """(weights, where they were found). Raises FetchError; ValueError for a name torchvision has not."""
    path, where = find_weights(name)
    if name == EMBEDDED:
        from safetensors.torch import load_file

        return load_file(path), where
    return torch.load(path, map_location="cpu", weights_only=True), where


def find_weights(name):
    """(path of the verified weights, the place that had them, in words). Raises as `state_dict` does."""
    if name == EMBEDDED:
        path = ROOT / "data" / f"{EMBEDDED}.safetensors"
        verify(path, sums(str(path.parent))[path.name])
        return path, "embedded"
    url = official_url(name)
    file = url.rpartition("/")[2]
    digits = file.rpartition("-")[2].removesuffix(".pth")
    kept, there = cache_path("networks", file), cached_file("networks", file)

    def in_the_cache():
        if os.path.exists(there):
            verify(there, digits)
            return there
        return None

    failed = {}
    for place, look in (("cache", in_the_cache),
                        ("classroom mirror", lambda: from_mirror(file, kept, digits)),
                        ("official source", lambda: fetch(url, kept, digits))):
        try:
            path = look()
        except FetchError as error:
            failed[place] = error
            continue
        if path:
            for missed, why in failed.items():
                say(NOT_THERE.format(name=name, place=missed, why=why))
            return path, WHERE[place]
    raise FetchError("; ".join(dict.fromkeys(map(str, failed.values()))))


def official_url(name):
    """Address of torchvision's IMAGENET1K_V1 weights; the file name ends in the first digits of its SHA-256.

    Raises ValueError for a name that torchvision has not.
    """
    from torchvision.models import get_model_weights

    try:
        return get_model_weights(name)["IMAGENET1K_V1"].url
    except (ValueError, KeyError):
        raise ValueError(UNKNOWN.format(name=name, names=", ".join(NAMES))) from None


def weights_place(name):
    """The place that would be tried first for the network, in words, without fetching anything."""
    if name == EMBEDDED:
        return "embedded"
    file = official_url(name).rpartition("/")[2]
    if os.path.exists(cached_file("networks", file)):
        return WHERE["cache"]
    try:
        if mirror() and file in sums(mirror()):
            return WHERE["classroom mirror"]
    except FetchError:
        pass
    return f"{WHERE['official source']}, or else SqueezeNet 1.1"


def available(names=NAMES):
    """The names of those networks whose weights are to be had here; says in one line which are left out."""
    found, missing, why = [], [], None
    for name in names:
        try:
            find_weights(name)
            found.append(name)
        except OSError as error:
            missing.append(name)
            why = in_words(error)
    if missing:
        say(LEFT_OUT.format(names=", ".join(missing), why=why))
    return found


def export_weights(folder):
    """Copy the networks that are to be had, besides the embedded one, into a classroom mirror."""
    import shutil

    for name in available(NAMES[1:]):
        path, _ = find_weights(name)
        with replacing(folder / path.name) as temporary:
            shutil.copyfile(path, temporary)
        (folder / path.name).chmod(0o644)


def categories():
    """The 1000 class names of ImageNet."""
    from torchvision.models import SqueezeNet1_1_Weights

    return SqueezeNet1_1_Weights.IMAGENET1K_V1.meta["categories"]


class PooledFeatures(torch.nn.Module):
    """A network's last feature map, averaged over its positions: [N, 3, H, W] → [N, D]."""

    def __init__(self, network):
        super().__init__()
        self.features = feature_layers(network)

    def forward(self, x):
        return self.features(x).mean(dim=(2, 3))


def feature_layers(network):
    """The convolutional part of a torchvision classifier."""
    if hasattr(network, "features"):
        return network.features
    return torch.nn.Sequential(*list(network.children())[:-2])  # ResNet: all but average pooling and last layer


def to_input(images):
    """Images as the networks expect them: float32 [N, 3, H, W], normalised, on the device, channels last.

    images: [N, 3, H, W], uint8 (other whole numbers from 0 to 255 too), or floats in [0, 1]; those that clearly go from
            0 to 255 or, as a tanh's, from −1 to 1 are converted. Raises ValueError for others.
    """
    (pixels,) = unit(batch(images).to(device()))
    mean, std = (torch.tensor(v, device=pixels.device).view(3, 1, 1) for v in (MEAN, STD))
    return ((pixels - mean) / std).contiguous(memory_format=torch.channels_last)


def to_pixels(inputs):
    """The way back from `to_input`: float32 [N, 3, H, W] in [0, 1], on the CPU."""
    mean, std = (torch.tensor(v, device=inputs.device).view(3, 1, 1) for v in (MEAN, STD))
    return (inputs.detach() * std + mean).clamp(0, 1).cpu()


def initialised(network):
    """A network with DCGAN's first weights: N(0, 0.02), of batch norms N(1, 0.02), biases 0 (arXiv:1511.06434)."""
    for module in network.modules():
        if isinstance(module, torch.nn.Conv2d | torch.nn.ConvTranspose2d | torch.nn.Linear | torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.weight, float(isinstance(module, torch.nn.BatchNorm2d)), 0.02)
            if module.bias is not None:
                torch.nn.init.zeros_(module.bias)
    return network


@torch.no_grad()
def images_of(G, z, labels=None):
    """What G makes of latents (and labels) in eval mode: uint8 [n, C, H, W] on the CPU."""
    G.eval()
    y = [()] * len(z) if labels is None else [(part.to(device()),) for part in labels.split(500)]
    images = torch.cat([G(part.to(device()), *y) for part, y in zip(z.split(500), y, strict=False)])
    return ((images + 1) * 127.5).round().clamp(0, 255).byte().contiguous().cpu()
