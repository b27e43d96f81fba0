"""Helper of TP 13: networks, images, figures, TensorBoard (board.py), and Dataset X (volume.py)."""

from . import volume
from .board import NOT_INSTALLED, TENSORBOARD, tensorboard
from .figures import (
    NO_RUNS,
    PAPERS_CIFAR10,
    REPORT_CIFAR10,
    gradients_figure,
    leak_table,
    losses_figure,
    report_table,
    runs_figure,
    survival_figure,
)
from .images import HELD_OUT, Split, colleagues_file, predictions, scaled, split_at
from .networks import OTHER_NETWORK, branch, convolution_gradients, load_public, shortcut, step_seconds

__all__ = [
    "HELD_OUT", "NOT_INSTALLED", "NO_RUNS", "OTHER_NETWORK", "PAPERS_CIFAR10", "REPORT_CIFAR10", "TENSORBOARD",
    "Split", "branch", "colleagues_file", "convolution_gradients", "gradients_figure", "leak_table", "load_public",
    "losses_figure", "predictions", "report_table", "runs_figure", "scaled", "shortcut", "split_at", "step_seconds",
    "survival_figure", "tensorboard", "volume",
]
