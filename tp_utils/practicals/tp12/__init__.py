"""Helper of TP 12: the fully connected players, the judges and their figures (judges.py), the quiz (quiz.py)."""

from .judges import (
    CATS,
    IMAGENET_SIDE,
    POSTER,
    cat_numbers,
    connected,
    dogs,
    measures_table,
    nearest_images,
    neighbours_figure,
    noise,
    pooled_features,
    poster_table,
    surest_cats,
)
from .quiz import Quiz

__all__ = [
    "CATS", "IMAGENET_SIDE", "POSTER", "Quiz", "cat_numbers", "connected", "dogs", "measures_table", "nearest_images",
    "neighbours_figure", "noise", "pooled_features", "poster_table", "surest_cats",
]
