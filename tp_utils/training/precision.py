"""Precision: networks compute in bfloat16 where runtime.precision() says so. What they return is float32."""

import contextlib
import functools

import torch

from ..runtime import device, precision


@contextlib.contextmanager
def mixed_precision(networks):
    """Within it the networks' forward pass runs in the precision of this machine."""
    if precision() == torch.float32:
        yield
        return
    before = [(network, vars(network).get("forward")) for network in networks]
    for network, _ in before:
        network.forward = autocast(network.forward)
    try:
        yield
    finally:
        for network, forward in before:
            del network.forward
            if forward is not None:
                network.forward = forward


def autocast(forward):
    """forward in mixed precision, its results in float32."""
    @functools.wraps(forward)
    def wrapped(*inputs, **named):
        with torch.autocast(device().type, torch.bfloat16):
            found = forward(*inputs, **named)
        return in_float32(found)

    return wrapped


def in_float32(found):
    """Tensors, and tuples or lists of them, with float32 in place of bfloat16."""
    if isinstance(found, torch.Tensor):
        return found.float() if found.dtype == torch.bfloat16 else found
    return type(found)(map(in_float32, found)) if type(found) in (tuple, list) else found
