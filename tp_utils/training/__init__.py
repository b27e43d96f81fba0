"""Training: engine.py repeats a step, fit.py has a classifier's, game.py looks at a generator while it learns."""

from .engine import Run, train
from .fit import Validation, fit, pixels
from .game import Game
from .loop import Diverged
from .step import frozen, update

__all__ = ["Diverged", "Game", "Run", "Validation", "fit", "frozen", "pixels", "train", "update"]
