"""Numbers of measure/: what fits is counted as scikit-learn and NumPy do, what does not is refused in one sentence."""

import math

import numpy as np
import pytest
import scipy.stats
import sklearn.metrics
import torch

from tp_utils import measure

LABELS = torch.tensor([0, 1, 2, 2])


def refused(call, *words):
    """The sentence with which a call is refused."""
    with pytest.raises(ValueError) as error:
        call()
    sentence = str(error.value)
    assert "\n" not in sentence and "Traceback" not in sentence
    assert all(word in sentence for word in words), sentence
    return sentence


# ---- classes


@pytest.mark.parametrize("kind", [torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64, torch.float32,
                                  torch.float64, "numpy", "list"], ids=str)
@pytest.mark.parametrize("classes", [2, 17, 100])
def test_every_way_to_write_classes_counts_the_same(kind, classes):
    generator = np.random.default_rng(0)
    predicted, labels = generator.integers(classes, size=(2, 500))
    expected = sklearn.metrics.confusion_matrix(labels, predicted, labels=range(classes))
    if kind == "list":
        given = predicted.tolist(), labels.tolist()
    elif kind == "numpy":
        given = predicted.astype(np.uint8), labels.astype(np.uint8)
    else:
        given = [torch.from_numpy(values).to(kind) for values in (predicted, labels)]
    assert measure.confusion(*given, classes).tolist() == expected.tolist()
    assert measure.accuracy(*given) == pytest.approx(sklearn.metrics.accuracy_score(labels, predicted))


def test_two_classes_may_be_true_and_false():
    assert measure.accuracy(torch.tensor([True, False, True]), torch.ones(3)) == pytest.approx(2 / 3)


@pytest.mark.parametrize(("predictions", "labels", "words"), [
    (LABELS[:, None], LABELS, ["predictions", "int64 [4, 1]", "[:, 0]"]),
    (LABELS, LABELS[:, None], ["labels", "int64 [4, 1]"]),
    (LABELS, LABELS[:1], ["4 predictions", "1 labels"]),
    (LABELS[:1], LABELS, ["1 predictions", "4 labels"]),
    (torch.rand(4, 3), LABELS, ["predictions", "[4, 3]", ".argmax(1)"]),
    (torch.rand(4), LABELS, ["predictions", "after the point"]),
    (LABELS / 0, LABELS, ["predictions", "after the point"]),
    (LABELS[0], LABELS, ["predictions", "int64 []"]),
    (["cat", "dog"], [0, 1], ["predictions", "list"]),
    (None, LABELS, ["predictions", "NoneType"]),
    (LABELS[:0], LABELS[:0], ["no predictions"]),
])
def test_classes_that_do_not_fit_are_refused(predictions, labels, words):
    refused(lambda: measure.accuracy(predictions, labels), *words)
    refused(lambda: measure.confusion(predictions, labels, 3), *words)


@pytest.mark.parametrize(("predictions", "labels", "classes", "words"), [
    (LABELS, LABELS, 2, ["predictions go from 0 to 2", "0 to 1"]),
    (LABELS.clamp(max=1), LABELS, 2, ["labels go from 0 to 2"]),
    (LABELS - 1, LABELS, 3, ["predictions go from -1 to 1"]),
    (LABELS, LABELS, 0, ["classes must be a whole number"]),
    (LABELS, LABELS, 2.5, ["classes must be a whole number"]),
])
def test_a_class_that_is_none_of_them_is_not_counted_as_another(predictions, labels, classes, words):
    refused(lambda: measure.confusion(predictions, labels, classes), *words)


def test_modes_want_classes_among_those_that_there_are():
    refused(lambda: measure.modes(LABELS, 2), "predictions go from 0 to 2")
    refused(lambda: measure.modes(torch.rand(4, 3), 3), ".argmax(1)")
    refused(lambda: measure.modes(LABELS[:0], 3), "no predictions")
    covered, entropy = measure.modes([0, 1, 2, 2], 3)
    assert covered == [0, 1, 2] and entropy == pytest.approx(scipy.stats.entropy([1, 1, 2], base=2))


@pytest.mark.parametrize("matrix", [torch.zeros(2, 3), torch.zeros(4), [[1, 2], [3]], torch.zeros(1, 2, 2)])
def test_the_most_confused_are_those_of_a_square(matrix):
    refused(lambda: measure.most_confused(matrix), "[K, K]")


def test_the_most_confused_of_a_list_and_of_one_class():
    assert measure.most_confused([[3, 2], [0, 1]]) == [(0, 1, 2)]
    assert measure.most_confused(torch.tensor([[5]])) == []
    refused(lambda: measure.most_confused(torch.zeros(2, 2), 0), "k must be a whole number")


# ---- means


@pytest.mark.parametrize("values", [[0.1, 0.4, 0.35], (0.1, 0.4, 0.35), np.array([0.1, 0.4, 0.35]),
                                    torch.tensor([0.1, 0.4, 0.35], dtype=torch.double),
                                    [torch.tensor(0.1).double(), torch.tensor(0.4).double(), 0.35]])
def test_every_list_of_numbers_has_its_mean_and_deviation(values):
    plain = [float(value) for value in values]
    mean, sd = np.mean(plain), np.std(plain, ddof=1)
    assert measure.mean_sd(values) == pytest.approx((mean, sd), abs=1e-12)
    assert measure.percent(values) == f"{100 * mean:.1f} ± {100 * sd:.1f} %"


@pytest.mark.parametrize("number", [0.875, np.float32(0.875), torch.tensor(0.875), [0.875], (0.875,)])
def test_a_number_alone_has_no_deviation(number):
    assert measure.mean_sd(number) == (0.875, 0.0) and measure.percent(number) == "87.5 %"


@pytest.mark.parametrize("values", [[], (), torch.zeros(0), np.zeros(0)])
def test_of_nothing_there_is_no_mean(values):
    refused(lambda: measure.mean_sd(values), "there are no values")
    refused(lambda: measure.percent(values), "there are no shares")


@pytest.mark.parametrize("values", [torch.zeros(2, 2), [[0.1], [0.2]], "0.5", ["a", "b"], None, [0.1, None]])
def test_what_is_no_list_of_numbers_has_no_mean(values):
    refused(lambda: measure.mean_sd(values), "values must be numbers")
    refused(lambda: measure.percent(values), "shares must be numbers")


@pytest.mark.parametrize("values", [87.5, [0.5, 87.5], -0.1])
def test_shares_lie_between_0_and_1(values):
    refused(lambda: measure.percent(values), "between 0 and 1")


# ---- duplicates


def test_duplicates_are_numpys_unique_rows():
    images = torch.randint(2, (200, 1, 3, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    _, which, counts = np.unique(images.flatten(1).numpy(), axis=0, return_inverse=True, return_counts=True)
    expected = sorted(np.flatnonzero(which == group).tolist() for group in np.flatnonzero(counts > 1))
    assert len(expected) > 5
    assert sorted(measure.duplicates(images)) == expected == sorted(measure.duplicates(images.numpy()))
    assert sorted(measure.duplicates(images.long())) == expected == sorted(measure.duplicates(images.float()))


@pytest.mark.parametrize("images", [torch.zeros(3, 8, 8, dtype=torch.uint8), torch.rand(4, 3, 8, 8), None,
                                    torch.zeros(4, 1, 2, 2, dtype=torch.bool), torch.full((2, 1, 2, 2), 300)])
def test_duplicates_are_those_of_pixels(images):
    refused(lambda: measure.duplicates(images), "images")


# ---- features


def of_moments(mean, sd, count=400, seed=0):
    """Features whose mean and covariance, diag(sd²), are exactly these."""
    x = torch.randn(count, len(mean), dtype=torch.double, generator=torch.Generator().manual_seed(seed))
    x = x - x.mean(0)
    white = x @ torch.linalg.inv(torch.linalg.cholesky(x.T.cov())).T
    return white * torch.tensor(sd).double() + torch.tensor(mean).double()


@pytest.mark.parametrize(("one", "other"), [
    (([0.0, 0, 0], [1.0, 1, 1]), ([0.0, 0, 0], [1.0, 1, 1])),
    (([0.0, 0, 0], [1.0, 1, 1]), ([1.0, 2, 2], [1.0, 1, 1])),
    (([3.0, -1], [1.0, 5]), ([0.0, 1], [2.0, 0.5])),
])
def test_the_frechet_distance_of_gaussians_with_known_moments(one, other):
    """|μ − μ'|² + Σ (σ − σ')², where the covariances are diagonal."""
    expected = sum((a - b) ** 2 for pair in zip(one, other, strict=True) for a, b in zip(*pair, strict=True))
    assert measure.frechet(of_moments(*one), of_moments(*other, seed=1)) == pytest.approx(expected, abs=1e-6)


REAL = torch.randn(20, 4, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("number", [measure.frechet, measure.neighbours])
@pytest.mark.parametrize(("generated", "words"), [
    (REAL[:, :3], ["real", "4 features", "generated 3"]),
    (REAL[:1], ["generated", "1 images"]),
    (REAL[0], ["generated", "[N, F]", "[4]"]),
    (REAL.view(20, 1, 2, 2), ["generated", "[N, F]"]),
    (torch.cat([REAL, REAL[:1] / 0]), ["generated", "infinite or no numbers"]),
    (REAL[:0], ["generated", "0 images"]),
    (None, ["generated", "NoneType"]),
])
def test_features_that_do_not_fit_are_refused(number, generated, words):
    refused(lambda: number(REAL, generated), *words)


def test_k_neighbours_need_k_others():
    refused(lambda: measure.neighbours(REAL[:5], REAL, 5), "real", "6 at least")
    refused(lambda: measure.neighbours(REAL, REAL, 0), "k must be a whole number")
    assert measure.neighbours(REAL[:6], REAL[:6], 5)["recall"] > 0


def test_diversity_wants_a_class_for_each_image():
    labels = torch.arange(20) % 2
    refused(lambda: measure.diversity(REAL, labels[:19], REAL, labels), "19 predictions", "20 features")
    refused(lambda: measure.diversity(REAL, labels, REAL, labels[:, None]), "real_labels", "[:, 0]")
    refused(lambda: measure.diversity(REAL, labels - 1, REAL, labels), "predictions go from -1")
    refused(lambda: measure.diversity(REAL[:, :2], labels, REAL, labels), "features have 2 features")


def test_a_class_that_only_generated_images_have_is_not_forgotten():
    found = measure.diversity(REAL, torch.arange(20) % 3, REAL, torch.arange(20) % 2)
    assert len(found) == 3 and math.isnan(found[2]) and not found[:2].isnan().any()
