"""TP 8's helper: what is shown to students as measured, against SciPy, closed forms and sums by hand."""

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr
from torch import nn
from torchvision.models import get_model

from tp_utils import nets, tp08
from tp_utils.checks import reference


@pytest.fixture(autouse=True)
def on_the_cpu(monkeypatch):
    monkeypatch.setenv("TP_DEVICE", "cpu")


@pytest.fixture(scope="module")
def network():
    return nets.pretrained("squeezenet1_1")


class Linear(nn.Module):
    """Scores of images [N, 3, 4, 4] that are linear in the pixels: every gradient and sum is known."""

    def __init__(self, seed=0, bias=0.5):
        super().__init__()
        self.weight = torch.randn(5, 48, generator=torch.Generator().manual_seed(seed))
        self.bias = bias

    def forward(self, x):
        return x.flatten(1) @ self.weight.T + self.bias


def images(count=6, seed=0):
    return torch.rand(count, 3, 4, 4, generator=torch.Generator().manual_seed(seed))


def maps(count=3, zeros=0.0, seed=0):
    generator = torch.Generator().manual_seed(seed)
    found = torch.rand(count, 20, 20, generator=generator)
    return found * (torch.rand(found.shape, generator=generator) >= zeros)


# ---- how alike two maps are


@pytest.mark.parametrize("zeros", [0, 0.3, 0.7, 0.97])
def test_the_rank_correlation_is_scipys_with_ties_and_without(zeros):
    one, other = maps(zeros=zeros), maps(zeros=zeros, seed=1)
    mixed = one + 0.5 * other * (one > 0)
    for second in (other, mixed, -mixed, one):
        expected = np.mean([spearmanr(a.flatten(), b.flatten()).statistic for a, b in zip(one, second, strict=True)])
        assert tp08.rank_correlation(one, second) == pytest.approx(expected, abs=1e-12)


def test_independent_maps_that_are_mostly_zero_are_not_alike():
    assert abs(tp08.rank_correlation(maps(50, 0.7), maps(50, 0.7, seed=1))) < 0.02


def test_a_map_is_like_itself_and_whatever_grows_with_it():
    one = maps(zeros=0.5)
    assert tp08.rank_correlation(one, one) == pytest.approx(1, abs=1e-12)
    assert tp08.rank_correlation(one, one.exp() * 7) == pytest.approx(1, abs=1e-12)
    assert tp08.rank_correlation(one, -one) == pytest.approx(-1, abs=1e-12)


def test_a_blank_map_is_like_none():
    assert tp08.rank_correlation(torch.zeros(1, 5, 5), maps(1)[:, :5, :5]) == 0
    both = torch.stack([maps(1)[0], torch.zeros(20, 20)])
    assert tp08.rank_correlation(both, both) == pytest.approx(0.5)  # the mean over images, one of them blank


def test_maps_of_other_shapes_cannot_be_compared():
    with pytest.raises(ValueError, match=r"\[3, 20, 20\] cannot be compared with \[1, 20, 20\]"):
        tp08.rank_correlation(maps(3), maps(1))


# ---- completeness


def test_the_gap_is_the_share_of_the_score_that_is_missing():
    network, x, y = Linear(), images(4), torch.tensor([0, 1, 4, 2])
    exact = x * network.weight[y].view(4, 3, 4, 4)  # their sum is score(x) − score(0)
    assert tp08.completeness_gap(exact, x, y, network).max() < 1e-5
    parts = torch.tensor([0.9, 1.25, -1.0, 0.0])
    found = tp08.completeness_gap(exact * parts.view(-1, 1, 1, 1), x, y, network)
    torch.testing.assert_close(found, (1 - parts).abs(), rtol=1e-4, atol=1e-5)


def test_integrated_gradients_of_a_linear_network_leave_no_gap():
    network, x, y = Linear(), images(3), torch.tensor([0, 1, 4])
    assert tp08.completeness_gap(reference("8.5")(x, y, network, 3), x, y, network).max() < 1e-5


# ---- networks that forget


def test_shuffled_layers_keep_their_values_and_lose_their_places(network):
    blocks = [name for name, _ in tp08.parts(network)]
    assert blocks[0] == "features.0" and blocks[-1] == "classifier.1" and len(blocks) == 10
    before = {name: value.clone() for name, value in network.state_dict().items()}
    for count in (0, 2, len(blocks)):
        after = tp08.randomised(network, count, seed=3).state_dict()
        for name, value in before.items():
            shuffled = any(name.startswith(block + ".") for block in blocks[len(blocks) - count:])
            assert torch.equal(after[name], value) != (shuffled and value.numel() > 1)
            assert torch.equal(after[name].flatten().sort().values, value.flatten().sort().values)
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


# ---- attacks


def test_the_accuracy_under_an_attack_is_counted_over_all_batches():
    network, x = Linear(), images(7)
    truth = network(x).argmax(1)
    y = truth.clone()
    y[:3] = (y[:3] + 1) % 5

    def none(images, labels, network):
        return images

    def towards_the_label(images, labels, network):  # needs a gradient
        images = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(images).gather(1, labels[:, None]).sum(), images)
        return (images + 100 * gradient).detach()

    for batch_size in (1, 2, 50):
        assert tp08.accuracy_under(none, x, y, network, batch_size) == pytest.approx(4 / 7)
        with torch.no_grad():
            assert tp08.accuracy_under(towards_the_label, x, y, network, batch_size) == 1


def test_a_transfer_matrix_has_a_row_for_the_network_that_was_attacked():
    networks, x = [Linear(0), Linear(1)], images(8)
    y = networks[0](x).argmax(1)

    def attack(images, labels, network):
        images = images.clone().requires_grad_()
        (gradient,) = torch.autograd.grad(network(images).gather(1, labels[:, None]).sum(), images)
        return (images - 100 * gradient).detach()

    found = tp08.transfer_matrix(attack, networks, x, y)
    expected = [[(column(attack(x, y, row)).argmax(1) == y).double().mean().item() for column in networks]
                for row in networks]
    assert found.tolist() == pytest.approx(np.array(expected))
    assert found[0, 0] == 0 and found[1, 0] > 0


def test_the_figure_of_a_transfer_matrix_says_its_shares():
    (axis,) = tp08.transfer_figure(torch.tensor([[0.25, 1.0]]), ["one"], ["a", "b"], "Title").axes
    assert [text.get_text() for text in axis.texts] == ["25%", "100%"]
    assert (axis.get_ylabel(), axis.get_xlabel()) == ("made against", "accuracy of")


def test_the_control_of_an_attack_moves_every_pixel_by_epsilon_or_to_the_edge():
    x = images(3) * 0.8 + 0.1
    moved = tp08.random_sign(0.05)(x, None, None)
    torch.testing.assert_close((moved - x).abs(), torch.full_like(x, 0.05))
    assert 0.3 < (moved > x).float().mean() < 0.7
    assert torch.equal(moved, tp08.random_sign(0.05)(x, None, None))
    assert not torch.equal(moved, tp08.random_sign(0.05, seed=1)(x, None, None))
    assert tp08.random_sign(0.5)(x, None, None).aminmax() == (0, 1)


def test_differences_are_in_pixels():
    one, other = images(2), images(2, 1)
    found = tp08.pixel_difference(nets.to_input(one), nets.to_input(other))
    torch.testing.assert_close(found, other - one, rtol=0, atol=1e-6)


def test_statistics_of_fooling_images_are_numpys():
    before, after = ([nets.to_input(images(1, first + k)) for k in range(3)] for first in (0, 9))
    found = tp08.fooling_statistics(before, after, [1, 4, 10])
    changes = [(nets.to_pixels(b) - nets.to_pixels(a)).numpy() for a, b in zip(before, after, strict=True)]
    for name, values in {"steps": [1, 4, 10], "L2": [np.linalg.norm(c) for c in changes],
                         "L∞": [abs(c).max() for c in changes]}.items():
        assert found[name] == pytest.approx((np.mean(values), np.std(values, ddof=1), max(values)), rel=1e-5)


def test_the_path_of_an_attack_ends_where_it_needs_no_step():
    def fooling(image, target, network, max_steps):
        return (image + 1, 1) if image < 3 else (image, 0)

    assert tp08.attack_path(fooling, 0, None, None) == [0, 1, 2, 3]
    assert tp08.attack_path(fooling, 0, None, None, longest=2) == [0, 1, 2]


def test_an_attack_is_drawn_with_what_the_network_says(network):
    one = nets.to_input(torch.rand(1, 3, 64, 64))
    titles = [axis.get_title() for axis in tp08.attack_figure(network, [(one, one + 0.1)]).axes]
    probability, index = network(one).softmax(1).max(1)
    assert titles[0] == tp08.verdict(network, one) == f"{tp08.short(index.item())}\n{probability.item():.1%}"
    change = tp08.pixel_difference(one, one + 0.1)
    assert titles[2].endswith(f"L2 {change.norm():.2f}, L∞ {change.abs().max():.3f}")


def test_names_are_short():
    assert tp08.short(0) == "tench" and "," not in "".join(map(tp08.short, range(1000)))


def test_a_network_that_normalises_takes_pixels(network):
    pixels = torch.rand(2, 3, 64, 64)
    assert torch.equal(tp08.WithNormalisation(network)(pixels), network(nets.to_input(pixels)))


def test_the_digit_networks_are_three_of_different_kinds_and_the_same_for_a_seed():
    one, again, other = (tp08.digit_networks(seed) for seed in (0, 0, 1))
    for name in one:
        x = torch.rand(2, 1, 28, 28)
        assert one[name](x).shape == (2, 10)
        assert torch.equal(one[name](x), again[name](x)) and not torch.equal(one[name](x), other[name](x))


# ---- pictures


def test_an_overlay_dims_where_the_map_is_low():
    image, saliency = torch.full((3, 2, 2), 200, dtype=torch.uint8), torch.tensor([[0.0, 1.0], [0.5, 1.0]])
    expected = 200 / 255 * torch.tensor([[0.15, 1.0], [0.575, 1.0]]).expand(3, 2, 2)
    torch.testing.assert_close(tp08.overlay(image, saliency), expected)


def test_a_segment_finds_the_square():
    image = torch.full((3, 40, 40), 20, dtype=torch.uint8)
    square = torch.zeros(40, 40, dtype=torch.bool)
    square[12:28, 12:28] = True
    image[:, square] = 220
    found = tp08.segment(image, square.float() * torch.rand(40, 40, generator=torch.Generator().manual_seed(0)))
    assert found.dtype == torch.bool and ((found & square).sum() / (found | square).sum()) > 0.95


@pytest.mark.parametrize(("name", "layer"), [("squeezenet1_1", "features"), ("vgg16", "features"),
                                             ("resnet18", "layer4")])
def test_grad_cam_looks_at_the_last_block(name, layer):
    with torch.device("meta"):
        network = get_model(name, weights=None)
    assert tp08.grad_cam_layer(network) is getattr(network, layer)


# ---- class visualisation


class Mean(nn.Module):
    """Scores of images [N, 3, H, W]: factor times their three means."""

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def forward(self, x):
        return self.factor * x.mean((2, 3))


def test_a_visualisation_takes_its_steps_and_keeps_pixels():
    start, seen = nets.to_input(torch.rand(1, 3, 12, 12)), []

    def step(image, target, network, learning_rate, l2):
        seen.append((image.shape[2:], target, learning_rate, l2))
        return image + 10 * torch.eye(3)[target].view(1, 3, 1, 1)

    found, film, probability = tp08.visualise(step, 1, Mean(), steps=7, learning_rate=2, l2=0.5, start=start, jitter=3,
                                              blur_every=100, film_every=3)
    assert seen == [((12, 12), 1, 2, 0.5)] * 7
    assert (found[:, 1] == 1).all() and found.aminmax()[0] >= 0
    assert film.shape == (4, 3, 12, 12)  # before steps 0, 3, 6, and the end
    torch.testing.assert_close(film[0], nets.to_pixels(start)[0])
    assert probability == pytest.approx(Mean()(nets.to_input(found)).softmax(1)[0, 1].item(), abs=1e-5)


def test_jitter_is_taken_back():
    start = nets.to_input(torch.rand(1, 3, 12, 12))
    found = [tp08.visualise(lambda x, *_: x, 0, Mean(), steps=5, start=start, jitter=jitter, blur_every=2)[0]
             for jitter in (4, 0)]
    torch.testing.assert_close(*found)
    assert not torch.allclose(found[0], nets.to_pixels(start), atol=0.01)  # what a step leaves is blurred


def test_a_rescaled_network_has_the_others_gradient():
    x = torch.zeros(1, 3, 8, 8)
    torch.testing.assert_close(tp08.rescaled(Mean(0.02), like=Mean(5.0), target=2)(x + 1), Mean(5.0)(x + 1), rtol=1e-3,
                               atol=0)
