"""Numbers: accuracies, distances between sets of images, the judge of digits, the health of a game."""

from .distances import diversity, frechet, modes, neighbours
from .numbers import accuracy, confusion, duplicates, mean_sd, most_confused, percent

__all__ = [
    "accuracy", "confusion", "diversity", "duplicates", "frechet", "mean_sd", "modes", "most_confused", "neighbours",
    "percent",
]
