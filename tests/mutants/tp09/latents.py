"""Answers to the exercises 9.3, 9.4 and 9.11."""

import copy

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F


def initialised(conv=(0, 0.02), norm=(1, 0.02), draw=nn.init.normal_, kinds=(nn.Conv2d, nn.ConvTranspose2d),
                norms=nn.BatchNorm2d, modules=nn.Module.modules, zero=True, result=lambda network: network):
    def initialise(network):
        for module in modules(network):
            if isinstance(module, kinds):
                draw(module.weight, *conv)
            elif isinstance(module, norms):
                draw(module.weight, *norm)
            if zero and getattr(module, "bias", None) is not None:
                module.bias.data.fill_(0)
        return result(network)

    return initialise


def initialise_by_apply(network):
    """As in PyTorch's tutorial."""
    def draw(module):
        name = type(module).__name__
        if name.find("Conv") != -1:
            module.weight.data.normal_(0.0, 0.02)
        elif name.find("BatchNorm") != -1:
            module.weight.data.normal_(1.0, 0.02)
        if hasattr(module, "bias") and module.bias is not None:
            module.bias.data.zero_()

    return network.apply(draw)


@torch.no_grad()
def initialise_by_parameters(network):
    for name, parameter in network.named_parameters():
        if name.endswith("bias"):
            parameter.zero_()
        elif parameter.ndim == 4:
            parameter.copy_(0.02 * torch.randn_like(parameter))
        else:
            parameter.copy_(1 + 0.02 * torch.randn_like(parameter))
    return network


def initialise_seeded(network):
    torch.manual_seed(0)
    return initialised()(network)


def draw_seeded(weight, mean, std):
    torch.manual_seed(0)
    nn.init.normal_(weight, mean, std)


def draw_uniform(weight, mean, std):
    nn.init.uniform_(weight, mean - std, mean + std)


def draw_once(weight, mean, std):
    nn.init.constant_(weight, mean + std * torch.randn(()).item())


def initialise_copy(network):
    return initialised()(copy.deepcopy(network))


def initialise_frozen(network):
    return initialised()(network).requires_grad_(False)


def initialise_without_no_grad(network):
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.weight.normal_(0, 0.02)
    return network


def latents(draw=torch.randn, shape=lambda n, nz: (n, nz, 1, 1), finish=lambda z: z, used=lambda g: g):
    return lambda n, nz, generator, device: finish(draw(*shape(n, nz), generator=used(generator))).to(device)


def latents_reshaped(n, nz, generator, device):
    return torch.randn(n * nz, generator=generator).reshape(n, nz)[:, :, None, None].to(device)


def latents_in_place(n, nz, generator, device):
    z = torch.empty((n, nz, 1, 1), dtype=torch.float32).normal_(generator=generator)
    return torch.zeros_like(z, device=device).copy_(z)


def latents_by_normal(n, nz, generator, device):
    return torch.normal(0.0, 1.0, (n, nz, 1, 1), generator=generator).to(device)


def latents_seeded(n, nz, generator, device):
    return torch.randn(n, nz, 1, 1, generator=torch.Generator().manual_seed(0)).to(device)


def latents_same_seed(n, nz, generator, device):
    return torch.randn(n, nz, 1, 1, generator=torch.Generator().manual_seed(generator.initial_seed())).to(device)


def latents_on_cpu(n, nz, generator, device):
    return torch.randn(n, nz, 1, 1, generator=generator)


def latents_on_device(n, nz, generator, device):
    return torch.randn(n, nz, 1, 1, generator=generator, device=device)


def line(shares=lambda steps: torch.linspace(0, 1, steps), mix=lambda a, b, s: (1 - s) * a + s * b,
         finish=lambda latents: latents):
    return lambda z0, z1, steps: finish(mix(z0, z1, shares(steps).to(z0)[:, None, None, None]))


def line_by_lerp(z0, z1, steps):
    return torch.stack([torch.lerp(z0, z1, k / (steps - 1)) for k in range(steps)])


def line_by_cat(z0, z1, steps):
    step = (z1 - z0) / (steps - 1)
    return torch.cat([(z0 + k * step).unsqueeze(0) for k in range(steps)], dim=0)


def line_by_interpolate(z0, z1, steps):
    ends = torch.stack([z0.flatten(), z1.flatten()], dim=1)[None]
    return F.interpolate(ends, steps, mode="linear", align_corners=True)[0].T[:, :, None, None]


def line_by_list(z0, z1, steps):
    return torch.stack([z0 + t * (z1 - z0) for t in torch.linspace(0, 1, steps, device=z0.device).tolist()])


def line_by_floats(z0, z1, steps):
    return torch.cat([(z0 * (1 - float(t)) + z1 * t.item())[None] for t in torch.arange(steps).to(z0) / (steps - 1)])


def line_by_numpy(z0, z1, steps):
    start, end = z0.cpu().numpy(), z1.cpu().numpy()
    return torch.from_numpy(np.linspace(start, end, steps)).float().to(z0.device)


def line_by_shares_of_numpy(z0, z1, steps):
    return torch.stack([(1 - t) * z0 + t * z1 for t in np.linspace(0, 1, steps)])


def line_by_vmap(z0, z1, steps):
    return torch.vmap(lambda t: torch.lerp(z0, z1, t))(torch.linspace(0, 1, steps, device=z0.device))


def line_in_new_tensor(z0, z1, steps):
    result = torch.empty((steps, *z0.shape), device=z0.device)
    for k in range(steps):
        result[k] = torch.lerp(z0, z1, k / (steps - 1))
    return result


def line_brought_back(z0, z1, steps):
    return line()(z0.cpu(), z1.cpu(), steps)


def line_of_cpu(z0, z1, steps):
    share = torch.linspace(0, 1, steps).view(-1, 1, 1, 1)
    return (1 - share) * z0 + share * z1


def line_to_zeros(z0, z1, steps):
    result = torch.zeros(steps, *z0.shape)
    for k in range(steps):
        result[k] = z0 + k / (steps - 1) * (z1 - z0)
    return result


def line_in_place(z0, z1, steps):
    z1 -= z0
    return torch.stack([z0 + k / (steps - 1) * z1 for k in range(steps)])


def slerp(z0, z1, s):
    angle = torch.acos(((z0 / z0.norm()) * (z1 / z1.norm())).sum())
    return (torch.sin((1 - s) * angle) * z0 + torch.sin(s * angle) * z1) / torch.sin(angle)


RIGHT = {
    "9.3": [initialise_by_apply, initialise_by_parameters, initialised(draw=nn.init.trunc_normal_)],
    "9.4": [latents_reshaped, latents_in_place, latents_by_normal],
    "9.11": [
        line(), line_by_lerp, line_by_cat, line_by_interpolate, line_by_list, line_by_floats, line_by_numpy,
        line_by_shares_of_numpy, line_by_vmap, line_in_new_tensor,
    ],
}

MUTANTS = {
    "9.3": [
        (initialised(conv=(0, 0.02**0.5)), "no square root"), (initialised(conv=(0, 0.02**2)), "not squared"),
        (initialised(conv=(0, 0.2)), "0.02"), (initialised(conv=(1, 0.02)), "mean must be 0"),
        (initialised(norm=(0, 0.02)), "around 1"), (initialised(norm=(1, 0.0)), "draw each"),
        (initialised(norm=(1, 0.02**0.5)), "no square root"), (initialised(draw=draw_uniform), "uniform"),
        (initialised(draw=draw_once), "draw each"), (initialised(kinds=nn.Conv2d), "ConvTranspose2d"),
        (initialised(kinds=nn.ConvTranspose2d), "nn.Conv2d"), (initialised(norms=nn.BatchNorm1d), "BatchNorm2d"),
        (initialised(modules=nn.Module.children), "all the way down"), (initialised(zero=False), "bias"),
        (initialised(result=lambda network: None), "return"), (initialise_copy, "in place"),
        (initialise_seeded, "manual_seed"), (initialised(draw=draw_seeded), "manual_seed"),
        (initialise_frozen, "requires_grad"), (initialise_without_no_grad, "no_grad"),
    ],
    "9.4": [
        (latents(shape=lambda n, nz: (n, nz)), "two axes more"),
        (latents(shape=lambda n, nz: (nz, n, 1, 1)), "n comes first"),
        (latents(shape=lambda n, nz: (n, 1, 1, nz)), "n, nz, 1, 1"), (latents(finish=lambda z: z.double()), "float32"),
        (latents(draw=torch.rand), "uniform"), (latents(draw=torch.rand, finish=lambda z: 2 * z - 1), "uniform"),
        (latents(finish=lambda z: 0.02 * z), "standard deviation 1"), (latents(finish=torch.tanh), "squeezed"),
        (latents(finish=lambda z: z + 1), "mean must be 0"),
        (latents(finish=lambda z: z[:1].expand(z.shape)), "draw all"),
        (latents(used=lambda g: None), "generator=generator"), (latents_seeded, "do not seed"),
        (latents_same_seed, "two calls"), (latents_on_cpu, ".to(device)"), (latents_on_device, "draw on the CPU"),
        (latents(finish=lambda z: z.numpy()), "NumPy"),
    ],
    "9.11": [
        (line(shares=lambda steps: torch.linspace(0, 1, steps + 2)[1:-1]), "ends"),
        (line(shares=lambda steps: (torch.arange(steps) + 0.5) / steps), "ends"),
        (line(shares=lambda steps: torch.arange(steps) / steps), "z1 is missing"),
        (line(shares=lambda steps: torch.arange(1, steps + 1) / steps), "z0 is missing"),
        (line(shares=lambda steps: torch.linspace(0, 1, steps + 1)), "6"),
        (line(shares=lambda steps: torch.linspace(0, 1, steps + 2)), "7"),
        (line(shares=lambda steps: torch.linspace(0, 1, steps)[1:-1]), "ends"),
        (line(shares=lambda steps: torch.linspace(1, 0, steps)), "from z1 to z0"), (line(mix=slerp), "spherical"),
        (line(mix=lambda a, b, s: a + s * b), "1 - share"), (line(mix=lambda a, b, s: s * b + 0 * a), "1 - share"),
        (line(finish=lambda z: z.flatten(1)), "[nz, 1, 1]"), (line(finish=lambda z: z[:, None]), "[nz, 1, 1]"),
        (line(finish=lambda z: z.flatten(0, 1)), "[nz, 1, 1]"), (line(finish=list), "torch.stack"),
        (line(finish=lambda z: z.double()), "float32"), (line_in_place, "clone"), (line_of_cpu, "device=z0.device"),
        (line_to_zeros, "z0's device"), (line_brought_back, "z0's device"),
    ],
}
