"""Checkpoints: tensors only, written to a temporary file and renamed, read with weights_only=True."""

import torch

from ..runtime import cache_dir, replacing, say

# What is said to the reader.
DAMAGED = "{name}: its checkpoint {file} cannot be read; training starts anew."


def path_of(name):
    return cache_dir("runs") / f"{name}.pt"


def save(name, key, parts, step, history):
    """Write the state of a run. parts: {name: object with state_dict}; key: what the run depends on."""
    state = {part: thing.state_dict() for part, thing in parts.items()}
    with replacing(path_of(name)) as temporary:
        torch.save({"key": key, "step": step, "history": history, **state}, temporary)


def load(name, key, parts):
    """Restore the parts; returns (step, history), or None if there is no checkpoint of this very run."""
    path = path_of(name)
    if not path.exists():
        return None
    try:
        saved = torch.load(path, map_location="cpu", weights_only=True)
        if saved["key"] != key:
            return None
    except Exception:  # whatever a damaged file provokes
        say(DAMAGED.format(name=name, file=path.name))
        return None
    for part, thing in parts.items():
        thing.load_state_dict(saved[part])
    return saved["step"], saved["history"]
