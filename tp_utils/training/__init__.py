"""Training: the only place that knows precision, progress, checkpoints."""

from .fit import Run, fit

__all__ = ["Run", "fit"]
