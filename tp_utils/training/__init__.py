"""Training: the only place that knows precision, progress, checkpoints."""

from .fit import Run, fit
from .gan import Game, train_gan

__all__ = ["Game", "Run", "fit", "train_gan"]
