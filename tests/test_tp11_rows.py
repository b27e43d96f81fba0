"""TP 11's rows: what each may see of the labels, that it learns, that the notebook's functions are what is trained."""

import json
from pathlib import Path
from types import SimpleNamespace

import nbformat
import pytest
import torch
from few_labels import ROWS, SOLUTION, some_digits, trained
from torch import nn

from tp_utils import tp11
from tp_utils.measure import accuracy
from tp_utils.practicals.tp11.measured_rows import REPORTED

STUDENT = Path(__file__).resolve().parent.parent / "notebooks" / "tp11_a_hundred_labels.ipynb"


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


@pytest.fixture
def digits():
    return some_digits()


def case(digits, draw="random", seed=0, augment=None):
    return tp11.drawn_case(digits, draw, seed, SOLUTION["draw_labels"], augment)


def measured(row, digits, draw="balanced", seed=0):
    function, augment = ROWS[row]
    return tp11.measure_row(function, case(digits, draw, seed, augment))


def test_the_tables_rows_are_those_of_the_notebook():
    assert list(ROWS) != [] and set(ROWS) == set(tp11.ROW_NAMES) and set(REPORTED) <= set(ROWS)
    results = json.loads((STUDENT.parent.parent / "results" / "tp11.json").read_text())
    assert {one["row"] for one in results["cells"]} <= set(ROWS)


@pytest.mark.parametrize("row", ROWS)
def test_a_row_is_trained_and_measured(row, digits):
    found = measured(row, digits)
    assert 0 <= found["test_accuracy"] <= found["best_on_test"] <= 1
    matrix, count = torch.tensor(found["confusion"]), tp11.budget("test images")
    assert matrix.sum() == count and matrix.diag().sum() / count == pytest.approx(found["test_accuracy"])
    assert len(found["most_wrong"]) == min(40, round(count * (1 - found["test_accuracy"])))
    for i, predicted, sure in found["most_wrong"]:
        assert predicted != digits.test_labels[i] and 0 < sure <= 1
    assert found["curve"] == sorted(found["curve"]) and json.dumps(found)


def test_the_same_row_again_gives_the_same_numbers(digits, monkeypatch, tmp_path):
    first = measured("semi-supervised", digits, "random", 1)
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    second = measured("semi-supervised", digits, "random", 1)
    timed = ("seconds", "cpu_seconds")
    assert all(first[key] > 0 for key in timed)
    assert {k: v for k, v in first.items() if k not in timed} == {k: v for k, v in second.items() if k not in timed}


@pytest.mark.parametrize("row", [row for row in ROWS if not row.startswith("all-") and not row.endswith("-augmented")])
def test_no_row_sees_a_label_beyond_the_hundred(row, digits, monkeypatch, tmp_path):
    """Other labels for the rest of the pool change nothing."""
    function, augment = ROWS[row]
    chosen = case(digits).chosen
    first = function(tp11.Case(digits, chosen, "random", 0, augment))
    others = (digits.train_labels + 1) % 10
    others[chosen] = digits.train_labels[chosen]
    digits.train_labels = others
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    second = function(tp11.Case(digits, chosen, "random", 0, augment))
    assert torch.equal(first.logits(digits.test_images), second.logits(digits.test_images))


@pytest.mark.parametrize("row", ["cnn", "all-cnn", "semi-supervised", "self-trained"])
def test_the_test_labels_decide_nothing(row, digits, monkeypatch, tmp_path):
    first = trained(row, digits).logits(digits.test_images)
    digits.test_labels = (digits.test_labels + 3) % 10
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "other"))
    assert torch.equal(first, trained(row, digits).logits(digits.test_images))


def test_the_baseline_learns(digits):
    made = SOLUTION["cnn"](case(digits, "balanced"), steps=150)
    assert len(made.curve) >= 12 and made.curve[-1][0] == 150
    assert accuracy(made.logits(digits.test_images).argmax(1), digits.test_labels) > 0.6


def test_all_rows_of_a_seed_see_the_same_draw_and_another_seed_another(digits):
    for draw in tp11.DRAWS:
        one, again, other = (case(digits, draw, seed).chosen for seed in (0, 0, 1))
        assert torch.equal(one, again) and not torch.equal(one, other) and len(one) == 100
    assert torch.bincount(case(digits, "balanced", 3).labelled[1]).tolist() == 10 * [10]


def test_with_all_labels_there_is_one_draw():
    assert {row for row in ROWS if tp11.draws_of(row) == ["random"]} == {row for row in ROWS if "all-" in row}


def test_an_augmented_row_is_shown_moved_images_and_a_plain_one_is_not(digits):
    images = digits.train_images[:4]
    plain = case(digits).prepare(images, torch.Generator().manual_seed(0))
    moved = case(digits, augment=SOLUTION["augment"]).prepare(images, torch.Generator().manual_seed(0))
    assert torch.equal(plain, images.float() / 255)
    assert moved.shape == plain.shape and not torch.equal(moved, plain)


def test_another_augmentation_is_another_run(digits):
    def flip(images, generator):
        return images.flip(2)

    one, other = (SOLUTION["cnn"](case(digits, augment=way)) for way in (SOLUTION["augment"], flip))
    assert not torch.equal(one.logits(digits.test_images), other.logits(digits.test_images))


def test_a_teacher_is_asked_about_copies_of_the_labelled_images_alone(digits):
    seen = []
    teacher = SimpleNamespace(logits=lambda images: seen.append(images) or torch.zeros(len(images), 10))
    found = tp11.confusion_on_copies(teacher, case(digits, augment=SOLUTION["augment"]), copies=3)
    assert seen[0].shape == (300, 1, 28, 28) and seen[0].dtype == torch.uint8
    weights = SOLUTION["class_weights"](found)
    assert weights.argmin() == 0 and weights.mean() == pytest.approx(1)  # a teacher that says 0 is right on zeros only


def test_pseudo_labels_keep_the_hundred_as_they_are_known(digits):
    """A teacher that is sure of a 3 wherever it looks, but on the last hundred images."""
    teacher = SimpleNamespace(logits=lambda images: torch.where(torch.arange(len(images)) < 300, 9.0, 0.0)[:, None]
                              * nn.functional.one_hot(torch.tensor([3]), 10))
    hundred = tp11.Case(digits, torch.arange(250, 350), "random", 0)
    images, labels = SOLUTION["pseudo_labelled"](teacher, hundred)
    assert torch.equal(images, digits.train_images[:350])
    assert labels[:250].eq(3).all() and torch.equal(labels[250:], digits.train_labels[250:350])


# ---- the student's own functions


@pytest.fixture
def student():
    """The student notebook's cells tagged setup and define, executed: of the exercises only 11.2 is there."""
    space = {"__name__": "student", "augment": SOLUTION["augment"]}
    for cell in nbformat.read(STUDENT, 4).cells:
        if {"setup", "define"}.intersection(cell.metadata.get("tags", ())):
            exec(compile(cell.source, cell.id, "exec"), space)
    return space


class OneLayer(nn.Module):
    """A student's own network."""

    def __init__(self, classes=10):
        super().__init__()
        self.layers = nn.Sequential(nn.Flatten(), nn.Linear(784, classes))

    def forward(self, x):
        return self.layers(x)


def test_a_row_of_the_student_trains_the_students_network(student, digits):
    student["FewLabelCNN"] = OneLayer
    assert isinstance(student["cnn"](case(digits)).network, OneLayer)


def test_a_game_of_the_student_is_played_with_the_students_losses(student, digits):
    seen = []

    def critic_loss(real_scores, fake_scores):
        seen.append(len(real_scores))
        return fake_scores.mean() - real_scores.mean()

    student.update(critic_loss=critic_loss, critic_generator_loss=lambda scores: -scores.mean(),
                   clip_weights=lambda critic, bound: None)
    game = student["train_wgan"](digits.train_images, 0)
    assert seen == 2 * 5 * [8] and max(weight.abs().max() for weight in game.D.parameters()) > 0.02  # nobody clipped
