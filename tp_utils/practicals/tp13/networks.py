"""Helper of TP 13: the shortcut, gradients, timings, training in a given order, public weights, tables and figures."""

import copy
import logging
import statistics
import time
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from ... import show
from ...data.imageset import resized
from ...measure import mean_sd, percent
from ...runtime import device, say

# Test accuracies on CIFAR-10, in per cent: the report's (figures 5.1 and 5.2), and those of the papers.
REPORT = {"ResNet-20": 91.9, "ResNet-32": 92.5, "ResNet-50": 92.4, "ResNet-32 again": 92.61,
          "ResNet-32, stochastic depth": 92.86, "ResNet-50, stochastic depth": 93.18,
          "ResNet-600, stochastic depth": 91.12}
PAPERS = {"ResNet-20": 91.25, "ResNet-32": 92.49, "ResNet-56": 93.03, "ResNet-110": 93.57,
          "ResNet-1202": 92.07, "ResNet-110, stochastic depth": 94.8, "ResNet-1202, stochastic depth": 95.1,
          "RoR-3-WRN58-4, stochastic depth": 96.2}
HELD_OUT = 0.1  # share of the training images on which choices are made

# What is said to the reader.
OTHER_NETWORK = ("these are the weights of another network: {given} tensors are given, this network has {own}; the "
                 "first that differ, here and there: {first}")
NO_TENSORBOARD = "TensorBoard is not installed: pip install tensorboard. The figures of the notebook show the same"
NO_RUNS = "there is nothing to draw: let the training above run for some steps"
TENSORBOARD = "TensorBoard: {url} (from this machine; it ends with the notebook's kernel)"

# ---- networks


def shortcut(x, channels, stride=1):
    """He's option A: every stride-th pixel, new channels filled with zeros, half of them in front: [N, C, H, W]."""
    new = channels - x.shape[1]
    return F.pad(x[:, :, ::stride, ::stride], (0, 0, 0, 0, new // 2, new - new // 2))


def branch(inputs, outputs, stride=1):
    """What a residual block adds to its shortcut: convolution, batch norm, ReLU, convolution, batch norm."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU(),
        nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False), nn.BatchNorm2d(outputs))


def load_public(network, weights):
    """Load a state_dict of the same layers under other names, e.g. that of a public ResNet-20; returns the network.

    Weights are matched in their order: the layers of both must have been made in the same order, that of their use.
    Raises ValueError where number or shapes differ.
    """
    def counted(state):
        return {name: value for name, value in state.items() if not name.endswith("num_batches_tracked")}

    own, given = counted(network.state_dict()), counted(weights)
    pairs = list(zip(own.items(), given.items(), strict=False))
    differ = [f"{a} {list(x.shape)}, {b} {list(y.shape)}" for (a, x), (b, y) in pairs if x.shape != y.shape]
    if differ or len(own) != len(given):
        first = differ[0] if differ else "none, as far as both go"
        raise ValueError(OTHER_NETWORK.format(given=len(given), own=len(own), first=first))
    network.load_state_dict(network.state_dict() | {name: value for (name, _), (_, value) in pairs})
    return network


# ---- data and predictions


@dataclass
class Split:
    """Images uint8 [N, 3, S, S] and labels int64 [N]: to train on, held out of the training images, to test on."""

    images: torch.Tensor
    labels: torch.Tensor
    held_images: torch.Tensor
    held_labels: torch.Tensor
    test_images: torch.Tensor
    test_labels: torch.Tensor


def split(data, size, test=10000):
    """The Split of an ImageSet at size × size; always the same tenth of its training images is held out."""
    order = torch.randperm(len(data.train_images), generator=torch.Generator().manual_seed(0))
    held, kept = order.split([round(HELD_OUT * len(order)), len(order) - round(HELD_OUT * len(order))])
    images = resized(data.train_images, size)
    return Split(images[kept], data.train_labels[kept], images[held], data.train_labels[held],
                 resized(data.test_images[:test], size), data.test_labels[:test])


def to_input(images):
    """uint8 to float32 in [−1, 1]."""
    return images.float() / 127.5 - 1


@torch.no_grad()
def predictions(network, images):
    """Predicted classes int64 [N] of uint8 images, in eval mode, on the CPU."""
    network.to(device()).eval()
    return torch.cat([network(to_input(part.to(device()))).argmax(1).cpu() for part in images.split(500)])


def colleagues_file(images, count=5000):
    """The Split's first training images and their labels, as they lay in a colleague's file: sorted by class."""
    order = images.labels[:count].argsort(stable=True)
    return images.images[order], images.labels[order]


def one_epoch(network, images, labels):
    """One epoch of plain SGD, 20 images a step in the order in which they are given; returns the loss of each step."""
    network.to(device()).train()
    optimiser, losses = torch.optim.SGD(network.parameters(), 0.2), []
    for batch, truth in zip(images.split(20), labels.split(20), strict=True):
        loss = F.cross_entropy(network(to_input(batch.to(device()))), truth.to(device()))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return losses


# ---- what the gradient and the clock say


def gradient_norms(network, images, labels):
    """The norm of the loss's gradient with respect to the weights of each convolution, in the order of their use.

    The network itself stays as it is.
    """
    network, used = copy.deepcopy(network).to(device()).train(), []
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            module.register_forward_hook(lambda layer, *_: used.append(layer))
    F.cross_entropy(network(to_input(images.to(device()))), labels.to(device())).backward()
    return [layer.weight.grad.norm().item() for layer in used]


def gradients_figure(kinds, images, labels, title):
    """Norms of the gradient per convolution. kinds: {panel: {label: network}}"""
    fig, axes = show.figure(1, len(kinds), 4.6 * len(kinds), 3, sharey=True, squeeze=False)
    for axis, (kind, networks) in zip(axes[0], kinds.items(), strict=True):
        for label, network in networks.items():
            norms = gradient_norms(network, images, labels)
            axis.plot(range(1, len(norms) + 1), norms, "-o", markersize=3, label=label)
        axis.set(xlabel="convolution, from input to output", yscale="log", title=kind)
        axis.legend(frameon=False)
    axes[0, 0].set_ylabel("norm of the gradient")
    fig.suptitle(title, fontsize=10)
    return fig


def step_seconds(networks, images, labels, rounds):
    """{name: median seconds of a forward and backward pass in train mode}; the networks take turns, round by round."""
    x, y, seconds = to_input(images.to(device())), labels.to(device()), {name: [] for name in networks}
    for _ in range(rounds + 1):
        for name, network in networks.items():
            network.to(device()).train()
            start = time.perf_counter()
            F.cross_entropy(network(x), y).backward()
            if device().type == "cuda":
                torch.cuda.synchronize()
            seconds[name].append(time.perf_counter() - start)
    return {name: statistics.median(values[1:]) for name, values in seconds.items()}  # the first round warms up


# ---- TensorBoard


def tensorboard(folder):
    """Start TensorBoard on a folder of event files, inside the notebook's kernel, and say its address."""
    try:
        from tensorboard import program
    except ImportError:
        return say(NO_TENSORBOARD)

    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # a run that was written twice is no news
    board = program.TensorBoard()
    board.configure(argv=[None, "--logdir", str(folder), "--port", "0", "--load_fast", "false"])  # any free port
    return say(TENSORBOARD.format(url=board.launch()))


# ---- figures and tables


def runs_figure(runs, title):
    """Training loss, and accuracy on held-out images, of several runs. runs: {label: Run}"""
    runs = {label: run for label, run in runs.items() if run.history["loss"]}  # one may have been interrupted at once
    if not runs:
        raise ValueError(NO_RUNS)
    fig, (left, right) = show.figure(1, 2, 10, 3.2)
    show.smoothed(left, {label: run.history["loss"] for label, run in runs.items()})
    left.set(xlabel="step", ylabel="training loss", title=title)
    usual = sorted(value for run in runs.values() for value in run.history["loss"])
    left.set_ylim(top=usual[int(0.99 * len(usual))])  # the losses of the first steps would flatten the rest
    left.legend(frameon=False)
    for label, run in runs.items():
        right.plot([step for step, _ in run.history["validation"]], [value for _, value in run.history["validation"]],
                   "-o", markersize=3, label=label)
    right.set(xlabel="step", ylabel="accuracy on held-out images", ylim=(0, 1), title="Held-out images")
    return fig


def losses_figure(losses, title):
    """The loss of each step, of several trainings. losses: {label: list of floats}"""
    fig, axis = show.figure(width=6.5, height=2.8)
    for (label, values), style in zip(losses.items(), ("-", "--"), strict=False):
        axis.plot(range(1, len(values) + 1), values, style, label=label)
    axis.set(xlabel="step", ylabel="loss", title=title)
    axis.legend(frameon=False)
    return fig


def survival_figure(survival_probabilities, blocks, last):
    """How likely each block is to survive, and how many do in 2000 steps, beside the expected number."""
    probabilities = torch.tensor(survival_probabilities(blocks, last))
    alive = torch.rand(2000, blocks, generator=torch.Generator().manual_seed(0)) < probabilities
    fig, (left, right) = show.figure(1, 2, 9, 2.8)
    left.bar(range(1, blocks + 1), probabilities.tolist())
    left.set(xlabel="block", ylabel="probability", ylim=(0, 1), title="Survival of each block")
    counts = torch.bincount(alive.sum(1), minlength=blocks + 1)
    right.bar(range(blocks + 1), (counts / counts.sum()).tolist())
    expected = probabilities.sum().item()
    right.axvline(expected, color=show.COLOURS[4], linestyle="--", label=f"expected: {expected:.1f} of {blocks}")
    right.set(xlabel="blocks that survive", ylabel="share of steps", title="Depth of a step")
    right.legend(frameon=False)
    return fig


def report_table(measured, size, large):
    """A Table of test accuracies: the report, the papers, here.

    measured: {name: [shares]}, at size × size pixels;  large: those of ResNet-20 at 32 × 32
    """
    names = ["plain-20", "plain-56", "ResNet-20", "ResNet-56", "ResNet-56, stochastic depth", "RoR-3-56"]
    rows = []
    for name in dict.fromkeys([*names, *REPORT, *PAPERS]):
        here = percent(measured[name]) if name in measured else "—"
        rows.append([name, REPORT.get(name, "—"), PAPERS.get(name, "—"), here,
                     percent(large) if name == "ResNet-20" else "—"])
    columns = ["CIFAR-10, test accuracy in %", "the report", "the papers", f"here, {size} × {size}", "here, 32 × 32"]
    return show.Table(columns, rows)


def leak_table(measured):
    """A Table of validation accuracies on Dataset X. measured: {augmentation: {split: [shares, one per volume]}}"""
    rows = []
    for augmentation, found in measured.items():
        gaps = [a - b for a, b in zip(found["random"], found["by region"], strict=True)]
        mean, sd = mean_sd(gaps)
        rows.append([augmentation, percent(found["random"]), percent(found["by region"]),
                     f"{100 * mean:.1f}" + (f" ± {100 * sd:.1f}" if len(gaps) > 1 else "") + " points"])
    return show.Table(["augmentation", "random split", "split by region", "the leak is worth"], rows)
