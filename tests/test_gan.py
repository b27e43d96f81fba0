"""train_gan: Algorithm 1, both players in their turn; survives whatever stops it, goes on bit for bit."""

import functools
import linecache
import os
import runpy
import signal
import subprocess
import sys
from copy import deepcopy

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tp_utils import show
from tp_utils.runtime import code_of
from tp_utils.training import checkpoint, live, train_gan
from tp_utils.training.gan import COLUMNS, CURVES, FRESH, frozen, probability
from tp_utils.training.loop import Diverged, batch_indices

STEPS = 14
CLASSES = 3
NUMBER = 48  # of images
MODULE = "tp_utils.training.gan"

# What happens in a loss: {(player, its call in this process): a function whose number multiplies the loss}. Loss
# functions are part of a run's key by their source; what is in here is not.
PLAN, CALLS = {}, {"D": 0, "G": 0}


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU; nothing happens in the losses."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    PLAN.clear()
    return tmp_path / "runs"


def happening(player):
    CALLS[player] += 1
    return PLAN.get((player, CALLS[player]), lambda: 1.0)()


def loss_D(real_logits, fake_logits):
    return happening("D") * (F.softplus(-real_logits).mean() + F.softplus(fake_logits).mean())


def loss_G(fake_logits):
    return happening("G") * F.softplus(-fake_logits).mean()


def latent(n, generator):
    return torch.randn(n, 4, generator=generator)


class Painter(nn.Module):
    """G: z [n, 4], and labels [n] in a conditional game → [n, 1, 8, 8] in [−1, 1]; with batch norm."""

    def __init__(self, classes=0):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(nn.Linear(4 + classes, 16, bias=False), nn.BatchNorm1d(16), nn.ReLU(),
                                    nn.Linear(16, 64), nn.Tanh())

    def forward(self, z, *y):
        return self.layers(torch.cat([z, *(F.one_hot(part, self.classes) for part in y)], 1)).view(-1, 1, 8, 8)


class Critic(nn.Module):
    """D: x [n, 1, 8, 8], and labels [n] in a conditional game → logits [n]; with dropout."""

    def __init__(self, classes=0, dropout=0.3):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(nn.Linear(64 + classes, 16), nn.LeakyReLU(0.2), nn.Dropout(dropout),
                                    nn.Linear(16, 1))

    def forward(self, x, *y):
        return self.layers(torch.cat([x.flatten(1), *(F.one_hot(part, self.classes) for part in y)], 1)).flatten()


def some_images(seed=0):
    """uint8 [N, 1, 8, 8] whose first pixel is the image's number, and labels int64 [N]."""
    generator = torch.Generator().manual_seed(seed)
    images = torch.randint(256, (NUMBER, 1, 8, 8), generator=generator, dtype=torch.uint8)
    images[:, 0, 0, 0] = torch.arange(NUMBER)
    return images, torch.arange(NUMBER) % CLASSES


def players(classes=0, seed=1, **options):
    """G and D, always with the same initial weights."""
    torch.manual_seed(seed)
    return Painter(classes), Critic(classes, **options)


GAMES = {
    "plain": {},
    "averaged": {"average": 0.9},
    "conditional": {"conditional": True},
    "conditional, averaged": {"conditional": True, "average": 0.9},
    "several updates": {"average": 0.9, "nb_update_D": 3, "nb_update_G": 2},
}


def play(kind="plain", *, GD=None, images=None, conditional=False, lr=0.01, steps=STEPS, name="game",
         optimiser=torch.optim.Adam, **options):
    """A small game, always from the same initial weights; `kind` is one of GAMES, options go before it."""
    options = {"batch_size": 8, "save_every": 5, "picture_every": 4, "live": False, "loss_D": loss_D,
               "loss_G": loss_G, "latent": latent} | GAMES[kind] | options
    conditional = options.pop("conditional", conditional)
    G, D = GD or players(CLASSES if conditional else 0)
    images, labels = images or some_images()
    lr_D, lr_G = lr if isinstance(lr, tuple) else (lr, lr)
    CALLS.update(D=0, G=0)
    return train_gan(G, D, images, steps, optimiser_D=optimiser(D.parameters(), lr=lr_D),
                     optimiser_G=optimiser(G.parameters(), lr=lr_G), labels=labels if conditional else None, name=name,
                     **options)


def killed():
    """The kernel is killed."""
    os.kill(os.getpid(), signal.SIGKILL)


def stopped():
    """The stop button is pressed."""
    signal.raise_signal(signal.SIGINT)
    return 1.0


def play_and_die(folder):
    """Each of GAMES in a process of its own that is killed in the 8th step, when D has moved and G has not yet."""
    for number, kind in enumerate(GAMES):
        if os.fork() == 0:
            os.environ["TP_CACHE"] = os.path.join(folder, str(number))
            PLAN["G", 7 * GAMES[kind].get("nb_update_G", 1) + 1] = killed
            play(kind)
            os._exit(0)
        print(kind, os.waitstatus_to_exitcode(os.wait()[1]), file=sys.stderr)


@pytest.fixture
def trained(monkeypatch):
    """The batches that D was shown, by their number."""
    batches = []

    def counting(count, batch_size, step, seed):
        batches.append(step)
        return batch_indices(count, batch_size, step, seed)

    monkeypatch.setattr(sys.modules[MODULE], "batch_indices", counting)
    return batches


def same_weights(network, other):
    weights, others = network.state_dict(), other.state_dict()
    return weights.keys() == others.keys() and all(torch.equal(weights[key], others[key]) for key in weights)


def same(game, other):
    """Every weight, number and picture of two games."""
    return (game.step == other.step
            and all(game.history[curve] == other.history[curve] for curve in CURVES)
            and [step for step, _ in game.history["pictures"]] == [step for step, _ in other.history["pictures"]]
            and all(torch.equal(picture, expected) for (_, picture), (_, expected)
                    in zip(game.history["pictures"], other.history["pictures"], strict=True))
            and all(same_weights(getattr(game, part), getattr(other, part)) for part in ("G", "D", "average")))


@pytest.fixture(scope="module", params=GAMES)
def undisturbed(request):
    """(name of the game, it from beginning to end)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        PLAN.clear()
        return request.param, play(request.param, name=None)


@pytest.fixture(scope="module")
def graveyard(tmp_path_factory):
    """A folder with the caches of killed games, 0, 1, 2 … in the order of GAMES."""
    folder, tests = tmp_path_factory.mktemp("killed"), os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", f"import test_gan as t; t.play_and_die({str(folder)!r})"], cwd=tests,
                          env={**os.environ, "PYTHONPATH": os.path.dirname(tests), "TP_DEVICE": "cpu"}, timeout=300,
                          capture_output=True, text=True)
    assert done.stderr.splitlines() == [f"{kind} {-signal.SIGKILL}" for kind in GAMES]
    return folder


# ---- Algorithm 1


def by_hand(G, D, images, labels, steps, nb_update_D, nb_update_G, lr=0.01, batch_size=8):
    """Algorithm 1, written out: the losses of D and of G in each step."""
    adam_D, adam_G = torch.optim.Adam(D.parameters(), lr), torch.optim.Adam(G.parameters(), lr)
    losses = []
    for step in range(steps):
        generator = torch.Generator().manual_seed(step)
        for k in range(nb_update_D):
            chosen = batch_indices(len(images), batch_size, nb_update_D * step + k, seed=0)
            x, y = 2 * (images[chosen] / 255) - 1, () if labels is None else (labels[chosen],)
            fake = G(latent(batch_size, generator), *y)
            p_real, p_fake = D(x, *y), D(fake.detach(), *y)
            value_D = (F.binary_cross_entropy_with_logits(p_real, torch.ones(batch_size))
                       + F.binary_cross_entropy_with_logits(p_fake, torch.zeros(batch_size)))
            adam_D.zero_grad()
            value_D.backward()
            adam_D.step()
        for k in range(nb_update_G):
            if k > 0:
                fake = G(latent(batch_size, generator), *y)
            value_G = F.binary_cross_entropy_with_logits(D(fake, *y), torch.ones(batch_size))
            for p, gradient in zip(G.parameters(), torch.autograd.grad(value_G, list(G.parameters())), strict=True):
                p.grad = gradient
            adam_G.step()
        losses.append((value_D.item(), value_G.item()))
    return losses


@pytest.mark.parametrize("conditional", [False, True])
@pytest.mark.parametrize(("nb_update_D", "nb_update_G"), [(1, 1), (3, 2)])
def test_a_game_is_algorithm_1_as_written_by_hand(conditional, nb_update_D, nb_update_G):
    images, labels = some_images()
    G, D = players(CLASSES if conditional else 0, dropout=0)
    game = play(GD=deepcopy((G, D)), conditional=conditional, nb_update_D=nb_update_D, nb_update_G=nb_update_G, steps=8)
    losses = by_hand(G, D, images, labels if conditional else None, 8, nb_update_D, nb_update_G)
    torch.testing.assert_close(list(zip(game.history["discriminator loss"], game.history["generator loss"],
                                        strict=True)), losses, rtol=1e-5, atol=1e-6)
    for network, expected in ((game.G, G), (game.D, D)):
        torch.testing.assert_close(network.state_dict(), expected.state_dict(), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("nb_update_D", "nb_update_G", "passes"), [(1, 1, 1), (3, 1, 3), (1, 2, 2), (3, 2, 4)])
def test_updates_and_passes_of_the_generator_are_as_many_as_asked_for(nb_update_D, nb_update_G, passes, monkeypatch):
    counts = {}

    def count(what):
        counts[what] = counts.get(what, 0) + 1

    G, D = players()
    G.register_forward_hook(lambda network, *_: count("passes of G") if network.training else None)
    D.register_forward_hook(lambda network, *_: count("passes of D"))
    monkeypatch.setattr(sys.modules[MODULE], "update", lambda optimiser, value: (
        count("updates of G" if optimiser.param_groups[0]["lr"] == 0.02 else "updates of D"), optimiser.step()))
    play(GD=(G, D), lr=(0.01, 0.02), nb_update_D=nb_update_D, nb_update_G=nb_update_G, steps=5)
    assert counts == {"updates of D": 5 * nb_update_D, "updates of G": 5 * nb_update_G, "passes of G": 5 * passes,
                      "passes of D": 5 * (2 * nb_update_D + nb_update_G)}


def shown_to(network):
    """A list that will hold the inputs of every pass of a network."""
    inputs = []
    network.register_forward_pre_hook(lambda _, given: inputs.append([part.detach().clone() for part in given]))
    return inputs


@pytest.mark.parametrize("conditional", [False, True])
def test_the_discriminator_sees_each_real_image_once_in_an_epoch_between_minus_1_and_1_and_with_its_own_label(
        conditional):
    images, labels = some_images()
    G, D = players(CLASSES if conditional else 0)
    to_D, to_G = shown_to(D), shown_to(G)
    play(GD=(G, D), conditional=conditional, nb_update_D=2, steps=3, picture_every=0)  # 6 batches of 8: one epoch
    assert len(to_D) == 15
    real = [pass_ for number, pass_ in enumerate(to_D) if number % 5 in (0, 2)]  # real, fake, real, fake, fake
    pixels = torch.cat([pass_[0] for pass_ in real])
    numbers = ((pixels[:, 0, 0, 0] + 1) * 127.5).round().long()
    assert sorted(numbers.tolist()) == list(range(NUMBER))
    torch.testing.assert_close(pixels, images[numbers] / 127.5 - 1)
    if conditional:
        assert torch.equal(torch.cat([pass_[1] for pass_ in real]), labels[numbers])
        for step in range(3):
            first, _, second, beside_fake, in_Gs_turn = [pass_[1] for pass_ in to_D[5 * step:5 * step + 5]]
            assert not torch.equal(first, second)
            assert torch.equal(beside_fake, second) and torch.equal(in_Gs_turn, second)
            assert torch.equal(to_G[2 * step + 1][1], second)


def test_each_player_moves_in_its_own_turn_only(monkeypatch):
    G, D = players()
    moves = []

    def update(optimiser, value):
        before = deepcopy([list(G.parameters()), list(D.parameters())])
        gradients_D = [p.grad.clone() for p in D.parameters()] if moves else []
        optimiser.zero_grad()
        value.backward()
        optimiser.step()
        moved = [any(not torch.equal(p, q) for p, q in zip(player.parameters(), old, strict=True))
                 for player, old in zip((G, D), before, strict=True)]
        in_Gs_turn = optimiser.param_groups[0]["lr"] == 0.02
        if in_Gs_turn:
            assert all(torch.equal(p.grad, gradient) for p, gradient in zip(D.parameters(), gradients_D, strict=True))
        moves.append(("G" if in_Gs_turn else "D", *moved))

    monkeypatch.setattr(sys.modules[MODULE], "update", update)
    play(GD=(G, D), lr=(0.01, 0.02), nb_update_D=2, nb_update_G=2, steps=2)
    assert moves == 2 * [*2 * [("D", False, True)], *2 * [("G", True, False)]]


def test_the_discriminator_can_learn_again_after_the_game_and_after_a_loss_that_raises():
    G, D = players()
    play(GD=(G, D), steps=2)
    assert all(p.requires_grad for p in D.parameters())

    def broken():
        assert not any(p.requires_grad for p in D.parameters())  # in G's turn
        raise RuntimeError("broken")

    PLAN["G", 3] = broken
    with pytest.raises(RuntimeError, match="broken"):
        play(GD=(G, D))
    assert all(p.requires_grad for p in D.parameters())


def test_the_history_has_the_means_of_the_discriminators_probabilities():
    G, D = players(dropout=0)
    first = deepcopy((G, D))
    game = play(GD=(G, D), steps=3, seed=5)
    assert all(len(game.history[curve]) == 3 for curve in CURVES)
    G, D = first
    x = some_images()[0][batch_indices(NUMBER, 8, 0, 5)] / 127.5 - 1
    fake = G(latent(8, torch.Generator().manual_seed(5 * 1_000_003)))
    assert game.history["D(x)"][0] == pytest.approx(D(x).sigmoid().mean().item(), abs=1e-6)
    assert game.history["D(G(z))"][0] == pytest.approx(D(fake).sigmoid().mean().item(), abs=1e-6)


def learnt(greys, seed, steps=250):
    """(images drawn, their labels) by a game with flat images of these greys; the greys are labels if several."""
    images = torch.tensor(greys, dtype=torch.uint8).repeat(16).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    classes = len(greys) if len(greys) > 1 else 0
    G, D = players(classes, seed=seed, dropout=0)
    game = train_gan(G, D, images, steps, loss_D=loss_D, loss_G=loss_G, latent=latent, live=False, batch_size=32,
                     optimiser_D=torch.optim.Adam(D.parameters(), 0.005, (0.5, 0.99)), average=0.95,
                     optimiser_G=torch.optim.Adam(G.parameters(), 0.005, (0.5, 0.99)), picture_every=0,
                     labels=torch.arange(classes).repeat(16) if classes else None)
    return game.generate(100)


def test_a_small_game_comes_close_to_the_image_there_is():
    drawn, _ = learnt([230], seed=0)
    assert abs(drawn.float().mean() - 230) < 45  # of 102 before


def test_a_small_conditional_game_draws_each_class_as_it_is():
    drawn, labels = learnt([40, 210], seed=0)
    for label, grey in enumerate([40, 210]):
        assert abs(drawn[labels == label].float().mean() - grey) < 45


# ---- whatever stops it: the same weights in the end


def test_a_killed_game_goes_on_to_the_weights_pictures_and_history_of_an_undisturbed_one(
        undisturbed, graveyard, trained, monkeypatch, capsys):
    kind, expected = undisturbed
    monkeypatch.setenv("TP_CACHE", str(graveyard / str(list(GAMES).index(kind))))
    assert same(play(kind), expected)
    per_step = GAMES[kind].get("nb_update_D", 1)
    assert trained == list(range(5 * per_step, STEPS * per_step))  # killed in step 8, last saved at step 5
    assert f"game: goes on from step 5 of {STEPS}." in capsys.readouterr().out


def test_an_interrupted_game_returns_what_it_has_and_then_goes_on(undisturbed, trained, capsys):
    kind, expected = undisturbed
    before = signal.getsignal(signal.SIGINT)
    PLAN["D", 7 * GAMES[kind].get("nb_update_D", 1) + 1] = stopped
    game = play(kind)
    assert signal.getsignal(signal.SIGINT) is before
    assert game.step == 8 and [len(game.history[curve]) for curve in CURVES] == [8] * 4
    assert not game.G.training and not game.D.training
    assert f"Interrupted at step 8 of {STEPS}" in capsys.readouterr().out
    assert game.generate(3)[0].shape == (3, 1, 8, 8)
    PLAN.clear()
    torch.rand(7)  # the randomness of the rest of the notebook does not matter
    assert same(play(kind), expected)
    assert len(trained) == STEPS * GAMES[kind].get("nb_update_D", 1)
    assert f"game: goes on from step 8 of {STEPS}." in capsys.readouterr().out


def test_drawing_pictures_changes_nothing_that_is_computed(undisturbed):
    kind, expected = undisturbed
    game = play(kind, name=None, picture_every=0)
    assert game.history["pictures"] == []
    assert all(same_weights(getattr(game, part), getattr(expected, part)) for part in ("G", "D", "average"))


def test_checkpoints_hold_tensors_and_plain_values_only():
    play("averaged")
    saved = torch.load(checkpoint.path_of("game"), weights_only=True)
    assert set(saved) == {"key", "step", "history", "G", "D", "optimiser_G", "optimiser_D", "average"}


# ---- a finished game


def test_a_finished_game_is_loaded_without_training(undisturbed, trained, capsys):
    kind, expected = undisturbed
    play(kind)
    trained.clear()
    again = play(kind)
    assert trained == []
    assert same(again, expected)
    assert not again.G.training and not again.D.training and not again.average.training
    assert torch.equal(again.generate(12, seed=3)[0], expected.generate(12, seed=3)[0])
    assert f"game: {STEPS} steps trained before, loaded from the cache." in capsys.readouterr().out


def other_loss_D(real_logits, fake_logits):
    return (1 - real_logits).relu().mean() + (1 + fake_logits).relu().mean()


def other_loss_G(fake_logits):
    return -fake_logits.mean()


def other_latent(n, generator):
    return 2 * torch.rand(n, 4, generator=generator) - 1


class OtherPainter(Painter):
    def forward(self, z, *y):
        return super().forward(z, *y) * 0.5


class OtherCritic(Critic):
    def forward(self, x, *y):
        return super().forward(x, *y) - 1


def initial(G, D):
    """These classes of players with the weights that players() draws."""
    old_G, old_D = players()
    G, D = G(), D()
    G.load_state_dict(old_G.state_dict()), D.load_state_dict(old_D.state_dict())
    return G, D


OTHERS = {
    "steps": {"steps": STEPS - 1},
    "seed": {"seed": 1},
    "batch size": {"batch_size": 12},
    "images": {"images": (some_images(seed=1)[0], some_images()[1])},
    "loss of D": {"loss_D": other_loss_D},
    "loss of G": {"loss_G": other_loss_G},
    "latent": {"latent": other_latent},
    "nb_update_D": {"nb_update_D": 2},
    "nb_update_G": {"nb_update_G": 2},
    "average": {"average": 0.9},
    "picture_every": {"picture_every": 3},
    "learning rate of D": {"lr": (0.02, 0.01)},
    "learning rate of G": {"lr": (0.01, 0.02)},
    "optimiser": {"optimiser": torch.optim.SGD},
    "weights": {"GD": players(seed=2)},
    "code of G": {"GD": initial(OtherPainter, Critic)},
    "code of D": {"GD": initial(Painter, OtherCritic)},
    "labels": {"conditional": True, "images": (some_images()[0], some_images()[1].roll(1))},
}


@pytest.mark.parametrize("other", OTHERS)
def test_other_arguments_start_anew(other, trained):
    play("conditional" if other == "labels" else "plain")
    trained.clear()
    play(**deepcopy(OTHERS[other]))
    assert trained and trained[0] == 0


def test_the_very_same_arguments_do_not_start_anew(trained):
    play(GD=initial(Painter, Critic))
    trained.clear()
    play()
    assert trained == []


@pytest.mark.parametrize(("before", "after"), [({"dropout": 0.3}, {"dropout": 0.1})])
def test_a_setting_of_a_network_that_its_weights_do_not_show_starts_anew(before, after, trained):
    play(GD=players(**before))
    trained.clear()
    play(GD=players(**after))
    assert trained and trained[0] == 0


class Tail(nn.Module):
    """A part of a network, whose code is about to be corrected."""

    def forward(self, x):
        return x


def test_a_part_of_a_network_whose_code_was_corrected_starts_anew(trained, monkeypatch):
    def G_with_tail():
        G, D = players()
        G.layers.append(Tail())
        return G, D

    play(GD=G_with_tail())
    trained.clear()

    class Corrected(Tail):
        def forward(self, x):
            return x.clamp(-0.5, 0.5)

    Corrected.__name__, Corrected.__qualname__ = "Tail", "Tail"
    monkeypatch.setitem(globals(), "Tail", Corrected)
    play(GD=G_with_tail())
    assert trained and trained[0] == 0


def halved(x):
    return x / 2


def halved_corrected(x):
    return x * 0.5


class Halving(nn.Module):
    def forward(self, x):
        return halved(x)


def test_a_function_corrected_that_a_part_of_a_network_calls_starts_anew(trained, monkeypatch):
    def with_part():
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 64), Halving(), nn.Unflatten(1, (1, 8, 8))), players()[1]

    play(GD=with_part())
    trained.clear()
    monkeypatch.setitem(globals(), "halved", halved_corrected)
    play(GD=with_part())
    assert trained and trained[0] == 0


def test_layers_that_were_exchanged_start_anew(trained):
    def sequential(last):
        torch.manual_seed(0)
        return nn.Sequential(nn.Linear(4, 64), last, nn.Unflatten(1, (1, 8, 8)))

    play(GD=(sequential(nn.Tanh()), players()[1]))
    trained.clear()
    play(GD=(sequential(nn.Hardtanh()), players()[1]))
    assert trained and trained[0] == 0


def test_a_lambda_among_other_arguments_is_known_again_in_another_kernel(tmp_path):
    """Its line alone is no Python; neither addresses nor the order of a set may be in the key."""
    file = tmp_path / "notebook.py"
    file.write_text("found = dict(a=1,\n    latent=lambda n, g: [n for _ in range(n) if n in {1, 2}], b=2)\n")
    kernels = [runpy.run_path(str(file)) for _ in range(2)]
    first, second = (code_of(kernel["found"]["latent"]) for kernel in kernels)
    assert first == second
    file.write_text(file.read_text().replace("{1, 2}", "{1, 3}"))
    linecache.checkcache()
    assert code_of(runpy.run_path(str(file))["found"]["latent"]) != first


@pytest.mark.parametrize("player", ["D", "G"])
def test_another_number_given_to_a_loss_by_partial_starts_anew(player, trained):
    def partial(weight):
        return functools.partial(weighted_D if player == "D" else weighted_G, weight=weight)

    play(**{f"loss_{player}": partial(1)})
    trained.clear()
    play(**{f"loss_{player}": partial(1)})
    assert trained == []
    play(**{f"loss_{player}": partial(2)})
    assert trained and trained[0] == 0


def weighted_D(real_logits, fake_logits, weight):
    return weight * loss_D(real_logits, fake_logits)


def weighted_G(fake_logits, weight):
    return weight * loss_G(fake_logits)


# ---- what goes wrong


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
@pytest.mark.parametrize(("player", "curve"), [("D", "discriminator loss"), ("G", "generator loss")])
def test_a_loss_that_is_not_finite_stops_and_names_the_loss_the_step_and_what_is_kept(player, curve, value):
    PLAN[player, 7] = lambda: value
    with pytest.raises(Diverged, match=rf"^{curve} is {value} at step 7: .*; the weights of step 5 are in the "
                                       r"checkpoint\.$"):
        play("averaged")
    saved = torch.load(checkpoint.path_of("game"), weights_only=True)
    assert saved["step"] == 5 and [len(saved["history"][curve]) for curve in CURVES] == [5] * 4
    assert all(torch.isfinite(weights).all() for part in ("G", "D", "average") for weights in saved[part].values())


@pytest.mark.parametrize("options", [{"save_every": 8}, {"name": None}])
def test_the_message_promises_no_weights_where_none_are_kept(options):
    PLAN["G", 7] = lambda: float("nan")
    with pytest.raises(Diverged, match=r"at step 7: training stopped\. A smaller learning rate usually helps\.$"):
        play(**options)


def test_after_a_loss_that_was_not_finite_the_game_goes_on_from_what_was_kept(undisturbed, trained):
    kind, expected = undisturbed
    PLAN["D", 8] = lambda: float("nan")
    with pytest.raises(Diverged):
        play(kind, save_every=1)
    PLAN.clear()
    trained.clear()
    assert same(play(kind), expected)
    per_step = GAMES[kind].get("nb_update_D", 1)
    assert trained[0] == 7 // per_step * per_step


# ---- the moving average


def test_the_average_is_an_exponential_moving_average_of_the_weights():
    G, D = players()
    adam, states = torch.optim.Adam(G.parameters(), 0.05), []
    adam.register_step_post_hook(lambda *_: states.append(deepcopy(G.state_dict())))
    game = train_gan(G, D, some_images()[0], 6, loss_D=loss_D, loss_G=loss_G, latent=latent, average=0.7, live=False,
                     optimiser_D=torch.optim.Adam(D.parameters()), optimiser_G=adam, batch_size=8)
    assert len(states) == 6 and same_weights(game.G, G)
    for name, value in game.average.named_parameters():
        expected = states[0][name].double()
        for state in states[1:]:
            expected = 0.7 * expected + 0.3 * state[name].double()
        torch.testing.assert_close(value.double(), expected, rtol=1e-5, atol=1e-6)
        assert not torch.equal(value, states[-1][name])


@pytest.mark.parametrize("labels", [None, torch.arange(48) % 3], ids=["unconditional", "conditional"])
def test_the_average_has_batch_norm_statistics_of_its_own(labels):
    """With the statistics of G, or averages of them, the averaged weights make grey images."""
    class Scaled(torch.nn.Module):
        """A batch norm behind a weight that grows quickly, as weights do early in a game."""

        def __init__(self):
            super().__init__()
            self.layers = torch.nn.Sequential(torch.nn.Linear(5, 64), torch.nn.BatchNorm1d(64), torch.nn.Tanh())

        def forward(self, z, *_):
            return self.layers(z.flatten(1)).view(-1, 1, 8, 8)

    class Fixed(torch.nn.Module):
        """A D that likes bright images."""

        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.ones(64))

        def forward(self, x, *_):
            return x.flatten(1) @ self.weight

    torch.manual_seed(0)
    G, D = Scaled(), Fixed()
    momentum = G.layers[1].momentum
    game = train_gan(G, D, some_images()[0], 12, loss_D=loss_D, loss_G=loss_G, average=0.99, live=False, batch_size=16,
                     latent=lambda n, generator: torch.randn(n, 5, generator=generator), labels=labels,
                     optimiser_D=torch.optim.SGD(D.parameters(), 0), optimiser_G=torch.optim.SGD(G.parameters(), 5))
    z = torch.randn(5000, 5, generator=torch.Generator().manual_seed(9))
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
    before = deepcopy(game.G.state_dict())
    for p in game.G.parameters():
        nn.init.zeros_(p)
    assert torch.equal(game.generate(20)[0], drawn)
    game.G.load_state_dict(before)
    expected = ((game.average(game.latents) + 1) * 127.5).round().clamp(0, 255).byte()
    assert step == STEPS and torch.equal(last, expected)


@pytest.mark.parametrize("kind", GAMES)
def test_all_networks_are_in_eval_mode_when_the_game_is_over(kind):
    game = play(kind, picture_every=0)
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

    def forward(self, z, *y):
        images = super().forward(z, *y) * 0
        images[:, 0, 0, :4] = z.tanh()
        images[:, 0, -1, -1] = y[0] / 10
        return images + 0 * self.layers[0].weight.sum()


def test_in_the_picture_of_a_conditional_game_a_row_shares_its_label_and_a_column_its_latent():
    torch.manual_seed(0)
    game = play("conditional", GD=(LabelAndLatent(CLASSES), Critic(CLASSES)), steps=1)
    _, picture = game.history["pictures"][0]
    assert picture.shape == (CLASSES * COLUMNS, 1, 8, 8)
    grid = picture.view(CLASSES, COLUMNS, 8, 8)
    assert (grid[..., -1, -1] == ((torch.arange(CLASSES) / 10 + 1) * 127.5).round()[:, None]).all()
    assert (grid[:, :, 0, :4] == grid[:1, :, 0, :4]).all()
    assert len(grid[0, :, 0, :4].unique(dim=0)) == COLUMNS
    assert game.labels.tolist() == [label for label in range(CLASSES) for _ in range(COLUMNS)]


def test_generate_gives_all_classes_in_turn_or_the_labels_asked_for():
    torch.manual_seed(0)
    game = play("conditional", GD=(LabelAndLatent(CLASSES), Critic(CLASSES)), steps=1)
    images, labels = game.generate(7)
    assert labels.tolist() == [0, 1, 2, 0, 1, 2, 0] and labels.dtype == torch.int64
    assert images[:, 0, -1, -1].tolist() == [128, 140, 153, 128, 140, 153, 128]
    images, labels = game.generate(4, labels=torch.tensor([2, 2, 0, 1]))
    assert labels.tolist() == [2, 2, 0, 1]
    assert images[:, 0, -1, -1].tolist() == [153, 153, 128, 140]


@pytest.mark.parametrize("kind", ["averaged", "conditional"])
def test_generated_images_depend_on_the_seed_and_not_on_the_others_in_the_batch(kind):
    game = play(kind)
    images, labels = game.generate(1030, seed=4)  # more than two parts
    assert images.shape == (1030, 1, 8, 8) and images.dtype == torch.uint8 and images.device.type == "cpu"
    assert (labels is None) == (kind == "averaged")
    torch.rand(3)
    assert torch.equal(game.generate(1030, seed=4)[0], images)
    assert not torch.equal(game.generate(1030, seed=5)[0], images)
    z = latent(1030, torch.Generator().manual_seed(4 + FRESH))
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


@pytest.mark.parametrize("options", [{}, {"save_every": 100}, {"picture_every": 0}, {"kind": "conditional"}])
def test_the_live_figure_has_titles_and_labels_from_the_first_to_the_last_step(options, drawn):
    game = play(**options, live=True)
    losses, probabilities, picture = drawn[-1].axes
    for axis in (losses, probabilities):
        assert axis.get_title() and axis.get_xlabel() == "step" and axis.get_ylabel()
        assert len(axis.get_legend().get_texts()) == 2
    if pictures := game.history["pictures"]:
        assert picture.get_title() == f"fixed latents, step {STEPS}"
        assert picture.images[0].get_array().shape == tuple(show.mosaic(pictures[-1][1]).shape[1:])


def test_a_loss_that_is_not_finite_at_once_is_named_also_where_there_is_a_live_figure(drawn):
    PLAN["D", 1] = lambda: float("nan")
    with pytest.raises(Diverged, match="discriminator loss is nan at step 1"):
        play(live=True)


@pytest.mark.parametrize("options", [{"conditional": True}, {"average": 0.9}])
def test_live_or_not_the_game_is_the_same(options, drawn):
    assert same(play(**options, name=None, live=True), play(**options, name=None))


@pytest.mark.parametrize(("change", "message"), [
    ({"images": torch.zeros(20, 1, 8, 8)}, r"images must be a uint8 tensor .* not torch\.float32 \[20, 1, 8, 8\]"),
    ({"images": torch.zeros(0, 1, 8, 8, dtype=torch.uint8)}, "images must be"),
    ({"images": [1, 2]}, "not list"),
    ({"labels": torch.zeros(19, dtype=torch.int64)}, r"labels must be an int64 tensor \[20\].* not torch.int64 \[19\]"),
    ({"labels": torch.zeros(20)}, "labels must be"),
    ({"labels": torch.full((20,), -1)}, "from 0 on"),
    ({"labels": [0] * 20}, "not list"),
    ({"nb_update_D": 0}, "nb_update_D=0, nb_update_G=1"),
    ({"nb_update_G": 0}, "nb_update_D=1, nb_update_G=0"),
])
def test_bad_input_is_refused_before_anything_happens(change, message):
    options = {"images": torch.zeros(20, 1, 8, 8, dtype=torch.uint8)} | change
    with pytest.raises(ValueError, match=message):
        train_gan(None, None, options.pop("images"), 1, loss_D=None, loss_G=None, optimiser_D=None, optimiser_G=None,
                  latent=None, **options)


def test_labels_for_another_number_of_images_are_refused():
    with pytest.raises(ValueError, match="2 labels for 3 images"):
        play("conditional").generate(3, labels=torch.zeros(2, dtype=torch.int64))


def test_weights_that_were_frozen_before_stay_frozen():
    D = torch.nn.Linear(3, 1)
    D.bias.requires_grad_(False)
    with frozen(D):
        assert not D.weight.requires_grad
    assert D.weight.requires_grad and not D.bias.requires_grad


# ---- terms beside the losses, and a discriminator of K classes


def test_terms_are_added_to_the_losses():
    def more(x, fake, z):
        return torch.tensor(2.0)

    plain, with_terms = play(name=None), play(name=None, term_D=more, term_G=more)
    for curve in ("discriminator loss", "generator loss"):
        assert with_terms.history[curve] == pytest.approx([value + 2 for value in plain.history[curve]], rel=1e-5)
    assert same_weights(plain.G, with_terms.G) and same_weights(plain.D, with_terms.D)


def test_a_term_sees_the_turn_and_its_gradient_counts():
    seen = []

    def of_D(x, fake, z):
        seen.append((x.shape, fake.shape, z.shape, fake.requires_grad, float(x.min()) >= -1 and float(x.max()) <= 1))
        return torch.zeros(())

    def of_G(x, fake, z):
        seen.append(fake.requires_grad)
        return 100 * fake.pow(2).mean()

    grey = play(name=None, term_D=of_D, term_G=of_G, nb_update_G=2)
    shape = torch.Size([8, 1, 8, 8])
    assert seen[:3] == [(shape, shape, torch.Size([8, 4]), False, True), True, True]
    assert images_spread(grey) < 0.7 * images_spread(play(name=None, nb_update_G=2))


def images_spread(game):
    return (game.generate(50)[0].float() / 127.5 - 1).abs().mean()


def test_a_run_with_another_term_is_another_run(capsys):
    def one(x, fake, z):
        return fake.mean()

    def two(x, fake, z):
        return -fake.mean()

    play(term_D=one)
    capsys.readouterr()
    for options, loaded in (({"term_D": one}, True), ({"term_D": two}, False), ({"term_G": two}, False), ({}, False)):
        play(**options)
        assert ("loaded from the cache" in capsys.readouterr().out) == loaded


def test_a_discriminator_of_classes_gives_the_probability_of_all_of_them_together():
    logits = torch.tensor([[0.0, 1.0, -2.0], [3.0, 0.0, 0.0]])
    expected = logits.exp().sum(1) / (1 + logits.exp().sum(1))
    assert torch.allclose(probability(logits), expected) and torch.allclose(probability(logits[:, 0]),
                                                                            logits[:, 0].sigmoid())
