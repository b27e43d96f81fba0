"""The run: device, profile, seeds, folders, results, and how the course speaks to its reader."""

from . import expect, pixels
from .atomic import replacing, scratch
from .cache import cached, one_at_a_time, save_tensors
from .files import ROOT, cache_dir, cache_path, cached_file, file_name, folder_named, in_words, keeping, size
from .keys import Incomparable, fingerprint
from .machine import PROFILES, device, pick, precision, profile, seed
from .measurements import circumstances, measuring, results, save_results
from .reader import caveat, in_notebook, say, show
from .stop import at_once, stop_button
from .studies import ResultsError, append_cell, cells, locked

__all__ = [
    "PROFILES",
    "ROOT",
    "Incomparable",
    "ResultsError",
    "append_cell",
    "at_once",
    "cache_dir",
    "cache_path",
    "cached",
    "cached_file",
    "caveat",
    "cells",
    "circumstances",
    "device",
    "expect",
    "file_name",
    "fingerprint",
    "folder_named",
    "in_notebook",
    "in_words",
    "keeping",
    "locked",
    "measuring",
    "one_at_a_time",
    "pick",
    "pixels",
    "precision",
    "profile",
    "replacing",
    "results",
    "save_results",
    "save_tensors",
    "say",
    "scratch",
    "seed",
    "show",
    "size",
    "stop_button",
]
