"""Games that are stopped go on bit for bit, finished ones are loaded, and others are never taken for them."""

import os
import signal
import subprocess
import sys
from copy import deepcopy

import pytest
import small_games
import torch
from small_games import KINDS, STEPS, adam, play, players, same, same_weights, some_images
from torch import nn

from tp_utils.training import Diverged, checkpoint, engine

CURVES = ("D", "G", "D(x)", "D(G(z))")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU; nothing happens."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")
    monkeypatch.delenv("HAPPENS", raising=False)
    monkeypatch.delenv("DIVERGES", raising=False)


@pytest.fixture
def steps_done(monkeypatch):
    """The steps that were trained, one by one."""
    done, real = [], engine.batch_indices

    def counting(count, batch_size, step, seed):
        done.append(step + 1)
        return real(count, batch_size, step, seed)

    monkeypatch.setattr(engine, "batch_indices", counting)
    return done


@pytest.fixture(scope="module", params=KINDS)
def undisturbed(request):
    """(kind of the game, it from beginning to end)."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TP_DEVICE", "cpu")
        return request.param, play(request.param, name=None)


def play_and_die(folder):
    """Each kind in a process of its own that is killed in the 8th step, when D has moved and G has not yet."""
    for number, kind in enumerate(KINDS):
        if os.fork() == 0:
            os.environ.update(TP_CACHE=os.path.join(folder, str(number)), HAPPENS="kill 8")
            play(kind)
            os._exit(0)
        print(kind, os.waitstatus_to_exitcode(os.wait()[1]), file=sys.stderr)


@pytest.fixture(scope="module")
def graveyard(tmp_path_factory):
    """A folder with the caches of killed games, 0, 1, 2 … in the order of KINDS."""
    folder, tests = tmp_path_factory.mktemp("killed"), os.path.dirname(__file__)
    done = subprocess.run([sys.executable, "-c", f"import test_game_runs as t; t.play_and_die({str(folder)!r})"],
                          cwd=tests, env={**os.environ, "PYTHONPATH": os.path.dirname(tests), "TP_DEVICE": "cpu"},
                          timeout=300, capture_output=True, text=True)
    assert done.stderr.splitlines() == [f"{kind} {-signal.SIGKILL}" for kind in KINDS]
    return folder


# ---- whatever stops it: the same weights in the end


def test_a_killed_game_goes_on_to_the_weights_pictures_and_history_of_an_undisturbed_one(
        undisturbed, graveyard, steps_done, monkeypatch, capsys):
    kind, expected = undisturbed
    monkeypatch.setenv("TP_CACHE", str(graveyard / str(list(KINDS).index(kind))))
    assert same(play(kind), expected)
    assert steps_done == list(range(6, STEPS + 1))  # killed in step 8, last saved at step 5
    assert f"game: goes on from step 5 of {STEPS}." in capsys.readouterr().out


def test_an_interrupted_game_returns_what_it_has_and_then_goes_on(undisturbed, steps_done, monkeypatch, capsys):
    kind, expected = undisturbed
    before = signal.getsignal(signal.SIGINT)
    monkeypatch.setenv("HAPPENS", "stop 8")
    game = play(kind)
    assert signal.getsignal(signal.SIGINT) is before
    assert game.run.step == 8 and [len(game.history[curve]) for curve in CURVES] == [8] * 4
    assert not game.G.training and not game.D.training
    assert f"Interrupted at step 8 of {STEPS}" in capsys.readouterr().out
    assert game.generate(3)[0].shape == (3, 1, 8, 8)
    torch.rand(7)  # the randomness of the rest of the notebook does not matter
    assert same(play(kind), expected)
    assert len(steps_done) >= STEPS and steps_done[-1] == STEPS
    assert f"game: goes on from step 8 of {STEPS}." in capsys.readouterr().out


def test_drawing_pictures_changes_nothing_that_is_computed(undisturbed):
    kind, expected = undisturbed
    game = play(kind, name=None, picture_every=1000)
    assert [step for step, _ in game.history["pictures"]] == [1, STEPS]
    assert all(same_weights(getattr(game, part), getattr(expected, part)) for part in ("G", "D", "average"))


# ---- a finished game


def test_a_finished_game_is_loaded_without_training(undisturbed, steps_done, capsys):
    kind, expected = undisturbed
    play(kind)
    steps_done.clear()
    again = play(kind)
    assert steps_done == []
    assert same(again, expected)
    assert not again.G.training and not again.D.training and not again.average.training
    assert torch.equal(again.generate(12, seed=3)[0], expected.generate(12, seed=3)[0])
    assert f"game: {STEPS} steps trained before, loaded from the cache." in capsys.readouterr().out


def other_latents(n, generator):
    return 2 * torch.rand(n, 4, generator=generator) - 1


class Corrected(small_games.Painter):
    def forward(self, z, y=None):
        return super().forward(z, y) * 0.5


class Other(small_games.Judge):
    def forward(self, x, y=None):
        return super().forward(x, y) - 1


def initial(G=small_games.Painter, D=small_games.Judge, change=lambda G: None):
    """Players of these classes with the weights that players() draws."""
    old, new = players(), (G(), D())
    for one, other in zip(old, new, strict=True):
        other.load_state_dict(one.state_dict())
    change(new[0])
    return new


def rates(lr_G, lr_D):
    return lambda network: adam(network, lr_G if isinstance(network, small_games.Painter) else lr_D)


OTHERS = {
    "steps": lambda: {"steps": STEPS - 1},
    "seed": lambda: {"seed": 1},
    "batch size": lambda: {"batch_size": 12},
    "images": lambda: {"images": (some_images(seed=1)[0], some_images()[1])},
    "latent": lambda: {"latent": other_latents},
    "updates of D": lambda: {"nb_update_D": 2},
    "updates of G": lambda: {"nb_update_G": 2},
    "average": lambda: {"average": 0.9},
    "how often pictures are taken": lambda: {"picture_every": 3},
    "learning rate of D": lambda: {"make": rates(0.01, 0.02)},
    "learning rate of G": lambda: {"make": rates(0.02, 0.01)},
    "optimiser": lambda: {"make": lambda network: torch.optim.SGD(network.parameters(), 0.01)},
    "weights": lambda: {"GD": players(seed=2)},
    "dropout": lambda: {"GD": players(dropout=0.1)},
    "code of G": lambda: {"GD": initial(Corrected)},
    "code of D": lambda: {"GD": initial(D=Other)},
    "a layer exchanged": lambda: {"GD": initial(change=lambda G: G.layers.__setitem__(-1, nn.Hardtanh()))},
    "a labels' order": lambda: {"kind": "conditional", "images": (some_images()[0], some_images()[1].roll(1))},
    "another average": lambda: {"kind": "averaged", "average": 0.8},
}


@pytest.mark.parametrize("other", OTHERS)
def test_another_game_starts_anew(other, steps_done):
    change = OTHERS[other]()
    play(change.get("kind", "plain"))
    steps_done.clear()
    play(**change)
    assert steps_done and steps_done[0] == 1


def test_the_very_same_players_do_not_start_anew(steps_done):
    play(GD=initial())
    steps_done.clear()
    play()
    assert steps_done == []


class Tail(nn.Module):
    """A part of a network, whose code is about to be corrected, and which calls a function."""

    def forward(self, x):
        return halved(x)


def halved(x):
    return x / 2


class CorrectedTail(nn.Module):
    def forward(self, x):
        return halved(x).clamp(-0.5, 0.5)


CorrectedTail.__name__ = CorrectedTail.__qualname__ = "Tail"


@pytest.mark.parametrize(("name", "corrected"), [("Tail", CorrectedTail), ("halved", lambda x: x * 0.5)])
def test_a_part_of_a_network_that_was_corrected_starts_anew(name, corrected, steps_done, monkeypatch):
    def with_tail():
        return initial(change=lambda G: G.layers.append(globals()["Tail"]()))

    play(GD=with_tail())
    play(GD=with_tail())
    assert len(steps_done) == STEPS
    steps_done.clear()
    monkeypatch.setitem(globals(), name, corrected)
    play(GD=with_tail())
    assert steps_done and steps_done[0] == 1


# ---- what goes wrong


@pytest.mark.parametrize("value", ["inf", "nan"])
@pytest.mark.parametrize("curve", ["D", "G"])
def test_a_loss_that_is_not_finite_stops_and_names_the_curve_the_step_and_what_is_kept(curve, value, monkeypatch):
    monkeypatch.setenv("DIVERGES", f"{curve} {value} 7")
    with pytest.raises(Diverged, match=rf"^{curve} is {value} at step 7: .*; the weights of step 5 are in the "
                                       r"checkpoint\.$"):
        play("averaged")
    saved = torch.load(checkpoint.path_of("game"), weights_only=True)
    assert saved["step"] == 5 and [len(saved["history"][curve]) for curve in CURVES] == [5] * 4
    assert {"network G", "network D", "after"} <= saved["parts"].keys()
    assert all(torch.isfinite(weights).all() for part in ("network G", "network D", "after")
               for weights in deepcopy(saved["parts"][part]).values())


def test_after_a_loss_that_was_not_finite_the_game_goes_on_from_what_was_kept(undisturbed, steps_done, monkeypatch):
    kind, expected = undisturbed
    monkeypatch.setenv("DIVERGES", "D nan 8")
    with pytest.raises(Diverged):
        play(kind, save_every=1)
    monkeypatch.delenv("DIVERGES")
    steps_done.clear()
    assert same(play(kind), expected)
    assert steps_done[0] == 8
