"""The checks of TP 10: conditional GANs, in which both players are told the label.

The oracle of a network takes its weights by their shapes and computes by hand what should come out, so that any way of
writing the network will do. The steps are watched by two players with one row of weights per label: their losses and
updates are closed forms.
"""

from .common import ERRORS
from .convolutions import check_10_3, check_10_4
from .labels import check_10_1, check_10_2
from .mlps import check_10_5, check_10_6
from .steps import check_10_7, check_10_8

__all__ = [
    "ERRORS", "check_10_1", "check_10_2", "check_10_3", "check_10_4", "check_10_5", "check_10_6", "check_10_7",
    "check_10_8",
]
