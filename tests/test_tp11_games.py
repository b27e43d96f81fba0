"""The steps of TP 11's games: who is updated how often, on what, with which loss."""

import copy
from functools import partial

import pytest
import torch
from few_labels import SOLUTION, some_digits
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import tp11

STEPS = ["dcgan_step", "infogan_step", "wgan_step", "wgan_gp_step", "semi_supervised_step", "feature_matching_step"]
OF_CRITIC = {"wgan_step": 5, "wgan_gp_step": 5}


@pytest.fixture(autouse=True)
def small(tmp_path, monkeypatch):
    """An empty cache, the smoke profile, on the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.setenv("TP_PROFILE", "smoke")


@pytest.fixture
def digits():
    return some_digits()


class Watched(torch.optim.SGD):
    """Notes who is updated, in the order of the updates."""

    def __init__(self, name, player, updates, rate=0.01):
        super().__init__(player.parameters(), rate)
        self.name, self.updates = name, updates

    def step(self, closure=None):
        super().step()
        self.updates.append(self.name)


def labelled(generator):
    return torch.rand(4, 1, 32, 32, generator=generator) * 2 - 1, torch.tensor([0, 1, 2, 3])


def players(name, updates):
    """(G, D, optimiser_G, optimiser_D) for a step."""
    torch.manual_seed(0)
    outputs = 10 if name in ("semi_supervised_step", "feature_matching_step") else 1
    D = tp.initialised(tp11.Discriminator(outputs, norm="gp" not in name, codes=10 * (name == "infogan_step")))
    G = tp.initialised(tp11.Generator())
    return G, D, Watched("G", G, updates), Watched("D", D, updates)


def step_of(name):
    step = SOLUTION[name]
    return partial(step, labelled=labelled) if name in ("semi_supervised_step", "feature_matching_step") else step


@pytest.mark.parametrize("name", STEPS)
def test_a_step_updates_both_players_in_their_order(name):
    updates, x = [], torch.rand(10, 1, 32, 32) * 2 - 1
    G, D, *optimisers = players(name, updates)
    found = step_of(name)(G, D, *optimisers, x, torch.Generator().manual_seed(0))
    assert updates == OF_CRITIC.get(name, 1) * ["D"] + ["G"]
    assert found.keys() == {"D", "G"} and all(value.ndim == 0 and value.isfinite() for value in found.values())


@pytest.mark.parametrize("name", STEPS)
def test_each_turn_moves_its_own_player_only(name, monkeypatch):
    """With an optimiser that takes no step a player stays as it is, but for batch norm's statistics."""
    x = torch.rand(10, 1, 32, 32) * 2 - 1
    for still in ("G", "D"):
        G, D, optimiser_G, optimiser_D = players(name, [])
        monkeypatch.setitem(SOLUTION, "clip_weights", lambda critic, bound: None)
        (optimiser_G if still == "G" else optimiser_D).param_groups[0]["lr"] = 0.0
        before = {"G": copy.deepcopy(G), "D": copy.deepcopy(D)}
        step_of(name)(G, D, optimiser_G, optimiser_D, x, torch.Generator().manual_seed(0))
        for player, network in (("G", G), ("D", D)):
            pairs = zip(before[player].parameters(), network.parameters(), strict=True)
            moved = any(not torch.equal(one, other) for one, other in pairs)
            assert moved == (player != still)
        assert all(weight.requires_grad for weight in D.parameters())


def test_the_step_of_dcgan_is_that_of_the_plain_losses():
    """Against torch's cross-entropy, written out without shared images."""
    G, D, *_ = players("dcgan_step", [])
    other_G, other_D = copy.deepcopy(G), copy.deepcopy(D)
    x = torch.rand(10, 1, 32, 32) * 2 - 1
    optimisers = [torch.optim.SGD(player.parameters(), 0.1) for player in (G, D)]
    SOLUTION["dcgan_step"](G, D, *optimisers, x, torch.Generator().manual_seed(3))

    z = torch.randn(10, tp11.NZ, 1, 1, generator=torch.Generator().manual_seed(3))
    fake = other_G(z)
    real_logits, fake_logits = other_D(x), other_D(fake.detach())
    loss = F.binary_cross_entropy_with_logits(real_logits, torch.ones(10))
    loss = loss + F.binary_cross_entropy_with_logits(fake_logits, torch.zeros(10))
    torch.optim.SGD(other_D.parameters(), 0.1).step(loss.backward)
    other_G.zero_grad()
    F.binary_cross_entropy_with_logits(other_D(fake), torch.ones(10)).backward()
    torch.optim.SGD(other_G.parameters(), 0.1).step()
    for mine, plain in ((G, other_G), (D, other_D)):
        for one, other in zip(mine.parameters(), plain.parameters(), strict=True):
            assert torch.allclose(one, other, atol=1e-6)


def test_the_critic_sees_other_images_at_each_of_its_updates(monkeypatch):
    seen, x = [], torch.rand(10, 1, 32, 32) * 2 - 1

    def penalty(critic, real, fake, generator):
        seen.append((real, fake))
        return torch.zeros(())

    monkeypatch.setitem(SOLUTION, "gradient_penalty", penalty)
    SOLUTION["wgan_gp_step"](*players("wgan_gp_step", []), x, torch.Generator().manual_seed(0))
    assert torch.equal(torch.cat([real for real, _ in seen]), x) and len(seen) == 5
    assert all(not fake.requires_grad and len(fake) == 2 for _, fake in seen)
    assert len({fake.sum().item() for _, fake in seen}) == 5


def test_the_penalty_counts_ten_times(monkeypatch):
    def loss(penalty):
        monkeypatch.setitem(SOLUTION, "gradient_penalty", lambda critic, real, fake, generator: torch.tensor(penalty))
        G, critic, *optimisers = players("wgan_gp_step", [])
        optimisers[1].param_groups[0]["lr"] = 0.0
        return SOLUTION["wgan_gp_step"](G, critic, *optimisers, x, torch.Generator().manual_seed(0))["D"].item()

    x = torch.rand(10, 1, 32, 32) * 2 - 1
    assert loss(1.0) - loss(0.0) == pytest.approx(10, abs=1e-4)


def test_feature_matching_gives_g_the_features_and_nothing_else():
    """G's loss is 0 where D's features do not depend on the image."""
    G, D, *optimisers = players("feature_matching_step", [])
    for layer in D.features:
        if isinstance(layer, nn.Conv2d):
            layer.weight.data.zero_()
    optimisers[1].param_groups[0]["lr"] = 0.0
    x = torch.rand(10, 1, 32, 32) * 2 - 1
    found = step_of("feature_matching_step")(G, D, *optimisers, x, torch.Generator().manual_seed(0))
    assert found["G"] == 0 and found["D"] > 0


# ---- the players and their games


def test_the_players_have_the_shapes_of_the_docstrings():
    z, x = SOLUTION["sample_latent"](3, torch.Generator().manual_seed(0)), torch.randn(3, 1, 32, 32)
    assert tp11.Generator()(z).shape == (3, 1, 32, 32) and tp11.Generator()(z).abs().max() <= 1
    assert tp11.Discriminator()(x).shape == (3,) and tp11.Discriminator(10)(x).shape == (3, 10)
    assert tp11.Discriminator().features(x).shape == (3, tp11.Discriminator().last.in_features)
    assert tp11.Discriminator(codes=7).code(tp11.Discriminator().features(x)).shape == (3, 7)
    assert not any(isinstance(layer, nn.BatchNorm2d) for layer in tp11.Discriminator(norm=False).modules())
    assert torch.equal(tp11.Signed(nn.Identity())(torch.tensor([0.0, 1.0])), torch.tensor([-1.0, 1.0]))


def test_infogans_latents_end_with_a_code():
    z = SOLUTION["sample_latent_and_code"](50, torch.Generator().manual_seed(0)).flatten(1)
    code = z[:, -10:]
    assert z.shape == (50, tp11.NZ) and (code.sum(1) == 1).all() and set(code.unique().tolist()) == {0.0, 1.0}
    assert len(code.argmax(1).unique()) > 5


def test_the_critic_is_clipped_after_every_update(digits):
    game = SOLUTION["train_wgan"](digits.train_images, 0)
    assert max(weight.abs().max() for weight in game.D.parameters()) <= 0.01 + 1e-6
    assert max(weight.abs().max() for weight in game.G.parameters()) > 0.02


def test_infogan_trains_the_head_of_the_code(digits):
    game = SOLUTION["train_infogan"](digits.train_images, 0)
    tp.seed(0)
    fresh = tp.initialised(tp11.Discriminator(codes=10))
    assert not torch.equal(game.D.code.weight, fresh.code.weight)


@pytest.mark.parametrize("name", ["dcgan", "infogan", "wgan", "wgan_gp"])
def test_a_game_is_loaded_by_whoever_wants_it_again(name, digits, monkeypatch, capsys):
    first = SOLUTION[f"train_{name}"](digits.train_images, 3)
    monkeypatch.setattr(tp.training.engine, "batch_indices", None)  # another step would fail
    again = SOLUTION[f"train_{name}"](digits.train_images, 3)
    assert "loaded from the cache" in capsys.readouterr().out
    for one, other in ((first.G, again.G), (first.D, again.D)):
        pairs = zip(one.state_dict().values(), other.state_dict().values(), strict=True)
        assert all(torch.equal(before, after) for before, after in pairs)


def test_labelled_batches_are_of_the_hundred(digits):
    case = tp11.Case(digits, torch.arange(100), "random", 0)
    images, labels = tp11.labelled_batches(case)(torch.Generator().manual_seed(0))
    hundred = tp.data.imageset.resized(digits.train_images[:100], 32).float() / 255
    assert images.shape == (8, 1, 32, 32) and images.min() >= -1 and images.max() <= 1
    for image, label in zip(images, labels, strict=True):
        (where,) = torch.isclose(hundred, (image + 1) / 2, atol=1e-6).flatten(1).all(1).nonzero()
        assert digits.train_labels[where] == label
