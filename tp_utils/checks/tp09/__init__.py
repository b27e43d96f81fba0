"""The checks of TP 9: DCGAN's two networks, their first weights, their losses, a step of each, Algorithm 1.

The oracles are the layers seen by hooks, statistics of what is drawn, closed forms of the losses (written with
softplus: ln sigmoid(a) = −softplus(−a)) and, for the steps, two small players whose copies in float64 play the same.
"""

from .algorithm import check_9_10
from .common import ERRORS
from .latents import check_9_3, check_9_4, check_9_11
from .losses import check_9_5, check_9_6, check_9_7
from .networks import check_9_1, check_9_2
from .steps import check_9_8, check_9_9

__all__ = [
    "ERRORS", "check_9_1", "check_9_2", "check_9_3", "check_9_4", "check_9_5", "check_9_6", "check_9_7", "check_9_8",
    "check_9_9", "check_9_10", "check_9_11",
]
