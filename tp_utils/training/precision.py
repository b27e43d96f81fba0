"""Precision: networks compute in bfloat16 where runtime.precision() says so. What they return is float32."""

import contextlib

import torch

from ..runtime import device, precision


@contextlib.contextmanager
def mixed_precision(networks):
    """Within it the networks' forward pass runs in the precision of this machine."""
    kinds = [(network, type(network)) for network in networks if precision() != torch.float32]
    for network, kind in kinds:
        network.__class__ = autocast(kind)  # a copy of the network takes it along, with weights of its own
    try:
        yield
    finally:
        for network, kind in kinds:
            network.__class__ = kind


def autocast(kind):
    """A class of networks whose forward is in mixed precision, its results in float32."""
    def forward(self, *inputs, **named):
        with torch.autocast(device().type, torch.bfloat16):
            found = kind.forward(self, *inputs, **named)
        return in_float32(found)

    return type(kind.__name__, (kind,), {"forward": forward, "__module__": kind.__module__})


def in_float32(found):
    """Tensors, and tuples, lists and dicts of them, with float32 in place of bfloat16."""
    if isinstance(found, torch.Tensor):
        return found.float() if found.dtype == torch.bfloat16 else found
    if isinstance(found, dict):
        return type(found)((name, in_float32(value)) for name, value in found.items())
    if isinstance(found, tuple | list):
        parts = map(in_float32, found)
        return type(found)(*parts) if hasattr(found, "_fields") else type(found)(parts)
    return found
