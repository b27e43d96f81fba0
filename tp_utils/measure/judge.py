"""The judge: a small classifier of MNIST whose opinion on generated digits is asked, and its training.

    python -m tp_utils judge

trains it anew and writes data/mnist_judge.safetensors, its line in data/SHA256SUMS, and results/judge.json.
"""

import hashlib
from functools import lru_cache

import torch
from torch import nn
from torch.nn import functional as F

from ..data.embedded import read_mnist
from ..data.fetch import sums, verify
from ..data.imageset import resized
from ..runtime import ROOT, device, pick, replacing, save_results, seed
from ..training import fit
from . import accuracy

NO_SMOKE = "the smoke profile trains no judge: set TP_PROFILE=cpu or full"  # said to the reader
FILE = ROOT / "data" / "mnist_judge.safetensors"
SIZE = 32  # pixels: the side of the images in the games


class Judge(nn.Module):
    """Digits [N, 1, 32, 32] in [0, 1] → scores [N, 10].

    `features` [N, 64] are what it scores from. Over the training digits, augmented, each has mean 0 and variance 1,
    so that distances between features have a unit.
    """

    def __init__(self):
        super().__init__()

        def block(inputs, outputs):
            return [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]

        self.features = nn.Sequential(
            *block(1, 24), *block(24, 24), nn.MaxPool2d(2), *block(24, 48), *block(48, 48), nn.MaxPool2d(2),
            *block(48, 96), nn.MaxPool2d(2), nn.Flatten(), nn.Dropout(0.3), nn.Linear(96 * 16, 64), nn.ReLU(),
            nn.BatchNorm1d(64, affine=False))
        self.last = nn.Linear(64, 10)

    def forward(self, x):
        return self.last(self.features(x))


@lru_cache
def mnist_judge():
    """The trained judge, frozen, in eval mode, on the device. Raises FetchError if its file is damaged."""
    from safetensors.torch import load_file

    verify(FILE, sums(str(FILE.parent))[FILE.name])
    network = Judge()
    network.load_state_dict(load_file(FILE))
    return network.requires_grad_(False).eval().to(device(), memory_format=torch.channels_last)


@torch.no_grad()
def opinion(images, network=None):
    """What the judge makes of digits: (features float32 [N, 64], probabilities float32 [N, 10]), on the CPU.

    images: uint8 [N, 1, H, W]; other sizes than 32 × 32 are resized
    """
    if images.dtype != torch.uint8 or images.ndim != 4 or images.shape[1] != 1:
        raise ValueError(f"the judge reads digits, uint8 [N, 1, H, W], not {images.dtype} {list(images.shape)}")
    network = network or mnist_judge()
    features = torch.cat([network.features(resized(part, SIZE).to(device()).float() / 255)
                          for part in images.split(500)])
    return features.cpu(), network.last(features).softmax(1).cpu()


def read_as_asked(images, labels):
    """Share of conditional samples that the judge reads as the digit that was asked for.

    images: uint8 [N, 1, H, W];  labels: int64 [N]
    """
    return accuracy(opinion(images)[1].argmax(1), labels)


def shaken(images, generator):
    """Augmentation: digits turned, scaled, sheared and moved a little, then made paler, greyer and noisier.

    The last three because generated digits often are: a judge that has only seen black and white would call every
    digit on a dark grey ground an eight.
    """
    def within(low, high, *shape):
        return low + (high - low) * torch.rand(len(images), *shape, generator=generator)

    angle, scale, shear = within(-0.2, 0.2), within(0.88, 1.12), within(-0.15, 0.15)  # angles in radians
    turn = torch.stack([scale * angle.cos(), shear - angle.sin(), within(-0.13, 0.13),
                        angle.sin(), scale * angle.cos(), within(-0.13, 0.13)], dim=1).view(-1, 2, 3)
    places = F.affine_grid(turn.to(images.device), images.shape, align_corners=False)
    digits = F.grid_sample(images.float() / 255, places, align_corners=False)
    black, white, noise = within(0, 0.3, 1, 1, 1), within(0.6, 1, 1, 1, 1), within(0, 0.15, 1, 1, 1)
    noise = noise * torch.randn(images.shape, generator=generator)
    plain = (torch.rand(len(images), 1, 1, 1, generator=generator) < 0.3).float()  # these keep their black and white
    black, white, noise = black * (1 - plain), white + (1 - white) * plain, noise * (1 - plain)
    return (black.to(digits) + (white - black).to(digits) * digits + noise.to(digits)).clamp(0, 1)


def train_judge():
    """Train a judge and write its file and its result. The test images are looked at once, at the end.

    Raises ValueError in the smoke profile, whose judge would be no good.
    """
    from safetensors.torch import save_file

    steps = pick(smoke=0, cpu=3500, full=8000)
    if not steps:
        raise ValueError(NO_SMOKE)
    digits = read_mnist()
    seed(0)
    network = Judge().to(memory_format=torch.channels_last)
    optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
    fit(network, resized(digits.train_images, SIZE), digits.train_labels, optimiser, steps, batch_size=128,
        schedule=schedule, prepare=shaken, name="judge")
    right = accuracy(opinion(digits.test_images, network)[1].argmax(1), digits.test_labels)
    with replacing(FILE) as temporary:
        save_file({name: value.cpu().contiguous() for name, value in network.state_dict().items()}, temporary)
        temporary.chmod(0o644)  # safetensors writes for the owner alone
    known = {**sums(str(FILE.parent)), FILE.name: hashlib.sha256(FILE.read_bytes()).hexdigest()}
    with replacing(FILE.parent / "SHA256SUMS") as temporary:
        temporary.write_text("".join(f"{known[name]}  {name}\n" for name in sorted(known)), encoding="utf-8")
    mnist_judge.cache_clear()
    save_results("judge", {
        "protocol": "60,000 training images, augmented; fixed number of steps; nothing chosen on the test images",
        "steps": steps, "test_accuracy": right, "parameters": sum(p.numel() for p in network.parameters()),
    }, command="TP_RESULTS=1 python -m tp_utils judge")
    return right
