"""What one sees: figures, tables, films. (widgets.py has what needs a kernel.)"""

from .figures import (
    COLOURS,
    MAP,
    confusion_figure,
    curves,
    draw,
    drawable,
    figure,
    grid,
    mosaic,
    png,
    smoothed,
    stretched,
    table_of_images,
)
from .film import Film
from .runs import run_figure
from .table import Table

__all__ = [
    "COLOURS", "MAP", "Film", "Table", "confusion_figure", "curves", "draw", "drawable", "figure", "grid", "mosaic",
    "png", "run_figure", "smoothed", "stretched", "table_of_images",
]
