"""Helper of TP 13: networks, training in a given order, figures (networks.py); Dataset X (volume.py)."""

from . import volume
from .networks import (
    HELD_OUT,
    NO_RUNS,
    NO_TENSORBOARD,
    OTHER_NETWORK,
    PAPERS,
    REPORT,
    TENSORBOARD,
    Split,
    branch,
    colleagues_file,
    gradient_norms,
    gradients_figure,
    leak_table,
    load_public,
    losses_figure,
    one_epoch,
    predictions,
    report_table,
    runs_figure,
    shortcut,
    split,
    step_seconds,
    survival_figure,
    tensorboard,
    to_input,
)

__all__ = [
    "HELD_OUT", "NO_RUNS", "NO_TENSORBOARD", "OTHER_NETWORK", "PAPERS", "REPORT", "TENSORBOARD", "Split",
    "branch", "colleagues_file", "gradient_norms", "gradients_figure", "leak_table", "load_public",
    "losses_figure", "one_epoch", "predictions", "report_table", "runs_figure", "shortcut", "split",
    "step_seconds", "survival_figure", "tensorboard", "to_input", "volume",
]
