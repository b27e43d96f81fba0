"""A step of several networks in the engine, and the helper of TP 14: models, blur, numbers, directions."""

import pytest
import torch
from torch import nn

from tp_utils import judge, tp14, train
from tp_utils.data.embedded import read_mnist
from tp_utils.data.imageset import ImageSet, resized
from tp_utils.measure import frechet
from tp_utils.nets import initialised
from tp_utils.training import Diverged, Run


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


@pytest.fixture(scope="module")
def digits():
    return resized(read_mnist().test_images[:200], 32)


class Mean(nn.Module):
    """An encoder of two numbers: mean brightness of the left and of the right half, in [−1, 1]."""

    def forward(self, x):
        half = x.shape[-1] // 2
        mean = torch.stack([x[..., :half].mean((1, 2, 3)), x[..., half:].mean((1, 2, 3))], 1)
        return mean, torch.zeros_like(mean)


class Halves(nn.Module):
    """Its decoder: two grey halves."""

    def forward(self, z):
        return z[:, None, None, :].repeat_interleave(16, 3).expand(-1, 1, 32, -1).clamp(-1, 1)


@pytest.fixture
def halves():
    return tp14.Model(Run({"G": Halves(), "E": Mean()}), 2)


# ---- a step of two networks


def training(steps=6, name=None, rate=0.1, start=0, **more):
    torch.manual_seed(start)
    images = torch.randint(0, 256, (10, 1, 4, 4), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    networks = {"A": nn.Linear(16, 2), "B": nn.Linear(2, 16)}
    optimisers = {name: torch.optim.Adam(network.parameters(), rate) for name, network in networks.items()}

    def step(x, generator):
        noise = torch.randn(len(x), 16, generator=generator)
        loss = (networks["B"](networks["A"](x.flatten(1) + noise)) - x.flatten(1)).pow(2).mean()
        for optimiser in optimisers.values():
            optimiser.zero_grad()
        loss.backward()
        for optimiser in optimisers.values():
            optimiser.step()
        return {"loss": loss, "largest": x.max()}

    return train(step, networks, optimisers, images, steps, batch_size=4, name=name, save_every=2, live=False, **more)


def weights(run):
    return torch.cat([w.detach().flatten() for network in run.networks.values() for w in network.parameters()])


def test_networks_learn_and_every_step_is_in_the_history():
    run = training(60)
    assert run.step == 60 and len(run.history["loss"]) == 60
    assert sum(run.history["loss"][-10:]) < 0.7 * sum(run.history["loss"][:10])
    assert max(run.history["largest"]) <= 1 and not any(network.training for network in run.networks.values())


def test_a_run_goes_on_where_it_was_and_ends_with_the_same_weights(monkeypatch):
    whole = training(6)
    from tp_utils.training import loop

    class Killed(Exception):
        pass

    keep, count = loop.Loop.keep, []

    def killed(self):
        keep(self)
        count.append(self.run.step)
        if self.run.step == 4:
            raise Killed

    monkeypatch.setattr(loop.Loop, "keep", killed)
    with pytest.raises(Killed):
        training(6, name="networks")
    monkeypatch.setattr(loop.Loop, "keep", keep)
    again = training(6, name="networks")
    assert count == [2, 4] and torch.equal(weights(again), weights(whole)) and again.history == whole.history


def test_other_weights_or_settings_start_anew(capsys):
    training(2, name="networks")
    capsys.readouterr()
    training(2, name="networks")
    assert "loaded from the cache" in capsys.readouterr().out
    for change in ({"rate": 0.2}, {"start": 1}, {"seed": 3}):
        training(2, name="networks", **change)
        assert "loaded" not in capsys.readouterr().out
        training(2, name="networks")
        capsys.readouterr()


def test_a_loss_that_is_not_finite_stops_the_training():
    with pytest.raises(Diverged, match="loss is"):
        training(50, rate=1e30)


def test_first_weights_are_dcgans():
    network = nn.Sequential(nn.Conv2d(64, 64, 4), nn.BatchNorm2d(64), nn.Linear(64, 64), nn.ConvTranspose2d(64, 64, 4))
    assert initialised(network) is network
    for layer in (network[0], network[2], network[3]):
        assert layer.weight.std().item() == pytest.approx(0.02, rel=0.05) and not layer.bias.any()
    assert network[1].weight.mean().item() == pytest.approx(1, abs=0.01)


# ---- models


def test_a_model_encodes_decodes_and_draws(halves):
    images = torch.zeros(3, 1, 32, 32, dtype=torch.uint8)
    images[1, ..., 16:] = 255
    assert halves.encode(images).tolist() == [[-1, -1], [-1, 1], [-1, -1]]
    assert torch.equal(halves.reconstruct(images), images)
    one, again, other = halves.generate(4), halves.generate(4), halves.generate(4, seed=1)
    assert one.shape == (4, 1, 32, 32) and torch.equal(one, again) and not torch.equal(one, other)


def test_the_discriminator_judges_by_its_features():
    D, x = tp14.FeatureDiscriminator(3, 4).eval(), torch.randn(2, 3, 32, 32)
    assert D(x).shape == (2,) and D.features(x).shape == (2, 8 * 8 * 8)
    torch.testing.assert_close(D.above(D.features(x).view(2, 8, 8, 8)), D(x))


def test_the_plane_has_z1_to_the_right_and_z2_upwards(halves):
    picture = tp14.plane_mosaic(halves, 3).float().mean(0)  # nine images of 32 × 32; left half z₁, right half z₂
    cells = picture.view(3, 32, 3, 32).permute(0, 2, 1, 3)
    z1, z2 = cells[..., :16].mean((2, 3)), cells[..., 16:].mean((2, 3))
    assert (z1.diff(dim=1) > 0).all() and (z1.diff(dim=0) == 0).all()
    assert (z2.diff(dim=0) < 0).all() and (z2.diff(dim=1) == 0).all()


def test_a_set_without_test_images_gives_up_a_fifth():
    faces = ImageSet.from_arrays("faces", {
        "train_images": torch.zeros(80, 8, 8, 3, dtype=torch.uint8).numpy(),
        "train_labels": (torch.arange(80) % 2).numpy(),
        "test_images": torch.zeros(0, 8, 8, 3, dtype=torch.uint8).numpy(), "test_labels": torch.arange(0).numpy(),
        "classes": ["one", "other"], "source": "a test", "licence": "none"})
    images, labels, held, held_labels = tp14.images_and_held(faces)
    assert images.shape == (64, 3, 32, 32) and held.shape == (16, 3, 32, 32)
    assert labels.tolist() == 32 * [0, 1] and held_labels.tolist() == 8 * [0, 1]


# ---- blur


def test_moving_moves_to_the_right_and_down_by_whole_pixels():
    image = torch.zeros(1, 1, 8, 8, dtype=torch.uint8)
    image[0, 0, 3, 4] = 200
    assert tp14.moved(image, 2)[0, 0, 3, 6] == 200 and tp14.moved(image, -1, 2)[0, 0, 5, 3] == 200
    assert torch.equal(tp14.moved(image, 0), image)


def test_pixels_forgive_blur_and_features_forgive_moving(digits):
    found = tp14.change_distances(digits)
    moved, blurred, other = (found[name] for name in ("moved by two pixels", "blurred", "another image"))
    assert blurred["pixels"] < 0.5 * moved["pixels"]  # what section 2.2 says
    assert moved["features"] < 0.5 * other["features"] and moved["pixels"] > 0.5 * other["pixels"]


# ---- numbers


def test_the_numbers_of_a_model(digits, halves, capsys):
    found = tp14.model_numbers(halves, digits, 100)
    assert tp14.model_numbers(halves, digits, 100) == found and "anew" not in capsys.readouterr().out  # from the cache
    there = judge.opinion(digits[:100])[0]
    assert found["floor"] == pytest.approx(frechet(there, judge.opinion(digits[100:])[0]))
    assert found["frechet"] == pytest.approx(frechet(there, judge.opinion(halves.generate(100))[0]))
    back = halves.reconstruct(digits[:100])
    assert found["pixels"] == pytest.approx(((digits[:100].float() - back.float()) / 127.5).pow(2).mean().item())
    assert 0 <= found["read_alike"] < 0.5
    assert "pixels" not in tp14.model_numbers(tp14.Model(Run({"G": halves.G}), 2), digits, 100)


def test_the_table_has_a_dash_where_a_model_cannot_reconstruct():
    runs = [{"frechet": f, "floor": 0.4, "pixels": 0.02, "features": 0.05, "read_alike": 0.9} for f in (9.0, 11.0)]
    table = tp14.models_table({"VAE": runs, "GAN": [{"frechet": 8.0, "floor": 0.4}]})
    assert table.rows[0] == ["VAE", "2", "10.0 ± 1.4", "0.020 ± 0.000", "0.050 ± 0.000", "90.0 ± 0.0 %"]
    assert table.rows[1][2:] == ["8.0", "—", "—", "—"] and table.rows[2][2] == "0.40"


# ---- latent space


def test_slant_is_measured_in_pixels_to_the_right_per_pixel_upwards():
    upright = torch.zeros(1, 1, 32, 32, dtype=torch.uint8)
    upright[0, 0, 8:24, 16] = 255
    right = torch.zeros_like(upright)
    for k in range(16):
        right[0, 0, 23 - k, 8 + k] = 255  # one to the right for each one upwards
    assert tp14.slant(torch.cat([upright, right, right.flip(3)])).tolist() == pytest.approx([0, 1, -1])


def test_a_direction_points_to_more_of_the_attribute(halves):
    images = torch.randint(0, 256, (100, 1, 32, 32), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    images = (images.float() * torch.rand(100, 1, 1, 1, generator=torch.Generator().manual_seed(1))).byte()
    added = tp14.direction(halves, images, tp14.brightness)
    assert (added > 0.1).all()
    found = tp14.slant_added(halves, images)
    assert list(found) == ["-1", "-0.5", "0", "0.5", "1"] and all(isinstance(value, float) for value in found.values())


def test_figures_are_drawn(digits, halves):
    for fig in (tp14.plane_figure(halves, digits, read_mnist().test_labels[:200]), tp14.doubt_figure(digits[0]),
                tp14.walk_figure(halves, digits[:2], "a walk"), tp14.attributes_figure(halves, digits, digits[:3])):
        assert all(axis.has_data() for axis in fig.axes)
    assert bytes(tp14.plane_explorer(halves).png).startswith(b"\x89PNG")
    assert len(tp14.similarity_table(digits[:20]).rows) == 3
