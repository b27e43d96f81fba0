"""Helper of TP 12: the fully connected players, the judges and their figures (judges.py), the quiz (quiz.py)."""

from .judges import (
    CATS,
    REPORT,
    SIDE,
    connected,
    dogs,
    features,
    measures_table,
    nearest,
    neighbours_figure,
    noise,
    opinion,
    poster_table,
    surest,
)
from .quiz import Quiz

__all__ = [
    "CATS", "REPORT", "SIDE", "Quiz", "connected", "dogs", "features", "measures_table", "nearest",
    "neighbours_figure", "noise", "opinion", "poster_table", "surest",
]
