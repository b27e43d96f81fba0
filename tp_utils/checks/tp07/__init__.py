"""The checks of TP 7: pretrained networks, features and a linear classifier."""

from .features import check_7_4, check_7_5
from .images import check_7_1, check_7_2, check_7_3
from .svm import check_7_6

__all__ = [
    "check_7_1", "check_7_2", "check_7_3", "check_7_4", "check_7_5", "check_7_6",
]
