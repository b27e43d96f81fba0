"""What TP 11's notebook needs beside its exercises, steps and rows, which stand in the notebook.

networks: the players and other networks;  cases: what a row may see;  training: how it trains;  measuring: numbers;
distortion: a graph of similar digits;  figures;  measured_rows: what the study has measured (results/tp11.json).
"""

from .cases import DRAWS, Case, budget, drawn_case, draws_of, labelled_batches
from .distortion import distortion_graph, spread_labels, surest_of_each_class
from .figures import (
    accuracies_figure,
    codes_figure,
    critic_figure,
    divergences_figure,
    explore_draws,
    thresholds_figure,
    tsne_figure,
    vanishing_figure,
)
from .measured_rows import ROW_NAMES, choice_figure, explore_mistakes, levers_table, study_table
from .measuring import confusion_on_copies, features_of_digits, measure_row, probe_accuracy
from .networks import GAN_SIZE, NZ, Discriminator, Generator, Neighbours, Signed, SmallCNN, baseline
from .training import Classifier, train_classifier, train_game

__all__ = [
    "DRAWS", "GAN_SIZE", "NZ", "ROW_NAMES", "Case", "Classifier", "Discriminator", "Generator", "Neighbours", "Signed",
    "SmallCNN", "accuracies_figure", "baseline", "budget", "choice_figure", "codes_figure", "confusion_on_copies",
    "critic_figure", "distortion_graph", "divergences_figure", "drawn_case", "draws_of", "explore_draws",
    "explore_mistakes", "features_of_digits", "labelled_batches", "levers_table", "measure_row", "probe_accuracy",
    "spread_labels", "study_table", "surest_of_each_class", "thresholds_figure", "train_classifier", "train_game",
    "tsne_figure", "vanishing_figure",
]
