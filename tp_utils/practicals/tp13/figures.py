"""Figures and tables of TP 13."""

import torch

from ... import show
from ...measure import mean_sd, percent
from .networks import convolution_gradients

# Test accuracies on CIFAR-10, in per cent: the report's (figures 5.1 and 5.2), and those of the papers.
REPORT_CIFAR10 = {"ResNet-20": 91.9, "ResNet-32": 92.5, "ResNet-50": 92.4, "ResNet-32 again": 92.61,
                  "ResNet-32, stochastic depth": 92.86, "ResNet-50, stochastic depth": 93.18,
                  "ResNet-600, stochastic depth": 91.12}
PAPERS_CIFAR10 = {"ResNet-20": 91.25, "ResNet-32": 92.49, "ResNet-56": 93.03, "ResNet-110": 93.57,
                  "ResNet-1202": 92.07, "ResNet-110, stochastic depth": 94.8, "ResNet-1202, stochastic depth": 95.1,
                  "RoR-3-WRN58-4, stochastic depth": 96.2}

NO_RUNS = "there is nothing to draw: let the training above run for some steps"  # said to the reader


def gradients_figure(kinds, images, labels, title):
    """Norms of the gradient per convolution. kinds: {panel: {label: network}}"""
    fig, axes = show.figure(1, len(kinds), 4.6 * len(kinds), 3, sharey=True, squeeze=False)
    for axis, (kind, networks) in zip(axes[0], kinds.items(), strict=True):
        for label, network in networks.items():
            norms = convolution_gradients(network, images, labels)
            axis.plot(range(1, len(norms) + 1), norms, "-o", markersize=3, label=label)
        axis.set(xlabel="convolution, from input to output", yscale="log", title=kind)
        axis.legend(frameon=False)
    axes[0, 0].set_ylabel("norm of the gradient")
    fig.suptitle(title, fontsize=10)
    return fig


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
    """The loss of each step, of several trainings. losses: {label: list of numbers or scalar tensors}"""
    fig, axis = show.figure(width=6.5, height=2.8)
    for (label, values), style in zip(losses.items(), ("-", "--"), strict=False):
        axis.plot(range(1, len(values) + 1), [float(value) for value in values], style, label=label)
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
    for name in dict.fromkeys([*names, *REPORT_CIFAR10, *PAPERS_CIFAR10]):
        here = percent(measured[name]) if name in measured else "—"
        rows.append([name, REPORT_CIFAR10.get(name, "—"), PAPERS_CIFAR10.get(name, "—"), here,
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
