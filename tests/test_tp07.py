"""TP 7's helper: what is shown to students as measured, against scikit-learn, NumPy, torchvision and sums by hand."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score
from sklearn.model_selection import StratifiedKFold
from sklearn.svm import LinearSVC
from torch import nn
from torchvision.models import get_model

from tp_utils import nets, tp07
from tp_utils.data import ImageSet


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("TP_DEVICE", "cpu")


@pytest.fixture(scope="module")
def network():
    return nets.pretrained("squeezenet1_1")


def clouds(count=60, classes=3, size=8, seed=0, spread=1.0):
    """Features in overlapping clouds, float32 [N, F], and their classes."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count) % classes
    centres = torch.randn(classes, size, generator=torch.Generator().manual_seed(9))
    return centres[labels] + spread * torch.randn(count, size, generator=generator), labels


def grey(count, side=64, seed=0):
    return torch.randint(256, (count, 1, side, side), dtype=torch.uint8, generator=torch.Generator().manual_seed(seed))


def prepared(images):
    return nets.to_input(images.expand(-1, 3, -1, -1))


# ---- the network


@pytest.mark.parametrize(("name", "parameters"), [("vgg16", 138_357_544), ("squeezenet1_1", 1_235_496)])
def test_the_architecture_has_every_parameter_and_the_published_shapes(name, parameters):
    rows = tp07.architecture(name)
    assert sum(row[3] for row in rows) == parameters
    assert rows[-1][2] in ([1000], [1000, 1, 1]) or rows[-2][2] == [1000, 1, 1]
    if name == "vgg16":
        convolutions = [row[2] for row in rows if row[1] == "Conv2d"]
        assert convolutions[0] == [64, 224, 224] and convolutions[-1] == [512, 14, 14] and len(convolutions) == 13
        assert [row[3] for row in rows if row[1] == "Linear"] == [25088 * 4096 + 4096, 4096 * 4096 + 4096, 4_097_000]


def test_the_architectures_figure_draws_the_parameters_in_millions():
    rows = tp07.architecture("vgg16")
    top, bottom = tp07.architecture_figure(rows, "VGG16").axes
    drawn = [row for row in rows if row[1] in ("Conv2d", "MaxPool2d", "Linear")]
    assert [bar.get_height() for bar in bottom.patches] == pytest.approx([row[3] / 1e6 for row in drawn])
    assert top.get_title() == "VGG16" and len(top.patches) == len(drawn)


def test_the_first_convolution_sees_three_channels(network):
    assert tp07.first_convolution(network) is network.features[0]
    assert tp07.first_convolution(network).weight.shape[1] == 3


def test_predictions_are_drawn_with_their_names_and_probabilities():
    probabilities = torch.tensor([[0.7, 0.2], [0.6, 0.1]])
    fig = tp07.predictions_figure(grey(2).expand(-1, 3, -1, -1), probabilities, torch.tensor([[1, 0], [0, 1]]),
                                  ["tench, Tinca tinca", "goldfish"])
    bars = fig.axes[1::2]
    for axis, expected in zip(bars, probabilities, strict=True):
        assert [bar.get_width() for bar in axis.patches] == pytest.approx(expected.tolist())
    assert [[text.get_text() for text in axis.get_yticklabels()] for axis in bars] == [["goldfish", "tench"],
                                                                                       ["tench", "goldfish"]]


# ---- features


def test_the_features_of_every_stage_are_those_of_the_layers_one_by_one(network):
    images = grey(5)
    found = tp07.stage_features(network, images, prepared, batch_size=2)
    x, expected = prepared(images), {}
    for i, layer in enumerate(network.features):
        x = layer(x)
        name = f"{i}: {type(layer).__name__}"
        if isinstance(layer, nn.ReLU) or "Fire" in name:
            expected[name] = x.mean((2, 3))
    assert list(found) == list(expected) == [name for name, _ in tp07.stages(network)]
    for name, features in expected.items():
        norm = np.linalg.norm(features.numpy(), axis=1, keepdims=True)
        np.testing.assert_allclose(found[name].numpy(), features.numpy() / norm, atol=1e-4)
    assert not any(module._forward_hooks for module in network.modules())


def test_the_time_to_a_stage_grows_with_its_depth(network):
    times = tp07.stage_times(network, grey(4), prepared)
    assert list(times) == [name for name, _ in tp07.stages(network)]
    assert sorted(times.values()) == list(times.values()) and min(times.values()) > 0


def test_features_are_kept_for_their_network_and_images(tmp_path, monkeypatch):
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    one, other = SimpleNamespace(name="one"), SimpleNamespace(name="other")
    counts = []
    for network, images in ((one, grey(2)), (one, grey(2)), (other, grey(2)), (one, grey(2, seed=1))):
        assert tp07.cached_features("x", network, images, lambda: torch.arange(3)).tolist() == [0, 1, 2]
        counts.append(len(list((tmp_path / "computed").iterdir())))
    assert counts == [1, 1, 2, 3]


def test_an_untrained_network_is_another_for_each_seed():
    one, again, other = (tp07.untrained_network("squeezenet1_1", seed) for seed in (0, 0, 1))
    first = [tp07.first_convolution(network).weight for network in (one, again, other)]
    assert torch.equal(first[0], first[1]) and not torch.equal(first[0], first[2])
    assert not one.training and not any(p.requires_grad for p in one.parameters()) and "untrained" in one.name


# ---- linear classifiers


@pytest.mark.parametrize("c", [0.001, 1.0, 100.0])
def test_the_svm_is_scikit_learns_with_its_c(c):
    x, y = clouds()
    test, truth = clouds(seed=1)
    expected = LinearSVC(C=c, random_state=0).fit(x.numpy(), y.numpy())
    found = tp07.train_svm(x, y, c)
    np.testing.assert_array_equal(found.coef_, expected.coef_)
    assert tp07.svm_accuracy(x, y, test, truth, c) == accuracy_score(truth, expected.predict(test.numpy()))


def test_a_small_c_shortens_the_weights():
    x, y = clouds()
    lengths = [np.linalg.norm(tp07.train_svm(x, y, c).coef_) for c in (0.001, 0.1, 10)]
    assert lengths[0] < lengths[1] < lengths[2]


def test_cross_validation_is_the_mean_over_folds_by_hand():
    x, y = clouds(spread=1.5)

    def by_hand(seed, c):
        folds = StratifiedKFold(4, shuffle=True, random_state=seed).split(x.numpy(), y.numpy())
        return np.mean([LinearSVC(C=c, random_state=0).fit(x[train].numpy(), y[train].numpy())
                        .score(x[held].numpy(), y[held].numpy()) for train, held in folds])

    for c in (0.01, 10):
        found = tp07.cross_validation(x, y, c, seeds=(0, 3), folds=4)
        assert found == pytest.approx([by_hand(0, c), by_hand(3, c)])


def test_a_draw_has_as_many_of_each_class_and_another_for_each_seed():
    labels = torch.tensor([0] * 30 + [2] * 20 + [5] * 3)
    drawn = tp07.draw_per_class(labels, 5, seed=0)
    assert torch.bincount(labels[drawn]).tolist() == [5, 0, 5, 0, 0, 3]
    assert len(drawn.unique()) == len(drawn)
    assert torch.equal(drawn, tp07.draw_per_class(labels, 5, seed=0))
    assert not torch.equal(drawn, tp07.draw_per_class(labels, 5, seed=1))


def test_principal_components_are_those_of_the_training_features_alone():
    train, test = clouds(size=6)[0], 5 + 3 * clouds(count=9, size=6, seed=1)[0]
    found_train, found_test = tp07.pca(train, test, 3)
    mean = train.mean(0)
    _, _, directions = np.linalg.svd((train - mean).numpy(), full_matrices=False)
    for found, features in ((found_train, train), (found_test, test)):
        expected = (features - mean).numpy() @ directions[:3].T
        np.testing.assert_allclose(abs(found.numpy()), abs(expected), atol=1e-3)
        assert found.dtype == torch.float32


# ---- fine-tuning


def test_the_two_parts_are_the_network_cut_in_two(network):
    lower, upper = tp07.fine_tuning_parts(network, 7)
    images = prepared(grey(2))
    middle = lower(images)
    torch.testing.assert_close(upper[:len(network.features) - 9](middle), network.features(images))
    assert upper.eval()(middle).shape == (2, 7)
    assert all(p.requires_grad for p in upper.parameters()) and not any(p.requires_grad for p in lower.parameters())
    before = network.features[-1].squeeze.weight.clone()
    nn.init.zeros_(upper[len(network.features) - 10].squeeze.weight)
    assert torch.equal(network.features[-1].squeeze.weight, before)  # a copy: the network stays whole


def test_outputs_of_the_lower_part_are_halves_of_its_own(network):
    lower, _ = tp07.fine_tuning_parts(network, 7)
    found = tp07.lower_outputs(lower, grey(5), prepared, batch_size=2)
    assert found.dtype == torch.float16
    torch.testing.assert_close(found.float(), lower(prepared(grey(5))), rtol=2e-3, atol=2e-2)


def test_scores_are_those_of_eval_mode_in_any_batches():
    network, inputs = nn.Sequential(nn.Dropout(0.5), nn.Linear(4, 3)), torch.randn(7, 4).half()
    expected = network[1](inputs.float()).detach()
    torch.testing.assert_close(tp07.scores_of(network.train(), inputs, batch_size=2), expected)


# ---- twins


def test_twins_are_found_within_and_across_the_splits():
    train, test = grey(5, 8), grey(4, 8, seed=1)
    test[2], train[4], test[3] = train[1], train[0], test[0]
    pixel = train[3].clone()
    pixel[0, 0, 0] ^= 1
    test[1] = pixel  # almost a twin
    assert sorted(tp07.cross_duplicates(train, test)) == [
        [("test", 0), ("test", 3)], [("train", 0), ("train", 4)], [("train", 1), ("test", 2)]]
    assert tp07.cross_duplicates(train[:2], test[:2]) == []


def test_a_subset_has_the_first_images_of_each_class():
    labels = torch.tensor([1, 0, 1, 0, 1])
    images = ImageSet("toy", grey(5), labels, grey(5, seed=1), labels.flip(0), ["a", "b"], "s", "l")
    small = tp07.subset(images, 2)
    assert torch.equal(small.train_images, images.train_images[[1, 3, 0, 2]])
    assert torch.equal(small.test_images, images.test_images[[1, 3, 0, 2]])
    assert small.train_labels.tolist() == small.test_labels.tolist() == [0, 0, 1, 1]


def test_what_is_timed_returns_its_result_and_seconds():
    result, seconds = tp07.timed(lambda a, b: a + b, 1, 2)
    assert result == 3 and 0 <= seconds < 1


def test_torchvisions_network_is_the_one_that_is_cut():
    """fine_tuning_parts knows SqueezeNet by its layers' places: after the pooling that follows fire5."""
    layers = list(get_model("squeezenet1_1", weights=None).features)
    assert isinstance(layers[8], nn.MaxPool2d) and layers[7].expand1x1.out_channels == 128
