"""Answers to the exercises 8.1 and 8.4."""

import torch

from .common import BATCH_NUMBERS, copy, gradient_of, label_scores


def saliency(reduce=lambda gradient: gradient.abs().amax(1), number=label_scores):
    return lambda images, labels, network: reduce(gradient_of(images, labels, network, number))


def saliency_by_backward(images, labels, network):
    images = copy(images)
    scores = network(images)
    scores[torch.arange(len(labels)), labels].sum().backward()
    return images.grad.abs().max(dim=1).values


def saliency_one_by_one(images, labels, network):
    maps = []
    for image, label in zip(images, labels, strict=True):
        image = copy(image[None])
        network(image)[0, label].backward()
        maps.append(image.grad[0].abs().amax(0))
    return torch.stack(maps)


def saliency_by_captum(images, labels, network):
    from captum.attr import Saliency

    return Saliency(network).attribute(copy(images), target=labels).amax(1).detach()


def saliency_in_place(images, labels, network):
    images.requires_grad_()
    label_scores(network(images), labels).backward()
    return images.grad.abs().amax(1)


def saliency_leaves_grad(images, labels, network):
    maps = saliency_in_place(images, labels, network).detach()
    images.requires_grad_(False)
    return maps


def saliency_shifts_input(images, labels, network):
    maps = saliency()(images, labels, network)
    images.sub_(images.mean())
    return maps


def saliency_attached(images, labels, network):
    images = copy(images)
    scores = label_scores(network(images), labels)
    return torch.autograd.grad(scores, images, create_graph=True)[0].abs().amax(1)


def saliency_no_requires_grad(images, labels, network):
    return torch.autograd.grad(label_scores(network(images), labels), images)[0].abs().amax(1)


def saliency_of_a_copy(images, labels, network):
    return torch.autograd.grad(label_scores(network(copy(images)), labels), copy(images))[0].abs().amax(1)


def saliency_not_a_leaf(images, labels, network):
    images = copy(images) * 1
    label_scores(network(images), labels).backward()
    return images.grad.abs().amax(1)


def saliency_no_sum(images, labels, network):
    images = copy(images)
    network(images).gather(1, labels[:, None]).backward()
    return images.grad.abs().amax(1)


def saliency_returns_nothing(images, labels, network):
    saliency()(images, labels, network)


def draw(images, generator):
    return torch.randn(images.shape, generator=generator).to(images.device)


def draw_uniform(images, generator):
    return torch.rand(images.shape, generator=generator).to(images.device)


def smooth(add=lambda x, noise, e: x + noise * e, random=draw, average=lambda g: g.mean(0).abs().amax(1),
           number=label_scores):
    def smooth_grad(images, labels, network, noise, samples, generator):
        noisy = [add(images, noise, random(images, generator)) for _ in range(samples)]
        return average(torch.stack([gradient_of(x, labels, network, number) for x in noisy]))

    return smooth_grad


def smooth_fifty(images, labels, network, noise, samples, generator):
    return smooth()(images, labels, network, noise, 50, generator)


def smooth_in_one_go(images, labels, network, noise, samples, generator):
    shape = (samples, *images.shape)
    noisy = images + noise * torch.randn(shape, generator=generator).to(images.device)
    gradient = gradient_of(noisy.flatten(0, 1), labels.repeat(samples), network)
    return gradient.view(shape).mean(0).abs().amax(1)


def smooth_image_by_image(images, labels, network, noise, samples, generator):
    return torch.cat([smooth_in_one_go(image[None], label[None], network, noise, samples, generator)
                      for image, label in zip(images, labels, strict=True)])


def smooth_normal(images, labels, network, noise, samples, generator):
    total = 0
    for _ in range(samples):
        image = copy(torch.normal(images.cpu(), noise, generator=generator).to(images.device))
        label_scores(network(image), labels).backward()
        total = total + image.grad / samples
    return total.abs().amax(1)


def smooth_seeded(images, labels, network, noise, samples, generator):
    return smooth_in_one_go(images, labels, network, noise, samples, torch.Generator().manual_seed(0))


def smooth_one_noise(images, labels, network, noise, samples, generator):
    noisy = images + noise * draw(images, generator)
    return sum(gradient_of(noisy, labels, network) for _ in range(samples)).div(samples).abs().amax(1)


def smooth_piles_up_noise(images, labels, network, noise, samples, generator):
    total = 0
    for _ in range(samples):
        images = images + noise * draw(images, generator)
        total = total + gradient_of(images, labels, network)
    return (total / samples).abs().amax(1)


def smooth_in_place(images, labels, network, noise, samples, generator):
    total = 0
    for _ in range(samples):
        images += noise * draw(images, generator)
        total = total + gradient_of(images, labels, network)
    return (total / samples).abs().amax(1)


RIGHT = {
    "8.1": [saliency_by_backward, saliency_one_by_one, saliency_by_captum],
    "8.4": [smooth(), smooth_in_one_go, smooth_image_by_image, smooth_normal],
}

MUTANTS = {
    "8.1": [
        (saliency(lambda g: g.amax(1)), "abs()"),
        (saliency(lambda g: g.amax(1).abs()), "before the max"),
        (saliency(lambda g: g.abs().mean(1)), "amax(dim=1)"),
        (saliency(lambda g: g.abs().sum(1)), "amax(dim=1)"),
        (saliency(lambda g: g.abs()), "channels are still there"),
        (saliency(lambda g: g.abs().amax(1, keepdim=True)), "[N, H, W]"),
        (saliency(lambda g: g.abs().amax(1) / g.abs().max()), "divided by their maximum"),
        (saliency(lambda g: g.abs().amax(1).cpu().numpy()), "torch tensor"),
        (saliency(lambda g: g.abs().amax(1).double()), "float32"),
        *((saliency(number=number), hint) for number, hint in BATCH_NUMBERS),
        (saliency_in_place, "on a copy"), (saliency_leaves_grad, "on a copy"),
        (saliency_shifts_input, "clone"), (saliency_attached, "detach"), (saliency_no_sum, ".sum()"),
        (saliency_no_requires_grad, "requires_grad_()"), (saliency_not_a_leaf, "leaf"),
        (saliency_of_a_copy, "very tensor"), (saliency_returns_nothing, "return"),
    ],
    "8.4": [
        (smooth_fifty, "`samples` is an argument"),
        (smooth(average=lambda g: g.abs().mean(0).amax(1)), "average the gradients first"),
        (smooth(average=lambda g: g.abs().amax(2).mean(0)), "average the gradients first"),
        (smooth(average=lambda g: g.sum(0).abs().amax(1)), "divide by samples"),
        (smooth(average=lambda g: g.mean(0).amax(1)), "abs()"),
        (smooth(average=lambda g: g.mean(0).abs().mean(1)), "amax"),
        (smooth(average=lambda g: g.mean(0)), "channels"),
        (smooth(add=lambda x, noise, e: x), "no noise"),
        (smooth(add=lambda x, noise, e: x * (1 + noise * e)), "ADDED"),
        (smooth(add=lambda x, noise, e: x + noise**0.5 * e), "standard deviation"),
        (smooth(add=lambda x, noise, e: x + noise**2 * e), "standard deviation"),
        (smooth(add=lambda x, noise, e: x + noise * (x.max() - x.min()) * e), "not a share of the images' range"),
        (smooth(add=lambda x, noise, e: x + noise * (x.amax((2, 3), True) - x.amin((2, 3), True)) * e), "max − min"),
        (smooth(add=lambda x, noise, e: x + 0.4 * noise * e), "a standard deviation of about 0.28 where `noise` is"),
        (smooth(random=draw_uniform), "Gaussian"),
        (smooth(random=lambda x, generator: torch.randn_like(x)), "generator=generator"),
        (smooth(random=lambda x, generator: draw(x, None)), "generator=generator"),
        (smooth(random=lambda x, generator: draw(x, generator.manual_seed(0))), "same noise"),
        (smooth_seeded, "do not seed"),
        (smooth_one_noise, "same noise"), (smooth_piles_up_noise, "grows"), (smooth_in_place, "input"),
        *((smooth(number=number), hint) for number, hint in BATCH_NUMBERS),
    ],
}
