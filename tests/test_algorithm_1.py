"""The reference's Algorithm 1 in tp.Game: the usual loop's very weights, the updates asked for, each image once."""

from collections import Counter
from copy import deepcopy

import pytest
import torch
from small_games import adam, play, players, some_images
from small_runs import latents
from torch.nn import functional as F

import tp_utils as tp
from tp_utils.training.engine import batch_indices


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache, the CPU."""
    monkeypatch.setenv("TP_CACHE", str(tmp_path))
    monkeypatch.setenv("TP_DEVICE", "cpu")


def usual_loop(G, D, images, labels, steps, nb_update_D, nb_update_G, batch_size=8):
    """Algorithm 1 as it is usually written, with two passes of G: the losses of D and of G in each step."""
    adam_D, adam_G, losses = adam(D), adam(G), {"D": [], "G": []}
    for step in range(steps):
        generator = torch.manual_seed(step)
        for k in range(nb_update_D):
            chosen = batch_indices(len(images), batch_size, nb_update_D * step + k, seed=0)
            x, y = images[chosen].float() / 127.5 - 1, () if labels is None else (labels[chosen],)
            z = latents(batch_size, generator)
            real, fake = D(x, *y), D(G(z, *y).detach(), *y)
            loss_D = (F.binary_cross_entropy_with_logits(real, torch.ones(batch_size))
                      + F.binary_cross_entropy_with_logits(fake, torch.zeros(batch_size)))
            adam_D.zero_grad()
            loss_D.backward()
            adam_D.step()
        for k in range(nb_update_G):
            z = latents(batch_size, generator) if k else z
            loss_G = F.binary_cross_entropy_with_logits(D(G(z, *y), *y), torch.ones(batch_size))
            adam_G.zero_grad()
            loss_G.backward()
            adam_G.step()
        losses["D"].append(loss_D.item())
        losses["G"].append(loss_G.item())
    return losses


@pytest.mark.parametrize(("kind", "nb_update_D", "nb_update_G"), [
    ("plain", 1, 1), ("plain", 3, 2), ("plain", 1, 3), ("conditional", 1, 1)])
def test_a_game_has_the_very_weights_of_the_usual_loop(kind, nb_update_D, nb_update_G):
    images, labels = some_images()
    G, D = players(kind == "conditional")
    game = play(kind, GD=deepcopy((G, D)), nb_update_D=nb_update_D, nb_update_G=nb_update_G, steps=8)
    losses = usual_loop(G, D, images, labels if kind == "conditional" else None, 8, nb_update_D, nb_update_G)
    assert {curve: game.history[curve] for curve in losses} == losses
    for network, expected in ((game.G, G), (game.D, D)):
        assert all(map(torch.equal, network.parameters(), expected.parameters()))


@pytest.mark.parametrize(("nb_update_D", "nb_update_G", "passes"), [(1, 1, 1), (3, 1, 3), (1, 2, 2), (3, 2, 4)])
def test_updates_and_passes_of_the_generator_are_as_many_as_asked_for(nb_update_D, nb_update_G, passes):
    counts, (G, D) = Counter(), players()
    optimisers = {"G": adam(G), "D": adam(D)}
    for name, network in (("G", G), ("D", D)):
        network.register_forward_hook(lambda network, *_, name=name: counts.update(
            [f"passes of {name}"] if network.training else []))
        optimisers[name].register_step_post_hook(lambda *_, name=name: counts.update([f"updates of {name}"]))
    play(GD=(G, D), optimisers=optimisers, nb_update_D=nb_update_D, nb_update_G=nb_update_G, steps=5, name=None)
    assert counts == {"updates of D": 5 * nb_update_D, "updates of G": 5 * nb_update_G, "passes of G": 5 * passes,
                      "passes of D": 5 * (2 * nb_update_D + nb_update_G)}


def shown_to(network):
    """A list that will hold the inputs of every pass of a network."""
    inputs = []
    network.register_forward_pre_hook(lambda _, given: inputs.append([part.detach().clone() for part in given]))
    return inputs


def numbered_images():
    """Images whose first pixel is their number, and their labels."""
    images, labels = some_images()
    images[:, 0, 0, 0] = torch.arange(len(images))
    return images, labels


def expect_epoch(real, images):
    """The numbers of the images that D was shown, each once, between −1 and 1."""
    pixels = torch.cat([x for x, *_ in real])
    numbers = ((pixels[:, 0, 0, 0] + 1) * 127.5).round().long()
    assert sorted(numbers.tolist()) == list(range(len(images)))
    torch.testing.assert_close(pixels, images[numbers] / 127.5 - 1)
    return numbers


def test_each_update_of_d_has_images_of_its_own_and_each_image_comes_once_in_an_epoch():
    images, labels = numbered_images()
    G, D = players()
    to_D = shown_to(D)
    play(GD=(G, D), images=(images, labels), nb_update_D=2, steps=3, name=None)  # 6 batches of 8: one epoch
    assert len(to_D) == 15
    expect_epoch([given for number, given in enumerate(to_D) if number % 5 in (0, 2)], images)  # real, fake twice; fake


def test_in_a_conditional_game_all_see_the_labels_of_the_real_images():
    images, labels = numbered_images()
    G, D = players(conditional=True)
    to_D, to_G = shown_to(D), shown_to(G)
    play("conditional", GD=(G, D), images=(images, labels), steps=6, picture_every=100, name=None)
    assert len(to_D) == 18
    numbers = expect_epoch(to_D[::3], images)
    assert torch.equal(torch.cat([y for _, y in to_D[::3]]), labels[numbers])
    asked = [y for z, y in to_G if len(z) == 8]  # not those of the pictures
    for (_, y), (_, beside_fake), (_, in_Gs_turn), of_G in zip(to_D[::3], to_D[1::3], to_D[2::3], asked, strict=True):
        assert torch.equal(beside_fake, y) and torch.equal(in_Gs_turn, y) and torch.equal(of_G, y)


def test_each_player_moves_in_its_own_turn_only():
    G, D = players()
    optimisers, moves, last = {"G": adam(G), "D": adam(D)}, [], {}

    def before(name):
        last["weights"] = deepcopy([list(G.parameters()), list(D.parameters())])
        gradients = [weight.grad.clone() for weight in D.parameters()]
        if name == "G":  # in G's turn none was computed for D
            assert all(map(torch.equal, gradients, last["gradients"]))
        last["gradients"] = gradients

    def after(name):
        moves.append((name, *(any(not torch.equal(new, old) for new, old in zip(player.parameters(), weights,
                                                                                strict=True))
                              for player, weights in zip((G, D), last["weights"], strict=True))))

    for name, optimiser in optimisers.items():
        optimiser.register_step_pre_hook(lambda *_, name=name: before(name))
        optimiser.register_step_post_hook(lambda *_, name=name: after(name))
    play(GD=(G, D), optimisers=optimisers, nb_update_D=2, nb_update_G=2, steps=2, name=None)
    assert moves == 2 * [*2 * [("D", False, True)], *2 * [("G", True, False)]]


# ---- tp.frozen


def test_the_discriminator_can_learn_again_after_the_game_and_after_an_error_in_gs_turn():
    G, D = players()
    play(GD=(G, D), steps=2, name=None)
    assert all(weight.requires_grad for weight in D.parameters())
    seen = []

    def broken(*_):
        seen.extend(weight.requires_grad for weight in D.parameters())
        raise RuntimeError("broken")

    optimisers = {"G": adam(G), "D": adam(D)}
    optimisers["G"].register_step_pre_hook(broken)
    with pytest.raises(RuntimeError, match="broken"):
        play(GD=(G, D), optimisers=optimisers, name=None)
    assert seen and not any(seen)
    assert all(weight.requires_grad for weight in D.parameters())


def test_weights_that_were_frozen_before_stay_frozen():
    D = torch.nn.Linear(3, 1)
    D.bias.requires_grad_(False)
    x = torch.ones(2, 3, requires_grad=True)
    with tp.frozen(D) as same:
        assert same is D and not D.weight.requires_grad
        D(x).sum().backward()
    assert D.weight.requires_grad and not D.bias.requires_grad
    assert D.weight.grad is None and torch.equal(x.grad, D.weight.detach().expand(2, 3))


# ---- what it is for


def learnt(greys):
    """(images drawn, their labels) by a game with flat images of these greys; the greys are labels if several."""
    images = torch.tensor(greys, dtype=torch.uint8).repeat(16).view(-1, 1, 1, 1).expand(-1, 1, 8, 8)
    conditional = len(greys) > 1
    game = play("conditional" if conditional else "plain", GD=players(conditional, dropout=0), average=0.95,
                images=(images, torch.arange(len(greys)).repeat(16)), steps=400, batch_size=32, name=None,
                make=lambda network: torch.optim.Adam(network.parameters(), 0.005, betas=(0.5, 0.99)))
    return game.generate(100)


def test_a_small_game_comes_close_to_the_image_there_is():
    drawn, _ = learnt([230])
    assert abs(drawn.float().mean() - 230) < 45  # of 102 before


def test_a_small_conditional_game_draws_each_class_as_it_is():
    drawn, labels = learnt([40, 210])
    for label, grey in enumerate([40, 210]):
        assert abs(drawn[labels == label].float().mean() - grey) < 45
