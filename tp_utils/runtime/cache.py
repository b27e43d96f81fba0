"""Results that are computed once."""

import contextlib

import torch

from .files import cache_dir, replacing
from .keys import code_of, fingerprint


def cached(name, inputs, compute):
    """`compute()`, or what it gave before for the same `inputs`.

    name:     file name in the cache, to be recognised by a person
    inputs:   everything the result depends on (tensors and whatever prints)
    compute:  a function without arguments that returns tensors, Python's own numbers, strings, lists or dicts;
              its source is an input too, with that of the functions and modules of the notebook that it uses
    """
    path = cache_dir("computed") / f"{name}-{fingerprint(code_of(compute), *inputs)}.pt"
    if path.exists():
        with contextlib.suppress(Exception):  # an unreadable file is computed again
            return torch.load(path, map_location="cpu", weights_only=True)
    value = compute()
    with replacing(path) as temporary:
        torch.save(value, temporary)
    return value
