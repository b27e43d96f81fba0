"""The run: device, profile, seeds, folders, results, and how the course speaks to its reader."""

from . import expect, pixels
from .cache import cached
from .files import ROOT, cache_dir, replacing, size
from .keys import Incomparable, fingerprint
from .machine import PROFILES, device, pick, precision, profile, seed
from .measurements import circumstances, measuring, results, save_results
from .reader import caveat, in_notebook, say, show

__all__ = [
    "PROFILES", "ROOT", "Incomparable", "cache_dir", "cached", "caveat", "circumstances", "device", "expect",
    "fingerprint", "in_notebook", "measuring", "pick", "pixels", "precision", "profile", "replacing", "results",
    "save_results", "say", "seed", "show", "size",
]
