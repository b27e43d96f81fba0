"""The helper of TP 13 and the volume of Dataset X: shortcuts, public weights, gradients, slices, TensorBoard."""

import sys
import urllib.request

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import checks, measure, tp13
from tp_utils.data import ImageSet
from tp_utils.practicals.tp13 import volume

SMALL = {"per_block": 6, "side": 24, "depth": 30}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def reference(id):
    return checks.reference(id)


# ---- networks


class PublicBlock(nn.Module):
    """A basic block as public implementations have it, with the shortcut of option A."""

    def __init__(self, inputs, outputs, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outputs)
        self.quarter, self.stride = (outputs - inputs) // 2, stride

    def forward(self, x):
        f = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.quarter, self.quarter))
        return F.relu(f + x)


class PublicResNet(nn.Module):
    """A ResNet for CIFAR-10 with other names."""

    def __init__(self, n):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16)
        for k, (inputs, outputs) in enumerate([(16, 16), (16, 32), (32, 64)], 1):
            first = PublicBlock(inputs, outputs, 1 if k == 1 else 2)
            setattr(self, f"layer{k}", nn.Sequential(first, *(PublicBlock(outputs, outputs, 1) for _ in range(n - 1))))
        self.linear = nn.Linear(64, 10)

    def forward(self, x):
        x = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(x))))))
        return self.linear(F.adaptive_avg_pool2d(x, 1).flatten(1))


@pytest.mark.parametrize(("n", "weights"), [(3, 269_722), (5, 464_154), (9, 853_018), (12, 1_144_666)])
def test_public_weights_load_into_the_reference(n, weights):
    torch.manual_seed(0)
    public = PublicResNet(n)
    for module in public.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean), nn.init.uniform_(module.running_var, 0.5, 2)
            nn.init.normal_(module.weight), nn.init.normal_(module.bias)
    ResNet, ResidualBlock = reference("13.3"), reference("13.1")
    network = ResNet(ResidualBlock, n)
    assert sum(weight.numel() for weight in network.parameters()) == weights
    assert sum(weight.numel() for weight in public.parameters()) == weights
    named = {f"module.{name}": value for name, value in public.state_dict().items()}  # as DataParallel stores them
    x = torch.randn(4, 3, 32, 32)
    expected = public.eval()(x)
    for order in (list, sorted, reversed):  # a file of safetensors has an order of its own
        network = ResNet(ResidualBlock, n)
        assert tp13.load_public(network, {name: named[name] for name in order(named)}) is network
        torch.testing.assert_close(network.eval()(x), expected)


def test_weights_of_another_network_are_refused():
    ResNet, ResidualBlock = reference("13.3"), reference("13.1")
    network = ResNet(ResidualBlock, 1)
    before = [value.clone() for value in network.state_dict().values()]
    with pytest.raises(ValueError, match="another network: 67 tensors"):
        tp13.load_public(network, PublicResNet(2).state_dict())
    with pytest.raises(ValueError, match=r"\[10, 64\].*\[5, 64\]"):
        tp13.load_public(network, ResNet(ResidualBlock, 1, classes=5).state_dict())
    assert all(torch.equal(a, b) for a, b in zip(before, network.state_dict().values(), strict=True))


def test_a_shortcut_keeps_every_second_pixel_between_zeros():
    x = torch.randn(2, 4, 6, 8)
    found = tp13.shortcut(x, 10, 2)
    assert found.shape == (2, 10, 3, 4)
    assert torch.equal(found[:, 3:7], x[:, :, ::2, ::2]) and found[:, :3].eq(0).all() and found[:, 7:].eq(0).all()
    assert torch.equal(tp13.shortcut(x, 4), x)


def test_ror_has_no_weights_but_those_of_a_resnet():
    ResNet, ResidualBlock, RoR = (reference(id) for id in ("13.3", "13.1", "13.9"))
    shapes = [[tuple(weight.shape) for weight in network.parameters()]
              for network in (RoR(3), ResNet(ResidualBlock, 3))]
    assert shapes[0] == shapes[1]


class Backwards(nn.Module):
    """Layers that are made in another order than they are used."""

    def __init__(self):
        super().__init__()
        self.last, self.first = nn.Conv2d(4, 2, 3), nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.last(self.norm(self.first(x))).mean((2, 3))


def test_gradient_norms_are_those_of_autograd_and_leave_the_network_alone():
    torch.manual_seed(0)
    network = Backwards()
    images, labels = torch.randint(0, 256, (5, 3, 8, 8), dtype=torch.uint8), torch.tensor([0, 1, 0, 1, 1])
    before = {name: value.clone() for name, value in network.state_dict().items()}
    norms = tp13.convolution_gradients(network, images, labels)
    assert all(torch.equal(before[name], value) for name, value in network.state_dict().items())
    assert all(weight.grad is None for weight in network.parameters())
    F.cross_entropy(network.train()(images.float() / 127.5 - 1), labels).backward()
    assert norms == pytest.approx([layer.weight.grad.norm().item() for layer in (network.first, network.last)])


def test_step_seconds_measures_each_network():
    networks = {name: nn.Sequential(nn.Flatten(), nn.Linear(12, 2)) for name in ("one", "other")}
    images, labels = torch.zeros(3, 3, 2, 2, dtype=torch.uint8), torch.tensor([0, 1, 1])
    seconds = tp13.step_seconds(networks, images, labels, rounds=2)
    assert list(seconds) == ["one", "other"] and min(seconds.values()) > 0


# ---- data


def digits(count=200):
    generator = torch.Generator().manual_seed(0)
    images = torch.randint(0, 256, (count, 3, 8, 8), generator=generator, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(count) % 256  # to know them again
    return ImageSet("some", images, torch.arange(count) % 10, images[:50], torch.arange(50) % 10,
                    [str(k) for k in range(10)], "made up", "CC0")


def test_a_split_holds_out_a_tenth_and_always_the_same():
    one, other = tp13.split_at(digits(), 8), tp13.split_at(digits(), 8)
    assert torch.equal(one.held_images, other.held_images)
    assert len(one.held_images) == 20 and len(one.train_images) == 180
    seen = torch.cat([one.train_images, one.held_images])[:, 0, 0, 0].sort().values
    assert torch.equal(seen, torch.arange(200, dtype=torch.uint8))
    assert torch.equal(one.train_labels, one.train_images[:, 0, 0, 0].long() % 10)
    assert len(tp13.split_at(digits(), 4, test=7).test_images) == 7
    assert tp13.split_at(digits(), 4).train_images.shape[2] == 4


class Brightness(nn.Module):
    """A network that reads a class off an image's brightness, and fails in train mode."""

    def forward(self, x):
        assert not self.training
        return torch.stack([-x.mean((1, 2, 3)), x.mean((1, 2, 3))], 1)


def test_predictions_are_those_of_eval_mode():
    images = torch.tensor([0, 255, 30, 200], dtype=torch.uint8).view(-1, 1, 1, 1).expand(-1, 3, 4, 4)
    assert tp13.predictions(Brightness().train(), images).tolist() == [0, 1, 0, 1]


def test_unshuffled_data_spoil_a_training_that_shuffled_data_do_not():
    generator = torch.Generator().manual_seed(0)
    labels = (torch.arange(600) % 3).sort().values
    images = torch.randint(0, 200, (600, 3, 4, 4), generator=generator, dtype=torch.uint8)
    images[torch.arange(600), labels] += 30  # a class has a colour
    colleagues_epoch, train_epoch = checks.definitions(13)["colleagues_epoch"], reference("13.6")
    accuracies, losses = {}, {}
    for name in ("sorted", "shuffled"):
        torch.manual_seed(0)
        network = nn.Sequential(nn.Flatten(), nn.Linear(48, 3))
        optimiser = torch.optim.SGD(network.parameters(), 0.2)
        losses[name] = (colleagues_epoch(network, images, labels, optimiser) if name == "sorted" else
                        train_epoch(network, images, labels, optimiser, 20, generator))
        accuracies[name] = measure.accuracy(tp13.predictions(network, images), labels)
    assert len(losses["sorted"]) == 30 and losses["sorted"][9] < 0.3 < 1 < losses["sorted"][10]
    assert len(losses["shuffled"]) == 30
    assert accuracies["sorted"] + 0.2 < accuracies["shuffled"] > 0.8


# ---- the volume


def test_slices_are_whole_blocks_from_top_to_bottom():
    found = volume.slices(**SMALL)
    assert found.images.shape == (6 * 6 * 4, 1, 24, 24) and found.images.dtype == torch.uint8
    assert found.positions.unique().tolist() == [0, 24, 48, 72, 96, 120]
    for position in found.positions.unique():
        for label in range(4):
            depths = found.depths[(found.positions == position) & (found.labels == label)]
            assert depths.tolist() == [0, 5, 11, 17, 23, 29]
    again, other = volume.slices(**SMALL), volume.slices(seed=1, **SMALL)
    assert torch.equal(found.images, again.images) and not torch.equal(found.images, other.images)


def test_neighbouring_slices_are_alike_and_regions_are_not():
    found = volume.slices(per_block=40, side=40, depth=40)
    (near, far), across = volume.likeness(found, [1, 30])
    assert near > 0.7 and near > far + 0.3 and abs(across) < 0.2


def test_noise_is_smooth_along_its_directions_only():
    lengths, generator = torch.tensor([1.0, 1.0, 8.0]), torch.Generator().manual_seed(0)
    field = volume.smooth_noise((32, 32, 32), torch.eye(3), lengths, generator)
    assert field.mean().abs() < 1e-4 and field.std() == pytest.approx(1, abs=1e-3)

    def change(axis):
        return (field - field.roll(1, axis)).square().mean().item()

    assert change(2) < change(0) / 10 and change(0) == pytest.approx(change(1), rel=0.3)


def test_a_neighbour_is_the_next_chosen_slice_of_the_same_block():
    found = volume.slices(**SMALL)
    chosen = torch.tensor([7, 0, 3, 5, 10, 14])  # blocks of six: 0 3 5 | 7 10 | 14
    pairs, labels = volume.with_neighbours(found, chosen)
    assert pairs.shape == (6, 2, 24, 24)
    for k, (one, other) in enumerate([(0, 3), (3, 5), (5, 3), (7, 10), (10, 7), (14, 14)]):
        assert torch.equal(pairs[k, 0], found.images[one, 0]) and torch.equal(pairs[k, 1], found.images[other, 0])
    assert torch.equal(labels, found.labels[chosen.sort().values])


# ---- TensorBoard


def test_without_tensorboard_a_line_says_so(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    tp13.tensorboard(tmp_path)
    assert "pip install tensorboard" in capsys.readouterr().out


def test_a_colleagues_file_is_sorted():
    images, labels = tp13.colleagues_file(tp13.split_at(digits(), 8), count=50)
    assert len(images) == 50 and (labels[1:] >= labels[:-1]).all()
    assert torch.equal(images[:, 0, 0, 0].long() % 10, labels)


def test_tensorboard_answers_at_the_address_that_is_said(tmp_path, capsys):
    tp13.tensorboard(tmp_path)
    address = next(word for word in capsys.readouterr().out.split() if word.startswith("http://"))
    with urllib.request.urlopen(address, timeout=20) as page:
        assert page.status == 200 and b"TensorBoard" in page.read()


# ---- figures and tables


def test_tables_have_the_gap_and_what_is_missing():
    text = str(tp13.leak_table({"none": {"random": [0.9, 0.8], "by region": [0.5, 0.5]}}))
    assert "85.0 ± 7.1 %" in text and "35.0 ± 7.1 points" in text
    text = str(tp13.report_table({"ResNet-20": [0.5, 0.6]}, 16, [0.9]))
    line = next(line for line in text.splitlines() if line.startswith("ResNet-20 "))
    assert "91.9" in line and "91.25" in line and "55.0 ± 7.1 %" in line and "90.0" in line
    assert next(line for line in text.splitlines() if line.startswith("ResNet-600")).count("—") == 3


def test_figures_draw():
    from tp_utils.training import Run

    run = Run({"network": nn.Identity()}, 4, {"loss": [3.0, 2.0, 1.5, 1.0], "validation": [(2, 0.3), (4, 0.5)]})
    fig = tp13.runs_figure({"a": run, "b": run}, "title")
    assert [len(axis.lines) for axis in fig.axes] == [4, 2]
    stopped, started = Run({"network": nn.Identity()}, 2, {"loss": [3.0, 2.0], "validation": []}), Run({})
    fig = tp13.runs_figure({"a": stopped, "b": started}, "title")
    assert len(fig.axes[0].lines) == 2 and not len(fig.axes[1].lines[0].get_xdata())
    with pytest.raises(ValueError, match="let the training above run"):
        tp13.runs_figure({"b": started}, "title")
    fig = tp13.survival_figure(reference("13.7"), 9, 0.5)
    assert fig.axes[0].patches[-1].get_height() == 0.5
    assert "6.5 of 9" in fig.axes[1].get_legend().get_texts()[0].get_text()
    lines = tp13.losses_figure({"a": [1.0, 2.0], "b": [torch.tensor(3.0)]}, "title").axes[0].lines
    assert [list(line.get_ydata()) for line in lines] == [[1, 2], [3]]
    assert len(volume.map_figure(volume.slices(**SMALL)).axes) == 24
