"""The run: device, profile, seeds, folders, results, and how the course speaks to its reader."""

from .cache import cached
from .files import ROOT, cache_dir, replacing, size
from .keys import code_of, fingerprint
from .machine import PROFILES, device, pick, profile, seed
from .measurements import circumstances, measuring, results, save_results
from .reader import caveat, in_notebook, say, show

__all__ = [
    "PROFILES", "ROOT", "cache_dir", "cached", "caveat", "circumstances", "code_of", "device", "fingerprint",
    "in_notebook", "measuring", "pick", "profile", "replacing", "results", "save_results", "say", "seed", "show",
    "size",
]
