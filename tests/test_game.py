"""What tp.Game looks at: D's opinions, the moving average, pictures of fixed latents, fresh images, the live figure."""

from copy import deepcopy

import pytest
import torch
from small_games import CLASSES, KINDS, STEPS, adam, play, players, same, same_weights, some_images
from small_runs import Painter, latents
from torch import nn
from torch.nn import functional as F

import tp_utils as tp
from tp_utils import show
from tp_utils.training import Diverged, live, update
from tp_utils.training.engine import batch_indices
from tp_utils.training.game import COLUMNS, FRESH

CURVES = ("D", "G", "D(x)", "D(G(z))")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU; nothing happens."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.delenv("HAPPENS", raising=False)
    monkeypatch.delenv("DIVERGES", raising=False)


# ---- D's opinions


def test_the_history_has_the_means_of_the_discriminators_probabilities():
    G, D = first = players(dropout=0)
    game = play(GD=deepcopy(first), steps=3, seed=5)
    assert all(len(game.history[curve]) == 3 for curve in CURVES)
    x = some_images()[0][batch_indices(48, 8, 0, 5)] / 127.5 - 1
    fake = G(latents(8, torch.Generator().manual_seed(5 * 1_000_003)))
    assert game.history["D(x)"][0] == pytest.approx(D(x).sigmoid().mean().item(), abs=1e-6)
    assert game.history["D(G(z))"][0] == pytest.approx(D(fake).sigmoid().mean().item(), abs=1e-6)


class OfClasses(nn.Module):
    """A D that tells K classes from "generated", whose logit is 0."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(64, CLASSES)

    def forward(self, x):
        return self.linear(x.flatten(1))


def test_a_discriminator_of_classes_gives_the_probability_of_all_of_them_together():
    torch.manual_seed(0)
    G, D = Painter(), OfClasses()
    seen = []

    def step(x, generator):
        fake = G(latents(len(x), generator)).detach()
        for images in (x, fake):
            logits = D(images)
            seen.append((logits.exp().sum(1) / (1 + logits.exp().sum(1))).mean().item())
        return {"D": 0.0, "G": 0.0}

    game = tp.Game(G, D, latents).train(step, {"G": adam(G), "D": adam(D)}, some_images()[0], 1, batch_size=8)
    assert [game.history[curve][0] for curve in CURVES[2:]] == pytest.approx(seen, abs=1e-6)


# ---- the moving average


def test_the_average_is_an_exponential_moving_average_of_the_weights():
    G, D = players()
    optimisers, states = {"G": adam(G, 0.05), "D": adam(D)}, []
    optimisers["G"].register_step_post_hook(lambda *_: states.append(deepcopy(G.state_dict())))
    game = play(GD=(G, D), optimisers=optimisers, average=0.7, steps=6, name=None)
    assert len(states) == 6 and same_weights(game.G, G)
    for name, value in game.average.named_parameters():
        expected = states[0][name].double()
        for state in states[1:]:
            expected = 0.7 * expected + 0.3 * state[name].double()
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)
        assert not torch.equal(value, states[-1][name])


class Scaled(nn.Module):
    """A batch norm behind a weight that grows quickly, as weights do early in a game."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(4, 64), nn.BatchNorm1d(64), nn.Tanh())

    def forward(self, z, *_):
        return self.layers(z).view(-1, 1, 8, 8)


class Fixed(nn.Module):
    """A D that likes bright images."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(64))

    def forward(self, x, *_):
        return x.flatten(1) @ self.weight


@pytest.mark.parametrize("kind", ["plain", "conditional"])
def test_the_average_has_batch_norm_statistics_of_its_own(kind):
    """With the statistics of G, or averages of them, the averaged weights make grey images."""
    torch.manual_seed(0)
    G, D = Scaled(), Fixed()
    momentum = G.layers[1].momentum
    game = play(kind, GD=(G, D), average=0.99, steps=12, batch_size=16, name=None, optimisers={
        "D": torch.optim.SGD(D.parameters(), 0), "G": torch.optim.SGD(G.parameters(), 5)})
    z = torch.randn(5000, 4, generator=torch.Generator().manual_seed(9))
    norm, inside = game.average.layers[1], game.average.layers[0](z).detach()

    def fits(norm):
        near = (norm.running_mean - inside.mean(0)).abs() < 0.2 * inside.std(0)
        return bool(near.all() and ((norm.running_var / inside.var(0)).log().abs() < 0.3).all())

    assert fits(norm) and not fits(G.layers[1])
    assert norm.momentum == momentum and not game.average.training


def test_what_is_drawn_comes_from_the_average_where_there_is_one_and_otherwise_from_the_generator():
    assert (game := play()).average is game.G
    game = play("averaged")
    drawn, step, last = game.generate(20)[0], *game.history["pictures"][-1]
    for weight in game.G.parameters():
        nn.init.zeros_(weight)
    assert torch.equal(game.generate(20)[0], drawn)
    expected = ((game.average(game.latents) + 1) * 127.5).round().clamp(0, 255).byte()
    assert step == STEPS and torch.equal(last, expected)


@pytest.mark.parametrize("kind", KINDS)
def test_all_networks_are_in_eval_mode_when_the_game_is_over(kind):
    game = play(kind)
    assert [getattr(game, part).training for part in ("G", "D", "average")] == [False] * 3


# ---- pictures and fresh images


@pytest.mark.parametrize(("steps", "at"), [(14, [1, 4, 8, 12, 14]), (8, [1, 4, 8]), (1, [1])])
def test_pictures_are_taken_at_the_first_step_when_due_and_at_the_end(steps, at):
    pictures = play(steps=steps).history["pictures"]
    assert [step for step, _ in pictures] == at
    assert all(picture.shape == (64, 1, 8, 8) and picture.dtype == torch.uint8 for _, picture in pictures)


def test_the_fixed_latents_depend_on_the_seed_alone():
    assert torch.equal(play(steps=1).latents, play(steps=2, batch_size=4).latents)
    assert not torch.equal(play(steps=1).latents, play(steps=1, seed=1).latents)
    assert len(play(steps=1).latents.unique(dim=0)) == 64
    assert play(steps=1).labels is None


class LabelAndLatent(Painter):
    """A G that writes its latent into the first pixels and its label into the last one."""

    def forward(self, z, y):
        images = super().forward(z, y) * 0
        images[:, 0, 0, :4] = z.tanh()
        images[:, 0, -1, -1] = y / 10
        return images


def written():
    """A conditional game whose images say what they were made of."""
    torch.manual_seed(0)
    return play("conditional", GD=(LabelAndLatent(CLASSES), players(conditional=True)[1]), steps=1)


def test_in_the_picture_of_a_conditional_game_a_row_shares_its_label_and_a_column_its_latent():
    game = written()
    _, picture = game.history["pictures"][0]
    assert picture.shape == (CLASSES * COLUMNS, 1, 8, 8)
    grid = picture.view(CLASSES, COLUMNS, 8, 8)
    assert (grid[..., -1, -1] == ((torch.arange(CLASSES) / 10 + 1) * 127.5).round()[:, None]).all()
    assert (grid[:, :, 0, :4] == grid[:1, :, 0, :4]).all()
    assert len(grid[0, :, 0, :4].unique(dim=0)) == COLUMNS
    assert game.labels.tolist() == [label for label in range(CLASSES) for _ in range(COLUMNS)]


def test_generate_gives_all_classes_in_turn_or_the_labels_asked_for():
    game = written()
    images, labels = game.generate(7)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0] and labels.dtype == torch.int64
    assert images[:, 0, -1, -1].tolist() == [128, 140, 153, 128, 140, 153, 128]
    images, labels = game.generate(4, labels=torch.tensor([2, 2, 0, 1]))
    assert labels.tolist() == [2, 2, 0, 1]
    assert images[:, 0, -1, -1].tolist() == [153, 153, 128, 140]


def test_labels_for_another_number_of_images_are_refused():
    with pytest.raises(ValueError, match="2 labels for 3 images"):
        play("conditional", steps=1).generate(3, labels=torch.zeros(2, dtype=torch.int64))


@pytest.mark.parametrize("kind", ["averaged", "conditional"])
def test_generated_images_depend_on_the_seed_and_not_on_the_others_in_the_batch(kind):
    game = play(kind)
    images, labels = game.generate(1030, seed=4)  # more than two parts
    assert images.shape == (1030, 1, 8, 8) and images.dtype == torch.uint8 and images.device.type == "cpu"
    assert (labels is None) == (kind == "averaged")
    torch.rand(3)
    assert torch.equal(game.generate(1030, seed=4)[0], images)
    assert not torch.equal(game.generate(1030, seed=5)[0], images)
    z = latents(1030, torch.Generator().manual_seed(4 + FRESH))
    for i in (0, 499, 500, 1029):  # one by one: batch norm may not look at the neighbours
        y = () if labels is None else (labels[i:i + 1],)
        alone = ((game.average(z[i:i + 1], *y) + 1) * 127.5).round().clamp(0, 255)
        assert (alone - images[i].float()).abs().max() <= 1
    assert not game.average.training


def test_generated_images_are_fresh_and_not_those_of_the_fixed_latents():
    game = play()
    _, picture = game.history["pictures"][-1]
    assert not any(torch.equal(game.generate(64, seed=seed)[0], picture) for seed in (0, 1, 2))


# ---- the live figure


@pytest.fixture
def drawn(monkeypatch):
    """The figures that a notebook would show."""
    import IPython.display

    figures = []

    class Handle:
        def update(self, fig):
            figures.append(fig)

    monkeypatch.setattr(live, "in_notebook", lambda: True)
    monkeypatch.setattr(live, "REFRESH", 0)
    monkeypatch.setattr(IPython.display, "display", lambda fig, **_: figures.append(fig) or Handle())
    return figures


@pytest.mark.parametrize("options", [{}, {"save_every": 100}, {"picture_every": 100}, {"kind": "conditional"}])
def test_the_live_figure_has_titles_and_labels_from_the_first_to_the_last_step(options, drawn):
    game = play(**options, live=True)
    losses, probabilities, picture = drawn[-1].axes
    for axis in (losses, probabilities):
        assert axis.get_title() and axis.get_xlabel() == "step" and axis.get_ylabel()
        assert len(axis.get_legend().get_texts()) == 2
    assert picture.get_title() == f"fixed latents, step {STEPS}"
    shape = tuple(show.mosaic(game.history["pictures"][-1][1]).shape[1:])
    assert picture.images[0].get_array().shape == shape


def test_a_loss_that_is_not_finite_at_once_is_named_also_where_there_is_a_live_figure(drawn, monkeypatch):
    monkeypatch.setenv("DIVERGES", "D nan 1")
    with pytest.raises(Diverged, match="D is nan at step 1"):
        play(live=True)


@pytest.mark.parametrize("options", [{"kind": "conditional"}, {"average": 0.9}])
def test_live_or_not_the_game_is_the_same(options, drawn):
    assert same(play(**options, name=None, live=True), play(**options, name=None))


# ---- a term beside a loss


def test_a_term_in_a_step_of_ones_own_counts():
    """Images that a term of G's loss draws to grey are nearer to it."""
    def spread(weight):
        G, D = players()
        optimisers = {"G": adam(G), "D": adam(D)}

        def step(x, generator):
            fake = G(latents(len(x), generator))
            loss_D = F.softplus(-D(x)).mean() + F.softplus(D(fake.detach())).mean()
            update(optimisers["D"], loss_D)
            loss_G = F.softplus(-D(fake)).mean() + weight * fake.pow(2).mean()
            update(optimisers["G"], loss_G)
            return {"D": loss_D, "G": loss_G}

        game = tp.Game(G, D, latents).train(step, optimisers, some_images()[0], STEPS, batch_size=8, live=False)
        return (game.generate(50)[0].float() / 127.5 - 1).abs().mean()

    assert spread(100) < 0.7 * spread(0)
