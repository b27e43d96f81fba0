"""The panel of a game, and games that were made to fail."""

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
from tp_utils.training import Game, Run, update

COUNT = 1000  # images that are measured: half of what the rules were made for


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU; no figure stays open."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    yield
    assert plt.get_fignums() == []


# ---- games that were made to fail


class Posing:
    """A game whose generated images are stored ones."""

    def __init__(self, images, real=0.6, fake=0.4, loss=1.3):
        self.images = images
        self.history = {"D": [loss] * 20, "G": [0.8] * 20, "D(x)": [real] * 20, "D(G(z))": [fake] * 20,
                        "pictures": [(1, images[:64]), (20, images[:64])]}
        self.run = Run({}, 20, self.history)

    def generate(self, count, seed=0, labels=None):
        assert len(self.images) >= count
        return self.images[:count], None


@pytest.fixture(scope="module")
def digits():
    """(train images, labels, test images) of MNIST, 32 × 32, the first few thousand."""
    mnist = data.mnist()
    return resized(mnist.train_images[:6000], 32), mnist.train_labels[:6000], resized(mnist.test_images[:2000], 32)


class Remembering:
    """The judge, asked once about the same images: of many games the real ones are the same."""

    def __init__(self, ask):
        self.ask, self.known, self.calls = ask, {}, 0

    def __call__(self, images):
        self.calls += 1
        key = fingerprint(images, *judge.mnist_judge().state_dict().values())
        if key not in self.known:
            self.known[key] = self.ask(images)
        return self.known[key]

    def __reduce_ex__(self, protocol):  # what it remembers is no part of the key of a cached value
        return "Remembering"


@pytest.fixture(scope="module", autouse=True)
def remembered():
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(health, "opinion", Remembering(health.opinion))
        yield health.opinion


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
    optimisers = {"D": torch.optim.Adam(D.parameters(), lr_D), "G": torch.optim.Adam(G.parameters(), lr_G)}

    def latent(n, generator):
        return torch.randn(n, 8, generator=generator)

    def step(x, generator):
        fake = G(latent(len(x), generator))
        loss_D = F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()
        update(optimisers["D"], loss_D)
        loss_G = F.softplus(-D(fake)).mean()
        update(optimisers["G"], loss_G)
        return {"D": loss_D, "G": loss_G}

    return Game(G, D, latent).train(step, optimisers, digits[0], steps, live=False, batch_size=32)


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


def test_what_is_measured_is_the_panels_and_comes_from_the_cache_the_second_time(digits, remembered):
    game = Posing(digits[2])
    numbers = health.of(game, digits[0], 60)
    assert numbers == {name: value for name, value in health.report(game, digits[0], 60).numbers.items()
                       if name in numbers}
    assert {"frechet", "coverage", "covered", "diversity", "loss_D", "D(G(z))"} <= numbers.keys()
    calls = remembered.calls
    assert health.of(game, digits[0], 60) == numbers and remembered.calls == calls
    assert health.of(game, digits[0], 61) != numbers and remembered.calls == calls + 2


def test_what_is_measured_by_another_judge_is_measured_anew(digits, monkeypatch):
    game = Posing(digits[2])
    numbers = health.of(game, digits[0], 60)
    torch.manual_seed(0)
    another = judge.Judge().requires_grad_(False).eval()
    for module in (judge, health):
        monkeypatch.setattr(module, "mnist_judge", lambda: another)
    assert health.of(game, digits[0], 60)["frechet"] != numbers["frechet"]


def test_the_numbers_without_a_panel_can_be_diagnosed(digits):
    numbers = health.of(Posing(digits[2]), digits[0], COUNT)
    assert health.diagnosis(numbers).startswith("Healthy: all 10 classes")
