"""The checks of TP 13: networks with and without shortcuts, augmentation, steps, survival, counts, a split.

The oracles are the layers seen by hooks and put together again by hand, all windows that an image can have, training
anew in float64, closed forms, scikit-learn's precision and recall, and the rule of a split put into sets.
"""

from .blocks import check_13_1, check_13_2, check_13_7, check_13_8
from .data import check_13_4, check_13_10, check_13_11
from .networks import check_13_3, check_13_9
from .steps import check_13_5, check_13_6

__all__ = [
    "check_13_1", "check_13_2", "check_13_3", "check_13_4", "check_13_5", "check_13_6", "check_13_7", "check_13_8",
    "check_13_9", "check_13_10", "check_13_11",
]
