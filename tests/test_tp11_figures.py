"""TP 11's tables, figures and widgets, its linear probe, and the graph of similar digits."""

import json
from types import SimpleNamespace

import pytest
import torch
from few_labels import SOLUTION, some_digits

import tp_utils as tp
from tp_utils import runtime, tp11
from tp_utils.practicals.tp11 import distortion, measured_rows


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


def some_cells():
    return [{"row": row, "draw": draw, "seed": seed, "profile": "cpu", "test_accuracy": 0.9 + 0.01 * seed,
             "best_on_test": 0.95, "curve": [[10, 0.5], [20, 0.9]], "most_wrong": [[0, 3, 0.9], [5, 2, 0.8]]}
            for row in ("cnn", "cnn-augmented") for draw in tp11.DRAWS for seed in (0, 1)]


# ---- what the study has measured


def test_the_table_has_every_row_and_says_what_is_missing():
    text = str(tp11.study_table(some_cells()))
    assert "90.50 ± 0.71 (2 seeds)" in text and "+0.4" in text and measured_rows.NOT_MEASURED in text
    assert all(name in text for name in tp11.ROW_NAMES.values())


def test_the_table_of_the_measured_cells_is_complete():
    assert measured_rows.NOT_MEASURED not in str(tp11.study_table())


def test_the_cells_of_one_profile_are_shown(monkeypatch):
    cells = [*some_cells(), {**some_cells()[0], "profile": "full"}]
    monkeypatch.setattr(measured_rows, "results", lambda name: {"cells": cells})
    assert measured_rows.study_cells() == some_cells()


def test_the_choice_is_drawn_for_each_draw():
    left, right = tp11.choice_figure(some_cells()).axes
    assert len(left.lines) == 4 and len(right.lines) == 4


def test_the_widget_shows_the_mistakes_of_a_row():
    assert tp11.explore_mistakes(some_digits(), some_cells()).png[:4] == b"\x89PNG"


def test_without_cells_the_widget_says_what_to_do():
    with pytest.raises(ValueError, match="few-labels"):
        tp11.explore_mistakes(some_digits(), [])


def test_the_levers_are_those_that_were_measured():
    measured = json.loads((runtime.ROOT / "results" / "tp11_notebook.json").read_text())["levers"]
    text = str(tp11.levers_table())
    assert len(measured) == 5
    for name, values in measured.items():
        assert name in text and all(f"{100 * value:.1f}" in text for value in values)


# ---- figures


def test_divergences_are_the_closed_forms():
    kl, js, wasserstein = tp11.divergences_figure().axes[0].lines
    assert kl.get_ydata()[-1] == pytest.approx(200) and wasserstein.get_ydata()[-1] == 2
    assert js.get_ydata()[0] == pytest.approx(0, abs=1e-6) and js.get_ydata()[-1] == pytest.approx(0.6931, abs=1e-3)


def test_thresholds_count_the_pool():
    logits = torch.tensor([[4.0, 0], [0, 4.0], [0.2, 0], [0, 0.2]])
    kept, right = tp11.thresholds_figure(logits, torch.tensor([0, 0, 0, 1])).axes[0].lines[:2]
    assert kept.get_ydata()[0] == 1 and right.get_ydata()[0] == 0.75
    assert kept.get_ydata()[-1] == 0 or right.get_ydata()[-1] == 0.5


def test_the_gradient_vanishes_explodes_and_stays():
    digits = some_digits()
    lines = tp11.vanishing_figure(digits.train_images[:16], digits.train_labels[:16], depth=10).axes[0].lines
    ratio = {line.get_label(): line.get_ydata()[0] / line.get_ydata()[-1] for line in lines}
    assert ratio["sigmoid"] < 1e-3 and 0.01 < ratio["ReLU and batch norm"] < 100
    assert 0.1 < ratio["ReLU, weights halved"] * 4**9 / ratio["ReLU, weights doubled"] < 10  # a factor of 4 a layer


def test_a_code_has_a_column_of_its_own():
    """A G that paints its code: each column of the picture is of one brightness, and each of another."""
    class Painter(torch.nn.Module):
        def forward(self, z):
            return (z[:, -10:].argmax(1).view(-1, 1, 1, 1) / 5 - 0.9).expand(-1, 1, 32, 32)

    game = tp.Game(Painter(), tp11.Discriminator(), SOLUTION["sample_latent_and_code"])
    fig = tp11.codes_figure(game, latents=3)
    picture = torch.as_tensor(fig.axes[0].images[0].get_array())
    columns = picture[16, 16::33][:10]
    assert columns.unique().tolist() == columns.tolist() and torch.equal(picture[16 + 33, 16::33][:10], columns)


def test_the_critics_distance_is_minus_its_loss():
    pictures = [(step, torch.zeros(16, 1, 32, 32, dtype=torch.uint8)) for step in (1, 100, 200, 300, 400)]
    game = SimpleNamespace(history={"D": [-2.0] * 400, "G": [0.0] * 400, "pictures": pictures})
    left, right = tp11.critic_figure(game).axes
    assert left.lines[-1].get_ydata()[-1] == pytest.approx(2) and right.get_title() == "after 1, 100, 300, 400 steps"


def test_the_baseline_is_watched_for_a_choice_of_labels():
    widget = tp11.explore_draws(SOLUTION["cnn"], some_digits(), SOLUTION["draw_labels"], SOLUTION["augment"], steps=2)
    assert widget.png[:4] == b"\x89PNG"


def test_features_and_probe():
    digits, network = some_digits(1000), tp11.Discriminator()
    features = tp11.features_of_digits(network, digits.train_images[:200])
    assert features.shape == (200, 2048) and not network.training
    pixels = digits.train_images.flatten(1).float() / 255
    found = tp11.probe_accuracy(pixels[:500], digits.train_labels[:500], pixels[500:], digits.train_labels[500:])
    assert found > 0.75


# ---- the graph


def test_the_graph_finds_neighbours_that_are_moved_a_little():
    digits = some_digits(40).train_images
    moved = digits.roll((1, -1), (2, 3))
    gaps, indices = tp11.distortion_graph(torch.cat([digits, moved]))
    assert (indices[:40, 0] == torch.arange(40, 80)).double().mean() > 0.9 and (gaps.diff(dim=1) >= 0).all()
    assert indices.shape == (80, distortion.NEAREST) and (indices != torch.arange(80)[:, None]).all()


def test_the_distance_is_that_of_a_plain_loop():
    outlines = distortion.outlines(some_digits(2).train_images)
    one, other = outlines[0].double(), torch.nn.functional.pad(outlines[1].double(), [3] * 4)
    gap = torch.full((24, 24), torch.inf, dtype=torch.double)
    for y in range(24):
        for x in range(24):
            for dy in range(-2, 3):
                for dx in range(-2, 3):
                    here = [(one[:, y + v, x + u] - other[:, y + v + dy + 3, x + u + dx + 3]).pow(2).sum()
                            for v in (-1, 0, 1) for u in (-1, 0, 1) if 0 <= y + v < 24 and 0 <= x + u < 24]
                    gap[y, x] = min(gap[y, x], sum(here) / 9)
    found = distortion.distortion_distance(outlines[:1], outlines[1:])
    assert found.item() == pytest.approx(gap.sum().item(), rel=1e-4)


def test_labels_spread_along_the_graph():
    """Two chains of images, and one label in each."""
    indices = torch.tensor([[k ^ 2, k ^ 4] for k in range(40)])[:, :2].clamp(max=39)
    gaps = torch.ones(40, 2)
    found = tp11.spread_labels([gaps, indices], torch.tensor([0, 1]), torch.tensor([3, 7]), neighbours=2)
    reached = found.max(1).values > 0.5
    assert torch.equal(found[:2].argmax(1), torch.tensor([3, 7])) and torch.allclose(found.sum(1), torch.ones(40))
    assert all(found[k].argmax() == (3 if k % 2 == 0 else 7) for k in range(8)) and reached[:8].all()


def test_spreading_on_digits_beats_the_nearest_labelled_image():
    digits = some_digits(600)
    images, labels = digits.train_images, digits.train_labels
    found = tp11.spread_labels(tp11.distortion_graph(images), torch.arange(100), labels[:100]).argmax(1)
    gaps = torch.cdist(images.flatten(1).float(), images[:100].flatten(1).float())
    assert (found == labels)[100:].double().mean() > 0.85 > (labels[gaps.argmin(1)] == labels)[100:].double().mean()


def test_the_surest_share_is_taken_of_each_class():
    sure = torch.tensor([0.9, 0.5, 0.8, 0.1, 0.7])
    labels = torch.tensor([0, 0, 0, 1, 1])
    assert tp11.surest_of_each_class(sure, labels, 0.6).tolist() == [0, 2, 4, 3]
    assert tp11.surest_of_each_class(sure, labels, 0.5).tolist() == [0, 2, 4]
