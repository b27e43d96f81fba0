"""The checks of TP 11: a draw of labels, augmentation, two networks, and the losses of its games.

The oracles are counts and statistics of what is drawn, affine maps recovered from where single dots go, layers seen by
hooks, closed forms in float64, and critics whose gradient is known.
"""

from .digits import check_11_1, check_11_2
from .games import check_11_5, check_11_6, check_11_7, check_11_8, check_11_9, check_11_13
from .labels import check_11_10, check_11_11, check_11_12
from .networks import check_11_3, check_11_4

__all__ = [
    "check_11_1", "check_11_2", "check_11_3", "check_11_4", "check_11_5", "check_11_6", "check_11_7",
    "check_11_8", "check_11_9", "check_11_10", "check_11_11", "check_11_12", "check_11_13",
]
