"""Where and how much is computed: device, profile, seeds.

Environment variables:
    TP_PROFILE   smoke, cpu or full (default: full with a CUDA device, otherwise cpu)
    TP_DEVICE    a torch device, e.g. cpu or cuda:1 (default: cuda, mps or cpu, the first there is)
    TP_PRECISION float32 or bfloat16 (default: bfloat16 with a CUDA device, otherwise float32)
"""

import os
import random

import numpy as np
import torch

PROFILES = ("smoke", "cpu", "full")
PRECISIONS = ("float32", "bfloat16")


def device():
    """The torch device that everything runs on: $TP_DEVICE, else cuda, mps or cpu."""
    if name := os.environ.get("TP_DEVICE"):
        return torch.device(name)
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def profile():
    """How much is computed: "smoke" (CI), "cpu" (a laptop) or "full" (the documents' settings)."""
    name = os.environ.get("TP_PROFILE") or ("full" if device().type == "cuda" else "cpu")
    if name not in PROFILES:
        raise ValueError(f"TP_PROFILE={name!r}: choose one of {', '.join(PROFILES)}")
    return name


def precision():
    """The dtype that networks compute in while they are trained: torch.bfloat16 or torch.float32.

    Not bfloat16 by default on a CPU, although some have it in hardware and are quicker with it: a notebook should give
    the same numbers on every laptop. Studies ask for it with TP_PRECISION=bfloat16.
    """
    name = os.environ.get("TP_PRECISION") or ("bfloat16" if device().type == "cuda" else "float32")
    if name not in PRECISIONS:
        raise ValueError(f"TP_PRECISION={name!r}: choose one of {', '.join(PRECISIONS)}")
    return getattr(torch, name)


def pick(*, smoke, cpu, full):
    """The one of the three values that belongs to the current profile."""
    return {"smoke": smoke, "cpu": cpu, "full": full}[profile()]


def seed(value=0):
    """Seed Python, NumPy and torch; returns a torch.Generator (on the CPU) with the same seed."""
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)
    return torch.Generator().manual_seed(value)
