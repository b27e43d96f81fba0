"""Exercise 9.10: one step of Algorithm 1. Who was updated, on what and in which order is noted, and played again."""

import torch

from ..kit.compare import NO_RETURN, Wrong, compare, describe, same
from ..kit.games import BATCH, ONE_BATCH, UNREACHED_G, game
from ..kit.losses import loss_of_D, loss_of_G
from ..kit.networks import normal
from ..kit.steps import ATTACHED, EVAL, NUMBER, RATE, exact, expect_as_before, networks, weights

# What is said to the reader.
ORDER = "D comes first: all its updates, then those of G"
NO_UPDATE = "{name} makes no update: call {name}'s step, with optimiser_{name}"
EXCHANGED = "the two numbers are exchanged: nb_update_D is D's, nb_update_G is G's"
IGNORED = "nb_update_{name} is the number of {name}'s updates: write a loop over it"
COUNT = "nb_update_{name} is the number of {name}'s updates, no more and no less"
BATCHES = "each update of D has real images of its own: call batch() once in each, and nowhere else"
NO_REAL = "D does not see the images of batch() as they are"
NO_FAKE = "{name}'s update is to be made on images of G: G(latent())"
SAME_IMAGES = "two updates of D see the same real images: use each batch once"
SAME_LATENTS = "two updates of D see images of the same latents: call latent() in each, and G anew"
SAME_LATENTS_G = "G has moved since these images were made: from its second update on, G(latent()) anew"
OWN_LATENTS = "the latents of G are those that latent() gives"
OTHER_UPDATE = "an update of {name} is another one: it is {step} of what has just been made, once"
STEPS = {"D": "discriminator_step(D, batch(), fake, optimiser_D)", "G": "generator_step(D, fake, optimiser_G)"}
PAIR = "return two losses: loss of D, loss of G"
FIRST = "that is the loss of the first update: return that of the last one"
ALL = "that is made of all updates: return the loss of the last one"
PLACES = "the losses have changed places: first that of D, then that of G"


def check_9_10(answer):
    """nb_update_D times: fake = G(latent()), loss_D = discriminator_step(D, batch(), fake, optimiser_D). Then
    nb_update_G times: loss_G = generator_step(D, fake, optimiser_G), from the second time on with fake = G(latent())
    anew. Return loss_D, loss_G"""
    for updates in ({}, {"nb_update_D": 3}, {"nb_update_G": 2}, {"nb_update_D": 2, "nb_update_G": 3}):
        expect_algorithm(answer, **updates)


def expect_algorithm(answer, **updates):
    """One step with these numbers of updates."""
    notes = Notes()
    found = answer(notes.stage.D, notes.stage.G, *notes.optimisers(), notes.batch, notes.latent, **updates)
    counts = {"D": 1, "G": 1} | {name[-1]: count for name, count in updates.items()}
    expect_turns("".join(name for name, _ in notes.turns), counts)
    if notes.batches != counts["D"]:
        raise Wrong(f"{counts['D']} call(s) of batch()", f"{notes.batches}", BATCHES)
    right = exact(game())
    losses = play(right, notes.moves())
    for name, network in networks(notes.stage).items():
        expect_weights(name, network, getattr(right, name))
    expect_losses(found, losses)
    expect_as_before(notes.stage)


def expect_weights(name, network, right):
    """Raise Wrong unless a player, in train mode, has moved as its copy in float64."""
    if not all(training for _, training in network.seen):
        raise Wrong(f"{name} in train mode", "eval mode", EVAL.format(name=name))
    start = weights(getattr(game(), name))
    moved, expected = weights(network) - start, weights(right) - start
    if not same(moved, expected, 1e-3):
        hint = OTHER_UPDATE.format(name=name, step=STEPS[name]) if name == "D" or moved.any() else UNREACHED_G
        raise Wrong(f"a move of {name} along {describe(expected.float())}", describe(moved.float()), hint)


class Notes:
    """A game whose images and latents are new at each call, and what happens in it.

    turns:  [("D" or "G", the inputs that D has got since the update before)], one for each step of an optimiser
    """

    def __init__(self):
        self.stage, self.batches, self.latents, self.turns, self.made = game(), 0, 0, [], []
        self.stage.G.register_forward_hook(self.note_images)

    def batch(self):
        self.batches += 1
        return images(self.batches - 1)

    def latent(self):
        self.latents += 1
        return latents(self.latents - 1)

    def note_images(self, G, inputs, images):
        z = next((k for k in range(self.latents) if same(inputs[0], latents(k))), None)
        if z is None:
            raise Wrong("latents of latent()", "others", OWN_LATENTS)
        self.made.append((z, images.detach().clone()))

    def optimisers(self):
        """SGD for D and for G, whose steps are noted."""
        for name in ("D", "G"):
            optimiser = torch.optim.SGD(getattr(self.stage, name).parameters(), RATE)
            optimiser.register_step_pre_hook(lambda *_, name=name: self.note_turn(name))
            yield optimiser

    def note_turn(self, name):
        done = sum(len(inputs) for _, inputs in self.turns)
        self.turns.append((name, [given for (given,), _ in self.stage.D.seen[done:]]))

    def moves(self):
        """[(player, number of its real images or None, of its latents)]. Raises Wrong if one is missing or used twice.

        The first update of G may judge images that D has judged before.
        """
        moves = []
        for name, inputs in self.turns:
            if any(len(given) > BATCH for given in inputs):
                raise Wrong("real and generated images as two batches", "D called with both together", ONE_BATCH)
            x = first(k for given in inputs for k in range(self.batches) if same(given, images(k)))
            z = first(z for given in inputs for z, made in self.made if same(given, made))
            if name == "D" and x is None:
                raise Wrong("real images in each update of D", "an update without", NO_REAL)
            if z is None:
                raise Wrong(f"images of G in each update of {name}", "an update without", NO_FAKE.format(name=name))
            if name == "D" and x in [other for player, other, _ in moves if player == "D"]:
                raise Wrong("other real images in each update of D", "the same again", SAME_IMAGES)
            if z in [other for _, _, other in moves] and (name == "D" or moves[-1][0] == "G"):
                raise Wrong(f"other latents in each update of {name}", "the same again",
                            SAME_LATENTS if name == "D" else SAME_LATENTS_G)
            moves.append((name, x, z))
        return moves


def first(numbers):
    return next(numbers, None)


def images(k):
    """What the k-th call of batch() gives."""
    return normal(BATCH, 1, 3, 4, seed=100 + k)


def latents(k):
    """What the k-th call of latent() gives."""
    return normal(BATCH, 4, 1, 1, seed=200 + k)


def expect_turns(turns, counts):
    """turns: who made an update, e.g. "DDG"; counts: {player: updates it should make}."""
    expected = f"{counts['D']} update(s) of D, then {counts['G']} of G"
    found = "then ".join(f"{name} " for name in turns).strip() or "no update"
    if "GD" in turns:
        raise Wrong(expected, found, ORDER)
    made = {name: turns.count(name) for name in counts}
    exchanged = list(made.values()) == list(counts.values())[::-1]
    for name, count in counts.items():
        if made[name] != count:
            hint = NO_UPDATE if not made[name] else EXCHANGED if exchanged else IGNORED if made[name] == 1 else COUNT
            raise Wrong(expected, found, hint.format(name=name))


def play(stage, moves):
    """{player: [the loss of each of its updates]}, played on a stage in float64."""
    losses, optimisers = {"D": [], "G": []}, {name: torch.optim.SGD(getattr(stage, name).parameters(), RATE)
                                              for name in ("D", "G")}
    for name, x, z in moves:
        fake = stage.G(exact(latents(z)))
        loss = loss_of_G(stage.D(fake)) if name == "G" else loss_of_D(stage.D(exact(images(x))), stage.D(fake.detach()))
        optimisers[name].zero_grad()
        loss.backward()
        optimisers[name].step()
        losses[name].append(loss.detach())
    return losses


def expect_losses(found, losses):
    """Raise Wrong unless the losses of the last updates were returned, (D's, G's)."""
    if not isinstance(found, tuple | list) or len(found) != 2:
        raise Wrong("two losses", describe(found), NO_RETURN if found is None else PAIR)
    for one, (name, values), other in zip(found, losses.items(), ("G", "D"), strict=True):
        if isinstance(one, float):
            raise Wrong(f"the loss of {name}, a tensor", describe(one), NUMBER)
        compare(one, values[-1].float(), [
            (losses[other][-1], PLACES), (values[0], FIRST), (torch.stack(values).mean(), ALL), (sum(values), ALL),
            (torch.stack(values), ALL),
        ], dtype=torch.float32)
        if one.requires_grad:
            raise Wrong(f"the loss of {name} without gradient", "requires_grad=True", ATTACHED)
