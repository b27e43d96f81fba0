"""Checkpoints: tensors only, written to a temporary file and renamed, read with weights_only=True."""

import numpy as np
import torch

from ..runtime import cache_dir, replacing, say

# What is said to the reader.
DAMAGED = "{name}: its checkpoint {file} cannot be read; training starts anew."
OTHER_PARTS = "{name}: its checkpoint holds other parts ({others}); training starts anew."


def path_of(name):
    return cache_dir("runs") / f"{name}.pt"


def save(name, key, parts, step, history):
    """Write the state of a run; returns whether it was written.

    parts: {name: object with state_dict};  key: what the run depends on
    """
    state = {part: plain(thing.state_dict()) for part, thing in parts.items()}
    with replacing(path_of(name)) as temporary:
        torch.save({"key": key, "step": step, "history": plain(history), "parts": state}, temporary)
    return True


def load(name, key, parts):
    """Restore the parts; returns (step, history), or None if there is no checkpoint of this very run."""
    path = path_of(name)
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["key"] != key:
            return None
        found = saved["step"], saved["history"], saved["parts"]
    except Exception:  # whatever a damaged file provokes
        say(DAMAGED.format(name=name, file=path.name))
        return None
    step, history, states = found
    if states.keys() != parts.keys():
        say(OTHER_PARTS.format(name=name, others=", ".join(states)))
        return None
    for part, thing in parts.items():
        thing.load_state_dict(states[part])
    return step, history


def plain(value):
    """A state as weights_only reads it: dicts, lists and numbers of Python's own in place of NumPy's and others."""
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(plain, value))
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return value.item() if isinstance(value, np.generic) else value
