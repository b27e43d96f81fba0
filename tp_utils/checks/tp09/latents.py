"""Exercises 9.3, 9.4 and 9.11: statistics of what is drawn, and a line between two latents."""

import torch
from torch import nn

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, compare, describe, expect_tensor, run, same
from ..kit.elsewhere import expect_on_its_device
from ..kit.networks import normal

# What is said to the reader.

# 9.3
SAME_NETWORK = "return the network that was given: its weights are changed in place"
UNTOUCHED = {
    "convolution": "the convolutions' weights are as before: is isinstance(module, nn.Conv2d) ever true?",
    "nested convolution": "layers inside other modules are not reached: network.modules() goes all the way down, "
                          "network.children() does not",
    "transposed convolution": "the transposed convolutions are as before: nn.ConvTranspose2d is not an nn.Conv2d",
    "batch norm": "the batch norm's weights are as before: what about nn.BatchNorm2d?",
}
CENTRE = {0: "its mean must be 0", 1: "the batch norm's weight is a factor: it is drawn around 1, not around 0"}
CONSTANT = "all its weights are the same: draw each one, nn.init.normal_"
VARIANCE = "0.02 is the standard deviation, not the variance: no square root"
SQUARED = "0.02 is the standard deviation: it is not squared"
OTHER_STD = "the standard deviation must be 0.02"
UNIFORM = "the values are uniform or squeezed into a range: draw them from a normal distribution, and leave them so"
BIAS = "every bias must be 0, the convolutions' and the batch norm's: nn.init.zeros_(module.bias)"
SEEDED = "two layers of the same shape get the same weights: no torch.manual_seed inside the function"
FROZEN = "the weights must remain trainable: requires_grad is now False"

# 9.4
NO_ONES = "G takes images of 1 × 1 pixel: the shape is [n, nz, 1, 1], two axes more"
N_NZ = "n counts the latents, nz is the length of each: n comes first"
REPEATED = "numbers come up again: draw all n · nz of them"
MEAN_STD = "draw from N(0, 1), mean 0 and standard deviation 1, and do not scale"
GLOBAL = "two generators with the same seed must give the same z: draw with generator=generator"
FIXED = "do not seed inside the function: the generator that is given decides"
IN_A_ROW = "two calls with one generator must give different z: do not seed it or copy it"
TO_DEVICE = "the latents are not on the device that was asked for: .to(device)"
DRAW_HERE = "draw on the CPU, where the generator is, then .to(device): other devices draw other numbers, or refuse"

# 9.11
SPHERICAL = "that is the arc of a circle (spherical): here a straight line, (1 - share) * z0 + share * z1"
NO_ENDS = "the ends are missing: the first latent is z0 itself, the last one z1"
NO_END = "z1 is missing at the end: the last share is 1, so divide by steps - 1"
NO_START = "z0 is missing at the start: the first share is 0"
BACKWARDS = "it runs from z1 to z0: share 0 must give z0"
MORE = "`steps` counts the latents, both ends included: yours has {}"
ONE_WEIGHT = "z0 must fade out while z1 comes in: its factor is 1 - share"
LATENT_AXES = "each latent keeps its shape [nz, 1, 1], behind the axis of the steps: [steps, nz, 1, 1]"
LIST = "a list of latents: torch.stack makes one tensor of it"
WITH_Z0 = "the result belongs on z0's device: make what you add to it with device=z0.device"


# ---- 9.3 and 9.4: statistics of what is drawn


def check_9_3(answer):
    """loop over network.modules(); for each kind of layer nn.init.normal_(module.weight, mean, 0.02), and
    nn.init.zeros_(module.bias) where the bias is not None; return network"""
    layers = {
        "convolution": nn.Conv2d(8, 64, 4),
        "nested convolution": nn.Conv2d(8, 64, 4, bias=False),
        "transposed convolution": nn.ConvTranspose2d(64, 8, 4),
        "batch norm": nn.BatchNorm2d(4096),
    }
    first, *others = layers.values()
    network = nn.Sequential(first, nn.ReLU(), nn.Sequential(*others, nn.ConvTranspose2d(8, 2, 4, bias=False)))
    network.to(device())
    for parameter in network.parameters():
        nn.init.constant_(parameter, 3.0)
    found = run(answer, network)
    if found is not network:
        raise Wrong("the network", describe(found) if not isinstance(found, nn.Module) else "another network",
                    NO_RETURN if found is None else SAME_NETWORK)
    for name, layer in layers.items():
        if torch.equal(layer.weight, torch.full_like(layer.weight, 3)):
            raise Wrong(f"weights of the {name} drawn anew", "the weights as before", UNTOUCHED[name])
        expect_normal(f"{name}: ", layer.weight, float(name == "batch norm"), 0.02)
    for name, layer in layers.items():
        if layer.bias is not None and layer.bias.any():
            raise Wrong(f"{name}: bias 0", describe(layer.bias), BIAS)
    if same(layers["convolution"].weight, layers["nested convolution"].weight):
        raise Wrong("other weights in each layer", "the same weights", SEEDED)
    kept = layers["convolution"].weight.detach().clone()
    run(answer, network)
    if same(layers["convolution"].weight, kept):
        raise Wrong("other weights at each call", "the same weights", SEEDED)
    if not all(parameter.requires_grad for parameter in network.parameters()):
        raise Wrong("weights with requires_grad=True", "requires_grad=False", FROZEN)


def expect_normal(where, values, mean, std):
    """Mean, standard deviation and kurtosis (3, for uniform numbers 1.8) of what was drawn. Needs 4000 numbers."""
    values = values.detach().cpu().double()
    found_mean, found_std = values.mean().item(), values.std().item()
    kurtosis = ((values - found_mean) / max(found_std, 1e-12)).pow(4).mean()
    expected = f"{where}mean {mean:g}, standard deviation {std:g}"
    found = f"{where}mean {found_mean:.2g}, standard deviation {found_std:.2g}"
    if found_std < 1e-6:
        raise Wrong(expected, found, CONSTANT)
    if kurtosis < 2.4:
        raise Wrong(expected, f"{found}, not normal", UNIFORM)
    if abs(found_std / std - 1) > 0.08:
        hints = [hint for wrong, hint in ((std**0.5, VARIANCE), (std**2, SQUARED)) if abs(found_std / wrong - 1) < 0.08]
        raise Wrong(expected, found, *(hints or [OTHER_STD if std != 1 else MEAN_STD]))
    if abs(found_mean - mean) > 0.1 * std:
        raise Wrong(expected, found, CENTRE[int(mean)])


def check_9_4(answer):
    """torch.randn with the shape n, nz, 1, 1 and generator=generator, then .to(device)"""
    def latents(n, nz, seed, where=None):
        return run(answer, n, nz, torch.Generator().manual_seed(seed), where or device())

    found = latents(3, 5, 0)
    shapes = {(3, 5): NO_ONES, (3, 5, 1): NO_ONES, (5, 3, 1, 1): N_NZ, (5, 3): N_NZ}
    hints = [shapes[found.shape]] if isinstance(found, torch.Tensor) and found.shape in shapes else []
    expect_tensor(found, [3, 5, 1, 1], torch.float32, [*hints])
    found = latents(64, 100, 0)
    expect_tensor(found, [64, 100, 1, 1], torch.float32)
    if found.unique().numel() < 6000:
        raise Wrong("6400 different numbers", f"{found.unique().numel()}", REPEATED)
    expect_normal("", found, 0, 1)
    if not same(latents(64, 100, 0), found):
        raise Wrong("the same z from two generators with the same seed", "different z", GLOBAL)
    if same(latents(64, 100, 1), found):
        raise Wrong("another z with another seed of the generator", "the same z", FIXED)
    generator = torch.Generator().manual_seed(0)
    if same(run(answer, 3, 5, generator, device()), run(answer, 3, 5, generator, device())):
        raise Wrong("other latents at the second call", "the same latents", IN_A_ROW)
    state = generator.get_state()
    found = run(answer, 3, 5, generator, torch.device("meta"))  # stands for any device that is not the CPU
    if found.device.type != "meta":
        raise Wrong("latents on the device meta", f"latents on {found.device.type}", TO_DEVICE)
    if torch.equal(state, generator.get_state()):
        raise Wrong("numbers drawn on the CPU", "numbers drawn on the device", DRAW_HERE)


# ---- 9.11


def check_9_11(answer):
    """(1 - share) * z0 + share * z1, with share = k / (steps - 1) for k = 0 … steps - 1; torch.linspace(0, 1, steps)
    has these shares"""
    z0, z1 = normal(7, 1, 1), 2 * normal(7, 1, 1, seed=1)
    for steps in (5, 2):
        expect_line(answer, z0, z1, steps)
    found = answer(z0, z1, 5)
    if found.device != z0.device:
        raise Wrong(f"latents on {z0.device}, like z0", f"latents on {found.device}", WITH_Z0)
    expect_on_its_device(answer, z0.cpu(), z1.cpu(), 5, hint=WITH_Z0)


def expect_line(answer, z0, z1, steps):
    found = run(answer, z0, z1, steps)
    if isinstance(found, list | tuple):
        raise Wrong(f"one tensor [{steps}, 7, 1, 1]", f"{type(found).__name__} of {len(found)}", LIST)

    def line(shares):
        return torch.stack([z0 + share * (z1 - z0) for share in shares])

    angle = torch.arccos((z0 * z1).sum() / z0.norm() / z1.norm())
    k, points = range(steps), line([i / (steps - 1) for i in range(steps)])
    mistakes = [
        (torch.stack([torch.sin((1 - s) * angle) * z0 + torch.sin(s * angle) * z1 for s in
                      (i / (steps - 1) for i in k)]) / torch.sin(angle), SPHERICAL),
        (line([(i + 1) / (steps + 1) for i in k]), NO_ENDS), (line([(i + 0.5) / steps for i in k]), NO_ENDS),
        (line([i / steps for i in k]), NO_END), (line([(i + 1) / steps for i in k]), NO_START),
        (points.flip(0), BACKWARDS),
        *((torch.stack([z0 + i / (steps - 1) * z1 for i in k]), ONE_WEIGHT),
          (torch.stack([i / (steps - 1) * z1 for i in k]), ONE_WEIGHT)),
        *((points.reshape(shape), LATENT_AXES) for shape in ([steps, 7], [steps, 1, 7, 1, 1], [1, steps, 7, 1, 1],
                                                             [1, steps * 7, 1, 1], [steps * 7, 1, 1])),
        *((line([i / divisor for i in range(count)]), MORE.format(count))
          for count in (steps + 1, steps + 2) for divisor in (steps, steps - 1, steps + 1)),
        *((line([i / (count - 1) for i in range(count)]), MORE.format(count))
          for count in {steps + 1, steps + 2, max(2, steps - 1)}),
        (line([i / (steps - 1) for i in k[1:-1]] or [0]), NO_ENDS),
    ]
    compare(found, points, mistakes, dtype=torch.float32)
