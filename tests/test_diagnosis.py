"""The diagnosis of a game: every rule, its border and its sentence."""

import pytest

from tp_utils import health

GOOD = {"contrast": 80.0, "loss_D": 1.3, "loss_G": 0.8, "D(x)": 0.6, "D(G(z))": 0.4, "frechet": 2.0, "floor": 1.0,
        "precision": 0.9, "recall": 0.8, "density": 1.0, "coverage": 0.9,
        "real": {"precision": 0.95, "recall": 0.95, "density": 1.0, "coverage": 0.97}, "classes": 10,
        "covered": list(range(10)), "entropy": 3.3, "real_entropy": 3.32, "diversity": 0.9, "confidence": 0.99}
FAR_AWAY = {"frechet": 2.0 * health.FAR, "confidence": 0.6}
SURE = {"D(x)": 0.99, "D(G(z))": 0.01}


@pytest.mark.parametrize(("change", "sentence"), [
    ({}, "Healthy: all 10 classes, 2.0 times as far from the data as the data from themselves."),
    ({"loss_D": 40.0}, "Diverged: D's loss is 40. "),
    ({"loss_D": float("nan")}, "Diverged: D's loss is nan. "),
    ({"loss_D": float("inf")}, "Diverged: D's loss is inf. "),
    ({"contrast": 0.5}, "Diverged: all generated images are alike. "),
    ({"covered": [0, 1, 3, 4, 5, 6, 8, 9]}, "G collapses: it draws 8 of 10 classes (missing: 2, 7)."),
    ({"covered": []}, "G collapses: it draws 0 of 10 classes (missing: 0, 1, 2, 3, 4, 5, 6, 7, 8, 9)."),
    ({"diversity": 0.31}, "G collapses: its images of one class are 31% as diverse as real ones."),
    (FAR_AWAY | SURE, f"D wins: it gives real images 0.99 and generated ones 0.01, and these are {2 * health.FAR:.0f} "
                      "times as far from the data as the data from themselves."),
    (FAR_AWAY, f"No illness, but not there yet: generated images are {2 * health.FAR:.0f} times as far from the data"),
])
def test_each_illness_has_its_sentence(change, sentence):
    found = health.diagnosis(GOOD | change)
    assert found.startswith(sentence)
    assert found.count("\n") == 0 and found.endswith(".")


ORDER = {
    "Diverged: D's loss": {"loss_D": 11.0}, "Diverged: all": {"contrast": 0.0},
    "G collapses: it draws": {"covered": [1]}, "G collapses: its images": {"diversity": 0.1},
    "No illness, but": FAR_AWAY, "Healthy": {},
}


@pytest.mark.parametrize("first", ORDER)
def test_the_first_rule_that_fits_decides(first):
    later = list(ORDER)[list(ORDER).index(first):]
    numbers = dict(GOOD)
    for rule in later:
        numbers |= ORDER[rule]
    assert health.diagnosis(numbers).startswith(first)


@pytest.mark.parametrize(("name", "healthy", "ill"), [
    ("loss_D", 9.99, 10.0), ("contrast", 1.0, 0.99), ("diversity", 0.5, 0.499),
    ("frechet", 1.0 * health.FAR, 1.001 * health.FAR)])
def test_the_borders_between_health_and_illness(name, healthy, ill):
    assert health.diagnosis(GOOD | {name: healthy}).startswith("Healthy")
    assert not health.diagnosis(GOOD | {name: ill}).startswith("Healthy")


@pytest.mark.parametrize("unsure", [{"D(x)": 0.95}, {"D(G(z))": 0.05}])
def test_a_discriminator_wins_only_if_it_is_sure_of_both_and_the_images_are_far(unsure):
    assert health.diagnosis(GOOD | FAR_AWAY | SURE).startswith("D wins")
    assert health.diagnosis(GOOD | FAR_AWAY | SURE | unsure).startswith("No illness, but")
    assert health.diagnosis(GOOD | SURE).startswith("Healthy")


def test_numbers_that_are_no_numbers_are_not_called_healthy():
    assert not health.diagnosis(GOOD | {"frechet": float("nan")}).startswith("Healthy")
    assert not health.diagnosis(GOOD | {"contrast": float("nan")}).startswith("Healthy")


@pytest.mark.parametrize(("change", "sentence"), [
    ({}, "No sign of divergence; there is no judge for these images"), ({"loss_D": 12.0}, "Diverged: D's loss is 12."),
    ({"contrast": 0.0}, "Diverged: all generated images are alike.")])
def test_without_a_judge_divergence_is_all_that_can_be_told(change, sentence):
    numbers = {name: GOOD[name] for name in ("contrast", "loss_D", "loss_G", "D(x)", "D(G(z))")} | change
    assert health.diagnosis(numbers).startswith(sentence)


def test_the_course_of_a_game_is_the_mean_over_its_last_tenth():
    numbers = [100.0] * 45 + [1.0, 2.0, 3.0, 4.0, 5.0]
    history = {"D": numbers, "G": [2 * n for n in numbers], "D(x)": [0.1] * 45 + [0.9] * 5, "D(G(z))": [0.5] * 50,
               "pictures": []}
    assert health.course(history) == pytest.approx({"loss_D": 3, "loss_G": 6, "D(x)": 0.9, "D(G(z))": 0.5})
    short = {curve: values[-3:] for curve, values in history.items()}
    assert health.course(short)["loss_D"] == 5
