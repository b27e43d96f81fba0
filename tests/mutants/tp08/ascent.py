"""Answers to the exercises 8.2 and 8.3."""

import torch

from .common import NUMBERS, best_score, copy, gradient_of, label_scores, unit


def direction(image, target, network, number=label_scores):
    return gradient_of(image, torch.tensor([target], device=image.device), network, number)


def is_target(image, target, network):
    return network(image).argmax().item() == target


def fooling(number=label_scores, scale=unit, more=0, counted=0, stop=is_target, result=lambda *pair: pair):
    def fooling_image(image, target, network, learning_rate=1.0, max_steps=100):
        image, steps = image.clone(), 0
        while steps < max_steps + more and not stop(image, target, network):
            image = image + learning_rate * scale(direction(image, target, network, number))
            steps += 1
        return result(image, steps + counted)

    return fooling_image


def fooling_looks_afterwards(image, target, network, learning_rate=1.0, max_steps=100):
    image, steps, done = image.clone(), 0, is_target(image, target, network)
    while not done and steps < max_steps:
        leaf = copy(image)
        network(leaf)[0, target].backward()
        image += learning_rate * leaf.grad / leaf.grad.square().sum().sqrt()
        steps, done = steps + 1, is_target(image, target, network)
    return image, steps


def fooling_one_leaf(image, target, network, learning_rate=1.0, max_steps=100):
    image = copy(image)
    for step in range(max_steps):
        scores = network(image)
        if scores.argmax() == target:
            return image.detach(), step
        image.grad = None
        scores[0, target].backward()
        with torch.no_grad():
            image += learning_rate * unit(image.grad)
    return image.detach(), max_steps


def fooling_in_place(image, target, network, learning_rate=1.0, max_steps=100):
    for step in range(max_steps):
        if is_target(image, target, network):
            return image, step
        image += learning_rate * unit(direction(image, target, network))
    return image, max_steps


def fooling_accumulates(image, target, network, learning_rate=1.0, max_steps=100):
    image = copy(image)
    for step in range(max_steps):
        scores = network(image)
        if scores.argmax() == target:
            return image.detach(), step
        scores[0, target].backward()
        with torch.no_grad():
            image += learning_rate * unit(image.grad)
    return image.detach(), max_steps


def fooling_first_gradient(image, target, network, learning_rate=1.0, max_steps=100):
    step_image, image = learning_rate * unit(direction(image, target, network)), image.clone()
    for step in range(max_steps):
        if is_target(image, target, network):
            return image, step
        image = image + step_image
    return image, max_steps


def fooling_endless(image, target, network, learning_rate=1.0, max_steps=100):
    step = 0
    while not is_target(image, target, network):
        image = image + learning_rate * unit(direction(image, target, network))
        step += 1
    return image, step


def fooling_updates_first(image, target, network, learning_rate=1.0, max_steps=100):
    for step in range(max_steps):
        image = image + learning_rate * unit(direction(image, target, network))
        if is_target(image, target, network):
            return image, step + 1
    return image, max_steps


def fooling_flees(image, target, network, learning_rate=1.0, max_steps=100):
    for step in range(max_steps):
        if is_target(image, target, network):
            return image, step
        image = image - learning_rate * unit(direction(image, target, network, best_score))
    return image, max_steps


def fooling_graph_used_up(image, target, network, learning_rate=1.0, max_steps=100):
    leaf = copy(image)
    score = network(leaf)[0, target]
    for _ in range(max_steps):
        image = image + learning_rate * unit(torch.autograd.grad(score, leaf)[0])
    return image, max_steps


def fooling_from_start(image, target, network, learning_rate=1.0, max_steps=100):
    fooled = image
    for step in range(max_steps):
        if is_target(fooled, target, network):
            return fooled, step
        fooled = image + learning_rate * unit(direction(image, target, network))
    return fooled, max_steps


def fooling_looks_late(image, target, network, learning_rate=1.0, max_steps=100):
    for step in range(max_steps):
        done = is_target(image, target, network)
        image = image + learning_rate * unit(direction(image, target, network))
        if done:
            return image, step
    return image, max_steps


def fooling_no_detach(image, target, network, learning_rate=1.0, max_steps=100):
    image = copy(image)
    for step in range(max_steps):
        if is_target(image, target, network):
            return image, step
        network(image)[0, target].backward()
        image += learning_rate * unit(image.grad)
    return image, max_steps


def visualisation(change=lambda g, x, l2: g - 2 * l2 * x, number=label_scores, rate=None):
    def class_visualisation_step(image, target, network, learning_rate, l2):
        gradient = direction(image, target, network, number)
        return image + (rate or learning_rate) * change(gradient, image, l2)

    return class_visualisation_step


def visualisation_by_optimiser(image, target, network, learning_rate, l2):
    image = copy(image)
    optimiser = torch.optim.SGD([image], lr=learning_rate, weight_decay=2 * l2)
    (-network(image)[0, target]).backward()
    optimiser.step()
    return image.detach()


def visualisation_attached(image, target, network, learning_rate, l2):
    image = copy(image)
    objective = network(image)[0, target] - l2 * image.square().sum()
    return image + learning_rate * torch.autograd.grad(objective, image)[0]


def visualisation_decays(image, target, network, learning_rate, l2):
    return image + learning_rate * direction(image, target, network) - 2 * l2 * image


def visualisation_of_data(image, target, network, learning_rate, l2):
    leaf = copy(image)
    objective = network(leaf)[0, target] - l2 * leaf.data.square().sum()
    return image + learning_rate * torch.autograd.grad(objective, leaf)[0]


def visualisation_in_place(image, target, network, learning_rate, l2):
    image += learning_rate * (direction(image, target, network) - 2 * l2 * image)
    return image


RIGHT = {
    "8.2": [fooling(), fooling_looks_afterwards, fooling_one_leaf],
    "8.3": [visualisation(), visualisation_by_optimiser],
}

MUTANTS = {
    "8.2": [
        (fooling(scale=lambda g: g), "norm"),
        (fooling(scale=torch.sign), "L2 norm"),
        (fooling(scale=lambda g: -unit(g)), "adds the gradient"),
        *((fooling(number=number), hint) for number, hint in NUMBERS[:2] + NUMBERS[3:]),
        (fooling(stop=lambda *_: False), "does not stop early"),
        (fooling(more=1), "one update too many"), (fooling(more=-1), "not changed at all"),
        (fooling(counted=1), "number of updates"), (fooling(counted=-1), "number of updates"),
        (fooling(result=lambda image, steps: image), "two things"),
        (fooling(result=lambda image, steps: (image[0], steps)), "batch axis"),
        (fooling(result=lambda image, steps: (steps, image)), "(image"),
        (fooling(result=lambda image, steps: (image.clone().requires_grad_(), steps)), "detach"),
        (fooling_in_place, "clone"), (fooling_accumulates, ".grad"), (fooling_first_gradient, "anew"),
        (fooling_endless, "max_steps"), (fooling_updates_first, "0 steps"),
        (fooling_flees, "push the target"), (fooling_graph_used_up, "anew"), (fooling_no_detach, "in-place"),
        (fooling_from_start, "last image"), (fooling_looks_late, "one update late"),
    ],
    "8.3": [
        (visualisation(lambda g, x, l2: g), "missing"),
        (visualisation(lambda g, x, l2: g + 2 * l2 * x), "MINUS"),
        (visualisation(lambda g, x, l2: g - l2 * x), "factor 2"),
        (visualisation(lambda g, x, l2: -g + 2 * l2 * x), "ascent"),
        (visualisation(lambda g, x, l2: -g - 2 * l2 * x), "ascent"),
        (visualisation(lambda g, x, l2: unit(g) - 2 * l2 * x), "divided by its norm"),
        (visualisation(lambda g, x, l2: unit(g - 2 * l2 * x)), "divided by its norm"),
        (visualisation(lambda g, x, l2: unit(g)), "divided by its norm"),
        (visualisation(lambda g, x, l2: g / g.abs().max()), "is scaled"),
        (visualisation(lambda g, x, l2: (g - 2 * l2 * x).sign()), "is scaled"),
        (visualisation_of_data, "not of x.data"),
        (visualisation(lambda g, x, l2: g - l2 * x / x.norm()), "SQUARED"),
        (visualisation(lambda g, x, l2: g - 2 * l2 * x / x.numel()), "mean"),
        (visualisation(rate=1.0), "learning rate"),
        *((visualisation(number=number), hint) for number, hint in NUMBERS[:2] + NUMBERS[3:]),
        (visualisation_attached, "detach"), (visualisation_in_place, "clone"),
        (visualisation_decays, "learning rate multiplies"),
    ],
}
