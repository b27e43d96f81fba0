"""What the tests of TP 11's rows share: a few digits, the solution notebook's functions, its cases."""

from functools import cache
from types import SimpleNamespace

import tp_utils as tp
from tp_utils import tp11
from tp_utils.checks import definitions

SOLUTION = definitions(11)  # {name: value} of the solution notebook
ROWS = SOLUTION["rows"]


mnist = cache(tp.data.mnist)  # read once


def some_digits(train=400, test=200):
    """The first digits of MNIST, to be changed at will."""
    digits = mnist()
    return SimpleNamespace(train_images=digits.train_images[:train], train_labels=digits.train_labels[:train].clone(),
                           test_images=digits.test_images[:test], test_labels=digits.test_labels[:test].clone())


def trained(row, digits, draw="balanced", seed=0):
    """The Classifier of a row of the table."""
    function, augment = ROWS[row]
    return function(tp11.drawn_case(digits, draw, seed, SOLUTION["draw_labels"], augment))
