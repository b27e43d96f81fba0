"""The checks of TP 12: the players of the cats, soft labels, the cat rate, the kernel distance.

The oracles are the layers seen by hooks and put together again by hand, the moments of what is drawn, a network that
reads its answer off the brightness of an image, and scikit-learn's polynomial kernel.
"""

from .images import check_12_3, check_12_4, check_12_5
from .networks import check_12_1, check_12_2

__all__ = ["check_12_1", "check_12_2", "check_12_3", "check_12_4", "check_12_5"]
