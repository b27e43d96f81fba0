"""The panel of a game: every rule of the diagnosis, and games that were made to fail."""

import base64
import io
import re

import matplotlib.pyplot as plt
import pytest
import torch
from PIL import Image
from torch import nn
from torch.nn import functional as F

from tp_utils import data, health, judge
from tp_utils.data.imageset import resized
from tp_utils.runtime import fingerprint
from tp_utils.training import train_gan

COUNT = 1000  # images that are measured: half of what the rules were made for

GOOD = {"contrast": 80.0, "loss_D": 1.3, "loss_G": 0.8, "D(x)": 0.6, "D(G(z))": 0.4, "frechet": 2.0, "floor": 1.0,
        "precision": 0.9, "recall": 0.8, "density": 1.0, "coverage": 0.9,
        "real": {"precision": 0.95, "recall": 0.95, "density": 1.0, "coverage": 0.97}, "classes": 10,
        "covered": list(range(10)), "entropy": 3.3, "real_entropy": 3.32, "diversity": 0.9, "confidence": 0.99}
FAR_AWAY = {"frechet": 2.0 * health.FAR, "confidence": 0.6}
SURE = {"D(x)": 0.99, "D(G(z))": 0.01}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU; no figure stays open."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    yield
    assert plt.get_fignums() == []


# ---- the rules


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
    history = {"discriminator loss": numbers, "generator loss": [2 * n for n in numbers],
               "D(x)": [0.1] * 45 + [0.9] * 5, "D(G(z))": [0.5] * 50, "pictures": []}
    assert health.course(history) == pytest.approx({"loss_D": 3, "loss_G": 6, "D(x)": 0.9, "D(G(z))": 0.5})
    short = {curve: values[-3:] for curve, values in history.items()}
    assert health.course(short)["loss_D"] == 5


# ---- games that were made to fail


class Posing:
    """A game whose generated images are stored ones."""

    def __init__(self, images, real=0.6, fake=0.4, loss=1.3):
        self.images = images
        self.history = {"discriminator loss": [loss] * 20, "generator loss": [0.8] * 20, "D(x)": [real] * 20,
                        "D(G(z))": [fake] * 20, "pictures": [(1, images[:64]), (20, images[:64])]}

    def generate(self, count, seed=0, labels=None):
        assert len(self.images) >= count
        return self.images[:count], None


@pytest.fixture(scope="module")
def digits():
    """(train images, labels, test images) of MNIST, 32 × 32, the first few thousand."""
    mnist = data.mnist()
    return resized(mnist.train_images[:6000], 32), mnist.train_labels[:6000], resized(mnist.test_images[:2000], 32)


@pytest.fixture(scope="module", autouse=True)
def remembered():
    """The judge is asked once about the same images: of many games the real ones are the same."""
    known, ask = {}, health.opinion

    def opinion(images):
        key = fingerprint(images, *judge.judge().state_dict().values())
        if key not in known:
            known[key] = ask(images)
        return known[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "opinion", opinion)
        yield


def report(images, digits, **course):
    return health.report(Posing(images, **course), digits[0], COUNT)


def test_real_test_images_posing_as_generated_ones_are_healthy_and_near_the_floor(digits):
    found = report(digits[2], digits)
    assert found.sentence.startswith("Healthy: all 10 classes")
    assert 0.5 < found.numbers["frechet"] / found.numbers["floor"] < 5
    assert found.numbers["covered"] == list(range(10))
    assert found.numbers["diversity"] == pytest.approx(1, abs=0.15)
    assert min(found.numbers[name] for name in ("precision", "recall", "density", "coverage")) > 0.5


def test_a_generator_of_one_grey_is_blank(digits):
    found = report(torch.full((COUNT, 1, 32, 32), 90, dtype=torch.uint8), digits)
    assert found.sentence.startswith("Diverged: all generated images are alike.")


def test_a_generator_of_ones_collapses_and_the_other_digits_are_missing(digits):
    images, labels, _ = digits
    found = report(images[labels == 1].repeat(2, 1, 1, 1), digits)
    assert found.sentence == "G collapses: it draws 1 of 10 classes (missing: 0, 2, 3, 4, 5, 6, 7, 8, 9)."
    assert found.numbers["covered"] == [1] and found.numbers["entropy"] < 0.3
    assert found.numbers["recall"] < 0.5 * found.numbers["real"]["recall"]


def test_good_ones_that_the_discriminator_is_sure_of_are_a_collapse_all_the_same(digits):
    """D may well be sure of a G that always draws the same: G's fault, for its images are good ones."""
    images, labels, _ = digits
    found = report(images[labels == 1].repeat(2, 1, 1, 1), digits, real=0.99, fake=0.01)
    assert found.sentence.startswith("G collapses: it draws 1 of 10 classes")


def test_a_generator_without_three_digits_collapses_also_when_a_few_look_like_them(digits):
    images, labels, _ = digits
    some = (labels != 2) & (labels != 5) & (labels != 7)
    found = report(torch.cat([images[labels == 5][:2], images[some]]), digits)
    assert found.sentence == "G collapses: it draws 7 of 10 classes (missing: 2, 5, 7)."


def test_a_generator_that_has_one_picture_of_each_digit_collapses(digits):
    images, labels, _ = digits
    first = torch.stack([images[labels == label][3] for label in range(10)])
    found = report(first.repeat(COUNT // 10, 1, 1, 1), digits)
    assert found.numbers["covered"] == list(range(10))
    assert found.numbers["diversity"] < 0.05
    assert re.fullmatch(r"G collapses: its images of one class are \d% as diverse as real ones\.", found.sentence)


def test_noise_that_the_discriminator_is_sure_of_is_d_wins(digits):
    noise = torch.randint(256, (COUNT, 1, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    found = report(noise, digits, real=0.99, fake=0.01)
    assert found.numbers["frechet"] > 10 * found.numbers["floor"]
    assert found.numbers["recall"] < 0.1 and found.numbers["coverage"] < 0.1
    assert found.sentence.startswith("D wins: it gives real images 0.99 and generated ones 0.01, and these are ")


class Sketch(nn.Module):
    """A small G: z [n, 8] → [n, 1, 32, 32]."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 1024), nn.Tanh())

    def forward(self, z):
        return self.layers(z).view(-1, 1, 32, 32)


def played(digits, lr_D, lr_G, steps=60):
    """A game of small players on real digits."""
    torch.manual_seed(0)
    G, D = Sketch(), nn.Sequential(nn.Flatten(), nn.Linear(1024, 32), nn.LeakyReLU(0.2), nn.Linear(32, 1),
                                   nn.Flatten(0))
    return train_gan(
        G, D, digits[0], steps, live=False, batch_size=32, latent=lambda n, g: torch.randn(n, 8, generator=g),
        loss_D=lambda real, fake: F.softplus(-real).mean() + F.softplus(fake).mean(),
        loss_G=lambda fake: F.softplus(-fake).mean(), optimiser_D=torch.optim.Adam(D.parameters(), lr_D),
        optimiser_G=torch.optim.Adam(G.parameters(), lr_G))


def test_a_real_game_whose_generator_does_not_learn_is_won_by_the_discriminator(digits):
    game = played(digits, 1e-3, 0)
    found = health.report(game, digits[0], COUNT)
    assert found.numbers["D(x)"] > 0.95 and found.numbers["D(G(z))"] < 0.05
    assert found.sentence.startswith("D wins: ")


def test_a_real_game_whose_discriminator_learns_a_thousand_times_too_fast_is_lost(digits):
    game = played(digits, 1, 1e-3)
    found = health.report(game, digits[0], COUNT)
    assert max(found.numbers["loss_D"], found.numbers["loss_G"]) > 100
    assert found.sentence.startswith(("D wins: ", "Diverged: "))


def test_a_real_game_that_has_just_begun_is_not_healthy(digits):
    game = played(digits, 1e-4, 1e-4, steps=2)
    assert not health.report(game, digits[0], COUNT).sentence.startswith("Healthy")


# ---- the panel


@pytest.fixture(scope="module")
def panel(digits):
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        return health.report(Posing(digits[2][:120]), digits[0], 120, title="A game <of> digits")


def test_the_panel_as_text_and_html_has_every_number_and_the_sentence(panel):
    text, page = str(panel), panel._repr_html_()
    assert repr(panel) == text and text.splitlines()[-1] == panel.sentence
    assert panel.sentence in page
    for shown in (f"{panel.numbers['frechet']:.2f}", f"{panel.numbers['floor']:.2f} (floor)", "10 of 10",
                  f"{panel.numbers['precision']:.2f}", f"{panel.numbers['real']['coverage']:.2f}", "0.60, 0.40"):
        assert shown in text and shown in page
    names = [line.split("  ")[0] for line in text.splitlines()]
    assert names[:6] == ["measure", "Fréchet distance (judge's features)", "precision", "recall", "density", "coverage"]


def test_the_panels_figure_opens_and_has_titles_and_labels(panel):
    picture = base64.b64decode(re.search('base64,([^"]+)"', panel._repr_html_())[1])
    assert Image.open(io.BytesIO(picture)).width > 300
    losses, probabilities, images = panel.figure.axes
    assert losses.get_title() == "A game <of> digits"
    for axis in (losses, probabilities):
        assert axis.get_title() and axis.get_xlabel() == "step" and axis.get_ylabel()
    assert images.get_title() == "fixed latents, step 20"


def test_a_game_without_a_judge_has_a_panel_too():
    game = Posing(torch.randint(256, (50, 3, 16, 16), dtype=torch.uint8))
    found = health.report(game, count=50)
    assert found.sentence == health.UNJUDGED
    assert found.sentence in str(found) and found.sentence in found._repr_html_()
    assert "Fréchet" not in str(found)
    assert health.report(Posing(game.images * 0), count=50).sentence.startswith("Diverged: all generated")


@pytest.mark.parametrize("function", [health.report, health.of])
def test_too_few_real_images_are_refused_before_anything_is_measured(function, digits, monkeypatch):
    monkeypatch.setattr(health, "opinion", None)
    with pytest.raises(ValueError, match=r"^50 generated images need 100 real ones, there are 99$"):
        function(Posing(digits[2]), digits[0][:99], 50)


def test_what_is_measured_is_the_panels_and_comes_from_the_cache_the_second_time(digits, monkeypatch):
    game = Posing(digits[2])
    numbers = health.of(game, digits[0], 60)
    assert numbers == {name: value for name, value in health.report(game, digits[0], 60).numbers.items()
                       if name in numbers}
    assert {"frechet", "coverage", "covered", "diversity", "loss_D", "D(G(z))"} <= numbers.keys()
    asked = []
    monkeypatch.setattr(health, "frechet", lambda *features: asked.append(features) or 0.0)
    assert health.of(game, digits[0], 60) == numbers and not asked
    assert health.of(game, digits[0], 61)["frechet"] == 0.0 and asked


def test_what_is_measured_by_another_judge_is_measured_anew(digits, monkeypatch):
    game = Posing(digits[2])
    numbers = health.of(game, digits[0], 60)
    torch.manual_seed(0)
    another = judge.Judge().requires_grad_(False).eval()
    monkeypatch.setattr(judge, "judge", lambda: another)
    if hasattr(health, "judge"):
        monkeypatch.setattr(health, "judge", lambda: another)
    assert health.of(game, digits[0], 60)["frechet"] != numbers["frechet"]


def test_the_numbers_without_a_panel_can_be_diagnosed(digits):
    numbers = health.of(Posing(digits[2]), digits[0], COUNT)
    assert health.diagnosis(numbers).startswith("Healthy: all 10 classes")
