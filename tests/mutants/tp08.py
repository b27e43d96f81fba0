"""Answers to the exercises of TP 8: differently written right ones, and typical wrong ones with their hints.

RIGHT:    {exercise: [answer]}
MUTANTS:  {exercise: [(answer, piece of the first hint)]}

A function that returns an answer has the steps of that answer as its arguments, so that one can be replaced.
"""

import torch
from torch.nn import functional as F


def copy(images):
    return images.detach().clone().requires_grad_()


def label_scores(scores, labels):
    return scores.gather(1, labels[:, None]).sum()


def gradient_of(images, labels, network, number=label_scores):
    images = copy(images)
    return torch.autograd.grad(number(network(images), labels), images)[0]


# Of which number the gradient is taken: the wrong ones, and a piece of their hint.
def probability(scores, labels):
    return label_scores(scores.softmax(1), labels)


def log_probability(scores, labels):
    return label_scores(scores.log_softmax(1), labels)


def best_score(scores, labels):
    return scores.amax(1).sum()


def all_scores(scores, labels):
    return scores.sum()


def mean_score(scores, labels):
    return scores.gather(1, labels[:, None]).mean()


def every_label(scores, labels):
    return scores[:, labels].sum()


def first_label(scores, labels):
    return scores[:, labels[0]].sum()


def swapped_labels(scores, labels):
    return label_scores(scores, labels.flip(0))


NUMBERS = [
    (probability, "softmax"), (log_probability, "softmax"), (F.cross_entropy, "softmax"),
    (best_score, "highest score"), (all_scores, "sum of all scores"),
]
BATCH_NUMBERS = [
    *NUMBERS, (mean_score, "not mean"), (every_label, "another image"), (first_label, "another image"),
    (swapped_labels, "another image"),
]


# ---- 8.1


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


# ---- 8.2


def direction(image, target, network, number=label_scores):
    return gradient_of(image, torch.tensor([target], device=image.device), network, number)


def is_target(image, target, network):
    return network(image).argmax().item() == target


def unit(gradient):
    return gradient / gradient.norm()


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


# ---- 8.3


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


def visualisation_in_place(image, target, network, learning_rate, l2):
    image += learning_rate * (direction(image, target, network) - 2 * l2 * image)
    return image


# ---- 8.4


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


# ---- 8.5


def midpoints(steps):
    return (torch.arange(steps) + 0.5) / steps


def integrated(alphas=midpoints, finish=lambda x, g: x * g.mean(0), number=label_scores):
    def integrated_gradients(images, labels, network, steps):
        points = [alpha * images for alpha in alphas(steps).tolist()]
        return finish(images, torch.stack([gradient_of(x, labels, network, number) for x in points]))

    return integrated_gradients


def trapezoid(images, gradients):
    return images * torch.trapezoid(gradients, dx=1 / (len(gradients) - 1), dim=0)


def integrated_in_one_go(images, labels, network, steps):
    alphas = ((torch.arange(steps, device=images.device) + 0.5) / steps).view(-1, 1, 1, 1, 1)
    points = (alphas * images).flatten(0, 1)
    gradients = gradient_of(points, labels.repeat(steps), network)
    return images * gradients.view(steps, *images.shape).mean(0)


def integrated_by_captum(images, labels, network, steps):
    from captum.attr import IntegratedGradients

    method = IntegratedGradients(network)
    return method.attribute(images, target=labels, n_steps=steps, method="riemann_middle").float().detach()


def integrated_attached(images, labels, network, steps):
    start = copy(images)
    return start * integrated(finish=lambda x, g: g.mean(0))(images, labels, network, steps)


# ---- 8.6


def pieces(images, labels, network, layer, number=label_scores):
    """The output of the layer and the gradient of the score with respect to it."""
    kept = []
    with layer.register_forward_hook(lambda module, inputs, output: kept.append(output)):
        score = number(network(copy(images)), labels)
    return kept[0].detach(), torch.autograd.grad(score, kept[0])[0]


def weighted(activations, gradient):
    return (gradient.mean((2, 3), keepdim=True) * activations).sum(1, keepdim=True)


def by_maximum(maps):
    return maps / maps.amax((1, 2, 3), keepdim=True).clamp_min(1e-12)


def by_range(maps):
    maps = maps - maps.amin((1, 2, 3), keepdim=True)
    return by_maximum(maps)


def enlarged(maps, size, **options):
    return F.interpolate(maps, size, **(options or {"mode": "bilinear"}))


def cam(combine=weighted, keep=F.relu, enlarge=enlarged, scale=by_maximum, number=label_scores):
    def grad_cam(images, labels, network, layer):
        maps = keep(combine(*pieces(images, labels, network, layer, number)))
        return scale(enlarge(maps, images.shape[2:]))[:, 0]

    return grad_cam


def cam_scaled_first(images, labels, network, layer):
    maps = by_maximum(weighted(*pieces(images, labels, network, layer)).relu())
    return enlarged(maps, images.shape[2:], mode="bilinear", align_corners=True).squeeze(1)


def cam_by_backward(images, labels, network, layer):
    kept = {}

    def keep(module, inputs, output):
        output.retain_grad()
        kept["output"] = output

    with layer.register_forward_hook(keep):
        label_scores(network(copy(images)), labels).backward()
    output = kept["output"]
    maps = weighted(output.detach(), output.grad).relu()
    return by_range(enlarged(maps, images.shape[2:]))[:, 0]


def cam_backward_hook(images, labels, network, layer):
    outputs, gradients = [], []
    handles = (layer.register_forward_hook(lambda module, inputs, output: outputs.append(output)),
               layer.register_full_backward_hook(lambda module, inputs, output: gradients.append(output[0])))
    label_scores(network(copy(images)), labels).backward()
    for handle in handles:
        handle.remove()
    maps = torch.einsum("nchw,nc->nhw", outputs[0].detach(), gradients[0].sum((2, 3))).clamp(min=0)
    maps = enlarged(maps[:, None], images.shape[2:])
    return maps[:, 0] / (maps[:, 0].amax((1, 2), keepdim=True) + 1e-8)


def cam_by_captum(images, labels, network, layer):
    from captum.attr import LayerGradCam

    maps = LayerGradCam(network, layer).attribute(copy(images), labels, relu_attributions=True)
    return by_maximum(enlarged(maps.detach(), images.shape[2:]))[:, 0]


def cam_leaves_hook(images, labels, network, layer):
    layer.register_forward_hook(lambda module, inputs, output: None)
    return cam()(images, labels, network, layer)


def cam_leaves_backward_hook(images, labels, network, layer):
    layer.register_full_backward_hook(lambda module, inputs, output: None)
    return cam()(images, labels, network, layer)


def cam_attached(images, labels, network, layer):
    maps = cam()(images, labels, network, layer)
    return maps + 0 * copy(images)[:, 0]


def cam_cut_off(images, labels, network, layer):
    kept = []
    with layer.register_forward_hook(lambda module, inputs, output: kept.append(output.detach())):
        scores = label_scores(network(copy(images)), labels)
    return torch.autograd.grad(scores, kept[0])[0].mean(1)


def cam_frozen(images, labels, network, layer):
    kept = []
    with layer.register_forward_hook(lambda module, inputs, output: kept.append(output)):
        scores = label_scores(network(images), labels)
    return torch.autograd.grad(scores, kept[0])[0].mean(1)


# ---- 8.7


def attack(move=lambda x, e, g: x + e * g.sign(), limit=lambda x: x.clamp(0, 1), loss=F.cross_entropy):
    return lambda images, labels, network, epsilon: limit(
        move(images, epsilon, gradient_of(images, labels, network, loss)))


def fgsm_by_backward(images, labels, network, epsilon):
    images = copy(images)
    F.nll_loss(network(images).log_softmax(1), labels, reduction="sum").backward()
    return torch.clamp(images.detach() + epsilon * torch.sign(images.grad), 0, 1)


def fgsm_by_torchattacks(images, labels, network, epsilon):
    from torchattacks import FGSM

    return FGSM(network, eps=epsilon)(images, labels)


def fgsm_in_place(images, labels, network, epsilon):
    images += epsilon * gradient_of(images, labels, network, F.cross_entropy).sign()
    return images.clamp_(0, 1)


def fgsm_attached(images, labels, network, epsilon):
    images = copy(images)
    (gradient,) = torch.autograd.grad(F.cross_entropy(network(images), labels), images)
    return (images + epsilon * gradient.sign()).clamp(0, 1)


def fgsm_always_moves(images, labels, network, epsilon):
    return attack()(images, labels, network, epsilon or 0.01)


def double_softmax(scores, labels):
    return F.cross_entropy(scores.softmax(1), labels)


def predicted_class(scores, labels):
    return F.cross_entropy(scores, scores.argmax(1))


def minus_score(scores, labels):
    return F.nll_loss(scores, labels)


LOSSES = [
    (label_scores, "cross-entropy"), (minus_score, "cross-entropy"), (double_softmax, "softmax twice"),
    (predicted_class, "true labels"),
]


# ---- 8.8


def into_ball(moved, images, current, epsilon, step):
    return images + (moved - images).clamp(-epsilon, epsilon)


def iterated(start=torch.clone, move=lambda x, e, a, g: x + a * g.sign(), ball=into_ball,
             limit=lambda x: x.clamp(0, 1), loss=F.cross_entropy, count=lambda n: n):
    def pgd(images, labels, network, epsilon, step, steps):
        current = start(images)
        for _ in range(count(steps)):
            moved = move(current, epsilon, step, gradient_of(current, labels, network, loss))
            current = limit(ball(moved, images, current, epsilon, step))
        return current

    return pgd


def pgd_by_min_max(images, labels, network, epsilon, step, steps):
    low, high = (images - epsilon).clamp_min(0), (images + epsilon).clamp_max(1)
    adversarial = images
    for _ in range(steps):
        leaf = copy(adversarial)
        F.cross_entropy(network(leaf), labels, reduction="sum").backward()
        adversarial = torch.min(torch.max(adversarial + step * leaf.grad.sign(), low), high)
    return adversarial


def pgd_by_torchattacks(images, labels, network, epsilon, step, steps):
    from torchattacks import PGD

    return PGD(network, eps=epsilon, alpha=step, steps=steps, random_start=False)(images, labels)


def pgd_in_place(images, labels, network, epsilon, step, steps):
    for _ in range(steps):
        images += step * gradient_of(images, labels, network, F.cross_entropy).sign()
    return images.clamp_(0, 1)


def pgd_first_gradient(images, labels, network, epsilon, step, steps):
    sign = gradient_of(images, labels, network, F.cross_entropy).sign()
    return (images + (steps * step * sign).clamp(-epsilon, epsilon)).clamp(0, 1)


def pgd_no_detach(images, labels, network, epsilon, step, steps):
    adversarial = copy(images)
    for _ in range(steps + 1):
        F.cross_entropy(network(adversarial), labels).backward()
        adversarial = (adversarial + step * adversarial.grad.sign()).clamp(0, 1)
    return adversarial


def pgd_from_start(images, labels, network, epsilon, step, steps):
    for _ in range(steps):
        adversarial = attack()(images, labels, network, step)
    return adversarial


def pgd_projected_late(limit):
    free = iterated(ball=lambda moved, *_: moved, limit=limit)

    def pgd(images, labels, network, epsilon, step, steps):
        moved = free(images, labels, network, epsilon, step, steps)
        return into_ball(moved, images, None, epsilon, step).clamp(0, 1)

    return pgd


def random_start(images):
    return (images + 0.05 * torch.rand_like(images)).clamp(0, 1)


RIGHT = {
    "8.1": [saliency_by_backward, saliency_one_by_one, saliency_by_captum],
    "8.2": [fooling(), fooling_looks_afterwards, fooling_one_leaf],
    "8.3": [visualisation(), visualisation_by_optimiser],
    "8.4": [smooth(), smooth_in_one_go, smooth_image_by_image, smooth_normal],
    "8.5": [integrated_in_one_go, integrated_by_captum,
            integrated(lambda n: torch.linspace(0, 1, n), trapezoid),
            integrated(lambda n: torch.linspace(0, 1, n + 1), trapezoid)],
    "8.6": [cam(scale=by_range), cam_scaled_first, cam_by_backward, cam_backward_hook, cam_by_captum],
    "8.7": [fgsm_by_backward, fgsm_by_torchattacks],
    "8.8": [iterated(), pgd_by_min_max, pgd_by_torchattacks],
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
        (visualisation(lambda g, x, l2: g - l2 * x / x.norm()), "SQUARED"),
        (visualisation(lambda g, x, l2: g - 2 * l2 * x / x.numel()), "mean"),
        (visualisation(rate=1.0), "learning rate"),
        *((visualisation(number=number), hint) for number, hint in NUMBERS[:2] + NUMBERS[3:]),
        (visualisation_attached, "detach"), (visualisation_in_place, "clone"),
        (visualisation_decays, "learning rate multiplies"),
    ],
    "8.4": [
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
        (smooth(random=draw_uniform), "Gaussian"),
        (smooth(random=lambda x, generator: torch.randn_like(x)), "generator=generator"),
        (smooth(random=lambda x, generator: draw(x, None)), "generator=generator"),
        (smooth(random=lambda x, generator: draw(x, generator.manual_seed(0))), "same noise"),
        (smooth_seeded, "do not seed"),
        (smooth_one_noise, "same noise"), (smooth_piles_up_noise, "grows"), (smooth_in_place, "input"),
        *((smooth(number=number), hint) for number, hint in BATCH_NUMBERS),
    ],
    "8.5": [
        (integrated(lambda n: torch.arange(n) / n), "left rule"),
        (integrated(lambda n: (torch.arange(n) + 1) / n), "right rule"),
        (integrated(lambda n: torch.linspace(0, 1, n)), "half of it"),
        (integrated(lambda n: torch.ones(1)), "only the gradient at x"),
        (integrated(finish=lambda x, g: g.mean(0)), "multiply it by (x - baseline)"),
        (integrated(finish=lambda x, g: (x * g.mean(0)).abs()), "no abs()"),
        (integrated(finish=lambda x, g: x * g.mean(0).abs()), "no abs()"),
        (integrated(finish=lambda x, g: x * g.sum(0)), "divide by steps"),
        (integrated(finish=lambda x, g: (x * g.mean(0)).abs().amax(1)), "keep the channels"),
        *((integrated(number=number), hint) for number, hint in BATCH_NUMBERS),
        (integrated_attached, "detach"),
    ],
    "8.6": [
        (cam(keep=lambda maps: maps), "relu"),
        (cam(keep=lambda maps: maps, scale=by_range), "relu"),
        (cam(keep=torch.abs), "not abs"),
        (cam(keep=lambda maps: maps, scale=lambda maps: by_maximum(maps.relu())), "before enlarging"),
        (cam(combine=lambda a, g: (a * g).sum(1, keepdim=True)), "one weight per channel"),
        (cam(combine=lambda a, g: a.mean(1, keepdim=True)), "weights"),
        (cam(combine=lambda a, g: weighted(a, g.mean(0, keepdim=True))), "batch"),
        (cam(scale=lambda maps: maps), "not divided"),
        (cam(scale=lambda maps: maps / maps.max()), "its own maximum"),
        (cam(scale=lambda maps: maps / maps.amax((1, 2, 3), keepdim=True)), "divided by zero"),
        (cam(enlarge=lambda maps, size: maps), "enlarged"),
        (cam(enlarge=lambda maps, size: enlarged(maps, size, mode="nearest")), "bilinear"),
        (lambda *setting: cam()(*setting)[:, None], "channel axis"),
        *((cam(number=number), hint) for number, hint in NUMBERS),
        (cam_leaves_hook, "handle.remove()"), (cam_leaves_backward_hook, "handle.remove()"),
        (cam_attached, "detach"), (cam_frozen, "requires_grad_()"), (cam_cut_off, "cut off"),
    ],
    "8.7": [
        (attack(lambda x, e, g: x - e * g.sign()), "ADDS"),
        (attack(lambda x, e, g: x + e * g), "sign()"),
        (attack(lambda x, e, g: x + e * unit(g)), "sign()"),
        (attack(lambda x, e, g: x + g.sign()), "epsilon"),
        (attack(lambda x, e, g: e * g.sign(), limit=lambda x: x), "add it to the images"),
        (attack(limit=lambda x: x), "clamp(0, 1)"),
        *((attack(loss=loss), hint) for loss, hint in LOSSES),
        (fgsm_in_place, "clone"), (fgsm_attached, "detach"), (fgsm_always_moves, "epsilon 0"),
    ],
    "8.8": [
        (iterated(ball=lambda moved, x, current, e, a: current + (moved - current).clamp(-e, e)), "ORIGINAL"),
        (iterated(ball=lambda moved, x, current, e, a: moved), "ORIGINAL"),
        (iterated(ball=lambda moved, x, current, e, a: into_ball(moved, x, current, a, e)), "radius"),
        (iterated(limit=lambda x: x), "clamp(0, 1)"),
        (iterated(start=random_start), "random start"),
        (iterated(count=lambda n: 1), "only one step"),
        (iterated(move=lambda x, e, a, g: x + e * g.sign()), "not epsilon"),
        (iterated(move=lambda x, e, a, g: x - a * g.sign()), "ADDS"),
        (iterated(move=lambda x, e, a, g: x + a * g), "sign()"),
        *((iterated(loss=loss), hint) for loss, hint in LOSSES),
        (pgd_in_place, "clone"), (pgd_first_gradient, "anew"), (pgd_no_detach, "leaf"),
        (pgd_from_start, "only one step"),
        (pgd_projected_late(lambda x: x), "after each step"),
        (pgd_projected_late(lambda x: x.clamp(0, 1)), "after each step"),
    ],
}
