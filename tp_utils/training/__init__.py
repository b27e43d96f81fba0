"""Training: the only place that knows devices, precision, memory layout, progress, checkpoints, the stop button.

engine.py repeats a step, fit.py has the step of a classifier, game.py looks at a generator while it learns.
"""

from .engine import Run, train
from .fit import fit, pixels
from .game import Game
from .loop import Diverged
from .step import frozen, update

__all__ = ["Diverged", "Game", "Run", "fit", "frozen", "pixels", "train", "update"]
