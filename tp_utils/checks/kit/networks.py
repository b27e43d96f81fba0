"""What checks of networks share: the same inputs at every call, networks that are made, seen through and judged."""

from contextlib import contextmanager

import torch
from torch import nn

from ...runtime import device
from .compare import Wrong, describe

# What is said to the reader.
NOT_MODULE = "it must be a class that inherits from nn.Module"
CUT = "weights without gradient: no torch.no_grad() and no detach in forward, no layer that is not used"


def normal(*shape, seed=0):
    """The same Gaussian numbers at every call."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed)).to(device())


def build(answer, *arguments, **options):
    """The student's network, on the device. Raises Wrong if it is none."""
    network = answer(*arguments, **options)
    if not isinstance(network, nn.Module):
        raise Wrong("a network (an nn.Module)", describe(network), NOT_MODULE)
    return network.to(device())


def redraw(network):
    """The network, its weights drawn anew, the same at each call: what a check says is not the luck of a draw."""
    for k, weight in enumerate(network.parameters()):
        if not isinstance(weight, nn.UninitializedParameter) and weight.ndim > 1:
            weight.data = normal(*weight.shape, seed=k) / weight[0].numel() ** 0.5
    return network


def settle(network):
    """The same, with batch norms that are neither new nor trivial: other means, variances, weights and biases."""
    for module in redraw(network).modules():
        if isinstance(module, nn.BatchNorm2d) and module.affine and module.track_running_stats:
            for k, values in enumerate((module.running_mean, module.bias.data)):
                values.copy_(0.3 * normal(len(values), seed=k))
            for k, values in enumerate((module.running_var, module.weight.data)):
                values.copy_(1 + 0.5 * normal(len(values), seed=k + 2).abs())
    return network


@contextmanager
def watched(network, kind):
    """A list that fills while the network runs: [layer, its input, its output] of each layer of a kind, in order.

    Copies, for an activation may work in place. A layer that stops with an error has the output None.
    """
    calls = []

    def before(module, given, named):
        calls.append([module, (*given, *named.values())[0].clone(), None])

    def after(module, given, out):
        calls[-1][2] = out.clone()

    hooks = [hook for module in network.modules() if isinstance(module, kind)
             for hook in (module.register_forward_pre_hook(before, with_kwargs=True),
                          module.register_forward_hook(after))]
    try:
        yield calls
    finally:
        for hook in hooks:
            hook.remove()


def trace(network, inputs, kind):
    """([[layer, its input, its output]] of the layers of a kind, in the order of their use; the network's output)."""
    with watched(network, kind) as calls:
        return calls, network(inputs)


def whole_maps(dry, wet):
    """The share of feature maps [N, C, …] with values in `dry` that are all 0 in `wet`."""
    there = (dry != 0).flatten(2).sum(2) > 3
    return ((wet == 0).flatten(2).all(2) & there).sum() / there.sum().clamp_min(1)


def expect_trainable(network, inputs):
    """Raise Wrong unless every weight gets a gradient in train mode."""
    found = network.train()(inputs)
    for part in found if isinstance(found, tuple | list) else [found]:
        gradients = torch.autograd.grad(part.sum(), list(network.parameters()), retain_graph=True, allow_unused=True) \
            if part.requires_grad else [None]
        if any(gradient is None for gradient in gradients):
            raise Wrong("a gradient for every weight", "weights without", CUT)
