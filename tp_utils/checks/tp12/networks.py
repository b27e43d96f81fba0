"""Exercises 12.1 and 12.2: the players of the cats."""

from itertools import pairwise

import torch

from ..kit.compare import Wrong, compare, describe, expect_tensor
from ..kit.ends import FLAT, wrong_images, wrong_logits
from ..kit.layers import CONVOLUTIONS, expect_between, expect_layers, facts, norm_behind
from ..kit.networks import build, expect_trainable, normal, settle, trace

# What is said to the reader.
NO_LAYERS = "no convolution is used: make the layers in __init__ and keep them in nn.Sequential or nn.ModuleList"
CHANNELS = "the channels follow size and width: with width {width} and side {size} they are {expected}"
KIND = "the generator grows by nn.ConvTranspose2d, the discriminator shrinks by nn.Conv2d"
GEOMETRY = "the kernel is 4 × 4; stride 2 and padding 1 {where}, 1 and 0 in the other one"
SIZE = "the images have another side than `size`"
EVAL_DROPOUT = "two passes in eval mode differ: nn.Dropout is off there, F.dropout needs training=self.training"
ALWAYS_DROPOUT = "two passes in train mode differ though dropout is 0: is the argument used?"
NO_DROPOUT = "two passes in train mode give the same with dropout 0.5: is nn.Dropout there?"
DROPPED_Z = "the latents are dropped: the first dropout comes behind the first layer"
DROPPED_PIXELS = "pixels of the image are dropped: there is no dropout behind the last layer"
DROPPED = ("another share is dropped than `dropout`, or at another place: one nn.Dropout(dropout) behind the ReLU of "
           "each layer")
DROPPED_MAPS = "whole channels are dropped: nn.Dropout drops single values, nn.Dropout2d channels"


def check_12_1(answer):
    """ConvTranspose2d(nz, 4w, 4), then with stride 2 and padding 1: 4w → 2w, 2w → w (side 64 begins with 8w); behind
    each BatchNorm2d, ReLU, Dropout(dropout). Then ConvTranspose2d(w, 3, 4, 2, 1) and tanh"""
    for size, width, nz in ((32, 4, 7), (64, 3, 5)):
        channels = [nz, *(width * size // 8 // 2**k for k in range(size.bit_length() - 3)), 3]
        network = settle(build(answer, size=size, nz=nz, width=width))
        z = normal(3, nz, 1, 1)
        calls, found = trace(network.eval(), z, CONVOLUTIONS)
        expect_geometry(calls, "transposed convolution", channels, size, width, odd=0)
        expect_tensor(found, [3, 3, size, size], torch.float32, [SIZE])
        expect_chain(network, calls, "ReLU", normed=range(len(calls) - 1))
        last = calls[-1][2]
        compare(found, last.tanh(), wrong_images(last), tolerance=1e-3)
        if not torch.equal(found, network(z)):
            raise Wrong("the same image at each pass in eval mode", "others", EVAL_DROPOUT)
        expect_trainable(network, z)
    expect_dropout(answer)


def expect_dropout(answer):
    """Raise Wrong unless dropout is behind every layer but the last, and nowhere else."""
    z = normal(16, 6, 1, 1)
    plain = settle(build(answer, size=32, nz=6, width=8)).train()
    if not torch.equal(plain(z), plain(z)):
        raise Wrong("the same images at each pass with dropout 0", "others", ALWAYS_DROPOUT)
    wet = settle(build(answer, size=32, nz=6, width=8, dropout=0.5))
    evaluated = wet.eval()(z)
    if not torch.equal(evaluated, wet(z)):
        raise Wrong("the same images at each pass in eval mode", "others", EVAL_DROPOUT)
    if torch.equal(wet.train()(z), wet(z)):
        raise Wrong("other images at each pass with dropout 0.5", "the same", NO_DROPOUT)
    for share in (0.5, 0.3):
        expect_share(answer, z, share)


def expect_share(answer, z, share):
    """Raise Wrong unless `share` of the values behind each layer but the last are dropped, one by one."""
    networks = []
    for dropout in (0.0, share):
        networks.append(settle(build(answer, size=32, nz=6, width=16, dropout=dropout)).train())
    plain, wet = networks
    calls, found = trace(wet, z, CONVOLUTIONS)
    zeros, without = ([(given == 0).float() for _, given, _ in each]
                      for each in (calls, trace(plain, z, CONVOLUTIONS)[0]))
    if zeros[0].mean() > 0.1:
        raise Wrong("all latents", f"{zeros[0].mean():.0%} of them 0", DROPPED_Z)
    if (found == 0).float().mean() > 0.1:
        raise Wrong("all pixels", f"{(found == 0).float().mean():.0%} of them 0", DROPPED_PIXELS)
    for k, (one, other) in enumerate(zip(zeros[1:], without[1:], strict=True), 1):
        expected = other.mean() + (1 - other.mean()) * share  # ReLU alone makes about half of them 0
        if (one.mean() - expected).abs() > 0.08:
            raise Wrong(f"{expected:.0%} of the values behind layer {k} are 0, by ReLU and dropout {share}",
                        f"{one.mean():.0%}", DROPPED)
        if one.flatten(2).amin(2).mean() > other.flatten(2).amin(2).mean() + 0.1:
            raise Wrong("single values dropped", "whole channels", DROPPED_MAPS)


def check_12_2(answer):
    """Conv2d(3, w, 4, 2, 1), LeakyReLU(0.2); then w → 2w → 4w (side 64: → 8w), each with BatchNorm2d and
    LeakyReLU(0.2); Conv2d(…, 1, 4) and flatten() to [N]"""
    for size, width in ((32, 4), (64, 3)):
        channels = [3, *(width * 2**k for k in range(size.bit_length() - 3)), 1]
        network = settle(build(answer, size=size, width=width))
        x = normal(3, 3, size, size).tanh()
        calls, found = trace(network.eval(), x, CONVOLUTIONS)
        expect_geometry(calls, "convolution", channels, size, width, odd=-1)
        expect_chain(network, calls, "LeakyReLU(0.2)", normed=range(1, len(calls) - 1))
        logits = calls[-1][2].flatten()
        compare(found, logits, wrong_logits(logits), tolerance=1e-3, dtype=torch.float32)
        one = network(x[:1])
        if list(one.shape) != [1]:
            raise Wrong("float32 [1] for one image", describe(one), FLAT)
        expect_trainable(network, x)


def expect_geometry(calls, kind, channels, size, width, odd):
    """Raise Wrong unless the layers have these channels, and halve or double the side: all but the `odd` one."""
    if not calls:
        raise Wrong(f"{len(channels) - 1} layers", "none", NO_LAYERS)
    layers = [facts(kind, *pair) for pair in pairwise(channels)]
    names = CHANNELS.format(width=width, size=size, expected=" → ".join(map(str, channels)))
    used = [layer for layer, *_ in calls]
    expect_layers(used, layers, {"kind": KIND, "channels": names, "count": names})
    for layer in layers:
        layer |= {"kernel": 4, "stride": 2, "padding": 1}
    layers[odd] |= {"stride": 1, "padding": 0}
    where = GEOMETRY.format(where=f"in all but the {'last' if odd else 'first'} layer")
    expect_layers(used, layers, dict.fromkeys(("kernel", "stride", "padding"), where))


def expect_chain(network, calls, activation, normed):
    """Raise Wrong unless batch norm, behind the layers `normed`, and activation are between the layers."""
    for k, ((_, _, y), (_, entered, _)) in enumerate(pairwise(calls)):
        expect_between(k + 1, y, entered, activation, norm_behind(network, y), k in normed)
