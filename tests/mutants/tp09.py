"""Answers to the exercises of TP 9: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

import copy
from itertools import pairwise

import torch
from torch import nn
from torch.nn import functional as F

# ---- 9.1


def discriminator(act=lambda: nn.LeakyReLU(0.2), norm=nn.BatchNorm2d, conv=nn.Conv2d, stride=2, padding=1, bias=False,
                  kernel=4, first_norm=True, first_width=1, last=lambda c: nn.Conv2d(c, 1, 4), swap=False,
                  end=lambda y: y.view(-1), more=0, fixed=None, layers_of=nn.Sequential):
    class Discriminator(nn.Module):
        def __init__(self, channels=1, width=32, blocks=3):
            super().__init__()
            layers, inputs = [], fixed or channels
            for i in range(blocks + more):
                outputs = width * first_width * 2**i
                layers.append(conv(inputs, outputs, kernel, stride=stride, padding=padding, bias=bias))
                middle = [norm(outputs)] if norm and (i or first_norm) else []
                middle = [act(), *middle] if swap else [*middle, act()]
                layers += middle
                inputs = outputs
            self.net = layers_of(*layers, last(inputs))

        def forward(self, x):
            return end(self.net(x))

    return Discriminator


class FunctionalD(nn.Module):
    """ModuleLists, functional activations, a last convolution without bias, reshape."""

    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        sizes = [channels] + [width << i for i in range(blocks)]
        self.convolutions = nn.ModuleList(nn.Conv2d(a, b, (4, 4), (2, 2), (1, 1), bias=False)
                                          for a, b in pairwise(sizes))
        self.norms = nn.ModuleList(nn.BatchNorm2d(b) for b in sizes[1:])
        self.last = nn.Conv2d(sizes[-1], 1, 4, padding="valid", bias=False)

    def forward(self, x):
        for convolution, norm in zip(self.convolutions, self.norms, strict=True):
            x = norm(convolution(x))
            x = torch.where(x > 0, x, 0.2 * x)
        return self.last(x).squeeze(3).squeeze(2).squeeze(1)


class LazyD(nn.Module):
    """Lazy layers in blocks of their own, activations in place, weights drawn at once."""

    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        self.blocks = nn.Sequential(*(
            nn.Sequential(nn.LazyConv2d(width * 2**i, 4, 2, 1, bias=False), nn.BatchNorm2d(width * 2**i),
                          nn.LeakyReLU(0.2, inplace=True)) for i in range(blocks)))
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                nn.init.normal_(module.weight, 1, 0.02)
        self.head = nn.LazyConv2d(1, 4)

    def forward(self, x):
        return torch.flatten(self.head(self.blocks(x)), start_dim=0)


class PlainListD(nn.Module):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__()
        self.layers = []
        for i in range(blocks):
            self.layers += [nn.Conv2d(channels, width * 2**i, 4, 2, 1, bias=False),
                            nn.BatchNorm2d(width * 2**i), nn.LeakyReLU(0.2)]
            channels = width * 2**i
        self.layers.append(nn.Conv2d(channels, 1, 4))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x.flatten()


class NoSuperD(nn.Module):
    def __init__(self, channels=1, width=32, blocks=3):
        self.layers = nn.Conv2d(channels, width, 4)


class NoForwardD(discriminator()):
    forward = nn.Module.forward


class FixedBlocksD(discriminator()):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__(channels, width, 3)


class UnusedLayerD(discriminator()):
    def __init__(self, channels=1, width=32, blocks=3):
        super().__init__(channels, width, blocks)
        self.classifier = nn.Linear(16 * width, 1)


class WrongNormSizeD(discriminator(norm=lambda outputs: nn.BatchNorm2d(outputs // 2))):
    pass


def no_gradient(y):
    return y.detach().flatten()


class Instance(nn.InstanceNorm2d):
    def __init__(self, channels):
        super().__init__(channels, affine=True)


# ---- 9.2


def generator(act=nn.ReLU, norm=nn.BatchNorm2d, conv=nn.ConvTranspose2d, stride=2, padding=1, first=(1, 0), bias=False,
              last_norm=False, end=torch.tanh, swap=False, nz_used=True, grow=False, fixed=None, options=None):
    class Generator(nn.Module):
        def __init__(self, nz=100, width=32, channels=1, blocks=3):
            super().__init__()
            widths = [width * 2**i for i in range(fixed or blocks)]
            sizes = [nz if nz_used else 100, *(widths if grow else reversed(widths))]
            layers = []
            for i, (inputs, outputs) in enumerate(pairwise(sizes)):
                where = (stride, padding) if i else first
                layers.append(conv(inputs, outputs, 4, *where, bias=bias, **(options or {})))
                middle = [norm(outputs)] if norm else []
                layers += [act(), *middle] if swap else [*middle, act()]
            layers.append(nn.ConvTranspose2d(sizes[-1], channels, 4, 2, 1))
            self.net = nn.Sequential(*layers, *([nn.BatchNorm2d(channels)] if last_norm else []))

        def forward(self, z):
            return end(self.net(z))

    return Generator


class RecursiveG(nn.Module):
    """One block a module of its own, clamp for ReLU, exponentials for tanh, no bias in the last layer."""

    def __init__(self, nz=100, width=32, channels=1, blocks=3):
        super().__init__()
        outputs = width * 2 ** (blocks - 1)
        self.project = nn.ConvTranspose2d(nz, outputs, 4, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.ups = nn.ModuleList()
        while outputs > width:
            self.ups.append(nn.ModuleDict({
                "up": nn.ConvTranspose2d(outputs, outputs // 2, 4, stride=2, padding=1, bias=False),
                "norm": nn.BatchNorm2d(outputs // 2),
            }))
            outputs //= 2
        self.image = nn.ConvTranspose2d(width, channels, 4, stride=2, padding=1, bias=False)

    def forward(self, z):
        x = self.norm(self.project(z)).clamp(min=0)
        for block in self.ups:
            x = block["norm"](block["up"](x)).clamp(min=0)
        return 2 * torch.sigmoid(2 * self.image(x)) - 1


class UpsamplingG(nn.Module):
    def __init__(self, nz=100, width=32, channels=1, blocks=3):
        super().__init__()
        layers, inputs = [nn.ConvTranspose2d(nz, width, 4)], width
        for _ in range(blocks):
            layers += [nn.Upsample(scale_factor=2), nn.Conv2d(inputs, width, 3, padding=1)]
        self.net = nn.Sequential(*layers)

    def forward(self, z):
        return torch.tanh(self.net(z))


class NoFirstG(generator()):
    """The latents are enlarged by hand, without a layer for it."""

    def forward(self, z):
        return torch.tanh(self.net[3:](z.expand(-1, -1, 4, 4)[:, :1].expand(-1, self.net[3].in_channels, -1, -1)))


# ---- 9.3


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


# ---- 9.4


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


# ---- 9.5, 9.6, 9.7

bce = F.binary_cross_entropy_with_logits


def ones(logits):
    return bce(logits, torch.ones_like(logits))


def zeros(logits):
    return bce(logits, torch.zeros_like(logits))


def d_loss_softplus(real_logits, fake_logits):
    return F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean()


def d_loss_by_module(real_logits, fake_logits):
    criterion = nn.BCEWithLogitsLoss()
    targets = real_logits.new_ones(len(real_logits)), fake_logits.new_zeros(len(fake_logits))
    return sum(criterion(logits, target) for logits, target in zip((real_logits, fake_logits), targets, strict=True))


def d_loss_by_logsigmoid(real_logits, fake_logits):
    return -F.logsigmoid(real_logits).mean() - F.logsigmoid(-fake_logits).mean()


def d_loss_elementwise(real, fake):
    return (F.softplus(-real) + F.softplus(fake)).mean()


def d_loss_same_target(real, fake):
    target = torch.ones(len(real), device=real.device)
    return bce(real, target) + bce(fake, 1 - target)


def d_loss_joined(real, fake):
    return bce(torch.cat([real, fake]), torch.cat([torch.ones_like(real), torch.zeros_like(fake)]))


def d_loss_in_place(real, fake):
    return ones(real) + zeros(fake.mul_(1.5).div_(1.25))


def probability_loss(real, fake):
    real, fake = real.sigmoid(), fake.sigmoid()
    return F.binary_cross_entropy(real, torch.ones_like(real)) + F.binary_cross_entropy(fake, torch.zeros_like(fake))


# ---- 9.8 and 9.9


def d_step(fakes=lambda G, z: G(z).detach(), loss=d_loss_softplus, before=lambda optimiser, D, G: optimiser.zero_grad(),
           back=lambda loss: loss.backward(), between=lambda optimiser: None, step=lambda optimiser: optimiser.step(),
           after=lambda optimiser, D, G: None, result=lambda loss: loss.detach()):
    def discriminator_step(D, G, x, z, optimiser_D):
        before(optimiser_D, D, G)
        value = loss(D(x), D(fakes(G, z)))
        back(value)
        between(optimiser_D)
        step(optimiser_D)
        after(optimiser_D, D, G)
        return result(value)

    return discriminator_step


def d_step_in_two_halves(D, G, x, z, optimiser_D):
    """As in PyTorch's tutorial."""
    D.zero_grad()
    real = ones(D(x).view(-1))
    real.backward()
    fake = zeros(D(G(z).detach()).view(-1))
    fake.backward()
    optimiser_D.step()
    return (real + fake).detach()


def d_step_in_one_batch(D, G, x, z, optimiser_D):
    with torch.no_grad():
        both = torch.cat([x, G(z)])
    real, fake = D(both).split([len(x), len(z)])
    loss = d_loss_by_logsigmoid(real, fake)
    gradients = torch.autograd.grad(loss, list(D.parameters()))
    for parameter, gradient in zip(D.parameters(), gradients, strict=True):
        parameter.grad = gradient
    optimiser_D.step()
    optimiser_D.zero_grad()
    return loss.detach()


def d_step_freezes_G(D, G, x, z, optimiser_D):
    for parameter in G.parameters():
        parameter.requires_grad_(False)
    loss = d_loss_softplus(D(x), D(G(z)))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    for parameter in G.parameters():
        parameter.requires_grad_(True)
    return loss.detach().clone()


def d_step_leaves_G_frozen(D, G, x, z, optimiser_D):
    G.requires_grad_(False)
    return d_step()(D, G, x, z, optimiser_D)


def d_step_moves_G(D, G, x, z, optimiser_D):
    loss = d_loss_softplus(D(x), D(G(z)))
    optimiser_D.zero_grad()
    loss.backward()
    optimiser_D.step()
    torch.optim.SGD(G.parameters(), 0.1).step()
    return loss.detach()


def d_step_loss_afterwards(D, G, x, z, optimiser_D):
    d_step()(D, G, x, z, optimiser_D)
    with torch.no_grad():
        return d_loss_softplus(D(x), D(G(z)))


def d_step_by_hand(D, G, x, z, optimiser_D):
    loss = d_loss_softplus(D(x), D(G(z).detach()))
    optimiser_D.zero_grad()
    loss.backward()
    with torch.no_grad():
        for parameter in D.parameters():
            parameter -= optimiser_D.param_groups[0]["lr"] * parameter.grad
    return loss.detach()


def d_step_twice(D, G, x, z, optimiser_D):
    loss = d_step()(D, G, x, z, optimiser_D)
    optimiser_D.step()
    return loss


def d_step_trains_on(D, G, x, z, optimiser_D):
    loss = d_step()(D, G, x, z, optimiser_D)
    d_step()(D, G, x, z, optimiser_D)
    return loss


def d_step_without_gradient(D, G, x, z, optimiser_D):
    with torch.no_grad():
        loss = d_loss_softplus(D(x), D(G(z)))
    loss.backward()
    return loss


def in_eval(network):
    """fakes of G in eval mode, and back."""
    def fakes(G, z):
        G.eval()
        images = G(z).detach()
        G.train()
        return images

    return fakes if network == "G" else None


def d_step_D_in_eval(D, G, x, z, optimiser_D):
    D.eval()
    loss = d_step()(D, G, x, z, optimiser_D)
    D.train()
    return loss


def to_eval(optimiser, D, G):
    G.eval()


def zero_both(optimiser, D, G):
    D.zero_grad()
    G.zero_grad()


def nothing(*_):
    return None


def late(optimiser, *_):
    optimiser.zero_grad()


def new_z(G, z):
    return G(torch.randn_like(z)).detach()


def noise_images(G, z):
    return torch.tanh(torch.randn(6, 1, 3, 4, device=z.device))


def g_step(logits=lambda D, G, z: D(G(z)), loss=ones, **steps):
    """The steps as in d_step, in another order: forward first, then zero_grad."""
    def generator_step(D, G, z, optimiser_G):
        value = loss(logits(D, G, z))
        steps.get("before", late)(optimiser_G, D, G)
        steps.get("back", torch.Tensor.backward)(value)
        steps.get("between", nothing)(optimiser_G)
        steps.get("step", torch.optim.Optimizer.step)(optimiser_G)
        steps.get("after", nothing)(optimiser_G, D, G)
        return steps.get("result", torch.Tensor.detach)(value)

    return generator_step


def optimise(optimiser):
    optimiser.step()


def g_step_freezes_D(D, G, z, optimiser_G):
    """D needs no gradients meanwhile; the gradient comes from autograd.grad."""
    D.requires_grad_(False)
    loss = F.softplus(-D(G(z))).mean()
    for parameter, gradient in zip(G.parameters(), torch.autograd.grad(loss, list(G.parameters())), strict=True):
        parameter.grad = gradient
    optimiser_G.step()
    optimiser_G.zero_grad()
    D.requires_grad_(True)
    return loss.detach()


def g_step_clears_D(D, G, z, optimiser_G):
    fake = G(z)
    G.zero_grad(set_to_none=False)
    loss = -F.logsigmoid(D(fake)).mean()
    loss.backward()
    optimiser_G.step()
    D.zero_grad()
    return loss.data


def g_step_leaves_D_frozen(D, G, z, optimiser_G):
    for parameter in D.parameters():
        parameter.requires_grad = False
    return g_step(step=optimise)(D, G, z, optimiser_G)


def g_step_moves_D(D, G, z, optimiser_G):
    D.zero_grad()
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    torch.optim.SGD(D.parameters(), 0.1).step()
    return loss


def g_step_zeroes_D_weights(D, G, z, optimiser_G):
    loss = ones(D(G(z)))
    D.zero_grad()
    loss.backward()
    optimiser_G.step()
    return loss.detach()


def g_step_D_in_eval(D, G, z, optimiser_G):
    D.eval()
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    D.train()
    return loss


def g_step_leaves_eval(D, G, z, optimiser_G):
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    G.eval()
    return loss


def g_step_without_gradient(D, G, z, optimiser_G):
    with torch.no_grad():
        fake = G(z)
    for parameter in D.parameters():
        parameter.requires_grad_(False)
    return ones(D(fake)).backward()


def g_step_loss_afterwards(D, G, z, optimiser_G):
    g_step(step=optimise)(D, G, z, optimiser_G)
    with torch.no_grad():
        return ones(D(G(z)))


def g_step_twice(D, G, z, optimiser_G):
    loss = g_step(step=optimise)(D, G, z, optimiser_G)
    optimiser_G.step()
    return loss


# ---- 9.10


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
    "9.1": [FunctionalD, LazyD, discriminator(), discriminator(end=lambda y: y[:, 0, 0, 0])],
    "9.2": [RecursiveG, generator(), generator(act=lambda: nn.ReLU(True), end=lambda y: F.tanh(y))],
    "9.3": [initialise_by_apply, initialise_by_parameters, initialised(draw=nn.init.trunc_normal_)],
    "9.4": [latents_reshaped, latents_in_place, latents_by_normal],
    "9.5": [d_loss_softplus, d_loss_by_module, d_loss_by_logsigmoid],
    "9.6": [lambda fake: F.softplus(-fake).mean(), lambda fake: nn.BCEWithLogitsLoss()(fake, torch.full_like(fake, 1))],
    "9.7": [lambda fake: F.logsigmoid(-fake).mean(), lambda fake: -F.softplus(fake).sum() / len(fake)],
    "9.8": [d_step(), d_step_in_two_halves, d_step_freezes_G],
    "9.9": [g_step(step=optimise), g_step_freezes_D, g_step_clears_D],
    "9.10": [line(), line_by_lerp, line_by_cat, line_by_interpolate],
}

MUTANTS = {
    "9.1": [
        (discriminator(end=lambda y: y), "[N]"), (discriminator(end=lambda y: y.flatten(1)), "[N]"),
        (discriminator(end=torch.squeeze), "squeeze"), (discriminator(end=torch.mean), "no mean"),
        (discriminator(end=lambda y: y.sigmoid().flatten()), "no sigmoid"),
        (discriminator(end=torch.sigmoid), "no sigmoid"),
        (discriminator(end=lambda y: y.tanh().flatten()), "nothing comes after"),
        (discriminator(end=no_gradient), "no gradient"), (discriminator(end=lambda y: None), "return"),
        (discriminator(act=nn.ReLU), "not ReLU"), (discriminator(act=nn.LeakyReLU), "slope"),
        (discriminator(act=nn.Identity), "no activation"), (discriminator(act=nn.Tanh), "LeakyReLU(0.2)"),
        (discriminator(norm=None), "no batch norm"), (discriminator(first_norm=False), "no batch norm"),
        (discriminator(norm=None, act=nn.Identity), "neither"), (discriminator(swap=True), "before the activation"),
        (discriminator(norm=Instance), "whole batch"),
        (discriminator(norm=lambda c: nn.BatchNorm2d(c, affine=False)), "affine"),
        (discriminator(norm=lambda c: nn.BatchNorm2d(c, track_running_stats=False)), "running statistics"),
        (discriminator(bias=True), "bias=False"), (discriminator(stride=1), "stride"),
        (discriminator(padding=0), "padding is 1"), (discriminator(padding=2), "padding is 1"),
        (discriminator(kernel=3), "4 × 4"), (discriminator(conv=nn.ConvTranspose2d), "shrinks"),
        (discriminator(first_width=2), "channels"), (discriminator(fixed=1), "channels"),
        (discriminator(last=lambda c: nn.Conv2d(c, 1, 4, padding=1)), "0 in the last"),
        (discriminator(last=lambda c: nn.Conv2d(c, 2, 4)), "last to 1"),
        (discriminator(last=lambda c: nn.Sequential(nn.Flatten(), nn.Linear(16 * c, 1))), "one more"),
        (discriminator(more=1), "`blocks`"), (FixedBlocksD, "`blocks`"), (PlainListD, "plain list"),
        (NoSuperD, "super()"), (NoForwardD, "forward(self"), (UnusedLayerD, "more weights"),
        (WrongNormSizeD, "as many channels"), (lambda *_, **__: (lambda x: x), "nn.Module"),
    ],
    "9.2": [
        (generator(end=lambda y: y), "tanh"), (generator(end=torch.sigmoid), "sigmoid"),
        (generator(end=lambda y: (y.tanh() + 1) / 2), "[−1, 1]"), (generator(end=lambda y: y.clamp(-1, 1)), "cut off"),
        (generator(last_norm=True), "no batch norm after"), (generator(end=lambda y: y.relu().tanh()), "no ReLU"),
        (generator(end=lambda y: y.tanh().detach()), "no gradient"),
        (generator(end=lambda y: y.tanh().flatten(1)), "tanh"),
        (generator(norm=None), "no batch norm"), (generator(swap=True), "before the activation"),
        (generator(act=lambda: nn.LeakyReLU(0.2)), "LeakyReLU is for"), (generator(act=nn.Identity), "no activation"),
        (generator(act=nn.Tanh), "is ReLU"), (generator(norm=Instance), "whole batch"),
        (generator(norm=lambda c: nn.BatchNorm2d(c, affine=False)), "affine"),
        (generator(bias=True), "bias=False"), (generator(padding=0), "padding"), (generator(stride=1), "stride"),
        (generator(first=(2, 1)), "1 in the first"), (generator(first=(1, 1)), "0 in the first"),
        (generator(nz_used=False), "nz"), (generator(grow=True), "halve"), (generator(fixed=3), "`blocks`"),
        (generator(options={"dilation": 2}), "defaults"), (UpsamplingG, "grows"), (NoFirstG, "from nz"),
        (generator(conv=nn.Conv2d), "grows"),
    ],
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
    "9.5": [
        (lambda real, fake: zeros(real) + ones(fake), "swapped"),
        (lambda real, fake: ones(real) + ones(fake), "swapped"),
        (lambda real, fake: (ones(real) + zeros(fake)) / 2, "half"), (d_loss_joined, "n + m"),
        (lambda real, fake: F.softplus(-real).sum() + F.softplus(fake).sum(), "sum"),
        (lambda real, fake: ones(real), "generated images are missing"),
        (lambda real, fake: zeros(fake), "real images are missing"),
        (lambda real, fake: ones(real) - zeros(fake), "added"), (lambda real, fake: -ones(real) - zeros(fake), "sign"),
        (lambda real, fake: ones(real.sigmoid()) + zeros(fake.sigmoid()), "twice"),
        (lambda real, fake: fake.mean() - real.mean(), "Wasserstein"),
        (lambda real, fake: -real.log().mean() - (1 - fake).log().mean(), "logarithm of a logit"),
        (lambda real, fake: F.binary_cross_entropy(real, torch.ones_like(real)), "wants probabilities"),
        (probability_loss, "not for large ones"),
        (lambda real, fake: -real.sigmoid().log().mean() - (1 - fake.sigmoid()).log().mean(), "not for large ones"),
        (lambda real, fake: -(real.sigmoid() + 1e-8).log().mean() - (1 - fake.sigmoid() + 1e-8).log().mean(), "large"),
        (d_loss_elementwise, "n may differ"), (d_loss_same_target, "its own logits"), (d_loss_in_place, "clone"),
        (lambda real, fake: d_loss_softplus(real, fake).item(), ".item()"),
        (lambda real, fake: d_loss_softplus(real, fake).detach(), ".detach()"),
        (lambda real, fake: d_loss_softplus(real, fake.detach()), "detached"),
        (lambda real, fake: F.softplus(-real), "not one loss per image"), (lambda real, fake: None, "return"),
    ],
    "9.6": [
        (zeros, "D minimises"), (lambda fake: -zeros(fake), "saturating"), (lambda fake: -ones(fake), "sign"),
        (lambda fake: F.softplus(-fake).sum(), "sum"), (lambda fake: F.softplus(-fake), "per image"),
        (lambda fake: ones(fake.sigmoid()), "twice"), (lambda fake: -fake.sigmoid().mean(), "logarithm"),
        (lambda fake: -fake.mean(), "Wasserstein"), (lambda fake: -fake.log().mean(), "logarithm of a logit"),
        (lambda fake: -fake.sigmoid().log().mean(), "large"), (lambda fake: ones(fake).detach(), "detach"),
        (lambda fake: F.binary_cross_entropy(fake.sigmoid(), torch.ones_like(fake)), "large"),
    ],
    "9.7": [
        (ones, "non-saturating"), (zeros, "no minus sign"), (lambda fake: -ones(fake), "1 − D"),
        (lambda fake: -F.softplus(fake).sum(), "sum"), (lambda fake: -F.softplus(fake), "per image"),
        (lambda fake: -zeros(fake.sigmoid()), "twice"),
        (lambda fake: (1 - fake.sigmoid()).mean(), "logarithm is missing"),
        (lambda fake: (1 - fake.sigmoid()).log().mean(), "large"), (lambda fake: (1 - fake).log().mean(), "of a logit"),
        (lambda fake: -zeros(fake).item(), "gradient"),
    ],
    "9.8": [
        (d_step_in_one_batch, "call D twice"),
        (d_step(fakes=lambda G, z: G(z)), "detach its images"), (d_step_moves_G, "G's weights have moved"),
        (d_step(fakes=lambda G, z: G(z), after=zero_both), "may reach G"), (d_step(before=zero_both), "may reach G"),
        (d_step(loss=lambda real, fake: zeros(real) + ones(fake)), "swapped"),
        (d_step(loss=lambda real, fake: ones(real) + ones(fake)), "swapped"),
        (d_step(loss=lambda real, fake: (ones(real) + zeros(fake)) / 2), "half"),
        (d_step(loss=lambda real, fake: 6 * d_loss_softplus(real, fake)), "sum"),
        (d_step(loss=lambda real, fake: ones(real)), "generated images are missing"),
        (d_step(loss=lambda real, fake: zeros(fake)), "real images are missing"),
        (d_step(loss=lambda real, fake: ones(real.sigmoid()) + zeros(fake.sigmoid())), "twice"),
        (d_step(loss=lambda real, fake: -d_loss_softplus(real, fake)), "sign"),
        (d_step(back=lambda loss: (-loss).backward()), "uphill"),
        (d_step(back=lambda loss: (loss / 2).backward()), "that is half"),
        (d_step(before=nothing), "left over"), (d_step(before=nothing, after=late), "left over"),
        (d_step(between=late), "zero_grad() comes before"), (d_step(step=nothing), "step()"),
        (d_step(back=nothing), "call backward()"),
        (d_step(before=nothing, back=nothing), "left over"), (d_step_twice, "call step() once"),
        (d_step_trains_on, "call step() once"), (d_step_by_hand, "call step() once"),
        (d_step(result=lambda loss: loss), ".detach()"), (d_step(result=lambda loss: loss.item()), "not loss.item()"),
        (d_step(result=nothing), "return"), (d_step_loss_afterwards, "after the update"),
        (d_step(fakes=new_z), "z that was given"), (d_step(fakes=noise_images), "discriminator_loss(D(x)"),
        (d_step(fakes=in_eval("G")), "eval mode"), (d_step_D_in_eval, "eval mode"),
        (d_step(after=to_eval), "another mode"),
        (d_step(before=to_eval), "eval mode"), (d_step_leaves_G_frozen, "requires_grad"),
        (d_step_without_gradient, "under torch.no_grad()"),
    ],
    "9.9": [
        (g_step(step=optimise, logits=lambda D, G, z: D(G(z).detach())), "do not detach"),
        (g_step_moves_D, "D's weights have moved"), (g_step_zeroes_D_weights, "left over"),
        (g_step(step=optimise, loss=zeros), "D minimises"),
        (g_step(step=optimise, loss=lambda a: -zeros(a)), "saturating"),
        (g_step(step=optimise, loss=lambda a: -ones(a)), "sign"),
        (g_step(step=optimise, loss=lambda a: 6 * ones(a)), "sum"),
        (g_step(step=optimise, loss=lambda a: ones(a.sigmoid())), "twice"),
        (g_step(step=optimise, before=nothing), "left over"),
        (g_step(step=optimise, before=nothing, after=late), "left over"),
        (g_step(step=optimise, between=late), "zero_grad() comes before"), (g_step(step=nothing), "step()"),
        (g_step(step=optimise, back=nothing), "no gradient reaches G"),
        (g_step(step=optimise, back=lambda loss: (-loss).backward()), "uphill"),
        (g_step(step=optimise, back=lambda loss: (6 * loss).backward()), "sum over"),
        (g_step(step=optimise, result=lambda loss: loss), ".detach()"),
        (g_step(step=optimise, result=lambda loss: loss.item()), "loss.item()"),
        (g_step(step=optimise, result=nothing), "return"),
        (g_step(step=optimise, logits=lambda D, G, z: D(G(torch.randn_like(z)))), "z that was given"),
        (g_step_D_in_eval, "eval mode"), (g_step_leaves_eval, "another mode"),
        (g_step_leaves_D_frozen, "requires_grad"),
        (g_step_without_gradient, "under torch.no_grad()"), (g_step_loss_afterwards, "after the update"),
        (g_step_twice, "call step() once"),
    ],
    "9.10": [
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
        (line_to_zeros, "z0's device"),
    ],
}
