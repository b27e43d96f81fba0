"""Results that are computed once."""

import contextlib

import torch

from .files import cache_dir, replacing
from .keys import Incomparable, fingerprint
from .reader import say

NOT_KEPT = "{name}: computed anew each time, since {why}."  # said to the reader


def cached(name, inputs, compute):
    """`compute()`, or what it gave before for the same `inputs`.

    name:     file name in the cache, to be recognised by a person
    inputs:   what the result depends on besides `compute` and all that it reaches
    compute:  a function without arguments that returns tensors, Python's own numbers, strings, lists or dicts; its
              code, and all that it reaches, is an input too (runtime/keys.py)
    """
    try:
        path = cache_dir("computed") / f"{name}-{fingerprint(compute, *inputs)}.pt"
    except Incomparable as error:
        say(NOT_KEPT.format(name=name, why=error))
        return compute()
    if path.exists():
        with contextlib.suppress(Exception):  # an unreadable file is computed again
            return torch.load(path, map_location="cpu", weights_only=True)
    value = compute()
    with replacing(path) as temporary:
        torch.save(value, temporary)
    return value
