"""Numbers that compare generated features with real ones, against closed forms and other people's code."""

import math

import numpy as np
import pytest
import scipy.linalg
import scipy.stats
import torch
from prdc import compute_prdc

from tp_utils import measure


def features(count, size, seed=0, dtype=torch.float32):
    """Correlated features with a mean of their own."""
    generator = torch.Generator().manual_seed(seed)
    mix = torch.randn(size, size, generator=generator)
    return (torch.randn(count, size, generator=generator) @ mix + torch.randn(size, generator=generator)).to(dtype)


# ---- Fréchet distance


def closed_form(real, generated):
    """The distance of two Gaussians with the moments of these samples (Dowson and Landau 1982)."""
    real, generated = real.double().numpy(), generated.double().numpy()
    covariances = [np.cov(part, rowvar=False) for part in (real, generated)]
    root = scipy.linalg.sqrtm(covariances[0] @ covariances[1])
    return (((real.mean(0) - generated.mean(0)) ** 2).sum()
            + np.trace(covariances[0]) + np.trace(covariances[1]) - 2 * np.trace(root).real)


@pytest.mark.parametrize(("real", "generated", "size"), [(200, 200, 8), (300, 90, 8), (500, 500, 64), (100, 150, 2)])
def test_the_frechet_distance_is_the_closed_form_for_gaussians(real, generated, size):
    real, generated = features(real, size, 0), features(generated, size, 1)
    expected = closed_form(real, generated)
    assert expected > 1
    assert measure.frechet(real, generated) == pytest.approx(expected, rel=1e-6)
    assert measure.frechet(generated, real) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_the_frechet_distance_of_features_to_themselves_is_zero(dtype):
    real = features(200, 16, dtype=dtype)
    scale = real.double().var(0).sum().item()
    assert abs(measure.frechet(real, real)) < 1e-6 * scale
    assert abs(measure.frechet(real, real.flip(0))) < 1e-6 * scale


def test_a_shift_costs_its_square_in_the_frechet_distance():
    real = features(300, 5)
    assert measure.frechet(real, real + torch.tensor([3.0, 4.0, 0.0, 0.0, 0.0])) == pytest.approx(25, rel=1e-4)


def test_the_frechet_distance_to_images_that_are_all_the_same_is_finite():
    real = features(300, 5)
    expected = ((real.double().mean(0) - 1) ** 2).sum() + real.double().var(0).sum()
    assert measure.frechet(real, torch.ones(300, 5)) == pytest.approx(expected.item(), rel=1e-6)


# ---- precision, recall, density, coverage


@pytest.mark.parametrize("k", [1, 3, 5])
@pytest.mark.parametrize(("real", "generated", "size"), [(60, 60, 4), (90, 40, 4), (30, 80, 16), (20, 21, 2)])
def test_neighbours_agree_with_the_authors_package(real, generated, size, k, capsys):
    real = torch.randn(real, size, generator=torch.Generator().manual_seed(0))
    generated = 0.8 * torch.randn(generated, size, generator=torch.Generator().manual_seed(1)) + 0.3
    expected = compute_prdc(real.double().numpy(), generated.double().numpy(), k)
    found = measure.neighbours(real, generated, k)
    assert found.keys() == expected.keys()
    assert len({round(value, 6) for value in expected.values()}) > 1
    for name, value in expected.items():
        assert abs(found[name] - value) < 1e-9


def test_five_neighbours_are_the_default():
    real, generated = features(40, 4), features(40, 4, 1)
    assert measure.neighbours(real, generated) == measure.neighbours(real, generated, 5)
    assert measure.neighbours(real, generated) != measure.neighbours(real, generated, 2)


def test_neighbours_on_a_line_by_hand():
    real = torch.tensor([[0.0], [1.0], [3.0], [6.0]])  # distances to the nearest other: 1, 1, 2, 3
    generated = torch.tensor([[0.5], [0.6], [100.0], [104.0]])  # 0.1, 0.1, 4, 4
    assert measure.neighbours(real, generated, 1) == {
        "precision": 0.5, "recall": 0.0,
        "density": 4 / 4,  # each of the first two lies around 0 and around 1
        "coverage": 0.5}


def test_far_images_have_no_neighbours():
    real = features(50, 4)
    assert measure.neighbours(real, real + 1e4) == {"precision": 0, "recall": 0, "density": 0, "coverage": 0}


# ---- modes


def test_all_classes_alike_are_all_covered_with_the_largest_entropy():
    covered, entropy = measure.modes(torch.arange(10).repeat(7), 10)
    assert covered == list(range(10))
    assert entropy == pytest.approx(math.log2(10))


def test_one_class_alone_has_no_entropy():
    covered, entropy = measure.modes(torch.full((50,), 1), 10)
    assert covered == [1]
    assert entropy == pytest.approx(0, abs=1e-9)


def test_entropy_is_scipys_and_classes_at_the_end_may_be_missing():
    counts = [5, 0, 11, 4, 0]
    covered, entropy = measure.modes(torch.arange(5).repeat_interleave(torch.tensor(counts)), 5)
    assert covered == [0, 2, 3]
    assert entropy == pytest.approx(scipy.stats.entropy(counts, base=2))


@pytest.mark.parametrize(("count", "least", "covered"), [(1, 0.2, [0]), (2, 0.2, [0, 1]), (4, 0.5, [0]),
                                                         (5, 0.5, [0, 1])])
def test_a_class_is_covered_by_a_share_of_its_fair_share(count, least, covered):
    predictions = torch.tensor([1] * count + [0] * (20 - count))  # a fair share is 10 of 20
    assert measure.modes(predictions, 2, least)[0] == covered
    if least == 0.2:
        assert measure.modes(predictions, 2)[0] == covered


# ---- diversity


def test_diversity_is_the_quotient_of_mean_distances_within_each_class():
    generated = torch.tensor([[0.0, 0.0], [3.0, 4.0], [7.0, 7.0], [7.0, 7.0]])
    real = torch.tensor([[0.0, 0.0], [0.0, 2.0], [1.0, 1.0], [1.0, 4.0], [5.0, 1.0]])
    found = measure.diversity(generated, torch.tensor([0, 0, 1, 1]), real, torch.tensor([0, 0, 1, 1, 1]))
    assert found.tolist() == [2.5, 0.0]


def test_diversity_is_numpys_mean_over_pairs():
    generated, real = features(30, 4), features(40, 4, 1)
    predictions, labels = torch.arange(30) % 3, torch.arange(40) % 3
    found = measure.diversity(generated, predictions, real, labels)
    for k in range(3):
        spreads = [np.mean([np.linalg.norm(a - b) for i, a in enumerate(part) for b in part[:i]])
                   for part in (generated[predictions == k].numpy(), real[labels == k].numpy())]
        assert found[k].item() == pytest.approx(spreads[0] / spreads[1], rel=1e-5)


@pytest.mark.parametrize("few", [0, 1])
def test_a_class_with_fewer_than_two_generated_images_has_no_diversity(few):
    generated, real = features(10 + few, 4), features(20, 4)
    found = measure.diversity(generated, torch.tensor([0] * 10 + [1] * few), real, torch.arange(20) % 3)
    assert found.isnan().tolist() == [False, True, True]


def test_real_images_are_as_diverse_as_themselves():
    real, labels = features(30, 4), torch.arange(30) % 3
    assert measure.diversity(real, labels, real, labels).tolist() == [1, 1, 1]
