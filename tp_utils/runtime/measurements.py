"""Measured numbers: results/NAME.json.

Environment variables:
    TP_RESULTS   1: save_results writes (set by `make outputs`)
"""

import json
import os
import platform
from datetime import date

import torch

from .atomic import replacing
from .files import ROOT
from .machine import device, profile
from .reader import say
from .studies import read_results

# What is said to the reader.
MISSING = "{path} is missing: `make outputs` measures it anew"
NOT_SAVED = "Results not saved: {why}. `make outputs` saves those of the solution notebooks."
SAVED = "Saved {path}"


def measuring():
    """True under `make outputs`, where the solution notebooks measure what the text and README claim."""
    return os.environ.get("TP_RESULTS") == "1" and profile() != "smoke"


def results(name):
    """The measured numbers in results/NAME.json, as a dict. Raises FileNotFoundError; ResultsError if it is damaged."""
    path = ROOT / "results" / f"{name}.json"
    try:
        return read_results(path)
    except FileNotFoundError:
        raise FileNotFoundError(MISSING.format(path=path.relative_to(ROOT))) from None


def save_results(name, numbers, command, data_is_sample=False):
    """Write results/NAME.json: the numbers and how they came about. Only under TP_RESULTS=1."""
    why = None
    if os.environ.get("TP_RESULTS") != "1":
        why = "TP_RESULTS is not 1"
    elif data_is_sample:
        why = "they come from a built-in sample"
    elif profile() == "smoke":
        why = "the smoke profile measures nothing"
    if why:
        return say(NOT_SAVED.format(why=why))
    path = ROOT / "results" / f"{name}.json"
    with replacing(path) as temporary:
        temporary.write_text(json.dumps({**circumstances(command), **numbers}, indent=1) + "\n", encoding="utf-8")
    return say(SAVED.format(path=path.relative_to(ROOT)))


def circumstances(command):
    """What a measured number needs beside it: command, date, profile, hardware, versions."""
    import torchvision

    where = torch.cuda.get_device_name() if device().type == "cuda" else f"{device().type}, {platform.machine()}"
    return {
        "command": command,
        "date": date.today().isoformat(),
        "profile": profile(),
        "hardware": f"{where}, {os.cpu_count()} CPU cores",
        "versions": {
            "python": platform.python_version(),
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
    }
