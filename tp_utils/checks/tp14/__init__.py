"""The checks of TP 14: encoder, decoder, the terms of the loss, and the step of three players.

The oracles are the layers seen by hooks and put together by hand, torch.distributions' divergence, sums written out,
and, for the step, three small players whose gradients are computed on copies, each from its own loss.
"""

from .losses import check_14_3, check_14_4, check_14_5, check_14_6
from .networks import check_14_1, check_14_2
from .step import check_14_7

__all__ = [
    "check_14_1", "check_14_2", "check_14_3", "check_14_4", "check_14_5", "check_14_6", "check_14_7",
]
