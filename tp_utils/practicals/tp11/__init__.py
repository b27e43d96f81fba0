"""TP 11's table: classifiers of MNIST that see a hundred labels. protocol: what they share; games: the GANs; rows.

The pieces that are exercises of TP 11 come with each case: the notebook hands in those that `tp.check` returned, the
study (tp_utils/authoring/study.py) those of the solution notebook.
"""

from . import distortion
from .figures import (
    NAMES,
    baseline,
    browse,
    codes,
    distances,
    features_of,
    gradient_norms,
    plane,
    probe,
    selection,
    table,
    thresholds,
    watch,
)
from .games import (
    NZ,
    Discriminator,
    Generator,
    dcgan,
    gaussian,
    infogan,
    initialised,
    untrained,
    wgan,
    wgan_gp,
    with_code,
)
from .protocol import CLASSES, DRAWS, EXERCISES, GAN_SIZE, Case, Classifier, draw, draws_of
from .rows import ROWS, Signed, cnn, measure, train, weights_of

__all__ = [
    "CLASSES",
    "DRAWS",
    "EXERCISES",
    "GAN_SIZE",
    "NAMES",
    "NZ",
    "ROWS",
    "Case",
    "Classifier",
    "Discriminator",
    "Generator",
    "Signed",
    "baseline",
    "browse",
    "cnn",
    "codes",
    "dcgan",
    "distances",
    "distortion",
    "draw",
    "draws_of",
    "features_of",
    "gaussian",
    "gradient_norms",
    "infogan",
    "initialised",
    "measure",
    "plane",
    "probe",
    "selection",
    "table",
    "thresholds",
    "train",
    "untrained",
    "watch",
    "weights_of",
    "wgan",
    "wgan_gp",
    "with_code",
]
