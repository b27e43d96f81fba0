"""Checkpoints: tensors only, written to a temporary file and renamed, read with weights_only=True."""

import numpy as np
import torch

from ..runtime import cache_path, cached_file, file_name, keeping, save_tensors, say

# What is said to the reader.
DAMAGED = "{name}: its checkpoint {file} cannot be read; training starts anew."
OTHER_PARTS = "{name}: its checkpoint holds other parts ({others}); training starts anew."


def path_of(name):
    """Where the checkpoint of a run is written. Raises ValueError for a name that no file can have."""
    return cache_path("runs", f"{file_name(name)}.pt")


def save(name, key, parts, step, history, quiet=False):
    """Write the state of a run; returns whether it was written: if not, one line says why, unless `quiet`.

    parts: {name: object with state_dict};  key: what the run depends on
    """
    state = {part: storable(thing.state_dict()) for part, thing in parts.items()}
    with keeping(name, quiet):
        save_tensors({"key": key, "step": step, "history": storable(history), "parts": state}, path_of(name))
        return True
    return False


def load(name, key, parts):
    """Restore the parts; returns (step, history), or None if there is no checkpoint of this very run."""
    path = cached_file("runs", path_of(name).name)
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["key"] != key:
            return None
        step, history, states = saved["step"], saved["history"], saved["parts"]
    except Exception:  # whatever a damaged file provokes
        say(DAMAGED.format(name=name, file=path.name))
        return None
    if states.keys() != parts.keys():
        say(OTHER_PARTS.format(name=name, others=", ".join(states)))
        return None
    for part, thing in parts.items():
        thing.load_state_dict(states[part])
    return step, history


def storable(value):
    """A state as weights_only reads it: dicts, lists and numbers of Python's own in place of NumPy's and others."""
    if isinstance(value, dict):
        return {storable(key): storable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return (list if isinstance(value, list) else tuple)(map(storable, value))
    if isinstance(value, np.ndarray):
        return torch.from_numpy(value)
    return value.item() if isinstance(value, np.generic) else value
