"""Training: the only place that knows precision, progress, checkpoints."""

from .fit import Run, fit
from .gan import Game, initialised, train_gan
from .players import Training, train_players

__all__ = ["Game", "Run", "Training", "fit", "initialised", "train_gan", "train_players"]
