"""Answers to exercise 9.10, a step of Algorithm 1: right ones and typical mistakes, each with a piece of its hint."""

import torch

from ..game_steps import both, d_step, d_step_in_one_batch, g_step, ones
from ..game_steps.common import same, to_eval

step_of_D, step_of_G = d_step(), g_step()


def algorithm(update_D=step_of_D, update_G=step_of_G, result=lambda D, G: (D[-1], G[-1]),
              counts=lambda nb_update_D, nb_update_G: (nb_update_D, nb_update_G), at_the_end=lambda D, G: None):
    """Latents of its own for each update. result: from the lists of losses of D and of G."""
    def algorithm_1(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
        count_D, count_G = counts(nb_update_D, nb_update_G)
        losses_D = [update_D(D, batch(), G(latent()), optimiser_D) for _ in range(count_D)]
        losses_G = [update_G(D, G(latent()), optimiser_G) for _ in range(count_G)]
        at_the_end(D, G)
        return result(losses_D, losses_G)

    return algorithm_1


# ---- right


def shares_the_last_images(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_D):
        fake = G(latent())
        loss_D = step_of_D(D, batch(), fake, optimiser_D)
    loss_G = step_of_G(D, fake, optimiser_G)
    for _ in range(nb_update_G - 1):
        loss_G = step_of_G(D, G(latent()), optimiser_G)
    return loss_D, loss_G


def inlined(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    """All written out, the images and latents drawn beforehand, two passes of G."""
    x, z = [batch() for _ in range(nb_update_D)], [latent() for _ in range(nb_update_D + nb_update_G)]
    for k in range(nb_update_D):
        with torch.no_grad():
            fake = G(z[k])
        optimiser_D.zero_grad()
        loss_D = both(D(x[k]), D(fake))
        loss_D.backward()
        optimiser_D.step()
    for k in range(nb_update_G):
        loss_G = ones(D(G(z[nb_update_D + k])))
        optimiser_G.zero_grad()
        loss_G.backward()
        optimiser_G.step()
    return [loss_D.detach(), loss_G.detach()]


def second_pass_of_the_last_latents(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    while nb_update_D:
        z, nb_update_D = latent(), nb_update_D - 1
        loss_D = step_of_D(D, batch(), G(z), optimiser_D)
    for k in range(nb_update_G):
        loss_G = step_of_G(D, G(latent() if k else z), optimiser_G)
    return loss_D, loss_G


# ---- wrong


def g_first(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_G):
        loss_G = step_of_G(D, G(latent()), optimiser_G)
    for _ in range(nb_update_D):
        loss_D = step_of_D(D, batch(), G(latent()), optimiser_D)
    return loss_D, loss_G


def in_turns(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for k in range(max(nb_update_D, nb_update_G)):
        if k < nb_update_D:
            loss_D = step_of_D(D, batch(), G(latent()), optimiser_D)
        if k < nb_update_G:
            loss_G = step_of_G(D, G(latent()), optimiser_G)
    return loss_D, loss_G


def nested(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_D):
        loss_D = step_of_D(D, batch(), G(latent()), optimiser_D)
        for _ in range(nb_update_G):
            loss_G = step_of_G(D, G(latent()), optimiser_G)
    return loss_D, loss_G


def drawn_before(x=True, z=True):
    """One batch, or one set of latents, for all updates of D."""
    def algorithm_1(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
        images, latents = batch(), latent()
        for k in range(nb_update_D):
            images, latents = (old if kept or k == 0 else new() for old, kept, new in
                               ((images, x, batch), (latents, z, latent)))
            loss_D = step_of_D(D, images, G(latents), optimiser_D)
        for _ in range(nb_update_G):
            loss_G = step_of_G(D, G(latent()), optimiser_G)
        return loss_D, loss_G

    return algorithm_1


def same_fake_for_D(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    fake = G(latent())
    for _ in range(nb_update_D):
        loss_D = step_of_D(D, batch(), fake, optimiser_D)
    for k in range(nb_update_G):
        fake = G(latent()) if k else fake
        loss_G = step_of_G(D, fake, optimiser_G)
    return loss_D, loss_G


def drops_batches(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    """Draws enough, uses the first."""
    x, *_ = [batch() for _ in range(nb_update_D)]
    for _ in range(nb_update_D):
        loss_D = step_of_D(D, x, G(latent()), optimiser_D)
    for _ in range(nb_update_G):
        loss_G = step_of_G(D, G(latent()), optimiser_G)
    return loss_D, loss_G


def same_latents_for_G(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_D):
        z = latent()
        loss_D = step_of_D(D, batch(), G(z), optimiser_D)
    for _ in range(nb_update_G):
        loss_G = step_of_G(D, G(z), optimiser_G)
    return loss_D, loss_G


def same_fake_for_G(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_D):
        fake = G(latent())
        loss_D = step_of_D(D, batch(), fake, optimiser_D)
    for _ in range(nb_update_G):
        loss_G = step_of_G(D, fake, optimiser_G)
    return loss_D, loss_G


def made_beforehand_for_G(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    losses_D = [step_of_D(D, batch(), G(latent()), optimiser_D) for _ in range(nb_update_D)]
    fakes = [G(latent()) for _ in range(nb_update_G)]
    losses_G = [step_of_G(D, fake, optimiser_G) for fake in fakes]
    return losses_D[-1], losses_G[-1]


def images_in_Gs_turn(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    for _ in range(nb_update_D):
        loss_D = step_of_D(D, batch(), G(latent()), optimiser_D)
    for _ in range(nb_update_G):
        batch()
        loss_G = step_of_G(D, G(latent()), optimiser_G)
    return loss_D, loss_G


def latents_of_its_own(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    return algorithm()(D, G, optimiser_D, optimiser_G, batch, lambda: torch.randn_like(latent()), nb_update_D,
                       nb_update_G)


def no_defaults(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D, nb_update_G):
    return algorithm()(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D, nb_update_G)


def optimisers_exchanged(D, G, optimiser_D, optimiser_G, batch, latent, nb_update_D=1, nb_update_G=1):
    return algorithm()(D, G, optimiser_G, optimiser_D, batch, latent, nb_update_D, nb_update_G)


RIGHT = {"9.10": [algorithm(), shares_the_last_images, inlined, second_pass_of_the_last_latents]}

MUTANTS = {
    "9.10": [
        (g_first, "D comes first"), (in_turns, "D comes first"), (nested, "D comes first"),
        (algorithm(counts=lambda k, n: (n, k)), "exchanged"),
        (algorithm(counts=lambda k, n: (1, n)), "nb_update_D is the number"),
        (algorithm(counts=lambda k, n: (k, 1)), "nb_update_G is the number"),
        (algorithm(counts=lambda k, n: (1, 1)), "write a loop"),
        (algorithm(counts=lambda k, n: (k + 1, n)), "no more and no less"),
        (algorithm(counts=lambda k, n: (k, 0), result=lambda D, G: (D[-1], D[-1])), "G makes no update"),
        (algorithm(update_G=lambda D, fake, optimiser: ones(D(fake)).detach()), "G makes no update"),
        (drawn_before(z=False), "call batch() once in each"), (images_in_Gs_turn, "call batch() once in each"),
        (drops_batches, "use each batch once"), (drawn_before(x=False), "images of the same latents"),
        (same_fake_for_D, "images of the same latents"), (same_latents_for_G, "G has moved"),
        (same_fake_for_G, "used up"), (made_beforehand_for_G, "in place"),
        (latents_of_its_own, "those that latent() gives"), (no_defaults, "as the exercise says"),
        (algorithm(update_D=d_step(shown=torch.rand_like)), "made on images of G"),
        (algorithm(update_D=d_step(real=torch.zeros_like)), "images of batch() as they are"),
        (algorithm(update_D=d_step_in_one_batch), "call D twice"),
        (algorithm(update_G=g_step(shown=torch.detach)), "no gradient reaches G"),
        (algorithm(update_G=g_step(before=lambda *_: None)), "an update of G is another one"),
        (algorithm(update_D=d_step(before=lambda *_: None)), "an update of D is another one"),
        (algorithm(update_D=d_step(loss=lambda real, fake: ones(fake) + ones(real))), "an update of D is another"),
        (optimisers_exchanged, "D comes first"),
        (algorithm(result=lambda D, G: (D[0], G[0])), "of the first update"),
        (algorithm(result=lambda D, G: (sum(D) / len(D), sum(G) / len(G))), "made of all updates"),
        (algorithm(result=lambda D, G: (sum(D), sum(G))), "made of all updates"),
        (algorithm(result=lambda D, G: (torch.stack(D), torch.stack(G))), "made of all updates"),
        (algorithm(result=lambda D, G: (G[-1], D[-1])), "changed places"),
        (algorithm(result=lambda D, G: D[-1] + G[-1]), "two losses"),
        (algorithm(result=lambda D, G: D[-1]), "two losses"),
        (algorithm(result=lambda D, G: {"D": D[-1], "G": G[-1]}), "two losses"),
        (algorithm(result=lambda D, G: None), "return"),
        (algorithm(result=lambda D, G: (D[-1].item(), G[-1].item())), "loss.item()"),
        (algorithm(update_D=d_step(result=same)), ".detach()"), (algorithm(update_G=g_step(result=same)), ".detach()"),
        (algorithm(at_the_end=to_eval), "another mode"),
        (algorithm(at_the_end=lambda D, G: D.requires_grad_(False)), "requires_grad"),
        (algorithm(update_G=g_step(before=lambda optimiser, D: [optimiser.zero_grad(), D.eval()])), "another mode"),
    ],
}
