"""The checks of TP 8: looking into a network through the gradients of its scores, and fooling it.

The oracle is a network whose scores are polynomials of the pixels: its gradients are known without autograd.
"""

from .ascent import check_8_2, check_8_3
from .attacks import check_8_7, check_8_8
from .common import ERRORS
from .maps import check_8_1, check_8_4, check_8_5, check_8_6

__all__ = [
    "ERRORS", "check_8_1", "check_8_2", "check_8_3", "check_8_4", "check_8_5", "check_8_6", "check_8_7", "check_8_8",
]
