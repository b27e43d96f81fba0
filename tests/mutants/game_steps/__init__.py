"""Answers to the steps of D and of G, with labels (TP 10) or without (TP 9): right ones, and mistakes with their hints.

They take what the exercises give: (D, x, [y,] fake, optimiser_D) and (D, [y,] fake, optimiser_G).
"""

from .common import both, ones, zeros
from .of_d import RIGHT_D, WRONG_D, d_step, d_step_in_one_batch
from .of_g import RIGHT_G, WRONG_G, g_step

__all__ = ["RIGHT_D", "RIGHT_G", "WRONG_D", "WRONG_G", "both", "d_step", "d_step_in_one_batch", "g_step", "ones",
           "zeros"]
