"""What several rooms share."""

import torch
from torch import nn
from torch.nn import functional as F


def padded(x, channels, stride=1, front=0.5):
    """A shortcut by concatenation."""
    x = x[:, :, ::stride, ::stride]
    new = channels - x.shape[1]
    zeros = x.new_zeros(len(x), new, *x.shape[2:])
    before = int(front * new)
    return torch.cat([zeros[:, :before], x, zeros[:, before:]], 1)


def block(total=lambda f, x, c, s: F.relu(f + padded(x, c, s)), bias=False, kernel=3, act=F.relu, norm=True,
          second=True, shared=False, swapped=False, stride_second=False, weighted=False, inplace=False, detach=False):
    """A block in lines of its own."""
    class Block(nn.Module):
        def __init__(self, inputs, outputs, stride=1):
            super().__init__()
            strides = (1, stride) if stride_second else (stride, 1)
            self.first = nn.Conv2d(inputs, outputs, kernel, strides[0], kernel // 2, bias=bias)
            self.second = nn.Conv2d(outputs, outputs, kernel, strides[1], kernel // 2, bias=bias)
            self.norm = nn.BatchNorm2d(outputs)
            self.other = self.norm if shared else nn.BatchNorm2d(outputs) if second else nn.Identity()
            self.one = nn.Conv2d(inputs, outputs, 1, stride, bias=False) if weighted else None
            self.outputs, self.stride = outputs, stride

        def forward(self, x):
            y = self.first(x)
            y = (self.norm(act(y)) if swapped else act(self.norm(y))) if norm else act(y)
            f = self.other(self.second(y))
            if weighted:
                return F.relu(f + self.one(x))
            if inplace:
                x.relu_()
            return total(f.detach() if detach else f, x, self.outputs, self.stride)

    return Block
