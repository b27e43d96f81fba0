"""Exercises 11.3 and 11.4: the baseline, and a discriminator with a new last layer."""

import torch
from torch import nn
from torch.nn import functional as F

from ...runtime import device
from ..kit.compare import NO_RETURN, Wrong, describe, expect_tensor, same
from ..kit.networks import normal, settle, trace
from .common import CUT, RECIPE

# What is said to the reader.

# 11.3
NOT_MODULE = "it must be a class that inherits from nn.Module"
CONVOLUTIONS = "four convolutions, 3 × 3 with padding 1, from 1 channel to 32, 32, 64 and 64"
BETWEEN = "between convolution {} and the next layer: BatchNorm2d, then ReLU{}"
OWN_NORM = "a batch norm of its own behind each convolution: four BatchNorm2d"
POOL = ", then MaxPool2d(2)"
NO_DROPOUT = "in train mode two passes give the same: is the Dropout there?"
EVAL_DROPOUT = "in eval mode two passes differ: nn.Dropout is off there, F.dropout needs training=self.training"
SOFTMAX = "no softmax at the end: return logits, the softmax is part of the loss"
EARLY_DROPOUT = "there is dropout before the last pool too: one Dropout(0.5), in front of the linear layer"
CLASSES_UNUSED = "the last layer has as many outputs as there are classes: is the argument used?"
WEAK_DROPOUT = "Dropout(0.5) sets about half of the last layer's inputs to 0 in train mode"

# 11.4
SHARED = "the discriminator itself is changed or shares its weights: work on a deep copy"
OLD_WEIGHTS = "the features must be those that the discriminator has learnt: copy it, do not make a new one"
FROZEN = "all weights must learn: requires_grad is False for some"
DETACHED = "no gradient gets through to the features: no detach and no torch.no_grad() in the new network"
LAST = "the new layer is `last`, nn.Linear(in_features of the old one, classes)"


def check_11_3(answer):
    recipe = RECIPE["11.3"]
    torch.manual_seed(0)
    network, x = answer(), normal(4, 1, 28, 28)
    if not isinstance(network, nn.Module):
        raise Wrong("a class that inherits from nn.Module", describe(network), NOT_MODULE, recipe)
    network.to(device())
    settle(network)
    seen = []
    hooks = [module.register_forward_hook(lambda module, given, out: seen.append((module, given[0], out)))
             for module in network.modules() if isinstance(module, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        out, again = network.eval()(x), network(x)
    for hook in hooks:
        hook.remove()
    expect_tensor(out, [4, 10], torch.float32, (recipe,))
    if not torch.equal(out, again):
        raise Wrong("the same logits at each pass in eval mode", "others", EVAL_DROPOUT, recipe)
    expect_layers(network, seen[:len(seen) // 2], out)
    if tuple(answer(classes=4).to(device()).eval()(x).shape) != (4, 4):
        raise Wrong("float32 [4, 4] for 4 classes", describe(answer(classes=4).to(device()).eval()(x)), CLASSES_UNUSED,
                    recipe)
    one = expect_dropout(network, x)
    one.sum().backward()
    if any(weight.grad is None for weight in network.parameters()):
        raise Wrong("a gradient for every weight", "weights without", CUT, recipe)


def expect_dropout(network, x):
    """Logits in train mode; raises Wrong unless half of the linear layer's inputs are dropped, and nothing else is."""
    recipe = RECIPE["11.3"]

    def passes(module_kind, times):
        given = []
        hooks = [module.register_forward_hook(lambda module, inputs, out: given.append(inputs[0].clone()))
                 for module in network.modules() if isinstance(module, module_kind)]
        outputs = [network(x) for _ in range(times)]
        for hook in hooks:
            hook.remove()
        return given, outputs

    (dry,), _ = passes(nn.Linear, 1)  # still in eval mode
    network.train()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    (wet, _), (one, other) = passes(nn.Linear, 2)
    if torch.equal(one, other):
        raise Wrong("another pass, other logits in train mode", "the same", NO_DROPOUT, recipe)
    before, _ = passes(nn.Conv2d, 2)
    half = len(before) // 2
    if not all(map(torch.equal, before[:half], before[half:])):
        raise Wrong("Dropout behind the last pool alone", "dropout between the convolutions", EARLY_DROPOUT, recipe)
    dropped = ((wet == 0) & (dry != 0)).double().sum() / (dry != 0).double().sum()
    if not 0.44 < dropped < 0.56:
        raise Wrong("half of the inputs dropped", f"{dropped:.0%}", WEAK_DROPOUT, recipe)
    return network.train()(x)


def expect_layers(network, seen, out):
    """Raise Wrong unless four convolutions with batch norm, ReLU and pools, then a linear layer, were seen."""
    recipe = RECIPE["11.3"]
    convolutions = [one for one in seen if isinstance(one[0], nn.Conv2d)]
    shapes = [(module.in_channels, module.out_channels, module.kernel_size, tuple(given.shape[-2:]),
               tuple(result.shape[-2:])) for module, given, result in convolutions]
    expected = [(a, b, (3, 3), (side, side), (side, side))
                for a, b, side in ((1, 32, 28), (32, 32, 28), (32, 64, 14), (64, 64, 14))]
    if [shape[:3] for shape in shapes] != [shape[:3] for shape in expected]:
        found = ", ".join(f"{a} → {b}" for a, b, *_ in shapes) or "none"
        raise Wrong("1 → 32, 32 → 32, 32 → 64, 64 → 64, all 3 × 3", found, CONVOLUTIONS, recipe)
    norms = [module for module, *_ in trace(network, normal(4, 1, 28, 28), nn.BatchNorm2d)[0]]
    if len(set(norms)) != 4:
        raise Wrong("four batch norms", f"{len(set(norms))}", OWN_NORM, recipe)
    following = [one[1] for one in convolutions[1:]] + [one[1] for one in seen if isinstance(one[0], nn.Linear)]
    for k, (convolution, given) in enumerate(zip(convolutions, following, strict=False)):
        pool = k in (1, 3)
        hint = BETWEEN.format(k + 1, POOL if pool else "")
        value = F.relu(F.batch_norm(convolution[2], norms[k].running_mean, norms[k].running_var, norms[k].weight,
                                    norms[k].bias, eps=norms[k].eps))
        value = F.max_pool2d(value, 2) if pool else value
        value = value.flatten(1) if k == 3 else value
        if value.shape != given.shape or not same(given, value):
            raise Wrong("Conv2d, BatchNorm2d, ReLU" + (", MaxPool2d" if pool else ""), "something else", hint, recipe)
    if [shape[3:] for shape in shapes] != [shape[3:] for shape in expected]:
        raise Wrong("28 × 28 twice, then 14 × 14 twice", str([shape[3] for shape in shapes]), CONVOLUTIONS, recipe)
    linear = [one for one in seen if isinstance(one[0], nn.Linear)]
    if len(linear) != 1:
        raise Wrong("one linear layer", f"{len(linear)} of them", recipe)
    if not same(out, linear[0][2]):
        total = out.exp().sum(1) if (out <= 0).all() else out.sum(1)
        raise Wrong("the linear layer's output", "something made of it",
                    *([SOFTMAX] if same(total, torch.ones(len(out))) else []), recipe)


def check_11_4(answer):
    from ...practicals.tp11 import Discriminator

    recipe = RECIPE["11.4"]
    torch.manual_seed(0)
    discriminator, x = Discriminator().to(device()).eval(), normal(3, 1, 32, 32)
    before, logits = [weight.clone() for weight in discriminator.state_dict().values()], discriminator(x)
    discriminator.features.requires_grad_(False)
    for classes in (10, 3):
        found = answer(discriminator, classes)
        if not isinstance(found, nn.Module):
            raise Wrong("a network", describe(found), *([NO_RETURN] if found is None else []), recipe)
        own = {id(weight) for weight in discriminator.parameters()}
        if (found is discriminator or any(id(weight) in own for weight in found.parameters())
                or not all(map(torch.equal, before, discriminator.state_dict().values()))
                or len(before) != len(discriminator.state_dict())):
            raise Wrong("a copy", "the discriminator itself, or a part of it", SHARED, recipe)
        found.to(device()).eval()
        last = getattr(found, "last", None)
        if not isinstance(last, nn.Linear) or last.out_features != classes:
            raise Wrong(f"last: nn.Linear with {classes} outputs", describe(last), LAST, recipe)
        expect_tensor(found(x), [3, classes], torch.float32, (LAST, recipe))
        if not same(found.features(x), discriminator.features(x)):
            raise Wrong("the discriminator's features", "others", OLD_WEIGHTS, recipe)
        if not same(found(x), found.last(found.features(x))):
            raise Wrong("last(features(x))", "something else", LAST, recipe)
        if not all(weight.requires_grad for weight in found.parameters()):
            raise Wrong("weights that all learn", "some that do not", FROZEN, recipe)
        found(x).sum().backward()
        if any(weight.grad is None for weight in found.parameters()):
            raise Wrong("a gradient for all weights", "none for some", DETACHED, recipe)
    discriminator.features.requires_grad_(True)
    if not same(discriminator(x), logits):
        raise Wrong("the discriminator as it was", "another one", SHARED, recipe)
