"""Dataset X of TP 13, rebuilt: a scanned volume of four kinds of structure, and grey slices cut from it.

The volume is 900 voxels long, 600 wide, 450 deep. Each structure fills a band of its width; along its length it
consists of six regions, in each of which a structure looks different: another direction, another scale, other greys. A
slice is a horizontal square of 150 × 150 in one band of one region. Only the slices are kept, never the volume.
"""

from dataclasses import dataclass

import torch

from ... import show
from ...runtime import cached, device

STRUCTURES = ("layers", "fibres", "grains", "pores")
REGIONS, SLICE_SIDE, DEPTH = 6, 150, 450  # along the length; of a slice and of a region, in voxels
SCALE = (4.0, 9.0)  # voxels: the typical size of what a structure is made of, from region to region


@dataclass
class Slices:
    """Slices of a volume, uint8 [N, 1, S, S], with their structure, and where they were cut: all int64 [N].

    labels: index in STRUCTURES;  positions: of the region's first voxel along the volume's length;  depths: in voxels
    """

    images: torch.Tensor
    labels: torch.Tensor
    positions: torch.Tensor
    depths: torch.Tensor


def slices(per_block=113, seed=0, side=SLICE_SIDE, depth=DEPTH):
    """The Slices of a volume: `per_block` at equal distances of each structure in each region.

    seed: of the volume;  side, depth: of a block in voxels, for a smaller volume
    """
    def cut():
        generator = torch.Generator().manual_seed(seed)
        blocks = [block(kind, side, depth, generator)[depths] for _ in range(REGIONS) for kind in STRUCTURES]
        return torch.cat(blocks)[:, None]

    depths = torch.linspace(0, depth - 1, per_block).long()
    images = cached("volume", [per_block, seed, side, depth, SCALE, REGIONS], cut)
    which = torch.arange(REGIONS * len(STRUCTURES)).repeat_interleave(per_block)
    return Slices(images, which % len(STRUCTURES), which // len(STRUCTURES) * side,
                  depths.repeat(REGIONS * len(STRUCTURES)))


def block(kind, side, depth, generator):
    """One structure in one region: uint8 [depth, side, side]. Noise, smoothed along directions of the region's own.

    Layers are far smoother in two of three directions than in the last one, fibres in one, grains in none; pores are
    grains with a sharp edge: filled, brighter than what is around them.
    """
    directions = torch.linalg.qr(torch.randn(3, 3, generator=generator)).Q
    scale = SCALE[0] + (SCALE[1] - SCALE[0]) * torch.rand(1, generator=generator).item()
    grey, contrast = 70 + 110 * torch.rand(1, generator=generator), 18 + 24 * torch.rand(1, generator=generator)
    stretch = {"layers": (1, 5, 5), "fibres": (1, 1, 7), "grains": (1, 1, 1), "pores": (1, 1, 1)}[kind]
    field = smooth_noise((depth, side, side), directions, scale * torch.tensor(stretch), generator)
    if kind == "pores":
        field = 4 * (field > 1).float() - 1
    noise = torch.randn(depth, side, side, generator=generator).to(field)
    return (grey.to(field) + contrast.to(field) * (field + 0.35 * noise)).round().clamp(0, 255).byte().cpu()


def smooth_noise(shape, directions, lengths, generator):
    """Gaussian noise of mean 0 and variance 1, smooth over lengths[k] voxels in direction k: float32 of that shape.

    directions: float32 [3, 3], orthogonal, one in each row. Smoothed by a Gaussian, in Fourier space.
    """
    noise = torch.randn(shape, generator=generator).to(device())
    grid = torch.meshgrid(torch.fft.fftfreq(shape[0]), torch.fft.fftfreq(shape[1]), torch.fft.rfftfreq(shape[2]),
                          indexing="ij")
    exponent = sum((length * sum(a * f for a, f in zip(direction, grid, strict=True))) ** 2
                   for direction, length in zip(directions, lengths, strict=True))
    field = torch.fft.irfftn(torch.fft.rfftn(noise) * torch.exp(-2 * torch.pi**2 * exponent).to(noise.device), shape)
    return (field - field.mean()) / field.std()


def map_figure(found):
    """The volume from above: of each structure in each region the slice at half its depth."""
    middle = found.depths.unique()[len(found.depths.unique()) // 2]
    places = found.positions.unique().tolist()

    def cell(row, column):
        here = (found.labels == row) & (found.positions == places[column]) & (found.depths == middle)
        return found.images[here][0]

    return show.table_of_images(STRUCTURES, [f"from {place}" for place in places], cell, size=1.25,
                                title="The volume from above, at half its depth: structures × regions (voxels)")


def with_neighbours(found, chosen):
    """Some slices with the next one of each, uint8 [n, 2, S, S], and their labels int64 [n]. chosen: indices int64 [n].

    Next: the nearest deeper one of the same block among the chosen ones (of the last one, the one before it).
    """
    chosen = chosen.sort().values  # the slices lie block by block, from top to bottom
    block_of = found.positions[chosen] * len(STRUCTURES) + found.labels[chosen]
    at = torch.arange(len(chosen))
    has_next = torch.cat([block_of[1:] == block_of[:-1], torch.tensor([False])])
    has_previous = has_next.roll(1)
    other = torch.where(has_next, at + 1, torch.where(has_previous, at - 1, at))
    return torch.cat([found.images[chosen], found.images[chosen[other]]], 1), found.labels[chosen]


def likeness(found, distances):
    """Mean correlation of two slices of a block that lie that many slices apart, and of two of neighbouring regions.

    distances: list of whole numbers;  returns (list of floats, float)
    """
    blocks = found.images.view(REGIONS, len(STRUCTURES), -1, found.images[0].numel()).float()
    blocks = blocks - blocks.mean(-1, keepdim=True)
    blocks = blocks / blocks.norm(dim=-1, keepdim=True)
    within = [(blocks[:, :, k:] * blocks[:, :, :blocks.shape[2] - k]).sum(-1).mean().item() for k in distances]
    return within, (blocks[:-1] * blocks[1:]).sum(-1).mean().item()
