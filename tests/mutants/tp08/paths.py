"""Answers to the exercises 8.5 and 8.6."""

import torch
from torch.nn import functional as F

from .common import BATCH_NUMBERS, NUMBERS, copy, gradient_of, label_scores, probability


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


def with_corners(maps, size):
    return enlarged(maps, size, mode="bilinear", align_corners=True)


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
    return by_maximum(enlarged(maps, images.shape[2:]))[:, 0]


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


RIGHT = {
    "8.5": [integrated_in_one_go, integrated_by_captum,
            integrated(lambda n: torch.linspace(0, 1, n), trapezoid),
            integrated(lambda n: torch.linspace(0, 1, n + 1), trapezoid)],
    "8.6": [cam(), cam_scaled_first, cam_by_backward, cam_backward_hook, cam_by_captum],
}

MUTANTS = {
    "8.5": [
        (integrated(lambda n: midpoints(50)), "`steps` is an argument"),
        (integrated(lambda n: torch.arange(n) / n), "left rule"),
        (integrated(lambda n: (torch.arange(n) + 1) / n), "right rule"),
        (integrated(lambda n: torch.linspace(0, 1, n)), "half of it"),
        (integrated(lambda n: torch.arange(1, n) / n), "points are missing"),
        (integrated(lambda n: torch.arange(n) / n, finish=lambda x, g: g.mean(0)), "left rule"),
        *((integrated(rule, number=probability), "softmax") for rule in (
            lambda n: torch.arange(n) / n, lambda n: (torch.arange(n) + 1) / n, lambda n: torch.linspace(0, 1, n))),
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
        (cam(keep=lambda maps: maps, scale=by_range), "relu"), (cam(scale=by_range), "maximum alone"),
        (cam(keep=torch.abs), "not abs"),
        (cam(keep=lambda maps: maps, scale=lambda maps: by_maximum(maps.relu())), "before enlarging"),
        (cam(combine=lambda a, g: (a * g).sum(1, keepdim=True)), "one weight per channel"),
        (cam(combine=lambda a, g: a.mean(1, keepdim=True)), "weights"),
        (cam(combine=lambda a, g: weighted(a, g.mean(0, keepdim=True))), "batch"),
        (cam(scale=lambda maps: maps), "not divided"),
        (cam(scale=lambda maps: maps / maps.max()), "its own maximum"),
        (cam(scale=lambda maps: maps / maps.amax((1, 2, 3), keepdim=True)), "divided by zero"),
        (cam(enlarge=with_corners, scale=lambda maps: maps), "not divided"),
        (cam(enlarge=with_corners, scale=by_range), "maximum alone"),
        (cam(enlarge=with_corners, scale=lambda maps: maps / maps.max()), "its own maximum"),
        (cam(enlarge=with_corners, keep=torch.abs), "not abs"),
        (cam(scale=lambda maps: 255 * by_maximum(maps)), "from 0 to 255"),
        (cam(enlarge=lambda maps, size: maps), "enlarged"),
        (cam(enlarge=lambda maps, size: enlarged(maps, size, mode="nearest")), "bilinear"),
        (lambda *setting: cam()(*setting)[:, None], "channel axis"),
        *((cam(number=number), hint) for number, hint in NUMBERS),
        (cam_leaves_hook, "handle.remove()"), (cam_leaves_backward_hook, "handle.remove()"),
        (cam_attached, "detach"), (cam_frozen, "requires_grad_()"), (cam_cut_off, "cut off"),
    ],
}
